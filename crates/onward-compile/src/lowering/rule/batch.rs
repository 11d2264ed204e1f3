//! Changes of several samples, added before they are rounded.
//!
//! A change is the product of a pull on a neuron and the trace of an axon. A batch keeps both, a row of pulls and a row of traces
//! for each path of each sample that the block learned from. When as many as asked for are together, each row of weights changes
//! once, by the sum of all products. What samples ask for in opposite directions thus cancels exactly, before chance or
//! remainders turn it into whole steps.

use super::loss::Pulls;
use super::optimizer::{Change, Row};
use super::{RuleFormat, kernels};
use crate::layout::Layout;
use crate::lowering::block::Block;
use crate::lowering::code::{add_name, load_name};
use crate::purposes;
use onward_isa::builder::{A16, Assembly, N32, Scalar, ScalarRegister, Vector, ZERO};
use onward_isa::{Space, Width};

/// Rows that a batch keeps: of each sample one a path.
fn kept_rows(block: &Block, rule: &RuleFormat) -> u32 {
    let targets_learn = block.shares_target_weights() && rule.loss().moves_targets();
    rule.rule.batch * if targets_learn { 3 } else { 1 }
}

/// What a batch keeps. Pulls and traces are counts of a window, or differences of two. Kernels, which are few numbers, keep the
/// sums of products themselves.
pub(super) fn arrays(layout: &mut Layout, block: &Block, rule: &RuleFormat) {
    if let Some((rows, columns)) = kernels::shape(block) {
        layout.add("batch_sums", Space::Synapse, Width::W32, rows, columns);
        return;
    }
    let rows = kept_rows(block, rule);
    layout.add("batch_pulls", Space::Synapse, rule.pull_width(), rows, block.neurons());
    layout.add(
        "batch_traces",
        Space::Synapse,
        if block.window < 128 { Width::W8 } else { Width::W16 },
        rows,
        block.trace_rows(),
    );
}

/// Keeps what a sample asks for; then, if the batch is complete, changes all rows.
pub(super) fn update(a: &mut Assembly, change: &Change, pulls: &Pulls, [own, rival]: [Option<Scalar>; 2]) {
    a.comment("What this sample asks for is kept: pulls, and the traces that they are multiplied by.");
    let (kept, address) = (a.named("kept"), a.scratch());
    load_name(a, &address, "BATCH_KEPT");
    a.ld(&kept, N32.at(&address, 0)).note("rows kept");
    keep(a, change, &kept, pulls.input.operand(), None);
    if let Some(targets) = pulls.targets.as_ref().filter(|_| change.block.shares_target_weights()) {
        let (own_pull, rival_pull, _) = targets.paths();
        keep(a, change, &kept, own_pull, own);
        keep(a, change, &kept, rival_pull, rival);
    }
    let (complete, done) = (&a.label("batch_complete"), &a.label("batch_done"));
    {
        let all = &a.scratch();
        load_name(a, &address, "BATCH_KEPT");
        a.load_number(all, kept_rows(change.block, change.rule) as i32);
        a.beq(&kept, all, complete);
    }
    a.st(&kept, N32.at(&address, 0));
    a.jmp(done);
    a.bind(complete);
    a.st(ZERO, N32.at(&address, 0));
    drop((kept, address));
    rows(a, change);
    a.bind(done);
}

/// Keeps a row of pulls, a vector, and one of traces: the input's, or those of the target of a class.
fn keep(a: &mut Assembly, change: &Change, kept: &ScalarRegister, pull: Vector, class: Option<Scalar>) {
    let block = change.block;
    let (pulls, traces) = (change.arrays.elements("batch_pulls"), change.arrays.elements("batch_traces"));
    let (place, from, left, step) = (&a.scratch(), &a.scratch(), &a.scratch(), &a.scratch());
    {
        let row = &a.scratch();
        a.load_number(place, change.arrays.offset("batch_pulls") as i32);
        a.load_number(row, block.neurons() as i32);
        a.mul(row, kept, row);
        a.add(place, place, row);
        a.vst(pull, pulls.at(place, 0));
        a.load_number(left, block.trace_rows() as i32);
        match class {
            None => load_name(a, from, "TRACE"),
            Some(class) => {
                a.mul(from, class, left);
                add_name(a, from, from, "TARGET_TRACE")
            }
        };
        a.load_number(place, change.arrays.offset("batch_traces") as i32);
        a.mul(row, kept, left);
        a.add(place, place, row);
    }
    let vector = &a.scratch_vector();
    let count = &a.scratch();
    a.load_number(count, block.trace_rows().div_ceil(block.vector_length) as i32).note("strips");
    a.load_number(step, block.vector_length as i32);
    a.repeat(count, "kept_traces", |a| {
        let length = &a.scratch();
        a.min(length, left, step);
        a.setvl(length, 0);
        a.vld(vector, A16.at(from, 0));
        a.vst(vector, traces.at(place, 0));
        a.add(from, from, step);
        a.add(place, place, step);
        a.sub(left, left, step);
    });
    a.setvl(ZERO, "NEURONS");
    a.addi(kept, kept, 1);
}

/// Changes all rows by all that is kept.
fn rows(a: &mut Assembly, change: &Change) {
    let block = change.block;
    let arrays = change.arrays;
    let (kept_rows, inputs) = (kept_rows(block, change.rule), block.trace_rows());
    a.comment("w_k += 2^-shift * sum over kept rows of pull * trace_k");
    let remainders = change.step.remainders(a);
    let (first_trace, stride, row) = (&a.named("first_trace"), &a.named("stride"), &a.named("batch_row"));
    let first_pull = &a.named("first_pull");
    a.load_number(first_pull, change.arrays.offset("batch_pulls") as i32);
    a.load_number(first_trace, change.arrays.offset("batch_traces") as i32).note("of axon 0");
    a.load_number(stride, inputs as i32).note("from a kept row's traces to the next's");
    a.addi(row, ZERO, 0);
    a.repeat(stride, "batch_rows_done", |a| {
        let (any, sum) = (&a.scratch(), &a.scratch_vector());
        a.setvl(ZERO, "NEURONS");
        a.vmv(sum, ZERO);
        a.addi(any, ZERO, 0);
        for first in (0..kept_rows).step_by(block.vector_length as usize) {
            let offset = i64::from(first * inputs);
            let (index, active) = (&a.scratch(), &a.scratch_predicate());
            a.setvl(ZERO, block.vector_length.min(kept_rows - first));
            {
                let traces = &a.scratch_vector();
                let all = arrays.elements("batch_traces");
                if offset == 0 {
                    a.vlds(traces, all.strided(first_trace, 0, stride)).note("its traces");
                } else {
                    a.load_number(index, offset as i32);
                    a.add(index, index, first_trace);
                    a.vlds(traces, all.strided(index, 0, stride)).note("its traces");
                }
                a.vcges(active, traces, change.least).note("kept rows in which it was active");
            }
            a.setvl(ZERO, "NEURONS");
            a.for_set(index, active, "batch_summed", |a| {
                let (pulls, number) = (&a.scratch_vector(), &a.scratch());
                {
                    let pull = &a.scratch();
                    a.addi(pull, index, first);
                    a.load_number(number, block.neurons() as i32);
                    a.mul(pull, pull, number);
                    a.add(pull, pull, first_pull);
                    a.vld(pulls, arrays.elements("batch_pulls").at(pull, 0)).note("the pulls");
                }
                a.mul(number, index, stride);
                a.add(number, number, first_trace);
                a.indexed(arrays.elements("batch_traces"), number, offset, |a, memory| a.ld(number, memory))
                    .note("the trace");
                a.vmacs(sum, pulls, number);
                a.addi(any, ZERO, 1);
            });
        }
        let silent = &a.label("batch_row_done");
        a.beq(any, ZERO, silent).note("silent throughout");
        a.serve(purposes::WEIGHTS, |a| change.step.add_to_row(a, Row::Number(row), sum, remainders.as_ref()));
        a.bind(silent);
        a.addi(row, row, 1);
        a.addi(first_trace, first_trace, 1);
    });
    change.step.keep_remainders(a, remainders);
}
