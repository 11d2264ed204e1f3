//! What the debugger shows is what there is, looking changes nothing, and going back leads to just there.

use onward_chip::Chip;
use onward_compile::{Options as Compiling, compile};
use onward_debug::{Debugger, Host, Length};
use onward_diagnostic::Source;
use onward_emulate::{Engine, HostPacket, Machine, Options, reference};
use onward_image::{BlockIndex, Image, Population};
use onward_isa::Space;
use onward_run::Session;
use onward_run::data::Dataset;
use proptest::prelude::*;
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::OnceLock;

const OPTIONS: Options = Options { seed: 5, timing: false, threads: 1 };

/// A small network of two layers that learn, in blocks on three cores and more.
const NETWORK: &str = "network small {
    data = \"digits\"
    window = 4
    input pixels = rate(8, 8)
    target digit = classes(10)
    learning = hinge { rate = 5, margin = 0.3 }
    layer first = dense(12) from pixels, digit { block = 6 }
    layer second = dense(8) from first
    readout answer = nearest_target from second
}";

/// A system with elements of all widths.
const WIDTHS: &str = "
        .block  mixed, 0, 0, start, 4
        .input  knock, 4, mixed
        .packet 0..5, knock, 0..3
        .steps  8
start:
        setvl   r0, 8
        vidx    v0
        addi    r3, r0, -3
        vadds   v1, v0, r3
        addi    r4, r0, 900
        vmuls   v2, v1, r4
        foreach r1, r2, done
        addm    r1, n32[20]
        vst     v1, n8[16]
done:
        vst     v2, n16[16]
        vst     v2, n32[24]
        vld     v3, s4[3]
        vst     v1, s4[8]
        vst     v3, s8[40]
        stay
        .section s
        .byte   0x87, 0x6f, -1, 100
        .array  thirds, n32[20], 1
        .array  bytes, n8[16], 8
        .array  halves, n16[16], 4, 2
        .array  words, n32[24], 8
        .array  nibbles, s4[0], 16
        .array  more, s8[40], 8
";

fn image() -> &'static Image {
    static IMAGE: OnceLock<Image> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let source = Source::new("small.sp", NETWORK);
        let options = Compiling::new(Chip::builtin("small").expect("a chip"), 3);
        compile(&source, &options).map_err(|errors| source.render(&errors)).expect("a network")
    })
}

fn data() -> &'static Dataset {
    static DATA: OnceLock<Dataset> = OnceLock::new();
    DATA.get_or_init(|| Dataset::load("digits").expect("built-in data"))
}

/// What the host sends while it shows samples to learn from, or to answer, and how long that takes.
fn shown(order: &[u32], learn: bool) -> (Vec<Vec<HostPacket>>, (u64, u64)) {
    let session = Session::new(image(), OPTIONS).expect("a session");
    let samples = if learn { &data().train } else { &data().test };
    let (shown, rests) = session.steps_of(order.len(), learn).expect("it learns");
    let packets = |step: usize| session.packets(samples, order, learn, step..step + 1).expect("it learns");
    ((0..rests as usize).map(packets).collect(), (shown, rests))
}

fn debugger(packets: &[Vec<HostPacket>], (shown, rests): (u64, u64)) -> Debugger<'_> {
    let host = Host::new(Length::UntilRest(shown, rests), |step| packets[step as usize].clone());
    Debugger::new(image(), OPTIONS, host).expect("a machine")
}

/// All memories, and how often generators have drawn.
fn memories(engine: &dyn Engine, image: &Image) -> Vec<Vec<u8>> {
    let of_block = |block: BlockIndex| {
        [Space::Neuron, Space::Axon, Space::Synapse].map(|space| engine.memory(block, space).to_vec())
    };
    image.blocks.keys().flat_map(of_block).chain([format!("{:?}", engine.draws()).into_bytes()]).collect()
}

/// The numbers that `print` shows, without their labels.
fn numbers(text: &str) -> Vec<i64> {
    if let Some((_, number)) = text.trim_end().split_once(" = ") {
        return vec![number.parse().expect("a number")];
    }
    let cells = |line: &str| {
        let cells = line.split_once([':', ']']).map_or("", |(_, cells)| cells).to_owned();
        cells.split_whitespace().map(|cell| cell.parse().expect("a number")).collect::<Vec<i64>>()
    };
    text.lines().skip(1).flat_map(cells).collect()
}

/// Every array of every block is shown as the engine has it.
fn arrays_agree(debugger: &mut Debugger, image: &Image) {
    for (number, block) in image.blocks.iter_enumerated() {
        for symbol in &block.symbols {
            let reply = debugger.execute(&format!("print @{number}.{}", symbol.name));
            assert!(!reply.is_error, "{}", reply.text);
            let held = debugger.engine().peek(number, &symbol.name).expect("a named array");
            let held: Vec<i64> = held.into_iter().map(i64::from).collect();
            assert_eq!(numbers(&reply.text), held, "block {number}, {}:\n{}", symbol.name, reply.text);
        }
    }
}

#[test]
fn memories_are_shown_as_an_engine_holds_them_after_each_step() {
    let (packets, length) = shown(&[7], true);
    let mut debugger = debugger(&packets, length);
    let mut plain = Machine::new(image(), OPTIONS).expect("a machine");
    for (step, sent) in packets.iter().enumerate().take(length.0 as usize) {
        assert_eq!(memories(debugger.engine(), image()), memories(&plain, image()), "before step {step}");
        arrays_agree(&mut debugger, image());
        let sent: Vec<HostPacket> = sent.iter().map(|packet| HostPacket { step: 0, ..*packet }).collect();
        plain.run_packets(1, &sent).expect("no fault");
        debugger.execute("timestep");
    }
}

#[test]
fn elements_of_all_widths_are_shown() {
    let source = Source::new("widths.s", WIDTHS);
    let chip = Chip::builtin("small").expect("a chip");
    let system = onward_assembly::assemble_system(&source, &chip, &mut onward_isa::read_relative);
    let system = system.unwrap_or_else(|errors| panic!("{errors:?}"));
    let host = Host::new(Length::Steps(system.steps), |step| {
        let sent = system.stimuli_in(step..step + 1).iter();
        sent.map(|s| HostPacket { step: 0, input: s.input, index: s.index, payload: s.payload }).collect()
    });
    let mut debugger = Debugger::new(&system.image, OPTIONS, host).expect("a machine");
    for _ in 0..40 {
        debugger.execute("step 3");
        arrays_agree(&mut debugger, &system.image);
    }
    assert!(debugger.engine().peek(BlockIndex(0), "nibbles").expect("an array").iter().any(|&nibble| nibble < 0));
}

/// Each instruction of a run that is traced without a debugger is the one that is stepped through, and its scalar registers are
/// shown as the trace tells them.
#[test]
fn registers_are_shown_as_a_trace_tells_them() {
    let (packets, length) = shown(&[2], true);
    let lines = Rc::new(RefCell::new(Vec::new()));
    let mut traced = reference::Machine::new(image(), OPTIONS).expect("a machine");
    let selection = reference::TraceSelection { cores: Vec::new(), steps: 0..=u64::MAX };
    let told = Rc::clone(&lines);
    traced.trace(selection, move |line| told.borrow_mut().push(line));
    let all: Vec<HostPacket> = (0..length.1 as usize)
        .flat_map(|step| packets[step].iter().map(move |packet| HostPacket { step, ..*packet }))
        .collect();
    traced.run(length.1 as usize, &all).expect("no fault");
    let mut debugger = debugger(&packets, length);
    debugger.execute("step");
    let lines = lines.borrow();
    assert!(lines.len() > 1000);
    let mut registers = 0;
    for line in lines.iter() {
        let place = debugger.execute("print (step * 1000 + block) * 1000 + pc").text;
        let block = i64::from(u32::from(line.block));
        let expected = (line.step as i64 * 1000 + block) * 1000 + line.address as i64;
        assert_eq!(numbers(&place), [expected], "{line}");
        for value in line.values.split(' ') {
            let Some((name, before)) = value.split_once('=') else { continue };
            if let (true, Ok(before)) = (name.starts_with('r'), before.parse::<i64>()) {
                assert_eq!(numbers(&debugger.execute(&format!("print {name}")).text), [before], "{name} at {line}");
                registers += 1;
            }
        }
        debugger.execute("step");
    }
    assert!(registers > 1000, "{registers}");
    assert_eq!(debugger.executed(), lines.len() as u64);
    assert_eq!(memories(debugger.engine(), image()), memories(&traced, image()));
}

/// What is to be seen at a place.
fn seen(debugger: &mut Debugger) -> (Vec<Vec<u8>>, String) {
    let commands =
        ["where", "info registers", "info vectors", "info predicates", "info loops", "info packets", "info output"];
    let text = commands.map(|command| debugger.execute(command).text).concat();
    (memories(debugger.engine(), image()), text)
}

#[test]
fn back_leads_to_just_there() {
    let (packets, length) = shown(&[4], true);
    let mut debugger = debugger(&packets, length);
    debugger.execute("step");
    // Every so often on the way to the end.
    let mut places = Vec::new();
    while debugger.executed() < 6000 {
        places.push((debugger.executed(), seen(&mut debugger)));
        let reply = debugger.execute("step 211");
        if reply.is_error || reply.text.contains("has ended") {
            break;
        }
    }
    assert!(places.len() > 5, "{}", places.len());
    for (executed, expected) in places.iter().rev() {
        let distance = debugger.executed() - executed;
        let reply = debugger.execute(&format!("back {distance}").replace("back 0", "step 0"));
        if distance > 0 {
            assert!(!reply.is_error, "{}", reply.text);
            assert_eq!(debugger.executed(), *executed);
            assert!(seen(&mut debugger) == *expected, "after {executed} instructions");
        }
    }
}

#[test]
fn breaking_at_a_spike_finds_each_neuron_that_fires() {
    let (packets, length) = shown(&[0, 1], false);
    let mut debugger = debugger(&packets, length);
    debugger.execute("break fires first");
    // Counted by the stops, and by the packets that a trace sends.
    let mut stops = 0;
    while !debugger.execute("continue").text.contains("has ended") {
        stops += 1;
    }
    let sends: u64 = debugger.engine().counters().blocks.iter().map(|block| block.packets[0]).sum();
    assert!(stops > 0 && sends > 0);
    let name = |population: &Population| population.name.clone();
    let first = image().blocks.iter_enumerated().filter(|(_, block)| name(image().population(block)) == "first");
    let counters = debugger.engine().counters();
    let spikes: u64 = first.map(|(number, _)| counters.blocks[usize::from(number)].packets[0]).sum();
    assert!(stops <= spikes, "{stops} stops, {spikes} spikes");
    debugger.execute("delete");
    debugger.execute("run");
    // Neuron by neuron.
    let mut fired = 0;
    for neuron in 0..12 {
        debugger.execute("run");
        debugger.execute("delete");
        debugger.execute(&format!("break fires first[{neuron}]"));
        while !debugger.execute("continue").text.contains("has ended") {
            fired += 1;
        }
    }
    assert_eq!(fired, spikes);
}

#[test]
fn watching_finds_each_change() {
    let (packets, length) = shown(&[9, 3], true);
    let mut debugger = debugger(&packets, length);
    // By looking after each instruction.
    let mut changes = Vec::new();
    let mut held = debugger.engine().peek(BlockIndex(0), "weights");
    loop {
        let reply = debugger.execute("step");
        if reply.is_error || reply.text.contains("has ended") {
            break;
        }
        let now = debugger.engine().peek(BlockIndex(0), "weights");
        if now != held {
            changes.push(debugger.executed());
            held = now;
        }
    }
    assert!(!changes.is_empty());
    debugger.execute("run");
    debugger.execute("watch @0.weights");
    let mut found = Vec::new();
    while !debugger.execute("continue").text.contains("has ended") {
        found.push(debugger.executed());
    }
    assert_eq!(found, changes);
}

/// Commands that go somewhere, or look.
const COMMANDS: [&str; 22] = [
    "step",
    "step 17",
    "next",
    "next 5",
    "finish",
    "finish 3",
    "timestep",
    "timestep 2",
    "window",
    "back",
    "back 23",
    "back timestep",
    "run",
    "until step 4",
    "break fires first",
    "watch @0.membrane[1]",
    "break saturates",
    "info packets",
    "print second.membrane",
    "continue",
    "delete",
    "break core 0 if step > 2",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_a_run_ends_as_one_without_a_debugger(
        commands in prop::collection::vec(prop::sample::select(&COMMANDS[..]), 0..30),
        sample in 0_u32..100,
        learn: bool,
    ) {
        let order = [sample, sample + 1];
        let (packets, length) = shown(&order, learn);
        let mut debugger = debugger(&packets, length);
        for command in commands {
            debugger.execute(command);
        }
        debugger.execute("delete");
        debugger.execute("continue");
        let mut session = Session::new(image(), OPTIONS).expect("a session");
        let dataset = data();
        if learn {
            session.learn(&dataset.train, &order, |_| ControlFlow::Continue(())).expect("no fault");
        } else {
            let given = dataset.test.of_sequences(&order);
            session.infer(&given, 2, |_| ControlFlow::Continue(())).expect("no fault");
        }
        prop_assert!(memories(debugger.engine(), image()) == memories(session.machine(), image()));
    }
}
