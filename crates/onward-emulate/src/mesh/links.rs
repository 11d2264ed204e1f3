//! Flits and credits on their way, by the cycle in which they arrive.

use super::flit::Route;

/// The flit `flit` of the timeline `timeline`: what an observer is told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tag {
    pub(super) timeline: u32,
    pub(super) flit: u32,
}

/// What arrives in one cycle. A place is a router (index into those in use) times 8 and a port.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals {
    /// The input a flit enters, and its route.
    pub(super) flits: Vec<(u32, Route)>,
    /// The tags of `flits`; empty when nobody observes.
    pub(super) tags: Vec<Tag>,
    /// Outputs that get a credit back.
    pub(super) credits: Vec<u32>,
}

impl Arrivals {
    /// Empties the lists, keeps their memory.
    pub(super) fn clear(&mut self) {
        self.flits.clear();
        self.tags.clear();
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
}

impl Links {
    /// For flights of at most `flight` cycles.
    pub(super) fn new(flight: u64) -> Links {
        Links { ring: vec![Arrivals::default(); (flight as usize + 1).next_power_of_two()] }
    }

    /// What arrives in a cycle.
    #[inline]
    pub(super) fn at(&mut self, cycle: u64) -> &mut Arrivals {
        let mask = self.ring.len() - 1;
        &mut self.ring[cycle as usize & mask]
    }

    /// Whether nothing is under way.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.ring.iter().all(Arrivals::is_empty)
    }

    /// The first cycle after `cycle` in which something arrives.
    pub(super) fn next_after(&self, cycle: u64) -> Option<u64> {
        let length = self.ring.len() as u64;
        (cycle + 1..cycle + length).find(|&cycle| !self.ring[(cycle % length) as usize].is_empty())
    }
}
