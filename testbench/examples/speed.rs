//! How fast the emulator is, beside a bare loop of the same run: `cargo run --release -p testbench --example speed`.
//!
//! A synaptic event is one weight added to one membrane. Machines are noisy: read the ratios, not the figures. With
//! `RUSTFLAGS="-C target-cpu=native"` the bare loop too may use all that the host has; the emulator does so by itself.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::Options as Emulation;
use onward_image::Image;
use onward_profile::Activity;
use onward_run::Session;
use onward_run::data::{Samples, SplitMix64};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

const ROUNDS: usize = 5;

/// Weights added per second by a loop that does nothing else: rows of 16 bits in L2 into 32-bit sums, one thread.
fn bare_loop() -> f64 {
    let (rows, neurons, sweeps) = (512, 512, 2000);
    let weights: Vec<i16> = (0..rows * neurons).map(|at| (at * 7919 % 251) as i16 - 125).collect();
    let mut sums = vec![0i32; neurons];
    let start = Instant::now();
    for _ in 0..sweeps {
        for row in weights.chunks_exact(neurons) {
            for (sum, &weight) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(weight.into());
            }
        }
        black_box(&mut sums);
    }
    (rows * neurons * sweeps) as f64 / start.elapsed().as_secs_f64()
}

/// The MNIST network.
fn image() -> Image {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/mnist.sp");
    let source = Source::new("mnist.sp", std::fs::read_to_string(path).expect("the program is there"));
    let options = Options::new(Chip::builtin("middle").expect("a built-in chip"), 1);
    compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// Random images of which a fifth of the pixels is lit, as in MNIST.
fn samples(count: usize) -> Samples {
    let mut random = SplitMix64::new(1);
    let pixels = (0..count * 784).map(|_| if random.below(5) == 0 { random.below(256) as u8 } else { 0 }).collect();
    let labels = (0..count).map(|at| (at % 10) as u16).collect();
    Samples::new(pixels, labels, 784)
}

/// Weights that active axons added so far.
fn synaptic_events(session: &Session, image: &Image) -> u64 {
    Activity::of(image, &session.machine().counters()).synaptic_events
}

/// Runs `work` and returns synaptic events per second.
fn rate(image: &Image, timing: bool, threads: usize, mut work: impl FnMut(&mut Session)) -> f64 {
    let mut session = Session::new(image, Emulation { seed: 1, timing, threads }).expect("the image is sound");
    work(&mut session); // warm: caches, thread pool
    let before = synaptic_events(&session, image);
    let start = Instant::now();
    work(&mut session);
    (synaptic_events(&session, image) - before) as f64 / start.elapsed().as_secs_f64()
}

fn main() {
    let image = image();
    let samples = samples(500);
    let order: Vec<u32> = (0..samples.len() as u32).collect();
    let infer = |session: &mut Session| {
        session.infer(&samples, samples.len(), |_| ControlFlow::Continue(())).expect("no fault");
    };
    let learn = |session: &mut Session| {
        session.learn(&samples, &order, |_| ControlFlow::Continue(())).expect("no fault");
    };
    let mut best = [0f64; 6];
    for _ in 0..ROUNDS {
        let rates = [
            bare_loop(),
            rate(&image, false, 1, infer),
            rate(&image, true, 1, infer),
            rate(&image, true, 2, infer),
            rate(&image, false, 1, learn),
            rate(&image, true, 2, learn),
        ];
        for (best, rate) in best.iter_mut().zip(rates) {
            *best = best.max(rate);
        }
    }
    let names = [
        "bare loop, one thread",
        "inference, no timing, one thread",
        "inference, cycles, one thread",
        "inference, cycles, two threads",
        "learning, no timing, one thread",
        "learning, cycles, two threads",
    ];
    println!("dense 784-512-512, 16-bit weights; best of {ROUNDS}");
    for (name, rate) in names.iter().zip(best) {
        println!("{name:34} {:8.2} G synaptic events/s   {:.3} of the bare loop", rate / 1e9, rate / best[0]);
    }
}
