//! What instructions do: the state of a step of a block, and the parts that instructions share.

use super::block::{Block, Limits, Scratch};
use super::control::{DEPTH, Loop};
use super::decode::Decoded;
use super::lanes::LaneTally;
use super::outlet::Outlet;
use super::sums;
use super::vector::{self, Vectors, narrow};
use crate::counters::AddressCounts;
use crate::fault::FaultKind;
use crate::memory::{Bank, Memory, halves};
use onward_isa::{Instruction, Space, Special, Width, random};

/// What becomes of the bits that a shift drops.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    Down,
    Nearest,
    Stochastic,
}

/// A block in the middle of a step, and whether its cycles with other lanes are kept too.
pub(super) struct Execution<'a, const RECORDS: bool> {
    pub block: &'a mut Block,
    pub program: &'a Decoded,
    pub v: &'a mut Vectors,
    pub(super) events: &'a [u32],
    pub(super) own: &'a mut [Outlet],
    limits: Limits,
    step: u64,
    pub(super) slot: usize,
    pub r: [i32; 16],
    pub pc: usize,
    pub(super) loops: [Loop; DEPTH],
    pub(super) depth: usize,
    /// Row length.
    pub row: i64,
    pub beats: u32,
    /// Cycles since the last send.
    pub cycles: u32,
    /// Cycles before that.
    pub(super) earlier_cycles: u64,
}

impl<'a, const RECORDS: bool> Execution<'a, RECORDS> {
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
        if RECORDS && let Some(lanes) = &mut block.lanes {
            lanes.begin_step();
        }
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
        }
    }

    /// Adds the step to the block's counters. Returns the cycles since the last send.
    #[inline(always)]
    pub fn finish(&mut self) -> u32 {
        self.note(LaneTally::end_step);
        self.block.tally.now.cycles += self.earlier_cycles + u64::from(self.cycles);
        self.cycles
    }

    /// Where the run is recorded, has the cycles with other lanes take note.
    #[inline(always)]
    pub fn note(&mut self, what: impl FnOnce(&mut LaneTally)) {
        if RECORDS && let Some(lanes) = &mut self.block.lanes {
            what(lanes);
        }
    }

    /// Counts `VL` elements, and results that were saturated.
    #[inline(always)]
    pub fn count(&mut self, saturated: u32) {
        let length = self.v.length as u64;
        let counts = self.counts();
        counts.elements += length;
        counts.saturated += u64::from(saturated);
    }

    /// The counters of the instruction at the program counter.
    #[inline(always)]
    pub fn counts(&mut self) -> &mut AddressCounts {
        &mut self.block.tally.now.addresses[self.pc]
    }

    /// Counts a result that was saturated, which is rare.
    #[inline(always)]
    fn saturate(&mut self, saturated: bool) {
        if saturated {
            self.counts().saturated += 1;
        }
    }

    // Scalar registers and lengths.

    #[inline(always)]
    pub fn set(&mut self, register: u8, value: i32) {
        self.r[usize::from(register & 15)] = value;
        self.r[0] = 0;
    }

    #[inline(always)]
    pub fn set_saturated(&mut self, register: u8, (value, saturated): (i32, u32)) {
        self.saturate(saturated > 0);
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
        self.note(|lanes| lanes.set_length(length as usize));
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
        self.saturate(saturated > 0);
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
        self.saturate(value != sum);
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
