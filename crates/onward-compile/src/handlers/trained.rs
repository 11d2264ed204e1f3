//! The trained readout: weights from the axons of the last layer to outputs, which learn by a rule of their own.

use super::axons::{begin_step, clear_traces};
use super::text::Assembly;
use crate::layout::Layout;
use crate::plan::Channel;
use crate::readouts::ReadoutFormat;
use onward_isa::{Space, Width};
use onward_net::ReadoutLoss;

/// Bits of a target's value below the binary point.
const VALUE_FRACTION_BITS: i32 = 12;

/// What the handlers of a trained readout are made for.
pub(crate) struct TrainedShape<'a> {
    pub name: &'a str,
    /// Neurons of the layer it hears.
    pub inputs: u32,
    /// Outputs of the block, and the first of them.
    pub outputs: u32,
    pub first_output: u32,
    /// Values of the target; 0 where classes are learned, which come with the tag.
    pub values: u32,
    pub window: u32,
    pub vector_length: u32,
    /// Of classes.
    pub loss: Option<ReadoutLoss>,
    pub format: ReadoutFormat,
}

fn layout(shape: &TrainedShape) -> Layout {
    let mut layout = Layout::default();
    let width = Width::from_bits(shape.format.bits).expect("4, 8 or 16 bits, as the network was checked for");
    layout.add("shift", Space::Neuron, Width::W32, 1, 1);
    layout.add("bias", Space::Neuron, Width::W32, 1, shape.outputs);
    layout.add("sums", Space::Neuron, Width::W32, 1, shape.outputs);
    if shape.values > 0 {
        layout.add("values", Space::Neuron, Width::W16, 1, shape.values);
    }
    layout.add("trace", Space::Axon, Width::W16, 1, shape.inputs);
    layout.add("weights", Space::Synapse, width, shape.inputs, shape.outputs);
    layout
}

/// Handlers of a trained readout.
pub(crate) fn trained(shape: &TrainedShape) -> (String, Layout) {
    let layout = layout(shape);
    let mut a = Assembly::default();
    head(&mut a, shape, &layout);
    begin_step(&mut a);
    input_window(&mut a, shape, &layout);
    if shape.loss.is_none() {
        values(&mut a, shape, &layout);
        return (a.finish(), layout);
    }
    a.gap();
    a.label("target_window");
    a.code("beq learn, r0, rest", "");
    a.code("addi r10, r0, WINDOW - 1", "");
    a.code("beq position, r10, learning", "");
    a.code("stay", "");
    a.label("rest");
    a.code("sleep", "");
    a.gap();
    a.label("learning");
    a.code("setvl r0, OUTPUTS", "");
    a.code("setrow r0, OUTPUTS", "");
    a.code("vld v0, n32[SUMS]", "");
    match shape.loss {
        Some(ReadoutLoss::Hinge { .. }) => hinge(&mut a, shape),
        _ => squared_error(&mut a, shape),
    }
    update(&mut a, shape);
    a.code("sleep", "");
    (a.finish(), layout)
}

fn head(a: &mut Assembly, shape: &TrainedShape, layout: &Layout) {
    a.comment(&format!(
        "Readout `{}`: {} outputs, {} inputs, {}-bit weights that learn.",
        shape.name, shape.outputs, shape.inputs, shape.format.bits
    ));
    a.comment(
        "Axon 0 carries tags, axon 1 + k the spikes of neuron k, behind them the values of a target, if it has any.",
    );
    a.gap();
    a.constant("INPUTS", shape.inputs.into());
    a.constant("OUTPUTS", shape.outputs.into());
    a.constant("WINDOW", shape.window.into());
    a.constant("ROUTE_SCORES", Channel::Scores as i64);
    a.layout(layout);
    for (name, register) in
        [("axon", "r1"), ("payload", "r2"), ("position", "r3"), ("slot", "r4"), ("learn", "r5"), ("one", "r6")]
    {
        a.register(name, register);
    }
}

/// Outputs are summed over the input's window; without learning, the greatest is the answer.
fn input_window(a: &mut Assembly, shape: &TrainedShape, layout: &Layout) {
    let row = format!("vaccr v0, s{}[row axon - 1]", shape.format.bits);
    a.code("bne position, r0, integrate", "");
    a.code("setvl r0, OUTPUTS", "a window opens: all starts from 0");
    a.code("vmv v0, r0", "");
    a.code("vst v0, n32[SUMS]", "");
    a.code("beq learn, r0, integrate", "without learning nobody asks for traces");
    clear_traces(a, "r0", shape.inputs, shape.vector_length, "traces_cleared");
    a.label("integrate");
    a.code("setvl r0, OUTPUTS", "");
    a.code("setrow r0, OUTPUTS", "");
    a.code("vld v0, n32[SUMS]", "");
    a.code("vacc v0, n32[BIAS]", "");
    a.code("beq learn, r0, integrate_plainly", "");
    if shape.values > 0 {
        a.load_number("r7", shape.inputs as i32, "the last axon of the layer");
    }
    a.code("foreach axon, payload, integrated", "");
    if shape.values > 0 {
        let first = layout.symbol("values").map_or(0, |symbol| i64::from(symbol.offset));
        a.code("bge r7, axon, input", "");
        a.indexed("st payload", "n16", "axon", first - i64::from(shape.inputs) - 1, "a value of the target");
        a.code("jmp integrated", "");
        a.label("input");
    }
    a.code(&row, "");
    a.code("addm one, a16[axon - 1]", "the axon's trace");
    a.label("integrated");
    a.code("jmp summed", "");
    a.label("integrate_plainly");
    a.code("foreach axon, payload, summed", "");
    a.code(&row, "");
    a.label("summed");
    a.code("vst v0, n32[SUMS]", "");
    a.code("addi r10, r0, WINDOW - 1", "");
    a.code("beq position, r10, close_window", "");
    a.code("stay", "");
    a.label("close_window");
    if shape.values > 0 {
        return;
    }
    super::readout::unless_answered(a, "rest");
    a.code("vimax r10, v0", "of equal ones the lowest");
    a.code("send r0, r10, ROUTE_SCORES", "to the host");
    a.code("sleep", "");
}

/// Outputs are the answer; where the sample is learned from, v1 becomes what they lack of the target's values.
fn values(a: &mut Assembly, shape: &TrainedShape, layout: &Layout) {
    super::readout::unless_answered(a, "learning");
    a.code("pnot p0, p1", "p1 was never set: all outputs");
    a.code("vsend v0, p0, ROUTE_SCORES", "to the host");
    a.code("beq learn, r0, target_window", "");
    a.label("learning");
    let first = layout.symbol("values").map_or(0, |symbol| symbol.offset) + shape.first_output;
    a.load_number("r10", first as i32, "");
    a.code("vld v1, n16[r10]", "");
    let left = shape.format.one.ilog2() as i32 - VALUE_FRACTION_BITS;
    a.code(&format!("addi r10, r0, {}", -left), "");
    a.code("vshr v1, v1, r10", "as outputs have it");
    a.code("vsub v1, v1, v0", "");
    update(a, shape);
    a.code("sleep", "");
    a.label("target_window");
    a.code("sleep", "");
}

/// v1 becomes 1 for the own class and -1 for its rival, unless the own one leads by the margin.
fn hinge(a: &mut Assembly, shape: &TrainedShape) {
    a.register("rival", "r7");
    a.comment("The rival: the wrong class with the greatest output");
    a.code("vext r10, v0, slot", "the own output");
    a.code("lui r11, 0x8000", "");
    a.code("vins v0, r11, slot", "");
    super::readout::rival(a, "vimax rival, v0");
    a.code("vext r11, v0, rival", "");
    a.code("sub r10, r10, r11", "");
    a.load_number("r11", shape.format.margin, "the margin");
    a.code("bge r10, r11, rest", "");
    a.code("vmv v1, r0", "");
    a.code("vins v1, one, slot", "");
    a.code("addi r11, r0, -1", "");
    a.code("vins v1, r11, rival", "");
}

/// v1 becomes what the outputs lack of 1.0 for the own class and 0.0 for the others.
fn squared_error(a: &mut Assembly, shape: &TrainedShape) {
    a.code("vmv v1, r0", "");
    a.load_number("r10", shape.format.one, "1.0");
    a.code("vins v1, r10, slot", "");
    a.code("vsub v1, v1, v0", "");
}

/// `w_k += 2^-shift * v1 * x_k`, and the bias, whose axon is active in every step.
fn update(a: &mut Assembly, shape: &TrainedShape) {
    let (inputs, strip) = (shape.inputs, shape.vector_length.min(shape.inputs));
    let bits = shape.format.bits;
    a.register("shift", "r8");
    a.code("ld shift, n32[SHIFT]", "");
    a.comment("w_k += 2^-shift * v1 * x_k");
    a.code("addi r10, r0, 0", "first axon of the strip");
    a.code(&format!("addi r11, r0, {}", inputs.div_ceil(strip)), "strips");
    a.code("loop r11, rows_done", "");
    a.load_number("r12", inputs as i32, "");
    a.code("sub r12, r12, r10", "");
    a.load_number("r13", strip as i32, "");
    a.code("min r12, r12, r13", "");
    a.code("setvl r12, 0", "");
    a.code("vld v6, a16[r10]", "");
    a.code("vcges p2, v6, one", "axons of the strip that were active");
    a.code("setvl r0, OUTPUTS", "");
    a.code("forset r11, p2, strip_done", "");
    a.code("add r12, r10, r11", "the axon, and its row");
    a.code("ld r14, a16[r12]", "x_k");
    a.code("vmuls v6, v1, r14", "");
    a.code("vshrs v6, v6, shift", "stochastic rounding");
    a.code(&format!("vaccr v6, s{bits}[row r12]"), "");
    a.code(&format!("vstr v6, s{bits}[row r12]"), "");
    a.label("strip_done");
    a.code("add r10, r10, r13", "");
    a.label("rows_done");
    a.code("addi r10, r0, WINDOW", "");
    a.code("vmuls v6, v1, r10", "");
    a.code("vshrs v6, v6, shift", "");
    a.code("vacc v6, n32[BIAS]", "");
    a.code("vst v6, n32[BIAS]", "");
}
