//! How full each core is.

use crate::{BlockIndex, Core, Delivery, Destination, Image, ProgramIndex};
use onward_chip::Chip;
use std::collections::{BTreeMap, BTreeSet};

/// What the blocks of a core use of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoreUsage {
    /// The core.
    pub core: Core,
    /// Logical numbers of its blocks, ascending.
    pub blocks: Vec<BlockIndex>,
    /// Instruction words; programs that blocks share count once.
    pub instruction_words: u64,
    /// Bytes of neuron, axon and synapse memory.
    pub memory_bytes: [u64; 3],
    /// Entries of the active set.
    pub axons: u64,
    /// Entries of the route table.
    pub routes: u64,
    /// Entries of the inlet table: multicast flits of routes that end here.
    pub inlets: u64,
}

/// A limit of a core and what is needed of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub what: &'static str,
    /// Needed.
    pub needed: u64,
    /// Available.
    pub available: u64,
}

impl CoreUsage {
    /// All limits of a core beside what is used.
    pub fn limits(&self, chip: &Chip) -> [Limit; 8] {
        let limit = |what, needed, available: u32| Limit { what, needed, available: u64::from(available) };
        [
            limit("synapse memory (bytes)", self.memory_bytes[2], chip.memory.synapse_bytes),
            limit("neuron memory (bytes)", self.memory_bytes[0], chip.memory.neuron_bytes),
            limit("axon memory (bytes)", self.memory_bytes[1], chip.memory.axon_bytes),
            limit("instruction memory (words)", self.instruction_words, chip.memory.instruction_words),
            limit("axons", self.axons, chip.memory.axons),
            limit("route table (entries)", self.routes, chip.memory.routes),
            limit("inlet table (entries)", self.inlets, u32::from(chip.mesh.multicast_trees)),
            limit("blocks", self.blocks.len() as u64, u32::from(chip.core.blocks)),
        ]
    }
}

impl Image {
    /// The usage of each core that has a block, by number.
    pub fn core_usage(&self) -> Vec<CoreUsage> {
        let mut cores: BTreeMap<Core, (CoreUsage, BTreeSet<ProgramIndex>)> = BTreeMap::new();
        for (number, block) in self.blocks.iter_enumerated() {
            let (usage, programs) = cores.entry(block.core).or_default();
            usage.core = block.core;
            usage.blocks.push(number);
            if programs.insert(block.program) {
                usage.instruction_words += self.programs[block.program].words.len() as u64;
            }
            for (sum, &bytes) in usage.memory_bytes.iter_mut().zip(&block.memory_bytes) {
                *sum += u64::from(bytes);
            }
            usage.axons += u64::from(block.axons);
            usage.routes += block.routes.iter().map(|route| route.flits.len() as u64).sum::<u64>();
        }
        let host = self.host_inputs.iter().map(|input| &input.route);
        let routes = host.chain(self.blocks.iter().flat_map(|block| &block.routes));
        for flit in routes.flat_map(|route| &route.flits) {
            if !matches!(flit.destination, Destination::Multicast(_)) {
                continue;
            }
            for delivery in &flit.deliveries {
                let Delivery::Block { block, .. } = *delivery else { continue };
                let core = self.blocks.get(block).map(|taker| taker.core);
                if let Some((usage, _)) = core.and_then(|core| cores.get_mut(&core)) {
                    usage.inlets += 1;
                }
            }
        }
        cores.into_values().map(|(usage, _)| usage).collect()
    }
}
