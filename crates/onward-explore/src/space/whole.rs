//! What can only be said of a space as a whole: that some design keeps its constraints, and that its objectives have values.

use super::{Design, Space};
use crate::Value;
use crate::expression::{Expression, NoValue};
use crate::random::Random;
use std::ops::Range;

/// Designs that are looked at where there are too many to list.
const LOOKED_AT: usize = 2000;
/// As many are listed.
const LISTED: usize = 20_000;

/// What is wrong with a space as a whole.
pub(super) enum Contradiction {
    /// No design keeps the constraints of parameters; that one rules out all of them by itself, or they do together.
    NoDesign { alone: Option<usize> },
    /// An expression has no value for a design.
    NoValue { what: What, error: NoValue, design: String },
}

/// Which expression.
#[derive(Clone, Copy)]
pub(super) enum What {
    Constraint(usize),
    Objective(usize),
}

impl Space {
    /// Designs to try out what holds of all: all of them, or some at random; whether constraints hold is not looked at.
    fn samples(&self) -> Vec<Design> {
        let free = Space { constraints: Vec::new(), ..self.clone() };
        free.enumerate(LISTED).unwrap_or_else(|| {
            let mut random = Random::new(1, 0);
            (0..LOOKED_AT).filter_map(|_| free.draw(&mut random)).collect()
        })
    }

    /// The first contradiction, if there is one.
    pub(super) fn contradiction(&self) -> Option<Contradiction> {
        let samples = self.samples();
        let mut kept = vec![0; self.constraints.len()];
        let mut kept_all = Vec::new();
        for design in &samples {
            let mut keeps_all = true;
            for (at, constraint) in
                self.constraints.iter().enumerate().filter(|(_, constraint)| constraint.is_of_parameters)
            {
                match constraint.expression.holds(&|name| self.find(design, name)) {
                    Ok(true) => kept[at] += 1,
                    Ok(false) => keeps_all = false,
                    Err(error) => {
                        let what = What::Constraint(at);
                        return Some(Contradiction::NoValue { what, error, design: self.words(design) });
                    }
                }
            }
            if keeps_all {
                kept_all.push(design);
            }
        }
        if kept_all.is_empty() {
            let is_never_kept = |at: &usize| self.constraints[*at].is_of_parameters && kept[*at] == 0;
            return Some(Contradiction::NoDesign { alone: (0..kept.len()).find(is_never_kept) });
        }
        self.objective_without_value(&kept_all)
    }

    /// An objective that divides by what is 0 in some design, whatever is measured.
    fn objective_without_value(&self, designs: &[&Design]) -> Option<Contradiction> {
        for (at, objective) in self.objectives.iter().enumerate() {
            for (divisor, span) in objective.expression.divisors() {
                for design in designs {
                    if let Some(error) = self.is_zero(&divisor, &span, design) {
                        let what = What::Objective(at);
                        return Some(Contradiction::NoValue { what, error, design: self.words(design) });
                    }
                }
            }
        }
        None
    }

    /// Whether a divisor is 0 for two sets of measures that have nothing in common: then it is for all.
    fn is_zero(&self, divisor: &Expression, span: &Range<usize>, design: &Design) -> Option<NoValue> {
        let with = |scale: f64| {
            divisor.number(&|name| {
                let is_parameter =
                    self.fixed.contains_key(name) || self.parameters.iter().any(|parameter| parameter.name == name);
                match self.find(design, name) {
                    None if !is_parameter => {
                        let letters = name.bytes().fold(1u64, |sum, byte| (sum * 31 + u64::from(byte)) % 997);
                        Some(Value::Real(scale * (1.0 + letters as f64)))
                    }
                    found => found,
                }
            })
        };
        match (with(0.37), with(11.9)) {
            (Err(error @ NoValue::DivisionByZero { .. }), _) => Some(error),
            (Ok(one), Ok(other)) if one.abs() == 0.0 && other.abs() == 0.0 => {
                Some(NoValue::DivisionByZero { divisor: divisor.text[span.clone()].to_owned(), span: span.clone() })
            }
            _ => None,
        }
    }
}
