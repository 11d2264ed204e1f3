//! The integers of a network: what its numbers become on a chip, and what rounding does to its rates.
//!
//! This is where floating point ends. A layer's weights, drawn or given ([`RealWeights`]), get a [`Scale`] and are rounded; its
//! neurons get thresholds, resets and decays in the unit of their membranes ([`NeuronParameters`]), with as many fraction bits
//! more as their precision asks for; and it is found how large sums can become, and so how many bits they are kept in
//! ([`Bounds`], [`Widths`]). All of it together is [`LayerParameters`], and for networks that are shown targets a [`Record`].
//!
//! The [`FloatModel`] is the same network in real numbers: a [`Calibration`] notes what it met in samples, so that formats can follow
//! data instead of bounds, and [`expected`] predicts what rounding does to rates where there is no data.
//!
//! Nothing here knows a chip, a memory or an instruction: integers are the same on every chip.
//!
//! ```
//! use onward_diagnostic::Source;
//! use onward_net::Network;
//! use onward_quantize::{Integers, LayerParameters};
//!
//! let source = Source::new("tiny.sp", "
//!     network tiny {
//!         window = 4
//!         input x = events(2)
//!         layer y = dense(1) from x { weights = fixed { bits = 8, values = ((0.5, -0.25),) } }
//!         readout answer = spikes from y
//!     }
//! ");
//! let network = Network::parse(&source).unwrap();
//! let layer = network.layers().next().unwrap();
//! let (parameters, record) = LayerParameters::new(&network, layer, 1, None).unwrap();
//! assert_eq!(parameters.weights, [[64, -32]]);
//! // Neurons fire at 1.0, which is 128 where a weight of 0.5 is 64.
//! assert_eq!(parameters.neuron.threshold, Integers::Same(128));
//! assert_eq!(record, None);
//! ```

mod calibration;
mod factors;
mod integers;
mod neuron;
mod parameters;
mod part;
mod precision;
mod range;
mod record;
mod rounding;
mod scale;
mod scaling;
mod weights;

pub use calibration::{
    Calibrated, Calibration, Comparison, Counted, ExpectedRate, FloatModel, LayerComparison, Models, Quantity, expected,
};
pub use integers::Integers;
pub use neuron::{Bounds, NeuronParameters, ResetParameters, Widths};
pub use parameters::{LayerParameters, is_graded};
pub use part::{Change, Part, PartParameters};
pub use precision::Fineness;
pub use range::{LayerCalibration, Range};
pub use record::{RATE_BITS, Record, TargetTable, is_shown_targets};
pub use rounding::Rounding;
pub use scale::Scale;
pub use weights::RealWeights;
