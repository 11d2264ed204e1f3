//! Learning while the input is shown: random recurrent networks on the emulated chip against the composed model in integers, to
//! the bit, after every window.

mod common;

use common::{compiled, modelled, parsed, peek, places, same_arrays};
use onward_chip::Chip;
use onward_emulate::{Machine, Options};
use onward_image::{HostInputKind, Image, Tag};
use onward_run::data::SplitMix64;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use testbench::model::{Model, Step, spikes};

/// What a text says.
#[derive(Clone, Debug)]
struct Network {
    inputs: usize,
    classes: usize,
    window: usize,
    neurons: usize,
    block: usize,
    weight_bits: u32,
    threshold: f64,
    recurrent: bool,
    every: usize,
    memory: u32,
    rate: u32,
    margin: f64,
    gated: bool,
}

/// What is left of a quantity, as the text says it and as the model takes it.
#[derive(Clone, Debug)]
enum Left {
    None,
    Shift(u32),
    Factor(f64),
    Spread(f64, f64),
}

impl Left {
    fn text(&self) -> String {
        match self {
            Left::None => "none".into(),
            Left::Shift(bits) => format!("shift({bits})"),
            Left::Factor(part) => format!("factor({part:?})"),
            Left::Spread(least, most) => format!("spread({least:?}, {most:?})"),
        }
    }
}

/// A network, its neurons and its seed.
#[derive(Clone, Debug)]
struct Case {
    network: Network,
    leak: Left,
    current: Option<Left>,
    seed: u64,
}

/// A window that is shown.
#[derive(Clone, Debug)]
struct Shown {
    spikes: Vec<Step<i64>>,
    class: usize,
    learn: bool,
    continues: bool,
}

fn left() -> impl Strategy<Value = Left> {
    prop_oneof![
        Just(Left::None),
        (1u32..8).prop_map(Left::Shift),
        (0.0..1.0).prop_map(Left::Factor),
        (0.0..0.999, 0.0..0.999).prop_map(|(least, most)| Left::Spread(least, most)),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let sizes = (1usize..150, 2usize..5, 0u32..6, 1usize..50, 0.1f64..1.0);
    let weights = (prop_oneof![Just(16u32), Just(8), Just(4)], 0.5f64..2.0, any::<bool>());
    let rule = (0u32..6, 1u32..=6, 0u32..14, 0.0f64..1.0, any::<bool>());
    (sizes, weights, rule, left(), proptest::option::of(left()), 0u64..1000).prop_map(
        |(sizes, weights, rule, leak, current, seed)| {
            let ((inputs, classes, window, neurons, part), (weight_bits, threshold, recurrent)) = (sizes, weights);
            let (every, memory, rate, margin, gated) = rule;
            let network = Network {
                inputs,
                classes,
                window: 1 << window,
                neurons,
                block: ((neurons as f64 * part) as usize).clamp(1, neurons),
                weight_bits,
                threshold,
                recurrent,
                every: 1 << every.min(window),
                memory,
                rate,
                margin,
                gated,
            };
            Case { network, leak, current, seed }
        },
    )
}

impl Case {
    fn text(&self) -> String {
        let network = &self.network;
        let (weights, name) = (format!("fixed {{ bits = {} }}", network.weight_bits), "of_steps");
        let (kind, own) = match network.recurrent {
            true => ("recurrent", format!("recurrent_weights = {weights}, ")),
            false => ("dense", String::new()),
        };
        let neurons = match &self.current {
            Some(current) => format!("current_based {{ current = {}, ", current.text()),
            None => "leaky { ".into(),
        };
        format!(
            "network {name} {{\n window = {}\n weights = {weights}\n input axons = rate({})\n target class = classes({})\n \
             layer hidden = {kind}({}) from axons, class {{ {own}block = {},\n neurons = {neurons}leak = {}, threshold = {:?} \
             }},\n learning = hinge {{ rate = {}, margin = {:?}, every = {}, memory = {}, gate = {} }} }}\n readout answer = \
             nearest_target from hidden\n}}\n",
            network.window,
            network.inputs,
            network.classes,
            network.neurons,
            network.block,
            self.leak.text(),
            network.threshold,
            network.rate,
            network.margin,
            network.every,
            network.memory,
            if network.gated { "surrogate" } else { "none" },
        )
    }

    /// The model of an image. Where neurons differ in what is left of membranes and currents the image's own numbers are taken,
    /// which are at most one away from the formula's.
    fn model(&self, image: &Image, machine: &Machine) -> Result<Model<i64>, TestCaseError> {
        let mut model = modelled(&parsed(&self.text()), image, machine, self.seed);
        let neurons = &mut model.layers[0].neurons;
        for (left, name) in [(&mut neurons.leak, "leak"), (&mut neurons.current, "current_left")] {
            let Some(parts) = left else { continue };
            let found: Vec<i64> =
                (0..places(image).len()).filter_map(|number| peek(machine, number, name)).flatten().collect();
            if !found.is_empty() {
                prop_assert!(found.len() == parts.len() && parts.iter().zip(&found).all(|(a, b)| (a - b).abs() <= 1));
                *parts = found;
            }
        }
        Ok(model)
    }

    fn shown(&self, count: usize) -> Vec<Shown> {
        let mut random = SplitMix64::new(self.seed);
        let network = &self.network;
        let window = |at: usize| {
            // Some windows are busy, some nearly silent.
            let density = 1 + random.below(9);
            let mut step =
                || spikes(&(0..network.inputs).filter(|_| random.below(10) < density).collect::<Vec<usize>>());
            let spikes = (0..network.window).map(|_| step()).collect();
            let class = random.below(network.classes as u32) as usize;
            Shown { spikes, class, learn: random.below(4) > 0, continues: at > 0 && random.below(2) == 0 }
        };
        (0..count).map(window).collect()
    }
}

/// Runs a window, and its target's if it is learned from, until the chip rests; returns what reached the host.
fn run(machine: &mut Machine, image: &Image, case: &Case, shown: &Shown) -> Result<Vec<i32>, TestCaseError> {
    let find = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input of this kind");
    let (tag, target, input) = (find(HostInputKind::Tag), find(HostInputKind::Target), find(HostInputKind::Input));
    let window = shown.spikes.len();
    let slot = if shown.learn { shown.class as u16 } else { 0 };
    let opens = |target| Tag { target, learn: shown.learn, slot, ..Tag::default() }.payload();
    let continues = if shown.continues { Tag::CONTINUES } else { 0 };
    let steps = if shown.learn { 2 * window } else { window };
    let outputs = machine.run(steps, |inputs| {
        inputs.send(tag, 0, 0, opens(false) | continues);
        for (step, spikes) in shown.spikes.iter().enumerate() {
            let mut bits = vec![0u64; case.network.inputs.div_ceil(64)];
            spikes.iter().for_each(|spike| bits[spike.place / 64] |= 1 << (spike.place % 64));
            inputs.spikes(input, step, &bits);
        }
        if shown.learn {
            inputs.send(tag, window, 0, opens(true));
            (window..2 * window).for_each(|step| inputs.send(target, step, u32::from(slot), 1));
        }
    });
    let mut answers = outputs.map_err(|fault| TestCaseError::fail(format!("the chip stopped: {fault}")))?;
    while machine.is_busy() {
        answers.extend(machine.run(1, |_| {}).map_err(|fault| TestCaseError::fail(fault.to_string()))?);
    }
    Ok(answers.iter().map(|output| output.payload).collect())
}

fn compare(machine: &Machine, model: &Model<i64>, case: &Case) -> Result<(), TestCaseError> {
    let mut arrays: Vec<(&str, bool)> = [
        "weights",
        "target_weights",
        "bias",
        "membrane",
        "target_membrane",
        "count",
        "target_count",
        "mean_count",
        "scores",
        "trace",
    ]
    .map(|name| (name, true))
    .to_vec();
    arrays.push(("own_weights", case.network.recurrent));
    arrays.extend(["current", "target_current"].map(|name| (name, case.current.is_some())));
    for number in 0..model.layers[0].blocks.len() {
        same_arrays(machine, model, [number, 0, number], &arrays, &[]).map_err(TestCaseError::fail)?;
    }
    Ok(())
}

/// All weights of a layer: of inputs, of classes, of own spikes.
fn weights(model: &Model<i64>) -> [Vec<i64>; 3] {
    let layer = &model.layers[0];
    [layer.learned().clone(), layer.target_weights.clone(), layer.own_weights.clone()]
}

/// Shows windows to both; which of the weights changed.
fn check(case: &Case, windows: usize) -> Result<[bool; 3], TestCaseError> {
    let mut chip = Chip::builtin("middle").expect("a built-in chip");
    // Strips of traces that are not whole.
    chip.core.vector_length = if case.seed.is_multiple_of(2) { 64 } else { 128 };
    let image = compiled(&case.text(), chip, case.seed);
    let options = Options { seed: case.seed, timing: case.seed.is_multiple_of(3), threads: 1 };
    let mut machine = Machine::new(&image, options).unwrap_or_else(|error| panic!("{error}"));
    let mut model = case.model(&image, &machine)?;
    let before = weights(&model);
    for shown in case.shown(windows) {
        let answers = run(&mut machine, &image, case, &shown)?;
        if shown.learn {
            model.learn(&shown.spikes, shown.class, None, shown.continues);
            prop_assert!(answers.is_empty());
        } else {
            prop_assert_eq!(answers, vec![model.infer(&shown.spikes, shown.continues) as i32]);
        }
        compare(&machine, &model, case)?;
    }
    let after = weights(&model);
    Ok([0, 1, 2].map(|of| before[of] != after[of]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn random_networks_learn_as_the_model_does(case in case()) {
        check(&case, 8)?;
    }
}

#[test]
fn all_kinds_of_weights_learn() {
    let network = Network {
        inputs: 70,
        classes: 3,
        window: 16,
        neurons: 24,
        block: 12,
        weight_bits: 16,
        threshold: 1.0,
        recurrent: true,
        every: 4,
        memory: 3,
        rate: 5,
        margin: 0.5,
        gated: true,
    };
    let case = Case { network, leak: Left::Spread(0.5, 0.99), current: Some(Left::Factor(0.5)), seed: 3 };
    let changed = check(&case, 40).unwrap_or_else(|error| panic!("{error}"));
    for (what, changed) in ["inputs", "classes", "own spikes"].into_iter().zip(changed) {
        assert!(changed, "no weight of {what} changed");
    }
}
