//! Random networks of everything the graph can hold, each as its promises want it.

use onward_net::{
    Array, Convolution, Decay, Delay, Encoding, FileArray, Fires, Gate, Initial, Input, Layer, LayerKind, Learning,
    Loss, Lowering, Network, Neuron, Node, NodeIndex, Optimizer, Plain, Pool, PoolKind, RateSchedule, Readout,
    ReadoutKind, ReadoutLoss, Reset, Rounding, Rule, Sparse, Target, TargetKind, TargetPath, TargetTree,
    TrainedReadout, Update, Values, Weights, When, WindowShift,
};
use std::sync::Arc;

/// Numbers that decide everything, over and over.
pub struct Draw<'a> {
    numbers: &'a [u32],
    position: usize,
}

impl<'a> Draw<'a> {
    pub fn new(numbers: &'a [u32]) -> Self {
        assert!(!numbers.is_empty());
        Draw { numbers, position: 0 }
    }

    /// From 0, below `count`.
    fn below(&mut self, count: u32) -> u32 {
        self.position += 1;
        // The position keeps a short cycle of numbers from deciding the same for ever.
        self.numbers[self.position % self.numbers.len()].wrapping_add(self.position as u32 / 97) % count
    }

    fn from(&mut self, least: u32, greatest: u32) -> u32 {
        least + self.below(greatest - least + 1)
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// A decimal with few and with many digits.
    fn decimal(&mut self, least: f64, greatest: f64) -> f64 {
        let part = f64::from(self.below(1 << 30)) / f64::from(if self.coin() { 1 << 30 } else { 3_u32 << 29 });
        (least + part * (greatest - least)).clamp(least, greatest)
    }

    fn values(&mut self, shape: &[u32], least: f64, greatest: f64) -> Values {
        let count: u64 = shape.iter().map(|&size| u64::from(size)).product();
        match self.below(6) {
            0 => self.file(),
            1 if count <= 64 => {
                let values = (0..count).map(|_| self.decimal(least, greatest)).collect();
                Values::Array(Arc::new(Array { shape: shape.iter().map(|&size| size as usize).collect(), values }))
            }
            _ => Values::Constant(self.decimal(least, greatest)),
        }
    }

    fn file(&mut self) -> Values {
        let is_archive = self.coin();
        let path = ["weights", "a folder/w", "\"quoted\"", "../w\\x"][self.below(4) as usize];
        let path = format!("{path}.{}", if is_archive { "npz" } else { "npy" });
        Values::File(FileArray { path, member: is_archive.then(|| "conv1.weight".to_string()), span: 0..0 })
    }

    fn decay(&mut self, shape: &[u32]) -> Decay {
        match self.below(4) {
            0 => Decay::None,
            1 => Decay::Shift(self.from(1, 15)),
            2 => Decay::Spread(self.decimal(0.0, 0.9999), self.decimal(0.0, 0.9999)),
            _ => Decay::Factor(self.values(shape, 0.0, 1.0)),
        }
    }

    fn reset(&mut self, shape: &[u32]) -> Reset {
        match self.below(4) {
            0 => Reset::None,
            1 => Reset::To(self.values(shape, -1000.0, 1000.0)),
            _ => Reset::Subtract(Lowering {
                amount: self.coin().then(|| self.values(shape, -1000.0, 1000.0)),
                is_late: self.coin(),
            }),
        }
    }

    /// Draws neurons of the first three kinds; every kind is read and written in the tests of words.
    fn neuron(&mut self, shape: &[u32]) -> Neuron {
        let has_current = self.coin();
        Neuron {
            threshold: self.values(shape, -1000.0, 1000.0),
            fires: if self.coin() { Fires::At } else { Fires::Above },
            reset: self.reset(shape),
            leak: self.decay(shape),
            current: has_current.then(|| self.decay(shape)),
            current_start: if has_current { self.values(shape, -1000.0, 1000.0) } else { Values::Constant(0.0) },
            refractory: self.from(0, 255),
            bias: self.values(shape, -1000.0, 1000.0),
            ..Neuron::default()
        }
    }

    fn weights(&mut self, shape: &[u32]) -> Weights {
        let bits = [4, 8, 16][self.below(3) as usize];
        let initial = if self.coin() {
            let fraction = self.coin().then(|| self.from(0, 15));
            Initial::Drawn { gain: self.decimal(0.001, 1000.0), fraction }
        } else {
            Initial::Given(self.values(shape, -1e6, 1e6))
        };
        Weights { bits, initial }
    }

    fn learning(&mut self) -> Learning {
        if self.coin() {
            return Learning::None;
        }
        Learning::Rule(Rule {
            loss: match self.below(4) {
                0 => Loss::Hinge { margin: self.decimal(0.0, 100.0) },
                1 => Loss::Softmax { temperature: self.decimal(0.001, 100.0) },
                2 => Loss::SquaredError { margin: self.decimal(0.0, 100.0) },
                _ => Loss::Hebbian,
            },
            rate: self.from(0, 20),
            schedule: if self.coin() {
                RateSchedule::Anneal(self.from(0, 16))
            } else {
                let mut epochs: Vec<u32> = (0..self.from(1, 16)).map(|_| self.from(1, 100_000)).collect();
                epochs.sort_unstable();
                RateSchedule::Shifts(epochs)
            },
            gate: [Gate::Surrogate, Gate::Voltage, Gate::None][self.below(3) as usize],
            optimizer: match self.below(3) {
                0 => Optimizer::Plain,
                1 => Optimizer::Momentum { decay: self.from(1, 8) },
                _ => Optimizer::Adaptive { decay: self.from(1, 15) },
            },
            weight_decay: self.coin().then(|| self.from(1, 24)),
            when: if self.coin() {
                When::Window
            } else {
                When::Steps { every: 1 << self.below(9), memory: self.from(1, 6) }
            },
            revive: self.coin(),
            update: [Update::AtOnce, Update::Spread][self.below(2) as usize],
            rounding: [Rounding::Stochastic, Rounding::Carried][self.below(2) as usize],
            batch: self.from(1, 32),
            target: if self.coin() { TargetPath::Stack } else { TargetPath::Direct { grid: self.from(1, 8) } },
        })
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
    has_target: bool,
}

/// The network that `numbers` decide on.
pub fn network(numbers: &[u32]) -> Network {
    let mut draw = Draw::new(numbers);
    let data = draw.coin().then(|| ["digits", "a \"b\" \\ c", ""][draw.below(3) as usize].to_string());
    let network = Network {
        name: "random".into(),
        data,
        epochs: draw.from(1, 100_000),
        window_steps: 1 << draw.below(9),
        augment: Vec::new(),
        graph: Default::default(),
    };
    let has_target = draw.coin();
    let mut builder = Builder { draw, network, has_target };
    builder.build();
    builder.network
}

impl Builder<'_> {
    fn build(&mut self) {
        let input = self.input();
        let mut chain = vec![input];
        let mut sources = vec![input];
        if self.has_target {
            let target =
                Target { name: "label".into(), kind: TargetKind::Classes, size: self.draw.from(2, 1024), span: 0..0 };
            let target = self.network.add(Node::Target(target), &[]);
            sources.insert(self.draw.below(2) as usize, target);
        }
        // The first layer has the target beside the input; what comes behind it, only what is before it.
        if self.has_target {
            chain.push(self.layer(&sources, input));
        }
        for _ in 0..self.draw.below(8) {
            let last = *chain.last().expect("the chain begins with the input");
            chain.push(match self.draw.below(8) {
                0 => self.pool(last),
                1 => self.plain(last, &chain),
                2 => {
                    let shape = self.network.graph[last].shape().to_vec();
                    let window = if self.draw.coin() { WindowShift::Moves } else { WindowShift::Stays };
                    let delay = Delay { name: self.name(), shape, steps: self.draw.from(1, 256), window, span: 0..0 };
                    self.network.add(Node::Delay(delay), &[last])
                }
                _ => self.layer(&[last], last),
            });
        }
        let last = *chain.last().expect("the chain begins with the input");
        let last = self.layer(&[last], last);
        let loss = match self.draw.below(2) {
            0 => ReadoutLoss::SquaredError,
            _ => ReadoutLoss::Hinge { margin: self.draw.decimal(0.0, 100.0) },
        };
        let (rate, anneal) = (self.draw.from(0, 20), self.draw.from(0, 16));
        let bits = [4, 8, 16][self.draw.below(3) as usize];
        let (margin, parts) = (self.draw.decimal(0.0, 100.0), self.draw.from(1, 16));
        let kinds = [
            ReadoutKind::MostSpikes,
            ReadoutKind::Spikes,
            ReadoutKind::NearestTarget,
            ReadoutKind::Trained(TrainedReadout { loss, rate, anneal, bits }),
            ReadoutKind::TargetTree(TargetTree { rate, margin, anneal, parts }),
        ];
        let kind = kinds[self.draw.below(if self.has_target { 5 } else { 2 }) as usize];
        self.network.add(Node::Readout(Readout { name: "_".into(), kind, span: 0..0 }), &[last]);
        let learns = |index| self.network.layer(index).learning != Learning::None;
        if !self.network.layers().any(learns) && !kind.learns() {
            self.network.window_steps = self.draw.from(1, 65_536);
        }
    }

    fn name(&self) -> String {
        format!("node{}", self.network.graph.node_count())
    }

    fn input(&mut self) -> NodeIndex {
        let mut shape: Vec<u32> = (0..self.draw.from(1, 3)).map(|_| self.draw.from(1, 9)).collect();
        let encodings = [Encoding::Rate, Encoding::Poisson, Encoding::Latency, Encoding::Current, Encoding::Events];
        let encoding = match self.draw.below(7) {
            6 => {
                shape[0] *= 3;
                Encoding::Sequence(self.draw.decimal(0.001, 1.0))
            }
            5 => {
                shape[0] *= 2;
                Encoding::Delta(self.draw.decimal(0.001, 1.0))
            }
            other => encodings[other as usize],
        };
        self.network.add(Node::Input(Input { name: "in_put".into(), shape, encoding, span: 0..0 }), &[])
    }

    fn pool(&mut self, source: NodeIndex) -> NodeIndex {
        let [channels, height, width] = plane(self.network.graph[source].shape());
        let draw = &mut self.draw;
        let window = [draw.from(1, height.min(64)), draw.from(1, width.min(64))];
        let stride = [draw.from(1, 64), draw.from(1, 4)];
        let kind = [PoolKind::Sum, PoolKind::Average, PoolKind::Maximum][draw.below(3) as usize];
        let out = |size: u32, axis: usize| (size - window[axis]) / stride[axis] + 1;
        let shape = vec![channels, out(height, 0), out(width, 1)];
        let block = if kind == PoolKind::Maximum { draw.from(1, channels) } else { channels };
        self.network.add(
            Node::Pool(Pool {
                name: self.name(),
                kind,
                window,
                stride,
                shape,
                block,
                cut_said: kind == PoolKind::Maximum,
                span: 0..0,
            }),
            &[source],
        )
    }

    /// A flattening, or an addition of all nodes of the same shape.
    fn plain(&mut self, source: NodeIndex, chain: &[NodeIndex]) -> NodeIndex {
        let shape = self.network.graph[source].shape().to_vec();
        let same: Vec<_> = chain.iter().copied().filter(|&node| self.network.graph[node].shape() == shape).collect();
        if same.len() > 1 {
            return self.network.add(Node::Add(Plain { name: self.name(), shape, span: 0..0 }), &same);
        }
        if self.draw.coin() {
            // Twice the same, as planes or not.
            let shape = match shape[..] {
                [channels, height, width] => vec![2 * channels, height, width],
                _ => vec![2 * shape.iter().product::<u32>()],
            };
            return self.network.add(Node::Concat(Plain { name: self.name(), shape, span: 0..0 }), &[source; 2]);
        }
        let shape = vec![shape.iter().product()];
        self.network.add(Node::Flatten(Plain { name: self.name(), shape, span: 0..0 }), &[source])
    }

    fn layer(&mut self, sources: &[NodeIndex], signal: NodeIndex) -> NodeIndex {
        let source = self.network.graph[signal].shape().to_vec();
        let inputs: u32 = source.iter().product();
        let name = self.name();
        let draw = &mut self.draw;
        let (kind, shape, weights, block_rows) = match draw.below(4) {
            0 if inputs <= 4096 => {
                let (convolution, shape) = convolution(draw, plane(&source));
                let kernels =
                    [shape[0], plane(&source)[0] / convolution.groups, convolution.kernel[0], convolution.kernel[1]];
                let rows = draw.coin().then(|| draw.from(1, shape[1]));
                (LayerKind::Convolution(convolution), shape, draw.weights(&kernels), rows)
            }
            1 => {
                let shape = neurons(draw);
                let count: u32 = shape.iter().product();
                let weights =
                    Weights { bits: 8, initial: Initial::Drawn { gain: draw.decimal(0.001, 1000.0), fraction: None } };
                (LayerKind::Sparse(Sparse { connections: connections(draw, inputs, count) }), shape, weights, None)
            }
            _ => {
                let shape = neurons(draw);
                let weights = draw.weights(&[shape.iter().product(), inputs]);
                (LayerKind::Dense, shape, weights, None)
            }
        };
        let count: u32 = shape.iter().product();
        let recurrent = (draw.below(3) == 0).then(|| draw.weights(&[count, count]));
        let block = draw.from(1, if matches!(kind, LayerKind::Convolution(_)) { shape[0] } else { count });
        let learning = if self.has_target && block_rows.is_none() { draw.learning() } else { Learning::None };
        let neuron = draw.neuron(&shape);
        let cut_said = true;
        let layer = Layer {
            name,
            kind,
            shape,
            recurrent,
            block,
            block_rows,
            cut_said,
            in_parts: false,
            stream: None,
            neuron,
            weights,
            learning,
            span: 0..0,
        };
        self.network.add(Node::Layer(layer), sources)
    }
}

fn neurons(draw: &mut Draw) -> Vec<u32> {
    match draw.below(4) {
        0 => vec![draw.from(1, 1 << 20)],
        1 => vec![draw.from(1, 4), draw.from(1, 9), draw.from(1, 9)],
        _ => vec![draw.from(1, 12)],
    }
}

fn connections(draw: &mut Draw, inputs: u32, neurons: u32) -> Values {
    if draw.coin() {
        return draw.file();
    }
    // One a neuron, so that no pair comes twice.
    let rows: Vec<[f64; 3]> =
        (0..neurons.min(10)).map(|to| [draw.below(inputs).into(), to.into(), draw.decimal(-1e6, 1e6)]).collect();
    Values::Array(Arc::new(Array { shape: vec![rows.len(), 3], values: rows.concat() }))
}

fn convolution(draw: &mut Draw, [inputs, height, width]: [u32; 3]) -> (Convolution, Vec<u32>) {
    let groups = *[1, inputs].get(draw.below(2) as usize).expect("there are two");
    let channels = groups * draw.from(1, 4);
    let dilation = [draw.from(1, 3), draw.from(1, 3)];
    let stride = [draw.from(1, 3), draw.from(1, 64)];
    let mut kernel = [1; 2];
    let (mut padding, mut padding_end) = ([0; 2], [0; 2]);
    let mut shape = vec![channels];
    for (axis, size) in [height, width].into_iter().enumerate() {
        kernel[axis] = draw.from(1, (size - 1) / dilation[axis] + 1).min(64);
        let reach = (kernel[axis] - 1) * dilation[axis] + 1;
        padding[axis] = draw.below(reach.min(64));
        padding_end[axis] = draw.below(reach.min(64));
        shape.push((size + padding[axis] + padding_end[axis] - reach) / stride[axis] + 1);
    }
    (Convolution { channels, kernel, stride, padding, padding_end, dilation, groups, joined: Vec::new() }, shape)
}
