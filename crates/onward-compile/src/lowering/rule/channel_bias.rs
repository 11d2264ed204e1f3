//! The biases of a convolution that learns: one for each channel of a block, added at all places of its plane.
//!
//! A bias is a weight whose axon is active in every step, shared by the places of its channel as the weights of a kernel are: what
//! pulls at them is summed over all places. While a window is shown the biases lie in `row_bias` as a row of the plane has them,
//! so that a step adds them as it goes over the rows; between windows that is where rows of pulls and counts are summed.

use super::RuleFormat;
use super::kernels::PULLS;
use super::optimizer::round;
use crate::layout::Layout;
use crate::lowering::block::Block;
use crate::lowering::code::{Arrays, clear_from, load_name, load_word};
use onward_isa::builder::{Assembly, Elements, N16, N32, ScalarRegister, VectorRegister, ZERO};
use onward_isa::{Space, Special, Width};

/// Appends the biases, and a row of them.
pub(crate) fn arrays(layout: &mut Layout, block: &Block) {
    let (_, length) = block.walk_rows();
    layout.add("bias", Space::Neuron, Width::W32, 1, block.biases());
    if !block.is_whole() {
        layout.add("row_bias", Space::Neuron, Width::W32, 1, length);
    }
}

/// A window opens: each place of a row gets the biases of its channels; none in windows in which the target comes in by its own
/// projection.
pub(crate) fn open(a: &mut Assembly, block: &Block) {
    let Some(columns) = columns(block) else { return };
    let (first, done) = (&a.scratch(), &a.label("biases_spread"));
    load_name(a, first, "ROW_BIAS");
    if block.is_fed() {
        let spread = &a.label("biases_of_inputs");
        let kind = &a.scratch();
        a.special(kind, Special::Kind);
        a.beq(kind, ZERO, spread);
        let (_, length) = block.walk_rows();
        let zero = &a.scratch_vector();
        clear_from(a, zero, N32, first, length, block.vector_length, "biases_cleared");
        a.jmp(done).note("no bias where the target comes in by its own projection");
        a.bind(spread);
    }
    let (bias, address) = (&a.scratch_vector(), &a.scratch());
    a.setvl(ZERO, block.biases());
    load_name(a, address, "BIAS");
    a.vld(bias, N32.at(address, 0));
    a.repeat_number(columns, "bias_column", |a| {
        a.vst(bias, N32.at(first, 0));
        a.advance(first, block.biases().into());
    });
    a.bind(done);
}

/// Changes the biases by what pulls at the neurons, which lies where their sums would; divided by as much as for the kernels.
pub(super) fn change(a: &mut Assembly, block: &Block, rule: &RuleFormat, arrays: Arrays) {
    let Some((kernels, _)) = block.kernels().filter(|_| block.has_bias()) else { return };
    a.gap();
    a.comment("A bias is a weight whose axon is active in every step, shared by all places of its channel.");
    let first = &a.scratch();
    load_name(a, first, &PULLS[0].to_uppercase());
    a.advance(first, kernels.first_sum().into());
    let (sum, window) = (&a.scratch_vector(), &a.scratch());
    of_channels(a, block, (arrays.elements(PULLS[0]), first, kernels.row_pitch()), sum);
    a.load_number(window, block.window as i32);
    a.vmuls(sum, sum, window);
    let (shift, address) = (&a.scratch(), &a.scratch());
    load_word(a, arrays, shift, "shift");
    round(a, sum, shift, rule.places_shift);
    load_name(a, address, "BIAS");
    a.vacc(sum, N32.at(address, 0));
    a.vst(sum, N32.at(address, 0));
}

/// The mean count of each channel over its places, with 12 fraction bits, rounded toward zero: what homeostasis goes by.
pub(super) fn mean_counts(a: &mut Assembly, block: &Block, counts: &VectorRegister) {
    let (rows, length) = block.walk_rows();
    let places = f64::from(rows * length / block.biases());
    let first = &a.scratch();
    load_name(a, first, "COUNT");
    of_channels(a, block, (N16, first, length), counts);
    a.load_number(first, (f64::from(1 << 28) / places).round() as i32);
    a.vscales(counts, counts, first);
}

/// The sums over all places of each channel, of rows of so many elements from the one in a register on; the vector length becomes
/// the number of channels. The first element's register moves behind the rows.
fn of_channels(
    a: &mut Assembly,
    block: &Block,
    (elements, first, pitch): (Elements, &ScalarRegister, u32),
    sum: &VectorRegister,
) {
    let (rows, length) = block.walk_rows();
    a.setvl(ZERO, length);
    a.vmv(sum, ZERO);
    a.repeat_number(rows, "rows_summed", |a| {
        a.vacc(sum, elements.at(first, 0));
        a.advance(first, pitch.into());
    });
    let address = &a.scratch();
    load_name(a, address, "ROW_BIAS");
    a.vst(sum, N32.at(address, 0));
    a.setvl(ZERO, block.biases());
    a.vmv(sum, ZERO);
    a.repeat_number(length / block.biases(), "columns_summed", |a| {
        a.vacc(sum, N32.at(address, 0));
        a.advance(address, block.biases().into());
    });
}

/// Columns of a plane whose channels have biases.
fn columns(block: &Block) -> Option<u32> {
    let (_, length) = block.walk_rows();
    (block.has_bias() && !block.is_whole()).then(|| length / block.biases())
}
