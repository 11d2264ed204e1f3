//! `onward calibrate`: what a network meets in samples, and what its integers make of them.

use super::compile::read;
use crate::arguments::HowToCompile;
use crate::failure::Failure;
use crate::files::{Output, check_outputs, read_json};
use crate::nir::NirArguments;
use crate::progress::PassMonitor;
use crate::text::{count, plural, table};
use crate::{Outcome, report, terminal};
use onward_compile::{
    Calibrated, Calibration, FloatModel, LayerCalibration, LayerParameters, Options, Range, compile_network,
    compile_with,
};
use onward_diagnostic::Source;
use onward_emulate::Counters;
use onward_image::Image;
use onward_net::Network;
use onward_run::data::{Dataset, Encoder, Samples};
use onward_run::{Session, SessionError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
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
    /// Built-in data (digits), folder of IDX files, or .npz file [default: what the network names]
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
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
pub fn read_calibration(path: &Path) -> Result<Calibration, Failure> {
    read_json(path, "a calibration", "`onward calibrate NET.sp -o FILE.json` writes one")
}

/// A network as it was compiled.
struct Compiled {
    image: Image,
    float: FloatModel,
    rounded: FloatModel,
    parameters: BTreeMap<String, LayerParameters>,
}

fn compile(network: Option<&Network>, source: &Source, options: &Options) -> Result<Compiled, Failure> {
    let refused = |errors: &[onward_diagnostic::Diagnostic]| Failure::diagnostics(source, errors);
    let (mut models, mut parameters) = (None, BTreeMap::new());
    let monitor = PassMonitor::new(network.map(|_| "parse"));
    let after = |pass: &dyn onward_compile::Pass, compilation: &onward_compile::Compilation| {
        monitor.done(pass);
        if pass.name() == "fixed-point" {
            models = compilation.rounded_model().map(|rounded| (compilation.float_model(), rounded));
            parameters = compilation.all_parameters();
        }
    };
    let image = match network {
        Some(network) => compile_network(network.clone(), source, options, after),
        None => compile_with(source, options, after),
    };
    drop(monitor);
    let image = image.map_err(|errors| refused(&errors))?;
    let Some((float, rounded)) = models else {
        let message = format!("{}: the network learns, or scores classes by targets", source.name);
        return Err(Failure::input(message, "the formats of such a network are not calibrated"));
    };
    Ok(Compiled { image, float: float.map_err(|error| refused(&[error]))?, rounded, parameters })
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let outputs = [arguments.output.as_deref(), arguments.json.as_deref()];
    let inputs = std::iter::once(arguments.network.as_path()).chain(arguments.compile.inputs());
    check_outputs(&outputs, &inputs.collect::<Vec<_>>())?;
    let mut options = arguments.compile.options()?;
    let (network, source) = read(&arguments.network, &arguments.compile.set, &arguments.nir)?;
    let mut bounded = compile(network.as_ref(), &source, &options)?;
    let dataset = Dataset::for_image(&bounded.image, arguments.data.as_deref())?;
    let prepared = [arguments.output.as_deref().map(Output::prepare), arguments.json.as_deref().map(Output::prepare)];
    let [output, json] = prepared.map(Option::transpose);
    let (output, json) = (output?, json?);
    let samples = (arguments.samples as usize).min(dataset.train.len());
    show(&mut bounded.float, &bounded.image, &dataset.train, samples);
    let calibration = bounded.float.calibration(&dataset.name);
    options.calibration = Some(Calibrated { calibration: calibration.clone(), margin: arguments.margin });
    let mut calibrated = compile(network.as_ref(), &source, &options)?;
    show(&mut calibrated.rounded, &calibrated.image, &dataset.train, samples);
    let counters = on_chip(&calibrated.image, &dataset.train, samples, arguments.compile.seed)
        .map_err(|error| Failure::session(&source.name, &error))?;
    let report = Report::new(&calibration, arguments.margin, [&bounded, &calibrated], &counters);
    terminal::print(&report.text())?;
    if let Some(output) = &output {
        output.write_json(&calibration)?;
    }
    if let Some(json) = &json {
        json.write_json(&report)?;
    }
    terminal::print(&report::written([&output, &json]))
}

/// Shows the first samples to a model.
fn show(model: &mut FloatModel, image: &Image, samples: &Samples, count: usize) {
    let window = image.network.window_steps;
    let Some(encoder) = Encoder::of(&image.network) else { return };
    for sample in 0..count {
        let mut steps = vec![Vec::new(); window as usize];
        encoder.encode(samples, sample, |packet| steps[packet.step as usize].push((packet.axon, packet.payload)));
        model.open_window();
        steps.iter().for_each(|packets| model.step(packets));
    }
}

/// Shows them to the emulated chip.
fn on_chip(image: &Image, samples: &Samples, count: usize, seed: u64) -> Result<Counters, SessionError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut session = Session::new(image, onward_emulate::Options { seed, timing: false, threads })?;
    if session.reads_spikes() {
        session.observe(samples, count, |_| ControlFlow::Continue(()))?;
    } else {
        session.infer(samples, count, |_| ControlFlow::Continue(()))?;
    }
    Ok(session.machine().counters())
}

/// What a network met, its formats, and how far its integers are from real numbers.
#[derive(Serialize)]
struct Report {
    network: String,
    data: String,
    samples: u64,
    margin: f64,
    layers: Vec<LayerReport>,
}

/// Of a layer.
#[derive(Serialize)]
struct LayerReport {
    layer: String,
    weight_bits: u32,
    fraction_bits: i32,
    /// What 1.0 is on the membrane.
    unit: f64,
    input: QuantityReport,
    current: Option<QuantityReport>,
    membrane: QuantityReport,
    /// Root of the mean square of what rounding did to weights; 1.0 is 1.0 of the network.
    weights_rounding: f64,
    /// Spikes a neuron and step in real numbers.
    float_rate: f64,
    /// The same with rounded weights, thresholds and decays: what the chip is expected to do.
    predicted_rate: f64,
    /// The same on the chip.
    measured_rate: f64,
    /// Results that were saturated on the chip, whatever of.
    saturations: u64,
}

/// Of a quantity of a layer, in the chip's integers.
#[derive(Serialize)]
struct QuantityReport {
    /// It is never greater.
    bound: f64,
    /// The greatest that was met.
    met: f64,
    bits_by_bound: u32,
    bits: u32,
    /// Part of the values met that these bits do not hold.
    saturating_percent: f64,
}

impl QuantityReport {
    fn new(bound: f64, [bits_by_bound, bits]: [u32; 2], met: &Range, unit: f64) -> QuantityReport {
        let most = if bits == 16 { f64::from(i16::MAX) } else { f64::from(i32::MAX) };
        let saturating_percent = 100.0 * met.part_above(most / unit);
        QuantityReport { bound, met: (met.largest * unit).round(), bits_by_bound, bits, saturating_percent }
    }

    fn row(&self, layer: String, name: &str) -> Vec<String> {
        let whole = |value: f64| count(value as u64);
        let bits = if self.bits == self.bits_by_bound {
            self.bits.to_string()
        } else {
            format!("{} (bound: {})", self.bits, self.bits_by_bound)
        };
        let saturating = format!("{:.3} %", self.saturating_percent);
        vec![layer, name.to_owned(), whole(self.bound), whole(self.met), bits, saturating]
    }
}

impl Report {
    fn new(
        calibration: &Calibration,
        margin: f64,
        [bounded, calibrated]: [&Compiled; 2],
        counters: &Counters,
    ) -> Report {
        let layers = calibration.layers.iter().filter_map(|met| {
            let by_bound = bounded.parameters.get(&met.layer)?;
            let of = calibrated.parameters.get(&met.layer)?;
            LayerReport::new(met, [by_bound, of], [bounded, calibrated], counters, calibration)
        });
        Report {
            network: calibration.network.clone(),
            data: calibration.data.clone(),
            samples: calibration.samples,
            margin,
            layers: layers.collect(),
        }
    }

    fn text(&self) -> String {
        let mut formats = Vec::new();
        let mut errors = Vec::new();
        for layer in &self.layers {
            formats.push(layer.input.row(layer.layer.clone(), "input"));
            formats.extend(layer.current.as_ref().map(|current| current.row(String::new(), "current")));
            formats.push(layer.membrane.row(String::new(), "membrane"));
            let rate = |rate: f64| format!("{rate:.5}");
            let difference = |other: f64| format!("{:+.5}", other - layer.float_rate);
            errors.push(vec![
                layer.layer.clone(),
                format!("{} bits, times 2^{}", layer.weight_bits, layer.fraction_bits),
                format!("{:.2e}", layer.weights_rounding),
                rate(layer.float_rate),
                difference(layer.predicted_rate),
                difference(layer.measured_rate),
                count(layer.saturations),
            ]);
        }
        let heading = format!(
            "`{}`, shown {} of {}; 16 bits where {} times what was met fits\n",
            self.network,
            plural(self.samples, "sample"),
            self.data,
            self.margin
        );
        let columns = ["layer", "what", "bound", "met", "bits", "saturating"];
        let formats = report::section("Formats", table(&columns, formats, &[2, 3, 5]));
        let columns = ["layer", "weights", "rounded by", "spikes", "predicted", "on the chip", "saturations"];
        let mut errors = report::section("Against real numbers", table(&columns, errors, &[2, 3, 4, 5, 6]));
        errors += "  Spikes are those of a neuron in a step, in real numbers; then how many more or fewer there should be\n  \
                   by rounded parameters, and are.\n";
        heading + &formats + &errors
    }
}

impl LayerReport {
    fn new(
        met: &LayerCalibration,
        [by_bound, of]: [&LayerParameters; 2],
        [bounded, calibrated]: [&Compiled; 2],
        counters: &Counters,
        calibration: &Calibration,
    ) -> Option<LayerReport> {
        let name = met.layer.as_str();
        let (bounds, widths) = (of.bounds, [by_bound.widths, of.widths]);
        let quantity = |bound: f64, bits: [u32; 2], met: &Range| QuantityReport::new(bound, bits, met, of.unit);
        let neurons: f64 = met.shape.iter().map(|&size| f64::from(size)).product();
        let steps = calibration.samples as f64 * f64::from(calibration.window);
        let rate = |spikes: u64| spikes as f64 / (neurons * steps).max(1.0);
        let image = &calibrated.image;
        let traffic = onward_profile::traffic(image, counters);
        let sent = traffic.blocks.iter().filter(|block| block.population == name);
        let is_of = |block: u32| {
            let population = image.blocks[block as usize].population;
            image.network.populations[population as usize].name == name
        };
        let saturated = counters.blocks.iter().filter(|counted| is_of(counted.block)).map(|counted| counted.saturated);
        Some(LayerReport {
            layer: met.layer.clone(),
            weight_bits: of.weight_bits,
            fraction_bits: of.fraction_bits,
            unit: of.unit,
            input: quantity(bounds.input, widths.map(|of| of.input), &met.input),
            current: met.current.as_ref().map(|met| quantity(bounds.current, widths.map(|of| of.current), met)),
            membrane: quantity(bounds.membrane, widths.map(|of| of.membrane), &met.membrane),
            weights_rounding: bounded.float.weights_difference(&calibrated.rounded, name)?,
            float_rate: rate(met.spikes),
            predicted_rate: rate(calibrated.rounded.spikes(name)?),
            measured_rate: rate(sent.filter_map(|block| block.packets("spikes")).sum()),
            saturations: saturated.sum(),
        })
    }
}
