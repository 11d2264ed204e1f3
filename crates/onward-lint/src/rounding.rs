//! What rounding takes away.

use crate::{Subject, neurons_of, which};
use onward_diagnostic::Diagnostic;
use onward_net::{Initial, Layer, LayerKind, Values};
use onward_quantize::LayerParameters;

/// What part of a threshold rounding may be before that is said: of what the weights of all inputs that may send are off by, taken as
/// independent; and of what decays, biases and resets do to membranes.
const LARGE: f64 = 0.25;

/// The most bits of a weight.
const MOST_BITS: u32 = 16;

/// A weight that a text gives.
struct Weight {
    output: u32,
    given: f64,
    integer: i16,
}

/// The weights that a text gives, in its order, with what became of them where nothing is averaged.
fn weights(layer: &Layer, parameters: &LayerParameters) -> Option<Vec<Weight>> {
    let integers = &parameters.weights[0];
    let outputs = parameters.outputs(layer);
    let neurons = layer.neurons() as usize;
    let inputs = integers.len() / neurons.max(1);
    let given: Vec<f64> = match (&layer.kind, &layer.weights.initial) {
        (LayerKind::Sparse(sparse), _) => match &sparse.connections {
            Values::Array(rows) => rows.values.chunks(3).map(|row| row[2]).collect(),
            _ => return None,
        },
        // The text has them by neuron, memory by input.
        (LayerKind::Dense, Initial::Given(Values::Array(array))) => {
            (0..integers.len()).map(|at| array.values[at % neurons * inputs + at / neurons]).collect()
        }
        (_, Initial::Given(Values::Array(array))) => array.values.clone(),
        (_, Initial::Given(Values::Constant(value))) => vec![*value; integers.len()],
        _ => return None,
    };
    let all = given.into_iter().zip(integers).zip(outputs);
    Some(all.map(|((given, &integer), output)| Weight { output, given, integer }).collect())
}

/// Outputs, neurons or channels, all of whose weights are 0 on the chip and were not in the text.
pub(crate) fn vanished(subject: &Subject, code: u8) -> Vec<Diagnostic> {
    let of_layer = |(layer, parameters): (&Layer, &LayerParameters)| {
        let outputs = parameters.outputs(layer).into_iter().max()? + 1;
        // Whether an output has weights, and whether it had.
        let mut has = vec![[false; 2]; outputs as usize];
        match weights(layer, parameters) {
            Some(all) => all.iter().for_each(|weight| {
                has[weight.output as usize][0] |= weight.integer != 0;
                has[weight.output as usize][1] |= weight.given != 0.0;
            }),
            None => {
                let is_drawn = matches!(layer.weights.initial, Initial::Drawn { gain, .. } if gain > 0.0);
                for (&weight, output) in parameters.weights[0].iter().zip(parameters.outputs(layer)) {
                    has[output as usize] = [has[output as usize][0] || weight != 0, is_drawn];
                }
            }
        }
        let lost: Vec<u32> =
            (0..).zip(&has).filter(|(_, has)| **has == [false, true]).map(|(output, _)| output).collect();
        if lost.is_empty() {
            return None;
        }
        let what = match &layer.kind {
            LayerKind::Convolution(_) => format!("{} of the {outputs} channels of `{}`", lost.len(), layer.name),
            _ => neurons_of(layer, &lost),
        };
        Some(
            Diagnostic::warning(code, layer.span.clone(), format!("all weights into {what} round to 0"))
                .label(format!("number {}", which(&lost)))
                .note(format!(
                    "weights of {} bits are multiplied by {} here, and these come to less than a half",
                    parameters.weight_bits,
                    parameters.scale.describe()
                ))
                .help("larger weights beside a lower threshold, more `bits`, or another `fraction`"),
        )
    };
    subject.layers().filter_map(of_layer).collect()
}

/// By how much the weights of an output are off in a step in which all its inputs send, as a part of its threshold: errors
/// are taken as independent. The greatest of a layer.
fn weights_error(layer: &Layer, parameters: &LayerParameters) -> Option<f64> {
    let mut squares = vec![0.0f64; parameters.outputs(layer).into_iter().max()? as usize + 1];
    for Weight { output, given, integer } in weights(layer, parameters)? {
        let output = output as usize;
        squares[output] += (f64::from(integer) / parameters.scale.of(output) - given).powi(2);
    }
    let each = layer.neurons() as usize / squares.len();
    let part = |(output, square): (usize, &f64)| {
        let neuron = output * each;
        let threshold = f64::from(parameters.neuron.threshold.of(neuron as u32)) / parameters.unit.of(neuron);
        (threshold > 0.0).then(|| square.sqrt() / threshold)
    };
    squares.iter().enumerate().filter_map(part).reduce(f64::max)
}

/// Rounding that is a large part of a threshold.
pub(crate) fn coarse(subject: &Subject, code: u8) -> Vec<Diagnostic> {
    let of_layer = |(layer, parameters): (&Layer, &LayerParameters)| {
        let mut warnings = Vec::new();
        if let Some(error) = weights_error(layer, parameters).filter(|&error| error > LARGE) {
            let message = format!("the rounding of weights into `{}` is a large part of a threshold", layer.name);
            warnings.push(
                Diagnostic::warning(code, layer.span.clone(), message)
                    .label(format!("{error:.2} of it, if all inputs of a neuron send"))
                    .note(format!(
                        "weights have {} bits and are multiplied by {}; what each is off by is taken as independent",
                        parameters.weight_bits,
                        parameters.scale.describe()
                    ))
                    .help("more bits: `bits` of `weights`, or --weight-bits of a NIR file"),
            );
        }
        let error = parameters.fineness.error;
        if error > LARGE {
            let message = format!("the rounding of membranes of `{}` is a large part of a threshold", layer.name);
            warnings.push(
                Diagnostic::warning(code, layer.span.clone(), message)
                    .label(format!("{error:.2} of it at most"))
                    .note(
                        "decays, biases and resets are rounded in each step, and 32 bits that hold the greatest membrane \
                         leave no more fraction bits",
                    )
                    .help("`onward calibrate` and --calibration, which take what is met for the greatest; or smaller weights"),
            );
        }
        warnings
    };
    subject.frozen().flat_map(of_layer).collect()
}

/// Weights that are whole in some unit, so that more bits would hold them as they are.
pub(crate) fn inexact(subject: &Subject, code: u8) -> Vec<Diagnostic> {
    let of_layer = |(layer, parameters): (&Layer, &LayerParameters)| {
        let weights: Vec<f64> = weights(layer, parameters)?.into_iter().map(|weight| weight.given).collect();
        if parameters.rounding.largest == 0.0 || parameters.weight_bits >= MOST_BITS {
            return None;
        }
        let largest = weights.iter().fold(0.0f64, |largest, weight| largest.max(weight.abs()));
        let whole = |bits: &i32| weights.iter().all(|weight| (weight * f64::from(*bits).exp2()).fract() == 0.0);
        let fraction = (-8..MOST_BITS as i32).find(whole)?;
        let needs = (largest * f64::from(fraction).exp2()).log2().floor() as u32 + 2;
        let bits = [8, MOST_BITS].into_iter().find(|&bits| bits >= needs && bits > parameters.weight_bits)?;
        Some(
            Diagnostic::warning(
                code,
                layer.span.clone(),
                format!("weights into `{}` are rounded that {bits} bits would hold as they are", layer.name),
            )
            .label(format!("{} bits", parameters.weight_bits))
            .note(format!("all are multiples of 2^{} and at most {largest}: they need {needs} bits", -fraction))
            .help(format!("`bits = {bits}`, or --weight-bits {bits} of a NIR file")),
        )
    };
    subject.frozen().filter_map(of_layer).collect()
}
