//! Data sets inside the program, so that a copied binary can learn something anywhere.

use super::error::DataError;
use super::idx::Source;

/// Names of the built-in data sets.
pub const BUILTIN_DATASETS: &[&str] = &["digits", "digits-of-classes", "mackey-glass"];

/// A file of a data set: name and contents.
pub(super) type EmbeddedFile = (&'static str, &'static [u8]);

/// `programs/data/digits/`: where they come from is said in its `ATTRIBUTION.md`.
const DIGITS: &[EmbeddedFile] = &[
    ("train-images-idx3-ubyte", include_bytes!("../../../../programs/data/digits/train-images-idx3-ubyte.gz")),
    ("train-labels-idx1-ubyte", include_bytes!("../../../../programs/data/digits/train-labels-idx1-ubyte.gz")),
    ("t10k-images-idx3-ubyte", include_bytes!("../../../../programs/data/digits/t10k-images-idx3-ubyte.gz")),
    ("t10k-labels-idx1-ubyte", include_bytes!("../../../../programs/data/digits/t10k-labels-idx1-ubyte.gz")),
];

/// The files of the built-in data set `name`.
pub(super) fn find(name: &str) -> Option<&'static [EmbeddedFile]> {
    (name == BUILTIN_DATASETS[0]).then_some(DIGITS)
}

/// One of `files`, those of the data set `name`.
pub(super) fn open(name: &str, files: &[EmbeddedFile], file: &str) -> Result<Source, DataError> {
    let place = format!("{file} (built-in data set `{name}`)");
    match files.iter().find(|(known, _)| *known == file) {
        Some((_, bytes)) => Ok(Source { place, bytes: Box::new(*bytes) }),
        None => Err(DataError::MissingFile { folder: format!("built-in data set `{name}`"), file: file.to_owned() }),
    }
}
