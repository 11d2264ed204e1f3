//! What probes record is what happened: the same by both engines and any number of threads, what an engine says that is stopped
//! after each step, and what the host sees; and a run that is recorded is the run that is not.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::{Remedy, Source};
use onward_emulate::{Counters, Engine, HostPacket, Machine, Options as Running, reference};
use onward_image::{HostInputKind, Image, Tag};
use onward_run::data::Dataset;
use onward_run::probe::{Cadence, ProbeError, ProbeText, Recording, attach};
use onward_run::why::{NeuronName, Observation};
use onward_run::{Run, Session};
use std::collections::BTreeMap;
use std::ops::{ControlFlow, RangeInclusive};

const LEARNING: &str = "network small {\n  data = \"digits\"\n  window = 8\n  input pixels = rate(8, 8)\n  \
    target digit = classes(10)\n  learning = hinge { rate = 7, margin = 0.3 }\n  \
    layer first = dense(24) from pixels, digit { block = 16 }\n  layer second = dense(16) from first\n  \
    readout answer = nearest_target from second\n}\n";

const SPIKING: &str = "network spiking {\n  data = \"digits\"\n  window = 6\n  neurons = leaky { leak = shift(3) }\n  \
    input pixels = rate(8, 8)\n  layer maps = conv(3, 3) from pixels { padding = 1, block = 2, rows = 3 }\n  \
    layer pooled = max_pool(2) from maps\n  layer flat = flatten from pooled\n  layer again = recurrent(12) from flat { recurrent_weights = fixed { bits = 8, gain = 0.5 } }\n  \
    readout out = spikes from again\n}\n";

fn image(text: &str) -> Image {
    let source = Source::new("case.sp", text);
    let options = Options::new(Chip::builtin("middle").expect("a chip"), 5);
    compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

fn digits(image: &Image) -> Dataset {
    Dataset::for_image(image, None, "case.sp".as_ref()).expect("built-in data")
}

fn engine(image: &Image, threads: usize) -> Box<dyn Engine> {
    let options = Running { seed: 5, timing: true, threads };
    match threads {
        0 => Box::new(reference::Machine::new(image, Running { threads: 1, ..options }).expect("a machine")),
        _ => Box::new(Machine::new(image, options).expect("a machine")),
    }
}

/// An engine that records; without threads the reference.
fn recorded(
    image: &Image,
    threads: usize,
    probes: &[&str],
    steps: RangeInclusive<u64>,
) -> (Box<dyn Engine>, Recording) {
    let probes: Vec<ProbeText> = probes.iter().map(|text| text.parse().expect("a probe")).collect();
    let folder = std::env::temp_dir();
    attach(engine(image, threads), image, &probes, steps, &folder).expect("probes of the image")
}

/// Arrays by name, each its shape and its numbers.
type Arrays = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

/// What was recorded: the file's bytes, and its arrays.
fn arrays(recording: &Recording) -> (Vec<u8>, Arrays) {
    let mut bytes = Vec::new();
    recording.write_npz(&mut bytes).expect("written to memory");
    let file = tempfile::NamedTempFile::with_suffix(".npz").expect("a file");
    std::fs::write(file.path(), &bytes).expect("written");
    let arrays = onward_net::read_npz(file.path()).expect("arrays");
    (bytes, arrays.into_iter().map(|(name, array)| (name, (array.shape, array.values))).collect())
}

/// Shows the first samples.
fn infer(image: &Image, engine: Box<dyn Engine>, samples: usize) -> Counters {
    let mut session = Session::with(image, engine).expect("a session");
    let data = digits(image);
    session.observe(&data.test, samples, |_| ControlFlow::Continue(())).expect("it runs");
    session.machine().counters()
}

#[test]
fn both_engines_record_the_same_with_any_threads() {
    let image = image(SPIKING);
    let probes = ["maps.spikes", "maps.membrane", "pooled.spikes", "again.membrane[3..7]", "again.spikes[0..5]"];
    let mut known: Option<(Vec<u8>, Counters)> = None;
    for threads in [0, 1, 2] {
        let (engine, recording) = recorded(&image, threads, &probes, 7..=40);
        let counters = infer(&image, engine, 12);
        let (bytes, arrays) = arrays(&recording);
        assert_eq!(arrays["maps.membrane"].0, [34, 192]);
        assert_eq!(arrays["again.membrane[3..7]"].0, [34, 4]);
        assert!(arrays["maps.spikes.step"].1.len() > 100, "something fires");
        match &known {
            None => known = Some((bytes, counters)),
            Some((first, counted)) => {
                assert_eq!(*first, bytes, "{threads} threads");
                assert_eq!(*counted, counters, "{threads} threads");
            }
        }
    }
    // And nothing is another for having been recorded.
    assert_eq!(known.expect("three runs").1, infer(&image, engine(&image, 1), 12));
}

/// The engine, stopped after each step and asked.
#[test]
fn what_is_recorded_is_what_an_engine_says_at_each_step() {
    let image = image(SPIKING);
    let find = |kind| image.host_input(kind).expect("such an input");
    let (tag, input) = (find(HostInputKind::Tag), find(HostInputKind::Input));
    let packets: Vec<HostPacket> = (0..30)
        .flat_map(|step| {
            let spikes = (0..64).filter(move |index| (index * 7 + step as u32 * 5) % 11 < 3);
            let spikes = spikes.map(move |index| HostPacket { step, input, index, payload: 1 });
            let opens = step % 6 == 0;
            let payload = Tag::default().payload();
            opens.then_some(HostPacket { step, input: tag, index: 0, payload }).into_iter().chain(spikes)
        })
        .collect();
    let (mut probing, recording) = recorded(&image, 2, &["maps.membrane"], 0..=u64::MAX);
    probing.run_packets(30, &packets).expect("it runs");
    let (_, arrays) = arrays(&recording);
    let mut plain = engine(&image, 0);
    let layer = image.network.numbered().find(|(_, population)| population.name == "maps").expect("the layer").0;
    for step in 0..30 {
        let of_step =
            packets.iter().filter(|packet| packet.step == step).map(|packet| HostPacket { step: 0, ..*packet });
        plain.run_packets(1, &of_step.collect::<Vec<_>>()).expect("it runs");
        let mut expected = vec![0.0; 192];
        for (number, block) in image.blocks_of(layer) {
            for (index, value) in plain.peek(number, "membrane").expect("membranes").into_iter().enumerate() {
                expected[block.neuron(index as u32) as usize] = f64::from(value);
            }
        }
        assert_eq!(arrays["maps.membrane"].1[step * 192..][..192], expected, "step {step}");
    }
    assert!(arrays["maps.membrane"].1.iter().any(|&value| value != 0.0));
    assert_eq!(arrays["window.step"].1, [0.0, 6.0, 12.0, 18.0, 24.0]);
}

/// Spikes of the layer that is read out, as the host gets them.
#[test]
fn spikes_are_those_that_reach_the_host() {
    let image = image(SPIKING);
    let (engine, recording) = recorded(&image, 1, &["again.spikes"], 0..=u64::MAX);
    let mut session = Session::with(&image, engine).expect("a session");
    let (spikes, _) = session.observe(&digits(&image).test, 9, |_| ControlFlow::Continue(())).expect("it runs");
    let (_, arrays) = arrays(&recording);
    let (neurons, steps) = (&arrays["again.spikes.neuron"].1, &arrays["again.spikes.step"].1);
    let lag = arrays["again.spikes.lag"].1[0];
    let found: Vec<(u32, u32, u32)> = steps
        .iter()
        .zip(neurons)
        .map(|(step, neuron)| ((step - lag) as u32 / 6, (step - lag) as u32 % 6, *neuron as u32))
        .collect();
    let expected: Vec<(u32, u32, u32)> = spikes.iter().map(|spike| (spike.sample, spike.step, spike.neuron)).collect();
    assert!(expected.len() > 50);
    assert_eq!(found, expected);
}

/// What a layer has counted when a window ends are the spikes that it sent in it, learning or not; weights are looked at once an
/// epoch, and what the last look saw is what was learned.
#[test]
fn windows_and_epochs_of_learning() {
    let image = image(LEARNING);
    let data = digits(&image);
    let probes = ["first.spikes", "first.count@window", "first.weights", "second.scores@window"];
    let (engine, recording) = recorded(&image, 1, &probes, 0..=u64::MAX);
    let mut run = Run::with(&image, &data, Running { seed: 5, timing: true, threads: 1 }, engine).expect("a run");
    let results = run.learn(2, &mut ()).expect("it learns");
    let (_, arrays) = arrays(&recording);
    let windows = arrays["window.step"].1.len();
    assert_eq!(windows, 2 * (2 * data.train.len() + data.test.len()));
    let (shape, counts) = &arrays["first.count@window"];
    assert_eq!(*shape, [windows, 24]);
    assert_eq!(arrays["second.scores@window"].0, [windows, 10], "one block has the scores of ten classes");
    let lag = arrays["first.spikes.lag"].1[0];
    let begins: Vec<f64> = arrays["window.step"].1.iter().map(|step| step + lag).collect();
    let mut found = vec![0.0; counts.len()];
    for (step, neuron) in arrays["first.spikes.step"].1.iter().zip(&arrays["first.spikes.neuron"].1) {
        let window = begins.partition_point(|begin| begin <= step) - 1;
        found[window * 24 + *neuron as usize] += 1.0;
    }
    // The target's windows are counted class by class: a look at `count` there sees the input's window before.
    for (window, of_target) in arrays["window.target"].1.iter().enumerate().filter(|(_, target)| **target == 0.0) {
        let at = window * 24..(window + 1) * 24;
        assert_eq!(found[at.clone()], counts[at], "window {window}, {of_target}");
    }
    assert_eq!(arrays["first.weights"].0, [2, 64, 24]);
    let learned = run.learned().expect("at rest");
    let weights = recorded_weights(&learned);
    assert_eq!(arrays["first.weights"].1[64 * 24..], weights);
    // The same run without probes.
    let mut plain = Run::new(&image, &data, Running { seed: 5, timing: true, threads: 1 }).expect("a run");
    let expected = plain.learn(2, &mut ()).expect("it learns");
    assert_eq!(results.weights_hash, expected.weights_hash);
    assert_eq!(results.accuracy_percent(), expected.accuracy_percent());
    assert_eq!(run.session().machine().counters(), plain.session().machine().counters());
}

/// The weights of the first layer in an image, by input and neuron.
fn recorded_weights(image: &Image) -> Vec<f64> {
    let machine = Machine::new(image, Running { seed: 5, timing: false, threads: 1 }).expect("a machine");
    let layer = image.network.numbered().find(|(_, population)| population.name == "first").expect("the layer").0;
    let mut weights = vec![0.0; 64 * 24];
    for (number, block) in image.blocks_of(layer) {
        for (at, value) in machine.peek(number, "weights").expect("weights").into_iter().enumerate() {
            let (input, column) = (at / block.neurons as usize, at as u32 % block.neurons);
            weights[input * 24 + block.neuron(column) as usize] = f64::from(value);
        }
    }
    weights
}

#[test]
fn texts_of_probes() {
    let parse = |text: &str| text.parse::<ProbeText>();
    let probe = parse("hidden1.membrane[0..16]@window").expect("a probe");
    assert_eq!((probe.layer.as_str(), probe.what.as_str()), ("hidden1", "membrane"));
    assert_eq!((probe.neurons.clone(), probe.cadence), (Some(0..16), Some(Cadence::Window)));
    assert_eq!(probe.to_string(), "hidden1.membrane[0..16]@window");
    assert_eq!(parse("a.b.spikes[3]").expect("a probe").layer, "a.b");
    for wrong in ["", "hidden1", "hidden1.", ".x", "a.b[1..", "a.b[x]", "a.b[1..2]x", "a.b@never", "a.b[4294967295]"] {
        assert_eq!(parse(wrong), Err(ProbeError::Syntax(wrong.to_owned())), "{wrong}");
    }
}

#[test]
fn probes_of_what_is_not_there() {
    let image = image(LEARNING);
    let refused = |text: &str| {
        let probe: ProbeText = text.parse().expect("a probe");
        let folder = std::env::temp_dir();
        let error = attach(engine(&image, 1), &image, &[probe], 0..=1, &folder).err().expect("it is refused");
        format!("{error}: {}", error.remedy().expect("a remedy"))
    };
    let expected = [
        ("frist.spikes", "nothing to probe is called `frist`: did you mean `first`?"),
        ("pixels.spikes", "nothing to probe is called `pixels`: there are first, second, answer"),
        (
            "first.membrane[20..25]",
            "`first` has 24 neurons, and not those from 20 to below 25: they count from 0; all are [0..24]",
        ),
        (
            "first.spikes[7..7]",
            "`first` has 24 neurons, and not those from 7 to below 7: they count from 0; all are [0..24]",
        ),
        (
            "first.shift[0..1]",
            "`first.shift` has no number for each neuron: leave [FIRST..END] away: the array is recorded whole",
        ),
        ("first.spikes@window", "what `first` sends is recorded at its steps: leave @window or @epoch away"),
        ("first.membrain", "`first` has no array `membrain`: did you mean `membrane`?"),
    ];
    for (text, message) in expected {
        assert_eq!(refused(text), message);
    }
}

/// What inputs brought, by weight and the steps that they were active in, is what the layer added up to voltages by itself.
#[test]
fn inputs_account_for_what_a_neuron_took_in() {
    let image = image(LEARNING);
    let data = digits(&image);
    let mut run = Run::new(&image, &data, Running { seed: 5, timing: false, threads: 1 }).expect("a run");
    run.learn(1, &mut ()).expect("it learns");
    let learned = run.learned().expect("at rest");
    let (mut fired, mut samples) = (0, 0);
    for (layer, number) in [("first", 3), ("first", 20), ("second", 0), ("second", 11)] {
        let name = NeuronName { layer: layer.to_owned(), number };
        let seen = Observation::of(&learned, &name, &data.train, 40, 5).expect("a neuron");
        assert_eq!(seen.shown.len(), 40);
        let brought: i64 =
            seen.inputs.iter().map(|input| input.steps as i64 * i64::from(input.weight.expect("a row"))).sum();
        // The bias comes in at each of eight steps.
        let brought = brought + 8 * 40 * i64::from(seen.bias.expect("a bias"));
        let voltages: i64 = seen.shown.iter().map(|shown| i64::from(shown.voltage.expect("it is kept"))).sum();
        assert_eq!(brought, voltages, "{layer}[{number}]");
        assert!(seen.shown.iter().all(|shown| shown.spikes <= 8));
        fired += seen.spikes();
        samples += seen.shown.iter().filter(|shown| shown.spikes > 0).count();
    }
    assert!(fired > 20 && samples > 10, "{fired} {samples}");
    // Nothing was learned while it was looked at.
    let again = run.learned().expect("at rest");
    assert_eq!(again, learned);
}

#[test]
fn neurons_that_are_not_there() {
    let image = image(LEARNING);
    let data = digits(&image);
    let refused = |text: &str| {
        let name: NeuronName = text.parse().expect("a neuron");
        let error = Observation::of(&image, &name, &data.train, 1, 5).expect_err("it is refused");
        format!("{error}: {}", error.remedy().expect("a remedy"))
    };
    assert_eq!(refused("frist[0]"), "no layer `frist`: did you mean `first`?");
    assert_eq!(refused("first[24]"), "`first` has 24 neurons, and none of number 24: they count from 0 to 23");
    for wrong in ["first", "first[", "first[x]", "[3]", "first[1..2]"] {
        assert!(wrong.parse::<NeuronName>().is_err(), "{wrong}");
    }
}
