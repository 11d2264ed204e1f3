//! Errors that know what would help.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// An error that knows what would help against it. Its `Display` says where and what is wrong, and not that too.
///
/// ```
/// use onward_diagnostic::{Remedy, Unreadable};
/// let error = Unreadable::new("net.sp", std::io::ErrorKind::NotFound.into());
/// assert_eq!(error.to_string(), "net.sp: cannot be read: no such file or directory");
/// assert_eq!(error.remedy().unwrap(), "check the path; it is seen from the working directory");
/// ```
pub trait Remedy: Error {
    /// What would help; `None` if nobody knows.
    fn remedy(&self) -> Option<Cow<'_, str>> {
        None
    }
}

/// A file that cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    path: PathBuf,
    error: io::Error,
}

impl Unreadable {
    /// The file at `path`, of which the system says `error`. Bytes that are no text are of the kind
    /// [`ErrorKind::InvalidData`], as [`std::fs::read_to_string`] has it.
    pub fn new(path: impl Into<PathBuf>, error: io::Error) -> Unreadable {
        Unreadable { path: path.into(), error }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error.kind() {
            ErrorKind::InvalidData => write!(f, "{}: is not a text", self.path.display()),
            _ => write!(f, "{}: cannot be read: {}", self.path.display(), system_cause(&self.error)),
        }
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl Remedy for Unreadable {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        let remedy = match self.error.kind() {
            ErrorKind::NotFound => "check the path; it is seen from the working directory",
            ErrorKind::InvalidData => "an image (.onw) is for `onward run`, `inspect` and `disasm`",
            ErrorKind::IsADirectory => "name a file in it",
            _ => "check that it is a file and that you may read it",
        };
        Some(remedy.into())
    }
}

/// The cause of a system's error in words: those of its kind, where that says all, else the error's own.
pub fn system_cause(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file or directory".to_owned(),
        kind @ (ErrorKind::PermissionDenied
        | ErrorKind::AlreadyExists
        | ErrorKind::IsADirectory
        | ErrorKind::NotADirectory
        | ErrorKind::StorageFull
        | ErrorKind::ReadOnlyFilesystem) => kind.to_string(),
        _ => error.to_string(),
    }
}
