//! What a layer becomes in integers, by one way for all layers: its parameters, what it keeps of windows, the rule that it
//! learns by.
//!
//! This is where floating point ends: from here on all is integers. A layer that learns is one that has a rule.

pub(crate) mod block;
pub(crate) mod code;
mod dynamics;
pub(crate) mod feed;
mod intake;
pub(crate) mod limits;
pub(crate) mod record;
pub(crate) mod rule;
mod walk;

pub use rule::{RuleFormat, Steps};

use onward_diagnostic::Diagnostic;
use onward_image::FractionBits;
use onward_net::{Learning, Network};
use onward_quantize::{LayerCalibration, LayerParameters, Record};
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
        let (parameters, record) = LayerParameters::new(network, node, seed, met)?;
        let rule = match &layer.learning {
            Learning::None => None,
            Learning::Rule(rule) => {
                Some(RuleFormat::new(rule, layer, &parameters, record.as_ref(), network.window_steps))
            }
        };
        Ok(LoweredLayer { neurons: layer.neurons(), parameters, record, rule })
    }

    /// Whether a block has biases that learn: they come in before all else, as a weight whose axon is active in every step. One that
    /// a register does not hold is of a convolution that learns, whose channels have biases where they revive.
    pub(crate) fn learns_bias(&self, is_whole: bool) -> bool {
        self.record.is_some() && (is_whole || self.rule.as_ref().is_some_and(|rule| rule.rule.revive))
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
