//! How long compiling takes.

use super::{ROUNDS, compiled};
use onward_chip::Chip;
use std::time::Instant;

/// Many blocks that all hear each other.
const WIDE: &str = "
network wide {
    window  = 8
    weights = fixed { bits = 4 }
    input x = rate(16)
    layer a = dense(1024) from x { block = 2 }
    layer b = dense(1024) from a { block = 2 }
    readout y = spikes from b
}
";

pub fn measure() {
    println!("compiling; the million neurons are under `memory`");
    let middle = Chip::builtin("middle").expect("built in");
    let large = Chip::load(concat!(env!("CARGO_MANIFEST_DIR"), "/chips/million.toml")).expect("a chip file");
    let mut wide = large.clone();
    (wide.memory.axon_bytes, wide.memory.axons, wide.memory.routes) = (1 << 14, 1 << 12, 1 << 12);
    let mnist = include_str!("../../../programs/mnist.sp");
    for (what, text, chip) in [("784-512-512", mnist, middle), ("512 blocks to 512 blocks, all to all", WIDE, wide)] {
        let mut best = f64::INFINITY;
        let mut blocks = 0;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            blocks = compiled(text, chip.clone()).blocks.len();
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("  {what:44} {:>34}", format!("{best:.3} s, {blocks} blocks"));
    }
}
