//! `partition`: layers are cut into blocks, and blocks get their axons.

use crate::connect::{Kernels, Source, sources};
use crate::drawing;
use crate::pass::{Compilation, Pass, Product};
use crate::places::{Feed, Feeds, plane};
use crate::plan::{Channel, Cut, Cuts, PlannedBlock, PlannedInlet, PlannedSource};
use crate::readouts::value_target;
use onward_chip::Chip;
use onward_diagnostic::Diagnostic;
use onward_image::{BlockIndex, Order, Plane, ProgramIndex, indices};
use onward_net::{Convolution, Delay, Layer, LayerKind, Network, Node, Pool, PoolKind, ReadoutKind, WindowShift};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;
use typed_index_collections::TiVec;

pub(super) struct Partition;

/// Hands out axons in the order of the sources.
#[derive(Default)]
struct Inlets {
    inlets: Vec<PlannedInlet>,
    axons: u32,
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

/// Blocks being made.
struct Cutter<'a> {
    network: &'a Network,
    chip: &'a Chip,
    cuts: &'a Cuts,
    planned: TiVec<BlockIndex, PlannedBlock>,
    blocks: BTreeMap<NodeIndex, Range<BlockIndex>>,
    sources: BTreeMap<NodeIndex, Arc<Vec<Source>>>,
}

/// The input's node: the host's tags are counted as its.
pub(super) fn input(network: &Network) -> NodeIndex {
    let found = network.graph.node_indices().find(|&node| matches!(network.graph[node], Node::Input(_)));
    found.expect("a network has an input")
}

/// Refuses more blocks than a chip can hold, before anything is made for each of them.
fn too_many_blocks(network: &Network, most: u64, chip: &str) -> Result<(), Vec<Diagnostic>> {
    let layers: Vec<_> = network.layers().map(|node| network.layer(node)).collect();
    let blocks: u64 = layers.iter().map(|layer| u64::from(layer.blocks())).sum::<u64>() + 1;
    let Some(largest) = layers.iter().max_by_key(|layer| layer.blocks()).filter(|_| blocks > most) else {
        return Ok(());
    };
    let message =
        format!("the network does not fit chip `{chip}`: it has {blocks} blocks, the chip has room for {most}");
    Err(vec![
        Diagnostic::new(largest.span.clone(), message)
            .label(format!("{} blocks of {} neurons", largest.blocks(), largest.block))
            .help("larger blocks, so fewer of them, fewer neurons, or a chip with more cores (--chip)"),
    ])
}

/// A layer that keeps what windows were has a neuron in each element of a vector, a convolution one of a row.
fn too_long(network: &Network, node: NodeIndex, chip: &Chip) -> Option<Diagnostic> {
    let layer = network.layer(node);
    let length = u32::from(chip.core.vector_length);
    let error = |message: String| Diagnostic::new(layer.span.clone(), message);
    let note =
        |what: &str| format!("chip `{}` computes with vectors of at most {length} elements, one a {what}", chip.name);
    let LayerKind::Convolution(convolution) = &layer.kind else {
        return (layer.block > length).then(|| {
            error(format!("the blocks of layer `{}` are too large", layer.name))
                .label(format!("blocks of {} neurons", layer.block))
                .note(note("neuron"))
                .help(format!(
                    "give the layer the option `block = {length}` or less, or choose a chip with longer vectors"
                ))
        });
    };
    // A row of a kernel may be longer than one of the plane.
    let places = layer.shape[2].max(convolution.kernel[1].div_ceil(convolution.stride[1]));
    let fitting = length / places;
    (layer.block > fitting).then(|| {
        let error = error(format!("the rows of layer `{}` are too long", layer.name))
            .label(format!("rows of {places} places, blocks of {} channels", layer.block))
            .note(note("neuron of a row"));
        match fitting {
            0 => error.help("a larger stride, or a chip with longer vectors"),
            _ => error.help(format!(
                "give the layer the option `block = {fitting}` or less, or choose a chip with longer vectors"
            )),
        }
    })
}

impl Cutter<'_> {
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

    /// Where blocks that need every source hear from.
    fn all_inlets(&self, node: NodeIndex, sources: &[Source]) -> Inlets {
        let mut inlets = Inlets::tagged(self.tag_source(node));
        for source in sources {
            inlets.add(source.from, Channel::Spikes, source.count);
        }
        inlets
    }

    fn push(&mut self, node: NodeIndex, first_neuron: u32, neurons: u32, order: Order, tagged: bool) {
        self.planned.push(PlannedBlock {
            node,
            first_neuron,
            neurons,
            order,
            relays: None,
            tagged,
            inlets: Arc::default(),
            axons: 0,
            program: ProgramIndex::default(),
        });
    }

    /// Gives blocks from `first` on the same inlets.
    fn share(&mut self, first: BlockIndex, inlets: Inlets) {
        let shared = Arc::new(inlets.inlets);
        for block in &mut self.planned[first..] {
            block.inlets = Arc::clone(&shared);
            block.axons = inlets.axons;
        }
    }

    /// Runs of neurons.
    fn cut(&mut self, node: NodeIndex, neurons: u32, block: u32) {
        for first in (0..neurons).step_by(block.max(1) as usize) {
            self.push(node, first, block.min(neurons - first), Order::Straight, true);
        }
    }

    fn layer(&mut self, node: NodeIndex, layer: &Layer) {
        let sources = sources(self.network, node, &self.blocks, &self.planned, self.cuts);
        let first = self.planned.next_key();
        match &layer.kind {
            LayerKind::Dense | LayerKind::Sparse(_) => {
                let mut inlets = self.all_inlets(node, &sources);
                self.cut(node, layer.neurons(), self.cuts.blocks[&node].block);
                self.other_inlets(node, layer, first, &mut inlets);
                self.share(first, inlets);
            }
            LayerKind::Convolution(convolution) => self.convolution(node, layer, convolution, &sources),
        }
        self.sources.insert(node, sources);
    }

    /// Behind what the source sends: where the target's lines come in, if the layer has a projection of them, and the layer's
    /// own spikes.
    fn other_inlets(&self, node: NodeIndex, layer: &Layer, first: BlockIndex, inlets: &mut Inlets) {
        let network = self.network;
        let is_target = |source: &NodeIndex| matches!(network.graph[*source], Node::Target(_));
        if let (Some(target), Some(lines)) = (network.sources(node).into_iter().find(is_target), network.target()) {
            inlets.add(PlannedSource::Host(target, 0), Channel::Spikes, lines.size);
        }
        if layer.recurrent.is_some() {
            for (number, block) in self.planned.iter_enumerated().skip(first.into()) {
                inlets.add(PlannedSource::Block(number), Channel::Own, block.neurons);
            }
        }
    }

    /// A block holds whole groups, or a part of one, of some rows; it hears from those it can be reached by.
    fn convolution(&mut self, node: NodeIndex, layer: &Layer, convolution: &Convolution, sources: &[Source]) {
        let input = plane(self.network.graph[self.network.signal(node)].shape());
        let [channels, height, width] = plane(&layer.shape);
        let of_group = channels / convolution.groups;
        let Cut { block, rows } = self.cuts.blocks[&node];
        let block_rows = rows.unwrap_or(height).clamp(1, height);
        let first = self.planned.next_key();
        let mut parts: Vec<(u32, u32, u32)> = Vec::new(); // first channel, channels, channels of a band
        if block >= of_group {
            let whole = block / of_group * of_group;
            parts.extend((0..channels).step_by(whole as usize).map(|c| (c, whole.min(channels - c), of_group)));
        } else {
            for group in 0..convolution.groups {
                let end = (group + 1) * of_group;
                let starts = (group * of_group..end).step_by(block.max(1) as usize);
                parts.extend(starts.map(|c| (c, block.min(end - c), block.min(end - c))));
            }
        }
        for &(first_channel, count, band) in &parts {
            for first_row in (0..height).step_by(block_rows as usize) {
                let rows = block_rows.min(height - first_row);
                let plane = Plane { first_channel, channels: band, first_row, rows, height, width };
                self.push(node, first_channel * height * width, count * rows * width, Order::Plane(plane), true);
            }
        }
        let reach: Vec<(Range<u32>, Range<u32>)> = sources.iter().map(|source| extent(source, input)).collect();
        for at in indices(first..self.planned.next_key()) {
            let (rows, channels) = Kernels::new(convolution, input, &self.planned[at], 1).window();
            let mut inlets = Inlets::tagged(self.tag_source(node));
            for (source, (of_rows, of_channels)) in sources.iter().zip(&reach) {
                if overlaps(&rows, of_rows) && overlaps(&channels, of_channels) {
                    inlets.add(source.from, Channel::Spikes, source.count);
                }
            }
            self.other_inlets(node, layer, first, &mut inlets);
            // Blocks of the same rows hear from the same, if their channels are of the same groups.
            let before = (at - first).checked_sub(height.div_ceil(block_rows) as usize);
            let shared =
                before.map(|before| &self.planned[first..].raw[before]).filter(|other| *other.inlets == inlets.inlets);
            let shared = shared.map(|other| Arc::clone(&other.inlets));
            self.planned[at].inlets = shared.unwrap_or_else(|| Arc::new(inlets.inlets));
            self.planned[at].axons = inlets.axons;
        }
    }

    /// Whole channels of a pool by maximum; a block hears from those that feed its channels.
    fn maximum(&mut self, node: NodeIndex, pool: &Pool) {
        let sources = sources(self.network, node, &self.blocks, &self.planned, self.cuts);
        let input = plane(self.network.graph[self.network.signal(node)].shape());
        let [channels, height, width] = plane(&pool.shape);
        let reach: Vec<_> = sources.iter().map(|source| extent(source, input).1).collect();
        let block = self.cuts.blocks[&node].block.max(1);
        for first_channel in (0..channels).step_by(block as usize) {
            let of_block = first_channel..channels.min(first_channel + block);
            let mut inlets = Inlets::tagged(self.tag_source(node));
            for (source, of_source) in sources.iter().zip(&reach) {
                if overlaps(&of_block, of_source) {
                    inlets.add(source.from, Channel::Spikes, source.count);
                }
            }
            let first = self.planned.next_key();
            let place = height * width;
            self.push(node, first_channel * place, (of_block.end - first_channel) * place, Order::Straight, true);
            self.share(first, inlets);
        }
        self.sources.insert(node, sources);
    }

    /// Each block of a delay passes on what comes from senders that follow each other, as many as fit.
    fn delay(&mut self, node: NodeIndex, delay: &Delay) {
        let sources = sources(self.network, node, &self.blocks, &self.planned, self.cuts);
        let memory = &self.chip.memory;
        // Some words are needed beside the ring; values, which come from the host alone, take twice the room.
        let held = if delay.window == WindowShift::Stays { delay.steps } else { delay.steps - 1 };
        let of_ring = memory.neuron_bytes.saturating_sub(8 + 4 * delay.steps) / (2 * held).max(1);
        let most = memory.axons.saturating_sub(1).min(of_ring).max(1);
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
            let inlets = self.all_inlets(node, taken);
            let first = self.planned.next_key();
            let feeds = taken.iter().flat_map(|source| (0..source.count).map(|index| source.feeds.of(index).collect()));
            let relays: Vec<Vec<Feed>> = feeds.collect();
            let neurons = relays.len() as u32;
            self.push(node, done, neurons, Order::Straight, true);
            done += neurons;
            self.planned[first].relays = Some(Arc::new(relays));
            self.share(first, inlets);
        }
        self.sources.insert(node, sources);
    }

    fn readout(&mut self, node: NodeIndex, kind: ReadoutKind, classes: u32) {
        let first = self.planned.next_key();
        let source = self.network.signal(node);
        match kind {
            ReadoutKind::Spikes => {}
            ReadoutKind::MostSpikes | ReadoutKind::Trained(_) | ReadoutKind::TargetTree(_) => {
                let mut inlets = Inlets::tagged(self.tag_source(node));
                let mut neurons = 0;
                for number in indices(self.blocks[&source].clone()) {
                    let count = self.planned[number].neurons;
                    inlets.add(PlannedSource::Block(number), Channel::Spikes, count);
                    neurons += count;
                }
                if let Some(target) = value_target(self.network, node) {
                    let size = self.network.graph[target].shape()[0];
                    inlets.add(PlannedSource::Host(target, 0), Channel::Spikes, size);
                    self.cut(node, size, u32::from(self.chip.core.vector_length));
                } else {
                    let neurons = if kind == ReadoutKind::MostSpikes { neurons } else { classes };
                    self.push(node, 0, neurons, Order::Straight, true);
                }
                self.share(first, inlets);
            }
            ReadoutKind::NearestTarget => {
                let mut inlets = Inlets::default();
                for number in indices(self.blocks[&source].clone()) {
                    inlets.add(PlannedSource::Block(number), Channel::Scores, classes);
                }
                self.push(node, 0, classes, Order::Straight, false);
                self.share(first, inlets);
            }
        }
    }
}

fn overlaps(a: &Range<u32>, b: &Range<u32>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The rows and channels of a plane that a source feeds at most.
fn extent(source: &Source, [channels, height, width]: [u32; 3]) -> (Range<u32>, Range<u32>) {
    if matches!(source.feeds, Feeds::Straight { first: 0 }) && source.count == channels * height * width {
        return (0..height, 0..channels);
    }
    let mut feeds = (0..source.count).flat_map(|index| source.feeds.of(index));
    let place = |feed: Feed| (feed.place / width % height, feed.place / (height * width));
    let Some((row, channel)) = feeds.next().map(place) else { return (0..0, 0..0) };
    let (mut rows, mut of) = (row..row + 1, channel..channel + 1);
    for (row, channel) in feeds.map(place) {
        rows = rows.start.min(row)..rows.end.max(row + 1);
        of = of.start.min(channel)..of.end.max(channel + 1);
    }
    (rows, of)
}

impl Pass for Partition {
    fn name(&self) -> &'static str {
        "partition"
    }

    fn description(&self) -> &'static str {
        "cut layers into blocks and number their axons"
    }

    fn products(&self) -> (&'static [Product], Product) {
        (&[Product::Layers, Product::Cuts], Product::Blocks)
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        let network = compilation.network();
        let chip = &compilation.options.chip;
        too_many_blocks(network, chip.mesh.cores() as u64 * u64::from(chip.core.blocks), &chip.name)?;
        let mut cutter = Cutter {
            network,
            chip,
            cuts: &compilation.cuts,
            planned: TiVec::new(),
            blocks: BTreeMap::new(),
            sources: BTreeMap::new(),
        };
        let mut errors = Vec::new();
        for node in network.graph.node_indices() {
            let first = cutter.planned.next_key();
            match &network.graph[node] {
                Node::Layer(layer) => {
                    let keeps_windows = compilation.layers[&node].record.is_some();
                    errors.extend(too_long(network, node, cutter.chip).filter(|_| keeps_windows));
                    cutter.layer(node, layer);
                }
                Node::Pool(pool) if pool.kind == PoolKind::Maximum => cutter.maximum(node, pool),
                Node::Delay(delay) => cutter.delay(node, delay),
                Node::Readout(readout) => {
                    let classes = network.classes();
                    let length = u32::from(chip.core.vector_length);
                    let compares = matches!(readout.kind, ReadoutKind::NearestTarget | ReadoutKind::Trained(_));
                    if compares && classes > length {
                        errors.push(
                            Diagnostic::new(readout.span.clone(), "too many classes for this chip")
                                .label(format!("{classes} classes"))
                                .note(format!(
                                    "chip `{}` compares at most {length} scores, the length of its vectors",
                                    chip.name
                                ))
                                .help("choose a chip with longer vectors"),
                        );
                    }
                    cutter.readout(node, readout.kind, classes);
                }
                _ => {}
            }
            let blocks = first..cutter.planned.next_key();
            if !matches!(network.graph[node], Node::Flatten(_) | Node::Add(_)) {
                cutter.blocks.insert(node, blocks);
            }
        }
        let (planned, sources) = (cutter.planned, cutter.sources);
        compilation.blocks = planned;
        compilation.sources = sources;
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Axons of a block follow each other without gaps, and all neurons of a node are in some block.
    fn verify(&self, compilation: &Compilation) -> Result<(), String> {
        for (number, block) in compilation.blocks.iter_enumerated() {
            let firsts: Vec<u32> = block.inlets.iter().map(|inlet| inlet.first_axon).collect();
            if firsts.first().is_some_and(|&first| first != 0)
                || !firsts.is_sorted()
                || firsts.last() > Some(&block.axons)
            {
                return Err(format!("the axons of block {number} do not tile: {firsts:?} of {}", block.axons));
            }
        }
        let network = compilation.network();
        let missing = network.layers().find(|&node| {
            let of_node = compilation.blocks.iter().filter(|block| block.node == node);
            of_node.map(|block| block.neurons).sum::<u32>() != network.layer(node).neurons()
        });
        missing
            .map_or(Ok(()), |node| Err(format!("neurons of `{}` are in no block, or in two", network.layer(node).name)))
    }

    fn amounts(&self, compilation: &Compilation) -> Vec<(u64, &'static str)> {
        let blocks = &compilation.blocks;
        let axons = blocks.iter().map(|block| u64::from(block.axons)).sum();
        vec![(blocks.len() as u64, "block"), (axons, "axon")]
    }

    fn emit(&self, compilation: &Compilation) -> String {
        let network = compilation.network();
        let mut text = String::new();
        for (number, block) in compilation.blocks.iter_enumerated() {
            let name = network.graph[block.node].name();
            match block.order {
                Order::Straight => {
                    let end = block.first_neuron + block.neurons;
                    write!(text, "block {number}: {name} {}..{end}, {} axons", block.first_neuron, block.axons)
                }
                Order::Plane(plane) => {
                    let channels = block.neurons / (plane.rows * plane.width);
                    let (c, y) = (plane.first_channel, plane.first_row);
                    write!(
                        text,
                        "block {number}: {name} channels {c}..{}, rows {y}..{}, {} axons",
                        c + channels,
                        y + plane.rows,
                        block.axons
                    )
                }
            }
            .expect("writing to memory");
            text.push('\n');
            for inlet in &*block.inlets {
                let from = match inlet.from {
                    PlannedSource::Host(node, 0) => network.graph[node].name().to_owned(),
                    PlannedSource::Host(node, part) => format!("part {part} of {}", network.graph[node].name()),
                    PlannedSource::Block(block) => format!("block {block}"),
                };
                writeln!(text, "  axon {}: {} of {from}", inlet.first_axon, inlet.what.name())
                    .expect("writing to memory");
            }
        }
        text
    }

    fn drawing(&self) -> Option<fn(&Compilation) -> String> {
        Some(drawing::by_layer)
    }
}
