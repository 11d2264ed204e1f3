//! The command line of Onward: thin, no logic of its own beyond presenting.
//!
//! Each command is a module of [`commands`]: what it takes, and `run`. Errors are [`Failure`]s, shown once, here.
//! Exit codes: 0 did what was asked, 1 something went wrong inside, 2 bad input, 130 interrupted.

mod allocation;
mod arguments;
mod checkpoint;
mod commands;
mod documents;
mod explore;
mod failure;
mod faults;
mod files;
mod job;
mod ledger;
mod nir;
mod probes;
mod profile;
mod progress;
mod proof;
mod record;
mod report;
mod steps;
mod terminal;
mod text;
mod warnings;
mod waves;

use clap::{Parser, Subcommand};
use commands::{
    asm, bandit, calibrate, chip, compare, compile, debug, disasm, explore as exploring, export, import, inspect, isa,
    profile as profiling, retime, run, trace_diff, train, verify, why,
};
use failure::Failure;
use std::process::ExitCode;

const ABOUT: &str = "Compiles networks that learn by Signal Propagation, with no error ever travelling backward, for \
                     chips of many small cores, and emulates these cycle by cycle: what they compute, how long it \
                     takes, what energy it costs.";

const EXAMPLES: &str = "\
Examples:
  onward train programs/digits.sp                    learn on the chip, then report
  onward train programs/mnist.sp --data DATA/mnist --chip middle
  onward compile programs/digits.sp -o digits.onw    only compile
  onward import cnn.nir -o cnn.sp                    a network of another tool
  onward inspect digits.onw                          what is where on the chip
  onward why 'hidden1[54]' digits.onw                what a neuron does, and why
  onward run digits.onw --data digits --learn        run an image
  onward verify digits.onw                           prove that it learns forward only, and cannot fail
  onward run programs/lif.s --chip small             run a system written in assembly
  onward profile digits.onw --data digits            what bounds it, where time and energy go
  onward retime digits.rec --chip wide               time a recorded run for another chip
  onward debug programs/lif.s --chip small           step through it, instruction by instruction
  onward explore programs/digits.sp --space programs/spaces/digits.toml    which chip, which network
  onward chip show middle                            what a chip takes: area, clock, energies

`onward COMMAND --help` says more about a command.";

/// The whole command line.
#[derive(Parser)]
#[command(name = "onward", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(train::Arguments),
    Compile(compile::Arguments),
    Bandit(bandit::Arguments),
    Calibrate(calibrate::Arguments),
    Chip(chip::Arguments),
    Import(import::Arguments),
    Explore(exploring::Arguments),
    Run(run::Arguments),
    Profile(profiling::Arguments),
    Retime(retime::Arguments),
    Debug(debug::Arguments),
    Export(export::Arguments),
    Inspect(inspect::Arguments),
    Compare(compare::Arguments),
    Why(why::Arguments),
    Disasm(disasm::Arguments),
    Asm(asm::Arguments),
    Isa(isa::Arguments),
    TraceDiff(trace_diff::Arguments),
    Verify(verify::Arguments),
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(failure::report_panic));
    let result = match CommandLine::parse().command {
        Command::Train(arguments) => train::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Bandit(arguments) => bandit::run(&arguments),
        Command::Calibrate(arguments) => calibrate::run(&arguments),
        Command::Chip(arguments) => chip::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Explore(arguments) => exploring::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Profile(arguments) => profiling::run(arguments),
        Command::Retime(arguments) => retime::run(&arguments),
        Command::Debug(arguments) => debug::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Disasm(arguments) => disasm::run(&arguments),
        Command::Asm(arguments) => asm::run(&arguments),
        Command::Isa(arguments) => isa::run(&arguments),
        Command::TraceDiff(arguments) => trace_diff::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show();
            ExitCode::from(failure.code())
        }
    }
}

/// What a command comes to.
type Outcome = Result<(), Failure>;
