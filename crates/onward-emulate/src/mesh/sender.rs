//! Where a sender is in its timeline.

use super::traffic::{Burst, Timeline};

/// A sender in the middle of its timeline; the flit that comes next is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    /// The burst it is in, and the end of its bursts.
    burst: u32,
    end: u32,
    /// Packets of the burst not yet wholly sent, the one being sent included.
    packets: u32,
    /// The next flit's destination, and the range it is in.
    destination: u32,
    first_destination: u32,
    end_destination: u32,
    /// Flits sent.
    flits: u32,
}

impl Sender {
    /// At its first flit, with the cycles of computing before that; or at the end, with all its cycles of computing.
    pub(super) fn new(timeline: &Timeline, bursts: &[Burst]) -> (Sender, u64) {
        let mut sender = Sender {
            burst: timeline.first_burst,
            end: timeline.first_burst + timeline.bursts,
            packets: 0,
            destination: 0,
            first_destination: 0,
            end_destination: 0,
            flits: 0,
        };
        let gap = sender.find_burst(bursts);
        (sender, gap)
    }

    /// Whether a flit is left.
    pub(super) fn is_sending(&self) -> bool {
        self.burst < self.end
    }

    /// The next flit's destination.
    pub(super) fn destination(&self) -> u32 {
        self.destination
    }

    /// Flits sent.
    pub(super) fn flits(&self) -> u32 {
        self.flits
    }

    /// Moves on to the first burst, from the present one on, that sends something. Returns the cycles of computing
    /// before its first flit, or before the tail if there is none.
    fn find_burst(&mut self, bursts: &[Burst]) -> u64 {
        let mut gap = 0;
        while self.burst < self.end {
            let burst = &bursts[self.burst as usize];
            gap += burst.gap;
            if burst.flits() > 0 {
                self.packets = burst.packets;
                self.first_destination = burst.first_destination;
                self.end_destination = burst.first_destination + burst.destinations;
                self.destination = self.first_destination;
                break;
            }
            self.burst += 1;
        }
        gap
    }

    /// Moves on to the next flit; returns the cycles of computing before it.
    #[inline]
    pub(super) fn advance(&mut self, bursts: &[Burst]) -> u64 {
        self.flits += 1;
        self.destination += 1;
        if self.destination < self.end_destination {
            return 0;
        }
        self.destination = self.first_destination;
        self.packets -= 1;
        if self.packets > 0 {
            return 0;
        }
        self.burst += 1;
        self.find_burst(bursts)
    }
}
