//! A layer that does not learn: its blocks add up what comes in, bring their neurons forward, and send spikes.
//!
//! A block may have many more neurons than a vector has elements: they are brought forward in strips.

use super::events::{self, Places};
use super::text::Assembly;
use crate::connect::{Connection, PartKind, Role, Sums, Table, strips};
use crate::layout::Layout;
use crate::lowering::{Integers, LayerParameters};
use crate::plan::{Channel, PlannedBlock};
use onward_isa::{Space, Width};

/// What the handlers of a block are made for.
pub(crate) struct BlockShape<'a> {
    /// The layer's name.
    pub name: &'a str,
    /// Steps of a window.
    pub window: u32,
    /// Elements of a vector register.
    pub vector_length: u32,
    pub block: &'a PlannedBlock,
    pub parameters: &'a LayerParameters,
    pub connection: &'a Connection,
}

fn width(bits: u32) -> Width {
    Width::from_bits(bits).expect("4, 8, 16 or 32 bits")
}

/// What lies where. Sums come first, so that a table's addresses are small; then what a window's opening clears.
pub(crate) fn layout(shape: &BlockShape) -> Layout {
    let mut layout = Layout::default();
    let n = shape.block.neurons;
    let (parameters, connection) = (shape.parameters, shape.connection);
    if let Sums::Memory { bits, elements } = connection.sums {
        layout.add("sums", Space::Neuron, width(bits), 1, elements);
    }
    layout.add("membrane", Space::Neuron, width(parameters.widths.membrane), 1, n);
    let neuron = &parameters.neuron;
    if neuron.current.is_some() {
        layout.add("current", Space::Neuron, width(parameters.widths.current), 1, n);
    }
    if neuron.refractory > 0 {
        layout.add("refractory", Space::Neuron, Width::W16, 1, n);
    }
    for (name, values) in arrays(parameters) {
        if matches!(values, Integers::Each(_)) {
            layout.add(name, Space::Neuron, Width::W32, 1, n);
        }
    }
    for (part, number) in connection.parts.iter().zip(0..) {
        let called = |name: &str| if number == 0 { name.to_owned() } else { format!("own_{name}") };
        let bits = width(part.bits);
        let table = match &part.kind {
            PartKind::Rows { rows, table } => {
                // One matrix, if the same instruction can add both.
                let columns = match connection.sums {
                    Sums::Register => n,
                    Sums::Memory { .. } => {
                        let length = connection.parts[0].kind.row_length(n);
                        let (strips, strip) = strips(length, shape.vector_length);
                        strips * strip
                    }
                };
                layout.add(&called("weights"), Space::Synapse, bits, rows.len() as u32, columns);
                Some(table)
            }
            PartKind::Kernels { kernels, table } => {
                let taps = u32::try_from(kernels.all_taps()).unwrap_or(u32::MAX);
                layout.add(&called("weights"), Space::Synapse, bits, taps, kernels.plane.channels);
                Some(table)
            }
            PartKind::Pairs { first, pairs } => {
                layout.add(&called("first"), Space::Axon, Width::W32, 1, first.len() as u32);
                layout.add(&called("pairs"), Space::Synapse, Width::W32, 1, pairs.len() as u32);
                None
            }
            PartKind::Marks { table } => Some(table),
        };
        if let Some(table) = table {
            add_table(&mut layout, &called(""), table, constant_shape(table).is_none());
        }
    }
    layout
}

/// The arrays of a table; `prefix` is empty or ends in `_`.
pub(crate) fn add_table(layout: &mut Layout, prefix: &str, table: &Table, with_shapes: bool) {
    if let Table::Lists { first, .. } = table {
        layout.add(&format!("{prefix}first"), Space::Axon, Width::W32, 1, first.len() as u32);
    }
    let entries = table.entries().len() as u32;
    if entries > 0 {
        layout.add(&format!("{prefix}entries"), Space::Axon, Width::W32, 1, entries);
        if with_shapes {
            layout.add(&format!("{prefix}shapes"), Space::Axon, Width::W32, 1, entries);
        }
    }
}

/// The shape of all entries, if it is the same.
pub(crate) fn constant_shape(table: &Table) -> Option<i32> {
    let mut shapes = table.entries().iter().filter(|entry| entry.value >= 0).map(|entry| entry.shape);
    let first = shapes.next().unwrap_or(0);
    shapes.all(|shape| shape == first).then_some(first)
}

/// Numbers of neurons, by the name of the array they lie in where they differ.
pub(crate) fn arrays(parameters: &LayerParameters) -> Vec<(&'static str, &Integers)> {
    let neuron = &parameters.neuron;
    let all = [
        ("threshold", Some(&neuron.threshold)),
        ("reset", neuron.reset.as_ref()),
        ("leak", neuron.leak.as_ref()),
        ("current_left", neuron.current.as_ref()),
        ("bias", Some(&neuron.bias)),
    ];
    all.into_iter().filter_map(|(name, values)| Some((name, values?))).collect()
}

/// Handlers of a block.
pub(crate) fn neurons(shape: &BlockShape) -> (String, Layout) {
    let layout = layout(shape);
    let mut a = Assembly::default();
    let n = shape.block.neurons;
    a.comment(&format!(
        "Layer `{}`: {n} neurons, {} axons, {}-bit weights.",
        shape.name, shape.block.axons, shape.parameters.weight_bits
    ));
    a.comment("Axon 0 carries tags; the others' weights are added up, then all neurons are brought forward.");
    a.gap();
    a.constant("NEURONS", n.into());
    a.constant("WINDOW", shape.window.into());
    for channel in [Channel::Spikes, Channel::Tags, Channel::Own] {
        a.constant(&format!("ROUTE_{}", channel.name().to_uppercase()), channel as i64);
    }
    a.comment("What lies where, in elements");
    a.layout(&layout);
    for (name, register) in events::REGISTERS {
        a.register(name, register);
    }
    a.gap();
    a.label("step");
    a.code("special position, position", "");
    a.code("addi r10, r0, WINDOW", "");
    a.code("blt position, r10, in_window", "");
    a.code("sleep", "no window is open");
    a.label("in_window");
    a.code("bne position, r0, integrate", "");
    open_window(&mut a, shape, &layout);
    a.gap();
    a.label("integrate");
    let row_length = shape.connection.parts[0].kind.row_length(n);
    let places = Places { layout: &layout, vector_length: shape.vector_length, row_length };
    events::integrate(&mut a, shape.connection, &places);
    a.gap();
    a.label("update");
    update(&mut a, shape, &layout);
    clear_sums(&mut a, shape, &layout);
    a.gap();
    a.label("done");
    a.code("special position, position", "");
    a.code("addi r10, r0, WINDOW - 1", "");
    a.code("beq position, r10, close", "");
    a.code("stay", "");
    a.label("close");
    a.code("sleep", "");
    (a.finish(), layout)
}

/// Clears `elements` elements of memory from `first` on.
pub(super) fn clear(a: &mut Assembly, memory: &str, first: u32, elements: u32, vector_length: u32, label: &str) {
    let strip = vector_length.min(elements);
    let (strips, rest) = (elements / strip.max(1), elements % strip.max(1));
    a.code(&format!("setvl r0, {strip}"), "");
    a.code("vmv v0, r0", "");
    a.load_number("r15", first as i32, "");
    if strips > 1 {
        a.load_number("r14", strips as i32, "");
        a.code(&format!("loop r14, {label}"), "");
        a.code(&format!("vst v0, {memory}[r15]"), "");
        a.code(&format!("addi r15, r15, {strip}"), "");
        a.label(label);
    } else {
        a.code(&format!("vst v0, {memory}[r15]"), "");
        a.code(&format!("addi r15, r15, {strip}"), "");
    }
    if rest > 0 {
        a.code(&format!("setvl r0, {rest}"), "");
        a.code(&format!("vst v0, {memory}[r15]"), "");
    }
}

fn open_window(a: &mut Assembly, shape: &BlockShape, layout: &Layout) {
    a.comment("A window opens: the tag goes on, and all neurons are at rest.");
    a.code("special r10, tag", "");
    a.code("send r0, r10, ROUTE_TAGS", "");
    let bit = |name: &str| {
        layout.symbol(name).map(|s| (s.offset * u32::from(s.width_bits), s.columns * u32::from(s.width_bits)))
    };
    let all: Vec<(u32, u32)> = ["membrane", "current", "refractory"].into_iter().filter_map(bit).collect();
    let first = all.iter().map(|(first, _)| first / 32).min().unwrap_or(0);
    let end = all.iter().map(|(first, bits)| (first + bits).div_ceil(32)).max().unwrap_or(0);
    // What shares a word with them is a sum, which is 0 between steps.
    clear(a, "n32", first, end - first, shape.vector_length, "cleared");
}

/// Sums are read once: then they are 0 again, if anything came in.
fn clear_sums(a: &mut Assembly, shape: &BlockShape, layout: &Layout) {
    if let (Sums::Memory { bits, elements }, Some(sums)) = (shape.connection.sums, layout.symbol("sums")) {
        a.gap();
        a.code("special r10, events", "");
        a.code("beq r10, r0, done", "nothing came in");
        // Two sums of 16 bits are cleared as a word.
        let words = (elements * bits).div_ceil(32);
        if bits == 16 && elements.is_multiple_of(2) {
            clear(a, "n32", 0, words, shape.vector_length, "sums_cleared");
        } else {
            clear(a, &format!("n{bits}"), sums.offset, elements, shape.vector_length, "sums_cleared");
        }
    }
}

/// A loop nest over all neurons: `rows` rows of `length` neurons; after each row the sums are `skip` further, after each
/// `band_rows` rows `band_skip` more.
struct Walk {
    bands: u32,
    rows: u32,
    length: u32,
    first_sum: u32,
    skip: u32,
    band_skip: u32,
}

impl Walk {
    fn new(shape: &BlockShape) -> Walk {
        let n = shape.block.neurons;
        match &shape.connection.parts[0].kind {
            PartKind::Kernels { kernels, .. } => {
                let (plane, pitch) = (kernels.plane, kernels.row_pitch());
                let length = plane.width * plane.channels;
                Walk {
                    bands: kernels.bands,
                    rows: plane.rows,
                    length,
                    first_sum: kernels.first_sum(),
                    skip: pitch - length,
                    band_skip: kernels.band_sums() - plane.rows * pitch,
                }
            }
            _ => Walk { bands: 1, rows: 1, length: n, first_sum: 0, skip: 0, band_skip: 0 },
        }
    }
}

/// Brings all neurons forward.
fn update(a: &mut Assembly, shape: &BlockShape, layout: &Layout) {
    let walk = Walk::new(shape);
    constants(a, shape);
    let (strips, strip) = strips(walk.length, shape.vector_length);
    let even = strips * strip == walk.length;
    let in_memory = shape.connection.sums != Sums::Register;
    if even {
        a.code(&format!("setvl r0, {strip}"), "");
    }
    let loops = walk.bands * walk.rows * strips > 1;
    if loops || in_memory {
        a.code("addi at, r0, 0", "the neuron");
        if in_memory {
            a.load_number("sums", walk.first_sum as i32, "its sum");
        }
    }
    let at = if loops { "at" } else { "r0" };
    if walk.bands > 1 {
        a.code(&format!("addi r13, r0, {}", walk.bands), "");
        a.code("loop r13, updated", "");
    }
    if walk.rows > 1 {
        a.load_number("r13", walk.rows as i32, "");
        a.code("loop r13, rows_done", "");
    }
    if strips > 1 {
        if !even {
            a.load_number("left", walk.length as i32, "");
        }
        a.code(&format!("addi r13, r0, {strips}"), "");
        a.code("loop r13, strips_done", "");
    }
    if !even {
        a.code(&format!("addi r15, r0, {strip}"), "");
        a.code("min r10, left, r15", "");
        a.code("setvl r10, 0", "");
        a.code("sub left, left, r10", "");
    }
    bring_forward(a, shape, layout, at);
    if loops {
        if even {
            a.code(&format!("addi at, at, {strip}"), "");
            if in_memory {
                a.code(&format!("addi sums, sums, {strip}"), "");
            }
        } else {
            a.code("add at, at, r10", "");
            if in_memory {
                a.code("add sums, sums, r10", "");
            }
        }
    }
    if strips > 1 {
        a.label("strips_done");
    }
    if in_memory && walk.rows > 1 {
        a.advance("sums", walk.skip.into(), "over the halo");
    }
    if walk.rows > 1 {
        a.label("rows_done");
    }
    if in_memory && walk.bands > 1 {
        let skip = walk.band_skip + if walk.rows > 1 { 0 } else { walk.skip };
        a.advance("sums", skip.into(), "to the next band");
    }
    a.label("updated");
}

/// What all neurons share goes into registers.
fn constants(a: &mut Assembly, shape: &BlockShape) {
    let neuron = &shape.parameters.neuron;
    if let Integers::Same(threshold) = neuron.threshold {
        a.load_number("threshold", threshold, "");
        if neuron.reset.is_none() {
            a.code("sub minus, r0, threshold", "");
        }
    }
    for (register, values) in [
        ("minus", &neuron.reset),
        ("leak", &neuron.leak),
        ("left_current", &neuron.current),
        ("bias", &Some(neuron.bias.clone())),
    ] {
        if let Some(Integers::Same(value)) = values
            && !(register == "bias" && *value == 0)
        {
            a.load_number(register, *value, "");
        }
    }
    if neuron.refractory > 0 {
        a.code("addi one, r0, 1", "");
        a.code("addi r11, r0, -1", "");
        a.code(&format!("addi r12, r0, {}", neuron.refractory), "steps it is refractory");
    }
}

/// Brings a strip of neurons forward: v2 is the membrane, v0 what comes in.
fn bring_forward(a: &mut Assembly, shape: &BlockShape, layout: &Layout, at: &str) {
    let neuron = &shape.parameters.neuron;
    let access = |a: &mut Assembly, instruction: &str, name: &str, comment: &str| {
        let symbol = layout.symbol(name).expect("the layout has it");
        let memory = format!("n{}", symbol.width_bits);
        a.indexed(instruction, &memory, at, symbol.offset.into(), comment);
    };
    if let Sums::Memory { bits, .. } = shape.connection.sums {
        a.code(&format!("vld v0, n{bits}[sums]"), "what came in");
    }
    if let Some(left) = &neuron.current {
        access(a, "vld v1", "current", "the synaptic current decays ..");
        decay(a, left, "v1", "left_current", |a| access(a, "vld v3", "current_left", ""));
        a.code("vadd v0, v1, v0", ".. and takes it in");
        access(a, "vst v0", "current", "");
    }
    access(a, "vld v2", "membrane", "");
    if neuron.refractory > 0 {
        a.code("vadds v6, v2, r0", "as it was");
    }
    if let Some(leak) = &neuron.leak {
        decay(a, leak, "v2", "leak", |a| access(a, "vld v3", "leak", ""));
    }
    a.code("vadd v2, v2, v0", "");
    // Last, as the order of sums matters where they saturate.
    match &neuron.bias {
        Integers::Same(0) => {}
        Integers::Same(_) => a.code("vadds v2, v2, bias", ""),
        Integers::Each(_) => access(a, "vacc v2", "bias", ""),
    }
    if neuron.refractory > 0 {
        access(a, "vld v4", "refractory", "");
        a.code("vclts p1, v4, one", "not refractory");
        a.code("vsel v2, v2, v6, p1", "");
    }
    match neuron.threshold {
        Integers::Same(_) => a.code("vcges p0, v2, threshold", ""),
        Integers::Each(_) => {
            access(a, "vld v5", "threshold", "");
            a.code("vcge p0, v2, v5", "");
        }
    }
    if neuron.refractory > 0 {
        a.code("pand p0, p0, p1", "");
    }
    reset(a, neuron, |a| access(a, "vld v7", "reset", ""));
    access(a, "vst v2", "membrane", "");
    if neuron.refractory > 0 {
        a.code("pnot p2, p1", "");
        a.code("vaddp v4, v4, r11, p2", "a step less");
        a.code("pnot p2, p0", "");
        a.code("vsels v4, v4, r12, p2", "who fires begins");
        access(a, "vst v4", "refractory", "");
    }
    let base = if at == "r0" { String::new() } else { format!(", {at}") };
    if shape.connection.parts.iter().any(|part| part.role == Role::Own) {
        // A window begins at rest: its first step hears nothing of the one before.
        a.code(&format!("spike p0, ROUTE_SPIKES{base}"), "");
        a.code("special r15, position", "");
        a.code("addi r14, r0, WINDOW - 1", "");
        a.code("beq r15, r14, own_sent", "");
        a.code(&format!("spike p0, ROUTE_OWN{base}"), "to the layer itself");
        a.label("own_sent");
    } else {
        a.code(&format!("spike p0, ROUTE_SPIKES{base}"), "");
    }
}

fn decay(a: &mut Assembly, left: &Integers, vector: &str, register: &str, load: impl Fn(&mut Assembly)) {
    match left {
        Integers::Same(65536) => {}
        Integers::Same(_) => a.code(&format!("vscales {vector}, {vector}, {register}"), "what is left"),
        Integers::Each(_) => {
            load(a);
            a.code(&format!("vscale {vector}, {vector}, v3"), "what is left");
        }
    }
}

fn reset(a: &mut Assembly, neuron: &crate::lowering::NeuronParameters, load: impl Fn(&mut Assembly)) {
    match (&neuron.reset, &neuron.threshold) {
        (None, Integers::Same(_)) => a.code("vaddp v2, v2, minus, p0", "soft reset"),
        (None, Integers::Each(_)) => {
            a.code("vsub v7, v2, v5", "");
            a.code("vsel v2, v7, v2, p0", "soft reset");
        }
        (Some(Integers::Same(_)), _) => {
            a.code("pnot p2, p0", "");
            a.code("vsels v2, v2, minus, p2", "reset");
        }
        (Some(Integers::Each(_)), _) => {
            load(a);
            a.code("vsel v2, v7, v2, p0", "reset");
        }
    }
}
