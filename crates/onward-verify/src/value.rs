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

/// What is known of a vector register: all its elements have the range, the first ones a range of their own; those from `extent` on
/// are 0, which the range need not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Vector {
    pub range: Range,
    pub extent: i64,
    /// Range of the elements below `count`, within that of all; 0 where there are none.
    first: Range,
    count: i64,
    pub from: Sources,
}

impl Vector {
    /// All elements are 0.
    pub const ZERO: Vector =
        Vector { range: Range::of(0), extent: 0, first: Range::of(0), count: 0, from: Sources::NONE };

    /// One of two.
    pub fn join(self, other: Vector) -> Vector {
        let range = self.range.join(other.range);
        let count = self.count.min(other.count);
        Vector {
            range: if self.extent == other.extent { range } else { range.join(Range::of(0)) },
            extent: self.extent.max(other.extent),
            first: if count > 0 { self.first.join(other.first) } else { Range::of(0) },
            count,
            from: self.from.and(other.from),
        }
    }

    /// The range of the elements below a length of at most so much.
    pub fn read(self, length: Range) -> Range {
        match length.high {
            high if high <= self.count => self.first,
            high if high > self.extent => self.range.join(Range::of(0)),
            _ => self.range,
        }
    }

    /// With the elements below a length written.
    pub fn written(self, length: Range, range: Range, from: Sources) -> Vector {
        if length.low >= self.extent && length.single().is_some() {
            return Vector { range, extent: length.high, first: range, count: length.high, from };
        }
        // What was there before stays in what is not written.
        let before = if length.high > self.extent { self.range.join(Range::of(0)) } else { self.range };
        let (first, count) = match length.low {
            1.. => (range, length.low),
            _ if self.count > 0 => (self.first.join(range), self.count),
            _ => (Range::of(0), 0),
        };
        let extent = self.extent.max(length.high);
        Vector { range: before.join(range), extent, first, count, from: self.from.and(from) }
    }

    /// With one of the elements below a length replaced.
    pub fn replaced(self, length: Range, value: Value) -> Vector {
        let joined = |range: Range| {
            let range = range.join(value.range);
            Range { stride: i64::from(range.stride > 0), ..range }
        };
        let range = joined(if length.high > self.extent { self.range.join(Range::of(0)) } else { self.range });
        let first = if self.count > 0 { joined(self.first) } else { Range::of(0) };
        Vector { range, extent: self.extent.max(length.high), first, from: self.from.and(value.from), ..self }
    }

    /// Lets what grew since `before` grow to where it can no longer.
    pub fn widened(self, before: Vector, thresholds: &[i64], vector_length: i64) -> Vector {
        let mut widened = Vector { range: self.range.widened(before.range, thresholds), ..self };
        if self.extent > before.extent {
            widened.extent = vector_length;
            widened.range = widened.range.join(Range::of(0));
        }
        (widened.first, widened.count) = match self.count > 0 && self.count == before.count {
            true => (self.first.widened(before.first, thresholds), self.count),
            false => (Range::of(0), 0),
        };
        widened
    }
}

/// What is known of a predicate: bits from `extent` on are not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Predicate {
    pub extent: i64,
    pub from: Sources,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_elements_are_known_by_themselves() {
        let of = |low: i64, high: i64| Range::between(low, high);
        let all = Vector::ZERO.written(Range::of(9), of(-100, 100), Sources::of(1));
        assert_eq!(all.read(Range::of(9)), of(-100, 100));
        // Four of nine are written anew: these are known, the others may be what they were.
        let some = all.written(Range::of(4), of(0, 7), Sources::of(2));
        assert_eq!((some.read(Range::of(4)), some.read(Range::of(5))), (of(0, 7), of(-100, 100)));
        assert_eq!(some.from, Sources::of(1).and(Sources::of(2)));
        // One of them is replaced; so many as a number from 0 to 3 says are written; a longer vector reads zeros.
        assert_eq!(some.replaced(Range::of(4), Value::of(50)).read(Range::of(4)), of(0, 50));
        assert_eq!(some.written(of(0, 3), of(-5, -5), Sources::NONE).read(Range::of(4)), of(-5, 7));
        assert_eq!(some.written(of(2, 3), of(-5, -5), Sources::NONE).read(Range::of(2)), of(-5, -5));
        assert_eq!(some.written(of(2, 3), of(-5, -5), Sources::NONE).read(Range::of(3)), of(-100, 100));
        assert_eq!(Vector::ZERO.written(Range::of(2), of(3, 4), Sources::NONE).read(Range::of(3)), of(0, 4));
        // Of two ways what both know.
        let joined = some.join(all.written(Range::of(3), of(8, 9), Sources::NONE));
        assert_eq!((joined.read(Range::of(3)), joined.read(Range::of(4))), (of(0, 9), of(-100, 100)));
    }
}
