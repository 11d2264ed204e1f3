//! What a layer keeps of the windows of its inputs and of each class's target.

use crate::rounding::Rounding;
use crate::weights::Real;
use onward_net::{Layer, LayerKind, Learning, Network};

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
}

/// Whether a network is shown targets: layers learn, or are asked for the scores of classes.
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
