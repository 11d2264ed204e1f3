//! What a layer becomes in integers, by one way for all layers: its parameters, what it keeps of windows, the rule that it
//! learns by.
//!
//! This is where floating point ends: from here on all is integers. A layer that learns is one that has a rule.

pub(crate) mod block;
pub(crate) mod code;
mod dynamics;
pub(crate) mod feed;
mod intake;
pub(crate) mod integers;
pub(crate) mod limits;
pub(crate) mod parameters;
mod precision;
pub(crate) mod record;
mod rounding;
pub(crate) mod rule;
mod scale;
mod walk;
mod weights;

pub(crate) use dynamics::factors;
pub(crate) use dynamics::part::{Given, Part, parts};
pub use dynamics::{Bounds, NeuronParameters, PartParameters, ResetParameters, Widths};
pub use integers::Integers;
pub(crate) use integers::numbers;
pub use parameters::LayerParameters;
pub(crate) use parameters::is_graded;
pub use precision::Fineness;
pub use record::Record;
pub use rounding::Rounding;
pub use rule::{RuleFormat, Steps};
pub use scale::Scale;
pub(crate) use weights::RealWeights;

use crate::ranges::LayerCalibration;
use onward_diagnostic::Diagnostic;
use onward_image::FractionBits;
use onward_net::{Learning, Network};
use parameters::Wanted;
use petgraph::graph::NodeIndex;

/// A layer in integers.
#[derive(Clone, Debug, PartialEq)]
pub struct LoweredLayer {
    /// How many neurons it has.
    pub neurons: u32,
    /// Its weights, and its neurons.
    pub parameters: LayerParameters,
    /// What it keeps of windows, in a network that is shown targets.
    pub record: Option<Record>,
    /// The rule by which it learns, if it does.
    pub rule: Option<RuleFormat>,
}

/// Whether a network is shown targets: layers learn, or are asked for the scores of classes.
pub(crate) fn is_shown_targets(network: &Network) -> bool {
    let learns = |node| network.layer(node).learning != Learning::None;
    network.readout().kind.needs_target() || network.layers().any(learns)
}

impl LoweredLayer {
    /// The layer at `node`, its drawn weights by `seed`; with what it met in samples, and how many times more there may be,
    /// in widths that hold that.
    ///
    /// # Errors
    /// Arrays that do not fit the layer; values that come in together with spikes.
    pub(crate) fn new(
        network: &Network,
        node: NodeIndex,
        seed: u64,
        met: Option<(&LayerCalibration, f64)>,
    ) -> Result<LoweredLayer, Diagnostic> {
        let layer = network.layer(node);
        let wanted = Wanted { network, node, seed, shown_targets: is_shown_targets(network), met };
        let (parameters, record) = LayerParameters::new(&wanted)?;
        let rule = match &layer.learning {
            Learning::None => None,
            Learning::Rule(rule) => {
                Some(RuleFormat::new(rule, layer, &parameters, record.as_ref(), network.window_steps))
            }
        };
        Ok(LoweredLayer { neurons: layer.neurons(), parameters, record, rule })
    }

    /// Fraction bits of weights and membranes.
    pub(crate) fn fraction_bits(&self) -> FractionBits {
        let weights = self.parameters.fraction_bits();
        FractionBits {
            weights,
            target_weights: weights - self.record.as_ref().map_or(0, |record| record.target_coarser as i32),
            membrane: weights + self.parameters.finer as i32,
        }
    }
}
