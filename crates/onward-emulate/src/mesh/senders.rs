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
    /// Steps.
    pub steps: u64,
    /// Cycles of these steps, barriers left out.
    pub cycles: u64,
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
        self.steps += 1;
        self.cycles += cycles;
        // Cores come before host ports; of equal ones the first is the critical one.
        let order = |endpoint: Endpoint| match endpoint {
            Endpoint::Core(core) => u64::from(core.0),
            Endpoint::Host(port) => 1 << 32 | u64::from(port),
        };
        let mut last: Option<(&Finished, u64)> = None;
        for sender in finished {
            let timing = self.of(sender.endpoint);
            timing.steps += 1;
            timing.step_cycles += cycles;
            timing.done_cycles += sender.done;
            timing.stalls += sender.stalls;
            let place = order(sender.endpoint);
            let is_later = |&(other, of_other): &(&Finished, u64)| {
                sender.done > other.done || sender.done == other.done && place < of_other
            };
            if last.as_ref().is_none_or(is_later) {
                last = Some((sender, place));
            }
        }
        if let Some((sender, _)) = last {
            let timing = self.of(sender.endpoint);
            timing.critical_steps += 1;
            timing.critical_cycles += sender.done;
            timing.critical_flits += sender.flits;
            timing.critical_stalls += sender.stalls;
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
        self.steps += other.steps;
        self.cycles += other.cycles;
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

/// What all senders did with their cycles, in accounts of their own: each step says to which it goes
/// ([`Traffic::set_account`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(Vec<Senders>);

impl Accounts {
    /// An account; nothing of one that no step went to.
    pub fn of(&self, account: u8) -> Senders {
        self.0.get(usize::from(account)).cloned().unwrap_or_default()
    }

    /// All accounts together.
    pub fn total(&self) -> Senders {
        let mut total = Senders::default();
        self.0.iter().for_each(|account| total.add(account));
        total
    }

    /// Adds what others did.
    pub fn add(&mut self, other: &Accounts) {
        self.0.resize(self.0.len().max(other.0.len()), Senders::default());
        self.0.iter_mut().zip(&other.0).for_each(|(to, from)| to.add(from));
    }

    /// An account, to add to.
    #[inline]
    pub(crate) fn at(&mut self, account: u8) -> &mut Senders {
        let at = usize::from(account);
        if self.0.len() <= at {
            self.0.resize(at + 1, Senders::default());
        }
        &mut self.0[at]
    }
}
