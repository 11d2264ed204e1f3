//! Pools by maximum and delays: blocks that pass packets on.

use super::events::{self, Places};
use super::neurons::{add_table, clear};
use super::text::Assembly;
use crate::connect::{Connection, Part, PartKind, Role, Sums, Table, strips};
use crate::layout::Layout;
use crate::lowering::is_graded;
use crate::pass::Compilation;
use crate::places::{Windows, plane};
use crate::plan::{Channel, PlannedBlock};
use onward_isa::{Space, Width};
use onward_net::Node;

/// A loop over `length` elements in strips: `body` finds the vector length set and the first element in r4. It must leave
/// r4, r10, r13 and r14 as they are.
pub(super) fn in_strips(
    a: &mut Assembly,
    length: u32,
    vector_length: u32,
    end: &str,
    body: impl FnOnce(&mut Assembly),
) {
    let (count, strip) = strips(length, vector_length);
    let even = count * strip == length;
    a.code("addi r4, r0, 0", "");
    a.code(&format!("setvl r0, {strip}"), "");
    if count == 1 {
        return body(a);
    }
    a.code(&format!("addi r10, r0, {strip}"), "");
    a.load_number("r14", length as i32, "what is left");
    a.load_number("r13", count as i32, "");
    a.code(&format!("loop r13, {end}"), "");
    if !even {
        a.code("min r10, r10, r14", "");
        a.code("setvl r10, 0", "");
        a.code("sub r14, r14, r10", "");
    }
    body(a);
    a.code("add r4, r4, r10", "");
    a.label(end);
}

/// The packets an axon stands for and how they go on.
fn head(a: &mut Assembly, what: &str, block: &PlannedBlock, layout: &Layout) {
    a.comment(&format!("{what}: {} places, {} axons.", block.neurons, block.axons));
    a.comment("Axon 0 carries tags.");
    a.gap();
    for channel in [Channel::Spikes, Channel::Tags] {
        a.constant(&format!("ROUTE_{}", channel.name().to_uppercase()), channel as i64);
    }
    a.layout(layout);
    for (name, register) in events::REGISTERS {
        a.register(name, register);
    }
    a.gap();
    a.label("step");
}

/// Handlers of a pool by maximum: an axon marks the windows it lies in, each marked window sends a spike.
pub(crate) fn maximum(
    name: &str,
    compilation: &Compilation,
    block: &PlannedBlock,
    vector_length: u32,
) -> (String, Layout, Connection) {
    let network = compilation.network();
    let Node::Pool(pool) = &network.graph[block.node] else { unreachable!("a pool") };
    let windows = Windows::new(pool, plane(network.graph[network.signal(block.node)].shape()));
    let sources = &compilation.sources[&block.node];
    let by_sender: std::collections::BTreeMap<_, _> = sources.iter().map(|source| (source.from, source)).collect();
    let mut lists = Vec::new();
    for inlet in block.inlets.iter().filter(|inlet| inlet.what == Channel::Spikes) {
        let source = by_sender[&inlet.from];
        lists.extend((0..source.count).map(|index| {
            let places = source.feeds.of(index).flat_map(|feed| windows.of(feed));
            let inside = places.filter_map(|feed| feed.place.checked_sub(block.first_neuron));
            let mut marks: Vec<u32> = inside.filter(|&at| at < block.neurons).collect();
            marks.sort_unstable();
            marks.dedup();
            marks
        }));
    }
    let axons = lists.len() as u32;
    let table = Table::of_values(lists);
    let mut layout = Layout::default();
    layout.add("sums", Space::Neuron, Width::W16, 1, block.neurons);
    add_table(&mut layout, "", &table, false);
    let kind = PartKind::Marks { table };
    let part = Part { first_axon: 1, axons, bits: 16, graded: false, role: Role::Input, kind };
    let sums = Sums::Memory { bits: 16, elements: block.neurons };
    let connection = Connection { parts: vec![part], sums };

    let mut a = Assembly::default();
    head(&mut a, &format!("Pool `{name}`, by maximum"), block, &layout);
    a.code("special position, position", "");
    a.code("bne position, r0, integrate", "");
    a.code("special r10, tag", "a window opens: the tag goes on");
    a.code("send r0, r10, ROUTE_TAGS", "");
    a.label("integrate");
    events::integrate(&mut a, &connection, &Places { layout: &layout, vector_length, row_length: block.neurons });
    a.label("update");
    a.code("addi one, r0, 1", "");
    in_strips(&mut a, block.neurons, vector_length, "updated", |a| {
        a.indexed("vld v0", "n16", "at", 0, "");
        a.code("vcges p0, v0, one", "marked");
        a.code("spike p0, ROUTE_SPIKES, at", "");
    });
    clear(&mut a, "n16", 0, block.neurons, vector_length, "cleared");
    a.code("sleep", "");
    (a.finish(), layout, connection)
}

/// Handlers of a delay: a ring of steps, each holding what came in. The step of the block itself is the first.
pub(crate) fn delay(
    name: &str,
    steps: u32,
    compilation: &Compilation,
    block: &PlannedBlock,
    vector_length: u32,
) -> (String, Layout) {
    let network = compilation.network();
    let graded = is_graded(network, network.signal(block.node)).unwrap_or(false);
    let (n, slots) = (block.neurons, steps - 1);
    let mut layout = Layout::default();
    let width = if graded { Width::W16 } else { Width::W8 };
    if slots > 0 {
        layout.add("slot", Space::Neuron, Width::W32, 1, 1);
        layout.add("left", Space::Neuron, Width::W32, 1, 1);
        layout.add("tags", Space::Neuron, Width::W32, 1, slots);
        layout.add("ring", Space::Neuron, width, slots, n);
    }
    let place = |name: &str| layout.symbol(name).map_or(0, |symbol| i64::from(symbol.offset));
    let mut a = Assembly::default();
    head(&mut a, &format!("Delay `{name}` of {steps} steps"), block, &layout);
    a.code("addi one, r0, 1", "");
    a.code("special position, position", "");
    a.code("addi r11, r0, 0", "a tag and 1; none is 0");
    a.code("bne position, r0, no_tag", "");
    a.code("special r11, tag", "");
    a.code("addi r11, r11, 1", "");
    a.label("no_tag");
    if slots > 0 {
        a.code("ld r6, n32[SLOT]", "what came in so many steps ago");
        a.indexed("ld r12", "n32", "r6", place("tags"), "");
        a.indexed("st r11", "n32", "r6", place("tags"), "");
    } else {
        a.code("addi r12, r11, 0", "");
    }
    a.code("beq r12, r0, relay", "");
    a.code("addi r12, r12, -1", "");
    a.code("send r0, r12, ROUTE_TAGS", "");
    a.label("relay");
    if slots > 0 {
        a.load_number("r7", n as i32, "");
        a.code("mul r7, r7, r6", "the step's place in the ring");
        a.advance("r7", place("ring"), "");
    }
    let memory = format!("n{}", width.bits());
    in_strips(&mut a, n, vector_length, "relayed", |a| {
        a.code("vld v0, e32[at + 1]", "");
        if slots > 0 {
            a.code("add r8, r7, at", "");
            a.code(&format!("vld v1, {memory}[r8]"), "");
            a.code(&format!("vst v0, {memory}[r8]"), "");
        } else {
            a.code("vadds v1, v0, r0", "");
        }
        a.code("vcges p0, v1, one", "");
        let send = if graded { "vsend v1, p0, ROUTE_SPIKES, at" } else { "spike p0, ROUTE_SPIKES, at" };
        a.code(send, "");
    });
    if slots > 0 {
        a.code("addi r6, r6, 1", "the next step's");
        a.load_number("r7", slots as i32, "");
        a.code("blt r6, r7, stored", "");
        a.code("addi r6, r0, 0", "");
        a.label("stored");
        a.code("st r6, n32[SLOT]", "");
        a.comment("Awake until the last of what came in is out again");
        a.code("special r10, events", "");
        a.code("add r10, r10, r11", "");
        a.code("bne r10, r0, waits", "");
        a.code("ld r7, n32[LEFT]", "");
        a.code("addi r7, r7, -1", "");
        a.label("waits");
        a.code("st r7, n32[LEFT]", "");
        a.code("blt r0, r7, awake", "");
        a.code("sleep", "");
        a.label("awake");
        a.code("stay", "");
    } else {
        a.code("sleep", "");
    }
    (a.finish(), layout)
}
