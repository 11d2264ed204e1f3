//! What a layer keeps of the windows of its inputs and of each class's target.

use crate::rounding::Rounding;
use crate::weights::{Real, table_stream};
use onward_net::{Layer, LayerKind, Learning, Network, Rule, TargetPath, plane};
use petgraph::graph::NodeIndex;

/// What a layer keeps of windows, in a network that is shown targets: counts of spikes, of the input's window and of each
/// class's, from which scores of classes are computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Classes of the target.
    pub classes: u32,
    /// How many fraction bits less a weight of the target's own projection has than the layer's others.
    pub target_coarser: u32,
    /// The target's own projection into the layer, `[class][neuron]`; without one, what the target evokes comes by the layer's
    /// weights.
    pub target_weights: Option<Vec<i16>>,
    /// Where the target reaches the layer directly, the table that classes are compared by at first.
    pub table: Option<TargetTable>,
}

/// Fraction bits of a rate, and of an entry of a [`TargetTable`].
pub const RATE_BITS: u32 = 10;

/// What the entries of a table are drawn by: their standard deviation.
const TABLE_DEVIATION: f64 = 0.1;

/// The rows of classes that a layer's rates are compared with: one a class, with an entry for each neuron, of a convolution for
/// each channel and cell of its plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetTable {
    /// Cells along height and width of a convolution's plane; 1 and 1 of other layers.
    pub cells: [u32; 2],
    /// Entries, `[class][neuron]` or `[class][channel][cell along height][cell along width]`, [`RATE_BITS`] of them fraction.
    pub entries: Vec<i16>,
}

impl TargetTable {
    /// The table of the layer at `node`, if the target reaches it directly: drawn about 0 by `seed`.
    pub(crate) fn new(network: &Network, node: NodeIndex, seed: u64) -> Option<TargetTable> {
        let layer = network.layer(node);
        let Learning::Rule(Rule { target: TargetPath::Direct { grid }, .. }) = layer.learning else { return None };
        let (cells, columns) = match &layer.kind {
            LayerKind::Convolution(_) => {
                let [channels, height, width] = plane(&layer.shape);
                let cells = [height.min(grid), width.min(grid)];
                (cells, channels * cells[0] * cells[1])
            }
            LayerKind::Dense | LayerKind::Sparse(_) => ([1, 1], layer.neurons()),
        };
        let count = network.classes() as usize * columns as usize;
        let stream = table_stream(2 * layer.stream.unwrap_or(node.index() as u32));
        let real = Real::Drawn { deviation: TABLE_DEVIATION, fraction: None, count, stream };
        let entries = real.quantize(seed, 16, f64::from(1 << RATE_BITS), &mut Rounding::default());
        Some(TargetTable { cells, entries })
    }
}

/// Whether a network is taught by targets: layers learn, or are asked for the scores of classes.
pub fn is_shown_targets(network: &Network) -> bool {
    let learns = |node| network.layer(node).learning != Learning::None;
    network.readout().kind.needs_target() || network.layers().any(learns)
}

/// The weights of a target's projection: drawn about 0, into a convolution about the half of 1.0.
pub(crate) fn target_weights(layer: &Layer, real: &Real, fraction_bits: i32, seed: u64) -> Vec<i16> {
    let bits = layer.weights.bits;
    let max = (1i32 << (bits - 1)) - 1;
    let one = 1 << fraction_bits;
    let mean = if matches!(layer.kind, LayerKind::Convolution(_)) { one / 2 } else { 0 };
    let drawn = real.quantize(seed, bits, f64::from(one), &mut Rounding::default()).into_iter();
    drawn.map(|weight| (i32::from(weight) + mean).clamp(-max, max) as i16).collect()
}
