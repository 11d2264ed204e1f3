//! A space of designs: parameters with their values, what is wanted of a design, and how much may be tried.

mod designs;
mod read;
mod whole;

use crate::Value;
use crate::expression::Expression;
use std::collections::BTreeMap;

pub use designs::MOST_ENUMERATED;
pub use read::read;

/// A design: for each parameter of the space which of its values, or none where its condition does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Design(pub Vec<Option<usize>>);

/// The parameters of a design by their names, with those that are fixed.
pub type Settings = BTreeMap<String, Value>;

/// A space of designs.
#[derive(Clone, Debug)]
pub struct Space {
    /// The file's name without its ending.
    pub name: String,
    /// Parameters that are the same in all designs.
    pub fixed: Settings,
    /// Parameters that differ, in the file's order.
    pub parameters: Vec<Parameter>,
    /// What is wanted: one at least.
    pub objectives: Vec<Objective>,
    /// What must hold.
    pub constraints: Vec<Constraint>,
    /// How it is searched.
    pub search: Search,
    /// How learners are thinned out before they have learned in full.
    pub halving: Option<Halving>,
}

/// A parameter that differs from design to design.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it may be: one value at least, none twice.
    pub values: Vec<Value>,
    /// Whether the values have an order: numbers from the least to the greatest.
    pub is_ordered: bool,
    /// When it is there at all: a condition over parameters before it.
    pub when: Option<Expression>,
    /// Whether answers depend on it.
    pub moves_answers: bool,
}

/// What is wanted of a design.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// What it is called.
    pub name: String,
    /// Its number.
    pub expression: Expression,
    /// Whether more of it is better.
    pub is_maximized: bool,
}

/// What must hold of a design.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// A condition.
    pub expression: Expression,
    /// Whether it is known before anything ran.
    pub is_of_parameters: bool,
}

/// How a space is searched.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Which way.
    pub method: Method,
    /// How many designs are looked at.
    pub designs: usize,
    /// How many designs may learn anew, each other ones sharing their answers; all where it is left out.
    pub learners: Option<usize>,
    /// Designs that are proposed at once: proposals depend on completed batches alone.
    pub batch: usize,
    /// What draws all that is drawn.
    pub seed: u64,
}

/// Ways to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// All designs in their order.
    Grid,
    /// Designs at random.
    Random,
    /// Designs at random that have each value of each parameter equally often.
    Latin,
    /// A genetic search, NSGA-II.
    Genetic,
    /// A search by a model of what has been seen.
    Model,
}

impl Method {
    /// All, by name.
    pub const ALL: [(&str, Method); 5] = [
        ("grid", Method::Grid),
        ("random", Method::Random),
        ("latin", Method::Latin),
        ("nsga2", Method::Genetic),
        ("model", Method::Model),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Method::ALL.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
    }
}

/// Successive halving: learners run by a small value of a parameter first, and only the best of a batch go on to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Halving {
    /// The parameter, a fixed one, such as `learning.epochs`.
    pub parameter: String,
    /// Its values, the least first; the last is that of the fixed parameter.
    pub rungs: Vec<i64>,
    /// Share of learners that go on from each; above 0 and below 1.
    pub keep: f64,
}

impl Space {
    /// What a design sets, with what is fixed.
    pub fn settings(&self, design: &Design) -> Settings {
        let mut settings = self.fixed.clone();
        for (parameter, choice) in self.parameters.iter().zip(&design.0) {
            if let Some(value) = choice.and_then(|choice| parameter.values.get(choice)) {
                settings.insert(parameter.name.clone(), value.clone());
            }
        }
        settings
    }

    /// What of a design its answers depend on: its choices of those parameters, the others left out.
    pub fn learner(&self, design: &Design) -> Design {
        let choices = self.parameters.iter().zip(&design.0);
        Design(choices.map(|(parameter, choice)| choice.filter(|_| parameter.moves_answers)).collect())
    }

    /// A design in words: `chip.core.lanes=8 network.bits=4`.
    pub fn words(&self, design: &Design) -> String {
        let choices = self.parameters.iter().zip(&design.0);
        let said = choices.filter_map(|(parameter, choice)| {
            choice.and_then(|choice| parameter.values.get(choice)).map(|value| format!("{}={value}", parameter.name))
        });
        said.collect::<Vec<_>>().join(" ")
    }
}
