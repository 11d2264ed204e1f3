//! The rule by which a layer learns: its integer constants, the tables that it looks up, and its code.

pub(crate) mod batch;
pub(crate) mod channel_bias;
pub(crate) mod direct;
mod homeostasis;
pub(crate) mod kernels;
pub(crate) mod loss;
mod optimizer;
pub(crate) mod signal;
pub(crate) mod spread;
pub(crate) mod steps;
pub(crate) mod update;

use onward_image::Growth;
use onward_isa::Width;
use onward_net::{Gate, Layer, LayerKind, Optimizer, RateSchedule, Rule, Update, When};
use onward_quantize::{Integers, LayerParameters, RATE_BITS, Record};

/// Fraction bits of an axon's trace that fades: a spike adds 1.0.
pub(crate) const TRACE_BITS: u32 = 8;

/// A fading trace below a 16th of a spike changes nothing.
pub(crate) const LEAST_TRACE: i32 = 1 << (TRACE_BITS - 4);

/// Entries of the tables that an exponential, or a root, is looked up in.
pub(crate) const INDICES: u32 = 64;

/// Fraction bits of what a pull is multiplied by in place of a division by its root mean square.
const SCALE_BITS: u32 = 4;

/// Fraction bits that a velocity has more than a weight.
pub(crate) const VELOCITY_BITS: i32 = 4;

/// The integer constants of a learning rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleFormat {
    /// What the text says.
    pub rule: Rule,
    /// Updates are divided by 2^shift in the first epoch: `rate - fraction_bits + 2 log2(window)`, since counts and
    /// traces are sums over a window each; and more by the fraction bits of what the loss and the optimizer multiply by.
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
    /// Whether rows of weights change in parts, in the steps of the next window.
    pub spread: bool,
    /// How much more updates of a kernel's weights are divided: half the logarithm of its places, as the sum of what they ask
    /// for grows like the root of their number; 0 where weights are not shared.
    pub places_shift: i32,
    /// How the layer learns while its input is shown, if it does.
    pub steps: Option<Steps>,
    /// By how much more changes of a target's table are divided than those of weights; it may be less.
    pub table_shift: i32,
    window: u32,
}

/// How a layer learns while its input is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Weights change at every so many steps.
    pub every: u32,
    /// A trace loses its `2^-memory`-th part a step.
    pub memory: u32,
}

/// Numbers that a handler looks up, or that an array holds at first.
pub(crate) struct Table {
    /// What it is called.
    pub name: &'static str,
    /// Its width.
    pub width: Width,
    /// The numbers.
    pub values: Vec<i32>,
}

impl RuleFormat {
    /// The constants of a rule for a layer with such integers.
    pub(super) fn new(
        rule: &Rule,
        layer: &Layer,
        parameters: &LayerParameters,
        record: Option<&Record>,
        window: u32,
    ) -> Self {
        let fraction_bits = parameters.fraction_bits();
        let coarser = record.map_or(0, |record| record.target_coarser);
        let one = 1i32 << (fraction_bits + parameters.finer as i32);
        let target_one = 1i32 << (fraction_bits - coarser as i32);
        let full = one * window as i32;
        let places = match layer.kind {
            LayerKind::Convolution(_) => f64::from(layer.shape[1] * layer.shape[2]),
            LayerKind::Dense | LayerKind::Sparse(_) => 1.0,
        };
        // A neuron's pull is its part of that on the mean over its cell.
        let table = record.and_then(|record| record.table.as_ref());
        let places_shift = match table {
            Some(table) => (places / f64::from(table.cells[0] * table.cells[1])).log2(),
            None => places.log2() / 2.0,
        };
        let steps = match rule.when {
            When::Steps { every, memory } => Some(Steps { every, memory }),
            When::Window => None,
        };
        let mut live = (-full / 4, full + full / 4);
        if let (Some(_), Integers::Same(threshold)) = (steps, &parameters.neuron.threshold) {
            // Membranes before a reset, not sums of a window.
            live = (-threshold, 2 * threshold);
        }
        let mut format = RuleFormat {
            rule: rule.clone(),
            shift: rule.rate as i32 - fraction_bits + 2 * window_bits(window) as i32,
            growth: match &rule.schedule {
                RateSchedule::Anneal(times) => Growth::Evenly(*times),
                RateSchedule::Shifts(epochs) => Growth::At(epochs.clone()),
            },
            gate: (rule.gate == Gate::Surrogate).then_some(live),
            nudge: (one >> 10).max(1),
            // 2 % and 81 % of a spike a step.
            mean_bounds: (82 * window as i32, 3300 * window as i32),
            target_bounds: (-target_one, 2 * target_one),
            spread: rule.update == Update::Spread,
            places_shift: places_shift.round() as i32,
            steps,
            table_shift: fraction_bits - RATE_BITS as i32 - window_bits(window) as i32,
            window,
        };
        format.shift += format.pull_bits() as i32;
        if let Optimizer::Adaptive { .. } = rule.optimizer {
            format.shift += SCALE_BITS as i32;
        }
        if steps.is_some() {
            // Targets' counts are sums over a window; traces have fraction bits.
            format.shift += TRACE_BITS as i32 - window_bits(window) as i32;
        }
        format
    }

    /// Fraction bits of the pulls that the loss makes, beside those of counts: rates have some of their own.
    pub(crate) fn pull_bits(&self) -> u32 {
        let of_rates = if self.is_direct() { RATE_BITS - window_bits(self.window) } else { 0 };
        self.loss().pull_bits() + of_rates
    }

    /// Whether the target reaches the layer directly.
    pub(crate) fn is_direct(&self) -> bool {
        self.rule.is_direct()
    }

    /// The margin of a block of so many neurons, in products of counts, or of rates where the target is direct: rounded down.
    pub fn margin(&self, neurons: u32) -> i32 {
        (self.loss().margin(self.rule.loss) * self.unit(neurons)) as i32
    }

    /// The margin of a block of so many neurons for each step that the input has been shown, in products of counts: rounded
    /// down.
    pub fn margin_of_step(&self, neurons: u32) -> i32 {
        (self.loss().margin(self.rule.loss) * f64::from(neurons).sqrt() * f64::from(self.window)) as i32
    }

    /// The product of counts of `sqrt(neurons)` neurons that fire in every step; where the target is direct, that of the rate
    /// of one with an entry of 1.
    pub(super) fn unit(&self, neurons: u32) -> f64 {
        if self.is_direct() {
            return f64::from(1 << (2 * RATE_BITS));
        }
        f64::from(neurons).sqrt() * f64::from(self.window) * f64::from(self.window)
    }

    /// By how much the running mean of squared pulls is shifted to become an index: a sixteenth of a quarter of the
    /// window, squared, a step.
    pub(crate) fn square_shift(&self) -> i32 {
        2 + 2 * window_bits(self.window) as i32
    }

    /// The width that holds any pull: of counts, or voltages in thresholds, of a window or differences of two, perhaps multiplied
    /// by probabilities or by what the optimizer makes of them.
    pub(crate) fn pull_width(&self) -> Width {
        let most = if self.is_of_voltage() { 2 * self.window } else { self.window };
        match most {
            _ if self.loss().looks_at_all() || matches!(self.rule.optimizer, Optimizer::Adaptive { .. }) => Width::W32,
            0..128 if !self.is_direct() => Width::W8,
            _ => Width::W16,
        }
    }

    /// No pull of a network with so many classes is greater.
    pub(crate) fn largest_pull(&self, classes: u32) -> u64 {
        let of_window = if self.is_direct() { 1 << RATE_BITS } else { u64::from(self.window) };
        let evoked = of_window * if self.is_of_voltage() { 2 } else { 1 };
        // Toward a target and away from others; rounded weights may be a little more than one in sum.
        let times = 3 * self.loss().largest_weight(classes);
        let scaled = if let Optimizer::Adaptive { .. } = self.rule.optimizer { 4 << SCALE_BITS } else { 1 };
        evoked * times * scaled
    }

    /// Whether scores are of voltages.
    pub(crate) fn is_of_voltage(&self) -> bool {
        self.rule.gate == Gate::Voltage
    }

    /// What voltages are held between as they enter the scores, in thresholds; at the bounds they no longer change.
    pub(crate) fn potential_bounds(&self) -> (i32, i32) {
        let window = self.window as i32;
        (-(window / 2).max(1), window + window / 4)
    }

    /// The tables of a block, and the arrays that do not begin with 0; `neurons` are those that classes are compared by.
    pub(crate) fn tables(&self, classes: u32, neurons: u32) -> Vec<Table> {
        let mut tables = self.loss().tables(self, classes, neurons);
        if let Optimizer::Adaptive { .. } = self.rule.optimizer {
            let most = f64::from(4 << SCALE_BITS);
            let root = |index: u32| rounded((most / (f64::from(index) + 0.5).sqrt()).min(most));
            let values = (0..INDICES).map(root).collect();
            tables.push(Table { name: "roots", width: Width::W16, values });
            // At first every neuron's changes are taken as they are.
            let values = vec![16 << self.square_shift(); neurons as usize];
            tables.push(Table { name: "mean_square", width: Width::W32, values });
        }
        tables
    }
}

/// The nearest whole logarithm of a window's steps, by which sums over the window are brought to their mean.
pub(crate) fn window_bits(window: u32) -> u32 {
    f64::from(window).log2().round() as u32
}

/// The nearest integer.
fn rounded(value: f64) -> i32 {
    value.round() as i32
}
