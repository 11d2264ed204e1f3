//! Bits of memories that are not what was written: an engine in which they flip, or stick.
//!
//! Bits change where a run rests, before each step whose number is a multiple of a window's steps: so both engines see the same, on any
//! number of threads and however many steps are run at once. What flips in a window's steps is drawn at once, as many bits as are to
//! be expected, the part below one by lot. Stuck bits are set again at each rest.
//!
//! Words may be protected (`memory.protection` of the chip), of 32 bits in neuron memory and 16 in the others. With a parity bit
//! an odd number of wrong bits is noticed; with error correction one is put right, two are noticed. What is noticed is counted, and
//! stays wrong.

use crate::machine::Machine;
use crate::{Counters, Engine, Fault, Feed, HostPacket, Output, StepLog, reference};
use onward_chip::{FaultyMemory, MemoryFaults, NEURON_WORD, Protection, SYNAPSE_WORD};
use onward_image::{BlockIndex, Image};
use onward_isa::Space;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// An engine whose memories can be changed from outside.
pub trait Exposed: Engine {
    /// Changes a byte of a block's memory. Nothing is counted.
    ///
    /// # Panics
    /// If there is no such block or byte, or the space is that of the payloads.
    fn alter(&mut self, block: BlockIndex, space: Space, at: usize, change: &mut dyn FnMut(u8) -> u8);
}

impl Exposed for Machine {
    fn alter(&mut self, block: BlockIndex, space: Space, at: usize, change: &mut dyn FnMut(u8) -> u8) {
        let byte = self.byte_mut(block, space, at);
        *byte = change(*byte);
    }
}

impl Exposed for reference::Machine {
    fn alter(&mut self, block: BlockIndex, space: Space, at: usize, change: &mut dyn FnMut(u8) -> u8) {
        let byte = self.byte_mut(block, space, at);
        *byte = change(*byte);
    }
}

/// What became of bits so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpsetCounts {
    /// Bits of memories in which something can go wrong, without those that protect them.
    pub bits: u64,
    /// Bits that stick, those that protect words left out.
    pub stuck: u64,
    /// Bits that flipped, those that protect words included.
    pub flipped: u64,
    /// Words that were put right.
    pub corrected: u64,
    /// Words that were noticed to be wrong, and stayed so.
    pub detected: u64,
    /// Words that became wrong, and nothing noticed.
    pub silent: u64,
}

/// The counts of an engine, wherever that is.
#[derive(Clone, Debug, Default)]
pub struct UpsetRecord(Arc<Mutex<UpsetCounts>>);

impl UpsetRecord {
    /// The counts so far.
    pub fn counts(&self) -> UpsetCounts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A packet that was sent: its step, its index, its payload.
type Sent = (u64, u32, i32);

/// A word: block, memory, its first byte, its bytes.
type Word = (BlockIndex, Space, u32, u32);

/// Memories of blocks, one behind the other.
struct Region {
    block: BlockIndex,
    space: Space,
    /// Bits before it, those that protect words included; bits of a word, and of its protection.
    before: u64,
    word: u32,
    more: u32,
}

/// An engine in whose memories bits flip and stick.
pub struct Upset<E> {
    engine: E,
    faults: MemoryFaults,
    protection: Protection,
    regions: Vec<Region>,
    /// All bits, and those without protection.
    bits: u64,
    data_bits: u64,
    /// Bits that are always 1, and bits that are always 0.
    stuck: BTreeMap<Word, (u32, u32)>,
    draws: Draws,
    begun: bool,
    /// Steps between two rests.
    stride: u64,
    /// By block and route, what was sent in the chunk that ran last.
    sent: BTreeMap<(BlockIndex, usize), Vec<Sent>>,
    record: UpsetRecord,
}

impl<E: Exposed> Upset<E> {
    /// An engine that has an image loaded, with faults of its memories, drawn by a seed; and the record that tells what became
    /// of them.
    pub fn new(engine: E, image: &Image, faults: &MemoryFaults, seed: u64) -> (Upset<E>, UpsetRecord) {
        let chosen: BTreeSet<FaultyMemory> = faults.memories.iter().copied().collect();
        let protection = image.chip.memory.protection;
        let (mut regions, mut bits, mut data_bits) = (Vec::new(), 0, 0);
        for (block, of_image) in image.blocks.iter_enumerated() {
            for space in [Space::Neuron, Space::Axon, Space::Synapse] {
                let memory = match space {
                    Space::Neuron => FaultyMemory::Neuron,
                    Space::Axon => FaultyMemory::Axon,
                    _ => FaultyMemory::Synapse,
                };
                let bytes = of_image.memory_bytes[space as usize];
                let word = if space == Space::Neuron { NEURON_WORD } else { SYNAPSE_WORD };
                let (more, words) = (protection.bits_a_word(word), u64::from(bytes / (word / 8)));
                if chosen.contains(&memory) && words > 0 {
                    regions.push(Region { block, space, before: bits, word, more });
                    bits += u64::from(word + more) * words;
                    data_bits += u64::from(word) * words;
                }
            }
        }
        let record = UpsetRecord::default();
        let mut upset = Upset {
            engine,
            faults: faults.clone(),
            protection,
            regions,
            bits,
            data_bits,
            stuck: BTreeMap::new(),
            draws: Draws(seed ^ 0x0075_7073_6574),
            begun: false,
            stride: u64::from(image.network.window_steps.max(1)),
            sent: image
                .blocks
                .iter_enumerated()
                .flat_map(|(number, block)| (0..block.routes.len()).map(move |route| ((number, route), Vec::new())))
                .collect(),
            record: record.clone(),
        };
        upset.draw_stuck();
        (upset, record)
    }

    fn count(&self, change: impl FnOnce(&mut UpsetCounts)) {
        change(&mut self.record.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The word that one of all bits is in, and which of its bits that is, those that protect it last.
    fn place(&self, bit: u64) -> (Word, u32) {
        let region = &self.regions[self.regions.partition_point(|region| region.before <= bit) - 1];
        let (within, each) = (bit - region.before, u64::from(region.word + region.more));
        let bytes = region.word / 8;
        ((region.block, region.space, (within / each) as u32 * bytes, bytes), (within % each) as u32)
    }

    fn draw_stuck(&mut self) {
        let wanted = self.faults.stuck_of(self.data_bits);
        let mut found = BTreeSet::new();
        while (found.len() as u64) < wanted {
            let drawn = self.draws.below(self.bits);
            let (word, bit) = self.place(drawn);
            if bit < 8 * word.3 && found.insert(drawn) {
                let is_one = self.draws.below(2) == 1;
                let masks = self.stuck.entry(word).or_default();
                let mask = 1 << bit;
                if is_one { masks.0 |= mask } else { masks.1 |= mask }
            }
        }
        self.count(|counts| (counts.bits, counts.stuck) = (self.data_bits, wanted));
        match self.protection {
            Protection::None => {}
            // What is wrong with a single bit is put right whenever the word is read.
            Protection::Ecc => {
                let single = |masks: &(u32, u32)| (masks.0 | masks.1).count_ones() == 1;
                let all = self.stuck.len();
                self.stuck.retain(|_, masks| !single(masks));
                let (corrected, left) = ((all - self.stuck.len()) as u64, self.stuck.len() as u64);
                self.count(|counts| (counts.corrected, counts.detected) = (corrected, left));
            }
            Protection::Parity => {
                let odd = self.stuck.values().filter(|masks| (masks.0 | masks.1).count_ones() % 2 == 1).count() as u64;
                self.count(|counts| counts.detected = odd);
            }
        }
    }

    fn change(&mut self, (block, space, first, bytes): Word, change: impl Fn(u32) -> u32) {
        let (first, bytes) = (first as usize, bytes as usize);
        let before = self.engine.memory(block, space)[first..first + bytes].to_vec();
        let value = before.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
        let after = change(value).to_le_bytes();
        for (at, (_, &after)) in before.iter().zip(&after).enumerate().filter(|(_, (before, after))| before != after) {
            self.engine.alter(block, space, first + at, &mut |_| after);
        }
    }

    /// Flips so many bits, each any of those there are.
    fn flip(&mut self, wanted: u64, distinct: bool) {
        let mut flips: BTreeMap<Word, BTreeMap<u32, bool>> = BTreeMap::new();
        let mut drawn = 0;
        while drawn < wanted.min(self.bits) {
            let bit = self.draws.below(self.bits);
            let (word, bit) = self.place(bit);
            let flipped = flips.entry(word).or_default().entry(bit).or_default();
            if distinct && *flipped {
                continue;
            }
            *flipped ^= true;
            drawn += 1;
        }
        self.count(|counts| counts.flipped += drawn);
        for (word, bits) in flips {
            let wrong = bits.values().filter(|flipped| **flipped).count();
            let of_word = bits.iter().filter(|(bit, flipped)| **bit < 8 * word.3 && **flipped);
            let mask = of_word.fold(0, |mask, (bit, _)| mask | 1 << bit);
            if wrong == 0 {
                continue;
            }
            match (self.protection, wrong) {
                (Protection::Ecc, 1) => {
                    self.count(|counts| counts.corrected += 1);
                    continue;
                }
                (Protection::Ecc, 2) => self.count(|counts| counts.detected += 1),
                (Protection::Parity, odd) if odd % 2 == 1 => self.count(|counts| counts.detected += 1),
                _ if mask == 0 => {}
                _ => self.count(|counts| counts.silent += 1),
            }
            self.change(word, |before| before ^ mask);
        }
    }

    fn hold_stuck(&mut self) {
        let all: Vec<(Word, (u32, u32))> = self.stuck.iter().map(|(&word, &masks)| (word, masks)).collect();
        for (word, (ones, zeros)) in all {
            self.change(word, |before| (before | ones) & !zeros);
        }
    }

    /// What happens before so many steps.
    fn rest(&mut self, steps: u64) {
        if self.bits == 0 {
            return;
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.flip(self.faults.flipped_of(self.bits), true);
        }
        let (whole, rest) = self.faults.flips_of(self.bits, steps);
        if (whole, rest) != (0, 0) {
            let lot = self.draws.next() >> 11;
            self.flip(whole + u64::from(lot < rest), false);
        }
        self.hold_stuck();
    }
}

impl<E: Exposed> Engine for Upset<E> {
    fn run_fed(&mut self, steps: usize, feed: &mut dyn FnMut(&mut dyn Feed)) -> Result<Vec<Output>, Fault> {
        let mut packets: Vec<HostPacket> = Vec::new();
        feed(&mut packets);
        packets.sort_by_key(|packet| packet.step);
        self.sent.values_mut().for_each(Vec::clear);
        let (mut outputs, mut done, mut fed) = (Vec::new(), 0, 0);
        while done < steps {
            let within = self.engine.step() % self.stride;
            if within == 0 {
                self.rest(self.stride);
            }
            let piece = usize::try_from(self.stride - within).unwrap_or(usize::MAX).min(steps - done);
            let end = packets.partition_point(|packet| packet.step < done + piece);
            let of_piece = packets[fed..end].iter().map(|packet| HostPacket { step: packet.step - done, ..*packet });
            outputs.extend(self.engine.run_packets(piece, &of_piece.collect::<Vec<_>>())?);
            for (&(block, route), sent) in &mut self.sent {
                self.engine.sent(block, route, &mut |step, index, payload| sent.push((step, index, payload)));
            }
            (done, fed) = (done + piece, end);
        }
        Ok(outputs)
    }

    fn step(&self) -> u64 {
        self.engine.step()
    }

    fn cycles(&self) -> Option<u64> {
        self.engine.cycles()
    }

    fn is_busy(&self) -> bool {
        self.engine.is_busy()
    }

    fn counters(&self) -> Counters {
        self.engine.counters()
    }

    fn count_in_detail(&mut self) {
        self.engine.count_in_detail();
    }

    fn log_steps(&mut self, log: Box<dyn StepLog>) {
        self.engine.log_steps(log);
    }

    fn take_step_log(&mut self) -> Option<Box<dyn StepLog>> {
        self.engine.take_step_log()
    }

    fn draws(&self) -> Vec<u32> {
        self.engine.draws()
    }

    fn memory(&self, block: BlockIndex, space: Space) -> &[u8] {
        self.engine.memory(block, space)
    }

    fn peek(&self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>> {
        self.engine.peek(block, symbol)
    }

    fn read(&mut self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>> {
        self.engine.read(block, symbol)
    }

    fn write(&mut self, block: BlockIndex, symbol: &str, values: &[i32]) -> bool {
        self.engine.write(block, symbol, values)
    }

    fn sent(&self, block: BlockIndex, route: usize, tell: &mut dyn FnMut(u64, u32, i32)) {
        self.sent[&(block, route)].iter().for_each(|&(step, index, payload)| tell(step, index, payload));
    }

    fn end_epoch(&mut self) {
        self.engine.end_epoch();
    }
}

/// SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}
