//! Where a convolution that learns keeps what its inputs did: what changes a kernel visits each weight's inputs together.
//!
//! The inputs of one channel and one phase of the stride reach the block by the same sub-kernel, and only they do. So
//! their traces lie side by side: all that changes a sub-kernel is one run of slots.

use super::{Kernels, Table};
use std::collections::BTreeMap;

/// The slots of a block's inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    /// By axon its slot; -1 where it reaches nothing. Axons that are summed by a pool share one.
    pub slots: Vec<i32>,
    /// By slot the first sum that the input reaches.
    pub sums: Vec<i32>,
    /// By phase of the stride, in the order of the slots.
    pub phases: Vec<Phase>,
}

/// Inputs of one phase of the stride: of each channel as many, one channel's slots after the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    /// Slots of a channel.
    pub places: u32,
    /// The first tap of the sub-kernel in that of a channel.
    pub first_tap: u32,
    /// Rows of the sub-kernel.
    pub rows: u32,
    /// Weights in a row of it, those of all output channels of the block.
    pub run: u32,
}

impl Traces {
    /// The slots of axons that reach the block by `table`, in which each has one entry at most.
    pub fn new(kernels: &Kernels, table: &Table) -> Traces {
        let phases = kernels.phases();
        let place = |value: i32| {
            let (tap, sum) = (value as u32 >> 16, value as u32 & 0xffff);
            let (channel, tap) = (tap / kernels.taps_of_channel(), tap % kernels.taps_of_channel());
            let phase = phases.iter().position(|phase| phase.first_tap == tap).unwrap_or(0);
            (phase, channel, sum)
        };
        let reaching = || table.entries().iter().map(|entry| entry.value).filter(|&value| value >= 0);
        let mut slots: BTreeMap<_, i32> = reaching().map(|value| (place(value), 0)).collect();
        for (slot, number) in slots.values_mut().zip(0..) {
            *slot = number;
        }
        let channels = kernels.channels();
        let of_phase = |at| slots.keys().filter(|(phase, ..)| *phase == at).count() as u32;
        Traces {
            slots: table.entries().iter().map(|e| if e.value < 0 { -1 } else { slots[&place(e.value)] }).collect(),
            sums: slots.keys().map(|&(_, _, sum)| sum as i32).collect(),
            phases: (0..phases.len())
                .map(|at| Phase { places: of_phase(at) / channels, ..phases[at] })
                .filter(|phase| phase.places > 0)
                .collect(),
        }
    }
}
