//! Folding: pools by sum and average, flattenings and additions have no neurons, so they need no core. What they do to
//! spikes becomes part of the connection behind them: for each axon of a layer, which places of the layer's input it feeds.

use crate::places::{Feeds, Windows};
use crate::plan::{Cuts, PlannedBlock, PlannedSource};
use onward_image::{BlockIndex, indices};
use onward_net::{Network, Node, PoolKind, plane};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use typed_index_collections::TiSlice;

/// Someone whose packets come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Who sends.
    pub from: PlannedSource,
    /// Indices of its packets.
    pub count: u32,
    /// What they feed.
    pub feeds: Feeds,
}

/// The senders of a node's signal, in the order of its axons.
pub(crate) fn sources(
    network: &Network,
    node: NodeIndex,
    blocks: &BTreeMap<NodeIndex, Range<BlockIndex>>,
    planned: &TiSlice<BlockIndex, PlannedBlock>,
    cuts: &Cuts,
) -> Arc<Vec<Source>> {
    let mut sources = from(network, network.signal(node), blocks, planned, cuts);
    // Who comes by several ways has one inlet all the same.
    let mut merged: Vec<Source> = Vec::new();
    let mut places: BTreeMap<PlannedSource, usize> = BTreeMap::new();
    for source in sources.drain(..) {
        match places.get(&source.from) {
            None => {
                places.insert(source.from, merged.len());
                merged.push(source);
            }
            Some(&at) => {
                let into = &mut merged[at];
                let both = (0..source.count).map(|i| into.feeds.of(i).chain(source.feeds.of(i)));
                into.feeds = Feeds::listed(both);
            }
        }
    }
    Arc::new(merged)
}

fn from(
    network: &Network,
    node: NodeIndex,
    blocks: &BTreeMap<NodeIndex, Range<BlockIndex>>,
    planned: &TiSlice<BlockIndex, PlannedBlock>,
    cuts: &Cuts,
) -> Vec<Source> {
    match &network.graph[node] {
        Node::Flatten(_) => from(network, network.signal(node), blocks, planned, cuts),
        Node::Add(_) => {
            network.sources(node).into_iter().flat_map(|source| from(network, source, blocks, planned, cuts)).collect()
        }
        Node::Concat(_) => {
            let mut first = 0;
            let mut all = Vec::new();
            for node in network.sources(node) {
                let shifted = from(network, node, blocks, planned, cuts).into_iter();
                all.extend(shifted.map(|source| Source { feeds: source.feeds.shifted(first), ..source }));
                first += network.graph[node].shape().iter().product::<u32>();
            }
            all
        }
        Node::Pool(pool) if pool.kind != PoolKind::Maximum => {
            let before = network.signal(node);
            let shape = plane(network.graph[before].shape());
            let windows = Windows::new(pool, shape);
            let mut sources = from(network, before, blocks, planned, cuts);
            for source in &mut sources {
                let pooled = (0..source.count).map(|index| source.feeds.of(index).flat_map(|feed| windows.of(feed)));
                source.feeds = Feeds::listed(pooled);
            }
            sources
        }
        Node::Input(input) => {
            let parts = cuts.parts(input.size()).into_iter().zip(0..);
            let source = |(part, number): (Range<u32>, u32)| Source {
                from: PlannedSource::Host(node, number),
                count: part.len() as u32,
                feeds: Feeds::Straight { first: part.start },
            };
            parts.map(source).collect()
        }
        _ => indices(blocks[&node].clone())
            .map(|number| {
                let block = &planned[number];
                Source { from: PlannedSource::Block(number), count: block.neurons, feeds: block.feeds() }
            })
            .collect(),
    }
}
