//! Neurons that can never fire, or cannot help it.

use crate::{Subject, neurons_of, which};
use onward_diagnostic::Diagnostic;
use onward_net::{Initial, Layer, LayerKind};
use onward_quantize::{Integers, LayerParameters, ResetParameters};

/// Between what a neuron's membrane can be moved in a step, and for how many steps that adds up.
pub(crate) struct Drive {
    /// The least that a step adds, in the integers of the membrane.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// Steps that add up, by leak and window.
    pub remembers: f64,
    /// The least membrane that fires.
    pub threshold: f64,
}

impl Drive {
    pub(crate) fn new(layer: &Layer, parameters: &LayerParameters, window: u32, neuron: u32) -> Drive {
        let of = &parameters.neuron;
        let window = f64::from(window);
        let steps = |left: &Option<Integers>| {
            let left = left.as_ref().map_or(1.0, |left| f64::from(left.of(neuron)) / 65536.0);
            if left < 1.0 { window.min(1.0 / (1.0 - left)) } else { window }
        };
        let outputs = parameters.reach.len() as u32;
        let [up, down] = parameters.reach[(neuron / (layer.neurons() / outputs).max(1)) as usize];
        let more = f64::from(parameters.finer).exp2();
        let lasts = if of.current.is_some() { steps(&of.current) } else { 1.0 };
        let start = if of.current.is_some() { f64::from(of.current_start.of(neuron)) } else { 0.0 };
        let bias = f64::from(of.bias.of(neuron));
        Drive {
            least: bias - down as f64 * more * lasts + start.min(0.0),
            most: bias + up as f64 * more * lasts + start.max(0.0),
            remembers: steps(&of.leak),
            threshold: f64::from(of.threshold.of(neuron)),
        }
    }

    /// The greatest that a membrane which never fired can be.
    fn reaches(&self) -> f64 {
        self.most.max(0.0) * self.remembers
    }
}

/// The neurons of a layer for which something holds.
pub(crate) fn chosen(layer: &Layer, holds: impl Fn(u32) -> bool) -> Vec<u32> {
    (0..layer.neurons()).filter(|&neuron| holds(neuron)).collect()
}

/// Even if all that can lift their membranes came in in every step of a window.
pub(crate) fn never(subject: &Subject, code: u8) -> Vec<Diagnostic> {
    let window = subject.network.window_steps;
    let of_layer = |(layer, parameters): (&Layer, &LayerParameters)| {
        let drive = |neuron| Drive::new(layer, parameters, window, neuron);
        let silent = chosen(layer, |neuron| {
            let drive = drive(neuron);
            drive.reaches() < drive.threshold
        });
        let first = drive(*silent.first()?);
        // Some of many that are drawn are silent by chance; nobody chose these.
        let is_drawn =
            matches!(layer.weights.initial, Initial::Drawn { .. }) && !matches!(layer.kind, LayerKind::Sparse(_));
        if is_drawn && silent.len() < layer.neurons() as usize {
            return None;
        }
        let part = first.reaches() / first.threshold;
        Some(
            Diagnostic::warning(code, layer.span.clone(), format!("{} can never fire", neurons_of(layer, &silent)))
                .label(format!("neuron {}", which(&silent)))
                .note(format!(
                    "if all that lifts it came in in each of the {window} steps of a window, the membrane of neuron {} would \
                     reach {part:.3} of its threshold",
                    silent[0]
                ))
                .help("larger weights or a bias, a lower threshold, a longer window; or leave them out"),
        )
    };
    subject.frozen().filter_map(of_layer).collect()
}

/// Even if all that can lower their membranes came in in every step.
pub(crate) fn always(subject: &Subject, code: u8) -> Vec<Diagnostic> {
    let window = subject.network.window_steps;
    let of_layer = |(layer, parameters): (&Layer, &LayerParameters)| {
        let of = &parameters.neuron;
        if !of.parts.is_empty() {
            return None;
        }
        let loud = chosen(layer, |neuron| {
            let Drive { least, threshold, .. } = Drive::new(layer, parameters, window, neuron);
            let left = of.leak.as_ref().map_or(1.0, |left| f64::from(left.of(neuron)) / 65536.0);
            // What a spike leaves of a membrane that was at its threshold.
            let after = match &of.reset {
                ResetParameters::To(values) => f64::from(values.of(neuron)),
                ResetParameters::Subtract { amount, .. } => threshold - f64::from(amount.of(neuron)),
                ResetParameters::SubtractThreshold => 0.0,
                ResetParameters::None => threshold,
            };
            least >= threshold && least + (after * left).min(after).min(0.0) >= threshold
        });
        let rests = if of.refractory > 0 { " in which it does not rest" } else { "" };
        (!loud.is_empty()).then(|| {
            Diagnostic::warning(
                code,
                layer.span.clone(),
                format!("{} fire in every step{rests}, whatever comes in", neurons_of(layer, &loud)),
            )
            .label(format!("neuron {}", which(&loud)))
            .note(
                "even if all that lowers them came in in each step, bias and reset alone leave their membranes at the \
                 threshold or above it",
            )
            .help("a smaller bias, or a higher threshold")
        })
    };
    subject.frozen().filter_map(of_layer).collect()
}
