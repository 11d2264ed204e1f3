//! Successive halving (Jamieson, Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016) where there are
//! several objectives: which learners go on.

use crate::front::{crowding, ranks};
use crate::space::{Design, Space};
use crate::study::Point;

/// The learners of points that go on: that share of them, rounded up, whose best design is best by front, and among equals by how lonely it
/// is. What could not be had does not compete, and what misses a constraint goes behind what keeps all.
pub fn chosen(space: &Space, points: &[&Point], keep: f64) -> Vec<Design> {
    let competing: Vec<&&Point> = points.iter().filter(|point| point.score.objectives.is_some()).collect();
    let objectives: Vec<Vec<f64>> = competing.iter().filter_map(|point| point.score.objectives.clone()).collect();
    let (ranks, lonely) = (ranks(&objectives), crowding(&objectives));
    let mut order: Vec<usize> = (0..competing.len()).collect();
    order.sort_by(|&a, &b| {
        let missed = |at: usize| competing[at].score.violation;
        missed(a)
            .total_cmp(&missed(b))
            .then(ranks[a].cmp(&ranks[b]))
            .then(lonely[b].total_cmp(&lonely[a]))
            .then(a.cmp(&b))
    });
    let mut learners: Vec<Design> = Vec::new();
    for at in order {
        let learner = space.learner(&competing[at].design);
        if !learners.contains(&learner) {
            learners.push(learner);
        }
    }
    let count = (learners.len() as f64 * keep).ceil() as usize;
    learners.truncate(count);
    learners
}
