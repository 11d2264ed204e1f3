//! Arguments that several commands take.

use crate::failure::Failure;
use crate::faults::{FaultArgument, GivenFaults};
use crate::files::{Output, read_json, read_network};
use crate::ledger::Ledger;
use crate::profile::Profiling;
use crate::progress::PassMonitor;
use crate::terminal::{BOLD, styled};
use crate::warnings::Warnings;
use anstream::eprintln;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use onward_chip::{BUILTIN_CHIPS, BUILTIN_TECHNOLOGIES, Chip, Design};
use onward_compile::{Options, Placing, Product, SmallerBlock};
use onward_diagnostic::{Diagnostic, Source};
use onward_emulate::{Engine, Machine, MachineError, Upset, UpsetRecord, reference};
use onward_image::FITTED;
use onward_image::Image;
use onward_net::Network;
use onward_place::{Objective, Strategy};
use onward_run::data::{Dataset, Share};
use onward_run::{Epochs, Learners};
use std::path::{Path, PathBuf};

/// The chip where none is named.
pub const DEFAULT_CHIP: &str = "middle";

/// What is written for the smallest chip of the family that a network fits on.
const AUTO: &str = "auto";

/// The chip that something is compiled or assembled for.
#[derive(Args)]
pub struct ChipArgument {
    #[arg(long, value_name = "CHIP", help = chip_help())]
    chip: Option<String>,
    /// Give a key of the chip another value, as in core.lanes=8 (`onward chip show CHIP` lists them); may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting)]
    chip_set: Vec<(String, String)>,
    #[arg(long, value_name = "TECHNOLOGY", help = technology_help())]
    technology: Option<String>,
}

/// What `--technology` says of itself.
pub fn technology_help() -> String {
    let names: Vec<&str> = BUILTIN_TECHNOLOGIES.iter().map(|(name, _)| *name).collect();
    format!("Built-in technology ({}) or path of a technology file [default: what the chip says]", names.join(", "))
}

fn chip_help() -> String {
    let names: Vec<&str> = BUILTIN_CHIPS.iter().map(|(name, _)| *name).collect();
    format!(
        "Built-in chip ({}) or path of a chip file; for a network also `{AUTO}`, the smallest of these and of larger meshes of \
         them that it fits on [default: {DEFAULT_CHIP}]",
        names.join(", ")
    )
}

impl ChipArgument {
    /// Whether a chip was named, or changed.
    pub fn is_given(&self) -> bool {
        self.chip.is_some() || !self.chip_set.is_empty() || self.technology.is_some()
    }

    /// Loads the chip.
    ///
    /// # Errors
    /// There is no such chip, its file or a setting breaks a rule, or its clock cannot exist.
    pub fn load(&self, ledger: &Ledger) -> Result<Chip, Failure> {
        ledger.reads_chip(self.name())?;
        let chip = Design::load(self.name(), &self.chip_set, self.technology.as_deref())?.chip;
        ledger.reads_technology(&chip.technology)?;
        Ok(chip)
    }

    /// Whether the chip is to be found.
    fn is_auto(&self) -> bool {
        self.chip.as_deref() == Some(AUTO)
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
    /// Draws all that is drawn: initial weights, and in a run the order of the samples and the chip's random bits [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How blocks find their cores; nothing of that changes an answer
    #[arg(long, value_name = "STRATEGY", default_value = "annealed", value_parser = one_of(Strategy::ALL.map(|strategy| (strategy.name(), strategy))))]
    place: Strategy,
    /// What their places are chosen for
    #[arg(long, value_name = "OBJECTIVE", default_value = "hops", value_parser = one_of(Objective::ALL.map(|objective| (objective.name(), objective))))]
    objective: Objective,
    /// Place for what a run sent (`--save-traffic`), not for an estimate
    #[arg(long, value_name = "FILE.json")]
    traffic: Option<PathBuf>,
    /// Let layers that learn have smaller blocks where theirs do not fit a core; they learn otherwise then
    #[arg(long)]
    fit: bool,
    #[command(flatten)]
    pub warnings: Warnings,
    #[command(flatten)]
    pub faults: FaultArgument,
}

/// What `--set` is given: a parameter's name and its value.
pub fn parse_setting(text: &str) -> Result<(String, String), String> {
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
    /// What draws all that is drawn.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(1)
    }

    /// An option that was given and says how to compile; the places of blocks, which change nothing, are not looked at.
    pub fn given(&self) -> Option<&'static str> {
        let all = [
            ("--chip, --chip-set or --technology", self.chip.is_given()),
            ("--set", !self.set.is_empty()),
            ("--traffic", self.traffic.is_some()),
        ];
        all.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    /// The compiler's options.
    ///
    /// # Errors
    /// Chip or traffic cannot be read.
    pub fn options(&self, ledger: &Ledger) -> Result<Options, Failure> {
        let help = "`onward train NET.sp --save-traffic FILE.json` writes one";
        let read = |path| read_json(path, "a measurement of traffic", help, ledger);
        let traffic = self.traffic.as_deref().map(read).transpose()?;
        let placing = Placing { strategy: self.place, objective: self.objective, traffic };
        if !self.chip.is_auto() {
            let chip = self.faults.on(self.chip.load(ledger)?, ledger)?;
            return Ok(Options { placing, ..Options::new(chip, self.seed()) });
        }
        if self.faults.is_given() {
            let message = format!("--faults says what is broken of a chip, and --chip {AUTO} looks for one");
            return Err(Failure::input(message, "name a chip"));
        }
        if !self.chip.chip_set.is_empty() || self.chip.technology.is_some() {
            let message = format!("--chip {AUTO} looks for one of the built-in chips and their meshes as they are");
            return Err(Failure::input(message, "leave out --chip-set and --technology, or name a chip"));
        }
        // Any does until the network is known.
        let chip = Chip::load(DEFAULT_CHIP)?;
        Ok(Options { placing, ..Options::new(chip, self.seed()) })
    }

    /// Chooses the chip if that is to be found. `network` is what was read, if it was; else `source` is parsed.
    ///
    /// # Errors
    /// The text has mistakes, or no chip of the family has room.
    pub fn choose_chip(
        &self,
        options: &mut Options,
        network: Option<&Network>,
        source: &Source,
    ) -> Result<(), Failure> {
        if self.chip.is_auto() {
            let chips = onward_chip::family().map_err(|what| Failure::input(what, "name a chip with --chip"))?;
            options.chip = onward_compile::first_fitting(network, source, options, &chips)
                .map_err(|errors| Failure::diagnostics(source, &errors))?;
        }
        Ok(())
    }

    /// The text with smaller blocks of layers that learn where theirs do not fit, if that is asked for and mends it; what was
    /// changed is said, and stands at the text's top.
    pub fn fitted(&self, options: &Options, source: Source) -> Source {
        let fitted = if self.fit { onward_compile::with_smaller_blocks(&source, options) } else { None };
        let Some((network, changed)) = fitted else { return source };
        let blocks = changed
            .iter()
            .map(|SmallerBlock { layer, block, said }| format!("`{layer}` in blocks of {block} instead of {said}"));
        let note =
            format!("{}, as these do not fit chip `{}`", blocks.collect::<Vec<_>>().join(", "), options.chip.name);
        eprintln!("{}: {note}", styled(BOLD, "fitted"));
        Source::new(source.name, format!("{FITTED}{note}\n{network}"))
    }

    /// What is wrong with a network, and if that is that it does not fit, what would make it fit.
    pub fn refused(
        &self,
        options: &Options,
        network: Option<&Network>,
        source: &Source,
        errors: Vec<Diagnostic>,
    ) -> Failure {
        let mut errors = onward_compile::with_change(network, source, options, errors);
        // Who gave a NIR file has not seen its text.
        if let (Some(_), Some(last)) = (network, errors.last_mut()) {
            let whence =
                format!("the lines are of the network's text: `onward import {} -o NET.sp` writes it", source.name);
            *last = last.clone().note(whence);
        }
        Failure::diagnostics(source, &errors)
    }

    /// Compiles a network's text with this seed, and shows which pass is at work once it takes long.
    ///
    /// # Errors
    /// Something cannot be read, or the text has mistakes.
    pub fn compile(&self, network: &Path, seed: u64, ledger: &Ledger) -> Result<(Source, Image), Failure> {
        let mut options = Options { seed, ..self.options(ledger)? };
        let source = read_network(network, &self.set, ledger)?;
        self.choose_chip(&mut options, None, &source)?;
        let source = self.fitted(&options, source);
        let monitor = PassMonitor::new(None);
        let mut warnings = Vec::new();
        let image = onward_compile::compile_with(&source, &options, |pass, compilation| {
            monitor.done(pass);
            if pass.makes == Product::Layers {
                warnings = onward_lint::check(compilation);
            }
        });
        drop(monitor);
        let image = image.map_err(|errors| self.refused(&options, None, &source, errors))?;
        self.warnings.show(&source, &warnings)?;
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

/// The data that is shown.
#[derive(Args)]
pub struct DataArguments {
    /// Built-in data, folder of IDX or .npy files, .npz or .csv file, X.npy,Y.npy, or recordings [default: what the network names]
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,
    /// Draw this share of the samples to test with, of data that has none of its own; they are not learned from
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub test: Option<f64>,
    /// Draws the samples that are kept apart; the seed of the run does not
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub split_seed: u64,
}

/// What `--test` is given.
fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|&share| share > 0.0 && share < 1.0);
    share.ok_or_else(|| "a share is a number above 0 and below 1, as 0.2".to_owned())
}

impl DataArguments {
    /// Loads the data for an image, which is named in that file, and says on stderr what there is to note.
    ///
    /// # Errors
    /// There is none, it cannot be read or split, or does not fit the image; or a result would go where it is.
    pub fn load(
        &self,
        image: &Image,
        named_in: &Path,
        ledger: &Ledger,
        validate: Option<f64>,
    ) -> Result<Dataset, Failure> {
        ledger.reads_data(image, self.data.as_deref(), named_in)?;
        let dataset = Dataset::for_image(image, self.data.as_deref(), named_in)?;
        for note in &dataset.notes {
            eprintln!("{} {}: {note}", styled(BOLD, "note:"), dataset.name);
        }
        let share = |share| Share { share, seed: self.split_seed };
        let dataset = match self.test {
            Some(test) => dataset.with_test_share(share(test))?,
            None => dataset,
        };
        match validate {
            Some(validation) => Ok(dataset.with_validation_share(share(validation))?),
            None => Ok(dataset),
        }
    }
}

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
    #[command(flatten)]
    pub profiling: Profiling,
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
        let mut engine: Box<dyn Engine> = match self.engine {
            EngineChoice::Fast => Box::new(Machine::new(image, options)?),
            EngineChoice::Reference => Box::new(reference::Machine::new(image, options)?),
        };
        self.profiling.follow(&mut *engine, image);
        Ok(engine)
    }

    /// The same, with the faults of its memories.
    ///
    /// # Errors
    /// No machine can be made of the image.
    pub fn faulty_engine(
        &self,
        image: &Image,
        options: onward_emulate::Options,
        given: &GivenFaults,
    ) -> Result<(Box<dyn Engine>, UpsetRecord), MachineError> {
        let (memory, seed) = (&given.faults.memory, given.faults.seed);
        let (mut engine, record): (Box<dyn Engine>, _) = match self.engine {
            EngineChoice::Fast => {
                let (engine, record) = Upset::new(Machine::new(image, options)?, image, memory, seed);
                (Box::new(engine), record)
            }
            EngineChoice::Reference => {
                let (engine, record) = Upset::new(reference::Machine::new(image, options)?, image, memory, seed);
                (Box::new(engine), record)
            }
        };
        self.profiling.follow(&mut *engine, image);
        Ok((engine, record))
    }

    /// Checks that the emulator keeps the time that is asked for.
    ///
    /// # Errors
    /// It does not.
    pub fn check_timing(&self) -> Result<(), Failure> {
        match self.profiling.needs_time().filter(|_| !self.timing) {
            Some(what) => Err(Failure::input(format!("{what} is made of cycles"), "leave `--timing none` out")),
            None => Ok(()),
        }
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
        match self.engine {
            EngineChoice::Fast => {
                let mut engine = Machine::taking(image, options)?;
                self.profiling.follow(&mut engine, image);
                Ok(Box::new(engine))
            }
            EngineChoice::Reference => self.engine(image, options),
        }
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
    /// Keep this share of the samples to learn from apart, and choose the best epoch by it; the test samples are shown once, at
    /// the end
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    validate: Option<f64>,
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
            ("--validate", self.validate.is_some()),
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

    /// The share of samples to choose epochs by, of a network that learns.
    pub fn validation(&self) -> Option<f64> {
        self.validate
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

/// What `--answers` is given.
fn parse_table(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if is_npz(&path) || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        return Ok(path);
    }
    Err("a file of answers ends in .csv or .npz".to_owned())
}

/// Whether a path is that of a file of arrays.
pub fn is_npz(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"))
}

/// What the report tells beyond what it tells anyway.
#[derive(Args)]
pub struct WhatToTell {
    /// Show the accuracy of each class, and what is taken for what
    #[arg(long)]
    pub by_class: bool,
    /// Test also with the samples that were learned from, on a machine of its own that keeps no time
    #[arg(long)]
    pub training_accuracy: bool,
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
    /// Write what each test sample was answered with, as a table or as arrays
    #[arg(long, value_name = "FILE.csv|npz", value_parser = parse_table)]
    pub answers: Option<PathBuf>,
    /// Write the results for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Save how many packets were sent, for `--traffic` of `compile` and `train`
    #[arg(long, value_name = "FILE.json")]
    pub save_traffic: Option<PathBuf>,
}

impl WhatToSave {
    /// Checks that they can be written.
    ///
    /// # Errors
    /// One of them cannot.
    pub fn prepare(&self, how: &HowToRun, ledger: &Ledger) -> Result<Saves, Failure> {
        how.check_timing()?;
        let profiling = &how.profiling;
        let prepare = |path: &Option<PathBuf>| path.as_deref().map(|path| Output::prepare(path, ledger)).transpose();
        Ok(Saves {
            page: profiling.prepare_page(ledger)?,
            image: prepare(&self.output)?,
            export: prepare(&self.export)?,
            answers: prepare(&self.answers)?,
            json: self.json.as_deref().map(|path| Output::prepare_json(path, ledger)).transpose()?,
            traffic: prepare(&self.save_traffic)?,
            profile: profiling.prepare(ledger)?,
        })
    }
}

/// The files of [`WhatToSave`], which can be written.
pub struct Saves {
    pub page: Option<Output>,
    pub image: Option<Output>,
    pub export: Option<Output>,
    pub answers: Option<Output>,
    pub json: Option<Output>,
    pub traffic: Option<Output>,
    pub profile: Option<Output>,
}
