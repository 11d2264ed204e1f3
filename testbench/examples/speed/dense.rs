//! Dense layers against the bare loop.

use super::{ROUNDS, bare, compiled, giga, infer, line, samples, session, synaptic_events};
use onward_chip::Chip;
use onward_run::Session;
use std::ops::ControlFlow;

/// 784-512-512, 16-bit weights.
pub fn measure() {
    let image = compiled(include_str!("../../../programs/mnist.sp"), Chip::builtin("middle").expect("built in"));
    let samples = samples(500, 784, 5);
    let order: Vec<u32> = (0..samples.len() as u32).collect();
    let learn = |session: &mut Session| {
        session.learn(&samples, &order, |_| ControlFlow::Continue(())).expect("no fault");
    };
    let infer = infer(&samples);
    type Work<'a> = &'a dyn Fn(&mut Session);
    let cases: [(&str, bool, usize, Work); 5] = [
        ("inference, no timing, one thread", false, 1, &infer),
        ("inference, cycles, one thread", true, 1, &infer),
        ("inference, cycles, two threads", true, 2, &infer),
        ("learning, no timing, one thread", false, 1, &learn),
        ("learning, cycles, two threads", true, 2, &learn),
    ];
    let mut sessions: Vec<Session> =
        cases.iter().map(|&(_, timing, threads, _)| session(&image, timing, threads)).collect();
    let (mut limit, mut best) = (0f64, [0f64; 5]);
    for round in 0..=ROUNDS {
        limit = limit.max(bare::limit());
        for ((best, session), (_, _, _, work)) in best.iter_mut().zip(&mut sessions).zip(&cases) {
            let before = synaptic_events(session, &image);
            let seconds = super::seconds(session, work);
            // The first round only warms caches and thread pools.
            if round > 0 {
                *best = best.max((synaptic_events(session, &image) - before) as f64 / seconds);
            }
        }
    }
    println!("dense 784-512-512, 16-bit weights");
    line("bare loop, one thread", giga(limit), 1.0, "");
    if let Some(yardstick) = bare::yardstick() {
        let rates = (0..ROUNDS).filter_map(|_| bare::run(&yardstick, &["limit"]));
        let best = rates.filter_map(|text| first_number(&text)).fold(0.0, f64::max);
        line(
            "`yardstick limit`, one thread",
            format!("{best} as it prints it"),
            best * 1e9 / limit,
            "of the bare loop",
        );
    }
    for ((name, ..), rate) in cases.iter().zip(best) {
        line(name, giga(rate), rate / limit, "of the bare loop");
    }
}

/// The first number in a text.
fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().find_map(|word| word.parse().ok())
}
