//! Arguments that several commands take.

use crate::failure::Failure;
use crate::files::{Output, read_json, read_network};
use crate::progress::PassMonitor;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use onward_chip::{BUILTIN_CHIPS, Chip};
use onward_compile::placement::{Objective, Strategy};
use onward_compile::{Options, Placing};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, MachineError, reference};
use onward_image::Image;
use onward_run::{Epochs, Learners};
use std::path::{Path, PathBuf};

/// The chip where none is named.
const DEFAULT_CHIP: &str = "middle";

/// The chip that something is compiled or assembled for.
#[derive(Args)]
pub struct ChipArgument {
    #[arg(long, value_name = "CHIP", help = chip_help())]
    chip: Option<String>,
}

fn chip_help() -> String {
    let names: Vec<&str> = BUILTIN_CHIPS.iter().map(|(name, _)| *name).collect();
    format!("Built-in chip ({}) or path of a chip file [default: {DEFAULT_CHIP}]", names.join(", "))
}

impl ChipArgument {
    /// Whether a chip was named.
    pub fn is_given(&self) -> bool {
        self.chip.is_some()
    }

    /// The path that is read, where the name is not that of a built-in chip.
    pub fn path(&self) -> &Path {
        Path::new(self.name())
    }

    /// Loads the chip.
    ///
    /// # Errors
    /// There is no such chip, or its file breaks a rule.
    pub fn load(&self) -> Result<Chip, Failure> {
        Ok(Chip::load(self.name())?)
    }

    fn name(&self) -> &str {
        self.chip.as_deref().unwrap_or(DEFAULT_CHIP)
    }
}

/// How a network's text becomes an image.
#[derive(Args)]
pub struct HowToCompile {
    #[command(flatten)]
    pub chip: ChipArgument,
    /// Give a parameter of the text another value; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
    /// Draws all that is drawn: initial weights, and in a run the order of the samples and the chip's random bits
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How blocks find their cores; nothing of that changes an answer
    #[arg(long, value_name = "STRATEGY", default_value = "annealed", value_parser = one_of(Strategy::ALL.map(|strategy| (strategy.name(), strategy))))]
    place: Strategy,
    /// What their places are chosen for
    #[arg(long, value_name = "OBJECTIVE", default_value = "hops", value_parser = one_of(Objective::ALL.map(|objective| (objective.name(), objective))))]
    objective: Objective,
    /// Place for what a run sent (`--save-traffic`), not for an estimate
    #[arg(long, value_name = "FILE.json")]
    traffic: Option<PathBuf>,
}

/// What `--set` is given: a parameter's name and its value.
fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write NAME=VALUE, as in `--set hidden=256`".to_owned()),
    }
}

/// Takes one of these names for the value beside it.
pub fn one_of<T: Clone + Send + Sync + 'static, const N: usize>(
    values: [(&'static str, T); N],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(values.clone().map(|(name, _)| name)).map(move |name| {
        let found = values.iter().find(|(known, _)| *known == name);
        found.expect("one of the possible values").1.clone()
    })
}

impl HowToCompile {
    /// The files that are read beside the network's text.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.chip.path()).chain(self.traffic.as_deref())
    }

    /// The compiler's options.
    ///
    /// # Errors
    /// Chip or traffic cannot be read.
    pub fn options(&self) -> Result<Options, Failure> {
        let help = "`onward train NET.sp --save-traffic FILE.json` writes one";
        let read = |path| read_json(path, "a measurement of traffic", help);
        let traffic = self.traffic.as_deref().map(read).transpose()?;
        let placing = Placing { strategy: self.place, objective: self.objective, traffic };
        Ok(Options { placing, ..Options::new(self.chip.load()?, self.seed) })
    }

    /// Compiles a network's text, and shows which pass is at work once it takes long.
    ///
    /// # Errors
    /// Something cannot be read, or the text has mistakes.
    pub fn compile(&self, network: &Path) -> Result<(Source, Image), Failure> {
        let options = self.options()?;
        let source = read_network(network, &self.set)?;
        let monitor = PassMonitor::new(None);
        let image = onward_compile::compile_with(&source, &options, |pass, _| monitor.done(pass));
        drop(monitor);
        let image = image.map_err(|errors| Failure::diagnostics(&source, &errors))?;
        Ok((source, image))
    }
}

/// Which engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EngineChoice {
    /// Whole vectors at once, on threads.
    Fast,
    /// One element after the other, written to be obviously right.
    Reference,
}

/// Engines by name.
const ENGINES: [(&str, EngineChoice); 2] = [("fast", EngineChoice::Fast), ("reference", EngineChoice::Reference)];
/// Whether time is kept, by name.
const TIMINGS: [(&str, bool); 2] = [("cycle", true), ("none", false)];

/// How the emulator runs. Nothing here changes an answer.
#[derive(Args)]
pub struct HowToRun {
    /// Keep time to the cycle, or leave it out; the answers are the same
    #[arg(long, value_name = "cycle|none", default_value = "cycle", hide_possible_values = true, action = ArgAction::Set, value_parser = one_of(TIMINGS))]
    timing: bool,
    /// Host threads [default: all this computer has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The fast engine, or the plain one that it is held against; the answers are the same
    #[arg(long, value_name = "fast|reference", default_value = "fast", hide_possible_values = true, value_parser = one_of(ENGINES))]
    engine: EngineChoice,
}

impl HowToRun {
    /// The emulator's options.
    pub fn options(&self, seed: u64) -> onward_emulate::Options {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.map_or_else(all, usize::from);
        onward_emulate::Options { seed, timing: self.timing, threads }
    }

    /// The engine that was asked for, with an image loaded.
    ///
    /// # Errors
    /// No machine can be made of the image.
    pub fn engine(&self, image: &Image, options: onward_emulate::Options) -> Result<Box<dyn Engine>, MachineError> {
        Ok(match self.engine {
            EngineChoice::Fast => Box::new(Machine::new(image, options)?),
            EngineChoice::Reference => Box::new(reference::Machine::new(image, options)?),
        })
    }

    /// The same, where nobody needs the contents of the image's memories any more: they go into the engine.
    ///
    /// # Errors
    /// No machine can be made of the image.
    pub fn engine_taking(
        &self,
        image: &mut Image,
        options: onward_emulate::Options,
    ) -> Result<Box<dyn Engine>, MachineError> {
        Ok(match self.engine {
            EngineChoice::Fast => Box::new(Machine::taking(image, options)?),
            EngineChoice::Reference => self.engine(image, options)?,
        })
    }
}

/// What of learning is on, and how fast.
#[derive(Args)]
pub struct HowToLearn {
    /// Learning rates fall as in a run of so many epochs in all [default: those learned before and these]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    of: Option<u32>,
    /// Divide all learning rates by 2^N, beside what the text schedules
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-16..=16))]
    pub rate_shift: i32,
    /// Let only these layers learn
    #[arg(long, value_name = "LAYER", value_delimiter = ',', conflicts_with = "freeze")]
    layers: Vec<String>,
    /// Keep these layers from learning
    #[arg(long, value_name = "LAYER", value_delimiter = ',')]
    freeze: Vec<String>,
}

impl HowToLearn {
    /// An option that was given though it is for a run that learns.
    pub fn given(&self, saves: &WhatToSave) -> Option<&'static str> {
        let all = [
            ("--of", self.of.is_some()),
            ("--rate-shift", self.rate_shift != 0),
            ("--layers", !self.layers.is_empty()),
            ("--freeze", !self.freeze.is_empty()),
            ("--export", saves.export.is_some()),
            ("--output", saves.output.is_some()),
        ];
        all.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    /// The epochs that are learned: so many, or as many as the network says, after those that the image has learned.
    ///
    /// # Errors
    /// The run would go on beyond its end.
    pub fn epochs(&self, count: Option<u32>, image: &Image) -> Result<Epochs, Failure> {
        let (first, count) = (image.learned.epochs, count.unwrap_or(image.network.epochs));
        let last = first.saturating_add(count);
        if let Some(of) = self.of.filter(|&of| of < last) {
            let message = format!("--of {of}: the run goes on to epoch {last}");
            return Err(Failure::input(message, format!("learn fewer epochs (--epochs), or say --of {last}")));
        }
        Ok(Epochs { first, count, of: self.of.unwrap_or(last) })
    }

    /// The layers that learn.
    pub fn learners(&self) -> Learners {
        match (&self.layers[..], &self.freeze[..]) {
            ([], []) => Learners::All,
            ([], frozen) => Learners::Except(frozen.to_vec()),
            (layers, _) => Learners::Only(layers.to_vec()),
        }
    }
}

/// Where what comes of a run goes.
#[derive(Args)]
pub struct WhatToSave {
    /// Save the image with what was learned
    #[arg(short, long, value_name = "IMAGE.onw")]
    pub output: Option<PathBuf>,
    /// Save what was learned as arrays: real numbers and integers
    #[arg(long, value_name = "W.npz")]
    pub export: Option<PathBuf>,
    /// Write the results for machines
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Save how many packets were sent, for `--traffic` of `compile` and `train`
    #[arg(long, value_name = "FILE.json")]
    pub save_traffic: Option<PathBuf>,
}

impl WhatToSave {
    /// All files but the image, which may take the place of the one that is run.
    pub fn reports(&self) -> [Option<&Path>; 3] {
        [&self.export, &self.json, &self.save_traffic].map(Option::as_deref)
    }

    /// All files.
    pub fn all(&self) -> Vec<Option<&Path>> {
        [&[self.output.as_deref()], &self.reports()[..]].concat()
    }

    /// Checks that they can be written.
    ///
    /// # Errors
    /// One of them cannot.
    pub fn prepare(&self) -> Result<Saves, Failure> {
        let prepare = |path: &Option<PathBuf>| path.as_deref().map(Output::prepare).transpose();
        Ok(Saves {
            image: prepare(&self.output)?,
            export: prepare(&self.export)?,
            json: prepare(&self.json)?,
            traffic: prepare(&self.save_traffic)?,
        })
    }
}

/// The files of [`WhatToSave`], which can be written.
pub struct Saves {
    pub image: Option<Output>,
    pub export: Option<Output>,
    pub json: Option<Output>,
    pub traffic: Option<Output>,
}
