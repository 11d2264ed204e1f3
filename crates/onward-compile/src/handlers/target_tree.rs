//! The tree of targets: a class is found by going down a binary tree of what targets evoked.
//!
//! Inner node m has a vector `weights[m]`, a bias, two children and a parent; its number is greater than its parent's. A
//! child is a node's number, or `-1 - class` for a leaf. A place is `2 * node + side` (left is 0), -1 above the root.

use super::axons::{begin_step, clear_traces, parts};
use super::text::Assembly;
use crate::layout::Layout;
use crate::plan::Channel;
use crate::readouts::{ReadoutFormat, UNKNOWN_LEAF};
use onward_isa::{Space, Width};

/// What the handlers of a tree of targets are made for.
pub(crate) struct TreeShape<'a> {
    pub name: &'a str,
    /// Neurons of the layer it hears.
    pub inputs: u32,
    pub classes: u32,
    pub window: u32,
    pub vector_length: u32,
    /// Parts of a product at least.
    pub parts: u32,
    pub format: ReadoutFormat,
}

/// Parts that a product is made of.
pub(crate) fn product_parts(inputs: u32, wanted: u32, vector_length: u32) -> u32 {
    parts(inputs, wanted, vector_length).len() as u32
}

fn layout(shape: &TreeShape) -> Layout {
    let mut layout = Layout::default();
    let (classes, inner) = (shape.classes, shape.classes - 1);
    for name in ["shift", "root", "known", "nodes", "products", "parts", "answers"] {
        layout.add(name, Space::Neuron, Width::W32, 1, 1);
    }
    layout.add("bias", Space::Neuron, Width::W32, 1, inner);
    layout.add("size", Space::Neuron, Width::W32, 1, inner);
    layout.add("parent", Space::Neuron, Width::W32, 1, inner);
    layout.add("children", Space::Neuron, Width::W32, inner, 2);
    layout.add("leaf", Space::Neuron, Width::W32, 1, classes);
    layout.add("stack", Space::Neuron, Width::W32, 1, classes);
    layout.add("found", Space::Neuron, Width::W32, 1, classes);
    layout.add("trace", Space::Axon, Width::W16, 1, shape.inputs);
    layout.add("target_trace", Space::Axon, Width::W16, classes, shape.inputs);
    layout.add("weights", Space::Synapse, Width::W16, inner, shape.inputs);
    layout
}

/// Writes the handlers.
struct Writer<'a> {
    a: Assembly,
    shape: &'a TreeShape<'a>,
    layout: Layout,
    /// First element and length of the parts of a product.
    parts: Vec<(u32, u32)>,
}

/// Handlers of a tree of targets.
pub(crate) fn target_tree(shape: &TreeShape) -> (String, Layout) {
    let parts = parts(shape.inputs, shape.parts, shape.vector_length);
    let mut writer = Writer { a: Assembly::default(), shape, layout: layout(shape), parts };
    writer.head();
    begin_step(&mut writer.a);
    writer.windows();
    writer.answer();
    writer.learn();
    writer.insert();
    writer.climb();
    (writer.a.finish(), writer.layout)
}

impl Writer<'_> {
    fn head(&mut self) {
        let (a, shape) = (&mut self.a, self.shape);
        a.comment(&format!("Readout `{}`: a tree of the targets of {} classes.", shape.name, shape.classes));
        a.comment(
            "Axon 0 carries tags, axon 1 + k the spikes of neuron k. What inner nodes, leaves and places are, is told",
        );
        a.comment(
            "by numbers: a child is an inner node's number, or -1 - class; a place is 2 * node + side, left being 0.",
        );
        a.gap();
        a.constant("INPUTS", shape.inputs.into());
        a.constant("CLASSES", shape.classes.into());
        a.constant("WINDOW", shape.window.into());
        a.constant("ROUTE_SCORES", Channel::Scores as i64);
        a.layout(&self.layout);
        for (name, register) in [
            ("axon", "r1"),
            ("payload", "r2"),
            ("position", "r3"),
            ("slot", "r4"),
            ("learn", "r5"),
            ("one", "r6"),
            ("at", "r7"),
            ("top", "r9"),
            ("sum", "r11"),
            ("margin", "r12"),
            ("minus", "r13"),
            ("vector", "r14"),
        ] {
            a.register(name, register);
        }
    }

    /// An instruction on an element of an array, `base` being its index.
    fn element(&mut self, instruction: &str, array: &str, base: &str, more: i64) {
        let symbol = self.layout.symbol(array).expect("the layout has it");
        let memory = format!("{}{}", symbol.space().map_or("?", |space| space.letter()), symbol.width_bits);
        let offset = i64::from(symbol.offset) + more;
        self.a.indexed(instruction, &memory, base, offset, "");
    }

    /// `vector = index * INPUTS`.
    fn vector(&mut self, index: &str) {
        self.a.load_number("vector", self.shape.inputs as i32, "");
        self.a.code(&format!("mul vector, {index}, vector"), "");
    }

    /// Adds the product of the parts of `first` (array and register) and `second` to `sum`. After each but the last, `sure`
    /// may leave. `counts` counts the parts.
    fn product(&mut self, first: (&str, &str), second: (&str, &str), counts: bool, sure: Option<&str>) {
        let parts = self.parts.clone();
        for (number, &(start, length)) in parts.iter().enumerate() {
            self.a.code(&format!("setvl r0, {length}"), "");
            self.element("vld v0", first.0, first.1, start.into());
            self.element("vld v1", second.0, second.1, start.into());
            self.a.code("vdot r10, v0, v1", "");
            self.a.code("add sum, sum, r10", "");
            if counts {
                self.a.code("addm one, n32[PRODUCTS]", "");
            }
            if let Some(sure) = sure.filter(|_| number + 1 < parts.len()) {
                self.a.code(&format!("bge sum, margin, {sure}"), "sure before all of it is summed");
                self.a.code(&format!("bge minus, sum, {sure}"), "");
            }
        }
    }

    /// `sum = bias * WINDOW`, of inner node `at`.
    fn bias(&mut self) {
        self.element("ld sum", "bias", "at", 0);
        self.a.code(&format!("shri sum, sum, -{}", self.shape.window.ilog2()), "active in every step");
    }

    /// Spikes are counted: those of the input, or those of the target's slot.
    fn windows(&mut self) {
        let (inputs, length) = (self.shape.inputs, self.shape.vector_length);
        let a = &mut self.a;
        a.code("bne position, r0, count", "");
        clear_traces(a, "r0", inputs, length, "cleared");
        a.label("count");
        a.code("foreach axon, payload, counted", "");
        a.code("addm one, a16[axon - 1]", "");
        a.label("counted");
        a.code("addi r10, r0, WINDOW - 1", "");
        a.code("beq position, r10, close_window", "");
        a.code("stay", "");
        a.gap();
        a.label("target_window");
        a.code("beq learn, r0, rest", "");
        self.vector("slot");
        let offset = self.layout.symbol("target_trace").map_or(0, |symbol| symbol.offset);
        let a = &mut self.a;
        a.advance("vector", offset.into(), "");
        a.code("bne position, r0, count_target", "");
        clear_traces(a, "vector", inputs, length, "target_cleared");
        a.label("count_target");
        a.code("foreach axon, payload, target_counted", "");
        a.code("add r10, axon, vector", "");
        a.code("addm one, a16[r10 - 1]", "");
        a.label("target_counted");
        a.code("addi r10, r0, WINDOW - 1", "");
        a.code("beq position, r10, learning", "");
        a.code("stay", "");
        a.label("rest");
        a.code("sleep", "");
    }

    fn margins(&mut self) {
        self.a.load_number("margin", self.shape.format.margin, "");
        self.a.code("sub minus, r0, margin", "");
    }

    /// Down the tree, on both sides where it is not sure; then the best of the leaves.
    fn answer(&mut self) {
        let classes = self.shape.classes;
        self.a.gap();
        self.a.label("close_window");
        super::readout::unless_answered(&mut self.a, "rest");
        self.a.code("addm one, n32[ANSWERS]", "");
        self.a.code("addi r8, r0, 0", "");
        self.a.code("ld r10, n32[KNOWN]", "");
        self.a.code("beq r10, r0, chosen", "no class has appeared");
        self.margins();
        self.a.code("ld at, n32[ROOT]", "");
        self.element("st at", "stack", "r0", 0);
        self.a.code("addi top, r0, 1", "on the stack");
        self.a.code("addi r2, r0, 0", "leaves found");
        self.a.load_number("r10", 2 * classes as i32 - 1, "nodes and leaves");
        self.a.code("loop r10, visits", "");
        self.a.code("addi top, top, -1", "");
        self.element("ld at", "stack", "top", 0);
        self.a.code("bge at, r0, inner", "");
        self.a.code("sub at, r0, at", "");
        self.a.code("addi at, at, -1", "the leaf's class");
        self.element("st at", "found", "r2", 0);
        self.a.code("addi r2, r2, 1", "");
        self.a.code("jmp visited", "");
        self.a.label("inner");
        self.bias();
        self.vector("at");
        self.product(("trace", "r0"), ("weights", "vector"), true, Some("decided"));
        self.a.label("decided");
        self.a.code("add vector, at, at", "");
        for (side, unless, label) in [(1, "bge sum, margin", "not_right"), (0, "bge minus, sum", "not_left")] {
            self.a.code(&format!("{unless}, {label}"), "");
            self.element("ld r10", "children", "vector", side);
            self.element("st r10", "stack", "top", 0);
            self.a.code("addi top, top, 1", "");
            self.a.label(label);
        }
        self.a.label("visited");
        self.a.code("beq top, r0, found_all", "");
        self.a.label("visits");
        self.a.code("nop", "a loop is left before its end only");
        self.a.label("found_all");
        self.element("ld r8", "found", "r0", 0);
        self.a.code("beq r2, one, chosen", "");
        self.compare();
        self.a.label("chosen");
        self.a.code("send r0, r8, ROUTE_SCORES", "to the host");
        self.a.code("sleep", "");
    }

    /// Of several leaves, r8 becomes that with the greatest product, of equal ones the lowest.
    fn compare(&mut self) {
        self.a.comment("Several leaves: score(c) = sum over neurons of h * t_c");
        self.a.code("lui r12, 0x8000", "the greatest so far");
        self.a.code("addi r13, r0, 0", "");
        self.a.code("loop r2, compared", "");
        self.element("ld at", "found", "r13", 0);
        self.vector("at");
        self.a.code("addi sum, r0, 0", "");
        self.product(("trace", "r0"), ("target_trace", "vector"), true, None);
        self.a.code("blt r12, sum, better", "");
        self.a.code("bne r12, sum, not_better", "");
        self.a.code("bge at, r8, not_better", "");
        self.a.label("better");
        self.a.code("addi r12, sum, 0", "");
        self.a.code("addi r8, at, 0", "");
        self.a.label("not_better");
        self.a.code("addi r13, r13, 1", "");
        self.a.label("compared");
    }

    /// A class that has not appeared gets a leaf.
    fn learn(&mut self) {
        self.a.gap();
        self.a.label("learning");
        self.element("ld r10", "leaf", "slot", 0);
        self.a.load_number("r8", UNKNOWN_LEAF, "");
        self.a.code("bne r10, r8, climb", "");
        self.a.comment("A new class: the first is the root");
        self.a.code("addi r2, r0, -1", "");
        self.a.code("sub r2, r2, slot", "its leaf");
        self.a.code("ld r10, n32[KNOWN]", "");
        self.a.code("addm one, n32[KNOWN]", "");
        self.a.code("bne r10, r0, insert", "");
        self.a.code("st r2, n32[ROOT]", "");
        self.a.code("addi r10, r0, -1", "");
        self.element("st r10", "leaf", "slot", 0);
        self.a.code("sleep", "");
    }

    /// `r = the leaves below child`: `child` is a register and is lost.
    fn leaves(&mut self, register: &str, child: &str, label: &str) {
        self.a.code(&format!("addi {register}, r0, 1"), "");
        self.a.code(&format!("blt {child}, r0, {label}"), "a leaf");
        self.element(&format!("ld {register}"), "size", child, 0);
        self.a.label(label);
    }

    /// The new class goes down to the smaller side, of equal ones to the more similar; each node's vector takes its target
    /// in. Where it meets a leaf, both hang below a new node.
    fn insert(&mut self) {
        let target = ("target_trace", "r1");
        self.a.label("insert");
        self.a.load_number("r1", self.shape.inputs as i32, "");
        self.a.code("mul r1, slot, r1", "its target");
        self.a.code("ld at, n32[ROOT]", "");
        self.a.code("addi top, r0, -1", "the place it comes to");
        self.a.load_number("r10", self.shape.classes as i32 - 1, "");
        self.a.code("loop r10, descents", "");
        self.a.code("blt at, r0, arrived", "");
        self.vector("at");
        self.a.code("addi sum, r0, 0", "");
        self.product(target, ("weights", "vector"), false, None);
        self.a.code("add top, at, at", "");
        self.element("ld r12", "children", "top", 0);
        self.element("ld r13", "children", "top", 1);
        self.leaves("r10", "r12", "left_counted");
        self.leaves("r8", "r13", "right_counted");
        self.element("addm one", "size", "at", 0);
        self.a.code("blt r10, r8, go_left", "");
        self.a.code("blt r8, r10, go_right", "");
        self.a.code("bge sum, r0, go_left", "");
        self.a.label("go_right");
        self.a.code("addi top, top, 1", "");
        self.a.code(&format!("addi r10, r0, -{}", self.scale()), "");
        self.a.code("jmp take_in", "");
        self.a.label("go_left");
        self.a.code(&format!("addi r10, r0, {}", self.scale()), "");
        self.a.label("take_in");
        for (start, length) in self.parts.clone() {
            self.a.code(&format!("setvl r0, {length}"), "");
            self.element("vld v0", target.0, target.1, start.into());
            self.a.code("vmuls v0, v0, r10", "");
            self.element("vacc v0", "weights", "vector", start.into());
            self.element("vst v0", "weights", "vector", start.into());
        }
        self.element("ld at", "children", "top", 0);
        self.a.label("descents");
        self.a.code("nop", "");
        self.a.label("arrived");
        self.new_node(target);
    }

    /// A new node in the place `top`, with the leaf `at` on its left and the new class on its right.
    fn new_node(&mut self, target: (&str, &str)) {
        self.a.comment("A new node: the leaf that was there on its left, the new class on its right");
        self.a.code("ld r8, n32[NODES]", "");
        self.a.code("addm one, n32[NODES]", "");
        self.a.code("add r12, r8, r8", "");
        self.element("st at", "children", "r12", 0);
        self.element("st r2", "children", "r12", 1);
        self.a.code("addi r10, r0, 2", "");
        self.element("st r10", "size", "r8", 0);
        self.element("st top", "parent", "r8", 0);
        self.a.code("sub at, r0, at", "");
        self.a.code("addi at, at, -1", "the other class");
        self.element("st r12", "leaf", "at", 0);
        self.a.code("addi r12, r12, 1", "");
        self.element("st r12", "leaf", "slot", 0);
        self.a.load_number("r13", self.shape.inputs as i32, "");
        self.a.code("mul r13, at, r13", "the other target");
        self.vector("r8");
        self.a.code(&format!("addi r10, r0, {}", self.scale()), "");
        for (start, length) in self.parts.clone() {
            self.a.code(&format!("setvl r0, {length}"), "");
            self.element("vld v0", "target_trace", "r13", start.into());
            self.element("vld v1", target.0, target.1, start.into());
            self.a.code("vsub v0, v0, v1", "");
            self.a.code("vmuls v0, v0, r10", "");
            self.element("vst v0", "weights", "vector", start.into());
        }
        self.a.code("blt top, r0, new_root", "");
        self.element("st r8", "children", "top", 0);
        self.a.code("jmp climb", "");
        self.a.label("new_root");
        self.a.code("st r8, n32[ROOT]", "");
    }

    /// What a spike of a target weighs in a new node's vector.
    fn scale(&self) -> u32 {
        1 << (self.shape.format.fraction_bits - 8)
    }

    /// From the class's leaf up to the root, each node learns to send the sample to its side.
    fn climb(&mut self) {
        self.a.gap();
        self.a.label("climb");
        self.a.code("ld r2, n32[SHIFT]", "");
        self.margins();
        self.element("ld top", "leaf", "slot", 0);
        self.a.load_number("r10", self.shape.classes as i32 - 1, "");
        self.a.code("loop r10, climbs", "");
        self.a.code("blt top, r0, climbed", "above the root");
        self.a.code("shri at, top, 1", "");
        self.a.code("andi r8, top, 1", "");
        self.bias();
        self.vector("at");
        self.product(("trace", "r0"), ("weights", "vector"), false, None);
        self.a.code("beq r8, r0, on_the_left", "");
        self.a.code("sub sum, r0, sum", "");
        self.a.label("on_the_left");
        self.a.code("bge sum, margin, sure", "");
        self.a.comment("w += 2^-shift * h on the left, -h on the right");
        self.a.code("add r8, r8, r8", "");
        self.a.code("sub r8, one, r8", "1 or -1");
        for (start, length) in self.parts.clone() {
            self.a.code(&format!("setvl r0, {length}"), "");
            self.element("vld v0", "trace", "r0", start.into());
            self.a.code("vmuls v0, v0, r8", "");
            self.a.code("vshrs v0, v0, r2", "stochastic rounding");
            self.element("vacc v0", "weights", "vector", start.into());
            self.element("vst v0", "weights", "vector", start.into());
        }
        self.a.code("setvl r0, 1", "");
        self.a.code("addi r10, r0, WINDOW", "");
        self.a.code("mul r10, r10, r8", "");
        self.a.code("vmv v0, r10", "");
        self.a.code("vshrs v0, v0, r2", "");
        self.a.code("vext r10, v0, r0", "");
        self.element("addm r10", "bias", "at", 0);
        self.a.label("sure");
        self.element("ld top", "parent", "at", 0);
        self.a.label("climbs");
        self.a.code("nop", "");
        self.a.label("climbed");
        self.a.code("sleep", "");
    }
}
