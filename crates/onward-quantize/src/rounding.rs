//! Real weights become integers: each to the nearest, but for a few that are rounded the other way so that the sum of an
//! output's weights is kept.
//!
//! What comes in are spikes, so all inputs are positive and their mean matters most: an output of n weights, each rounded to
//! the nearest, is off by about sqrt(n / 12) of the last place for every spike that all its inputs send, but by half of it at
//! most where the sum is kept. (The same is done to biases, where data is at hand, as bias correction: Nagel et al., 2019,
//! arXiv 1906.04721.) The weights that are rounded the other way are those nearest to the middle, so that the error of a single
//! weight is hardly greater.

use crate::scale::Scale;

/// What rounding did to weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rounding {
    /// Weights in all.
    pub weights: usize,
    /// Weights that were beyond the greatest.
    pub clamped: usize,
    /// Weights that became 0 and were none.
    pub vanished: usize,
    /// The greatest error, as a part of 1.0 of the network.
    pub largest: f64,
    /// The root of the mean square of the errors.
    pub root_mean_square: f64,
}

/// The integers that weights are rounded to.
pub(crate) struct Grid<'a> {
    pub bits: u32,
    /// By output what 1.0 is, times `factor`.
    pub scale: &'a Scale,
    pub factor: f64,
    /// The output that each weight is of.
    pub outputs: &'a [u32],
    /// How many weights in a row are of one channel of what comes in: a kernel's taps.
    pub taps: usize,
}

/// The weights as integers; `rounding` gathers what that did to them.
pub(crate) fn rounded(weights: &[f64], grid: &Grid, rounding: &mut Rounding) -> Vec<i16> {
    let most = f64::from((1i32 << (grid.bits - 1)) - 1);
    let scale = |at: usize| grid.scale.of(grid.outputs[at] as usize) * grid.factor;
    // What was learned and exported may be the least that the bits hold.
    let one = |(at, weight): (usize, &f64)| (weight * scale(at)).round().clamp(-most - 1.0, most);
    let mut integers: Vec<f64> = weights.iter().enumerate().map(one).collect();
    let outputs = grid.outputs.iter().max().map_or(0, |last| *last as usize + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); outputs];
    for (at, &output) in grid.outputs.iter().enumerate() {
        let exact = weights[at] * scale(at);
        // What is beyond the greatest is no error of rounding.
        if (integers[at] - exact).abs() <= 0.5 && (-most..=most).contains(&integers[at]) {
            members[output as usize].push(at);
        }
    }
    for members in &members {
        if grid.taps > 1 {
            for kernel in members.chunk_by(|one, other| one / grid.taps == other / grid.taps) {
                keep_sum(kernel, most, &mut integers, |at| weights[at] * scale(at));
            }
        }
        keep_sum(members, most, &mut integers, |at| weights[at] * scale(at));
    }
    gather(weights, &integers, most, scale, rounding);
    integers.into_iter().map(|integer| integer as i16).collect()
}

/// The weights times `scale`, each rounded by itself.
pub(crate) fn nearest(weights: &[f64], bits: u32, scale: f64, rounding: &mut Rounding) -> Vec<i16> {
    let most = f64::from((1i32 << (bits - 1)) - 1);
    let integers: Vec<f64> = weights.iter().map(|weight| (weight * scale).round().clamp(-most - 1.0, most)).collect();
    gather(weights, &integers, most, |_| scale, rounding);
    integers.into_iter().map(|integer| integer as i16).collect()
}

/// Rounds some of the weights at `members` the other way, so that the sum of their errors is small.
fn keep_sum(members: &[usize], most: f64, integers: &mut [f64], exact: impl Fn(usize) -> f64) {
    let error = |integers: &[f64], at: usize| integers[at] - exact(at);
    let mut sum: f64 = members.iter().map(|&at| error(integers, at)).sum();
    let up = sum < 0.0;
    let sign = if up { -1.0 } else { 1.0 };
    let turns = |of_one: f64, sum: f64| of_one > 0.0 && 2.0 * sum + of_one / 2.0 > 1.25;
    if !turns(0.5, sign * sum) {
        return;
    }
    // Those whose errors are greatest in the sum's direction come first; equal ones in their order.
    let mut order: Vec<usize> = members.to_vec();
    let first = |one: &usize, other: &usize| {
        (sign * error(integers, *other)).total_cmp(&(sign * error(integers, *one))).then(one.cmp(other))
    };
    let most_turned = (sign * sum).ceil() as usize + 1;
    if most_turned < order.len() {
        order.select_nth_unstable_by(most_turned, first);
        order.truncate(most_turned);
    }
    order.sort_by(first);
    for at in order {
        let of_one = sign * error(integers, at);
        // Rates of inputs are taken to spread about their mean by half of it: with the square of the sum and a quarter of those
        // of the errors, this is where another rounding loses less.
        if !turns(of_one, sign * sum) {
            break;
        }
        let other = integers[at] - sign;
        if other.abs() <= most {
            integers[at] = other;
            sum -= sign;
        }
    }
}

/// Adds up what rounding did.
fn gather(weights: &[f64], integers: &[f64], most: f64, scale: impl Fn(usize) -> f64, rounding: &mut Rounding) {
    let mut squares = rounding.root_mean_square.powi(2) * rounding.weights as f64;
    for (at, (weight, integer)) in weights.iter().zip(integers).enumerate() {
        let exact = weight * scale(at);
        rounding.clamped += usize::from(!(-most - 1.0..=most).contains(&exact.round()));
        rounding.vanished += usize::from(*integer == 0.0 && *weight != 0.0);
        let error = (integer / scale(at) - weight).abs();
        rounding.largest = rounding.largest.max(error);
        squares += error * error;
    }
    rounding.weights += weights.len();
    rounding.root_mean_square = (squares / rounding.weights.max(1) as f64).sqrt();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integers(weights: &[f64], bits: u32, scale: f64) -> Vec<i16> {
        let outputs = vec![0; weights.len()];
        let grid = Grid { bits, scale: &Scale::Same(scale), factor: 1.0, outputs: &outputs, taps: 1 };
        rounded(weights, &grid, &mut Rounding::default())
    }

    #[test]
    fn the_sum_of_an_outputs_weights_is_kept() {
        // Ten times 0.3 is 3, not 0.
        assert_eq!(integers(&[0.3; 10], 8, 1.0).iter().sum::<i16>(), 3);
        assert_eq!(integers(&[-0.3; 10], 8, 1.0).iter().sum::<i16>(), -3);
        // The one nearest to the middle is rounded the other way.
        assert_eq!(integers(&[0.4, 0.45, 0.35, 5.0], 8, 1.0), [0, 1, 0, 5]);
    }

    #[test]
    fn what_is_exact_stays() {
        let weights: Vec<f64> = (-64..64).map(|at| f64::from(at) / 64.0).collect();
        let expected: Vec<i16> = (-64..64).collect();
        assert_eq!(integers(&weights, 8, 64.0), expected);
    }

    #[test]
    fn what_is_beyond_the_greatest_moves_no_other() {
        let mut rounding = Rounding::default();
        let grid = Grid { bits: 4, scale: &Scale::Same(1.0), factor: 1.0, outputs: &[0, 0, 0], taps: 1 };
        assert_eq!(rounded(&[20.0, 1.0, -2.0], &grid, &mut rounding), [7, 1, -2]);
        assert_eq!((rounding.clamped, rounding.vanished, rounding.largest), (1, 0, 13.0));
    }
}
