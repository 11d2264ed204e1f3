//! A result where the figures of its technology are wrong.

use onward_explore::Outcome;
use onward_explore::robust::Lines;
use std::collections::BTreeMap;

/// Energies that grow with time and not with what happens.
const LEAKING: [&str; 2] = ["leakage", "idle_cores"];

/// What an outcome becomes where each line of its bill is wrong by its own factor: each part's area, what each category of energy costs, and
/// how long its longest path takes. The same line of the same technology is wrong by the same factor in all designs.
pub fn changed(outcome: &Outcome, line: &Lines) -> Outcome {
    let Outcome::Measured { measures, labels } = outcome else { return outcome.clone() };
    let technology = labels.get("technology").map_or("", String::as_str);
    let factor = |of: &str| line(&format!("{technology} {of}"));
    let number = |name: &str| measures.get(name).copied();
    let mut new: BTreeMap<String, f64> = measures.clone();
    // A clock that the path no longer allows falls to what it allows; one that is below stays.
    let path = factor(&format!("path {}", labels.get("clock_limit").map_or("", String::as_str)));
    let (clock, highest) = (number("clock_hz").unwrap_or(1.0), number("highest_clock_hz").unwrap_or(f64::INFINITY));
    let is_highest = clock >= 0.999 * highest;
    let now = if is_highest { clock / path } else { clock.min(highest / path) };
    let slower = clock / now;
    new.insert("clock_hz".to_owned(), now);
    new.insert("highest_clock_hz".to_owned(), highest / path);
    let sum = |prefix: &str, scale: &dyn Fn(&str) -> f64| {
        let parts = measures.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
        let parts: Vec<f64> = parts.map(|(part, value)| value * scale(part)).collect();
        (!parts.is_empty()).then(|| parts.iter().sum::<f64>())
    };
    if let Some(area) = sum("area_mm2.", &|part| factor(&format!("area {part}"))) {
        new.insert("area_mm2".to_owned(), area);
    }
    for (phase, rate) in [("training", "training_samples_per_s"), ("inference", "inferences_per_s")] {
        let scale = |category: &str| {
            let time = if LEAKING.contains(&category) { slower } else { 1.0 };
            time * factor(&format!("energy {category}"))
        };
        if let Some(energy) = sum(&format!("{phase}_energy_j."), &scale) {
            new.insert(format!("{phase}_energy_j"), energy);
        }
        if let Some(seconds) = number(&format!("{phase}_s")) {
            new.insert(format!("{phase}_s"), seconds * slower);
            new.insert(rate.to_owned(), 1.0 / (seconds * slower));
        }
    }
    let product = |names: &[&str]| names.iter().map(|name| new.get(*name).copied()).product::<Option<f64>>();
    for (name, product) in [
        ("energy_delay_js", product(&["training_energy_j", "training_s"])),
        ("energy_delay_area_jsmm2", product(&["training_energy_j", "training_s", "area_mm2"])),
    ] {
        if let Some(product) = product {
            new.insert(name.to_owned(), product);
        }
    }
    Outcome::Measured { measures: new, labels: labels.clone() }
}
