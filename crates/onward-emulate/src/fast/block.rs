//! A block: its state, what arrives for it, the steps it runs in.

use super::arrivals::{Arrivals, Inlet};
use super::decode::Decoded;
use super::lanes::LaneTally;
use super::outlet::Outlet;
use super::tally::Tally;
use super::vector::Vectors;
use crate::counters::BlockCounters;
use crate::detail::WindowCounters;
use crate::fault::Fault;
use crate::host_simd::compiled_for_host;
use crate::index::OutletIndex;
use crate::memory::{Bank, PerMemory};
use onward_image::{BlockIndex, ProgramIndex};
use onward_isa::random;
use typed_index_collections::TiSlice;

/// A send as the network sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendRecord {
    /// Cycles of computing since the last packet of the send before, or since the step began.
    pub gap: u32,
    /// Packets.
    pub packets: u32,
    /// Route number.
    pub route: u32,
}

/// What a block did in a step, for the timing pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepRecord {
    /// Step within the chunk.
    pub step: u32,
    /// Its sends: a range of the block's list.
    pub sends: (u32, u32),
    /// Cycles after the last send.
    pub tail: u32,
}

/// A block's state between steps, and the records of the chunk that is running.
pub(crate) struct Block {
    pub number: BlockIndex,
    pub core: u32,
    pub program: ProgramIndex,
    pub entry: u32,
    pub tagged: bool,
    pub inlets: Vec<Inlet>,
    /// Those that are looked at in this chunk.
    sending: Vec<Inlet>,
    pub seed: u64,
    pub memory: PerMemory<Bank>,
    /// What it consumes in the step it runs in.
    arrivals: Arrivals,
    /// Executions of `vshrs` so far.
    pub draws: u32,
    pub tag: i32,
    /// Step the last tag was consumed in.
    pub tag_step: Option<u64>,
    pub awake: bool,
    /// What it counts.
    pub tally: Tally,
    /// Synapses that a spike on an axon reaches; of one number where they all are alike but for axon 0, which has none.
    fan_outs: FanOuts,
    pub records: Vec<StepRecord>,
    pub sends: Vec<SendRecord>,
    /// Its cycles with other lanes, where the run is recorded.
    pub lanes: Option<Box<LaneTally>>,
}

/// What of the chip a block must know.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub lanes: usize,
    pub vector_length: usize,
    pub dispatch_cycles: u32,
}

/// The steps that are run at once, on which chip.
#[derive(Clone, Copy)]
pub(crate) struct Chunk<'a> {
    pub first_step: u64,
    pub steps: usize,
    pub limits: Limits,
    pub programs: &'a TiSlice<ProgramIndex, Decoded>,
}

/// Registers and lists that a thread uses for one block after the other.
pub(crate) struct Scratch {
    pub(super) vectors: Vectors,
    pub(super) events: Vec<u32>,
}

impl Scratch {
    pub fn new(vector_length: usize) -> Self {
        Scratch { vectors: Vectors::new(vector_length), events: Vec::new() }
    }
}

/// How many synapses a spike on an axon reaches.
enum FanOuts {
    /// As many on each axon.
    Same(u64),
    /// By axon.
    Each(Box<[u32]>),
}

impl FanOuts {
    /// Those that an image has in runs.
    fn new(runs: &[(u32, u32)]) -> FanOuts {
        // Axon 0 takes tags, and is no event then.
        let others = if let [(1, 0), others @ ..] = runs { others } else { runs };
        match others {
            [] => FanOuts::Same(0),
            [(_, synapses), rest @ ..] if rest.iter().all(|(_, of_run)| of_run == synapses) => {
                FanOuts::Same((*synapses).into())
            }
            _ => {
                let each = runs.iter().flat_map(|&(axons, synapses)| std::iter::repeat_n(synapses, axons as usize));
                FanOuts::Each(each.collect())
            }
        }
    }

    /// The synapses that spikes on these axons reach.
    #[inline(always)]
    fn of(&self, axons: &[u32]) -> u64 {
        match self {
            FanOuts::Same(synapses) => axons.len() as u64 * synapses,
            FanOuts::Each(each) => axons.iter().map(|&axon| u64::from(each[axon as usize])).sum(),
        }
    }
}

impl Block {
    /// A block whose memories begin with `contents` and whose program has so many addresses.
    pub fn new(
        image: &onward_image::Block,
        contents: [Vec<u8>; 3],
        number: BlockIndex,
        addresses: usize,
        seed: u64,
    ) -> Self {
        Block {
            number,
            core: image.core.0,
            program: image.program,
            entry: image.entry,
            tagged: image.tagged,
            inlets: Vec::new(),
            sending: Vec::new(),
            seed: random::block_seed(seed, image.generator),
            memory: PerMemory(std::array::from_fn(|at| Bank::new(image.memory_bytes[at] as usize, &contents[at]))),
            arrivals: Arrivals::new(image.axons as usize),
            draws: 0,
            tag: 0,
            tag_step: None,
            awake: false,
            tally: Tally::new(addresses),
            fan_outs: FanOuts::new(&image.fan_outs),
            records: Vec::new(),
            sends: Vec::new(),
            lanes: None,
        }
    }

    /// From here on keeps its cycles with other lanes.
    pub fn keep_lanes(&mut self) {
        self.lanes = Some(Box::new(LaneTally::new(self.tally.now.addresses.len())));
    }

    /// Makes room for payloads, once it is known that some packets are graded or that handlers read payloads: `read`.
    pub fn take_payloads(&mut self, axons: usize, read: bool) {
        self.arrivals.take_payloads(axons, read);
    }

    /// Runs the block's part of a chunk; [`run_chunk`] is the way in. `others` are the outlets it reads from, `own` those of its routes.
    #[inline(always)]
    fn run_chunk<const RECORDS: bool>(
        &mut self,
        chunk: Chunk,
        others: &TiSlice<OutletIndex, Outlet>,
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        // Only sources that sent anything in this chunk are looked at step by step; the others' slots mean nothing.
        self.choose_inlets(|inlet| others[inlet.outlet].any());
        if !self.awake && self.sending.is_empty() {
            return Ok(());
        }
        for slot in 0..chunk.steps {
            if self.collect(slot, |outlet| &others[outlet]) {
                self.run_slot::<RECORDS>(chunk, slot, own, scratch)?;
            }
        }
        Ok(())
    }

    /// Forgets the records of the last chunk.
    pub fn begin_chunk(&mut self) {
        self.records.clear();
        self.sends.clear();
        if let Some(lanes) = &mut self.lanes {
            lanes.begin_chunk();
        }
    }

    /// Says which inlets are looked at in this chunk: those the rule holds for.
    pub fn choose_inlets(&mut self, sends: impl Fn(&Inlet) -> bool) {
        self.sending.clear();
        self.sending.extend(self.inlets.iter().copied().filter(sends));
    }

    /// Reads what arrives in a step. Returns whether the block runs in it.
    #[inline(always)]
    pub fn collect<'a>(&mut self, slot: usize, outlet: impl Fn(OutletIndex) -> &'a Outlet) -> bool {
        self.arrivals.collect(slot, &self.sending, outlet);
        self.arrivals.any() || self.awake
    }

    /// Runs one step ([`run_slot`] is the way in) on what [`Block::collect`] read.
    #[inline(always)]
    fn run_slot<const RECORDS: bool>(
        &mut self,
        chunk: Chunk,
        slot: usize,
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        let step = chunk.first_step + slot as u64;
        if self.tagged
            && let Some(tag) = self.arrivals.take_first()
        {
            self.tag = tag;
            self.tag_step = Some(step);
            self.tally.open(tag);
        }
        self.arrivals.list(&mut scratch.events);
        let counted = &mut self.tally.now;
        counted.events += scratch.events.len() as u64;
        counted.synapses += self.fan_outs.of(&scratch.events);
        counted.steps += 1;
        let first_send = self.sends.len() as u32;
        let program = &chunk.programs[self.program];
        let tail = self.interpret::<RECORDS>(program, (step, slot + 1), own, chunk.limits, scratch)?;
        let sends = (first_send, self.sends.len() as u32);
        self.records.push(StepRecord { step: slot as u32, sends, tail });
        self.arrivals.forget(&scratch.events);
        Ok(())
    }

    /// Counters since the machine was made; `own` are the outlets of its routes.
    pub fn counters(&self, program: &Decoded, own: &[Outlet]) -> BlockCounters {
        let WindowCounters { addresses, steps, cycles, events, synapses } = program.with_scalars(self.tally.total());
        BlockCounters {
            block: self.number,
            saturated: addresses.iter().map(|counts| counts.saturated).sum(),
            addresses,
            steps,
            cycles,
            events,
            synapses,
            packets: own.iter().map(Outlet::sent).collect(),
        }
    }

    /// The payload of an active axon.
    #[inline(always)]
    pub fn payload_of(&self, axon: u32) -> i32 {
        self.arrivals.payload(axon)
    }

    /// Payloads by axon, 0 where inactive; none if handlers never read them as a memory.
    #[inline(always)]
    pub fn payloads(&self) -> &[i32] {
        self.arrivals.payloads()
    }
}

compiled_for_host! {
    /// [`Block::run_chunk`] on what the host can do.
    pub(crate) fn run_chunk(
        block: &mut Block,
        chunk: Chunk,
        others: &TiSlice<OutletIndex, Outlet>,
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        match block.lanes {
            None => block.run_chunk::<false>(chunk, others, own, scratch),
            Some(_) => block.run_chunk::<true>(chunk, others, own, scratch),
        }
    }
}

compiled_for_host! {
    /// [`Block::run_slot`] on what the host can do.
    pub(crate) fn run_slot(
        block: &mut Block,
        chunk: Chunk,
        slot: usize,
        own: &mut [Outlet],
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        match block.lanes {
            None => block.run_slot::<false>(chunk, slot, own, scratch),
            Some(_) => block.run_slot::<true>(chunk, slot, own, scratch),
        }
    }
}
