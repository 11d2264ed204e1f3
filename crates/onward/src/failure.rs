//! Why a command did not do what it was asked, and how that is shown.

use crate::terminal;
use onward_chip::{FileError, Problem};
use onward_diagnostic::{Diagnostic, Source};
use onward_image::ImageError;
use onward_run::SessionError;
use onward_run::data::DataError;
use std::panic::PanicHookInfo;
use std::path::Path;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// What it was given cannot be used.
    Input {
        /// Place and cause.
        message: String,
        /// What would help.
        help: Option<String>,
    },
    /// The same, rendered with its place in a text.
    Text(String),
    /// Something went wrong that the user cannot be blamed for.
    Inside(String),
    /// Two things that were compared are not the same; that has been said.
    Different,
    /// Ctrl-C; the report was written.
    Interrupted,
    /// Nobody reads the output any more (`onward disasm IMAGE.onw | head`).
    NobodyReads,
}

impl Failure {
    /// Bad input without a remedy.
    pub fn input(message: impl Into<String>) -> Failure {
        Failure::Input { message: message.into(), help: None }
    }

    /// Bad input with a remedy.
    pub fn input_with_help(message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::Input { message: message.into(), help: Some(help.into()) }
    }

    /// Bad input in the words of the crate that met it: `place: cause; remedy`.
    pub fn sentence(text: &str) -> Failure {
        match text.split_once("; ") {
            Some((message, help)) => Failure::input_with_help(message, help),
            None => Failure::input(text),
        }
    }

    /// Mistakes in a text.
    pub fn diagnostics(source: &Source, diagnostics: &[Diagnostic]) -> Failure {
        let colored = terminal::stderr_has_color();
        Failure::Text(if colored { source.render_colored(diagnostics) } else { source.render(diagnostics) })
    }

    /// Mistakes in an assembly and what it includes.
    pub fn assembly(errors: &onward_isa::AssemblyErrors) -> Failure {
        Failure::Text(if terminal::stderr_has_color() { errors.render_colored() } else { errors.render() })
    }

    /// What is wrong with an image file.
    pub fn image(path: &Path, error: &ImageError) -> Failure {
        match error {
            ImageError::File { path, error } => Failure::unreadable(Path::new(path), error),
            _ => Failure::sentence(&format!("{}: {error}", path.display())),
        }
    }

    /// A file that cannot be read.
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path; it is seen from the working directory",
            std::io::ErrorKind::InvalidData => "an image (.onw) is for `onward run`, `inspect` and `disasm`",
            std::io::ErrorKind::IsADirectory => "name a file in it",
            _ => "check that it is a file and that you may read it",
        };
        let cause = match error.kind() {
            std::io::ErrorKind::InvalidData => "is not a text".to_owned(),
            _ => format!("cannot be read: {}", system_words(error)),
        };
        Failure::input_with_help(format!("{}: {cause}", path.display()), help)
    }

    /// What went wrong with a session on an image.
    pub fn session(image: &str, error: &SessionError) -> Failure {
        match error {
            SessionError::Machine(_)
            | SessionError::Input(_)
            | SessionError::Frozen(_)
            | SessionError::Classes { .. } => Failure::sentence(&format!("{image}: {error}")),
            SessionError::Fault(_) | SessionError::Restless | SessionError::Answers { .. } => {
                Failure::Inside(format!("{image}: {error}"))
            }
        }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Input { .. } | Failure::Text(_) => 2,
            Failure::Inside(_) | Failure::Different => 1,
            Failure::Interrupted => 130,
            Failure::NobodyReads => 141, // what a shell reports of a program that the closed pipe ended
        }
    }

    /// Shows it on stderr.
    pub fn show(&self) {
        let style = terminal::stderr_style();
        match self {
            Failure::Input { message, help } => {
                eprintln!("{} {message}", style.error("error:"));
                if let Some(help) = help {
                    eprintln!("  {} {help}", style.bold("= help:"));
                }
            }
            Failure::Text(text) => eprintln!("{}", text.trim_end()),
            Failure::Different => {}
            Failure::Inside(message) => eprintln!("{} {message}", style.error("error:")),
            Failure::Interrupted => eprintln!("{}", style.bold("interrupted: the report covers what ran until then")),
            Failure::NobodyReads => {}
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        Failure::sentence(&error.to_string())
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Failure {
        match &error {
            FileError::Limits { place, problems } => {
                let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
                Failure::input(format!("{place}: {}", problems.join("\n       and ")))
            }
            _ => Failure::sentence(&error.to_string()),
        }
    }
}

/// What the system says, without its number.
pub fn system_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

/// Shows a panic as what it is: a mistake in this program.
pub fn report_panic(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let what = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    eprintln!("{} {}{place}", terminal::stderr_style().error("internal error:"), what.unwrap_or("unknown"));
    eprintln!("  = help: this is a mistake in onward, not in your files; please report it with the command you gave");
    std::process::exit(1);
}
