//! The same text, data and seed give the same weights, to the bit: whatever the chip, the lanes, the timing, the threads.

use onward_chip::{Array, Chip, Mesh, Topology};
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::Options as Emulation;
use onward_run::data::Dataset;
use onward_run::{EpochReport, Session, train};
use std::ops::ControlFlow;

fn one_epoch(chip: Chip, seed: u64, timing: bool, threads: usize) -> EpochReport {
    one_epoch_by(None, chip, seed, timing, threads)
}

/// An epoch of the digits, by another rule than the text's if one is given.
fn one_epoch_by(rule: Option<&str>, chip: Chip, seed: u64, timing: bool, threads: usize) -> EpochReport {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/digits.sp");
    let mut text = std::fs::read_to_string(path).unwrap();
    if let Some(rule) = rule {
        let start = text.find("hinge {").unwrap();
        let end = start + text[start..].find('}').unwrap() + 1;
        text.replace_range(start..end, rule);
    }
    one_epoch_of(&text, chip, seed, timing, threads)
}

fn one_epoch_of(text: &str, chip: Chip, seed: u64, timing: bool, threads: usize) -> EpochReport {
    let source = Source::new("digits.sp", text);
    let image = compile(&source, &Options::new(chip, seed)).map_err(|errors| source.render(&errors)).unwrap();
    let dataset = Dataset::load("digits").unwrap();
    let mut session = Session::new(&image, Emulation { seed, timing, threads }).unwrap();
    let report = train(&mut session, &image, &dataset, 1, seed, |_| ControlFlow::Continue(()), |_| {}).unwrap();
    report.epochs.into_iter().next().unwrap()
}

fn chip(name: &str, lanes: u16) -> Chip {
    let mut chip = Chip::builtin(name).unwrap();
    chip.core.lanes = lanes;
    chip
}

#[test]
fn weights_do_not_depend_on_how_they_are_computed() {
    let first = one_epoch(chip("small", 16), 1, true, 1);
    let of = |report: &EpochReport| (report.weights_hash.clone(), report.right());
    let mut odd = chip("middle", 64);
    odd.mesh.buffer_flits = 1;
    odd.mesh.link_cycles = 3;
    odd.clock_hz /= 3;
    odd.core.vector_length = 64;
    let mut torus = chip("small", 16);
    torus.mesh = Mesh { topology: Topology::Torus, cores_per_tile: 2, ..Mesh::of(3, 2) };
    let mut chips = chip("small", 16);
    let array = Array { width: 2, height: 2, link_cycles: 8, cycles_per_flit: 5 };
    chips.mesh = Mesh { cores_per_tile: 3, array: Some(array), ..Mesh::of(2, 2) };
    for (what, report) in [
        ("a torus of tiles of two cores", one_epoch(torus, 1, true, 2)),
        ("four chips of a tile of three cores", one_epoch(chips, 1, true, 1)),
        ("a second run", one_epoch(chip("small", 16), 1, true, 1)),
        ("without timing", one_epoch(chip("small", 16), 1, false, 1)),
        ("two threads", one_epoch(chip("small", 16), 1, true, 2)),
        ("two threads without timing", one_epoch(chip("small", 16), 1, false, 2)),
        ("4x4", one_epoch(chip("middle", 16), 1, true, 2)),
        ("16x16", one_epoch(chip("large", 16), 1, true, 2)),
        ("8 lanes", one_epoch(chip("small", 8), 1, true, 1)),
        ("4x4, 8 lanes", one_epoch(chip("middle", 8), 1, false, 2)),
        ("64 lanes, short vectors, shallow buffers, slow links", one_epoch(odd, 1, true, 2)),
    ] {
        assert_eq!(of(&report), of(&first), "{what}");
    }
}

/// Two convolutions and a dense layer behind them.
const CONVOLUTIONS: &str = "network digits {
    data = \"digits\"
    window = 8
    learning = hinge { rate = 4, anneal = 0, revive = none }
    input pixels = rate(8, 8)
    target digit = classes(10)
    layer features = conv(8, 3) from pixels, digit { padding = 1, block = 4 }
    layer places = conv(8, 3) from features { stride = 2, padding = 1, block = 4 }
    layer hidden = dense(64) from places { learning = hinge { rate = 9 } }
    readout answer = nearest_target from hidden
}";

#[test]
fn shared_kernels_do_not_depend_on_how_they_are_computed() {
    let one_epoch = |chip, timing, threads| {
        let report = one_epoch_of(CONVOLUTIONS, chip, 1, timing, threads);
        (report.weights_hash.clone(), report.right())
    };
    let first = one_epoch(chip("convolution", 16), true, 1);
    let mut odd = chip("convolution", 64);
    odd.mesh.buffer_flits = 1;
    odd.core.vector_length = 64;
    assert_eq!(one_epoch(odd, true, 2), first, "64 lanes, short vectors, shallow buffers");
    assert_eq!(one_epoch(chip("convolution", 4), false, 2), first, "4 lanes, without timing");
}

#[test]
fn weights_of_other_rules_do_not_depend_on_how_they_are_computed() {
    let of = |report: &EpochReport| (report.weights_hash.clone(), report.right());
    for rule in [
        "softmax { rate = 7, optimizer = momentum, weight_decay = 12 }",
        "squared_error { rate = 7, gate = voltage, optimizer = adaptive }",
        "hebbian { rate = 7 }",
        "hinge { rate = 7, rounding = carried, batch = 24 }",
    ] {
        let rule = Some(rule);
        let first = one_epoch_by(rule, chip("small", 16), 1, true, 1);
        let mut short = chip("middle", 8);
        short.core.vector_length = 64;
        assert_eq!(of(&one_epoch_by(rule, short, 1, false, 2)), of(&first), "{rule:?}: 8 lanes, short vectors");
        assert_eq!(of(&one_epoch_by(rule, chip("large", 64), 1, true, 2)), of(&first), "{rule:?}: 16x16, 64 lanes");
    }
}

#[test]
fn another_seed_gives_other_weights() {
    let hash = |seed| one_epoch(chip("small", 16), seed, false, 2).weights_hash;
    assert_ne!(hash(1), hash(2));
}
