//! How neurons are brought forward by a step: the one code of all of them, for a block that a vector register holds and for
//! strips of larger ones.

use crate::layout::Layout;
use crate::lowering::code::{Arrays, in_strips, load_name};
use onward_isa::builder::{
    Assembly, Line, Memory, Predicate, PredicateRegister, Scalar, ScalarRegister, Vector, VectorRegister, ZERO,
};
use onward_isa::{Space, Width};
use onward_quantize::{Change, Integers, NeuronParameters, PartParameters, ResetParameters};

/// Which neurons are brought forward at once.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    /// All of the block: arrays are taken from where they begin.
    Whole,
    /// Those from the one in the register on.
    From(Scalar),
}

/// Appends the arrays of numbers that differ from neuron to neuron.
pub(crate) fn add_arrays(neuron: &NeuronParameters, layout: &mut Layout, neurons: u32, learns_bias: bool) {
    for (name, values) in neuron.numbers(learns_bias) {
        if matches!(values, Integers::Each(_)) {
            layout.add(name, Space::Neuron, Width::W32, 1, neurons);
        }
    }
}

/// The code that brings neurons forward.
pub(crate) struct Dynamics<'a> {
    pub neuron: &'a NeuronParameters,
    pub arrays: Arrays<'a>,
    pub reach: Reach,
    /// Where states lie, where the kind of window decides.
    pub state: Vec<(&'static str, Scalar)>,
    /// Whether there is a bias that learns beside the given one.
    pub learns_bias: bool,
    /// By how many bits what comes in is shifted left first, where membranes are finer.
    pub finer: u32,
}

/// Numbers that all neurons share, in registers while strip follows strip.
#[derive(Default)]
pub(crate) struct Shared {
    finer: Option<ScalarRegister>,
    threshold: Option<ScalarRegister>,
    /// What a reset adds, or sets.
    reset: Option<ScalarRegister>,
    leak: Option<ScalarRegister>,
    current: Option<ScalarRegister>,
    bias: Option<ScalarRegister>,
    refractory: Option<[ScalarRegister; 3]>,
    /// Numbers of each part.
    parts: Vec<Vec<Option<ScalarRegister>>>,
}

/// Which neurons fired.
pub(crate) struct Fired {
    pub set: PredicateRegister,
    /// Membranes as they were before resets, if they are asked for.
    pub before: Option<VectorRegister>,
}

impl Dynamics<'_> {
    /// Loads what all neurons share, where it is used for more than one strip; but `others` registers are left for what else a
    /// strip needs.
    pub fn shared(&self, a: &mut Assembly, others: usize) -> Shared {
        let mut shared = Shared::default();
        let neuron = self.neuron;
        if let Reach::Whole = self.reach {
            return shared;
        }
        // What neurons that rest need is loaded together, and last.
        let rests = if neuron.refractory > 0 { 3 } else { 0 };
        let is_left = |a: &Assembly, wanted: usize| a.free_scalars() >= wanted + rests + others;
        let thresholds = if neuron.reset == ResetParameters::SubtractThreshold { 2 } else { 1 };
        if let Integers::Same(threshold) = neuron.threshold
            && is_left(a, thresholds)
        {
            let register = a.named("threshold");
            a.load_number(&register, threshold);
            if neuron.reset == ResetParameters::SubtractThreshold {
                let minus = a.named("minus");
                a.sub(&minus, ZERO, &register);
                shared.reset = Some(minus);
            }
            shared.threshold = Some(register);
        }
        let mut load = |name: &str, values: Option<&Integers>| match values {
            Some(Integers::Same(value)) if is_left(a, 1) => {
                let register = a.named(name);
                a.load_number(&register, *value);
                Some(register)
            }
            _ => None,
        };
        match &neuron.reset {
            ResetParameters::To(values) => shared.reset = load("reset", Some(values)),
            ResetParameters::Subtract { amount: Integers::Same(amount), .. } => {
                shared.reset = load("minus", Some(&Integers::Same(-amount)));
            }
            _ => {}
        }
        let finer = Integers::Same(-(self.finer as i32));
        shared.finer = load("finer", Some(&finer).filter(|_| self.finer > 0));
        shared.leak = load("leak", neuron.leak.as_ref());
        shared.current = load("left_current", neuron.current.as_ref());
        shared.bias = load("bias", Some(&neuron.bias).filter(|bias| **bias != Integers::Same(0)));
        let mut of_part = |of: &PartParameters| {
            of.part.numbers().iter().zip(&of.numbers).map(|(name, values)| load(name, Some(values))).collect()
        };
        shared.parts = neuron.parts.iter().map(&mut of_part).collect();
        if neuron.refractory > 0 {
            shared.refractory = Some(self.refractory_numbers(a));
        }
        shared
    }

    /// 1, -1, and the steps that neurons are refractory.
    fn refractory_numbers(&self, a: &mut Assembly) -> [ScalarRegister; 3] {
        let all = [a.named("one"), a.named("less"), a.named("refractory_steps")];
        a.addi(&all[0], ZERO, 1);
        a.addi(&all[1], ZERO, -1);
        a.addi(&all[2], ZERO, self.neuron.refractory).note("steps it is refractory");
        all
    }

    /// An instruction on the block's part of an array.
    fn access<'a>(
        &self,
        a: &'a mut Assembly,
        name: &str,
        access: impl for<'b> FnOnce(&'b mut Assembly, Memory) -> Line<'b>,
    ) -> Line<'a> {
        let elements = self.arrays.elements(name);
        match self.reach {
            Reach::From(at) => a.indexed(elements, at, self.arrays.offset(name), access),
            Reach::Whole => {
                let address = &a.scratch();
                load_name(a, address, &name.to_uppercase());
                access(a, elements.at(address, 0))
            }
        }
    }

    /// A vector of an array.
    fn load(&self, a: &mut Assembly, name: &str) -> VectorRegister {
        let vector = a.scratch_vector();
        self.access(a, name, |a, memory| a.vld(&vector, memory));
        vector
    }

    /// Loads a vector of a state; where it is to be stored again.
    fn load_state(&self, a: &mut Assembly, name: &'static str, vector: &VectorRegister, note: &str) -> StateAddress {
        let register = match (self.state.iter().find(|(held, _)| *held == name), self.reach) {
            (Some((_, address)), _) => StateRegister::Known(*address),
            (None, Reach::From(_)) => StateRegister::Indexed,
            (None, Reach::Whole) => {
                let address = a.scratch();
                load_name(a, &address, &name.to_uppercase());
                StateRegister::Loaded(address)
            }
        };
        let address = StateAddress { name, register };
        self.access_state(a, &address, |a, memory| a.vld(vector, memory)).note(note);
        address
    }

    fn store_state(&self, a: &mut Assembly, vector: impl Into<Vector>, address: &StateAddress) {
        let vector = vector.into();
        self.access_state(a, address, |a, memory| a.vst(vector, memory));
    }

    fn access_state<'a>(
        &self,
        a: &'a mut Assembly,
        address: &StateAddress,
        access: impl for<'b> FnOnce(&'b mut Assembly, Memory) -> Line<'b>,
    ) -> Line<'a> {
        let elements = self.arrays.elements(address.name);
        match &address.register {
            StateRegister::Known(register) => access(a, elements.at(register, 0)),
            StateRegister::Loaded(register) => access(a, elements.at(register, 0)),
            StateRegister::Indexed => self.access(a, address.name, access),
        }
    }

    /// Leaves of `vector` what a step leaves.
    fn decay(
        &self,
        a: &mut Assembly,
        vector: &VectorRegister,
        left: &Integers,
        held: &Option<ScalarRegister>,
        array: &str,
    ) {
        match left {
            Integers::Same(65536) => {}
            Integers::Same(left) => with_number(a, held, *left, "", |a, left| {
                a.vscales(vector, vector, left).note("what is left");
            }),
            Integers::Each(_) => {
                let left = &self.load(a, array);
                a.vscale(vector, vector, left).note("what is left");
            }
        }
    }

    /// Brings neurons forward: `taken` is what comes in and becomes what their membranes take.
    pub fn forward(&self, a: &mut Assembly, shared: &Shared, taken: &VectorRegister, keeps_before: bool) -> Fired {
        let neuron = self.neuron;
        if self.finer > 0 {
            with_number(a, &shared.finer, -(self.finer as i32), "", |a, finer| {
                a.vshr(taken, taken, finer).note("to the membrane's binary point");
            });
        }
        if let Some(left) = &neuron.current {
            let current = &a.scratch_vector();
            let address = self.load_state(a, "current", current, "the synaptic current decays ..");
            self.decay(a, current, left, &shared.current, "current_left");
            a.vadd(taken, current, taken).note(".. and takes it in");
            self.store_state(a, taken, &address);
        }
        let membrane = &a.scratch_vector();
        let address = self.load_state(a, "membrane", membrane, "");
        let was = (neuron.refractory > 0).then(|| a.scratch_vector());
        if let Some(was) = &was {
            a.vadds(was, membrane, ZERO).note("as it was");
        }
        let late = match &neuron.reset {
            ResetParameters::Subtract { amount, is_late: true } => Some((amount, a.scratch_predicate())),
            _ => None,
        };
        if let Some((_, late)) = &late {
            self.reaches(a, shared, membrane, late, "who fired in the last step");
        }
        if let Some(left) = &neuron.leak {
            self.decay(a, membrane, left, &shared.leak, "leak");
        }
        a.vadd(membrane, membrane, taken);
        self.bias(a, shared, membrane);
        if let Some((amount, late)) = &late {
            self.lower(a, shared, membrane, amount, late, "soft reset, a step late");
        }
        drop(late);
        let rest = was.map(|was| self.hold(a, shared, membrane, &was));
        let before = keeps_before.then(|| a.scratch_vector());
        if let Some(before) = &before {
            a.vadds(before, membrane, ZERO);
        }
        let set = a.scratch_predicate();
        let free = rest.as_ref().map(|rest| rest.free.operand());
        let mut loaded = |of: &PartParameters| {
            let state = a.scratch_vector();
            let address = self.load_state(a, of.part.state(), &state, "what is added to the threshold");
            (state, address)
        };
        let states: Vec<_> = neuron.parts.iter().map(&mut loaded).collect();
        debug_assert!(states.len() <= 1, "one part raises the threshold");
        self.fire(a, shared, membrane, &set, free, states.first().map(|(state, _)| state));
        for (at, (of, (state, address))) in neuron.parts.iter().zip(&states).enumerate() {
            let shared = shared.parts.get(at).map_or(&[][..], Vec::as_slice);
            PartCode { dynamics: self, of, shared }.change(a, state, &set);
            self.store_state(a, state, address);
        }
        drop(states);
        self.store_state(a, membrane, &address);
        if let Some(rest) = rest {
            self.begin_rest(a, shared, &set, &rest);
        }
        Fired { set, before }
    }

    /// Last, as the order of sums matters where they saturate.
    fn bias(&self, a: &mut Assembly, shared: &Shared, membrane: &VectorRegister) {
        match &self.neuron.bias {
            Integers::Same(0) => {}
            Integers::Same(bias) => with_number(a, &shared.bias, *bias, "", |a, bias| {
                a.vadds(membrane, membrane, bias);
            }),
            Integers::Each(_) => {
                self.access(a, NeuronParameters::bias_name(self.learns_bias), |a, memory| a.vacc(membrane, memory));
            }
        }
    }

    /// Membranes of refractory neurons become what they were.
    fn hold(&self, a: &mut Assembly, shared: &Shared, membrane: &VectorRegister, was: &VectorRegister) -> Rest {
        let numbers = if shared.refractory.is_none() { Some(self.refractory_numbers(a)) } else { None };
        let (steps, free) = (a.scratch_vector(), a.scratch_predicate());
        let address = self.load_state(a, "refractory", &steps, "");
        let rest = Rest { steps, free, address, numbers };
        a.vclts(&rest.free, &rest.steps, rest.number(shared, 0)).note("not refractory");
        a.vsel(membrane, membrane, was, &rest.free);
        rest
    }

    /// Who fires begins to rest, who rests has a step less to do so.
    fn begin_rest(&self, a: &mut Assembly, shared: &Shared, fired: &PredicateRegister, rest: &Rest) {
        let others = &a.scratch_predicate();
        a.pnot(others, &rest.free);
        a.vaddp(&rest.steps, &rest.steps, rest.number(shared, 1), others).note("a step less");
        a.pnot(others, fired);
        a.vsels(&rest.steps, &rest.steps, rest.number(shared, 2), others).note("who fires begins");
        self.store_state(a, &rest.steps, &rest.address);
    }

    /// Finds whose membranes reach the threshold.
    fn reaches(
        &self,
        a: &mut Assembly,
        shared: &Shared,
        membrane: &VectorRegister,
        set: &PredicateRegister,
        note: &'static str,
    ) {
        match self.neuron.threshold {
            Integers::Same(threshold) => {
                with_number(a, &shared.threshold, threshold, "the threshold", |a, threshold| {
                    a.vcges(set, membrane, threshold).note(note);
                });
            }
            Integers::Each(_) => {
                let threshold = &self.load(a, "threshold");
                a.vcge(set, membrane, threshold).note(note);
            }
        }
    }

    /// Subtracts an amount from the membranes of those in a set.
    fn lower(
        &self,
        a: &mut Assembly,
        shared: &Shared,
        membrane: &VectorRegister,
        amount: &Integers,
        set: &PredicateRegister,
        note: &'static str,
    ) {
        match amount {
            Integers::Same(amount) => with_number(a, &shared.reset, -amount, "", |a, minus| {
                a.vaddp(membrane, membrane, minus, set).note(note);
            }),
            Integers::Each(_) => {
                let lowered = &self.load(a, "reset");
                a.vsub(lowered, membrane, lowered);
                a.vsel(membrane, lowered, membrane, set).note(note);
            }
        }
    }

    /// Finds who fires, and resets them; the threshold is higher by `added`, but a soft reset subtracts it as it is.
    fn fire(
        &self,
        a: &mut Assembly,
        shared: &Shared,
        membrane: &VectorRegister,
        set: &PredicateRegister,
        free: Option<Predicate>,
        added: Option<&VectorRegister>,
    ) {
        let only_free = |a: &mut Assembly| {
            if let Some(free) = free {
                a.pand(set, set, free);
            }
        };
        match self.neuron.threshold {
            Integers::Same(threshold) => {
                with_number(a, &shared.threshold, threshold, "the threshold", |a, threshold| {
                    match added {
                        None => a.vcges(set, membrane, threshold),
                        Some(added) => {
                            let raised = &a.scratch_vector();
                            a.vadds(raised, added, threshold);
                            a.vcge(set, membrane, raised)
                        }
                    };
                    only_free(a);
                    match (&self.neuron.reset, &shared.reset) {
                        (ResetParameters::SubtractThreshold, Some(minus)) => {
                            a.vaddp(membrane, membrane, minus, set).note("soft reset");
                        }
                        (ResetParameters::SubtractThreshold, None) => {
                            a.sub(threshold, ZERO, threshold);
                            a.vaddp(membrane, membrane, threshold, set).note("soft reset");
                        }
                        _ => {}
                    }
                })
            }
            Integers::Each(_) => {
                let threshold = &self.load(a, "threshold");
                let raised = added.map(|added| {
                    let raised = a.scratch_vector();
                    a.vadd(&raised, threshold, added);
                    raised
                });
                a.vcge(set, membrane, raised.as_ref().unwrap_or(threshold));
                only_free(a);
                if self.neuron.reset == ResetParameters::SubtractThreshold {
                    a.vsub(threshold, membrane, threshold);
                    a.vsel(membrane, threshold, membrane, set).note("soft reset");
                }
            }
        }
        match &self.neuron.reset {
            ResetParameters::SubtractThreshold
            | ResetParameters::None
            | ResetParameters::Subtract { is_late: true, .. } => {}
            ResetParameters::Subtract { amount, is_late: false } => {
                self.lower(a, shared, membrane, amount, set, "soft reset");
            }
            ResetParameters::To(Integers::Same(reset)) => with_number(a, &shared.reset, *reset, "", |a, reset| {
                let others = &a.scratch_predicate();
                a.pnot(others, set);
                a.vsels(membrane, membrane, reset, others).note("reset");
            }),
            ResetParameters::To(Integers::Each(_)) => {
                let reset = &self.load(a, "reset");
                a.vsel(membrane, reset, membrane, set).note("reset");
            }
        }
    }
}

/// Currents begin a window with what they are given, where that is not 0; after all state was cleared.
pub(crate) fn begin_currents(
    a: &mut Assembly,
    neuron: &NeuronParameters,
    arrays: Arrays,
    neurons: u32,
    vector_length: u32,
) {
    if neuron.current.is_none() || neuron.current_start == Integers::Same(0) {
        return;
    }
    let start = match &neuron.current_start {
        Integers::Same(start) => {
            let register = a.scratch();
            a.load_number(&register, *start).note("currents begin here");
            Some(register)
        }
        Integers::Each(_) => None,
    };
    let currents = arrays.elements("current");
    in_strips(a, neurons, vector_length, "begun", |a, at| {
        let vector = &a.scratch_vector();
        match &start {
            Some(start) => {
                a.vmv(vector, start);
            }
            None => {
                let (elements, offset) = (arrays.elements("current_start"), arrays.offset("current_start"));
                a.indexed(elements, at, offset, |a, memory| a.vld(vector, memory)).note("currents begin here");
            }
        }
        a.indexed(currents, at, arrays.offset("current"), |a, memory| a.vst(vector, memory));
    });
}

/// The code of a part.
struct PartCode<'a> {
    dynamics: &'a Dynamics<'a>,
    of: &'a PartParameters,
    shared: &'a [Option<ScalarRegister>],
}

impl PartCode<'_> {
    /// The register that holds a number, if one does; the number; and the array where it differs from neuron to neuron.
    fn number(&self, at: usize) -> (&Option<ScalarRegister>, &Integers, &'static str) {
        (self.shared.get(at).unwrap_or(&None), &self.of.numbers[at], self.of.part.numbers()[at])
    }

    /// Brings its state forward, once it is known who fired.
    fn change(&self, a: &mut Assembly, state: &VectorRegister, fired: &PredicateRegister) {
        for change in self.of.part.changes() {
            match *change {
                Change::Decay(left) => self.decay(a, state, left),
                Change::Rise(rise) => self.add(a, state, rise, fired, "rises with a spike"),
            }
        }
    }

    /// Leaves of `vector` what a number says.
    fn decay(&self, a: &mut Assembly, vector: &VectorRegister, at: usize) {
        let (held, left, array) = self.number(at);
        self.dynamics.decay(a, vector, left, held, array);
    }

    /// Adds a number to the elements of those in a set.
    fn add(&self, a: &mut Assembly, vector: &VectorRegister, at: usize, set: &PredicateRegister, note: &'static str) {
        let (held, values, array) = self.number(at);
        match values {
            Integers::Same(value) => with_number(a, held, *value, "", |a, value| {
                a.vaddp(vector, vector, value, set).note(note);
            }),
            Integers::Each(_) => {
                let sum = &self.dynamics.load(a, array);
                a.vadd(sum, vector, sum);
                a.vsel(vector, sum, vector, set).note(note);
            }
        }
    }
}

/// Where a vector of a state came from.
struct StateAddress {
    name: &'static str,
    register: StateRegister,
}

enum StateRegister {
    Known(Scalar),
    Loaded(ScalarRegister),
    Indexed,
}

/// What neurons that rest have left to do so, and who does not rest.
struct Rest {
    steps: VectorRegister,
    free: PredicateRegister,
    address: StateAddress,
    numbers: Option<[ScalarRegister; 3]>,
}

impl Rest {
    fn number(&self, shared: &Shared, at: usize) -> Scalar {
        let numbers = shared.refractory.as_ref().or(self.numbers.as_ref());
        numbers.expect("numbers are shared or loaded here")[at].operand()
    }
}

/// `body` with a number in a register: the one that holds it, or one for the while.
fn with_number(
    a: &mut Assembly,
    held: &Option<ScalarRegister>,
    number: i32,
    note: &str,
    body: impl FnOnce(&mut Assembly, Scalar),
) {
    match held {
        Some(register) => body(a, register.operand()),
        None => {
            let register = &a.scratch();
            a.load_number(register, number).note(note);
            body(a, register.operand());
        }
    }
}
