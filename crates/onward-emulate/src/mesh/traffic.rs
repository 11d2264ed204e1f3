//! What is sent in a step: timelines of bursts, in flat arrays that are reused from step to step.

use std::ops::Range;

use onward_image::Endpoint;

/// Packets sent one after the other, after some computing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Burst {
    pub(super) gap: u64,
    pub(super) packets: u32,
    /// The destinations of each packet: a range of the table given to [`Mesh::new`](super::Mesh::new).
    pub(super) first_destination: u32,
    pub(super) destinations: u32,
}

impl Burst {
    /// Flits the burst sends: one a packet and destination.
    pub(super) fn flits(&self) -> u64 {
        u64::from(self.packets) * u64::from(self.destinations)
    }
}

/// All that one endpoint does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timeline {
    pub(super) endpoint: Endpoint,
    pub(super) first_burst: u32,
    pub(super) bursts: u32,
    pub(super) tail: u64,
}

/// What all endpoints send in one step, and how many cycles they compute in between.
///
/// Made timeline by timeline: the bursts of one endpoint in their order, then [`finish`](Self::finish). Cleared and
/// filled again for the next step it allocates nothing, once it has grown to the largest step.
///
/// ```
/// use onward_emulate::mesh::Traffic;
/// use onward_image::{Core, Endpoint};
///
/// let mut traffic = Traffic::default();
/// traffic.burst(20, 3, 0..2); // computes for 20 cycles, then sends three packets to destinations 0 and 1
/// traffic.burst(7, 1, 2..3);
/// traffic.finish(Endpoint::Core(Core(5)), 4); // 4 more cycles, and core 5 is done
/// assert_eq!(traffic.timelines(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub(super) timelines: Vec<Timeline>,
    pub(super) bursts: Vec<Burst>,
    /// Bursts that belong to a finished timeline.
    finished_bursts: usize,
    /// The account that the step goes to.
    account: u8,
}

impl Traffic {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.timelines.clear();
        self.bursts.clear();
        self.finished_bursts = 0;
        self.account = 0;
    }

    /// Says to which account the step goes, where accounts are kept ([`Accounts`](super::Accounts)); to the first, if nothing is
    /// said.
    pub fn set_account(&mut self, account: u8) {
        self.account = account;
    }

    /// The account that the step goes to.
    pub fn account(&self) -> u8 {
        self.account
    }

    /// Adds a burst to the timeline being made: `gap` cycles of computing, then `packets` packets to each of
    /// `destinations` (indices into the table given to [`Mesh::new`](super::Mesh::new)), one flit a cycle unless the
    /// router refuses it: packet by packet, the destinations of a packet in order.
    ///
    /// The gap counts from the cycle after the one in which the flit before was accepted, or from cycle 0. A burst
    /// that sends nothing only adds its gap.
    pub fn burst(&mut self, gap: u64, packets: u32, destinations: Range<u32>) {
        let count = destinations.end.saturating_sub(destinations.start);
        self.bursts.push(Burst { gap, packets, first_destination: destinations.start, destinations: count });
    }

    /// Ends the timeline made of the bursts added since the last call: they are what `endpoint` sends, and it is done
    /// `tail` cycles after its last flit was accepted. An endpoint has at most one timeline in a step.
    pub fn finish(&mut self, endpoint: Endpoint, tail: u64) {
        let first_burst = self.finished_bursts as u32;
        let bursts = (self.bursts.len() - self.finished_bursts) as u32;
        self.timelines.push(Timeline { endpoint, first_burst, bursts, tail });
        self.finished_bursts = self.bursts.len();
    }

    /// The bursts that send something: first destination, and packets.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let sending = self.bursts.iter().filter(|burst| burst.flits() > 0);
        sending.map(|burst| (burst.first_destination, u64::from(burst.packets)))
    }

    /// Number of finished timelines.
    pub fn timelines(&self) -> usize {
        self.timelines.len()
    }
}
