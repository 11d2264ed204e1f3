//! `onward asm`: assemble a text.

use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::files::{Output, noting, read_source};
use crate::ledger::Ledger;
use crate::{Outcome, terminal};
use onward_assembly::assemble_code;
use onward_isa::disassemble;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward asm count.s                   check it, and see each instruction's address and word
  onward asm count.s --words -o w.hex  one word a line, as Verilog's $readmemh reads it
  onward asm count.s --json -          instructions, labels and data for machines

`onward run FILE.s` runs a file that also describes blocks and routes.";

/// Assemble a text and show its words
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The assembly
    #[arg(value_name = "FILE.s")]
    file: PathBuf,
    /// Only the words, one a line, in hexadecimal
    #[arg(long)]
    words: bool,
    /// Write to a file instead of the terminal
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write it for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let output = arguments.output.as_deref().map(|path| Output::prepare(path, &ledger)).transpose()?;
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let source = read_source(&arguments.file, &ledger)?;
    let mut included = Vec::new();
    let mut read = noting(&arguments.file, &mut included);
    let program = assemble_code(&source, &mut read).map_err(|errors| Failure::assembly(&errors))?;
    drop(read);
    included.into_iter().try_for_each(|path| ledger.reads(path))?;
    let mut text = if arguments.words {
        program.words.iter().map(|word| format!("{word:08x}\n")).collect()
    } else {
        disassemble(&program.words, &program.labels)
    };
    if !arguments.words {
        for data in &program.data {
            text += &format!("; {}: {} bytes from byte {}\n", data.space.name(), data.bytes.len(), data.offset);
        }
    }
    if let Some(json) = &json {
        let data = program
            .data
            .iter()
            .map(|data| json!({"memory": data.space.name(), "offset_bytes": data.offset, "bytes": data.bytes.len()}));
        let mut document = documents::program(&program.words, &program.labels);
        document["source"] = json!(source.name);
        document["purposes"] = documents::purposes(&program.purposes);
        document["data"] = data.collect();
        json.write_json(&Document::new("asm", document))?;
    }
    match &output {
        Some(output) => output.write(text.as_bytes()),
        None if json.is_some() => Ok(()),
        None => terminal::print(&text),
    }
}
