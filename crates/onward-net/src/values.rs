//! Numbers of neurons, axons and weights.

use std::fmt::{self, Display, Formatter};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// Numbers of neurons, axons or weights: one for all, or one for each.
///
/// Arrays are row-major. A file is named as in the text, relative to it, and is read by
/// [`Network::load`](crate::Network::load); later stages see only the other two.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One number stands for all of them.
    Constant(f64),
    /// Each has its own number.
    Array(Arc<Array>),
    /// The numbers are in a file that has not been read.
    File(FileArray),
}

/// Numbers with a shape, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Extents of the array, outermost first.
    pub shape: Vec<usize>,
    /// The numbers, as many as the product of the extents.
    pub values: Vec<f64>,
}

/// An array in a `.npy` file, or a member of an `.npz` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileArray {
    /// Path of the file as the text names it, seen from the text's folder.
    pub path: String,
    /// Name of the member, if the file is an `.npz`.
    pub member: Option<String>,
    /// Bytes of the source that name the file.
    pub span: Range<usize>,
}

/// A place of a neuron where there may be a number for each.
pub(crate) struct PerNeuron<'a> {
    /// What an array is called among a layer's arrays in a file.
    pub member: &'static str,
    /// What it is called in messages.
    pub what: &'static str,
    /// The numbers that it allows.
    pub range: RangeInclusive<f64>,
    /// The numbers that are there.
    pub values: &'a mut Values,
}

/// A number, a list of them or `file(...)`.
impl Display for Values {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        match self {
            // `{:?}` writes the shortest decimal that reads back as the same number, and a point in it.
            Values::Constant(value) => write!(formatter, "{value:?}"),
            Values::Array(array) => list(formatter, &array.shape, &array.values),
            Values::File(FileArray { path, member: None, .. }) => write!(formatter, "file({})", quoted(path)),
            Values::File(FileArray { path, member: Some(member), .. }) => {
                write!(formatter, "file({}, {})", quoted(path), quoted(member))
            }
        }
    }
}

/// Numbers as nested lists, each in parentheses; one of a single element ends in a comma.
fn list(formatter: &mut Formatter, shape: &[usize], values: &[f64]) -> fmt::Result {
    let Some((&size, inner)) = shape.split_first() else {
        return values.iter().try_for_each(|value| write!(formatter, "{value:?}"));
    };
    write!(formatter, "(")?;
    for (index, part) in values.chunks(inner.iter().product::<usize>().max(1)).enumerate() {
        if index > 0 {
            write!(formatter, ", ")?;
        }
        list(formatter, inner, part)?;
    }
    write!(formatter, "{}", if size == 1 { ",)" } else { ")" })
}

/// A string as the text has it, in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
