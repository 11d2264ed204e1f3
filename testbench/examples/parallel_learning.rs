//! What learning in all layers at the same time costs and saves: emulated cycles a sample with 2, 4, 8 and 16 equal layers.
//!
//! ```text
//! cargo run --release -p testbench --example parallel_learning              updates at once
//! cargo run --release -p testbench --example parallel_learning -- spread    in parts
//! ```
//!
//! The cycles of each block in each step are counted, and what the machine took is held against four ways in which the same
//! work could have been laid out in time:
//!
//! - *in step*: each step lasts as long as its slowest core (the machine, but for packets still under way and the barrier);
//! - *together*: the same if all layers' windows closed in the same step, so that updates fell together;
//! - *free*: no barrier at all, only the busiest core counts;
//! - *locked*: a backward pass after each sample: the window runs through all layers, then each layer waits for the error of the
//!   next before it updates, and the next sample waits for the first layer. No target window is shown. What a layer's backward
//!   pass takes is put at what its update takes here, though it would have to multiply by the transposed weights too.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::{Engine, HostPacket, Machine, Options as Emulation};
use onward_image::{HostInputKind, Image, PopulationKind, Tag};
use onward_run::data::{Dataset, Samples, encode_rate};

/// Samples learned from before it is counted, and while it is.
const WARM: usize = 400;
const COUNTED: usize = 200;
/// Pixels of an image's side: digits of 8 x 8, each pixel four times.
const SIDE: usize = 16;
/// Neurons of a layer, in two blocks.
const NEURONS: usize = SIDE * SIDE;

/// A network of equal layers.
fn text(layers: usize, update: &str) -> String {
    let mut text = format!(
        "network layers {{\n    window = 8\n    input  pixels = rate({SIDE}, {SIDE})\n    target digit  = classes(10)\n    \
         neurons  = integrate_and_fire {{ threshold = 1.0, reset = subtract }}\n    weights  = fixed {{ bits = 16 }}\n    \
         learning = hinge {{ rate = 8, margin = 0.3, gate = surrogate{update} }}\n"
    );
    for layer in 1..=layers {
        let from = if layer == 1 { "pixels, digit".to_owned() } else { format!("hidden{}", layer - 1) };
        text += &format!("    layer hidden{layer} = dense({NEURONS}) from {from} {{ block = 128 }}\n");
    }
    text + &format!("    readout answer = nearest_target from hidden{layers}\n}}\n")
}

/// What the host sends of a sample in each step of its windows.
fn packets(image: &Image, samples: &Samples, sample: usize) -> Vec<Vec<HostPacket>> {
    let input = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("the network has it");
    let (tags, targets, pixels) =
        (input(HostInputKind::Tag), input(HostInputKind::Target), input(HostInputKind::Input));
    let window = image.network.window_steps as usize;
    let (class, small) = (samples.label(sample), samples.pixels(sample));
    let large: Vec<u8> = (0..NEURONS).map(|at| small[at / SIDE / 2 * 8 + at % SIDE / 2]).collect();
    let words = NEURONS / 64;
    let mut bits = vec![0; window * words];
    encode_rate(&large, window as u32, &mut bits, words);
    let packet = |input, index, payload| HostPacket { step: 0, input, index, payload };
    let mut steps = vec![Vec::new(); 2 * window];
    for (step, sent) in steps.iter_mut().enumerate() {
        if step % window == 0 {
            let tag = Tag { target: step == window, learn: true, slot: class, ..Tag::default() };
            sent.push(packet(tags, 0, tag.payload()));
        }
        if step < window {
            let bits = &bits[step * words..][..words];
            let active = (0..NEURONS).filter(|at| bits[at / 64] >> (at % 64) & 1 == 1);
            sent.extend(active.map(|at| packet(pixels, at as u32, 1)));
        } else {
            sent.push(packet(targets, u32::from(class), 1));
        }
    }
    steps
}

/// Cycles of a run.
struct Cycles {
    /// Of each block, in each step that was counted.
    blocks: Vec<Vec<u64>>,
    /// Of the machine.
    machine: u64,
}

fn run(image: &Image, samples: &Samples) -> Cycles {
    let mut machine = Machine::new(image, Emulation { seed: 1, timing: true, threads: 1 }).expect("an image");
    let of_blocks = |machine: &Machine| machine.counters().blocks.iter().map(|block| block.cycles).collect::<Vec<_>>();
    // Later layers still work on what came before; they begin to be counted with it.
    let (mut before, mut first) = (Vec::new(), 0);
    let mut blocks = vec![Vec::new(); image.blocks.len()];
    for sample in 0..WARM + COUNTED {
        if sample == WARM {
            (before, first) = (of_blocks(&machine), machine.cycles().expect("time is kept"));
        }
        for sent in packets(image, samples, sample % samples.len()) {
            machine.run_packets(1, &sent).expect("no fault");
            if sample >= WARM {
                let now = of_blocks(&machine);
                for ((cycles, now), before) in blocks.iter_mut().zip(&now).zip(&before) {
                    cycles.push(now - before);
                }
                before = now;
            }
        }
    }
    Cycles { blocks, machine: machine.cycles().expect("time is kept") - first }
}

/// A way to lay out the same work, in cycles a sample.
fn in_step(blocks: &[Vec<u64>], shift: impl Fn(usize) -> usize) -> f64 {
    let steps = blocks[0].len() - blocks.iter().enumerate().map(|(block, _)| shift(block)).max().unwrap_or(0);
    let slowest = |step: usize| {
        let cycles = blocks.iter().enumerate().map(|(block, cycles)| cycles[step + shift(block)]);
        cycles.max().unwrap_or(0)
    };
    (0..steps).map(slowest).sum::<u64>() as f64 / steps as f64
}

fn measure(layers: usize, update_option: &str) {
    let text = text(layers, update_option);
    let source = Source::new("layers.sp", text);
    let chip = Chip::builtin("large").expect("a built-in chip");
    let image = compile(&source, &Options::new(chip, 1)).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let data = Dataset::load("digits").expect("built-in data");
    let ran = run(&image, &data.train);
    let population = |block: usize| image.population(&image.blocks.raw[block]);
    let window = image.network.window_steps as usize;
    let period = 2.0 * window as f64;
    // A layer's windows lie its lag behind the input's, of which the first step is that of the next chunk.
    let lag = |block: usize| population(block).lag as usize;
    let is_layer = |block: usize| matches!(population(block).kind, PopulationKind::Layer { .. });
    let layer_blocks: Vec<usize> = (0..image.blocks.len()).filter(|&block| is_layer(block)).collect();
    let free = ran.blocks.iter().map(|cycles| cycles.iter().sum::<u64>()).max().unwrap_or(0) as f64 / COUNTED as f64;
    // Means over samples and blocks of a layer's step, by its place in the two windows.
    let mut by_place = vec![(0.0, 0.0); 2 * window];
    for &block in &layer_blocks {
        for (step, &cycles) in ran.blocks[block].iter().enumerate().skip(lag(block)) {
            let place = &mut by_place[(step - lag(block)) % (2 * window)];
            *place = (place.0 + cycles as f64, place.1 + 1.0);
        }
    }
    let mean: Vec<f64> = by_place.iter().map(|(sum, count)| sum / count).collect();
    let forward = mean[..window].iter().sum::<f64>() / window as f64;
    let update = mean[2 * window - 1] - mean[window..2 * window - 1].iter().sum::<f64>() / (window - 1) as f64;
    // In parts, the last step says nothing of how long an update takes.
    let at_once = update_option.is_empty();
    let locked = (window + layers - 1) as f64 * forward + layers as f64 * update;
    let only = |value: f64| if at_once { format!("{value:.0}") } else { "-".to_owned() };
    println!(
        "  {layers:>6}   {:>9.0}   {:>9.0}   {:>9.0}   {:>9.0}   {:>9}   {:>9.0}   {:>9}",
        ran.machine as f64 / COUNTED as f64,
        period * in_step(&ran.blocks, |_| 0),
        period * in_step(&ran.blocks, lag),
        free,
        only(locked),
        forward,
        only(update),
    );
    let bytes = learning_bytes(&image);
    let per_layer = bytes as f64 / layers as f64;
    println!("           {per_layer:.0} bytes a layer are kept for learning, beside the weights");
}

/// Bytes of all that layers keep for learning alone.
fn learning_bytes(image: &Image) -> u64 {
    let kept = [
        "trace",
        "target_trace",
        "voltage",
        "target_voltage",
        "mean_count",
        "pull",
        "own_pull",
        "rival_pull",
        "kept_slot",
        "kept_rival",
        "parts",
        "next_trace",
        "done_trace",
    ];
    let symbols = image.blocks.iter().flat_map(|block| &block.symbols);
    symbols
        .filter(|symbol| kept.contains(&symbol.name.as_str()))
        .map(|symbol| symbol.elements() * u64::from(symbol.width_bits) / 8)
        .sum()
}

fn main() {
    println!(
        "  Equal layers of {NEURONS} neurons, windows of 8 steps; cycles a sample, and a layer's forward step and update\n"
    );
    println!("  layers     machine     in step    together        free      locked     forward      update");
    let update = std::env::args().nth(1).map_or(String::new(), |update| format!(", update = {update}"));
    for layers in [2, 4, 8, 16] {
        measure(layers, &update);
    }
}
