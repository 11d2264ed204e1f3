//! NSGA-II (Deb et al., IEEE Transactions on Evolutionary Computation 6(2), 2002), for parameters that have lists of values and conditions.
//!
//! Parents win tournaments of two by front, then by how lonely they are; children take each parameter from either parent and
//! change some. What misses constraints goes behind what keeps them, and what was thinned out behind what ran in full.

use super::samples::latin;
use super::{Limits, Proposed, Score, Search, limit};
use crate::front::{crowding, ranks};
use crate::random::Random;
use crate::space::{Design, Space};

/// Designs that live.
const POPULATION: usize = 24;
/// How often a child is made anew because it was proposed before.
const TRIES: usize = 20;
/// Share of mutations of an ordered parameter that go to any value and not to a neighbour.
const JUMPS: f64 = 0.3;

pub struct Genetic<'a> {
    space: &'a Space,
    random: Random,
    proposed: Proposed,
    /// The best, the best first.
    population: Vec<(Design, Score)>,
}

impl<'a> Genetic<'a> {
    /// Draws by a seed.
    pub fn new(space: &'a Space, seed: u64) -> Genetic<'a> {
        Genetic { space, random: Random::new(seed, 3), proposed: Proposed::default(), population: Vec::new() }
    }

    /// The winner of two of the population. It is sorted: the one that stands before is the better one.
    fn parent(&mut self) -> Design {
        let [a, b] = [0, 1].map(|_| self.random.below(self.population.len()));
        self.population[a.min(b)].0.clone()
    }

    fn child(&mut self) -> Design {
        let (mut child, other) = (self.parent(), self.parent());
        let rate = 1.0 / self.space.parameters.len() as f64;
        for (at, parameter) in self.space.parameters.iter().enumerate() {
            if self.random.chance(0.5) {
                child.0[at] = other.0[at];
            }
            if self.random.chance(rate) {
                let (values, now) = (parameter.values.len(), child.0[at]);
                child.0[at] = Some(match now {
                    Some(now) if parameter.is_ordered && !self.random.chance(JUMPS) => {
                        let step = if self.random.chance(0.5) { now + 1 } else { now.wrapping_sub(1) };
                        if step < values { step } else { now }
                    }
                    _ => self.random.below(values),
                });
            }
        }
        self.space.put_right(&mut child);
        child
    }
}

impl Search for Genetic<'_> {
    fn ask(&mut self, count: usize, limits: &mut Limits) -> Vec<Design> {
        let mut found = Vec::new();
        if self.population.is_empty() {
            for mut design in latin(self.space, &mut self.random, count) {
                limit(self.space, &mut design, limits, &mut self.random);
                if self.proposed.add(self.space, &design, limits) {
                    found.push(design);
                }
            }
        }
        let mut tries = 0;
        while found.len() < count && !self.population.is_empty() && tries < TRIES * count {
            tries += 1;
            let mut child = self.child();
            limit(self.space, &mut child, limits, &mut self.random);
            if self.proposed.add(self.space, &child, limits) {
                found.push(child);
            }
        }
        self.proposed.fill(self.space, &mut self.random, count, limits, &mut found);
        found
    }

    fn tell(&mut self, results: &[(Design, Score)]) {
        self.population.extend(results.iter().cloned());
        sort(&mut self.population);
        self.population.truncate(POPULATION);
    }
}

/// Sorts from the best to the worst: candidates by front and loneliness, then all others by how far they are from being any.
fn sort(population: &mut Vec<(Design, Score)>) {
    let (candidates, mut others): (Vec<_>, Vec<_>) =
        population.drain(..).partition(|(_, score)| score.distance() <= 0.0);
    let points: Vec<Vec<f64>> = candidates.iter().filter_map(|(_, score)| score.objectives.clone()).collect();
    let ranks = ranks(&points);
    let mut lonely = vec![0.0; points.len()];
    for rank in 0..=ranks.iter().copied().max().unwrap_or(0) {
        let members: Vec<usize> = (0..points.len()).filter(|&at| ranks[at] == rank).collect();
        let distances = crowding(&members.iter().map(|&at| points[at].clone()).collect::<Vec<_>>());
        members.into_iter().zip(distances).for_each(|(at, distance)| lonely[at] = distance);
    }
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| ranks[a].cmp(&ranks[b]).then(lonely[b].total_cmp(&lonely[a])));
    population.extend(order.into_iter().map(|at| candidates[at].clone()));
    others.sort_by(|(_, a), (_, b)| a.distance().total_cmp(&b.distance()));
    population.append(&mut others);
}
