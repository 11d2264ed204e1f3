//! What can be wrong with data.

use super::BUILTIN_DATASETS;
use onward_diagnostic::{Remedy, system_cause};
use std::borrow::Cow;
use std::fmt;

/// What is wrong with a data set. Each message says where, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// None was given, and the network names none.
    #[error("no data given, and the network `{network}` names none")]
    NotNamed {
        /// The network.
        network: String,
    },
    /// A text or an image names data that lie elsewhere.
    #[error("{path}: lies outside the folder of what names it as its data")]
    Outside {
        /// The path, as it is seen from here.
        path: String,
    },
    /// Neither a built-in name nor a folder nor an `.npz` file nor recordings.
    #[error(
        "no data set `{name}`: {}",
        if *is_file { "it is a file, but no .npz, .npy, .csv or .tar.gz" } else { "no folder or file of that name" }
    )]
    NoDataset {
        /// The name asked for.
        name: String,
        /// Something that is no folder is there.
        is_file: bool,
    },
    /// A file of the set is not in its folder.
    #[error("{folder}: no file `{file}`, nor `{file}.gz`")]
    MissingFile {
        /// Where it should be.
        folder: String,
        /// Its name.
        file: String,
    },
    /// A file is not what it should be.
    #[error("{file}: {problem}")]
    File {
        /// Path or other name of the file.
        file: String,
        /// What is wrong with it.
        problem: FileProblem,
    },
    /// An archive of arrays does not hold what it should.
    #[error("{file}: {problem}")]
    Archive {
        /// Its path.
        file: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A recording, or an archive of them, is not what it should be.
    #[error("{file}: {problem}")]
    Recording {
        /// Its path.
        file: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// Images and labels of one part differ in number.
    #[error("{images_file} holds {images} images but {labels_file} {labels} labels")]
    Counts {
        /// The file of images.
        images_file: String,
        /// Number of images.
        images: usize,
        /// The file of labels.
        labels_file: String,
        /// Number of labels.
        labels: usize,
    },
    /// The two parts hold images of different shape.
    #[error("{name}: training images are {} but test images are {}", shape_text(train), shape_text(test))]
    Parts {
        /// The data set.
        name: String,
        /// Rows and columns of the training images.
        train: Vec<u32>,
        /// Rows and columns of the test images.
        test: Vec<u32>,
    },
    /// The network's input has another shape.
    #[error("{name}: samples are {} but the network's input is {}", shape_text(found), shape_text(expected))]
    Shape {
        /// The data set.
        name: String,
        /// The network's input.
        expected: Vec<u32>,
        /// A sample's shape.
        found: Vec<u32>,
        /// Windows that each sample was cut into, as it has so many labels.
        windows: usize,
    },
    /// Not as many values as the network's target has.
    #[error("{name}: samples have {found} values to be learned, but the network's target has {expected}")]
    Values {
        /// The data set.
        name: String,
        /// Those of the network's target.
        expected: u32,
        /// Those of a sample.
        found: u32,
    },
    /// A label that the network has no class for.
    #[error(
        "{name}: {part} {sample} has label {label}, but the network has {classes} classes (0 to {})",
        i64::from(*classes) - 1
    )]
    Label {
        /// The data set.
        name: String,
        /// What a sample of the part is called: `train sample`, `test sample`.
        part: &'static str,
        /// The first such sample of the part, from 0.
        sample: usize,
        /// Its label.
        label: u16,
        /// Classes of the network.
        classes: u32,
    },
    /// A share to test with was asked for, and the data has one.
    #[error("{name}: has samples to test with of its own")]
    HasTest {
        /// The data set.
        name: String,
    },
    /// Something needs samples to test with that are not learned from.
    #[error("{name}: has no samples to test with apart from those to learn from")]
    NoTest {
        /// The data set.
        name: String,
    },
    /// There are too few samples to keep some apart.
    #[error("{name}: none of {count} samples to learn from can be kept apart")]
    TooFew {
        /// The data set.
        name: String,
        /// Samples, or sequences of them.
        count: usize,
    },
    /// What is to be learned is not known.
    #[error("{name}: samples to learn from have no labels, and the network learns classes")]
    NoLabels {
        /// The data set.
        name: String,
    },
    /// Recorded spikes, for an input that makes spikes of values.
    #[error("{name}: holds recorded spikes, but the network's input encodes values")]
    Recorded {
        /// The data set.
        name: String,
    },
}

/// What is wrong with an archive or a recording, and what would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub cause: String,
    /// What would help, where it does not follow from the cause.
    pub remedy: Option<String>,
}

impl Problem {
    /// A problem against which something would help.
    pub(crate) fn new(cause: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem { cause: cause.into(), remedy: Some(remedy.into()) }
    }
}

impl<T: Into<String>> From<T> for Problem {
    fn from(cause: T) -> Problem {
        Problem { cause: cause.into(), remedy: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl Remedy for DataError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        let builtin = BUILTIN_DATASETS.join(", ");
        Some(match self {
            DataError::Outside { .. } => {
                "a text or an image that someone sent reads what lies beside it, and nothing else; if you want it to, give it with --data"
                    .into()
            }
            DataError::NotNamed { .. } => format!(
                "give it with --data: a built-in set ({builtin}), a folder with the four IDX files of an MNIST-like set, \
                 an .npz file of samples or spikes, or a .csv table"
            )
            .into(),
            DataError::NoDataset { .. } => format!(
                "built in: {builtin}; for your own data, give the path of a folder with the four IDX files of an MNIST-like \
                 set, of an .npz or .csv file, of a pair X.npy,Y.npy, or of a folder or tar archive of recordings"
            )
            .into(),
            DataError::MissingFile { .. } => "a folder of IDX files needs train-images-idx3-ubyte, train-labels-idx1-ubyte, \
                                              t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte"
                .into(),
            DataError::File { problem, .. } => return problem.remedy(),
            DataError::Archive { problem, .. } | DataError::Recording { problem, .. } => problem.remedy.as_deref()?.into(),
            DataError::Counts { .. } => "take both from the same download of the data set".into(),
            DataError::Parts { .. } => "take both from the same data set".into(),
            DataError::Shape { windows: 2.., .. } => "samples are cut into as many windows as they have labels; where these are one-hot, \
                                                      `labels.argmax(axis=1)` makes a label of them"
                .into(),
            DataError::Shape { .. } => "change the network's input or give other data".into(),
            DataError::Values { .. } => "change the target or give data with `targets`".into(),
            DataError::Label { label, .. } => {
                format!("give the network at least {} classes or other data", u32::from(*label) + 1).into()
            }
            DataError::HasTest { .. } => "leave --test out".into(),
            DataError::NoTest { .. } => "draw some (--test 0.2), or give data with `train_` and `test_` arrays".into(),
            DataError::TooFew { .. } => "give more samples".into(),
            DataError::NoLabels { .. } => "give data with `labels`".into(),
            DataError::Recorded { .. } => "change the input to `events`, or give other data".into(),
        })
    }
}

/// What is wrong with one file.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// The system would not read it.
    #[error("cannot be read: {}", system_cause(.0))]
    Unreadable(std::io::Error),
    /// Compressed bytes are damaged or cut off.
    #[error("the gzip compression is broken or cut off: {0}")]
    BrokenGzip(std::io::Error),
    /// Not an IDX file of that kind.
    #[error("starts with {found:02x?} where an IDX file of {kind} starts with {expected:02x?}")]
    Magic {
        /// "images" or "labels".
        kind: &'static str,
        /// The four bytes it must start with.
        expected: [u8; 4],
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// Fewer bytes than the header announces, or no whole header.
    #[error("is cut off: {expected} bytes expected, {found} found (uncompressed)")]
    Truncated {
        /// Bytes with the header.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// More bytes than the header announces.
    #[error("goes on after its end: {expected} bytes expected by its header, more found (uncompressed)")]
    Trailing {
        /// Bytes with the header.
        expected: u64,
    },
    /// A size of 0.
    #[error("is empty: its header says {0}")]
    Empty(String),
    /// Sizes beyond what any data set has.
    #[error("its header says {sizes}, {bytes} bytes: more than the {limit} that are read")]
    TooLarge {
        /// The sizes in the header.
        sizes: String,
        /// Their product.
        bytes: u128,
        /// The limit.
        limit: u64,
    },
}

impl Remedy for FileProblem {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        let remedy = match self {
            FileProblem::Unreadable(error) if error.kind() == std::io::ErrorKind::NotFound => {
                "check the path; what a text names is seen from its folder"
            }
            FileProblem::Unreadable(_) => "check that it is a file and that you may read it",
            FileProblem::BrokenGzip(_) | FileProblem::Truncated { .. } => "download the file again",
            FileProblem::Magic { .. } => "it is another kind of file, or two files are swapped",
            FileProblem::Trailing { .. } => "the header or the file is wrong, download it again",
            FileProblem::Empty(_) => "a data set needs at least one sample of at least one pixel",
            FileProblem::TooLarge { .. } => "the header is damaged",
        };
        Some(remedy.into())
    }
}

/// `28 x 28`.
fn shape_text(shape: &[u32]) -> String {
    shape.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ")
}
