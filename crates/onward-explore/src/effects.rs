//! Which parameter matters: how much of what differs between designs goes with each, and with pairs of them.
//!
//! A result is taken to be a sum: a mean, a part of each parameter's value, and what is left. Designs of a search are not
//! spread evenly, so the parts are found together (backfitting: Hastie, Tibshirani, "Generalized additive models", Statistical
//! Science 1(3), 1986), and drawn toward nothing where few designs tell of them. A share is the variance of a part over that of the
//! results, less what chance alone would give it. How sure that is, is found by drawing designs anew (Efron, "Bootstrap methods", Annals of
//! Statistics 7(1), 1979).

use crate::random::Random;
use crate::space::{Design, Space};

/// Draws of the bootstrap.
const DRAWS: usize = 60;
/// Rounds of backfitting.
const ROUNDS: usize = 12;
/// Designs that a part is drawn toward nothing by.
const SHRINKAGE: f64 = 1.0;

/// A share of the variance of an objective, percent, with where nine of ten draws lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// What the designs say.
    pub percent: f64,
    /// One draw of twenty is below.
    pub lowest: f64,
    /// One draw of twenty is above.
    pub highest: f64,
}

/// What parameters have to do with an objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// The objective's number in the space.
    pub objective: usize,
    /// Whether it was looked at by its logarithm: effects are factors then.
    pub is_logarithmic: bool,
    /// For each parameter its share.
    pub main: Vec<Share>,
    /// For each parameter what each of its values adds to the mean; of logarithms, a factor.
    pub parts: Vec<Vec<f64>>,
    /// Pairs of parameters with what they have to do with it together, beyond what each has alone; the largest first.
    pub pairs: Vec<(usize, usize, Share)>,
}

/// The effects on each objective, of designs and their objectives (less is better); none of fewer than eight.
pub fn effects(space: &Space, designs: &[Design], objectives: &[Vec<f64>]) -> Vec<Effects> {
    if designs.len() < 8 {
        return Vec::new();
    }
    (0..space.objectives.len()).map(|objective| of(space, designs, objectives, objective)).collect()
}

fn of(space: &Space, designs: &[Design], objectives: &[Vec<f64>], objective: usize) -> Effects {
    let sign = if space.objectives[objective].is_maximized { -1.0 } else { 1.0 };
    let raw: Vec<f64> = objectives.iter().map(|point| sign * point[objective]).collect();
    let lowest = raw.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_logarithmic = lowest > 0.0 && highest > 2.0 * lowest;
    let numbers: Vec<f64> = raw.iter().map(|number| if is_logarithmic { number.ln() } else { *number }).collect();
    // The last choice stands for a parameter that is not there.
    let levels: Vec<usize> = space.parameters.iter().map(|parameter| parameter.values.len() + 1).collect();
    let choice = |design: &Design, at: usize| design.0[at].unwrap_or(levels[at] - 1);
    let rows: Vec<Vec<usize>> =
        designs.iter().map(|design| (0..levels.len()).map(|at| choice(design, at)).collect()).collect();
    let all: Vec<usize> = (0..rows.len()).collect();
    let whole = Fit::of(&rows, &numbers, &levels, &all);
    let mut random = Random::new(objective as u64, 9);
    let draws: Vec<Fit> = (0..DRAWS)
        .map(|_| {
            let drawn: Vec<usize> = all.iter().map(|_| random.below(rows.len())).collect();
            Fit::of(&rows, &numbers, &levels, &drawn)
        })
        .collect();
    let share = |find: &dyn Fn(&Fit) -> f64| {
        let mut found: Vec<f64> = draws.iter().map(find).collect();
        found.sort_by(f64::total_cmp);
        Share { percent: find(&whole), lowest: found[DRAWS / 20], highest: found[DRAWS - 1 - DRAWS / 20] }
    };
    let main = (0..levels.len()).map(|at| share(&|fit| fit.main[at])).collect();
    let mut pairs: Vec<(usize, usize, Share)> =
        whole.pairs.iter().enumerate().map(|(at, &(a, b, _))| (a, b, share(&|fit| fit.pairs[at].2))).collect();
    pairs.sort_by(|(.., a), (.., b)| b.percent.total_cmp(&a.percent));
    let parts = whole.parts.iter().zip(&space.parameters).map(|(parts, parameter)| {
        let given = parts[..parameter.values.len()].iter();
        given.map(|part| if is_logarithmic { part.exp() } else { *part }).collect()
    });
    Effects { objective, is_logarithmic, main, parts: parts.collect(), pairs }
}

/// A sum that was fitted to some of the rows.
struct Fit {
    parts: Vec<Vec<f64>>,
    main: Vec<f64>,
    pairs: Vec<(usize, usize, f64)>,
}

impl Fit {
    fn of(rows: &[Vec<usize>], numbers: &[f64], levels: &[usize], chosen: &[usize]) -> Fit {
        let count = chosen.len() as f64;
        let mean = chosen.iter().map(|&at| numbers[at]).sum::<f64>() / count;
        let mut rest: Vec<f64> = chosen.iter().map(|&at| numbers[at] - mean).collect();
        let variance = rest.iter().map(|number| number * number).sum::<f64>() / count;
        let mut parts: Vec<Vec<f64>> = levels.iter().map(|&levels| vec![0.0; levels]).collect();
        for _ in 0..ROUNDS {
            for (parameter, part) in parts.iter_mut().enumerate() {
                let (mut sums, mut counts) = (vec![0.0; part.len()], vec![0.0; part.len()]);
                for (&at, rest) in chosen.iter().zip(&rest) {
                    let level = rows[at][parameter];
                    sums[level] += rest + part[level];
                    counts[level] += 1.0;
                }
                let new: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / (count + SHRINKAGE)).collect();
                for (&at, rest) in chosen.iter().zip(&mut rest) {
                    let level = rows[at][parameter];
                    *rest += part[level] - new[level];
                }
                *part = new;
            }
        }
        let left = rest.iter().map(|number| number * number).sum::<f64>() / count;
        // What `cells` means of nothing but chance would vary by.
        let by_chance = |cells: usize| left * (cells.saturating_sub(1)) as f64 / count;
        let share = |spread: f64, cells: usize| {
            if variance > 0.0 { (100.0 * (spread - by_chance(cells)) / variance).clamp(0.0, 100.0) } else { 0.0 }
        };
        let main = (0..levels.len()).map(|parameter| {
            let values: Vec<f64> = chosen.iter().map(|&at| parts[parameter][rows[at][parameter]]).collect();
            let mean = values.iter().sum::<f64>() / count;
            let spread = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            share(spread, levels[parameter] - 1)
        });
        let main: Vec<f64> = main.collect();
        let mut pairs = Vec::new();
        for a in 0..levels.len() {
            for b in a + 1..levels.len() {
                let mut cells = vec![(0.0, 0.0); levels[a] * levels[b]];
                for (&at, rest) in chosen.iter().zip(&rest) {
                    let cell = &mut cells[rows[at][a] * levels[b] + rows[at][b]];
                    *cell = (cell.0 + rest, cell.1 + 1.0);
                }
                let spread =
                    cells.iter().map(|(sum, times): &(f64, f64)| sum * sum / (times + SHRINKAGE)).sum::<f64>() / count;
                let used = cells.iter().filter(|(_, times)| *times > 0.0).count();
                pairs.push((a, b, share(spread, used)));
            }
        }
        Fit { parts, main, pairs }
    }
}
