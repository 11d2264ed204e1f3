//! Chains of nodes without neurons as one connection: what a layer can have.
//!
//! Weights compose: a scale goes into the weights before or behind it, two full connections are one, a pool behind a
//! convolution makes a larger kernel with a larger stride. What is left must be pools and flattenings, which cost
//! nothing, and then one set of weights. Where it is not, the chain becomes a plain matrix (`matrix`).

use super::graph::{Graph, Kind, Pool};
use super::shape::{Shape, by_channel, padding, plane, size, spread};
use crate::network::Convolution;
use crate::values::Array;

/// What chains of nodes become: pools and flattenings, then weights.
pub(super) struct Form {
    /// Pools and flattenings, as indices of nodes.
    pub reshapes: Vec<usize>,
    pub link: Link,
}

pub(super) enum Link {
    /// Each place with its own weight.
    Each(Vec<f64>),
    /// `[out][in]`.
    Full(Array),
    Convolution(Kernel),
}

/// A convolution with its weights and what it makes: channels, height and width.
pub(super) struct Kernel {
    pub geometry: Convolution,
    /// `[out][in of the group][ky][kx]`.
    pub weights: Array,
    pub input: [usize; 3],
    pub output: [usize; 3],
}

enum Item {
    Pool(usize),
    Flatten(usize),
    Scale(Vec<f64>, Shape),
    Full(Array),
    Convolution(Kernel),
}

/// The form of a chain of nodes that begins with a shape; nothing if it has none.
pub(super) fn form(graph: &Graph, shapes: &[Option<Shape>], chain: &[usize], input: &Shape) -> Option<Form> {
    let mut items: Vec<Item> = Vec::new();
    let mut shape = input.clone();
    for &node in chain {
        let output = shapes[node].clone()?;
        if let Some(item) = item(&graph.nodes[node].kind, node, &shape, &output)? {
            push(graph, &mut items, item);
        }
        shape = output;
    }
    let mut reshapes = Vec::new();
    let mut link = None;
    for item in items {
        link = match (item, link) {
            (Item::Pool(node) | Item::Flatten(node), None) => {
                reshapes.push(node);
                None
            }
            // The neurons of a convolution have a place each, flat or not.
            (Item::Flatten(_), Some(link @ Link::Convolution(_))) => Some(link),
            (Item::Scale(scale, _), None) => Some(Link::Each(scale)),
            (Item::Full(weights), None) => Some(Link::Full(weights)),
            (Item::Convolution(kernel), None) => Some(Link::Convolution(kernel)),
            _ => return None,
        };
    }
    Some(Form { reshapes, link: link.unwrap_or_else(|| Link::Each(vec![1.0; size(&shape)])) })
}

/// What a node does; nothing inside if that is nothing, nothing at all if it has no simple form.
fn item(kind: &Kind, node: usize, input: &Shape, output: &Shape) -> Option<Option<Item>> {
    Some(match kind {
        Kind::Linear(weight, _) => Some(Item::Full(weight.clone())),
        Kind::Scale(scale) => Some(Item::Scale(spread(scale, input), input.clone())),
        Kind::Pool(pool) if pool.padding != [0, 0] => return None,
        Kind::Pool(pool) if pool.window == [1, 1] && pool.stride == [1, 1] => None,
        Kind::Pool(pool) if pool.window.iter().chain(&pool.stride).any(|&size| size > 64) => return None,
        Kind::Pool(_) => Some(Item::Pool(node)),
        Kind::Flatten { .. } => (input != output).then_some(Item::Flatten(node)),
        Kind::Convolution(convolution) => {
            let [_, height, width] = plane(input)?;
            let (before, behind) = padding(convolution, [height, width]);
            let shape = &convolution.weight.shape;
            let narrow = |sizes: [usize; 2]| sizes.map(|size| u32::try_from(size).unwrap_or(u32::MAX));
            let geometry = Convolution {
                channels: u32::try_from(shape[0]).ok()?,
                kernel: narrow([shape[2], shape[3]]),
                stride: narrow(convolution.stride),
                padding: narrow(before),
                padding_end: narrow(behind),
                dilation: narrow(convolution.dilation),
                groups: u32::try_from(convolution.groups).ok()?,
                joined: Vec::new(),
            };
            let (input, output) = (plane(input)?, plane(output)?);
            let kernel = Kernel { geometry, weights: convolution.weight.clone(), input, output };
            Some(Item::Convolution(kernel.fits().then_some(kernel)?))
        }
        _ => None,
    })
}

/// Appends an item, or merges it with the last.
fn push(graph: &Graph, items: &mut Vec<Item>, item: Item) {
    let merged = match (items.pop(), item) {
        (Some(Item::Scale(one, shape)), Item::Scale(other, _)) => {
            vec![Item::Scale(one.iter().zip(&other).map(|(a, b)| a * b).collect(), shape)]
        }
        (Some(Item::Scale(scale, shape)), Item::Flatten(node)) => {
            let flat = vec![size(&shape)];
            vec![Item::Flatten(node), Item::Scale(scale, flat)]
        }
        (Some(Item::Scale(scale, _)), Item::Full(mut weights)) => {
            for row in weights.values.chunks_exact_mut(scale.len()) {
                row.iter_mut().zip(&scale).for_each(|(weight, scale)| *weight *= scale);
            }
            vec![Item::Full(weights)]
        }
        (Some(Item::Full(mut weights)), Item::Scale(scale, _)) => {
            let columns = weights.shape[1];
            for (row, scale) in weights.values.chunks_exact_mut(columns).zip(&scale) {
                row.iter_mut().for_each(|weight| *weight *= scale);
            }
            vec![Item::Full(weights)]
        }
        (Some(Item::Full(first)), Item::Full(second)) => vec![Item::Full(product(&second, &first))],
        (Some(Item::Scale(scale, shape)), Item::Convolution(mut kernel)) => {
            match plane(&shape).and_then(|plane| by_channel(&scale, plane)) {
                Some(scales) => {
                    kernel.scale_inputs(&scales);
                    vec![Item::Convolution(kernel)]
                }
                None => vec![Item::Scale(scale, shape), Item::Convolution(kernel)],
            }
        }
        (Some(Item::Convolution(mut kernel)), Item::Scale(scale, shape)) => {
            match plane(&shape).and_then(|plane| by_channel(&scale, plane)) {
                Some(scales) => {
                    kernel.scale_outputs(&scales);
                    vec![Item::Convolution(kernel)]
                }
                None => vec![Item::Convolution(kernel), Item::Scale(scale, shape)],
            }
        }
        (Some(Item::Convolution(kernel)), Item::Pool(node)) => {
            let pooled = if let Kind::Pool(pool) = &graph.nodes[node].kind { kernel.pooled(pool) } else { None };
            match pooled {
                Some(pooled) => vec![Item::Convolution(pooled)],
                None => vec![Item::Convolution(kernel), Item::Pool(node)],
            }
        }
        (last, item) => last.into_iter().chain([item]).collect(),
    };
    items.extend(merged);
}

/// The matrix product of two full connections, the second applied first.
fn product(outer: &Array, inner: &Array) -> Array {
    let columns = inner.shape[1];
    let mut values = vec![0.0; outer.shape[0] * columns];
    for (row, sums) in outer.values.chunks_exact(outer.shape[1]).zip(values.chunks_exact_mut(columns)) {
        for (&weight, inner_row) in row.iter().zip(inner.values.chunks_exact(columns)) {
            sums.iter_mut().zip(inner_row).for_each(|(sum, inner)| *sum += weight * inner);
        }
    }
    Array { shape: vec![outer.shape[0], columns], values }
}

impl Kernel {
    /// Whether the network graph has room for it.
    fn fits(&self) -> bool {
        let geometry = &self.geometry;
        let is_small = |sizes: [u32; 2]| sizes.iter().all(|&size| (1..=64).contains(&size));
        let pads = |sizes: [u32; 2]| {
            (0..2).all(|axis| {
                let reach = (geometry.kernel[axis] - 1).saturating_mul(geometry.dilation[axis]) + 1;
                sizes[axis] < 64 && sizes[axis] < reach
            })
        };
        is_small(geometry.kernel)
            && is_small(geometry.stride)
            && is_small(geometry.dilation)
            && pads(geometry.padding)
            && pads(geometry.padding_end)
            && (1..=65_536).contains(&geometry.channels)
    }

    /// Kernels over several sources that make the same plane, as one whose weights of an output channel are those of all.
    pub fn joined(kernels: Vec<Kernel>) -> Option<Kernel> {
        let channels = kernels.first()?.output[0];
        let mut values = Vec::new();
        for channel in 0..channels {
            for kernel in &kernels {
                let count = kernel.weights_of_channel();
                values.extend_from_slice(&kernel.weights.values[channel * count..(channel + 1) * count]);
            }
        }
        let mut all = kernels.into_iter();
        let mut first = all.next()?;
        first.geometry.joined = all.map(|kernel| kernel.geometry).collect();
        if !first.geometry.joined.is_empty() {
            first.weights = Array { shape: vec![channels, values.len() / channels], values };
        }
        Some(first)
    }

    /// Weights of an output channel.
    fn weights_of_channel(&self) -> usize {
        self.weights.shape[1..].iter().product()
    }

    fn scale_outputs(&mut self, scales: &[f64]) {
        let count = self.weights_of_channel();
        for (channel, scale) in self.weights.values.chunks_exact_mut(count).zip(scales) {
            channel.iter_mut().for_each(|weight| *weight *= scale);
        }
    }

    fn scale_inputs(&mut self, scales: &[f64]) {
        let (count, inputs) = (self.weights_of_channel(), self.weights.shape[1]);
        let channels_of_group = self.weights.shape[0] / self.geometry.groups as usize;
        for (index, channel) in self.weights.values.chunks_exact_mut(count).enumerate() {
            let first = index / channels_of_group * inputs;
            for (offset, taps) in channel.chunks_exact_mut(count / inputs).enumerate() {
                taps.iter_mut().for_each(|weight| *weight *= scales[first + offset]);
            }
        }
    }

    /// This and then a pool, as one: each window of the pool sums neighbouring places of the kernel.
    fn pooled(&self, pool: &Pool) -> Option<Kernel> {
        let (old, taps) = (&self.geometry, pool.window);
        let mut geometry = old.clone();
        let mut output = self.output;
        // How far the next tap of kernel and window is, in taps of the new kernel.
        let (mut tap_step, mut window_step) = ([1; 2], [1; 2]);
        for axis in [0, 1] {
            let (stride, dilation) = (old.stride[axis] as usize, old.dilation[axis] as usize);
            let new_dilation = match (old.kernel[axis], taps[axis]) {
                (1, 1) => 1,
                (1, _) => stride,
                (_, 1) => dilation,
                _ => gcd(stride, dilation),
            };
            (tap_step[axis], window_step[axis]) = (dilation / new_dilation, stride / new_dilation);
            let kernel = (old.kernel[axis] as usize - 1) * tap_step[axis] + (taps[axis] - 1) * window_step[axis] + 1;
            geometry.kernel[axis] = u32::try_from(kernel).ok()?;
            geometry.dilation[axis] = u32::try_from(new_dilation).ok()?;
            geometry.stride[axis] = u32::try_from(stride * pool.stride[axis]).ok()?;
            output[axis + 1] = (self.output[axis + 1] - taps[axis]) / pool.stride[axis] + 1;
        }
        let [height, width] = old.kernel.map(|size| size as usize);
        let [new_height, new_width] = geometry.kernel.map(|size| size as usize);
        let divisor = if pool.is_average { (taps[0] * taps[1]) as f64 } else { 1.0 };
        let planes = self.weights.values.len() / (height * width);
        let mut values = vec![0.0; planes.checked_mul(new_height)?.checked_mul(new_width)?];
        for (old, new) in
            self.weights.values.chunks_exact(height * width).zip(values.chunks_exact_mut(new_height * new_width))
        {
            for (window_y, window_x) in (0..taps[0]).flat_map(|y| (0..taps[1]).map(move |x| (y, x))) {
                for (index, weight) in old.iter().enumerate() {
                    let y = index / width * tap_step[0] + window_y * window_step[0];
                    let x = index % width * tap_step[1] + window_x * window_step[1];
                    new[y * new_width + x] += weight / divisor;
                }
            }
        }
        let shape = vec![self.weights.shape[0], self.weights.shape[1], new_height, new_width];
        let pooled = Kernel { geometry, weights: Array { shape, values }, input: self.input, output };
        pooled.fits().then_some(pooled)
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
