//! Data sets: what loads, and what each damage is answered with.

use flate2::{Compression, write::GzEncoder};
use onward_diagnostic::Remedy;
use onward_run::data::{BUILTIN_DATASETS, DataError, Dataset, FileProblem, Samples};
use proptest::prelude::*;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

const FILES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

fn idx(axes: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, axes.len() as u8];
    axes.iter().for_each(|axis| bytes.extend(axis.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

/// A sound set: 3 training images and 2 test images of 2 x 3 pixels, labels 0, 4, 1 and 2, 0.
fn sound() -> [Vec<u8>; 4] {
    let pixels: Vec<u8> = (0..18).collect();
    [idx(&[3, 2, 3], &pixels), idx(&[3], &[0, 4, 1]), idx(&[2, 2, 3], &pixels[..12]), idx(&[2], &[2, 0])]
}

fn write(folder: &Path, files: &[Vec<u8>; 4]) {
    for (name, bytes) in FILES.iter().zip(files) {
        std::fs::write(folder.join(name), bytes).expect("written");
    }
}

fn load(files: &[Vec<u8>; 4]) -> Result<Dataset, DataError> {
    let folder = TempDir::new().expect("a folder");
    write(folder.path(), files);
    Dataset::load(&folder.path().display().to_string())
}

/// The sound set with file `index` replaced.
fn load_with(index: usize, bytes: Vec<u8>) -> Result<Dataset, DataError> {
    let mut files = sound();
    files[index] = bytes;
    load(&files)
}

#[test]
fn digits_are_built_in() {
    let digits = Dataset::load("digits").expect("built in");
    assert_eq!(digits.shape, [8, 8]);
    assert_eq!((digits.classes, digits.train.len(), digits.test.len()), (10, 1348, 449));
    assert!((0..1348).all(|sample| digits.train.label(sample) < 10 && digits.train.pixels(sample).len() == 64));
    // Every fourth sample is test; the set starts 0 1 2 3 4 5 6 7 8 9.
    assert_eq!([0, 1, 2, 3, 4, 5].map(|sample| digits.train.label(sample)), [0, 1, 2, 4, 5, 6]);
    assert_eq!([0, 1].map(|sample| digits.test.label(sample)), [3, 7]);
    assert_eq!(BUILTIN_DATASETS, ["digits", "digits-of-classes", "mackey-glass"]);
}

#[test]
fn published_sets_load() {
    let root = std::env::var("ONWARD_DATA").unwrap_or_else(|_| "../../../shared/data".to_owned());
    for (name, train, test) in [("mnist", 60_000, 10_000), ("fashion-mnist", 60_000, 10_000)] {
        let folder = format!("{root}/{name}");
        if !Path::new(&folder).is_dir() {
            eprintln!("{folder} is not there: skipped");
            continue;
        }
        let set = Dataset::load(&folder).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((set.train.len(), set.test.len(), set.classes), (train, test, 10));
        set.check(&[1, 28, 28], 10).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_folder_loads_plain_compressed_and_renamed() {
    let set = load(&sound()).expect("sound");
    assert_eq!((set.shape.as_slice(), set.classes), ([2, 3].as_slice(), 5));
    assert_eq!(set.train, Samples::new((0..18).collect(), vec![0, 4, 1], 6));
    assert_eq!((set.test.pixels(1), set.test.label(0)), ([6, 7, 8, 9, 10, 11].as_slice(), 2));

    let folder = TempDir::new().expect("a folder");
    write(folder.path(), &sound());
    std::fs::remove_file(folder.path().join(FILES[0])).expect("there");
    std::fs::write(folder.path().join("train-images-idx3-ubyte.gz"), gzip(&sound()[0])).expect("written");
    std::fs::write(folder.path().join(FILES[1]), gzip(&sound()[1])).expect("compressed without .gz in its name");
    let mixed = Dataset::load(&folder.path().display().to_string()).expect("sound");
    assert_eq!((mixed.train, mixed.test), (set.train, set.test));
}

#[test]
fn an_unknown_name_lists_those_that_exist() {
    let error = Dataset::load("digit").expect_err("no such set");
    assert_eq!(error.to_string(), "no data set `digit`: no folder or file of that name");
    let builtin = "built in: digits, digits-of-classes, mackey-glass; ";
    assert!(error.remedy().is_some_and(|remedy| remedy.starts_with(builtin)), "{error:?}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = Dataset::load(&file.path().display().to_string()).expect_err("a file").to_string();
    assert!(error.contains("it is a file, but no .npz"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    for name in FILES {
        let folder = TempDir::new().expect("a folder");
        write(folder.path(), &sound());
        std::fs::remove_file(folder.path().join(name)).expect("there");
        match Dataset::load(&folder.path().display().to_string()) {
            Err(DataError::MissingFile { file, .. }) => assert_eq!(file, name),
            other => panic!("{other:?}"),
        }
        std::fs::create_dir(folder.path().join(name)).expect("a folder in its place");
        let error = Dataset::load(&folder.path().display().to_string()).expect_err("a folder").to_string();
        assert!(error.contains(name) && error.contains("cannot be read"), "{error}");
    }
}

#[test]
fn damage_says_what_was_expected_and_found() {
    let message = |result: Result<Dataset, DataError>| result.expect_err("damaged").to_string();
    let swapped = message(load_with(0, sound()[1].clone()));
    assert!(swapped.contains("train-images-idx3-ubyte: starts with [00, 00, 08, 01] where"), "{swapped}");
    assert!(swapped.contains("images starts with [00, 00, 08, 03]"), "{swapped}");

    let images = &sound()[0];
    let short = message(load_with(0, images[..images.len() - 2].to_vec()));
    assert!(short.contains("34 bytes expected, 32 found"), "{short}");
    let header_only = message(load_with(0, images[..7].to_vec()));
    assert!(header_only.contains("16 bytes expected, 7 found"), "{header_only}");
    assert!(message(load_with(3, Vec::new())).contains("8 bytes expected, 0 found"));
    let long = message(load_with(0, [images.as_slice(), &[1]].concat()));
    assert!(long.contains("goes on after its end: 34 bytes expected"), "{long}");

    let counts = message(load_with(3, idx(&[3], &[0, 1, 2])));
    assert!(counts.contains("holds 2 images but") && counts.contains("t10k-labels-idx1-ubyte 3 labels"), "{counts}");
    assert!(message(load_with(0, idx(&[0, 28, 28], &[]))).contains("is empty: its header says 0 x 28 x 28 images"));
    assert!(message(load_with(0, idx(&[3, 0, 28], &[]))).contains("is empty"));
    let parts = message(load_with(2, idx(&[2, 3, 3], &[7; 18])));
    assert!(parts.contains("training images are 2 x 3 but test images are 3 x 3"), "{parts}");

    let mut broken = gzip(images);
    let last = broken.len() - 6; // in the checksum
    broken[last] ^= 1;
    assert!(message(load_with(0, broken)).contains("gzip compression is broken"));
    let whole = gzip(images);
    assert!(message(load_with(0, whole[..whole.len() - 9].to_vec())).contains("gzip compression is broken"));
    let followed = [whole.as_slice(), b"more"].concat();
    assert!(load_with(0, followed).is_err(), "bytes after the compressed ones");
}

/// A header of many bytes must cost neither memory nor time.
#[test]
fn an_absurd_header_is_refused_cheaply() {
    let absurd = load_with(0, idx(&[u32::MAX, u32::MAX, u32::MAX], &[])).expect_err("absurd");
    assert!(matches!(absurd, DataError::File { problem: FileProblem::TooLarge { .. }, .. }), "{absurd}");
    // Two GiB announced, nothing there.
    let empty = load_with(0, idx(&[1 << 15, 1 << 8, 1 << 8], &[])).expect_err("nothing there");
    assert!(empty.to_string().contains("2147483664 bytes expected, 16 found"), "{empty}");
}

#[test]
fn a_network_that_does_not_fit_is_told_so() {
    let set = load(&sound()).expect("sound");
    for fitting in [&[2, 3][..], &[1, 2, 3], &[6], &[2, 3, 1]] {
        set.check(fitting, 5).unwrap_or_else(|error| panic!("{error}"));
    }
    for other in [&[3, 2][..], &[7], &[2, 3, 2], &[]] {
        assert!(matches!(set.check(other, 5), Err(DataError::Shape { .. })), "{other:?}");
    }
    let shape = set.check(&[3, 2], 5).expect_err("turned").to_string();
    assert!(shape.contains("samples are 2 x 3 but the network's input is 3 x 2"), "{shape}");
    let label = set.check(&[2, 3], 4).expect_err("a class too few");
    let cause = "train sample 1 has label 4, but the network has 4 classes (0 to 3)";
    assert!(label.to_string().ends_with(cause), "{label}");
    assert!(label.remedy().is_some_and(|remedy| remedy.starts_with("give the network at least 5 ")), "{label:?}");
    assert!(set.check(&[2, 3], 0).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the bytes, there is an answer; and what loads keeps its promises.
    #[test]
    fn no_bytes_bring_the_reader_down(
        file in 0..4_usize,
        compressed: bool,
        cut in prop::option::of(0..60_usize),
        changes in prop::collection::vec((0..60_usize, any::<u8>()), 0..4),
        random in prop::option::weighted(0.2, prop::collection::vec(any::<u8>(), 0..200)),
    ) {
        let mut bytes = random.unwrap_or_else(|| match compressed {
            true => gzip(&sound()[file]),
            false => sound()[file].clone(),
        });
        for (place, value) in changes {
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
        }
        bytes.truncate(cut.unwrap_or(bytes.len()));
        match load_with(file, bytes) {
            Ok(set) => {
                prop_assert!(!set.train.is_empty() && !set.test.is_empty());
                let last = set.train.len() - 1;
                prop_assert_eq!(set.train.pixels(last).len() as u32, set.shape.iter().product::<u32>());
                prop_assert!(set.check(&set.shape, set.classes).is_ok());
            }
            Err(error) => prop_assert!(error.to_string().len() > 20),
        }
    }
}
