//! Which samples are learned from, which choose among epochs, and which are tested with.

use super::error::DataError;
use super::order::{SplitMix64, mix};
use super::{Dataset, Samples};

/// Where the samples to test with come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The data says which they are.
    Given,
    /// They were drawn from all samples, by this seed.
    Drawn(u64),
    /// None are kept apart: what is learned from is what is tested with.
    None,
}

/// A share of the samples, and the seed that draws them. What is drawn depends on both and on the number of samples, on
/// nothing else, and not on the seed of a run: so every run with the same share has the same samples to test with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Above 0, below 1.
    pub share: f64,
    /// The seed.
    pub seed: u64,
}

/// What is drawn; each draws other samples.
const TEST_DRAW: u64 = 0x7465_7374;
const VALIDATION_DRAW: u64 = 0x7661_6c69;

impl Share {
    /// So many of `count`, ascending, to the nearest but at least one and not all, and the others.
    fn draw(self, count: usize, what: u64) -> (Vec<u32>, Vec<u32>) {
        let drawn = ((count as f64 * self.share).round() as usize).clamp(1, count - 1);
        let mut generator = SplitMix64::new(mix(mix(self.seed).wrapping_add(what)));
        let mut all: Vec<u32> = (0..count as u32).collect();
        // The last places of Fisher and Yates' shuffle.
        for last in (count - drawn..count).rev() {
            all.swap(last, generator.below(last as u32 + 1) as usize);
        }
        let mut taken = all.split_off(count - drawn);
        taken.sort_unstable();
        all.sort_unstable();
        (taken, all)
    }
}

impl Dataset {
    /// Whether the network is tested with what it learned from.
    pub fn is_tested_on_training(&self) -> bool {
        self.split == Split::None
    }

    /// The same data, of which a share is drawn to test with and kept out of what is learned from. The windows of a sequence
    /// stay together.
    ///
    /// # Errors
    /// The data has samples to test with of its own, or there are fewer than two.
    pub fn with_test_share(self, share: Share) -> Result<Dataset, DataError> {
        if self.split != Split::None {
            return Err(DataError::HasTest { name: self.name });
        }
        let (test, train) = self.drawn(&self.train, share, TEST_DRAW)?;
        Ok(Dataset { train, test, split: Split::Drawn(share.seed), ..self })
    }

    /// The same data, of which a share of the samples to learn from is kept apart, to choose among epochs by.
    ///
    /// # Errors
    /// There are no samples to test with apart from those to learn from, or fewer than two to learn from.
    pub fn with_validation_share(self, share: Share) -> Result<Dataset, DataError> {
        if self.split == Split::None {
            return Err(DataError::NoTest { name: self.name });
        }
        let (validation, train) = self.drawn(&self.train, share, VALIDATION_DRAW)?;
        Ok(Dataset { train, validation: Some(validation), ..self })
    }

    fn drawn(&self, samples: &Samples, share: Share, what: u64) -> Result<(Samples, Samples), DataError> {
        let count = samples.sequences();
        if count < 2 {
            return Err(DataError::TooFew { name: self.name.clone(), count });
        }
        let (taken, left) = share.draw(count, what);
        Ok((samples.of_sequences(&taken), samples.of_sequences(&left)))
    }
}
