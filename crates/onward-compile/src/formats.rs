//! Fixed-point formats and the integer constants of a layer.
//!
//! This is where floating point ends: from here on all is integers.

mod learning;

pub use learning::LearningFormat;
pub(crate) use learning::{INDICES, SUM_BITS, Table, VELOCITY_BITS};

use crate::step_format::{StepFormat, learns_at_steps};
use onward_net::{Initial, Layer, LayerKind, Learning, Values};

/// The most fraction bits of a weight.
const MOST_FRACTION_BITS: u32 = 15;

/// The integer constants of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerFormat {
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Bits of a weight below the binary point. There may be more than a weight has: the highest are 0 then.
    pub fraction_bits: u32,
    /// How many more a membrane, a voltage or a bias has: they are state of a neuron, and have 12 at least.
    pub finer: u32,
    /// How many less a weight of the target's projection has, which is drawn much larger.
    pub target_coarser: u32,
    /// The threshold.
    pub threshold: i32,
    /// 1.0 on the membrane: `2^(fraction_bits + finer)`.
    pub one: i32,
    /// Standard deviation of drawn weights, with 16 more fraction bits; none where weights are given.
    pub deviation: Option<i64>,
    /// The same for the target's projection: 1.0, into a convolution 0.3.
    pub target_deviation: i64,
    /// What the target's projection is drawn about: 0, into a convolution the half of 1.0.
    pub target_mean: i32,
    /// How much more updates of a kernel's weights are divided: half the logarithm of its places, as the sum of what they ask
    /// for grows like the root of their number; 0 where weights are not shared.
    pub places_shift: i32,
    /// How the layer learns.
    pub learning: Option<LearningFormat>,
    /// What a layer has that learns while its input is shown.
    pub steps: Option<StepFormat>,
}

impl LayerFormat {
    /// Fraction bits of a membrane, at least.
    const MEMBRANE_FRACTION_BITS: u32 = 12;

    /// The format of a layer whose neurons have `inputs` weights beside the target's.
    pub fn new(layer: &Layer, inputs: u32, window: u32) -> Self {
        let bits = layer.weights.bits;
        let Values::Constant(threshold) = layer.neuron.threshold else { unreachable!("one threshold") };
        let (gain, fraction) = match layer.weights.initial {
            Initial::Drawn { gain, fraction } => (gain, fraction),
            // As if they had been drawn: what was learned from drawn weights comes back in the same format.
            Initial::Given(_) => (1.0, None),
        };
        let deviation = gain * (2.0 / f64::from(inputs)).sqrt();
        let convolution = matches!(layer.kind, LayerKind::Convolution(_));
        let places = if convolution { layer.shape[1] * layer.shape[2] } else { 1 };
        let widest = widest_fraction_bits(bits);
        // Where a layer learns while its input is shown, or shares kernels, all has one binary point.
        let is_one = learns_at_steps(layer) || convolution;
        let usual = || if is_one { widest } else { usual_fraction_bits(bits, deviation) };
        let fraction_bits = fraction.unwrap_or_else(usual);
        let target_fraction_bits = if is_one { fraction_bits } else { fraction_bits.min(widest) };
        let finer = if is_one { 0 } else { Self::MEMBRANE_FRACTION_BITS.saturating_sub(fraction_bits) };
        let one = 1 << (fraction_bits + finer);
        let scaled = |value: f64, bits: u32| (value * f64::from(1 << bits) * 65536.0).round() as i64;
        let learning = match &layer.learning {
            Learning::None => None,
            Learning::Rule(rule) => {
                Some(LearningFormat::new(rule, [fraction_bits, finer, target_fraction_bits], window))
            }
        };
        LayerFormat {
            weight_bits: bits,
            fraction_bits,
            finer,
            target_coarser: fraction_bits - target_fraction_bits,
            threshold: ((threshold * f64::from(one)).round() as i32).max(1),
            one,
            deviation: match layer.weights.initial {
                Initial::Drawn { .. } => Some(scaled(deviation, fraction_bits)),
                Initial::Given(_) => None,
            },
            target_deviation: scaled(if convolution { 0.3 } else { 1.0 }, target_fraction_bits),
            target_mean: if convolution { one / 2 } else { 0 },
            places_shift: (f64::from(places).log2() / 2.0).round() as i32,
            learning,
            steps: None,
        }
    }
}

/// Fraction bits of weights that may be as large as 2 (8 for 16 bits).
fn widest_fraction_bits(bits: u32) -> u32 {
    if bits > 8 { bits - 4 } else { bits - 2 }
}

/// The fraction bits of weights that are drawn with that deviation. Coarse weights learn best where they are as fine as leaves
/// room for 3 deviations.
fn usual_fraction_bits(bits: u32, deviation: f64) -> u32 {
    let widest = widest_fraction_bits(bits);
    if bits > 8 {
        return widest;
    }
    let largest = f64::from((1 << (bits - 1)) - 1);
    let fits = |fraction_bits: &u32| largest / f64::from(1 << fraction_bits) >= 3.0 * deviation;
    (widest..=MOST_FRACTION_BITS).take_while(fits).last().unwrap_or(widest)
}
