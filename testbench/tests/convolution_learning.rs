//! Convolutions that learn, on the emulated chip against the plain integer model: random networks compiled from text; every
//! number that both hold is equal, to the bit, after every sample.

use onward_chip::Chip;
use onward_compile::compile;
use onward_diagnostic::Source;
use onward_emulate::{Machine, Options};
use onward_image::{HostInputKind, Image, Order, PopulationKind, Tag};
use onward_run::data::SplitMix64;
use proptest::prelude::*;
use testbench::convolution_model::{Hinge, Layer, Model, Network, State};
use testbench::integer_model::encode;

/// A number from `from` to `to`.
fn between(random: &mut SplitMix64, from: usize, to: usize) -> usize {
    from + random.below((to - from + 1) as u32) as usize
}

/// A network of one to three convolutions, and its text.
fn network(random: &mut SplitMix64) -> (Network, String) {
    let input = [between(random, 1, 3), between(random, 2, 9), between(random, 2, 9)];
    let (classes, window) = (between(random, 2, 4), 1 << between(random, 1, 3));
    let mut layers: Vec<Layer> = Vec::new();
    let mut text = format!(
        "network random {{\n    window = {window}\n    input pixels = rate({}, {}, {})\n    target class = classes({classes})\n",
        input[0], input[1], input[2]
    );
    let mut extents = [input[1], input[2]];
    for number in 1..=between(random, 1, 3) {
        let pick = |random: &mut SplitMix64, most: usize| [between(random, 1, most), between(random, 1, most)];
        let mut kernel = pick(random, 5);
        let stride = pick(random, 3);
        let mut padding = [0, 0];
        for at in 0..2 {
            kernel[at] = kernel[at].min(extents[at]);
            padding[at] = between(random, 0, kernel[at] - 1);
        }
        let channels = between(random, 1, 6);
        let layer = Layer {
            channels,
            kernel,
            stride,
            padding,
            block: between(random, 1, channels),
            weight_bits: [4, 8, 16][between(random, 0, 2)],
            threshold: [0.5, 1.0, 1.5][between(random, 0, 2)],
            learning: (random.below(5) > 0).then(|| Hinge {
                rate: between(random, 0, 10) as u32,
                margin: [0.05, 0.3, 2.0][between(random, 0, 2)],
                gated: random.below(3) > 0,
            }),
        };
        for at in 0..2 {
            extents[at] = (extents[at] + 2 * padding[at] - kernel[at]) / stride[at] + 1;
        }
        let from = if number == 1 { "pixels, class".into() } else { format!("layer{}", number - 1) };
        let learning = layer.learning.as_ref().map_or("none".into(), |hinge| {
            let gate = if hinge.gated { "surrogate" } else { "none" };
            format!(
                "hinge {{ rate = {}, margin = {}, anneal = 0, gate = {gate}, revive = none }}",
                hinge.rate, hinge.margin
            )
        });
        let [(ky, kx), (sy, sx), (py, px)] = [kernel, stride, padding].map(|[y, x]| (y, x));
        text += &format!(
            "    layer layer{number} = conv({channels}, {ky}, {kx}) from {from} {{
        stride = ({sy}, {sx}), padding = ({py}, {px}), block = {}, weights = fixed {{ bits = {} }},
        neurons = integrate_and_fire {{ threshold = {} }}, learning = {learning}
    }}\n",
            layer.block, layer.weight_bits, layer.threshold
        );
        layers.push(layer);
    }
    text += &format!("    readout answer = nearest_target from layer{}\n}}\n", layers.len());
    (Network { input, classes, window, layers }, text)
}

fn image(text: &str, chip: Chip, seed: u64) -> Image {
    let source = Source::new("random.sp", text);
    let options = onward_compile::Options::new(chip, seed);
    compile(&source, &options).unwrap_or_else(|errors| panic!("{text}\n{}", source.render(&errors)))
}

/// Of the blocks of layers, by logical number: layer, and block within it.
fn places(image: &Image) -> Vec<(usize, usize)> {
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut last = None;
    for block in &image.blocks {
        let kind = &image.network.populations[block.population as usize].kind;
        if !matches!(kind, PopulationKind::Layer { .. }) {
            continue;
        }
        places.push(match places.last() {
            Some(&(layer, at)) if last == Some(block.population) => (layer, at + 1),
            Some(&(layer, _)) => (layer + 1, 0),
            None => (0, 0),
        });
        last = Some(block.population);
    }
    places
}

/// The number in the model of each weight of a block, in the order of the chip's memory: by input channel, phase of the
/// stride, row, column, output channel.
fn kernel_order(state: &State, text: &Layer, channels: usize) -> Vec<usize> {
    let mut order = Vec::new();
    let [rows, columns] = text.kernel;
    for input in 0..state.input[0] {
        for phase_y in 0..text.stride[0] {
            for phase_x in 0..text.stride[1] {
                for ky in (0..rows).rev().filter(|ky| ky % text.stride[0] == phase_y) {
                    for kx in (0..columns).rev().filter(|kx| kx % text.stride[1] == phase_x) {
                        order.extend(
                            (0..channels)
                                .map(|channel| ((channel * state.input[0] + input) * rows + ky) * columns + kx),
                        );
                    }
                }
            }
        }
    }
    order
}

/// Reads an array of a block on the chip.
fn read(machine: &mut Machine, block: usize, name: &str) -> Option<Vec<i64>> {
    machine.read(block as u32, name).map(|values| values.into_iter().map(i64::from).collect())
}

fn check(what: &str, found: Option<Vec<i64>>, expected: &[i64]) -> Result<(), String> {
    let found = found.ok_or_else(|| format!("{what} is not on the chip"))?;
    match found.iter().zip(expected).position(|(found, expected)| found != expected) {
        _ if found.len() != expected.len() => Err(format!("{what}: {} elements, not {}", found.len(), expected.len())),
        Some(at) => Err(format!("{what}, element {at}: {} on the chip, {} in the model", found[at], expected[at])),
        None => Ok(()),
    }
}

/// Compares all that blocks hold after a sample that was learned.
fn compare(machine: &mut Machine, model: &Model, texts: &[Layer], places: &[(usize, usize)]) -> Result<(), String> {
    for (number, &(layer, at)) in places.iter().enumerate() {
        let (state, text) = (&model.layers[layer], &texts[layer]);
        let block = &state.blocks[at];
        let order = kernel_order(state, text, block.channels);
        let weights: Vec<i64> = order.iter().map(|&tap| block.weights[tap]).collect();
        let gated = text.learning.as_ref().is_some_and(|hinge| hinge.gated);
        let arrays = [
            ("weights", weights, true),
            ("target_weights", block.target_weights.concat(), state.fed_by_target),
            ("membrane", block.membrane.clone(), true),
            ("count", block.count.clone(), true),
            ("target_count", block.target_count.concat(), true),
            ("scores", block.scores.clone(), text.learning.is_some()),
            ("voltage", block.voltage.clone(), gated),
            ("target_voltage", block.target_voltage.concat(), gated && !state.fed_by_target),
        ];
        for (name, expected, exists) in arrays {
            if exists {
                check(&format!("`{name}` of block {at} of layer {layer}"), read(machine, number, name), &expected)?;
            }
        }
    }
    Ok(())
}

/// Shows a window to the chip: its tag, then in each step the lines that are active of the input or the target.
fn show(machine: &mut Machine, image: &Image, tag: Tag, kind: HostInputKind, steps: &[Vec<bool>]) -> Vec<i32> {
    let find = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input of this kind");
    let (tags, lines) = (find(HostInputKind::Tag), find(kind));
    let outputs = machine.run(steps.len(), |inputs| {
        inputs.send(tags, 0, 0, tag.payload());
        for (at, active) in steps.iter().enumerate() {
            for line in (0..active.len()).filter(|&line| active[line]) {
                inputs.send(lines, at, line as u32, 1);
            }
        }
    });
    outputs.expect("the chip runs").iter().map(|output| output.payload).collect()
}

/// A random network learns from random samples, on the chip and in the model, and is asked about others.
fn run(seed: u64, samples: usize) -> Result<(), String> {
    let random = &mut SplitMix64::new(seed);
    let (network, text) = network(random);
    let mut chip = Chip::builtin("large").expect("a chip of that name");
    chip.core.lanes = [4, 16, 64][random.below(3) as usize];
    chip.core.vector_length = [128, 256][random.below(2) as usize];
    chip.memory.neuron_bytes = 1 << 20;
    chip.memory.axon_bytes = 1 << 20;
    chip.memory.synapse_bytes = 1 << 20;
    let image = image(&text, chip, seed);
    let options = Options { seed, timing: false, threads: 1 };
    let mut machine = Machine::new(&image, options).map_err(|error| error.to_string())?;
    let places = places(&image);
    let mut reading = Machine::new(&image, options).map_err(|error| error.to_string())?;
    let first: Vec<_> = (0..places.len())
        .map(|number| {
            let Order::Plane(plane) = image.blocks[number].order else { panic!("a convolution's blocks hold planes") };
            let channels = plane.channels as usize;
            let neurons = image.blocks[number].neurons as usize;
            let weights = read(&mut reading, number, "weights").expect("weights");
            let targets = read(&mut reading, number, "target_weights").unwrap_or_default();
            (channels, weights, targets.chunks(neurons).map(<[i64]>::to_vec).collect::<Vec<_>>())
        })
        .collect();
    let inputs = |layer: usize| if layer == 0 { network.input[0] } else { network.layers[layer - 1].channels };
    let mut model = Model::new(&network, seed, |layer, at| {
        let number = places.iter().position(|&place| place == (layer, at)).expect("a block of the image");
        let (channels, laid, targets) = &first[number];
        let text = &network.layers[layer];
        let state = Model::new(&network, seed, |layer, at| blank(&network, layer, at)).layers.swap_remove(layer);
        let mut weights = vec![0; channels * inputs(layer) * text.kernel[0] * text.kernel[1]];
        for (&tap, &weight) in kernel_order(&state, text, *channels).iter().zip(laid) {
            weights[tap] = weight;
        }
        (weights, targets.clone())
    });
    let pixels: usize = network.input.iter().product();
    let window = network.window;
    for number in 0..samples {
        let sample: Vec<u8> =
            (0..pixels).map(|_| if random.below(3) == 0 { 0 } else { random.below(256) as u8 }).collect();
        let class = random.below(network.classes as u32) as usize;
        let learn = number % 4 != 3;
        let tag = |target| Tag { target, learn, slot: class as u16, ..Tag::default() };
        let mut answers = show(&mut machine, &image, tag(false), HostInputKind::Input, &encode(&sample, window as i64));
        if learn {
            let line: Vec<bool> = (0..network.classes).map(|line| line == class).collect();
            answers.extend(show(&mut machine, &image, tag(true), HostInputKind::Target, &vec![line; window]));
        }
        for _ in 0..network.layers.len() + 4 {
            let outputs = machine.run(1, |_| {}).map_err(|fault| fault.to_string())?;
            answers.extend(outputs.iter().map(|output| output.payload));
        }
        if learn {
            model.learn(&sample, class);
            compare(&mut machine, &model, &network.layers, &places)
                .map_err(|what| format!("sample {number}: {what}\n{text}"))?;
        } else if answers != [model.infer(&sample) as i32] {
            return Err(format!("sample {number}: the chip answers {answers:?}\n{text}"));
        }
    }
    Ok(())
}

/// Weights of the right sizes.
fn blank(network: &Network, layer: usize, at: usize) -> (Vec<i64>, Vec<Vec<i64>>) {
    let mut extents = network.input;
    for text in &network.layers[..=layer] {
        let along = |at: usize| (extents[1 + at] + 2 * text.padding[at] - text.kernel[at]) / text.stride[at] + 1;
        if std::ptr::eq(text, &network.layers[layer]) {
            let channels = text.block.min(text.channels - at * text.block);
            let taps = channels * extents[0] * text.kernel[0] * text.kernel[1];
            let classes = if layer == 0 { network.classes } else { 0 };
            return (vec![0; taps], vec![vec![0; channels * along(0) * along(1)]; classes]);
        }
        extents = [text.channels, along(0), along(1)];
    }
    unreachable!("the layer is one of the network's")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn random_convolutions_learn_as_the_model_says(seed in any::<u64>()) {
        run(seed, 8).map_err(TestCaseError::fail)?;
    }
}
