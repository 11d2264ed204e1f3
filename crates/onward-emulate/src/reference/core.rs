//! A block, and a block that runs: the sequencer, its loops, its cycles, its faults.

use super::trace::TraceLine;
use super::view::Current;
use super::{arithmetic, memory};
use crate::fault::{Fault, FaultKind};
use crate::memory::{Memory, PerMemory};
use crate::{AddressCounts, BlockCounters, BlockDetail, Window, WindowCounters};
use onward_chip::Chip;
use onward_image::{BlockIndex, Program};
use onward_isa::{Cycles, Instruction, Op, Operand, Space, Special, Width};
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

/// Cycles without a packet after which a step is endless (rule F10).
const ENDLESS: u64 = 1 << 30;

/// Loops that may be under way (rule L4).
const LOOPS: usize = 4;

/// What a block keeps from step to step.
pub(super) struct Block {
    pub number: BlockIndex,
    pub core: u32,
    /// The program; `None` where a word is no instruction.
    pub code: Vec<Option<Instruction>>,
    entry: usize,
    /// So many axons, and how many synapses a spike on each reaches.
    fan_outs: Vec<(u32, u32)>,
    tagged: bool,
    /// For each route, the indices it has.
    routes: Vec<u32>,
    seed: u64,
    pub memory: PerMemory<Vec<u8>>,
    /// The bank the block reads: for each axon, the payload of its packet.
    pub current: Vec<Option<i32>>,
    /// The bank the network writes.
    pub next: Vec<Option<i32>>,
    pub draws: u32,
    pub tag: i32,
    pub tag_step: Option<u64>,
    pub awake: bool,
    /// Whether traces show all elements of vectors.
    pub shows_whole: bool,
    pub counters: BlockCounters,
    /// The kind of its window, and what it counts in each, if that is asked for.
    window: Window,
    pub detail: Option<BlockDetail>,
}

/// A send that had packets.
pub(super) struct Send {
    /// Cycles of computing since the last packet of the send before, or since the step began.
    pub gap: u64,
    pub route: usize,
    /// Index and payload.
    pub packets: Vec<(u32, i32)>,
}

/// What a block did in a step, as the network sees it.
pub(super) struct Trace {
    pub sends: Vec<Send>,
    /// Cycles after the last send.
    pub tail: u64,
}

/// A loop under way.
pub(super) struct Loop {
    pub start: usize,
    pub end: usize,
    pub over: Over,
}

/// Is told of each instruction that was executed.
pub type Tracer<'a> = dyn FnMut(TraceLine) + 'a;

/// What a loop still has to do.
pub(super) enum Over {
    /// So many passes.
    Count { left: i32 },
    /// The active axons from this one of the list on.
    Events { next: usize, axon: u8, payload: u8 },
    /// The set bits from this one on.
    Set { from: usize, index: u8, predicate: u8 },
}

/// Where the sequencer goes on.
pub(super) enum Next {
    /// Behind the instruction.
    Following,
    /// Here.
    At(usize),
    /// Nowhere: the block's step has ended.
    End { awake: bool },
}

/// What a block has in a step and not beyond it: all that is 0 at dispatch (rule E3).
pub(super) struct Registers {
    pub step: u64,
    /// Active axons and their payloads, ascending.
    pub events: Vec<(u32, i32)>,
    pub r: [i32; 16],
    pub v: [Vec<i32>; 8],
    pub p: [Vec<bool>; 4],
    /// The vector length.
    pub length: usize,
    /// The row length.
    pub row: i64,
    pub loops: Vec<Loop>,
    /// Address of the instruction that is executed next.
    pub pc: usize,
    /// Cycles since the last packet.
    cycles: u64,
    pub sends: Vec<Send>,
    /// For each route, the indices sent in this step.
    sent: Vec<BTreeSet<u32>>,
}

/// A block that executes instructions. What it has in its step is named as if it were its own.
pub(super) struct Running<'a> {
    pub block: &'a mut Block,
    pub chip: &'a Chip,
    pub registers: &'a mut Registers,
}

impl Deref for Running<'_> {
    type Target = Registers;

    fn deref(&self) -> &Registers {
        self.registers
    }
}

impl DerefMut for Running<'_> {
    fn deref_mut(&mut self) -> &mut Registers {
        self.registers
    }
}

impl Registers {
    /// Cycles since dispatch, what the network makes the block wait left out.
    pub fn cycle(&self) -> u64 {
        self.sends.iter().map(|send| send.gap).sum::<u64>() + self.cycles
    }

    /// What the network sees of the step when it has ended.
    pub fn into_trace(self) -> Trace {
        Trace { sends: self.sends, tail: self.cycles }
    }
}

impl Block {
    pub fn new(image: &onward_image::Block, number: BlockIndex, program: &Program, seed: u64) -> Block {
        let memory = PerMemory([0, 1, 2].map(|memory| {
            let mut bytes = image.contents[memory].clone();
            bytes.resize(image.memory_bytes[memory] as usize, 0);
            bytes
        }));
        Block {
            number,
            core: image.core.0,
            code: program.words.iter().map(|&word| Instruction::decode(word).ok()).collect(),
            entry: image.entry as usize,
            tagged: image.tagged,
            routes: image.routes.iter().map(|route| route.indices).collect(),
            seed: arithmetic::block_seed(seed, image.generator),
            memory,
            fan_outs: image.fan_outs.clone(),
            current: vec![None; image.axons as usize],
            next: vec![None; image.axons as usize],
            draws: 0,
            tag: 0,
            tag_step: None,
            awake: false,
            shows_whole: false,
            counters: BlockCounters {
                block: number,
                addresses: vec![AddressCounts::default(); program.words.len()],
                steps: 0,
                cycles: 0,
                events: 0,
                synapses: 0,
                saturated: 0,
                packets: vec![0; image.routes.len()],
            },
            window: Window::None,
            detail: None,
        }
    }

    /// From here on counts in detail.
    pub fn count_in_detail(&mut self) {
        let addresses = vec![AddressCounts::default(); self.code.len()];
        let window = WindowCounters { addresses, ..WindowCounters::default() };
        self.detail = Some(BlockDetail {
            windows: Window::ALL.map(|_| window.clone()),
            indices: self.routes.iter().map(|&indices| vec![0; indices as usize]).collect(),
            stalls: vec![0; self.routes.len()],
        });
    }

    /// What is counted of the window it is in.
    fn in_window(&mut self) -> Option<&mut WindowCounters> {
        let window = self.window;
        self.detail.as_mut().map(|detail| &mut detail.windows[window as usize])
    }

    /// The banks swap (rule E4).
    pub fn barrier(&mut self) {
        self.current = std::mem::replace(&mut self.next, vec![None; self.current.len()]);
    }

    /// Whether the block runs in this step (rule E1).
    pub fn runs(&self) -> bool {
        self.awake || self.current.iter().any(Option::is_some)
    }

    /// Begins a step: from here on it is at its first instruction.
    pub fn dispatch(&mut self, chip: &Chip, step: u64) -> Registers {
        if self.tagged
            && let Some(tag) = self.current[0].take()
        {
            self.tag = tag;
            self.tag_step = Some(step);
            self.window = Window::of_tag(tag);
        }
        let events: Vec<(u32, i32)> =
            (0..).zip(&self.current).filter_map(|(axon, payload)| payload.map(|payload| (axon, payload))).collect();
        self.counters.steps += 1;
        self.counters.events += events.len() as u64;
        for (axon, _) in &events {
            let mut first = 0;
            for (axons, synapses) in &self.fan_outs {
                if (first..first + axons).contains(axon) {
                    self.counters.synapses += u64::from(*synapses);
                    if let Some(detail) = &mut self.detail {
                        detail.windows[self.window as usize].synapses += u64::from(*synapses);
                    }
                }
                first += axons;
            }
        }
        if let Some(window) = self.in_window() {
            window.steps += 1;
            window.events += events.len() as u64;
        }
        let elements = usize::from(chip.core.vector_length);
        let sent = vec![BTreeSet::new(); self.routes.len()];
        Registers {
            step,
            events,
            r: [0; 16],
            v: [(); 8].map(|()| vec![0; elements]),
            p: [(); 4].map(|()| vec![false; elements]),
            length: 0,
            row: 0,
            loops: Vec::new(),
            pc: self.entry,
            cycles: u64::from(chip.core.dispatch_cycles),
            sends: Vec::new(),
            sent,
        }
    }
}

impl Running<'_> {
    /// Executes the instruction at the pc, of which `tracer` is told. Returns whether the block's step has ended with it.
    pub fn advance(&mut self, tracer: Option<&mut Tracer<'_>>) -> Result<bool, Fault> {
        let Some(&Some(instruction)) = self.block.code.get(self.pc) else {
            return Err(self.fault(FaultKind::NoInstruction));
        };
        if self.cycles > ENDLESS {
            return Err(self.fault(FaultKind::Endless));
        }
        let before = tracer.is_some().then(|| (self.cycle(), self.pc, self.before(&instruction)));
        let cycles = self.cost(&instruction);
        self.cycles += cycles;
        let elements = self.elements(&instruction);
        self.count(AddressCounts { executed: 1, elements, cycles, saturated: 0 });
        let next = self.execute(&instruction);
        // Also of the instruction that stops the chip.
        if let (Some(tracer), Some((cycle, address, before))) = (tracer, before) {
            let (core, block) = (self.block.core, self.block.number);
            let values = self.after(before);
            tracer(TraceLine { step: self.step, core, block, cycle, address, instruction, values });
        }
        match next? {
            Next::Following => self.pc += 1,
            Next::At(pc) => self.pc = pc,
            Next::End { awake } => {
                self.block.awake = awake;
                let cycles = self.cycle();
                self.block.counters.cycles += cycles;
                if let Some(window) = self.block.in_window() {
                    window.cycles += cycles;
                }
                return Ok(true);
            }
        }
        self.look_at_loop_ends();
        Ok(false)
    }

    /// Adds to the counters of the instruction at the pc (rule C1).
    fn count(&mut self, counted: AddressCounts) {
        let pc = self.pc;
        let add = |counts: &mut AddressCounts| {
            counts.executed += counted.executed;
            counts.elements += counted.elements;
            counts.cycles += counted.cycles;
            counts.saturated += counted.saturated;
        };
        add(&mut self.block.counters.addresses[pc]);
        if let Some(window) = self.block.in_window() {
            add(&mut window.addresses[pc]);
        }
    }

    /// The block as others may look at it.
    fn current(&self) -> Current<'_> {
        Current { block: self.block, registers: self.registers }
    }

    /// A fault of the instruction at the pc.
    pub fn fault(&self, kind: FaultKind) -> Fault {
        let instruction = self.block.code.get(self.pc).copied().flatten();
        Fault {
            step: self.step,
            block: self.block.number,
            core: self.block.core,
            address: self.pc as u32,
            instruction: instruction.map_or("?".to_owned(), |instruction| instruction.to_string()),
            kind,
            reached: Vec::new(),
        }
    }

    /// Cycles of an instruction without flits; a branch that is taken adds its own (rules I1 to I9).
    fn cost(&self, instruction: &Instruction) -> u64 {
        let lanes = u64::from(self.chip.core.lanes);
        let length = self.length as u64;
        let beats = length.div_ceil(lanes).max(1);
        let port = match instruction.space {
            Space::Neuron | Space::Event => 32,
            Space::Axon | Space::Synapse => 16,
        };
        let tree = [(4, 2), (8, 3), (16, 4), (32, 5), (64, 6)].into_iter().find(|&(l, _)| l == lanes);
        match instruction.op.description().cycles {
            Cycles::One | Cycles::Branch | Cycles::Send => 1,
            Cycles::Jump | Cycles::Load | Cycles::Update => 2,
            Cycles::Vector => beats,
            Cycles::VectorMemory if instruction.width.bits() > port => beats * 2,
            Cycles::VectorMemory => beats,
            Cycles::Element => length.max(1),
            Cycles::Reduce => beats + tree.map_or(0, |(_, levels)| levels),
        }
    }

    /// What an execution adds to the elements of its address; the packets of a send come on top (rule C1).
    fn elements(&self, instruction: &Instruction) -> u64 {
        let op = instruction.op;
        let is_vector = |operand: &Operand| matches!(operand, Operand::Vector(_));
        let counts = op.description().operands.iter().any(is_vector) && !matches!(op, Op::Vext | Op::Vins | Op::Vsend)
            || matches!(op, Op::Vaddn16 | Op::Vaddn32);
        if counts { self.length as u64 } else { 0 }
    }

    /// Rules L5 and L6.
    fn look_at_loop_ends(&mut self) {
        while self.loops.last().is_some_and(|inner| inner.end == self.pc) {
            if self.begin_pass() {
                self.pc = self.loops.last().map_or(self.pc, |inner| inner.start);
                return;
            }
            self.loops.pop();
        }
    }

    /// Begins the next pass of the innermost loop, if anything is left for it.
    fn begin_pass(&mut self) -> bool {
        let registers = &mut *self.registers;
        let Some(inner) = registers.loops.last_mut() else { return false };
        match &mut inner.over {
            Over::Count { left } => {
                *left -= 1;
                *left >= 0
            }
            Over::Events { next, axon, payload } => {
                let Some(&event) = registers.events.get(*next) else { return false };
                *next += 1;
                let (axon, payload) = (*axon, *payload);
                self.set_scalar(axon, event.0 as i32);
                self.set_scalar(payload, event.1);
                true
            }
            Over::Set { from, index, predicate } => {
                let bits = &registers.p[usize::from(*predicate)];
                let Some(bit) = (*from..bits.len()).find(|&bit| bits[bit]) else { return false };
                *from = bit + 1;
                let index = *index;
                self.set_scalar(index, bit as i32);
                true
            }
        }
    }

    /// `loop`, `foreach`, `forset` (rules L1 to L4, L7, L9).
    pub fn enter_loop(&mut self, instruction: &Instruction) -> Result<Next, Fault> {
        let end = self.target(instruction)?;
        if end <= self.pc {
            return Err(self.fault(FaultKind::NoInstruction));
        }
        let over = match instruction.op {
            Op::Loop => Over::Count { left: self.r[usize::from(instruction.d)] },
            Op::Foreach => Over::Events { next: 0, axon: instruction.d, payload: instruction.a },
            _ => Over::Set { from: 0, index: instruction.d, predicate: instruction.a },
        };
        let has_passes = match over {
            Over::Count { left } => left > 0,
            Over::Events { .. } => !self.events.is_empty(),
            Over::Set { predicate, .. } => self.p[usize::from(predicate)].contains(&true),
        };
        if !has_passes || end == self.pc + 1 {
            return Ok(self.go_to(end));
        }
        if self.loops.len() == LOOPS {
            return Err(self.fault(FaultKind::LoopDepth));
        }
        let start = self.pc + 1;
        self.loops.push(Loop { start, end, over });
        self.begin_pass();
        Ok(Next::Following)
    }

    /// A branch that is taken (rules I2, I3, L8).
    pub fn branch(&mut self, instruction: &Instruction) -> Result<Next, Fault> {
        let target = self.target(instruction)?;
        if instruction.op != Op::Jmp {
            self.cycles += 1;
            self.count(AddressCounts { cycles: 1, ..AddressCounts::default() });
        }
        Ok(self.go_to(target))
    }

    /// The address a label stands for; the one behind the program is allowed (rules F5, L9).
    fn target(&self, instruction: &Instruction) -> Result<usize, Fault> {
        let target = self.pc as i64 + i64::from(instruction.imm);
        match usize::try_from(target) {
            Ok(target) if target <= self.block.code.len() => Ok(target),
            _ => Err(self.fault(FaultKind::NoInstruction)),
        }
    }

    /// Leaves the loops that the target is not in (rule L8).
    fn go_to(&mut self, target: usize) -> Next {
        while self.loops.last().is_some_and(|inner| target < inner.start || target > inner.end) {
            self.loops.pop();
        }
        Next::At(target)
    }

    /// Writes a scalar register; r0 stays 0.
    pub fn set_scalar(&mut self, register: u8, value: i32) {
        if register != 0 {
            self.r[usize::from(register)] = value;
        }
    }

    /// The nearest number of so many bits; counts it if that is another.
    pub fn saturated(&mut self, exact: i128, bits: u32) -> i32 {
        let (value, over) = arithmetic::saturate(exact, bits);
        self.block.counters.saturated += u64::from(over);
        self.count(AddressCounts { saturated: over.into(), ..AddressCounts::default() });
        value
    }

    /// Rule E6.
    pub fn special(&self, register: Special) -> i32 {
        self.current().special(register)
    }

    /// The key of the next draw (rule N4).
    pub fn draw(&mut self) -> u32 {
        let key = arithmetic::key(self.block.seed, self.block.draws);
        self.block.draws = self.block.draws.wrapping_add(1);
        key
    }

    /// Checks `count` elements from `first` (rule M6); gives the first.
    pub fn bounds(&self, instruction: &Instruction, first: i128, count: usize) -> Result<usize, Fault> {
        let available = match Memory::of_space(instruction.space) {
            Some(memory) => memory::elements(self.block.memory[memory].len(), instruction.width),
            None => self.block.current.len(),
        };
        if first < 0 || first + count as i128 > available as i128 {
            let (count, available) = (count as u64, available as u64);
            let first = first as i64; // at most (2^31 + 2^11) * 2^31
            return Err(self.fault(FaultKind::Address { space: instruction.space, first, count, available }));
        }
        Ok(first as usize)
    }

    /// An element of a memory, which was checked to lie in it.
    pub fn read(&self, space: Space, width: Width, at: usize) -> i32 {
        match Memory::of_space(space) {
            Some(memory) => memory::get(&self.block.memory[memory], width, at),
            None => self.block.current[at].unwrap_or(0),
        }
    }

    /// Sets an element of a memory, which was checked to lie in it, to what is nearest to an exact value.
    pub fn write(&mut self, space: Space, width: Width, at: usize, exact: i128) {
        let value = self.saturated(exact, width.bits());
        let memory = Memory::of_space(space).expect("no instruction writes payloads");
        memory::set(&mut self.block.memory[memory], width, at, value);
    }

    /// Sends packets, given by index and payload, in their order (rules S1 to S6, F7 to F9).
    pub fn send(&mut self, route: usize, packets: Vec<(i64, i32)>) -> Result<Next, Fault> {
        let Some(&indices) = self.block.routes.get(route) else {
            let available = self.block.routes.len() as u32;
            return Err(self.fault(FaultKind::Route { route: route as u32, available }));
        };
        let mut accepted = Vec::new();
        for (index, payload) in packets {
            if index < 0 || index >= i64::from(indices) {
                return Err(self.fault(FaultKind::PacketIndex { index, available: indices }));
            }
            if !self.sent[route].insert(index as u32) {
                return Err(self.fault(FaultKind::SecondPacket { index: index as u32 }));
            }
            accepted.push((index as u32, payload));
        }
        let count = accepted.len() as u64;
        self.block.counters.packets[route] += count;
        self.count(AddressCounts { elements: count, ..AddressCounts::default() });
        if let Some(detail) = &mut self.block.detail {
            accepted.iter().for_each(|&(index, _)| detail.indices[route][index as usize] += 1);
        }
        if count > 0 {
            let gap = std::mem::take(&mut self.cycles);
            self.sends.push(Send { gap, route, packets: accepted });
        }
        Ok(Next::Following)
    }
}
