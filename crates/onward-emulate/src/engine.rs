//! What both engines can be asked for.

use crate::{Counters, Fault, Output, RunPhase, StepLog};
use onward_image::{BlockIndex, Image};
use onward_isa::Space;
use std::io::{self, Write};

/// A packet the host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPacket {
    /// Step of the chunk it is sent in, from 0; it is consumed in the next.
    pub step: usize,
    /// The image's host input, by the number of its first part.
    pub input: usize,
    /// Its index, below the input's, once a step.
    pub index: u32,
    /// Its payload; 1 unless the input takes tags.
    pub payload: i32,
}

/// What takes the host's packets of a chunk. What is put into a step is sent in that step and consumed in the next.
pub trait Feed {
    /// Sends a packet.
    ///
    /// # Panics
    /// Then, or when the chunk runs: if the step or the input does not exist, the index is not the input's or was sent
    /// before in the step, or the input carries spikes and the payload is not 1.
    fn send(&mut self, input: usize, step: usize, index: u32, payload: i32);

    /// Sends a spike for each set bit; `bits` has a bit for each index of the input, lowest first.
    ///
    /// # Panics
    /// As [`Feed::send`]; and if `bits` is too short.
    fn spikes(&mut self, input: usize, step: usize, bits: &[u64]);
}

impl Feed for Vec<HostPacket> {
    fn send(&mut self, input: usize, step: usize, index: u32, payload: i32) {
        self.push(HostPacket { step, input, index, payload });
    }

    fn spikes(&mut self, input: usize, step: usize, bits: &[u64]) {
        for (at, &word) in bits.iter().enumerate() {
            for bit in (0..64).filter(|bit| word >> bit & 1 == 1) {
                self.push(HostPacket { step, input, index: at as u32 * 64 + bit, payload: 1 });
            }
        }
    }
}

/// An engine with an image loaded. Whatever is asked, all engines answer the same.
pub trait Engine {
    /// Runs `steps` steps; `feed` puts what the host sends in them. Returns what reached the host, by step.
    ///
    /// # Errors
    /// A handler did what the machine does not allow. The machine cannot be used any more.
    ///
    /// # Panics
    /// If a packet's step, input or index does not exist, or it comes twice.
    fn run_fed(&mut self, steps: usize, feed: &mut dyn FnMut(&mut dyn Feed)) -> Result<Vec<Output>, Fault>;

    /// Runs `steps` steps with these packets from the host, in any order. Returns what reached the host, by step.
    ///
    /// # Errors
    /// As [`Engine::run_fed`].
    ///
    /// # Panics
    /// As [`Engine::run_fed`].
    fn run_packets(&mut self, steps: usize, packets: &[HostPacket]) -> Result<Vec<Output>, Fault> {
        self.run_fed(steps, &mut |feed| {
            for packet in packets {
                feed.send(packet.input, packet.step, packet.index, packet.payload);
            }
        })
    }

    /// The number of the next step.
    fn step(&self) -> u64;

    /// Cycles so far; `None` without timing.
    fn cycles(&self) -> Option<u64>;

    /// Whether a block would run in the next step without further input: a window is open, or packets are under way.
    fn is_busy(&self) -> bool;

    /// Counters since the machine was made.
    fn counters(&self) -> Counters;

    /// Counts by window and neuron too, and what cores do with their cycles ([`Counters::detail`]); to be called before the
    /// first step. It changes no answer and no cycle.
    ///
    /// # Panics
    /// If a step has run.
    fn count_in_detail(&mut self);

    /// Has `log` told of each step that runs from here on, where time is kept; without timing of none. It changes no answer and
    /// no cycle.
    fn log_steps(&mut self, log: Box<dyn StepLog>);

    /// Tells the log of all that ran, and gives it back.
    fn take_step_log(&mut self) -> Option<Box<dyn StepLog>>;

    /// How often the generator of each block has drawn, by logical number.
    fn draws(&self) -> Vec<u32>;

    /// A block's memory, byte by byte.
    ///
    /// # Panics
    /// If there is no such block, or the space is that of the payloads.
    fn memory(&self, block: BlockIndex, space: Space) -> &[u8];

    /// Looks at a named array of a block, row by row; `None` if it has none. Nothing is counted.
    fn peek(&self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>>;

    /// Reads a named array over the configuration port.
    fn read(&mut self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>>;

    /// Writes a named array over the configuration port, each value's low bits. Returns whether the block has it and it
    /// is of that size.
    fn write(&mut self, block: BlockIndex, symbol: &str, values: &[i32]) -> bool;

    /// Tells each packet that a block sent by one of its routes in the chunk that ran last, by step and index: the step it was
    /// sent in, its index, its payload. Nothing is counted.
    ///
    /// # Panics
    /// If there is no such block or route.
    fn sent(&self, block: BlockIndex, route: usize, tell: &mut dyn FnMut(u64, u32, i32));

    /// Is told that an epoch of learning is over, with its test; of a run that only tests, that this is. It does nothing, but
    /// whoever records what an engine does may take note.
    fn end_epoch(&mut self) {}

    /// Is told that a part of the run begins that reports tell apart. It does nothing, but an engine that records its run takes
    /// note.
    fn begin_phase(&mut self, _phase: RunPhase) {}

    /// From here on records the run, to be called before the first step, with the image that is loaded: what is written, read by
    /// [`Record::load`](crate::Record::load), holds the time of every chip on which the image's blocks find room. Returns whether
    /// the engine makes records at all.
    ///
    /// # Errors
    /// Nothing can be written.
    ///
    /// # Panics
    /// If a step has run.
    fn begin_record(&mut self, _image: &Image, _to: Box<dyn Write + Send>) -> io::Result<bool> {
        Ok(false)
    }

    /// Ends the record of the run, if one is made; `about` is what whoever made it says of the run. Steps that run from here on
    /// are not recorded.
    ///
    /// # Errors
    /// Something of the record could not be written.
    fn end_record(&mut self, _about: &[u8]) -> io::Result<()> {
        Ok(())
    }
}
