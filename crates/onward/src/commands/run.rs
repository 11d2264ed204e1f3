//! `onward run`: run an image, or a system in assembly.

use super::HowToRun;
use super::run_assembly::{Assembly, AssemblyArguments};
use super::trace::{self, Trace};
use super::train::{HowToLearn, Learning, learns};
use super::weights;
use crate::failure::Failure;
use crate::files::{Output, check_outputs, read_costs, read_data, read_image};
use crate::progress::Monitor;
use crate::{Outcome, report, terminal};
use onward_image::Image;
use onward_profile::{Answers, Conditions, Results};
use onward_run::data::Dataset;
use onward_run::{Session, SessionError};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  onward run digits.onw --data digits                        test what it has learned
  onward run digits.onw --data digits --learn -o more.onw    learn on
  onward run digits.onw --learn --epochs 5 --layers hidden2 --rate-shift 1
  onward run programs/lif.s --chip small                     run a system written in assembly
  onward run digits.onw --data digits --trace-instructions 0,1 --from 8 --to 9

An image that `compile` made has learned nothing yet; `train -o` saves one that has. A trace is
made by the reference engine, and the run ends with the last step that is traced; `onward
trace-diff` compares two.";

/// Run an image (test what it has learned, or learn) or a system in assembly
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The image, or the assembly
    #[arg(value_name = "IMAGE.onw|FILE.s")]
    file: PathBuf,
    /// Built-in data (digits), folder of IDX files or .npz file [default: what the network names]
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Learn from the training samples before each test
    #[arg(long)]
    learn: bool,
    /// How often the training data is shown [default: what the network says]
    #[arg(long, value_name = "N", requires = "learn", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: Option<u32>,
    #[command(flatten)]
    learning: HowToLearn,
    /// Draws the order of the samples and the chip's random bits [default: the seed it was compiled with]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    how: HowToRun,
    #[command(flatten)]
    trace: Trace,
    /// Begin with these weights, of a file that `export` wrote
    #[arg(long, value_name = "W.npz")]
    weights: Option<PathBuf>,
    /// Save the image with what was learned
    #[arg(short, long, value_name = "IMAGE.onw", requires = "learn")]
    output: Option<PathBuf>,
    /// Write the spikes of a network that reads out spikes: rows of sample, step and neuron
    #[arg(long, value_name = "FILE.npy", conflicts_with = "learn")]
    spikes: Option<PathBuf>,
    /// Write the results for machines
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Save how many packets were sent, for `--traffic` of `compile` and `train`
    #[arg(long, value_name = "FILE.json")]
    save_traffic: Option<PathBuf>,
    #[command(flatten)]
    assembly: AssemblyArguments,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let is_assembly = arguments.file.extension().is_some_and(|extension| extension == "s");
    if is_assembly {
        return arguments.assembly().run();
    }
    if arguments.assembly.is_any() {
        let help = "an image is for the chip it was compiled for; compile it again with --chip, or name a file that ends in .s";
        return Err(Failure::input_with_help("--chip and --show are for systems in assembly", help));
    }
    // An image may be replaced by what it has learned; a report must not take its place.
    let reports = [
        arguments.json.as_deref(),
        arguments.spikes.as_deref(),
        arguments.save_traffic.as_deref(),
        arguments.learning.export.as_deref(),
    ];
    let weights = arguments.weights.as_deref();
    check_outputs(&reports, &[Some(arguments.file.as_path()), weights].into_iter().flatten().collect::<Vec<_>>())?;
    check_outputs(&[&reports[..], &[arguments.output.as_deref()]].concat(), &weights.into_iter().collect::<Vec<_>>())?;
    let mut image = read_image(&arguments.file)?;
    let dataset = read_data(arguments.data.as_deref(), &image)?;
    let name = arguments.file.display().to_string();
    let seed = arguments.seed.unwrap_or(image.network.seed);
    if let Some(selection) = arguments.trace.selection(&image)? {
        if arguments.learn || arguments.json.is_some() || arguments.save_traffic.is_some() {
            return Err(Failure::input_with_help(
                "only test windows of an image can be traced, and a trace makes no report",
                "leave --learn, --json, --save-traffic or --trace-instructions out",
            ));
        }
        return trace::samples(&image, &name, &dataset, arguments.how.options(seed), selection);
    }
    if let Some(option) = arguments.learning.given().filter(|_| !arguments.learn) {
        return Err(Failure::input_with_help(
            format!("{option} is for a run that learns"),
            "add --learn, or leave it out",
        ));
    }
    if arguments.learn && !learns(&image) {
        let help = "leave --learn out, or compile a network with `learning`";
        return Err(Failure::input_with_help("the network learns nothing: the host shows it no targets", help));
    }
    if arguments.learn {
        let learning = Learning {
            command: "run",
            name: &name,
            image: &image,
            dataset: &dataset,
            epochs: arguments.learning.epochs(arguments.epochs, &image)?,
            learning: &arguments.learning,
            how: &arguments.how,
            seed,
            output: arguments.output.as_deref(),
            json: arguments.json.as_deref(),
            save_traffic: arguments.save_traffic.as_deref(),
            weights,
        };
        return learning.run();
    }
    let test = Test {
        command: "run",
        name: &name,
        image: &mut image,
        dataset: &dataset,
        how: &arguments.how,
        seed,
        json: arguments.json.as_deref(),
        spikes: arguments.spikes.as_deref(),
        traffic: arguments.save_traffic.as_deref(),
        weights,
    };
    test.run()
}

/// A run that shows the test samples and learns nothing.
pub struct Test<'a> {
    pub command: &'static str,
    /// What messages call the image.
    pub name: &'a str,
    /// The contents of its memories go into the machine.
    pub image: &'a mut Image,
    pub dataset: &'a Dataset,
    pub how: &'a HowToRun,
    pub seed: u64,
    pub json: Option<&'a Path>,
    /// Where the spikes go.
    pub spikes: Option<&'a Path>,
    /// Where the packets counted go.
    pub traffic: Option<&'a Path>,
    /// Weights to begin with.
    pub weights: Option<&'a Path>,
}

impl Test<'_> {
    /// Runs it and reports.
    pub fn run(self) -> Outcome {
        let json = self.json.map(Output::prepare).transpose()?;
        let written = self.spikes.map(Output::prepare).transpose()?;
        let traffic = self.traffic.map(Output::prepare).transpose()?;
        let costs = read_costs(self.image)?;
        let failed = |error: SessionError| Failure::session(self.name, &error);
        let options = self.how.options(self.seed);
        let engine = self.how.engine_taking(self.image, options).map_err(|error| failed(error.into()))?;
        let mut session = Session::with(self.image, engine).map_err(failed)?;
        session.set_seed(options.seed);
        if let Some(path) = self.weights {
            weights::give(&mut session, self.image, path)?;
        }
        if written.is_some() && !session.reads_spikes() {
            let help = "give the network the readout `spikes`, or leave --spikes out";
            return Err(Failure::input_with_help("the network answers with classes, not with spikes", help));
        }
        terminal::print(&report::opening(self.image, self.dataset, options.seed))?;
        let mut monitor = Monitor::new(0.into(), self.dataset)?;
        let tested = onward_run::test(&mut session, self.image, self.dataset, |progress| monitor.tell(progress));
        monitor.finish();
        let tested = tested.map_err(failed)?;
        let host_time = monitor.elapsed();
        let data = Some(self.dataset.name.as_str());
        let run = Conditions { command: self.command, image: self.image, data, options, costs: &costs, host_time };
        let results = Results::new(&run, &tested);
        terminal::print(&report::report(&results))?;
        if let Some(json) = &json {
            json.write_json(&results)?;
        }
        let last = tested.epochs.last().map(|epoch| &epoch.answers);
        if let (Some(file), Some(Answers::Spikes { spikes, .. })) = (&written, last) {
            file.write(&onward_run::spikes_to_npy(spikes))?;
        }
        if let Some(traffic) = &traffic {
            traffic.write_json(&onward_profile::traffic(self.image, &tested.counters))?;
        }
        terminal::print(&report::written([&written, &json, &traffic]))?;
        if tested.interrupted { Err(Failure::Interrupted) } else { Ok(()) }
    }
}

impl Arguments {
    fn assembly(&self) -> Assembly<'_> {
        Assembly {
            file: &self.file,
            seed: self.seed,
            arguments: &self.assembly,
            how: &self.how,
            trace: &self.trace,
            json: self.json.as_deref(),
            foreign: [
                ("--data", self.data.is_some()),
                ("--learn", self.learn),
                ("--output", self.output.is_some()),
                ("--spikes", self.spikes.is_some()),
                ("--weights", self.weights.is_some()),
                ("--save-traffic", self.save_traffic.is_some()),
            ],
        }
    }
}
