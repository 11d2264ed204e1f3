//! How much of a front searches find with few designs: of a space whose designs were all run, each search is given a part of them.
//!
//! ```text
//! onward explore NET.sp --space SPACE.toml --method grid --designs 100000 --json all.json
//! cargo run --release -p onward-explore --example search_quality -- all.json [DESIGNS] [SEEDS]
//! ```
//!
//! Prints for each search the mean share of the true front's hypervolume over seeds, with the least of them.

use onward_explore::expression::Expression;
use onward_explore::front::{Scale, front};
use onward_explore::search::{Limits, Score, search};
use onward_explore::space::{Design, Method, Objective, Parameter, Search, Space};
use serde_json::Value as Json;
use std::collections::BTreeMap;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = arguments.first() else {
        eprintln!("name the file that `onward explore --method grid --json` wrote");
        std::process::exit(2);
    };
    let text = std::fs::read_to_string(path).expect("the file can be read");
    let all: Json = serde_json::from_str(&text).expect("it is what `onward explore --json` wrote");
    let (space, scores) = read(&all);
    let number =
        |at: usize, otherwise: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (designs, seeds) = (number(1, scores.len() / 5), number(2, 10));
    let candidates: Vec<Vec<f64>> =
        scores.values().filter(|score| score.violation <= 0.0).filter_map(|score| score.objectives.clone()).collect();
    let scale = Scale::of(&candidates);
    let whole = scale.share(&best(&candidates));
    println!(
        "{} designs, {} of them candidates, {} on the front",
        scores.len(),
        candidates.len(),
        front(&candidates).len()
    );
    for (name, method) in
        [("random", Method::Random), ("latin", Method::Latin), ("nsga2", Method::Genetic), ("model", Method::Model)]
    {
        let shares: Vec<f64> = (1..=seeds as u64)
            .map(|seed| {
                let space = Space { search: Search { method, seed, designs, ..space.search.clone() }, ..space.clone() };
                let mut search = search(&space);
                let (mut found, mut limits) = (Vec::new(), Limits::of(None));
                while found.len() < designs {
                    let asked = search.ask(space.search.batch.min(designs - found.len()), &mut limits);
                    if asked.is_empty() {
                        break;
                    }
                    let told: Vec<(Design, Score)> =
                        asked.into_iter().map(|design| (design.clone(), scores[&design].clone())).collect();
                    search.tell(&told);
                    found.extend(told);
                }
                let points: Vec<Vec<f64>> = found
                    .iter()
                    .filter(|(_, score)| score.violation <= 0.0)
                    .filter_map(|(_, score)| score.objectives.clone())
                    .collect();
                100.0 * scale.share(&best(&points)) / whole
            })
            .collect();
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
        println!("{name:>8}: {designs} designs, mean of {seeds} seeds {mean:.1} %, the least {least:.1} %");
    }
}

fn best(points: &[Vec<f64>]) -> Vec<Vec<f64>> {
    front(points).into_iter().map(|at| points[at].clone()).collect()
}

/// The space, and what came of each of its designs.
fn read(all: &Json) -> (Space, BTreeMap<Design, Score>) {
    let list = |value: &Json| value.as_array().cloned().unwrap_or_default();
    let word = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let parameters: Vec<(String, Vec<Json>)> = list(&all["parameters"])
        .iter()
        .map(|parameter| (word(&parameter["name"]), list(&parameter["values"])))
        .collect();
    let objectives: Vec<Objective> = list(&all["objectives"])
        .iter()
        .map(|objective| Objective {
            name: word(&objective["name"]),
            expression: Expression::parse("0").expect("a number is an expression"),
            is_maximized: objective["sense"] == "maximize",
        })
        .collect();
    let mut scores = BTreeMap::new();
    for found in list(&all["designs"]) {
        let choice = |(name, values): &(String, Vec<Json>)| {
            let value = &found["parameters"][name];
            values.iter().position(|known| known == value)
        };
        let design = Design(parameters.iter().map(choice).collect());
        let number = |objective: &Objective| {
            let number = found["objectives"][&objective.name].as_f64()?;
            Some(if objective.is_maximized { -number } else { number })
        };
        let numbers: Option<Vec<f64>> = objectives.iter().map(number).collect();
        let violation = if found["candidate"] == true { 0.0 } else { 1.0 };
        scores.insert(design, Score { objectives: numbers, violation, is_full: true });
    }
    let of = |(name, values): (String, Vec<Json>)| Parameter {
        is_ordered: values.iter().all(Json::is_number),
        values: values
            .iter()
            .map(|value| {
                value
                    .as_i64()
                    .map_or_else(|| onward_explore::Value::Word(value.to_string()), onward_explore::Value::Integer)
            })
            .collect(),
        name,
        when: None,
        moves_answers: false,
    };
    let search = Search { method: Method::Random, designs: 0, learners: None, batch: 10, seed: 1 };
    let parameters = parameters.into_iter().map(of).collect();
    let space = Space {
        name: "all".to_owned(),
        fixed: BTreeMap::new(),
        parameters,
        objectives,
        constraints: Vec::new(),
        search,
        halving: None,
    };
    (space, scores)
}
