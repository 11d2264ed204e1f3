//! The pieces of a run: what is measured at one place, in one phase.

use super::measures::{Measure, Measures, apportion};
use super::parts::{Elsewhere, PhaseKind, Spot};
use crate::activity::is_own;
use crate::energy::{Bill, cores_used};
use crate::program::{Executed, executed, executed_at};
use crate::routes::RouteCost;
use onward_chip::Costs;
use onward_emulate::{BlockCounters, Counters, Detail, Shown, Window};
use onward_image::{BlockIndex, Endpoint, Image, PopulationKind, Program, ProgramIndex};
use onward_isa::{Access, Cycles, Instruction, Op, Space};
use std::collections::BTreeMap;
use typed_index_collections::TiVec;

/// Sums of pieces, put together in several ways.
#[derive(Default)]
pub(super) struct Pieces {
    pub total: Measures,
    pub by_phase: BTreeMap<PhaseKind, Measures>,
    /// By phase, and in an update by the number of what an instruction is for.
    pub by_purpose: BTreeMap<(PhaseKind, Option<usize>), Measures>,
    /// What instructions are for, by number.
    pub purposes: Vec<String>,
    pub by_block: BTreeMap<BlockIndex, Measures>,
    pub by_spot: BTreeMap<(ProgramIndex, Spot), Measures>,
    pub elsewhere: BTreeMap<Elsewhere, Measures>,
}

/// Where a piece belongs.
#[derive(Clone, Copy)]
enum Place {
    Block(BlockIndex, Spot),
    Elsewhere(Elsewhere),
}

/// What is needed to measure.
struct Builder<'a> {
    image: &'a Image,
    costs: &'a Costs,
    timed: bool,
    /// For each program, the number of what each word is for.
    purposes: TiVec<ProgramIndex, Vec<Option<usize>>>,
    pieces: Pieces,
}

/// All pieces of a run.
pub(super) fn pieces(
    image: &Image,
    counters: &Counters,
    detail: &Detail,
    learning: Option<&Counters>,
    costs: &Costs,
) -> Pieces {
    let (names, purposes) = purposes(image);
    let pieces = Pieces { purposes: names, ..Pieces::default() };
    let mut builder = Builder { image, costs, timed: counters.timing.is_some(), purposes, pieces };
    for (block, detail) in counters.blocks.iter().zip(&detail.blocks) {
        builder.block(block, &detail.windows);
    }
    let is_network = image.network.input().is_some();
    for (&window, shown) in Window::ALL.iter().zip(&detail.shown) {
        builder.shown(shown, PhaseKind::of_host(window), counters, detail);
    }
    // The host configures between steps, while it shows nothing.
    let learned = learning.map_or(0, |learning| learning.configuration_bits);
    let tested = if is_network { PhaseKind::TestingConfiguration } else { PhaseKind::Rest };
    for (bits, phase) in [(learned, PhaseKind::LearningConfiguration), (counters.configuration_bits - learned, tested)]
    {
        let mut bill = Bill::new(costs);
        bill.configuration(bits);
        builder.add(Place::Elsewhere(Elsewhere::Chip), phase, &Measures::from(bill.energy));
    }
    builder.pieces
}

/// The purposes that programs name, in the order in which they do, and for each program the number of each word's.
fn purposes(image: &Image) -> (Vec<String>, TiVec<ProgramIndex, Vec<Option<usize>>>) {
    let mut names: Vec<String> = Vec::new();
    let mut number = |name: &str| {
        names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        })
    };
    let of_program =
        |program: &Program| (0..program.words.len()).map(|at| program.purpose(at).map(&mut number)).collect();
    let of_words = image.programs.iter().map(of_program).collect();
    (names, of_words)
}

impl Builder<'_> {
    fn add(&mut self, place: Place, phase: PhaseKind, measures: &Measures) {
        let purpose = match place {
            Place::Block(block, spot) if phase == PhaseKind::Update => self.purpose(block, spot),
            _ => None,
        };
        let Pieces { total, by_phase, by_purpose, by_block, by_spot, elsewhere, .. } = &mut self.pieces;
        *total += measures;
        *by_phase.entry(phase).or_default() += measures;
        *by_purpose.entry((phase, purpose)).or_default() += measures;
        match place {
            Place::Block(block, spot) => {
                *by_block.entry(block).or_default() += measures;
                *by_spot.entry((self.image.blocks[block].program, spot)).or_default() += measures;
            }
            Place::Elsewhere(what) => *elsewhere.entry(what).or_default() += measures,
        }
    }

    /// The number of what an instruction is for.
    fn purpose(&self, block: BlockIndex, spot: Spot) -> Option<usize> {
        let Spot::Address(at) = spot else { return None };
        self.purposes[self.image.blocks[block].program].get(at).copied().flatten()
    }

    /// What a block did, window by window, address by address.
    fn block(&mut self, counters: &BlockCounters, windows: &[onward_emulate::WindowCounters]) {
        let (number, image) = (counters.block, self.image);
        let block = &image.blocks[number];
        let from = Endpoint::Core(block.core);
        let routes: Vec<RouteCost> = block.routes.iter().map(|route| RouteCost::of(image, from, route)).collect();
        let is_relay = image.population(block).kind == PopulationKind::Relay;
        let compared = comparisons(image, counters);
        let synapses_of_axons: u64 =
            block.fan_outs.iter().map(|&(axons, each)| u64::from(axons) * u64::from(each)).sum();
        let mut cells: Vec<(Window, Spot, Measures)> = Vec::new();
        // Of each cell, the synapses it read in a loop over active axons.
        let mut reads: Vec<u64> = Vec::new();
        for (&window, counted) in Window::ALL.iter().zip(windows) {
            let first = cells.len();
            for executed in executed_at(image, number, &counted.addresses) {
                let mut measures = self.instruction(&executed);
                let op = executed.instruction.op;
                if matches!(op, Op::Spike | Op::Send | Op::Vsend)
                    && let Some(route) = routes.get(executed.instruction.imm as usize)
                {
                    self.packets(&mut measures, from, executed.elements, route);
                }
                if op == Op::Spike && !is_relay && !is_own(block, &executed) {
                    let comparison = compared.get(&executed.address).and_then(|&at| counted.addresses.get(at));
                    measures[Measure::NeuronUpdates] += comparison.map_or(0, |counts| counts.elements);
                    measures[Measure::Spikes] += executed.elements;
                }
                let is_read = op.description().access == Access::Read
                    && executed.instruction.space == Space::Synapse
                    && executed.in_foreach;
                reads.push(if is_read { executed.accesses() } else { 0 });
                cells.push((window, Spot::Address(executed.address), measures));
            }
            // Dispatches, and what cannot be said of an instruction.
            let mut measures = Measures::default();
            let computed = counted.addresses.iter().map(|counts| counts.cycles).sum::<u64>();
            measures[Measure::ComputingCycles] = counted.cycles - computed;
            measures[Measure::SequencerCycles] = counted.cycles - computed;
            let mut bill = Bill::new(self.costs);
            bill.dispatch(counted.steps);
            if self.timed {
                bill.running(counted.cycles - computed);
            }
            measures.energy = bill.energy;
            if window != Window::None {
                measures[Measure::DenseEvents] = synapses_of_axons * counted.steps;
            }
            reads.push(0);
            cells.push((window, Spot::Dispatch, measures));
            // Synaptic events of the window, by what was read in it; of none, they are the dispatch's.
            if !block.fan_outs.is_empty() {
                let mut of_window = reads[first..].to_vec();
                if of_window.iter().all(|&read| read == 0)
                    && let Some(dispatch) = of_window.last_mut()
                {
                    *dispatch = 1;
                }
                for ((_, _, measures), events) in cells[first..].iter_mut().zip(apportion(counted.synapses, &of_window))
                {
                    measures[Measure::SynapticEvents] += events;
                }
            }
        }
        let read = reads.iter().sum::<u64>();
        if block.fan_outs.is_empty() {
            cells.iter_mut().zip(&reads).for_each(|((_, _, measures), &read)| {
                measures[Measure::SynapticEvents] += read;
            });
        } else {
            let halo = read.saturating_sub(counters.synapses);
            for ((_, _, measures), halo) in cells.iter_mut().zip(apportion(halo, &reads)) {
                measures[Measure::HaloReads] += halo;
            }
        }
        for (window, spot, measures) in &cells {
            let updates = self.purpose(number, *spot).is_some();
            let phase = match window {
                Window::None => PhaseKind::NoWindow,
                Window::Test => PhaseKind::Testing,
                Window::Input | Window::Target if updates => PhaseKind::Update,
                Window::Input => PhaseKind::InputWindow,
                Window::Target => PhaseKind::TargetWindow,
            };
            self.add(Place::Block(number, *spot), phase, measures);
        }
    }

    /// What an instruction did, without the packets it sent and the synaptic events.
    fn instruction(&self, executed: &Executed) -> Measures {
        let mut measures = Measures::default();
        let description = executed.instruction.op.description();
        let unit = match (description.cycles, executed.instruction.space) {
            (Cycles::Vector | Cycles::Reduce, _) => Measure::VectorCycles,
            (Cycles::VectorMemory | Cycles::Element, Space::Synapse) => Measure::SynapsePortCycles,
            (Cycles::VectorMemory | Cycles::Element, Space::Neuron) => Measure::NeuronPortCycles,
            (Cycles::VectorMemory | Cycles::Element, Space::Axon | Space::Event) => Measure::AxonPortCycles,
            _ => Measure::SequencerCycles,
        };
        measures[Measure::ComputingCycles] = executed.cycles;
        measures[unit] = executed.cycles;
        measures[Measure::Instructions] = executed.executions;
        if !matches!(description.cycles, Cycles::Send) {
            measures[Measure::Elements] = executed.elements;
        }
        measures[Measure::Saturations] = executed.saturated;
        let accesses = executed.accesses();
        let memory = match executed.instruction.space {
            Space::Synapse => Some((Measure::SynapseReads, Measure::SynapseWrites)),
            Space::Neuron => Some((Measure::NeuronReads, Measure::NeuronWrites)),
            Space::Axon => Some((Measure::AxonReads, Measure::AxonWrites)),
            Space::Event => None,
        };
        if let Some((read, write)) = memory {
            if matches!(description.access, Access::Read | Access::Update) {
                measures[read] += accesses;
            }
            if matches!(description.access, Access::Write | Access::Update) {
                measures[write] += accesses;
                if executed.instruction.space == Space::Synapse {
                    measures[Measure::SynapticUpdates] += accesses;
                }
            }
        }
        if description.updates.is_some() {
            measures[Measure::NeuronReads] += accesses;
            measures[Measure::NeuronWrites] += accesses;
        }
        let mut bill = Bill::new(self.costs);
        bill.executed(executed, self.timed);
        if self.timed {
            bill.running(executed.cycles);
        }
        measures.energy = bill.energy;
        measures
    }

    /// Adds packets that were sent to a route.
    fn packets(&self, measures: &mut Measures, from: Endpoint, packets: u64, route: &RouteCost) {
        measures[Measure::Packets] += if route.flits > 0 { packets } else { 0 };
        measures[Measure::Flits] += packets * route.flits;
        measures[Measure::Hops] += packets * route.hops;
        measures[Measure::Crossings] += packets * route.crossings;
        if matches!(from, Endpoint::Core(_)) {
            measures[Measure::SendingCycles] += packets * route.flits;
        }
        let mut bill = Bill::new(self.costs);
        bill.packets(from, packets, route, self.timed);
        measures.energy += bill.energy;
    }

    /// What took time, and what the host sent, while it showed windows of one kind.
    fn shown(&mut self, shown: &Shown, phase: PhaseKind, counters: &Counters, detail: &Detail) {
        let (image, costs) = (self.image, self.costs);
        let host = Endpoint::Host(image.host_port);
        let mut measures = Measures::default();
        for (input, &packets) in image.host_inputs.iter().zip(&shown.host_packets) {
            self.packets(&mut measures, host, packets, &RouteCost::of(image, host, &input.route));
        }
        // The bill counts a flit that waits as a cycle of the clock, also at the host's port.
        let mut bill = Bill::new(costs);
        bill.running(shown.host_stalls.iter().sum());
        measures.energy += bill.energy;
        self.add(Place::Elsewhere(Elsewhere::Host), phase, &measures);
        let mut bill = Bill::new(costs);
        bill.chip(image, shown.steps, self.timed.then_some(shown.cycles));
        let measures = Measures::from(bill.energy);
        self.add(Place::Elsewhere(Elsewhere::Chip), phase, &measures);
        if !self.timed {
            return;
        }
        let idle = (image.chip.mesh.cores() as u64).saturating_sub(cores_used(image));
        let mut bill = Bill::new(costs);
        bill.idle_cores(idle, shown.cycles, image.chip.clock_hz);
        let mut measures = Measures::from(bill.energy);
        measures[Measure::BarrierCycles] = idle * shown.barrier_cycles;
        measures[Measure::IdleCycles] = idle * (shown.cycles - shown.barrier_cycles);
        self.add(Place::Elsewhere(Elsewhere::IdleCores), phase, &measures);
        self.stalls(shown, phase, counters);
        let mut blocks: BTreeMap<u32, Vec<BlockIndex>> = BTreeMap::new();
        for (number, block) in image.blocks.iter_enumerated() {
            blocks.entry(block.core.0).or_default().push(number);
        }
        for (core, blocks) in blocks {
            let busy: Vec<u64> = blocks.iter().map(|&block| busy(image, block, counters, detail)).collect();
            self.waiting((shown, phase), core as usize, &blocks, &busy);
        }
    }

    /// Cycles in which flits of blocks waited, at the instructions that sent them.
    fn stalls(&mut self, shown: &Shown, phase: PhaseKind, counters: &Counters) {
        for (counted, stalls) in counters.blocks.iter().zip(&shown.stalls) {
            let waited = stalls.iter().enumerate().filter(|(_, stalls)| **stalls > 0);
            for (route, &stalls) in waited {
                let is_send = |executed: &Executed| {
                    let Instruction { op, imm, .. } = executed.instruction;
                    matches!(op, Op::Spike | Op::Send | Op::Vsend) && imm as usize == route
                };
                let sends: Vec<Executed> = executed(self.image, counted).filter(is_send).collect();
                let packets: Vec<u64> = sends.iter().map(|send| send.elements).collect();
                for (send, stalled) in sends.iter().zip(apportion(stalls, &packets)) {
                    let mut bill = Bill::new(self.costs);
                    bill.running(stalled);
                    let mut measures = Measures::from(bill.energy);
                    measures[Measure::StalledCycles] = stalled;
                    self.add(Place::Block(counted.block, Spot::Address(send.address)), phase, &measures);
                }
            }
        }
    }

    /// What a core does when it does nothing, shared out to its blocks by the cycles they were busy.
    fn waiting(&mut self, (shown, phase): (&Shown, PhaseKind), core: usize, blocks: &[BlockIndex], busy: &[u64]) {
        let timing = shown.cores[core];
        let (cycles, barrier) = (shown.cycles, shown.barrier_cycles);
        let [waiting, barrier, idle, cycles] =
            [timing.step_cycles - timing.done_cycles, barrier, cycles - barrier - timing.step_cycles, cycles]
                .map(|cycles| apportion(cycles, busy));
        for (at, &block) in blocks.iter().enumerate() {
            let mut bill = Bill::new(self.costs);
            bill.cores(1, cycles[at], self.image.chip.clock_hz);
            let mut measures = Measures::from(bill.energy);
            measures[Measure::WaitingCycles] = waiting[at];
            measures[Measure::BarrierCycles] = barrier[at];
            measures[Measure::IdleCycles] = idle[at];
            self.add(Place::Block(block, Spot::Waiting), phase, &measures);
        }
    }
}

/// Cycles in which a block computed, sent, or waited for the network, over the whole run.
fn busy(image: &Image, block: BlockIndex, counters: &Counters, detail: &Detail) -> u64 {
    let counted = &counters.blocks[usize::from(block)];
    let routes = image.blocks[block].routes.iter();
    let flits = routes.zip(&counted.packets).map(|(route, packets)| route.flits.len() as u64 * packets);
    counted.cycles + flits.sum::<u64>() + detail.blocks[block].stalls.iter().sum::<u64>()
}

/// For the address of each `spike` that ran that of the comparison whose outcome it sends: the last one before it that ran.
fn comparisons(image: &Image, block: &BlockCounters) -> BTreeMap<usize, usize> {
    let mut last = [None; 4];
    let mut found = BTreeMap::new();
    for executed in executed(image, block) {
        let Instruction { op, a, d, .. } = executed.instruction;
        if matches!(op, Op::Vcge | Op::Vcges) {
            last[usize::from(d & 3)] = Some(executed.address);
        }
        if op == Op::Spike {
            found.extend(last[usize::from(a & 3)].map(|comparison| (executed.address, comparison)));
        }
    }
    found
}
