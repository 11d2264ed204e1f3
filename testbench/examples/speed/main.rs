//! How fast the emulator is, each figure beside its yardstick from the same run:
//!
//! ```text
//! cargo run --release -p testbench --example speed            all of it, some ten minutes
//! cargo run --release -p testbench --example speed -- dense   parts: dense epoch convolution cores idle memory compile
//! ```
//!
//! A synaptic event is one weight added to one membrane; updates by learning are not counted. Machines are noisy: read the
//! ratios, not the figures. Each figure is the best of five rounds that take turns.

mod bare;
mod compile;
mod convolution;
mod cores;
mod dense;
mod epoch;
mod idle;
mod memory;

use onward_emulate::Options as Emulation;
use onward_image::Image;
use onward_profile::Activity;
use onward_run::Session;
use onward_run::data::{Samples, SplitMix64};
use std::ops::ControlFlow;
use std::time::Instant;

/// Rounds of which the best counts.
const ROUNDS: usize = 5;

/// Compiles a network; the text must be right.
fn compiled(text: &str, chip: onward_chip::Chip) -> Image {
    let source = onward_diagnostic::Source::new("speed.sp", text);
    let options = onward_compile::Options::new(chip, 1);
    onward_compile::compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// Random images of which one pixel in `one_in` is lit.
fn samples(count: usize, pixels: usize, one_in: u32) -> Samples {
    let mut random = SplitMix64::new(1);
    let lit = (0..count * pixels).map(|_| if random.below(one_in) == 0 { random.below(256) as u8 } else { 0 });
    Samples::new(lit.collect(), (0..count).map(|at| (at % 10) as u16).collect(), pixels)
}

/// A session with an image.
fn session(image: &Image, timing: bool, threads: usize) -> Session {
    Session::new(image, Emulation { seed: 1, timing, threads }).expect("the image is sound")
}

/// Weights that active axons added so far.
fn synaptic_events(session: &Session, image: &Image) -> u64 {
    Activity::of(image, &session.machine().counters()).synaptic_events
}

/// Seconds that `work` takes, once all is warm, and until its cycles are known.
fn seconds(session: &mut Session, work: &dyn Fn(&mut Session)) -> f64 {
    let start = Instant::now();
    work(session);
    session.machine().cycles();
    start.elapsed().as_secs_f64()
}

/// Shows samples and learns nothing.
fn infer(samples: &Samples) -> impl Fn(&mut Session) {
    move |session| {
        session.infer(samples, samples.len(), |_| ControlFlow::Continue(())).expect("no fault");
    }
}

/// Shows samples to a network that answers with spikes.
fn observe(samples: &Samples) -> impl Fn(&mut Session) {
    move |session| {
        session.observe(samples, samples.len(), |_| ControlFlow::Continue(())).expect("no fault");
    }
}

/// Prints a figure with what it is measured by.
fn line(what: &str, figure: String, ratio: f64, of: &str) {
    println!("  {what:44} {figure:>34}   {ratio:6.3} {of}");
}

/// Events per second, for people.
fn giga(rate: f64) -> String {
    format!("{:.3} G synaptic events/s", rate / 1e9)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [only, image] = &arguments[..]
        && only == memory::CHILD
    {
        return memory::child(image.as_ref());
    }
    type Part = (&'static str, fn());
    let parts: [Part; 7] = [
        ("dense", dense::measure),
        ("epoch", epoch::measure),
        ("convolution", convolution::measure),
        ("cores", cores::measure),
        ("idle", idle::measure),
        ("memory", memory::measure),
        ("compile", compile::measure),
    ];
    for argument in &arguments {
        if parts.iter().all(|(name, _)| name != argument) {
            eprintln!("no part `{argument}`: there are {}", parts.map(|(name, _)| name).join(", "));
            std::process::exit(2);
        }
    }
    for (name, measure) in parts {
        if arguments.is_empty() || arguments.iter().any(|argument| argument == name) {
            measure();
        }
    }
}
