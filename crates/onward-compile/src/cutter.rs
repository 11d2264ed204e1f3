//! Cuts nodes into blocks, and says where each block hears from.

use crate::connect::{Kernels, Source, Window, sources};
use crate::places::Feeds;
use crate::plan::{Channel, Cut, Cuts, PlannedBlock, PlannedInlet, PlannedSource};
use crate::readouts::value_target;
use onward_chip::Chip;
use onward_image::{BlockIndex, Order, Plane, ProgramIndex, indices};
use onward_net::{Convolution, Delay, Layer, LayerKind, Network, Node, PoolKind, ReadoutKind, WindowShift, plane};
use petgraph::graph::NodeIndex;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use typed_index_collections::TiVec;

/// The blocks of a network that is cut in a way. They are made without inlets, which is quick; inlets are asked for block by
/// block.
pub(crate) struct Cutter<'a> {
    network: &'a Network,
    chip: &'a Chip,
    cuts: &'a Cuts,
    /// Blocks by logical number.
    pub planned: TiVec<BlockIndex, PlannedBlock>,
    /// Of each node that can send.
    blocks: BTreeMap<NodeIndex, Range<BlockIndex>>,
    /// Of layers that are added up in parts: the blocks that do, and the senders of each part.
    adders: BTreeMap<NodeIndex, (Range<BlockIndex>, Vec<Range<usize>>)>,
}

/// Who sends to a node.
#[derive(Default)]
pub(crate) struct Senders {
    pub sources: Arc<Vec<Source>>,
    /// The rows and channels that each feeds at most, of each plane that comes into the node.
    reach: Vec<Vec<Window>>,
}

/// Axons in the order of the sources.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Inlets {
    pub inlets: Vec<PlannedInlet>,
    pub axons: u32,
}

impl Inlets {
    /// With the tag's axon, the first.
    fn tagged(from: PlannedSource) -> Inlets {
        let mut inlets = Inlets::default();
        inlets.add(from, Channel::Tags, 1);
        inlets
    }

    fn add(&mut self, from: PlannedSource, what: Channel, count: u32) {
        self.inlets.push(PlannedInlet { from, what, first_axon: self.axons });
        self.axons += count;
    }
}

/// The input's node: the host's tags are counted as its.
fn input(network: &Network) -> NodeIndex {
    let found = network.graph.node_indices().find(|&node| matches!(network.graph[node], Node::Input(_)));
    found.expect("a network has an input")
}

impl<'a> Cutter<'a> {
    /// All blocks, still without inlets.
    pub fn new(network: &'a Network, chip: &'a Chip, cuts: &'a Cuts) -> Cutter<'a> {
        Cutter::of(network, chip, cuts, network.graph.node_indices(), |_| true)
    }

    /// The blocks of a node and of those that send to it alone, numbered from 0.
    pub fn around(network: &'a Network, chip: &'a Chip, cuts: &'a Cuts, node: NodeIndex) -> Cutter<'a> {
        Cutter::of(network, chip, cuts, senders(network, node).into_iter().chain([node]), |at| at == node)
    }

    fn of(
        network: &'a Network,
        chip: &'a Chip,
        cuts: &'a Cuts,
        nodes: impl Iterator<Item = NodeIndex>,
        adds: impl Fn(NodeIndex) -> bool,
    ) -> Cutter<'a> {
        let mut cutter =
            Cutter { network, chip, cuts, planned: TiVec::new(), blocks: BTreeMap::new(), adders: BTreeMap::new() };
        for node in nodes {
            let first = cutter.planned.next_key();
            match &network.graph[node] {
                Node::Layer(layer) => match &layer.kind {
                    LayerKind::Dense | LayerKind::Sparse(_) => {
                        cutter.runs(node, layer.neurons(), cuts.blocks[&node].block)
                    }
                    LayerKind::Convolution(convolution) => cutter.planes(node, layer, convolution),
                },
                Node::Pool(pool) if pool.kind == PoolKind::Maximum => {
                    let [channels, height, width] = plane(&pool.shape);
                    let block = cuts.blocks[&node].block.max(1);
                    cutter.runs(node, channels * height * width, block * height * width);
                }
                Node::Delay(delay) => cutter.delay(node, delay),
                Node::Readout(readout) => cutter.readout(node, readout.kind),
                _ => {}
            }
            if !matches!(network.graph[node], Node::Flatten(_) | Node::Add(_) | Node::Concat(_)) {
                cutter.blocks.insert(node, first..cutter.planned.next_key());
            }
            if adds(node) && network.graph[node].is_in_parts() {
                cutter.adders(node, first);
            }
        }
        cutter
    }

    /// The blocks of a node; none of one that needs no core.
    pub fn blocks(&self, node: NodeIndex) -> Range<BlockIndex> {
        self.blocks.get(&node).cloned().unwrap_or_default()
    }

    /// The blocks that add up parts of what comes into a node: for each part one for each of its blocks.
    pub fn blocks_of_parts(&self, node: NodeIndex) -> Range<BlockIndex> {
        self.adders.get(&node).map(|(blocks, _)| blocks.clone()).unwrap_or_default()
    }

    /// How many blocks a node has.
    pub fn count(&self, node: NodeIndex) -> u64 {
        (indices(self.blocks(node)).count() + indices(self.blocks_of_parts(node)).count()) as u64
    }

    /// Who sends to a node that is no readout.
    pub fn senders(&self, node: NodeIndex) -> Senders {
        let sources = sources(self.network, node, &self.blocks, &self.planned, self.cuts);
        let reach = match self.network.graph[node] {
            Node::Layer(Layer { kind: LayerKind::Convolution(_), .. }) | Node::Pool(_) => {
                let planes = self.network.planes(node);
                sources.iter().map(|source| extents(source, &planes)).collect()
            }
            _ => Vec::new(),
        };
        Senders { sources, reach }
    }

    /// Where a block hears from.
    pub fn inlets(&self, number: BlockIndex, senders: &Senders) -> Inlets {
        let network = self.network;
        let block = &self.planned[number];
        let node = block.node;
        match &network.graph[node] {
            Node::Layer(_) if block.part.is_some() => {
                let (_, parts) = &self.adders[&node];
                let part = block.part.and_then(|part| parts.get(part as usize)).cloned().unwrap_or_default();
                self.all(node, &senders.sources[part])
            }
            Node::Layer(layer) if layer.in_parts => {
                let adders = indices(self.blocks_of_parts(node))
                    .filter(|&adder| self.planned[adder].first_neuron == block.first_neuron);
                let mut inlets = Inlets::default();
                for adder in adders {
                    if inlets.axons == 0 {
                        inlets = Inlets::tagged(PlannedSource::Block(adder));
                    }
                    inlets.add(PlannedSource::Block(adder), Channel::Spikes, block.neurons);
                }
                self.others(node, layer, &mut inlets);
                inlets
            }
            Node::Layer(layer) => {
                let mut inlets = match &layer.kind {
                    LayerKind::Dense | LayerKind::Sparse(_) => self.all(node, &*senders.sources),
                    LayerKind::Convolution(convolution) => {
                        let windows = Kernels::new(convolution, &network.planes(node), block, 1).windows();
                        self.reached(node, senders, &windows)
                    }
                };
                self.others(node, layer, &mut inlets);
                inlets
            }
            Node::Pool(pool) => {
                let [_, height, width] = plane(&pool.shape);
                let place = height * width;
                let first = block.first_neuron / place;
                self.reached(node, senders, &[[0..u32::MAX, first..first + block.neurons / place]])
            }
            Node::Delay(_) => {
                // Its neurons stand for what its senders send, one after the other.
                let mut before = 0;
                let own = senders.sources.iter().filter(|source| {
                    before += source.count;
                    before > block.first_neuron && before <= block.first_neuron + block.neurons
                });
                self.all(node, own)
            }
            Node::Readout(readout) => self.heard(node, readout.kind),
            _ => unreachable!("nodes that have no neurons have no blocks"),
        }
    }

    /// Who sends a node its tags: the host, or the first block of those it hears from.
    fn tag_source(&self, node: NodeIndex) -> PlannedSource {
        // Where paths of unequal length meet, the tag takes the longest.
        let network = self.network;
        let mut at = node;
        loop {
            let source = network.sources(at).into_iter().max_by_key(|&source| (network.lag(source), !source.index()));
            at = source.expect("a node that is no input has a source");
            match &network.graph[at] {
                Node::Input(_) | Node::Target(_) => return PlannedSource::Host(input(network), 0),
                _ => {
                    if let Some(range) = self.blocks.get(&at).filter(|range| !range.is_empty()) {
                        return PlannedSource::Block(range.start);
                    }
                }
            }
        }
    }

    /// Where a block hears from that needs every source.
    fn all<'s>(&self, node: NodeIndex, sources: impl IntoIterator<Item = &'s Source>) -> Inlets {
        let mut inlets = Inlets::tagged(self.tag_source(node));
        for source in sources {
            inlets.add(source.from, Channel::Spikes, source.count);
        }
        inlets
    }

    /// Where a block hears from that takes in some rows and channels of each plane.
    fn reached(&self, node: NodeIndex, senders: &Senders, windows: &[Window]) -> Inlets {
        let meets = |(a, b): (&Window, &Window)| a.iter().zip(b).all(|(a, b)| a.start < b.end && b.start < a.end);
        let reached = senders.sources.iter().zip(&senders.reach).filter(|(_, of)| of.iter().zip(windows).any(meets));
        self.all(node, reached.map(|(source, _)| source))
    }

    /// Behind what the source sends: where the target's lines come in, if the layer has a projection of them, and the layer's
    /// own spikes.
    fn others(&self, node: NodeIndex, layer: &Layer, inlets: &mut Inlets) {
        let network = self.network;
        let is_fed = network.is_fed_by_target(node);
        let is_target = |source: &NodeIndex| is_fed && matches!(network.graph[*source], Node::Target(_));
        if let (Some(target), Some(lines)) = (network.sources(node).into_iter().find(is_target), network.target()) {
            inlets.add(PlannedSource::Host(target, 0), Channel::Spikes, lines.size);
        }
        if layer.recurrent.is_some() {
            for number in indices(self.blocks(node)) {
                inlets.add(PlannedSource::Block(number), Channel::Own, self.planned[number].neurons);
            }
        }
    }

    /// Where a readout hears from.
    fn heard(&self, node: NodeIndex, kind: ReadoutKind) -> Inlets {
        let network = self.network;
        let (mut inlets, channel) = match kind {
            ReadoutKind::NearestTarget => (Inlets::default(), Channel::Scores),
            _ => (Inlets::tagged(self.tag_source(node)), Channel::Spikes),
        };
        let heard =
            network.sources(node).into_iter().filter(|&source| !matches!(network.graph[source], Node::Target(_)));
        for number in heard.flat_map(|source| indices(self.blocks(source))) {
            let spikes = self.planned[number].neurons;
            inlets.add(
                PlannedSource::Block(number),
                channel,
                if channel == Channel::Scores { network.classes() } else { spikes },
            );
        }
        if let Some(target) = value_target(network, node) {
            let size = network.graph[target].shape()[0];
            inlets.add(PlannedSource::Host(target, 0), Channel::Spikes, size);
        }
        inlets
    }

    /// The blocks that add up what comes into a node's blocks, each as many senders as it has axons for, in parts of nearly the
    /// same size.
    fn adders(&mut self, node: NodeIndex, first: BlockIndex) {
        let sources = sources(self.network, node, &self.blocks, &self.planned, self.cuts);
        let most = u64::from(self.chip.memory.axons.saturating_sub(1)).max(1);
        let all: u64 = sources.iter().map(|source| u64::from(source.count)).sum();
        let even = all.div_ceil(all.div_ceil(most).max(1));
        let mut parts: Vec<Range<usize>> = Vec::new();
        let mut before = 0;
        for (at, source) in sources.iter().enumerate() {
            let count = u64::from(source.count);
            match parts.last_mut() {
                Some(part) if before < even && before + count <= most => part.end = at + 1,
                _ => {
                    parts.push(at..at + 1);
                    before = 0;
                }
            }
            before += count;
        }
        let finals = first..self.planned.next_key();
        let begin = finals.end;
        for part in 0..parts.len() as u32 {
            for number in indices(finals.clone()) {
                let (first_neuron, neurons) = (self.planned[number].first_neuron, self.planned[number].neurons);
                self.push(node, first_neuron, neurons, Order::Straight, true);
                if let Some(adder) = self.planned.last_mut() {
                    adder.part = Some(part);
                }
            }
        }
        self.adders.insert(node, (begin..self.planned.next_key(), parts));
    }

    fn push(&mut self, node: NodeIndex, first_neuron: u32, neurons: u32, order: Order, tagged: bool) {
        self.planned.push(PlannedBlock {
            node,
            first_neuron,
            neurons,
            order,
            relays: None,
            part: None,
            tagged,
            inlets: Arc::default(),
            axons: 0,
            program: ProgramIndex::default(),
        });
    }

    /// Runs of neurons.
    fn runs(&mut self, node: NodeIndex, neurons: u32, block: u32) {
        for first in (0..neurons).step_by(block.max(1) as usize) {
            self.push(node, first, block.min(neurons - first), Order::Straight, true);
        }
    }

    /// A block holds whole groups, or a part of one, of some rows.
    fn planes(&mut self, node: NodeIndex, layer: &Layer, convolution: &Convolution) {
        let [channels, height, width] = plane(&layer.shape);
        let groups = convolution.common_groups();
        let of_group = channels / groups;
        let Cut { block, rows } = self.cuts.blocks[&node];
        let block_rows = rows.unwrap_or(height).clamp(1, height);
        let mut parts: Vec<(u32, u32, u32)> = Vec::new(); // first channel, channels, channels of a band
        if block >= of_group {
            let whole = block / of_group * of_group;
            parts.extend((0..channels).step_by(whole as usize).map(|c| (c, whole.min(channels - c), of_group)));
        } else {
            for group in 0..groups {
                let end = (group + 1) * of_group;
                let starts = (group * of_group..end).step_by(block.max(1) as usize);
                parts.extend(starts.map(|c| (c, block.min(end - c), block.min(end - c))));
            }
        }
        for (first_channel, count, band) in parts {
            for first_row in (0..height).step_by(block_rows as usize) {
                let rows = block_rows.min(height - first_row);
                let plane = Plane { first_channel, channels: band, first_row, rows, height, width };
                self.push(node, first_channel * height * width, count * rows * width, Order::Plane(plane), true);
            }
        }
    }

    /// Each block of a delay passes on what comes from senders that follow each other, as many as fit.
    fn delay(&mut self, node: NodeIndex, delay: &Delay) {
        let sources = sources(self.network, node, &self.blocks, &self.planned, self.cuts);
        let memory = &self.chip.memory;
        // Some words are needed beside the ring; values, which come from the host alone, take twice the room.
        let held = if delay.window == WindowShift::Stays { delay.steps } else { delay.steps - 1 };
        let of_ring = memory.neuron_bytes.saturating_sub(8 + 4 * delay.steps) / (2 * held).max(1);
        let most = memory.axons.saturating_sub(1).min(of_ring).min(self.cuts.blocks[&node].block).max(1);
        let mut rest = &sources[..];
        let mut done = 0;
        while let Some(first_source) = rest.first() {
            let mut count = first_source.count;
            let more = rest[1..].iter().take_while(|source| {
                count += source.count;
                count <= most
            });
            let (taken, later) = rest.split_at(1 + more.count());
            rest = later;
            let mut neurons = 0;
            let relay = |source: &Source| {
                neurons += source.count;
                (neurons - source.count, source.feeds.clone())
            };
            let relays: Vec<(u32, Feeds)> = taken.iter().map(relay).collect();
            self.push(node, done, neurons, Order::Straight, true);
            done += neurons;
            if let Some(block) = self.planned.last_mut() {
                block.relays = Some(Feeds::Several(Arc::new(relays)));
            }
        }
    }

    fn readout(&mut self, node: NodeIndex, kind: ReadoutKind) {
        let network = self.network;
        let classes = network.classes();
        match kind {
            ReadoutKind::Spikes => {}
            ReadoutKind::NearestTarget => self.push(node, 0, classes, Order::Straight, false),
            ReadoutKind::MostSpikes | ReadoutKind::Trained(_) | ReadoutKind::TargetTree(_) => {
                if let Some(target) = value_target(network, node) {
                    let size = network.graph[target].shape()[0];
                    self.runs(node, size, u32::from(self.chip.core.vector_length));
                } else if kind == ReadoutKind::MostSpikes {
                    let senders = self.blocks(network.signal(node));
                    let neurons = self.planned[senders].iter().map(|block| block.neurons).sum();
                    self.push(node, 0, neurons, Order::Straight, true);
                } else {
                    self.push(node, 0, classes, Order::Straight, true);
                }
            }
        }
    }
}

/// Nodes whose blocks send to a node, and those between, each behind all that lead to it.
pub(crate) fn senders(network: &Network, node: NodeIndex) -> BTreeSet<NodeIndex> {
    let mut found = BTreeSet::new();
    let mut open = network.sources(node);
    while let Some(at) = open.pop() {
        let folded = match &network.graph[at] {
            Node::Flatten(_) | Node::Add(_) | Node::Concat(_) | Node::Delay(_) => true,
            Node::Pool(pool) => pool.kind != PoolKind::Maximum,
            _ => false,
        };
        if folded {
            open.extend(network.sources(at));
        }
        found.insert(at);
    }
    found
}

/// The rows and channels that a source feeds at most, of planes that lie one behind the other.
fn extents(source: &Source, planes: &[[u32; 3]]) -> Vec<Window> {
    let sizes = planes.iter().map(|plane| plane.iter().product::<u32>());
    let firsts: Vec<u32> = sizes.scan(0, |next, size| Some(std::mem::replace(next, *next + size))).collect();
    let nothing = Range { start: u32::MAX, end: 0 };
    let mut extents = vec![[nothing.clone(), nothing]; planes.len()];
    meet(&source.feeds, source.count, planes, &firsts, &mut extents);
    extents
}

/// Extends the rows and channels by those that `count` indices feed, of planes whose places begin at `firsts`.
fn meet(feeds: &Feeds, count: u32, planes: &[[u32; 3]], firsts: &[u32], extents: &mut [Window]) {
    let at_place = |place: u32| firsts.partition_point(|&first| first <= place) - 1;
    let mut extend = |at: usize, met: Window| {
        for (range, met) in extents[at].iter_mut().zip(met) {
            *range = range.start.min(met.start)..range.end.max(met.end);
        }
    };
    let is_aligned = |plane: &Plane, first: u32| {
        let at = at_place(first);
        planes[at][1..] == [plane.height, plane.width]
            && (first - firsts[at]).is_multiple_of(plane.height * plane.width)
    };
    match feeds {
        Feeds::Several(all) => {
            let ends = all.iter().skip(1).map(|(first, _)| *first).chain([count]);
            for ((first, feeds), end) in all.iter().zip(ends) {
                meet(feeds, end - first, planes, firsts, extents);
            }
        }
        &Feeds::Plane { plane, first } if is_aligned(&plane, first) => {
            let at = at_place(first);
            let channels = count / (plane.rows * plane.width);
            let channel = (first - firsts[at]) / (plane.height * plane.width) + plane.first_channel;
            extend(at, [plane.first_row..plane.first_row + plane.rows, channel..channel + channels]);
        }
        _ => {
            for feed in (0..count).flat_map(|index| feeds.of(index)) {
                let at = at_place(feed.place);
                let ([_, height, width], place) = (planes[at], feed.place - firsts[at]);
                let (row, channel) = (place / width % height, place / (height * width));
                extend(at, [row..row + 1, channel..channel + 1]);
            }
        }
    }
}
