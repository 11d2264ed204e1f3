//! Records of the networks that learned in a study, from which further chips are timed: values once, chips many.

use onward_emulate::Record;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The records of a study, by the hash of all that determines a design's answers.
///
/// They are temporary files without a name, which are gone when the study is, however it ends.
#[derive(Default)]
pub struct Records(Mutex<BTreeMap<String, File>>);

impl Records {
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is a record of these answers.
    pub fn has(&self, answers: &str) -> bool {
        self.files().contains_key(answers)
    }

    /// The record of these answers; `None` if there is none, or it can no longer be read.
    pub fn get(&self, answers: &str) -> Option<Record> {
        let files = self.files();
        let (mut file, mut bytes) = (files.get(answers)?, Vec::new());
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes)).ok()?;
        drop(files);
        Record::from_bytes(&bytes).ok()
    }

    /// Begins one: where the run writes it, and what is kept of it once it has ended.
    ///
    /// # Errors
    /// The system gives no temporary file.
    pub fn begin() -> io::Result<(Box<dyn Write + Send>, File)> {
        let file = tempfile::tempfile()?;
        let writer = BufWriter::with_capacity(1 << 16, file.try_clone()?);
        Ok((Box::new(writer), file))
    }

    /// Keeps the record of a run that has ended.
    pub fn keep(&self, answers: &str, file: File) {
        self.files().insert(answers.to_owned(), file);
    }
}
