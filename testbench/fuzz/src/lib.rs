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

/// Before a target begins: where `SEEDS` names a folder, its seeds are written there, and that is all.
///
/// # Panics
/// If they cannot be written.
#[allow(dead_code)] // the tests, which read this file too, write no seeds
pub fn begin(target: &str) {
    let Some(folder) = std::env::var_os("SEEDS").map(std::path::PathBuf::from) else { return };
    for (number, seed) in seeds::of(target).iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number}")), seed).expect("a seed can be written");
    }
    std::process::exit(0);
}
