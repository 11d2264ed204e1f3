//! `onward bandit`: learn from rewards alone.

use super::HowToRun;
use super::place::HowToPlace;
use super::train::learns;
use crate::arguments::ChipArgument;
use crate::failure::Failure;
use crate::files::{Output, check_outputs, parse_setting, read_costs, read_data, read_network};
use crate::progress::Monitor;
use crate::{Outcome, report, terminal};
use onward_profile::{BanditResults, Conditions};
use onward_run::{Bandit, Session, SessionError};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward bandit programs/learning/bandit.sp
  onward bandit programs/learning/bandit.sp --data DATA/mnist --trials 20000 --json bandit.json

Ctrl-C ends the run early; what ran is reported in full.";

/// Let a network choose a class for each sample, and learn from the reward of that class alone
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
    /// How often the network chooses
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    trials: u32,
    /// Share of trials, at first, in which any class is chosen instead of the network's
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    explore: f64,
    /// Trials by which that share has fallen to none, evenly
    #[arg(long, value_name = "N", default_value_t = 1000)]
    explore_trials: u32,
    /// How many of the other classes are shown, one after the other, when the choice was wrong [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    others: Option<u32>,
    /// Draws the weights, the order of the samples, the classes that are tried and the chip's random bits
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    how: HowToRun,
    #[command(flatten)]
    place: HowToPlace,
    /// Save the image with what was learned
    #[arg(short, long, value_name = "IMAGE.onw")]
    output: Option<PathBuf>,
    /// Write the results for machines
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let outputs = [arguments.output.as_deref(), arguments.json.as_deref()];
    let inputs = [Some(arguments.network.as_path()), Some(arguments.chip.path()), arguments.place.traffic.as_deref()];
    check_outputs(&outputs, &inputs.into_iter().flatten().collect::<Vec<_>>())?;
    let chip = arguments.chip.load()?;
    let source = read_network(&arguments.network, &arguments.set)?;
    let image = onward_compile::compile(&source, &arguments.place.options(chip, arguments.seed)?)
        .map_err(|errors| Failure::diagnostics(&source, &errors))?;
    let dataset = read_data(arguments.data.as_deref(), &image)?;
    if !learns(&image) {
        let help = "give it a target and layers that learn";
        return Err(Failure::input_with_help("the network learns nothing: it is shown no targets", help));
    }
    let json = arguments.json.as_deref().map(Output::prepare).transpose()?;
    let output = arguments.output.as_deref().map(Output::prepare).transpose()?;
    let costs = read_costs(&image)?;
    let failed = |error: SessionError| Failure::session(&source.name, &error);
    let options = arguments.how.options(arguments.seed);
    let engine = arguments.how.engine(&image, options).map_err(|error| failed(error.into()))?;
    let mut session = Session::with(&image, engine).map_err(failed)?;
    session.set_seed(arguments.seed);
    terminal::print(&report::opening(&image, &dataset, arguments.seed))?;
    let mut monitor = Monitor::of_samples(1.into(), arguments.trials as usize, dataset.test.len())?;
    let bandit = Bandit {
        trials: arguments.trials as usize,
        explore: arguments.explore,
        explore_trials: arguments.explore_trials as usize,
        others: arguments.others.unwrap_or(u32::MAX),
    };
    let tell = |progress| monitor.tell(progress);
    let played = onward_run::bandit(&mut session, &image, &dataset, &bandit, arguments.seed, tell);
    monitor.finish();
    let played = played.map_err(failed)?;
    let run = Conditions {
        command: "bandit",
        image: &image,
        data: Some(&dataset.name),
        options,
        costs: &costs,
        host_time: monitor.elapsed(),
    };
    let results = BanditResults::new(&run, &played);
    terminal::print(&report::bandit(&results))?;
    let json_written = json.as_ref().map_or(Ok(()), |json| json.write_json(&results));
    let image_written = output.as_ref().map_or(Ok(()), |output| {
        // A run that was broken off left windows open: they close before the image is saved, so that it is at rest.
        session.rest().map_err(failed)?;
        output.write_image(&onward_run::learned(session.machine(), &image, 0))
    });
    json_written.and(image_written)?;
    terminal::print(&report::written([&output, &json, &None]))?;
    if played.run.interrupted { Err(Failure::Interrupted) } else { Ok(()) }
}
