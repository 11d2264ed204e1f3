//! Recordings of spoken words: WAV files named `LABEL_SPEAKER_INDEX.wav`, in a folder or in a tar archive, as the Free
//! Spoken Digit Dataset is published. Those with an index below [`TEST_INDICES`] are to test with, the others to learn
//! from. A recording becomes a sequence by a bank of filters ([`Bank`]).

use super::bank::{Bank, CHANNELS, FRAMES, RATE};
use super::error::{DataError, FileProblem, Problem};
use super::{Dataset, Samples};
use flate2::read::MultiGzDecoder;
use hound::{SampleFormat, WavReader};
use rayon::prelude::*;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// Recordings with a lower index are to test with: the published split.
const TEST_INDICES: u32 = 5;
/// Names of the archive that a folder may hold instead of the files themselves.
const ARCHIVES: [&str; 3] = ["recordings.tar.gz", "recordings.tgz", "recordings.tar"];
/// Largest file that is read: four minutes.
const LARGEST_FILE: u64 = 4 << 20;
/// Most bytes of an archive that are read, uncompressed: 18 hours of speech.
const LARGEST_ARCHIVE: u64 = 1 << 30;

/// Where recordings are.
pub(super) enum Place {
    /// WAV files.
    Files(Vec<PathBuf>),
    /// A tar archive of them, which may be compressed.
    Archive(PathBuf),
}

/// A file's name and its bytes.
struct Recording {
    name: String,
    place: String,
    bytes: Vec<u8>,
}

fn is_wave(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wav"))
}

fn waves(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| is_wave(path)).collect()
}

/// The recordings at a path, if there are any: an archive, or a folder that holds one or WAV files, itself or in a folder
/// named `recordings`.
pub(super) fn find(path: &Path) -> Option<Place> {
    if path.is_file() {
        let name = path.file_name().and_then(OsStr::to_str)?.to_ascii_lowercase();
        let is_archive = [".tar", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending));
        return is_archive.then(|| Place::Archive(path.to_owned()));
    }
    let files = [waves(path), waves(&path.join("recordings"))].into_iter().find(|files| !files.is_empty());
    let archive = || ARCHIVES.iter().map(|name| path.join(name)).find(|path| path.is_file());
    files.map(Place::Files).or_else(|| archive().map(Place::Archive))
}

/// The data set of the recordings at a place.
pub(super) fn dataset(name: &str, place: Place) -> Result<Dataset, DataError> {
    let mut recordings = match place {
        Place::Files(files) => files.iter().map(|path| file(path)).collect::<Result<Vec<_>, _>>()?,
        Place::Archive(path) => archive(&path)?,
    };
    // Whatever the order of a folder or an archive.
    recordings.sort_by(|a, b| (&a.name, &a.place).cmp(&(&b.name, &b.place)));
    let bank = Bank::new();
    let samples: Result<Vec<(Label, Vec<u8>)>, DataError> = recordings
        .into_par_iter()
        .map(|recording| {
            let read = label(&recording.name).and_then(|label| Ok((label, bank.rows(&wave(&recording.bytes)?))));
            read.map_err(|problem| DataError::Recording { file: recording.place, problem })
        })
        .collect();
    let samples = samples?;
    let part = |is_test: bool| {
        let of_part = || samples.iter().filter(|(label, _)| (label.index < TEST_INDICES) == is_test);
        let labels: Vec<u16> = of_part().map(|(label, _)| label.label).collect();
        let pixels: Vec<u8> = of_part().flat_map(|(_, rows)| rows).copied().collect();
        Samples::new(pixels, labels, FRAMES * CHANNELS)
    };
    let (train, test) = (part(false), part(true));
    if train.is_empty() || test.is_empty() {
        let missing = if train.is_empty() { "none to learn from" } else { "none to test with" };
        let problem = Problem::new(
            format!("holds {} recordings, {missing}", samples.len()),
            format!(
                "those with an index below {TEST_INDICES} (LABEL_SPEAKER_INDEX.wav) are to test with, the others to learn from"
            ),
        );
        return Err(DataError::Recording { file: name.to_owned(), problem });
    }
    let classes = samples.iter().map(|(label, _)| u32::from(label.label) + 1).max().unwrap_or(0);
    Ok(Dataset::given(name, vec![FRAMES as u32, CHANNELS as u32], classes, train, test))
}

/// A file of a folder.
fn file(path: &Path) -> Result<Recording, DataError> {
    let place = path.display().to_string();
    let unreadable = |error| DataError::File { file: place.clone(), problem: FileProblem::Unreadable(error) };
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Recording { name, place, bytes })
}

/// The WAV files of an archive.
fn archive(path: &Path) -> Result<Vec<Recording>, DataError> {
    let place = path.display().to_string();
    let broken = |error: std::io::Error| DataError::Recording {
        file: place.clone(),
        problem: Problem::new(format!("is no tar archive, or damaged or cut off: {error}"), "download the file again"),
    };
    let unreadable = |error| DataError::File { file: place.clone(), problem: FileProblem::Unreadable(error) };
    let mut source = BufReader::new(File::open(path).map_err(unreadable)?);
    // Whether it is compressed is seen from its first bytes, not from its name: downloads get renamed.
    let mut start = [0; 2];
    let read = source.read(&mut start).map_err(unreadable)?;
    let whole = Cursor::new(start[..read].to_vec()).chain(source);
    let plain: Box<dyn Read> =
        if start == [0x1f, 0x8b] { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
    // What is compressed can be a thousand times as large as the file.
    let plain = plain.take(LARGEST_ARCHIVE);
    let mut recordings = Vec::new();
    for entry in tar::Archive::new(plain).entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        if !entry.header().entry_type().is_file() || !is_wave(&path) {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(broken)?;
        recordings.push(Recording { name, place: format!("{place}: {}", path.display()), bytes });
    }
    if recordings.is_empty() {
        let problem = "holds no WAV file (LABEL_SPEAKER_INDEX.wav)".into();
        return Err(DataError::Recording { file: place, problem });
    }
    Ok(recordings)
}

/// What a recording's name says.
struct Label {
    label: u16,
    index: u32,
}

fn label(name: &str) -> Result<Label, Problem> {
    let parts: Vec<&str> = name.rsplit_once('.').map_or(name, |(stem, _)| stem).split('_').collect();
    let label = parts.first().and_then(|label| label.parse().ok());
    let index = parts.last().and_then(|index| index.parse().ok());
    match (parts.len(), label, index) {
        (3.., Some(label), Some(index)) => Ok(Label { label, index }),
        _ => {
            Err("is not named LABEL_SPEAKER_INDEX.wav, with numbers for LABEL and INDEX, as `7_jackson_12.wav`".into())
        }
    }
}

/// The samples of a WAV file.
fn wave(bytes: &[u8]) -> Result<Vec<i16>, Problem> {
    let convert = "convert it, for example with `sox IN.wav -r 8000 -c 1 -b 16 OUT.wav`";
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Problem::new(format!("is larger than {LARGEST_FILE} bytes"), "a recording is of a single word"));
    }
    let broken = |error: hound::Error| Problem::new(format!("is no WAV file, or damaged: {error}"), convert);
    let reader = WavReader::new(Cursor::new(bytes)).map_err(broken)?;
    let spec = reader.spec();
    if (spec.sample_rate, spec.channels, spec.bits_per_sample) != (RATE, 1, 16)
        || spec.sample_format != SampleFormat::Int
    {
        let cause = format!(
            "has {} channels of {} samples a second of {} bits; one of {RATE} samples of 16 bits is read",
            spec.channels, spec.sample_rate, spec.bits_per_sample
        );
        return Err(Problem::new(cause, convert));
    }
    if reader.duration() == 0 {
        return Err("is empty: a recording of 0 samples".into());
    }
    reader.into_samples().collect::<Result<_, _>>().map_err(broken)
}
