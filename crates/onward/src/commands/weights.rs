//! Weights as arrays: out of a machine, and into one.

use crate::Outcome;
use crate::failure::Failure;
use crate::files::Output;
use onward_emulate::Engine;
use onward_image::Image;
use onward_run::Session;
use std::path::Path;

/// Writes what a machine has learned.
pub fn export(machine: &dyn Engine, image: &Image, output: &Output) -> Outcome {
    let arrays = onward_run::learned_arrays(machine, image);
    if arrays.is_empty() {
        let help = "an image (-o) keeps everything";
        return Err(Failure::input_with_help("no layer has weights that could be exported as arrays", help));
    }
    let bytes = onward_run::to_npz(&arrays).map_err(|error| Failure::Inside(error.to_string()))?;
    output.write(&bytes)
}

/// Gives the weights of a file to a machine. Says on stderr what did not fit its formats.
pub fn give(session: &mut Session, image: &Image, path: &Path) -> Outcome {
    let refused = |problem: String| {
        let help = "`onward export IMAGE.onw -o W.npz` writes such a file";
        Failure::input_with_help(format!("{}: {problem}", path.display()), help)
    };
    let arrays = onward_net::read_npz(path).map_err(refused)?;
    let find = |name: &str| arrays.get(name).map(|array| (array.shape.clone(), array.values.clone()));
    let given = onward_run::give_weights(session.machine_mut(), image, find)
        .map_err(|error| Failure::sentence(&format!("{}: {error}", path.display())))?;
    if given.rounded + given.clamped > 0 {
        eprintln!(
            "{}: {} numbers were rounded to the layers' formats, {} were beyond them",
            path.display(),
            crate::text::count(given.rounded as u64),
            crate::text::count(given.clamped as u64)
        );
    }
    Ok(())
}
