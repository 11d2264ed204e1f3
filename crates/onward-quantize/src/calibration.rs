//! Formats by what was met, where bounds ask for more than data needs.
//!
//! The bounds of [`crate::Bounds`] hold whatever the spikes are; most of them are never come near to. A [`Calibration`] says
//! how large the sums, currents and membranes of a network became in a [`FloatModel`] that was shown samples. Where a bound
//! asks for 32 bits and what was met, times a margin, fits 16, the compiler takes 16. What is larger all the same
//! saturates, and is counted.

mod comparison;
mod model;
mod prediction;

pub use comparison::{Comparison, Counted, LayerComparison, Models, Quantity};
pub use model::FloatModel;
pub use prediction::{ExpectedRate, expected};

use crate::range::LayerCalibration;
use onward_diagnostic::Diagnostic;
use onward_net::Network;
use serde::{Deserialize, Serialize};

/// What a network met, layer by layer, with enough of the network to know it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Name of the network.
    pub network: String,
    /// What its weights were drawn with.
    pub seed: u64,
    /// Steps of a window.
    pub window: u32,
    /// The data that was shown.
    pub data: String,
    /// Samples of it.
    pub samples: u64,
    /// Its layers, in their order.
    pub layers: Vec<LayerCalibration>,
}

/// A calibration, and how many times larger values may be than those that were met.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibrated {
    /// What was met.
    pub calibration: Calibration,
    /// Greater than 0; below 1 it lets what was met saturate.
    pub margin: f64,
}

impl Calibrated {
    /// Refuses a calibration of another network.
    ///
    /// # Errors
    /// What is another: name, window, layers, or the seed where weights are drawn.
    pub fn check(&self, network: &Network, seed: u64) -> Result<(), Diagnostic> {
        let of = &self.calibration;
        let help = "calibrate this network: `onward calibrate NET.sp -o FILE`, or leave --calibration out";
        let refuse = |span: std::ops::Range<usize>, message: String| Err(Diagnostic::new(span, message).help(help));
        let whole = network.readout().span.clone();
        if of.network != network.name {
            let message = format!("the calibration is of network `{}`, this one is `{}`", of.network, network.name);
            return refuse(whole, message);
        }
        if of.window != network.window_steps {
            let message =
                format!("the calibration is for windows of {} steps, they have {}", of.window, network.window_steps);
            return refuse(whole, message);
        }
        let layers = network.layers().count();
        if of.layers.len() != layers {
            return refuse(
                whole,
                format!("the calibration is of {} layers, the network has {layers}", of.layers.len()),
            );
        }
        for (met, node) in of.layers.iter().zip(network.layers()) {
            let layer = network.layer(node);
            let describe = |name: &str, shape: &[u32], inputs: u32, current: bool| {
                let sizes: Vec<String> = shape.iter().map(u32::to_string).collect();
                let current = if current { " with a current" } else { "" };
                format!("`{name}` of {} neurons over {inputs} places{current}", sizes.join(" x "))
            };
            let found = describe(&met.layer, &met.shape, met.inputs, met.current.is_some());
            let wanted = describe(&layer.name, &layer.shape, network.inputs(node), layer.neuron.current.is_some());
            if found != wanted {
                return refuse(layer.span.clone(), format!("the calibration is of a layer {found}, here is {wanted}"));
            }
        }
        if of.seed != seed && model::draws(network) {
            let message = format!("the calibration is of weights drawn with seed {}, here it is {seed}", of.seed);
            return refuse(whole, message);
        }
        Ok(())
    }

    /// What a layer met.
    pub fn layer(&self, name: &str) -> Option<&LayerCalibration> {
        self.calibration.layers.iter().find(|layer| layer.layer == name)
    }
}
