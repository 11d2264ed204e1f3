//! Fixed-point formats and the integer constants of a layer.
//!
//! This is where floating point ends: from here on all is integers.

use onward_image::Growth;
use onward_net::{Gate, Initial, Layer, Learning, Loss, RateSchedule, Rule, Values};

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
}

/// The integer constants of a learning rule.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningFormat {
    /// Updates are divided by 2^shift in the first epoch: `rate - fraction_bits + 2 log2(window)`, since counts and
    /// traces are sums over a window each.
    pub shift: i32,
    /// How the shift grows over the run.
    pub growth: Growth,
    /// Voltages from `.0` on and below `.1` are where a change of weight changes the count; `None` if all are.
    pub gate: Option<(i32, i32)>,
    /// What homeostasis adds to a bias a sample.
    pub nudge: i32,
    /// Running means of the count (12 fraction bits) below `.0` or above `.1` are nudged.
    pub mean_bounds: (i32, i32),
    /// Bounds of the target's projection.
    pub target_bounds: (i32, i32),
    /// What the loss asks for, in units of `sqrt(block)` full-rate spikes.
    margin: f64,
    window: u32,
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
        }
    }
}

impl LearningFormat {
    fn new(rule: &Rule, fraction_bits: u32, window: u32) -> Self {
        let one = 1i32 << fraction_bits;
        let full = one * window as i32;
        LearningFormat {
            shift: rule.rate as i32 - fraction_bits as i32 + 2 * window.ilog2() as i32,
            growth: match &rule.schedule {
                RateSchedule::Anneal(times) => Growth::Evenly(*times),
                RateSchedule::Shifts(epochs) => Growth::At(epochs.clone()),
            },
            gate: (rule.gate == Gate::Surrogate).then_some((-full / 4, full + full / 4)),
            nudge: (one >> 10).max(1),
            // 2 % and 81 % of a spike a step.
            mean_bounds: (82 * window as i32, 3300 * window as i32),
            target_bounds: (-one, 2 * one),
            margin: match rule.loss {
                Loss::Hinge { margin } | Loss::SquaredError { margin } => margin,
                Loss::Softmax { .. } | Loss::Hebbian => 0.0,
            },
            window,
        }
    }

    /// The margin of a block of so many neurons, in products of counts: rounded down.
    pub fn margin(&self, neurons: u32) -> i32 {
        (self.margin * f64::from(neurons).sqrt() * f64::from(self.window) * f64::from(self.window)) as i32
    }
}
