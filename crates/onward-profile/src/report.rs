//! What came of a run, as whoever ran it tells it: epochs, answers, counters.

use onward_emulate::Counters;
use serde::{Deserialize, Serialize, Serializer};
use std::time::Duration;

/// What came of a run that learned, or was tested alone.
#[derive(Clone, Debug)]
pub struct TrainReport {
    /// Epochs, the last one perhaps broken off.
    pub epochs: Vec<EpochReport>,
    /// Where the epochs were tested with samples kept apart for that: the one test, after the best of them.
    pub last_test: Option<EpochReport>,
    /// Whether the run was broken off.
    pub interrupted: bool,
    /// Counters of the whole run.
    pub counters: Counters,
    /// Counters of learning alone.
    pub learning_counters: Counters,
    /// Steps and cycles of learning alone.
    pub learning: Phase,
    /// Steps and cycles of testing alone.
    pub testing: Phase,
}

/// Sums over the phases of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phase {
    /// Samples shown.
    pub samples: u64,
    /// Steps run.
    pub steps: u64,
    /// Cycles, 0 without timing.
    pub cycles: u64,
}

impl Phase {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Phase) -> Phase {
        let Phase { samples, steps, cycles } = other;
        Phase { samples: self.samples + samples, steps: self.steps + steps, cycles: self.cycles + cycles }
    }
}

/// What came of an epoch: of learning, and of the test after it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EpochReport {
    /// Epoch, from 0; for machines and people from 1.
    #[serde(serialize_with = "from_one")]
    pub epoch: u32,
    /// Samples learned from.
    #[serde(rename = "learned")]
    pub samples: usize,
    /// What it was tested with.
    pub tested_on: TestedOn,
    /// What the test samples were answered with.
    #[serde(flatten)]
    pub answers: Answers,
    /// Host time of learning.
    #[serde(rename = "learning_host_s", serialize_with = "seconds")]
    pub learn_time: Duration,
    /// Host time of testing.
    #[serde(rename = "testing_host_s", serialize_with = "seconds")]
    pub test_time: Duration,
    /// Hash of all that was learned.
    pub weights_hash: String,
}

/// What a network was tested with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestedOn {
    /// Samples that it has not learned from.
    Test,
    /// Samples that it has not learned from, by which the best epoch is chosen.
    Validation,
    /// Samples that it has learned from: there are no others.
    Training,
    /// Samples of which it is not known whether it has learned from them.
    Unknown,
}

/// What test samples were answered with. For machines all kinds have the same keys; those of other kinds are `null`.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// A class each.
    Classes {
        /// Samples answered.
        tested: usize,
        /// How many of them right; `None` where labels are not known.
        right: Option<usize>,
        /// Comparisons that the answers took, where the readout counts them.
        comparisons: Option<Comparisons>,
        /// The answers, in the order of the samples.
        given: Vec<u16>,
        /// The scores of all classes that they came of, sample by sample; empty where the readout is sent none.
        scores: Vec<i32>,
    },
    /// Values.
    Values {
        /// Samples answered.
        tested: usize,
        /// Root mean square error over the standard deviation of what was to be answered; `None` where it was always the same.
        nrmse: Option<f64>,
        /// Root mean square error, values being from 0 to 1.
        rmse: f64,
        /// The answers, sample by sample.
        given: Vec<f32>,
    },
    /// Nothing: the spikes of a layer were read out.
    Spikes {
        /// Samples shown in full.
        tested: usize,
        /// The spikes, ascending.
        spikes: Vec<Spike>,
    },
}

/// A spike that reached the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Spike {
    /// The sample it was fired for.
    pub sample: u32,
    /// Step of the layer's window.
    pub step: u32,
    /// The layer's neuron.
    pub neuron: u32,
}

/// Comparisons of a readout: products of a sample's spikes with what a target evoked, or with an inner node of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparisons {
    /// Parts of products that were computed.
    pub products: u64,
    /// Parts that a whole product is made of.
    pub parts: u64,
    /// Answers.
    pub answers: u64,
    /// Classes: a comparison with each would be as many.
    pub classes: u64,
}

/// What came of a bandit.
#[derive(Clone, Debug)]
pub struct BanditReport {
    /// Of each trial, whether it was rewarded. The best there could be is a reward each.
    pub rewards: Vec<bool>,
    /// The rest, with a test at the end.
    pub run: TrainReport,
}

/// The keys of [`Answers`] for machines.
#[derive(Default, Serialize)]
struct AnswerKeys {
    /// Share of right answers; `null` where none could be right, or nothing was tested.
    accuracy_percent: Option<f64>,
    right: usize,
    tested: usize,
    /// `null` where answers are classes or spikes, or values that are always the same.
    nrmse: Option<f64>,
    /// `null` where answers are classes or spikes.
    rmse: Option<f64>,
    /// Spikes that were read out; `null` where answers are.
    read_spikes: Option<usize>,
    /// Comparisons an answer took, a part of one being a fraction; `null` where the readout counts none.
    comparisons_per_answer: Option<f64>,
    /// The same as a share of the comparisons with every class.
    comparisons_share: Option<f64>,
}

impl TrainReport {
    /// Epochs in which all samples were learned from, of so many.
    pub fn whole_epochs(&self, samples: usize) -> u32 {
        self.epochs.iter().filter(|epoch| epoch.samples == samples && samples > 0).count() as u32
    }

    /// The test that counts: the one at the end, or that of the last epoch that was tested; the last of all may have been broken
    /// off before it. `None` if nothing was tested.
    pub fn tested(&self) -> Option<&EpochReport> {
        let last = self.last_test.as_ref().filter(|test| test.tested() > 0);
        last.or_else(|| self.epochs.iter().rfind(|epoch| epoch.tested() > 0))
    }

    /// What the last test came to; `None` if nothing was tested.
    pub fn answers(&self) -> Option<&Answers> {
        self.tested().map(|epoch| &epoch.answers)
    }
}

impl EpochReport {
    /// Test samples answered.
    pub fn tested(&self) -> usize {
        self.answers.tested()
    }

    /// How many of them right; 0 where none could be.
    pub fn right(&self) -> usize {
        self.answers.right()
    }

    /// Share of right answers, percent; `None` where none could be right, or nothing was tested.
    pub fn accuracy_percent(&self) -> Option<f64> {
        self.answers.accuracy_percent()
    }
}

impl Answers {
    /// Samples answered, or shown where spikes are read out.
    pub fn tested(&self) -> usize {
        match self {
            Answers::Classes { tested, .. } | Answers::Values { tested, .. } | Answers::Spikes { tested, .. } => {
                *tested
            }
        }
    }

    /// Right answers; 0 where none could be.
    pub fn right(&self) -> usize {
        if let Answers::Classes { right, .. } = self { right.unwrap_or(0) } else { 0 }
    }

    /// Share of right answers, percent; `None` where none could be right, or nothing was tested.
    pub fn accuracy_percent(&self) -> Option<f64> {
        match self {
            Answers::Classes { tested: 1.., right: Some(right), .. } => {
                Some(100.0 * *right as f64 / self.tested() as f64)
            }
            _ => None,
        }
    }

    fn keys(&self) -> AnswerKeys {
        let keys = AnswerKeys {
            accuracy_percent: self.accuracy_percent(),
            right: self.right(),
            tested: self.tested(),
            ..AnswerKeys::default()
        };
        match self {
            Answers::Classes { comparisons: Some(comparisons), .. } => AnswerKeys {
                comparisons_per_answer: Some(comparisons.per_answer()),
                comparisons_share: Some(comparisons.share()),
                ..keys
            },
            Answers::Classes { comparisons: None, .. } => keys,
            Answers::Values { nrmse, rmse, .. } => AnswerKeys { nrmse: *nrmse, rmse: Some(*rmse), ..keys },
            Answers::Spikes { spikes, .. } => AnswerKeys { read_spikes: Some(spikes.len()), ..keys },
        }
    }
}

impl Serialize for Answers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.keys().serialize(serializer)
    }
}

/// The keys of answers that may not be there: then they are `null` and 0.
pub(crate) fn optional_answers<S: Serializer>(answers: &Option<Answers>, serializer: S) -> Result<S::Ok, S::Error> {
    answers.as_ref().map(Answers::keys).unwrap_or_default().serialize(serializer)
}

fn from_one<S: Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    (number + 1).serialize(serializer)
}

/// A time as a number of seconds.
pub(crate) fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    time.as_secs_f64().serialize(serializer)
}

impl Comparisons {
    /// What was counted since `before`.
    pub fn since(self, before: Option<Comparisons>) -> Comparisons {
        let before = before.unwrap_or_default();
        Comparisons { products: self.products - before.products, answers: self.answers - before.answers, ..self }
    }

    /// Comparisons an answer took, a part of one being a fraction.
    pub fn per_answer(&self) -> f64 {
        self.products as f64 / (self.parts * self.answers).max(1) as f64
    }

    /// The same as a share of the comparisons with every class.
    pub fn share(&self) -> f64 {
        self.per_answer() / self.classes.max(1) as f64
    }
}

impl BanditReport {
    /// Share of the best possible reward over all trials, percent.
    pub fn share_percent(&self) -> f64 {
        share(&self.rewards)
    }

    /// The same over the last so many trials.
    pub fn last_share_percent(&self, trials: usize) -> f64 {
        share(&self.rewards[self.rewards.len().saturating_sub(trials)..])
    }

    /// The same over every so many trials that follow each other.
    pub fn curve_percent(&self, trials: usize) -> Vec<f64> {
        self.rewards.chunks(trials.max(1)).map(share).collect()
    }
}

/// The share of rewarded trials, percent.
fn share(rewards: &[bool]) -> f64 {
    100.0 * rewards.iter().filter(|&&rewarded| rewarded).count() as f64 / rewards.len().max(1) as f64
}
