//! `generate`: handlers as assembly, and what lies where in the memories; checks that each block fits a core.

use crate::handlers::{Handlers, LayerShape, layer, readout};
use crate::layout::Layout;
use crate::pass::{Compilation, Pass};
use crate::plan::PlannedBlock;
use onward_chip::Chip;
use onward_diagnostic::Diagnostic;
use onward_image::Symbol;
use onward_isa::Program;
use onward_net::{Network, Node};
use petgraph::visit::EdgeRef;

pub(super) struct Generate;

/// The handlers of one block.
fn handlers(compilation: &Compilation, block: &PlannedBlock) -> Handlers {
    let network = compilation.network();
    let classes = network.classes();
    let (text, layout) = match &network.graph[block.node] {
        Node::Layer(of) => layer(&LayerShape {
            name: &of.name,
            neurons: block.neurons,
            inputs: network.inputs(block.node),
            classes,
            window: network.window_steps,
            fed_by_target: network.is_fed_by_target(block.node),
            scores: network
                .graph
                .edges(block.node)
                .any(|edge| matches!(network.graph[edge.target()], Node::Readout(_))),
            vector_length: u32::from(compilation.options.chip.core.vector_length),
            format: &compilation.formats[&block.node],
        }),
        Node::Readout(of) => (readout(&of.name, classes, block.inlets.len() as u32), Layout::default()),
        _ => unreachable!("only layers and readouts have blocks"),
    };
    let name = network.graph[block.node].name();
    let whole = matches!(&network.graph[block.node], Node::Layer(layer) if layer.block != block.neurons);
    let name = if whole { format!("{name}-{}", block.neurons) } else { name.to_owned() };
    Handlers { name, node: block.node, neurons: block.neurons, layout, text, program: Program::default() }
}

/// What of a block does not fit an empty core of the chip.
fn misfits(network: &Network, chip: &Chip, block: &PlannedBlock, layout: &Layout) -> Vec<Diagnostic> {
    let [neuron, axon, synapse] = layout.bytes();
    let limits = [
        ("synapse memory", "bytes", synapse, chip.memory.synapse_bytes),
        ("neuron memory", "bytes", neuron, chip.memory.neuron_bytes),
        ("axon memory", "bytes", axon, chip.memory.axon_bytes),
        ("active set", "axons", u64::from(block.axons), chip.memory.axons),
    ];
    let node = &network.graph[block.node];
    let over = limits.into_iter().filter(|&(_, _, needed, available)| needed > u64::from(available));
    over.map(|(what, unit, needed, available)| {
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
        let bits = layout.symbol("weights").map_or(0, |symbol| symbol.width_bits);
        let help = match what {
            "synapse memory" => {
                // A multiple of 16 fills the lanes of most chips.
                let largest = (u64::from(block.neurons) * u64::from(available) / needed).max(1);
                let largest = if largest > 16 { largest / 16 * 16 } else { largest };
                let fewer_bits = if bits > 4 { ", weights of fewer bits" } else { "" };
                format!("smaller blocks (`block = {largest}` or less){fewer_bits}, or a chip with larger memories")
            }
            "neuron memory" => "smaller blocks, fewer classes, or a chip with larger memories".into(),
            _ => "fewer inputs to the layer, or a chip with larger memories".to_owned(),
        };
        diagnostic.help(help)
    })
    .collect()
}

impl Pass for Generate {
    fn name(&self) -> &'static str {
        "generate"
    }

    fn description(&self) -> &'static str {
        "write the handlers of each layer as assembly and lay out its memories"
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        let mut made: Vec<Handlers> = Vec::new();
        let mut errors = Vec::new();
        for at in 0..compilation.blocks.len() {
            let block = &compilation.blocks[at];
            let same =
                made.iter().position(|handlers| handlers.node == block.node && handlers.neurons == block.neurons);
            let index = same.unwrap_or_else(|| {
                let handlers = handlers(compilation, block);
                errors.extend(misfits(compilation.network(), &compilation.options.chip, block, &handlers.layout));
                made.push(handlers);
                made.len() - 1
            });
            compilation.blocks[at].handlers = index;
        }
        compilation.handlers = made;
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn emit(&self, compilation: &Compilation) -> String {
        compilation.handlers.iter().map(|handlers| handlers.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}
