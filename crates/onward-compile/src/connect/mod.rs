//! Connections: how the axons of a block reach its neurons, as tables and rows in its memories.
//!
//! A block's axons fall into parts, one a source of weights: what comes in, and of recurrent layers its own spikes. A
//! part is of one kind:
//!
//! - **rows**: a row of weights, one for each neuron of the block. Where each axon has a row of its own there is no table;
//!   where pools or additions make axons share rows, a table in axon memory says which.
//! - **kernels**: a convolution. Neurons lie channels last, so what an event adds to is, for each row of the kernel, one
//!   run of memory: places side by side, all channels of each. The kernel lies as such runs, its columns reversed, one
//!   sub-kernel for each phase of the stride. A table gives each axon its first sum and its sub-kernel. Sums have a halo
//!   all round that is never read, so nothing asks where the plane ends.
//! - **pairs**: lists of neuron and weight, where few pairs have one.
//! - **marks**: axons only mark neurons, as pools by maximum do.
//! - **values**: an axon brings a neuron's sum over a part of its inputs.

mod axis;
mod fold;
mod kernels;
mod traces;

pub(crate) use fold::{Source, sources};
pub(crate) use kernels::{Kernels, Tap, Window};
pub(crate) use traces::{Phase, Traces};

use crate::layout::strips;
use crate::places::{Feed, Lists};
use crate::plan::{Channel, PlannedBlock, PlannedSource};
use onward_chip::Chip;
use onward_image::BlockIndex;
use onward_net::{Layer, LayerKind};
use onward_quantize::LayerParameters;
use std::collections::BTreeMap;
use typed_index_collections::TiSlice;

/// How a block's axons reach its neurons.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// By axon, ascending.
    pub parts: Vec<Part>,
    /// Where what comes in is added up.
    pub sums: Sums,
}

/// Axons that are treated alike.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub first_axon: u32,
    pub axons: u32,
    /// Bits of a weight.
    pub bits: u32,
    /// Whether weights are multiplied by payloads.
    pub graded: bool,
    /// What comes by it.
    pub role: Role,
    /// How many synapses a spike on each axon reaches; nothing where it only marks neurons.
    pub fan_outs: Vec<u32>,
    pub kind: PartKind,
}

/// What comes by the axons of a part, and so which weights it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What the layer's source sends.
    Input,
    /// The target's lines, by a projection of their own.
    Target,
    /// The layer's own spikes.
    Own,
}

impl Role {
    /// What arrays of such a part begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Role::Input => "",
            Role::Target => "target_",
            Role::Own => "own_",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum PartKind {
    Rows {
        /// What each row is for: place and number of the divisor.
        rows: Vec<(u32, u32)>,
        table: Table,
    },
    Kernels {
        kernels: Kernels,
        table: Table,
    },
    Pairs {
        /// For each axon its first pair, and the end of the last's.
        first: Vec<i32>,
        /// The weight in the upper half, the neuron in the lower.
        pairs: Vec<i32>,
    },
    Marks {
        table: Table,
    },
    /// Sums that other blocks have added up: the payload is added to the neuron of the entry.
    Values {
        table: Table,
    },
}

impl PartKind {
    /// Rows of weights, if there are such.
    pub fn rows(&self) -> u32 {
        if let PartKind::Rows { rows, .. } = self { rows.len() as u32 } else { 0 }
    }

    /// Elements of a row of weights for all `neurons` of a block, this being its first part: a convolution's neurons lie
    /// among a halo, and so do the weights of its own spikes.
    pub fn row_length(&self, neurons: u32) -> u32 {
        match self {
            PartKind::Kernels { kernels, .. } => kernels.sums(),
            _ => neurons,
        }
    }
}

/// What axons are mapped to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// The n-th to the n-th.
    Identity,
    /// Each to one entry, or to none: -1.
    Single { entries: Vec<Entry>, any_missing: bool },
    /// Each to any number of entries: the first of each, and the end of the last's.
    Lists { first: Vec<i32>, entries: Vec<Entry> },
}

/// An entry; the shape is that of a sub-kernel, where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub value: i32,
    pub shape: i32,
}

impl Table {
    /// A table with entries for all axons: handlers of kernels read them even if each is the axon's own number.
    fn new(lists: Lists<Entry>) -> Table {
        if lists.iter().all(|list| list.len() <= 1) {
            let any_missing = lists.iter().any(<[Entry]>::is_empty);
            let entries = lists.iter().map(|list| list.first().copied().unwrap_or(Entry { value: -1, shape: 0 }));
            return Table::Single { entries: entries.collect(), any_missing };
        }
        let (first, entries) = lists.into_parts();
        Table::Lists { first, entries }
    }

    /// A table without shapes.
    pub fn of_values(lists: &Lists<u32>) -> Table {
        if lists.iter().zip(0..).all(|(list, at)| *list == [at]) {
            return Table::Identity;
        }
        let entry = |&value: &u32| Entry { value: value as i32, shape: 0 };
        Table::new(lists.iter().map(|list| list.iter().map(entry)).collect())
    }

    /// The entries, if there are any.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Table::Identity => &[],
            Table::Single { entries, .. } | Table::Lists { entries, .. } => entries,
        }
    }
}

/// The shape of all entries of a table, if it is the same.
pub(crate) fn constant_shape(table: &Table) -> Option<i32> {
    let mut shapes = table.entries().iter().filter(|entry| entry.value >= 0).map(|entry| entry.shape);
    let first = shapes.next().unwrap_or(0);
    shapes.all(|shape| shape == first).then_some(first)
}

/// Where a block adds up what comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sums {
    /// In a vector register: the block is no longer than one.
    Register,
    /// In neuron memory, in elements of so many bits.
    Memory { bits: u32, elements: u32 },
}

/// What a block's connection is made from.
pub(crate) struct Maker<'a> {
    pub layer: &'a Layer,
    pub parameters: &'a LayerParameters,
    /// Classes of the target, if the layer keeps what they evoke.
    pub classes: Option<u32>,
    pub sources: &'a [Source],
    /// Shapes of what comes in, of each source that a convolution has a kernel for.
    pub inputs: Vec<[u32; 3]>,
    /// All blocks.
    pub planned: &'a TiSlice<BlockIndex, PlannedBlock>,
    pub chip: &'a Chip,
}

impl Maker<'_> {
    /// The connection of a block.
    pub fn connection(&self, block: &PlannedBlock) -> Connection {
        let by_sender: BTreeMap<_, _> = self.sources.iter().map(|source| (source.from, source)).collect();
        let mut feeds: Lists<(u32, u32)> = Lists::default();
        let mut own = Lists::default();
        let (mut first, mut first_own, mut first_target) = (0, 0, None);
        for inlet in &*block.inlets {
            match inlet.what {
                Channel::Spikes => {
                    let Some(source) = by_sender.get(&inlet.from) else {
                        first_target = Some(inlet.first_axon);
                        continue;
                    };
                    if feeds.len() == 0 {
                        first = inlet.first_axon;
                    }
                    for index in 0..source.count {
                        feeds.push(source.feeds.of(index).map(|feed| (feed.place, self.variant(feed))));
                    }
                }
                Channel::Own => {
                    if own.len() == 0 {
                        first_own = inlet.first_axon;
                    }
                    if let PlannedSource::Block(number) = inlet.from {
                        let sender = &self.planned[number];
                        (0..sender.neurons).for_each(|index| own.push([(sender.neuron(index), 0)]));
                    }
                }
                Channel::Tags | Channel::Scores => {}
            }
        }
        let bits = self.parameters.weight_bits;
        let graded = self.parameters.payload != 1;
        let of_rows = |feeds: &Lists<(u32, u32)>| -> Vec<u32> {
            feeds.iter().map(|feeds| (feeds.len() as u32).saturating_mul(block.neurons)).collect()
        };
        let mut fan_outs = of_rows(&feeds);
        if self.layer.in_parts && block.part.is_none() {
            first = 1;
            feeds = self.sums_of_parts(block);
            // What comes are sums, whose spikes were counted where they were added.
            fan_outs = vec![0; feeds.len()];
        }
        let axons = feeds.len() as u32;
        let kind = match &self.layer.kind {
            _ if self.layer.in_parts && block.part.is_none() => {
                let values = feeds.iter().map(|feeds| feeds.iter().map(|(neuron, _)| *neuron)).collect();
                PartKind::Values { table: Table::of_values(&values) }
            }
            LayerKind::Dense => rows(&feeds),
            LayerKind::Convolution(convolution) => {
                let kernels = Kernels::new(convolution, &self.inputs, block, self.parameters.divisors.len() as u32);
                fan_outs = feeds.iter().map(|feeds| kernels.synapses(feeds)).collect();
                let table = Table::new(feeds.iter().map(|feeds| kernels.entries(feeds)).collect());
                PartKind::Kernels { kernels, table }
            }
            LayerKind::Sparse(_) => {
                let (kind, pairs) = self.sparse(block, &feeds);
                fan_outs = pairs;
                kind
            }
        };
        let mut parts = vec![Part { first_axon: first, axons, bits, graded, role: Role::Input, fan_outs, kind }];
        let mut rest = |first_axon: u32, feeds: &Lists<(u32, u32)>, bits: u32, role: Role| {
            let axons = feeds.len() as u32;
            let fan_outs = of_rows(feeds);
            parts.push(Part { first_axon, axons, bits, graded: false, role, fan_outs, kind: rows(feeds) });
        };
        if block.part.is_some() {
            return Connection { sums: self.sums(block, &parts), parts };
        }
        if let (Some(first), Some(classes)) = (first_target, self.classes) {
            rest(first, &(0..classes).map(|class| [(class, 0)]).collect(), bits, Role::Target);
        }
        if let Some((bits, _)) = &self.parameters.recurrent {
            rest(first_own, &own, *bits, Role::Own);
        }
        Connection { sums: self.sums(block, &parts), parts }
    }

    /// For each axon that brings a sum the neuron it is of.
    fn sums_of_parts(&self, block: &PlannedBlock) -> Lists<(u32, u32)> {
        let parts = block.inlets.iter().filter(|inlet| inlet.what == Channel::Spikes);
        parts.flat_map(|_| (0..block.neurons).map(|neuron| [(neuron, 0)])).collect()
    }

    fn variant(&self, feed: Feed) -> u32 {
        self.parameters.divisors.binary_search(&feed.divisor).unwrap_or(0) as u32
    }

    /// Sums stay in a register where all is rows that one register holds.
    fn sums(&self, block: &PlannedBlock, parts: &[Part]) -> Sums {
        let length = u32::from(self.chip.core.vector_length);
        let only_rows = parts.iter().all(|part| matches!(part.kind, PartKind::Rows { .. }));
        if only_rows && block.neurons <= length {
            return Sums::Register;
        }
        let elements = match &parts[0].kind {
            PartKind::Kernels { kernels, .. } if parts.iter().all(|part| part.role != Role::Own) => kernels.sums(),
            first => {
                let (strips, strip) = strips(first.row_length(block.neurons), length);
                strips * strip
            }
        };
        Sums::Memory { bits: self.parameters.widths.input, elements }
    }

    /// Pairs of a sparse layer: lists, or rows where those are quicker and fit; and how many each axon has.
    fn sparse(&self, block: &PlannedBlock, feeds: &Lists<(u32, u32)>) -> (PartKind, Vec<u32>) {
        let inputs: u32 = self.inputs.iter().flat_map(|shape| shape.iter().copied().reduce(u32::saturating_mul)).sum();
        let mut from: Vec<Vec<usize>> = vec![Vec::new(); inputs as usize];
        let range = block.first_neuron..block.first_neuron + block.neurons;
        let mut twice = false;
        for (at, (place, to)) in self.parameters.connections.iter().enumerate() {
            if range.contains(to) {
                let of_place: &mut Vec<usize> = &mut from[*place as usize];
                twice |= of_place.iter().any(|&other| self.parameters.connections[other].1 == *to);
                of_place.push(at);
            }
        }
        let mut first = vec![0];
        let mut pairs = Vec::new();
        for feeds in feeds.iter() {
            for &(place, variant) in feeds {
                pairs.extend(from[place as usize].iter().map(|&at| {
                    let neuron = self.parameters.connections[at].1 - block.first_neuron;
                    i32::from(self.parameters.weights[variant as usize][at]) << 16 | neuron as i32
                }));
            }
            first.push(pairs.len() as i32);
        }
        let fan_outs = first.windows(2).map(|ends| (ends[1] - ends[0]) as u32).collect();
        // A pair takes 7 cycles, a row one for each beat; and rows must fit.
        let (axons, bits) = (feeds.len() as u64, u64::from(self.parameters.weight_bits));
        let beats = u64::from(block.neurons.div_ceil(u32::from(self.chip.core.lanes)));
        let rows_fit = axons * u64::from(block.neurons) * bits / 8 <= u64::from(self.chip.memory.synapse_bytes);
        if !twice && rows_fit && beats * axons <= 7 * pairs.len() as u64 {
            return (rows(feeds), fan_outs);
        }
        (PartKind::Pairs { first, pairs }, fan_outs)
    }
}

/// Rows, each once, in the order of the first axon that has it.
fn rows(feeds: &Lists<(u32, u32)>) -> PartKind {
    let mut rows: Vec<(u32, u32)> = Vec::new();
    let mut known: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let mut lists = Lists::default();
    for feeds in feeds.iter() {
        lists.push(feeds.iter().map(|&feed| {
            *known.entry(feed).or_insert_with(|| {
                rows.push(feed);
                rows.len() as u32 - 1
            })
        }));
    }
    let table = Table::of_values(&lists);
    PartKind::Rows { rows, table }
}
