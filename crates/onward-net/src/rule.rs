//! How layers learn, and the words for it.
//!
//! A rule is a [`Loss`] with options that all losses share, [`OPTIONS`]: each is declared, read and written here or in
//! the file of its type.

mod gate;
mod loss;
mod optimizer;
mod path;
mod rounding;
mod schedule;
mod update;

pub use gate::Gate;
pub use loss::Loss;
pub use optimizer::Optimizer;
pub use path::TargetPath;
pub use rounding::Rounding;
pub use schedule::{RateSchedule, When};
pub use update::Update;

use crate::named::{Kind, Named, Parts, forms};
use crate::reader::{Given, Reader};
use crate::vocabulary::Absent::{Described, Means};
use crate::vocabulary::Takes::{Constructor, Integer};
use crate::vocabulary::{Family, Form, Parameter, form, parameter};
use schedule::{ANNEAL, EVERY, MEMORY, SHIFTS};
use std::fmt::{self, Display, Formatter};

/// Learning of a layer: by a rule, or not at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Learning {
    /// The layer does not learn: its weights stay what they are at first.
    None,
    /// The layer learns by a rule that is local to each of its blocks.
    Rule(Rule),
}

/// Rule by which a block changes its weights, from its own memories alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Loss that the changes make smaller.
    pub loss: Loss,
    /// The learning rate is `2^-rate`, 0 to 20.
    pub rate: u32,
    /// Schedule by which the rate falls over the run.
    pub schedule: RateSchedule,
    /// Gate through which the learning signal reaches a neuron.
    pub gate: Gate,
    /// Optimizer that a change goes through before it reaches the weight.
    pub optimizer: Optimizer,
    /// Weight decay, 1 to 24, if there is one: a weight that changes first loses its `2^-weight_decay`-th part.
    pub weight_decay: Option<u32>,
    /// Moments at which weights change.
    pub when: When,
    /// Whether neurons that hardly ever fire, or nearly always, are nudged back.
    pub revive: bool,
    /// Distribution of an update's rows over steps.
    pub update: Update,
    /// Rounding of changes to whole steps of a weight.
    pub rounding: Rounding,
    /// Number of samples, 1 to 32, whose changes a block adds before it rounds them.
    pub batch: u32,
    /// Path by which the target reaches the layer.
    pub target: TargetPath,
}

impl Default for Rule {
    /// The rule that `hinge` means without options.
    fn default() -> Self {
        Rule {
            loss: Loss::Hinge { margin: 0.3 },
            rate: 9,
            schedule: RateSchedule::Anneal(2),
            gate: Gate::Surrogate,
            optimizer: Optimizer::Plain,
            weight_decay: None,
            when: When::Window,
            revive: true,
            update: Update::AtOnce,
            rounding: Rounding::Stochastic,
            batch: 1,
            target: TargetPath::Stack,
        }
    }
}

/// The words for how a layer learns: a loss, or not at all.
pub(crate) const FAMILY: &Family =
    &Family { noun: "learning rule", item: None, forms: || forms::<Loss>().into_iter().chain([NONE]).collect() };

const NONE: &Form = &form("none", &[], &[], "weights stay as they are drawn or given");

const RATE: Parameter = parameter("rate", Integer(0, 20), Means("9"), "the learning rate is 2^-rate");

const GATE: Parameter =
    parameter("gate", Constructor(Gate::FAMILY), Means("surrogate"), "where the learning signal attaches to a neuron");

const OPTIMIZER: Parameter =
    parameter("optimizer", Constructor(Optimizer::FAMILY), Means("plain"), "what becomes of a change");

const WEIGHT_DECAY: Parameter = parameter(
    "weight_decay",
    Integer(1, 24),
    Described("none"),
    "a weight that changes first loses its 2^-weight_decay-th part",
);

const REVIVE: Parameter = parameter(
    "revive",
    Constructor(Revival::FAMILY),
    Means("homeostasis"),
    "what becomes of neurons that hardly ever fire, or nearly always",
);

const UPDATE: Parameter = parameter(
    "update",
    Constructor(Update::FAMILY),
    Means("at_once"),
    "when the weights change by what a target window has shown",
);

const ROUNDING: Parameter = parameter(
    "rounding",
    Constructor(Rounding::FAMILY),
    Means("stochastic"),
    "what becomes of the part of a change that is smaller than a weight's last bit",
);

const BATCH: Parameter = parameter(
    "batch",
    Integer(1, 32),
    Means("1"),
    "a block adds the changes of so many samples that it learns from before they are rounded",
);

const TARGET: Parameter =
    parameter("target", Constructor(TargetPath::FAMILY), Means("stack"), "how the target reaches the layer");

/// The options of all losses.
const OPTIONS: &[Parameter] =
    &[RATE, ANNEAL, SHIFTS, GATE, OPTIMIZER, WEIGHT_DECAY, EVERY, MEMORY, REVIVE, UPDATE, ROUNDING, BATCH, TARGET];

impl Learning {
    /// Reads a constructor of the family.
    pub(crate) fn read(reader: &mut Reader, given: &Given) -> Learning {
        match Loss::KINDS.get(given.index) {
            Some(kind) => {
                let loss = kind.read(reader, given);
                Learning::Rule(Rule::read(reader, given, loss))
            }
            None => Learning::None,
        }
    }
}

impl Rule {
    /// Whether the target is projected into the layer itself.
    pub fn is_direct(&self) -> bool {
        matches!(self.target, TargetPath::Direct { .. })
    }

    fn read(reader: &mut Reader, given: &Given, loss: Loss) -> Rule {
        Rule {
            loss,
            gate: Gate::chosen(reader, given, &GATE),
            revive: Revival::chosen(reader, given, &REVIVE).0,
            update: Update::chosen(reader, given, &UPDATE),
            rounding: Rounding::chosen(reader, given, &ROUNDING),
            rate: reader.integer(given, &RATE),
            schedule: RateSchedule::read(reader, given),
            optimizer: Optimizer::chosen(reader, given, &OPTIMIZER),
            weight_decay: reader.integer_if_given(given, &WEIGHT_DECAY),
            when: When::read(reader, given),
            batch: reader.integer(given, &BATCH),
            target: TargetPath::chosen(reader, given, &TARGET),
        }
    }

    /// Writes the options; what is usual and came late to the language need not be said.
    fn write(&self, parts: Parts) -> Parts {
        let parts = self.schedule.write(parts.option(&RATE, self.rate));
        let parts = parts.option(&GATE, self.gate).option(&OPTIMIZER, self.optimizer);
        let parts = self.when.write(parts.option_if(&WEIGHT_DECAY, self.weight_decay));
        let parts = parts.option(&REVIVE, Revival(self.revive).text());
        let parts = parts.option_if(&UPDATE, (self.update != Update::AtOnce).then_some(self.update));
        let parts = parts.option_if(&ROUNDING, (self.rounding != Rounding::Stochastic).then_some(self.rounding));
        let parts = parts.option_if(&BATCH, (self.batch > 1).then_some(self.batch));
        parts.option_if(&TARGET, (self.target != TargetPath::Stack).then_some(self.target))
    }
}

/// Whether neurons that hardly ever fire, or nearly always, are nudged back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revival(bool);

impl Named for Revival {
    const FAMILY: &'static Family = &Family { noun: "revival", item: None, forms: forms::<Revival> };

    const KINDS: &'static [Kind<Revival>] = &[
        Kind::value(Revival(true), form("homeostasis", &[], &[], "their biases are nudged back")),
        Kind::value(Revival(false), form("none", &[], &[], "nothing")),
    ];
}

/// `hinge { ... }` and its like, or `none`.
impl Display for Learning {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        match self {
            Learning::None => formatter.write_str(NONE.name),
            Learning::Rule(rule) => rule.fmt(formatter),
        }
    }
}

impl Display for Rule {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let (form, parts) = self.loss.written();
        formatter.write_str(&self.write(parts).text(form))
    }
}
