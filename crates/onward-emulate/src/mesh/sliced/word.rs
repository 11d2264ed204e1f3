//! A bit for each of the steps that are timed at once.

use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

/// Steps timed at once: the bits of the widest registers of today's hosts.
pub(crate) const LANES: usize = 512;

/// A bit for each lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Word([u64; LANES / 64]);

impl Word {
    /// No lane.
    pub const NONE: Word = Word([0; LANES / 64]);

    /// Whether any lane is set.
    #[inline(always)]
    pub fn any(self) -> bool {
        self.0.iter().fold(0, |all, &part| all | part) != 0
    }

    /// Lanes that are set.
    #[inline(always)]
    pub fn count(self) -> u64 {
        self.0.iter().map(|part| u64::from(part.count_ones())).sum()
    }

    /// Sets a lane.
    #[inline(always)]
    pub fn set(&mut self, lane: usize) {
        self.0[lane / 64] |= 1 << (lane % 64);
    }

    /// Clears a lane.
    #[inline(always)]
    pub fn clear(&mut self, lane: usize) {
        self.0[lane / 64] &= !(1 << (lane % 64));
    }

    /// Sets or clears a lane.
    #[inline(always)]
    pub fn assign(&mut self, lane: usize, value: bool) {
        let part = &mut self.0[lane / 64];
        *part = *part & !(1 << (lane % 64)) | u64::from(value) << (lane % 64);
    }

    /// The lanes that are set, from the lowest.
    #[inline(always)]
    pub fn lanes(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(at, part)| {
            let mut left = part;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit)
            })
        })
    }

    #[inline(always)]
    fn zip(self, other: Word, operation: impl Fn(u64, u64) -> u64) -> Word {
        Word(std::array::from_fn(|at| operation(self.0[at], other.0[at])))
    }
}

impl BitAnd for Word {
    type Output = Word;

    #[inline(always)]
    fn bitand(self, other: Word) -> Word {
        self.zip(other, |a, b| a & b)
    }
}

impl BitOr for Word {
    type Output = Word;

    #[inline(always)]
    fn bitor(self, other: Word) -> Word {
        self.zip(other, |a, b| a | b)
    }
}

impl Not for Word {
    type Output = Word;

    #[inline(always)]
    fn not(self) -> Word {
        Word(self.0.map(|part| !part))
    }
}

impl BitAndAssign for Word {
    #[inline(always)]
    fn bitand_assign(&mut self, other: Word) {
        *self = *self & other;
    }
}

impl BitOrAssign for Word {
    #[inline(always)]
    fn bitor_assign(&mut self, other: Word) {
        *self = *self | other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_come_out_as_they_went_in() {
        let mut word = Word::NONE;
        let lanes = [0, 1, 63, 64, 130, LANES - 1];
        for &lane in &lanes {
            word.set(lane);
        }
        assert_eq!(word.lanes().collect::<Vec<_>>(), lanes);
        assert_eq!(word.count(), lanes.len() as u64);
        word.clear(63);
        word.assign(64, false);
        word.assign(65, true);
        assert_eq!((word & !Word::NONE).lanes().collect::<Vec<_>>(), [0, 1, 65, 130, LANES - 1]);
    }
}
