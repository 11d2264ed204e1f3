//! Learning while the input is shown: at every few steps weights change by traces that fade, and by membranes that are near
//! their thresholds. At the end of a target's window its own projection follows.

use super::RuleFormat;
use super::homeostasis::homeostasis;
use super::loss::{Pulls, TargetPulls};
use super::optimizer::{bias, target_weights};
use super::signal::Bounds;
use super::update::Update;
use super::{LEAST_TRACE, TRACE_BITS};
use crate::lowering::block::Block;
use crate::lowering::code::{Arrays, add_name, load_name, load_word};
use crate::lowering::record::Held;
use onward_isa::Special;
use onward_isa::builder::{A16, Assembly, Label, N16, Scalar, ScalarRegister, VectorRegister, ZERO};

/// Traces fade: `x_k -= x_k / 2^memory`.
pub(crate) fn fade(a: &mut Assembly, block: &Block, arrays: Arrays, memory: u32) {
    a.comment("x_k -= x_k / 2^memory");
    let bits = &a.scratch();
    a.load_number(bits, memory as i32);
    let (trace, lost) = (&a.scratch_vector(), &a.scratch_vector());
    let first = arrays.offset("trace");
    crate::lowering::code::in_strips(a, block.trace_rows(), block.vector_length, "traces_faded", |a, at| {
        a.indexed(A16, at, first, |a, memory| a.vld(trace, memory));
        a.vshr(lost, trace, bits);
        a.vsub(trace, trace, lost);
        a.indexed(A16, at, first, |a, memory| a.vst(trace, memory));
    });
    a.setvl(ZERO, "NEURONS");
}

/// Finds the rival, and goes on where the own class leads it by the margin of each of the steps in the register.
fn lead(a: &mut Assembly, update: &Update, steps: &ScalarRegister) -> ScalarRegister {
    let (rival, own, other) = update.rival(a);
    a.sub(&own, &own, &other);
    a.load_number(&other, update.rule.margin_of_step(update.block.neurons())).note("the margin of a step");
    a.mul(&other, &other, steps);
    a.bge(&own, &other, update.nothing);
    rival
}

/// At the end of a step of the input's window: changes weights if it is time. `before` are membranes before resets.
pub(crate) fn step(
    a: &mut Assembly,
    block: &Block,
    rule: &RuleFormat,
    arrays: Arrays,
    held: Held,
    before: &VectorRegister,
) -> Held {
    let Some(steps) = rule.steps else { return held };
    let stepped = a.label("stepped");
    a.gap();
    a.comment("While the input is shown, weights change at every few steps.");
    {
        let number = &a.scratch();
        a.special(number, Special::Kind);
        a.bne(number, ZERO, &stepped);
        a.beq(&held.learn, ZERO, &stepped);
        load_word(a, arrays, number, "frozen").note("the host may keep the layer as it is");
        a.bne(number, ZERO, &stepped);
        if steps.every > 1 {
            let last = &a.scratch();
            a.load_number(last, steps.every as i32 - 1);
            a.and(number, &held.position, last);
            a.bne(number, last, &stepped);
        }
    }
    let Held { position, learn, slot, one, counts, voltages, traces, state } = held;
    drop((counts, voltages, traces, state));
    block.scores(a, arrays, "scored");
    let update = &Update { block, rule, arrays, slot: slot.operand(), nothing: &stepped, bounds: None };
    change(a, update, &position, before);
    a.gap();
    a.bind(&stepped);
    Held { position, learn, slot, one, counts: None, voltages: None, traces: None, state: [None, None, None] }
}

/// The change of the input's path and that of the layer's own spikes.
fn change(a: &mut Assembly, update: &Update, position: &ScalarRegister, before: &VectorRegister) {
    let (block, rule) = (update.block, update.rule);
    let rival = {
        let shown = &a.scratch();
        a.addi(shown, position, 1).note("steps the input was shown");
        lead(a, update, shown)
    };
    a.gap();
    let shift = &a.named("shift");
    load_word(a, update.arrays, shift, "shift");
    a.comment("Toward the own target, away from the rival's, where the membrane is near the threshold");
    let pull = &a.scratch_vector();
    {
        let (neurons, place) = (&a.scratch(), &a.scratch());
        let other = &a.scratch_vector();
        load_name(a, neurons, "NEURONS");
        a.mul(place, update.slot, neurons);
        add_name(a, place, place, "TARGET_COUNT");
        a.vld(pull, N16.at(place, 0));
        a.mul(neurons, &rival, neurons);
        add_name(a, place, neurons, "TARGET_COUNT");
        a.vld(other, N16.at(place, 0));
        a.vsub(pull, pull, other);
    }
    drop(rival);
    if let Some(bounds) = Bounds::load(a, rule) {
        bounds.gate(a, pull, before);
    }
    rows(a, update, shift, pull);
    a.comment("The bias is a weight whose axon has the trace of one spike.");
    bias(a, block, pull, shift, 1 << TRACE_BITS, 0);
}

/// `w_k += 2^-shift * pull * x_k`.
fn rows(a: &mut Assembly, update: &Update, shift: &ScalarRegister, pull: &VectorRegister) {
    let block = update.block;
    let (all, length, weights) = (block.trace_rows(), block.vector_length, block.weights());
    a.comment("w_k += 2^-shift * pull * x_k");
    let (least, first, index) = (&a.named("least_trace"), &a.named("first_row"), &a.scratch());
    a.load_number(least, LEAST_TRACE).note("what a trace must be to count");
    a.addi(first, ZERO, 0).note("first row of the strip");
    a.addi(index, ZERO, all.div_ceil(length)).note("strips");
    a.repeat(index, "rows_done", |a| {
        let (row, number) = (&a.scratch(), &a.scratch());
        let (vector, active) = (&a.scratch_vector(), &a.scratch_predicate());
        a.load_number(row, all as i32);
        a.sub(row, row, first);
        a.load_number(number, length as i32);
        a.min(row, row, number);
        a.setvl(row, 0);
        a.indexed(A16, first, update.arrays.offset("trace"), |a, memory| a.vld(vector, memory));
        a.vcges(active, vector, least);
        a.setvl(ZERO, "NEURONS");
        a.for_set(index, active, "strip_done", |a| {
            a.add(row, first, index).note("the row");
            a.indexed(A16, row, update.arrays.offset("trace"), |a, memory| a.ld(number, memory)).note("x_k");
            a.vmuls(vector, pull, number);
            a.vshrs(vector, vector, shift).note("stochastic rounding");
            a.vaccr(vector, weights.row(row, 0));
            a.vstr(vector, weights.row(row, 0));
        });
        a.load_number(row, length as i32);
        a.add(first, first, row);
    });
}

/// At the end of a target's window: its own projection follows. Scores are in memory.
pub(crate) fn close(a: &mut Assembly, block: &Block, rule: &RuleFormat, arrays: Arrays, slot: &ScalarRegister) {
    let nothing: &Label = &a.label("homeostasis");
    let update = &Update { block, rule, arrays, slot: slot.operand(), nothing, bounds: None };
    let rival = {
        let shown = &a.scratch();
        a.addi(shown, ZERO, "WINDOW");
        lead(a, update, shown)
    };
    let shift = &a.named("shift");
    load_word(a, arrays, shift, "shift");
    let beyond = block.window.ilog2() as i32 - TRACE_BITS as i32;
    a.addi(shift, shift, beyond).note("h is a sum over a window, and no trace");
    let h = a.scratch_vector();
    {
        let address = &a.scratch();
        load_name(a, address, "COUNT");
        a.vld(&h, N16.at(address, 0)).note("h");
    }
    // Only the targets' path of these pulls is looked at.
    let pulls = Pulls { input: a.scratch_vector(), targets: Some(TargetPulls::Opposite(h)) };
    let classes: [Option<Scalar>; 2] = [Some(slot.operand()), Some(rival.operand())];
    target_weights(a, block, rule, shift, &pulls, classes);
    a.gap();
    a.bind(nothing);
    homeostasis(a, rule);
}
