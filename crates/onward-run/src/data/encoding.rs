//! From pixels to spikes.

/// Spikes that a pixel makes in a window of `window` steps: `pixel * window / 255`, to the nearest integer (255 being
/// odd, there are no halves to decide on). Integers only.
pub const fn rate_count(pixel: u8, window: u32) -> u32 {
    ((2 * pixel as u64 * window as u64 + 255) / 510) as u32
}

/// Codes brightness as a rate: each pixel makes [`rate_count`] spikes in the window, spread evenly. A pixel's phase
/// starts at `window / 2`, rounded down; in each step the count is added to it, and where it reaches `window`, `window`
/// is subtracted and the pixel spikes.
#[derive(Clone, Debug)]
pub struct RateEncoder {
    window: u32,
    /// For every 64 steps of the window, for each brightness: bit s is a spike in the s-th of these steps.
    trains: Vec<[u64; 256]>,
}

impl RateEncoder {
    /// An encoder for windows of `window` steps. It holds 2 KiB for every 64 steps.
    pub fn new(window: u32) -> RateEncoder {
        let mut trains = vec![[0; 256]; window.div_ceil(64) as usize];
        for pixel in 0..=u8::MAX {
            // In 64 bits, as count and window together may pass 2^32.
            let (count, window) = (u64::from(rate_count(pixel, window)), u64::from(window));
            let mut phase = window / 2;
            for step in 0..window {
                phase += count;
                if phase >= window {
                    phase -= window;
                    trains[(step / 64) as usize][usize::from(pixel)] |= 1 << (step % 64);
                }
            }
        }
        RateEncoder { window, trains }
    }

    /// Writes the spikes of a sample: `spikes` holds `words_per_step` words for each step of the window, one step after
    /// the other; bit k % 64 (from the lowest) of word k / 64 of a step is pixel k. All other bits become 0.
    ///
    /// # Panics
    /// When `spikes` is not as long as the window's steps or a step too short for the pixels.
    pub fn encode(&self, pixels: &[u8], spikes: &mut [u64], words_per_step: usize) {
        assert_eq!(Some(spikes.len()), words_per_step.checked_mul(self.window as usize), "words of a window");
        assert!(pixels.len() <= words_per_step.saturating_mul(64), "more pixels than bits in a step");
        spikes.fill(0);
        // Each sample of a run passes here: 64 pixels by 64 steps are turned from trains into steps at once.
        for (word, pixels) in pixels.chunks(64).enumerate() {
            for (trains, steps) in self.trains.iter().zip(spikes.chunks_mut(64 * words_per_step)) {
                let mut block = [0; 64];
                for (train, &pixel) in block.iter_mut().zip(pixels) {
                    *train = trains[usize::from(pixel)];
                }
                transpose(&mut block);
                for (step, bits) in steps.chunks_exact_mut(words_per_step).zip(block) {
                    step[word] = bits;
                }
            }
        }
    }
}

/// [`RateEncoder::encode`] for a single sample; many are faster with an encoder that is kept.
///
/// # Panics
/// As [`RateEncoder::encode`].
pub fn encode_rate(pixels: &[u8], window: u32, spikes: &mut [u64], words_per_step: usize) {
    RateEncoder::new(window).encode(pixels, spikes, words_per_step);
}

/// Turns a matrix of 64 x 64 bits: bit j of word i becomes bit i of word j. Quarters change places, then the quarters of
/// the quarters, and so on (H. Warren, Hacker's Delight, 2nd ed., 7-3).
fn transpose(block: &mut [u64; 64]) {
    let mut mask = 0x0000_0000_ffff_ffff;
    let mut size = 32;
    while size > 0 {
        for start in (0..64).step_by(2 * size) {
            for word in start..start + size {
                let swapped = (block[word] >> size ^ block[word + size]) & mask;
                block[word] ^= swapped << size;
                block[word + size] ^= swapped;
            }
        }
        size /= 2;
        mask ^= mask << size;
    }
}
