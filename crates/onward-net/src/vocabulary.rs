//! What a word of the language is: its arguments and options with their ranges, and what it means.
//!
//! A word is declared once, in the file of the type it makes a value of: a [`Kind`](crate::named::Kind) holds the
//! word's [`Form`], from which the reader takes what is allowed and messages take what exists, how the word becomes a
//! value, and how the value becomes text again. `words` lists all families of words.

use Absent::{Described, Error, Means};
use Takes::{Constructor, Constructors, Decimal, Integer, Integers, Numbers, OneOf, Pair, Table, Text};
use std::fmt::Write;
use std::ops::RangeInclusive;

/// Words of one sort: those that may stand at the same places.
#[derive(Debug)]
pub(crate) struct Family {
    /// What a member is called in messages.
    pub noun: &'static str,
    /// The items that members describe, if they describe items.
    pub item: Option<ItemKind>,
    /// The members.
    pub forms: fn() -> Vec<&'static Form>,
}

/// The kinds of items: what a name of a text may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Parameter,
    Input,
    Target,
    Layer,
    Readout,
}

/// A constructor: a word with its arguments and options.
#[derive(Debug)]
pub(crate) struct Form {
    pub name: &'static str,
    pub arguments: &'static [Parameter],
    /// The options, in groups, so that words may share them.
    pub options: &'static [&'static [Parameter]],
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
    /// An integer from the least to the greatest.
    Integer(i64, i64),
    /// One of these integers.
    OneOf(&'static [i64]),
    /// One integer or two, along y and x; least and greatest.
    Pair(i64, i64),
    /// A list of integers, or one; least, greatest, and how many at most.
    Integers(i64, i64, usize),
    /// A number from the least to the greatest.
    Decimal(f64, f64),
    /// A number, or one of each in a list or a file; least and greatest.
    Numbers(f64, f64),
    /// A list of rows, or a file.
    Table,
    /// A string in double quotes.
    Text,
    /// A word of a family, with arguments and options of its own.
    Constructor(&'static Family),
    /// Such a word, or a list of them.
    Constructors(&'static Family),
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

pub(crate) const fn parameter(name: &'static str, takes: Takes, absent: Absent, meaning: &'static str) -> Parameter {
    Parameter { name, takes, absent, meaning }
}

pub(crate) const fn form(
    name: &'static str,
    arguments: &'static [Parameter],
    options: &'static [&'static [Parameter]],
    meaning: &'static str,
) -> Form {
    Form { name, arguments, options, meaning }
}

impl ItemKind {
    /// The word that begins an item.
    pub fn word(self) -> &'static str {
        match self {
            ItemKind::Parameter => "parameter",
            ItemKind::Input => "input",
            ItemKind::Target => "target",
            ItemKind::Layer => "layer",
            ItemKind::Readout => "readout",
        }
    }

    /// Whether items are fed by others, with `from`.
    pub fn has_sources(self) -> bool {
        matches!(self, ItemKind::Layer | ItemKind::Readout)
    }
}

impl Family {
    /// The member of this name, and its place among the members.
    pub fn find(&self, name: &str) -> Option<(usize, &'static Form)> {
        (self.forms)().into_iter().enumerate().find(|(_, form)| form.name == name)
    }

    /// How its members are called, with the arguments that they must have.
    fn usages(&self) -> String {
        one_of((self.forms)().into_iter().map(|form| format!("`{}`", form.usage_required())))
    }
}

impl Form {
    /// The options of all groups.
    pub fn options(&self) -> impl Iterator<Item = &'static Parameter> + use<> {
        self.options.iter().copied().flatten()
    }

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
        self.options().map(|option| format!("`{}`", option.name)).collect::<Vec<_>>().join(", ")
    }

    /// Fewest arguments it may have.
    pub fn arguments_required(&self) -> usize {
        self.arguments.iter().filter(|argument| matches!(argument.absent, Error)).count()
    }

    /// What the reference of the language says of it, in Markdown.
    pub fn reference(&self, title: &str, noun: &str) -> String {
        let mut text = format!("### `{title}`\n\n{}: {}.\n", sentence(noun), self.meaning);
        let arguments = self.arguments.iter().map(|argument| (argument.name.to_uppercase(), argument));
        let parameters: Vec<_> =
            arguments.chain(self.options().map(|option| (option.name.to_string(), option))).collect();
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
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| `{name}` | {takes} | {absent} | {} |", parameter.meaning);
        }
        text.push('\n');
        text
    }
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_uppercase().to_string() + characters.as_str()).unwrap_or_default()
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
            Constructor(family) => family.usages(),
            Constructors(family) => format!("{}, or a list of them in parentheses", family.usages()),
        }
    }

    /// Whether it allows an integer.
    pub fn allows(&self, integer: i64) -> bool {
        match *self {
            Integer(least, greatest) | Pair(least, greatest) | Integers(least, greatest, _) => {
                (least..=greatest).contains(&integer)
            }
            OneOf(values) => values.contains(&integer),
            _ => false,
        }
    }

    /// The numbers it allows; all, if it sets no bounds.
    pub fn range(&self) -> RangeInclusive<f64> {
        match *self {
            Decimal(least, greatest) | Numbers(least, greatest) => least..=greatest,
            _ => f64::MIN..=f64::MAX,
        }
    }

    /// The least integer it allows, to go on with after an error.
    pub fn least(&self) -> u32 {
        let least = match *self {
            Integer(least, _) | Pair(least, _) => least,
            OneOf(values) => values[0],
            _ => 0,
        };
        u32::try_from(least).expect("ranges of integers are within 32 bits")
    }
}

/// `a, b or c`.
fn one_of(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<_> = words.collect();
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} or {last}", words.join(", ")),
        last => last.unwrap_or_default(),
    }
}
