//! Source texts, diagnostics, and how they are shown.
//!
//! The `.sp` language, the assembler and the compiler all point into a text a person wrote. They report what is wrong
//! as [`Diagnostic`]s, all of a text at once, and the command line renders them in the manner of `rustc`: the line, a
//! caret, what is wrong, what would help.
//!
//! ```
//! use onward_diagnostic::{Diagnostic, Source};
//! let source = Source::new("net.sp", "layr hidden = dense(128)");
//! let error = Diagnostic::new(0..4, "unknown item `layr`").help("did you mean `layer`?");
//! assert!(source.render(&[error]).contains("net.sp:1:1"));
//! ```

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::ops::Range;

/// A text with the name it is known by, as messages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path or other name of the text.
    pub name: String,
    /// The text itself.
    pub text: String,
}

/// What is wrong at one place of a [`Source`], and what would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The problem in one line.
    pub message: String,
    /// Byte range in the source.
    pub span: Range<usize>,
    /// What to say under the caret; may be empty.
    pub label: String,
    /// Further facts, a line each.
    pub notes: Vec<String>,
    /// The remedy.
    pub help: Option<String>,
}

impl Source {
    /// A source called `name`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source { name: name.into(), text: text.into() }
    }

    /// Line and column (both from 1, columns in characters) of a byte offset.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset.min(self.text.len()))];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The diagnostics as text without colour, each followed by an empty line.
    pub fn render(&self, diagnostics: &[Diagnostic]) -> String {
        self.render_with(diagnostics, &Renderer::plain())
    }

    /// The diagnostics as text with ANSI colours.
    pub fn render_colored(&self, diagnostics: &[Diagnostic]) -> String {
        self.render_with(diagnostics, &Renderer::styled())
    }

    fn render_with(&self, diagnostics: &[Diagnostic], renderer: &Renderer) -> String {
        let mut text = String::new();
        for diagnostic in diagnostics {
            let start = self.text.floor_char_boundary(diagnostic.span.start.min(self.text.len()));
            let end = self.text.ceil_char_boundary(diagnostic.span.end.clamp(start, self.text.len()));
            let mut annotation = AnnotationKind::Primary.span(start..end);
            if !diagnostic.label.is_empty() {
                annotation = annotation.label(diagnostic.label.as_str());
            }
            let snippet = Snippet::source(self.text.as_str()).path(self.name.as_str()).annotation(annotation);
            let mut group: Group = Level::ERROR.primary_title(diagnostic.message.as_str()).element(snippet);
            for note in &diagnostic.notes {
                group = group.element(Level::NOTE.message(note.as_str()));
            }
            if let Some(help) = &diagnostic.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            text.push_str(&renderer.render(&[group]));
            text.push_str("\n\n");
        }
        text
    }
}

impl Diagnostic {
    /// A diagnostic with nothing but its place and message.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Diagnostic { message: message.into(), span, label: String::new(), notes: Vec::new(), help: None }
    }

    /// Says something under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what would help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The candidate most like `word`, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1) + 1;
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= limit && distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_like_rustc() {
        let source = Source::new("a.sp", "one\ntwo three\n");
        let error = Diagnostic::new(8..13, "unknown word `three`").label("here").note("a fact").help("write `two`");
        let expected = "error: unknown word `three`\n --> a.sp:2:5\n  |\n2 | two three\n  |     ^^^^^ here\n  |\n  \
                        = note: a fact\n  = help: write `two`\n\n";
        assert_eq!(source.render(&[error]), expected);
    }

    #[test]
    fn survives_spans_outside_the_text() {
        let source = Source::new("a.sp", "ä");
        for span in [0..1, 1..2, 5..9, 2..2] {
            assert!(source.render(&[Diagnostic::new(span, "wrong")]).contains("a.sp"));
        }
    }

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("layr", ["layer", "input"]), Some("layer"));
        assert_eq!(nearest("xyz", ["layer", "input"]), None);
    }
}
