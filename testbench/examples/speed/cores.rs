//! Two threads over one, 1,024 cores busy.

use super::{ROUNDS, compiled, giga, line, observe, samples, session, synaptic_events};
use onward_chip::Chip;

const NETWORK: &str = "
network cores {
    window  = 16
    weights = fixed { bits = 8 }
    # So that few of them fire: it is the cores that shall be busy, not the one port to the host.
    neurons = integrate_and_fire { threshold = 6.0 }
    input x = rate(256)
    layer wide  = dense(131072) from x { block = 128 }
    readout out = spikes from wide
}
";

pub fn measure() {
    let chip = Chip::load(concat!(env!("CARGO_MANIFEST_DIR"), "/chips/million.toml")).expect("a chip file");
    let image = compiled(NETWORK, chip);
    let samples = samples(192, 256, 5);
    let observe = observe(&samples);
    let mut sessions = [session(&image, true, 1), session(&image, true, 2)];
    let mut best = [0f64; 2];
    for round in 0..=ROUNDS {
        for (best, session) in best.iter_mut().zip(&mut sessions) {
            let before = synaptic_events(session, &image);
            let seconds = super::seconds(session, &observe);
            if round > 0 {
                *best = best.max((synaptic_events(session, &image) - before) as f64 / seconds);
            }
        }
    }
    let counters = sessions[0].machine().counters();
    let (steps, timing) = (counters.steps as f64, counters.timing.unwrap_or_default());
    println!(
        "{} blocks on 1,024 cores, all busy, with cycles; a step takes {:.0} of them, and {:.0} flits",
        image.blocks.len(),
        timing.cycles as f64 / steps,
        timing.injected as f64 / steps
    );
    line("one thread", giga(best[0]), 1.0, "of one thread");
    line("two threads", giga(best[1]), best[1] / best[0], "of one thread");
}
