//! The IDX format, as MNIST is published: a big-endian header (two zero bytes, the element's type, the number of axes,
//! each axis' length in 32 bits), then the elements. Only bytes (type 8) are read here.

use super::error::{DataError, FileProblem};
use super::{Dataset, Samples};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Most bytes read from one file, uncompressed: almost four times the largest set of this family (EMNIST, 547 MB).
const LARGEST_FILE: u64 = 1 << 31;

/// A file to be read, compressed or not.
pub(super) struct Source {
    /// What messages call it.
    pub(super) place: String,
    /// Its contents from the start.
    pub(super) bytes: Box<dyn Read>,
}

/// `file` or `file.gz` in `folder`, in this order.
pub(super) fn open(folder: &Path, file: &str) -> Result<Source, DataError> {
    for name in [file.to_owned(), format!("{file}.gz")] {
        let path = folder.join(name);
        let place = path.display().to_string();
        match File::open(&path) {
            Ok(opened) => return Ok(Source { place, bytes: Box::new(BufReader::new(opened)) }),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(DataError::File { file: place, problem: FileProblem::Unreadable(error) }),
        }
    }
    Err(DataError::MissingFile { folder: folder.display().to_string(), file: file.to_owned() })
}

/// The files of a set that are in a folder.
pub(super) fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
    let paths = names.into_iter().flat_map(|name| [format!("{name}-ubyte"), format!("{name}-ubyte.gz")]);
    let paths: Vec<PathBuf> = paths.map(|name| folder.join(name)).collect();
    paths.into_iter().filter(|path| path.is_file())
}

/// The data set whose four files `open` gives.
pub(super) fn dataset(name: &str, open: impl Fn(&str) -> Result<Source, DataError>) -> Result<Dataset, DataError> {
    let (train, train_shape) = part("train", &open)?;
    let (test, test_shape) = part("t10k", &open)?;
    if train_shape != test_shape {
        return Err(DataError::Parts { name: name.to_owned(), train: train_shape, test: test_shape });
    }
    let highest = train.labels.iter().chain(&test.labels).max();
    let classes = highest.map_or(0, |&label| u32::from(label) + 1);
    Ok(Dataset::given(name, train_shape, classes, train, test))
}

/// Images and labels of one part, with the shape of an image.
fn part(part: &str, open: impl Fn(&str) -> Result<Source, DataError>) -> Result<(Samples, Vec<u32>), DataError> {
    let read = |name: &str, kind, axes| {
        let source = open(&format!("{part}-{name}-ubyte"))?;
        let place = source.place;
        match read_array(source.bytes, kind, axes) {
            Ok(array) => Ok((place, array)),
            Err(problem) => Err(DataError::File { file: place, problem }),
        }
    };
    let (images_file, images) = read("images-idx3", "images", 3)?;
    let (labels_file, labels) = read("labels-idx1", "labels", 1)?;
    let (image_count, label_count) = (images.axes[0] as usize, labels.axes[0] as usize);
    if image_count != label_count {
        return Err(DataError::Counts { images_file, images: image_count, labels_file, labels: label_count });
    }
    let labels = labels.bytes.into_iter().map(u16::from).collect();
    let pixels_per_sample = images.bytes.len() / image_count;
    Ok((Samples::new(images.bytes, labels, pixels_per_sample), images.axes[1..].to_vec()))
}

/// The contents of an IDX file of bytes: no axis is 0, `bytes` has as many as the product of `axes`.
struct Array {
    axes: Vec<u32>,
    bytes: Vec<u8>,
}

/// Reads a whole IDX file of bytes with that many axes, and sees that nothing follows.
fn read_array(mut source: impl Read, kind: &'static str, axes: u8) -> Result<Array, FileProblem> {
    // Whether a file is compressed is seen from its first bytes, not from its name: downloads get renamed.
    let start = read_up_to(&mut source, 2).map_err(FileProblem::Unreadable)?;
    let compressed = start == [0x1f, 0x8b];
    let broken = |error: io::Error| match compressed {
        true => FileProblem::BrokenGzip(error),
        false => FileProblem::Unreadable(error),
    };
    let whole = io::Cursor::new(start).chain(source);
    let mut plain: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };

    let magic = [0, 0, 8, axes];
    let header_bytes = 4 + 4 * u64::from(axes);
    let header = read_up_to(&mut plain, header_bytes).map_err(broken)?;
    let found = &header[..header.len().min(4)];
    if !magic.starts_with(found) {
        return Err(FileProblem::Magic { kind, expected: magic, found: found.to_vec() });
    }
    if header.len() as u64 != header_bytes {
        return Err(FileProblem::Truncated { expected: header_bytes, found: header.len() as u64 });
    }
    let axes: Vec<u32> =
        header[4..].chunks_exact(4).map(|axis| u32::from_be_bytes([axis[0], axis[1], axis[2], axis[3]])).collect();
    let size = checked_size(kind, &axes)?;

    // One byte more than announced, to see that there is none; for a compressed file this also checks its checksum.
    let mut bytes = read_up_to(&mut plain, size + 1).map_err(broken)?;
    let expected = header_bytes + size;
    match bytes.len() as u64 {
        found if found < size => Err(FileProblem::Truncated { expected, found: header_bytes + found }),
        found if found > size => Err(FileProblem::Trailing { expected }),
        _ => {
            bytes.shrink_to_fit();
            Ok(Array { axes, bytes })
        }
    }
}

/// The product of the axes, when it is neither 0 nor beyond [`LARGEST_FILE`].
fn checked_size(kind: &str, axes: &[u32]) -> Result<u64, FileProblem> {
    let lengths: Vec<String> = axes.iter().map(u32::to_string).collect();
    let sizes = format!("{} {kind}", lengths.join(" x "));
    // Three axes of 32 bits fit into 96.
    let bytes: u128 = axes.iter().map(|&axis| u128::from(axis)).product();
    match u64::try_from(bytes) {
        Ok(0) => Err(FileProblem::Empty(sizes)),
        Ok(size) if size <= LARGEST_FILE => Ok(size),
        _ => Err(FileProblem::TooLarge { sizes, bytes, limit: LARGEST_FILE }),
    }
}

/// Up to `limit` bytes; fewer only at the end. The vector grows with what arrives, whatever the limit.
fn read_up_to(source: &mut impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.by_ref().take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
