//! Reading what is asked for, writing what was made.

use crate::failure::Failure;
use onward_diagnostic::{Source, system_cause};
use onward_image::Image;
use serde::de::DeserializeOwned;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Reads a text.
pub fn read_source(path: &Path) -> Result<Source, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, error))?;
    Ok(Source::new(path.display().to_string(), text))
}

/// Reads a network's text with all that it includes, and puts the parameters of `--set` to it.
pub fn read_network(path: &Path, set: &[(String, String)]) -> Result<Source, Failure> {
    let mut read = |path: &Path| std::fs::read_to_string(path);
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
    let source = onward_net::with_includes(read_source(path)?, &mut read)
        .map_err(|(source, errors)| Failure::diagnostics(&source, &errors))?;
    Ok(onward_net::with_settings(source, set))
}

/// Reads an image.
pub fn read_image(path: &Path) -> Result<Image, Failure> {
    Image::load(path).map_err(|error| Failure::image(path, &error))
}

/// Reads what another command wrote for machines; `help` says which.
pub fn read_json<T: DeserializeOwned>(path: &Path, what: &str, help: &str) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, error))?;
    let wrong = |error| Failure::input(format!("{}: is not {what}: {error}", path.display()), help);
    serde_json::from_str(&text).map_err(wrong)
}

/// Refuses to write over what is read, or two files to one place. Paths may differ in how they are written.
pub fn check_outputs(outputs: &[Option<&Path>], inputs: &[&Path]) -> Result<(), Failure> {
    // A file that is not there yet is known by its folder; a device may be written twice.
    let place = |path: &Path| {
        path.canonicalize().unwrap_or_else(|_| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).join(path.file_name().unwrap_or_default())
        })
    };
    let is_device = |path: &Path| path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
    let outputs: Vec<&Path> = outputs.iter().flatten().copied().filter(|path| !is_device(path)).collect();
    for (at, output) in outputs.iter().enumerate() {
        let written = place(output);
        if inputs.iter().any(|input| place(input) == written) {
            let message = format!("{}: is read by this command, and would be overwritten", output.display());
            return Err(Failure::input(message, "name another file"));
        }
        if outputs[..at].iter().any(|other| place(other) == written) {
            let message = format!("{}: two results would go to the same file", output.display());
            return Err(Failure::input(message, "name two files"));
        }
    }
    Ok(())
}

/// A file that a command will write: checked before the long work, written under a temporary name, then renamed, so that no
/// half of one is ever seen.
pub struct Output {
    path: PathBuf,
}

impl Output {
    /// Checks that the file can be written.
    pub fn prepare(path: &Path) -> Result<Output, Failure> {
        let output = Output { path: path.to_owned() };
        let checked = match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(std::io::Error::other("it is a folder")),
            Ok(found) if !found.is_file() => Ok(()),
            _ => output.temporary().map(drop), // which removes it again
        };
        checked.map_err(|error| output.unwritable(&error)).map(|()| output)
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
    fn write_with(&self, contents: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Failure> {
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

    /// Writes a report for machines.
    pub fn write_json(&self, report: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(report).map_err(|error| Failure::Inside(error.to_string()))?;
        self.write((text + "\n").as_bytes())
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
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "the folder does not exist; make it, or name another",
            std::io::ErrorKind::PermissionDenied => "you may not write to the folder; name another",
            _ => "name another file",
        };
        let message = format!("{}: cannot be written: {}", self.path.display(), system_cause(error));
        Failure::input(message, help)
    }
}
