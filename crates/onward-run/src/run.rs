//! A run: an image, the data it is shown, an engine, and what comes of it.

use crate::bandit::{Bandit, bandit};
use crate::data::{DataError, Dataset};
use crate::error::{RunError, SessionError};
use crate::session::{Session, silence, silent_neurons};
use crate::train::{Epochs, Progress, learned, test, train};
use crate::weights::{Given, LearnedArray, WeightsError, give_weights, learned_arrays};
use onward_chip::{Costs, FileError, Technology};
use onward_emulate::{Engine, Machine, Options};
use onward_image::{Image, PopulationIndex, Traffic};
use onward_profile::{BanditResults, Conditions, EpochReport, Results};
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
        Ok(Run { image, dataset, options, costs, session, is_given_weights: false, epochs: image.learned.epochs })
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

    /// Learns for some epochs, with a test after each. Neurons that fire for no test sample are looked for before and after,
    /// on machines of their own.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn learn(&mut self, epochs: impl Into<Epochs>, watch: &mut dyn Watch) -> Result<Results, RunError> {
        let epochs = epochs.into();
        self.check_labels()?;
        let silent_before = match self.is_given_weights {
            true => self.silence(&learned(self.session.machine(), self.image, self.epochs))?,
            false => self.silence(self.image)?,
        };
        let (start, watch) = (Instant::now(), RefCell::new(watch));
        let report = train(
            &mut self.session,
            self.image,
            self.dataset,
            epochs,
            self.options.seed,
            |progress| watch.borrow_mut().progress(progress),
            |epoch| watch.borrow_mut().epoch(epoch),
        )?;
        let mut results = Results::new(&self.conditions("learn", start.elapsed()), &report);
        self.epochs = epochs.first + report.whole_epochs(self.dataset.train.len());
        let silent_after = self.silence(&learned(self.session.machine(), self.image, self.epochs))?;
        results.silent_neurons = silent_neurons(silent_before, silent_after);
        Ok(results)
    }

    /// Shows the test samples once; nothing is learned.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn test(&mut self, watch: &mut dyn Watch) -> Result<Results, RunError> {
        let start = Instant::now();
        let report = test(&mut self.session, self.image, self.dataset, |progress| watch.progress(progress))?;
        Ok(Results::new(&self.conditions("test", start.elapsed()), &report))
    }

    /// Plays a bandit, then tests.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub fn play(&mut self, game: &Bandit, watch: &mut dyn Watch) -> Result<BanditResults, RunError> {
        self.check_labels()?;
        let (start, seed) = (Instant::now(), self.options.seed);
        let tell = |progress| watch.progress(progress);
        let report = bandit(&mut self.session, self.image, self.dataset, game, seed, tell)?;
        Ok(BanditResults::new(&self.conditions("bandit", start.elapsed()), &report))
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
        onward_profile::traffic(self.image, &self.session.machine().counters())
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Classes cannot be learned from samples without labels.
    fn check_labels(&self) -> Result<(), DataError> {
        if self.image.network.classes().is_none() || self.dataset.train.is_labelled() {
            return Ok(());
        }
        Err(DataError::NoLabels { name: self.dataset.name.clone() })
    }

    fn silence(&self, image: &Image) -> Result<Vec<crate::Silence>, SessionError> {
        silence(image, &self.dataset.test, self.options.seed)
    }

    fn conditions(&self, command: &'static str, host_time: Duration) -> Conditions<'_> {
        let data = Some(self.dataset.name.as_str());
        Conditions { command, image: self.image, data, options: self.options, costs: &self.costs, host_time }
    }
}

/// What events cost on the image's chip.
///
/// # Errors
/// Its technology cannot be had.
pub fn costs(image: &Image) -> Result<Costs, FileError> {
    Technology::load(&image.chip.technology)?.costs(&image.chip)
}
