//! Waves of cores, read back by a reader of another project, against what the engine says of the same run in other ways: the parts of each
//! step's time, its trace of instructions, the flits that its routes make, and memories between steps.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::reference::{Machine, TraceLine, TraceSelection, WatchedStep};
use onward_emulate::{Engine, Options as Running, PacketSource, StepLog, StepRecord};
use onward_image::{BlockIndex, Delivery, Endpoint, Image};
use onward_profile::{WaveArray, Waveform};
use onward_run::Session;
use onward_run::data::Dataset;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use wellen::SignalValueRef;

const LEARNING: &str = "network small {\n  data = \"digits\"\n  window = 8\n  input pixels = rate(8, 8)\n  \
    target digit = classes(10)\n  learning = hinge { rate = 7, margin = 0.3 }\n  \
    layer first = dense(24) from pixels, digit { block = 16 }\n  layer second = dense(16) from first\n  \
    readout answer = nearest_target from second\n}\n";

fn image() -> Image {
    let source = Source::new("case.sp", LEARNING);
    let mut chip = Chip::builtin("middle").expect("a chip");
    chip.mesh.buffer_flits = 1; // so that cores have to wait for the mesh
    chip.mesh.link_cycles = 3;
    let options = Options::new(chip, 5);
    compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

#[derive(Default)]
struct Kept(Vec<StepRecord>);

impl StepLog for Kept {
    fn step(&mut self, step: &StepRecord) {
        self.0.push(step.clone());
    }
}

/// What is known of a run without its waves, and the waves.
struct Ran {
    image: Image,
    vcd: Vec<u8>,
    told: Vec<StepRecord>,
    lines: Vec<TraceLine>,
    /// What the probed array held at the end of each step.
    values: Vec<Vec<i32>>,
}

const ARRAY: (BlockIndex, &str) = (BlockIndex(0), "membrane");

/// Learns from a few samples; steps from 0 to the last are shown.
fn ran(last: u64) -> Ran {
    let image = image();
    let options = Running { seed: 5, timing: true, threads: 1 };
    let mut machine = Machine::new(&image, options).expect("a machine");
    let told = Arc::new(Mutex::new(Kept::default()));
    machine.log_steps(Box::new(told.clone()));
    let lines = Rc::new(RefCell::new(Vec::new()));
    let traced = lines.clone();
    let selection = || TraceSelection { cores: Vec::new(), steps: 0..=last };
    machine.trace(selection(), move |line| traced.borrow_mut().push(line));
    let cores: Vec<u32> = image.core_usage().iter().map(|usage| usage.core.0).collect();
    let array = WaveArray { block: ARRAY.0, symbol: ARRAY.1.to_owned(), elements: 0..8 };
    let waves = Waveform::new(&image, &cores, &[array], Vec::new()).expect("written to memory");
    let (waves, values) = (Rc::new(RefCell::new(waves)), Rc::new(RefCell::new(Vec::new())));
    let (writing, peeked) = (waves.clone(), values.clone());
    let watcher = move |step: &WatchedStep, machine: &Machine| {
        writing.borrow_mut().step(step, &|block, symbol| machine.peek(block, symbol)).expect("written to memory");
        peeked.borrow_mut().push(machine.peek(ARRAY.0, ARRAY.1).expect("an array"));
    };
    machine.watch(selection(), Box::new(watcher));
    let data = Dataset::for_image(&image, None, "case.sp".as_ref()).expect("built-in data");
    let mut session = Session::with(&image, Box::new(machine)).expect("a session");
    session.learn(&data.train, &[0, 1, 2, 3], |_| ControlFlow::Continue(())).expect("it learns");
    drop(session);
    let told = std::mem::take(&mut told.lock().expect("nobody failed").0);
    let end: u64 = told[..=last as usize].iter().map(|step| step.cycles + step.barrier_cycles).sum();
    let vcd = waves.borrow_mut().finish(end).expect("written to memory").clone();
    Ran { vcd, told, lines: lines.take(), values: values.take(), image }
}

/// A variable's changes: cycle and value.
type Changes = Vec<(u64, String)>;

fn changes(waves: &mut wellen::simple::Waveform, scope: &[&str], name: &str) -> Changes {
    let variable = waves.hierarchy().lookup_var(scope, name).unwrap_or_else(|| panic!("{scope:?}: {name}"));
    let signal = waves.hierarchy()[variable].signal_ref();
    waves.load_signals(&[signal]);
    let times = waves.time_table();
    let text = |value: SignalValueRef<'_>| match value {
        SignalValueRef::String(text) => text.to_owned(),
        value => value.to_bit_string().expect("bits"),
    };
    let found = waves.get_signal(signal).expect("it was loaded").iter_changes();
    found.map(|(at, value)| (times[at as usize], text(value))).collect()
}

fn at(changes: &Changes, cycle: u64) -> &str {
    let found = changes.partition_point(|(time, _)| *time <= cycle);
    found.checked_sub(1).map_or("", |last| &changes[last].1)
}

fn number(bits: &str) -> i64 {
    let value = bits.bytes().fold(0_u64, |value, bit| value << 1 | u64::from(bit == b'1'));
    if bits.len() == 32 { i64::from(value as u32 as i32) } else { value as i64 }
}

#[test]
fn waves_are_what_cores_did_cycle_by_cycle() {
    const LAST: u64 = 40;
    let ran = ran(LAST);
    let mut waves = wellen::simple::read_from_reader(Cursor::new(ran.vcd.clone())).expect("a VCD file");
    let mut begins = vec![0];
    ran.told.iter().for_each(|step| begins.push(begins[begins.len() - 1] + step.cycles + step.barrier_cycles));
    let steps = changes(&mut waves, &["chip"], "step");
    let expected: Vec<(u64, i64)> = (0..=LAST).map(|step| (begins[step as usize], step as i64)).collect();
    assert_eq!(steps.iter().map(|(time, bits)| (*time, number(bits))).collect::<Vec<_>>(), expected);
    let (mut stalled, mut seen) = (0, 0);
    for usage in ran.image.core_usage() {
        let core = usage.core;
        let scope = format!("core_{}", core.0);
        let scope = ["chip", scope.as_str()];
        let state = changes(&mut waves, &scope, "state");
        let sent = changes(&mut waves, &scope, "flit_sent");
        let arrived = changes(&mut waves, &scope, "flits_arrived");
        let [layer, handler] = ["layer", "handler"].map(|name| changes(&mut waves, &scope, name));
        let address = changes(&mut waves, &scope, "address");
        for (number_of_step, step) in (0..=LAST).zip(&ran.told) {
            let cycles = begins[number_of_step as usize]..begins[number_of_step as usize + 1];
            let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
            let (mut flits, mut taken) = (0, 0);
            for cycle in cycles {
                *counted.entry(at(&state, cycle)).or_default() += 1;
                flits += u64::from(at(&sent, cycle) == "1");
                assert_eq!(at(&sent, cycle) == "1", at(&state, cycle) == "sending", "core {core:?}, cycle {cycle}");
                taken += number(at(&arrived, cycle));
            }
            let mut expected: BTreeMap<&str, u64> = BTreeMap::from([("barrier", step.barrier_cycles)]);
            match step.senders.iter().find(|sender| sender.endpoint == Endpoint::Core(core)) {
                Some(sender) => {
                    expected.insert("computing", sender.computing);
                    expected.insert("sending", sender.sending);
                    expected.insert("stalled", sender.stalled);
                    expected.insert("waiting", step.cycles - sender.done());
                    assert_eq!(flits, sender.sending);
                    stalled += sender.stalled;
                }
                None => {
                    expected.insert("idle", step.cycles);
                }
            }
            expected.retain(|_, cycles| *cycles > 0);
            assert_eq!(counted, expected, "core {core:?}, step {number_of_step}");
            // Each flit is taken by a core once, however many of its blocks it is for.
            let for_core = |source: PacketSource| {
                let route = match source {
                    PacketSource::Host { input } => &ran.image.host_inputs[input].route,
                    PacketSource::Block { block, route } => &ran.image.blocks[block].routes[route],
                };
                let is_of = |delivery: &Delivery| match delivery {
                    Delivery::Block { block, .. } => ran.image.blocks[*block].core == core,
                    Delivery::Host => false,
                };
                route.flits.iter().filter(|flit| flit.deliveries.iter().any(is_of)).count() as u64
            };
            let expected: u64 = step.packets.iter().map(|&(source, packets)| packets * for_core(source)).sum();
            assert_eq!(taken as u64, expected, "core {core:?}, step {number_of_step}");
        }
        // Instructions: one block a core here, so a block's own time is its core's without flits and stalls.
        let of_core = ran.lines.iter().filter(|line| line.core == core.0);
        for line in of_core {
            let begin = begins[line.step as usize];
            // The cycle by which the core had computed so long, and what it had on offer then was accepted.
            let mut computed = 0;
            let cycle = (begin..).find(|&cycle| {
                let state = at(&state, cycle);
                let reached = computed == line.cycle && !matches!(state, "stalled" | "sending");
                computed += u64::from(state == "computing");
                reached
            });
            let cycle = cycle.expect("it has no end");
            assert_eq!(number(at(&address, cycle)), line.address as i64, "{line}");
            let block = &ran.image.blocks[line.block];
            assert_eq!(at(&layer, cycle), ran.image.population(block).name);
            let labels = &ran.image.programs[block.program].labels;
            let name = at(&handler, cycle);
            let label = labels.iter().find(|(label, _)| label == name).map_or(0, |(_, at)| *at as usize);
            assert!(
                label <= line.address
                    && labels.iter().all(|(_, at)| *at as usize <= label || *at as usize > line.address),
                "{line}: {name}"
            );
            seen += 1;
        }
    }
    assert!(stalled > 0 && seen > 1000, "somebody had to wait, and instructions ran: {seen}");
    let block = &ran.image.blocks[ARRAY.0];
    let scope = format!("core_{}", block.core.0);
    for element in 0..8 {
        let name = format!("{}_membrane_{}", ran.image.population(block).name, block.first_neuron + element);
        let membrane = changes(&mut waves, &["chip", scope.as_str()], &name);
        for (step, values) in ran.values.iter().enumerate() {
            let end = begins[step] + ran.told[step].cycles;
            assert_eq!(
                number(at(&membrane, end)),
                i64::from(values[element as usize]),
                "step {step}, neuron {element}"
            );
        }
    }
}
