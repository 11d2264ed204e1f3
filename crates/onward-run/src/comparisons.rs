//! How many comparisons answers took, where the readout counts them.

use onward_emulate::Engine;
use onward_image::{Image, PopulationKind};
use onward_profile::Comparisons;

/// What a readout has counted since the run began; `None` if it counts nothing.
pub(crate) fn comparisons(machine: &dyn Engine, image: &Image) -> Option<Comparisons> {
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
