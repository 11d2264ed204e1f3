//! `onward import`: from a NIR file to a network's text and its arrays.

use crate::arguments::DEFAULT_CHIP;
use crate::documents::Document;
use crate::failure::Failure;
use crate::files::Output;
use crate::ledger::Ledger;
use crate::nir::{NirArguments, import};
use crate::text::plural;
use crate::warnings::Warnings;
use crate::{Outcome, terminal};
use onward_chip::Chip;
use onward_compile::Options;
use onward_net::{Member, npz};
use serde_json::{Value, json};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward import cnn.nir -o cnn.sp                       writes cnn.sp, and cnn.npz with its weights
  onward import lif.nir -o lif.sp --dt 1e-3 --encoding rate --readout most-spikes
  onward import cnn.nir -o cnn.sp --json -              what was written, for machines
  onward compile cnn.nir -o cnn.onw                     without the text between";

/// Make a network's text of a NIR file (the graph that many spiking frameworks write)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The NIR file
    #[arg(value_name = "MODEL.nir")]
    model: PathBuf,
    /// Where the text goes; its arrays go beside it, into a file of the same name that ends in .npz
    #[arg(short, long, value_name = "NET.sp")]
    output: PathBuf,
    #[command(flatten)]
    warnings: Warnings,
    #[command(flatten)]
    nir: NirArguments,
    /// Write what was written for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let text_path = &arguments.output;
    let arrays_path = text_path.with_extension("npz");
    let (Some(arrays), false) = (arrays_path.file_name(), *text_path == arrays_path) else {
        let message = format!("{}: is no name for the text", text_path.display());
        return Err(Failure::input(message, "name a file that ends in .sp"));
    };
    let ledger = Ledger::default();
    ledger.reads(&arguments.model)?;
    let (text, array_file) = (Output::prepare(text_path, &ledger)?, Output::prepare(&arrays_path, &ledger)?);
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let written = import(&arguments.model, &arguments.nir, &arrays.to_string_lossy())?;
    let (network, source) = written.network(text_path, &arrays.to_string_lossy())?;
    // Nothing that is warned of depends on the chip but whether inputs are added up in parts.
    let options = Options::new(Chip::load(DEFAULT_CHIP)?, 1);
    arguments.warnings.show_of(Some(network), &source, &options)?;
    // The arrays first: the text is never there without them.
    if !written.members.is_empty() {
        array_file.write(&npz(&written.members).map_err(|error| Failure::Inside(error.to_string()))?)?;
    }
    text.write(written.text.as_bytes())?;
    if let Some(json) = &json {
        let array = |(name, array): &Member| json!({"name": name, "shape": array.shape});
        let has_arrays = !written.members.is_empty();
        json.write_json(&Document::new(
            "import",
            json!({
                "source": arguments.model.display().to_string(),
                "network_text": written.text,
                "arrays": written.members.iter().map(array).collect::<Vec<Value>>(),
                "written": {
                    "text": text_path.display().to_string(),
                    "arrays": has_arrays.then(|| array_file.path().display().to_string()),
                },
            }),
        ))?;
    }
    let arrays = match written.members.len() {
        0 => String::new(),
        count => format!(" and {} ({})", array_file.path().display(), plural(count as u64, "array")),
    };
    terminal::print(&format!("wrote {}{arrays}\n", text.path().display()))
}
