//! Where the learning signal attaches to a neuron: at its count, before the spike or behind it, or at its voltage.

use super::RuleFormat;
use super::update::Update;
use crate::lowering::block::Block;
use crate::lowering::code::{Arrays, add_name, branch_if, in_strips, load_name};
use crate::purposes;
use onward_isa::Special;
use onward_isa::builder::{Assembly, Elements, N16, N32, Scalar, ScalarRegister, Vector, VectorRegister, ZERO};

/// The arrays that scores are computed from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evoked {
    /// What the input evoked.
    pub input: &'static str,
    /// What the target of each class last evoked.
    pub target: &'static str,
}

impl Evoked {
    /// Spike counts, of layers that do not say otherwise.
    pub const COUNTS: Evoked = Evoked { input: "COUNT", target: "TARGET_COUNT" };

    const POTENTIALS: Evoked = Evoked { input: "POTENTIAL", target: "TARGET_POTENTIAL" };

    /// Of targets that reach the layer directly: what the input evoked, averaged, and the rows of the table.
    const RATES: Evoked = Evoked { input: "RATE", target: "TABLE" };

    /// Those of a rule.
    pub fn of(rule: &RuleFormat) -> Evoked {
        if rule.is_direct() { Evoked::RATES } else { Evoked::of_windows(rule) }
    }

    /// What windows leave behind that a rule looks at.
    pub fn of_windows(rule: &RuleFormat) -> Evoked {
        if rule.is_of_voltage() { Evoked::POTENTIALS } else { Evoked::COUNTS }
    }

    /// What decides whether a neuron is live, and its elements.
    pub(super) fn live(rule: &RuleFormat) -> (Evoked, Elements) {
        if rule.is_of_voltage() {
            return (Evoked::POTENTIALS, N16);
        }
        (Evoked { input: "VOLTAGE", target: "TARGET_VOLTAGE" }, N32)
    }
}

/// Voltages from the first on and below the second are live.
#[derive(Debug)]
pub(crate) struct Bounds(ScalarRegister, ScalarRegister);

impl RuleFormat {
    /// What is live, if not all is.
    pub(crate) fn live_bounds(&self) -> Option<(i32, i32)> {
        if self.is_of_voltage() {
            let (low, high) = self.potential_bounds();
            return Some((low + 1, high));
        }
        self.gate
    }
}

impl Bounds {
    /// Loads the bounds of what is live, if not all is.
    pub fn load(a: &mut Assembly, rule: &RuleFormat) -> Option<Bounds> {
        let (low, high) = rule.live_bounds()?;
        let bounds = Bounds(a.named("live_from"), a.named("live_below"));
        a.serve(purposes::GATE, |a| {
            a.load_number(&bounds.0, low).note("voltages from here on ..");
            a.load_number(&bounds.1, high).note(".. and below here are live");
        });
        Some(bounds)
    }

    /// Clears elements of a vector where the voltage is not live.
    fn gate(&self, a: &mut Assembly, vector: &VectorRegister, voltage: impl Into<Vector>) {
        let voltage = voltage.into();
        let (live, below) = (&a.scratch_predicate(), &a.scratch_predicate());
        a.vcges(live, voltage, &self.0);
        a.vclts(below, voltage, &self.1);
        a.pand(live, live, below);
        a.vsels(vector, vector, ZERO, live);
    }
}

/// Whose array, of those that targets have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Input,
    Own,
    Rival,
}

/// Where what the loss looks at lies, for the neurons that it looks at.
pub(crate) enum Operands<'a> {
    /// All neurons of the block: where the own class's and its rival's begin in arrays of targets.
    Whole { own: &'a ScalarRegister, rival: Option<&'a ScalarRegister> },
    /// A row of a plane: pointers that walk, to what input, own target and rival evoked, and to their voltages.
    Walked { evoked: &'a [Option<ScalarRegister>; 3], voltages: &'a [Option<ScalarRegister>; 3] },
}

impl Update<'_> {
    /// Loads an array's part of the neurons looked at.
    fn load_operand(
        &self,
        a: &mut Assembly,
        operands: &Operands,
        (arrays, elements): (Evoked, Elements),
        of: Of,
        pointer: Option<&ScalarRegister>,
        vector: &VectorRegister,
    ) {
        if let Some(pointer) = pointer {
            a.vld(vector, elements.at(pointer, 0));
            return;
        }
        let Operands::Whole { own, rival } = operands else { return };
        let address = &a.scratch();
        match (of, rival) {
            (Of::Input, _) => load_name(a, address, arrays.input),
            (Of::Rival, Some(rival)) => add_name(a, address, *rival, arrays.target),
            _ => add_name(a, address, *own, arrays.target),
        };
        a.vld(vector, elements.at(address, 0));
    }

    /// What the input, or a target, evoked.
    pub fn evoked(&self, a: &mut Assembly, operands: &Operands, of: Of) -> VectorRegister {
        let vector = a.scratch_vector();
        let pointer = match operands {
            Operands::Walked { evoked, .. } => evoked[of as usize].as_ref(),
            Operands::Whole { .. } => None,
        };
        self.load_operand(a, operands, (Evoked::of(self.rule), N16), of, pointer, &vector);
        vector
    }

    /// Clears a pull where its voltage is not live.
    pub fn gate(&self, a: &mut Assembly, operands: &Operands, of: Of, pull: &VectorRegister) {
        let Some(bounds) = &self.bounds else { return };
        a.serve(purposes::GATE, |a| self.clear_dead(a, bounds, operands, of, pull));
    }

    fn clear_dead(&self, a: &mut Assembly, bounds: &Bounds, operands: &Operands, of: Of, pull: &VectorRegister) {
        if let Some(near) = self.near {
            return bounds.gate(a, pull, near);
        }
        let pointer = match operands {
            Operands::Walked { voltages, .. } => voltages[of as usize].as_ref(),
            Operands::Whole { .. } => None,
        };
        let voltage = &a.scratch_vector();
        self.load_operand(a, operands, Evoked::live(self.rule), of, pointer, voltage);
        bounds.gate(a, pull, voltage);
    }
}

/// A voltage at the end of a window becomes whole thresholds, within bounds.
fn in_thresholds(a: &mut Assembly, block: &Block, rule: &RuleFormat, voltage: &VectorRegister) {
    let (low, high) = rule.potential_bounds();
    let number = &a.scratch();
    a.load_number(number, block.lowered.fraction_bits().membrane);
    a.vshrn(voltage, voltage, number);
    a.load_number(number, low);
    a.vmaxs(voltage, voltage, number);
    a.load_number(number, high);
    a.vmins(voltage, voltage, number);
}

/// Where the potentials of this window go.
fn potentials(a: &mut Assembly, block: &Block, slot: Scalar) -> ScalarRegister {
    if block.table().is_some() {
        let place = a.scratch();
        load_name(a, &place, "POTENTIAL");
        return place;
    }
    let (place, other, keep) = (a.scratch(), &a.scratch(), &a.label("keep"));
    load_name(a, &place, "POTENTIAL");
    a.special(other, Special::Kind);
    a.beq(other, ZERO, keep);
    load_name(a, other, "NEURONS");
    a.mul(other, slot, other);
    add_name(a, &place, other, "TARGET_POTENTIAL");
    a.bind(keep);
    place
}

/// The voltages at the end of a window, in thresholds: to memory, where the scores find them.
pub(crate) fn keep_potential(a: &mut Assembly, block: &Block, rule: &RuleFormat, arrays: Arrays, slot: Scalar) {
    a.comment("The voltage, in thresholds");
    // A table is compared with what inputs evoke alone.
    let kept = block.table().is_some().then(|| a.label("potential_kept"));
    if let Some(kept) = &kept {
        branch_if(a, Special::Kind, kept);
    }
    keep_all(a, block, rule, arrays, slot);
    if let Some(kept) = &kept {
        a.bind(kept);
    }
}

fn keep_all(a: &mut Assembly, block: &Block, rule: &RuleFormat, arrays: Arrays, slot: Scalar) {
    if block.is_whole() {
        let voltage = &a.scratch_vector();
        {
            let number = &a.scratch();
            load_name(a, number, "VOLTAGE");
            a.vld(voltage, N32.at(number, 0));
        }
        in_thresholds(a, block, rule, voltage);
        let place = &potentials(a, block, slot);
        a.vst(voltage, N16.at(place, 0));
        return;
    }
    let place = &potentials(a, block, slot);
    in_strips(a, block.neurons(), block.vector_length, "potentials_kept", |a, at| {
        let voltage = &a.scratch_vector();
        a.indexed(N32, at, arrays.offset("voltage"), |a, memory| a.vld(voltage, memory));
        in_thresholds(a, block, rule, voltage);
        let address = &a.scratch();
        a.add(address, place, at);
        a.vst(voltage, N16.at(address, 0));
    });
}
