//! What the passes between graph and image speak of: blocks with their axons and routes, still without places.

use crate::places::Feeds;
use onward_image::{BlockIndex, HostInput, Order, ProgramIndex, Route, Tree};
use onward_net::Node;
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use typed_index_collections::TiVec;

/// A block as `partition` cuts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedBlock {
    /// Layer, pool, delay or readout it belongs to.
    pub node: NodeIndex,
    /// First neuron of the node in it.
    pub first_neuron: u32,
    /// Neurons in it.
    pub neurons: u32,
    /// Which neurons they are.
    pub order: Order,
    /// Of a delay: what its packets feed of what comes behind.
    pub relays: Option<Feeds>,
    /// Of a block that adds up a part of what comes into a layer: which part. Its packets are sums, to blocks of the layer.
    pub part: Option<u32>,
    /// Whether axon 0 takes tags.
    pub tagged: bool,
    /// Where each source's packets arrive; blocks with the same sources share the list.
    pub inlets: Arc<Vec<PlannedInlet>>,
    /// Axons in all.
    pub axons: u32,
    /// Program that runs it.
    pub program: ProgramIndex,
}

impl PlannedBlock {
    /// The neuron of the node that a packet's index stands for.
    pub fn neuron(&self, index: u32) -> u32 {
        self.order.neuron(self.first_neuron, index)
    }

    /// What its packets feed.
    pub fn feeds(&self) -> Feeds {
        match (&self.relays, self.order) {
            (Some(relays), _) => relays.clone(),
            (None, Order::Straight) => Feeds::Straight { first: self.first_neuron },
            (None, Order::Plane(plane)) => Feeds::Plane { plane, first: 0 },
        }
    }
}

/// What the population of blocks that add up parts of a layer's inputs is called: no identifier, so nobody's name.
pub(crate) fn name_of_sums(layer: &str) -> String {
    format!("{layer}+sums")
}

/// How nodes are cut: chosen where the text leaves it open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cuts {
    /// Of layers and of pools by maximum.
    pub blocks: BTreeMap<NodeIndex, Cut>,
    /// First index of each part of the input that is sent on its own, ascending; none if it is sent as a whole.
    pub input: Vec<u32>,
}

impl Cuts {
    /// The parts of an input of a size.
    pub fn parts(&self, size: u32) -> Vec<Range<u32>> {
        let ends = self.input.iter().skip(1).copied().chain([size]);
        let firsts = if self.input.is_empty() { &[0][..] } else { &self.input };
        firsts.iter().copied().zip(ends).map(|(first, end)| first..end).collect()
    }
}

/// How a node is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cut {
    /// Neurons of a block, or channels of one.
    pub block: u32,
    /// Rows of a block of a convolution; all if not said.
    pub rows: Option<u32>,
}

/// Axons a block has for a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlannedInlet {
    /// Who sends.
    pub from: PlannedSource,
    /// What it sends.
    pub what: Channel,
    /// First axon.
    pub first_axon: u32,
}

/// A sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PlannedSource {
    /// The host, for a node of the graph and a part of what it sends for it; tags come for the input's first.
    Host(NodeIndex, u32),
    /// A block.
    Block(BlockIndex),
}

/// What a route carries. A block's routes are numbered in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Channel {
    /// Spikes.
    Spikes,
    /// Tags.
    Tags,
    /// Class scores, or a readout's answer.
    Scores,
    /// Spikes to blocks of the same layer.
    Own,
}

impl Channel {
    /// What any block has a route for; those of recurrent layers have one more.
    const ALL: [Channel; 3] = [Channel::Spikes, Channel::Tags, Channel::Scores];

    /// Those that the blocks of a node have routes for, in the order of their numbers.
    pub fn of(node: &Node) -> impl Iterator<Item = Channel> {
        let recurrent = matches!(node, Node::Layer(layer) if layer.recurrent.is_some());
        Channel::ALL.into_iter().chain(recurrent.then_some(Channel::Own))
    }

    pub fn name(self) -> &'static str {
        match self {
            Channel::Spikes => "spikes",
            Channel::Tags => "tags",
            Channel::Scores => "scores",
            Channel::Own => "own",
        }
    }
}

/// What `route` makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routing {
    /// Routes by block and number.
    pub routes: TiVec<BlockIndex, Vec<Route>>,
    /// Multicast trees.
    pub trees: Vec<Tree>,
    /// What the host sends.
    pub host_inputs: Vec<HostInput>,
}
