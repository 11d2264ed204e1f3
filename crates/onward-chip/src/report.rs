//! The bill for machines: stable keys with SI units in their names, square millimetres for areas.

use crate::{Bill, Chip, KEYS, Part};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a chip takes, whatever runs on it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChipSummary {
    /// Area of the chip, or of all chips of an array.
    pub area_mm2: f64,
    /// Its clock.
    pub clock_hz: u64,
    /// The highest clock there can be.
    pub highest_clock_hz: u64,
    /// The path that limits it.
    pub clock_limit: &'static str,
    /// Supply.
    pub supply_v: f64,
    /// Leakage with all cores on.
    pub leakage_w: f64,
    /// What all of it, and energies, may be wrong by, either way.
    pub uncertainty_factor: f64,
}

/// A bill for machines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BillReport {
    /// Name of the chip.
    pub chip: String,
    /// Name of the technology.
    pub technology: String,
    /// Area, clock, leakage.
    #[serde(flatten)]
    pub summary: ChipSummary,
    /// How long the path takes that limits the clock, flip-flops included.
    pub longest_path_s: f64,
    /// The fewest cycles the barrier can take at this clock.
    pub least_barrier_cycles: u32,
    /// Chips of the array.
    pub chips: u64,
    /// Side of a tile.
    pub tile_side_mm: f64,
    /// What each event costs.
    pub event_energy_j: BTreeMap<&'static str, f64>,
    /// The parts of the chip.
    pub parts: Vec<PartReport>,
    /// Every key of the chip file with its value.
    pub keys: BTreeMap<&'static str, Option<String>>,
}

/// A part for machines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartReport {
    /// What it is called.
    pub name: &'static str,
    /// How many of it the part around it has.
    pub count: u64,
    /// Area of one of it with all that is in it.
    pub area_mm2: f64,
    /// Leakage of one of it with all that is in it.
    pub leakage_w: f64,
    /// What it spends in events, without its parts.
    pub event_energy_j: BTreeMap<&'static str, f64>,
    /// Its paths from flip-flop to flip-flop.
    pub paths_s: BTreeMap<&'static str, f64>,
    /// The parts within it.
    pub parts: Vec<PartReport>,
}

impl Bill {
    /// What the chip takes, in a few numbers.
    pub fn summary(&self) -> ChipSummary {
        ChipSummary {
            area_mm2: self.area_mm2(),
            clock_hz: self.clock_hz,
            highest_clock_hz: self.highest_clock_hz,
            clock_limit: self.longest_path.name,
            supply_v: self.supply_v,
            leakage_w: self.leakage_w(),
            uncertainty_factor: self.uncertainty,
        }
    }

    /// All of it, for machines.
    pub fn report(&self, chip: &Chip) -> BillReport {
        BillReport {
            chip: chip.name.clone(),
            technology: self.technology.clone(),
            summary: self.summary(),
            longest_path_s: self.longest_path.picoseconds / 1e12,
            least_barrier_cycles: self.least_barrier_cycles,
            chips: self.chips,
            tile_side_mm: self.tile_side_mm,
            event_energy_j: self.events.iter().map(|(event, pj)| (event.name(), pj / 1e12)).collect(),
            parts: self.root.parts.iter().map(PartReport::of).collect(),
            keys: KEYS.iter().map(|key| (key.name, key.value(chip))).collect(),
        }
    }
}

impl PartReport {
    fn of(part: &Part) -> PartReport {
        PartReport {
            name: part.name,
            count: part.count,
            area_mm2: part.area_um2() / 1e6,
            leakage_w: part.leakage_nw() / 1e9,
            event_energy_j: part.energies.iter().map(|(event, pj)| (event.name(), pj / 1e12)).collect(),
            paths_s: part.paths.iter().map(|path| (path.name, path.picoseconds / 1e12)).collect(),
            parts: part.parts.iter().map(PartReport::of).collect(),
        }
    }
}
