//! `onward isa`: the instruction set.

use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::files::Output;
use crate::ledger::Ledger;
use crate::text::table;
use crate::{Outcome, report, terminal};
use onward_diagnostic::nearest;
use onward_isa::{INSTRUCTIONS, manual, manual_entry};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward isa            all instructions, a line each
  onward isa vaccr      one of them in full
  onward isa --manual   the whole manual, as Markdown";

/// Look up the instruction set
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// An instruction
    #[arg(value_name = "MNEMONIC")]
    mnemonic: Option<String>,
    /// The whole manual, as Markdown
    #[arg(long, conflicts_with = "mnemonic")]
    manual: bool,
    /// Write the instructions for machines; - for standard output
    #[arg(long, value_name = "FILE", conflicts_with = "manual")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    if arguments.manual {
        return terminal::print(&manual());
    }
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &Ledger::default())).transpose()?;
    show(arguments.mnemonic.as_deref())?;
    if let Some(json) = &json {
        let is_wanted = |mnemonic: &str| arguments.mnemonic.as_deref().is_none_or(|wanted| wanted == mnemonic);
        json.write_json(&Document::new("isa", documents::instructions(|row| is_wanted(row.mnemonic))))?;
    }
    terminal::print(&report::written([json.as_ref()]))
}

/// All instructions, or one of them.
fn show(mnemonic: Option<&str>) -> Outcome {
    let Some(mnemonic) = mnemonic else {
        let rows = INSTRUCTIONS.iter().map(|row| {
            let form = format!("{} {}", row.mnemonic, row.operand_names.join(", "));
            vec![form.trim_end().to_owned(), clause(row.summary)]
        });
        return terminal::print(&(table(&[], rows.collect(), &[]) + "\n`onward isa MNEMONIC` says all about one.\n"));
    };
    match manual_entry(mnemonic) {
        Some(entry) => terminal::print(&entry),
        None => {
            let help = match nearest(mnemonic, INSTRUCTIONS.iter().map(|row| row.mnemonic)) {
                Some(near) => format!("did you mean `{near}`? `onward isa` lists them all"),
                None => "`onward isa` lists them all".to_owned(),
            };
            Err(Failure::input(format!("no instruction `{mnemonic}`"), help))
        }
    }
}

/// The first clause of a sentence.
fn clause(summary: &str) -> String {
    let end = [". ", "; ", ": "].iter().filter_map(|mark| summary.find(mark)).min();
    end.map_or(summary, |end| &summary[..end]).trim_end_matches('.').to_owned()
}
