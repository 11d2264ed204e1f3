//! What a recorded run says of itself beside its time: answers, epochs, quality. With the counters of another chip it becomes
//! the results of a run there.

use crate::quality::{ClassQuality, Quality, SampleCounts};
use crate::report::{Answers, Comparisons, EpochReport, Phase, Spike, TestedOn, TrainReport};
use crate::results::{Conditions, Results, SilentNeurons};
use onward_chip::Costs;
use onward_emulate::{Options, PhaseTotals, Retimed};
use onward_image::Image;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is known of a run whatever the chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedRun {
    /// Name of the data set.
    data: Option<String>,
    seed: u64,
    interrupted: bool,
    epochs: Vec<Epoch>,
    last_test: Option<Epoch>,
    /// Samples learned from, and tested.
    samples: (u64, u64),
    counted: Option<SampleCounts>,
    /// Whether the data was split, as [`Quality::split`] says it.
    split: Option<String>,
    split_seed: Option<u64>,
    has_learned: Option<bool>,
    best_epoch: Option<u32>,
    validation: Option<Given>,
    training: Option<Given>,
    confusion: Option<Vec<Vec<u64>>>,
    by_class: Vec<ClassQuality>,
    silent_neurons: Vec<SilentNeurons>,
}

/// [`EpochReport`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Epoch {
    epoch: u32,
    samples: usize,
    tested_on: TestedOn,
    answers: Given,
    learn_time: Duration,
    test_time: Duration,
    weights_hash: String,
}

/// [`Answers`], whole but for their scores: for machines they have other keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Given {
    Classes { tested: usize, right: Option<usize>, comparisons: Option<Comparisons>, given: Vec<u16> },
    Values { tested: usize, nrmse: Option<f64>, rmse: f64, given: Vec<f32> },
    Spikes { tested: usize, spikes: Vec<Spike> },
}

impl From<&Answers> for Given {
    fn from(answers: &Answers) -> Given {
        match answers.clone() {
            // Scores are told in no report.
            Answers::Classes { tested, right, comparisons, given, scores: _ } => {
                Given::Classes { tested, right, comparisons, given }
            }
            Answers::Values { tested, nrmse, rmse, given } => Given::Values { tested, nrmse, rmse, given },
            Answers::Spikes { tested, spikes } => Given::Spikes { tested, spikes },
        }
    }
}

impl From<&Given> for Answers {
    fn from(given: &Given) -> Answers {
        match given.clone() {
            Given::Classes { tested, right, comparisons, given } => {
                Answers::Classes { tested, right, comparisons, given, scores: Vec::new() }
            }
            Given::Values { tested, nrmse, rmse, given } => Answers::Values { tested, nrmse, rmse, given },
            Given::Spikes { tested, spikes } => Answers::Spikes { tested, spikes },
        }
    }
}

impl From<&EpochReport> for Epoch {
    fn from(report: &EpochReport) -> Epoch {
        let EpochReport { epoch, samples, tested_on, answers, learn_time, test_time, weights_hash } = report;
        Epoch {
            epoch: *epoch,
            samples: *samples,
            tested_on: *tested_on,
            answers: answers.into(),
            learn_time: *learn_time,
            test_time: *test_time,
            weights_hash: weights_hash.clone(),
        }
    }
}

impl From<&Epoch> for EpochReport {
    fn from(report: &Epoch) -> EpochReport {
        let Epoch { epoch, samples, tested_on, answers, learn_time, test_time, weights_hash } = report;
        EpochReport {
            epoch: *epoch,
            samples: *samples,
            tested_on: *tested_on,
            answers: answers.into(),
            learn_time: *learn_time,
            test_time: *test_time,
            weights_hash: weights_hash.clone(),
        }
    }
}

/// What [`Quality::split`] can be.
const SPLITS: [&str; 3] = ["given", "drawn", "none"];

impl RecordedRun {
    /// What is known of a run: its report, and the results that came of it.
    pub fn new(report: &TrainReport, results: &Results) -> RecordedRun {
        let quality = &results.quality;
        RecordedRun {
            data: results.data.clone(),
            seed: results.seed,
            interrupted: report.interrupted,
            epochs: report.epochs.iter().map(Epoch::from).collect(),
            last_test: report.last_test.as_ref().map(Epoch::from),
            samples: (report.learning.samples, report.testing.samples),
            counted: quality.samples,
            split: quality.split.map(str::to_owned),
            split_seed: quality.split_seed,
            has_learned: quality.has_learned,
            best_epoch: quality.best_epoch,
            validation: quality.validation.as_ref().map(Given::from),
            training: quality.training.as_ref().map(Given::from),
            confusion: quality.confusion.clone(),
            by_class: quality.by_class.clone(),
            silent_neurons: results.silent_neurons.clone(),
        }
    }

    /// As the bytes that a record keeps.
    ///
    /// # Errors
    /// None that is known of.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// From the bytes that a record keeps.
    ///
    /// # Errors
    /// They are of something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<RecordedRun, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The results of the run on the chip of an image, with what it counts there and what that costs.
    ///
    /// # Panics
    /// If the counters are of another image.
    pub fn results(
        &self,
        image: &Image,
        retimed: &Retimed,
        costs: &Costs,
        threads: usize,
        host_time: Duration,
    ) -> Results {
        let phase = |samples: u64, PhaseTotals { steps, cycles }: PhaseTotals| Phase { samples, steps, cycles };
        let report = TrainReport {
            epochs: self.epochs.iter().map(EpochReport::from).collect(),
            last_test: self.last_test.as_ref().map(EpochReport::from),
            interrupted: self.interrupted,
            counters: retimed.counters.clone(),
            learning_counters: retimed.learning_counters.clone(),
            learning: phase(self.samples.0, retimed.learning),
            testing: phase(self.samples.1, retimed.testing),
        };
        let options = Options { seed: self.seed, timing: true, threads };
        let data = self.data.as_deref();
        let mut results =
            Results::new(&Conditions { command: "retime", image, data, options, costs, host_time }, &report);
        results.quality = Quality {
            tested_on: results.quality.tested_on,
            samples: self.counted,
            split: self.split.as_ref().and_then(|split| SPLITS.into_iter().find(|known| known == split)),
            split_seed: self.split_seed,
            has_learned: self.has_learned,
            best_epoch: self.best_epoch,
            validation: self.validation.as_ref().map(Answers::from),
            training: self.training.as_ref().map(Answers::from),
            confusion: self.confusion.clone(),
            by_class: self.by_class.clone(),
        };
        results.silent_neurons.clone_from(&self.silent_neurons);
        results
    }
}
