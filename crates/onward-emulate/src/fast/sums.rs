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
    macro_rules! wrapping {
        ($sum:ty, $weight:ty) => {{
            let sums = &mut sums.as_mut_slice::<$sum>()[to..to + length];
            let row = &source.as_slice::<$weight>()[from..from + length];
            let mut over: $sum = 0;
            for (sum, &weight) in sums.iter_mut().zip(row) {
                let (old, weight) = (*sum, <$sum>::from(weight));
                *sum = old.wrapping_add(weight);
                over |= (old ^ *sum) & (weight ^ *sum);
            }
            if over >= 0 {
                return 0;
            }
            for (sum, &weight) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_sub(weight.into());
            }
        }};
    }
    match (sum_width, width) {
        (Width::W16, Width::W8) => wrapping!(i16, i8),
        (Width::W16, Width::W16) => wrapping!(i16, i16),
        (Width::W32, Width::W8) => wrapping!(i32, i8),
        (Width::W32, Width::W16) => wrapping!(i32, i16),
        _ => {}
    }
    with_care(sums, sum_width, to, source, width, from, length)
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
