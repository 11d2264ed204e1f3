//! Fault files: what is broken of a chip, listed or drawn.

use crate::defects::{DeadLink, Defects};
use crate::files::{self, FileError, Limits};
use crate::{Chip, Side};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What a fault file is told where it cannot be read.
const REMEDY: &str =
    "a fault file has `seed`, a table `[dead]` and a table `[memory]`; the book's page on faults says what is in them";

/// What is broken of a chip.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Draws what is not listed.
    #[serde(default)]
    pub seed: u64,
    /// What does not work at all.
    #[serde(default)]
    pub dead: Dead,
    /// Bits of memories that are not what was written.
    #[serde(default)]
    pub memory: MemoryFaults,
}

/// What does not work at all.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dead {
    /// Cores; their routers live.
    #[serde(default)]
    pub cores: Vec<CorePlace>,
    /// Routers, with their cores and links.
    #[serde(default)]
    pub routers: Vec<RouterPlace>,
    /// Links, in both directions.
    #[serde(default)]
    pub links: Vec<LinkPlace>,
    /// Share of the cores that is drawn, 0 to 1, to the nearest whole number.
    #[serde(default)]
    pub core_share: f64,
    /// Share of the links that is drawn.
    #[serde(default)]
    pub link_share: f64,
}

/// A core by column, row and, where a tile has several, its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorePlace {
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
    /// Its number on the tile.
    #[serde(default)]
    pub core: u16,
}

/// A router by column and row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouterPlace {
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
}

/// A link by the router at one end of it, and the side that it leaves it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkPlace {
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
    /// Side of the router.
    pub side: Side,
}

/// Bits of memories that are not what was written. Shares are of the bits that blocks have, 0 to 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryFaults {
    /// Share of the bits that are flipped once, before the first step.
    #[serde(default)]
    pub flipped: f64,
    /// Probability with which a bit flips in a step.
    #[serde(default)]
    pub flips_a_step: f64,
    /// Share of the bits that always hold one value, half of them 0, half of them 1.
    #[serde(default)]
    pub stuck: f64,
    /// The memories that it happens in.
    #[serde(default = "all_memories")]
    pub memories: Vec<FaultyMemory>,
}

fn all_memories() -> Vec<FaultyMemory> {
    vec![FaultyMemory::Synapse, FaultyMemory::Neuron, FaultyMemory::Axon]
}

impl Default for MemoryFaults {
    fn default() -> MemoryFaults {
        MemoryFaults { flipped: 0.0, flips_a_step: 0.0, stuck: 0.0, memories: all_memories() }
    }
}

/// A memory of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultyMemory {
    /// Rows of weights.
    Synapse,
    /// Membranes, biases, counts, parameters.
    Neuron,
    /// Traces.
    Axon,
}

/// That share of so many bits, rounded to the nearest.
fn share_of(share: f64, bits: u64) -> u64 {
    ((share * bits as f64).round() as u64).min(bits)
}

impl MemoryFaults {
    /// Whether nothing is wrong with any bit.
    pub fn is_empty(&self) -> bool {
        self.memories.is_empty() || [self.flipped, self.flips_a_step, self.stuck].iter().all(|share| *share <= 0.0)
    }

    /// How many of so many bits are stuck: rounded to the nearest, halves up.
    pub fn stuck_of(&self, bits: u64) -> u64 {
        share_of(self.stuck, bits)
    }

    /// How many of so many bits have flipped before the first step: rounded to the nearest, halves up.
    pub fn flipped_of(&self, bits: u64) -> u64 {
        share_of(self.flipped, bits)
    }

    /// How many of so many bits are expected to flip in so many steps: whole ones, and how likely one more is, in parts of 2^53.
    pub fn flips_of(&self, bits: u64, steps: u64) -> (u64, u64) {
        let expected = self.flips_a_step * bits as f64 * steps as f64;
        (expected.floor() as u64, (expected.fract() * (1u64 << 53) as f64).ceil() as u64)
    }
}

impl Faults {
    /// The fault file at a path.
    ///
    /// # Errors
    /// It cannot be read, is not TOML, has a key that nobody knows, or a share that is none.
    pub fn load(path: &str) -> Result<Faults, FileError> {
        let (place, text) = files::read("fault", &[], path)?;
        Faults::parse(&place, &text)
    }

    /// The faults that the text of a fault file describes; `place` is what messages call it.
    ///
    /// # Errors
    /// As [`Faults::load`].
    pub fn parse(place: &str, text: &str) -> Result<Faults, FileError> {
        let faults: Faults = files::parse(place, text, REMEDY)?;
        let mut limits = Limits::default();
        for (key, share) in [
            ("dead.core_share", faults.dead.core_share),
            ("dead.link_share", faults.dead.link_share),
            ("memory.flipped", faults.memory.flipped),
            ("memory.flips_a_step", faults.memory.flips_a_step),
            ("memory.stuck", faults.memory.stuck),
        ] {
            if !(0.0..=1.0).contains(&share) {
                limits.broken(key, share, "a share, 0 to 1");
            }
        }
        limits.finish(place)?;
        Ok(faults)
    }

    /// The chip with these parts of it dead, in addition to those that are. Cores to which no link leads any more from the
    /// host's router are dead too.
    ///
    /// # Errors
    /// A part that the chip does not have; no core that is left.
    pub fn on(&self, chip: &Chip, place: &str) -> Result<Chip, FileError> {
        let mut limits = Limits::default();
        let mesh = &chip.mesh;
        let tile = |x: u16, y: u16| {
            (x < mesh.width && y < mesh.height).then(|| u32::from(y) * u32::from(mesh.width) + u32::from(x))
        };
        let each = u32::from(mesh.cores_per_tile);
        let mut cores: BTreeSet<u32> = mesh.defects.cores.iter().copied().collect();
        let mut links: BTreeSet<DeadLink> = mesh.defects.links.iter().copied().collect();
        let there = format!("on a mesh of {} x {} tiles with {each} cores each", mesh.width, mesh.height);
        for (at, &CorePlace { x, y, core }) in self.dead.cores.iter().enumerate() {
            match tile(x, y).filter(|_| u32::from(core) < each) {
                Some(tile) => drop(cores.insert(tile * each + u32::from(core))),
                None => limits.broken(format!("dead.cores[{at}]"), format!("({x}, {y}), core {core}"), &there),
            }
        }
        for (at, &RouterPlace { x, y }) in self.dead.routers.iter().enumerate() {
            let Some(tile) = tile(x, y) else {
                limits.broken(format!("dead.routers[{at}]"), format!("({x}, {y})"), &there);
                continue;
            };
            cores.extend(tile * each..(tile + 1) * each);
            links.extend((0..4).filter_map(|direction| canonical(chip, tile, direction)));
        }
        for (at, &LinkPlace { x, y, side }) in self.dead.links.iter().enumerate() {
            let direction = [Side::North, Side::East, Side::South, Side::West].iter().position(|known| *known == side);
            match tile(x, y).zip(direction).and_then(|(tile, direction)| canonical(chip, tile, direction)) {
                Some(link) => drop(links.insert(link)),
                None => {
                    let found = format!("({x}, {y}), {side:?}").to_lowercase();
                    limits.broken(format!("dead.links[{at}]"), found, format!("a link between routers {there}"));
                }
            }
        }
        limits.finish(place)?;
        let mut draws = Draws(self.seed);
        let drawn = |share: f64, of: usize| (share * of as f64).round() as usize;
        let all: Vec<u32> = (0..mesh.cores() as u32).collect();
        cores.extend(draws.some(all, drawn(self.dead.core_share, mesh.cores())));
        let all: Vec<DeadLink> = mesh.all_links().collect();
        let count = drawn(self.dead.link_share, all.len());
        links.extend(draws.some(all, count));
        let mut faulty = chip.clone();
        faulty.mesh.defects = Defects { cores: Vec::new(), links: links.into_iter().collect() };
        let host = chip.host.ports.first().and_then(|port| port.router(mesh.width.into(), mesh.height.into()));
        let reached = faulty.mesh.distances(host.unwrap_or(0));
        for (tile, _) in (0..).zip(&reached).filter(|(_, distance)| distance.is_none()) {
            cores.extend(tile * each..(tile + 1) * each);
        }
        faulty.mesh.defects.cores = cores.into_iter().collect();
        if faulty.mesh.working_cores() == 0 {
            let mut limits = Limits::default();
            limits.broken("dead", "every core that the host can reach", "less than that");
            limits.finish(place)?;
        }
        Ok(faulty)
    }
}

/// The link of a tile in a direction by the name that all know it by; nothing where there is none.
fn canonical(chip: &Chip, tile: u32, direction: usize) -> Option<DeadLink> {
    let other = chip.mesh.neighbour(tile, direction)?;
    let (tile, side) = match direction {
        0 => (other, Side::South),
        1 => (tile, Side::East),
        2 => (tile, Side::South),
        _ => (other, Side::East),
    };
    Some(DeadLink { tile, side })
}

/// SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
pub(crate) struct Draws(pub u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// So many of them, each as likely as any other.
    fn some<T>(&mut self, mut all: Vec<T>, count: usize) -> Vec<T> {
        let count = count.min(all.len());
        for at in 0..count {
            let left = (all.len() - at) as u64;
            let other = at + ((u128::from(self.next()) * u128::from(left)) >> 64) as usize;
            all.swap(at, other);
        }
        all.truncate(count);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chip() -> Chip {
        let mut chip = Chip::builtin("small").expect("it is built in");
        (chip.mesh.width, chip.mesh.height) = (4, 3);
        chip
    }

    fn faulty(text: &str) -> Result<Chip, String> {
        let faults = Faults::parse("faults.toml", text).map_err(|error| error.to_string())?;
        faults.on(&chip(), "faults.toml").map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_listed_is_dead() {
        let mesh = faulty("[dead]\ncores = [{ x = 1, y = 2 }]\nlinks = [{ x = 2, y = 1, side = \"west\" }]\n")
            .expect("the chip has them")
            .mesh;
        assert_eq!((mesh.defects.cores.clone(), mesh.working_cores()), (vec![9], 11));
        assert_eq!(mesh.defects.links, [DeadLink { tile: 5, side: Side::East }]);
        let dead = mesh.dead_outputs();
        assert_eq!((dead[5], dead[6]), ([false, true, false, false], [false, false, false, true]));
        let distances = mesh.distances(0);
        assert_eq!((distances[5], distances[6]), (Some(2), Some(3)), "round the dead link");
    }

    #[test]
    fn a_dead_router_takes_its_cores_and_links_and_what_it_cuts_off() {
        let mesh = faulty("[dead]\nrouters = [{ x = 1, y = 0 }, { x = 0, y = 1 }]\n");
        assert!(mesh.expect("one core is left").mesh.defects.cores.len() == 11, "the host's corner is cut off");
        assert!(faulty("[dead]\nrouters = [{ x = 0, y = 0 }]\n").unwrap_err().contains("every core"));
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let drawn = |seed: u64| {
            faulty(&format!("seed = {seed}\n[dead]\ncore_share = 0.25\nlink_share = 0.2\n"))
                .expect("a chip")
                .mesh
                .defects
        };
        let first = drawn(3);
        assert!(first.cores.len() >= 3 && first.links.len() == 3, "{first:?}: 17 links");
        assert_eq!(first, drawn(3));
        assert_ne!(first, drawn(4));
    }

    #[test]
    fn what_the_chip_does_not_have_is_refused() {
        for (text, says) in [
            ("[dead]\ncores = [{ x = 4, y = 0 }]\n", "`dead.cores[0]` is (4, 0), core 0"),
            ("[dead]\nlinks = [{ x = 3, y = 0, side = \"east\" }]\n", "`dead.links[0]` is (3, 0), east"),
            ("[dead]\ncore_share = 1.5\n", "`dead.core_share` is 1.5"),
            ("[memory]\nflipped = nan\n", "`memory.flipped` is NaN"),
            ("[memory]\nmemories = [\"cache\"]\n", "unknown variant `cache`"),
            ("[dead]\nlink = 1\n", "unknown field `link`"),
        ] {
            let error = faulty(text).expect_err(says);
            assert!(error.contains(says), "{error}");
        }
    }
}
