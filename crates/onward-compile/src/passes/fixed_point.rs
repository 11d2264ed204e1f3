//! `fixed-point`: the integer constants of each layer.

use crate::formats::{LayerFormat, LearningFormat};
use crate::parameters::LayerParameters;
use crate::pass::{Compilation, Pass};
use onward_diagnostic::Diagnostic;
use onward_net::{Layer, Learning, Network, ReadoutKind};
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) struct FixedPoint;

/// The greatest shift of an instruction.
const MOST_SHIFT: i32 = 31;

/// A layer whose updates are divided by more than an instruction can.
fn too_slow(layer: &Layer, learning: &LearningFormat) -> Option<Diagnostic> {
    let last = learning.shift + learning.anneal as i32;
    (last > MOST_SHIFT).then(|| {
        Diagnostic::new(layer.span.clone(), format!("layer `{}` learns too slowly for 32 bits", layer.name))
            .label(format!("updates are divided by up to 2^{last}"))
            .note(format!(
                "that is the rate, less the weights' fraction bits, plus twice the logarithm of the window, and {} more \
                 by the end of the run; a shift is at most {MOST_SHIFT}",
                learning.anneal
            ))
            .help("a smaller `rate`, a smaller `anneal`, or a shorter window")
    })
}

/// Whether layers learn, or are asked for the scores of classes.
fn scores_classes(network: &Network) -> bool {
    let learns = |node| network.layer(node).learning != Learning::None;
    network.readout().kind == ReadoutKind::NearestTarget || network.layers().any(learns)
}

impl Pass for FixedPoint {
    fn name(&self) -> &'static str {
        "fixed-point"
    }

    fn description(&self) -> &'static str {
        "choose each layer's fixed-point format and turn its parameters into integers"
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        let network = compilation.network();
        if !scores_classes(network) {
            let mut errors = Vec::new();
            let mut parameters = BTreeMap::new();
            for node in network.layers() {
                match LayerParameters::new(network, node, compilation.options.seed) {
                    Ok(of_layer) => drop(parameters.insert(node, of_layer)),
                    Err(error) => errors.push(error),
                }
            }
            compilation.parameters = parameters;
            return if errors.is_empty() { Ok(()) } else { Err(errors) };
        }
        let formats = network.layers().map(|node| {
            let format = LayerFormat::new(network.layer(node), network.inputs(node), network.window_steps);
            (node, format)
        });
        let formats: std::collections::BTreeMap<_, _> = formats.collect();
        let errors: Vec<Diagnostic> = formats
            .iter()
            .filter_map(|(&node, format)| too_slow(network.layer(node), format.learning.as_ref()?))
            .collect();
        compilation.formats = formats;
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn emit(&self, compilation: &Compilation) -> String {
        let network = compilation.network();
        let mut text = String::new();
        for (&node, format) in &compilation.formats {
            let LayerFormat { weight_bits, fraction_bits, threshold, one, deviation, .. } = format;
            writeln!(
                text,
                "layer {}: weights of {weight_bits} bits, {fraction_bits} of them fraction (1.0 = {one}); threshold \
                 {threshold}; drawn with deviation {:.2}",
                network.layer(node).name,
                *deviation as f64 / 65536.0
            )
            .expect("writing to memory");
            if let Some(learning) = &format.learning {
                let gate = learning.gate.map_or("none".into(), |(low, high)| format!("{low} <= voltage < {high}"));
                writeln!(
                    text,
                    "  updates / 2^{}, {} more over the run; margin {} in a full block; gate: {gate}; nudge {}",
                    learning.shift,
                    learning.anneal,
                    learning.margin(network.layer(node).block),
                    learning.nudge
                )
                .expect("writing to memory");
            }
        }
        text
    }
}
