//! The network graph.

use crate::augment::Augmentation;
use crate::input::Input;
use crate::neuron::Neuron;
use crate::readout::{Readout, ReadoutKind};
use crate::rule::Learning;
use crate::target::{Target, TargetKind};
use crate::values::Values;
use crate::weights::Weights;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::ops::Range;

/// A network: what it is to learn from, and its nodes and the edges that spikes take between them.
///
/// What [`Network::parse`] returns keeps these promises, and so must whoever builds one by hand:
///
/// - the names of nodes are distinct identifiers, and every number is in the range its field gives;
/// - there is exactly one input and one readout, at most one target, and at least one layer;
/// - edges point forward: a node's index is greater than those of its sources ([`Network::add`] sees to it);
/// - a layer has one source that is no target; if that is the input, the target may be a second source;
/// - pools, flattenings and delays have one source, an addition two or more of one shape, a concatenation two or more, of which
///   a node may be several; none of them is a target;
/// - a convolution with kernels for several sources ([`Convolution::joined`]) has a concatenation of as many as its source, and
///   does not learn;
/// - the readout has one source, a layer, and one that is trained with values a second, the target; every other node leads
///   to it;
/// - if a layer learns, there is a target and it feeds at least one layer.
#[derive(Clone, Debug)]
pub struct Network {
    /// Name of the network, an identifier.
    pub name: String,
    /// Place of the data unless the command line says otherwise: a built-in name or a path.
    pub data: Option<String>,
    /// Number of times that the training data is shown, 1 to 100,000.
    pub epochs: u32,
    /// Number of time steps that one input, or one target, is shown: 1 to 65,536; a power of two up to 256 where a
    /// layer learns.
    pub window_steps: u32,
    /// What is done to pictures before they are learned from, in this order.
    pub augment: Vec<Augmentation>,
    /// The nodes, in the order of their declaration, and the edges between them.
    pub graph: DiGraph<Node, Edge>,
}

/// Part of a network.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a network has few nodes, and most are layers")]
pub enum Node {
    /// Samples enter here.
    Input(Input),
    /// Labels enter here.
    Target(Target),
    /// Neurons, with the weights into them.
    Layer(Layer),
    /// Neighbouring spikes of a channel become one.
    Pool(Pool),
    /// The source's spikes are taken in one dimension; this costs nothing.
    Flatten(Plain),
    /// The spikes of several sources of one shape are taken as if they came from one; this costs nothing.
    Add(Plain),
    /// The spikes of several sources are taken side by side, those of the first source first; this costs nothing. Planes of one
    /// height and width become a plane with the channels of all, anything else has one dimension.
    Concat(Plain),
    /// The source's spikes come later.
    Delay(Delay),
    /// Predictions leave here.
    Readout(Readout),
}

/// Path of all spikes of one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Place among the sources of the node it leads to, from 0; axons are numbered in this order.
    pub position: u32,
}

/// Neurons and the weights into them.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Name of the layer, an identifier that is distinct in the network.
    pub name: String,
    /// Kind of connection to the source.
    pub kind: LayerKind,
    /// Shape of its neurons, outermost first: one size, or channels, height and width. Their product is 1 to 2^20.
    pub shape: Vec<u32>,
    /// Weights of every neuron's spikes to every neuron of the layer, a step later: `[from][to]`, if it is recurrent.
    pub recurrent: Option<Weights>,
    /// Size of what lives on one core and shares a loss: neurons, of a convolution output channels; 1 to all. The last
    /// block may be smaller.
    pub block: u32,
    /// Number of output rows of a convolution that live on one core, 1 to all; all of them where it learns.
    pub block_rows: Option<u32>,
    /// Whether the text says how the layer is cut into blocks. Where it does not, `block` is what a layer that learns is cut
    /// into, and a compiler may cut one that does not learn in any way: no answer changes with it.
    pub cut_said: bool,
    /// Whether more comes in than a core has axons for, so that further blocks add it up in parts, a step earlier. A compiler
    /// says so, for a chip; a text cannot.
    pub in_parts: bool,
    /// What its weights are drawn from, if that is not its place in the graph: where delays lie before it that another chip does
    /// not need, as the compiler finds.
    pub stream: Option<u32>,
    /// Neurons of the layer.
    pub neuron: Neuron,
    /// Weights from the source.
    pub weights: Weights,
    /// Learning of the weights from the source.
    pub learning: Learning,
    /// Bytes of the source that declare the layer.
    pub span: Range<usize>,
}

/// Kind of connection of a layer to its source.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerKind {
    /// Every neuron has a weight for every axon. Weights are `[neuron][axon]`, as frameworks have them.
    Dense,
    /// Kernels are shared over the plane.
    Convolution(Convolution),
    /// Only some pairs have a weight.
    Sparse(Sparse),
}

/// A convolution in one or two dimensions; in one the height is 1. Weights are `[channel][channel of the
/// group][ky][kx]`, as frameworks have them, and in numbers of output channels, input channels, rows and columns:
///
/// ```text
/// out[o][y][x] = sum over i, ky, kx of w[o][i][ky][kx]
///                * in[group(o) + i][y * stride + ky * dilation - padding][x * stride + kx * dilation - padding]
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Number of output channels, 1 to 65,536, a multiple of `groups`.
    pub channels: u32,
    /// Height and width of the kernel, each 1 to 64.
    pub kernel: [u32; 2],
    /// Places from one kernel to the next, along y and x, each 1 to 64.
    pub stride: [u32; 2],
    /// Rows and columns of zeros before the first row and column: 0 to 63 and less than the kernel reaches.
    pub padding: [u32; 2],
    /// Rows and columns of zeros behind the last row and column, with the same range.
    pub padding_end: [u32; 2],
    /// Distance of a kernel's taps along y and x, 1 to 64.
    pub dilation: [u32; 2],
    /// Number of groups of input and output channels that know nothing of each other.
    pub groups: u32,
    /// Kernels over further sources, whose sums are added: if there are any, the layer's source is a concatenation, this kernel
    /// goes over its first source and these over the others, in their order. They make as many channels, rows and columns, and
    /// have none joined themselves. Weights of an output channel are then those of the first kernel, `[channel of the
    /// group][ky][kx]`, then those of the second, and so on.
    pub joined: Vec<Convolution>,
}

impl Convolution {
    /// The kernels over all sources, in their order.
    pub fn kernels(&self) -> impl Iterator<Item = &Convolution> {
        std::iter::once(self).chain(&self.joined)
    }

    /// Groups of output channels that know nothing of each other, whichever source they hear.
    pub fn common_groups(&self) -> u32 {
        let gcd = |mut a: u32, mut b: u32| {
            while b != 0 {
                (a, b) = (b, a % b);
            }
            a
        };
        self.joined.iter().fold(self.groups, |groups, kernel| gcd(groups, kernel.groups))
    }

    /// Weights of a neuron over sources of so many channels, one a kernel.
    pub fn fan_in(&self, channels: impl IntoIterator<Item = u32>) -> u32 {
        let of =
            |(kernel, channels): (&Convolution, u32)| channels / kernel.groups * kernel.kernel[0] * kernel.kernel[1];
        self.kernels().zip(channels).map(of).sum()
    }
}

/// Weights of some pairs: a file with a row for each, `from`, `to` and weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparse {
    /// Table of connections, `[connection][3]`.
    pub connections: Values,
}

/// Neighbouring spikes of a channel become one; windows that would reach beyond the edge are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Name of the pool, an identifier that is distinct in the network.
    pub name: String,
    /// Kind of pooling.
    pub kind: PoolKind,
    /// Height and width of a window, 1 to 64.
    pub window: [u32; 2],
    /// Places from one window to the next, along y and x, each 1 to 64.
    pub stride: [u32; 2],
    /// Shape of what comes out: channels, height, width.
    pub shape: Vec<u32>,
    /// Number of output channels that live on one core, for a maximum; unused for other kinds.
    pub block: u32,
    /// Whether the text says so; where it does not, a compiler may take another number.
    pub cut_said: bool,
    /// Bytes of the source that declare the pool.
    pub span: Range<usize>,
}

/// Kind of pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// Every spike of a window counts. The pool is part of the weights behind it and costs nothing.
    Sum,
    /// Every spike counts, divided by the size of the window; this too costs nothing.
    Average,
    /// There is a spike where a window has any, a step later, from blocks of the pool's own.
    Maximum,
}

/// Node that has nothing but its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Plain {
    /// Name of the node, an identifier that is distinct in the network.
    pub name: String,
    /// Shape of what comes out.
    pub shape: Vec<u32>,
    /// Bytes of the source that declare the node.
    pub span: Range<usize>,
}

/// What a delay does to the window that spikes are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowShift {
    /// It moves along: all behind is later, and spikes have the place in it that they had. The first step of a delay is that
    /// of its block itself.
    Moves,
    /// It stays where it is, but for the step that the block takes: spikes are so many steps later in it, and those that would
    /// be behind its end are lost.
    Stays,
}

/// Delay of a source's spikes.
#[derive(Clone, Debug, PartialEq)]
pub struct Delay {
    /// Name of the delay, an identifier that is distinct in the network.
    pub name: String,
    /// Shape of what comes in and out.
    pub shape: Vec<u32>,
    /// Number of steps, 1 to 256.
    pub steps: u32,
    /// What becomes of the window.
    pub window: WindowShift,
    /// Bytes of the source that declare the delay.
    pub span: Range<usize>,
}

impl Network {
    /// Adds `node` with edges from its `sources`, in this order.
    ///
    /// # Panics
    /// If a source is not in the graph.
    pub fn add(&mut self, node: Node, sources: &[NodeIndex]) -> NodeIndex {
        let index = self.graph.add_node(node);
        for (position, &source) in (0..).zip(sources) {
            self.graph.add_edge(source, index, Edge { position });
        }
        index
    }

    /// The input.
    ///
    /// # Panics
    /// If the network has none; see the promises of [`Network`].
    pub fn input(&self) -> &Input {
        let input =
            self.graph.node_weights().find_map(|node| if let Node::Input(input) = node { Some(input) } else { None });
        input.expect("a network has an input")
    }

    /// The target, if there is one.
    pub fn target(&self) -> Option<&Target> {
        self.graph.node_weights().find_map(|node| if let Node::Target(target) = node { Some(target) } else { None })
    }

    /// Classes of the target; 0 without one, or where it is a vector.
    pub fn classes(&self) -> u32 {
        self.target().filter(|target| target.kind == TargetKind::Classes).map_or(0, |target| target.size)
    }

    /// The readout.
    ///
    /// # Panics
    /// If the network has none; see the promises of [`Network`].
    pub fn readout(&self) -> &Readout {
        let readout = self
            .graph
            .node_weights()
            .find_map(|node| if let Node::Readout(readout) = node { Some(readout) } else { None });
        readout.expect("a network has a readout")
    }

    /// The layers, each behind all that lead to it.
    pub fn layers(&self) -> impl Iterator<Item = NodeIndex> + '_ {
        // Indices rise along edges, so their order is a topological one.
        self.graph.node_indices().filter(|&index| matches!(self.graph[index], Node::Layer(_)))
    }

    /// The layer at `index`.
    ///
    /// # Panics
    /// If there is no layer.
    pub fn layer(&self, index: NodeIndex) -> &Layer {
        match &self.graph[index] {
            Node::Layer(layer) => layer,
            other => panic!("`{}` is not a layer", other.name()),
        }
    }

    /// The sources of a node, in the order in which the network names them.
    pub fn sources(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let edges = self.graph.edges_directed(node, Direction::Incoming);
        let mut sources: Vec<_> = edges.map(|edge| (edge.weight().position, edge.source())).collect();
        sources.sort();
        sources.into_iter().map(|(_, source)| source).collect()
    }

    /// The source of a node that is no target: what its neurons take in.
    ///
    /// # Panics
    /// If it has none; see the promises of [`Network`].
    pub fn signal(&self, node: NodeIndex) -> NodeIndex {
        let source = self.sources(node).into_iter().find(|&source| !matches!(self.graph[source], Node::Target(_)));
        source.expect("a node that is fed has a source beside the target")
    }

    /// Neurons, or places, of the input's path into a layer: those of its source that is no target.
    pub fn inputs(&self, layer: NodeIndex) -> u32 {
        self.graph[self.signal(layer)].shape().iter().product()
    }

    /// Weights into a neuron of a layer: as many as inputs, of a convolution as many as a kernel has taps.
    pub fn fan_in(&self, layer: NodeIndex) -> u32 {
        match &self.layer(layer).kind {
            LayerKind::Convolution(convolution) => {
                convolution.fan_in(self.planes(layer).into_iter().map(|[channels, ..]| channels))
            }
            LayerKind::Dense | LayerKind::Sparse(_) => self.inputs(layer),
        }
    }

    /// Channels, height and width of what each kernel of a convolution goes over: of the layer's source, or of what that brings
    /// together. They lie one behind the other in the source's shape.
    pub fn planes(&self, layer: NodeIndex) -> Vec<[u32; 3]> {
        let signal = self.signal(layer);
        let is_joined = |node: &Node| matches!(node, Node::Layer(Layer { kind: LayerKind::Convolution(of), .. }) if !of.joined.is_empty());
        let sources = if is_joined(&self.graph[layer]) { self.sources(signal) } else { vec![signal] };
        sources.into_iter().map(|source| plane(self.graph[source].shape())).collect()
    }

    /// Steps by which a node lags behind the input: its longest path from the input or the target. The first layer's
    /// lag is 1; pools by sum or average, flattenings and additions take no time of their own.
    pub fn lag(&self, node: NodeIndex) -> u32 {
        // Every node once, in topological order: paths may be as many as 2^nodes.
        let mut lags: Vec<u32> = Vec::with_capacity(node.index() + 1);
        for index in (0..=node.index()).map(NodeIndex::new) {
            let sources = self.graph.neighbors_directed(index, Direction::Incoming);
            let longest = sources.map(|source| lags[source.index()]).max();
            lags.push(longest.map_or(0, |longest| longest + self.graph[index].steps()));
        }
        lags[node.index()]
    }

    /// Whether the target has a projection of its own (S1) into this layer, by which its windows come in.
    pub fn is_fed_by_target(&self, layer: NodeIndex) -> bool {
        let mut sources = self.graph.neighbors_directed(layer, Direction::Incoming);
        sources.any(|source| matches!(self.graph[source], Node::Target(_))) && self.shows_target_windows()
    }

    /// Whether the target reaches a layer directly, by a table of its blocks.
    pub fn is_direct(&self, layer: NodeIndex) -> bool {
        matches!(&self.layer(layer).learning, Learning::Rule(rule) if rule.is_direct())
    }

    /// Whether targets of classes are shown in windows of their own: not where they reach all that learns directly, and what is
    /// read out as well.
    pub fn shows_target_windows(&self) -> bool {
        let learns = |layer: &NodeIndex| self.layer(*layer).learning != Learning::None;
        let reads = |node: NodeIndex| match &self.graph[node] {
            Node::Readout(readout) => {
                let is_compared = readout.kind == ReadoutKind::NearestTarget;
                let is_direct = self.sources(node).into_iter().all(|of| match self.graph[of] {
                    Node::Layer(_) => self.is_direct(of),
                    _ => matches!(self.graph[of], Node::Target(_)),
                });
                (readout.kind.needs_target() || readout.kind.learns()) && !(is_compared && is_direct)
            }
            _ => false,
        };
        self.layers().filter(learns).any(|layer| !self.is_direct(layer)) || self.graph.node_indices().any(reads)
    }
}

impl Node {
    /// Name of the node.
    pub fn name(&self) -> &str {
        match self {
            Node::Input(input) => &input.name,
            Node::Target(target) => &target.name,
            Node::Layer(layer) => &layer.name,
            Node::Pool(pool) => &pool.name,
            Node::Flatten(plain) | Node::Add(plain) | Node::Concat(plain) => &plain.name,
            Node::Delay(delay) => &delay.name,
            Node::Readout(readout) => &readout.name,
        }
    }

    /// Bytes of the source that declare the node.
    pub fn span(&self) -> Range<usize> {
        match self {
            Node::Input(input) => input.span.clone(),
            Node::Target(target) => target.span.clone(),
            Node::Layer(layer) => layer.span.clone(),
            Node::Pool(pool) => pool.span.clone(),
            Node::Flatten(plain) | Node::Add(plain) | Node::Concat(plain) => plain.span.clone(),
            Node::Delay(delay) => delay.span.clone(),
            Node::Readout(readout) => readout.span.clone(),
        }
    }

    /// Shape of what it sends, outermost first; of a readout, nothing.
    pub fn shape(&self) -> &[u32] {
        match self {
            Node::Input(input) => &input.shape,
            Node::Target(target) => std::slice::from_ref(&target.size),
            Node::Layer(layer) => &layer.shape,
            Node::Pool(pool) => &pool.shape,
            Node::Flatten(plain) | Node::Add(plain) | Node::Concat(plain) => &plain.shape,
            Node::Delay(delay) => &delay.shape,
            Node::Readout(_) => &[],
        }
    }

    /// Whether it is a layer that is added up in parts.
    pub fn is_in_parts(&self) -> bool {
        matches!(self, Node::Layer(layer) if layer.in_parts)
    }

    /// Steps from what comes in to what goes out.
    pub fn steps(&self) -> u32 {
        match self {
            Node::Input(_) | Node::Target(_) | Node::Flatten(_) | Node::Add(_) | Node::Concat(_) => 0,
            Node::Pool(pool) => u32::from(pool.kind == PoolKind::Maximum),
            // Spikes are its source's own: what the host gets is the layer's packets.
            Node::Readout(readout) => u32::from(readout.kind != ReadoutKind::Spikes),
            Node::Layer(layer) => 1 + u32::from(layer.in_parts),
            Node::Delay(Delay { window: WindowShift::Moves, steps, .. }) => *steps,
            Node::Delay(_) => 1,
        }
    }
}

/// Channels, height and width of any shape: where it has fewer extents, the first are 1.
pub fn plane(shape: &[u32]) -> [u32; 3] {
    match *shape {
        [channels, height, width] => [channels, height, width],
        [height, width] => [1, height, width],
        _ => [1, 1, shape.iter().product()],
    }
}

/// Neurons that a block of a layer of neurons has at most, unless the text says its size.
const BLOCK_NEURONS: u32 = 128;
/// Neurons of a block of a convolution, if a channel has no more.
const PLANE_NEURONS: u32 = 4096;

impl LayerKind {
    /// The `block` of a layer of this kind and shape whose text does not say it: a function of the network alone.
    pub fn default_block(&self, shape: &[u32]) -> u32 {
        match (self, shape) {
            (LayerKind::Convolution(_), &[channels, height, width]) => channel_block(channels, height * width),
            _ => shape.iter().product::<u32>().min(BLOCK_NEURONS),
        }
    }
}

/// The default for channels of so many places.
pub(crate) fn channel_block(channels: u32, places: u32) -> u32 {
    (PLANE_NEURONS / places).clamp(1, channels)
}

impl Layer {
    /// Number of neurons: the product of the shape.
    pub fn neurons(&self) -> u32 {
        self.shape.iter().product()
    }

    /// Number of blocks, cut as the text says or by default.
    pub fn blocks(&self) -> u32 {
        self.cut_into(self.block, self.block_rows)
    }

    /// Number of blocks, with so many neurons or channels in each and, of a convolution, so many rows or all.
    pub fn cut_into(&self, block: u32, rows: Option<u32>) -> u32 {
        match self.kind {
            LayerKind::Convolution(_) => {
                let height = self.shape[1];
                self.shape[0].div_ceil(block) * height.div_ceil(rows.unwrap_or(height))
            }
            LayerKind::Dense | LayerKind::Sparse(_) => self.neurons().div_ceil(block),
        }
    }
}
