//! How good answers are, beyond the share of the right ones, and how honestly that was measured.

use crate::report::{Answers, TestedOn};
use serde::{Deserialize, Serialize};

/// How the answers of a run came to be, and what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Quality {
    /// What the last test was with; `null` without one.
    pub tested_on: Option<TestedOn>,
    /// How many samples there are for what; `null` for a system in assembly.
    pub samples: Option<SampleCounts>,
    /// `given` by the data, `drawn`, or `none`: nothing is kept apart to test with. `null` for a system in assembly.
    pub split: Option<&'static str>,
    /// The seed that drew the samples to test with, where they were drawn.
    pub split_seed: Option<u64>,
    /// Whether the weights that were tested have learned anything; `null` where nothing can learn.
    pub has_learned: Option<bool>,
    /// The epoch, from 1, whose weights were tested and are saved: the best by samples that were kept apart. `null` where none
    /// were, and the last epoch counts.
    pub best_epoch: Option<u32>,
    /// What came of the samples that chose it.
    pub validation: Option<Answers>,
    /// What came of the samples that were learned from; `null` unless it was asked for.
    pub training: Option<Answers>,
    /// For each class, how many of its test samples were answered with each class; `null` where classes are not answered, or
    /// labels not known.
    pub confusion: Option<Vec<Vec<u64>>>,
    /// The same for each class by itself; empty where it is not known.
    pub by_class: Vec<ClassQuality>,
}

/// How many samples there are for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleCounts {
    /// To learn from.
    pub training: usize,
    /// To choose among epochs by.
    pub validation: usize,
    /// To test with.
    pub test: usize,
}

/// What test samples of a class were answered with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassQuality {
    /// The class.
    pub class: usize,
    /// Its test samples.
    pub samples: u64,
    /// How many of them were answered with it.
    pub right: u64,
    /// The same as a share of its samples; `null` where it has none.
    pub accuracy_percent: Option<f64>,
    /// Test samples of all classes that were answered with it.
    pub answered: u64,
}

impl Quality {
    /// Takes note of what each test sample was answered with; `label` says the class of a sample.
    pub fn confuse(&mut self, answers: &Answers, classes: usize, label: impl Fn(usize) -> u16) {
        let Answers::Classes { right: Some(_), given, .. } = answers else { return };
        let highest = |given: &[u16]| given.iter().map(|&class| usize::from(class) + 1).max().unwrap_or(0);
        let labels: Vec<u16> = (0..given.len()).map(label).collect();
        let classes = classes.max(highest(given)).max(highest(&labels));
        let mut confusion = vec![vec![0; classes]; classes];
        for (&label, &answer) in labels.iter().zip(given) {
            confusion[usize::from(label)][usize::from(answer)] += 1;
        }
        let of_class = |class: usize| {
            let samples: u64 = confusion[class].iter().sum();
            let right = confusion[class][class];
            let accuracy_percent = (samples > 0).then(|| 100.0 * right as f64 / samples as f64);
            let answered = confusion.iter().map(|row| row[class]).sum();
            ClassQuality { class, samples, right, accuracy_percent, answered }
        };
        self.by_class = (0..classes).map(of_class).collect();
        self.confusion = Some(confusion);
    }
}
