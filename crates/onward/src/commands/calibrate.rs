//! `onward calibrate`: what a network meets in samples, and what its integers make of them.

use super::compile::read;
use crate::arguments::{DataArguments, HowToCompile};
use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::files::{Output, read_json};
use crate::ledger::Ledger;
use crate::nir::NirArguments;
use crate::progress::PassMonitor;
use crate::text::{count, plural, table};
use crate::{Outcome, report, terminal};
use onward_compile::{Options, compile_network, compile_with};
use onward_diagnostic::Source;
use onward_image::Image;
use onward_net::Network;
use onward_profile::PopulationActivity;
use onward_quantize::{Calibrated, Calibration, Comparison, Counted, FloatModel, Models, Quantity};
use onward_run::data::{Encoder, Samples};
use serde_json::json;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  onward calibrate programs/examples/convolution.sp -o ranges.json
  onward compile programs/examples/convolution.sp --calibration ranges.json -o convolution.onw

The first samples to learn from are shown to the network in real numbers; what sums, currents and membranes become is
written to the file. Then the network is compiled with it and shown the same samples on the emulated chip.";

/// Find out how large a network's sums become, and how far its integers are from real numbers
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The text of a network that does not learn, or a NIR file
    #[arg(value_name = "NET.sp|MODEL.nir")]
    network: PathBuf,
    #[command(flatten)]
    data: DataArguments,
    /// How many of the samples to learn from are shown
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    /// Formats hold so many times more than what was met
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, value_parser = parse_margin)]
    margin: f64,
    #[command(flatten)]
    compile: HowToCompile,
    /// Where the calibration goes, for `--calibration` of `compile`
    #[arg(short, long, value_name = "FILE.json")]
    output: Option<PathBuf>,
    /// Write the report for machines
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    nir: NirArguments,
}

/// What `--margin` is given.
pub fn parse_margin(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(margin) if margin > 0.0 && margin <= 1e6 => Ok(margin),
        _ => Err("a margin is a number above 0, up to 1000000".to_owned()),
    }
}

/// Reads a calibration.
pub fn read_calibration(path: &Path, ledger: &Ledger) -> Result<Calibration, Failure> {
    read_json(path, "a calibration", "`onward calibrate NET.sp -o FILE.json` writes one", ledger)
}

fn compile(network: Option<&Network>, source: &Source, options: &Options) -> Result<(Image, Models), Failure> {
    let refused = |errors: &[onward_diagnostic::Diagnostic]| Failure::diagnostics(source, errors);
    let mut models = None;
    let monitor = PassMonitor::new(network.map(|_| "parse"));
    let after = |pass: &onward_compile::Pass, compilation: &onward_compile::Compilation| {
        monitor.done(pass);
        if pass.name == "fixed-point" {
            models = compilation
                .rounded_model()
                .map(|rounded| (compilation.float_model(), rounded, compilation.all_parameters()));
        }
    };
    let image = match network {
        Some(network) => compile_network(network.clone(), source, options, after),
        None => compile_with(source, options, after),
    };
    drop(monitor);
    let image = image.map_err(|errors| refused(&errors))?;
    let Some((float, rounded, parameters)) = models else {
        let message = format!("{}: the network learns, or scores classes by targets", source.name);
        return Err(Failure::input(message, "the formats of such a network are not calibrated"));
    };
    Ok((image, Models { float: float.map_err(|error| refused(&[error]))?, rounded, parameters }))
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let output = arguments.output.as_deref().map(|path| Output::prepare(path, &ledger)).transpose()?;
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    arguments.compile.faults.only_dead(&ledger)?;
    let mut options = arguments.compile.options(&ledger)?;
    let (network, source) = read(&arguments.network, &arguments.compile.set, &arguments.nir, &ledger)?;
    arguments.compile.choose_chip(&mut options, network.as_ref(), &source)?;
    let (image, mut bounded) = compile(network.as_ref(), &source, &options)?;
    let dataset = arguments.data.load(&image, &arguments.network, &ledger, None)?;
    let samples = (arguments.samples as usize).min(dataset.train.len());
    show(&mut bounded.float, &image, &dataset.train, samples);
    let calibration = bounded.float.calibration(&dataset.name);
    options.calibration = Some(Calibrated { calibration: calibration.clone(), margin: arguments.margin });
    let (image, mut calibrated) = compile(network.as_ref(), &source, &options)?;
    show(&mut calibrated.rounded, &image, &dataset.train, samples);
    let counters = onward_run::counters_of(&image, &dataset.train, samples, arguments.compile.seed())
        .map_err(|error| Failure::session(&source.name, &error))?;
    let comparison = Comparison::new(&calibration, arguments.margin, [&bounded, &calibrated], |layer| {
        let PopulationActivity { spikes, saturations } = PopulationActivity::of(&image, &counters, layer);
        Counted { spikes, saturations }
    });
    terminal::print(&report(&comparison))?;
    if let Some(output) = &output {
        output.write_json(&calibration)?;
    }
    if let Some(json) = &json {
        let comparison = serde_json::to_value(&comparison).map_err(|error| Failure::Inside(error.to_string()))?;
        let mut document = documents::of_image(&image, comparison);
        document["seed"] = json!(arguments.compile.seed());
        json.write_json(&Document::new("calibrate", document))?;
    }
    terminal::print(&report::written([output.as_ref(), json.as_ref()]))
}

/// Shows the first samples to a model.
fn show(model: &mut FloatModel, image: &Image, samples: &Samples, count: usize) {
    let Some(encoder) = Encoder::of(&image.network) else { return };
    for sample in 0..count {
        model.open_window();
        encoder.window(samples, sample).iter().for_each(|packets| model.step(packets));
    }
}

/// The row of a quantity.
fn row(layer: &str, name: &str, quantity: &Quantity) -> Vec<String> {
    let whole = |value: f64| count(value as u64);
    let bits = match (quantity.bits, quantity.bits_by_bound) {
        (bits, by_bound) if bits == by_bound => bits.to_string(),
        (bits, by_bound) => format!("{bits} (bound: {by_bound})"),
    };
    let saturating = format!("{:.3} %", quantity.saturating_percent);
    vec![layer.to_owned(), name.to_owned(), whole(quantity.bound), whole(quantity.met), bits, saturating]
}

/// What weights are multiplied by.
fn scale([least, greatest]: [f64; 2]) -> String {
    match least.log2() {
        _ if greatest > least => format!("{least:.1} to {greatest:.1}"),
        bits if bits.fract() == 0.0 => format!("2^{bits}"),
        _ => format!("{least:.1}"),
    }
}

/// The comparison for people.
fn report(comparison: &Comparison) -> String {
    let mut formats = Vec::new();
    let mut errors = Vec::new();
    for layer in &comparison.layers {
        formats.push(row(&layer.layer, "input", &layer.input));
        formats.extend(layer.current.as_ref().map(|current| row("", "current", current)));
        formats.push(row("", "membrane", &layer.membrane));
        let difference = |other: f64| format!("{:+.5}", other - layer.float_rate);
        errors.push(vec![
            layer.layer.clone(),
            format!("{} bits, times {}", layer.weight_bits, scale(layer.scale)),
            format!("{:.2e}", layer.weights_rounding),
            format!("{:.5}", layer.float_rate),
            difference(layer.predicted_rate),
            difference(layer.measured_rate),
            count(layer.saturations),
        ]);
    }
    let heading = format!(
        "`{}`, shown {} of {}; 16 bits where {} times what was met fits\n",
        comparison.network,
        plural(comparison.samples, "sample"),
        comparison.data,
        comparison.margin
    );
    let columns = ["layer", "what", "bound", "met", "bits", "saturating"];
    let formats = report::section("Formats", table(&columns, formats, &[2, 3, 5]));
    let columns = ["layer", "weights", "rounded by", "spikes", "predicted", "on the chip", "saturations"];
    let errors = report::section("Against real numbers", table(&columns, errors, &[2, 3, 4, 5, 6]));
    let meaning = "  Spikes are those of a neuron in a step, in real numbers; then how many more or fewer there should be\n  \
                   by the chip's integers, and are.\n";
    heading + &formats + &errors + meaning
}
