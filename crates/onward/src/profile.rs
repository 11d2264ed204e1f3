//! The profile of a run, for people: what bounds it, and tables of its parts.

use crate::Outcome;
use crate::arguments::one_of;
use crate::failure::Failure;
use crate::files::Output;
use crate::ledger::Ledger;
use crate::report::section;
use crate::steps::{StepLogs, by_step};
use crate::text::{count, percent, plural, si, table};
use flate2::Compression;
use flate2::write::GzEncoder;
use onward_emulate::Engine;
use onward_image::Image;
use onward_profile::{
    BoundBy, CorePlace, Critical, CriticalSender, LayerNeurons, LinkPart, Measure, Measures, Part, Profile, Timeline,
};
use std::cmp::Reverse;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Cells of the longest bar.
const BAR: f64 = 20.0;
/// Rows of a table where it was not asked for, and where it was.
const ROWS_OF_SUMMARY: usize = 5;
const ROWS_ASKED_FOR: usize = 20;
/// Cells of the longest name.
const NAME: usize = 30;
/// Columns where nobody says how wide the terminal is.
const WIDTH: usize = 80;

/// What a run is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Phase,
    Purpose,
    Layer,
    Core,
    Block,
    Handler,
    Line,
    Link,
    Neuron,
    Step,
}

/// Ways to divide a run, by name.
const WAYS: [(&str, By); 10] = [
    ("phase", By::Phase),
    ("purpose", By::Purpose),
    ("layer", By::Layer),
    ("core", By::Core),
    ("block", By::Block),
    ("handler", By::Handler),
    ("line", By::Line),
    ("link", By::Link),
    ("neuron", By::Neuron),
    ("step", By::Step),
];

/// What a table can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    Energy,
    Busy,
    Measure(Measure),
}

fn parse_sort(text: &str) -> Result<SortBy, String> {
    match text {
        "energy" => return Ok(SortBy::Energy),
        "cycles" => return Ok(SortBy::Busy),
        _ => {}
    }
    let found = Measure::ALL.iter().find(|measure| measure.key() == text);
    found.map(|&measure| SortBy::Measure(measure)).ok_or_else(|| {
        let names: Vec<&str> = Measure::ALL.iter().map(|measure| measure.key()).collect();
        format!("sort by energy, cycles, or one of {}", names.join(", "))
    })
}

/// Whether a run is counted in detail, and what is told of it.
#[derive(clap::Args)]
#[command(next_help_heading = "Profile")]
pub struct Profiling {
    /// Count in detail, and report what bounds the run and where its time and energy went; changes no answer and no cycle
    #[arg(long = "profile")]
    on: bool,
    /// Whether the profile is what the command is for.
    #[arg(skip)]
    alone: bool,
    /// What follows the run.
    #[arg(skip)]
    logs: StepLogs,
    /// Write the profile for other tools, by how the name ends: .folded (flame graphs), .speedscope.json, .pb.gz (pprof), .csv, .parquet;
    /// .perfetto-trace has the steps from --from to --to, or a thousand
    #[arg(long, value_name = "FILE", value_parser = parse_output)]
    profile_output: Option<PathBuf>,
    /// Write the report as a page for a browser, with a profile; it needs no network
    #[arg(long, value_name = "REPORT.html")]
    report: Option<PathBuf>,
    /// Tables of the parts of the run, instead of the summary: phase, layer, core, block, handler, line, link, neuron, step
    #[arg(long, value_name = "WHAT", value_delimiter = ',', hide_possible_values = true, value_parser = one_of(WAYS))]
    by: Vec<By>,
    /// What their rows are sorted by: energy, cycles, or a key of the profile in the book, as synaptic_events [default: energy]
    #[arg(long, value_name = "MEASURE", value_parser = parse_sort)]
    sort: Option<SortBy>,
    /// Rows of each table [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
}

impl Profiling {
    /// Whether anything was asked for.
    pub fn is_on(&self) -> bool {
        let asks = self.on || !self.by.is_empty() || self.sort.is_some() || self.top.is_some();
        asks || self.profile_output.is_some() || self.report.is_some()
    }

    /// Whether the report is to be a page.
    pub fn is_page(&self) -> bool {
        self.report.is_some()
    }

    /// The page that the report is written as, if it is: checked that it can be.
    ///
    /// # Errors
    /// It cannot.
    pub fn prepare_page(&self, ledger: &Ledger) -> Result<Option<Output>, Failure> {
        self.report.as_deref().map(|path| Output::prepare(path, ledger)).transpose()
    }

    /// Asks for it, and for little else.
    pub fn turn_on(&mut self) {
        (self.on, self.alone) = (true, true);
    }

    /// Whether the profile is what the command is for, so that the usual report is kept short.
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// The command that runs an image or a system: `profile`, where that is what it is for.
    pub fn command(&self) -> &'static str {
        if self.alone { "profile" } else { "run" }
    }

    /// Whether the profile is to be written for another tool.
    pub fn is_written(&self) -> bool {
        self.profile_output.is_some()
    }

    /// Checks that it can be written.
    ///
    /// # Errors
    /// It cannot.
    pub fn prepare(&self, ledger: &Ledger) -> Result<Option<Output>, Failure> {
        let output = self.profile_output.as_deref().map(|path| Output::prepare(path, ledger)).transpose()?;
        if let Some(output) = output.as_ref().filter(|_| self.is_trace()) {
            self.logs.prepare_trace(output)?;
        }
        Ok(output)
    }

    /// Whether steps are traced for another tool.
    pub fn is_trace(&self) -> bool {
        self.profile_output.as_deref().and_then(format_of) == Some(Format::Perfetto)
    }

    /// What was asked for that is made of the time of each step.
    pub fn needs_time(&self) -> Option<&'static str> {
        let by_step = self.by.contains(&By::Step).then_some("--by step");
        by_step.or(self.is_trace().then_some("a trace of steps"))
    }

    /// What follows the run.
    pub fn logs(&self) -> &StepLogs {
        &self.logs
    }

    /// Has an engine with an image loaded count what is asked for.
    pub fn follow(&self, engine: &mut dyn Engine, image: &Image) {
        if self.is_on() {
            engine.count_in_detail();
            self.logs.follow(engine, image, self.is_page() || self.by.contains(&By::Step));
        }
    }

    /// What is told of a run: nothing if it was not counted in detail.
    pub fn report(&self, profile: Option<&Profile>) -> String {
        let Some(profile) = profile else { return String::new() };
        let timeline = self.logs.timeline();
        let view = View {
            profile,
            timeline: timeline.as_ref(),
            sort: self.sort.unwrap_or(SortBy::Energy),
            rows: self.top.map(|top| top as usize),
            width: width(),
        };
        if self.by.is_empty() {
            view.summary()
        } else {
            self.by.iter().map(|&by| view.by(by, ROWS_ASKED_FOR)).collect()
        }
    }
}

/// How a profile is written for other tools, and how the names of such files end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Folded,
    Speedscope,
    Pprof,
    Table,
    Perfetto,
    Parquet,
}

const FORMATS: [(&str, Format); 6] = [
    (".folded", Format::Folded),
    (".speedscope.json", Format::Speedscope),
    (".pb.gz", Format::Pprof),
    (".csv", Format::Table),
    (".parquet", Format::Parquet),
    (".perfetto-trace", Format::Perfetto),
];

fn format_of(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?;
    FORMATS.iter().find(|(ending, _)| name.ends_with(ending)).map(|&(_, format)| format)
}

/// What `--profile-output` is given.
fn parse_output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if format_of(&path).is_some() {
        return Ok(path);
    }
    let endings: Vec<&str> = FORMATS.iter().map(|(ending, _)| *ending).collect();
    Err(format!("the name of a profile for other tools ends in one of {}", endings.join(", ")))
}

impl Profiling {
    /// Writes a profile for another tool.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, profile: &Profile, name: &str, output: &Output) -> Outcome {
        match format_of(output.path()) {
            Some(Format::Perfetto) => self.logs.write_trace(output),
            format => write(format, profile, name, output),
        }
    }
}

fn write(format: Option<Format>, profile: &Profile, name: &str, output: &Output) -> Outcome {
    match format {
        Some(Format::Speedscope) => output.write_json(&profile.to_speedscope(name)),
        Some(Format::Pprof) => output.write_with(|file| {
            let mut file = GzEncoder::new(file, Compression::default());
            file.write_all(&profile.to_pprof())?;
            file.finish().map(drop)
        }),
        Some(Format::Parquet) => {
            let bytes = profile.write_parquet(Vec::new()).map_err(|error| Failure::Inside(error.to_string()))?;
            output.write(&bytes)
        }
        Some(Format::Table) => output.write(profile.to_csv().as_bytes()),
        Some(Format::Folded | Format::Perfetto) | None => output.write(profile.to_folded().as_bytes()),
    }
}

/// Columns of the terminal: what the environment says, or the terminal itself.
fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    said.or_else(|| comfy_table::Table::new().width().map(usize::from)).unwrap_or(WIDTH).max(40)
}

/// How a profile is shown.
struct View<'a> {
    profile: &'a Profile,
    timeline: Option<&'a Timeline>,
    sort: SortBy,
    rows: Option<usize>,
    width: usize,
}

impl View<'_> {
    fn summary(&self) -> String {
        let profile = self.profile;
        let mut text = String::new();
        if let Some(critical) = &profile.critical {
            text += &section("What bounds the run", self.bounds());
            text += &section("The average step", self.average_step(critical));
        }
        text += &section("Operations", self.operations());
        for by in [By::Phase, By::Layer, By::Core, By::Handler, By::Line, By::Link, By::Neuron] {
            text += &self.by(by, ROWS_OF_SUMMARY);
        }
        text
    }

    fn by(&self, by: By, rows: usize) -> String {
        let profile = self.profile;
        let rows = self.rows.unwrap_or(rows);
        match by {
            By::Phase => self.parts("phase", &profile.phases, None, |_| true, |_| None),
            By::Purpose => self.parts("purpose", &profile.purposes, Some(rows), |_| true, |_| None),
            By::Layer => self.parts("layer", &profile.layers, Some(rows), |part| part.place.blocks > 0, |_| None),
            By::Core => {
                let holds = |part: &Part<CorePlace>| match &part.place.holds[..] {
                    [] => None,
                    [only] => Some(only.clone()),
                    [first, ..] => Some(format!("{first}, ..")),
                };
                self.parts("core", &profile.cores, Some(rows), |part| part.place.core.is_some(), holds)
            }
            By::Block => self.parts("block", &profile.blocks, Some(rows), |part| part.place.block.is_some(), |_| None),
            By::Handler => {
                self.parts("handler", &profile.handlers, Some(rows), |part| part.place.address.is_some(), |_| None)
            }
            By::Line => self.parts(
                "line",
                &profile.lines,
                Some(rows),
                |part| part.place.address.is_some(),
                |part| {
                    let (layer, line) = (part.place.layer.as_ref()?, part.place.line);
                    Some(line.map_or_else(|| layer.clone(), |line| format!("{layer}:{line}")))
                },
            ),
            By::Link => section(&title("link", rows, profile.links.len()), self.links(rows)),
            By::Neuron => section("By neuron", self.neurons(rows)),
            By::Step => section("By step", self.timeline.map_or_else(String::new, |timeline| by_step(timeline, rows))),
        }
    }

    /// What cycles went into along the cores that are done last, and what would help.
    fn bounds(&self) -> String {
        let bounds = &self.profile.bounds;
        let largest = bounds.iter().map(|bound| bound.cycles).max().unwrap_or(0).max(1) as f64;
        let rows = bounds.iter().map(|bound| {
            let bar = "▇".repeat((BAR * bound.cycles as f64 / largest).round() as usize);
            vec![bound.by.title().to_owned(), short_count(bound.cycles), percent(bound.percent), bar]
        });
        let mut text = fitted(&["", "cycles", "share", ""], rows.collect(), &[1, 2], self.width);
        // What the chip is told by, rather than what every step has.
        if let Some(first) = bounds.iter().find(|bound| bound.by != BoundBy::Barrier) {
            text += &wrapped(&format!("to relieve the {}: {}", first.by.title(), first.relief), self.width);
        }
        if let Some(roofline) = &self.profile.roofline {
            text += &wrapped(
                &format!(
                    "cores compute {:.1} elements a cycle while they compute, of {} lanes; their vector instructions alone \
                     {:.1}; {:.2} over the whole run",
                    roofline.elements_per_computing_cycle, roofline.lanes, roofline.roof, roofline.elements_per_cycle
                ),
                self.width,
            );
            text += &wrapped(
                &format!(
                    "the fullest link carries a flit in {} of its cycles, the mean one in {}; a flit waits {:.2} cycles to \
                     enter the mesh",
                    percent(roofline.fullest_link_percent),
                    percent(roofline.mean_link_percent),
                    roofline.stalls_per_flit
                ),
                self.width,
            );
        }
        text
    }

    /// The step as it is on average, and who decides how long it takes.
    fn average_step(&self, critical: &Critical) -> String {
        let steps = critical.steps.max(1) as f64;
        let sum = |of: fn(&CriticalSender) -> u64| critical.senders.iter().map(of).sum::<u64>() as f64 / steps;
        let row =
            |what: &str, cycles: f64, meaning: &str| vec![what.to_owned(), format!("{cycles:.1}"), meaning.to_owned()];
        let rows = vec![
            row("computing", sum(|sender| sender.computing_cycles), "by the core that is done last"),
            row("sending", sum(|sender| sender.sending_cycles), "a cycle a flit"),
            row("stalled", sum(|sender| sender.stalled_cycles), "its flits were not accepted"),
            row("delivery", critical.delivery_cycles as f64 / steps, "flits still on their way"),
            row("barrier", critical.barrier_cycles as f64 / steps, ""),
            row("step", critical.cycles as f64 / steps, "all of it, in cycles"),
        ];
        let mut text = fitted(&[], rows, &[1], self.width);
        if let Some(most) = critical.most() {
            let share = percent(100.0 * most.steps as f64 / critical.steps.max(1) as f64);
            let who = self.sender(most);
            text += &wrapped(&format!("critical: {who}, last in {share} of the steps"), self.width);
        }
        text
    }

    fn sender(&self, sender: &CriticalSender) -> String {
        let Some(core) = sender.core else { return "the host".to_owned() };
        let part = self.profile.cores.iter().find(|part| part.place.core == Some(core));
        let holds = part.map(|part| part.place.holds.join(", ")).unwrap_or_default();
        format!("core {core} ({holds})")
    }

    /// Operations and memory, by the names that NeuroBench gives them.
    fn operations(&self) -> String {
        let (total, footprint) = (&self.profile.total, &self.profile.footprint);
        let row = |what: &str, value: String, meaning: &str| vec![what.to_owned(), value, meaning.to_owned()];
        let mut rows = vec![
            row("activation sparsity", sparsity(total), "neurons that did not fire in a step"),
            row("effective operations", si(total[Measure::SynapticEvents] as f64, ""), "synapses that spikes reached"),
        ];
        if total[Measure::DenseEvents] > 0 {
            let dense = si(total[Measure::DenseEvents] as f64, "");
            rows.push(row("dense operations", dense, "those that all axons would have"));
        }
        rows.push(row("footprint", si(footprint.footprint_bytes as f64, "B"), "memory of the blocks, and programs"));
        rows.push(row("saturations", count(total[Measure::Saturations]), "results cut off at their range"));
        fitted(&[], rows, &[1], self.width)
    }

    /// A table of parts; without a limit in their own order. Those that are none of the sort that is asked for, such as the
    /// host among the layers, come last and together.
    fn parts<P>(
        &self,
        what: &str,
        parts: &[Part<P>],
        limit: Option<usize>,
        is_one: impl Fn(&Part<P>) -> bool,
        note: impl Fn(&Part<P>) -> Option<String>,
    ) -> String {
        let (mut sorted, others): (Vec<&Part<P>>, Vec<&Part<P>>) = parts.iter().partition(|part| is_one(part));
        if limit.is_some() {
            sorted.sort_by(|a, b| self.key(&b.measures).total_cmp(&self.key(&a.measures)));
        }
        let shown = limit.unwrap_or(sorted.len()).min(sorted.len());
        let total = &self.profile.total;
        let mut rows: Vec<Vec<String>> =
            sorted[..shown].iter().map(|part| self.row(short(&part.name), &part.measures, note(part))).collect();
        let sum = |parts: &[&Part<P>]| {
            parts.iter().fold(Measures::default(), |mut sum, part| {
                sum += &part.measures;
                sum
            })
        };
        if shown < sorted.len() {
            let name = plural((sorted.len() - shown) as u64, &format!("other {what}"));
            rows.push(self.row(name, &sum(&sorted[shown..]), None));
        }
        if !others.is_empty() {
            rows.push(self.row("in no ".to_owned() + what, &sum(&others), None));
        }
        rows.push(self.row("all".to_owned(), total, None));
        let mut header = vec![what];
        let mut right = vec![1, 2, 3, 4, 5, 6];
        let sorted_by;
        if let SortBy::Measure(measure) = self.sort {
            sorted_by = measure.title();
            header.push(sorted_by);
            right.push(7);
        }
        header.extend(["energy", "share", "busy", "share", "events", "spikes"]);
        let has_notes = rows.iter().any(|row| row.last().is_some_and(|note| !note.is_empty()));
        if has_notes {
            header.push("where");
        }
        let columns = header.len();
        rows.iter_mut().for_each(|row| row.truncate(columns));
        // Where a part is matters more than how many spikes it fired.
        if has_notes {
            let place = header.len() - 1;
            move_column(&mut header, &mut rows, place, 1);
            right = (2..columns).collect();
        }
        let limited = limit.map_or_else(|| format!("By {what}"), |_| title(what, shown, sorted.len()));
        section(&limited, fitted(&header, rows, &right, self.width))
    }

    fn key(&self, measures: &Measures) -> f64 {
        match self.sort {
            SortBy::Energy => measures.energy.total(),
            SortBy::Busy => measures.busy() as f64,
            SortBy::Measure(measure) => measures[measure] as f64,
        }
    }

    fn row(&self, name: String, measures: &Measures, note: Option<String>) -> Vec<String> {
        let total = &self.profile.total;
        let number = |value: u64| if value == 0 { String::new() } else { short_count(value) };
        let share =
            |part: f64, all: f64| if part == 0.0 || all == 0.0 { String::new() } else { tenth(100.0 * part / all) };
        let energy = measures.energy.total();
        let mut row = vec![name];
        if let SortBy::Measure(measure) = self.sort {
            row.push(number(measures[measure]));
        }
        row.extend([
            if energy == 0.0 { String::new() } else { si(energy, "J") },
            share(energy, total.energy.total()),
            number(measures.busy()),
            share(measures.busy() as f64, total.busy() as f64),
            number(measures[Measure::SynapticEvents]),
            number(measures[Measure::Spikes]),
            note.unwrap_or_default(),
        ]);
        row
    }

    fn links(&self, rows: usize) -> String {
        let mut links: Vec<&LinkPart> = self.profile.links.iter().collect();
        links.sort_by_key(|link| Reverse(link.flits * link.cycles_per_flit));
        let rows = links.iter().take(rows).map(|link| {
            let used = link.used_percent.map_or_else(String::new, percent);
            let crosses = if link.place.crosses_chips { "to another chip" } else { "" };
            vec![link.name.clone(), count(link.flits), used, crosses.to_owned()]
        });
        fitted(&["link", "flits", "cycles used", ""], rows.collect(), &[1, 2], self.width)
    }

    /// How often the neurons of each layer fire, and who does most.
    fn neurons(&self, rows: usize) -> String {
        let layer = |layer: &LayerNeurons| {
            let mut sorted: Vec<(usize, u64)> = layer.spikes.iter().copied().enumerate().collect();
            sorted.sort_by_key(|&(neuron, spikes)| (Reverse(spikes), neuron));
            let silent = sorted.iter().filter(|(_, spikes)| *spikes == 0).count();
            let middle = sorted.get(sorted.len() / 2).map_or(0, |(_, spikes)| *spikes);
            let hottest: Vec<String> = sorted
                .iter()
                .take(rows.min(3))
                .map(|(neuron, spikes)| format!("{neuron} ({})", short_count(*spikes)))
                .collect();
            vec![
                short(&layer.layer),
                format!("{} of {}", count(silent as u64), count(sorted.len() as u64)),
                short_count(middle),
                hottest.join(", "),
            ]
        };
        let rows = self.profile.neurons.iter().map(layer).collect();
        let mut text = fitted(&["layer", "never fire", "median", "fire most (spikes)"], rows, &[1, 2], self.width);
        for layer in &self.profile.neurons {
            let silent: Vec<String> =
                (0..layer.spikes.len()).filter(|&at| layer.spikes[at] == 0).map(|at| at.to_string()).collect();
            if !silent.is_empty() {
                let more = if silent.len() > 16 { ", .." } else { "" };
                let shown = silent[..silent.len().min(16)].join(", ");
                text += &wrapped(&format!("never fire in {}: {shown}{more}", layer.layer), self.width);
            }
        }
        text
    }
}

/// `By core, the first 5 of 12`.
fn title(what: &str, shown: usize, all: usize) -> String {
    if shown < all { format!("By {what}, the first {shown} of {}", count(all as u64)) } else { format!("By {what}") }
}

fn sparsity(measures: &Measures) -> String {
    measures.activation_sparsity().map_or_else(|| "not known".to_owned(), |share| percent(100.0 * share))
}

/// `123`, `1.23 M`.
fn short_count(value: u64) -> String {
    if value < 1000 { value.to_string() } else { si(value as f64, "") }
}

/// `12.3 %`.
fn tenth(value: f64) -> String {
    format!("{value:.1} %")
}

/// A name that is not too long for a table.
fn short(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 2).chain("..".chars()).collect()
}

/// Puts a column elsewhere.
fn move_column(header: &mut Vec<&str>, rows: &mut [Vec<String>], from: usize, to: usize) {
    let title = header.remove(from);
    header.insert(to, title);
    for row in rows {
        let cell = row.remove(from);
        row.insert(to, cell);
    }
}

/// A table of the columns that fit, from the first on; at least two.
fn fitted(header: &[&str], rows: Vec<Vec<String>>, right: &[usize], width: usize) -> String {
    let mut columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    loop {
        let header = &header[..columns.min(header.len())];
        let cut = rows.iter().map(|row| row.iter().take(columns).cloned().collect()).collect();
        let text = table(header, cut, right);
        let plain = anstream::adapter::strip_str(&text).to_string();
        let widest = plain.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        if widest <= width || columns <= 2 {
            return text;
        }
        columns -= 1;
    }
}

/// A sentence in lines that fit.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::from("  ")];
    // A figure stays with its unit.
    let text = text.replace(" %", "\u{a0}%");
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if line.trim().is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("  {word}"));
        }
    }
    lines.join("\n").replace('\u{a0}', " ") + "\n"
}
