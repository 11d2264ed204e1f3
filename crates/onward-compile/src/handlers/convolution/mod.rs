//! A convolution of a network that learns: what its blocks do in each step and at the ends of windows.
//!
//! A block holds some output channels with all their rows, so that whatever changes a shared kernel is in its own memories.
//! Neurons lie place by place, the channels of a place side by side; a vector takes a row of the plane at a time. A
//! convolution has no bias: an input that is dark evokes nothing.

mod step;
mod update;

pub(crate) use update::MOST_ROWS;

use super::LayerShape;
use super::text::Assembly;
use crate::connect::{Connection, Kernels, PartKind, Phase, Sums, Table, Traces};
use crate::layout::Layout;
use crate::plan::Channel;
use onward_isa::{Space, Width};

/// What the handlers of a block are made for.
struct Shape<'a> {
    /// What all layers that learn have; its inputs are the slots of traces.
    of: &'a LayerShape<'a>,
    kernels: &'a Kernels,
    table: &'a Table,
    phases: &'a [Phase],
    /// Axons of the input's path.
    axons: u32,
    sum_bits: u32,
}

/// Registers that hold their meaning while events are taken in, and others while neurons are brought forward.
const REGISTERS: [(&str, &str); 18] = [
    ("axon", "r1"),
    ("payload", "r2"),
    ("traces", "r3"),
    ("at", "r4"),
    ("sums", "r5"),
    ("weights", "r6"),
    ("entry", "r7"),
    ("rows", "r8"),
    ("length", "r9"),
    ("columns", "r12"),
    ("threshold", "r1"),
    ("minus", "r2"),
    ("counts", "r6"),
    ("voltages", "r7"),
    ("one", "r8"),
    ("keeps", "r9"),
    ("class", "r12"),
    ("slot", "r10"),
];

impl Shape<'_> {
    /// Neurons in a row of the plane.
    fn row(&self) -> u32 {
        self.kernels.plane.width * self.kernels.plane.channels
    }

    fn rows(&self) -> u32 {
        self.kernels.plane.rows
    }

    /// Whether voltages decide which weights change.
    fn gated(&self) -> bool {
        self.of.layer.rule.as_ref().is_some_and(|learning| learning.gate.is_some())
    }

    fn learns(&self) -> bool {
        self.of.layer.rule.is_some()
    }
}

/// What lies where.
fn layout(shape: &Shape, traces: &Traces) -> Layout {
    let mut layout = Layout::default();
    let LayerShape { neurons, classes, fed_by_target, layer, .. } = *shape.of;
    let weight =
        Width::from_bits(layer.parameters.weight_bits).expect("4, 8 or 16 bits, as the network was checked for");
    let sum = Width::from_bits(shape.sum_bits).expect("16 or 32 bits");
    let slots = traces.sums.len() as u32;
    layout.add("sums", Space::Neuron, sum, 1, shape.kernels.sums());
    if shape.learns() {
        layout.add("shift", Space::Neuron, Width::W32, 1, 1);
        layout.add("frozen", Space::Neuron, Width::W32, 1, 1);
    }
    layout.add("scores", Space::Neuron, Width::W32, 1, classes);
    layout.add("membrane", Space::Neuron, Width::W32, 1, neurons);
    layout.add("count", Space::Neuron, Width::W16, 1, neurons);
    layout.add("target_count", Space::Neuron, Width::W16, classes, neurons);
    if shape.gated() {
        layout.add("voltage", Space::Neuron, Width::W32, 1, neurons);
        if !fed_by_target {
            layout.add("target_voltage", Space::Neuron, Width::W32, classes, neurons);
        }
    }
    layout.add("entries", Space::Axon, Width::W32, 1, shape.axons);
    if shape.constant_entry().is_none() {
        layout.add("shapes", Space::Axon, Width::W32, 1, shape.axons);
    }
    if shape.learns() {
        layout.add("slots", Space::Axon, Width::W32, 1, shape.axons);
        layout.add("places", Space::Axon, Width::W32, 1, slots);
        layout.add("trace", Space::Axon, Width::W16, 1, slots);
        if !fed_by_target {
            layout.add("target_trace", Space::Axon, Width::W16, classes, slots);
        }
        for name in update::pulls(fed_by_target) {
            layout.add(name, Space::Neuron, Width::W16, 1, shape.kernels.sums());
        }
    }
    let taps = u32::try_from(shape.kernels.all_taps()).unwrap_or(u32::MAX);
    layout.add("weights", Space::Synapse, weight, taps, shape.kernels.plane.channels);
    if fed_by_target {
        layout.add("target_weights", Space::Synapse, weight, classes, neurons);
    }
    layout
}

/// Handlers of a block; `of.inputs` is not looked at, as slots take the place of inputs.
pub(crate) fn convolution(of: &LayerShape, connection: &Connection) -> (String, Layout) {
    let part = &connection.parts[0];
    let (PartKind::Kernels { kernels, table }, Sums::Memory { bits, .. }) = (&part.kind, connection.sums) else {
        unreachable!("a convolution has kernels, and sums in memory")
    };
    let traces = Traces::new(kernels, table);
    let slots = traces.sums.len() as u32;
    let of = &LayerShape { inputs: slots, ..of.clone() };
    let shape = &Shape { of, kernels, table, phases: &traces.phases, axons: part.axons, sum_bits: bits };
    let layout = layout(shape, &traces);
    let mut a = Assembly::default();
    head(&mut a, shape, &layout);
    step::step(&mut a, shape, &layout);
    a.gap();
    a.label("close_window");
    a.code("special r11, learn", "");
    a.code("special r10, kind", "");
    a.code("bne r10, r0, close_target_window", "");
    if of.scores {
        a.code("bne r11, r0, close_learning", "");
        step::scores(&mut a, shape, "answer_scored");
        a.code("setvl r0, CLASSES", "");
        a.code("addi r10, r0, SCORES", "");
        a.code("vld v2, n32[r10]", "");
        a.code("pnot p0, p1", "p1 was never set: all classes");
        a.code("vsend v2, p0, ROUTE_SCORES", "");
        a.label("close_learning");
    }
    a.code("sleep", "");
    a.gap();
    a.label("close_target_window");
    if let Some(format) = &of.layer.rule {
        a.code("bne r11, r0, learning", "");
        a.code("sleep", "");
        a.label("learning");
        a.load_symbol("r10", "FROZEN");
        a.code("ld r10, n32[r10]", "");
        a.code("bne r10, r0, learned", "the host keeps the layer as it is");
        step::scores(&mut a, shape, "target_scored");
        update::update(&mut a, shape, format);
        a.label("learned");
    }
    a.code("sleep", "");
    (a.finish(), layout)
}

fn head(a: &mut Assembly, shape: &Shape, layout: &Layout) {
    let (of, plane) = (shape.of, &shape.kernels.plane);
    a.comment(&format!(
        "Layer `{}`: {} channels of {} x {} integrate-and-fire neurons, {} inputs, {} classes, {}-bit weights.",
        of.name, plane.channels, plane.rows, plane.width, shape.axons, of.classes, of.layer.parameters.weight_bits
    ));
    a.comment(
        "Axon 0 carries tags, axon 1 + k input k, and if the target feeds the layer, axon 1 + INPUTS + c class c.",
    );
    a.gap();
    for (name, value) in [
        ("NEURONS", of.neurons),
        ("INPUTS", shape.axons),
        ("TRACES", of.inputs),
        ("ROWS", shape.rows()),
        ("ROW_LENGTH", shape.row()),
        ("CLASSES", of.classes),
        ("WINDOW", of.window),
    ] {
        a.constant(name, value.into());
    }
    for channel in Channel::ALL {
        a.constant(&format!("ROUTE_{}", channel.name().to_uppercase()), channel as i64);
    }
    a.comment("What lies where, in elements");
    a.layout(layout);
    a.comment("Registers");
    for (name, register) in REGISTERS {
        a.register(name, register);
    }
}
