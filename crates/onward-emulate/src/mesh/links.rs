//! Flits and credits on their way, by the cycle in which they arrive.

use super::engine::Place;
use super::flit::Route;

/// The flit `flit` of the timeline `timeline`: what an observer is told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tag {
    pub(super) timeline: u32,
    pub(super) flit: u32,
}

/// What arrives in one cycle.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals {
    /// The input a flit enters, its route, and which it is.
    pub(super) flits: Vec<(Place, Route, Tag)>,
    /// Outputs that get a credit back.
    pub(super) credits: Vec<Place>,
}

impl Arrivals {
    /// Empties the lists, keeps their memory.
    pub(super) fn clear(&mut self) {
        self.flits.clear();
        self.credits.clear();
    }

    fn is_empty(&self) -> bool {
        self.flits.is_empty() && self.credits.is_empty()
    }
}

/// All links: a ring of cycles, long enough for the longest flight. Its lists are emptied, never freed.
#[derive(Clone, Debug)]
pub(super) struct Links {
    ring: Vec<Arrivals>,
    /// Flits and credits under way.
    flying: usize,
}

impl Links {
    /// For flights of at most `flight` cycles.
    pub(super) fn new(flight: u64) -> Links {
        Links { ring: vec![Arrivals::default(); (flight as usize + 1).next_power_of_two()], flying: 0 }
    }

    #[inline]
    fn at(&mut self, cycle: u64) -> &mut Arrivals {
        let mask = self.ring.len() - 1;
        &mut self.ring[cycle as usize & mask]
    }

    /// Takes what arrives in a cycle.
    #[inline]
    pub(super) fn take(&mut self, cycle: u64) -> Arrivals {
        let arrivals = std::mem::take(self.at(cycle));
        self.flying -= arrivals.flits.len() + arrivals.credits.len();
        arrivals
    }

    /// Returns the emptied lists of a cycle, whose memory is used again.
    #[inline]
    pub(super) fn give_back(&mut self, cycle: u64, arrivals: Arrivals) {
        debug_assert!(arrivals.is_empty());
        *self.at(cycle) = arrivals;
    }

    /// Lets a flit enter an input in a later cycle.
    #[inline]
    pub(super) fn send_flit(&mut self, arrival: u64, flit: (Place, Route, Tag)) {
        self.at(arrival).flits.push(flit);
        self.flying += 1;
    }

    /// Lets a credit come back to an output in a later cycle.
    #[inline]
    pub(super) fn send_credit(&mut self, arrival: u64, output: Place) {
        self.at(arrival).credits.push(output);
        self.flying += 1;
    }

    /// The first cycle after `cycle` in which something arrives; `None` if nothing is under way.
    pub(super) fn next_after(&self, cycle: u64) -> Option<u64> {
        if self.flying == 0 {
            return None;
        }
        let length = self.ring.len() as u64;
        (cycle + 1..cycle + length).find(|&cycle| !self.ring[(cycle % length) as usize].is_empty())
    }
}
