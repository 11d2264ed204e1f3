//! What brings neurons back that hardly ever fire, or nearly always; of a convolution, channels.

use super::{RuleFormat, channel_bias};
use crate::lowering::block::Block;
use crate::lowering::code::load_name;
use crate::purposes;
use onward_isa::builder::{Assembly, N16, N32, ZERO};

/// Neurons that hardly ever fire, or nearly always, are nudged back by their biases. The vector length is that of the neurons
/// where a register holds them; of a convolution it becomes that of its channels, each of which is nudged by its mean over the
/// plane.
pub(crate) fn homeostasis(a: &mut Assembly, block: &Block, rule: &RuleFormat) {
    if !rule.rule.revive {
        return;
    }
    a.serve(purposes::HOMEOSTASIS, |a| nudge(a, block, rule));
}

fn nudge(a: &mut Assembly, block: &Block, rule: &RuleFormat) {
    let (low, high) = rule.mean_bounds;
    a.comment("mean += (h - mean) / 2^9, 12 fraction bits");
    let (address, number) = (&a.scratch(), &a.scratch());
    let (change, mean) = (&a.scratch_vector(), &a.scratch_vector());
    if block.is_whole() {
        load_name(a, address, "COUNT");
        a.vld(change, N16.at(address, 0));
        a.addi(number, ZERO, -12);
        a.vshr(change, change, number);
    } else {
        channel_bias::mean_counts(a, block, change);
    }
    load_name(a, address, "MEAN_COUNT");
    a.vld(mean, N32.at(address, 0));
    a.vsub(change, change, mean);
    a.addi(number, ZERO, 9);
    a.vshr(change, change, number);
    a.vadd(mean, mean, change);
    a.vst(mean, N32.at(address, 0));
    let (quiet, loud) = (&a.scratch_predicate(), &a.scratch_predicate());
    a.load_number(number, low);
    a.vclts(quiet, mean, number).note("too quiet");
    a.load_number(number, high + 1);
    a.vcges(loud, mean, number).note("too loud");
    load_name(a, address, "BIAS");
    let bias = &a.scratch_vector();
    a.vld(bias, N32.at(address, 0));
    a.load_number(number, rule.nudge);
    a.vaddp(bias, bias, number, quiet);
    a.sub(number, ZERO, number);
    a.vaddp(bias, bias, number, loud);
    a.vst(bias, N32.at(address, 0));
}
