//! Weights, first in real numbers, then in integers: given by the text, or drawn, the same on every machine.
//!
//! A drawn weight is the sum of twelve uniform 16-bit numbers, less its mean (Irwin and Hall: standard deviation 2^16, never
//! beyond 6 of them), times the deviation wanted. It is a function of seed, layer and place in the layer, so no
//! partition changes it.

use crate::integers::numbers;
use crate::rounding::{Rounding, nearest};
use onward_diagnostic::Diagnostic;
use onward_isa::random::block_seed;
use onward_net::{Initial, Layer, LayerKind, Network, Values};
use petgraph::graph::NodeIndex;

/// Real weights, in the order they are kept in.
pub enum Real {
    /// Drawn: the standard deviation.
    Drawn {
        deviation: f64,
        fraction: Option<u32>,
        count: usize,
        stream: u32,
    },
    Given(Vec<f64>),
}

impl Real {
    /// The most fraction bits with which the weights, times `factor`, fit.
    pub(crate) fn most_fraction_bits(&self, bits: u32, factor: f64) -> i32 {
        let usual = bits as i32 - if bits > 8 { 4 } else { 2 };
        match self {
            Real::Drawn { fraction, .. } => fraction.map_or(usual, |fraction| fraction as i32),
            Real::Given(values) => {
                let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())) * factor;
                if largest == 0.0 {
                    return usual;
                }
                let most = f64::from((1 << (bits - 1)) - 1);
                (-24..=24).rev().find(|&fraction| (largest * 2f64.powi(fraction)).round() <= most).unwrap_or(-24)
            }
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Real::Drawn { count, .. } => *count,
            Real::Given(values) => values.len(),
        }
    }

    /// The weights in double precision.
    pub fn numbers(self, seed: u64) -> Vec<f64> {
        match self {
            Real::Drawn { deviation, count, stream, .. } => {
                normal(seed, stream, count).map(|normal| normal as f64 / 65536.0 * deviation).collect()
            }
            Real::Given(values) => values,
        }
    }

    /// The weights times `scale`, each by itself an integer of so many bits.
    pub(crate) fn quantize(&self, seed: u64, bits: u32, scale: f64, rounding: &mut Rounding) -> Vec<i16> {
        let max = (1i32 << (bits - 1)) - 1;
        match self {
            Real::Drawn { deviation, count, stream, .. } => {
                let deviation = (deviation * scale * 65536.0).round() as i64;
                rounding.weights += count;
                draw(seed, *stream, *count, deviation, max)
            }
            Real::Given(values) => nearest(values, bits, scale, rounding),
        }
    }
}

/// The stream that a target's projection is drawn from, beside that of the layer's weights.
fn target_stream(stream: u32) -> u32 {
    stream + 1
}

/// The stream that weights of a layer's own spikes are drawn from: the target's, unless that is taken.
fn own_stream(stream: u32, is_fed_by_target: bool) -> u32 {
    if is_fed_by_target { stream | 1 << 31 } else { target_stream(stream) }
}

/// The stream that the entries of a target's table are drawn from.
pub(crate) fn table_stream(stream: u32) -> u32 {
    target_stream(stream) | 1 << 31
}

/// Weights as the text says: drawn ones are given by seed, stream and place.
fn real(layer: &Layer, initial: &Initial, inputs: u32, count: usize, stream: u32) -> Result<Real, Diagnostic> {
    match initial {
        &Initial::Drawn { gain, fraction } => {
            let deviation = gain * (2.0 / f64::from(inputs.max(1))).sqrt();
            Ok(Real::Drawn { deviation, fraction, count, stream })
        }
        Initial::Given(values) => Ok(Real::Given(numbers(values, count, "weights", layer)?)),
    }
}

/// Dense weights are given by neuron and kept by input, as rows lie in memory.
fn transposed(real: Real, neurons: usize) -> Real {
    match real {
        Real::Given(values) if neurons > 0 => {
            let inputs = values.len() / neurons;
            Real::Given((0..values.len()).map(|at| values[at % neurons * inputs + at / neurons]).collect())
        }
        drawn => drawn,
    }
}

/// From, to and weight of each connection of a sparse layer.
fn connections(layer: &Layer, values: &Values, inputs: u32) -> Result<(Vec<(u32, u32)>, Real), Diagnostic> {
    let rows = match values {
        Values::Array(array) => array.values.len() / 3,
        _ => 0,
    };
    let all = numbers(values, rows * 3, "connections", layer)?;
    let mut pairs = Vec::new();
    let mut real = Vec::new();
    for row in all.chunks_exact(3) {
        let place = |value: f64, end: u32| (value >= 0.0 && value < f64::from(end)).then_some(value as u32);
        let (Some(from), Some(to)) = (place(row[0], inputs), place(row[1], layer.neurons())) else {
            return Err(Diagnostic::new(
                layer.span.clone(),
                format!("layer `{}` has a connection from {} to {}", layer.name, row[0], row[1]),
            )
            .label(format!("connections go from 0..{inputs} to 0..{}", layer.neurons())));
        };
        pairs.push((from, to));
        real.push(row[2]);
    }
    Ok((pairs, Real::Given(real)))
}

/// The weights of a layer before they are rounded.
pub struct RealWeights {
    /// Of what comes in, as [`LayerParameters::weights`] has them.
    pub main: Real,
    /// Of a sparse layer, from and to of each connection.
    pub connections: Vec<(u32, u32)>,
    /// Bits and weights of the layer's own spikes.
    pub own: Option<(u32, Real)>,
    /// Those of the target's projection, `[class][neuron]`, if it has one into the layer: much larger than others.
    pub target: Option<Real>,
}

impl RealWeights {
    /// The weights of the layer at `node`.
    ///
    /// # Errors
    /// Arrays that do not fit the layer.
    pub fn new(network: &Network, node: NodeIndex) -> Result<RealWeights, Diagnostic> {
        let layer = network.layer(node);
        let inputs = network.inputs(node);
        let neurons = layer.neurons() as usize;
        let stream = 2 * layer.stream.unwrap_or(node.index() as u32);
        let mut pairs = Vec::new();
        let main = match &layer.kind {
            LayerKind::Dense => {
                let real = real(layer, &layer.weights.initial, inputs, inputs as usize * neurons, stream)?;
                transposed(real, neurons)
            }
            LayerKind::Convolution(convolution) => {
                let of_neuron = network.fan_in(node);
                let count = of_neuron as usize * convolution.channels as usize;
                real(layer, &layer.weights.initial, of_neuron, count, stream)?
            }
            LayerKind::Sparse(sparse) => {
                let (from_to, real) = connections(layer, &sparse.connections, inputs)?;
                pairs = from_to;
                real
            }
        };
        let own = match &layer.recurrent {
            Some(weights) => {
                let stream = own_stream(stream, network.is_fed_by_target(node));
                let real = real(layer, &weights.initial, layer.neurons(), neurons * neurons, stream)?;
                Some((weights.bits, real))
            }
            None => None,
        };
        let target = network.is_fed_by_target(node).then(|| {
            let deviation = if matches!(layer.kind, LayerKind::Convolution(_)) { 0.3 } else { 1.0 };
            let count = network.classes() as usize * neurons;
            Real::Drawn { deviation, fraction: None, count, stream: target_stream(stream) }
        });
        Ok(RealWeights { main, connections: pairs, own, target })
    }
}

/// `count` weights of the layer in `stream`, rounded to the nearest (halves up) and clamped to `-max..=max`.
///
/// `deviation` is the standard deviation with 16 fraction bits.
fn draw(seed: u64, stream: u32, count: usize, deviation: i64, max: i32) -> Vec<i16> {
    let weight = |normal: i64| {
        let value = (normal * deviation + (1 << 31)) >> 32;
        value.clamp(-i64::from(max), i64::from(max)) as i16
    };
    normal(seed, stream, count).map(weight).collect()
}

/// `count` numbers of the layer in `stream`, about normal with the standard deviation 2^16.
fn normal(seed: u64, stream: u32, count: usize) -> impl Iterator<Item = i64> {
    // The output function of SplitMix64 serves both: once for the stream's seed, then three times a weight.
    let stream_seed = block_seed(!seed, stream);
    (0..count).map(move |at| {
        let uniform = (0..3u32).flat_map(|part| {
            let bits = block_seed(stream_seed.wrapping_add((at as u64) << 20), part);
            [bits & 0xffff, bits >> 16 & 0xffff, bits >> 32 & 0xffff, bits >> 48]
        });
        uniform.sum::<u64>() as i64 - 12 * 65535 / 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_asked_for() {
        let weights = draw(1, 0, 100_000, 1000 << 16, i32::MAX >> 16);
        let n = weights.len() as f64;
        let mean = weights.iter().map(|&w| f64::from(w)).sum::<f64>() / n;
        let variance = weights.iter().map(|&w| (f64::from(w) - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 3.0 * 1000.0 / n.sqrt(), "mean {mean}");
        assert!((variance.sqrt() / 1000.0 - 1.0).abs() < 0.01, "deviation {}", variance.sqrt());
    }

    #[test]
    fn seeds_and_streams_differ() {
        let of = |seed, stream| draw(seed, stream, 64, 1000 << 16, i32::MAX >> 16);
        assert_eq!(of(1, 2), of(1, 2));
        assert_ne!(of(1, 2), of(2, 2));
        assert_ne!(of(1, 2), of(1, 3));
    }
}
