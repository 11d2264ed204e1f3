//! A network of this language as a NIR graph: the other way of the importer.
//!
//! A layer becomes its weights (Linear, Affine or Conv2d) and its neurons (IF, LIF or CubaLIF), so that time steps by Euler's
//! method bring back what the language says: `tau = dt / (1 - leak)`, and `r` and `w_in` such that a weight adds what it is.
//! Biases go into the Affine, and a layer's own spikes come back through a Linear. What NIR has no word for is a note if the
//! reader must be told it (soft resets), and an error if no reader could know it (refractory times, thresholds that adapt).

use super::error::NirError;
use super::file::{self, Field, Record};
use crate::network::{Convolution, Delay, Layer, LayerKind, Network, Node, Pool, PoolKind, WindowShift};
use crate::neuron::{Decay, Fires, Lowering, Reset};
use crate::values::{Array, Values};
use crate::weights::Initial;
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;

/// A weight that a full matrix has at most.
const WEIGHTS_MAX: usize = 1 << 27;

/// A NIR file and what its readers must be told beside.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// What NIR has no word for, a sentence each.
    pub notes: Vec<String>,
}

/// The NIR file of a network whose arrays are loaded. `learned` are arrays of its layers by name, as `hidden.weight`
/// (`[neuron][axon]`, of a convolution `[channel][channel of the group][y][x]`), `hidden.own_weight` and `hidden.bias`: they
/// stand in for what the text gives or draws. `time_step` is the length of a step in the unit of the file's time constants.
///
/// # Errors
/// If a layer has no weights yet, or NIR has no node for what the network holds.
pub fn write(network: &Network, learned: &BTreeMap<String, Array>, time_step: f64) -> Result<Exported, NirError> {
    if !(time_step.is_finite() && time_step > 0.0) {
        return Err(NirError::file(format!("a time step of {time_step} is none"), "it must be above 0, as 1e-4"));
    }
    let mut writer =
        Writer { network, learned, time_step, nodes: BTreeMap::new(), edges: Vec::new(), notes: Vec::new() };
    for node in network.graph.node_indices() {
        writer.node(node)?;
    }
    let edges = writer.edges.iter().flat_map(|(from, to)| [from.clone(), to.clone()]).collect();
    let mut root = record("NIRGraph");
    root.fields.insert("edges".to_owned(), Field::Text(vec![writer.edges.len(), 2], edges));
    root.nodes = writer.nodes;
    let mut notes = writer.notes;
    notes.sort();
    notes.dedup();
    Ok(Exported { bytes: file::write(&root)?, notes })
}

fn record(kind: &str) -> Record {
    Record { path: String::new(), kind: kind.to_owned(), fields: BTreeMap::new(), nodes: BTreeMap::new() }
}

fn number(value: f64) -> Field {
    Field::Numbers(Array { shape: Vec::new(), values: vec![value] })
}

fn numbers(values: &[f64]) -> Field {
    array(&[values.len()], values.to_vec())
}

fn array(shape: &[usize], values: Vec<f64>) -> Field {
    Field::Numbers(Array { shape: shape.to_vec(), values })
}

fn sizes(shape: &[u32]) -> Vec<usize> {
    shape.iter().map(|&size| size as usize).collect()
}

struct Writer<'a> {
    network: &'a Network,
    learned: &'a BTreeMap<String, Array>,
    time_step: f64,
    nodes: BTreeMap<String, Record>,
    edges: Vec<(String, String)>,
    notes: Vec<String>,
}

impl Writer<'_> {
    fn refuse<T>(&self, node: NodeIndex, cause: &str, help: &str) -> Result<T, NirError> {
        Err(NirError::node(self.network.graph[node].name(), cause, help))
    }

    fn add(&mut self, name: &str, kind: &str, fields: Vec<(&str, Field)>) {
        let mut record = record(kind);
        record.path = name.to_owned();
        record.fields = fields.into_iter().map(|(name, field)| (name.to_owned(), field)).collect();
        self.nodes.insert(name.to_owned(), record);
    }

    /// Names of the nodes of the file that send what a node of the network sends: of an addition those of all it adds.
    fn senders(&self, node: NodeIndex) -> Vec<String> {
        match &self.network.graph[node] {
            Node::Target(_) => Vec::new(),
            Node::Add(_) | Node::Delay(Delay { window: WindowShift::Moves, .. }) => {
                self.network.sources(node).into_iter().flat_map(|source| self.senders(source)).collect()
            }
            other => vec![other.name().to_owned()],
        }
    }

    /// The shape of a node in the file: neurons behind full connections stand in a row. NIR's planes have three sizes, so
    /// that one of two has a channel where a network holds nodes that take planes.
    fn shape(&self, node: NodeIndex) -> Vec<usize> {
        let of = &self.network.graph[node];
        let shape = sizes(of.shape());
        if matches!(of, Node::Layer(_)) && !needs_plane(of) {
            return vec![shape.iter().product()];
        }
        if shape.len() == 2 && self.network.graph.node_weights().any(needs_plane) {
            return [&[1], &shape[..]].concat();
        }
        shape
    }

    /// The nodes whose spikes come in by a node, in the order of their places: of a concatenation all it brings together.
    fn entrances(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let signal = || self.network.signal(node);
        match &self.network.graph[node] {
            Node::Concat(_) => {
                self.network.sources(node).into_iter().flat_map(|source| self.entrances(source)).collect()
            }
            Node::Flatten(_) if matches!(self.network.graph[signal()], Node::Concat(_)) => self.entrances(signal()),
            _ => vec![node],
        }
    }

    /// Leads what the sources of a node send to a node of the file.
    fn connect(&mut self, node: NodeIndex, to: &str) {
        for source in self.network.sources(node) {
            for sender in self.senders(source) {
                self.edges.push((sender, to.to_owned()));
            }
        }
    }

    fn node(&mut self, node: NodeIndex) -> Result<(), NirError> {
        let of = &self.network.graph[node];
        let name = of.name().to_owned();
        let shape = self.shape(node);
        let as_numbers = |shape: &[usize]| numbers(&shape.iter().map(|&size| size as f64).collect::<Vec<_>>());
        match of {
            Node::Input(_) => self.add(&name, "Input", vec![("shape", as_numbers(&shape))]),
            Node::Target(_) => {
                self.notes
                    .push(format!("the target `{name}` teaches and is no part of what is computed; it is left out"));
            }
            Node::Add(_) => {}
            // What takes it in takes in each of its sources.
            Node::Concat(_) => {
                let takes = |taker: NodeIndex| match &self.network.graph[taker] {
                    Node::Layer(_) | Node::Concat(_) => true,
                    Node::Flatten(_) => self.network.graph.neighbors(taker).all(
                        |behind| matches!(&self.network.graph[behind], Node::Layer(layer) if !is_convolution(layer)),
                    ),
                    _ => false,
                };
                if !self.network.graph.neighbors(node).all(takes) {
                    let cause =
                        "it brings several sources together before what is no layer, and NIR has no node for that";
                    return self.refuse(node, cause, "write what is behind it once for each source");
                }
            }
            Node::Flatten(_) if matches!(self.network.graph[self.network.signal(node)], Node::Concat(_)) => {}
            Node::Delay(Delay { window: WindowShift::Moves, .. }) => {}
            Node::Delay(delay) => {
                let time = f64::from(delay.steps) * self.time_step;
                let delays = vec![time; shape.iter().product()];
                self.add(&name, "Delay", vec![("delay", array(&shape, delays))]);
                self.connect(node, &name);
            }
            Node::Flatten(_) => {
                let taken = as_numbers(&self.shape(self.network.signal(node)));
                let fields = vec![("start_dim", number(0.0)), ("end_dim", number(-1.0)), ("input_type", taken)];
                self.add(&name, "Flatten", fields);
                self.connect(node, &name);
            }
            Node::Pool(pool) => self.pool(node, pool),
            Node::Layer(layer) => self.layer(node, layer)?,
            Node::Readout(_) => {
                let source = self.network.signal(node);
                let shape = self.shape(source);
                self.add(&name, "Output", vec![("shape", as_numbers(&shape))]);
                self.connect(node, &name);
                self.notes.push(format!(
                    "`{name}` is the spikes of `{}`: how an answer is read off them is not part of a NIR file",
                    self.network.graph[source].name()
                ));
            }
        }
        Ok(())
    }

    fn pool(&mut self, node: NodeIndex, pool: &Pool) {
        let pair = |sizes: [u32; 2]| numbers(&sizes.map(f64::from));
        let fields =
            vec![("kernel_size", pair(pool.window)), ("stride", pair(pool.stride)), ("padding", numbers(&[0.0, 0.0]))];
        match pool.kind {
            PoolKind::Sum => self.add(&pool.name, "SumPool2d", fields),
            PoolKind::Average => self.add(&pool.name, "AvgPool2d", fields),
            PoolKind::Maximum => {
                // Of spikes the maximum is whether there is one.
                let sum = format!("{}_sum", pool.name);
                self.add(&sum, "SumPool2d", fields);
                let shape = self.shape(node);
                let zeros = vec![0.0; shape.iter().product()];
                self.add(&pool.name, "Threshold", vec![("threshold", array(&shape, zeros))]);
                self.connect(node, &sum);
                self.edges.push((sum, pool.name.clone()));
                return;
            }
        }
        self.connect(node, &pool.name);
    }

    fn layer(&mut self, node: NodeIndex, layer: &Layer) -> Result<(), NirError> {
        let count = layer.neurons() as usize;
        let shape = sizes(&layer.shape);
        let neurons = self.neurons(node, layer)?;
        let taken = self.entrances(self.network.signal(node));
        let inputs = taken.iter().map(|&source| self.shape(source).iter().product::<usize>()).sum();
        let given = self.weights(node, layer, inputs)?;
        let all = given.len() / if let LayerKind::Convolution(of) = &layer.kind { of.channels as usize } else { count };
        let mut first = 0;
        for (at, &source) in taken.iter().enumerate() {
            // Each source has weights of its own; the bias comes with the first.
            let weights =
                |of: &str| format!("{}_{of}{}", layer.name, if at > 0 { (at + 1).to_string() } else { "".into() });
            let (entrance, shape) = (weights("weights"), self.shape(source));
            let kernel = match &layer.kind {
                LayerKind::Convolution(convolution) => {
                    if convolution.joined.is_empty() && taken.len() > 1 && convolution.groups > 1 {
                        let cause = "it is a convolution in groups of several sources side by side";
                        return self.refuse(node, cause, "one source, or `kernels` for each of them");
                    }
                    convolution.kernels().nth(at).or(Some(convolution))
                }
                LayerKind::Dense | LayerKind::Sparse(_) => None,
            };
            let own = match kernel {
                Some(kernel) => shape[0] / kernel.groups as usize * (kernel.kernel[0] * kernel.kernel[1]) as usize,
                None => shape.iter().product(),
            };
            let part = given.chunks(all.max(1)).flat_map(|row| row[first..first + own].iter().copied()).collect();
            first += own;
            let bias = if at == 0 { neurons.bias.clone() } else { vec![0.0; count] };
            let mut begin = entrance.clone();
            match kernel {
                Some(kernel) => self.convolution(node, kernel, &entrance, part, &shape, &bias)?,
                None => {
                    let is_biased = bias.iter().any(|&bias| bias != 0.0);
                    let mut fields = vec![("weight", array(&[count, own], part))];
                    if is_biased {
                        fields.push(("bias", numbers(&bias)));
                    }
                    self.add(&entrance, if is_biased { "Affine" } else { "Linear" }, fields);
                    if shape.len() > 1 {
                        begin = weights("flat");
                        let taken: Vec<f64> = shape.iter().map(|&size| size as f64).collect();
                        let fields = vec![
                            ("start_dim", number(0.0)),
                            ("end_dim", number(-1.0)),
                            ("input_type", numbers(&taken)),
                        ];
                        self.add(&begin, "Flatten", fields);
                        self.edges.push((begin.clone(), entrance.clone()));
                    }
                }
            }
            for sender in self.senders(source) {
                self.edges.push((sender, begin.clone()));
            }
            self.edges.push((entrance, layer.name.clone()));
        }
        // The neurons of a full connection stand in a row in NIR, whatever plane they are on here.
        let is_plane = matches!(layer.kind, LayerKind::Convolution(_));
        let own_shape = if is_plane { shape.clone() } else { vec![count] };
        if own_shape != shape {
            self.notes.push(format!(
                "`{}` has the shape {shape:?}, and its neurons stand in a row in the file, as behind every full connection",
                layer.name
            ));
            if self.network.graph.neighbors(node).any(|taker| needs_plane(&self.network.graph[taker])) {
                return self.refuse(
                    node,
                    "its neurons are on a plane behind a full connection, and NIR has no node that makes a plane of a row",
                    "make it a convolution, or what takes its plane a full connection",
                );
            }
        }
        let fields = neurons.fields.into_iter().map(|(name, values)| (name, array(&own_shape, values))).collect();
        self.add(&layer.name, neurons.kind, fields);
        if layer.recurrent.is_some() {
            let own = self.own_weights(node, layer)?;
            let back = format!("{}_recurrent", layer.name);
            self.add(&back, "Linear", vec![("weight", array(&[count, count], own))]);
            if own_shape.len() > 1 {
                return self.refuse(
                    node,
                    "a convolution hears its own spikes",
                    "NIR's Linear takes a row; leave its recurrent weights away",
                );
            }
            self.edges.push((layer.name.clone(), back.clone()));
            self.edges.push((back, layer.name.clone()));
        }
        Ok(())
    }

    fn convolution(
        &mut self,
        node: NodeIndex,
        convolution: &Convolution,
        name: &str,
        weights: Vec<f64>,
        source: &[usize],
        bias: &[f64],
    ) -> Result<(), NirError> {
        let [channels, height, width] = source[..] else {
            return self.refuse(node, "it is a convolution of what is no plane", "give its source two or three sizes");
        };
        if convolution.padding != convolution.padding_end {
            return self.refuse(
                node,
                "it has more zeros on one side of the plane than on the other, and NIR says one padding for both",
                "the same `padding` and `padding_end`",
            );
        }
        let places = bias.len() / convolution.channels.max(1) as usize;
        let mut biases = Vec::new();
        for channel in bias.chunks(places.max(1)) {
            if channel.iter().any(|bias| bias.to_bits() != channel[0].to_bits()) {
                return self.refuse(
                    node,
                    "biases differ within a channel, and NIR's Conv2d has one for each channel",
                    "one bias for each channel",
                );
            }
            biases.push(channel[0]);
        }
        let pair = |sizes: [u32; 2]| numbers(&sizes.map(f64::from));
        let [kernel_height, kernel_width] = convolution.kernel.map(|size| size as usize);
        let shape =
            [convolution.channels as usize, channels / convolution.groups.max(1) as usize, kernel_height, kernel_width];
        let fields = vec![
            ("input_shape", numbers(&[height as f64, width as f64])),
            ("weight", array(&shape, weights)),
            ("bias", numbers(&biases)),
            ("stride", pair(convolution.stride)),
            ("padding", pair(convolution.padding)),
            ("dilation", pair(convolution.dilation)),
            ("groups", number(convolution.groups.into())),
        ];
        self.add(name, "Conv2d", fields);
        Ok(())
    }

    /// The weights of a layer: learned, or given.
    fn weights(&self, node: NodeIndex, layer: &Layer, inputs: usize) -> Result<Vec<f64>, NirError> {
        let count = layer.neurons() as usize;
        let expected = match &layer.kind {
            LayerKind::Convolution(_) => layer_weights(self.network, node),
            LayerKind::Dense | LayerKind::Sparse(_) => count.saturating_mul(inputs),
        };
        if expected > WEIGHTS_MAX {
            return self.refuse(node, "its weights are too many for a full matrix", "NIR has no sparse connection");
        }
        if let Some(array) = self.learned.get(&format!("{}.weight", layer.name)) {
            if array.values.len() != expected {
                let cause =
                    format!("its learned weights are {} numbers, and {expected} are needed", array.values.len());
                return self.refuse(node, &cause, "the weights are of another network");
            }
            return Ok(array.values.clone());
        }
        if let LayerKind::Sparse(sparse) = &layer.kind {
            let Values::Array(rows) = &sparse.connections else {
                return self.refuse(
                    node,
                    "its connections are in a file that was not read",
                    "keep the file beside the text",
                );
            };
            let mut weights = vec![0.0; expected];
            for row in rows.values.chunks_exact(3) {
                let at = row[1] as usize * inputs + row[0] as usize;
                weights[at] += row[2];
            }
            return Ok(weights);
        }
        self.given(node, &layer.weights.initial, expected)
    }

    fn given(&self, node: NodeIndex, initial: &Initial, expected: usize) -> Result<Vec<f64>, NirError> {
        match initial {
            Initial::Given(Values::Array(array)) if array.values.len() == expected => Ok(array.values.clone()),
            Initial::Given(Values::Constant(value)) => Ok(vec![*value; expected]),
            Initial::Given(_) => {
                self.refuse(node, "its weights are in a file that was not read", "keep the file beside the text")
            }
            Initial::Drawn { .. } => self.refuse(
                node,
                "its weights are drawn at random and nothing has been learned",
                "export the image that has learned, or say `--weights W.npz`",
            ),
        }
    }

    /// Weights of a layer to itself, `[to][from]`.
    fn own_weights(&self, node: NodeIndex, layer: &Layer) -> Result<Vec<f64>, NirError> {
        let count = layer.neurons() as usize;
        if let Some(array) = self.learned.get(&format!("{}.own_weight", layer.name))
            && array.values.len() == count * count
        {
            return Ok(array.values.clone());
        }
        let Some(own) = &layer.recurrent else { return Ok(Vec::new()) };
        let from_to = self.given(node, &own.initial, count * count)?;
        Ok((0..count * count).map(|at| from_to[at % count * count + at / count]).collect())
    }
}

/// Weights of a convolution.
fn layer_weights(network: &Network, node: NodeIndex) -> usize {
    let LayerKind::Convolution(convolution) = &network.layer(node).kind else { return 0 };
    convolution.channels as usize * network.fan_in(node) as usize
}

/// Whether a node takes a plane and not a row.
fn needs_plane(node: &Node) -> bool {
    matches!(node, Node::Pool(_)) || matches!(node, Node::Layer(layer) if is_convolution(layer))
}

fn is_convolution(layer: &Layer) -> bool {
    matches!(layer.kind, LayerKind::Convolution(_))
}

/// Neurons as NIR has them.
struct Neurons {
    kind: &'static str,
    /// By parameter a number for each neuron.
    fields: Vec<(&'static str, Vec<f64>)>,
    /// What the node with the weights adds.
    bias: Vec<f64>,
}

impl Writer<'_> {
    fn neurons(&mut self, node: NodeIndex, layer: &Layer) -> Result<Neurons, NirError> {
        let neuron = &layer.neuron;
        let count = layer.neurons() as usize;
        if let Some(cause) = neuron.beyond_nir() {
            return self.refuse(node, &format!("{cause}, and NIR has no node for that"), "export a layer without it");
        }
        let each = |values: &Values| spread(values, count);
        let leak = left(&neuron.leak, layer);
        let mut bias = each(&neuron.bias);
        if let Some(learned) = self.learned.get(&format!("{}.bias", layer.name)) {
            bias.iter_mut().zip(&learned.values).for_each(|(bias, learned)| *bias += learned);
        }
        let keeps: Vec<bool> = leak.iter().map(|&left| left >= 1.0).collect();
        let is_leaky = keeps.iter().any(|keeps| !keeps);
        if (is_leaky || neuron.current.is_some()) && keeps.iter().any(|&keeps| keeps) {
            return self.refuse(
                node,
                "membranes that keep all stand with a synaptic current, or beside such that leak: NIR has time constants there",
                "a leak below 1 for all of them",
            );
        }
        let inverse = |left: &[f64]| -> Vec<f64> { left.iter().map(|left| 1.0 / (1.0 - left)).collect() };
        let time = |left: &[f64]| -> Vec<f64> { left.iter().map(|left| self.time_step / (1.0 - left)).collect() };
        let mut fields = Vec::new();
        let kind = match &neuron.current {
            None if !is_leaky => {
                fields.push(("r", vec![1.0; count]));
                "IF"
            }
            None => {
                fields.extend([("tau", time(&leak)), ("r", inverse(&leak)), ("v_leak", vec![0.0; count])]);
                "LIF"
            }
            Some(current) => {
                let current = left(current, layer);
                if current.iter().any(|&left| left >= 1.0) {
                    return self.refuse(node, "its synaptic current does not decay", "a `current` below 1");
                }
                // A bias of the current, which begins as much lower and settles; or one of the membrane, which rests there.
                let start = each(&neuron.current_start);
                let settles = bias.iter().zip(&start).all(|(bias, start)| (bias + start).abs() <= 1e-9 * bias.abs());
                let mut rest = vec![0.0; count];
                if settles {
                    bias.iter_mut().zip(&current).for_each(|(bias, left)| *bias *= 1.0 - left);
                } else {
                    if start.iter().any(|&start| start != 0.0) {
                        let cause = "its currents begin with something that is not what its biases settle at";
                        return self.refuse(node, cause, "leave `current_start` away");
                    }
                    rest = bias.iter().zip(&leak).map(|(bias, left)| bias / (1.0 - left)).collect();
                    bias.fill(0.0);
                    self.notes.push(format!(
                        "biases of `{}` are its v_leak; here its membranes begin at 0, and some tools begin at v_leak",
                        layer.name
                    ));
                }
                fields.extend([
                    ("tau_syn", time(&current)),
                    ("w_in", inverse(&current)),
                    ("tau_mem", time(&leak)),
                    ("r", inverse(&leak)),
                    ("v_leak", rest),
                ]);
                "CubaLIF"
            }
        };
        let threshold: Vec<f64> = each(&neuron.threshold)
            .into_iter()
            // NIR fires above: of single-precision numbers the next lower one is what `at` is above.
            .map(|value| if neuron.fires == Fires::At { f64::from((value as f32).next_down()) } else { value })
            .collect();
        fields.push(("v_threshold", threshold));
        let mut reset = vec![0.0; count];
        match &neuron.reset {
            Reset::To(values) => reset = each(values),
            Reset::Subtract(Lowering { amount: None, is_late }) => self.notes.push(format!(
                "firing subtracts the threshold in `{}`{}: NIR has no word for that, and whoever reads the file must be told \
                 (`--reset {}` here)",
                layer.name,
                if *is_late { ", a step late" } else { "" },
                if *is_late { "subtract-late" } else { "subtract" }
            )),
            Reset::Subtract(_) => {
                return self.refuse(node, "firing subtracts another amount than the threshold", "`reset = subtract` or `to`");
            }
            Reset::None => {
                return self.refuse(node, "firing leaves its membranes as they are", "`reset = subtract` or `to`");
            }
        }
        fields.push(("v_reset", reset));
        Ok(Neurons { kind, fields, bias })
    }
}

/// A number for each neuron.
fn spread(values: &Values, count: usize) -> Vec<f64> {
    match values {
        Values::Constant(value) => vec![*value; count],
        Values::Array(array) => array.values.clone(),
        Values::File(_) => vec![f64::NAN; count],
    }
}

/// What is left of a quantity from step to step, of each neuron.
fn left(decay: &Decay, layer: &Layer) -> Vec<f64> {
    let count = layer.neurons() as usize;
    match decay {
        Decay::None => vec![1.0; count],
        Decay::Shift(bits) => vec![1.0 - 0.5f64.powi(*bits as i32); count],
        Decay::Factor(values) => spread(values, count),
        Decay::Spread(least, most) => {
            let block = layer.block.max(2);
            let lost = |neuron: usize| {
                let place = (neuron as u32 % layer.block.max(1)) as f64 / f64::from(block - 1);
                (1.0 - least) * ((1.0 - most) / (1.0 - least)).powf(place)
            };
            (0..count).map(|neuron| 1.0 - lost(neuron)).collect()
        }
    }
}
