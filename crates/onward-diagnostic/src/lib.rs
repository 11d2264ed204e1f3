//! Source texts, diagnostics, and how they are shown.
//!
//! The `.sp` language, the assembler and the compiler all point into a text a person wrote. They report what is wrong
//! as [`Diagnostic`]s, all of a text at once, and the command line renders them in the manner of `rustc`: the line, a
//! caret, what is wrong, what would help. Errors that have no place in a text say what would help as [`Remedy`].
//!
//! ```
//! use onward_diagnostic::{Diagnostic, Source};
//! let source = Source::new("net.sp", "layr hidden = dense(128)");
//! let error = Diagnostic::new(0..4, "unknown item `layr`").help("did you mean `layer`?");
//! assert!(source.render(&[error]).contains("net.sp:1:1"));
//! ```

mod reading;
mod remedy;

pub use reading::{LARGEST_TEXT, below, npy_header, read_included, read_text};
pub use remedy::{Remedy, Unreadable, system_cause};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::ops::Range;

/// A text with the name it is known by, as messages show it, and the files that it includes.
///
/// All files are one text, one behind the other, and a span is a place in it: so whoever points into a file need not say
/// which. What is shown is the file and the line in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path or other name of the text.
    pub name: String,
    /// The text itself; behind it, each under a heading, the files added to it.
    pub text: String,
    /// What was added, in order.
    added: Vec<Added>,
}

/// A file behind the first one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Added {
    name: String,
    /// Where the file before it ends.
    heading: usize,
    start: usize,
}

/// One of the files that a [`Source`] is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// Path or other name.
    pub name: &'a str,
    /// Bytes of the source that it is.
    pub span: Range<usize>,
}

/// How much is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It cannot be gone on with.
    Error,
    /// It is likely not what was meant; by this number it is known in whatever version.
    Warning(u8),
}

/// What is wrong at one place of a [`Source`], and what would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much is wrong.
    pub severity: Severity,
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
        Source { name: name.into(), text: text.into(), added: Vec::new() }
    }

    /// Adds a file that the text includes. `heading` is a line that tells a reader of the whole where it begins; it belongs
    /// to no file.
    pub fn add(&mut self, heading: &str, name: impl Into<String>, text: &str) {
        let end = self.text.len();
        self.text += &format!("\n{heading}\n");
        self.added.push(Added { name: name.into(), heading: end, start: self.text.len() });
        self.text += text;
    }

    /// The files, the first one first.
    pub fn files(&self) -> impl Iterator<Item = File<'_>> {
        let first = (self.name.as_str(), 0);
        let starts = std::iter::once(first).chain(self.added.iter().map(|file| (file.name.as_str(), file.start)));
        let ends = self.added.iter().map(|file| file.heading).chain([self.text.len()]);
        starts.zip(ends).map(|((name, start), end)| File { name, span: start..end })
    }

    /// The file that a byte offset is in.
    pub fn file(&self, offset: usize) -> File<'_> {
        let before = self.files().take_while(|file| file.span.start <= offset);
        before.last().unwrap_or(File { name: &self.name, span: 0..self.text.len() })
    }

    /// Line and column (both from 1, columns in characters) of a byte offset in its file.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let File { span, .. } = self.file(offset);
        let before = &self.text[span.start..self.text.floor_char_boundary(offset.min(span.end))];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// Line, from 1, of a byte offset in the whole text.
    pub fn line(&self, offset: usize) -> usize {
        self.text[..self.text.floor_char_boundary(offset.min(self.text.len()))].matches('\n').count() + 1
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
        let mut rendered = String::new();
        for diagnostic in diagnostics {
            let file = self.file(diagnostic.span.start);
            let text = &self.text[file.span.clone()];
            let within = |offset: usize| offset.saturating_sub(file.span.start).min(text.len());
            let start = text.floor_char_boundary(within(diagnostic.span.start));
            let end = text.ceil_char_boundary(within(diagnostic.span.end).max(start));
            let mut annotation = AnnotationKind::Primary.span(start..end);
            if !diagnostic.label.is_empty() {
                annotation = annotation.label(diagnostic.label.as_str());
            }
            let snippet = Snippet::source(text).path(file.name).annotation(annotation);
            let level = match diagnostic.severity {
                Severity::Error => Level::ERROR,
                Severity::Warning(_) => Level::WARNING,
            };
            let title = level.primary_title(diagnostic.message.as_str());
            let title = diagnostic.code().map_or(title.clone(), |code| title.id(code));
            let mut group: Group = title.element(snippet);
            for note in &diagnostic.notes {
                group = group.element(Level::NOTE.message(note.as_str()));
            }
            if let Some(help) = &diagnostic.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            rendered.push_str(&renderer.render(&[group]));
            rendered.push_str("\n\n");
        }
        rendered
    }
}

impl Diagnostic {
    /// An error with nothing but its place and message.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        let (severity, message) = (Severity::Error, message.into());
        Diagnostic { severity, message, span, label: String::new(), notes: Vec::new(), help: None }
    }

    /// A warning with its number, its place and its message.
    pub fn warning(number: u8, span: Range<usize>, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning(number), ..Diagnostic::new(span, message) }
    }

    /// What a warning is known by, such as `W01`.
    pub fn code(&self) -> Option<String> {
        match self.severity {
            Severity::Error => None,
            Severity::Warning(number) => Some(format!("W{number:02}")),
        }
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

/// The remedy for a name that is none: the one that was meant, or all there are after `otherwise`.
///
/// ```
/// assert_eq!(onward_diagnostic::did_you_mean("layr", ["layer", "input"], "there are "), "did you mean `layer`?");
/// assert_eq!(onward_diagnostic::did_you_mean("x", ["layer", "input"], "there are "), "there are layer, input");
/// ```
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(word, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{otherwise}{}", candidates.join(", ")),
    }
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
    fn points_into_included_files() {
        let mut source = Source::new("a.sp", "one\n");
        source.add("# ---- b.sp", "b.sp", "two\nthree");
        source.add("# ---- c.sp", "c.sp", "");
        let files: Vec<_> = source.files().map(|file| (file.name, &source.text[file.span])).collect();
        assert_eq!(files, [("a.sp", "one\n"), ("b.sp", "two\nthree"), ("c.sp", "")]);
        let three = source.text.find("three").expect("it is there");
        assert_eq!((source.position(three), source.line(three)), ((2, 1), 5));
        assert!(source.render(&[Diagnostic::new(three..three + 5, "wrong")]).contains("--> b.sp:2:1\n"));
        assert!(source.render(&[Diagnostic::new(4..4, "wrong")]).contains("--> a.sp:"));
        let end = source.text.len();
        assert!(source.render(&[Diagnostic::new(end..end, "wrong")]).contains("--> c.sp:1:1\n"));
    }

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("layr", ["layer", "input"]), Some("layer"));
        assert_eq!(nearest("xyz", ["layer", "input"]), None);
    }
}
