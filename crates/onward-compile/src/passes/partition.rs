//! `partition`: layers are cut into blocks, and blocks get their axons.

use crate::cutter::{Cutter, Inlets, Senders};
use crate::drawing;
use crate::pass::{Compilation, Pass, Product};
use crate::plan::{Cut, Cuts, PlannedBlock, PlannedInlet, PlannedSource};
use onward_chip::Chip;
use onward_diagnostic::Diagnostic;
use onward_image::{BlockIndex, Order, indices};
use onward_net::{LayerKind, Network, Node, Readout, ReadoutKind};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use typed_index_collections::TiVec;

/// Refuses more blocks than a chip can hold, before anything is made for each of them.
fn too_many_blocks(network: &Network, cuts: &Cuts, most: u64, chip: &str) -> Result<(), Vec<Diagnostic>> {
    let of_layer = |node: NodeIndex| {
        let Cut { block, rows } = cuts.blocks[&node];
        (network.layer(node).cut_into(block, rows), block, network.layer(node))
    };
    let layers: Vec<_> = network.layers().map(of_layer).collect();
    let blocks: u64 = layers.iter().map(|(blocks, ..)| u64::from(*blocks)).sum::<u64>() + 1;
    let Some(&(count, block, largest)) = layers.iter().max_by_key(|(blocks, ..)| *blocks).filter(|_| blocks > most)
    else {
        return Ok(());
    };
    let message =
        format!("the network does not fit chip `{chip}`: it has {blocks} blocks, the chip has room for {most}");
    Err(vec![
        Diagnostic::new(largest.span.clone(), message)
            .label(format!("{count} blocks of {block} neurons"))
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

/// Scores of classes lie in a vector where they are compared.
fn too_many_classes(network: &Network, readout: &Readout, chip: &Chip) -> Option<Diagnostic> {
    let (classes, length) = (network.classes(), u32::from(chip.core.vector_length));
    let compares = matches!(readout.kind, ReadoutKind::NearestTarget | ReadoutKind::Trained(_));
    (compares && classes > length).then(|| {
        Diagnostic::new(readout.span.clone(), "too many classes for this chip")
            .label(format!("{classes} classes"))
            .note(format!("chip `{}` compares at most {length} scores, the length of its vectors", chip.name))
            .help("choose a chip with longer vectors")
    })
}

pub(super) const PASS: Pass = Pass {
    name: "partition",
    description: "cut layers into blocks and number their axons",
    needs: &[Product::Layers, Product::Cuts],
    makes: Product::Blocks,
    run,
    verify: Some(verify),
    amounts,
    emit,
    drawing: Some(drawing::by_layer),
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let network = compilation.network();
    let chip = &compilation.options.chip;
    too_many_blocks(
        network,
        &compilation.cuts,
        chip.mesh.working_cores() as u64 * u64::from(chip.core.blocks),
        &chip.name,
    )?;
    let mut errors = Vec::new();
    for node in network.graph.node_indices() {
        match &network.graph[node] {
            Node::Layer(_) if compilation.layers[&node].record.is_some() => {
                errors.extend(too_long(network, node, chip))
            }
            Node::Readout(readout) => errors.extend(too_many_classes(network, readout, chip)),
            _ => {}
        }
    }
    let cutter = Cutter::new(network, chip, &compilation.cuts);
    let mut sources = BTreeMap::new();
    let mut inlets: TiVec<BlockIndex, (Arc<Vec<PlannedInlet>>, u32)> = TiVec::new();
    for node in network.graph.node_indices() {
        let blocks = cutter.blocks(node);
        if blocks.is_empty() {
            continue;
        }
        let senders = match &network.graph[node] {
            Node::Readout(_) => Senders::default(),
            _ => cutter.senders(node),
        };
        // Blocks of the same rows hear from the same, if their channels are of the same groups.
        let mut known: BTreeMap<u32, Arc<Vec<PlannedInlet>>> = BTreeMap::new();
        for number in indices(blocks).chain(indices(cutter.blocks_of_parts(node))) {
            // So do blocks that add up the same part.
            let row = match cutter.planned[number] {
                PlannedBlock { order: Order::Plane(plane), .. } => plane.first_row,
                PlannedBlock { part, .. } => part.map_or(0, |part| part + 1),
            };
            let Inlets { inlets: made, axons } = cutter.inlets(number, &senders);
            let shared = known.get(&row).filter(|known| ***known == made).cloned();
            let shared = shared.unwrap_or_else(|| Arc::new(made));
            known.insert(row, Arc::clone(&shared));
            inlets.push((shared, axons));
        }
        if !matches!(network.graph[node], Node::Readout(_)) {
            sources.insert(node, senders.sources);
        }
    }
    let mut planned = cutter.planned;
    for (block, (inlets, axons)) in planned.iter_mut().zip(inlets) {
        (block.inlets, block.axons) = (inlets, axons);
    }
    compilation.blocks = planned;
    compilation.sources = sources;
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Axons of a block follow each other without gaps, and all neurons of a node are in some block.
fn verify(compilation: &Compilation) -> Result<(), String> {
    for (number, block) in compilation.blocks.iter_enumerated() {
        let firsts: Vec<u32> = block.inlets.iter().map(|inlet| inlet.first_axon).collect();
        if firsts.first().is_some_and(|&first| first != 0) || !firsts.is_sorted() || firsts.last() > Some(&block.axons)
        {
            return Err(format!("the axons of block {number} do not tile: {firsts:?} of {}", block.axons));
        }
    }
    let network = compilation.network();
    let missing = network.layers().find(|&node| {
        let of_node = compilation.blocks.iter().filter(|block| block.node == node && block.part.is_none());
        of_node.map(|block| block.neurons).sum::<u32>() != network.layer(node).neurons()
    });
    missing.map_or(Ok(()), |node| Err(format!("neurons of `{}` are in no block, or in two", network.layer(node).name)))
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    let blocks = &compilation.blocks;
    let axons = blocks.iter().map(|block| u64::from(block.axons)).sum();
    vec![(blocks.len() as u64, "block"), (axons, "axon")]
}

fn emit(compilation: &Compilation) -> String {
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
            writeln!(text, "  axon {}: {} of {from}", inlet.first_axon, inlet.what.name()).expect("writing to memory");
        }
    }
    text
}
