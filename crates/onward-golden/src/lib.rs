//! Expected texts in files ("golden files"): what a test prints is compared with the text beside it.
//!
//! What goes in: a text that was just made, and the path of the file that holds what it should be. What comes out:
//! nothing, or a panic that shows the difference line by line. One command renews every expected text of the project;
//! read `git diff` before committing what it wrote:
//!
//! ```text
//! SNAPSHOTS=overwrite cargo test --release --workspace
//! ```
//!
//! There are three ways to keep such files, and each finds files that nothing expects any more:
//!
//! | files | compared by | files left over are found by |
//! |---|---|---|
//! | one on its own, as a page of the book that is generated | [`check`] | the test itself: it names the file |
//! | a folder of inputs, each with its expected texts beside it | [`Folder`] | [`Folder::finish`] |
//! | a folder of texts that tests name one by one | [`check`] | [`are_named`] |
//!
//! ```
//! # let place = tempfile::tempdir().unwrap();
//! # let place = place.path();
//! # std::fs::write(place.join("greeting.in"), "hello").unwrap();
//! # std::fs::write(place.join("greeting.txt"), "HELLO").unwrap();
//! let mut folder = onward_golden::Folder::new(place, "txt");
//! for input in folder.inputs("in") {
//!     folder.check(&input.golden("txt"), &input.text.to_uppercase());
//! }
//! folder.finish();
//! ```
//!
//! Only tests depend on this crate. The comparison is `snapbox`'s, without its wildcards: texts are equal to the byte,
//! but that lines may end as they do on Windows.

use snapbox::assert::{Action, Assert, DEFAULT_ACTION_ENV};
use snapbox::data::DataFormat;
use snapbox::{Data, IntoData};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Compares a text with the file at `path`.
///
/// # Panics
/// If they differ, showing the lines that do, or if there is no such file. With `SNAPSHOTS=overwrite` the file is
/// written instead.
#[track_caller]
pub fn check(path: &Path, actual: &str) {
    if let Err(difference) = compare(path, actual) {
        panic!("{difference}");
    }
}

/// Finds files of `folder` that no test names: the name of each file, without its ending, must stand between quotation
/// marks in one of the `sources` (Rust texts, or folders of them).
///
/// # Panics
/// If there are such files. With `SNAPSHOTS=overwrite` they are removed instead.
pub fn are_named(folder: &Path, sources: &[&Path]) {
    let sources: String = sources.iter().flat_map(|source| rust_files(source)).map(|path| read(&path)).collect();
    let is_named = |path: &PathBuf| {
        [path.file_stem(), path.file_name()]
            .iter()
            .any(|name| sources.contains(&format!("\"{}\"", name.expect("files have names").to_string_lossy())))
    };
    report_unused(files(folder).into_iter().filter(|path| !is_named(path)).collect(), Vec::new());
}

/// A folder of inputs with their expected texts beside them. All of them are compared before the test fails.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    ending: &'static str,
    compared: BTreeSet<PathBuf>,
    differences: Vec<String>,
}

/// A text that a test reads.
#[derive(Debug)]
pub struct Input {
    /// The file that holds the text.
    pub path: PathBuf,
    /// The file's name with its ending, as messages show it.
    pub name: String,
    /// The file's contents.
    pub text: String,
}

impl Input {
    /// The file with an expected text of this input: beside it, with another ending.
    pub fn golden(&self, ending: &str) -> PathBuf {
        self.path.with_extension(ending)
    }
}

impl Folder {
    /// Takes the folder at `path`, whose expected texts are the files that end in `ending`, written without a dot.
    pub fn new(path: impl Into<PathBuf>, ending: &'static str) -> Folder {
        Folder { path: path.into(), ending, compared: BTreeSet::new(), differences: Vec::new() }
    }

    /// The files of the folder that end in `ending`, in the order of their names; folders in it are left out.
    ///
    /// # Panics
    /// If there are none, or one of them is no text.
    pub fn inputs(&self, ending: &str) -> Vec<Input> {
        let has_ending = |path: &PathBuf| path.extension().is_some_and(|extension| extension == ending);
        let inputs: Vec<Input> = files(&self.path)
            .into_iter()
            .filter(has_ending)
            .map(|path| {
                let name = path.file_name().expect("files have names").to_string_lossy().into_owned();
                Input { name, text: read(&path), path }
            })
            .collect();
        assert!(!inputs.is_empty(), "{}: no files that end in .{ending}", self.path.display());
        inputs
    }

    /// Compares a text with the file at `path`; a difference is kept for [`Folder::finish`].
    pub fn check(&mut self, path: &Path, actual: &str) {
        self.compared.insert(path.to_owned());
        self.differences.extend(compare(path, actual).err());
    }

    /// Ends the comparison.
    ///
    /// # Panics
    /// If texts differed, or if expected texts of the folder were compared with nothing. With `SNAPSHOTS=overwrite` the
    /// latter are removed instead.
    #[track_caller]
    pub fn finish(self) {
        let is_unused = |path: &PathBuf| {
            path.extension().is_some_and(|extension| extension == self.ending) && !self.compared.contains(path)
        };
        report_unused(files(&self.path).into_iter().filter(is_unused).collect(), self.differences);
    }
}

/// The difference between a text and the file at `path`, if there is one that is not written over.
fn compare(path: &Path, actual: &str) -> Result<(), String> {
    if !path.exists() && is_renewing() {
        fs::create_dir_all(path.parent().expect("files are in folders")).map_err(|error| error.to_string())?;
    }
    let expected = Data::read_from(path, Some(DataFormat::Text)).raw();
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV);
    assert.try_eq(Some(&"found"), actual.into_data(), expected).map_err(|difference| difference.to_string())
}

/// Whether expected texts are written anew.
fn is_renewing() -> bool {
    Action::with_env_var(DEFAULT_ACTION_ENV) == Some(Action::Overwrite)
}

/// Fails with all problems at once; files that nothing expects are removed where expected texts are written anew.
#[track_caller]
fn report_unused(unused: Vec<PathBuf>, mut problems: Vec<String>) {
    for path in unused {
        if is_renewing() {
            fs::remove_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        } else {
            problems.push(format!(
                "{}: no test expects this text\nRemove with {DEFAULT_ACTION_ENV}=overwrite",
                path.display()
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The files of a folder in the order of their names, without the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("folders can be read").path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// A Rust text, or all that are in a folder.
fn rust_files(source: &Path) -> Vec<PathBuf> {
    if source.is_file() {
        return vec![source.to_owned()];
    }
    files(source).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    /// A folder with files in it.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    /// What a comparison that must fail says.
    fn failure(compare: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let panic = catch_unwind(compare).expect_err("the texts are not as expected");
        *panic.downcast::<String>().expect("panics have messages")
    }

    #[test]
    fn differences_are_shown() {
        let place = folder(&[("a.txt", "one\ntwo\n"), ("wildcard.txt", "[..]\n")]);
        check(&place.path().join("a.txt"), "one\ntwo\n");
        let difference = failure(|| check(&place.path().join("a.txt"), "one\nthree\n"));
        assert!(["two", "three", "SNAPSHOTS=overwrite"].iter().all(|word| difference.contains(word)), "{difference}");
        failure(|| check(&place.path().join("a.txt"), "one\ntwo"));
        failure(|| check(&place.path().join("wildcard.txt"), "anything\n"));
        failure(|| check(&place.path().join("missing.txt"), "one\n"));
    }

    #[test]
    fn all_differences_and_unused_texts_are_told_at_once() {
        let place = folder(&[("a.in", "1"), ("a.txt", "2"), ("b.in", "3"), ("b.txt", "4"), ("old.txt", "5")]);
        let told = failure(|| {
            let mut folder = Folder::new(place.path(), "txt");
            for input in folder.inputs("in") {
                folder.check(&input.golden("txt"), &input.text);
            }
            folder.finish();
        });
        assert!(["a.txt", "b.txt", "old.txt"].iter().all(|name| told.contains(name)), "{told}");
    }

    #[test]
    fn texts_that_no_source_names_are_found() {
        let place = folder(&[("used.txt", ""), ("also.dot", ""), ("left_over.txt", "")]);
        let sources = folder(&[("test.rs", "check(\"used\"); check(\"also.dot\"); // left_over")]);
        let told = failure(|| are_named(place.path(), &[sources.path()]));
        assert!(told.contains("left_over.txt") && !told.contains("used.txt") && !told.contains("also.dot"), "{told}");
    }
}
