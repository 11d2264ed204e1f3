//! The value of a parameter.

use serde::{Serialize, Serializer};
use std::fmt;

/// What a parameter is set to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A real number; finite.
    Real(f64),
    /// A word: a name, a path.
    Word(String),
}

impl Value {
    /// The number that it is, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Integer(number) => Some(*number as f64),
            Value::Real(number) => Some(*number),
            Value::Word(_) => None,
        }
    }

    /// The whole number that it is, if it is one.
    pub fn integer(&self) -> Option<i64> {
        if let Value::Integer(number) = self { Some(*number) } else { None }
    }
}

/// As the command line takes it: `8`, `0.3`, `mesh`.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Integer(number) => write!(formatter, "{number}"),
            Value::Real(number) => write!(formatter, "{number:?}"),
            Value::Word(word) => formatter.write_str(word),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Real(number) => serializer.serialize_f64(*number),
            Value::Word(word) => serializer.serialize_str(word),
        }
    }
}
