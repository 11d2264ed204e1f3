//! The same run with several seeds.

use crate::results::{Results, SCHEMA_VERSION};
use serde::Serialize;

/// What came of runs that differ in their seed alone.
#[derive(Clone, Debug, Serialize)]
pub struct SeedResults {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of the program.
    pub onward_version: &'static str,
    /// The command.
    pub command: &'static str,
    /// What the program was called with.
    pub arguments: Vec<String>,
    /// The seeds, in the order of the runs.
    pub seeds: Vec<u64>,
    /// Of the runs' accuracies, percent; `null` where classes are not answered.
    pub accuracy_percent: Option<Spread>,
    /// Of the runs' errors; `null` where values are not answered.
    pub nrmse: Option<Spread>,
    /// Each run by itself.
    pub runs: Vec<Results>,
}

/// Figures that were measured several times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Their mean.
    pub mean: f64,
    /// The standard deviation of a single one, estimated from them (with n - 1); `null` of a single one.
    pub deviation: Option<f64>,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Spread {
    /// Of these figures; `None` of none, or where one is missing.
    pub fn of(figures: impl IntoIterator<Item = Option<f64>>) -> Option<Spread> {
        let figures: Vec<f64> = figures.into_iter().collect::<Option<_>>()?;
        let count = figures.len() as f64;
        let mean = figures.iter().sum::<f64>() / count;
        let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
        let deviation = (figures.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        let least = figures.iter().copied().reduce(f64::min)?;
        let greatest = figures.iter().copied().reduce(f64::max)?;
        Some(Spread { mean, deviation, least, greatest })
    }
}

impl SeedResults {
    /// What came of these runs of a command.
    pub fn new(command: &'static str, arguments: Vec<String>, runs: Vec<Results>) -> SeedResults {
        SeedResults {
            schema_version: SCHEMA_VERSION,
            onward_version: env!("CARGO_PKG_VERSION"),
            command,
            arguments,
            seeds: runs.iter().map(|run| run.seed).collect(),
            accuracy_percent: Spread::of(runs.iter().map(Results::accuracy_percent)),
            nrmse: Spread::of(runs.iter().map(Results::nrmse)),
            runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_those_of_a_sample() {
        let spread = Spread::of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].map(Some)).expect("figures");
        assert!((spread.mean - 5.0).abs() < 1e-12);
        assert!((spread.deviation.expect("several") - (32f64 / 7.0).sqrt()).abs() < 1e-12);
        assert!((spread.least - 2.0).abs() < 1e-12 && (spread.greatest - 9.0).abs() < 1e-12);
        assert_eq!(Spread::of([Some(1.0)]).expect("one").deviation, None);
        assert_eq!((Spread::of([]), Spread::of([Some(1.0), None])), (None, None));
    }
}
