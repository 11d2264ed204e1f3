//! Steps seen cycle by cycle: when each instruction began, when each flit was offered, accepted, and had by whom it is for.

use super::machine::TraceSelection;
use super::{Current, Machine};
use crate::mesh::{Delivery, Observer, StepTiming};
use onward_image::{BlockIndex, Endpoint};
use std::collections::BTreeMap;

/// A step, cycle by cycle. Cycles count from its first one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedStep {
    /// Its number.
    pub step: u64,
    /// The cycle of the run in which it began.
    pub begin: u64,
    /// Its cycles, until every core was done and every flit delivered.
    pub cycles: u64,
    /// Cycles of the barrier behind it.
    pub barrier_cycles: u64,
    /// The cores that are watched, by number, as far as they did something or were sent something.
    pub cores: BTreeMap<u32, WatchedCore>,
}

/// What a core did in a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedCore {
    /// Instructions, in their order.
    pub instructions: Vec<WatchedInstruction>,
    /// Flits that it sent, in their order.
    pub flits: Vec<WatchedFlit>,
    /// The cycle after its last one; 0 if it did nothing.
    pub done: u64,
    /// The cycles in which it had flits that were sent to it, rising; one for each.
    pub arrived: Vec<u64>,
}

/// An instruction that was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchedInstruction {
    /// The block that executed it.
    pub block: BlockIndex,
    /// Its address.
    pub address: usize,
    /// The cycle in which it began.
    pub cycle: u64,
}

/// A flit that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchedFlit {
    /// The cycle in which it was first offered.
    pub offered: u64,
    /// The cycle in which it was accepted (rule RT6).
    pub accepted: u64,
}

/// Is told of steps.
pub type Watcher = dyn FnMut(&WatchedStep, &Machine);

/// Who watches which cores and steps.
pub(super) struct Watch {
    pub selection: TraceSelection,
    pub watcher: Box<Watcher>,
    /// Instructions of the step under way: core, and the instruction with the cycle of its block's own time.
    pub executed: Vec<(u32, WatchedInstruction)>,
}

impl Watch {
    fn includes(&self, core: u32) -> bool {
        self.selection.cores.is_empty() || self.selection.cores.contains(&core)
    }

    /// Takes note of what is executed next.
    pub fn note(&mut self, current: Current<'_>) {
        if self.selection.steps.contains(&current.step()) && self.includes(current.core()) {
            let (block, address, cycle) = (current.block(), current.address(), current.cycle());
            self.executed.push((current.core(), WatchedInstruction { block, address, cycle }));
        }
    }
}

/// What the mesh told of a step.
#[derive(Default)]
pub(super) struct Observed {
    pub timing: StepTiming,
    /// By timeline, the endpoint, and cycles of computing before each of its flits, gaps added up.
    pub timelines: Vec<(Endpoint, Vec<u64>, u64)>,
    accepted: Vec<(u32, u64)>,
    delivered: Vec<(Endpoint, u64)>,
}

impl Observer for Observed {
    fn delivered(&mut self, Delivery { cycle, endpoint, .. }: Delivery) {
        self.delivered.push((endpoint, cycle));
    }

    fn accepted(&mut self, timeline: u32, _flit: u32, cycle: u64) {
        self.accepted.push((timeline, cycle));
    }
}

impl Observed {
    /// The step as a watcher is told of it.
    /// `computed` are the blocks that ran, in their order, with the cycles that they computed.
    pub fn step(&self, watch: &mut Watch, computed: &[(BlockIndex, u64)]) -> WatchedStep {
        let mut step = WatchedStep { cycles: self.timing.cycles, ..WatchedStep::default() };
        let mut gaps_of: BTreeMap<u32, &[u64]> = BTreeMap::new();
        for (number, (endpoint, gaps, computing)) in (0..).zip(&self.timelines) {
            let &Endpoint::Core(core) = endpoint else { continue };
            if !watch.includes(core.0) {
                continue;
            }
            // In its own order, as flits of a timeline are accepted one after the other.
            let accepted = self.accepted.iter().filter(|(timeline, _)| *timeline == number).map(|(_, cycle)| *cycle);
            let (mut free, mut before) = (0, 0);
            let flits = accepted.zip(gaps).map(|(accepted, &gap)| {
                let offered = free + gap - before;
                (free, before) = (accepted + 1, gap);
                WatchedFlit { offered, accepted }
            });
            let flits: Vec<WatchedFlit> = flits.collect();
            let done = free + computing - before;
            gaps_of.insert(core.0, gaps);
            step.cores.insert(core.0, WatchedCore { flits, done, ..WatchedCore::default() });
        }
        for &(endpoint, cycle) in &self.delivered {
            if let Endpoint::Core(core) = endpoint
                && watch.includes(core.0)
            {
                step.cores.entry(core.0).or_default().arrived.push(cycle);
            }
        }
        // Blocks of a core run one after the other: where each begins in its core's time of computing.
        let mut begins: BTreeMap<(u32, BlockIndex), u64> = BTreeMap::new();
        let mut of_core: BTreeMap<u32, u64> = BTreeMap::new();
        let cores: BTreeMap<BlockIndex, u32> =
            watch.executed.iter().map(|(core, executed)| (executed.block, *core)).collect();
        for (block, cycles) in computed {
            let Some(&core) = cores.get(block) else { continue };
            let so_far = of_core.entry(core).or_default();
            begins.insert((core, *block), *so_far);
            *so_far += cycles;
        }
        for (core, executed) in watch.executed.drain(..) {
            let own = begins.get(&(core, executed.block)).copied().unwrap_or(0) + executed.cycle;
            let Some(of_core) = step.cores.get_mut(&core) else { continue };
            // What the last flit before it left of its time: flits that are offered in the same cycle come first.
            let gaps = gaps_of.get(&core).copied().unwrap_or_default();
            let sent = gaps.partition_point(|&gap| gap <= own);
            let cycle = match sent.checked_sub(1).map(|last| (of_core.flits[last], gaps[last])) {
                Some((flit, gap)) => flit.accepted + 1 + own - gap,
                None => own,
            };
            of_core.instructions.push(WatchedInstruction { cycle, ..executed });
        }
        step
    }
}
