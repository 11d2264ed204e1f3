//! A contextual bandit: the network chooses a class for each sample and is told the reward of that class alone.
//!
//! A reward makes the chosen class the target, as in training. Without a reward, what is known is that the class was
//! wrong: each of the other classes in turn becomes the target, and the chosen one the rival that is to lose against it. All
//! these lessons together weigh half as much as a reward, since only one of them can be true.

use crate::checkpoint::Checkpoints;
use crate::data::{Dataset, SampleOrder, SplitMix64};
use crate::error::SessionError;
use crate::session::{Lesson, Session};
use crate::train::{Progress, Tally, as_shown};
use onward_image::Image;
use onward_profile::{BanditReport, TestedOn};
use std::ops::ControlFlow;

/// Parts of a run in which the learning rate stays the same.
const RATE_PARTS: usize = 64;
/// Classes that a tag can name as a rival.
const MOST_CLASSES: u32 = 256;
/// Told apart from the order's draws.
const STREAM: u64 = 0x0062_616e_6469_7400;

/// How a bandit is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bandit {
    /// Trials.
    pub trials: usize,
    /// The share of trials, at first, in which any class is chosen instead of the network's; it falls evenly to none.
    pub explore: f64,
    /// Trials by which it has fallen to none.
    pub explore_trials: usize,
    /// How many of the other classes are shown after a wrong choice, at least 1; all, if there are not so many.
    pub others: u32,
}

/// The classes a network tells apart, as many as a tag's rival can name.
fn classes(image: &Image) -> Result<u32, SessionError> {
    match image.network.classes().ok_or(SessionError::Input("targets"))? {
        found @ ..=MOST_CLASSES => Ok(found),
        found => Err(SessionError::Classes { found, most: MOST_CLASSES }),
    }
}

/// How much smaller the rate is for each of so many classes that are shown after a wrong choice.
fn punishment_shift(others: u32) -> i32 {
    1 + others.ilog2() as i32
}

/// Plays, then tests. `progress` may break off; what ran by then is reported in full.
///
/// # Errors
/// See [`SessionError`].
pub fn bandit(
    session: &mut Session,
    image: &Image,
    dataset: &Dataset,
    bandit: &Bandit,
    seed: u64,
    checkpoints: Option<&Checkpoints>,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<BanditReport, SessionError> {
    let (order, mut samples) = (SampleOrder::new(seed), as_shown(&dataset.train, image, seed, 0));
    let (mut draws, other_order) = (SplitMix64::new(seed ^ STREAM), SampleOrder::new(seed ^ STREAM));
    let classes = classes(image)?;
    let others = bandit.others.clamp(1, classes - 1);
    let mut tally = Tally::new(session);
    let mut interrupted = false;
    let from = checkpoints.and_then(|checkpoints| checkpoints.from.as_ref());
    let mut rewards = from.map_or_else(Vec::new, |from| from.rewards.clone());
    rewards.truncate(bandit.trials);
    let done = rewards.len();
    // What was drawn for trials that are over is drawn again, so that the others get theirs.
    for _ in 0..done {
        let _ = (draws.below(1 << 24), draws.below(classes));
    }
    let mut shown: Vec<u32> = Vec::new();
    tally.learn(session, done, |session| {
        for trial in done..bandit.trials {
            if trial % samples.len() == 0 || trial == done {
                let pass = (trial / samples.len()) as u32;
                shown = order.epoch(samples.len() as u32, pass);
                samples = as_shown(&dataset.train, image, seed, pass);
            }
            let sample = shown[trial % samples.len()] as usize;
            let left = 1.0 - trial as f64 / bandit.explore_trials.max(1) as f64;
            // Drawn in any case, so that no draw depends on what came before.
            let (chance, any) = (draws.below(1 << 24), draws.below(classes));
            let explores = f64::from(chance) < bandit.explore * left * f64::from(1 << 24);
            let answer = session.ask(&samples, sample)?;
            let chosen = if explores { any as u16 } else { answer };
            let rewarded = chosen == samples.label(sample);
            session.set_rate_shift(if rewarded { 0 } else { punishment_shift(others) });
            session.set_epoch((trial * RATE_PARTS / bandit.trials) as u32, RATE_PARTS as u32);
            if rewarded {
                session.teach(&samples, sample, Lesson { class: chosen, rival: None })?;
            } else {
                for &other in other_order.epoch(classes - 1, trial as u32).iter().take(others as usize) {
                    let class = other as u16 + u16::from(other as u16 >= chosen);
                    session.teach(&samples, sample, Lesson { class, rival: Some(chosen as u8) })?;
                }
            }
            rewards.push(rewarded);
            let is_due =
                |with: &&Checkpoints| (trial as u64 + 1).is_multiple_of(with.every) || trial + 1 == bandit.trials;
            if let Some(checkpoints) = checkpoints.filter(is_due) {
                session.rest()?;
                let place = (0, trial as u64 + 1);
                checkpoints.save(session.machine(), image, place, &rewards).map_err(SessionError::Checkpoint)?;
            }
            if progress(Progress { learning: true, epoch: 0, done: trial + 1, total: bandit.trials }).is_break() {
                interrupted = true;
                break;
            }
        }
        if !interrupted {
            session.rest()?;
        }
        session.set_rate_shift(0);
        Ok(rewards.len() - done)
    })?;
    tally.interrupted(interrupted);
    let total = dataset.test.len();
    let tested_on = if dataset.is_tested_on_training() { TestedOn::Training } else { TestedOn::Test };
    let with = (&dataset.test, tested_on);
    tally.test(session, image, with, 0, |done| progress(Progress { learning: false, epoch: 0, done, total }))?;
    Ok(BanditReport { rewards, run: tally.report(session) })
}
