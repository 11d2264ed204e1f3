//! The whole chip, step by step.

use super::core::{Block, Tracer};
use super::memory;
use super::network::Timing;
use super::step::Step;
use super::trace::TraceLine;
use super::watch::{Watch, Watcher};
use crate::memory::Memory;
use crate::{
    BlockDetail, Counters, Detail, Engine, Fault, Feed, HostPacket, MachineError, Options, Output, Shown, StepLog,
    Window,
};
use onward_image::{BlockIndex, Image, Symbol};
use onward_isa::{Space, Width};
use typed_index_collections::TiVec;

/// A chip with an image loaded, run by the reference engine.
pub struct Machine {
    pub(super) image: Image,
    pub(super) blocks: TiVec<BlockIndex, Block>,
    pub(super) timing: Option<Timing>,
    pub(super) step: u64,
    /// The step under way; between two steps there is none.
    pub(super) under_way: Option<Step>,
    pub(super) host_packets: Vec<u64>,
    configuration_bits: u64,
    /// Whether it was asked to count in detail.
    counts_in_detail: bool,
    /// The window that the host shows.
    pub(super) window: Window,
    /// What it sends, by window; without time.
    pub(super) shown: [Shown; Window::ALL.len()],
    /// What the blocks sent in the chunk that ran last.
    sent: Vec<SentPacket>,
    /// Who is told of instructions, of which cores (all if none is named) and steps.
    tracer: Option<(TraceSelection, Box<Tracer<'static>>)>,
    /// Who sees steps cycle by cycle.
    watch: Option<Watch>,
}

/// Which instructions a trace shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSelection {
    /// Cores; all if there are none.
    pub cores: Vec<u32>,
    /// Steps.
    pub steps: std::ops::RangeInclusive<u64>,
}

/// A packet that a block sent by one of its routes.
#[derive(Clone, Copy)]
struct SentPacket {
    block: BlockIndex,
    route: usize,
    step: u64,
    index: u32,
    payload: i32,
}

impl Machine {
    /// Loads an image. Of the options, `threads` means nothing here.
    ///
    /// # Errors
    /// The image contradicts itself, or its routes do not fit its mesh.
    pub fn new(image: &Image, options: Options) -> Result<Machine, MachineError> {
        image.check().map_err(MachineError::Image)?;
        let blocks = image.blocks.iter_enumerated().map(|(number, block)| {
            let mut made = Block::new(block, number, &image.programs[block.program], options.seed);
            made.draws = image.learned.draws.get(usize::from(number)).copied().unwrap_or(0);
            made
        });
        Ok(Machine {
            blocks: blocks.collect(),
            timing: if options.timing { Some(Timing::new(image)?) } else { None },
            step: 0,
            under_way: None,
            host_packets: vec![0; image.host_inputs.len()],
            configuration_bits: 0,
            counts_in_detail: false,
            window: Window::default(),
            shown: std::array::from_fn(|_| Shown::of_inputs(image.host_inputs.len())),
            sent: Vec::new(),
            tracer: None,
            watch: None,
            image: image.clone(),
        })
    }

    /// Has `tracer` told of each instruction of the selection that was executed.
    pub fn trace(&mut self, selection: TraceSelection, tracer: impl FnMut(TraceLine) + 'static) {
        self.tracer = Some((selection, Box::new(tracer)));
    }

    /// Has traces show all elements of vectors, not the first few and a hash of all.
    pub fn show_whole_vectors(&mut self, whole: bool) {
        self.blocks.iter_mut().for_each(|block| block.shows_whole = whole);
    }

    /// Has `watcher` told of each step of the selection, with what its cores did cycle by cycle, where time is kept; without timing
    /// of none.
    pub fn watch(&mut self, selection: TraceSelection, watcher: Box<Watcher>) {
        if let Some(timing) = &mut self.timing {
            timing.observes = true;
            self.watch = Some(Watch { selection, watcher, executed: Vec::new() });
        }
    }

    /// Runs `steps` steps with these packets from the host, in any order. Returns what reached the host, by step, sender
    /// (the host itself, then blocks by number), route and index.
    ///
    /// # Errors
    /// A handler did what the machine does not allow. The machine cannot be used any more.
    ///
    /// # Panics
    /// If a packet's step, input or index does not exist, it comes twice, or it has a payload that its input cannot
    /// carry (1, unless it takes tags).
    pub fn run(&mut self, steps: usize, packets: &[HostPacket]) -> Result<Vec<Output>, Fault> {
        assert!(packets.iter().all(|packet| packet.step < steps), "the step of a packet is one of the chunk");
        let mut outputs = Vec::new();
        self.sent.clear();
        for step in 0..steps {
            let packets: Vec<HostPacket> = packets.iter().copied().filter(|packet| packet.step == step).collect();
            match self.run_step(&packets) {
                Ok(reached) => outputs.extend(reached),
                Err(fault) => {
                    self.under_way = None;
                    return Err(Fault { reached: outputs, ..fault });
                }
            }
        }
        Ok(outputs)
    }

    fn run_step(&mut self, host_packets: &[HostPacket]) -> Result<Vec<Output>, Fault> {
        self.begin_step(host_packets);
        let (mut tracing, mut watch) = (self.tracer.take(), self.watch.take());
        let (step, begin) = (self.step, self.timing.as_ref().map_or(0, |timing| timing.totals.cycles));
        let mut traces = Vec::new();
        let ended = loop {
            let core = self.current().map(|current| current.core());
            let told = tracing.as_mut().filter(|(selection, _)| {
                let TraceSelection { cores, steps } = selection;
                steps.contains(&self.step) && (cores.is_empty() || core.is_some_and(|core| cores.contains(&core)))
            });
            if let (Some(watch), Some(current)) = (&mut watch, self.current()) {
                watch.note(current);
            }
            if core.is_none() {
                self.note_sent();
                if watch.is_some() {
                    traces = self.traces_of_step();
                }
            }
            match self.advance(told.map(|(_, tracer)| &mut **tracer)) {
                Ok(None) => {}
                Ok(Some(outputs)) => break Ok(outputs),
                Err(fault) => break Err(fault),
            }
        };
        self.tracer = tracing;
        if let Some(watch) = &mut watch {
            self.tell_watcher(watch, step, begin, &traces);
        }
        self.watch = watch;
        ended
    }

    /// Tells whoever watches of a step that is over.
    fn tell_watcher(&self, watch: &mut Watch, step: u64, begin: u64, computed: &[(BlockIndex, u64)]) {
        let Some(timing) = self.timing.as_ref().filter(|_| watch.selection.steps.contains(&step)) else { return };
        let watched = timing.observed.step(watch, computed);
        let end = timing.totals.cycles - begin;
        let barrier_cycles = end - watched.cycles;
        (watch.watcher)(&super::WatchedStep { step, begin, barrier_cycles, ..watched }, self);
    }

    /// The blocks that have run in the step under way, with the cycles that they computed.
    fn traces_of_step(&self) -> Vec<(BlockIndex, u64)> {
        let traces = self.under_way.iter().flat_map(|step| &step.traces);
        traces
            .map(|(block, trace)| (*block, trace.sends.iter().map(|send| send.gap).sum::<u64>() + trace.tail))
            .collect()
    }

    /// Keeps what the blocks have sent in the step under way, in which all have run.
    fn note_sent(&mut self) {
        let (step, mut sent) = (self.step, std::mem::take(&mut self.sent));
        for send in self.sent_in_step() {
            let of_packet = |&(index, payload): &(u32, i32)| SentPacket {
                block: send.block,
                route: send.route,
                step,
                index,
                payload,
            };
            sent.extend(send.packets.iter().map(of_packet));
        }
        self.sent = sent;
    }

    /// What was counted in detail, if that was asked for.
    fn detail(&self) -> Option<Detail> {
        if !self.counts_in_detail {
            return None;
        }
        let blocks: Option<TiVec<BlockIndex, BlockDetail>> =
            self.blocks.iter().map(|block| block.detail.clone()).collect();
        let mut detail = Detail::untimed(blocks?, self.shown.clone(), self.image.chip.mesh.cores());
        if let Some(timing) = &self.timing {
            timing.tell(&mut detail);
        }
        Some(detail)
    }

    fn locate(&self, block: BlockIndex, name: &str) -> Option<(Memory, Width, usize, usize)> {
        let symbols: &[Symbol] = &self.image.blocks.get(block)?.symbols;
        let symbol = symbols.iter().find(|symbol| symbol.name == name)?;
        let (memory, width) = (Memory::of_space(symbol.space()?)?, symbol.width()?);
        Some((memory, width, symbol.offset as usize, symbol.elements() as usize))
    }
}

impl Machine {
    /// A byte of a block's memory.
    ///
    /// # Panics
    /// If there is no such block or byte, or the space is that of the payloads.
    pub(crate) fn byte_mut(&mut self, block: BlockIndex, space: Space, at: usize) -> &mut u8 {
        let memory = Memory::of_space(space).expect("payloads lie in no memory");
        &mut self.blocks[block].memory[memory][at]
    }
}

impl Engine for Machine {
    fn run_fed(&mut self, steps: usize, feed: &mut dyn FnMut(&mut dyn Feed)) -> Result<Vec<Output>, Fault> {
        let mut packets: Vec<HostPacket> = Vec::new();
        feed(&mut packets);
        self.run(steps, &packets)
    }

    fn step(&self) -> u64 {
        self.step
    }

    fn cycles(&self) -> Option<u64> {
        self.timing.as_ref().map(|timing| timing.totals.cycles)
    }

    fn is_busy(&self) -> bool {
        self.blocks.iter().any(|block| block.awake || block.next.iter().any(Option::is_some))
    }

    fn counters(&self) -> Counters {
        Counters {
            steps: self.step,
            blocks: self.blocks.iter().map(|block| block.counters.clone()).collect(),
            host_packets: self.host_packets.clone(),
            timing: self.timing.as_ref().map(|timing| timing.totals),
            configuration_bits: self.configuration_bits,
            detail: self.detail(),
        }
    }

    fn count_in_detail(&mut self) {
        assert!(self.step == 0, "what is counted is said before the first step");
        self.counts_in_detail = true;
        self.blocks.iter_mut().for_each(Block::count_in_detail);
        if let Some(timing) = &mut self.timing {
            timing.keep_account();
        }
    }

    fn log_steps(&mut self, log: Box<dyn StepLog>) {
        if let Some(timing) = &mut self.timing {
            timing.log = Some(log);
        }
    }

    fn take_step_log(&mut self) -> Option<Box<dyn StepLog>> {
        self.timing.as_mut()?.log.take()
    }

    fn draws(&self) -> Vec<u32> {
        self.blocks.iter().map(|block| block.draws).collect()
    }

    fn memory(&self, block: BlockIndex, space: Space) -> &[u8] {
        let memory = Memory::of_space(space).expect("payloads lie in no memory");
        &self.blocks[block].memory[memory]
    }

    fn peek(&self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>> {
        let (memory, width, first, count) = self.locate(block, symbol)?;
        let bytes = &self.blocks[block].memory[memory];
        Some((first..first + count).map(|at| memory::get(bytes, width, at)).collect())
    }

    fn read(&mut self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>> {
        let (_, width, _, count) = self.locate(block, symbol)?;
        self.configuration_bits += count as u64 * u64::from(width.bits());
        self.peek(block, symbol)
    }

    fn write(&mut self, block: BlockIndex, symbol: &str, values: &[i32]) -> bool {
        let Some((memory, width, first, count)) = self.locate(block, symbol) else { return false };
        if count != values.len() {
            return false;
        }
        self.configuration_bits += count as u64 * u64::from(width.bits());
        let bytes = &mut self.blocks[block].memory[memory];
        for (at, &value) in (first..).zip(values) {
            memory::set(bytes, width, at, value);
        }
        true
    }

    fn sent(&self, block: BlockIndex, route: usize, tell: &mut dyn FnMut(u64, u32, i32)) {
        let mut sent: Vec<&SentPacket> =
            self.sent.iter().filter(|packet| packet.block == block && packet.route == route).collect();
        sent.sort_by_key(|packet| (packet.step, packet.index));
        sent.into_iter().for_each(|packet| tell(packet.step, packet.index, packet.payload));
    }
}
