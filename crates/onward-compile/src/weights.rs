//! Initial weights: about normal, in integers, the same on every machine.
//!
//! A weight is the sum of twelve uniform 16-bit numbers, less its mean (Irwin and Hall: standard deviation 2^16, never
//! beyond 6 of them), times the deviation wanted. It is a function of seed, layer and place in the layer, so no
//! partition changes it.

use crate::formats::LayerFormat;
use onward_isa::random::block_seed;

/// `count` weights of the layer in `stream`, rounded to the nearest (halves up) and clamped to `-max..=max`.
///
/// `deviation` is the standard deviation with 16 fraction bits.
pub(crate) fn draw(seed: u64, stream: u32, count: usize, deviation: i64, max: i32) -> Vec<i16> {
    let weight = |normal: i64| {
        let value = (normal * deviation + (1 << 31)) >> 32;
        value.clamp(-i64::from(max), i64::from(max)) as i16
    };
    normal(seed, stream, count).map(weight).collect()
}

/// Weights that the text gives, `[neuron][input]`, in the layer's format and as `[input][neuron]`: rounded to the nearest,
/// and clamped to what their bits hold. What was learned in this format and exported comes back as it was.
pub(crate) fn given(values: &[f64], neurons: usize, format: &LayerFormat) -> Vec<i16> {
    let most = 1i64 << (format.weight_bits - 1);
    let inputs = values.len() / neurons.max(1);
    let one = f64::from(1 << format.fraction_bits);
    let integer = |value: f64| (value * one).round().clamp(-most as f64, (most - 1) as f64) as i16;
    (0..inputs).flat_map(|input| (0..neurons).map(move |neuron| integer(values[neuron * inputs + input]))).collect()
}

/// `count` numbers of the layer in `stream`, about normal with the standard deviation 2^16.
pub(crate) fn normal(seed: u64, stream: u32, count: usize) -> impl Iterator<Item = i64> {
    // The output function of SplitMix64 serves both: once for the stream's seed, then three times a weight.
    let stream_seed = block_seed(!seed, stream);
    (0..count).map(move |at| {
        let uniform = (0..3u32).flat_map(|part| {
            let bits = block_seed(stream_seed.wrapping_add((at as u64) << 20), part);
            [bits & 0xffff, bits >> 16 & 0xffff, bits >> 32 & 0xffff, bits >> 48]
        });
        uniform.sum::<u64>() as i64 - 12 * 65535 / 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_asked_for() {
        let weights = draw(1, 0, 100_000, 1000 << 16, i32::MAX >> 16);
        let n = weights.len() as f64;
        let mean = weights.iter().map(|&w| f64::from(w)).sum::<f64>() / n;
        let variance = weights.iter().map(|&w| (f64::from(w) - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 3.0 * 1000.0 / n.sqrt(), "mean {mean}");
        assert!((variance.sqrt() / 1000.0 - 1.0).abs() < 0.01, "deviation {}", variance.sqrt());
    }

    #[test]
    fn seeds_and_streams_differ() {
        let of = |seed, stream| draw(seed, stream, 64, 1000 << 16, i32::MAX >> 16);
        assert_eq!(of(1, 2), of(1, 2));
        assert_ne!(of(1, 2), of(2, 2));
        assert_ne!(of(1, 2), of(1, 3));
    }
}
