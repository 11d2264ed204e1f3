//! What a block does at the end of a target window: a hinge between the own class and its rival changes the kernels.

use super::Shape;
use crate::handlers::text::Assembly;
use crate::lowering::RuleFormat;

/// Rows of a sub-kernel are changed at once, each in a vector register; two more are needed.
pub(crate) const MOST_ROWS: u32 = 6;

/// What pulls at the neurons, in the order of the paths: arrays that lie as the sums do, their halo 0.
const PULLS: [&str; 3] = ["pull", "own_pull", "rival_pull"];

pub(super) fn pulls(fed_by_target: bool) -> &'static [&'static str] {
    if fed_by_target { &PULLS[..1] } else { &PULLS }
}

/// The update after a target window; scores are in memory.
pub(super) fn update(a: &mut Assembly, shape: &Shape, learning: &RuleFormat) {
    rival(a, shape, learning);
    pull(a, shape, learning);
    kernels(a, shape, learning);
    if shape.of.fed_by_target {
        target_weights(a, shape, learning);
    }
}

/// r12: the rival. Goes on at `learned` where the own class leads it by the margin.
fn rival(a: &mut Assembly, shape: &Shape, learning: &RuleFormat) {
    a.register("rival", "r12");
    a.comment("The rival: the wrong class with the largest score");
    a.code("setvl r0, CLASSES", "");
    a.load_symbol("r14", "SCORES");
    a.code("vld v2, n32[r14]", "");
    a.code("special r13, slot", "");
    a.code("vext r10, v2, r13", "the own score");
    a.code("lui r11, 0x8000", "");
    a.code("vins v2, r11, r13", "");
    a.code("vimax rival, v2", "");
    a.code("vext r11, v2, rival", "");
    a.code("sub r10, r10, r11", "");
    a.load_number("r11", learning.margin(shape.of.neurons), "the margin");
    a.code("bge r10, r11, learned", "");
}

/// `register = base + class * elements`.
fn of_class(a: &mut Assembly, register: &str, base: &str, class: &str, elements: &str) {
    a.load_symbol("r11", elements);
    a.code(&format!("mul {register}, {class}, r11"), "");
    a.load_symbol("r11", base);
    a.code(&format!("add {register}, {register}, r11"), "");
}

/// Clears elements of a vector where the voltage at `address` is not between r13 and r14.
fn gate_by(a: &mut Assembly, gated: bool, vector: &str, address: &str) {
    if gated {
        a.code(&format!("vld v3, n32[{address}]"), "");
        a.code("vcges p0, v3, r13", "");
        a.code("vclts p1, v3, r14", "");
        a.code("pand p0, p0, p1", "");
        a.code(&format!("vsels {vector}, {vector}, r0, p0"), "");
    }
}

/// Pulls to memory, where the sums of their neurons would be.
fn pull(a: &mut Assembly, shape: &Shape, learning: &RuleFormat) {
    let fed = shape.of.fed_by_target;
    a.gap();
    a.comment("Toward the own target, away from the rival's, where the neuron is live");
    a.code("special r10, slot", "");
    of_class(a, "r1", "TARGET_COUNT", "r10", "NEURONS");
    of_class(a, "r2", "TARGET_COUNT", "rival", "NEURONS");
    a.load_symbol("r3", "COUNT");
    let mut walking = vec!["r1", "r2", "r3"];
    if shape.gated() {
        a.load_symbol("r4", "VOLTAGE");
        walking.push("r4");
        if !fed {
            of_class(a, "r6", "TARGET_VOLTAGE", "r10", "NEURONS");
            of_class(a, "r7", "TARGET_VOLTAGE", "rival", "NEURONS");
            walking.extend(["r6", "r7"]);
        }
    }
    if let Some((low, high)) = learning.gate {
        a.load_number("r13", low, "voltages from here on ..");
        a.load_number("r14", high, ".. and below here are live");
    }
    a.load_number("r5", shape.kernels.first_sum() as i32, "");
    a.code("setvl r0, ROW_LENGTH", "");
    a.code("addi r8, r0, ROWS", "");
    a.code("loop r8, pulled", "");
    let store = |a: &mut Assembly, vector: &str, array: &str| {
        a.load_symbol("r15", array);
        a.code("add r15, r15, r5", "");
        a.code(&format!("vst {vector}, n16[r15]"), "");
    };
    a.code("vld v1, n16[r1]", "");
    a.code("vld v2, n16[r2]", "");
    a.code("vsub v1, v1, v2", "");
    gate_by(a, shape.gated(), "v1", "r4");
    store(a, "v1", "PULL");
    if !fed {
        a.code("vld v4, n16[r3]", "h");
        a.code("vadds v2, v4, r0", "");
        gate_by(a, shape.gated(), "v2", "r6");
        store(a, "v2", "OWN_PULL");
        a.code("vmv v5, r0", "");
        a.code("vsub v5, v5, v4", "");
        gate_by(a, shape.gated(), "v5", "r7");
        store(a, "v5", "RIVAL_PULL");
    }
    for register in walking {
        a.advance(register, shape.row().into(), "");
    }
    a.advance("r5", shape.kernels.row_pitch().into(), "");
    a.label("pulled");
}

/// All paths at once, summed over all places exactly, rounded once.
fn kernels(a: &mut Assembly, shape: &Shape, learning: &RuleFormat) {
    let fed = shape.of.fed_by_target;
    a.gap();
    a.comment("A weight changes by the sum, over all places, of what pulls at the neuron times the input's trace.");
    a.load_symbol("r9", "SHIFT");
    a.code("ld r9, n32[r9]", "");
    a.advance("r9", learning.places_shift.into(), "as many places pull at each weight");
    a.load_symbol("r1", "TRACE");
    if !fed {
        a.code("special r10, slot", "");
        of_class(a, "r7", "TARGET_TRACE", "r10", "TRACES");
        of_class(a, "r8", "TARGET_TRACE", "rival", "TRACES");
    }
    a.code("addi r4, r0, 0", "the slot");
    let (channels, of_channel) = (shape.kernels.plane.channels, shape.kernels.taps_of_channel());
    for (number, phase) in shape.phases.iter().enumerate() {
        let label = |name: &str| format!("{name}_{number}");
        a.load_symbol("r6", "WEIGHTS");
        a.advance("r6", (phase.first_tap * channels).into(), "");
        a.load_number("r13", shape.kernels.channels() as i32, "");
        a.code(&format!("loop r13, {}", label("changed")), "for each input channel");
        a.code(&format!("setvl r0, {}", phase.run), "");
        for row in 0..phase.rows {
            a.code(&format!("vmv v{row}, r0"), "");
        }
        let length = shape.of.vector_length;
        for (strips, strip) in [(phase.places / length, length), (1, phase.places % length)] {
            if strips == 0 || strip == 0 {
                continue;
            }
            let name = label(if strip == length { "strips" } else { "strip" });
            a.code(&format!("addi r14, r0, {strips}"), "");
            a.code(&format!("loop r14, {name}"), "");
            strip_of(a, shape, phase.rows, phase.run, strip, &format!("{name}_done"));
            a.label(&name);
        }
        for row in 0..phase.rows {
            a.code(&format!("vshrs v{row}, v{row}, r9"), "stochastic rounding");
            let memory = format!("s{}", shape.of.layer.parameters.weight_bits);
            a.indexed(&format!("vacc v{row}"), &memory, "r6", (row * phase.run).into(), "");
            a.indexed(&format!("vst v{row}"), &memory, "r6", (row * phase.run).into(), "");
        }
        a.advance("r6", (of_channel * channels).into(), "");
        a.label(&label("changed"));
    }
}

/// Adds what `strip` slots from r4 on ask for to the rows.
fn strip_of(a: &mut Assembly, shape: &Shape, rows: u32, run: u32, strip: u32, done: &str) {
    let fed = shape.of.fed_by_target;
    a.code(&format!("setvl r0, {strip}"), "");
    a.code("add r15, r4, r1", "");
    a.code("vld v7, a16[r15]", "");
    for base in ["r7", "r8"].into_iter().filter(|_| !fed) {
        a.code(&format!("add r15, r4, {base}"), "");
        a.code("vacc v7, a16[r15]", "");
    }
    a.code("addi r10, r0, 1", "");
    a.code("vcges p2, v7, r10", "inputs of the strip that were active");
    a.code(&format!("setvl r0, {run}"), "");
    a.code(&format!("forset r11, p2, {done}"), "");
    a.code("add r11, r11, r4", "");
    a.load_symbol("r15", "PLACES");
    a.code("add r15, r15, r11", "");
    a.code("ld r5, a32[r15]", "its first sum");
    let bases = [("PULL", "r1"), ("OWN_PULL", "r7"), ("RIVAL_PULL", "r8")];
    for (array, base) in bases.into_iter().take(pulls(fed).len()) {
        a.code(&format!("add r15, r11, {base}"), "");
        a.code("ld r10, a16[r15]", "its trace");
        a.load_symbol("r2", array);
        a.code("add r2, r2, r5", "");
        for row in 0..rows {
            a.indexed("vld v7", "n16", "r2", (row * shape.kernels.step()).into(), "");
            a.code(&format!("vmacs v{row}, v7, r10"), "");
        }
    }
    a.label(done);
    a.advance("r4", strip.into(), "");
}

/// The target's own projection: ungated, the class's axon was active in every step of its window.
fn target_weights(a: &mut Assembly, shape: &Shape, learning: &RuleFormat) {
    let (low, high) = learning.target_bounds;
    let bits = shape.of.layer.parameters.weight_bits;
    a.gap();
    a.load_symbol("r9", "SHIFT");
    a.code("ld r9, n32[r9]", "");
    a.load_number("r13", low, "bounds of the target's projection");
    a.load_number("r14", high, "");
    a.code("setvl r0, ROW_LENGTH", "");
    for (class, sign, what) in [("r10", "", "own"), ("rival", "-", "rival")] {
        a.comment(&format!("s_c += 2^-shift * {sign}h * WINDOW: the {what} target's path"));
        if class == "r10" {
            a.code("special r10, slot", "");
        }
        of_class(a, "r6", "TARGET_WEIGHTS", class, "NEURONS");
        a.load_symbol("r3", "COUNT");
        a.code(&format!("addi r7, r0, {sign}WINDOW"), "");
        a.code("addi r8, r0, ROWS", "");
        a.code(&format!("loop r8, {what}_moved"), "");
        a.code("vld v6, n16[r3]", "h");
        a.code("vmuls v6, v6, r7", "");
        a.code("vshrs v6, v6, r9", "");
        a.code(&format!("vacc v6, s{bits}[r6]"), "");
        a.code("vmaxs v6, v6, r13", "");
        a.code("vmins v6, v6, r14", "");
        a.code(&format!("vst v6, s{bits}[r6]"), "");
        a.advance("r3", shape.row().into(), "");
        a.advance("r6", shape.row().into(), "");
        a.label(&format!("{what}_moved"));
    }
}
