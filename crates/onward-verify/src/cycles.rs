//! How long instructions take, by the rules of `isa/microarchitecture.md`: I1 to I9, S1, M2.

use onward_isa::{Cycles, Instruction, Space};

/// Cycles of an instruction for a vector length; of a branch those if it is not taken, of a send those without flits.
///
/// More elements never take less, so the greatest length gives the greatest number of cycles.
pub(crate) fn of(instruction: &Instruction, length: i64, lanes: u16) -> u64 {
    let length = u64::try_from(length).unwrap_or(0);
    let beats = length.div_ceil(u64::from(lanes).max(1)).max(1);
    match instruction.op.description().cycles {
        Cycles::One | Cycles::Branch | Cycles::Send => 1,
        Cycles::Jump | Cycles::Load | Cycles::Update => 2,
        Cycles::Vector => beats,
        Cycles::VectorMemory => {
            // A lane's port (M2).
            let port = match instruction.space {
                Space::Neuron | Space::Event => 32,
                Space::Axon | Space::Synapse => 16,
            };
            beats * u64::from(instruction.width.bits().div_ceil(port))
        }
        Cycles::Element => length.max(1),
        Cycles::Reduce => beats + u64::from(lanes.max(1).ilog2()),
    }
}
