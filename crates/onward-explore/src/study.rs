//! A study: a search asks, what it asks for is looked up or evaluated, kept, and told.
//!
//! Designs are asked for in batches. Of a batch what is not in the store yet is evaluated, in groups that share their answers; only once
//! all of it is there the search is told, in the order in which it asked. So a study that is run again, on other workers or after it
//! was killed, asks for the same designs, and finds those in the store that were finished.

use crate::evaluator::{Evaluator, Executor, Group, Identity, Outcome, Unevaluated};
use crate::front::{Scale, front};
use crate::search::{Limits, Score, search};
use crate::space::{Design, Halving, Space};
use crate::store::{Store, StoreError, Stored};
use crate::thinning::chosen;
use crate::{Settings, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A design of a study, and what came of it.
#[derive(Clone, Debug)]
pub struct Point {
    /// The design.
    pub design: Design,
    /// Its parameters as it ran: of what was thinned out the smaller number of epochs.
    pub settings: Settings,
    /// What it is known by.
    pub identity: Identity,
    /// What came of it.
    pub outcome: Outcome,
    /// What that is worth.
    pub score: Score,
    /// Why it is worth nothing, where it ran and an objective has no value.
    pub reason: Option<String>,
    /// The batch that it was proposed in, from 0.
    pub batch: usize,
}

/// What came of a study.
#[derive(Clone, Debug)]
pub struct Studied {
    /// All designs, as they were asked for.
    pub points: Vec<Point>,
    /// Which of them no other beats.
    pub front: Vec<usize>,
    /// How objectives are compared.
    pub scale: Scale,
    /// Designs that were asked for by the end of each batch, and the front's share of the hypervolume then.
    pub history: Vec<(usize, f64)>,
    /// Networks that learned, each as long as it did.
    pub learners: usize,
    /// Evaluations that took place now; others were in the store.
    pub evaluated: usize,
    /// Whether it was broken off.
    pub is_interrupted: bool,
}

/// Why a study ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// Results cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing can be evaluated.
    #[error("{0}")]
    Broken(String),
}

/// Follows a study.
pub trait Follow {
    /// A result is there, of so many that this batch evaluates.
    fn finished(&mut self, _result: &Stored) {}

    /// A batch is complete.
    fn batch(&mut self, _so_far: &Studied) {}

    /// Whether to go on.
    fn goes_on(&mut self) -> bool {
        true
    }
}

/// Nobody follows.
impl Follow for () {}

/// A study on its way.
pub struct Study<'a> {
    space: &'a Space,
    evaluator: &'a dyn Evaluator,
    executor: &'a dyn Executor,
    store: &'a mut Store,
    /// The rung that each learner has reached, from 0.
    rungs: BTreeMap<Design, usize>,
    answers: BTreeSet<String>,
    evaluated: usize,
}

impl<'a> Study<'a> {
    /// A study of a space. Results go to the store, and come from there.
    pub fn new(
        space: &'a Space,
        evaluator: &'a dyn Evaluator,
        executor: &'a dyn Executor,
        store: &'a mut Store,
    ) -> Study<'a> {
        Study { space, evaluator, executor, store, rungs: BTreeMap::new(), answers: BTreeSet::new(), evaluated: 0 }
    }

    /// Searches until as many designs were looked at as the space says, or there are no more.
    ///
    /// # Errors
    /// Results cannot be kept, or evaluation is broken. What was kept is there.
    pub fn run(&mut self, follow: &mut dyn Follow) -> Result<Studied, StudyError> {
        let space = self.space;
        let mut search = search(space);
        let mut limits = Limits::of(space.search.learners);
        let (mut points, mut history): (Vec<Point>, Vec<(usize, f64)>) = (Vec::new(), Vec::new());
        let mut ends = Vec::new();
        let mut is_interrupted = false;
        while points.len() < space.search.designs && !is_interrupted {
            let asked = search.ask(space.search.batch.min(space.search.designs - points.len()), &mut limits);
            if asked.is_empty() {
                break;
            }
            let batch = match self.batch(&asked, ends.len(), follow) {
                Ok(batch) => batch,
                Err(Stop::Interrupted) => {
                    is_interrupted = true;
                    break;
                }
                Err(Stop::Error(error)) => return Err(error),
            };
            let told: Vec<(Design, Score)> =
                batch.iter().map(|point| (point.design.clone(), point.score.clone())).collect();
            search.tell(&told);
            points.extend(batch);
            ends.push(points.len());
            if limits.more == 0 {
                self.prefer_full(&mut limits);
            }
            history = shares(&points, &ends);
            let so_far = self.studied(points.clone(), history.clone(), false);
            follow.batch(&so_far);
            is_interrupted = !follow.goes_on();
        }
        Ok(self.studied(points, history, is_interrupted))
    }

    /// Of the learners that may be had again those that were run in full, once some were.
    fn prefer_full(&self, limits: &mut Limits) {
        let last = self.space.halving.as_ref().map_or(0, |halving| halving.rungs.len() - 1);
        let full: Vec<Design> = limits
            .known
            .iter()
            .filter(|learner| self.rungs.get(learner).is_some_and(|&rung| rung >= last))
            .cloned()
            .collect();
        if !full.is_empty() {
            limits.known = full;
        }
    }

    fn studied(&self, points: Vec<Point>, history: Vec<(usize, f64)>, is_interrupted: bool) -> Studied {
        let (front, scale) = front_of(&points);
        Studied {
            points,
            front,
            scale,
            history,
            learners: self.answers.len(),
            evaluated: self.evaluated,
            is_interrupted,
        }
    }

    /// What comes of a batch: its learners that are new go up the rungs, as far as they are good enough.
    fn batch(&mut self, asked: &[Design], number: usize, follow: &mut dyn Follow) -> Result<Vec<Point>, Stop> {
        let space = self.space;
        let last = space.halving.as_ref().map_or(0, |halving| halving.rungs.len() - 1);
        let mut points: Vec<Option<Point>> = vec![None; asked.len()];
        // What was thinned out before stays so; all others begin where they are.
        let mut at: Vec<usize> =
            asked.iter().map(|design| self.rungs.get(&space.learner(design)).copied().unwrap_or(0)).collect();
        let new: Vec<bool> = asked.iter().map(|design| !self.rungs.contains_key(&space.learner(design))).collect();
        for rung in 0..=last {
            let now: Vec<usize> = (0..asked.len())
                .filter(|&which| at[which] == rung && (points[which].is_none() || new[which]))
                .collect();
            let designs: Vec<&Design> = now.iter().map(|&which| &asked[which]).collect();
            let found = self.evaluate(&designs, rung, number, follow)?;
            for (&which, point) in now.iter().zip(found) {
                points[which] = Some(point);
            }
            let competing: Vec<&Point> =
                now.iter().filter(|&&which| new[which]).filter_map(|&which| points[which].as_ref()).collect();
            let going_on = match (&space.halving, rung < last) {
                (Some(halving), true) => chosen(space, &competing, halving.keep),
                _ => Vec::new(),
            };
            for &which in &now {
                let learner = space.learner(&asked[which]);
                self.rungs.entry(learner.clone()).and_modify(|reached| *reached = (*reached).max(rung)).or_insert(rung);
                if new[which] && going_on.contains(&learner) {
                    at[which] = rung + 1;
                }
            }
        }
        Ok(points.into_iter().flatten().collect())
    }

    /// What comes of points where some of their parameters are others: for each the objectives, each less is better; `None` where there are
    /// none.
    ///
    /// # Errors
    /// As [`run`](Study::run); of what was broken off there is nothing.
    pub fn repeat(
        &mut self,
        points: &[&Point],
        changed: &Settings,
        follow: &mut dyn Follow,
    ) -> Result<Option<Vec<Option<Vec<f64>>>>, StudyError> {
        let wanted: Vec<(Settings, Identity)> = points
            .iter()
            .map(|point| {
                let mut settings = point.settings.clone();
                settings.extend(changed.clone());
                let identity = self.evaluator.identity(&settings);
                (settings, identity)
            })
            .collect();
        let found = self.look_up(&wanted).and_then(|mut found| self.fill(&wanted, &mut found, follow).map(|()| found));
        match found {
            Ok(found) => {
                let objectives = wanted
                    .iter()
                    .zip(found)
                    .map(|((settings, _), stored)| score(self.space, settings, &stored?.outcome, true).0.objectives);
                Ok(Some(objectives.collect()))
            }
            Err(Stop::Interrupted) => Ok(None),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    /// What comes of designs at a rung.
    fn evaluate(
        &mut self,
        designs: &[&Design],
        rung: usize,
        batch: usize,
        follow: &mut dyn Follow,
    ) -> Result<Vec<Point>, Stop> {
        let last = self.space.halving.as_ref().map_or(0, |halving| halving.rungs.len() - 1);
        let mut wanted = Vec::new();
        for design in designs {
            let settings = at_rung(self.space.settings(design), self.space.halving.as_ref(), rung);
            let identity = self.evaluator.identity(&settings);
            wanted.push((settings, identity));
        }
        let mut found = self.look_up(&wanted)?;
        self.fill(&wanted, &mut found, follow)?;
        let mut points = Vec::new();
        for ((design, (settings, identity)), stored) in designs.iter().zip(wanted).zip(found) {
            let Some(stored) = stored else {
                return Err(Stop::Error(StudyError::Broken("a design was not evaluated".to_owned())));
            };
            if matches!(stored.outcome, Outcome::Measured { .. }) {
                self.answers.insert(identity.answers.clone());
            }
            let (score, reason) = score(self.space, &settings, &stored.outcome, rung == last);
            points.push(Point {
                design: (*design).clone(),
                settings,
                identity,
                outcome: stored.outcome,
                score,
                reason,
                batch,
            });
        }
        Ok(points)
    }

    fn look_up(&self, wanted: &[(Settings, Identity)]) -> Result<Vec<Option<Stored>>, Stop> {
        wanted
            .iter()
            .map(|(_, identity)| self.store.find(&identity.design).map_err(|error| Stop::Error(error.into())))
            .collect()
    }

    /// Evaluates what is not there, in groups of equal answers, and keeps it.
    fn fill(
        &mut self,
        wanted: &[(Settings, Identity)],
        found: &mut [Option<Stored>],
        follow: &mut dyn Follow,
    ) -> Result<(), Stop> {
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        let mut once = BTreeSet::new();
        for (at, (settings, identity)) in wanted.iter().enumerate() {
            if found[at].is_none() && once.insert(&identity.design) {
                let group = groups.entry(&identity.answers).or_insert_with(|| Group { designs: Vec::new() });
                group.designs.push((at, settings.clone()));
            }
        }
        let store = &mut *self.store;
        let mut failed = None;
        let mut evaluated = 0;
        let ran = self.executor.execute(groups.into_values().collect(), &mut |at, outcome| {
            let (settings, identity) = &wanted[at];
            let stored = Stored { identity: identity.clone(), settings: settings.clone(), outcome };
            if let Err(error) = store.keep(&stored) {
                failed = Some(error);
                return Err(Unevaluated::Interrupted);
            }
            evaluated += 1;
            follow.finished(&stored);
            // As a study finds it that is resumed.
            found[at] = store.find(&stored.identity.design).unwrap_or(None).or(Some(stored));
            Ok(())
        });
        self.evaluated += evaluated;
        match (failed, ran) {
            (Some(error), _) => return Err(Stop::Error(error.into())),
            (None, Err(Unevaluated::Interrupted)) => return Err(Stop::Interrupted),
            (None, Err(Unevaluated::Broken(cause))) => return Err(Stop::Error(StudyError::Broken(cause))),
            (None, Ok(())) => {}
        }
        // Two designs may be the same.
        for at in 0..wanted.len() {
            if found[at].is_none() {
                let same = wanted.iter().position(|(_, identity)| identity.design == wanted[at].1.design);
                found[at] = same.and_then(|same| found[same].clone());
            }
        }
        Ok(())
    }
}

enum Stop {
    Interrupted,
    Error(StudyError),
}

/// The parameters with the rung's value of the halving's.
fn at_rung(mut settings: Settings, halving: Option<&Halving>, rung: usize) -> Settings {
    if let Some(halving) = halving
        && let Some(&value) = halving.rungs.get(rung)
    {
        settings.insert(halving.parameter.clone(), Value::Integer(value));
    }
    settings
}

/// What an outcome is worth in a space, and why it is worth nothing.
pub fn score(space: &Space, settings: &Settings, outcome: &Outcome, is_full: bool) -> (Score, Option<String>) {
    let nothing = |reason: String| (Score { objectives: None, violation: 0.0, is_full }, Some(reason));
    let Outcome::Measured { measures, .. } = outcome else {
        return (Score { objectives: None, violation: 0.0, is_full }, None);
    };
    let find =
        |name: &str| measures.get(name).map(|&number| Value::Real(number)).or_else(|| settings.get(name).cloned());
    let mut objectives = Vec::new();
    for objective in &space.objectives {
        match objective.expression.number(&find) {
            Ok(number) => objectives.push(if objective.is_maximized { -number } else { number }),
            Err(error) => return nothing(format!("objective `{}` {error}", objective.name)),
        }
    }
    let mut violation = 0.0;
    for constraint in &space.constraints {
        match constraint.expression.missed(&find) {
            Ok(missed) => violation += missed,
            Err(error) => return nothing(format!("constraint `{}` {error}", constraint.expression.text)),
        }
    }
    (Score { objectives: Some(objectives), violation, is_full }, None)
}

impl Point {
    /// Its objectives, each less is better, where it is a candidate: it ran in full, and keeps all constraints.
    pub fn candidate(&self) -> Option<&Vec<f64>> {
        let is_one = self.score.is_full && self.score.violation <= 0.0;
        self.score.objectives.as_ref().filter(|_| is_one)
    }

    /// The first letters of its key: what people call it.
    pub fn id(&self) -> &str {
        self.identity.design.get(..10).unwrap_or(&self.identity.design)
    }
}

/// The front of points, those of the same result once, and the scale of all candidates.
fn front_of(points: &[Point]) -> (Vec<usize>, Scale) {
    let (at, objectives): (Vec<usize>, Vec<Vec<f64>>) =
        points.iter().enumerate().filter_map(|(at, point)| Some((at, point.candidate()?.clone()))).unzip();
    let mut seen = BTreeSet::new();
    let best =
        front(&objectives).into_iter().map(|best| at[best]).filter(|&best| seen.insert(&points[best].identity.design));
    (best.collect(), Scale::of(&objectives))
}

/// The front's share of the hypervolume at the end of each batch, all on the scale of all.
fn shares(points: &[Point], ends: &[usize]) -> Vec<(usize, f64)> {
    let (_, scale) = front_of(points);
    let share = |&end: &usize| {
        let objectives: Vec<Vec<f64>> = points[..end].iter().filter_map(|point| point.candidate().cloned()).collect();
        let best: Vec<Vec<f64>> = front(&objectives).into_iter().map(|at| objectives[at].clone()).collect();
        (end, if best.is_empty() { 0.0 } else { scale.share(&best) })
    };
    ends.iter().map(share).collect()
}
