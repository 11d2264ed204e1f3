//! What readers ask of the network in an image.

use crate::{
    Block, BlockIndex, Encoding, HostInputKind, Image, NetworkSummary, Population, PopulationIndex, PopulationKind,
    Schedule,
};
use std::ops::Range;

/// The input of a network: what shape a sample has, and how it becomes packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// Its population.
    pub population: &'a Population,
    /// Extents of a sample, or of a step of one, outermost first.
    pub shape: &'a [u32],
    /// How values become packets; `None` for spikes that are evenly spread, as many as a value is large.
    pub encoding: Option<Encoding>,
}

impl Population {
    /// Whether it is an input.
    pub fn is_input(&self) -> bool {
        matches!(self.kind, PopulationKind::RateInput { .. } | PopulationKind::EncodedInput { .. })
    }

    /// Whether it is a target, of classes or of values.
    pub fn is_target(&self) -> bool {
        matches!(self.kind, PopulationKind::Target | PopulationKind::ValueTarget)
    }

    /// Whether it is neurons of a layer.
    pub fn is_layer(&self) -> bool {
        matches!(self.kind, PopulationKind::Layer { .. })
    }

    /// Whether it holds weights: a layer, or a readout that learns.
    pub fn has_weights(&self) -> bool {
        self.is_layer() || self.schedule().is_some()
    }

    /// Whether it is what reaches the host, of whatever sort.
    pub fn is_readout(&self) -> bool {
        use PopulationKind::{LearningReadout, Readout, SpikeReadout, ValueReadout};
        matches!(self.kind, Readout | SpikeReadout | LearningReadout { .. } | ValueReadout { .. })
    }

    /// The learning schedule of a layer or readout that learns.
    pub fn schedule(&self) -> Option<&Schedule> {
        match &self.kind {
            PopulationKind::Layer { schedule, .. } => schedule.as_ref(),
            PopulationKind::LearningReadout { schedule, .. } | PopulationKind::ValueReadout { schedule, .. } => {
                Some(schedule)
            }
            _ => None,
        }
    }
}

impl NetworkSummary {
    /// Populations with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (PopulationIndex, &Population)> {
        self.populations.iter_enumerated()
    }

    /// The input; `None` for a system in assembly.
    pub fn input(&self) -> Option<Input<'_>> {
        self.populations.iter().find_map(|population| {
            let (shape, encoding) = match &population.kind {
                PopulationKind::RateInput { shape } => (shape, None),
                PopulationKind::EncodedInput { shape, encoding } => (shape, Some(*encoding)),
                _ => return None,
            };
            Some(Input { population, shape, encoding })
        })
    }

    /// The target, of classes or of values.
    pub fn target(&self) -> Option<&Population> {
        self.populations.iter().find(|population| population.is_target())
    }

    /// The target's classes, if it is one of classes.
    pub fn classes(&self) -> Option<u32> {
        self.target().filter(|target| target.kind == PopulationKind::Target).map(|target| target.neurons)
    }

    /// What reaches the host, with its number.
    pub fn readout(&self) -> Option<(PopulationIndex, &Population)> {
        self.numbered().find(|(_, population)| population.is_readout())
    }

    /// The layers that learn, with their numbers. Readouts that learn are not among them.
    pub fn learners(&self) -> impl Iterator<Item = (PopulationIndex, &Population)> {
        self.numbered().filter(|(_, population)| population.is_layer() && population.schedule().is_some())
    }
}

impl Image {
    /// The population that a block belongs to.
    ///
    /// # Panics
    /// If the image lacks it: see [`Image::check`].
    pub fn population(&self, block: &Block) -> &Population {
        &self.network.populations[block.population]
    }

    /// The blocks of a population, with their logical numbers.
    pub fn blocks_of(&self, population: PopulationIndex) -> impl Iterator<Item = (BlockIndex, &Block)> {
        self.blocks.iter_enumerated().filter(move |(_, block)| block.population == population)
    }

    /// The numbers of the parts of the host input that begins with number `input`.
    pub fn input_parts(&self, input: usize) -> Range<usize> {
        let later = self.host_inputs.iter().skip(input + 1).take_while(|part| part.first > 0);
        input..input + 1 + later.count()
    }

    /// How many indices the packets of the host input that begins with number `input` can have, all parts taken together.
    pub fn input_indices(&self, input: usize) -> u32 {
        self.host_inputs[self.input_parts(input)].iter().map(|part| part.route.indices).sum()
    }

    /// The number of the host input of a kind, its first part's.
    pub fn host_input(&self, kind: HostInputKind) -> Option<usize> {
        self.host_inputs.iter().position(|input| input.kind == kind)
    }

    /// Whether the host shows the network what is to be learned; without it nothing is.
    pub fn learns(&self) -> bool {
        let teaches = |kind| self.host_input(kind).is_some();
        teaches(HostInputKind::Target) || teaches(HostInputKind::TargetValues) || self.learns_by_tags()
    }

    /// Whether what is to be learned comes with the tag of a sample's own window alone: targets have no windows, as they reach
    /// all that learns directly.
    pub fn learns_by_tags(&self) -> bool {
        let has_windows = |kind| self.host_input(kind).is_some();
        let learns =
            |population: &Population| matches!(population.kind, PopulationKind::Layer { schedule: Some(_), .. });
        self.network.classes().is_some()
            && self.network.populations.iter().any(learns)
            && !has_windows(HostInputKind::Target)
    }
}
