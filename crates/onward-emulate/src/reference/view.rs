//! What is to be seen of a machine between two instructions. Nothing here changes it, and nothing is kept for it.

use super::Machine;
use super::core::{Block, Over, Registers, Send};
use onward_image::BlockIndex;
use onward_isa::{Instruction, Special};

/// A block in a step, between two instructions.
#[derive(Clone, Copy)]
pub struct Current<'a> {
    pub(super) block: &'a Block,
    pub(super) registers: &'a Registers,
}

/// A loop under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopUnderWay {
    /// Address of the first instruction of its body.
    pub start: usize,
    /// The address behind its body.
    pub end: usize,
    /// What it still has to do.
    pub left: PassesLeft,
}

/// What a loop still has to do behind the pass at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassesLeft {
    /// So many passes.
    Count(u32),
    /// A pass for each of so many active axons.
    Events(usize),
    /// A pass for each of so many bits that are set.
    Bits(usize),
}

/// A send that had packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent<'a> {
    /// The block that sent it.
    pub block: BlockIndex,
    /// Its route.
    pub route: usize,
    /// Index and payload of each packet.
    pub packets: &'a [(u32, i32)],
}

impl<'a> Current<'a> {
    /// Logical number of the block.
    pub fn block(&self) -> BlockIndex {
        self.block.number
    }

    /// Core of the block.
    pub fn core(&self) -> u32 {
        self.block.core
    }

    /// The step.
    pub fn step(&self) -> u64 {
        self.registers.step
    }

    /// Address of the instruction that is executed next.
    pub fn address(&self) -> usize {
        self.registers.pc
    }

    /// The instruction that is executed next; `None` if there is none at the address.
    pub fn instruction(&self) -> Option<Instruction> {
        self.block.code.get(self.registers.pc).copied().flatten()
    }

    /// Cycles since the block's dispatch, what the network makes it wait left out.
    pub fn cycle(&self) -> u64 {
        self.registers.cycle()
    }

    /// The scalar registers.
    pub fn scalars(&self) -> &'a [i32; 16] {
        &self.registers.r
    }

    /// The vector registers, all their elements.
    pub fn vectors(&self) -> &'a [Vec<i32>; 8] {
        &self.registers.v
    }

    /// The predicates, all their bits.
    pub fn predicates(&self) -> &'a [Vec<bool>; 4] {
        &self.registers.p
    }

    /// The vector length.
    pub fn length(&self) -> usize {
        self.registers.length
    }

    /// The row length.
    pub fn row(&self) -> i64 {
        self.registers.row
    }

    /// Active axons and their payloads, ascending.
    pub fn events(&self) -> &'a [(u32, i32)] {
        &self.registers.events
    }

    /// A special register (rule E6).
    pub fn special(&self, register: Special) -> i32 {
        let at_most = i32::MAX as u64;
        let (step, tag) = (self.registers.step, self.block.tag);
        match register {
            Special::Step => (step % (1 << 31)) as i32,
            Special::Position => self.block.tag_step.map_or(at_most, |tag_step| (step - tag_step).min(at_most)) as i32,
            Special::Block => u32::from(self.block.number) as i32,
            Special::Tag => tag,
            Special::Kind => tag & 0b11,
            Special::Learn => tag >> 2 & 1,
            Special::Slot => tag >> 8 & 0xffff,
            Special::Events => self.registers.events.len() as i32,
        }
    }

    /// The loops under way, the outermost first.
    pub fn loops(&self) -> Vec<LoopUnderWay> {
        let left = |over: &Over| match *over {
            Over::Count { left } => PassesLeft::Count(left.max(0) as u32),
            Over::Events { next, .. } => PassesLeft::Events(self.registers.events.len() - next),
            Over::Set { from, predicate, .. } => {
                let bits = self.registers.p[usize::from(predicate)].iter().skip(from);
                PassesLeft::Bits(bits.filter(|&&bit| bit).count())
            }
        };
        let of =
            |under: &super::core::Loop| LoopUnderWay { start: under.start, end: under.end, left: left(&under.over) };
        self.registers.loops.iter().map(of).collect()
    }

    /// What it has sent in this step, in its order.
    pub fn sends(&self) -> impl ExactSizeIterator<Item = Sent<'a>> {
        let block = self.block.number;
        self.registers.sends.iter().map(move |send| send.by(block))
    }
}

impl Send {
    fn by(&self, block: BlockIndex) -> Sent<'_> {
        Sent { block, route: self.route, packets: &self.packets }
    }
}

impl Machine {
    /// The block that runs; `None` between steps and when all that run in a step have.
    pub fn current(&self) -> Option<Current<'_>> {
        let (number, registers) = self.under_way.as_ref()?.running.as_ref()?;
        Some(Current { block: &self.blocks[*number], registers })
    }

    /// What blocks have sent in the step under way, in their order. It is consumed in the next step.
    pub fn sent_in_step(&self) -> Vec<Sent<'_>> {
        let Some(step) = &self.under_way else { return Vec::new() };
        let ran = step.traces.iter().map(|(number, trace)| (*number, &trace.sends));
        let runs = step.running.iter().map(|(number, registers)| (*number, &registers.sends));
        ran.chain(runs).flat_map(|(number, sends)| sends.iter().map(move |send| send.by(number))).collect()
    }

    /// The packets that a block consumes in the step under way, or has consumed in the last: axon and payload, ascending. The
    /// tag's axon is among them until the block is dispatched.
    pub fn arrived(&self, block: BlockIndex) -> Vec<(u32, i32)> {
        active(&self.blocks[block].current)
    }

    /// The packets that wait for a block's next step: axon and payload, ascending. In a step, those of the host alone.
    pub fn arriving(&self, block: BlockIndex) -> Vec<(u32, i32)> {
        active(&self.blocks[block].next)
    }

    /// Whether a block runs in the next step whatever arrives (it ended its last one with `stay`).
    pub fn is_awake(&self, block: BlockIndex) -> bool {
        self.blocks[block].awake
    }

    /// How many results of a block were saturated so far.
    pub fn saturations(&self, block: BlockIndex) -> u64 {
        self.blocks[block].counters.saturated
    }
}

fn active(bank: &[Option<i32>]) -> Vec<(u32, i32)> {
    (0..).zip(bank).filter_map(|(axon, payload)| payload.map(|payload| (axon, payload))).collect()
}
