//! A run step by step: what cores did with their time, and what links carried.
//!
//! Steps come one by one ([`onward_emulate::StepLog`]). A [`TimelineLog`] keeps them in at most [`MOST_SPANS`] spans of equally many
//! steps: when one more is needed, each two become one. So memory stays flat however long the run is, and every figure is
//! an exact sum over the steps of its span. [`PerfettoLog`] writes each step as it comes.

mod links;
mod perfetto;

pub use perfetto::PerfettoLog;

use links::LinkTable;
use onward_emulate::{SenderStep, StepLog, StepRecord};
use onward_image::{Block, Endpoint, Image};
use serde::Serialize;
use std::collections::BTreeMap;

/// Spans that are kept at most; an even number.
pub const MOST_SPANS: usize = 128;

/// What cores and links did, span by span. Lists have a number a span; only the last span may have fewer steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// Steps of a span.
    pub steps_per_span: u64,
    /// Steps.
    pub steps: Vec<u64>,
    /// Cycles, barriers included.
    pub cycles: Vec<u64>,
    /// Cycles of barriers.
    pub barrier_cycles: Vec<u64>,
    /// Cores that hold blocks, by number.
    pub cores: Vec<CoreTimeline>,
    /// The host.
    pub host: TimeSpent,
    /// Links that carried a flit.
    pub links: Vec<LinkTimeline>,
}

/// What a core did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CoreTimeline {
    /// Its number.
    pub core: u32,
    /// Column and row of its tile.
    pub tile: (u16, u16),
    /// What it did with its time.
    #[serde(flatten)]
    pub time: TimeSpent,
}

/// What was done with time. What is left of the cycles, without barriers, was idle: in steps with nothing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TimeSpent {
    /// Cycles of computing.
    pub computing_cycles: Vec<u64>,
    /// Cycles of sending, one a flit.
    pub sending_cycles: Vec<u64>,
    /// Cycles in which a flit was not accepted.
    pub stalled_cycles: Vec<u64>,
    /// Cycles of waiting for others, in steps in which something was done.
    pub waiting_cycles: Vec<u64>,
}

/// What a link carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkTimeline {
    /// `(0, 1) to (1, 1)`: columns and rows of two tiles.
    pub name: String,
    /// Column and row of the tile it leads from.
    pub from: (u16, u16),
    /// Of the tile it leads to.
    pub to: (u16, u16),
    /// Cycles that a flit keeps it.
    pub cycles_per_flit: u64,
    /// Flits it carried.
    pub flits: Vec<u64>,
}

/// What is summed up of a sender in a span: computing, sending, stalled, waiting.
type Sums = [u64; 4];

/// A span that is being filled, or is full.
#[derive(Clone, Debug)]
struct Span {
    steps: u64,
    cycles: u64,
    barrier_cycles: u64,
    /// Cores that hold blocks, and behind them the host.
    senders: Vec<Sums>,
    links: Vec<u64>,
}

impl Span {
    fn new(senders: usize, links: usize) -> Span {
        Span { steps: 0, cycles: 0, barrier_cycles: 0, senders: vec![[0; 4]; senders], links: vec![0; links] }
    }

    fn add(&mut self, other: &Span) {
        self.steps += other.steps;
        self.cycles += other.cycles;
        self.barrier_cycles += other.barrier_cycles;
        for (to, from) in self.senders.iter_mut().zip(&other.senders) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
        self.links.iter_mut().zip(&other.links).for_each(|(to, from)| *to += from);
    }
}

/// The spans so far.
#[derive(Clone, Debug)]
struct Spans {
    senders: usize,
    links: usize,
    steps_per_span: u64,
    spans: Vec<Span>,
}

impl Spans {
    /// The span that the next step goes to.
    fn next(&mut self) -> &mut Span {
        if self.spans.last().is_none_or(|span| span.steps == self.steps_per_span) {
            if self.spans.len() == MOST_SPANS {
                self.merge();
            }
            self.spans.push(Span::new(self.senders, self.links));
        }
        let last = self.spans.len() - 1;
        &mut self.spans[last]
    }

    /// Makes one of each two spans.
    fn merge(&mut self) {
        let sum = |pair: &[Span]| {
            let mut sum = pair[0].clone();
            pair[1..].iter().for_each(|span| sum.add(span));
            sum
        };
        self.spans = self.spans.chunks(2).map(sum).collect();
        self.steps_per_span *= 2;
    }
}

/// Makes a [`Timeline`] of the steps that it is told of.
#[derive(Clone, Debug)]
pub struct TimelineLog {
    /// Cores that hold blocks, with their tiles.
    cores: Vec<(u32, (u16, u16))>,
    /// By number of a core, its place among those.
    places: Vec<Option<usize>>,
    table: LinkTable,
    spans: Spans,
}

impl TimelineLog {
    /// For runs of an image.
    pub fn new(image: &Image) -> TimelineLog {
        let mesh = &image.chip.mesh;
        let of_block = |block: &Block| (block.core.0, mesh.coordinates(block.core.tile(mesh).0));
        let cores: Vec<_> = image.blocks.iter().map(of_block).collect::<BTreeMap<_, _>>().into_iter().collect();
        let mut places = vec![None; mesh.cores()];
        cores.iter().enumerate().for_each(|(place, (core, _))| places[*core as usize] = Some(place));
        let table = LinkTable::new(image);
        let spans = Spans { senders: cores.len() + 1, links: table.links.len(), steps_per_span: 1, spans: Vec::new() };
        TimelineLog { cores, places, table, spans }
    }

    /// What the steps so far came to.
    pub fn timeline(&self) -> Timeline {
        let column = |of: &dyn Fn(&Span) -> u64| self.spans.spans.iter().map(of).collect::<Vec<u64>>();
        let time = |place: usize| {
            let sum = |at: usize| column(&|span| span.senders[place][at]);
            TimeSpent {
                computing_cycles: sum(0),
                sending_cycles: sum(1),
                stalled_cycles: sum(2),
                waiting_cycles: sum(3),
            }
        };
        let core = |(place, &(core, tile)): (usize, &(u32, (u16, u16)))| CoreTimeline { core, tile, time: time(place) };
        let link = |(number, link): (usize, &links::Link)| LinkTimeline {
            name: link.name(),
            from: link.from,
            to: link.to,
            cycles_per_flit: link.cycles_per_flit,
            flits: column(&|span| span.links[number]),
        };
        let carried = |link: &LinkTimeline| link.flits.iter().any(|&flits| flits > 0);
        Timeline {
            steps_per_span: self.spans.steps_per_span,
            steps: column(&|span| span.steps),
            cycles: column(&|span| span.cycles),
            barrier_cycles: column(&|span| span.barrier_cycles),
            cores: self.cores.iter().enumerate().map(core).collect(),
            host: time(self.cores.len()),
            links: self.table.links.iter().enumerate().map(link).filter(carried).collect(),
        }
    }
}

impl StepLog for TimelineLog {
    fn step(&mut self, step: &StepRecord) {
        let host = self.cores.len();
        let span = self.spans.next();
        span.steps += 1;
        span.cycles += step.cycles + step.barrier_cycles;
        span.barrier_cycles += step.barrier_cycles;
        for sender in &step.senders {
            let place = match sender.endpoint {
                Endpoint::Core(core) => self.places.get(core.0 as usize).copied().flatten(),
                Endpoint::Host(_) => Some(host),
            };
            let Some(sums) = place.map(|place| &mut span.senders[place]) else { continue };
            let SenderStep { computing, sending, stalled, .. } = *sender;
            let spent = [computing, sending, stalled, step.cycles - sender.done()];
            sums.iter_mut().zip(spent).for_each(|(sum, cycles)| *sum += cycles);
        }
        for &(source, packets) in &step.packets {
            self.table.of(source).iter().for_each(|&(link, flits)| span.links[link] += flits * packets);
        }
    }
}

impl Timeline {
    /// Cycles of a span in which a core that spent its time like this had nothing to do, barriers left out.
    pub fn idle_cycles(&self, time: &TimeSpent, span: usize) -> u64 {
        let spent = [&time.computing_cycles, &time.sending_cycles, &time.stalled_cycles, &time.waiting_cycles];
        self.cycles[span] - self.barrier_cycles[span] - spent.iter().map(|cycles| cycles[span]).sum::<u64>()
    }
}
