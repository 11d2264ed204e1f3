//! The bill of a chip: area, leakage, the longest path, and what each event costs, part by part.
//!
//! The parts are those of the circuit: a chip has tiles, a tile cores and a router, a core memories, lanes, a sequencer. Each part
//! counts its cells ([`logic`]) and memories ([`memory`]) and multiplies them with the figures of a technology; a total is the
//! sum over parts. So every key of a chip file moves what it moves in a circuit.

mod chip;
mod core;
mod logic;
mod memory;
mod network;
mod vector;

use crate::event::{Event, EventCosts};
use crate::files::{FileError, Limits};
use crate::{Chip, IdleCores, Technology};

/// A part of the circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is called.
    pub name: &'static str,
    /// How many of it the part around it has.
    pub count: u64,
    /// Its own area without that of its parts, um^2.
    pub own_area_um2: f64,
    /// Its own leakage without that of its parts, nW.
    pub own_leakage_nw: f64,
    /// What it spends in an event, pJ.
    pub energies: Vec<(Event, f64)>,
    /// Paths from flip-flop to flip-flop.
    pub paths: Vec<Path>,
    /// The parts within it.
    pub parts: Vec<Part>,
}

/// A path that a signal takes within a cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// What it does.
    pub name: &'static str,
    /// How long it takes, ps, flip-flops included, without the clock's margin.
    pub picoseconds: f64,
}

impl Part {
    /// A part that is nothing but its parts.
    fn new(name: &'static str, count: u64) -> Part {
        Part {
            name,
            count,
            own_area_um2: 0.0,
            own_leakage_nw: 0.0,
            energies: Vec::new(),
            paths: Vec::new(),
            parts: Vec::new(),
        }
    }

    fn with_area(mut self, um2: f64, leakage_nw: f64) -> Part {
        self.own_area_um2 += um2;
        self.own_leakage_nw += leakage_nw;
        self
    }

    fn with_logic(self, technology: &Technology, logic: logic::Logic) -> Part {
        self.with_area(technology.logic_area(logic), technology.logic_leakage(logic))
    }

    /// `femtojoules` are spent in each such event.
    fn spending(mut self, event: Event, femtojoules: f64) -> Part {
        self.energies.push((event, femtojoules / 1000.0));
        self
    }

    fn with_path(mut self, name: &'static str, picoseconds: f64) -> Part {
        self.paths.push(Path { name, picoseconds });
        self
    }

    fn with_parts(mut self, parts: impl IntoIterator<Item = Part>) -> Part {
        self.parts.extend(parts);
        self
    }

    /// Area of one of it with all that is in it, um^2.
    pub fn area_um2(&self) -> f64 {
        self.own_area_um2 + self.parts.iter().map(|part| part.count as f64 * part.area_um2()).sum::<f64>()
    }

    /// Leakage of one of it with all that is in it, nW.
    pub fn leakage_nw(&self) -> f64 {
        self.own_leakage_nw + self.parts.iter().map(|part| part.count as f64 * part.leakage_nw()).sum::<f64>()
    }

    /// The first part of that name in it, itself included.
    pub fn find(&self, name: &str) -> Option<&Part> {
        if self.name == name { Some(self) } else { self.parts.iter().find_map(|part| part.find(name)) }
    }

    /// It and all that is in it, parents first, with how many there are in all and how deep each lies.
    pub fn walk(&self) -> Vec<(usize, u64, &Part)> {
        fn visit<'a>(part: &'a Part, depth: usize, times: u64, found: &mut Vec<(usize, u64, &'a Part)>) {
            let times = times * part.count;
            found.push((depth, times, part));
            for inner in &part.parts {
                visit(inner, depth + 1, times, found);
            }
        }
        let mut found = Vec::new();
        visit(self, 0, 1, &mut found);
        found
    }
}

/// The bill of a chip in a technology.
#[derive(Clone, Debug, PartialEq)]
pub struct Bill {
    /// The whole chip, or all chips of an array, as parts.
    pub root: Part,
    /// Name of the technology.
    pub technology: String,
    /// Its uncertainty, a factor either way.
    pub uncertainty: f64,
    /// Supply, V.
    pub supply_v: f64,
    /// Side of a tile, mm.
    pub tile_side_mm: f64,
    /// Chips of the array.
    pub chips: u64,
    /// The time from chip to chip, ps.
    pub crossing_ps: f64,
    /// Clock the chip file asks for, Hz.
    pub clock_hz: u64,
    /// The highest clock there can be, Hz.
    pub highest_clock_hz: u64,
    /// What limits it.
    pub longest_path: Path,
    /// The fewest cycles that the barrier can take at the chip's clock.
    pub least_barrier_cycles: u32,
    /// What events cost, pJ.
    pub events: EventCosts,
    /// Leakage by what can be switched off.
    pub leakage: Leakage,
}

/// Leakage, W.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Leakage {
    /// A core that is on.
    pub core_w: f64,
    /// A core without a block: what is left of it where such cores are switched off, all of it where they are not.
    pub idle_core_w: f64,
    /// All that is no core: routers, links, barrier, clock, pads.
    pub rest_w: f64,
}

/// What a chip costs to run: energies of events, leakage, and which cores are clocked. This is the form to count with.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// What events cost, pJ.
    pub events: EventCosts,
    /// Leakage.
    pub leakage: Leakage,
    /// Whether cores without a block are switched off.
    pub idle_cores: IdleCores,
    /// The bill they are from.
    pub bill: Box<Bill>,
}

impl std::ops::Index<Event> for Costs {
    type Output = f64;

    fn index(&self, event: Event) -> &f64 {
        &self.events[event]
    }
}

impl Bill {
    /// The bill of a chip, whatever clock and barrier it asks for.
    ///
    /// # Errors
    /// When its supply voltage is none the technology's rule reaches to.
    pub fn of(chip: &Chip, technology: &Technology) -> Result<Bill, FileError> {
        let supply_v = chip.voltage_mv.map_or(technology.voltage.nominal_v, |mv| f64::from(mv) / 1000.0);
        let technology = &technology.at_voltage(supply_v)?;
        let plan = chip::Plan::of(chip, technology);
        let root = chip::chip(&plan);
        let mut events = EventCosts::default();
        let mut longest = Path { name: "none", picoseconds: 0.0 };
        for (_, _, part) in root.walk() {
            for &(event, picojoules) in &part.energies {
                events.add(event, picojoules);
            }
            for path in &part.paths {
                if path.picoseconds > longest.picoseconds {
                    longest = path.clone();
                }
            }
        }
        let usable = 1.0 - technology.layout.clock_margin;
        let highest_clock_hz = (1e12 * usable / longest.picoseconds).floor() as u64;
        let clock_hz = if chip.clock_hz == Chip::HIGHEST_CLOCK { highest_clock_hz } else { chip.clock_hz };
        Ok(Bill {
            leakage: leakage(chip, technology, &root),
            technology: technology.name.clone(),
            uncertainty: technology.uncertainty,
            supply_v,
            tile_side_mm: plan.tile_side_mm,
            crossing_ps: technology.pads.crossing_ps,
            chips: chip.mesh.array.as_ref().map_or(1, |array| u64::from(array.width) * u64::from(array.height)),
            clock_hz,
            highest_clock_hz,
            longest_path: longest,
            least_barrier_cycles: plan.least_barrier_cycles(clock_hz),
            events,
            root,
        })
    }

    /// Checks that the clock and the barrier the chip asks for can exist.
    ///
    /// # Errors
    /// [`FileError::Limits`] with all that cannot; `place` is what messages call the chip.
    pub fn check(&self, chip: &Chip, place: &str) -> Result<(), FileError> {
        let mut limits = Limits::default();
        if self.clock_hz > self.highest_clock_hz {
            let expected = format!(
                "{} or less in technology `{}` at {} V, as {} takes {:.0} ps: `clock_hz = \"highest\"` takes the highest",
                self.highest_clock_hz,
                self.technology,
                self.supply_v,
                self.longest_path.name,
                self.longest_path.picoseconds
            );
            limits.broken("clock_hz", self.clock_hz, expected);
        } else if chip.barrier_cycles < self.least_barrier_cycles {
            let expected = format!(
                "{} or more, as the barrier's tree over {} x {} tiles takes so long at this clock",
                self.least_barrier_cycles, chip.mesh.width, chip.mesh.height
            );
            limits.broken("barrier_cycles", chip.barrier_cycles, expected);
        }
        if let Some(array) = &chip.mesh.array {
            let least = chip::least_crossing_cycles(array, self);
            if u64::from(array.link_cycles) < least {
                let expected = format!("{least} or more, which a flit takes from chip to chip at this clock");
                limits.broken("mesh.array.link_cycles", array.link_cycles, expected);
            }
        }
        limits.finish(place)
    }

    /// What to count with.
    pub fn costs(self, chip: &Chip) -> Costs {
        Costs { events: self.events.clone(), leakage: self.leakage, idle_cores: chip.idle_cores, bill: Box::new(self) }
    }

    /// Area of the chip, or of all chips of an array, mm^2.
    pub fn area_mm2(&self) -> f64 {
        self.root.area_um2() / 1e6
    }

    /// Leakage with everything on, W.
    pub fn leakage_w(&self) -> f64 {
        self.root.leakage_nw() / 1e9
    }
}

/// Leakage by what can be switched off.
fn leakage(chip: &Chip, technology: &Technology, root: &Part) -> Leakage {
    let core_w = root.find("core").map_or(0.0, Part::leakage_nw) / 1e9;
    let kept = match chip.idle_cores {
        IdleCores::Gated => technology.layout.power_switch_leakage,
        IdleCores::Clocked => 1.0,
    };
    let cores = chip.mesh.cores() as f64;
    Leakage { core_w, idle_core_w: kept * core_w, rest_w: root.leakage_nw() / 1e9 - cores * core_w }
}

impl Technology {
    /// What a chip costs in this technology: its [`Bill`] in the form to count with.
    ///
    /// # Errors
    /// When the technology is not complete, or the chip's clock, barrier or supply cannot exist in it.
    pub fn costs(&self, chip: &Chip) -> Result<Costs, FileError> {
        self.validate()?;
        Ok(Bill::of(chip, self)?.costs(chip))
    }
}
