//! Layers of every kind in plain loops, by the words of `onward_net`'s network graph: place by place, weight by weight,
//! in the order of the window's own steps. Integers come from what the compiler says it made of the parameters.

use onward_compile::{Integers, LayerParameters};
use onward_net::{LayerKind, Network, Node, PoolKind};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;

/// What comes from a node in a step, by the number of places that are averaged: sums a place.
type Signal = BTreeMap<u64, Vec<i64>>;

/// A layer's state.
#[derive(Default)]
struct State {
    membrane: Vec<i64>,
    current: Vec<i64>,
    refractory: Vec<u32>,
    spikes: Vec<bool>,
}

/// Shape as channels, height, width.
fn plane(shape: &[u32]) -> [i64; 3] {
    let shape: Vec<i64> = shape.iter().map(|&extent| i64::from(extent)).collect();
    match shape[..] {
        [c, h, w] => [c, h, w],
        [h, w] => [1, h, w],
        _ => [1, 1, shape.iter().product()],
    }
}

/// Shows one window; `input[step][place]`. Returns the spikes of each layer, `[step][neuron]`.
pub fn window(
    network: &Network,
    parameters: &BTreeMap<String, LayerParameters>,
    input: &[Vec<i64>],
) -> BTreeMap<String, Vec<Vec<bool>>> {
    let mut states: BTreeMap<NodeIndex, State> = BTreeMap::new();
    let mut spikes: BTreeMap<String, Vec<Vec<bool>>> = BTreeMap::new();
    for shown in input {
        let mut signals: BTreeMap<NodeIndex, Signal> = BTreeMap::new();
        for node in network.graph.node_indices() {
            let of_source = |at: usize| signals[&network.sources(node)[at]].clone();
            let signal = match &network.graph[node] {
                Node::Input(_) => Signal::from([(1, shown.clone())]),
                Node::Target(_) | Node::Readout(_) => continue,
                Node::Flatten(_) | Node::Delay(_) => of_source(0),
                Node::Add(_) => {
                    let mut sum = Signal::new();
                    for at in 0..network.sources(node).len() {
                        for (divisor, values) in of_source(at) {
                            let into = sum.entry(divisor).or_insert_with(|| vec![0; values.len()]);
                            into.iter_mut().zip(values).for_each(|(into, value)| *into += value);
                        }
                    }
                    sum
                }
                Node::Pool(pool) => {
                    let [channels, height, width] = plane(network.graph[network.signal(node)].shape());
                    let [_, rows, columns] = plane(&pool.shape);
                    let mut pooled = Signal::new();
                    for (divisor, values) in of_source(0) {
                        let mut out = Vec::new();
                        for c in 0..channels {
                            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                                let mut sum = 0;
                                for i in 0..i64::from(pool.window[0]) {
                                    for j in 0..i64::from(pool.window[1]) {
                                        let (y, x) =
                                            (y * i64::from(pool.stride[0]) + i, x * i64::from(pool.stride[1]) + j);
                                        sum += values[((c * height + y) * width + x) as usize];
                                    }
                                }
                                out.push(sum);
                            }
                        }
                        let size = u64::from(pool.window[0]) * u64::from(pool.window[1]);
                        let divisor = if pool.kind == PoolKind::Average { divisor * size } else { divisor };
                        pooled.insert(divisor, out);
                    }
                    if pool.kind == PoolKind::Maximum {
                        let places = pool.shape.iter().product::<u32>() as usize;
                        let any = (0..places).map(|at| i64::from(pooled.values().any(|values| values[at] > 0)));
                        Signal::from([(1, any.collect())])
                    } else {
                        pooled
                    }
                }
                Node::Layer(layer) => {
                    let state = states.entry(node).or_default();
                    let fired = layer_step(network, node, &parameters[&layer.name], &of_source(0), state);
                    let signal = fired.iter().map(|&fired| i64::from(fired)).collect();
                    spikes.entry(layer.name.clone()).or_default().push(fired);
                    Signal::from([(1, signal)])
                }
            };
            signals.insert(node, signal);
        }
    }
    spikes
}

/// What comes into each neuron.
fn inputs(network: &Network, node: NodeIndex, parameters: &LayerParameters, signal: &Signal) -> Vec<i64> {
    let layer = network.layer(node);
    let neurons = layer.neurons() as usize;
    let mut sums = vec![0; neurons];
    for (divisor, values) in signal {
        let variant = parameters.divisors.iter().position(|of| of == divisor).expect("weights for the divisor");
        let weights: Vec<i64> = parameters.weights[variant].iter().map(|&weight| weight.into()).collect();
        match &layer.kind {
            LayerKind::Dense => {
                for (k, value) in values.iter().enumerate() {
                    for n in 0..neurons {
                        sums[n] += value * weights[k * neurons + n];
                    }
                }
            }
            LayerKind::Sparse(_) => {
                for (&(from, to), weight) in parameters.connections.iter().zip(weights) {
                    sums[to as usize] += values[from as usize] * weight;
                }
            }
            LayerKind::Convolution(conv) => {
                let [cin, height, width] = plane(network.graph[network.signal(node)].shape());
                let [cout, rows, columns] = plane(&layer.shape);
                let [ky, kx] = conv.kernel.map(i64::from);
                let (of_in, of_out) = (cin / i64::from(conv.groups), cout / i64::from(conv.groups));
                for (o, oy, ox) in places(cout, rows, columns) {
                    let mut sum = 0;
                    for (i, ty, tx) in places(of_in, ky, kx) {
                        let at = |out: i64, tap: i64, axis: usize| {
                            out * i64::from(conv.stride[axis]) + tap * i64::from(conv.dilation[axis])
                                - i64::from(conv.padding[axis])
                        };
                        let (y, x) = (at(oy, ty, 0), at(ox, tx, 1));
                        if (0..height).contains(&y) && (0..width).contains(&x) {
                            let channel = o / of_out * of_in + i;
                            let weight = weights[(((o * of_in + i) * ky + ty) * kx + tx) as usize];
                            sum += weight * values[((channel * height + y) * width + x) as usize];
                        }
                    }
                    sums[((o * rows + oy) * columns + ox) as usize] += sum;
                }
            }
        }
    }
    sums
}

fn places(a: i64, b: i64, c: i64) -> impl Iterator<Item = (i64, i64, i64)> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| (i, j, k))))
}

fn layer_step(
    network: &Network,
    node: NodeIndex,
    parameters: &LayerParameters,
    signal: &Signal,
    state: &mut State,
) -> Vec<bool> {
    let neurons = network.layer(node).neurons() as usize;
    if state.membrane.is_empty() {
        *state = State {
            membrane: vec![0; neurons],
            current: vec![0; neurons],
            refractory: vec![0; neurons],
            spikes: vec![false; neurons],
        };
    }
    let mut sums = inputs(network, node, parameters, signal);
    if let Some((_, own)) = &parameters.recurrent {
        for from in (0..neurons).filter(|&from| state.spikes[from]) {
            for to in 0..neurons {
                sums[to] += i64::from(own[from * neurons + to]);
            }
        }
    }
    let neuron = &parameters.neuron;
    // Integers are divided towards zero.
    let decay = |value: i64, left: &Integers, n: usize| value * i64::from(left.of(n as u32)) / 65536;
    let mut fired = vec![false; neurons];
    for n in 0..neurons {
        let mut x = sums[n];
        if let Some(left) = &neuron.current {
            state.current[n] = decay(state.current[n], left, n) + x;
            x = state.current[n];
        }
        if state.refractory[n] > 0 {
            state.refractory[n] -= 1;
            continue;
        }
        let v = &mut state.membrane[n];
        if let Some(left) = &neuron.leak {
            *v = decay(*v, left, n);
        }
        *v += x + i64::from(neuron.bias.of(n as u32));
        let threshold = i64::from(neuron.threshold.of(n as u32));
        if *v >= threshold {
            fired[n] = true;
            *v = neuron.reset.as_ref().map_or(*v - threshold, |reset| reset.of(n as u32).into());
            state.refractory[n] = neuron.refractory;
        }
    }
    state.spikes = fired.clone();
    fired
}
