//! Recordings of words: folders, archives, and what can be wrong with them.

use flate2::Compression;
use flate2::write::GzEncoder;
use hound::{SampleFormat, WavSpec, WavWriter};
use onward_run::data::{DataError, Dataset};
use std::io::Cursor;
use std::path::Path;
use tempfile::TempDir;

const SPEC: WavSpec = WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: SampleFormat::Int };

/// A tone as a WAV file.
fn tone(spec: WavSpec, hertz: f64, samples: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).expect("to memory");
    for at in 0..samples * u32::from(spec.channels) {
        let phase = std::f64::consts::TAU * hertz * f64::from(at) / f64::from(spec.sample_rate);
        writer.write_sample((8000.0 * phase.sin()) as i16).expect("to memory");
    }
    writer.finalize().expect("to memory");
    bytes.into_inner()
}

/// Low tones are 0, high ones 1; of each two to learn from and one to test with.
fn tones() -> Vec<(String, Vec<u8>)> {
    let of = |(label, index): (u32, u32)| {
        (format!("{label}_someone_{index}.wav"), tone(SPEC, 300.0 + 1500.0 * f64::from(label), 2000 + 100 * index))
    };
    [(1, 7), (0, 5), (0, 4), (1, 4), (1, 5), (0, 6)].into_iter().map(of).collect()
}

fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("recordings/{name}"), bytes.as_slice()).expect("to memory");
    }
    builder.into_inner().expect("to memory").finish().expect("to memory")
}

fn load(path: &Path) -> Result<Dataset, DataError> {
    Dataset::load(&path.display().to_string())
}

fn in_folder(files: &[(String, Vec<u8>)]) -> Result<Dataset, DataError> {
    let folder = TempDir::new().expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    load(folder.path())
}

#[test]
fn folders_and_archives_are_the_same() {
    let of_folder = in_folder(&tones()).expect("a data set");
    assert_eq!((of_folder.shape.as_slice(), of_folder.classes), ([64, 32].as_slice(), 2));
    assert_eq!((of_folder.train.len(), of_folder.test.len()), (4, 2));
    // By name: 0_.._5, 0_.._6, 1_.._5, 1_.._7.
    assert_eq!((0..4).map(|at| of_folder.train.label(at)).collect::<Vec<_>>(), [0, 0, 1, 1]);
    of_folder.check_sequences(96, 3, 64, 2).expect("they fit");
    assert!(of_folder.check_sequences(96, 3, 32, 2).is_err() && of_folder.check_sequences(64, 3, 64, 2).is_err());

    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("recordings.tar.gz");
    std::fs::write(&path, archive(&tones())).expect("written");
    for place in [path.as_path(), folder.path()] {
        let of_archive = load(place).expect("a data set");
        assert_eq!((&of_archive.train, &of_archive.test), (&of_folder.train, &of_folder.test));
    }
    // The loudest pitch is a low one, then a high one.
    let loudest = |at: usize| {
        let row = &of_folder.test.pixels(at)[32 * 32..][..32];
        (0..32).max_by_key(|&channel| row[channel])
    };
    assert!(loudest(0) < Some(10) && loudest(1) > Some(20), "{:?} {:?}", loudest(0), loudest(1));
}

#[test]
fn what_is_wrong_is_said() {
    let good = tones();
    let with = |name: &str, bytes: Vec<u8>| {
        let mut files = good.clone();
        files.push((name.to_owned(), bytes));
        in_folder(&files).expect_err("something is wrong").to_string()
    };
    let fine = tone(SPEC, 400.0, 1000);
    for (message, says) in [
        (with("seven.wav", fine.clone()), "seven.wav: is not named LABEL_SPEAKER_INDEX.wav"),
        (with("7_x_first.wav", fine.clone()), "7_x_first.wav: is not named"),
        (with("7_x_1.wav", b"RIFF, but not for long".to_vec()), "is no WAV file, or damaged"),
        (with("7_x_1.wav", fine[..fine.len() - 100].to_vec()), "is no WAV file, or damaged"),
        (with("7_x_1.wav", tone(SPEC, 400.0, 0)), "is empty"),
        (with("7_x_1.wav", tone(WavSpec { sample_rate: 16000, ..SPEC }, 400.0, 100)), "16000 samples a second"),
        (with("7_x_1.wav", tone(WavSpec { channels: 2, ..SPEC }, 400.0, 100)), "has 2 channels"),
        (with("7_x_1.wav", vec![0; (4 << 20) + 1]), "is larger than"),
        (in_folder(&good[..2]).expect_err("no test").to_string(), "none to test with"),
        (in_folder(&good[2..4]).expect_err("no training").to_string(), "none to learn from"),
    ] {
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn damaged_archives_are_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("words.tar.gz");
    let whole = archive(&tones());
    for (bytes, says) in [
        (whole[..whole.len() / 2].to_vec(), "damaged or cut off"),
        (b"no archive at all".to_vec(), "damaged or cut off"),
        (vec![], "holds no WAV file"),
        (archive(&[("readme.txt".into(), b"words".to_vec())]), "holds no WAV file"),
    ] {
        std::fs::write(&path, bytes).expect("written");
        let message = load(&path).expect_err("it is damaged").to_string();
        assert!(message.contains(says), "{message}");
    }
}
