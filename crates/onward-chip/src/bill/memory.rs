//! Memories: macros, several of them side by side, or flip-flops, whichever is smaller.

use super::logic::{Timing, flip_flops, gates, log2, multiplexers, selector};
use crate::technology::{MemoryFigures, Technology};

/// Ports of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// A read or a write a cycle.
    One,
    /// A read and a write a cycle.
    Two,
}

/// What a memory takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MemoryCost {
    pub area_um2: f64,
    pub leakage_nw: f64,
    /// A word read, a word written, fJ.
    pub read_fj: f64,
    pub write_fj: f64,
    /// Clock, or address, to output, and data before the clock, ps.
    pub access_ps: f64,
    pub setup_ps: f64,
    /// Flip-flops that a clock must reach; 0 for macros.
    pub flip_flops: f64,
}

impl MemoryCost {
    /// A memory of so many words of so many bits.
    pub fn of(technology: &Technology, words: u64, bits: u64, ports: Ports) -> MemoryCost {
        let figures = match ports {
            Ports::One => &technology.memories.one_port,
            Ports::Two => &technology.memories.two_port,
        };
        let macros = of_macros(technology, figures, words, bits);
        // Beyond some thousands of bits flip-flops are never smaller.
        let registers = of_flip_flops(technology, words as f64, bits as f64);
        if registers.area_um2 < macros.area_um2 { registers } else { macros }
    }
}

/// Macros of equal size: `columns` side by side make the width, `rows` of them the words. An access wakes one row of them, goes
/// through a multiplexer, and along wires as long as the side of the whole. A memory smaller than the smallest macro is one of that
/// size.
fn of_macros(technology: &Technology, figures: &MemoryFigures, words: u64, bits: u64) -> MemoryCost {
    let words = words.max(figures.smallest_words);
    let (rows, columns) = (words.div_ceil(figures.largest_words), bits.div_ceil(figures.largest_bits));
    let one_words = words.div_ceil(rows) as f64;
    let one_bits = bits.div_ceil(columns) as f64;
    let (rows, columns, bits) = (rows as f64, columns as f64, bits as f64);
    let count = rows * columns;
    let macros = count * figures.area_um2.at(one_words, one_bits);
    let joined = if rows > 1.0 { selector(rows, bits) } else { gates(0.0) };
    let area = macros + technology.logic_area(joined);
    let (mut read_fj, mut write_fj) =
        (columns * figures.read_fj.at(one_words, one_bits), columns * figures.write_fj.at(one_words, one_bits));
    let timing = Timing(technology);
    let mut access_ps = figures.access_ps.at(one_words, one_bits);
    if count > 1.0 {
        let side = area.sqrt() / 1000.0;
        let wire = technology.wire_energy(bits, side);
        read_fj += wire + technology.operation(multiplexers(log2(rows) * bits));
        write_fj += wire;
        access_ps += timing.multiplexers(log2(rows)) + timing.wire(side);
    }
    MemoryCost {
        area_um2: area,
        leakage_nw: count * figures.leakage_nw.at(one_words, one_bits) + technology.logic_leakage(joined),
        read_fj,
        write_fj,
        access_ps,
        setup_ps: figures.setup_ps,
        flip_flops: 0.0,
    }
}

/// Flip-flops, a clock gate for each 32 of them, a decoder of a gate a word, and a tree of multiplexers to read with. Both
/// ports are there anyway.
fn of_flip_flops(technology: &Technology, words: f64, bits: f64) -> MemoryCost {
    let cells = flip_flops(words * bits);
    let all = cells + selector(words, bits) + gates(words);
    let timing = Timing(technology);
    MemoryCost {
        area_um2: technology.logic_area(all),
        leakage_nw: technology.logic_leakage(all),
        // Of the tree the multiplexers on the way change, and the level before them.
        read_fj: technology.operation(multiplexers(2.0 * log2(words) * bits)),
        write_fj: technology.operation(flip_flops(bits)) + technology.cells.clock_gate.energy_fj * (bits / 32.0).ceil(),
        access_ps: technology.cells.flip_flop.delay_ps + timing.multiplexers(log2(words)),
        setup_ps: technology.cells.flip_flop.setup_ps + timing.gates(2.0),
        flip_flops: words * bits,
    }
}
