//! From a point of a front to files: the chip, the network, and the command that runs it, to the bit.

use crate::Outcome;
use crate::explore::evaluator::Runs;
use crate::failure::Failure;
use crate::files::Output;
use crate::ledger::Ledger;
use onward_explore::{Outcome as Found, Settings, Stored};
use std::path::Path;

/// Writes a design's chip and network into a folder, which is made, and gives the files and the command that reproduces it.
///
/// # Errors
/// The design could not be had, or a file cannot be written.
pub fn export(runs: &Runs, stored: &Stored, folder: &Path, ledger: &Ledger) -> Result<(Vec<Output>, String), Failure> {
    if let Found::Refused(reason) = &stored.outcome {
        return Err(Failure::input(format!("the design could not be had: {reason}"), "choose one of the front"));
    }
    let ready = runs.ready(&stored.settings)?;
    let id = &stored.identity.design[..10];
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::input(format!("{}: is no folder to write to: {error}", folder.display()), "name another with --output")
    })?;
    let chip = folder.join(format!("{id}.toml"));
    let network = folder.join(format!("{id}.sp"));
    let (chip_file, network_file) = (Output::prepare(&chip, ledger)?, Output::prepare(&network, ledger)?);
    let made = onward_explore_text(stored);
    let chip_text = toml::to_string(&ready.chip.chip).map_err(|error| Failure::Inside(error.to_string()))?;
    write(&chip_file, &format!("{made}\n{chip_text}"))?;
    let parsed =
        onward_net::Network::parse(&ready.source).map_err(|errors| Failure::diagnostics(&ready.source, &errors))?;
    write(&network_file, &format!("{made}\n{parsed}"))?;
    let command = command(runs, &stored.settings, &chip, &network);
    Ok((vec![chip_file, network_file], command))
}

fn write(file: &Output, text: &str) -> Outcome {
    file.write(text.as_bytes())
}

/// A comment that says what it is.
fn onward_explore_text(stored: &Stored) -> String {
    let said: Vec<String> = stored.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut text = format!("# Design {}, found by `onward explore`:\n", &stored.identity.design[..10]);
    for line in said.chunks(4) {
        text += &format!("# {}\n", line.join(" "));
    }
    text
}

/// The command that runs a design whose files are there.
pub(super) fn command(runs: &Runs, settings: &Settings, chip: &Path, network: &Path) -> String {
    let mut command = format!("onward train {} --chip {}", network.display(), chip.display());
    if let Some(data) = runs.data_path() {
        command += &format!(" --data {data}");
    }
    for (name, option) in [
        ("learning.epochs", "--epochs"),
        ("learning.rate_shift", "--rate-shift"),
        ("learning.seed", "--seed"),
        ("compiler.place", "--place"),
        ("compiler.objective", "--objective"),
    ] {
        if let Some(value) = settings.get(name) {
            command += &format!(" {option} {value}");
        }
    }
    command
}
