//! What an engine counts: executions, steps, packets, cycles.

use crate::detail::Detail;
use crate::mesh::StepTiming;
use onward_image::BlockIndex;
use std::ops::AddAssign;

/// Executions of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressCounts {
    /// Times the instruction ran.
    pub executed: u64,
    /// Elements it computed, or packets it sent.
    pub elements: u64,
    /// Cycles it took, without its flits and what the network made it wait.
    pub cycles: u64,
    /// Results of it that were saturated.
    pub saturated: u64,
}

impl AddressCounts {
    pub(crate) fn combine(&self, other: &AddressCounts, f: impl Fn(u64, u64) -> u64) -> AddressCounts {
        AddressCounts {
            executed: f(self.executed, other.executed),
            elements: f(self.elements, other.elements),
            cycles: f(self.cycles, other.cycles),
            saturated: f(self.saturated, other.saturated),
        }
    }
}

/// Counters of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockCounters {
    /// Logical number.
    pub block: BlockIndex,
    /// Executions by address of its program.
    pub addresses: Vec<AddressCounts>,
    /// Steps it ran in.
    pub steps: u64,
    /// Cycles it computed.
    pub cycles: u64,
    /// Active axons it consumed.
    pub events: u64,
    /// Synapses that these reached, where the image knows how many each does; else 0.
    pub synapses: u64,
    /// Results that were saturated.
    pub saturated: u64,
    /// Packets by route.
    pub packets: Vec<u64>,
}

/// Time and traffic of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimingTotals {
    /// Cycles, barriers included.
    pub cycles: u64,
    /// Cycles of barriers.
    pub barrier_cycles: u64,
    /// Cycles of the longest step, barrier included.
    pub longest_step: u64,
    /// Links between routers crossed, summed over flits.
    pub hops: u64,
    /// Those of the hops that led to another chip of an array.
    pub crossings: u64,
    /// Flits sent by cores and host.
    pub injected: u64,
    /// Flits taken by cores and host.
    pub ejected: u64,
    /// Cycles senders waited for the network.
    pub stalls: u64,
}

/// Counters of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Steps.
    pub steps: u64,
    /// Blocks by logical number.
    pub blocks: Vec<BlockCounters>,
    /// Packets by host input.
    pub host_packets: Vec<u64>,
    /// Cycles, stalls and hops; `None` without timing.
    pub timing: Option<TimingTotals>,
    /// Bits the host wrote and read over the configuration port since the machine was made.
    pub configuration_bits: u64,
    /// What is counted where it was asked for ([`Engine::count_in_detail`](crate::Engine::count_in_detail)).
    pub detail: Option<Detail>,
}

impl BlockCounters {
    fn combine(&self, other: &BlockCounters, f: impl Fn(u64, u64) -> u64 + Copy) -> BlockCounters {
        let address = |(a, b): (&AddressCounts, &AddressCounts)| a.combine(b, f);
        BlockCounters {
            block: self.block,
            addresses: self.addresses.iter().zip(&other.addresses).map(address).collect(),
            steps: f(self.steps, other.steps),
            cycles: f(self.cycles, other.cycles),
            events: f(self.events, other.events),
            synapses: f(self.synapses, other.synapses),
            saturated: f(self.saturated, other.saturated),
            packets: each(&self.packets, &other.packets, f),
        }
    }
}

impl TimingTotals {
    /// The totals of one step that took so many cycles before its barrier, and of no traffic.
    pub(crate) fn of_step(cycles: u64, barrier_cycles: u64) -> TimingTotals {
        let cycles = cycles + barrier_cycles;
        TimingTotals { cycles, barrier_cycles, longest_step: cycles, ..TimingTotals::default() }
    }

    /// The totals of what went through the mesh, without its cycles.
    pub(crate) fn of_traffic(traffic: &StepTiming, stalls: u64) -> TimingTotals {
        let &StepTiming { hops, crossings, injected, ejected, .. } = traffic;
        TimingTotals { hops, crossings, injected, ejected, stalls, ..TimingTotals::default() }
    }

    /// What was counted since `earlier`. The longest step is that of the whole run.
    pub(crate) fn since(&self, earlier: &TimingTotals) -> TimingTotals {
        self.combine(earlier, |now, before| now - before)
    }

    fn combine(&self, other: &TimingTotals, f: impl Fn(u64, u64) -> u64) -> TimingTotals {
        TimingTotals {
            cycles: f(self.cycles, other.cycles),
            barrier_cycles: f(self.barrier_cycles, other.barrier_cycles),
            longest_step: self.longest_step.max(other.longest_step),
            hops: f(self.hops, other.hops),
            crossings: f(self.crossings, other.crossings),
            injected: f(self.injected, other.injected),
            ejected: f(self.ejected, other.ejected),
            stalls: f(self.stalls, other.stalls),
        }
    }
}

/// The sum; the longest step is the longer one.
impl AddAssign for TimingTotals {
    fn add_assign(&mut self, other: TimingTotals) {
        *self = self.combine(&other, |a, b| a + b);
    }
}

impl Counters {
    /// What was counted since `earlier`, counters of the same machine. The longest step is that of the whole run.
    pub fn since(&self, earlier: &Counters) -> Counters {
        self.combine(earlier, |now, before| now - before)
    }

    /// Both together. The longest step is the longer one.
    pub fn plus(&self, other: &Counters) -> Counters {
        self.combine(other, |a, b| a + b)
    }

    fn combine(&self, other: &Counters, f: impl Fn(u64, u64) -> u64 + Copy) -> Counters {
        Counters {
            steps: f(self.steps, other.steps),
            blocks: self.blocks.iter().zip(&other.blocks).map(|(a, b)| a.combine(b, f)).collect(),
            host_packets: each(&self.host_packets, &other.host_packets, f),
            timing: self.timing.zip(other.timing).map(|(a, b)| a.combine(&b, f)),
            configuration_bits: f(self.configuration_bits, other.configuration_bits),
            detail: self.detail.as_ref().zip(other.detail.as_ref()).map(|(a, b)| a.combine(b, f)),
        }
    }
}

pub(crate) fn each(a: &[u64], b: &[u64], f: impl Fn(u64, u64) -> u64) -> Vec<u64> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}
