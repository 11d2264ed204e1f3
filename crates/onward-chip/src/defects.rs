//! What of a chip is dead: cores that compute nothing, links that carry nothing.

use crate::{Mesh, Side};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The dead parts of a mesh. A dead core's router lives, and all that passes it; of a dead router all links are dead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defects {
    /// Cores that hold no block, by number, ascending.
    #[serde(default)]
    pub cores: Vec<u32>,
    /// Links that carry nothing, either way, ascending.
    #[serde(default)]
    pub links: Vec<DeadLink>,
}

/// A link between two routers: that of a tile to the east or south, or, where it ends there, to the north or west.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLink {
    /// The tile, row by row.
    pub tile: u32,
    /// The side of it.
    pub side: Side,
}

const SIDES: [Side; 4] = [Side::North, Side::East, Side::South, Side::West];

impl Defects {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cores.is_empty() && self.links.is_empty()
    }
}

impl Mesh {
    /// Whether a core is dead.
    pub fn is_dead(&self, core: u32) -> bool {
        self.defects.cores.binary_search(&core).is_ok()
    }

    /// Number of cores that are not.
    pub fn working_cores(&self) -> usize {
        self.cores().saturating_sub(self.defects.cores.len())
    }

    /// The links that are dead, a flag for each tile and direction (0 to 3: north, east, south, west), from both sides.
    pub fn dead_outputs(&self) -> Vec<[bool; 4]> {
        let mut dead = vec![[false; 4]; self.tiles()];
        for link in &self.defects.links {
            let Some(direction) = SIDES.iter().position(|side| *side == link.side) else { continue };
            if let Some(flags) = dead.get_mut(link.tile as usize) {
                flags[direction] = true;
            }
            if let Some(other) = self.neighbour(link.tile, direction).and_then(|to| dead.get_mut(to as usize)) {
                other[(direction + 2) % 4] = true;
            }
        }
        dead
    }

    /// How many links each router is from that of a tile, over links that are not dead; nothing where no way leads.
    pub fn distances(&self, from: u32) -> Vec<Option<u32>> {
        let dead = self.dead_outputs();
        let mut distances = vec![None; self.tiles()];
        let mut waiting = VecDeque::new();
        if let Some(first) = distances.get_mut(from as usize) {
            *first = Some(0);
            waiting.push_back((from, 0));
        }
        while let Some((at, distance)) = waiting.pop_front() {
            for direction in (0..4).filter(|&direction| !dead[at as usize][direction]) {
                let Some(next) = self.neighbour(at, direction) else { continue };
                if distances[next as usize].is_none() {
                    distances[next as usize] = Some(distance + 1);
                    waiting.push_back((next, distance + 1));
                }
            }
        }
        distances
    }

    /// All links once: those of each tile to the east and to the south.
    pub fn all_links(&self) -> impl Iterator<Item = DeadLink> + '_ {
        (0..self.tiles() as u32).flat_map(move |tile| {
            let there = move |side: usize| self.neighbour(tile, side).map(|_| DeadLink { tile, side: SIDES[side] });
            [there(1), there(2)].into_iter().flatten()
        })
    }

    /// What is wrong with the defects, if anything is.
    pub(crate) fn broken_defects(&self) -> Option<String> {
        let Defects { cores, links } = &self.defects;
        let ascending = cores.is_sorted_by(|a, b| a < b) && links.is_sorted_by(|a, b| a < b);
        if !ascending {
            return Some("out of order, or there twice".to_owned());
        }
        if let Some(core) = cores.iter().find(|core| **core as usize >= self.cores()) {
            return Some(format!("core {core}, which the chip does not have"));
        }
        let exists = |link: &DeadLink| {
            let direction = SIDES.iter().position(|side| *side == link.side)?;
            ((link.tile as usize) < self.tiles()).then(|| self.neighbour(link.tile, direction)).flatten()
        };
        let missing = links.iter().find(|link| exists(link).is_none())?;
        Some(format!("a link of tile {} to the {:?}, which there is not", missing.tile, missing.side).to_lowercase())
    }
}
