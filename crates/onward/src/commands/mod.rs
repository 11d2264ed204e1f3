//! The commands, a module each: `Arguments` and `run`.

pub mod asm;
pub mod compile;
pub mod disasm;
pub mod inspect;
pub mod isa;
pub mod run;
pub mod train;

use clap::{Args, ValueEnum};
use onward_emulate::Options;

/// Whether time is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Timing {
    /// Count every cycle.
    Cycle,
    /// The same answers without time: faster.
    None,
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
}

impl HowToRun {
    /// The emulator's options.
    fn options(&self, seed: u64) -> Options {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.map_or_else(all, usize::from);
        Options { seed, timing: self.timing == Timing::Cycle, threads }
    }
}
