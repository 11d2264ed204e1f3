//! The emulator computes with integers alone: no floating-point type occurs in it, nor in the instruction set.

use std::fs;
use std::path::Path;

/// Calls `f` with each Rust file below a folder.
fn for_each_source(folder: &Path, f: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for_each_source(&path, f);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            f(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn there_is_no_floating_point_in_the_emulator() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut files = 0;
    for part in ["onward-emulate/src", "onward-isa/src", "onward-image/src"] {
        for_each_source(&crates.join(part), &mut |path, text| {
            files += 1;
            // Tests may check statistics of the generator in floating point.
            let code = text.split("#[cfg(test)]").next().unwrap_or(text);
            for word in code.split(|c: char| !c.is_alphanumeric() && c != '_') {
                assert!(word != "f32" && word != "f64", "{} computes with {word}", path.display());
            }
        });
    }
    assert!(files > 20, "only {files} files looked at: have they moved?");
}
