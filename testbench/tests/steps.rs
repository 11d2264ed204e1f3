//! Learning while the input is shown: random recurrent networks on the emulated chip against the plain integer model, to the
//! bit, after every window.

use onward_chip::Chip;
use onward_compile::compile;
use onward_diagnostic::Source;
use onward_emulate::{Machine, Options};
use onward_image::{Block, HostInputKind, Image, PopulationKind, Tag};
use onward_run::data::SplitMix64;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use testbench::steps_model::{Initial, Model, Network};

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

    /// In 65,536ths, by neuron.
    fn parts(&self, network: &Network) -> Vec<i64> {
        let of = |neuron: usize| match *self {
            Left::None => 65536,
            Left::Shift(bits) => 65536 - (65536 >> bits),
            Left::Factor(part) => (part * 65536.0).round() as i64,
            Left::Spread(least, most) => {
                let place = (neuron % network.block) as f64 / (network.block.max(2) - 1) as f64;
                let lost = (1.0 - least) * ((1.0 - most) / (1.0 - least)).powf(place);
                ((1.0 - lost) * 65536.0).round() as i64
            }
        };
        (0..network.neurons).map(of).collect()
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
    spikes: Vec<Vec<bool>>,
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
                leak: Vec::new(),
                current: None,
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

    /// The network with what is left of membranes and currents. Where neurons differ the image's own numbers are taken, which
    /// are at most one away from the formula's.
    fn described(&self, image: &Image) -> Result<Network, TestCaseError> {
        let mut network = self.network.clone();
        for (left, name) in [(Some(&self.leak), "leak"), (self.current.as_ref(), "current_left")] {
            let Some(left) = left else { continue };
            let mut parts = left.parts(&network);
            let found: Vec<i64> = layer_blocks(image).flat_map(|block| rows(block, name)).flatten().collect();
            if !found.is_empty() {
                prop_assert!(found.len() == parts.len() && parts.iter().zip(&found).all(|(a, b)| (a - b).abs() <= 1));
                parts = found;
            }
            match name {
                "leak" => network.leak = parts,
                _ => network.current = Some(parts),
            }
        }
        Ok(network)
    }

    fn shown(&self, count: usize) -> Vec<Shown> {
        let mut random = SplitMix64::new(self.seed);
        let network = &self.network;
        let window = |at: usize| {
            // Some windows are busy, some nearly silent.
            let density = 1 + random.below(9);
            let mut step = || (0..network.inputs).map(|_| random.below(10) < density).collect();
            let spikes = (0..network.window).map(|_| step()).collect();
            let class = random.below(network.classes as u32) as usize;
            Shown { spikes, class, learn: random.below(4) > 0, continues: at > 0 && random.below(2) == 0 }
        };
        (0..count).map(window).collect()
    }
}

fn layer_blocks(image: &Image) -> impl Iterator<Item = &Block> {
    let kind = |block: &Block| &image.network.populations[block.population as usize].kind;
    image.blocks.iter().filter(move |block| matches!(kind(block), PopulationKind::Layer { .. }))
}

/// An array of an image: elements from the lowest bits of the first byte on.
fn rows(block: &Block, symbol: &str) -> Vec<Vec<i64>> {
    let Some(symbol) = block.symbol(symbol) else { return Vec::new() };
    let bytes = &block.contents[usize::from(symbol.space)];
    let element = |at: usize| match symbol.width_bits {
        4 => i64::from((bytes[at / 2] >> (4 * (at % 2)) << 4) as i8 >> 4),
        8 => i64::from(bytes[at] as i8),
        16 => i64::from(i16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]])),
        _ => i64::from(i32::from_le_bytes(bytes[4 * at..][..4].try_into().expect("four bytes"))),
    };
    let (offset, columns) = (symbol.offset as usize, symbol.columns as usize);
    (0..symbol.rows as usize).map(|row| (0..columns).map(|i| element(offset + row * columns + i)).collect()).collect()
}

/// Runs a window, and its target's if it is learned from, until the chip rests; returns what reached the host.
fn run(machine: &mut Machine, image: &Image, shown: &Shown) -> Result<Vec<i32>, TestCaseError> {
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
            let mut bits = vec![0u64; spikes.len().div_ceil(64)];
            spikes.iter().enumerate().filter(|(_, spikes)| **spikes).for_each(|(k, _)| bits[k / 64] |= 1 << (k % 64));
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

fn compare(machine: &mut Machine, model: &Model, network: &Network) -> Result<(), TestCaseError> {
    let (inputs, classes) = (network.inputs, network.inputs + network.classes);
    for (number, block) in model.blocks.iter().enumerate() {
        let mut arrays = vec![
            ("weights", block.rows[..inputs].concat()),
            ("target_weights", block.rows[inputs..classes].concat()),
            ("bias", block.bias.clone()),
            ("membrane", block.membrane[0].clone()),
            ("target_membrane", block.membrane[1].clone()),
            ("count", block.count.clone()),
            ("target_count", block.target_count.concat()),
            ("mean_count", block.mean_count.clone()),
            ("scores", block.scores.clone()),
            ("trace", model.trace.clone()),
        ];
        if network.recurrent {
            arrays.push(("own_weights", block.rows[classes..].concat()));
        }
        if network.current.is_some() {
            arrays.push(("current", block.current[0].clone()));
            arrays.push(("target_current", block.current[1].clone()));
        }
        for (name, expected) in arrays {
            let found = machine.read(number as u32, name).ok_or_else(|| TestCaseError::fail(format!("no `{name}`")))?;
            let found: Vec<i64> = found.into_iter().map(i64::from).collect();
            let at = found.iter().zip(&expected).position(|(found, expected)| found != expected);
            if let Some(at) = at.or((found.len() != expected.len()).then_some(0)) {
                let (found, expected) = (found.get(at), expected.get(at));
                let message = format!(
                    "`{name}` of block {number}, element {at}: {found:?} on the chip, {expected:?} in the model"
                );
                return Err(TestCaseError::fail(message));
            }
        }
    }
    Ok(())
}

fn check(case: &Case, windows: usize) -> Result<Vec<usize>, TestCaseError> {
    let source = Source::new("steps.sp", case.text());
    let mut chip = Chip::builtin("middle").expect("a built-in chip");
    // Strips of traces that are not whole.
    chip.core.vector_length = if case.seed.is_multiple_of(2) { 64 } else { 128 };
    let image = compile(&source, &onward_compile::Options::new(chip, case.seed))
        .unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let network = case.described(&image)?;
    let blocks: Vec<&Block> = layer_blocks(&image).collect();
    let mut model = Model::new(&network, case.seed, |number| Initial {
        weights: rows(blocks[number], "weights"),
        target_weights: rows(blocks[number], "target_weights"),
        own_weights: rows(blocks[number], "own_weights"),
    });
    let options = Options { seed: case.seed, timing: case.seed.is_multiple_of(3), threads: 1 };
    let mut machine = Machine::new(&image, options).unwrap_or_else(|error| panic!("{error}"));
    let before: Vec<i64> = model.blocks.iter().flat_map(|block| block.rows.concat()).collect();
    for shown in case.shown(windows) {
        let answers = run(&mut machine, &image, &shown)?;
        if shown.learn {
            model.learn(&shown.spikes, shown.class, shown.continues);
            prop_assert!(answers.is_empty());
        } else {
            prop_assert_eq!(answers, vec![model.infer(&shown.spikes, shown.continues) as i32]);
        }
        compare(&mut machine, &model, &network)?;
    }
    let after: Vec<i64> = model.blocks.iter().flat_map(|block| block.rows.concat()).collect();
    Ok(before.iter().zip(&after).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect())
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
        leak: Vec::new(),
        current: None,
        recurrent: true,
        every: 4,
        memory: 3,
        rate: 5,
        margin: 0.5,
        gated: true,
    };
    let case = Case { network, leak: Left::Spread(0.5, 0.99), current: Some(Left::Factor(0.5)), seed: 3 };
    let changed = check(&case, 40).unwrap_or_else(|error| panic!("{error}"));
    // Rows of the first block: 70 inputs, 3 classes, 24 own.
    for (what, rows) in [("inputs", 0..70), ("classes", 70..73), ("own spikes", 73..97)] {
        let range = rows.start * 12..rows.end * 12;
        assert!(changed.iter().any(|at| range.contains(at)), "no weight of {what} changed");
    }
}
