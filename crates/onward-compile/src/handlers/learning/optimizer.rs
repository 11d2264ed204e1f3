//! How pulls reach the weights: row by row, rounded once.

use super::loss::Pulls;
use super::{Rows, spread};
use crate::handlers::LayerShape;
use crate::handlers::text::Assembly;
use crate::layout::Layout;
use crate::lowering::{INDICES, RuleFormat, VELOCITY_BITS};
use onward_net::{Optimizer, Rounding};

/// Where the running mean of a neuron's squared pulls is small, its pulls are made larger, and the other way round.
pub(super) fn scale(a: &mut Assembly, learning: &RuleFormat, pulls: Option<&Pulls>) {
    let Optimizer::Adaptive { decay } = learning.rule.optimizer else { return };
    a.comment("mean += (pull^2 - mean) / 2^decay, 8 fraction bits");
    a.code(&format!("addi r11, r0, {}", learning.pull_bits() as i32 - 12), "");
    a.code("vshr v3, v1, r11", "");
    a.code("vscale v3, v3, v3", "");
    a.code("addi r10, r0, MEAN_SQUARE", "");
    a.code("vld v7, n32[r10]", "");
    a.code("vsub v3, v3, v7", "");
    a.code(&format!("addi r11, r0, {decay}"), "");
    a.code("vshr v3, v3, r11", "");
    a.code("vadd v7, v7, v3", "");
    a.code("vst v7, n32[r10]", "");
    a.comment("and pulls by its root");
    a.code(&format!("addi r11, r0, {}", learning.square_shift()), "");
    a.code("vshr v7, v7, r11", "");
    a.code("addi r10, r0, ROOTS", "");
    a.code(&format!("addi r11, r0, {INDICES}"), "");
    a.code("vlut v7, v7, n16[r10], r11", "");
    for vector in std::iter::once("v1").chain(pulls.map(Pulls::vectors).unwrap_or_default()) {
        a.code(&format!("vmul {vector}, {vector}, v7"), "");
    }
}

/// Loads what [`add_to_row`] wants in registers.
pub(super) fn prepare(a: &mut Assembly, layout: &Layout, learning: &RuleFormat) {
    if let Some(bits) = learning.rule.weight_decay {
        a.code(&format!("addi r2, r0, {bits}"), "the part that weights lose");
    }
    if let (Optimizer::Momentum { decay }, Some(velocity)) = (learning.rule.optimizer, layout.symbol("velocity")) {
        a.load_number("r3", velocity.offset as i32, "where velocities begin");
        a.code(&format!("addi r5, shift, -{VELOCITY_BITS}"), "they have more fraction bits");
        a.code(&format!("addi r6, r0, {decay}"), "the part that they lose");
        a.code(&format!("addi r7, r0, {}", VELOCITY_BITS + decay as i32), "what is between them and weights");
    }
}

/// A pass over axons in strips of a vector register's length. `traces` adds up the traces of the strip that begins at
/// axon r10 in v6; for each axon that was active in any of them, `change` makes v6 what its row, r12, changes by.
fn in_strips(
    a: &mut Assembly,
    shape: &LayerShape,
    learning: &RuleFormat,
    rows: Rows,
    traces: impl Fn(&mut Assembly),
    change: impl Fn(&mut Assembly),
) {
    let axons = match rows {
        Rows::All => shape.inputs,
        Rows::Part => spread::rows_of_a_part(shape),
    };
    if rows == Rows::All {
        a.code("addi r10, r0, 0", "first axon of the strip");
    }
    a.code(&format!("addi r11, r0, {}", axons.div_ceil(shape.vector_length)), "strips");
    a.code("loop r11, rows_done", "");
    match rows {
        Rows::All => {
            a.load_number("r12", shape.inputs as i32, "");
            a.code("sub r12, r12, r10", "");
        }
        Rows::Part => {
            // The last parts, and their last strips, may be beyond the rows: then they are empty.
            a.code("min r10, r10, part_end", "");
            a.code("sub r12, part_end, r10", "");
        }
    }
    a.load_number("r15", shape.vector_length as i32, "");
    a.code("min r12, r12, r15", "");
    a.code("setvl r12, 0", "");
    traces(a);
    a.code("vcges p2, v6, one", "axons of the strip that were active");
    a.code("setvl r0, NEURONS", "");
    a.code("forset r11, p2, strip_done", "");
    a.code("add r12, r10, r11", "the axon, and its row");
    change(a);
    add_to_row(a, shape, learning);
    a.label("strip_done");
    a.load_number("r12", shape.vector_length as i32, "");
    a.code("add r10, r10, r12", "");
    a.label("rows_done");
}

/// Rounds v6 down by the shift and adds it to row r12.
pub(super) fn add_to_row(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) {
    let bits = shape.layer.parameters.weight_bits;
    if let Optimizer::Momentum { .. } = learning.rule.optimizer {
        a.code("vshrs v6, v6, r5", "");
        a.code("addi r15, r0, NEURONS", "");
        a.code("mul r15, r15, r12", "");
        a.code("add r15, r15, r3", "");
        a.code("vld v7, s16[r15]", "the velocity");
        a.code("vshrs v3, v7, r6", "what it loses: rounded down it would never come to rest above 0");
        a.code("vsub v7, v7, v3", "");
        a.code("vadd v7, v7, v6", "");
        a.code("vst v7, s16[r15]", "");
        a.code("vshrs v6, v7, r7", "stochastic rounding");
    } else {
        match learning.rule.rounding {
            Rounding::Stochastic => a.code("vshrs v6, v6, shift", "stochastic rounding"),
            Rounding::Carried => {
                a.code("vadd v0, v0, v6", "with what is left of the row before");
                a.code("vshr v6, v0, shift", "whole steps");
                a.code("vshr v7, v6, r6", "");
                a.code("vsub v0, v0, v7", "what is left for the next row");
            }
        }
    }
    if learning.rule.weight_decay.is_some() {
        a.code(&format!("vldr v7, s{bits}[row r12]"), "");
        a.code("vmv v3, r0", "");
        a.code("vsub v7, v3, v7", "");
        a.code("vshrs v7, v7, r2", "decay");
        a.code("vadd v6, v6, v7", "");
    }
    a.code(&format!("vaccr v6, s{bits}[row r12]"), "");
    a.code(&format!("vstr v6, s{bits}[row r12]"), "");
}

/// Rounds v6 down by the shift and so many bits more, where the binary point is not that of the weights.
fn round(a: &mut Assembly, more: i32) {
    let shift = if more == 0 { "shift" } else { "r10" };
    if more != 0 {
        a.code(&format!("addi r10, shift, {more}"), "another binary point");
    }
    a.code(&format!("vshrs v6, v6, {shift}"), "");
}

/// The weights, by the pull in v1 and, where targets come in by the same weights and learn, by theirs.
pub(super) fn rows(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat, pulls: Option<&Pulls>, rows: Rows) {
    remainders_out(a, learning);
    match pulls.filter(|_| !shape.fed_by_target) {
        Some(pulls) => all_rows(a, shape, learning, pulls, rows),
        None => input_rows(a, shape, learning, rows),
    }
    remainders_back(a, learning);
}

/// Before rows change: v0 becomes what is left of earlier changes, if it is carried on. Vectors are of neurons.
pub(super) fn remainders_out(a: &mut Assembly, learning: &RuleFormat) {
    if learning.rule.rounding == Rounding::Carried {
        a.code("sub r6, r0, shift", "from whole steps back to what they stand for");
        a.code("addi r15, r0, REMAINDER", "");
        a.code("vld v0, n32[r15]", "what is left of earlier changes");
    }
}

/// After it: v0 goes back to memory.
pub(super) fn remainders_back(a: &mut Assembly, learning: &RuleFormat) {
    if learning.rule.rounding == Rounding::Carried {
        a.code("addi r15, r0, REMAINDER", "");
        a.code("vst v0, n32[r15]", "for the first row of the next update");
    }
}

/// r15 points to the input's trace of the axon in a register.
fn input_trace(a: &mut Assembly, axon: &str, rows: Rows) {
    match rows {
        Rows::All => a.code(&format!("addi r15, {axon}, TRACE"), ""),
        Rows::Part => a.code(&format!("add r15, {axon}, traces"), ""),
    }
}

/// Only the input's path.
fn input_rows(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat, rows: Rows) {
    a.comment("w_k += 2^-shift * v1 * x_k");
    let traces = |a: &mut Assembly| {
        input_trace(a, "r10", rows);
        a.code("vld v6, a16[r15]", "");
    };
    in_strips(a, shape, learning, rows, traces, |a| input_change(a, rows));
}

/// v6 becomes what the input's path asks for.
fn input_change(a: &mut Assembly, rows: Rows) {
    input_trace(a, "r12", rows);
    a.code("ld r15, a16[r15]", "x_k");
    a.code("vmuls v6, v1, r15", "");
}

/// The target's own projection: ungated, the class's axon was active in every step of its window.
pub(super) fn target_weights(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat, pulls: &Pulls) {
    let (low, high) = learning.target_bounds;
    let bits = shape.layer.parameters.weight_bits;
    a.load_number("r13", low, "bounds of the target's projection");
    a.load_number("r14", high, "");
    let paths =
        [("slot", pulls.own, "", "the own target's path"), ("rival", pulls.rival, pulls.rival_sign, "the rival's")];
    for (class, pull, sign, what) in paths {
        a.comment(&format!("s_c += 2^-shift * {sign}{pull} * WINDOW: {what}"));
        a.code(&format!("addi r10, r0, {sign}WINDOW"), "");
        a.code(&format!("vmuls v6, {pull}, r10"), "");
        round(a, shape.target_coarser() as i32);
        a.load_number("r12", shape.inputs as i32, "");
        a.code(&format!("add r12, r12, {class}"), "row of the class");
        a.code(&format!("vaccr v6, s{bits}[row r12]"), "");
        a.code("vmaxs v6, v6, r13", "");
        a.code("vmins v6, v6, r14", "");
        a.code(&format!("vstr v6, s{bits}[row r12]"), "");
    }
}

/// All three paths at once, rounded once.
fn all_rows(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat, pulls: &Pulls, rows: Rows) {
    let (own, rival) = (pulls.own, pulls.rival);
    a.comment("w_k += 2^-shift * (v1 * x_k + v2 * x_own,k + v5 * x_rival,k)");
    a.load_number("r12", shape.inputs as i32, "");
    a.code("mul r13, slot, r12", "");
    a.code("mul r14, rival, r12", "");
    a.code("addi r13, r13, TARGET_TRACE", "traces of the own target");
    a.code("addi r14, r14, TARGET_TRACE", "traces of the rival");
    let traces = |a: &mut Assembly| {
        input_trace(a, "r10", rows);
        a.code("vld v6, a16[r15]", "");
        a.code("add r15, r10, r13", "");
        a.code("vacc v6, a16[r15]", "");
        a.code("add r15, r10, r14", "");
        a.code("vacc v6, a16[r15]", "");
    };
    let change = |a: &mut Assembly| {
        input_change(a, rows);
        a.code("add r15, r12, r13", "");
        a.code("ld r15, a16[r15]", "x_own,k");
        a.code(&format!("vmacs v6, {own}, r15"), "");
        a.code("add r15, r12, r14", "");
        a.code("ld r15, a16[r15]", "x_rival,k");
        a.code(&format!("vmacs v6, {rival}, r15"), "");
    };
    in_strips(a, shape, learning, rows, traces, change);
}

/// The bias is a weight whose axon is active in every step.
pub(super) fn bias(a: &mut Assembly, shape: &LayerShape) {
    a.comment("The bias is a weight whose axon is active in every step.");
    a.code("addi r10, r0, WINDOW", "");
    a.code("vmuls v6, v1, r10", "");
    round(a, -(shape.layer.parameters.finer as i32));
    a.code("addi r10, r0, BIAS", "");
    a.code("vacc v6, n32[r10]", "");
    a.code("vst v6, n32[r10]", "");
}
