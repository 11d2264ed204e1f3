//! A data set of named arrays, wherever they come from: what each array means, and whether it can.
//!
//! Nothing is guessed: what is an index is taken as one or refused, what is a value has a range, and what is refused is
//! said with its place.

use super::array::{Array, Numbers};
use super::error::{DataError, Problem};
use super::{Dataset, Samples, Split};
use crate::weights::real;
use std::collections::BTreeMap;

/// Arrays by name.
pub(super) type Arrays = BTreeMap<String, Array>;

/// Where a part's arrays may be: for each role the names of an array of it. Keras writes `x_train`, `y_train`.
#[derive(Clone, Copy, Debug)]
struct Names {
    /// What messages call the part.
    part: &'static str,
    samples: &'static [&'static str],
    /// Labels, or, where they are no whole numbers, targets.
    labels: &'static [&'static str],
    targets: &'static str,
    steps: &'static str,
    axons: &'static str,
    offsets: &'static str,
}

const TRAIN: Names = Names {
    part: "train",
    samples: &["train_samples", "x_train", "X_train", "train_images"],
    labels: &["train_labels", "y_train", "Y_train"],
    targets: "train_targets",
    steps: "train_steps",
    axons: "train_axons",
    offsets: "train_offsets",
};

const TEST: Names = Names {
    part: "test",
    samples: &["test_samples", "x_test", "X_test", "test_images"],
    labels: &["test_labels", "y_test", "Y_test"],
    targets: "test_targets",
    steps: "test_steps",
    axons: "test_axons",
    offsets: "test_offsets",
};

/// Of a set without parts.
const WHOLE: Names = Names {
    part: "",
    samples: &["samples", "x", "X", "images"],
    labels: &["labels", "y", "Y"],
    targets: "targets",
    steps: "steps",
    axons: "axons",
    offsets: "offsets",
};

/// Values are taken of 255; where the greatest is not even this, it is said.
const DARK: u8 = 31;

impl Names {
    fn all(self) -> impl Iterator<Item = &'static str> {
        let single = [self.targets, self.steps, self.axons, self.offsets];
        self.samples.iter().chain(self.labels).copied().chain(single)
    }
}

/// A part as it was read.
struct Part {
    samples: Samples,
    shape: Vec<u32>,
    notes: Vec<String>,
}

/// The data set of arrays; `name` is what messages call where they are from.
pub(super) fn dataset(name: &str, arrays: &Arrays) -> Result<Dataset, DataError> {
    let failed = |problem: Problem| DataError::Archive { file: name.to_owned(), problem };
    let has = |names: Names| names.all().any(|name| arrays.contains_key(name));
    let mut notes = Vec::new();
    let (train, test, split) = match (has(TRAIN), has(TEST)) {
        (false, false) => {
            let whole = part(arrays, WHOLE).map_err(failed)?;
            (whole.samples.clone(), whole, Split::None)
        }
        _ if has(WHOLE) => return Err(failed(stray(arrays))),
        (true, true) => {
            let (train, test) = (part(arrays, TRAIN).map_err(failed)?, part(arrays, TEST).map_err(failed)?);
            if train.shape != test.shape {
                return Err(DataError::Parts { name: name.to_owned(), train: train.shape, test: test.shape });
            }
            notes.extend(train.notes);
            (train.samples, test, Split::Given)
        }
        (is_train, _) => return Err(failed(missing(if is_train { [TRAIN, TEST] } else { [TEST, TRAIN] }))),
    };
    let more: Vec<String> = test.notes.into_iter().filter(|note| !notes.contains(note)).collect();
    notes.extend(more);
    let known =
        |name: &&String| ![TRAIN, TEST, WHOLE].iter().any(|names| names.all().any(|known| known == name.as_str()));
    let unread: Vec<&str> = arrays.keys().filter(known).map(String::as_str).collect();
    if !unread.is_empty() {
        notes.push(format!("arrays that are not read: {}", unread.join(", ")));
    }
    let (test, shape) = (test.samples, test.shape);
    let classes = train.highest_label().max(test.highest_label()).map_or(0, |label| u32::from(label) + 1);
    Ok(Dataset { name: name.to_owned(), shape, classes, train, test, validation: None, split, notes })
}

/// There are arrays of parts, and others of none.
fn stray(arrays: &Arrays) -> Problem {
    let stray: Vec<&str> = WHOLE.all().filter(|name| arrays.contains_key(*name)).collect();
    let cause = format!("has parts to learn from and to test with, and `{}`, which is of neither", stray.join("`, `"));
    let help = format!("call it `train_{0}` or `test_{0}`, or leave it out", stray.first().unwrap_or(&""));
    Problem::new(cause, help)
}

/// One part is there, the other is not.
fn missing([there, absent]: [Names; 2]) -> Problem {
    let cause = format!("has arrays of the part `{}`, but none of the part `{}`", there.part, absent.part);
    let help = format!(
        "add `{}` and what belongs to it; or call all of them `samples`, `labels` and so on, and some are drawn to test with \
         (--test 0.2)",
        absent.samples[0]
    );
    Problem::new(cause, help)
}

/// What one of the arrays is called, and it.
fn one_of<'a>(arrays: &'a Arrays, names: &[&'static str]) -> Result<Option<(&'static str, &'a Array)>, Problem> {
    let mut found = names.iter().filter_map(|&name| Some((name, arrays.get(name)?)));
    let first = found.next();
    match (first, found.next()) {
        (Some((first, _)), Some((second, _))) => {
            Err(Problem::new(format!("holds `{first}` and `{second}`, which mean the same"), "leave one of them out"))
        }
        _ => Ok(first),
    }
}

/// A part, and the shape of a sample.
fn part(arrays: &Arrays, names: Names) -> Result<Part, Problem> {
    let samples = one_of(arrays, names.samples)?;
    let recorded = [names.steps, names.axons, names.offsets].map(|name| arrays.get(name).map(|array| (name, array)));
    let (labels, targets) = goals(arrays, names)?;
    let mut part = match (samples, recorded) {
        (Some(samples), [None, None, None]) => pixels(samples, labels)?,
        (Some((first, _)), _) => {
            let cause = format!("holds `{first}` and recorded spikes, which are two kinds of samples");
            return Err(Problem::new(cause, "leave one of them out"));
        }
        (None, [Some(steps), Some(axons), Some(offsets)]) => recorded_spikes([steps, axons, offsets], labels)?,
        (None, _) => {
            let all: Vec<&str> = arrays.keys().map(String::as_str).collect();
            let cause = format!(
                "holds neither `{}` nor `{}`, `{}` and `{}`; arrays in it: {}",
                names.samples[0],
                names.steps,
                names.axons,
                names.offsets,
                all.join(", ")
            );
            return Err(cause.into());
        }
    };
    if let Some((name, targets)) = targets {
        part.samples = with_targets(part.samples, name, targets)?;
    }
    Ok(part)
}

/// An array with its name.
type NamedArray<'a> = (&'static str, &'a Array);

/// What is to be learned of a part: labels, and values.
fn goals<'a>(arrays: &'a Arrays, names: Names) -> Result<(Option<NamedArray<'a>>, Option<NamedArray<'a>>), Problem> {
    let labels = one_of(arrays, names.labels)?;
    let targets = arrays.get(names.targets).map(|array| (names.targets, array));
    // What Keras calls `y` is whatever is to be learned.
    let is_values = |array: &Array| match &array.numbers {
        Numbers::Reals(values) => values.iter().any(|value| value.is_finite() && value.fract() != 0.0),
        _ => false,
    };
    match (labels, targets) {
        (Some((name, array)), None) if name.to_ascii_lowercase().starts_with('y') && is_values(array) => {
            Ok((None, Some((name, array))))
        }
        found => Ok(found),
    }
}

/// The samples with the values to be learned.
fn with_targets(samples: Samples, name: &str, targets: &Array) -> Result<Samples, Problem> {
    let count = samples.len();
    if targets.shape.first() != Some(&count) || targets.len() == 0 {
        let rows = targets.shape.first().map_or("no".to_owned(), usize::to_string);
        return Err(Problem::new(
            format!("has {rows} rows of `{name}` for {count} samples"),
            "give each sample its row",
        ));
    }
    let values: Vec<f64> = match &targets.numbers {
        Numbers::Bytes(values) => values.iter().map(|&value| value.into()).collect(),
        Numbers::Integers(values) => values.iter().map(|&value| value as f64).collect(),
        Numbers::Reals(values) => values.clone(),
        Numbers::Truths(values) => values.iter().map(|&value| f64::from(u8::from(value))).collect(),
    };
    if let Some((at, value)) = values.iter().enumerate().find(|(_, value)| !(0.0..=1.0).contains(*value)) {
        let cause =
            format!("`{name}{}` is {}: what is to be learned is a number from 0 to 1", targets.place(at), real(*value));
        return Err(Problem::new(cause, scaling(name)));
    }
    Ok(samples.with_values(&values))
}

/// How values come into the range from 0 to 1.
fn scaling(name: &str) -> String {
    format!("without what is no number, scale it: `({name} - {name}.min()) / ({name}.max() - {name}.min())`")
}

/// The labels of so many samples.
fn checked_labels(labels: Option<NamedArray>, count: usize) -> Result<Option<Vec<u16>>, Problem> {
    let Some((name, array)) = labels else { return Ok(None) };
    if array.len() != count {
        let mut problem = Problem::from(format!("has {} labels for {count} samples", array.len()));
        if let Some(width) = array.shape.get(1).filter(|&&width| width > 1 && array.shape[0] == count) {
            problem.remedy = Some(format!(
                "`{name}` has {width} numbers a sample: where one of them is 1, `{name}.argmax(axis=1)` makes a label of them"
            ));
        }
        return Err(problem);
    }
    if let Numbers::Truths(values) = &array.numbers {
        return Ok(Some(values.iter().map(|&value| value.into()).collect()));
    }
    let indices = array.indices(name, "a label")?;
    let label = |(at, index): (usize, u32)| {
        u16::try_from(index).map_err(|_| {
            let cause =
                format!("`{name}{}` is {index}: a label is a whole number from 0 to {}", array.place(at), u16::MAX);
            Problem::new(cause, "number the classes from 0")
        })
    };
    indices.into_iter().enumerate().map(label).collect::<Result<_, _>>().map(Some)
}

/// Samples that are values.
fn pixels((name, samples): NamedArray, labels: Option<NamedArray>) -> Result<Part, Problem> {
    let (Some(&rows), Some(shape)) = (samples.shape.first(), samples.shape.get(1..)) else {
        return Err(format!("holds `{name}` that is a single number").into());
    };
    if samples.len() == 0 {
        return Err(format!("holds no sample: `{name}` is empty").into());
    }
    let pixels = bytes(name, samples)?;
    let mut notes = Vec::new();
    let brightest = pixels.iter().copied().max().unwrap_or(0);
    if matches!(samples.numbers, Numbers::Bytes(_) | Numbers::Integers(_)) && (1..=DARK).contains(&brightest) {
        notes.push(format!(
            "the greatest of `{name}` is {brightest}, of 255: if that is meant to be the most, write `{name} / {brightest}`"
        ));
    }
    // Labels with a second axis are of the windows that a sample is cut into.
    let windows = labels.and_then(|(_, labels)| labels.shape.get(1).copied()).unwrap_or(1).max(1);
    let mut shape: Vec<u32> = shape.iter().map(|&extent| extent as u32).collect();
    if windows > 1 {
        let label_name = labels.map_or("labels", |(name, _)| name);
        match shape.first_mut() {
            Some(rows) if shape_is_cut(*rows, windows) => *rows /= windows as u32,
            _ => {
                let cause = format!("has {windows} labels a sample, and samples whose rows are no multiple of that");
                let help = format!(
                    "where one of them is 1 and the others 0, `{label_name}.argmax(axis=1)` makes a label of them; else a \
                     sample's rows are cut into as many windows as it has labels"
                );
                return Err(Problem::new(cause, help));
            }
        }
        notes.extend(labels.filter(|(_, labels)| is_one_hot(labels, windows)).map(|(name, _)| {
            format!(
                "each row of `{name}` has a single 1: taken as labels of {windows} windows of a sample. If they are one-hot, \
                 write `{name}.argmax(axis=1)`"
            )
        }));
    }
    let count = rows * windows;
    let size = pixels.len() / count;
    let labels = checked_labels(labels, count)?;
    Ok(Part { samples: Samples::with_labels(pixels, labels, count, size).in_sequences_of(windows), shape, notes })
}

fn shape_is_cut(rows: u32, windows: usize) -> bool {
    u32::try_from(windows).is_ok_and(|windows| rows > 0 && rows.is_multiple_of(windows))
}

/// Whether every row holds a single 1 and else zeros.
fn is_one_hot(labels: &Array, width: usize) -> bool {
    let Ok(values) = labels.indices("", "") else { return matches!(labels.numbers, Numbers::Truths(_)) };
    values.chunks(width).all(|row| row.iter().sum::<u32>() == 1)
}

/// Values as bytes: those that are bytes, or real numbers from 0 to 1 times 255, to the nearest.
fn bytes(name: &str, samples: &Array) -> Result<Vec<u8>, Problem> {
    const ALLOWED: &str = "values are bytes, 0 to 255, or real numbers from 0 to 1";
    let wrong = |at: usize, value: String, help: String| {
        Problem::new(format!("`{name}{}` is {value}: {ALLOWED}", samples.place(at)), help)
    };
    match &samples.numbers {
        Numbers::Bytes(values) => Ok(values.clone()),
        Numbers::Truths(values) => Ok(values.iter().map(|&value| 255 * u8::from(value)).collect()),
        Numbers::Integers(values) => {
            let byte = |(at, &value): (usize, &i64)| {
                u8::try_from(value).map_err(|_| wrong(at, value.to_string(), scaling(name)))
            };
            values.iter().enumerate().map(byte).collect()
        }
        Numbers::Reals(values) => {
            if let Some((at, value)) = samples.first_not_finite() {
                let help = format!("leave such samples out, or put a number there (`numpy.nan_to_num({name})`)");
                return Err(wrong(at, real(value), help));
            }
            let is_outside = |value: &f64| !(0.0..=1.0).contains(value);
            if let Some((at, &value)) = values.iter().enumerate().find(|(_, value)| is_outside(value)) {
                let are_bytes = values.iter().all(|value| value.fract() == 0.0 && (0.0..=255.0).contains(value));
                let help = if are_bytes {
                    format!("they look like bytes: write `{name}.astype(numpy.uint8)`, or `{name} / 255`")
                } else {
                    scaling(name)
                };
                return Err(wrong(at, real(value), help));
            }
            Ok(values.iter().map(|value| (value * 255.0).round() as u8).collect())
        }
    }
}

/// Samples that are recorded spikes: steps, axons, and where each sample begins.
fn recorded_spikes(arrays: [NamedArray; 3], labels: Option<NamedArray>) -> Result<Part, Problem> {
    let [(steps_name, steps), (axons_name, axons), (offsets_name, offsets)] = arrays;
    for (name, array) in arrays {
        if array.shape.len() != 1 {
            let axes = array.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
            let cause = format!("`{name}` is {axes}, and spikes are listed one behind the other");
            return Err(Problem::new(cause, format!("write `{name}` with a single axis, as `.ravel()` gives it")));
        }
    }
    if steps.len() != axons.len() {
        return Err(Problem::new(
            format!("has {} in `{steps_name}` but {} in `{axons_name}`", steps.len(), axons.len()),
            "a spike has one step and one axon",
        ));
    }
    let steps = steps.indices(steps_name, "a step")?;
    let axons = axons.indices(axons_name, "an axon")?;
    let spikes = steps.len();
    let bounds = offsets.indices(offsets_name, "an offset")?;
    let help = format!(
        "spikes of sample i are `{offsets_name}[i]` to `{offsets_name}[i + 1] - 1`: write 0, then where each ends"
    );
    let wrong = |cause: String| Problem::new(cause, help.clone());
    let (Some(&first), Some(&last)) = (bounds.first(), bounds.last()) else {
        return Err(wrong(format!("holds no sample: `{offsets_name}` is empty")));
    };
    if bounds.len() < 2 {
        return Err(wrong(format!("holds no sample: `{offsets_name}` needs two numbers at least")));
    }
    if first != 0 {
        return Err(wrong(format!("`{offsets_name}[0]` is {first}: the first {first} spikes would be of no sample")));
    }
    if let Some(at) = (1..bounds.len()).find(|&at| bounds[at] < bounds[at - 1]) {
        let cause = format!("`{offsets_name}[{at}]` is {}, less than the {} before it", bounds[at], bounds[at - 1]);
        return Err(wrong(cause));
    }
    let end = last as usize;
    if end != spikes {
        let (at, how) = (bounds.len() - 1, if end > spikes { "beyond" } else { "short of" });
        let rest =
            if end > spikes { String::new() } else { format!(": the last {} would be of no sample", spikes - end) };
        return Err(wrong(format!("`{offsets_name}[{at}]` is {last}, {how} the {spikes} spikes there are{rest}")));
    }
    let mut twice = 0;
    let samples: Vec<Vec<(u32, u32)>> = bounds
        .windows(2)
        .map(|ends| {
            let range = ends[0] as usize..ends[1] as usize;
            let mut spikes: Vec<(u32, u32)> =
                steps[range.clone()].iter().copied().zip(axons[range].iter().copied()).collect();
            // In whatever order they stand, a spike's step says when it comes. An axon takes one packet a step.
            spikes.sort_unstable();
            let all = spikes.len();
            spikes.dedup();
            twice += all - spikes.len();
            spikes
        })
        .collect();
    if labels.is_some_and(|(_, labels)| labels.shape.len() > 1 && labels.shape[1] > 1) {
        return Err(Problem::new("has several labels a sample", "that needs `samples`, not recorded spikes"));
    }
    let labels = checked_labels(labels, samples.len())?;
    let notes = match twice {
        0 => Vec::new(),
        _ => vec![format!(
            "{twice} of {spikes} spikes are left out: an axon takes one in a step, and had another in the same one \
             (`{steps_name}`, `{axons_name}`)"
        )],
    };
    Ok(Part { samples: Samples::recorded(samples, labels), shape: Vec::new(), notes })
}
