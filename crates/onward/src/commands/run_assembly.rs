//! `onward run FILE.s`: a system written in assembly, straight from source.

use super::HowToRun;
use super::trace::{self, Trace};
use crate::failure::Failure;
use crate::files::read_source;
use crate::text::{count, table};
use crate::{Outcome, terminal};
use onward_chip::Chip;
use onward_compile::{System, assemble_system};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Fault, HostPacket, MachineError, Output};
use onward_isa::read_relative;
use std::path::Path;

/// Steps that are run at once.
const CHUNK: u64 = 256;

/// What is to be run, and how.
pub struct Assembly<'a> {
    pub file: &'a Path,
    pub chip: &'a str,
    pub seed: Option<u64>,
    /// Arrays to show at the end.
    pub show: &'a [String],
    pub how: &'a HowToRun,
    pub trace: &'a Trace,
    /// Options that mean nothing here, and whether they were given.
    pub foreign: [(&'static str, bool); 6],
}

impl Assembly<'_> {
    /// Assembles it, runs it, shows what reached the host.
    pub fn run(&self) -> Outcome {
        if let Some((option, _)) = self.foreign.iter().find(|(_, given)| *given) {
            let help = "a system in assembly brings its own packets, by `.packet`";
            return Err(Failure::input_with_help(format!("{option} is for images"), help));
        }
        let source = read_source(self.file)?;
        let chip = Chip::load(self.chip).map_err(|error| Failure::sentence(&error.to_string()))?;
        let system =
            assemble_system(&source, &chip, &mut read_relative).map_err(|errors| Failure::assembly(&errors))?;
        self.check_shown(&system)?;
        let options = self.how.options(self.seed.unwrap_or(system.image.network.seed));
        let failed = |error: MachineError| Failure::sentence(&format!("{}: {error}", source.name));
        if let Some(selection) = self.trace.selection(&system.image)? {
            let steps = system.steps.min(selection.steps.end().saturating_add(1));
            let mut machine = trace::machine(&system.image, options, selection).map_err(failed)?;
            return run(&mut machine, &system, steps, &source).map(drop);
        }
        let mut engine = self.how.engine(&system.image, options).map_err(failed)?;
        let outputs = run(&mut *engine, &system, system.steps, &source)?;
        terminal::print(&report(&system, &*engine, &outputs, self.show))
    }

    fn check_shown(&self, system: &System) -> Result<(), Failure> {
        let arrays: Vec<&str> =
            system.image.blocks.iter().flat_map(|block| &block.symbols).map(|symbol| symbol.name.as_str()).collect();
        let Some(unknown) = self.show.iter().find(|name| !arrays.contains(&name.as_str())) else { return Ok(()) };
        let help = match onward_diagnostic::nearest(unknown, arrays.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if arrays.is_empty() => "name elements with `.array`".to_owned(),
            None => format!("there are {}", arrays.join(", ")),
        };
        Err(Failure::input_with_help(format!("no block has an array `{unknown}`"), help))
    }
}

/// Runs so many steps. Returns what reached the host.
fn run(engine: &mut dyn Engine, system: &System, steps: u64, source: &Source) -> Result<Vec<Output>, Failure> {
    let mut outputs = Vec::new();
    for first in (0..steps).step_by(CHUNK as usize) {
        let end = steps.min(first + CHUNK);
        let packets: Vec<HostPacket> = system
            .stimuli_in(first..end)
            .iter()
            .map(|of| HostPacket {
                step: (of.step - first) as usize,
                input: of.input,
                index: of.index,
                payload: of.payload,
            })
            .collect();
        let reached = engine.run_packets((end - first) as usize, &packets);
        outputs.extend(reached.map_err(|fault| stopped(&fault, system, source))?);
    }
    Ok(outputs)
}

/// The chip stopped: where in the text.
fn stopped(fault: &Fault, system: &System, source: &Source) -> Failure {
    let program = &system.image.programs[system.image.blocks[fault.block as usize].program as usize];
    let line = program.lines.get(fault.address as usize).filter(|line| **line as usize <= source.text.lines().count());
    let place = line.map_or(source.name.clone(), |line| format!("{}:{line}", source.name));
    let help = "`--trace-instructions all --from STEP` shows how it came to that";
    Failure::input_with_help(format!("{place}: {fault}"), help)
}

/// What came of it, as text.
fn report(system: &System, engine: &dyn Engine, outputs: &[Output], show: &[String]) -> String {
    let counters = engine.counters();
    let mut text = String::from("Packets to the host\n");
    let rows = outputs.iter().map(|of| vec![of.step.to_string(), of.index.to_string(), of.payload.to_string()]);
    text += &if outputs.is_empty() {
        "  none\n".to_owned()
    } else {
        table(&["step", "index", "payload"], rows.collect(), &[0, 1, 2])
    };
    for name in show {
        text += &format!("\n{name}\n");
        for (number, block) in system.image.blocks.iter().enumerate() {
            let Some(symbol) = block.symbol(name) else { continue };
            let values = engine.peek(number as u32, name).unwrap_or_default();
            for row in values.chunks(symbol.columns.max(1) as usize) {
                let row: Vec<String> = row.iter().map(i32::to_string).collect();
                text += &format!("  block {number}: {}\n", row.join(" "));
            }
        }
    }
    text += "\nBlocks\n";
    let rows = counters.blocks.iter().map(|of| {
        let instructions = of.addresses.iter().map(|counts| counts.executed).sum::<u64>();
        let packets = of.packets.iter().sum::<u64>();
        let block = format!(
            "{} {}",
            of.block, system.image.network.populations[system.image.blocks[of.block as usize].population as usize].name
        );
        let counts = [of.steps, instructions, of.cycles, of.events, packets, of.saturated];
        std::iter::once(block).chain(counts.map(count)).collect()
    });
    let header = ["block", "steps", "instructions", "cycles", "events", "packets", "saturations"];
    text += &table(&header, rows.collect(), &[1, 2, 3, 4, 5, 6]);
    text += &format!("\n{} steps", count(counters.steps));
    if let Some(timing) = counters.timing {
        text += &format!(
            ", {} cycles, {} hops, {} cycles of waiting for the network",
            count(timing.cycles),
            count(timing.hops),
            count(timing.stalls)
        );
    }
    text + "\n"
}
