//! The integers of a layer that does not learn: weights, thresholds, decays, and how large its sums can become.
//!
//! This is where floating point ends for such layers. A membrane counts in units of `1 / unit`: weights are multiplied by
//! `2^fraction_bits`, and as what comes in may be an average or carry values of 0 to 255 for 0 to 1, the unit is
//! `2^fraction_bits * divisor * payload`. Where averages over several sizes meet, the smallest size is the divisor, and
//! the weights of the others are so much less. All rounding is to the nearest, halves away from zero.

use crate::calibration::{LayerCalibration, Range};
use crate::weights;
use onward_diagnostic::Diagnostic;
use onward_net::{Decay, Encoding, Initial, Layer, LayerKind, Network, Neuron, Node, PoolKind, Reset, Values};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;

/// An integer for all neurons, or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integers {
    /// The same.
    Same(i32),
    /// By neuron.
    Each(Vec<i32>),
}

/// The integers of a layer that does not learn.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerParameters {
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Weights are multiplied by 2 to the power of this.
    pub fraction_bits: i32,
    /// Sizes of the averages that come in, ascending; 1 where there is none.
    pub divisors: Vec<u64>,
    /// 255 where values come in as payloads, else 1.
    pub payload: u32,
    /// What 1.0 is on the membrane.
    pub unit: f64,
    /// Weights for what comes in by each divisor: dense `[input][neuron]`, a convolution's `[channel][channel of the
    /// group][ky][kx]`, of sparse layers one a connection.
    pub weights: Vec<Vec<i16>>,
    /// Of a sparse layer, from and to of each connection.
    pub connections: Vec<(u32, u32)>,
    /// Bits and weights, `[from][to]`, of the layer's own spikes.
    pub recurrent: Option<(u32, Vec<i16>)>,
    /// The neurons.
    pub neuron: NeuronParameters,
    /// How large sums can become.
    pub bounds: Bounds,
    /// Bits that sums are kept in.
    pub widths: Widths,
    /// What became of the weights by being rounded.
    pub rounding: Rounding,
}

/// The integers of neurons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronParameters {
    /// They fire from here on.
    pub threshold: Integers,
    /// What firing sets the membrane to; `None` if it subtracts the threshold.
    pub reset: Option<Integers>,
    /// What is left of the membrane each step, in 16 fraction bits; `None` for all of it.
    pub leak: Option<Integers>,
    /// The same of the synaptic current, if there is one.
    pub current: Option<Integers>,
    /// Steps after a spike in which the membrane stays as it is.
    pub refractory: u32,
    /// What is added each step.
    pub bias: Integers,
}

/// The greatest magnitude that quantities can have in a window, whatever the spikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Of what comes in in a step.
    pub input: f64,
    /// Of the synaptic current.
    pub current: f64,
    /// Of the membrane.
    pub membrane: f64,
}

/// Bits of memory, 16 or 32, that quantities are kept in. What they do not hold saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Of what comes in in a step.
    pub input: u32,
    /// Of the synaptic current.
    pub current: u32,
    /// Of the membrane.
    pub membrane: u32,
}

/// What rounding did to weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rounding {
    /// Weights in all.
    pub weights: usize,
    /// Weights that were beyond the greatest.
    pub clamped: usize,
    /// The greatest error, as a part of 1.0 of the network.
    pub largest: f64,
    /// The root of the mean square of the errors.
    pub root_mean_square: f64,
}

impl Integers {
    /// That of a neuron.
    pub fn of(&self, neuron: u32) -> i32 {
        match self {
            Integers::Same(value) => *value,
            Integers::Each(values) => values[neuron as usize],
        }
    }

    fn largest(&self) -> f64 {
        match self {
            Integers::Same(value) => f64::from(*value).abs(),
            Integers::Each(values) => values.iter().map(|&value| f64::from(value).abs()).fold(0.0, f64::max),
        }
    }
}

impl Bounds {
    /// Bits of memory a quantity of this magnitude takes: 16 or 32. What 32 bits do not hold saturates.
    pub fn bits(bound: f64) -> u32 {
        if bound <= f64::from(i16::MAX) { 16 } else { 32 }
    }
}

impl Widths {
    /// The widths that bounds ask for.
    fn bounding(bounds: &Bounds) -> Widths {
        Widths {
            input: Bounds::bits(bounds.input),
            current: Bounds::bits(bounds.current),
            membrane: Bounds::bits(bounds.membrane),
        }
    }

    /// The same, but 16 where what was met, times `factor`, fits. Membranes come up to thresholds and are set by resets
    /// even if no sample led there: at least `membrane` must fit.
    fn narrowed(self, met: &LayerCalibration, factor: f64, membrane: f64) -> Widths {
        let narrowed = |bits: u32, met: &Range| bits.min(Bounds::bits(met.largest * factor));
        Widths {
            input: narrowed(self.input, &met.input),
            current: met.current.as_ref().map_or(self.current, |met| narrowed(self.current, met)),
            membrane: narrowed(self.membrane, &met.membrane).max(self.membrane.min(Bounds::bits(membrane))),
        }
    }
}

/// By size of the average it is a part of, how many axons at most feed a place of a node's shape.
fn multiplicities(network: &Network, node: NodeIndex) -> BTreeMap<u64, u64> {
    let mut of_node: Vec<BTreeMap<u64, u64>> = Vec::new();
    for index in (0..=node.index()).map(NodeIndex::new) {
        let before = |at: NodeIndex| of_node[at.index()].clone();
        of_node.push(match &network.graph[index] {
            Node::Flatten(_) | Node::Delay(_) => before(network.signal(index)),
            Node::Add(_) => {
                let mut sum = BTreeMap::new();
                for source in network.sources(index) {
                    for (divisor, count) in before(source) {
                        let entry: &mut u64 = sum.entry(divisor).or_default();
                        *entry = entry.saturating_add(count);
                    }
                }
                sum
            }
            Node::Pool(pool) if pool.kind != PoolKind::Maximum => {
                let size = u64::from(pool.window[0]) * u64::from(pool.window[1]);
                let divisor = if pool.kind == PoolKind::Average { size } else { 1 };
                let pooled = before(network.signal(index)).into_iter();
                pooled.map(|(of, count)| (of.saturating_mul(divisor), count.saturating_mul(size))).collect()
            }
            _ => BTreeMap::from([(1, 1)]),
        });
    }
    of_node.swap_remove(node.index())
}

/// Whether values come from a node as payloads; an addition of such and others is none of both.
pub(crate) fn is_graded(network: &Network, node: NodeIndex) -> Result<bool, NodeIndex> {
    match &network.graph[node] {
        Node::Input(input) => Ok(input.encoding == Encoding::Current),
        Node::Flatten(_) | Node::Delay(_) => is_graded(network, network.signal(node)),
        Node::Pool(pool) if pool.kind != PoolKind::Maximum => is_graded(network, network.signal(node)),
        Node::Add(_) => {
            let mut all = network.sources(node).into_iter().map(|source| is_graded(network, source));
            let first = all.next().unwrap_or(Ok(false))?;
            for other in all {
                if other? != first {
                    return Err(node);
                }
            }
            Ok(first)
        }
        _ => Ok(false),
    }
}

/// The numbers of `values`, as many as asked for.
pub(crate) fn numbers(values: &Values, count: usize, what: &str, layer: &Layer) -> Result<Vec<f64>, Diagnostic> {
    let wrong = |message: String| Diagnostic::new(layer.span.clone(), message);
    match values {
        Values::Constant(value) => Ok(vec![*value; count]),
        Values::Array(array) if array.values.len() == count => Ok(array.values.clone()),
        Values::Array(array) => Err(wrong(format!(
            "the {what} of layer `{}` are {} numbers, there must be {count}",
            layer.name,
            array.values.len()
        ))),
        Values::File(file) => Err(Diagnostic::new(file.span.clone(), format!("`{}` was not read", file.path))
            .help("load the network's files before it is compiled")),
    }
}

/// Numbers of neurons, each turned into an integer.
fn integers(
    values: &Values,
    layer: &Layer,
    what: &str,
    to_integer: impl Fn(f64) -> f64,
) -> Result<Integers, Diagnostic> {
    let integer = |value: f64| {
        // The language keeps numbers and the format keeps units small enough; a network made by hand may not.
        to_integer(value).round().clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i32
    };
    match values {
        Values::Constant(value) => Ok(Integers::Same(integer(*value))),
        _ => {
            let all = numbers(values, layer.neurons() as usize, what, layer)?;
            Ok(Integers::Each(all.into_iter().map(integer).collect()))
        }
    }
}

fn largest_of(values: &Values) -> f64 {
    match values {
        Values::Constant(value) => value.abs(),
        Values::Array(array) => array.values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())),
        Values::File(_) => 0.0,
    }
}

/// Real weights, in the order they are kept in.
pub(crate) enum Real {
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
    fn most_fraction_bits(&self, bits: u32, factor: f64) -> i32 {
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

    /// The weights in double precision.
    pub(crate) fn numbers(self, seed: u64) -> Vec<f64> {
        match self {
            Real::Drawn { deviation, count, stream, .. } => {
                weights::normal(seed, stream, count).map(|normal| normal as f64 / 65536.0 * deviation).collect()
            }
            Real::Given(values) => values,
        }
    }

    /// The weights times `scale`, as integers of so many bits.
    fn quantize(&self, seed: u64, bits: u32, scale: f64, rounding: &mut Rounding) -> Vec<i16> {
        let max = (1i32 << (bits - 1)) - 1;
        match self {
            Real::Drawn { deviation, count, stream, .. } => {
                let deviation = (deviation * scale * 65536.0).round() as i64;
                rounding.weights += count;
                weights::draw(seed, *stream, *count, deviation, max)
            }
            Real::Given(values) => {
                let mut squares = rounding.root_mean_square.powi(2) * rounding.weights as f64;
                let quantized = values.iter().map(|value| {
                    let rounded = (value * scale).round();
                    let kept = rounded.clamp(-f64::from(max), f64::from(max));
                    rounding.clamped += usize::from(rounded.abs() > f64::from(max));
                    let error = (kept / scale - value).abs();
                    rounding.largest = rounding.largest.max(error);
                    squares += error * error;
                    kept as i16
                });
                let quantized: Vec<i16> = quantized.collect();
                rounding.weights += values.len();
                rounding.root_mean_square = (squares / rounding.weights.max(1) as f64).sqrt();
                quantized
            }
        }
    }
}

/// Drawn weights are given by seed, node and place; a layer's own spikes have a stream of their own, as targets have.
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
pub(crate) struct RealWeights {
    /// Of what comes in, as [`LayerParameters::weights`] has them.
    pub main: Real,
    /// Of a sparse layer, from and to of each connection.
    pub connections: Vec<(u32, u32)>,
    /// Bits and weights of the layer's own spikes.
    pub own: Option<(u32, Real)>,
}

impl RealWeights {
    /// The weights of the layer at `node`.
    pub(crate) fn new(network: &Network, node: NodeIndex) -> Result<RealWeights, Diagnostic> {
        let layer = network.layer(node);
        let inputs = network.inputs(node);
        let neurons = layer.neurons() as usize;
        let stream = 2 * node.index() as u32;
        let mut pairs = Vec::new();
        let main = match &layer.kind {
            LayerKind::Dense => {
                let real = real(layer, &layer.weights.initial, inputs, inputs as usize * neurons, stream)?;
                transposed(real, neurons)
            }
            LayerKind::Convolution(convolution) => {
                let [channels, ..] = crate::connect::plane(network.graph[network.signal(node)].shape());
                let of_neuron = channels / convolution.groups * convolution.kernel[0] * convolution.kernel[1];
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
                let real = real(layer, &weights.initial, layer.neurons(), neurons * neurons, stream + 1)?;
                Some((weights.bits, real))
            }
            None => None,
        };
        Ok(RealWeights { main, connections: pairs, own })
    }
}

impl LayerParameters {
    /// The integers of a layer; with what it met, and how many times more there may be, in widths that hold that.
    pub(crate) fn new(
        network: &Network,
        node: NodeIndex,
        seed: u64,
        met: Option<(&LayerCalibration, f64)>,
    ) -> Result<LayerParameters, Diagnostic> {
        let layer = network.layer(node);
        let RealWeights { main, connections, own } = RealWeights::new(network, node)?;
        let axons = multiplicities(network, network.signal(node));
        let divisors: Vec<u64> = axons.keys().copied().collect();
        let graded = is_graded(network, network.signal(node)).map_err(|at| {
            Diagnostic::new(network.graph[at].span(), "values and spikes are added".to_owned())
                .label("one source sends its values as payloads, another does not")
                .help("add them behind a layer each")
        })?;
        let payload = if graded { 255 } else { 1 };
        let ratio = divisors[0] as f64 * f64::from(payload);
        // The greatest weight fits, and so does what neurons are made of.
        let mut fraction_bits = main.most_fraction_bits(layer.weights.bits, 1.0);
        if let Some((bits, own)) = &own {
            fraction_bits = fraction_bits.min(own.most_fraction_bits(*bits, ratio));
        }
        let neuron = &layer.neuron;
        let reset = if let Reset::To(value) = &neuron.reset { largest_of(value) } else { 0.0 };
        let most = largest_of(&neuron.threshold).max(reset).max(largest_of(&neuron.bias)) * ratio;
        while fraction_bits > -24 && most * 2f64.powi(fraction_bits) >= 2f64.powi(30) {
            fraction_bits -= 1;
        }
        let scale = 2f64.powi(fraction_bits);
        let unit = scale * ratio;
        let mut rounding = Rounding::default();
        let of_divisor = |&divisor: &u64| {
            main.quantize(seed, layer.weights.bits, scale * divisors[0] as f64 / divisor as f64, &mut rounding)
        };
        let weights: Vec<Vec<i16>> = divisors.iter().map(of_divisor).collect();
        let recurrent = own.map(|(bits, own)| (bits, own.quantize(seed, bits, unit, &mut rounding)));
        let neuron = neuron_parameters(layer, neuron, unit)?;
        let mut parameters = LayerParameters {
            weight_bits: layer.weights.bits,
            fraction_bits,
            divisors,
            payload,
            unit,
            weights,
            connections,
            recurrent,
            neuron,
            bounds: Bounds { input: 0.0, current: 0.0, membrane: 0.0 },
            widths: Widths { input: 16, current: 16, membrane: 16 },
            rounding,
        };
        let counts: Vec<u64> = axons.values().copied().collect();
        let input = parameters.input_bound(layer, &counts);
        parameters.bounds = parameters.neuron.bounds(input, network.window_steps);
        parameters.widths = Widths::bounding(&parameters.bounds);
        if let Some((met, margin)) = met {
            let neuron = &parameters.neuron;
            let membrane = neuron.threshold.largest().max(neuron.reset.as_ref().map_or(0.0, Integers::largest));
            parameters.widths = parameters.widths.narrowed(met, margin * unit, membrane);
        }
        Ok(parameters)
    }

    /// The largest sum of the weights of one sign into a neuron, each as often as it can come in a step.
    fn input_bound(&self, layer: &Layer, counts: &[u64]) -> f64 {
        let outputs = match &layer.kind {
            LayerKind::Convolution(convolution) => convolution.channels as usize,
            _ => layer.neurons() as usize,
        };
        let mut sums = vec![[0i64; 2]; outputs];
        let mut add = |output: usize, weight: i16, times: i64| {
            sums[output][usize::from(weight < 0)] += i64::from(weight).abs() * times;
        };
        for (weights, &count) in self.weights.iter().zip(counts) {
            let times = (count.min(1 << 30) as i64) * i64::from(self.payload);
            match &layer.kind {
                LayerKind::Dense => {
                    for row in weights.chunks(outputs) {
                        row.iter().enumerate().for_each(|(neuron, &weight)| add(neuron, weight, times));
                    }
                }
                LayerKind::Convolution(_) => {
                    let of_channel = (weights.len() / outputs).max(1);
                    weights.iter().enumerate().for_each(|(at, &weight)| add(at / of_channel, weight, times));
                }
                LayerKind::Sparse(_) => {
                    for (&(_, to), &weight) in self.connections.iter().zip(weights) {
                        add(to as usize, weight, times);
                    }
                }
            }
        }
        let largest = |sums: &[[i64; 2]]| sums.iter().flatten().copied().max().unwrap_or(0) as f64;
        let own = self.recurrent.as_ref().map_or(0.0, |(_, weights)| {
            let mut sums = vec![[0i64; 2]; layer.neurons() as usize];
            for row in weights.chunks(sums.len()) {
                for (sums, &weight) in sums.iter_mut().zip(row) {
                    sums[usize::from(weight < 0)] += i64::from(weight).abs();
                }
            }
            largest(&sums)
        });
        largest(&sums) + own
    }
}

/// The integers of neurons whose membranes have `unit` for 1.0.
pub(crate) fn neuron_parameters(layer: &Layer, neuron: &Neuron, unit: f64) -> Result<NeuronParameters, Diagnostic> {
    let of = |values: &Values, what: &str| integers(values, layer, what, |value| value * unit);
    let decay = |decay: &Decay, what: &str| match decay {
        Decay::None => Ok(None),
        Decay::Shift(shift) => Ok(Some(Integers::Same(65536 - (65536 >> shift)))),
        Decay::Spread(least, most) => {
            let spread = crate::spread::factors(*least, *most, layer.block);
            let of = |neuron: usize| (spread[neuron % spread.len()] * 65536.0).round() as i32;
            Ok(Some(Integers::Each((0..layer.neurons() as usize).map(of).collect())))
        }
        Decay::Factor(values) => integers(values, layer, what, |value| value * 65536.0).map(Some),
    };
    let threshold = match of(&neuron.threshold, "thresholds")? {
        Integers::Same(value) => Integers::Same(value.max(1)),
        Integers::Each(values) => Integers::Each(values.into_iter().map(|value| value.max(1)).collect()),
    };
    let current = match &neuron.current {
        None => None,
        Some(of) => Some(decay(of, "factors of the current")?.unwrap_or(Integers::Same(65536))),
    };
    let reset = match &neuron.reset {
        Reset::Subtract => None,
        Reset::To(values) => Some(of(values, "resets")?),
    };
    Ok(NeuronParameters {
        threshold,
        reset,
        leak: decay(&neuron.leak, "leaks")?,
        current,
        refractory: neuron.refractory,
        bias: of(&neuron.bias, "biases")?,
    })
}

impl NeuronParameters {
    /// What comes of inputs of at most `input` a step, over a window.
    fn bounds(&self, input: f64, window: u32) -> Bounds {
        // The sum of the powers of a factor, as far as a window is long.
        let steps = |decay: Option<&Integers>| {
            let left = decay.map_or(1.0, |decay| decay.largest() / 65536.0);
            if left < 1.0 { f64::from(window).min(1.0 / (1.0 - left)) } else { f64::from(window) }
        };
        let current = self.current.as_ref().map_or(0.0, |decay| input * steps(Some(decay)));
        let grows = if self.current.is_some() { current } else { input } + self.bias.largest();
        let reset = self.reset.as_ref().map_or(0.0, Integers::largest);
        Bounds { input, current, membrane: grows * steps(self.leak.as_ref()) + reset }
    }
}
