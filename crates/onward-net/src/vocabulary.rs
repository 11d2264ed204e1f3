//! Every word of the language: what it is, what arguments and options it takes, in what ranges.
//!
//! The checker reads off the table, [`FORMS`], what is allowed, messages what exists, and [`reference`] the language
//! reference. A new option is a line there and a line in [`crate::check`] that uses it.

mod forms;

pub(crate) use forms::FORMS;

use std::fmt::Write;

/// What a constructor makes; the place where it may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Network,
    Parameter,
    Input,
    Target,
    Layer,
    Readout,
    Neurons,
    Weights,
    Learning,
    ReadoutLoss,
    Reset,
    Decay,
    Gate,
    Optimizer,
    Revival,
    Update,
    Rounding,
    File,
}

/// A constructor: a word with its arguments and options.
#[derive(Debug)]
pub(crate) struct Form {
    pub family: Family,
    pub name: &'static str,
    pub arguments: &'static [Parameter],
    pub options: &'static [Parameter],
    pub meaning: &'static str,
}

/// An argument or an option.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub name: &'static str,
    pub takes: Takes,
    pub absent: Absent,
    pub meaning: &'static str,
}

/// The values a parameter may have.
#[derive(Debug)]
pub(crate) enum Takes {
    /// Least and greatest.
    Integer(i64, i64),
    /// One of these integers.
    OneOf(&'static [i64]),
    /// One integer or two, along y and x; least and greatest.
    Pair(i64, i64),
    /// A list of integers, or one; least, greatest, and how many at most.
    Integers(i64, i64, usize),
    /// Least and greatest.
    Decimal(f64, f64),
    /// A number, or one of each in a list or a file; least and greatest.
    Numbers(f64, f64),
    /// A list of rows, or a file.
    Table,
    Text,
    Constructor(Family),
}

/// What it means that a parameter is not given.
#[derive(Debug)]
pub(crate) enum Absent {
    /// It is an error, with an example that helps.
    Error,
    /// This value is meant, as the text would say it.
    Means(&'static str),
    /// Something is meant that is no value, described.
    Described(&'static str),
}

use Absent::{Described, Error, Means};
use Takes::{Constructor, Decimal, Integer, Integers, Numbers, OneOf, Pair, Table, Text};

/// The kinds of items, with what a constructor of theirs looks like.
pub(crate) const ITEMS: &[(&str, Family)] = &[
    ("parameter", Family::Parameter),
    ("input", Family::Input),
    ("target", Family::Target),
    ("layer", Family::Layer),
    ("readout", Family::Readout),
];

pub(crate) const fn parameter(name: &'static str, takes: Takes, absent: Absent, meaning: &'static str) -> Parameter {
    Parameter { name, takes, absent, meaning }
}

impl Family {
    /// What a member is called in messages.
    pub fn noun(self) -> &'static str {
        match self {
            Family::Network => "network",
            Family::Parameter => "parameter",
            Family::Input => "encoding of an input",
            Family::Target => "kind of target",
            Family::Layer => "kind of layer",
            Family::Readout => "kind of readout",
            Family::Neurons => "kind of neurons",
            Family::Weights => "kind of weights",
            Family::Learning => "learning rule",
            Family::ReadoutLoss => "loss of a readout",
            Family::Reset => "reset",
            Family::Decay => "decay",
            Family::Gate => "gate",
            Family::Optimizer => "optimizer",
            Family::Revival => "revival",
            Family::Update => "time of the update",
            Family::Rounding => "rounding of changes",
            Family::File => "array in a file",
        }
    }

    /// Whether members are fed by others, with `from`.
    pub fn has_sources(self) -> bool {
        matches!(self, Family::Layer | Family::Readout)
    }

    pub fn members(self) -> impl Iterator<Item = &'static Form> {
        FORMS.iter().filter(move |form| form.family == self)
    }

    pub fn find(self, name: &str) -> Option<&'static Form> {
        self.members().find(|form| form.name == name)
    }
}

impl Form {
    /// How it is called with its arguments, all of them, as in `dense(NEURONS)`.
    pub fn usage(&self) -> String {
        self.usage_with(self.arguments.len())
    }

    /// How it is called with the arguments that it must have.
    pub fn usage_required(&self) -> String {
        self.usage_with(self.arguments_required())
    }

    /// All ways to call it, without options: `rate(SIZE)`, `rate(SIZE, SIZE)` and so on.
    pub fn usages(&self) -> String {
        one_of((self.arguments_required()..=self.arguments.len()).map(|count| format!("`{}`", self.usage_with(count))))
    }

    fn usage_with(&self, count: usize) -> String {
        if count == 0 {
            return self.name.to_string();
        }
        let names: Vec<_> = self.arguments[..count].iter().map(|argument| argument.name.to_uppercase()).collect();
        format!("{}({})", self.name, names.join(", "))
    }

    /// The names of its options, for a message.
    pub fn option_list(&self) -> String {
        self.options.iter().map(|option| format!("`{}`", option.name)).collect::<Vec<_>>().join(", ")
    }

    /// Fewest arguments it may have.
    pub fn arguments_required(&self) -> usize {
        self.arguments.iter().filter(|argument| matches!(argument.absent, Error)).count()
    }
}

impl Takes {
    /// What is allowed, in words.
    pub fn describe(&self) -> String {
        match self {
            Integer(least, greatest) => format!("an integer from {least} to {greatest}"),
            OneOf(values) => one_of(values.iter().map(ToString::to_string)),
            Pair(least, greatest) => {
                format!("an integer from {least} to {greatest}, or two of them as in `({least}, {greatest})`")
            }
            Integers(least, greatest, most) => {
                format!("an integer from {least} to {greatest}, or a list of up to {most} in parentheses")
            }
            Decimal(least, greatest) => format!("a number from {least} to {greatest}"),
            Numbers(least, greatest) => {
                format!("a number from {least} to {greatest}, a list of them or `file(PATH)`")
            }
            Table => "a list of rows or `file(PATH)`".to_string(),
            Text => "a string in double quotes".to_string(),
            Constructor(family) => one_of(family.members().map(|form| format!("`{}`", form.usage_required()))),
        }
    }
}

/// `a, b or c`.
pub(crate) fn one_of(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<_> = words.collect();
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} or {last}", words.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// Where in the language a word has its place, for those who put it elsewhere.
pub(crate) fn home(word: &str) -> Option<String> {
    if ITEMS.iter().any(|&(kind, _)| kind == word) {
        return Some(format!("`{word}` begins an item: `{word} NAME = ...`"));
    }
    let owner = FORMS.iter().find(|form| form.options.iter().any(|option| option.name == word));
    if let Some(owner) = owner {
        return Some(match owner.family {
            Family::Network => format!("`{word}` is a setting of the network"),
            _ => format!("`{word}` is an option of `{}`", owner.name),
        });
    }
    if word == "include" {
        return Some("`include \"PATH\"` stands alone in the network, without `=`".to_string());
    }
    let form = FORMS.iter().find(|form| form.name == word)?;
    let noun = form.family.noun();
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    Some(format!("`{word}` is {article} {noun}"))
}

/// The reference of the language in Markdown: every word with its options, ranges and defaults.
pub fn reference() -> String {
    let mut text = String::new();
    for form in FORMS {
        let title = if form.family == Family::Network { "network NAME { ... }".into() } else { form.usage() };
        // Writing to a string cannot fail.
        let _ = write!(text, "### `{title}`\n\n{}: {}.\n", sentence(form.family.noun()), form.meaning);
        let parameters = form.arguments.iter().map(|argument| (argument.name.to_uppercase(), argument));
        let parameters: Vec<_> =
            parameters.chain(form.options.iter().map(|option| (option.name.to_string(), option))).collect();
        if !parameters.is_empty() {
            text.push_str("\n| | takes | if absent | |\n|---|---|---|---|\n");
        }
        for (name, parameter) in parameters {
            let absent = match parameter.absent {
                Error => "an error".to_string(),
                Means(value) => format!("`{value}`"),
                Described(what) => what.to_string(),
            };
            let takes = parameter.takes.describe();
            let _ = writeln!(text, "| `{name}` | {takes} | {absent} | {} |", parameter.meaning);
        }
        text.push('\n');
    }
    text
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_uppercase().to_string() + characters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_distinct_within_their_family() {
        for (at, form) in FORMS.iter().enumerate() {
            assert!(FORMS[..at].iter().all(|other| (other.family, other.name) != (form.family, form.name)));
            for (at, option) in form.options.iter().enumerate() {
                assert!(form.options[..at].iter().all(|other| other.name != option.name), "{}", option.name);
            }
        }
    }

    #[test]
    fn reference_names_every_word() {
        let reference = reference();
        for word in FORMS.iter().flat_map(|form| form.options.iter().map(|option| option.name).chain([form.name])) {
            assert!(reference.contains(word), "{word}");
        }
    }
}
