//! From what cores did to how long it took: the timing pass.
//!
//! Values never depend on time, so they are computed first. Here the records of a chunk (how many cycles between sends,
//! how many packets to which route) become timelines of the mesh, step by step; each step is timed alone, so steps are
//! shared out to threads. Timing hundreds of them at once costs hardly more than timing a few: those of short chunks are
//! put aside until there are enough, or until someone asks what time it is.

mod activity;
mod log;
mod recorded;

use crate::StepLog;
use crate::counters::TimingTotals;
use crate::detail::{Detail, Window};
use crate::fast::{Block, Outlet};
use crate::index::Place;
use crate::mesh::{Accounts, LANES, Mesh, MeshError, Sliced, Traffic};
use crate::record::Steps;
use activity::{Entry, Packed, Packer, Ran, Routes, Timelines};
use log::{Log, Notes};
use onward_image::{BlockIndex, Destination, Endpoint, Image, Route};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use typed_index_collections::{TiSlice, TiVec};

/// Steps from which on timing them all at once is faster than one by one.
const MANY_STEPS: usize = 32;

/// Steps a thread that are timed when so many wait: twice what is timed at once, so that lanes are seldom idle.
const ENOUGH_STEPS: usize = 2 * LANES;
/// Memory that steps take at most that wait for others, in bytes. With more they are timed as they are.
const MOST_WAITING: usize = 1 << 24;

/// What a thread needs to time steps.
struct Worker {
    /// Times steps one by one.
    mesh: Mesh,
    /// Times many at once, where that pays.
    sliced: Option<Sliced>,
    traffic: Traffic,
    totals: TimingTotals,
    /// What it notes of each step, where someone is told.
    notes: Option<Notes>,
}

/// The timing pass of a machine.
pub(crate) struct Timing {
    workers: Vec<Worker>,
    barrier_cycles: u64,
    host: Endpoint,
    /// Destination ranges of the host's inputs.
    pub host_routes: Vec<Range<u32>>,
    /// By logical number and route.
    pub block_routes: TiVec<BlockIndex, Vec<Range<u32>>>,
    /// By logical number, the core that runs the block.
    cores: TiVec<BlockIndex, u32>,
    /// Whether a core runs several blocks.
    shares_cores: bool,
    /// Steps that are not timed yet.
    waiting: Vec<Packed>,
    /// Bytes they take.
    waiting_bytes: usize,
    totals: TimingTotals,
    /// Who is told of steps.
    log: Option<Log>,
}

impl Timing {
    pub fn new(image: &Image, threads: usize) -> Result<Timing, MeshError> {
        let mut destinations: Vec<Destination> = Vec::new();
        let mut table = |route: &Route| {
            let first = destinations.len() as u32;
            destinations.extend(route.flits.iter().map(|flit| flit.destination));
            first..destinations.len() as u32
        };
        let host_routes: Vec<_> = image.host_inputs.iter().map(|input| table(&input.route)).collect();
        let block_routes: TiVec<BlockIndex, Vec<_>> =
            image.blocks.iter().map(|block| block.routes.iter().map(&mut table).collect()).collect();
        let chip = &image.chip;
        let mesh = Mesh::new(&chip.mesh, &chip.host.ports, image.trees.as_ref(), &destinations)?;
        let host = Endpoint::Host(image.host_port);
        let sliced = Sliced::new(&mesh, &uses(image, host, &host_routes, &block_routes));
        let worker = || Worker {
            mesh: mesh.clone(),
            sliced: sliced.clone(),
            traffic: Traffic::default(),
            totals: TimingTotals::default(),
            notes: None,
        };
        Ok(Timing {
            workers: (0..threads).map(|_| worker()).collect(),
            barrier_cycles: u64::from(chip.barrier_cycles),
            host,
            host_routes,
            block_routes,
            shares_cores: image.core_usage().iter().any(|core| core.blocks.len() > 1),
            cores: image.blocks.iter().map(|block| block.core.0).collect(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            totals: TimingTotals::default(),
            log: None,
        })
    }

    /// What was counted in all steps that ran.
    pub fn totals(&mut self) -> TimingTotals {
        self.settle(self.waiting.len());
        self.totals
    }

    /// From here on keeps what senders do with their cycles.
    pub fn keep_account(&mut self) {
        self.settle(self.waiting.len());
        for worker in &mut self.workers {
            worker.mesh.keep_account();
            if let Some(sliced) = &mut worker.sliced {
                sliced.keep_account();
            }
        }
    }

    /// From here on tells of each step.
    pub fn log_steps(&mut self, listener: Box<dyn StepLog>) {
        self.settle(self.waiting.len());
        for worker in &mut self.workers {
            worker.notes = Some(Notes::default());
            // Senders are told apart where an account is kept.
            if let Some(sliced) = worker.sliced.as_mut().filter(|sliced| sliced.accounts().is_none()) {
                sliced.keep_account();
            }
        }
        self.log = Some(Log::new(listener, &self.host_routes, &self.block_routes));
    }

    /// Tells of the steps that ran, and of no more.
    pub fn take_log(&mut self) -> Option<Box<dyn StepLog>> {
        self.settle(self.waiting.len());
        self.workers.iter_mut().for_each(|worker| worker.notes = None);
        self.log.take().map(|log| log.listener)
    }

    /// Tells what took time, if an account of it is kept.
    pub fn tell(&mut self, detail: &mut Detail) {
        self.settle(self.waiting.len());
        let mut sum = Accounts::default();
        for worker in &self.workers {
            let of_sliced = worker.sliced.as_ref().and_then(Sliced::accounts);
            worker.mesh.accounts().into_iter().chain(of_sliced).for_each(|accounts| sum.add(accounts));
        }
        detail.keep_time(&sum, (self.barrier_cycles, self.host), &self.host_routes, &self.block_routes);
    }

    /// Times the steps of the chunk that just ran, or puts them aside; only the blocks at `places` did. Of the host there is what
    /// it sent, and the window that it showed in each step, if that matters.
    pub fn add_chunk(
        &mut self,
        steps: usize,
        blocks: &TiSlice<Place, Block>,
        places: &[Place],
        (host, shown): (&[Outlet], Option<&[Window]>),
    ) {
        let mut entries: Vec<Vec<Entry>> = vec![Vec::new(); steps];
        for &place in places {
            let block = &blocks[place];
            for (at, record) in block.records.iter().enumerate() {
                let entry = Entry { core: block.core, number: block.number, place, record: at as u32 };
                entries[record.step as usize].push(entry);
            }
        }
        entries.par_iter_mut().for_each(|entries| entries.sort_unstable());
        let ran = Ran { entries, blocks, host };
        let window = |step: usize| shown.map_or(Window::None, |shown| shown[step]);
        if self.waiting.is_empty() && steps >= LANES * self.workers.len() {
            let routes = Routes { host: self.host, of_host: &self.host_routes, of_blocks: &self.block_routes };
            let fill = |step: usize, traffic: &mut Traffic| {
                ran.tell(step, &mut Timelines::of(routes, window(step), traffic));
            };
            let totals = time(&mut self.workers, self.barrier_cycles, steps, &fill, self.log.as_mut());
            self.totals += totals;
            return;
        }
        let packed: Vec<Packed> = (0..steps)
            .into_par_iter()
            .map(|step| {
                let mut packer = Packer::default();
                ran.tell(step, &mut packer);
                packer.packed(window(step))
            })
            .collect();
        self.waiting_bytes += packed.iter().map(Packed::bytes).sum::<usize>();
        self.waiting.extend(packed);
        let (waiting, full) = (self.waiting.len(), LANES * self.workers.len());
        if waiting >= ENOUGH_STEPS * self.workers.len() || self.waiting_bytes >= MOST_WAITING {
            // What fills all lanes; the rest waits on.
            self.settle(if waiting >= full { waiting - waiting % full } else { waiting });
        }
    }

    /// Times recorded steps, whose stretches of computing take so many cycles, on the threads of the pool that it is called in.
    pub fn of_steps(&mut self, steps: &Steps, spans: &[u64], dispatch: u64) -> TimingTotals {
        let routes = Routes { host: self.host, of_host: &self.host_routes, of_blocks: &self.block_routes };
        let told = recorded::Told { steps, spans, dispatch, cores: &self.cores, shares_cores: self.shares_cores };
        let fill = |step: usize, traffic: &mut Traffic| told.tell(step, routes, traffic);
        time(&mut self.workers, self.barrier_cycles, steps.len(), &fill, None)
    }

    /// Times the first of the steps that were put aside.
    fn settle(&mut self, steps: usize) {
        let (waiting, cores) = (&self.waiting[..steps], &self.cores);
        let routes = Routes { host: self.host, of_host: &self.host_routes, of_blocks: &self.block_routes };
        let fill = |step: usize, traffic: &mut Traffic| {
            let packed = &waiting[step];
            packed.tell(cores, &mut Timelines::of(routes, packed.window, traffic));
        };
        let totals = time(&mut self.workers, self.barrier_cycles, steps, &fill, self.log.as_mut());
        self.totals += totals;
        self.waiting_bytes -= self.waiting.drain(..steps).map(|step| step.bytes()).sum::<usize>();
    }
}

/// Times so many steps, shared out to the workers; `fill` makes the traffic of each, and `log` is told of each.
fn time(
    workers: &mut [Worker],
    barrier: u64,
    steps: usize,
    fill: &(impl Fn(usize, &mut Traffic) + Sync),
    log: Option<&mut Log>,
) -> TimingTotals {
    let share = steps.div_ceil(workers.len()).max(1);
    let workers = &mut workers[..steps.div_ceil(share)];
    workers.par_iter_mut().enumerate().for_each(|(at, worker)| {
        let first = at * share;
        let count = share.min(steps - first);
        let mut fill = |step: usize, traffic: &mut Traffic| fill(first + step, traffic);
        worker.totals = TimingTotals::default();
        if let Some(notes) = &mut worker.notes {
            notes.begin(count);
        }
        // A few more than fill the lanes would keep one lane busy while the others are idle.
        let at_once = match count % LANES {
            _ if worker.sliced.is_none() => 0,
            few if few < MANY_STEPS => count - few,
            _ => count,
        };
        if at_once > 0 {
            worker.time_many(at_once, barrier, &mut fill);
        }
        (at_once..count).for_each(|step| worker.time(step, barrier, &mut fill));
    });
    let mut totals = TimingTotals::default();
    workers.iter().for_each(|worker| totals += worker.totals);
    if let Some(log) = log {
        workers.iter_mut().filter_map(|worker| worker.notes.as_mut()).for_each(|notes| log.tell(notes.take()));
    }
    totals
}

/// Who sends to which destinations.
fn uses(
    image: &Image,
    host: Endpoint,
    host_routes: &[Range<u32>],
    block_routes: &TiSlice<BlockIndex, Vec<Range<u32>>>,
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
        self.totals += TimingTotals::of_step(timing.cycles, barrier);
        self.totals += TimingTotals::of_traffic(&timing, stalls);
        if let Some(notes) = &mut self.notes {
            notes.alone(step, &timing, &self.traffic, self.mesh.stalls(), barrier);
        }
    }

    /// Times steps at once.
    fn time_many(&mut self, steps: usize, barrier: u64, fill: &mut dyn FnMut(usize, &mut Traffic)) {
        let (Some(sliced), totals, notes) = (&mut self.sliced, &mut self.totals, &mut self.notes) else { return };
        sliced.clear();
        sliced.time_telling(steps, fill, &mut |ended| {
            *totals += TimingTotals::of_step(ended.cycles, barrier);
            if let Some(notes) = notes {
                notes.ended(&ended, barrier);
            }
        });
        let sums = sliced.totals();
        *totals += TimingTotals::of_traffic(&sums.traffic, sums.stalls);
    }
}
