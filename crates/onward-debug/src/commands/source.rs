//! Texts: assembly, instructions, the network.

use super::{Done, nothing, stopping};
use crate::debugger::Debugger;
use crate::show;
use onward_image::ProgramIndex;
use std::ops::Range;

/// Lines that `list` shows.
const LINES: usize = 11;

/// Lines around one: where there are so many, as many before it as behind it.
fn around(line: usize) -> Range<usize> {
    let first = line.saturating_sub(LINES / 2).max(1);
    first..first + LINES
}

pub fn list(debugger: &mut Debugger, rest: &str) -> Done {
    let image = debugger.execution.image;
    if rest == "network" {
        let at = debugger.execution.current().map(|current| &image.blocks[current.block()]);
        let line = at.map(|block| image.population(block).source_line as usize);
        let (name, text) = &image.network.source;
        let lines = text.lines().zip(1..).map(|(text, number)| numbered(number, text, Some(number) == line));
        return Ok(format!("{name}\n{}", lines.collect::<String>()));
    }
    let here = stopping::here(debugger);
    let is_here = rest.is_empty();
    let (program, line) = match (rest, debugger.listed_to) {
        ("", Some(next)) => (here?.0, Some(next + LINES / 2)),
        ("", None) => {
            let (program, address) = here?;
            (program, debugger.listings.get(program).line(address))
        }
        _ => {
            let (program, address) = stopping::addresses(debugger, rest)?[0];
            // A line stands for itself, with an instruction or without.
            let line = rest.rsplit(':').next().and_then(|line| line.parse().ok());
            (program, line.or_else(|| debugger.listings.get(program).line(address)))
        }
    };
    let listing = debugger.listings.get(program);
    let line = line.ok_or(format!("the image says nothing of the lines of {}; see `disassemble`", listing.name))?;
    let lines = around(line);
    let current = debugger.execution.current().filter(|at| image.blocks[at.block()].program == program);
    let marked = current.and_then(|at| listing.line(at.address()));
    let shown = lines.clone().map_while(|number| Some(numbered(number, listing.text(number)?, Some(number) == marked)));
    let text: String = shown.collect();
    if text.is_empty() {
        return Err(format!("the text of {} ends at line {}", listing.name, lines.start - 1));
    }
    // A text is shown from its network's line on, once.
    let head = match (is_here, debugger.listed_to) {
        (true, Some(_)) => String::new(),
        _ => head(debugger, program),
    };
    debugger.listed_to = is_here.then_some(lines.end);
    Ok(head + &text)
}

/// The network's line that a program was made from.
fn head(debugger: &Debugger, program: ProgramIndex) -> String {
    let image = debugger.execution.image;
    let block = image.blocks.iter().find(|block| block.program == program);
    let line = block.filter(|_| image.programs[program].population.is_some());
    line.map_or(String::new(), |block| show::network_line(image, block))
}

fn numbered(number: usize, text: &str, is_marked: bool) -> String {
    let mark = if is_marked { "=>" } else { "" };
    format!("{mark:<2} {number:>4}  {text}").trim_end().to_owned() + "\n"
}

pub fn disassemble(debugger: &mut Debugger, rest: &str) -> Done {
    let image = debugger.execution.image;
    let program = match rest {
        "" => stopping::here(debugger)?.0,
        _ => stopping::addresses(debugger, &format!("{rest}:*0"))?[0].0,
    };
    let listing = debugger.listings.get(program);
    let current = debugger.execution.current().filter(|at| image.blocks[at.block()].program == program);
    let mut text = format!("{}: {} instructions\n", listing.name, listing.len());
    for address in 0..listing.len() {
        for label in listing.labels_at(address) {
            text += &format!("{label}:\n");
        }
        match listing.purpose_from(address) {
            Some("") => text += ".purpose\n",
            Some(purpose) => text += &format!(".purpose \"{purpose}\"\n"),
            None => {}
        }
        let is_here = current.is_some_and(|at| at.address() == address);
        text += &format!("{:<2} {address:04}  {}\n", if is_here { "=>" } else { "" }, listing.instruction(address));
    }
    Ok(text)
}

pub fn place(debugger: &mut Debugger, rest: &str) -> Done {
    nothing(rest)?;
    Ok(show::place(&debugger.context()))
}
