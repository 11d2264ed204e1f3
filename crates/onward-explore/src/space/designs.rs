//! The designs of a space: counted, listed, drawn, put right.

use super::{Design, Space};
use crate::Value;
use crate::expression::NoValue;
use crate::random::Random;

/// The most designs that are listed one by one.
pub const MOST_ENUMERATED: usize = 100_000;

/// How often a design is drawn before it is given up that one keeps the constraints.
const TRIES: usize = 2000;

impl Space {
    /// What a name stands for in a design, as far as parameters say.
    pub fn find(&self, design: &Design, name: &str) -> Option<Value> {
        match self.parameters.iter().position(|parameter| parameter.name == name) {
            Some(at) => {
                let choice = design.0.get(at).copied().flatten()?;
                self.parameters[at].values.get(choice).cloned()
            }
            None => self.fixed.get(name).cloned(),
        }
    }

    /// Takes out the parameters whose conditions do not hold, and sets those to the first value whose conditions do and that have none.
    pub fn put_right(&self, design: &mut Design) {
        design.0.resize(self.parameters.len(), None);
        for at in 0..self.parameters.len() {
            let parameter = &self.parameters[at];
            let is_there = match &parameter.when {
                Some(when) => when.holds(&|name| self.find(design, name)).unwrap_or(false),
                None => true,
            };
            design.0[at] = match (is_there, design.0[at]) {
                (false, _) => None,
                (true, Some(choice)) => Some(choice.min(parameter.values.len() - 1)),
                (true, None) => Some(0),
            };
        }
    }

    /// Whether the constraints hold that are known before anything runs.
    ///
    /// # Errors
    /// One of them has no value.
    pub fn keeps(&self, design: &Design) -> Result<bool, NoValue> {
        for constraint in self.constraints.iter().filter(|constraint| constraint.is_of_parameters) {
            if !constraint.expression.holds(&|name| self.find(design, name))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All designs that keep the constraints of parameters, the last parameter moving fastest; `None` where there are more than `most`.
    pub fn enumerate(&self, most: usize) -> Option<Vec<Design>> {
        let mut found = Vec::new();
        // What constraints take away is listed too, as long as that is bearable.
        let mut looked_at = 0;
        let mut design = Design(vec![None; self.parameters.len()]);
        self.add_designs(0, &mut design, most, &mut looked_at, &mut found).then_some(found)
    }

    fn add_designs(
        &self,
        at: usize,
        design: &mut Design,
        most: usize,
        looked_at: &mut usize,
        found: &mut Vec<Design>,
    ) -> bool {
        let Some(parameter) = self.parameters.get(at) else {
            *looked_at += 1;
            if self.keeps(design).unwrap_or(true) {
                found.push(design.clone());
            }
            return found.len() <= most && *looked_at <= 20 * MOST_ENUMERATED;
        };
        let is_there =
            parameter.when.as_ref().is_none_or(|when| when.holds(&|name| self.find(design, name)).unwrap_or(false));
        let choices: Vec<Option<usize>> =
            if is_there { (0..parameter.values.len()).map(Some).collect() } else { vec![None] };
        for choice in choices {
            design.0[at] = choice;
            if !self.add_designs(at + 1, design, most, looked_at, found) {
                return false;
            }
        }
        design.0[at] = None;
        true
    }

    /// A design at random that keeps the constraints of parameters; `None` where none was found.
    pub fn draw(&self, random: &mut Random) -> Option<Design> {
        (0..TRIES).find_map(|_| {
            let choices = self.parameters.iter().map(|parameter| Some(random.below(parameter.values.len())));
            let mut design = Design(choices.collect());
            self.put_right(&mut design);
            self.keeps(&design).unwrap_or(true).then_some(design)
        })
    }
}
