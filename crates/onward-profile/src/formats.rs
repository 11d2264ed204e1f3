//! A profile in the formats of other tools: folded stacks, speedscope, pprof, and a table of comma-separated values.
//!
//! Stacks are layer, handler, instruction. Their weight is the cycles that cores were busy with an instruction; waiting is in none.

use crate::columns::{Column, TableWriter};
use crate::energy::Category;
use crate::profile::{LinePlace, Measure, Measures, Part, Profile};
use crate::protobuf::Message;
use serde::Serialize;
use std::collections::BTreeMap;

/// Picojoules in a joule.
const PICOJOULES: f64 = 1e12;

/// An instruction that was executed, from the outermost frame to the innermost.
struct Stack<'a> {
    frames: [String; 3],
    place: &'a LinePlace,
    measures: &'a Measures,
}

impl Stack<'_> {
    fn energy_pj(&self) -> u64 {
        (self.measures.energy.total() * PICOJOULES).round() as u64
    }
}

impl Profile {
    fn stacks(&self) -> impl Iterator<Item = Stack<'_>> {
        let of_line = |part: &'_ Part<LinePlace>| {
            let layer = part.place.layer.clone()?;
            let handler = part.place.handler.clone()?;
            Some([layer, handler, part.name.clone()])
        };
        self.lines.iter().filter(|part| part.measures.busy() > 0).filter_map(move |part| {
            Some(Stack { frames: of_line(part)?, place: &part.place, measures: &part.measures })
        })
    }

    /// Folded stacks, a line each, as `flamegraph.pl` and `inferno` take them: frames, then busy cycles.
    pub fn to_folded(&self) -> String {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for stack in self.stacks() {
            // What separates frames must not be in them.
            let frames = stack.frames.map(|frame| frame.replace(';', ","));
            *sums.entry(frames.join(";")).or_default() += stack.measures.busy();
        }
        sums.into_iter().map(|(stack, cycles)| format!("{stack} {cycles}\n")).collect()
    }

    /// A file for <https://www.speedscope.app>, with a profile of busy cycles and one of picojoules.
    pub fn to_speedscope(&self, name: &str) -> Speedscope {
        let mut frames: Vec<Frame> = Vec::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let (mut samples, mut cycles, mut energies) = (Vec::new(), Vec::new(), Vec::new());
        for stack in self.stacks() {
            let mut path = String::new();
            let sample = stack.frames.iter().enumerate().map(|(depth, frame)| {
                path = format!("{path};{frame}");
                // Lines with the same text are told apart.
                let line = if depth == 2 { stack.place.line } else { None };
                *known.entry(format!("{path}@{line:?}")).or_insert_with(|| {
                    frames.push(Frame { name: frame.clone(), line });
                    frames.len() - 1
                })
            });
            samples.push(sample.collect::<Vec<usize>>());
            cycles.push(stack.measures.busy());
            energies.push(stack.energy_pj());
        }
        let profile = |title: &str, weights: Vec<u64>| SampledProfile {
            kind: "sampled",
            name: format!("{name}: {title}"),
            unit: "none",
            start_value: 0,
            end_value: weights.iter().sum(),
            samples: samples.clone(),
            weights,
        };
        let profiles = vec![profile("busy cycles", cycles), profile("energy, pJ", energies)];
        Speedscope {
            schema: "https://www.speedscope.app/file-format-schema.json",
            exporter: concat!("onward ", env!("CARGO_PKG_VERSION")),
            name: name.to_owned(),
            shared: Shared { frames },
            profiles,
        }
    }

    /// A profile for `pprof` (`profile.proto`), not yet compressed: busy cycles, picojoules and executions of each instruction.
    pub fn to_pprof(&self) -> Vec<u8> {
        let mut strings = Strings::default();
        let mut file = Message::default();
        for (kind, unit) in [("cycles", "count"), ("energy", "picojoules"), ("instructions", "count")] {
            let (kind, unit) = (strings.number(kind), strings.number(unit));
            file.message(1, Message::default().with(1, kind).with(2, unit));
        }
        // A function and a location each, with the same number; functions from 1 on.
        let mut functions: BTreeMap<(String, u64), u64> = BTreeMap::new();
        let mut samples = Vec::new();
        for stack in self.stacks() {
            let mut path = String::new();
            let mut locations = Vec::new();
            for (depth, frame) in stack.frames.iter().enumerate() {
                path = format!("{path};{frame}");
                let line = if depth == 2 { stack.place.line.unwrap_or(0).into() } else { 0 };
                let next = functions.len() as u64 + 1;
                let number = *functions.entry((path.clone(), line)).or_insert_with(|| {
                    let (name, layer) = (strings.number(frame), strings.number(&stack.frames[0]));
                    let function = Message::default().with(1, next).with(2, name).with(3, name).with(4, layer);
                    let place = Message::default().with(1, next).with(2, line);
                    let address = stack.place.address.filter(|_| depth == 2).unwrap_or(0).into();
                    let mut location = Message::default().with(1, next).with(3, address);
                    location.message(4, place);
                    file.message(4, location);
                    file.message(5, function);
                    next
                });
                locations.push(number);
            }
            locations.reverse(); // the innermost comes first
            let values = vec![stack.measures.busy(), stack.energy_pj(), stack.measures[Measure::Instructions]];
            samples.push((locations, values));
        }
        for (locations, values) in samples {
            let mut sample = Message::default();
            sample.packed(1, &locations);
            sample.packed(2, &values);
            file.message(2, sample);
        }
        strings.all.iter().for_each(|text| file.bytes(6, text.as_bytes()));
        file.into_bytes()
    }

    /// The table of [`Profile::to_csv`] as a Parquet file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_parquet<W: std::io::Write + Send>(&self, out: W) -> std::io::Result<W> {
        let mut rows: Vec<(&str, String, &Measures)> = vec![("total", "all".into(), &self.total)];
        rows.extend(named("phase", &self.phases));
        rows.extend(named("purpose", &self.purposes));
        rows.extend(named("layer", &self.layers));
        rows.extend(named("core", &self.cores));
        rows.extend(named("block", &self.blocks));
        rows.extend(named("handler", &self.handlers));
        rows.extend(named("line", &self.lines));
        let mut columns: Vec<(String, Column)> = vec![
            ("by".into(), Column::Text(rows.iter().map(|(by, ..)| (*by).to_owned()).collect())),
            ("name".into(), Column::Text(rows.iter().map(|(_, name, _)| name.clone()).collect())),
        ];
        for &measure in Measure::ALL {
            let counts = rows.iter().map(|(.., measures)| measures[measure] as i64).collect();
            columns.push((measure.key().to_owned(), Column::Whole(counts)));
        }
        let energy = rows.iter().map(|(.., measures)| measures.energy.total()).collect();
        columns.push(("energy_j".into(), Column::Real(energy)));
        for &category in Category::ALL {
            let joules = rows.iter().map(|(.., measures)| measures.energy.joules(category)).collect();
            columns.push((format!("energy_{}_j", category.key()), Column::Real(joules)));
        }
        let named: Vec<(&str, Column)> = columns.iter().map(|(name, column)| (name.as_str(), column.clone())).collect();
        let mut table = TableWriter::new(&named, out)?;
        table.rows(&columns.into_iter().map(|(_, column)| column).collect::<Vec<_>>())?;
        table.finish()
    }

    /// A table of all parts: how the run is divided, the part's name, every measure, energy and its categories.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("by,name");
        Measure::ALL.iter().for_each(|measure| text += &format!(",{}", measure.key()));
        text += ",energy_j";
        Category::ALL.iter().for_each(|category| text += &format!(",energy_{}_j", category.key()));
        text.push('\n');
        row(&mut text, "total", "all", &self.total);
        rows(&mut text, "phase", &self.phases);
        rows(&mut text, "purpose", &self.purposes);
        rows(&mut text, "layer", &self.layers);
        rows(&mut text, "core", &self.cores);
        rows(&mut text, "block", &self.blocks);
        rows(&mut text, "handler", &self.handlers);
        rows(&mut text, "line", &self.lines);
        text
    }
}

/// Parts, each with how the run is divided and its name.
fn named<'a, P>(by: &'a str, parts: &'a [Part<P>]) -> impl Iterator<Item = (&'a str, String, &'a Measures)> {
    parts.iter().map(move |part| (by, part.name.clone(), &part.measures))
}

fn rows<P>(text: &mut String, by: &str, parts: &[Part<P>]) {
    parts.iter().for_each(|part| row(text, by, &part.name, &part.measures));
}

fn row(text: &mut String, by: &str, name: &str, measures: &Measures) {
    *text += &format!("{by},\"{}\"", name.replace('"', "\"\""));
    Measure::ALL.iter().for_each(|&measure| *text += &format!(",{}", measures[measure]));
    *text += &format!(",{:e}", measures.energy.total());
    measures.energy.categories().for_each(|(_, joules)| *text += &format!(",{joules:e}"));
    text.push('\n');
}

/// A file for speedscope.
#[derive(Clone, Debug, Serialize)]
pub struct Speedscope {
    #[serde(rename = "$schema")]
    schema: &'static str,
    exporter: &'static str,
    name: String,
    shared: Shared,
    profiles: Vec<SampledProfile>,
}

#[derive(Clone, Debug, Serialize)]
struct Shared {
    frames: Vec<Frame>,
}

#[derive(Clone, Debug, Serialize)]
struct Frame {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SampledProfile {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    unit: &'static str,
    start_value: u64,
    end_value: u64,
    samples: Vec<Vec<usize>>,
    weights: Vec<u64>,
}

/// The table of strings of a pprof file; the first is empty.
struct Strings {
    all: Vec<String>,
    numbers: BTreeMap<String, u64>,
}

impl Default for Strings {
    fn default() -> Strings {
        Strings { all: vec![String::new()], numbers: BTreeMap::from([(String::new(), 0)]) }
    }
}

impl Strings {
    fn number(&mut self, text: &str) -> u64 {
        if let Some(&known) = self.numbers.get(text) {
            return known;
        }
        let number = self.all.len() as u64;
        self.all.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}
