//! A network in real numbers, without hardware: what rounding and locality cost.
//!
//!     cargo run --release -p testbench --example float_reference -- NETWORK.sp DATA [--set NAME=VALUE] [--seed N]
//!         [--epochs N] [--whole]
//!
//! Reads the same text as `onward train`, learns from the same data in the same order and prints the accuracy after each
//! epoch. `--whole` makes one block of each layer: its loss then sees all neurons.

use onward_diagnostic::Source;
use onward_net::{Gate, Initial, Layer, Learning, Loss, Network, Optimizer, RateSchedule, Values, When};
use onward_run::data::{Dataset, SampleOrder};
use std::path::Path;
use std::process::ExitCode;
use testbench::float_model::{self as model, Model};

/// What the command line asks for.
struct Wanted {
    network: String,
    data: String,
    settings: Vec<(String, String)>,
    seed: u64,
    epochs: Option<u32>,
    whole: bool,
}

impl Wanted {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
        let (mut settings, mut seed, mut epochs, mut whole) = (Vec::new(), 1, None, false);
        let mut places = Vec::new();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("`{argument}` wants a value"));
            let number = |text: String| text.parse().map_err(|_| format!("`{text}` is no number"));
            match argument.as_str() {
                "--set" => {
                    let text = value()?;
                    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE behind --set")?;
                    settings.push((name.to_owned(), value.to_owned()));
                }
                "--seed" => seed = number(value()?)?,
                "--epochs" => epochs = Some(number(value()?)? as u32),
                "--whole" => whole = true,
                _ => places.push(argument),
            }
        }
        let [network, data] = <[String; 2]>::try_from(places).map_err(|_| "say NETWORK.sp and DATA")?;
        Ok(Wanted { network, data, settings, seed, epochs, whole })
    }
}

/// The network that a file describes.
fn network(path: &str, settings: &[(String, String)]) -> Result<Network, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let mut read = |path: &Path| std::fs::read_to_string(path);
    let source = onward_net::with_includes(Source::new(path, text), &mut read)
        .map_err(|(source, errors)| source.render(&errors))?;
    let source = onward_net::with_settings(source, settings);
    Network::parse(&source).map_err(|errors| source.render(&errors))
}

/// What the reference takes of a layer.
fn described(layer: &Layer, whole: bool) -> Result<model::Layer, String> {
    let refused = |what: &str| format!("layer `{}`: the reference has no {what}", layer.name);
    let Learning::Rule(rule) = &layer.learning else { return Err(refused("layers that do not learn")) };
    let Loss::Hinge { margin } = rule.loss else { return Err(refused("loss but the hinge")) };
    let RateSchedule::Anneal(anneal) = rule.schedule else { return Err(refused("schedule but an even one")) };
    if rule.optimizer != Optimizer::Plain || rule.weight_decay.is_some() {
        return Err(refused("optimizer but the plain one"));
    }
    if rule.gate == Gate::Voltage || rule.when != When::Window || !rule.revive {
        return Err(refused("such rule"));
    }
    let Initial::Drawn { gain, .. } = layer.weights.initial else { return Err(refused("weights but drawn ones")) };
    let Values::Constant(threshold) = layer.neuron.threshold else { return Err(refused("several thresholds")) };
    let neurons = layer.neurons() as usize;
    Ok(model::Layer {
        neurons,
        block: if whole { neurons } else { layer.block as usize },
        threshold,
        gain,
        rule: model::Hinge { rate: rule.rate.into(), margin, anneal, gated: rule.gate == Gate::Surrogate },
    })
}

fn run(wanted: &Wanted) -> Result<(), String> {
    let network = network(&wanted.network, &wanted.settings)?;
    let data = Dataset::load(&wanted.data).map_err(|error| error.to_string())?;
    let layers = network.layers().map(|node| described(network.layer(node), wanted.whole)).collect::<Result<_, _>>()?;
    let shape = model::Network {
        inputs: network.input().size() as usize,
        classes: network.classes() as usize,
        window: network.window_steps as usize,
        layers,
    };
    let epochs = wanted.epochs.unwrap_or(network.epochs);
    let order = SampleOrder::new(wanted.seed);
    let mut model = Model::new(&shape, wanted.seed);
    for epoch in 0..epochs {
        model.set_epoch(epoch, epochs);
        for sample in order.epoch(data.train.len() as u32, epoch) {
            let sample = sample as usize;
            model.learn(data.train.pixels(sample), data.train.label(sample).into());
        }
        let tested = data.test.len();
        let right = |&at: &usize| model.infer(data.test.pixels(at)) == usize::from(data.test.label(at));
        let right = (0..tested).filter(right).count();
        println!("epoch {}/{epochs}: {:.2} %", epoch + 1, 100.0 * right as f64 / tested as f64);
    }
    Ok(())
}

fn main() -> ExitCode {
    let result = Wanted::read(std::env::args().skip(1)).and_then(|wanted| run(&wanted));
    let Err(message) = result else { return ExitCode::SUCCESS };
    eprintln!("{message}");
    ExitCode::from(2)
}
