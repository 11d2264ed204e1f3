//! Values: whether they are what the vocabulary allows, and what they are.
//!
//! After an error each function returns some allowed value, so that checking goes on and finds the other errors; a
//! network with errors is thrown away.

use super::{Checker, lists};
use crate::include;
use crate::network::{FileArray, Values};
use crate::parameters::place;
use crate::parser::parse_value;
use crate::syntax::{Constructor, File, Setting, Value, ValueKind};
use crate::vocabulary::{Absent, Family, Form, ITEMS, Parameter, Takes, home};
use onward_diagnostic::{Diagnostic, Source, nearest};
use std::borrow::Cow;
use std::sync::Arc;

/// A constructor of the vocabulary with the arguments and options that the text gives it.
pub(super) struct Given<'a> {
    pub form: &'static Form,
    /// Whether the text names this form; else it is a form to go on with.
    pub is_known: bool,
    arguments: Cow<'a, [Value]>,
    options: Vec<&'a Setting>,
}

impl<'a> Given<'a> {
    /// Some constructor of a family, after an error.
    fn unknown(family: Family) -> Self {
        let form = family.members().next().expect("families have members");
        Given { form, is_known: false, arguments: Cow::Borrowed(&[]), options: Vec::new() }
    }

    /// The value of an option, if it is given; the first if by mistake there are several.
    pub fn option(&self, name: &str) -> Option<&'a Value> {
        self.options.iter().find(|option| option.name.text == name).map(|option| &option.value)
    }

    /// The value of an option, or that which its absence means.
    fn value(&self, name: &str) -> Cow<'a, Value> {
        self.option(name).map_or_else(|| Cow::Owned(self.parameter(name).default_value()), Cow::Borrowed)
    }

    /// # Panics
    /// If the vocabulary has no such option, which is a mistake in this crate.
    fn parameter(&self, name: &str) -> &'static Parameter {
        let parameter = self.form.options.iter().find(|parameter| parameter.name == name);
        parameter.unwrap_or_else(|| panic!("`{}` has no option `{name}`", self.form.name))
    }
}

impl Parameter {
    fn default_value(&self) -> Value {
        let Absent::Means(text) = self.absent else { panic!("`{}` has no default", self.name) };
        let (value, _) = parse_value(&Source::new("default", text), 0..text.len());
        value.expect("defaults are values")
    }
}

impl Checker<'_> {
    /// The settings of the network.
    pub(super) fn settings<'a>(&mut self, file: &'a File) -> Given<'a> {
        let form = &crate::vocabulary::FORMS[0];
        let options = file.settings().collect();
        self.check_options(form, &options);
        Given { form, is_known: true, arguments: Cow::Borrowed(&[]), options }
    }

    /// The constructor that `value` names; `subject` says in messages whose value it is.
    pub(super) fn open<'a>(&mut self, family: Family, subject: &str, value: &'a Value) -> Given<'a> {
        let ValueKind::Constructor(constructor) = &value.kind else {
            if !matches!(value.kind, ValueKind::Damaged) {
                let (takes, example) = (Takes::Constructor(family), Given::unknown(family).form.usages());
                self.wrong_value(subject, &takes, value, |error| error.help(format!("write {example}")));
            }
            return Given::unknown(family);
        };
        let Some(form) = family.find(&constructor.word.text) else {
            self.unknown_constructor(family, value, &constructor.word.text);
            return Given::unknown(family);
        };
        if let (false, Some(source)) = (family.has_sources(), constructor.sources.first()) {
            let error = Diagnostic::new(source.span.clone(), format!("`{}` takes no sources", form.name));
            self.report(error.help("only layers and readouts have a `from`"));
        }
        let count = constructor.arguments.len();
        if !constructor.is_partial && !(form.arguments_required()..=form.arguments.len()).contains(&count) {
            self.wrong_argument_count(form, constructor);
        }
        let options = constructor.options.iter().collect();
        self.check_options(form, &options);
        if !constructor.is_partial {
            self.check_required(form, constructor);
        }
        Given { form, is_known: true, arguments: Cow::Borrowed(&constructor.arguments), options }
    }

    /// The constructor that an option names, or the one that its absence means.
    pub(super) fn open_option<'a>(&mut self, given: &Given<'a>, name: &str) -> Given<'a> {
        let parameter = given.parameter(name);
        let Takes::Constructor(family) = parameter.takes else {
            panic!("option `{name}` takes no constructor");
        };
        if let Some(value) = given.option(name) {
            return self.open(family, &format!("`{name}`"), value);
        }
        let ValueKind::Constructor(constructor) = parameter.default_value().kind else {
            panic!("the default of `{name}` is no constructor");
        };
        let form = family.find(&constructor.word.text).expect("defaults are words of the family");
        Given { form, is_known: true, arguments: Cow::Owned(constructor.arguments), options: Vec::new() }
    }

    /// The constructor that an option names, if it is given.
    pub(super) fn open_if_given<'a>(&mut self, given: &Given<'a>, name: &str) -> Option<Given<'a>> {
        given.option(name).map(|_| self.open_option(given, name))
    }

    /// An integer option, or its default.
    pub(super) fn integer(&mut self, given: &Given, name: &str) -> u32 {
        let (parameter, value) = (given.parameter(name), given.value(name));
        self.read_integer(&parameter.takes, &value, |checker| checker.wrong_option(parameter, &value))
            .unwrap_or(parameter.takes.least())
    }

    /// An integer option that has no fixed default, if it is given and right.
    pub(super) fn integer_if_given(&mut self, given: &Given, name: &str) -> Option<u32> {
        given.option(name).map(|_| self.integer(given, name))
    }

    /// An option that is a list of integers, each in the range, or a single one; nothing after an error.
    pub(super) fn integers(&mut self, given: &Given, name: &str) -> Vec<u32> {
        let (parameter, value) = (given.parameter(name), given.value(name));
        let one = std::slice::from_ref(&*value);
        let values = if let ValueKind::List(values) = &value.kind { values.as_slice() } else { one };
        let Takes::Integers(_, _, most) = parameter.takes else { panic!("option `{name}` takes no integers") };
        if !(1..=most).contains(&values.len()) {
            self.wrong_option(parameter, &value);
            return Vec::new();
        }
        let read = |value: &Value| {
            let wrong = |checker: &mut Self| checker.wrong_option(parameter, value);
            self.read_integer(&parameter.takes, value, wrong)
        };
        values.iter().filter_map(read).collect()
    }

    /// An option that is one integer or two, along y and x, or its default; and whether it is one.
    pub(super) fn pair(&mut self, given: &Given, name: &str) -> ([u32; 2], bool) {
        let (parameter, value) = (given.parameter(name), given.value(name));
        let one = std::slice::from_ref(&*value);
        let values = if let ValueKind::List(values) = &value.kind { values.as_slice() } else { one };
        if !(1..=2).contains(&values.len()) {
            self.wrong_option(parameter, &value);
            return ([parameter.takes.least(); 2], true);
        }
        let mut read = |value: &Value| {
            let wrong = |checker: &mut Self| checker.wrong_option(parameter, value);
            self.read_integer(&parameter.takes, value, wrong).unwrap_or(parameter.takes.least())
        };
        let first = read(&values[0]);
        match values.get(1) {
            Some(second) => ([first, read(second)], false),
            None => ([first; 2], true),
        }
    }

    /// A decimal option, or its default.
    pub(super) fn decimal(&mut self, given: &Given, name: &str) -> f64 {
        let (parameter, value) = (given.parameter(name), given.value(name));
        let Takes::Decimal(least, greatest) = parameter.takes else { panic!("option `{name}` takes no decimal") };
        match value.number() {
            Some(number) if (least..=greatest).contains(&number) => return number,
            _ if matches!(value.kind, ValueKind::Damaged) => {}
            _ => self.wrong_option(parameter, &value),
        }
        least
    }

    /// An option that is a number or many, or its default.
    pub(super) fn numbers(&mut self, given: &Given, name: &str) -> Values {
        let (parameter, value) = (given.parameter(name), given.value(name));
        let remark = |error: Diagnostic| error.note(format!("{name}: {}", parameter.meaning));
        self.read_numbers(&format!("`{name}`"), &parameter.takes, &value, remark)
    }

    /// The only argument, a number or many.
    pub(super) fn numbers_argument(&mut self, given: &Given) -> Values {
        let parameter = &given.form.arguments[0];
        let Some(value) = given.arguments.first() else { return Values::Constant(0.0) };
        self.read_numbers(&format!("the argument of `{}`", given.form.name), &parameter.takes, value, |error| error)
    }

    fn read_numbers(
        &mut self,
        subject: &str,
        takes: &Takes,
        value: &Value,
        remark: impl Fn(Diagnostic) -> Diagnostic,
    ) -> Values {
        let range = match *takes {
            Takes::Numbers(least, greatest) => least..=greatest,
            _ => f64::MIN..=f64::MAX,
        };
        if let (Some(number), Takes::Numbers(..)) = (value.number(), takes) {
            if range.contains(&number) {
                return Values::Constant(number);
            }
        } else if let ValueKind::List(_) = &value.kind {
            match lists::array(value, &range) {
                Ok(array) => {
                    let array = Arc::new(array);
                    self.lists.push((array.clone(), value.span.clone()));
                    return Values::Array(array);
                }
                Err(Some(error)) => self.report(remark(error)),
                Err(None) => {}
            }
            return Values::Constant(*range.start());
        } else if matches!(&value.kind, ValueKind::Constructor(constructor) if Family::File.find(&constructor.word.text).is_some())
        {
            let given = self.open(Family::File, subject, value);
            let texts = self.text_arguments(&given);
            let member = texts.get(1).cloned();
            if let Some(path) = texts.into_iter().next() {
                let path = include::seen_from_first(self.source, &value.span, &path);
                return Values::File(FileArray { path, member, span: value.span.clone() });
            }
            return Values::Constant(*range.start());
        }
        if !matches!(value.kind, ValueKind::Damaged) {
            self.wrong_value(subject, takes, value, |error| match (&value.kind, remark(error)) {
                (ValueKind::Text(path), error) => error.help(format!("write `file(\"{path}\")`")),
                (ValueKind::Constructor(constructor), error) if !constructor.is_bare() => {
                    match nearest(&constructor.word.text, ["file"]) {
                        Some(guess) => error.help(format!("did you mean `{guess}`?")),
                        None => error,
                    }
                }
                (_, error) => error,
            });
        }
        Values::Constant(*range.start())
    }

    /// A string option, if it is given.
    pub(super) fn text(&mut self, given: &Given, name: &str) -> Option<String> {
        let value = given.option(name)?;
        match &value.kind {
            ValueKind::Text(text) => return Some(text.clone()),
            ValueKind::Damaged => {}
            ValueKind::Constructor(constructor) if constructor.word.span == value.span => {
                let help = format!("write `\"{}\"`", constructor.word.text);
                self.wrong_value(&format!("`{name}`"), &Takes::Text, value, |error| error.help(help));
            }
            _ => self.wrong_option(given.parameter(name), value),
        }
        None
    }

    /// The arguments, all of them integers; nothing if one is wrong or missing, which has been reported.
    pub(super) fn integer_arguments(&mut self, given: &Given) -> Option<Vec<u32>> {
        let mut integers = Vec::new();
        for (parameter, value) in given.form.arguments.iter().zip(given.arguments.iter()) {
            // An argument has no name to a reader; its meaning says what it is.
            let subject = format!("the {}", parameter.meaning);
            integers.push(self.read_integer(&parameter.takes, value, |checker| {
                checker.wrong_value(&subject, &parameter.takes, value, |error| error);
            }));
        }
        let integers: Option<Vec<_>> = integers.into_iter().collect();
        integers.filter(|integers| given.is_known && integers.len() >= given.form.arguments_required())
    }

    /// The arguments of a constructor that takes decimals, if they are as they should be.
    pub(super) fn decimal_arguments(&mut self, given: &Given) -> Option<Vec<f64>> {
        let mut decimals = Vec::new();
        for (parameter, value) in given.form.arguments.iter().zip(given.arguments.iter()) {
            let Takes::Decimal(least, greatest) = parameter.takes else { return None };
            let number = value.number().filter(|number| (least..=greatest).contains(number));
            if number.is_none() && !matches!(value.kind, ValueKind::Damaged) {
                self.wrong_value(&format!("the {}", parameter.meaning), &parameter.takes, value, |error| error);
            }
            decimals.push(number);
        }
        let decimals: Option<Vec<_>> = decimals.into_iter().collect();
        decimals.filter(|decimals| given.is_known && decimals.len() >= given.form.arguments_required())
    }

    /// The arguments up to the first that is no string, which is reported.
    fn text_arguments(&mut self, given: &Given) -> Vec<String> {
        let mut texts = Vec::new();
        for (parameter, value) in given.form.arguments.iter().zip(given.arguments.iter()) {
            match &value.kind {
                ValueKind::Text(text) => texts.push(text.clone()),
                ValueKind::Damaged => break,
                _ => {
                    let subject = format!("the {} of `{}`", parameter.name, given.form.name);
                    self.wrong_value(&subject, &parameter.takes, value, |error| error);
                    break;
                }
            }
        }
        texts
    }

    /// The integer, if it is one of those that are allowed; else calls `wrong` to report it.
    fn read_integer(&mut self, takes: &Takes, value: &Value, wrong: impl FnOnce(&mut Self)) -> Option<u32> {
        match value.kind {
            ValueKind::Integer(integer) if takes.allows(integer) => {
                return Some(u32::try_from(integer).expect("ranges of integers are within 32 bits"));
            }
            ValueKind::Damaged => {}
            _ => wrong(self),
        }
        None
    }

    /// Reports options that must be there and are not.
    fn check_required(&mut self, form: &'static Form, constructor: &Constructor) {
        for parameter in form.options.iter().filter(|parameter| matches!(parameter.absent, Absent::Error)) {
            if !constructor.options.iter().any(|option| option.name.text == parameter.name) {
                let message = format!("`{}` needs the option `{}`", form.name, parameter.name);
                let error = Diagnostic::new(constructor.word.span.clone(), message);
                let error = error.note(format!("{}: {}", parameter.name, parameter.meaning));
                let takes = parameter.takes.describe();
                self.report(error.help(format!("add `{{ {} = ... }}`: {takes}", parameter.name)));
            }
        }
    }

    /// Reports unknown and duplicate options.
    fn check_options(&mut self, form: &'static Form, options: &Vec<&Setting>) {
        for (at, option) in options.iter().enumerate() {
            let name = option.name.text.as_str();
            if !form.options.iter().any(|parameter| parameter.name == name) {
                self.unknown_option(form, option);
            } else if let Some(first) = options[..at].iter().find(|first| first.name.text == name) {
                let place = place(self.source, &first.name.span, &option.name.span);
                let error = Diagnostic::new(option.name.span.clone(), format!("`{name}` is given twice"));
                self.report(error.note(format!("it is first given in {place}")).help("keep one of them"));
            }
        }
    }

    fn unknown_option(&mut self, form: &'static Form, option: &Setting) {
        if form.family == Family::Network {
            return self.unknown_setting(form, option);
        }
        let name = option.name.text.as_str();
        let note = match form.options {
            [] => format!("`{}` has no options", form.name),
            _ => format!("options of `{}` are: {}", form.name, form.option_list()),
        };
        let message = format!("`{}` has no option `{name}`", form.name);
        let error = Diagnostic::new(option.name.span.clone(), message).note(note);
        self.report(with_guess(error, name, form.options.iter().map(|parameter| parameter.name)));
    }

    fn unknown_setting(&mut self, network: &'static Form, setting: &Setting) {
        let name = setting.name.text.as_str();
        let span = setting.name.span.clone();
        if ITEMS.iter().any(|&(kind, _)| kind == name) {
            self.kinds_are_known = false;
            let error = Diagnostic::new(span, format!("this {name} has no name"));
            return self.report(error.help(format!("write `{name} NAME = ...`")));
        }
        self.settings_are_known = false;
        let error = Diagnostic::new(span, format!("unknown setting `{name}`"));
        let error = error.note(format!("settings are: {}", network.option_list()));
        self.report(match item_kind(&setting.value) {
            Some(kind) => error.help(format!("write `{kind} {name} = ...` for a {kind} called `{name}`")),
            None => with_guess(error, name, network.options.iter().map(|parameter| parameter.name)),
        });
    }

    fn unknown_constructor(&mut self, family: Family, value: &Value, word: &str) {
        let ValueKind::Constructor(constructor) = &value.kind else { return };
        let message = format!("unknown {} `{word}`", family.noun());
        // Of many, how each is called; of one, all ways to call it.
        let list = match family.members().collect::<Vec<_>>()[..] {
            [only] => vec![only.usages()],
            ref many => many.iter().map(|form| format!("`{}`", form.usage_required())).collect(),
        };
        let note = format!("what exists: {}", list.join(", "));
        let error = Diagnostic::new(constructor.word.span.clone(), message).note(note);
        self.report(with_guess(error, word, family.members().map(|form| form.name)));
    }

    fn wrong_argument_count(&mut self, form: &'static Form, constructor: &Constructor) {
        let takes = match (form.arguments_required(), form.arguments.len()) {
            (_, 0) => "no arguments".to_string(),
            (1, 1) => "one argument".to_string(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        };
        let (span, there_are) = match constructor.arguments.as_slice() {
            [] => (constructor.word.span.clone(), "there are none".to_string()),
            [only] => (only.span.clone(), "there is one".to_string()),
            [first, .., last] => {
                (first.span.start..last.span.end, format!("there are {}", constructor.arguments.len()))
            }
        };
        let message = format!("`{}` takes {takes}, but {there_are}", form.name);
        self.report(Diagnostic::new(span, message).help(format!("write {}", form.usages())));
    }

    fn wrong_option(&mut self, parameter: &Parameter, value: &Value) {
        let note = format!("{}: {}", parameter.name, parameter.meaning);
        self.wrong_value(&format!("`{}`", parameter.name), &parameter.takes, value, |error| error.note(note));
    }

    fn wrong_value(
        &mut self,
        subject: &str,
        takes: &Takes,
        value: &Value,
        remark: impl FnOnce(Diagnostic) -> Diagnostic,
    ) {
        // A constructor may go over many lines; its word is enough.
        let span = match &value.kind {
            ValueKind::Constructor(constructor) => constructor.word.span.clone(),
            _ => value.span.clone(),
        };
        let written = &self.source.text[span.clone()];
        let found = match &value.kind {
            // Of a calculation or a parameter also what it comes to.
            ValueKind::Integer(integer) if !is_number(written) => format!("{integer} (`{written}`)"),
            ValueKind::Decimal(decimal) if !is_number(written) => format!("{decimal} (`{written}`)"),
            ValueKind::List(_) if span.len() > 30 => "a list".to_string(),
            _ => format!("`{written}`"),
        };
        let error = Diagnostic::new(span, format!("{subject} must be {}, not {found}", takes.describe()));
        let error = remark(error);
        // A word where a number should be may be a parameter's.
        self.report(match &value.kind {
            ValueKind::Constructor(constructor) if constructor.is_bare() && error.help.is_none() => {
                match nearest(&constructor.word.text, self.parameters.iter().map(String::as_str)) {
                    Some(guess) => error.help(format!("did you mean the parameter `{guess}`?")),
                    None => error,
                }
            }
            _ => error,
        });
    }
}

/// Whether a text is a number and no calculation.
fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "+-. ".contains(c))
        && !text.starts_with(char::is_alphabetic)
        && !text.trim_start_matches('-').contains(' ')
}

impl Value {
    /// The number that it is, if it is one. Integers beyond 2^53 lose digits, but are out of all ranges anyway.
    pub fn number(&self) -> Option<f64> {
        match self.kind {
            ValueKind::Integer(integer) => Some(integer as f64),
            ValueKind::Decimal(decimal) => Some(decimal),
            _ => None,
        }
    }
}

impl Takes {
    fn allows(&self, integer: i64) -> bool {
        match *self {
            Takes::Integer(least, greatest) | Takes::Pair(least, greatest) | Takes::Integers(least, greatest, _) => {
                (least..=greatest).contains(&integer)
            }
            Takes::OneOf(values) => values.contains(&integer),
            _ => false,
        }
    }

    /// The least integer it allows, to go on with after an error.
    fn least(&self) -> u32 {
        let least = match *self {
            Takes::Integer(least, _) | Takes::Pair(least, _) => least,
            Takes::OneOf(values) => values[0],
            _ => 0,
        };
        u32::try_from(least).expect("ranges of integers are within 32 bits")
    }
}

/// The kind of item whose constructor a value is.
fn item_kind(value: &Value) -> Option<&'static str> {
    let ValueKind::Constructor(Constructor { word, .. }) = &value.kind else { return None };
    ITEMS.iter().find(|(_, family)| family.find(&word.text).is_some()).map(|&(kind, _)| kind)
}

/// Adds which of `candidates` is likely meant, or else where `word` has its place.
pub(super) fn with_guess<'a>(
    error: Diagnostic,
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match (home(word), nearest(word, candidates)) {
        (Some(home), _) => error.note(home),
        (None, Some(guess)) => error.help(format!("did you mean `{guess}`?")),
        (None, None) => error,
    }
}
