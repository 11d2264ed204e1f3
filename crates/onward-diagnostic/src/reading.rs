//! Files that may be a stranger's: texts, and what says how large an array is.

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
    let real = below(main.parent().unwrap_or(Path::new("")), path)?;
    if !real.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    read_text(&real)
}

/// The real path of what a text names, which must lie in the text's `folder` or below, wherever links lead: a text from a stranger
/// reads nothing else.
///
/// # Errors
/// There is nothing, or it lies elsewhere.
pub fn below(folder: &Path, path: &Path) -> io::Result<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let real = path.canonicalize()?;
    match real.starts_with(folder.canonicalize()?) {
        true => Ok(real),
        false => Err(io::Error::other("it lies outside the folder of the text that names it")),
    }
}

/// Bytes of the header of a `.npy` file at most: NumPy's own limit is 10,000.
const NPY_HEADER_MAX: usize = 1 << 16;
/// Brackets within each other in such a header at most: that of an array of numbers has two.
const NPY_NESTING_MAX: usize = 16;

/// The header of a `.npy` file with the magic number before it, for a parser; `reader` goes on with the numbers. Its length is looked
/// at before memory is taken for it, and how deep its brackets nest before it is parsed, which takes a stack.
///
/// # Errors
/// What the system says; that the file does not begin as one, or that its header is too long or nests too deep.
pub fn npy_header(mut reader: impl Read) -> io::Result<Vec<u8>> {
    let wrong = |what: &str| Err(io::Error::other(what.to_owned()));
    let mut bytes = Vec::new();
    reader.by_ref().take(8).read_to_end(&mut bytes)?;
    if bytes.len() < 8 || !bytes.starts_with(b"\x93NUMPY") {
        return wrong("magic not found for NPY file");
    }
    let mut size = vec![0; if bytes[6] == 1 { 2 } else { 4 }];
    reader.read_exact(&mut size)?;
    let length = size.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    if length > NPY_HEADER_MAX {
        return wrong("its header is too long");
    }
    let mut text = vec![0; length];
    reader.read_exact(&mut text)?;
    let mut depth = 0usize;
    for &byte in &text {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NPY_NESTING_MAX {
            return wrong("its header nests too deep");
        }
    }
    bytes.extend(size);
    bytes.extend(text);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_would_take_memory_or_a_stack_are_refused() {
        let file = |version: u8, length: &[u8], text: &[u8]| {
            [b"\x93NUMPY", &[version, 0][..], length, text, b"numbers"].concat()
        };
        let sound = file(1, &[3, 0], b"{}\n");
        let mut rest = &sound[..];
        assert_eq!(npy_header(&mut rest).expect("it is sound"), sound[..13]);
        assert_eq!(rest, b"numbers");
        let nested = [b'('; 17];
        for (file, cause) in [
            (file(2, &[0xff; 4], b""), "too long"),
            (file(1, &[17, 0], &nested), "too deep"),
            (b"\x93NUMP".to_vec(), "magic"),
        ] {
            let error = npy_header(&file[..]).expect_err(cause);
            assert!(error.to_string().contains(cause), "{error}");
        }
        assert!(npy_header(&file(1, &[200, 0], b"cut off")[..]).is_err());
    }

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
