//! How many cycles an instruction takes (rules I1 to I9 of `isa/microarchitecture.md`), as a linear function of what is
//! known when it runs.

use onward_chip::Chip;
use onward_isa::{Cycles, Instruction, Space};

/// `fixed + beats * max(1, ceil(VL / lanes)) + elements * max(1, VL)`, and 1 more for a branch that is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Cycles whatever the vector length.
    pub fixed: u32,
    /// Cycles a beat.
    pub beats: u32,
    /// Cycles an element.
    pub elements: u32,
}

/// Bits a lane reads from or writes to a memory in a cycle.
pub fn port_bits(space: Space) -> u32 {
    match space {
        Space::Synapse | Space::Axon => 16,
        Space::Neuron | Space::Event => 32,
    }
}

/// The numbers of lanes that a core can have.
pub(crate) const LANE_COUNTS: [u16; 5] = [4, 8, 16, 32, 64];

/// Cycles for each number of lanes, in the order of [`LANE_COUNTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct LaneCycles(pub [u64; LANE_COUNTS.len()]);

impl LaneCycles {
    /// The same for every number of lanes.
    #[inline(always)]
    pub fn same(cycles: u64) -> LaneCycles {
        LaneCycles([cycles; LANE_COUNTS.len()])
    }

    /// Adds others, so often.
    #[inline(always)]
    pub fn add(&mut self, other: &LaneCycles, times: u64) {
        self.0.iter_mut().zip(other.0).for_each(|(to, from)| *to += from * times);
    }
}

/// The cost of an instruction on a chip.
pub fn cost(instruction: &Instruction, chip: &Chip) -> Cost {
    cost_with(instruction, chip.core.lanes)
}

/// The cost of an instruction on a core with so many lanes.
pub(crate) fn cost_with(instruction: &Instruction, lanes: u16) -> Cost {
    match instruction.op.description().cycles {
        Cycles::One | Cycles::Branch | Cycles::Send => Cost { fixed: 1, ..Cost::default() },
        Cycles::Jump | Cycles::Load | Cycles::Update => Cost { fixed: 2, ..Cost::default() },
        Cycles::Vector => Cost { beats: 1, ..Cost::default() },
        Cycles::VectorMemory => {
            Cost { beats: instruction.width.bits().div_ceil(port_bits(instruction.space)), ..Cost::default() }
        }
        Cycles::Element => Cost { elements: 1, ..Cost::default() },
        Cycles::Reduce => Cost { fixed: u32::from(lanes).ilog2(), beats: 1, ..Cost::default() },
    }
}
