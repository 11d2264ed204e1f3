//! Pools by maximum and delays: blocks that pass packets on.

use crate::connect::{Connection, Part, PartKind, Role, Source, Sums, Table};
use crate::layout::Layout;
use crate::lowering::code::{Arrays, clear, in_strips};
use crate::lowering::feed::{Feed, add_table};
use crate::places::{Lists, Windows};
use crate::plan::{Channel, PlannedBlock};
use onward_isa::builder::{Assembly, E32, Elements, Listing, N16, N32, ScalarRegister, ZERO};
use onward_isa::{Space, Special, Width};
use onward_net::{Delay, Pool, WindowShift};

/// The packets an axon stands for and how they go on.
pub(super) fn head(a: &mut Assembly, what: &str, block: &PlannedBlock, layout: &Layout) {
    a.comment(format!("{what}: {} places, {} axons.", block.neurons, block.axons));
    a.comment("Axon 0 carries tags.");
    a.gap();
    for channel in [Channel::Spikes, Channel::Tags] {
        a.constant(&format!("ROUTE_{}", channel.name().to_uppercase()), channel as i64);
    }
    Arrays(layout).declare(a);
    a.gap();
    a.here("step");
}

/// Sends the tag on where a window opens.
pub(super) fn pass_tag_on(a: &mut Assembly) {
    let integrate = &a.label("integrate");
    let number = &a.scratch();
    a.special(number, Special::Position);
    a.bne(number, ZERO, integrate);
    a.special(number, Special::Tag).note("a window opens: the tag goes on");
    a.send(ZERO, number, "ROUTE_TAGS");
    a.bind(integrate);
}

/// The windows of a pool that the axons of a block lie in.
fn marks(pool: &Pool, input: [u32; 3], sources: &[Source], block: &PlannedBlock) -> Lists<u32> {
    let windows = Windows::new(pool, input);
    let by_sender: std::collections::BTreeMap<_, _> = sources.iter().map(|source| (source.from, source)).collect();
    let mut lists = Lists::default();
    for inlet in block.inlets.iter().filter(|inlet| inlet.what == Channel::Spikes) {
        let source = by_sender[&inlet.from];
        for index in 0..source.count {
            let places = source.feeds.of(index).flat_map(|feed| windows.of(feed));
            let inside = places.filter_map(|feed| feed.place.checked_sub(block.first_neuron));
            let mut marks: Vec<u32> = inside.filter(|&at| at < block.neurons).collect();
            marks.sort_unstable();
            marks.dedup();
            lists.push(marks);
        }
    }
    lists
}

/// Handlers of a pool by maximum: an axon marks the windows it lies in, each marked window sends a spike.
pub(crate) fn maximum(
    pool: &Pool,
    input: [u32; 3],
    sources: &[Source],
    block: &PlannedBlock,
    vector_length: u32,
) -> (Listing, Layout, Connection) {
    let lists = marks(pool, input, sources, block);
    let axons = lists.len() as u32;
    let table = Table::of_values(&lists);
    let mut layout = Layout::default();
    layout.add("sums", Space::Neuron, Width::W16, 1, block.neurons);
    add_table(&mut layout, "", &table);
    let kind = PartKind::Marks { table };
    let part = Part { first_axon: 1, axons, bits: 16, graded: false, role: Role::Input, fan_outs: Vec::new(), kind };
    let sums = Sums::Memory { bits: 16, elements: block.neurons };
    let connection = Connection { parts: vec![part], sums };

    let mut assembly = Assembly::new();
    let a = &mut assembly;
    head(a, &format!("Pool `{}`, by maximum", pool.name), block, &layout);
    pass_tag_on(a);
    let feed = Feed {
        connection: &connection,
        arrays: Arrays(&layout),
        vector_length,
        neurons: block.neurons,
        sums: None,
        own_sums: None,
    };
    feed.events(a, &[Role::Input], None, "update");
    {
        let one = &a.named("one");
        a.addi(one, ZERO, 1);
        in_strips(a, block.neurons, vector_length, "updated", |a, at| {
            let (marks, marked) = (&a.scratch_vector(), &a.scratch_predicate());
            a.vld(marks, N16.at(at, 0));
            a.vcges(marked, marks, one).note("marked");
            a.spike(marked, "ROUTE_SPIKES", at);
        });
    }
    clear(a, N16, 0, block.neurons, vector_length, "cleared");
    a.sleep();
    (assembly.finish(), layout, connection)
}

/// A ring of steps, each holding what came in, and the tags that came with it.
struct Ring<'a> {
    arrays: Arrays<'a>,
    /// Steps that it holds; none is needed for a delay by one.
    slots: u32,
    /// Steps of a window that stays where it is, while spikes are later in it.
    window: Option<u32>,
    places: u32,
    /// Whether values come in as payloads.
    graded: bool,
}

/// Handlers of a delay. Where the window moves along, the step of the block itself is the first; where it stays, tags go on at
/// once, and the window is as late as the block.
pub(crate) fn delay(
    delay: &Delay,
    graded: bool,
    block: &PlannedBlock,
    vector_length: u32,
    window_steps: u32,
) -> (Listing, Layout) {
    let Delay { name, steps, .. } = delay;
    let window = (delay.window == WindowShift::Stays).then_some(window_steps);
    let (places, slots) = (block.neurons, if window.is_some() { *steps } else { steps - 1 });
    let mut layout = Layout::default();
    if slots > 0 {
        let width = if graded { Width::W16 } else { Width::W8 };
        layout.add("slot", Space::Neuron, Width::W32, 1, 1);
        layout.add("left", Space::Neuron, Width::W32, 1, 1);
        if window.is_none() {
            layout.add("tags", Space::Neuron, Width::W32, 1, slots);
        }
        layout.add("ring", Space::Neuron, width, slots, places);
    }
    let ring = Ring { arrays: Arrays(&layout), slots, window, places, graded };
    let mut assembly = Assembly::new();
    let a = &mut assembly;
    head(a, &format!("Delay `{name}` of {steps} steps"), block, &layout);
    let one = &a.named("one");
    a.addi(one, ZERO, 1);
    let (arrived, slot) = (&a.named("arrived"), &a.named("slot"));
    match window {
        None => ring.tag(a, arrived, slot),
        Some(_) => ring.open(a, arrived, slot, vector_length),
    }
    ring.spikes(a, one, slot, vector_length);
    if slots == 0 {
        a.sleep();
    } else {
        ring.go_on(a, arrived, slot);
    }
    (assembly.finish(), layout)
}

impl Ring<'_> {
    /// Keeps the tag of this step, if there is one, and sends that of so many steps ago.
    fn tag(&self, a: &mut Assembly, arrived: &ScalarRegister, slot: &ScalarRegister) {
        let (no_tag, relay) = (&a.label("no_tag"), &a.label("relay"));
        let before = &a.scratch();
        a.special(before, Special::Position);
        a.addi(arrived, ZERO, 0).note("a tag and 1; none is 0");
        a.bne(before, ZERO, no_tag);
        a.special(arrived, Special::Tag);
        a.addi(arrived, arrived, 1);
        a.bind(no_tag);
        if self.slots > 0 {
            let tags = self.arrays.offset("tags");
            a.ld(slot, N32.at(ZERO, "SLOT")).note("what came in so many steps ago");
            a.indexed(N32, slot, tags, |a, memory| a.ld(before, memory));
            a.indexed(N32, slot, tags, |a, memory| a.st(arrived, memory));
        } else {
            a.addi(before, arrived, 0);
        }
        a.beq(before, ZERO, relay);
        a.addi(before, before, -1);
        a.send(ZERO, before, "ROUTE_TAGS");
        a.bind(relay);
    }

    /// Where a window opens, its tag goes on at once, and nothing is left of the window before.
    fn open(&self, a: &mut Assembly, arrived: &ScalarRegister, slot: &ScalarRegister, vector_length: u32) {
        let no_tag = &a.label("no_tag");
        a.special(arrived, Special::Position);
        a.bne(arrived, ZERO, no_tag);
        a.special(arrived, Special::Tag);
        a.send(ZERO, arrived, "ROUTE_TAGS");
        let (elements, first) = (self.elements(), self.arrays.offset("ring") as u32);
        clear(a, elements, first, self.slots * self.places, vector_length, "cleared");
        a.bind(no_tag);
        // No tag is kept: whoever asks whether something came asks for packets.
        a.addi(arrived, ZERO, 0);
        a.ld(slot, N32.at(ZERO, "SLOT")).note("what came in so many steps ago");
    }

    fn elements(&self) -> Elements {
        Elements::new(Space::Neuron, if self.graded { Width::W16 } else { Width::W8 })
    }

    /// Keeps the packets of this step, and sends those of so many steps ago.
    fn spikes(&self, a: &mut Assembly, one: &ScalarRegister, slot: &ScalarRegister, vector_length: u32) {
        let (ring, elements) = (&a.scratch(), self.elements());
        if self.slots > 0 {
            a.load_number(ring, self.places as i32);
            a.mul(ring, ring, slot).note("the step's place in the ring");
            a.advance(ring, self.arrays.offset("ring"));
        }
        in_strips(a, self.places, vector_length, "relayed", |a, at| {
            let (now, before, active) = (&a.scratch_vector(), &a.scratch_vector(), &a.scratch_predicate());
            a.vld(now, E32.at(at, 1));
            if self.slots > 0 {
                let place = &a.scratch();
                a.add(place, ring, at);
                a.vld(before, elements.at(place, 0));
                a.vst(now, elements.at(place, 0));
            } else {
                a.vadds(before, now, ZERO);
            }
            a.vcges(active, before, one);
            match self.graded {
                true => a.vsend(before, active, "ROUTE_SPIKES", at),
                false => a.spike(active, "ROUTE_SPIKES", at),
            };
        });
    }

    /// The next step's place; awake until the last of what came in is out again.
    fn go_on(&self, a: &mut Assembly, arrived: &ScalarRegister, slot: &ScalarRegister) {
        let left = &a.scratch();
        let (stored, waits, awake) = (&a.label("stored"), &a.label("waits"), &a.label("awake"));
        a.addi(slot, slot, 1).note("the next step's");
        a.load_number(left, self.slots as i32);
        a.blt(slot, left, stored);
        a.addi(slot, ZERO, 0);
        a.bind(stored);
        a.st(slot, N32.at(ZERO, "SLOT"));
        if let Some(window) = self.window {
            a.comment("What is not out by the end of the window is lost");
            let (position, last, within) = (&a.scratch(), &a.scratch(), &a.label("within"));
            a.special(position, Special::Position);
            a.load_number(last, window as i32 - 1);
            a.bne(position, last, within);
            a.st(ZERO, N32.at(ZERO, "LEFT"));
            a.sleep();
            a.bind(within);
        }
        a.comment("Awake until the last of what came in is out again");
        {
            let events = &a.scratch();
            a.special(events, Special::Events);
            a.add(events, events, arrived);
            a.bne(events, ZERO, waits);
        }
        a.ld(left, N32.at(ZERO, "LEFT"));
        a.addi(left, left, -1);
        a.bind(waits);
        a.st(left, N32.at(ZERO, "LEFT"));
        a.blt(ZERO, left, awake);
        a.sleep();
        a.bind(awake);
        a.stay();
    }
}
