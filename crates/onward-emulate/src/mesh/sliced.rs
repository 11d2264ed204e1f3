//! Many steps timed at once: a mesh as the circuit it is, with a bit a step.
//!
//! A step is a function of its traffic alone, so steps can be timed side by side. Here each signal of the routers ("this
//! entry of the buffer is full", "this output is granted to that input") is a [`Word`] that holds it for [`LANES`] steps,
//! and a cycle of the mesh is a pass over the circuit with a few logical operations a signal: what one step would cost
//! alone, hundreds share. Only what the image's routes use is there ([`Circuit`]): most outputs have one or two inputs to
//! choose from, most buffers one or two classes of flits.
//!
//! Each lane has a clock of its own. When nothing moves in a lane's mesh its clock goes on to the cycle in which the next
//! sender is due; when its step is over, the lane takes the next step. So all lanes are busy nearly all the time, however
//! long a step computes between its packets.
//!
//! The rules are those of `isa/router.md`, and the same as [`Mesh::step`]'s, which times steps one by one: the tests
//! hold one against the other, and both against a plain model.

mod circuit;
mod lane;
mod network;
mod ways;
mod word;

use super::engine::Mesh;
use super::senders::{Accounts, Finished};
use super::usage::RouterUsage;
use super::{StepTiming, Traffic};
use crate::host_simd::{Simd, compiled_for_host};
use circuit::{BufferIndex, Circuit, NodeIndex, SenderIndex};
use lane::{Clock, Lane, Start};
use network::Network;
use onward_image::Endpoint;
use std::ops::Range;
use typed_index_collections::TiVec;
use word::Word;

pub(crate) use word::LANES;

/// Bits of the counter of a burst; a longer one is sent in parts.
const COUNTER_BITS: usize = 10;
/// Flits the counter can count.
const MOST_FLITS: u32 = 1 << COUNTER_BITS;

/// A sender, in all lanes.
#[derive(Clone, Debug)]
struct Port {
    buffer: BufferIndex,
    /// Lanes in which it offers a flit.
    offers: Word,
    /// Whether it is in the list of those that offer.
    listed: bool,
    /// Flits that follow the one on offer, bit by bit.
    left: [Word; COUNTER_BITS],
    /// Class of what it offers, bit by bit.
    class: Vec<Word>,
}

/// Is asked for the traffic of a step.
type Fill<'a> = &'a mut dyn FnMut(usize, &mut Traffic);

/// Is told of a step that is over.
type Done<'a> = &'a mut dyn FnMut(Ended);

/// A step that is over.
pub(crate) struct Ended<'a> {
    /// Its number.
    pub step: usize,
    /// Its cycles, as [`StepTiming::cycles`].
    pub cycles: u64,
    /// Its senders, in no particular order; only where an account is kept.
    pub finished: &'a [Finished],
    /// What was sent in it.
    pub traffic: &'a Traffic,
}

/// What was sent to a destination.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    flits: u64,
}

/// Times many steps at once; see the module.
#[derive(Clone, Debug)]
pub struct Sliced {
    circuit: std::sync::Arc<Circuit>,
    network: Network,
    ports: TiVec<SenderIndex, Port>,
    /// Senders that offer a flit in any lane.
    offering: Vec<SenderIndex>,
    /// Sender by core, and by host port.
    cores: Vec<Option<SenderIndex>>,
    hosts: Vec<Option<SenderIndex>>,
    lanes: Vec<Lane>,
    clock: Clock,
    sent: Vec<Sent>,
    stalls: u64,
    /// What senders did with their cycles, where that is asked for.
    accounts: Option<Accounts>,
}

/// What went through the mesh in the steps that were timed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlicedTotals {
    /// Hops, crossings, flits sent and taken; `cycles` is 0 here, each step has its own.
    pub traffic: StepTiming,
    /// Cycles senders waited for room.
    pub stalls: u64,
}

impl Sliced {
    /// A circuit for the senders, each with the destinations it uses, of a mesh of any shape; `None` where stepping is
    /// faster: where flits of very many kinds pass one buffer.
    ///
    /// # Panics
    /// When an endpoint does not exist or a destination is used by two senders.
    pub fn new(mesh: &Mesh, uses: &[(Endpoint, Vec<Range<u32>>)]) -> Option<Sliced> {
        let circuit = Circuit::new(&mesh.tables, uses)?;
        let network = Network::new(&circuit, usize::from(mesh.tables.mesh.buffer_flits));
        let (mut cores, mut hosts) = (Vec::new(), Vec::new());
        for (number, sender) in circuit.senders.iter_enumerated() {
            let (list, at) = match sender.endpoint {
                Endpoint::Core(core) => (&mut cores, core.0 as usize),
                Endpoint::Host(port) => (&mut hosts, usize::from(port)),
            };
            if list.len() <= at {
                list.resize(at + 1, None);
            }
            list[at] = Some(number);
        }
        let port = |sender: &circuit::Sender| Port {
            buffer: sender.buffer,
            offers: Word::NONE,
            listed: false,
            left: [Word::NONE; COUNTER_BITS],
            class: vec![Word::NONE; circuit.buffers[sender.buffer].bits],
        };
        Some(Sliced {
            ports: circuit.senders.iter().map(port).collect(),
            offering: Vec::new(),
            cores,
            hosts,
            lanes: vec![Lane::default(); LANES],
            clock: Clock::default(),
            sent: vec![Sent::default(); circuit.paths.len()],
            stalls: 0,
            accounts: None,
            network,
            circuit: std::sync::Arc::new(circuit),
        })
    }

    /// Times `steps` steps: `traffic` is asked for that of each, `done` is told the cycles of each, as
    /// [`StepTiming::cycles`]; in no particular order.
    ///
    /// # Panics
    /// When a step has a timeline or a destination that was not announced.
    pub fn time(&mut self, steps: usize, traffic: Fill, done: &mut dyn FnMut(usize, u64)) {
        self.time_telling(steps, traffic, &mut |ended| done(ended.step, ended.cycles));
    }

    /// The same, where `done` is told more of each step.
    pub(crate) fn time_telling(&mut self, steps: usize, traffic: Fill, done: Done) {
        run(Simd::detect(), self, steps, traffic, done);
    }

    /// Sums since it was made or [`clear`](Self::clear) was called.
    pub fn totals(&self) -> SlicedTotals {
        let mut totals = SlicedTotals { stalls: self.stalls, ..SlicedTotals::default() };
        for (sent, path) in self.sent.iter().zip(&self.circuit.paths) {
            totals.traffic.injected += sent.flits;
            totals.traffic.hops += sent.flits * path.hops;
            totals.traffic.crossings += sent.flits * path.crossings;
            totals.traffic.ejected += sent.flits * path.ejected;
        }
        totals
    }

    /// What went through the routers, sorted by tile; as [`Mesh::usage`].
    pub fn usage(&self) -> Vec<RouterUsage> {
        let mut usage: TiVec<NodeIndex, RouterUsage> =
            self.circuit.routers.iter().map(|router| RouterUsage::new(router.tile)).collect();
        for (sent, path) in self.sent.iter().zip(&self.circuit.paths) {
            for &buffer in &path.buffers {
                let buffer = &self.circuit.buffers[buffer];
                usage[buffer.router].entered[buffer.input] += sent.flits;
            }
            for leaving in &path.leavings {
                usage[leaving.router].ejected += sent.flits * leaving.ejected;
                usage[leaving.router].crossings += sent.flits * leaving.crossings;
            }
        }
        for (number, buffer) in self.circuit.buffers.iter_enumerated() {
            usage[buffer.router].highest_occupancy[buffer.input] = self.network.highest_occupancy(number);
        }
        usage.retain(|router| router.entered.iter().any(|&entered| entered > 0));
        usage.raw
    }

    /// From here on keeps what senders do with their cycles; forgets what was kept.
    pub fn keep_account(&mut self) {
        self.accounts = Some(Accounts::default());
        self.lanes.iter_mut().for_each(|lane| lane.keeps_account = true);
    }

    /// What senders did with their cycles since [`keep_account`](Self::keep_account); `None` where that was not asked for.
    pub fn accounts(&self) -> Option<&Accounts> {
        self.accounts.as_ref()
    }

    /// Sets all sums to zero, but what senders did with their cycles.
    pub fn clear(&mut self) {
        self.sent.fill(Sent::default());
        self.stalls = 0;
        self.network.clear_occupancy();
    }

    #[inline(always)]
    fn run(&mut self, steps: usize, traffic: Fill, done: Done) {
        let mut next_step = 0;
        self.clock = Clock::default();
        // Lanes that work on a step.
        let mut working = 0;
        for lane in 0..LANES.min(steps) {
            working += usize::from(self.load(lane, &mut next_step, steps, traffic, done));
        }
        while working > 0 {
            self.wake();
            self.network.receive();
            self.offer();
            let offers = self.offering.iter().fold(Word::NONE, |all, &port| all | self.ports[port].offers);
            let idle = self.network.arbitrate(offers);
            let tick = self.clock.tick;
            for lane in idle.came_to_rest.lanes() {
                let lane = &mut self.lanes[lane];
                lane.over = lane.over.max(lane.local(tick) + 1);
            }
            self.clock.tick += 1;
            let mut over = Word::NONE;
            for lane in idle.settled.lanes() {
                if self.lanes[lane].is_done() {
                    over.set(lane);
                    self.finish(lane, done);
                    working -= 1;
                    working += usize::from(self.load(lane, &mut next_step, steps, traffic, done));
                } else {
                    // Nothing happens until the next sender is due: let it be now.
                    self.lanes[lane].skip(&mut self.clock, lane);
                }
            }
            if over.any() {
                self.network.restart(over);
            }
        }
    }

    /// Gives a lane its next step that has packets. Returns whether there was one.
    fn load(&mut self, at: usize, next_step: &mut usize, steps: usize, traffic: Fill, done: Done) -> bool {
        while *next_step < steps {
            let step = *next_step;
            *next_step += 1;
            let lane = &mut self.lanes[at];
            traffic(step, &mut lane.traffic);
            let (cores, hosts) = (&self.cores, &self.hosts);
            let sender_of = |endpoint| {
                let found = match endpoint {
                    Endpoint::Core(core) => cores.get(core.0 as usize),
                    Endpoint::Host(port) => hosts.get(usize::from(port)),
                };
                found.copied().flatten()
            };
            lane.begin(step, self.clock.tick, &sender_of);
            if !lane.is_done() {
                lane.skip(&mut self.clock, at);
                return true;
            }
            self.finish(at, done);
        }
        false
    }

    /// Tells of a lane's step that is over.
    fn finish(&mut self, at: usize, done: Done) {
        let lane = &self.lanes[at];
        if let Some(accounts) = &mut self.accounts {
            accounts.at(lane.traffic.account()).step(&lane.finished, lane.over);
        }
        let Lane { step, over: cycles, ref finished, ref traffic, .. } = *lane;
        done(Ended { step, cycles, finished, traffic });
    }

    /// Starts the bursts that are due.
    fn wake(&mut self) {
        let due = self.clock.take_due();
        for &at in &due {
            let at = usize::from(at);
            let lane = &mut self.lanes[at];
            while let Some(start) = lane.next_due(self.clock.tick) {
                let port = &mut self.ports[start.sender];
                begin_burst(port, &self.circuit, &mut self.sent, at, &start);
                if !std::mem::replace(&mut port.listed, true) {
                    self.offering.push(start.sender);
                }
            }
            lane.schedule(&mut self.clock, at);
        }
        self.clock.give_back(due);
    }

    /// Lets every sender offer its flit.
    #[inline(always)]
    fn offer(&mut self) {
        let mut at = 0;
        while let Some(&number) = self.offering.get(at) {
            let port = &mut self.ports[number];
            if !port.offers.any() {
                port.listed = false;
                self.offering.swap_remove(at);
                continue;
            }
            at += 1;
            let refused = port.offers & self.network.full(port.buffer);
            let accepted = port.offers & !refused;
            self.stalls += refused.count();
            self.network.enter(port.buffer, accepted, &port.class);
            let more = port.left.iter().fold(Word::NONE, |any, &bit| any | bit);
            let last = accepted & !more;
            let mut borrow = accepted & more;
            for bit in &mut port.left {
                if !borrow.any() {
                    break;
                }
                let before = *bit;
                *bit = (before & !borrow) | (!before & borrow);
                borrow &= !before;
            }
            if last.any() {
                self.advance(number, last);
            }
        }
    }

    /// The last flit of a sender's burst was accepted in some lanes: what comes next.
    fn advance(&mut self, number: SenderIndex, lanes: Word) {
        let tick = self.clock.tick;
        for at in lanes.lanes() {
            let lane = &mut self.lanes[at];
            if let Some(accounts) = &mut self.accounts {
                let (destination, waited) = lane.accepted(number, tick);
                if waited > 0 {
                    accounts.at(lane.traffic.account()).stall(destination as usize, waited);
                }
            }
            match lane.advance(number, tick) {
                Some(start) => {
                    begin_burst(&mut self.ports[number], &self.circuit, &mut self.sent, at, &start);
                }
                None => {
                    self.ports[number].offers.clear(at);
                    lane.schedule(&mut self.clock, at);
                }
            }
        }
    }
}

/// Puts a burst on offer in a lane.
#[inline(always)]
fn begin_burst(port: &mut Port, circuit: &Circuit, sent: &mut [Sent], lane: usize, start: &Start) {
    let path = &circuit.paths[start.destination as usize];
    assert!(path.sender == Some(start.sender), "a sender uses a destination that is not its own");
    sent[start.destination as usize].flits += u64::from(start.flits);
    port.offers.set(lane);
    for (bit, word) in port.left.iter_mut().enumerate() {
        word.assign(lane, (start.flits - 1) >> bit & 1 == 1);
    }
    for (bit, word) in port.class.iter_mut().enumerate() {
        word.assign(lane, path.class >> bit & 1 == 1);
    }
}

compiled_for_host! {
    fn run(sliced: &mut Sliced, steps: usize, traffic: Fill, done: Done) {
        sliced.run(steps, traffic, done);
    }
}
