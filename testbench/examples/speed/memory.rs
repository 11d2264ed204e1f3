//! Host memory of a large network: 1,048,576 neurons, 268 million synapses of 8 bits, 1 % of the inputs active.

use super::{compiled, line, samples};
use onward_chip::Chip;
use onward_emulate::{Machine, Options as Emulation};
use onward_image::Image;
use onward_run::Session;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// The argument that makes this program the one that is measured.
pub const CHILD: &str = "--measure-memory-of";

const NETWORK: &str = "
network million {
    window  = 16
    weights = fixed { bits = 8 }
    # Few fire: results that the host collects are not the emulator's memory.
    neurons = integrate_and_fire { threshold = 1.6 }
    input x = rate(256)
    layer wide = dense(1048576) from x { block = 1024 }
    readout out = spikes from wide
}
";

/// Samples shown.
const SAMPLES: usize = 16;

pub fn measure() {
    let chip = Chip::load(concat!(env!("CARGO_MANIFEST_DIR"), "/chips/million.toml")).expect("a chip file");
    let start = Instant::now();
    let image = compiled(NETWORK, chip);
    println!("1,048,576 neurons in {} blocks, compiled in {:.1} s", image.blocks.len(), start.elapsed().as_secs_f64());
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("million.onw");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    image.write(&mut file).expect("room on the disk");
    drop((image, file));
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).arg(CHILD).arg(&path).output().expect("this program runs");
    print!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
}

/// Loads an image, runs it, and tells what that took.
pub fn child(path: &Path) {
    let mut image = Image::load(path).expect("the image that was written");
    let synapses: u64 = image.blocks.iter().filter_map(|block| block.symbol("weights")).map(|of| of.elements()).sum();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Emulation { seed: 1, timing: true, threads };
    let machine = Machine::taking(&mut image, options).expect("the image is sound");
    let mut session = Session::with(&image, Box::new(machine)).expect("the image is sound");
    // One pixel in fifty is lit, half as brightly as can be in the mean: a hundredth of the lines a step.
    let samples = samples(SAMPLES, 256, 50);
    let start = Instant::now();
    session.observe(&samples, SAMPLES, |_| ControlFlow::Continue(())).expect("no fault");
    session.machine().cycles();
    let seconds = start.elapsed().as_secs_f64();
    let Some(peak) = peak_bytes() else { return println!("  this host does not say how much memory was used") };
    let steps = session.machine().step();
    let counters = session.machine().counters();
    let timing = counters.timing.unwrap_or_default();
    let inputs: u64 = counters.host_packets.iter().sum();
    println!(
        "  {synapses} synapses, {steps} steps in {seconds:.2} s on {threads} threads; {:.1} inputs and {:.0} spikes a step",
        inputs as f64 / steps as f64,
        timing.injected as f64 / steps as f64
    );
    line(
        "host memory at most, all in all",
        format!("{:.0} MB", peak as f64 / 1e6),
        peak as f64 / synapses as f64,
        "bytes a synapse",
    );
}

/// The most memory that this process ever had.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?;
    Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
}
