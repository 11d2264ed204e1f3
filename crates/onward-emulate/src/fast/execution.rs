//! What instructions do: the state of a step of a block, and the parts that instructions share.

use super::block::{Block, Limits, Scratch, SendRecord};
use super::decode::{AtOnce, Decoded};
use super::interpret::ENDLESS;
use super::outlet::{Outlet, Refused};
use super::sums;
use super::vector::{self, Vectors, narrow};
use crate::fault::FaultKind;
use crate::memory::{Bank, Memory, halves};
use onward_isa::{Instruction, Space, Special, Width, random};

/// Loops nest so deep.
const DEPTH: usize = 4;

/// Where the sequencer goes on.
pub(super) enum Flow {
    /// At the next instruction.
    Next,
    /// Where the program counter points.
    Jump,
    /// Nowhere: the step is over.
    End,
}

/// What becomes of the bits that a shift drops.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    Down,
    Nearest,
    Stochastic,
}

/// A loop that is running: body `start..end`.
#[derive(Clone, Copy, Default)]
struct Loop {
    start: usize,
    end: usize,
    /// What is left to do; see [`Over`].
    left: u32,
    over: Over,
}

/// What a loop runs over.
#[derive(Clone, Copy, Default)]
enum Over {
    /// A count: `left` iterations after this one.
    #[default]
    Count,
    /// The active set: `left` is the next event. Registers of axon and payload.
    Events(u8, u8),
    /// A predicate: `left` is the first bit to look at. Registers of index and predicate.
    Set(u8, u8),
}

/// A block in the middle of a step.
pub(super) struct Execution<'a> {
    pub block: &'a mut Block,
    pub program: &'a Decoded,
    pub v: &'a mut Vectors,
    events: &'a [u32],
    own: &'a mut [Outlet],
    limits: Limits,
    step: u64,
    slot: usize,
    pub r: [i32; 16],
    pub pc: usize,
    loops: [Loop; DEPTH],
    depth: usize,
    /// Row length.
    pub row: i64,
    pub beats: u32,
    /// Cycles since the last send.
    pub cycles: u32,
    /// Cycles before that.
    earlier_cycles: u64,
    saturated: u64,
}

impl<'a> Execution<'a> {
    #[inline(always)]
    pub fn new(
        block: &'a mut Block,
        program: &'a Decoded,
        step: u64,
        slot: usize,
        own: &'a mut [Outlet],
        limits: Limits,
        scratch: &'a mut Scratch,
    ) -> Self {
        scratch.vectors.clear();
        Execution {
            pc: block.entry as usize,
            block,
            program,
            v: &mut scratch.vectors,
            events: &scratch.events,
            own,
            limits,
            step,
            slot,
            r: [0; 16],
            loops: [Loop::default(); DEPTH],
            depth: 0,
            row: 0,
            beats: 1,
            cycles: limits.dispatch_cycles,
            earlier_cycles: 0,
            saturated: 0,
        }
    }

    /// Adds the step to the block's counters. Returns the cycles since the last send.
    #[inline(always)]
    pub fn finish(&mut self) -> u32 {
        self.block.saturated += self.saturated;
        self.block.cycles += self.earlier_cycles + u64::from(self.cycles);
        self.cycles
    }

    /// Counts `VL` elements, and results that were saturated.
    #[inline(always)]
    pub fn count(&mut self, saturated: u32) {
        self.block.counts[self.pc].elements += self.v.length as u64;
        self.saturated += u64::from(saturated);
    }

    // Scalar registers and lengths.

    #[inline(always)]
    pub fn set(&mut self, register: u8, value: i32) {
        self.r[usize::from(register & 15)] = value;
        self.r[0] = 0;
    }

    #[inline(always)]
    pub fn set_saturated(&mut self, register: u8, (value, saturated): (i32, u32)) {
        self.saturated += u64::from(saturated);
        self.set(register, value);
    }

    pub fn special(&self, register: Special) -> i32 {
        const NEVER: u64 = i32::MAX as u64;
        let block = &self.block;
        match register {
            Special::Step => (self.step & NEVER) as i32,
            Special::Position => block.tag_step.map_or(NEVER, |tag| (self.step - tag).min(NEVER)) as i32,
            Special::Block => u32::from(block.number) as i32,
            Special::Tag => block.tag,
            Special::Kind => block.tag & 3,
            Special::Learn => block.tag >> 2 & 1,
            Special::Slot => block.tag >> 8 & 0xffff,
            Special::Events => self.events.len() as i32,
        }
    }

    #[inline(always)]
    pub fn set_length(&mut self, length: i64) -> Result<(), FaultKind> {
        let max = self.limits.vector_length as i64;
        if !(0..=max).contains(&length) {
            return Err(FaultKind::Length { length, max });
        }
        self.v.length = length as usize;
        self.beats = (length as usize).div_ceil(self.limits.lanes).max(1) as u32;
        Ok(())
    }

    #[inline(always)]
    pub fn set_row(&mut self, length: i64) -> Result<(), FaultKind> {
        let max = i64::from(i32::MAX);
        if !(0..=max).contains(&length) {
            return Err(FaultKind::Length { length, max });
        }
        self.row = length;
        Ok(())
    }

    // Control.

    /// Goes to a target; a loop that it leaves is over.
    #[inline(always)]
    pub fn branch(&mut self, distance: i32) -> Result<Flow, FaultKind> {
        let target = self.pc as i64 + i64::from(distance);
        if target < 0 || target >= self.program.code.len() as i64 {
            return Err(FaultKind::NoInstruction);
        }
        self.go_to(target as usize);
        Ok(Flow::Jump)
    }

    /// A conditional branch; one that is taken costs one cycle more.
    #[inline(always)]
    pub fn branch_if(&mut self, condition: bool, distance: i32) -> Result<Flow, FaultKind> {
        if !condition {
            return Ok(Flow::Next);
        }
        self.cycles += 1;
        self.branch(distance)
    }

    /// Ends the step.
    #[inline(always)]
    pub fn end(&mut self, awake: bool) -> Flow {
        self.block.awake = awake;
        Flow::End
    }

    #[inline(always)]
    fn go_to(&mut self, target: usize) {
        self.pc = target;
        while self.depth > 0 {
            let inner = &self.loops[self.depth - 1];
            if (inner.start..=inner.end).contains(&target) {
                break;
            }
            self.depth -= 1;
        }
    }

    #[inline(always)]
    fn set_event(&mut self, axon: u8, payload: u8, event: u32) {
        self.set(axon, event as i32);
        self.set(payload, self.block.payload_of(event));
    }

    /// At an address where a loop ends: goes back to its start if there is more to do. Loops that are done are left.
    #[inline(always)]
    pub fn loops_back(&mut self) -> bool {
        while self.depth > 0 && self.loops[self.depth - 1].end == self.pc {
            let inner = self.loops[self.depth - 1];
            let again = match inner.over {
                Over::Count => {
                    self.loops[self.depth - 1].left = inner.left.wrapping_sub(1);
                    inner.left > 0
                }
                Over::Events(axon, payload) => match self.events.get(inner.left as usize) {
                    Some(&event) => {
                        self.set_event(axon, payload, event);
                        self.loops[self.depth - 1].left += 1;
                        true
                    }
                    None => false,
                },
                Over::Set(index, predicate) => match self.v.next_set(predicate, inner.left) {
                    Some(bit) => {
                        self.set(index, bit as i32);
                        self.loops[self.depth - 1].left = bit + 1;
                        true
                    }
                    None => false,
                },
            };
            if again {
                self.pc = inner.start;
                return true;
            }
            self.depth -= 1;
        }
        false
    }

    /// `loop`: runs a body `count` times.
    #[inline(always)]
    pub fn begin_loop(&mut self, count: i32, distance: i32) -> Result<Flow, FaultKind> {
        let end = self.loop_end(distance)?;
        if count <= 0 || end == self.pc + 1 {
            return Ok(self.skip_to(end));
        }
        self.check_depth()?;
        if self.run_row_loop(count as u32) {
            return Ok(Flow::Jump);
        }
        Ok(self.enter(end, count as u32 - 1, Over::Count))
    }

    /// `foreach`: runs a body for each event, its axon and payload in registers.
    #[inline(always)]
    pub fn begin_foreach(&mut self, axon: u8, payload: u8, distance: i32) -> Result<Flow, FaultKind> {
        let end = self.loop_end(distance)?;
        let Some(&first) = self.events.first().filter(|_| end != self.pc + 1) else { return Ok(self.skip_to(end)) };
        self.check_depth()?;
        if self.run_event_loop() {
            return Ok(Flow::Jump);
        }
        self.set_event(axon, payload, first);
        Ok(self.enter(end, 1, Over::Events(axon, payload)))
    }

    /// `forset`: runs a body for each bit of a predicate that is set, its number in a register.
    #[inline(always)]
    pub fn begin_forset(&mut self, index: u8, predicate: u8, distance: i32) -> Result<Flow, FaultKind> {
        let end = self.loop_end(distance)?;
        let first = self.v.next_set(predicate, 0).filter(|_| end != self.pc + 1);
        let Some(bit) = first else { return Ok(self.skip_to(end)) };
        self.check_depth()?;
        self.set(index, bit as i32);
        Ok(self.enter(end, bit + 1, Over::Set(index, predicate)))
    }

    /// The address behind the body of a loop that begins here.
    #[inline(always)]
    fn loop_end(&self, distance: i32) -> Result<usize, FaultKind> {
        let end = self.pc as i64 + i64::from(distance);
        if end <= self.pc as i64 || end >= self.program.code.len() as i64 {
            return Err(FaultKind::NoInstruction);
        }
        Ok(end as usize)
    }

    /// Skipping a body (an empty one always) is a jump to its end: it may leave loops as any does.
    #[inline(always)]
    fn skip_to(&mut self, end: usize) -> Flow {
        self.go_to(end);
        Flow::Jump
    }

    #[inline(always)]
    fn check_depth(&self) -> Result<(), FaultKind> {
        if self.depth == DEPTH { Err(FaultKind::LoopDepth) } else { Ok(()) }
    }

    /// Begins the first pass of a loop.
    #[inline(always)]
    fn enter(&mut self, end: usize, left: u32, over: Over) -> Flow {
        self.loops[self.depth] = Loop { start: self.pc + 1, end, left, over };
        self.depth += 1;
        Flow::Next
    }

    /// Runs a `foreach` at once, if it is one that can be.
    #[inline(always)]
    fn run_event_loop(&mut self) -> bool {
        let Some(AtOnce::Events(at)) = self.program.code[self.pc].at_once else { return false };
        let event_loop = &self.program.event_loops[at];
        let body = self.pc + 1..event_loop.end;
        let count = self.events.len() as u64;
        let cost = self.program.code[body.clone()]
            .iter()
            .map(|code| u64::from(code.cost.fixed + code.cost.beats * self.beats));
        let Ok(cycles) = u32::try_from(count * cost.sum::<u64>()) else { return false };
        if self.cycles.saturating_add(cycles) > ENDLESS {
            return false;
        }
        let payload = self.events.last().map_or(0, |&event| self.block.payload_of(event));
        if !event_loop.run(self.events, payload, &mut self.block.memory, self.v, &mut self.r, self.row) {
            return false;
        }
        for counts in &mut self.block.counts[body] {
            counts.executed += count;
        }
        self.cycles += cycles;
        self.block.counts[self.pc + 1].elements += count * self.v.length as u64;
        self.pc = event_loop.end;
        true
    }

    /// Runs a `loop` over the rows of a kernel at once, if it is one that can be.
    #[inline(always)]
    fn run_row_loop(&mut self, count: u32) -> bool {
        let Some(AtOnce::Rows(at)) = self.program.code[self.pc].at_once else { return false };
        let row_loop = &self.program.row_loops[at];
        let body = self.pc + 1..row_loop.end;
        let cost =
            |at: usize| u64::from(self.program.code[at].cost.fixed + self.program.code[at].cost.beats * self.beats);
        let Ok(cycles) = u32::try_from(u64::from(count) * body.clone().map(cost).sum::<u64>()) else { return false };
        if self.cycles.saturating_add(cycles) > ENDLESS {
            return false;
        }
        let Some(saturated) = row_loop.run(count, self.v.length, &mut self.block.memory, &mut self.r) else {
            return false;
        };
        for counts in &mut self.block.counts[body] {
            counts.executed += u64::from(count);
        }
        self.cycles += cycles;
        self.saturated += u64::from(saturated);
        self.block.counts[self.pc + 1].elements += u64::from(count) * self.v.length as u64;
        self.pc = row_loop.end;
        true
    }

    // Memory.

    /// Checks that `count` elements from `first` lie in a memory.
    #[inline(always)]
    fn locate(&self, space: Space, width: Width, first: i64, count: usize) -> Result<usize, FaultKind> {
        let available = match Memory::of_space(space) {
            Some(memory) => self.block.memory[memory].elements(width),
            None => self.block.payloads().len(),
        };
        if first < 0 || first.saturating_add(count as i64) > available as i64 {
            let (count, available) = (count as u64, available as u64);
            return Err(FaultKind::Address { space, first, count, available });
        }
        Ok(first as usize)
    }

    #[inline(always)]
    pub fn load_one(&self, instruction: &Instruction, address: i64) -> Result<i32, FaultKind> {
        let at = self.locate(instruction.space, instruction.width, address, 1)?;
        Ok(match Memory::of_space(instruction.space) {
            Some(memory) => self.block.memory[memory].get(instruction.width, at),
            None => self.block.payloads()[at],
        })
    }

    /// The memory that an instruction writes. Decoding knows of none that writes payloads.
    #[inline(always)]
    fn written(&mut self, instruction: &Instruction) -> Result<&mut Bank, FaultKind> {
        let memory = Memory::of_space(instruction.space).ok_or(FaultKind::NoInstruction)?;
        Ok(&mut self.block.memory[memory])
    }

    #[inline(always)]
    pub fn store_one(&mut self, instruction: &Instruction, address: i64, value: i32) -> Result<(), FaultKind> {
        let at = self.locate(instruction.space, instruction.width, address, 1)?;
        let (value, saturated) = narrow(value, instruction.width);
        self.saturated += u64::from(saturated);
        self.written(instruction)?.set(instruction.width, at, value);
        Ok(())
    }

    #[inline(always)]
    pub fn add_to_memory(&mut self, instruction: &Instruction, address: i64, value: i32) -> Result<(), FaultKind> {
        let at = self.locate(instruction.space, instruction.width, address, 1)?;
        let bank = self.written(instruction)?;
        let sum = i64::from(bank.get(instruction.width, at)) + i64::from(value);
        let (min, max) = instruction.width.range();
        let value = sum.clamp(i64::from(min), i64::from(max));
        bank.set(instruction.width, at, value as i32);
        self.saturated += u64::from(value != sum);
        Ok(())
    }

    /// `vd[i] = f(vd[i], memory[address + i])`.
    #[inline(always)]
    pub fn load(
        &mut self,
        instruction: &Instruction,
        address: i64,
        f: impl Fn(i32, i32) -> (i32, u32),
    ) -> Result<(), FaultKind> {
        let length = self.v.length;
        let at = self.locate(instruction.space, instruction.width, address, length)?;
        let out = self.v.write(instruction.d);
        let mut saturated = 0;
        let mut put = |out: &mut i32, value: i32| {
            let (value, over) = f(*out, value);
            *out = value;
            saturated += over;
        };
        macro_rules! load_from {
            ($elements:expr) => {
                for (out, &value) in out.iter_mut().zip(&$elements[at..at + length]) {
                    put(out, value.into());
                }
            };
        }
        let bank = Memory::of_space(instruction.space).map(|memory| &self.block.memory[memory]);
        match (bank, instruction.width) {
            (None, _) => load_from!(self.block.payloads()),
            (Some(bank), Width::W4) => {
                let whole = if at.is_multiple_of(2) { length & !1 } else { 0 };
                for (pair, &byte) in out.chunks_exact_mut(2).zip(&bank.bytes()[at / 2..][..whole / 2]) {
                    let (low, high) = halves(byte);
                    put(&mut pair[0], low);
                    put(&mut pair[1], high);
                }
                for (i, out) in out.iter_mut().enumerate().skip(whole) {
                    put(out, bank.get(Width::W4, at + i));
                }
            }
            (Some(bank), Width::W8) => load_from!(bank.as_slice::<i8>()),
            (Some(bank), Width::W16) => load_from!(bank.as_slice::<i16>()),
            (Some(bank), Width::W32) => load_from!(bank.as_slice::<i32>()),
        }
        self.count(saturated);
        Ok(())
    }

    #[inline(always)]
    pub fn store(&mut self, instruction: &Instruction, address: i64) -> Result<(), FaultKind> {
        let at = self.locate(instruction.space, instruction.width, address, self.v.length)?;
        let memory = Memory::of_space(instruction.space).ok_or(FaultKind::NoInstruction)?;
        let saturated = store(&mut self.block.memory[memory], instruction.width, at, self.v.read(instruction.d));
        self.count(saturated);
        Ok(())
    }

    /// `vaddn16`, `vaddn32`: a row of memory goes to sums in neuron memory.
    #[inline(always)]
    pub fn add_to_neurons(
        &mut self,
        instruction: &Instruction,
        width: Width,
        rd: i32,
        address: i64,
    ) -> Result<(), FaultKind> {
        let length = self.v.length;
        let from = self.locate(instruction.space, instruction.width, address, length)?;
        let to = self.locate(Space::Neuron, width, rd.into(), length)?;
        let [neurons, axons, synapses] = &mut self.block.memory.0;
        let source = if instruction.space == Space::Axon { axons } else { synapses };
        let saturated = sums::add(neurons, width, to, source, instruction.width, from, length);
        self.count(saturated);
        Ok(())
    }

    pub fn load_strided(&mut self, instruction: &Instruction, ra: i32) -> Result<(), FaultKind> {
        let (first, stride) =
            (i64::from(ra) + i64::from(instruction.imm), i64::from(self.r[usize::from(instruction.c & 15)]));
        for i in 0..self.v.length {
            let value = self.load_one(instruction, first + i as i64 * stride)?;
            self.v.write(instruction.d)[i] = value;
        }
        self.count(0);
        Ok(())
    }

    pub fn store_strided(&mut self, instruction: &Instruction, ra: i32) -> Result<(), FaultKind> {
        let (first, stride) =
            (i64::from(ra) + i64::from(instruction.imm), i64::from(self.r[usize::from(instruction.c & 15)]));
        for i in 0..self.v.length {
            let value = self.v.read(instruction.d)[i];
            self.store_one(instruction, first + i as i64 * stride, value)?;
        }
        self.count(0);
        Ok(())
    }

    pub fn look_up(&mut self, instruction: &Instruction, base: i32) -> Result<(), FaultKind> {
        let entries = self.r[usize::from(instruction.c & 15)];
        if entries < 1 {
            return Err(FaultKind::EmptyTable);
        }
        for i in 0..self.v.length {
            let index = self.v.read(instruction.a)[i].clamp(0, entries - 1);
            let value = self.load_one(instruction, i64::from(base) + i64::from(index))?;
            self.v.write(instruction.d)[i] = value;
        }
        self.count(0);
        Ok(())
    }

    // Vectors.

    #[inline(always)]
    pub fn unary(&mut self, d: u8, a: u8, f: impl Fn(i32) -> (i32, u32)) {
        let saturated = self.v.unary(d, a, f);
        self.count(saturated);
    }

    #[inline(always)]
    pub fn binary(&mut self, d: u8, a: u8, b: u8, f: impl Fn(i32, i32) -> (i32, u32)) {
        let saturated = self.v.ternary(d, a, b, |_, a, b| f(a, b));
        self.count(saturated);
    }

    #[inline(always)]
    pub fn select(&mut self, d: u8, a: u8, b: u8, predicate: u8, f: impl Fn(bool, i32, i32) -> (i32, u32)) {
        let saturated = self.v.select(d, a, b, predicate, f);
        self.count(saturated);
    }

    #[inline(always)]
    pub fn compare(&mut self, predicate: u8, a: u8, b: u8, f: impl Fn(i32, i32) -> bool) {
        self.v.compare(predicate, a, b, f);
        self.count(0);
    }

    /// `vshr`, `vshrn` and `vshrs`: to the right by an amount that is clamped to -31 to 31.
    #[inline(always)]
    pub fn shift(&mut self, rounding: Rounding, d: u8, a: u8, amount: i32) {
        let amount = amount.clamp(-31, 31);
        let block = &mut *self.block;
        let key = random::key(block.seed, block.draws);
        block.draws = block.draws.wrapping_add(u32::from(rounding == Rounding::Stochastic));
        let saturated = match rounding {
            _ if amount < 0 => self.v.unary(d, a, |a| vector::shift_left(a, -amount as u32)),
            Rounding::Down => self.v.unary(d, a, |a| (a >> amount, 0)),
            _ if amount == 0 => self.v.unary(d, a, |a| (a, 0)),
            Rounding::Nearest => self.v.unary(d, a, |a| ((a >> amount) + (a >> (amount - 1) & 1), 0)),
            Rounding::Stochastic => {
                self.v.shift_random(d, a, amount as u32, key);
                0
            }
        };
        self.count(saturated);
    }

    /// Checks an element's index.
    #[inline(always)]
    pub fn element(&self, index: i32) -> Result<usize, FaultKind> {
        let length = self.v.length as u32;
        usize::try_from(index).ok().filter(|&at| at < length as usize).ok_or(FaultKind::Element { index, length })
    }

    // Sends.

    fn outlet(&mut self, route: i32) -> Result<&mut Outlet, FaultKind> {
        let available = self.own.len() as u32;
        self.own.get_mut(route as usize).ok_or(FaultKind::Route { route: route as u32, available })
    }

    /// Notes packets for the timing pass.
    #[inline(always)]
    fn sent(&mut self, route: i32, packets: u32) {
        self.block.counts[self.pc].elements += u64::from(packets);
        if packets > 0 {
            self.block.sends.push(SendRecord { gap: self.cycles, packets, route: route as u32 });
            self.earlier_cycles += u64::from(self.cycles);
            self.cycles = 0;
        }
    }

    #[inline(always)]
    pub fn send_spikes(&mut self, predicate: u8, base: i32, route: i32) -> Result<(), FaultKind> {
        if base < 0 || self.program.is_graded(route as usize) {
            return self.send_each(predicate, base, route, None);
        }
        let slot = self.slot;
        // Not through `outlet`, which would borrow the vectors too.
        let available = self.own.len() as u32;
        let outlet = self.own.get_mut(route as usize).ok_or(FaultKind::Route { route: route as u32, available })?;
        let words = self.v.masked(predicate);
        let sent = if base == 0 {
            outlet.send_spikes(slot, words)
        } else {
            outlet.send_spikes_from(slot, base as usize, words)
        };
        let packets = sent.map_err(|refused| refused.fault(outlet))?;
        self.sent(route, packets);
        Ok(())
    }

    pub fn send_graded(&mut self, vector: u8, predicate: u8, base: i32, route: i32) -> Result<(), FaultKind> {
        self.send_each(predicate, base, route, Some(vector))
    }

    /// One packet after the other; their payloads are 1 or those of a vector.
    fn send_each(&mut self, predicate: u8, base: i32, route: i32, vector: Option<u8>) -> Result<(), FaultKind> {
        self.outlet(route)?;
        let mut packets = 0;
        for element in 0..self.v.length {
            if self.v.is_set(predicate, element) {
                let payload = vector.map_or(1, |vector| self.v.read(vector)[element]);
                let slot = self.slot;
                let outlet = self.outlet(route)?;
                let index = i64::from(base) + element as i64;
                let Ok(index) = u32::try_from(index) else {
                    return Err(FaultKind::PacketIndex { index, available: outlet.indices() as u32 });
                };
                outlet.send(slot, index, payload).map_err(|refused| refused.fault(outlet))?;
                packets += 1;
            }
        }
        self.sent(route, packets);
        Ok(())
    }

    pub fn send(&mut self, index: i32, payload: i32, route: i32) -> Result<(), FaultKind> {
        let slot = self.slot;
        let outlet = self.outlet(route)?;
        let Ok(index) = u32::try_from(index) else {
            return Err(FaultKind::PacketIndex { index: i64::from(index), available: outlet.indices() as u32 });
        };
        outlet.send(slot, index, payload).map_err(|refused| refused.fault(outlet))?;
        self.sent(route, 1);
        Ok(())
    }
}

impl Refused {
    fn fault(self, outlet: &Outlet) -> FaultKind {
        match self {
            Refused::Second(index) => FaultKind::SecondPacket { index },
            Refused::Index(index) => {
                FaultKind::PacketIndex { index: i64::from(index), available: outlet.indices() as u32 }
            }
        }
    }
}

/// Stores elements, each saturated; returns how many were.
#[inline(always)]
fn store(bank: &mut Bank, width: Width, at: usize, values: &[i32]) -> u32 {
    let mut saturated = 0;
    let mut put = |value| {
        let (value, over) = narrow(value, width);
        saturated += over;
        value
    };
    match width {
        Width::W4 => {
            let whole = if at.is_multiple_of(2) { values.len() & !1 } else { 0 };
            let bytes = &mut bank.bytes_mut()[at / 2..][..whole / 2];
            for (byte, pair) in bytes.iter_mut().zip(values.chunks_exact(2)) {
                *byte = put(pair[0]) as u8 & 15 | (put(pair[1]) as u8) << 4;
            }
            for (i, &value) in values.iter().enumerate().skip(whole) {
                bank.set(width, at + i, put(value));
            }
        }
        Width::W8 => {
            for (out, &value) in bank.as_mut_slice::<i8>()[at..at + values.len()].iter_mut().zip(values) {
                *out = put(value) as i8;
            }
        }
        Width::W16 => {
            for (out, &value) in bank.as_mut_slice::<i16>()[at..at + values.len()].iter_mut().zip(values) {
                *out = put(value) as i16;
            }
        }
        Width::W32 => bank.as_mut_slice::<i32>()[at..at + values.len()].copy_from_slice(values),
    }
    saturated
}
