//! `onward compile`: from a network's text, or a NIR file, to an image.

use super::calibrate::{parse_margin, read_calibration};
use crate::arguments::HowToCompile;
use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::files::{Output, read_network};
use crate::ledger::Ledger;
use crate::nir::{self, NirArguments, is_nir};
use crate::progress::PassMonitor;
use crate::proof::proven;
use crate::text::{count, plural, si, table};
use crate::{Outcome, report, terminal};
use anstream::eprint;
use onward_chip::Technology;
use onward_compile::{Compilation, Options, PASSES, Pass, Product, compile_network, compile_with};
use onward_diagnostic::Source;
use onward_image::Image;
use onward_net::Network;
use onward_quantize::Calibrated;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  onward compile programs/digits.sp -o digits.onw
  onward compile programs/mnist.sp --chip large        does it fit?
  onward compile programs/digits.sp --emit generate    the handlers of each layer, as assembly
  onward compile cnn.nir -o cnn.onw                    a network of another tool
  onward compile programs/mnist.sp --place hilbert --emit place
  onward compile programs/digits.sp --emit place --dot | dot -Tsvg > digits.svg
  onward compile --passes                              what there is to emit";

/// Compile a network to an image, or see what each pass of the compiler makes
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The network's text, or a NIR file
    #[arg(value_name = "NET.sp|MODEL.nir", required_unless_present = "passes")]
    network: Option<PathBuf>,
    #[command(flatten)]
    compile: HowToCompile,
    /// Choose formats by what was met (`onward calibrate`), not by bounds
    #[arg(long, value_name = "FILE.json")]
    calibration: Option<PathBuf>,
    /// Formats hold so many times more than what was met
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, requires = "calibration", value_parser = parse_margin)]
    margin: f64,
    /// Where the image goes; without it the network is only checked
    #[arg(short, long, value_name = "IMAGE.onw")]
    output: Option<PathBuf>,
    /// Leave out the proof that the image learns forward only and stays within its memories; of large networks it takes a minute
    #[arg(long)]
    no_proof: bool,
    /// Write for machines how much of the chip it takes; - for standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["emit", "passes"])]
    json: Option<PathBuf>,
    /// Print what a pass made
    #[arg(long, value_name = "PASS")]
    emit: Option<String>,
    /// Print it as a drawing for Graphviz; of passes that make a graph
    #[arg(long, requires = "emit")]
    dot: bool,
    /// List the passes
    #[arg(long)]
    passes: bool,
    /// Show how long each pass took and how much it made (on stderr)
    #[arg(long)]
    timings: bool,
    #[command(flatten)]
    nir: NirArguments,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let Some(network) = arguments.network.as_ref().filter(|_| !arguments.passes) else {
        let rows = PASSES.iter().map(|pass| {
            let how = if pass.drawing.is_some() { "text, --dot" } else { "text" };
            vec![pass.name.into(), how.into(), pass.description.into()]
        });
        return terminal::print(&table(&[], rows.collect(), &[]));
    };
    check_pass(arguments)?;
    let ledger = Ledger::default();
    let output = arguments.output.as_deref().map(|path| Output::prepare(path, &ledger)).transpose()?;
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let mut options = arguments.compile.options(&ledger)?;
    // An image whose energy nobody could tell would be refused by every run.
    Technology::load(&options.chip.technology)?;
    if let Some(path) = &arguments.calibration {
        options.calibration =
            Some(Calibrated { calibration: read_calibration(path, &ledger)?, margin: arguments.margin });
    }
    let made = compile(arguments, network, &mut options, &ledger)?;
    let is_kept = output.is_some() || json.is_some();
    let image = if is_kept && !arguments.no_proof { proven(made) } else { made };
    if let Some(output) = &output {
        output.write_image(&image)?;
    }
    if arguments.emit.is_some() {
        return Ok(());
    }
    if let Some(json) = &json {
        json.write_json(&Document::new("compile", documents::compiled(&image)))?;
    }
    terminal::print(&summary(&image))?;
    let nothing = "\nnothing was written; -o IMAGE.onw writes the image\n";
    terminal::print(&match report::written([output.as_ref(), json.as_ref()]) {
        written if written.is_empty() => nothing.to_owned(),
        written => written,
    })
}

/// Compiles the network, and prints of the passes what was asked for.
fn compile(arguments: &Arguments, network: &Path, options: &mut Options, ledger: &Ledger) -> Result<Image, Failure> {
    let (imported, source) = read(network, &arguments.compile.set, &arguments.nir, ledger)?;
    arguments.compile.choose_chip(options, imported.as_ref(), &source)?;
    let options = &*options;
    let source = if imported.is_some() { source } else { arguments.compile.fitted(options, source) };
    let kept = imported.clone();
    let mut timings: Vec<Timing> = Vec::new();
    let mut warnings = Vec::new();
    let mut start = Instant::now();
    let mut printed = Ok(());
    // What is imported has been parsed.
    if let Some(network) = imported.as_ref().filter(|_| arguments.emit.as_deref() == Some("parse")) {
        printed = terminal::print(&if arguments.dot { network.to_dot() } else { source.text.clone() });
    }
    let monitor = PassMonitor::new(imported.as_ref().map(|_| "parse"));
    let after = |pass: &Pass, compilation: &Compilation| {
        let time = start.elapsed();
        monitor.done(pass);
        if pass.makes == Product::Layers {
            warnings = onward_lint::check(compilation);
        }
        if arguments.timings {
            timings.push(Timing { pass: pass.name, time, amounts: (pass.amounts)(compilation) });
        }
        if arguments.emit.as_deref() == Some(pass.name) {
            let drawing = pass.drawing.filter(|_| arguments.dot);
            let text = drawing.map_or_else(|| (pass.emit)(compilation), |draw| draw(compilation));
            printed = monitor.suspend(|| terminal::print(&text));
        }
        start = Instant::now();
    };
    let compiled = match imported {
        Some(network) => compile_network(network, &source, options, after),
        None => compile_with(&source, options, after),
    };
    drop(monitor);
    printed?;
    let image = compiled.map_err(|errors| arguments.compile.refused(options, kept.as_ref(), &source, errors))?;
    arguments.compile.warnings.show(&source, &warnings)?;
    if arguments.timings {
        eprint!("{}", timing_table(&timings));
    }
    Ok(image)
}

/// How much of its chip an image takes.
fn summary(image: &Image) -> String {
    let words: usize = image.programs.iter().map(|program| program.words.len()).sum();
    format!(
        "`{}` fits chip `{}`: {} on {} of {} cores, {} of {} instructions\n\n{}",
        image.network.name,
        image.chip.name,
        plural(image.blocks.len() as u64, "block"),
        image.core_usage().len(),
        image.chip.mesh.cores(),
        plural(image.programs.len() as u64, "program"),
        count(words as u64),
        report::usage_table(&onward_profile::usage(image)),
    )
}

/// What a pass took, and how much it made.
struct Timing {
    pass: &'static str,
    time: Duration,
    amounts: Vec<(u64, &'static str)>,
}

fn timing_table(timings: &[Timing]) -> String {
    let time = |time: Duration| si(time.as_secs_f64(), "s");
    let row = |timing: &Timing| {
        let amounts: Vec<String> = timing.amounts.iter().map(|&(number, one)| plural(number, one)).collect();
        vec![timing.pass.into(), time(timing.time), amounts.join(", ")]
    };
    let all = vec!["in all".into(), time(timings.iter().map(|timing| timing.time).sum()), String::new()];
    table(&[], timings.iter().map(row).chain([all]).collect(), &[1])
}

/// Whether there is what `--emit` and `--dot` ask for.
fn check_pass(arguments: &Arguments) -> Outcome {
    let Some(name) = &arguments.emit else { return Ok(()) };
    let names =
        |wanted: fn(&&Pass) -> bool| PASSES.iter().filter(wanted).map(|pass| pass.name).collect::<Vec<_>>().join(", ");
    match PASSES.iter().find(|pass| pass.name == name) {
        None => Err(Failure::input(format!("no pass `{name}`"), format!("the passes are {}", names(|_| true)))),
        Some(pass) if arguments.dot && pass.drawing.is_none() => Err(Failure::input(
            format!("pass `{name}` makes no graph that --dot could draw"),
            format!("passes that do are {}; without --dot it is printed as text", names(|pass| pass.drawing.is_some())),
        )),
        Some(_) => Ok(()),
    }
}

/// The text of a network; of a NIR file also the network, with the text it would be.
pub fn read(
    path: &Path,
    set: &[(String, String)],
    nir_options: &NirArguments,
    ledger: &Ledger,
) -> Result<(Option<Network>, Source), Failure> {
    if !is_nir(path) {
        if nir_options.is_any() {
            let message = format!("{}: options for NIR files are given, but this is none", path.display());
            return Err(Failure::input(message, "a text says encoding, readout, neurons and weights itself"));
        }
        return Ok((None, read_network(path, set, ledger)?));
    }
    if !set.is_empty() {
        let message = format!("{}: a NIR file has no parameters that --set could set", path.display());
        return Err(Failure::input(message, "`onward import` makes a text of it, which can be changed"));
    }
    ledger.reads(path)?;
    let (network, source) = nir::network(path, nir_options)?;
    Ok((Some(network), source))
}
