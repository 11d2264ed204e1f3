//! The files of a command: those that it reads and those that it writes, and that none is both.
//!
//! Whoever opens a file for a command enters it here, in whatever order; a result cannot be prepared without. So what one
//! command reads is known at one place, and no option has to know of the others.

use crate::Outcome;
use crate::failure::Failure;
use onward_chip::{BUILTIN_CHIPS, BUILTIN_TECHNOLOGIES};
use onward_diagnostic::Source;
use onward_image::Image;
use onward_net::Network;
use onward_run::data::{Dataset, files_of};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The files of one command. A clone is the same ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Rc<RefCell<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    read: Vec<PathBuf>,
    written: Vec<PathBuf>,
}

/// What a path leads to. Two paths that are written in other ways, links and hard links lead to the same.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    path: PathBuf,
    /// Device and number of the file, where the system has such and there is a file.
    file: Option<(u64, u64)>,
}

impl Place {
    fn of(path: &Path) -> Place {
        // A file that is not there yet is known by its folder.
        let absent = || {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).join(path.file_name().unwrap_or_default())
        };
        Place { path: path.canonicalize().unwrap_or_else(|_| absent()), file: file_number(path) }
    }

    fn is_same(&self, other: &Place) -> bool {
        self.path == other.path || self.file.is_some() && self.file == other.file
    }
}

#[cfg(unix)]
fn file_number(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn file_number(_: &Path) -> Option<(u64, u64)> {
    None
}

/// A device or a pipe: it may be read, and written twice.
fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

impl Ledger {
    /// Enters a file that the command reads.
    ///
    /// # Errors
    /// A result was to go there.
    pub fn reads(&self, path: impl Into<PathBuf>) -> Outcome {
        let path = path.into();
        let place = Place::of(&path);
        let entries = &mut *self.0.borrow_mut();
        let written = entries.written.iter().find(|written| !is_device(written) && Place::of(written).is_same(&place));
        if let Some(written) = written {
            return Err(overwritten(written, &path));
        }
        entries.read.push(path);
        Ok(())
    }

    /// Enters a file that the command will write.
    ///
    /// # Errors
    /// It is read, or another result goes there.
    pub fn writes(&self, path: &Path) -> Outcome {
        self.check(path)?;
        let entries = &mut *self.0.borrow_mut();
        let place = Place::of(path);
        if !is_device(path) && entries.written.iter().any(|other| Place::of(other).is_same(&place)) {
            let message = format!("{}: two results would go to the same file", path.display());
            return Err(Failure::input(message, "name two files"));
        }
        entries.written.push(path.to_owned());
        Ok(())
    }

    /// Whether a file may be written: it is none of those that are read. It may have become one since it was entered.
    ///
    /// # Errors
    /// It is read.
    pub fn check(&self, path: &Path) -> Outcome {
        if is_device(path) {
            return Ok(());
        }
        let place = Place::of(path);
        match self.0.borrow().read.iter().find(|read| Place::of(read).is_same(&place)) {
            Some(read) => Err(overwritten(path, read)),
            None => Ok(()),
        }
    }

    /// Enters the file of a chip, unless it is built in.
    ///
    /// # Errors
    /// See [`Ledger::reads`].
    pub fn reads_chip(&self, name: &str) -> Outcome {
        self.reads_unless_builtin(name, BUILTIN_CHIPS)
    }

    /// Enters the file of a technology, unless it is built in.
    ///
    /// # Errors
    /// See [`Ledger::reads`].
    pub fn reads_technology(&self, name: &str) -> Outcome {
        self.reads_unless_builtin(name, BUILTIN_TECHNOLOGIES)
    }

    fn reads_unless_builtin(&self, name: &str, builtin: &[(&str, &str)]) -> Outcome {
        if builtin.iter().any(|(known, _)| *known == name) { Ok(()) } else { self.reads(name) }
    }

    /// Enters a network's text, what it includes, and the arrays that it names. Its data is not among them: another may be
    /// given.
    ///
    /// # Errors
    /// See [`Ledger::reads`].
    pub fn reads_network(&self, source: &Source) -> Outcome {
        for file in source.files().filter(|file| !file.name.starts_with("--")) {
            self.reads(file.name)?;
        }
        // What is wrong with the text is said when it is compiled.
        let Ok(network) = Network::parse(source) else { return Ok(()) };
        let folder = Path::new(&source.name).parent().unwrap_or(Path::new(""));
        network.array_files().into_iter().try_for_each(|file| self.reads(folder.join(file)))
    }

    /// Enters the files of the data that an image is shown: those that are given, or else those that it names; and of the
    /// technology that its chip is made in.
    ///
    /// # Errors
    /// See [`Ledger::reads`].
    pub fn reads_data(&self, image: &Image, given: Option<&str>, named_in: &Path) -> Outcome {
        self.reads_technology(&image.chip.technology)?;
        let Some(data) = Dataset::path_for_image(image, given, named_in) else { return Ok(()) };
        files_of(&data).into_iter().try_for_each(|file| self.reads(file))
    }
}

fn overwritten(written: &Path, read: &Path) -> Failure {
    let same = written == read;
    let what = if same { String::new() } else { format!(" as {}", read.display()) };
    let message = format!("{}: is read by this command{what}, and would be overwritten", written.display());
    Failure::input(message, "name another file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_all_its_names() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("sub")).expect("a folder");
        std::fs::write(path("a"), "a").expect("written");
        std::fs::hard_link(path("a"), path("hard")).expect("a link");
        #[cfg(unix)]
        std::os::unix::fs::symlink("a", path("soft")).expect("a link");
        let names = ["a", "./a", "sub/../a", "hard", "soft"];
        for name in names {
            let ledger = Ledger::default();
            ledger.reads(path("a")).expect("nothing is written");
            assert!(ledger.writes(&path(name)).is_err(), "{name}");
            // In the other order, too.
            let ledger = Ledger::default();
            ledger.writes(&path(name)).expect("nothing is read");
            assert!(ledger.writes(&path("a")).is_err(), "{name} twice");
            assert!(ledger.reads(path("a")).is_err(), "{name}");
        }
        let ledger = Ledger::default();
        ledger.writes(&path("new")).expect("it is not there");
        assert!(ledger.writes(&path("sub/../new")).is_err());
        ledger.reads(path("a")).expect("another file");
        // What became the same since is found when it is written.
        std::fs::hard_link(path("a"), path("new")).expect("a link");
        assert!(ledger.check(&path("new")).is_err());
    }
}
