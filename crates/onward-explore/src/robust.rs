//! How sure a front is: what stays of it where figures may be wrong by a factor.

use crate::evaluator::Outcome;
use crate::front::front;
use crate::random::Random;
use crate::space::Space;
use crate::study::{Point, score};

/// Draws of what figures may be wrong by.
pub const DRAWS: usize = 200;

/// What lines of a bill are wrong by: the same line by the same factor in all designs.
pub type Lines<'a> = dyn Fn(&str) -> f64 + 'a;

/// For each point of a front in what share of draws it is on the front of all candidates, from 0 to 1, where each line may be wrong by
/// `factor` either way. `changed` gives an outcome with lines that are wrong by so much.
pub fn stays(
    space: &Space,
    points: &[Point],
    best: &[usize],
    factor: f64,
    changed: &dyn Fn(&Outcome, &Lines) -> Outcome,
) -> Vec<f64> {
    let candidates: Vec<usize> = (0..points.len()).filter(|&at| points[at].candidate().is_some()).collect();
    let mut times = vec![0usize; points.len()];
    for draw in 0..DRAWS {
        // The ends say most: each line is as wrong as it may be, one way or the other.
        let line = |name: &str| {
            let hash = name
                .bytes()
                .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
            if Random::new(hash, draw as u64).chance(0.5) { factor } else { 1.0 / factor }
        };
        let (at, objectives): (Vec<usize>, Vec<Vec<f64>>) = candidates
            .iter()
            .filter_map(|&at| {
                let outcome = changed(&points[at].outcome, &line);
                let (score, _) = score(space, &points[at].settings, &outcome, true);
                Some((at, score.objectives.filter(|_| score.violation <= 0.0)?))
            })
            .unzip();
        front(&objectives).into_iter().for_each(|best| times[at[best]] += 1);
    }
    best.iter().map(|&at| times[at] as f64 / DRAWS as f64).collect()
}

/// What of points comes out elsewhere, as with other seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated {
    /// For each objective the mean over all seeds.
    pub means: Vec<f64>,
    /// For each objective the standard deviation over them.
    pub deviations: Vec<f64>,
    /// In what share of seeds none of the other points beats it.
    pub stays: f64,
}

/// Points that were run with several seeds: `runs` has for each seed the objectives of all points, `None` where a seed has no result.
pub fn repeated(runs: &[Vec<Option<Vec<f64>>>]) -> Vec<Option<Repeated>> {
    let points = runs.first().map_or(0, Vec::len);
    let mut stayed = vec![0usize; points];
    for run in runs {
        let (at, objectives): (Vec<usize>, Vec<Vec<f64>>) =
            run.iter().enumerate().filter_map(|(at, found)| Some((at, found.clone()?))).unzip();
        front(&objectives).into_iter().for_each(|best| stayed[at[best]] += 1);
    }
    let of = |at: usize| {
        let found: Vec<&Vec<f64>> = runs.iter().filter_map(|run| run[at].as_ref()).collect();
        let count = found.len() as f64;
        let objectives = found.first()?.len();
        let mean = |objective: usize| found.iter().map(|numbers| numbers[objective]).sum::<f64>() / count;
        let means: Vec<f64> = (0..objectives).map(mean).collect();
        let deviation = |objective: usize| {
            let squares = found.iter().map(|numbers| (numbers[objective] - means[objective]).powi(2)).sum::<f64>();
            if found.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 }
        };
        let deviations = (0..objectives).map(deviation).collect();
        Some(Repeated { deviations, means, stays: stayed[at] as f64 / runs.len() as f64 })
    };
    (0..points).map(of).collect()
}
