//! A chip with an image loaded: runs steps, takes inputs, gives outputs.

mod chunk;
mod detail;
mod inputs;
mod load;
mod port;
mod record;
mod wiring;

use crate::StepLog;
use crate::awake::Groups;
use crate::counters::{Counters, TimingTotals};
use crate::engine::{Engine, Feed};
use crate::fast::{Block, Decoded, IndexCounts, Limits, Outlet, Scratch};
use crate::fault::Fault;
use crate::host_simd::Simd;
use crate::index::{OutletIndex, Place};
use crate::memory::Memory;
use crate::mesh::MeshError;
use crate::record::{Recorder, RunPhase};
use crate::timing::Timing;
use detail::ShownCounts;
use onward_image::{BlockIndex, Image, ProgramIndex, Symbol, indices};
use onward_isa::Space;
use port::NamedArray;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use typed_index_collections::TiVec;

/// How a machine is run. Nothing here changes an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The run's seed; with the blocks' logical numbers it seeds their generators.
    pub seed: u64,
    /// Whether cycles are kept (`--timing cycle`) or left out.
    pub timing: bool,
    /// Host threads, at least 1.
    pub threads: usize,
}

/// Why a machine cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The mesh of the image is not one.
    #[error("the image's routes do not fit its chip: {0}")]
    Mesh(#[from] MeshError),
    /// No threads.
    #[error("host threads cannot be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The image contradicts itself.
    #[error("the image is damaged: {0}")]
    Image(String),
}

/// A packet that reached the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Step it was sent in.
    pub step: u64,
    /// Block that sent it; `None` for the host itself.
    pub sender: Option<BlockIndex>,
    /// Its index.
    pub index: u32,
    /// Its payload.
    pub payload: i32,
}

/// A chip with an image loaded.
pub struct Machine {
    blocks: TiVec<Place, Block>,
    place: TiVec<BlockIndex, Place>,
    /// For each place, its outlets; the host's come first of all.
    outlet_ranges: TiVec<Place, Range<OutletIndex>>,
    outlets: TiVec<OutletIndex, Outlet>,
    host_inputs: usize,
    /// For each part of a host input, the input's index that its index 0 stands for.
    host_firsts: Vec<u32>,
    /// Who runs when.
    groups: Groups,
    programs: TiVec<ProgramIndex, Decoded>,
    /// Outlets the host takes.
    to_host: Vec<(OutletIndex, Option<BlockIndex>)>,
    limits: Limits,
    simd: Simd,
    pool: rayon::ThreadPool,
    /// One a thread.
    scratches: Vec<Mutex<Scratch>>,
    /// Behind a lock because steps that wait to be timed are timed when someone asks how long they took.
    timing: Option<Mutex<Timing>>,
    step: u64,
    configuration_bits: u64,
    symbols: TiVec<BlockIndex, Vec<Symbol>>,
    /// Cores of the chip.
    cores: usize,
    /// Packets by index of each outlet, where that is asked for; those of the host's inputs are not counted.
    index_counts: Option<TiVec<OutletIndex, IndexCounts>>,
    /// What the host sends, by the window that it shows, where that is asked for.
    shown: Option<ShownCounts>,
    /// The host's inputs of tags, and parts of such.
    tags: Vec<usize>,
    /// The record that is being made, if one is.
    recorder: Option<Recorder>,
}

impl Machine {
    /// For each part of a host input, how many indices its packets can have.
    pub fn host_inputs(&self) -> Vec<u32> {
        self.outlets.raw[..self.host_inputs].iter().map(|outlet| outlet.indices() as u32).collect()
    }

    /// The block with a logical number.
    fn block(&self, number: BlockIndex) -> &Block {
        &self.blocks[self.place[number]]
    }

    fn block_mut(&mut self, number: BlockIndex) -> &mut Block {
        &mut self.blocks[self.place[number]]
    }

    /// The outlets of the host's inputs.
    fn host_outlets(&self) -> impl Iterator<Item = OutletIndex> + use<> {
        indices(OutletIndex::default()..OutletIndex::from(self.host_inputs))
    }

    /// A byte of a block's memory.
    ///
    /// # Panics
    /// If there is no such block or byte, or the space is that of the payloads.
    pub(crate) fn byte_mut(&mut self, block: BlockIndex, space: Space, at: usize) -> &mut u8 {
        let memory = Memory::of_space(space).expect("payloads lie in no memory");
        &mut self.block_mut(block).memory[memory].bytes_mut()[at]
    }

    fn timing_totals(&self) -> Option<TimingTotals> {
        let timing = self.timing.as_ref()?;
        let mut timing = timing.lock().unwrap_or_else(PoisonError::into_inner);
        let timing = &mut *timing;
        Some(self.pool.install(|| timing.totals()))
    }

    fn named_array(&self, block: BlockIndex, name: &str) -> Option<NamedArray> {
        NamedArray::find(self.symbols.get(block)?, name)
    }
}

impl Engine for Machine {
    fn run_fed(&mut self, steps: usize, feed: &mut dyn FnMut(&mut dyn Feed)) -> Result<Vec<Output>, Fault> {
        self.run(steps, |inputs| feed(inputs))
    }

    fn step(&self) -> u64 {
        self.step
    }

    fn cycles(&self) -> Option<u64> {
        self.timing_totals().map(|totals| totals.cycles)
    }

    fn is_busy(&self) -> bool {
        // What only the host reads wakes nobody.
        let arrives = |outlet: OutletIndex| self.groups.has_readers(outlet) && self.outlets[outlet].is_pending();
        self.host_outlets().any(arrives)
            || self
                .groups
                .running_places()
                .any(|place| self.blocks[place].awake || indices(self.outlet_ranges[place].clone()).any(arrives))
    }

    fn counters(&self) -> Counters {
        let counters_at = |&place: &Place| {
            let block = &self.blocks[place];
            block.counters(&self.programs[block.program], &self.outlets[self.outlet_ranges[place].clone()].raw)
        };
        Counters {
            steps: self.step,
            blocks: self.place.iter().map(counters_at).collect(),
            host_packets: self.outlets.raw[..self.host_inputs].iter().map(Outlet::sent).collect(),
            timing: self.timing_totals(),
            configuration_bits: self.configuration_bits,
            detail: self.detail(),
        }
    }

    fn count_in_detail(&mut self) {
        self.begin_detail();
    }

    fn log_steps(&mut self, log: Box<dyn StepLog>) {
        if let Some(timing) = &mut self.timing {
            let timing = timing.get_mut().unwrap_or_else(PoisonError::into_inner);
            self.pool.install(|| timing.log_steps(log));
        }
    }

    fn take_step_log(&mut self) -> Option<Box<dyn StepLog>> {
        let timing = self.timing.as_mut()?.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.pool.install(|| timing.take_log())
    }

    fn begin_phase(&mut self, phase: RunPhase) {
        self.record_phase(phase);
    }

    fn begin_record(&mut self, image: &Image, to: Box<dyn Write + Send>) -> io::Result<bool> {
        self.record(image, to).map(|()| true)
    }

    fn end_record(&mut self, about: &[u8]) -> io::Result<()> {
        self.finish_record(about)
    }

    fn draws(&self) -> Vec<u32> {
        self.place.iter().map(|&place| self.blocks[place].draws).collect()
    }

    fn memory(&self, block: BlockIndex, space: Space) -> &[u8] {
        let memory = Memory::of_space(space).expect("payloads lie in no memory");
        self.block(block).memory[memory].bytes()
    }

    fn peek(&self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>> {
        let array = self.named_array(block, symbol)?;
        Some(array.read(&self.block(block).memory[array.memory]))
    }

    fn read(&mut self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>> {
        self.configuration_bits += self.named_array(block, symbol)?.bits();
        self.peek(block, symbol)
    }

    fn write(&mut self, block: BlockIndex, symbol: &str, values: &[i32]) -> bool {
        let array = self.named_array(block, symbol).filter(|array| array.elements == values.len());
        let Some(array) = array else { return false };
        self.configuration_bits += array.bits();
        array.write(&mut self.block_mut(block).memory[array.memory], values);
        true
    }

    fn sent(&self, block: BlockIndex, route: usize, tell: &mut dyn FnMut(u64, u32, i32)) {
        let outlet = &self.outlets.raw[usize::from(self.outlet_ranges[self.place[block]].start) + route];
        // What did not run in a chunk holds nothing.
        if outlet.any() {
            let first = self.step - outlet.steps() as u64;
            for (slot, step) in (1..=outlet.steps()).zip(first..) {
                outlet.for_each(slot, |index, payload| tell(step, index, payload));
            }
        }
    }
}
