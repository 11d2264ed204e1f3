//! The hinge rule: weights change where the own class does not lead its strongest rival by the margin.

use super::LayerShape;
use super::text::Assembly;
use crate::formats::LearningFormat;

/// The update after a target window; scores are in memory.
pub(super) fn update(a: &mut Assembly, shape: &LayerShape, learning: &LearningFormat) {
    a.register("rival", "r1");
    a.register("own_counts", "r5");
    a.register("rival_counts", "r6");
    a.register("shift", "r9");
    a.comment("The rival: the wrong class with the largest score");
    a.code("setvl r0, CLASSES", "");
    a.code("vld v2, n32[SCORES]", "");
    a.code("vext r10, v2, slot", "the own score");
    a.code("lui r11, 0x8000", "");
    a.code("vins v2, r11, slot", "");
    super::readout::rival(a, "vimax rival, v2");
    a.code("vext r11, v2, rival", "");
    a.code("setvl r0, NEURONS", "");
    a.code("sub r10, r10, r11", "");
    a.load_number("r11", learning.margin(shape.neurons), "the margin");
    a.code("bge r10, r11, homeostasis", "");
    a.gap();
    a.code("ld shift, n32[SHIFT]", "");
    a.code("addi r10, r0, NEURONS", "");
    a.code("mul own_counts, slot, r10", "");
    a.code("mul rival_counts, rival, r10", "");
    let gate = learning.gate;
    if let Some((low, high)) = gate {
        a.load_number("r13", low, "voltages from here on ..");
        a.load_number("r14", high, ".. and below here are live");
    }
    a.comment("v1: toward the own target, away from the rival's, where the neuron is live");
    a.code("addi r10, own_counts, TARGET_COUNT", "");
    a.code("vld v1, n16[r10]", "");
    a.code("addi r10, rival_counts, TARGET_COUNT", "");
    a.code("vld v2, n16[r10]", "");
    a.code("vsub v1, v1, v2", "");
    gate_by(a, gate, "v1", "addi r10, r0, VOLTAGE");
    a.code("addi r10, r0, COUNT", "");
    a.code("vld v4, n16[r10]", "h");
    if shape.fed_by_target {
        input_rows(a, shape);
        target_weights(a, shape, learning);
    } else {
        a.comment("v2: h where the own target's voltage is live; v5: -h where the rival's is");
        a.code("vmv v2, r0", "");
        a.code("vadd v2, v2, v4", "");
        gate_by(a, gate, "v2", "addi r10, own_counts, TARGET_VOLTAGE");
        a.code("vmv v5, r0", "");
        a.code("vsub v5, v5, v4", "");
        gate_by(a, gate, "v5", "addi r10, rival_counts, TARGET_VOLTAGE");
        all_rows(a, shape);
    }
    a.comment("The bias is a weight whose axon is active in every step.");
    a.code("addi r10, r0, WINDOW", "");
    a.code("vmuls v6, v1, r10", "");
    a.code("vshrs v6, v6, shift", "");
    a.code("addi r10, r0, BIAS", "");
    a.code("vacc v6, n32[r10]", "");
    a.code("vst v6, n32[r10]", "");
    homeostasis(a, learning);
}

/// Clears elements of a vector where the voltage that `address` points r10 to is not between r13 and r14.
fn gate_by(a: &mut Assembly, gate: Option<(i32, i32)>, vector: &str, address: &str) {
    if gate.is_none() {
        return;
    }
    a.code(address, "");
    a.code("vld v3, n32[r10]", "");
    a.code("vcges p0, v3, r13", "");
    a.code("vclts p1, v3, r14", "");
    a.code("pand p0, p0, p1", "");
    a.code(&format!("vsels {vector}, {vector}, r0, p0"), "");
}

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
fn input_rows(a: &mut Assembly, shape: &LayerShape) {
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
fn target_weights(a: &mut Assembly, shape: &LayerShape, learning: &LearningFormat) {
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
fn all_rows(a: &mut Assembly, shape: &LayerShape) {
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

/// Neurons that hardly ever fire, or nearly always, are nudged back.
fn homeostasis(a: &mut Assembly, learning: &LearningFormat) {
    let (low, high) = learning.mean_bounds;
    a.gap();
    a.label("homeostasis");
    a.comment("mean += (h - mean) / 2^9, 12 fraction bits");
    a.code("addi r10, r0, COUNT", "");
    a.code("vld v0, n16[r10]", "");
    a.code("addi r11, r0, -12", "");
    a.code("vshr v0, v0, r11", "");
    a.code("addi r10, r0, MEAN_COUNT", "");
    a.code("vld v1, n32[r10]", "");
    a.code("vsub v0, v0, v1", "");
    a.code("addi r11, r0, 9", "");
    a.code("vshr v0, v0, r11", "");
    a.code("vadd v1, v1, v0", "");
    a.code("vst v1, n32[r10]", "");
    a.load_number("r11", low, "");
    a.code("vclts p0, v1, r11", "too quiet");
    a.load_number("r11", high + 1, "");
    a.code("vcges p1, v1, r11", "too loud");
    a.code("addi r10, r0, BIAS", "");
    a.code("vld v2, n32[r10]", "");
    a.load_number("r11", learning.nudge, "");
    a.code("vaddp v2, v2, r11, p0", "");
    a.code("sub r11, r0, r11", "");
    a.code("vaddp v2, v2, r11, p1", "");
    a.code("vst v2, n32[r10]", "");
}
