//! How pulls reach the weights: row by row, rounded once.

use crate::formats::LearningFormat;
use crate::handlers::LayerShape;
use crate::handlers::text::Assembly;

/// A pass over the axons in strips of a vector register's length. `traces` adds up the traces of the strip that begins at
/// axon r10 in v6; for each axon that was active in any of them, `change` makes v6 what its row, r12, changes by.
fn rows(a: &mut Assembly, shape: &LayerShape, traces: impl Fn(&mut Assembly), change: impl Fn(&mut Assembly)) {
    a.code("addi r10, r0, 0", "first axon of the strip");
    a.code(&format!("addi r11, r0, {}", shape.inputs.div_ceil(shape.vector_length)), "strips");
    a.code("loop r11, rows_done", "");
    a.load_number("r12", shape.inputs as i32, "");
    a.code("sub r12, r12, r10", "");
    a.load_number("r15", shape.vector_length as i32, "");
    a.code("min r12, r12, r15", "");
    a.code("setvl r12, 0", "");
    traces(a);
    a.code("vcges p2, v6, one", "axons of the strip that were active");
    a.code("setvl r0, NEURONS", "");
    a.code("forset r11, p2, strip_done", "");
    a.code("add r12, r10, r11", "the axon, and its row");
    change(a);
    add_to_row(a, shape);
    a.label("strip_done");
    a.load_number("r12", shape.vector_length as i32, "");
    a.code("add r10, r10, r12", "");
    a.label("rows_done");
}

/// Rounds v6 down by the shift and adds it to row r12.
fn add_to_row(a: &mut Assembly, shape: &LayerShape) {
    let bits = shape.format.weight_bits;
    a.code("vshrs v6, v6, shift", "stochastic rounding");
    a.code(&format!("vaccr v6, s{bits}[row r12]"), "");
    a.code(&format!("vstr v6, s{bits}[row r12]"), "");
}

/// Only the input's path.
pub(super) fn input_rows(a: &mut Assembly, shape: &LayerShape) {
    a.comment("w_k += 2^-shift * v1 * x_k");
    let traces = |a: &mut Assembly| {
        a.code("addi r15, r10, TRACE", "");
        a.code("vld v6, a16[r15]", "");
    };
    rows(a, shape, traces, input_change);
}

/// v6 becomes what the input's path asks for.
fn input_change(a: &mut Assembly) {
    a.code("addi r15, r12, TRACE", "");
    a.code("ld r15, a16[r15]", "x_k");
    a.code("vmuls v6, v1, r15", "");
}

/// The target's own projection: ungated, the class's axon was active in every step of its window.
pub(super) fn target_weights(a: &mut Assembly, shape: &LayerShape, learning: &LearningFormat) {
    let (low, high) = learning.target_bounds;
    let bits = shape.format.weight_bits;
    a.load_number("r13", low, "bounds of the target's projection");
    a.load_number("r14", high, "");
    for (class, sign, what) in [("slot", "", "the own target's path"), ("rival", "-", "the rival's")] {
        a.comment(&format!("s_c += 2^-shift * {sign}h * WINDOW: {what}"));
        a.code(&format!("addi r10, r0, {sign}WINDOW"), "");
        a.code("vmuls v6, v4, r10", "");
        a.code("vshrs v6, v6, shift", "");
        a.load_number("r12", shape.inputs as i32, "");
        a.code(&format!("add r12, r12, {class}"), "row of the class");
        a.code(&format!("vaccr v6, s{bits}[row r12]"), "");
        a.code("vmaxs v6, v6, r13", "");
        a.code("vmins v6, v6, r14", "");
        a.code(&format!("vstr v6, s{bits}[row r12]"), "");
    }
}

/// All three paths at once, rounded once.
pub(super) fn all_rows(a: &mut Assembly, shape: &LayerShape) {
    a.comment("w_k += 2^-shift * (v1 * x_k + v2 * x_own,k + v5 * x_rival,k)");
    a.load_number("r12", shape.inputs as i32, "");
    a.code("mul r13, slot, r12", "");
    a.code("mul r14, rival, r12", "");
    a.code("addi r13, r13, TARGET_TRACE", "traces of the own target");
    a.code("addi r14, r14, TARGET_TRACE", "traces of the rival");
    let traces = |a: &mut Assembly| {
        a.code("addi r15, r10, TRACE", "");
        a.code("vld v6, a16[r15]", "");
        a.code("add r15, r10, r13", "");
        a.code("vacc v6, a16[r15]", "");
        a.code("add r15, r10, r14", "");
        a.code("vacc v6, a16[r15]", "");
    };
    let change = |a: &mut Assembly| {
        input_change(a);
        a.code("add r15, r12, r13", "");
        a.code("ld r15, a16[r15]", "x_own,k");
        a.code("vmacs v6, v2, r15", "");
        a.code("add r15, r12, r14", "");
        a.code("ld r15, a16[r15]", "x_rival,k");
        a.code("vmacs v6, v5, r15", "");
    };
    rows(a, shape, traces, change);
}

/// The bias is a weight whose axon is active in every step.
pub(super) fn bias(a: &mut Assembly) {
    a.comment("The bias is a weight whose axon is active in every step.");
    a.code("addi r10, r0, WINDOW", "");
    a.code("vmuls v6, v1, r10", "");
    a.code("vshrs v6, v6, shift", "");
    a.code("addi r10, r0, BIAS", "");
    a.code("vacc v6, n32[r10]", "");
    a.code("vst v6, n32[r10]", "");
}
