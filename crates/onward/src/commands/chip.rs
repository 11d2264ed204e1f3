//! `onward chip`: what a chip takes.

use crate::arguments::{parse_setting, technology_help};
use crate::documents::Document;
use crate::files::Output;
use crate::ledger::Ledger;
use crate::report::{area, mesh, section, written};
use crate::text::{average, count, si, table};
use crate::{Outcome, terminal};
use onward_chip::{BUILTIN_CHIPS, Bill, BillReport, Design, KEYS, Part, Range, floor_plan, ratio_of_sums, ratio_range};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  onward chip list
  onward chip show middle
  onward chip show middle --set core.lanes=8 --set clock_hz=highest
  onward chip show mine.toml --technology 130nm-sg13g2 --floorplan mine.svg
  onward chip show middle-8-lanes --beside middle      how two designs compare

All figures are good to the technology's factor, either way.";

/// See what a chip takes: area, clock, leakage, energy of each event
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// The built-in chips, a line each
    List {
        #[arg(long, value_name = "TECHNOLOGY", help = technology_help())]
        technology: Option<String>,
        /// Write their bills for machines; - for standard output
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// The bill of a chip, part by part
    Show(Show),
}

#[derive(clap::Args)]
struct Show {
    /// Built-in chip or path of a chip file
    #[arg(value_name = "CHIP")]
    chip: String,
    /// Give a key of the chip another value; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,
    #[arg(long, value_name = "TECHNOLOGY", help = technology_help())]
    technology: Option<String>,
    /// Another chip, as it is, to compare with
    #[arg(long, value_name = "CHIP")]
    beside: Option<String>,
    /// Write the bill for machines; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the floor plan to scale
    #[arg(long, value_name = "FILE.svg")]
    floorplan: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::List { technology, json } => list(technology.as_deref(), json.as_deref()),
        Command::Show(show) => show.run(),
    }
}

/// The built-in chips. In a technology that cannot follow a chip's clock it takes the highest.
fn list(technology: Option<&str>, json: Option<&Path>) -> Outcome {
    let ledger = Ledger::default();
    let json = json.map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    technology.map_or(Ok(()), |technology| ledger.reads_technology(technology))?;
    let (mut rows, mut reports) = (Vec::new(), Vec::new());
    for (name, _) in BUILTIN_CHIPS {
        let highest = [("clock_hz".to_owned(), "highest".to_owned())];
        let design = Design::load(name, &[], technology).or_else(|_| Design::load(name, &highest, technology))?;
        let (chip, bill) = (&design.chip, &design.bill);
        rows.push(vec![
            (*name).to_owned(),
            mesh(&chip.mesh),
            format!("{} lanes", chip.core.lanes),
            format!("{} KiB a core", chip.data_memory_bytes() / 1024),
            area(bill.area_mm2()),
            format!("{} of {}", si(chip.clock_hz as f64, "Hz"), si(bill.highest_clock_hz as f64, "Hz")),
            si(bill.leakage_w(), "W"),
            bill.technology.clone(),
        ]);
        reports.push(bill.report(chip));
    }
    let header = ["chip", "mesh", "vector unit", "data memory", "area", "clock of highest", "leakage", "technology"];
    terminal::print(&table(&header, rows, &[4]))?;
    write(&json, &Document::new("chip list", serde_json::json!({ "chips": reports })))?;
    terminal::print(&written([json.as_ref()]))
}

fn write(json: &Option<Output>, report: &impl serde::Serialize) -> Outcome {
    json.as_ref().map_or(Ok(()), |json| json.write_json(report))
}

impl Show {
    fn run(&self) -> Outcome {
        let ledger = Ledger::default();
        let json = self.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
        let floorplan = self.floorplan.as_deref().map(|path| Output::prepare(path, &ledger)).transpose()?;
        ledger.reads_chip(&self.chip)?;
        self.beside.as_deref().map_or(Ok(()), |beside| ledger.reads_chip(beside))?;
        let design = Design::load(&self.chip, &self.set, self.technology.as_deref())?;
        let beside =
            self.beside.as_ref().map(|other| Design::load(other, &[], self.technology.as_deref())).transpose()?;
        for design in beside.iter().chain([&design]) {
            ledger.reads_technology(&design.chip.technology)?;
        }
        terminal::print(&text(&design, beside.as_ref()))?;
        let report: BillReport = design.bill.report(&design.chip);
        write(&json, &Document::new("chip show", report))?;
        if let Some(floorplan) = &floorplan {
            floorplan.write(floor_plan(&design.chip, &design.bill).as_bytes())?;
        }
        terminal::print(&written([json.as_ref(), floorplan.as_ref()]))
    }
}

/// The bill for people.
fn text(design: &Design, beside: Option<&Design>) -> String {
    let bill = &design.bill;
    let mut text = overview(design);
    text += &section("Area and leakage", parts(bill));
    text += &section("Paths within a cycle", paths(bill));
    text += &section("Energy of events", events(bill));
    text += &section("Keys", keys(design));
    if let Some(other) = beside {
        text += &section(&format!("Beside {}", other.chip.name), comparison(bill, &other.bill));
    }
    text
}

fn overview(design: &Design) -> String {
    let (chip, bill) = (&design.chip, &design.bill);
    let chips = if bill.chips > 1 { format!("on {} chips of equal size", bill.chips) } else { String::new() };
    let rows = vec![
        vec!["chip".into(), chip.name.clone(), mesh(&chip.mesh)],
        vec!["technology".into(), bill.technology.clone(), format!("at {} V", bill.supply_v)],
        vec!["area".into(), area(bill.area_mm2()), chips],
        vec!["tile".into(), format!("{:.3} mm", bill.tile_side_mm), "a side, which a link is long".into()],
        vec![
            "clock".into(),
            si(chip.clock_hz as f64, "Hz"),
            format!(
                "at most {} Hz, as {} takes {:.0} ps",
                count(bill.highest_clock_hz),
                bill.longest_path.name,
                bill.longest_path.picoseconds
            ),
        ],
        vec![
            "barrier".into(),
            format!("{} cycles", chip.barrier_cycles),
            format!("at least {} at this clock", bill.least_barrier_cycles),
        ],
        vec!["leakage".into(), si(bill.leakage_w(), "W"), "with all cores on".into()],
        vec!["good to".into(), format!("{} times", average(bill.uncertainty)), "either way, all of it".into()],
    ];
    table(&[], rows, &[])
}

fn parts(bill: &Bill) -> String {
    let whole = bill.root.area_um2();
    let rows = bill.root.walk().into_iter().map(|(depth, times, part)| {
        let all = times as f64 * part.area_um2();
        vec![
            format!("{}{}", "  ".repeat(depth), part.name),
            count(times),
            area(part.area_um2() / 1e6),
            area(all / 1e6),
            format!("{:.1} %", 100.0 * all / whole),
            si(times as f64 * part.leakage_nw() / 1e9, "W"),
        ]
    });
    table(&["", "count", "one", "all", "of the area", "leakage"], rows.collect(), &[1, 2, 3, 4, 5])
}

fn paths(bill: &Bill) -> String {
    let walked = bill.root.walk();
    let mut paths: Vec<_> = walked.iter().flat_map(|(_, _, part)| &part.paths).collect();
    paths.sort_by(|a, b| b.picoseconds.total_cmp(&a.picoseconds));
    let rows = paths.into_iter().map(|path| vec![path.name.to_owned(), format!("{:.0} ps", path.picoseconds)]);
    table(&[], rows.collect(), &[1])
}

fn events(bill: &Bill) -> String {
    let rows = bill.events.iter().map(|(event, picojoules)| {
        let spent_by =
            bill.root.walk().into_iter().filter(|(_, _, part)| part.energies.iter().any(|(of, _)| *of == event));
        let names: Vec<&str> = spent_by.map(|(_, _, part)| part.name).collect();
        vec![event.name().replace('_', " "), si(picojoules / 1e12, "J"), names.join(", ")]
    });
    table(&["", "", "in"], rows.collect(), &[1])
}

fn keys(design: &Design) -> String {
    let rows = KEYS.iter().map(|key| {
        let value = key.value(&design.chip).unwrap_or_else(|| "left out".to_owned());
        vec![key.name.to_owned(), value, key.meaning.to_owned()]
    });
    table(&[], rows.collect(), &[])
}

/// How two designs compare, with what the figures leave open.
fn comparison(bill: &Bill, other: &Bill) -> String {
    let alike = bill.technology == other.technology && bill.supply_v.to_bits() == other.supply_v.to_bits();
    let by_part = |quantity: fn(&Part) -> f64| {
        if !alike {
            let (a, b) = (quantity(&bill.root), quantity(&other.root));
            return ratio_range(a, b, bill.uncertainty, other.uncertainty);
        }
        let own = |bill: &Bill| lines(bill, quantity);
        let (a, b) = (own(bill), own(other));
        let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).copied().collect();
        let of = |lines: &std::collections::BTreeMap<&str, f64>| -> Vec<f64> {
            names.iter().map(|name| lines.get(name).copied().unwrap_or(0.0)).collect()
        };
        ratio_of_sums(&of(&a), &of(&b), bill.uncertainty)
    };
    let shown = |title: &str, range: Range| {
        let open = format!("{:.2} to {:.2}", range.lowest, range.highest);
        vec![title.to_owned(), format!("{:.3} times", range.said), open]
    };
    let rows = vec![
        shown("area", by_part(Part::area_um2)),
        shown("leakage", by_part(Part::leakage_nw)),
        shown("highest clock", {
            let (a, b) = (bill.highest_clock_hz as f64, other.highest_clock_hz as f64);
            let factors = if alike && bill.longest_path.name == other.longest_path.name {
                (1.0, 1.0)
            } else {
                (bill.uncertainty, other.uncertainty)
            };
            ratio_range(a, b, factors.0, factors.1)
        }),
    ];
    table(&["", "", "may be"], rows, &[1])
}

/// A quantity by the names of parts, each without its own parts.
fn lines(bill: &Bill, quantity: fn(&Part) -> f64) -> std::collections::BTreeMap<&'static str, f64> {
    let mut lines = std::collections::BTreeMap::new();
    for (_, times, part) in bill.root.walk() {
        let own = Part { parts: Vec::new(), ..part.clone() };
        *lines.entry(part.name).or_insert(0.0) += times as f64 * quantity(&own);
    }
    lines
}
