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

/// The cost of an instruction on a chip.
pub fn cost(instruction: &Instruction, chip: &Chip) -> Cost {
    match instruction.op.description().cycles {
        Cycles::One | Cycles::Branch | Cycles::Send => Cost { fixed: 1, ..Cost::default() },
        Cycles::Jump | Cycles::Load | Cycles::Update => Cost { fixed: 2, ..Cost::default() },
        Cycles::Vector => Cost { beats: 1, ..Cost::default() },
        Cycles::VectorMemory => {
            Cost { beats: instruction.width.bits().div_ceil(port_bits(instruction.space)), ..Cost::default() }
        }
        Cycles::Element => Cost { elements: 1, ..Cost::default() },
        Cycles::Reduce => Cost { fixed: u32::from(chip.core.lanes).ilog2(), beats: 1, ..Cost::default() },
    }
}
