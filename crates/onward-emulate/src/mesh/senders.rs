//! What senders do with their cycles, over many steps: who was done last, and what he had spent his time with.

use super::Traffic;
use crate::SenderStep;
use onward_image::Endpoint;
use std::ops::Range;

/// What a core, or the host, did with its cycles, over the steps in which it did something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderTiming {
    /// Steps in which it did something.
    pub steps: u64,
    /// Cycles of these steps until all cores were done and all flits delivered: barriers are not in it.
    pub step_cycles: u64,
    /// Cycles until it was done itself: it computed, sent (a cycle a flit), or waited for the network.
    pub done_cycles: u64,
    /// Cycles in which it offered a flit that was not accepted.
    pub stalls: u64,
    /// Steps in which it was done last of all; of several, the one with the lowest number, and the host behind them.
    pub critical_steps: u64,
    /// Of [`done_cycles`](Self::done_cycles), those of the steps in which it was done last.
    pub critical_cycles: u64,
    /// Flits it sent in them.
    pub critical_flits: u64,
    /// Cycles in which it waited for the network in them.
    pub critical_stalls: u64,
}

impl SenderTiming {
    pub(crate) fn combine(&self, other: &SenderTiming, f: impl Fn(u64, u64) -> u64) -> SenderTiming {
        SenderTiming {
            steps: f(self.steps, other.steps),
            step_cycles: f(self.step_cycles, other.step_cycles),
            done_cycles: f(self.done_cycles, other.done_cycles),
            stalls: f(self.stalls, other.stalls),
            critical_steps: f(self.critical_steps, other.critical_steps),
            critical_cycles: f(self.critical_cycles, other.critical_cycles),
            critical_flits: f(self.critical_flits, other.critical_flits),
            critical_stalls: f(self.critical_stalls, other.critical_stalls),
        }
    }
}

/// A sender that is done with its step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished {
    pub endpoint: Endpoint,
    /// The cycle after its last one.
    pub done: u64,
    /// Flits it sent.
    pub flits: u64,
    /// Cycles in which it offered a flit that was not accepted.
    pub stalls: u64,
}

impl Finished {
    /// What it did with its time.
    pub fn step(&self) -> SenderStep {
        let &Finished { endpoint, done, flits, stalls } = self;
        SenderStep { endpoint, computing: done - flits - stalls, sending: flits, stalled: stalls }
    }
}

/// The senders of a step that was timed alone, with the stalls of each of its timelines.
pub(crate) fn finished(traffic: &Traffic, stalls: &[u64]) -> impl Iterator<Item = Finished> {
    traffic.timelines.iter().zip(stalls).map(|(timeline, &stalls)| {
        let first = timeline.first_burst as usize;
        let bursts = &traffic.bursts[first..first + timeline.bursts as usize];
        let flits = bursts.iter().map(|burst| burst.flits()).sum::<u64>();
        let computed = bursts.iter().map(|burst| burst.gap).sum::<u64>() + timeline.tail;
        Finished { endpoint: timeline.endpoint, done: computed + flits + stalls, flits, stalls }
    })
}

/// What all senders did with their cycles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Senders {
    /// By core; those behind the last never did anything.
    pub cores: Vec<SenderTiming>,
    /// By host port, likewise.
    pub hosts: Vec<SenderTiming>,
    /// By destination (of the table given to [`Mesh::new`](super::Mesh::new)), cycles in which flits to it were not accepted.
    pub stalls: Vec<u64>,
}

impl Senders {
    /// Adds a step of so many cycles, barrier left out.
    pub(crate) fn step(&mut self, finished: &[Finished], cycles: u64) {
        // Cores come before host ports; of equal ones the first is the critical one.
        let order = |endpoint: Endpoint| match endpoint {
            Endpoint::Core(core) => (0, core.0),
            Endpoint::Host(port) => (1, u32::from(port)),
        };
        let last = finished.iter().min_by_key(|sender| (std::cmp::Reverse(sender.done), order(sender.endpoint)));
        let last = last.map(|sender| sender.endpoint);
        for sender in finished {
            let timing = self.of(sender.endpoint);
            timing.steps += 1;
            timing.step_cycles += cycles;
            timing.done_cycles += sender.done;
            timing.stalls += sender.stalls;
            if last == Some(sender.endpoint) {
                timing.critical_steps += 1;
                timing.critical_cycles += sender.done;
                timing.critical_flits += sender.flits;
                timing.critical_stalls += sender.stalls;
            }
        }
    }

    /// Adds a step that was timed alone, with the stalls of each of its timelines.
    pub(crate) fn step_of(&mut self, traffic: &Traffic, stalls: &[u64], cycles: u64) {
        let finished: Vec<Finished> = finished(traffic, stalls).collect();
        self.step(&finished, cycles);
    }

    /// Adds cycles in which flits to a destination waited.
    pub(crate) fn stall(&mut self, destination: usize, cycles: u64) {
        if cycles == 0 {
            return;
        }
        if self.stalls.len() <= destination {
            self.stalls.resize(destination + 1, 0);
        }
        self.stalls[destination] += cycles;
    }

    /// Adds what others did.
    pub fn add(&mut self, other: &Senders) {
        let add = |to: &mut Vec<SenderTiming>, from: &[SenderTiming]| {
            to.resize(to.len().max(from.len()), SenderTiming::default());
            to.iter_mut().zip(from).for_each(|(to, from)| *to = to.combine(from, |a, b| a + b));
        };
        add(&mut self.cores, &other.cores);
        add(&mut self.hosts, &other.hosts);
        self.stalls.resize(self.stalls.len().max(other.stalls.len()), 0);
        self.stalls.iter_mut().zip(&other.stalls).for_each(|(to, from)| *to += from);
    }

    /// Cycles in which flits to any of these destinations were not accepted.
    pub fn waited(&self, destinations: &Range<u32>) -> u64 {
        let all = destinations.start as usize..destinations.end as usize;
        all.map(|destination| self.stalls.get(destination).copied().unwrap_or(0)).sum()
    }

    fn of(&mut self, endpoint: Endpoint) -> &mut SenderTiming {
        let (list, at) = match endpoint {
            Endpoint::Core(core) => (&mut self.cores, core.0 as usize),
            Endpoint::Host(port) => (&mut self.hosts, usize::from(port)),
        };
        if list.len() <= at {
            list.resize(at + 1, SenderTiming::default());
        }
        &mut list[at]
    }
}
