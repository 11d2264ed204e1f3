//! Linear maps as matrices with few entries: what is left when no simpler form holds.

use super::error::NirError;
use super::graph::{Convolution, Kind, Node};
use super::shape::{padding, plane, size, spread};

/// Entries at most; those of a full connection of 4,096 to 4,096 neurons, twice.
const ENTRIES_MAX: usize = 1 << 25;

/// A linear map: for each output the inputs it takes, rising, and their weights.
#[derive(Clone)]
pub(super) struct Matrix {
    pub columns: usize,
    pub rows: Vec<Vec<(usize, f64)>>,
}

impl Matrix {
    /// What comes in.
    pub fn identity(size: usize) -> Matrix {
        Matrix { columns: size, rows: (0..size).map(|place| vec![(place, 1.0)]).collect() }
    }

    /// A matrix without weights.
    pub fn zero(rows: usize, columns: usize) -> Matrix {
        Matrix { columns, rows: vec![Vec::new(); rows] }
    }

    /// What a node that is no neuron makes of what it is sent, but for what it adds.
    pub fn of_node(node: &Node, input: &[usize], output: &[usize]) -> Result<Matrix, NirError> {
        match &node.kind {
            Kind::Linear(weight, _) => {
                check_entries(node, weight.values.len())?;
                let rows = weight.values.chunks_exact(weight.shape[1]);
                let rows = rows.map(|row| row.iter().copied().enumerate().filter(|(_, w)| *w != 0.0).collect());
                Ok(Matrix { columns: weight.shape[1], rows: rows.collect() })
            }
            Kind::Scale(scale) => {
                let rows = spread(scale, input).into_iter().enumerate().map(|entry| vec![entry]);
                Ok(Matrix { columns: size(input), rows: rows.collect() })
            }
            Kind::Convolution(convolution) => convolution_matrix(node, convolution, input, output),
            Kind::Pool(pool) => {
                let [_, height, width] = plane(input).expect("a pool's shapes are planes");
                let [channels, rows_out, columns_out] = plane(output).expect("a pool's shapes are planes");
                check_entries(node, size(output).saturating_mul(pool.window[0].saturating_mul(pool.window[1])))?;
                let weight = if pool.is_average { 1.0 / (pool.window[0] as f64 * pool.window[1] as f64) } else { 1.0 };
                let mut rows = Vec::with_capacity(size(output));
                for (channel, y, x) in places(channels, rows_out, columns_out) {
                    let ys = window(y, pool.stride[0], pool.window[0], 1, pool.padding[0], height);
                    let row = ys.flat_map(|(_, y)| {
                        let xs = window(x, pool.stride[1], pool.window[1], 1, pool.padding[1], width);
                        xs.map(move |(_, x)| ((channel * height + y) * width + x, weight))
                    });
                    rows.push(row.collect());
                }
                Ok(Matrix { columns: size(input), rows })
            }
            _ => Ok(Matrix::identity(size(input))),
        }
    }

    /// This map, then another.
    pub fn then(&self, node: &Node, next: &Matrix) -> Result<Matrix, NirError> {
        let mut entries = 0;
        let mut rows = Vec::with_capacity(next.rows.len());
        let mut sums = vec![0.0; self.columns];
        let mut is_used = vec![false; self.columns];
        for row in &next.rows {
            let mut used = Vec::new();
            for &(middle, weight) in row {
                for &(column, inner) in &self.rows[middle] {
                    if !is_used[column] {
                        is_used[column] = true;
                        used.push(column);
                    }
                    sums[column] += weight * inner;
                }
            }
            used.sort_unstable();
            entries += used.len();
            check_entries(node, entries)?;
            let taken = used.iter().map(|&column| {
                is_used[column] = false;
                (column, std::mem::take(&mut sums[column]))
            });
            rows.push(taken.collect());
        }
        Ok(Matrix { columns: self.columns, rows })
    }

    /// What it makes of these numbers.
    pub fn apply(&self, numbers: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|row| row.iter().map(|&(column, weight)| weight * numbers[column]).sum()).collect()
    }

    /// Adds another map of the same size, its rows from `row` and its columns from `column` on.
    pub fn add(&mut self, other: &Matrix, row: usize, column: usize) {
        for (own, added) in self.rows[row..].iter_mut().zip(&other.rows) {
            let mut merged: std::collections::BTreeMap<usize, f64> = own.iter().copied().collect();
            for &(offset, weight) in added {
                *merged.entry(column + offset).or_insert(0.0) += weight;
            }
            *own = merged.into_iter().collect();
        }
    }

    /// Weights that are not zero.
    pub fn entries(&self) -> usize {
        self.rows.iter().flatten().filter(|(_, weight)| *weight != 0.0).count()
    }
}

/// All places of a plane, row-major.
fn places(channels: usize, height: usize, width: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..channels).flat_map(move |channel| (0..height).flat_map(move |y| (0..width).map(move |x| (channel, y, x))))
}

/// The taps of a window along one axis that lie within it, each with the place it takes.
fn window(
    position: usize,
    stride: usize,
    taps: usize,
    dilation: usize,
    padding: usize,
    extent: usize,
) -> impl Iterator<Item = (usize, usize)> {
    (0..taps)
        .filter_map(move |tap| Some((tap, (position * stride + tap * dilation).checked_sub(padding)?)))
        .filter(move |&(_, place)| place < extent)
}

fn convolution_matrix(
    node: &Node,
    convolution: &Convolution,
    input: &[usize],
    output: &[usize],
) -> Result<Matrix, NirError> {
    let [_, height, width] = plane(input).expect("a convolution's shapes are planes");
    let [channels, rows_out, columns_out] = plane(output).expect("a convolution's shapes are planes");
    let [_, inputs, kernel_height, kernel_width] = convolution.kernel();
    check_entries(node, size(output).saturating_mul(inputs * kernel_height * kernel_width))?;
    let (before, _) = padding(convolution, [height, width]);
    let (stride, dilation) = (convolution.stride, convolution.dilation);
    let group_channels = channels / convolution.groups;
    let mut rows = Vec::with_capacity(size(output));
    for (channel, y, x) in places(channels, rows_out, columns_out) {
        let first = channel / group_channels * inputs;
        let mut row = Vec::new();
        for offset in 0..inputs {
            for (ky, from_y) in window(y, stride[0], kernel_height, dilation[0], before[0], height) {
                for (kx, from_x) in window(x, stride[1], kernel_width, dilation[1], before[1], width) {
                    let weight = ((channel * inputs + offset) * kernel_height + ky) * kernel_width + kx;
                    row.push((
                        ((first + offset) * height + from_y) * width + from_x,
                        convolution.weight.values[weight],
                    ));
                }
            }
        }
        rows.push(row);
    }
    Ok(Matrix { columns: size(input), rows })
}

fn check_entries(node: &Node, entries: usize) -> Result<(), NirError> {
    if entries <= ENTRIES_MAX {
        return Ok(());
    }
    let cause = format!("as a plain matrix, what leads through it has {entries} weights, more than {ENTRIES_MAX}");
    Err(NirError::node(&node.path, cause, "put neurons between it and the next node with weights"))
}
