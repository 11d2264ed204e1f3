//! The emulated chip against the plain integer model: whole networks, compiled from text, learn and infer; every number
//! that both hold is equal, to the bit, at the latest after every sample.

mod common;

use common::{Comparison, compiled, modelled, parsed, places, same, same_arrays};
use onward_chip::Chip;
use onward_compile::compile;
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, Options};
use onward_image::{BlockIndex, HostInputKind, Image, PopulationKind, Tag};
use onward_net::{
    Encoding, Gate, Initial, Input, Layer, LayerKind, Learning, Loss, Network, Neuron, Node, Optimizer, RateSchedule,
    Readout, ReadoutKind, Rounding, Rule, Target, TargetKind, TargetPath, Update, Values, Weights, When,
};
use onward_run::Session;
use onward_run::data::{Dataset, RateEncoder, SampleOrder, Samples, SplitMix64};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use testbench::model::{Model, Moment, Step, encode, spikes};

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
    model: Model<i64>,
    /// Layer, and block within it, by logical number of the block.
    places: Vec<(usize, usize)>,
    /// Numbers of the host's inputs.
    tag: usize,
    /// Where targets are shown in windows of their own.
    target: Option<usize>,
    input: usize,
    /// Classes that reached the host.
    answers: Vec<i64>,
    /// Classes the model answered.
    expected_answers: Vec<i64>,
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

/// Compares all that blocks hold. Voltages and traces only if the last sample was learned: else the chip keeps none.
fn compare_state(machine: &dyn Engine, places: &[(usize, usize)], model: &Model<i64>, learned: bool) -> Comparison {
    for (number, &(layer_number, at)) in places.iter().enumerate() {
        let layer = &model.layers[layer_number];
        let rule = layer.rule.as_ref();
        let has = |what: fn(&Rule) -> bool| rule.is_some_and(what);
        let [gated, of_voltage] =
            [Gate::Surrogate, Gate::Voltage].map(|gate| rule.is_some_and(|rule| rule.gate == gate));
        let direct = has(Rule::is_direct);
        let (learns, deep) = (rule.is_some(), !layer.fed_by_target && !direct);
        let arrays = [
            ("weights", true),
            ("target_weights", layer.fed_by_target),
            ("rate", direct),
            ("table", direct),
            ("bias", true),
            ("membrane", true),
            ("count", true),
            ("target_count", !direct),
            ("scores", true),
            ("mean_count", has(|rule| rule.revive)),
            // Where scores are of voltages, each window begins its sum anew; what is kept of it is the potential.
            ("voltage", gated || of_voltage),
            ("potential", of_voltage),
            ("target_potential", of_voltage && !direct),
            ("class_weights", has(|rule| matches!(rule.loss, Loss::Softmax { .. } | Loss::Contrastive { .. }))),
            ("mean_square", has(|rule| matches!(rule.optimizer, Optimizer::Adaptive { .. }))),
            ("remainder", has(|rule| rule.rounding == Rounding::Carried)),
            ("velocity", has(|rule| matches!(rule.optimizer, Optimizer::Momentum { .. }))),
            ("target_voltage", gated && deep),
            ("trace", learns),
            ("target_trace", learns && deep),
        ];
        let but: &[&str] = match (learned, of_voltage) {
            (true, false) => &[],
            (true, true) => &["voltage"],
            (false, _) => &["voltage", "trace"],
        };
        same_arrays(machine, model, [number, layer_number, at], &arrays, but)?;
    }
    Ok(())
}

fn in_64_bits(values: &[i32]) -> Vec<i64> {
    values.iter().map(|&value| value.into()).collect()
}

impl Pair {
    /// `seed` is the run's; weights were drawn with the compiler's.
    fn new(network: &Network, image: Image, options: Options) -> Pair {
        let find = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input of this kind");
        let places = places(&image);
        let machine = Machine::new(&image, options).unwrap_or_else(|error| panic!("{error}"));
        Pair {
            model: modelled(network, &image, &machine, options.seed),
            machine,
            tag: find(HostInputKind::Tag),
            target: image.host_input(HostInputKind::Target),
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
            let block = &self.image.blocks[BlockIndex::from(number)];
            let kind = &self.image.network.populations[block.population].kind;
            let PopulationKind::Layer { schedule: Some(schedule), .. } = kind else { continue };
            let shift = schedule.shift_in(epoch, epochs);
            let what = format!("shift of layer {layer} in epoch {epoch} of {epochs}");
            same(&what, &[shift.into()], &[self.model.layers[layer].shift])?;
            assert!(self.machine.write(number.into(), "shift", &[shift]), "a layer that learns has a shift");
        }
        Ok(())
    }

    /// Writes running means and biases that only a long run comes to, the same ones into chip and model: means at the
    /// bounds of homeostasis, and now and then a bias at the end of its range.
    fn age(&mut self, seed: u64) {
        let mut random = SplitMix64::new(seed);
        let window = self.model.window as i32;
        for (number, &(layer, at)) in self.places.iter().enumerate() {
            let one = self.model.layers[layer].one() as u32;
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
            let biases: Vec<i32> = (0..block.members.len()).map(|_| bias(&mut random)).collect();
            block.bias = biases.iter().map(|&bias| i64::from(bias)).collect();
            assert!(self.machine.write(number.into(), "bias", &biases), "a layer has biases");
            if self.model.layers[layer].rule.as_ref().is_some_and(|rule| rule.revive) {
                let block = &mut self.model.layers[layer].blocks[at];
                let means: Vec<i32> = (0..block.members.len()).map(|_| mean(&mut random)).collect();
                block.mean_count = means.iter().map(|&mean| i64::from(mean)).collect();
                assert!(self.machine.write(number.into(), "mean_count", &means), "a layer that revives has means");
            }
        }
    }

    /// What the host sends for a sample.
    fn host_steps(&self, sample: &Sample) -> Vec<HostStep> {
        let window = self.model.window;
        let words = (self.image.host_inputs[self.input].route.indices as usize).div_ceil(64);
        let packed = |spikes: Step<i64>| {
            let mut bits = vec![0u64; words];
            spikes.iter().for_each(|spike| bits[spike.place / 64] |= 1 << (spike.place % 64));
            HostStep { spikes: Some(bits), ..HostStep::default() }
        };
        let mut steps: Vec<HostStep> = encode(&sample.pixels, window).into_iter().map(packed).collect();
        let slot = if sample.learn { sample.class as u16 } else { 0 };
        steps[0].tag = Some(Tag { target: false, learn: sample.learn, slot, ..Tag::default() }.payload());
        if sample.learn && self.target.is_some() {
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
                if let (Some(class), Some(target)) = (step.class, target) {
                    inputs.send(target, at, class, 1);
                }
                if let Some(spikes) = &step.spikes {
                    inputs.spikes(input, at, spikes);
                }
            }
        });
        let outputs = outputs.map_err(|fault| format!("the chip stopped: {fault}"))?;
        self.answers.extend(outputs.iter().map(|output| i64::from(output.payload)));
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
        let shown = encode(&sample.pixels, self.model.window);
        if sample.learn {
            self.model.learn(&shown, sample.class, None, false);
        } else {
            self.expected_answers.push(self.model.infer(&shown, false) as i64);
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
        compare_state(&self.machine, &self.places, &self.model, learned)?;
        same("answers", &self.answers, &self.expected_answers)?;
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
                self.compare_step(
                    (number, layer),
                    &self.model.layers[layer].blocks[block].steps.clone(),
                    position,
                    sample,
                )
                .map_err(|what| format!("step {position} of layer {layer}: {what}"))?;
            }
        }
        self.rest()
    }

    fn compare_step(
        &mut self,
        (number, layer): (usize, usize),
        steps: &[Moment<i64>],
        position: usize,
        sample: &Sample,
    ) -> Comparison {
        let Some(step) = steps.get(position) else { return Ok(()) };
        let mut read = |name| in_64_bits(&self.machine.read(number.into(), name).unwrap_or_default());
        same(&format!("`membrane` of block {number}"), &read("membrane"), &step.membrane)?;
        let window = self.model.window as usize;
        let of_window = &steps[position / window * window..=position];
        let neurons = step.spikes.len();
        let counts: Vec<i64> =
            (0..neurons).map(|i| of_window.iter().filter(|step| step.spikes[i]).count() as i64).collect();
        let found = if position < window || self.model.layers[layer].blocks[0].table.is_some() {
            read("count")
        } else {
            read("target_count")[sample.class * neurons..][..neurons].to_vec()
        };
        same(&format!("counts of block {number}"), &found, &counts)
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
    let image = compiled(&text, chip, 3);
    let mut pair = Pair::new(&parsed(&text), image, Options { seed, timing, threads: 2 });
    let order = SampleOrder::new(seed).epoch(data.train.len() as u32, 0);
    let learned = samples(&data.train, order.into_iter().take(200), true);
    let inferred = samples(&data.test, 0..100, false);
    let before: Vec<_> = pair.model.layers.iter().map(|layer| layer.learned().clone()).collect();
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
        assert_ne!(*layer.learned(), before, "all layers have learned");
    }
    // A network that has learned something: by chance 10 of 100 are right.
    let right = pair.answers.iter().zip(&inferred).filter(|(answer, sample)| **answer == sample.class as i64).count();
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
        let coarse = text.replace("bits   = 16", "bits   = 4").replace("hinge {", &format!("hinge {{ {options},"));
        assert!(coarse.contains("bits   = 4") && coarse.contains(options), "the program has such weights and a hinge");
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
    let image = compiled(text, Chip::builtin("small").expect("a built-in chip"), 4);
    let mut session = Session::new(&image, Options { seed, timing: false, threads: 2 }).expect("a machine");
    let mut model = modelled(&parsed(text), &image, session.machine(), seed);
    let proceed = |_| ControlFlow::Continue(());
    let report = onward_run::train(&mut session, &image, &data, epochs, seed, proceed, |_| {}).expect("a run");

    for (epoch, report) in (0..epochs).zip(&report.epochs) {
        model.set_epoch(epoch, epochs);
        for at in SampleOrder::new(seed).epoch(data.train.len() as u32, epoch) {
            let shown = encode(data.train.pixels(at as usize), model.window);
            model.learn(&shown, data.train.label(at as usize).into(), None, false);
        }
        let is_right = |&at: &usize| {
            model.infer(&encode(data.test.pixels(at), model.window), false) == usize::from(data.test.label(at))
        };
        let right = (0..data.test.len()).filter(is_right).count();
        assert_eq!((report.tested(), report.right()), (data.test.len(), right), "epoch {epoch}");
    }
    assert_eq!(report.epochs.len(), epochs as usize);
    compare_state(session.machine(), &places(&image), &model, false).unwrap_or_else(|what| panic!("{what}"));
    let answers = session.infer(&data.test, data.test.len(), |_| ControlFlow::Continue(())).expect("answers");
    let expected: Vec<u16> =
        (0..data.test.len()).map(|at| model.infer(&encode(data.test.pixels(at), model.window), false) as u16).collect();
    assert_eq!(answers, expected);
}

/// The host's encoder and the model's make the same spikes of every brightness, in every window there can be.
#[test]
fn encoding() {
    let pixels: Vec<u8> = (0..=255).collect();
    for window in 1..=256 {
        let mut packed = vec![0; 4 * window as usize];
        RateEncoder::new(window).encode(&pixels, &mut packed, 4);
        let steps = packed
            .chunks(4)
            .map(|words| spikes(&(0..256).filter(|k| words[k / 64] >> (k % 64) & 1 == 1).collect::<Vec<usize>>()));
        assert_eq!(steps.collect::<Vec<Step<i64>>>(), encode(&pixels, window.into()), "window {window}");
    }
}

/// A random network, on a random chip, shown random samples.
#[derive(Clone, Debug)]
struct Case {
    text: String,
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
        let mut pair = Pair::new(&parsed(&self.text), image, self.options);
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

fn rule() -> impl Strategy<Value = Rule> {
    let margin = prop::sample::select(vec![0.0, 0.05, 0.3, 1.0, 10.0]);
    let loss = prop_oneof![
        4 => margin.clone().prop_map(|margin| Loss::Hinge { margin }),
        2 => prop::sample::select(vec![0.001, 0.03, 0.1, 1.0, 100.0])
            .prop_map(|temperature| Loss::Softmax { temperature }),
        2 => margin.clone().prop_map(|margin| Loss::SquaredError { margin }),
        2 => margin.prop_map(|margin| Loss::Contrastive { margin }),
        1 => Just(Loss::Hebbian),
    ];
    let schedule = prop_oneof![
        (0u32..=4).prop_map(RateSchedule::Anneal),
        prop::collection::vec(1u32..=4, 1..=3).prop_map(|mut epochs| {
            epochs.sort_unstable();
            RateSchedule::Shifts(epochs)
        }),
    ];
    let gate = prop::sample::select(vec![Gate::Surrogate, Gate::Surrogate, Gate::Voltage, Gate::None]);
    let optimizer = prop_oneof![
        2 => Just(Optimizer::Plain),
        1 => (1u32..=8).prop_map(|decay| Optimizer::Momentum { decay }),
        1 => (1u32..=15).prop_map(|decay| Optimizer::Adaptive { decay }),
    ];
    let weight_decay = prop::option::weighted(0.3, 1u32..=24);
    let (revive, carries) = (prop::bool::weighted(0.8), prop::bool::weighted(0.3));
    let batch = prop_oneof![2 => Just(1u32), 1 => 2u32..=5, 1 => Just(32u32)];
    let target =
        prop_oneof![3 => Just(TargetPath::Stack), 1 => (1u32..=8).prop_map(|grid| TargetPath::Direct { grid })];
    (loss, 0u32..=12, schedule, gate, optimizer, weight_decay, revive, carries, (batch, target)).prop_map(
        |(loss, rate, schedule, gate, optimizer, weight_decay, revive, carries, (batch, target))| Rule {
            target,
            loss,
            rate,
            schedule,
            gate,
            optimizer,
            weight_decay,
            when: When::Window,
            revive,
            update: Update::AtOnce,
            batch: match (loss, optimizer, gate) {
                (_, _, Gate::Voltage) => 1,
                (Loss::Hinge { .. }, Optimizer::Plain, _) => batch,
                _ => 1,
            },
            rounding: if carries { Rounding::Carried } else { Rounding::Stochastic },
        },
    )
}

/// A layer; the highest gains make nearly all weights the largest there are.
fn layer() -> impl Strategy<Value = Layer> {
    let sizes = prop_oneof![(1u32..=12, 1u32..=12), (60u32..=140, 20u32..=64)];
    let threshold = prop::sample::select(vec![0.001, 0.3, 1.0, 1.0, 1.0, 2.7]);
    let gain = prop::sample::select(vec![0.5, 1.0, 1.0, 2.0, 30.0]);
    let learning = prop_oneof![9 => rule().prop_map(Learning::Rule), 1 => Just(Learning::None)];
    let fraction = prop_oneof![2 => Just(None), 1 => (0u32..=15).prop_map(Some)];
    (sizes, prop::sample::select(vec![4u32, 8, 16]), threshold, gain, fraction, learning).prop_map(
        |((neurons, block), bits, threshold, gain, fraction, learning)| Layer {
            name: String::new(),
            kind: LayerKind::Dense,
            shape: vec![neurons],
            recurrent: None,
            block: block.min(neurons),
            block_rows: None,
            cut_said: true,
            in_parts: false,
            stream: None,
            neuron: Neuron { threshold: Values::Constant(threshold), ..Neuron::default() },
            weights: Weights { bits, initial: Initial::Drawn { gain, fraction } },
            learning,
            span: 0..0,
        },
    )
}

fn network(shape: Vec<u32>, classes: u32, window_steps: u32, layers: Vec<Layer>) -> Network {
    let mut network = Network {
        name: "case".into(),
        data: None,
        epochs: 1,
        window_steps,
        augment: Vec::new(),
        graph: Default::default(),
    };
    let input = Input { name: "pixels".into(), shape, encoding: Encoding::Rate, span: 0..0 };
    let target = Target { name: "class".into(), kind: TargetKind::Classes, size: classes, span: 0..0 };
    let mut from = vec![network.add(Node::Input(input), &[]), network.add(Node::Target(target), &[])];
    for (number, layer) in layers.into_iter().enumerate() {
        from = vec![network.add(Node::Layer(Layer { name: format!("hidden{number}"), ..layer }), &from)];
    }
    let readout = Readout { name: "answer".into(), kind: ReadoutKind::NearestTarget, span: 0..0 };
    network.add(Node::Readout(readout), &from);
    network
}

fn pixel() -> impl Strategy<Value = u8> {
    prop_oneof![2 => Just(0u8), 1 => Just(255u8), 3 => any::<u8>()]
}

fn case() -> impl Strategy<Value = Case> {
    let shape = prop_oneof![
        (1u32..=20).prop_map(|a| vec![a]),
        (1u32..=15, 1u32..=20).prop_map(|(a, b)| vec![a, b]),
        (1u32..=3, 1u32..=5, 1u32..=5).prop_map(|(a, b, c)| vec![a, b, c]),
    ];
    let classes = prop_oneof![4 => 2u32..=6, 1 => 7u32..=64];
    let window = prop::sample::select(vec![1u32, 2, 3, 4, 7, 8, 13, 16]);
    let parts = (shape, classes, window, prop::collection::vec(layer(), 1..=3));
    let pace =
        prop_oneof![Just(Pace::Steps), (1usize..40).prop_map(Pace::Samples), (1usize..80).prop_map(Pace::Stream),];
    let options =
        (any::<u64>(), any::<bool>(), 1usize..=2).prop_map(|(seed, timing, threads)| Options { seed, timing, threads });
    let whole = (parts, chip(), pace, options, any::<u64>(), any::<Option<u64>>(), 1usize..=3);
    whole.prop_flat_map(|((shape, classes, window, layers), chip, pace, options, weight_seed, age_seed, epochs)| {
        let inputs = shape.iter().product::<u32>() as usize;
        let text = network(shape, classes, window, layers).to_string();
        let sample = (prop::collection::vec(pixel(), inputs), 0..classes as usize, prop::bool::weighted(0.8))
            .prop_map(|(pixels, class, learn)| Sample { pixels, class, learn });
        prop::collection::vec(sample, 5..=10).prop_map(move |samples| Case {
            text: text.clone(),
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
