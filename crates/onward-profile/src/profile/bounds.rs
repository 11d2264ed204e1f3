//! What bounds a run: which cores decided how long steps took, and what these spent their cycles with.

use super::links::LinkPart;
use super::measures::{Measure, Measures, apportion};
use super::parts::{CorePlace, Part};
use crate::energy::cores_used;
use onward_emulate::{Counters, Detail, SenderTiming};
use onward_image::Image;
use serde::Serialize;

/// Which cores decided how long steps took. A step lasts until its last core is done and its last flit delivered; the core
/// that is done last is the critical one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Critical {
    /// Cores that were critical in some step, by number, and the host behind them.
    pub senders: Vec<CriticalSender>,
    /// Cycles from when the last core was done until the last flit was delivered.
    pub delivery_cycles: u64,
    /// Cycles of barriers.
    pub barrier_cycles: u64,
    /// Cycles of the run.
    pub cycles: u64,
    /// Steps of the run.
    pub steps: u64,
}

/// A core, or the host, in the steps in which it was done last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CriticalSender {
    /// The core; `None` for the host.
    pub core: Option<u32>,
    /// Those steps.
    pub steps: u64,
    /// Cycles it computed in them.
    pub computing_cycles: u64,
    /// Cycles it sent a flit in.
    pub sending_cycles: u64,
    /// Cycles it waited for the network in.
    pub stalled_cycles: u64,
}

/// What can bound a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundBy {
    /// Vector instructions that touch no memory.
    VectorUnit,
    /// The port of synapse memory.
    SynapsePort,
    /// The port of neuron memory.
    NeuronPort,
    /// The port of axon memory.
    AxonPort,
    /// Scalar instructions, branches, dispatches.
    Sequencer,
    /// Flits that leave a core one a cycle.
    Send,
    /// Flits that the network does not accept, and those on their way when all cores are done.
    Mesh,
    /// The host, which sends one flit a cycle.
    Host,
    /// Barriers.
    Barrier,
}

/// How much of a run something bounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// What.
    pub by: BoundBy,
    /// Cycles of the run that went into it.
    pub cycles: u64,
    /// Share of all.
    pub percent: f64,
    /// What would make it less.
    pub relief: &'static str,
}

/// How near cores and mesh came to what they can do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Roofline {
    /// Elements a core can compute in a cycle: its lanes.
    pub lanes: u64,
    /// Elements computed in a cycle, of the cycles in which cores computed.
    pub elements_per_computing_cycle: f64,
    /// Elements computed in a cycle, of all cycles of the cores that hold blocks.
    pub elements_per_cycle: f64,
    /// Elements computed for each element of synapse, neuron or axon memory that is read or written.
    pub elements_per_access: f64,
    /// The most elements in a cycle that this leaves, where each lane's ports read and write an element of each memory a cycle.
    pub roof: f64,
    /// Share of its cycles in which the fullest link carried a flit, percent; 0 where no link carried any.
    pub fullest_link_percent: f64,
    /// The same, mean over the links that carried something.
    pub mean_link_percent: f64,
    /// Cycles that a flit waited to enter the mesh, mean over flits.
    pub stalls_per_flit: f64,
}

impl BoundBy {
    const ALL: [BoundBy; 9] = [
        BoundBy::VectorUnit,
        BoundBy::SynapsePort,
        BoundBy::NeuronPort,
        BoundBy::AxonPort,
        BoundBy::Sequencer,
        BoundBy::Send,
        BoundBy::Mesh,
        BoundBy::Host,
        BoundBy::Barrier,
    ];

    /// Its name in reports for people.
    pub const fn title(self) -> &'static str {
        match self {
            BoundBy::VectorUnit => "vector unit",
            BoundBy::SynapsePort => "synapse memory's port",
            BoundBy::NeuronPort => "neuron memory's port",
            BoundBy::AxonPort => "axon memory's port",
            BoundBy::Sequencer => "sequencer",
            BoundBy::Send => "sending",
            BoundBy::Mesh => "mesh",
            BoundBy::Host => "host",
            BoundBy::Barrier => "barrier",
        }
    }

    /// What would make it less.
    pub const fn relief(self) -> &'static str {
        match self {
            BoundBy::VectorUnit => "more lanes (core.lanes), or smaller blocks on more cores",
            BoundBy::SynapsePort => "more lanes (core.lanes), fewer spikes, or smaller blocks on more cores",
            BoundBy::NeuronPort => "more lanes (core.lanes), or smaller blocks on more cores",
            BoundBy::AxonPort => "more lanes (core.lanes), or fewer axons a block",
            BoundBy::Sequencer => "larger blocks on fewer cores: scalar code costs the same for any vector",
            BoundBy::Send => "fewer spikes, or multicast to several takers",
            BoundBy::Mesh => "blocks nearer each other (--place, --objective latency), or fewer chips",
            BoundBy::Host => "a sparser input, or packets that fewer blocks take",
            BoundBy::Barrier => "fewer tiles, or shorter windows: each step ends with a barrier",
        }
    }
}

impl Critical {
    /// What was counted of it; `None` where no time was kept.
    pub(super) fn of(image: &Image, counters: &Counters, detail: &Detail) -> Option<Critical> {
        let timing = counters.timing?;
        let _ = image;
        let sender = |(core, timing): (Option<u32>, &SenderTiming)| CriticalSender {
            core,
            steps: timing.critical_steps,
            computing_cycles: timing.critical_cycles - timing.critical_flits - timing.critical_stalls,
            sending_cycles: timing.critical_flits,
            stalled_cycles: timing.critical_stalls,
        };
        let cores = (0..).map(Some).zip(&detail.cores);
        let senders: Vec<CriticalSender> =
            cores.chain([(None, &detail.host)]).map(sender).filter(|sender| sender.steps > 0).collect();
        let done: u64 = senders.iter().map(CriticalSender::cycles).sum();
        let delivery_cycles = timing.cycles - timing.barrier_cycles - done;
        let (cycles, barrier_cycles) = (timing.cycles, timing.barrier_cycles);
        Some(Critical { senders, delivery_cycles, barrier_cycles, cycles, steps: counters.steps })
    }

    /// The sender that was critical in most steps, the first of equal ones.
    pub fn most(&self) -> Option<&CriticalSender> {
        self.senders.iter().max_by_key(|sender| (sender.steps, std::cmp::Reverse(sender.core.unwrap_or(u32::MAX))))
    }
}

impl CriticalSender {
    /// Cycles until it was done.
    pub fn cycles(&self) -> u64 {
        self.computing_cycles + self.sending_cycles + self.stalled_cycles
    }
}

/// What the cycles of a run went into, along its critical cores. What a core computes in the steps in which it is critical is
/// taken to be of the same kinds as what it computes in all.
pub(super) fn bounds(critical: &Critical, cores: &[Part<CorePlace>]) -> Vec<Bound> {
    const UNITS: [(BoundBy, Measure); 5] = [
        (BoundBy::VectorUnit, Measure::VectorCycles),
        (BoundBy::SynapsePort, Measure::SynapsePortCycles),
        (BoundBy::NeuronPort, Measure::NeuronPortCycles),
        (BoundBy::AxonPort, Measure::AxonPortCycles),
        (BoundBy::Sequencer, Measure::SequencerCycles),
    ];
    let mut cycles = [0; BoundBy::ALL.len()];
    cycles[BoundBy::Mesh as usize] = critical.delivery_cycles;
    cycles[BoundBy::Barrier as usize] = critical.barrier_cycles;
    for sender in &critical.senders {
        cycles[BoundBy::Mesh as usize] += sender.stalled_cycles;
        let core = cores.iter().find(|part| part.place.core.is_some() && part.place.core == sender.core);
        let Some(core) = core else {
            cycles[BoundBy::Host as usize] += sender.computing_cycles + sender.sending_cycles;
            continue;
        };
        cycles[BoundBy::Send as usize] += sender.sending_cycles;
        let kinds = UNITS.map(|(_, measure)| core.measure(measure));
        for ((by, _), part) in UNITS.iter().zip(apportion(sender.computing_cycles, &kinds)) {
            cycles[*by as usize] += part;
        }
    }
    let all = critical.cycles.max(1) as f64;
    let mut bounds: Vec<Bound> = BoundBy::ALL
        .iter()
        .map(|&by| {
            let cycles = cycles[by as usize];
            Bound { by, cycles, percent: 100.0 * cycles as f64 / all, relief: by.relief() }
        })
        .filter(|bound| bound.cycles > 0)
        .collect();
    bounds.sort_by_key(|bound| (std::cmp::Reverse(bound.cycles), bound.by));
    bounds
}

impl Roofline {
    /// Of a run; `None` where no time was kept.
    pub(super) fn of(image: &Image, counters: &Counters, total: &Measures, links: &[LinkPart]) -> Option<Roofline> {
        let timing = counters.timing?;
        let lanes = u64::from(image.chip.core.lanes);
        let ratio = |a: u64, b: u64| if b == 0 { 0.0 } else { a as f64 / b as f64 };
        let memories = [
            [Measure::SynapseReads, Measure::SynapseWrites],
            [Measure::NeuronReads, Measure::NeuronWrites],
            [Measure::AxonReads, Measure::AxonWrites],
        ];
        let accesses: u64 = memories.iter().flatten().map(|&measure| total[measure]).sum();
        // In a beat each lane moves an element of one memory, or computes one.
        let moved: u64 = [Measure::SynapsePortCycles, Measure::NeuronPortCycles, Measure::AxonPortCycles]
            .map(|measure| total[measure])
            .iter()
            .sum();
        let vector = total[Measure::VectorCycles] + moved;
        let elements = total[Measure::Elements];
        let used: Vec<f64> = links.iter().filter_map(|link| link.used_percent).collect();
        Some(Roofline {
            lanes,
            elements_per_computing_cycle: ratio(elements, total[Measure::ComputingCycles]),
            elements_per_cycle: ratio(elements, timing.cycles * cores_used(image)),
            elements_per_access: ratio(elements, accesses),
            roof: ratio(elements, vector).min(lanes as f64),
            fullest_link_percent: used.iter().copied().fold(0.0, f64::max),
            mean_link_percent: if used.is_empty() { 0.0 } else { used.iter().sum::<f64>() / used.len() as f64 },
            stalls_per_flit: ratio(timing.stalls, total[Measure::Flits]),
        })
    }
}
