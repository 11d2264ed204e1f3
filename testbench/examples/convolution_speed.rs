//! How fast a convolutional network is emulated, and a large one compiled:
//! `cargo run --release -p testbench --example convolution_speed [conv|large|mnist]`.
//!
//! The convolutional network has an input of 2 x 32 x 32 and kernels of 3 x 3 into 16, 32 and 64 channels, an event in every
//! tenth axon each step. A synaptic event is a weight added to a sum because a spike arrived. One thread.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::{Feed, Machine};
use onward_image::{HostInputKind, Image, Tag};
use onward_profile::Activity;
use std::fmt::Write;
use std::time::Instant;

fn compiled(text: &str, chip: Chip) -> Image {
    let source = Source::new("benchmark.sp", text);
    let start = Instant::now();
    let image = compile(&source, &Options::new(chip, 1)).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let neurons: u64 = image.blocks.iter().map(|block| u64::from(block.neurons)).sum();
    println!(
        "{}: {} blocks, {neurons} neurons, compiled in {:.2?}",
        image.network.name,
        image.blocks.len(),
        start.elapsed()
    );
    image
}

fn chip(width: u16, height: u16) -> Chip {
    let mut chip = Chip::builtin("middle").expect("a chip");
    (chip.mesh.width, chip.mesh.height) = (width, height);
    chip.memory.synapse_bytes = 1 << 18;
    chip
}

/// Three convolutions, on cores with larger memories than usual so that a layer is a few blocks.
fn convolution() {
    let mut layers = String::new();
    let mut before = "x".to_owned();
    for (name, channels) in [("a", 16), ("b", 32), ("c", 64)] {
        writeln!(layers, "layer {name} = conv({channels}, 3) from {before} {{ padding = 1, rows = 8, block = {channels}, weights = fixed {{ bits = 8, gain = 1.5 }} }}")
            .expect("writing to memory");
        before = name.to_owned();
    }
    let text = format!(
        "network convolution {{\n window = 64\n input x = rate(2, 32, 32)\n {layers} readout y = spikes from c\n}}"
    );
    let mut chip = chip(4, 4);
    chip.memory.neuron_bytes = 1 << 18;
    chip.memory.axon_bytes = 1 << 18;
    chip.memory.axons = 1 << 16;
    let image = compiled(&text, chip);
    for timing in [false, true] {
        let mut machine =
            Machine::new(&image, onward_emulate::Options { seed: 1, timing, threads: 1 }).expect("an image");
        let find = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input");
        let (tag, input) = (find(HostInputKind::Tag), find(HostInputKind::Input));
        let start = Instant::now();
        for window in 0..8u64 {
            machine
                .run(64, |inputs| {
                    let feed: &mut dyn Feed = inputs;
                    feed.send(tag, 0, 0, Tag { target: false, learn: false, slot: 0 }.payload());
                    for step in 0..64 {
                        for axon in
                            (0..2048).filter(|axon| (axon * 7 + step as u32 * 3 + window as u32).is_multiple_of(10))
                        {
                            feed.send(input, step, axon, 1);
                        }
                    }
                })
                .expect("no fault");
        }
        let seconds = start.elapsed().as_secs_f64();
        let activity = Activity::of(&image, &machine.counters());
        println!(
            "  {}: {} synaptic events, {} spikes, {} neuron updates, {} cycles in {seconds:.2} s: {:.0} M synaptic events/s",
            if timing { "with cycles" } else { "values only" },
            activity.synaptic_events,
            activity.spikes,
            activity.neuron_updates,
            machine.cycles().unwrap_or(0),
            activity.synaptic_events as f64 / seconds / 1e6
        );
    }
}

/// 1,048,576 neurons in 1,024 blocks of 1,024, each with 256 inputs.
fn large() {
    let text = "network large {\n window = 8\n input x = rate(256)\n \
                layer n = dense(1048576) from x { block = 1024, weights = fixed { bits = 8, gain = 1.0 } }\n \
                readout y = spikes from n\n}";
    let image = compiled(text, chip(32, 32));
    drop(image);
}

fn mnist() {
    let text = std::fs::read_to_string("programs/mnist.sp").expect("run at the top of the repository");
    let mut chip = Chip::builtin("middle").expect("a chip");
    chip.name = "middle".into();
    compiled(&text, chip);
}

fn main() {
    let which = std::env::args().nth(1);
    let wanted = |name| which.as_deref().is_none_or(|which| which == name);
    if wanted("mnist") {
        mnist();
    }
    if wanted("conv") {
        convolution();
    }
    if wanted("large") {
        large();
    }
}
