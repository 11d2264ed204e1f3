//! The readout: adds the scores of all blocks of the last layer, class by class, and sends the class with the largest.

use super::axons::{clear, in_strips};
use super::text::Assembly;
use crate::layout::Layout;
use crate::pass::Compilation;
use crate::plan::{Channel, PlannedBlock, PlannedSource};
use onward_image::Tag;
use onward_isa::{Space, Width};

/// Handlers of a readout that takes scores of `classes` classes from `sources` blocks.
pub(crate) fn readout(name: &str, classes: u32, sources: u32) -> String {
    let mut a = Assembly::default();
    a.comment(&format!("Readout `{name}`: the class with the largest sum of scores over {sources} blocks."));
    a.comment("Axon `block * CLASSES + class` carries a score; all come in the same step.");
    a.gap();
    a.constant("CLASSES", i64::from(classes));
    a.constant("BLOCKS", i64::from(sources));
    a.constant("ROUTE_SCORES", Channel::Scores as i64);
    a.register("axon", "r1");
    a.register("count", "r2");
    a.register("class", "r3");
    a.gap();
    a.label("step");
    a.code("setvl r0, CLASSES", "");
    a.code("vmv v0, r0", "sums");
    a.code("addi count, r0, BLOCKS", "");
    a.code("loop count, summed", "");
    a.code("vacc v0, e32[axon]", "");
    a.code("addi axon, axon, CLASSES", "");
    a.label("summed");
    a.code("vimax class, v0", "of equal ones the lowest");
    a.code("send r0, class, ROUTE_SCORES", "to the host");
    a.code("sleep", "");
    a.finish()
}

/// Goes on only where the host wants an answer: while learning, where the tag asks for one.
pub(super) fn unless_answered(a: &mut Assembly, label: &str) {
    a.code("beq learn, r0, answer", "");
    a.code("special r10, tag", "");
    a.code(&format!("andi r10, r10, {}", Tag::ANSWER), "learning, the host asks for an answer or not");
    a.code(&format!("beq r10, r0, {label}"), "");
    a.label("answer");
}

/// The rival: what `instruction` finds, unless the tag names one. r12 is used.
pub(super) fn rival(a: &mut Assembly, instruction: &str) {
    a.code("special r12, tag", "");
    a.code("shri rival, r12, 24", "");
    a.code("andi rival, rival, 255", "");
    a.code(&format!("andi r12, r12, {}", Tag::RIVAL), "does the host name it?");
    a.code("bne r12, r0, rival_found", "");
    a.code(instruction, "");
    a.label("rival_found");
}

/// Handlers of a readout that counts spikes over a window and answers with the neuron that fired most, the first of
/// several.
pub(crate) fn most_spikes(
    name: &str,
    compilation: &Compilation,
    block: &PlannedBlock,
    vector_length: u32,
) -> (String, Layout) {
    let window = compilation.network().window_steps;
    let width = if window > i16::MAX as u32 { Width::W32 } else { Width::W16 };
    let memory = format!("n{}", width.bits());
    let table = neurons_of_axons(compilation, block);
    let mut layout = Layout::default();
    layout.add("count", Space::Neuron, width, 1, block.neurons);
    if table.is_some() {
        layout.add("entries", Space::Axon, Width::W32, 1, block.neurons);
    }
    let mut a = Assembly::default();
    a.comment(&format!("Readout `{name}`: the neuron of {} that fires most in a window.", block.neurons));
    a.comment("Axon 0 carries tags, the others a neuron's spikes each.");
    a.gap();
    a.constant("WINDOW", window.into());
    a.constant("ROUTE_SCORES", Channel::Scores as i64);
    a.layout(&layout);
    a.register("axon", "r1");
    a.register("payload", "r2");
    a.register("position", "r3");
    a.register("one", "r9");
    a.gap();
    a.label("step");
    a.code("special position, position", "");
    a.code("addi r10, r0, WINDOW", "");
    a.code("blt position, r10, in_window", "");
    a.code("sleep", "no window is open");
    a.label("in_window");
    a.code("bne position, r0, count", "");
    clear(&mut a, &memory, 0, block.neurons, vector_length, "cleared");
    a.label("count");
    a.code("addi one, r0, 1", "");
    a.code("foreach axon, payload, counted", "");
    if table.is_some() {
        a.code("ld r7, a32[axon - 1]", "its neuron");
        a.code(&format!("addm one, {memory}[r7]"), "");
    } else {
        a.code(&format!("addm one, {memory}[axon - 1]"), "");
    }
    a.label("counted");
    a.code("addi r10, r0, WINDOW - 1", "");
    a.code("beq position, r10, answer", "");
    a.code("stay", "");
    a.gap();
    a.label("answer");
    a.code("addi r5, r0, -1", "the greatest count");
    in_strips(&mut a, block.neurons, vector_length, "compared", |a| {
        a.code(&format!("vld v0, {memory}[r4]"), "");
        a.code("vimax r7, v0", "of equal ones the lowest");
        a.code("vext r8, v0, r7", "");
        a.code("bge r5, r8, not_more", "");
        a.code("addi r5, r8, 0", "");
        a.code("add r6, r7, r4", "");
        a.label("not_more");
    });
    a.code("send r0, r6, ROUTE_SCORES", "to the host");
    a.code("sleep", "");
    (a.finish(), layout)
}

/// For each axon, the neuron it stands for; `None` if they come in their order.
pub(crate) fn neurons_of_axons(compilation: &Compilation, block: &PlannedBlock) -> Option<Vec<u32>> {
    let senders =
        block.inlets.iter().filter(|inlet| inlet.what == Channel::Spikes).filter_map(|inlet| match inlet.from {
            PlannedSource::Block(number) => Some(&compilation.blocks[number as usize]),
            PlannedSource::Host(_) => None,
        });
    let neurons: Vec<u32> = senders.flat_map(|sender| (0..sender.neurons).map(|index| sender.neuron(index))).collect();
    neurons.iter().zip(0..).any(|(&neuron, at)| neuron != at).then_some(neurons)
}
