//! `onward trace-diff`: the first difference between two instruction traces.

use crate::documents::Document;
use crate::failure::Failure;
use crate::files::{Output, read_source};
use crate::ledger::Ledger;
use crate::{Outcome, terminal};
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward run a.onw --data digits --trace-instructions all --from 8 --to 9 > a.trace
  onward run b.onw --data digits --trace-instructions all --from 8 --to 9 > b.trace
  onward trace-diff a.trace b.trace

Exit code 0 if the traces are the same, 1 if they differ.";

/// Lines shown before the first difference.
const CONTEXT: usize = 3;

/// Find the first difference between two instruction traces
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A trace
    #[arg(value_name = "TRACE")]
    first: PathBuf,
    /// Another
    #[arg(value_name = "TRACE")]
    second: PathBuf,
    /// Write the first difference for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let (first, second) = (read_source(&arguments.first, &ledger)?, read_source(&arguments.second, &ledger)?);
    let lines = |text: &'_ str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let (a, b) = (lines(&first.text), lines(&second.text));
    for (source, lines) in [(&first, &a), (&second, &b)] {
        if let Some(at) = lines.iter().position(|line| !line.starts_with("step ")).or(lines.is_empty().then_some(0)) {
            let help = "traces are what `onward run ... --trace-instructions TILES` prints";
            return Err(Failure::input(format!("{}:{}: this is no line of a trace", source.name, at + 1), help));
        }
    }
    let differs = (0..a.len().max(b.len())).find(|&at| a.get(at) != b.get(at));
    if let Some(json) = &json {
        let difference = differs.map(|at| json!({"line": at + 1, "first": a.get(at), "second": b.get(at)}));
        let document = json!({"instructions": [a.len(), b.len()], "same": differs.is_none(), "difference": difference});
        json.write_json(&Document::new("trace-diff", document))?;
    }
    let Some(at) = differs else {
        return terminal::print(&format!("the traces are the same: {} instructions\n", a.len()));
    };
    let mut text = format!("the traces differ from line {} on\n\n", at + 1);
    for line in &a[at.saturating_sub(CONTEXT)..at] {
        text += &format!("    {line}\n");
    }
    let end = "(no further line)".to_owned();
    text += &format!("  < {}\n  > {}\n", a.get(at).unwrap_or(&end), b.get(at).unwrap_or(&end));
    terminal::print(&text)?;
    Err(Failure::Different)
}
