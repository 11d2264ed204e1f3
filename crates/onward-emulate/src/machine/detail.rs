//! What is counted where it was asked for.

use super::Machine;
use crate::detail::{BlockDetail, Detail};
use crate::fast::IndexCounts;
use crate::index::{OutletIndex, Place};
use crate::mesh::SenderTiming;
use onward_image::{BlockIndex, indices};
use std::ops::Range;
use std::sync::PoisonError;

impl Machine {
    /// Begins to count in detail.
    pub(super) fn begin_detail(&mut self) {
        assert!(self.step == 0, "what is counted is said before the first step");
        self.blocks.iter_mut().for_each(|block| block.tally.tell_apart());
        let counts = self.outlets.iter_enumerated().map(|(number, outlet)| {
            let indices = if usize::from(number) < self.host_inputs { 0 } else { outlet.indices() };
            IndexCounts::new(indices)
        });
        self.index_counts = Some(counts.collect());
        if let Some(timing) = &mut self.timing {
            timing.get_mut().unwrap_or_else(PoisonError::into_inner).keep_account();
        }
    }

    /// Counts the packets of the chunk that just ran, by their indices.
    pub(super) fn count_indices(&mut self, steps: usize) {
        let Some(counts) = &mut self.index_counts else { return };
        for place in self.groups.running_places() {
            for outlet in indices(self.outlet_ranges[place].clone()) {
                if self.outlets[outlet].any() {
                    counts[outlet].add(&self.outlets[outlet], steps);
                }
            }
        }
    }

    /// What was counted in detail, if it was asked for.
    pub(super) fn detail(&self) -> Option<Detail> {
        let counts = self.index_counts.as_ref()?;
        let mut detail = Detail {
            blocks: self.place.iter_enumerated().map(|(number, &place)| self.block_detail(number, place)).collect(),
            cores: vec![SenderTiming::default(); self.cores],
            host: SenderTiming::default(),
            host_stalls: vec![0; self.host_inputs],
        };
        for (block, &place) in detail.blocks.iter_mut().zip(&self.place) {
            let of_routes = indices::<OutletIndex>(self.outlet_ranges[place].clone());
            block.indices = of_routes.map(|outlet| counts[outlet].counts()).collect();
        }
        let Some(timing) = &self.timing else { return Some(detail) };
        let mut timing = timing.lock().unwrap_or_else(PoisonError::into_inner);
        let timing = &mut *timing;
        let account = self.pool.install(|| timing.account());
        detail.cores.iter_mut().zip(&account.cores).for_each(|(core, timing)| *core = *timing);
        detail.host = account.hosts.get(usize::from(self.host_port)).copied().unwrap_or_default();
        let waited = |destinations: &Range<u32>| account.waited(destinations);
        detail.host_stalls = timing.host_routes.iter().map(waited).collect();
        for (block, routes) in detail.blocks.iter_mut().zip(&timing.block_routes) {
            block.stalls = routes.iter().map(waited).collect();
        }
        Some(detail)
    }

    fn block_detail(&self, number: BlockIndex, place: Place) -> BlockDetail {
        let block = self.block(number);
        let program = &self.programs[block.program];
        BlockDetail {
            windows: block.tally.windows().map(|window| program.with_scalars(window)),
            indices: Vec::new(),
            stalls: vec![0; indices(self.outlet_ranges[place].clone()).count()],
        }
    }
}
