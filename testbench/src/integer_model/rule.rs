//! What the text says of a rule.

/// How a layer learns.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What changes make smaller.
    pub loss: Loss,
    /// The learning rate is `2^-rate`.
    pub rate: u32,
    /// How the rate falls.
    pub fall: Fall,
    /// Where the signal attaches to a neuron.
    pub signal: Signal,
    /// What becomes of a change.
    pub optimizer: Optimizer,
    /// Weights that change lose their `2^-weight_decay`-th part.
    pub weight_decay: Option<u32>,
    /// Whether there is homeostasis.
    pub revive: bool,
    /// Whether rows of weights change in parts, one in each step after the target window.
    pub spread: bool,
    /// Whether what rounding cuts off is carried on to the neuron's next weight.
    pub carries: bool,
    /// The changes of so many samples are added before they are rounded.
    pub batch: usize,
}

/// What changes make smaller. Margins and temperatures are in units of the square root of the block's neurons, times the
/// window squared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// The own score leads the rival's by a margin.
    Hinge(f64),
    /// Cross-entropy at a temperature.
    Softmax(f64),
    /// The own target is nearer than the rival's, by a margin.
    SquaredError(f64),
    /// What axon and target do together, less what the axon evokes already.
    Hebbian,
}

/// When the rate is halved.
#[derive(Clone, Debug, PartialEq)]
pub enum Fall {
    /// So often, after equal parts of the run.
    Evenly(u32),
    /// In these epochs, counted from 1.
    In(Vec<u32>),
}

/// Where the signal attaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Signal {
    /// At the count, where the voltage is near the threshold.
    Surrogate,
    /// At the voltage.
    Voltage,
    /// At the count, everywhere.
    Count,
}

/// What becomes of a change; numbers are those of the bits that a running mean or sum loses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// It is added.
    Plain,
    /// A running sum is added.
    Momentum(u32),
    /// It is scaled by a running mean of squares.
    Adaptive(u32),
}
