//! `onward train`: compile, learn on the chip, test.

use super::HowToRun;
use super::place::HowToPlace;
use super::run::Test;
use super::weights;
use crate::arguments::ChipArgument;
use crate::failure::Failure;
use crate::files::{Output, check_outputs, parse_setting, read_costs, read_data, read_network};
use crate::progress::{Monitor, PassMonitor};
use crate::{Outcome, report, terminal};
use onward_image::{HostInputKind, Image, PopulationKind};
use onward_profile::{Conditions, Results};
use onward_run::data::Dataset;
use onward_run::{Epochs, Session, SessionError, TrainReport};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  onward train programs/digits.sp
  onward train programs/digits.sp --chip small --epochs 10 --json digits.json
  onward train programs/mnist.sp --data DATA/mnist --timing none -o mnist.onw
  onward train programs/digits.sp --epochs 10 --of 30 -o part.onw    then `run part.onw --learn --epochs 20`

Ctrl-C ends the run early; what ran is reported in full.";

/// Compile a network, let it learn on the emulated chip, test it
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The network's text
    #[arg(value_name = "NET.sp")]
    network: PathBuf,
    #[command(flatten)]
    chip: ChipArgument,
    /// Give a parameter of the text another value; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,
    /// Built-in data (digits), folder of IDX files or .npz file [default: what the network names]
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// How often the training data is shown [default: what the network says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: Option<u32>,
    #[command(flatten)]
    learning: HowToLearn,
    /// Begin with these weights, of a file that `export` wrote
    #[arg(long, value_name = "W.npz")]
    weights: Option<PathBuf>,
    /// Draws the weights, the order of the samples and the chip's random bits
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    how: HowToRun,
    #[command(flatten)]
    place: HowToPlace,
    /// Save how many packets were sent, for `--traffic`
    #[arg(long, value_name = "FILE.json")]
    save_traffic: Option<PathBuf>,
    /// Save the image with what was learned
    #[arg(short, long, value_name = "IMAGE.onw")]
    output: Option<PathBuf>,
    /// Write the results for machines
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let outputs = [
        arguments.output.as_deref(),
        arguments.json.as_deref(),
        arguments.save_traffic.as_deref(),
        arguments.learning.export.as_deref(),
    ];
    let inputs = [
        Some(arguments.network.as_path()),
        Some(arguments.chip.path()),
        arguments.place.traffic.as_deref(),
        arguments.weights.as_deref(),
    ];
    check_outputs(&outputs, &inputs.into_iter().flatten().collect::<Vec<_>>())?;
    let chip = arguments.chip.load()?;
    let source = read_network(&arguments.network, &arguments.set)?;
    let monitor = PassMonitor::new(None);
    let options = arguments.place.options(chip, arguments.seed)?;
    let compiled = onward_compile::compile_with(&source, &options, |pass, _| monitor.done(pass));
    drop(monitor);
    let mut image = compiled.map_err(|errors| Failure::diagnostics(&source, &errors))?;
    let dataset = read_data(arguments.data.as_deref(), &image)?;
    if !learns(&image) {
        if arguments.output.is_some() {
            let help = "compile it with `onward compile -o`; it stays what it is";
            return Err(Failure::input_with_help("the network learns nothing that could be saved", help));
        }
        if let Some(option) = arguments.learning.given() {
            let message = format!("the network learns nothing, and {option} is for one that does");
            return Err(Failure::input_with_help(message, "leave it out, or give the network `learning`"));
        }
        terminal::print("The network learns nothing: none of its layers has `learning`. It is tested as it is.\n\n")?;
        let test = Test {
            command: "train",
            name: &source.name,
            image: &mut image,
            dataset: &dataset,
            how: &arguments.how,
            seed: arguments.seed,
            json: arguments.json.as_deref(),
            spikes: None,
            traffic: arguments.save_traffic.as_deref(),
            weights: arguments.weights.as_deref(),
        };
        return test.run();
    }
    let learning = Learning {
        command: "train",
        name: &source.name,
        image: &image,
        dataset: &dataset,
        epochs: arguments.learning.epochs(arguments.epochs, &image)?,
        learning: &arguments.learning,
        how: &arguments.how,
        seed: arguments.seed,
        output: arguments.output.as_deref(),
        json: arguments.json.as_deref(),
        save_traffic: arguments.save_traffic.as_deref(),
        weights: arguments.weights.as_deref(),
    };
    learning.run()
}

/// What of learning is on, and how fast.
#[derive(clap::Args)]
pub struct HowToLearn {
    /// Learning rates fall as in a run of so many epochs in all [default: those learned before and these]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    of: Option<u32>,
    /// Divide all learning rates by 2^N, beside what the text schedules
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-16..=16))]
    rate_shift: i32,
    /// Let only these layers learn
    #[arg(long, value_name = "LAYER", value_delimiter = ',', conflicts_with = "freeze")]
    layers: Vec<String>,
    /// Keep these layers from learning
    #[arg(long, value_name = "LAYER", value_delimiter = ',')]
    freeze: Vec<String>,
    /// Save what was learned as arrays: real numbers and integers
    #[arg(long, value_name = "W.npz")]
    pub export: Option<PathBuf>,
}

impl HowToLearn {
    /// An option that was given.
    pub fn given(&self) -> Option<&'static str> {
        let all = [
            ("--of", self.of.is_some()),
            ("--rate-shift", self.rate_shift != 0),
            ("--layers", !self.layers.is_empty()),
            ("--freeze", !self.freeze.is_empty()),
            ("--export", self.export.is_some()),
        ];
        all.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    /// The epochs that are learned: so many, or as many as the network says, after those that the image has learned.
    pub fn epochs(&self, count: Option<u32>, image: &Image) -> Result<Epochs, Failure> {
        let (first, count) = (image.learned.epochs, count.unwrap_or(image.network.epochs));
        let last = first.saturating_add(count);
        match self.of {
            Some(of) if of < last => {
                let message = format!("--of {of}: the run goes on to epoch {last}");
                Err(Failure::input_with_help(message, format!("learn fewer epochs (--epochs), or say --of {last}")))
            }
            of => Ok(Epochs { first, count, of: of.unwrap_or(last) }),
        }
    }

    /// Tells the chip.
    fn tell(&self, session: &mut Session, image: &Image, name: &str) -> Outcome {
        let populations = &image.network.populations;
        let learns = |kind: &PopulationKind| matches!(kind, PopulationKind::Layer { schedule: Some(_), .. });
        let learners: Vec<&str> = populations.iter().filter(|of| learns(&of.kind)).map(|of| of.name.as_str()).collect();
        if let Some(unknown) = self.layers.iter().chain(&self.freeze).find(|of| !learners.contains(&of.as_str())) {
            let help = match onward_diagnostic::nearest(unknown, learners.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("layers that learn are {}", learners.join(", ")),
            };
            return Err(Failure::input_with_help(format!("no layer `{unknown}` that learns"), help));
        }
        session.set_rate_shift(self.rate_shift);
        let may_learn = |population: u32| {
            let name = &populations[population as usize].name;
            if self.layers.is_empty() { !self.freeze.contains(name) } else { self.layers.contains(name) }
        };
        session.let_learn(image, may_learn).map_err(|error| Failure::session(name, &error))
    }
}

/// Whether the network is shown targets; without them a run is a test.
pub fn learns(image: &Image) -> bool {
    image.host_inputs.iter().any(|input| matches!(input.kind, HostInputKind::Target | HostInputKind::TargetValues))
}

/// A run that learns; also that of `onward run --learn`.
pub struct Learning<'a> {
    pub command: &'static str,
    /// What messages call the image.
    pub name: &'a str,
    pub image: &'a Image,
    pub dataset: &'a Dataset,
    pub epochs: Epochs,
    pub learning: &'a HowToLearn,
    pub how: &'a HowToRun,
    pub seed: u64,
    pub output: Option<&'a Path>,
    pub json: Option<&'a Path>,
    pub save_traffic: Option<&'a Path>,
    /// Weights to begin with.
    pub weights: Option<&'a Path>,
}

impl Learning<'_> {
    /// Runs it, reports, saves.
    pub fn run(&self) -> Outcome {
        let json = self.json.map(Output::prepare).transpose()?;
        let output = self.output.map(Output::prepare).transpose()?;
        let traffic = self.save_traffic.map(Output::prepare).transpose()?;
        let export = self.learning.export.as_deref().map(Output::prepare).transpose()?;
        let costs = read_costs(self.image)?;
        let failed = |error: SessionError| Failure::session(self.name, &error);
        let options = self.how.options(self.seed);
        let engine = self.how.engine(self.image, options).map_err(|error| failed(error.into()))?;
        let mut session = Session::with(self.image, engine).map_err(failed)?;
        session.set_seed(self.seed);
        self.learning.tell(&mut session, self.image, self.name)?;
        if let Some(path) = self.weights {
            weights::give(&mut session, self.image, path)?;
        }
        let silent = |image: &Image| onward_run::silence(image, &self.dataset.test, self.seed).map_err(failed);
        terminal::print(&report::opening(self.image, self.dataset, self.seed))?;
        let silent_before = silent(self.image)?;
        terminal::print(&report::epochs_heading(session.answered_values().is_some()))?;
        let monitor = std::cell::RefCell::new(Monitor::new(self.epochs, self.dataset)?);
        let trained: Result<TrainReport, _> = onward_run::train(
            &mut session,
            self.image,
            self.dataset,
            self.epochs,
            self.seed,
            |progress| monitor.borrow_mut().tell(progress),
            |epoch| monitor.borrow().print(&report::epoch(epoch, self.epochs.of)),
        );
        let monitor = monitor.into_inner();
        monitor.finish();
        let trained = trained.map_err(failed)?;
        let run = Conditions {
            command: self.command,
            image: self.image,
            data: Some(&self.dataset.name),
            options,
            costs: &costs,
            host_time: monitor.elapsed(),
        };
        let mut results = Results::new(&run, &trained);
        let epochs = self.epochs.first + trained.whole_epochs(self.dataset.train.len());
        let silent_after = silent(&onward_run::learned(session.machine(), self.image, epochs))?;
        results.silent_neurons = onward_run::silent_neurons(silent_before, silent_after);
        // The report first: what was learned in hours is not lost to a full disk, and each file is tried.
        terminal::print(&report::report(&results))?;
        let json_written = json.as_ref().map_or(Ok(()), |json| json.write_json(&results));
        let image_written = output.as_ref().map_or(Ok(()), |output| {
            // A run that was broken off left windows open: they close before the image is saved, so that it is at rest.
            session.rest().map_err(failed)?;
            output.write_image(&onward_run::learned(session.machine(), self.image, epochs))
        });
        let exported = export.as_ref().map_or(Ok(()), |export| weights::export(session.machine(), self.image, export));
        let sent = onward_profile::traffic(self.image, &trained.counters);
        let traffic_written = traffic.as_ref().map_or(Ok(()), |traffic| traffic.write_json(&sent));
        json_written.and(image_written).and(exported).and(traffic_written)?;
        terminal::print(&report::written([&output, &export, &json, &traffic]))?;
        if trained.interrupted { Err(Failure::Interrupted) } else { Ok(()) }
    }
}
