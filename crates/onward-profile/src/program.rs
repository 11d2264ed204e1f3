//! What the counters of a program's addresses stand for.

use onward_emulate::{AddressCounts, BlockCounters};
use onward_image::{BlockIndex, Image};
use onward_isa::{Cycles, Instruction, Op};

/// An instruction of a program and how often it ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executed {
    pub instruction: Instruction,
    /// Its address.
    pub address: usize,
    /// Cycles it took, without flits.
    pub cycles: u64,
    /// Results of it that were saturated.
    pub saturated: u64,
    /// Times it ran.
    pub executions: u64,
    /// Elements it computed, or packets it sent.
    pub elements: u64,
    /// Whether it lies in the body of a `foreach`.
    pub in_foreach: bool,
    /// Active axons it took out of the active set: not 0 for a `foreach` alone.
    pub events: u64,
}

impl Executed {
    /// Elements of memory it read or wrote (an update counts once).
    pub fn accesses(&self) -> u64 {
        match self.instruction.op.description().cycles {
            Cycles::VectorMemory | Cycles::Element => self.elements,
            _ => self.executions,
        }
    }
}

/// The instructions of a block's program that ran, with their counts.
pub(crate) fn executed(image: &Image, block: &BlockCounters) -> impl Iterator<Item = Executed> {
    executed_at(image, block.block, &block.addresses)
}

/// The same with counts of a part of a run.
pub(crate) fn executed_at(
    image: &Image,
    block: BlockIndex,
    counts: &[AddressCounts],
) -> impl Iterator<Item = Executed> + use<> {
    let words = &image.programs[image.blocks[block].program].words;
    let instructions: Vec<Option<Instruction>> = words.iter().map(|&word| Instruction::decode(word).ok()).collect();
    let mut in_foreach = vec![false; instructions.len()];
    for (at, instruction) in instructions.iter().enumerate() {
        if let Some(Instruction { op: Op::Foreach, imm, .. }) = instruction {
            let end = at.saturating_add_signed(*imm as isize).min(instructions.len());
            in_foreach[end.min(at + 1)..end].fill(true);
        }
    }
    let counts = counts.to_vec();
    let count = move |at: usize| counts.get(at).copied().unwrap_or_default();
    instructions.into_iter().enumerate().filter_map(move |(address, instruction)| {
        let instruction = instruction?;
        let AddressCounts { executed, elements, cycles, saturated } = count(address);
        // The body begins anew with each active axon, an empty body never.
        let is_loop = instruction.op == Op::Foreach && instruction.imm > 1;
        let events = if is_loop { count(address + 1).executed } else { 0 };
        let in_foreach = in_foreach[address];
        let executions = executed;
        let executed = Executed { instruction, address, cycles, saturated, executions, elements, in_foreach, events };
        (executions > 0).then_some(executed)
    })
}
