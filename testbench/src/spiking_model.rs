//! Networks that do not learn, in plain integers: every kind of layer, neuron, pool and way between them.
//!
//! It says what spikes where in each step of a window, neuron by neuron and weight by weight. Nothing is shared with the
//! compiler or the emulator: no type, no folding of pools into weights, no blocks, no packets. A spike is carried along
//! the graph, place by place, until it meets the weights of a layer. It is slow and is meant to be.
//!
//! Put in: the graph with integers for weights, thresholds, biases and decays, and in each step what the input sends.
//! Taken out: what each node sends in that step, and each layer's membranes and currents. Steps are those of a window:
//! that a layer sees its window later, the later the longer its way from the input, is said by [`Model::lag`] and makes no
//! difference to values; nor does a delay, which only makes ways longer. A window begins with all state at zero.
//!
//! ```
//! use testbench::spiking_model::{Connection, Graph, Kind, Layer, Model, Neurons, Plane, Weights};
//! let mut graph = Graph::default();
//! let input = graph.add(Kind::Input, Plane::row(2), &[]);
//! let layer = Layer {
//!     connection: Connection::Dense,
//!     weights: Weights::plain(vec![3, -1]), // of one neuron: 3 from the first axon, -1 from the second
//!     recurrent: Vec::new(),
//!     neurons: Neurons::integrate_and_fire(vec![5]),
//! };
//! let layer = graph.add(Kind::Layer(layer), Plane::row(1), &[input]);
//! let mut model = Model::new(graph);
//! model.step(&[(0, 1)]);
//! assert_eq!((model.membrane(layer), model.spikes(layer)), (vec![3], vec![]));
//! model.step(&[(0, 1)]);
//! assert_eq!((model.membrane(layer), model.spikes(layer)), (vec![1], vec![0])); // 6 fires, 5 is subtracted
//! model.step(&[(1, 1)]);
//! assert_eq!(model.membrane(layer), vec![0]);
//! assert_eq!(model.lag(layer), 1);
//! ```

use std::collections::BTreeMap;

/// Sizes of a node's places: a place is `(channel * height + y) * width + x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plane {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// Nodes, each behind all its sources.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    plane: Plane,
    sources: Vec<usize>,
}

/// What a node does with what its sources send.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Sends what [`Model::step`] is given.
    Input,
    /// Sends the spikes of its neurons.
    Layer(Layer),
    /// Every spike counts, at each window that covers its place.
    SumPool(Window),
    /// The same, divided by the places of a window.
    AveragePool(Window),
    /// One spike where a window has any.
    MaximumPool(Window),
    /// The same places in one row.
    Flatten,
    /// What all sources send.
    Add,
    /// The same, so many steps later.
    Delay(u32),
}

/// A window that goes over the plane, along y and x.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Its sizes.
    pub size: [usize; 2],
    /// Places from one to the next.
    pub stride: [usize; 2],
}

/// Neurons and the weights into them.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Which weights a place of the source has.
    pub connection: Connection,
    /// The weights.
    pub weights: Weights,
    /// `[from][to]`: weights of the layer's spikes of the step before; empty if there are none.
    pub recurrent: Vec<Vec<i32>>,
    /// The neurons.
    pub neurons: Neurons,
}

/// Which weights a place of the source has.
#[derive(Clone, Debug)]
pub enum Connection {
    /// All neurons: `[neuron][place]`.
    Dense,
    /// Those whose kernel covers the place: `[channel][channel of the group][ky][kx]`.
    Convolution(Convolution),
    /// From, to: a weight each.
    Sparse(Vec<(usize, usize)>),
}

/// Shapes of a convolution; what lies behind the last row and column is said by the layer's plane.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// Sizes of the kernel.
    pub kernel: [usize; 2],
    /// Places from one window to the next.
    pub stride: [usize; 2],
    /// Zeros before the first row and column.
    pub padding: [usize; 2],
    /// From one tap to the next.
    pub dilation: [usize; 2],
    /// Parts of the channels.
    pub groups: usize,
}

/// Weights by what a spike has been divided by on its way: 1, or the product of the places of the averages it came by.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    /// Weights in the order of the connection.
    pub by_divisor: BTreeMap<u64, Vec<i32>>,
}

/// Neurons of a layer; each array has an element a neuron.
#[derive(Clone, Debug)]
pub struct Neurons {
    /// They fire from here on.
    pub threshold: Vec<i32>,
    /// What firing does.
    pub reset: Reset,
    /// What is left of the membrane.
    pub leak: Decay,
    /// What is left of the synaptic current, if there is one.
    pub current: Option<Decay>,
    /// Steps after a spike in which the membrane stays.
    pub refractory: u32,
    /// Added in each step.
    pub bias: Vec<i32>,
}

/// What firing does to the membrane.
#[derive(Clone, Debug)]
pub enum Reset {
    /// Subtracts the threshold.
    Subtract,
    /// Sets it.
    To(Vec<i32>),
}

/// What is left of a quantity from step to step.
#[derive(Clone, Debug)]
pub enum Decay {
    /// All.
    None,
    /// It loses its 2^-shift-th part.
    Shift(u32),
    /// So many 65536ths.
    Factor(Vec<i32>),
}

impl Plane {
    /// Places in one row.
    pub fn row(places: usize) -> Plane {
        Plane { channels: 1, height: 1, width: places }
    }

    /// Number of places.
    pub fn places(&self) -> usize {
        self.channels * self.height * self.width
    }

    fn place(&self, channel: usize, y: usize, x: usize) -> usize {
        (channel * self.height + y) * self.width + x
    }

    fn split(&self, place: usize) -> (usize, usize, usize) {
        (place / self.width / self.height, place / self.width % self.height, place % self.width)
    }
}

impl Graph {
    /// Adds a node and returns its number.
    pub fn add(&mut self, kind: Kind, plane: Plane, sources: &[usize]) -> usize {
        assert!(sources.iter().all(|&source| source < self.nodes.len()), "sources stand before what they feed");
        self.nodes.push(Node { kind, plane, sources: sources.to_vec() });
        self.nodes.len() - 1
    }
}

impl Weights {
    /// Weights of a layer that no average leads to.
    pub fn plain(weights: Vec<i32>) -> Weights {
        Weights { by_divisor: BTreeMap::from([(1, weights)]) }
    }
}

impl Neurons {
    /// Neurons without leak, current, bias and refractory time, with a soft reset.
    pub fn integrate_and_fire(threshold: Vec<i32>) -> Neurons {
        let bias = vec![0; threshold.len()];
        Neurons { threshold, reset: Reset::Subtract, leak: Decay::None, current: None, refractory: 0, bias }
    }
}

/// Something that is sent to a place: a spike (1) or a value, and what it has been divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrival {
    place: usize,
    value: i64,
    divisor: u64,
}

/// A layer's state.
#[derive(Clone, Debug)]
struct State {
    membrane: Vec<i64>,
    current: Vec<i64>,
    /// Steps left in which a neuron is refractory.
    resting: Vec<u32>,
    /// Neurons that fired in the step before.
    fired: Vec<usize>,
}

/// A graph with its state.
#[derive(Clone, Debug)]
pub struct Model {
    graph: Graph,
    states: Vec<State>,
    /// What each node sends in the current step.
    sent: Vec<Vec<Arrival>>,
}

impl Model {
    /// A model at the beginning of a window.
    pub fn new(graph: Graph) -> Model {
        let mut model = Model { graph, states: Vec::new(), sent: Vec::new() };
        model.open_window();
        model
    }

    /// Sets all state to zero.
    pub fn open_window(&mut self) {
        let state = |node: &Node| {
            let neurons = if matches!(node.kind, Kind::Layer(_)) { node.plane.places() } else { 0 };
            State {
                membrane: vec![0; neurons],
                current: vec![0; neurons],
                resting: vec![0; neurons],
                fired: Vec::new(),
            }
        };
        self.states = self.graph.nodes.iter().map(state).collect();
        self.sent = vec![Vec::new(); self.graph.nodes.len()];
    }

    /// One step, in which the input sends these places with these values, ascending.
    pub fn step(&mut self, input: &[(usize, i64)]) {
        for number in 0..self.graph.nodes.len() {
            let node = &self.graph.nodes[number];
            self.sent[number] = match &node.kind {
                Kind::Input => input.iter().map(|&(place, value)| Arrival { place, value, divisor: 1 }).collect(),
                Kind::Flatten | Kind::Add | Kind::Delay(_) => self.arriving(node),
                Kind::SumPool(window) => self.pooled(node, *window, 1),
                Kind::AveragePool(window) => self.pooled(node, *window, (window.size[0] * window.size[1]) as u64),
                Kind::MaximumPool(window) => {
                    let mut places: Vec<_> = self
                        .pooled(node, *window, 1)
                        .into_iter()
                        .filter(|arrival| arrival.value > 0)
                        .map(|a| a.place)
                        .collect();
                    places.sort_unstable();
                    places.dedup();
                    spikes(&places)
                }
                Kind::Layer(layer) => {
                    let arrivals = self.arriving(node);
                    let source = self.graph.nodes[node.sources[0]].plane;
                    let fired = self.states[number].step(layer, source, node.plane, &arrivals);
                    spikes(&fired)
                }
            };
        }
    }

    /// What the sources of a node send, source by source.
    fn arriving(&self, node: &Node) -> Vec<Arrival> {
        node.sources.iter().flat_map(|&source| self.sent[source].iter().copied()).collect()
    }

    /// What arrives at a pool, at each window that covers it.
    fn pooled(&self, node: &Node, window: Window, divisor: u64) -> Vec<Arrival> {
        let source = self.graph.nodes[node.sources[0]].plane;
        let mut pooled = Vec::new();
        for arrival in self.arriving(node) {
            let (channel, y, x) = source.split(arrival.place);
            for out_y in 0..node.plane.height {
                for out_x in 0..node.plane.width {
                    let (top, left) = (out_y * window.stride[0], out_x * window.stride[1]);
                    if (top..top + window.size[0]).contains(&y) && (left..left + window.size[1]).contains(&x) {
                        let place = node.plane.place(channel, out_y, out_x);
                        pooled.push(Arrival { place, divisor: arrival.divisor * divisor, ..arrival });
                    }
                }
            }
        }
        pooled
    }

    /// The neurons of a layer, or places of another node, that spiked in the last step, ascending; what is sent more than
    /// once is there more than once.
    pub fn spikes(&self, node: usize) -> Vec<usize> {
        let mut places: Vec<_> = self.sent[node].iter().map(|arrival| arrival.place).collect();
        places.sort_unstable();
        places
    }

    /// The membranes of a layer.
    pub fn membrane(&self, layer: usize) -> Vec<i64> {
        self.states[layer].membrane.clone()
    }

    /// The synaptic currents of a layer; 0 if it has none.
    pub fn current(&self, layer: usize) -> Vec<i64> {
        self.states[layer].current.clone()
    }

    /// Steps by which a node sees a window later than the input does: its longest way.
    pub fn lag(&self, node: usize) -> u32 {
        let Node { kind, sources, .. } = &self.graph.nodes[node];
        let own = match kind {
            Kind::Layer(_) | Kind::MaximumPool(_) => 1,
            Kind::Delay(steps) => *steps,
            Kind::Input | Kind::SumPool(_) | Kind::AveragePool(_) | Kind::Flatten | Kind::Add => 0,
        };
        own + sources.iter().map(|&source| self.lag(source)).max().unwrap_or(0)
    }
}

/// The neuron with the most spikes, the first of several.
pub fn most_spikes(counts: &[u32]) -> usize {
    let mut best = 0;
    for (neuron, &count) in counts.iter().enumerate() {
        if count > counts[best] {
            best = neuron;
        }
    }
    best
}

fn spikes(places: &[usize]) -> Vec<Arrival> {
    places.iter().map(|&place| Arrival { place, value: 1, divisor: 1 }).collect()
}

/// What 32 bits hold.
fn saturate(value: i64) -> i64 {
    value.clamp(i32::MIN.into(), i32::MAX.into())
}

impl State {
    /// One step of a layer's neurons; those that fired.
    fn step(&mut self, layer: &Layer, source: Plane, plane: Plane, arrivals: &[Arrival]) -> Vec<usize> {
        let mut input = vec![0; plane.places()];
        for &arrival in arrivals {
            layer.weigh(source, plane, arrival, &mut |neuron, amount| input[neuron] = saturate(input[neuron] + amount));
        }
        if !layer.recurrent.is_empty() {
            for &from in &self.fired {
                for (input, &weight) in input.iter_mut().zip(&layer.recurrent[from]) {
                    *input = saturate(*input + i64::from(weight));
                }
            }
        }
        self.fired = (0..plane.places()).filter(|&neuron| self.neuron(&layer.neurons, neuron, input[neuron])).collect();
        self.fired.clone()
    }

    /// One step of a neuron; whether it fires.
    fn neuron(&mut self, neurons: &Neurons, neuron: usize, input: i64) -> bool {
        let mut taken = input;
        if let Some(decay) = &neurons.current {
            self.current[neuron] = saturate(decay.left(neuron, self.current[neuron]) + input);
            taken = self.current[neuron];
        }
        if self.resting[neuron] > 0 {
            self.resting[neuron] -= 1;
            return false;
        }
        let decayed = neurons.leak.left(neuron, self.membrane[neuron]);
        let membrane = saturate(saturate(decayed + taken) + i64::from(neurons.bias[neuron]));
        self.membrane[neuron] = membrane;
        let threshold = i64::from(neurons.threshold[neuron]);
        if membrane < threshold {
            return false;
        }
        self.membrane[neuron] = match &neurons.reset {
            Reset::Subtract => saturate(membrane - threshold),
            Reset::To(values) => values[neuron].into(),
        };
        self.resting[neuron] = neurons.refractory;
        true
    }
}

impl Decay {
    /// What is left of `value`, rounded towards zero.
    fn left(&self, neuron: usize, value: i64) -> i64 {
        match self {
            Decay::None => value,
            // What is lost is rounded up, so that what is left is rounded towards zero.
            Decay::Shift(shift) => value.signum() * (value.abs() - ((value.abs() + (1 << shift) - 1) >> shift)),
            Decay::Factor(factors) => value * i64::from(factors[neuron]) / 65536,
        }
    }
}

impl Layer {
    /// Tells which neurons an arrival adds how much to.
    fn weigh(&self, source: Plane, plane: Plane, arrival: Arrival, add: &mut dyn FnMut(usize, i64)) {
        let weights = &self.weights.by_divisor[&arrival.divisor];
        let mut weigh = |neuron: usize, weight: usize| add(neuron, arrival.value * i64::from(weights[weight]));
        match &self.connection {
            Connection::Dense => {
                for neuron in 0..plane.places() {
                    weigh(neuron, neuron * source.places() + arrival.place);
                }
            }
            Connection::Sparse(pairs) => {
                for (weight, _) in pairs.iter().enumerate().filter(|(_, (from, _))| *from == arrival.place) {
                    weigh(pairs[weight].1, weight);
                }
            }
            Connection::Convolution(convolution) => {
                let (channel, y, x) = source.split(arrival.place);
                let [rows, columns] = convolution.kernel;
                let of_group = source.channels / convolution.groups;
                let outputs = plane.channels / convolution.groups;
                let group = channel / of_group;
                for out in group * outputs..(group + 1) * outputs {
                    for (tap_y, tap_x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                        let row = convolution.reached(0, y, tap_y, plane.height);
                        let column = convolution.reached(1, x, tap_x, plane.width);
                        if let (Some(row), Some(column)) = (row, column) {
                            let weight = ((out * of_group + channel % of_group) * rows + tap_y) * columns + tap_x;
                            weigh(plane.place(out, row, column), weight);
                        }
                    }
                }
            }
        }
    }
}

impl Convolution {
    /// The output row (axis 0) or column (1), of so many, that has this tap at an input row or column, if one has.
    fn reached(&self, axis: usize, input: usize, tap: usize, outputs: usize) -> Option<usize> {
        let start = (input + self.padding[axis]).checked_sub(tap * self.dilation[axis])?;
        (start % self.stride[axis] == 0 && start / self.stride[axis] < outputs).then(|| start / self.stride[axis])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer of `neurons` over an input of `plane`, and its spikes and membranes after each step.
    fn run(plane: Plane, out: Plane, layer: Layer, steps: &[&[(usize, i64)]]) -> Vec<(Vec<usize>, Vec<i64>)> {
        let mut graph = Graph::default();
        let input = graph.add(Kind::Input, plane, &[]);
        let layer = graph.add(Kind::Layer(layer), out, &[input]);
        let mut model = Model::new(graph);
        let mut step = |input: &&[(usize, i64)]| {
            model.step(input);
            (model.spikes(layer), model.membrane(layer))
        };
        steps.iter().map(&mut step).collect()
    }

    fn one_neuron(weight: i32, neurons: Neurons, steps: &[i64]) -> Vec<(bool, i64)> {
        let layer = Layer {
            connection: Connection::Dense,
            weights: Weights::plain(vec![weight]),
            recurrent: Vec::new(),
            neurons,
        };
        let steps: Vec<Vec<(usize, i64)>> =
            steps.iter().map(|&value| if value == 0 { Vec::new() } else { vec![(0, value)] }).collect();
        let steps: Vec<&[(usize, i64)]> = steps.iter().map(Vec::as_slice).collect();
        let found = run(Plane::row(1), Plane::row(1), layer, &steps);
        found.into_iter().map(|(spikes, membrane)| (!spikes.is_empty(), membrane[0])).collect()
    }

    #[test]
    fn a_leak_rounds_towards_zero() {
        // 7 loses a quarter: 5.25 is 5, 3.75 is 3, 2.25 is 2, 1.5 is 1, 0.75 is 0. And so do negative membranes.
        for (leak, sign) in [
            (Decay::Shift(2), 1),
            (Decay::Shift(2), -1),
            (Decay::Factor(vec![49152]), 1),
            (Decay::Factor(vec![49152]), -1),
        ] {
            let neurons = Neurons { leak, ..Neurons::integrate_and_fire(vec![100]) };
            let found = one_neuron(7 * sign, neurons, &[1, 0, 0, 0, 0, 0, 0]);
            let expected = [7, 5, 3, 2, 1, 0, 0].map(|membrane| (false, membrane * i64::from(sign)));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_current_decays_before_it_takes_the_input_in_and_in_refractory_steps_too() {
        let neurons = Neurons {
            current: Some(Decay::Shift(1)),
            refractory: 2,
            reset: Reset::To(vec![-1]),
            bias: vec![1],
            ..Neurons::integrate_and_fire(vec![10])
        };
        // Current: 8, 4, 2 + 8 = 10, 5, 2, 1, 0. Membrane: 9, 14 fires and is -1 for two steps, then 2 + 1 more, and so on.
        let found = one_neuron(8, neurons, &[1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(found, [(false, 9), (true, -1), (false, -1), (false, -1), (false, 2), (false, 4), (false, 5)]);
    }

    #[test]
    fn the_current_is_taken_whole() {
        let neurons = Neurons { current: Some(Decay::Factor(vec![32768])), ..Neurons::integrate_and_fire(vec![1000]) };
        let found = one_neuron(-7, neurons, &[1, 1, 0, 0]);
        // -7; -3 - 7 = -10; -5; -2.
        assert_eq!(found, [(false, -7), (false, -17), (false, -22), (false, -24)]);
    }

    #[test]
    fn resets() {
        let subtract = Neurons::integrate_and_fire(vec![4]);
        assert_eq!(one_neuron(7, subtract.clone(), &[1, 0, 0]), [(true, 3), (false, 3), (false, 3)]);
        // What is left may be enough to fire again without any input.
        assert_eq!(one_neuron(9, subtract.clone(), &[1, 0, 0]), [(true, 5), (true, 1), (false, 1)]);
        let set = Neurons { reset: Reset::To(vec![-2]), ..subtract };
        assert_eq!(one_neuron(7, set, &[1, 1]), [(true, -2), (true, -2)]);
    }

    #[test]
    fn sums_saturate_one_by_one() {
        let neurons = Neurons::integrate_and_fire(vec![i32::MAX]);
        let layer = Layer {
            connection: Connection::Dense,
            weights: Weights::plain(vec![32767, 32767, -32768]),
            recurrent: Vec::new(),
            neurons: Neurons { reset: Reset::To(vec![0]), ..neurons },
        };
        // 2^16 * 32767 does not fit; the axon behind it is subtracted from what did.
        let large = 1 << 17;
        let found = run(Plane::row(3), Plane::row(1), layer, &[&[(0, large), (1, large), (2, 1)]]);
        assert_eq!(found, [(vec![], vec![i64::from(i32::MAX) - 32768])]);
    }

    #[test]
    fn values_multiply_weights() {
        let neurons = Neurons::integrate_and_fire(vec![1000]);
        assert_eq!(one_neuron(-3, neurons, &[255, 2]), [(false, -765), (false, -771)]);
    }

    #[test]
    fn a_convolution_with_padding_and_stride() {
        // A row of four, kernel 1, 2, 3 along x, one zero on each side, every second place: places 0 and 2 of four.
        let convolution = Convolution { kernel: [1, 3], stride: [1, 2], padding: [0, 1], dilation: [1, 1], groups: 1 };
        let layer = Layer {
            connection: Connection::Convolution(convolution),
            weights: Weights::plain(vec![1, 2, 3]),
            recurrent: Vec::new(),
            neurons: Neurons::integrate_and_fire(vec![100; 2]),
        };
        let each: [&[(usize, i64)]; 4] = [&[(0, 1)], &[(1, 1)], &[(2, 1)], &[(3, 1)]];
        let found: Vec<_> = run(Plane::row(4), Plane::row(2), layer, &each).into_iter().map(|(_, m)| m).collect();
        // out[0] = 2 in[0] + 3 in[1]; out[1] = in[1] + 2 in[2] + 3 in[3].
        assert_eq!(found, [vec![2, 0], vec![5, 1], vec![5, 3], vec![5, 6]]);
    }

    #[test]
    fn a_convolution_with_dilation_and_groups() {
        // Two channels of 3 x 3, a group each; a kernel of 2 x 2 whose taps are 2 apart: one place, the four corners.
        let convolution = Convolution { kernel: [2, 2], stride: [1, 1], padding: [0, 0], dilation: [2, 2], groups: 2 };
        let layer = Layer {
            connection: Connection::Convolution(convolution),
            weights: Weights::plain(vec![1, 2, 3, 4, 10, 20, 30, 40]),
            recurrent: Vec::new(),
            neurons: Neurons::integrate_and_fire(vec![1000; 2]),
        };
        let (source, out) = (Plane { channels: 2, height: 3, width: 3 }, Plane { channels: 2, height: 1, width: 1 });
        // The first channel's corner below left; the second's corner above right, and its middle, which no tap meets.
        let found = run(source, out, layer, &[&[(6, 1)], &[(9 + 2, 1), (9 + 4, 1)]]);
        assert_eq!(found, [(vec![], vec![3, 0]), (vec![], vec![3, 20])]);
    }

    #[test]
    fn a_sparse_layer_has_the_weights_it_lists() {
        let layer = Layer {
            connection: Connection::Sparse(vec![(0, 1), (2, 0), (0, 0)]),
            weights: Weights::plain(vec![5, 7, -1]),
            recurrent: Vec::new(),
            neurons: Neurons::integrate_and_fire(vec![100; 2]),
        };
        let found = run(Plane::row(3), Plane::row(2), layer, &[&[(0, 1)], &[(1, 1)], &[(2, 1)]]);
        let found: Vec<_> = found.into_iter().map(|(_, membrane)| membrane).collect();
        assert_eq!(found, [[-1, 5], [-1, 5], [6, 5]]);
    }

    #[test]
    fn a_recurrent_layer_hears_itself_a_step_later() {
        let layer = Layer {
            connection: Connection::Dense,
            weights: Weights::plain(vec![4, 0]),
            recurrent: vec![vec![0, 4], vec![4, 0]],
            neurons: Neurons::integrate_and_fire(vec![4; 2]),
        };
        let found = run(Plane::row(1), Plane::row(2), layer, &[&[(0, 1)], &[], &[], &[]]);
        let found: Vec<_> = found.into_iter().map(|(spikes, _)| spikes).collect();
        assert_eq!(found, [[0], [1], [0], [1]]);
    }

    #[test]
    fn pools() {
        let window = Window { size: [2, 2], stride: [1, 2] };
        let (source, out) = (Plane { channels: 1, height: 3, width: 4 }, Plane { channels: 1, height: 2, width: 2 });
        let sends = |kind: Kind, input: &[(usize, i64)]| {
            let mut graph = Graph::default();
            let from = graph.add(Kind::Input, source, &[]);
            let pool = graph.add(kind, out, &[from]);
            let mut model = Model::new(graph);
            model.step(input);
            (model.spikes(pool), model.sent[pool].first().map(|arrival| arrival.divisor))
        };
        // The second row is in the windows of both rows.
        let input = [(4, 1), (5, 1), (11, 1)];
        assert_eq!(sends(Kind::SumPool(window), &input), (vec![0, 0, 2, 2, 3], Some(1)));
        assert_eq!(sends(Kind::AveragePool(window), &input), (vec![0, 0, 2, 2, 3], Some(4)));
        assert_eq!(sends(Kind::MaximumPool(window), &input), (vec![0, 2, 3], Some(1)));
    }

    #[test]
    fn an_average_chooses_its_weights_and_an_addition_takes_both() {
        let mut graph = Graph::default();
        let input = graph.add(Kind::Input, Plane::row(2), &[]);
        let window = Window { size: [1, 2], stride: [1, 2] };
        let mean = graph.add(Kind::AveragePool(window), Plane::row(1), &[input]);
        let sum = graph.add(Kind::SumPool(window), Plane::row(1), &[input]);
        let both = graph.add(Kind::Add, Plane::row(1), &[mean, sum]);
        let late = graph.add(Kind::Delay(3), Plane::row(1), &[both]);
        let row = graph.add(Kind::Flatten, Plane::row(1), &[late]);
        let weights = Weights { by_divisor: BTreeMap::from([(1, vec![10]), (2, vec![5])]) };
        let layer = Layer {
            connection: Connection::Dense,
            weights,
            recurrent: Vec::new(),
            neurons: Neurons::integrate_and_fire(vec![1000]),
        };
        let layer = graph.add(Kind::Layer(layer), Plane::row(1), &[row]);
        let mut model = Model::new(graph);
        model.step(&[(0, 1), (1, 1)]);
        assert_eq!(model.membrane(layer), [30]);
        assert_eq!(model.lag(layer), 4);
        model.open_window();
        model.step(&[(1, 1)]);
        assert_eq!(model.membrane(layer), [15]);
    }

    #[test]
    fn the_first_of_several_has_most() {
        assert_eq!(most_spikes(&[1, 3, 3, 0]), 1);
        assert_eq!(most_spikes(&[0, 0]), 0);
    }
}
