//! Parameters and what they may be.

use super::{At, MOST_VALUES, Reader, VALUES_HELP, entries};
use crate::Value;
use crate::expression::Expression;
use crate::space::{Parameter, Settings};
use onward_diagnostic::did_you_mean;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

impl Reader<'_> {
    pub(super) fn fixed(&mut self, section: &At) -> Settings {
        let mut fixed = Settings::new();
        for (name, span, value) in self.table(section, "`fixed`") {
            if self.is_known(name, &span)
                && let Some(read) = self.value(value)
            {
                self.check_allowed(name, &read, value.span());
                fixed.insert(name.to_owned(), read);
            }
        }
        fixed
    }

    pub(super) fn parameters(&mut self, section: &At, fixed: &Settings) -> Vec<Parameter> {
        self.places.parameters = section.span();
        let mut parameters: Vec<Parameter> = Vec::new();
        let all = self.table(section, "`parameters`");
        if all.is_empty() && self.errors.is_empty() {
            self.error(section.span(), "the space has no parameters", VALUES_HELP);
        }
        for (name, span, given) in all {
            if !self.is_known(name, &span) {
                continue;
            }
            if fixed.contains_key(name) {
                self.error(span, format!("`{name}` is fixed, too"), "leave it out of one of the two");
                continue;
            }
            let (values, when) = match given.get_ref() {
                DeValue::Array(_) => (self.list(given), None),
                DeValue::Table(table) => self.range(table, given.span(), &parameters, fixed),
                _ => {
                    self.error(
                        given.span(),
                        format!("`{name}` has no range"),
                        format!("{VALUES_HELP}; a single value belongs into `[fixed]`"),
                    );
                    continue;
                }
            };
            let Some(mut values) = values else { continue };
            if values.is_empty() {
                self.error(given.span(), format!("`{name}` has an empty range"), VALUES_HELP);
                continue;
            }
            for value in &values {
                self.check_allowed(name, value, given.span());
            }
            let is_ordered = values.iter().all(|value| value.number().is_some());
            if is_ordered {
                values.sort_by(|a, b| a.number().unwrap_or(0.0).total_cmp(&b.number().unwrap_or(0.0)));
            }
            if let Some(twice) = (1..values.len()).find(|&at| values[..at].contains(&values[at])) {
                self.error(given.span(), format!("`{name}` has {} twice", values[twice]), "write each value once");
                continue;
            }
            let moves_answers = self.vocabulary.parameter(name).is_some_and(|known| known.moves_answers);
            parameters.push(Parameter { name: name.to_owned(), values, is_ordered, when, moves_answers });
        }
        parameters
    }

    pub(super) fn list(&mut self, given: &At) -> Option<Vec<Value>> {
        let DeValue::Array(items) = given.get_ref() else { return None };
        if items.len() > MOST_VALUES {
            self.error(given.span(), format!("there are more than {MOST_VALUES} values"), "leave some of them out");
            return None;
        }
        items.iter().map(|item| self.value(item)).collect()
    }

    /// Values from `values`, or from `from`, `to` and `step` or `times`; and the condition.
    pub(super) fn range(
        &mut self,
        table: &DeTable,
        span: Range<usize>,
        before: &[Parameter],
        fixed: &Settings,
    ) -> (Option<Vec<Value>>, Option<Expression>) {
        let (mut numbers, mut values, mut when) = (BTreeMap::new(), None, None);
        for (key, key_span, value) in entries(table) {
            match key {
                "values" => values = Some(self.list(value).unwrap_or_default()),
                "when" => {
                    when = self.expression(
                        value,
                        |name| fixed.contains_key(name) || before.iter().any(|parameter| parameter.name == name),
                        true,
                    )
                }
                "from" | "to" | "step" | "times" => {
                    if let Some(number) = self.value(value) {
                        numbers.insert(key.to_owned(), (number, value.span()));
                    }
                }
                _ => {
                    let help = did_you_mean(key, ["values", "from", "to", "step", "times", "when"], "a range has ");
                    self.error(key_span, format!("unknown key `{key}` of a range"), help);
                }
            }
        }
        if values.is_some() {
            return (values, when);
        }
        (self.progression(&numbers, span), when)
    }

    pub(super) fn progression(
        &mut self,
        numbers: &BTreeMap<String, (Value, Range<usize>)>,
        span: Range<usize>,
    ) -> Option<Vec<Value>> {
        let number = |key: &str| numbers.get(key).map(|(value, _)| value.clone());
        let (Some(from), Some(to)) = (number("from"), number("to")) else {
            self.error(span, "the range has no `from` and `to`", VALUES_HELP);
            return None;
        };
        let (by, grows) = match (number("step"), number("times")) {
            (Some(step), None) => (step, false),
            (None, Some(times)) => (times, true),
            _ => {
                self.error(span, "the range has neither `step` nor `times`, or both", VALUES_HELP);
                return None;
            }
        };
        let place = |key: &str| numbers.get(key).map_or(span.clone(), |(_, span)| span.clone());
        let (Some(first), Some(last), Some(by_number)) = (from.number(), to.number(), by.number()) else {
            self.error(span, "a range is of numbers", VALUES_HELP);
            return None;
        };
        if first > last {
            self.error(
                place("to"),
                format!("the range is empty: it ends at {to} and begins at {from}"),
                "write the smaller number as `from`",
            );
            return None;
        }
        if if grows { by_number <= 1.0 || first <= 0.0 } else { by_number <= 0.0 } {
            let key = if grows { "times" } else { "step" };
            let help = if grows { "`times` is above 1, and `from` above 0" } else { "`step` is above 0" };
            self.error(place(key), "the range never ends", help);
            return None;
        }
        let is_whole = [&from, &to, &by].iter().all(|value| value.integer().is_some());
        let mut values = Vec::new();
        for at in 0..=MOST_VALUES {
            let next = if grows { first * by_number.powi(at as i32) } else { first + by_number * at as f64 };
            // What is written as 0.1 is not a tenth: the end belongs to the range.
            if next > last * (1.0 + 1e-9 * last.signum()) {
                return Some(values);
            }
            values.push(if is_whole { Value::Integer(next as i64) } else { Value::Real(rounded(next)) });
        }
        self.error(span, format!("the range has more than {MOST_VALUES} values"), "take larger steps");
        None
    }

    pub(super) fn check_allowed(&mut self, name: &str, value: &Value, span: Range<usize>) {
        if let Some(known) = self.vocabulary.parameter(name)
            && !(known.allows)(value)
        {
            let help = format!("`{name}` is {}", known.allowed);
            self.error(span, format!("`{name}` cannot be {value}"), help);
        }
    }
}

/// Without what lies beyond twelve digits, so that 0.1 + 0.2 is 0.3.
fn rounded(number: f64) -> f64 {
    format!("{number:.12e}").parse().unwrap_or(number)
}
