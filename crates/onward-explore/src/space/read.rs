//! A space file becomes a space, or a list of what is wrong with it, each with its place.

mod ranges;
mod wanted;

use super::Space;
use super::whole::{Contradiction, What};
use crate::expression::NoValue;
use crate::{Value, Vocabulary};
use onward_diagnostic::{Diagnostic, Source, did_you_mean};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Sections of a space file.
const SECTIONS: [&str; 6] = ["fixed", "parameters", "objectives", "constraints", "search", "halving"];
/// The most values of a parameter.
const MOST_VALUES: usize = 10_000;
/// What a parameter's values are written as.
const VALUES_HELP: &str =
    "write a list, `[4, 8, 16]`, `{ from = 1, to = 9, step = 2 }` or `{ from = 4, to = 64, times = 2 }`";

type At<'a> = Spanned<DeValue<'a>>;

/// Reads a space, for an evaluator that knows so much.
///
/// # Errors
/// All that is wrong with it, with places in the text.
pub fn read(source: &Source, vocabulary: &Vocabulary) -> Result<Space, Vec<Diagnostic>> {
    let document = DeTable::parse(&source.text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        vec![
            Diagnostic::new(span, error.message().to_owned())
                .help("a space file is TOML: `[parameters]`, then `\"chip.core.lanes\" = [4, 8]`"),
        ]
    })?;
    let mut reader = Reader { text: &source.text, vocabulary, errors: Vec::new(), places: Places::default() };
    let space = reader.space(&source.name, document.get_ref());
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    match space.contradiction() {
        Some(contradiction) => Err(vec![reader.contradicted(&space, contradiction)]),
        None => Ok(space),
    }
}

/// Where things stand that are looked at once all is read.
#[derive(Default)]
struct Places {
    parameters: Range<usize>,
    objectives: Vec<Range<usize>>,
    constraints: Vec<Range<usize>>,
}

struct Reader<'a> {
    text: &'a str,
    vocabulary: &'a Vocabulary,
    errors: Vec<Diagnostic>,
    places: Places,
}

/// The entries of a table in the order in which they stand.
fn entries<'a, 't>(table: &'t DeTable<'a>) -> Vec<(&'t str, Range<usize>, &'t At<'a>)> {
    let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
    entries.sort_by_key(|(_, span, _)| span.start);
    entries
}

impl Reader<'_> {
    fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(Diagnostic::new(span, message).help(help));
    }

    fn space(&mut self, name: &str, document: &DeTable) -> Space {
        for (key, span, _) in entries(document) {
            if !SECTIONS.contains(&key) {
                let help = did_you_mean(key, SECTIONS, "a space has the sections ");
                self.error(span, format!("unknown section `{key}`"), help);
            }
        }
        let section = |name: &str| document.get(name);
        let fixed = section("fixed").map(|section| self.fixed(section)).unwrap_or_default();
        let parameters = match section("parameters") {
            Some(section) => self.parameters(section, &fixed),
            None => {
                self.error(0..0, "the space has no parameters", format!("add `[parameters]`; {VALUES_HELP}"));
                Vec::new()
            }
        };
        let objectives = match section("objectives") {
            Some(section) => self.objectives(section, &fixed, &parameters),
            None => {
                self.error(
                    0..0,
                    "the space has no objectives",
                    "add `[objectives]`, as `accuracy = { maximize = \"accuracy_percent\" }`",
                );
                Vec::new()
            }
        };
        let constraints =
            section("constraints").map(|section| self.constraints(section, &fixed, &parameters)).unwrap_or_default();
        let search = self.search(section("search"));
        let halving = section("halving").and_then(|section| self.halving(section, &fixed));
        let stem = std::path::Path::new(name).file_stem().map_or(name.into(), |stem| stem.to_string_lossy());
        Space { name: stem.into_owned(), fixed, parameters, objectives, constraints, search, halving }
    }

    fn table<'t, 'a>(&mut self, section: &'t At<'a>, what: &str) -> Vec<(&'t str, Range<usize>, &'t At<'a>)> {
        match section.get_ref() {
            DeValue::Table(table) => entries(table),
            _ => {
                self.error(
                    section.span(),
                    format!("{what} is a table"),
                    "write `[section]` and its keys in lines below",
                );
                Vec::new()
            }
        }
    }

    fn value(&mut self, value: &At) -> Option<Value> {
        let (found, text) = (value.get_ref(), &self.text[value.span()]);
        let read = match found {
            DeValue::Integer(_) => parse_integer(text).map(Value::Integer),
            DeValue::Float(_) => {
                text.replace('_', "").parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Real)
            }
            DeValue::String(word) => Some(Value::Word(word.to_string())),
            DeValue::Boolean(truth) => Some(Value::Word(truth.to_string())),
            _ => None,
        };
        if read.is_none() {
            self.error(value.span(), "this is no value of a parameter", "write a number or a word in quotes");
        }
        read
    }

    /// Whether the evaluator knows a parameter of that name.
    fn is_known(&mut self, name: &str, span: &Range<usize>) -> bool {
        let known = self.vocabulary.parameter(name).is_some();
        if !known {
            let names = self.vocabulary.parameters.iter().map(|known| known.name.as_str());
            let help = did_you_mean(name, names, "there are ");
            self.error(span.clone(), format!("unknown parameter `{name}`"), help);
        }
        known
    }

    fn contradicted(&self, space: &Space, contradiction: Contradiction) -> Diagnostic {
        match contradiction {
            Contradiction::NoDesign { alone: Some(at) } => {
                Diagnostic::new(self.places.constraints[at].clone(), "no design keeps this constraint")
                    .help("widen the ranges of its parameters, or the constraint")
            }
            Contradiction::NoDesign { alone: None } => {
                let last = self.places.constraints.last().cloned().unwrap_or(self.places.parameters.clone());
                Diagnostic::new(last, "no design keeps all constraints")
                    .note("each of them is kept by some")
                    .help("leave one of them out, or widen the ranges of their parameters")
            }
            Contradiction::NoValue { what, error, design } => {
                let (place, of) = match what {
                    What::Constraint(at) => (self.places.constraints[at].clone(), "the constraint".to_owned()),
                    What::Objective(at) => {
                        (self.places.objectives[at].clone(), format!("`{}`", space.objectives[at].name))
                    }
                };
                let help = match &error {
                    NoValue::DivisionByZero { .. } => "change the divisor, or leave the values out that make it 0",
                    _ => "say with `and`, `or` where it is to be looked at",
                };
                let diagnostic = Diagnostic::new(place, format!("{of} {error}")).help(help);
                if design.is_empty() { diagnostic } else { diagnostic.note(format!("for instance with {design}")) }
            }
        }
    }
}

/// A whole number as TOML writes it.
fn parse_integer(text: &str) -> Option<i64> {
    let digits = text.replace('_', "");
    let radix =
        |prefix: &str, radix| digits.strip_prefix(prefix).and_then(|rest| i64::from_str_radix(rest, radix).ok());
    radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2)).or_else(|| digits.parse().ok())
}
