//! What a model counts in: integers as wide as the chip's, or real numbers of which nothing is rounded.
//!
//! The composition of a network is written once, over [`Number`]; here is all in which the chip's arithmetic differs from
//! that of the book's formulas: binary points, saturation, rounding by chance, tables.

use super::window_bits;
use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, Mul, Neg, Sub};

/// A number of a model. `+`, `-` and `*` are exact; what a memory can hold is said by [`Number::held`].
pub trait Number:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + Sum
    + 'static
{
    /// Fraction bits of a quantity that has so many on the chip: none in real numbers.
    fn point(bits: u32) -> u32;
    /// The number nearest to `value`, with so many fraction bits on the chip.
    fn nearest(value: f64, bits: u32) -> Self;
    /// The largest number of so many fraction bits on the chip that is not above `value`. In real numbers only what is whole on
    /// the chip is.
    fn floor(value: f64, bits: u32) -> Self;
    /// The least number of no fraction bits that is above `value`; in real numbers the next one.
    fn above(value: f64) -> Self;
    /// The nearest number that a memory of so many bits holds.
    fn held(self, bits: u32) -> Self;
    /// The `2^-bits`-th part, rounded down.
    fn part(self, bits: u32) -> Self;
    /// What is left of it, `left` in 16 fraction bits: rounded towards zero.
    fn decayed(self, left: Self) -> Self;
    /// The `2^-shift`-th part, rounded down after `noise`, a 2^32-th for each, was added; exact if the shift is not positive.
    fn rounded(self, shift: i64, noise: u32) -> Self;
    /// The `2^-shift`-th part of it and the remainder together, rounded down; what is cut off is the new remainder.
    fn carried(self, shift: i64, remainder: &mut Self) -> Self;
    /// A sum of currents in thresholds, as scores of voltages take it, in a window of so many steps.
    fn potential(self, one: Self, window: i64) -> Self;
    /// Between which numbers a potential is held.
    fn potential_bounds(window: i64) -> (Self, Self);
    /// The classes' probabilities by their scores, 8 fraction bits.
    fn probabilities(scores: &[Self], temperature: f64) -> Vec<Self>;
    /// The square of a pull of so many fraction bits, with 8 of them; in real numbers it is in units of so many counts.
    fn square(pull: Self, bits: u32, counts: i64) -> Self;
    /// `window / 2` by the root of a mean of squares, between 1/2 and 4, with 4 fraction bits.
    fn step_factor(mean_square: Self, window: i64) -> Self;
    /// A value that is one of `places` of an average, and what it is still to be divided by: the chip has weights for that.
    fn averaged(self, divisor: u64, places: u64) -> (Self, u64);

    /// A whole number.
    #[inline]
    fn whole(value: i64) -> Self {
        Self::nearest(value as f64, 0)
    }

    /// The number nearest to a positive `value`, and at least the last of so many fraction bits.
    fn positive(value: f64, bits: u32) -> Self {
        let nearest = Self::nearest(value, bits);
        if nearest > Self::default() { nearest } else { Self::nearest(f64::from(bits).exp2().recip(), bits) }
    }

    /// Held between two numbers.
    fn within(self, least: Self, most: Self) -> Self {
        if self < least {
            least
        } else if self > most {
            most
        } else {
            self
        }
    }
}

impl Number for i64 {
    #[inline]
    fn point(bits: u32) -> u32 {
        bits
    }

    #[inline]
    fn nearest(value: f64, bits: u32) -> i64 {
        (value * f64::from(bits).exp2()).round() as i64
    }

    fn floor(value: f64, bits: u32) -> i64 {
        (value * f64::from(bits).exp2()) as i64
    }

    fn above(value: f64) -> i64 {
        value.floor() as i64 + 1
    }

    #[inline]
    fn held(self, bits: u32) -> i64 {
        let limit = 1i64 << (bits - 1);
        self.clamp(-limit, limit - 1)
    }

    #[inline]
    fn part(self, bits: u32) -> i64 {
        self.div_euclid(1 << bits)
    }

    #[inline]
    fn decayed(self, left: i64) -> i64 {
        (self * left / 65536).held(32)
    }

    #[inline]
    fn rounded(self, shift: i64, noise: u32) -> i64 {
        if shift <= 0 {
            return (self * (1 << -shift)).held(32);
        }
        assert!(shift < 32, "noise has 32 bits, and a shift by all of them is no sensible learning rate");
        (self + i64::from(noise >> (32 - shift))).div_euclid(1 << shift)
    }

    fn carried(self, shift: i64, remainder: &mut i64) -> i64 {
        let all = (*remainder + self).held(32);
        let step = all.rounded(shift, 0);
        let done = if shift <= 0 { step.div_euclid(1 << -shift) } else { (step << shift).held(32) };
        *remainder = (all - done).held(32);
        step
    }

    fn potential(self, one: i64, window: i64) -> i64 {
        let (least, most) = i64::potential_bounds(window);
        (2 * self + one).div_euclid(2 * one).clamp(least, most)
    }

    fn potential_bounds(window: i64) -> (i64, i64) {
        (-(window / 2).max(1), window + window / 4)
    }

    fn probabilities(scores: &[i64], temperature: f64) -> Vec<i64> {
        let scaled = |value: i64, factor: i64| (value * factor / 65536).held(32);
        let sharpness = i64::nearest(8.0 / temperature, 16).clamp(1, i64::from(i32::MAX));
        let most = *scores.iter().max().expect("there are classes");
        let exponential = |score: &i64| {
            let eighths = scaled((most - score).held(32), sharpness).min(63);
            i64::nearest((-(eighths as f64) / 8.0).exp(), 8)
        };
        let exponentials: Vec<i64> = scores.iter().map(exponential).collect();
        let sum: i64 = exponentials.iter().sum();
        let reciprocal = i64::nearest(256.0 / (sum - sum % 8) as f64, 16);
        exponentials.into_iter().map(|exponential| scaled(exponential, reciprocal)).collect()
    }

    fn square(pull: i64, bits: u32, _: i64) -> i64 {
        // With 12 fraction bits, the square's lower 16 left out.
        let pull = pull.rounded(i64::from(bits) - 12, 0);
        (pull * pull / 65536).held(32)
    }

    fn step_factor(mean_square: i64, window: i64) -> i64 {
        let index = (mean_square / (4 << (2 * window_bits(window)))).clamp(0, 63);
        i64::nearest((4.0 / (index as f64 + 0.5).sqrt()).min(4.0), 4)
    }

    fn averaged(self, divisor: u64, places: u64) -> (i64, u64) {
        (self, divisor * places)
    }
}

/// `2^exponent`, of an exponent between -1,022 and 1,023; a change of each weight asks for it.
#[inline]
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

impl Number for f64 {
    #[inline]
    fn point(_: u32) -> u32 {
        0
    }

    #[inline]
    fn nearest(value: f64, _: u32) -> f64 {
        value
    }

    fn floor(value: f64, bits: u32) -> f64 {
        if bits == 0 { value.floor() } else { value }
    }

    fn above(value: f64) -> f64 {
        value.next_up()
    }

    #[inline]
    fn held(self, _: u32) -> f64 {
        self
    }

    #[inline]
    fn part(self, bits: u32) -> f64 {
        self * power_of_two(-i64::from(bits))
    }

    #[inline]
    fn decayed(self, left: f64) -> f64 {
        self * left
    }

    #[inline]
    fn rounded(self, shift: i64, _: u32) -> f64 {
        self * power_of_two(-shift)
    }

    fn carried(self, shift: i64, _: &mut f64) -> f64 {
        self.rounded(shift, 0)
    }

    fn potential(self, one: f64, window: i64) -> f64 {
        let (least, most) = f64::potential_bounds(window);
        (self / one).clamp(least, most)
    }

    fn potential_bounds(window: i64) -> (f64, f64) {
        (-(window as f64) / 2.0, window as f64 * 1.25)
    }

    fn probabilities(scores: &[f64], temperature: f64) -> Vec<f64> {
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let exponentials: Vec<f64> = scores.iter().map(|score| ((score - most) / temperature).exp()).collect();
        let sum: f64 = exponentials.iter().sum();
        exponentials.iter().map(|exponential| exponential / sum).collect()
    }

    fn square(pull: f64, _: u32, counts: i64) -> f64 {
        (pull * counts as f64).powi(2)
    }

    fn step_factor(mean_square: f64, window: i64) -> f64 {
        (window as f64 / 2.0 / mean_square.sqrt()).clamp(0.5, 4.0)
    }

    fn averaged(self, divisor: u64, places: u64) -> (f64, u64) {
        (self / places as f64, divisor)
    }
}
