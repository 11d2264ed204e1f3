//! What is wrong with a program, and where it is shown.

use super::syntax::Span;
use onward_diagnostic::{Diagnostic, Source};
use std::fmt;

/// Index of a scope: 0 is the program, each expansion of a macro has its own.
pub(super) type ScopeId = usize;

/// A piece of a text, and the scope in which its names are looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub span: Span,
    pub scope: ScopeId,
}

/// Something wrong at a place. Whoever reports it turns the place into one a person can look at: in an expansion that
/// is the call.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub place: Place,
    pub diagnostic: Diagnostic,
}

/// Why something has no value.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// To be reported.
    New(Box<Problem>),
    /// Follows from something reported before.
    Reported,
}

impl Problem {
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Problem { place, diagnostic: Diagnostic::new(place.span.start..place.span.end, message) }
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.diagnostic.label = label.into();
        self
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.diagnostic.notes.push(note.into());
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    /// Asks whether the nearest candidate was meant, if there is one.
    pub fn nearest<'a>(mut self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        let nearest = onward_diagnostic::nearest(word, candidates.iter().copied())
            .or_else(|| onward_diagnostic::nearest(&word.to_lowercase(), candidates));
        if let Some(nearest) = nearest {
            self.diagnostic.help = Some(format!("did you mean `{nearest}`?"));
        }
        self
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Fault::New(problem.into())
    }
}

/// What is wrong with a program, over all its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssemblyErrors {
    /// The text given to [`assemble_with`](super::assemble_with), then those it includes.
    pub sources: Vec<Source>,
    /// Each diagnostic with the index of its source.
    pub diagnostics: Vec<(usize, Diagnostic)>,
}

impl AssemblyErrors {
    /// The diagnostics as text without colour.
    pub fn render(&self) -> String {
        self.diagnostics.iter().map(|(source, d)| self.sources[*source].render(std::slice::from_ref(d))).collect()
    }

    /// The diagnostics as text with ANSI colours.
    pub fn render_colored(&self) -> String {
        self.diagnostics
            .iter()
            .map(|(source, d)| self.sources[*source].render_colored(std::slice::from_ref(d)))
            .collect()
    }
}

impl fmt::Display for AssemblyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render().trim_end())
    }
}

impl std::error::Error for AssemblyErrors {}
