//! The emulated chip against the plain integer model: whole networks, compiled from text, learn and infer; every number
//! that both hold is equal, to the bit, at the latest after every sample.

use onward_chip::Chip;
use onward_compile::compile;
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, Options};
use onward_image::{Block, HostInputKind, Image, PopulationKind, Tag};
use onward_net::{Gate, Initial, Learning, RateSchedule, Rounding, Update};
use onward_run::Session;
use onward_run::data::{Dataset, RateEncoder, SampleOrder, Samples, SplitMix64};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use testbench::integer_model::{self as model, Model};

/// What differs, in words; `Ok` if nothing does.
type Comparison = Result<(), String>;

/// A sample to learn, or to infer the class of.
#[derive(Clone, Debug)]
struct Sample {
    pixels: Vec<u8>,
    class: usize,
    learn: bool,
}

/// What the host sends in a step.
#[derive(Clone, Debug, Default)]
struct HostStep {
    tag: Option<i32>,
    class: Option<u32>,
    spikes: Option<Vec<u64>>,
}

/// The chip and the model, side by side.
struct Pair {
    image: Image,
    machine: Machine,
    model: Model,
    /// Layer, and block within it, by logical number of the block.
    places: Vec<(usize, usize)>,
    /// Numbers of the host's inputs.
    tag: usize,
    target: usize,
    input: usize,
    /// Classes that reached the host.
    answers: Vec<i32>,
    /// Classes the model answered.
    expected_answers: Vec<i32>,
    /// Spikes of each block in the model so far.
    spikes: Vec<u64>,
}

/// How the steps of the chip are cut into chunks.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// One by one; membranes and counts are compared after each.
    Steps,
    /// So many at once, until the chip rests after each sample; everything is compared then.
    Samples(usize),
    /// So many at once, sample close behind sample, so that layers work on different ones.
    Stream(usize),
}

fn compiled(name: &str, text: &str, chip: Chip, seed: u64) -> Image {
    let source = Source::new(name, text);
    let options = onward_compile::Options::new(chip, seed);
    compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

fn described_rule(rule: &onward_net::Rule) -> model::Rule {
    model::Rule {
        loss: match rule.loss {
            onward_net::Loss::Hinge { margin } => model::Loss::Hinge(margin),
            onward_net::Loss::Softmax { temperature } => model::Loss::Softmax(temperature),
            onward_net::Loss::SquaredError { margin } => model::Loss::SquaredError(margin),
            onward_net::Loss::Hebbian => model::Loss::Hebbian,
        },
        rate: rule.rate,
        fall: match &rule.schedule {
            RateSchedule::Anneal(times) => model::Fall::Evenly(*times),
            RateSchedule::Shifts(epochs) => model::Fall::In(epochs.clone()),
        },
        signal: match rule.gate {
            Gate::Surrogate => model::Signal::Surrogate,
            Gate::Voltage => model::Signal::Voltage,
            Gate::None => model::Signal::Count,
        },
        optimizer: match rule.optimizer {
            onward_net::Optimizer::Plain => model::Optimizer::Plain,
            onward_net::Optimizer::Momentum { decay } => model::Optimizer::Momentum(decay),
            onward_net::Optimizer::Adaptive { decay } => model::Optimizer::Adaptive(decay),
        },
        weight_decay: rule.weight_decay,
        revive: rule.revive,
        spread: rule.update == Update::Spread,
        carries: rule.rounding == Rounding::Carried,
        batch: rule.batch as usize,
    }
}

/// What a text says, read by the language's own parser.
fn described(name: &str, text: &str) -> model::Network {
    let source = Source::new(name, text);
    let network = onward_net::Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let layers = network.layers().map(|node| {
        let layer = network.layer(node);
        let learning = match &layer.learning {
            Learning::None => None,
            Learning::Rule(rule) => Some(described_rule(rule)),
        };
        let Initial::Drawn { gain, fraction } = layer.weights.initial else { unreachable!("weights are drawn") };
        model::Layer {
            neurons: layer.neurons() as usize,
            block: layer.block as usize,
            weight_bits: layer.weights.bits,
            gain,
            fraction,
            threshold: match layer.neuron.threshold {
                onward_net::Values::Constant(threshold) => threshold,
                _ => unreachable!("one threshold"),
            },
            learning,
        }
    });
    model::Network {
        inputs: network.input().size() as usize,
        classes: network.classes() as usize,
        window: network.window_steps as usize,
        layers: layers.collect(),
    }
}

/// For each block of a layer, by logical number: number of the layer, and of the block within it.
fn places(image: &Image) -> Vec<(usize, usize)> {
    let is_layer =
        |population: u32| matches!(image.network.populations[population as usize].kind, PopulationKind::Layer { .. });
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut last = None;
    for block in image.blocks.iter().filter(|block| is_layer(block.population)) {
        let next = match (places.last(), last == Some(block.population)) {
            (Some(&(layer, at)), true) => (layer, at + 1),
            (Some(&(layer, _)), false) => (layer + 1, 0),
            (None, _) => (0, 0),
        };
        places.push(next);
        last = Some(block.population);
    }
    places
}

/// The rows of an array of weights in an image: elements from the lowest bits of the first byte on.
fn rows(block: &Block, symbol: &str) -> Vec<Vec<i64>> {
    let Some(symbol) = block.symbol(symbol) else { return Vec::new() };
    let bytes = &block.contents[usize::from(symbol.space)];
    let element = |at: usize| match symbol.width_bits {
        4 => {
            let nibble = i64::from(bytes[at / 2] >> (4 * (at % 2)) & 15);
            if nibble < 8 { nibble } else { nibble - 16 }
        }
        8 => i64::from(bytes[at] as i8),
        16 => i64::from(i16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]])),
        bits => panic!("weights of {bits} bits"),
    };
    let (offset, columns) = (symbol.offset as usize, symbol.columns as usize);
    (0..symbol.rows as usize).map(|row| (0..columns).map(|i| element(offset + row * columns + i)).collect()).collect()
}

/// A model of the network with the initial weights of the image.
fn modelled(network: &model::Network, image: &Image, seed: u64) -> Model {
    let places = places(image);
    Model::new(network, seed, |layer, at| {
        let number = places.iter().position(|&place| place == (layer, at)).expect("a block of the image");
        (rows(&image.blocks[number], "weights"), rows(&image.blocks[number], "target_weights"))
    })
}

fn flat(rows: &[Vec<i64>]) -> Vec<i64> {
    rows.concat()
}

fn compare(what: &str, chip: &[i32], model: &[i64]) -> Comparison {
    if chip.len() != model.len() {
        return Err(format!("{what}: {} elements on the chip, {} in the model", chip.len(), model.len()));
    }
    match chip.iter().zip(model).position(|(&chip, &model)| i64::from(chip) != model) {
        Some(at) => Err(format!("{what}, element {at}: {} on the chip, {} in the model", chip[at], model[at])),
        None => Ok(()),
    }
}

/// Compares all that blocks hold. Voltages and traces only if the last sample was learned: else the chip keeps none.
fn compare_state(machine: &mut dyn Engine, places: &[(usize, usize)], model: &Model, learned: bool) -> Comparison {
    for (number, &(layer_number, at)) in places.iter().enumerate() {
        let layer = &model.layers[layer_number];
        let block = &layer.blocks[at];
        let rule = layer.learning.as_ref();
        let gated = rule.is_some_and(|rule| rule.signal == model::Signal::Surrogate);
        let of_voltage = rule.is_some_and(|rule| rule.signal == model::Signal::Voltage);
        let revives = rule.is_some_and(|rule| rule.revive);
        let believes = rule.is_some_and(|rule| matches!(rule.loss, model::Loss::Softmax(_)));
        let adapts = rule.is_some_and(|rule| matches!(rule.optimizer, model::Optimizer::Adaptive(_)));
        let has_momentum = rule.is_some_and(|rule| matches!(rule.optimizer, model::Optimizer::Momentum(_)));
        let carries = rule.is_some_and(|rule| rule.carries);
        let (learns, deep) = (rule.is_some(), !layer.fed_by_target);
        // Name, contents in the model, whether the chip has it, whether the two are comparable.
        let arrays = [
            ("weights", flat(&block.weights), true, true),
            ("target_weights", flat(&block.target_weights), !deep, true),
            ("bias", block.bias.clone(), true, true),
            ("membrane", block.membrane.clone(), true, true),
            ("count", block.count.clone(), true, true),
            ("target_count", flat(&block.target_count), true, true),
            ("scores", block.scores.clone(), true, true),
            ("mean_count", block.mean_count.clone(), revives, true),
            // Where scores are of voltages, each window begins its sum anew; what is kept of it is the potential.
            ("voltage", block.voltage.clone(), gated || of_voltage, learned && gated),
            ("potential", block.potential.clone(), of_voltage, true),
            ("target_potential", flat(&block.target_potential), of_voltage, true),
            ("probabilities", block.probabilities.clone(), believes, true),
            ("mean_square", block.mean_square.clone(), adapts, true),
            ("remainder", block.remainder.clone(), carries, true),
            ("velocity", flat(&block.velocity), has_momentum, true),
            ("target_voltage", flat(&block.target_voltage), gated && deep, true),
            ("trace", layer.trace.clone(), learns, learned),
            ("target_trace", flat(&layer.target_trace), learns && deep, true),
        ];
        for (name, expected, exists, comparable) in arrays {
            let what = format!("`{name}` of block {number} (layer {layer_number}, block {at} of it)");
            match machine.read(number as u32, name) {
                Some(found) if exists && comparable => compare(&what, &found, &expected)?,
                Some(_) if exists => {}
                None if !exists => {}
                found => return Err(format!("{what}: is it on the chip? {}", found.is_some())),
            }
        }
    }
    Ok(())
}

impl Pair {
    /// `seed` is the run's; weights were drawn with the compiler's.
    fn new(network: &model::Network, image: Image, options: Options) -> Pair {
        let find = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input of this kind");
        let places = places(&image);
        Pair {
            machine: Machine::new(&image, options).unwrap_or_else(|error| panic!("{error}")),
            model: modelled(network, &image, options.seed),
            tag: find(HostInputKind::Tag),
            target: find(HostInputKind::Target),
            input: find(HostInputKind::Input),
            answers: Vec::new(),
            expected_answers: Vec::new(),
            spikes: vec![0; places.len()],
            places,
            image,
        }
    }

    /// Begins an epoch: new rates for the chip over the configuration port, by the image's schedules.
    fn set_epoch(&mut self, epoch: u32, epochs: u32) -> Comparison {
        self.model.set_epoch(epoch, epochs);
        for (number, &(layer, _)) in self.places.iter().enumerate() {
            let block = &self.image.blocks[number];
            let kind = &self.image.network.populations[block.population as usize].kind;
            let PopulationKind::Layer { schedule: Some(schedule), .. } = kind else { continue };
            let shift = schedule.shift_in(epoch, epochs);
            compare(
                &format!("shift of layer {layer} in epoch {epoch} of {epochs}"),
                &[shift],
                &[self.model.layers[layer].shift],
            )?;
            assert!(self.machine.write(number as u32, "shift", &[shift]), "a layer that learns has a shift");
        }
        Ok(())
    }

    /// Writes running means and biases that only a long run comes to, the same ones into chip and model: means at the
    /// bounds of homeostasis, and now and then a bias at the end of its range.
    fn age(&mut self, seed: u64) {
        let mut random = SplitMix64::new(seed);
        let window = self.model.window as i32;
        for (number, &(layer, at)) in self.places.iter().enumerate() {
            let one = self.model.layers[layer].one as u32;
            let block = &mut self.model.layers[layer].blocks[at];
            let mean = |random: &mut SplitMix64| {
                let bound = [0, 82 * window, 3300 * window, 4096 * window][random.below(4) as usize];
                // A sample moves a mean by up to 8 a step of the window.
                bound + random.below(40 * window as u32) as i32 - 20 * window
            };
            let bias = |random: &mut SplitMix64| match random.below(100) {
                0 => i32::MAX - random.below(2) as i32,
                1 => i32::MIN + random.below(2) as i32,
                _ => random.below(one / 2) as i32 - one as i32 / 4,
            };
            let biases: Vec<i32> = (0..block.neurons).map(|_| bias(&mut random)).collect();
            block.bias = biases.iter().map(|&bias| i64::from(bias)).collect();
            assert!(self.machine.write(number as u32, "bias", &biases), "a layer has biases");
            if self.model.layers[layer].learning.as_ref().is_some_and(|rule| rule.revive) {
                let block = &mut self.model.layers[layer].blocks[at];
                let means: Vec<i32> = (0..block.neurons).map(|_| mean(&mut random)).collect();
                block.mean_count = means.iter().map(|&mean| i64::from(mean)).collect();
                assert!(self.machine.write(number as u32, "mean_count", &means), "a layer that revives has means");
            }
        }
    }

    /// What the host sends for a sample.
    fn host_steps(&self, sample: &Sample) -> Vec<HostStep> {
        let window = self.model.window;
        let words = (self.image.host_inputs[self.input].route.indices as usize).div_ceil(64);
        let pack = |spikes: &Vec<bool>| {
            let mut bits = vec![0u64; words];
            for (k, _) in spikes.iter().enumerate().filter(|(_, spikes)| **spikes) {
                bits[k / 64] |= 1 << (k % 64);
            }
            bits
        };
        let shown = model::encode(&sample.pixels, window);
        let mut steps: Vec<HostStep> =
            shown.iter().map(|spikes| HostStep { spikes: Some(pack(spikes)), ..HostStep::default() }).collect();
        let slot = if sample.learn { sample.class as u16 } else { 0 };
        steps[0].tag = Some(Tag { target: false, learn: sample.learn, slot, ..Tag::default() }.payload());
        if sample.learn {
            let first = steps.len();
            steps.resize(2 * first, HostStep { class: Some(sample.class as u32), ..HostStep::default() });
            steps[first].tag = Some(Tag { target: true, learn: true, slot, ..Tag::default() }.payload());
        }
        steps
    }

    /// Runs steps of the chip at once.
    fn run(&mut self, steps: &[HostStep]) -> Comparison {
        let (tag, target, input) = (self.tag, self.target, self.input);
        let outputs = self.machine.run(steps.len(), |inputs| {
            for (at, step) in steps.iter().enumerate() {
                if let Some(payload) = step.tag {
                    inputs.send(tag, at, 0, payload);
                }
                if let Some(class) = step.class {
                    inputs.send(target, at, class, 1);
                }
                if let Some(spikes) = &step.spikes {
                    inputs.spikes(input, at, spikes);
                }
            }
        });
        let outputs = outputs.map_err(|fault| format!("the chip stopped: {fault}"))?;
        self.answers.extend(outputs.iter().map(|output| output.payload));
        Ok(())
    }

    /// Runs the chip until nothing is under way.
    fn rest(&mut self) -> Comparison {
        let mut steps = 0;
        while self.machine.is_busy() {
            if steps > self.model.layers.len() + 2 {
                return Err(format!("the chip is still busy {steps} steps after the host is done"));
            }
            self.run(&[HostStep::default()])?;
            steps += 1;
        }
        Ok(())
    }

    /// The model's turn with a sample.
    fn show_model(&mut self, sample: &Sample) {
        if sample.learn {
            self.model.learn(&sample.pixels, sample.class);
        } else {
            let answer = self.model.infer(&sample.pixels);
            self.expected_answers.push(answer as i32);
        }
        for (number, &(layer, at)) in self.places.iter().enumerate() {
            let steps = &self.model.layers[layer].blocks[at].steps;
            self.spikes[number] += steps.iter().flat_map(|step| &step.spikes).filter(|&&spike| spike).count() as u64;
        }
    }

    /// Shows samples to both and compares.
    fn show(&mut self, samples: &[Sample], pace: Pace) -> Comparison {
        let mut stream = Vec::new();
        for (number, sample) in samples.iter().enumerate() {
            self.show_model(sample);
            let steps = self.host_steps(sample);
            let of_sample = |what: String| format!("sample {number}: {what}");
            match pace {
                Pace::Steps => self.step_by_step(&steps, sample).map_err(of_sample)?,
                Pace::Samples(chunk) => {
                    for steps in steps.chunks(chunk) {
                        self.run(steps).map_err(of_sample)?;
                    }
                    self.rest()?;
                }
                Pace::Stream(_) => {
                    stream.extend(steps);
                    continue;
                }
            }
            self.compare(sample.learn).map_err(of_sample)?;
        }
        if let Pace::Stream(chunk) = pace {
            for steps in stream.chunks(chunk) {
                self.run(steps)?;
            }
            self.rest()?;
            self.compare(samples.last().is_none_or(|sample| sample.learn))?;
        }
        Ok(())
    }

    /// Everything at rest: memories, answers, spikes sent.
    fn compare(&mut self, learned: bool) -> Comparison {
        compare_state(&mut self.machine, &self.places, &self.model, learned)?;
        compare(
            "answers",
            &self.answers,
            &self.expected_answers.iter().map(|&class| i64::from(class)).collect::<Vec<_>>(),
        )?;
        let counters = self.machine.counters();
        for (number, &spikes) in self.spikes.iter().enumerate() {
            let sent = counters.blocks[number].packets[0];
            if sent != spikes {
                return Err(format!("block {number} sent {sent} spikes on the chip, {spikes} in the model"));
            }
        }
        Ok(())
    }

    /// A sample, the chip's steps one by one: membranes and counts, and with them the spikes, after each.
    fn step_by_step(&mut self, steps: &[HostStep], sample: &Sample) -> Comparison {
        for at in 0..steps.len() + self.model.layers.len() + 2 {
            self.run(&[steps.get(at).cloned().unwrap_or_default()])?;
            for number in 0..self.places.len() {
                let (layer, block) = self.places[number];
                // What the host sends in a step the first layer consumes in the next, and so on.
                let Some(position) = at.checked_sub(1 + layer) else { continue };
                self.compare_step(number, &self.model.layers[layer].blocks[block].steps.clone(), position, sample)
                    .map_err(|what| format!("step {position} of layer {layer}: {what}"))?;
            }
        }
        self.rest()
    }

    fn compare_step(&mut self, number: usize, steps: &[model::Step], position: usize, sample: &Sample) -> Comparison {
        let Some(step) = steps.get(position) else { return Ok(()) };
        let mut read = |name| self.machine.read(number as u32, name).unwrap_or_default();
        compare(&format!("`membrane` of block {number}"), &read("membrane"), &step.membrane)?;
        let window = self.model.window as usize;
        let of_window = &steps[position / window * window..=position];
        let neurons = step.spikes.len();
        let counts: Vec<i64> =
            (0..neurons).map(|i| of_window.iter().filter(|step| step.spikes[i]).count() as i64).collect();
        let found = if position < window {
            read("count")
        } else {
            read("target_count")[sample.class * neurons..][..neurons].to_vec()
        };
        compare(&format!("counts of block {number}"), &found, &counts)
    }
}

fn samples(of: &Samples, order: impl IntoIterator<Item = u32>, learn: bool) -> Vec<Sample> {
    let sample = |at: u32| {
        let at = at as usize;
        Sample { pixels: of.pixels(at).to_vec(), class: usize::from(of.label(at)), learn }
    };
    order.into_iter().map(sample).collect()
}

fn program(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// 200 samples are learned in four epochs, then the classes of 100 others are inferred.
fn real_network(name: &str, data: &Dataset, timing: bool) {
    let (text, seed) = (program(name), 20_250_104);
    let chip = Chip::builtin("middle").expect("a built-in chip");
    let image = compiled(name, &text, chip, 3);
    let mut pair = Pair::new(&described(name, &text), image, Options { seed, timing, threads: 2 });
    let order = SampleOrder::new(seed).epoch(data.train.len() as u32, 0);
    let learned = samples(&data.train, order.into_iter().take(200), true);
    let inferred = samples(&data.test, 0..100, false);
    let before: Vec<_> = pair.model.layers.iter().map(|layer| layer.blocks[0].weights.clone()).collect();
    let result = (|| {
        for (epoch, samples) in learned.chunks(50).enumerate() {
            pair.set_epoch(epoch as u32, 4)?;
            let (first, rest) = samples.split_at(5);
            pair.show(first, Pace::Steps)?;
            pair.show(rest, Pace::Samples(1000))?;
        }
        pair.show(&inferred[..5], Pace::Steps)?;
        pair.show(&inferred[5..], Pace::Stream(100))
    })();
    result.unwrap_or_else(|what: String| panic!("{name}: {what}"));
    for (layer, before) in pair.model.layers.iter().zip(before) {
        assert_ne!(layer.blocks[0].weights, before, "all layers have learned");
    }
    // A network that has learned something: by chance 10 of 100 are right.
    let right = pair.answers.iter().zip(&inferred).filter(|(answer, sample)| **answer == sample.class as i32).count();
    println!("{name}: {right} of {} right after {} samples", inferred.len(), learned.len());
    assert!(right > 30, "{name}: {right} of {} right", inferred.len());
}

#[test]
fn digits() {
    real_network("digits.sp", &Dataset::load("digits").expect("built-in data"), true);
}

#[test]
fn mnist() {
    let folder = match std::env::var_os("ONWARD_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mnist"),
    };
    if !folder.is_dir() {
        eprintln!("SKIPPED: no MNIST in {}; set ONWARD_DATA to its folder", folder.display());
        return;
    }
    let data = Dataset::load(&folder.to_string_lossy()).unwrap_or_else(|error| panic!("{error}"));
    real_network("mnist.sp", &data, false);
}

/// The training loop that people use: epochs, shuffled, tested after each.
#[test]
fn training_run() {
    train_as_the_model_does(&program("digits.sp"));
}

/// The same with weights of 4 bits, by the rules that these learn best by; the last batch stays unfinished.
#[test]
fn training_run_in_batches() {
    let text = program("digits.sp");
    let with = |options: &str| {
        let coarse = text.replace("bits = 16", "bits = 4").replace("hinge {", &format!("hinge {{ {options},"));
        assert!(coarse.contains("bits = 4") && coarse.contains(options), "the program has such weights and a hinge");
        train_as_the_model_does(&coarse);
    };
    with("batch = 7");
    with("rounding = carried");
    with("rounding = carried, batch = 32");
}

fn train_as_the_model_does(text: &str) {
    let (seed, epochs) = (11, 3);
    let digits = Dataset::load("digits").expect("built-in data");
    let first = |of: &Samples, count: usize| {
        let pixels = (0..count).flat_map(|at| of.pixels(at).to_vec()).collect();
        Samples::new(pixels, (0..count).map(|at| of.label(at)).collect(), of.pixels(0).len())
    };
    let data = Dataset { train: first(&digits.train, 157), test: first(&digits.test, 61), ..digits };
    let image = compiled("digits.sp", text, Chip::builtin("small").expect("a built-in chip"), 4);
    let mut session = Session::new(&image, Options { seed, timing: false, threads: 2 }).expect("a machine");
    let proceed = |_| ControlFlow::Continue(());
    let report = onward_run::train(&mut session, &image, &data, epochs, seed, proceed, |_| {}).expect("a run");

    let mut model = modelled(&described("digits.sp", text), &image, seed);
    for (epoch, report) in (0..epochs).zip(&report.epochs) {
        model.set_epoch(epoch, epochs);
        for at in SampleOrder::new(seed).epoch(data.train.len() as u32, epoch) {
            model.learn(data.train.pixels(at as usize), usize::from(data.train.label(at as usize)));
        }
        let answers = (0..data.test.len()).map(|at| model.infer(data.test.pixels(at)));
        let right = answers.enumerate().filter(|&(at, class)| usize::from(data.test.label(at)) == class).count();
        assert_eq!((report.tested(), report.right()), (data.test.len(), right), "epoch {epoch}");
    }
    assert_eq!(report.epochs.len(), epochs as usize);
    compare_state(session.machine_mut(), &places(&image), &model, false).unwrap_or_else(|what| panic!("{what}"));
    let answers = session.infer(&data.test, data.test.len(), |_| ControlFlow::Continue(())).expect("answers");
    let expected: Vec<u16> = (0..data.test.len()).map(|at| model.infer(data.test.pixels(at)) as u16).collect();
    assert_eq!(answers, expected);
}

/// The host's encoder and the model's make the same spikes of every brightness, in every window there can be.
#[test]
fn encoding() {
    let pixels: Vec<u8> = (0..=255).collect();
    for window in (0..=8).map(|power| 1u32 << power) {
        let mut packed = vec![0; 4 * window as usize];
        RateEncoder::new(window).encode(&pixels, &mut packed, 4);
        let steps =
            packed.chunks(4).map(|words| (0..256).map(|k| words[k / 64] >> (k % 64) & 1 == 1).collect::<Vec<_>>());
        assert_eq!(steps.collect::<Vec<_>>(), model::encode(&pixels, i64::from(window)), "window {window}");
    }
}

/// A random network, on a random chip, shown random samples.
#[derive(Clone, Debug)]
struct Case {
    text: String,
    network: model::Network,
    chip: Chip,
    samples: Vec<Sample>,
    epochs: usize,
    pace: Pace,
    options: Options,
    weight_seed: u64,
    /// Whether it begins as an old network, and with which numbers; see [`Pair::age`].
    age_seed: Option<u64>,
}

impl Case {
    fn check(&self) -> Comparison {
        let source = Source::new("case.sp", &self.text);
        let image = match compile(&source, &onward_compile::Options::new(self.chip.clone(), self.weight_seed)) {
            Ok(image) => image,
            // A low rate, many fraction bits and a long window may come together.
            Err(errors) if errors.iter().all(|error| error.message.contains("learns too slowly for 32 bits")) => {
                return Ok(());
            }
            Err(errors) => panic!("{}", source.render(&errors)),
        };
        let mut pair = Pair::new(&self.network, image, self.options);
        if let Some(seed) = self.age_seed {
            pair.age(seed);
        }
        let epochs: Vec<_> = self.samples.chunks(self.samples.len().div_ceil(self.epochs)).collect();
        for (epoch, samples) in epochs.iter().enumerate() {
            pair.set_epoch(epoch as u32, epochs.len() as u32)?;
            pair.show(samples, self.pace).map_err(|what| format!("epoch {epoch}: {what}"))?;
        }
        Ok(())
    }
}

fn chip() -> impl Strategy<Value = Chip> {
    let name = prop::sample::select(vec!["small", "middle", "middle-8-lanes"]);
    (name, prop::sample::select(vec![64u16, 128, 256]), prop::sample::select(vec![4u16, 16, 64])).prop_map(
        |(name, vector_length, lanes)| {
            let mut chip = Chip::builtin(name).expect("a built-in chip");
            chip.core.vector_length = vector_length;
            chip.core.lanes = lanes;
            // Room for many classes: that a network fits is not the question here.
            chip.memory.neuron_bytes = 1 << 20;
            chip.memory.axon_bytes = 1 << 20;
            chip.memory.axons = 1 << 14;
            chip.memory.instruction_words = 1 << 14;
            chip
        },
    )
}

fn rule() -> impl Strategy<Value = model::Rule> {
    let margin = prop::sample::select(vec![0.0, 0.05, 0.3, 1.0, 10.0]);
    let loss = prop_oneof![
        4 => margin.clone().prop_map(model::Loss::Hinge),
        2 => prop::sample::select(vec![0.001, 0.03, 0.1, 1.0, 100.0]).prop_map(model::Loss::Softmax),
        2 => margin.prop_map(model::Loss::SquaredError),
        1 => Just(model::Loss::Hebbian),
    ];
    let fall = prop_oneof![
        (0u32..=4).prop_map(model::Fall::Evenly),
        prop::collection::vec(1u32..=4, 1..=3).prop_map(|mut epochs| {
            epochs.sort_unstable();
            model::Fall::In(epochs)
        }),
    ];
    let signal = prop::sample::select(vec![
        model::Signal::Surrogate,
        model::Signal::Surrogate,
        model::Signal::Voltage,
        model::Signal::Count,
    ]);
    let optimizer = prop_oneof![
        2 => Just(model::Optimizer::Plain),
        1 => (1u32..=8).prop_map(model::Optimizer::Momentum),
        1 => (1u32..=15).prop_map(model::Optimizer::Adaptive),
    ];
    let weight_decay = prop::option::weighted(0.3, 1u32..=24);
    let (revive, carries) = (prop::bool::weighted(0.8), prop::bool::weighted(0.3));
    let batch = prop_oneof![2 => Just(1usize), 1 => 2usize..=5, 1 => Just(32usize)];
    (loss, 0u32..=12, fall, signal, optimizer, weight_decay, revive, carries, batch).prop_map(
        |(loss, rate, fall, signal, optimizer, weight_decay, revive, carries, batch)| model::Rule {
            loss,
            rate,
            fall,
            signal,
            optimizer,
            weight_decay,
            revive,
            spread: false,
            batch: match (loss, optimizer, signal) {
                (_, _, model::Signal::Voltage) => 1,
                (model::Loss::Hinge(_), model::Optimizer::Plain, _) => batch,
                _ => 1,
            },
            // A velocity has a remainder of its own.
            carries: carries && !matches!(optimizer, model::Optimizer::Momentum(_)),
        },
    )
}

/// A layer; the highest gains make nearly all weights the largest there are.
fn layer() -> impl Strategy<Value = model::Layer> {
    let sizes = prop_oneof![(1usize..=12, 1usize..=12), (60usize..=140, 20usize..=64)];
    let threshold = prop::sample::select(vec![0.001, 0.3, 1.0, 1.0, 1.0, 2.7]);
    let gain = prop::sample::select(vec![0.5, 1.0, 1.0, 2.0, 30.0]);
    let learning = prop_oneof![9 => rule().prop_map(Some), 1 => Just(None)];
    let fraction = prop_oneof![2 => Just(None), 1 => (0u32..=15).prop_map(Some)];
    (sizes, prop::sample::select(vec![4u32, 8, 16]), threshold, gain, fraction, learning).prop_map(
        |((neurons, block), weight_bits, threshold, gain, fraction, learning)| {
            let block = block.min(neurons);
            model::Layer { neurons, block, weight_bits, gain, fraction, threshold, learning }
        },
    )
}

fn rule_text(rule: &model::Rule) -> String {
    let loss = match rule.loss {
        model::Loss::Hinge(margin) => format!("hinge {{ margin = {margin:?},"),
        model::Loss::Softmax(temperature) => format!("softmax {{ temperature = {temperature:?},"),
        model::Loss::SquaredError(margin) => format!("squared_error {{ margin = {margin:?},"),
        model::Loss::Hebbian => "hebbian {".to_owned(),
    };
    let fall = match &rule.fall {
        model::Fall::Evenly(times) => format!("anneal = {times}"),
        model::Fall::In(epochs) => {
            format!("shifts = ({})", epochs.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
        }
    };
    let gate = match rule.signal {
        model::Signal::Surrogate => "surrogate",
        model::Signal::Voltage => "voltage",
        model::Signal::Count => "none",
    };
    let optimizer = match rule.optimizer {
        model::Optimizer::Plain => "plain".to_owned(),
        model::Optimizer::Momentum(decay) => format!("momentum {{ decay = {decay} }}"),
        model::Optimizer::Adaptive(decay) => format!("adaptive {{ decay = {decay} }}"),
    };
    let decay = rule.weight_decay.map_or(String::new(), |bits| format!(", weight_decay = {bits}"));
    let revive = if rule.revive { "homeostasis" } else { "none" };
    let rounding = if rule.carries { ", rounding = carried" } else { "" };
    let batch = if rule.batch > 1 { format!(", batch = {}", rule.batch) } else { String::new() };
    format!(
        "{loss} rate = {}, {fall}, gate = {gate}, optimizer = {optimizer}{decay}, revive = {revive}{rounding}{batch} }}",
        rule.rate
    )
}

fn text(network: &model::Network, shape: &str) -> String {
    let mut text = format!(
        "network case {{\n    window = {}\n    input pixels = rate({shape})\n    target class = classes({})\n",
        network.window, network.classes
    );
    let mut from = "pixels, class".to_owned();
    for (number, layer) in network.layers.iter().enumerate() {
        let learning = match &layer.learning {
            None => "none".to_owned(),
            Some(rule) => rule_text(rule),
        };
        let fraction = layer.fraction.map(|fraction| format!(", fraction = {fraction}")).unwrap_or_default();
        text += &format!(
            "    layer hidden{number} = dense({}) from {from} {{\n        block = {}, learning = {learning},\n        \
             weights = fixed {{ bits = {}, gain = {:?}{fraction} }}, neurons = integrate_and_fire {{ threshold = {:?} }}\n    }}\n",
            layer.neurons, layer.block, layer.weight_bits, layer.gain, layer.threshold
        );
        from = format!("hidden{number}");
    }
    text + &format!("    readout answer = nearest_target from {from}\n}}\n")
}

fn pixel() -> impl Strategy<Value = u8> {
    prop_oneof![2 => Just(0u8), 1 => Just(255u8), 3 => any::<u8>()]
}

fn case() -> impl Strategy<Value = Case> {
    let shape = prop_oneof![
        (1usize..=20).prop_map(|a| vec![a]),
        (1usize..=15, 1usize..=20).prop_map(|(a, b)| vec![a, b]),
        (1usize..=3, 1usize..=5, 1usize..=5).prop_map(|(a, b, c)| vec![a, b, c]),
    ];
    let classes = prop_oneof![4 => 2usize..=6, 1 => 7usize..=64];
    let window = prop::sample::select(vec![1usize, 2, 4, 8, 16]);
    let network = (shape, classes, window, prop::collection::vec(layer(), 1..=3));
    let pace =
        prop_oneof![Just(Pace::Steps), (1usize..40).prop_map(Pace::Samples), (1usize..80).prop_map(Pace::Stream),];
    let options =
        (any::<u64>(), any::<bool>(), 1usize..=2).prop_map(|(seed, timing, threads)| Options { seed, timing, threads });
    let whole = (network, chip(), pace, options, any::<u64>(), any::<Option<u64>>(), 1usize..=3);
    whole.prop_flat_map(|((shape, classes, window, layers), chip, pace, options, weight_seed, age_seed, epochs)| {
        let inputs = shape.iter().product();
        let network = model::Network { inputs, classes, window, layers };
        let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let text = text(&network, &shape);
        let sample = (prop::collection::vec(pixel(), inputs), 0..classes, prop::bool::weighted(0.8))
            .prop_map(|(pixels, class, learn)| Sample { pixels, class, learn });
        prop::collection::vec(sample, 5..=10).prop_map(move |samples| Case {
            text: text.clone(),
            network: network.clone(),
            chip: chip.clone(),
            samples,
            epochs,
            pace,
            options,
            weight_seed,
            age_seed,
        })
    })
}

/// 200 cases, unless `PROPTEST_CASES` says otherwise.
fn config() -> ProptestConfig {
    let given = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if given { config } else { ProptestConfig { cases: 200, ..config } }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_networks(case in case()) {
        case.check().map_err(TestCaseError::fail)?;
    }
}
