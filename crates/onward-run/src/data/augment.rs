//! Pictures that are changed before they are learned from.

use super::Samples;
use super::order::{SplitMix64, mix};
use onward_image::Augmentation;

/// Keeps what is drawn here apart from what else is drawn of the same seed.
const AUGMENT_DRAW: u64 = 0x6175_676d;

/// The change of one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Change {
    /// Pixels to the right, and down.
    right: i64,
    down: i64,
    is_flipped: bool,
}

impl Change {
    /// What is drawn for a sample: a function of the seed, the epoch and the sample's number alone. The draws come from
    /// [`SplitMix64`] in the state `mix(mix(mix(seed) + epoch + 0x6175676d) + number)`, in the order of the augmentations:
    /// for a shift by up to p, `below(2 p + 1) - p` down and then to the right; for a flip, `below(2)`.
    fn draw(augment: &[Augmentation], seed: u64, epoch: u32, number: u32) -> Change {
        let of_epoch = mix(mix(seed).wrapping_add(u64::from(epoch)).wrapping_add(AUGMENT_DRAW));
        let mut generator = SplitMix64::new(mix(of_epoch.wrapping_add(u64::from(number))));
        let mut change = Change::default();
        for augmentation in augment {
            match *augmentation {
                Augmentation::Shift { pixels } => {
                    let mut way = || i64::from(generator.below(2 * pixels + 1)) - i64::from(pixels);
                    change.down += way();
                    // A picture that was flipped moves the other way, so that the order of the two does not matter.
                    change.right += if change.is_flipped { -way() } else { way() };
                }
                Augmentation::Flip => change.is_flipped ^= generator.below(2) == 1,
            }
        }
        change
    }

    /// Where the pixel of a picture of so many rows and columns goes; nothing if it leaves it.
    fn place(self, [height, width]: [usize; 2], row: usize, column: usize) -> Option<(usize, usize)> {
        let row = usize::try_from(row as i64 + self.down).ok().filter(|&row| row < height)?;
        let column = usize::try_from(column as i64 + self.right).ok().filter(|&column| column < width)?;
        Some((row, if self.is_flipped { width - 1 - column } else { column }))
    }
}

impl Samples {
    /// The same samples as an epoch (from 0) shows them: pictures of this shape, whose last two axes are height and width, each
    /// changed as is drawn for it. The windows of a sequence are changed alike.
    ///
    /// # Panics
    /// When samples are no pictures of that shape.
    #[must_use]
    pub fn augmented(&self, augment: &[Augmentation], shape: &[u32], seed: u64, epoch: u32) -> Samples {
        let [.., height, width] = *shape else { panic!("pictures have a height and a width") };
        let (size, extents) = ((height * width) as usize, [height as usize, width as usize]);
        let mut augmented = self.clone();
        for sample in 0..self.len() {
            let change = Change::draw(augment, seed, epoch, self.number(*self.up_to(sample).start()));
            if change == Change::default() {
                continue;
            }
            let from = self.pixels(sample);
            assert!(from.len().is_multiple_of(size), "pictures of that shape");
            let to = &mut augmented.pixels[sample * self.pixels_per_sample..][..self.pixels_per_sample];
            to.fill(0);
            for (from, to) in from.chunks_exact(size).zip(to.chunks_exact_mut(size)) {
                for (row, pixels) in from.chunks_exact(extents[1]).enumerate() {
                    for (column, &pixel) in pixels.iter().enumerate() {
                        if let Some((row, column)) = change.place(extents, row, column) {
                            to[row * extents[1] + column] = pixel;
                        }
                    }
                }
            }
            if let Some(events) = augmented.events.get_mut(sample) {
                let moved = events.iter().filter_map(|&(step, axon)| {
                    let (plane, at) = (axon as usize / size, axon as usize % size);
                    let (row, column) = change.place(extents, at / extents[1], at % extents[1])?;
                    Some((step, (plane * size + row * extents[1] + column) as u32))
                });
                *events = moved.collect();
                events.sort_unstable();
            }
        }
        augmented
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rows: [&str; 3]) -> Vec<u8> {
        rows.concat().bytes().map(|byte| byte.to_ascii_lowercase() - b'.').collect()
    }

    #[test]
    fn pictures_move_and_turn_about() {
        let samples = Samples::new(picture(["abcd", "efgh", "ijkl"]), vec![0], 12);
        let change = |augment: &[Augmentation], epoch| samples.augmented(augment, &[3, 4], 5, epoch).pixels(0).to_vec();
        let flips: Vec<Vec<u8>> = (0..40).map(|epoch| change(&[Augmentation::Flip], epoch)).collect();
        let flipped = picture(["dcba", "hgfe", "lkji"]);
        let count = flips.iter().filter(|shown| **shown == flipped).count();
        assert!((10..=30).contains(&count), "{count}");
        assert!(flips.iter().all(|shown| *shown == flipped || shown == samples.pixels(0)));

        // Each of nine places comes, and nothing else.
        let places: std::collections::BTreeSet<Vec<u8>> =
            (0..200).map(|epoch| change(&[Augmentation::Shift { pixels: 1 }], epoch)).collect();
        assert_eq!(places.len(), 9);
        for expected in
            [["....", "abcd", "efgh"], ["bcd.", "fgh.", "jkl."], ["....", ".abc", ".efg"], ["abcd", "efgh", "ijkl"]]
        {
            assert!(places.contains(&picture(expected)), "{expected:?}");
        }
        // The same whenever it is asked for; another for another sample, epoch or seed.
        let both = [Augmentation::Shift { pixels: 1 }, Augmentation::Flip];
        let many = Samples::new(picture(["abcd", "efgh", "ijkl"]).repeat(100), vec![0; 100], 12);
        assert_eq!(many.augmented(&both, &[3, 4], 5, 2), many.augmented(&both, &[3, 4], 5, 2));
        assert_ne!(many.augmented(&both, &[3, 4], 5, 2), many.augmented(&both, &[3, 4], 5, 3));
        assert_ne!(many.augmented(&both, &[3, 4], 5, 2), many.augmented(&both, &[3, 4], 6, 2));
        let some = many.of_sequences(&[70]).augmented(&both, &[3, 4], 5, 2);
        assert_eq!(some.pixels(0), many.augmented(&both, &[3, 4], 5, 2).pixels(70), "by its number in the data");
    }

    #[test]
    fn recorded_spikes_move_as_pixels_do() {
        let shape = [2, 3, 4];
        let spikes: Vec<(u32, u32)> = (0..24).map(|axon| (axon % 5, axon)).collect();
        let mut pixels = vec![0; 24];
        let recorded = Samples::recorded(
            vec![{
                let mut spikes = spikes.clone();
                spikes.sort_unstable();
                spikes
            }],
            None,
        );
        for (step, axon) in spikes {
            pixels[axon as usize] = step as u8 + 1;
        }
        let values = Samples::new(pixels, vec![0], 24);
        let augment = [Augmentation::Flip, Augmentation::Shift { pixels: 2 }];
        for epoch in 0..30 {
            let values = values.augmented(&augment, &shape, 1, epoch);
            let mut expected: Vec<(u32, u32)> = (0..24)
                .filter(|&axon| values.pixels(0)[axon as usize] > 0)
                .map(|axon| (u32::from(values.pixels(0)[axon as usize]) - 1, axon))
                .collect();
            expected.sort_unstable();
            assert_eq!(recorded.augmented(&augment, &shape, 1, epoch).events(0), expected);
        }
    }
}
