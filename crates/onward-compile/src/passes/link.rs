//! `link`: everything comes together in an image; initial weights are drawn.

use super::tables;
use crate::formats::Table;
use crate::layout::put;
use crate::parameters::Integers;
use crate::pass::{Compilation, Pass};
use crate::readouts::{ReadoutFormat, value_target};
use crate::weights;
use onward_diagnostic::Diagnostic;
use onward_image::{
    Block, Encoding, FractionBits, Growth, Image, NetworkSummary, Population, PopulationKind, Program, Schedule,
};
use onward_isa::{Space, Width};
use onward_net::{Initial, Input, LayerKind, Node, Pool, PoolKind, ReadoutKind, TargetKind, Values};
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) struct Link;

/// The drawn weights of a layer, `[input][neuron]` or those of kernels, and of the target's projection, `[class][neuron]`.
struct Drawn {
    weights: Vec<i16>,
    target_weights: Vec<i16>,
    /// Of the layer's own spikes, `[from][to]`.
    own_weights: Vec<i16>,
}

/// Added to the number of a layer's stream of drawn weights for those of its own spikes.
const OWN_STREAM: u32 = 1 << 31;

fn draw(compilation: &Compilation) -> BTreeMap<NodeIndex, Drawn> {
    let network = compilation.network();
    let layers = network.layers().filter(|node| compilation.formats.contains_key(node)).map(|node| {
        let (format, layer) = (&compilation.formats[&node], network.layer(node));
        let max = (1 << (format.weight_bits - 1)) - 1;
        let of = |stream: u32, count: usize, deviation| {
            weights::draw(compilation.options.seed, stream, count, deviation, max)
        };
        let stream = 2 * node.index() as u32;
        let neurons = layer.neurons() as usize;
        let classes = if network.is_fed_by_target(node) { network.classes() as usize } else { 0 };
        let sets = match &layer.kind {
            LayerKind::Convolution(convolution) => convolution.channels as usize,
            _ => neurons,
        };
        let count = network.fan_in(node) as usize * sets;
        // Kernels lie as they are given; other weights go by inputs.
        let rows_of = if matches!(layer.kind, LayerKind::Convolution(_)) { 1 } else { neurons };
        let about = |weight: i16| (i32::from(weight) + format.target_mean).clamp(-max, max) as i16;
        let target_weights = of(stream + 1, classes * neurons, format.target_deviation);
        let drawn = Drawn {
            weights: match (&layer.weights.initial, format.deviation) {
                (Initial::Given(Values::Array(array)), _) => weights::given(&array.values, rows_of, format),
                (Initial::Given(Values::Constant(value)), _) => {
                    let all = vec![*value; count];
                    weights::given(&all, rows_of, format)
                }
                (_, deviation) => of(stream, count, deviation.unwrap_or(0)),
            },
            target_weights: target_weights.into_iter().map(about).collect(),
            own_weights: format.steps.as_ref().map_or_else(Vec::new, |steps| {
                of(stream | OWN_STREAM, steps.own as usize * neurons, steps.own_deviation)
            }),
        };
        (node, drawn)
    });
    layers.collect()
}

/// The initial contents of a block's memories.
fn contents(compilation: &Compilation, number: usize, drawn: &BTreeMap<NodeIndex, Drawn>) -> [Vec<u8>; 3] {
    let block = &compilation.blocks[number];
    let layout = &compilation.handlers[block.handlers].layout;
    let bytes = layout.bytes();
    let mut contents: [Vec<u8>; 3] = Default::default();
    let Some(drawn) = drawn.get(&block.node) else {
        return tables::contents(compilation, number, layout);
    };
    let layer = compilation.network().layer(block.node);
    let neurons = layer.neurons() as usize;
    if let Some(connection) = compilation.connections[number].as_ref() {
        contents = tables::of_kernels(connection, layer, &drawn.weights, layout);
    }
    let synapses = &mut contents[Space::Synapse as usize];
    synapses.resize(bytes[Space::Synapse as usize] as usize, 0);
    // Rows lie in the order of the axons; what is drawn for an input does not depend on who sends it, or in which order.
    let sources = &compilation.sources[&block.node];
    let places = sources.iter().flat_map(|source| (0..source.count).flat_map(|index| source.feeds.of(index)));
    let places: Vec<usize> = places.map(|feed| feed.place as usize).collect();
    let classes: Vec<usize> = (0..drawn.target_weights.len() / neurons).collect();
    let dense = compilation.connections[number].is_none().then_some(("weights", &drawn.weights, &places));
    let own: Vec<usize> = (0..drawn.own_weights.len() / neurons).collect();
    let others = [("target_weights", &drawn.target_weights, &classes), ("own_weights", &drawn.own_weights, &own)];
    for (name, weights, rows) in dense.into_iter().chain(others) {
        let Some(symbol) = layout.symbol(name) else { continue };
        let width = symbol.width().expect("the layout made it of a width");
        let mut at = symbol.offset as usize;
        for row in rows {
            let row = &weights[row * neurons..][..neurons];
            for index in 0..block.neurons {
                put(synapses, width, at, row[block.neuron(index) as usize].into());
                at += 1;
            }
        }
    }
    if let Some(learning) = &compilation.formats[&block.node].learning {
        let shift = Table { name: "shift", width: Width::W32, values: vec![learning.shift] };
        let tables = learning.tables(compilation.network().classes(), block.neurons);
        for table in std::iter::once(shift).chain(tables) {
            let Some(symbol) = layout.symbol(table.name) else { continue };
            let bytes = &mut contents[Space::Neuron as usize];
            let end = (symbol.offset as usize + table.values.len()) * table.width.bits() as usize / 8;
            bytes.resize(bytes.len().max(end), 0);
            for (at, &value) in table.values.iter().enumerate() {
                put(bytes, table.width, symbol.offset as usize + at, value.into());
            }
        }
    }
    if let Some(steps) = compilation.formats[&block.node].steps.as_ref() {
        for (name, values) in [("leak", &steps.neuron.leak), ("current_left", &steps.neuron.current)] {
            let (Some(symbol), Some(Integers::Each(values))) = (layout.symbol(name), values) else { continue };
            let neuron = &mut contents[Space::Neuron as usize];
            neuron.resize(bytes[Space::Neuron as usize] as usize, 0);
            for (at, &value) in values[block.first_neuron as usize..][..block.neurons as usize].iter().enumerate() {
                put(neuron, Width::W32, symbol.offset as usize + at, value.into());
            }
        }
    }
    contents
}

fn summary(compilation: &Compilation) -> NetworkSummary {
    let network = compilation.network();
    let populations = network.graph.node_indices().map(|node| {
        let of = &network.graph[node];
        let (kind, neurons) = match of {
            Node::Input(input) => (input_kind(input), input.size()),
            Node::Target(target) => match target.kind {
                TargetKind::Classes => (PopulationKind::Target, target.size),
                TargetKind::Vector => (PopulationKind::ValueTarget, target.size),
            },
            Node::Layer(layer) => {
                let learning = compilation.formats.get(&node).and_then(|format| format.learning.as_ref());
                let schedule = learning.map(|of| Schedule { shift: of.shift, growth: of.growth.clone() });
                let fraction_bits = match compilation.formats.get(&node) {
                    Some(format) => FractionBits {
                        weights: format.fraction_bits as i32,
                        target_weights: (format.fraction_bits - format.target_coarser) as i32,
                        membrane: (format.fraction_bits + format.finer) as i32,
                    },
                    None => {
                        let weights =
                            compilation.parameters.get(&node).map_or(0, |parameters| parameters.fraction_bits);
                        FractionBits { weights, target_weights: weights, membrane: weights }
                    }
                };
                let kernel = schedule.as_ref().and_then(|_| super::tables::kernel(compilation, node, layer));
                (PopulationKind::Layer { schedule, fraction_bits, kernel }, layer.neurons())
            }
            Node::Readout(readout) => match readout.kind {
                ReadoutKind::NearestTarget => (PopulationKind::Readout, network.classes()),
                ReadoutKind::MostSpikes => (PopulationKind::Readout, network.inputs(node)),
                ReadoutKind::Trained(_) | ReadoutKind::TargetTree(_) => {
                    let format = ReadoutFormat::new(&readout.kind, network.window_steps).expect("it learns");
                    let schedule = Schedule { shift: format.shift, growth: Growth::Evenly(format.anneal) };
                    match value_target(network, node) {
                        Some(target) => {
                            let one = format.one as u32;
                            let fraction_bits = format.fraction_bits as i32;
                            let kind = PopulationKind::ValueReadout { schedule, one, fraction_bits };
                            (kind, network.graph[target].shape()[0])
                        }
                        None => {
                            let is_tree = matches!(readout.kind, ReadoutKind::TargetTree(_));
                            let fraction_bits = (!is_tree).then_some(format.fraction_bits as i32);
                            (PopulationKind::LearningReadout { schedule, fraction_bits }, network.classes())
                        }
                    }
                }
                ReadoutKind::Spikes => (PopulationKind::SpikeReadout, network.inputs(node)),
            },
            Node::Pool(Pool { kind: PoolKind::Maximum, .. }) | Node::Delay(_) => {
                (PopulationKind::Relay, of.shape().iter().product())
            }
            Node::Pool(_) | Node::Flatten(_) | Node::Add(_) => (PopulationKind::Folded, of.shape().iter().product()),
        };
        let source_line = compilation.source.line(of.span().start) as u32;
        Population { name: of.name().into(), kind, neurons, lag: network.lag(node), source_line }
    });
    NetworkSummary {
        name: network.name.clone(),
        source: (file_name(&compilation.source.name), compilation.source.text.clone()),
        seed: compilation.options.seed,
        data: network.data.clone(),
        window_steps: network.window_steps,
        epochs: network.epochs,
        populations: populations.collect(),
        edges: network
            .graph
            .edge_references()
            .map(|e| (e.source().index() as u32, e.target().index() as u32))
            .collect(),
    }
}

fn input_kind(input: &Input) -> PopulationKind {
    let shape = input.shape.clone();
    let encoding = match input.encoding {
        onward_net::Encoding::Rate => return PopulationKind::RateInput { shape },
        onward_net::Encoding::Poisson => Encoding::Poisson,
        onward_net::Encoding::Latency => Encoding::Latency,
        onward_net::Encoding::Current => Encoding::Current,
        onward_net::Encoding::Delta(change) => Encoding::Delta { change: (change * 65536.0).round().max(1.0) as u32 },
        onward_net::Encoding::Sequence(change) => {
            Encoding::Sequence { change: (change * 65536.0).round().max(1.0) as u32 }
        }
        onward_net::Encoding::Events => Encoding::Events,
    };
    PopulationKind::EncodedInput { shape, encoding }
}

/// The name without the folders: where a text lay when it was compiled changes nothing in the image.
fn file_name(path: &str) -> String {
    let name = std::path::Path::new(path).file_name();
    name.map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

impl Pass for Link {
    fn name(&self) -> &'static str {
        "link"
    }

    fn description(&self) -> &'static str {
        "draw the weights and put the image together"
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        let drawn = draw(compilation);
        let programs = compilation.handlers.iter().map(|handlers| Program {
            name: handlers.name.clone(),
            words: handlers.program.words.clone(),
            labels: handlers.program.labels.clone(),
            lines: handlers.program.lines.clone(),
            text: handlers.text.clone(),
            population: Some(handlers.node.index() as u32),
        });
        let blocks = compilation.blocks.iter().enumerate().map(|(number, block)| {
            let layout = &compilation.handlers[block.handlers].layout;
            Block {
                population: block.node.index() as u32,
                first_neuron: block.first_neuron,
                neurons: block.neurons,
                core: compilation.cores[number],
                program: block.handlers as u32,
                entry: 0,
                tagged: block.tagged,
                axons: block.axons,
                memory_bytes: layout.bytes().map(|bytes| bytes as u32),
                contents: contents(compilation, number, &drawn),
                routes: compilation.routing.routes[number].clone(),
                symbols: layout.symbols.clone(),
                order: block.order,
            }
        });
        let image = Image {
            chip: compilation.options.chip.clone(),
            network: summary(compilation),
            programs: programs.collect(),
            blocks: blocks.collect(),
            trees: compilation.routing.trees.clone(),
            host_inputs: compilation.routing.host_inputs.clone(),
            host_port: 0,
            learned: onward_image::Learned::default(),
        };
        image.check().unwrap_or_else(|what| panic!("the compiler made an image that does not fit together: {what}"));
        compilation.image = Some(image);
        Ok(())
    }

    fn amounts(&self, compilation: &Compilation) -> Vec<(u64, &'static str)> {
        let blocks = compilation.image.iter().flat_map(|image| &image.blocks);
        let bytes = blocks.flat_map(|block| &block.contents).map(|contents| contents.len() as u64);
        vec![(bytes.sum(), "byte")]
    }

    fn emit(&self, compilation: &Compilation) -> String {
        let Some(image) = &compilation.image else { return String::new() };
        let mut text = String::new();
        for usage in image.core_usage() {
            let limits =
                usage.limits(&image.chip).map(|limit| format!("{} {}/{}", limit.what, limit.needed, limit.available));
            writeln!(text, "core {}: blocks {:?}; {}", usage.core.0, usage.blocks, limits.join(", "))
                .expect("writing to memory");
        }
        text
    }
}
