//! Training: epochs of learning, each followed by a test.

use crate::checkpoint::Checkpoints;
use crate::comparisons::comparisons;
use crate::data::{Dataset, SampleOrder, Samples, VALUE_ONE};
use crate::error::SessionError;
use crate::session::Session;
use onward_emulate::{Engine, RunPhase};
use onward_image::{Image, Learned};
use onward_isa::Space;
use onward_profile::{Answers, EpochReport, Phase, TestedOn, TrainReport};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// What a run is doing, told after each chunk of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Learning (else testing).
    pub learning: bool,
    /// Epoch, from 0.
    pub epoch: u32,
    /// Samples done in this phase.
    pub done: usize,
    /// Samples of this phase.
    pub total: usize,
}

/// Which epochs of a run are learned now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epochs {
    /// The first, from 0: it goes on from an image that has learned those before.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// How many the run has in all: what the learning rate falls by.
    pub of: u32,
}

impl From<u32> for Epochs {
    /// A whole run.
    fn from(epochs: u32) -> Epochs {
        Epochs { first: 0, count: epochs, of: epochs }
    }
}

/// What a run has come to so far.
pub(crate) struct Tally {
    /// Its counters are those of the end, and not there yet.
    report: TrainReport,
    /// Samples of the epoch that was learned last, and the host time that took.
    learned: (usize, Duration),
}

impl Tally {
    /// Nothing yet.
    pub fn new(session: &Session) -> Tally {
        let counters = session.machine().counters();
        let none = counters.since(&counters);
        let report = TrainReport {
            epochs: Vec::new(),
            last_test: None,
            interrupted: false,
            counters,
            learning_counters: none,
            learning: Phase::default(),
            testing: Phase::default(),
        };
        Tally { report, learned: Default::default() }
    }

    /// Learns for an epoch, of which so many samples were learned from before; `learn` says from how many more.
    pub fn learn(
        &mut self,
        session: &mut Session,
        before_it: usize,
        learn: impl FnOnce(&mut Session) -> Result<usize, SessionError>,
    ) -> Result<usize, SessionError> {
        session.machine_mut().begin_phase(RunPhase::Learning);
        let (before, start) = (session.machine().counters(), Instant::now());
        let samples = counted(session, &mut self.report.learning, learn, |&samples| samples)?;
        self.learned = (before_it + samples, start.elapsed());
        let counters = &mut self.report.learning_counters;
        *counters = counters.plus(&session.machine().counters().since(&before));
        session.machine_mut().begin_phase(RunPhase::Other);
        Ok(before_it + samples)
    }

    /// Takes note that the run was broken off, if it was.
    pub fn interrupted(&mut self, interrupted: bool) {
        self.report.interrupted |= interrupted;
    }

    /// Shows samples to test with, which ends an epoch; nothing is learned.
    pub fn test(
        &mut self,
        session: &mut Session,
        image: &Image,
        (samples, tested_on): (&Samples, TestedOn),
        epoch: u32,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<&EpochReport, SessionError> {
        session.machine_mut().begin_phase(RunPhase::Testing);
        let start = Instant::now();
        let answer = |session: &mut Session| answers(session, image, samples, progress);
        let answers = counted(session, &mut self.report.testing, answer, Answers::tested)?;
        session.machine_mut().begin_phase(RunPhase::Other);
        self.interrupted(answers.tested() < samples.len());
        let (samples, learn_time) = std::mem::take(&mut self.learned);
        let test_time = start.elapsed();
        let weights_hash = weights_hash(session.machine(), image);
        let report = EpochReport { epoch, samples, tested_on, answers, learn_time, test_time, weights_hash };
        self.report.epochs.push(report);
        Ok(&self.report.epochs[self.report.epochs.len() - 1])
    }

    /// What came of the run.
    pub fn report(self, session: &Session) -> TrainReport {
        TrainReport { counters: session.machine().counters(), ..self.report }
    }
}

/// Runs a phase and adds what it took to `sum`; `samples` says how many samples of its result are.
fn counted<T>(
    session: &mut Session,
    sum: &mut Phase,
    run: impl FnOnce(&mut Session) -> Result<T, SessionError>,
    samples: impl FnOnce(&T) -> usize,
) -> Result<T, SessionError> {
    let cycles = |session: &Session| session.machine().cycles().unwrap_or(0);
    let (steps_before, cycles_before) = (session.machine().step(), cycles(session));
    let result = run(session)?;
    sum.samples += samples(&result) as u64;
    sum.steps += session.machine().step() - steps_before;
    sum.cycles += cycles(session) - cycles_before;
    Ok(result)
}

/// What the network answers to samples, in whatever way it answers.
pub(crate) fn answers(
    session: &mut Session,
    image: &Image,
    samples: &Samples,
    progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Answers, SessionError> {
    if session.reads_spikes() {
        let (spikes, tested) = session.observe(samples, samples.len(), progress)?;
        return Ok(Answers::Spikes { tested, spikes });
    }
    if let Some(count) = session.answered_values() {
        let answered = session.infer_values(samples, samples.len(), progress)?;
        let (tested, nrmse) = (answered.len() / count.max(1), nrmse(&answered, samples));
        return Ok(Answers::Values { tested, nrmse, rmse: rmse(&answered, samples), given: answered });
    }
    let before = comparisons(session.machine(), image);
    let answered = session.infer(samples, samples.len(), progress)?;
    let right = answered.iter().enumerate().filter(|&(sample, &class)| samples.label(sample) == class).count();
    Ok(Answers::Classes {
        tested: answered.len(),
        right: samples.is_labelled().then_some(right),
        comparisons: comparisons(session.machine(), image).map(|after| after.since(before)),
        scores: session.take_scores(answered.len()),
        given: answered,
    })
}

/// What an epoch is tested with, and what that is: samples that were kept apart to choose by, if there are any.
fn tested_with(dataset: &Dataset) -> (&Samples, TestedOn) {
    match &dataset.validation {
        Some(validation) => (validation, TestedOn::Validation),
        None if dataset.is_tested_on_training() => (&dataset.test, TestedOn::Training),
        None => (&dataset.test, TestedOn::Test),
    }
}

/// The samples as an epoch shows them to be learned from: pictures are changed as the network says.
pub(crate) fn as_shown<'a>(samples: &'a Samples, image: &Image, seed: u64, epoch: u32) -> Cow<'a, Samples> {
    let network = &image.network;
    match network.input() {
        Some(input) if !network.augment.is_empty() => {
            Cow::Owned(samples.augmented(&network.augment, input.shape, seed, epoch))
        }
        _ => Cow::Borrowed(samples),
    }
}

/// Trains for some epochs, in an order drawn from `seed`, and tests after each; where samples are kept apart for that
/// ([`Dataset::validation`]), with these. `progress` may break off after any chunk of steps; what ran by then is reported in
/// full, and nothing is run for the report.
///
/// # Errors
/// See [`SessionError`].
pub fn train(
    session: &mut Session,
    image: &Image,
    dataset: &Dataset,
    epochs: impl Into<Epochs>,
    seed: u64,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
    mut after_epoch: impl FnMut(&EpochReport),
) -> Result<TrainReport, SessionError> {
    train_and(session, image, dataset, epochs.into(), seed, None, progress, |_, report| after_epoch(report))
}

/// The same, with checkpoints if there are to be any; who is told of an epoch may look at what it left on the chip.
#[expect(clippy::too_many_arguments, reason = "all that a run is made of, once")]
pub(crate) fn train_and(
    session: &mut Session,
    image: &Image,
    dataset: &Dataset,
    epochs: Epochs,
    seed: u64,
    checkpoints: Option<&Checkpoints>,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    mut after_epoch: impl FnMut(&mut Session, &EpochReport),
) -> Result<TrainReport, SessionError> {
    let order = SampleOrder::new(seed);
    let mut tally = Tally::new(session);
    let mut flow = ControlFlow::Continue(());
    let from = checkpoints.and_then(|checkpoints| checkpoints.from.as_ref());
    let (first, done) = from.map_or((epochs.first, 0), |from| (from.epoch, from.done as usize));
    for epoch in first..epochs.first + epochs.count {
        let order = order.epoch(dataset.train.sequences() as u32, epoch);
        // The windows of a sequence stay together.
        let windows = |&sequence: &u32| dataset.train.of_sequence(sequence as usize).map(|sample| sample as u32);
        let order: Vec<u32> = order.iter().flat_map(windows).collect();
        // Who broke off once is not asked again: the test ends before its first sample.
        let mut tell = |learning, done, total| {
            if flow.is_continue() {
                flow = progress(Progress { learning, epoch, done, total });
            }
            flow
        };
        let shown = as_shown(&dataset.train, image, seed, epoch);
        let done = if epoch == first { done.min(order.len()) } else { 0 };
        let samples = tally.learn(session, done, |session| {
            session.set_epoch(epoch, epochs.of);
            let Some(checkpoints) = checkpoints else {
                return session.learn(&shown, &order, |done| tell(true, done, order.len()));
            };
            // What a piece leaves rests, and what comes after it is the same as if it had not.
            let mut at = done;
            while at < order.len() {
                let end = checkpoints.end_of_piece(at, order.len(), |next| shown.continues(order[next] as usize));
                let piece = session.learn(&shown, &order[at..end], |more| tell(true, at + more, order.len()))?;
                at += piece;
                if at < end {
                    break;
                }
                let place = (epoch, at as u64);
                checkpoints.save(session.machine(), image, place, &[]).map_err(SessionError::Checkpoint)?;
            }
            Ok(at - done)
        })?;
        tally.interrupted(samples < order.len());
        let with = tested_with(dataset);
        let total = with.0.len();
        let report = tally.test(session, image, with, epoch, |done| tell(false, done, total))?;
        after_epoch(session, report);
        if tally.report.interrupted {
            break;
        }
    }
    Ok(tally.report(session))
}

/// Shows the test samples once; nothing is learned. The report has one epoch of testing alone. `progress` may break off.
///
/// # Errors
/// See [`SessionError`].
pub fn test(
    session: &mut Session,
    image: &Image,
    dataset: &Dataset,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<TrainReport, SessionError> {
    let (mut tally, total) = (Tally::new(session), dataset.test.len());
    let is_unknown = dataset.is_tested_on_training() && image.learned.epochs > 0;
    let with = (&dataset.test, if is_unknown { TestedOn::Unknown } else { TestedOn::Test });
    tally.test(session, image, with, 0, |done| progress(Progress { learning: false, epoch: 0, done, total }))?;
    Ok(tally.report(session))
}

/// Root mean square error of answers over the standard deviation of the values of the samples they are for; each value about
/// its own mean over the samples. `None` where these are all the same, so that there is no deviation to measure by.
pub fn nrmse(answers: &[f32], samples: &Samples) -> Option<f64> {
    let (error, deviation) = squares(answers, samples);
    (deviation > 0.0).then(|| (error / deviation).sqrt())
}

/// Root mean square error of answers, values being from 0 to 1; 0 of none.
pub fn rmse(answers: &[f32], samples: &Samples) -> f64 {
    (squares(answers, samples).0 / answers.len().max(1) as f64).sqrt()
}

/// The sums of squares of errors, and of what values differ from their means.
fn squares(answers: &[f32], samples: &Samples) -> (f64, f64) {
    let count = samples.values_per_sample().max(1);
    let shown = answers.len() / count;
    let wanted = |sample: usize, value: usize| f64::from(samples.values(sample)[value]) / f64::from(VALUE_ONE);
    let (mut error, mut deviation) = (0.0, 0.0);
    for value in 0..count {
        // In integers: of equal values nothing is left, not even a rounding error.
        let sum: u64 = (0..shown).map(|sample| u64::from(samples.values(sample)[value])).sum();
        let mean = sum as f64 / shown.max(1) as f64 / f64::from(VALUE_ONE);
        for sample in 0..shown {
            error += (f64::from(answers[sample * count + value]) - wanted(sample, value)).powi(2);
            deviation += (wanted(sample, value) - mean).powi(2);
        }
    }
    (error, deviation)
}

/// The image with what the machine's memories hold now in place of what they held at first, which have learned so many
/// epochs in full. A machine that is at rest goes on from it, with the same seed, as if it had never stopped.
pub fn learned(machine: &dyn Engine, image: &Image, epochs: u32) -> Image {
    let mut learned = image.clone();
    learned.learned = Learned { epochs, draws: machine.draws() };
    for (number, block) in learned.blocks.iter_mut_enumerated() {
        for space in [Space::Neuron, Space::Axon, Space::Synapse] {
            let bytes = machine.memory(number, space);
            let bytes = &bytes[..bytes.len().min(block.memory_bytes[space as usize] as usize)];
            // What is not said is 0.
            let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            block.contents[space as usize] = bytes[..end].to_vec();
        }
    }
    learned
}

/// BLAKE3 of all weights and biases, layer by layer, block by block, array by array: the same wherever blocks lie.
pub fn weights_hash(machine: &dyn Engine, image: &Image) -> String {
    let mut hash = blake3::Hasher::new();
    for (number, _) in image.network.numbered().filter(|(_, population)| population.has_weights()) {
        for (block, _) in image.blocks_of(number) {
            for name in ["weights", "target_weights", "own_weights", "pairs", "bias"] {
                for value in machine.peek(block, name).into_iter().flatten() {
                    hash.update(&value.to_le_bytes());
                }
            }
        }
    }
    hash.finalize().to_hex().to_string()
}
