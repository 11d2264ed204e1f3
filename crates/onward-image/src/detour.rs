//! Ways round dead links: rule RT25 of `isa/router.md`.
//!
//! On a chip with dead links every packet goes up first and then down: up is toward the router the host is attached to, by the
//! number of links that work, and among routers equally far toward the lower number. No packet turns up again once it went
//! down, so channels can be put in an order that every way follows: those upward by ever nearer routers, then those downward
//! by ever further ones (up*/down* routing: M. Schroeder et al., "Autonet", IEEE J. Selected Areas in Communications 9(8),
//! 1991). From a corner of a mesh without gaps there is such a way of the least number of links to everywhere.

use crate::route::{Endpoint, Tile, Tree};
use crate::tree::attachment;
use onward_chip::{HostPort, Mesh};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Which way is up, on a chip with dead links.
#[derive(Clone, Debug)]
pub struct Detours {
    mesh: Mesh,
    ports: Vec<HostPort>,
    dead: Vec<[bool; 4]>,
    /// Links to the root and number of each router; nothing where none leads.
    ranks: Vec<Option<(u32, u32)>>,
}

/// What is wrong with a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongWay {
    /// It goes over a dead link.
    Dead {
        /// The router before it.
        tile: Tile,
        /// The output: 0 to 3, north, east, south, west.
        direction: usize,
    },
    /// It goes down and then up.
    UpAgain {
        /// The router where it turns.
        tile: Tile,
        /// The output by which it goes on.
        direction: usize,
    },
}

impl std::fmt::Display for WrongWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SIDES: [&str; 4] = ["north", "east", "south", "west"];
        match *self {
            WrongWay::Dead { tile, direction } => {
                write!(f, "it goes over the dead link {} of router {}", SIDES[direction & 3], tile.0)
            }
            WrongWay::UpAgain { tile, direction } => {
                write!(f, "at router {} it goes {}, up again after it went down", tile.0, SIDES[direction & 3])
            }
        }
    }
}

/// A router on a way, and whether the way has gone down.
type At = (u32, bool);

impl Detours {
    /// The order of a mesh with dead links; nothing for one without, where the dimension order holds. The root is the router
    /// of the first host port.
    pub fn of(mesh: &Mesh, ports: &[HostPort]) -> Option<Detours> {
        if mesh.defects.links.is_empty() {
            return None;
        }
        let root = ports.first().and_then(|port| port.router(mesh.width.into(), mesh.height.into())).unwrap_or(0);
        let ranks = mesh.distances(root).into_iter().zip(0..).map(|(distance, tile)| Some((distance?, tile))).collect();
        Some(Detours { mesh: mesh.clone(), ports: ports.to_vec(), dead: mesh.dead_outputs(), ranks })
    }

    fn rank(&self, tile: u32) -> (u32, u32) {
        self.ranks.get(tile as usize).copied().flatten().unwrap_or((u32::MAX, tile))
    }

    /// Whether a link leads up, if it can be used at all.
    fn goes_up(&self, tile: u32, direction: usize) -> Option<bool> {
        let is_dead = self.dead.get(tile as usize).is_none_or(|dead| dead[direction & 3]);
        let next = self.mesh.neighbour(tile, direction).filter(|_| !is_dead)?;
        Some(self.rank(next) < self.rank(tile))
    }

    /// Where a packet at a place of a way comes by an output that leads to another router.
    ///
    /// # Errors
    /// It may not go there.
    fn step(&self, (tile, down): At, direction: usize) -> Result<At, WrongWay> {
        let up = self.goes_up(tile, direction).ok_or(WrongWay::Dead { tile: Tile(tile), direction })?;
        if up && down {
            return Err(WrongWay::UpAgain { tile: Tile(tile), direction });
        }
        let next = self.mesh.neighbour(tile, direction).ok_or(WrongWay::Dead { tile: Tile(tile), direction })?;
        Ok((next, !up))
    }

    /// Whether a unicast, which goes in the dimension order whatever is dead, keeps the order.
    ///
    /// # Errors
    /// What is wrong with its way.
    pub fn check_unicast(&self, from: Tile, to: Tile) -> Result<(), WrongWay> {
        let mut at = (from.0, false);
        while let Some(direction) = self.mesh.direction(at.0, to.0) {
            at = self.step(at, direction)?;
        }
        Ok(())
    }

    /// Whether a tree whose branches lead somewhere keeps the order. What else may be wrong with it is not looked at.
    ///
    /// # Errors
    /// What is wrong with one of its ways.
    pub fn check_tree(&self, from: Tile, tree: &Tree) -> Result<(), WrongWay> {
        let outputs: BTreeMap<Tile, u8> = tree.branches.iter().copied().collect();
        let (mut waiting, mut seen) = (vec![(from.0, false)], BTreeSet::new());
        while let Some(at) = waiting.pop().filter(|_| seen.len() <= outputs.len()) {
            seen.insert(at.0);
            let mask = outputs.get(&Tile(at.0)).copied().unwrap_or(0);
            for direction in (0..4).filter(|direction| mask >> direction & 1 == 1) {
                if self.mesh.neighbour(at.0, direction).is_some() {
                    let next = self.step(at, direction)?;
                    if !seen.contains(&next.0) {
                        waiting.push(next);
                    }
                }
            }
        }
        Ok(())
    }

    /// A tree from `source` to `destinations` that keeps the order: each in turn the nearest to what there is already.
    ///
    /// # Panics
    /// If an endpoint is not on the mesh.
    pub fn tree(&self, source: Endpoint, destinations: &[Endpoint]) -> Tree {
        let locate = |endpoint| {
            attachment(endpoint, &self.mesh, &self.ports).unwrap_or_else(|| panic!("{endpoint:?} is not on the mesh"))
        };
        let (Tile(start), _) = locate(source);
        let mut wanted: BTreeSet<u32> = destinations.iter().map(|&to| locate(to).0.0).collect();
        let mut branches = self.nearest_first(start, &mut wanted).unwrap_or_else(|| {
            let wanted = destinations.iter().map(|&to| locate(to).0.0).collect();
            self.along_the_spanning_tree(start, &wanted)
        });
        for &destination in destinations {
            let (tile, port) = locate(destination);
            *branches.entry(tile).or_default() |= port;
        }
        Tree { source, branches: branches.into_iter().collect() }
    }

    /// Nothing where what was taken bars the way to a router that is wanted.
    fn nearest_first(&self, start: u32, wanted: &mut BTreeSet<u32>) -> Option<BTreeMap<Tile, u8>> {
        let mut branches = BTreeMap::<Tile, u8>::new();
        let mut taken: BTreeMap<u32, bool> = [(start, false)].into();
        wanted.remove(&start);
        while !wanted.is_empty() {
            let mut came: BTreeMap<At, (At, usize)> = BTreeMap::new();
            let mut waiting: VecDeque<At> = taken.iter().map(|(&tile, &down)| (tile, down)).collect();
            let found = 'found: {
                while let Some(at) = waiting.pop_front() {
                    for direction in 0..4 {
                        let Ok(next) = self.step(at, direction) else { continue };
                        if taken.contains_key(&next.0) || came.contains_key(&next) {
                            continue;
                        }
                        came.insert(next, (at, direction));
                        if wanted.contains(&next.0) {
                            break 'found Some(next);
                        }
                        waiting.push_back(next);
                    }
                }
                None
            };
            let mut at = found?;
            while !taken.contains_key(&at.0) {
                let (before, direction) = came[&at];
                taken.insert(at.0, at.1);
                wanted.remove(&at.0);
                *branches.entry(Tile(before.0)).or_default() |= 1 << direction;
                at = before;
            }
        }
        Some(branches)
    }

    /// The ways of the tree in which each router hangs on the one of the lowest rank beside it: up as far as need be, then
    /// down. There is always one.
    fn along_the_spanning_tree(&self, start: u32, wanted: &BTreeSet<u32>) -> BTreeMap<Tile, u8> {
        let parent = |tile: u32| {
            let up = (0..4).filter(|&direction| self.goes_up(tile, direction) == Some(true));
            let up = up.filter_map(|direction| Some((self.rank(self.mesh.neighbour(tile, direction)?), direction)));
            up.min().map(|((_, parent), direction)| (parent, direction))
        };
        let mut upward: BTreeMap<u32, Option<(u32, usize)>> = BTreeMap::new();
        let mut at = start;
        loop {
            let above = parent(at);
            upward.insert(at, above);
            match above {
                Some((next, _)) => at = next,
                None => break,
            }
        }
        let mut branches = BTreeMap::<Tile, u8>::new();
        // How far up the way of the source has to go.
        let mut highest = start;
        for &to in wanted {
            let mut at = to;
            while !upward.contains_key(&at) {
                // Where no link leads is no core that lives: whoever checks the image says so.
                let Some((above, direction)) = parent(at) else { break };
                *branches.entry(Tile(above)).or_default() |= 1 << ((direction + 2) % 4);
                at = above;
            }
            if upward.contains_key(&at) && self.rank(at) < self.rank(highest) {
                highest = at;
            }
        }
        let mut at = start;
        while at != highest {
            let (above, direction) = upward[&at].expect("the way goes on up to it");
            *branches.entry(Tile(at)).or_default() |= 1 << direction;
            at = above;
        }
        branches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Core;
    use onward_chip::{Chip, Faults};

    fn chip(seed: u64, share: f64) -> Chip {
        let mut chip = Chip::builtin("small").expect("it is built in");
        (chip.mesh.width, chip.mesh.height) = (7, 6);
        let faults = Faults::parse("f", &format!("seed = {seed}\n[dead]\nlink_share = {share}\n")).expect("sound");
        faults.on(&chip, "f").expect("something is left")
    }

    #[test]
    fn a_chip_without_dead_links_has_none() {
        assert!(Detours::of(&Mesh::of(4, 4), &[]).is_none());
    }

    #[test]
    fn every_core_that_lives_reaches_every_other_and_keeps_the_order() {
        for seed in 0..40 {
            let chip = chip(seed, 0.05 + 0.01 * (seed % 25) as f64);
            let ports = &chip.host.ports;
            let detours = Detours::of(&chip.mesh, ports).expect("links are dead");
            let living: Vec<u32> = (0..42).filter(|core| !chip.mesh.is_dead(*core)).collect();
            for &from in &living {
                for pick in [1, 2, 7] {
                    let ends: Vec<Endpoint> =
                        living.iter().step_by(pick).map(|&core| Endpoint::Core(Core(core))).collect();
                    let tree = detours.tree(Endpoint::Core(Core(from)), &ends);
                    check(&chip, &detours, from, &tree, &ends);
                    let wanted: BTreeSet<u32> = living.iter().copied().step_by(pick).collect();
                    let mut branches = detours.along_the_spanning_tree(from, &wanted);
                    for &to in &wanted {
                        *branches.entry(Tile(to)).or_default() |= crate::port::LOCAL;
                    }
                    let tree = Tree { source: Endpoint::Core(Core(from)), branches: branches.into_iter().collect() };
                    check(&chip, &detours, from, &tree, &ends);
                }
            }
        }
    }

    /// Follows a tree link by link.
    fn check(chip: &Chip, detours: &Detours, from: u32, tree: &Tree, ends: &[Endpoint]) {
        detours.check_tree(Tile(from), tree).expect("it keeps the order");
        let outputs: BTreeMap<u32, u8> = tree.branches.iter().map(|(tile, mask)| (tile.0, *mask)).collect();
        let dead = chip.mesh.dead_outputs();
        let (mut waiting, mut seen, mut reached) = (vec![from], BTreeSet::new(), Vec::new());
        while let Some(at) = waiting.pop() {
            assert!(seen.insert(at), "it comes to router {at} twice");
            let mask = outputs[&at];
            if mask & crate::port::LOCAL != 0 {
                reached.push(Endpoint::Core(Core(at)));
            }
            for direction in (0..4).filter(|direction| mask >> direction & 1 == 1) {
                assert!(!dead[at as usize][direction]);
                waiting.push(chip.mesh.neighbour(at, direction).expect("a link"));
            }
        }
        reached.sort();
        assert_eq!((reached, seen.len()), (ends.to_vec(), outputs.len()));
    }

    #[test]
    fn dead_links_and_turns_back_up_are_told() {
        let mut chip = Chip::builtin("small").expect("it is built in");
        (chip.mesh.width, chip.mesh.height) = (3, 3);
        let faults = Faults::parse("f", "[dead]\nlinks = [{ x = 1, y = 1, side = \"east\" }]\n").expect("sound");
        let chip = faults.on(&chip, "f").expect("it has the link");
        let detours = Detours::of(&chip.mesh, &chip.host.ports).expect("a link is dead");
        assert_eq!(detours.check_unicast(Tile(3), Tile(5)), Err(WrongWay::Dead { tile: Tile(4), direction: 1 }));
        assert_eq!(detours.check_unicast(Tile(3), Tile(1)), Err(WrongWay::UpAgain { tile: Tile(4), direction: 0 }));
        assert!(detours.check_unicast(Tile(8), Tile(0)).is_ok(), "west and north, all the way up");
    }
}
