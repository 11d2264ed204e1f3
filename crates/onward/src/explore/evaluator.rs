//! What comes of a design: its network is compiled for its chip, learns, and is tested. The run of values is recorded; designs
//! that differ only in what a record can be timed for are timed from it and never run again.

use crate::explore::records::Records;
use crate::explore::vocabulary::vocabulary;
use onward_chip::{BUILTIN_CHIPS, BUILTIN_TECHNOLOGIES, Design, FileError, Problem};
use onward_compile::{Options, Placing, compile};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine};
use onward_explore::{Evaluator, Identity, Outcome, Settings, Unevaluated, Value, Vocabulary};
use onward_image::Image;
use onward_place::{Objective, Strategy};
use onward_profile::Results;
use onward_run::data::{Dataset, files_of};
use onward_run::{Epochs, Progress, Run, Watch, retime};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The chip where none is named.
const DEFAULT_CHIP: &str = "middle";

/// Evaluates designs of a network on chips: by a run of each network, and by its record on every further chip.
pub struct Runs {
    /// The network's text with all that it includes.
    pub network: Source,
    /// Where it is: paths of data are seen from there.
    pub path: PathBuf,
    /// The data, where it is not what the text names.
    pub data: Option<String>,
    /// Hash of the files of the data.
    data_hash: String,
    /// Set once the user wants an end.
    pub stop: Arc<AtomicBool>,
    /// What was recorded of the networks that ran.
    records: Records,
    /// Designs that were run, and those that were timed from a record.
    ran: AtomicUsize,
    timed: AtomicUsize,
}

/// A design, ready to be compiled.
pub struct Ready {
    /// The network's text with the design's parameters.
    pub source: Source,
    /// The chip in its technology.
    pub chip: Design,
    /// How it is compiled.
    pub options: Options,
    /// How often the training data is shown, where the design says.
    pub epochs: Option<u32>,
    /// Rates are divided by two to that.
    pub rate_shift: i32,
    /// What draws.
    pub seed: u64,
}

impl Runs {
    /// An evaluator of a network and data.
    ///
    /// # Errors
    /// A file of the data cannot be read.
    pub fn new(network: Source, path: &Path, data: Option<String>, stop: Arc<AtomicBool>) -> std::io::Result<Runs> {
        let mut hasher = blake3::Hasher::new();
        let named = data.clone().or_else(|| named_data(&network, path));
        for file in named.iter().flat_map(|named| files_of(named)) {
            hasher.update(file.file_name().unwrap_or_default().as_encoded_bytes());
            hasher.update_reader(std::fs::File::open(&file)?)?;
        }
        hasher.update(named.unwrap_or_default().as_bytes());
        let data_hash = hasher.finalize().to_hex().to_string();
        let path = path.to_owned();
        let (records, [ran, timed]) = (Records::default(), [AtomicUsize::new(0), AtomicUsize::new(0)]);
        Ok(Runs { network, path, data, data_hash, stop, records, ran, timed })
    }

    /// The files of the data.
    pub fn data_files(&self) -> Vec<PathBuf> {
        self.data_path().map(|named| files_of(&named)).unwrap_or_default()
    }

    /// The data's name or path, seen from the working directory.
    pub fn data_path(&self) -> Option<String> {
        self.data.clone().or_else(|| named_data(&self.network, &self.path))
    }

    /// What a design is made of.
    ///
    /// # Errors
    /// Why there is no such chip.
    pub fn ready(&self, settings: &Settings) -> Result<Ready, FileError> {
        let text = |name: &str| settings.get(name).map(ToString::to_string);
        let below = |prefix: &str| -> Vec<(String, String)> {
            let entries = settings
                .iter()
                .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.to_string())));
            entries.collect()
        };
        let name = text("chip").unwrap_or_else(|| DEFAULT_CHIP.to_owned());
        let chip = Design::load(&name, &below("chip."), text("technology").as_deref())?;
        let number = |name: &str| settings.get(name).and_then(Value::integer);
        let seed = number("learning.seed").and_then(|seed| u64::try_from(seed).ok()).unwrap_or(1);
        let place =
            text("compiler.place").and_then(|name| Strategy::ALL.into_iter().find(|strategy| strategy.name() == name));
        let objective = text("compiler.objective")
            .and_then(|name| Objective::ALL.into_iter().find(|objective| objective.name() == name));
        let plain = Options::new(chip.chip.clone(), seed);
        let placing = Placing {
            strategy: place.unwrap_or(plain.placing.strategy),
            objective: objective.unwrap_or(plain.placing.objective),
            traffic: None,
        };
        Ok(Ready {
            source: onward_net::with_settings(self.network.clone(), &below("network.")),
            chip,
            options: Options { placing, ..plain },
            epochs: number("learning.epochs").and_then(|epochs| u32::try_from(epochs).ok()),
            rate_shift: number("learning.rate_shift").and_then(|shift| i32::try_from(shift).ok()).unwrap_or(0),
            seed,
        })
    }

    /// BLAKE3 of the network's text with all that it includes, before a design's parameters are put in.
    pub fn network_hash(&self) -> String {
        blake3::hash(self.network.text.as_bytes()).to_hex().to_string()
    }

    /// BLAKE3 of the names and contents of the files of the data.
    pub fn data_hash(&self) -> &str {
        &self.data_hash
    }

    /// How many designs were run, and how many were timed from the record of such a run.
    pub fn ran_and_timed(&self) -> (usize, usize) {
        (self.ran.load(Ordering::Relaxed), self.timed.load(Ordering::Relaxed))
    }

    /// What comes of a design; `answers` names the record that it can be timed from, or that its run leaves.
    fn evaluate_one(&self, settings: &Settings, answers: &str) -> Result<Outcome, Unevaluated> {
        let ready = match self.ready(settings) {
            Ok(ready) => ready,
            Err(error) => return Ok(Outcome::Refused(in_short(&error))),
        };
        let image = match compile(&ready.source, &ready.options) {
            Ok(image) => image,
            Err(errors) => {
                let first = errors.first().map(|error| error.message.clone()).unwrap_or_default();
                return Ok(Outcome::Refused(first));
            }
        };
        // What a record cannot be timed for, as other programs or blocks, is run.
        let timed = self.records.get(answers).and_then(|record| retime(&record, &image, 1).ok());
        let results = match timed {
            Some(results) => {
                self.timed.fetch_add(1, Ordering::Relaxed);
                results
            }
            None => self.run(&ready, &image, answers)?,
        };
        Ok(measured(&image, &results, &ready.chip))
    }

    /// Runs a design, and records it where there is no record of its answers yet.
    fn run(&self, ready: &Ready, image: &Image, answers: &str) -> Result<Results, Unevaluated> {
        let broken = |error: &dyn std::error::Error| Unevaluated::Broken(error.to_string());
        let dataset = Dataset::for_image(image, self.data.as_deref(), &self.path).map_err(|error| broken(&error))?;
        let options = onward_emulate::Options { seed: ready.seed, timing: true, threads: 1 };
        let mut machine = Machine::new(image, options).map_err(|error| broken(&error))?;
        let mut recorded = None;
        if !self.records.has(answers) {
            let (writer, file) = Records::begin().map_err(|error| broken(&error))?;
            let begun = machine.begin_record(image, writer).map_err(|error| broken(&error))?;
            recorded = begun.then_some(file);
        }
        let mut run = Run::with(image, &dataset, options, Box::new(machine)).map_err(|error| broken(&error))?;
        let mut stopping = Stopping(&self.stop);
        let results = if image.learns() {
            run.set_rate_shift(ready.rate_shift);
            let epochs = Epochs::from(ready.epochs.unwrap_or(image.network.epochs));
            run.learn(epochs, &mut stopping)
        } else {
            run.test(&mut stopping)
        };
        let results = results.map_err(|error| broken(&error))?;
        if results.interrupted {
            return Err(Unevaluated::Interrupted);
        }
        drop(run);
        if let Some(file) = recorded {
            self.records.keep(answers, file);
        }
        self.ran.fetch_add(1, Ordering::Relaxed);
        Ok(results)
    }
}

/// Breaks a run off once the user wants it.
struct Stopping<'a>(&'a AtomicBool);

impl Watch for Stopping<'_> {
    fn progress(&mut self, _: Progress) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Evaluator for Runs {
    fn vocabulary(&self) -> Vocabulary {
        vocabulary(&self.network)
    }

    fn identity(&self, settings: &Settings) -> Identity {
        let mut answers = format!("{}\n{}\n", self.data_hash, self.network.text);
        let mut design = String::new();
        for (name, value) in settings {
            let of_answers = name.starts_with("network.") || name.starts_with("learning.");
            let text = if of_answers { &mut answers } else { &mut design };
            *text += &format!("{name}={value}\n");
        }
        // A file may change under its name.
        for (name, known) in [("chip", BUILTIN_CHIPS), ("technology", BUILTIN_TECHNOLOGIES)] {
            if let Some(Value::Word(path)) = settings.get(name)
                && !known.iter().any(|(known, _)| known == path)
            {
                design += &std::fs::read_to_string(path).unwrap_or_default();
            }
        }
        let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
        Identity { design: hash(&format!("{answers}\n{design}")), answers: hash(&answers) }
    }

    fn evaluate(&self, designs: &[Settings], finished: &(dyn Fn(usize, Outcome) + Sync)) -> Result<(), Unevaluated> {
        let Some(first) = designs.first() else { return Ok(()) };
        let answers = self.identity(first).answers;
        let evaluate = |(at, settings): (usize, &Settings)| {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Unevaluated::Interrupted);
            }
            finished(at, self.evaluate_one(settings, &answers)?);
            Ok(())
        };
        // One after the other until one has run, which leaves a record; all others are then timed side by side.
        let mut left = designs.iter().enumerate();
        while !self.records.has(&answers) {
            let Some(next) = left.next() else { return Ok(()) };
            evaluate(next)?;
        }
        left.collect::<Vec<_>>().into_par_iter().try_for_each(evaluate)
    }
}

/// The data that a network's text names.
fn named_data(network: &Source, path: &Path) -> Option<String> {
    let named = onward_net::Network::parse(network).ok()?.data?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside = folder.join(&named);
    Some(if beside.exists() { beside.display().to_string() } else { named })
}

/// Why there is no such chip, in a line.
fn in_short(error: &FileError) -> String {
    match error {
        FileError::Limits { problems, .. } => problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "),
        _ => error.to_string(),
    }
}

/// What is measured of a run.
fn measured(image: &Image, results: &Results, chip: &Design) -> Outcome {
    let mut measures: BTreeMap<String, f64> = BTreeMap::new();
    let mut note = |name: &str, value: Option<f64>| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            measures.insert(name.to_owned(), value);
        }
    };
    note("accuracy_percent", results.accuracy_percent());
    let summary = &results.chip_summary;
    for (phase, rate, of) in [
        ("training", "training_samples_per_s", &results.per_training_sample),
        ("inference", "inferences_per_s", &results.per_test_sample),
    ] {
        let Some(sample) = of else { continue };
        note(&format!("{phase}_energy_j"), Some(sample.energy_j));
        note(&format!("{phase}_s"), sample.emulated_s);
        note(&format!("{phase}_cycles"), sample.cycles);
        note(rate, sample.emulated_s.map(|seconds| 1.0 / seconds));
        for (category, joules) in sample.energy.categories() {
            note(&format!("{phase}_energy_j.{}", category.key()), Some(joules / sample.samples as f64));
        }
    }
    note("area_mm2", Some(summary.area_mm2));
    note("leakage_w", Some(summary.leakage_w));
    note("power_w", results.power_w);
    note("clock_hz", Some(summary.clock_hz as f64));
    note("highest_clock_hz", Some(summary.highest_clock_hz as f64));
    note("supply_v", Some(summary.supply_v));
    note("cores", Some(results.cores_used as f64));
    note("chip_cores", Some(results.cores as f64));
    note("synapse_memory_percent", results.core_usage_percent.get("synapse_memory").map(|usage| usage.max));
    note("uncertainty_factor", Some(summary.uncertainty_factor));
    if let Some(sample) = &results.per_training_sample {
        let energy_delay = sample.emulated_s.map(|seconds| seconds * sample.energy_j);
        note("energy_delay_js", energy_delay);
        note("energy_delay_area_jsmm2", energy_delay.map(|product| product * summary.area_mm2));
    }
    let mut areas: BTreeMap<&str, f64> = BTreeMap::new();
    for (_, times, part) in chip.bill.root.walk() {
        *areas.entry(part.name).or_insert(0.0) += times as f64 * part.own_area_um2 / 1e6;
    }
    for (part, area) in areas.into_iter().filter(|(_, area)| *area > 0.0) {
        note(&format!("area_mm2.{}", part.replace(' ', "_")), Some(area));
    }
    let labels = [
        ("clock_limit", summary.clock_limit.to_owned()),
        ("technology", results.technology.clone()),
        ("weights_hash", results.weights_hash.clone()),
        ("blocks", image.blocks.len().to_string()),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value)).into();
    Outcome::Measured { measures, labels }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: &str = "network small {
    parameter bits = 16
    data = \"digits\"
    window = 4
    input pixels = rate(8, 8)
    target digit = classes(10)
    learning = hinge { rate = 6, margin = 0.3 }
    layer hidden = dense(32) from pixels, digit { block = 16, weights = fixed { bits = bits } }
    readout answer = nearest_target from hidden
}
";

    fn runs() -> Runs {
        let network = Source::new("small.sp", NETWORK.to_owned());
        Runs::new(network, Path::new("small.sp"), None, Arc::default()).expect("built-in data")
    }

    fn design(changed: &[(&str, Value)]) -> Settings {
        let fixed = [("chip", Value::Word("small".to_owned())), ("learning.epochs", Value::Integer(1))];
        fixed.into_iter().chain(changed.iter().cloned()).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// All that comes of designs, in their order.
    fn outcomes(runs: &Runs, designs: &[Settings]) -> Vec<Outcome> {
        let found = std::sync::Mutex::new(BTreeMap::new());
        let keep = |at: usize, outcome: Outcome| drop(found.lock().expect("no thread panics").insert(at, outcome));
        runs.evaluate(designs, &keep).expect("nothing is broken");
        found.into_inner().expect("no thread panics").into_values().collect()
    }

    /// Every key of a chip that a record can be timed for, one at a time and together; one that programs depend on; and one that
    /// cannot be had.
    #[test]
    fn what_is_timed_from_a_record_is_what_a_run_comes_to() {
        let word = |text: &str| Value::Word(text.to_owned());
        let designs = [
            design(&[]),
            design(&[("chip.core.lanes", Value::Integer(4))]),
            design(&[("chip.core.lanes", Value::Integer(64)), ("chip.mesh.width", Value::Integer(1))]),
            design(&[("chip.mesh.buffer_flits", Value::Integer(1)), ("chip.mesh.topology", word("torus"))]),
            design(&[("chip.mesh.link_cycles", Value::Integer(3)), ("chip.barrier_cycles", Value::Integer(40))]),
            design(&[("chip.memory.synapse_bytes", Value::Integer(65_536)), ("chip.clock_hz", word("highest"))]),
            design(&[("technology", word("22nm-seneca")), ("chip.voltage_mv", Value::Integer(700))]),
            design(&[("compiler.place", word("hilbert")), ("chip.core.dispatch_cycles", Value::Integer(9))]),
            design(&[("chip.core.vector_length", Value::Integer(64))]),
            design(&[("chip.memory.synapse_bytes", Value::Integer(64))]),
        ];
        let together = runs();
        let timed = outcomes(&together, &designs);
        // What a record cannot be timed for is run too.
        assert_eq!(together.ran_and_timed(), (2, designs.len() - 3));
        assert!(matches!(timed.last(), Some(Outcome::Refused(_))), "{:?}", timed.last());
        for (at, design) in designs.iter().enumerate() {
            let alone = runs();
            let ran = outcomes(&alone, std::slice::from_ref(design));
            assert_eq!(alone.ran_and_timed().1, 0);
            // Numbers to the bit: they are equal as text of the shortest form, too.
            assert_eq!(format!("{:?}", timed[at]), format!("{:?}", ran[0]), "{design:?}");
        }
    }

    /// Later groups of the same answers find the record; other answers do not.
    #[test]
    fn each_network_runs_once() {
        let runs = runs();
        let lanes = |bits: i64, lanes: i64| {
            design(&[("network.bits", Value::Integer(bits)), ("chip.core.lanes", Value::Integer(lanes))])
        };
        for (expected, group) in [
            ((1, 1), [lanes(16, 4), lanes(16, 8)]),
            ((2, 2), [lanes(8, 4), lanes(8, 8)]),
            ((2, 4), [lanes(16, 16), lanes(16, 32)]),
        ] {
            outcomes(&runs, &group);
            assert_eq!(runs.ran_and_timed(), expected);
        }
    }
}
