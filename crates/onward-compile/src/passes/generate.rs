//! `generate`: handlers as assembly, and what lies where in the memories; checks that each block fits a core.

use crate::connect::{Connection, Maker, PartKind, Source, Sums};
use crate::handlers::{Handlers, adder, delay, maximum, most_spikes, readout};
use crate::handlers::{TrainedShape, TreeShape, target_tree, trained};
use crate::layout::Layout;
use crate::lowering::LoweredLayer;
use crate::lowering::block::{self, Block};
use crate::pass::{Compilation, Pass, Product};
use crate::plan::PlannedBlock;
use crate::readouts::{ReadoutFormat, value_target};
use onward_chip::Chip;
use onward_diagnostic::Diagnostic;
use onward_image::{BlockIndex, Order, ProgramIndex, Symbol, indices};
use onward_isa::Program;
use onward_isa::builder::Listing;
use onward_net::{Layer, LayerKind, Network, Node, Readout, ReadoutKind, TargetTree, TrainedReadout, plane};
use onward_quantize::is_graded;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use std::collections::BTreeMap;
use typed_index_collections::{TiSlice, TiVec};

/// What handlers of a block are made from.
pub(crate) struct Planned<'a> {
    pub compilation: &'a Compilation,
    /// All blocks.
    pub blocks: &'a TiSlice<BlockIndex, PlannedBlock>,
    /// Who sends to the block's node; nobody of a readout.
    pub sources: &'a [Source],
}

/// The handlers of one block, and its connection if it is of a layer or a pool.
pub(crate) fn handlers(planned: &Planned, block: &PlannedBlock) -> (Handlers, Option<Connection>) {
    let compilation = planned.compilation;
    let network = compilation.network();
    let classes = network.classes();
    let vector_length = u32::from(compilation.options.chip.core.vector_length);
    let mut connection = None;
    let (listing, layout) = match &network.graph[block.node] {
        Node::Layer(of) => {
            let lowered = &compilation.layers[&block.node];
            let connection = connection.insert(maker(planned, block, of, lowered).connection(block));
            if block.part.is_some() {
                let (listing, layout) = adder(&of.name, block, connection, vector_length);
                let handlers = Handlers {
                    name: format!("{}-sums-{}", of.name, block.neurons),
                    node: block.node,
                    layout,
                    text: listing.text,
                    held: listing.held,
                    program: Program::default(),
                };
                return (handlers, Some(connection.clone()));
            }
            let answers = network.graph.edges(block.node).any(|edge| {
                matches!(&network.graph[edge.target()], Node::Readout(of) if of.kind == ReadoutKind::NearestTarget)
            });
            let sizes = (of.name.as_str(), network.window_steps, vector_length);
            block::program(&Block::new(sizes, block, lowered, connection, answers))
        }
        Node::Readout(of) if of.kind == ReadoutKind::MostSpikes => {
            most_spikes((&of.name, network.window_steps), planned.blocks, block, vector_length)
        }
        Node::Readout(of) if of.kind.learns() => learning_readout(compilation, block, of),
        Node::Readout(of) => {
            let mut lags = network.sources(block.node).into_iter().map(|source| network.lag(source));
            let first = lags.next();
            let is_at_once = lags.all(|lag| Some(lag) == first);
            readout(&of.name, classes, block.inlets.len() as u32, is_at_once)
        }
        Node::Pool(of) => {
            let input = plane(network.graph[network.signal(block.node)].shape());
            let (listing, layout, made) = maximum(of, input, planned.sources, block, vector_length);
            connection = Some(made);
            (listing, layout)
        }
        Node::Delay(of) => {
            let graded = is_graded(network, network.signal(block.node)).unwrap_or(false);
            delay(of, graded, block, vector_length, network.window_steps)
        }
        _ => unreachable!("nodes that have no neurons have no blocks"),
    };
    let name = network.graph[block.node].name();
    let whole = matches!(&network.graph[block.node], Node::Layer(layer) if layer.block != block.neurons);
    let name = if whole { format!("{name}-{}", block.neurons) } else { name.to_owned() };
    let Listing { text, held } = listing;
    let handlers = Handlers { name, node: block.node, layout, text, held, program: Program::default() };
    (handlers, connection)
}

/// Handlers of a readout that learns.
fn learning_readout(compilation: &Compilation, block: &PlannedBlock, of: &Readout) -> (Listing, Layout) {
    let network = compilation.network();
    let (name, window, inputs) = (of.name.as_str(), network.window_steps, network.inputs(block.node));
    let vector_length = u32::from(compilation.options.chip.core.vector_length);
    let format = ReadoutFormat::new(&of.kind, window).expect("it learns");
    match of.kind {
        ReadoutKind::Trained(TrainedReadout { loss, .. }) => {
            let (outputs, first_output) = (block.neurons, block.first_neuron);
            let values = value_target(network, block.node).map(|target| network.graph[target].shape()[0]);
            let loss = if values.is_some() { None } else { Some(loss) };
            trained(&TrainedShape {
                name,
                inputs,
                outputs,
                first_output,
                values: values.unwrap_or(0),
                window,
                vector_length,
                loss,
                format,
            })
        }
        ReadoutKind::TargetTree(TargetTree { parts, .. }) => {
            let classes = network.classes();
            target_tree(&TreeShape { name, inputs, classes, window, vector_length, parts, format })
        }
        _ => unreachable!("other readouts do not learn"),
    }
}

fn maker<'a>(planned: &Planned<'a>, block: &PlannedBlock, layer: &'a Layer, lowered: &'a LoweredLayer) -> Maker<'a> {
    let network = planned.compilation.network();
    Maker {
        layer,
        parameters: &lowered.parameters,
        classes: lowered.record.as_ref().map(|record| record.classes),
        sources: planned.sources,
        inputs: network.planes(block.node),
        planned: planned.blocks,
        chip: &planned.compilation.options.chip,
    }
}

/// What does not fit, by node and number of the limit: how much is needed, and the message.
type Misfits = BTreeMap<(NodeIndex, usize), (u64, Diagnostic)>;

/// What of a block does not fit an empty core of the chip. Of several blocks of a node the largest is named.
fn misfits(
    network: &Network,
    chip: &Chip,
    block: &PlannedBlock,
    layout: &Layout,
    connection: Option<&Connection>,
    found: &mut Misfits,
) {
    let [neuron, axon, synapse] = layout.bytes();
    let limits = [
        ("synapse memory", "bytes", synapse, chip.memory.synapse_bytes),
        ("neuron memory", "bytes", neuron, chip.memory.neuron_bytes),
        ("axon memory", "bytes", axon, chip.memory.axon_bytes),
        ("active set", "axons", u64::from(block.axons), chip.memory.axons),
    ];
    let node = &network.graph[block.node];
    let mut add = |limit: usize, needed: u64, diagnostic: Diagnostic| {
        let largest = found.entry((block.node, limit)).or_insert_with(|| (needed, diagnostic.clone()));
        if needed > largest.0 {
            *largest = (needed, diagnostic);
        }
    };
    let over = limits.into_iter().enumerate().filter(|&(_, (_, _, needed, available))| needed > u64::from(available));
    for (limit, (what, unit, needed, available)) in over {
        let parts: Vec<&Symbol> =
            layout.symbols.iter().filter(|symbol| symbol.space().is_some_and(|space| space.name() == what)).collect();
        let mut diagnostic = Diagnostic::new(
            node.span(),
            format!(
                "a block of `{}` does not fit a core: {needed} {unit} of {what} needed, {available} available",
                node.name()
            ),
        )
        .label(format!("blocks of {} neurons, {} axons", block.neurons, block.axons));
        for symbol in parts {
            let bytes = symbol.elements() * u64::from(symbol.width_bits) / 8;
            diagnostic = diagnostic.note(format!(
                "{}: {} x {} of {} bits, {bytes} bytes",
                symbol.name, symbol.rows, symbol.columns, symbol.width_bits
            ));
        }
        add(limit, needed, diagnostic.help(help(node, block, layout, what, needed, available.into())));
    }
    for (at, (needed, diagnostic)) in table_limits(node, connection).into_iter().enumerate() {
        add(limits.len() + at, needed, diagnostic);
    }
}

/// What would make a block fit.
fn help(node: &Node, block: &PlannedBlock, layout: &Layout, what: &str, needed: u64, available: u64) -> String {
    let bits = layout.symbol("weights").map_or(0, |symbol| symbol.width_bits);
    let fewer_bits = if bits > 4 { ", weights of fewer bits" } else { "" };
    let larger = "or a chip with larger memories";
    let convolution = matches!(node, Node::Layer(Layer { kind: LayerKind::Convolution(_), .. }));
    match what {
        "synapse memory" if convolution => format!("fewer channels in a block (`block`){fewer_bits}, {larger}"),
        "synapse memory" => {
            // A multiple of 16 fills the lanes of most chips.
            let largest = (u64::from(block.neurons) * available / needed).max(1);
            let largest = if largest > 16 { largest / 16 * 16 } else { largest };
            format!("smaller blocks (`block = {largest}` or less){fewer_bits}, {larger}")
        }
        "neuron memory" if convolution => format!("fewer channels or rows in a block (`block`, `rows`), {larger}"),
        "neuron memory" if matches!(node, Node::Delay(_)) => {
            format!("a shorter delay, smaller blocks of what is delayed, {larger}")
        }
        "neuron memory" if block.order == Order::Straight && layout.symbol("membrane").is_none() => {
            format!("smaller blocks, {larger}")
        }
        "neuron memory" => "smaller blocks, fewer classes, or a chip with larger memories".into(),
        _ if convolution => {
            format!(
                "smaller blocks of the layers before, of fewer rows: a block takes all packets of each that reaches it; {larger}"
            )
        }
        _ => "fewer inputs to the layer, or a chip with larger memories".to_owned(),
    }
}

/// Taps of kernels that the entries of a table can tell apart.
pub(crate) const MOST_TAPS: u64 = 1 << 15;

/// Numbers that a table's entries cannot hold.
pub(crate) fn table_limits(node: &Node, connection: Option<&Connection>) -> Vec<(u64, Diagnostic)> {
    let mut errors = Vec::new();
    let mut limit = |what: &str, needed: u64, available: u64, help: &str| {
        if needed > available {
            let message = format!(
                "a block of `{}` is too large for its tables: {needed} {what}, {available} can be told apart",
                node.name()
            );
            errors.push((needed, Diagnostic::new(node.span(), message).help(help.to_owned())));
        }
    };
    for part in connection.into_iter().flat_map(|connection| &connection.parts) {
        match &part.kind {
            PartKind::Kernels { kernels, .. } => {
                let sums = "fewer channels or rows in a block (`block`, `rows`)";
                limit("sums", u64::from(kernels.sums()), 1 << 16, sums);
                limit(
                    "taps of kernels",
                    kernels.all_taps(),
                    MOST_TAPS,
                    "fewer input channels, more groups, or smaller kernels",
                );
            }
            PartKind::Pairs { .. } => {
                if let Some(Sums::Memory { elements, .. }) = connection.map(|connection| connection.sums) {
                    limit("neurons", elements.into(), 1 << 16, "smaller blocks (`block = 65536` or less)");
                }
            }
            PartKind::Rows { .. } | PartKind::Marks { .. } | PartKind::Values { .. } => {}
        }
    }
    errors
}

/// Handlers of one layer that differ in more than the number of neurons are told apart by numbers.
fn number_names(made: &mut TiSlice<ProgramIndex, Handlers>) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for handlers in made {
        let times = seen.entry(handlers.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            handlers.name = format!("{}-{times}", handlers.name);
        }
    }
}

pub(super) const PASS: Pass = Pass {
    name: "generate",
    description: "write the handlers of each layer as assembly and lay out its memories",
    needs: &[Product::Layers, Product::Blocks],
    makes: Product::Programs,
    run,
    verify: None,
    amounts,
    emit,
    drawing: None,
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let mut made: TiVec<ProgramIndex, Handlers> = TiVec::new();
    // Blocks whose handlers are the same text share them.
    let mut known: BTreeMap<(NodeIndex, String), ProgramIndex> = BTreeMap::new();
    let mut found = Misfits::new();
    let mut connections: TiVec<BlockIndex, Option<Connection>> = TiVec::new();
    for at in indices(BlockIndex::default()..compilation.blocks.next_key()) {
        let (network, block) = (compilation.network(), &compilation.blocks[at]);
        let sources = compilation.sources.get(&block.node).map_or(&[][..], |sources| sources);
        let planned = Planned { compilation, blocks: &compilation.blocks, sources };
        let (handlers, connection) = handlers(&planned, block);
        let key = (block.node, handlers.text.clone());
        let index = *known.entry(key).or_insert_with(|| {
            let chip = &compilation.options.chip;
            misfits(network, chip, block, &handlers.layout, connection.as_ref(), &mut found);
            made.push_and_get_key(handlers)
        });
        connections.push(connection);
        compilation.blocks[at].program = index;
    }
    number_names(&mut made);
    compilation.handlers = made;
    compilation.connections = connections;
    let errors: Vec<Diagnostic> = found.into_values().map(|(_, diagnostic)| diagnostic).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    let lines = compilation.handlers.iter().map(|handlers| handlers.text.lines().count() as u64);
    vec![(compilation.handlers.len() as u64, "program"), (lines.sum(), "line")]
}

fn emit(compilation: &Compilation) -> String {
    compilation.handlers.iter().map(|handlers| handlers.text.as_str()).collect::<Vec<_>>().join("\n")
}
