//! What is wrong with a NIR file, or what of it has no place on the chip.

use std::fmt::{self, Display, Formatter};

/// Reason why a NIR file does not become a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NirError {
    /// The node, by its path in the graph (`encoder/lif1`); nothing if it is the file as a whole.
    pub node: Option<String>,
    /// Cause of the error.
    pub cause: String,
    /// Remedy for the error.
    pub help: String,
}

impl NirError {
    /// About the file as a whole.
    pub(super) fn file(cause: impl Into<String>, help: impl Into<String>) -> NirError {
        NirError { node: None, cause: cause.into(), help: help.into() }
    }

    /// About a node.
    pub(super) fn node(path: &str, cause: impl Into<String>, help: impl Into<String>) -> NirError {
        NirError { node: Some(path.to_owned()), cause: cause.into(), help: help.into() }
    }
}

impl NirError {
    /// Node and cause.
    pub fn message(&self) -> String {
        match &self.node {
            Some(node) => format!("node `{node}`: {}", self.cause),
            None => self.cause.clone(),
        }
    }
}

impl Display for NirError {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        write!(formatter, "{}; {}", self.message(), self.help)
    }
}

impl std::error::Error for NirError {}
