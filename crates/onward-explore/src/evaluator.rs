//! What evaluates designs, and what spreads that over workers.

use crate::{Settings, Vocabulary};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::mpsc;

/// What of a design determines what comes of it, as hashes: designs with equal hashes have equal results.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Of all that determines its answers: network, data, seed, how it learns. One run of values is enough for equal ones.
    pub answers: String,
    /// Of all that determines its result.
    pub design: String,
}

/// What came of a design.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ran: its measures by name, all finite, and words that are known of it.
    Measured {
        /// Numbers.
        measures: BTreeMap<String, f64>,
        /// Words, such as what limits its clock.
        labels: BTreeMap<String, String>,
    },
    /// It could not be had: it does not compile, or not fit, or its clock is not possible. A sentence.
    Refused(String),
}

/// Why nothing came of evaluating.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unevaluated {
    /// It was asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Something went wrong that is no property of the design.
    #[error("{0}")]
    Broken(String),
}

/// Says what comes of designs.
pub trait Evaluator: Sync {
    /// What can be set, and what comes out.
    fn vocabulary(&self) -> Vocabulary;

    /// What of a design determines what comes of it.
    fn identity(&self, settings: &Settings) -> Identity;

    /// Evaluates designs that have the same answers, and tells `finished` which of them came to what as soon as that is known.
    ///
    /// # Errors
    /// It was interrupted, or something is wrong that is no property of a design. What was told before holds.
    fn evaluate(&self, designs: &[Settings], finished: &(dyn Fn(usize, Outcome) + Sync)) -> Result<(), Unevaluated>;
}

/// Designs that have the same answers.
#[derive(Clone, Debug)]
pub struct Group {
    /// Each with what the study knows it by.
    pub designs: Vec<(usize, Settings)>,
}

/// Has groups of designs evaluated: here, or somewhere else. In which order results come changes nothing of a study.
pub trait Executor {
    /// Evaluates all groups, and tells `finished` of each design as soon as its result is known, by what the study knows it by.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`], or what `finished` refuses.
    fn execute(
        &self,
        groups: Vec<Group>,
        finished: &mut dyn FnMut(usize, Outcome) -> Result<(), Unevaluated>,
    ) -> Result<(), Unevaluated>;
}

/// Evaluates on threads of this computer.
pub struct Local<'a> {
    evaluator: &'a dyn Evaluator,
    pool: rayon::ThreadPool,
}

impl<'a> Local<'a> {
    /// So many threads.
    ///
    /// # Errors
    /// The system gives none.
    pub fn new(evaluator: &'a dyn Evaluator, workers: usize) -> Result<Local<'a>, Unevaluated> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build();
        Ok(Local { evaluator, pool: pool.map_err(|error| Unevaluated::Broken(error.to_string()))? })
    }
}

impl Executor for Local<'_> {
    fn execute(
        &self,
        groups: Vec<Group>,
        finished: &mut dyn FnMut(usize, Outcome) -> Result<(), Unevaluated>,
    ) -> Result<(), Unevaluated> {
        let (sender, receiver) = mpsc::channel();
        let evaluate = |group: &Group, sender: mpsc::Sender<(usize, Outcome)>| {
            let settings: Vec<Settings> = group.designs.iter().map(|(_, settings)| settings.clone()).collect();
            let sender = std::sync::Mutex::new(sender);
            self.evaluator.evaluate(&settings, &|at, outcome| {
                let sender = sender.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                // Nobody listens once a result could not be kept.
                let _ = sender.send((group.designs[at].0, outcome));
            })
        };
        std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                self.pool.install(|| {
                    groups
                        .par_iter()
                        .map_with(sender, |sender, group| evaluate(group, sender.clone()))
                        .collect::<Result<Vec<()>, _>>()
                })
            });
            let kept = receiver.iter().try_for_each(|(id, outcome)| finished(id, outcome));
            let ran = run.join().map_err(|_| Unevaluated::Broken("an evaluation broke off".to_owned()))?;
            kept.and(ran.map(drop))
        })
    }
}
