//! Random networks, chips and windows.

use onward_chip::Chip;
use onward_diagnostic::Source;
use onward_net::{
    Adaptation, Array, Convolution, Decay, Delay, Encoding, Fires, Initial, Input, Layer, LayerKind, Learning,
    Lowering, Network, Neuron, Node, NodeIndex, Plain, Pool, PoolKind, Readout, ReadoutKind, Reset, Sparse, Values,
    Weights, WindowShift,
};
use std::fmt;
use std::sync::Arc;

/// What both sides are shown.
pub struct Case {
    /// The network's text.
    pub text: String,
    /// Name of the layer that is read, and how.
    pub last: String,
    pub readout: ReadoutKind,
    pub chip: Chip,
    /// Draws weights.
    pub seed: u64,
    pub threads: usize,
    /// Whether values enter, not spikes.
    pub is_graded: bool,
    /// Windows: the steps that pass after each, and in each step of it places and values, ascending.
    pub windows: Vec<(usize, Vec<Step>)>,
}

/// Places and values.
pub type Step = Vec<(usize, i64)>;

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (core, mesh) = (&self.chip.core, &self.chip.mesh);
        writeln!(f, "{}seed {}, {} threads, {core:?}, {mesh:?}", self.text, self.seed, self.threads)?;
        self.windows.iter().try_for_each(|(gap, steps)| writeln!(f, "{steps:?} and {gap} steps"))
    }
}

/// Numbers that decide everything, over and over.
struct Draw<'a> {
    numbers: &'a [u32],
    at: usize,
}

impl Draw<'_> {
    /// From 0, below `count`.
    fn below(&mut self, count: u32) -> u32 {
        self.at += 1;
        let round = (self.at / self.numbers.len()) as u32;
        let number = self.numbers[self.at % self.numbers.len()];
        // Every round decides otherwise; numbers that shrink to zero make small networks all the same.
        (number ^ if number == 0 { 0 } else { round.wrapping_mul(0x9e37_79b9) }) % count
    }

    fn from(&mut self, least: u32, greatest: u32) -> u32 {
        least + self.below(greatest - least + 1)
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == count - 1
    }

    fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    /// In 64ths, so that a reader of a failure sees short numbers.
    fn decimal(&mut self, least: f64, greatest: f64) -> f64 {
        let steps = ((greatest - least) * 64.0) as u32;
        (least + f64::from(self.below(steps + 1)) / 64.0).min(greatest)
    }

    /// One number for all neurons, or each its own.
    fn values(&mut self, shape: &[u32], least: f64, greatest: f64) -> Values {
        if self.one_in(3) {
            return self.array(shape, least, greatest);
        }
        Values::Constant(self.decimal(least, greatest))
    }

    fn array(&mut self, shape: &[u32], least: f64, greatest: f64) -> Values {
        let count = shape.iter().product::<u32>();
        let values = (0..count).map(|_| self.decimal(least, greatest)).collect();
        Values::Array(Arc::new(Array { shape: shape.iter().map(|&size| size as usize).collect(), values }))
    }

    fn decay(&mut self, shape: &[u32]) -> Decay {
        match self.below(4) {
            0 => Decay::None,
            1 => Decay::Shift(self.from(1, 15)),
            _ => Decay::Factor(self.values(shape, 0.0, 1.0)),
        }
    }

    fn reset(&mut self, shape: &[u32]) -> Reset {
        match self.below(6) {
            0..2 => Reset::SUBTRACT,
            2 => Reset::None,
            3 => Reset::Subtract(Lowering {
                amount: self.one_in(2).then(|| self.values(shape, -0.5, 1.5)),
                is_late: self.one_in(2),
            }),
            4 => Reset::Subtract(Lowering { amount: None, is_late: true }),
            _ => Reset::To(self.values(shape, -1.0, 1.0)),
        }
    }

    fn neuron(&mut self, shape: &[u32]) -> Neuron {
        let plain = Neuron::default();
        let reset = self.reset(shape);
        let is_late = matches!(&reset, Reset::Subtract(Lowering { is_late: true, .. }));
        let least = if !is_late && self.one_in(8) { -0.5 } else { 0.125 };
        let mut neuron = Neuron {
            threshold: self.values(shape, least, 1.5),
            fires: self.choose(&[Fires::At, Fires::At, Fires::Above]),
            reset,
            leak: if self.one_in(2) { self.decay(shape) } else { plain.leak },
            current: if self.one_in(3) { Some(self.decay(shape)) } else { None },
            current_start: Values::Constant(0.0),
            refractory: if self.one_in(3) { self.choose(&[1, 2, 3, 255]) } else { 0 },
            bias: if self.one_in(3) { self.values(shape, -0.25, 0.5) } else { plain.bias },
            adaptation: None,
        };
        if neuron.current.is_some() && self.one_in(2) {
            neuron.current_start = self.values(shape, -1.0, 1.0);
        }
        if neuron.current.is_none() && !is_late && self.one_in(3) {
            neuron.adaptation = Some(Adaptation { rise: self.values(shape, 0.0, 1.0), fall: self.decay(shape) });
        }
        neuron
    }

    /// Weights into neurons, so many each.
    fn weights(&mut self, shape: &[u32], inputs: u32) -> Weights {
        let bits = self.choose(&[8, 16, 4]);
        let spread = (2.0 / f64::from(inputs).sqrt()).max(0.25);
        let initial = match self.below(3) {
            0 => Initial::Drawn { gain: self.decimal(0.5, 3.0), fraction: None },
            1 => Initial::Given(Values::Constant(self.decimal(-spread / 4.0, spread))),
            _ => Initial::Given(self.array(shape, -spread / 2.0, spread)),
        };
        Weights { bits, initial }
    }
}

/// Channels, height and width of any shape.
fn plane(shape: &[u32]) -> [u32; 3] {
    match *shape {
        [channels, height, width] => [channels, height, width],
        [height, width] => [1, height, width],
        _ => [1, 1, shape[0]],
    }
}

struct Builder<'a> {
    draw: Draw<'a>,
    network: Network,
}

/// The case that `numbers` decide on.
pub fn case(numbers: &[u32]) -> Case {
    let network = Network {
        name: "random".into(),
        data: None,
        epochs: 1,
        window_steps: 1,
        augment: Vec::new(),
        graph: Default::default(),
    };
    let mut builder = Builder { draw: Draw { numbers, at: 0 }, network };
    builder.network.window_steps = builder.draw.from(1, 12) * builder.draw.choose(&[1, 1, 1, 10]);
    let last = builder.graph();
    let Builder { mut draw, mut network } = builder;
    let readout = draw.choose(&[ReadoutKind::Spikes, ReadoutKind::Spikes, ReadoutKind::MostSpikes]);
    network.add(Node::Readout(Readout { name: "answer".into(), kind: readout, span: 0..0 }), &[last]);
    shown(network.to_string(), &network, draw)
}

/// A case of this text; `numbers` decide on the rest.
pub fn case_of(text: &str, numbers: &[u32]) -> Case {
    let source = Source::new("found.sp", text);
    let network = Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    shown(text.to_string(), &network, Draw { numbers, at: 0 })
}

/// A network on a chip, and what it is shown.
fn shown(text: String, network: &Network, mut draw: Draw) -> Case {
    let last = network.layers().last().expect("there is a layer");
    let is_graded = network.input().encoding == Encoding::Current;
    Case {
        text,
        last: network.graph[last].name().to_string(),
        readout: network.readout().kind,
        chip: chip(&mut draw),
        seed: draw.below(1000).into(),
        threads: draw.from(1, 3) as usize,
        is_graded,
        windows: windows(&mut draw, network.input().size(), network.window_steps, is_graded),
    }
}

/// A chip on which everything fits: whether it does is not the question here.
fn chip(draw: &mut Draw) -> Chip {
    let mut chip = Chip::builtin("middle").expect("a built-in chip");
    chip.core.lanes = draw.choose(&[16, 4, 8, 64]);
    chip.core.vector_length = draw.choose(&[256, 64, 128]);
    chip.core.blocks = 64;
    (chip.mesh.width, chip.mesh.height) = draw.choose(&[(2, 2), (1, 3), (4, 4), (5, 2)]);
    chip.memory.neuron_bytes = 1 << 20;
    chip.memory.axon_bytes = 1 << 20;
    chip.memory.synapse_bytes = 1 << 22;
    chip.memory.axons = 1 << 14;
    chip.memory.routes = 1 << 12;
    chip.memory.instruction_words = 1 << 14;
    chip
}

fn windows(draw: &mut Draw, places: u32, steps: u32, is_graded: bool) -> Vec<(usize, Vec<Step>)> {
    (0..draw.from(1, 3))
        .map(|_| {
            let density = draw.choose(&[3, 2, 5, 20, 1]);
            let mut step = |_| {
                let active: Vec<usize> = (0..places as usize).filter(|_| draw.one_in(density)).collect();
                let value = |place| (place, if is_graded { i64::from(draw.from(1, 255)) } else { 1 });
                active.into_iter().map(value).collect()
            };
            let shown = (0..steps).map(&mut step).collect();
            (draw.choose(&[0, 0, 1, 7]), shown)
        })
        .collect()
}

impl Builder<'_> {
    /// Everything up to the layer that is read.
    fn graph(&mut self) -> NodeIndex {
        let mut chain = vec![self.input()];
        for _ in 0..self.draw.below(6) {
            let last = chain[chain.len() - 1];
            chain.push(match self.draw.below(10) {
                8 => self.concatenation(last, &chain),
                9 => self.joined(last, &chain),
                0 => self.pool(last),
                1 => self.addition(last, &chain),
                2 => self.delay(last),
                3 => self.flatten(last),
                _ => self.layer(last),
            });
        }
        let last = chain[chain.len() - 1];
        self.layer(last)
    }

    fn name(&self) -> String {
        format!("n{}", self.network.graph.node_count())
    }

    fn shape(&self, node: NodeIndex) -> Vec<u32> {
        self.network.graph[node].shape().to_vec()
    }

    fn input(&mut self) -> NodeIndex {
        let draw = &mut self.draw;
        let shape = match draw.below(3) {
            0 => vec![draw.from(1, 30)],
            1 => vec![draw.from(1, 8), draw.from(1, 8)],
            _ if draw.one_in(20) => vec![2, 32, 20],
            _ => vec![draw.from(1, 4), draw.from(1, 8), draw.from(1, 8)],
        };
        let encoding =
            draw.choose(&[Encoding::Rate, Encoding::Poisson, Encoding::Latency, Encoding::Events, Encoding::Current]);
        self.network.add(Node::Input(Input { name: "x".into(), shape, encoding, span: 0..0 }), &[])
    }

    fn pool(&mut self, source: NodeIndex) -> NodeIndex {
        let [channels, height, width] = plane(&self.shape(source));
        let draw = &mut self.draw;
        let window = [draw.from(1, height.min(4)), draw.from(1, width.min(4))];
        let stride = [draw.from(1, 4), draw.from(1, 4)];
        let kind = draw.choose(&[PoolKind::Sum, PoolKind::Average, PoolKind::Maximum]);
        let out = |size: u32, axis: usize| (size - window[axis]) / stride[axis] + 1;
        let shape = vec![channels, out(height, 0), out(width, 1)];
        let block = if kind == PoolKind::Maximum { draw.from(1, channels) } else { channels };
        let pool = Pool { name: self.name(), kind, window, stride, shape, block, cut_said: true, span: 0..0 };
        self.network.add(Node::Pool(pool), &[source])
    }

    /// All nodes of the shape of `source`, which is one of them, or that flattened.
    fn addition(&mut self, source: NodeIndex, chain: &[NodeIndex]) -> NodeIndex {
        let shape = self.shape(source);
        let same: Vec<_> = chain.iter().copied().filter(|&node| self.shape(node) == shape).collect();
        if same.len() == 1 {
            return self.flatten(source);
        }
        self.network.add(Node::Add(Plain { name: self.name(), shape, span: 0..0 }), &same)
    }

    /// Some nodes side by side.
    fn concatenation(&mut self, source: NodeIndex, chain: &[NodeIndex]) -> NodeIndex {
        let other = chain[self.draw.below(chain.len() as u32) as usize];
        self.concat(&[source, other])
    }

    fn concat(&mut self, sources: &[NodeIndex]) -> NodeIndex {
        let shapes: Vec<Vec<u32>> = sources.iter().map(|&source| self.shape(source)).collect();
        let is_plane = |shape: &Vec<u32>| shape.len() == 3 && shape[1..] == shapes[0][1..];
        let shape = match shapes.iter().all(is_plane) {
            true => [&[shapes.iter().map(|shape| shape[0]).sum()], &shapes[0][1..]].concat(),
            false => vec![shapes.iter().map(|shape| shape.iter().product::<u32>()).sum()],
        };
        self.network.add(Node::Concat(Plain { name: self.name(), shape, span: 0..0 }), sources)
    }

    /// A convolution with a kernel over each of two or three nodes.
    fn joined(&mut self, source: NodeIndex, chain: &[NodeIndex]) -> NodeIndex {
        // Kernels of at most 64 that bring all to one size.
        let is_small = |shape: Vec<u32>| matches!(shape[..], [c, h, w] if h.max(w) <= 32 && c * h * w <= 2048);
        let planes: Vec<NodeIndex> = chain.iter().copied().filter(|&node| is_small(self.shape(node))).collect();
        if !planes.contains(&source) {
            return self.flatten(source);
        }
        let mut sources = vec![source];
        for _ in 0..self.draw.from(1, 2) {
            sources.push(planes[self.draw.below(planes.len() as u32) as usize]);
        }
        let planes: Vec<[u32; 3]> = sources.iter().map(|&source| plane(&self.shape(source))).collect();
        let concat = self.concat(&sources);
        let name = self.name();
        let draw = &mut self.draw;
        let (mut first, shape) = convolution(draw, planes[0]);
        let channels = shape[0];
        for &[inputs, height, width] in &planes[1..] {
            let groups = if inputs == channels && draw.one_in(2) { channels } else { 1 };
            let mut joined = Convolution { groups, joined: Vec::new(), ..first.clone() };
            for (axis, (size, outputs)) in [(height, shape[1]), (width, shape[2])].into_iter().enumerate() {
                // The largest stride with as many outputs, or a kernel that reaches over the edges.
                let stride = if outputs > 1 { ((size - 1) / (outputs - 1)).max(1) } else { 1 };
                let is_short = size < outputs;
                joined.stride[axis] = stride;
                joined.dilation[axis] = 1;
                joined.kernel[axis] = if is_short { outputs - size + 1 } else { size - (outputs - 1) * stride };
                joined.padding[axis] = if is_short { joined.kernel[axis] - 1 } else { 0 };
                joined.padding_end[axis] = joined.padding[axis];
            }
            first.joined.push(joined);
        }
        let fan_in = first.fan_in(planes.iter().map(|plane| plane[0]));
        let weights = draw.weights(&[channels, fan_in], fan_in);
        let block = draw.from(1, channels);
        let block_rows = if draw.one_in(2) { Some(draw.from(shape[1].div_ceil(3), shape[1])) } else { None };
        let neuron = draw.neuron(&shape);
        let layer = Layer {
            name,
            kind: LayerKind::Convolution(first),
            shape,
            recurrent: None,
            block,
            block_rows,
            cut_said: true,
            in_parts: false,
            stream: None,
            neuron,
            weights,
            learning: Learning::None,
            span: 0..0,
        };
        self.network.add(Node::Layer(layer), &[concat])
    }

    fn flatten(&mut self, source: NodeIndex) -> NodeIndex {
        let shape = vec![self.shape(source).iter().product()];
        self.network.add(Node::Flatten(Plain { name: self.name(), shape, span: 0..0 }), &[source])
    }

    fn delay(&mut self, source: NodeIndex) -> NodeIndex {
        let steps = self.draw.choose(&[1, 2, 3, 17]);
        let window = self.draw.choose(&[WindowShift::Moves, WindowShift::Stays]);
        let delay = Delay { name: self.name(), shape: self.shape(source), steps, window, span: 0..0 };
        self.network.add(Node::Delay(delay), &[source])
    }

    fn layer(&mut self, source: NodeIndex) -> NodeIndex {
        let name = self.name();
        let before = self.shape(source);
        let inputs = before.iter().product::<u32>();
        let draw = &mut self.draw;
        let (kind, shape, weights) = match draw.below(4) {
            0 | 1 if inputs <= 2048 => {
                let (convolution, shape) = convolution(draw, plane(&before));
                let kernels =
                    [shape[0], plane(&before)[0] / convolution.groups, convolution.kernel[0], convolution.kernel[1]];
                let weights = draw.weights(&kernels, kernels[1..].iter().product());
                (LayerKind::Convolution(convolution), shape, weights)
            }
            2 => {
                let neurons = draw.from(1, 40);
                let weights =
                    Weights { bits: draw.choose(&[8, 16, 4]), initial: Initial::Drawn { gain: 1.0, fraction: None } };
                let connections = connections(draw, inputs, neurons);
                (LayerKind::Sparse(Sparse { connections }), vec![neurons], weights)
            }
            _ => {
                let shape = if draw.one_in(3) {
                    vec![draw.from(1, 3), draw.from(1, 5), draw.from(1, 5)]
                } else {
                    vec![draw.choose(&[7, 3, 12, 40, 300])]
                };
                let weights = draw.weights(&[shape.iter().product(), inputs], inputs);
                (LayerKind::Dense, shape, weights)
            }
        };
        let neurons = shape.iter().product::<u32>();
        let recurrent = if draw.one_in(4) && neurons <= 64 { Some(draw.weights(&[neurons; 2], neurons)) } else { None };
        let is_plane = matches!(kind, LayerKind::Convolution(_));
        let block = if is_plane { draw.from(1, shape[0]) } else { draw.from(neurons.div_ceil(6), neurons) };
        let block_rows =
            if is_plane && draw.one_in(2) { Some(draw.from(shape[1].div_ceil(3), shape[1])) } else { None };
        let neuron = draw.neuron(&shape);
        let layer = Layer {
            name,
            kind,
            shape,
            recurrent,
            block,
            block_rows,
            cut_said: true,
            in_parts: false,
            stream: None,
            neuron,
            weights,
            learning: Learning::None,
            span: 0..0,
        };
        self.network.add(Node::Layer(layer), &[source])
    }
}

/// Some pairs, none of them twice.
fn connections(draw: &mut Draw, inputs: u32, neurons: u32) -> Values {
    let density = draw.choose(&[2, 8, 3, 1]);
    let mut rows = Vec::new();
    // Not in any order that would help.
    for to in (0..neurons).rev() {
        for from in (0..inputs.min(64)).map(|from| (from * 7 + to) % inputs) {
            let is_first = !rows.iter().any(|row: &[f64; 3]| row[..2] == [f64::from(from), f64::from(to)]);
            if draw.one_in(density) && is_first {
                rows.push([from.into(), to.into(), draw.decimal(-0.5, 1.0)]);
            }
        }
    }
    if rows.is_empty() {
        rows.push([0.0, 0.0, 1.0]);
    }
    Values::Array(Arc::new(Array { shape: vec![rows.len(), 3], values: rows.concat() }))
}

fn convolution(draw: &mut Draw, [inputs, height, width]: [u32; 3]) -> (Convolution, Vec<u32>) {
    let groups = if draw.one_in(3) { inputs.min(8) } else { 1 };
    let groups = if inputs.is_multiple_of(groups) { groups } else { 1 };
    let channels = groups * draw.from(1, 4);
    let dilation = [draw.choose(&[1, 1, 2, 3]), draw.choose(&[1, 1, 2, 3])];
    let stride = [draw.choose(&[1, 1, 2, 3]), draw.choose(&[1, 1, 2, 5])];
    let (mut kernel, mut padding, mut padding_end) = ([1; 2], [0; 2], [0; 2]);
    let mut shape = vec![channels];
    for (axis, size) in [height, width].into_iter().enumerate() {
        kernel[axis] = draw.from(1, ((size - 1) / dilation[axis] + 1).min(4));
        let reach = (kernel[axis] - 1) * dilation[axis] + 1;
        padding[axis] = draw.below(reach);
        padding_end[axis] = draw.below(reach);
        shape.push((size + padding[axis] + padding_end[axis] - reach) / stride[axis] + 1);
    }
    (Convolution { channels, kernel, stride, padding, padding_end, dilation, groups, joined: Vec::new() }, shape)
}
