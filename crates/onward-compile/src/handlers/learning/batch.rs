//! Changes of several samples, added before they are rounded.
//!
//! A change is the product of a pull on a neuron and the trace of an axon. A batch keeps both, a row of pulls and a row of traces
//! for each path of each sample that the block learned from. When as many as asked for are together, each row of weights changes
//! once, by the sum of all products. What samples ask for in opposite directions thus cancels exactly, before chance or
//! remainders turn it into whole steps.

use super::loss::Pulls;
use super::optimizer::{self, add_to_row, remainders_back, remainders_out};
use crate::handlers::LayerShape;
use crate::handlers::text::Assembly;
use crate::layout::Layout;
use crate::lowering::RuleFormat;
use onward_isa::{Space, Width};

/// Rows that a batch keeps: of each sample one a path.
fn kept_rows(shape: &LayerShape, learning: &RuleFormat) -> u32 {
    learning.rule.batch * if shape.fed_by_target { 1 } else { 3 }
}

/// What a batch keeps. Pulls and traces are counts of a window, or differences of two.
pub(super) fn arrays(layout: &mut Layout, shape: &LayerShape, learning: &RuleFormat) {
    let rows = kept_rows(shape, learning);
    layout.add("batch_pulls", Space::Synapse, width(shape), rows, shape.neurons);
    layout.add("batch_traces", Space::Synapse, width(shape), rows, shape.inputs);
}

fn width(shape: &LayerShape) -> Width {
    if shape.window < 128 { Width::W8 } else { Width::W16 }
}

/// Keeps what a sample asks for; then, if the batch is complete, changes all rows.
pub(super) fn update(
    a: &mut Assembly,
    shape: &LayerShape,
    layout: &Layout,
    learning: &RuleFormat,
    pulls: Option<&Pulls>,
) {
    let (Some(all_pulls), Some(all_traces)) = (layout.symbol("batch_pulls"), layout.symbol("batch_traces")) else {
        return;
    };
    let (first_pull, first_trace) = (all_pulls.offset as i32, all_traces.offset as i32);
    a.comment("What this sample asks for is kept: pulls, and the traces that they are multiplied by.");
    a.code("addi r15, r0, BATCH_KEPT", "");
    a.code("ld r2, n32[r15]", "rows kept");
    keep(a, shape, [first_pull, first_trace], "v1", None);
    if let Some(pulls) = pulls.filter(|_| !shape.fed_by_target) {
        keep(a, shape, [first_pull, first_trace], pulls.own, Some("slot"));
        keep(a, shape, [first_pull, first_trace], pulls.rival, Some("rival"));
    }
    a.code("addi r15, r0, BATCH_KEPT", "");
    a.load_number("r10", kept_rows(shape, learning) as i32, "");
    a.code("beq r2, r10, batch_complete", "");
    a.code("st r2, n32[r15]", "");
    a.code("jmp batch_done", "");
    a.label("batch_complete");
    a.code("st r0, n32[r15]", "");
    rows(a, shape, layout, learning, [first_pull, first_trace]);
    a.label("batch_done");
}

/// Keeps a row of pulls, a vector, and one of traces: the input's, or those of the target of a class. r2 counts rows.
fn keep(a: &mut Assembly, shape: &LayerShape, [first_pull, first_trace]: [i32; 2], pull: &str, class: Option<&str>) {
    let bits = width(shape).bits();
    a.load_number("r10", first_pull, "");
    a.load_number("r11", shape.neurons as i32, "");
    a.code("mul r11, r2, r11", "");
    a.code("add r10, r10, r11", "");
    a.code(&format!("vst {pull}, s{bits}[r10]"), "");
    a.load_number("r13", shape.inputs as i32, "");
    match class {
        None => a.code("addi r14, r0, TRACE", ""),
        Some(class) => {
            a.code(&format!("mul r14, {class}, r13"), "");
            a.code("addi r14, r14, TARGET_TRACE", "");
        }
    }
    a.load_number("r10", first_trace, "");
    a.code("mul r11, r2, r13", "");
    a.code("add r15, r10, r11", "");
    a.load_number("r11", shape.inputs.div_ceil(shape.vector_length) as i32, "strips");
    let label = format!("kept_{}", class.unwrap_or("input"));
    a.load_number("r10", shape.vector_length as i32, "");
    a.code(&format!("loop r11, {label}"), "");
    a.code("min r12, r13, r10", "");
    a.code("setvl r12, 0", "");
    a.code("vld v6, a16[r14]", "");
    a.code(&format!("vst v6, s{bits}[r15]"), "");
    a.code("add r14, r14, r10", "");
    a.code("add r15, r15, r10", "");
    a.code("sub r13, r13, r10", "");
    a.label(&label);
    a.code("setvl r0, NEURONS", "");
    a.code("addi r2, r2, 1", "");
}

/// Changes all rows by all that is kept.
fn rows(
    a: &mut Assembly,
    shape: &LayerShape,
    layout: &Layout,
    learning: &RuleFormat,
    [first_pull, first_trace]: [i32; 2],
) {
    let bits = width(shape).bits();
    a.comment("w_k += 2^-shift * sum over kept rows of pull * trace_k");
    optimizer::prepare(a, layout, learning);
    remainders_out(a, learning);
    a.load_number("r3", first_pull, "");
    a.load_number("r7", first_trace, "of axon 0");
    a.load_number("r13", shape.inputs as i32, "from a kept row's traces to the next's");
    a.code("addi r10, r0, 0", "the axon");
    a.code("loop r13, batch_rows_done", "");
    a.code("setvl r0, NEURONS", "");
    a.code("vmv v6, r0", "");
    a.code("addi r5, r0, 0", "");
    let rows = kept_rows(shape, learning);
    for first in (0..rows).step_by(shape.vector_length as usize) {
        let label = format!("batch_summed_{first}");
        a.code(&format!("setvl r0, {}", shape.vector_length.min(rows - first)), "");
        a.load_number("r12", (first * shape.inputs) as i32, "");
        a.code("add r12, r12, r7", "");
        a.code(&format!("vlds v7, s{bits}[r12 : r13]"), "its traces");
        a.code("vcges p2, v7, one", "kept rows in which it was active");
        a.code("setvl r0, NEURONS", "");
        a.code(&format!("forset r11, p2, {label}"), "");
        a.code(&format!("addi r14, r11, {first}"), "");
        a.load_number("r15", shape.neurons as i32, "");
        a.code("mul r14, r14, r15", "");
        a.code("add r14, r14, r3", "");
        a.code(&format!("vld v3, s{bits}[r14]"), "the pulls");
        a.code("mul r15, r11, r13", "");
        a.code("add r15, r15, r12", "");
        a.code(&format!("ld r15, s{bits}[r15]"), "the trace");
        a.code("vmacs v6, v3, r15", "");
        a.code("addi r5, r0, 1", "");
        a.label(&label);
    }
    a.code("beq r5, r0, batch_row_done", "silent throughout");
    a.code("addi r12, r10, 0", "its row");
    add_to_row(a, shape, learning);
    a.label("batch_row_done");
    a.code("addi r10, r10, 1", "");
    a.code("addi r7, r7, 1", "");
    a.label("batch_rows_done");
    remainders_back(a, learning);
}
