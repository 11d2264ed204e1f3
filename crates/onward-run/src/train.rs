//! Training: epochs of learning, each followed by a test.

use crate::comparisons::Comparisons;
use crate::data::{Dataset, SampleOrder, Samples, VALUE_ONE};
use crate::session::{Session, SessionError, Spike};
use onward_emulate::{Counters, Engine};
use onward_image::{Image, Learned, PopulationKind};
use onward_isa::Space;
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

/// What came of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Epoch, from 0.
    pub epoch: u32,
    /// Samples learned from.
    pub samples: usize,
    /// Test samples answered, and how many of them right.
    pub tested: usize,
    /// Right answers.
    pub right: usize,
    /// Host time of learning.
    pub learn_time: Duration,
    /// Host time of testing.
    pub test_time: Duration,
    /// Hash of all that was learned.
    pub weights_hash: String,
    /// Root mean square error of the test over the standard deviation of what was to be answered, where answers are values.
    pub nrmse: Option<f64>,
    /// Comparisons of the test, where the readout counts them.
    pub comparisons: Option<Comparisons>,
}

/// What came of a training run.
#[derive(Clone, Debug)]
pub struct TrainReport {
    /// Epochs, the last one perhaps broken off.
    pub epochs: Vec<EpochReport>,
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
    /// The spikes of the last test, where they are what is read out.
    pub spikes: Option<Vec<Spike>>,
    /// Whether answers could be right: there are answers, and labels.
    pub has_accuracy: bool,
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

impl TrainReport {
    /// Epochs in which all samples were learned from, of so many.
    pub fn whole_epochs(&self, samples: usize) -> u32 {
        self.epochs.iter().filter(|epoch| epoch.samples == samples && samples > 0).count() as u32
    }
}

impl EpochReport {
    /// Share of right answers, percent; none where nothing was tested.
    pub fn accuracy_percent(&self) -> Option<f64> {
        (self.tested > 0).then(|| 100.0 * self.right as f64 / self.tested as f64)
    }
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

/// Runs a phase and adds what it took to `sum`.
pub(crate) fn counted<T>(
    session: &mut Session,
    sum: &mut Phase,
    run: impl FnOnce(&mut Session) -> Result<(T, u64), SessionError>,
) -> Result<T, SessionError> {
    let cycles = |session: &Session| session.machine().cycles().unwrap_or(0);
    let (steps_before, cycles_before) = (session.machine().step(), cycles(session));
    let (result, samples) = run(session)?;
    sum.samples += samples;
    sum.steps += session.machine().step() - steps_before;
    sum.cycles += cycles(session) - cycles_before;
    Ok(result)
}

/// Trains for some epochs, in an order drawn from `seed`, and tests after each. `progress` may break off after any chunk
/// of steps; what ran by then is reported in full, and nothing is run for the report.
///
/// # Errors
/// See [`SessionError`].
pub fn train(
    session: &mut Session,
    image: &Image,
    dataset: &Dataset,
    epochs: impl Into<Epochs>,
    seed: u64,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    mut after_epoch: impl FnMut(&EpochReport),
) -> Result<TrainReport, SessionError> {
    let (order, epochs) = (SampleOrder::new(seed), epochs.into());
    let mut reports: Vec<EpochReport> = Vec::new();
    let (mut learning, mut testing) = (Phase::default(), Phase::default());
    let start_counters = session.machine().counters();
    let mut learning_counters = start_counters.since(&start_counters);
    let mut interrupted = false;
    for epoch in epochs.first..epochs.first + epochs.count {
        let before = session.machine().counters();
        session.set_epoch(epoch, epochs.of);
        let order = order.epoch(dataset.train.sequences() as u32, epoch);
        // The windows of a sequence stay together.
        let windows = |&at: &u32| dataset.train.of_sequence(at as usize).map(|sample| sample as u32);
        let order: Vec<u32> = order.iter().flat_map(windows).collect();
        let start = Instant::now();
        let samples = counted(session, &mut learning, |session| {
            let done = session.learn(&dataset.train, &order, |done| {
                progress(Progress { learning: true, epoch, done, total: order.len() })
            })?;
            Ok((done, done as u64))
        })?;
        let learn_time = start.elapsed();
        learning_counters = learning_counters.plus(&session.machine().counters().since(&before));
        interrupted |= samples < order.len();
        let tested = test_epoch(session, image, dataset, epoch, &mut testing, |done| {
            progress(Progress { learning: false, epoch, done, total: dataset.test.len() })
        })?;
        interrupted |= tested.tested < dataset.test.len();
        reports.push(EpochReport { samples, learn_time, ..tested });
        after_epoch(&reports[reports.len() - 1]);
        if interrupted {
            break;
        }
    }
    let counters = session.machine().counters();
    let has_accuracy = dataset.test.is_labelled() && session.answered_values().is_none();
    Ok(TrainReport {
        epochs: reports,
        interrupted,
        counters,
        learning_counters,
        learning,
        testing,
        spikes: None,
        has_accuracy,
    })
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
    let before = session.machine().counters();
    let (mut testing, total) = (Phase::default(), dataset.test.len());
    let mut tell = |done| progress(Progress { learning: false, epoch: 0, done, total });
    let mut spikes = None;
    let tested = if session.reads_spikes() {
        let start = Instant::now();
        let (read, tested) = counted(session, &mut testing, |session| {
            let (spikes, done) = session.observe(&dataset.test, total, &mut tell)?;
            Ok(((spikes, done), done as u64))
        })?;
        spikes = Some(read);
        EpochReport {
            epoch: 0,
            samples: 0,
            tested,
            right: 0,
            learn_time: Duration::ZERO,
            test_time: start.elapsed(),
            weights_hash: weights_hash(session.machine(), image),
            comparisons: None,
            nrmse: None,
        }
    } else {
        test_epoch(session, image, dataset, 0, &mut testing, tell)?
    };
    Ok(TrainReport {
        has_accuracy: spikes.is_none() && dataset.test.is_labelled() && session.answered_values().is_none(),
        spikes,
        interrupted: tested.tested < total,
        epochs: vec![tested],
        counters: session.machine().counters(),
        learning_counters: before.since(&before),
        learning: Phase::default(),
        testing,
    })
}

/// Shows the test samples and counts right answers.
pub(crate) fn test_epoch(
    session: &mut Session,
    image: &Image,
    dataset: &Dataset,
    epoch: u32,
    testing: &mut Phase,
    progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<EpochReport, SessionError> {
    let start = Instant::now();
    if let Some(count) = session.answered_values() {
        let answers = counted(session, testing, |session| {
            let answers = session.infer_values(&dataset.test, dataset.test.len(), progress)?;
            let shown = (answers.len() / count.max(1)) as u64;
            Ok((answers, shown))
        })?;
        return Ok(EpochReport {
            epoch,
            samples: 0,
            tested: answers.len() / count.max(1),
            right: 0,
            learn_time: Duration::ZERO,
            test_time: start.elapsed(),
            weights_hash: weights_hash(session.machine(), image),
            comparisons: None,
            nrmse: Some(nrmse(&answers, &dataset.test)),
        });
    }
    let compared = Comparisons::read(session.machine(), image);
    let answers = counted(session, testing, |session| {
        let answers = session.infer(&dataset.test, dataset.test.len(), progress)?;
        let shown = answers.len() as u64;
        Ok((answers, shown))
    })?;
    let right = answers.iter().enumerate().filter(|&(at, &answer)| dataset.test.label(at) == answer).count();
    Ok(EpochReport {
        epoch,
        samples: 0,
        tested: answers.len(),
        right,
        learn_time: Duration::ZERO,
        test_time: start.elapsed(),
        weights_hash: weights_hash(session.machine(), image),
        comparisons: Comparisons::read(session.machine(), image).map(|all| all.since(compared)),
        nrmse: None,
    })
}

/// Root mean square error of answers over the standard deviation of the values of the samples they are for; each value about
/// its own mean over the samples.
pub fn nrmse(answers: &[f32], samples: &Samples) -> f64 {
    let count = samples.values_per_sample().max(1);
    let shown = answers.len() / count;
    let wanted = |sample: usize, value: usize| f64::from(samples.values(sample)[value]) / f64::from(VALUE_ONE);
    let (mut error, mut deviation) = (0.0, 0.0);
    for value in 0..count {
        let mean = (0..shown).map(|sample| wanted(sample, value)).sum::<f64>() / shown.max(1) as f64;
        for sample in 0..shown {
            error += (f64::from(answers[sample * count + value]) - wanted(sample, value)).powi(2);
            deviation += (wanted(sample, value) - mean).powi(2);
        }
    }
    (error / deviation.max(f64::MIN_POSITIVE)).sqrt()
}

/// The image with what the machine's memories hold now in place of what they held at first, which have learned so many
/// epochs in full. A machine that is at rest goes on from it, with the same seed, as if it had never stopped.
pub fn learned(machine: &dyn Engine, image: &Image, epochs: u32) -> Image {
    let mut learned = image.clone();
    learned.learned = Learned { epochs, draws: machine.draws() };
    for (number, block) in learned.blocks.iter_mut().enumerate() {
        for space in [Space::Neuron, Space::Axon, Space::Synapse] {
            let bytes = machine.memory(number as u32, space);
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
    for (population, of) in image.network.populations.iter().enumerate() {
        if !matches!(
            of.kind,
            PopulationKind::Layer { .. } | PopulationKind::LearningReadout { .. } | PopulationKind::ValueReadout { .. }
        ) {
            continue;
        }
        for (number, _) in image.blocks.iter().enumerate().filter(|(_, block)| block.population == population as u32) {
            for name in ["weights", "target_weights", "own_weights", "pairs", "bias"] {
                for value in machine.peek(number as u32, name).into_iter().flatten() {
                    hash.update(&value.to_le_bytes());
                }
            }
        }
    }
    hash.finalize().to_hex().to_string()
}
