//! `onward train`: compile, learn on the chip, test.

use super::HowToRun;
use super::place::HowToPlace;
use super::run::Test;
use crate::failure::Failure;
use crate::files::{Output, check_outputs, parse_setting, read_costs, read_data, read_network};
use crate::progress::Monitor;
use crate::results::{Results, Run};
use crate::{Outcome, report, terminal};
use onward_chip::Chip;
use onward_image::{HostInputKind, Image};
use onward_run::data::Dataset;
use onward_run::{Session, SessionError, TrainReport};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  onward train programs/digits.sp
  onward train programs/digits.sp --chip small --epochs 10 --json digits.json
  onward train programs/mnist.sp --data DATA/mnist --timing none -o mnist.onw

Ctrl-C ends the run early; what ran is reported in full.";

/// Compile a network, let it learn on the emulated chip, test it
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The network's text
    #[arg(value_name = "NET.sp")]
    network: PathBuf,
    /// Built-in chip (small, middle, middle-8-lanes, large) or path of a chip file
    #[arg(long, value_name = "CHIP", default_value = "middle")]
    chip: String,
    /// Give a parameter of the text another value; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,
    /// Built-in data (digits), folder of IDX files or .npz file [default: what the network names]
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// How often the training data is shown [default: what the network says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: Option<u32>,
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
    let outputs = [arguments.output.as_deref(), arguments.json.as_deref(), arguments.save_traffic.as_deref()];
    let inputs =
        [Some(arguments.network.as_path()), Some(Path::new(&arguments.chip)), arguments.place.traffic.as_deref()];
    check_outputs(&outputs, &inputs.into_iter().flatten().collect::<Vec<_>>())?;
    let chip = Chip::load(&arguments.chip)?;
    let source = read_network(&arguments.network, &arguments.set)?;
    let mut image = onward_compile::compile(&source, &arguments.place.options(chip, arguments.seed)?)
        .map_err(|errors| Failure::diagnostics(&source, &errors))?;
    let dataset = read_data(arguments.data.as_deref(), &image)?;
    if !learns(&image) {
        if arguments.output.is_some() {
            let help = "compile it with `onward compile -o`; it stays what it is";
            return Err(Failure::input_with_help("the network learns nothing that could be saved", help));
        }
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
        };
        return test.run();
    }
    let learning = Learning {
        command: "train",
        name: &source.name,
        image: &image,
        dataset: &dataset,
        epochs: arguments.epochs.unwrap_or(image.network.epochs),
        how: &arguments.how,
        seed: arguments.seed,
        output: arguments.output.as_deref(),
        json: arguments.json.as_deref(),
        save_traffic: arguments.save_traffic.as_deref(),
    };
    learning.run()
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
    pub epochs: u32,
    pub how: &'a HowToRun,
    pub seed: u64,
    pub output: Option<&'a Path>,
    pub json: Option<&'a Path>,
    pub save_traffic: Option<&'a Path>,
}

impl Learning<'_> {
    /// Runs it, reports, saves.
    pub fn run(&self) -> Outcome {
        let json = self.json.map(Output::prepare).transpose()?;
        let output = self.output.map(Output::prepare).transpose()?;
        let traffic = self.save_traffic.map(Output::prepare).transpose()?;
        let costs = read_costs(self.image)?;
        let failed = |error: SessionError| Failure::session(self.name, &error);
        let options = self.how.options(self.seed);
        let engine = self.how.engine(self.image, options).map_err(|error| failed(error.into()))?;
        let mut session = Session::with(self.image, engine).map_err(failed)?;
        session.set_seed(self.seed);
        terminal::print(&report::opening(self.image, self.dataset, self.seed))?;
        terminal::print(&report::epochs_heading(session.answered_values().is_some()))?;
        let monitor = std::cell::RefCell::new(Monitor::new(self.epochs, self.dataset)?);
        let trained: Result<TrainReport, _> = onward_run::train(
            &mut session,
            self.image,
            self.dataset,
            self.epochs,
            self.seed,
            |progress| monitor.borrow_mut().tell(progress),
            |epoch| monitor.borrow().print(&report::epoch(epoch, self.epochs)),
        );
        let monitor = monitor.into_inner();
        monitor.finish();
        let trained = trained.map_err(failed)?;
        let run = Run {
            command: self.command,
            image: self.image,
            data: &self.dataset.name,
            options,
            costs: &costs,
            host_time: monitor.elapsed(),
        };
        let results = Results::new(&run, &trained);
        // The report first: what was learned in hours is not lost to a full disk, and each file is tried.
        terminal::print(&report::report(&results))?;
        let json_written = json.as_ref().map_or(Ok(()), |json| json.write_json(&results));
        let image_written = output
            .as_ref()
            .map_or(Ok(()), |output| output.write_image(&onward_run::learned(session.machine(), self.image)));
        let sent = onward_profile::traffic(self.image, &trained.counters);
        let traffic_written = traffic.as_ref().map_or(Ok(()), |traffic| traffic.write_json(&sent));
        json_written.and(image_written).and(traffic_written)?;
        terminal::print(&report::written([&output, &json, &traffic]))?;
        if trained.interrupted { Err(Failure::Interrupted) } else { Ok(()) }
    }
}
