//! Flits and multicast trees: how a packet gets to several takers.

use onward_chip::Chip;
use onward_image::{Delivery, Destination, Endpoint, Flit, Tile, Tree, TreeIndex, dimension_order_tree};
use std::collections::BTreeMap;

/// Who takes a route's packets, by tile; a tile with several blocks may be there several times.
pub(crate) type Takers = BTreeMap<Tile, Vec<Delivery>>;

/// Makes trees, each once, as long as the routers' tables have room.
pub(crate) struct Trees<'a> {
    chip: &'a Chip,
    trees: Vec<Tree>,
    known: BTreeMap<(Endpoint, Vec<Tile>), TreeIndex>,
    /// Entries of each router's table.
    entries: Vec<u32>,
    /// Entries of each core's inlet table, one a flit of a route that ends there (rule RT3).
    inlets: Vec<u32>,
}

impl<'a> Trees<'a> {
    /// No trees yet.
    pub fn new(chip: &'a Chip) -> Self {
        Trees {
            chip,
            trees: Vec::new(),
            known: BTreeMap::new(),
            entries: vec![0; chip.mesh.tiles()],
            inlets: vec![0; chip.mesh.tiles()],
        }
    }

    /// The trees made.
    pub fn into_trees(self) -> Vec<Tree> {
        self.trees
    }

    /// The tree from `source` to `tiles`; `None` where a table on the way is full.
    fn tree(&mut self, source: Endpoint, tiles: &[Tile]) -> Option<TreeIndex> {
        let key = (source, tiles.to_vec());
        if let Some(&tree) = self.known.get(&key) {
            return Some(tree);
        }
        let takers: Vec<Endpoint> = tiles.iter().map(|&tile| Endpoint::Core(tile)).collect();
        let tree = dimension_order_tree(&self.chip.mesh, &self.chip.host.ports, source, &takers);
        let room = u32::from(self.chip.mesh.multicast_trees);
        if tree.branches.iter().any(|(tile, _)| self.entries[tile.0 as usize] >= room) {
            return None;
        }
        let index = TreeIndex(u16::try_from(self.trees.len()).ok()?);
        for (tile, _) in &tree.branches {
            self.entries[tile.0 as usize] += 1;
        }
        self.trees.push(tree);
        self.known.insert(key, index);
        Some(index)
    }

    /// The flits that bring a packet of `source` to blocks.
    pub fn flits(&mut self, source: Endpoint, takers: &Takers) -> Vec<Flit> {
        // A flit reaches a tile for one block; where a core holds several takers, it takes as many flits.
        let rounds = takers.values().map(Vec::len).max().unwrap_or(0);
        let mut flits = Vec::new();
        for round in 0..rounds {
            let at: Vec<(Tile, Delivery)> =
                takers.iter().filter_map(|(&tile, deliveries)| Some((tile, *deliveries.get(round)?))).collect();
            let tiles: Vec<Tile> = at.iter().map(|&(tile, _)| tile).collect();
            let has_room = |tile: &Tile| self.inlets[tile.0 as usize] < u32::from(self.chip.mesh.multicast_trees);
            let tree = if tiles.len() > 1 && tiles.iter().all(has_room) { self.tree(source, &tiles) } else { None };
            if tree.is_some() {
                tiles.iter().for_each(|tile| self.inlets[tile.0 as usize] += 1);
            }
            match tree {
                Some(tree) => flits.push(Flit {
                    destination: Destination::Multicast(tree),
                    deliveries: at.into_iter().map(|(_, delivery)| delivery).collect(),
                }),
                // One taker, or tables that are full: a flit each.
                None => flits.extend(at.into_iter().map(|(tile, delivery)| Flit {
                    destination: Destination::Unicast(Endpoint::Core(tile)),
                    deliveries: vec![delivery],
                })),
            }
        }
        flits
    }
}
