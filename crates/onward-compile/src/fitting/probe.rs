//! What a block of a node needs and how long it takes, found out by making one.
//!
//! Needs are exact: handlers are written and memories laid out as `generate` does it. Time is an estimate, with a fifth of the
//! inputs active in a step, as placement takes it, and of the neurons either many or few: how many is not known before a run.

use crate::connect::{Connection, Part, PartKind, Sums, Table};
use crate::cutter::{Cutter, Inlets, Senders, senders};
use crate::pass::Compilation;
use crate::passes::generate::{MOST_TAPS, Planned, handlers, table_limits};
use crate::plan::{Cuts, PlannedBlock, PlannedSource};
use crate::probes::{Over, Probe, Probes, Scenarios};
use onward_chip::Chip;
use onward_image::{BlockIndex, Order, indices};
use onward_net::{LayerKind, Network, Node};
use petgraph::graph::NodeIndex;
use std::sync::Arc;

/// One input in so many spikes in a step.
const INPUTS_A_SPIKE: f64 = 5.0;
/// One neuron in so many, where many are active, as placement takes it, and where few are.
const NEURONS_A_SPIKE: Scenarios = [4.0, 16.0];

/// What a block of a node needs and how long it takes, unless it is known.
pub(super) fn probed(probes: &mut Probes, compilation: &Compilation, cuts: &Cuts, node: NodeIndex) -> Probe {
    let network = compilation.network();
    let mut nodes: Vec<NodeIndex> = senders(network, node).into_iter().collect();
    nodes.push(node);
    let cuts_of = nodes.into_iter().filter_map(|node| Some((node, *cuts.blocks.get(&node)?))).collect();
    *probes.known.entry((node, cuts_of)).or_insert_with(|| probe(compilation, cuts, node))
}

/// Blocks of a node that all others are like, with where they hear from: of those with its first channels the one with the
/// most axons, and the first and the last of all; `listed` is that with the most connections, where they are listed.
fn representatives(
    cutter: &Cutter,
    node: NodeIndex,
    senders: &Senders,
    listed: Option<BlockIndex>,
) -> Vec<(BlockIndex, Inlets)> {
    let all: Vec<BlockIndex> = indices(cutter.blocks(node)).collect();
    let Some((&first, &last)) = all.first().zip(all.last()) else { return Vec::new() };
    let channel = |number: BlockIndex| match cutter.planned[number].order {
        Order::Plane(plane) => plane.first_channel,
        Order::Straight => 0,
    };
    let beside = all.into_iter().take_while(|&number| channel(number) == channel(first));
    // Those of runs of neurons all hear from the same.
    let beside = beside.take(if cutter.planned[first].order == Order::Straight { 1 } else { usize::MAX });
    let with_inlets = |number| (number, cutter.inlets(number, senders));
    let most = beside.map(with_inlets).max_by_key(|(number, inlets)| (inlets.axons, std::cmp::Reverse(*number)));
    let mut some: Vec<(BlockIndex, Inlets)> = most.into_iter().collect();
    // Of blocks that add up parts, those for the same block, one a part.
    let summed = cutter.planned[listed.unwrap_or(first)].first_neuron;
    let adders = indices(cutter.blocks_of_parts(node)).filter(|&number| cutter.planned[number].first_neuron == summed);
    let adders: Vec<BlockIndex> = adders.collect();
    for number in [first, last].into_iter().chain(listed).chain(adders) {
        if some.iter().all(|(known, _)| *known != number) {
            some.push(with_inlets(number));
        }
    }
    some
}

/// The block of a node with the most connections, of a layer that lists them.
fn most_connections(compilation: &Compilation, cutter: &Cutter, node: NodeIndex) -> Option<BlockIndex> {
    let connections = &compilation.layers.get(&node)?.parameters.connections;
    let first = cutter.blocks(node).start;
    let block = cutter.planned.get(first)?.neurons.max(1);
    let mut counts = vec![0_u32; cutter.blocks(node).end - first];
    connections.iter().for_each(|(_, neuron)| counts[(neuron / block) as usize] += 1);
    let most = (0..counts.len()).max_by_key(|&at| counts[at]).filter(|_| !connections.is_empty());
    most.map(|at| BlockIndex::from(usize::from(first) + at))
}

/// The most axons that a block of a node has.
pub(super) fn axons(cutter: &Cutter, node: NodeIndex, senders: &Senders) -> u32 {
    representatives(cutter, node, senders, None).into_iter().map(|(_, inlets)| inlets.axons).max().unwrap_or(0)
}

fn probe(compilation: &Compilation, cuts: &Cuts, node: NodeIndex) -> Probe {
    let (network, chip) = (compilation.network(), &compilation.options.chip);
    let cutter = Cutter::around(network, chip, cuts, node);
    let blocks = cutter.count(node);
    let mut found = Probe { blocks, over: None, longest: [0.0; 2], work: [0.0; 2] };
    if blocks == 0 {
        return found;
    }
    let senders =
        if matches!(network.graph[node], Node::Readout(_)) { Senders::default() } else { cutter.senders(node) };
    let some = representatives(&cutter, node, &senders, most_connections(compilation, &cutter, node));
    let most = some.iter().map(|(_, inlets)| inlets.axons).max().unwrap_or(0);
    if most > chip.memory.axons {
        found.over = Some(Over::Axons { needed: most.into(), available: chip.memory.axons.into() });
        return found;
    }
    let mut times = Vec::new();
    for (number, inlets) in some {
        let block =
            PlannedBlock { axons: inlets.axons, inlets: Arc::new(inlets.inlets), ..cutter.planned[number].clone() };
        // A readout's handlers look at the blocks that send to it.
        let planned = Planned { compilation, blocks: &cutter.planned, sources: &senders.sources };
        let (made, connection) = handlers(&planned, &block);
        found.over = found.over.or_else(|| over(network, chip, &block, &made.layout.bytes(), connection.as_ref()));
        let words = made.text.lines().filter(|line| line.starts_with(' ')).count();
        if words > chip.memory.instruction_words as usize {
            found.over = Some(Over::Program);
        }
        times.push(cycles(network, chip, &block, connection.as_ref()));
    }
    for scenario in 0..2 {
        let of_scenario = || times.iter().map(|times: &Scenarios| times[scenario]);
        found.longest[scenario] = of_scenario().fold(0.0, f64::max);
        found.work[scenario] = of_scenario().sum::<f64>() / times.len() as f64 * blocks as f64;
    }
    found
}

/// What of a block does not fit a core.
fn over(
    network: &Network,
    chip: &Chip,
    block: &PlannedBlock,
    [neuron, axon, synapse]: &[u64; 3],
    connection: Option<&Connection>,
) -> Option<Over> {
    let memory = &chip.memory;
    let too_much = |needed: u64, available: u32| needed > u64::from(available);
    let node = &network.graph[block.node];
    if too_much(*axon, memory.axon_bytes) {
        return Some(Over::Rows { needed: *axon, available: memory.axon_bytes.into() });
    }
    if too_much(*synapse, memory.synapse_bytes) {
        return Some(Over::Block { needed: *synapse, available: memory.synapse_bytes.into() });
    }
    if too_much(*neuron, memory.neuron_bytes) {
        return Some(Over::Rows { needed: *neuron, available: memory.neuron_bytes.into() });
    }
    // A table's numbers are those of sums, which grow with rows and channels, or of taps.
    table_limits(node, connection).first().map(|_| {
        let has_most_taps =
            |part: &Part| matches!(&part.kind, PartKind::Kernels { kernels, .. } if kernels.all_taps() > MOST_TAPS);
        match connection.is_some_and(|connection| connection.parts.iter().any(has_most_taps)) {
            true => Over::Block { needed: 2, available: 1 },
            false => Over::Rows { needed: 2, available: 1 },
        }
    })
}

/// Cycles of a block in a step.
fn cycles(network: &Network, chip: &Chip, block: &PlannedBlock, connection: Option<&Connection>) -> Scenarios {
    let lanes = u32::from(chip.core.lanes);
    let beats = |elements: u32| f64::from(elements.div_ceil(lanes));
    let from_host = block.inlets.iter().all(|inlet| matches!(inlet.from, PlannedSource::Host(..)));
    let shares = if from_host { [INPUTS_A_SPIKE; 2] } else { NEURONS_A_SPIKE };
    let Some(connection) = connection else { return shares.map(|share| f64::from(block.axons) * 6.0 / share + 50.0) };
    let in_register = connection.sums == Sums::Register;
    let mut events = 0.0;
    for part in &connection.parts {
        events += match &part.kind {
            // A row is added by one instruction into a register, else loaded, added and stored strip by strip.
            PartKind::Rows { table, .. } => {
                let row = if in_register { 2.0 + beats(block.neurons) } else { 6.0 + 3.0 * beats(block.neurons) };
                entries(table, part.axons) * row + f64::from(part.axons)
            }
            PartKind::Kernels { kernels, table } => {
                let row = 3.0 * beats(kernels.longest_run()) + 3.0;
                entries(table, part.axons) * (8.0 + f64::from(kernels.kernel_rows()) * row)
                    + 5.0 * f64::from(part.axons)
            }
            PartKind::Pairs { pairs, .. } => 7.0 * pairs.len() as f64 + 5.0 * f64::from(part.axons),
            PartKind::Marks { .. } => 5.0 * f64::from(part.axons),
            PartKind::Values { .. } => 0.0,
        };
    }
    let sums = match connection.sums {
        Sums::Register => 0.0,
        Sums::Memory { elements, .. } => 2.0 * beats(elements),
    };
    let neuron = if matches!(&network.graph[block.node], Node::Layer(layer) if layer.kind != LayerKind::Dense) {
        12.0
    } else {
        10.0
    };
    // Sums of parts nearly all come in each step.
    let values = connection.parts.iter().filter(|part| matches!(part.kind, PartKind::Values { .. }));
    let values: f64 = values.map(|part| 6.0 * f64::from(part.axons)).sum();
    shares.map(|share| events / share + values + neuron * beats(block.neurons) + sums + 40.0)
}

/// Entries of a table that lead somewhere.
fn entries(table: &Table, axons: u32) -> f64 {
    match table {
        Table::Identity => f64::from(axons),
        _ => table.entries().iter().filter(|entry| entry.value >= 0).count() as f64,
    }
}
