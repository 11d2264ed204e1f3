//! Systems written by hand: a whole one in one assembly text. Handlers and data as the assembler knows them, and directives that say which
//! blocks there are, where they lie, how packets get from one to the other, and what the host sends.
//!
//! Directives are taken out of the text (blanks take their place, so that lines and columns stay), the rest is
//! assembled, and both become an image: [`assemble_system`]. Nothing here knows a network or the compiler; the populations
//! of such an image are its blocks, and it runs as any other.

mod describe;
mod directive;
mod link;
mod number;
#[cfg(test)]
mod tests;
mod text;

pub use directive::{SYSTEM_DIRECTIVES, SystemDirective};

use number::Numbers;
use onward_chip::Chip;
use onward_diagnostic::{Diagnostic, Source, nearest};
use onward_image::Image;
use onward_isa::{AssemblyErrors, Program, assemble_with};
use std::ops::Range;

/// A system: what is on the chip, and what the host does with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// What is on the chip.
    pub image: Image,
    /// What the host sends, by step, input and index.
    pub stimuli: Vec<Stimulus>,
    /// How many steps it runs, at least 1.
    pub steps: u64,
}

/// A packet that the host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stimulus {
    /// Step it is sent in; it is consumed in the next.
    pub step: u64,
    /// Input of the image it belongs to.
    pub input: usize,
    /// Its index.
    pub index: u32,
    /// Its payload.
    pub payload: i32,
}

impl System {
    /// What the host sends in these steps.
    pub fn stimuli_in(&self, steps: Range<u64>) -> &[Stimulus] {
        let before = |step: u64| self.stimuli.partition_point(|stimulus| stimulus.step < step);
        &self.stimuli[before(steps.start)..before(steps.end.max(steps.start))]
    }
}

/// Reads what `.include` names: the including text's name, and the path as written; see [`assemble_with`].
type Read<'a> = dyn FnMut(&str, &str) -> Result<Source, String> + 'a;

/// Assembles a text and puts the system it describes on a chip. `read` reads what it includes, as for
/// [`onward_isa::assemble_with`]; directives of the system stand in the text itself only.
///
/// ```
/// use onward_chip::Chip;
/// use onward_diagnostic::Source;
/// let source = Source::new("echo.s", "
///     .block echo, 0, 0, start, 4             ; a block with four axons on the tile in the corner
///     .route echo, 0, 4, host                 ; its route 0 leads to the host
///     .input knock, 4, echo                   ; what the host sends arrives on its axons
///     .packet 0..9 by 3, knock, 2, 40         ; in steps 0, 3, 6, 9, on axon 2
///     .steps 12
/// start:
///     foreach r1, r2, done
///     addi r2, r2, 2
///     send r1, r2, 0                          ; back it goes
/// done:
///     sleep
/// ");
/// let chip = Chip::builtin("small").unwrap();
/// let system = onward_assembly::assemble_system(&source, &chip, &mut onward_isa::read_relative).unwrap();
/// assert_eq!((system.image.blocks.len(), system.stimuli.len(), system.steps), (1, 4, 12));
/// ```
///
/// # Errors
/// All that is wrong with the texts, or with the system on this chip.
pub fn assemble_system(source: &Source, chip: &Chip, read: &mut Read) -> Result<System, AssemblyErrors> {
    let mut parts = text::split(&source.text);
    let mut numbers = Numbers::new(&source.text);
    let description = describe::describe(&parts.statements, &mut numbers, &mut parts.diagnostics);
    let mut assembled = assemble(source, &parts.code, &numbers, parts.diagnostics, read)?;
    let values = numbers.values(&mut assembled.program);
    let listing = assembled.listing();
    let program = &assembled.program;
    link::link(link::Parts { source, chip, description: &description, values: &values, program, listing })
        .map_err(|diagnostics| errors(vec![source.clone()], diagnostics.into_iter().map(|d| (0, d)).collect()))
}

/// Assembles a text without the directives of a system in it: instructions, data, labels.
///
/// # Errors
/// All that is wrong with the texts, except what only [`assemble_system`] looks at: the operands of those directives.
pub fn assemble_code(source: &Source, read: &mut Read) -> Result<Program, AssemblyErrors> {
    let parts = text::split(&source.text);
    Ok(assemble(source, &parts.code, &Numbers::new(&source.text), parts.diagnostics, read)?.program)
}

/// What the assembler made, and of what.
struct Assembled {
    program: Program,
    /// The texts by the program's file numbers.
    texts: Vec<String>,
}

impl Assembled {
    /// One text for the program, and the line of each word in it: the text itself, then each that is included.
    fn listing(&self) -> (String, Vec<u32>) {
        let mut text = String::new();
        let mut first_lines = Vec::new();
        for (number, of_file) in self.texts.iter().enumerate() {
            if number > 0 {
                text += &format!("\n; ---- {}\n", self.program.files[number]);
            }
            first_lines.push(text.matches('\n').count() as u32);
            text += of_file;
        }
        let lines = self.program.lines.iter().zip(&self.program.file_of_line);
        (text, lines.map(|(line, file)| first_lines[*file as usize] + line).collect())
    }
}

/// Assembles code with the numbers of directives at its end. `diagnostics` is what is known to be wrong already.
fn assemble(
    source: &Source,
    code: &str,
    numbers: &Numbers,
    diagnostics: Vec<Diagnostic>,
    read: &mut Read,
) -> Result<Assembled, AssemblyErrors> {
    let mut included: Vec<Source> = Vec::new();
    let mut read = |including: &str, path: &str| {
        let source = read(including, path)?;
        included.push(source.clone());
        Ok(source)
    };
    let extended = Source::new(source.name.clone(), format!("{code}{}", numbers.lines()));
    let result = assemble_with(&extended, &mut read);
    let mut found: Vec<(usize, Diagnostic)> = diagnostics.into_iter().map(|diagnostic| (0, diagnostic)).collect();
    match result {
        Ok(program) if found.is_empty() => {
            let text_of = |name: &String| included.iter().find(|source| source.name == *name);
            let texts = program.files.iter().enumerate().map(|(number, name)| match text_of(name) {
                Some(source) if number > 0 => source.text.clone(),
                _ => source.text.clone(),
            });
            Ok(Assembled { texts: texts.collect(), program })
        }
        Ok(_) => Err(errors(vec![source.clone()], found)),
        Err(mut wrong) => {
            wrong.sources[0] = source.clone();
            for (file, mut diagnostic) in wrong.diagnostics {
                if file == 0 {
                    numbers.locate(code.len(), &mut diagnostic);
                }
                suggest_directive(&wrong.sources[file], &mut diagnostic);
                found.push((file, diagnostic));
            }
            Err(errors(wrong.sources, found))
        }
    }
}

fn errors(sources: Vec<Source>, mut diagnostics: Vec<(usize, Diagnostic)>) -> AssemblyErrors {
    diagnostics.sort_by_key(|(file, diagnostic)| (*file, diagnostic.span.start));
    diagnostics.dedup();
    AssemblyErrors { sources, diagnostics }
}

/// The assembler does not know these directives: where one of them was meant, says so.
fn suggest_directive(source: &Source, diagnostic: &mut Diagnostic) {
    let Some(word) = source.text.get(diagnostic.span.clone()).filter(|word| word.starts_with('.')) else { return };
    if !diagnostic.message.starts_with("unknown directive") {
        return;
    }
    let names = || SYSTEM_DIRECTIVES.iter().map(|directive| directive.name);
    if names().any(|name| name == word) {
        diagnostic.help =
            Some("directives that describe the system stand in the text itself, not in what it includes".into());
        return;
    }
    let suggested = diagnostic.help.as_deref().and_then(|help| help.strip_prefix("did you mean `")?.strip_suffix("`?"));
    if let Some(name) = nearest(word, names().chain(suggested)) {
        diagnostic.help = Some(format!("did you mean `{name}`?"));
    }
}
