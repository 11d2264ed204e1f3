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
