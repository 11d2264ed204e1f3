//! Networks made by hand, and whether the chip does what the model does.

use super::frozen::frozen;
use onward_chip::Chip;
use onward_compile::{Options, compile_network};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, reference};
use onward_image::{HostInputKind, Image, Tag};
use onward_net::*;
use onward_quantize::LayerParameters;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::BTreeMap;
use std::sync::Arc;
use testbench::model::{Model, Window, value};

/// A generator of numbers, the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        onward_isa::random::block_seed(self.0, 7)
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub fn array(shape: &[usize], random: &mut Random, low: f64, high: f64) -> Values {
    let count = shape.iter().product();
    let values = (0..count).map(|_| low + (high - low) * random.unit()).collect();
    Values::Array(Arc::new(Array { shape: shape.to_vec(), values }))
}

pub struct Net {
    pub network: Network,
    pub input: NodeIndex,
    pub random: Random,
    pub chip: Chip,
}

pub struct Conv(pub Convolution);

/// A convolution without padding.
pub fn conv(channels: u32, kernel: [u32; 2]) -> Conv {
    Conv(Convolution {
        channels,
        kernel,
        stride: [1, 1],
        padding: [0, 0],
        padding_end: [0, 0],
        dilation: [1, 1],
        groups: 1,
        joined: Vec::new(),
    })
}

impl Conv {
    pub fn padded(mut self, by: u32) -> Conv {
        (self.0.padding, self.0.padding_end) = ([by; 2], [by; 2]);
        self
    }

    pub fn strides(mut self, stride: [u32; 2]) -> Conv {
        self.0.stride = stride;
        self
    }

    pub fn dilated(mut self, dilation: [u32; 2]) -> Conv {
        self.0.dilation = dilation;
        self
    }

    pub fn groups(mut self, groups: u32) -> Conv {
        self.0.groups = groups;
        self
    }
}

impl Net {
    pub fn new(shape: &[u32], encoding: Encoding, window: u32) -> Net {
        let mut network = Network {
            name: "net".into(),
            data: None,
            epochs: 1,
            window_steps: window,
            augment: Vec::new(),
            graph: DiGraph::new(),
        };
        let input = Input { name: "x".into(), shape: shape.to_vec(), encoding, span: 0..0 };
        let input = network.add(Node::Input(input), &[]);
        let mut chip = Chip::builtin("middle").expect("a chip");
        chip.memory.neuron_bytes = 1 << 18;
        chip.memory.axon_bytes = 1 << 18;
        chip.memory.synapse_bytes = 1 << 20;
        Net { network, input, random: Random(1), chip }
    }

    fn shape(&self, node: NodeIndex) -> Vec<u32> {
        self.network.graph[node].shape().to_vec()
    }

    fn plane(&self, node: NodeIndex) -> [u32; 3] {
        match self.shape(node)[..] {
            [c, h, w] => [c, h, w],
            [h, w] => [1, h, w],
            [w] => [1, 1, w],
            _ => unreachable!(),
        }
    }

    fn layer(&self, name: &str, kind: LayerKind, shape: Vec<u32>, values: Values) -> Layer {
        Layer {
            name: name.into(),
            kind,
            block: shape[0],
            shape,
            recurrent: None,
            block_rows: None,
            cut_said: true,
            in_parts: false,
            stream: None,
            neuron: Neuron::default(),
            weights: Weights { bits: 8, initial: Initial::Given(values) },
            learning: Learning::None,
            span: 0..0,
        }
    }

    pub fn conv(&mut self, name: &str, from: NodeIndex, conv: Conv, change: impl FnOnce(&mut Layer)) -> NodeIndex {
        let [channels, height, width] = self.plane(from);
        let conv = conv.0;
        let size = |n: u32, axis: usize| {
            (n + conv.padding[axis] + conv.padding_end[axis] - conv.dilation[axis] * (conv.kernel[axis] - 1) - 1)
                / conv.stride[axis]
                + 1
        };
        let shape = vec![conv.channels, size(height, 0), size(width, 1)];
        let inputs = channels / conv.groups;
        let extents = [conv.channels, inputs, conv.kernel[0], conv.kernel[1]].map(|extent| extent as usize);
        let spread = 2.0 / f64::from(inputs * conv.kernel[0] * conv.kernel[1]).sqrt();
        let values = array(&extents, &mut self.random, -0.6 * spread, spread);
        let mut layer = self.layer(name, LayerKind::Convolution(conv), shape, values);
        change(&mut layer);
        self.network.add(Node::Layer(layer), &[from])
    }

    pub fn dense(&mut self, name: &str, from: NodeIndex, neurons: u32, change: impl FnOnce(&mut Layer)) -> NodeIndex {
        let inputs: u32 = self.shape(from).iter().product();
        let spread = 2.0 / f64::from(inputs).sqrt();
        let values = array(&[neurons as usize, inputs as usize], &mut self.random, -0.6 * spread, spread);
        let mut layer = self.layer(name, LayerKind::Dense, vec![neurons], values);
        change(&mut layer);
        self.network.add(Node::Layer(layer), &[from])
    }

    pub fn own_weights(&mut self, neurons: u32, bits: u32) -> Weights {
        let spread = 2.0 / f64::from(neurons).sqrt();
        let values = array(&[neurons as usize; 2], &mut self.random, -spread, spread);
        Weights { bits, initial: Initial::Given(values) }
    }

    /// Connections with about this density.
    pub fn sparse(
        &mut self,
        name: &str,
        from: NodeIndex,
        neurons: u32,
        density: f64,
        change: impl FnOnce(&mut Layer),
    ) -> NodeIndex {
        let inputs: u32 = self.shape(from).iter().product();
        let mut rows = Vec::new();
        for from in 0..inputs {
            for to in 0..neurons {
                if self.random.unit() < density {
                    rows.extend([f64::from(from), f64::from(to), self.random.unit() - 0.3]);
                }
            }
        }
        let connections = Values::Array(Arc::new(Array { shape: vec![rows.len() / 3, 3], values: rows }));
        let kind = LayerKind::Sparse(Sparse { connections });
        let mut layer = self.layer(name, kind, vec![neurons], Values::Constant(0.0));
        change(&mut layer);
        self.network.add(Node::Layer(layer), &[from])
    }

    pub fn pool(&mut self, name: &str, from: NodeIndex, kind: PoolKind, window: u32, stride: u32) -> NodeIndex {
        let [channels, height, width] = self.plane(from);
        let size = |n: u32| (n - window) / stride + 1;
        let shape = vec![channels, size(height), size(width)];
        let pool = Pool {
            name: name.into(),
            kind,
            window: [window; 2],
            stride: [stride; 2],
            shape,
            block: channels.div_ceil(2),
            cut_said: true,
            span: 0..0,
        };
        self.network.add(Node::Pool(pool), &[from])
    }

    pub fn flatten(&mut self, name: &str, from: NodeIndex) -> NodeIndex {
        let shape = vec![self.shape(from).iter().product()];
        self.network.add(Node::Flatten(Plain { name: name.into(), shape, span: 0..0 }), &[from])
    }

    pub fn add(&mut self, name: &str, from: &[NodeIndex]) -> NodeIndex {
        let shape = self.shape(from[0]);
        self.network.add(Node::Add(Plain { name: name.into(), shape, span: 0..0 }), from)
    }

    pub fn delay(&mut self, name: &str, from: NodeIndex, steps: u32) -> NodeIndex {
        let shape = self.shape(from);
        self.network.add(
            Node::Delay(Delay { name: name.into(), shape, steps, window: WindowShift::Moves, span: 0..0 }),
            &[from],
        )
    }

    pub fn compile(&mut self, last: NodeIndex, kind: ReadoutKind) -> (Image, BTreeMap<String, LayerParameters>) {
        self.network.add(Node::Readout(Readout { name: "y".into(), kind, span: 0..0 }), &[last]);
        let options = Options::new(self.chip.clone(), 1);
        let source = Source::new("net", "");
        let mut parameters = BTreeMap::new();
        let names: Vec<String> = self.network.layers().map(|layer| self.network.layer(layer).name.clone()).collect();
        let image = compile_network(self.network.clone(), &source, &options, |_, compilation| {
            for name in &names {
                if let Some(of) = compilation.parameters(name) {
                    parameters.insert(name.clone(), of.clone());
                }
            }
        });
        (image.unwrap_or_else(|errors| panic!("{}", source.render(&errors))), parameters)
    }

    /// Random windows, shown to the chip and to the model; the spikes of `last` must be the same.
    pub fn agrees(mut self, last: NodeIndex, rate: f64) {
        let name = self.network.layer(last).name.clone();
        let (image, parameters) = self.compile(last, ReadoutKind::Spikes);
        let (size, steps) = (self.network.input().size() as usize, self.network.window_steps as usize);
        let graded = self.network.input().encoding == Encoding::Current;
        let windows: Vec<Vec<Vec<i64>>> = (0..3)
            .map(|_| {
                let mut value = || {
                    if self.random.unit() < rate {
                        if graded { (self.random.next() % 255) as i64 + 1 } else { 1 }
                    } else {
                        0
                    }
                };
                (0..steps).map(|_| (0..size).map(|_| value()).collect()).collect()
            })
            .collect();
        let lag = u64::from(self.network.lag(last));
        let options = onward_emulate::Options { seed: 1, timing: true, threads: 1 };
        let mut fast = Machine::new(&image, options).expect("an image");
        let mut found = run(&image, &mut fast, &windows, lag);
        let saturated: u64 = fast.counters().blocks.iter().map(|block| block.saturated).sum();
        assert_eq!(saturated, 0, "bounds are kept");
        let mut fired = 0;
        let mut model = frozen(&self.network, &parameters);
        for (at, window) in windows.iter().enumerate() {
            for (step, expected) in spikes(&mut model, &name, window).into_iter().enumerate() {
                fired += expected.len();
                let mut found = found.remove(&(at, step)).unwrap_or_default();
                found.sort_unstable();
                assert_eq!(found, expected, "window {at}, step {step}");
            }
        }
        assert!(found.is_empty(), "spikes out of their windows: {found:?}");
        assert!(fired > 10, "only {fired} spikes: the test shows little");
        let mut slow = reference::Machine::new(&image, options).expect("an image");
        run(&image, &mut slow, &windows[..1], lag);
        let mut again = Machine::new(&image, options).expect("an image");
        run(&image, &mut again, &windows[..1], lag);
        assert_eq!(slow.counters(), again.counters());
    }
}

/// The neurons of a layer that spike in each step of a window in the model; `window[step][place]`.
pub fn spikes(model: &mut Model<i64>, layer: &str, window: &[Vec<i64>]) -> Vec<Vec<u32>> {
    let sent = |step: &Vec<i64>| {
        let places = step.iter().enumerate().filter(|(_, sent)| **sent != 0);
        places.map(|(place, &sent)| value(place, sent)).collect()
    };
    model.show(Window::Input { learn: None, continues: false }, &window.iter().map(sent).collect::<Vec<_>>());
    model.spikes(layer).iter().map(|places| places.iter().map(|&place| place as u32).collect()).collect()
}

/// Spikes by window and step.
fn run(
    image: &Image,
    engine: &mut dyn Engine,
    windows: &[Vec<Vec<i64>>],
    lag: u64,
) -> BTreeMap<(usize, usize), Vec<u32>> {
    let find = |kinds: &[HostInputKind]| image.host_inputs.iter().position(|input| kinds.contains(&input.kind));
    let tag = find(&[HostInputKind::Tag]).expect("tags");
    let input = find(&[HostInputKind::Input, HostInputKind::Values]).expect("an input");
    let steps = windows[0].len();
    let mut outputs = Vec::new();
    for window in windows {
        outputs.extend(
            engine
                .run_fed(steps, &mut |feed| {
                    feed.send(tag, 0, 0, Tag::default().payload());
                    for (step, values) in window.iter().enumerate() {
                        for (index, &value) in (0..).zip(values).filter(|(_, value)| **value != 0) {
                            feed.send(input, step, index, value as i32);
                        }
                    }
                })
                .expect("no fault"),
        );
    }
    outputs.extend(engine.run_fed(steps + lag as usize + 2, &mut |_| {}).expect("no fault"));
    assert!(!engine.is_busy(), "comes to rest");
    let mut found: BTreeMap<(usize, usize), Vec<u32>> = BTreeMap::new();
    for output in outputs {
        let block = &image.blocks[output.sender.expect("a block")];
        let step = (output.step - lag) as usize;
        found.entry((step / steps, step % steps)).or_default().push(block.neuron(output.index));
    }
    found
}
