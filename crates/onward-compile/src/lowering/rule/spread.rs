//! Updates in parts: what a target window asks for is kept, and brought to a part of the rows in each step of what follows.
//!
//! Layers close their windows in different steps. Where each changes all its weights in one step, every step is as long as
//! an update; in parts, no step is much longer than the others. What the parts need stays as it is meanwhile: pulls are kept,
//! traces of targets change in target windows only, and the traces of input windows lie in two places that take turns.

use super::RuleFormat;
use super::loss::{Pulls, TargetPulls};
use super::optimizer::{Change, Rows};
use crate::layout::Layout;
use crate::lowering::block::Block;
use crate::lowering::code::{Arrays, add_name, load_name, load_word};
use crate::lowering::record::Held;
use crate::purposes;
use onward_isa::builder::{Assembly, Label, N32, Scalar, ScalarRegister, VectorRegister, ZERO};
use onward_isa::{Space, Special, Width};

/// Rows of a part; the last ones may have fewer, or none.
pub(super) fn rows_of_a_part(block: &Block) -> u32 {
    block.trace_rows().div_ceil(block.window)
}

/// Whether targets' pulls are kept, too.
fn moves_targets(block: &Block, rule: &RuleFormat) -> bool {
    block.shares_target_weights() && rule.loss().moves_targets()
}

/// What parts need beside what a layer has anyway.
pub(crate) fn arrays(layout: &mut Layout, block: &Block, rule: &RuleFormat) {
    let (n, word) = (block.neurons(), Width::W32);
    // Parts still to be done; where traces of the next input window go, and of the finished one are, 0 or INPUTS.
    for name in ["parts", "next_trace", "done_trace"] {
        layout.add(name, Space::Neuron, word, 1, 1);
    }
    let width = if rule.pull_width() == Width::W8 { Width::W16 } else { rule.pull_width() };
    layout.add("pull", Space::Neuron, width, 1, n);
    if moves_targets(block, rule) {
        for name in ["kept_slot", "kept_rival"] {
            layout.add(name, Space::Neuron, word, 1, 1);
        }
        layout.add("own_pull", Space::Neuron, width, 1, n);
        layout.add("rival_pull", Space::Neuron, width, 1, n);
    }
}

/// Loads or stores a word of neuron memory.
fn word<'a>(a: &'a mut Assembly, address: &ScalarRegister, name: &str) -> &'a mut Assembly {
    load_name(a, address, name);
    a
}

/// Keeps the pulls for the parts, all of which are still to be done.
pub(super) fn keep(a: &mut Assembly, block: &Block, arrays: Arrays, pulls: &Pulls, [own, rival]: [Option<Scalar>; 2]) {
    a.comment("The rows follow in parts, a step each; traces of the next input window go to the other place.");
    let (address, number) = (&a.scratch(), &a.scratch());
    let mut vectors = vec![("pull", pulls.input.operand())];
    let targets = pulls.targets.as_ref().filter(|_| block.shares_target_weights());
    if let Some(targets) = targets {
        let (own, rival, _) = targets.paths();
        vectors.extend([("own_pull", own), ("rival_pull", rival)]);
    }
    for (name, vector) in vectors {
        load_name(a, address, &name.to_uppercase());
        a.vst(vector, arrays.elements(name).at(address, 0));
    }
    if let (Some(_), Some(own), Some(rival)) = (targets, own, rival) {
        word(a, address, "KEPT_SLOT").st(own, N32.at(address, 0));
        word(a, address, "KEPT_RIVAL").st(rival, N32.at(address, 0));
    }
    word(a, address, "NEXT_TRACE").ld(number, N32.at(address, 0));
    word(a, address, "DONE_TRACE").st(number, N32.at(address, 0));
    {
        let rows = &a.scratch();
        a.load_number(rows, block.trace_rows() as i32);
        a.sub(number, rows, number);
    }
    word(a, address, "NEXT_TRACE").st(number, N32.at(address, 0));
    a.addi(number, ZERO, "WINDOW");
    word(a, address, "PARTS").st(number, N32.at(address, 0));
}

/// Where the traces of the present input window go.
pub(crate) fn traces(a: &mut Assembly, traces: &ScalarRegister) {
    {
        let address = &a.scratch();
        word(a, address, "NEXT_TRACE").ld(traces, N32.at(address, 0));
    }
    add_name(a, traces, traces, "TRACE");
}

/// Loads a vector of pulls that was kept.
fn kept(a: &mut Assembly, arrays: Arrays, name: &str) -> VectorRegister {
    let (address, vector) = (&a.scratch(), a.scratch_vector());
    load_name(a, address, &name.to_uppercase());
    a.vld(&vector, arrays.elements(name).at(address, 0));
    vector
}

/// At the end of a step: the next part, if one is to be done. The registers of the step are loaded anew. Goes on at `rest`
/// where no window is open.
pub(crate) fn part(
    a: &mut Assembly,
    block: &Block,
    rule: &RuleFormat,
    arrays: Arrays,
    held: Held,
    rest: &Label,
) -> Held {
    let Held { one, learn, slot, position, counts, voltages, traces, state } = held;
    drop((position, counts, voltages, traces, state));
    let part_done = a.label("part_done");
    a.serve(purposes::SPREAD, |a| {
        let (left, address) = (a.scratch(), a.scratch());
        word(a, &address, "PARTS").ld(&left, N32.at(&address, 0));
        a.beq(&left, ZERO, &part_done);
        a.comment("The next rows of the last update");
        let (first, end) = (&a.named("first_row"), &a.named("part_end"));
        {
            let done = &a.scratch();
            a.addi(done, ZERO, "WINDOW");
            a.sub(done, done, &left).note("parts that are done");
            a.addi(&left, &left, -1);
            a.st(&left, N32.at(&address, 0));
            a.load_number(end, rows_of_a_part(block) as i32);
            a.mul(first, done, end).note("first row of the strip");
            a.add(end, end, first);
            a.load_number(done, block.trace_rows() as i32);
            a.min(end, end, done);
        }
        drop((left, address));
        let shift = &a.named("shift");
        load_word(a, arrays, shift, "shift");
        let traces = &a.named("done_traces");
        {
            let address = &a.scratch();
            word(a, address, "DONE_TRACE").ld(traces, N32.at(address, 0));
            add_name(a, traces, traces, "TRACE");
        }
        let input = kept(a, arrays, "pull");
        let (mut targets, mut classes) = (None, [None, None]);
        if moves_targets(block, rule) {
            targets = Some(TargetPulls::Each(kept(a, arrays, "own_pull"), kept(a, arrays, "rival_pull")));
            // The step's own are loaded again.
            for (register, name) in [(&slot, "KEPT_SLOT"), (&learn, "KEPT_RIVAL")] {
                let address = &a.scratch();
                word(a, address, name).ld(register, N32.at(address, 0));
            }
            classes = [Some(slot.operand()), Some(learn.operand())];
        }
        let pulls = Pulls { input, targets };
        let one = one.as_ref().expect("where updates are spread, 1 is held");
        let change = Change::new(a, block, rule, arrays, shift, one);
        change.rows(a, &pulls, classes, &Rows::Part { first, end, traces });
        a.special(&learn, Special::Learn);
        a.special(&slot, Special::Slot);
    });
    a.bind(&part_done);
    let position = a.named("position");
    {
        let end = &a.scratch();
        a.special(&position, Special::Position);
        a.addi(end, ZERO, "WINDOW");
        a.bge(&position, end, rest);
    }
    Held { position, learn, slot, one, counts: None, voltages: None, traces: None, state: Vec::new() }
}

/// Sleeps, unless parts are still to be done.
pub(crate) fn pending(a: &mut Assembly, rest: &Label) {
    a.bind(rest);
    a.serve_from_here(purposes::SPREAD);
    let (left, address, asleep) = (&a.scratch(), &a.scratch(), &a.label("asleep"));
    word(a, address, "PARTS").ld(left, N32.at(address, 0));
    a.beq(left, ZERO, asleep);
    a.stay().note("parts of the update are still to be done");
    a.bind(asleep);
    a.sleep();
}
