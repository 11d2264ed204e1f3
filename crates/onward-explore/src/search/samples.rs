//! Searches that learn nothing: all in order, at random, spread evenly.

use super::{Limits, Proposed, Score, Search, limit};
use crate::random::Random;
use crate::space::{Design, MOST_ENUMERATED, Space};

/// All designs of a space in their order.
pub struct Grid<'a> {
    space: &'a Space,
    left: std::vec::IntoIter<Design>,
    proposed: Proposed,
}

impl<'a> Grid<'a> {
    /// The grid of a space; of one that is too large to be listed, nothing.
    pub fn new(space: &'a Space) -> Grid<'a> {
        let all = space.enumerate(MOST_ENUMERATED).unwrap_or_default();
        Grid { space, left: all.into_iter(), proposed: Proposed::default() }
    }
}

impl Search for Grid<'_> {
    fn ask(&mut self, count: usize, limits: &mut Limits) -> Vec<Design> {
        let (space, proposed) = (self.space, &mut self.proposed);
        self.left.by_ref().filter(|design| proposed.add(space, design, limits)).take(count).collect()
    }

    fn tell(&mut self, _: &[(Design, Score)]) {}
}

/// Designs at random, none twice.
pub struct AtRandom<'a> {
    space: &'a Space,
    random: Random,
    proposed: Proposed,
}

impl<'a> AtRandom<'a> {
    /// Draws by a seed.
    pub fn new(space: &'a Space, seed: u64) -> AtRandom<'a> {
        AtRandom { space, random: Random::new(seed, 1), proposed: Proposed::default() }
    }
}

impl Search for AtRandom<'_> {
    fn ask(&mut self, count: usize, limits: &mut Limits) -> Vec<Design> {
        let mut found = Vec::new();
        self.proposed.fill(self.space, &mut self.random, count, limits, &mut found);
        found
    }

    fn tell(&mut self, _: &[(Design, Score)]) {}
}

/// Latin hypercubes, one a batch: of each parameter each value as often as any other (McKay, Beckman, Conover, Technometrics 21(2),
/// 1979).
pub struct Latin<'a> {
    space: &'a Space,
    random: Random,
    proposed: Proposed,
}

impl<'a> Latin<'a> {
    /// Draws by a seed.
    pub fn new(space: &'a Space, seed: u64) -> Latin<'a> {
        Latin { space, random: Random::new(seed, 2), proposed: Proposed::default() }
    }
}

/// Designs that have each value of each parameter as often as any other, as far as conditions and constraints let them.
pub(super) fn latin(space: &Space, random: &mut Random, count: usize) -> Vec<Design> {
    let columns: Vec<Vec<usize>> = space
        .parameters
        .iter()
        .map(|parameter| {
            let values = parameter.values.len();
            // Where values do not go evenly into the designs, which of them are there once more is drawn.
            let from = random.below(values);
            let mut column: Vec<usize> = match count >= values {
                true => (0..count).map(|at| (from + at) % values).collect(),
                false => (0..count).map(|at| (at * values + random.below(values)) / count).collect(),
            };
            random.shuffle(&mut column);
            column
        })
        .collect();
    let design = |at: usize| {
        let mut design = Design(columns.iter().map(|column| Some(column[at])).collect());
        space.put_right(&mut design);
        design
    };
    (0..count).map(design).collect()
}

impl Search for Latin<'_> {
    fn ask(&mut self, count: usize, limits: &mut Limits) -> Vec<Design> {
        let mut found = Vec::new();
        for mut design in latin(self.space, &mut self.random, count) {
            limit(self.space, &mut design, limits, &mut self.random);
            if self.proposed.add(self.space, &design, limits) {
                found.push(design);
            }
        }
        self.proposed.fill(self.space, &mut self.random, count, limits, &mut found);
        found
    }

    fn tell(&mut self, _: &[(Design, Score)]) {}
}
