//! The tree of targets: a class is found by going down a binary tree of what targets evoked.
//!
//! Inner node m has a vector `weights[m]`, a bias, two children and a parent; its number is greater than its parent's. A
//! child is a node's number, or `-1 - class` for a leaf. A place is `2 * node + side` (left is 0), -1 above the root.

use super::axons::{Step, clear_traces, parts};
use crate::layout::Layout;
use crate::lowering::code::Arrays;
use crate::lowering::record::unless_answered;
use crate::plan::Channel;
use crate::purposes;
use crate::readouts::{ReadoutFormat, UNKNOWN_LEAF};
use onward_isa::builder::{
    A16, Assembly, Label, Line, Listing, Memory, N32, Scalar, ScalarRegister, VectorRegister, ZERO,
};
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
    shape: &'a TreeShape<'a>,
    arrays: Arrays<'a>,
    /// First element and length of the parts of a product.
    parts: Vec<(u32, u32)>,
    /// Where what is learned begins: at the class's leaf.
    climb: Label,
}

/// Where a vector lies: in which array, and from which element on.
#[derive(Clone, Copy)]
struct Vectors<'a> {
    array: &'a str,
    first: Scalar,
}

/// `sum` is sure where it is outside of plus and minus the margin.
struct Margins {
    margin: ScalarRegister,
    minus: ScalarRegister,
}

/// An inner node that is looked at: its number, where its vector begins, a product with that.
struct Node {
    at: ScalarRegister,
    vector: ScalarRegister,
    sum: ScalarRegister,
}

/// Handlers of a tree of targets.
pub(crate) fn target_tree(shape: &TreeShape) -> (Listing, Layout) {
    let layout = layout(shape);
    let mut assembly = Assembly::new();
    let a = &mut assembly;
    let parts = parts(shape.inputs, shape.parts, shape.vector_length);
    let writer = Writer { shape, arrays: Arrays(&layout), parts, climb: a.label("climb") };
    writer.head(a);
    let step = Step::begin(a);
    let (rest, learning) = (&a.label("rest"), &a.label("learning"));
    writer.windows(a, &step, rest, learning);
    writer.answer(a, &step, rest);
    writer.learn(a, &step, learning);
    writer.insert(a, &step);
    writer.climb(a, &step);
    drop(step);
    (assembly.finish(), layout)
}

impl Writer<'_> {
    fn head(&self, a: &mut Assembly) {
        let shape = self.shape;
        a.comment(format!("Readout `{}`: a tree of the targets of {} classes.", shape.name, shape.classes));
        a.comment(
            "Axon 0 carries tags, axon 1 + k the spikes of neuron k. What inner nodes, leaves and places are, is told",
        );
        a.comment(
            "by numbers: a child is an inner node's number, or -1 - class; a place is 2 * node + side, left being 0.",
        );
        a.gap();
        a.constant("INPUTS", shape.inputs);
        a.constant("CLASSES", shape.classes);
        a.constant("WINDOW", shape.window);
        a.constant("ROUTE_SCORES", Channel::Scores as i64);
        self.arrays.declare(a);
    }

    /// An instruction on the element `base + more` of an array.
    fn element(
        &self,
        a: &mut Assembly,
        array: &str,
        base: impl Into<Scalar>,
        more: i64,
        access: impl for<'b> FnOnce(&'b mut Assembly, Memory) -> Line<'b>,
    ) {
        a.indexed(self.arrays.elements(array), base, self.arrays.offset(array) + more, access);
    }

    fn load(&self, a: &mut Assembly, register: &ScalarRegister, array: &str, base: impl Into<Scalar>, more: i64) {
        self.element(a, array, base, more, |a, memory| a.ld(register, memory));
    }

    fn store(&self, a: &mut Assembly, register: &ScalarRegister, array: &str, base: impl Into<Scalar>, more: i64) {
        self.element(a, array, base, more, |a, memory| a.st(register, memory));
    }

    fn load_part(&self, a: &mut Assembly, part: &VectorRegister, vectors: Vectors, start: u32) {
        self.element(a, vectors.array, vectors.first, start.into(), |a, memory| a.vld(part, memory));
    }

    /// `part` is added to a part of a node's vector.
    fn add_part(&self, a: &mut Assembly, part: &VectorRegister, vector: &ScalarRegister, start: u32) {
        self.element(a, "weights", vector, start.into(), |a, memory| a.vacc(part, memory));
        self.element(a, "weights", vector, start.into(), |a, memory| a.vst(part, memory));
    }

    /// `vector = index * INPUTS`.
    fn vector(&self, a: &mut Assembly, vector: &ScalarRegister, index: &ScalarRegister) {
        a.load_number(vector, self.shape.inputs as i32);
        a.mul(vector, index, vector);
    }

    fn node(&self, a: &mut Assembly) -> Node {
        Node { at: a.named("at"), vector: a.named("vector"), sum: a.named("sum") }
    }

    /// Adds the product of the parts of two vectors to `sum`. After each but the last, `sure` may leave. With `one` the
    /// parts are counted.
    fn product(
        &self,
        a: &mut Assembly,
        sum: &ScalarRegister,
        [first, second]: [Vectors; 2],
        one: Option<&ScalarRegister>,
        sure: Option<(&Margins, &Label)>,
    ) {
        let (x, y, part) = (&a.scratch_vector(), &a.scratch_vector(), &a.scratch());
        for (number, &(start, length)) in self.parts.iter().enumerate() {
            a.setvl(ZERO, length);
            self.load_part(a, x, first, start);
            self.load_part(a, y, second, start);
            a.vdot(part, x, y);
            a.add(sum, sum, part);
            if let Some(one) = one {
                a.addm(one, N32.at(ZERO, "PRODUCTS"));
            }
            if let Some((margins, sure)) = sure.filter(|_| number + 1 < self.parts.len()) {
                a.bge(sum, &margins.margin, sure).note("sure before all of it is summed");
                a.bge(&margins.minus, sum, sure);
            }
        }
    }

    /// `sum = bias * WINDOW`.
    fn bias(&self, a: &mut Assembly, node: &Node) {
        self.load(a, &node.sum, "bias", &node.at, 0);
        let window = self.shape.window;
        if window.is_power_of_two() {
            a.shri(&node.sum, &node.sum, -i64::from(window.ilog2())).note("active in every step");
            return;
        }
        let number = &a.scratch();
        a.load_number(number, window as i32);
        a.mul(&node.sum, &node.sum, number).note("active in every step");
    }

    /// Spikes are counted: those of the input, or those of the target's slot.
    fn windows(&self, a: &mut Assembly, step: &Step, rest: &Label, learning: &Label) {
        let (inputs, length) = (self.shape.inputs, self.shape.vector_length);
        let (axon, payload) = (&a.named("axon"), &a.named("payload"));
        let count = &a.label("count");
        a.bne(&step.position, ZERO, count);
        clear_traces(a, ZERO, inputs, length, "cleared");
        a.bind(count);
        a.for_each(axon, payload, "counted", |a| a.addm(&step.one, A16.at(axon, -1)).note(""));
        let close_window = &a.label("close_window");
        step.end_unless_last(a, close_window);
        a.gap();
        a.bind(&step.target_window);
        a.beq(&step.learn, ZERO, rest);
        let (first, count_target) = (&a.named("first"), &a.label("count_target"));
        self.vector(a, first, &step.slot);
        a.advance(first, self.arrays.offset("target_trace"));
        a.bne(&step.position, ZERO, count_target);
        clear_traces(a, first, inputs, length, "target_cleared");
        a.bind(count_target);
        a.for_each(axon, payload, "target_counted", |a| {
            let trace = &a.scratch();
            a.add(trace, axon, first);
            a.addm(&step.one, A16.at(trace, -1));
        });
        step.end_unless_last(a, learning);
        a.bind(rest);
        a.sleep();
        a.gap();
        a.bind(close_window);
    }

    fn margins(&self, a: &mut Assembly) -> Margins {
        let (margin, minus) = (a.named("margin"), a.named("minus"));
        a.load_number(&margin, self.shape.format.margin);
        a.sub(&minus, ZERO, &margin);
        Margins { margin, minus }
    }

    fn trace(&self) -> Vectors<'static> {
        Vectors { array: "trace", first: ZERO }
    }

    /// Down the tree, on both sides where it is not sure; then the best of the leaves.
    fn answer(&self, a: &mut Assembly, step: &Step, rest: &Label) {
        unless_answered(a, step.learn.operand(), rest);
        let (best, found, chosen) = (&a.named("best"), &a.named("found"), &a.label("chosen"));
        a.addm(&step.one, N32.at(ZERO, "ANSWERS"));
        a.addi(best, ZERO, 0);
        {
            let known = &a.scratch();
            a.ld(known, N32.at(ZERO, "KNOWN"));
            a.beq(known, ZERO, chosen).note("no class has appeared");
        }
        self.visit(a, step, found);
        self.load(a, best, "found", ZERO, 0);
        a.beq(found, &step.one, chosen);
        self.compare(a, step, best, found);
        a.bind(chosen);
        a.send(ZERO, best, "ROUTE_SCORES").note("to the host");
        a.sleep();
    }

    /// The leaves that may be the answer: `found` becomes how many there are.
    fn visit(&self, a: &mut Assembly, step: &Step, found: &ScalarRegister) {
        let margins = self.margins(a);
        let node = self.node(a);
        let Node { at, vector, sum } = &node;
        let top = &a.named("top");
        a.ld(at, N32.at(ZERO, "ROOT"));
        self.store(a, at, "stack", ZERO, 0);
        a.addi(top, ZERO, 1).note("on the stack");
        a.addi(found, ZERO, 0).note("leaves found");
        let (count, last, found_all) = (&a.scratch(), &a.named("last"), &a.label("found_all"));
        a.load_number(count, 2 * self.shape.classes as i32 - 1).note("nodes and leaves");
        a.load_number(last, self.shape.classes as i32 - 1).note("of the stack, and of the leaves found");
        a.repeat(count, "visits", |a| {
            let (inner, visited) = (&a.label("inner"), &a.label("visited"));
            a.addi(top, top, -1);
            self.load(a, at, "stack", top, 0);
            a.bge(at, ZERO, inner);
            a.sub(at, ZERO, at);
            a.addi(at, at, -1).note("the leaf's class");
            a.min(found, found, last).note("a tree has no more leaves; so no reader need trust it");
            self.store(a, at, "found", found, 0);
            a.addi(found, found, 1);
            a.jmp(visited);
            a.bind(inner);
            self.bias(a, &node);
            self.vector(a, vector, at);
            let decided = &a.label("decided");
            let weights = Vectors { array: "weights", first: vector.into() };
            self.product(a, sum, [self.trace(), weights], Some(&step.one), Some((&margins, decided)));
            a.bind(decided);
            a.add(vector, at, at);
            for (side, label) in [(1, "not_right"), (0, "not_left")] {
                let (child, skipped) = (&a.scratch(), &a.label(label));
                match side {
                    1 => a.bge(sum, &margins.margin, skipped),
                    _ => a.bge(&margins.minus, sum, skipped),
                };
                self.load(a, child, "children", vector, side);
                a.min(top, top, last).note("nor ever more on the stack");
                self.store(a, child, "stack", top, 0);
                a.addi(top, top, 1);
                a.bind(skipped);
            }
            a.bind(visited);
            a.beq(top, ZERO, found_all);
        });
        a.nop().note("a loop is left before its end only");
        a.bind(found_all);
    }

    /// Of several leaves, `best` becomes that with the greatest product, of equal ones the lowest.
    fn compare(&self, a: &mut Assembly, step: &Step, best: &ScalarRegister, found: &ScalarRegister) {
        a.comment("Several leaves: score(c) = sum over neurons of h * t_c");
        let Node { at, vector, sum } = &self.node(a);
        let (greatest, index) = (&a.named("greatest"), &a.scratch());
        a.lui(greatest, 0x8000).note("the greatest so far");
        a.addi(index, ZERO, 0);
        a.repeat(found, "compared", |a| {
            self.load(a, at, "found", index, 0);
            self.vector(a, vector, at);
            a.addi(sum, ZERO, 0);
            let target = Vectors { array: "target_trace", first: vector.into() };
            self.product(a, sum, [self.trace(), target], Some(&step.one), None);
            let (better, not_better) = (&a.label("better"), &a.label("not_better"));
            a.blt(greatest, sum, better);
            a.bne(greatest, sum, not_better);
            a.bge(at, best, not_better);
            a.bind(better);
            a.addi(greatest, sum, 0);
            a.addi(best, at, 0);
            a.bind(not_better);
            a.addi(index, index, 1);
        });
    }

    /// A class that has not appeared gets a leaf.
    fn learn(&self, a: &mut Assembly, step: &Step, learning: &Label) {
        a.gap();
        a.bind(learning);
        a.serve_from_here(purposes::NEW_CLASS);
        let (place, number, insert) = (&a.scratch(), &a.scratch(), &a.label("insert"));
        self.load(a, place, "leaf", &step.slot, 0);
        a.load_number(number, UNKNOWN_LEAF);
        a.bne(place, number, &self.climb);
        a.comment("A new class: the first is the root");
        a.ld(place, N32.at(ZERO, "KNOWN"));
        a.addm(&step.one, N32.at(ZERO, "KNOWN"));
        a.bne(place, ZERO, insert);
        self.own_leaf(a, step, number);
        a.st(number, N32.at(ZERO, "ROOT"));
        a.addi(place, ZERO, -1);
        self.store(a, place, "leaf", &step.slot, 0);
        a.sleep();
        a.bind(insert);
    }

    /// `leaf = -1 - slot`.
    fn own_leaf(&self, a: &mut Assembly, step: &Step, leaf: &ScalarRegister) {
        a.addi(leaf, ZERO, -1);
        a.sub(leaf, leaf, &step.slot).note("its leaf");
    }

    /// How many leaves there are below a child, which is lost.
    fn leaves(&self, a: &mut Assembly, leaves: &ScalarRegister, child: &ScalarRegister, label: &str) {
        let counted = &a.label(label);
        a.addi(leaves, ZERO, 1);
        a.blt(child, ZERO, counted).note("a leaf");
        self.load(a, leaves, "size", child, 0);
        a.bind(counted);
    }

    /// The new class goes down to the smaller side, of equal ones to the more similar; each node's vector takes its target
    /// in. Where it meets a leaf, both hang below a new node.
    fn insert(&self, a: &mut Assembly, step: &Step) {
        let (target, place) = (&a.named("target"), &a.named("place"));
        let node = self.node(a);
        a.load_number(target, self.shape.inputs as i32);
        a.mul(target, &step.slot, target).note("its target");
        a.ld(&node.at, N32.at(ZERO, "ROOT"));
        a.addi(place, ZERO, -1).note("the place it comes to");
        let target = Vectors { array: "target_trace", first: target.into() };
        let arrived = &a.label("arrived");
        {
            let count = &a.scratch();
            a.load_number(count, self.shape.classes as i32 - 1);
            a.repeat(count, "descents", |a| {
                a.blt(&node.at, ZERO, arrived);
                self.descend(a, step, &node, place, target);
            });
        }
        a.sleep().note("a loop is left before its end only: at a leaf");
        a.bind(arrived);
        self.new_node(a, step, &node, place, target);
    }

    /// From a node to its smaller side, of equal ones to that whose targets are more similar. The node takes the target in.
    fn descend(&self, a: &mut Assembly, step: &Step, node: &Node, place: &ScalarRegister, target: Vectors) {
        let Node { at, vector, sum } = node;
        self.vector(a, vector, at);
        a.addi(sum, ZERO, 0);
        self.product(a, sum, [target, Vectors { array: "weights", first: vector.into() }], None, None);
        a.add(place, at, at);
        let (go_left, go_right, take_in) = (&a.label("go_left"), &a.label("go_right"), &a.label("take_in"));
        {
            let (left_child, right_child) = (&a.scratch(), &a.scratch());
            let (left, right) = (&a.scratch(), &a.scratch());
            self.load(a, left_child, "children", place, 0);
            self.load(a, right_child, "children", place, 1);
            self.leaves(a, left, left_child, "left_counted");
            self.leaves(a, right, right_child, "right_counted");
            self.element(a, "size", at, 0, |a, memory| a.addm(&step.one, memory));
            a.blt(left, right, go_left);
            a.blt(right, left, go_right);
        }
        let scale = &a.scratch();
        a.bge(sum, ZERO, go_left);
        a.bind(go_right);
        a.addi(place, place, 1);
        a.addi(scale, ZERO, -self.scale());
        a.jmp(take_in);
        a.bind(go_left);
        a.addi(scale, ZERO, self.scale());
        a.bind(take_in);
        let part = &a.scratch_vector();
        for &(start, length) in &self.parts {
            a.setvl(ZERO, length);
            self.load_part(a, part, target, start);
            a.vmuls(part, part, scale);
            self.add_part(a, part, vector, start);
        }
        self.load(a, at, "children", place, 0);
    }

    /// A new node in a place, with the leaf `at` on its left and the new class on its right.
    fn new_node(&self, a: &mut Assembly, step: &Step, node: &Node, place: &ScalarRegister, target: Vectors) {
        let Node { at, vector, .. } = node;
        a.comment("A new node: the leaf that was there on its left, the new class on its right");
        let new = &a.named("new");
        a.ld(new, N32.at(ZERO, "NODES"));
        a.addm(&step.one, N32.at(ZERO, "NODES"));
        {
            let (own, number) = (&a.scratch(), &a.scratch());
            a.load_number(own, self.shape.classes as i32 - 2);
            a.min(new, new, own).note("a tree has no more nodes");
            a.add(own, new, new);
            self.store(a, at, "children", own, 0);
            self.own_leaf(a, step, number);
            self.store(a, number, "children", own, 1);
            a.addi(number, ZERO, 2);
            self.store(a, number, "size", new, 0);
            self.store(a, place, "parent", new, 0);
            a.sub(at, ZERO, at);
            a.addi(at, at, -1).note("the other class");
            self.store(a, own, "leaf", at, 0);
            a.addi(own, own, 1);
            self.store(a, own, "leaf", &step.slot, 0);
        }
        let (other, scale) = (&a.scratch(), &a.scratch());
        a.load_number(other, self.shape.inputs as i32);
        a.mul(other, at, other).note("the other target");
        self.vector(a, vector, new);
        a.addi(scale, ZERO, self.scale());
        let (x, y) = (&a.scratch_vector(), &a.scratch_vector());
        for &(start, length) in &self.parts {
            a.setvl(ZERO, length);
            self.load_part(a, x, Vectors { array: "target_trace", first: other.into() }, start);
            self.load_part(a, y, target, start);
            a.vsub(x, x, y);
            a.vmuls(x, x, scale);
            self.element(a, "weights", vector, start.into(), |a, memory| a.vst(x, memory));
        }
        let new_root = &a.label("new_root");
        a.blt(place, ZERO, new_root);
        self.store(a, new, "children", place, 0);
        a.jmp(&self.climb);
        a.bind(new_root);
        a.st(new, N32.at(ZERO, "ROOT"));
    }

    /// What a spike of a target weighs in a new node's vector.
    fn scale(&self) -> i64 {
        1 << (self.shape.format.fraction_bits - 8)
    }

    /// From the class's leaf up to the root, each node learns to send the sample to its side.
    fn climb(&self, a: &mut Assembly, step: &Step) {
        a.gap();
        a.bind(&self.climb);
        a.serve_from_here(purposes::CONTROL);
        let (shift, place, side) = (&a.named("shift"), &a.named("place"), &a.named("side"));
        a.ld(shift, N32.at(ZERO, "SHIFT"));
        let margins = self.margins(a);
        let node = self.node(a);
        let Node { at, vector, sum } = &node;
        self.load(a, place, "leaf", &step.slot, 0);
        let (count, climbed) = (&a.scratch(), &a.label("climbed"));
        a.load_number(count, self.shape.classes as i32 - 1);
        a.repeat(count, "climbs", |a| {
            a.blt(place, ZERO, climbed).note("above the root");
            a.shri(at, place, 1);
            a.andi(side, place, 1);
            a.serve(purposes::SCORES, |a| {
                self.bias(a, &node);
                self.vector(a, vector, at);
                let weights = Vectors { array: "weights", first: vector.into() };
                self.product(a, sum, [self.trace(), weights], None, None);
            });
            let (on_the_left, sure) = (&a.label("on_the_left"), &a.label("sure"));
            a.beq(side, ZERO, on_the_left);
            a.sub(sum, ZERO, sum);
            a.bind(on_the_left);
            a.bge(sum, &margins.margin, sure);
            self.change(a, step, &node, side, shift);
            a.bind(sure);
            self.load(a, place, "parent", at, 0);
        });
        a.nop();
        a.bind(climbed);
        a.sleep();
    }

    /// A node's vector and bias move to the side that the sample belongs on, which is lost.
    fn change(&self, a: &mut Assembly, step: &Step, node: &Node, side: &ScalarRegister, shift: &ScalarRegister) {
        a.comment("w += 2^-shift * h on the left, -h on the right");
        a.add(side, side, side);
        a.sub(side, &step.one, side).note("1 or -1");
        let part = &a.scratch_vector();
        a.serve(purposes::WEIGHTS, |a| {
            for &(start, length) in &self.parts {
                a.setvl(ZERO, length);
                self.load_part(a, part, self.trace(), start);
                a.vmuls(part, part, side);
                a.vshrs(part, part, shift).note("stochastic rounding");
                self.add_part(a, part, &node.vector, start);
            }
        });
        a.serve(purposes::BIAS, |a| {
            let number = &a.scratch();
            a.setvl(ZERO, 1);
            a.addi(number, ZERO, "WINDOW");
            a.mul(number, number, side);
            a.vmv(part, number);
            a.vshrs(part, part, shift);
            a.vext(number, part, ZERO);
            self.element(a, "bias", &node.at, 0, |a, memory| a.addm(number, memory));
        });
    }
}
