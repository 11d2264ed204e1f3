//! The whole chip, step by step.

use super::core::{Block, Trace, Tracer};
use super::memory;
use super::network::{Timing, deliver};
use super::trace::TraceLine;
use crate::memory::Memory;
use crate::mesh::SenderTiming;
use crate::{BlockDetail, Counters, Detail, Engine, Fault, Feed, HostPacket, MachineError, Options, Output};
use onward_image::{BlockIndex, Image, Symbol, indices};
use onward_isa::{Space, Width};
use typed_index_collections::TiVec;

/// A chip with an image loaded, run by the reference engine.
pub struct Machine {
    image: Image,
    blocks: TiVec<BlockIndex, Block>,
    timing: Option<Timing>,
    step: u64,
    host_packets: Vec<u64>,
    configuration_bits: u64,
    /// What the blocks sent in the chunk that ran last.
    sent: Vec<SentPacket>,
    /// Who is told of instructions, of which cores (all if none is named) and steps.
    tracer: Option<(TraceSelection, Box<Tracer>)>,
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

/// The names of an output's place in its step: sender (the host's inputs, then blocks), route, index (rule R3).
type Place = (usize, usize, u32);

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
            host_packets: vec![0; image.host_inputs.len()],
            configuration_bits: 0,
            sent: Vec::new(),
            tracer: None,
            image: image.clone(),
        })
    }

    /// Has `tracer` told of each instruction of the selection that was executed.
    pub fn trace(&mut self, selection: TraceSelection, tracer: impl FnMut(TraceLine) + 'static) {
        self.tracer = Some((selection, Box::new(tracer)));
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
            let mut packets: Vec<HostPacket> = packets.iter().copied().filter(|packet| packet.step == step).collect();
            packets.sort_by_key(|packet| (packet.input, packet.index));
            let mut reached_host = match self.run_step(&packets) {
                Ok(reached) => reached,
                Err(fault) => return Err(Fault { reached: outputs, ..fault }),
            };
            reached_host.sort_by_key(|(place, _)| *place);
            outputs.extend(reached_host.into_iter().map(|(_, output)| output));
        }
        Ok(outputs)
    }

    fn run_step(&mut self, host_packets: &[HostPacket]) -> Result<Vec<(Place, Output)>, Fault> {
        let mut outputs = Vec::new();
        let mut output = |place: Place, copies: usize, payload, step| {
            let sender = place.0.checked_sub(1).map(BlockIndex::from);
            let output = Output { step, sender, index: place.2, payload };
            outputs.extend(std::iter::repeat_n((place, output), copies));
        };
        self.blocks.iter_mut().for_each(Block::barrier);
        let mut host_counts = vec![0; self.image.host_inputs.len()];
        let mut before = None;
        for packet in host_packets {
            let &HostPacket { input: first, index: of_input, payload, .. } = packet;
            // An input that is sent in parts is named by the first of them.
            let mut parts = self.image.input_parts(first);
            let input = parts.rfind(|&part| self.image.host_inputs[part].first <= of_input).unwrap_or(first);
            let host_input = &self.image.host_inputs[input];
            let index = of_input - host_input.first;
            assert!(
                index < host_input.route.indices && before != Some((input, index)),
                "an index of the input, once a step"
            );
            assert!(payload == 1 || host_input.kind.is_graded(), "this input carries spikes");
            before = Some((input, index));
            let copies = deliver(&host_input.route, index, payload, &mut self.blocks);
            output((0, input, index), copies, payload, self.step);
            host_counts[input] += 1;
            self.host_packets[input] += 1;
        }
        let mut traces: Vec<(BlockIndex, Trace)> = Vec::new();
        for number in indices(BlockIndex::default()..self.blocks.next_key()) {
            if self.blocks[number].runs() {
                let core = self.image.blocks[number].core.0;
                let tracer = self.tracer.as_mut().filter(|(selection, _)| {
                    let TraceSelection { cores, steps } = selection;
                    steps.contains(&self.step) && (cores.is_empty() || cores.contains(&core))
                });
                let tracer = tracer.map(|(_, tracer)| &mut **tracer);
                let trace = self.blocks[number].run(&self.image.chip, self.step, tracer)?;
                traces.push((number, trace));
            }
        }
        for (number, trace) in &traces {
            for send in &trace.sends {
                let route = &self.image.blocks[*number].routes[send.route];
                for &(index, payload) in &send.packets {
                    let (block, step) = (*number, self.step);
                    self.sent.push(SentPacket { block, route: send.route, step, index, payload });
                    let copies = deliver(route, index, payload, &mut self.blocks);
                    output((1 + usize::from(*number), send.route, index), copies, payload, self.step);
                }
            }
        }
        if let Some(timing) = &mut self.timing {
            timing.add_step(&host_counts, &self.blocks, &traces);
        }
        self.step += 1;
        Ok(outputs)
    }

    /// What was counted in detail, if that was asked for.
    fn detail(&self) -> Option<Detail> {
        let blocks: Option<TiVec<BlockIndex, BlockDetail>> =
            self.blocks.iter().map(|block| block.detail.clone()).collect();
        let mut detail = Detail {
            blocks: blocks?,
            cores: vec![SenderTiming::default(); self.image.chip.mesh.cores()],
            host: SenderTiming::default(),
            host_stalls: vec![0; self.image.host_inputs.len()],
        };
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
        self.blocks.iter_mut().for_each(Block::count_in_detail);
        if let Some(timing) = &mut self.timing {
            timing.keep_account();
        }
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
