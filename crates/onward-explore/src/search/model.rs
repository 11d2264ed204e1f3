//! A search by models: a Gaussian process for each objective says what designs are likely to come to, and those are proposed that would
//! add most to the hypervolume if they came out somewhat better than expected.
//!
//! The idea is that of SMS-EGO (Ponweiser, Wagner, Biermann, Vincze, "Multiobjective optimization on a limited budget of evaluations using
//! model-assisted S-metric selection", PPSN 2008); within a batch what was chosen counts as if it had come out as expected.

use super::samples::latin;
use super::{Limits, Process, Proposed, Score, Search, limit};
use crate::front::{Scale, exclusive, front};
use crate::random::Random;
use crate::space::{Design, MOST_ENUMERATED, Space};

/// Designs to begin with, for each parameter.
const FIRST: usize = 3;
/// Standard deviations by which a design is hoped to be better than expected.
const HOPE: f64 = 1.0;
/// Designs that are looked at for a batch.
const CANDIDATES: usize = 1500;
/// Results that models are made of; more cost more than they tell.
const SEEN: usize = 250;

pub struct ByModel<'a> {
    space: &'a Space,
    random: Random,
    proposed: Proposed,
    results: Vec<(Design, Score)>,
    /// All designs, where they can be listed.
    all: Option<Vec<Design>>,
}

impl<'a> ByModel<'a> {
    /// Draws by a seed.
    pub fn new(space: &'a Space, seed: u64) -> ByModel<'a> {
        let all = space.enumerate(MOST_ENUMERATED);
        ByModel { space, random: Random::new(seed, 4), proposed: Proposed::default(), results: Vec::new(), all }
    }

    /// Where a design lies: an ordered parameter between 0 and 1, of others a coordinate a value.
    fn place(&self, design: &Design) -> Vec<f64> {
        let mut place = Vec::new();
        for (parameter, choice) in self.space.parameters.iter().zip(&design.0) {
            let values = parameter.values.len();
            match parameter.is_ordered {
                true => place.push(choice.map_or(0.5, |choice| choice as f64 / (values - 1).max(1) as f64)),
                false => place.extend((0..values).map(|value| if *choice == Some(value) { 0.7 } else { 0.0 })),
            }
            if parameter.when.is_some() {
                place.push(if choice.is_some() { 1.0 } else { 0.0 });
            }
        }
        place
    }

    fn candidates(&mut self, limits: &Limits) -> Vec<Design> {
        let is_new = |proposed: &Proposed, design: &Design| {
            limits.may_have(&self.space.learner(design)) && !proposed.0.contains(design)
        };
        let mut found: Vec<Design> = match &self.all {
            Some(all) => all.iter().filter(|design| is_new(&self.proposed, design)).cloned().collect(),
            None => {
                let mut drawn = Vec::new();
                for _ in 0..4 * CANDIDATES {
                    if let Some(mut design) = self.space.draw(&mut self.random) {
                        limit(self.space, &mut design, limits, &mut self.random);
                        drawn.push(design);
                    }
                }
                drawn.sort();
                drawn.dedup();
                drawn.retain(|design| is_new(&self.proposed, design));
                drawn
            }
        };
        self.random.shuffle(&mut found);
        found.truncate(CANDIDATES);
        found
    }

    /// The results that models are made of: the front first, then the last ones.
    fn seen(&self) -> Vec<&(Design, Score)> {
        let mut seen: Vec<_> = self.results.iter().filter(|(_, score)| score.objectives.is_some()).collect();
        if seen.len() > SEEN {
            let points: Vec<Vec<f64>> = seen.iter().filter_map(|(_, score)| score.objectives.clone()).collect();
            let ranks = crate::front::ranks(&points);
            let mut order: Vec<usize> = (0..seen.len()).collect();
            order.sort_by_key(|&at| (ranks[at].min(1), usize::MAX - at));
            seen = order[..SEEN].iter().map(|&at| seen[at]).collect();
        }
        seen
    }

    fn chosen(&mut self, count: usize, limits: &Limits) -> Vec<Design> {
        let candidates = self.candidates(limits);
        let seen = self.seen();
        let points: Vec<Vec<f64>> = seen.iter().filter_map(|(_, score)| score.objectives.clone()).collect();
        let scale = Scale::of(&points);
        let scaled: Vec<Vec<f64>> = points.iter().map(|point| scale.scaled(point)).collect();
        let places: Vec<Vec<f64>> = seen.iter().map(|(design, _)| self.place(design)).collect();
        let objectives = self.space.objectives.len();
        let model = |at: usize| Process::of(&places, &scaled.iter().map(|point| point[at]).collect::<Vec<_>>());
        let models: Vec<Process> = (0..objectives).filter_map(model).collect();
        if models.len() < objectives {
            return Vec::new();
        }
        // How likely a design can be had and keeps the constraints.
        let all: Vec<Vec<f64>> = self.results.iter().rev().take(SEEN).map(|(design, _)| self.place(design)).collect();
        let kept: Vec<f64> = self
            .results
            .iter()
            .rev()
            .take(SEEN)
            .map(|(_, score)| if score.distance() <= 0.0 { 1.0 } else { 0.0 })
            .collect();
        let is_kept = if kept.iter().any(|kept| *kept < 1.0) { Process::of(&all, &kept) } else { None };
        let good: Vec<Vec<f64>> = seen
            .iter()
            .zip(&scaled)
            .filter(|((_, score), _)| score.distance() <= 0.0)
            .map(|(_, point)| point.clone())
            .collect();
        let mut best: Vec<Vec<f64>> = front(&good).into_iter().map(|at| good[at].clone()).collect();
        let reference = vec![1.1; objectives];
        // What each is expected to be, hoped to be, and how likely it is allowed.
        let mut guesses: Vec<(Design, Vec<f64>, Vec<f64>, f64)> = candidates
            .into_iter()
            .map(|design| {
                let place = self.place(&design);
                let (means, hopes) = models
                    .iter()
                    .map(|model| {
                        let (mean, deviation) = model.at(&place);
                        (mean, mean - HOPE * deviation)
                    })
                    .unzip();
                let likely = is_kept.as_ref().map_or(1.0, |model| model.at(&place).0.clamp(0.02, 1.0));
                (design, means, hopes, likely)
            })
            .collect();
        let mut chosen = Vec::new();
        while chosen.len() < count && !guesses.is_empty() {
            let gains = guesses.iter().map(|(_, _, hopes, likely)| {
                let gain = exclusive(hopes, &best, &reference) * likely;
                // Where none gains anything, what comes nearest.
                if gain > 0.0 { gain } else { -hopes.iter().sum::<f64>() * 1e-12 - 1e-6 }
            });
            let best_guess = gains.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(at, _)| at);
            let (design, means, ..) = guesses.swap_remove(best_guess);
            best.push(means);
            chosen.push(design);
        }
        chosen
    }
}

impl Search for ByModel<'_> {
    fn ask(&mut self, count: usize, limits: &mut Limits) -> Vec<Design> {
        let mut found = Vec::new();
        let with_objectives = self.results.iter().filter(|(_, score)| score.objectives.is_some()).count();
        if with_objectives < FIRST * self.space.parameters.len() {
            for mut design in latin(self.space, &mut self.random, count) {
                limit(self.space, &mut design, limits, &mut self.random);
                if self.proposed.add(self.space, &design, limits) {
                    found.push(design);
                }
            }
        } else {
            for design in self.chosen(count, limits) {
                if self.proposed.add(self.space, &design, limits) {
                    found.push(design);
                }
            }
        }
        self.proposed.fill(self.space, &mut self.random, count, limits, &mut found);
        found
    }

    fn tell(&mut self, results: &[(Design, Score)]) {
        self.results.extend(results.iter().cloned());
    }
}
