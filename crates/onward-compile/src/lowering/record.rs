//! What a block does for what it keeps of windows: where it goes, how a window opens, what a step adds, and the scores that
//! classes have at its end.

use crate::layout::Layout;
use crate::lowering::block::Block;
use crate::lowering::code::{Arrays, add_name, branch_if, branch_unless, clear_from, load_name};
use crate::lowering::dynamics::begin_currents;
use crate::lowering::rule::channel_bias;
use crate::lowering::rule::signal::Evoked;
use crate::lowering::rule::spread;
use onward_image::Tag;
use onward_isa::builder::{
    A16, Assembly, Elements, Label, N16, N32, Predicate, PredicateRegister, Scalar, ScalarRegister, VectorRegister,
    ZERO,
};
use onward_isa::{Space, Special, Width};

/// Registers that hold their meaning throughout a step of a block that keeps what windows were and that a vector register
/// holds.
pub(crate) struct Held {
    pub position: ScalarRegister,
    pub learn: ScalarRegister,
    pub slot: ScalarRegister,
    /// 1, unless traces fade.
    pub one: Option<ScalarRegister>,
    /// Where this window's counts, voltages and traces go.
    pub counts: Option<ScalarRegister>,
    pub voltages: Option<ScalarRegister>,
    pub traces: Option<ScalarRegister>,
    /// Where its state is, if target windows have one of their own.
    pub state: Vec<(&'static str, ScalarRegister)>,
}

/// An array of input windows, and that of target windows: a part of it for each class.
#[derive(Clone, Copy)]
struct Pair {
    input: &'static str,
    /// `None` where target windows have none.
    target: Option<&'static str>,
    /// Elements of a part.
    part: u32,
}

impl Block<'_> {
    fn counts(&self) -> Pair {
        let target = self.table().is_none().then_some("TARGET_COUNT");
        Pair { input: "COUNT", target, part: self.neurons() }
    }

    fn voltages(&self) -> Pair {
        let target = self.keeps_target_voltages().then_some("TARGET_VOLTAGE");
        Pair { input: "VOLTAGE", target, part: self.neurons() }
    }

    fn traces(&self) -> Pair {
        let target = self.shares_target_weights().then_some("TARGET_TRACE");
        Pair { input: "TRACE", target, part: self.trace_rows() }
    }

    /// Appends what is kept in neuron memory beside what the rule remembers.
    pub fn counts_arrays(&self, layout: &mut Layout) {
        let (n, classes) = (self.neurons(), self.classes());
        layout.add("count", Space::Neuron, Width::W16, 1, n);
        if self.table().is_none() {
            layout.add("target_count", Space::Neuron, Width::W16, classes, n);
        }
    }

    pub fn voltage_arrays(&self, layout: &mut Layout) {
        let (n, classes) = (self.neurons(), self.classes());
        if self.keeps_voltage() {
            layout.add("voltage", Space::Neuron, Width::W32, 1, n);
        }
        if self.keeps_target_voltages() {
            layout.add("target_voltage", Space::Neuron, Width::W32, classes, n);
        }
    }

    pub fn trace_arrays(&self, layout: &mut Layout) {
        let Some(rule) = self.rule() else { return };
        layout.add("trace", Space::Axon, Width::W16, if rule.spread { 2 } else { 1 }, self.trace_rows());
        if self.shares_target_weights() {
            layout.add("target_trace", Space::Axon, Width::W16, self.classes(), self.trace_rows());
        }
    }

    /// Puts where this window's counts, voltages and traces go into registers: those of the input, or of the target's slot.
    pub fn destinations(&self, a: &mut Assembly, position: ScalarRegister, one: Option<ScalarRegister>) -> Held {
        let own_states = self.states().into_iter().filter(|_| self.fades());
        // Where a part of an update comes without a window, these are loaded behind it.
        let of_step = |a: &mut Assembly, name: &str| if self.spreads() { a.zeroed(name) } else { a.named(name) };
        let held = Held {
            learn: of_step(a, "learn"),
            slot: of_step(a, "slot"),
            counts: Some(a.named("counts")),
            voltages: self.keeps_voltage().then(|| a.named("voltages")),
            // A target window of a projection of its own leaves it as it is, and does not look at it.
            traces: (self.rule().is_some() && !self.fades())
                .then(|| if self.shares_target_weights() { a.named("traces") } else { a.zeroed("traces") }),
            state: own_states.map(|(name, _)| (name, a.named(&format!("{name}s")))).collect(),
            position,
            one,
        };
        let (begin, target_window) = (&a.label("begin"), &a.label("target_window"));
        a.special(&held.learn, Special::Learn);
        a.special(&held.slot, Special::Slot);
        let number = &a.scratch();
        a.special(number, Special::Kind);
        a.bne(number, ZERO, target_window);
        let counts = held.counts.as_ref().expect("counts were given a register");
        load_name(a, counts, "COUNT");
        for (name, register) in &held.state {
            load_name(a, register, &name.to_uppercase());
        }
        if let Some(voltages) = &held.voltages {
            load_name(a, voltages, "VOLTAGE");
        }
        match &held.traces {
            Some(traces) if self.spreads() => spread::traces(a, traces),
            Some(traces) => {
                load_name(a, traces, "TRACE");
            }
            None => {}
        }
        a.jmp(begin);
        a.bind(target_window);
        load_name(a, number, "NEURONS");
        a.mul(number, &held.slot, number);
        match self.counts().target {
            Some(target) => add_name(a, counts, number, target),
            None => load_name(a, counts, "COUNT"),
        };
        for (name, register) in &held.state {
            load_name(a, register, &format!("TARGET_{}", name.to_uppercase()));
        }
        match &held.voltages {
            Some(voltages) if self.keeps_target_voltages() => {
                add_name(a, voltages, number, "TARGET_VOLTAGE");
            }
            Some(voltages) => {
                load_name(a, voltages, "VOLTAGE").note(if self.is_of_voltage() { "" } else { "not kept" });
            }
            None => {}
        }
        if let Some(traces) = held.traces.as_ref().filter(|_| self.shares_target_weights()) {
            a.load_number(number, self.trace_rows() as i32);
            a.mul(number, &held.slot, number);
            add_name(a, traces, number, "TARGET_TRACE");
        }
        a.bind(begin);
        held
    }

    /// Where an array of this window begins, where no register holds it.
    fn destination(&self, a: &mut Assembly, pair: Pair, register: &ScalarRegister) {
        let Some(target) = pair.target else {
            load_name(a, register, pair.input);
            return;
        };
        let (chosen, kind) = (&a.label("chosen"), &a.scratch());
        a.special(kind, Special::Kind);
        load_name(a, register, pair.input);
        a.beq(kind, ZERO, chosen);
        {
            let class = &a.scratch();
            a.special(class, Special::Slot);
            a.load_number(kind, pair.part as i32);
            a.mul(class, class, kind);
            add_name(a, register, class, target);
        }
        a.bind(chosen);
    }

    /// Clears an array of the window: at once, or strip by strip.
    fn zero(
        &self,
        a: &mut Assembly,
        zero: &VectorRegister,
        elements: Elements,
        held: Option<&ScalarRegister>,
        pair: Pair,
    ) {
        match held {
            Some(register) => {
                a.vst(zero, elements.at(register, 0));
            }
            None => {
                let first = &a.scratch();
                self.destination(a, pair, first);
                clear_from(a, zero, elements, first, pair.part, self.vector_length, "cleared");
            }
        }
    }

    /// A window opens: the tag goes on, and what the window is to show starts from 0. Goes on at `integrate` where nothing is
    /// left to do.
    pub fn open(&self, a: &mut Assembly, arrays: Arrays, held: Option<&Held>, integrate: &Label) {
        a.comment("A window opens: the tag goes on to the next layer, and all starts from 0.");
        let tag = &a.scratch();
        a.special(tag, Special::Tag);
        a.send(ZERO, tag, "ROUTE_TAGS");
        let zero = &a.scratch_vector();
        if held.is_some() {
            a.vmv(zero, ZERO);
        }
        channel_bias::open(a, self);
        if !self.fades() {
            self.rest(a, arrays, zero, held);
        }
        self.zero(a, zero, N16, held.and_then(|held| held.counts.as_ref()), self.counts());
        if self.rule().is_none() {
            return;
        }
        if self.fades() {
            return self.open_fading(a, arrays, held, (tag, zero), integrate);
        }
        let voltages = held.and_then(|held| held.voltages.as_ref());
        if self.is_of_voltage() {
            self.zero(a, zero, N32, voltages, self.voltages());
        }
        let kept = self.keeps_voltage() && !self.is_of_voltage();
        let learns = |a: &mut Assembly| {
            match held {
                Some(held) => {
                    a.beq(&held.learn, ZERO, integrate);
                }
                None => {
                    branch_unless(a, Special::Learn, integrate).note("without learning nobody asks for traces");
                }
            };
        };
        if held.is_none() {
            learns(a);
        }
        if !self.shares_target_weights() {
            branch_if(a, Special::Kind, integrate).note("only input windows leave voltages and traces behind");
        }
        if kept {
            self.zero(a, zero, N32, voltages, self.voltages());
        }
        if held.is_some() {
            // A vector is cleared sooner than it is asked whether it must be.
            learns(a);
        }
        let first = &a.scratch();
        match held.and_then(|held| held.traces.as_ref()) {
            Some(traces) => {
                a.addi(first, traces, 0);
            }
            None => self.destination(a, self.traces(), first),
        }
        clear_from(a, zero, A16, first, self.trace_rows(), self.vector_length, "traces_cleared");
        if held.is_some() {
            a.setvl(ZERO, "NEURONS");
        }
    }

    /// Neurons come to rest.
    fn rest(&self, a: &mut Assembly, arrays: Arrays, zero: &VectorRegister, held: Option<&Held>) {
        for (name, _) in self.states() {
            let (first, elements) = (&a.scratch(), arrays.elements(name));
            let known = held.and_then(|held| held.state.iter().find(|(state, _)| *state == name));
            if let Some((_, address)) = known {
                a.vst(zero, elements.at(address, 0));
                continue;
            }
            load_name(a, first, &name.to_uppercase());
            match held {
                Some(_) => {
                    a.vst(zero, elements.at(first, 0));
                }
                None => clear_from(a, zero, elements, first, self.neurons(), self.vector_length, "rested"),
            }
        }
        begin_currents(a, &self.lowered.parameters.neuron, arrays, self.neurons(), self.vector_length);
    }

    /// Where traces fade, an input window may go on where the one before it ended.
    fn open_fading(
        &self,
        a: &mut Assembly,
        arrays: Arrays,
        held: Option<&Held>,
        (tag, zero): (&ScalarRegister, &VectorRegister),
        integrate: &Label,
    ) {
        let at_rest = &a.label("at_rest");
        branch_if(a, Special::Kind, at_rest).note("a target's window begins at rest");
        a.andi(tag, tag, Tag::CONTINUES);
        a.bne(tag, ZERO, integrate).note("the input goes on where its last window ended");
        {
            let first = &a.scratch();
            load_name(a, first, "TRACE");
            clear_from(a, zero, A16, first, self.trace_rows(), self.vector_length, "traces_cleared");
        }
        a.setvl(ZERO, "NEURONS");
        a.bind(at_rest);
        a.vmv(zero, ZERO);
        self.rest(a, arrays, zero, held);
    }

    /// Counts the spikes of a vector of neurons.
    pub fn count(&self, a: &mut Assembly, fired: &PredicateRegister, counts: Scalar, one: Option<Scalar>) {
        let vector = &a.scratch_vector();
        a.vld(vector, N16.at(counts, 0));
        match one {
            Some(one) => {
                a.vaddp(vector, vector, one, fired);
            }
            None => {
                let one = &a.scratch();
                a.addi(one, ZERO, 1);
                a.vaddp(vector, vector, one, fired);
            }
        }
        a.vst(vector, N16.at(counts, 0));
    }

    /// Adds to the voltage what was integrated, without resets. Goes on at `fired` where it is not kept.
    pub fn add_voltage(&self, a: &mut Assembly, held: &Held, taken: &VectorRegister, fired: &Label) {
        let Some(voltages) = &held.voltages else { return };
        if !self.is_of_voltage() {
            a.beq(&held.learn, ZERO, fired);
            if !self.shares_target_weights() {
                branch_if(a, Special::Kind, fired);
            }
        }
        a.vacc(taken, N32.at(voltages, 0)).note("the voltage: what was integrated, without resets");
        a.vst(taken, N32.at(voltages, 0));
    }

    /// Where counts go, and voltages, with whether they are kept: for a walk over a larger block.
    pub fn walked(&self, a: &mut Assembly) -> Walked {
        let counts = a.named("counts");
        self.destination(a, self.counts(), &counts);
        if !self.keeps_voltage() {
            return Walked { counts, voltages: None };
        }
        let (voltages, keeps) = (a.named("voltages"), a.named("keeps"));
        if self.is_of_voltage() {
            a.addi(&keeps, ZERO, 1);
        } else {
            a.special(&keeps, Special::Learn).note("whether voltages are kept");
        }
        if !self.shares_target_weights() && !self.is_of_voltage() {
            load_name(a, &voltages, "VOLTAGE");
            let chosen = &a.label("voltages_chosen");
            branch_unless(a, Special::Kind, chosen);
            a.addi(&keeps, ZERO, 0);
            a.bind(chosen);
        } else {
            self.destination(a, self.voltages(), &voltages);
        }
        Walked { counts, voltages: Some((voltages, keeps)) }
    }

    /// Where traces of this window go, where no register holds it.
    pub fn trace_destination(&self, a: &mut Assembly) -> ScalarRegister {
        let traces = a.named("traces");
        self.destination(a, self.traces(), &traces);
        traces
    }

    /// The block's score of each class, by what inputs and targets evoked: to memory. With `is_squared`, twice what inputs
    /// evoked, less what targets did, takes the place of the former.
    pub fn scores(&self, a: &mut Assembly, arrays: Arrays, label: &str) {
        let evoked = self.rule().map_or(Evoked::COUNTS, Evoked::of);
        let is_squared = self.rule().is_some_and(|rule| rule.loss().is_squared());
        let what = if is_squared { "(2 h - t_c) * t_c: the less the distance, the greater" } else { "h * t_c" };
        a.comment(format!("score(c) = sum over neurons of {what}"));
        let (rows, length) = self.compared_rows();
        let (h, t) = (&a.scratch_vector(), &a.scratch_vector());
        let load_h = |a: &mut Assembly, at: &ScalarRegister| {
            a.vld(h, N16.at(at, 0)).note("h");
            if is_squared {
                a.vadd(h, h, h);
            }
        };
        let product = |a: &mut Assembly, score: &ScalarRegister| {
            if is_squared {
                let lacking = &a.scratch_vector();
                a.vsub(lacking, h, t);
                a.vdot(score, lacking, t);
            } else {
                a.vdot(score, h, t);
            }
        };
        let (input, target, class, count) = (&a.scratch(), &a.scratch(), &a.scratch(), &a.scratch());
        if !self.is_whole() {
            a.setvl(ZERO, length);
        }
        if rows == 1 {
            load_name(a, input, evoked.input);
            load_h(a, input);
        }
        load_name(a, target, evoked.target);
        a.addi(count, ZERO, "CLASSES");
        a.addi(class, ZERO, 0).note("the class");
        a.repeat(count, label, |a| {
            let score = &a.scratch();
            if rows == 1 {
                a.vld(t, N16.at(target, 0)).note("t_c");
                product(a, score);
            } else {
                let (left, part) = (&a.scratch(), &a.scratch());
                load_name(a, input, evoked.input);
                a.addi(score, ZERO, 0);
                a.addi(left, ZERO, rows);
                a.repeat(left, &format!("{label}_row"), |a| {
                    load_h(a, input);
                    a.vld(t, N16.at(target, 0)).note("t_c");
                    product(a, part);
                    a.add(score, score, part);
                    a.advance(input, length.into());
                    a.advance(target, length.into());
                });
            }
            a.indexed(N32, class, arrays.offset("scores"), |a, memory| a.st(score, memory));
            if rows == 1 && length == self.neurons() {
                a.addi(target, target, "NEURONS");
            } else if rows == 1 {
                a.advance(target, length.into());
            }
            a.addi(class, class, 1);
        });
    }

    /// Sends the scores of all classes to the readout.
    pub fn send_scores(&self, a: &mut Assembly, arrays: Arrays) {
        let scores = &a.scratch_vector();
        a.setvl(ZERO, "CLASSES");
        self.load_scores(a, arrays, scores);
        let all = &a.scratch_predicate();
        let none = &a.cleared_predicate("none");
        a.pnot(all, none).note("all classes");
        a.vsend(scores, Predicate::from(all), "ROUTE_SCORES", ZERO);
    }

    /// Loads the scores; the vector length is that of the classes.
    pub fn load_scores(&self, a: &mut Assembly, arrays: Arrays, scores: &VectorRegister) {
        if arrays.offset("scores") < 0x800 {
            a.vld(scores, N32.at(ZERO, "SCORES"));
        } else {
            let at = &a.scratch();
            load_name(a, at, "SCORES");
            a.vld(scores, N32.at(at, 0));
        }
    }
}

/// Pointers to what is kept of the neurons that a walk is at.
pub(crate) struct Walked {
    pub counts: ScalarRegister,
    /// Voltages, and whether they are kept.
    pub voltages: Option<(ScalarRegister, ScalarRegister)>,
}

/// Goes on at `otherwise` unless the host wants an answer: while learning, where the tag asks for one.
pub(crate) fn unless_answered(a: &mut Assembly, learn: Scalar, otherwise: &Label) {
    let answer = &a.label("answer");
    a.beq(learn, ZERO, answer);
    let tag = &a.scratch();
    a.special(tag, Special::Tag);
    a.andi(tag, tag, Tag::ANSWER).note("learning, the host asks for an answer or not");
    a.beq(tag, ZERO, otherwise);
    a.bind(answer);
}
