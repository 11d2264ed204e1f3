//! A run: an image, the data it is shown, an engine, and what comes of it.

use crate::bandit::{Bandit, bandit};
use crate::checkpoint::Checkpoints;
use crate::data::{DataError, Dataset, Samples, Split};
use crate::error::{RunError, SessionError};
use crate::session::{Session, silence, silent_neurons};
use crate::train::{Epochs, Progress, Tally, answers, learned, test, train_and};
use crate::weights::{Given, LearnedArray, WeightsError, give_weights, learned_arrays};
use onward_chip::{Costs, FileError, Technology};
use onward_emulate::{Counters, Engine, Machine, Options};
use onward_image::{Image, PopulationIndex, Traffic};
use onward_profile::{
    Answers, BanditResults, Conditions, EpochReport, RecordedRun, Results, SampleCounts, TestedOn, TrainReport,
};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Follows a run. Nobody does as `()`.
pub trait Watch {
    /// Is told after each chunk of steps how far the run is, and may break it off.
    fn progress(&mut self, progress: Progress) -> ControlFlow<()>;

    /// Is told what came of an epoch.
    fn epoch(&mut self, _report: &EpochReport) {}
}

impl Watch for () {
    fn progress(&mut self, _: Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// The layers that learn in a run, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Learners {
    /// All that can.
    #[default]
    All,
    /// These alone.
    Only(Vec<String>),
    /// All but these.
    Except(Vec<String>),
}

impl Learners {
    fn names(&self) -> &[String] {
        match self {
            Learners::All => &[],
            Learners::Only(names) | Learners::Except(names) => names,
        }
    }

    fn includes(&self, name: &str) -> bool {
        let is_named = self.names().iter().any(|named| named == name);
        match self {
            Learners::All => true,
            Learners::Only(_) => is_named,
            Learners::Except(_) => !is_named,
        }
    }
}

/// A network on the emulated chip, with the data it learns from and is tested with.
pub struct Run<'a> {
    image: &'a Image,
    dataset: &'a Dataset,
    options: Options,
    costs: Costs,
    session: Session,
    /// Whether it goes on from other weights than the image's.
    is_given_weights: bool,
    /// Epochs that what is on the chip has learned in full.
    epochs: u32,
    /// What machines counted that were left for another.
    before: Option<Counters>,
}

impl<'a> Run<'a> {
    /// Loads the image into the fast engine.
    ///
    /// # Errors
    /// The image cannot be shown the data, or no machine can be made of it.
    pub fn new(image: &'a Image, dataset: &'a Dataset, options: Options) -> Result<Run<'a>, RunError> {
        Run::with(image, dataset, options, Box::new(Machine::new(image, options)?))
    }

    /// A run with an engine that has the image loaded, with these options.
    ///
    /// # Errors
    /// The image cannot be shown the data.
    pub fn with(
        image: &'a Image,
        dataset: &'a Dataset,
        options: Options,
        engine: Box<dyn Engine>,
    ) -> Result<Run<'a>, RunError> {
        dataset.fits(image)?;
        let costs = costs(image)?;
        let mut session = Session::with(image, engine)?;
        session.set_seed(options.seed);
        Ok(Run {
            image,
            dataset,
            options,
            costs,
            session,
            is_given_weights: false,
            epochs: image.learned.epochs,
            before: None,
        })
    }

    /// Begins with other weights than the image's: see [`give_weights`].
    ///
    /// # Errors
    /// Arrays that are not the network's; nothing was written then.
    pub fn give_weights(
        &mut self,
        find: impl Fn(&str) -> Option<(Vec<usize>, Vec<f64>)>,
    ) -> Result<Given, WeightsError> {
        self.is_given_weights = true;
        give_weights(self.session.machine_mut(), self.image, find)
    }

    /// From here on all layers learn by `2^-shift` of what their schedules say.
    pub fn set_rate_shift(&mut self, shift: i32) {
        self.session.set_rate_shift(shift);
    }

    /// From here on these layers learn. The others keep their weights; they go on to carry input and target.
    ///
    /// # Errors
    /// A layer is named that does not learn, or cannot be told not to.
    pub fn let_learn(&mut self, learners: &Learners) -> Result<(), RunError> {
        let network = &self.image.network;
        let is_known = |name: &String| network.learners().any(|(_, layer)| layer.name == *name);
        if let Some(unknown) = learners.names().iter().find(|name| !is_known(name)) {
            let learners = network.learners().map(|(_, layer)| layer.name.clone()).collect();
            return Err(RunError::UnknownLayer { name: unknown.clone(), learners });
        }
        let learns = |population: PopulationIndex| learners.includes(&network.populations[population].name);
        Ok(self.session.let_learn(self.image, learns)?)
    }

    /// Learns for some epochs, with a test after each. Where samples are kept apart to choose by ([`Dataset::validation`]), the
    /// epochs are tested with these; what the best of them left is put back on the chip, and is what the test samples are shown
    /// to, once. Neurons that fire for no sample are looked for before and after, on machines of their own.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn learn(&mut self, epochs: impl Into<Epochs>, watch: &mut dyn Watch) -> Result<Results, RunError> {
        self.learn_with(epochs, None, watch)
    }

    /// The same, with checkpoints: it goes on from the one that they begin with, if this is a run of the image to which that was
    /// applied ([`Checkpoint::apply`](crate::Checkpoint::apply)).
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn learn_with(
        &mut self,
        epochs: impl Into<Epochs>,
        checkpoints: Option<&Checkpoints>,
        watch: &mut dyn Watch,
    ) -> Result<Results, RunError> {
        let epochs = epochs.into();
        self.check_labels()?;
        let silent_before = match self.is_given_weights {
            true => self.silence(&learned(self.session.machine(), self.image, self.epochs))?,
            false => self.silence(self.image)?,
        };
        let (start, watch) = (Instant::now(), RefCell::new(watch));
        let (image, validation) = (self.image, self.dataset.validation.as_ref().map(Samples::len));
        let mut best: Option<Best> = None;
        let mut report = train_and(
            &mut self.session,
            image,
            self.dataset,
            epochs,
            self.options.seed,
            checkpoints,
            |progress| watch.borrow_mut().progress(progress),
            |session, epoch| {
                watch.borrow_mut().epoch(epoch);
                session.machine_mut().end_epoch();
                let is_better = best.as_ref().is_none_or(|best| is_better(&epoch.answers, &best.report.answers));
                if validation == Some(epoch.tested()) && is_better {
                    let image = learned(session.machine(), image, epoch.epoch + 1);
                    best = Some(Best { report: epoch.clone(), image });
                }
            },
        )?;
        let gone_on_from = checkpoints.and_then(|checkpoints| checkpoints.from.as_ref());
        let first = gone_on_from.map_or(epochs.first, |from| from.epoch);
        self.epochs = first + report.whole_epochs(self.dataset.train.len());
        if let Some(best) = best.as_ref().filter(|_| !report.interrupted) {
            self.test_best(best, &mut report, |progress| watch.borrow_mut().progress(progress))?;
        }
        let mut results = Results::new(&self.conditions("learn", start.elapsed()), &report);
        self.judge(&mut results);
        if let Some(best) = best.filter(|_| report.last_test.is_some()) {
            results.quality.best_epoch = Some(best.report.epoch + 1);
            results.quality.validation = Some(best.report.answers);
        }
        let silent_after = self.silence(&learned(self.session.machine(), self.image, self.epochs))?;
        results.silent_neurons = silent_neurons(silent_before, silent_after);
        self.end_record(&report, &results)?;
        Ok(results)
    }

    /// Ends the record of the run, if the engine makes one.
    fn end_record(&mut self, report: &TrainReport, results: &Results) -> Result<(), RunError> {
        let about = RecordedRun::new(report, results).to_bytes().map_err(|error| RunError::Record(error.into()))?;
        self.session.machine_mut().end_record(&about).map_err(RunError::Record)
    }

    /// Goes back to what an epoch left, and shows it the test samples.
    fn test_best(
        &mut self,
        best: &Best,
        report: &mut TrainReport,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), RunError> {
        self.before = Some(report.counters.clone());
        let mut machine = Machine::new(&best.image, self.options)?;
        if report.counters.detail.is_some() {
            machine.count_in_detail();
        }
        // Who follows the run goes on with what follows.
        if let Some(log) = self.session.machine_mut().take_step_log() {
            machine.log_steps(log);
        }
        self.session = Session::with(self.image, Box::new(machine))?;
        self.session.set_seed(self.options.seed);
        self.epochs = best.image.learned.epochs;
        let (epoch, total) = (best.report.epoch, self.dataset.test.len());
        let tell = |done| progress(Progress { learning: false, epoch, done, total });
        let mut tally = Tally::new(&self.session);
        tally.test(&mut self.session, self.image, (&self.dataset.test, TestedOn::Test), epoch, tell)?;
        let mut test = tally.report(&self.session);
        report.counters = report.counters.plus(&test.counters);
        report.testing = report.testing.plus(test.testing);
        report.interrupted |= test.interrupted;
        report.last_test = test.epochs.pop();
        Ok(())
    }

    /// Shows the test samples once; nothing is learned.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn test(&mut self, watch: &mut dyn Watch) -> Result<Results, RunError> {
        let start = Instant::now();
        let report = test(&mut self.session, self.image, self.dataset, |progress| watch.progress(progress))?;
        self.session.machine_mut().end_epoch();
        let mut results = Results::new(&self.conditions("test", start.elapsed()), &report);
        self.judge(&mut results);
        self.end_record(&report, &results)?;
        Ok(results)
    }

    /// What the network answers to the samples that it learned from, as it is now; on a machine of its own that keeps no time.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn training_answers(&self) -> Result<Answers, RunError> {
        let image = learned(self.session.machine(), self.image, self.epochs);
        let mut session = Session::new(&image, Options { timing: false, ..self.options })?;
        session.set_seed(self.options.seed);
        Ok(answers(&mut session, &image, &self.dataset.train, |_| ControlFlow::Continue(()))?)
    }

    /// Says how the answers of results came to be, and what is known of them.
    fn judge(&self, results: &mut Results) {
        let dataset = self.dataset;
        let quality = &mut results.quality;
        quality.samples = Some(SampleCounts {
            training: dataset.train.len(),
            validation: dataset.validation.as_ref().map_or(0, Samples::len),
            test: dataset.test.len(),
        });
        (quality.split, quality.split_seed) = match dataset.split {
            Split::Given => (Some("given"), None),
            Split::Drawn(seed) => (Some("drawn"), Some(seed)),
            Split::None => (Some("none"), None),
        };
        let has_learned =
            self.epochs > 0 || self.is_given_weights || results.epochs.iter().any(|epoch| epoch.samples > 0);
        quality.has_learned = self.image.learns().then_some(has_learned);
        if let Some(answers) = &results.answers {
            let samples = match quality.tested_on {
                Some(TestedOn::Validation) => dataset.validation.as_ref().unwrap_or(&dataset.test),
                _ => &dataset.test,
            };
            let classes = self.image.network.classes().unwrap_or(dataset.classes) as usize;
            quality.confuse(answers, classes, |sample| samples.label(sample));
        }
    }

    /// Plays a bandit, then tests; with checkpoints if there are to be any.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn play(
        &mut self,
        game: &Bandit,
        checkpoints: Option<&Checkpoints>,
        watch: &mut dyn Watch,
    ) -> Result<BanditResults, RunError> {
        self.check_labels()?;
        let (start, seed) = (Instant::now(), self.options.seed);
        let tell = |progress| watch.progress(progress);
        let report = bandit(&mut self.session, self.image, self.dataset, game, seed, checkpoints, tell)?;
        let mut results = BanditResults::new(&self.conditions("bandit", start.elapsed()), &report);
        self.judge(&mut results.results);
        Ok(results)
    }

    /// The image with what has been learned, at rest: a run that was broken off left windows open, which close before.
    ///
    /// # Errors
    /// The network does not come to rest.
    pub fn learned(&mut self) -> Result<Image, SessionError> {
        self.session.rest()?;
        Ok(learned(self.session.machine(), self.image, self.epochs))
    }

    /// What has been learned, as arrays for other tools.
    pub fn learned_arrays(&self) -> Vec<LearnedArray> {
        learned_arrays(self.session.machine(), self.image)
    }

    /// How many packets were sent so far, for the next placement.
    pub fn traffic(&self) -> Traffic {
        let counters = self.session.machine().counters();
        let counters = self.before.as_ref().map_or_else(|| counters.clone(), |before| before.plus(&counters));
        onward_profile::traffic(self.image, &counters)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Whether what the network learns is known of the samples: classes cannot be learned without labels.
    ///
    /// # Errors
    /// [`DataError::NoLabels`].
    pub fn check_labels(&self) -> Result<(), DataError> {
        if self.image.network.classes().is_none() || self.dataset.train.is_labelled() {
            return Ok(());
        }
        Err(DataError::NoLabels { name: self.dataset.name.clone() })
    }

    fn silence(&self, image: &Image) -> Result<Vec<crate::Silence>, SessionError> {
        // The test samples are looked at once, where others are kept apart.
        let samples = self.dataset.validation.as_ref().unwrap_or(&self.dataset.test);
        silence(image, samples, self.options.seed)
    }

    fn conditions(&self, command: &'static str, host_time: Duration) -> Conditions<'_> {
        let data = Some(self.dataset.name.as_str());
        Conditions { command, image: self.image, data, options: self.options, costs: &self.costs, host_time }
    }
}

/// The best epoch so far, and the image with what it left.
struct Best {
    report: EpochReport,
    image: Image,
}

/// Whether answers are better than others to the same samples.
fn is_better(answers: &Answers, others: &Answers) -> bool {
    match (answers, others) {
        (Answers::Values { rmse, .. }, Answers::Values { rmse: other, .. }) => rmse < other,
        _ => answers.right() > others.right(),
    }
}

/// What events cost on the image's chip.
///
/// # Errors
/// Its technology cannot be had.
pub fn costs(image: &Image) -> Result<Costs, FileError> {
    Technology::load(&image.chip.technology)?.costs(&image.chip)
}
