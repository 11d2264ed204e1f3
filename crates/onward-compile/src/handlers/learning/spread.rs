//! Updates in parts: what a target window asks for is kept, and brought to a part of the rows in each step of what follows.
//!
//! Layers close their windows in different steps. Where each changes all its weights in one step, every step is as long as
//! an update; in parts, no step is much longer than the others. What the parts need stays as it is meanwhile: pulls are kept,
//! traces of targets change in target windows only, and the traces of input windows lie in two places that take turns.

use super::loss::Pulls;
use super::{Rows, optimizer};
use crate::handlers::LayerShape;
use crate::handlers::text::Assembly;
use crate::layout::Layout;
use crate::lowering::RuleFormat;
use onward_isa::{Space, Width};

/// Rows of a part; the last ones may have fewer, or none.
pub(super) fn rows_of_a_part(shape: &LayerShape) -> u32 {
    shape.inputs.div_ceil(shape.window)
}

/// What parts need beside what a layer has anyway.
pub(in crate::handlers) fn arrays(layout: &mut Layout, shape: &LayerShape) {
    let (n, word) = (shape.neurons, Width::W32);
    // Parts still to be done; where traces of the next input window go, and of the finished one are, 0 or INPUTS.
    for name in ["parts", "next_trace", "done_trace"] {
        layout.add(name, Space::Neuron, word, 1, 1);
    }
    layout.add("pull", Space::Neuron, Width::W16, 1, n);
    if !shape.fed_by_target {
        for name in ["kept_slot", "kept_rival"] {
            layout.add(name, Space::Neuron, word, 1, 1);
        }
        layout.add("own_pull", Space::Neuron, Width::W16, 1, n);
        layout.add("rival_pull", Space::Neuron, Width::W16, 1, n);
    }
}

/// A word of neuron memory and a register: `ld` or `st`.
fn word(a: &mut Assembly, instruction: &str, register: &str, name: &str) {
    a.code(&format!("addi r15, r0, {name}"), "");
    a.code(&format!("{instruction} {register}, n32[r15]"), "");
}

/// Keeps the pulls for the parts, all of which are still to be done.
pub(super) fn keep(a: &mut Assembly, shape: &LayerShape, pulls: Option<&Pulls>) {
    a.comment("The rows follow in parts, a step each; traces of the next input window go to the other place.");
    let mut vectors = vec![("v1", "PULL")];
    if let Some(pulls) = pulls.filter(|_| !shape.fed_by_target) {
        vectors.extend([(pulls.own, "OWN_PULL"), (pulls.rival, "RIVAL_PULL")]);
    }
    for (vector, place) in vectors {
        a.code(&format!("addi r10, r0, {place}"), "");
        a.code(&format!("vst {vector}, n16[r10]"), "");
    }
    if !shape.fed_by_target {
        word(a, "st", "slot", "KEPT_SLOT");
        word(a, "st", "rival", "KEPT_RIVAL");
    }
    word(a, "ld", "r10", "NEXT_TRACE");
    word(a, "st", "r10", "DONE_TRACE");
    a.load_number("r11", shape.inputs as i32, "");
    a.code("sub r10, r11, r10", "");
    word(a, "st", "r10", "NEXT_TRACE");
    a.code("addi r10, r0, WINDOW", "");
    word(a, "st", "r10", "PARTS");
}

/// r7 becomes where the traces of the present input window go.
pub(in crate::handlers) fn traces(a: &mut Assembly) {
    word(a, "ld", "traces", "NEXT_TRACE");
    a.code("addi traces, traces, TRACE", "");
}

/// At the end of a step: the next part, if one is to be done. Goes on at `label`.
pub(in crate::handlers) fn part(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat, label: &str) {
    a.register("part_end", "r3");
    word(a, "ld", "r10", "PARTS");
    a.code(&format!("beq r10, r0, {label}"), "");
    a.comment("The next rows of the last update");
    a.code("addi r11, r0, WINDOW", "");
    a.code("sub r11, r11, r10", "parts that are done");
    a.code("addi r10, r10, -1", "");
    a.code("st r10, n32[r15]", "");
    a.load_number("part_end", rows_of_a_part(shape) as i32, "");
    a.code("mul r10, r11, part_end", "first axon of the strip");
    a.code("add part_end, part_end, r10", "");
    a.load_number("r12", shape.inputs as i32, "");
    a.code("min part_end, part_end, r12", "");
    a.code("ld shift, n32[SHIFT]", "");
    word(a, "ld", "traces", "DONE_TRACE");
    a.code("addi traces, traces, TRACE", "");
    a.code("addi r11, r0, PULL", "");
    a.code("vld v1, n16[r11]", "");
    if !shape.fed_by_target {
        a.code("addi r11, r0, OWN_PULL", "");
        a.code("vld v2, n16[r11]", "");
        a.code("addi r11, r0, RIVAL_PULL", "");
        a.code("vld v5, n16[r11]", "");
        word(a, "ld", "slot", "KEPT_SLOT");
        word(a, "ld", "rival", "KEPT_RIVAL");
    }
    optimizer::rows(a, shape, learning, Some(&Pulls::EACH), Rows::Part);
    a.code("special learn, learn", "");
    a.code("special slot, slot", "");
}

/// Sleeps, unless parts are still to be done.
pub(in crate::handlers) fn pending(a: &mut Assembly) {
    a.label("rest");
    word(a, "ld", "r10", "PARTS");
    a.code("beq r10, r0, asleep", "");
    a.code("stay", "parts of the update are still to be done");
    a.label("asleep");
    a.code("sleep", "");
}
