//! Every word of the language: what it is, what arguments and options it takes, in what ranges.
//!
//! The checker reads off this table what is allowed, messages what exists, and [`reference`] the language reference. A
//! new option is a line here and a line in [`crate::check`] that uses it.

use std::fmt::Write;

/// What a constructor makes; the place where it may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Network,
    Input,
    Target,
    Layer,
    Readout,
    Neurons,
    Weights,
    Learning,
    Reset,
    Gate,
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
    /// Least and greatest.
    PowerOfTwo(i64, i64),
    /// Least and greatest.
    Decimal(f64, f64),
    Text,
    Constructor(Family),
}

/// What it means that a parameter is not given.
#[derive(Debug)]
pub(crate) enum Absent {
    /// It is an error, with an example that helps.
    Error,
    /// This value is meant.
    Means(&'static str),
    /// Something is meant that is no value, described.
    Described(&'static str),
}

use Absent::{Described, Error, Means};
use Takes::{Constructor, Decimal, Integer, OneOf, PowerOfTwo, Text};

/// The kinds of items, with what a constructor of theirs looks like.
pub(crate) const ITEMS: &[(&str, Family)] =
    &[("input", Family::Input), ("target", Family::Target), ("layer", Family::Layer), ("readout", Family::Readout)];

const fn parameter(name: &'static str, takes: Takes, absent: Absent, meaning: &'static str) -> Parameter {
    Parameter { name, takes, absent, meaning }
}

/// All constructors; the first is the network itself, whose options are its settings.
pub(crate) const FORMS: &[Form] = &[
    Form {
        family: Family::Network,
        name: "network",
        arguments: &[],
        options: &[
            parameter("data", Text, Described("--data says it"), "a built-in name or a path"),
            parameter("epochs", Integer(1, 100_000), Means("10"), "how often the training data is shown"),
            parameter("window", PowerOfTwo(1, 256), Means("8"), "time steps an input, or its target, is shown"),
            parameter(
                "neurons",
                Constructor(Family::Neurons),
                Means("integrate_and_fire"),
                "of all layers that do not say otherwise",
            ),
            parameter(
                "weights",
                Constructor(Family::Weights),
                Means("fixed"),
                "of all layers that do not say otherwise",
            ),
            parameter(
                "learning",
                Constructor(Family::Learning),
                Described("each layer says it"),
                "of all layers that do not say otherwise",
            ),
        ],
        meaning: "a network and its settings",
    },
    Form {
        family: Family::Input,
        name: "rate",
        arguments: &[
            parameter("size", Integer(1, 65_536), Error, "size of the first dimension"),
            parameter("size", Integer(1, 65_536), Described("one dimension"), "size of the second dimension"),
            parameter("size", Integer(1, 65_536), Described("two dimensions"), "size of the third dimension"),
        ],
        options: &[],
        meaning: "evenly spread spikes, as many as the value is large",
    },
    Form {
        family: Family::Target,
        name: "classes",
        arguments: &[parameter("number", Integer(2, 1024), Error, "number of classes")],
        options: &[],
        meaning: "one of several classes",
    },
    Form {
        family: Family::Layer,
        name: "dense",
        arguments: &[parameter("neurons", Integer(1, 1 << 20), Error, "number of neurons")],
        options: &[
            parameter(
                "block",
                Integer(1, 1 << 20),
                Described("all neurons, but at most 128"),
                "neurons that live on one core and share a loss, at most the layer's",
            ),
            parameter("neurons", Constructor(Family::Neurons), Described("the network's"), "of this layer"),
            parameter("weights", Constructor(Family::Weights), Described("the network's"), "of this layer"),
            parameter("learning", Constructor(Family::Learning), Described("the network's"), "of this layer"),
        ],
        meaning: "a layer with a weight from every axon of its sources to every neuron",
    },
    Form {
        family: Family::Readout,
        name: "nearest_target",
        arguments: &[],
        options: &[],
        meaning: "the class whose target evokes spikes most like those of the layer",
    },
    Form {
        family: Family::Neurons,
        name: "integrate_and_fire",
        arguments: &[],
        options: &[
            parameter("threshold", Decimal(0.001, 1000.0), Means("1.0"), "membrane potential at which a neuron fires"),
            parameter("reset", Constructor(Family::Reset), Means("subtract"), "what firing does to the membrane"),
        ],
        meaning: "neurons that sum weights and fire at a threshold",
    },
    Form {
        family: Family::Weights,
        name: "fixed",
        arguments: &[],
        options: &[
            parameter("bits", OneOf(&[4, 8, 16]), Means("16"), "bits of a weight"),
            parameter(
                "gain",
                Decimal(0.001, 1000.0),
                Means("1.0"),
                "weights are drawn about normal with standard deviation gain * sqrt(2 / inputs)",
            ),
        ],
        meaning: "fixed-point weights",
    },
    Form {
        family: Family::Learning,
        name: "hinge",
        arguments: &[],
        options: &[
            parameter("rate", Integer(0, 20), Means("9"), "the learning rate is 2^-rate"),
            parameter("margin", Decimal(0.0, 100.0), Means("0.3"), "in units of sqrt(block) full-rate spikes"),
            parameter("anneal", Integer(0, 16), Means("2"), "how many times the rate is halved, evenly over the run"),
            parameter("gate", Constructor(Family::Gate), Means("surrogate"), "which weights may change"),
        ],
        meaning: "the score of the own class shall exceed that of its rival by a margin",
    },
    Form {
        family: Family::Learning,
        name: "none",
        arguments: &[],
        options: &[],
        meaning: "weights stay as they are drawn",
    },
    Form {
        family: Family::Reset,
        name: "subtract",
        arguments: &[],
        options: &[],
        meaning: "the threshold is subtracted, what was above it stays",
    },
    Form {
        family: Family::Gate,
        name: "surrogate",
        arguments: &[],
        options: &[],
        meaning: "only those of neurons whose voltage is near the threshold",
    },
    Form { family: Family::Gate, name: "none", arguments: &[], options: &[], meaning: "all" },
];

impl Family {
    /// What a member is called in messages.
    pub fn noun(self) -> &'static str {
        match self {
            Family::Network => "network",
            Family::Input => "encoding of an input",
            Family::Target => "kind of target",
            Family::Layer => "kind of layer",
            Family::Readout => "kind of readout",
            Family::Neurons => "kind of neurons",
            Family::Weights => "kind of weights",
            Family::Learning => "learning rule",
            Family::Reset => "reset",
            Family::Gate => "gate",
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
            PowerOfTwo(least, greatest) => format!("a power of two from {least} to {greatest}"),
            Decimal(least, greatest) => format!("a number from {least} to {greatest}"),
            Text => "a string in double quotes".to_string(),
            Constructor(family) => one_of(family.members().map(|form| format!("`{}`", form.name))),
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
