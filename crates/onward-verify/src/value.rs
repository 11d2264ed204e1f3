//! What is known of a register, and where it came from.

use crate::range::Range;

/// Things a value can stem from: a bit each, named by [`Names`](crate::sources::Names).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Sources(pub u128);

impl Sources {
    /// Nothing: a constant.
    pub const NONE: Sources = Sources(0);

    /// The one of a number below 128.
    pub fn of(number: usize) -> Sources {
        Sources(1 << number.min(127))
    }

    /// Of both.
    pub fn and(self, other: Sources) -> Sources {
        Sources(self.0 | other.0)
    }
}

/// What is known of a number beside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Form {
    /// Nothing.
    Plain,
    /// The block's tag, plus a number; or else 0, where that is said.
    Tag { add: i64, or_zero: bool },
    /// The block's tag, shifted right.
    TagBits { shift: u32 },
    /// Steps since the block's last tag.
    Position,
}

impl Form {
    /// What is known of a number that is one of two.
    pub fn join(self, of: Range, other: Form, of_other: Range) -> Form {
        let zero = Range::of(0);
        match (self, other) {
            _ if self == other => self,
            (Form::Tag { add, .. }, Form::Tag { add: same, .. }) if add == same => Form::Tag { add, or_zero: true },
            (Form::Tag { add, .. }, _) if of_other == zero => Form::Tag { add, or_zero: true },
            (_, Form::Tag { add, .. }) if of == zero => Form::Tag { add, or_zero: true },
            _ => Form::Plain,
        }
    }
}

/// What is known of a scalar register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Value {
    pub range: Range,
    pub form: Form,
    pub from: Sources,
}

impl Value {
    /// A number of the program's own.
    pub const fn of(number: i64) -> Value {
        Value { range: Range::of(number), form: Form::Plain, from: Sources::NONE }
    }

    /// Numbers that stem from something.
    pub fn new(range: Range, from: Sources) -> Value {
        Value { range, form: Form::Plain, from }
    }

    /// One of two.
    pub fn join(self, other: Value) -> Value {
        if self == other {
            return self;
        }
        let form = self.form.join(self.range, other.form, other.range);
        Value { range: self.range.join(other.range), form, from: self.from.and(other.from) }
    }
}

/// What is known of a vector register: all its elements have the range; those from `extent` on are 0, which the range need
/// not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Vector {
    pub range: Range,
    pub extent: i64,
    pub from: Sources,
}

impl Vector {
    /// All elements are 0.
    pub const ZERO: Vector = Vector { range: Range::of(0), extent: 0, from: Sources::NONE };

    /// One of two.
    pub fn join(self, other: Vector) -> Vector {
        let range = self.range.join(other.range);
        Vector {
            range: if self.extent == other.extent { range } else { range.join(Range::of(0)) },
            extent: self.extent.max(other.extent),
            from: self.from.and(other.from),
        }
    }

    /// The range of the elements below a length of at most so much.
    pub fn read(self, length: Range) -> Range {
        if length.high > self.extent { self.range.join(Range::of(0)) } else { self.range }
    }

    /// With the elements below a length written.
    pub fn written(self, length: Range, range: Range, from: Sources) -> Vector {
        if length.low >= self.extent && length.single().is_some() {
            return Vector { range, extent: length.high, from };
        }
        // What was there before stays in what is not written.
        let before = if length.high > self.extent { self.range.join(Range::of(0)) } else { self.range };
        Vector { range: before.join(range), extent: self.extent.max(length.high), from: self.from.and(from) }
    }
}

/// What is known of a predicate: bits from `extent` on are not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Predicate {
    pub extent: i64,
    pub from: Sources,
}
