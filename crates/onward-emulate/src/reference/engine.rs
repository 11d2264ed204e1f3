//! What both engines can be asked for.

use super::machine;
use crate::{Counters, Fault, Output};
use onward_isa::Space;

/// A packet the host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPacket {
    /// Step of the chunk it is sent in, from 0; it is consumed in the next.
    pub step: usize,
    /// The image's host input.
    pub input: usize,
    /// Its index, below the input's, once a step.
    pub index: u32,
    /// Its payload; 1 unless the input takes tags.
    pub payload: i32,
}

/// An engine with an image loaded. Whatever is asked, all engines answer the same.
pub trait Engine {
    /// Runs `steps` steps with these packets from the host, in any order. Returns what reached the host.
    ///
    /// # Errors
    /// A handler did what the machine does not allow. The machine cannot be used any more.
    ///
    /// # Panics
    /// If a packet's step, input or index does not exist, or it comes twice.
    fn run_packets(&mut self, steps: usize, packets: &[HostPacket]) -> Result<Vec<Output>, Fault>;

    /// The number of the next step.
    fn step(&self) -> u64;

    /// Whether a block would run in the next step without further input.
    fn is_busy(&self) -> bool;

    /// Counters since the machine was made.
    fn counters(&self) -> Counters;

    /// A block's memory, byte by byte.
    ///
    /// # Panics
    /// If there is no such block, or the space is that of the payloads.
    fn memory(&self, block: u32, space: Space) -> &[u8];

    /// Looks at a named array of a block, row by row; `None` if it has none. Nothing is counted.
    fn peek(&self, block: u32, symbol: &str) -> Option<Vec<i32>>;

    /// Reads a named array over the configuration port.
    fn read(&mut self, block: u32, symbol: &str) -> Option<Vec<i32>>;

    /// Writes a named array over the configuration port, each value's low bits. Returns whether the block has it and it
    /// is of that size.
    fn write(&mut self, block: u32, symbol: &str, values: &[i32]) -> bool;
}

/// Implements the trait by the methods of the same names.
macro_rules! engine {
    ($machine:ty, $run:expr) => {
        impl Engine for $machine {
            fn run_packets(&mut self, steps: usize, packets: &[HostPacket]) -> Result<Vec<Output>, Fault> {
                $run(self, steps, packets)
            }

            fn step(&self) -> u64 {
                self.step()
            }

            fn is_busy(&self) -> bool {
                self.is_busy()
            }

            fn counters(&self) -> Counters {
                self.counters()
            }

            fn memory(&self, block: u32, space: Space) -> &[u8] {
                self.memory(block, space)
            }

            fn peek(&self, block: u32, symbol: &str) -> Option<Vec<i32>> {
                self.peek(block, symbol)
            }

            fn read(&mut self, block: u32, symbol: &str) -> Option<Vec<i32>> {
                self.read(block, symbol)
            }

            fn write(&mut self, block: u32, symbol: &str, values: &[i32]) -> bool {
                self.write(block, symbol, values)
            }
        }
    };
}

engine!(machine::Machine, machine::Machine::run);
engine!(crate::Machine, |machine: &mut crate::Machine, steps, packets: &[HostPacket]| {
    machine.run(steps, |inputs| {
        for packet in packets {
            inputs.send(packet.input, packet.step, packet.index, packet.payload);
        }
    })
});
