//! What is told of a study in the terminal.

use crate::report::section;
use crate::text::{count, table};
use crate::{terminal, text};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onward_explore::effects::Effects;
use onward_explore::front::knee;
use onward_explore::robust::Repeated;
use onward_explore::{Follow, Outcome, Point, Space, Stored, Studied, Vocabulary};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The most points of a front that are listed.
const MOST_LISTED: usize = 40;
/// The most reasons that are listed why designs could not be had.
const MOST_REASONS: usize = 5;
/// The most parameters that are listed for an objective.
const MOST_EFFECTS: usize = 4;

/// What is about to be explored.
pub fn opening(space: &Space, network: &str, workers: usize) -> String {
    let search = &space.search;
    let size = match space.enumerate(onward_explore::space::MOST_ENUMERATED) {
        Some(all) => count(all.len() as u64),
        None => format!("more than {}", count(onward_explore::space::MOST_ENUMERATED as u64)),
    };
    let rows = vec![
        vec!["network".to_owned(), network.to_owned()],
        vec!["space".to_owned(), format!("{}: {} parameters, {size} designs", space.name, space.parameters.len())],
        vec![
            "search".to_owned(),
            format!(
                "{}, {} designs in batches of {}, seed {}, {workers} workers",
                search.method.name(),
                count(search.designs as u64),
                search.batch,
                search.seed
            ),
        ],
        vec!["wanted".to_owned(), space.objectives.iter().map(wanted).collect::<Vec<_>>().join(", ")],
    ];
    table(&[], rows, &[]) + "\n"
}

fn wanted(objective: &onward_explore::space::Objective) -> String {
    let sense = if objective.is_maximized { "most" } else { "least" };
    format!("{sense} {}", objective.name)
}

/// Follows a study: a bar where there is a terminal, and a line a batch that says what is best so far.
pub struct Progress<'a> {
    space: &'a Space,
    stop: Arc<AtomicBool>,
    bar: ProgressBar,
    start: Instant,
    results: u64,
}

impl<'a> Progress<'a> {
    /// Follows a study of a space; it ends once `stop` is set.
    pub fn new(space: &'a Space, stop: Arc<AtomicBool>) -> Progress<'a> {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(space.search.designs as u64), target);
        let style = ProgressStyle::with_template("  {bar:30} {percent:>3} %  {msg}").expect("the template is one");
        bar.set_style(style.progress_chars("━━┄"));
        Progress { space, stop, bar, start: Instant::now(), results: 0 }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Follow for Progress<'_> {
    fn finished(&mut self, _: &Stored) {
        self.results += 1;
        self.bar.set_message(format!("{} results, {}", self.results, text::duration(self.start.elapsed())));
    }

    fn batch(&mut self, so_far: &Studied) {
        self.bar.set_position(so_far.points.len() as u64);
        let line = best_so_far(self.space, so_far);
        // Where nobody reads any more, the study ends at the next batch; what it found is kept.
        if self.bar.suspend(|| terminal::print(&line)).is_err() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn goes_on(&mut self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

/// `48 of 320 designs, 20 networks learned, front of 9, 61.2 % of the volume; best accuracy 96.4, ...; knee ...`
fn best_so_far(space: &Space, so_far: &Studied) -> String {
    let share = so_far.history.last().map_or(0.0, |(_, share)| 100.0 * share);
    let mut line = format!(
        "{:>5} of {} designs, {} networks learned, {} on the front ({share:.1} % of the volume)",
        so_far.points.len(),
        space.search.designs,
        so_far.learners,
        so_far.front.len()
    );
    let best = space.objectives.iter().enumerate().filter_map(|(at, objective)| {
        let least = so_far
            .front
            .iter()
            .filter_map(|&point| Some(so_far.points[point].candidate()?[at]))
            .min_by(f64::total_cmp)?;
        Some(format!("{} {}", objective.name, figure(objective_value(space, at, least))))
    });
    let best: Vec<String> = best.collect();
    if !best.is_empty() {
        line += &format!(": best {}", best.join(", "));
    }
    line + "\n"
}

/// An objective as its expression gives it.
fn objective_value(space: &Space, at: usize, minimized: f64) -> f64 {
    if space.objectives[at].is_maximized { -minimized } else { minimized }
}

/// A number with four digits that count.
pub fn figure(number: f64) -> String {
    let size = number.abs();
    match size {
        0.0 => "0".to_owned(),
        _ if (1e-3..1e5).contains(&size) => {
            let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
            format!("{number:.digits$}")
        }
        _ => format!("{number:.3e}"),
    }
}

/// What is known of a study beyond its results.
#[derive(Default)]
pub struct Analysis {
    /// Which parameter matters, by objective.
    pub effects: Vec<Effects>,
    /// Of each point of the front the share of draws in which it stays where figures are wrong by a factor; and the factor.
    pub uncertain: Option<(f64, Vec<f64>)>,
    /// The same points with several seeds; and how many.
    pub seeds: Option<(u32, Vec<Option<Repeated>>)>,
}

impl Analysis {
    /// For machines: of each point of the front how sure it is.
    pub fn robustness(&self, space: &Space, studied: &Studied) -> Vec<serde_json::Value> {
        let of = |(at, &point): (usize, &usize)| {
            let repeated = self.seeds.as_ref().and_then(|(seeds, found)| Some((seeds, found[at].as_ref()?)));
            let numbers = |numbers: &[f64], is_mean: bool| -> BTreeMap<String, f64> {
                let named = space.objectives.iter().zip(numbers);
                named
                    .map(|(objective, &number)| {
                        (objective.name.clone(), if is_mean && objective.is_maximized { -number } else { number })
                    })
                    .collect()
            };
            serde_json::json!({
                "id": studied.points[point].id(),
                "uncertain_factor": self.uncertain.as_ref().map(|(factor, _)| factor),
                "stays_percent": self.uncertain.as_ref().map(|(_, shares)| 100.0 * shares[at]),
                "seeds": repeated.map(|(seeds, _)| seeds),
                "stays_over_seeds_percent": repeated.map(|(_, found)| 100.0 * found.stays),
                "means": repeated.map(|(_, found)| numbers(&found.means, true)),
                "deviations": repeated.map(|(_, found)| numbers(&found.deviations, false)),
            })
        };
        studied.front.iter().enumerate().map(of).collect()
    }
}

/// What came of a study.
pub fn report(space: &Space, studied: &Studied, analysis: &Analysis, vocabulary: &Vocabulary) -> String {
    let mut text = "\n".to_owned() + &summary(space, studied);
    text += &section("Front", front(space, studied, analysis));
    if !analysis.effects.is_empty() {
        text += &section("What matters", matters(space, &analysis.effects));
    }
    let ends = ends(space, studied, vocabulary);
    if !ends.is_empty() {
        text += &section(
            "Where the front lies at the end of a range",
            table(&["parameter", "end", "of the front", "what more of it costs"], ends, &[]),
        );
    }
    let refused = refused(studied);
    if !refused.is_empty() {
        text += &section("Designs that could not be had", table(&["designs", "why"], refused, &[0]));
    }
    text
}

fn summary(space: &Space, studied: &Studied) -> String {
    let candidates = studied.points.iter().filter(|point| point.candidate().is_some()).count();
    let refused = studied.points.iter().filter(|point| point.score.objectives.is_none()).count();
    let thinned =
        studied.points.iter().filter(|point| !point.score.is_full && point.score.objectives.is_some()).count();
    let share = studied.history.last().map_or(0.0, |(_, share)| 100.0 * share);
    let rows = vec![
        vec!["designs".to_owned(), format!("{} looked at, {} evaluated now", studied.points.len(), studied.evaluated)],
        vec![
            String::new(),
            format!("{candidates} candidates, {thinned} thinned out early, {refused} could not be had"),
        ],
        vec!["learned".to_owned(), format!("{} networks", studied.learners)],
        vec![
            "front".to_owned(),
            format!("{} designs, {share:.1} % of the volume ({})", studied.front.len(), space.name),
        ],
    ];
    table(&[], rows, &[])
}

/// Names of a point of the front: the knee, the best of an objective.
fn names(space: &Space, studied: &Studied) -> BTreeMap<usize, Vec<String>> {
    let mut names: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let objectives: Vec<&Vec<f64>> = studied.front.iter().filter_map(|&at| studied.points[at].candidate()).collect();
    for (at, objective) in space.objectives.iter().enumerate() {
        let best = (0..objectives.len()).min_by(|&a, &b| objectives[a][at].total_cmp(&objectives[b][at]));
        if let Some(best) = best {
            names.entry(studied.front[best]).or_default().push(format!("best {}", objective.name));
        }
    }
    let owned: Vec<Vec<f64>> = objectives.into_iter().cloned().collect();
    if let Some(knee) = knee(&owned) {
        names.entry(studied.front[knee]).or_default().push("knee".to_owned());
    }
    names
}

/// The parameters that matter most for each objective, and the pair that does.
fn matters(space: &Space, effects: &[Effects]) -> String {
    let share = |share: &onward_explore::effects::Share| {
        format!("{:.0} % ({:.0} to {:.0})", share.percent, share.lowest, share.highest)
    };
    let mut rows = Vec::new();
    for effects in effects {
        let mut order: Vec<usize> = (0..effects.main.len()).collect();
        order.sort_by(|&a, &b| effects.main[b].percent.total_cmp(&effects.main[a].percent));
        let objective = &space.objectives[effects.objective].name;
        for (place, &at) in order.iter().take(MOST_EFFECTS).enumerate() {
            let parts = effects.parts[at].iter().zip(&space.parameters[at].values);
            let sign = if effects.is_logarithmic { "x" } else { "" };
            let parts: Vec<String> = parts.map(|(part, value)| format!("{value}: {sign}{}", figure(*part))).collect();
            let name = if place == 0 { objective.clone() } else { String::new() };
            rows.push(vec![name, space.parameters[at].name.clone(), share(&effects.main[at]), parts.join("  ")]);
        }
        if let Some((a, b, pair)) = effects.pairs.first().filter(|(.., pair)| pair.lowest > 0.0) {
            let pair_of = format!("{} with {}", short(&space.parameters[*a].name), short(&space.parameters[*b].name));
            rows.push(vec![String::new(), pair_of, share(pair), "together, beyond each alone".to_owned()]);
        }
    }
    table(&["objective", "parameter", "of what differs", "what its values add to the mean"], rows, &[])
}

/// Ordered parameters of which much of the front has the least or the most value: what ends them there.
fn ends(space: &Space, studied: &Studied, vocabulary: &Vocabulary) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (at, parameter) in
        space.parameters.iter().enumerate().filter(|(_, parameter)| parameter.is_ordered && parameter.values.len() > 2)
    {
        let choices: Vec<usize> =
            studied.front.iter().filter_map(|&point| studied.points[point].design.0[at]).collect();
        for (end, name) in [(0, "least"), (parameter.values.len() - 1, "most")] {
            let there = choices.iter().filter(|&&choice| choice == end).count();
            if 2 * there > choices.len() {
                let cost = vocabulary.parameter(&parameter.name).map(|known| known.cost.clone()).unwrap_or_default();
                rows.push(vec![
                    parameter.name.clone(),
                    format!("{name}, {}", parameter.values[end]),
                    format!("{there} of {}", choices.len()),
                    cost,
                ]);
            }
        }
    }
    rows
}

fn front(space: &Space, studied: &Studied, analysis: &Analysis) -> String {
    let names = names(space, studied);
    let mut order = studied.front.clone();
    let first = |at: usize| studied.points[at].candidate().map_or(0.0, |objectives| objectives[0]);
    order.sort_by(|&a, &b| first(a).total_cmp(&first(b)));
    let mut header = vec!["ID".to_owned()];
    header.extend(space.objectives.iter().map(|objective| objective.name.clone()));
    header.extend(space.parameters.iter().map(|parameter| short(&parameter.name)));
    if let Some((factor, _)) = &analysis.uncertain {
        header.push(format!("stays within {factor} x"));
    }
    if let Some((seeds, _)) = &analysis.seeds {
        header.push(format!("over {seeds} seeds"));
    }
    header.push(String::new());
    let row = |&at: &usize| {
        let point: &Point = &studied.points[at];
        let mut row = vec![point.id().to_owned()];
        let objectives = point.candidate().cloned().unwrap_or_default();
        row.extend(objectives.iter().enumerate().map(|(at, &number)| figure(objective_value(space, at, number))));
        row.extend(space.parameters.iter().map(|parameter| match space.find(&point.design, &parameter.name) {
            Some(value) => value.to_string(),
            None => "-".to_owned(),
        }));
        let place = studied.front.iter().position(|&best| best == at).unwrap_or(0);
        if let Some((_, shares)) = &analysis.uncertain {
            row.push(format!("{:.0} %", 100.0 * shares[place]));
        }
        if let Some((_, found)) = &analysis.seeds {
            row.push(found[place].as_ref().map_or_else(|| "-".to_owned(), |found| over_seeds(space, found)));
        }
        row.push(names.get(&at).map(|names| names.join(", ")).unwrap_or_default());
        row
    };
    let rows: Vec<Vec<String>> = order.iter().take(MOST_LISTED).map(row).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let numbers: Vec<usize> = (1..=space.objectives.len()).collect();
    let mut text = table(&header, rows, &numbers);
    if order.len() > MOST_LISTED {
        text += &format!("and {} more: --csv, --json and --report have all\n", order.len() - MOST_LISTED);
    }
    text
}

/// `96.1 +- 0.4, stays 80 %`: the first objective over seeds.
fn over_seeds(space: &Space, found: &Repeated) -> String {
    format!(
        "{} +- {}, stays {:.0} %",
        figure(objective_value(space, 0, found.means[0])),
        figure(found.deviations[0]),
        100.0 * found.stays
    )
}

/// The last part of a name.
fn short(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

fn refused(studied: &Studied) -> Vec<Vec<String>> {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for point in &studied.points {
        let reason = match (&point.outcome, &point.reason) {
            (Outcome::Refused(reason), _) | (_, Some(reason)) => reason,
            _ => continue,
        };
        *reasons.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<(&str, u64)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    reasons.into_iter().take(MOST_REASONS).map(|(reason, times)| vec![count(times), reason.to_owned()]).collect()
}
