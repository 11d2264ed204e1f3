//! What is counted where it was asked for.

use super::Machine;
use crate::detail::{BlockDetail, Detail, Shown, Window};
use crate::fast::{IndexCounts, Outlet};
use crate::index::{OutletIndex, Place};
use onward_image::{BlockIndex, indices};
use std::sync::PoisonError;

/// What the host sends, by the window that it shows.
pub(super) struct ShownCounts {
    /// The window that it shows.
    window: Window,
    /// By window; without time.
    counts: [Shown; Window::ALL.len()],
}

impl ShownCounts {
    fn new(inputs: usize) -> ShownCounts {
        ShownCounts { window: Window::default(), counts: std::array::from_fn(|_| Shown::of_inputs(inputs)) }
    }
}

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
        self.shown = Some(ShownCounts::new(self.host_inputs));
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

    /// Counts what the host sent in the chunk that just ran, by the window that it showed. Returns, where that is asked for, the
    /// window of each step.
    pub(super) fn count_shown(&mut self, steps: usize) -> Option<Vec<Window>> {
        let shown = self.shown.as_mut()?;
        let inputs = &self.outlets.raw[..self.host_inputs];
        let tags: Vec<&Outlet> = self.tags.iter().map(|&input| &inputs[input]).filter(|tags| tags.any()).collect();
        let sending: Vec<(usize, &Outlet)> = inputs.iter().enumerate().filter(|(_, input)| input.any()).collect();
        let windows = (1..=steps).map(|slot| {
            for tags in &tags {
                tags.for_each(slot, |_, tag| shown.window = Window::of_tag(tag));
            }
            let counts = &mut shown.counts[shown.window as usize];
            counts.steps += 1;
            for &(number, input) in &sending {
                counts.host_packets[number] += u64::from(input.count(slot));
            }
            shown.window
        });
        Some(windows.collect())
    }

    /// What was counted in detail, if it was asked for.
    pub(super) fn detail(&self) -> Option<Detail> {
        let counts = self.index_counts.as_ref()?;
        let blocks = self.place.iter_enumerated().map(|(number, &place)| self.block_detail(number, place)).collect();
        let shown = self.shown.as_ref()?.counts.clone();
        let mut detail = Detail::untimed(blocks, shown, self.cores);
        for (block, &place) in detail.blocks.iter_mut().zip(&self.place) {
            let of_routes = indices::<OutletIndex>(self.outlet_ranges[place].clone());
            block.indices = of_routes.map(|outlet| counts[outlet].counts()).collect();
        }
        if let Some(timing) = &self.timing {
            let mut timing = timing.lock().unwrap_or_else(PoisonError::into_inner);
            let timing = &mut *timing;
            self.pool.install(|| timing.tell(&mut detail));
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
