//! Networks of other tools: NIR, the Neuromorphic Intermediate Representation.
//!
//! NIR (Pedersen et al., Nature Communications 15:8122, 2024) describes a spiking network as a graph of nodes with
//! differential equations; frameworks write it as HDF5 files (`.nir`). [`read`] makes a [`Network`] of one:
//!
//! 1. HDF5 becomes records (`file`), and these nodes and edges, graphs in graphs inlined (`graph`);
//! 2. shapes are found and checked (`shape`);
//! 3. neurons become neurons in time steps (`neurons`);
//! 4. what lies between neurons is traced (`paths`) and becomes one connection each (`linear`, or else `matrix`);
//! 5. neurons in cycles become one recurrent layer (`populations`), and all is put together (`build`).
//!
//! What has no place on the chip is an error that names the node. Files are not trusted: whatever their bytes, the
//! answer is a network or an error.
//!
//! ```no_run
//! use onward_net::nir::{Options, read};
//!
//! let bytes = std::fs::read("model.nir").unwrap();
//! let imported = read(&bytes, &Options::default()).unwrap();
//! println!("{}", imported.network.name);
//! ```

mod build;
mod error;
mod export;
mod feed;
mod file;
mod graph;
mod linear;
mod matrix;
mod names;
mod neurons;
mod paths;
mod populations;
mod shape;
mod tool;

pub use error::NirError;
pub use export::{Exported, write};
pub use tool::Tool;

use crate::input::Encoding;
use crate::network::Network;
use crate::neuron::Fires;
use crate::readout::ReadoutKind;

/// Choices that a NIR file does not make.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The tool that wrote the file, if its neurons are to be what they are there.
    pub tool: Option<Tool>,
    /// Name of the network, an identifier.
    pub name: String,
    /// Length of a time step in the unit of the file's time constants; the frameworks' default is 1e-4.
    pub time_step: f64,
    /// Encoding of samples as spikes.
    pub encoding: Encoding,
    /// What leaves: [`ReadoutKind::Spikes`] or [`ReadoutKind::MostSpikes`].
    pub readout: ReadoutKind,
    /// Whether a voltage that equals the threshold fires; NIR says it does not.
    pub fires: Fires,
    /// Reset of the voltage after a spike.
    pub reset: ResetRule,
    /// What the resistance of neurons without leak (IF, I) counts in.
    pub integration: Integration,
    /// Bits of a weight: 4, 8 or 16.
    pub weight_bits: u32,
    /// Steps that a sample is shown, 1 to 2^31 - 1.
    pub window_steps: u32,
    /// Of a last node that integrates and does not fire (LI, I): how much of its voltage, summed over the steps, is a
    /// spike. Above 0.
    pub output_threshold: f64,
}

/// Reset of a neuron's voltage after a spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetRule {
    /// Sets it to the node's `v_reset`, as NIR says.
    AsGiven,
    /// Subtracts the threshold: for networks that were trained so, which NIR cannot say.
    Subtract,
    /// Subtracts it a step later, from the voltage that has leaked by then: what is subtracted does not leak (snnTorch's
    /// `reset_delay`).
    SubtractLate,
}

/// What the resistance `r` of neurons without leak counts in: NIR says v' = r s, and most frameworks write 1 for adding s
/// in each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integration {
    /// In time if it is 1 / dt, else in steps.
    AsFound,
    /// v <- v + r s.
    Steps,
    /// v <- v + dt r s.
    Time,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            tool: None,
            name: "imported".to_owned(),
            time_step: 1e-4,
            encoding: Encoding::Events,
            readout: ReadoutKind::Spikes,
            fires: Fires::Above,
            reset: ResetRule::AsGiven,
            integration: Integration::AsFound,
            weight_bits: 8,
            window_steps: 100,
            output_threshold: 1.0,
        }
    }
}

/// A network that was a NIR file.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network; nothing in it learns, and all its numbers are given.
    pub network: Network,
    /// What the file says and the network says otherwise, or not at all: a sentence each.
    pub notes: Vec<String>,
}

/// The network in a NIR file's bytes.
///
/// # Errors
/// If the file is damaged or no NIR file, or a node has no place on the chip.
pub fn read(bytes: &[u8], options: &Options) -> Result<Imported, NirError> {
    check(options)?;
    let mut notes = Vec::new();
    let graph = graph::Graph::new(file::read(bytes)?, &mut notes)?;
    let shapes = shape::shapes(&graph, &mut notes)?;
    let network = build::network(&graph, &shapes, options, &mut notes)?;
    Ok(Imported { network, notes })
}

/// An identifier like a name: what a network made of the file `NAME.nir` is called.
pub fn identifier(name: &str) -> String {
    names::Names::default().give(name, "network")
}

fn check(options: &Options) -> Result<(), NirError> {
    let is_length = |value: f64| value.is_finite() && value > 0.0;
    if !is_length(options.time_step) {
        let cause = format!("a time step of {} is none", options.time_step);
        return Err(NirError::file(cause, "it must be above 0, as 1e-4"));
    }
    if !is_length(options.output_threshold) {
        let cause = format!("an output threshold of {} is none", options.output_threshold);
        return Err(NirError::file(cause, "it must be above 0, as 1"));
    }
    if options.readout.needs_target() {
        return Err(NirError::file("a NIR file has no targets to compare with", "read out `spikes` or `most_spikes`"));
    }
    Ok(())
}
