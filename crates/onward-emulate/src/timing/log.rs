//! Steps told in their order to who asked, from workers that time them in any order.

use crate::mesh::{Ended, StepTiming, Traffic, finished};
use crate::{PacketSource, StepLog, StepRecord};
use onward_image::BlockIndex;
use std::ops::Range;
use typed_index_collections::TiSlice;

/// Who is told of steps, and what is needed for it.
pub(super) struct Log {
    pub listener: Box<dyn StepLog>,
    sources: Sources,
}

/// By destination: who sends to it, where it is the first of a route.
pub(super) struct Sources(Vec<Option<PacketSource>>);

impl Log {
    /// A log for traffic along these routes.
    pub fn new(
        listener: Box<dyn StepLog>,
        host_routes: &[Range<u32>],
        block_routes: &TiSlice<BlockIndex, Vec<Range<u32>>>,
    ) -> Log {
        let mut sources: Vec<Option<PacketSource>> = Vec::new();
        let mut note = |range: &Range<u32>, source| {
            if range.is_empty() {
                return;
            }
            let first = range.start as usize;
            if sources.len() <= first {
                sources.resize(first + 1, None);
            }
            sources[first] = Some(source);
        };
        host_routes.iter().enumerate().for_each(|(input, range)| note(range, PacketSource::Host { input }));
        for (block, routes) in block_routes.iter_enumerated() {
            let routes = routes.iter().enumerate();
            routes.for_each(|(route, range)| note(range, PacketSource::Block { block, route }));
        }
        Log { listener, sources: Sources(sources) }
    }

    /// Tells of steps, in their order.
    pub fn tell(&mut self, steps: impl Iterator<Item = (StepRecord, Vec<(u32, u64)>)>) {
        for (mut step, sent) in steps {
            let source = |(first, packets): (u32, u64)| Some((self.sources.of(first)?, packets));
            step.packets.extend(sent.into_iter().filter_map(source));
            step.sort();
            self.listener.step(&step);
        }
    }
}

impl Sources {
    fn of(&self, first: u32) -> Option<PacketSource> {
        self.0.get(first as usize).copied().flatten()
    }
}

/// What a worker notes of the steps that it times: of each the record without its packets, and packets by first destination.
#[derive(Default)]
pub(super) struct Notes(Vec<(StepRecord, Vec<(u32, u64)>)>);

impl Notes {
    /// Room for so many steps.
    pub fn begin(&mut self, steps: usize) {
        self.0.clear();
        self.0.resize_with(steps, Default::default);
    }

    /// A step that was timed alone.
    pub fn alone(&mut self, step: usize, timing: &StepTiming, traffic: &Traffic, stalls: &[u64], barrier: u64) {
        let (record, sent) = &mut self.0[step];
        (record.cycles, record.barrier_cycles) = (timing.cycles, barrier);
        record.senders.extend(finished(traffic, stalls).map(|sender| sender.step()));
        put_sent(sent, traffic);
    }

    /// A step that was timed with others.
    pub fn ended(&mut self, ended: &Ended, barrier: u64) {
        let (record, sent) = &mut self.0[ended.step];
        (record.cycles, record.barrier_cycles) = (ended.cycles, barrier);
        record.senders.extend(ended.finished.iter().map(|sender| sender.step()));
        put_sent(sent, ended.traffic);
    }

    /// All of them, in their order.
    pub fn take(&mut self) -> impl Iterator<Item = (StepRecord, Vec<(u32, u64)>)> + '_ {
        self.0.drain(..)
    }
}

/// What a step sent, by first destination; bursts that follow each other to the same one together.
fn put_sent(sent: &mut Vec<(u32, u64)>, traffic: &Traffic) {
    for (first, packets) in traffic.sent() {
        match sent.last_mut() {
            Some(last) if last.0 == first => last.1 += packets,
            _ => sent.push((first, packets)),
        }
    }
}
