//! What the terminal can show, and writing to it.

use crate::failure::Failure;
use std::io::{ErrorKind, IsTerminal, Write};

/// Whether colours are wanted at all: <https://no-color.org>.
fn wants_color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether stdout shows colours.
pub fn stdout_has_color() -> bool {
    std::io::stdout().is_terminal() && wants_color()
}

/// Whether stderr shows colours.
pub fn stderr_has_color() -> bool {
    std::io::stderr().is_terminal() && wants_color()
}

/// Emphasis, where it can be shown.
#[derive(Clone, Copy)]
pub struct Style(bool);

/// The style of stdout.
pub fn stdout_style() -> Style {
    Style(stdout_has_color())
}

/// The style of stderr.
pub fn stderr_style() -> Style {
    Style(stderr_has_color())
}

impl Style {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For headings.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// For what matters less.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// For the word that begins an error.
    pub fn error(self, text: &str) -> String {
        self.with("1;31", text)
    }
}

/// Writes to stdout.
///
/// # Errors
/// [`Failure::NobodyReads`] when the reader has gone, else that it cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::Inside(format!("the output cannot be written: {error}")),
    })
}
