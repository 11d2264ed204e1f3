//! The cycles of a step. Only what can do something in a cycle is looked at: links whose flit or credit arrives,
//! senders that are due, routers with a flit. Cycles in which nothing can happen are skipped.
//!
//! In each cycle: first the links deliver, so that arbitration sees what became visible; then the senders offer, so
//! that they see the buffers as they are before anything leaves; then the routers arbitrate, and all they send arrives
//! in a later cycle. So the order in which routers or senders are visited within a cycle changes nothing.

use super::flit::{LINKS, PORTS, SECOND};
use super::links::{Links, Tag};
use super::router::{Link, Router};
use super::sender::Sender;
use super::senders::Accounts;
use super::tables::Tables;
use super::traffic::Timeline;
use super::usage::{INPUTS, RouterUsage};
use super::wheel::Wheel;
use super::{Delivery, Observer, StepTiming, Traffic};
use onward_chip::Topology;
use onward_image::{Tile, index_type};
use std::sync::Arc;
use typed_index_collections::TiVec;

index_type! {
    /// A router in use.
    pub(super) struct RouterIndex
}

index_type! {
    /// A sender of the step, by its timeline.
    pub(super) struct SenderIndex
}

/// An input or an output of a router in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub router: RouterIndex,
    pub port: u8,
}

impl Place {
    fn port(self) -> usize {
        usize::from(self.port)
    }
}

/// A mesh of routers, ready to time steps.
///
/// Routers come into being when they first see a flit: a large chip of which little is used costs little. A clone
/// shares the tables, and goes on counting from what its original has counted.
#[derive(Clone, Debug)]
pub struct Mesh {
    pub(super) tables: Arc<Tables>,
    routers: TiVec<RouterIndex, Router>,
    usage: TiVec<RouterIndex, RouterUsage>,
    /// By tile.
    router_at: Vec<Option<RouterIndex>>,
    /// Routers that hold a flit in this cycle.
    active: Vec<RouterIndex>,
    /// Routers used in this step.
    used: Vec<RouterIndex>,
    links: Links,
    wheel: Wheel,
    due: Vec<SenderIndex>,
    senders: TiVec<SenderIndex, Offer>,
    stalls: TiVec<SenderIndex, u64>,
    /// What senders did with their cycles, where that is asked for.
    accounts: Option<Accounts>,
    /// The account of the step that is timed.
    account: u8,
}

/// A sender at its router.
#[derive(Clone, Copy, Debug)]
struct Offer {
    place: Place,
    sender: Sender,
    /// The cycle in which the flit on offer was first refused.
    refused: u64,
}

impl Mesh {
    pub(super) fn with_tables(tables: Tables) -> Mesh {
        Mesh {
            routers: TiVec::new(),
            usage: TiVec::new(),
            router_at: vec![None; tables.mesh.tiles()],
            active: Vec::new(),
            used: Vec::new(),
            links: Links::new(1 + u64::from(tables.mesh.longest_link())),
            wheel: Wheel::default(),
            due: Vec::new(),
            senders: TiVec::new(),
            stalls: TiVec::new(),
            accounts: None,
            account: 0,
            tables: Arc::new(tables),
        }
    }

    /// By timeline of the last step: the cycles in which a flit was offered and not accepted. A sender is done after
    /// its gaps, one cycle a flit, its stalls and its tail.
    pub fn stalls(&self) -> &[u64] {
        &self.stalls.raw
    }

    /// From here on keeps what senders do with their cycles; forgets what was kept.
    pub fn keep_account(&mut self) {
        self.accounts = Some(Accounts::default());
    }

    /// What senders did with their cycles since [`keep_account`](Self::keep_account); `None` where that was not asked for.
    pub fn accounts(&self) -> Option<&Accounts> {
        self.accounts.as_ref()
    }

    /// What went through the routers since the mesh was made or [`clear_usage`](Self::clear_usage) was called, sorted
    /// by tile. Routers that never saw a flit are left out.
    pub fn usage(&self) -> Vec<RouterUsage> {
        let mut usage = self.usage.raw.clone();
        usage.retain(|router| router.entered != [0; INPUTS]);
        usage.sort_by_key(|router| router.tile);
        usage
    }

    /// Sets all totals to zero.
    pub fn clear_usage(&mut self) {
        for usage in &mut self.usage {
            *usage = RouterUsage::new(usage.tile);
        }
    }

    /// Times one step and tells `observer` of each delivery.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn step_observed<O: Observer>(&mut self, traffic: &Traffic, observer: &mut O) -> StepTiming {
        let mut timing = StepTiming { cycles: self.start(traffic), ..StepTiming::default() };
        let mut cycle = 0;
        loop {
            self.receive(cycle);
            self.offer(cycle, traffic, observer, &mut timing);
            self.arbitrate(cycle, observer, &mut timing);
            if !self.active.is_empty() {
                cycle += 1;
                continue;
            }
            match [self.wheel.next_after(cycle), self.links.next_after(cycle)].into_iter().flatten().min() {
                Some(next) => cycle = next,
                None => break,
            }
        }
        if let Some(accounts) = &mut self.accounts {
            accounts.at(self.account).step_of(traffic, &self.stalls.raw, timing.cycles);
        }
        for index in self.used.drain(..) {
            self.routers[index].reset(self.tables.mesh.buffer_flits);
        }
        timing
    }

    /// Sets up the senders. Returns the cycle by which those that send nothing are done.
    fn start(&mut self, traffic: &Traffic) -> u64 {
        self.account = traffic.account();
        self.senders.clear();
        self.stalls.clear();
        self.stalls.resize(traffic.timelines.len(), 0);
        self.wheel.reset(traffic.timelines.len());
        let mut done = 0;
        for timeline in &traffic.timelines {
            let place = self.place(timeline);
            let bursts = timeline.first_burst as usize..(timeline.first_burst + timeline.bursts) as usize;
            self.tables.check_bursts(timeline, &traffic.bursts[bursts]);
            let (sender, gap) = Sender::new(timeline, &traffic.bursts);
            let index = self.senders.push_and_get_key(Offer { place, sender, refused: 0 });
            if sender.is_sending() {
                self.wheel.insert(index, gap);
            } else {
                done = done.max(gap + timeline.tail);
            }
        }
        done
    }

    /// The input an endpoint sends into.
    fn place(&mut self, timeline: &Timeline) -> Place {
        let Some((tile, port)) = self.tables.attachment(timeline.endpoint) else {
            panic!("a timeline of {:?}, which the chip does not have", timeline.endpoint)
        };
        let router = self.router(tile);
        self.mark_used(router);
        let senders = &mut self.routers[router].senders;
        assert!(*senders & u16::from(port) == 0, "two timelines of {:?}", timeline.endpoint);
        *senders |= u16::from(port);
        Place { router, port: port.trailing_zeros() as u8 }
    }

    /// The index of a tile's router; brings it into being if need be.
    fn router(&mut self, tile: Tile) -> RouterIndex {
        if let Some(known) = self.router_at[tile.0 as usize] {
            return known;
        }
        let index = self.routers.push_and_get_key(Router::new(tile));
        self.usage.push(RouterUsage::new(tile));
        self.router_at[tile.0 as usize] = Some(index);
        index
    }

    /// Notes that a router is used in this step. What is used may forward flits: its links are made known.
    fn mark_used(&mut self, index: RouterIndex) {
        let router = &mut self.routers[index];
        if router.used {
            return;
        }
        router.used = true;
        self.used.push(index);
        if !std::mem::replace(&mut router.links_known, true) {
            let tile = router.tile;
            for direction in 0..LINKS {
                self.routers[index].links[direction] = self.link_from(tile, direction);
            }
        }
    }

    /// The link from a router in a direction, if one is there.
    fn link_from(&mut self, tile: Tile, direction: usize) -> Option<Link> {
        let neighbour = self.tables.neighbour(tile, direction)?;
        let behind = Place { router: self.router(neighbour), port: (direction ^ 2) as u8 };
        let mesh = &self.tables.mesh;
        let (link_cycles, cycles_per_flit) = mesh.link(tile.0, direction);
        let onward = 1 << (SECOND + (direction ^ 2));
        let to_second = match mesh.topology {
            Topology::Mesh => 0,
            Topology::Torus if mesh.crosses_dateline(tile.0, direction) => u16::MAX,
            // What goes on in the same direction stays in its channel; what turns, or comes in, begins in the first.
            Topology::Torus => onward,
        };
        Some(Link {
            behind,
            to_second,
            flight: 1 + u64::from(link_cycles),
            spacing: cycles_per_flit.into(),
            crosses: mesh.leaves_chip(tile.0, direction),
            ready: 0,
            credits: [mesh.buffer_flits; 2],
        })
    }

    /// Takes the flits and credits that arrive in this cycle.
    fn receive(&mut self, cycle: u64) {
        let mut arrivals = self.links.take(cycle);
        for &(place, route, tag) in &arrivals.flits {
            self.mark_used(place.router);
            let (router, input) = (&mut self.routers[place.router], place.port());
            let route = self.tables.steered(route, router.tile);
            if router.is_empty() {
                self.active.push(place.router);
            }
            router.buffers[input].push_back((route, tag));
            let occupancy = router.buffers[input].len();
            if occupancy == 1 {
                router.request(input, route);
            }
            let usage = &mut self.usage[place.router];
            usage.entered[input] += 1;
            usage.highest_occupancy[input] = usage.highest_occupancy[input].max(occupancy as u16);
        }
        for place in &arrivals.credits {
            let (output, channel) = (place.port() % SECOND, place.port() / SECOND);
            if let Some(link) = self.routers[place.router].link(output) {
                link.credits[channel] += 1;
            }
        }
        arrivals.clear();
        self.links.give_back(cycle, arrivals);
    }

    /// Lets the senders that are due offer a flit.
    fn offer<O: Observer>(&mut self, cycle: u64, traffic: &Traffic, observer: &mut O, timing: &mut StepTiming) {
        self.wheel.drain(cycle, &mut self.due);
        for &index in &self.due {
            let Offer { place, sender, refused } = &mut self.senders[index];
            let router = &mut self.routers[place.router];
            if router.buffers[place.port()].len() >= usize::from(self.tables.mesh.buffer_flits) {
                // It is looked at again when a flit leaves the buffer.
                *refused = cycle;
                router.waiting[place.port()] = Some(index);
                continue;
            }
            let timeline = usize::from(index);
            let tag = Tag { timeline: timeline as u32, flit: sender.flits() };
            let route = self.tables.targets[sender.destination() as usize].route;
            self.links.send_flit(cycle + 1, (*place, route, tag));
            if O::OBSERVES {
                observer.accepted(tag.timeline, tag.flit, cycle);
            }
            timing.injected += 1;
            let next = cycle + 1 + sender.advance(&traffic.bursts);
            if sender.is_sending() {
                self.wheel.insert(index, next);
            } else {
                timing.cycles = timing.cycles.max(next + traffic.timelines[timeline].tail);
            }
        }
    }

    /// Arbitrates the outputs of all routers that hold a flit, and sends what they grant.
    fn arbitrate<O: Observer>(&mut self, cycle: u64, observer: &mut O, timing: &mut StepTiming) {
        let mut active = std::mem::take(&mut self.active);
        active.retain(|&index| {
            let before = self.routers[index].inputs_wanting();
            for output in 0..PORTS {
                if let Some(input) = self.routers[index].grant(output, cycle) {
                    self.send(index, (input, output), cycle, observer, timing);
                }
            }
            let mut finished = before & !self.routers[index].inputs_wanting();
            while finished != 0 {
                self.leave(index, finished.trailing_zeros() as usize, cycle);
                finished &= finished - 1;
            }
            !self.routers[index].is_empty()
        });
        self.active = active;
    }

    /// Sends a copy of the head of an input out of an output.
    fn send<O: Observer>(
        &mut self,
        index: RouterIndex,
        (input, output): (usize, usize),
        cycle: u64,
        observer: &mut O,
        timing: &mut StepTiming,
    ) {
        let (router, usage) = (&mut self.routers[index], &mut self.usage[index]);
        let Some(&(route, tag)) = router.buffers[input].front() else { return };
        let Some(link) = router.link(output) else {
            timing.cycles = timing.cycles.max(cycle + 1);
            timing.ejected += 1;
            usage.ejected += 1;
            if O::OBSERVES {
                let endpoint = self.tables.endpoint(router.tile, 1 << output);
                observer.delivered(Delivery { cycle: cycle + 1, timeline: tag.timeline, flit: tag.flit, endpoint });
            }
            return;
        };
        let channel = usize::from(link.to_second >> input & 1);
        link.credits[channel] -= 1;
        link.ready = cycle + link.spacing;
        timing.hops += 1;
        timing.crossings += u64::from(link.crosses);
        usage.crossings += u64::from(link.crosses);
        let onward = if route.goal().is_some() { route } else { route.child(output, &self.tables.nodes) };
        let place = Place { port: link.behind.port + (channel * SECOND) as u8, ..link.behind };
        self.links.send_flit(cycle + link.flight, (place, onward, tag));
    }

    /// The head of an input, all its copies sent, makes room for the next.
    fn leave(&mut self, index: RouterIndex, input: usize, cycle: u64) {
        let router = &mut self.routers[index];
        router.buffers[input].pop_front();
        if let Some(&(route, _)) = router.buffers[input].front() {
            router.request(input, route);
        }
        let port = input % SECOND;
        if let Some(link) = router.link(port) {
            // The output at the other end of the link that leads here, of the same channel.
            let output = Place { port: link.behind.port + (input - port) as u8, ..link.behind };
            let arrival = cycle + link.flight;
            self.links.send_credit(arrival, output);
        } else if let Some(sender) = router.waiting[port].take() {
            let Offer { sender: at, refused, .. } = &self.senders[sender];
            let waited = cycle + 1 - refused;
            self.stalls[sender] += waited;
            if let Some(accounts) = &mut self.accounts {
                accounts.at(self.account).stall(at.destination() as usize, waited);
            }
            self.wheel.insert(sender, cycle + 1);
        }
    }
}
