//! Convolutions, event by event.

use super::{ROUNDS, bare, compiled, giga, infer, line, samples, session, synaptic_events};
use onward_chip::Chip;
use onward_run::Session;

const NETWORK: &str = "
network convolution {
    window  = 64
    weights = fixed { bits = 8, gain = 1.2 }
    input x  = rate(32, 32)
    layer c1 = conv(16, 3) from x  { padding = 1, block = 16 }
    layer c2 = conv(32, 3) from c1 { padding = 1, stride = 2, block = 32 }
    layer c3 = conv(64, 3) from c2 { padding = 1, stride = 2, block = 64 }
    layer classes = dense(10) from c3
    readout answer = most_spikes from classes
}
";

/// 32 x 32 inputs, 3 x 3 kernels, 16-32-64 channels.
pub fn measure() {
    let chip = Chip::load(concat!(env!("CARGO_MANIFEST_DIR"), "/chips/convolution.toml")).expect("a chip file");
    let image = compiled(NETWORK, chip);
    let samples = samples(40, 1024, 3);
    let infer = infer(&samples);
    let cases =
        [("no timing, one thread", false, 1), ("cycles, one thread", true, 1), ("cycles, two threads", true, 2)];
    let mut sessions: Vec<Session> =
        cases.iter().map(|&(_, timing, threads)| session(&image, timing, threads)).collect();
    let (mut limit, mut best, mut a_step) = (0f64, [0f64; 3], 0.0);
    for round in 0..=ROUNDS {
        limit = limit.max(bare::limit());
        for (best, session) in best.iter_mut().zip(&mut sessions) {
            let (before, step) = (synaptic_events(session, &image), session.machine().step());
            let seconds = super::seconds(session, &infer);
            let events = (synaptic_events(session, &image) - before) as f64;
            a_step = events / (session.machine().step() - step) as f64;
            if round > 0 {
                *best = best.max(events / seconds);
            }
        }
    }
    println!("convolutions 32x32, 3x3, 16-32-64 channels, 8-bit weights; {a_step:.0} synaptic events a step");
    for ((name, ..), rate) in cases.iter().zip(best) {
        line(name, giga(rate), rate / limit, "of the bare loop");
    }
}
