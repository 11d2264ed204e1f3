//! Fixed-point formats and the integer constants of a layer.
//!
//! This is where floating point ends: from here on all is integers.

mod learning;

pub use learning::LearningFormat;
pub(crate) use learning::{INDICES, SUM_BITS, Table, VELOCITY_BITS};

use crate::step_format::StepFormat;
use onward_net::{Initial, Layer, LayerKind, Learning, Values};

/// The integer constants of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerFormat {
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Bits of a weight, a membrane or a bias below the binary point: 4 less than a weight has for 16 bits, 2 less
    /// for 8 and 4 bits.
    pub fraction_bits: u32,
    /// The threshold.
    pub threshold: i32,
    /// 1.0: `2^fraction_bits`.
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
    /// The format of a layer whose neurons have `inputs` weights beside the target's.
    pub fn new(layer: &Layer, inputs: u32, window: u32) -> Self {
        let bits = layer.weights.bits;
        let Values::Constant(threshold) = layer.neuron.threshold else { unreachable!("one threshold") };
        let fraction_bits = if bits > 8 { bits - 4 } else { bits - 2 };
        let one = 1 << fraction_bits;
        let scaled = |value: f64| (value * f64::from(one) * 65536.0).round() as i64;
        let convolution = matches!(layer.kind, LayerKind::Convolution(_));
        let places = if convolution { layer.shape[1] * layer.shape[2] } else { 1 };
        let learning = match &layer.learning {
            Learning::None => None,
            Learning::Rule(rule) => Some(LearningFormat::new(rule, fraction_bits, window)),
        };
        LayerFormat {
            weight_bits: bits,
            fraction_bits,
            threshold: ((threshold * f64::from(one)).round() as i32).max(1),
            one,
            deviation: match layer.weights.initial {
                Initial::Drawn { gain } => Some(scaled(gain * (2.0 / f64::from(inputs)).sqrt())),
                Initial::Given(_) => None,
            },
            target_deviation: scaled(if convolution { 0.3 } else { 1.0 }),
            target_mean: if convolution { one / 2 } else { 0 },
            places_shift: (f64::from(places).log2() / 2.0).round() as i32,
            learning,
            steps: None,
        }
    }
}
