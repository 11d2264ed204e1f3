//! Probes of a run: what is asked for on the command line, and the file that it goes to.

use crate::failure::Failure;
use crate::files::Output;
use crate::ledger::Ledger;
use crate::steps::StepLogs;
use crate::{Outcome, report, terminal};
use onward_emulate::Engine;
use onward_image::Image;
use onward_run::probe::{ProbeText, Recording, attach};
use std::io::{Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Steps that are looked at closely.
#[derive(clap::Args)]
pub struct StepRange {
    /// First step that is traced or probed [default: 0]
    #[arg(long, value_name = "STEP")]
    from: Option<u64>,
    /// Last step that is traced or probed [default: of a trace the first, of probes the run's last]
    #[arg(long, value_name = "STEP")]
    to: Option<u64>,
}

impl StepRange {
    /// The steps; `last` gives the last one by the first where it is not said.
    ///
    /// # Errors
    /// The last lies before the first.
    pub fn steps(&self, last: impl FnOnce(u64) -> Option<u64>) -> Result<RangeInclusive<u64>, Failure> {
        let from = self.from.unwrap_or(0);
        let to = self.to.or_else(|| last(from)).unwrap_or(u64::MAX);
        if to < from {
            let help = "steps count from 0, and both ends are looked at";
            return Err(Failure::input(format!("--to {to} lies before --from {from}"), help));
        }
        Ok(from..=to)
    }

    /// Says which steps are traced for another tool, if any are.
    ///
    /// # Errors
    /// The last lies before the first.
    pub fn trace(&self, logs: &StepLogs) -> Outcome {
        self.steps(|_| None)?;
        logs.trace_steps(self.from, self.to);
        Ok(())
    }

    fn is_given(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }
}

/// What is recorded of a run.
#[derive(clap::Args)]
pub struct ProbeArguments {
    /// Record an array of a layer after each step, or its spikes: LAYER.membrane, LAYER.spikes[0..16]; with @window or @epoch
    /// behind an array less often
    #[arg(long = "probe", value_name = "PROBE", value_delimiter = ',', requires = "probe_output")]
    probes: Vec<String>,
    /// Where that goes: as arrays (.npz), or as a table (.parquet)
    #[arg(long, value_name = "FILE.npz|parquet", requires = "probes")]
    probe_output: Option<PathBuf>,
}

impl ProbeArguments {
    /// Whether something is recorded.
    pub fn is_any(&self) -> bool {
        !self.probes.is_empty()
    }

    /// Reads the probes, and checks that their file can be written. Where there are none, steps are for a trace: `traces` says
    /// whether there is one.
    ///
    /// # Errors
    /// A probe is none, the file cannot be written, or steps are given for nothing.
    pub fn prepare(&self, range: &StepRange, traces: bool, ledger: &Ledger) -> Result<Probes, Failure> {
        let Some(path) = &self.probe_output else {
            if range.is_given() && !traces {
                let message = "--from and --to are steps that are traced or probed, and nothing is";
                let help =
                    "add --probe, --trace-instructions or --profile-output FILE.perfetto-trace, or leave the steps out";
                return Err(Failure::input(message, help));
            }
            return Ok(Probes(None));
        };
        let texts = self.probes.iter().map(|text| text.parse::<ProbeText>());
        let texts = texts.collect::<Result<_, _>>().map_err(|error| Failure::refused(&error))?;
        let steps = range.steps(|_| None)?;
        Ok(Probes(Some(Asked { texts, steps, output: Output::prepare(path, ledger)? })))
    }
}

/// What a run that is about to begin records, if anything.
pub struct Probes(Option<Asked>);

struct Asked {
    texts: Vec<ProbeText>,
    steps: RangeInclusive<u64>,
    output: Output,
}

impl Probes {
    /// Whether something is recorded.
    pub fn is_any(&self) -> bool {
        self.0.is_some()
    }

    /// Has an engine with an image loaded record.
    ///
    /// # Errors
    /// The image lacks what is to be recorded, or there is no room for it.
    pub fn attach(self, engine: Box<dyn Engine>, image: &Image) -> Result<(Box<dyn Engine>, Recorder), Failure> {
        let Some(Asked { texts, steps, output }) = self.0 else { return Ok((engine, Recorder(None))) };
        let folder = output.path().parent().filter(|folder| !folder.as_os_str().is_empty());
        let attached = attach(engine, image, &texts, steps, folder.unwrap_or(Path::new(".")));
        let (engine, recording) = attached.map_err(|error| Failure::refused(&error))?;
        Ok((engine, Recorder(Some((recording, output)))))
    }
}

/// What a run records, and where it goes.
pub struct Recorder(Option<(Recording, Output)>);

impl Recorder {
    /// What is recorded, for whoever draws it too.
    pub fn recording(&self) -> Option<Recording> {
        self.0.as_ref().map(|(recording, _)| recording.clone())
    }

    /// Writes what was recorded, whatever came of the run: also of one that was broken off.
    ///
    /// # Errors
    /// That of the run, else that of the file.
    pub fn finish(self, ran: Outcome) -> Outcome {
        let Some((recording, output)) = self.0 else { return ran };
        let is_table = output.path().extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
        let written = match is_table {
            true => write_table(&recording, &output),
            false => output.write_with(|out| recording.write_npz(out)),
        };
        if written.is_ok() {
            terminal::print(&report::written([Some(&output)]))?;
        }
        ran.and(written)
    }
}

/// Writes a recording as a table, by way of a temporary file beside it.
fn write_table(recording: &Recording, output: &Output) -> Outcome {
    let folder = output.path().parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = tempfile::tempfile_in(folder.unwrap_or(Path::new(".")))
        .and_then(|file| recording.write_parquet(std::io::BufWriter::new(file)))
        .and_then(|file| file.into_inner().map_err(|error| error.into_error()))
        .and_then(|mut file| file.seek(SeekFrom::Start(0)).map(|_| file));
    let mut file = made.map_err(|error| Failure::unwritable(output.path(), &error))?;
    output.write_with(|out| std::io::copy(&mut file, out).map(drop))
}
