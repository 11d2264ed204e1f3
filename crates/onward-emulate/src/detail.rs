//! What an engine counts where it was asked for: by window, by neuron, and what cores do with their cycles.

use crate::counters::{AddressCounts, each};
use crate::mesh::{Accounts, SenderTiming, Senders};
use onward_image::{BlockIndex, Endpoint};
use std::ops::Range;
use typed_index_collections::{TiSlice, TiVec};

/// What a block is shown in a step, by the tag that opened its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// No tag has come yet; in blocks that take none, always.
    #[default]
    None,
    /// A sample that is tested with.
    Test,
    /// A sample that is learned from.
    Input,
    /// The target of a sample that is learned from.
    Target,
}

impl Window {
    /// Every window, in the order of their declaration.
    pub const ALL: [Window; 4] = [Window::None, Window::Test, Window::Input, Window::Target];

    /// The window that a tag opens: bits 1..0 are its kind, bit 2 says whether the sample is learned from (rule E6).
    pub fn of_tag(tag: i32) -> Window {
        match (tag & 3, tag >> 2 & 1) {
            (0, 0) => Window::Test,
            (0, _) => Window::Input,
            _ => Window::Target,
        }
    }
}

/// What a block did in the windows of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowCounters {
    /// Executions by address of its program.
    pub addresses: Vec<AddressCounts>,
    /// Steps it ran in.
    pub steps: u64,
    /// Cycles it computed.
    pub cycles: u64,
    /// Active axons it consumed.
    pub events: u64,
    /// Synapses that these reached, where the image knows how many each does; else 0.
    pub synapses: u64,
}

/// Counters of a block beside those that are always kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockDetail {
    /// By [`Window`]; together they are the block's counters.
    pub windows: [WindowCounters; Window::ALL.len()],
    /// By route, packets by index: spikes by neuron, of the route that carries them.
    pub indices: Vec<Vec<u64>>,
    /// By route, cycles in which its flits waited for the network; 0 without timing.
    pub stalls: Vec<u64>,
}

/// What took time, or was sent by the host, while the host showed windows of one kind: from the step in which it sends the tag
/// of such a window until it sends the next tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Steps.
    pub steps: u64,
    /// Their cycles, barriers included; 0 without timing.
    pub cycles: u64,
    /// Cycles of their barriers; 0 without timing.
    pub barrier_cycles: u64,
    /// Packets by host input.
    pub host_packets: Vec<u64>,
    /// What each core of the chip did with its cycles, by number; all 0 without timing.
    pub cores: Vec<SenderTiming>,
    /// By host input, cycles in which its flits waited for the network; 0 without timing.
    pub host_stalls: Vec<u64>,
    /// By block and route, cycles in which flits waited for the network; 0 without timing.
    pub stalls: TiVec<BlockIndex, Vec<u64>>,
}

/// Counters beside those that are always kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Blocks by logical number.
    pub blocks: TiVec<BlockIndex, BlockDetail>,
    /// What each core of the chip did with its cycles, by number; all 0 without timing.
    pub cores: Vec<SenderTiming>,
    /// What the host did with its cycles; all 0 without timing.
    pub host: SenderTiming,
    /// By host input, cycles in which its flits waited for the network; 0 without timing.
    pub host_stalls: Vec<u64>,
    /// By the [`Window`] that the host showed; together they are the run.
    pub shown: [Shown; Window::ALL.len()],
}

impl Shown {
    /// Nothing yet, of a host with so many inputs.
    pub(crate) fn of_inputs(inputs: usize) -> Shown {
        Shown { host_packets: vec![0; inputs], ..Shown::default() }
    }
}

impl WindowCounters {
    /// Nothing yet, of a program of so many addresses.
    pub(crate) fn new(addresses: usize) -> WindowCounters {
        WindowCounters { addresses: vec![AddressCounts::default(); addresses], ..WindowCounters::default() }
    }

    pub(crate) fn combine(&self, other: &WindowCounters, f: impl Fn(u64, u64) -> u64 + Copy) -> WindowCounters {
        WindowCounters {
            addresses: self.addresses.iter().zip(&other.addresses).map(|(a, b)| a.combine(b, f)).collect(),
            steps: f(self.steps, other.steps),
            cycles: f(self.cycles, other.cycles),
            events: f(self.events, other.events),
            synapses: f(self.synapses, other.synapses),
        }
    }
}

impl BlockDetail {
    fn combine(&self, other: &BlockDetail, f: impl Fn(u64, u64) -> u64 + Copy) -> BlockDetail {
        BlockDetail {
            windows: std::array::from_fn(|at| self.windows[at].combine(&other.windows[at], f)),
            indices: self.indices.iter().zip(&other.indices).map(|(a, b)| each(a, b, f)).collect(),
            stalls: each(&self.stalls, &other.stalls, f),
        }
    }
}

impl Shown {
    fn combine(&self, other: &Shown, f: impl Fn(u64, u64) -> u64 + Copy) -> Shown {
        Shown {
            steps: f(self.steps, other.steps),
            cycles: f(self.cycles, other.cycles),
            barrier_cycles: f(self.barrier_cycles, other.barrier_cycles),
            host_packets: each(&self.host_packets, &other.host_packets, f),
            cores: self.cores.iter().zip(&other.cores).map(|(a, b)| a.combine(b, f)).collect(),
            host_stalls: each(&self.host_stalls, &other.host_stalls, f),
            stalls: self.stalls.iter().zip(&other.stalls).map(|(a, b)| each(a, b, f)).collect(),
        }
    }
}

impl Detail {
    /// What was counted, on a chip of so many cores, without time.
    pub(crate) fn untimed(
        blocks: TiVec<BlockIndex, BlockDetail>,
        shown: [Shown; Window::ALL.len()],
        cores: usize,
    ) -> Detail {
        let none = |block: &BlockDetail| vec![0; block.stalls.len()];
        let shown = shown.map(|shown| Shown {
            cores: vec![SenderTiming::default(); cores],
            host_stalls: vec![0; shown.host_packets.len()],
            stalls: blocks.iter().map(none).collect(),
            ..shown
        });
        Detail {
            cores: vec![SenderTiming::default(); cores],
            host: SenderTiming::default(),
            host_stalls: vec![0; shown[0].host_packets.len()],
            shown,
            blocks,
        }
    }

    /// Adds what took time: from accounts by window, with the cycles of a barrier, the host's port, and the destinations of the
    /// host's and the blocks' routes.
    pub(crate) fn keep_time(
        &mut self,
        accounts: &Accounts,
        (barrier, host): (u64, Endpoint),
        host_routes: &[Range<u32>],
        block_routes: &TiSlice<BlockIndex, Vec<Range<u32>>>,
    ) {
        let stalls = |account: &Senders, routes: &[Range<u32>]| -> Vec<u64> {
            routes.iter().map(|destinations| account.waited(destinations)).collect()
        };
        let put =
            |to: &mut Vec<SenderTiming>, account: &Senders| to[..account.cores.len()].copy_from_slice(&account.cores);
        let total = accounts.total();
        put(&mut self.cores, &total);
        if let Endpoint::Host(port) = host {
            self.host = total.hosts.get(usize::from(port)).copied().unwrap_or_default();
        }
        self.host_stalls = stalls(&total, host_routes);
        for (block, routes) in self.blocks.iter_mut().zip(block_routes) {
            block.stalls = stalls(&total, routes);
        }
        for (shown, &window) in self.shown.iter_mut().zip(&Window::ALL) {
            let account = accounts.of(window as u8);
            shown.barrier_cycles = account.steps * barrier;
            shown.cycles = account.cycles + shown.barrier_cycles;
            put(&mut shown.cores, &account);
            shown.host_stalls = stalls(&account, host_routes);
            shown.stalls = block_routes.iter().map(|routes| stalls(&account, routes)).collect();
        }
    }

    pub(crate) fn combine(&self, other: &Detail, f: impl Fn(u64, u64) -> u64 + Copy) -> Detail {
        Detail {
            blocks: self.blocks.iter().zip(&other.blocks).map(|(a, b)| a.combine(b, f)).collect(),
            cores: self.cores.iter().zip(&other.cores).map(|(a, b)| a.combine(b, f)).collect(),
            host: self.host.combine(&other.host, f),
            host_stalls: each(&self.host_stalls, &other.host_stalls, f),
            shown: std::array::from_fn(|at| self.shown[at].combine(&other.shown[at], f)),
        }
    }
}
