//! The integers of a layer: weights, thresholds, decays, and how large its sums can become.
//!
//! This is where floating point ends. A membrane counts in units of `1 / unit`: weights are multiplied by a scale, and as what
//! comes in may be an average or carry values of 0 to 255 for 0 to 1, the unit is `scale * divisor * payload`, and `2^finer` times
//! that where a membrane is finer than a weight. Where averages over several sizes meet, the smallest size is the divisor, and
//! the weights of the others are so much less. Numbers of neurons are rounded to the nearest, halves away from zero; so are
//! weights, but for those that keep the sum of all ([`crate::rounding`]).
//!
//! Where the network is shown targets, scales are powers of two that follow from what weights are drawn by, as weights move. Else
//! they are chosen for the weights ([`crate::scaling`]), and how fine membranes are for the neurons ([`crate::precision`]).

use crate::integers::largest_of;
use crate::neuron::{Bounds, NeuronParameters, Widths, neuron_parameters};
use crate::part::{Given, parts};
use crate::precision::{Fineness, Precision};
use crate::range::LayerCalibration;
use crate::record::{Record, TargetTable, is_shown_targets, target_weights};
use crate::rounding::{Grid, Rounding, rounded};
use crate::scale::Scale;
use crate::scaling::Weighed;
use crate::weights::{Real, RealWeights};
use onward_diagnostic::Diagnostic;
use onward_net::{
    Encoding, Initial, Layer, LayerKind, Learning, Lowering, Network, Node, PoolKind, Reset, Rule, Values, When,
};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;

/// The most fraction bits of a weight.
const MOST_FRACTION_BITS: u32 = 15;

/// Fraction bits of a membrane, at least, where biases are learned.
const MEMBRANE_FRACTION_BITS: u32 = 12;

/// The integers of a layer: of its weights, and of its neurons.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerParameters {
    /// Bits of a weight.
    pub weight_bits: u32,
    /// What weights are multiplied by: the same for all, or by neuron, of a convolution by channel.
    pub scale: Scale,
    /// Sizes of the averages that come in, ascending; 1 where there is none.
    pub divisors: Vec<u64>,
    /// 255 where values come in as payloads, else 1.
    pub payload: u32,
    /// How many more fraction bits a membrane, a voltage or a bias has than the sum of what comes in.
    pub finer: u32,
    /// What 1.0 is on the membrane, by neuron.
    pub unit: Scale,
    /// Weights for what comes in by each divisor: dense `[input][neuron]`, a convolution's `[channel][channel of the
    /// group][ky][kx]`, of sparse layers one a connection.
    pub weights: Vec<Vec<i16>>,
    /// Of a sparse layer, from and to of each connection.
    pub connections: Vec<(u32, u32)>,
    /// Bits and weights, `[from][to]`, of the layer's own spikes.
    pub recurrent: Option<(u32, Vec<i16>)>,
    /// The neurons.
    pub neuron: NeuronParameters,
    /// How large sums can become while weights stay as they are.
    pub bounds: Bounds,
    /// Bits that sums are kept in.
    pub widths: Widths,
    /// What became of the weights by being rounded.
    pub rounding: Rounding,
    /// By output, the greatest sums of its weights above and below 0 that can come in in a step.
    pub reach: Vec<[i64; 2]>,
    /// How fine membranes are, where that was chosen.
    pub fineness: Fineness,
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
            Node::Concat(_) => {
                let mut most = BTreeMap::new();
                for (divisor, count) in network.sources(index).into_iter().flat_map(before) {
                    let entry: &mut u64 = most.entry(divisor).or_default();
                    *entry = count.max(*entry);
                }
                most
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

/// Whether values come from a node as payloads.
///
/// # Errors
/// The node of an addition of such and others.
pub fn is_graded(network: &Network, node: NodeIndex) -> Result<bool, NodeIndex> {
    match &network.graph[node] {
        Node::Input(input) => Ok(input.encoding == Encoding::Current),
        Node::Flatten(_) | Node::Delay(_) => is_graded(network, network.signal(node)),
        Node::Pool(pool) if pool.kind != PoolKind::Maximum => is_graded(network, network.signal(node)),
        Node::Add(_) | Node::Concat(_) => {
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

/// Fraction bits of the weights of a layer in a network that is shown targets.
#[derive(Clone, Copy)]
struct LearnedFormat {
    /// Of a weight. There may be more than a weight has bits: the highest are 0 then.
    fraction_bits: u32,
    /// How many more a membrane has.
    finer: u32,
    /// How many less a weight of the target's projection has, which is drawn much larger.
    target_coarser: u32,
}

impl LearnedFormat {
    /// The format of a layer whose neurons have `inputs` weights beside the target's: as for drawn weights even where they are
    /// given, so that what was learned comes back in the same format.
    fn new(layer: &Layer, inputs: u32) -> LearnedFormat {
        let bits = layer.weights.bits;
        let (gain, fraction) = match layer.weights.initial {
            Initial::Drawn { gain, fraction } => (gain, fraction),
            Initial::Given(_) => (1.0, None),
        };
        let widest = widest_fraction_bits(bits);
        // Where a layer learns while its input is shown, or adds up in memory, all has one binary point.
        let at_steps = matches!(layer.learning, Learning::Rule(Rule { when: When::Steps { .. }, .. }));
        if at_steps || layer.kind != LayerKind::Dense {
            return LearnedFormat { fraction_bits: fraction.unwrap_or(widest), finer: 0, target_coarser: 0 };
        }
        let deviation = gain * (2.0 / f64::from(inputs)).sqrt();
        let fraction_bits = fraction.unwrap_or_else(|| usual_fraction_bits(bits, deviation));
        LearnedFormat {
            fraction_bits,
            finer: MEMBRANE_FRACTION_BITS.saturating_sub(fraction_bits),
            target_coarser: fraction_bits - fraction_bits.min(widest),
        }
    }
}

/// Fraction bits of weights that may be as large as 2 (8 for 16 bits).
fn widest_fraction_bits(bits: u32) -> u32 {
    if bits > 8 { bits - 4 } else { bits - 2 }
}

/// The fraction bits of weights that are drawn with that deviation. Coarse weights learn best where they are as fine as leaves
/// room for 3 deviations.
fn usual_fraction_bits(bits: u32, deviation: f64) -> u32 {
    let widest = widest_fraction_bits(bits);
    if bits > 8 {
        return widest;
    }
    let largest = f64::from((1 << (bits - 1)) - 1);
    let fits = |fraction_bits: &u32| largest / f64::from(1 << fraction_bits) >= 3.0 * deviation;
    (widest..=MOST_FRACTION_BITS).take_while(fits).last().unwrap_or(widest)
}

/// The most fraction bits with which the greatest weight fits, and so does what neurons are made of.
fn fitting_fraction_bits(layer: &Layer, weights: &RealWeights, ratio: f64) -> i32 {
    let mut fraction_bits = weights.main.most_fraction_bits(layer.weights.bits, 1.0);
    if let Some((bits, own)) = &weights.own {
        fraction_bits = fraction_bits.min(own.most_fraction_bits(*bits, ratio));
    }
    let most = numbers_of(layer).into_iter().map(largest_of).fold(0.0, f64::max) * ratio;
    while fraction_bits > -24 && most * 2f64.powi(fraction_bits) >= 2f64.powi(30) {
        fraction_bits -= 1;
    }
    fraction_bits
}

/// The numbers of neurons that membranes are compared with, or become.
fn numbers_of(layer: &Layer) -> Vec<&Values> {
    let neuron = &layer.neuron;
    let mut all = vec![&neuron.threshold, &neuron.current_start, &neuron.bias];
    if let Reset::To(values) | Reset::Subtract(Lowering { amount: Some(values), .. }) = &neuron.reset {
        all.push(values);
    }
    for (_, given) in parts(neuron) {
        all.extend(
            given
                .into_iter()
                .filter_map(|given| if let Given::Voltage(values, _) = given { Some(values) } else { None }),
        );
    }
    all
}

/// The scales of weights that are given, where the network is not shown targets.
fn chosen_scale(layer: &Layer, real: &RealWeights, outputs: &[u32], ratio: f64, usual: f64) -> Scale {
    let (Real::Given(weights), None | Some((_, Real::Given(_)))) = (&real.main, &real.own) else {
        return Scale::Same(usual);
    };
    let count = outputs_of(layer);
    let each = layer.neurons() as usize / count;
    // The greatest of an output's neurons.
    let greatest = |values: &Values| -> Vec<f64> {
        match values {
            Values::Array(array) => {
                array.values.chunks(each).map(|of| of.iter().fold(0.0, |a: f64, b| a.max(b.abs()))).collect()
            }
            values => vec![largest_of(values); count],
        }
    };
    let mut numbers = vec![0.0f64; count];
    for values in numbers_of(layer) {
        numbers.iter_mut().zip(greatest(values)).for_each(|(most, value)| *most = most.max(value * ratio));
    }
    let own = real.own.as_ref().and_then(|(bits, own)| {
        let Real::Given(own) = own else { return None };
        let of = |neuron: usize| own.chunks(count).map(|row| row[neuron].abs()).fold(0.0, f64::max) * ratio;
        Some(((0..count).map(of).collect(), *bits))
    });
    let threshold = |most: f64| if most > 0.0 { most } else { 1.0 };
    let weighed = Weighed {
        weights,
        outputs,
        taps: taps_of(layer),
        bits: layer.weights.bits,
        own,
        numbers,
        thresholds: greatest(&layer.neuron.threshold).into_iter().map(threshold).collect(),
        usual,
    };
    weighed.best()
}

/// Outputs that weights are of: neurons, of a convolution channels.
fn outputs_of(layer: &Layer) -> usize {
    match &layer.kind {
        LayerKind::Convolution(convolution) => convolution.channels as usize,
        LayerKind::Dense | LayerKind::Sparse(_) => layer.neurons() as usize,
    }
}

/// Weights of a kernel for a channel of what comes in.
fn taps_of(layer: &Layer) -> usize {
    match &layer.kind {
        LayerKind::Convolution(convolution) => (convolution.kernel[0] * convolution.kernel[1]) as usize,
        LayerKind::Dense | LayerKind::Sparse(_) => 1,
    }
}

/// The output that each of so many weights is of, in the order they are kept in.
fn outputs_of_weights(layer: &Layer, connections: &[(u32, u32)], count: usize) -> Vec<u32> {
    let outputs = outputs_of(layer);
    match &layer.kind {
        LayerKind::Dense => (0..count).map(|at| (at % outputs) as u32).collect(),
        LayerKind::Convolution(_) => {
            let of_channel = (count / outputs).max(1);
            (0..count).map(|at| (at / of_channel) as u32).collect()
        }
        LayerKind::Sparse(_) => connections.iter().map(|&(_, to)| to).collect(),
    }
}

impl LayerParameters {
    /// The integers of the layer at `node`, and of what it keeps of windows if it keeps anything; drawn weights by `seed`. With
    /// what it met in samples, and how many times more there may be, widths hold that.
    ///
    /// # Errors
    /// Arrays that do not fit the layer; values that come in together with spikes.
    pub fn new(
        network: &Network,
        node: NodeIndex,
        seed: u64,
        met: Option<(&LayerCalibration, f64)>,
    ) -> Result<(LayerParameters, Option<Record>), Diagnostic> {
        let layer = network.layer(node);
        let real = RealWeights::new(network, node)?;
        let axons = multiplicities(network, network.signal(node));
        let divisors: Vec<u64> = axons.keys().copied().collect();
        let graded = is_graded(network, network.signal(node)).map_err(|at| {
            Diagnostic::new(network.graph[at].span(), "values and spikes are added".to_owned())
                .label("one source sends its values as payloads, another does not")
                .help("add them behind a layer each")
        })?;
        let payload = if graded { 255 } else { 1 };
        let ratio = divisors[0] as f64 * f64::from(payload);
        let learned = is_shown_targets(network).then(|| LearnedFormat::new(layer, network.fan_in(node)));
        let outputs = outputs_of_weights(layer, &real.connections, real.main.count());
        let scale = match learned {
            Some(format) => Scale::Same(2f64.powi(format.fraction_bits as i32)),
            None => {
                let usual = 2f64.powi(fitting_fraction_bits(layer, &real, ratio));
                chosen_scale(layer, &real, &outputs, ratio, usual)
            }
        };
        let each = layer.neurons() as usize / outputs_of(layer);
        let mut rounding = Rounding::default();
        // Numbers that are learned are rounded one by one.
        let mut integers = |real: &Real, bits: u32, outputs: &[u32], taps: usize, factor: f64| match real {
            Real::Given(weights) if learned.is_none() => {
                let grid = Grid { bits, scale: &scale, factor, outputs, taps };
                rounded(weights, &grid, &mut rounding)
            }
            real => real.quantize(seed, bits, scale.greatest() * factor, &mut rounding),
        };
        let of_divisor = |&divisor: &u64| {
            let factor = divisors[0] as f64 / divisor as f64;
            integers(&real.main, layer.weights.bits, &outputs, taps_of(layer), factor)
        };
        let weights: Vec<Vec<i16>> = divisors.iter().map(of_divisor).collect();
        let recurrent = real.own.as_ref().map(|(bits, own)| {
            let neurons = layer.neurons();
            let outputs: Vec<u32> = (0..own.count() as u32).map(|at| at % neurons / each as u32).collect();
            (*bits, integers(own, *bits, &outputs, 1, ratio))
        });
        let finer = learned.map_or(0, |format| format.finer);
        let unit = scale.of_neurons(each, ratio * f64::from(1 << finer));
        let mut parameters = LayerParameters {
            weight_bits: layer.weights.bits,
            neuron: neuron_parameters(layer, &unit)?,
            scale,
            divisors,
            payload,
            finer,
            unit,
            weights,
            connections: real.connections,
            recurrent,
            bounds: Bounds::ANY,
            widths: Widths::WORDS,
            rounding,
            reach: Vec::new(),
            fineness: Fineness::default(),
        };
        if let Some(format) = learned {
            // Weights may come to be anything, so nothing is narrower than a word.
            let target_coarser = format.target_coarser;
            let target = real.target.as_ref();
            let fraction_bits = (format.fraction_bits - target_coarser) as i32;
            let target_weights = target.map(|real| target_weights(layer, real, fraction_bits, seed));
            let table = TargetTable::new(network, node, seed);
            return Ok((
                parameters,
                Some(Record { classes: network.classes(), target_coarser, target_weights, table }),
            ));
        }
        let counts: Vec<u64> = axons.values().copied().collect();
        parameters.refine(layer, &counts, network.window_steps, met)?;
        Ok((parameters, None))
    }

    /// Makes membranes as fine as they are to be, and finds how large sums can become.
    fn refine(
        &mut self,
        layer: &Layer,
        counts: &[u64],
        window: u32,
        met: Option<(&LayerCalibration, f64)>,
    ) -> Result<(), Diagnostic> {
        self.reach = self.reach(layer, counts);
        let input = self.reach.iter().flatten().copied().max().unwrap_or(0) as f64;
        let coarse = self.unit.greatest();
        let precision = Precision { layer, unit: self.unit.clone(), parameters: &self.neuron, window };
        let (numbers, bounds) = (self.neuron.largest(), self.neuron.bounds(input, 0, window));
        let magnitude = |finer: u32| {
            let more = f64::from(finer).exp2();
            let Some((met, margin)) = met else { return bounds.current.max(bounds.membrane).max(numbers) * more };
            let current = met.current.as_ref().map_or(0.0, |current| current.largest);
            let met = met.membrane.largest.max(current) * margin * coarse;
            met.min(bounds.current.max(bounds.membrane)).max(numbers) * more
        };
        let finer = precision.finer(magnitude);
        let error = precision.error(finer);
        let plain = (neuron_parameters(layer, &Scale::Same(coarse))?, Widths::bounding(&bounds));
        self.finer = finer;
        let more = f64::from(finer).exp2();
        self.unit = match &self.unit {
            Scale::Same(unit) => Scale::Same(unit * more),
            Scale::Each(units) => Scale::Each(units.iter().map(|unit| unit * more).collect()),
        };
        self.neuron = neuron_parameters(layer, &self.unit)?;
        self.bounds = self.neuron.bounds(input, finer, window);
        self.widths = Widths::bounding(&self.bounds);
        if let Some((met, margin)) = met {
            let factors = [margin * coarse, margin * coarse * more];
            self.widths = self.widths.narrowed(met, factors, &self.neuron);
        }
        self.fineness = Fineness::new(error, finer, [(&self.neuron, self.widths), (&plain.0, plain.1)]);
        Ok(())
    }

    /// The output that each weight is of.
    pub fn outputs(&self, layer: &Layer) -> Vec<u32> {
        outputs_of_weights(layer, &self.connections, self.weights[0].len())
    }

    /// The fraction bits of weights: of scales that are no powers of two, the whole bits of the greatest.
    pub fn fraction_bits(&self) -> i32 {
        self.scale.greatest().log2().floor() as i32
    }

    /// By output the largest sums of its weights of either sign, each weight as often as it can come in in a step.
    fn reach(&self, layer: &Layer, counts: &[u64]) -> Vec<[i64; 2]> {
        let outputs = self.outputs(layer);
        let mut sums = vec![[0i64; 2]; outputs_of(layer)];
        for (weights, &count) in self.weights.iter().zip(counts) {
            let times = (count.min(1 << 30) as i64) * i64::from(self.payload);
            for (&weight, &output) in weights.iter().zip(&outputs) {
                sums[output as usize][usize::from(weight < 0)] += i64::from(weight).abs() * times;
            }
        }
        let Some((_, own)) = &self.recurrent else { return sums };
        let mut own_sums = vec![[0i64; 2]; layer.neurons() as usize];
        for row in own.chunks(own_sums.len()) {
            for (sums, &weight) in own_sums.iter_mut().zip(row) {
                sums[usize::from(weight < 0)] += i64::from(weight).abs();
            }
        }
        // Of a channel's neurons the one that hears most of the others.
        let each = own_sums.len() / sums.len();
        for (sums, own) in sums.iter_mut().zip(own_sums.chunks(each)) {
            for sign in [0, 1] {
                sums[sign] += own.iter().map(|own| own[sign]).max().unwrap_or(0);
            }
        }
        sums
    }
}
