//! Traces of single instructions, and waves of cores: of images and of systems in assembly, by the reference engine.

use crate::arguments::HowToLearn;
use crate::failure::Failure;
use crate::ledger::Ledger;
use crate::probes::StepRange;
use crate::waves::{WaveArguments, WavePlan, Waves, cores_of};
use crate::{Outcome, terminal};
use onward_emulate::{MachineError, Options, reference};
use onward_image::Image;
use onward_run::data::Dataset;
use onward_run::{Epochs, Progress, Run, Session, SessionError, Watch};
use reference::TraceSelection;
use std::io::Write;
use std::ops::{ControlFlow, RangeInclusive};

/// What is traced.
#[derive(clap::Args)]
pub struct Trace {
    /// Print each instruction of these cores (by number, or `all`): cycle, address, operands and results
    #[arg(long, value_name = "CORES", value_delimiter = ',')]
    trace_instructions: Vec<String>,
    /// Print all elements of vectors, not the first few and a hash of all
    #[arg(long, requires = "trace_instructions")]
    trace_vectors: bool,
    #[command(flatten)]
    waves: WaveArguments,
}

/// What is to be traced of an image.
pub struct Tracing {
    /// Steps.
    pub steps: RangeInclusive<u64>,
    /// Cores whose instructions are printed (all if there are none), and whether with whole vectors.
    instructions: Option<(Vec<u32>, bool)>,
    waves: Option<WavePlan>,
}

impl Trace {
    /// Whether something is traced.
    pub fn is_any(&self) -> bool {
        !self.trace_instructions.is_empty() || self.waves.is_any()
    }

    /// What is to be traced of an image; `None` if nothing is.
    ///
    /// # Errors
    /// There is no such core or array, or a file cannot be written.
    pub fn tracing(&self, image: &Image, range: &StepRange, ledger: &Ledger) -> Result<Option<Tracing>, Failure> {
        if !self.is_any() {
            return Ok(None);
        }
        let steps = match self.waves.is_any() {
            true => range.steps(|first| Some(WaveArguments::last_step(first)))?,
            false => range.steps(Some)?,
        };
        let instructions = match &self.trace_instructions[..] {
            [] => None,
            named => Some((cores_of(image, named)?, self.trace_vectors)),
        };
        Ok(Some(Tracing { steps, instructions, waves: self.waves.plan(image, ledger)? }))
    }
}

impl Tracing {
    /// A reference engine that prints its trace, and the waves that it makes.
    ///
    /// # Errors
    /// There is no such machine, or no room for waves.
    pub fn machine(
        self,
        image: &Image,
        options: Options,
        failed: impl Fn(MachineError) -> Failure,
    ) -> Result<(reference::Machine, Option<Waves>), Failure> {
        if self.waves.is_some() && !options.timing {
            return Err(Failure::input("waves are made of cycles", "leave `--timing none` out"));
        }
        let mut machine = reference::Machine::new(image, options).map_err(failed)?;
        if let Some((cores, whole)) = self.instructions {
            machine.show_whole_vectors(whole);
            let mut out = std::io::BufWriter::new(std::io::stdout());
            machine.trace(TraceSelection { cores, steps: self.steps.clone() }, move |line| {
                // Where nobody reads any more, as behind `head`, there is nothing left to do.
                if writeln!(out, "{line}").is_err() {
                    std::process::exit(i32::from(Failure::NobodyReads.code()));
                }
            });
        }
        let waves = self.waves.map(|waves| waves.attach(&mut machine, image, self.steps)).transpose()?;
        Ok((machine, waves))
    }
}

/// Writes what waves there are, when the machine that made them is gone.
///
/// # Errors
/// They cannot be written.
pub fn finish(waves: Option<Waves>) -> Outcome {
    // A trace that was printed is all there: the machine is gone.
    terminal::print("")?;
    waves.map_or(Ok(()), Waves::finish)
}

/// Traces an image while it is shown test samples.
pub fn samples(image: &Image, name: &str, dataset: &Dataset, options: Options, tracing: Tracing) -> Outcome {
    let failed = |error: SessionError| Failure::session(name, &error);
    let last = *tracing.steps.end();
    let (machine, waves) = tracing.machine(image, options, |error| failed(error.into()))?;
    let mut session = Session::with(image, Box::new(machine)).map_err(failed)?;
    session.set_seed(options.seed);
    let window = u64::from(image.network.window_steps);
    let samples = usize::try_from(last / window + 1).unwrap_or(usize::MAX).min(dataset.test.len());
    let (shown, go_on) = (&dataset.test, |_| ControlFlow::Continue(()));
    let ran = match session.reads_spikes() {
        true => session.observe(shown, samples, go_on).map(drop),
        false if session.answered_values().is_some() => session.infer_values(shown, samples, go_on).map(drop),
        false => session.infer(shown, samples, go_on).map(drop),
    };
    ran.map_err(failed)?;
    drop(session); // which writes out what is left of the trace
    finish(waves)
}

/// Breaks a run off when so many samples have been learned from.
struct Until(usize);

impl Watch for Until {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        match progress.learning && progress.done < self.0 {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }
}

/// Traces an image while it learns as it does in a run, up to the last step of the trace.
pub fn learning(
    image: &Image,
    name: &str,
    dataset: &Dataset,
    options: Options,
    tracing: Tracing,
    (how, epochs): (&HowToLearn, Epochs),
) -> Outcome {
    let last = *tracing.steps.end();
    let (machine, waves) = tracing.machine(image, options, |error| Failure::session(name, &error.into()))?;
    let failed = |error| Failure::run(name, error);
    let mut run = Run::with(image, dataset, options, Box::new(machine)).map_err(failed)?;
    run.set_rate_shift(how.rate_shift);
    run.let_learn(&how.learners()).map_err(failed)?;
    // A sample takes a window or two.
    let samples = usize::try_from(last / u64::from(image.network.window_steps) + 1).unwrap_or(usize::MAX);
    run.learn(epochs, &mut Until(samples)).map_err(failed)?;
    drop(run);
    finish(waves)
}
