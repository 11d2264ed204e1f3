//! Gaussian processes (Rasmussen, Williams, "Gaussian Processes for Machine Learning", MIT Press 2006, chapters 2 and 5): what a number is
//! likely to be for a design that nobody looked at, and how sure that is.

/// Lengths that are tried for each dimension.
const LENGTHS: [f64; 5] = [0.15, 0.4, 1.0, 2.5, 8.0];
/// Noises that are tried, as parts of the variance.
const NOISES: [f64; 3] = [1e-4, 1e-2, 1e-1];
/// How often all dimensions are gone through.
const ROUNDS: usize = 2;

/// A process that has seen points.
#[derive(Clone, Debug)]
pub struct Process {
    points: Vec<Vec<f64>>,
    lengths: Vec<f64>,
    noise: f64,
    mean: f64,
    deviation: f64,
    /// Lower triangle of the covariance's root, row by row.
    root: Vec<Vec<f64>>,
    weights: Vec<f64>,
}

/// Matern's covariance of smoothness 5/2.
fn covariance(a: &[f64], b: &[f64], lengths: &[f64]) -> f64 {
    let square: f64 = a.iter().zip(b).zip(lengths).map(|((a, b), length)| ((a - b) / length).powi(2)).sum();
    let distance = (5.0 * square).sqrt();
    (1.0 + distance + 5.0 / 3.0 * square) * (-distance).exp()
}

impl Process {
    /// A process that has seen numbers at points, all of as many dimensions; its lengths are the likeliest of some. `None` of no points.
    pub fn of(points: &[Vec<f64>], numbers: &[f64]) -> Option<Process> {
        let count = numbers.len() as f64;
        let dimensions = points.first()?.len();
        let mean = numbers.iter().sum::<f64>() / count;
        let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / count;
        let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        let scaled: Vec<f64> = numbers.iter().map(|number| (number - mean) / deviation).collect();
        let (mut lengths, mut noise) = (vec![1.0; dimensions], NOISES[1]);
        let mut best = likelihood(points, &scaled, &lengths, noise);
        for _ in 0..ROUNDS {
            for dimension in 0..=dimensions {
                let choices: &[f64] = if dimension == dimensions { &NOISES } else { &LENGTHS };
                for &choice in choices {
                    let (mut tried, mut tried_noise) = (lengths.clone(), noise);
                    match tried.get_mut(dimension) {
                        Some(length) => *length = choice,
                        None => tried_noise = choice,
                    }
                    let found = likelihood(points, &scaled, &tried, tried_noise);
                    if found > best {
                        (best, lengths, noise) = (found, tried, tried_noise);
                    }
                }
            }
        }
        let root = root(points, &lengths, noise);
        let weights = solve_upper(&root, &solve_lower(&root, &scaled));
        Some(Process { points: points.to_vec(), lengths, noise, mean, deviation, root, weights })
    }

    /// Mean and standard deviation at a point.
    pub fn at(&self, point: &[f64]) -> (f64, f64) {
        let near: Vec<f64> = self.points.iter().map(|seen| covariance(seen, point, &self.lengths)).collect();
        let mean: f64 = near.iter().zip(&self.weights).map(|(a, b)| a * b).sum();
        let known = solve_lower(&self.root, &near);
        let variance = 1.0 - known.iter().map(|number| number * number).sum::<f64>();
        (self.mean + self.deviation * mean, self.deviation * variance.max(self.noise * 1e-3).sqrt())
    }
}

fn root(points: &[Vec<f64>], lengths: &[f64], noise: f64) -> Vec<Vec<f64>> {
    let mut root: Vec<Vec<f64>> = Vec::with_capacity(points.len());
    for (at, point) in points.iter().enumerate() {
        let mut row = Vec::with_capacity(at + 1);
        for (other, before) in points[..at].iter().zip(&root) {
            let sum: f64 = row.iter().zip(before).map(|(a, b): (&f64, &f64)| a * b).sum();
            let diagonal = before[row.len()];
            row.push((covariance(point, other, lengths) - sum) / diagonal);
        }
        let rest = 1.0 + noise + 1e-8 - row.iter().map(|number| number * number).sum::<f64>();
        row.push(rest.max(1e-10).sqrt());
        root.push(row);
    }
    root
}

fn solve_lower(root: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut found: Vec<f64> = Vec::with_capacity(right.len());
    for (row, number) in root.iter().zip(right) {
        let sum: f64 = row.iter().zip(&found).map(|(a, b)| a * b).sum();
        found.push((number - sum) / row[found.len()]);
    }
    found
}

fn solve_upper(root: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut found = right.to_vec();
    for at in (0..root.len()).rev() {
        found[at] /= root[at][at];
        for before in 0..at {
            found[before] -= root[at][before] * found[at];
        }
    }
    found
}

/// The logarithm of how likely numbers are, but for a constant.
fn likelihood(points: &[Vec<f64>], numbers: &[f64], lengths: &[f64], noise: f64) -> f64 {
    let root = root(points, lengths, noise);
    let solved = solve_lower(&root, numbers);
    let fit: f64 = solved.iter().map(|number| number * number).sum();
    let volume: f64 = root.iter().filter_map(|row| row.last()).map(|number| number.ln()).sum();
    -0.5 * fit - volume
}
