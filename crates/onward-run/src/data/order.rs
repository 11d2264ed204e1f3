//! The order in which an epoch shows the samples.

/// What SplitMix64 adds to its state: 2^64 divided by the golden ratio, odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The generator SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014; the
/// constants are those of S. Vigna's splitmix64.c). All arithmetic is modulo 2^64:
///
/// ```text
/// next():  state += 0x9e3779b97f4a7c15;  return mix(state)
/// mix(z):  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;  z = (z ^ z >> 27) * 0x94d049bb133111eb;  return z ^ z >> 31
/// ```
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator with that state.
    pub const fn new(state: u64) -> SplitMix64 {
        SplitMix64 { state }
    }

    /// 64 random bits.
    pub const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A number below `bound`, each equally likely: the highest 32 bits of a draw times `bound`, divided by 2^32 and
    /// rounded down; where the product modulo 2^32 is below 2^32 modulo `bound`, the draw is thrown away and another
    /// taken (D. Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019).
    ///
    /// # Panics
    /// When `bound` is 0.
    pub const fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "no number is below 0");
        let rejected = bound.wrapping_neg() % bound; // 2^32 modulo bound
        loop {
            let product = (self.draw() >> 32) * bound as u64;
            if product as u32 >= rejected {
                return (product >> 32) as u32;
            }
        }
    }
}

pub(super) const fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The order of samples: for each epoch another permutation, which depends on the seed and the epoch's number alone.
///
/// It is the shuffle of Fisher and Yates, to the bit: a list holds 0, 1, ..., n - 1; for i from n - 1 down to 1,
/// entries i and `below(i + 1)` change places. The draws come from [`SplitMix64`] in the state
/// `mix(mix(seed) + epoch)`, modulo 2^64, `mix` being its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleOrder {
    seed: u64,
}

impl SampleOrder {
    /// The orders of a run with that seed.
    pub const fn new(seed: u64) -> SampleOrder {
        SampleOrder { seed }
    }

    /// Indices of `samples` samples in the order that epoch `epoch` (from 0) shows them.
    pub fn epoch(&self, samples: u32, epoch: u32) -> Vec<u32> {
        // Seed and epoch are scrambled apart, or seed 1 in epoch 0 and seed 0 in epoch 1 would be the same.
        let mut generator = SplitMix64::new(mix(mix(self.seed).wrapping_add(u64::from(epoch))));
        let mut order: Vec<u32> = (0..samples).collect();
        for last in (1..samples).rev() {
            order.swap(last as usize, generator.below(last + 1) as usize);
        }
        order
    }
}
