//! Networks in files of other tools: what both `import` and `compile` need.

use crate::arguments::one_of;
use crate::failure::Failure;
use crate::terminal::{BOLD, styled};
use anstream::eprintln;
use clap::Args;
use onward_diagnostic::Source;
use onward_net::nir::{Imported, Integration, Options, ResetRule, Tool, identifier, read};
use onward_net::{Encoding, Fires, Member, Network, ReadoutKind};
use std::path::Path;

/// What a NIR file does not say.
#[derive(Args)]
#[command(next_help_heading = "Options for NIR files")]
pub struct NirArguments {
    /// The tool that wrote the file: its own time step, neurons and resets, where NIR says otherwise or nothing
    #[arg(long, value_name = "TOOL", value_parser = one_of(Tool::ALL))]
    from: Option<Tool>,
    /// Length of a time step, in the unit of the file's time constants [default: the tool's, or 1e-4]
    #[arg(long, value_name = "TIME")]
    dt: Option<f64>,
    /// How samples become spikes: events, rate, poisson, latency or current [default: events]
    #[arg(long, value_name = "ENCODING", hide_possible_values = true, value_parser = one_of(ENCODINGS))]
    encoding: Option<Encoding>,
    /// What leaves the chip: all spikes, or the neuron with the most of them [default: spikes]
    #[arg(long, value_name = "spikes|most-spikes", hide_possible_values = true, value_parser = one_of(READOUTS))]
    readout: Option<ReadoutKind>,
    /// Where a neuron fires: above its threshold, as NIR says, or at it too [default: the tool's, or above]
    #[arg(long, value_name = "above|at", hide_possible_values = true, value_parser = one_of(FIRES))]
    fires: Option<Fires>,
    /// What firing does: sets the voltage to v_reset, or subtracts the threshold, at once or a step late, after the leak
    /// [default: the tool's, or value]
    #[arg(
        long,
        value_name = "value|subtract|subtract-late",
        hide_possible_values = true,
        value_parser = one_of(RESETS)
    )]
    reset: Option<ResetRule>,
    /// What r of IF and I counts in: steps (v + r s), or time (v + dt r s) [default: time if r is 1 / dt, else steps]
    #[arg(long, value_name = "steps|time", hide_possible_values = true, value_parser = one_of(INTEGRATIONS))]
    integrate: Option<Integration>,
    /// Bits of a weight: 4, 8 or 16 [default: 8]
    #[arg(long, value_name = "N", value_parser = weight_bits)]
    weight_bits: Option<u32>,
    /// Steps that a sample is shown [default: 100]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..=0x7fff_ffff))]
    window: Option<u32>,
    /// Of a last node that does not fire (LI, I): how much of its voltage, summed over steps, is a spike [default: 1]
    #[arg(long, value_name = "VOLTAGE")]
    output_threshold: Option<f64>,
}

const ENCODINGS: [(&str, Encoding); 5] = [
    ("events", Encoding::Events),
    ("rate", Encoding::Rate),
    ("poisson", Encoding::Poisson),
    ("latency", Encoding::Latency),
    ("current", Encoding::Current),
];
const READOUTS: [(&str, ReadoutKind); 2] = [("spikes", ReadoutKind::Spikes), ("most-spikes", ReadoutKind::MostSpikes)];
const FIRES: [(&str, Fires); 2] = [("above", Fires::Above), ("at", Fires::At)];
const RESETS: [(&str, ResetRule); 3] =
    [("value", ResetRule::AsGiven), ("subtract", ResetRule::Subtract), ("subtract-late", ResetRule::SubtractLate)];
const INTEGRATIONS: [(&str, Integration); 2] = [("steps", Integration::Steps), ("time", Integration::Time)];

fn weight_bits(text: &str) -> Result<u32, String> {
    match text {
        "4" | "8" | "16" => Ok(text.parse().unwrap_or(8)),
        _ => Err("weights have 4, 8 or 16 bits".to_owned()),
    }
}

impl NirArguments {
    /// Whether any of them was given.
    pub fn is_any(&self) -> bool {
        self.from.is_some()
            || self.dt.is_some()
            || self.encoding.is_some()
            || self.readout.is_some()
            || self.fires.is_some()
            || self.reset.is_some()
            || self.integrate.is_some()
            || self.weight_bits.is_some()
            || self.window.is_some()
            || self.output_threshold.is_some()
    }

    fn options(&self, path: &Path) -> Options {
        let name = path.file_stem().map_or_else(String::new, |stem| identifier(&stem.to_string_lossy()));
        let default = self.from.map_or_else(Options::default, Tool::options);
        Options {
            tool: self.from,
            name,
            time_step: self.dt.unwrap_or(default.time_step),
            encoding: self.encoding.unwrap_or(default.encoding),
            readout: self.readout.unwrap_or(default.readout),
            fires: self.fires.unwrap_or(default.fires),
            reset: self.reset.unwrap_or(default.reset),
            integration: self.integrate.unwrap_or(default.integration),
            weight_bits: self.weight_bits.unwrap_or(default.weight_bits),
            window_steps: self.window.unwrap_or(default.window_steps),
            output_threshold: self.output_threshold.unwrap_or(default.output_threshold),
        }
    }
}

/// Whether a path is that of a NIR file.
pub fn is_nir(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("nir"))
}

/// A network that was imported, as text whose arrays are members of the file `arrays`.
pub struct Written {
    /// Canonical text.
    pub text: String,
    /// What the text names.
    pub members: Vec<Member>,
}

/// Imports a file; what there is to note goes to stderr.
pub fn import(path: &Path, arguments: &NirArguments, arrays: &str) -> Result<Written, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::unreadable(path, error))?;
    let imported = read(&bytes, &arguments.options(path));
    let Imported { mut network, notes } =
        imported.map_err(|error| Failure::input(format!("{}: {}", path.display(), error.message()), error.help))?;
    for note in notes {
        eprintln!("{} {}: {note}", styled(BOLD, "note:"), path.display());
    }
    let members = network.store(arrays);
    Ok(Written { text: network.to_string(), members })
}

/// Imports a file for the compiler: the network, and the text that its spans point into.
pub fn network(path: &Path, arguments: &NirArguments) -> Result<(Network, Source), Failure> {
    // No such file is looked for: the arrays are put in from memory.
    let arrays = path.with_extension("npz");
    let arrays = arrays.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    import(path, arguments, &arrays)?.network(path, &arrays)
}

impl Written {
    /// The network of the text, which is called `name`; its arrays are those of the file `arrays`.
    pub fn network(&self, name: &Path, arrays: &str) -> Result<(Network, Source), Failure> {
        let source = Source::new(name.display().to_string(), self.text.clone());
        let mut network = Network::parse(&source).map_err(|errors| Failure::diagnostics(&source, &errors))?;
        network.supply(arrays, &self.members);
        Ok((network, source))
    }
}
