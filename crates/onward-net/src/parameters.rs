//! Parameters and arithmetic: what is left is a tree of plain values.

use crate::include::SETTINGS;
use crate::parser::{parse, parse_value};
use crate::syntax::{Entry, File, Item, Operator, Setting, Span, Value, ValueKind, Word};
use crate::words::is_value;
use onward_diagnostic::{Diagnostic, Source, nearest};
use std::collections::HashMap;

/// The parameters that a text declares, in its order; of a text with mistakes those that could be read.
pub fn parameters_of(source: &Source) -> Vec<String> {
    let entries = parse(source).0.map_or_else(Vec::new, |file| file.entries);
    let declared = entries.into_iter().filter_map(|entry| match entry {
        Entry::Item(item) if item.kind.text == "parameter" => Some(item.name.text),
        _ => None,
    });
    declared.collect()
}

/// Takes the parameters out of the entries of `file` and puts their values where their names stand. Returns what is wrong
/// with them.
pub(crate) fn resolve(file: &mut File, source: &Source) -> Vec<Diagnostic> {
    let mut resolver =
        Resolver { source, settings: Vec::new(), parameters: Vec::new(), below: HashMap::new(), errors: Vec::new() };
    resolver.settings = resolver.given();
    for entry in &file.entries {
        if let Entry::Item(Item { kind, name, .. }) = entry
            && kind.text == "parameter"
        {
            resolver.below.entry(name.text.clone()).or_insert(name.span.clone());
        }
    }
    let mut entries = Vec::new();
    for mut entry in std::mem::take(&mut file.entries) {
        match &mut entry {
            Entry::Item(item) if item.kind.text == "parameter" => resolver.declare(item),
            Entry::Item(Item { value, .. }) | Entry::Setting(Setting { value, .. }) => {
                resolver.value(value);
                entries.push(entry);
            }
        }
    }
    file.entries = entries;
    // Where names may be missing, so may parameters.
    if file.damage < crate::syntax::Damage::Entries {
        resolver.check_given();
    }
    file.parameters = resolver.parameters;
    resolver.errors
}

struct Resolver<'a> {
    source: &'a Source,
    /// What was set from outside: name and the place of the value.
    settings: Vec<(Word, Span)>,
    /// The parameters declared so far.
    parameters: Vec<Setting>,
    /// All parameters with the place of their names, also those that stand below.
    below: HashMap<String, Span>,
    errors: Vec<Diagnostic>,
}

impl Resolver<'_> {
    /// The settings from outside, one a line.
    fn given(&mut self) -> Vec<(Word, Span)> {
        let Some(file) = self.source.files().find(|file| file.name == SETTINGS) else { return Vec::new() };
        let mut settings: Vec<(Word, Span)> = Vec::new();
        let mut start = file.span.start;
        for line in self.source.text[file.span].split_inclusive('\n') {
            let (name, value) = line.trim_end().split_once(" = ").unwrap_or((line.trim_end(), ""));
            let word = Word { text: name.trim().to_string(), span: start..start + name.len() };
            let value_start = (start + name.len() + 3).min(start + line.trim_end().len());
            let value = value_start..value_start + value.len();
            if settings.iter().any(|(earlier, _)| earlier.text == word.text) {
                let message = format!("the parameter `{}` is set twice", word.text);
                self.errors.push(Diagnostic::new(word.span.clone(), message).help("set it once"));
            }
            settings.push((word, value));
            start += line.len();
        }
        settings
    }

    /// Reports what was set and is no parameter.
    fn check_given(&mut self) {
        for (word, _) in std::mem::take(&mut self.settings) {
            if !self.parameters.iter().any(|parameter| parameter.name.text == word.text) {
                let error = self.unknown(&word);
                self.errors.push(error);
            }
        }
    }

    fn unknown(&self, word: &Word) -> Diagnostic {
        let error = Diagnostic::new(word.span.clone(), format!("no parameter is called `{}`", word.text));
        let names: Vec<_> = self.parameters.iter().map(|parameter| parameter.name.text.as_str()).collect();
        if names.is_empty() {
            return error.note("the text declares none").help("write `parameter NAME = VALUE` above its use");
        }
        let error = error.note(format!("parameters are: `{}`", names.join("`, `")));
        match nearest(&word.text, names) {
            Some(guess) => error.help(format!("did you mean `{guess}`?")),
            None => error,
        }
    }

    fn declare(&mut self, item: &mut Item) {
        let name = item.name.clone();
        if is_value(&name.text) {
            let error = Diagnostic::new(name.span.clone(), format!("`{}` has a meaning of its own", name.text));
            self.errors.push(error.note("it is a word of the language").help("choose another name for the parameter"));
            return;
        }
        if let Some(first) = self.parameters.iter().find(|parameter| parameter.name.text == name.text) {
            let place = place(self.source, &first.name.span, &name.span);
            let error = Diagnostic::new(name.span.clone(), format!("the name `{}` is taken", name.text));
            self.errors.push(error.note(format!("it is first used in {place}")).help("choose another name"));
            return;
        }
        self.value(&mut item.value);
        let mut value = item.value.clone();
        if let Some((_, span)) = self.settings.iter().find(|(word, _)| word.text == name.text) {
            value = self.set(span.clone(), &value);
        }
        self.parameters.push(Setting { name, value });
    }

    /// The value that was set from outside, for a parameter that would otherwise have `default`.
    fn set(&mut self, span: Span, default: &Value) -> Value {
        let text = &self.source.text[span.clone()];
        if matches!(default.kind, ValueKind::Text(_)) && !text.starts_with('"') {
            // A shell takes quotes away.
            return Value { kind: ValueKind::Text(text.to_string()), span };
        }
        let (value, errors) = parse_value(self.source, span.clone());
        let is_good = errors.is_empty();
        self.errors.extend(errors);
        match value {
            Some(mut value) if is_good => {
                self.value(&mut value);
                value
            }
            _ => Value { kind: ValueKind::Damaged, span },
        }
    }

    /// Puts the values of parameters into a value and does its arithmetic.
    fn value(&mut self, value: &mut Value) {
        let span = value.span.clone();
        match &mut value.kind {
            ValueKind::Constructor(constructor) => {
                if constructor.is_bare() && constructor.word.span == span {
                    if let Some(known) = self.parameter(&constructor.word) {
                        value.kind = known;
                    }
                    return;
                }
                constructor.arguments.iter_mut().for_each(|argument| self.value(argument));
                constructor.options.iter_mut().for_each(|option| self.value(&mut option.value));
            }
            ValueKind::List(values) => values.iter_mut().for_each(|value| self.value(value)),
            ValueKind::Negative(operand) => {
                self.value(operand);
                let kind = match self.operand(operand) {
                    Some(Number::Integer(integer)) => integer.checked_neg().map(ValueKind::Integer),
                    Some(Number::Decimal(decimal)) => Some(ValueKind::Decimal(-decimal)),
                    None => None,
                };
                value.kind = kind.unwrap_or(ValueKind::Damaged);
            }
            ValueKind::Operation(operation) => {
                self.value(&mut operation.left);
                self.value(&mut operation.right);
                let (left, right) = (self.operand(&operation.left), self.operand(&operation.right));
                value.kind = match (left, right) {
                    (Some(left), Some(right)) => self.calculate(left, operation.operator, right, &span),
                    _ => ValueKind::Damaged,
                };
            }
            ValueKind::Integer(_) | ValueKind::Decimal(_) | ValueKind::Text(_) | ValueKind::Damaged => {}
        }
    }

    /// The value of the parameter that a word names, if it names one.
    fn parameter(&mut self, word: &Word) -> Option<ValueKind> {
        if let Some(parameter) = self.parameters.iter().find(|parameter| parameter.name.text == word.text) {
            return Some(parameter.value.kind.clone());
        }
        let below = self.below.get(&word.text)?.clone();
        if is_value(&word.text) {
            return None;
        }
        let line = place(self.source, &below, &word.span);
        let error =
            Diagnostic::new(word.span.clone(), format!("the parameter `{}` stands below, in {line}", word.text));
        self.errors.push(error.help("move it above its use"));
        Some(ValueKind::Damaged)
    }

    /// The number that an operator is to take.
    fn operand(&mut self, value: &Value) -> Option<Number> {
        match &value.kind {
            ValueKind::Integer(integer) => return Some(Number::Integer(*integer)),
            ValueKind::Decimal(decimal) => return Some(Number::Decimal(*decimal)),
            ValueKind::Damaged => {}
            ValueKind::Constructor(constructor) if constructor.is_bare() => {
                let error = self.unknown(&constructor.word);
                self.errors.push(error);
            }
            _ => {
                let found = &self.source.text[value.span.clone()];
                let error = Diagnostic::new(value.span.clone(), format!("`{found}` is no number to calculate with"));
                self.errors.push(error.help("`+`, `-`, `*` and `/` take numbers and parameters that are numbers"));
            }
        }
        None
    }

    fn calculate(&mut self, left: Number, operator: Operator, right: Number, span: &Span) -> ValueKind {
        let exact = match (left, right) {
            (Number::Integer(left), Number::Integer(right)) => match operator {
                Operator::Add => left.checked_add(right),
                Operator::Subtract => left.checked_sub(right),
                Operator::Multiply => left.checked_mul(right),
                Operator::Divide if left.checked_rem(right) == Some(0) => left.checked_div(right),
                Operator::Divide => None,
            },
            _ => None,
        };
        if let Some(integer) = exact {
            return ValueKind::Integer(integer);
        }
        let (left, right) = (left.decimal(), right.decimal());
        let decimal = match operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
        };
        if !decimal.is_finite() {
            let cause = if right == 0.0 { "this divides by zero" } else { "this is too large a number" };
            self.errors.push(Diagnostic::new(span.clone(), cause));
            return ValueKind::Damaged;
        }
        ValueKind::Decimal(decimal)
    }
}

#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Decimal(f64),
}

impl Number {
    /// Integers beyond 2^53 lose digits, but are out of all ranges anyway.
    fn decimal(self) -> f64 {
        match self {
            Number::Integer(integer) => integer as f64,
            Number::Decimal(decimal) => decimal,
        }
    }
}

/// Where `span` is, seen from `from`: its line, and its file if that is another.
pub(crate) fn place(source: &Source, span: &Span, from: &Span) -> String {
    let (line, file) = (source.position(span.start).0, source.file(span.start));
    if file == source.file(from.start) { format!("line {line}") } else { format!("line {line} of `{}`", file.name) }
}
