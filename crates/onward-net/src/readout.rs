//! Where predictions leave.

use std::ops::Range;

/// Where predictions leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout {
    /// Identifier, distinct in the network.
    pub name: String,
    /// What leaves.
    pub kind: ReadoutKind,
    /// Bytes of the source that declare it.
    pub span: Range<usize>,
}

/// What leaves, of the spikes of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadoutKind {
    /// The class whose target evokes spikes most like them, by inner product; needs a target.
    NearestTarget,
    /// The neuron that fired most in the window, the first of several; one packet a window.
    MostSpikes,
    /// The spikes themselves, step by step: no block, the layer's packets go to the host.
    Spikes,
    /// What weights of its own, which learn by a rule of their own, make of them; needs a target.
    Trained(TrainedReadout),
    /// The class whose target is found by going down a tree of targets; needs a target.
    TargetTree(TargetTree),
}

/// Weights from every neuron of a layer to every output, on one core; nothing flows back to the layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainedReadout {
    /// What its changes make smaller.
    pub loss: ReadoutLoss,
    /// The learning rate is `2^-rate`, 0 to 20.
    pub rate: u32,
    /// How many times the learning rate is halved, evenly over the run, 0 to 16.
    pub anneal: u32,
    /// Bits of a weight: 4, 8 or 16.
    pub bits: u32,
}

/// What the changes of a trained readout make smaller. An output of 1.0 is what a weight of 1.0 makes of an axon that is
/// active in each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReadoutLoss {
    /// The own class's output shall exceed that of the strongest other by a margin.
    Hinge {
        /// In outputs of 1.0, 0 to 100.
        margin: f64,
    },
    /// The squared distance to 1.0 for the own class and 0.0 for all others.
    SquaredError,
}

/// A binary tree with a target in each leaf, one a class, and in each inner node a vector that tells the targets of its
/// two sides apart. It grows as classes appear; where an inner node would send a sample to the wrong side, or not surely
/// enough to the right one, its vector changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetTree {
    /// The rate by which an inner node's vector changes is `2^-rate`, 0 to 20.
    pub rate: u32,
    /// What is surely on one side; between, an answer looks at both. 0 to 100, in outputs of 1.0.
    pub margin: f64,
    /// How many times the rate is halved, evenly over the run, 0 to 16.
    pub anneal: u32,
    /// A product is taken in so many parts, and only as far as the side is not sure; 1 to 16.
    pub parts: u32,
}

impl ReadoutKind {
    /// Whether it is told the class, or value, of what it learns from.
    pub fn needs_target(&self) -> bool {
        !matches!(self, ReadoutKind::MostSpikes | ReadoutKind::Spikes)
    }

    /// Whether it has memories that learning changes.
    pub fn learns(&self) -> bool {
        matches!(self, ReadoutKind::Trained(_) | ReadoutKind::TargetTree(_))
    }
}
