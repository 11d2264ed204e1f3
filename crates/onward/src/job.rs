//! A run of an image on data, from its opening lines to the files that are saved.

use crate::arguments::{HowToLearn, Saves, WhatToTell, is_npz};
use crate::documents::arguments;
use crate::failure::Failure;
use crate::faults::{self, FaultRecord};
use crate::files::Output;
use crate::profile::Profiling;
use crate::progress::Monitor;
use crate::proof::proven;
use crate::{Outcome, report, terminal, text};
use onward_emulate::{Engine, Options};
use onward_image::Image;
use onward_profile::{Answers, Results, TestedOn};
use onward_run::data::Dataset;
use onward_run::probe::Recording;
use onward_run::{AnswerTable, Bandit, Checkpoints, Epochs, Run, RunError, SessionError};
use serde::Serialize;
use std::path::Path;

/// What is run.
pub struct Job<'a> {
    pub command: &'static str,
    /// What messages call the image.
    pub name: &'a str,
    pub image: &'a Image,
    pub dataset: &'a Dataset,
    pub options: Options,
    /// A file of weights to begin with.
    pub weights: Option<&'a Path>,
    /// Where checkpoints go; and, of a run that goes on from one, where that is.
    pub checkpoints: Option<&'a Checkpoints>,
    pub goes_on: Option<String>,
    pub saves: &'a Saves,
    pub tells: &'a WhatToTell,
    pub profiling: &'a Profiling,
    /// What probes record.
    pub recording: Option<Recording>,
    /// What faults of memories did.
    pub faults: Option<FaultRecord>,
}

impl<'a> Job<'a> {
    /// Learns, reports, saves.
    pub fn learn(&self, engine: Box<dyn Engine>, how: &HowToLearn, epochs: Epochs) -> Outcome {
        let mut run = self.prepare_to_learn(engine, how)?;
        self.open()?;
        terminal::print(&report::epochs_heading(run.session().answered_values().is_some()))?;
        let monitor = Monitor::new(epochs, self.dataset.train.len(), self.tested())?;
        let results = self.watch(monitor, |monitor| run.learn_with(epochs, self.checkpoints, monitor))?;
        let results = self.complete(results, &run)?;
        terminal::print(&self.report(&results))?;
        self.save(&mut run, &results, &results, &[])?;
        end(&results)
    }

    /// Learns, and says nothing.
    pub fn learn_quietly(&self, engine: Box<dyn Engine>, how: &HowToLearn, epochs: Epochs) -> Result<Results, Failure> {
        let mut run = self.prepare_to_learn(engine, how)?;
        let monitor = Monitor::new(epochs, self.dataset.train.len(), self.tested())?.without_lines();
        let results = self.watch(monitor, |monitor| run.learn(epochs, monitor))?;
        self.complete(results, &run)
    }

    fn prepare_to_learn(&self, engine: Box<dyn Engine>, how: &HowToLearn) -> Result<Run<'a>, Failure> {
        let mut run = self.prepare(engine)?;
        run.check_labels()?;
        run.set_rate_shift(how.rate_shift);
        run.let_learn(&how.learners()).map_err(|error| self.failed(error))?;
        Ok(run)
    }

    /// Samples that an epoch is tested with.
    fn tested(&self) -> usize {
        self.dataset.validation.as_ref().unwrap_or(&self.dataset.test).len()
    }

    /// Adds what was asked for beside the run.
    fn complete(&self, results: Results, run: &Run) -> Result<Results, Failure> {
        let timeline = self.profiling.logs().timeline().map(Box::new);
        let mut results = Results { command: self.command, arguments: arguments(), timeline, ..results };
        results.faults = self.faults.as_ref().map(|faults| faults.costs(&results));
        if self.tells.training_accuracy && !results.interrupted {
            results.quality.training = Some(run.training_answers().map_err(|error| self.failed(error))?);
        }
        Ok(results)
    }

    /// Tests, reports, saves; of a network that reads out spikes also these.
    pub fn test(&self, engine: Box<dyn Engine>, file: Option<&Output>) -> Outcome {
        let mut run = self.prepare(engine)?;
        if file.is_some() && !run.session().reads_spikes() {
            let help = "give the network the readout `spikes`, or leave --spikes out";
            return Err(Failure::input("the network answers with classes, not with spikes", help));
        }
        self.open()?;
        let monitor = Monitor::new(Epochs::from(0), 0, self.dataset.test.len())?;
        let results = self.watch(monitor, |monitor| run.test(monitor))?;
        let results = self.complete(results, &run)?;
        terminal::print(&self.report(&results))?;
        let answers = results.epochs.last().map(|epoch| &epoch.answers);
        if let (Some(file), Some(Answers::Spikes { spikes, .. })) = (file, answers) {
            file.write(&onward_run::spikes_to_npy(spikes).map_err(inside)?)?;
        }
        self.save(&mut run, &results, &results, &[file])?;
        end(&results)
    }

    /// Tests, and says nothing.
    pub fn test_quietly(&self, engine: Box<dyn Engine>) -> Result<Results, Failure> {
        let mut run = self.prepare(engine)?;
        let monitor = Monitor::new(Epochs::from(0), 0, self.dataset.test.len())?.without_lines();
        self.watch(monitor, |monitor| run.test(monitor))
    }

    /// Plays a bandit, reports, saves.
    pub fn play(&self, engine: Box<dyn Engine>, bandit: &Bandit) -> Outcome {
        let mut run = self.prepare(engine)?;
        run.check_labels()?;
        self.open()?;
        let monitor = Monitor::new(Epochs::from(1), bandit.trials, self.dataset.test.len())?;
        let mut results = self.watch(monitor, |monitor| run.play(bandit, self.checkpoints, monitor))?;
        results.results.arguments = arguments();
        results.results.timeline = self.profiling.logs().timeline().map(Box::new);
        let profile = self.profiling.report(results.results.profile.as_deref());
        terminal::print(&(report::bandit(&results) + &profile))?;
        self.save(&mut run, &results, &results.results, &[])?;
        end(&results.results)
    }

    fn prepare(&self, engine: Box<dyn Engine>) -> Result<Run<'a>, Failure> {
        let mut run = Run::with(self.image, self.dataset, self.options, engine).map_err(|error| self.failed(error))?;
        if self.saves.answers.is_some() && run.session().reads_spikes() {
            let help = "`--spikes FILE.npy` writes them; leave --answers out";
            return Err(Failure::input("the network gives its spikes, and no answers", help));
        }
        // What goes on has its weights.
        if let Some(path) = self.weights.filter(|_| self.goes_on.is_none()) {
            give_weights(&mut run, path)?;
        }
        Ok(run)
    }

    /// All that is told of a run: only parts of its profile, if these were asked for.
    fn report(&self, results: &Results) -> String {
        let profile = self.profiling.report(results.profile.as_deref());
        let faults = faults::report(results);
        match self.profiling.is_alone() {
            true => report::in_short(results) + &profile,
            false => report::report(results, self.tells.by_class) + &faults + &profile,
        }
    }

    /// Says what is about to run: all that could be refused has been.
    fn open(&self) -> Outcome {
        terminal::print(&report::opening(self.image, self.dataset, self.options.seed))?;
        self.goes_on.as_ref().map_or(Ok(()), |text| terminal::print(text))
    }

    /// Follows what runs.
    fn watch<T>(
        &self,
        mut monitor: Monitor,
        run: impl FnOnce(&mut Monitor) -> Result<T, RunError>,
    ) -> Result<T, Failure> {
        let results = run(&mut monitor);
        monitor.finish();
        results.map_err(|error| self.failed(error))
    }

    /// Writes the files, each of them even if another cannot be: what was learned in hours is not lost to a full disk.
    fn save(
        &self,
        run: &mut Run,
        written_results: &impl Serialize,
        results: &Results,
        more: &[Option<&Output>],
    ) -> Outcome {
        let saves = self.saves;
        let json = written(&saves.json, |file| file.write_json(written_results));
        let traffic = written(&saves.traffic, |file| file.write_json(&run.traffic()));
        let image = written(&saves.image, |file| {
            let learned = run.learned().map_err(|error: SessionError| Failure::session(self.name, &error))?;
            file.write_image(&proven(learned))
        });
        let profile = written(&saves.profile, |file| match &results.profile {
            Some(found) => self.profiling.write(found, &results.network, file),
            None => Ok(()),
        });
        let export = written(&saves.export, |file| export(&run.learned_arrays(), file));
        let answers = written(&saves.answers, |file| self.write_answers(file, results));
        let page = written(&saves.page, |file| write_page(file, self.image, written_results, self.recording.as_ref()));
        json.and(image).and(export).and(traffic).and(answers).and(profile).and(page)?;
        let all =
            [&saves.image, &saves.export, &saves.answers, &saves.json, &saves.traffic, &saves.profile, &saves.page];
        let all = all.map(Option::as_ref);
        let files = more.iter().copied().chain(all);
        terminal::print(&report::written(files))
    }

    /// Writes what each sample was answered with; of a run that was broken off before its test, no sample.
    fn write_answers(&self, file: &Output, results: &Results) -> Outcome {
        let none =
            Answers::Classes { tested: 0, right: None, comparisons: None, given: Vec::new(), scores: Vec::new() };
        let samples = match results.quality.tested_on {
            Some(TestedOn::Validation) => self.dataset.validation.as_ref().unwrap_or(&self.dataset.test),
            _ => &self.dataset.test,
        };
        match AnswerTable::new(results.answers.as_ref().unwrap_or(&none), samples) {
            Some(table) if is_npz(file.path()) => file.write(&table.npz().map_err(inside)?),
            Some(table) => file.write(table.csv().as_bytes()),
            None => Ok(()),
        }
    }

    fn failed(&self, error: RunError) -> Failure {
        Failure::run(self.name, error)
    }
}

fn written(file: &Option<Output>, write: impl FnOnce(&Output) -> Outcome) -> Outcome {
    file.as_ref().map_or(Ok(()), write)
}

/// Writes the report as a page.
///
/// # Errors
/// What was recorded is lost, or the file cannot be written.
pub fn write_page(file: &Output, image: &Image, results: &impl Serialize, recording: Option<&Recording>) -> Outcome {
    let recorded = recording.map(Recording::drawn).transpose().map_err(inside)?.unwrap_or_default();
    let page = onward_profile::page(image, results, &recorded).map_err(|error| Failure::Inside(error.to_string()))?;
    file.write(page.as_bytes())
}

fn inside(error: std::io::Error) -> Failure {
    Failure::Inside(error.to_string())
}

fn end(results: &Results) -> Outcome {
    if results.interrupted { Err(Failure::Interrupted) } else { Ok(()) }
}

/// Writes what was learned as arrays.
///
/// # Errors
/// There is nothing of that kind, or the file cannot be written.
pub fn export(arrays: &[onward_run::LearnedArray], output: &Output) -> Outcome {
    if arrays.is_empty() {
        let help = "an image (-o) keeps everything";
        return Err(Failure::input("no layer has weights that could be exported as arrays", help));
    }
    output.write(&onward_run::to_npz(arrays).map_err(inside)?)
}

/// Gives the weights of a file to the chip. Says on stderr what did not fit its formats.
fn give_weights(run: &mut Run, path: &Path) -> Outcome {
    let place = path.display().to_string();
    let refused = |problem: String| {
        Failure::input(format!("{place}: {problem}"), "`onward export IMAGE.onw -o W.npz` writes such a file")
    };
    let arrays = onward_net::read_npz(path).map_err(refused)?;
    let find = |name: &str| arrays.get(name).map(|array| (array.shape.clone(), array.values.clone()));
    let given = run.give_weights(find).map_err(|error| Failure::refused_at(&place, &error))?;
    if given.rounded + given.clamped > 0 {
        let [rounded, clamped] = [given.rounded, given.clamped].map(|numbers| text::count(numbers as u64));
        eprintln!("{place}: {rounded} numbers were rounded to the layers' formats, {clamped} were beyond them");
    }
    Ok(())
}
