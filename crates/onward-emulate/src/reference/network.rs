//! Where packets go, and how long a step takes.

use super::core::{Block, Trace};
use super::watch::Observed;
use crate::mesh::{Mesh, MeshError, StepTiming, Traffic};
use crate::{Detail, PacketSource, SenderStep, StepLog, StepRecord, TimingTotals, Window};
use onward_image::{BlockIndex, Core, Delivery, Destination, Endpoint, Image, Route};
use std::collections::BTreeMap;
use std::ops::Range;
use typed_index_collections::{TiSlice, TiVec};

/// Puts a packet into the active set of each of its takers (rules S3, E4); returns how many of them are the host.
pub(super) fn deliver(route: &Route, index: u32, payload: i32, blocks: &mut TiSlice<BlockIndex, Block>) -> usize {
    let mut to_host = 0;
    for delivery in route.flits.iter().flat_map(|flit| &flit.deliveries) {
        match *delivery {
            Delivery::Host => to_host += 1,
            Delivery::Block { block, first_axon } => {
                blocks[block].next[(first_axon + index) as usize] = Some(payload);
            }
        }
    }
    to_host
}

/// The mesh and the time so far.
pub(super) struct Timing {
    mesh: Mesh,
    /// For each host input, and for each block and route, its destinations.
    host_routes: Vec<Range<u32>>,
    block_routes: TiVec<BlockIndex, Vec<Range<u32>>>,
    host: Endpoint,
    barrier: u64,
    pub totals: TimingTotals,
    /// Who is told of each step.
    pub log: Option<Box<dyn StepLog>>,
    /// Whether steps are seen cycle by cycle, and what was seen of the last one.
    pub observes: bool,
    pub observed: Observed,
}

impl Timing {
    pub fn new(image: &Image) -> Result<Timing, MeshError> {
        let mut destinations: Vec<Destination> = Vec::new();
        let mut range = |route: &Route| {
            let first = destinations.len() as u32;
            destinations.extend(route.flits.iter().map(|flit| flit.destination));
            first..destinations.len() as u32
        };
        let host_routes = image.host_inputs.iter().map(|input| range(&input.route)).collect();
        let block_routes = image.blocks.iter().map(|block| block.routes.iter().map(&mut range).collect()).collect();
        Ok(Timing {
            mesh: Mesh::new(&image.chip.mesh, &image.chip.host.ports, image.trees.as_ref(), &destinations)?,
            host_routes,
            block_routes,
            host: Endpoint::Host(image.host_port),
            barrier: u64::from(image.chip.barrier_cycles),
            totals: TimingTotals::default(),
            log: None,
            observes: false,
            observed: Observed::default(),
        })
    }

    /// From here on keeps what senders do with their cycles.
    pub fn keep_account(&mut self) {
        self.mesh.keep_account();
    }

    /// Tells what cores and host did with their cycles.
    pub fn tell(&self, detail: &mut Detail) {
        if let Some(accounts) = self.mesh.accounts() {
            detail.keep_time(accounts, (self.barrier, self.host), &self.host_routes, &self.block_routes);
        }
    }

    /// Adds a step: for each host input its packets and the window that the host shows, for each block that ran its number and
    /// trace, by number.
    pub fn add_step(
        &mut self,
        (host_packets, window): (&[usize], Window),
        blocks: &TiSlice<BlockIndex, Block>,
        traces: &[(BlockIndex, Trace)],
    ) {
        let mut traffic = Traffic::default();
        traffic.set_account(window as u8);
        for (route, &packets) in self.host_routes.iter().zip(host_packets) {
            traffic.burst(0, packets as u32, route.clone()); // rule R2
        }
        traffic.finish(self.host, 0);
        // Of each timeline who it is, and for how many cycles it computes and sends.
        let sent = |packets: usize, route: &Range<u32>| (packets * route.len()) as u64;
        let host_flits = self.host_routes.iter().zip(host_packets).map(|(route, &packets)| sent(packets, route)).sum();
        let mut senders = vec![(self.host, 0, host_flits)];
        let mut observed = Observed::default();
        observed.timelines.push((self.host, Vec::new(), 0));
        let mut cores: BTreeMap<u32, Vec<&(BlockIndex, Trace)>> = BTreeMap::new();
        for trace in traces {
            cores.entry(blocks[trace.0].core).or_default().push(trace);
        }
        for (core, traces) in cores {
            // One block after the other (rule E2): what one computes last comes before what the next sends first.
            let (mut computed, mut all, mut flits) = (0, 0, 0);
            let mut before_flits = Vec::new();
            for (number, trace) in traces {
                for send in &trace.sends {
                    let destinations = self.block_routes[*number][send.route].clone();
                    flits += sent(send.packets.len(), &destinations);
                    all += send.gap;
                    if self.observes {
                        before_flits.extend(std::iter::repeat_n(all, send.packets.len() * destinations.len()));
                    }
                    traffic.burst(computed + send.gap, send.packets.len() as u32, destinations);
                    computed = 0;
                }
                computed += trace.tail;
                all += trace.tail;
            }
            senders.push((Endpoint::Core(Core(core)), all, flits));
            observed.timelines.push((Endpoint::Core(Core(core)), before_flits, all));
            traffic.finish(Endpoint::Core(Core(core)), computed);
        }
        let step = match self.observes {
            true => self.mesh.step_observed(&traffic, &mut observed),
            false => self.mesh.step(&traffic),
        };
        observed.timing = step;
        self.observed = observed;
        self.totals += TimingTotals::of_step(step.cycles, self.barrier);
        self.totals += TimingTotals::of_traffic(&step, self.mesh.stalls().iter().sum());
        if self.log.is_some() {
            self.tell_step(&step, host_packets, traces, &senders);
        }
    }

    /// Tells of a step: who computed and sent for how many cycles, the host first.
    fn tell_step(
        &mut self,
        timing: &StepTiming,
        host_packets: &[usize],
        traces: &[(BlockIndex, Trace)],
        senders: &[(Endpoint, u64, u64)],
    ) {
        let mut record = StepRecord {
            cycles: timing.cycles,
            barrier_cycles: self.barrier,
            senders: Vec::new(),
            packets: Vec::new(),
        };
        for (&(endpoint, computing, sending), &stalled) in senders.iter().zip(self.mesh.stalls()) {
            record.senders.push(SenderStep { endpoint, computing, sending, stalled });
        }
        for (input, (&packets, route)) in host_packets.iter().zip(&self.host_routes).enumerate() {
            if packets > 0 && !route.is_empty() {
                record.packets.push((PacketSource::Host { input }, packets as u64));
            }
        }
        for (block, trace) in traces {
            for send in trace.sends.iter().filter(|send| !send.packets.is_empty()) {
                if !self.block_routes[*block][send.route].is_empty() {
                    let source = PacketSource::Block { block: *block, route: send.route };
                    record.packets.push((source, send.packets.len() as u64));
                }
            }
        }
        record.sort();
        if let Some(log) = &mut self.log {
            log.step(&record);
        }
    }
}
