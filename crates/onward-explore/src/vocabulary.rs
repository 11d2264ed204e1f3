//! What can be explored: the parameters and the measures that an evaluator knows.

use crate::Value;
use std::fmt;

/// The parameters and measures of an evaluator.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// What can be set.
    pub parameters: Vec<KnownParameter>,
    /// What comes out.
    pub measures: Vec<KnownMeasure>,
}

/// A parameter that can be set.
pub struct KnownParameter {
    /// Its name: `chip.core.lanes`.
    pub name: String,
    /// What it may be, in words.
    pub allowed: String,
    /// Whether it may be that.
    pub allows: Box<dyn Fn(&Value) -> bool + Send + Sync>,
    /// What it says.
    pub meaning: String,
    /// What more of it costs, and what less: why the end of a range is no free lunch.
    pub cost: String,
    /// Whether answers depend on it. Designs that differ in the other parameters alone share one run of values.
    pub moves_answers: bool,
}

impl fmt::Debug for KnownParameter {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.debug_struct("KnownParameter").field("name", &self.name).field("allowed", &self.allowed).finish()
    }
}

/// Something that is measured of a design.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownMeasure {
    /// Its name, with its SI unit: `training_energy_j`.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// The least it can be.
    pub lowest: f64,
    /// The most it can be.
    pub highest: f64,
}

impl Vocabulary {
    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&KnownParameter> {
        self.parameters.iter().find(|known| known.name == name)
    }

    /// The measure of that name.
    pub fn measure(&self, name: &str) -> Option<&KnownMeasure> {
        self.measures.iter().find(|known| known.name == name)
    }
}
