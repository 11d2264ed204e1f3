//! `onward profile`: run something and say where its time and energy went.

use super::run;
use crate::Outcome;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  onward profile digits.onw --data digits                       what bounds it, and its hottest parts
  onward profile digits.onw --data digits --learn --epochs 1    learning too
  onward profile digits.onw --by core --sort stalled_cycles --top 3
  onward profile programs/lif.s --chip small --by line          a system in assembly

All that `run` takes is taken. `onward train NET.sp --profile` says the same of a training run.";

/// Run an image or a system in assembly, and say what bounds it and where time and energy went
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    run: run::Arguments,
}

/// Runs the command.
pub fn run(arguments: Arguments) -> Outcome {
    let mut run = arguments.run;
    let file = run.file();
    if file.extension().is_some_and(|extension| extension == "sp" || extension == "nir") {
        let help = "`onward train NET.sp --profile` trains and profiles; or compile it with -o, and profile the image";
        return Err(Failure::input(format!("{}: is a network, and no image", file.display()), help));
    }
    run.profile();
    run::run(&run)
}
