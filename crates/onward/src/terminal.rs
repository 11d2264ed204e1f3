//! Writing to the terminal. What is written may hold styles: where they cannot be shown, or nobody wants them
//! (<https://no-color.org>), they are left out on the way.

use crate::failure::Failure;
use anstyle::{AnsiColor, Style};
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// For headings.
pub const BOLD: Style = Style::new().bold();
/// For what matters less.
pub const DIM: Style = Style::new().dimmed();
/// For the word that begins an error.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();

/// A text in a style.
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Whether what is for people is left out.
static SILENT: AtomicBool = AtomicBool::new(false);

/// From here on writes to stdout only what is for machines.
pub fn silence() {
    SILENT.store(true, Ordering::Relaxed);
}

/// Writes to stdout, for people.
///
/// # Errors
/// [`Failure::NobodyReads`] when the reader has gone, else that it cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    if SILENT.load(Ordering::Relaxed) { Ok(()) } else { print_for_machines(text) }
}

/// Writes to stdout, for machines.
///
/// # Errors
/// As [`print()`].
pub fn print_for_machines(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::Inside(format!("the output cannot be written: {error}")),
    })
}
