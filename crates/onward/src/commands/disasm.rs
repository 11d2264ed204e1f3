//! `onward disasm`: the programs of an image as assembly.

use crate::documents::{self, Document};
use crate::failure::Failure;
use crate::files::{Output, read_image};
use crate::ledger::Ledger;
use crate::{Outcome, terminal};
use onward_image::{Image, Program};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward disasm digits.onw
  onward disasm digits.onw --program hidden1
  onward disasm digits.onw --program hidden1 --text    as the compiler wrote it, with its comments";

/// Show the handlers in an image as assembly, each instruction with its address and word
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The image
    #[arg(value_name = "IMAGE.onw")]
    image: PathBuf,
    /// Only this program
    #[arg(long, value_name = "NAME")]
    program: Option<String>,
    /// The text that the words were assembled from, with names and comments
    #[arg(long)]
    text: bool,
    /// Write it for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let image = read_image(&arguments.image, &ledger)?;
    let wanted = |program: &&Program| arguments.program.as_ref().is_none_or(|name| *name == program.name);
    let programs: Vec<&Program> = image.programs.iter().filter(wanted).collect();
    if let (true, Some(name)) = (programs.is_empty(), &arguments.program) {
        let names: Vec<&str> = image.programs.iter().map(|program| program.name.as_str()).collect();
        let message = format!("{}: no program `{name}`", arguments.image.display());
        return Err(Failure::input(message, format!("its programs are {}", names.join(", "))));
    }
    if let Some(json) = &json {
        let programs: Vec<Value> = programs.iter().map(|program| of_program(&image, program)).collect();
        let document = documents::of_image(&image, json!({ "programs": programs }));
        return json.write_json(&Document::new("disasm", document));
    }
    for (at, program) in programs.into_iter().enumerate() {
        let body = if arguments.text {
            program.text.clone()
        } else {
            onward_isa::disassemble(&program.words, &program.labels)
        };
        let gap = if at > 0 { "\n" } else { "" };
        terminal::print(&format!("{gap}{}\n{}\n", head(&image, program), body.trim_end()))?;
    }
    Ok(())
}

/// A program for machines.
fn of_program(image: &Image, program: &Program) -> Value {
    let mut document = documents::program(&program.words, &program.labels);
    let layer = program.population.map(|population| image.network.populations[population].name.as_str());
    let run_by =
        image.blocks.iter_enumerated().filter(|(_, block)| std::ptr::eq(&image.programs[block.program], program));
    document["name"] = json!(program.name);
    document["layer"] = json!(layer);
    document["blocks"] = run_by.map(|(number, _)| u32::from(number)).collect();
    document["purposes"] = documents::purposes(&program.purposes);
    document["text"] = json!(program.text);
    document
}

/// Whose handlers a program is, as a comment.
fn head(image: &Image, program: &Program) -> String {
    let mut text = format!("; program {}: {} instructions", program.name, program.words.len());
    if let Some(population) = program.population {
        let population = &image.network.populations[population];
        let source = &image.network.source.0;
        write!(text, "\n; handlers of `{}`, {source}:{}", population.name, population.source_line)
            .expect("writing to memory");
        let line = image.network.source.1.lines().nth((population.source_line as usize).saturating_sub(1));
        if let Some(line) = line.filter(|line| !line.trim().is_empty()) {
            write!(text, ":\n;     {}", line.trim()).expect("writing to memory");
        }
    }
    let blocks =
        image.blocks.iter().enumerate().filter(|(_, block)| std::ptr::eq(&image.programs[block.program], program));
    let blocks: Vec<String> = blocks.map(|(number, _)| number.to_string()).collect();
    write!(text, "\n; run by blocks {}\n", blocks.join(" ")).expect("writing to memory");
    text
}
