//! A chip of which a twentieth is dead does what a whole one does; and bits that flip are what they are said to be.

use onward_chip::{Chip, Faults, FaultyMemory, MemoryFaults, Protection};
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::{Counters, Engine, Machine, Options as Emulation, Upset, UpsetCounts, reference};
use onward_image::{BlockIndex, Destination, Image, Tree};
use onward_isa::Space;
use onward_run::data::{Dataset, Samples};
use onward_run::{Session, train};
use onward_verify::{Contract, Rule, verify};
use std::ops::ControlFlow;

/// A network of so many blocks of 8 neurons in each of two layers, and one that reads out.
fn network(first: u32, second: u32) -> Source {
    let text = format!(
        "network wide {{\n data = \"digits\"\n window = 4\n input x = rate(8, 8)\n target t = classes(10)\n \
         learning = hinge {{ rate = 7, margin = 0.3 }}\n layer a = dense({}) from x, t {{ block = 8 }}\n \
         layer b = dense({}) from a {{ block = 8 }}\n readout r = nearest_target from b\n}}\n",
        8 * first,
        8 * second
    );
    Source::new("wide.sp", text)
}

fn chip(size: u16) -> Chip {
    let mut chip = Chip::builtin("middle").expect("it is built in");
    (chip.mesh.width, chip.mesh.height) = (size, size);
    chip
}

fn faulty(chip: &Chip, text: &str) -> Chip {
    Faults::parse("faults.toml", text).and_then(|faults| faults.on(chip, "faults.toml")).expect("the chip has them")
}

fn image(source: &Source, chip: &Chip) -> Image {
    compile(source, &Options::new(chip.clone(), 1)).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// Few samples of the digits.
fn few(count: usize) -> Dataset {
    let mut data = Dataset::load("digits").expect("it is built in");
    let part = |samples: &Samples| {
        let pixels = (0..count).flat_map(|at| samples.pixels(at).to_vec()).collect();
        Samples::new(pixels, (0..count).map(|at| samples.label(at)).collect(), 64)
    };
    (data.train, data.test) = (part(&data.train), part(&data.test));
    data
}

/// What an image does with samples that it learns from: counts, weights, answers.
fn learn(image: &Image, data: &Dataset) -> (Counters, String, usize) {
    let mut session = Session::new(image, Emulation { seed: 1, timing: true, threads: 2 }).expect("a machine");
    let report = train(&mut session, image, data, 1, 1, |_| ControlFlow::Continue(()), |_| {}).expect("it learns");
    let epoch = report.epochs.last().expect("an epoch").clone();
    (report.counters, epoch.weights_hash.clone(), epoch.right())
}

/// A network that fills most of a chip with dead cores and links against the same on a whole chip.
fn does_the_same(size: u16, blocks: (u32, u32), samples: usize, seed: u64) {
    let whole = chip(size);
    let broken = faulty(&whole, &format!("seed = {seed}\n[dead]\ncore_share = 0.05\nlink_share = 0.05\n"));
    let defects = &broken.mesh.defects;
    assert!(defects.cores.len() * 20 >= broken.mesh.cores() - 19 && !defects.links.is_empty(), "{defects:?}");
    let source = network(blocks.0, blocks.1);
    let (healthy, image) = (image(&source, &whole), image(&source, &broken));
    let mut cores: Vec<u32> = image.blocks.iter().map(|block| block.core.0).collect();
    cores.sort_unstable();
    cores.dedup();
    let share = cores.len() as f64 / broken.mesh.working_cores() as f64;
    assert!(share >= 0.8, "{share} of the cores that work are used");
    assert!(cores.iter().all(|core| !broken.mesh.is_dead(*core)));
    // Some way leads where none of the dimension order does.
    let turns = |tree: &Tree| {
        let detour = onward_image::Detours::of(&broken.mesh, &broken.host.ports).expect("links are dead");
        let tile = onward_image::attachment(tree.source, &whole.mesh, &whole.host.ports).expect("on the mesh").0;
        detour.check_tree(tile, tree).is_ok()
    };
    assert!(image.trees.iter().all(turns) && !healthy.trees.iter().all(turns), "some ways had to change");
    let verdict = verify(&image, &Contract::of_network());
    assert!(verdict.keeps(Rule::Deadlock) && verdict.holds(), "{:?}", verdict.breaches.first());
    // Values, packets, weights, answers: all but the time.
    let data = few(samples);
    let (on_whole, on_broken) = (learn(&healthy, &data), learn(&image, &data));
    assert_eq!((&on_whole.1, on_whole.2), (&on_broken.1, on_broken.2));
    let packets = |counters: &Counters| counters.blocks.iter().map(|block| block.packets.clone()).collect::<Vec<_>>();
    assert!(packets(&on_whole.0) == packets(&on_broken.0), "every block sends as many packets");
    let cycles = |counters: &Counters| counters.timing.expect("time was kept").cycles;
    println!(
        "{size} x {size}, {} blocks on {:.0} % of the cores that work, {} dead cores, {} dead links, {} trees: {} cycles, {} on a \
         whole chip",
        image.blocks.len(),
        100.0 * share,
        defects.cores.len(),
        defects.links.len(),
        image.trees.len(),
        cycles(&on_broken.0),
        cycles(&on_whole.0)
    );
}

#[test]
fn a_twentieth_dead_gives_the_same_spikes() {
    does_the_same(6, (15, 12), 6, 2);
}

#[test]
#[ignore = "a campaign: testbench/campaigns/faults.sh"]
fn a_twentieth_of_a_large_chip_dead_gives_the_same_spikes() {
    for seed in 1..=3 {
        does_the_same(16, (104, 96), 20, seed);
    }
}

#[test]
fn a_verifier_refuses_what_needs_dead_parts() {
    let source = network(6, 4);
    let whole = image(&source, &chip(4));
    let verdict = |text: &str| {
        let broken = Image { chip: faulty(&whole.chip, text), ..whole.clone() };
        assert!(broken.check().is_err(), "{text}");
        verify(&broken, &Contract::of_network())
    };
    let core = whole.blocks[BlockIndex(3)].core;
    let (x, y) = whole.chip.mesh.coordinates(core.0);
    assert!(!verdict(&format!("[dead]\ncores = [{{ x = {x}, y = {y} }}]\n")).holds());
    // The link by which everything comes from the host's corner, unless a block lies in it.
    let unicasts = whole.blocks.iter().flat_map(|block| &block.routes).flat_map(|route| &route.flits);
    assert!(unicasts.filter(|flit| matches!(flit.destination, Destination::Unicast(_))).count() > 0);
    let links = "[dead]\nlinks = [{ x = 0, y = 0, side = \"east\" }]\n";
    assert!(!verdict(links).keeps(Rule::Deadlock));
}

const EMULATION: Emulation = Emulation { seed: 1, timing: false, threads: 1 };

/// Runs 20 steps without input, and gives what is in the memories then: the reference in other pieces than the fast engine, which
/// changes nothing.
fn upset(image: &Image, faults: &MemoryFaults, engine: &str, threads: usize) -> (Vec<Vec<u8>>, UpsetCounts) {
    fn run<E: onward_emulate::Exposed>(
        engine: E,
        image: &Image,
        faults: &MemoryFaults,
        pieces: &[usize],
    ) -> (Vec<Vec<u8>>, UpsetCounts) {
        let (mut upset, record) = Upset::new(engine, image, faults, 7);
        for &steps in pieces {
            upset.run_fed(steps, &mut |_| {}).expect("nothing is sent");
        }
        let memories = image.blocks.keys().flat_map(|block| {
            [Space::Neuron, Space::Axon, Space::Synapse].map(|space| upset.memory(block, space).to_vec())
        });
        (memories.collect(), record.counts())
    }
    let options = Emulation { threads, ..EMULATION };
    match engine {
        "fast" => run(Machine::new(image, options).expect("a machine"), image, faults, &[20]),
        _ => run(reference::Machine::new(image, options).expect("a machine"), image, faults, &[1, 3, 8, 8]),
    }
}

fn protected(protection: Protection) -> Image {
    let mut chip = chip(3);
    chip.memory.protection = protection;
    image(&network(3, 2), &chip)
}

/// Bits in which memories differ.
fn difference(a: &[Vec<u8>], b: &[Vec<u8>]) -> u64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| u64::from((a ^ b).count_ones())).sum()
}

#[test]
fn as_many_bits_flip_as_are_said_on_both_engines() {
    let image = protected(Protection::None);
    let sound = upset(&image, &MemoryFaults::default(), "fast", 1).0;
    let flipped = MemoryFaults { flipped: 0.01, ..MemoryFaults::default() };
    let (memories, counts) = upset(&image, &flipped, "fast", 1);
    let bits = 8 * sound.iter().map(|memory| memory.len() as u64).sum::<u64>();
    assert!(bits - counts.bits < 32 * sound.len() as u64, "all but what is less than a word");
    assert_eq!(counts.flipped, (counts.bits as f64 * 0.01).round() as u64);
    assert_eq!(difference(&memories, &sound), counts.flipped, "each once");
    assert!(counts.silent > 0 && counts.corrected + counts.detected == 0);
    assert_eq!(upset(&image, &flipped, "reference", 1), (memories.clone(), counts));
    assert_eq!(upset(&image, &flipped, "fast", 2), (memories, counts));
    // As it runs: 20 steps are five windows.
    assert_eq!(image.network.window_steps, 4);
    let running = MemoryFaults { flips_a_step: 1e-4, memories: vec![FaultyMemory::Synapse], ..MemoryFaults::default() };
    let (memories, counts) = upset(&image, &running, "fast", 1);
    let expected = counts.bits as f64 * 1e-4 * 20.0;
    assert!((counts.flipped as f64 - expected).abs() <= 4.0, "{} of {expected}", counts.flipped);
    let elsewhere = |memories: &[Vec<u8>]| {
        let others = memories.iter().enumerate().filter(|(at, _)| at % 3 != 2);
        others.map(|(_, memory)| memory.clone()).collect::<Vec<_>>()
    };
    assert_eq!(elsewhere(&memories), elsewhere(&sound), "the other memories are as they were");
    assert_eq!(upset(&image, &running, "reference", 1), (memories, counts));
}

#[test]
fn stuck_bits_stay_what_they_are() {
    let image = protected(Protection::None);
    let stuck = MemoryFaults { stuck: 0.02, ..MemoryFaults::default() };
    let (mut upset, record) = Upset::new(Machine::new(&image, EMULATION).expect("a machine"), &image, &stuck, 3);
    upset.run_fed(1, &mut |_| {}).expect("nothing is sent");
    let block = BlockIndex(1);
    let name = image.blocks[block].symbols.iter().find(|symbol| symbol.name.contains("weights")).expect("it learns");
    let name = name.name.clone();
    let first = upset.peek(block, &name).expect("it is there");
    let held = |upset: &mut dyn Engine, value: i32| {
        upset.write(block, &name, &vec![value; first.len()]);
        upset.run_fed(image.network.window_steps as usize, &mut |_| {}).expect("nothing is sent");
        upset.peek(block, &name).expect("it is there")
    };
    let (zeros, ones) = (held(&mut upset, 0), held(&mut upset, -1));
    let stuck_to_one = zeros.iter().filter(|value| **value != 0).count();
    let stuck_to_zero = ones.iter().filter(|value| **value != -1).count();
    assert!(stuck_to_one > 0 && stuck_to_zero > 0);
    assert_eq!(held(&mut upset, 0), zeros);
    assert_eq!(record.counts().stuck, (record.counts().bits as f64 * 0.02).round() as u64);
}

#[test]
fn a_code_corrects_what_is_alone_and_parity_only_tells() {
    let few = MemoryFaults { flipped: 4e-4, ..MemoryFaults::default() };
    let sound = upset(&protected(Protection::Ecc), &MemoryFaults::default(), "fast", 1).0;
    let (memories, counts) = upset(&protected(Protection::Ecc), &few, "fast", 1);
    assert!(counts.corrected > 10 && counts.corrected + 2 * counts.detected + 3 * counts.silent >= counts.flipped);
    assert!(difference(&memories, &sound) <= 2 * counts.detected + 22 * counts.silent, "only pairs are left");
    let (memories, counts) = upset(&protected(Protection::Parity), &few, "fast", 1);
    assert!(counts.detected > 10 && counts.corrected == 0);
    assert!(difference(&memories, &sound) > 10, "and they are wrong");
    // So many that words have several.
    let many = MemoryFaults { flipped: 0.05, ..MemoryFaults::default() };
    let counts = upset(&protected(Protection::Ecc), &many, "fast", 1).1;
    assert!(counts.corrected > 0 && counts.detected > 0 && counts.silent > 0, "{counts:?}");
    // A bit that sticks alone in its word is put right each time.
    let stuck = MemoryFaults { stuck: 1e-4, ..MemoryFaults::default() };
    let (memories, counts) = upset(&protected(Protection::Ecc), &stuck, "fast", 1);
    assert!(counts.corrected > 0 && difference(&memories, &sound) <= 2 * counts.detected);
}
