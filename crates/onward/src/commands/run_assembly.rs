//! `onward run FILE.s`: a system written in assembly, straight from source.

use super::trace::{self, Trace};
use crate::arguments::{ChipArgument, HowToRun};
use crate::documents;
use crate::failure::Failure;
use crate::files::{self, noting, read_source};
use crate::job::write_page;
use crate::ledger::Ledger;
use crate::probes::{ProbeArguments, StepRange};
use crate::progress::StepMonitor;
use crate::report::{self, section};
use crate::terminal::{BOLD, styled};
use crate::text::{count, table};
use crate::{Outcome, terminal};
use onward_assembly::{Stimulus, System, assemble_system};
use onward_diagnostic::{Source, did_you_mean};
use onward_emulate::{Counters, Engine, Fault, HostPacket, MachineError, Output};
use onward_profile::{Conditions, Results};
use onward_run::{Stopped, run_packets};
use std::ops::{ControlFlow, Range};
use std::path::Path;

/// What an image does not need to be told.
#[derive(clap::Args)]
#[command(next_help_heading = "Options for systems in assembly")]
pub struct AssemblyArguments {
    #[command(flatten)]
    chip: ChipArgument,
    /// Show these arrays of each block at the end
    #[arg(long, value_name = "ARRAY", value_delimiter = ',')]
    show: Vec<String>,
}

impl AssemblyArguments {
    /// Whether any of them was given.
    pub fn is_any(&self) -> bool {
        self.chip.is_given() || !self.show.is_empty()
    }
}

/// What is to be run, and how.
pub struct Assembly<'a> {
    pub file: &'a Path,
    pub seed: Option<u64>,
    pub arguments: &'a AssemblyArguments,
    pub how: &'a HowToRun,
    pub trace: &'a Trace,
    pub probes: &'a ProbeArguments,
    pub steps: &'a StepRange,
    /// Where the results for machines go.
    pub json: Option<&'a Path>,
    /// Options that mean nothing here, and whether they were given.
    pub foreign: [(&'static str, bool); 14],
}

impl Assembly<'_> {
    /// Assembles it, runs it, shows what reached the host as it comes, and what it cost.
    pub fn run(&self) -> Outcome {
        if let Some((option, _)) = self.foreign.iter().find(|(_, given)| *given) {
            let help = "a system in assembly brings its own packets, by `.packet`";
            return Err(Failure::input(format!("{option} is for images"), help));
        }
        let ledger = Ledger::default();
        let json = self.json.map(|path| files::Output::prepare_json(path, &ledger)).transpose()?;
        self.how.check_timing()?;
        let profile_file = self.how.profiling.prepare(&ledger)?;
        let page = self.how.profiling.prepare_page(&ledger)?;
        let is_trace = self.trace.is_any() || self.how.profiling.is_trace();
        let probes = self.probes.prepare(self.steps, is_trace, &ledger)?;
        self.steps.trace(self.how.profiling.logs())?;
        let source = read_source(self.file, &ledger)?;
        let chip = self.arguments.chip.load(&ledger)?;
        let mut included = Vec::new();
        let mut read = noting(self.file, &mut included);
        let system = assemble_system(&source, &chip, &mut read).map_err(|errors| Failure::assembly(&errors))?;
        drop(read);
        included.into_iter().try_for_each(|path| ledger.reads(path))?;
        self.check_shown(&system)?;
        let options = self.how.options(self.seed.unwrap_or(system.image.network.seed));
        let failed = |error: MachineError| Failure::session(&source.name, &error.into());
        if let Some(tracing) = self.trace.tracing(&system.image, self.steps, &ledger)? {
            if self.json.is_some() || probes.is_any() {
                let help = "leave --json, --probe or what is traced out";
                return Err(Failure::input("a trace makes no report", help));
            }
            let steps = system.steps.min(tracing.steps.end().saturating_add(1));
            let (mut machine, waves) = tracing.machine(&system.image, options, failed)?;
            let ran = run(&mut machine, &system, steps, &source, |_, _| Ok(ControlFlow::Continue(())));
            drop(machine); // which writes out what is left of the trace
            return trace::finish(waves).and(ran);
        }
        let costs = onward_run::costs(&system.image)?;
        let engine = self.how.engine(&system.image, options).map_err(failed)?;
        let (mut engine, recorder) = probes.attach(engine, &system.image)?;
        let mut monitor = StepMonitor::new(system.steps)?;
        let mut outputs = Outputs::new(&system);
        let is_profile = self.how.profiling.is_alone();
        let ran = run(&mut *engine, &system, system.steps, &source, |done, reached| {
            let rows = outputs.rows(reached);
            monitor.print(if is_profile { "" } else { &rows })?;
            Ok(monitor.tell(done))
        });
        let host_time = monitor.finish();
        if ran.is_err() {
            return recorder.finish(ran);
        }
        let counters = engine.counters();
        let interrupted = counters.steps < system.steps;
        let run = Conditions {
            command: self.how.profiling.command(),
            image: &system.image,
            data: None,
            options,
            costs: &costs,
            host_time,
        };
        let results = Results {
            arguments: documents::arguments(),
            timeline: self.how.profiling.logs().timeline().map(Box::new),
            ..Results::of_system(&run, &counters, outputs.count, interrupted)
        };
        let arrays = arrays(&system, &*engine, &self.arguments.show);
        let blocks = section("Blocks", blocks(&system, &counters));
        let profile = self.how.profiling.report(results.profile.as_deref());
        let text = match is_profile {
            true => arrays + &blocks + &profile,
            false => outputs.end() + &arrays + &blocks + &report::machine(&results) + &profile,
        };
        terminal::print(&text)?;
        if let Some(json) = &json {
            json.write_json(&results)?;
        }
        if let (Some(file), Some(found)) = (&profile_file, &results.profile) {
            self.how.profiling.write(found, &results.network, file)?;
        }
        if let Some(page) = &page {
            write_page(page, &system.image, &results, recorder.recording().as_ref())?;
        }
        terminal::print(&report::written([json.as_ref(), profile_file.as_ref(), page.as_ref()]))?;
        let ran = if interrupted { Err(Failure::Interrupted) } else { Ok(()) };
        recorder.finish(ran)
    }

    fn check_shown(&self, system: &System) -> Result<(), Failure> {
        let arrays: Vec<&str> =
            system.image.blocks.iter().flat_map(|block| &block.symbols).map(|symbol| symbol.name.as_str()).collect();
        let Some(unknown) = self.arguments.show.iter().find(|name| !arrays.contains(&name.as_str())) else {
            return Ok(());
        };
        let help = match &arrays[..] {
            [] => "name elements with `.array`".to_owned(),
            arrays => did_you_mean(unknown, arrays.iter().copied(), "there are "),
        };
        Err(Failure::input(format!("no block has an array `{unknown}`"), help))
    }
}

/// Runs so many steps; `tell` is told after each chunk the steps done and what reached the host in it, and may break off.
fn run(
    engine: &mut dyn Engine,
    system: &System,
    steps: u64,
    source: &Source,
    tell: impl FnMut(u64, &[Output]) -> Result<ControlFlow<()>, Failure>,
) -> Outcome {
    let packets = |steps: Range<u64>| {
        let packet = |sent: &Stimulus| HostPacket {
            step: (sent.step - steps.start) as usize,
            input: sent.input,
            index: sent.index,
            payload: sent.payload,
        };
        system.stimuli_in(steps.clone()).iter().map(packet).collect()
    };
    run_packets(engine, steps, packets, tell).map_err(|stopped| match stopped {
        Stopped::Fault(fault) => stopped_at(&fault, system, source),
        Stopped::Told(failure) => failure,
    })
}

/// The list of what reached the host, written as it comes.
struct Outputs {
    /// How many there were.
    count: u64,
    /// Cells of the number of a step.
    step_width: usize,
}

impl Outputs {
    fn new(system: &System) -> Outputs {
        Outputs { count: 0, step_width: (system.steps - 1).to_string().len().max("step".len()) }
    }

    /// The rows of what reached the host, after the heading if they are the first.
    fn rows(&mut self, reached: &[Output]) -> String {
        let width = self.step_width;
        let mut text = String::new();
        if self.count == 0 && !reached.is_empty() {
            text = self.title() + &format!("  {:>width$}   {:>5}   {:>11}\n", "step", "index", "payload");
        }
        for output in reached {
            text += &format!("  {:>width$}   {:>5}   {:>11}\n", output.step, output.index, output.payload);
        }
        self.count += reached.len() as u64;
        text
    }

    /// What is to be said at the end.
    fn end(&self) -> String {
        match self.count {
            0 => self.title() + "  none\n",
            _ => String::new(),
        }
    }

    fn title(&self) -> String {
        format!("{}\n", styled(BOLD, "Packets to the host"))
    }
}

/// The chip stopped: where in the text.
fn stopped_at(fault: &Fault, system: &System, source: &Source) -> Failure {
    let program = &system.image.programs[system.image.blocks[fault.block].program];
    let line = program.lines.get(fault.address as usize).filter(|line| **line as usize <= source.text.lines().count());
    let place = line.map_or(source.name.clone(), |line| format!("{}:{line}", source.name));
    let help = "`--trace-instructions all --from STEP` shows how it came to that";
    Failure::input(format!("{place}: {fault}"), help)
}

/// The arrays that were asked for.
fn arrays(system: &System, engine: &dyn Engine, show: &[String]) -> String {
    let mut text = String::new();
    for name in show {
        let mut rows = String::new();
        for (number, block) in system.image.blocks.iter_enumerated() {
            let Some(symbol) = block.symbol(name) else { continue };
            let values = engine.peek(number, name).unwrap_or_default();
            for row in values.chunks(symbol.columns.max(1) as usize) {
                let row: Vec<String> = row.iter().map(i32::to_string).collect();
                rows += &format!("  block {number}: {}\n", row.join(" "));
            }
        }
        text += &section(name, rows);
    }
    text
}

/// What each block did.
fn blocks(system: &System, counters: &Counters) -> String {
    let rows = counters.blocks.iter().map(|block| {
        let instructions = block.addresses.iter().map(|counts| counts.executed).sum::<u64>();
        let packets = block.packets.iter().sum::<u64>();
        let population = system.image.population(&system.image.blocks[block.block]);
        let name = format!("{} {}", block.block, population.name);
        let counts = [block.steps, instructions, block.cycles, block.events, packets, block.saturated];
        std::iter::once(name).chain(counts.map(count)).collect()
    });
    let header = ["block", "steps", "instructions", "cycles", "events", "packets", "saturations"];
    let text = table(&header, rows.collect(), &[1, 2, 3, 4, 5, 6]);
    match counters.timing {
        Some(timing) => text + &format!("  {} cycles of waiting for the network\n", count(timing.stalls)),
        None => text,
    }
}
