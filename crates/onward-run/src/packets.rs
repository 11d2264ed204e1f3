//! Runs of a system that is shown packets instead of samples.

use crate::pace::Pace;
use onward_emulate::{Engine, Fault, HostPacket, Output};
use std::ops::{ControlFlow, Range};

/// Steps that are run at once at most.
const CHUNK_STEPS: usize = 256;

/// Why a run of packets ended early.
#[derive(Debug)]
pub enum Stopped<E> {
    /// A handler did what the machine does not allow.
    Fault(Fault),
    /// Whoever was told did not want it to go on.
    Told(E),
}

/// Runs so many steps, chunk by chunk: however many there are, nothing is kept of those that are over. `packets` says what the
/// host sends in some steps, each packet's step counted from the first of them. `tell` is told the steps done and what
/// reached the host in the last chunk, of a fault also what came before it; it may break off.
///
/// # Errors
/// A handler did what the machine does not allow, or `tell` failed.
pub fn run_packets<E>(
    engine: &mut dyn Engine,
    steps: u64,
    packets: impl Fn(Range<u64>) -> Vec<HostPacket>,
    mut tell: impl FnMut(u64, &[Output]) -> Result<ControlFlow<()>, E>,
) -> Result<(), Stopped<E>> {
    let mut pace = Pace::new(CHUNK_STEPS);
    let mut first = 0;
    while first < steps {
        let chunk = pace.steps(usize::try_from(steps - first).unwrap_or(usize::MAX));
        let end = first + chunk as u64;
        let sent = packets(first..end);
        let reached = pace.run(chunk, || engine.run_packets(chunk, &sent)).or_else(|fault| {
            // What came before it is told, however long chunks are on this computer.
            let _ = tell(fault.step, &fault.reached).map_err(Stopped::Told)?;
            Err(Stopped::Fault(fault))
        })?;
        if tell(end, &reached).map_err(Stopped::Told)?.is_break() {
            break;
        }
        first = end;
    }
    Ok(())
}
