//! Why a run cannot begin, or go on.

use crate::data::DataError;
use onward_chip::FileError;
use onward_diagnostic::{Remedy, did_you_mean};
use onward_emulate::{Fault, MachineError};
use std::borrow::Cow;

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The machine cannot be made.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// A handler did what the machine does not allow.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The image has no input, target or tag that the host could send.
    #[error("the image takes no {0} from the host: it was not compiled from a network that learns classes")]
    Input(&'static str),
    /// A layer's handlers cannot leave its weights alone.
    #[error("the layer `{0}` cannot be kept from learning")]
    Frozen(String),
    /// A block does not go to sleep though nothing comes for it any more.
    #[error("the network does not come to rest after its last window: a handler stays awake")]
    Restless,
    /// The host cannot name so many classes as rivals.
    #[error("the network has {found} classes; a bandit plays with at most {most}")]
    Classes {
        /// Classes of the network.
        found: u32,
        /// As many as a tag can name.
        most: u32,
    },
    /// A checkpoint cannot be written.
    #[error("the checkpoint cannot be written: {0}")]
    Checkpoint(std::io::Error),
    /// The network gave no answer, or more than one.
    #[error("the network gave {found} answers to {expected} samples")]
    Answers {
        /// Samples shown.
        expected: usize,
        /// Answers that came.
        found: usize,
    },
}

impl SessionError {
    /// Whether it is no fault of the image or the data that were given.
    pub fn is_internal(&self) -> bool {
        matches!(self, SessionError::Fault(_) | SessionError::Restless | SessionError::Answers { .. })
    }
}

impl Remedy for SessionError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        match self {
            SessionError::Machine(MachineError::Threads(_)) => Some("ask for fewer (--threads)".into()),
            SessionError::Machine(_) => Some("compile it again".into()),
            SessionError::Frozen(_) => Some("write `learning = none` in its text".into()),
            _ => None,
        }
    }
}

/// Why a [`Run`](crate::Run) cannot begin, or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The image cannot be shown the data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The technology of the image's chip cannot be had.
    #[error(transparent)]
    Technology(#[from] FileError),
    /// The session cannot go on.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The record of the run cannot be written.
    #[error("the record of the run cannot be written: {0}")]
    Record(std::io::Error),
    /// A layer was named that is not there, or does not learn.
    #[error("no layer `{name}` that learns")]
    UnknownLayer {
        /// The name.
        name: String,
        /// The layers that learn.
        learners: Vec<String>,
    },
}

impl From<MachineError> for RunError {
    fn from(error: MachineError) -> RunError {
        RunError::Session(error.into())
    }
}

impl RunError {
    /// Whether it is no fault of the image or the data that were given.
    pub fn is_internal(&self) -> bool {
        matches!(self, RunError::Session(error) if error.is_internal())
    }
}

impl Remedy for RunError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        match self {
            RunError::Data(error) => error.remedy(),
            RunError::Technology(error) => error.remedy(),
            RunError::Session(error) => error.remedy(),
            RunError::Record(_) => Some("name another file, or make room on the disk".into()),
            RunError::UnknownLayer { name, learners } => {
                Some(did_you_mean(name, learners.iter().map(String::as_str), "layers that learn are ").into())
            }
        }
    }
}
