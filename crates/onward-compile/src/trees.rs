//! Flits and multicast trees: how a packet gets to several takers.

use onward_chip::Chip;
use onward_image::{Core, Delivery, Destination, Endpoint, Flit, Tree, TreeIndex, dimension_order_tree};
use std::collections::BTreeMap;

/// Who takes a route's packets, by core; a core with several blocks may be there several times.
pub(crate) type Takers = BTreeMap<Core, Vec<Delivery>>;

/// Makes trees, each once, as long as the routers' tables have room.
pub(crate) struct Trees<'a> {
    chip: &'a Chip,
    trees: Vec<Tree>,
    known: BTreeMap<(Endpoint, Vec<Core>), TreeIndex>,
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
            inlets: vec![0; chip.mesh.cores()],
        }
    }

    /// The trees made.
    pub fn into_trees(self) -> Vec<Tree> {
        self.trees
    }

    /// The tree from `source` to `cores`; `None` where a table on the way is full.
    fn tree(&mut self, source: Endpoint, cores: &[Core]) -> Option<TreeIndex> {
        let key = (source, cores.to_vec());
        if let Some(&tree) = self.known.get(&key) {
            return Some(tree);
        }
        let takers: Vec<Endpoint> = cores.iter().map(|&core| Endpoint::Core(core)).collect();
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
        // A flit reaches a core for one block; where one holds several takers, it takes as many flits.
        let rounds = takers.values().map(Vec::len).max().unwrap_or(0);
        let mut flits = Vec::new();
        for round in 0..rounds {
            let at: Vec<(Core, Delivery)> =
                takers.iter().filter_map(|(&core, deliveries)| Some((core, *deliveries.get(round)?))).collect();
            let cores: Vec<Core> = at.iter().map(|&(core, _)| core).collect();
            let has_room = |core: &Core| self.inlets[core.0 as usize] < u32::from(self.chip.mesh.multicast_trees);
            let tree = if cores.len() > 1 && cores.iter().all(has_room) { self.tree(source, &cores) } else { None };
            if tree.is_some() {
                cores.iter().for_each(|core| self.inlets[core.0 as usize] += 1);
            }
            match tree {
                Some(tree) => flits.push(Flit {
                    destination: Destination::Multicast(tree),
                    deliveries: at.into_iter().map(|(_, delivery)| delivery).collect(),
                }),
                // One taker, or tables that are full: a flit each.
                None => flits.extend(at.into_iter().map(|(core, delivery)| Flit {
                    destination: Destination::Unicast(Endpoint::Core(core)),
                    deliveries: vec![delivery],
                })),
            }
        }
        flits
    }
}
