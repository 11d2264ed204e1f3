//! `onward export`: what an image has learned, as arrays for other tools.

use crate::failure::Failure;
use crate::files::{Output, read_image};
use crate::ledger::Ledger;
use crate::{Outcome, job, report, terminal};
use onward_emulate::{Machine, Options};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward export digits.onw -o digits.npz
  onward run blank.onw --weights digits.npz --data digits

Of each layer that learns there are `LAYER.weight` and, where the target comes in, `LAYER.target_weight`,
[neuron][axon]; `LAYER.bias`; `LAYER.target_count`, what each class last evoked, by which answers are
found; and `LAYER.mean_count`. `NAME.integer` is what lies on the chip: the same times a power of two.";

/// Write what an image has learned as arrays (NumPy's .npz)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The image
    #[arg(value_name = "IMAGE.onw")]
    image: PathBuf,
    /// Where the arrays go
    #[arg(short, long, value_name = "W.npz")]
    output: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let output = Output::prepare(&arguments.output, &ledger)?;
    let image = read_image(&arguments.image, &ledger)?;
    let options = Options { seed: image.network.seed, timing: false, threads: 1 };
    let machine = Machine::new(&image, options)
        .map_err(|error| Failure::session(&arguments.image.display().to_string(), &error.into()))?;
    job::export(&onward_run::learned_arrays(&machine, &image), &output)?;
    terminal::print(report::written([Some(&output)]).trim_start())
}
