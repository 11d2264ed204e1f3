//! `onward explore`: chips and networks together.

use crate::arguments::one_of;
use crate::documents::Document;
use crate::explore::{
    Analysis, Progress, Runs, changed, columns, csv, document, export, opening, parquet, report, write_page,
};
use crate::failure::Failure;
use crate::files::{Output, read_network, read_source};
use crate::ledger::Ledger;
use crate::progress::listen;
use crate::report::written;
use crate::text::plural;
use crate::{Outcome, terminal};
use onward_explore::effects::effects;
use onward_explore::robust::{repeated, stays};
use onward_explore::space::{self, Method};
use onward_explore::{Evaluator, Local, Space, Store, Studied, Study, StudyError, Unevaluated, Value};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  onward explore programs/digits.sp --space programs/spaces/digits.toml
  onward explore programs/digits.sp --space programs/spaces/digits.toml --resume      after a kill, or for more
  onward explore programs/digits.sp --space programs/spaces/digits.toml --method model --designs 100 --json front.json
  onward explore programs/digits.sp --space programs/spaces/digits.toml --export 3f09a2 -o design

Ctrl-C ends it early; each finished design is in the database at once, and --resume goes on.";

/// Search chips and networks together for the designs that no other beats
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The network's text
    #[arg(value_name = "NET.sp")]
    network: PathBuf,
    /// The space: parameters with their ranges, what is wanted, what must hold, how much may be tried
    #[arg(long, value_name = "SPACE.toml")]
    space: PathBuf,
    /// Built-in data, or a path as `train` takes it [default: what the network names]
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Where results are kept, each at once [default: the space's name with .db, in the working directory]
    #[arg(long, value_name = "FILE.db")]
    database: Option<PathBuf>,
    /// Go on with a database that has results: what is there is not run again
    #[arg(long)]
    resume: bool,
    /// How it is searched [default: what the space says]
    #[arg(long, value_name = "METHOD", value_parser = one_of(Method::ALL))]
    method: Option<Method>,
    /// How many designs are looked at [default: what the space says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    designs: Option<u32>,
    /// How many different networks may learn [default: what the space says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    learners: Option<u32>,
    /// Draws what the search draws [default: what the space says]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Designs that are evaluated at the same time; nothing of that changes a result [default: all this computer has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Write the chip and the network of this design into a folder, and say which command runs it; nothing is searched
    #[arg(long, value_name = "ID", requires = "output")]
    export: Option<String>,
    /// The folder for that
    #[arg(short, long, value_name = "FOLDER", requires = "export")]
    output: Option<PathBuf>,
    /// Say which points of the front stay where each figure of the technology may be wrong by this factor, either way
    #[arg(long, value_name = "FACTOR", value_parser = parse_factor)]
    uncertain: Option<f64>,
    /// Run the points of the front with so many seeds, and say what stays
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1000))]
    seeds: Option<u32>,
    /// Write all designs as a table
    #[arg(long, value_name = "FILE.csv")]
    csv: Option<PathBuf>,
    /// Write all designs as a table for pandas, Polars or DuckDB
    #[arg(long, value_name = "FILE.parquet")]
    parquet: Option<PathBuf>,
    /// Write the study as a page that a browser shows: scatter to brush, parallel coordinates, each design with its chip file
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Write all designs with their results for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What `--uncertain` is given.
fn parse_factor(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok().filter(|&factor| factor > 1.0 && factor.is_finite());
    factor.ok_or_else(|| "a factor is a number above 1, as 2".to_owned())
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let prepare = |path: &Option<PathBuf>| path.as_deref().map(|path| Output::prepare(path, &ledger)).transpose();
    let (csv_file, page) = (prepare(&arguments.csv)?, prepare(&arguments.report)?);
    let parquet_file = prepare(&arguments.parquet)?;
    let network = read_network(&arguments.network, &[], &ledger)?;
    // A text with mistakes is none that could be explored.
    onward_net::Network::parse(&network).map_err(|errors| Failure::diagnostics(&network, &errors))?;
    let source = read_source(&arguments.space, &ledger)?;
    let stop = listen()?;
    let unreadable = |error| Failure::unreadable(Path::new(arguments.data.as_deref().unwrap_or("the data")), error);
    let runs = Runs::new(network, &arguments.network, arguments.data.clone(), stop.clone()).map_err(unreadable)?;
    for file in runs.data_files() {
        ledger.reads(file)?;
    }
    let space = space::read(&source, &runs.vocabulary()).map_err(|errors| Failure::diagnostics(&source, &errors))?;
    let space = with_options(space, arguments)?;
    enter(&space, &ledger)?;
    if let Some(folder) = &arguments.output {
        ledger.writes(folder)?;
    }
    let database = arguments.database.clone().unwrap_or_else(|| PathBuf::from(format!("{}.db", space.name)));
    let mut store = open(&database, arguments, &ledger)?;
    if let (Some(id), Some(folder)) = (&arguments.export, &arguments.output) {
        let stored = store.find_one(id).map_err(|error| Failure::refused(&error))?;
        let (files, command) = export(&runs, &stored, folder, &ledger)?;
        terminal::print(&written(files.iter().map(Some)))?;
        return terminal::print(&format!("{command}\n"));
    }
    let workers =
        arguments.workers.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    terminal::print(&opening(&space, &arguments.network.display().to_string(), workers))?;
    let executor = Local::new(&runs, workers).map_err(|error| broken(&error))?;
    let mut progress = Progress::new(&space, stop);
    let mut study = Study::new(&space, &runs, &executor, &mut store);
    let studied = study.run(&mut progress);
    progress.finish();
    terminal::print(&ran(&runs))?;
    let studied = studied.map_err(failed)?;
    let analysis = analyse(&space, &studied, &mut study, &mut progress, arguments)?;
    terminal::print(&report(&space, &studied, &analysis, &runs.vocabulary()))?;
    if let Some(json) = &json {
        let mut document = document(&space, &studied, &analysis);
        document["network"] = arguments.network.display().to_string().into();
        document["network_hash"] = runs.network_hash().into();
        document["data_hash"] = runs.data_hash().into();
        json.write_json(&Document::new("explore", document))?;
    }
    if let Some(file) = &csv_file {
        file.write(csv(&columns(&space, &studied)).as_bytes())?;
    }
    if let Some(file) = &parquet_file {
        let inside = |error: std::io::Error| Failure::Inside(error.to_string());
        file.write(&parquet(&columns(&space, &studied)).map_err(inside)?)?;
    }
    if let Some(file) = &page {
        let network = arguments.network.display().to_string();
        let command =
            format!("onward explore {network} --space {} --database {}", arguments.space.display(), database.display());
        write_page(file, &runs, &network, &command, &space, &studied, &analysis)?;
    }
    terminal::print(&written([json.as_ref(), csv_file.as_ref(), parquet_file.as_ref(), page.as_ref()]))?;
    if studied.is_interrupted { Err(Failure::Interrupted) } else { Ok(()) }
}

/// How many designs ran, and how many were timed from the records of those.
fn ran(runs: &Runs) -> String {
    let (ran, timed) = runs.ran_and_timed();
    let designs = |count: usize| plural(count as u64, "design");
    match ran + timed {
        0 => String::new(),
        _ => format!("\n  {} ran; {} timed from records of these runs\n", designs(ran), designs(timed)),
    }
}

fn failed(error: StudyError) -> Failure {
    match error {
        StudyError::Store(error) => Failure::refused(&error),
        StudyError::Broken(cause) => Failure::input(
            cause,
            "this is no matter of the design; what is in the database holds, and --resume goes on",
        ),
    }
}

/// What matters, and how sure the front is.
fn analyse(
    space: &Space,
    studied: &Studied,
    study: &mut Study,
    progress: &mut Progress,
    arguments: &Arguments,
) -> Result<Analysis, Failure> {
    let full = studied.points.iter().filter(|point| point.score.is_full);
    let (designs, objectives): (Vec<_>, Vec<_>) =
        full.filter_map(|point| Some((point.design.clone(), point.score.objectives.clone()?))).unzip();
    let uncertain = arguments.uncertain.map(|factor| {
        (factor, stays(space, &studied.points, &studied.front, factor, &|outcome, line| changed(outcome, line)))
    });
    let mut analysis = Analysis { effects: effects(space, &designs, &objectives), uncertain, seeds: None };
    if let Some(seeds) = arguments.seeds.filter(|_| !studied.is_interrupted) {
        let points: Vec<_> = studied.front.iter().map(|&at| &studied.points[at]).collect();
        let first = space.fixed.get("learning.seed").and_then(Value::integer).unwrap_or(1);
        let mut found = vec![points.iter().map(|point| point.candidate().cloned()).collect()];
        for seed in 1..i64::from(seeds) {
            let changed = [("learning.seed".to_owned(), Value::Integer(first + seed))].into();
            match study.repeat(&points, &changed, progress).map_err(failed)? {
                Some(objectives) => found.push(objectives),
                None => return Ok(analysis),
            }
        }
        analysis.seeds = Some((seeds, repeated(&found)));
    }
    Ok(analysis)
}

fn broken(error: &Unevaluated) -> Failure {
    Failure::Inside(error.to_string())
}

/// Enters the files of chips and technologies that a space names.
fn enter(space: &Space, ledger: &Ledger) -> Outcome {
    let all = |name: &str| {
        let varied =
            space.parameters.iter().filter(|parameter| parameter.name == name).flat_map(|parameter| &parameter.values);
        let named: Vec<String> = varied.chain(space.fixed.get(name)).map(ToString::to_string).collect();
        named
    };
    all("chip").iter().try_for_each(|chip| ledger.reads_chip(chip))?;
    all("technology").iter().try_for_each(|technology| ledger.reads_technology(technology))
}

/// The space with what was asked for beside it.
fn with_options(mut space: Space, arguments: &Arguments) -> Result<Space, Failure> {
    let search = &mut space.search;
    search.method = arguments.method.unwrap_or(search.method);
    search.designs = arguments.designs.map_or(search.designs, |designs| designs as usize);
    search.learners = arguments.learners.map(|learners| learners as usize).or(search.learners);
    search.seed = arguments.seed.unwrap_or(search.seed);
    if search.method == Method::Grid && space.enumerate(space::MOST_ENUMERATED).is_none() {
        let help = "search it another way: --method nsga2";
        return Err(Failure::input(
            format!("the space has more than {} designs, too many to list", space::MOST_ENUMERATED),
            help,
        ));
    }
    Ok(space)
}

/// Opens the database; one that has results only to go on with.
fn open(path: &Path, arguments: &Arguments, ledger: &Ledger) -> Result<Store, Failure> {
    ledger.writes(path)?;
    let is_there = std::fs::metadata(path).is_ok_and(|found| found.len() > 0);
    if arguments.export.is_some() && !is_there {
        return Err(Failure::input(
            format!("{}: there is no such database", path.display()),
            "explore first, or name it with --database",
        ));
    }
    let store = Store::open(path).map_err(|error| Failure::refused(&error))?;
    let results = store.count().map_err(|error| Failure::refused(&error))?;
    if results > 0 && !arguments.resume && arguments.export.is_none() {
        let message = format!("{}: has {results} results already", path.display());
        return Err(Failure::input(message, "--resume goes on with them; or name another file with --database"));
    }
    Ok(store)
}
