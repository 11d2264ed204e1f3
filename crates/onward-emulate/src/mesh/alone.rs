//! One sender alone in an idle mesh: its cycles are computed, not stepped.
//!
//! The flits of one sender never wait for each other. It sends at most one a cycle, each router lies at one distance from
//! it and is reached through one input (dimension order), so a flit passes each output in a cycle in which no other of the
//! sender does. What is left is credits: an output that sends a flit in every cycle needs `2 + 2 * link_cycles` of them.
//! With as many flits in a buffer, a flit accepted in cycle `a` for an endpoint `h` links away is delivered in cycle
//! `a + 2 + h * (1 + link_cycles)`, and `link_cycles` later the last credit is back. If no other sender is due until then,
//! that is all that happens; it leaves behind the counts, and the pointers of the outputs that granted something.

use super::Traffic;
use super::engine::{Mesh, Visit};
use super::flit::Route;
use super::router::{NONE, Router};
use super::traffic::Burst;

/// The bursts of a sender that are over before anything else happens.
pub(super) struct Solo {
    /// First burst that is not among them.
    pub(super) end: u32,
    /// Cycle in which its next flit is offered; in which it was free, if there is none.
    pub(super) next: u64,
    /// Cycle of the last delivery.
    pub(super) delivered: u64,
}

impl Mesh {
    /// Whether buffers are deep enough that a lone sender never waits.
    fn never_starves(&self) -> bool {
        u64::from(self.tables.mesh.buffer_flits) >= 2 * self.flight
    }

    /// How far the sender due in cycle `due`, at its burst `first` of those before `last`, gets by itself in an idle
    /// mesh in which no other is due before `horizon`; `None` if something else happens before its first burst is over.
    pub(super) fn solo(
        &mut self,
        place: u32,
        bursts: &[Burst],
        (first, last): (u32, u32),
        due: u64,
        horizon: u64,
    ) -> Option<Solo> {
        if !self.never_starves() {
            return None;
        }
        let (mut solo, mut free, mut idle, mut delivered) = (None, due, due, due);
        for at in first..last {
            let burst = &bursts[at as usize];
            if at > first {
                free += burst.gap;
                if free >= idle {
                    solo = Some(Solo { end: at, next: free, delivered });
                }
            }
            if burst.flits() > 0 {
                let packet = free + u64::from(burst.packets - 1) * u64::from(burst.destinations);
                for destination in 0..burst.destinations {
                    let links = u64::from(self.distance(place, burst.first_destination + destination));
                    delivered = delivered.max(packet + u64::from(destination) + 2 + links * self.flight);
                }
                free = packet + u64::from(burst.destinations);
            }
            idle = delivered + self.flight - 1;
            if idle > horizon {
                return solo;
            }
        }
        Some(Solo { end: last, next: free, delivered })
    }

    /// The most links a flit crosses from the input `place` to an endpoint of the destination.
    fn distance(&mut self, place: u32, destination: u32) -> u32 {
        if let Some(&(from, links)) = self.distances.get(destination as usize)
            && from == place
        {
            return links;
        }
        let mut most = 0;
        self.walk(place, destination, |_, _, _, links| most = most.max(links));
        let known = self.distances.len().max(destination as usize + 1);
        self.distances.resize(known, (NONE, 0));
        self.distances[destination as usize] = (place, most);
        most
    }

    /// Leaves behind what a burst leaves behind.
    pub(super) fn pass(&mut self, place: u32, burst: &Burst) {
        let packets = burst.packets;
        if packets == 0 {
            return;
        }
        for destination in burst.first_destination..burst.first_destination + burst.destinations {
            let mut used = std::mem::take(&mut self.used);
            self.walk(place, destination, |index, router, (input, route), _| {
                router.pass(input, route, packets);
                if !router.used {
                    router.used = true;
                    used.push(index);
                }
            });
            self.used = used;
        }
    }

    /// Visits each router on the way to a destination, with the input it is entered by and the links behind it.
    fn walk(&mut self, place: u32, destination: u32, mut visit: impl FnMut(u32, &mut Router, (usize, Route), u32)) {
        let mut open: Vec<Visit> = std::mem::take(&mut self.visits);
        let first = &self.routers[(place >> 3) as usize];
        let route = self.tables.targets[destination as usize].route.steered(first.x, first.y);
        open.push((place >> 3, (place & 7) as usize, route, 0));
        while let Some((index, input, route, links)) = open.pop() {
            if self.routers[index as usize].behind[0] == NONE {
                self.meet(index);
            }
            let router = &mut self.routers[index as usize];
            let linked = route.wanted() & u32::from(router.link_ports);
            for output in (0..4).filter(|output| linked >> output & 1 == 1) {
                let behind = router.behind[output];
                let onward = route.forwarded(output, router.x, router.y, &self.tables.nodes);
                open.push((behind >> 3, (behind & 7) as usize, onward, links + 1));
            }
            visit(index, router, (input, route), links);
        }
        self.visits = open;
    }

    /// Runs the sender `index`, the only one due before `horizon`, as far as it gets by itself from an idle mesh. Returns
    /// the cycle by which all of it is over.
    pub(super) fn run_alone(&mut self, index: u32, due: u64, horizon: u64, traffic: &Traffic) -> Option<u64> {
        let sender = self.senders[index as usize];
        let solo = self.solo(sender.place, &traffic.bursts, (sender.burst, sender.end), due, horizon)?;
        for burst in &traffic.bursts[sender.burst as usize..solo.end as usize] {
            self.pass(sender.place, burst);
        }
        self.wheel.remove(index);
        let sender = &mut self.senders[index as usize];
        sender.burst = solo.end;
        // Bursts that send nothing only add their gaps, the first of which is in `next` already.
        let at_burst = sender.burst < sender.end;
        let first_gap = if at_burst { traffic.bursts[sender.burst as usize].gap } else { 0 };
        let next = solo.next - first_gap + sender.find_burst(&traffic.bursts);
        if sender.burst < sender.end {
            self.wheel.insert(index, next);
            return Some(solo.delivered);
        }
        let done = next + traffic.timelines[index as usize].tail;
        Some(solo.delivered.max(done))
    }
}
