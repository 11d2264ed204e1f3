//! What was recorded of a step, as timelines.

use super::activity::Routes;
use crate::mesh::Traffic;
use crate::record::{BlockStep, Steps};
use onward_image::{BlockIndex, Core, Endpoint};
use typed_index_collections::TiSlice;

/// Recorded steps on a chip.
pub(super) struct Told<'a> {
    pub steps: &'a Steps,
    /// Cycles of each stretch of computing.
    pub spans: &'a [u64],
    /// Cycles of each dispatch.
    pub dispatch: u64,
    /// By logical number, the core that runs the block.
    pub cores: &'a TiSlice<BlockIndex, u32>,
    /// Whether a core runs several blocks.
    pub shares_cores: bool,
}

impl Told<'_> {
    /// Puts the timelines of a step into `traffic`, in place of what is there.
    pub fn tell(&self, step: usize, routes: Routes, traffic: &mut Traffic) {
        traffic.clear();
        let (host, mut first, blocks) = self.steps.step(step);
        for &(input, packets) in host {
            traffic.burst(0, packets, routes.of_host[input as usize].clone());
        }
        traffic.finish(routes.host, 0);
        if self.shares_cores {
            return self.tell_by_core(first, blocks, routes, traffic);
        }
        for block in blocks {
            let tail = self.sends(first, block, 0, routes, traffic);
            traffic.finish(Endpoint::Core(Core(self.cores[BlockIndex::from(block.block)])), tail);
            first = block.sends_end as usize;
        }
    }

    /// The blocks of a core run one after the other, by their numbers.
    fn tell_by_core(&self, mut first: usize, blocks: &[BlockStep], routes: Routes, traffic: &mut Traffic) {
        let mut ran: Vec<(u32, usize, &BlockStep)> = Vec::with_capacity(blocks.len());
        for block in blocks {
            ran.push((self.cores[BlockIndex::from(block.block)], first, block));
            first = block.sends_end as usize;
        }
        ran.sort_by_key(|&(core, ..)| core); // which keeps the order of numbers
        for on_core in ran.chunk_by(|one, other| one.0 == other.0) {
            let mut before = 0;
            for &(_, first, block) in on_core {
                before = self.sends(first, block, before, routes, traffic);
            }
            traffic.finish(Endpoint::Core(Core(on_core[0].0)), before);
        }
    }

    /// Adds what a block sends, after a core has computed for so long; returns for how long it computes then.
    #[inline(always)]
    fn sends(&self, first: usize, block: &BlockStep, before: u64, routes: Routes, traffic: &mut Traffic) -> u64 {
        let of_block = &routes.of_blocks[BlockIndex::from(block.block)];
        let mut before = before + self.dispatch;
        for send in &self.steps.sends[first..block.sends_end as usize] {
            let gap = std::mem::take(&mut before) + self.spans[usize::from(send.span)];
            traffic.burst(gap, send.packets, of_block[send.route as usize].clone());
        }
        before + self.spans[usize::from(block.tail)]
    }
}
