//! Tables of comma-separated values (RFC 4180), whose first line names the columns.
//!
//! A column `label` (or `class`) is the class of a row, a number, or a name: names are numbered in their order; columns `target`, `target1`, ... are values to be learned of it;
//! `part` says `train` or `test`; all other columns are, in their order, the values of the sample.

use super::Dataset;
use super::array::{Array, Numbers};
use super::arrays::{self, Arrays};
use super::error::{DataError, FileProblem, Problem};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Most bytes of a table that are read.
const LARGEST_FILE: u64 = 1 << 30;

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Value,
    Label,
    Target,
    Part,
}

impl Role {
    fn of(name: &str) -> Role {
        let name = name.trim().to_ascii_lowercase();
        let digits = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        match digits {
            "label" | "labels" | "class" if digits == name => Role::Label,
            "target" | "targets" => Role::Target,
            "part" if digits == name => Role::Part,
            _ => Role::Value,
        }
    }
}

/// Rows of a part, column by column of a role.
#[derive(Default)]
struct Rows {
    count: usize,
    values: Column,
    /// Each with its line.
    labels: Vec<(usize, String)>,
    targets: Column,
}

/// Numbers, which are real as soon as one of them is.
#[derive(Default)]
struct Column {
    numbers: Vec<f64>,
    is_real: bool,
}

impl Column {
    fn push(&mut self, text: &str) -> Result<(), ()> {
        let number: f64 = text.parse().map_err(drop)?;
        self.is_real |= text.parse::<i64>().is_err();
        self.numbers.push(number);
        Ok(())
    }

    fn array(self, shape: Vec<usize>) -> Array {
        let numbers = if self.is_real {
            Numbers::Reals(self.numbers)
        } else {
            Numbers::Integers(self.numbers.into_iter().map(|number| number as i64).collect())
        };
        Array { shape, numbers }
    }
}

/// The data set of a table.
pub(super) fn dataset(name: &str, path: &Path) -> Result<Dataset, DataError> {
    let unreadable = |error| DataError::File { file: name.to_owned(), problem: FileProblem::Unreadable(error) };
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_string(&mut text)).map_err(unreadable)?;
    let failed = |problem| DataError::Archive { file: name.to_owned(), problem };
    if text.len() as u64 > LARGEST_FILE {
        let cause = format!("is larger than {} MiB", LARGEST_FILE >> 20);
        return Err(failed(Problem::new(cause, "give it as arrays: a `.npz` file, as `numpy.savez` writes it")));
    }
    let (arrays, note) = arrays_of(text.strip_prefix('\u{feff}').unwrap_or(&text)).map_err(failed)?;
    let mut dataset = arrays::dataset(name, &arrays)?;
    dataset.notes.extend(note);
    Ok(dataset)
}

/// The numbers of classes, by what the table calls them, and a note where it calls them by names.
struct Classes {
    /// Each name with its number.
    names: BTreeMap<String, usize>,
}

/// Names of classes that a note lists, at most.
const NAMED: usize = 20;

impl Classes {
    /// Of all labels of a table: numbers, or names, but not both.
    fn of<'a>(labels: impl Iterator<Item = &'a (usize, String)> + Clone) -> Result<Classes, Problem> {
        let is_number = |label: &str| label.parse::<f64>().is_ok();
        let mut names = labels.clone().filter(|(_, label)| !is_number(label)).peekable();
        let Some((line, name)) = names.peek() else { return Ok(Classes { names: BTreeMap::new() }) };
        if name.is_empty() || labels.clone().any(|(_, label)| is_number(label)) {
            let cause = format!("line {line}: the label `{name}` is no number, as others are");
            return Err(Problem::new(cause, "number the classes from 0, or name all of them"));
        }
        if let Some((line, _)) = labels.clone().find(|(_, label)| label.is_empty()) {
            return Err(Problem::new(format!("line {line} has no label"), "leave the row out, or say its class"));
        }
        let mut names: BTreeMap<String, usize> = names.map(|(_, name)| (name.clone(), 0)).collect();
        names.values_mut().enumerate().for_each(|(at, number)| *number = at);
        Ok(Classes { names })
    }

    /// The labels of a part as numbers.
    fn numbers(&self, labels: &[(usize, String)]) -> Column {
        let mut column = Column::default();
        for (_, label) in labels {
            let number = self.names.get(label);
            // What is no name is a number.
            let _ = column.push(&number.map_or_else(|| label.clone(), |number| number.to_string()));
        }
        column
    }

    fn note(&self) -> Option<String> {
        let all = self.names.iter();
        let listed: Vec<String> = all.take(NAMED).map(|(name, number)| format!("{number} {name}")).collect();
        let more = if self.names.len() > NAMED { ", ..." } else { "" };
        (!self.names.is_empty()).then(|| format!("classes are numbered: {}{more}", listed.join(", ")))
    }
}

/// The arrays of a table, named by part and role, and what is to be noted of it.
fn arrays_of(text: &str) -> Result<(Arrays, Option<String>), Problem> {
    let mut lines = lines(text);
    let (_, header) = lines.next().ok_or("is empty: the first line names the columns")??;
    if let (1, Some(other)) = (header.len(), [';', '\t'].into_iter().find(|&other| header[0].contains(other))) {
        let cause = format!("its cells are separated by {other:?}, and those of a table by commas");
        return Err(Problem::new(cause, "write it with commas, and with points in numbers"));
    }
    if let Some(number) = header.iter().find(|name| name.trim().parse::<f64>().is_ok()) {
        let help = "write a first line with a name for each column, one of them `label`";
        return Err(Problem::new(format!("line 1 names the columns, but has the number {}", number.trim()), help));
    }
    let roles: Vec<Role> = header.iter().map(|name| Role::of(name)).collect();
    let of = |role: Role| roles.iter().filter(|&&found| found == role).count();
    if of(Role::Label) > 1 || of(Role::Part) > 1 {
        return Err(Problem::new("has two columns of labels, or two that say the part", "leave one of them out"));
    }
    if of(Role::Value) == 0 {
        return Err(Problem::new("has no column of values", "all columns but `label`, `target` and `part` are values"));
    }
    let mut parts = [Rows::default(), Rows::default(), Rows::default()];
    for line in lines {
        let (number, cells) = line?;
        if cells.len() == 1 && cells[0].trim().is_empty() {
            continue;
        }
        if cells.len() != header.len() {
            let cause = format!("line {number} has {} cells, the first has {}", cells.len(), header.len());
            return Err(Problem::new(cause, "give each row a cell for each column"));
        }
        let said = roles.iter().position(|&role| role == Role::Part).map(|at| cells[at].trim());
        let part = match said {
            None => 0,
            Some("train") => 1,
            Some("test") => 2,
            Some(other) => {
                let cause = format!("line {number}: the column `part` says `{other}`");
                return Err(Problem::new(cause, "it says `train` or `test`"));
            }
        };
        parts[part].count += 1;
        for ((cell, &role), column) in cells.iter().zip(&roles).zip(&header) {
            let rows = &mut parts[part];
            let to = match role {
                Role::Value => &mut rows.values,
                Role::Label => {
                    rows.labels.push((number, cell.trim().to_owned()));
                    continue;
                }
                Role::Target => &mut rows.targets,
                Role::Part => continue,
            };
            to.push(cell.trim()).map_err(|()| {
                let help = "leave the row out, or put a number there";
                Problem::new(format!("line {number}, column `{}`: `{}` is no number", column.trim(), cell.trim()), help)
            })?;
        }
    }
    let classes = Classes::of(parts.iter().flat_map(|rows| &rows.labels))?;
    let mut arrays = Arrays::new();
    for (prefix, rows) in ["", "train_", "test_"].into_iter().zip(parts) {
        let count = rows.count;
        if count == 0 {
            continue;
        }
        let mut insert = |name: &str, role: Role, column: Column| {
            let width = of(role);
            let shape = if role == Role::Label { vec![count] } else { vec![count, width] };
            if width > 0 {
                arrays.insert(format!("{prefix}{name}"), column.array(shape));
            }
        };
        insert("samples", Role::Value, rows.values);
        insert("labels", Role::Label, classes.numbers(&rows.labels));
        insert("targets", Role::Target, rows.targets);
    }
    if arrays.is_empty() { Err("has no row beneath its first line".into()) } else { Ok((arrays, classes.note())) }
}

/// The cells of each line, with its number from 1. A cell in double quotes may hold commas and line ends; two of them stand
/// for one.
fn lines(text: &str) -> impl Iterator<Item = Result<(usize, Vec<String>), Problem>> + '_ {
    let mut rest = text;
    let mut line = 1;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let first = line;
        let mut cells = vec![String::new()];
        let mut quoted = false;
        let mut characters = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((at, character)) = characters.next() {
            line += usize::from(character == '\n');
            let cell = cells.last_mut()?;
            match character {
                '"' if quoted && matches!(characters.peek(), Some((_, '"'))) => {
                    characters.next();
                    cell.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                '\r' if !quoted && matches!(characters.peek(), Some((_, '\n'))) => {}
                other => cell.push(other),
            }
        }
        rest = &rest[end..];
        match quoted {
            true => Some(Err(format!("line {first} opens a quote that nothing closes").into())),
            false => Some(Ok((first, cells))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_may_be_quoted() {
        let cells: Vec<_> = lines("a,\"b,\"\"c\"\r\n1,\"x\ny\"\n\n2,3").map(|line| line.expect("sound")).collect();
        let expected = [(1, vec!["a", "b,\"c"]), (2, vec!["1", "x\ny"]), (4, vec![""]), (5, vec!["2", "3"])];
        assert_eq!(cells.len(), 4);
        for ((number, cells), (line, texts)) in cells.iter().zip(expected) {
            assert_eq!((*number, cells.iter().map(String::as_str).collect::<Vec<_>>()), (line, texts));
        }
        assert!(lines("a,\"b").next().expect("a line").is_err());
    }
}
