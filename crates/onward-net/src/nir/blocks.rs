//! How layers fall into blocks, which a NIR file does not say: so that each fits into a core of the chips here.

use crate::network::{Convolution, LayerKind, Network, Node};
use petgraph::graph::NodeIndex;

/// Bytes of weights of a block: most of a core's synapse memory.
const BYTES: usize = 176 * 1024;
/// Neurons of a block at most, each with weights of its own.
const NEURONS: usize = 128;
/// Neurons of a block of a convolution at most. What is sent to a block are all spikes of the blocks that reach it, so
/// that larger ones before it would be too many axons.
const PLANE_NEURONS: usize = 1024;
/// Axons of a block; one more carries the window's tag.
const AXONS: usize = 4095;

/// Neurons of a block, each with so many bytes of weights: a multiple of 16 where that is not too many.
pub(super) fn full(neurons: u32, bytes_of_neuron: usize) -> u32 {
    let room = (BYTES / bytes_of_neuron.max(1)).clamp(1, NEURONS) as u32;
    let room = if room >= 16 { room / 16 * 16 } else { room };
    room.min(neurons)
}

/// Output channels of a block of a convolution, each with so many bytes of weights, and its rows if they are not all.
pub(super) fn plane(
    network: &Network,
    source: NodeIndex,
    geometry: &Convolution,
    shape: &[u32],
    bytes_of_channel: usize,
) -> (u32, Option<u32>) {
    let [channels, height, width] = [shape[0], shape[1], shape[2]];
    let block = (BYTES / bytes_of_channel.max(1)).clamp(1, channels as usize) as u32;
    let mut rows = (PLANE_NEURONS / (block * width) as usize).clamp(1, height as usize) as u32;
    let fits = |rows: u32| {
        (0..height).step_by(rows as usize).all(|first| {
            let last = (first + rows).min(height) - 1;
            let start = (first * geometry.stride[0]).saturating_sub(geometry.padding[0]);
            let reach = geometry.dilation[0] * (geometry.kernel[0] - 1);
            let end = (last * geometry.stride[0] + reach + 1).saturating_sub(geometry.padding[0]);
            axons(network, source, start, end) <= AXONS
        })
    };
    while rows > 1 && !fits(rows) {
        rows = rows.div_ceil(2);
    }
    (block, (rows < height).then_some(rows))
}

/// Axons of a block that takes rows from `start` to before `end` of what a node sends.
fn axons(network: &Network, node: NodeIndex, start: u32, end: u32) -> usize {
    let shape = network.graph[node].shape();
    let all: usize = shape.iter().map(|&size| size as usize).product();
    match &network.graph[node] {
        Node::Pool(pool) if shape.len() == 3 => {
            let (start, end) = (start * pool.stride[0], (end.max(1) - 1) * pool.stride[0] + pool.window[0]);
            axons(network, network.signal(node), start, end)
        }
        Node::Add(_) => network.sources(node).into_iter().map(|source| axons(network, source, start, end)).sum(),
        Node::Layer(layer) if matches!(layer.kind, LayerKind::Convolution(_)) => {
            let (height, width) = (shape[1], shape[2] as usize);
            let rows = layer.block_rows.unwrap_or(height);
            let (start, end) = (start / rows * rows, end.div_ceil(rows).saturating_mul(rows).min(height));
            shape[0] as usize * width * end.saturating_sub(start) as usize
        }
        _ => all,
    }
}
