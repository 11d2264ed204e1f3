//! The mesh in full: several cores a tile, tori, arrays of chips.
//!
//! The rules are those of `isa/router.md`, with all the parameters that the plain mesh does not have: routers of up to
//! eight ports, two virtual channels a link, links of different lengths. Cycle for cycle it does what the plain engine
//! does where both can, which is how it is tested too, in two to three times the host's time.

use std::collections::VecDeque;
use std::sync::Arc;

use onward_chip::Topology;
use onward_image::Tile;

use super::engine::Sender;
use super::flit::Route;
use super::links::{Links, Tag};
use super::tables::Tables;
use super::traffic::Timeline;
use super::usage::{INPUTS, RouterUsage};
use super::wheel::Wheel;
use super::{Delivery, Observer, StepTiming, Traffic};

/// Ports of a router: four to other routers, four for cores and host ports.
const PORTS: usize = 8;
/// Ports that links lead from.
const LINKS: usize = 4;
/// From an input of a link to that of its second channel.
const SECOND: usize = 8;
/// No router, no sender.
const NONE: u32 = u32::MAX;

/// A place is a router (index into those in use) times 16 and an input.
fn split(place: u32) -> (usize, usize) {
    ((place >> 4) as usize, (place & 15) as usize)
}

/// A link from a router.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// The place of the first channel behind it; [`NONE`] where none is.
    behind: u32,
    /// Inputs (a mask) whose flits go into the second channel.
    to_second: u16,
    /// Cycles from a grant to the flit being visible behind it, and from a flit leaving to its credit being usable.
    flight: u64,
    /// Cycles from a grant to the next.
    spacing: u64,
    /// Whether it leads to another chip.
    crosses: bool,
    /// The first cycle in which it can be granted again.
    ready: u64,
    /// Credits of its two channels.
    credits: [u16; 2],
}

impl Link {
    /// Those of the inputs that want it whose channel has a credit.
    fn open(&self, cycle: u64, wanting: u16) -> u16 {
        if self.ready > cycle {
            return 0;
        }
        let first = if self.credits[0] > 0 { !self.to_second } else { 0 };
        let second = if self.credits[1] > 0 { self.to_second } else { 0 };
        wanting & (first | second)
    }
}

/// A router in use.
#[derive(Clone, Debug)]
struct Router {
    tile: Tile,
    /// Column and row.
    at: (u16, u16),
    /// By output, the inputs (a mask) whose head still wants it.
    wanting: [u16; PORTS],
    /// By output, the input that has the highest priority.
    pointers: [u8; PORTS],
    links: [Link; LINKS],
    buffers: [VecDeque<(Route, Tag)>; INPUTS],
    /// By input, the sender that waits there for room.
    waiting: [u32; PORTS],
    /// Inputs (a mask) into which an endpoint sends in this step.
    senders: u16,
    /// Whether its links know what is behind them.
    met: bool,
    /// Whether it was used in this step.
    used: bool,
}

impl Router {
    fn reset(&mut self, buffer_flits: u16) {
        self.pointers = [0; PORTS];
        for link in &mut self.links {
            link.ready = 0;
            link.credits = [buffer_flits; 2];
        }
        self.senders = 0;
        self.used = false;
    }

    fn is_empty(&self) -> bool {
        self.wanting == [0; PORTS]
    }

    /// Asks for the outputs that a new head wants.
    fn request(&mut self, input: usize, head: Route) {
        debug_assert!(head.wanted() != 0);
        for (output, wanting) in self.wanting.iter_mut().enumerate() {
            *wanting |= ((head.wanted() >> output & 1) as u16) << input;
        }
    }

    /// The inputs whose head wants something.
    fn inputs_wanting(&self) -> u16 {
        self.wanting.iter().fold(0, |all, wanting| all | wanting)
    }

    /// Grants an output, by round robin, to one of the inputs that may have it.
    fn grant(&mut self, output: usize, cycle: u64) -> Option<usize> {
        let wanting = self.wanting[output];
        let open = match self.links.get(output) {
            Some(link) if link.behind != NONE => link.open(cycle, wanting),
            _ => wanting,
        };
        if open == 0 {
            return None;
        }
        let pointer = self.pointers[output];
        let from_pointer = open >> pointer << pointer;
        let input = if from_pointer != 0 { from_pointer } else { open }.trailing_zeros() as usize;
        self.pointers[output] = ((input + 1) % INPUTS) as u8;
        self.wanting[output] &= !(1 << input);
        Some(input)
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct General {
    tables: Arc<Tables>,
    routers: Vec<Router>,
    usage: Vec<RouterUsage>,
    /// By tile: its router's index in `routers`, or [`NONE`].
    router_of: Vec<u32>,
    /// Routers that hold a flit in this cycle.
    active: Vec<u32>,
    /// Routers used in this step.
    used: Vec<u32>,
    links: Links,
    /// Flits and credits on the links.
    flying: usize,
    wheel: Wheel,
    due: Vec<u32>,
    senders: Vec<Sender>,
    stalls: Vec<u64>,
}

impl General {
    pub(super) fn new(tables: Arc<Tables>) -> General {
        General {
            routers: Vec::new(),
            usage: Vec::new(),
            router_of: vec![NONE; tables.mesh.tiles()],
            active: Vec::new(),
            used: Vec::new(),
            links: Links::new(1 + u64::from(tables.mesh.longest_link())),
            flying: 0,
            wheel: Wheel::default(),
            due: Vec::new(),
            senders: Vec::new(),
            stalls: Vec::new(),
            tables,
        }
    }

    pub(super) fn stalls(&self) -> &Vec<u64> {
        &self.stalls
    }

    pub(super) fn usage(&self) -> &Vec<RouterUsage> {
        &self.usage
    }

    pub(super) fn clear_usage(&mut self) {
        for usage in &mut self.usage {
            *usage = RouterUsage::new(usage.tile);
        }
    }

    /// Times one step.
    pub(super) fn step<O: Observer>(&mut self, traffic: &Traffic, observer: &mut O) -> StepTiming {
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
            let arrival = if self.flying > 0 { self.links.next_after(cycle) } else { None };
            match [self.wheel.next_after(cycle), arrival].into_iter().flatten().min() {
                Some(next) => cycle = next,
                None => break,
            }
        }
        for index in self.used.drain(..) {
            self.routers[index as usize].reset(self.tables.mesh.buffer_flits);
        }
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
            let mut sender = Sender::new(self.place(timeline), timeline);
            self.tables.check_bursts(timeline, &traffic.bursts[sender.burst as usize..sender.end as usize]);
            let gap = sender.find_burst(&traffic.bursts);
            if sender.burst < sender.end {
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
        let index = self.router(tile);
        self.mark_used(index);
        let router = &mut self.routers[index as usize];
        assert!(router.senders & u16::from(port) == 0, "two timelines of {:?}", timeline.endpoint);
        router.senders |= u16::from(port);
        index << 4 | port.trailing_zeros()
    }

    /// The index of a tile's router; brings it into being if need be.
    fn router(&mut self, tile: Tile) -> u32 {
        let known = self.router_of[tile.0 as usize];
        if known != NONE {
            return known;
        }
        let mesh = &self.tables.mesh;
        let index = self.routers.len() as u32;
        let mut router = Router {
            tile,
            at: mesh.coordinates(tile.0),
            wanting: [0; PORTS],
            pointers: [0; PORTS],
            links: [Link { behind: NONE, ..Link::default() }; LINKS],
            buffers: std::array::from_fn(|_| VecDeque::new()),
            waiting: [NONE; PORTS],
            senders: 0,
            met: false,
            used: false,
        };
        router.reset(mesh.buffer_flits);
        self.routers.push(router);
        self.usage.push(RouterUsage::new(tile));
        self.router_of[tile.0 as usize] = index;
        index
    }

    /// Notes that a router is used in this step. What is used may forward flits: its links are made known.
    fn mark_used(&mut self, index: u32) {
        let router = &mut self.routers[index as usize];
        if router.used {
            return;
        }
        router.used = true;
        self.used.push(index);
        if !std::mem::replace(&mut router.met, true) {
            let tile = router.tile;
            for direction in 0..LINKS {
                self.meet(index, tile, direction);
            }
        }
    }

    fn meet(&mut self, index: u32, tile: Tile, direction: usize) {
        let Some(neighbour) = self.tables.neighbour(tile, direction) else { return };
        let behind = self.router(neighbour) << 4 | (direction as u32 ^ 2);
        let mesh = &self.tables.mesh;
        let (link_cycles, cycles_per_flit) = mesh.link(tile.0, direction);
        let onward = 1 << (SECOND + (direction ^ 2));
        let to_second = match mesh.topology {
            Topology::Mesh => 0,
            Topology::Torus if mesh.crosses_dateline(tile.0, direction) => u16::MAX,
            // What goes on in the same direction stays in its channel; what turns, or comes in, begins in the first.
            Topology::Torus => onward,
        };
        let link = &mut self.routers[index as usize].links[direction];
        link.behind = behind;
        link.to_second = to_second;
        link.flight = 1 + u64::from(link_cycles);
        link.spacing = cycles_per_flit.into();
        link.crosses = mesh.leaves_chip(tile.0, direction);
    }

    /// The route as the router at `at` sees it.
    fn steered(tables: &Tables, route: Route, at: (u16, u16)) -> Route {
        let Some((x, y, port)) = route.goal() else { return route };
        let direction = tables.mesh.direction_between(at, (x.into(), y.into()));
        route.wanting(direction.map_or(port, |direction| direction as u32))
    }

    /// Takes the flits and credits that arrive in this cycle.
    fn receive(&mut self, cycle: u64) {
        let arrivals = std::mem::take(self.links.at(cycle));
        self.flying -= arrivals.flits.len() + arrivals.credits.len();
        for (&(place, route), &tag) in arrivals.flits.iter().zip(&arrivals.tags) {
            let (index, input) = split(place);
            self.mark_used(index as u32);
            let router = &mut self.routers[index];
            let route = Self::steered(&self.tables, route, router.at);
            if router.is_empty() {
                self.active.push(index as u32);
            }
            router.buffers[input].push_back((route, tag));
            let occupancy = router.buffers[input].len();
            if occupancy == 1 {
                router.request(input, route);
            }
            let usage = &mut self.usage[index];
            usage.entered[input] += 1;
            usage.highest_occupancy[input] = usage.highest_occupancy[input].max(occupancy as u16);
        }
        for &place in &arrivals.credits {
            let (index, output) = split(place);
            self.routers[index].links[output % SECOND].credits[output / SECOND] += 1;
        }
        let kept = self.links.at(cycle);
        *kept = arrivals;
        kept.clear();
    }

    /// Lets the senders that are due offer a flit.
    fn offer<O: Observer>(&mut self, cycle: u64, traffic: &Traffic, observer: &mut O, timing: &mut StepTiming) {
        self.wheel.drain(cycle, &mut self.due);
        let arrivals = self.links.at(cycle + 1);
        for &index in &self.due {
            let sender = &mut self.senders[index as usize];
            let (router, input) = split(sender.place);
            let router = &mut self.routers[router];
            if router.buffers[input].len() >= usize::from(self.tables.mesh.buffer_flits) {
                // It is looked at again when a flit leaves the buffer.
                sender.refused = cycle;
                router.waiting[input] = index;
                continue;
            }
            arrivals.flits.push((sender.place, self.tables.targets[sender.destination as usize].route));
            arrivals.tags.push(Tag { timeline: index, flit: sender.flits });
            if O::OBSERVES {
                observer.accepted(index, sender.flits, cycle);
            }
            self.flying += 1;
            timing.injected += 1;
            let next = cycle + 1 + sender.advance(&traffic.bursts);
            if sender.burst < sender.end {
                self.wheel.insert(index, next);
            } else {
                timing.cycles = timing.cycles.max(next + traffic.timelines[index as usize].tail);
            }
        }
    }

    /// Arbitrates the outputs of all routers that hold a flit, and sends what they grant.
    fn arbitrate<O: Observer>(&mut self, cycle: u64, observer: &mut O, timing: &mut StepTiming) {
        let mut active = std::mem::take(&mut self.active);
        active.retain(|&index| {
            let before = self.routers[index as usize].inputs_wanting();
            for output in 0..PORTS {
                if let Some(input) = self.routers[index as usize].grant(output, cycle) {
                    self.send(index as usize, (input, output), cycle, observer, timing);
                }
            }
            let mut finished = before & !self.routers[index as usize].inputs_wanting();
            while finished != 0 {
                self.leave(index as usize, finished.trailing_zeros() as usize, cycle);
                finished &= finished - 1;
            }
            !self.routers[index as usize].is_empty()
        });
        self.active = active;
    }

    /// Sends a copy of the head of an input out of an output.
    fn send<O: Observer>(
        &mut self,
        index: usize,
        (input, output): (usize, usize),
        cycle: u64,
        observer: &mut O,
        timing: &mut StepTiming,
    ) {
        let (router, usage) = (&mut self.routers[index], &mut self.usage[index]);
        let Some(&(route, tag)) = router.buffers[input].front() else { return };
        let link = match router.links.get_mut(output) {
            Some(link) if link.behind != NONE => link,
            _ => {
                timing.cycles = timing.cycles.max(cycle + 1);
                timing.ejected += 1;
                usage.ejected += 1;
                if O::OBSERVES {
                    let endpoint = self.tables.endpoint(router.tile, 1 << output);
                    observer.delivered(Delivery { cycle: cycle + 1, timeline: tag.timeline, flit: tag.flit, endpoint });
                }
                return;
            }
        };
        let channel = usize::from(link.to_second >> input & 1);
        link.credits[channel] -= 1;
        link.ready = cycle + link.spacing;
        timing.hops += 1;
        timing.crossings += u64::from(link.crosses);
        usage.crossings += u64::from(link.crosses);
        let route = if route.goal().is_some() { route } else { route.child(output, &self.tables.nodes) };
        let arrivals = self.links.at(cycle + link.flight);
        arrivals.flits.push((link.behind + (channel * SECOND) as u32, route));
        arrivals.tags.push(tag);
        self.flying += 1;
    }

    /// The head of an input, all its copies sent, makes room for the next.
    fn leave(&mut self, index: usize, input: usize, cycle: u64) {
        let router = &mut self.routers[index];
        router.buffers[input].pop_front();
        if let Some(&(route, _)) = router.buffers[input].front() {
            router.request(input, route);
        }
        let port = input % SECOND;
        match router.links.get(port) {
            Some(link) if link.behind != NONE => {
                // The output at the other end of the link that leads here, of the same channel.
                let output = link.behind + (input - port) as u32;
                self.links.at(cycle + link.flight).credits.push(output);
                self.flying += 1;
            }
            _ => {
                let sender = std::mem::replace(&mut router.waiting[port], NONE);
                if sender != NONE {
                    self.stalls[sender as usize] += cycle + 1 - self.senders[sender as usize].refused;
                    self.wheel.insert(sender, cycle + 1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::Mesh;
    use onward_image::{Core, Destination, Endpoint, TreeIndex, dimension_order_tree};

    /// On a plain mesh both engines do the same.
    #[test]
    fn a_plain_mesh_takes_the_same_cycles_in_both_engines() {
        for (buffer_flits, link_cycles) in [(1, 0), (2, 1), (3, 0), (4, 2)] {
            let shape = onward_chip::Mesh { buffer_flits, link_cycles, ..onward_chip::Mesh::of(5, 4) };
            let core = |number: u32| Endpoint::Core(Core(number % 20));
            let tree = |from: u32| {
                let ends: Vec<_> = (0..5).map(|end| core(from * 3 + end * 7 + 1)).collect();
                dimension_order_tree(&shape, &[], core(from), &ends)
            };
            let trees: Vec<_> = (0..20).map(tree).collect();
            let mut destinations: Vec<_> = (0..20).map(|tree| Destination::Multicast(TreeIndex(tree))).collect();
            destinations.extend((0..20).map(|end| Destination::Unicast(core(end))));
            let mut traffic = Traffic::default();
            for from in 0..20 {
                for burst in 0..6 {
                    traffic.burst(u64::from(from * burst % 5), 1 + burst % 3, from..from + 1);
                    let to = 20 + (from * 7 + burst * 3) % 18;
                    traffic.burst(u64::from(burst), 2, to..to + 2);
                }
                traffic.finish(core(from), u64::from(from));
            }
            let mut plain = Mesh::new(&shape, &[], &trees, &destinations).expect("sound");
            let mut full = plain.clone();
            full.general = Some(Box::new(General::new(Arc::clone(&plain.tables))));
            for _ in 0..2 {
                let (mut in_plain, mut in_full) = (Vec::new(), Vec::new());
                let timing = plain.step_observed(&traffic, &mut in_plain);
                assert_eq!(full.step_observed(&traffic, &mut in_full), timing);
                in_plain.sort();
                in_full.sort();
                assert_eq!(in_full, in_plain);
                assert_eq!((full.stalls(), full.usage()), (plain.stalls(), plain.usage()));
            }
        }
    }
}
