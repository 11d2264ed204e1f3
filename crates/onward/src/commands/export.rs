//! `onward export`: what an image has learned, as arrays or as a NIR file for other tools.

use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::files::{Output, read_image, read_network};
use crate::ledger::Ledger;
use crate::terminal::{BOLD, styled};
use crate::{Outcome, job, report, terminal};
use anstream::eprintln;
use onward_diagnostic::Source;
use onward_emulate::{Machine, Options};
use onward_image::Image;
use onward_net::nir::{Exported, write};
use onward_net::{Array, Network};
use onward_run::LearnedArray;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  onward export digits.onw -o digits.npz
  onward run blank.onw --weights digits.npz --data digits
  onward export digits.onw -o digits.npz --json -    names and shapes of the arrays, for machines
  onward export digits.onw --nir -o digits.nir
  onward export net.sp --nir --weights net.npz -o net.nir

Of each layer that learns there are `LAYER.weight` and, where the target comes in, `LAYER.target_weight`,
[neuron][axon]; `LAYER.bias`; `LAYER.target_count`, what each class last evoked, by which answers are
found; and `LAYER.mean_count`. `NAME.integer` is what lies on the chip: the same times a power of two.
With --nir there is a graph of the whole network that other frameworks read.";

/// Write what an image has learned as arrays (NumPy's .npz), or as a network of other tools (--nir)
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The image; with --nir also a network's text
    #[arg(value_name = "IMAGE.onw")]
    image: PathBuf,
    /// Where the arrays, or the NIR file, go
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Write a NIR file, which nir, snnTorch and others read
    #[arg(long)]
    nir: bool,
    /// With --nir: arrays that stand in for the weights of the text or image
    #[arg(long, value_name = "W.npz", requires = "nir")]
    weights: Option<PathBuf>,
    /// With --nir: length of a time step, in the unit of the file's time constants
    #[arg(long, value_name = "TIME", default_value_t = 1e-4, requires = "nir")]
    dt: f64,
    /// Write what was written for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let output = Output::prepare(&arguments.output, &ledger)?;
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let document = if arguments.nir {
        nir(arguments, &output, &ledger)?;
        json!({"source": arguments.image.display().to_string(), "format": "nir"})
    } else {
        let image = read_image(&arguments.image, &ledger)?;
        let arrays = onward_run::learned_arrays(&machine(&image, &arguments.image)?, &image);
        job::export(&arrays, &output)?;
        let array = |array: &LearnedArray| json!({"name": array.name, "shape": array.shape, "fraction_bits": array.fraction_bits});
        let arrays: Vec<Value> = arrays.iter().map(array).collect();
        let body = json!({"learned_epochs": image.learned.epochs, "format": "npz", "arrays": arrays});
        documents::of_image(&image, body)
    };
    if let Some(json) = &json {
        let mut document = document;
        document["written"] = json!(output.path().display().to_string());
        json.write_json(&Document::new("export", document))?;
    }
    terminal::print(report::written([Some(&output), json.as_ref()]).trim_start())
}

fn machine(image: &Image, path: &Path) -> Result<Machine, Failure> {
    let options = Options { seed: image.network.seed, timing: false, threads: 1 };
    Machine::new(image, options).map_err(|error| Failure::session(&path.display().to_string(), &error.into()))
}

/// Writes the network as a NIR file; what its readers must be told goes to stderr.
fn nir(arguments: &Arguments, output: &Output, ledger: &Ledger) -> Outcome {
    let path = &arguments.image;
    let is_image = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onw"));
    let mut learned: BTreeMap<String, Array> = BTreeMap::new();
    let source = if is_image {
        let image = read_image(path, ledger)?;
        let of_nir = Path::new(&image.network.source.0).extension().is_some_and(|extension| extension == "nir");
        if of_nir {
            let message = format!("{}: is of a NIR file, {}", path.display(), image.network.source.0);
            return Err(Failure::input(message, "nothing in it learns, so that the NIR file says all that it is"));
        }
        for array in onward_run::learned_arrays(&machine(&image, path)?, &image) {
            let unit = 2f64.powi(-array.fraction_bits);
            let values = array.integers.iter().map(|&integer| f64::from(integer) * unit).collect();
            learned.insert(array.name, Array { shape: array.shape, values });
        }
        let (name, text) = image.network.source;
        let source = Source::new(name, text);
        if Network::parse(&source).is_err() {
            let message =
                format!("{}: its text, {}, includes others that are not in the image", path.display(), source.name);
            let help = "export the text with what was learned: `onward export IMAGE.onw -o W.npz`, then `onward export NET.sp --nir --weights W.npz`";
            return Err(Failure::input(message, help));
        }
        source
    } else {
        read_network(path, &[], ledger)?
    };
    if let Some(weights) = &arguments.weights {
        ledger.reads(weights)?;
        let refused = |problem: String| {
            let help = "`onward export IMAGE.onw -o W.npz` writes such a file";
            Failure::input(format!("{}: {problem}", weights.display()), help)
        };
        for (name, array) in onward_net::read_npz(weights).map_err(refused)? {
            learned.insert(name, Array { shape: array.shape.clone(), values: array.values.clone() });
        }
    }
    let network = load(&source)?;
    let exported = write(&network, &learned, arguments.dt);
    let Exported { bytes, notes } =
        exported.map_err(|error| Failure::input(format!("{}: {}", path.display(), error.message()), error.help))?;
    for note in notes {
        eprintln!("{} {}: {note}", styled(BOLD, "note:"), path.display());
    }
    output.write(&bytes)
}

/// The network of a text, with the arrays in the files beside it.
fn load(source: &Source) -> Result<Network, Failure> {
    let failure = |errors: Vec<_>| Failure::diagnostics(source, &errors);
    let mut network = Network::parse(source).map_err(failure)?;
    let folder = Path::new(&source.name).parent().unwrap_or(Path::new(""));
    network.load(folder).map_err(failure)?;
    Ok(network)
}
