//! The chip as a whole: tiles, links, pads, the clock's trunk and the barrier's tree.

use super::logic::{Timing, flip_flops, gates, log2};
use super::{Bill, Part, core, network};
use crate::event::Event;
use crate::{Array, Chip, Technology, Topology};

/// What parts need to know of the whole.
pub(super) struct Plan<'a> {
    pub chip: &'a Chip,
    pub technology: &'a Technology,
    /// Bits of a flit: kind 1, destination 19, stream 16, payload 32, and an index into the axons (`router.md`, RT1).
    pub flit_bits: f64,
    /// Side of a tile, mm.
    pub tile_side_mm: f64,
    /// Length of a link, mm: a tile's side, or two of them on a torus, which is folded so that no link is longer.
    pub link_mm: f64,
}

impl<'a> Plan<'a> {
    pub fn of(chip: &'a Chip, technology: &'a Technology) -> Plan<'a> {
        let flit_bits = 1.0 + 19.0 + 16.0 + 32.0 + log2(f64::from(chip.memory.axons));
        // Areas do not hang on lengths; so the side is found first.
        let mut plan = Plan { chip, technology, flit_bits, tile_side_mm: 0.0, link_mm: 0.0 };
        let cores = f64::from(chip.mesh.cores_per_tile);
        let area = cores * core::core(&plan).area_um2() + network::router(&plan).area_um2();
        plan.tile_side_mm = area.sqrt() / 1000.0;
        plan.link_mm = match chip.mesh.topology {
            Topology::Mesh => plan.tile_side_mm,
            Topology::Torus => 2.0 * plan.tile_side_mm,
        };
        plan
    }

    /// Flip-flop, gates and wire of one hop of the barrier's tree, the flip-flops apart, ps.
    fn barrier_hop_ps(&self) -> f64 {
        let timing = Timing(self.technology);
        timing.gates(2.0) + timing.wire(self.tile_side_mm)
    }

    /// The tree goes along the rows to the middle, from there to the middle row, and back: as many hops within a cycle as fit.
    pub fn least_barrier_cycles(&self, clock_hz: u64) -> u32 {
        let mesh = &self.chip.mesh;
        let usable = 1e12 / clock_hz as f64 * (1.0 - self.technology.layout.clock_margin);
        let hops_a_cycle = ((usable - Timing(self.technology).flip_flops()) / self.barrier_hop_ps()).floor().max(1.0);
        let depth = f64::from(mesh.width.div_ceil(2) + mesh.height.div_ceil(2));
        2 * (depth / hops_a_cycle).ceil() as u32
    }
}

/// The fewest cycles a link to another chip can add: the parts of a flit one after the other, and the way.
pub(super) fn least_crossing_cycles(array: &Array, bill: &Bill) -> u64 {
    u64::from(array.cycles_per_flit) - 1 + (bill.crossing_ps * bill.clock_hz as f64 / 1e12).ceil() as u64
}

/// The whole chip.
pub(super) fn chip(plan: &Plan) -> Part {
    let mesh = &plan.chip.mesh;
    let tile = Part::new("tile", mesh.tiles() as u64).with_parts([
        core::core(plan),
        network::router(plan),
        barrier(plan),
        clock_trunk(plan),
    ]);
    let mut root = Part::new("chip", 1).with_parts([tile]);
    let (links, crossings) = network::links(mesh);
    if links > 0 {
        root = root.with_parts([network::link(plan, links)]);
    }
    if let Some(array) = &mesh.array
        && crossings > 0
    {
        root = root.with_parts([chip_link(plan, array, crossings)]);
    }
    root.with_parts([host_port(plan)])
}

/// A tile's part of the barrier's tree: a register up and one down, what joins four neighbours, a wire each.
fn barrier(plan: &Plan) -> Part {
    let technology = plan.technology;
    let logic = flip_flops(4.0) + gates(8.0);
    let wires = 2.0 * plan.tile_side_mm;
    let spent = 2.0 * technology.operation(flip_flops(1.0)) + wires * technology.wires.energy_fj_per_mm;
    Part::new("barrier tree", 1)
        .with_logic(technology, logic)
        .with_area(
            wires * technology.wires.repeater_area_um2_per_mm,
            wires * technology.wires.repeater_leakage_nw_per_mm,
        )
        .spending(Event::BarrierPerTile, spent)
        .with_path("a hop of the barrier", Timing(technology).flip_flops() + plan.barrier_hop_ps())
}

/// A tile's part of the clock's trunk: the H-trees of all levels over a square of tiles are 1.5 sides a tile long.
fn clock_trunk(plan: &Plan) -> Part {
    let wires = &plan.technology.wires;
    let length = 1.5 * plan.tile_side_mm;
    Part::new("clock trunk", 1)
        .with_area(length * wires.repeater_area_um2_per_mm, length * wires.repeater_leakage_nw_per_mm)
        .spending(Event::TileCycle, length * wires.energy_fj_per_mm)
}

/// A host port takes and gives a flit a cycle: a pad for each bit, and valid and ready, both ways.
fn host_port(plan: &Plan) -> Part {
    let pads = &plan.technology.pads;
    let count = 2.0 * (plan.flit_bits + 2.0);
    // The configuration port goes through the pads of the first one.
    Part::new("host port", plan.chip.host.ports.len() as u64)
        .with_area(count * pads.area_um2, count * pads.leakage_nw)
        .spending(Event::HostFlit, plan.flit_bits * pads.host_fj_per_bit)
        .spending(Event::HostConfigurationPerBit, pads.host_fj_per_bit)
}

/// A link to another chip: pads at both ends for as many bits as go at a time, and what puts a flit into parts and together.
fn chip_link(plan: &Plan, array: &Array, count: u64) -> Part {
    let (technology, pads) = (plan.technology, &plan.technology.pads);
    let signals = 2.0 * ((plan.flit_bits / f64::from(array.cycles_per_flit)).ceil() + 2.0);
    Part::new("chip link", count)
        .with_area(signals * pads.area_um2, signals * pads.leakage_nw)
        .with_logic(technology, flip_flops(2.0 * plan.flit_bits))
        .spending(
            Event::ChipCrossing,
            plan.flit_bits * pads.crossing_fj_per_bit + technology.operation(flip_flops(2.0 * plan.flit_bits)),
        )
}
