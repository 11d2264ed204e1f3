//! `onward train`: compile, learn on the chip, test.

use crate::arguments::{DataArguments, HowToCompile, HowToLearn, HowToRun, Saves, WhatToSave, WhatToTell};
use crate::checkpoint::CheckpointArguments;
use crate::documents;
use crate::failure::Failure;
use crate::faults::{self, FaultRecord, GivenFaults};
use crate::job::Job;
use crate::ledger::Ledger;
use crate::probes::{ProbeArguments, StepRange};
use crate::profile::Profiling;
use crate::record::{RecordArgument, RunRecord};
use crate::{Outcome, report, terminal};
use onward_emulate::MachineError;
use onward_profile::{Results, SeedResults};
use onward_run::data::Dataset;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward train programs/digits.sp
  onward train programs/digits.sp --chip small --epochs 10 --json digits.json
  onward train programs/mnist.sp --data DATA/mnist --timing none -o mnist.onw
  onward train programs/digits.sp --validate 0.1 --seeds 3    the best epoch, chosen without the test samples
  onward train programs/digits.sp --epochs 10 --of 30 -o part.onw    then `run part.onw --learn --epochs 20`
  onward train programs/mnist.sp --data DATA/mnist --checkpoint mnist.ckpt    killed, the same command goes on

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
    probes: ProbeArguments,
    #[command(flatten)]
    steps: StepRange,
    /// Run with each of several seeds, as 3 (for 1, 2 and 3), 1..3 or 1,5,9, and report mean and deviation
    #[arg(long, value_name = "SEEDS", value_parser = parse_seeds, conflicts_with = "seed")]
    seeds: Option<Seeds>,
    #[command(flatten)]
    checkpoint: CheckpointArguments,
    #[command(flatten)]
    record: RecordArgument,
    #[command(flatten)]
    saves: WhatToSave,
    #[command(flatten)]
    tells: WhatToTell,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let Arguments { compile, learning, how, saves, tells, .. } = arguments;
    let ledger = Ledger::default();
    let weights = arguments.weights.as_deref();
    weights.map_or(Ok(()), |weights| ledger.reads(weights))?;
    let record = arguments.record.prepare(
        &[
            ("--seeds", arguments.seeds.is_some()),
            ("--validate", learning.validation().is_some()),
            ("--checkpoint", arguments.checkpoint.is_given()),
            ("--faults", arguments.compile.faults.is_given()),
        ],
        &ledger,
    )?;
    if let Some(Seeds(seeds)) = &arguments.seeds {
        check_saves(saves, &how.profiling)?;
        if arguments.checkpoint.is_given() {
            let help = "run the seeds one by one, with --seed";
            return Err(Failure::input("--checkpoint is for a single run, and --seeds makes several", help));
        }
        if compile.faults.load(&ledger)?.is_some_and(|given| given.is_of_memories()) {
            let help = "run the seeds one by one, with --seed, or leave `[memory]` out of the fault file";
            return Err(Failure::input("bits of memories are wrong in a single run, and --seeds makes several", help));
        }
        if arguments.probes.is_any() {
            let help = "run the seed that you want to look into by itself, with --seed";
            return Err(Failure::input("--probe is for a single run, and --seeds makes several", help));
        }
        let files = saves.prepare(how, &ledger)?;
        return run_seeds(arguments, seeds, &files, &ledger);
    }
    let files = saves.prepare(how, &ledger)?;
    arguments.checkpoint.prepare(learning.validation().is_some(), &ledger)?;
    let probes = arguments.probes.prepare(&arguments.steps, how.profiling.is_trace(), &ledger)?;
    arguments.steps.trace(how.profiling.logs())?;
    let (source, mut image) = compile.compile(&arguments.network, compile.seed(), &ledger)?;
    let validation = learning.validation().filter(|_| image.learns());
    let dataset = arguments.data.load(&image, &arguments.network, &ledger, validation)?;
    let options = how.options(compile.seed());
    let failed = |error: MachineError| Failure::session(&source.name, &error.into());
    let learns = image.learns();
    let epochs = learning.epochs(arguments.epochs, &image)?;
    let checkpoints = match learns {
        true => {
            let more = format!("{epochs:?} {} {:?}", learning.rate_shift, learning.learners());
            arguments.checkpoint.open("train", (&image, &dataset, options.seed), weights, &more)?
        }
        false => None,
    };
    let goes_on;
    (image, goes_on) = arguments.checkpoint.go_on(checkpoints.as_ref(), image)?;
    let given = compile.faults.load(&ledger)?.filter(GivenFaults::is_of_memories);
    let (mut engine, injected) = match (learns, &given) {
        (_, Some(given)) => {
            let (engine, injected) = how.faulty_engine(&image, options, given).map_err(failed)?;
            (engine, Some(injected))
        }
        (true, None) => (how.engine(&image, options).map_err(failed)?, None),
        (false, None) => {
            check_without_learning(learning, saves)?;
            (how.engine_taking(&mut image, options).map_err(failed)?, None)
        }
    };
    let record = RunRecord::begin(record, &mut *engine, &image)?;
    let (engine, recorder) = probes.attach(engine, &image)?;
    let (name, saves) = (source.name.as_str(), &files);
    let recording = recorder.recording();
    let checkpoints = checkpoints.as_ref();
    let mut job = Job {
        command: "train",
        name,
        image: &image,
        dataset: &dataset,
        options,
        weights,
        checkpoints,
        goes_on,
        saves,
        tells,
        profiling: &how.profiling,
        recording,
        faults: None,
    };
    if let Some(injected) = injected {
        let sound = faults::sound_engine(&image, options).map_err(|error| Failure::session(name, &error.into()))?;
        let sound = match learns {
            true => Job { checkpoints: None, goes_on: None, recording: None, faults: None, ..job }
                .learn_quietly(sound, learning, epochs)?,
            false => job.test_quietly(sound)?,
        };
        job.faults = Some(FaultRecord { record: injected, sound });
    }
    let ran = match learns {
        true => job.learn(engine, learning, epochs),
        false => job.test(engine, None),
    };
    record.finish(recorder.finish(ran))
}

/// The same with each of several seeds, which draw all that is drawn but the samples that are kept apart.
fn run_seeds(arguments: &Arguments, seeds: &[u64], saves: &Saves, ledger: &Ledger) -> Outcome {
    let Arguments { compile, learning, how, tells, .. } = arguments;
    let weights = arguments.weights.as_deref();
    let mut loaded: Option<Dataset> = None;
    let mut runs: Vec<Results> = Vec::new();
    for &seed in seeds {
        let (source, image) = compile.compile(&arguments.network, seed, ledger)?;
        if !image.learns() {
            let help = "leave --seeds out: what is drawn for it is drawn by --seed";
            return Err(Failure::input("the network learns nothing, with whatever seed", help));
        }
        let dataset = match loaded.take() {
            Some(dataset) => dataset,
            None => arguments.data.load(&image, &arguments.network, ledger, learning.validation())?,
        };
        let (name, options) = (source.name.as_str(), how.options(seed));
        let engine = how.engine(&image, options).map_err(|error| Failure::session(name, &error.into()))?;
        let (checkpoints, goes_on) = (None, None);
        let job = Job {
            command: "train",
            name,
            image: &image,
            dataset: &dataset,
            options,
            weights,
            checkpoints,
            goes_on,
            saves,
            tells,
            profiling: &how.profiling,
            recording: None,
            faults: None,
        };
        if runs.is_empty() {
            terminal::print(&(report::opening_of_seeds(&image, &dataset, seeds) + &report::seeds_heading()))?;
        }
        let results = job.learn_quietly(engine, learning, learning.epochs(arguments.epochs, &image)?)?;
        terminal::print(&report::seed(&results))?;
        runs.push(results);
        loaded = Some(dataset);
        if runs.last().is_some_and(|run| run.interrupted) {
            break;
        }
    }
    let results = SeedResults::new("train", documents::arguments(), runs);
    terminal::print(&report::seeds(&results))?;
    if let Some(json) = &saves.json {
        json.write_json(&results)?;
    }
    terminal::print(&report::written([saves.json.as_ref()]))?;
    if results.runs.iter().any(|run| run.interrupted) { Err(Failure::Interrupted) } else { Ok(()) }
}

/// Refuses what of several runs could only be of one.
fn check_saves(saves: &WhatToSave, profiling: &Profiling) -> Outcome {
    let WhatToSave { output, export, answers, save_traffic, json: _ } = saves;
    let all = [("--output", output), ("--export", export), ("--answers", answers), ("--save-traffic", save_traffic)];
    let given = all.into_iter().map(|(option, path)| (option, path.is_some()));
    match given
        .chain([("--profile-output", profiling.is_written()), ("--report", profiling.is_page())])
        .find(|(_, is_given)| *is_given)
    {
        Some((option, _)) => {
            let help = "run the seed whose result you want by itself, with --seed";
            Err(Failure::input(format!("{option} is for a single run, and --seeds makes several"), help))
        }
        None => Ok(()),
    }
}

/// Several seeds: `3` for the first three, `2..4` for these, `1,5,9` for those, `7,` for that one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seeds(Vec<u64>);

/// As many seeds as a command runs.
const MOST_SEEDS: u64 = 1000;

fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let wrong = || format!("write how many, as 3, or which, as 1..3 or 1,5,9; up to {MOST_SEEDS}");
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    let seeds: Vec<u64> = if let Some((first, last)) = text.split_once("..") {
        let (first, last) = (number(first)?, number(last.trim_start_matches('='))?);
        if last.checked_sub(first).is_none_or(|more| more >= MOST_SEEDS) {
            return Err(wrong());
        }
        (first..=last).collect()
    } else if text.contains(',') {
        text.trim_end_matches(',').split(',').map(number).collect::<Result<_, _>>()?
    } else {
        let count = number(text)?;
        if !(1..=MOST_SEEDS).contains(&count) {
            return Err(wrong());
        }
        (1..=count).collect()
    };
    let mut sorted = seeds.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() < seeds.len() { Err("a seed stands there twice".to_owned()) } else { Ok(Seeds(seeds)) }
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
