//! What some neurons have beside membrane, current and times of rest: a state that spikes move, with its numbers and how it
//! changes from step to step.
//!
//! A part is an implementation of [`Part`], and a line in the list of them. Its step in real numbers, its code and the arrays that
//! it takes follow.

use crate::integers::Integers;
use onward_net::{Adaptation, Decay, Neuron, Values};
use std::fmt::Debug;

/// The parts that neurons may have.
static PARTS: &[&dyn Part] = &[&RisingThreshold];

/// A part of neurons: a state that is added to the threshold and that spikes move.
pub trait Part: Debug + Sync {
    /// What the text says of it, in the order of [`numbers`](Self::numbers); `None` of neurons without it.
    fn given<'n>(&self, neuron: &'n Neuron) -> Option<Vec<Given<'n>>>;

    /// What arrays of its numbers are called, where these differ from neuron to neuron.
    fn numbers(&self) -> &'static [&'static str];

    /// What the array of its state is called.
    fn state(&self) -> &'static str;

    /// What happens to the state in a step, in this order, once it is known who fired.
    fn changes(&self) -> &'static [Change];

    /// What it is, in a few words, with its integers.
    fn describe(&self, numbers: &[String]) -> String;

    /// The state of a neuron with these numbers after a step, in real numbers.
    fn real(&self, state: f64, numbers: &[f64], fires: bool) -> f64 {
        self.changes().iter().fold(state, |state, change| match *change {
            Change::Decay(left) => state * numbers[left],
            Change::Rise(rise) if fires => state + numbers[rise],
            Change::Rise(_) => state,
        })
    }
}

/// How a state changes, by a number of the part: its place in [`Part::numbers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// So much of it is left.
    Decay(usize),
    /// So much is added with a spike.
    Rise(usize),
}

/// A number of neurons, and what it is called in messages.
#[derive(Clone, Copy)]
pub enum Given<'n> {
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
    /// The part.
    pub part: &'static dyn Part,
    /// Its numbers, in the order of [`Part::numbers`].
    pub numbers: Vec<Integers>,
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
    fn changes(&self) -> &'static [Change] {
        &[Change::Decay(1), Change::Rise(0)]
    }
}
