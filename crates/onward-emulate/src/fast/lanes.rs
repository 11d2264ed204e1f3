//! What a block's cycles would be with other lanes: kept beside its own, where a run is recorded.
//!
//! The instructions that a block executes do not depend on its lanes, and what each takes is a linear function of a few numbers
//! that are known when it runs ([`Cost`]); so the cycles of every number of lanes are added up in one run.

use super::decode::{Code, Decoded};
use crate::cost::{Cost, LANE_COUNTS, LaneCycles};
use std::ops::Range;

/// Cycles of a block by numbers of lanes, without those of its dispatches.
#[derive(Clone, Debug, Default)]
pub(crate) struct LaneTally {
    /// Beats of the present vector length.
    beats: [u64; LANE_COUNTS.len()],
    /// Cycles since the last packet, or since the dispatch ended.
    since: LaneCycles,
    /// Cycles of each address of the program, but those of scalar instructions, of which each execution takes the same.
    pub addresses: Vec<LaneCycles>,
    /// By send of the chunk that runs, the cycles before it.
    pub gaps: Vec<LaneCycles>,
    /// By step of the chunk in which the block ran, the cycles after its last send.
    pub tails: Vec<LaneCycles>,
}

impl LaneTally {
    /// Nothing yet, of a program of so many addresses.
    pub fn new(addresses: usize) -> LaneTally {
        LaneTally { addresses: vec![LaneCycles::default(); addresses], ..LaneTally::default() }
    }

    /// Forgets the sends of the last chunk.
    pub fn begin_chunk(&mut self) {
        self.gaps.clear();
        self.tails.clear();
    }

    /// A step of the block begins.
    #[inline(always)]
    pub fn begin_step(&mut self) {
        self.since = LaneCycles::default();
        self.set_length(0);
    }

    /// A step of the block is over.
    #[inline(always)]
    pub fn end_step(&mut self) {
        self.tails.push(self.since);
    }

    /// From here on vectors have this length.
    #[inline(always)]
    pub fn set_length(&mut self, length: usize) {
        self.beats = LANE_COUNTS.map(|lanes| length.div_ceil(usize::from(lanes)).max(1) as u64);
    }

    /// An instruction that is not scalar runs.
    #[inline(always)]
    pub fn issue(&mut self, program: &Decoded, at: usize, length: usize) {
        let cycles = self.cost(program, at, length);
        self.since.add(&cycles, 1);
        self.addresses[at].add(&cycles, 1);
    }

    /// Scalar instructions run.
    #[inline(always)]
    pub fn scalars(&mut self, cycles: u32) {
        self.since.add(&LaneCycles::same(cycles.into()), 1);
    }

    /// A branch is taken, which takes a cycle more.
    #[inline(always)]
    pub fn taken(&mut self, at: usize) {
        self.since.add(&LaneCycles::same(1), 1);
        self.addresses[at].add(&LaneCycles::same(1), 1);
    }

    /// The instructions of a body run so often; none of them has cycles by elements.
    #[inline(always)]
    pub fn passes(&mut self, program: &Decoded, body: Range<usize>, passes: u64) {
        for at in body {
            let cycles = self.cost(program, at, 0);
            self.since.add(&cycles, passes);
            if program.code[at].scalars == 0 {
                self.addresses[at].add(&cycles, passes);
            }
        }
    }

    /// Packets were sent.
    #[inline(always)]
    pub fn sent(&mut self) {
        self.gaps.push(std::mem::take(&mut self.since));
    }

    /// Cycles of an instruction.
    #[inline(always)]
    fn cost(&self, program: &Decoded, at: usize, length: usize) -> LaneCycles {
        let Code { cost: Cost { beats, elements, .. }, .. } = program.code[at];
        let by_length = u64::from(elements) * (length as u64).max(1);
        let fixed = &program.lane_fixed[at];
        LaneCycles(std::array::from_fn(|lanes| {
            u64::from(fixed[lanes]) + u64::from(beats) * self.beats[lanes] + by_length
        }))
    }
}
