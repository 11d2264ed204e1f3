//! Chunks of steps: level by level, the groups of a level on several threads.

use super::inputs::Inputs;
use super::{Machine, Output};
use crate::awake::LevelIndex;
use crate::engine::Feed;
use crate::fast::{Block, Chunk, Outlet, Scratch, run_chunk, run_slot};
use crate::fault::Fault;
use crate::host_simd::Simd;
use crate::index::{OutletIndex, Place};
use onward_image::indices;
use rayon::prelude::*;
use std::ops::{Range, Sub};
use std::sync::PoisonError;
use typed_index_collections::TiSlice;

/// A part of a level that one thread runs.
struct Task<'a> {
    blocks: &'a mut [Block],
    outlets: &'a mut [Outlet],
    /// Place of the first block and number of the first outlet.
    first: (Place, OutletIndex),
    recurrent: bool,
}

impl Machine {
    /// Runs `steps` steps; `feed` puts what the host sends in them. Returns what reached the host, by step.
    ///
    /// # Errors
    /// A handler did what the machine does not allow.
    pub fn run(&mut self, steps: usize, feed: impl FnOnce(&mut dyn Feed)) -> Result<Vec<Output>, Fault> {
        self.begin_chunk(steps);
        feed(&mut Inputs { outlets: &mut self.outlets.raw[..self.host_inputs], firsts: &self.host_firsts });
        for outlet in self.host_outlets() {
            if self.outlets[outlet].any() {
                self.groups.wake_readers(outlet);
            }
        }
        // Of several faults the first is reported (rule F11). A block that runs later may have met one earlier in time,
        // so after a fault the others run up to its step.
        let mut first: Option<Fault> = None;
        for level in self.groups.levels() {
            let steps = first.as_ref().map_or(steps, |fault| (fault.step - self.step) as usize + 1);
            if let Err(fault) = self.run_level(level, steps) {
                first = Some(match first {
                    Some(first) if (first.step, first.block) < (fault.step, fault.block) => first,
                    _ => fault,
                });
            }
        }
        if let Some(fault) = first {
            let complete = (fault.step - self.step) as usize;
            return Err(Fault { reached: self.reached_host(complete), ..fault });
        }
        let outputs = self.reached_host(steps);
        self.count_indices(steps);
        self.record_chunk(steps);
        let shown = self.count_shown(steps);
        if let Some(timing) = &mut self.timing {
            let timing = timing.get_mut().unwrap_or_else(PoisonError::into_inner);
            let outlets = &self.outlets.raw[..self.host_inputs];
            let places: Vec<Place> = self.groups.running_places().collect();
            self.pool.install(|| timing.add_chunk(steps, &self.blocks, &places, (outlets, shown.as_deref())));
        }
        self.step += steps as u64;
        Ok(outputs)
    }

    /// What reached the host in the first steps of the chunk that just ran, by step.
    fn reached_host(&self, steps: usize) -> Vec<Output> {
        let sending: Vec<_> = self.to_host.iter().filter(|&&(outlet, _)| self.outlets[outlet].any()).collect();
        let packets = |&&(outlet, _): &&(OutletIndex, _)| {
            (1..=steps).map(|slot| self.outlets[outlet].count(slot) as usize).sum::<usize>()
        };
        let mut outputs = Vec::with_capacity(sending.iter().map(packets).sum());
        for slot in 1..=steps {
            for &&(outlet, sender) in &sending {
                self.outlets[outlet].for_each(slot, |index, payload| {
                    outputs.push(Output { step: self.step + slot as u64 - 1, sender, index, payload });
                });
            }
        }
        outputs
    }

    /// Carries over what the last chunk left: packets of its last step, and blocks that are awake.
    fn begin_chunk(&mut self, steps: usize) {
        for outlet in &mut self.outlets.raw[..self.host_inputs] {
            outlet.begin(steps);
        }
        for group in self.groups.end_chunk() {
            let (places, _) = self.groups.group(group);
            for place in indices(places) {
                if self.blocks[place].awake {
                    self.groups.wake_place(place);
                }
                for outlet in indices(self.outlet_ranges[place].clone()) {
                    self.outlets[outlet].begin(steps);
                    if self.outlets[outlet].any() {
                        self.groups.wake_readers(outlet);
                        // Though it may have nothing to do: its outlets begin anew with it.
                        self.groups.wake_place(place);
                    }
                }
            }
        }
    }

    /// Runs one level of the schedule over a chunk.
    fn run_level(&mut self, level: LevelIndex, steps: usize) -> Result<(), Fault> {
        let running = self.groups.running(level).to_vec();
        let Some(&first_group) = running.first() else { return Ok(()) };
        let mut next_place = self.groups.group(first_group).0.start;
        let mut next_outlet = self.outlet_ranges[next_place].start;
        // What is left of both lists from there on.
        let (done, outlets) = self.outlets.split_at_mut(next_outlet);
        let (mut rest_blocks, mut rest_outlets) = (&mut self.blocks[next_place..].raw, &mut outlets.raw);
        let mut tasks = Vec::with_capacity(running.len());
        for &group in &running {
            let (places, recurrent) = self.groups.group(group);
            let own_outlets = outlets_of(&self.outlet_ranges, &places);
            let first = (places.start, own_outlets.start);
            let blocks = take(&mut rest_blocks, &mut next_place, places);
            let outlets = take(&mut rest_outlets, &mut next_outlet, own_outlets);
            tasks.push(Task { blocks, outlets, first, recurrent });
        }
        let chunk = Chunk { first_step: self.step, steps, limits: self.limits, programs: &self.programs };
        let (simd, ranges, scratches) = (self.simd, &self.outlet_ranges, &self.scratches);
        let run = |task: &mut Task| {
            // Each thread has its own: nobody waits.
            let scratch = &scratches[rayon::current_thread_index().unwrap_or(0) % scratches.len()];
            let mut scratch = scratch.lock().unwrap_or_else(PoisonError::into_inner);
            for block in task.blocks.iter_mut() {
                block.begin_chunk();
            }
            for outlet in task.outlets.iter_mut() {
                outlet.ready(steps);
            }
            if task.recurrent {
                return run_recurrent(task, done, ranges, chunk, &mut scratch, simd);
            }
            run_chunk(simd, &mut task.blocks[0], chunk, done, task.outlets, &mut scratch)
        };
        let results: Vec<Result<(), Fault>> = match &mut tasks[..] {
            // Alone it need not be handed to another thread.
            [task] if self.scratches.len() == 1 => vec![run(task)],
            tasks => self.pool.install(|| tasks.par_iter_mut().map(run).collect()),
        };
        for &group in &running {
            let (places, _) = self.groups.group(group);
            for outlet in indices(outlets_of(&self.outlet_ranges, &places)) {
                if self.outlets[outlet].any() {
                    self.groups.wake_readers(outlet);
                }
            }
        }
        // Of several faults the first is reported: the same for any number of threads.
        let faults = results.into_iter().filter_map(Result::err);
        faults.min_by_key(|fault| (fault.step, fault.block)).map_or(Ok(()), Err)
    }
}

/// The outlets of the blocks at places that follow each other, at least one.
fn outlets_of(ranges: &TiSlice<Place, Range<OutletIndex>>, places: &Range<Place>) -> Range<OutletIndex> {
    let ranges = &ranges[places.clone()].raw;
    ranges[0].start..ranges[ranges.len() - 1].end
}

/// Takes the items of a range out of the rest of a list, which begins with the item `next`.
fn take<'a, I, T>(rest: &mut &'a mut [T], next: &mut I, range: Range<I>) -> &'a mut [T]
where
    I: Copy + Sub<Output = usize>,
{
    let (skipped, count) = (range.start - *next, range.end - range.start);
    let (taken, later) = std::mem::take(rest)[skipped..].split_at_mut(count);
    *rest = later;
    *next = range.end;
    taken
}

/// Runs blocks that can reach each other, step by step: first all collect, then all run.
fn run_recurrent(
    task: &mut Task,
    done: &TiSlice<OutletIndex, Outlet>,
    ranges: &TiSlice<Place, Range<OutletIndex>>,
    chunk: Chunk,
    scratch: &mut Scratch,
    simd: Simd,
) -> Result<(), Fault> {
    let (first_place, first_outlet) = task.first;
    for block in task.blocks.iter_mut() {
        block.choose_inlets(|inlet| inlet.outlet >= first_outlet || done[inlet.outlet].any());
    }
    let mut running = Vec::with_capacity(task.blocks.len());
    for slot in 0..chunk.steps {
        running.clear();
        running.extend(task.blocks.iter_mut().map(|block| {
            block.collect(slot, |outlet| {
                if outlet < first_outlet { &done[outlet] } else { &task.outlets[outlet - first_outlet] }
            })
        }));
        for (at, block) in task.blocks.iter_mut().enumerate().filter(|(at, _)| running[*at]) {
            let Range { start, end } = ranges[Place::from(usize::from(first_place) + at)];
            let own = &mut task.outlets[start - first_outlet..end - first_outlet];
            run_slot(simd, block, chunk, slot, own, scratch)?;
        }
    }
    Ok(())
}
