//! Parts of an input that are sent on their own, so that a block takes in only the rows that reach it.

use crate::cutter::{Cutter, senders};
use crate::plan::{Cuts, PlannedSource};
use onward_chip::Chip;
use onward_image::indices;
use onward_net::{LayerKind, Network, Node, plane};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;

/// Indices of a part of an input that is no plane.
const PART: u32 = 64;

/// The input.
fn input(network: &Network) -> Option<NodeIndex> {
    network.graph.node_indices().find(|&node| matches!(network.graph[node], Node::Input(_)))
}

/// The input row by row, if a convolution takes it in or a layer whose inputs are added up in parts; so little as can be is
/// taken in then.
pub(super) fn rows_of_input(network: &Network) -> Vec<u32> {
    let Some(node) = input(network) else { return Vec::new() };
    let takes_in = |at: NodeIndex| {
        matches!(&network.graph[at], Node::Layer(layer) if layer.in_parts || matches!(layer.kind, LayerKind::Convolution(_)))
            && senders(network, at).contains(&node)
    };
    if !network.graph.node_indices().any(takes_in) {
        return Vec::new();
    }
    let shape = network.graph[node].shape();
    let [channels, height, width] = plane(shape);
    let size = channels * height * width;
    let row = if height > 1 { width } else { PART };
    (0..size.div_ceil(row)).map(|at| at * row).collect()
}

/// The parts of an input that is sent to blocks that are cut in a way: neighbouring rows that go to the same blocks are one.
pub(crate) fn input_parts(network: &Network, chip: &Chip, cuts: &Cuts) -> Vec<u32> {
    if cuts.input.is_empty() {
        return Vec::new();
    }
    let Some(input) = input(network) else { return Vec::new() };
    let cutter = Cutter::new(network, chip, cuts);
    let mut takers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for node in network.graph.node_indices() {
        let hears = !matches!(network.graph[node], Node::Readout(_)) && senders(network, node).contains(&input);
        if !hears || cutter.blocks(node).is_empty() {
            continue;
        }
        let senders = cutter.senders(node);
        for number in indices(cutter.blocks(node)).chain(indices(cutter.blocks_of_parts(node))) {
            for inlet in cutter.inlets(number, &senders).inlets {
                if let PlannedSource::Host(of, part) = inlet.from
                    && of == input
                {
                    takers.entry(part).or_default().push(number.into());
                }
            }
        }
    }
    let mut firsts: Vec<u32> = Vec::new();
    let mut before: Option<Option<&Vec<u32>>> = None;
    for (part, &first) in (0..).zip(&cuts.input) {
        let of_part = takers.get(&part);
        if before != Some(of_part) {
            firsts.push(first);
        }
        before = Some(of_part);
    }
    if firsts.len() > 1 { firsts } else { Vec::new() }
}
