//! A run as a library: what it tells, what it refuses, and that it can be broken off and gone on from.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::{Remedy, Source};
use onward_image::Image;
use onward_run::data::Dataset;
use onward_run::{Answers, EpochReport, Epochs, Learners, Progress, Run, RunError, Watch};
use std::ops::ControlFlow;

const NETWORK: &str = "network small {
    data = \"digits\"
    window = 8
    input pixels = rate(8, 8)
    target digit = classes(10)
    layer first = dense(32) from pixels, digit { learning = hinge { rate = 7, margin = 0.3 } }
    layer second = dense(32) from first { learning = hinge { rate = 7, margin = 0.3 } }
    readout answer = nearest_target from second
}
";

fn image() -> Image {
    let source = Source::new("small.sp", NETWORK);
    let options = Options::new(Chip::builtin("small").expect("it is built in"), 1);
    compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

fn run<'a>(image: &'a Image, digits: &'a Dataset) -> Run<'a> {
    let options = onward_emulate::Options { seed: 1, timing: false, threads: 1 };
    Run::new(image, digits, options).expect("a run")
}

/// The keys are a contract: one that goes, or comes to mean something else, changes the version.
#[test]
fn results_have_the_keys_of_their_version() {
    let (image, digits) = (image(), Dataset::load("digits").expect("it is built in"));
    let results = run(&image, &digits).test(&mut ()).expect("no fault");
    assert!(matches!(results.answers, Some(Answers::Classes { tested: 449, right: Some(_), .. })), "{results:?}");
    let json = serde_json::to_value(&results).expect("it can be written");
    assert_eq!(json["schema_version"], 1);
    for key in [
        "command",
        "onward_version",
        "network",
        "source",
        "chip",
        "technology",
        "data",
        "seed",
        "timing",
        "threads",
        "interrupted",
        "accuracy_percent",
        "read_spikes",
        "host_outputs",
        "right",
        "tested",
        "nrmse",
        "comparisons_per_answer",
        "comparisons_share",
        "epochs",
        "steps",
        "cycles",
        "emulated_s",
        "stall_cycles",
        "per_training_sample",
        "per_test_sample",
        "energy_j",
        "energy_includes_leakage",
        "energy_by_category_j",
        "synaptic_events",
        "synaptic_updates",
        "neuron_updates",
        "spikes",
        "packets",
        "flits",
        "hops",
        "crossings",
        "saturations",
        "blocks",
        "cores_used",
        "cores",
        "core_usage_percent",
        "host_s",
        "synaptic_events_per_host_s",
        "weights_hash",
        "silent_neurons",
    ] {
        assert!(json.get(key).is_some(), "no `{key}`");
    }
    for key in ["epoch", "learned", "accuracy_percent", "right", "tested", "learning_host_s", "testing_host_s"] {
        assert!(json["epochs"][0].get(key).is_some(), "no `{key}` of an epoch");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_a_remedy() {
    let (image, series) = (image(), Dataset::load("mackey-glass").expect("it is built in"));
    let options = onward_emulate::Options { seed: 1, timing: false, threads: 1 };
    let error = Run::new(&image, &series, options).err().expect("samples of another shape");
    assert!(matches!(error, RunError::Data(_)) && error.remedy().is_some() && !error.is_internal(), "{error}");

    let digits = Dataset::load("digits").expect("it is built in");
    let mut run = run(&image, &digits);
    let error = run.let_learn(&Learners::Only(vec!["secnd".into()])).expect_err("no such layer");
    assert_eq!(error.to_string(), "no layer `secnd` that learns");
    assert_eq!(error.remedy().as_deref(), Some("did you mean `second`?"));
}

/// Ends the run in its second epoch.
#[derive(Default)]
struct Impatient {
    epochs: Vec<u32>,
}

impl Watch for Impatient {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        if progress.epoch == 1 && progress.done > 100 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch(&mut self, report: &EpochReport) {
        self.epochs.push(report.epoch);
    }
}

#[test]
fn a_run_is_broken_off_and_gone_on_from() {
    let (image, digits) = (image(), Dataset::load("digits").expect("it is built in"));
    let mut watch = Impatient::default();
    let mut broken_off = run(&image, &digits);
    let results = broken_off.learn(Epochs { first: 0, count: 3, of: 3 }, &mut watch).expect("no fault");
    assert!(results.interrupted && results.epochs.len() == 2 && watch.epochs == [0, 1], "{results:?}");
    assert_eq!(results.accuracy_percent(), results.epochs[0].accuracy_percent());
    assert_eq!(broken_off.learned().expect("it comes to rest").learned.epochs, 1);

    // Learned in two runs or in one, it is the same.
    let mut whole = run(&image, &digits);
    let whole = whole.learn(2, &mut ()).expect("no fault");
    let mut first = run(&image, &digits);
    first.learn(Epochs { first: 0, count: 1, of: 2 }, &mut ()).expect("no fault");
    let learned = first.learned().expect("it comes to rest");
    let second = run(&learned, &digits).learn(Epochs { first: 1, count: 1, of: 2 }, &mut ()).expect("no fault");
    assert_eq!(second.weights_hash, whole.weights_hash);
    assert_ne!(second.weights_hash, whole.epochs[0].weights_hash);
}

/// Weights leave one run and begin another; a frozen layer keeps its own.
#[test]
fn weights_are_taken_out_and_given() {
    let (image, digits) = (image(), Dataset::load("digits").expect("it is built in"));
    let mut first = run(&image, &digits);
    first.let_learn(&Learners::Except(vec!["first".into()])).expect("they learn");
    let results = first.learn(1, &mut ()).expect("no fault");
    let (before, after) = (run(&image, &digits).learned_arrays(), first.learned_arrays());
    for (before, after) in before.iter().zip(&after).filter(|(array, _)| array.name.ends_with(".weight")) {
        assert_eq!(before.integers == after.integers, before.name == "first.weight", "{}", before.name);
    }
    let find = |name: &str| {
        let array = after.iter().find(|array| array.name == name)?;
        let scale = 2f64.powi(-array.fraction_bits);
        Some((array.shape.clone(), array.integers.iter().map(|&integer| f64::from(integer) * scale).collect()))
    };
    let mut second = run(&image, &digits);
    let given = second.give_weights(find).expect("they are its own");
    assert_eq!((given.rounded, given.clamped), (0, 0));
    assert_eq!(second.test(&mut ()).expect("no fault").weights_hash, results.weights_hash);
}
