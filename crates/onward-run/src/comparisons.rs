//! How many comparisons answers took, where the readout counts them.

use onward_emulate::Engine;
use onward_image::{Image, PopulationKind};

/// Comparisons of a readout: products of a sample's spikes with what a target evoked, or with an inner node of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comparisons {
    /// Parts of products that were computed.
    pub products: u64,
    /// Parts that a whole product is made of.
    pub parts: u64,
    /// Answers.
    pub answers: u64,
    /// Classes: a comparison with each would be as many.
    pub classes: u64,
}

impl Comparisons {
    /// What a readout has counted since the run began; `None` if it counts nothing.
    pub(crate) fn read(machine: &dyn Engine, image: &Image) -> Option<Comparisons> {
        let is_readout = |population: u32| {
            matches!(image.network.populations[population as usize].kind, PopulationKind::LearningReadout { .. })
        };
        let block = image.blocks.iter().position(|block| is_readout(block.population))?;
        let count = |name: &str| machine.peek(block as u32, name)?.first().map(|&count| count.max(0) as u64);
        let classes = image.network.populations[image.blocks[block].population as usize].neurons;
        Some(Comparisons {
            products: count("products")?,
            parts: count("parts")?,
            answers: count("answers")?,
            classes: classes.into(),
        })
    }

    /// What was counted since `before`.
    pub(crate) fn since(self, before: Option<Comparisons>) -> Comparisons {
        let before = before.unwrap_or_default();
        Comparisons { products: self.products - before.products, answers: self.answers - before.answers, ..self }
    }

    /// Comparisons an answer took, a part of one being a fraction.
    pub fn per_answer(&self) -> f64 {
        self.products as f64 / (self.parts * self.answers).max(1) as f64
    }

    /// The same as a share of the comparisons with every class.
    pub fn share(&self) -> f64 {
        self.per_answer() / self.classes.max(1) as f64
    }
}
