//! Reading what is asked for, writing what was made.

use crate::failure::Failure;
use crate::ledger::Ledger;
use crate::terminal;
use onward_diagnostic::{Source, read_included, read_text, system_cause};
use onward_image::Image;
use serde::de::DeserializeOwned;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What standard output is called, where something for machines is written.
const STANDARD_OUTPUT: &str = "-";

/// Reads a text.
pub fn read_source(path: &Path, ledger: &Ledger) -> Result<Source, Failure> {
    ledger.reads(path)?;
    let text = read_text(path).map_err(|error| Failure::unreadable(path, error))?;
    Ok(Source::new(path.display().to_string(), text))
}

/// Reads a network's text with all that it includes, and puts the parameters of `--set` to it.
pub fn read_network(path: &Path, set: &[(String, String)], ledger: &Ledger) -> Result<Source, Failure> {
    let mut read = |included: &Path| read_included(path, included);
    let other = match path.extension().and_then(|extension| extension.to_str()) {
        Some("s") => {
            Some(("is assembly", "`onward run FILE.s` runs a system in assembly, `onward asm` shows its words"))
        }
        Some("nir") => Some(("is a NIR file", "`onward import MODEL.nir -o NET.sp` makes a text of it")),
        _ => None,
    };
    if let Some((what, help)) = other {
        return Err(Failure::input(format!("{}: {what}, not a network's text", path.display()), help));
    }
    let source = onward_net::with_includes(read_source(path, ledger)?, &mut read)
        .map_err(|(source, errors)| Failure::diagnostics(&source, &errors))?;
    let source = onward_net::with_settings(source, set);
    ledger.reads_network(&source)?;
    Ok(source)
}

/// What reads the texts that the assembly `main` includes, in its folder or below, and notes their paths.
pub fn noting<'a>(main: &'a Path, read: &'a mut Vec<PathBuf>) -> impl FnMut(&str, &str) -> Result<Source, String> + 'a {
    move |including, path| {
        let source = onward_isa::read_below(main, including, path)?;
        read.push(source.name.clone().into());
        Ok(source)
    }
}

/// Reads an image.
pub fn read_image(path: &Path, ledger: &Ledger) -> Result<Image, Failure> {
    ledger.reads(path)?;
    Image::load(path).map_err(|error| Failure::image(path, &error))
}

/// Reads an image whose parts may not fit each other.
pub fn read_unchecked_image(path: &Path, ledger: &Ledger) -> Result<Image, Failure> {
    ledger.reads(path)?;
    Image::load_unchecked(path).map_err(|error| Failure::image(path, &error))
}

/// Reads what another command wrote for machines; `help` says which.
pub fn read_json<T: DeserializeOwned>(path: &Path, what: &str, help: &str, ledger: &Ledger) -> Result<T, Failure> {
    ledger.reads(path)?;
    let text = read_text(path).map_err(|error| Failure::unreadable(path, error))?;
    let wrong = |error| Failure::input(format!("{}: is not {what}: {error}", path.display()), help);
    serde_json::from_str(&text).map_err(wrong)
}

/// A file that a command will write: checked before the long work, written under a temporary name, then renamed, so that no
/// half of one is ever seen.
pub struct Output {
    path: PathBuf,
    /// The files that the command reads, none of which this may be.
    ledger: Ledger,
}

impl Output {
    /// Checks that the file can be written, and is none that the command reads.
    pub fn prepare(path: &Path, ledger: &Ledger) -> Result<Output, Failure> {
        ledger.writes(path)?;
        let output = Output { path: path.to_owned(), ledger: ledger.clone() };
        let checked = match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(std::io::Error::other("it is a folder")),
            Ok(found) if !found.is_file() => Ok(()),
            _ => output.temporary().map(drop), // which removes it again
        };
        checked.map_err(|error| output.unwritable(&error)).map(|()| output)
    }

    /// The same of a file for machines; `-` is standard output, on which nothing else is written then.
    pub fn prepare_json(path: &Path, ledger: &Ledger) -> Result<Output, Failure> {
        if path != Path::new(STANDARD_OUTPUT) {
            return Output::prepare(path, ledger);
        }
        terminal::silence();
        Ok(Output { path: path.to_owned(), ledger: ledger.clone() })
    }

    /// Writes it.
    pub fn write(&self, contents: &[u8]) -> Result<(), Failure> {
        self.write_with(|file| file.write_all(contents))
    }

    /// Writes an image.
    pub fn write_image(&self, image: &Image) -> Result<(), Failure> {
        self.write_with(|file| image.write(file))
    }

    /// Writes it piece by piece.
    pub fn write_with(&self, contents: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Failure> {
        self.ledger.check(&self.path)?;
        let write = || match std::fs::metadata(&self.path) {
            // A device or a pipe is written to; renaming would replace it.
            Ok(found) if !found.is_file() => contents(&mut std::fs::File::create(&self.path)?),
            _ => {
                let mut buffered = BufWriter::new(self.temporary()?);
                contents(&mut buffered)?;
                let file = buffered.into_inner().map_err(|error| error.into_error())?;
                // Through a link, to what it leads to.
                let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
                file.persist(path).map_err(|error| error.error)?;
                Ok(())
            }
        };
        write().map_err(|error| self.unwritable(&error))
    }

    /// Begins to write it, piece by piece while the command works; it is there when it is finished.
    pub fn begin(self) -> Result<(Growing, Box<dyn Write + Send>), Failure> {
        self.ledger.check(&self.path)?;
        let begin = || -> std::io::Result<_> {
            match std::fs::metadata(&self.path) {
                // As in `write_with`.
                Ok(found) if !found.is_file() => Ok((None, std::fs::File::create(&self.path)?)),
                _ => {
                    let temporary = self.temporary()?;
                    let file = temporary.as_file().try_clone()?;
                    Ok((Some(temporary), file))
                }
            }
        };
        let (temporary, file) = begin().map_err(|error| self.unwritable(&error))?;
        Ok((Growing { output: self, temporary }, Box::new(BufWriter::new(file))))
    }

    /// Writes a report for machines.
    pub fn write_json(&self, report: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(report).map_err(|error| Failure::Inside(error.to_string()))? + "\n";
        match self.path == Path::new(STANDARD_OUTPUT) {
            true => terminal::print_for_machines(&text),
            false => self.write(text.as_bytes()),
        }
    }

    /// Its path, as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn temporary(&self) -> std::io::Result<tempfile::NamedTempFile> {
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less what the user's mask takes
        builder.prefix(".onward-").tempfile_in(folder)
    }

    fn unwritable(&self, error: &std::io::Error) -> Failure {
        Failure::unwritable(&self.path, error)
    }
}

impl Failure {
    /// A file that cannot be written.
    pub fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "the folder does not exist; make it, or name another",
            std::io::ErrorKind::PermissionDenied => "you may not write to the folder; name another",
            _ => "name another file",
        };
        let message = format!("{}: cannot be written: {}", path.display(), system_cause(error));
        Failure::input(message, help)
    }
}

/// A file that grows while a command works. Dropped, nothing of it is left.
pub struct Growing {
    output: Output,
    /// Nothing for a device, which is written to.
    temporary: Option<tempfile::NamedTempFile>,
}

impl Growing {
    /// It is whole: gives it its name.
    pub fn finish(self) -> Result<Output, Failure> {
        let Growing { output, temporary } = self;
        output.ledger.check(&output.path)?;
        if let Some(temporary) = temporary {
            let path = std::fs::canonicalize(&output.path).unwrap_or_else(|_| output.path.clone());
            temporary.persist(path).map_err(|error| output.unwritable(&error.error))?;
        }
        Ok(output)
    }

    /// That it cannot be written.
    pub fn failed(&self, error: &std::io::Error) -> Failure {
        self.output.unwritable(error)
    }
}
