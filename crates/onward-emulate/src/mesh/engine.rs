//! The cycles of a step. Only what can do something in a cycle is looked at: links whose flit or credit arrives,
//! senders that are due, routers with a flit. Cycles in which nothing can happen are skipped.
//!
//! In each cycle: first the links deliver, so that arbitration sees what became visible; then the senders offer, so
//! that they see the buffers as they are before anything leaves; then the routers arbitrate, and all they send arrives
//! in a later cycle. So the order in which routers or senders are visited within a cycle changes nothing.

use std::sync::Arc;

use onward_image::{Endpoint, Tile};

use super::flit::{PORTS, Route};
use super::general::General;
use super::links::{Links, Tag};
use super::router::{NONE, NOWHERE, Router, next_grant};
use super::tables::Tables;
use super::traffic::{Burst, Timeline};
use super::usage::{INPUTS, RouterUsage};
use super::wheel::Wheel;
use super::{Delivery, Observer, StepTiming, Traffic};

/// A mesh of routers, ready to time steps.
///
/// Routers come into being when they first see a flit: a large chip of which little is used costs little. A clone
/// shares the tables, and goes on counting from what its original has counted.
#[derive(Clone, Debug)]
pub struct Mesh {
    /// What is not the plain mesh this engine is made for has one of its own.
    pub(super) general: Option<Box<General>>,
    pub(super) tables: Arc<Tables>,
    /// Cycles from a grant to the flit being visible behind the link.
    pub(super) flight: u64,
    /// Routers in use, and by the same index their totals of the earlier steps.
    pub(super) routers: Vec<Router>,
    usage: Vec<RouterUsage>,
    /// By tile: its router's index in `routers`, or [`NONE`].
    router_of: Vec<u32>,
    buffers: Buffers,
    /// By place (see `Arrivals`): the sender that waits there for room.
    waiting: Vec<u32>,
    /// Routers that hold a flit in this cycle.
    active: Vec<u32>,
    /// Routers used in this step.
    pub(super) used: Vec<u32>,
    /// How many of them surely know their neighbours.
    met: usize,
    links: Links,
    pub(super) wheel: Wheel,
    due: Vec<u32>,
    pub(super) senders: Vec<Sender>,
    stalls: Vec<u64>,
    /// By destination: the sender's place it was last used from, and the most links to an endpoint.
    pub(super) distances: Vec<(u32, u32)>,
    /// Kept for its memory: where a walk along a route has still to go.
    pub(super) visits: Vec<Visit>,
}

/// Where a walk along a route is: router, input, route there, links behind it.
pub(super) type Visit = (u32, usize, Route, u32);

/// The flits in all input buffers, each a ring of a power of two of entries.
#[derive(Clone, Debug)]
struct Buffers {
    routes: Vec<Route>,
    /// Empty until somebody observes.
    tags: Vec<Tag>,
    /// Whether tags are kept.
    observed: bool,
    /// Entries of a buffer, as a power of two.
    size_log2: u32,
}

impl Buffers {
    /// Where the `count`-th flit of the input at `place` is kept.
    #[inline]
    fn entry(&self, place: u32, count: u32) -> usize {
        (place as usize) << self.size_log2 | (count & ((1 << self.size_log2) - 1)) as usize
    }
}

/// Where a sender is in its timeline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    /// Its input: router times 8 and port.
    pub(super) place: u32,
    /// The burst it is in, and the end of its bursts.
    pub(super) burst: u32,
    pub(super) end: u32,
    /// Packets of the burst not yet wholly sent, the one being sent included.
    packets: u32,
    /// The next flit's destination, and the range it is in.
    pub(super) destination: u32,
    first_destination: u32,
    end_destination: u32,
    /// Flits sent.
    pub(super) flits: u32,
    /// The cycle in which the flit on offer was first refused.
    pub(super) refused: u64,
}

impl Sender {
    /// At the start of its timeline.
    pub(super) fn new(place: u32, timeline: &Timeline) -> Sender {
        Sender {
            place,
            burst: timeline.first_burst,
            end: timeline.first_burst + timeline.bursts,
            packets: 0,
            destination: 0,
            first_destination: 0,
            end_destination: 0,
            flits: 0,
            refused: 0,
        }
    }

    /// Moves on to the first burst, from the present one on, that sends something. Returns the cycles of computing
    /// before its first flit, or before the tail if there is none.
    pub(super) fn find_burst(&mut self, bursts: &[Burst]) -> u64 {
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

impl Mesh {
    pub(super) fn with_tables(tables: Tables) -> Mesh {
        let flight = 1 + u64::from(tables.mesh.link_cycles);
        let size_log2 = tables.mesh.buffer_flits.next_power_of_two().trailing_zeros();
        let tables = Arc::new(tables);
        Mesh {
            general: (!tables.is_plain()).then(|| Box::new(General::new(Arc::clone(&tables)))),
            flight,
            routers: Vec::new(),
            usage: Vec::new(),
            router_of: vec![NONE; tables.mesh.tiles()],
            buffers: Buffers { routes: Vec::new(), tags: Vec::new(), observed: false, size_log2 },
            waiting: Vec::new(),
            active: Vec::new(),
            used: Vec::new(),
            met: 0,
            links: Links::new(flight),
            wheel: Wheel::default(),
            due: Vec::new(),
            senders: Vec::new(),
            stalls: Vec::new(),
            distances: Vec::new(),
            visits: Vec::new(),
            tables,
        }
    }

    /// By timeline of the last step: the cycles in which a flit was offered and not accepted. A sender is done after
    /// its gaps, one cycle a flit, its stalls and its tail.
    pub fn stalls(&self) -> &[u64] {
        self.general.as_ref().map_or(&self.stalls, |general| general.stalls())
    }

    /// What went through the routers since the mesh was made or [`clear_usage`](Self::clear_usage) was called, sorted
    /// by tile. Routers that never saw a flit are left out.
    pub fn usage(&self) -> Vec<RouterUsage> {
        let mut usage = self.general.as_ref().map_or(&self.usage, |general| general.usage()).clone();
        usage.retain(|router| router.entered != [0; INPUTS]);
        usage.sort_by_key(|router| router.tile);
        usage
    }

    /// Sets all totals to zero.
    pub fn clear_usage(&mut self) {
        if let Some(general) = &mut self.general {
            general.clear_usage();
        }
        for (usage, router) in self.usage.iter_mut().zip(&mut self.routers) {
            *usage = RouterUsage::new(usage.tile);
            router.highest_occupancy = [0; 8];
        }
    }

    /// Times one step and tells `observer` of each delivery.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    pub fn step_observed<O: Observer>(&mut self, traffic: &Traffic, observer: &mut O) -> StepTiming {
        if let Some(general) = &mut self.general {
            return general.step(traffic, observer);
        }
        if O::OBSERVES {
            self.buffers.observed = true;
            self.buffers.tags.resize(self.buffers.routes.len(), Tag::default());
        }
        let mut timing = StepTiming { cycles: self.start(traffic), ..StepTiming::default() };
        let mut cycle = 0;
        loop {
            if !O::OBSERVES && self.active.is_empty() && self.links.is_idle() {
                // What one sender does alone needs no stepping.
                let Some((index, due, horizon)) = self.wheel.first_two() else { break };
                if let Some(over) = self.run_alone(index, due, horizon, traffic) {
                    timing.cycles = timing.cycles.max(over);
                    continue;
                }
                cycle = due;
            }
            self.receive::<O>(cycle);
            self.offer(cycle, traffic, observer, &mut timing);
            if !self.active.is_empty() {
                self.arbitrate(cycle, observer);
                // The last grants of a step, and so those of its last busy cycle, go to endpoints.
                timing.cycles = timing.cycles.max(cycle + 1);
                if !self.active.is_empty() {
                    cycle += 1;
                    continue;
                }
            }
            let next = [self.wheel.next_after(cycle), self.links.next_after(cycle)].into_iter().flatten().min();
            match next {
                Some(next) => cycle = next,
                None => break,
            }
        }
        self.finish(&mut timing);
        timing
    }

    /// Sets up the senders. Returns the cycle by which those that send nothing are done.
    fn start(&mut self, traffic: &Traffic) -> u64 {
        self.senders.clear();
        self.stalls.clear();
        self.stalls.resize(traffic.timelines.len(), 0);
        self.wheel.reset(traffic.timelines.len());
        let mut done = 0;
        for (index, timeline) in traffic.timelines.iter().enumerate() {
            let place = self.place(timeline);
            let end = timeline.first_burst + timeline.bursts;
            let mut sender = Sender::new(place, timeline);
            self.tables.check_bursts(timeline, &traffic.bursts[timeline.first_burst as usize..end as usize]);
            let gap = sender.find_burst(&traffic.bursts);
            if sender.burst < end {
                self.wheel.insert(index as u32, gap);
            } else {
                done = done.max(gap + timeline.tail);
            }
            self.senders.push(sender);
        }
        done
    }

    /// The input an endpoint sends into.
    fn place(&mut self, timeline: &Timeline) -> u32 {
        let Some((tile, port)) = self.tables.attachment(timeline.endpoint) else {
            panic!("a timeline of {:?}, which the chip does not have", timeline.endpoint)
        };
        let router = self.router(tile);
        let place = router << 3 | port.trailing_zeros();
        let sends = &mut self.routers[router as usize].senders;
        assert!(*sends & port == 0, "two timelines of {:?}", timeline.endpoint);
        *sends |= port;
        self.mark_used(router);
        place
    }

    /// The index of a tile's router; brings it into being if need be.
    fn router(&mut self, tile: Tile) -> u32 {
        let known = self.router_of[tile.0 as usize];
        if known != NONE { known } else { self.add_router(tile) }
    }

    #[cold]
    fn add_router(&mut self, tile: Tile) -> u32 {
        let index = self.routers.len() as u32;
        let (x, y) = self.tables.coordinates(tile);
        let link_ports = (0..4).filter(|&port| self.tables.neighbour(tile, port).is_some()).map(|port| 1 << port).sum();
        self.routers.push(Router::new(x, y, link_ports, self.tables.mesh.buffer_flits as u8));
        self.usage.push(RouterUsage::new(tile));
        self.router_of[tile.0 as usize] = index;
        let places = self.routers.len() << 3;
        self.waiting.resize(places, NONE);
        self.buffers.routes.resize(places << self.buffers.size_log2, Route::default());
        if self.buffers.observed {
            self.buffers.tags.resize(self.buffers.routes.len(), Tag::default());
        }
        index
    }

    /// Notes that a router is used in this step.
    fn mark_used(&mut self, router: u32) {
        let state = &mut self.routers[router as usize];
        if !state.used {
            state.used = true;
            self.used.push(router);
        }
    }

    /// Makes the neighbours known of the routers that were not in use before: what holds a flit may forward it.
    #[inline]
    fn meet_neighbours(&mut self) {
        while let Some(&index) = self.used.get(self.met) {
            self.met += 1;
            if self.routers[index as usize].behind[0] == NONE {
                self.meet(index);
            }
        }
    }

    #[cold]
    pub(super) fn meet(&mut self, index: u32) {
        let tile = self.usage[index as usize].tile;
        for port in 0..8 {
            let neighbour = if port < 4 { self.tables.neighbour(tile, port) } else { None };
            self.routers[index as usize].behind[port] = match neighbour {
                Some(neighbour) => self.router(neighbour) << 3 | (port as u32 ^ 2),
                None => index << 3 | NOWHERE,
            };
        }
    }

    /// Takes the flits and credits that arrive in this cycle.
    #[inline]
    fn receive<O: Observer>(&mut self, cycle: u64) {
        let arrivals = self.links.at(cycle);
        for (index, &(place, route)) in arrivals.flits.iter().enumerate() {
            let router = &mut self.routers[(place >> 3) as usize];
            let input = (place & 7) as usize;
            let entry = self.buffers.entry(place, router.entered[input]);
            if O::OBSERVES {
                self.buffers.tags[entry] = arrivals.tags[index];
            }
            if router.is_empty() {
                self.active.push(place >> 3);
                if !router.used {
                    router.used = true;
                    self.used.push(place >> 3);
                }
            }
            router.enter(input, route);
            self.buffers.routes[entry] = route;
        }
        for &place in &arrivals.credits {
            self.routers[(place >> 3) as usize].return_credit((place & 7) as usize);
        }
        arrivals.clear();
        self.meet_neighbours();
    }

    /// Lets the senders that are due offer a flit.
    #[inline]
    fn offer<O: Observer>(&mut self, cycle: u64, traffic: &Traffic, observer: &mut O, timing: &mut StepTiming) {
        self.wheel.drain(cycle, &mut self.due);
        let arrivals = self.links.at(cycle + 1);
        for &index in &self.due {
            let sender = &mut self.senders[index as usize];
            let router = &mut self.routers[(sender.place >> 3) as usize];
            let input = sender.place & 7;
            if router.occupancy(input as usize) >= u32::from(self.tables.mesh.buffer_flits) {
                // It is looked at again when a flit leaves the buffer, see `wake`.
                sender.refused = cycle;
                router.senders_waiting |= 1 << input;
                self.waiting[sender.place as usize] = index;
                continue;
            }
            let route = self.tables.targets[sender.destination as usize].route.steered(router.x, router.y);
            arrivals.flits.push((sender.place, route));
            if O::OBSERVES {
                arrivals.tags.push(Tag { timeline: index, flit: sender.flits });
                observer.accepted(index, sender.flits, cycle);
            }
            let next = cycle + 1 + sender.advance(&traffic.bursts);
            if sender.burst < sender.end {
                self.wheel.insert(index, next);
            } else {
                let done = next + traffic.timelines[index as usize].tail;
                timing.cycles = timing.cycles.max(done);
            }
        }
    }

    /// Arbitrates the outputs of all routers that hold a flit, and sends what they grant.
    #[inline]
    fn arbitrate<O: Observer>(&mut self, cycle: u64, observer: &mut O) {
        // What leaves now, flits and credits alike, arrives in the same cycle.
        let sent = self.links.at(cycle + self.flight);
        let nodes = &self.tables.nodes[..];
        let mut still_active = 0;
        for position in 0..self.active.len() {
            let index = self.active[position];
            let router = &mut self.routers[index as usize];
            let mut grants = router.arbitrate();
            if O::OBSERVES && grants.ejected != 0 {
                let tile = self.usage[index as usize].tile;
                report(&self.tables, &self.buffers, (cycle, tile, index), router, grants.ejected, observer);
            }
            while let Some((output, input)) = next_grant(&mut grants.links) {
                router.use_credit(output);
                let route = router.heads[input & 7].forwarded(output, router.x, router.y, nodes);
                sent.flits.push((router.behind[output & 7], route));
                if O::OBSERVES {
                    let entry = self.buffers.entry(index << 3 | input as u32, router.left[input & 7]);
                    sent.tags.push(self.buffers.tags[entry]);
                }
            }
            while grants.finished != 0 {
                let input = grants.finished.trailing_zeros() as usize;
                grants.finished &= grants.finished - 1;
                let place = index << 3 | input as u32;
                let next = self.buffers.entry(place, router.left[input & 7] + 1);
                router.leave(input, self.buffers.routes[next]);
                sent.credits.push(router.behind[input & 7]);
                if router.senders_waiting >> input & 1 == 1 {
                    // There is room for the sender that waits here: its flit is accepted in the next cycle.
                    router.senders_waiting &= !(1 << input);
                    let sender = self.waiting[place as usize];
                    self.stalls[sender as usize] += cycle + 1 - self.senders[sender as usize].refused;
                    self.wheel.insert(sender, cycle + 1);
                }
            }
            self.active[still_active] = index;
            still_active += usize::from(!router.is_empty());
        }
        self.active.truncate(still_active);
    }

    /// The input an endpoint sends into: its router, and its port there.
    pub(super) fn place_of(&mut self, endpoint: Endpoint) -> u32 {
        let Some((tile, port)) = self.tables.attachment(endpoint) else {
            panic!("a sender {endpoint:?}, which the chip does not have")
        };
        self.router(tile) << 3 | port.trailing_zeros()
    }

    /// A place's router, as an index into those in use.
    pub(super) fn router_of_place(place: u32) -> u32 {
        place >> 3
    }

    /// A place's port.
    pub(super) fn port_of_place(place: u32) -> usize {
        (place & 7) as usize
    }

    /// The tile of a router in use.
    pub(super) fn tile_of_router(&self, router: u32) -> Tile {
        self.usage[router as usize].tile
    }

    /// Flits an input buffer holds.
    pub(super) fn buffer_flits(&self) -> usize {
        usize::from(self.tables.mesh.buffer_flits)
    }

    /// The route to a destination as it is at the place of a sender.
    pub(super) fn route_from(&self, place: u32, destination: u32) -> Route {
        let router = &self.routers[(place >> 3) as usize];
        self.tables.targets[destination as usize].route.steered(router.x, router.y)
    }

    /// What a flit does at a place: the ports it leaves by, and behind those that lead to another router the place and
    /// the route there.
    pub(super) fn branches(&mut self, place: u32, route: Route) -> Vec<(usize, Option<(u32, Route)>)> {
        let index = place >> 3;
        if self.routers[index as usize].behind[0] == NONE {
            self.meet(index);
        }
        let router = &self.routers[index as usize];
        let outputs = (0..PORTS).filter(|port| route.wanted() >> port & 1 == 1);
        let leads = |port: usize| {
            let onward = || route.forwarded(port, router.x, router.y, &self.tables.nodes);
            (router.link_ports >> port & 1 == 1).then(|| (router.behind[port], onward()))
        };
        outputs.map(|port| (port, leads(port))).collect()
    }

    /// Adds up what the routers counted, and makes them ready for the next step.
    fn finish(&mut self, timing: &mut StepTiming) {
        let buffer_flits = self.tables.mesh.buffer_flits as u8;
        self.met = 0;
        for index in self.used.drain(..) {
            let router = &mut self.routers[index as usize];
            let usage = &mut self.usage[index as usize];
            for input in 0..PORTS {
                let entered = u64::from(router.entered[input]);
                let from_link = router.link_ports >> input & 1 == 1;
                *(if from_link { &mut timing.hops } else { &mut timing.injected }) += entered;
                usage.entered[input] += entered;
                usage.highest_occupancy[input] = u16::from(router.highest_occupancy[input]);
            }
            timing.ejected += u64::from(router.ejected);
            usage.ejected += u64::from(router.ejected);
            router.reset(buffer_flits);
        }
    }
}

/// Tells the observer of the ejections granted in a cycle by the router of a tile.
#[cold]
fn report<O: Observer>(
    tables: &Tables,
    buffers: &Buffers,
    (cycle, tile, index): (u64, Tile, u32),
    router: &Router,
    mut ejected: u64,
    observer: &mut O,
) {
    while let Some((output, input)) = next_grant(&mut ejected) {
        let tag = buffers.tags[buffers.entry(index << 3 | input as u32, router.left[input])];
        let endpoint = tables.endpoint(tile, 1 << output);
        observer.delivered(Delivery { cycle: cycle + 1, timeline: tag.timeline, flit: tag.flit, endpoint });
    }
}
