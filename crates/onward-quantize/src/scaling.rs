//! The choice of scales for weights that are given.
//!
//! A scale need be no power of two, as all that a neuron compares its membrane with, thresholds, resets and biases, is
//! multiplied by it too: no instruction is spent on it. So each output can use all the bits of a weight. What it costs is an
//! array of thresholds where else one number served all neurons; so scales differ only where less is lost by it.

use crate::rounding::{Grid, Rounding, rounded};
use crate::scale::Scale;

/// Scales that differ are taken where they leave less than this part of what is lost.
const WORTH: f64 = 0.9;

/// An output of so few weights is tried with several scales: by chance one of them suits these weights better.
const FEW: usize = 256;

/// How many are tried, from the greatest that fits downwards.
const TRIES: u32 = 16;

/// The most bits that a number of a neuron takes at the scale of its weights, so that membranes can be finer.
const MOST_BITS: i32 = 22;

/// Weights that a layer's scales are chosen for.
pub(crate) struct Weighed<'a> {
    /// The real weights, and the output that each is of.
    pub weights: &'a [f64],
    pub outputs: &'a [u32],
    /// Places that share the weights of an output's channel: a kernel's taps.
    pub taps: usize,
    pub bits: u32,
    /// By output the greatest weight of its own spikes in the units of `weights`, and their bits.
    pub own: Option<(Vec<f64>, u32)>,
    /// By output the greatest number of its neurons: thresholds, resets, biases.
    pub numbers: Vec<f64>,
    /// By output what an error counts as part of: its threshold.
    pub thresholds: Vec<f64>,
    /// The scale by which thresholds and all else fit, that is a power of two.
    pub usual: f64,
}

impl Weighed<'_> {
    /// The scales by which least is lost: the usual, unless others leave clearly less.
    pub fn best(&self) -> Scale {
        let usual = Scale::Same(self.usual);
        let count = self.thresholds.len();
        let mut largest = vec![0.0f64; count];
        for (weight, &output) in self.weights.iter().zip(self.outputs) {
            let of = &mut largest[output as usize];
            *of = of.max(weight.abs());
        }
        let most = |bits: u32| f64::from((1 << (bits - 1)) - 1);
        let fits = |output: usize| {
            let of_own = self.own.as_ref().map_or(f64::INFINITY, |(own, bits)| most(*bits) / own[output]);
            let by_weights = (most(self.bits) / largest[output]).min(of_own);
            // What says nothing of its scale has the usual one.
            let by_weights = if by_weights.is_finite() { by_weights } else { self.usual };
            by_weights.min(f64::from(MOST_BITS).exp2() / self.numbers[output])
        };
        let own: Vec<f64> = (0..count).map(|output| fits(output).max(self.usual)).collect();
        let common = own.iter().copied().fold(f64::INFINITY, f64::min);
        let (lost, lost_common) = (self.losses(&usual), self.losses(&Scale::Same(common)));
        // An output whose weights are lost less by the usual scale keeps that: so numbers that are exact stay so.
        let mut chosen = vec![self.usual; count];
        let mut lost_chosen: Vec<f64> = lost.iter().map(|lost| WORTH * lost).collect();
        let tries = if self.weights.len() / count.max(1) <= FEW { TRIES } else { 1 };
        for number in 0..tries {
            let part = 1.0 - f64::from(number) / 512.0;
            let tried: Vec<f64> = own.iter().map(|scale| (scale * part).max(self.usual)).collect();
            let lost_tried = self.losses(&Scale::Each(tried.clone()));
            for at in (0..count).filter(|&at| lost_tried[at] < lost_chosen[at]).collect::<Vec<_>>() {
                (chosen[at], lost_chosen[at]) = (tried[at], lost_tried[at]);
            }
        }
        let each = Scale::Each(chosen);
        let sum = |losses: &[f64]| losses.iter().map(|lost| lost * lost).sum::<f64>().sqrt();
        let [mut least, of_common, of_each] = [sum(&lost), sum(&lost_common), sum(&self.losses(&each))];
        let mut best = usual;
        for (scale, lost) in [(Scale::Same(common), of_common), (each, of_each)] {
            if lost < WORTH * least {
                (best, least) = (scale, lost);
            }
        }
        best
    }

    /// By output what its weights are rounded by, as a part of its threshold: the root of the square of the sum and of a quarter of
    /// the squares of all, as inputs that send at a mean rate, of which each is off by half on the average, would feel it.
    fn losses(&self, scale: &Scale) -> Vec<f64> {
        let grid = Grid { bits: self.bits, scale, factor: 1.0, outputs: self.outputs, taps: self.taps };
        let integers = rounded(self.weights, &grid, &mut Rounding::default());
        let mut sums = vec![[0.0f64; 2]; self.thresholds.len()];
        for ((integer, weight), &output) in integers.iter().zip(self.weights).zip(self.outputs) {
            let error = f64::from(*integer) / scale.of(output as usize) - weight;
            let [sum, squares] = &mut sums[output as usize];
            (*sum, *squares) = (*sum + error, *squares + error * error);
        }
        let lost = |([sum, squares], threshold): (&[f64; 2], &f64)| (sum * sum + squares / 4.0).sqrt() / threshold;
        sums.iter().zip(&self.thresholds).map(lost).collect()
    }
}
