//! The assembler: from text to words and initial memory contents.
//!
//! ```
//! use onward_diagnostic::Source;
//! let source = Source::new("count.s", "
//!     .equ MEMBRANE, 16        ; names a number
//!     .reg axon, r1            ; names a register
//!
//!     foreach axon, r2, done   ; the loop ends before the label
//!     vacc v0, n32[axon + MEMBRANE]
//! done:
//!     sleep
//!
//!     .section n               ; what neuron memory holds at the start
//! bias:
//!     .word 1, 2, -3 * 4
//! ");
//! let program = onward_isa::assemble(&source).unwrap();
//! assert_eq!(program.words.len(), 3);
//! assert_eq!(program.labels, [("done".to_owned(), 2)]);
//! assert_eq!(program.data[0].bytes.len(), 12);
//! ```
//!
//! All mistakes of a text are reported in one run.
//!
#![doc = include_str!("assembly.md")]

mod directive;
mod encode;
mod expand;
mod layout;
mod parser;
mod problem;
mod syntax;
mod value;

use crate::{Space, table::Op};
use directive::Directive;
use onward_diagnostic::{Diagnostic, Source, read_included, read_text};
use problem::{Fault, Place, Problem, ScopeId};
use std::{collections::HashMap, path::Path, rc::Rc};
use syntax::{Span, Statement};
use value::{Address, Call, Scope, Scopes, SymbolKind, Value};

pub(crate) use directive::DIRECTIVES;
pub(crate) use parser::is_name;
pub use problem::AssemblyErrors;

/// What a text assembles to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The instructions.
    pub words: Vec<u32>,
    /// The code labels of the program (not those inside expansions of macros) with the number of the word each stands
    /// before, in that order. A label behind the last word has `words.len()`.
    pub labels: Vec<(String, u32)>,
    /// What instructions are for, with the number of the word from which on they are, ascending; an empty text for nothing in
    /// particular, as those before the first.
    pub purposes: Vec<(String, u32)>,
    /// For each word the line it came from, from 1: for words out of a macro, the line of the (outermost) call.
    pub lines: Vec<u32>,
    /// For each word the index in `files` of the text that its line counts in.
    pub file_of_line: Vec<u32>,
    /// The name of the text itself, then those of the included texts.
    pub files: Vec<String>,
    /// What the memories hold at the start, by space and offset; pieces do not overlap.
    pub data: Vec<Data>,
    /// The labels in memories with their byte offsets, by space and offset.
    pub data_labels: Vec<(String, Space, u32)>,
    /// The constants of the program that are numbers, in alphabetical order.
    pub constants: Vec<(String, i64)>,
}

impl Program {
    /// The instructions that follow are for this.
    fn serve(&mut self, purpose: &str) {
        let address = self.words.len() as u32;
        self.purposes.pop_if(|(_, first)| *first == address);
        if self.purposes.last().map_or("", |(before, _)| before) != purpose {
            self.purposes.push((purpose.to_owned(), address));
        }
    }
}

/// A piece of a memory's initial contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// The memory.
    pub space: Space,
    /// Byte offset of the first byte in the block's part of the memory.
    pub offset: u32,
    /// The bytes, as the elements lie in memory: little-endian, low nibble first.
    pub bytes: Vec<u8>,
}

/// Assembles a text that includes no other.
///
/// # Errors
/// All that is wrong with the text, in its order. `.include` is wrong here; see [`assemble_with`].
pub fn assemble(source: &Source) -> Result<Program, Vec<Diagnostic>> {
    let mut read = |_: &str, _: &str| Err("this text is assembled by itself, without other files".to_owned());
    assemble_with(source, &mut read)
        .map_err(|errors| errors.diagnostics.into_iter().map(|(_, diagnostic)| diagnostic).collect())
}

/// Assembles a text and what it includes. `read` is given the name of the including text and the path as written, and
/// returns the included text under a name that is the same each time, or why it cannot ([`read_relative`] reads files).
///
/// # Errors
/// All that is wrong with the texts, each with the text it is in.
pub fn assemble_with(
    source: &Source,
    read: &mut dyn FnMut(&str, &str) -> Result<Source, String>,
) -> Result<Program, AssemblyErrors> {
    let mut assembler = Assembler {
        files: Vec::new(),
        scopes: Scopes(vec![Scope::default()]),
        macros: HashMap::new(),
        items: Vec::new(),
        diagnostics: Vec::new(),
        stopped: false,
        read,
    };
    assembler.read_file(source.clone(), None);
    let program = if assembler.stopped { Program::default() } else { assembler.program() };
    let mut diagnostics = assembler.diagnostics;
    if diagnostics.is_empty() {
        return Ok(program);
    }
    diagnostics.sort_by_key(|(file, diagnostic)| (*file, diagnostic.span.start));
    diagnostics.dedup();
    Err(AssemblyErrors { sources: assembler.files.into_iter().map(|file| file.source).collect(), diagnostics })
}

/// Reads an included file from the disk, relative to the including one; for [`assemble_with`]. It may lie anywhere.
///
/// # Errors
/// The file cannot be read, in the system's words.
pub fn read_relative(including: &str, path: &str) -> Result<Source, String> {
    read_with(including, path, read_text)
}

/// The same, of files in the folder of the text `main`, or below: for texts that come from elsewhere.
///
/// # Errors
/// As [`read_relative`]; and that the file lies outside.
pub fn read_below(main: &Path, including: &str, path: &str) -> Result<Source, String> {
    read_with(including, path, |full| read_included(main, full))
}

fn read_with(
    including: &str,
    path: &str,
    read: impl FnOnce(&Path) -> std::io::Result<String>,
) -> Result<Source, String> {
    let full = Path::new(including).parent().unwrap_or(Path::new("")).join(path);
    let text = read(&full).map_err(|error| format!("{}: {error}", full.display()))?;
    // Two ways to write a path must give one name, or a file that includes itself is not noticed.
    let name = full.canonicalize().map_or_else(|_| full.display().to_string(), |path| path.display().to_string());
    Ok(Source::new(name, text))
}

/// So many of the macros a mistake lies in are named.
const NOTED_CALLS: usize = 4;

/// A text that takes part.
struct File {
    source: Source,
    included_at: Option<Span>,
    /// The byte offset of each line.
    line_starts: Vec<usize>,
}

impl File {
    fn new(source: Source, included_at: Option<Span>) -> Self {
        let starts = source.text.match_indices('\n').map(|(at, _)| at + 1);
        File { line_starts: std::iter::once(0).chain(starts).collect(), source, included_at }
    }

    /// The line of a byte offset, from 1.
    fn line(&self, offset: usize) -> u32 {
        self.line_starts.partition_point(|&start| start <= offset) as u32
    }
}

/// A label, an instruction or data, once macros are expanded.
struct Item {
    scope: ScopeId,
    kind: ItemKind,
}

enum ItemKind {
    Label(String),
    Instruction(Op, Rc<Statement>),
    Directive(Directive, Rc<Statement>),
}

/// The state of one run.
struct Assembler<'a> {
    files: Vec<File>,
    scopes: Scopes,
    macros: HashMap<String, Rc<expand::Macro>>,
    items: Vec<Item>,
    diagnostics: Vec<(usize, Diagnostic)>,
    /// Whether expansion ended early, so that nothing can be said about what follows.
    stopped: bool,
    read: &'a mut dyn FnMut(&str, &str) -> Result<Source, String>,
}

impl Assembler<'_> {
    fn text_of(&self, span: Span) -> &str {
        self.files[span.file].source.text.get(span.start..span.end).unwrap_or("")
    }

    fn line_of(&self, span: Span) -> u32 {
        self.files[span.file].line(span.start)
    }

    /// `file:line` of a span.
    fn location(&self, span: Span) -> String {
        format!("{}:{}", self.files[span.file].source.name, self.line_of(span))
    }

    /// The outermost call that a place comes from, or the place itself.
    fn origin(&self, mut place: Place) -> Place {
        while let Some(call) = &self.scopes.0[place.scope].call {
            place = call.place;
        }
        place
    }

    fn report_fault(&mut self, fault: Fault) {
        if let Fault::New(problem) = fault {
            self.report(*problem);
        }
    }

    /// Notes a fault found at an item. Where it lies in the argument of a macro, the macro's line is said with it.
    fn report_fault_of(&mut self, item: &Item, fault: Fault) {
        let Fault::New(mut problem) = fault else { return };
        let mut notes = Vec::new();
        let mut place = self.place(item);
        while let Some(call) = &self.scopes.0[place.scope].call {
            if place.scope == problem.place.scope {
                break;
            }
            notes.push(self.expansion_note(call, place));
            place = call.place;
            if place.scope == problem.place.scope && place.span.contains(problem.place.span) {
                problem.diagnostic.notes.append(&mut notes);
            }
        }
        self.report(*problem);
    }

    fn expansion_note(&self, call: &Call, place: Place) -> String {
        let line = self.files[place.span.file].source.text.lines().nth(self.line_of(place.span) as usize - 1);
        format!("in the macro `{}`, {}: `{}`", call.name, self.location(place.span), line.unwrap_or("").trim())
    }

    /// Notes a problem; one inside an expansion is shown at the call.
    fn report(&mut self, problem: Problem) {
        let Problem { mut place, mut diagnostic } = problem;
        let mut calls = 0;
        while let Some(call) = &self.scopes.0[place.scope].call {
            if calls < NOTED_CALLS {
                diagnostic.notes.push(self.expansion_note(call, place));
            }
            calls += 1;
            place = call.place;
        }
        if calls > NOTED_CALLS {
            diagnostic.notes.push(format!("called through {} more macros", calls - NOTED_CALLS));
        }
        let mut file = &self.files[place.span.file];
        while let Some(at) = file.included_at {
            diagnostic.notes.push(format!("included at {}", self.location(at)));
            file = &self.files[at.file];
        }
        diagnostic.span = place.span.start..place.span.end;
        self.diagnostics.push((place.span.file, diagnostic));
    }

    /// Lays the items out and encodes them.
    fn program(&mut self) -> Program {
        let positions = self.lay_out();
        let mut program = self.emit(&positions);
        program.files = self.files.iter().map(|file| file.source.name.clone()).collect();
        let global = &self.scopes.0[0].symbols;
        let mut faults = Vec::new();
        // In the order of the text, so that of constants that need each other always the same one is reported.
        let mut global: Vec<_> = global.iter().collect();
        global.sort_by_key(|(_, symbol)| (symbol.place.span.file, symbol.place.span.start));
        for (name, symbol) in global {
            match &symbol.kind {
                SymbolKind::Label(address) => match address.get() {
                    Some(Address::Code(address)) => program.labels.push((name.clone(), address)),
                    Some(Address::Data(space, offset)) => program.data_labels.push((name.clone(), space, offset)),
                    None => {}
                },
                // A wrong constant is reported even where nothing uses it.
                SymbolKind::Constant { .. } => match self.scopes.named(name, symbol.place) {
                    Ok(Value::Number(number)) => program.constants.push((name.clone(), number)),
                    Ok(_) => {}
                    Err(fault) => faults.push(fault),
                },
                SymbolKind::Register(..) | SymbolKind::Parameter(..) => {}
            }
        }
        program.labels.sort_by_key(|(_, address)| *address); // stable: the order of the text
        program.data_labels.sort_by_key(|(_, space, offset)| (*space, *offset));
        program.constants.sort();
        for fault in faults {
            self.report_fault(fault);
        }
        program
    }
}
