//! How layers learn.

/// How a layer learns.
#[derive(Clone, Debug, PartialEq)]
pub enum Learning {
    /// Not at all: its weights stay what they are at first.
    None,
    /// By a rule that is local to each of its blocks.
    Rule(Rule),
}

/// A rule: what a block changes its weights by, from its own memories alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What the changes make smaller.
    pub loss: Loss,
    /// The learning rate is `2^-rate`, 0 to 20.
    pub rate: u32,
    /// How the rate falls.
    pub schedule: RateSchedule,
    /// Where the learning signal attaches to a neuron.
    pub gate: Gate,
    /// What becomes of a change before it reaches the weight.
    pub optimizer: Optimizer,
    /// A weight that changes first loses its `2^-weight_decay`-th part, 1 to 24; if there is a decay.
    pub weight_decay: Option<u32>,
    /// When weights change.
    pub when: When,
    /// Whether neurons that hardly ever fire, or nearly always, are nudged back.
    pub revive: bool,
    /// When rows of weights change.
    pub update: Update,
    /// How changes become whole steps of a weight.
    pub rounding: Rounding,
    /// Changes of so many samples that a block learns from are added before they are rounded, 1 to 32.
    pub batch: u32,
}

impl Default for Rule {
    /// What `hinge` means without options.
    fn default() -> Self {
        Rule {
            loss: Loss::Hinge { margin: 0.3 },
            rate: 9,
            schedule: RateSchedule::Anneal(2),
            gate: Gate::Surrogate,
            optimizer: Optimizer::Plain,
            weight_decay: None,
            when: When::Window,
            revive: true,
            update: Update::AtOnce,
            rounding: Rounding::Stochastic,
            batch: 1,
        }
    }
}

/// When a block changes its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once a sample, at the end of the target's window.
    Window,
    /// While the input is shown, from traces that fade.
    Steps {
        /// At every so many steps: a power of two, at most the window.
        every: u32,
        /// An axon's trace loses its `2^-memory`-th part a step, 1 to 6.
        memory: u32,
    },
}

/// When the rows of weights change by what a target window has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// In its last step.
    AtOnce,
    /// A part of them in each step of the next window: no step is much longer than the others.
    Spread,
}

/// How a change becomes whole steps of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Up or down by chance, so that the mean is right; each weight for itself.
    Stochastic,
    /// Down; what is cut off is added to the change of the neuron's next weight. A neuron keeps one remainder, below a
    /// step, for all its weights: their sum is right at all times, not only in the mean.
    Carried,
}

/// What a block's changes make smaller, computed from what the input and the targets evoke in the block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// The score of the own class shall exceed that of the strongest other, its rival, by a margin.
    Hinge {
        /// In units of `sqrt(block)` full-rate spikes, 0 to 100.
        margin: f64,
    },
    /// The cross-entropy of the softmax of all classes' scores.
    Softmax {
        /// What scores are divided by, in the margin's units, above 0.
        temperature: f64,
    },
    /// The squared distance to what the own target evokes, while that to the rival's is not larger by a margin.
    SquaredError {
        /// In units of `sqrt(block)` full-rate spikes, 0 to 100.
        margin: f64,
    },
    /// Weights grow where axon and neuron are active together under the target, and are kept bounded locally.
    Hebbian,
}

/// How the learning rate falls over a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateSchedule {
    /// It is halved so often, after equal parts of the run, 0 to 16.
    Anneal(u32),
    /// It is halved at the beginning of each of these epochs, counted from 1; they rise, and some may be the same.
    Shifts(Vec<u32>),
}

/// Where the learning signal attaches to a neuron; never the spike itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Before the spike: a weight changes only where the voltage is in a window about the threshold.
    Surrogate,
    /// At the voltage, which takes the place of the spike counts in scores.
    Voltage,
    /// Behind the spike: at the count, and every weight may change.
    None,
}

/// What becomes of a change before it reaches the weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimizer {
    /// It is added.
    Plain,
    /// A running sum of changes is added, which loses its `2^-decay`-th part each time.
    Momentum {
        /// 1 to 8.
        decay: u32,
    },
    /// It is divided by the root of a running mean of the squared pull on its neuron.
    Adaptive {
        /// The mean moves by the `2^-decay`-th part of what is new, 1 to 15.
        decay: u32,
    },
}
