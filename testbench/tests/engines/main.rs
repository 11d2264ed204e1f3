//! The two engines against each other: random programs on random chips, every byte, packet, counter, cycle and fault;
//! real networks; and arithmetic against a model of its own.
//!
//! The fast engine runs with whole chunks and several threads, as it is meant to; the reference engine goes step by step.

mod arithmetic;
mod chips;
mod digits;
mod programs;
mod retiming;
mod tables;

use chips::{Case, case};
use onward_emulate::{Counters, Detail, Engine, HostPacket, Machine, Options, Shown, WindowCounters, reference};
use onward_image::{BlockIndex, Image};
use onward_isa::{INSTRUCTIONS, Instruction, Op, Space};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Whether both hold the same; a difference is named.
fn same_state(image: &Image, one: &dyn Engine, other: &dyn Engine) -> Result<(), String> {
    for block in image.blocks.keys() {
        for space in [Space::Neuron, Space::Axon, Space::Synapse] {
            let (one, other) = (one.memory(block, space), other.memory(block, space));
            if let Some(at) = (0..one.len()).find(|&at| one[at] != other[at]) {
                return Err(format!("block {block}, {space:?}, byte {at}: {} and {}", one[at], other[at]));
            }
        }
        if one.peek(block, "array") != other.peek(block, "array") {
            return Err(format!("block {block}: `array` differs"));
        }
    }
    let (mut one, mut other) = (one.counters(), other.counters());
    for counters in [&one, &other] {
        adds_up(image, counters)?;
    }
    // What is counted in detail changes nothing else.
    if one.detail.is_none() || other.detail.is_none() {
        (one.detail, other.detail) = (None, None);
    }
    if one != other { Err(format!("counters:\n{one:?}\n{other:?}")) } else { Ok(()) }
}

/// Whether what was counted in detail is what was counted in all, part by part.
fn adds_up(image: &Image, counters: &Counters) -> Result<(), String> {
    let mut computed = vec![0; image.chip.mesh.cores()];
    let mut flits = computed.clone();
    for block in &counters.blocks {
        let of = &image.blocks[block.block];
        let all = block.addresses.iter().map(|counts| counts.cycles).sum::<u64>();
        let dispatch = block.steps * u64::from(image.chip.core.dispatch_cycles);
        let saturated = block.addresses.iter().map(|counts| counts.saturated).sum::<u64>();
        if all + dispatch != block.cycles || saturated != block.saturated {
            return Err(format!("the addresses of {block:?}"));
        }
        let sent = of.routes.iter().zip(&block.packets).map(|(route, packets)| packets * route.flits.len() as u64);
        computed[of.core.0 as usize] += block.cycles;
        flits[of.core.0 as usize] += sent.sum::<u64>();
    }
    let Some(detail) = &counters.detail else { return Ok(()) };
    for (block, detail) in counters.blocks.iter().zip(&detail.blocks) {
        let sum = |of: fn(&WindowCounters) -> u64| detail.windows.iter().map(of).sum::<u64>();
        let whole = [block.steps, block.cycles, block.events, block.synapses];
        let parts =
            [sum(|part| part.steps), sum(|part| part.cycles), sum(|part| part.events), sum(|part| part.synapses)];
        if whole != parts {
            return Err(format!("windows of block {}: {whole:?}, in parts {parts:?}", block.block));
        }
        for (at, whole) in block.addresses.iter().enumerate() {
            let parts = detail.windows.iter().map(|window| window.addresses[at]);
            let sum = parts.fold([0; 4], |sum, part| {
                let part = [part.executed, part.elements, part.cycles, part.saturated];
                std::array::from_fn(|at| sum[at] + part[at])
            });
            if sum != [whole.executed, whole.elements, whole.cycles, whole.saturated] {
                return Err(format!("windows of block {}, address {at}", block.block));
            }
        }
        let by_index: Vec<u64> = detail.indices.iter().map(|indices| indices.iter().sum()).collect();
        if by_index != block.packets {
            return Err(format!("block {}: {:?} packets, by index {by_index:?}", block.block, block.packets));
        }
    }
    shown_adds_up(counters, detail)?;
    let Some(timing) = counters.timing else { return Ok(()) };
    for (core, timing) in detail.cores.iter().enumerate() {
        if timing.done_cycles != computed[core] + flits[core] + timing.stalls {
            return Err(format!("core {core}: {timing:?}, computed {}, sent {}", computed[core], flits[core]));
        }
    }
    let senders = || detail.cores.iter().chain([&detail.host]);
    let by_route = detail.blocks.iter().flat_map(|block| &block.stalls).chain(&detail.host_stalls).sum::<u64>();
    let by_sender = senders().map(|sender| sender.stalls).sum::<u64>();
    if [by_route, by_sender] != [timing.stalls; 2] {
        return Err(format!("{} stalls, by route {by_route}, by sender {by_sender}", timing.stalls));
    }
    let critical = senders().map(|sender| sender.critical_cycles).sum::<u64>();
    if critical > timing.cycles - timing.barrier_cycles
        || senders().any(|sender| sender.step_cycles < sender.done_cycles)
    {
        return Err(format!("{timing:?}, critical {critical}"));
    }
    Ok(())
}

/// Whether what was counted by the window that the host showed is what was counted in all.
fn shown_adds_up(counters: &Counters, detail: &Detail) -> Result<(), String> {
    let sum = |of: &dyn Fn(&Shown) -> u64| detail.shown.iter().map(of).sum::<u64>();
    let (cycles, barriers) = counters.timing.map_or((0, 0), |timing| (timing.cycles, timing.barrier_cycles));
    let mut sums = vec![
        ("steps", sum(&|shown| shown.steps), counters.steps),
        ("cycles", sum(&|shown| shown.cycles), cycles),
        ("barriers", sum(&|shown| shown.barrier_cycles), barriers),
    ];
    for (input, &packets) in counters.host_packets.iter().enumerate() {
        sums.push(("packets of the host", sum(&|shown| shown.host_packets[input]), packets));
        sums.push(("stalls of the host", sum(&|shown| shown.host_stalls[input]), detail.host_stalls[input]));
    }
    for (core, timing) in detail.cores.iter().enumerate() {
        sums.push(("steps of a core", sum(&|shown| shown.cores[core].steps), timing.steps));
        sums.push(("its steps' cycles", sum(&|shown| shown.cores[core].step_cycles), timing.step_cycles));
        sums.push(("its own cycles", sum(&|shown| shown.cores[core].done_cycles), timing.done_cycles));
    }
    for (block, detail) in detail.blocks.iter_enumerated() {
        for (route, &stalls) in detail.stalls.iter().enumerate() {
            sums.push(("stalls of a route", sum(&|shown| shown.stalls[block][route]), stalls));
        }
    }
    let differs = sums.into_iter().find(|(_, parts, whole)| parts != whole);
    differs.map_or(Ok(()), |(what, parts, whole)| Err(format!("{what}: {whole}, by window {parts}")))
}

/// The packets of the steps `from..`, so many, counted from the first.
fn within(packets: &[HostPacket], from: usize, steps: usize) -> Vec<HostPacket> {
    let inside = packets.iter().filter(|packet| (from..from + steps).contains(&packet.step));
    inside.map(|packet| HostPacket { step: packet.step - from, ..*packet }).collect()
}

/// Runs a case on both engines, in chunks of so many steps. Returns whether it ended without a fault.
fn compare(case: &Case, chunk: usize, timing: bool, detail: bool) -> Result<bool, String> {
    let options = Options { seed: case.seed, timing, threads: case.threads };
    let mut reference = reference::Machine::new(&case.image, options).map_err(|error| error.to_string())?;
    let mut fast = Machine::new(&case.image, options).map_err(|error| error.to_string())?;
    reference.count_in_detail();
    if detail {
        fast.count_in_detail();
    }
    let mut from = 0;
    while from < case.steps {
        let steps = chunk.min(case.steps - from);
        let packets = within(&case.packets, from, steps);
        let expected = reference.run_packets(steps, &packets);
        let found = fast.run_packets(steps, &packets);
        if expected != found {
            return Err(format!("the reference engine: {expected:?}\nthe fast engine: {found:?}"));
        }
        if expected.is_err() {
            return Ok(false);
        }
        same_state(&case.image, &reference, &fast)?;
        let values = [case.seed as i32, -1, 40_000, -40_000, from as i32, 1];
        for engine in [&mut reference as &mut dyn Engine, &mut fast] {
            let written = engine.write(BlockIndex(0), "array", &values);
            let read = engine.read(BlockIndex(0), "array");
            let low: Vec<i32> = values.iter().map(|&value| i32::from(value as i16)).collect();
            if !written
                || read != Some(low)
                || engine.write(BlockIndex(0), "array", &[1])
                || engine.write(BlockIndex(0), "nothing", &values)
            {
                return Err(format!("written {values:?}, read {read:?}"));
            }
        }
        from += steps;
    }
    Ok(true)
}

/// So many cases; a failure prints its input, no file keeps it. More with `PROPTEST_CASES`.
fn cases(cases: u32) -> ProptestConfig {
    let more = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: more.unwrap_or(cases),
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn random_programs_do_the_same(case in case(), chunk in 1usize..7, timing: bool, detail: bool) {
        prop_assert_eq!(compare(&case, chunk, timing, detail).err(), None);
    }
}

/// Two sources for one axon: which packet would it take?
#[test]
fn an_axon_has_one_source() {
    let mut image = arithmetic::plain_image(vec![Instruction::new(Op::Sleep).encode().expect("a word")], 16);
    image.host_inputs.push(image.host_inputs[0].clone());
    let options = Options { seed: 1, timing: false, threads: 1 };
    let error = reference::Machine::new(&image, options).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("the image is damaged: axon 0 of block 0 has two sources"));
}

/// If nearly all random programs stopped the chip at once, the test above would prove little.
#[test]
fn random_programs_mostly_run() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut executed: BTreeMap<&str, u64> = BTreeMap::new();
    let mut ended = 0;
    const CASES: usize = 200;
    for _ in 0..CASES {
        let case = case().new_tree(&mut runner).expect("a case").current();
        let options = Options { seed: case.seed, timing: false, threads: 1 };
        let mut engine = reference::Machine::new(&case.image, options).expect("a valid image");
        ended += usize::from(engine.run(case.steps, &case.packets).is_ok());
        for (block, of) in engine.counters().blocks.iter().zip(&case.image.blocks) {
            for (&word, counts) in case.image.programs[of.program].words.iter().zip(&block.addresses) {
                if let Ok(instruction) = Instruction::decode(word) {
                    *executed.entry(instruction.op.description().mnemonic).or_default() +=
                        u64::from(counts.executed > 0);
                }
            }
        }
    }
    assert!(ended > CASES / 3, "{ended} of {CASES} runs ended without a fault");
    assert!(ended < CASES, "no run met a fault");
    let rare: Vec<_> = INSTRUCTIONS.iter().filter(|row| executed.get(row.mnemonic).copied().unwrap_or(0) < 5).collect();
    assert!(rare.is_empty(), "hardly executed: {:?}", rare.iter().map(|row| row.mnemonic).collect::<Vec<_>>());
}
