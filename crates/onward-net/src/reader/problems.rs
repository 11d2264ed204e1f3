//! What is wrong with values, in words.

use super::Reader;
use crate::parameters::place;
use crate::syntax::{Constructor, Setting, Value, ValueKind};
use crate::vocabulary::{Absent, Family, Form, Parameter, Takes};
use onward_diagnostic::{Diagnostic, nearest};

impl Reader<'_> {
    /// Reports options that must be there and are not.
    pub(super) fn check_required(&mut self, form: &Form, constructor: &Constructor) {
        for parameter in form.options().filter(|parameter| matches!(parameter.absent, Absent::Error)) {
            if !constructor.options.iter().any(|option| option.name.text == parameter.name) {
                let message = format!("`{}` needs the option `{}`", form.name, parameter.name);
                let error = Diagnostic::new(constructor.word.span.clone(), message);
                let error = error.note(format!("{}: {}", parameter.name, parameter.meaning));
                let takes = parameter.takes.describe();
                self.report(error.help(format!("add `{{ {} = ... }}`: {takes}", parameter.name)));
            }
        }
    }

    /// Reports duplicate options; gives those that the form does not have.
    pub fn check_options<'a>(&mut self, form: &Form, options: &[&'a Setting]) -> Vec<&'a Setting> {
        let mut unknown = Vec::new();
        for (position, option) in options.iter().enumerate() {
            let name = option.name.text.as_str();
            if !form.options().any(|parameter| parameter.name == name) {
                unknown.push(*option);
            } else if let Some(first) = options[..position].iter().find(|first| first.name.text == name) {
                let place = place(self.source, &first.name.span, &option.name.span);
                let error = Diagnostic::new(option.name.span.clone(), format!("`{name}` is given twice"));
                self.report(error.note(format!("it is first given in {place}")).help("keep one of them"));
            }
        }
        unknown
    }

    pub(super) fn unknown_option(&mut self, form: &Form, option: &Setting) {
        let name = option.name.text.as_str();
        let note = match form.options().next() {
            None => format!("`{}` has no options", form.name),
            Some(_) => format!("options of `{}` are: {}", form.name, form.option_list()),
        };
        let message = format!("`{}` has no option `{name}`", form.name);
        let error = Diagnostic::new(option.name.span.clone(), message).note(note);
        self.report(self.with_guess(error, name, form.options().map(|parameter| parameter.name)));
    }

    pub(super) fn unknown_constructor(&mut self, family: &Family, value: &Value, word: &str) {
        let ValueKind::Constructor(constructor) = &value.kind else { return };
        let message = format!("unknown {} `{word}`", family.noun);
        // Of many, how each is called; of one, all ways to call it.
        let forms = (family.forms)();
        let list: Vec<String> = match forms[..] {
            [only] => vec![only.usages()],
            ref many => many.iter().map(|form| format!("`{}`", form.usage_required())).collect(),
        };
        let note = format!("what exists: {}", list.join(", "));
        let error = Diagnostic::new(constructor.word.span.clone(), message).note(note);
        self.report(self.with_guess(error, word, forms.iter().map(|form| form.name)));
    }

    pub(super) fn wrong_argument_count(&mut self, form: &Form, constructor: &Constructor) {
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

    pub(super) fn wrong_option(&mut self, parameter: &Parameter, value: &Value) {
        let note = format!("{}: {}", parameter.name, parameter.meaning);
        self.wrong_value(&format!("`{}`", parameter.name), &parameter.takes, value, |error| error.note(note));
    }

    pub(super) fn wrong_value(
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

    /// Adds which of `candidates` is likely meant, or else where `word` has its place.
    pub fn with_guess<'c>(
        &self,
        error: Diagnostic,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Diagnostic {
        match ((self.home)(word), nearest(word, candidates)) {
            (Some(home), _) => error.note(home),
            (None, Some(guess)) => error.help(format!("did you mean `{guess}`?")),
            (None, None) => error,
        }
    }
}

/// Whether a text is a number and no calculation.
fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "+-. ".contains(c))
        && !text.starts_with(char::is_alphabetic)
        && !text.trim_start_matches('-').contains(' ')
}
