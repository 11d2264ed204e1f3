//! The program of a block: composed of what comes in ([`feed`](super::feed)), how neurons move
//! ([`dynamics`](super::dynamics)), what is kept of windows ([`record`](super::record)) and the rule by which weights change
//! ([`rule`](super::rule)). What they have in common is here: tags, steps, windows.
//!
//! A block that a vector register holds adds up what comes in there and brings all neurons forward at once; a larger one does
//! so in memory, strip by strip.

use super::LoweredLayer;
use super::code::{Arrays, branch_if, clear, load_last_step, load_name, load_word};
use super::dynamics::{Dynamics, Fired, Reach, add_arrays, begin_currents};
use super::feed::{Feed, slot_arrays, synapses};
use super::intake::take_in;
use super::record::{Held, unless_answered};
use super::rule::{RuleFormat, channel_bias, direct, kernels, signal, spread, steps, update};
use super::walk::{spikes, walk};
use crate::connect::{Connection, Kernels, PartKind, Role, Sums, Table, Traces};
use crate::layout::Layout;
use crate::plan::{Channel, PlannedBlock};
use crate::purposes;
use onward_isa::builder::{Assembly, Elements, Label, Listing, N32, ScalarRegister, ZERO};
use onward_isa::{Space, Special, Width};
use onward_quantize::TargetTable;

/// What the program of a block is made for.
pub(crate) struct Block<'a> {
    /// The layer's name.
    pub name: &'a str,
    /// Steps of a window.
    pub window: u32,
    /// Elements of a vector register.
    pub vector_length: u32,
    pub planned: &'a PlannedBlock,
    pub lowered: &'a LoweredLayer,
    pub connection: &'a Connection,
    /// Whether class scores go to a readout.
    pub answers: bool,
    /// Of kernels that learn: where the traces of inputs lie.
    pub traces: Option<Traces>,
}

impl<'a> Block<'a> {
    pub fn new(
        (name, window, vector_length): (&'a str, u32, u32),
        planned: &'a PlannedBlock,
        lowered: &'a LoweredLayer,
        connection: &'a Connection,
        answers: bool,
    ) -> Block<'a> {
        let mut block = Block { name, window, vector_length, planned, lowered, connection, answers, traces: None };
        block.traces = match (block.kernels(), block.rule()) {
            (Some((kernels, table)), Some(_)) => Some(Traces::new(kernels, table)),
            _ => None,
        };
        block
    }
}

impl Block<'_> {
    pub fn neurons(&self) -> u32 {
        self.planned.neurons
    }

    pub fn rule(&self) -> Option<&RuleFormat> {
        self.lowered.rule.as_ref()
    }

    /// Classes of the target, if the block keeps what they evoked.
    pub fn classes(&self) -> u32 {
        self.lowered.record.as_ref().map_or(0, |record| record.classes)
    }

    /// The state of its neurons: the name of each array, and its bits.
    pub fn states(&self) -> Vec<(&'static str, u32)> {
        let parameters = &self.lowered.parameters;
        parameters.neuron.states(parameters.widths)
    }

    /// Whether the target has a projection of its own into the block.
    pub fn is_fed(&self) -> bool {
        self.lowered.record.as_ref().is_some_and(|record| record.target_weights.is_some())
    }

    /// The table that classes are compared by, where the target reaches the block directly.
    pub fn table(&self) -> Option<&TargetTable> {
        self.lowered.record.as_ref().and_then(|record| record.table.as_ref())
    }

    /// Whether targets come in by the weights that inputs come in by.
    pub fn shares_target_weights(&self) -> bool {
        !self.is_fed() && self.table().is_none()
    }

    /// How many fraction bits less a weight of the target's projection has.
    pub fn target_coarser(&self) -> u32 {
        self.lowered.record.as_ref().map_or(0, |record| record.target_coarser)
    }

    /// Whether a vector register holds the block.
    pub fn is_whole(&self) -> bool {
        self.connection.sums == Sums::Register
    }

    /// The kernels of a convolution, and the table that leads to them.
    pub fn kernels(&self) -> Option<(&Kernels, &Table)> {
        self.connection.parts.iter().find_map(|part| match &part.kind {
            PartKind::Kernels { kernels, table } => Some((kernels, table)),
            _ => None,
        })
    }

    /// Elements of the layer's weights.
    pub fn weights(&self) -> Elements {
        synapses(self.lowered.parameters.weight_bits)
    }

    /// Whether weights change while the input is shown, by traces that fade.
    pub fn fades(&self) -> bool {
        self.rule().is_some_and(|rule| rule.steps.is_some())
    }

    /// Whether rows of weights change in parts.
    pub fn spreads(&self) -> bool {
        self.rule().is_some_and(|rule| rule.spread)
    }

    /// Whether scores are of voltages, and so every window needs them.
    pub fn is_of_voltage(&self) -> bool {
        self.rule().is_some_and(RuleFormat::is_of_voltage)
    }

    /// Whether the block adds up voltages.
    pub fn keeps_voltage(&self) -> bool {
        !self.fades() && self.rule().is_some_and(|rule| rule.live_bounds().is_some())
    }

    /// Whether it keeps those of target windows, which decide where its weights may change.
    pub fn keeps_target_voltages(&self) -> bool {
        self.keeps_voltage() && !self.is_of_voltage() && self.shares_target_weights()
    }

    /// Whether it has biases that learn.
    pub(super) fn has_bias(&self) -> bool {
        self.lowered.learns_bias(self.is_whole())
    }

    /// How many biases learn, where any do: one a neuron, of a convolution one a channel.
    pub(super) fn biases(&self) -> u32 {
        self.kernels().map_or(self.neurons(), |(kernels, _)| kernels.plane.channels)
    }

    /// Whether the target's lines come in together with own spikes whose weights have another binary point.
    pub(super) fn splits_targets(&self) -> bool {
        self.has_bias() && self.is_fed() && self.target_coarser() > 0 && self.rows_of(Role::Own) > 0
    }

    pub(super) fn rows_of(&self, role: Role) -> u32 {
        self.connection.parts.iter().filter(|part| part.role == role).map(|part| part.kind.rows()).sum()
    }

    /// The first row of the target's weights.
    pub fn first_target_row(&self) -> u32 {
        self.rows_of(Role::Input)
    }

    /// Rows of weights that have traces; of kernels, slots of inputs.
    pub fn trace_rows(&self) -> u32 {
        if let Some(traces) = &self.traces {
            return traces.sums.len() as u32;
        }
        let own = self.rows_of(Role::Own);
        let target = if own > 0 || self.fades() { self.rows_of(Role::Target) } else { 0 };
        self.rows_of(Role::Input) + target + own
    }

    /// The most weights that change together: those of all neurons, or a row of a kernel.
    pub fn longest_row(&self) -> u32 {
        self.kernels().map_or(self.neurons(), |(kernels, _)| kernels.longest_run())
    }

    /// Rows of what classes are compared by, and their length: rates of cells where the target reaches a convolution directly,
    /// else neurons.
    pub fn compared_rows(&self) -> (u32, u32) {
        match (self.table(), self.kernels()) {
            (Some(table), Some((kernels, _))) => (table.cells[0], table.cells[1] * kernels.plane.channels),
            _ => self.walk_rows(),
        }
    }

    /// Elements that a class is compared by.
    pub fn compared(&self) -> u32 {
        let (rows, length) = self.compared_rows();
        rows * length
    }

    /// Rows of the plane and their length; the whole block where it has no plane.
    pub fn walk_rows(&self) -> (u32, u32) {
        match self.kernels() {
            Some((kernels, _)) => (kernels.plane.rows * kernels.bands, kernels.plane.width * kernels.plane.channels),
            None => (1, self.neurons()),
        }
    }
}

/// What lies where. Sums come first, so that a table's addresses are small; then what is loaded by itself; then what a
/// window's opening clears.
fn layout(block: &Block) -> Layout {
    let mut layout = Layout::default();
    let (n, parameters) = (block.neurons(), &block.lowered.parameters);
    Feed::sums_array(block.connection, &mut layout);
    if block.rule().is_some() {
        layout.add("shift", Space::Neuron, Width::W32, 1, 1);
        layout.add("frozen", Space::Neuron, Width::W32, 1, 1);
    }
    if block.lowered.record.is_some() {
        layout.add("scores", Space::Neuron, Width::W32, 1, block.classes());
    }
    for (name, bits) in block.states() {
        let width = Width::from_bits(bits).expect("16 or 32 bits");
        layout.add(name, Space::Neuron, width, 1, n);
        if block.fades() {
            layout.add(&format!("target_{name}"), Space::Neuron, width, 1, n);
        }
    }
    add_arrays(&parameters.neuron, &mut layout, n, block.has_bias());
    if block.has_bias() {
        channel_bias::arrays(&mut layout, block);
    }
    if block.lowered.record.is_some() {
        block.counts_arrays(&mut layout);
    }
    if let Some(rule) = block.rule() {
        update::remember(&mut layout, block, rule);
        block.voltage_arrays(&mut layout);
        if rule.spread {
            spread::arrays(&mut layout, block, rule);
        }
        kernels::arrays(&mut layout, block, rule);
        direct::arrays(&mut layout, block, rule);
    }
    Feed::arrays(block.connection, n, block.vector_length, &mut layout);
    if let Some(traces) = &block.traces {
        slot_arrays(&mut layout, traces);
    }
    block.trace_arrays(&mut layout);
    if let Some(rule) = block.rule() {
        update::remember_of_weights(&mut layout, block, rule);
    }
    layout
}

/// The program of a block, and what lies where in its memories.
pub(crate) fn program(block: &Block) -> (Listing, Layout) {
    let layout = layout(block);
    let arrays = Arrays(&layout);
    let mut assembly = Assembly::new();
    let a = &mut assembly;
    head(a, block, arrays);
    a.gap();
    a.here("step");
    let (integrate, no_window) = (&a.label("integrate"), &a.label("no_window"));
    let held = begin(a, block, no_window);
    match &held {
        Ok(held) => a.bne(&held.position, ZERO, integrate),
        Err(position) => a.bne(position, ZERO, integrate),
    };
    let held = held.ok();
    match block.lowered.record {
        Some(_) => block.open(a, arrays, held.as_ref(), integrate),
        None => come_to_rest(a, block, arrays),
    }
    a.gap();
    a.bind(integrate);
    let closing = match held {
        Some(held) => step_whole(a, block, arrays, held, no_window),
        None => {
            let taken = block.is_whole().then(|| a.scratch_vector());
            take_in(a, block, arrays, taken.as_ref(), None);
            walk(a, block, arrays, taken.as_ref());
            None
        }
    };
    if !block.spreads() {
        close(a, block, arrays, closing);
    }
    (assembly.finish(), layout)
}

fn head(a: &mut Assembly, block: &Block, arrays: Arrays) {
    let parameters = &block.lowered.parameters;
    let learns = if block.rule().is_some() { " that learn" } else { "" };
    a.comment(format!(
        "Layer `{}`: {} neurons{learns}, {} axons, {}-bit weights.",
        block.name,
        block.neurons(),
        block.planned.axons,
        parameters.weight_bits
    ));
    a.comment("Axon 0 carries tags; then come inputs, then the target's lines, then the layer's own spikes, as far as there are.");
    a.gap();
    a.constant("NEURONS", block.neurons());
    a.constant("WINDOW", block.window);
    let recurrent = block.rows_of(Role::Own) > 0;
    let scores = (block.answers).then_some(Channel::Scores);
    let own = recurrent.then_some(Channel::Own);
    for channel in [Channel::Spikes, Channel::Tags].into_iter().chain(scores).chain(own) {
        a.constant(&format!("ROUTE_{}", channel.name().to_uppercase()), channel as i64);
    }
    if block.lowered.record.is_some() {
        a.constant("CLASSES", block.classes());
        let (rows, length) = block.walk_rows();
        if rows > 1 || !block.is_whole() {
            a.constant("ROW_LENGTH", length);
        }
    }
    a.comment("What lies where, in elements");
    arrays.declare(a);
}

/// A step begins: nothing is done where no window is open. What a block that a register holds keeps of windows goes to its
/// registers; else only the position is held.
fn begin(a: &mut Assembly, block: &Block, no_window: &Label) -> Result<Held, ScalarRegister> {
    let position = a.named("position");
    let whole = block.is_whole() && block.lowered.record.is_some();
    let one = (whole && !block.fades()).then(|| a.named("one"));
    let prepare = |a: &mut Assembly| {
        a.setvl(ZERO, "NEURONS");
        a.setrow(ZERO, "NEURONS");
        if let Some(one) = &one {
            a.addi(one, ZERO, 1);
        }
    };
    {
        let window = &a.scratch();
        a.special(&position, Special::Position);
        load_name(a, window, "WINDOW");
        if block.spreads() {
            prepare(a);
            a.bge(&position, window, no_window).note("no window is open");
        } else {
            let in_window = &a.label("in_window");
            a.blt(&position, window, in_window);
            a.bind(no_window);
            a.sleep().note("no window is open");
            a.bind(in_window);
            if whole {
                prepare(a);
            }
        }
    }
    if whole { Ok(block.destinations(a, position, one)) } else { Err(position) }
}

/// A window opens, of which nothing is kept: the tag goes on, and all neurons are at rest.
fn come_to_rest(a: &mut Assembly, block: &Block, arrays: Arrays) {
    a.comment("A window opens: the tag goes on, and all neurons are at rest.");
    {
        let tag = &a.scratch();
        a.special(tag, Special::Tag);
        a.send(ZERO, tag, "ROUTE_TAGS");
    }
    let bits = |name: &str| {
        let symbol = arrays.0.symbol(name)?;
        Some((symbol.offset * u32::from(symbol.width_bits), symbol.columns * u32::from(symbol.width_bits)))
    };
    let all: Vec<(u32, u32)> = block.states().into_iter().filter_map(|(name, _)| bits(name)).collect();
    let first = all.iter().map(|(first, _)| first / 32).min().unwrap_or(0);
    let end = all.iter().map(|(first, bits)| (first + bits).div_ceil(32)).max().unwrap_or(0);
    // What shares a word with them is a sum, which is 0 between steps.
    clear(a, N32, first, end - first, block.vector_length, "cleared");
    begin_currents(a, &block.lowered.parameters.neuron, arrays, block.neurons(), block.vector_length);
}

/// A step of a block that a register holds and that keeps what windows were.
fn step_whole(a: &mut Assembly, block: &Block, arrays: Arrays, held: Held, no_window: &Label) -> Option<Held> {
    let neuron = &block.lowered.parameters.neuron;
    let taken = a.scratch_vector();
    take_in(a, block, arrays, Some(&taken), Some(&held));
    a.gap();
    let state = held.state.iter().map(|(name, register)| (*name, register.operand())).collect();
    let dynamics = Dynamics { neuron, arrays, reach: Reach::Whole, state, learns_bias: true, finer: 0 };
    let shared = dynamics.shared(a, 0);
    let Fired { set, before } = dynamics.forward(a, &shared, &taken, block.fades());
    let counts = held.counts.as_ref().expect("a step begins with all registers").operand();
    block.count(a, &set, counts, held.one.as_ref().map(ScalarRegister::operand));
    spikes(a, block, &set, None, Some(&held.position));
    let fired = a.label("fired");
    block.add_voltage(a, &held, &taken, &fired);
    drop((taken, set));
    a.bind(&fired);
    let held = match (block.rule(), before) {
        (Some(rule), Some(before)) if rule.steps.is_some() => steps::step(a, block, rule, arrays, held, &before),
        (Some(rule), _) if rule.spread => {
            a.gap();
            a.bind(no_window);
            let rest = a.label("rest");
            let held = spread::part(a, block, rule, arrays, held, &rest);
            let close_window = a.label("close_window");
            end_of_step(a, &held.position, &close_window);
            a.bind(&close_window);
            close_held(a, block, arrays, held);
            spread::pending(a, &rest);
            return None;
        }
        _ => held,
    };
    Some(held)
}

/// Goes on at `close` in the last step of a window, else waits for the next.
fn end_of_step(a: &mut Assembly, position: &ScalarRegister, close: &Label) {
    let last = &a.scratch();
    load_last_step(a, last);
    a.beq(position, last, close);
    a.stay();
}

/// The end of a step, and of a window.
fn close(a: &mut Assembly, block: &Block, arrays: Arrays, held: Option<Held>) {
    let close_window = &a.label("close_window");
    match held {
        Some(held) => {
            end_of_step(a, &held.position, close_window);
            a.gap();
            a.bind(close_window);
            close_held(a, block, arrays, held);
            a.sleep();
        }
        None => {
            a.gap();
            {
                let position = &a.scratch();
                a.special(position, Special::Position);
                end_of_step(a, position, close_window);
            }
            a.bind(close_window);
            if block.lowered.record.is_some() {
                let (learn, slot) = (a.named("learn"), a.named("slot"));
                if let Some(rule) = block.rule().filter(|rule| rule.is_of_voltage()) {
                    a.special(&slot, Special::Slot);
                    signal::keep_potential(a, block, rule, arrays, slot.operand());
                }
                a.special(&learn, Special::Learn);
                close_kept(a, block, arrays, learn, slot, None);
            }
            a.sleep();
        }
    }
}

/// What a block that a register holds does at the end of a window.
fn close_held(a: &mut Assembly, block: &Block, arrays: Arrays, held: Held) {
    if let Some(rule) = block.rule().filter(|rule| rule.is_of_voltage()) {
        signal::keep_potential(a, block, rule, arrays, held.slot.operand());
    }
    let Held { learn, slot, one, position, counts, voltages, traces, state } = held;
    drop((position, counts, voltages, traces, state));
    close_kept(a, block, arrays, learn, slot, one);
}

/// The end of a window of which something is kept: scores for the readout, or an update. Must be followed by what ends the
/// step.
fn close_kept(
    a: &mut Assembly,
    block: &Block,
    arrays: Arrays,
    learn: ScalarRegister,
    slot: ScalarRegister,
    one: Option<ScalarRegister>,
) {
    let target_window = &a.label("close_target_window");
    branch_if(a, Special::Kind, target_window);
    if block.table().is_some() {
        direct::rates(a, block);
    }
    if block.answers {
        let unasked = &a.label("close_learning");
        unless_answered(a, learn.operand(), unasked);
        block.scores(a, arrays, "answer_scored");
        block.send_scores(a, arrays);
        if block.table().is_some() && block.is_whole() {
            a.setvl(ZERO, "NEURONS").note("a sample that is answered may be learned from too");
        }
        a.bind(unasked);
    }
    let is_direct = block.table().is_some();
    if !is_direct {
        a.sleep();
        a.gap();
        a.bind(target_window);
    }
    let Some(rule) = block.rule() else { return };
    let learning = &a.label("learning");
    a.bne(&learn, ZERO, learning);
    if is_direct {
        a.bind(target_window);
    }
    a.sleep();
    a.bind(learning);
    a.serve_from_here(purposes::CONTROL);
    {
        let (frozen, not_frozen) = (&a.scratch(), &a.label("not_frozen"));
        load_word(a, arrays, frozen, "frozen").note("the host may keep the layer as it is");
        a.beq(frozen, ZERO, not_frozen);
        a.sleep();
        a.bind(not_frozen);
    }
    drop(learn);
    a.serve(purposes::SCORES, |a| block.scores(a, arrays, "target_scored"));
    if rule.steps.is_some() {
        return steps::close(a, block, rule, arrays, &slot);
    }
    if !block.is_whole() {
        a.special(&slot, Special::Slot);
    }
    update::update(a, block, rule, arrays, (slot, one));
}
