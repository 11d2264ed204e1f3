//! A recorded run timed for another chip, held against a run of its own there: networks from their texts, learning and not.

use onward_chip::{Array, Chip, Topology};
use onward_compile::{Options, Placing, RelinkError, compile, relink};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine, Options as Running, Record, reference};
use onward_image::Image;
use onward_profile::{Results, SCHEMA_VERSION};
use onward_run::data::{Dataset, Samples};
use onward_run::{Run, retime};
use proptest::prelude::*;
use serde_json::Value;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are written by one and read by another.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs")
}

/// A text on a chip, its weights drawn by a seed.
fn compiled(text: &str, chip: Chip, seed: u64) -> Image {
    let source = Source::new("case.sp", text);
    compile(&source, &Options::new(chip, seed)).unwrap_or_else(|errors| panic!("{text}\n{}", source.render(&errors)))
}

fn builtin(name: &str) -> Chip {
    Chip::builtin(name).expect("a built-in chip")
}

/// Changes of a chip that no program depends on.
fn changed(chip: &Chip, lanes: u16, [width, height]: [u16; 2], [buffer, link, trees]: [u16; 3], barrier: u32) -> Chip {
    let mut chip = chip.clone();
    chip.name = "changed".into();
    chip.core.lanes = lanes;
    (chip.mesh.width, chip.mesh.height) = (width, height);
    (chip.mesh.buffer_flits, chip.mesh.link_cycles, chip.mesh.multicast_trees) = (buffer, link, trees);
    chip.barrier_cycles = barrier.max(link.into());
    chip
}

fn chip() -> impl Strategy<Value = Chip> {
    let lanes = prop::sample::select(vec![4u16, 8, 16, 32, 64]);
    let trees = prop::sample::select(vec![0u16, 1, 3, 64]);
    let shape = (1u16..3, any::<bool>(), any::<bool>(), 1u16..4);
    (lanes, 3u16..6, 2u16..5, 1u16..6, 0u16..4, 1u32..40, trees, (shape, 1u16..9)).prop_map(
        |(lanes, width, height, buffer, link, barrier, trees, ((cores, torus, cut, flit), dispatch))| {
            let mut chip = changed(&builtin("middle"), lanes, [width, height], [buffer, link, trees], barrier);
            chip.mesh.cores_per_tile = cores;
            chip.mesh.topology = if torus { Topology::Torus } else { Topology::Mesh };
            chip.mesh.array =
                cut.then_some(Array { width, height: 1, link_cycles: link + flit, cycles_per_flit: flit });
            chip.barrier_cycles = chip.barrier_cycles.max(u32::from(link + flit));
            chip.core.dispatch_cycles = dispatch;
            chip
        },
    )
}

/// A run on samples of the digits: some are learned from, then all are tested. What it came to, and its record if one is made.
fn run(image: &Image, engine: Box<dyn Engine>, data: &Dataset, seed: u64) -> Results {
    let options = Running { seed, timing: true, threads: 2 };
    let mut run = Run::with(image, data, options, engine).expect("the image takes the data");
    let results = if image.learns() { run.learn(1, &mut ()) } else { run.test(&mut ()) };
    results.expect("the run ends")
}

fn recorded(image: &Image, data: &Dataset, seed: u64) -> (Results, Record) {
    let mut engine = Machine::new(image, Running { seed, timing: true, threads: 2 }).expect("a valid image");
    let file = Shared::default();
    assert!(engine.begin_record(image, Box::new(file.clone())).expect("memory is written"));
    let results = run(image, Box::new(engine), data, seed);
    let bytes = file.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (results, Record::from_bytes(&bytes).expect("what was written"))
}

/// Results for machines, without what is of the host, and how the run is called.
fn comparable(results: &Results) -> Value {
    let mut value = serde_json::to_value(results).expect("results can be written");
    let all = value.as_object_mut().expect("keys");
    let hosts = ["command", "arguments", "host_s", "synaptic_events_per_host_s", "threads"];
    hosts.iter().for_each(|key| assert!(all.remove(*key).is_some(), "{key}"));
    for epoch in all["epochs"].as_array_mut().expect("epochs") {
        let epoch = epoch.as_object_mut().expect("keys");
        ["learning_host_s", "testing_host_s"].iter().for_each(|key| drop(epoch.remove(*key)));
    }
    value
}

/// Small data of the shape of the digits.
fn few_digits(train: u32, test: u32) -> Dataset {
    let data = Dataset::load("digits").expect("built in");
    let first = |samples: &Samples, count: u32| samples.of_sequences(&(0..count).collect::<Vec<_>>());
    Dataset { train: first(&data.train, train), test: first(&data.test, test), ..data }
}

/// Networks of digits: learning by one and by several layers, a readout that learns, and two that do not learn.
const NETWORKS: [&str; 4] = [
    "network a { window = 4
        input pixels = rate(8, 8)
        target digit = classes(10)
        layer one = dense(48) from pixels, digit { block = 16, learning = hinge { rate = 7, margin = 0.3 } }
        layer two = dense(32) from one { block = 16, learning = hinge { rate = 7, margin = 0.3 } }
        readout answer = nearest_target from two }",
    "network b { window = 4
        input pixels = rate(8, 8)
        layer one = conv(6, 3) from pixels
        layer two = dense(10) from one
        readout answer = spikes from two }",
    "network c { window = 4
        input pixels = rate(8, 8)
        layer one = dense(40) from pixels
        layer two = dense(10) from one
        readout answer = spikes from two }",
    "network d { window = 4
        input pixels = rate(8, 8)
        target digit = classes(10)
        layer one = dense(40) from pixels, digit { block = 20, learning = softmax { rate = 7 } }
        readout answer = trained from one { rate = 6 } }",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Cycles, waiting, phases, energy, packets, hops: to the last digit.
    #[test]
    fn results_on_another_chip_are_those_of_a_run_there(
        text in prop::sample::select(NETWORKS.to_vec()), here in chip(), there in chip(), seed in 1u64..9,
    ) {
        let image = compiled(text, here, seed);
        let data = few_digits(12, 9);
        let (own, record) = recorded(&image, &data, seed);
        prop_assert_eq!(comparable(&retime(&record, &image, 2).expect("it ran there")), comparable(&own));
        let there = match relink(record.image(), &there, &Placing::default()) {
            Err(RelinkError::NoRoom { .. }) => return Ok(()),
            linked => linked.expect("the blocks fit"),
        };
        let retimed = retime(&record, &there, 1).expect("the same blocks");
        prop_assert_eq!(retimed.schema_version, SCHEMA_VERSION);
        // The record's image has no weights.
        let mut whole = there.clone();
        whole.blocks.iter_mut().zip(&image.blocks).for_each(|(to, from)| to.contents.clone_from(&from.contents));
        let options = Running { seed, timing: true, threads: 2 };
        let engine = Machine::new(&whole, options).expect("a valid image");
        prop_assert_eq!(comparable(&retimed), comparable(&run(&whole, Box::new(engine), &data, seed)));
    }
}

/// The same by the engine that is written to be obviously right.
#[test]
fn the_reference_engine_counts_the_same() {
    let image = compiled(NETWORKS[0], builtin("small"), 1);
    let data = few_digits(8, 4);
    let (_, record) = recorded(&image, &data, 1);
    let chip = changed(&builtin("middle"), 8, [4, 3], [1, 2, 1], 5);
    let there = relink(&image, &chip, &Placing::default()).expect("it fits");
    let engine = reference::Machine::new(&there, Running { seed: 1, timing: true, threads: 1 }).expect("a valid image");
    let retimed = retime(&record, &there, 2).expect("the same blocks");
    assert_eq!(comparable(&retimed), comparable(&run(&there, Box::new(engine), &data, 1)));
}

/// What is linked anew is what is compiled anew, wherever a chip's memories do not change how layers are cut.
#[test]
fn blocks_linked_for_another_chip_are_those_compiled_for_it() {
    let middle = builtin("middle");
    let mut small = changed(&middle, 8, [4, 4], [2, 1, 2], 9);
    small.mesh.topology = Topology::Torus;
    let mut tiles = changed(&middle, 64, [3, 3], [3, 0, 0], 4);
    tiles.mesh.cores_per_tile = 4;
    let chips = [middle.clone(), small, tiles, builtin("middle-8-lanes")];
    let mut compared = 0;
    let folders = [programs(), programs().join("examples")].map(|folder| fs::read_dir(folder).expect("the programs"));
    for entry in folders.into_iter().flatten() {
        let path = entry.expect("the programs").path();
        if path.extension().is_none_or(|extension| extension != "sp") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a text");
        let source = Source::new(path.display().to_string(), text);
        let made = |chip: &Chip| compile(&source, &Options::new(chip.clone(), 1)).ok();
        let Some(image) = made(&middle).filter(|image| image.blocks.len() < 60) else { continue };
        for chip in &chips {
            let Some(there) = made(chip) else { continue };
            let cut = |image: &Image| {
                let blocks = image.blocks.iter().map(|block| (block.population, block.neurons, block.axons));
                (blocks.collect::<Vec<_>>(), image.programs.clone())
            };
            if cut(&there) == cut(&image) {
                assert!(relink(&image, chip, &Placing::default()).expect("it fits") == there, "{}", path.display());
                compared += 1;
            }
        }
    }
    assert!(compared >= 20, "{compared} were compared");
}
