//! A small vocabulary, and spaces of it.

use onward_diagnostic::Source;
use onward_explore::{KnownMeasure, KnownParameter, Space, Value, Vocabulary, space};

pub fn vocabulary() -> Vocabulary {
    let number = |name: &str, lowest: i64, highest: i64, moves_answers: bool| KnownParameter {
        name: name.to_owned(),
        allowed: format!("{lowest} to {highest}"),
        allows: Box::new(move |value| value.integer().is_some_and(|number| (lowest..=highest).contains(&number))),
        meaning: String::new(),
        cost: String::new(),
        moves_answers,
    };
    let words = ["mesh", "torus"];
    let topology = KnownParameter {
        name: "chip.mesh.topology".to_owned(),
        allowed: "`mesh` or `torus`".to_owned(),
        allows: Box::new(move |value| matches!(value, Value::Word(word) if words.contains(&word.as_str()))),
        meaning: String::new(),
        cost: String::new(),
        moves_answers: false,
    };
    let measure = |name, lowest, highest| KnownMeasure { name, meaning: "", lowest, highest };
    Vocabulary {
        parameters: vec![
            number("chip.core.lanes", 1, 64, false),
            number("chip.mesh.width", 1, 256, false),
            number("chip.mesh.link_cycles", 0, 64, false),
            number("network.bits", 1, 16, true),
            number("learning.epochs", 1, 100, true),
            topology,
        ],
        measures: vec![
            measure("accuracy_percent", 0.0, 100.0),
            measure("training_energy_j", 0.0, f64::INFINITY),
            measure("area_mm2", 0.0, f64::INFINITY),
        ],
    }
}

#[allow(dead_code, reason = "not all tests read spaces")]
pub fn read(text: &str) -> Space {
    let source = Source::new("test.toml", text);
    space::read(&source, &vocabulary()).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}
