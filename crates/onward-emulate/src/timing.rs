//! From what cores did to how long it took: the timing pass.
//!
//! Values never depend on time, so they are computed first. Here the records of a chunk (how many cycles between sends,
//! how many packets to which route) become timelines of the mesh, step by step; each step is timed alone, so the steps
//! of a chunk are shared out to threads.

use crate::fast::{Block, Outlet};
use crate::mesh::{Mesh, MeshError, Sliced, Traffic};
use onward_image::{Core, Destination, Endpoint, Image, Route};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Time and traffic since the machine was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimingTotals {
    /// Cycles, barriers included.
    pub cycles: u64,
    /// Cycles of barriers.
    pub barrier_cycles: u64,
    /// Cycles of the longest step, barrier included.
    pub longest_step: u64,
    /// Links between routers crossed, summed over flits.
    pub hops: u64,
    /// Those of the hops that led to another chip of an array.
    pub crossings: u64,
    /// Flits sent by cores and host.
    pub injected: u64,
    /// Flits taken by cores and host.
    pub ejected: u64,
    /// Cycles senders waited for the network.
    pub stalls: u64,
}

impl TimingTotals {
    fn add(&mut self, other: &TimingTotals) {
        self.cycles += other.cycles;
        self.barrier_cycles += other.barrier_cycles;
        self.longest_step = self.longest_step.max(other.longest_step);
        self.hops += other.hops;
        self.crossings += other.crossings;
        self.injected += other.injected;
        self.ejected += other.ejected;
        self.stalls += other.stalls;
    }
}

/// Steps from which on timing them all at once is faster than one by one.
const MANY_STEPS: usize = 32;

/// What a thread needs to time steps.
struct Worker {
    /// Times steps one by one.
    mesh: Mesh,
    /// Times many at once, where that pays.
    sliced: Option<Sliced>,
    traffic: Traffic,
    totals: TimingTotals,
}

/// The timing pass of a machine.
pub(crate) struct Timing {
    workers: Vec<Worker>,
    barrier_cycles: u64,
    host: Endpoint,
    /// Destination ranges of the host's inputs.
    host_routes: Vec<Range<u32>>,
    /// By logical number and route.
    block_routes: Vec<Vec<Range<u32>>>,
    totals: TimingTotals,
}

/// A block's record in a step: core, logical number, place, index of the record. Sorted, it brings the blocks of a core
/// together in the order they run.
type Entry = (u32, u32, u32, u32);

impl Timing {
    pub fn new(image: &Image, threads: usize) -> Result<Timing, MeshError> {
        let mut destinations: Vec<Destination> = Vec::new();
        let mut table = |route: &Route| {
            let first = destinations.len() as u32;
            destinations.extend(route.flits.iter().map(|flit| flit.destination));
            first..destinations.len() as u32
        };
        let host_routes: Vec<_> = image.host_inputs.iter().map(|input| table(&input.route)).collect();
        let block_routes: Vec<Vec<_>> =
            image.blocks.iter().map(|block| block.routes.iter().map(&mut table).collect()).collect();
        let chip = &image.chip;
        let mesh = Mesh::new(&chip.mesh, &chip.host.ports, &image.trees, &destinations)?;
        let host = Endpoint::Host(image.host_port);
        let sliced = Sliced::new(&mesh, &uses(image, host, &host_routes, &block_routes));
        let worker = || Worker {
            mesh: mesh.clone(),
            sliced: sliced.clone(),
            traffic: Traffic::default(),
            totals: TimingTotals::default(),
        };
        Ok(Timing {
            workers: (0..threads).map(|_| worker()).collect(),
            barrier_cycles: u64::from(chip.barrier_cycles),
            host,
            host_routes,
            block_routes,
            totals: TimingTotals::default(),
        })
    }

    pub fn totals(&self) -> TimingTotals {
        self.totals
    }

    /// Times the steps of the chunk that just ran; only the blocks at `places` did.
    pub fn add_chunk(&mut self, steps: usize, blocks: &[Block], places: &[usize], host: &[Outlet]) {
        let mut entries: Vec<Vec<Entry>> = vec![Vec::new(); steps];
        for &place in places {
            let block = &blocks[place];
            for (at, record) in block.records.iter().enumerate() {
                entries[record.step as usize].push((block.core, block.number, place as u32, at as u32));
            }
        }
        let share = steps.div_ceil(self.workers.len()).max(1);
        let (barrier, endpoint) = (self.barrier_cycles, self.host);
        let (host_routes, block_routes) = (&self.host_routes, &self.block_routes);
        self.workers.par_iter_mut().zip(entries.par_chunks_mut(share)).enumerate().for_each(
            |(at, (worker, entries))| {
                let count = entries.len();
                let mut fill = |step: usize, traffic: &mut Traffic| {
                    let slot = at * share + step + 1;
                    let entries = &mut entries[step];
                    entries.sort_unstable();
                    traffic.clear();
                    for (outlet, route) in host.iter().zip(host_routes) {
                        if outlet.count(slot) > 0 {
                            traffic.burst(0, outlet.count(slot), route.clone());
                        }
                    }
                    traffic.finish(endpoint, 0);
                    for core in entries.chunk_by(|a, b| a.0 == b.0) {
                        add_core(traffic, core, blocks, block_routes);
                    }
                };
                worker.totals = TimingTotals::default();
                if count >= MANY_STEPS && worker.sliced.is_some() {
                    worker.time_many(count, barrier, &mut fill);
                } else {
                    (0..count).for_each(|step| worker.time(step, barrier, &mut fill));
                }
            },
        );
        for worker in &self.workers[..steps.div_ceil(share).min(self.workers.len())] {
            self.totals.add(&worker.totals);
        }
    }
}

/// The timeline of a core: that of its blocks, one after the other.
fn add_core(traffic: &mut Traffic, entries: &[Entry], blocks: &[Block], routes: &[Vec<Range<u32>>]) {
    let mut before = 0;
    for &(_, number, place, record) in entries {
        let block = &blocks[place as usize];
        let record = block.records[record as usize];
        for send in &block.sends[record.sends.0 as usize..record.sends.1 as usize] {
            traffic.burst(
                before + u64::from(send.gap),
                send.packets,
                routes[number as usize][send.route as usize].clone(),
            );
            before = 0;
        }
        before += u64::from(record.tail);
    }
    traffic.finish(Endpoint::Core(Core(entries[0].0)), before);
}

/// Who sends to which destinations.
fn uses(
    image: &Image,
    host: Endpoint,
    host_routes: &[Range<u32>],
    block_routes: &[Vec<Range<u32>>],
) -> Vec<(Endpoint, Vec<Range<u32>>)> {
    let mut uses = BTreeMap::from([(host, host_routes.to_vec())]);
    for (block, routes) in image.blocks.iter().zip(block_routes) {
        uses.entry(Endpoint::Core(block.core)).or_default().extend(routes.iter().cloned());
    }
    uses.into_iter().collect()
}

impl Worker {
    /// Times a step alone.
    fn time(&mut self, step: usize, barrier: u64, fill: &mut dyn FnMut(usize, &mut Traffic)) {
        fill(step, &mut self.traffic);
        let timing = self.mesh.step(&self.traffic);
        let stalls = self.mesh.stalls().iter().copied().sum();
        self.totals.add(&TimingTotals {
            hops: timing.hops,
            crossings: timing.crossings,
            injected: timing.injected,
            ejected: timing.ejected,
            stalls,
            ..of_step(timing.cycles, barrier)
        });
    }

    /// Times steps at once.
    fn time_many(&mut self, steps: usize, barrier: u64, fill: &mut dyn FnMut(usize, &mut Traffic)) {
        let (Some(sliced), totals) = (&mut self.sliced, &mut self.totals) else { return };
        sliced.clear();
        sliced.time(steps, fill, &mut |_, cycles| totals.add(&of_step(cycles, barrier)));
        let sums = sliced.totals();
        totals.hops += sums.traffic.hops;
        totals.injected += sums.traffic.injected;
        totals.ejected += sums.traffic.ejected;
        totals.stalls += sums.stalls;
    }
}

/// The cycles of a step, as totals of one.
fn of_step(cycles: u64, barrier: u64) -> TimingTotals {
    let cycles = cycles + barrier;
    TimingTotals { cycles, barrier_cycles: barrier, longest_step: cycles, ..TimingTotals::default() }
}
