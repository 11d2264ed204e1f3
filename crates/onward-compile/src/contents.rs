//! The initial contents of blocks: weights, tables, and what neurons are made of.

use crate::connect::{Kernels, Part, PartKind, Role, Sums, Table, Tap, Traces};
use crate::handlers::{neurons_of_axons, product_parts};
use crate::layout::Layout;
use crate::lowering::LoweredLayer;
use crate::pass::Compilation;
use crate::plan::PlannedBlock;
use crate::readouts::{ReadoutFormat, UNKNOWN_LEAF};
use onward_image::{BlockIndex, Kernel, Order};
use onward_net::{Convolution, Layer, LayerKind, Node, Readout, ReadoutKind, TargetTree};
use onward_quantize::{Integers, LayerParameters, TargetTable};
use petgraph::graph::NodeIndex;

/// Writes arrays into a block's memories.
struct Writer<'a> {
    layout: &'a Layout,
    contents: [Vec<u8>; 3],
}

impl Writer<'_> {
    /// Fills an array from its beginning.
    fn fill(&mut self, name: &str, values: impl IntoIterator<Item = i64>) {
        self.fill_row(name, 0, values);
    }

    /// Fills a row of an array.
    fn fill_row(&mut self, name: &str, row: usize, values: impl IntoIterator<Item = i64>) {
        let Some(symbol) = self.layout.symbol(name) else { return };
        let (Some(space), Some(width)) = (symbol.space(), symbol.width()) else { return };
        let bytes = &mut self.contents[space as usize];
        bytes.resize(self.layout.bytes()[space as usize] as usize, 0);
        let first = symbol.offset as usize + row * symbol.columns as usize;
        for (value, at) in values.into_iter().zip(first..) {
            width.put(bytes, at, value);
        }
    }

    /// Numbers of the neurons of a block, where they lie in an array.
    fn neurons(&mut self, name: &str, values: &Integers, block: &PlannedBlock) {
        if *values != Integers::Same(0) {
            self.fill(name, (0..block.neurons).map(|index| values.of(block.neuron(index)).into()));
        }
    }

    /// A block's part of a table of targets: its neurons, of a convolution its channels in the cells of the plane.
    fn targets(&mut self, table: &TargetTable, classes: u32, block: &PlannedBlock) {
        let [along_y, along_x] = table.cells;
        let of_class = table.entries.len() / classes.max(1) as usize;
        for class in 0..classes as usize {
            let entries = &table.entries[class * of_class..][..of_class];
            let entry = |at: u32| entries.get(at as usize).copied().map_or(0, i64::from);
            let row: Vec<i64> = match block.order {
                Order::Plane(plane) => {
                    let cells = along_y * along_x;
                    let channels = plane.first_channel..plane.first_channel + plane.channels;
                    (0..cells)
                        .flat_map(|cell| channels.clone().map(move |channel| channel * cells + cell))
                        .map(entry)
                        .collect()
                }
                Order::Straight => (0..block.neurons).map(|index| entry(block.neuron(index))).collect(),
            };
            self.fill_row("table", class, row);
        }
    }

    /// The contents: what is not said at the end of a memory is 0.
    fn finish(self) -> [Vec<u8>; 3] {
        self.contents.map(|mut bytes| {
            let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(end);
            bytes
        })
    }

    /// Kernels as they lie in memory; `weights` gives those of a variant, `[channel][channel of the group][ky][kx]`.
    fn kernels<'w>(
        &mut self,
        name: &str,
        kernels: &Kernels,
        convolution: &Convolution,
        weights: impl Fn(u32) -> &'w [i16],
    ) {
        let of_channel = weights(0).len() / convolution.channels as usize;
        let laid = kernels
            .weights(|Tap { variant, output, place }| weights(variant)[output as usize * of_channel + place as usize]);
        self.fill(name, laid.into_iter().map(i64::from));
    }

    fn table(&mut self, prefix: &str, table: &Table) {
        if let Table::Lists { first, .. } = table {
            self.fill(&format!("{prefix}first"), first.iter().map(|&at| at.into()));
        }
        self.fill(&format!("{prefix}entries"), table.entries().iter().map(|entry| entry.value.into()));
        self.fill(&format!("{prefix}shapes"), table.entries().iter().map(|entry| entry.shape.into()));
    }
}

/// The initial contents of a block's memories.
pub(crate) fn contents(compilation: &Compilation, number: BlockIndex) -> [Vec<u8>; 3] {
    let block = &compilation.blocks[number];
    let layout = &compilation.handlers[block.program].layout;
    let network = compilation.network();
    let mut writer = Writer { layout, contents: Default::default() };
    match &network.graph[block.node] {
        Node::Readout(Readout { kind: ReadoutKind::MostSpikes, .. }) => {
            if let Some(neurons) = neurons_of_axons(&compilation.blocks, block) {
                writer.fill("entries", neurons.into_iter().map(i64::from));
            }
        }
        Node::Readout(readout) if readout.kind.learns() => {
            let format = ReadoutFormat::new(&readout.kind, network.window_steps);
            writer.fill("shift", format.map(|format| format.shift.into()));
            if let ReadoutKind::TargetTree(TargetTree { parts, .. }) = readout.kind {
                let length = compilation.options.chip.core.vector_length;
                let parts = product_parts(network.inputs(block.node), parts, length.into());
                writer.fill("parts", [parts.into()]);
            }
            writer.fill("leaf", (0..network.classes()).map(|_| UNKNOWN_LEAF.into()));
        }
        Node::Layer(layer) => {
            let lowered = &compilation.layers[&block.node];
            let connection = compilation.connections[number].as_ref();
            let is_whole = connection.is_some_and(|connection| connection.sums == Sums::Register);
            for (name, values) in lowered.parameters.neuron.numbers(lowered.learns_bias(is_whole)) {
                writer.neurons(name, values, block);
            }
            if let Some(rule) = &lowered.rule {
                writer.fill("shift", [rule.shift.into()]);
                if let Some(table) = lowered.record.as_ref().and_then(|record| record.table.as_ref()) {
                    writer.targets(table, network.classes(), block);
                }
                for table in rule.tables(network.classes(), compared(lowered, block)) {
                    writer.fill(table.name, table.values.into_iter().map(i64::from));
                }
            }
            let mut kernels = None;
            for part in connection.into_iter().flat_map(|connection| &connection.parts) {
                weights(&mut writer, part, layer, lowered, block, kernels);
                if let PartKind::Kernels { kernels: of_layer, table } = &part.kind {
                    kernels = Some(of_layer);
                    if lowered.rule.is_some() {
                        let Traces { slots, sums, .. } = Traces::new(of_layer, table);
                        writer.fill("slots", slots.into_iter().map(i64::from));
                        writer.fill("places", sums.into_iter().map(i64::from));
                    }
                }
            }
        }
        _ => {
            for part in compilation.connections[number].iter().flat_map(|connection| &connection.parts) {
                if let PartKind::Marks { table } = &part.kind {
                    writer.table("", table);
                }
            }
        }
    }
    writer.finish()
}

/// Elements that the classes of a block are compared by.
fn compared(lowered: &LoweredLayer, block: &PlannedBlock) -> u32 {
    match (lowered.record.as_ref().and_then(|record| record.table.as_ref()), block.order) {
        (Some(table), Order::Plane(plane)) => table.cells[0] * table.cells[1] * plane.channels,
        _ => block.neurons,
    }
}

/// How the kernels of a layer that learns lie in its blocks: the same in all of them.
pub(crate) fn kernel(compilation: &Compilation, node: NodeIndex, layer: &Layer) -> Option<Kernel> {
    let LayerKind::Convolution(convolution) = &layer.kind else { return None };
    let number = compilation.blocks.position(|block| block.node == node)?;
    let parts = &compilation.connections[number].as_ref()?.parts;
    let kernels = parts.iter().find_map(|part| match &part.kind {
        PartKind::Kernels { kernels, .. } => Some(kernels),
        _ => None,
    })?;
    let [height, width] = convolution.kernel;
    let places = kernels.weights(|tap| tap.place);
    let taps = places.into_iter().step_by(kernels.plane.channels as usize).collect();
    Some(Kernel { shape: [kernels.channels(), height, width], taps })
}

/// The weights and the table of a part; `kernels` are those of a convolution, whose own spikes come by rows.
fn weights(
    writer: &mut Writer,
    part: &Part,
    layer: &Layer,
    lowered: &LoweredLayer,
    block: &PlannedBlock,
    kernels: Option<&Kernels>,
) {
    let (parameters, prefix) = (&lowered.parameters, part.role.prefix());
    let name = format!("{prefix}weights");
    match &part.kind {
        PartKind::Rows { rows, table } => {
            if matches!(layer.kind, LayerKind::Sparse(_)) && part.role == Role::Input {
                sparse_rows(writer, &name, rows, parameters, block);
            } else {
                dense_rows(writer, &name, part.role, rows, lowered, block, kernels);
            }
            writer.table(prefix, table);
        }
        PartKind::Kernels { kernels, table } => {
            let LayerKind::Convolution(convolution) = &layer.kind else { return };
            writer.kernels(&name, kernels, convolution, |variant| &parameters.weights[variant as usize]);
            writer.table(prefix, table);
        }
        PartKind::Pairs { first, pairs } => {
            writer.fill(&format!("{prefix}first"), first.iter().map(|&at| at.into()));
            writer.fill(&format!("{prefix}pairs"), pairs.iter().map(|&pair| pair.into()));
        }
        PartKind::Values { table } => writer.table(prefix, table),
        PartKind::Marks { .. } => {}
    }
}

/// Rows of weights for all neurons of a block; what is drawn for a place does not depend on who sends it, or in which order.
fn dense_rows(
    writer: &mut Writer,
    name: &str,
    role: Role,
    rows: &[(u32, u32)],
    lowered: &LoweredLayer,
    block: &PlannedBlock,
    kernels: Option<&Kernels>,
) {
    let parameters = &lowered.parameters;
    for (row, &(place, variant)) in rows.iter().enumerate() {
        let all: Option<&[i16]> = match role {
            Role::Input => Some(&parameters.weights[variant as usize]),
            Role::Target => lowered.record.as_ref().and_then(|record| record.target_weights.as_deref()),
            Role::Own => parameters.recurrent.as_ref().map(|(_, own)| own.as_slice()),
        };
        let neurons = lowered.neurons as usize;
        let Some(of_place) = all.and_then(|all| all.get(place as usize * neurons..)?.get(..neurons)) else { return };
        let of_block = (0..block.neurons).map(|index| i64::from(of_place[block.neuron(index) as usize]));
        match kernels.filter(|_| role == Role::Own) {
            None => writer.fill_row(name, row, of_block),
            Some(kernels) => {
                let mut all = vec![0; kernels.sums() as usize];
                (0..).zip(of_block).for_each(|(index, weight)| all[kernels.sum_of(index) as usize] = weight);
                writer.fill_row(name, row, all);
            }
        }
    }
}

/// Rows of a sparse layer: what has no weight has 0.
fn sparse_rows(
    writer: &mut Writer,
    name: &str,
    rows: &[(u32, u32)],
    parameters: &LayerParameters,
    block: &PlannedBlock,
) {
    let mut of_row: Vec<Vec<i64>> = vec![vec![0; block.neurons as usize]; rows.len()];
    let mut by_place: std::collections::BTreeMap<u32, Vec<usize>> = Default::default();
    for (row, &(place, _)) in rows.iter().enumerate() {
        by_place.entry(place).or_default().push(row);
    }
    for (at, (place, to)) in parameters.connections.iter().enumerate() {
        let Some(index) = to.checked_sub(block.first_neuron).filter(|&index| index < block.neurons) else { continue };
        for &row in by_place.get(place).into_iter().flatten() {
            of_row[row][index as usize] = parameters.weights[rows[row].1 as usize][at].into();
        }
    }
    for (row, values) in of_row.into_iter().enumerate() {
        writer.fill_row(name, row, values);
    }
}
