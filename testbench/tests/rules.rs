//! Each learning rule learns the digits, on the emulated chip, from programs that people use.

use onward_chip::Chip;
use onward_compile::compile;
use onward_diagnostic::Source;
use onward_emulate::Options;
use onward_image::Image;
use onward_run::data::Dataset;
use onward_run::{Session, silence, train};
use std::ops::ControlFlow;

const SEED: u64 = 7;

/// A network for the digits that learns by a rule, its weights drawn with a gain.
fn image(rule: &str, gain: f64) -> Image {
    let text = format!(
        "network digits {{
    window = 8
    learning = {rule}
    weights = fixed {{ gain = {gain:?} }}
    input pixels = rate(8, 8)
    target digit = classes(10)
    layer hidden1 = dense(128) from pixels, digit {{ block = 64 }}
    layer hidden2 = dense(128) from hidden1 {{ block = 64 }}
    readout answer = nearest_target from hidden2
}}
"
    );
    let source = Source::new("digits.sp", text);
    let options = onward_compile::Options::new(Chip::builtin("middle").expect("a built-in chip"), SEED);
    compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// Right answers in percent after some epochs, and the image with what was learned.
fn learned(rule: &str, gain: f64, epochs: u32) -> (f64, Image) {
    let (image, data) = (image(rule, gain), Dataset::load("digits").expect("built-in data"));
    let mut session = Session::new(&image, Options { seed: SEED, timing: false, threads: 2 }).expect("a machine");
    let proceed = |_| ControlFlow::Continue(());
    let report = train(&mut session, &image, &data, epochs, SEED, proceed, |_| {}).expect("a run");
    let last = report.epochs.last().expect("an epoch");
    (100.0 * last.right() as f64 / last.tested() as f64, onward_run::learned(session.machine(), &image, last.epoch + 1))
}

#[test]
fn every_rule_learns_the_digits() {
    let rules = [
        ("hinge { rate = 7 }", 95.0),
        ("softmax { rate = 7 }", 95.0),
        ("squared_error { rate = 7 }", 95.0),
        ("hebbian { rate = 7 }", 85.0),
        ("hinge { rate = 7, gate = voltage }", 95.0),
        ("hinge { rate = 7, optimizer = momentum }", 95.0),
        ("hinge { rate = 7, optimizer = adaptive }", 95.0),
        ("hinge { rate = 7, weight_decay = 14 }", 95.0),
        ("hinge { rate = 7, shifts = (3, 5) }", 95.0),
        ("hinge { rate = 7, rounding = carried }", 95.0),
        ("hinge { rate = 7, rounding = carried, batch = 8 }", 95.0),
        ("softmax { rate = 7, gate = voltage, optimizer = momentum }", 90.0),
    ];
    for (rule, least) in rules {
        let (accuracy, _) = learned(rule, 1.0, 6);
        println!("{rule}: {accuracy:.2} %");
        assert!(accuracy > least, "{rule}: {accuracy:.2} % after 6 epochs");
    }
}

#[test]
fn neurons_that_never_fire_are_counted_and_revived() {
    let data = Dataset::load("digits").expect("built-in data");
    let count = |image: &Image| {
        let of_layers = silence(image, &data.test, SEED).expect("a run");
        assert_eq!(
            of_layers.iter().map(|of| (of.layer.as_str(), of.neurons)).collect::<Vec<_>>(),
            [("hidden1", 128), ("hidden2", 128)]
        );
        of_layers.iter().map(|of| of.silent).sum::<usize>()
    };
    let run = |rule: &str, gain: f64| {
        let (before, (accuracy, after)) = (count(&image(rule, gain)), learned(rule, gain, 4));
        let after = count(&after);
        println!("{rule}, gain {gain}: {before} silent before, {after} after, {accuracy:.2} %");
        (before, after)
    };
    // Weights of nearly nothing: no neuron reaches its threshold.
    let (before, after) = run("hinge { rate = 7 }", 0.001);
    assert_eq!(before, 256);
    assert!(after < 26, "{after} neurons stay silent");
    // Weights so large that some neurons are far below the window of the gate for every digit: only their own means
    // tell them.
    let (before, after) = run("hinge { rate = 7 }", 6.0);
    let (same, without) = run("hinge { rate = 7, revive = none }", 6.0);
    assert_eq!(before, same);
    assert!(before > 0 && after < without, "{before} before, {after} after, {without} without homeostasis");
}
