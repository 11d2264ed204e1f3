//! Instruction traces, of images and of systems in assembly.

use crate::failure::Failure;
use crate::probes::StepRange;
use crate::{Outcome, terminal};
use onward_emulate::{MachineError, Options, reference};
use onward_image::Image;
use onward_run::data::Dataset;
use onward_run::{Session, SessionError};
use reference::TraceSelection;
use std::io::Write;
use std::ops::ControlFlow;

/// What is traced.
#[derive(clap::Args)]
pub struct Trace {
    /// Print each instruction of these cores (by number, or `all`): cycle, address, operands and results
    #[arg(long, value_name = "CORES", value_delimiter = ',')]
    trace_instructions: Vec<String>,
}

impl Trace {
    /// Whether something is traced.
    pub fn is_any(&self) -> bool {
        !self.trace_instructions.is_empty()
    }

    /// What is to be traced of an image; `None` if nothing is.
    pub fn selection(&self, image: &Image, range: &StepRange) -> Result<Option<TraceSelection>, Failure> {
        if !self.is_any() {
            return Ok(None);
        }
        let steps = range.steps(Some)?;
        let used: Vec<u32> = image.blocks.iter().map(|block| block.core.0).collect();
        let mut cores = Vec::new();
        for core in self.trace_instructions.iter().filter(|core| *core != "all") {
            match core.parse() {
                Ok(core) if used.contains(&core) => cores.push(core),
                _ => {
                    let mut known = used.clone();
                    known.sort_unstable();
                    known.dedup();
                    let known: Vec<String> = known.iter().map(u32::to_string).collect();
                    let help = format!("cores with blocks: {}, or `all`", known.join(", "));
                    return Err(Failure::input(format!("core `{core}` holds no block"), help));
                }
            }
        }
        if self.trace_instructions.iter().any(|core| core == "all") {
            cores.clear();
        }
        Ok(Some(TraceSelection { cores, steps }))
    }
}

/// A reference engine that prints its trace.
pub fn machine(image: &Image, options: Options, selection: TraceSelection) -> Result<reference::Machine, MachineError> {
    let mut machine = reference::Machine::new(image, options)?;
    let mut out = std::io::BufWriter::new(std::io::stdout());
    machine.trace(selection, move |line| {
        // Where nobody reads any more, as behind `head`, there is nothing left to do.
        if writeln!(out, "{line}").is_err() {
            std::process::exit(i32::from(Failure::NobodyReads.code()));
        }
    });
    Ok(machine)
}

/// Traces an image while it is shown test samples.
pub fn samples(image: &Image, name: &str, dataset: &Dataset, options: Options, selection: TraceSelection) -> Outcome {
    let failed = |error: SessionError| Failure::session(name, &error);
    let last = *selection.steps.end();
    let machine = machine(image, options, selection).map_err(|error| failed(error.into()))?;
    let mut session = Session::with(image, Box::new(machine)).map_err(failed)?;
    session.set_seed(options.seed);
    let window = u64::from(image.network.window_steps);
    let samples = usize::try_from(last / window + 1).unwrap_or(usize::MAX).min(dataset.test.len());
    session.infer(&dataset.test, samples, |_| ControlFlow::Continue(())).map_err(failed)?;
    drop(session); // which writes out what is left of the trace
    terminal::print("")
}
