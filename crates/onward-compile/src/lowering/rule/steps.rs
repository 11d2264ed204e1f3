//! Learning while the input is shown: at every few steps weights change by traces that fade, and by membranes that are near
//! their thresholds. At the end of a target's window its own projection follows.

use super::RuleFormat;
use super::homeostasis::homeostasis;
use super::loss::Pulls;
use super::optimizer::{Change, Rows, bias, scale, target_weights};
use super::signal::{Bounds, Operands};
use super::update::{Update, means};
use super::{LEAST_TRACE, TRACE_BITS, window_bits};
use crate::lowering::block::Block;
use crate::lowering::code::{Arrays, in_strips, load_word};
use crate::lowering::record::Held;
use crate::purposes;
use onward_isa::Special;
use onward_isa::builder::{A16, Assembly, Label, ScalarRegister, VectorRegister, ZERO};

/// Traces fade: `x_k -= x_k / 2^memory`.
pub(crate) fn fade(a: &mut Assembly, block: &Block, arrays: Arrays, memory: u32) {
    a.comment("x_k -= x_k / 2^memory");
    let bits = &a.scratch();
    a.load_number(bits, memory as i32);
    let (trace, lost) = (&a.scratch_vector(), &a.scratch_vector());
    let first = arrays.offset("trace");
    in_strips(a, block.trace_rows(), block.vector_length, "traces_faded", |a, at| {
        a.indexed(A16, at, first, |a, memory| a.vld(trace, memory));
        a.vshr(lost, trace, bits);
        a.vsub(trace, trace, lost);
        a.indexed(A16, at, first, |a, memory| a.vst(trace, memory));
    });
    a.setvl(ZERO, "NEURONS");
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
    if rule.steps.is_none() {
        return held;
    }
    let stepped = a.label("stepped");
    a.gap();
    a.comment("While the input is shown, weights change at every few steps.");
    let held = a.serve(purposes::CONTROL, |a| change_if_time(a, block, rule, arrays, held, before, &stepped));
    a.gap();
    a.bind(&stepped);
    held
}

fn change_if_time(
    a: &mut Assembly,
    block: &Block,
    rule: &RuleFormat,
    arrays: Arrays,
    held: Held,
    before: &VectorRegister,
    stepped: &Label,
) -> Held {
    let every = rule.steps.map_or(1, |steps| steps.every);
    {
        let number = &a.scratch();
        a.special(number, Special::Kind);
        a.bne(number, ZERO, stepped);
        a.beq(&held.learn, ZERO, stepped);
        load_word(a, arrays, number, "frozen").note("the host may keep the layer as it is");
        a.bne(number, ZERO, stepped);
        if every > 1 {
            let last = &a.scratch();
            a.load_number(last, every as i32 - 1);
            a.and(number, &held.position, last);
            a.bne(number, last, stepped);
        }
    }
    let Held { position, learn, slot, one, counts, voltages, traces, state } = held;
    drop((counts, voltages, traces, state));
    a.serve(purposes::SCORES, |a| block.scores(a, arrays, "scored"));
    let shown = a.scratch();
    a.addi(&shown, &position, 1).note("steps the input was shown");
    let update = Update {
        block,
        rule,
        arrays,
        slot: slot.operand(),
        nothing: stepped,
        bounds: None,
        shown: Some(shown.operand()),
        near: Some(before.operand()),
    };
    change(a, update, shown);
    Held { position, learn, slot, one, counts: None, voltages: None, traces: None, state: Vec::new() }
}

/// Makes pulls; `shown` is given back as soon as the loss has looked at the scores. Loads the shift, and so many bits more.
fn pulls(
    a: &mut Assembly,
    update: &mut Update,
    shown: ScalarRegister,
    more: i32,
) -> (Pulls, ScalarRegister, Option<ScalarRegister>) {
    let (rule, loss) = (update.rule, update.rule.loss());
    let lead = a.serve(purposes::RIVAL, |a| loss.lead(a, update));
    drop(shown);
    a.gap();
    let shift = a.named("shift");
    load_word(a, update.arrays, &shift, "shift");
    a.advance(&shift, more.into()).note("h is a sum over a window, and no trace");
    let pulls = a.serve(purposes::PULLS, |a| {
        let (own, rival) = update.places(a, &lead);
        update.bounds = if update.near.is_some() { Bounds::load(a, rule) } else { None };
        let pulls = loss.pulls(a, update, &lead, &Operands::Whole { own: &own, rival: rival.as_ref() });
        update.bounds = None;
        pulls
    });
    drop(lead.missing);
    scale(a, rule, &pulls, means);
    (pulls, shift, lead.rival)
}

/// The change of the input's path and that of the layer's own spikes.
fn change(a: &mut Assembly, mut update: Update, shown: ScalarRegister) {
    let (block, rule) = (update.block, update.rule);
    let (pulls, shift, rival) = pulls(a, &mut update, shown, 0);
    drop(rival);
    {
        let least = &a.named("least_trace");
        a.load_number(least, LEAST_TRACE).note("what a trace must be to count");
        let change = Change::new(a, block, rule, update.arrays, &shift, least);
        change.rows(a, &pulls, [None, None], &Rows::All);
    }
    bias(a, block, &pulls.input, &shift, 1 << TRACE_BITS, -(block.lowered.parameters.finer as i32));
}

/// At the end of a target's window: its own projection follows. Scores are in memory.
pub(crate) fn close(a: &mut Assembly, block: &Block, rule: &RuleFormat, arrays: Arrays, slot: &ScalarRegister) {
    let nothing = &a.label("homeostasis");
    if block.is_fed() && rule.loss().moves_targets() {
        let shown = a.scratch();
        a.addi(&shown, ZERO, "WINDOW");
        let mut update = Update {
            block,
            rule,
            arrays,
            slot: slot.operand(),
            nothing,
            bounds: None,
            shown: Some(shown.operand()),
            near: None,
        };
        let (pulls, shift, rival) = pulls(a, &mut update, shown, window_bits(block.window) as i32 - TRACE_BITS as i32);
        let classes = [Some(slot.operand()), rival.as_ref().map(ScalarRegister::operand)];
        target_weights(a, block, rule, &shift, &pulls, classes);
    }
    a.gap();
    a.bind(nothing);
    homeostasis(a, block, rule);
}
