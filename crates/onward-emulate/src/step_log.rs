//! What happened in each step, for whoever asks: time by core, packets by who sent them.
//!
//! Timing is made of steps, each timed alone, several at once and in any order; whoever listens is told in the order of the
//! steps. Where nobody does, nothing is kept.

use onward_image::{BlockIndex, Endpoint};
use std::sync::{Arc, Mutex, PoisonError};

/// What a core or the host did in a step: the parts of its time until it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderStep {
    /// Who.
    pub endpoint: Endpoint,
    /// Cycles it computed.
    pub computing: u64,
    /// Cycles it sent: a cycle a flit.
    pub sending: u64,
    /// Cycles in which it offered a flit that was not accepted.
    pub stalled: u64,
}

impl SenderStep {
    /// The cycle after its last one.
    pub fn done(&self) -> u64 {
        self.computing + self.sending + self.stalled
    }
}

/// Who sends packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PacketSource {
    /// The host, to an input, by its part.
    Host {
        /// The image's host input.
        input: usize,
    },
    /// A block, by one of its routes.
    Block {
        /// Logical number.
        block: BlockIndex,
        /// Number of the route.
        route: usize,
    },
}

/// What happened in a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepRecord {
    /// Cycles until every sender was done and every flit delivered.
    pub cycles: u64,
    /// Cycles of the barrier behind it.
    pub barrier_cycles: u64,
    /// Those that did something in it: cores by number, then the host.
    pub senders: Vec<SenderStep>,
    /// Packets that became flits, by who sent them: the host, then blocks by number and route; only those that sent some.
    pub packets: Vec<(PacketSource, u64)>,
}

/// Is told of each step.
pub trait StepLog: Send {
    /// A step is over. Steps come in their order, each of them once; some time after they ran, but at the latest when counters
    /// are asked for.
    fn step(&mut self, step: &StepRecord);
}

/// Two are told.
impl<A: StepLog, B: StepLog> StepLog for (A, B) {
    fn step(&mut self, step: &StepRecord) {
        self.0.step(step);
        self.1.step(step);
    }
}

/// Nobody is told, or one is.
impl<L: StepLog> StepLog for Option<L> {
    fn step(&mut self, step: &StepRecord) {
        if let Some(log) = self {
            log.step(step);
        }
    }
}

/// Whoever else has the log can look at it meanwhile.
impl<L: StepLog> StepLog for Arc<Mutex<L>> {
    fn step(&mut self, step: &StepRecord) {
        self.lock().unwrap_or_else(PoisonError::into_inner).step(step);
    }
}

impl StepRecord {
    /// Puts senders and packets in their order, packets of the same source together.
    pub(crate) fn sort(&mut self) {
        self.senders.sort_by_key(|sender| match sender.endpoint {
            Endpoint::Core(core) => (0, core.0),
            Endpoint::Host(port) => (1, u32::from(port)),
        });
        self.packets.sort_unstable();
        self.packets.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 += later.1;
            }
            same
        });
    }
}
