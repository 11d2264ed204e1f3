//! The commands, a module each: `Arguments` and `run`.

pub mod asm;
pub mod bandit;
pub mod calibrate;
pub mod compile;
pub mod disasm;
pub mod export;
pub mod import;
pub mod inspect;
pub mod isa;
mod place;
pub mod run;
mod run_assembly;
pub mod trace;
pub mod trace_diff;
pub mod train;
mod weights;

use clap::{Args, ValueEnum};
use onward_emulate::{Engine, Machine, MachineError, Options, reference};
use onward_image::Image;

/// Whether time is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Timing {
    /// Count every cycle.
    Cycle,
    /// The same answers without time: faster.
    None,
}

/// Which engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// Whole vectors at once, on threads.
    Fast,
    /// One element after the other, written to be obviously right.
    Reference,
}

/// How the emulator runs. Nothing here changes an answer.
#[derive(Args)]
pub struct HowToRun {
    /// Keep time to the cycle, or leave it out; the answers are the same
    #[arg(long, value_enum, default_value_t = Timing::Cycle, hide_possible_values = true, value_name = "cycle|none")]
    timing: Timing,
    /// Host threads [default: all this computer has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The fast engine, or the plain one that it is held against; the answers are the same
    #[arg(long, value_enum, default_value_t = EngineChoice::Fast, hide_possible_values = true, value_name = "fast|reference")]
    engine: EngineChoice,
}

impl HowToRun {
    /// The emulator's options.
    fn options(&self, seed: u64) -> Options {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.map_or_else(all, usize::from);
        Options { seed, timing: self.timing == Timing::Cycle, threads }
    }

    /// The engine that was asked for; the contents of memories go from the image into it.
    fn engine_taking(&self, image: &mut Image, options: Options) -> Result<Box<dyn Engine>, MachineError> {
        Ok(match self.engine {
            EngineChoice::Fast => Box::new(Machine::taking(image, options)?),
            EngineChoice::Reference => self.engine(image, options)?,
        })
    }

    /// The engine that was asked for, with an image loaded.
    fn engine(&self, image: &Image, options: Options) -> Result<Box<dyn Engine>, MachineError> {
        Ok(match self.engine {
            EngineChoice::Fast => Box::new(Machine::new(image, options)?),
            EngineChoice::Reference => Box::new(reference::Machine::new(image, options)?),
        })
    }
}
