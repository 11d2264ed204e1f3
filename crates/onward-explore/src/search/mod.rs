//! Searches: asked for designs, told what came of them. None runs anything, and what it proposes depends on its seed and on what it was
//! told, in that order, and on nothing else.

mod gaussian;
mod genetic;
mod model;
mod samples;

use crate::random::Random;
use crate::space::{Design, Method, Space};
use std::collections::BTreeSet;

pub use gaussian::Process;

/// What came of a design.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The objectives, of each less is better; `None` where the design could not be had.
    pub objectives: Option<Vec<f64>>,
    /// By how much constraints were missed in all; 0 where all hold.
    pub violation: f64,
    /// Whether it was run in full. What was thinned out was not.
    pub is_full: bool,
}

impl Score {
    /// How far it is from being a candidate: 0 it is one, above that not.
    fn distance(&self) -> f64 {
        match (&self.objectives, self.is_full) {
            (None, _) => f64::INFINITY,
            (Some(_), true) => self.violation,
            // Whatever was run in full goes before.
            (Some(_), false) => 1e6 + self.violation,
        }
    }
}

/// How many designs that learn anew may be proposed. Learning is the costly part of a design; what answers do not depend on is cheap.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Learners that may be had again: those that were proposed, or the best of them.
    pub known: Vec<Design>,
    /// New ones that may be proposed.
    pub more: usize,
}

impl Limits {
    /// At most so many learners.
    pub fn of(learners: Option<usize>) -> Limits {
        Limits { known: Vec::new(), more: learners.unwrap_or(usize::MAX) }
    }

    /// Takes note of a learner that is proposed; `false` where it may not be.
    fn takes(&mut self, learner: Design) -> bool {
        if self.more == usize::MAX || self.known.contains(&learner) {
            return true;
        }
        if self.more == 0 {
            return false;
        }
        self.more -= 1;
        self.known.push(learner);
        true
    }

    fn may_have(&self, learner: &Design) -> bool {
        self.more > 0 || self.known.contains(learner)
    }
}

/// A search.
pub trait Search {
    /// Proposes up to so many designs that it has not proposed before; fewer where it knows no more.
    fn ask(&mut self, count: usize, limits: &mut Limits) -> Vec<Design>;

    /// Is told what came of designs that it proposed.
    fn tell(&mut self, results: &[(Design, Score)]);
}

/// The search that a space asks for.
pub fn search(space: &Space) -> Box<dyn Search + '_> {
    let seed = space.search.seed;
    match space.search.method {
        Method::Grid => Box::new(samples::Grid::new(space)),
        Method::Random => Box::new(samples::AtRandom::new(space, seed)),
        Method::Latin => Box::new(samples::Latin::new(space, seed)),
        Method::Genetic => Box::new(genetic::Genetic::new(space, seed)),
        Method::Model => Box::new(model::ByModel::new(space, seed)),
    }
}

/// Designs that were proposed, so that none is again.
#[derive(Debug, Default)]
struct Proposed(BTreeSet<Design>);

impl Proposed {
    /// Takes note of a design; `false` where it was proposed before, or may not be.
    fn add(&mut self, space: &Space, design: &Design, limits: &mut Limits) -> bool {
        let is_new = !self.0.contains(design) && space.keeps(design).unwrap_or(true);
        let is_taken = is_new && limits.takes(space.learner(design));
        if is_taken {
            self.0.insert(design.clone());
        }
        is_taken
    }

    /// New designs at random until there are so many; fewer where hardly any are left.
    fn fill(&mut self, space: &Space, random: &mut Random, count: usize, limits: &mut Limits, found: &mut Vec<Design>) {
        let mut tries = 0;
        while found.len() < count && tries < 200 {
            tries += 1;
            if let Some(mut design) = space.draw(random) {
                limit(space, &mut design, limits, random);
                if self.add(space, &design, limits) {
                    found.push(design);
                    tries = 0;
                }
            }
        }
        // What is hard to draw can be listed.
        if found.len() < count
            && let Some(all) = space.enumerate(crate::space::MOST_ENUMERATED)
        {
            let left = all.into_iter().filter(|design| !self.0.contains(design));
            let mut left: Vec<Design> = left.collect();
            random.shuffle(&mut left);
            for design in left {
                if found.len() < count && self.add(space, &design, limits) {
                    found.push(design);
                }
            }
        }
    }
}

/// Gives a design the learner of a known one, where no new ones may be proposed.
fn limit(space: &Space, design: &mut Design, limits: &Limits, random: &mut Random) {
    if limits.known.is_empty() || limits.may_have(&space.learner(design)) {
        return;
    }
    let learner = &limits.known[random.below(limits.known.len())];
    for (at, parameter) in space.parameters.iter().enumerate() {
        if parameter.moves_answers {
            design.0[at] = learner.0[at];
        }
    }
    space.put_right(design);
}
