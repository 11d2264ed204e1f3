//! Data in `.npz` files, written here as NumPy does.

use npyz::WriterBuilder;
use onward_run::data::{DataError, Dataset};
use onward_run::{Spike, spikes_to_npy};
use std::io::{Cursor, Write};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

/// A `.npy` file.
fn array<T: npyz::AutoSerialize + Clone>(shape: &[u64], values: &[T]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd().expect("to memory");
    writer.extend(values.iter().cloned()).expect("to memory");
    writer.finish().expect("to memory");
    bytes.into_inner()
}

fn load(arrays: &[(&str, Vec<u8>)]) -> Result<Dataset, DataError> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("data.npz");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    for (name, bytes) in arrays {
        archive.start_file(format!("{name}.npy"), SimpleFileOptions::default()).expect("a member");
        archive.write_all(bytes).expect("written");
    }
    archive.finish().expect("written");
    Dataset::load(&path.display().to_string())
}

#[test]
fn samples_with_and_without_labels() {
    let samples = array(&[2, 1, 3], &[0u8, 1, 2, 253, 254, 255]);
    let set = load(&[("samples", samples.clone()), ("labels", array(&[2], &[7i64, 3]))]).expect("a data set");
    assert_eq!((set.shape.as_slice(), set.classes), ([1, 3].as_slice(), 8));
    assert_eq!((set.test.pixels(1), set.test.label(0)), ([253, 254, 255].as_slice(), 7));
    assert_eq!(set.train, set.test);
    assert!(set.test.is_labelled() && !set.test.is_recorded());
    // Real numbers are parts of 255.
    let set = load(&[("train_samples", samples), ("test_samples", array(&[1, 1, 3], &[0.0f32, 0.5, 1.0]))]);
    let set = set.expect("a data set");
    assert_eq!((set.test.pixels(0), set.test.is_labelled()), ([0, 128, 255].as_slice(), false));
}

#[test]
fn recorded_spikes_are_in_order_and_once() {
    let arrays = [
        ("steps", array(&[5], &[3u32, 0, 0, 3, 1])),
        ("axons", array(&[5], &[9u32, 2, 1, 9, 4])),
        ("offsets", array(&[4], &[0i64, 4, 4, 5])),
    ];
    let set = load(&arrays).expect("a data set");
    assert_eq!(set.test.events(0), [(0, 1), (0, 2), (3, 9)]);
    assert_eq!((set.test.events(1), set.test.events(2), set.test.len()), ([].as_slice(), [(1, 4)].as_slice(), 3));
    set.check_events(10, 4, u32::MAX).expect("it fits");
    let message = set.check_events(9, 4, u32::MAX).expect_err("there is no axon 9").to_string();
    assert!(message.contains("a spike of axon 9 in step 3; the network has 9 axons"), "{message}");
    assert!(set.check_events(10, 3, u32::MAX).is_err());
}

#[test]
fn what_is_wrong_is_said() {
    let wrong = |arrays: &[(&str, Vec<u8>)]| load(arrays).expect_err("no data set").to_string();
    let samples = ("samples", array(&[2, 2], &[1u8, 2, 3, 4]));
    for (arrays, says) in [
        (vec![("other", array(&[1], &[1u8]))], "arrays in it: other"),
        (vec![samples.clone(), ("labels", array(&[3], &[1u8, 2, 3]))], "3 labels for 2 samples"),
        (vec![samples.clone(), ("labels", array(&[2], &[1i32, -2]))], "`labels[1]` is -2: a label is a whole number"),
        (
            vec![("samples", array(&[1, 2], &[0.5f64, 1.5]))],
            "`samples[0, 1]` is 1.5: values are bytes, 0 to 255, or real numbers from 0 to 1",
        ),
        (vec![("samples", array::<u8>(&[0, 2], &[]))], "no sample"),
        (
            vec![("steps", array(&[1], &[1u8])), ("axons", array(&[1], &[1u8])), ("offsets", array(&[2], &[0u8, 2]))],
            "`offsets[1]` is 2, beyond the 1 spikes there are",
        ),
    ] {
        let message = wrong(&arrays);
        assert!(message.contains(says), "{message}");
    }
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("broken.npz");
    std::fs::write(&path, b"no archive").expect("written");
    let message = Dataset::load(&path.display().to_string()).expect_err("no archive").to_string();
    assert!(message.contains("is no `.npz` file"), "{message}");
}

#[test]
fn spikes_are_an_array_that_can_be_read() {
    let spikes = [Spike { sample: 0, step: 1, neuron: 2 }, Spike { sample: 3, step: 4, neuron: 70_000 }];
    let bytes = spikes_to_npy(&spikes).expect("written");
    let file = npyz::NpyFile::new(&bytes[..]).expect("a .npy file");
    assert_eq!(file.shape(), [2, 3]);
    assert_eq!(file.into_vec::<u32>().expect("numbers"), [0, 1, 2, 3, 4, 70_000]);
    assert!(spikes_to_npy(&[]).expect("written").len().is_multiple_of(64));
}
