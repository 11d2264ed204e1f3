//! The network in real numbers: what its integers are held against, and where the ranges of a calibration are met.
//!
//! It computes what the text says, in double precision and with no formats: a step carries values along the graph, place
//! by place, until they meet the weights of a layer. Nothing saturates, decays do not round, an average divides. Steps are
//! those of a window; a delay that moves the window along only shifts it. A window begins with all state at zero.

use super::Calibration;
use crate::factors::factors;
use crate::integers::{Integers, numbers};
use crate::neuron::ResetParameters;
use crate::parameters::LayerParameters;
use crate::part::{Given, Part, parts};
use crate::range::{LayerCalibration, Range};
use crate::weights::RealWeights;
use onward_diagnostic::Diagnostic;
use onward_net::{
    Convolution, Decay, Delay, Encoding, Fires, Initial, Layer, LayerKind, Lowering, Network, Node, Pool, PoolKind,
    Reset, Values, WindowShift, plane,
};
use petgraph::graph::NodeIndex;
use std::collections::{BTreeMap, VecDeque};

/// A network in real numbers, with its state and what it has met.
#[derive(Clone, Debug)]
pub struct FloatModel {
    network: Network,
    seed: u64,
    layers: BTreeMap<NodeIndex, FloatLayer>,
    /// What each node sends in the current step, by place.
    sent: Vec<Vec<f64>>,
    /// Of delays within a window, by node: what came in and is not out yet, the oldest first.
    waiting: BTreeMap<NodeIndex, VecDeque<Vec<f64>>>,
    windows: u64,
    /// Additions of weights in all steps, or about as many: how much was computed.
    added: u64,
}

/// Real numbers of a layer, its state, and what it has met.
#[derive(Clone, Debug)]
struct FloatLayer {
    /// Dense `[input][neuron]`, a convolution's `[channel][channel of the group][ky][kx]`, of sparse layers one a
    /// connection.
    weights: Vec<f64>,
    connections: Vec<(u32, u32)>,
    /// `[from][to]`; empty if the layer does not hear itself.
    recurrent: Vec<f64>,
    threshold: Vec<f64>,
    fires: Fires,
    reset: FloatReset,
    leak: Option<Vec<f64>>,
    current_left: Option<Vec<f64>>,
    current_start: Vec<f64>,
    refractory: u32,
    bias: Vec<f64>,
    /// What else its neurons have, with the numbers of each.
    parts: Vec<(&'static dyn Part, Vec<Vec<f64>>)>,
    /// What 1.0 is on the membrane, by neuron, where all numbers and states of neurons are integers and decays round towards
    /// zero, as on the chip.
    grain: Option<Vec<f64>>,
    state: State,
    met: Met,
}

/// What firing does to a membrane.
#[derive(Clone, Debug)]
enum FloatReset {
    None,
    /// What is subtracted, and whether a step late.
    Subtract(Vec<f64>, bool),
    To(Vec<f64>),
}

#[derive(Clone, Debug, Default)]
struct State {
    membrane: Vec<f64>,
    current: Vec<f64>,
    /// What each part adds to the threshold.
    added: Vec<Vec<f64>>,
    /// Steps left in which a neuron is refractory.
    resting: Vec<u32>,
    /// Whose membranes a late reset is to lower.
    is_high: Vec<bool>,
    /// Who fired in the step before, 1 or 0.
    fired: Vec<f64>,
}

#[derive(Clone, Debug, Default)]
struct Met {
    input: Range,
    current: Range,
    membrane: Range,
    spikes: u64,
}

/// What comes into the neurons of a layer in a step, by its sign: in whatever order it comes, no sum on the way is greater.
struct Sums {
    up: Vec<f64>,
    down: Vec<f64>,
}

impl Sums {
    fn add(&mut self, neuron: usize, amount: f64) {
        if amount > 0.0 {
            self.up[neuron] += amount;
        } else {
            self.down[neuron] += amount;
        }
    }
}

impl FloatModel {
    /// The network as its text has it; `seed` draws the weights that are drawn.
    ///
    /// # Errors
    /// Arrays that do not fit their layers.
    pub fn exact(network: &Network, seed: u64) -> Result<FloatModel, Diagnostic> {
        let layers = network.layers().map(|node| Ok((node, FloatLayer::exact(network, node, seed)?)));
        Ok(FloatModel::of(network, seed, layers.collect::<Result<_, Diagnostic>>()?))
    }

    /// The network with the integers of its layers, rounded as on the chip in each step; but nothing saturates. Where averages
    /// over several sizes meet, the weights are those for the smallest.
    pub fn rounded<'a>(
        network: &Network,
        seed: u64,
        parameters: impl Iterator<Item = (NodeIndex, &'a LayerParameters)>,
    ) -> FloatModel {
        let layers = parameters.map(|(node, layer)| (node, FloatLayer::rounded(network.layer(node), layer)));
        FloatModel::of(network, seed, layers.collect())
    }

    fn of(network: &Network, seed: u64, layers: BTreeMap<NodeIndex, FloatLayer>) -> FloatModel {
        let mut model = FloatModel {
            network: network.clone(),
            seed,
            layers,
            sent: Vec::new(),
            waiting: BTreeMap::new(),
            windows: 0,
            added: 0,
        };
        model.rest();
        model
    }

    /// Begins a window: all state is zero, but for what currents begin with.
    pub fn open_window(&mut self) {
        self.rest();
        self.windows += 1;
    }

    fn rest(&mut self) {
        let nodes = self.network.graph.node_weights();
        self.sent = nodes.map(|node| vec![0.0; node.shape().iter().product::<u32>() as usize]).collect();
        let delays = self.network.graph.node_indices().filter_map(|node| match &self.network.graph[node] {
            Node::Delay(Delay { window: WindowShift::Stays, steps, .. }) => {
                let silence = vec![0.0; self.sent[node.index()].len()];
                Some((node, VecDeque::from(vec![silence; *steps as usize])))
            }
            _ => None,
        });
        self.waiting = delays.collect();
        for layer in self.layers.values_mut() {
            let neurons = layer.threshold.len();
            layer.state = State {
                membrane: vec![0.0; neurons],
                current: layer.current_start.clone(),
                added: vec![vec![0.0; neurons]; layer.parts.len()],
                resting: vec![0; neurons],
                is_high: vec![false; neurons],
                fired: vec![0.0; neurons],
            };
        }
    }

    /// Places of the input.
    pub(super) fn inputs(&self) -> u32 {
        self.network.input().size()
    }

    /// What the host sends for 1.0.
    pub(super) fn one(&self) -> i32 {
        if self.network.input().encoding == Encoding::Current { 255 } else { 1 }
    }

    /// Additions of weights so far, or about as many.
    pub(super) fn additions(&self) -> u64 {
        self.added
    }

    /// The layers' names, and who of each fired in the last step, 1 or 0.
    pub(super) fn fired(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.layers.iter().map(|(&node, layer)| (self.network.layer(node).name.as_str(), layer.state.fired.as_slice()))
    }

    /// One step, in which the host sends these axons with these payloads: 1 for a spike, of an input of values 0 to 255.
    pub fn step(&mut self, packets: &[(u32, i32)]) {
        for node in self.network.graph.node_indices() {
            let size = self.sent[node.index()].len();
            let sent = match &self.network.graph[node] {
                Node::Input(input) => {
                    let one = if input.encoding == Encoding::Current { 255.0 } else { 1.0 };
                    let mut sent = vec![0.0; size];
                    for &(axon, payload) in packets {
                        sent[axon as usize] += f64::from(payload) / one;
                    }
                    sent
                }
                Node::Target(_) | Node::Readout(_) => continue,
                Node::Flatten(_) | Node::Add(_) | Node::Delay(_) => {
                    let mut sum = vec![0.0; size];
                    for source in self.network.sources(node) {
                        sum.iter_mut().zip(&self.sent[source.index()]).for_each(|(sum, sent)| *sum += sent);
                    }
                    if let Some(waiting) = self.waiting.get_mut(&node) {
                        waiting.push_back(sum);
                        sum = waiting.pop_front().unwrap_or_default();
                    }
                    sum
                }
                Node::Concat(_) => {
                    self.network.sources(node).iter().flat_map(|source| self.sent[source.index()].clone()).collect()
                }
                Node::Pool(pool) => {
                    let source = self.network.signal(node);
                    pooled(pool, plane(self.network.graph[source].shape()), &self.sent[source.index()])
                }
                Node::Layer(of) => {
                    let source = self.network.signal(node);
                    let Some(layer) = self.layers.get_mut(&node) else { continue };
                    let from = &self.sent[source.index()];
                    let active = from.iter().filter(|amount| **amount != 0.0).count() as u64;
                    self.added += active * (layer.weights.len() as u64 / from.len().max(1) as u64).max(1);
                    if let LayerKind::Convolution(convolution) = &of.kind {
                        let [rows, columns] = convolution.kernel;
                        self.added += active * u64::from(rows * columns * convolution.channels / convolution.groups);
                    }
                    layer.step(of, &self.network.planes(node), from)
                }
            };
            self.sent[node.index()] = sent;
        }
    }

    fn layer(&self, name: &str) -> Option<&FloatLayer> {
        self.layers.iter().find(|(node, _)| self.network.layer(**node).name == name).map(|(_, layer)| layer)
    }

    /// The membranes of a layer, in its integers where the model is of these.
    pub fn membrane(&self, layer: &str) -> Option<&[f64]> {
        self.layer(layer).map(|layer| layer.state.membrane.as_slice())
    }

    /// Spikes of a layer in all windows.
    pub fn spikes(&self, layer: &str) -> Option<u64> {
        self.layer(layer).map(|layer| layer.met.spikes)
    }

    /// Root of the mean square of the differences between weights of a layer here and in another model of the network.
    pub fn weights_difference(&self, other: &FloatModel, layer: &str) -> Option<f64> {
        let (here, there) = (self.layer(layer)?, other.layer(layer)?);
        let pairs = here.weights.iter().zip(&there.weights).chain(here.recurrent.iter().zip(&there.recurrent));
        let (count, squares) =
            pairs.fold((0u64, 0.0), |(count, squares), (here, there)| (count + 1, squares + (here - there).powi(2)));
        Some((squares / count.max(1) as f64).sqrt())
    }

    /// What has been met, in the samples that were shown of `data`.
    pub fn calibration(&self, data: &str) -> Calibration {
        let of_layer = |(&node, layer): (&NodeIndex, &FloatLayer)| {
            let of = self.network.layer(node);
            LayerCalibration {
                layer: of.name.clone(),
                shape: of.shape.clone(),
                inputs: self.network.inputs(node),
                spikes: layer.met.spikes,
                input: layer.met.input.clone(),
                current: layer.current_left.as_ref().map(|_| layer.met.current.clone()),
                membrane: layer.met.membrane.clone(),
            }
        };
        Calibration {
            network: self.network.name.clone(),
            seed: self.seed,
            window: self.network.window_steps,
            data: data.to_owned(),
            samples: self.windows,
            layers: self.layers.iter().map(of_layer).collect(),
        }
    }
}

/// What a pool sends: the sum of each window, its mean, or 1 where it is more than 0.
fn pooled(pool: &Pool, [_, height, width]: [u32; 3], from: &[f64]) -> Vec<f64> {
    let [channels, rows, columns] = plane(&pool.shape);
    let mut sent = Vec::with_capacity((channels * rows * columns) as usize);
    for (channel, y, x) in places([channels, rows, columns]) {
        let mut sum = 0.0;
        for (_, tap_y, tap_x) in places([1, pool.window[0], pool.window[1]]) {
            let (y, x) = (y * pool.stride[0] + tap_y, x * pool.stride[1] + tap_x);
            sum += from[((channel * height + y) * width + x) as usize];
        }
        sent.push(match pool.kind {
            PoolKind::Sum => sum,
            PoolKind::Average => sum / f64::from(pool.window[0] * pool.window[1]),
            PoolKind::Maximum => f64::from(u8::from(sum > 0.0)),
        });
    }
    sent
}

/// Channel, row and column of each place, in their order.
fn places([channels, rows, columns]: [u32; 3]) -> impl Iterator<Item = (u32, u32, u32)> {
    (0..channels).flat_map(move |c| (0..rows).flat_map(move |y| (0..columns).map(move |x| (c, y, x))))
}

/// What is left of a quantity from step to step, by neuron; `None` for all of it.
fn left(decay: &Decay, layer: &Layer) -> Result<Option<Vec<f64>>, Diagnostic> {
    let neurons = layer.neurons() as usize;
    Ok(match decay {
        Decay::None => None,
        Decay::Shift(shift) => Some(vec![1.0 - 0.5f64.powi(*shift as i32); neurons]),
        Decay::Spread(least, most) => {
            let spread = factors(*least, *most, layer.block);
            Some((0..neurons).map(|neuron| spread[neuron % spread.len()]).collect())
        }
        Decay::Factor(values) => Some(numbers(values, neurons, "factors", layer)?),
    })
}

impl FloatLayer {
    fn exact(network: &Network, node: NodeIndex, seed: u64) -> Result<FloatLayer, Diagnostic> {
        let layer = network.layer(node);
        let neurons = layer.neurons() as usize;
        let real = RealWeights::new(network, node)?;
        let each = |values: &Values, what: &str| numbers(values, neurons, what, layer);
        let neuron = &layer.neuron;
        let number = |given: &Given| match *given {
            Given::Voltage(values, what) => each(values, what),
            Given::Left(decay, _) => Ok(left(decay, layer)?.unwrap_or(vec![1.0; neurons])),
        };
        let with_numbers = |(part, given): (&'static dyn Part, Vec<Given>)| {
            Ok((part, given.iter().map(number).collect::<Result<_, Diagnostic>>()?))
        };
        Ok(FloatLayer {
            weights: real.main.numbers(seed),
            connections: real.connections,
            recurrent: real.own.map_or(Vec::new(), |(_, own)| own.numbers(seed)),
            threshold: each(&neuron.threshold, "thresholds")?,
            fires: neuron.fires,
            reset: match &neuron.reset {
                Reset::None => FloatReset::None,
                Reset::To(values) => FloatReset::To(each(values, "resets")?),
                Reset::Subtract(Lowering { amount, is_late }) => {
                    let amount = amount.as_ref().unwrap_or(&neuron.threshold);
                    FloatReset::Subtract(each(amount, "resets")?, *is_late)
                }
            },
            current_start: each(&neuron.current_start, "starts of the current")?,
            leak: left(&neuron.leak, layer)?,
            current_left: match &neuron.current {
                None => None,
                Some(decay) => Some(left(decay, layer)?.unwrap_or(vec![1.0; neurons])),
            },
            refractory: neuron.refractory,
            bias: each(&neuron.bias, "biases")?,
            parts: parts(neuron).map(with_numbers).collect::<Result<_, Diagnostic>>()?,
            grain: None,
            state: State::default(),
            met: Met::default(),
        })
    }

    fn rounded(layer: &Layer, parameters: &LayerParameters) -> FloatLayer {
        let each = |values: &Integers, one: f64| -> Vec<f64> {
            (0..layer.neurons()).map(|neuron| f64::from(values.of(neuron)) / one).collect()
        };
        let neuron = &parameters.neuron;
        let neurons = layer.neurons() as usize;
        let weights = &parameters.weights[0];
        let outputs = parameters.outputs(layer);
        let scaled = weights.iter().zip(&outputs);
        let weights =
            scaled.map(|(&weight, &output)| f64::from(weight) / parameters.scale.of(output as usize)).collect();
        let grain: Vec<f64> = (0..neurons).map(|neuron| parameters.unit.of(neuron)).collect();
        let more = f64::from(parameters.finer).exp2();
        let own = |weights: &Vec<i16>| {
            let unit = |at: usize| grain[at % neurons] / more;
            weights.iter().enumerate().map(|(at, &weight)| f64::from(weight) / unit(at)).collect()
        };
        FloatLayer {
            weights,
            connections: parameters.connections.clone(),
            recurrent: parameters.recurrent.as_ref().map_or(Vec::new(), |(_, weights)| own(weights)),
            threshold: each(&neuron.threshold, 1.0),
            // The integer is the least that fires.
            fires: Fires::At,
            reset: match &neuron.reset {
                ResetParameters::None => FloatReset::None,
                ResetParameters::To(values) => FloatReset::To(each(values, 1.0)),
                ResetParameters::SubtractThreshold => FloatReset::Subtract(each(&neuron.threshold, 1.0), false),
                ResetParameters::Subtract { amount, is_late } => FloatReset::Subtract(each(amount, 1.0), *is_late),
            },
            current_start: each(&neuron.current_start, 1.0),
            leak: neuron.leak.as_ref().map(|values| each(values, 65536.0)),
            current_left: neuron.current.as_ref().map(|values| each(values, 65536.0)),
            refractory: neuron.refractory,
            bias: each(&neuron.bias, 1.0),
            parts: parts(&layer.neuron)
                .zip(&neuron.parts)
                .map(|((part, given), of)| {
                    let numbers = given.iter().zip(&of.numbers);
                    (part, numbers.map(|(given, values)| each(values, given.unit(1.0))).collect())
                })
                .collect(),
            grain: Some(grain),
            state: State::default(),
            met: Met::default(),
        }
    }

    /// Takes in what the source sends and brings all neurons forward; what they send.
    fn step(&mut self, layer: &Layer, inputs: &[[u32; 3]], from: &[f64]) -> Vec<f64> {
        let neurons = self.threshold.len();
        let mut sums = Sums { up: vec![0.0; neurons], down: vec![0.0; neurons] };
        match &layer.kind {
            LayerKind::Dense => add_rows(&self.weights, from, &mut sums),
            LayerKind::Sparse(_) => {
                for (&(from_place, to), weight) in self.connections.iter().zip(&self.weights) {
                    sums.add(to as usize, from[from_place as usize] * weight);
                }
            }
            LayerKind::Convolution(convolution) => {
                let (output, mut rest, mut first_weight) = (plane(&layer.shape), from, 0);
                let all = self.weights.len() / convolution.channels as usize;
                for (kernel, &input) in convolution.kernels().zip(inputs) {
                    let (here, behind) = rest.split_at(input.iter().product::<u32>() as usize);
                    let own = (input[0] / kernel.groups * kernel.kernel[0] * kernel.kernel[1]) as usize;
                    for (place, &amount) in here.iter().enumerate().filter(|(_, amount)| **amount != 0.0) {
                        reach(kernel, input, output, place as u32, &mut |neuron, weight| {
                            let weight = weight / own * all + first_weight + weight % own;
                            sums.add(neuron, amount * self.weights[weight]);
                        });
                    }
                    (rest, first_weight) = (behind, first_weight + own);
                }
            }
        }
        if !self.recurrent.is_empty() {
            add_rows(&self.recurrent, &self.state.fired, &mut sums);
        }
        self.state.fired = (0..neurons).map(|neuron| f64::from(u8::from(self.neuron(neuron, &sums)))).collect();
        self.state.fired.clone()
    }

    /// Brings a neuron forward; whether it fires.
    fn neuron(&mut self, at: usize, sums: &Sums) -> bool {
        let (state, met) = (&mut self.state, &mut self.met);
        met.input.meet(sums.up[at].max(-sums.down[at]));
        let mut taken = sums.up[at] + sums.down[at];
        if let Some(grain) = &self.grain {
            taken = (taken * grain[at]).round();
        }
        let is_integer = self.grain.is_some();
        let left_of = |value: f64| if is_integer { value.trunc() } else { value };
        if let Some(left) = &self.current_left {
            state.current[at] = left_of(state.current[at] * left[at]) + taken;
            taken = state.current[at];
            met.current.meet(taken);
        }
        let mut fires = false;
        if state.resting[at] > 0 {
            state.resting[at] -= 1;
        } else {
            let decayed = left_of(state.membrane[at] * self.leak.as_ref().map_or(1.0, |leak| leak[at]));
            let mut membrane = decayed + taken + self.bias[at];
            if let (FloatReset::Subtract(amount, true), true) = (&self.reset, state.is_high[at]) {
                membrane -= amount[at];
            }
            let added: f64 = state.added.iter().map(|added| added[at]).sum();
            let threshold = self.threshold[at] + added;
            fires = membrane > threshold || self.fires == Fires::At && membrane >= threshold;
            state.is_high[at] = fires;
            state.membrane[at] = match &self.reset {
                FloatReset::Subtract(amount, false) if fires => membrane - amount[at],
                FloatReset::To(values) if fires => values[at],
                _ => membrane,
            };
            if fires {
                state.resting[at] = self.refractory;
                met.spikes += 1;
            }
        }
        for ((part, numbers), added) in self.parts.iter().zip(&mut state.added) {
            let numbers: Vec<f64> = numbers.iter().map(|numbers| numbers[at]).collect();
            added[at] = left_of(part.real(added[at], &numbers, fires));
        }
        // What is kept in memory is what firing leaves.
        met.membrane.meet(state.membrane[at]);
        fires
    }
}

/// Adds rows of weights, as many times as each place sends.
fn add_rows(weights: &[f64], from: &[f64], sums: &mut Sums) {
    let neurons = sums.up.len().max(1);
    for (row, &amount) in weights.chunks(neurons).zip(from).filter(|(_, amount)| **amount != 0.0) {
        row.iter().enumerate().for_each(|(neuron, weight)| sums.add(neuron, amount * weight));
    }
}

/// Tells neuron and weight for each tap by which a place reaches an output of a convolution.
fn reach(
    convolution: &Convolution,
    [channels, height, width]: [u32; 3],
    [outputs, rows, columns]: [u32; 3],
    place: u32,
    tell: &mut dyn FnMut(usize, usize),
) {
    let (channel, y, x) = (place / width / height, place / width % height, place % width);
    let (of_group, out_of_group) = (channels / convolution.groups, outputs / convolution.groups);
    let group = channel / of_group;
    let [taps_y, taps_x] = convolution.kernel;
    let output = |axis: usize, at: u32, tap: u32, end: u32| {
        let start = (at + convolution.padding[axis]).checked_sub(tap * convolution.dilation[axis])?;
        let stride = convolution.stride[axis];
        (start % stride == 0 && start / stride < end).then_some(start / stride)
    };
    for (_, tap_y, tap_x) in places([1, taps_y, taps_x]) {
        let (Some(row), Some(column)) = (output(0, y, tap_y, rows), output(1, x, tap_x, columns)) else { continue };
        for out in group * out_of_group..(group + 1) * out_of_group {
            let weight = ((out * of_group + channel % of_group) * taps_y + tap_y) * taps_x + tap_x;
            tell(((out * rows + row) * columns + column) as usize, weight as usize);
        }
    }
}

/// Whether weights of a network are drawn, so that its seed matters.
pub(super) fn draws(network: &Network) -> bool {
    let is_drawn = |initial: &Initial| matches!(initial, Initial::Drawn { .. });
    network.layers().map(|node| network.layer(node)).any(|layer| {
        let main = !matches!(layer.kind, LayerKind::Sparse(_)) && is_drawn(&layer.weights.initial);
        main || layer.recurrent.as_ref().is_some_and(|own| is_drawn(&own.initial))
    })
}
