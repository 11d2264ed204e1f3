//! The event loop as one operation: for each active axon add its row, and count its trace.
//!
//! The shape is that of [`onward_isa::idiom::EventLoop`], which the compiler writes for every layer. Run at once, the sums
//! stay in registers of the host, and the interpreter is entered once instead of three times an event. Whenever anything
//! irregular could happen (an address outside, a sum that saturates), the loop is left to the interpreter, which does the
//! same by the book.

use super::vector::Vectors;
use crate::memory::{Bank, Memory, PerMemory, halves};
use onward_isa::{Instruction, Width, idiom};

/// A loop that can be run at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventLoop {
    /// Address behind the body.
    pub end: usize,
    shape: idiom::EventLoop,
}

/// Elements that are summed in registers of the host at a time.
const TILE: usize = 128;

impl EventLoop {
    /// The loop that begins at address `at`, if it is one.
    pub fn find(code: &[Option<Instruction>], at: usize) -> Option<EventLoop> {
        idiom::EventLoop::find(code, at).map(|shape| EventLoop { end: shape.end, shape })
    }

    /// How far behind the `foreach` rows are added.
    #[inline(always)]
    pub(super) fn adds_at(&self) -> usize {
        if self.shape.table.is_some() { 2 } else { 1 }
    }

    /// Runs the loop over all events, of which there is at least one. Returns false, and has done nothing, where it must
    /// be interpreted.
    #[inline(always)]
    pub(super) fn run(
        &self,
        events: &[u32],
        last_payload: i32,
        memory: &mut PerMemory<Bank>,
        vectors: &mut Vectors,
        registers: &mut [i32; 16],
        row: i64,
    ) -> bool {
        let shape = &self.shape;
        let (first, last) = (i64::from(events[0]), i64::from(events[events.len() - 1]));
        let length = vectors.length;
        let synapses = &memory[Memory::Synapse];
        let fits = |first: i64, last: i64| {
            (first + shape.offset) * row >= 0
                && (last + shape.offset) * row + length as i64 <= synapses.elements(shape.width) as i64
        };
        let entries = memory[Memory::Axon].as_slice::<i32>();
        // Events ascend, so the first and the last row bound all addresses; entries come in any order.
        let rows_fit = match &shape.table {
            None => fits(first, last),
            Some(table) => {
                let (first, last) = (first + table.offset, last + table.offset);
                let is_inside = first >= 0 && last < entries.len() as i64;
                is_inside
                    && events.iter().all(|&event| {
                        let entry = i64::from(entries[(i64::from(event) + table.offset) as usize]);
                        fits(entry, entry)
                    })
            }
        };
        let sums = vectors.write(shape.vector);
        let largest = sums.iter().fold(0, |largest, sum| largest.max(sum.unsigned_abs()));
        let growth = (events.len() as u64) << (shape.width.bits() - 1);
        // Rows of 4 bits are added byte by byte.
        if shape.width == Width::W4 && (row % 2 != 0 || !length.is_multiple_of(2)) {
            return false;
        }
        if !rows_fit || u64::from(largest) + growth > i32::MAX as u64 {
            return false;
        }
        if let Some(trace) = &shape.trace {
            let base = i64::from(registers[usize::from(trace.base)]);
            let elements = memory[Memory::Axon].elements(Width::W16) as i64;
            let fits = base + first + trace.offset >= 0 && base + last + trace.offset < elements;
            let increment = registers[usize::from(trace.increment)];
            let traces = memory[Memory::Axon].as_mut_slice::<i16>();
            let at = |event: u32| (base + i64::from(event) + trace.offset) as usize;
            let small = |value: i32| i32::from(value as i16) == value;
            if !fits || base + last > i64::from(i32::MAX) || !small(increment) {
                return false;
            }
            if !events.iter().all(|&event| small(i32::from(traces[at(event)]) + increment)) {
                return false;
            }
            for &event in events {
                traces[at(event)] += increment as i16;
            }
            registers[usize::from(trace.sum)] = (base + last) as i32;
        }
        let element = |index: i64| ((index + shape.offset) * row) as usize;
        let synapses = &memory[Memory::Synapse];
        match &shape.table {
            None => add(sums, synapses, shape.width, events, |event| element(event.into())),
            Some(table) => {
                let entries = memory[Memory::Axon].as_slice::<i32>();
                let entry = |event: u32| entries[(i64::from(event) + table.offset) as usize];
                add(sums, synapses, shape.width, events, |event| element(entry(event).into()));
                registers[usize::from(table.entry)] = entry(events[events.len() - 1]);
            }
        }
        registers[usize::from(shape.axon)] = last as i32;
        registers[usize::from(shape.payload)] = last_payload;
        registers[0] = 0;
        true
    }
}

/// Adds a row of `sums.len()` elements for each event. No sum may leave 32 bits.
#[inline(always)]
fn add(sums: &mut [i32], synapses: &Bank, width: Width, events: &[u32], first_element: impl Fn(u32) -> usize) {
    match width {
        Width::W4 => add_halves(sums, synapses.bytes(), events, |event| first_element(event) / 2),
        Width::W8 => add_rows(sums, synapses.as_slice::<i8>(), events, first_element),
        _ => add_rows(sums, synapses.as_slice::<i16>(), events, first_element),
    }
}

/// Adds a row of `sums.len()` elements of 4 bits, two a byte, for each event. No sum may leave 32 bits.
#[inline(always)]
fn add_halves(sums: &mut [i32], memory: &[u8], events: &[u32], first_byte: impl Fn(u32) -> usize) {
    for (tile, sums) in sums.chunks_mut(TILE).enumerate() {
        // Even elements and odd ones apart, as they lie in their bytes.
        let (mut low, mut high) = ([0; TILE / 2], [0; TILE / 2]);
        let (low, high) = (&mut low[..sums.len() / 2], &mut high[..sums.len() / 2]);
        for &event in events {
            let row = &memory[first_byte(event) + tile * TILE / 2..][..low.len()];
            for ((low, high), &byte) in low.iter_mut().zip(high.iter_mut()).zip(row) {
                let halves = halves(byte);
                *low += halves.0;
                *high += halves.1;
            }
        }
        for ((pair, low), high) in sums.chunks_exact_mut(2).zip(low).zip(high) {
            pair[0] = pair[0].wrapping_add(*low);
            pair[1] = pair[1].wrapping_add(*high);
        }
    }
}

/// Adds a row of `sums.len()` elements of memory for each event. No sum may leave 32 bits.
#[inline(always)]
fn add_rows<T: Copy + Into<i32>>(sums: &mut [i32], memory: &[T], events: &[u32], first_element: impl Fn(u32) -> usize) {
    let mut tiles = sums.chunks_exact_mut(TILE);
    let mut done = 0;
    for tile in &mut tiles {
        let mut held: [i32; TILE] = tile.try_into().expect("a whole tile");
        for &event in events {
            let row = &memory[first_element(event) + done..][..TILE];
            for (sum, &weight) in held.iter_mut().zip(row) {
                *sum = sum.wrapping_add(weight.into());
            }
        }
        tile.copy_from_slice(&held);
        done += TILE;
    }
    let rest = tiles.into_remainder();
    if rest.is_empty() {
        return;
    }
    for &event in events {
        let row = &memory[first_element(event) + done..][..rest.len()];
        for (sum, &weight) in rest.iter_mut().zip(row) {
            *sum = sum.wrapping_add(weight.into());
        }
    }
}
