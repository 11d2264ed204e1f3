//! A study as files: a table, a page.

use crate::Outcome;
use crate::explore::document::document;
use crate::explore::evaluator::Runs;
use crate::explore::export::command as run_command;
use crate::explore::report::Analysis;
use crate::failure::Failure;
use crate::files::Output;
use onward_explore::{Outcome as Found, Point, Space, Studied};
use onward_profile::{Column, TableWriter};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Where the commands of a page write a design's files.
const FOLDER: &str = "designs";

const SCRIPT: &str = include_str!("../../assets/explore.js");

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A number; none where there is none.
    Number(Option<f64>),
    /// A text.
    Text(String),
}

/// A table: columns with their names, all of the same length.
pub type Columns = Vec<(String, Vec<Cell>)>;

/// All designs as a table: what they are known by, parameters, objectives, measures.
pub fn columns(space: &Space, studied: &Studied) -> Columns {
    let best: BTreeSet<usize> = studied.front.iter().copied().collect();
    let points: Vec<(usize, &Point)> = studied.points.iter().enumerate().collect();
    let column = |name: &str, of: &dyn Fn(usize, &Point) -> Cell| {
        (name.to_owned(), points.iter().map(|&(at, point)| of(at, point)).collect::<Vec<Cell>>())
    };
    let yes = |truth: bool| Cell::Text(if truth { "yes" } else { "no" }.to_owned());
    let mut columns = vec![
        column("id", &|_, point| Cell::Text(point.id().to_owned())),
        column("batch", &|_, point| Cell::Number(Some(point.batch as f64))),
        column("front", &|at, _| yes(best.contains(&at))),
        column("candidate", &|_, point| yes(point.candidate().is_some())),
        column("in_full", &|_, point| yes(point.score.is_full)),
        column("reason", &|_, point| Cell::Text(reason(point).unwrap_or_default())),
    ];
    let settings: BTreeSet<&String> = points.iter().flat_map(|(_, point)| point.settings.keys()).collect();
    for name in settings {
        columns.push(column(name, &|_, point| match point.settings.get(name) {
            Some(value) => {
                value.number().map_or_else(|| Cell::Text(value.to_string()), |number| Cell::Number(Some(number)))
            }
            None => Cell::Number(None),
        }));
    }
    for (at, objective) in space.objectives.iter().enumerate() {
        let sign = if objective.is_maximized { -1.0 } else { 1.0 };
        let number = |point: &Point| point.score.objectives.as_ref().map(|numbers| sign * numbers[at]);
        columns.push(column(&format!("objective.{}", objective.name), &|_, point| Cell::Number(number(point))));
    }
    let measured = |point: &Point, name: &str| match &point.outcome {
        Found::Measured { measures, .. } => measures.get(name).copied(),
        Found::Refused(_) => None,
    };
    let names: BTreeSet<&String> =
        points
            .iter()
            .filter_map(|(_, point)| {
                if let Found::Measured { measures, .. } = &point.outcome { Some(measures.keys()) } else { None }
            })
            .flatten()
            .collect();
    for name in names {
        columns.push(column(name, &|_, point| Cell::Number(measured(point, name))));
    }
    columns
}

/// Why a design is worth nothing.
pub fn reason(point: &Point) -> Option<String> {
    match &point.outcome {
        Found::Refused(reason) => Some(reason.clone()),
        Found::Measured { .. } => point.reason.clone(),
    }
}

/// A table as comma-separated values (RFC 4180).
pub fn csv(columns: &Columns) -> String {
    let quoted = |text: &str| match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let cell = |cell: &Cell| match cell {
        Cell::Number(number) => number.map(|number| number.to_string()).unwrap_or_default(),
        Cell::Text(text) => quoted(text),
    };
    let mut lines = vec![columns.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(",")];
    for row in 0..columns.first().map_or(0, |(_, cells)| cells.len()) {
        lines.push(columns.iter().map(|(_, cells)| cell(&cells[row])).collect::<Vec<_>>().join(","));
    }
    lines.join("\n") + "\n"
}

/// A table as a Parquet file: numbers as doubles, NaN where there are none.
///
/// # Errors
/// It cannot be made.
pub fn parquet(columns: &Columns) -> std::io::Result<Vec<u8>> {
    let all: Vec<Column> = columns.iter().map(|(_, cells)| column(cells)).collect();
    let named: Vec<(&str, Column)> = columns.iter().map(|(name, _)| name.as_str()).zip(all.iter().cloned()).collect();
    let mut table = TableWriter::new(&named, Vec::new())?;
    table.rows(&all)?;
    table.finish()
}

/// Numbers, unless some cell has a text.
fn column(cells: &[Cell]) -> Column {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.map(|number| number.to_string()).unwrap_or_default(),
    };
    let number = |cell: &Cell| match cell {
        Cell::Number(number) => *number,
        Cell::Text(_) => None,
    };
    match cells.iter().any(|cell| matches!(cell, Cell::Text(_))) {
        true => Column::Text(cells.iter().map(text).collect()),
        false => Column::Real(cells.iter().map(|cell| number(cell).unwrap_or(f64::NAN)).collect()),
    }
}

/// Writes a study as a page, in which each design has its chip, its network, the command that writes them to files, and the one that
/// profiles a run of them.
pub fn write_page(
    file: &Output,
    runs: &Runs,
    network: &str,
    command: &str,
    space: &Space,
    studied: &Studied,
    analysis: &Analysis,
) -> Outcome {
    let mut data = document(space, studied, analysis);
    data["network"] = network.into();
    data["onward_version"] = env!("CARGO_PKG_VERSION").into();
    if let Some(designs) = data["designs"].as_array_mut() {
        for (design, point) in designs.iter_mut().zip(&studied.points) {
            if let Ok(ready) = runs.ready(&point.settings) {
                design["chip_file"] = toml::to_string(&ready.chip.chip).unwrap_or_default().into();
                let parsed = onward_net::Network::parse(&ready.source);
                design["network_file"] = parsed.map(|network| network.to_string()).unwrap_or_default().into();
            }
            let [chip, network, page] =
                ["toml", "sp", "html"].map(|ending| PathBuf::from(format!("{FOLDER}/{}.{ending}", point.id())));
            let run = run_command(runs, &point.settings, &chip, &network);
            design["profile_command"] = format!("{run} --report {}", page.display()).into();
            design["command"] = format!("{command} --export {} --output {FOLDER}", point.id()).into();
        }
    }
    let inside = |error: serde_json::Error| Failure::Inside(error.to_string());
    let page = onward_profile::drawn_by(&format!("Designs of {}", space.name), &data, SCRIPT).map_err(inside)?;
    file.write(page.as_bytes())
}
