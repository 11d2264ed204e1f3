//! Probes: what neurons and memories did while a network ran.
//!
//! [`attach`] puts an engine into one that records beside running it. Packets are recorded as the engine sends them, in
//! whole chunks; an array is looked at after each step, so there the engine runs step by step, and only in the steps that are
//! asked for. Recorded numbers go to temporary files as they come, so memory stays flat however long the run is;
//! [`Recording::write_npz`] makes one archive of them. Nothing that is recorded changes an answer, a cycle or a count.

mod engine;
mod recording;
mod selection;

pub use engine::attach;
pub(crate) use engine::attach_resolved;
pub use recording::Recording;
pub(crate) use selection::arrivals_at;
pub use selection::{Cadence, ProbeError, ProbeText};
