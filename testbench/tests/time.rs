//! Layers that learn while they listen: tasks that need the past, and the same weights however they are computed.

use onward_chip::Chip;
use onward_compile::compile;
use onward_diagnostic::Source;
use onward_emulate::Options;
use onward_image::Image;
use onward_run::data::{Dataset, Samples, SplitMix64};
use onward_run::{EpochReport, Session, train};
use std::ops::ControlFlow;

/// Symbols that are shown, and axons of each.
const SYMBOLS: u32 = 4;
const AXONS: u32 = 4;
/// Windows of a sequence.
const WINDOWS: usize = 6;

const NETWORK: &str = "network symbols {
    window = 8
    input  symbol = rate(16)
    target answer_to = classes(4)
    layer listening = recurrent(128) from symbol, answer_to {
        recurrent_weights = fixed { gain = 0.5 }, block = 32,
        neurons = current_based { current = spread(0.5, 0.98), leak = spread(0.95, 0.5) },
        learning = hinge { rate = 7, margin = 0.1, every = 2, memory = 4 }
    }
    readout answer = nearest_target from listening
}";

fn image(chip: Chip) -> Image {
    let source = Source::new("symbols.sp", NETWORK);
    let options = onward_compile::Options::new(chip, 1);
    compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

fn middle() -> Chip {
    Chip::builtin("middle").expect("a built-in chip")
}

/// Sequences of symbols, a window each. The label of a window is the symbol of the window `back` before it, at first that of
/// the first. Without `carried` each window stands for itself.
fn part(sequences: usize, back: usize, carried: bool, random: &mut SplitMix64) -> Samples {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..sequences {
        let symbols: Vec<u32> = (0..WINDOWS).map(|_| random.below(SYMBOLS)).collect();
        for at in 0..WINDOWS {
            pixels.extend((0..SYMBOLS * AXONS).map(|axon| if axon / AXONS == symbols[at] { 255 } else { 0 }));
            labels.push(symbols[at.saturating_sub(back)] as u16);
        }
    }
    let samples = Samples::new(pixels, labels, (SYMBOLS * AXONS) as usize);
    if carried { samples.in_sequences_of(WINDOWS) } else { samples }
}

fn symbols(sequences: usize, back: usize, carried: bool) -> Dataset {
    let mut random = SplitMix64::new(5);
    let shape = vec![SYMBOLS * AXONS];
    let (train, test) = (part(sequences, back, carried, &mut random), part(100, back, carried, &mut random));
    Dataset::given("symbols", shape, SYMBOLS, train, test)
}

fn last_epoch(chip: Chip, data: &Dataset, epochs: u32, timing: bool, threads: usize) -> EpochReport {
    let image = image(chip);
    let mut session = Session::new(&image, Options { seed: 1, timing, threads }).expect("a machine");
    let report = train(&mut session, &image, data, epochs, 1, |_| ControlFlow::Continue(()), |_| {}).expect("a run");
    report.epochs.last().expect("an epoch").clone()
}

#[test]
fn targets_change_from_window_to_window() {
    let percent = |back, carried, epochs| {
        last_epoch(middle(), &symbols(400, back, carried), epochs, false, 2).accuracy_percent().expect("it was tested")
    };
    let now = percent(0, true, 10);
    let before = percent(1, true, 12);
    // A guess is right in the first window of six, and in a quarter of the others: 37.5 %.
    let forgotten = percent(1, false, 3);
    println!(
        "the symbol shown: {now:.1} %; the one before: {before:.1} %, and {forgotten:.1} % if nothing is carried on"
    );
    assert!(now >= 95.0, "the symbol that is shown: {now:.1} %");
    assert!(before >= 85.0, "the symbol before: {before:.1} %");
    assert!(forgotten < 45.0, "without what was before: {forgotten:.1} %");
}

#[test]
fn weights_do_not_depend_on_how_they_are_computed() {
    let data = symbols(20, 1, true);
    let of = |chip, timing, threads| last_epoch(chip, &data, 1, timing, threads).weights_hash;
    let first = of(middle(), true, 1);
    let (mut lanes, mut slow) = (middle(), Chip::builtin("large").expect("a built-in chip"));
    lanes.core.lanes = 64;
    slow.mesh.link_cycles = 3;
    slow.mesh.buffer_flits = 1;
    for (what, hash) in [
        ("without timing", of(middle(), false, 1)),
        ("two threads", of(middle(), true, 2)),
        ("64 lanes", of(lanes, true, 1)),
        ("a larger mesh with slow links", of(slow, true, 2)),
    ] {
        assert_eq!(hash, first, "{what}");
    }
}

/// The published recordings, if they are there.
#[test]
fn spoken_digits_are_learned() {
    let folder = std::env::var("ONWARD_DATA").unwrap_or_else(|_| "../../shared/data".into()) + "/spoken-digits";
    if !std::path::Path::new(&folder).is_dir() {
        println!("{folder} is not there: skipped");
        return;
    }
    let data = Dataset::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((data.train.len(), data.test.len(), data.classes), (2700, 300, 10));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/learning/spoken-digits.sp");
    let source = Source::new("spoken-digits.sp", std::fs::read_to_string(path).expect("the program"));
    let options = onward_compile::Options::new(middle(), 1);
    let image = compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let mut session = Session::new(&image, Options { seed: 1, timing: false, threads: 2 }).expect("a machine");
    let report = train(&mut session, &image, &data, 4, 1, |_| ControlFlow::Continue(()), |_| {}).expect("a run");
    let best = report.epochs.iter().filter_map(EpochReport::accuracy_percent).fold(0.0, f64::max);
    assert!(best >= 70.0, "{best:.1} % after four epochs of which a whole run has twenty");
}
