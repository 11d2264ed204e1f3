//! The counters of a run, with the cycles of every number of lanes.

use crate::cost::{LANE_COUNTS, LaneCycles};
use crate::counters::{AddressCounts, BlockCounters, Counters, TimingTotals};
use onward_image::{BlockIndex, Image};

/// Counters of a block. Their cycles mean nothing: those of each number of lanes are beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockCounted {
    pub counters: BlockCounters,
    /// Cycles by address.
    pub lanes: Vec<LaneCycles>,
}

/// Counters of a run, or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub steps: u64,
    /// By logical number.
    pub blocks: Vec<BlockCounted>,
    /// By host input.
    pub host_packets: Vec<u64>,
    pub configuration_bits: u64,
}

impl Counted {
    /// None, of an image.
    pub fn none(image: &Image) -> Counted {
        let of_block = |number: BlockIndex| {
            let block = &image.blocks[number];
            let addresses = image.programs[block.program].words.len();
            let counters = BlockCounters {
                block: number,
                addresses: vec![AddressCounts::default(); addresses],
                steps: 0,
                cycles: 0,
                events: 0,
                synapses: 0,
                saturated: 0,
                packets: vec![0; block.routes.len()],
            };
            BlockCounted { counters, lanes: vec![LaneCycles::default(); addresses] }
        };
        Counted {
            steps: 0,
            blocks: image.blocks.keys().map(of_block).collect(),
            host_packets: vec![0; image.host_inputs.len()],
            configuration_bits: 0,
        }
    }

    /// Adds what was counted between `before` and `after`.
    pub fn add(&mut self, before: &Counted, after: &Counted) {
        self.steps += after.steps - before.steps;
        self.configuration_bits += after.configuration_bits - before.configuration_bits;
        add(&mut self.host_packets, &before.host_packets, &after.host_packets);
        for ((sum, before), after) in self.blocks.iter_mut().zip(&before.blocks).zip(&after.blocks) {
            let (to, from, till) = (&mut sum.counters, &before.counters, &after.counters);
            to.steps += till.steps - from.steps;
            to.events += till.events - from.events;
            to.synapses += till.synapses - from.synapses;
            to.saturated += till.saturated - from.saturated;
            add(&mut to.packets, &from.packets, &till.packets);
            for ((to, from), till) in to.addresses.iter_mut().zip(&from.addresses).zip(&till.addresses) {
                to.executed += till.executed - from.executed;
                to.elements += till.elements - from.elements;
                to.saturated += till.saturated - from.saturated;
            }
            for ((to, from), till) in sum.lanes.iter_mut().zip(&before.lanes).zip(&after.lanes) {
                to.0.iter_mut().zip(from.0).zip(till.0).for_each(|((to, from), till)| *to += till - from);
            }
        }
    }

    /// Whether what was counted of a part of the run is no more than what was counted of all of it; both are of one image.
    pub fn covers(&self, part: &Counted) -> bool {
        let all_cover = |all: &[u64], part: &[u64]| all.iter().zip(part).all(|(all, part)| part <= all);
        let of_block = |(all, part): (&BlockCounted, &BlockCounted)| {
            let sums = |of: &BlockCounters| [of.steps, of.events, of.synapses, of.saturated];
            let counts = |of: &AddressCounts| [of.executed, of.elements, of.saturated];
            let (counters, of_part) = (&all.counters, &part.counters);
            all_cover(&sums(counters), &sums(of_part))
                && all_cover(&counters.packets, &of_part.packets)
                && counters.addresses.iter().zip(&of_part.addresses).all(|(a, b)| all_cover(&counts(a), &counts(b)))
                && all.lanes.iter().zip(&part.lanes).all(|(all, part)| all_cover(&all.0, &part.0))
        };
        all_cover(&[self.steps, self.configuration_bits], &[part.steps, part.configuration_bits])
            && all_cover(&self.host_packets, &part.host_packets)
            && self.blocks.iter().zip(&part.blocks).all(of_block)
    }

    /// The counters on the chip of an image, with what its mesh took.
    pub fn on(&self, image: &Image, timing: TimingTotals) -> Counters {
        let lanes = LANE_COUNTS.iter().position(|&lanes| lanes == image.chip.core.lanes).unwrap_or(0);
        let of_block = |counted: &BlockCounted| {
            let mut counters = counted.counters.clone();
            for (counts, cycles) in counters.addresses.iter_mut().zip(&counted.lanes) {
                counts.cycles = cycles.0[lanes];
            }
            let dispatches = counters.steps * u64::from(image.chip.core.dispatch_cycles);
            counters.cycles = dispatches + counters.addresses.iter().map(|counts| counts.cycles).sum::<u64>();
            counters
        };
        Counters {
            steps: self.steps,
            blocks: self.blocks.iter().map(of_block).collect(),
            host_packets: self.host_packets.clone(),
            timing: Some(timing),
            configuration_bits: self.configuration_bits,
            detail: None,
        }
    }
}

fn add(to: &mut [u64], from: &[u64], till: &[u64]) {
    to.iter_mut().zip(from).zip(till).for_each(|((to, from), till)| *to += till - from);
}
