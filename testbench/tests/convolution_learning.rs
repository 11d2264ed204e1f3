//! Convolutions that learn, on the emulated chip against the composed model in integers: random networks compiled from text; every
//! number that both hold is equal, to the bit, after every sample.

mod common;

use common::{Comparison, compiled, modelled, parsed, places, same_arrays};
use onward_chip::Chip;
use onward_emulate::{Machine, Options};
use onward_image::{HostInputKind, Image, Tag};
use onward_net::Gate;
use onward_run::data::SplitMix64;
use proptest::prelude::*;
use testbench::model::{Model, Step, encode, spikes};

/// A number from `from` to `to`.
fn between(random: &mut SplitMix64, from: usize, to: usize) -> usize {
    from + random.below((to - from + 1) as u32) as usize
}

/// The text of a network of one to three convolutions.
fn text(random: &mut SplitMix64) -> String {
    let input = [between(random, 1, 3), between(random, 2, 9), between(random, 2, 9)];
    let (classes, window) = (between(random, 2, 4), between(random, 2, 9));
    let mut text = format!(
        "network random {{\n    window = {window}\n    input pixels = rate({}, {}, {})\n    target class = classes({classes})\n",
        input[0], input[1], input[2]
    );
    let mut extents = [input[1], input[2]];
    let layers = between(random, 1, 3);
    // In some networks targets reach all layers directly, and no window shows them; in others some.
    let all_direct = random.below(3) == 0;
    for number in 1..=layers {
        let pick = |random: &mut SplitMix64, most: usize| [between(random, 1, most), between(random, 1, most)];
        let mut kernel = pick(random, 5);
        let stride = pick(random, 3);
        let mut padding = [0, 0];
        for at in 0..2 {
            kernel[at] = kernel[at].min(extents[at]);
            padding[at] = between(random, 0, kernel[at] - 1);
        }
        let channels = between(random, 1, 6);
        let block = between(random, 1, channels);
        let bits = [4, 8, 16][between(random, 0, 2)];
        let threshold = [0.5, 1.0, 1.5][between(random, 0, 2)];
        let learning = (random.below(5) > 0).then(|| {
            let (rate, margin) = (between(random, 0, 10), [0.05, 0.3, 2.0][between(random, 0, 2)]);
            let gate = if random.below(3) > 0 { "surrogate" } else { "none" };
            let target = if all_direct || random.below(8) == 0 { "direct" } else { "stack" };
            let grid = if target == "direct" { format!(" {{ grid = {} }}", between(random, 1, 8)) } else { String::new() };
            let revive = if random.below(2) == 0 { "revive = none, " } else { "" };
            format!(
                "hinge {{ rate = {rate}, margin = {margin}, anneal = 0, gate = {gate}, {revive}target = {target}{grid} }}"
            )
        });
        for at in 0..2 {
            extents[at] = (extents[at] + 2 * padding[at] - kernel[at]) / stride[at] + 1;
        }
        let from = if number == 1 { "pixels, class".into() } else { format!("layer{}", number - 1) };
        let learning = learning.unwrap_or("none".into());
        let [(ky, kx), (sy, sx), (py, px)] = [kernel, stride, padding].map(|[y, x]| (y, x));
        text += &format!(
            "    layer layer{number} = conv({channels}, {ky}, {kx}) from {from} {{
        stride = ({sy}, {sx}), padding = ({py}, {px}), block = {block}, weights = fixed {{ bits = {bits} }},
        neurons = integrate_and_fire {{ threshold = {threshold} }}, learning = {learning}
    }}\n"
        );
    }
    text + &format!("    readout answer = nearest_target from layer{layers}\n}}\n")
}

/// Compares all that blocks hold after a sample that was learned.
fn compare(machine: &Machine, model: &Model<i64>, places: &[(usize, usize)]) -> Comparison {
    for (number, &(layer, at)) in places.iter().enumerate() {
        let state = &model.layers[layer];
        let gated = state.rule.as_ref().is_some_and(|rule| rule.gate == Gate::Surrogate);
        let is_direct = state.blocks[at].table.is_some();
        let mut arrays = vec!["weights", "membrane", "count"];
        arrays.extend(if is_direct { &["rate", "table"][..] } else { &["target_count"] });
        arrays.extend(state.fed_by_target.then_some("target_weights"));
        arrays.extend(state.rule.is_some().then_some("scores"));
        let revives = !state.blocks[at].bias.is_empty();
        arrays.extend(if revives { &["bias", "mean_count"][..] } else { &[] });
        arrays.extend(gated.then_some("voltage"));
        arrays.extend((gated && !state.fed_by_target && !is_direct).then_some("target_voltage"));
        let arrays: Vec<_> = arrays.into_iter().map(|name| (name, true)).collect();
        same_arrays(machine, model, [number, layer, at], &arrays, &[])?;
    }
    Ok(())
}

/// Shows a window to the chip: its tag, then in each step the lines that are active of the input or the target.
fn show(machine: &mut Machine, image: &Image, tag: Tag, kind: HostInputKind, steps: &[Step<i64>]) -> Vec<i32> {
    let find = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input of this kind");
    let (tags, lines) = (find(HostInputKind::Tag), find(kind));
    let outputs = machine.run(steps.len(), |inputs| {
        inputs.send(tags, 0, 0, tag.payload());
        for (at, active) in steps.iter().enumerate() {
            active.iter().for_each(|spike| inputs.send(lines, at, spike.place as u32, 1));
        }
    });
    outputs.expect("the chip runs").iter().map(|output| output.payload).collect()
}

/// A random network learns from random samples, on the chip and in the model, and is asked about others.
fn run(seed: u64, samples: usize) -> Comparison {
    let random = &mut SplitMix64::new(seed);
    let text = text(random);
    let network = parsed(&text);
    let mut chip = Chip::builtin("large").expect("a chip of that name");
    chip.core.lanes = [4, 16, 64][random.below(3) as usize];
    chip.core.vector_length = [128, 256][random.below(2) as usize];
    chip.memory.neuron_bytes = 1 << 20;
    chip.memory.axon_bytes = 1 << 20;
    chip.memory.synapse_bytes = 1 << 20;
    let image = compiled(&text, chip, seed);
    let options = Options { seed, timing: false, threads: 1 };
    let mut machine = Machine::new(&image, options).map_err(|error| error.to_string())?;
    let mut model = modelled(&network, &image, &machine, seed);
    let (places, pixels) = (places(&image), network.input().size());
    for number in 0..samples {
        let sample: Vec<u8> =
            (0..pixels).map(|_| if random.below(3) == 0 { 0 } else { random.below(256) as u8 }).collect();
        let class = random.below(network.classes()) as usize;
        let learn = number % 4 != 3;
        let tag = |target| Tag { target, learn, slot: class as u16, ..Tag::default() };
        let shown = encode(&sample, model.window);
        let mut answers = show(&mut machine, &image, tag(false), HostInputKind::Input, &shown);
        if learn && model.shows_targets {
            let line = vec![spikes(&[class]); shown.len()];
            answers.extend(show(&mut machine, &image, tag(true), HostInputKind::Target, &line));
        }
        for _ in 0..model.layers.len() + 4 {
            let outputs = machine.run(1, |_| {}).map_err(|fault| fault.to_string())?;
            answers.extend(outputs.iter().map(|output| output.payload));
        }
        if learn {
            model.learn(&shown, class, None, false);
            compare(&machine, &model, &places).map_err(|what| format!("sample {number}: {what}\n{text}"))?;
        } else if answers != [model.infer(&shown, false) as i32] {
            return Err(format!("sample {number}: the chip answers {answers:?}\n{text}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn random_convolutions_learn_as_the_model_says(seed in any::<u64>()) {
        run(seed, 8).map_err(TestCaseError::fail)?;
    }
}
