//! Records of a run: one run of values, timed for many chips.
//!
//! What cores compute never depends on time, and what they execute does not depend on how many lanes they have. So a run is
//! recorded once: for each block and step its packets by route, and the cycles before, between and after its sends, for every
//! number of lanes; and its counters. From that the time of any chip follows on which the same blocks find room
//! ([`Record::retime`]), to the cycle, and so does its energy. Nothing is sampled and nothing estimated.
//!
//! ```text
//! machine ── Machine::record ──▶ Recorder ── steps, counters ──▶ file ── Record::load ──▶ Record ── retime(image) ──▶ Retimed
//! ```
//!
//! - `steps`: what was done in steps that follow each other.
//! - `coding`: steps and counters as bytes; `file`: the file around them.
//! - `recorder`: makes a record while a machine runs, in memory that does not grow.
//! - `retime`: the time and the counters of another chip.

mod coding;
mod counted;
mod file;
mod recorder;
mod retime;
mod steps;

pub(crate) use counted::{BlockCounted, Counted};
pub use file::{RECORD_VERSION, Record, RecordError};
pub(crate) use recorder::Recorder;
pub use retime::{RetimeError, Retimed};
pub(crate) use steps::{BlockStep, Steps};

/// What a part of a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunPhase {
    /// Nothing that reports tell apart.
    #[default]
    Other,
    /// Samples are learned from.
    Learning,
    /// Samples are tested.
    Testing,
}

/// Steps and cycles of the parts of a run that are of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseTotals {
    /// Steps.
    pub steps: u64,
    /// Cycles.
    pub cycles: u64,
}
