//! Why a command did not do what it was asked, and how that is shown.

use crate::terminal::{BOLD, ERROR, styled};
use anstream::eprintln;
use onward_chip::{FileError, Problem};
use onward_diagnostic::{Diagnostic, Remedy, Source, Unreadable};
use onward_image::ImageError;
use onward_run::data::DataError;
use onward_run::{RunError, SessionError};
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
    /// An image breaks a rule; that has been shown.
    Broken,
    /// Ctrl-C; the report was written.
    Interrupted,
    /// Nobody reads the output any more (`onward disasm IMAGE.onw | head`).
    NobodyReads,
}

impl Failure {
    /// Bad input with a remedy.
    pub fn input(message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::Input { message: message.into(), help: Some(help.into()) }
    }

    /// Bad input in the words of the crate that met it.
    pub fn refused(error: &dyn Remedy) -> Failure {
        Failure::Input { message: error.to_string(), help: error.remedy().map(Into::into) }
    }

    /// The same, of a file or image whose name the error does not know.
    pub fn refused_at(place: &str, error: &dyn Remedy) -> Failure {
        Failure::Input { message: format!("{place}: {error}"), help: error.remedy().map(Into::into) }
    }

    /// Mistakes in a text.
    pub fn diagnostics(source: &Source, diagnostics: &[Diagnostic]) -> Failure {
        Failure::Text(source.render_colored(diagnostics))
    }

    /// Mistakes in an assembly and what it includes.
    pub fn assembly(errors: &onward_isa::AssemblyErrors) -> Failure {
        Failure::Text(errors.render_colored())
    }

    /// What is wrong with an image file.
    pub fn image(path: &Path, error: &ImageError) -> Failure {
        match error {
            ImageError::File(error) => Failure::refused(error),
            _ => Failure::refused_at(&path.display().to_string(), error),
        }
    }

    /// A file that cannot be read.
    pub fn unreadable(path: &Path, error: std::io::Error) -> Failure {
        Failure::refused(&Unreadable::new(path, error))
    }

    /// What went wrong with a session on an image.
    pub fn session(image: &str, error: &SessionError) -> Failure {
        match error.is_internal() {
            true => Failure::Inside(format!("{image}: {error}")),
            false => Failure::refused_at(image, error),
        }
    }

    /// What went wrong with a run of an image.
    pub fn run(image: &str, error: RunError) -> Failure {
        match error {
            RunError::Session(error) => Failure::session(image, &error),
            RunError::Technology(error) => error.into(),
            RunError::Record(_) | RunError::Data(_) | RunError::UnknownLayer { .. } => Failure::refused(&error),
        }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Input { .. } | Failure::Text(_) => 2,
            Failure::Inside(_) | Failure::Different | Failure::Broken => 1,
            Failure::Interrupted => 130,
            Failure::NobodyReads => 141, // what a shell reports of a program that the closed pipe ended
        }
    }

    /// Shows it on stderr.
    pub fn show(&self) {
        match self {
            Failure::Input { message, help } => {
                eprintln!("{} {message}", styled(ERROR, "error:"));
                if let Some(help) = help {
                    eprintln!("  {} {help}", styled(BOLD, "= help:"));
                }
            }
            Failure::Text(text) => eprintln!("{}", text.trim_end()),
            Failure::Inside(message) => eprintln!("{} {message}", styled(ERROR, "error:")),
            Failure::Interrupted => eprintln!("{}", styled(BOLD, "interrupted: the report covers what ran until then")),
            Failure::Different | Failure::Broken | Failure::NobodyReads => {}
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        Failure::refused(&error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Failure {
        match &error {
            FileError::Limits { place, problems } => {
                let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
                Failure::Input { message: format!("{place}: {}", problems.join("\n       and ")), help: None }
            }
            _ => Failure::refused(&error),
        }
    }
}

/// How libraries say that the system gives them no thread, or no memory for one; they have no other way than to panic.
const NO_THREAD: [&str; 3] = [
    "failed to spawn thread",
    "failed to allocate an alternative stack",
    "The global thread pool has not been initialized",
];

/// Shows a panic as what it is: a mistake in this program, unless the system has no memory left for another thread.
pub fn report_panic(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let what = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let what = what.unwrap_or("unknown");
    if NO_THREAD.iter().any(|said| what.starts_with(said)) {
        eprintln!("{} host threads cannot be started: {what}", styled(ERROR, "error:"));
        eprintln!(
            "  = help: there is too little memory for them, or the system allows no more: fewer are asked for by `--threads`"
        );
    } else {
        let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
        eprintln!("{} {what}{place}", styled(ERROR, "internal error:"));
        eprintln!(
            "  = help: this is a mistake in onward, not in your files; please report it with the command you gave"
        );
    }
    std::process::exit(1);
}
