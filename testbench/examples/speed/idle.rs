//! What cores that have nothing to do cost: ten busy cores on a chip of them alone, and on one of 10,000.

use super::{ROUNDS, compiled, giga, infer, line, samples, session, synaptic_events};
use onward_chip::Chip;
use onward_image::{BlockIndex, Core, Image};

const NETWORK: &str = "
network ten {
    window  = 16
    weights = fixed { bits = 16 }
    input x = rate(256)
    layer first   = dense(640) from x     { block = 128 }
    layer second  = dense(512) from first { block = 128 }
    layer classes = dense(10) from second
    readout answer = most_spikes from classes
}
";

/// A chip of so many cores, else alike.
fn chip(width: u16, height: u16) -> Chip {
    let mut chip = Chip::builtin("middle").expect("built in");
    chip.name = format!("{width} x {height}");
    (chip.mesh.width, chip.mesh.height) = (width, height);
    chip.barrier_cycles = 200;
    chip
}

/// The network on 10,000 cores, with a block on each core that has none: a copy of the first, which nobody feeds.
fn crowded() -> Image {
    let mut image = compiled(NETWORK, chip(100, 100));
    let mut free: Vec<bool> = vec![true; 10_000];
    for block in &image.blocks {
        free[block.core.0 as usize] = false;
    }
    let mut idle = image.blocks[BlockIndex(0)].clone();
    for route in &mut idle.routes {
        route.flits.clear();
    }
    for core in (0..10_000).filter(|&core| free[core as usize]) {
        image.blocks.push(onward_image::Block { core: Core(core), ..idle.clone() });
    }
    image
}

pub fn measure() {
    let images = [compiled(NETWORK, chip(4, 3)), compiled(NETWORK, chip(100, 100)), crowded()];
    let samples = samples(2000, 256, 5);
    let infer = infer(&samples);
    let mut sessions: Vec<_> = images.iter().map(|image| session(image, true, 1)).collect();
    let mut best = [0f64; 3];
    for round in 0..=ROUNDS {
        for ((best, session), image) in best.iter_mut().zip(&mut sessions).zip(&images) {
            let before = synaptic_events(session, image);
            let seconds = super::seconds(session, &infer);
            if round > 0 {
                *best = best.max((synaptic_events(session, image) - before) as f64 / seconds);
            }
        }
    }
    println!("{} busy blocks, with cycles, one thread", images[0].blocks.len());
    let names = ["a chip of 12 cores", "10,000 cores, the others empty", "10,000 cores, a block on each of them"];
    for (name, rate) in names.iter().zip(best) {
        line(name, giga(rate), rate / best[0], "of the small chip's speed");
    }
}
