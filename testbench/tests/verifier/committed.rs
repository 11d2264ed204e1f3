//! Every committed network and every system in assembly is proven.

use crate::{breaches, verdict};
use onward_assembly::assemble_system;
use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_image::Image;
use onward_isa::read_relative;
use onward_verify::{Contract, verify};
use std::path::{Path, PathBuf};

/// The files below `programs/` with this ending, in order; those that others only include left out.
fn files(extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("common") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The image of a network on the first chip that it fits.
fn image(path: &Path) -> Image {
    let source = Source::new(path.display().to_string(), std::fs::read_to_string(path).expect("a text"));
    let source = onward_net::with_includes(source, &mut |path| std::fs::read_to_string(path))
        .unwrap_or_else(|(source, errors)| panic!("{}", source.render(&errors)));
    for chip in ["small", "middle", "large", "convolution"] {
        let chip = Chip::builtin(chip).unwrap_or_else(|_| {
            let file = format!("{}/../programs/chips/{chip}.toml", env!("CARGO_MANIFEST_DIR"));
            Chip::load(&file).expect("a chip file")
        });
        if let Ok(image) = compile(&source, &Options::new(chip, 1)) {
            return image;
        }
    }
    panic!("{} fits no chip", path.display());
}

#[test]
fn every_committed_network_is_proven() {
    let files = files("sp");
    assert!(files.len() > 20, "the networks are found");
    for path in files {
        let verdict = verdict(&image(&path));
        assert!(verdict.holds(), "{}:\n{}", path.display(), breaches(&verdict));
        assert!(verdict.bounds.is_some());
    }
}

/// Inputs that reach nothing have no trace: of a plane whose last ones a stride or a pool leaves out. Looked at together with others
/// they seem to write beside the traces, where the places of pulls are.
#[test]
fn planes_with_inputs_that_reach_nothing_are_proven() {
    let layer = |name: &str, kind: &str, from: &str, learning: &str| {
        format!(" layer {name} = {kind}, weights = fixed {{ bits = 8 }}, learning = {learning} }}\n")
            .replace("FROM", from)
    };
    let chip = Chip::builtin("large").expect("a built-in chip");
    for learning in [
        "hinge { rate = 4, revive = none }",
        "softmax { rate = 5, gate = voltage, revive = none }",
        "hebbian { rate = 7, revive = none, target = direct { grid = 3 } }",
    ] {
        for block in [1, 4] {
            let alone = layer("h", &format!("conv(4, 1) from FROM {{ stride = 2, block = {block}"), "x, y", learning);
            let first = layer("g", "conv(4, 1) from FROM { block = 2", "x, y", learning);
            let behind = layer("h", &format!("conv(4, 2) from FROM {{ block = {block}"), "p", learning);
            for (size, layers) in [(4, alone), (7, format!("{first} layer p = sum_pool(2) from g\n{behind}"))] {
                let text = format!(
                    "network left_out {{\n window = 8\n input x = rate(2, {size}, {size})\n target y = classes(8)\n{layers} \
                     readout z = nearest_target from h\n}}\n"
                );
                let source = Source::new("left_out.sp", text.as_str());
                let image = compile(&source, &Options::new(chip.clone(), 1))
                    .unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
                let verdict = verdict(&image);
                assert!(verdict.holds(), "{}{text}", breaches(&verdict));
            }
        }
    }
}

#[test]
fn every_system_in_assembly_is_proven() {
    for path in files("s") {
        let source = Source::new(path.display().to_string(), std::fs::read_to_string(&path).expect("a text"));
        let chip = Chip::builtin("middle").expect("a built-in chip");
        let system = assemble_system(&source, &chip, &mut read_relative).unwrap_or_else(|errors| panic!("{errors}"));
        let packets = system.stimuli.iter().map(|packet| (packet.input, packet.payload));
        let verdict = verify(&system.image, &Contract::of_packets(system.image.host_inputs.len(), packets));
        assert!(verdict.holds(), "{}:\n{}", path.display(), breaches(&verdict));
    }
}

/// Weights of a layer that learns change by what the layer's own cores hold, and that stems from the layers before.
#[test]
fn what_weights_change_by_is_named() {
    let verdict = verdict(&crate::image_of("digits.sp", "small", 1));
    let of = |layer: &str, array: &str| {
        let found = verdict.learned.iter().find(|learned| learned.layer == layer && learned.array == array);
        found.unwrap_or_else(|| panic!("`{array}` of `{layer}` learns"))
    };
    let has = |list: &[String], names: &[&str]| names.iter().all(|name| list.iter().any(|found| found == name));
    let first = of("hidden1", "weights");
    assert!(has(&first.arrays, &["trace", "target_count", "voltage", "weights"]), "{first:?}");
    assert_eq!(first.packets, ["digit", "pixels"]);
    let second = of("hidden2", "weights");
    assert!(has(&second.arrays, &["trace", "target_trace", "weights"]), "{second:?}");
    assert_eq!(second.packets, ["hidden1"]);
}
