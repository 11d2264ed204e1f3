//! What a layer is fed with: its source, and its weights in the forms that a layer can have.

use super::linear::Kernel;
use super::matrix::Matrix;
use crate::network::Convolution;
use crate::values::Array;
use petgraph::graph::NodeIndex;

/// Source of a layer, with the weights from it.
pub(super) struct Feed {
    pub source: NodeIndex,
    /// Shape of the layer's neurons.
    pub shape: Vec<u32>,
    pub kind: FeedKind,
    pub weights: Array,
}

pub(super) enum FeedKind {
    Full,
    Sparse,
    Convolution(Convolution),
}

impl Feed {
    pub fn full(source: NodeIndex, weights: Array) -> Feed {
        Feed { source, shape: vec![weights.shape[0] as u32], kind: FeedKind::Full, weights }
    }

    pub fn convolution(source: NodeIndex, kernel: Kernel) -> Feed {
        let shape = narrow(&kernel.output);
        Feed { source, shape, kind: FeedKind::Convolution(kernel.geometry), weights: kernel.weights }
    }

    /// The weights alone; a table of connections has numbers of axons and neurons beside them.
    pub fn weights(&self) -> impl Iterator<Item = f64> + '_ {
        let step = if matches!(self.kind, FeedKind::Sparse) { 3 } else { 1 };
        self.weights.values.iter().copied().skip(step - 1).step_by(step)
    }

    /// Connections with their weights: from, to, weight, in the order of what they come from.
    pub fn sparse(source: NodeIndex, matrix: &Matrix) -> Feed {
        let mut rows: Vec<(usize, usize, f64)> = Vec::with_capacity(matrix.entries());
        for (to, row) in matrix.rows.iter().enumerate() {
            rows.extend(row.iter().filter(|(_, weight)| *weight != 0.0).map(|&(from, weight)| (from, to, weight)));
        }
        rows.sort_unstable_by_key(|&(from, to, _)| (from, to));
        let values = rows.iter().flat_map(|&(from, to, weight)| [from as f64, to as f64, weight]).collect();
        let weights = Array { shape: vec![rows.len(), 3], values };
        Feed { source, shape: vec![matrix.rows.len() as u32], kind: FeedKind::Sparse, weights }
    }
}

pub(super) fn dense(matrix: &Matrix) -> Array {
    let mut values = vec![0.0; matrix.rows.len() * matrix.columns];
    for (row, values) in matrix.rows.iter().zip(values.chunks_exact_mut(matrix.columns)) {
        for &(column, weight) in row {
            values[column] = weight;
        }
    }
    Array { shape: vec![matrix.rows.len(), matrix.columns], values }
}

/// A convolution that takes each place of a channel with the channel's weight.
pub(super) fn each(scales: &[f64], plane: [usize; 3]) -> Kernel {
    let channels = plane[0] as u32;
    let geometry = Convolution {
        channels,
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0, 0],
        padding_end: [0, 0],
        dilation: [1, 1],
        groups: channels,
        joined: Vec::new(),
    };
    let weights = Array { shape: vec![plane[0], 1, 1, 1], values: scales.to_vec() };
    Kernel { geometry, weights, input: plane, output: plane }
}

/// Sizes as the network graph has them; shapes are at most 2^24 places large.
pub(super) fn narrow(shape: &[usize]) -> Vec<u32> {
    shape.iter().map(|&size| size as u32).collect()
}
