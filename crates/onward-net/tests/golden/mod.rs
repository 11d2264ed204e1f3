//! Comparison with recorded text.

use std::path::Path;
use std::{env, fs};

/// Compares `actual` with the file at `path`, or writes it there if `UPDATE_GOLDEN` is set.
pub fn check(path: &Path, actual: &str) {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, actual).expect("golden files can be written");
    }
    let expected = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; record it with UPDATE_GOLDEN=1", path.display()));
    assert_eq!(actual, expected, "{} differs; record it with UPDATE_GOLDEN=1 if it is better", path.display());
}
