//! Values of a text: whether they are what the vocabulary allows, and what they are.
//!
//! After an error each function returns some allowed value, so that checking goes on and finds the other errors; a
//! network with errors is thrown away.

mod lists;
mod problems;

use crate::include;
use crate::parser::parse_value;
use crate::syntax::{Setting, Span, Value, ValueKind};
use crate::values::{Array, FileArray, Values};
use crate::vocabulary::Absent::{Described, Error};
use crate::vocabulary::{Absent, Family, Form, ItemKind, Parameter, Takes, form, parameter};
use onward_diagnostic::{Diagnostic, Source, nearest};
use std::borrow::Cow;
use std::sync::Arc;

/// The word for an array in a file.
pub(crate) const FILE: &Family = &Family {
    noun: "array in a file",
    item: None,
    forms: || vec![const { &form("file", FILE_ARGUMENTS, &[], "numbers that NumPy wrote, of any real type") }],
};

const FILE_ARGUMENTS: &[Parameter] = &[
    parameter("path", Takes::Text, Error, "a `.npy` or `.npz` file in the folder of the text, or below"),
    parameter("member", Takes::Text, Described("the file is a `.npy`"), "name of the array in the `.npz`"),
];

/// A constructor of the vocabulary with the arguments and options that the text gives it.
pub(crate) struct Given<'a> {
    pub form: &'static Form,
    /// Place of the form in its family.
    pub index: usize,
    /// Whether the text names this form; else it is a form to go on with.
    pub is_known: bool,
    arguments: Cow<'a, [Value]>,
    options: Vec<&'a Setting>,
}

impl<'a> Given<'a> {
    /// Some constructor of a family, to go on with after an error.
    fn unknown(family: &Family) -> Self {
        let form = (family.forms)().into_iter().next().expect("families have members");
        Given { form, index: 0, is_known: false, arguments: Cow::Borrowed(&[]), options: Vec::new() }
    }

    /// A form of which options alone are given.
    pub fn of_options(form: &'static Form, options: Vec<&'a Setting>) -> Self {
        Given { form, index: 0, is_known: true, arguments: Cow::Borrowed(&[]), options }
    }

    /// Whether arguments are given.
    pub fn has_arguments(&self) -> bool {
        !self.arguments.is_empty()
    }

    /// The value of an option, if it is given; the first if by mistake there are several.
    pub fn option(&self, option: &Parameter) -> Option<&'a Value> {
        self.options.iter().find(|setting| setting.name.text == option.name).map(|setting| &setting.value)
    }

    /// The value of an option, or that which its absence means.
    fn value(&self, option: &Parameter) -> Cow<'a, Value> {
        self.option(option).map_or_else(|| Cow::Owned(option.default_value()), Cow::Borrowed)
    }
}

impl Parameter {
    fn default_value(&self) -> Value {
        let Absent::Means(text) = self.absent else { panic!("`{}` has no default", self.name) };
        let (value, _) = parse_value(&Source::new("default", text), 0..text.len());
        value.expect("defaults are values")
    }
}

/// Reads values and collects what is wrong with them.
pub(crate) struct Reader<'a> {
    pub source: &'a Source,
    /// Names of the parameters, for those who mistype one.
    pub parameters: Vec<String>,
    /// Tells where in the language a word has its place, for those who put it elsewhere.
    pub home: fn(&str) -> Option<String>,
    /// The lists that became arrays, with their places.
    pub lists: Vec<(Arc<Array>, Span)>,
    pub errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    pub fn report(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// The constructor that `value` names; `subject` says in messages whose value it is.
    pub fn open<'a>(&mut self, family: &'static Family, subject: &str, value: &'a Value) -> Given<'a> {
        let ValueKind::Constructor(constructor) = &value.kind else {
            if !matches!(value.kind, ValueKind::Damaged) {
                let (takes, example) = (Takes::Constructor(family), Given::unknown(family).form.usages());
                self.wrong_value(subject, &takes, value, |error| error.help(format!("write {example}")));
            }
            return Given::unknown(family);
        };
        let Some((index, form)) = family.find(&constructor.word.text) else {
            self.unknown_constructor(family, value, &constructor.word.text);
            return Given::unknown(family);
        };
        if let (false, Some(source)) = (family.item.is_some_and(ItemKind::has_sources), constructor.sources.first()) {
            let error = Diagnostic::new(source.span.clone(), format!("`{}` takes no sources", form.name));
            self.report(error.help("only layers and readouts have a `from`"));
        }
        let count = constructor.arguments.len();
        if !constructor.is_partial && !(form.arguments_required()..=form.arguments.len()).contains(&count) {
            self.wrong_argument_count(form, constructor);
        }
        let options: Vec<&Setting> = constructor.options.iter().collect();
        for option in self.check_options(form, &options) {
            self.unknown_option(form, option);
        }
        if !constructor.is_partial {
            self.check_required(form, constructor);
        }
        Given { form, index, is_known: true, arguments: Cow::Borrowed(&constructor.arguments), options }
    }

    /// The constructor that an option names, or the one that its absence means.
    pub fn open_option<'a>(&mut self, given: &Given<'a>, option: &Parameter) -> Given<'a> {
        let name = option.name;
        let Takes::Constructor(family) = option.takes else {
            panic!("option `{name}` takes no constructor");
        };
        if let Some(value) = given.option(option) {
            return self.open(family, &format!("`{name}`"), value);
        }
        let ValueKind::Constructor(constructor) = option.default_value().kind else {
            panic!("the default of `{name}` is no constructor");
        };
        let (index, form) = family.find(&constructor.word.text).expect("defaults are words of the family");
        Given { form, index, is_known: true, arguments: Cow::Owned(constructor.arguments), options: Vec::new() }
    }

    /// The constructors that an option lists, or the one that it names; none if it is not given.
    pub fn constructors<'a>(&mut self, given: &Given<'a>, option: &Parameter) -> Vec<Given<'a>> {
        let Takes::Constructors(family) = option.takes else {
            panic!("option `{}` takes no constructors", option.name)
        };
        let Some(value) = given.option(option) else { return Vec::new() };
        let values = if let ValueKind::List(values) = &value.kind { values } else { std::slice::from_ref(value) };
        values.iter().map(|value| self.open(family, &format!("`{}`", option.name), value)).collect()
    }

    /// The constructor that an option names, if it is given.
    pub fn open_if_given<'a>(&mut self, given: &Given<'a>, option: &Parameter) -> Option<Given<'a>> {
        given.option(option).map(|_| self.open_option(given, option))
    }

    /// An integer option, or its default.
    pub fn integer(&mut self, given: &Given, option: &Parameter) -> u32 {
        let value = given.value(option);
        self.read_integer(&option.takes, &value, |reader| reader.wrong_option(option, &value))
            .unwrap_or(option.takes.least())
    }

    /// An integer option that has no fixed default, if it is given and right.
    pub fn integer_if_given(&mut self, given: &Given, option: &Parameter) -> Option<u32> {
        given.option(option).map(|_| self.integer(given, option))
    }

    /// An option that is a list of integers, each in the range, or a single one; nothing after an error.
    pub fn integers(&mut self, given: &Given, option: &Parameter) -> Vec<u32> {
        let value = given.value(option);
        let one = std::slice::from_ref(&*value);
        let values = if let ValueKind::List(values) = &value.kind { values.as_slice() } else { one };
        let Takes::Integers(_, _, most) = option.takes else { panic!("option `{}` takes no integers", option.name) };
        if !(1..=most).contains(&values.len()) {
            self.wrong_option(option, &value);
            return Vec::new();
        }
        let read = |value: &Value| {
            let wrong = |reader: &mut Self| reader.wrong_option(option, value);
            self.read_integer(&option.takes, value, wrong)
        };
        values.iter().filter_map(read).collect()
    }

    /// An option that is one integer or two, along y and x, or its default; and whether it is one.
    pub fn pair(&mut self, given: &Given, option: &Parameter) -> ([u32; 2], bool) {
        let value = given.value(option);
        let one = std::slice::from_ref(&*value);
        let values = if let ValueKind::List(values) = &value.kind { values.as_slice() } else { one };
        if !(1..=2).contains(&values.len()) {
            self.wrong_option(option, &value);
            return ([option.takes.least(); 2], true);
        }
        let mut read = |value: &Value| {
            let wrong = |reader: &mut Self| reader.wrong_option(option, value);
            self.read_integer(&option.takes, value, wrong).unwrap_or(option.takes.least())
        };
        let first = read(&values[0]);
        match values.get(1) {
            Some(second) => ([first, read(second)], false),
            None => ([first; 2], true),
        }
    }

    /// A decimal option, or its default.
    pub fn decimal(&mut self, given: &Given, option: &Parameter) -> f64 {
        let value = given.value(option);
        let range = option.takes.range();
        match value.number() {
            Some(number) if range.contains(&number) => return number,
            _ if matches!(value.kind, ValueKind::Damaged) => {}
            _ => self.wrong_option(option, &value),
        }
        *range.start()
    }

    /// An option that is a number or many, or its default.
    pub fn numbers(&mut self, given: &Given, option: &Parameter) -> Values {
        let value = given.value(option);
        let remark = |error: Diagnostic| error.note(format!("{}: {}", option.name, option.meaning));
        self.read_numbers(&format!("`{}`", option.name), &option.takes, &value, remark)
    }

    /// The only argument, a number or many.
    pub fn numbers_argument(&mut self, given: &Given) -> Values {
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
        let range = takes.range();
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
        } else if matches!(&value.kind, ValueKind::Constructor(constructor) if FILE.find(&constructor.word.text).is_some())
        {
            let given = self.open(FILE, subject, value);
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
    pub fn text(&mut self, given: &Given, option: &Parameter) -> Option<String> {
        let value = given.option(option)?;
        match &value.kind {
            ValueKind::Text(text) => return Some(text.clone()),
            ValueKind::Damaged => {}
            ValueKind::Constructor(constructor) if constructor.word.span == value.span => {
                let help = format!("write `\"{}\"`", constructor.word.text);
                self.wrong_value(&format!("`{}`", option.name), &Takes::Text, value, |error| error.help(help));
            }
            _ => self.wrong_option(option, value),
        }
        None
    }

    /// The arguments, all of them integers; nothing if one is wrong or missing, which has been reported.
    pub fn integer_arguments(&mut self, given: &Given) -> Option<Vec<u32>> {
        let mut integers = Vec::new();
        for (parameter, value) in given.form.arguments.iter().zip(given.arguments.iter()) {
            // An argument has no name to a reader; its meaning says what it is.
            let subject = format!("the {}", parameter.meaning);
            integers.push(self.read_integer(&parameter.takes, value, |reader| {
                reader.wrong_value(&subject, &parameter.takes, value, |error| error);
            }));
        }
        let integers: Option<Vec<_>> = integers.into_iter().collect();
        integers.filter(|integers| given.is_known && integers.len() >= given.form.arguments_required())
    }

    /// The arguments of a constructor that takes decimals, if they are as they should be.
    pub fn decimal_arguments(&mut self, given: &Given) -> Option<Vec<f64>> {
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
