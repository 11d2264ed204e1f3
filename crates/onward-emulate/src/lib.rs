//! The emulator: cores, mesh, chip, host ports.
//!
//! A [`Machine`] is a chip with an image loaded. It runs in chunks of steps: first the values, block by block along the
//! edges of the network (a block may run many steps before its takers do, since nothing flows back), then, if asked
//! for, the time, step by step on the [`mesh`]. Time never feeds back into values. Nothing here computes with floating
//! point: memories and registers hold integers, and so do counters.

mod awake;
mod cost;
mod counters;
mod detail;
mod engine;
mod fast;
mod fault;
mod host_simd;
mod index;
mod machine;
mod memory;
pub mod mesh;
mod record;
pub mod reference;
mod schedule;
mod step_log;
mod timing;
mod upset;

pub use cost::{Cost, cost, port_bits};
pub use counters::{AddressCounts, BlockCounters, Counters, TimingTotals};
pub use detail::{BlockDetail, Detail, Shown, Window, WindowCounters};
pub use engine::{Engine, Feed, HostPacket};
pub use fault::{Fault, FaultKind};
pub use machine::{Machine, MachineError, Options, Output};
pub use memory::Bank;
pub use mesh::SenderTiming;
pub use record::{PhaseTotals, RECORD_VERSION, Record, RecordError, RetimeError, Retimed, RunPhase};
pub use step_log::{PacketSource, SenderStep, StepLog, StepRecord};
pub use upset::{Exposed, Upset, UpsetCounts, UpsetRecord};
