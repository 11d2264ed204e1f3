//! Which numbers something can be: from a least to a greatest one, a stride apart.

use onward_isa::Width;

/// The least number of a register.
pub(crate) const LEAST: i64 = i32::MIN as i64;
/// The greatest number of a register.
pub(crate) const MOST: i64 = i32::MAX as i64;

/// The numbers `low`, `low + stride`, and so on up to `high`. A single number has a stride of 0.
///
/// Both ends are numbers of the set, so `high - low` is a multiple of the stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Range {
    pub low: i64,
    pub high: i64,
    pub stride: i64,
}

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).unwrap_or(1)
}

impl Range {
    /// Any number of 32 bits.
    pub const ANY: Range = Range { low: LEAST, high: MOST, stride: 1 };

    /// One number.
    pub const fn of(number: i64) -> Range {
        Range { low: number, high: number, stride: 0 }
    }

    /// All numbers between two, both included; the first must not be above the second.
    pub fn between(low: i64, high: i64) -> Range {
        debug_assert!(low <= high);
        Range { low, high, stride: i64::from(low != high) }
    }

    /// What an element of this width can hold.
    pub fn of_width(width: Width) -> Range {
        let (low, high) = width.range();
        Range::between(low.into(), high.into())
    }

    /// The number, if it is one.
    pub fn single(self) -> Option<i64> {
        (self.low == self.high).then_some(self.low)
    }

    /// Whether all its numbers lie between two.
    pub fn is_within(self, low: i64, high: i64) -> bool {
        low <= self.low && self.high <= high
    }

    /// Whether a number is among them.
    pub fn contains(self, number: i64) -> bool {
        self.low <= number && number <= self.high && (self.stride <= 1 || (number - self.low) % self.stride == 0)
    }

    fn with(low: i64, high: i64, stride: i64) -> Range {
        if low >= high { Range::of(low.min(high)) } else { Range { low, high, stride: stride.max(1) } }
    }

    /// What is in either.
    pub fn join(self, other: Range) -> Range {
        if self == other {
            return self;
        }
        let stride = gcd(gcd(self.stride, other.stride), self.low - other.low);
        Range::with(self.low.min(other.low), self.high.max(other.high), stride)
    }

    /// What is in `self` and not below `low` nor above `high`; `None` if that is nothing.
    pub fn limited(self, low: i64, high: i64) -> Option<Range> {
        let step = self.stride.max(1);
        let first = if low <= self.low { self.low } else { self.low + (low - self.low + step - 1) / step * step };
        let last = if high >= self.high { self.high } else { self.high - (self.high - high + step - 1) / step * step };
        (first <= last).then(|| Range::with(first, last, self.stride))
    }

    /// Ends that moved since `before` go to the nearest of some thresholds beyond, which ends any repetition.
    pub fn widened(self, before: Range, thresholds: &[i64]) -> Range {
        let low = match self.low < before.low {
            true => thresholds.iter().rev().copied().find(|&at| at <= self.low).unwrap_or(LEAST),
            false => self.low,
        };
        let high = match self.high > before.high {
            true => thresholds.iter().copied().find(|&at| at >= self.high).unwrap_or(MOST),
            false => self.high,
        };
        if (low, high) == (self.low, self.high) { self } else { Range::with(low, high, 1) }
    }

    /// Saturated to a width of so many bits.
    pub fn saturated(self, width: Width) -> Range {
        let (low, high) = width.range();
        self.clamped(low.into(), high.into())
    }

    /// Each number brought between two.
    pub fn clamped(self, low: i64, high: i64) -> Range {
        if self.is_within(low, high) {
            return self;
        }
        Range::with(self.low.clamp(low, high), self.high.clamp(low, high), 1)
    }

    /// Saturated to 32 bits.
    pub fn in_register(self) -> Range {
        self.clamped(LEAST, MOST)
    }

    /// Sums, exact.
    pub fn plus(self, other: Range) -> Range {
        Range::with(self.low + other.low, self.high + other.high, gcd(self.stride, other.stride))
    }

    /// With the other sign.
    pub fn negated(self) -> Range {
        Range { low: -self.high, high: -self.low, stride: self.stride }
    }

    /// Differences, exact.
    pub fn minus(self, other: Range) -> Range {
        self.plus(other.negated())
    }

    /// Products, exact.
    pub fn times(self, other: Range) -> Range {
        let (a, b) = (self, other);
        let corners =
            [(a.low, b.low), (a.low, b.high), (a.high, b.low), (a.high, b.high)].map(|(a, b)| a.saturating_mul(b));
        let low = corners.into_iter().fold(i64::MAX, i64::min);
        let high = corners.into_iter().fold(i64::MIN, i64::max);
        let stride = match (a.single(), b.single()) {
            (Some(factor), _) => factor.abs().saturating_mul(b.stride),
            (_, Some(factor)) => factor.abs().saturating_mul(a.stride),
            _ => gcd(
                gcd(a.low.saturating_mul(b.stride), b.low.saturating_mul(a.stride)),
                a.stride.saturating_mul(b.stride),
            ),
        };
        Range::with(low, high, stride)
    }

    /// The lesser of each two.
    pub fn least(self, other: Range) -> Range {
        self.chosen(other, i64::min)
    }

    /// The greater of each two.
    pub fn greatest(self, other: Range) -> Range {
        self.chosen(other, i64::max)
    }

    fn chosen(self, other: Range, choose: fn(i64, i64) -> i64) -> Range {
        let (low, high) = (choose(self.low, other.low), choose(self.high, other.high));
        if (low, high) == (self.low, self.high) && (self.high <= other.low || self.low >= other.high) {
            return self;
        }
        if (low, high) == (other.low, other.high) && (other.high <= self.low || other.low >= self.high) {
            return other;
        }
        Range::with(low, high, self.join(other).stride)
    }

    /// Shifted right by one of these amounts (left by a negative one), rounded down, or at most one above that where
    /// `rounds_up`; before saturation, but kept to what 64 bits hold.
    pub fn shifted(self, amount: Range, rounds_up: bool) -> Range {
        let (least, most) = (amount.low.clamp(-31, 31), amount.high.clamp(-31, 31));
        let by = |value: i64, amount: i64| if amount >= 0 { value >> amount } else { value << -amount };
        let corners = [by(self.low, least), by(self.low, most), by(self.high, least), by(self.high, most)];
        let low = corners.into_iter().fold(i64::MAX, i64::min);
        let high = corners.into_iter().fold(i64::MIN, i64::max);
        let above = i64::from(rounds_up && most > 0);
        let stride = if least == most && least <= 0 { self.stride << -least } else { 1 };
        Range::with(low, high + above, stride)
    }

    /// Bit by bit: the operation `join` of two numbers, of which it is known how large they are.
    pub fn bits(self, other: Range, operation: Bits) -> Range {
        if let (Some(a), Some(b)) = (self.single(), other.single()) {
            return Range::of(match operation {
                Bits::And => a & b,
                Bits::Or => a | b,
                Bits::Xor => a ^ b,
            });
        }
        let mask = |range: Range| if range.low < 0 { -1 } else { all_ones(range.high) };
        match operation {
            // A number that is not negative bounds what is left of another.
            Bits::And if self.low >= 0 || other.low >= 0 => {
                let of = |range: Range| if range.low >= 0 { range.high } else { MOST };
                Range::between(0, of(self).min(of(other)))
            }
            Bits::Or | Bits::Xor if self.low >= 0 && other.low >= 0 => {
                let low = if operation == Bits::Or { self.low.max(other.low) } else { 0 };
                Range::with(low, mask(self) | mask(other), 1)
            }
            _ => Range::ANY,
        }
    }
}

/// An operation on bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bits {
    And,
    Or,
    Xor,
}

/// The least number of ones that is not below a number.
fn all_ones(number: i64) -> i64 {
    if number <= 0 { 0 } else { (1 << (64 - number.leading_zeros())) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small ranges, with all their numbers.
    fn ranges() -> Vec<(Range, Vec<i64>)> {
        let mut all = Vec::new();
        for low in -9_i64..6 {
            for stride in 0_i64..4 {
                for count in 1..4 {
                    let numbers: Vec<i64> = (0..count).map(|at| low + at * stride).collect();
                    if stride > 0 || count == 1 {
                        let high = numbers[numbers.len() - 1];
                        all.push((Range::with(low, high, if count == 1 { 0 } else { stride }), numbers));
                    }
                }
            }
        }
        all
    }

    fn holds_all(range: Range, numbers: impl Iterator<Item = i64>) -> bool {
        numbers.into_iter().all(|number| range.contains(number))
    }

    #[test]
    fn what_operations_give_is_in_the_range_they_give() {
        for (a, of_a) in ranges() {
            for (b, of_b) in ranges().into_iter().step_by(3) {
                let pairs = || of_a.iter().flat_map(|&x| of_b.iter().map(move |&y| (x, y)));
                let check = |range: Range, f: &dyn Fn(i64, i64) -> i64, what: &str| {
                    assert!(holds_all(range, pairs().map(|(x, y)| f(x, y))), "{what} of {a:?} and {b:?}: {range:?}");
                };
                check(a.plus(b), &|x, y| x + y, "sum");
                check(a.minus(b), &|x, y| x - y, "difference");
                check(a.times(b), &|x, y| x * y, "product");
                check(a.least(b), &|x, y| x.min(y), "lesser");
                check(a.greatest(b), &|x, y| x.max(y), "greater");
                check(a.bits(b, Bits::And), &|x, y| x & y, "and");
                check(a.bits(b, Bits::Or), &|x, y| x | y, "or");
                check(a.bits(b, Bits::Xor), &|x, y| x ^ y, "xor");
                check(a.join(b), &|x, _| x, "first");
                check(a.join(b), &|_, y| y, "second");
                check(a.shifted(b, false), &|x, y| if y >= 0 { x >> y } else { x << -y }, "shift");
                let (low, high) = (b.low, b.high);
                check(a.clamped(low, high), &|x, _| x.clamp(low, high), "clamped");
                let kept: Vec<i64> = of_a.iter().copied().filter(|x| (low..=high).contains(x)).collect();
                match a.limited(low, high) {
                    Some(range) => assert!(holds_all(range, kept.into_iter()) && range.is_within(low, high)),
                    None => assert!(kept.is_empty()),
                }
            }
        }
    }
}
