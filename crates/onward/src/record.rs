//! `--record`: what a run did, in a file, from which other chips are timed.

use crate::Outcome;
use crate::failure::Failure;
use crate::files::{Growing, Output};
use crate::ledger::Ledger;
use crate::{report, terminal};
use clap::Args;
use onward_emulate::Engine;
use onward_image::Image;
use std::path::PathBuf;

/// Whether and where a run is recorded.
#[derive(Args)]
pub struct RecordArgument {
    /// Record the run, so that `onward retime` can time it for other chips
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

impl RecordArgument {
    /// Whether one was asked for.
    pub fn is_given(&self) -> bool {
        self.record.is_some()
    }

    /// Checks that the file can be written. A record is of a single machine: `others` are options that were given, and make
    /// several runs of one.
    ///
    /// # Errors
    /// It cannot, or one of these was given.
    pub fn prepare(&self, others: &[(&str, bool)], ledger: &Ledger) -> Result<Option<Output>, Failure> {
        let Some(path) = &self.record else { return Ok(None) };
        if let Some((option, _)) = others.iter().find(|(_, given)| *given) {
            let message = format!("--record is for a run from its beginning on one machine, and {option} is not that");
            return Err(Failure::input(message, format!("leave {option} or --record out")));
        }
        Output::prepare(path, ledger).map(Some)
    }
}

/// The record that a run makes, if it does.
pub struct RunRecord(Option<Growing>);

impl RunRecord {
    /// Has an engine with an image loaded record.
    ///
    /// # Errors
    /// The file cannot be written, or the engine makes no records.
    pub fn begin(output: Option<Output>, engine: &mut dyn Engine, image: &Image) -> Result<RunRecord, Failure> {
        let Some(output) = output else { return Ok(RunRecord(None)) };
        let (growing, writer) = output.begin()?;
        match engine.begin_record(image, writer) {
            Ok(true) => Ok(RunRecord(Some(growing))),
            Ok(false) => {
                let help = "leave --engine out: the fast engine makes one, of the same cycles";
                Err(Failure::input("the reference engine makes no records", help))
            }
            Err(error) => Err(growing.failed(&error)),
        }
    }

    /// Keeps the record of what ran, also of a run that was broken off; of one that failed nothing is left.
    ///
    /// # Errors
    /// That of the run, else that of the file.
    pub fn finish(self, ran: Outcome) -> Outcome {
        let Some(growing) = self.0 else { return ran };
        if !matches!(ran, Ok(()) | Err(Failure::Interrupted)) {
            return ran;
        }
        let written = growing.finish().and_then(|output| terminal::print(&report::written([Some(&output)])));
        ran.and(written)
    }
}
