//! Data sets with values to be learned, made of arithmetic or of another built-in one.

use super::error::DataError;
use super::{Dataset, Samples};

/// Values of the series that a sample shows, and steps of the series from one to the next.
const TAPS: usize = 4;
const GAP: usize = 6;
/// Steps of the series from the last value shown to the one that is to be learned.
const AHEAD: usize = 6;
/// Lines a value is spread over.
const LINES: usize = 8;
const TRAIN: usize = 4000;
const TEST: usize = 1000;

/// The names of the sets that are made here.
pub(super) const NAMES: [&str; 2] = ["mackey-glass", "digits-of-classes"];

/// The data set of that name, one of [`NAMES`].
pub(super) fn dataset(name: &str) -> Result<Dataset, DataError> {
    match name {
        "mackey-glass" => Ok(mackey_glass(name)),
        _ => Dataset::load("digits").map(|digits| of_classes(name, &digits)),
    }
}

/// The series of Mackey and Glass, "Oscillation and chaos in physiological control systems", Science 197 (1977):
/// dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t), from x = 1.2, by Euler's method in steps of 0.1; the first 1,000
/// of the unit steps are left out. Only products, quotients and sums are used, so that it is the same on every machine.
fn series(count: usize) -> Vec<f64> {
    const DELAY: usize = 170;
    const SKIP: usize = 1000;
    let mut x = vec![1.2f64; DELAY + 1];
    for at in DELAY..DELAY + (SKIP + count) * 10 {
        let delayed = x[at - DELAY];
        let (square, now) = (delayed * delayed, x[at]);
        let fourth = square * square;
        let tenth = fourth * fourth * square;
        x.push(now + 0.1 * (0.2 * delayed / (1.0 + tenth) - 0.1 * now));
    }
    (0..count).map(|step| x[DELAY + (SKIP + step) * 10]).collect()
}

/// A sample shows four values of the series, six steps apart, each on eight lines: line l is the brighter the nearer the value,
/// between the least and the greatest of the series, is to l / 7. To be learned is the value six steps after the last.
fn mackey_glass(name: &str) -> Dataset {
    let first = (TAPS - 1) * GAP;
    let series = series(first + TRAIN + TEST + AHEAD);
    let (least, greatest) = series.iter().fold((f64::MAX, f64::MIN), |(l, g), &x| (l.min(x), g.max(x)));
    let scaled: Vec<f64> = series.iter().map(|x| (x - least) / (greatest - least)).collect();
    let part = |from: usize, count: usize| {
        let samples = first + from..first + from + count;
        let lines = (LINES - 1) as f64;
        let bright = |value: f64, line: usize| {
            let distance = (value * lines - line as f64).abs() / 1.5;
            ((1.0 - distance).max(0.0) * 255.0).round() as u8
        };
        let pixels = samples.clone().flat_map(|at| {
            let scaled = &scaled;
            (0..TAPS).flat_map(move |tap| (0..LINES).map(move |line| bright(scaled[at - tap * GAP], line)))
        });
        let values: Vec<f64> = samples.clone().map(|at| scaled[at + AHEAD]).collect();
        Samples::with_labels(pixels.collect(), None, count, TAPS * LINES).with_values(&values)
    };
    let shape = vec![TAPS as u32, LINES as u32];
    Dataset::given(name, shape, 0, part(0, TRAIN), part(TRAIN, TEST))
}

/// The other way round: a sample shows a class, and the image is to be learned.
fn of_classes(name: &str, digits: &Dataset) -> Dataset {
    let classes = digits.classes as usize;
    let part = |of: &Samples| {
        let lines = |at: usize| (0..classes).map(move |class| if of.label(at) as usize == class { 255 } else { 0 });
        let pixels = (0..of.len()).flat_map(lines).collect();
        let values: Vec<f64> = (0..of.len()).flat_map(|at| of.pixels(at)).map(|&p| f64::from(p) / 255.0).collect();
        let labels = (0..of.len()).map(|at| of.label(at)).collect();
        Samples::new(pixels, labels, classes).with_values(&values)
    };
    let (train, test) = (part(&digits.train), part(&digits.test));
    Dataset::given(name, vec![digits.classes], digits.classes, train, test)
}
