//! A lane: one step, its clock, and where its senders are in their timelines.

use super::super::senders::Finished;
use super::super::traffic::{Burst, Traffic};
use super::MOST_FLITS;
use super::circuit::SenderIndex;
use onward_image::Endpoint;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use typed_index_collections::TiVec;

/// Ticks the clock's ring of lists goes round in.
const RING: u64 = 256;

/// When which lane wants to be looked at. A tick is a cycle of all lanes.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    pub tick: u64,
    /// Lanes by tick, modulo [`RING`]; a lane may stand where it no longer wants to.
    ring: Vec<Vec<u16>>,
    /// By lane: the tick in which it wants to be looked at.
    wanted: Vec<u64>,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { tick: 0, ring: vec![Vec::new(); RING as usize], wanted: vec![u64::MAX; super::LANES] }
    }
}

impl Clock {
    /// The lanes that are due in this tick.
    pub fn take_due(&mut self) -> Vec<u16> {
        let mut list = std::mem::take(&mut self.ring[(self.tick % RING) as usize]);
        let (wanted, tick) = (&mut self.wanted, self.tick);
        let mut later = Vec::new();
        list.retain(|&lane| {
            let want = &mut wanted[usize::from(lane)];
            if *want == tick {
                *want = u64::MAX;
                return true;
            }
            if *want != u64::MAX && *want % RING == tick % RING {
                later.push(lane);
            }
            false
        });
        self.ring[(self.tick % RING) as usize] = later;
        list
    }

    /// Returns a list of [`take_due`](Self::take_due), whose memory is used again.
    pub fn give_back(&mut self, mut list: Vec<u16>) {
        let slot = &mut self.ring[(self.tick % RING) as usize];
        if slot.is_empty() {
            list.clear();
            *slot = list;
        }
    }

    fn want(&mut self, lane: usize, tick: u64) {
        debug_assert!(tick >= self.tick);
        if self.wanted[lane] != tick {
            self.wanted[lane] = tick;
            self.ring[(tick % RING) as usize].push(lane as u16);
        }
    }
}

/// Where a sender is in its timeline.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    /// Its timeline.
    timeline: u32,
    /// The burst it is in, the end of its bursts.
    burst: u32,
    end: u32,
    /// Flits of the burst that have not been put on offer.
    left: u64,
    /// The flit of a packet that comes next, of as many as there are destinations.
    destination: u32,
    tail: u64,
    /// What is on offer: since which cycle, how many flits, to where.
    offered: u64,
    offered_flits: u32,
    offered_to: u32,
    /// Flits it sent in this step, and cycles in which they waited.
    sent: u64,
    stalls: u64,
}

/// Flits that a sender puts on offer, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub sender: SenderIndex,
    pub destination: u32,
    pub flits: u32,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    pub traffic: Traffic,
    /// The step it works on.
    pub step: usize,
    /// The cycle by which all that is known to happen in the step is over.
    pub over: u64,
    /// What is added to the tick to give the step's cycle; wraps.
    offset: u64,
    /// Senders that wait for the end of a gap: cycle and sender.
    due: BinaryHeap<Reverse<(u64, SenderIndex)>>,
    /// By sender; only those of senders with a timeline mean anything.
    cursors: TiVec<SenderIndex, Cursor>,
    /// Senders that have flits to send.
    unfinished: usize,
    /// Whether it is noted when each sender is done.
    pub keeps_account: bool,
    /// Senders that are done with the step.
    pub finished: Vec<Finished>,
}

impl Cursor {
    /// Moves on to the first burst, from the present one on, that sends something. Returns the cycles of computing
    /// before its first flit, or before the tail.
    fn find_burst(&mut self, bursts: &[Burst]) -> u64 {
        let mut gap = 0;
        while self.burst < self.end {
            let burst = &bursts[self.burst as usize];
            gap += burst.gap;
            if burst.flits() > 0 {
                self.left = burst.flits();
                self.destination = 0;
                break;
            }
            self.burst += 1;
        }
        gap
    }

    /// Takes the flits that are offered next, from a cycle on: those of the burst to one destination, or a single one of
    /// several.
    fn take(&mut self, sender: SenderIndex, bursts: &[Burst], cycle: u64) -> Start {
        let burst = &bursts[self.burst as usize];
        let destination = burst.first_destination + self.destination;
        let flits = if burst.destinations == 1 { self.left.min(u64::from(MOST_FLITS)) } else { 1 };
        self.left -= flits;
        self.destination = if self.destination + 1 == burst.destinations { 0 } else { self.destination + 1 };
        (self.offered, self.offered_flits, self.offered_to) = (cycle, flits as u32, destination);
        Start { sender, destination, flits: flits as u32 }
    }
}

impl Lane {
    /// The cycle of the step that a tick is.
    #[inline]
    pub fn local(&self, tick: u64) -> u64 {
        tick.wrapping_add(self.offset)
    }

    /// Begins the step whose traffic has been filled in, with its cycle 0 in `tick`.
    pub fn begin(&mut self, step: usize, tick: u64, sender_of: &dyn Fn(Endpoint) -> Option<SenderIndex>) {
        self.step = step;
        self.over = 0;
        self.offset = tick.wrapping_neg();
        self.due.clear();
        self.unfinished = 0;
        self.finished.clear();
        for (timeline, at) in self.traffic.timelines.iter().zip(0..) {
            let (burst, end) = (timeline.first_burst, timeline.first_burst + timeline.bursts);
            let mut cursor = Cursor { timeline: at, burst, end, tail: timeline.tail, ..Cursor::default() };
            let gap = cursor.find_burst(&self.traffic.bursts);
            if cursor.burst == end {
                let (endpoint, done) = (timeline.endpoint, gap + timeline.tail);
                self.over = self.over.max(done);
                if self.keeps_account {
                    self.finished.push(Finished { endpoint, done, flits: 0, stalls: 0 });
                }
                continue;
            }
            let sender = sender_of(timeline.endpoint);
            let Some(sender) = sender else { panic!("{:?} was not announced as a sender", timeline.endpoint) };
            if self.cursors.next_key() <= sender {
                self.cursors.resize(usize::from(sender) + 1, Cursor::default());
            }
            self.cursors[sender] = cursor;
            self.due.push(Reverse((gap, sender)));
            self.unfinished += 1;
        }
    }

    /// Whether all senders have sent everything.
    pub fn is_done(&self) -> bool {
        self.unfinished == 0
    }

    /// The next burst that starts in `tick`.
    pub fn next_due(&mut self, tick: u64) -> Option<Start> {
        let &Reverse((cycle, sender)) = self.due.peek()?;
        if cycle != self.local(tick) {
            return None;
        }
        self.due.pop();
        Some(self.cursors[sender].take(sender, &self.traffic.bursts, cycle))
    }

    /// Notes that the last flit a sender had on offer was accepted in `tick`; returns where it goes, and for how many cycles
    /// the flits that were on offer waited.
    pub fn accepted(&mut self, sender: SenderIndex, tick: u64) -> (u32, u64) {
        let now = self.local(tick);
        let cursor = &mut self.cursors[sender];
        let flits = u64::from(cursor.offered_flits);
        let waited = now + 1 - cursor.offered - flits;
        cursor.sent += flits;
        cursor.stalls += waited;
        (cursor.offered_to, waited)
    }

    /// What a sender does whose last flit on offer was accepted in `tick`: offers the next in the cycle after, which is
    /// returned, or computes first, or is done.
    pub fn advance(&mut self, sender: SenderIndex, tick: u64) -> Option<Start> {
        let free = self.local(tick) + 1;
        let bursts = &self.traffic.bursts;
        let cursor = &mut self.cursors[sender];
        let mut gap = 0;
        if cursor.left == 0 {
            cursor.burst += 1;
            gap = cursor.find_burst(bursts);
            if cursor.burst == cursor.end {
                let done = free + gap + cursor.tail;
                self.over = self.over.max(done);
                self.unfinished -= 1;
                if self.keeps_account {
                    let &mut Cursor { timeline, sent: flits, stalls, .. } = cursor;
                    let endpoint = self.traffic.timelines[timeline as usize].endpoint;
                    self.finished.push(Finished { endpoint, done, flits, stalls });
                }
                return None;
            }
        }
        if gap == 0 {
            return Some(cursor.take(sender, bursts, free));
        }
        self.due.push(Reverse((free + gap, sender)));
        None
    }

    /// Asks to be looked at when the next sender is due.
    pub fn schedule(&self, clock: &mut Clock, lane: usize) {
        if let Some(&Reverse((cycle, _))) = self.due.peek() {
            clock.want(lane, cycle.wrapping_sub(self.offset));
        }
    }

    /// Lets the cycle in which the next sender is due be the present tick.
    pub fn skip(&mut self, clock: &mut Clock, lane: usize) {
        if let Some(&Reverse((cycle, _))) = self.due.peek() {
            self.offset = cycle.wrapping_sub(clock.tick);
            clock.want(lane, clock.tick);
        }
    }
}
