//! The network graph in double precision: what its types say that neurons do, without time lost between layers.

use onward_net::{
    Array, Convolution, Decay, Fires, Initial, LayerKind, Lowering, Network, Node, NodeIndex, PoolKind, ReadoutKind,
    Reset, Values,
};
use std::collections::{BTreeMap, VecDeque};

/// A network that runs; numbers are real, not fixed-point.
pub struct NetworkModel {
    network: Network,
    voltage: BTreeMap<NodeIndex, Vec<f64>>,
    current: BTreeMap<NodeIndex, Vec<f64>>,
    output: BTreeMap<NodeIndex, Vec<f64>>,
    past: BTreeMap<NodeIndex, VecDeque<Vec<f64>>>,
    /// Of layers that have taken a step, which membranes are lowered in the next.
    owes: BTreeMap<NodeIndex, Vec<bool>>,
}

impl NetworkModel {
    pub fn new(network: &Network) -> NetworkModel {
        let graph = &network.graph;
        let zeros: BTreeMap<NodeIndex, Vec<f64>> = graph
            .node_indices()
            .map(|index| (index, vec![0.0; graph[index].shape().iter().product::<u32>() as usize]))
            .collect();
        let past = graph.node_indices().filter_map(|index| match &graph[index] {
            Node::Delay(delay) => Some((index, VecDeque::from(vec![zeros[&index].clone(); delay.steps as usize]))),
            _ => None,
        });
        NetworkModel {
            past: past.collect(),
            owes: BTreeMap::new(),
            network: network.clone(),
            voltage: zeros.clone(),
            current: zeros.clone(),
            output: zeros,
        }
    }

    /// Goes through a step; gives the spikes of the layer that is read out.
    pub fn step(&mut self, input: &[f64]) -> Vec<f64> {
        let indices: Vec<NodeIndex> = self.network.graph.node_indices().collect();
        let mut answer = Vec::new();
        for index in indices {
            let sources = self.network.sources(index);
            let taken: Vec<Vec<f64>> = sources.iter().map(|source| self.output[source].clone()).collect();
            let output = match &self.network.graph[index] {
                Node::Input(_) => input.to_vec(),
                Node::Flatten(_) => taken[0].clone(),
                Node::Add(_) => (0..taken[0].len()).map(|at| taken.iter().map(|one| one[at]).sum()).collect(),
                Node::Concat(_) => taken.concat(),
                Node::Delay(_) => {
                    let past = self.past.get_mut(&index).unwrap();
                    past.push_back(taken[0].clone());
                    past.pop_front().unwrap()
                }
                Node::Pool(pool) => {
                    let [_, height, width] = plane(self.network.graph[sources[0]].shape());
                    let [channels, rows, columns] = plane(&pool.shape);
                    let mut sums = Vec::new();
                    for (channel, y, x) in places(channels, rows, columns) {
                        let mut sum = 0.0;
                        for (_, wy, wx) in places(1, pool.window[0] as usize, pool.window[1] as usize) {
                            let (y, x) = (y * pool.stride[0] as usize + wy, x * pool.stride[1] as usize + wx);
                            sum += taken[0][(channel * height + y) * width + x];
                        }
                        let size = f64::from(pool.window[0] * pool.window[1]);
                        sums.push(if pool.kind == PoolKind::Average { sum / size } else { sum });
                    }
                    sums
                }
                Node::Layer(layer) => {
                    let joins = matches!(&layer.kind, LayerKind::Convolution(of) if !of.joined.is_empty());
                    let sources = if joins { self.network.sources(sources[0]) } else { sources };
                    let shapes = sources.iter().map(|&source| self.network.graph[source].shape().to_vec()).collect();
                    self.layer(index, &taken[0], shapes)
                }
                Node::Readout(readout) => {
                    assert_eq!(readout.kind, ReadoutKind::Spikes);
                    answer.clone_from(&taken[0]);
                    Vec::new()
                }
                Node::Target(_) => unreachable!("no targets are imported"),
            };
            self.output.insert(index, output);
        }
        answer
    }

    fn layer(&mut self, index: NodeIndex, taken: &[f64], source_shapes: Vec<Vec<u32>>) -> Vec<f64> {
        let layer = self.network.layer(index).clone();
        let count = layer.neurons() as usize;
        let mut sums = vec![0.0; count];
        let weights = match &layer.weights.initial {
            Initial::Given(Values::Array(weights)) => weights.values.clone(),
            _ => Vec::new(),
        };
        match &layer.kind {
            LayerKind::Dense => {
                assert_eq!(weights.len(), count * taken.len());
                for (at, sum) in sums.iter_mut().enumerate() {
                    *sum = (0..taken.len()).map(|axon| weights[at * taken.len() + axon] * taken[axon]).sum();
                }
            }
            LayerKind::Sparse(sparse) => {
                for row in array(&sparse.connections).values.chunks_exact(3) {
                    sums[row[1] as usize] += row[2] * taken[row[0] as usize];
                }
            }
            LayerKind::Convolution(c) => {
                let (mut first_place, mut first_weight) = (0, 0);
                for (kernel, shape) in c.kernels().zip(&source_shapes) {
                    let places = shape.iter().product::<u32>() as usize;
                    let taken = &taken[first_place..first_place + places];
                    first_weight += convolve(kernel, shape, &layer.shape, (&weights, first_weight), taken, &mut sums);
                    first_place += places;
                }
                assert_eq!((first_place, first_weight * plane(&layer.shape)[0]), (taken.len(), weights.len()));
            }
        }
        if let Some(recurrent) = &layer.recurrent {
            let Initial::Given(values) = &recurrent.initial else { panic!("weights are given") };
            let before = &self.output[&index];
            for (from, spike) in before.iter().enumerate() {
                for (to, sum) in sums.iter_mut().enumerate() {
                    *sum += array(values).values[from * count + to] * spike;
                }
            }
        }
        let neuron = &layer.neuron;
        let (voltage, current) = (self.voltage.get_mut(&index).unwrap(), self.current.get_mut(&index).unwrap());
        let owes = self.owes.entry(index).or_insert_with(|| {
            (0..count).for_each(|at| current[at] = value(&neuron.current_start, at));
            vec![false; count]
        });
        (0..count)
            .map(|at| {
                let mut arrives = sums[at];
                if let Some(decay) = &neuron.current {
                    current[at] = left(decay, at) * current[at] + arrives;
                    arrives = current[at];
                }
                voltage[at] = left(&neuron.leak, at) * voltage[at] + arrives + value(&neuron.bias, at);
                let threshold = value(&neuron.threshold, at);
                let lowers =
                    |lowering: &Lowering| lowering.amount.as_ref().map_or(threshold, |amount| value(amount, at));
                if let (Reset::Subtract(lowering), true) = (&neuron.reset, owes[at]) {
                    voltage[at] -= lowers(lowering);
                }
                owes[at] = false;
                let fires =
                    if neuron.fires == Fires::Above { voltage[at] > threshold } else { voltage[at] >= threshold };
                if !fires {
                    return 0.0;
                }
                match &neuron.reset {
                    Reset::Subtract(lowering) if lowering.is_late => owes[at] = true,
                    Reset::Subtract(lowering) => voltage[at] -= lowers(lowering),
                    Reset::To(values) => voltage[at] = value(values, at),
                    Reset::None => {}
                }
                1.0
            })
            .collect()
    }
}

/// Adds what a kernel over a source takes; of the weights of an output channel its own begin at `first_weight`. How many it has.
fn convolve(
    c: &Convolution,
    source: &[u32],
    shape: &[u32],
    (weights, first_weight): (&[f64], usize),
    taken: &[f64],
    sums: &mut [f64],
) -> usize {
    let [inputs, height, width] = plane(source);
    let [channels, rows, columns] = plane(shape);
    assert_eq!(channels, c.channels as usize);
    let of_group = inputs / c.groups as usize;
    let [kernel_height, kernel_width] = c.kernel.map(|size| size as usize);
    for axis in [0, 1] {
        let reach = c.dilation[axis] * (c.kernel[axis] - 1) + 1;
        let room = [height, width][axis] as u32 + c.padding[axis] + c.padding_end[axis] - reach;
        assert_eq!((room / c.stride[axis] + 1) as usize, [rows, columns][axis]);
        assert!(c.padding[axis] < reach && c.padding_end[axis] < reach);
    }
    for (out, y, x) in places(channels, rows, columns) {
        let first = out / (channels / c.groups as usize) * of_group;
        for (i, ky, kx) in places(of_group, kernel_height, kernel_width) {
            let from = |at: usize, tap: usize, axis: usize| {
                (at as u32 * c.stride[axis] + tap as u32 * c.dilation[axis]).wrapping_sub(c.padding[axis]) as usize
            };
            let (from_y, from_x) = (from(y, ky, 0), from(x, kx, 1));
            if from_y < height && from_x < width {
                let weight = (i * kernel_height + ky) * kernel_width + kx;
                let weight = weights[weights.len() / channels * out + first_weight + weight];
                let place = ((first + i) * height + from_y) * width + from_x;
                sums[(out * rows + y) * columns + x] += weight * taken[place];
            }
        }
    }
    of_group * kernel_height * kernel_width
}

fn array(values: &Values) -> &Array {
    match values {
        Values::Array(array) => array,
        other => panic!("no array: {other:?}"),
    }
}

fn value(values: &Values, at: usize) -> f64 {
    match values {
        Values::Constant(value) => *value,
        other => array(other).values[at],
    }
}

fn left(decay: &Decay, at: usize) -> f64 {
    match decay {
        Decay::None => 1.0,
        Decay::Shift(shift) => 1.0 - 1.0 / f64::from(1 << shift),
        Decay::Factor(values) => value(values, at),
        Decay::Spread(..) => unreachable!("other tools give each neuron its own"),
    }
}

fn plane(shape: &[u32]) -> [usize; 3] {
    let sizes = match *shape {
        [channels, height, width] => [channels, height, width],
        [height, width] => [1, height, width],
        _ => panic!("no plane: {shape:?}"),
    };
    sizes.map(|size| size as usize)
}

fn places(channels: usize, height: usize, width: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..channels).flat_map(move |channel| (0..height).flat_map(move |y| (0..width).map(move |x| (channel, y, x))))
}
