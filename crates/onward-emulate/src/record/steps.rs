//! What was done in steps that follow each other, as far as time depends on it.

use crate::cost::LaneCycles;
use crate::fast::{Block, Outlet};
use crate::index::Place;
use onward_image::{Image, index_type};
use std::collections::HashMap;
use typed_index_collections::{TiSlice, TiVec};

index_type! {
    /// A stretch of computing, of those that differ.
    pub(crate) struct SpanIndex
}

/// Packets of a block to a route, and the computing before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Send {
    pub span: SpanIndex,
    pub packets: u32,
    pub route: u32,
}

/// A step of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockStep {
    /// Logical number.
    pub block: u32,
    /// Where its sends end; they begin where those of the one before do.
    pub sends_end: u32,
    /// The computing after the last of them.
    pub tail: SpanIndex,
}

/// Steps; lists lie one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    /// Stretches of computing, without dispatches, each once.
    pub spans: TiVec<SpanIndex, LaneCycles>,
    /// Where each step's packets of the host, and its blocks, end.
    pub ends: Vec<(u32, u32)>,
    /// Host inputs with packets, at least one.
    pub host: Vec<(u32, u32)>,
    /// Blocks that ran, in a step by their logical numbers.
    pub blocks: Vec<BlockStep>,
    pub sends: Vec<Send>,
}

impl Steps {
    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The packets of the host in a step, and its blocks with where their sends begin.
    pub fn step(&self, step: usize) -> (&[(u32, u32)], usize, &[BlockStep]) {
        let (host, block) = step.checked_sub(1).map_or((0, 0), |before| self.ends[before]);
        let (host_end, block_end) = self.ends[step];
        let first_send = (block as usize).checked_sub(1).map_or(0, |before| self.blocks[before].sends_end);
        (
            &self.host[host as usize..host_end as usize],
            first_send as usize,
            &self.blocks[block as usize..block_end as usize],
        )
    }

    /// Bytes that it takes, about.
    pub fn bytes(&self) -> usize {
        self.spans.len() * 3 * size_of::<LaneCycles>()
            + self.blocks.len() * size_of::<BlockStep>()
            + self.sends.len() * size_of::<Send>()
            + self.host.len() * 8
            + self.ends.len() * 8
    }

    /// Checks that all it names is of an image.
    pub fn check(&self, image: &Image) -> Result<(), &'static str> {
        let spans = self.spans.len();
        let is_span = |span: SpanIndex| usize::from(span) < spans;
        let host = self.host.iter().all(|&(input, packets)| {
            let input = image.host_inputs.get(input as usize);
            input.is_some_and(|input| (1..=input.route.indices).contains(&packets))
        });
        if !host {
            return Err("packets of the host that it does not send");
        }
        for step in 0..self.len() {
            let (_, mut first, blocks) = self.step(step);
            if !blocks.is_sorted_by(|one, other| one.block < other.block) {
                return Err("a block runs twice in a step");
            }
            for of_block in blocks {
                let block = image.blocks.raw.get(of_block.block as usize).ok_or("a block that is none")?;
                let sends = self.sends.get(first..of_block.sends_end as usize).ok_or("sends that are not there")?;
                first = of_block.sends_end as usize;
                let fits = |send: &Send| {
                    let route = block.routes.get(send.route as usize);
                    is_span(send.span) && route.is_some_and(|route| (1..=route.indices).contains(&send.packets))
                };
                if !is_span(of_block.tail) || !sends.iter().all(fits) {
                    return Err("packets that a block does not send");
                }
            }
        }
        Ok(())
    }
}

/// Gathers steps.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    pub steps: Steps,
    known: HashMap<LaneCycles, SpanIndex>,
}

impl Gathering {
    /// Begins anew; what was gathered is returned.
    pub fn take(&mut self) -> Steps {
        self.known.clear();
        std::mem::take(&mut self.steps)
    }

    fn span(&mut self, cycles: LaneCycles) -> SpanIndex {
        let spans = &mut self.steps.spans;
        *self.known.entry(cycles).or_insert_with(|| spans.push_and_get_key(cycles))
    }

    /// Adds what the blocks at `places` did in the chunk that just ran, and what the host sent in it.
    pub fn add_chunk(&mut self, steps: usize, blocks: &TiSlice<Place, Block>, places: &[Place], host: &[Outlet]) {
        let mut ran: Vec<Vec<(u32, Place, usize)>> = vec![Vec::new(); steps];
        for &place in places {
            for (at, record) in blocks[place].records.iter().enumerate() {
                ran[record.step as usize].push((blocks[place].number.into(), place, at));
            }
        }
        for (step, mut ran) in ran.into_iter().enumerate() {
            for (input, outlet) in (0..).zip(host) {
                let packets = outlet.count(step + 1);
                if packets > 0 {
                    self.steps.host.push((input, packets));
                }
            }
            ran.sort_unstable_by_key(|&(number, ..)| number);
            for (number, place, at) in ran {
                let block = &blocks[place];
                let Some(lanes) = &block.lanes else { continue };
                let (first, end) = block.records[at].sends;
                for at in first as usize..end as usize {
                    let span = self.span(lanes.gaps[at]);
                    let sent = &block.sends[at];
                    self.steps.sends.push(Send { span, packets: sent.packets, route: sent.route });
                }
                let tail = self.span(lanes.tails[at]);
                let sends_end = self.steps.sends.len() as u32;
                self.steps.blocks.push(BlockStep { block: number, sends_end, tail });
            }
            self.steps.ends.push((self.steps.host.len() as u32, self.steps.blocks.len() as u32));
        }
    }
}
