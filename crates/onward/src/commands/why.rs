//! `onward why`: what a neuron does, and why.

use super::inspect::place;
use crate::arguments::DataArguments;
use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::files::{Output, read_image};
use crate::ledger::Ledger;
use crate::report::section;
use crate::text::{count, percent, plural, table};
use crate::{Outcome, report, terminal};
use onward_compile::{LoweredLayer, Options, compile_with};
use onward_diagnostic::Source;
use onward_image::Image;
use onward_run::why::{Arrived, NeuronName, Observation, Shown};
use serde_json::{Value, json};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward why 'hidden1[54]' digits.onw
  onward why 'hidden2[3]' mnist.onw --data DATA/mnist --samples 500
  onward why 'hidden1[54]' digits.onw --json -    for machines

The first samples are shown, to a network that learns as if it learned from them, with all weights kept as they
are. What 1.0 is, thresholds and gates are those of the text that the image was compiled from.";

/// Inputs that are listed, at most.
const MOST_INPUTS: usize = 6;

/// Say what a neuron is shown, what comes of it, and why it fires or does not
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[arg(value_name = "NEURON", help = "The neuron: LAYER[NUMBER]")]
    neuron: NeuronName,
    /// The image
    #[arg(value_name = "IMAGE.onw")]
    image: PathBuf,
    #[command(flatten)]
    data: DataArguments,
    /// How many samples are shown: of those to learn from, or of a network that does not learn, of those to test with
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    samples: u32,
    /// Draws the spikes of inputs that are drawn [default: the seed it was compiled with]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write what was seen for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let image = read_image(&arguments.image, &ledger)?;
    let dataset = arguments.data.load(&image, &arguments.image, &ledger, None)?;
    let samples = if image.learns() { &dataset.train } else { &dataset.test };
    let (name, seed) = (&arguments.neuron, arguments.seed.unwrap_or(image.network.seed));
    let observation = Observation::of(&image, name, samples, arguments.samples as usize, seed);
    let observation = observation.map_err(|error| Failure::refused(&error))?;
    let account = Account { image: &image, name, observation: &observation, layer: layer(&image, name) };
    terminal::print(&account.text())?;
    if let Some(json) = &json {
        let mut document = account.document();
        (document["data"], document["seed"]) = (json!(dataset.name), json!(seed));
        json.write_json(&Document::new("why", document))?;
        terminal::print(&report::written([Some(json)]))?;
    }
    Ok(())
}

/// The integers of the neuron's layer, of the text that the image holds; `None` where that does not stand alone.
fn layer(image: &Image, name: &NeuronName) -> Option<LoweredLayer> {
    let (file, text) = &image.network.source;
    let source = Source::new(file.clone(), text.clone());
    let mut found = None;
    // Whether the rest of it can be compiled alone is not asked.
    let _ = compile_with(&source, &Options::new(image.chip.clone(), image.network.seed), |pass, compilation| {
        if pass.name == "fixed-point" {
            found = compilation.layer(&name.layer).cloned();
        }
    });
    found
}

/// What is told of a neuron.
struct Account<'a> {
    image: &'a Image,
    name: &'a NeuronName,
    observation: &'a Observation,
    layer: Option<LoweredLayer>,
}

impl Account<'_> {
    /// What was seen, for machines: numbers of the membrane as the chip has them, and what 1.0 is.
    fn document(&self) -> Value {
        let Observation { block, shown, inputs, bias, mean_count, .. } = self.observation;
        let input = |input: &Arrived| json!({"from": input.from.0, "index": input.from.1, "active_steps": input.steps, "weight": input.weight});
        let sample = |shown: &Shown| json!({"spikes": shown.spikes, "largest_membrane": shown.membrane, "voltage": shown.voltage});
        let body = json!({
            "layer": self.name.layer,
            "neuron": self.name.number,
            "block": u32::from(block.0),
            "core": self.image.blocks[block.0].core.0,
            "one": self.unit(),
            "threshold": self.threshold(),
            "bias": bias,
            "mean_count": mean_count,
            "spikes": self.observation.spikes(),
            "steps": self.steps(),
            "samples": shown.iter().map(sample).collect::<Vec<Value>>(),
            "inputs": inputs.iter().map(input).collect::<Vec<Value>>(),
            "why": self.why(),
        });
        documents::of_image(self.image, body)
    }

    fn text(&self) -> String {
        let (block, column) = self.observation.block;
        let core = place(self.image, self.image.blocks[block].core);
        let NeuronName { layer, number } = self.name;
        let mut text = format!("{layer}[{number}]: neuron {column} of block {block}, on core {core}\n");
        text += &section("Bounds", table(&[], self.bounds(), &[1]));
        text += &section("Inputs", self.inputs());
        text += &section("What it did", table(&[], self.did(), &[1]));
        let learning = self.learning();
        if !learning.is_empty() {
            text += &section("Learning", table(&[], learning, &[1]));
        }
        let why: String = self.why().into_iter().map(|line| format!("  {line}\n")).collect();
        text + &section("Why", why)
    }

    /// What 1.0 is on the membrane.
    fn unit(&self) -> Option<f64> {
        self.layer.as_ref().map(|layer| layer.parameters.unit.of(self.name.number as usize))
    }

    fn threshold(&self) -> Option<i32> {
        self.layer.as_ref().map(|layer| layer.parameters.neuron.threshold.of(self.name.number))
    }

    /// A number of the membrane: as a real one where it is known what 1.0 is.
    fn real(&self, value: f64) -> String {
        self.unit().map_or_else(|| format!("{value}"), |unit| format!("{:.3}", value / unit))
    }

    /// The factor by which weights must be multiplied to be of the membrane's unit.
    fn weight_unit(&self) -> f64 {
        self.layer.as_ref().map_or(1.0, |layer| 2f64.powi(layer.parameters.finer as i32))
    }

    fn weights(&self) -> impl Iterator<Item = f64> + '_ {
        let unit = self.weight_unit();
        self.observation.inputs.iter().filter_map(move |input| Some(f64::from(input.weight?) * unit))
    }

    /// What all inputs together can add in a step, at least and at most, with the bias; `None` where weights are not listed.
    fn reach(&self) -> Option<(f64, f64)> {
        self.observation.inputs.iter().find(|input| input.weight.is_some())?;
        let bias = f64::from(self.observation.bias.unwrap_or(0));
        let given = self.layer.as_ref().map_or(0, |layer| layer.parameters.neuron.bias.of(self.name.number));
        let bias = bias + f64::from(given);
        Some((
            bias + self.weights().filter(|w| *w < 0.0).sum::<f64>(),
            bias + self.weights().filter(|w| *w > 0.0).sum::<f64>(),
        ))
    }

    fn bounds(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let mut row = |what: &str, value: String, note: String| rows.push(vec![what.to_owned(), value, note]);
        if let Some(threshold) = self.threshold() {
            row("threshold", self.real(threshold.into()), format!("{} on the membrane", count_of(threshold)));
        }
        if let Some(bias) = self.observation.bias {
            row("bias", self.real(bias.into()), "learned, added in each step".into());
        }
        let given = self.layer.as_ref().map_or(0, |layer| layer.parameters.neuron.bias.of(self.name.number));
        if given != 0 {
            row("bias", self.real(given.into()), "given, added in each step".into());
        }
        let weights: Vec<f64> = self.weights().collect();
        if !weights.is_empty() {
            let least = weights.iter().copied().fold(f64::INFINITY, f64::min);
            let most = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let note = format!("{} of {} are not 0", weights.iter().filter(|w| **w != 0.0).count(), weights.len());
            row("weights", format!("{} to {}", self.real(least), self.real(most)), note);
        }
        if let Some((least, most)) = self.reach() {
            let note = "with all inputs of that sign active at once".to_owned();
            row("in a step", format!("{} to {}", self.real(least), self.real(most)), note);
        }
        rows
    }

    /// The steps in which inputs were shown.
    fn steps(&self) -> u64 {
        self.observation.shown.len() as u64 * u64::from(self.image.network.window_steps)
    }

    fn inputs(&self) -> String {
        let all = &self.observation.inputs;
        let active = all.iter().filter(|input| input.steps > 0).count();
        let packets: u64 = all.iter().map(|input| input.steps).sum();
        let steps = self.steps().max(1);
        let mut text = format!(
            "  {active} of {} were active in some step; {:.1} of them in a step, on average\n",
            all.len(),
            packets as f64 / steps as f64
        );
        let unit = self.weight_unit();
        // Behind what adds or takes away most.
        let brings = |input: &Arrived| {
            Some(f64::from(input.weight?) * unit * input.steps as f64 / self.observation.shown.len().max(1) as f64)
        };
        let mut most: Vec<(f64, &Arrived)> = all.iter().filter_map(|input| Some((brings(input)?, input))).collect();
        most.retain(|(brings, _)| *brings != 0.0);
        most.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        let row = |(brings, input): &(f64, &Arrived)| {
            vec![
                format!("{}[{}]", input.from.0, input.from.1),
                percent(100.0 * input.steps as f64 / steps as f64),
                self.real(f64::from(input.weight.unwrap_or(0)) * unit),
                self.real(*brings),
            ]
        };
        if !most.is_empty() {
            let rows = most.iter().take(MOST_INPUTS).map(row).collect();
            text += &table(&["strongest", "active", "weight", "brings a window"], rows, &[1, 2, 3]);
        }
        text
    }

    fn did(&self) -> Vec<Vec<String>> {
        let shown = &self.observation.shown;
        let fired = shown.iter().filter(|shown| shown.spikes > 0).count();
        let note = format!("{} in {} steps", plural(self.observation.spikes(), "spike"), count(self.steps()));
        let mut rows = vec![vec!["fired for".into(), format!("{fired} of {} samples", shown.len()), note]];
        if let Some((sample, most)) = self.most() {
            rows.push(vec![
                "largest membrane".into(),
                self.real(most.membrane.into()),
                format!("that a step left, for sample {sample}"),
            ]);
        }
        if let Some(mean) = self.observation.mean_count {
            rows.push(vec![
                "mean count".into(),
                format!("{mean:.3}"),
                "spikes a window, over the last 512 samples or so that it learned from".into(),
            ]);
        }
        rows
    }

    /// The sample whose window left the largest membrane.
    fn most(&self) -> Option<(usize, &Shown)> {
        self.observation.shown.iter().enumerate().max_by_key(|(at, shown)| (shown.membrane, std::cmp::Reverse(*at)))
    }

    /// Samples for which its voltage is where its weights may change.
    fn live(&self) -> Option<(usize, usize)> {
        let (low, high) = self.layer.as_ref()?.rule.as_ref()?.gate?;
        let voltages: Vec<i32> = self.observation.shown.iter().filter_map(|shown| shown.voltage).collect();
        let live = voltages.iter().filter(|&&voltage| voltage >= low && voltage < high).count();
        (!voltages.is_empty()).then_some((live, voltages.len()))
    }

    fn learning(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let Some(rule) = self.layer.as_ref().and_then(|layer| layer.rule.as_ref()) else { return rows };
        if let (Some((live, of)), Some((low, high))) = (self.live(), rule.gate) {
            let note = format!(
                "its weights change where its voltage is from {} to {}",
                self.real(low.into()),
                self.real(high.into())
            );
            rows.push(vec!["gate open for".into(), format!("{live} of {of} samples"), note]);
        }
        if let (true, Some(mean)) = (rule.rule.revive, self.observation.mean_count) {
            let (low, high) = (f64::from(rule.mean_bounds.0) / 4096.0, f64::from(rule.mean_bounds.1) / 4096.0);
            let nudge = self.real(rule.nudge.into());
            let (value, note) = match mean {
                mean if mean < low => (
                    "too quiet".to_owned(),
                    format!("below {low:.3} spikes a window: its bias grows by {nudge} with each sample"),
                ),
                mean if mean > high => (
                    "too loud".to_owned(),
                    format!("above {high:.3} spikes a window: its bias falls by {nudge} with each sample"),
                ),
                _ => {
                    ("rests".to_owned(), format!("from {low:.3} to {high:.3} spikes a window, its bias is left alone"))
                }
            };
            rows.push(vec!["homeostasis".into(), value, note]);
        }
        rows
    }

    fn why(&self) -> Vec<String> {
        let shown = &self.observation.shown;
        let fired = shown.iter().filter(|shown| shown.spikes > 0).count();
        let window = self.image.network.window_steps;
        if fired > 0 {
            let spikes = self.observation.spikes() as f64 / shown.len().max(1) as f64;
            let always = shown.iter().all(|shown| shown.spikes == window);
            return match always {
                true => vec![
                    "It fires in every step of every sample: what comes in is above its threshold whatever is shown."
                        .into(),
                ],
                false => vec![format!(
                    "It fires {spikes:.2} times a window of {window} steps, for {} of the samples.",
                    percent(100.0 * fired as f64 / shown.len() as f64)
                )],
            };
        }
        let mut lines = vec![format!("It is silent: it fired for none of {}.", plural(shown.len() as u64, "sample"))];
        if self.observation.inputs.iter().all(|input| input.steps == 0) && self.observation.bias.unwrap_or(0) <= 0 {
            lines.push("Nothing came in: none of its inputs was active, so look at the layer before it.".into());
            return lines;
        }
        let Some(threshold) = self.threshold() else { return lines };
        if let Some((_, most)) = self.reach() {
            let whole = most * f64::from(window);
            if whole < f64::from(threshold) {
                lines.push(format!("It cannot fire: all its inputs, active in each of {window} steps, bring {} of the {} that it takes.", self.real(whole), self.real(threshold.into())));
                return lines;
            }
        }
        if let Some((_, most)) = self.most() {
            lines.push(format!(
                "Its membrane came up to {} of its threshold.",
                percent(100.0 * f64::from(most.membrane) / f64::from(threshold.max(1)))
            ));
        }
        let brought: (f64, f64) = self.observation.inputs.iter().fold((0.0, 0.0), |(more, less), input| {
            let brings = f64::from(input.weight.unwrap_or(0)) * input.steps as f64;
            if brings > 0.0 { (more + brings, less) } else { (more, less - brings) }
        });
        let bias = f64::from(self.observation.bias.unwrap_or(0)) / self.weight_unit() * self.steps() as f64;
        if brought.1 + (-bias).max(0.0) > brought.0 + bias.max(0.0) {
            let whom = if -bias > brought.1 { "its bias" } else { "inputs of negative weight" };
            lines.push(format!("What comes in takes away more than it brings: {whom} above all."));
        }
        match self.live() {
            Some((0, _)) => lines.push("Its gate was open for no sample, so its weights do not learn.".into()),
            Some((live, of)) => {
                lines.push(format!("Its weights can learn: its gate was open for {live} of {of} samples."))
            }
            None => {}
        }
        lines
    }
}

/// A number that may be below 0, with its thousands apart.
fn count_of(number: i32) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", count(number.unsigned_abs().into()))
}
