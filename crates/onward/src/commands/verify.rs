//! `onward verify`: proves of an image, or of a system in assembly, what a chip counts on.

use crate::arguments::ChipArgument;
use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::files::{Output, noting, read_source, read_unchecked_image};
use crate::ledger::Ledger;
use crate::report::section;
use crate::text::{count, plural, table};
use crate::{Outcome, terminal};
use onward_assembly::{System, assemble_system};
use onward_image::Image;
use onward_verify::{Contract, Handler, Learned, Rule, Verdict, verify};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  onward verify digits.onw
  onward verify digits.onw --json proof.json
  onward verify programs/lif.s --chip small      a system in assembly, with the packets it lists";

/// Breaches that are shown.
const SHOWN: usize = 10;

/// Prove that an image learns forward only, cannot deadlock, and stays within its memories; exit code 1 if it does not
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The image, or the text of a system in assembly
    #[arg(value_name = "IMAGE.onw|FILE.s")]
    image: PathBuf,
    /// Write the proof, or what breaks it, for machines
    #[arg(long, value_name = "FILE.json")]
    json: Option<PathBuf>,
    #[command(flatten)]
    chip: ChipArgument,
}

/// What is written for machines.
#[derive(Serialize)]
struct Report<'a> {
    /// Whether all rules are kept.
    holds: bool,
    /// By rule, in the order of the table.
    rules: BTreeMap<&'static str, bool>,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let is_assembly = arguments.image.extension().is_some_and(|extension| extension == "s");
    let (image, contract) = if is_assembly {
        let system = read_system(&arguments.image, &arguments.chip, &ledger)?;
        // The packets that its text lists are all that its host sends.
        let packets = system.stimuli.iter().map(|packet| (packet.input, packet.payload));
        let contract = Contract::of_packets(system.image.host_inputs.len(), packets);
        (system.image, contract)
    } else {
        if arguments.chip.is_given() {
            let message = format!("{}: a chip is given, but an image has one", arguments.image.display());
            return Err(Failure::input(message, "compile the network for the other chip"));
        }
        (read_unchecked_image(&arguments.image, &ledger)?, Contract::of_network())
    };
    let verdict = verify(&image, &contract);
    terminal::print(&shown(&image, &verdict))?;
    if let Some(json) = &json {
        let rules = Rule::ALL.iter().map(|rule| (rule.name(), verdict.keeps(*rule))).collect();
        let report = Report { holds: verdict.holds(), rules, verdict: &verdict };
        let report = serde_json::to_value(report).map_err(|error| Failure::Inside(error.to_string()))?;
        json.write_json(&Document::new("verify", documents::of_image(&image, report)))?;
        terminal::print(&crate::report::written([Some(json)]))?;
    }
    if verdict.holds() { Ok(()) } else { Err(Failure::Broken) }
}

fn read_system(path: &Path, chip: &ChipArgument, ledger: &Ledger) -> Result<System, Failure> {
    let source = read_source(path, ledger)?;
    let chip = chip.load(ledger)?;
    let mut included = Vec::new();
    let mut read = noting(path, &mut included);
    let system = assemble_system(&source, &chip, &mut read).map_err(|errors| Failure::assembly(&errors))?;
    drop(read);
    included.into_iter().try_for_each(|path| ledger.reads(path))?;
    Ok(system)
}

/// The proof as a table, or what breaks it.
fn shown(image: &Image, verdict: &Verdict) -> String {
    let row = |rule: &Rule| {
        let holds = if verdict.keeps(*rule) { "holds" } else { "BROKEN" };
        vec![rule.name().to_owned(), holds.to_owned(), rule.says().to_owned()]
    };
    let is_whole = verdict.breaches.first().is_none_or(|breach| breach.rule != Rule::Structure);
    let rules: Vec<Vec<String>> = match is_whole {
        true => Rule::ALL.iter().map(row).collect(),
        false => vec![row(&Rule::Structure)],
    };
    let mut text = section("Proof", table(&["rule", "", "what it says"], rules, &[]));
    if !verdict.holds() {
        let mut breaches: Vec<String> =
            verdict.breaches.iter().take(SHOWN).map(|breach| format!("  {}: {breach}\n", breach.rule)).collect();
        if verdict.breaches.len() > SHOWN {
            breaches.push(format!("  and {} more\n", verdict.breaches.len() - SHOWN));
        }
        text += &section("What breaks it", breaches.concat());
        return text;
    }
    let looked_at = verdict.looked_at;
    let rows = vec![
        vec!["of".to_owned(), format!("`{}`", image.network.name)],
        vec![
            "looked at".to_owned(),
            format!(
                "{} on {}, {}, {}, {} of the mesh, {} of steps",
                plural(looked_at.blocks as u64, "block"),
                plural(looked_at.cores as u64, "core"),
                plural(looked_at.instructions as u64, "instruction"),
                plural(looked_at.routes as u64, "route"),
                plural(looked_at.channels as u64, "channel"),
                plural(looked_at.classes as u64, "sort"),
            ),
        ],
    ];
    text += &table(&[], rows, &[]);
    if !verdict.assumes.is_empty() {
        let assumed = verdict.assumes.iter().map(|sentence| format!("  {sentence}\n"));
        text += &section("If the host keeps to this", assumed.collect::<String>());
    }
    if !verdict.learned.is_empty() {
        text += &section("What weights change by", learned(&verdict.learned));
    }
    text += &section("Cycles at most", handlers(&verdict.handlers));
    if let Some(bounds) = verdict.bounds {
        let row = |what: &str, cycles: u64| vec![what.to_owned(), count(cycles)];
        let rows = vec![
            row("any step", bounds.step_cycles),
            row("a test sample's window", bounds.test_window_cycles),
            row("a training sample", bounds.training_sample_cycles),
        ];
        text += &section("With the mesh and the barrier", table(&["", "cycles at most"], rows, &[1]));
    }
    text
}

fn learned(all: &[Learned]) -> String {
    let rows = all.iter().map(|learned| {
        let here = learned.arrays.iter().chain(&learned.also).cloned().collect::<Vec<_>>().join(", ");
        vec![learned.layer.clone(), learned.array.clone(), here, learned.packets.join(", ")]
    });
    table(&["layer", "array", "written from, all on its core", "which stem from packets of"], rows.collect(), &[])
}

fn handlers(all: &[Handler]) -> String {
    let rows = all.iter().filter(|handler| handler.cycles > 0).map(|handler| {
        let window = ["input", "target"]
            .get(handler.kind as usize)
            .map_or_else(|| handler.kind.to_string(), |&name| name.into());
        let positions = match (handler.first, handler.last) {
            (first, _) if first == i64::from(i32::MAX) => "any".into(), // a block that takes no tags
            (first, last) if first == last => first.to_string(),
            (first, last) if last == i64::from(i32::MAX) => format!("from {first} on"),
            (first, last) => format!("{first} to {last}"),
        };
        let learns = if handler.learn { "yes" } else { "no" };
        vec![handler.layer.clone(), window, learns.to_owned(), positions, count(handler.cycles), count(handler.packets)]
    });
    table(&["layer", "window", "learning", "position", "cycles", "packets"], rows.collect(), &[3, 4, 5])
}
