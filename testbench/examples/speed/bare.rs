//! Yardsticks: a bare loop of our own, and the plain native program where it is at hand.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Weights added per second by a loop that does nothing else: rows of 16 bits in L2 into 32-bit sums, one thread.
pub fn limit() -> f64 {
    let (rows, neurons, sweeps) = (512, 512, 2000);
    let weights: Vec<i16> = (0..rows * neurons).map(|at| (at * 7919 % 251) as i16 - 125).collect();
    let mut sums = vec![0i32; neurons];
    let start = Instant::now();
    for _ in 0..sweeps {
        for row in weights.chunks_exact(neurons) {
            for (sum, &weight) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(weight.into());
            }
        }
        black_box(&mut sums);
    }
    (rows * neurons * sweeps) as f64 / start.elapsed().as_secs_f64()
}

/// The plain native program beside the project, built; `None` where it is not.
pub fn yardstick() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/yardstick/Cargo.toml");
    if !manifest.exists() {
        return None;
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/yardstick");
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        .status();
    built.ok().filter(|status| status.success()).map(|_| target.join("release/yardstick"))
}

/// What the yardstick prints.
pub fn run(yardstick: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(yardstick).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
