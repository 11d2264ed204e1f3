//! Logic as counts of cells: the blocks that every part of the circuit is put together from.
//!
//! Blocks are the textbook's (N. Weste, D. Harris, "CMOS VLSI Design", 4th edition, 2011, chapter 11: prefix adders, array and tree
//! multipliers, barrel shifters; chapter 12: decoders); each function says what it counts. A synthesizer does better in places.

use crate::technology::Technology;
use std::ops::{Add, Mul};

/// Flip-flops that share a clock gate.
pub(crate) const GATED_TOGETHER: f64 = 32.0;

/// A level of a prefix tree in NANDs: AND-OR-INVERT and OR-AND-INVERT gates in turn, a fifth slower than a NAND.
const PREFIX_LEVEL: f64 = 1.2;

/// Numbers of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Logic {
    pub nand2: f64,
    pub multiplexer: f64,
    pub full_adder: f64,
    pub flip_flop: f64,
}

impl Add for Logic {
    type Output = Logic;

    fn add(self, other: Logic) -> Logic {
        Logic {
            nand2: self.nand2 + other.nand2,
            multiplexer: self.multiplexer + other.multiplexer,
            full_adder: self.full_adder + other.full_adder,
            flip_flop: self.flip_flop + other.flip_flop,
        }
    }
}

impl Mul<f64> for Logic {
    type Output = Logic;

    fn mul(self, times: f64) -> Logic {
        Logic {
            nand2: self.nand2 * times,
            multiplexer: self.multiplexer * times,
            full_adder: self.full_adder * times,
            flip_flop: self.flip_flop * times,
        }
    }
}

/// The logarithm to base 2, rounded up; 0 of 1 and less.
pub(crate) fn log2(n: f64) -> f64 {
    n.max(1.0).log2().ceil()
}

/// So many NANDs.
pub(crate) fn gates(count: f64) -> Logic {
    Logic { nand2: count, ..Logic::default() }
}

/// So many two-to-one multiplexers.
pub(crate) fn multiplexers(count: f64) -> Logic {
    Logic { multiplexer: count, ..Logic::default() }
}

/// So many flip-flops.
pub(crate) fn flip_flops(count: f64) -> Logic {
    Logic { flip_flop: count, ..Logic::default() }
}

/// One of `inputs` words of so many bits: `inputs - 1` multiplexers a bit.
pub(crate) fn selector(inputs: f64, bits: f64) -> Logic {
    multiplexers((inputs - 1.0).max(0.0) * bits)
}

/// A prefix adder: a full adder a bit, two gates for each of `bits / 2 * log2 bits` nodes.
pub(crate) fn adder(bits: f64) -> Logic {
    Logic { full_adder: bits, nand2: bits * log2(bits), ..Logic::default() }
}

/// An adder that saturates: its sum, or one of its ends.
pub(crate) fn saturating_adder(bits: f64) -> Logic {
    adder(bits) + multiplexers(bits)
}

/// A shifter: a multiplexer a bit and power of two.
pub(crate) fn shifter(bits: f64) -> Logic {
    multiplexers(bits * log2(bits))
}

/// A multiplier of two words after Booth, in radix 4: a multiplexer and a gate for each bit of `bits / 2` partial products, full
/// adders that bring these down to two, and an adder of the product's width.
pub(crate) fn multiplier(bits: f64) -> Logic {
    let products = bits / 2.0 * (bits + 1.0);
    let tree = (bits / 2.0 - 1.0) * bits;
    Logic { multiplexer: products, nand2: products, full_adder: tree, ..Logic::default() } + adder(2.0 * bits)
}

/// The lowest set bit of so many: prefix ORs, two gates for each of `bits / 2 * log2 bits` nodes, a gate a bit behind them.
pub(crate) fn find_first(bits: f64) -> Logic {
    gates(bits * log2(bits) + bits)
}

/// Delays and energies of blocks in a technology.
#[derive(Clone, Copy)]
pub(crate) struct Timing<'a>(pub &'a Technology);

impl Timing<'_> {
    /// Clock to output and setup of the flip-flops at both ends of a path, ps.
    pub fn flip_flops(self) -> f64 {
        self.0.cells.flip_flop.delay_ps + self.0.cells.flip_flop.setup_ps
    }

    pub fn gates(self, levels: f64) -> f64 {
        levels * self.0.cells.nand2.delay_ps
    }

    pub fn multiplexers(self, levels: f64) -> f64 {
        levels * self.0.cells.multiplexer.delay_ps
    }

    /// A full adder for propagate and sum, a complex gate a level of the prefix tree between them.
    pub fn adder(self, bits: f64) -> f64 {
        self.0.cells.full_adder.delay_ps + self.gates(PREFIX_LEVEL * log2(bits))
    }

    /// Recoding (two gates), a partial product (a multiplexer and a gate), so many carry-save levels, and an adder of as many
    /// bits as the product needs.
    pub fn multiplier(self, bits: f64, product_bits: f64) -> f64 {
        let tree = carry_save_levels(bits / 2.0 + 1.0) * self.0.cells.full_adder.delay_ps;
        self.gates(3.0) + self.multiplexers(1.0) + tree + self.adder(product_bits)
    }

    /// Two gates a level, and the one behind them.
    pub fn find_first(self, bits: f64) -> f64 {
        self.gates(2.0 * log2(bits) + 1.0)
    }

    pub fn wire(self, millimetres: f64) -> f64 {
        millimetres * self.0.wires.delay_ps_per_mm
    }
}

/// Levels of full adders that bring so many rows down to two (C. Wallace, 1964): each makes two of three.
pub(crate) fn carry_save_levels(rows: f64) -> f64 {
    let (mut rows, mut levels) = (rows as u64, 0);
    while rows > 2 {
        rows = rows / 3 * 2 + rows % 3;
        levels += 1;
    }
    f64::from(levels)
}

impl Technology {
    /// Placed area of logic with its clock gates, um^2.
    pub(crate) fn logic_area(&self, logic: Logic) -> f64 {
        let cells = &self.cells;
        let gates = (logic.flip_flop / GATED_TOGETHER).ceil();
        (logic.nand2 * cells.nand2.area_um2
            + logic.multiplexer * cells.multiplexer.area_um2
            + logic.full_adder * cells.full_adder.area_um2
            + logic.flip_flop * cells.flip_flop.area_um2
            + gates * cells.clock_gate.area_um2)
            / self.layout.density
    }

    /// Leakage of logic, nW.
    pub(crate) fn logic_leakage(&self, logic: Logic) -> f64 {
        let cells = &self.cells;
        let gates = (logic.flip_flop / GATED_TOGETHER).ceil();
        logic.nand2 * cells.nand2.leakage_nw
            + logic.multiplexer * cells.multiplexer.leakage_nw
            + logic.full_adder * cells.full_adder.leakage_nw
            + logic.flip_flop * cells.flip_flop.leakage_nw
            + gates * cells.clock_gate.leakage_nw
    }

    /// Energy of an operation in which every cell takes part once: gates compute, flip-flops are clocked and take in a
    /// random bit, fJ.
    pub(crate) fn operation(&self, logic: Logic) -> f64 {
        let cells = &self.cells;
        logic.nand2 * cells.nand2.energy_fj
            + logic.multiplexer * cells.multiplexer.energy_fj
            + logic.full_adder * cells.full_adder.energy_fj
            + logic.flip_flop * (cells.flip_flop.energy_fj + cells.flip_flop.clock_fj)
    }

    /// Energy of a cycle in which so many flip-flops are clocked, with their gates, fJ.
    pub(crate) fn clocked(&self, flip_flops: f64) -> f64 {
        let gates = (flip_flops / GATED_TOGETHER).ceil();
        flip_flops * self.cells.flip_flop.clock_fj + gates * self.cells.clock_gate.energy_fj
    }

    /// Energy of a cycle in which the gates of so many flip-flops hold the clock back, fJ.
    pub(crate) fn gated(&self, flip_flops: f64) -> f64 {
        (flip_flops / GATED_TOGETHER).ceil() * self.cells.clock_gate.clock_fj
    }

    /// Energy of random data over so many bits of wire of a length in mm, fJ: a quarter of the bits rise.
    pub(crate) fn wire_energy(&self, bits: f64, millimetres: f64) -> f64 {
        bits * millimetres * self.wires.energy_fj_per_mm / 4.0
    }
}
