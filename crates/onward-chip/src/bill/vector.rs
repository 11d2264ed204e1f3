//! The vector unit: registers, predicates, lanes, the reduction tree.

use super::Part;
use super::chip::Plan;
use super::logic::{
    Logic, Timing, adder, find_first, flip_flops, gates, multiplexers, multiplier, saturating_adder, shifter,
};
use super::memory::{MemoryCost, Ports};
use crate::event::Event;

/// Copies of the registers, each with one read port: `vmac` reads three.
const COPIES: u64 = 3;
/// Flip-flops between the stages of a lane: three operands, a result, what is to be done.
const LANE_BITS: f64 = 3.0 * 32.0 + 32.0 + 8.0;

/// A lane's registers: eight of its share of the vector length.
fn lane_registers(plan: &Plan) -> MemoryCost {
    let core = &plan.chip.core;
    MemoryCost::of(plan.technology, 8 * u64::from(core.vector_length) / u64::from(core.lanes), 32, Ports::Two)
}

/// Vector registers: copies for each lane. A write goes into all of them.
pub(super) fn registers(plan: &Plan) -> Part {
    let technology = plan.technology;
    let memory = lane_registers(plan);
    let path = memory.access_ps + Timing(technology).multiplexers(2.0) + technology.cells.flip_flop.setup_ps;
    Part::new("vector registers", u64::from(plan.chip.core.lanes) * COPIES)
        .with_area(memory.area_um2, memory.leakage_nw)
        .spending(Event::RegisterRead, memory.read_fj)
        .spending(Event::RegisterWrite, COPIES as f64 * memory.write_fj)
        .with_path("vector registers", path)
}

/// Four predicates, what counts their bits, what finds the lowest (V6, L3).
pub(super) fn predicates(plan: &Plan) -> Part {
    let technology = plan.technology;
    let (length, lanes) = (f64::from(plan.chip.core.vector_length), f64::from(plan.chip.core.lanes));
    let count = Logic { full_adder: length, ..Logic::default() };
    let logic = flip_flops(4.0 * length) + gates(4.0 * length) + count + find_first(length);
    let timing = Timing(technology);
    // A comparison is the last instruction of a pass of `forset`: see "One way to build it" in microarchitecture.md.
    let next = timing.flip_flops() + timing.adder(32.0) + timing.find_first(lanes) + timing.multiplexers(3.0);
    Part::new("predicates", 1)
        .with_logic(technology, logic)
        .spending(Event::VectorAdd, technology.operation(flip_flops(1.0)))
        .with_path("the next set bit of a predicate", next)
}

/// Lanes: each adds, multiplies, shifts, draws.
pub(super) fn lanes(plan: &Plan) -> Part {
    let technology = plan.technology;
    let timing = Timing(technology);
    let unpacking = multiplexers(3.0 * 32.0);
    let add = saturating_adder(32.0);
    // A product of 64 bits to which an element is added: a row more in the tree, and what saturates.
    let multiply = multiplier(32.0) + Logic { full_adder: 32.0, ..Logic::default() } + multiplexers(64.0);
    let shift = shifter(64.0);
    // N2: the element's number times a constant is counted up; two exclusive ors; the sum with the element.
    let draw = adder(32.0) * 2.0 + gates(2.0 * 32.0 * 4.0);
    let lane = |name, logic: Logic| Part::new(name, 1).with_logic(technology, logic);
    let adder_part = lane("adder", add + unpacking).spending(Event::VectorAdd, technology.operation(add + unpacking));
    let stage_two = timing.flip_flops()
        + timing.multiplier(32.0, 64.0)
        + technology.cells.full_adder.delay_ps
        + timing.multiplexers(2.0);
    let multiplier_part = lane("multiplier", multiply)
        .spending(Event::VectorMultiply, technology.operation(multiply))
        .spending(Event::RandomDraw, technology.operation(multiply))
        .with_path("a lane's multiplication", stage_two);
    let shifter_part = lane("shifter", shift).spending(Event::RandomDraw, technology.operation(shift));
    let draw_part = lane("random draw", draw).spending(Event::RandomDraw, technology.operation(draw));
    let stages = lane("stages", flip_flops(LANE_BITS));
    let lanes = Part::new("lane", plan.chip.core.lanes.into()).with_parts([
        adder_part,
        multiplier_part,
        shifter_part,
        draw_part,
        stages,
    ]);
    let area_mm2 = (lanes.area_um2() + COPIES as f64 * lane_registers(plan).area_um2) / 1e6;
    // A lane passes a scalar operand on to the next one; its clock's wires reach every group of flip-flops.
    let broadcast = technology.wire_energy(32.0, area_mm2.sqrt());
    let tree = 1.5 * (area_mm2 * LANE_BITS / 32.0).sqrt() * technology.wires.energy_fj_per_mm;
    lanes.spending(
        Event::LaneCycle,
        technology.clocked(LANE_BITS) + LANE_BITS * technology.cells.flip_flop.energy_fj + broadcast + tree,
    )
}

/// The tree behind the lanes (I9): in each node a sum of 64 bits, or the greater with its index.
pub(super) fn reduction(plan: &Plan) -> Part {
    let technology = plan.technology;
    let timing = Timing(technology);
    let node = adder(64.0) + multiplexers(64.0 + 32.0) + flip_flops(64.0 + 32.0);
    let lanes = f64::from(plan.chip.core.lanes);
    // The last node's operands come from both halves of the lanes.
    let width = (lanes * COPIES as f64 * lane_registers(plan).area_um2).sqrt() / 1000.0;
    let path = timing.flip_flops() + timing.adder(64.0) + timing.multiplexers(1.0) + timing.wire(width / 2.0);
    Part::new("reduction tree", plan.chip.core.lanes.saturating_sub(1).into())
        .with_logic(technology, node)
        .spending(Event::Reduction, technology.operation(node))
        .with_path("a level of the reduction tree", path)
}
