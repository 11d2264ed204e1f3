//! Fixed-point formats and the integer constants of a layer.
//!
//! This is where floating point ends: from here on all is integers.

use onward_image::Growth;
use onward_net::{Gate, Initial, Layer, Learning, Loss, RateSchedule, Rule, Values};

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
    /// Standard deviation of drawn weights, with 16 more fraction bits.
    pub deviation: i64,
    /// The same for the target's projection, whose deviation is 1.0.
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
    /// Fraction bits of a membrane, at least.
    const MEMBRANE_FRACTION_BITS: u32 = 12;

    /// The format of a layer that has `inputs` axons beside the target's.
    pub fn new(layer: &Layer, inputs: u32, window: u32) -> Self {
        let bits = layer.weights.bits;
        let Initial::Drawn { gain, fraction } = layer.weights.initial else { unreachable!("weights are drawn") };
        let Values::Constant(threshold) = layer.neuron.threshold else { unreachable!("one threshold") };
        let deviation = gain * (2.0 / f64::from(inputs)).sqrt();
        let fraction_bits = fraction.unwrap_or_else(|| usual_fraction_bits(bits, deviation));
        let target_fraction_bits = fraction_bits.min(widest_fraction_bits(bits));
        let finer = Self::MEMBRANE_FRACTION_BITS.saturating_sub(fraction_bits);
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
            deviation: scaled(deviation, fraction_bits),
            target_deviation: scaled(1.0, target_fraction_bits),
            learning,
        }
    }
}

/// Fraction bits of weights that may be as large as 2 (8 for 16 bits).
fn widest_fraction_bits(bits: u32) -> u32 {
    if bits > 8 { bits - 4 } else { bits - 2 }
}

/// The fraction bits of weights that are drawn with that deviation: as many as leave room to grow. Weights of 4 bits learn
/// best where the largest is some 3 deviations, those of 8 bits where it is some 6.
fn usual_fraction_bits(bits: u32, deviation: f64) -> u32 {
    let widest = widest_fraction_bits(bits);
    let room = match bits {
        4 => 3.0,
        8 => 6.0,
        _ => return widest,
    };
    let largest = f64::from((1 << (bits - 1)) - 1);
    let fits = |fraction_bits: &u32| largest / f64::from(1 << fraction_bits) >= room * deviation;
    (widest..=MOST_FRACTION_BITS).take_while(fits).last().unwrap_or(widest)
}

impl LearningFormat {
    /// `fraction_bits`: of a weight, how many more of a membrane, and of a weight of the target's projection.
    fn new(rule: &Rule, [fraction_bits, finer, of_target]: [u32; 3], window: u32) -> Self {
        let one = 1i32 << (fraction_bits + finer);
        let target_one = 1i32 << of_target;
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
            target_bounds: (-target_one, 2 * target_one),
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
