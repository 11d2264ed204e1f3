//! What can be explored of networks and chips: the parameters of the text, every key of a chip, the compiler's choices, how it learns; and
//! what is measured.

use onward_chip::{BUILTIN_TECHNOLOGIES, KEYS, Key, Toward, Values};
use onward_diagnostic::Source;
use onward_explore::{KnownMeasure, KnownParameter, Value, Vocabulary};
use onward_place::{Objective, Strategy};

/// What can be explored with a network's text.
pub fn vocabulary(network: &Source) -> Vocabulary {
    let mut parameters: Vec<KnownParameter> = vec![chip(), technology()];
    parameters.extend(KEYS.iter().filter(|key| !["name", "technology"].contains(&key.name)).map(chip_key));
    parameters.extend(onward_net::parameters_of(network).into_iter().map(network_parameter));
    parameters.extend([
        words(
            "compiler.place",
            Strategy::ALL.map(Strategy::name).to_vec(),
            "how blocks find their cores",
            "time or energy: no order is best for all networks",
        ),
        words(
            "compiler.objective",
            Objective::ALL.map(Objective::name).to_vec(),
            "what places are chosen for",
            "each gives up what another one is for",
        ),
        number(
            "learning.epochs",
            (1, 100_000),
            "how often the training data is shown",
            "time and energy of learning; fewer: accuracy",
        ),
        number("learning.rate_shift", (-16, 16), "all rates are divided by two to that", "accuracy, either way"),
        number("learning.seed", (0, i64::MAX), "draws all that is drawn", "nothing: another draw"),
    ]);
    Vocabulary { parameters, measures: MEASURES.to_vec() }
}

fn known(
    name: impl Into<String>,
    allowed: impl Into<String>,
    meaning: &str,
    cost: impl Into<String>,
    allows: impl Fn(&Value) -> bool + Send + Sync + 'static,
) -> KnownParameter {
    KnownParameter {
        name: name.into(),
        allowed: allowed.into(),
        allows: Box::new(allows),
        meaning: meaning.to_owned(),
        cost: cost.into(),
        moves_answers: false,
    }
}

fn chip() -> KnownParameter {
    known(
        "chip",
        "a built-in chip or the path of a chip file",
        "the chip that all else changes",
        "what its keys say",
        |value| matches!(value, Value::Word(_)),
    )
}

fn technology() -> KnownParameter {
    let names: Vec<&str> = BUILTIN_TECHNOLOGIES.iter().map(|(name, _)| *name).collect();
    let allowed = format!("a built-in technology ({}) or the path of a technology file", names.join(", "));
    known(
        "technology",
        allowed,
        "the process that the chip is made in",
        "money: a newer process costs more to have made",
        |value| matches!(value, Value::Word(_)),
    )
}

fn chip_key(key: &'static Key) -> KnownParameter {
    let allows = |value: &Value| match (value, key.values) {
        (Value::Word(word), Values::Words(words)) => words.contains(&word.as_str()),
        (Value::Word(word), Values::Range(..)) => key.name == "clock_hz" && word == "highest",
        (Value::Integer(number), _) => u64::try_from(*number).is_ok_and(|number| key.allows(number)),
        _ => false,
    };
    let less = match key.spare {
        Some((Toward::Less, paid)) => format!("; less of it: {paid}"),
        Some((Toward::More, paid)) => format!("; more of it: {paid}"),
        Some((Toward::Other, paid)) => format!("; another: {paid}"),
        None => String::new(),
    };
    let highest = if key.name == "clock_hz" { ", or `\"highest\"`" } else { "" };
    known(format!("chip.{}", key.name), key.allowed() + highest, key.meaning, format!("{}{less}", key.costs), allows)
}

fn network_parameter(name: String) -> KnownParameter {
    let parameter = known(
        format!("network.{name}"),
        "what the network's text takes",
        "a parameter of the network's text",
        "accuracy, memory, time: see the text",
        |_| true,
    );
    KnownParameter { moves_answers: true, ..parameter }
}

fn words(name: &str, words: Vec<&'static str>, meaning: &str, cost: &str) -> KnownParameter {
    let allowed = words.join(", ");
    known(
        name,
        format!("one of {allowed}"),
        meaning,
        cost,
        move |value| matches!(value, Value::Word(word) if words.contains(&word.as_str())),
    )
}

fn number(name: &str, (lowest, highest): (i64, i64), meaning: &str, cost: &str) -> KnownParameter {
    let allowed = format!("a whole number from {lowest} to {highest}");
    let parameter = known(name, allowed, meaning, cost, move |value| {
        value.integer().is_some_and(|number| (lowest..=highest).contains(&number))
    });
    KnownParameter { moves_answers: true, ..parameter }
}

const fn measure(name: &'static str, meaning: &'static str) -> KnownMeasure {
    KnownMeasure { name, meaning, lowest: 0.0, highest: f64::INFINITY }
}

/// What is measured of each design that runs.
const MEASURES: [KnownMeasure; 21] = [
    KnownMeasure {
        name: "accuracy_percent",
        meaning: "share of right answers after learning",
        lowest: 0.0,
        highest: 100.0,
    },
    measure("training_energy_j", "energy of a training sample"),
    measure("training_s", "time of a training sample"),
    measure("training_cycles", "cycles of a training sample"),
    measure("training_samples_per_s", "training samples a second"),
    measure("inference_energy_j", "energy of an inference"),
    measure("inference_s", "time of an inference"),
    measure("inference_cycles", "cycles of an inference"),
    measure("inferences_per_s", "inferences a second"),
    measure("area_mm2", "area of the chip"),
    measure("leakage_w", "leakage with all cores on"),
    measure("power_w", "mean power of the run"),
    measure("clock_hz", "clock"),
    measure("highest_clock_hz", "the highest clock that is possible"),
    measure("supply_v", "supply"),
    measure("cores", "cores that hold a block"),
    measure("chip_cores", "cores of the chip"),
    measure("synapse_memory_percent", "how full the fullest synapse memory is"),
    measure("energy_delay_js", "energy of a training sample times its time"),
    measure("energy_delay_area_jsmm2", "the same times the area"),
    measure("uncertainty_factor", "what energies and areas may be wrong by, either way"),
];
