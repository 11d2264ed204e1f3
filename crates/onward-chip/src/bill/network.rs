//! Routers and links.

use super::Part;
use super::chip::Plan;
use super::logic::{Logic, Timing, flip_flops, gates, log2, multiplexers, selector};
use super::memory::{MemoryCost, Ports};
use crate::event::Event;
use crate::{Mesh, Topology};

/// Gates of an output's arbiter for each of its inputs: request, mask by pointer, grant, and the pointer's step.
const ARBITER_GATES: f64 = 12.0;

/// Numbers of a router's parts.
struct Shape {
    /// Outputs: four sides and the cores.
    outputs: f64,
    /// Input buffers: a side has one for each virtual channel.
    buffers: f64,
    depth: u64,
    flit: f64,
}

impl Shape {
    fn of(plan: &Plan) -> Shape {
        let mesh = &plan.chip.mesh;
        let channels = if mesh.topology == Topology::Torus { 2.0 } else { 1.0 };
        let cores = f64::from(mesh.cores_per_tile);
        Shape {
            outputs: 4.0 + cores,
            buffers: 4.0 * channels + cores,
            depth: mesh.buffer_flits.into(),
            flit: plan.flit_bits,
        }
    }

    fn buffer(&self, plan: &Plan) -> MemoryCost {
        MemoryCost::of(plan.technology, self.depth, self.flit as u64, Ports::Two)
    }

    /// Pointers and counts of buffers and outputs, and the outputs each head wants (RT10, RT12).
    fn state(&self) -> f64 {
        let credits = log2(self.depth as f64 + 1.0);
        self.buffers * (self.outputs + 2.0 * log2(self.depth as f64) + credits) + self.outputs * log2(self.buffers)
    }

    /// A flit from one of the buffers.
    fn crossing(&self) -> Logic {
        multiplexers(log2(self.buffers) * self.flit) + gates(ARBITER_GATES * self.buffers)
    }
}

/// A router: buffers, crossbar, arbiters, tree table.
pub(super) fn router(plan: &Plan) -> Part {
    let (technology, shape) = (plan.technology, Shape::of(plan));
    let timing = Timing(technology);
    let buffer = shape.buffer(plan);
    let crossing = technology.operation(shape.crossing());
    let arbitration = timing.gates(2.0 * log2(shape.buffers) + 4.0);
    let crossbar = timing.multiplexers(log2(shape.buffers));
    let on_the_way = if plan.chip.mesh.link_cycles == 0 { timing.wire(plan.link_mm) } else { 0.0 };
    let to_core = technology.wire_energy(shape.flit, plan.tile_side_mm / 2.0);
    let buffers = Part::new("input buffers", shape.buffers as u64)
        .with_area(buffer.area_um2, buffer.leakage_nw)
        .spending(Event::FlitInjection, buffer.write_fj)
        .spending(Event::FlitHop, buffer.read_fj + buffer.write_fj)
        .spending(Event::FlitEjection, buffer.read_fj);
    let switch = Part::new("crossbar", 1)
        .with_logic(technology, selector(shape.buffers, shape.flit) * shape.outputs)
        .spending(Event::FlitInjection, to_core)
        .spending(Event::FlitHop, crossing)
        .spending(Event::FlitEjection, crossing + to_core)
        .with_path("a router's buffer, arbiter, crossbar and link", {
            buffer.access_ps + arbitration + crossbar + on_the_way + buffer.setup_ps
        });
    let state = shape.state();
    let arbiters = Part::new("arbiters", 1)
        .with_logic(technology, gates(ARBITER_GATES * shape.buffers) * shape.outputs + flip_flops(state))
        .spending(Event::TileCycle, technology.clocked(state) + technology.gated(shape.buffers * buffer.flip_flops));
    Part::new("router", 1).with_parts([buffers, switch, arbiters, tree_table(plan, shape.outputs)])
}

/// Tree, mask of outputs, place of the first inlet (RT9): found by a hash, compared with the tree asked for.
fn tree_table(plan: &Plan, outputs: f64) -> Part {
    let technology = plan.technology;
    let bits = 16.0 + outputs + 16.0;
    let table = MemoryCost::of(technology, plan.chip.mesh.multicast_trees.into(), bits as u64, Ports::One);
    let compare = gates(2.0 * 16.0);
    let timing = Timing(technology);
    Part::new("tree table", 1)
        .with_area(table.area_um2, table.leakage_nw)
        .with_logic(technology, compare)
        .spending(Event::TreeLookup, table.read_fj + technology.operation(compare))
        .with_path(
            "the tree table",
            table.access_ps + timing.gates(1.0 + log2(16.0)) + technology.cells.flip_flop.setup_ps,
        )
}

/// Links of the mesh, one way each: those within chips, and those from chip to chip.
pub(super) fn links(mesh: &Mesh) -> (u64, u64) {
    let (mut within, mut between) = (0, 0);
    for tile in 0..mesh.tiles() as u32 {
        for direction in 0..4 {
            if mesh.neighbour(tile, direction).is_some() {
                *if mesh.leaves_chip(tile, direction) { &mut between } else { &mut within } += 1;
            }
        }
    }
    (within, between)
}

/// A link: wires with repeaters, and registers where it takes cycles of its own.
pub(super) fn link(plan: &Plan, count: u64) -> Part {
    let (technology, flit, length) = (plan.technology, plan.flit_bits, plan.link_mm);
    let wires = flit * length;
    let cycles = f64::from(plan.chip.mesh.link_cycles);
    let registers = flip_flops(cycles * flit);
    let timing = Timing(technology);
    let link = Part::new("link", count)
        .with_area(
            wires * technology.wires.repeater_area_um2_per_mm,
            wires * technology.wires.repeater_leakage_nw_per_mm,
        )
        .with_logic(technology, registers)
        .spending(Event::FlitHop, technology.wire_energy(flit, length) + technology.operation(registers));
    if cycles == 0.0 {
        return link; // its time is part of the router's
    }
    link.with_path("a link", timing.flip_flops() + timing.wire(length / cycles))
}
