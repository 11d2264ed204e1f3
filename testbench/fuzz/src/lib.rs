//! What is fuzzed: for each kind of file that may come from a stranger, a function that reads bytes as one, and goes on with
//! what it reads as the commands do.
//!
//! None may panic, hang or take memory beyond all measure, whatever the bytes are; what it answers is not looked at. The tests of
//! `testbench/tests/hostile.rs` call the same functions.

pub mod seeds;
mod targets;

pub use targets::TARGETS;

/// Reads bytes as one of the kinds.
///
/// # Panics
/// If there is no such kind; and wherever something is broken.
pub fn run(target: &str, bytes: &[u8]) {
    let (_, read) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target's name");
    read(bytes);
}
