//! What the text says of a rule, and the pulls that come of it: `docs/src/rules.md` in real numbers.

use ndarray::{Array1, ArrayView1};

/// How a layer learns.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What changes make smaller.
    pub loss: Loss,
    /// The learning rate is `2^-rate`.
    pub rate: f64,
    /// How the rate falls.
    pub fall: Fall,
    /// Where the signal attaches to a neuron.
    pub attachment: Attachment,
    /// What becomes of a change.
    pub optimizer: Optimizer,
    /// Weights that change first lose their `2^-weight_decay`-th part.
    pub weight_decay: Option<u32>,
    /// Whether there is homeostasis.
    pub revive: bool,
}

/// What changes make smaller. Margins and temperatures are in units of the square root of the block's neurons, times the
/// window squared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// The own score leads the rival's by a margin.
    Hinge {
        /// The margin.
        margin: f64,
    },
    /// Cross-entropy of the scores' softmax.
    Softmax {
        /// What scores are divided by.
        temperature: f64,
    },
    /// The own target is nearer than the rival's.
    SquaredError {
        /// By half of how much.
        margin: f64,
    },
    /// What axon and target do together, less what the axon evokes already.
    Hebbian,
}

/// When the rate is halved.
#[derive(Clone, Debug, PartialEq)]
pub enum Fall {
    /// So often, after equal parts of the run.
    Evenly(u32),
    /// At the beginning of these epochs, counted from 1.
    In(Vec<u32>),
}

/// Where the signal attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// At the count, where the voltage is near the threshold.
    Surrogate,
    /// At the voltage, within bounds, which takes the place of the count.
    Voltage,
    /// At the count, everywhere.
    Count,
}

/// What becomes of a change. A decay of *n* is a running mean or sum that loses its `2^-n`-th part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimizer {
    /// It is added.
    Plain,
    /// A running sum is added.
    Momentum {
        /// Of the sum.
        decay: u32,
    },
    /// It is scaled by the root of its neuron's mean square.
    Adaptive {
        /// Of the mean.
        decay: u32,
    },
}

impl Default for Rule {
    /// What `hinge` means in a text that says no more.
    fn default() -> Rule {
        Rule {
            loss: Loss::Hinge { margin: 0.3 },
            rate: 9.0,
            fall: Fall::Evenly(2),
            attachment: Attachment::Surrogate,
            optimizer: Optimizer::Plain,
            weight_decay: None,
            revive: true,
        }
    }
}

impl Fall {
    /// How often the rate is halved by epoch `epoch` (from 0) of `epochs`.
    pub(super) fn halvings(&self, epoch: u32, epochs: u32) -> u32 {
        match self {
            Fall::Evenly(times) => (times + 1) * epoch / epochs,
            Fall::In(listed) => listed.iter().filter(|&&at| at <= epoch + 1).count() as u32,
        }
    }
}

/// What input and targets evoked in a block, and how the scores compare.
pub(super) struct Evoked<'a> {
    /// By the input.
    pub input: ArrayView1<'a, f64>,
    /// By each class's target.
    pub targets: Vec<ArrayView1<'a, f64>>,
    /// The own class.
    pub class: usize,
    /// The wrong class with the largest score.
    pub rival: usize,
    /// Of each class.
    pub scores: &'a [f64],
    /// Steps of a window.
    pub window: f64,
}

/// The pulls on a block's neurons.
pub(super) struct Pulls {
    /// By the input's path.
    pub input: Array1<f64>,
    /// By the own target's.
    pub own: Array1<f64>,
    /// By the rival's.
    pub rival: Array1<f64>,
}

impl Loss {
    /// What the neurons say of a class.
    pub(super) fn score(self, input: ArrayView1<f64>, target: ArrayView1<f64>) -> f64 {
        match self {
            Loss::SquaredError { .. } => 2.0 * input.dot(&target) - target.dot(&target),
            _ => input.dot(&target),
        }
    }

    /// Whether targets learn by their own paths, and their projection with them.
    pub(super) fn moves_targets(self) -> bool {
        self != Loss::Hebbian
    }

    /// What the loss pulls at, if there is anything to learn.
    pub(super) fn pulls(self, evoked: &Evoked) -> Option<Pulls> {
        let unit = (evoked.input.len() as f64).sqrt() * evoked.window * evoked.window;
        let (input, own, other) = (&evoked.input, &evoked.targets[evoked.class], &evoked.targets[evoked.rival]);
        let lead = evoked.scores[evoked.class] - evoked.scores[evoked.rival];
        match self {
            // Margins are whole numbers, as scores of counts are.
            Loss::Hinge { margin } => (lead < (margin * unit).floor()).then(|| Pulls {
                input: own - other,
                own: input.to_owned(),
                rival: -input.to_owned(),
            }),
            Loss::SquaredError { margin } => (lead < (2.0 * margin * unit).floor()).then(|| Pulls {
                input: own - other,
                own: input - own,
                rival: other - input,
            }),
            Loss::Softmax { temperature } => {
                let probabilities = softmax(evoked.scores, temperature * unit);
                let missing = 1.0 - probabilities[evoked.class];
                (missing >= 4.0 / 256.0).then(|| {
                    let mut pull = own.to_owned();
                    for (target, probability) in evoked.targets.iter().zip(&probabilities) {
                        pull.scaled_add(-probability, target);
                    }
                    Pulls { input: pull, own: missing * input, rival: -missing * input }
                })
            }
            Loss::Hebbian => {
                let nothing = Array1::zeros(input.len());
                Some(Pulls { input: own - input, own: nothing.clone(), rival: nothing })
            }
        }
    }
}

fn softmax(scores: &[f64], temperature: f64) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = scores.iter().map(|score| ((score - most) / temperature).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|exponential| exponential / sum).collect()
}

impl Attachment {
    /// What scores and pulls take of a neuron.
    pub(super) fn evoked(self, count: f64, voltage: f64, window: f64) -> f64 {
        match self {
            Attachment::Voltage => voltage.clamp(-window / 2.0, window + window / 4.0),
            Attachment::Surrogate | Attachment::Count => count,
        }
    }

    /// Whether a change of weight would change that.
    pub(super) fn is_live(self, voltage: f64, window: f64) -> bool {
        let quarter = window / 4.0;
        match self {
            Attachment::Surrogate => -quarter <= voltage && voltage < window + quarter,
            Attachment::Voltage => -window / 2.0 < voltage && voltage < window + quarter,
            Attachment::Count => true,
        }
    }
}
