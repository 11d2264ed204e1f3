//! The network graph.

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::ops::Range;

/// A network: what it is to learn from, and its nodes and the edges that spikes take between them.
///
/// What [`Network::parse`] returns keeps these promises, and so must whoever builds one by hand:
///
/// - the names of nodes are distinct identifiers, and every number is in the range its field gives;
/// - there is exactly one input, one target and one readout, and at least one layer;
/// - edges point forward: a node's index is greater than those of its sources ([`Network::add`] sees to it);
/// - a dense layer has one source that is the input or a layer; if that is the input, the target may be a second source;
/// - the readout has one source, a layer; every layer leads to it, and the target feeds at least one layer.
#[derive(Clone, Debug)]
pub struct Network {
    /// What the network is called; an identifier.
    pub name: String,
    /// Where its data is unless the command line says otherwise: a built-in name or a path.
    pub data: Option<String>,
    /// How often the training data is shown, 1 to 100,000.
    pub epochs: u32,
    /// Time steps that one input, or one target, is shown: a power of two, 1 to 256.
    pub window_steps: u32,
    /// The nodes, in the order of their declaration, and the edges between them.
    pub graph: DiGraph<Node, Edge>,
}

/// What a network is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Where samples enter.
    Input(Input),
    /// Where labels enter.
    Target(Target),
    /// Neurons that learn.
    Layer(Layer),
    /// Where predictions leave.
    Readout(Readout),
}

/// All spikes of one node going to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Place among the sources of the node it leads to, from 0; axons are numbered in this order.
    pub position: u32,
}

/// Where samples enter.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Identifier, distinct in the network.
    pub name: String,
    /// Sizes of a sample, outermost first: one to three of them, each 1 to 65,536, their product at most 2^24.
    pub shape: Vec<u32>,
    /// How values become spikes.
    pub encoding: Encoding,
    /// Bytes of the source that declare it.
    pub span: Range<usize>,
}

/// How the values of a sample become spikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Evenly spread over the window, as many as the value is large: none for the least, one a step for the greatest.
    Rate,
}

/// Where labels enter, as spikes that layers receive in windows of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Identifier, distinct in the network.
    pub name: String,
    /// Number of classes, 2 to 1,024; one axon each.
    pub classes: u32,
    /// Bytes of the source that declare it.
    pub span: Range<usize>,
}

/// Neurons that learn together.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Identifier, distinct in the network.
    pub name: String,
    /// How it is connected to its source.
    pub kind: LayerKind,
    /// Number of neurons, 1 to 2^20.
    pub neurons: u32,
    /// Neurons that live on one core and share a loss, 1 to `neurons`. The last block may be smaller.
    pub block: u32,
    /// What its neurons are.
    pub neuron: Neuron,
    /// What its weights are.
    pub weights: Weights,
    /// How its weights change.
    pub learning: Learning,
    /// Bytes of the source that declare it.
    pub span: Range<usize>,
}

/// How a layer is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// Every neuron has a weight for every axon.
    Dense,
}

/// Integrate-and-fire: each step the membrane takes the weights of the active axons and the bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neuron {
    /// Membrane potential at which it fires, 0.001 to 1,000.
    pub threshold: f64,
    /// What firing does to the membrane.
    pub reset: Reset,
}

/// What firing does to the membrane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Subtracts the threshold; what was above it stays.
    Subtract,
}

/// Fixed-point weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Bits of a weight: 4, 8 or 16.
    pub bits: u32,
    /// Weights are drawn about normal with standard deviation `gain * sqrt(2 / inputs)`; 0.001 to 1,000.
    pub gain: f64,
}

/// How a layer learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Learning {
    /// Not at all: its weights stay what they were drawn as.
    None,
    /// By a hinge between the own class and its rival, local to a block.
    Hinge(Hinge),
}

/// The hinge loss: weights change while `score(own class) - score(rival)` is below the margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hinge {
    /// The learning rate is `2^-rate`, 0 to 20.
    pub rate: u32,
    /// In units of `sqrt(block)` full-rate spikes, 0 to 100.
    pub margin: f64,
    /// How many times the learning rate is halved, evenly over the run, 0 to 16.
    pub anneal: u32,
    /// Which weights may change.
    pub gate: Gate,
}

/// Whether a neuron's voltage decides about the change of its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Only where the voltage is in a window about the threshold.
    Surrogate,
    /// Always.
    None,
}

/// Where predictions leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout {
    /// Identifier, distinct in the network.
    pub name: String,
    /// How the class is found.
    pub kind: ReadoutKind,
    /// Bytes of the source that declare it.
    pub span: Range<usize>,
}

/// How the class is found from the spikes of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadoutKind {
    /// The class whose target evokes spikes most like them, by inner product.
    NearestTarget,
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

    /// The target.
    ///
    /// # Panics
    /// If the network has none; see the promises of [`Network`].
    pub fn target(&self) -> &Target {
        let target = self
            .graph
            .node_weights()
            .find_map(|node| if let Node::Target(target) = node { Some(target) } else { None });
        target.expect("a network has a target")
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

    /// Axons of the input's path into a layer: those of all its sources but the target.
    pub fn inputs(&self, layer: NodeIndex) -> u32 {
        let sizes = self.sources(layer).into_iter().map(|source| match &self.graph[source] {
            Node::Input(input) => input.size(),
            Node::Layer(layer) => layer.neurons,
            Node::Target(_) | Node::Readout(_) => 0,
        });
        sizes.sum()
    }

    /// Steps by which a node lags behind the input: its longest path from the input or the target. The first layer's
    /// lag is 1.
    pub fn lag(&self, node: NodeIndex) -> u32 {
        // Every node once, in topological order: paths may be as many as 2^nodes.
        let mut lags: Vec<u32> = Vec::with_capacity(node.index() + 1);
        for index in (0..=node.index()).map(NodeIndex::new) {
            let sources = self.graph.neighbors_directed(index, Direction::Incoming);
            lags.push(sources.map(|source| lags[source.index()] + 1).max().unwrap_or(0));
        }
        lags[node.index()]
    }

    /// Whether the target has a projection of its own (S1) into this layer.
    pub fn is_fed_by_target(&self, layer: NodeIndex) -> bool {
        self.graph
            .neighbors_directed(layer, Direction::Incoming)
            .any(|source| matches!(self.graph[source], Node::Target(_)))
    }
}

impl Node {
    /// What the node is called.
    pub fn name(&self) -> &str {
        match self {
            Node::Input(input) => &input.name,
            Node::Target(target) => &target.name,
            Node::Layer(layer) => &layer.name,
            Node::Readout(readout) => &readout.name,
        }
    }

    /// Bytes of the source that declare the node.
    pub fn span(&self) -> Range<usize> {
        match self {
            Node::Input(input) => input.span.clone(),
            Node::Target(target) => target.span.clone(),
            Node::Layer(layer) => layer.span.clone(),
            Node::Readout(readout) => readout.span.clone(),
        }
    }
}

impl Input {
    /// Number of axons: the product of the shape.
    pub fn size(&self) -> u32 {
        self.shape.iter().product()
    }
}

impl Layer {
    /// Number of blocks.
    pub fn blocks(&self) -> u32 {
        self.neurons.div_ceil(self.block)
    }
}
