//! Any layer may have any connection, neuron and rule: random networks of all of these on the emulated chip against the composed
//! model in integers, to the bit, after every sample. Each is proven first, and those that are timed take no more cycles
//! than that says. What the compiler says it cannot do is passed over, and counted.

#[expect(dead_code, reason = "networks are compiled that may be refused")]
mod common;

use common::{Comparison, layer_blocks, modelled, parsed, same_arrays};
use onward_chip::Chip;
use onward_compile::compile;
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, Options};
use onward_image::{HostInputKind, Image, Tag};
use onward_run::data::SplitMix64;
use onward_verify::{Bounds, Contract, verify};
use testbench::model::{Model, Step, encode, spikes};

/// A number below `count`.
fn below(random: &mut SplitMix64, count: usize) -> usize {
    random.below(count as u32) as usize
}

fn one_of<'a>(random: &mut SplitMix64, from: &[&'a str]) -> &'a str {
    from[below(random, from.len())]
}

/// A rule, of whatever parts.
fn rule(random: &mut SplitMix64, window: u32, grid: Option<u32>) -> String {
    let loss = one_of(random, &["hinge", "hinge", "softmax", "squared_error", "hebbian", "contrastive"]);
    let mut options = vec![format!("rate = {}", below(random, 9)), "anneal = 0".to_owned()];
    let gate = one_of(random, &["surrogate", "surrogate", "voltage", "none"]);
    options.push(format!("gate = {gate}"));
    let optimizer = one_of(random, &["plain", "plain", "momentum", "adaptive { decay = 3 }"]);
    options.push(format!("optimizer = {optimizer}"));
    if random.below(3) == 0 {
        options.push("revive = none".to_owned());
    }
    for option in ["weight_decay = 6", "rounding = carried", "batch = 3", "update = spread"] {
        if random.below(5) == 0 {
            options.push(option.to_owned());
        }
    }
    let at_steps = (random.below(4) == 0)
        .then(|| format!("every = {}, memory = {}", 1 << random.below(window.ilog2() + 1), 1 + below(random, 4)));
    // A table is compared with the rates of whole windows.
    options.extend(grid.map(|grid| format!("target = direct {{ grid = {grid} }}")).or(at_steps));
    format!("{loss} {{ {} }}", options.join(", "))
}

fn neurons(random: &mut SplitMix64) -> String {
    let decays = ["none", "shift(2)", "factor(0.8)", "spread(0.5, 0.95)"];
    let leak = one_of(random, &decays);
    let kind = match random.below(5) {
        4 => {
            format!("adaptive {{ rise = 0.3, fall = {}, leak = {leak}, ", one_of(random, &["shift(2)", "factor(0.8)"]))
        }
        0 | 1 => "integrate_and_fire { ".to_owned(),
        2 => format!("leaky {{ leak = {leak}, "),
        _ => format!("current_based {{ leak = {leak}, current = {}, ", one_of(random, &decays)),
    };
    let reset = one_of(random, &["subtract", "subtract", "zero", "to(-0.25)"]);
    let refractory = if random.below(4) == 0 { below(random, 3) } else { 0 };
    let bias = if random.below(4) == 0 { 0.125 } else { 0.0 };
    format!(
        "{kind}threshold = {:?}, reset = {reset}, refractory = {refractory}, bias = {bias:?} }}",
        0.5 + 0.25 * below(random, 4) as f64
    )
}

/// How large what is drawn is.
struct Sizes {
    /// Dimensions of the input.
    input: String,
    /// Steps of a window, at most.
    window: u32,
    /// From 2 on so many numbers of classes.
    classes: u32,
    /// Neurons of a layer that is no convolution, at least 4.
    neurons: usize,
    channels: usize,
    /// Rows of a kernel, at most.
    kernel: usize,
    /// Places from one window of a convolution to the next, at most.
    stride: usize,
}

impl Sizes {
    /// Networks that the model is through with soon.
    fn small() -> Sizes {
        Sizes { input: "rate(2, 6, 6)".into(), window: 10, classes: 3, neurons: 12, channels: 4, kernel: 3, stride: 1 }
    }

    /// Whatever sizes.
    fn drawn(random: &mut SplitMix64) -> Sizes {
        let encoding = one_of(random, &["rate", "rate", "rate", "current", "latency"]);
        let planes = 1 + random.below(3);
        Sizes {
            input: format!("{encoding}({planes}, {}, {})", 4 + random.below(8), 4 + random.below(8)),
            window: 33,
            classes: 12,
            neurons: 4 + below(random, 60),
            channels: 1 + below(random, 12),
            kernel: 5,
            stride: 2,
        }
    }
}

/// A network of one to three layers, between which there may be pools, additions and delays; how targets reach them, and which
/// layers are read out, is drawn from `paths`.
fn text(random: &mut SplitMix64, paths: &mut SplitMix64, sizes: &Sizes) -> String {
    let &Sizes { window, classes, neurons: count, channels, .. } = sizes;
    let window = 2 + random.below(window - 1);
    let mut text = format!(
        "network composed {{\n window = {window}\n input x = {}\n target y = classes({})\n",
        sizes.input,
        2 + random.below(classes)
    );
    // The node that the next one is fed by, and what else has its shape; whether it is a plane.
    let (mut from, mut like, mut is_plane) = ("x, y".to_owned(), None::<String>, true);
    let layers = 1 + below(random, 3);
    if paths.below(6) == 0 {
        text += " layer front = sum_pool(2) from x\n";
        from = "front, y".to_owned();
    }
    // In some networks targets reach all layers directly, and no window shows them; in others some.
    let all_direct = paths.below(4) == 0;
    for number in 0..layers {
        let name = format!("layer{number}");
        let bits = one_of(random, &["4", "8", "16"]);
        let (kind, options) = match below(random, if is_plane { 4 } else { 3 }) {
            0 => {
                let own =
                    format!("recurrent_weights = fixed {{ bits = {bits} }}, block = {}", 4 + below(random, count - 3));
                (format!("recurrent({count})"), own)
            }
            1 | 2 => (format!("dense({count})"), format!("block = {}", 4 + below(random, count - 3))),
            _ => {
                let size = 1 + below(random, sizes.kernel);
                let block = 1 + below(random, channels);
                let mut options = format!("padding = {}, block = {block}", size / 2);
                if sizes.stride > 1 {
                    options += &format!(", stride = {}", 1 + below(random, sizes.stride));
                }
                (format!("conv({channels}, {size})"), options)
            }
        };
        let grid = (all_direct || paths.below(8) == 0).then(|| 1 + paths.below(4));
        let learning = if random.below(5) > 0 { rule(random, window, grid) } else { "none".into() };
        text += &format!(
            " layer {name} = {kind} from {from} {{\n  {options}, weights = fixed {{ bits = {bits} }},\n  neurons = {},\n  learning = {learning}\n }}\n",
            neurons(random)
        );
        // What an addition adds has one shape.
        let is_behind_plane = std::mem::replace(&mut is_plane, kind.starts_with("conv"));
        let adds = kind.starts_with("dense") && from.starts_with("layer") && !is_behind_plane;
        let before = like.replace(name.clone()).filter(|_| adds);
        from = name.clone();
        if number + 1 == layers {
            break;
        }
        let between = match random.below(6) {
            0 if is_plane => format!("{}(2) from {name}", one_of(random, &["sum_pool", "max_pool", "average_pool"])),
            1 => format!("delay({}) from {name}", 1 + below(random, 3)),
            2 if before.is_some() => format!("add from {}, {name}", before.unwrap_or_default()),
            _ => continue,
        };
        text += &format!(" layer between{number} = {between}\n");
        from = format!("between{number}");
    }
    // Where a readout adds scores, of the last layer or of all.
    let all = (0..layers).map(|number| format!("layer{number}")).collect::<Vec<_>>().join(", ");
    let read = like.filter(|_| paths.below(3) > 0).unwrap_or(all);
    text + &format!(" readout z = nearest_target from {read}\n}}\n")
}

/// Shows a window to the chip: its tag, then in each step what is active of the input or the target.
fn show(
    machine: &mut Machine,
    image: &Image,
    tag: Tag,
    kind: HostInputKind,
    steps: &[Step<i64>],
) -> Result<Vec<i32>, String> {
    let find = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input of this kind");
    let (tags, lines) = (find(HostInputKind::Tag), find(kind));
    let outputs = machine.run(steps.len(), |inputs| {
        inputs.send(tags, 0, 0, tag.payload());
        for (at, active) in steps.iter().enumerate() {
            active.iter().for_each(|spike| inputs.send(lines, at, spike.place as u32, 1));
        }
    });
    Ok(outputs.map_err(|fault| fault.to_string())?.iter().map(|output| output.payload).collect())
}

fn compare(machine: &Machine, model: &Model<i64>, blocks: &[[usize; 3]]) -> Comparison {
    for &[number, layer, at] in blocks {
        let state = &model.layers[layer];
        let mut arrays = vec!["weights", "membrane", "count"];
        let is_direct = state.blocks[at].table.is_some();
        arrays.extend(if is_direct { &["rate", "table"][..] } else { &["target_count"] });
        arrays.extend(state.fed_by_target.then_some("target_weights"));
        arrays.extend((!state.own_weights.is_empty()).then_some("own_weights"));
        arrays.extend(state.rule.is_some().then_some("scores"));
        arrays.extend((state.rule.is_some() && !state.blocks[0].bias.is_empty()).then_some("bias"));
        let arrays: Vec<_> = arrays.into_iter().map(|name| (name, true)).collect();
        same_arrays(machine, model, [number, layer, at], &arrays, &[])?;
    }
    Ok(())
}

/// The most cycles that an image can take, of which all rules are shown to be kept.
fn proven(image: &Image) -> Result<Bounds, String> {
    let verdict = verify(image, &Contract::of_network());
    match verdict.breaches.first() {
        Some(breach) => Err(format!("not proven: {}: {breach}", breach.rule)),
        None => verdict.bounds.ok_or_else(|| "no bounds are proven".to_owned()),
    }
}

/// The text of a random network, and what the compiler makes of it for vectors of one of these lengths; nothing if it says that
/// it cannot.
fn drawn(seed: u64, random: &mut SplitMix64, sizes: &Sizes, lengths: &[u16]) -> (String, Option<Image>) {
    let text = text(random, &mut SplitMix64::new(!seed), sizes);
    let mut chip = Chip::builtin("large").expect("a chip of that name");
    chip.core.vector_length = lengths[below(random, lengths.len())];
    chip.memory.neuron_bytes = 1 << 20;
    chip.memory.axon_bytes = 1 << 20;
    chip.memory.synapse_bytes = 1 << 20;
    chip.memory.instruction_words = 1 << 14;
    let image = compile(&Source::new("composed.sp", text.as_str()), &onward_compile::Options::new(chip, seed)).ok();
    (text, image)
}

/// Shows samples of a random network to both; whether the compiler knows it.
fn run(seed: u64, samples: usize) -> Result<bool, String> {
    let random = &mut SplitMix64::new(seed);
    let (text, image) = drawn(seed, random, &Sizes::small(), &[64, 256]);
    let Some(image) = image else { return Ok(false) };
    let network = parsed(&text);
    let bounds = proven(&image).map_err(|what| format!("{what}\n{text}"))?;
    // The mesh takes time on this computer, too.
    let options = Options { seed, timing: seed.is_multiple_of(4), threads: 1 };
    let mut machine = Machine::new(&image, options).map_err(|error| error.to_string())?;
    let mut model = modelled(&network, &image, &machine, seed);
    let (blocks, pixels) = (layer_blocks(&image), network.input().size());
    let mut answers = Vec::new();
    let mut expected = Vec::new();
    for number in 0..samples {
        let sample: Vec<u8> =
            (0..pixels).map(|_| if random.below(3) == 0 { 0 } else { random.below(256) as u8 }).collect();
        let class = random.below(network.classes()) as usize;
        let learn = number % 4 != 3;
        let tag = |target| Tag { target, learn, slot: class as u16, ..Tag::default() };
        let shown = encode(&sample, model.window);
        answers.extend(show(&mut machine, &image, tag(false), HostInputKind::Input, &shown)?);
        if learn && model.shows_targets {
            let line = vec![spikes(&[class]); shown.len()];
            answers.extend(show(&mut machine, &image, tag(true), HostInputKind::Target, &line)?);
        }
        while machine.is_busy() {
            let outputs = machine.run(1, |_| {}).map_err(|fault| fault.to_string())?;
            answers.extend(outputs.iter().map(|output| output.payload));
        }
        if learn {
            model.learn(&shown, class, None, false);
            model.rest();
            compare(&machine, &model, &blocks).map_err(|what| format!("sample {number}: {what}\n{text}"))?;
        } else {
            expected.push(model.infer(&shown, false) as i32);
        }
    }
    let longest = machine.counters().timing.map_or(0, |timing| timing.longest_step);
    if longest > bounds.step_cycles {
        return Err(format!("a step of {longest} cycles, {} are proven\n{text}", bounds.step_cycles));
    }
    if answers == expected { Ok(true) } else { Err(format!("answers: {answers:?}, not {expected:?}\n{text}")) }
}

#[test]
fn whatever_the_compiler_knows_learns_as_the_model_says() {
    let cases: u64 = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400);
    let known = (0..cases).map(|seed| run(seed, 8).unwrap_or_else(|what| panic!("seed {seed}: {what}")));
    let known = known.filter(|known| *known).count();
    println!("{known} of {cases} networks are known to the compiler");
    assert!(known > 0, "no network is known to the compiler");
}

/// Networks of whatever sizes, on vectors of whatever lengths, for which the model would take too long: each that the compiler knows
/// is proven. More are tried by
///
///     PROPTEST_CASES=5000 cargo test --release -p testbench --test composed proven
#[test]
fn whatever_the_compiler_knows_is_proven() {
    let cases: u64 = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    let mut known = 0;
    for seed in 0..cases {
        let random = &mut SplitMix64::new(seed);
        let sizes = Sizes::drawn(random);
        let (text, image) = drawn(seed, random, &sizes, &[64, 128, 192, 256]);
        let Some(image) = image else { continue };
        known += 1;
        let length = image.chip.core.vector_length;
        proven(&image).unwrap_or_else(|what| panic!("seed {seed}, vectors of {length}: {what}\n{text}"));
    }
    println!("{known} of {cases} networks are known to the compiler");
    assert!(known > cases / 4, "hardly any network is known to the compiler");
}
