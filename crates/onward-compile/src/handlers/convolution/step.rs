//! What a block does in each step: events are added up, neurons brought forward, spikes sent.

use super::Shape;
use crate::connect::Table;
use crate::handlers::text::Assembly;
use crate::layout::Layout;

impl Shape<'_> {
    /// The shape of all entries, if it is the same.
    pub(super) fn constant_entry(&self) -> Option<i32> {
        super::super::neurons::constant_shape(self.table)
    }

    fn any_missing(&self) -> bool {
        matches!(self.table, Table::Single { any_missing: true, .. })
    }

    /// Whether a target window must leave what input windows counted alone.
    fn keeps_only_inputs(&self) -> bool {
        self.of.fed_by_target
    }
}

/// A step up to the end of its window, where it goes on behind.
pub(super) fn step(a: &mut Assembly, shape: &Shape, layout: &Layout) {
    a.gap();
    a.label("step");
    a.code("special r13, position", "");
    a.code("addi r10, r0, WINDOW", "");
    a.code("blt r13, r10, in_window", "");
    a.code("sleep", "no window is open");
    a.label("in_window");
    a.code("bne r13, r0, integrate", "");
    open_window(a, shape);
    integrate(a, shape, layout);
    fire(a, shape, layout);
    clear_sums(a, shape, layout);
    a.gap();
    a.label("done");
    a.code("special r13, position", "");
    a.code("addi r10, r0, WINDOW - 1", "");
    a.code("beq r13, r10, close_window", "");
    a.code("stay", "");
}

/// `register = base`, or in a target window `slots_base + slot * elements`; r10 and r11 are used. With `only_inputs` the
/// array of target windows is never read, and may be any.
fn destination(a: &mut Assembly, register: &str, [base, slots_base]: [&str; 2], elements: &str, label: &str) {
    a.code("special r11, kind", "");
    a.load_symbol(register, base);
    a.code(&format!("beq r11, r0, {label}"), "");
    a.code("special r10, slot", "");
    a.load_symbol("r11", elements);
    a.code("mul r10, r10, r11", "");
    a.load_symbol(register, slots_base);
    a.code(&format!("add {register}, {register}, r10"), "");
    a.label(label);
}

/// Clears `elements` elements from `r14` on; v0 must be 0.
fn clear_from(a: &mut Assembly, memory: &str, elements: u32, vector_length: u32, label: &str) {
    let strip = vector_length.min(elements);
    let (strips, rest) = (elements / strip, elements % strip);
    a.code(&format!("setvl r0, {strip}"), "");
    a.code("vmv v0, r0", "");
    a.load_number("r13", strips as i32, "");
    a.code(&format!("loop r13, {label}"), "");
    a.code(&format!("vst v0, {memory}[r14]"), "");
    a.advance("r14", strip.into(), "");
    a.label(label);
    if rest > 0 {
        a.code(&format!("setvl r0, {rest}"), "");
        a.code(&format!("vst v0, {memory}[r14]"), "");
    }
}

fn open_window(a: &mut Assembly, shape: &Shape) {
    let (of, length) = (shape.of, shape.of.vector_length);
    a.comment("A window opens: the tag goes on to the next layer, and all starts from 0.");
    a.code("special r10, tag", "");
    a.code("send r0, r10, ROUTE_TAGS", "");
    a.load_symbol("r14", "MEMBRANE");
    clear_from(a, "n32", of.neurons, length, "membranes_cleared");
    destination(a, "r14", ["COUNT", "TARGET_COUNT"], "NEURONS", "counts_found");
    clear_from(a, "n16", of.neurons, length, "counts_cleared");
    if !shape.learns() {
        return;
    }
    a.code("special r11, learn", "");
    a.code("beq r11, r0, integrate", "without learning nobody asks for traces");
    if shape.keeps_only_inputs() {
        a.code("special r11, kind", "");
        a.code("bne r11, r0, integrate", "the target has no traces here, and its voltage decides nothing");
        if shape.gated() {
            a.load_symbol("r14", "VOLTAGE");
            clear_from(a, "n32", of.neurons, length, "voltages_cleared");
        }
        a.load_symbol("r14", "TRACE");
    } else {
        if shape.gated() {
            destination(a, "r14", ["VOLTAGE", "TARGET_VOLTAGE"], "NEURONS", "voltages_found");
            clear_from(a, "n32", of.neurons, length, "voltages_cleared");
        }
        destination(a, "r14", ["TRACE", "TARGET_TRACE"], "TRACES", "traces_found");
    }
    clear_from(a, "a16", of.inputs, length, "traces_cleared");
}

/// Takes in what arrives.
fn integrate(a: &mut Assembly, shape: &Shape, layout: &Layout) {
    a.gap();
    a.label("integrate");
    if shape.of.fed_by_target {
        a.code("special r11, kind", "");
        a.code("bne r11, r0, integrate_target", "");
    }
    if shape.kernels.plane.channels > 1 {
        a.load_number("columns", shape.kernels.plane.channels as i32, "weights of a tap");
    }
    if let Some(entry) = shape.constant_entry() {
        a.code(&format!("setvl r0, {}", entry & 0xffff), "a row of the kernel");
        a.code(&format!("addi rows, r0, {}", entry >> 16), "");
        a.code(&format!("addi length, r0, {}", entry & 0xffff), "");
    }
    if shape.learns() {
        a.code("special r11, learn", "");
        a.code("beq r11, r0, integrate_plainly", "");
        match shape.keeps_only_inputs() {
            true => a.load_symbol("traces", "TRACE"),
            false => destination(a, "traces", ["TRACE", "TARGET_TRACE"], "TRACES", "traces_chosen"),
        }
        a.code("addi r13, r0, 1", "");
        a.code("foreach axon, payload, integrated", "");
        event(a, shape, layout, true, "integrated");
        a.label("integrated");
        a.code("jmp update", "");
        a.label("integrate_plainly");
    }
    a.code("foreach axon, payload, integrated_plainly", "");
    event(a, shape, layout, false, "integrated_plainly");
    a.label("integrated_plainly");
    if shape.of.fed_by_target {
        a.code("jmp update", "");
        a.gap();
        a.label("integrate_target");
        a.comment("The target comes in by its own projection, a weight for each neuron.");
        a.load_symbol("r12", "NEURONS");
        a.load_symbol("length", "ROW_LENGTH");
        a.load_symbol("rows", "ROWS");
        a.load_number("r11", shape.axons as i32 + 1, "");
        a.code("setvl length, 0", "");
        a.code("foreach axon, payload, update", "");
        a.code("sub weights, axon, r11", "the class");
        a.code("mul weights, weights, r12", "");
        a.advance("weights", offset(layout, "target_weights"), "");
        a.load_number("sums", shape.kernels.first_sum() as i32, "");
        a.code("loop rows, update", "");
        a.code(&format!("vaddn{} sums, s{}[weights]", shape.sum_bits, shape.of.layer.parameters.weight_bits), "");
        a.code("add weights, weights, length", "");
        a.advance("sums", shape.kernels.row_pitch().into(), "");
    }
}

fn offset(layout: &Layout, name: &str) -> i64 {
    layout.symbol(name).map_or(0, |symbol| symbol.offset.into())
}

/// An event of the input's path: its sub-kernel is added, row by row. With `counts` its trace grows by r13.
fn event(a: &mut Assembly, shape: &Shape, layout: &Layout, counts: bool, done: &str) {
    let of_axon = |name: &str| offset(layout, name) - 1;
    a.indexed("ld entry", "a32", "axon", of_axon("entries"), "");
    if shape.any_missing() {
        a.code(&format!("blt entry, r0, {done}"), "reaches nothing");
    }
    if counts {
        a.indexed("ld r14", "a32", "axon", of_axon("slots"), "");
        a.code("add r14, r14, traces", "");
        a.code("addm r13, a16[r14]", "its trace");
    }
    a.code("andi sums, entry, 0xffff", "its first sum");
    a.code("shri weights, entry, 16", "its sub-kernel");
    if shape.kernels.plane.channels > 1 {
        a.code("mul weights, weights, columns", "");
    }
    a.advance("weights", offset(layout, "weights"), "");
    if shape.constant_entry().is_none() {
        a.indexed("ld length", "a32", "axon", of_axon("shapes"), "");
        a.code("shri rows, length, 16", "rows of the sub-kernel");
        a.code("andi length, length, 0xffff", "a row's run");
        a.code("setvl length, 0", "");
    }
    a.code(&format!("loop rows, {done}"), "");
    a.code(&format!("vaddn{} sums, s{}[weights]", shape.sum_bits, shape.of.layer.parameters.weight_bits), "");
    a.code("add weights, weights, length", "");
    a.advance("sums", shape.kernels.step().into(), "");
}

/// Membranes, spikes, counts, voltages, a row of the plane at a time.
fn fire(a: &mut Assembly, shape: &Shape, layout: &Layout) {
    a.gap();
    a.label("update");
    destination(a, "counts", ["COUNT", "TARGET_COUNT"], "NEURONS", "counts_chosen");
    if shape.gated() {
        a.code("special keeps, learn", "whether voltages are kept");
        if shape.keeps_only_inputs() {
            a.load_symbol("voltages", "VOLTAGE");
            a.code("special r11, kind", "");
            a.code("beq r11, r0, voltages_chosen", "");
            a.code("addi keeps, r0, 0", "");
            a.label("voltages_chosen");
        } else {
            destination(a, "voltages", ["VOLTAGE", "TARGET_VOLTAGE"], "NEURONS", "voltages_chosen");
        }
    }
    a.load_number("threshold", shape.of.threshold(), "");
    a.code("sub minus, r0, threshold", "");
    a.code("addi one, r0, 1", "");
    a.code("addi at, r0, 0", "the neuron");
    a.load_number("sums", shape.kernels.first_sum() as i32, "its sum");
    a.code("setvl r0, ROW_LENGTH", "");
    a.code("addi r13, r0, ROWS", "");
    a.code("loop r13, fired", "");
    a.code(&format!("vld v0, n{}[sums]", shape.sum_bits), "what came in");
    let membrane = offset(layout, "membrane");
    a.indexed("vld v1", "n32", "at", membrane, "");
    a.code("vadd v1, v1, v0", "");
    a.code("vcges p0, v1, threshold", "");
    a.code("vaddp v1, v1, minus, p0", "soft reset");
    a.indexed("vst v1", "n32", "at", membrane, "");
    a.code("vld v1, n16[counts]", "");
    a.code("vaddp v1, v1, one, p0", "");
    a.code("vst v1, n16[counts]", "");
    a.code("spike p0, ROUTE_SPIKES, at", "");
    a.code("addi at, at, ROW_LENGTH", "");
    a.code("addi counts, counts, ROW_LENGTH", "");
    a.advance("sums", shape.kernels.row_pitch().into(), "over the halo");
    if shape.gated() {
        a.code("beq keeps, r0, unkept", "");
        a.code("vacc v0, n32[voltages]", "the voltage: what was integrated, without resets");
        a.code("vst v0, n32[voltages]", "");
        a.label("unkept");
        a.code("addi voltages, voltages, ROW_LENGTH", "");
    }
    a.label("fired");
}

/// Sums are read once: then they are 0 again, if anything came in.
fn clear_sums(a: &mut Assembly, shape: &Shape, layout: &Layout) {
    a.gap();
    a.code("special r10, events", "");
    a.code("beq r10, r0, done", "nothing came in");
    a.load_number("r14", offset(layout, "sums") as i32, "");
    clear_from(a, &format!("n{}", shape.sum_bits), shape.kernels.sums(), shape.of.vector_length, "sums_cleared");
}

/// The block's score of each class, the product of the counts with the class's: to memory. Goes on at `label`.
pub(super) fn scores(a: &mut Assembly, shape: &Shape, label: &str) {
    let row = shape.row();
    a.comment("score(c) = sum over neurons of h * t_c");
    a.load_symbol("r5", "TARGET_COUNT");
    a.code("setvl r0, ROW_LENGTH", "");
    a.code("addi r6, r0, 0", "class");
    a.code("addi r11, r0, CLASSES", "");
    a.code(&format!("loop r11, {label}"), "");
    a.load_symbol("r4", "COUNT");
    a.code("addi r7, r0, 0", "");
    a.code("addi r13, r0, ROWS", "");
    let inner = format!("{label}_row");
    a.code(&format!("loop r13, {inner}"), "");
    a.code("vld v0, n16[r4]", "h");
    a.code("vld v1, n16[r5]", "t_c");
    a.code("vdot r14, v0, v1", "");
    a.code("add r7, r7, r14", "");
    a.advance("r4", row.into(), "");
    a.advance("r5", row.into(), "");
    a.label(&inner);
    a.load_symbol("r14", "SCORES");
    a.code("add r14, r14, r6", "");
    a.code("st r7, n32[r14]", "");
    a.code("addi r6, r6, 1", "");
    a.label(label);
}
