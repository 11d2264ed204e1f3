//! What an engine counts where it was asked for: by window, by neuron, and what cores do with their cycles.

use crate::counters::{AddressCounts, each};
use crate::mesh::SenderTiming;
use onward_image::BlockIndex;
use typed_index_collections::TiVec;

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

impl Detail {
    pub(crate) fn combine(&self, other: &Detail, f: impl Fn(u64, u64) -> u64 + Copy) -> Detail {
        Detail {
            blocks: self.blocks.iter().zip(&other.blocks).map(|(a, b)| a.combine(b, f)).collect(),
            cores: self.cores.iter().zip(&other.cores).map(|(a, b)| a.combine(b, f)).collect(),
            host: self.host.combine(&other.host, f),
            host_stalls: each(&self.host_stalls, &other.host_stalls, f),
        }
    }
}
