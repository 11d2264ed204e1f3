//! How a packet gets to several takers: multicast trees as long as the routers' tables have room, and flits along them.
//!
//! Whoever links an image makes its trees here, be it from a network or from a text by hand.

use crate::detour::Detours;
use crate::image::{Delivery, Flit};
use crate::route::{Core, Destination, Endpoint, Tree, TreeIndex};
use crate::tree::{attachment, dimension_order_tree};
use onward_chip::Chip;
use std::collections::BTreeMap;

/// Who takes the packets of a route, by core: a delivery for each block there that takes them.
pub type Takers = BTreeMap<Core, Vec<Delivery>>;

/// The multicast trees of an image, made as routes ask for them: each once, and only as long as the tables on its way have
/// room (`multicast_trees` of the chip's mesh: entries of a router's table, and of a core's inlet table).
///
/// What comes first gets the room, so the order of the calls of [`MulticastTrees::flits`] is part of the image.
#[derive(Clone, Debug)]
pub struct MulticastTrees<'a> {
    chip: &'a Chip,
    trees: Vec<Tree>,
    known: BTreeMap<(Endpoint, Vec<Endpoint>), TreeIndex>,
    /// The order of ways on a chip with dead links.
    detours: Option<Detours>,
    /// The first way that no table has room for.
    missing: Option<(Endpoint, Endpoint)>,
    /// Entries of each router's table.
    entries: Vec<u32>,
    /// Entries of each core's inlet table, one a flit of a route that ends there (rule RT3).
    inlets: Vec<u32>,
}

impl<'a> MulticastTrees<'a> {
    /// No trees yet, and all tables of the chip empty.
    pub fn new(chip: &'a Chip) -> Self {
        MulticastTrees {
            chip,
            trees: Vec::new(),
            known: BTreeMap::new(),
            detours: Detours::of(&chip.mesh, &chip.host.ports),
            missing: None,
            entries: vec![0; chip.mesh.tiles()],
            inlets: vec![0; chip.mesh.cores()],
        }
    }

    /// The trees that were made, in the order of the numbers that flits give them.
    pub fn into_trees(self) -> Vec<Tree> {
        self.trees
    }

    /// Whether all packets find a way.
    ///
    /// # Errors
    /// A sender and a taker between which, on a chip with dead links, a tree would have to lead, and a table on the way is full.
    pub fn check(&self) -> Result<(), (Endpoint, Endpoint)> {
        self.missing.map_or(Ok(()), Err)
    }

    /// The tree from `source` to `takers`; `None` where a table on the way is full.
    fn tree(&mut self, source: Endpoint, takers: &[Endpoint]) -> Option<TreeIndex> {
        let key = (source, takers.to_vec());
        if let Some(&tree) = self.known.get(&key) {
            return Some(tree);
        }
        let tree = match &self.detours {
            Some(detours) => detours.tree(source, takers),
            None => dimension_order_tree(&self.chip.mesh, &self.chip.host.ports, source, takers),
        };
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

    /// The flits that bring a packet of `source` to its takers.
    ///
    /// A flit reaches a core for one block, so a packet takes as many rounds of flits as the core with most takers has of them.
    /// A round is one flit along a tree, or a flit each where it has one taker or a table is full.
    ///
    /// # Panics
    /// If the source or a taker is not on the mesh ([`attachment`](crate::attachment) says so beforehand).
    pub fn flits(&mut self, source: Endpoint, takers: &Takers) -> Vec<Flit> {
        let rounds = takers.values().map(Vec::len).max().unwrap_or(0);
        let mut flits = Vec::new();
        for round in 0..rounds {
            let at: Vec<(Core, Delivery)> =
                takers.iter().filter_map(|(&core, deliveries)| Some((core, *deliveries.get(round)?))).collect();
            let cores: Vec<Core> = at.iter().map(|&(core, _)| core).collect();
            let has_room = |core: &Core| self.inlets[core.0 as usize] < u32::from(self.chip.mesh.multicast_trees);
            let ends: Vec<Endpoint> = cores.iter().map(|&core| Endpoint::Core(core)).collect();
            let tree = if cores.len() > 1 && cores.iter().all(has_room) { self.tree(source, &ends) } else { None };
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
                    destination: self.way_to_one(source, Endpoint::Core(core)),
                    deliveries: vec![delivery],
                })),
            }
        }
        flits
    }

    /// The flit that brings a packet of `source` to a host port.
    ///
    /// # Panics
    /// As [`MulticastTrees::flits`].
    pub fn flit_to_host(&mut self, source: Endpoint, port: u16) -> Flit {
        Flit { destination: self.way_to_one(source, Endpoint::Host(port)), deliveries: vec![Delivery::Host] }
    }

    /// The way to a single taker: a unicast, or a tree where its way is none on this chip.
    fn way_to_one(&mut self, source: Endpoint, taker: Endpoint) -> Destination {
        let place = |endpoint| attachment(endpoint, &self.chip.mesh, &self.chip.host.ports).map(|(tile, _)| tile);
        let (Some(detours), Some(from), Some(to)) = (&self.detours, place(source), place(taker)) else {
            return Destination::Unicast(taker);
        };
        if detours.check_unicast(from, to).is_ok() {
            return Destination::Unicast(taker);
        }
        let room = u32::from(self.chip.mesh.multicast_trees);
        let inlets = if let Endpoint::Core(core) = taker { self.inlets[core.0 as usize] } else { 0 };
        match if inlets < room { self.tree(source, &[taker]) } else { None } {
            Some(tree) => {
                if let Endpoint::Core(core) = taker {
                    self.inlets[core.0 as usize] += 1;
                }
                Destination::Multicast(tree)
            }
            None => {
                self.missing.get_or_insert((source, taker));
                Destination::Unicast(taker)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::BlockIndex;

    fn chip(multicast_trees: u16) -> Chip {
        let mut chip = Chip::builtin("small").expect("a built-in chip");
        chip.mesh.multicast_trees = multicast_trees;
        chip
    }

    fn delivery(block: usize) -> Delivery {
        Delivery::Block { block: BlockIndex::from(block), first_axon: 0 }
    }

    /// Block 0 on core 1, block 1 on core 2, and so on.
    fn takers(blocks: std::ops::Range<usize>) -> Takers {
        blocks.map(|block| (Core(block as u32 + 1), vec![delivery(block)])).collect()
    }

    fn unicast(core: u32, block: usize) -> Flit {
        Flit { destination: Destination::Unicast(Endpoint::Core(Core(core))), deliveries: vec![delivery(block)] }
    }

    const SOURCE: Endpoint = Endpoint::Core(Core(0));

    #[test]
    fn one_taker_needs_no_tree_and_none_no_flit() {
        let chip = chip(1);
        let mut trees = MulticastTrees::new(&chip);
        assert_eq!(trees.flits(SOURCE, &takers(0..1)), [unicast(1, 0)]);
        assert_eq!(trees.flits(SOURCE, &Takers::new()), []);
        assert_eq!(trees.into_trees(), []);
    }

    #[test]
    fn the_same_takers_share_a_tree_that_is_made_once() {
        let chip = chip(8);
        let mut trees = MulticastTrees::new(&chip);
        let flits = trees.flits(SOURCE, &takers(0..3));
        let deliveries = vec![delivery(0), delivery(1), delivery(2)];
        assert_eq!(flits, [Flit { destination: Destination::Multicast(TreeIndex(0)), deliveries }]);
        assert_eq!(trees.flits(SOURCE, &takers(0..3)), flits);
        let other = trees.flits(SOURCE, &takers(0..2));
        assert_eq!(other[0].destination, Destination::Multicast(TreeIndex(1)));
        let ends = [1, 2, 3].map(|core| Endpoint::Core(Core(core)));
        let made = trees.into_trees();
        assert_eq!(made.len(), 2);
        assert_eq!(made[0], dimension_order_tree(&chip.mesh, &chip.host.ports, SOURCE, &ends));
    }

    #[test]
    fn a_core_with_two_takers_takes_two_rounds() {
        let chip = chip(8);
        let mut takers = takers(0..2);
        takers.entry(Core(2)).or_default().push(delivery(5));
        let flits = MulticastTrees::new(&chip).flits(SOURCE, &takers);
        let first =
            Flit { destination: Destination::Multicast(TreeIndex(0)), deliveries: vec![delivery(0), delivery(1)] };
        assert_eq!(flits, [first, unicast(2, 5)]);
    }

    #[test]
    fn where_a_table_is_full_each_taker_gets_a_flit() {
        let chip = chip(1);
        let mut trees = MulticastTrees::new(&chip);
        assert_eq!(trees.flits(SOURCE, &takers(0..2)).len(), 1);
        // The router of the source has one entry, and that is taken.
        assert_eq!(trees.flits(SOURCE, &takers(1..4)), [unicast(2, 1), unicast(3, 2), unicast(4, 3)]);
        // The tree itself has its entries still, but an inlet takes one for each flit of a route.
        assert_eq!(trees.flits(SOURCE, &takers(0..2)), [unicast(1, 0), unicast(2, 1)]);
        assert_eq!(trees.into_trees().len(), 1);
    }
}
