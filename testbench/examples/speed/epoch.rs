//! An epoch of MNIST against the plain native program.

use super::{bare, compiled, line, session};
use onward_chip::Chip;
use onward_run::data::{Dataset, SampleOrder};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// Epochs measured; the first is not counted.
const EPOCHS: u32 = 4;

pub fn measure() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mnist");
    if !data.is_dir() {
        return println!("epoch of MNIST: skipped, as {} is not there", data.display());
    }
    let image = compiled(include_str!("../../../programs/mnist.sp"), Chip::builtin("middle").expect("built in"));
    let mnist = Dataset::load(&data.to_string_lossy()).expect("MNIST can be read");
    let order = SampleOrder::new(1);
    let mut best = [f64::INFINITY; 2];
    for (best, threads) in best.iter_mut().zip([1, 2]) {
        let mut session = session(&image, true, threads);
        for epoch in 0..EPOCHS {
            session.set_epoch(epoch, EPOCHS);
            let order = order.epoch(mnist.train.len() as u32, epoch);
            let start = Instant::now();
            session.learn(&mnist.train, &order, |_| ControlFlow::Continue(())).expect("no fault");
            session.machine().cycles();
            if epoch > 0 {
                *best = best.min(start.elapsed().as_secs_f64());
            }
        }
    }
    println!("an epoch of MNIST, 784-512-512, 16 bits, learning with cycles");
    for (seconds, threads) in best.iter().zip(["one thread", "two threads"]) {
        line(threads, format!("{seconds:.2} s"), best[0] / seconds, "times the speed of one thread");
    }
    yardstick(&data, best[1]);
}

/// `yardstick sp` on the same data, which it wants unpacked.
fn yardstick(data: &Path, ours: f64) {
    let Some(yardstick) = bare::yardstick() else {
        return println!("  no yardstick: ../shared/yardstick is not there");
    };
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    for file in
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    {
        let packed = std::fs::File::open(data.join(format!("{file}.gz"))).expect("the data set is complete");
        let mut unpacked = std::fs::File::create(folder.path().join(file)).expect("a file in a folder of our own");
        std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut unpacked).expect("gzip");
    }
    let arguments = ["sp", &folder.path().to_string_lossy(), "--epochs", "3"];
    let Some(text) = bare::run(&yardstick, &arguments) else { return println!("  the yardstick did not run") };
    // It prints a line an epoch, with the seconds it took as `12.3 s` or `12.3s`.
    let seconds = text.lines().filter_map(seconds_in).fold(f64::INFINITY, f64::min);
    line("`yardstick sp`, one thread", format!("{seconds:.2} s"), seconds / ours, "times as long as our two threads");
}

fn seconds_in(line: &str) -> Option<f64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.iter().enumerate().find_map(|(at, word)| {
        let joined = word.trim_end_matches([',', ')', ';']).strip_suffix('s').and_then(|number| number.parse().ok());
        let apart =
            || words.get(at + 1).filter(|next| next.trim_end_matches([',', ')', ';']) == "s").and(word.parse().ok());
        joined.or_else(apart)
    })
}
