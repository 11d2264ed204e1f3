//! Which lines of a text describe the system, and what is left for the assembler.

use crate::directive::SYSTEM_DIRECTIVES;
use crate::directive::SystemDirective;
use onward_diagnostic::Diagnostic;
use std::ops::Range;

/// A place in the text.
pub(crate) type Span = Range<usize>;

/// A directive with its operands.
pub(crate) struct Statement<'a> {
    pub directive: &'static SystemDirective,
    pub operands: Vec<Operand<'a>>,
    pub span: Span,
}

/// What stands between two commas.
#[derive(Clone, Debug)]
pub(crate) struct Operand<'a> {
    pub text: &'a str,
    pub span: Span,
}

/// The two parts of a text.
pub(crate) struct Parts<'a> {
    pub statements: Vec<Statement<'a>>,
    /// The text with blanks where the statements stand: all else is where it was.
    pub code: String,
    pub diagnostics: Vec<Diagnostic>,
}

/// Whether a text is a name, as the assembler has them.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(is_name_part)
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

/// Takes a text apart.
pub(crate) fn split(text: &str) -> Parts<'_> {
    let mut parts = Parts { statements: Vec::new(), code: String::with_capacity(text.len()), diagnostics: Vec::new() };
    let mut in_macro = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.find([';', '#']).unwrap_or(line.len());
        let end = start + text[start..end].trim_end().len();
        let word_start = start + labels_length(&text[start..end]);
        let after = |at: usize| text[at..end].find(char::is_whitespace).map_or(end, |length| at + length);
        let word = &text[word_start..after(word_start)];
        in_macro = (in_macro || word == ".macro") && word != ".endm";
        parts.code.push_str(&text[start..word_start]);
        if let Some(directive) = SYSTEM_DIRECTIVES.iter().find(|directive| directive.name == word) {
            if in_macro {
                let message = format!("`{word}` inside a macro");
                let help = "directives that describe the system stand outside of macros";
                parts.diagnostics.push(Diagnostic::new(word_start..word_start + word.len(), message).help(help));
            } else {
                let operands = operands(text, word_start + word.len()..end);
                parts.statements.push(Statement { directive, operands, span: word_start..end });
            }
            // A blank for each byte, so that offsets stay.
            parts.code.extend(std::iter::repeat_n(' ', end - word_start));
            parts.code.push_str(&text[end..start + line.len()]);
        } else {
            parts.code.push_str(&text[word_start..start + line.len()]);
        }
        start += line.len();
    }
    parts
}

/// How many bytes labels and blanks take at the beginning of a line.
fn labels_length(line: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &line[at..];
        let blanks = rest.len() - rest.trim_start().len();
        let name = rest.trim_start();
        let length = name.find(|c| !is_name_part(c)).unwrap_or(name.len());
        let after = name[length..].trim_start();
        if length == 0 || !after.starts_with(':') {
            return at + blanks;
        }
        at = line.len() - after.len() + 1;
    }
}

/// Operands between commas, brackets and parentheses left whole.
fn operands(text: &str, within: Span) -> Vec<Operand<'_>> {
    let mut operands = Vec::new();
    let mut push = |from: usize, to: usize| {
        let whole = &text[from..to];
        let start = from + (whole.len() - whole.trim_start().len());
        let trimmed = whole.trim();
        operands.push(Operand { text: trimmed, span: start.min(to)..start.min(to) + trimmed.len() });
    };
    let (mut depth, mut from) = (0, within.start);
    for (at, c) in text[within.clone()].char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                push(from, within.start + at);
                from = within.start + at + 1;
            }
            _ => {}
        }
    }
    if from > within.start || !text[within.clone()].trim().is_empty() {
        push(from, within.end);
    }
    operands
}
