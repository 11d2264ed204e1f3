//! A layer of integrate-and-fire neurons: what its blocks do in each step and at the ends of windows.

use super::LayerShape;
use super::learning::{self, Evoked};
use super::text::Assembly;
use crate::layout::Layout;
use crate::lowering::RuleFormat;
use crate::plan::Channel;
use onward_isa::{Space, Width};
use onward_net::Loss;

/// What lies where in a block of a layer.
fn layout(shape: &LayerShape) -> Layout {
    let mut layout = Layout::default();
    let (n, classes) = (shape.neurons, shape.classes);
    let weight =
        Width::from_bits(shape.layer.parameters.weight_bits).expect("4, 8 or 16 bits, as the network was checked for");
    if shape.layer.rule.is_some() {
        layout.add("shift", Space::Neuron, Width::W32, 1, 1);
        layout.add("frozen", Space::Neuron, Width::W32, 1, 1);
    }
    layout.add("scores", Space::Neuron, Width::W32, 1, classes);
    layout.add("membrane", Space::Neuron, Width::W32, 1, n);
    layout.add("bias", Space::Neuron, Width::W32, 1, n);
    layout.add("count", Space::Neuron, Width::W16, 1, n);
    layout.add("target_count", Space::Neuron, Width::W16, classes, n);
    if let Some(learning) = &shape.layer.rule {
        learning::remember(&mut layout, shape, learning);
        if keeps_voltage(shape) {
            layout.add("voltage", Space::Neuron, Width::W32, 1, n);
        }
        if keeps_target_voltages(shape) {
            layout.add("target_voltage", Space::Neuron, Width::W32, classes, n);
        }
        layout.add("trace", Space::Axon, Width::W16, if learning.spread { 2 } else { 1 }, shape.inputs);
        if !shape.fed_by_target {
            layout.add("target_trace", Space::Axon, Width::W16, classes, shape.inputs);
        }
    }
    if spreads(shape) {
        learning::spread_arrays(&mut layout, shape);
    }
    layout.add("weights", Space::Synapse, weight, shape.inputs, n);
    if shape.fed_by_target {
        layout.add("target_weights", Space::Synapse, weight, classes, n);
    }
    if let Some(learning) = &shape.layer.rule {
        learning::remember_of_weights(&mut layout, shape, learning);
    }
    layout
}

/// The registers that hold their meaning throughout a step.
const REGISTERS: [(&str, &str); 9] = [
    ("axon", "r1"),
    ("payload", "r2"),
    ("position", "r3"),
    ("slot", "r4"),
    ("counts", "r5"),
    ("voltages", "r6"),
    ("traces", "r7"),
    ("one", "r8"),
    ("learn", "r9"),
];

/// Handlers of a layer.
pub(crate) fn layer(shape: &LayerShape) -> (String, Layout) {
    let layout = layout(shape);
    let mut a = Assembly::default();
    head(&mut a, shape, &layout);
    a.gap();
    a.label("step");
    a.code("special position, position", "");
    a.code("addi r10, r0, WINDOW", "");
    if spreads(shape) {
        a.code("setvl r0, NEURONS", "");
        a.code("setrow r0, NEURONS", "");
        a.code("addi one, r0, 1", "");
        a.code("bge position, r10, fired", "no window is open");
    } else {
        a.code("blt position, r10, in_window", "");
        a.code("sleep", "no window is open");
        a.label("in_window");
        a.code("setvl r0, NEURONS", "");
        a.code("setrow r0, NEURONS", "");
        a.code("addi one, r0, 1", "");
    }
    a.code("special learn, learn", "");
    a.code("special slot, slot", "");
    destinations(&mut a, shape);
    a.label("begin");
    a.code("bne position, r0, integrate", "");
    open_window(&mut a, shape);
    integrate(&mut a, shape);
    fire(&mut a, shape);
    a.gap();
    a.label("close_window");
    if let Some(format) = shape.layer.rule.as_ref().filter(|format| format.is_of_voltage()) {
        learning::keep_potential(&mut a, shape, format);
    }
    a.code("special r10, kind", "");
    a.code("bne r10, r0, close_target_window", "");
    if shape.scores {
        super::text::unless_answered(&mut a, "close_learning");
        scores(&mut a, shape, "answer_scored");
        a.code("setvl r0, CLASSES", "");
        a.code("vld v2, n32[SCORES]", "");
        a.code("pnot p0, p1", "p1 was never set: all classes");
        a.code("vsend v2, p0, ROUTE_SCORES", "");
        a.label("close_learning");
    }
    a.code("sleep", "");
    a.gap();
    a.label("close_target_window");
    if let Some(format) = &shape.layer.rule {
        a.code("bne learn, r0, learning", "");
        a.code("sleep", "");
        a.label("learning");
        a.code("ld r10, n32[FROZEN]", "the host may keep the layer as it is");
        a.code("beq r10, r0, not_frozen", "");
        a.code("sleep", "");
        a.label("not_frozen");
        scores(&mut a, shape, "target_scored");
        learning::update(&mut a, shape, &layout, format);
    }
    if spreads(shape) {
        learning::pending(&mut a);
    } else {
        a.code("sleep", "");
    }
    (a.finish(), layout)
}

fn head(a: &mut Assembly, shape: &LayerShape, layout: &Layout) {
    a.comment(&format!(
        "Layer `{}`: {} integrate-and-fire neurons, {} inputs, {} classes, {}-bit weights.",
        shape.name, shape.neurons, shape.inputs, shape.classes, shape.layer.parameters.weight_bits
    ));
    a.comment(
        "Axon 0 carries tags, axon 1 + k input k, and if the target feeds the layer, axon 1 + INPUTS + c class c.",
    );
    a.gap();
    a.constant("NEURONS", i64::from(shape.neurons));
    a.constant("INPUTS", i64::from(shape.inputs));
    a.constant("CLASSES", i64::from(shape.classes));
    a.constant("WINDOW", i64::from(shape.window));
    for channel in Channel::ALL {
        a.constant(&format!("ROUTE_{}", channel.name().to_uppercase()), channel as i64);
    }
    a.comment("What lies where, in elements");
    a.layout(layout);
    a.comment("Registers");
    for (name, register) in REGISTERS {
        a.register(name, register);
    }
}

/// Whether the block keeps the voltages of target windows, which decide where its weights may change.
fn keeps_target_voltages(shape: &LayerShape) -> bool {
    !shape.fed_by_target && shape.layer.rule.as_ref().is_some_and(|learning| learning.gate.is_some())
}

/// Whether scores are of voltages, and so every window needs them.
fn is_of_voltage(shape: &LayerShape) -> bool {
    shape.layer.rule.as_ref().is_some_and(RuleFormat::is_of_voltage)
}

/// Whether the block adds up voltages.
fn keeps_voltage(shape: &LayerShape) -> bool {
    is_of_voltage(shape) || shape.layer.rule.as_ref().is_some_and(|learning| learning.gate.is_some())
}

/// Whether updates come in parts.
fn spreads(shape: &LayerShape) -> bool {
    shape.layer.rule.as_ref().is_some_and(|learning| learning.spread)
}

/// Where this window's counts, voltages and traces go: those of the input, or those of the target's slot.
fn destinations(a: &mut Assembly, shape: &LayerShape) {
    let learns = shape.layer.rule.is_some();
    a.code("special r10, kind", "");
    a.code("bne r10, r0, target_window", "");
    a.code("addi counts, r0, COUNT", "");
    if keeps_voltage(shape) {
        a.code("addi voltages, r0, VOLTAGE", "");
    }
    if spreads(shape) {
        learning::traces(a);
    } else if learns {
        a.code("addi traces, r0, TRACE", "");
    }
    a.code("jmp begin", "");
    a.label("target_window");
    a.code("addi r10, r0, NEURONS", "");
    a.code("mul r10, slot, r10", "");
    a.code("addi counts, r10, TARGET_COUNT", "");
    if keeps_target_voltages(shape) {
        a.code("addi voltages, r10, TARGET_VOLTAGE", "");
    } else if keeps_voltage(shape) {
        a.code("addi voltages, r0, VOLTAGE", if is_of_voltage(shape) { "" } else { "not kept" });
    }
    if learns && !shape.fed_by_target {
        a.code("addi r10, r0, INPUTS", "");
        a.code("mul r10, slot, r10", "");
        a.code("addi traces, r10, TARGET_TRACE", "");
    }
}

fn open_window(a: &mut Assembly, shape: &LayerShape) {
    a.comment("A window opens: the tag goes on to the next layer, and all starts from 0.");
    a.code("special r10, tag", "");
    a.code("send r0, r10, ROUTE_TAGS", "");
    a.code("vmv v0, r0", "");
    a.code("addi r10, r0, MEMBRANE", "");
    a.code("vst v0, n32[r10]", "");
    a.code("vst v0, n16[counts]", "");
    if shape.layer.rule.is_none() {
        return;
    }
    if is_of_voltage(shape) {
        a.code("vst v0, n32[voltages]", "");
    }
    if shape.fed_by_target {
        // Only input windows leave voltages and traces behind; a target window must not clear them.
        a.code("special r10, kind", "");
        a.code("bne r10, r0, integrate", "");
    }
    if keeps_voltage(shape) && !is_of_voltage(shape) {
        a.code("vst v0, n32[voltages]", "");
    }
    a.code("beq learn, r0, integrate", "without learning nobody asks for traces");
    let strip = shape.vector_length.min(shape.inputs);
    a.code(&format!("setvl r0, {strip}"), "");
    a.code("vmv v0, r0", "");
    a.code("addi r10, traces, 0", "");
    let (strips, rest) = (shape.inputs / strip, shape.inputs % strip);
    a.code(&format!("addi r11, r0, {strips}"), "");
    a.code("loop r11, traces_cleared", "");
    a.code("vst v0, a16[r10]", "");
    a.code(&format!("addi r10, r10, {strip}"), "");
    a.label("traces_cleared");
    if rest > 0 {
        a.code(&format!("setvl r0, {rest}"), "");
        a.code("vst v0, a16[r10]", "");
    }
    a.code("setvl r0, NEURONS", "");
}

/// Adds up what arrives: v0 becomes the current of this step.
fn integrate(a: &mut Assembly, shape: &LayerShape) {
    let row = format!("vaccr v0, s{}[row axon - 1]", shape.layer.parameters.weight_bits);
    a.gap();
    a.label("integrate");
    let scaled = shape.layer.parameters.finer > 0 || shape.target_coarser() > 0;
    let done = if scaled { "scale" } else { "fire" };
    if scaled {
        a.code("vmv v0, r0", "");
    } else {
        a.code("addi r10, r0, BIAS", "");
        a.code("vld v0, n32[r10]", "the current begins with the bias");
    }
    if shape.fed_by_target {
        a.code("special r10, kind", "");
        a.code("beq r10, r0, integrate_input", "");
        if !scaled {
            a.code("vmv v0, r0", "but not where the target comes in by its own projection");
        }
        a.code("jmp integrate_plainly", "");
        a.label("integrate_input");
    }
    if shape.layer.rule.is_some() {
        a.code("beq learn, r0, integrate_plainly", "");
        a.code("foreach axon, payload, integrated", "");
        a.code(&row, "");
        a.code("add r10, axon, traces", "");
        a.code("addm one, a16[r10 - 1]", "the axon's trace");
        a.label("integrated");
        a.code(&format!("jmp {done}"), "");
    }
    a.label("integrate_plainly");
    a.code(&format!("foreach axon, payload, {done}"), "");
    a.code(&row, "");
    if scaled {
        scale(a, shape);
    }
}

/// Brings the sum of weights to the membrane's fraction bits and adds the bias, which has them.
fn scale(a: &mut Assembly, shape: &LayerShape) {
    let finer = shape.layer.parameters.finer;
    a.gap();
    a.label("scale");
    if shape.fed_by_target {
        a.code("special r10, kind", "");
        a.code("beq r10, r0, scale_input", "");
        a.code(&format!("addi r11, r0, -{}", finer + shape.target_coarser()), "the target's projection, no bias");
        a.code("vshr v0, v0, r11", "");
        a.code("jmp fire", "");
        a.label("scale_input");
    }
    if finer > 0 {
        a.code(&format!("addi r11, r0, -{finer}"), "a membrane is finer than a weight");
        a.code("vshr v0, v0, r11", "");
    }
    a.code("addi r10, r0, BIAS", "");
    a.code("vacc v0, n32[r10]", "");
}

/// Membranes, spikes, counts; ends the step unless the window closes.
fn fire(a: &mut Assembly, shape: &LayerShape) {
    a.gap();
    a.label("fire");
    a.code("addi r10, r0, MEMBRANE", "");
    a.code("vld v1, n32[r10]", "");
    a.code("vadd v1, v1, v0", "");
    a.load_number("r11", shape.threshold(), "the threshold");
    a.code("vcges p0, v1, r11", "");
    a.code("sub r11, r0, r11", "");
    a.code("vaddp v1, v1, r11, p0", "soft reset");
    a.code("vst v1, n32[r10]", "");
    a.code("vld v1, n16[counts]", "");
    a.code("vaddp v1, v1, one, p0", "");
    a.code("vst v1, n16[counts]", "");
    a.code("spike p0, ROUTE_SPIKES", "");
    if keeps_voltage(shape) {
        if !is_of_voltage(shape) {
            a.code("beq learn, r0, fired", "");
        }
        if shape.fed_by_target && !is_of_voltage(shape) {
            a.code("special r10, kind", "");
            a.code("bne r10, r0, fired", "");
        }
        a.code("vacc v0, n32[voltages]", "the voltage: what was integrated, without resets");
        a.code("vst v0, n32[voltages]", "");
    }
    if keeps_voltage(shape) || spreads(shape) {
        a.label("fired");
    }
    if let Some(learning) = shape.layer.rule.as_ref().filter(|learning| learning.spread) {
        a.gap();
        learning::part(a, shape, learning, "part_done");
        a.label("part_done");
        a.code("special position, position", "");
        a.code("addi r10, r0, WINDOW", "");
        a.code("bge position, r10, rest", "");
    }
    a.code("addi r10, r0, WINDOW - 1", "");
    a.code("beq position, r10, close_window", "");
    a.code("stay", "");
}

/// The block's score of each class, the product of the counts with the class's: to memory. Goes on at `label`.
pub(super) fn scores(a: &mut Assembly, shape: &LayerShape, label: &str) {
    let learning = shape.layer.rule.as_ref();
    let evoked = learning.map_or(Evoked::COUNTS, Evoked::of);
    let is_squared = learning.is_some_and(|learning| matches!(learning.rule.loss, Loss::SquaredError { .. }));
    let what = if is_squared { "(2 h - t_c) * t_c: the less the distance, the greater" } else { "h * t_c" };
    a.comment(&format!("score(c) = sum over neurons of {what}"));
    a.code(&format!("addi r10, r0, {}", evoked.input), "");
    a.code("vld v0, n16[r10]", "h");
    if is_squared {
        a.code("vadd v0, v0, v0", "");
    }
    a.code(&format!("addi r10, r0, {}", evoked.target), "");
    a.code("addi r11, r0, CLASSES", "");
    a.code("addi r12, r0, 0", "class");
    a.code(&format!("loop r11, {label}"), "");
    a.code("vld v1, n16[r10]", "t_c");
    if is_squared {
        a.code("vsub v2, v0, v1", "");
        a.code("vdot r13, v2, v1", "");
    } else {
        a.code("vdot r13, v0, v1", "");
    }
    a.code("st r13, n32[r12 + SCORES]", "");
    a.code("addi r10, r10, NEURONS", "");
    a.code("addi r12, r12, 1", "");
    a.label(label);
}
