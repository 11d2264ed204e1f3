//! Two threads over one, 1,024 cores busy.

use super::{ROUNDS, compiled, giga, infer, line, samples, session, synaptic_events};
use onward_chip::Chip;

const NETWORK: &str = "
network cores {
    window  = 16
    weights = fixed { bits = 8 }
    input x = rate(256)
    layer wide    = dense(130560) from x    { block = 128 }
    layer classes = dense(10) from x
    readout answer = most_spikes from classes
}
";

pub fn measure() {
    let chip = Chip::load(concat!(env!("CARGO_MANIFEST_DIR"), "/chips/million.toml")).expect("a chip file");
    let image = compiled(NETWORK, chip);
    let samples = samples(64, 256, 5);
    let infer = infer(&samples);
    let mut sessions = [session(&image, true, 1), session(&image, true, 2)];
    let mut best = [0f64; 2];
    for round in 0..=ROUNDS {
        for (best, session) in best.iter_mut().zip(&mut sessions) {
            let before = synaptic_events(session, &image);
            let seconds = super::seconds(session, &infer);
            if round > 0 {
                *best = best.max((synaptic_events(session, &image) - before) as f64 / seconds);
            }
        }
    }
    println!("{} blocks on 1,024 cores, all busy, with cycles", image.blocks.len());
    line("one thread", giga(best[0]), 1.0, "of one thread");
    line("two threads", giga(best[1]), best[1] / best[0], "of one thread");
}
