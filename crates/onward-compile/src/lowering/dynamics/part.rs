//! What some neurons have beside membrane, current and times of rest: a state that spikes move, with its numbers, its code and its
//! step in real numbers.
//!
//! A part is an implementation of [`Part`], and a line in the list of them.

use super::forward::PartCode;
use crate::lowering::integers::Integers;
use onward_isa::builder::{Assembly, PredicateRegister, VectorRegister};
use onward_net::{Adaptation, Decay, Neuron, Values};
use std::fmt::Debug;

/// The parts that neurons may have.
static PARTS: &[&dyn Part] = &[&RisingThreshold];

/// A part of neurons: a state that is added to the threshold and that spikes move.
pub(crate) trait Part: Debug + Sync {
    /// What the text says of it, in the order of [`numbers`](Self::numbers); `None` of neurons without it.
    fn given<'n>(&self, neuron: &'n Neuron) -> Option<Vec<Given<'n>>>;

    /// What arrays of its numbers are called, where these differ from neuron to neuron.
    fn numbers(&self) -> &'static [&'static str];

    /// What the array of its state is called.
    fn state(&self) -> &'static str;

    /// What it is, in a few words, with its integers.
    fn describe(&self, numbers: &[String]) -> String;

    /// Moves the state, once it is known who fired.
    fn forward(&self, a: &mut Assembly, code: &PartCode, state: &VectorRegister, fired: &PredicateRegister);

    /// The state of a neuron with these numbers after a step, in real numbers.
    fn real(&self, state: f64, numbers: &[f64], fires: bool) -> f64;
}

/// A number of neurons, and what it is called in messages.
#[derive(Clone, Copy)]
pub(crate) enum Given<'n> {
    /// In the membrane's unit.
    Voltage(&'n Values, &'static str),
    /// What is left of something from step to step.
    Left(&'n Decay, &'static str),
}

impl Given<'_> {
    /// What stands for 1.0 in its integers, where `unit` does on the membrane.
    pub fn unit(self, unit: f64) -> f64 {
        if let Given::Voltage(..) = self { unit } else { 65536.0 }
    }
}

/// The parts of a layer's neurons, each with what the text says of it.
pub(crate) fn parts(neuron: &Neuron) -> impl Iterator<Item = (&'static dyn Part, Vec<Given<'_>>)> {
    PARTS.iter().filter_map(|&part| Some((part, part.given(neuron)?)))
}

/// The integers of a part.
#[derive(Clone, Debug)]
pub struct PartParameters {
    pub(crate) part: &'static dyn Part,
    pub(crate) numbers: Vec<Integers>,
}

impl PartialEq for PartParameters {
    fn eq(&self, other: &Self) -> bool {
        self.part.state() == other.part.state() && self.numbers == other.numbers
    }
}

impl Eq for PartParameters {}

/// Adaptation: a spike raises the threshold, which falls back (Bellec et al. 2018).
#[derive(Debug)]
struct RisingThreshold;

impl Part for RisingThreshold {
    fn given<'n>(&self, neuron: &'n Neuron) -> Option<Vec<Given<'n>>> {
        let Adaptation { rise, fall } = neuron.adaptation.as_ref()?;
        Some(vec![Given::Voltage(rise, "rises"), Given::Left(fall, "factors of the fall")])
    }

    fn numbers(&self) -> &'static [&'static str] {
        &["rise", "fall"]
    }

    fn state(&self) -> &'static str {
        "adaptation"
    }

    fn describe(&self, numbers: &[String]) -> String {
        format!("raised by {} with a spike, of which {} / 65536 is left", numbers[0], numbers[1])
    }

    /// A fresh rise is not decayed in its first step.
    fn forward(&self, a: &mut Assembly, code: &PartCode, state: &VectorRegister, fired: &PredicateRegister) {
        code.decay(a, state, 1);
        code.add(a, state, 0, fired, "rises with a spike");
    }

    fn real(&self, state: f64, numbers: &[f64], fires: bool) -> f64 {
        state * numbers[1] + if fires { numbers[0] } else { 0.0 }
    }
}
