//! Data in `.npz` files, as `numpy.savez` writes them.
//!
//! Arrays of a part begin with `train_` or `test_`; without it they are both. A part has either `samples`, a row each
//! (bytes, or real numbers from 0 to 1), or recorded spikes: `steps` and `axons`, a spike each, those of sample i at
//! `offsets[i]..offsets[i + 1]`. `labels` may be missing, or have a second axis: a label for each of the windows that the
//! rows of a sample are cut into.

use super::error::{DataError, FileProblem, Problem};
use super::{Dataset, Samples, VALUE_ONE};
use npyz::{DType, NpyFile, Order, TypeChar};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use zip::ZipArchive;

/// The array of values to be learned.
const TARGETS: &str = "targets";
/// Numbers in an array, at most.
const MOST: u64 = 1 << 31;

/// An array: its shape, and its numbers, of which real ones are taken times 255, those of targets times 4,096.
struct Array {
    shape: Vec<usize>,
    values: Vec<i64>,
    is_real: bool,
}

/// The data set in an archive.
pub(super) fn dataset(name: &str, path: &Path) -> Result<Dataset, DataError> {
    let failed = |problem: Problem| DataError::Archive { file: name.to_owned(), problem };
    let unreadable = |error| DataError::File { file: name.to_owned(), problem: FileProblem::Unreadable(error) };
    let file = File::open(path).map_err(unreadable)?;
    let damaged = |error: zip::result::ZipError| failed(format!("is no `.npz` file, or damaged: {error}").into());
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let mut arrays = BTreeMap::new();
    for at in 0..archive.len() {
        let member = archive.by_index(at).map_err(damaged)?;
        let Some(member_name) = member.name().ok().and_then(|name| Some(name.strip_suffix(".npy")?.to_owned())) else {
            continue;
        };
        let size = member.size();
        let one = if member_name.ends_with(TARGETS) { f64::from(VALUE_ONE) } else { 255.0 };
        let array = array(member, size, one)
            .map_err(|problem| failed(Problem { cause: format!("`{member_name}` {problem}"), ..problem }))?;
        arrays.insert(member_name, array);
    }
    let (train, train_shape) = part(&arrays, "train_").map_err(failed)?;
    let (test, test_shape) = part(&arrays, "test_").map_err(failed)?;
    let train = with_targets(train, &arrays, "train_").map_err(failed)?;
    let test = with_targets(test, &arrays, "test_").map_err(failed)?;
    if train_shape != test_shape {
        return Err(DataError::Parts { name: name.to_owned(), train: train_shape, test: test_shape });
    }
    let highest = train.labels.iter().chain(&test.labels).max();
    let classes = highest.map_or(0, |&label| u32::from(label) + 1);
    Ok(Dataset { name: name.to_owned(), shape: train_shape, classes, train, test })
}

/// The samples with the values to be learned, if there are any.
fn with_targets(samples: Samples, arrays: &BTreeMap<String, Array>, prefix: &str) -> Result<Samples, Problem> {
    let Some(targets) = arrays.get(&format!("{prefix}{TARGETS}")).or_else(|| arrays.get(TARGETS)) else {
        return Ok(samples);
    };
    let is_whole = targets.shape.first() == Some(&samples.len()) && !targets.values.is_empty();
    let one = i64::from(VALUE_ONE);
    if !is_whole || !targets.is_real || targets.values.iter().any(|value| !(0..=one).contains(value)) {
        return Err(format!("holds `{TARGETS}` that are not a row of real numbers from 0 to 1 for each sample").into());
    }
    let values: Vec<f64> = targets.values.iter().map(|&value| value as f64 / one as f64).collect();
    Ok(samples.with_values(&values))
}

/// The arrays of a part.
struct Part<'a> {
    arrays: &'a BTreeMap<String, Array>,
    prefix: &'a str,
}

impl Part<'_> {
    fn find(&self, name: &str) -> Option<&Array> {
        self.arrays.get(&format!("{}{name}", self.prefix)).or_else(|| self.arrays.get(name))
    }

    /// The labels of so many samples, if they are known.
    fn labels(&self, count: usize) -> Result<Option<Vec<u16>>, Problem> {
        let Some(labels) = self.find("labels") else { return Ok(None) };
        if labels.values.len() != count {
            return Err(format!("has {} labels for {count} samples", labels.values.len()).into());
        }
        let labels: Option<Vec<u16>> = labels.values.iter().map(|&label| u16::try_from(label).ok()).collect();
        labels.map(Some).ok_or_else(|| "has labels that are not 0 to 65535".into())
    }

    /// The windows that samples are cut into: labels of each, if there is more than one.
    fn windows(&self) -> Option<usize> {
        self.find("labels").and_then(|labels| labels.shape.get(1).copied())
    }

    /// Samples that are values, and the shape of one.
    fn pixels(&self, samples: &Array) -> Result<(Samples, Vec<u32>), Problem> {
        let (Some(&count), Some(shape)) = (samples.shape.first(), samples.shape.get(1..)) else {
            return Err("holds `samples` that are a single number".into());
        };
        let pixels: Option<Vec<u8>> = samples.values.iter().map(|&value| u8::try_from(value).ok()).collect();
        let pixels = pixels.ok_or("holds `samples` beyond 0 to 255, or as real numbers beyond 0 to 1")?;
        if pixels.is_empty() {
            return Err("holds no sample".into());
        }
        let windows = self.windows().unwrap_or(1).max(1);
        let mut shape: Vec<u32> = shape.iter().map(|&extent| extent as u32).collect();
        if windows > 1 {
            match shape.first_mut() {
                Some(rows) if rows.is_multiple_of(windows as u32) => *rows /= windows as u32,
                _ => {
                    let cause =
                        format!("has {windows} labels a sample, and samples whose rows are no multiple of that");
                    return Err(cause.into());
                }
            }
        }
        let count = count * windows;
        let size = pixels.len() / count;
        Ok((Samples::with_labels(pixels, self.labels(count)?, count, size).in_sequences_of(windows), shape))
    }

    /// Samples that are recorded spikes.
    fn recorded(&self) -> Result<Samples, Problem> {
        let arrays = ["steps", "axons", "offsets"].map(|name| self.find(name));
        let [Some(steps), Some(axons), Some(offsets)] = arrays else {
            let names: Vec<&str> = self.arrays.keys().map(String::as_str).collect();
            let names = names.join(", ");
            return Err(
                format!("holds neither `samples` nor `steps`, `axons` and `offsets`; arrays in it: {names}").into()
            );
        };
        if steps.values.len() != axons.values.len() {
            return Err(format!("has {} steps but {} axons", steps.values.len(), axons.values.len()).into());
        }
        let mut samples = Vec::new();
        for ends in offsets.values.windows(2) {
            let range = usize::try_from(ends[0]).ok().zip(usize::try_from(ends[1]).ok());
            let spikes = range.and_then(|(from, to)| Some((steps.values.get(from..to)?, axons.values.get(from..to)?)));
            let (steps, axons) = spikes.ok_or("has `offsets` that do not rise, or go beyond the spikes")?;
            let spike = |(&step, &axon): (&i64, &i64)| Some((u32::try_from(step).ok()?, u32::try_from(axon).ok()?));
            let spikes: Option<Vec<(u32, u32)>> = steps.iter().zip(axons).map(spike).collect();
            let mut spikes = spikes.ok_or("has steps or axons below 0")?;
            // An axon takes one packet a step.
            spikes.sort_unstable();
            spikes.dedup();
            samples.push(spikes);
        }
        if samples.is_empty() {
            return Err("holds no sample: `offsets` needs two numbers at least".into());
        }
        if self.windows().is_some() {
            return Err(Problem::new("has several labels a sample", "that needs `samples`, not recorded spikes"));
        }
        let labels = self.labels(samples.len())?;
        Ok(Samples::recorded(samples, labels))
    }
}

/// A part, and the shape of a sample.
fn part(arrays: &BTreeMap<String, Array>, prefix: &str) -> Result<(Samples, Vec<u32>), Problem> {
    let part = Part { arrays, prefix };
    match part.find("samples") {
        Some(samples) => part.pixels(samples),
        None => Ok((part.recorded()?, Vec::new())),
    }
}

/// The numbers of a `.npy` file of `length` bytes.
fn array(reader: impl Read, length: u64, one: f64) -> Result<Array, Problem> {
    let file = NpyFile::new(reader).map_err(|error| format!("is no `.npy` file, or damaged: {error}"))?;
    let shape: Vec<usize> = file.shape().iter().map(|&extent| extent as usize).collect();
    let count = file.shape().iter().try_fold(1u64, |count, &extent| count.checked_mul(extent));
    let DType::Plain(kind) = file.dtype() else { return Err("holds records, not numbers".into()) };
    let (letter, size) = (kind.type_char(), kind.size_field());
    let fits = count.filter(|&count| count <= MOST).and_then(|count| count.checked_mul(size));
    if fits.is_none_or(|bytes| bytes > length) {
        return Err("is shorter than its header says".into());
    }
    if file.order() != Order::C && shape.len() > 1 {
        return Err(Problem::new("is in Fortran's order", "save it as `numpy.ascontiguousarray` gives it"));
    }
    let times = |value: f64| (value * one).round() as i64;
    let values = match (letter, size) {
        (TypeChar::Bool, 1) => numbers(file, |value: bool| 255 * i64::from(value)),
        (TypeChar::Uint, 1) => numbers(file, |value: u8| value.into()),
        (TypeChar::Uint, 2) => numbers(file, |value: u16| value.into()),
        (TypeChar::Uint, 4) => numbers(file, |value: u32| value.into()),
        (TypeChar::Uint, 8) => numbers(file, |value: u64| value.try_into().unwrap_or(i64::MAX)),
        (TypeChar::Int, 1) => numbers(file, |value: i8| value.into()),
        (TypeChar::Int, 2) => numbers(file, |value: i16| value.into()),
        (TypeChar::Int, 4) => numbers(file, |value: i32| value.into()),
        (TypeChar::Int, 8) => numbers(file, |value: i64| value),
        (TypeChar::Float, 4) => numbers(file, |value: f32| times(value.into())),
        (TypeChar::Float, 8) => numbers(file, times),
        _ => return Err(format!("holds numbers of the type `{kind}`, which cannot be read").into()),
    };
    let is_real = letter == TypeChar::Float;
    Ok(Array { shape, is_real, values: values.map_err(|error| format!("is damaged: {error}"))? })
}

fn numbers<T: npyz::Deserialize, R: Read>(file: NpyFile<R>, to: impl Fn(T) -> i64) -> std::io::Result<Vec<i64>> {
    let data = file.data::<T>().map_err(|error| std::io::Error::other(error.to_string()))?;
    data.map(|value| value.map(&to)).collect()
}
