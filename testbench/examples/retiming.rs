//! What it costs to time a recorded run for another chip, beside a run there: by turns, in one process, and whether both count the
//! same.
//!
//! ```sh
//! cargo run --release -p testbench --example retiming -- MNIST_FOLDER [SAMPLES] [THREADS] [ROUNDS]
//! ```

use onward_chip::Chip;
use onward_compile::{Options, Placing, compile, relink};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, Record};
use onward_image::Image;
use onward_profile::Results;
use onward_run::data::{Dataset, Samples};
use onward_run::{Run, costs, retime_all, retime_with};
use std::time::Instant;

/// Samples that the run is tested with.
const TESTED: u32 = 100;
/// The chips that the record is timed for.
const CHIPS: [&str; 4] = ["middle", "wide", "middle-8-lanes", "large"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("say the folder with the IDX files of MNIST")?;
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse::<usize>());
    let (samples, threads, rounds) = (number(1000)?, number(1)?, number(5)?);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/mnist.sp");
    let source = Source::new("mnist.sp", std::fs::read_to_string(path)?);
    let compiled = |chip: &str| -> Result<Image, Box<dyn std::error::Error>> {
        Ok(compile(&source, &Options::new(Chip::builtin(chip)?, 1)).map_err(|errors| source.render(&errors))?)
    };
    let data = Dataset::load(&folder)?;
    let first = |samples: &Samples, count: u32| samples.of_sequences(&(0..count).collect::<Vec<_>>());
    let data = Dataset { train: first(&data.train, samples as u32), test: first(&data.test, TESTED), ..data };
    let options = onward_emulate::Options { seed: 1, timing: true, threads };

    let file = tempfile::NamedTempFile::new()?;
    let image = compiled(CHIPS[0])?;
    let mut engine = Machine::new(&image, options)?;
    engine.begin_record(&image, Box::new(file.reopen()?))?;
    let recorded = Run::with(&image, &data, options, Box::new(engine))?.learn(1, &mut ())?;
    println!("{samples} samples, {threads} threads, {} steps", recorded.steps);
    println!("the run, recorded: {:.1} ms; the record: {} bytes", ms(&recorded), file.as_file().metadata()?.len());

    for chip in CHIPS {
        let own_image = compiled(chip)?;
        let (mut run_ms, mut all_ms, mut timing_ms) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let own = Run::new(&own_image, &data, options)?.learn(1, &mut ())?;
            run_ms.push(ms(&own));
            let start = Instant::now();
            let record = Record::load(file.path())?;
            let there = relink(record.image(), &own_image.chip, &Placing::default())?;
            let (costs, before) = (costs(&there)?, start.elapsed());
            let retimed = retime_with(&record, &there, &costs, threads)?;
            let all = start.elapsed();
            all_ms.push(all.as_secs_f64() * 1e3);
            timing_ms.push((all - before).as_secs_f64() * 1e3);
            let figures = |results: &Results| {
                (results.cycles, results.stall_cycles, results.energy_j.to_bits(), results.activity)
            };
            assert_eq!(figures(&own), figures(&retimed), "{chip}: the run and its retiming differ");
        }
        let [run, all, timing] = [run_ms, all_ms, timing_ms].map(|times| times.into_iter().fold(f64::MAX, f64::min));
        println!(
            "{chip}: a run {run:.1} ms, from the record {timing:.1} ms, 1/{:.1}; with reading the file and placing {all:.1} ms, 1/{:.1}; equal",
            run / timing,
            run / all
        );
    }

    let record = Record::load(file.path())?;
    let mut chips = Vec::new();
    for lanes in [4, 8, 16, 32, 64] {
        for buffer in [2, 4, 8] {
            let mut chip = Chip::builtin(CHIPS[0])?;
            (chip.core.lanes, chip.mesh.buffer_flits) = (lanes, buffer);
            let there = relink(record.image(), &chip, &Placing::default())?;
            chips.push((there.clone(), costs(&there)?));
        }
    }
    let start = Instant::now();
    let all = retime_all(&record, &chips, threads)?;
    let each = start.elapsed().as_secs_f64() * 1e3 / all.len() as f64;
    println!("{} chips at once: {each:.1} ms each", all.len());
    Ok(())
}

/// Time of learning and testing.
fn ms(results: &Results) -> f64 {
    results.host_time.as_secs_f64() * 1e3
}
