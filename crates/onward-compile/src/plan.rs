//! What the passes between graph and image speak of: blocks with their axons and routes, still without places.

use onward_image::{HostInput, Route, Tree};
use petgraph::graph::NodeIndex;

/// A block as `partition` cuts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedBlock {
    /// Layer or readout it belongs to.
    pub node: NodeIndex,
    /// First neuron of the layer in it.
    pub first_neuron: u32,
    /// Neurons in it.
    pub neurons: u32,
    /// Whether axon 0 takes tags.
    pub tagged: bool,
    /// Where each source's packets arrive.
    pub inlets: Vec<PlannedInlet>,
    /// Axons in all.
    pub axons: u32,
    /// Program that runs it: index of handlers.
    pub handlers: usize,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlannedSource {
    /// The host, for a node of the graph; tags come for the input's.
    Host(NodeIndex),
    /// A block.
    Block(u32),
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
}

impl Channel {
    pub const ALL: [Channel; 3] = [Channel::Spikes, Channel::Tags, Channel::Scores];

    pub fn name(self) -> &'static str {
        match self {
            Channel::Spikes => "spikes",
            Channel::Tags => "tags",
            Channel::Scores => "scores",
        }
    }
}

/// What `route` makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routing {
    /// Routes by block and number.
    pub routes: Vec<Vec<Route>>,
    /// Multicast trees.
    pub trees: Vec<Tree>,
    /// What the host sends.
    pub host_inputs: Vec<HostInput>,
}
