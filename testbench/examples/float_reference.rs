//! A network in real numbers, without hardware: what rounding and locality cost.
//!
//!     cargo run --release -p testbench --example float_reference -- NETWORK.sp DATA [--set NAME=VALUE] [--seed N]
//!         [--epochs N] [--whole]
//!
//! Reads the same text as `onward train`, learns from the same data in the same order and prints the accuracy after each
//! epoch. `--whole` makes one block of each layer: its loss then sees all neurons. It knows every network that tells classes
//! apart.

use onward_diagnostic::Source;
use onward_image::PopulationKind;
use onward_net::{Encoding, LayerKind, Network, Node};
use onward_run::data::{Dataset, Encoder, SampleOrder, Samples};
use std::path::Path;
use std::process::ExitCode;
use testbench::model::{Model, Neurons, Step, value};

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

/// The network that a file describes.
fn network(path: &str, settings: &[(String, String)]) -> Result<Network, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let mut read = |path: &Path| std::fs::read_to_string(path);
    let source = onward_net::with_includes(Source::new(path, text), &mut read)
        .map_err(|(source, errors)| source.render(&errors))?;
    let source = onward_net::with_settings(source, settings);
    let base = Path::new(path).parent().unwrap_or(Path::new(""));
    let read = |mut network: Network| network.load(base).map(|()| network);
    let network = Network::parse(&source).and_then(read).map_err(|errors| source.render(&errors))?;
    if network.classes() == 0 {
        return Err("the reference learns classes: give the network a target of classes".into());
    }
    Ok(network)
}

/// The model of a network. `whole`: each layer is one block; what differs from neuron to neuron is the text's all the same.
fn model(network: &Network, whole: bool, seed: u64) -> Model<f64> {
    let mut one_block = network.clone();
    for node in network.layers() {
        let Node::Layer(layer) = &mut one_block.graph[node] else { continue };
        let all = if let LayerKind::Convolution(_) = layer.kind { layer.shape[0] } else { layer.neurons() };
        layer.block = if whole { all } else { layer.block };
    }
    let mut model = Model::drawn(&one_block, seed);
    for (layer, node) in model.layers.iter_mut().zip(network.layers()) {
        let text = network.layer(node);
        let order: Vec<usize> = (0..layer.size()).map(|neuron| layer.connection.place(neuron)).collect();
        layer.neurons = Neurons::new(&text.neuron, order.len(), text.block as usize, |_| 1.0).ordered(&order);
    }
    model
}

/// A model with what makes spikes of samples.
struct Learner {
    model: Model<f64>,
    encoder: Encoder,
    /// What a payload is divided by.
    payload: f64,
}

impl Learner {
    fn new(network: &Network, whole: bool, seed: u64) -> Result<Learner, String> {
        let input = network.input();
        let encoder = Encoder::new(&input_kind(network), input.size(), network.window_steps, seed);
        let payload = if input.encoding == Encoding::Current { 255.0 } else { 1.0 };
        Ok(Learner {
            model: model(network, whole, seed),
            encoder: encoder.ok_or("the input shows no samples")?,
            payload,
        })
    }

    /// What is sent in each step.
    fn shown(&self, samples: &Samples, at: usize) -> Vec<Step<f64>> {
        let mut steps = vec![Vec::new(); self.model.window as usize];
        self.encoder.encode(samples, at, |packet| {
            steps[packet.step as usize].push(value(packet.axon as usize, f64::from(packet.payload) / self.payload));
        });
        steps
    }

    fn learn(&mut self, samples: &Samples, at: usize) {
        let shown = self.shown(samples, at);
        self.model.learn(&shown, samples.label(at).into(), None, samples.continues(at));
    }

    fn is_right(&mut self, samples: &Samples, at: usize) -> bool {
        let shown = self.shown(samples, at);
        self.model.infer(&shown, samples.continues(at)) == usize::from(samples.label(at))
    }
}

/// The input as the reader of data takes it.
fn input_kind(network: &Network) -> PopulationKind {
    let shape = network.input().shape.clone();
    let fixed = |change: f64| (change * 65536.0).round().max(1.0) as u32;
    let encoding = match network.input().encoding {
        Encoding::Rate => return PopulationKind::RateInput { shape },
        Encoding::Latency => onward_image::Encoding::Latency,
        Encoding::Delta(change) => onward_image::Encoding::Delta { change: fixed(change) },
        Encoding::Sequence(change) => onward_image::Encoding::Sequence { change: fixed(change) },
        Encoding::Events => onward_image::Encoding::Events,
        Encoding::Poisson => onward_image::Encoding::Poisson,
        Encoding::Current => onward_image::Encoding::Current,
    };
    PopulationKind::EncodedInput { shape, encoding }
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
    let network = network(&wanted.network, &wanted.settings)?;
    let data = Dataset::load(&wanted.data).map_err(|error| error.to_string())?;
    check(&data, &network)?;
    let mut learner = Learner::new(&network, wanted.whole, wanted.seed)?;
    let epochs = wanted.epochs.unwrap_or(network.epochs);
    let order = SampleOrder::new(wanted.seed);
    for epoch in 0..epochs {
        learner.model.set_epoch(epoch, epochs);
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
