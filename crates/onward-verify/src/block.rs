//! What is looked at of a block: its program, decoded once, and what surrounds it.

use crate::contract::Tags;
use crate::range::{LEAST, MOST};
use crate::sources::Names;
use crate::value::Sources;
use onward_chip::Chip;
use onward_image::{Block, BlockIndex};
use onward_isa::{Instruction, Space, Width};

/// Axons that packets can arrive on, and from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fed {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// What sends there.
    pub from: Sources,
    /// Whether its packets are spikes, so that their payload is 1.
    pub is_spike: bool,
    /// When packets can come.
    pub when: When,
}

/// When packets come, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum When {
    /// In any step.
    Any,
    /// In steps of windows of a kind.
    Windows {
        /// Bits 1..0 of their tags.
        kind: u32,
    },
    /// At a position of input windows of samples that are learned from.
    Learning {
        /// The position.
        position: i64,
    },
}

/// A block and all that a proof about its program needs.
pub(crate) struct Context<'a> {
    pub number: BlockIndex,
    pub block: &'a Block,
    pub chip: &'a Chip,
    /// The program; `None` where a word is no instruction.
    pub code: &'a [Option<Instruction>],
    /// Tags that it can take.
    pub tags: Tags,
    /// Steps of a window.
    pub window: i64,
    /// Axons that packets arrive on, the tag's left out.
    pub fed: Vec<Fed>,
    pub names: Names,
    /// Numbers at which what grows in a loop may come to rest, in order.
    pub thresholds: Vec<i64>,
}

impl Context<'_> {
    /// How many elements of a width the block's part of a memory has (M1); of the payloads, one an axon.
    pub fn elements(&self, space: Space, width: Width) -> i64 {
        match space {
            Space::Event => i64::from(self.block.axons),
            _ => i64::from(self.block.memory_bytes[space as usize]) * 8 / i64::from(width.bits()),
        }
    }

    /// The longest vector.
    pub fn vector_length(&self) -> i64 {
        i64::from(self.chip.core.vector_length)
    }

    /// What may stop something that grows: the numbers in the program, and one above and below each.
    pub fn thresholds(code: &[Option<Instruction>]) -> Vec<i64> {
        let numbers = code.iter().flatten().map(|instruction| i64::from(instruction.imm));
        let mut all: Vec<i64> = numbers.flat_map(|number| [number - 1, number, number + 1, -number]).collect();
        all.extend([LEAST, -1, 0, 1, MOST]);
        all.sort_unstable();
        all.dedup();
        all
    }
}
