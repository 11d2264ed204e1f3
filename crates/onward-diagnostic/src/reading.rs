//! Texts from files, which may be a stranger's.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Most bytes of a text that is read: more than anyone writes, and less than a host's memory.
pub const LARGEST_TEXT: u64 = 64 << 20;

/// The text of a file of [`LARGEST_TEXT`] at most.
///
/// # Errors
/// What the system says; that the file is larger, or that it is no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // One byte more, to see that there is none; a device may have no end.
    File::open(path)?.take(LARGEST_TEXT + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LARGEST_TEXT {
        true => Err(io::Error::other(format!("it is larger than {} MiB, and no text is", LARGEST_TEXT >> 20))),
        false => Ok(text),
    }
}

/// [`read_text`] of what another text names: a file in the folder of `main`, or below, wherever links lead.
///
/// # Errors
/// As [`read_text`]; and that the file lies elsewhere, or is none.
pub fn read_included(main: &Path, path: &Path) -> io::Result<String> {
    let folder = main.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let real: PathBuf = path.canonicalize()?;
    if !real.starts_with(folder.canonicalize()?) {
        return Err(io::Error::other("it lies outside the folder of the text that is compiled"));
    }
    if !real.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    read_text(&real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_elsewhere_is_not_read() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let main = here.join("lib.rs");
        assert!(read_included(&main, &here.join("reading.rs")).is_ok());
        assert!(read_included(&main, &here.join("../src/reading.rs")).is_ok());
        for outside in ["../Cargo.toml", "/dev/null", "../../onward-isa/src/lib.rs"] {
            let error = read_included(&main, &here.join(outside)).expect_err("it lies elsewhere");
            assert!(error.to_string().contains("outside"), "{outside}: {error}");
        }
        assert!(read_included(&main, &here.join("nothing.rs")).is_err());
        assert!(read_included(&main, &here).is_err());
    }
}
