//! In which order blocks run.
//!
//! What a block sends in a step is consumed in the next, so along forward edges a block can run many steps ahead of its
//! takers. Blocks that can reach each other (a recurrent layer) form a group that runs step by step; groups of one
//! level do not depend on each other.

use onward_image::BlockIndex;
use petgraph::algo::condensation;
use petgraph::graph::DiGraph;
use petgraph::visit::Topo;
use typed_index_collections::TiVec;

/// Blocks that run step by step together; a single block without a path to itself runs a whole chunk at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Blocks, ascending.
    pub blocks: Vec<BlockIndex>,
    /// Whether a path leads from it to itself.
    pub recurrent: bool,
}

/// Groups by level: each depends only on groups of lower levels. Deterministic: groups of a level are in the order of
/// their lowest block.
pub(crate) fn levels(blocks: usize, edges: impl IntoIterator<Item = (BlockIndex, BlockIndex)>) -> Vec<Vec<Group>> {
    let mut graph = DiGraph::<BlockIndex, ()>::new();
    let nodes: TiVec<BlockIndex, _> = (0..blocks).map(|block| graph.add_node(block.into())).collect();
    let mut to_itself: TiVec<BlockIndex, bool> = vec![false; blocks].into();
    for (from, to) in edges {
        graph.update_edge(nodes[from], nodes[to], ());
        to_itself[from] |= from == to;
    }
    let groups = condensation(graph, true);
    let mut level = vec![0; groups.node_count()];
    let mut levels: Vec<Vec<Group>> = Vec::new();
    let mut topological = Topo::new(&groups);
    while let Some(node) = topological.next(&groups) {
        let before = groups.neighbors_directed(node, petgraph::Direction::Incoming);
        level[node.index()] = before.map(|before| level[before.index()] + 1).max().unwrap_or(0);
        levels.resize_with(levels.len().max(level[node.index()] + 1), Vec::new);
        let mut blocks = groups[node].clone();
        blocks.sort_unstable();
        let recurrent = blocks.len() > 1 || to_itself[blocks[0]];
        levels[level[node.index()]].push(Group { blocks, recurrent });
    }
    for groups in &mut levels {
        groups.sort_by_key(|group| group.blocks[0]);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_and_loops_find_their_levels() {
        let edges = [(0, 2), (1, 2), (2, 3), (3, 4), (4, 3), (5, 5)];
        let levels = levels(6, edges.map(|(from, to): (u32, u32)| (from.into(), to.into())));
        let numbers = |group: &Group| group.blocks.iter().map(|&block| u32::from(block)).collect::<Vec<_>>();
        let plain = |level: usize| levels[level].iter().map(|g| (numbers(g), g.recurrent)).collect::<Vec<_>>();
        assert_eq!(plain(0), [(vec![0], false), (vec![1], false), (vec![5], true)]);
        assert_eq!(plain(1), [(vec![2], false)]);
        assert_eq!(plain(2), [(vec![3, 4], true)]);
    }
}
