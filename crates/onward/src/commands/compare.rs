//! `onward compare`: what changed between two results.

use crate::documents::Document;
use crate::failure::Failure;
use crate::files::{Output, read_json};
use crate::ledger::Ledger;
use crate::report::section;
use crate::text::{count, plural, table};
use crate::{Outcome, report, terminal};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  onward compare before.json after.json
  onward compare before.json after.json --only energy_j,cycles,profile.layers
  onward compare before.json after.json --only cycles --fail-above 1%

Results are what --json writes. Parts with names (layers, cores, handlers, lines) are compared name
by name. What depends on this computer alone (times of the host, threads) is left out. With
--fail-above the exit code is 1 where a figure changed by more.";

/// What of results is this computer's, or names them, and says nothing of what ran.
const LEFT_OUT: &[&str] =
    &["host_s", "learning_host_s", "testing_host_s", "synaptic_events_per_host_s", "threads", "arguments", "written"];
/// Rows of the table of figures, if nobody says how many.
const ROWS: u32 = 20;

/// Compare two results that --json wrote: what changed, by how much, where
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The results before
    #[arg(value_name = "A.json")]
    before: PathBuf,
    /// The results after
    #[arg(value_name = "B.json")]
    after: PathBuf,
    /// Only keys that are these, or lie below them, as in profile.layers
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    only: Vec<String>,
    /// Exit with code 1 if a figure changed by more than this share, as 1% or 0.01
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    fail_above: Option<f64>,
    /// Rows of the table of figures
    #[arg(long, value_name = "N", default_value_t = ROWS, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Write the differences for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn parse_share(text: &str) -> Result<f64, String> {
    let wrong = || "write a share as 1% or 0.01".to_owned();
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().map_err(|_| wrong())? / unit;
    if share >= 0.0 && share.is_finite() { Ok(share) } else { Err(wrong()) }
}

/// A figure that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Figure {
    key: String,
    before: Option<f64>,
    after: Option<f64>,
    /// Change as a share of what it was; `None` where that was 0, or it was not there.
    change: Option<f64>,
}

/// Something else that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Condition {
    key: String,
    before: Value,
    after: Value,
}

/// All that differs.
#[derive(Debug, Serialize)]
struct Differences {
    /// Figures that were compared, changed or not.
    compared: usize,
    conditions: Vec<Condition>,
    figures: Vec<Figure>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let help = "`onward train NET.sp --json FILE` writes some";
    let [before, after] = [&arguments.before, &arguments.after]
        .map(|path| read_json::<Value>(path, "the results of a command", help, &ledger));
    let (before, after) = (before?, after?);
    for (path, results) in [(&arguments.before, &before), (&arguments.after, &after)] {
        if results.get("schema_version").and_then(Value::as_u64).is_none() {
            let message = format!("{}: has no `schema_version`, and is no result of a command", path.display());
            return Err(Failure::input(message, help));
        }
    }
    let differences = differences(&before, &after, &arguments.only);
    if differences.compared == 0 {
        let message = format!("there is nothing to compare below {}", arguments.only.join(", "));
        return Err(Failure::input(message, "name keys as the book lists them: cycles, energy_j, profile.layers"));
    }
    terminal::print(&text(&differences, arguments.top as usize))?;
    if let Some(json) = &json {
        json.write_json(&Document::new("compare", &differences))?;
    }
    terminal::print(&report::written([json.as_ref()]))?;
    let Some(most) = arguments.fail_above else { return Ok(()) };
    // What was 0, or was not there, changed by more than any share.
    let beyond = differences.figures.iter().filter(|figure| figure.change.is_none_or(|change| change.abs() > most));
    let beyond = beyond.count();
    if beyond == 0 {
        return Ok(());
    }
    terminal::print(&format!("\n{} changed by more than {} %\n", plural(beyond as u64, "figure"), 100.0 * most))?;
    Err(Failure::Different)
}

/// What differs between two results, below some keys; all if there are none.
fn differences(before: &Value, after: &Value, only: &[String]) -> Differences {
    let [before, after] = [before, after].map(|results| {
        let mut leaves = BTreeMap::new();
        flatten(results, String::new(), &mut leaves);
        leaves
    });
    let is_wanted = |key: &str| {
        let below = |wanted: &String| {
            key.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        only.is_empty() || only.iter().any(below)
    };
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    let (mut compared, mut figures, mut conditions) = (0, Vec::new(), Vec::new());
    for key in keys.filter(|key| is_wanted(key)) {
        let (one, other) = (before.get(key), after.get(key));
        let number = |value: Option<&Value>| value.and_then(Value::as_f64);
        if number(one).is_some() || number(other).is_some() {
            compared += 1;
            // A part leaves out what is 0.
            let is_part = key.starts_with("profile.");
            let number = |value| number(value).or(if is_part { Some(0.0) } else { None });
            let (one, other) = (number(one), number(other));
            if one != other {
                let change = one.zip(other).filter(|(one, _)| *one != 0.0).map(|(one, other)| other / one - 1.0);
                figures.push(Figure { key: key.clone(), before: one, after: other, change });
            }
        } else if one != other {
            let value = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
            conditions.push(Condition { key: key.clone(), before: value(one), after: value(other) });
        }
    }
    let size = |figure: &Figure| figure.change.map_or(f64::INFINITY, f64::abs);
    figures.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.key.cmp(&b.key)));
    Differences { compared, conditions, figures }
}

/// Every leaf of a value by its path: `epochs[3].right`, `profile.layers[hidden1].energy_j`.
fn flatten(value: &Value, path: String, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())) {
                flatten(value, if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, leaves);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(item, format!("{path}[{}]", name_of(item, at)), leaves);
            }
        }
        leaf => {
            leaves.insert(path, leaf.clone());
        }
    }
}

/// What an item of a list is known by: what it is called and where it is, or else its place in the list.
fn name_of(item: &Value, at: usize) -> String {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let number = |key: &str| item.get(key).and_then(Value::as_u64);
    // Lines with the same text are told apart by program and address.
    let place = match (number("program"), number("address")) {
        (Some(program), Some(address)) => format!(" @{program}:{address}"),
        (Some(program), None) => format!(" @{program}"),
        _ => String::new(),
    };
    let name = text("name").or_else(|| text("layer")).or_else(|| text("by"));
    let core = || item.get("core").map(|core| format!("core {core}"));
    name.map(|name| name.to_owned() + &place).or_else(core).unwrap_or_else(|| at.to_string())
}

fn text(differences: &Differences, top: usize) -> String {
    let Differences { compared, conditions, figures, .. } = differences;
    let mut text = String::new();
    if !conditions.is_empty() {
        let rows = conditions
            .iter()
            .take(top)
            .map(|Condition { key, before, after }| vec![key.clone(), shown(before), shown(after)]);
        let all =
            if conditions.len() > top { format!(", the first {top} of {}", conditions.len()) } else { String::new() };
        text += &section(&format!("What it is of{all}"), table(&["key", "before", "after"], rows.collect(), &[]));
    }
    let (changed, compared) = (count(figures.len() as u64), plural(*compared as u64, "figure"));
    if figures.is_empty() {
        return text + &format!("\n{compared} compared, and none changed\n");
    }
    let rows = figures.iter().take(top).map(|figure| {
        let change = match figure.change {
            Some(change) => format!("{:+.2} %", 100.0 * change),
            None => "new".to_owned(),
        };
        vec![figure.key.clone(), number(figure.before), number(figure.after), change]
    });
    let most = if figures.len() > top { format!(", the {top} largest") } else { String::new() };
    let title = format!("{changed} of {compared} changed{most}");
    text + &section(&title, table(&["key", "before", "after", "change"], rows.collect(), &[1, 2, 3]))
}

/// A value in a table: not too long.
fn shown(value: &Value) -> String {
    const MOST: usize = 24;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() > MOST { text.chars().take(MOST - 2).chain("..".chars()).collect() } else { text }
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "none".to_owned(),
        Some(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value}"),
        Some(value) => format!("{value:.4e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_are_compared_by_their_names() {
        let before = json!({"schema_version": 1, "chip": "a", "cycles": 100, "host_s": 1.0,
            "profile": {"layers": [{"name": "x", "energy_j": 2.0}, {"name": "y", "spikes": 4}]}});
        let after = json!({"schema_version": 1, "chip": "b", "cycles": 101, "host_s": 2.0,
            "profile": {"layers": [{"name": "y", "spikes": 4}, {"name": "x", "energy_j": 1.0, "spikes": 3}]}});
        let found = differences(&before, &after, &[]);
        let keys: Vec<(&str, Option<f64>)> =
            found.figures.iter().map(|figure| (figure.key.as_str(), figure.change)).collect();
        assert_eq!(keys[0], ("profile.layers[x].spikes", None));
        assert_eq!(keys[1], ("profile.layers[x].energy_j", Some(-0.5)));
        assert_eq!((keys[2].0, keys.len()), ("cycles", 3));
        assert_eq!(found.conditions[0].key, "chip");
        let only = differences(&before, &after, &["cycles".to_owned(), "profile.layers[y]".to_owned()]);
        assert_eq!((only.compared, only.figures.len()), (2, 1));
        assert!(differences(&before, &before, &[]).figures.is_empty());
    }
}
