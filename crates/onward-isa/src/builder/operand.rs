//! Operands that are no registers: numbers, elements of memories, labels.

use super::register::Scalar;
use crate::{Space, Width};
use std::ops::{Add, Sub};
use std::rc::Rc;

/// A number of an instruction: an immediate, an offset, a route. It is given as a number, as a [`Constant`], or as the
/// text of an expression over constants (`"WINDOW - 1"`). Whether it fits is the assembler's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(i64),
    /// An expression as the assembler reads it; each name in it is that of a constant.
    Expression(String),
}

/// A named number of an assembly, as [`constant`](super::Assembly::constant) hands it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    pub(super) name: Rc<str>,
    pub(super) value: i64,
}

impl Constant {
    /// Its name in the text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number.
    pub fn value(&self) -> i64 {
        self.value
    }
}

macro_rules! value_from_number {
    ($($number:ty),*) => {
        $(impl From<$number> for Value {
            fn from(number: $number) -> Value {
                Value::Number(number.into())
            }
        })*
    };
}

value_from_number!(i16, i32, i64, u8, u16, u32);

impl From<&str> for Value {
    fn from(expression: &str) -> Value {
        Value::Expression(expression.to_owned())
    }
}

impl From<String> for Value {
    fn from(expression: String) -> Value {
        Value::Expression(expression)
    }
}

impl From<&Constant> for Value {
    fn from(constant: &Constant) -> Value {
        Value::Expression(constant.name.as_ref().to_owned())
    }
}

impl From<Constant> for Value {
    fn from(constant: Constant) -> Value {
        Value::from(&constant)
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Value {
        value.clone()
    }
}

impl Add<i64> for &Constant {
    type Output = Value;

    fn add(self, number: i64) -> Value {
        Value::from(self) + number
    }
}

impl Sub<i64> for &Constant {
    type Output = Value;

    fn sub(self, number: i64) -> Value {
        Value::from(self) + -number
    }
}

impl Add<i64> for Value {
    type Output = Value;

    fn add(self, number: i64) -> Value {
        match self {
            Value::Number(value) => Value::Number(value + number),
            Value::Expression(text) if number == 0 => Value::Expression(text),
            Value::Expression(text) if number < 0 => Value::Expression(format!("{text} - {}", -number)),
            Value::Expression(text) => Value::Expression(format!("{text} + {number}")),
        }
    }
}

impl Value {
    /// The text of the number alone.
    pub(super) fn text(&self) -> String {
        match self {
            Value::Number(number) => number.to_string(),
            Value::Expression(text) => text.clone(),
        }
    }

    /// The text behind a register: ` + 4`, ` - 1`, nothing for 0.
    pub(super) fn offset(&self) -> String {
        match self {
            Value::Number(0) => String::new(),
            Value::Number(number) if *number < 0 => format!(" - {}", number.unsigned_abs()),
            Value::Number(number) => format!(" + {number}"),
            Value::Expression(text) => format!(" + {text}"),
        }
    }
}

/// The elements of a memory at a width: `n32`, `a16`, `s4`. Its methods make operands of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elements {
    /// The memory.
    pub space: Space,
    /// The elements' width.
    pub width: Width,
}

macro_rules! elements {
    ($($name:ident: $space:ident $width:ident),*) => {
        $(#[doc = concat!("Elements of `Space::", stringify!($space), "` at `Width::", stringify!($width), "`.")]
        pub const $name: Elements = Elements { space: Space::$space, width: Width::$width };)*
    };
}

elements!(N8: Neuron W8, N16: Neuron W16, N32: Neuron W32, A8: Axon W8, A16: Axon W16, A32: Axon W32);
elements!(S4: Synapse W4, S8: Synapse W8, S16: Synapse W16, S32: Synapse W32, E32: Event W32);

/// An element of a memory, or the first of VL: `n32[base + offset]`.
#[derive(Clone, Debug)]
pub struct Memory {
    pub(super) elements: Elements,
    pub(super) base: Scalar,
    pub(super) offset: Value,
}

/// The first element of a row: `s16[row base + offset]`.
#[derive(Clone, Debug)]
pub struct RowMemory(pub(super) Memory);

/// Elements that lie a stride apart: `n32[base + offset : stride]`.
#[derive(Clone, Debug)]
pub struct StridedMemory {
    pub(super) first: Memory,
    pub(super) stride: Scalar,
}

/// A table: `n16[base]`.
#[derive(Clone, Debug)]
pub struct TableMemory(pub(super) Memory);

impl Elements {
    /// The elements of a memory at a width; whether the memory has that width is the assembler's to say.
    pub const fn new(space: Space, width: Width) -> Elements {
        Elements { space, width }
    }

    /// The element at `base + offset`. The base may be [`ZERO`](super::ZERO), the offset an array's name.
    pub fn at(self, base: impl Into<Scalar>, offset: impl Into<Value>) -> Memory {
        Memory { elements: self, base: base.into(), offset: offset.into() }
    }

    /// The row `base + offset`, of the length that `setrow` set.
    pub fn row(self, base: impl Into<Scalar>, offset: impl Into<Value>) -> RowMemory {
        RowMemory(self.at(base, offset))
    }

    /// Elements from `base + offset` on, `stride` apart.
    pub fn strided(
        self,
        base: impl Into<Scalar>,
        offset: impl Into<Value>,
        stride: impl Into<Scalar>,
    ) -> StridedMemory {
        StridedMemory { first: self.at(base, offset), stride: stride.into() }
    }

    /// The table that begins at `base`.
    pub fn table(self, base: impl Into<Scalar>) -> TableMemory {
        TableMemory(self.at(base, 0))
    }

    /// `n32` and so on.
    pub fn name(self) -> String {
        format!("{}{}", self.space.letter(), self.width.bits())
    }
}

/// A place in the program: made by [`label`](super::Assembly::label), put where it belongs by
/// [`bind`](super::Assembly::bind).
#[derive(Clone, Debug)]
pub struct Label {
    pub(super) name: Rc<str>,
    pub(super) number: usize,
}

impl Label {
    /// Its name in the text.
    pub fn name(&self) -> &str {
        &self.name
    }
}
