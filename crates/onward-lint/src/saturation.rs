//! What saturates whatever the samples are.

use crate::firing::{Drive, chosen};
use crate::{Subject, neurons_of, which};
use onward_diagnostic::Diagnostic;
use onward_net::Layer;
use onward_quantize::{LayerParameters, ResetParameters};

/// The greatest integer that a membrane is.
const MOST: f64 = i32::MAX as f64;

pub(crate) fn certain(subject: &Subject, code: u8) -> Vec<Diagnostic> {
    let mut warnings: Vec<Diagnostic> = subject.layers().filter_map(|layer| clamped(layer, code)).collect();
    let window = subject.network.window_steps;
    warnings.extend(subject.frozen().filter_map(|layer| membranes(layer, window, code)));
    warnings
}

/// Weights beyond the greatest that their bits hold.
fn clamped((layer, parameters): (&Layer, &LayerParameters), code: u8) -> Option<Diagnostic> {
    let clamped = parameters.rounding.clamped;
    (clamped > 0).then(|| {
        let (are, s) = if clamped == 1 { ("is", "") } else { ("are", "s") };
        Diagnostic::warning(
            code,
            layer.span.clone(),
            format!("{clamped} weight{s} into `{}` {are} beyond the greatest that its bits hold", layer.name),
        )
        .label(format!("{} bits, times {}", parameters.weight_bits, parameters.scale.describe()))
        .note("they become the greatest")
        .help("more `bits`, or fewer of `fraction`")
    })
}

/// Membranes that come to the end of 32 bits in each window.
fn membranes((layer, parameters): (&Layer, &LayerParameters), window: u32, code: u8) -> Option<Diagnostic> {
    let full = chosen(layer, |neuron| {
        let Drive { least, most, remembers, threshold } = Drive::new(layer, parameters, window, neuron);
        // What it is lowered by in each step, if it fires in each.
        let lowered = match &parameters.neuron.reset {
            ResetParameters::SubtractThreshold => threshold,
            ResetParameters::Subtract { amount, .. } => f64::from(amount.of(neuron)),
            ResetParameters::To(_) => return most < 0.0 && -most * remembers > MOST + 1.0,
            ResetParameters::None => 0.0,
        };
        let rises = least - lowered.max(0.0);
        rises * remembers > MOST || most < 0.0 && -most * remembers > MOST + 1.0
    });
    (!full.is_empty()).then(|| {
        Diagnostic::warning(
            code,
            layer.span.clone(),
            format!("the membranes of {} saturate in every window", neurons_of(layer, &full)),
        )
        .label(format!("neuron {}", which(&full)))
        .note(format!("whatever comes in, they pass the ends of 32 bits within {window} steps"))
        .help("a shorter window, a leak, or a bias nearer to 0")
    })
}
