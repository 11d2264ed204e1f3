//! A step's first part: what arrives is taken in, with the bias that learns, at the binary point of membranes.

use super::block::Block;
use super::code::{Arrays, branch_if, branch_unless, load_name};
use super::feed::{Feed, Tally};
use super::record::Held;
use super::rule::{TRACE_BITS, steps};
use crate::connect::Role;
use onward_isa::Special;
use onward_isa::builder::{Assembly, Label, N32, VectorRegister, ZERO};

/// Takes in what arrives. In a vector, what comes in begins with the bias if that learns.
pub(super) fn take_in(
    a: &mut Assembly,
    block: &Block,
    arrays: Arrays,
    taken: Option<&VectorRegister>,
    held: Option<&Held>,
) {
    let parameters = &block.lowered.parameters;
    let connection = block.connection;
    let feed = Feed {
        connection,
        arrays,
        vector_length: block.vector_length,
        neurons: block.neurons(),
        sums: taken,
        own_sums: None,
    };
    let is_scaled = block.has_bias() && (parameters.finer > 0 || block.target_coarser() > 0);
    let load_bias = |a: &mut Assembly, taken: &VectorRegister| {
        let address = &a.scratch();
        load_name(a, address, "BIAS");
        a.vld(taken, N32.at(address, 0)).note("the current begins with the bias");
    };
    match (taken, held) {
        (Some(taken), None) => {
            a.setvl(ZERO, block.neurons());
            a.setrow(ZERO, block.neurons());
            a.vmv(taken, ZERO).note("what comes in");
        }
        (Some(taken), Some(_)) if is_scaled => {
            a.vmv(taken, ZERO);
        }
        (Some(taken), Some(_)) if !block.fades() => load_bias(a, taken),
        _ => {}
    }
    let all = &[Role::Input, Role::Target, Role::Own];
    let is_joined = feed.is_joined() && !block.splits_targets();
    let roles: &[Role] = if block.is_fed() && !is_joined { &[Role::Input, Role::Own] } else { all };
    let done = &a.label("taken_in");
    let needs_plain = block.rule().is_some() || block.is_fed() && is_joined;
    let plainly = needs_plain.then(|| a.label("integrate_plainly"));
    let target = (block.is_fed() && !is_joined).then(|| a.label("integrate_target"));
    if block.is_fed() {
        let kind = &a.scratch();
        a.special(kind, Special::Kind);
        match (&target, &plainly) {
            (Some(target), _) => {
                a.bne(kind, ZERO, target);
            }
            (None, Some(plainly)) => {
                let input = &a.label("integrate_input");
                a.beq(kind, ZERO, input);
                if let Some(taken) = taken.filter(|_| !is_scaled) {
                    a.vmv(taken, ZERO).note("no bias where the target comes in by its own projection");
                }
                a.jmp(plainly);
                a.bind(input);
            }
            _ => {}
        }
    }
    if let (Some(plainly), true, false) = (&plainly, block.table().is_some(), block.is_fed()) {
        branch_if(a, Special::Kind, plainly).note("only inputs leave traces");
    }
    if let (Some(rule), Some(plainly)) = (block.rule(), &plainly) {
        if let (Some(steps), Some(held), Some(taken)) = (rule.steps, held, taken) {
            let not_faded = &a.label("load_bias");
            if !block.is_fed() {
                let input = &a.label("integrate_input");
                branch_unless(a, Special::Kind, input);
                load_bias(a, taken);
                a.jmp(plainly).note("only inputs leave traces that fade");
                a.bind(input);
            }
            a.beq(&held.learn, ZERO, not_faded).note("without learning nobody asks for traces");
            steps::fade(a, block, arrays, steps.memory);
            a.bind(not_faded);
            load_bias(a, taken);
        }
        with_traces(a, block, &feed, (roles, plainly), held);
        a.jmp(done);
    }
    if let Some(plainly) = &plainly {
        a.bind(plainly);
    }
    feed.events(a, roles, None, "integrated_plainly");
    if let Some(target) = &target {
        a.jmp(done);
        a.gap();
        a.bind(target);
        if let Some(taken) = taken.filter(|_| !is_scaled) {
            a.vmv(taken, ZERO).note("no bias where the target comes in by its own projection");
        }
        take_targets_in(a, block, feed);
    }
    a.bind(done);
    if let Some(taken) = taken.filter(|_| is_scaled) {
        scale(a, block, taken);
    }
}

/// Takes in the target's lines, and the layer's own spikes.
fn take_targets_in(a: &mut Assembly, block: &Block, feed: Feed) {
    let roles = &[Role::Target, Role::Own];
    let Some(taken) = feed.sums.filter(|_| block.splits_targets()) else {
        return feed.events(a, roles, None, "integrated_target");
    };
    let own = &a.scratch_vector();
    a.vmv(own, ZERO);
    Feed { own_sums: Some(own), ..feed }.events(a, roles, None, "integrated_target");
    let number = &a.scratch();
    a.addi(number, ZERO, -i64::from(block.target_coarser())).note("to the binary point of other weights");
    a.vshr(taken, taken, number);
    a.vadd(taken, taken, own);
}

/// Takes in what arrives where the sample is learned from, so that traces grow; else goes on at `plainly`.
fn with_traces(a: &mut Assembly, block: &Block, feed: &Feed, (roles, plainly): (&[Role], &Label), held: Option<&Held>) {
    let held_traces = held.and_then(|held| held.traces.as_ref().zip(held.one.as_ref()));
    match held {
        Some(held) => {
            a.beq(&held.learn, ZERO, plainly);
        }
        None => drop(branch_unless(a, Special::Learn, plainly)),
    }
    if let Some((traces, one)) = held_traces {
        let tally = Tally { base: Some(traces.operand()), amount: one.operand() };
        return feed.events(a, roles, Some(tally), "integrated");
    }
    if held.is_some() {
        let amount = &a.named("spike_trace");
        a.load_number(amount, 1 << TRACE_BITS).note("what a spike adds to its axon's trace");
        return feed.events(a, roles, Some(Tally { base: None, amount: amount.operand() }), "integrated");
    }
    let (traces, one) = (block.trace_destination(a), &a.named("one"));
    a.addi(one, ZERO, 1);
    let tally = Tally { base: Some(traces.operand()), amount: one.operand() };
    feed.events(a, roles, Some(tally), "integrated");
}

/// Brings the sum of weights to the membrane's fraction bits and adds the bias, which has them.
fn scale(a: &mut Assembly, block: &Block, taken: &VectorRegister) {
    let finer = block.lowered.parameters.finer;
    a.gap();
    a.comment("A membrane is finer than a weight.");
    let number = &a.scratch();
    let scaled = a.label("scaled");
    if block.is_fed() {
        let input = &a.label("scale_input");
        a.special(number, Special::Kind);
        a.beq(number, ZERO, input);
        let coarser = if block.splits_targets() { 0 } else { block.target_coarser() };
        a.addi(number, ZERO, -i64::from(finer + coarser)).note("the target's projection, no bias");
        a.vshr(taken, taken, number);
        a.jmp(&scaled);
        a.bind(input);
    }
    if finer > 0 {
        a.addi(number, ZERO, -i64::from(finer));
        a.vshr(taken, taken, number);
    }
    load_name(a, number, "BIAS");
    a.vacc(taken, N32.at(number, 0));
    a.bind(&scaled);
}
