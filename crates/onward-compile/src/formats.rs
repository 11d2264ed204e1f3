//! Fixed-point formats and the integer constants of a layer.
//!
//! This is where floating point ends: from here on all is integers.

mod learning;

pub use learning::LearningFormat;
pub(crate) use learning::{INDICES, SUM_BITS, Table, VELOCITY_BITS};

use crate::step_format::StepFormat;
use onward_net::{Initial, Layer, Learning, Values};

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
    /// Standard deviation of drawn weights, with 16 more fraction bits.
    pub deviation: i64,
    /// The same for the target's projection: 1.0.
    pub target_deviation: i64,
    /// How the layer learns.
    pub learning: Option<LearningFormat>,
    /// What a layer has that learns while its input is shown.
    pub steps: Option<StepFormat>,
}

impl LayerFormat {
    /// The format of a layer that has `inputs` axons beside the target's.
    pub fn new(layer: &Layer, inputs: u32, window: u32) -> Self {
        let bits = layer.weights.bits;
        let Initial::Drawn { gain } = layer.weights.initial else { unreachable!("weights are drawn") };
        let Values::Constant(threshold) = layer.neuron.threshold else { unreachable!("one threshold") };
        let fraction_bits = if bits > 8 { bits - 4 } else { bits - 2 };
        let one = 1 << fraction_bits;
        let scaled = |value: f64| (value * f64::from(one) * 65536.0).round() as i64;
        let learning = match &layer.learning {
            Learning::None => None,
            Learning::Rule(rule) => Some(LearningFormat::new(rule, fraction_bits, window)),
        };
        LayerFormat {
            weight_bits: bits,
            fraction_bits,
            threshold: ((threshold * f64::from(one)).round() as i32).max(1),
            one,
            deviation: scaled(gain * (2.0 / f64::from(inputs)).sqrt()),
            target_deviation: scaled(1.0),
            learning,
            steps: None,
        }
    }
}
