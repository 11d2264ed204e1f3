//! `onward train`: compile, learn on the chip, test.

use crate::arguments::{DataArguments, HowToCompile, HowToLearn, HowToRun, WhatToSave};
use crate::failure::Failure;
use crate::job::Job;
use crate::ledger::Ledger;
use crate::{Outcome, terminal};
use onward_emulate::MachineError;
use std::path::PathBuf;

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
    compile: HowToCompile,
    #[command(flatten)]
    data: DataArguments,
    /// How often the training data is shown [default: what the network says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: Option<u32>,
    #[command(flatten)]
    learning: HowToLearn,
    /// Begin with these weights, of a file that `export` wrote
    #[arg(long, value_name = "W.npz")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    how: HowToRun,
    #[command(flatten)]
    saves: WhatToSave,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let Arguments { compile, learning, how, saves, .. } = arguments;
    let ledger = Ledger::default();
    let weights = arguments.weights.as_deref();
    weights.map_or(Ok(()), |weights| ledger.reads(weights))?;
    let files = saves.prepare(&ledger)?;
    let (source, mut image) = compile.compile(&arguments.network, &ledger)?;
    let dataset = arguments.data.load(&image, &arguments.network, &ledger)?;
    let options = how.options(compile.seed);
    let failed = |error: MachineError| Failure::session(&source.name, &error.into());
    let learns = image.learns();
    let engine = match learns {
        true => how.engine(&image, options).map_err(failed)?,
        false => {
            check_without_learning(learning, saves)?;
            how.engine_taking(&mut image, options).map_err(failed)?
        }
    };
    let saves = &files;
    let job = Job { command: "train", name: &source.name, image: &image, dataset: &dataset, options, weights, saves };
    match learns {
        true => job.learn(engine, learning, learning.epochs(arguments.epochs, &image)?),
        false => job.test(engine, None),
    }
}

/// Says that the network learns nothing, and refuses what is for one that does.
fn check_without_learning(learning: &HowToLearn, saves: &WhatToSave) -> Outcome {
    if saves.output.is_some() {
        let help = "compile it with `onward compile -o`; it stays what it is";
        return Err(Failure::input("the network learns nothing that could be saved", help));
    }
    if let Some(option) = learning.given(saves) {
        let message = format!("the network learns nothing, and {option} is for one that does");
        return Err(Failure::input(message, "leave it out, or give the network `learning`"));
    }
    terminal::print("The network learns nothing: none of its layers has `learning`. It is tested as it is.\n\n")
}
