//! A run as a library: what it tells, what it refuses, and that it can be broken off and gone on from.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::{Remedy, Source};
use onward_image::Image;
use onward_run::data::{Dataset, Samples, Share, SplitMix64};
use onward_run::{AnswerTable, Answers, EpochReport, Epochs, Learners, Progress, Run, RunError, TestedOn, Watch};
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
        "augment",
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
        "halo_reads",
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
        "tested_on",
        "samples",
        "split",
        "split_seed",
        "has_learned",
        "best_epoch",
        "validation",
        "training",
        "confusion",
        "by_class",
        "rmse",
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

/// The epoch that validation chose is what was tested, once, and what is left on the chip.
#[test]
fn the_best_epoch_is_chosen_without_the_test_samples() {
    let (image, digits) = (image(), Dataset::load("digits").expect("it is built in"));
    let kept = digits.with_validation_share(Share { share: 0.1, seed: 1 }).expect("there are enough");
    let epochs = Epochs { first: 0, count: 5, of: 5 };
    let mut chosen = run(&image, &kept);
    let results = chosen.learn(epochs, &mut ()).expect("no fault");
    let validation = kept.validation.as_ref().expect("some are kept apart").len();
    assert_eq!((kept.train.len(), validation, kept.test.len()), (1213, 135, 449));
    assert!(results.epochs.iter().all(|epoch| epoch.tested_on == TestedOn::Validation && epoch.tested() == validation));
    let rights: Vec<usize> = results.epochs.iter().map(EpochReport::right).collect();
    let best = (0..rights.len()).max_by_key(|&epoch| (rights[epoch], std::cmp::Reverse(epoch))).expect("five");
    let quality = &results.quality;
    assert_eq!((quality.best_epoch, quality.tested_on), (Some(best as u32 + 1), Some(TestedOn::Test)));
    assert_eq!(quality.validation.as_ref().map(Answers::right), Some(rights[best]));
    assert_eq!(results.tested(), 449);

    // The same weights come of learning no further, and answer the test samples so.
    let stopped = Epochs { first: 0, count: best as u32 + 1, of: 5 };
    let mut short = run(&image, &kept);
    short.learn(stopped, &mut ()).expect("no fault");
    let integers = |run: &Run| run.learned_arrays().into_iter().map(|array| array.integers).collect::<Vec<_>>();
    assert!(integers(&short) == integers(&chosen));
    assert_eq!(results.weights_hash, results.epochs[best].weights_hash);
    let learned = chosen.learned().expect("it is at rest");
    assert_eq!(learned.learned.epochs, best as u32 + 1);
    let tested = run(&learned, &kept).test(&mut ()).expect("no fault");
    assert_eq!(tested.answers, results.answers);
    // All that ran is counted: five epochs, five tests of what was kept apart, and one of the rest.
    assert_eq!(results.per_test_sample.map(|sample| sample.samples), Some(5 * 135 + 449));

    // What is known of the answers agrees with them.
    let Some(Answers::Classes { given, right: Some(right), scores, .. }) = &results.answers else { panic!("classes") };
    // Each answer is the first of the classes with the largest score.
    assert_eq!(scores.len(), 449 * 10);
    for (&answer, scores) in given.iter().zip(scores.chunks(10)) {
        let largest = scores.iter().max().expect("ten classes");
        assert_eq!(scores.iter().position(|score| score == largest), Some(answer as usize), "{scores:?}");
    }
    let confusion = quality.confusion.as_ref().expect("labels are known");
    assert_eq!((0..10).map(|class| confusion[class][class]).sum::<u64>(), *right as u64);
    let mut counted = vec![vec![0; 10]; 10];
    given.iter().enumerate().for_each(|(at, &answer)| counted[kept.test.label(at) as usize][answer as usize] += 1);
    assert_eq!(*confusion, counted);
    assert_eq!(quality.by_class.iter().map(|class| class.samples).sum::<u64>(), 449);
    assert_eq!(quality.by_class.iter().map(|class| class.answered).sum::<u64>(), 449);
    let csv = AnswerTable::new(results.answers.as_ref().expect("tested"), &kept.test).expect("classes").csv();
    let lines: Vec<&str> = csv.lines().collect();
    let of_classes: String = (0..10).map(|class| format!(",score_{class}")).collect();
    assert_eq!((lines[0].to_owned(), lines.len()), (format!("sample,label,answer{of_classes}"), 450));
    let of_last: String = scores[4480..].iter().map(|score| format!(",{score}")).collect();
    assert_eq!(lines[449], format!("448,{},{}{of_last}", kept.test.label(448), given[448]));
    let training = chosen.training_answers().expect("no fault");
    assert!(training.tested() == 1213 && training.accuracy_percent() > results.accuracy_percent(), "{training:?}");
}

/// A sample that was drawn keeps the number it has in the data; who learned nothing says so.
#[test]
fn answers_name_samples_by_their_numbers() {
    let (image, digits) = (image(), Dataset::load("digits").expect("it is built in"));
    let some = digits.test.of_sequences(&[400, 7]);
    assert_eq!((some.number(0), some.number(1), some.label(1)), (400, 7, digits.test.label(7)));
    let some = some.of_sequences(&[1]);
    assert_eq!((some.len(), some.number(0)), (1, 7));
    let few = Dataset { test: some, ..digits.clone() };
    let results = run(&image, &few).test(&mut ()).expect("no fault");
    let csv = AnswerTable::new(results.answers.as_ref().expect("tested"), &few.test).expect("classes").csv();
    assert!(csv.starts_with("sample,label,answer,score_0,") && csv.contains("\n7,"), "{csv}");
    assert_eq!(results.quality.has_learned, Some(false));
    let mut learned = run(&image, &few);
    assert_eq!(learned.learn(1, &mut ()).expect("no fault").quality.has_learned, Some(true));
}

/// Pictures are changed before they are learned from, as a function of seed, epoch and number alone; those that are tested with
/// are not. The change is made here by the words of its description.
#[test]
fn pictures_are_changed_before_they_are_learned_from() {
    let source = Source::new("small.sp", NETWORK.replace("window = 8", "window = 8\n    augment = (shift(2), flip)"));
    let options = Options::new(Chip::builtin("small").expect("it is built in"), 1);
    let augmented = compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let plain = image();
    let digits = Dataset::load("digits").expect("it is built in");
    fn mix(z: u64) -> u64 {
        let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
    let changed = |epoch: u64| {
        let mut pixels = Vec::new();
        for sample in 0..digits.train.len() {
            let mut draws =
                SplitMix64::new(mix(mix(mix(1).wrapping_add(epoch + 0x6175_676d)).wrapping_add(sample as u64)));
            let (down, right) = (i64::from(draws.below(5)) - 2, i64::from(draws.below(5)) - 2);
            let flips = draws.below(2) == 1;
            let from = |row: i64, column: i64| {
                let (row, column) = (row - down, if flips { 7 - column } else { column } - right);
                let is_inside = (0..8).contains(&row) && (0..8).contains(&column);
                if is_inside { digits.train.pixels(sample)[(8 * row + column) as usize] } else { 0 }
            };
            pixels.extend((0..64).map(|at| from(at / 8, at % 8)));
        }
        let labels = (0..digits.train.len()).map(|sample| digits.train.label(sample)).collect();
        Dataset { train: Samples::new(pixels, labels, 64), ..digits.clone() }
    };
    let results = run(&augmented, &digits).learn(2, &mut ()).expect("no fault");
    assert_eq!(results.augment, ["shift(2)", "flip"]);
    let (first, second) = (changed(0), changed(1));
    let mut by_hand = run(&plain, &first);
    by_hand.learn(Epochs { first: 0, count: 1, of: 2 }, &mut ()).expect("no fault");
    let learned = by_hand.learned().expect("at rest");
    let by_hand = run(&learned, &second).learn(Epochs { first: 1, count: 1, of: 2 }, &mut ()).expect("no fault");
    assert_eq!(results.weights_hash, by_hand.weights_hash);
    assert_eq!(results.accuracy_percent(), by_hand.accuracy_percent());
    assert_ne!(first.train, second.train);
}
