//! What the counters of a program's addresses stand for.

use onward_emulate::{AddressCounts, BlockCounters};
use onward_image::Image;
use onward_isa::{Cycles, Instruction, Op};

/// An instruction of a program and how often it ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executed {
    pub instruction: Instruction,
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
    let words = &image.programs[image.blocks[block.block].program].words;
    let instructions: Vec<Option<Instruction>> = words.iter().map(|&word| Instruction::decode(word).ok()).collect();
    let mut in_foreach = vec![false; instructions.len()];
    for (at, instruction) in instructions.iter().enumerate() {
        if let Some(Instruction { op: Op::Foreach, imm, .. }) = instruction {
            let end = at.saturating_add_signed(*imm as isize).min(instructions.len());
            in_foreach[end.min(at + 1)..end].fill(true);
        }
    }
    let counts = block.addresses.clone();
    let count = move |at: usize| counts.get(at).copied().unwrap_or_default();
    instructions.into_iter().enumerate().filter_map(move |(at, instruction)| {
        let instruction = instruction?;
        let AddressCounts { executed, elements } = count(at);
        // The body begins anew with each active axon, an empty body never.
        let events = if instruction.op == Op::Foreach && instruction.imm > 1 { count(at + 1).executed } else { 0 };
        let executed = Executed { instruction, executions: executed, elements, in_foreach: in_foreach[at], events };
        (executed.executions > 0).then_some(executed)
    })
}
