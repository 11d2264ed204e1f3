//! `onward run`: run an image.

use super::HowToRun;
use super::train::Learning;
use crate::failure::Failure;
use crate::files::{Output, read_costs, read_data, read_image};
use crate::progress::Monitor;
use crate::results::{Results, Run};
use crate::{Outcome, report, terminal};
use onward_run::Session;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward run digits.onw --data digits                        test what it has learned
  onward run digits.onw --data digits --learn -o more.onw    learn on

An image that `compile` made has learned nothing yet; `train -o` saves one that has.";

/// Run an image: test what it has learned, or learn
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The image
    #[arg(value_name = "IMAGE.onw")]
    image: PathBuf,
    /// Built-in data (digits) or folder of IDX files [default: what the network names]
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Learn from the training samples before each test
    #[arg(long)]
    learn: bool,
    /// How often the training data is shown [default: what the network says]
    #[arg(long, value_name = "N", requires = "learn", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    epochs: Option<u32>,
    /// Draws the order of the samples and the chip's random bits [default: the seed it was compiled with]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    how: HowToRun,
    /// Save the image with what was learned
    #[arg(short, long, value_name = "IMAGE.onw", requires = "learn")]
    output: Option<PathBuf>,
    /// Write the results for machines
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let image = read_image(&arguments.image)?;
    let dataset = read_data(arguments.data.as_deref(), &image)?;
    let name = arguments.image.display().to_string();
    let options = arguments.how.options(arguments.seed.unwrap_or(image.network.seed));
    if arguments.learn {
        let learning = Learning {
            command: "run",
            name: &name,
            image: &image,
            dataset: &dataset,
            epochs: arguments.epochs.unwrap_or(image.network.epochs),
            options,
            output: arguments.output.as_deref(),
            json: arguments.json.as_deref(),
        };
        return learning.run();
    }
    let json = arguments.json.as_deref().map(Output::prepare).transpose()?;
    let costs = read_costs(&image)?;
    let failed = |error| Failure::session(&name, &error);
    let mut session = Session::new(&image, options).map_err(failed)?;
    terminal::print(&report::opening(&image, &dataset, options.seed))?;
    let mut monitor = Monitor::new(0, &dataset)?;
    let tested = onward_run::test(&mut session, &image, &dataset, |progress| monitor.tell(progress));
    monitor.finish();
    let tested = tested.map_err(failed)?;
    let host_time = monitor.elapsed();
    let run = Run { command: "run", image: &image, data: &dataset.name, options, costs: &costs, host_time };
    let results = Results::new(&run, &tested);
    if let Some(json) = &json {
        json.write_json(&results)?;
    }
    terminal::print(&report::report(&results))?;
    terminal::print(&report::written([&json]))?;
    if tested.interrupted { Err(Failure::Interrupted) } else { Ok(()) }
}
