//! What is wanted of a design, and how it is looked for.

use super::{At, Reader, entries};
use crate::expression::Expression;
use crate::space::{Constraint, Halving, Method, Objective, Parameter, Search, Settings};
use crate::{Value, Vocabulary};
use onward_diagnostic::did_you_mean;
use std::ops::Range;
use toml::de::DeValue;

impl Reader<'_> {
    /// An expression over names that are there. `span` of what is wrong lies in the file.
    pub(super) fn expression(
        &mut self,
        value: &At,
        is_there: impl Fn(&str) -> bool,
        is_condition: bool,
    ) -> Option<Expression> {
        let DeValue::String(text) = value.get_ref() else {
            self.error(
                value.span(),
                "this is an expression, and stands in quotes",
                "write it as \"accuracy_percent >= 90\"",
            );
            return None;
        };
        let whole = value.span();
        // The text stands in the file as it is, but for escapes.
        let offset = self.text[whole.clone()].find(text.as_ref()).map(|at| whole.start + at);
        let within = |span: Range<usize>| offset.map_or(whole.clone(), |offset| offset + span.start..offset + span.end);
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(wrong) => {
                self.error(within(wrong.span), wrong.message, wrong.help);
                return None;
            }
        };
        let mut is_good = true;
        for (name, span) in expression.names() {
            if !is_there(name) {
                let names: Vec<&str> = self
                    .vocabulary
                    .parameters
                    .iter()
                    .map(|known| known.name.as_str())
                    .chain(self.vocabulary.measures.iter().map(|known| known.name))
                    .filter(|name| is_there(name))
                    .collect();
                let help = match names.is_empty() {
                    true => "a condition looks at what is fixed and at parameters that stand before it".to_owned(),
                    false => did_you_mean(name, names, "there are "),
                };
                self.error(within(span), format!("unknown name `{name}`"), help);
                is_good = false;
            }
        }
        if expression.is_condition() != is_condition {
            let (message, help) = match is_condition {
                true => ("this is no condition", "compare it, as in `accuracy_percent >= 90`"),
                false => ("this is a condition, not a number", "a number is wanted, as `training_energy_j * area_mm2`"),
            };
            self.error(whole, message, help);
            is_good = false;
        }
        is_good.then_some(expression)
    }

    pub(super) fn objectives(&mut self, section: &At, fixed: &Settings, parameters: &[Parameter]) -> Vec<Objective> {
        let mut objectives = Vec::new();
        let all = self.table(section, "`objectives`");
        if all.is_empty() {
            self.error(
                section.span(),
                "the space has no objectives",
                "add one, as `accuracy = { maximize = \"accuracy_percent\" }`",
            );
        }
        for (name, _, given) in all {
            let help = "write `{ minimize = \"...\" }` or `{ maximize = \"...\" }`";
            let entry = match given.get_ref() {
                DeValue::Table(table) if table.len() == 1 => entries(table).into_iter().next(),
                _ => None,
            };
            let Some((sense, _, value)) = entry.filter(|(sense, ..)| ["minimize", "maximize"].contains(sense)) else {
                self.error(given.span(), format!("`{name}` says not which way is better"), help);
                continue;
            };
            let vocabulary = self.vocabulary;
            let is_there = |name: &str| is_name(name, vocabulary, fixed, parameters);
            if let Some(expression) = self.expression(value, is_there, false) {
                self.places.objectives.push(value.span());
                objectives.push(Objective { name: name.to_owned(), expression, is_maximized: sense == "maximize" });
            }
        }
        objectives
    }

    pub(super) fn constraints(&mut self, section: &At, fixed: &Settings, parameters: &[Parameter]) -> Vec<Constraint> {
        let mut constraints: Vec<Constraint> = Vec::new();
        for (_, _, value) in self.table(section, "`constraints`") {
            let vocabulary = self.vocabulary;
            let Some(expression) = self.expression(value, |name| is_name(name, vocabulary, fixed, parameters), true)
            else {
                continue;
            };
            let is_of_parameters = expression.names().iter().all(|(name, _)| self.vocabulary.measure(name).is_none());
            if let Some((side, lowest, highest)) = expression.bounds() {
                let known = self.vocabulary.measure(side).map(|known| (known.lowest, known.highest));
                if let Some((least, most)) = known.filter(|&(least, most)| lowest > most || highest < least) {
                    self.error(
                        value.span(),
                        "the constraint can never hold",
                        format!("`{side}` lies between {least} and {most}"),
                    );
                }
                let other = constraints.iter().find(|other| {
                    other
                        .expression
                        .bounds()
                        .is_some_and(|(same, low, high)| same == side && (lowest > high || highest < low))
                });
                if let Some(other) = other {
                    let help = format!("`{}` asks for the contrary: leave one of them out", other.expression.text);
                    self.error(value.span(), "two constraints contradict each other", help);
                }
            }
            self.places.constraints.push(value.span());
            constraints.push(Constraint { expression, is_of_parameters });
        }
        constraints
    }

    pub(super) fn search(&mut self, section: Option<&At>) -> Search {
        let mut search = Search { method: Method::Genetic, designs: 100, learners: None, batch: 16, seed: 1 };
        for (key, span, value) in section.map(|section| self.table(section, "`search`")).unwrap_or_default() {
            let read = self.value(value);
            let number = read.as_ref().and_then(Value::integer).and_then(|number| usize::try_from(number).ok());
            let above = number.filter(|&number| (1..=10_000_000).contains(&number));
            match (key, above, &read) {
                ("designs", Some(number), _) => search.designs = number,
                ("learners", Some(number), _) => search.learners = Some(number),
                ("batch", Some(number), _) => search.batch = number,
                ("seed", ..) if number.is_some() => search.seed = number.unwrap_or(1) as u64,
                ("method", _, Some(Value::Word(word))) => {
                    match Method::ALL.into_iter().find(|(name, _)| name == word) {
                        Some((_, method)) => search.method = method,
                        None => {
                            let help = did_you_mean(word, Method::ALL.map(|(name, _)| name), "there are ");
                            self.error(value.span(), format!("unknown method `{word}`"), help);
                        }
                    }
                }
                ("designs" | "learners" | "batch" | "seed" | "method", ..) => {
                    self.error(
                        value.span(),
                        format!("`{key}` cannot be that"),
                        "numbers are whole and above 0; a method is a word in quotes",
                    );
                }
                _ => {
                    let help = did_you_mean(key, ["method", "designs", "learners", "batch", "seed"], "a search has ");
                    self.error(span, format!("unknown key `{key}` of the search"), help);
                }
            }
        }
        search
    }

    pub(super) fn halving(&mut self, section: &At, fixed: &Settings) -> Option<Halving> {
        let (mut rungs, mut keep, mut parameter) = (Vec::new(), 0.5, None);
        for (key, span, value) in self.table(section, "`halving`") {
            match key {
                "keep" => match self.value(value).as_ref().and_then(Value::number) {
                    Some(share) if share > 0.0 && share < 1.0 => keep = share,
                    _ => self.error(value.span(), "`keep` is a share", "write a number above 0 and below 1, as 0.5"),
                },
                _ if self.vocabulary.parameter(key).is_some_and(|known| known.moves_answers) => {
                    rungs = self.list(value).unwrap_or_default().iter().filter_map(Value::integer).collect();
                    parameter = Some((key.to_owned(), value.span()));
                }
                _ => self.error(
                    span,
                    format!("unknown key `{key}` of the halving"),
                    "write `\"learning.epochs\" = [1, 4]` and `keep = 0.5`",
                ),
            }
        }
        let Some((parameter, span)) = parameter else {
            self.error(
                section.span(),
                "the halving has no parameter",
                "write `\"learning.epochs\" = [1, 4]`, the small values first",
            );
            return None;
        };
        let rises = rungs.windows(2).all(|pair| pair[0] < pair[1]);
        if rungs.len() < 2 || !rises {
            self.error(span, "the values of a halving rise", "write two at least, the small ones first, as `[1, 4]`");
            return None;
        }
        if fixed.get(&parameter).and_then(Value::integer) != rungs.last().copied() {
            let last = rungs.last().copied().unwrap_or(0);
            self.error(
                span,
                "the halving ends at another value than the designs have",
                format!("write `\"{parameter}\" = {last}` in `[fixed]`"),
            );
            return None;
        }
        Some(Halving { parameter, rungs, keep })
    }
}

fn is_name(name: &str, vocabulary: &Vocabulary, fixed: &Settings, parameters: &[Parameter]) -> bool {
    vocabulary.measure(name).is_some()
        || fixed.contains_key(name)
        || parameters.iter().any(|parameter| parameter.name == name)
}
