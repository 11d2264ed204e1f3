//! Waves of cores: which are asked for on the command line, and the file that they go to.

use crate::failure::Failure;
use crate::files::Output;
use crate::ledger::Ledger;
use crate::{Outcome, report, terminal};
use onward_diagnostic::did_you_mean;
use onward_emulate::Engine;
use onward_emulate::reference::{Machine, TraceSelection, WatchedStep};
use onward_image::Image;
use onward_profile::{WaveArray, Waveform};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The array that is shown where none is named.
const MEMBRANE: &str = "membrane";
/// Elements of an array that are shown where nobody says which.
const SHOWN: usize = 16;
/// Steps where nobody says which is the last.
const STEPS: u64 = 16;

/// What is shown as waves.
#[derive(clap::Args)]
pub struct WaveArguments {
    /// Write what cores do cycle by cycle as waves for GTKWave or Surfer: state, handler, flits, and arrays after each step
    #[arg(long, value_name = "FILE.vcd")]
    waveform: Option<PathBuf>,
    /// Cores of the waveform [default: all that hold blocks]
    #[arg(long, value_name = "CORES", value_delimiter = ',', requires = "waveform")]
    waveform_cores: Vec<String>,
    /// Arrays of their blocks that it shows, or elements of them, as membrane[0..4] [default: of membranes the first 16]
    #[arg(long, value_name = "ARRAYS", value_delimiter = ',', requires = "waveform")]
    waveform_arrays: Vec<String>,
}

/// Waves that are asked for.
pub struct WavePlan {
    output: Output,
    cores: Vec<u32>,
    arrays: Vec<WaveArray>,
}

impl WaveArguments {
    /// Whether waves are asked for.
    pub fn is_any(&self) -> bool {
        self.waveform.is_some()
    }

    /// The last step where nobody says which, by the first.
    pub fn last_step(first: u64) -> u64 {
        first.saturating_add(STEPS - 1)
    }

    /// Checks what is asked for of an image; nothing if no waves are.
    ///
    /// # Errors
    /// A core holds no block, no block has the array, or the file cannot be written.
    pub fn plan(&self, image: &Image, ledger: &Ledger) -> Result<Option<WavePlan>, Failure> {
        let Some(path) = &self.waveform else { return Ok(None) };
        let mut cores = cores_of(image, &self.waveform_cores)?;
        if cores.is_empty() {
            cores = image.core_usage().iter().map(|usage| usage.core.0).collect();
        }
        let mut arrays = Vec::new();
        for text in &self.waveform_arrays {
            let (name, elements) = parse_array(text)?;
            let found = arrays_of(image, &cores, name, elements);
            if found.is_empty() {
                let symbols = image.blocks.iter().flat_map(|block| &block.symbols);
                let names: Vec<&str> = symbols.map(|symbol| symbol.name.as_str()).collect();
                let help = did_you_mean(name, names.iter().copied(), "there are ");
                return Err(Failure::input(format!("no block of these cores has an array `{text}`"), help));
            }
            arrays.extend(found);
        }
        if self.waveform_arrays.is_empty() {
            arrays = arrays_of(image, &cores, MEMBRANE, 0..SHOWN);
        }
        Ok(Some(WavePlan { output: Output::prepare(path, ledger)?, cores, arrays }))
    }
}

/// The cores of an image that are named; none if all are meant.
///
/// # Errors
/// One holds no block.
pub fn cores_of(image: &Image, named: &[String]) -> Result<Vec<u32>, Failure> {
    let used: Vec<u32> = image.core_usage().iter().map(|usage| usage.core.0).collect();
    let mut cores = Vec::new();
    for core in named.iter().filter(|core| *core != "all") {
        match core.parse() {
            Ok(core) if used.contains(&core) => cores.push(core),
            _ => {
                let known: Vec<String> = used.iter().map(u32::to_string).collect();
                let help = format!("cores with blocks: {}, or `all`", known.join(", "));
                return Err(Failure::input(format!("core `{core}` holds no block"), help));
            }
        }
    }
    if named.iter().any(|core| core == "all") {
        cores.clear();
    }
    Ok(cores)
}

/// `membrane`, `membrane[3]`, `membrane[0..4]`: name and elements.
fn parse_array(text: &str) -> Result<(&str, std::ops::Range<usize>), Failure> {
    let wrong = || {
        let help = "write an array's name, and behind it which elements: membrane, membrane[3], membrane[0..4]";
        Failure::input(format!("`{text}` is no array"), help)
    };
    let Some((name, rest)) = text.split_once('[') else { return Ok((text, 0..SHOWN)) };
    let inside = rest.strip_suffix(']').ok_or_else(wrong)?;
    let (first, end) = match inside.split_once("..") {
        Some((first, end)) => (first.parse().map_err(|_| wrong())?, end.parse().map_err(|_| wrong())?),
        None => inside.parse().map(|element: usize| (element, element.saturating_add(1))).map_err(|_| wrong())?,
    };
    if first < end { Ok((name, first..end)) } else { Err(wrong()) }
}

/// The elements of an array that blocks on cores have.
fn arrays_of(image: &Image, cores: &[u32], name: &str, elements: std::ops::Range<usize>) -> Vec<WaveArray> {
    let of_cores = image.blocks.iter_enumerated().filter(|(_, block)| cores.contains(&block.core.0));
    let found = of_cores.filter_map(|(number, block)| {
        let symbol = block.symbol(name)?;
        let end = elements.end.min(symbol.elements() as usize);
        let elements = elements.start..end;
        (!elements.is_empty()).then(|| WaveArray { block: number, symbol: name.to_owned(), elements })
    });
    found.collect()
}

/// Waves that are being made.
struct Making {
    waves: Waveform<BufWriter<File>>,
    /// The cycle in which the last step ended.
    end: u64,
    error: Option<io::Error>,
}

impl Making {
    fn step(&mut self, step: &WatchedStep, machine: &Machine) {
        if self.error.is_none() {
            self.error = self.waves.step(step, &|block, symbol| machine.peek(block, symbol)).err();
            self.end = step.begin + step.cycles + step.barrier_cycles;
        }
    }
}

/// Waves of a run, and where they go.
pub struct Waves {
    making: Rc<RefCell<Making>>,
    output: Output,
}

impl WavePlan {
    /// Has a machine with the image make waves of steps.
    ///
    /// # Errors
    /// There is no room for them.
    pub fn attach(self, machine: &mut Machine, image: &Image, steps: RangeInclusive<u64>) -> Result<Waves, Failure> {
        let WavePlan { output, cores, arrays } = self;
        let folder = output.path().parent().filter(|folder| !folder.as_os_str().is_empty());
        let made = tempfile::tempfile_in(folder.unwrap_or(Path::new(".")))
            .and_then(|file| Waveform::new(image, &cores, &arrays, BufWriter::new(file)));
        let waves = made.map_err(|error| Failure::unwritable(output.path(), &error))?;
        let making = Rc::new(RefCell::new(Making { waves, end: 0, error: None }));
        let told = making.clone();
        let watcher = move |step: &WatchedStep, machine: &Machine| told.borrow_mut().step(step, machine);
        machine.watch(TraceSelection { cores, steps }, Box::new(watcher));
        Ok(Waves { making, output })
    }
}

impl Waves {
    /// Writes the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> Outcome {
        let finished = || -> io::Result<File> {
            let mut making = self.making.borrow_mut();
            if let Some(error) = making.error.take() {
                return Err(error);
            }
            let end = making.end;
            let mut file = making.waves.finish(end)?.get_ref().try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        };
        let mut file = finished().map_err(|error| Failure::unwritable(self.output.path(), &error))?;
        self.output.write_with(|out| io::copy(&mut file, out).map(drop))?;
        terminal::print(&report::written([Some(&self.output)]))
    }
}
