//! Arrays in files: `.npz` files, as `numpy.savez` writes them, a folder of `.npy` files, or a pair of them.

use super::Dataset;
use super::array::{self, Array};
use super::arrays::{self, Arrays};
use super::error::{DataError, FileProblem, Problem};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use zip::ZipArchive;
use zip::result::ZipError;

/// Most bytes of all arrays of an archive, uncompressed: what is compressed can be a thousand times as large as the file.
const LARGEST_ARCHIVE: u64 = 1 << 32;

/// Whether a path's extension is this one.
pub(super) fn is_of_kind(path: &Path, kind: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(kind))
}

/// The data set in an archive.
pub(super) fn npz(name: &str, path: &Path) -> Result<Dataset, DataError> {
    let failed = |problem: Problem| DataError::Archive { file: name.to_owned(), problem };
    let damaged = |error: ZipError| failed(format!("is no `.npz` file, or damaged: {error}").into());
    let mut archive = ZipArchive::new(BufReader::new(open(path)?)).map_err(damaged)?;
    let mut found = Arrays::new();
    let mut left = LARGEST_ARCHIVE;
    for at in 0..archive.len() {
        let member = archive.by_index(at).map_err(damaged)?;
        let Some(member_name) = member.name().ok().and_then(|name| Some(name.strip_suffix(".npy")?.to_owned())) else {
            continue;
        };
        let size = member.size();
        left = left.checked_sub(size).ok_or_else(|| {
            let cause = format!("holds more than {} GiB of arrays", LARGEST_ARCHIVE >> 30);
            failed(Problem::new(cause, "leave arrays or samples out, or write values as bytes"))
        })?;
        found.insert(
            member_name.clone(),
            array::read(member, size).map_err(|problem| failed(of_array(&member_name, problem)))?,
        );
    }
    arrays::dataset(name, &found)
}

/// The `.npy` files of a folder.
pub(super) fn npy_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_of_kind(path, "npy")).collect();
    files.sort();
    files
}

/// The data set of the `.npy` files of a folder, each an array of its file's name.
pub(super) fn npy_folder(name: &str, files: &[PathBuf]) -> Result<Dataset, DataError> {
    let mut found = Arrays::new();
    for path in files {
        let member = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        found.insert(member, npy(path)?);
    }
    arrays::dataset(name, &found)
}

/// The paths of a pair `SAMPLES.npy,LABELS.npy`, or of samples alone.
pub(super) fn npy_pair(name: &str) -> Option<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = name.split(',').map(PathBuf::from).collect();
    (paths.len() <= 2 && paths.iter().all(|path| is_of_kind(path, "npy"))).then_some(paths)
}

/// The data set of a file of samples and one of what is to be learned of them.
pub(super) fn npy_of_pair(name: &str, paths: &[PathBuf]) -> Result<Dataset, DataError> {
    let roles = ["x", "y"].into_iter().map(str::to_owned);
    let found: Result<Arrays, DataError> = roles.zip(paths).map(|(role, path)| Ok((role, npy(path)?))).collect();
    arrays::dataset(name, &found?)
}

fn npy(path: &Path) -> Result<Array, DataError> {
    let file = open(path)?;
    let length = file.metadata().map_or(0, |found| found.len());
    array::read(BufReader::new(file), length)
        .map_err(|problem| DataError::Archive { file: path.display().to_string(), problem })
}

fn open(path: &Path) -> Result<File, DataError> {
    let unreadable =
        |error| DataError::File { file: path.display().to_string(), problem: FileProblem::Unreadable(error) };
    File::open(path).map_err(unreadable)
}

fn of_array(name: &str, problem: Problem) -> Problem {
    Problem { cause: format!("`{name}` {}", problem.cause), ..problem }
}
