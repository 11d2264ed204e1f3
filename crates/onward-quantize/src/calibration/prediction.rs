//! What rounding is expected to do to the rates of a network's layers, before any data is at hand.
//!
//! Both models, in real numbers and in the chip's integers, are shown the same random spikes. As nobody knows how busy the input
//! will be, this is done for several rates, and the one that makes the largest difference counts.

use super::FloatModel;
use onward_isa::random::block_seed;

/// What part of the input's places send in a step.
const SHARES: [f64; 4] = [1.0 / 16.0, 1.0 / 8.0, 1.0 / 4.0, 1.0 / 2.0];

/// Steps that each is shown for, unless that takes too long.
const STEPS: u64 = 3200;

/// A mean that chance leaves the mean of these below once in 20 times or less: two deviations of the mean more, and of spikes so rare
/// that none was seen three in all (the rule of three).
fn upper(seen: &[f64]) -> f64 {
    let count = seen.len().max(1) as f64;
    let mean = seen.iter().sum::<f64>() / count;
    let variance = seen.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    mean + 2.0 * (variance / count).sqrt() + 3.0 / count
}

/// The most steps of a window that are shown: rates differ less the longer they are measured.
const MOST_STEPS: u64 = 256;

/// The most additions of weights that are spent on all of it.
const MOST_ADDITIONS: u64 = 400_000_000;

/// What is expected of the rates of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedRate {
    /// The layer.
    pub layer: String,
    /// Root of the mean square, over neurons and windows, of what rates differ by, spikes a step: with what chance may add to it.
    pub difference: f64,
    /// The mean rate in real numbers where that is so.
    pub rate: f64,
    /// What part of the input's places sends in a step there.
    pub share: f64,
}

/// What is expected where both models are of one network; `window` is its steps.
pub fn expected(real: &FloatModel, integers: &FloatModel, window: u32) -> Vec<ExpectedRate> {
    let steps = u64::from(window).min(MOST_STEPS);
    let of_share = |(number, &share): (usize, &f64)| {
        let (mut real, mut integers) = (real.clone(), integers.clone());
        measured(&mut real, &mut integers, steps, (number as u64, share))
    };
    let mut all = SHARES.iter().enumerate().map(of_share);
    let mut worst = all.next().unwrap_or_default();
    for other in all {
        for (worst, other) in worst.iter_mut().zip(other) {
            if other.difference > worst.difference {
                *worst = other;
            }
        }
    }
    worst
}

/// What rates differ by where such a share of the input's places sends.
fn measured(
    real: &mut FloatModel,
    integers: &mut FloatModel,
    steps: u64,
    (number, share): (u64, f64),
) -> Vec<ExpectedRate> {
    let inputs = real.inputs();
    // By layer, the sum of squares of each window, and the mean rates added up.
    let mut squares: Vec<(Vec<f64>, f64)> = vec![Default::default(); real.fired().count()];
    let mut length = 0;
    let (mut windows, mut added) = (0u64, 0);
    let budget = MOST_ADDITIONS / SHARES.len() as u64;
    while windows < (STEPS / steps).max(8) && (windows == 0 || added + added / windows <= budget) {
        real.open_window();
        integers.open_window();
        let mut counts: Vec<Vec<f64>> = real.fired().map(|(_, fired)| vec![0.0; 2 * fired.len()]).collect();
        length = 0;
        while length < steps && (length < 4 || added <= budget) {
            let places = drawn(inputs, share, block_seed(number, (windows * steps + length) as u32));
            let packets: Vec<(u32, i32)> = places.map(|place| (place, real.one())).collect();
            real.step(&packets);
            integers.step(&packets);
            added = real.additions() + integers.additions();
            for ((counts, (_, fired)), (_, other)) in counts.iter_mut().zip(real.fired()).zip(integers.fired()) {
                let (here, there) = counts.split_at_mut(fired.len());
                here.iter_mut().zip(fired).for_each(|(count, fired)| *count += fired);
                there.iter_mut().zip(other).for_each(|(count, fired)| *count += fired);
            }
            length += 1;
        }
        for (square, counts) in squares.iter_mut().zip(&counts) {
            let (here, there) = counts.split_at(counts.len() / 2);
            let pairs = here.iter().zip(there);
            let neurons = here.len().max(1) as f64;
            square.0.push(pairs.map(|(a, b)| (a - b).powi(2)).sum());
            square.1 += here.iter().sum::<f64>() / length as f64 / neurons;
        }
        windows += 1;
    }
    let all = windows as f64;
    let steps = length as f64;
    real.fired()
        .zip(squares)
        .map(|((layer, fired), (square, rate))| ExpectedRate {
            layer: layer.to_owned(),
            difference: (upper(&square) / fired.len().max(1) as f64).sqrt() / steps,
            rate: rate / all,
            share,
        })
        .collect()
}

/// The places that send in a step.
fn drawn(inputs: u32, share: f64, seed: u64) -> impl Iterator<Item = u32> {
    let below = (share * 2f64.powi(32)) as u64;
    (0..inputs).filter(move |&place| block_seed(seed, place) >> 32 < below)
}
