//! The most cycles that are proven are never exceeded, and no more than twice the greatest that are seen where everything
//! happens at once: all inputs in each step, all neurons firing, everything learned from.

use crate::{image_of, verdict};
use onward_emulate::{Engine, HostPacket, Machine, Options};
use onward_image::{HostInputKind, Image, Tag};
use onward_isa::{Space, Width};

/// Large weights everywhere, so that all neurons fire in each step.
fn with_large_weights(mut image: Image) -> Image {
    for block in &mut image.blocks {
        let symbols: Vec<_> = block.symbols.iter().filter(|symbol| symbol.name.contains("weights")).cloned().collect();
        for symbol in symbols {
            let width = symbol.width().expect("a width");
            let space = symbol.space().expect("a memory");
            if space != Space::Synapse || width == Width::W4 {
                continue;
            }
            let contents = &mut block.contents[space as usize];
            let (first, end) = (symbol.offset as usize, symbol.offset as usize + symbol.elements() as usize);
            contents.resize(contents.len().max(end * width.bits() as usize / 8), 0);
            for at in first..end {
                width.put(contents, at, 60);
            }
        }
    }
    image
}

/// Steps, windows and blocks of a run of samples that are learned from, and then some that are not: none takes longer than is
/// proven. Gives the greatest seen beside what is proven: step, test window, training sample, and the longest handler.
fn greatest(image: &Image, samples: usize) -> [(u64, u64); 4] {
    let verdict = verdict(image);
    let bounds = verdict.bounds.expect("it is proven");
    let window = image.network.window_steps as usize;
    let input = |kind| image.host_input(kind).expect("a network that learns classes");
    let (tag, target, inputs) = (input(HostInputKind::Tag), input(HostInputKind::Target), input(HostInputKind::Input));
    let indices = image.input_indices(inputs);
    let mut machine = Machine::new(image, Options { seed: 1, timing: true, threads: 1 }).expect("a machine");
    let mut seen =
        [(0, bounds.step_cycles), (0, bounds.test_window_cycles), (0, bounds.training_sample_cycles), (0, 0)];
    let mut before = machine.counters();
    for learn in [true, false] {
        let period = if learn { 2 * window } else { window };
        let deepest = image.network.populations.iter().map(|population| population.lag).max().unwrap_or(0) as usize;
        let steps = samples * period + deepest;
        let mut of_period = Vec::new();
        for step in 0..steps {
            let (sample, at) = (step / period, step % period);
            let (is_target, shown) = (at >= window, sample < samples);
            let slot = (sample % 10) as u16;
            let mut packets = Vec::new();
            let mut send = |input: usize, index: u32, payload: i32| {
                packets.push(HostPacket { step: 0, input, index, payload });
            };
            if shown && at % window == 0 {
                send(tag, 0, Tag { target: is_target, learn, slot, ..Tag::default() }.payload());
            }
            if shown && is_target {
                send(target, slot.into(), 1);
            } else if shown {
                (0..indices).for_each(|index| send(inputs, index, 1));
            }
            machine.run_packets(1, &packets).expect("nothing stops the chip");
            let after = machine.counters();
            let timing = |counters: &onward_emulate::Counters| counters.timing.expect("it is timed").cycles;
            let cycles = timing(&after) - timing(&before);
            assert!(cycles <= bounds.step_cycles, "step {step}: {cycles} cycles, {} proven", bounds.step_cycles);
            seen[0].0 = seen[0].0.max(cycles);
            if shown {
                of_period.push(cycles);
            }
            for (block, old) in after.blocks.iter().zip(&before.blocks) {
                let population = image.blocks[block.block].population;
                let name = &image.network.populations[population].name;
                let lag = image.network.populations[population].lag as usize;
                let took = block.cycles - old.cycles;
                // Where the block is in its window, if it is in one of these samples at all.
                let here = step.checked_sub(lag).filter(|here| here / period < samples).map(|here| here % period);
                let fits = |handler: &&onward_verify::Handler| {
                    let position = |here: usize| {
                        let position = (here % window) as i64;
                        handler.kind as usize == here / window
                            && handler.learn == learn
                            && (handler.first..=handler.last).contains(&position)
                    };
                    // Blocks without tags have one handler, at no position of a window.
                    handler.layer == *name && (here.is_none_or(position) || handler.first == i64::from(i32::MAX))
                };
                let most = verdict.handlers.iter().filter(fits).map(|handler| handler.cycles).max();
                let most = most.unwrap_or_else(|| panic!("`{name}` has no handler at {here:?}"));
                assert!(took <= most, "step {step}, block {} of `{name}`: {took} cycles, {most} proven", block.block);
                if took > seen[3].0 {
                    seen[3] = (took, most);
                }
            }
            before = after;
        }
        for cycles in of_period.chunks_exact(period).map(|cycles| cycles.iter().sum::<u64>()) {
            let place = if learn { 2 } else { 1 };
            assert!(cycles <= seen[place].1, "{cycles} cycles, {} proven", seen[place].1);
            seen[place].0 = seen[place].0.max(cycles);
        }
    }
    seen
}

#[test]
fn no_step_takes_longer_than_is_proven_and_the_greatest_take_half_of_it() {
    for (name, chip) in [("digits.sp", "small"), ("digits.sp", "middle"), ("mnist.sp", "middle")] {
        let seen = greatest(&with_large_weights(image_of(name, chip, 1)), 3);
        for (what, (seen, proven)) in ["step", "test window", "training sample", "handler"].iter().zip(seen) {
            println!("{name} on {chip}: the longest {what} takes {seen} cycles, {proven} are proven");
            assert!(proven <= 2 * seen, "{name} on {chip}: a {what} of {seen} cycles, {proven} proven");
        }
        // With the weights it begins with, and so with other spikes.
        greatest(&image_of(name, chip, 2), 2);
    }
}
