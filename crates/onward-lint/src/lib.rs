//! What is likely a mistake in a network, though it compiles: neurons that cannot fire, weights that are rounded away,
//! saturation that is certain.
//!
//! In goes a network and the integers that the compiler made of its layers; out come warnings, each a diagnostic with a stable code,
//! a place, a reason and a remedy. What is said is certain, or a figure with its bound: no lint guesses what was meant. Layers
//! whose weights move are asked only for what learning cannot change.
//!
//! A lint is a function and a line in [`LINTS`].
//!
//! ```
//! use onward_chip::Chip;
//! use onward_compile::{Options, compile_with};
//! use onward_diagnostic::Source;
//!
//! let source = Source::new("deaf.sp", "network deaf {
//!     window = 4
//!     input x = events(2)
//!     layer y = dense(1) from x { weights = fixed { bits = 8, values = ((0.1, 0.1),) } }
//!     readout answer = spikes from y
//! }");
//! let mut warnings = Vec::new();
//! compile_with(&source, &Options::new(Chip::builtin("small").unwrap(), 1), |pass, compilation| {
//!     if pass.name == "fixed-point" {
//!         warnings = onward_lint::check(compilation);
//!     }
//! })
//! .unwrap();
//! // Four steps of 0.2 are less than the threshold of 1.
//! assert_eq!(warnings[0].code().as_deref(), Some("W02"));
//! ```

mod firing;
mod heard;
mod rounding;
mod saturation;

use onward_compile::Compilation;
use onward_diagnostic::Diagnostic;
use onward_net::{Layer, Network, NodeIndex};
use onward_quantize::LayerParameters;

/// A lint.
#[derive(Debug)]
pub struct Lint {
    /// By this it is known, in whatever version.
    pub code: u8,
    /// What it finds, in a line.
    pub description: &'static str,
    find: fn(&Subject, u8) -> Vec<Diagnostic>,
}

/// All lints, by their codes.
pub static LINTS: &[Lint] = &[
    Lint { code: 1, description: "all weights of an output round to 0", find: rounding::vanished },
    Lint { code: 2, description: "neurons can never fire", find: firing::never },
    Lint { code: 3, description: "neurons fire in every step, whatever comes in", find: firing::always },
    Lint { code: 4, description: "rounding is a large part of a threshold", find: rounding::coarse },
    Lint { code: 5, description: "weights that more bits would hold exactly are rounded", find: rounding::inexact },
    Lint { code: 6, description: "something saturates for certain", find: saturation::certain },
    Lint { code: 7, description: "what a node sends is heard by nobody", find: heard::by_nobody },
];

/// A network, and its layers in integers.
struct Subject<'a> {
    network: &'a Network,
    layers: Vec<(NodeIndex, &'a LayerParameters)>,
    /// Whether targets are shown, so that weights move or come in by projections.
    is_shown_targets: bool,
}

impl<'a> Subject<'a> {
    /// The layers with their integers.
    fn layers(&self) -> impl Iterator<Item = (&'a Layer, &'a LayerParameters)> + '_ {
        self.layers.iter().map(|&(node, parameters)| (self.network.layer(node), parameters))
    }

    /// The layers that only ever take in what their weights say.
    fn frozen(&self) -> impl Iterator<Item = (&'a Layer, &'a LayerParameters)> + '_ {
        self.layers().filter(|_| !self.is_shown_targets)
    }
}

/// Warns of what a compilation has made in its pass `fixed-point`; in the order of codes, then of layers. Nothing before it.
pub fn check(compilation: &Compilation) -> Vec<Diagnostic> {
    let lowered: Vec<_> = compilation.layers().collect();
    let Some(network) = compilation.read_network().filter(|_| !lowered.is_empty()) else { return Vec::new() };
    let is_shown_targets = lowered.iter().any(|(_, layer)| layer.record.is_some());
    let layers = lowered.into_iter().map(|(node, layer)| (node, &layer.parameters)).collect();
    let subject = Subject { network, layers, is_shown_targets };
    LINTS.iter().flat_map(|lint| (lint.find)(&subject, lint.code)).collect()
}

/// `neurons` of a layer in words, as `3 of the 16 neurons of `y``.
fn neurons_of(layer: &Layer, neurons: &[u32]) -> String {
    match (neurons.len() as u64, layer.neurons()) {
        (some, all) if some == u64::from(all) && all > 1 => format!("all {all} neurons of `{}`", layer.name),
        (_, 1) => format!("the neuron of `{}`", layer.name),
        (some, all) => format!("{some} of the {all} neurons of `{}`", layer.name),
    }
}

/// Which they are: the first few by number.
fn which(neurons: &[u32]) -> String {
    let first: Vec<String> = neurons.iter().take(4).map(u32::to_string).collect();
    let more = if neurons.len() > 4 { ", .." } else { "" };
    format!("{}{more}", first.join(", "))
}
