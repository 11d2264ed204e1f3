//! Data in arrays of every type that NumPy writes: what is right is read, what could mislead is refused with its place.

use onward_diagnostic::Remedy;
use onward_run::data::{DataError, Dataset, Share, Split, files_of};
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

/// A `.npy` file as NumPy writes it.
fn npy(kind: &str, fortran: bool, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let shape: String = shape.iter().map(|extent| format!("{extent}, ")).collect();
    let kind = if kind.starts_with('[') { kind.to_owned() } else { format!("'{kind}'") };
    let header = format!("{{'descr': {kind}, 'fortran_order': {order}, 'shape': ({shape}), }}");
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((length as u16).to_le_bytes());
    file.extend(format!("{header:<width$}\n", width = length - 1).bytes());
    file.extend(bytes);
    file
}

/// Numbers as the bytes of a type, in either order of bytes.
fn bytes(kind: &str, values: &[f64]) -> Vec<u8> {
    let number = |value: f64| -> Vec<u8> {
        let integer = value as i128;
        let little: Vec<u8> = match &kind[1..] {
            "f2" => half(value).to_le_bytes().to_vec(),
            "f4" => (value as f32).to_le_bytes().to_vec(),
            "f8" => value.to_le_bytes().to_vec(),
            "b1" => vec![u8::from(value != 0.0)],
            integers => integer.to_le_bytes()[..integers[1..].parse::<usize>().unwrap()].to_vec(),
        };
        if kind.starts_with('>') { little.into_iter().rev().collect() } else { little }
    };
    values.iter().flat_map(|&value| number(value)).collect()
}

/// The bits of a number that has a short binary fraction, as a half.
fn half(value: f64) -> u16 {
    if value == 0.0 {
        return 0;
    }
    let exponent = value.abs().log2().floor();
    let fraction = (value.abs() / 2f64.powf(exponent) - 1.0) * 1024.0;
    u16::from(value < 0.0) << 15 | ((exponent as i32 + 15) as u16) << 10 | fraction as u16
}

fn array(kind: &str, shape: &[usize], values: &[f64]) -> Vec<u8> {
    npy(kind, false, shape, &bytes(kind, values))
}

fn write(path: &Path, members: &[(&str, Vec<u8>)]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).expect("a file"));
    for (name, bytes) in members {
        archive.start_file(format!("{name}.npy"), SimpleFileOptions::default()).expect("a member");
        archive.write_all(bytes).expect("written");
    }
    archive.finish().expect("written");
}

fn load(members: &[(&str, Vec<u8>)]) -> Result<Dataset, DataError> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("data.npz");
    write(&path, members);
    Dataset::load(&path.display().to_string())
}

/// Replaces one of good arrays by another.
fn but(good: &[(&'static str, Vec<u8>)], name: &str, other: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    good.iter().map(|(known, array)| (*known, if *known == name { other.clone() } else { array.clone() })).collect()
}

const INTEGERS: [&str; 12] = ["|u1", "|i1", "<u2", ">u2", "<i2", ">i2", "<u4", ">i4", "<i8", ">i8", "<u8", ">u8"];
const REALS: [&str; 6] = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"];

fn spikes() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("steps", array("<i8", &[4], &[5.0, 1.0, 3.0, 0.0])),
        ("axons", array("<i8", &[4], &[0.0, 1.0, 7.0, 2.0])),
        ("offsets", array("<i8", &[3], &[0.0, 3.0, 4.0])),
        ("labels", array("<i8", &[2], &[1.0, 0.0])),
    ]
}

#[test]
fn indices_are_indices_of_whatever_type() {
    let expected = load(&spikes()).expect("a data set");
    assert_eq!(expected.test.events(0), [(1, 1), (3, 7), (5, 0)], "in the order of steps");
    assert_eq!(expected.test.label(0), 1);
    for kind in INTEGERS.iter().chain(&REALS) {
        let all = [
            ("steps", array(kind, &[4], &[5.0, 1.0, 3.0, 0.0])),
            ("axons", array(kind, &[4], &[0.0, 1.0, 7.0, 2.0])),
            ("offsets", array(kind, &[3], &[0.0, 3.0, 4.0])),
            ("labels", array(kind, &[2], &[1.0, 0.0])),
        ];
        let found = load(&all).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!((found.test, found.notes), (expected.test.clone(), vec![]), "{kind}");
    }
    // A truth value is a class of two, but no step.
    let truths = but(&spikes(), "labels", array("|b1", &[2], &[1.0, 0.0]));
    assert_eq!(load(&truths).expect("a data set").test, expected.test);
}

#[test]
fn what_is_no_index_is_refused_with_its_place() {
    let good = spikes();
    let four = |kind: &str, values: [f64; 4]| array(kind, &[4], &values);
    for (name, array, place, says) in [
        ("steps", four("<f8", [0.0, 1.5, 2.0, 0.0]), "`steps[1]`", "is 1.5"),
        ("steps", four("<f4", [0.0, 1.0, f64::NAN, 0.0]), "`steps[2]`", "NaN"),
        ("axons", four("<f8", [0.0, 1.0, 7.0, f64::INFINITY]), "`axons[3]`", "is inf"),
        ("axons", four(">i2", [0.0, 1.0, -1.0, 0.0]), "`axons[2]`", "is -1"),
        ("steps", four("<f8", [0.0, 1.0, -0.5, 0.0]), "`steps[2]`", "is -0.5"),
        (
            "steps",
            npy("<u8", false, &[4], &[[0; 24].to_vec(), u64::MAX.to_le_bytes().to_vec()].concat()),
            "[3]",
            "beyond",
        ),
        ("steps", four("<i8", [0.0, 1.0, 4_294_967_296.0, 0.0]), "`steps[2]`", "is 4294967296"),
        ("steps", four("|b1", [0.0, 1.0, 1.0, 0.0]), "`steps`", "truth values"),
        ("labels", array("<f8", &[2], &[0.0, 0.5]), "`labels[1]`", "is 0.5"),
        ("labels", array("<f8", &[2], &[f64::NAN, 0.5]), "`labels[0]`", "NaN"),
        ("labels", array("<i4", &[2], &[0.0, -1.0]), "`labels[1]`", "is -1"),
        ("labels", array("<i4", &[2], &[70_000.0, 1.0]), "`labels[0]`", "is 70000"),
        ("labels", npy("<U3", false, &[2], &[0; 24]), "`labels`", "texts"),
        ("labels", npy("|O", false, &[2], b"\x80\x04."), "`labels`", "objects"),
        ("labels", npy("<c8", false, &[2], &[0; 16]), "`labels`", "complex"),
        ("labels", npy("<f16", false, &[2], &[0; 32]), "`labels`", "16 bytes"),
        ("steps", npy("<m8[us]", false, &[4], &[0; 32]), "`steps`", "times"),
        (
            "steps",
            npy("[('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')]", false, &[1], &[0; 13]),
            "`steps`",
            "x, y, t, p",
        ),
        ("steps", array("<i8", &[1, 4], &[0.0; 4]), "`steps`", "1 x 4"),
        ("steps", array("<i8", &[3], &[0.0; 3]), "`steps`", "3 in `steps` but 4 in `axons`"),
        ("offsets", array("<i8", &[3], &[0.0, 3.0, 3.0]), "`offsets[2]`", "the last 1 would be of no sample"),
        ("offsets", array("<i8", &[3], &[1.0, 3.0, 4.0]), "`offsets[0]`", "the first 1 spikes"),
        ("offsets", array("<i8", &[3], &[0.0, 4.0, 3.0]), "`offsets[2]`", "less than the 4 before it"),
        ("offsets", array("<i8", &[3], &[0.0, 3.0, 9.0]), "`offsets[2]`", "beyond the 4 spikes"),
        ("offsets", array("<i8", &[1], &[0.0]), "`offsets`", "two numbers at least"),
        ("offsets", array("<i8", &[0], &[]), "`offsets`", "is empty"),
        ("offsets", array("<f8", &[3], &[0.0, 2.5, 4.0]), "`offsets[1]`", "is 2.5"),
    ] {
        let error = load(&but(&good, name, array)).expect_err(says);
        let message = error.to_string();
        assert!(message.contains(place) && message.contains(says), "{message}");
        assert!(error.remedy().is_some_and(|remedy| remedy.len() > 10), "{message}: {error:?}");
    }
}

#[test]
fn spikes_that_are_left_out_are_counted() {
    let twice = [
        ("steps", array("<i8", &[5], &[1.0, 1.0, 1.0, 2.0, 2.0])),
        ("axons", array("<i8", &[5], &[3.0, 3.0, 3.0, 3.0, 4.0])),
        ("offsets", array("<i8", &[2], &[0.0, 5.0])),
    ];
    let set = load(&twice).expect("a data set");
    assert_eq!(set.test.events(0), [(1, 3), (2, 3), (2, 4)]);
    assert!(set.notes[0].starts_with("2 of 5 spikes are left out"), "{:?}", set.notes);
}

#[test]
fn values_are_of_one_range_or_refused_with_their_place() {
    let shape = [2, 2, 2];
    let ramp = [0.0, 51.0, 102.0, 153.0, 204.0, 255.0, 1.0, 2.0];
    let with = |array: Vec<u8>| load(&[("samples", array), ("labels", array_of_labels())]);
    let expected = [0, 51, 102, 153, 204, 255, 1, 2];
    for kind in INTEGERS.iter().filter(|kind| **kind != "|i1") {
        let set = with(array(kind, &shape, &ramp)).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!([set.test.pixels(0), set.test.pixels(1)].concat(), expected, "{kind}");
    }
    // Exact in all widths: quarters, and what rounds to the nearest.
    let quarters = [0.0, 0.25, 0.5, 0.75, 1.0, 0.125, 0.0, 1.0];
    for kind in REALS {
        let set = with(array(kind, &shape, &quarters)).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!([set.test.pixels(0), set.test.pixels(1)].concat(), [0, 64, 128, 191, 255, 32, 0, 255], "{kind}");
    }
    // The first axis changes fastest: the same numbers in another order of memory.
    let fortran: Vec<f64> = (0..8).map(|at| ramp[(at & 1) << 2 | at & 2 | at >> 2]).collect();
    for kind in ["|u1", "<i4", ">i8"] {
        let set = with(npy(kind, true, &shape, &bytes(kind, &fortran))).expect("a data set");
        assert_eq!([set.test.pixels(0), set.test.pixels(1)].concat(), expected, "{kind}");
    }
    let but_one = |value: f64| {
        let mut values = quarters;
        values[5] = value;
        values
    };
    for (array, says, remedy) in [
        (array("<f4", &shape, &but_one(f64::NAN)), "`samples[1, 0, 1]` is not a number (NaN)", "nan_to_num"),
        (array("<f8", &shape, &but_one(f64::NEG_INFINITY)), "`samples[1, 0, 1]` is -inf", "nan_to_num"),
        (array(">f8", &shape, &but_one(1.5)), "`samples[1, 0, 1]` is 1.5", "scale it"),
        (array("<f2", &shape, &but_one(-0.5)), "`samples[1, 0, 1]` is -0.5", "scale it"),
        (array("<f8", &shape, &ramp), "`samples[0, 0, 1]` is 51", "samples.astype(numpy.uint8)"),
        (array("<i2", &shape, &[0.0, 0.0, 0.0, 256.0, 0.0, 0.0, 0.0, 0.0]), "`samples[0, 1, 1]` is 256", "scale it"),
        (array("|i1", &shape, &[0.0, 0.0, 0.0, 0.0, -3.0, 0.0, 0.0, 0.0]), "`samples[1, 0, 0]` is -3", "scale it"),
    ] {
        let error = with(array).expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.remedy().is_some_and(|help| help.contains(remedy)), "{error}: {:?}", error.remedy());
    }
    // What is read, but may be meant otherwise.
    let note = |array: Vec<u8>| with(array).expect("a data set").notes.join("; ");
    assert!(note(array("<i8", &shape, &[0.0, 16.0, 3.0, 0.0, 1.0, 2.0, 3.0, 4.0])).contains("is 16, of 255"));
    assert_eq!(note(array("<f8", &shape, &quarters)), "");
    assert_eq!(note(array("|b1", &shape, &[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])), "");
}

fn array_of_labels() -> Vec<u8> {
    array("|u1", &[2], &[0.0, 1.0])
}

#[test]
fn values_to_be_learned_are_from_0_to_1() {
    let samples = ("samples", array("|u1", &[2, 2], &[255.0, 0.0, 100.0, 200.0]));
    let with = |targets: Vec<u8>| load(&[samples.clone(), ("targets", targets)]);
    for kind in ["<f8", ">f4", "<f2", "<i8", "|u1", "|b1"] {
        let set = with(array(kind, &[2, 1], &[0.0, 1.0])).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!((set.test.values(0), set.test.values(1)), ([0].as_slice(), [4096].as_slice()), "{kind}");
    }
    for (targets, says) in [
        (array("<f8", &[2, 1], &[0.0, f64::NAN]), "`targets[1, 0]` is not a number (NaN)"),
        (array("<f8", &[2, 2], &[0.0, 1.25, 0.0, 0.0]), "`targets[0, 1]` is 1.25"),
        (array("<i8", &[2], &[2.0, 0.0]), "`targets[0]` is 2"),
        (array("<f8", &[3, 1], &[0.0; 3]), "3 rows of `targets` for 2 samples"),
    ] {
        let error = with(targets).expect_err(says);
        assert!(error.to_string().contains(says) && error.remedy().is_some(), "{error}");
    }
}

#[test]
fn parts_are_whole_and_named_as_keras_names_them() {
    let samples =
        |rows: usize| array("|u1", &[rows, 2], &(0..2 * rows).map(|at| 100.0 + at as f64).collect::<Vec<_>>());
    let labels = |rows: usize| array("|u1", &[rows, 1], &vec![1.0; rows]);
    let keras = [("x_train", samples(3)), ("y_train", labels(3)), ("x_test", samples(2)), ("y_test", labels(2))];
    let set = load(&keras).expect("a data set");
    assert_eq!((set.train.len(), set.test.len(), set.classes, set.split), (3, 2, 2, Split::Given));
    assert!(set.notes.is_empty());
    // What a regression calls y is real.
    let real = |rows: usize| array("<f8", &[rows, 1], &vec![0.25; rows]);
    let set = load(&but(&but(&keras, "y_train", real(3)), "y_test", real(2))).expect("a data set");
    assert_eq!((set.train.values(2), set.train.is_labelled()), ([1024].as_slice(), false));
    for (arrays, says) in [
        (vec![("train_samples", samples(3)), ("train_labels", labels(3))], "none of the part `test`"),
        (vec![("test_samples", samples(3))], "none of the part `train`"),
        (
            vec![("train_samples", samples(3)), ("test_samples", samples(2)), ("labels", labels(3))],
            "`labels`, which is of neither",
        ),
        (vec![("x_train", samples(3)), ("train_samples", samples(3)), ("test_samples", samples(2))], "mean the same"),
        (vec![("samples", samples(2)), ("steps", labels(2))], "two kinds of samples"),
    ] {
        let error = load(&arrays).expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
    }
    let set = load(&[("samples", samples(2)), ("val_labels", labels(2))]).expect("a data set");
    assert_eq!(set.notes, ["arrays that are not read: val_labels"]);
    // A label for each class is no label for each window.
    let one_hot = array("|u1", &[2, 3], &[0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    let error = load(&[("samples", samples(2)), ("labels", one_hot.clone())]).expect_err("two rows a sample");
    assert!(error.remedy().is_some_and(|help| help.contains("labels.argmax(axis=1)")), "{error:?}");
    let set = load(&[("samples", array("|u1", &[2, 3], &[200.0; 6])), ("labels", one_hot)]).expect("a data set");
    assert!(set.notes[0].contains("If they are one-hot"), "{:?}", set.notes);
}

#[test]
fn what_is_drawn_is_kept_apart() {
    let count = 101;
    let values: Vec<f64> = (0..count).map(|at| at as f64).collect();
    let set = || load(&[("samples", array("|u1", &[count, 1], &values)), ("labels", array("|u1", &[count], &values))]);
    let set = || set().expect("a data set");
    assert_eq!((set().split, set().is_tested_on_training()), (Split::None, true));
    let draw = |share: f64, seed: u64| set().with_test_share(Share { share, seed }).expect("enough");
    let all = |set: &Dataset| {
        let parts = [Some(&set.train), Some(&set.test), set.validation.as_ref()];
        let mut labels: Vec<u16> =
            parts.into_iter().flatten().flat_map(|part| (0..part.len()).map(|at| part.label(at))).collect();
        labels.sort_unstable();
        labels
    };
    for (share, tested) in [(0.2, 20), (0.001, 1), (0.999, 100), (0.5, 51)] {
        let drawn = draw(share, 1);
        assert_eq!((drawn.test.len(), drawn.train.len()), (tested, count - tested), "{share}");
        assert_eq!(all(&drawn), (0..count as u16).collect::<Vec<_>>(), "each once");
        let again = draw(share, 1);
        assert!(drawn.train == again.train && drawn.test == again.test, "the same each time");
        let kept = drawn.with_validation_share(Share { share: 0.5, seed: 1 });
        if let Ok(kept) = kept {
            assert_eq!(all(&kept), (0..count as u16).collect::<Vec<_>>());
            assert_eq!((kept.test.len(), kept.split), (tested, Split::Drawn(1)));
        } else {
            assert_eq!(count - tested, 1);
        }
    }
    assert_ne!(draw(0.2, 1).test, draw(0.2, 2).test);
    let (first, again) = (draw(0.2, 1), draw(0.2, 1).with_test_share(Share { share: 0.2, seed: 1 }));
    assert!(matches!(again, Err(DataError::HasTest { .. })) && !first.is_tested_on_training());
    assert!(matches!(set().with_validation_share(Share { share: 0.2, seed: 1 }), Err(DataError::NoTest { .. })));
}

#[test]
fn arrays_may_lie_in_files_of_their_own() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let samples = array("|u1", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 255.0, 6.0]);
    write(&path("all.npz"), &[("samples", samples.clone()), ("labels", array_of_labels())]);
    for (name, bytes) in [("samples.npy", samples), ("labels.npy", array_of_labels())] {
        std::fs::write(path(name), bytes).expect("written");
    }
    let whole = Dataset::load(&path("all.npz").display().to_string()).expect("a data set");
    let pair = format!("{},{}", path("samples.npy").display(), path("labels.npy").display());
    for (name, files) in
        [(pair, 2), (folder.path().display().to_string(), 2), (path("all.npz").display().to_string(), 1)]
    {
        let set = Dataset::load(&name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((set.test, set.shape), (whole.test.clone(), vec![3]), "{name}");
        assert_eq!(files_of(&name).len(), files, "{name}");
    }
    let alone = Dataset::load(&path("samples.npy").display().to_string()).expect("a data set");
    assert!(!alone.test.is_labelled());
}

#[test]
fn tables_have_a_header() {
    let folder = TempDir::new().expect("a folder");
    let load = |text: &str| {
        let path = folder.path().join("table.csv");
        std::fs::write(&path, text).expect("written");
        Dataset::load(&path.display().to_string())
    };
    let set = load("\u{feff}label,a,\"b, c\"\r\n1,0,255\r\n0,7,\"8\"\r\n\r\n").expect("a data set");
    assert_eq!(
        (set.shape.as_slice(), set.test.pixels(0), set.test.pixels(1)),
        ([2].as_slice(), &[0, 255][..], &[7, 8][..])
    );
    assert_eq!((set.test.label(0), set.classes, set.split), (1, 2, Split::None));
    // Classes that have names are numbered in their order.
    let set = load("a,class\n1,virginica\n2,setosa\n3,virginica\n").expect("a data set");
    assert_eq!((set.test.label(0), set.test.label(1), set.classes), (1, 0, 2));
    assert!(set.notes.iter().any(|note| note == "classes are numbered: 0 setosa, 1 virginica"), "{:?}", set.notes);
    // One real number makes all of them real.
    let set = load("a,b,Class\n0,1,0\n0.5,1e-1,1\n").expect("a data set");
    assert_eq!((set.test.pixels(0), set.test.pixels(1)), (&[0, 255][..], &[128, 26][..]));
    let set = load("part,a,b,target_1,target_2\ntrain,1,200,0.5,0\ntest,3,4,0,1\ntrain,5,6,1,1\n").expect("a data set");
    assert_eq!((set.train.len(), set.test.len(), set.split), (2, 1, Split::Given));
    assert_eq!((set.train.values(0), set.test.values(0)), (&[2048, 0][..], &[0, 4096][..]));
    for (text, says) in [
        ("", "is empty"),
        ("a,b,label\n", "no row"),
        ("1,2,0\n3,4,1\n", "line 1 names the columns, but has the number 1"),
        ("a,b,label\n1,2,0\n3,4\n", "line 3 has 2 cells, the first has 3"),
        ("a,b,label\n1,2,0\n3,x,0\n", "line 3, column `b`: `x` is no number"),
        ("a,b,label\n1,2,0\n3,,0\n", "line 3, column `b`: `` is no number"),
        ("a,b,label\n1,2,setosa\n3,4,1\n", "line 2: the label `setosa` is no number, as others are"),
        ("a,b,label\n1,2,setosa\n3,4,\n", "line 3 has no label"),
        ("a;b;label\n1;2;0\n", "separated by ';'"),
        ("a\tb\n1\t2\n", "separated by '\\t'"),
        ("a,b,label\n1,2,0\n3,nan,0\n", "`samples[1, 1]` is not a number (NaN)"),
        ("a,b,label\n1,2,0\n3,400,0\n", "`samples[1, 1]` is 400"),
        ("a,b,label\n1,2,0\n3,4,0.5\n", "`labels[1]` is 0.5"),
        ("label\n1\n", "no column of values"),
        ("a,label,class\n1,2,3\n", "two columns of labels"),
        ("a,part\n1,vali\n", "the column `part` says `vali`"),
        ("a,\"b\n1,2\n", "opens a quote"),
    ] {
        let error = load(text).expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
    }
}
