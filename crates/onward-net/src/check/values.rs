//! Values: whether they are what the vocabulary allows, and what they are.
//!
//! After an error each function returns some allowed value, so that checking goes on and finds the other errors; a
//! network with errors is thrown away.

use super::Checker;
use crate::syntax::{Constructor, File, Setting, Value, ValueKind};
use crate::vocabulary::{Absent, Family, Form, ITEMS, Parameter, Takes, home};
use onward_diagnostic::{Diagnostic, nearest};

/// A constructor of the vocabulary with the arguments and options that the text gives it.
pub(super) struct Given<'a> {
    pub form: &'static Form,
    arguments: &'a [Value],
    options: Vec<&'a Setting>,
}

impl<'a> Given<'a> {
    /// The constructor with nothing given.
    fn bare(form: &'static Form) -> Self {
        Given { form, arguments: &[], options: Vec::new() }
    }

    /// The value of an option, if it is given; the first if by mistake there are several.
    pub fn option(&self, name: &str) -> Option<&'a Value> {
        self.options.iter().find(|option| option.name.text == name).map(|option| &option.value)
    }

    /// # Panics
    /// If the vocabulary has no such option, which is a mistake in this crate.
    fn parameter(&self, name: &str) -> &'static Parameter {
        let parameter = self.form.options.iter().find(|parameter| parameter.name == name);
        parameter.unwrap_or_else(|| panic!("`{}` has no option `{name}`", self.form.name))
    }
}

impl Checker<'_> {
    /// The settings of the network.
    pub(super) fn settings<'a>(&mut self, file: &'a File) -> Given<'a> {
        let form = &crate::vocabulary::FORMS[0];
        let options = file.settings().collect();
        self.check_options(form, &options);
        Given { form, arguments: &[], options }
    }

    /// The constructor that `value` names; `subject` says in messages whose value it is.
    pub(super) fn open<'a>(&mut self, family: Family, subject: &str, value: &'a Value) -> Given<'a> {
        let members: Vec<_> = family.members().collect();
        let ValueKind::Constructor(constructor) = &value.kind else {
            if !matches!(value.kind, ValueKind::Damaged) {
                let takes = Takes::Constructor(family);
                self.wrong_value(subject, &takes, value, |error| error.help(format!("write {}", members[0].usages())));
            }
            return Given::bare(members[0]);
        };
        let Some(form) = family.find(&constructor.word.text) else {
            self.unknown_constructor(family, value, &constructor.word.text);
            return Given::bare(members[0]);
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
        Given { form, arguments: &constructor.arguments, options }
    }

    /// The constructor that an option names, or the one that its absence means.
    pub(super) fn open_option<'a>(&mut self, given: &Given<'a>, name: &str) -> Given<'a> {
        let parameter = given.parameter(name);
        let Takes::Constructor(family) = parameter.takes else {
            panic!("option `{name}` takes no constructor");
        };
        match (given.option(name), &parameter.absent) {
            (Some(value), _) => self.open(family, &format!("`{name}`"), value),
            (None, Absent::Means(word)) => Given::bare(family.find(word).expect("defaults are words of the family")),
            (None, _) => panic!("option `{name}` has no default"),
        }
    }

    /// The constructor that an option names, if it is given.
    pub(super) fn open_if_given<'a>(&mut self, given: &Given<'a>, name: &str) -> Option<Given<'a>> {
        given.option(name).map(|_| self.open_option(given, name))
    }

    /// An integer option, or its default.
    pub(super) fn integer(&mut self, given: &Given, name: &str) -> u32 {
        let parameter = given.parameter(name);
        if given.option(name).is_some() {
            return self.integer_if_given(given, name).unwrap_or(parameter.takes.least());
        }
        let Absent::Means(value) = parameter.absent else { panic!("option `{name}` has no default") };
        value.parse().expect("defaults are integers")
    }

    /// An integer option that has no fixed default, if it is given and right.
    pub(super) fn integer_if_given(&mut self, given: &Given, name: &str) -> Option<u32> {
        let (parameter, value) = (given.parameter(name), given.option(name)?);
        self.read_integer(&parameter.takes, value, |checker| checker.wrong_option(parameter, value))
    }

    /// A decimal option, or its default.
    pub(super) fn decimal(&mut self, given: &Given, name: &str) -> f64 {
        let parameter = given.parameter(name);
        let Takes::Decimal(least, greatest) = parameter.takes else { panic!("option `{name}` takes no decimal") };
        let Some(value) = given.option(name) else {
            let Absent::Means(value) = parameter.absent else { panic!("option `{name}` has no default") };
            return value.parse().expect("defaults are decimals");
        };
        let number = match value.kind {
            ValueKind::Decimal(number) => number,
            // Integers beyond 2^53 lose digits, but are out of range anyway.
            ValueKind::Integer(number) => number as f64,
            ValueKind::Damaged => return least,
            _ => f64::INFINITY,
        };
        if !(least..=greatest).contains(&number) {
            self.wrong_option(parameter, value);
            return least;
        }
        number
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
        for (parameter, value) in given.form.arguments.iter().zip(given.arguments) {
            // An argument has no name to a reader; its meaning says what it is.
            let subject = format!("the {}", parameter.meaning);
            integers.push(self.read_integer(&parameter.takes, value, |checker| {
                checker.wrong_value(&subject, &parameter.takes, value, |error| error);
            }));
        }
        let integers: Option<Vec<_>> = integers.into_iter().collect();
        integers.filter(|integers| integers.len() >= given.form.arguments_required())
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

    /// Reports unknown and duplicate options.
    fn check_options(&mut self, form: &'static Form, options: &Vec<&Setting>) {
        for (at, option) in options.iter().enumerate() {
            let name = option.name.text.as_str();
            if !form.options.iter().any(|parameter| parameter.name == name) {
                self.unknown_option(form, option);
            } else if let Some(first) = options[..at].iter().find(|first| first.name.text == name) {
                let line = self.line(&first.name.span);
                let error = Diagnostic::new(option.name.span.clone(), format!("`{name}` is given twice"));
                self.report(error.note(format!("it is first given in line {line}")).help("keep one of them"));
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
        let list = family.members().map(|form| form.usages()).collect::<Vec<_>>();
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
        let found = &self.source.text[span.clone()];
        let message = format!("{subject} must be {}, not `{found}`", takes.describe());
        self.report(remark(Diagnostic::new(span, message)));
    }
}

impl Takes {
    fn allows(&self, integer: i64) -> bool {
        match *self {
            Takes::Integer(least, greatest) => (least..=greatest).contains(&integer),
            Takes::OneOf(values) => values.contains(&integer),
            Takes::PowerOfTwo(least, greatest) => (least..=greatest).contains(&integer) && integer.count_ones() == 1,
            Takes::Decimal(..) | Takes::Text | Takes::Constructor(_) => false,
        }
    }

    /// The least integer it allows, to go on with after an error.
    fn least(&self) -> u32 {
        let least = match *self {
            Takes::Integer(least, _) | Takes::PowerOfTwo(least, _) => least,
            Takes::OneOf(values) => values[0],
            Takes::Decimal(..) | Takes::Text | Takes::Constructor(_) => 0,
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
