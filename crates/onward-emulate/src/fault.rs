//! What stops a chip.

use crate::Output;
use onward_image::BlockIndex;
use onward_isa::Space;
use std::fmt;

/// A handler did what the machine does not allow. The chip stops; nothing of the step is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Step in which it happened.
    pub step: u64,
    /// Logical number of the block.
    pub block: BlockIndex,
    /// Core of the block.
    pub core: u32,
    /// Address of the instruction.
    pub address: u32,
    /// The instruction as text.
    pub instruction: String,
    /// What is not allowed.
    pub kind: FaultKind,
    /// What had reached the host in the steps before, as far as they were run together with it.
    pub reached: Vec<Output>,
}

/// What is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Elements outside a memory.
    Address {
        /// The memory.
        space: Space,
        /// First element addressed.
        first: i64,
        /// Elements addressed.
        count: u64,
        /// Elements there are.
        available: u64,
    },
    /// A vector or row length out of range.
    Length {
        /// The length.
        length: i64,
        /// The greatest allowed.
        max: i64,
    },
    /// An element index outside the vector.
    Element {
        /// The index.
        index: i32,
        /// The vector's length.
        length: u32,
    },
    /// A look-up in a table of no entries.
    EmptyTable,
    /// The word is no instruction, or the sequencer ran past the program's end.
    NoInstruction,
    /// A fifth nested loop.
    LoopDepth,
    /// The block has no such route.
    Route {
        /// The route's number.
        route: u32,
        /// Routes there are.
        available: u32,
    },
    /// A packet's index is not one of its route.
    PacketIndex {
        /// The index.
        index: i64,
        /// Indices the route has.
        available: u32,
    },
    /// A second packet for the same axon in a step.
    SecondPacket {
        /// The index it was sent with.
        index: u32,
    },
    /// The step does not end: more than 2^30 cycles without a packet.
    Endless,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the chip stopped in step {}: core {}, block {}, address {}, `{}`: ",
            self.step, self.core, self.block, self.address, self.instruction
        )?;
        match &self.kind {
            FaultKind::Address { space, first, count, available } => {
                match count {
                    1 => write!(f, "element {first}")?,
                    _ => write!(f, "elements {first} to {}", first + *count as i64 - 1)?,
                }
                write!(f, " of the {}, which has {available} of this width", space.name())
            }
            FaultKind::Length { length, max } => write!(f, "the length {length} is not one of 0 to {max}"),
            FaultKind::Element { index, length } => write!(f, "element {index} of a vector of {length}"),
            FaultKind::EmptyTable => write!(f, "the table has no entries"),
            FaultKind::NoInstruction => write!(f, "there is no instruction at this address"),
            FaultKind::LoopDepth => write!(f, "loops nest four deep at most"),
            FaultKind::Route { route, available } => write!(f, "route {route} of a block that has {available}"),
            FaultKind::PacketIndex { index, available } => {
                write!(f, "the packet's index {index} is not one of the route's {available}")
            }
            FaultKind::SecondPacket { index } => {
                write!(f, "a second packet with the index {index}: an axon takes one packet a step")
            }
            FaultKind::Endless => write!(f, "the step does not end: more than 2^30 cycles without a packet"),
        }
    }
}

impl std::error::Error for Fault {}
