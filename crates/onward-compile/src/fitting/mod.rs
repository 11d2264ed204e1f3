//! Fitting: how layers that do not learn are cut into blocks where the text does not say it.
//!
//! A layer that learns is cut as the network alone says, since the block is a part of its rule. Any other cut changes no answer,
//! so it is chosen for the chip. First that it fits ([`Fitter::fit`]): each layer begins as one block, and where a block is too
//! large for a core it gets fewer channels, neurons or rows, or the layers before it get fewer rows, since a block takes in all
//! of each block that reaches it. Then for what is asked ([`Fitter::improve`]): the layer whose blocks take longest is cut
//! further, as long as that brings down what a step costs by the estimate of [`probe`].

mod parts;
mod probe;

pub(crate) use parts::input_parts;

use crate::cutter::{Cutter, senders};
use crate::pass::Compilation;
use crate::plan::{Cut, Cuts};
use crate::probes::{Over, Probe, Probes, Scenarios};
use onward_net::{Layer, LayerKind, Learning, Network, Node, PoolKind, ReadoutKind};
use onward_place::Objective;
use petgraph::graph::NodeIndex;
use probe::probed;
use std::collections::BTreeSet;

/// How often a layer is cut further at most.
const MOST_SPLITS: usize = 200;
/// What a core that waits spends of what one that runs does, about: its clock and its leakage go on.
const WAITING: f64 = 0.25;
/// How much more a step may cost for a while, in one of the scenarios, on the way to cuts that pay.
const PATIENCE: f64 = 0.15;
/// A split must bring down the cost by this factor at least: a block more is a core more that leaks.
const WORTHWHILE: f64 = 0.995;

/// As the network has them, whatever the chip: as its text says, or by default.
pub(crate) fn cuts_of(network: &Network) -> Cuts {
    let mut cuts = Cuts::default();
    for node in network.graph.node_indices() {
        let cut = match &network.graph[node] {
            Node::Layer(layer) => Cut { block: layer.block, rows: layer.block_rows },
            Node::Pool(pool) if pool.kind == PoolKind::Maximum => Cut { block: pool.block, rows: None },
            Node::Delay(delay) => Cut { block: delay.shape.iter().product(), rows: None },
            _ => continue,
        };
        cuts.blocks.insert(node, cut);
    }
    cuts
}

/// Nodes whose cut is the compiler's to choose, in the order of the graph.
fn free(network: &Network) -> Vec<NodeIndex> {
    let is_free = |&node: &NodeIndex| match &network.graph[node] {
        Node::Layer(layer) => !layer.cut_said && layer.learning == Learning::None,
        Node::Pool(pool) => pool.kind == PoolKind::Maximum && !pool.cut_said,
        Node::Delay(_) => true,
        _ => false,
    };
    network.graph.node_indices().filter(is_free).collect()
}

/// The cuts of a network for a chip; and what was found out on the way, beside what is known.
pub(crate) fn fitted(compilation: &Compilation, known: Probes) -> (Cuts, Probes) {
    let network = compilation.network();
    let free = free(network);
    let mut cuts = cuts_of(network);
    cuts.input = parts::rows_of_input(network);
    let mut probes = known.of_cores(&compilation.options.chip);
    if !free.is_empty() {
        for &node in &free {
            cuts.blocks.insert(node, start(network, node, compilation.options.chip.memory.axons));
        }
        let free = free.into_iter().collect();
        let mut fitter = Fitter { network, compilation, free, probes, cuts };
        if fitter.fit() {
            fitter.improve();
        }
        (cuts, probes) = (fitter.cuts, fitter.probes);
    }
    cuts.input = input_parts(network, &compilation.options.chip, &cuts);
    (cuts, probes)
}

/// One block.
fn whole(node: &Node) -> Cut {
    match node {
        Node::Layer(Layer { kind: LayerKind::Convolution(_), shape, .. }) => {
            Cut { block: shape[0], rows: Some(shape[1]) }
        }
        Node::Layer(layer) => Cut { block: layer.neurons(), rows: None },
        Node::Pool(pool) => Cut { block: pool.shape[0], rows: None },
        Node::Delay(delay) => Cut { block: delay.shape.iter().product(), rows: None },
        _ => unreachable!("other nodes are not cut"),
    }
}

/// As few blocks as others can take in: what a block sends takes an axon for each of its neurons.
fn start(network: &Network, node: NodeIndex, axons: u32) -> Cut {
    let all = whole(&network.graph[node]);
    let is_heard = network
        .graph
        .neighbors(node)
        .any(|to| !matches!(&network.graph[to], Node::Readout(readout) if readout.kind == ReadoutKind::Spikes));
    let most = axons.saturating_sub(1).max(1);
    if !is_heard || matches!(network.graph[node], Node::Delay(_)) {
        return all;
    }
    let shape = network.graph[node].shape();
    match all.rows {
        Some(height) => {
            let of_row = shape[0] * shape[2];
            let block =
                if of_row <= most { all.block } else { smaller(&network.graph[node], (most / shape[2]).max(1)) };
            let rows = even(height, (most / (block * shape[2])).clamp(1, height));
            Cut { block, rows: Some(rows) }
        }
        None => {
            let places: u32 = if matches!(network.graph[node], Node::Pool(_)) { shape[1] * shape[2] } else { 1 };
            let block = all.block.min((most / places).max(1));
            Cut { block: smaller(&network.graph[node], block), rows: None }
        }
    }
}

struct Fitter<'a> {
    network: &'a Network,
    compilation: &'a Compilation,
    free: BTreeSet<NodeIndex>,
    probes: Probes,
    cuts: Cuts,
}

impl Fitter<'_> {
    /// Makes each block fit a core; whether that was possible. What mends a layer may cut those before it anew, so all are
    /// looked at until none changes: each change makes some block smaller, so this ends.
    fn fit(&mut self) -> bool {
        let mut fits = true;
        let mut changed = true;
        while fits && changed {
            changed = false;
            for node in self.network.graph.node_indices() {
                while let Some(over) = self.probe(node).over {
                    if !self.repair(node, over) {
                        fits = false;
                        break;
                    }
                    changed = true;
                }
            }
        }
        fits
    }

    fn probe(&mut self, node: NodeIndex) -> Probe {
        probed(&mut self.probes, self.compilation, &self.cuts, node)
    }

    /// Cuts a node, or what sends to it, into smaller blocks; whether there was a way.
    fn repair(&mut self, node: NodeIndex, over: Over) -> bool {
        match over {
            Over::Axons { needed, available } if self.network.graph[node].is_in_parts() => {
                self.shrink_block(node, needed, available)
            }
            Over::Axons { .. } => self.take_in_less(node),
            Over::Rows { needed, available } => {
                self.shrink_rows(node, needed, available) || self.shrink_block(node, needed, available)
            }
            Over::Block { needed, available } => self.shrink_block(node, needed, available),
            Over::Program => false,
        }
    }

    /// Fewer rows, by what is too much.
    fn shrink_rows(&mut self, node: NodeIndex, needed: u64, available: u64) -> bool {
        let Some(cut) = self.cuts.blocks.get_mut(&node).filter(|_| self.free.contains(&node)) else { return false };
        let Some(rows) = cut.rows.filter(|&rows| rows > 1) else { return false };
        let fitting = (u64::from(rows) * available / needed) as u32;
        let height = self.network.graph[node].shape()[1];
        cut.rows = Some(even(height, fitting.clamp(1, rows - 1)));
        true
    }

    /// Fewer channels or neurons, by what is too much.
    fn shrink_block(&mut self, node: NodeIndex, needed: u64, available: u64) -> bool {
        let Some(cut) = self.cuts.blocks.get_mut(&node).filter(|_| self.free.contains(&node)) else { return false };
        if cut.block <= 1 {
            return false;
        }
        let fitting = (u64::from(cut.block) * available / needed) as u32;
        cut.block = smaller(&self.network.graph[node], fitting.clamp(1, cut.block - 1));
        true
    }

    /// Fewer axons: a block of fewer rows, or blocks of fewer rows before it. Of the ways to do it, that with the fewest blocks
    /// in all.
    fn take_in_less(&mut self, node: NodeIndex) -> bool {
        let senders: Vec<NodeIndex> =
            senders(self.network, node).into_iter().filter(|&at| self.can_have_rows(at) || self.delays(at)).collect();
        let before = self.cuts.clone();
        let mut best: Option<(u64, Cuts)> = None;
        loop {
            let of_senders: u64 = senders.iter().map(|&sender| self.blocks(sender)).sum();
            if best.as_ref().is_some_and(|(blocks, _)| of_senders >= *blocks) {
                break;
            }
            if let Some(cut) = self.fewer_axons(node) {
                let mut cuts = self.cuts.clone();
                if let Some(cut) = cut {
                    cuts.blocks.insert(node, cut);
                }
                let blocks = of_senders + Cutter::around(self.network, self.chip(), &cuts, node).count(node);
                if best.as_ref().is_none_or(|(least, _)| blocks < *least) {
                    best = Some((blocks, cuts));
                }
            }
            // All of them one band more: those that meet in an addition are taken in together.
            let mut any = false;
            for &sender in &senders {
                any |= self.one_band_more(sender);
            }
            if !any {
                break;
            }
        }
        let found = best.is_some();
        self.cuts = best.map_or(before, |(_, cuts)| cuts);
        found
    }

    /// The cut of a node with as many rows as its axons allow, if any are few enough; nothing to change where it is no
    /// convolution.
    fn fewer_axons(&self, node: NodeIndex) -> Option<Option<Cut>> {
        let most = self.chip().memory.axons;
        let senders = Cutter::around(self.network, self.chip(), &self.cuts, node).senders(node);
        let fits =
            |cuts: &Cuts| probe::axons(&Cutter::around(self.network, self.chip(), cuts, node), node, &senders) <= most;
        if !self.can_have_rows(node) {
            return fits(&self.cuts).then_some(None);
        }
        let height = self.network.graph[node].shape()[1];
        let now = self.cuts.blocks[&node];
        let bands = bands(height).into_iter().filter(|&rows| Some(rows) <= now.rows);
        let mut cuts = self.cuts.clone();
        for rows in bands {
            let cut = Cut { rows: Some(rows), ..now };
            cuts.blocks.insert(node, cut);
            if fits(&cuts) {
                return Some(Some(cut));
            }
        }
        None
    }

    fn chip(&self) -> &onward_chip::Chip {
        &self.compilation.options.chip
    }

    fn can_have_rows(&self, node: NodeIndex) -> bool {
        self.free.contains(&node) && self.cuts.blocks[&node].rows.is_some()
    }

    fn delays(&self, node: NodeIndex) -> bool {
        matches!(self.network.graph[node], Node::Delay(_))
    }

    fn blocks(&self, node: NodeIndex) -> u64 {
        Cutter::around(self.network, self.chip(), &self.cuts, node).count(node)
    }

    fn one_band_more(&mut self, node: NodeIndex) -> bool {
        if self.delays(node) {
            return self.delay_more_apart(node);
        }
        let height = self.network.graph[node].shape()[1];
        let Some(cut) = self.cuts.blocks.get_mut(&node) else { return false };
        let smaller = bands(height).into_iter().find(|&rows| Some(rows) < cut.rows);
        if let Some(rows) = smaller {
            cut.rows = Some(rows);
        }
        smaller.is_some()
    }

    /// A delay passes on what comes from several blocks before it: from fewer in each of its blocks.
    fn delay_more_apart(&mut self, node: NodeIndex) -> bool {
        let (before, kept) = (self.blocks(node), self.cuts.blocks[&node]);
        let all = whole(&self.network.graph[node]).block;
        self.cuts.blocks.insert(node, Cut { block: all.div_ceil(before as u32 + 1), ..kept });
        let is_more = self.blocks(node) > before;
        if !is_more {
            self.cuts.blocks.insert(node, kept);
        }
        is_more
    }

    /// Cuts the layers that take longest further, as long as it pays. A cut may cost where other layers are slower than this one,
    /// until they are cut too: what stays is what pays whether many neurons are active or few.
    fn improve(&mut self) {
        let objective = self.compilation.options.placing.objective;
        let change = |to: &Costs, from: &Costs| [0, 1].map(|at| to.of(objective, at) / from.of(objective, at));
        let mut now = self.costs();
        let mut kept = (self.cuts.clone(), now);
        for _ in 0..MOST_SPLITS {
            let mut best: Option<(f64, Cuts, Costs)> = None;
            let slowest: BTreeSet<NodeIndex> = now.slowest.into_iter().flatten().collect();
            for cuts in slowest.intersection(&self.free).flat_map(|&node| self.splits(node)).collect::<Vec<_>>() {
                let before = std::mem::replace(&mut self.cuts, cuts);
                let fits = self.network.graph.node_indices().all(|node| self.probe(node).over.is_none());
                let found = self.costs();
                let [many, few] = change(&found, &now);
                let pays = many.max(few) < 1.0 + PATIENCE && many * few < WORTHWHILE && found.blocks <= self.room();
                let cuts = std::mem::replace(&mut self.cuts, before);
                if fits && pays && best.as_ref().is_none_or(|(least, ..)| many * few < *least) {
                    best = Some((many * few, cuts, found));
                }
            }
            let Some((_, cuts, found)) = best else { break };
            (self.cuts, now) = (cuts, found);
            if change(&now, &kept.1).into_iter().all(|ratio| ratio <= 1.0) {
                kept = (self.cuts.clone(), now);
            }
        }
        self.cuts = kept.0;
    }

    /// Blocks that each have a core of their own: more of them would wait for each other.
    fn room(&self) -> u64 {
        self.chip().mesh.working_cores() as u64
    }

    /// Ways of cutting a node once more.
    fn splits(&self, node: NodeIndex) -> Vec<Cuts> {
        let cut = self.cuts.blocks[&node];
        if self.delays(node) {
            return Vec::new();
        }
        let mut ways = Vec::new();
        if let Some(rows) = cut.rows {
            let height = self.network.graph[node].shape()[1];
            ways.extend(
                bands(height).into_iter().find(|&fewer| fewer < rows).map(|rows| Cut { rows: Some(rows), ..cut }),
            );
        }
        if cut.block > 1 {
            let all = whole(&self.network.graph[node]).block;
            let pieces = all.div_ceil(cut.block);
            ways.push(Cut {
                block: smaller(&self.network.graph[node], all.div_ceil(pieces + 1).min(cut.block - 1)),
                ..cut
            });
        }
        let with = |cut: Cut| {
            let mut cuts = self.cuts.clone();
            cuts.blocks.insert(node, cut);
            cuts
        };
        ways.into_iter().map(with).collect()
    }

    /// What a step costs, by estimate.
    fn costs(&mut self) -> Costs {
        let mut costs = Costs { blocks: 0, work: [0.0; 2], longest: [0.0; 2], slowest: [None; 2] };
        for node in self.network.graph.node_indices() {
            let probe = self.probe(node);
            costs.blocks += probe.blocks;
            for scenario in 0..2 {
                costs.work[scenario] += probe.work[scenario];
                if probe.longest[scenario] > costs.longest[scenario] {
                    (costs.longest[scenario], costs.slowest[scenario]) = (probe.longest[scenario], Some(node));
                }
            }
        }
        // Blocks that share a core wait for each other.
        let shared = costs.work.map(|work| work / self.room() as f64);
        costs.longest = [0, 1].map(|scenario| costs.longest[scenario].max(shared[scenario]));
        costs
    }
}

/// What a step costs.
#[derive(Clone, Copy)]
struct Costs {
    blocks: u64,
    /// Cycles of all cores.
    work: Scenarios,
    /// Cycles of the step.
    longest: Scenarios,
    /// The node whose blocks take longest.
    slowest: [Option<NodeIndex>; 2],
}

impl Costs {
    /// What an objective says of them; less is better.
    fn of(&self, objective: Objective, scenario: usize) -> f64 {
        let (work, longest) = (self.work[scenario], self.longest[scenario]);
        let waits = (self.blocks as f64 * longest - work).max(0.0);
        let energy = work + WAITING * waits;
        match objective {
            Objective::Energy => energy,
            Objective::Latency => longest,
            Objective::Hops | Objective::Congestion => energy * longest,
        }
    }
}

/// How many neurons and lines send to a node that is no readout, its own not counted.
pub(crate) fn fan_in(network: &Network, node: NodeIndex) -> u64 {
    let sends = |at: NodeIndex| match &network.graph[at] {
        Node::Input(_) | Node::Layer(_) | Node::Delay(_) | Node::Target(_) => true,
        Node::Pool(pool) => pool.kind == PoolKind::Maximum,
        _ => false,
    };
    let mut found = BTreeSet::new();
    let mut open = network.sources(node);
    while let Some(at) = open.pop() {
        match sends(at) {
            true => drop(found.insert(at)),
            false => open.extend(network.sources(at)),
        }
    }
    found.into_iter().map(|at| network.graph[at].shape().iter().map(|&size| u64::from(size)).product::<u64>()).sum()
}

/// Rows of bands of nearly the same height, the most rows first.
fn bands(height: u32) -> Vec<u32> {
    let mut all: Vec<u32> = (1..=height).map(|count| height.div_ceil(count)).collect();
    all.dedup();
    all
}

/// At most so many rows, in bands of nearly the same height.
fn even(height: u32, rows: u32) -> u32 {
    height.div_ceil(height.div_ceil(rows))
}

/// At most so many channels or neurons, in blocks of nearly the same size: whole groups where a block holds one, and a multiple
/// of 16, the lanes of most chips, where that is no more blocks.
fn smaller(node: &Node, most: u32) -> u32 {
    let (all, group) = match node {
        Node::Layer(Layer { kind: LayerKind::Convolution(convolution), shape, .. }) => {
            (shape[0], shape[0] / convolution.common_groups())
        }
        Node::Layer(layer) => (layer.neurons(), 1),
        _ => (node.shape()[0], 1),
    };
    if most >= group && group > 1 {
        return most / group * group;
    }
    let all = if group > 1 { group } else { all };
    let block = even(all, most.min(all));
    let rounded = block.div_ceil(16) * 16;
    if rounded <= most { rounded } else { block }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_nearly_of_the_same_height() {
        assert_eq!(bands(8), [8, 4, 3, 2, 1]);
        assert_eq!(even(32, 7), 7);
        assert_eq!(even(32, 20), 16);
        assert_eq!(even(1, 1), 1);
    }
}
