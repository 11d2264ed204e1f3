//! `onward run`: run an image, or a system in assembly.

use super::run_assembly::{Assembly, AssemblyArguments};
use super::stream;
use super::trace::{self, Trace};
use crate::Outcome;
use crate::arguments::{DataArguments, HowToLearn, HowToRun, WhatToSave, WhatToTell};
use crate::checkpoint::CheckpointArguments;
use crate::failure::Failure;
use crate::faults::{self, FaultArgument, FaultRecord};
use crate::files::{Output, read_image};
use crate::job::Job;
use crate::ledger::Ledger;
use crate::probes::{ProbeArguments, StepRange};
use crate::proof::note_unproven;
use crate::record::{RecordArgument, RunRecord};
use crate::warnings::Warnings;
use onward_emulate::MachineError;
use onward_image::Image;
use onward_run::{Session, SessionError};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  onward run digits.onw --data digits                        test what it has learned
  onward run digits.onw --data digits --learn -o more.onw    learn on
  onward run digits.onw --learn --epochs 5 --layers hidden2 --rate-shift 1
  camera | onward run events.onw --stream -                  answer events as they come
  onward run programs/lif.s --chip small                     run a system written in assembly
  onward run digits.onw --data digits --trace-instructions 0,1 --from 8 --to 9
  onward run digits.onw --learn --waveform learning.vcd --waveform-cores 5 --to 31

An image that `compile` made has learned nothing yet; `train -o` saves one that has. A trace, or a
waveform, is made by the reference engine, and the run ends with the last step that is traced;
`onward trace-diff` compares two traces.";

/// Run an image (test what it has learned, or learn) or a system in assembly
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The image, or the assembly
    #[arg(value_name = "IMAGE.onw|FILE.s")]
    file: PathBuf,
    #[command(flatten)]
    data: DataArguments,
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
    #[command(flatten)]
    probes: ProbeArguments,
    #[command(flatten)]
    steps: StepRange,
    /// Begin with these weights, of a file that `export` wrote
    #[arg(long, value_name = "W.npz")]
    weights: Option<PathBuf>,
    /// Write the spikes of a network that reads out spikes: rows of sample, step and neuron
    #[arg(long, value_name = "FILE.npy", conflicts_with = "learn")]
    spikes: Option<PathBuf>,
    /// Show events as they come from a file or, with -, from standard input, and print what is answered to each window
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["data", "test", "learn", "trace_instructions", "probes", "weights", "spikes", "output", "export", "answers", "json", "record", "save_traffic", "by_class", "training_accuracy"])]
    stream: Option<PathBuf>,
    #[command(flatten)]
    faults: FaultArgument,
    #[command(flatten)]
    checkpoint: CheckpointArguments,
    #[command(flatten)]
    record: RecordArgument,
    #[command(flatten)]
    saves: WhatToSave,
    #[command(flatten)]
    tells: WhatToTell,
    #[command(flatten)]
    warnings: Warnings,
    #[command(flatten)]
    assembly: AssemblyArguments,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    if arguments.file.extension().is_some_and(|extension| extension == "s") {
        return arguments.assembly().run();
    }
    arguments.check_chip()?;
    let ledger = Ledger::default();
    let weights = arguments.weights.as_deref();
    weights.map_or(Ok(()), |weights| ledger.reads(weights))?;
    let files = arguments.saves.prepare(&arguments.how, &ledger)?;
    arguments.checkpoint.prepare(arguments.learning.validation().is_some(), &ledger)?;
    let spikes = arguments.spikes.as_deref().map(|path| Output::prepare(path, &ledger)).transpose()?;
    let is_trace = arguments.trace.is_any() || arguments.how.profiling.is_trace();
    let probes = arguments.probes.prepare(&arguments.steps, is_trace, &ledger)?;
    arguments.steps.trace(arguments.how.profiling.logs())?;
    let record = arguments.record.prepare(
        &[
            ("--validate", arguments.learning.validation().is_some()),
            ("--checkpoint", arguments.checkpoint.is_given()),
            ("--faults", arguments.faults.is_given()),
            ("--trace-instructions", arguments.trace.is_any()),
        ],
        &ledger,
    )?;
    let mut image = read_image(&arguments.file, &ledger)?;
    note_unproven(&arguments.file, &image);
    arguments.check_learning(&image)?;
    arguments.warnings.show_of_image(&image)?;
    if let Some(path) = &arguments.stream {
        return arguments.stream(&image, path, &ledger);
    }
    let dataset = arguments.data.load(&image, &arguments.file, &ledger, arguments.learning.validation())?;
    let Arguments { how, learning, saves, .. } = arguments;
    let name = arguments.file.display().to_string();
    let options = how.options(arguments.seed.unwrap_or(image.network.seed));
    if let Some(tracing) = arguments.trace.tracing(&image, &arguments.steps, &ledger)? {
        if saves.json.is_some() || saves.save_traffic.is_some() || probes.is_any() {
            return Err(Failure::input(
                "a run that is traced ends with the trace, and makes no report",
                "leave --json, --save-traffic, --probe or what is traced out",
            ));
        }
        return match arguments.learn {
            true => {
                let how = (learning, learning.epochs(arguments.epochs, &image)?);
                trace::learning(&image, &name, &dataset, options, tracing, how)
            }
            false => trace::samples(&image, &name, &dataset, options, tracing),
        };
    }
    let epochs = learning.epochs(arguments.epochs, &image)?;
    let checkpoints = match arguments.learn {
        true => {
            let more = format!("{epochs:?} {} {:?}", learning.rate_shift, learning.learners());
            arguments.checkpoint.open("run", (&image, &dataset, options.seed), weights, &more)?
        }
        false => None,
    };
    let goes_on;
    (image, goes_on) = arguments.checkpoint.go_on(checkpoints.as_ref(), image)?;
    let failed = |error: MachineError| Failure::session(&name, &error.into());
    let given = arguments.faults.load(&ledger)?;
    given.as_ref().map_or(Ok(()), |given| given.check(&image))?;
    let (mut engine, injected) = match &given {
        Some(given) => {
            let (engine, injected) = how.faulty_engine(&image, options, given).map_err(failed)?;
            (engine, Some(injected))
        }
        None if arguments.learn => (how.engine(&image, options).map_err(failed)?, None),
        None => (how.engine_taking(&mut image, options).map_err(failed)?, None),
    };
    let record = RunRecord::begin(record, &mut *engine, &image)?;
    let (engine, recorder) = probes.attach(engine, &image)?;
    let saves = &files;
    let mut job = Job {
        tells: &arguments.tells,
        profiling: &how.profiling,
        recording: recorder.recording(),
        command: how.profiling.command(),
        name: &name,
        image: &image,
        dataset: &dataset,
        options,
        weights,
        checkpoints: checkpoints.as_ref(),
        goes_on,
        saves,
        faults: None,
    };
    if let Some(injected) = injected {
        let sound = faults::sound_engine(&image, options).map_err(failed)?;
        let sound = match arguments.learn {
            true => Job { checkpoints: None, goes_on: None, recording: None, faults: None, ..job }
                .learn_quietly(sound, learning, epochs)?,
            false => job.test_quietly(sound)?,
        };
        job.faults = Some(FaultRecord { record: injected, sound });
    }
    let ran = match arguments.learn {
        true => job.learn(engine, learning, epochs),
        false => job.test(engine, spikes.as_ref()),
    };
    record.finish(recorder.finish(ran))
}

impl Arguments {
    /// What is run.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Asks for a profile.
    pub fn profile(&mut self) {
        self.how.profiling.turn_on();
    }

    /// Answers events as they come.
    fn stream(&self, image: &Image, path: &Path, ledger: &Ledger) -> Outcome {
        let name = self.file.display().to_string();
        let failed = |error: SessionError| Failure::session(&name, &error);
        let options = self.how.options(self.seed.unwrap_or(image.network.seed));
        let engine = self.how.engine(image, options).map_err(|error| failed(error.into()))?;
        let session = Session::with(image, engine).map_err(failed)?;
        stream::run(image, session, &name, path, ledger, &self.how.profiling)
    }

    /// No chip is given for an image, which is for one already.
    fn check_chip(&self) -> Outcome {
        if self.assembly.is_any() {
            let help = "an image is for the chip it was compiled for; compile it again with --chip, or name a file that ends in .s";
            return Err(Failure::input(
                "--chip, --chip-set, --technology and --show are for systems in assembly",
                help,
            ));
        }
        Ok(())
    }

    /// Nothing is asked for that only a run that learns could do.
    fn check_learning(&self, image: &Image) -> Outcome {
        if self.learn && !image.learns() {
            let help = "leave --learn out, or compile a network with `learning`";
            return Err(Failure::input("the network learns nothing: the host shows it no targets", help));
        }
        let checkpoint = self.checkpoint.is_given().then_some("--checkpoint");
        match self.learning.given(&self.saves).or(checkpoint).filter(|_| !self.learn) {
            Some(option) => {
                Err(Failure::input(format!("{option} is for a run that learns"), "add --learn, or leave it out"))
            }
            None => Ok(()),
        }
    }

    fn assembly(&self) -> Assembly<'_> {
        Assembly {
            file: &self.file,
            seed: self.seed,
            arguments: &self.assembly,
            how: &self.how,
            trace: &self.trace,
            probes: &self.probes,
            steps: &self.steps,
            json: self.saves.json.as_deref(),
            foreign: [
                ("--data", self.data.data.is_some()),
                ("--test", self.data.test.is_some()),
                ("--answers", self.saves.answers.is_some()),
                ("--stream", self.stream.is_some()),
                ("--by-class", self.tells.by_class),
                ("--training-accuracy", self.tells.training_accuracy),
                ("--learn", self.learn),
                ("--checkpoint", self.checkpoint.is_given()),
                ("--output", self.saves.output.is_some()),
                ("--export", self.saves.export.is_some()),
                ("--spikes", self.spikes.is_some()),
                ("--weights", self.weights.is_some()),
                ("--save-traffic", self.saves.save_traffic.is_some()),
                ("--record", self.record.is_given()),
            ],
        }
    }
}
