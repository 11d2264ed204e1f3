//! How many comparisons answers took, where the readout counts them.

use onward_emulate::Engine;
use onward_image::{Image, PopulationKind};
use onward_profile::Comparisons;

/// What a readout has counted since the run began; `None` if it counts nothing.
pub(crate) fn comparisons(machine: &dyn Engine, image: &Image) -> Option<Comparisons> {
    let (population, readout) = image.network.readout()?;
    if !matches!(readout.kind, PopulationKind::LearningReadout { .. }) {
        return None;
    }
    let (block, _) = image.blocks_of(population).next()?;
    let count = |name: &str| machine.peek(block, name)?.first().map(|&count| count.max(0) as u64);
    Some(Comparisons {
        products: count("products")?,
        parts: count("parts")?,
        answers: count("answers")?,
        classes: readout.neurons.into(),
    })
}
