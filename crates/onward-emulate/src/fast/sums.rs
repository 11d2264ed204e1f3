//! Rows of memory added to sums in neuron memory (`vaddn16`, `vaddn32`).
//!
//! All work of a convolution is here: for each spike and row of its kernel one such addition, some hundred elements long.
//! So the loop wraps, remembers whether any sum left its width, and where one did (which compiled networks rule out by
//! the bounds of their sums) takes everything back and adds again with care.

use super::vector::narrow;
use crate::memory::Bank;
use onward_isa::Width;

/// Adds `length` elements of `source` from element `from` on to those of `sums` from `to` on, saturating; returns how many
/// were saturated. All elements must lie in their memories.
#[inline(always)]
pub(super) fn add(
    sums: &mut Bank,
    sum_width: Width,
    to: usize,
    source: &Bank,
    width: Width,
    from: usize,
    length: usize,
) -> u32 {
    match (sum_width, width) {
        (Width::W16, Width::W8) => {
            let sums = &mut sums.as_mut_slice::<i16>()[to..to + length];
            let row = &source.as_slice::<i8>()[from..from + length];
            if wrapping_16(sums, row, |weight| i16::from(weight)) {
                return 0;
            }
            take_back_16(sums, row, |weight| i16::from(weight));
        }
        (Width::W16, Width::W16) => {
            let sums = &mut sums.as_mut_slice::<i16>()[to..to + length];
            let row = &source.as_slice::<i16>()[from..from + length];
            if wrapping_16(sums, row, |weight| weight) {
                return 0;
            }
            take_back_16(sums, row, |weight| weight);
        }
        (Width::W32, Width::W8) => {
            let sums = &mut sums.as_mut_slice::<i32>()[to..to + length];
            let row = &source.as_slice::<i8>()[from..from + length];
            if wrapping_32(sums, row) {
                return 0;
            }
            take_back_32(sums, row);
        }
        (Width::W32, Width::W16) => {
            let sums = &mut sums.as_mut_slice::<i32>()[to..to + length];
            let row = &source.as_slice::<i16>()[from..from + length];
            if wrapping_32(sums, row) {
                return 0;
            }
            take_back_32(sums, row);
        }
        _ => {}
    }
    with_care(sums, sum_width, to, source, width, from, length)
}

/// Adds modulo 2^16; returns whether no sum left 16 bits.
#[inline(always)]
fn wrapping_16<T: Copy>(sums: &mut [i16], row: &[T], wide: impl Fn(T) -> i16) -> bool {
    let mut over = 0;
    for (sum, &weight) in sums.iter_mut().zip(row) {
        let (old, weight) = (*sum, wide(weight));
        *sum = old.wrapping_add(weight);
        over |= (old ^ *sum) & (weight ^ *sum);
    }
    over >= 0
}

#[inline(always)]
fn take_back_16<T: Copy>(sums: &mut [i16], row: &[T], wide: impl Fn(T) -> i16) {
    for (sum, &weight) in sums.iter_mut().zip(row) {
        *sum = sum.wrapping_sub(wide(weight));
    }
}

/// Adds modulo 2^32; returns whether no sum left 32 bits.
#[inline(always)]
fn wrapping_32<T: Copy + Into<i32>>(sums: &mut [i32], row: &[T]) -> bool {
    let mut over = 0;
    for (sum, &weight) in sums.iter_mut().zip(row) {
        let (old, weight) = (*sum, weight.into());
        *sum = old.wrapping_add(weight);
        over |= (old ^ *sum) & (weight ^ *sum);
    }
    over >= 0
}

#[inline(always)]
fn take_back_32<T: Copy + Into<i32>>(sums: &mut [i32], row: &[T]) {
    for (sum, &weight) in sums.iter_mut().zip(row) {
        *sum = sum.wrapping_sub(weight.into());
    }
}

/// One element after the other, by the book.
fn with_care(
    sums: &mut Bank,
    sum_width: Width,
    to: usize,
    source: &Bank,
    width: Width,
    from: usize,
    length: usize,
) -> u32 {
    let mut saturated = 0;
    for i in 0..length {
        let exact = i64::from(sums.get(sum_width, to + i)) + i64::from(source.get(width, from + i));
        let wide = exact.clamp(i32::MIN.into(), i32::MAX.into());
        let (value, over) = narrow(wide as i32, sum_width);
        sums.set(sum_width, to + i, value);
        saturated += u32::from(over != 0 || wide != exact);
    }
    saturated
}
