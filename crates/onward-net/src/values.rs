//! Numbers of neurons, axons and weights.

use std::fmt::{self, Display, Formatter};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// A number for every neuron, axon or weight.
///
/// Arrays are row-major. A file is named as in the text, relative to it, and is read by [`Network::load`]; later stages
/// see only the other two.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// The same for all.
    Constant(f64),
    /// Each its own.
    Array(Arc<Array>),
    /// In a file.
    File(FileArray),
}

/// Numbers with a shape, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// The numbers; as many as the extents' product.
    pub values: Vec<f64>,
}

/// An array in a `.npy` file, or a member of an `.npz` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileArray {
    /// As the text names it.
    pub path: String,
    /// Name of the member, for `.npz`.
    pub member: Option<String>,
    /// Bytes of the source that name it.
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
    /// The numbers.
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
