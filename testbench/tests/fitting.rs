//! Cuts change no answer: networks that do not learn, drawn at random, on a chip that takes each layer as one block and on chips so
//! small that layers are cut by neurons, channels, rows and inputs. The same spikes come out, at the same places of their windows.

use onward_chip::Chip;
use onward_compile::{Options, SmallerBlock, compile, first_fitting, with_change, with_smaller_blocks};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, Options as Running};
use onward_image::{HostInputKind, Image, PopulationKind, Tag};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A chip with room for everything.
fn roomy() -> Chip {
    let mut chip = Chip::builtin("large").expect("a chip");
    chip.name = "roomy".into();
    chip.memory.axons = 1 << 16;
    chip.memory.neuron_bytes = 1 << 20;
    chip.memory.synapse_bytes = 1 << 22;
    chip.memory.axon_bytes = 1 << 20;
    chip
}

/// A chip with so many axons and bytes of memory a core.
fn tight(axons: u32, synapse_bytes: u32, neuron_bytes: u32) -> Chip {
    let mut chip = Chip::builtin("large").expect("a chip");
    chip.name = "tight".into();
    chip.memory.axons = axons;
    chip.memory.synapse_bytes = synapse_bytes;
    chip.memory.neuron_bytes = neuron_bytes;
    chip.memory.axon_bytes = 8 * axons + 64;
    chip
}

fn made(text: &str, chip: Chip, seed: u64) -> Result<Image, String> {
    let source = Source::new("case.sp", text);
    compile(&source, &Options::new(chip, seed)).map_err(|errors| source.render(&errors))
}

/// What reaches the host, by window and by step of the window, as numbers of neurons, and the answers.
fn run(image: &Image, windows: &[Vec<Vec<u32>>]) -> BTreeMap<(u64, u64), Vec<u32>> {
    let mut machine = Machine::new(image, Running { seed: 1, timing: false, threads: 1 }).expect("a machine");
    let find = |kind| image.host_input(kind).expect("such an input");
    let (tag, input) = (find(HostInputKind::Tag), find(HostInputKind::Input));
    let (_, readout) = image.network.readout().expect("a readout");
    let (steps, lag) = (windows[0].len(), u64::from(readout.lag));
    let mut outputs = Vec::new();
    for window in windows {
        outputs.extend(
            machine
                .run(steps, |feed| {
                    feed.send(tag, 0, 0, Tag::default().payload());
                    for (step, spikes) in window.iter().enumerate() {
                        spikes.iter().for_each(|&index| feed.send(input, step, index, 1));
                    }
                })
                .expect("no fault"),
        );
    }
    outputs.extend(machine.run(steps + lag as usize + 2, |_| {}).expect("no fault"));
    assert!(!machine.is_busy(), "comes to rest");
    let mut found: BTreeMap<(u64, u64), Vec<u32>> = BTreeMap::new();
    for output in outputs {
        let block: &onward_image::Block = &image.blocks[output.sender.expect("a block")];
        let is_spike = readout.kind == PopulationKind::SpikeReadout;
        let what = if is_spike { block.neuron(output.index) } else { output.payload as u32 };
        // An answer comes at the end of its window.
        let step = output.step - lag;
        found.entry((step / steps as u64, step % steps as u64)).or_default().push(what);
    }
    found.values_mut().for_each(|spikes| spikes.sort_unstable());
    found
}

/// A layer of a random network.
#[derive(Clone, Debug)]
enum Part {
    Dense(u32),
    Convolution {
        channels: u32,
        kernel: u32,
        stride: u32,
        groups: bool,
    },
    SumPool,
    MaximumPool,
    /// Itself, and itself through a convolution, added.
    Skip {
        kernel: u32,
    },
    /// A residual block: a convolution of a convolution, and a kernel over what that comes from, perhaps in groups and further apart.
    Join {
        kernel: u32,
        stride: u32,
        groups: bool,
        apart: u32,
    },
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        (5u32..70).prop_map(Part::Dense),
        (1u32..7, 1u32..4, 1u32..3, any::<bool>()).prop_map(|(channels, kernel, stride, groups)| Part::Convolution {
            channels,
            kernel,
            stride,
            groups
        }),
        Just(Part::SumPool),
        Just(Part::MaximumPool),
        (0u32..2).prop_map(|half| Part::Skip { kernel: 2 * half + 1 }),
        (0u32..2, 1u32..3, any::<bool>(), 1u32..3).prop_map(|(half, stride, groups, apart)| Part::Join {
            kernel: 2 * half + 1,
            stride,
            groups,
            apart,
        }),
    ]
}

/// The text of a network, and how many indices its input has.
fn text(shape: [u32; 3], parts: &[Part], neuron: u32, counts: bool) -> (String, u32) {
    let [mut channels, mut height, mut width] = shape;
    let neurons = ["integrate_and_fire", "leaky { leak = shift(3) }", "leaky { leak = factor(0.9), refractory = 1 }"];
    let neuron = neurons[neuron as usize % neurons.len()];
    let mut text = format!(
        "network net {{\n  window = 6\n  neurons = {neuron}\n  weights = fixed {{ bits = 8 }}\n  input x = events({channels}, {height}, {width})\n"
    );
    let mut last = "x".to_owned();
    let mut is_flat = false;
    for (at, part) in parts.iter().enumerate() {
        let name = format!("l{at}");
        match *part {
            Part::Dense(neurons) => {
                if !is_flat {
                    text += &format!("  layer f{at} = flatten from {last}\n");
                    last = format!("f{at}");
                }
                text += &format!("  layer {name} = dense({neurons}) from {last}\n");
                is_flat = true;
                [channels, height, width] = [1, 1, neurons];
            }
            _ if is_flat => continue,
            Part::Convolution { channels: c, kernel, stride, groups } => {
                let (c, groups) = if groups { (c * channels, channels) } else { (c, 1) };
                text += &format!(
                    "  layer {name} = conv({c}, {kernel}) from {last} {{ padding = {}, stride = {stride}, groups = {groups} }}\n",
                    kernel / 2
                );
                channels = c;
                let size = |n: u32| (n + 2 * (kernel / 2) - kernel) / stride + 1;
                (height, width) = (size(height), size(width));
            }
            Part::SumPool | Part::MaximumPool => {
                if height < 2 || width < 2 {
                    continue;
                }
                let word = if matches!(part, Part::SumPool) { "sum_pool" } else { "max_pool" };
                text += &format!("  layer {name} = {word}(2) from {last}\n");
                (height, width) = (height / 2, width / 2);
            }
            Part::Join { kernel, stride, groups, apart } => {
                let groups = if groups { channels } else { 1 };
                // A kernel of 3 whose taps lie apart needs as much padding as they do.
                text += &format!(
                    "  layer c{at} = conv({channels}, {kernel}) from {last} {{ padding = {half}, stride = {stride} }}\n  \
                     layer s{at} = concat from c{at}, {last}, {last}\n  \
                     layer {name} = conv({channels}, 3) from s{at} {{ padding = {apart}, dilation = {apart}, kernels = \
                     (kernel(1) {{ stride = {stride}, groups = {groups} }}, kernel({kernel}) {{ padding = {half}, stride = {stride} }}) }}\n",
                    half = kernel / 2
                );
                let size = |n: u32| (n - 1) / stride + 1;
                (height, width) = (size(height), size(width));
            }
            Part::Skip { kernel } => {
                text += &format!(
                    "  layer c{at} = conv({channels}, {kernel}) from {last} {{ padding = {} }}\n  layer {name} = add from {last}, c{at}\n",
                    kernel / 2
                );
            }
        }
        last = name;
    }
    // What neurons there are, and no pool, is shown.
    if !is_flat {
        text += &format!("  layer f = flatten from {last}\n");
        last = "f".to_owned();
    }
    let _ = (channels, height, width);
    text += &format!("  layer y = dense(9) from {last}\n");
    text += if counts { "  readout r = most_spikes from y\n}\n" } else { "  readout r = spikes from y\n}\n" };
    (text, shape.iter().product())
}

/// Random spikes of an input.
fn windows(size: u32, seed: u64) -> Vec<Vec<Vec<u32>>> {
    let mut state = seed | 1;
    let mut draw = |below: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as u32 % below
    };
    let mut step = || (0..size).filter(|_| draw(3) == 0).collect::<Vec<u32>>();
    (0..3).map(|_| (0..6).map(|_| step()).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cuts_change_no_answer(
        channels in 1u32..4, height in 2u32..20, width in 2u32..20,
        parts in prop::collection::vec(part(), 0..5),
        neuron in 0u32..3, counts: bool, axons in 40u32..240, synapse_words in 100u32..600, neuron_words in 40u32..160,
        seed in 1u64..1000,
    ) {
        let (text, size) = text([channels, height, width], &parts, neuron, counts);
        let whole = made(&text, roomy(), seed).map_err(TestCaseError::fail)?;
        // What does not fit is not what is asked here.
        let Ok(cut) = made(&text, tight(axons, 4 * synapse_words, 4 * neuron_words), seed) else { return Ok(()) };
        let windows = windows(size, seed);
        prop_assert_eq!(run(&whole, &windows), run(&cut, &windows), "{}", text);
    }
}

/// How often a layer of each kind was cut must not be left to chance.
#[test]
fn tight_chips_cut_by_rows_channels_and_inputs() {
    let text = "network net {\n  window = 6\n  weights = fixed { bits = 8 }\n  input x = events(2, 16, 16)\n  \
                layer c = conv(8, 3) from x { padding = 1 }\n  layer p = sum_pool(2) from c\n  \
                layer d = conv(16, 3) from p { padding = 1 }\n  layer f = flatten from d\n  layer y = dense(20) from f\n  \
                readout r = spikes from y\n}\n";
    let whole = made(text, roomy(), 3).expect("it fits");
    let cut = made(text, tight(900, 6000, 3000), 3).expect("it can be cut");
    let blocks = |image: &Image, name: &str| {
        let of = |population: &onward_image::Population| population.name == name;
        image.blocks.iter().filter(|block| of(&image.network.populations[block.population])).count()
    };
    assert!(blocks(&cut, "c") > 1 && blocks(&cut, "d") > 1, "rows");
    assert_eq!((blocks(&whole, "y+sums"), blocks(&cut, "y+sums") > 1), (0, true), "inputs");
    assert!(cut.host_inputs.len() > whole.host_inputs.len(), "parts of the input");
    let windows = windows(512, 5);
    let found = run(&cut, &windows);
    assert_eq!(run(&whole, &windows), found);
    assert!(found.len() > 5, "something fires: {found:?}");
}

/// A third layer that takes in less of a second by cutting it into fewer rows: then the second's blocks may reach more of the
/// first's than before, and are looked at again.
#[test]
fn what_mends_one_layer_is_mended_before_it() {
    let text = "network net {\n  window = 3\n  input x = events(2, 34, 34)\n  \
                layer a = conv(16, 5) from x { stride = 2, padding = 1 }\n  \
                layer b = conv(16, 3) from a { padding = 1 }\n  layer p = sum_pool(2) from b\n  \
                layer c = conv(8, 3) from p { padding = 1 }\n  readout r = spikes from c\n}\n";
    made(text, Chip::builtin("middle").expect("a chip"), 1).expect("it fits");
}

fn network(text: &str) -> Source {
    let head = "network net {\n  window = 4\n  input x = events(3, 16, 16)\n";
    Source::new("net.sp", format!("{head}{text}\n  readout r = spikes from y\n}}\n"))
}

/// What is said to help a network that does not fit.
fn help(source: &Source, options: &Options) -> String {
    let errors = compile(source, options).expect_err("it does not fit");
    with_change(None, source, options, errors)[0].help.clone().expect("a help")
}

/// What is said to help has been tried: done as said, the network fits.
#[test]
fn changes_that_are_named_help() {
    let source = network("  layer f = flatten from x\n  layer y = dense(700) from f");
    let mut options = Options::new(Chip::builtin("small").expect("a chip"), 1);
    (options.chip.memory.axons, options.chip.memory.synapse_bytes) = (64, 8192);
    let help = help(&source, &options);
    let settings: Vec<(&str, u32)> = help
        .split(['`', ';'])
        .flat_map(|part| part.split("--chip-set ").skip(1))
        .filter_map(|setting| setting.trim().split_once('='))
        .map(|(key, value)| (key, value.parse().expect("a number")))
        .collect();
    assert!(!settings.is_empty(), "{help}");
    for (key, value) in settings {
        let memory = &mut options.chip.memory;
        match key {
            "memory.axons" => memory.axons = value,
            "memory.axon_bytes" => memory.axon_bytes = value,
            "memory.neuron_bytes" => memory.neuron_bytes = value,
            "memory.synapse_bytes" => memory.synapse_bytes = value,
            "memory.instruction_words" => memory.instruction_words = value,
            _ => options.chip.mesh.width = value as u16,
        }
    }
    assert!(compile(&source, &options).is_ok(), "{help}");
}

#[test]
fn sizes_of_blocks_that_do_not_fit_are_named() {
    let source = network("  layer y = conv(16, 3) from x { padding = 1, block = 16, rows = 16 }");
    let mut options = Options::new(Chip::builtin("middle").expect("a chip"), 1);
    options.chip.memory.neuron_bytes = 8192;
    let help = help(&source, &options);
    assert!(help.starts_with("it fits if `block` and `rows` of `y` are left out"), "{help}");
}

/// The block of a layer that learns is a part of its rule, so it is offered and not taken; and it is the largest that fits.
#[test]
fn the_largest_blocks_that_fit_are_offered_to_layers_that_learn() {
    let text = |block: u32| {
        let text = format!(
            "network net {{\n    window = 8\n    learning = hinge\n    input x = rate(8, 8)\n    target c = classes(10)\n    \
             layer a = dense(200) from x, c {{ block = 100 }}\n    layer b = dense(200) from a {{ block = {block} }}\n    \
             readout answer = nearest_target from b\n}}\n"
        );
        Source::new("net.sp", text)
    };
    let mut options = Options::new(Chip::builtin("middle").expect("a chip"), 1);
    options.chip.memory.synapse_bytes = 30_000;
    let said = help(&text(100), &options);
    assert!(said.starts_with("it fits with `block = 64` for `b`, which --fit takes"), "{said}");
    let (network, changed) = with_smaller_blocks(&text(100), &options).expect("smaller blocks fit");
    assert_eq!(changed, [SmallerBlock { layer: "b".into(), block: 64, said: 100 }]);
    let fitted = Source::new("net.sp", network.to_string());
    assert!(compile(&fitted, &options).is_ok());
    assert!(compile(&text(80), &options).is_err(), "80 do not");
    assert!(with_smaller_blocks(&text(64), &options).is_none(), "it fits as it is");
}

#[test]
fn the_smallest_chip_that_has_room_is_chosen() {
    let chips = onward_chip::family().expect("built-in chips have bills");
    let options = Options::new(Chip::builtin("small").expect("a chip"), 1);
    let chosen = |text: &str| first_fitting(None, &network(text), &options, &chips).map(|chip| chip.name);
    assert_eq!(chosen("  layer f = flatten from x\n  layer y = dense(10) from f").as_ref(), Ok(&chips[0].name));
    let wrong = chosen("  layer y = dense(10) from nobody").expect_err("the text is wrong");
    assert!(wrong[0].message.contains("nobody"), "{wrong:?}");
}
