//! The integer constants of readouts that learn.

use crate::lowering::rule::window_bits;
use onward_net::{Network, Node, NodeIndex, ReadoutKind, ReadoutLoss, TargetTree, TrainedReadout};

/// Where a leaf of a tree of targets hangs while its class has not appeared.
pub(crate) const UNKNOWN_LEAF: i32 = -2;

/// The integer constants of a readout that learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadoutFormat {
    /// Bits of a weight.
    pub bits: u32,
    /// Bits of a weight below the binary point.
    pub fraction_bits: u32,
    /// An output of 1.0: a weight of 1.0, as often as a window has steps.
    pub one: i32,
    /// Updates are divided by 2^shift in the first epoch.
    pub shift: i32,
    /// How much the shift grows over the run.
    pub anneal: u32,
    /// The hinge's margin, or a tree's; rounded down, and 1 at least.
    pub margin: i32,
}

impl ReadoutFormat {
    /// The format of a readout in a network whose windows have so many steps; `None` if it does not learn.
    pub fn new(kind: &ReadoutKind, window: u32) -> Option<ReadoutFormat> {
        let log_window = window_bits(window) as i32;
        let (bits, rate, anneal, margin) = match *kind {
            ReadoutKind::Trained(TrainedReadout { loss, rate, anneal, bits }) => {
                (bits, rate, anneal, if let ReadoutLoss::Hinge { margin } = loss { Some(margin) } else { None })
            }
            ReadoutKind::TargetTree(TargetTree { rate, margin, anneal, .. }) => (16, rate, anneal, Some(margin)),
            _ => return None,
        };
        let fraction_bits = if bits > 8 { bits - 4 } else { bits - 2 };
        let one = (window as i32) << fraction_bits;
        // Traces, and the errors of outputs, are sums over a window each; a hinge's errors are 1, not 1.0.
        let shift = match margin {
            Some(_) => rate as i32 - fraction_bits as i32 + log_window,
            None => rate as i32 + 2 * log_window,
        };
        let margin = (margin.unwrap_or(0.0) * f64::from(one)) as i32;
        Some(ReadoutFormat { bits, fraction_bits, one, shift, anneal, margin: margin.max(1) })
    }
}

/// The target of values that a readout is trained with, if it is.
pub(crate) fn value_target(network: &Network, readout: NodeIndex) -> Option<NodeIndex> {
    network.sources(readout).into_iter().find(|&source| matches!(network.graph[source], Node::Target(_)))
}
