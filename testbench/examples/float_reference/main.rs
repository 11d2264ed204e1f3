//! A network in real numbers, without hardware: what rounding and locality cost.
//!
//!     cargo run --release -p testbench --example float_reference -- NETWORK.sp DATA [--set NAME=VALUE] [--seed N]
//!         [--epochs N] [--whole]
//!
//! Reads the same text as `onward train`, learns from the same data in the same order and prints the accuracy after each
//! epoch. `--whole` makes one block of each layer: its loss then sees all neurons. It knows dense layers and convolutions
//! that learn once a window by any rule, and a dense or recurrent layer that learns at steps; answers are of the nearest
//! target.

mod described;

use described::Described;
use onward_image::PopulationKind;
use onward_net::{Encoding, Network};
use onward_run::data::{Dataset, Encoder, SampleOrder, Samples};
use std::process::ExitCode;
use testbench::float_model::{self as model, steps};

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
                "--epochs" => epochs = Some(number(value()?)?.clamp(1, 100_000) as u32),
                "--whole" => whole = true,
                _ if argument.starts_with("--") => return Err(format!("there is no option `{argument}`")),
                _ => places.push(argument),
            }
        }
        let [network, data] = <[String; 2]>::try_from(places).map_err(|_| "say NETWORK.sp and DATA")?;
        Ok(Wanted { network, data, settings, seed, epochs, whole })
    }
}

/// A model with what makes spikes of samples.
enum Learner {
    Windows(model::Model),
    Steps(Box<steps::Model>, Encoder, usize),
}

impl Learner {
    fn new(described: &Described, network: &Network, seed: u64) -> Result<Learner, String> {
        match described {
            Described::Windows(shape) => Ok(Learner::Windows(model::Model::new(shape, seed))),
            Described::Steps(shape) => {
                let kind = input_kind(network)?;
                let encoder = Encoder::new(&kind, shape.inputs as u32, shape.window as u32, seed);
                let encoder = encoder.ok_or("the input shows no samples")?;
                Ok(Learner::Steps(Box::new(steps::Model::new(shape, seed)), encoder, shape.window))
            }
        }
    }

    fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        match self {
            Learner::Windows(model) => model.set_epoch(epoch, epochs),
            Learner::Steps(model, ..) => model.set_epoch(epoch, epochs),
        }
    }

    fn learn(&mut self, samples: &Samples, at: usize) {
        let class = samples.label(at).into();
        match self {
            Learner::Windows(model) => model.learn(samples.pixels(at), class),
            Learner::Steps(model, encoder, window) => {
                model.learn(&active(encoder, *window, samples, at), class, samples.continues(at));
            }
        }
    }

    fn is_right(&mut self, samples: &Samples, at: usize) -> bool {
        let answer = match self {
            Learner::Windows(model) => model.infer(samples.pixels(at)),
            Learner::Steps(model, encoder, window) => {
                model.infer(&active(encoder, *window, samples, at), samples.continues(at))
            }
        };
        answer == usize::from(samples.label(at))
    }
}

/// The active axons of each step.
fn active(encoder: &Encoder, window: usize, samples: &Samples, at: usize) -> Vec<Vec<usize>> {
    let mut steps = vec![Vec::new(); window];
    encoder.encode(samples, at, |packet| steps[packet.step as usize].push(packet.axon as usize));
    steps
}

/// The input as the reader of data takes it.
fn input_kind(network: &Network) -> Result<PopulationKind, String> {
    let shape = network.input().shape.clone();
    let fixed = |change: f64| (change * 65536.0).round().max(1.0) as u32;
    let encoding = match network.input().encoding {
        Encoding::Rate => return Ok(PopulationKind::RateInput { shape }),
        Encoding::Latency => onward_image::Encoding::Latency,
        Encoding::Delta(change) => onward_image::Encoding::Delta { change: fixed(change) },
        Encoding::Sequence(change) => onward_image::Encoding::Sequence { change: fixed(change) },
        Encoding::Events => onward_image::Encoding::Events,
        Encoding::Poisson | Encoding::Current => return Err("the reference has no such input".into()),
    };
    Ok(PopulationKind::EncodedInput { shape, encoding })
}

/// Whether the data can be shown to the network.
fn check(data: &Dataset, network: &Network) -> Result<(), String> {
    let (input, classes) = (network.input(), network.classes());
    let checked = match input.encoding {
        Encoding::Delta(_) => data.check_sequences(input.size(), 2, network.window_steps, classes),
        Encoding::Sequence(_) => data.check_sequences(input.size(), 3, network.window_steps, classes),
        Encoding::Events => data.check_events(input.size(), network.window_steps, classes),
        _ => data.check(&input.shape, classes),
    };
    checked.map_err(|error| error.to_string())
}

fn run(wanted: &Wanted) -> Result<(), String> {
    let network = described::network(&wanted.network, &wanted.settings)?;
    let described = described::described(&network, wanted.whole)?;
    let data = Dataset::load(&wanted.data).map_err(|error| error.to_string())?;
    check(&data, &network)?;
    let mut learner = Learner::new(&described, &network, wanted.seed)?;
    let epochs = wanted.epochs.unwrap_or(network.epochs);
    let order = SampleOrder::new(wanted.seed);
    for epoch in 0..epochs {
        learner.set_epoch(epoch, epochs);
        for sequence in order.epoch(data.train.sequences() as u32, epoch) {
            data.train.of_sequence(sequence as usize).for_each(|sample| learner.learn(&data.train, sample));
        }
        let tested = data.test.len();
        let right = (0..tested).filter(|&at| learner.is_right(&data.test, at)).count();
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
