//! Data sets, the order their samples are shown in, and how a sample becomes spikes.
//!
//! A [`Dataset`] is built in ([`BUILTIN_DATASETS`]) or read from files ([`Dataset::load`] says which). A
//! [`SampleOrder`] shuffles it anew each epoch; a [`RateEncoder`] makes the spikes of a sample.
//!
//! ```
//! use onward_run::data::{Dataset, RateEncoder, SampleOrder};
//! let digits = Dataset::load("digits")?;
//! assert_eq!((digits.train.len(), digits.test.len(), digits.classes), (1348, 449, 10));
//! digits.check(&[8, 8], 10)?;
//!
//! let first = SampleOrder::new(7).epoch(digits.train.len() as u32, 0)[0] as usize;
//! let mut spikes = vec![0; 8]; // 8 steps of one word: 64 pixels
//! RateEncoder::new(8).encode(digits.train.pixels(first), &mut spikes, 1);
//! # Ok::<(), onward_run::data::DataError>(())
//! ```

mod archive;
mod array;
mod arrays;
mod augment;
mod bank;
mod builtin;
mod encoder;
mod encoding;
mod error;
mod fit;
mod idx;
mod made;
mod order;
mod recordings;
mod split;
mod stream;
mod table;

pub use builtin::BUILTIN_DATASETS;
pub use encoder::{Encoder, Packet, latency};
pub use encoding::{RateEncoder, encode_rate, rate_count};
pub use error::{DataError, FileProblem, Problem};
pub use order::{SampleOrder, SplitMix64};
pub use split::{Share, Split};
pub use stream::EventStream;

use std::path::{Path, PathBuf};

/// What 1.0 is among the values to be learned.
pub const VALUE_ONE: u16 = 1 << 12;

/// Labelled samples, in a part to learn from and a part to test with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Name or path it was loaded by.
    pub name: String,
    /// Rows and columns of a sample.
    pub shape: Vec<u32>,
    /// Number of classes: one more than the highest label in either part.
    pub classes: u32,
    /// Samples to learn from, at least one.
    pub train: Samples,
    /// Samples to test with, at least one.
    pub test: Samples,
    /// Samples kept apart to choose among epochs by, if any are.
    pub validation: Option<Samples>,
    /// Where the samples to test with come from.
    pub split: Split,
    /// What whoever gave the data should know of it: what was left out, or may be meant otherwise.
    pub notes: Vec<String>,
}

/// Samples of one shape with their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    pixels: Vec<u8>,
    labels: Vec<u16>,
    pixels_per_sample: usize,
    /// Recorded spikes, step and axon, by sample; ascending, each once.
    events: Vec<Vec<(u32, u32)>>,
    is_labelled: bool,
    /// Samples that are one sequence, cut into windows with a label each; 1 where each stands for itself.
    windows: usize,
    /// What is to be learned of each sample, sample by sample: values from 0 to 1 with 12 fraction bits.
    values: Vec<u16>,
    /// Their numbers in the data, where they are some of more.
    numbers: Option<Vec<u32>>,
}

impl Samples {
    /// `pixels`: sample after sample, each row by row, `pixels_per_sample` of them for each label.
    ///
    /// # Panics
    /// When the lengths do not agree.
    pub fn new(pixels: Vec<u8>, labels: Vec<u16>, pixels_per_sample: usize) -> Samples {
        assert_eq!(Some(pixels.len()), labels.len().checked_mul(pixels_per_sample), "pixels of every label");
        Samples {
            pixels,
            labels,
            pixels_per_sample,
            events: Vec::new(),
            is_labelled: true,
            windows: 1,
            values: Vec::new(),
            numbers: None,
        }
    }

    /// Samples that may have no labels: then all are 0.
    pub(crate) fn with_labels(
        pixels: Vec<u8>,
        labels: Option<Vec<u16>>,
        count: usize,
        pixels_per_sample: usize,
    ) -> Samples {
        let is_labelled = labels.is_some();
        Samples { is_labelled, ..Samples::new(pixels, labels.unwrap_or(vec![0; count]), pixels_per_sample) }
    }

    /// Recorded spikes: step and axon of each, ascending, by sample.
    pub(crate) fn recorded(events: Vec<Vec<(u32, u32)>>, labels: Option<Vec<u16>>) -> Samples {
        let count = events.len();
        Samples { events, ..Samples::with_labels(Vec::new(), labels, count, 0) }
    }

    /// The same samples, of which each so many that follow each other are the windows of one sequence.
    ///
    /// # Panics
    /// When they are no whole sequences.
    pub fn in_sequences_of(self, windows: usize) -> Samples {
        assert!(windows > 0 && self.len().is_multiple_of(windows), "whole sequences");
        Samples { windows, ..self }
    }

    /// The same samples with values to be learned, equally many each: from 0 to 1, rounded to 12 fraction bits.
    ///
    /// # Panics
    /// When they are not equally many.
    pub fn with_values(self, values: &[f64]) -> Samples {
        assert!(!self.is_empty() && values.len().is_multiple_of(self.len()), "values of every sample");
        let fixed = |value: &f64| (value.clamp(0.0, 1.0) * f64::from(VALUE_ONE)).round() as u16;
        Samples { values: values.iter().map(fixed).collect(), ..self }
    }

    /// How many values are to be learned of a sample.
    pub fn values_per_sample(&self) -> usize {
        self.values.len() / self.len().max(1)
    }

    /// What is to be learned of sample `index`: 1.0 is [`VALUE_ONE`].
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn values(&self, index: usize) -> &[u16] {
        let count = self.values_per_sample();
        &self.values[index * count..][..count]
    }

    /// Number of sequences: of samples, where each stands for itself.
    pub fn sequences(&self) -> usize {
        self.len() / self.windows
    }

    /// The samples that are the windows of a sequence, in their order.
    pub fn of_sequence(&self, sequence: usize) -> std::ops::Range<usize> {
        sequence * self.windows..(sequence + 1) * self.windows
    }

    /// The samples of the same sequence up to and with sample `index`.
    pub fn up_to(&self, index: usize) -> std::ops::RangeInclusive<usize> {
        index - index % self.windows..=index
    }

    /// Whether a sample goes on where the one before it ended.
    pub fn continues(&self, index: usize) -> bool {
        !index.is_multiple_of(self.windows)
    }

    /// Whether the labels are known.
    pub fn is_labelled(&self) -> bool {
        self.is_labelled
    }

    /// Whether samples are recorded spikes.
    pub fn is_recorded(&self) -> bool {
        !self.events.is_empty()
    }

    /// The recorded spikes of sample `index`: step and axon, ascending.
    pub fn events(&self, index: usize) -> &[(u32, u32)] {
        self.events.get(index).map_or(&[], Vec::as_slice)
    }

    /// These sequences alone, in this order: samples, where each stands for itself.
    ///
    /// # Panics
    /// When there is no such sequence.
    #[must_use]
    pub fn of_sequences(&self, sequences: &[u32]) -> Samples {
        let chosen = || sequences.iter().flat_map(|&sequence| self.of_sequence(sequence as usize));
        Samples {
            pixels: chosen().flat_map(|sample| self.pixels(sample)).copied().collect(),
            labels: chosen().map(|sample| self.labels[sample]).collect(),
            events: chosen().filter_map(|sample| self.events.get(sample)).cloned().collect(),
            values: chosen().flat_map(|sample| self.values(sample)).copied().collect(),
            numbers: Some(chosen().map(|sample| self.number(sample)).collect()),
            ..*self
        }
    }

    /// The number of sample `index` in the part of the data that it is of.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn number(&self, index: usize) -> u32 {
        self.numbers.as_ref().map_or(index as u32, |numbers| numbers[index])
    }

    /// The highest label there is.
    pub(crate) fn highest_label(&self) -> Option<u16> {
        self.labels.iter().copied().max()
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Pixels of sample `index`, row by row, 0 (dark) to 255.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn pixels(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.pixels_per_sample..][..self.pixels_per_sample]
    }

    /// Class of sample `index`.
    ///
    /// # Panics
    /// When there is no such sample.
    pub fn label(&self, index: usize) -> u16 {
        self.labels[index]
    }
}

/// Where a data set is, and of what kind.
enum Place {
    Builtin(&'static [builtin::EmbeddedFile]),
    Made,
    Npz(PathBuf),
    Table(PathBuf),
    Pair(Vec<PathBuf>),
    Recordings(recordings::Place),
    Arrays(Vec<PathBuf>),
    Idx(PathBuf),
    Nowhere,
}

impl Place {
    fn of(name: &str) -> Place {
        if let Some(files) = builtin::find(name) {
            return Place::Builtin(files);
        }
        if made::NAMES.contains(&name) {
            return Place::Made;
        }
        if let Some(paths) = archive::npy_pair(name) {
            return Place::Pair(paths);
        }
        let path = PathBuf::from(name);
        if archive::is_of_kind(&path, "npz") {
            return Place::Npz(path);
        }
        if archive::is_of_kind(&path, "csv") {
            return Place::Table(path);
        }
        if let Some(place) = recordings::find(&path) {
            return Place::Recordings(place);
        }
        if !path.is_dir() {
            return Place::Nowhere;
        }
        let arrays = archive::npy_files(&path);
        if arrays.is_empty() || idx::files(&path).next().is_some() { Place::Idx(path) } else { Place::Arrays(arrays) }
    }
}

/// The files that [`Dataset::load`] reads for this name or path; none for what is built in.
pub fn files_of(name_or_path: &str) -> Vec<PathBuf> {
    match Place::of(name_or_path) {
        Place::Builtin(_) | Place::Made | Place::Nowhere => Vec::new(),
        Place::Npz(path) | Place::Table(path) => vec![path],
        Place::Pair(files) | Place::Arrays(files) => files,
        Place::Recordings(recordings::Place::Files(files)) => files,
        Place::Recordings(recordings::Place::Archive(path)) => vec![path],
        Place::Idx(folder) => idx::files(&folder).collect(),
    }
}

impl Dataset {
    /// A data set that says itself which samples are to test with.
    pub fn given(name: &str, shape: Vec<u32>, classes: u32, train: Samples, test: Samples) -> Dataset {
        let (name, split) = (name.to_owned(), Split::Given);
        Dataset { name, shape, classes, train, test, validation: None, split, notes: Vec::new() }
    }

    /// The parts, with what a sample of each is called, first those to learn from.
    fn parts(&self) -> impl Iterator<Item = (&'static str, &Samples)> {
        let apart = self.split != Split::None;
        let train = apart.then_some(("train sample", &self.train));
        let validation = self.validation.iter().map(|samples| ("validation sample", samples));
        let test = (if apart { "test sample" } else { "sample" }, &self.test);
        train.into_iter().chain(validation).chain([test])
    }

    /// Whether a name is that of a set that comes with the program.
    pub fn is_builtin(name: &str) -> bool {
        builtin::find(name).is_some() || made::NAMES.contains(&name)
    }

    /// The data set of that name or at that path. It may be
    /// - built in ([`BUILTIN_DATASETS`]);
    /// - a folder of IDX files: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    ///   `t10k-labels-idx1-ubyte`, each as it is or compressed with gzip and `.gz` behind its name;
    /// - an `.npz` file, or a folder of `.npy` files: arrays `samples` (a row each) and `labels`, or recorded spikes, `steps`
    ///   and `axons`, with those of sample i at `offsets[i]..offsets[i + 1]`; with `train_` and `test_` before their names, or
    ///   without for both. Keras' names (`x_train`, `y_train`, `x_test`, `y_test`) are known. `labels` may have a second axis:
    ///   then a sample is a sequence that is cut into as many windows of equally many rows, each with its label;
    /// - a pair of `.npy` files, `SAMPLES.npy,LABELS.npy`;
    /// - a table, `.csv`, whose first line names its columns;
    /// - recordings of words, WAV files `LABEL_SPEAKER_INDEX.wav` of 8,000 samples a second, in a folder or a tar archive at
    ///   that path or named `recordings` in the folder at that path: sequences of 64 rows of 32 pitches.
    ///
    /// # Errors
    /// When there is none of these, or a file is missing, unreadable or not what its header says, or the files do not belong
    /// together. Memory is taken for what the files hold, never for what a header claims.
    pub fn load(name_or_path: &str) -> Result<Dataset, DataError> {
        let name = name_or_path;
        match Place::of(name) {
            Place::Builtin(files) => idx::dataset(name, |file| builtin::open(name, files, file)),
            Place::Made => made::dataset(name),
            Place::Npz(path) => archive::npz(name, &path),
            Place::Table(path) => table::dataset(name, &path),
            Place::Pair(paths) => archive::npy_of_pair(name, &paths),
            Place::Recordings(place) => recordings::dataset(name, place),
            Place::Arrays(files) => archive::npy_folder(name, &files),
            Place::Idx(folder) => idx::dataset(name, |file| idx::open(&folder, file)),
            Place::Nowhere => {
                Err(DataError::NoDataset { name: name.to_owned(), is_file: Path::new(name_or_path).exists() })
            }
        }
    }

    /// Whether a network with this input and this many classes can be shown the data: the shapes are the same, axes of
    /// length 1 left aside (`1 x 28 x 28` takes `28 x 28`), or one of them is flat and they are of one size; and no label
    /// is `classes` or more.
    ///
    /// # Errors
    /// [`DataError::Shape`] and [`DataError::Label`], which names the first sample that does not fit.
    pub fn check(&self, input_shape: &[u32], classes: u32) -> Result<(), DataError> {
        if self.test.is_recorded() {
            return self.check_labels(classes);
        }
        let proper = |shape: &[u32]| shape.iter().copied().filter(|&axis| axis != 1).collect::<Vec<_>>();
        let pixels: u64 = self.shape.iter().map(|&axis| u64::from(axis)).product();
        let (wanted, found) = (proper(input_shape), proper(&self.shape));
        let inputs: u64 = input_shape.iter().map(|&axis| u64::from(axis)).product();
        let flat = inputs == pixels && (wanted.len() <= 1 || found.len() <= 1);
        if wanted != found && !flat {
            return Err(DataError::Shape {
                name: self.name.clone(),
                expected: input_shape.to_vec(),
                found: self.shape.clone(),
                windows: self.test.windows,
            });
        }
        self.check_labels(classes)
    }

    /// Whether there are so many values to be learned of each sample.
    ///
    /// # Errors
    /// [`DataError::Values`].
    pub fn check_values(&self, expected: u32) -> Result<(), DataError> {
        let found = self.train.values_per_sample().min(self.test.values_per_sample()) as u32;
        if found == expected {
            return Ok(());
        }
        Err(DataError::Values { name: self.name.clone(), expected, found })
    }

    /// Whether sequences can be shown, a row a step or for several, to an input of `axons`, of which each value has `parts`, in
    /// a window.
    ///
    /// # Errors
    /// [`DataError::Shape`], [`DataError::Label`].
    pub fn check_sequences(&self, axons: u32, parts: u32, window: u32, classes: u32) -> Result<(), DataError> {
        let expected = vec![window, axons / parts];
        let width: u32 = self.shape.iter().skip(1).product();
        if self.shape.first().is_none_or(|&rows| rows > window) || width != axons / parts {
            let (name, found, windows) = (self.name.clone(), self.shape.clone(), self.test.windows);
            return Err(DataError::Shape { name, expected, found, windows });
        }
        self.check_labels(classes)
    }

    /// Whether recorded spikes are of an input of `axons`, and within a window.
    ///
    /// # Errors
    /// [`DataError::Archive`], [`DataError::Label`].
    pub fn check_events(&self, axons: u32, window: u32, classes: u32) -> Result<(), DataError> {
        let failed = |problem| Err(DataError::Archive { file: self.name.clone(), problem });
        if !self.test.is_recorded() {
            let cause = "holds no recorded spikes, which the network's input asks for";
            return failed(Problem::new(cause, "it needs arrays `steps`, `axons` and `offsets`"));
        }
        for (part, samples) in self.parts() {
            for sample in 0..samples.len() {
                if let Some(&(step, axon)) = samples.events(sample).iter().find(|&&(s, a)| s >= window || a >= axons) {
                    let cause = format!(
                        "{part} {sample} has a spike of axon {axon} in step {step}; the network has {axons} axons and \
                         windows of {window} steps"
                    );
                    return failed(Problem::new(cause, "change the network's input or window, or give other data"));
                }
            }
        }
        self.check_labels(classes)
    }

    /// No label is `classes` or more.
    fn check_labels(&self, classes: u32) -> Result<(), DataError> {
        for (part, samples) in self.parts() {
            if let Some(sample) = samples.labels.iter().position(|&label| u32::from(label) >= classes) {
                let label = samples.labels[sample];
                return Err(DataError::Label { name: self.name.clone(), part, sample, label, classes });
            }
        }
        Ok(())
    }
}
