//! `partition`: layers are cut into blocks, and blocks get their axons.

use crate::pass::{Compilation, Pass};
use crate::plan::{Channel, PlannedBlock, PlannedInlet, PlannedSource};
use onward_diagnostic::Diagnostic;
use onward_net::{Network, Node};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

pub(super) struct Partition;

/// Hands out axons in the order of the sources.
struct Inlets {
    inlets: Vec<PlannedInlet>,
    axons: u32,
}

impl Inlets {
    fn add(&mut self, from: PlannedSource, what: Channel, count: u32) {
        self.inlets.push(PlannedInlet { from, what, first_axon: self.axons });
        self.axons += count;
    }
}

/// The input's node: the host's tags are counted as its.
pub(super) fn input(network: &Network) -> NodeIndex {
    let found = network.graph.node_indices().find(|&node| matches!(network.graph[node], Node::Input(_)));
    found.expect("a network has an input")
}

/// Who sends a layer its tags: the host, or the first block of the layer before.
fn tag_source(network: &Network, blocks: &BTreeMap<NodeIndex, Range<u32>>, layer: NodeIndex) -> PlannedSource {
    // Where paths of unequal length meet, the tag takes the longest.
    let source = network.sources(layer).into_iter().max_by_key(|&source| (network.lag(source), !source.index()));
    let source = source.expect("a layer has a source");
    match blocks.get(&source) {
        Some(range) => PlannedSource::Block(range.start),
        None => PlannedSource::Host(input(network)),
    }
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

impl Pass for Partition {
    fn name(&self) -> &'static str {
        "partition"
    }

    fn description(&self) -> &'static str {
        "cut layers into blocks and number their axons"
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        let network = compilation.network();
        let classes = network.classes();
        let chip = &compilation.options.chip;
        too_many_blocks(network, chip.mesh.cores() as u64 * u64::from(chip.core.blocks), &chip.name)?;
        let mut planned: Vec<PlannedBlock> = Vec::new();
        let mut blocks: BTreeMap<NodeIndex, Range<u32>> = BTreeMap::new();
        let mut errors = Vec::new();
        let length = u32::from(compilation.options.chip.core.vector_length);
        for node in network.graph.node_indices() {
            let first = planned.len() as u32;
            match &network.graph[node] {
                Node::Input(_) | Node::Target(_) | Node::Pool(_) | Node::Flatten(_) | Node::Add(_) | Node::Delay(_) => {
                    continue;
                }
                Node::Layer(layer) => {
                    if layer.block > length {
                        errors.push(
                            Diagnostic::new(layer.span.clone(), format!("the blocks of layer `{}` are too large", layer.name))
                                .label(format!("blocks of {} neurons", layer.block))
                                .note(format!(
                                    "chip `{}` computes with vectors of at most {length} elements, one a neuron",
                                    compilation.options.chip.name
                                ))
                                .help(format!("give the layer the option `block = {length}` or less, or choose a chip with longer vectors")),
                        );
                    }
                    for first_neuron in (0..layer.neurons()).step_by(layer.block as usize) {
                        let mut inlets = Inlets { inlets: Vec::new(), axons: 0 };
                        inlets.add(tag_source(network, &blocks, node), Channel::Tags, 1);
                        for source in network.sources(node) {
                            match &network.graph[source] {
                                Node::Input(input) => {
                                    inlets.add(PlannedSource::Host(source), Channel::Spikes, input.size())
                                }
                                Node::Target(target) => {
                                    inlets.add(PlannedSource::Host(source), Channel::Spikes, target.classes)
                                }
                                _ => {
                                    for block in blocks[&source].clone() {
                                        let count = planned[block as usize].neurons;
                                        inlets.add(PlannedSource::Block(block), Channel::Spikes, count);
                                    }
                                }
                            }
                        }
                        planned.push(PlannedBlock {
                            node,
                            first_neuron,
                            neurons: layer.block.min(layer.neurons() - first_neuron),
                            tagged: true,
                            inlets: inlets.inlets,
                            axons: inlets.axons,
                            handlers: 0,
                        });
                    }
                }
                Node::Readout(readout) => {
                    if classes > length {
                        errors.push(
                            Diagnostic::new(readout.span.clone(), "too many classes for this chip")
                                .label(format!("{classes} classes"))
                                .note(format!(
                                    "chip `{}` compares at most {length} scores, the length of its vectors",
                                    compilation.options.chip.name
                                ))
                                .help("choose a chip with longer vectors"),
                        );
                    }
                    let mut inlets = Inlets { inlets: Vec::new(), axons: 0 };
                    for source in network.sources(node) {
                        for block in blocks[&source].clone() {
                            inlets.add(PlannedSource::Block(block), Channel::Scores, classes);
                        }
                    }
                    planned.push(PlannedBlock {
                        node,
                        first_neuron: 0,
                        neurons: classes,
                        tagged: false,
                        inlets: inlets.inlets,
                        axons: inlets.axons,
                        handlers: 0,
                    });
                }
            }
            blocks.insert(node, first..planned.len() as u32);
        }
        compilation.blocks = planned;
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn emit(&self, compilation: &Compilation) -> String {
        let network = compilation.network();
        let mut text = String::new();
        for (number, block) in compilation.blocks.iter().enumerate() {
            let name = network.graph[block.node].name();
            let end = block.first_neuron + block.neurons;
            write!(text, "block {number}: {name} {}..{end}, {} axons", block.first_neuron, block.axons)
                .expect("writing to memory");
            if matches!(network.graph[block.node], Node::Layer(_)) {
                write!(text, ", {} rows of weights", network.inputs(block.node)).expect("writing to memory");
            }
            text.push('\n');
            for inlet in &block.inlets {
                let from = match inlet.from {
                    PlannedSource::Host(node) => network.graph[node].name().to_owned(),
                    PlannedSource::Block(block) => format!("block {block}"),
                };
                writeln!(text, "  axon {}: {} of {from}", inlet.first_axon, inlet.what.name())
                    .expect("writing to memory");
            }
        }
        text
    }
}
