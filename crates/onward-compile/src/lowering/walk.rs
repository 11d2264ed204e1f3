//! A larger block's step: its neurons are brought forward strip by strip, their sums in memory.

use super::block::Block;
use super::code::{Arrays, branch_unless, clear, load_last_step, load_name};
use super::dynamics::{Dynamics, Reach, Shared};
use super::feed::neuron_memory;
use super::record::Walked;
use crate::connect::{Role, Sums};
use crate::layout::strips;
use onward_isa::Special;
use onward_isa::builder::{Assembly, N32, PredicateRegister, Scalar, ScalarRegister, VectorRegister, ZERO};

/// Sends the spikes of neurons from `base` on.
pub(super) fn spikes(
    a: &mut Assembly,
    block: &Block,
    fired: &PredicateRegister,
    base: Option<Scalar>,
    position: Option<&ScalarRegister>,
) {
    let base = base.unwrap_or(ZERO);
    a.spike(fired, "ROUTE_SPIKES", base);
    if block.rows_of(Role::Own) == 0 {
        return;
    }
    // A window begins at rest: its first step hears nothing of the one before.
    let (here, last, sent) = (&a.scratch(), &a.scratch(), &a.label("own_sent"));
    let position = match position {
        Some(position) => position,
        None => {
            a.special(here, Special::Position);
            here
        }
    };
    load_last_step(a, last);
    a.beq(position, last, sent);
    a.spike(fired, "ROUTE_OWN", base).note("to the layer itself");
    a.bind(sent);
}

/// A loop nest over all neurons: `rows` rows of `length` neurons; after each row the sums are `skip` further, after each
/// `band_rows` rows `band_skip` more.
struct Walk {
    bands: u32,
    rows: u32,
    length: u32,
    first_sum: u32,
    skip: u32,
    band_skip: u32,
}

impl Walk {
    fn new(block: &Block) -> Walk {
        match block.kernels() {
            Some((kernels, _)) => {
                let (plane, pitch) = (kernels.plane, kernels.row_pitch());
                let length = plane.width * plane.channels;
                Walk {
                    bands: kernels.bands,
                    rows: plane.rows,
                    length,
                    first_sum: kernels.first_sum(),
                    skip: pitch - length,
                    band_skip: kernels.band_sums() - plane.rows * pitch,
                }
            }
            None => Walk { bands: 1, rows: 1, length: block.neurons(), first_sum: 0, skip: 0, band_skip: 0 },
        }
    }
}

/// Brings all neurons forward, strip by strip.
pub(super) fn walk(a: &mut Assembly, block: &Block, arrays: Arrays, taken: Option<&VectorRegister>) {
    a.gap();
    {
        let kept = block.lowered.record.is_some().then(|| block.walked(a));
        walk_strips(a, block, arrays, taken, kept.as_ref());
    }
    clear_sums(a, block);
}

fn walk_strips(a: &mut Assembly, block: &Block, arrays: Arrays, taken: Option<&VectorRegister>, kept: Option<&Walked>) {
    let walk = Walk::new(block);
    let (count, strip) = strips(walk.length, block.vector_length);
    let even = count * strip == walk.length;
    let loops = walk.bands * walk.rows * count > 1;
    let at = loops.then(|| a.named("at"));
    let reach = Reach::From(at.as_ref().map_or(ZERO, ScalarRegister::operand));
    let neuron = &block.lowered.parameters.neuron;
    // In a network that is shown targets what comes in was shifted before.
    let finer = if block.lowered.record.is_some() { 0 } else { block.lowered.parameters.finer };
    let dynamics = Dynamics { neuron, arrays, reach, state: Vec::new(), learns_bias: block.has_bias(), finer };
    // Pointer to sums, counter, length and rest of a strip, 1, and two for a while.
    let has_row = block.has_bias() && !block.is_whole();
    let others = 4 + if even { 0 } else { 2 } + usize::from(kept.is_some()) + usize::from(has_row && count > 1);
    let shared = dynamics.shared(a, others);
    let one = kept.map(|_| {
        let one = a.named("count_one");
        a.addi(&one, ZERO, 1);
        one
    });
    if even {
        a.setvl(ZERO, strip);
    }
    let sums = taken.is_none().then(|| a.named("sums"));
    if let Some(at) = &at {
        a.addi(at, ZERO, 0).note("the neuron");
    }
    if let Some(sums) = &sums {
        a.load_number(sums, walk.first_sum as i32).note("its sum");
    }
    let row_bias = (has_row && count > 1).then(|| a.named("biases"));
    let bias = has_row.then(|| RowBias { at: row_bias.as_ref().map(ScalarRegister::operand) });
    let step = (!even).then(|| (a.scratch(), a.scratch()));
    // What is added to pointers behind a strip: its length, and over the halo if it is a row.
    let halo = if count == 1 && walk.rows > 1 { walk.skip } else { 0 };
    let body = |a: &mut Assembly| {
        if let Some((length, left)) = &step {
            a.addi(length, ZERO, strip);
            a.min(length, left, length);
            a.setvl(length, 0);
            a.sub(left, left, length);
        }
        strip_forward(
            a,
            block,
            (&dynamics, &shared),
            taken,
            sums.as_ref(),
            (kept, one.as_ref(), at.as_ref()),
            bias.as_ref(),
        );
        let forward = |a: &mut Assembly, pointer: Option<&ScalarRegister>, more: u32| {
            match (pointer, &step) {
                (Some(pointer), Some((length, _))) => {
                    a.add(pointer, pointer, length);
                }
                (Some(pointer), None) => {
                    a.advance(pointer, (strip + more).into());
                }
                (None, _) => {}
            };
        };
        if loops {
            forward(a, at.as_ref(), 0);
            forward(a, sums.as_ref(), halo);
            forward(a, row_bias.as_ref(), 0);
            forward(a, kept.map(|kept| &kept.counts), 0);
            forward(a, kept.and_then(|kept| kept.voltages.as_ref()).map(|(voltages, _)| voltages), 0);
        }
    };
    nest(a, &walk, (count, halo), step.as_ref().map(|(_, left)| left), (sums.as_ref(), row_bias.as_ref()), body);
}

/// The biases of a row of a plane, each place's channel by channel.
struct RowBias {
    /// Where those of the strip lie, if it is not the whole row.
    at: Option<Scalar>,
}

/// The loops of a walk around what is done for a strip.
fn nest(
    a: &mut Assembly,
    walk: &Walk,
    (strips, halo): (u32, u32),
    left: Option<&ScalarRegister>,
    (sums, row_bias): (Option<&ScalarRegister>, Option<&ScalarRegister>),
    body: impl FnOnce(&mut Assembly),
) {
    let counter = &a.scratch();
    let in_row = |a: &mut Assembly| {
        if strips > 1 {
            if let Some(row_bias) = row_bias {
                load_name(a, row_bias, "ROW_BIAS");
            }
            if let Some(left) = left {
                a.load_number(left, walk.length as i32);
            }
            a.addi(counter, ZERO, strips);
            a.repeat(counter, "strips_done", body);
        } else {
            body(a);
        }
        if let Some(sums) = sums.filter(|_| walk.rows > 1) {
            a.advance(sums, (walk.skip - halo).into()).note("over the halo");
        }
    };
    let in_band = |a: &mut Assembly| {
        if walk.rows > 1 {
            a.load_number(counter, walk.rows as i32);
            a.repeat(counter, "rows_done", in_row);
        } else {
            in_row(a);
        }
        if let Some(sums) = sums.filter(|_| walk.bands > 1) {
            let skip = walk.band_skip + if walk.rows > 1 { 0 } else { walk.skip };
            a.advance(sums, skip.into()).note("to the next band");
        }
    };
    if walk.bands > 1 {
        a.addi(counter, ZERO, walk.bands);
        a.repeat(counter, "updated", in_band);
    } else {
        in_band(a);
    }
}

/// Brings a strip of neurons forward.
fn strip_forward(
    a: &mut Assembly,
    block: &Block,
    (dynamics, shared): (&Dynamics, &Shared),
    taken: Option<&VectorRegister>,
    sums: Option<&ScalarRegister>,
    (kept, one, at): (Option<&Walked>, Option<&ScalarRegister>, Option<&ScalarRegister>),
    bias: Option<&RowBias>,
) {
    let own = taken.is_none().then(|| a.scratch_vector());
    let Some(taken) = taken.or(own.as_ref()) else { return };
    if let (Some(sums), Sums::Memory { bits, .. }) = (sums, block.connection.sums) {
        a.vld(taken, neuron_memory(bits).at(sums, 0)).note("what came in");
    }
    match bias {
        Some(RowBias { at: Some(at) }) => drop(a.vacc(taken, N32.at(*at, 0))),
        Some(RowBias { at: None }) => {
            let address = &a.scratch();
            load_name(a, address, "ROW_BIAS");
            a.vacc(taken, N32.at(address, 0)).note("the biases of a row");
        }
        None => {}
    }
    let fired = dynamics.forward(a, shared, taken, false);
    if let (Some(kept), Some(one)) = (kept, one) {
        block.count(a, &fired.set, kept.counts.operand(), Some(one.operand()));
    }
    spikes(a, block, &fired.set, at.map(ScalarRegister::operand), None);
    if let Some((voltages, keeps)) = kept.and_then(|kept| kept.voltages.as_ref()) {
        let unkept = &a.label("unkept");
        a.beq(keeps, ZERO, unkept);
        a.vacc(taken, N32.at(voltages, 0)).note("the voltage: what was integrated, without resets");
        a.vst(taken, N32.at(voltages, 0));
        a.bind(unkept);
    }
}

/// Sums are read once: then they are 0 again, if anything came in.
fn clear_sums(a: &mut Assembly, block: &Block) {
    let Sums::Memory { bits, elements } = block.connection.sums else { return };
    a.gap();
    let done = &a.label("sums_are_0");
    branch_unless(a, Special::Events, done).note("nothing came in");
    // Two sums of 16 bits are cleared as a word.
    if bits == 16 && elements.is_multiple_of(2) {
        clear(a, N32, 0, (elements * bits).div_ceil(32), block.vector_length, "sums_cleared");
    } else {
        clear(a, neuron_memory(bits), 0, elements, block.vector_length, "sums_cleared");
    }
    a.bind(done);
}
