//! A profile's parts add up to the run, exactly: each measure and each category of energy, in each way a run is divided.

use onward_chip::{Chip, Costs, Technology};
use onward_diagnostic::Source;
use onward_emulate::{Counters, Engine, Machine, Options, reference};
use onward_image::Image;
use onward_profile::{Activity, Category, Energy, Measure, Measures, Part, PhaseKind, Profile};
use onward_run::data::{Dataset, Samples};
use onward_run::{Session, train};
use std::ops::ControlFlow;

/// A network and the digits, a part of them.
fn network(file: &str, chip: Chip) -> (Image, Dataset) {
    let path = format!("{}/../../programs/{file}", env!("CARGO_MANIFEST_DIR"));
    let source = Source::new(file, std::fs::read_to_string(path).expect("the network"));
    let options = onward_compile::Options::new(chip, 3);
    let image =
        onward_compile::compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let mut data = Dataset::load("digits").expect("built in");
    let part = |samples: &Samples, count: usize| {
        let pixels = (0..count).flat_map(|at| samples.pixels(at).to_vec()).collect();
        Samples::new(pixels, (0..count).map(|at| samples.label(at)).collect(), 64)
    };
    (data.train, data.test) = (part(&data.train, 30), part(&data.test, 20));
    (image, data)
}

/// An epoch of it: the counters of all of it, and of learning alone.
fn learn(image: &Image, data: &Dataset, mut engine: Box<dyn Engine>) -> (Counters, Counters) {
    engine.count_in_detail();
    let mut session = Session::with(image, engine).expect("a session");
    let report = train(&mut session, image, data, 1, 3, |_| ControlFlow::Continue(()), |_| {}).expect("no fault");
    (report.counters, report.learning_counters)
}

fn costs(image: &Image) -> Costs {
    Technology::builtin(&image.chip.technology).expect("built in").costs(&image.chip).expect("costs")
}

fn sum<P>(parts: &[Part<P>]) -> Measures {
    parts.iter().fold(Measures::default(), |mut sum, part| {
        sum += &part.measures;
        sum
    })
}

/// All that must hold of any profile.
fn holds(image: &Image, counters: &Counters, learning: Option<&Counters>) -> Profile {
    let costs = costs(image);
    let profile = Profile::of(image, counters, learning, &costs).expect("it was counted in detail");
    let total = &profile.total;
    for (way, sum) in [
        ("phases", sum(&profile.phases)),
        ("purposes", sum(&profile.purposes)),
        ("layers", sum(&profile.layers)),
        ("cores", sum(&profile.cores)),
        ("blocks", sum(&profile.blocks)),
        ("handlers", sum(&profile.handlers)),
        ("lines", sum(&profile.lines)),
    ] {
        assert_eq!(&sum, total, "{way}");
    }
    // Energy and activity are counted by other code, from the counters of the whole run.
    assert_eq!(total.energy, Energy::of(image, counters, &costs));
    let activity = Activity::of(image, counters);
    let counted = [
        (Measure::SynapticEvents, activity.synaptic_events),
        (Measure::HaloReads, activity.halo_reads),
        (Measure::SynapticUpdates, activity.synaptic_updates),
        (Measure::NeuronUpdates, activity.neuron_updates),
        (Measure::Spikes, activity.spikes),
        (Measure::Packets, activity.packets),
        (Measure::Flits, activity.flits),
        (Measure::Hops, activity.hops),
        (Measure::Crossings, activity.crossings),
        (Measure::Saturations, activity.saturations),
    ];
    for (measure, expected) in counted {
        assert_eq!(total[measure], expected, "{}", measure.key());
    }
    let units = [
        Measure::SequencerCycles,
        Measure::VectorCycles,
        Measure::SynapsePortCycles,
        Measure::NeuronPortCycles,
        Measure::AxonPortCycles,
    ];
    for part in &profile.lines {
        let by_unit = units.iter().map(|&unit| part.measure(unit)).sum::<u64>();
        assert_eq!(part.measure(Measure::ComputingCycles), by_unit, "{}", part.name);
    }
    assert_eq!(profile.links.iter().map(|link| link.flits).sum::<u64>(), activity.hops);
    let by_neuron: u64 = profile.neurons.iter().flat_map(|layer| &layer.spikes).sum();
    if !profile.neurons.is_empty() {
        assert_eq!(by_neuron, activity.spikes);
    }
    let Some(timing) = counters.timing else { return profile };
    let cycles = |measures: &Measures| {
        let idle = [Measure::WaitingCycles, Measure::BarrierCycles, Measure::IdleCycles];
        measures.busy() + idle.iter().map(|&measure| measures[measure]).sum::<u64>()
    };
    // Each core does something in each cycle, or nothing; all cores together in all of them.
    for core in profile.cores.iter().filter(|core| core.place.core.is_some()) {
        assert_eq!(cycles(&core.measures), timing.cycles, "{}", core.name);
    }
    assert_eq!(cycles(total), timing.cycles * image.chip.mesh.cores() as u64);
    assert!(total[Measure::StalledCycles] <= timing.stalls, "the host's stalls are no core's");
    assert_eq!(profile.bounds.iter().map(|bound| bound.cycles).sum::<u64>(), timing.cycles);
    profile
}

#[test]
fn parts_of_a_training_run_add_up() {
    let mut two_chips = Chip::builtin("middle").expect("a chip");
    two_chips.mesh.array = Some(onward_chip::Array { width: 2, height: 1, link_cycles: 6, cycles_per_flit: 3 });
    for chip in [Chip::builtin("small").expect("a chip"), two_chips] {
        let (image, data) = network("digits.sp", chip);
        let options = Options { seed: 3, timing: true, threads: 2 };
        let (counters, learning) = learn(&image, &data, Box::new(Machine::new(&image, options).expect("a machine")));
        let profile = holds(&image, &counters, Some(&learning));
        // Learning writes weights in its update, and nowhere else.
        for phase in &profile.phases {
            let is_update = phase.name == PhaseKind::Update.name();
            assert_eq!(phase.measure(Measure::SynapticUpdates) > 0, is_update, "{}", phase.name);
        }
        // The energy of each phase is what it is by its counters alone.
        let (costs, testing) = (costs(&image), counters.since(&learning));
        for (stage, counters) in [("learning", &learning), ("testing", &testing)] {
            let parts = profile.phases.iter().filter(|phase| phase.place.stage == stage);
            let joules: f64 = parts.map(|phase| phase.measures.energy.total()).sum();
            let expected = Energy::of(&image, counters, &costs).total();
            assert!((joules - expected).abs() <= 0.02 * expected, "{stage}: {joules} J, not {expected} J");
        }
    }
}

#[test]
fn both_engines_and_any_number_of_threads_give_the_same_profile() {
    let (image, data) = network("digits.sp", Chip::builtin("small").expect("a chip"));
    let text = |engine: Box<dyn Engine>| {
        let (counters, learning) = learn(&image, &data, engine);
        let profile = holds(&image, &counters, Some(&learning));
        format!("{profile:?}")
    };
    let options = |threads| Options { seed: 3, timing: true, threads };
    let expected = text(Box::new(reference::Machine::new(&image, options(1)).expect("a machine")));
    for threads in [1, 3] {
        let found = text(Box::new(Machine::new(&image, options(threads)).expect("a machine")));
        assert!(found == expected, "{threads} threads give another profile");
    }
}

#[test]
fn without_time_all_but_time_is_known() {
    let (image, data) = network("examples/convolution.sp", Chip::builtin("middle").expect("a chip"));
    let options = Options { seed: 3, timing: false, threads: 2 };
    let mut engine = Machine::new(&image, options).expect("a machine");
    engine.count_in_detail();
    let mut session = Session::with(&image, Box::new(engine)).expect("a session");
    session.infer(&data.test, 5, |_| ControlFlow::Continue(())).expect("no fault");
    let counters = session.machine().counters();
    let profile = holds(&image, &counters, None);
    assert!(profile.total[Measure::HaloReads] > 0, "kernels read beyond the edges of planes");
    assert!(profile.bounds.is_empty() && profile.critical.is_none() && profile.roofline.is_none());
    assert!(
        Category::ALL
            .iter()
            .filter(|category| category.needs_time())
            .all(|&category| { profile.total.energy.joules(category) <= 0.0 })
    );
}

/// The fields of a message of Protocol Buffers: their numbers, and what they hold.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    fn number(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = bytes.split_first().expect("a whole number");
            *bytes = rest;
            value |= u64::from(byte & 127) << shift;
            shift += 7;
            if byte < 128 {
                return value;
            }
        }
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = number(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(number(&mut bytes)),
            2 => {
                let length = number(&mut bytes) as usize;
                let (field, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(field)
            }
            kind => panic!("no field of kind {kind} is written"),
        };
        found.push((key >> 3, field));
    }
    found
}

fn packed(bytes: &[u8]) -> Vec<u64> {
    // As a message whose keys and values are numbers of a list.
    let mut values = vec![0];
    let mut shift = 0;
    for &byte in bytes {
        *values.last_mut().expect("there is one") |= u64::from(byte & 127) << shift;
        shift += 7;
        if byte < 128 {
            values.push(0);
            shift = 0;
        }
    }
    values.pop();
    values
}

#[test]
fn other_tools_read_all_busy_cycles() {
    let (image, data) = network("digits.sp", Chip::builtin("small").expect("a chip"));
    let options = Options { seed: 3, timing: true, threads: 1 };
    let (counters, learning) = learn(&image, &data, Box::new(Machine::new(&image, options).expect("a machine")));
    let profile = holds(&image, &counters, Some(&learning));
    let (busy, instructions) = (profile.total.busy(), profile.total[Measure::Instructions]);
    let folded = profile.to_folded();
    let weight = |line: &str| line.rsplit_once(' ').and_then(|(_, weight)| weight.parse::<u64>().ok());
    assert_eq!(folded.lines().map(|line| weight(line).expect("a weight")).sum::<u64>(), busy);
    assert!(folded.lines().all(|line| line.split(';').count() == 3), "layer, handler, line");

    let speedscope = serde_json::to_value(profile.to_speedscope("digits")).expect("it can be written");
    let frames = speedscope["shared"]["frames"].as_array().expect("frames").len() as u64;
    let cycles = &speedscope["profiles"][0];
    let weights = cycles["weights"].as_array().expect("weights");
    assert_eq!(weights.iter().filter_map(serde_json::Value::as_u64).sum::<u64>(), busy);
    assert_eq!(cycles["endValue"].as_u64(), Some(busy));
    let samples = cycles["samples"].as_array().expect("samples");
    assert_eq!(samples.len(), weights.len());
    let all = samples.iter().flat_map(|sample| sample.as_array().expect("a stack"));
    assert!(all.filter_map(serde_json::Value::as_u64).all(|frame| frame < frames));

    let pprof = profile.to_pprof();
    let (mut sums, mut strings, mut locations, mut functions) = ([0; 3], Vec::new(), 0, 0);
    let mut referred = Vec::new();
    for (field, value) in fields(&pprof) {
        match (field, value) {
            (2, Field::Bytes(sample)) => {
                for (field, value) in fields(sample) {
                    match (field, value) {
                        (1, Field::Bytes(stack)) => referred.extend(packed(stack)),
                        (2, Field::Bytes(values)) => {
                            sums.iter_mut().zip(packed(values)).for_each(|(sum, value)| *sum += value);
                        }
                        _ => panic!("a sample has a stack and values"),
                    }
                }
            }
            (4, Field::Bytes(_)) => locations += 1,
            (5, Field::Bytes(_)) => functions += 1,
            (6, Field::Bytes(text)) => strings.push(String::from_utf8(text.to_vec()).expect("a text")),
            (1, Field::Bytes(_)) => {}
            (field, Field::Number(number)) => panic!("field {field} is {number}"),
            (field, _) => panic!("field {field}"),
        }
    }
    assert_eq!((sums[0], sums[2]), (busy, instructions));
    assert!(strings[0].is_empty() && strings.iter().any(|text| text == "hidden1"), "{strings:?}");
    assert!(locations == functions && referred.iter().all(|&location| (1..=locations).contains(&location)));

    let csv = profile.to_csv();
    let columns: Vec<&str> = csv.lines().next().expect("a heading").split(',').collect();
    let at = columns.iter().position(|column| *column == "computing_cycles").expect("a column");
    let of = |by: &str| {
        let cells = csv.lines().filter(|line| line.starts_with(by)).map(|line| {
            let (_, rest) = line.split_once("\",").expect("a quoted name");
            rest.split(',').nth(at - 2).and_then(|cell| cell.parse::<u64>().ok()).expect("a number")
        });
        cells.sum::<u64>()
    };
    for by in ["total", "phase", "purpose", "layer", "core", "block", "handler", "line"] {
        assert_eq!(of(by), profile.total[Measure::ComputingCycles], "{by}");
    }
}
