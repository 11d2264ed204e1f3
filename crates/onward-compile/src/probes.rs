//! What is found out of a network on one chip and holds on others, kept while these are tried: its integers, and of blocks what
//! fitting finds out on cores of the same kind.

use crate::lowering::LoweredLayer;
use crate::plan::Cut;
use onward_chip::{Chip, Core, Memory};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;

/// A figure where many neurons are active, and where few are.
pub(crate) type Scenarios = [f64; 2];

/// What is too much for a core, and what would help.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Over {
    /// Axons: fewer rows, here or before; of a layer that is added up in parts, fewer neurons.
    Axons { needed: u64, available: u64 },
    /// What grows with the rows and the channels.
    Rows { needed: u64, available: u64 },
    /// What grows with the neurons or channels of a block.
    Block { needed: u64, available: u64 },
    /// Nothing would.
    Program,
}

/// What was found out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    /// Blocks of the node.
    pub blocks: u64,
    /// What does not fit.
    pub over: Option<Over>,
    /// Cycles of the slowest block in a step.
    pub longest: Scenarios,
    /// Cycles of all blocks in a step.
    pub work: Scenarios,
}

/// What was found out so far of a network.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    cores: Option<(Core, Memory)>,
    /// Its layers in integers, in their order; none yet if empty.
    pub layers: Vec<LoweredLayer>,
    /// On cores of a kind: by node, its cut, and the cuts of those that send to it.
    pub known: BTreeMap<(NodeIndex, Vec<(NodeIndex, Cut)>), Probe>,
}

impl Probes {
    /// Forgets what was found out of other cores than those of a chip.
    pub fn of_cores(self, chip: &Chip) -> Probes {
        let cores = Some((chip.core.clone(), chip.memory.clone()));
        if self.cores == cores { self } else { Probes { cores, layers: self.layers, known: BTreeMap::new() } }
    }
}
