//! The readout: adds the scores of all blocks of the layers that it reads, class by class, and sends the class with the largest.

use super::axons::{end_unless_last, end_without_window};
use crate::layout::Layout;
use crate::lowering::code::{Arrays, clear, in_strips};
use crate::plan::{Channel, PlannedBlock, PlannedSource};
use onward_image::BlockIndex;
use onward_isa::builder::{A32, Assembly, E32, Elements, Listing, N32, VectorRegister, ZERO};
use onward_isa::{Space, Special, Width};
use typed_index_collections::TiSlice;

/// Handlers of a readout that takes scores of `classes` classes from `sources` blocks: all in the same step, or in several.
pub(crate) fn readout(name: &str, classes: u32, sources: u32, is_at_once: bool) -> (Listing, Layout) {
    let mut layout = Layout::default();
    if !is_at_once {
        layout.add("sums", Space::Neuron, Width::W32, 1, classes);
        layout.add("scores_seen", Space::Neuron, Width::W32, 1, 1);
    }
    let arrays = Arrays(&layout);
    let mut assembly = Assembly::new();
    let a = &mut assembly;
    a.comment(format!("Readout `{name}`: the class with the largest sum of scores over {sources} blocks."));
    let when = if is_at_once { "all come in the same step" } else { "layers send theirs one after the other" };
    a.comment(format!("Axon `block * CLASSES + class` carries a score; {when}."));
    a.gap();
    a.constant("CLASSES", classes);
    a.constant("BLOCKS", sources);
    a.constant("ROUTE_SCORES", Channel::Scores as i64);
    arrays.declare(a);
    let axon = &a.zeroed("axon");
    let (count, class) = (&a.named("count"), &a.named("class"));
    let sums = &a.named_vector("sums");
    a.gap();
    a.here("step");
    a.setvl(ZERO, "CLASSES");
    if is_at_once {
        a.vmv(sums, ZERO);
    } else {
        a.vld(sums, N32.at(ZERO, "SUMS"));
    }
    a.addi(count, ZERO, "BLOCKS");
    a.repeat(count, "summed", |a| {
        a.vacc(sums, E32.at(axon, 0));
        a.addi(axon, axon, "CLASSES");
    });
    if !is_at_once {
        unless_all(a, sums, classes * sources);
    }
    a.vimax(class, sums).note("of equal ones the lowest");
    a.send(ZERO, class, "ROUTE_SCORES").note("to the host");
    a.sleep();
    (assembly.finish(), layout)
}

/// Keeps the sums, and ends the step, where scores of the sample are still to come; else clears what is kept.
fn unless_all(a: &mut Assembly, sums: &VectorRegister, scores: u32) {
    let (seen, all, zero) = (&a.scratch(), &a.scratch(), &a.scratch_vector());
    let whole = &a.label("whole");
    a.ld(seen, N32.at(ZERO, "SCORES_SEEN"));
    a.special(all, Special::Events);
    a.add(seen, seen, all).note("scores of the sample so far");
    a.load_number(all, scores as i32);
    a.beq(seen, all, whole);
    a.vst(sums, N32.at(ZERO, "SUMS"));
    a.st(seen, N32.at(ZERO, "SCORES_SEEN"));
    a.sleep();
    a.bind(whole);
    a.vmv(zero, ZERO);
    a.vst(zero, N32.at(ZERO, "SUMS"));
    a.st(ZERO, N32.at(ZERO, "SCORES_SEEN"));
}

/// Handlers of a readout that counts spikes over a window and answers with the neuron that fired most, the first of
/// several.
pub(crate) fn most_spikes(
    (name, window): (&str, u32),
    blocks: &TiSlice<BlockIndex, PlannedBlock>,
    block: &PlannedBlock,
    vector_length: u32,
) -> (Listing, Layout) {
    let width = if window > i16::MAX as u32 { Width::W32 } else { Width::W16 };
    let counts = Elements::new(Space::Neuron, width);
    let has_table = neurons_of_axons(blocks, block).is_some();
    let mut layout = Layout::default();
    layout.add("count", Space::Neuron, width, 1, block.neurons);
    if has_table {
        layout.add("entries", Space::Axon, Width::W32, 1, block.neurons);
    }
    let mut assembly = Assembly::new();
    let a = &mut assembly;
    a.comment(format!("Readout `{name}`: the neuron of {} that fires most in a window.", block.neurons));
    a.comment("Axon 0 carries tags, the others a neuron's spikes each.");
    a.gap();
    a.constant("WINDOW", window);
    a.constant("ROUTE_SCORES", Channel::Scores as i64);
    Arrays(&layout).declare(a);
    let position = &a.named("position");
    a.gap();
    a.here("step");
    a.special(position, Special::Position);
    end_without_window(a, position);
    let count = &a.label("count");
    a.bne(position, ZERO, count);
    clear(a, counts, 0, block.neurons, vector_length, "cleared");
    a.bind(count);
    {
        let (axon, payload, one) = (&a.named("axon"), &a.named("payload"), &a.named("one"));
        a.addi(one, ZERO, 1);
        a.for_each(axon, payload, "counted", |a| {
            if has_table {
                let neuron = &a.scratch();
                a.ld(neuron, A32.at(axon, -1)).note("its neuron");
                a.addm(one, counts.at(neuron, 0));
            } else {
                a.addm(one, counts.at(axon, -1));
            }
        });
    }
    let answer = &a.label("answer");
    end_unless_last(a, position, answer);
    a.gap();
    a.bind(answer);
    // Some count is greater than -1, so the winner is always written; only the machine cannot know.
    let (greatest, winner) = (&a.named("greatest"), &a.zeroed("winner"));
    a.addi(greatest, ZERO, -1).note("the greatest count");
    in_strips(a, block.neurons, vector_length, "compared", |a, first| {
        let (strip, index, value) = (&a.scratch_vector(), &a.scratch(), &a.scratch());
        a.vld(strip, counts.at(first, 0));
        a.vimax(index, strip).note("of equal ones the lowest");
        a.vext(value, strip, index);
        let not_more = &a.label("not_more");
        a.bge(greatest, value, not_more);
        a.addi(greatest, value, 0);
        a.add(winner, index, first);
        a.bind(not_more);
    });
    a.send(ZERO, winner, "ROUTE_SCORES").note("to the host");
    a.sleep();
    (assembly.finish(), layout)
}

/// For each axon, the neuron it stands for; `None` if they come in their order.
pub(crate) fn neurons_of_axons(blocks: &TiSlice<BlockIndex, PlannedBlock>, block: &PlannedBlock) -> Option<Vec<u32>> {
    let senders =
        block.inlets.iter().filter(|inlet| inlet.what == Channel::Spikes).filter_map(|inlet| match inlet.from {
            PlannedSource::Block(number) => Some(&blocks[number]),
            PlannedSource::Host(..) => None,
        });
    let neurons: Vec<u32> = senders.flat_map(|sender| (0..sender.neurons).map(|index| sender.neuron(index))).collect();
    neurons.iter().zip(0..).any(|(&neuron, at)| neuron != at).then_some(neurons)
}
