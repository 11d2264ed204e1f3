//! What brings neurons back that hardly ever fire, or nearly always.

use super::RuleFormat;
use crate::lowering::code::load_name;
use crate::purposes;
use onward_isa::builder::{Assembly, N16, N32, ZERO};

/// Neurons that hardly ever fire, or nearly always, are nudged back; the vector length is that of the neurons.
pub(crate) fn homeostasis(a: &mut Assembly, rule: &RuleFormat) {
    if !rule.rule.revive {
        return;
    }
    a.serve(purposes::HOMEOSTASIS, |a| nudge(a, rule));
}

fn nudge(a: &mut Assembly, rule: &RuleFormat) {
    let (low, high) = rule.mean_bounds;
    a.comment("mean += (h - mean) / 2^9, 12 fraction bits");
    let (address, number) = (&a.scratch(), &a.scratch());
    let (change, mean) = (&a.scratch_vector(), &a.scratch_vector());
    load_name(a, address, "COUNT");
    a.vld(change, N16.at(address, 0));
    a.addi(number, ZERO, -12);
    a.vshr(change, change, number);
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
