//! `onward bandit`: learn from rewards alone.

use crate::Outcome;
use crate::arguments::{DataArguments, HowToCompile, HowToRun, WhatToSave, WhatToTell};
use crate::checkpoint::CheckpointArguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::ledger::Ledger;
use onward_run::Bandit;
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
    compile: HowToCompile,
    #[command(flatten)]
    data: DataArguments,
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
    #[command(flatten)]
    how: HowToRun,
    #[command(flatten)]
    checkpoint: CheckpointArguments,
    #[command(flatten)]
    saves: WhatToSave,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let Arguments { compile, how, saves, .. } = arguments;
    let ledger = Ledger::default();
    let saves = &saves.prepare(how, &ledger)?;
    arguments.checkpoint.prepare(false, &ledger)?;
    compile.faults.only_dead(&ledger)?;
    let (source, image) = compile.compile(&arguments.network, compile.seed(), &ledger)?;
    let dataset = arguments.data.load(&image, &arguments.network, &ledger, None)?;
    if !image.learns() {
        let help = "give it a target and layers that learn";
        return Err(Failure::input("the network learns nothing: it is shown no targets", help));
    }
    let options = how.options(compile.seed());
    let bandit = Bandit {
        trials: arguments.trials as usize,
        explore: arguments.explore,
        explore_trials: arguments.explore_trials as usize,
        others: arguments.others.unwrap_or(u32::MAX),
    };
    let given = (&image, &dataset, options.seed);
    let checkpoints = arguments.checkpoint.open("bandit", given, None, &format!("{bandit:?}"))?;
    let (image, goes_on) = arguments.checkpoint.go_on(checkpoints.as_ref(), image)?;
    let engine = how.engine(&image, options).map_err(|error| Failure::session(&source.name, &error.into()))?;
    let tells = &WhatToTell { by_class: false, training_accuracy: false };
    let job = Job {
        tells,
        profiling: &how.profiling,
        command: "bandit",
        name: &source.name,
        image: &image,
        dataset: &dataset,
        options,
        weights: None,
        checkpoints: checkpoints.as_ref(),
        goes_on,
        saves,
        recording: None,
        faults: None,
    };
    job.play(engine, &bandit)
}
