//! `onward retime`: one run of values, timed and costed for another chip.

use crate::arguments::{one_of, parse_setting, technology_help};
use crate::failure::Failure;
use crate::files::Output;
use crate::ledger::Ledger;
use crate::text::{plural, si, table};
use crate::{Outcome, documents, report, terminal};
use onward_chip::Design;
use onward_compile::{Placing, relink};
use onward_emulate::{Record, RecordError};
use onward_image::Image;
use onward_place::{Objective, Strategy};
use onward_run::retime_with;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward train programs/digits.sp --record digits.rec
  onward retime digits.rec --chip wide
  onward retime digits.rec --set core.lanes=32 --set mesh.buffer_flits=8     the chip that ran, changed
  onward retime digits.rec --chip mine.toml --technology 130nm-sg13g2 --json mine.json

Answers never depend on the chip, so nothing runs again; cycles, waiting and energy are those of a run
of the same blocks on that chip, exactly. What programs depend on (`core.vector_length`) cannot change.";

/// Time a recorded run for another chip
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The record, as `train --record` or `run --record` wrote it
    #[arg(value_name = "RECORD.rec")]
    record: PathBuf,
    /// Built-in chip or path of a chip file [default: the chip that ran]
    #[arg(long, value_name = "CHIP")]
    chip: Option<String>,
    /// Give a key of the chip another value, as in core.lanes=8; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,
    #[arg(long, value_name = "TECHNOLOGY", help = technology_help())]
    technology: Option<String>,
    /// How blocks find their cores
    #[arg(long, value_name = "STRATEGY", default_value = "annealed", value_parser = one_of(Strategy::ALL.map(|strategy| (strategy.name(), strategy))))]
    place: Strategy,
    /// What their places are chosen for
    #[arg(long, value_name = "OBJECTIVE", default_value = "hops", value_parser = one_of(Objective::ALL.map(|objective| (objective.name(), objective))))]
    objective: Objective,
    /// Host threads [default: all this computer has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Write the results for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    ledger.reads(&arguments.record)?;
    let place = arguments.record.display().to_string();
    let record = Record::load(&arguments.record).map_err(|error| match &error {
        RecordError::File(error) => Failure::refused(error),
        _ => Failure::refused_at(&place, &error),
    })?;
    let design = arguments.design(record.image(), &ledger)?;
    let placing = Placing { strategy: arguments.place, objective: arguments.objective, traffic: None };
    let image = relink(record.image(), &design.chip, &placing).map_err(|error| Failure::refused_at(&place, &error))?;
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.map_or_else(all, usize::from);
    let retimed = retime_with(&record, &image, &design.costs(), threads);
    let mut results = retimed.map_err(|error| Failure::refused_at(&place, &error))?;
    results.arguments = documents::arguments();
    terminal::print(&opening(&record, &image))?;
    terminal::print(&report::report(&results, false))?;
    if let Some(json) = &json {
        json.write_json(&results)?;
    }
    terminal::print(&report::written([json.as_ref()]))
}

impl Arguments {
    /// The chip that is asked for.
    fn design(&self, image: &Image, ledger: &Ledger) -> Result<Design, Failure> {
        let technology = self.technology.as_deref();
        let design = match &self.chip {
            Some(chip) => {
                ledger.reads_chip(chip)?;
                Design::load(chip, &self.set, technology)?
            }
            None => Design::of_chip(&image.chip, &self.set, technology)?,
        };
        ledger.reads_technology(&design.chip.technology)?;
        Ok(design)
    }
}

/// What was recorded, and for which chip it is timed.
fn opening(record: &Record, image: &Image) -> String {
    let ran = record.image();
    let chip = |image: &Image| {
        let chip = &image.chip;
        let clock = si(chip.clock_hz as f64, "Hz");
        vec![chip.name.clone(), format!("{}, {} lanes, {clock}", report::mesh(&chip.mesh), chip.core.lanes)]
    };
    let row = |name: &str, rest: Vec<String>| std::iter::once(name.to_owned()).chain(rest).collect::<Vec<_>>();
    let blocks = plural(ran.blocks.len() as u64, "block");
    let steps = format!("{blocks}, {} recorded", plural(record.steps(), "step"));
    table(
        &[],
        vec![
            row("network", vec![ran.network.name.clone(), steps]),
            row("ran on", chip(ran)),
            row("timed for", chip(image)),
        ],
        &[],
    )
}
