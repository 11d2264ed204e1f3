//! Chunks of steps: level by level, the groups of a level on several threads.

use super::inputs::Inputs;
use super::{Machine, Output};
use crate::engine::Feed;
use crate::fast::{Block, Chunk, Outlet, Scratch, run_chunk, run_slot};
use crate::fault::Fault;
use crate::host_simd::Simd;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::PoisonError;

/// A part of a level that one thread runs.
struct Task<'a> {
    blocks: &'a mut [Block],
    outlets: &'a mut [Outlet],
    /// Place of the first block and number of the first outlet.
    first: (usize, usize),
    recurrent: bool,
}

impl Machine {
    /// Runs `steps` steps; `feed` puts what the host sends in them. Returns what reached the host, by step.
    ///
    /// # Errors
    /// A handler did what the machine does not allow.
    pub fn run(&mut self, steps: usize, feed: impl FnOnce(&mut dyn Feed)) -> Result<Vec<Output>, Fault> {
        self.begin_chunk(steps);
        feed(&mut Inputs { outlets: &mut self.outlets[..self.host_inputs] });
        for outlet in (0..self.host_inputs).filter(|&outlet| self.outlets[outlet].any()) {
            self.groups.wake_readers(outlet);
        }
        // Of several faults the first is reported (rule F11). A block that runs later may have met one earlier in time,
        // so after a fault the others run up to its step.
        let mut first: Option<Fault> = None;
        for level in 0..self.groups.levels() {
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
        if let Some(timing) = &mut self.timing {
            let timing = timing.get_mut().unwrap_or_else(PoisonError::into_inner);
            let outlets = &self.outlets[..self.host_inputs];
            let places: Vec<usize> = self.groups.running_places().collect();
            self.pool.install(|| timing.add_chunk(steps, &self.blocks, &places, outlets));
        }
        self.step += steps as u64;
        Ok(outputs)
    }

    /// What reached the host in the first steps of the chunk that just ran, by step.
    fn reached_host(&self, steps: usize) -> Vec<Output> {
        let sending: Vec<_> = self.to_host.iter().filter(|&&(outlet, _)| self.outlets[outlet].any()).collect();
        let packets = |&&(outlet, _): &&(usize, _)| {
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
        for outlet in &mut self.outlets[..self.host_inputs] {
            outlet.begin(steps);
        }
        for group in self.groups.end_chunk() {
            let (places, _) = self.groups.group(group);
            for place in places {
                if self.blocks[place].awake {
                    self.groups.wake_place(place);
                }
                for outlet in self.outlet_ranges[place].clone() {
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
    fn run_level(&mut self, level: usize, steps: usize) -> Result<(), Fault> {
        let running = self.groups.running(level).to_vec();
        let Some(&first_group) = running.first() else { return Ok(()) };
        let (first_place, first_outlet) = {
            let place = self.groups.group(first_group).0.start;
            (place, self.outlet_ranges[place].start)
        };
        let (done, mut rest_outlets) = self.outlets.split_at_mut(first_outlet);
        let mut rest_blocks = &mut self.blocks[first_place..];
        let (mut next_place, mut next_outlet) = (first_place, first_outlet);
        let mut tasks = Vec::with_capacity(running.len());
        for &group in &running {
            let (places, recurrent) = self.groups.group(group);
            let (from, to) = (self.outlet_ranges[places.start].start, self.outlet_ranges[places.end - 1].end);
            let (blocks, later) = rest_blocks[places.start - next_place..].split_at_mut(places.len());
            let (outlets, later_outlets) = rest_outlets[from - next_outlet..].split_at_mut(to - from);
            (rest_blocks, rest_outlets) = (later, later_outlets);
            (next_place, next_outlet) = (places.end, to);
            tasks.push(Task { blocks, outlets, first: (places.start, from), recurrent });
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
            for outlet in self.outlet_ranges[places.start].start..self.outlet_ranges[places.end - 1].end {
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

/// Runs blocks that can reach each other, step by step: first all collect, then all run.
fn run_recurrent(
    task: &mut Task,
    done: &[Outlet],
    ranges: &[Range<usize>],
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
            let range = &ranges[first_place + at];
            let own = &mut task.outlets[range.start - first_outlet..range.end - first_outlet];
            run_slot(simd, block, chunk, slot, own, scratch)?;
        }
    }
    Ok(())
}
