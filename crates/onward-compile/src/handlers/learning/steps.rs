//! A layer that learns while its input is shown: leaky neurons, perhaps with a synaptic current and with axons of their own
//! spikes, whose weights change at every few steps by traces that fade.
//!
//! Row k of the weights, and place k of the traces, belong to axon k + 1: inputs, then classes, then the layer's own spikes.
//! The input's membranes and currents are kept apart from those of target windows, so that an input window can go on where
//! the one before it ended.

use super::homeostasis::homeostasis;
use crate::handlers::LayerShape;
use crate::handlers::layer::scores;
use crate::handlers::relay::in_strips;
use crate::handlers::text::Assembly;
use crate::layout::Layout;
use crate::lowering::{Integers, LEAST_TRACE, RuleFormat, Steps, TRACE_BITS};
use crate::plan::Channel;
use onward_image::Tag;
use onward_isa::{Space, Width};

/// The registers that hold their meaning throughout a step; the last four in an update only.
const REGISTERS: [(&str, &str); 12] = [
    ("axon", "r1"),
    ("payload", "r2"),
    ("position", "r3"),
    ("slot", "r4"),
    ("counts", "r5"),
    ("membranes", "r6"),
    ("currents", "r7"),
    ("spike_trace", "r8"),
    ("learn", "r9"),
    ("rival", "r1"),
    ("shift", "r2"),
    ("own_counts", "r5"),
];

/// What lies where in a block.
fn layout(shape: &LayerShape) -> Layout {
    let mut layout = Layout::default();
    let (n, classes) = (shape.neurons, shape.classes);
    let weight =
        Width::from_bits(shape.layer.parameters.weight_bits).expect("4, 8 or 16 bits, as the network was checked for");
    layout.add("shift", Space::Neuron, Width::W32, 1, 1);
    layout.add("frozen", Space::Neuron, Width::W32, 1, 1);
    layout.add("scores", Space::Neuron, Width::W32, 1, classes);
    layout.add("membrane", Space::Neuron, Width::W32, 1, n);
    layout.add("target_membrane", Space::Neuron, Width::W32, 1, n);
    if shape.layer.parameters.neuron.current.is_some() {
        layout.add("current", Space::Neuron, Width::W32, 1, n);
        layout.add("target_current", Space::Neuron, Width::W32, 1, n);
    }
    for (name, values) in
        [("leak", &shape.layer.parameters.neuron.leak), ("current_left", &shape.layer.parameters.neuron.current)]
    {
        if matches!(values, Some(Integers::Each(_))) {
            layout.add(name, Space::Neuron, Width::W32, 1, n);
        }
    }
    layout.add("bias", Space::Neuron, Width::W32, 1, n);
    layout.add("count", Space::Neuron, Width::W16, 1, n);
    layout.add("target_count", Space::Neuron, Width::W16, classes, n);
    layout.add("mean_count", Space::Neuron, Width::W32, 1, n);
    layout.add("trace", Space::Axon, Width::W16, 1, rows(shape));
    layout.add("weights", Space::Synapse, weight, shape.inputs, n);
    layout.add("target_weights", Space::Synapse, weight, classes, n);
    if shape.own > 0 {
        layout.add("own_weights", Space::Synapse, weight, shape.own, n);
    }
    layout
}

/// Rows of weights: inputs, classes, own spikes.
fn rows(shape: &LayerShape) -> u32 {
    shape.inputs + shape.classes + shape.own
}

/// Handlers of a layer that learns while its input is shown.
pub(crate) fn steps(shape: &LayerShape, steps: &Steps) -> (String, Layout) {
    let layout = layout(shape);
    let learning = shape.layer.rule.as_ref().expect("a layer with steps to learn at learns");
    let mut a = Assembly::default();
    head(&mut a, shape, steps, &layout);
    a.gap();
    a.label("step");
    a.code("special position, position", "");
    a.code("addi r10, r0, WINDOW", "");
    a.code("blt position, r10, in_window", "");
    a.code("sleep", "no window is open");
    a.label("in_window");
    a.code("setvl r0, NEURONS", "");
    a.code("setrow r0, NEURONS", "");
    a.code("special learn, learn", "");
    a.code("special slot, slot", "");
    destinations(&mut a, shape);
    a.label("begin");
    a.code("bne position, r0, integrate", "");
    open_window(&mut a, shape);
    integrate(&mut a, shape, steps);
    fire(&mut a, shape);
    a.gap();
    a.comment("While the input is shown, weights change at every few steps.");
    a.code("special r10, kind", "");
    a.code("bne r10, r0, stepped", "");
    a.code("beq learn, r0, stepped", "");
    a.code("ld r10, n32[FROZEN]", "the host may keep the layer as it is");
    a.code("bne r10, r0, stepped", "");
    if steps.every > 1 {
        a.load_number("r11", steps.every as i32 - 1, "");
        a.code("and r10, position, r11", "");
        a.code("bne r10, r11, stepped", "");
    }
    scores(&mut a, shape, "scored");
    change(&mut a, shape, learning);
    a.gap();
    a.label("stepped");
    a.code("addi r10, r0, WINDOW - 1", "");
    a.code("beq position, r10, close_window", "");
    a.code("stay", "");
    close_window(&mut a, shape, learning);
    (a.finish(), layout)
}

fn head(a: &mut Assembly, shape: &LayerShape, steps: &Steps, layout: &Layout) {
    a.comment(&format!(
        "Layer `{}`: {} leaky neurons that learn at every {} steps, {} inputs, {} classes, {}-bit weights.",
        shape.name, shape.neurons, steps.every, shape.inputs, shape.classes, shape.layer.parameters.weight_bits
    ));
    a.comment(
        "Axon 0 carries tags, axon 1 + k input k, axon 1 + INPUTS + c class c, the others the layer's own spikes.",
    );
    a.gap();
    a.constant("NEURONS", i64::from(shape.neurons));
    a.constant("INPUTS", i64::from(shape.inputs));
    a.constant("CLASSES", i64::from(shape.classes));
    a.constant("ROWS", i64::from(rows(shape)));
    a.constant("WINDOW", i64::from(shape.window));
    for channel in Channel::ALL.into_iter().chain((shape.own > 0).then_some(Channel::Own)) {
        a.constant(&format!("ROUTE_{}", channel.name().to_uppercase()), channel as i64);
    }
    a.comment("What lies where, in elements");
    a.layout(layout);
    a.comment("Registers");
    for (name, register) in REGISTERS {
        a.register(name, register);
    }
}

/// Where this window's counts, membranes and currents go: those of the input, or those of targets.
fn destinations(a: &mut Assembly, shape: &LayerShape) {
    let has_current = shape.layer.parameters.neuron.current.is_some();
    a.code("special r10, kind", "");
    a.code("bne r10, r0, target_window", "");
    a.code("addi counts, r0, COUNT", "");
    a.code("addi membranes, r0, MEMBRANE", "");
    if has_current {
        a.code("addi currents, r0, CURRENT", "");
    }
    a.code("jmp begin", "");
    a.label("target_window");
    a.code("addi r10, r0, NEURONS", "");
    a.code("mul r10, slot, r10", "");
    a.code("addi counts, r10, TARGET_COUNT", "");
    a.code("addi membranes, r0, TARGET_MEMBRANE", "");
    if has_current {
        a.code("addi currents, r0, TARGET_CURRENT", "");
    }
}

fn open_window(a: &mut Assembly, shape: &LayerShape) {
    a.comment("A window opens: the tag goes on to the next layer, and counts start from 0.");
    a.code("special r10, tag", "");
    a.code("send r0, r10, ROUTE_TAGS", "");
    a.code("vmv v0, r0", "");
    a.code("vst v0, n16[counts]", "");
    a.code("special r11, kind", "");
    a.code("bne r11, r0, at_rest", "a target's window begins at rest");
    a.code(&format!("andi r10, r10, {}", Tag::CONTINUES), "");
    a.code("bne r10, r0, integrate", "the input goes on where its last window ended");
    in_strips(a, rows(shape), shape.vector_length, "traces_cleared", |a| {
        a.code("vmv v0, r0", "");
        a.indexed("vst v0", "a16", "r4", 0, "no trace is left");
    });
    a.code("special slot, slot", "");
    a.code("setvl r0, NEURONS", "");
    a.label("at_rest");
    a.code("vmv v0, r0", "");
    a.code("vst v0, n32[membranes]", "");
    if shape.layer.parameters.neuron.current.is_some() {
        a.code("vst v0, n32[currents]", "");
    }
}

/// Adds up what arrives: v0 becomes the current of this step.
fn integrate(a: &mut Assembly, shape: &LayerShape, steps: &Steps) {
    let row = format!("vaccr v0, s{}[row axon - 1]", shape.layer.parameters.weight_bits);
    a.gap();
    a.label("integrate");
    a.code("special r10, kind", "");
    a.code("beq r10, r0, integrate_input", "");
    a.code("vmv v0, r0", "no bias where the target comes in by its own projection");
    a.code("jmp integrate_plainly", "");
    a.label("integrate_input");
    a.code("beq learn, r0, load_bias", "without learning nobody asks for traces");
    a.comment("x_k -= x_k / 2^memory");
    a.load_number("r11", steps.memory as i32, "");
    in_strips(a, rows(shape), shape.vector_length, "traces_faded", |a| {
        a.indexed("vld v0", "a16", "r4", 0, "");
        a.code("vshr v1, v0, r11", "");
        a.code("vsub v0, v0, v1", "");
        a.indexed("vst v0", "a16", "r4", 0, "");
    });
    a.code("special slot, slot", "");
    a.code("setvl r0, NEURONS", "");
    a.label("load_bias");
    a.code("addi r10, r0, BIAS", "");
    a.code("vld v0, n32[r10]", "the current begins with the bias");
    a.code("beq learn, r0, integrate_plainly", "");
    a.load_number("spike_trace", 1 << TRACE_BITS, "what a spike adds to its axon's trace");
    a.code("foreach axon, payload, integrated", "");
    a.code(&row, "");
    a.code("addm spike_trace, a16[axon - 1]", "");
    a.label("integrated");
    a.code("jmp fire", "");
    a.label("integrate_plainly");
    a.code("foreach axon, payload, fire", "");
    a.code(&row, "");
}

/// What is left of `vector`, from v3 where it is each neuron's own.
fn decay(a: &mut Assembly, left: &Integers, vector: &str, array: &str) {
    match left {
        Integers::Same(65536) => {}
        Integers::Same(left) => {
            a.load_number("r11", *left, "");
            a.code(&format!("vscales {vector}, {vector}, r11"), "what is left");
        }
        Integers::Each(_) => {
            a.code(&format!("addi r10, r0, {array}"), "");
            a.code("vld v3, n32[r10]", "");
            a.code(&format!("vscale {vector}, {vector}, v3"), "what is left");
        }
    }
}

/// Currents, membranes, spikes, counts. v6 keeps the membranes as they were before resets.
fn fire(a: &mut Assembly, shape: &LayerShape) {
    a.gap();
    a.label("fire");
    if let Some(left) = &shape.layer.parameters.neuron.current {
        a.code("vld v1, n32[currents]", "the synaptic current decays ..");
        decay(a, left, "v1", "CURRENT_LEFT");
        a.code("vadd v0, v1, v0", ".. and takes it in");
        a.code("vst v0, n32[currents]", "");
    }
    a.code("vld v2, n32[membranes]", "");
    if let Some(left) = &shape.layer.parameters.neuron.leak {
        decay(a, left, "v2", "LEAK");
    }
    a.code("vadd v2, v2, v0", "");
    a.code("vadds v6, v2, r0", "");
    a.load_number("r11", shape.threshold(), "the threshold");
    a.code("vcges p0, v2, r11", "");
    a.code("sub r11, r0, r11", "");
    a.code("vaddp v2, v2, r11, p0", "soft reset");
    a.code("vst v2, n32[membranes]", "");
    a.code("vld v1, n16[counts]", "");
    a.code("addi r10, r0, 1", "");
    a.code("vaddp v1, v1, r10, p0", "");
    a.code("vst v1, n16[counts]", "");
    a.code("spike p0, ROUTE_SPIKES", "");
    if shape.own > 0 {
        a.code("addi r10, r0, WINDOW - 1", "");
        a.code("beq position, r10, own_sent", "the next window hears nothing of this one");
        a.code("spike p0, ROUTE_OWN", "to the layer itself");
        a.label("own_sent");
    }
}

/// Finds the rival, and goes on at `otherwise` where the own class leads it by the margin: `per_step` for each of the steps
/// in r12.
fn lead(a: &mut Assembly, per_step: i32, otherwise: &str) {
    a.comment("The rival: the wrong class with the largest score");
    a.code("setvl r0, CLASSES", "");
    a.code("vld v2, n32[SCORES]", "");
    a.code("vext r10, v2, slot", "the own score");
    a.code("lui r11, 0x8000", "");
    a.code("vins v2, r11, slot", "");
    a.code("vimax rival, v2", "");
    a.code("vext r11, v2, rival", "");
    a.code("setvl r0, NEURONS", "");
    a.code("sub r10, r10, r11", "");
    a.load_number("r11", per_step, "the margin of a step");
    a.code("mul r11, r11, r12", "");
    a.code(&format!("bge r10, r11, {otherwise}"), "");
}

/// The change of the input's path and that of the layer's own spikes; ends at `stepped`.
fn change(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) {
    let bits = shape.layer.parameters.weight_bits;
    // Scores leave no register that is read here but r12.
    a.code("addi r12, position, 1", "steps the input was shown");
    lead(a, learning.margin_of_step(shape.neurons), "stepped");
    a.gap();
    a.code("ld shift, n32[SHIFT]", "");
    a.comment("v1: toward the own target, away from the rival's, where the membrane is near the threshold");
    a.code("addi r10, r0, NEURONS", "");
    a.code("mul own_counts, slot, r10", "");
    a.code("addi r11, own_counts, TARGET_COUNT", "");
    a.code("vld v1, n16[r11]", "");
    a.code("mul r10, rival, r10", "");
    a.code("addi r11, r10, TARGET_COUNT", "");
    a.code("vld v2, n16[r11]", "");
    a.code("vsub v1, v1, v2", "");
    if let Some((low, high)) = learning.gate {
        a.load_number("r13", low, "");
        a.load_number("r14", high, "");
        a.code("vcges p0, v6, r13", "");
        a.code("vclts p1, v6, r14", "");
        a.code("pand p0, p0, p1", "");
        a.code("vsels v1, v1, r0, p0", "");
    }
    a.comment("w_k += 2^-shift * v1 * x_k");
    a.load_number("r14", LEAST_TRACE, "what a trace must be to count");
    a.code("addi r10, r0, 0", "first row of the strip");
    a.code(&format!("addi r11, r0, {}", rows(shape).div_ceil(shape.vector_length)), "strips");
    a.code("loop r11, rows_done", "");
    a.load_number("r12", rows(shape) as i32, "");
    a.code("sub r12, r12, r10", "");
    a.load_number("r15", shape.vector_length as i32, "");
    a.code("min r12, r12, r15", "");
    a.code("setvl r12, 0", "");
    a.code("vld v5, a16[r10]", "");
    a.code("vcges p2, v5, r14", "");
    a.code("setvl r0, NEURONS", "");
    a.code("forset r11, p2, strip_done", "");
    a.code("add r12, r10, r11", "the row");
    a.code("ld r15, a16[r12]", "x_k");
    a.code("vmuls v5, v1, r15", "");
    a.code("vshrs v5, v5, shift", "stochastic rounding");
    a.code(&format!("vaccr v5, s{bits}[row r12]"), "");
    a.code(&format!("vstr v5, s{bits}[row r12]"), "");
    a.label("strip_done");
    a.load_number("r12", shape.vector_length as i32, "");
    a.code("add r10, r10, r12", "");
    a.label("rows_done");
    a.comment("The bias is a weight whose axon has the trace of one spike.");
    a.load_number("r10", 1 << TRACE_BITS, "");
    a.code("vmuls v5, v1, r10", "");
    a.code("vshrs v5, v5, shift", "");
    a.code("addi r10, r0, BIAS", "");
    a.code("vacc v5, n32[r10]", "");
    a.code("vst v5, n32[r10]", "");
}

fn close_window(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) {
    a.gap();
    a.label("close_window");
    a.code("special r10, kind", "");
    a.code("bne r10, r0, close_target_window", "");
    if shape.scores {
        a.code("bne learn, r0, close_learning", "");
        scores(a, shape, "answer_scored");
        a.code("setvl r0, CLASSES", "");
        a.code("vld v2, n32[SCORES]", "");
        a.code("pnot p0, p1", "p1 was never set where nothing is learned: all classes");
        a.code("vsend v2, p0, ROUTE_SCORES", "");
        a.label("close_learning");
    }
    a.code("sleep", "");
    a.gap();
    a.label("close_target_window");
    a.code("bne learn, r0, learning", "");
    a.code("sleep", "");
    a.label("learning");
    a.code("ld r10, n32[FROZEN]", "");
    a.code("beq r10, r0, not_frozen", "");
    a.code("sleep", "");
    a.label("not_frozen");
    scores(a, shape, "target_scored");
    target_weights(a, shape, learning);
    homeostasis(a, learning);
    a.code("sleep", "");
}

/// The target's own projection: ungated, the class's axon was active in every step of its window.
fn target_weights(a: &mut Assembly, shape: &LayerShape, learning: &RuleFormat) {
    let (low, high) = learning.target_bounds;
    let bits = shape.layer.parameters.weight_bits;
    a.code("addi r12, r0, WINDOW", "");
    lead(a, learning.margin_of_step(shape.neurons), "homeostasis");
    a.code("ld shift, n32[SHIFT]", "");
    let beyond = shape.window.ilog2() as i32 - TRACE_BITS as i32;
    a.code(&format!("addi shift, shift, {beyond}"), "h is a sum over a window, and no trace");
    a.code("addi r10, r0, COUNT", "");
    a.code("vld v4, n16[r10]", "h");
    a.load_number("r13", low, "bounds of the target's projection");
    a.load_number("r14", high, "");
    for (class, sign, what) in [("slot", "", "the own target's path"), ("rival", "-", "the rival's")] {
        a.comment(&format!("s_c += 2^-shift * {sign}h * WINDOW: {what}"));
        a.code(&format!("addi r10, r0, {sign}WINDOW"), "");
        a.code("vmuls v5, v4, r10", "");
        a.code("vshrs v5, v5, shift", "");
        a.load_number("r12", shape.inputs as i32, "");
        a.code(&format!("add r12, r12, {class}"), "row of the class");
        a.code(&format!("vaccr v5, s{bits}[row r12]"), "");
        a.code("vmaxs v5, v5, r13", "");
        a.code("vmins v5, v5, r14", "");
        a.code(&format!("vstr v5, s{bits}[row r12]"), "");
    }
}
