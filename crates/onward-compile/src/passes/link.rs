//! `link`: everything comes together in an image.

use crate::contents;
use crate::cutter::Cutter;
use crate::fitting::cuts_of;
use crate::pass::{Compilation, Pass, Product};
use crate::plan::{PlannedBlock, name_of_sums};
use crate::readouts::{ReadoutFormat, value_target};
use onward_diagnostic::Diagnostic;
use onward_image::{
    Augmentation, Block, BlockIndex, Encoding, Growth, Image, NetworkSummary, Population, PopulationIndex,
    PopulationKind, Program, ProgramIndex, Schedule,
};
use onward_net::{Input, Node, Pool, PoolKind, ReadoutKind, TargetKind};
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use typed_index_collections::TiVec;

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
                let lowered = &compilation.layers[&node];
                let rule = lowered.rule.as_ref();
                let schedule = rule.map(|rule| Schedule { shift: rule.shift, growth: rule.growth.clone() });
                let kernel = rule.and_then(|_| contents::kernel(compilation, node, layer));
                let fraction_bits = lowered.fraction_bits();
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
            Node::Pool(_) | Node::Flatten(_) | Node::Add(_) | Node::Concat(_) => {
                (PopulationKind::Folded, of.shape().iter().product())
            }
        };
        let source_line = compilation.source.line(of.span().start) as u32;
        Population { name: of.name().into(), kind, neurons, lag: network.lag(node), source_line }
    });
    let edges = network.graph.edge_references().map(|e| (e.source(), e.target()));
    let mut edges: Vec<(PopulationIndex, PopulationIndex)> =
        edges.map(|(from, to)| (from.index().into(), to.index().into())).collect();
    let mut populations: TiVec<PopulationIndex, Population> = populations.collect();
    for (node, number) in sums(compilation) {
        let layer = network.layer(node);
        let source_line = compilation.source.line(layer.span.start) as u32;
        let (name, neurons) = (name_of_sums(&layer.name), layer.neurons());
        populations.push(Population {
            name,
            kind: PopulationKind::Relay,
            neurons,
            lag: network.lag(node) - 1,
            source_line,
        });
        edges.extend(network.sources(node).into_iter().map(|source| (source.index().into(), number)));
        edges.push((number, node.index().into()));
    }
    // What the network says is recurrent leads to itself, and nothing else does.
    let recurrent = network.layers().filter(|&node| network.layer(node).recurrent.is_some());
    edges.extend(recurrent.map(|node| (node.index().into(), node.index().into())));
    NetworkSummary {
        name: network.name.clone(),
        source: (file_name(&compilation.source.name), compilation.source.text.clone()),
        seed: compilation.options.seed,
        data: network.data.clone(),
        window_steps: network.window_steps,
        augment: network.augment.iter().map(augmentation).collect(),
        epochs: network.epochs,
        populations,
        edges,
    }
}

fn augmentation(augmentation: &onward_net::Augmentation) -> Augmentation {
    match *augmentation {
        onward_net::Augmentation::Shift(pixels) => Augmentation::Shift { pixels },
        onward_net::Augmentation::Flip => Augmentation::Flip,
    }
}

/// The populations of blocks that add up parts of a layer's inputs, behind those of the graph.
fn sums(compilation: &Compilation) -> BTreeMap<NodeIndex, PopulationIndex> {
    let network = compilation.network();
    let layers = network.layers().filter(|&node| network.layer(node).in_parts);
    layers.zip(network.graph.node_count()..).map(|(node, number)| (node, number.into())).collect()
}

/// What the generators of blocks are seeded with: numbers as if all layers were cut as the network says. Layers that are cut
/// otherwise draw nothing; theirs come behind.
fn generators(compilation: &Compilation) -> TiVec<BlockIndex, u32> {
    let said = cuts_of(compilation.network());
    let cutter = Cutter::new(compilation.network(), &compilation.options.chip, &said);
    let mut numbers: BTreeMap<NodeIndex, VecDeque<u32>> = BTreeMap::new();
    let mut next = 0;
    for block in cutter.planned.iter().filter(|block| block.part.is_none()) {
        numbers.entry(block.node).or_default().push_back(next);
        next += 1;
    }
    let of_block = |block: &PlannedBlock| {
        let is_as_said =
            block.part.is_none() && said.blocks.get(&block.node) == compilation.cuts.blocks.get(&block.node);
        let own = numbers.get_mut(&block.node).filter(|_| is_as_said).and_then(VecDeque::pop_front);
        own.unwrap_or_else(|| {
            next += 1;
            next - 1
        })
    };
    compilation.blocks.iter().map(of_block).collect()
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

/// How many synapses a spike on an axon of a block reaches, in runs.
fn fan_outs(compilation: &Compilation, number: BlockIndex, block: &PlannedBlock) -> Vec<(u32, u32)> {
    let Some(connection) = &compilation.connections[number] else { return Vec::new() };
    let mut each = vec![0; block.axons as usize];
    for part in &connection.parts {
        let axons = each[part.first_axon as usize..].iter_mut();
        axons.zip(&part.fan_outs).for_each(|(axon, &fan_out)| *axon = fan_out);
    }
    if each.iter().all(|&fan_out| fan_out == 0) {
        return Vec::new();
    }
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for fan_out in each {
        match runs.last_mut() {
            Some((axons, last)) if *last == fan_out => *axons += 1,
            _ => runs.push((1, fan_out)),
        }
    }
    runs
}

pub(super) const PASS: Pass = Pass {
    name: "link",
    description: "fill the memories and put the image together",
    needs: &[Product::Layers, Product::Words, Product::Routes],
    makes: Product::Image,
    run,
    verify: None,
    amounts,
    emit,
    drawing: None,
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let sums = sums(compilation);
    let adds = |block: &&PlannedBlock| block.part.is_some();
    let adders: BTreeSet<ProgramIndex> = compilation.blocks.iter().filter(adds).map(|block| block.program).collect();
    let population = |node: NodeIndex, adds: bool| if adds { sums[&node] } else { node.index().into() };
    let programs = compilation.handlers.iter_enumerated().map(|(number, handlers)| Program {
        name: handlers.name.clone(),
        words: handlers.program.words.clone(),
        labels: handlers.program.labels.clone(),
        purposes: handlers.program.purposes.clone(),
        lines: handlers.program.lines.clone(),
        text: handlers.text.clone(),
        population: Some(population(handlers.node, adders.contains(&number))),
    });
    let generators = generators(compilation);
    let blocks = compilation.blocks.iter_enumerated().map(|(number, block)| {
        let layout = &compilation.handlers[block.program].layout;
        Block {
            population: population(block.node, block.part.is_some()),
            first_neuron: block.first_neuron,
            neurons: block.neurons,
            core: compilation.cores[number],
            program: block.program,
            entry: 0,
            generator: generators[number],
            tagged: block.tagged,
            axons: block.axons,
            memory_bytes: layout.bytes().map(|bytes| bytes as u32),
            contents: contents::contents(compilation, number),
            routes: compilation.routing.routes[number].clone(),
            symbols: layout.symbols.clone(),
            order: block.order,
            fan_outs: fan_outs(compilation, number, block),
        }
    });
    let image = Image {
        chip: compilation.options.chip.clone(),
        network: summary(compilation),
        programs: programs.collect(),
        blocks: blocks.collect(),
        trees: compilation.routing.trees.clone().into(),
        host_inputs: compilation.routing.host_inputs.clone(),
        host_port: 0,
        learned: onward_image::Learned::default(),
        proof: None,
    };
    image.check().unwrap_or_else(|what| panic!("the compiler made an image that does not fit together: {what}"));
    compilation.image = Some(image);
    Ok(())
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    let blocks = compilation.image.iter().flat_map(|image| &image.blocks);
    let bytes = blocks.flat_map(|block| &block.contents).map(|contents| contents.len() as u64);
    vec![(bytes.sum(), "byte")]
}

fn emit(compilation: &Compilation) -> String {
    let Some(image) = &compilation.image else { return String::new() };
    let mut text = String::new();
    for usage in image.core_usage() {
        let blocks: Vec<String> = usage.blocks.iter().map(BlockIndex::to_string).collect();
        let limits =
            usage.limits(&image.chip).map(|limit| format!("{} {}/{}", limit.what, limit.needed, limit.available));
        writeln!(text, "core {}: blocks [{}]; {}", usage.core.0, blocks.join(", "), limits.join(", "))
            .expect("writing to memory");
    }
    text
}
