//! What a block does at the end of a target window: scores become pulls by the [`loss`](super::loss), gated where the
//! [`signal`](super::signal) attaches, and an [`optimizer`](super::optimizer) brings them to the weights; then
//! [`homeostasis`](super::homeostasis).

use super::homeostasis::homeostasis;
use super::loss::{Lead, Pulls};
use super::optimizer::{Change, Rows};
use super::signal::{Bounds, Evoked, Of, Operands};
use super::{RuleFormat, batch, channel_bias, direct, kernels, optimizer, spread};
use crate::layout::Layout;
use crate::lowering::block::Block;
use crate::lowering::code::{Arrays, load_name, load_word};
use crate::purposes;
use onward_image::Tag;
use onward_isa::builder::{Assembly, Label, N16, N32, Scalar, ScalarRegister, Vector, VectorRegister, ZERO};
use onward_isa::{Space, Special, Width};
use onward_net::{Optimizer, Rounding};

/// What an update looks at.
pub(crate) struct Update<'a> {
    pub block: &'a Block<'a>,
    pub rule: &'a RuleFormat,
    pub arrays: Arrays<'a>,
    /// The slot of the own target.
    pub slot: Scalar,
    /// Where it goes on if there is nothing to learn.
    pub nothing: &'a Label,
    pub bounds: Option<Bounds>,
    /// Where weights change while the input is shown: the steps that it was shown so far.
    pub shown: Option<Scalar>,
    /// And membranes before resets, in place of voltages.
    pub near: Option<Vector>,
}

/// Appends what a rule remembers of each neuron, beside counts, voltages and traces, and the tables that it looks up.
pub(crate) fn remember(layout: &mut Layout, block: &Block, rule: &RuleFormat) {
    let (n, classes) = (block.neurons(), block.classes());
    let compared = block.compared();
    if rule.rule.revive {
        layout.add("mean_count", Space::Neuron, Width::W32, 1, block.biases());
    }
    if rule.is_of_voltage() {
        layout.add("potential", Space::Neuron, Width::W16, 1, n);
        if block.table().is_none() {
            layout.add("target_potential", Space::Neuron, Width::W16, classes, n);
        }
    }
    rule.loss().arrays(layout, classes);
    if rule.rule.rounding == Rounding::Carried {
        layout.add("remainder", Space::Neuron, Width::W32, 1, block.longest_row());
    }
    if rule.rule.batch > 1 {
        layout.add("batch_kept", Space::Neuron, Width::W32, 1, 1);
    }
    for table in rule.tables(classes, compared) {
        layout.add(table.name, Space::Neuron, table.width, 1, table.values.len() as u32);
    }
}

/// Appends what a rule remembers of each weight.
pub(crate) fn remember_of_weights(layout: &mut Layout, block: &Block, rule: &RuleFormat) {
    if let Optimizer::Momentum { .. } = rule.rule.optimizer {
        let (rows, columns) = kernels::shape(block).unwrap_or((block.trace_rows(), block.neurons()));
        layout.add("velocity", Space::Synapse, Width::W16, rows, columns);
    }
    if rule.rule.batch > 1 {
        batch::arrays(layout, block, rule);
    }
}

/// The update after a target window; scores are in memory. The registers of the step are given back.
pub(crate) fn update(
    a: &mut Assembly,
    block: &Block,
    rule: &RuleFormat,
    arrays: Arrays,
    (slot, one): (ScalarRegister, Option<ScalarRegister>),
) {
    let nothing = &a.label("homeostasis");
    let slot_operand = slot.operand();
    let mut update = Update { block, rule, arrays, slot: slot_operand, nothing, bounds: None, shown: None, near: None };
    match one {
        Some(one) => update.whole(a, &one),
        None => update.walked(a, slot),
    }
    a.gap();
    a.bind(nothing);
    homeostasis(a, block, rule);
}

impl Update<'_> {
    /// The wrong class with the largest score, and the score of the own class and its own; the vector length is that of the
    /// classes.
    pub fn rival(&self, a: &mut Assembly) -> (ScalarRegister, ScalarRegister, ScalarRegister) {
        a.comment("The rival: the wrong class with the largest score");
        let (rival, own, other) = (a.named("rival"), a.scratch(), a.scratch());
        a.setvl(ZERO, "CLASSES");
        let scores = &a.scratch_vector();
        self.block.load_scores(a, self.arrays, scores);
        a.vext(&own, scores, self.slot).note("the own score");
        a.lui(&other, 0x8000);
        a.vins(scores, &other, self.slot);
        if self.rule.steps.is_none() {
            named_rival(a, &rival, |a| {
                a.vimax(&rival, scores);
            });
        } else {
            a.vimax(&rival, scores);
        }
        a.vext(&other, scores, &rival);
        self.all_neurons(a);
        (rival, own, other)
    }

    /// The vector length becomes that of the block's neurons, where a register holds them.
    pub fn all_neurons(&self, a: &mut Assembly) {
        if self.block.is_whole() {
            a.setvl(ZERO, "NEURONS");
        }
    }

    /// Loads the margin, while the input is shown that of the steps it was.
    pub fn load_margin(&self, a: &mut Assembly, margin: &ScalarRegister) {
        match self.shown {
            None => {
                a.load_number(margin, self.rule.margin(self.block.neurons())).note("the margin");
            }
            Some(steps) => {
                a.load_number(margin, self.rule.margin_of_step(self.block.neurons())).note("the margin of a step");
                a.mul(margin, margin, steps);
            }
        }
    }

    /// Finds the rival, and goes on where the own class leads it by the margin.
    pub fn lead_by_margin(&self, a: &mut Assembly) -> ScalarRegister {
        let (rival, own, other) = self.rival(a);
        a.sub(&own, &own, &other);
        self.load_margin(a, &other);
        a.bge(&own, &other, self.nothing);
        rival
    }

    /// Whether only the input's path is looked at: while the input is shown, and where a convolution moves the target's own
    /// projection by counts.
    pub fn needs_input_only(&self) -> bool {
        self.near.is_some() || !self.block.is_whole() && kernels::moves_targets_by_counts(self.block, self.rule)
    }

    /// Clears pulls of the targets' paths where their voltages are not live.
    pub fn gate_targets(&self, a: &mut Assembly, operands: &Operands, own: &VectorRegister, rival: &VectorRegister) {
        self.gate_target(a, operands, Of::Own, own);
        self.gate_target(a, operands, Of::Rival, rival);
    }

    /// Clears the pull of a target's path where its voltage is not live; a projection or a table of its own is not gated.
    pub fn gate_target(&self, a: &mut Assembly, operands: &Operands, of: Of, pull: &VectorRegister) {
        if self.block.shares_target_weights() {
            self.gate(a, operands, of, pull);
        }
    }

    /// What all classes' targets evoked, each by what is in `class_weights`, with the sign turned.
    pub fn weighted_targets(&self, a: &mut Assembly, operands: &Operands) -> VectorRegister {
        let (sum, part) = (a.scratch_vector(), &a.scratch_vector());
        // The loop counts by itself: the register of its count takes a weight in it.
        let (target, weight, address) = (&a.scratch(), &a.scratch(), &a.scratch());
        a.vmv(&sum, ZERO);
        let evoked = Evoked::of(self.rule);
        match operands {
            Operands::Whole { .. } => {
                load_name(a, target, evoked.target);
            }
            Operands::Walked { evoked: pointers, .. } => {
                let [input, all] = [evoked.input, evoked.target].map(|name| self.arrays.offset(&name.to_lowercase()));
                a.addi(target, pointers[Of::Input as usize].as_ref().expect("the input's is looked at"), 0);
                a.advance(target, all - input);
            }
        }
        a.addi(weight, ZERO, "CLASSES");
        load_name(a, address, "CLASS_WEIGHTS");
        a.repeat(weight, "pulls_summed", |a| {
            a.vld(part, N16.at(target, 0));
            a.ld(weight, N32.at(address, 0));
            a.vmuls(part, part, weight);
            a.vsub(&sum, &sum, part);
            a.advance(target, self.block.compared().into());
            a.addi(address, address, 1);
        });
        sum
    }

    /// Loads where the own target's arrays begin, and the rival's.
    pub fn places(&self, a: &mut Assembly, lead: &Lead) -> (ScalarRegister, Option<ScalarRegister>) {
        let neurons = &a.scratch();
        load_name(a, neurons, "NEURONS");
        let own = a.named("own_neurons");
        a.mul(&own, self.slot, neurons);
        let rival = lead.rival.as_ref().map(|rival| {
            let place = a.named("rival_neurons");
            a.mul(&place, rival, neurons);
            place
        });
        (own, rival)
    }

    /// The update of a block that a register holds.
    fn whole(&mut self, a: &mut Assembly, one: &ScalarRegister) {
        let (block, rule, arrays) = (self.block, self.rule, self.arrays);
        let loss = rule.loss();
        let lead = a.serve(purposes::RIVAL, |a| loss.lead(a, self));
        a.gap();
        let shift = &a.named("shift");
        load_word(a, arrays, shift, "shift");
        let pulls = a.serve(purposes::PULLS, |a| {
            let (own, rival) = self.places(a, &lead);
            self.bounds = Bounds::load(a, rule);
            let pulls = loss.pulls(a, self, &lead, &Operands::Whole { own: &own, rival: rival.as_ref() });
            self.bounds = None;
            pulls
        });
        let rival = lead.rival;
        drop(lead.missing);
        optimizer::scale(a, rule, &pulls, means);
        let classes = [Some(self.slot), rival.as_ref().map(ScalarRegister::operand)];
        if rule.spread {
            a.serve(purposes::SPREAD, |a| spread::keep(a, block, arrays, &pulls, classes));
        } else {
            let change = Change::new(a, block, rule, arrays, shift, one);
            if rule.rule.batch > 1 {
                a.serve(purposes::BATCH, |a| batch::update(a, &change, &pulls, classes));
            } else {
                change.rows(a, &pulls, classes, &Rows::All);
            }
        }
        if block.table().is_some() {
            direct::table(a, block, rule, shift, &pulls, classes);
        } else if block.is_fed() {
            optimizer::target_weights(a, block, rule, shift, &pulls, classes);
        }
        optimizer::bias(a, block, &pulls.input, shift, block.window, -(block.lowered.parameters.finer as i32));
    }

    /// The update of a convolution: pulls go to memory, a row of the plane at a time; then kernels change.
    fn walked(&mut self, a: &mut Assembly, slot: ScalarRegister) {
        let mut lead = a.serve(purposes::RIVAL, |a| self.rule.loss().lead(a, self));
        a.serve(purposes::PULLS, |a| {
            if self.block.table().is_some() {
                direct::pulls(a, self, &lead);
            } else {
                kernels::pulls(a, self, &lead);
            }
        });
        lead.missing = None;
        a.serve(purposes::WEIGHTS, |a| kernels::change(a, self, &lead));
        if self.block.table().is_none() && self.block.is_fed() && self.rule.loss().moves_targets() {
            kernels::target_weights(a, self, &lead);
        }
        a.serve(purposes::BIAS, |a| channel_bias::change(a, self.block, self.rule, self.arrays));
        drop(slot);
    }
}

/// Puts where the running means of all neurons begin into a register.
pub(super) fn means(a: &mut Assembly, register: &ScalarRegister) {
    load_name(a, register, "MEAN_SQUARE");
}

/// The rival: what `find` finds, unless the tag names one.
pub(crate) fn named_rival(a: &mut Assembly, rival: &ScalarRegister, find: impl FnOnce(&mut Assembly)) {
    let (tag, found) = (&a.scratch(), &a.label("rival_found"));
    a.special(tag, Special::Tag);
    a.shri(rival, tag, 24);
    a.andi(rival, rival, 255);
    a.andi(tag, tag, Tag::RIVAL).note("does the host name it?");
    a.bne(tag, ZERO, found);
    find(a);
    a.bind(found);
}

impl Pulls {
    /// The vectors, each once.
    pub fn vectors(&self) -> Vec<&VectorRegister> {
        let targets = self.targets.iter().flat_map(|targets| targets.vectors());
        std::iter::once(&self.input).chain(targets).collect()
    }
}
