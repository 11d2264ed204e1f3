//! A run step by step is the run: engines tell the same of each step, spans add up to it, and a trace for Perfetto, read back by a
//! reader of protobuf that has nothing of what wrote it, holds each step as it was.

use onward_assembly::assemble_system;
use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::{
    Counters, Engine, HostPacket, Machine, Options as Running, PacketSource, SenderStep, StepLog, StepRecord, Window,
    reference,
};
use onward_image::{Endpoint, Image};
use onward_profile::{MOST_SPANS, Measure, PerfettoLog, Profile, Timeline, TimelineLog};
use onward_run::Session;
use onward_run::data::Dataset;
use prost::Message;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::{Arc, Mutex};

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

/// Keeps what it is told.
#[derive(Default)]
struct Kept(Vec<StepRecord>);

impl StepLog for Kept {
    fn step(&mut self, step: &StepRecord) {
        self.0.push(step.clone());
    }
}

/// What engines tell of a run that learns from some samples and is tested with others; without threads the reference.
fn followed<L: StepLog + 'static>(image: &Image, threads: usize, log: L, learn: usize) -> (Arc<Mutex<L>>, Counters) {
    let options = Running { seed: 5, timing: true, threads: threads.max(1) };
    let mut engine: Box<dyn Engine> = match threads {
        0 => Box::new(reference::Machine::new(image, options).expect("a machine")),
        _ => Box::new(Machine::new(image, options).expect("a machine")),
    };
    let log = Arc::new(Mutex::new(log));
    engine.count_in_detail();
    engine.log_steps(Box::new(log.clone()));
    let data = Dataset::for_image(image, None, "case.sp".as_ref()).expect("built-in data");
    let mut session = Session::with(image, engine).expect("a session");
    let order: Vec<u32> = (0..learn as u32).collect();
    session.learn(&data.train, &order, |_| ControlFlow::Continue(())).expect("it learns");
    session.infer(&data.test, 5, |_| ControlFlow::Continue(())).expect("it answers");
    let counters = session.machine().counters();
    (log, counters)
}

fn steps(log: &Arc<Mutex<Kept>>) -> Vec<StepRecord> {
    log.lock().expect("nobody failed").0.clone()
}

#[test]
fn both_engines_tell_the_same_of_each_step_and_the_steps_are_the_run() {
    let image = image();
    let (log, counters) = followed(&image, 0, Kept::default(), 20);
    let told = steps(&log);
    for threads in [1, 3] {
        let (log, others) = followed(&image, threads, Kept::default(), 20);
        assert_eq!(others, counters, "{threads} threads");
        assert_eq!(steps(&log).len(), told.len());
        for (number, (step, expected)) in steps(&log).iter().zip(&told).enumerate() {
            assert_eq!(step, expected, "step {number}, {threads} threads");
        }
    }
    // Added up they are what is counted over the run.
    assert_eq!(told.len() as u64, counters.steps);
    let timing = counters.timing.expect("time was kept");
    let sum = |of: &dyn Fn(&StepRecord) -> u64| told.iter().map(of).sum::<u64>();
    assert_eq!(sum(&|step| step.cycles + step.barrier_cycles), timing.cycles);
    assert_eq!(sum(&|step| step.barrier_cycles), timing.barrier_cycles);
    let senders = |of: fn(&SenderStep) -> u64| sum(&|step| step.senders.iter().map(of).sum());
    assert_eq!(senders(|sender| sender.stalled), timing.stalls);
    assert_eq!(senders(|sender| sender.sending), timing.injected);
    assert!(timing.stalls > 0, "a run in which nobody waits shows little");
    let detail = counters.detail.as_ref().expect("it was counted");
    for (core, counted) in detail.cores.iter().enumerate() {
        let of_core: Vec<(&StepRecord, &SenderStep)> = told
            .iter()
            .flat_map(|step| step.senders.iter().map(move |sender| (step, sender)))
            .filter(|(_, sender)| sender.endpoint == Endpoint::Core(onward_image::Core(core as u32)))
            .collect();
        assert_eq!(of_core.len() as u64, counted.steps, "core {core}");
        assert_eq!(of_core.iter().map(|(_, sender)| sender.done()).sum::<u64>(), counted.done_cycles, "core {core}");
        assert_eq!(of_core.iter().map(|(step, _)| step.cycles).sum::<u64>(), counted.step_cycles, "core {core}");
    }
    let mut packets: BTreeMap<PacketSource, u64> = BTreeMap::new();
    told.iter().flat_map(|step| &step.packets).for_each(|&(source, sent)| *packets.entry(source).or_default() += sent);
    for block in &counters.blocks {
        for (route, &sent) in block.packets.iter().enumerate().filter(|(_, sent)| **sent > 0) {
            let source = PacketSource::Block { block: block.block, route };
            let leads_on = !image.blocks[block.block].routes[route].flits.is_empty();
            assert_eq!(packets.get(&source), leads_on.then_some(&sent), "{source:?}");
        }
    }
}

#[test]
fn time_is_told_apart_by_the_window_that_the_host_shows() {
    let image = image();
    let samples = 20;
    let window = u64::from(image.network.window_steps);
    for threads in [0, 2] {
        let (log, counters) = followed(&image, threads, Kept::default(), samples);
        let told = steps(&log);
        let detail = counters.detail.as_ref().expect("it was counted");
        // Sample and target take turns while the network learns; the last target is shown until the tests begin, which are as
        // long as their windows and what comes in behind them.
        let (learning, testing) = (2 * window * samples as u64, detail.shown[Window::Test as usize].steps);
        assert!(testing >= 5 * window && told.len() as u64 - testing >= learning, "{testing} steps of testing");
        let shown = |step: u64| match step {
            _ if step >= told.len() as u64 - testing => Window::Test,
            _ if step < learning && step % (2 * window) < window => Window::Input,
            _ => Window::Target,
        };
        let costs = onward_run::costs(&image).expect("a technology");
        let profile = Profile::of(&image, &counters, None, &costs).expect("it was counted");
        for &of in &Window::ALL {
            let own: Vec<&StepRecord> =
                (0..).zip(&told).filter(|&(step, _)| shown(step) == of).map(|(_, of)| of).collect();
            let counted = &detail.shown[of as usize];
            let sum = |of: &dyn Fn(&StepRecord) -> u64| own.iter().map(|step| of(step)).sum::<u64>();
            assert_eq!(counted.steps, own.len() as u64, "{of:?}");
            assert_eq!(counted.cycles, sum(&|step| step.cycles + step.barrier_cycles), "{of:?}");
            assert_eq!(counted.barrier_cycles, sum(&|step| step.barrier_cycles), "{of:?}");
            let host = sum(&|step| {
                let of_host = step.packets.iter().filter(|(from, _)| matches!(from, PacketSource::Host { .. }));
                of_host.map(|(_, packets)| packets).sum()
            });
            assert_eq!(counted.host_packets.iter().sum::<u64>(), host, "{of:?}");
            let cores = |of: fn(&StepRecord, &SenderStep) -> u64| {
                sum(&|step| {
                    let is_core = |sender: &&SenderStep| matches!(sender.endpoint, Endpoint::Core(_));
                    step.senders.iter().filter(is_core).map(|sender| of(step, sender)).sum()
                })
            };
            let stalled: u64 = counted.stalls.iter().flatten().sum();
            assert_eq!(stalled, cores(|_, sender| sender.stalled), "{of:?}");
            // And so the profile has it.
            let name = match of {
                Window::None => continue,
                Window::Test => "testing",
                Window::Input => "learning, input window",
                Window::Target => "learning, target window",
            };
            let phase = profile.phases.iter().find(|phase| phase.name == name).expect("a phase");
            assert_eq!(
                phase.measure(Measure::WaitingCycles),
                cores(|step, sender| step.cycles - sender.done()),
                "{name}"
            );
            assert_eq!(phase.measure(Measure::StalledCycles), stalled, "{name}");
            let barriers = counted.barrier_cycles * image.chip.mesh.cores() as u64;
            assert_eq!(phase.measure(Measure::BarrierCycles), barriers, "{name}");
        }
    }
}

/// A list in spans of so many steps.
fn spans(steps: &[StepRecord], each: u64, of: impl Fn(&StepRecord) -> u64) -> Vec<u64> {
    steps.chunks(each as usize).map(|span| span.iter().map(&of).sum()).collect()
}

#[test]
fn spans_add_up_to_the_steps_and_to_the_profile() {
    let image = image();
    let (log, _) = followed(&image, 1, Kept::default(), 20);
    let told = steps(&log);
    let (log, counters) = followed(&image, 2, TimelineLog::new(&image), 20);
    let timeline: Timeline = log.lock().expect("nobody failed").timeline();
    let each = timeline.steps_per_span;
    assert!(each.is_power_of_two() && told.len() > MOST_SPANS, "spans were put together");
    assert!(timeline.steps.len() <= MOST_SPANS && 2 * timeline.steps.len() > MOST_SPANS);
    assert_eq!(timeline.steps, spans(&told, each, |_| 1));
    assert_eq!(timeline.cycles, spans(&told, each, |step| step.cycles + step.barrier_cycles));
    assert_eq!(timeline.barrier_cycles, spans(&told, each, |step| step.barrier_cycles));
    let costs = onward_run::costs(&image).expect("a technology");
    let profile = Profile::of(&image, &counters, None, &costs).expect("it was counted");
    let profile = serde_json::to_value(&profile).expect("JSON");
    let of = |part: &serde_json::Value, key: &str| part[key].as_u64().unwrap_or(0);
    for core in &timeline.cores {
        let endpoint = Endpoint::Core(onward_image::Core(core.core));
        let sender = |step: &StepRecord| step.senders.iter().find(|sender| sender.endpoint == endpoint).copied();
        let expected = |of: fn(&StepRecord, SenderStep) -> u64| {
            spans(&told, each, |step| sender(step).map_or(0, |sender| of(step, sender)))
        };
        assert_eq!(core.time.computing_cycles, expected(|_, sender| sender.computing));
        assert_eq!(core.time.sending_cycles, expected(|_, sender| sender.sending));
        assert_eq!(core.time.stalled_cycles, expected(|_, sender| sender.stalled));
        assert_eq!(core.time.waiting_cycles, expected(|step, sender| step.cycles - sender.done()));
        let part = profile["cores"].as_array().expect("cores").iter().find(|part| part["core"] == core.core);
        let part = part.expect("a core of the profile");
        let sum = |cycles: &[u64]| cycles.iter().sum::<u64>();
        assert_eq!(sum(&core.time.computing_cycles), of(part, "computing_cycles"));
        assert_eq!(sum(&core.time.sending_cycles), of(part, "sending_cycles"));
        assert_eq!(sum(&core.time.stalled_cycles), of(part, "stalled_cycles"));
        assert_eq!(sum(&core.time.waiting_cycles), of(part, "waiting_cycles"));
        let idle: u64 = (0..timeline.steps.len()).map(|span| timeline.idle_cycles(&core.time, span)).sum();
        assert_eq!(idle, of(part, "idle_cycles"));
    }
    let links = profile["links"].as_array().expect("links");
    assert_eq!(links.len(), timeline.links.len());
    for (link, part) in timeline.links.iter().zip(links) {
        assert_eq!(link.name, part["name"].as_str().expect("a name"));
        assert_eq!(link.flits.iter().sum::<u64>(), of(part, "flits"), "{}", link.name);
    }
}

/// What of a trace is read back: fields by the numbers of Perfetto's `trace_packet.proto` and what it imports.
mod proto {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Trace {
        #[prost(message, repeated, tag = "1")]
        pub packet: Vec<TracePacket>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct TracePacket {
        #[prost(uint64, optional, tag = "8")]
        pub timestamp: Option<u64>,
        #[prost(uint32, optional, tag = "10")]
        pub trusted_packet_sequence_id: Option<u32>,
        #[prost(message, optional, tag = "11")]
        pub track_event: Option<TrackEvent>,
        #[prost(message, optional, tag = "12")]
        pub interned_data: Option<InternedData>,
        #[prost(uint32, optional, tag = "13")]
        pub sequence_flags: Option<u32>,
        #[prost(message, optional, tag = "59")]
        pub trace_packet_defaults: Option<TracePacketDefaults>,
        #[prost(message, optional, tag = "60")]
        pub track_descriptor: Option<TrackDescriptor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct TrackEvent {
        #[prost(int32, optional, tag = "9")]
        pub r#type: Option<i32>,
        #[prost(uint64, optional, tag = "10")]
        pub name_iid: Option<u64>,
        #[prost(uint64, optional, tag = "11")]
        pub track_uuid: Option<u64>,
        #[prost(string, optional, tag = "23")]
        pub name: Option<String>,
        #[prost(int64, optional, tag = "30")]
        pub counter_value: Option<i64>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct InternedData {
        #[prost(message, repeated, tag = "2")]
        pub event_names: Vec<EventName>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct EventName {
        #[prost(uint64, optional, tag = "1")]
        pub iid: Option<u64>,
        #[prost(string, optional, tag = "2")]
        pub name: Option<String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct TracePacketDefaults {
        #[prost(message, optional, tag = "11")]
        pub track_event_defaults: Option<TrackEventDefaults>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct TrackEventDefaults {
        #[prost(uint64, optional, tag = "11")]
        pub track_uuid: Option<u64>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct TrackDescriptor {
        #[prost(uint64, optional, tag = "1")]
        pub uuid: Option<u64>,
        #[prost(string, optional, tag = "2")]
        pub name: Option<String>,
        #[prost(message, optional, tag = "3")]
        pub process: Option<ProcessDescriptor>,
        #[prost(uint64, optional, tag = "5")]
        pub parent_uuid: Option<u64>,
        #[prost(message, optional, tag = "8")]
        pub counter: Option<CounterDescriptor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ProcessDescriptor {
        #[prost(int32, optional, tag = "1")]
        pub pid: Option<i32>,
        #[prost(string, optional, tag = "6")]
        pub process_name: Option<String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct CounterDescriptor {
        #[prost(string, optional, tag = "6")]
        pub unit_name: Option<String>,
    }
}

/// Slices of each track: name, begin, end.
type Slices = BTreeMap<String, Vec<(String, u64, u64)>>;

/// A trace as a viewer shows it: by track, slices with name, begin and end, and values with when they begin.
#[derive(Default)]
struct Shown {
    slices: Slices,
    counters: BTreeMap<String, Vec<(u64, i64)>>,
}

fn shown(bytes: &[u8]) -> Shown {
    let trace = proto::Trace::decode(bytes).expect("a trace");
    let (mut tracks, mut counted) = (BTreeMap::new(), BTreeMap::new());
    let (mut names, mut defaults): (BTreeMap<(u32, u64), String>, BTreeMap<u32, u64>) = Default::default();
    let mut open: BTreeMap<u64, Vec<(String, u64)>> = BTreeMap::new();
    let mut shown = Shown::default();
    for packet in trace.packet {
        let sequence = packet.trusted_packet_sequence_id.expect("each packet has its sequence");
        if let Some(track) = packet.track_descriptor {
            let uuid = track.uuid.expect("a number");
            let name = track.name.or(track.process.and_then(|process| process.process_name)).expect("a name");
            assert!(track.parent_uuid.is_none_or(|parent| tracks.contains_key(&parent)), "{name} has its parent");
            assert_eq!(tracks.insert(uuid, name.clone()), None, "{name}: a number of its own");
            counted.insert(uuid, track.counter.is_some());
        }
        if packet.sequence_flags == Some(1) {
            names.retain(|&(of, _), _| of != sequence);
        }
        for event in packet.interned_data.into_iter().flat_map(|data| data.event_names) {
            names.insert((sequence, event.iid.expect("a number")), event.name.expect("a name"));
        }
        if let Some(default) = packet.trace_packet_defaults.and_then(|defaults| defaults.track_event_defaults) {
            defaults.insert(sequence, default.track_uuid.expect("a track"));
        }
        let Some(event) = packet.track_event else { continue };
        assert_eq!(packet.sequence_flags, Some(2), "it needs what the sequence began with");
        let track = event.track_uuid.unwrap_or_else(|| defaults[&sequence]);
        let (time, name) = (packet.timestamp.expect("a time"), tracks[&track].clone());
        match event.r#type {
            Some(1) => {
                let called = event.name.unwrap_or_else(|| names[&(sequence, event.name_iid.expect("a name"))].clone());
                open.entry(track).or_default().push((called, time));
            }
            Some(2) => {
                let (called, begin) = open.get_mut(&track).and_then(Vec::pop).expect("a slice that is open");
                shown.slices.entry(name).or_default().push((called, begin, time));
            }
            Some(4) => {
                assert!(counted[&track]);
                shown.counters.entry(name).or_default().push((time, event.counter_value.expect("a value")));
            }
            other => panic!("an event of type {other:?}"),
        }
    }
    assert!(open.values().all(Vec::is_empty), "all slices have an end");
    shown
}

/// Holds a trace of the steps of a range against them.
fn check_trace(image: &Image, told: &[StepRecord], range: RangeInclusive<u64>) -> usize {
    let mut log = PerfettoLog::new(image, range.clone(), Vec::new());
    told.iter().for_each(|step| log.step(step));
    let bytes = log.flush().expect("written to memory").clone();
    let shown = shown(&bytes);
    let (mut cycle, mut expected) = (0, Slices::new());
    let mut hops = 0;
    for (number, step) in (0..).zip(told) {
        let end = cycle + step.cycles + step.barrier_cycles;
        if range.contains(&number) {
            let steps = expected.entry("steps".to_owned()).or_default();
            steps.extend((step.barrier_cycles > 0).then(|| ("barrier".to_owned(), cycle + step.cycles, end)));
            steps.push((format!("step {number}"), cycle, end));
            for sender in step.senders.iter().filter(|sender| sender.done() > 0) {
                let name = match sender.endpoint {
                    Endpoint::Core(core) => {
                        shown.slices.keys().find(|name| name.starts_with(&format!("core {}:", core.0)))
                    }
                    Endpoint::Host(_) => shown.slices.keys().find(|name| *name == "host"),
                };
                let slices = expected.entry(name.expect("a track").clone()).or_default();
                let mut from = cycle;
                let (computing, waiting) = (sender.computing, step.cycles - sender.done());
                for (state, cycles) in [
                    ("computing", computing),
                    ("sending", sender.sending),
                    ("stalled", sender.stalled),
                    ("waiting", waiting),
                ] {
                    slices.extend((cycles > 0).then(|| (state.to_owned(), from, from + cycles)));
                    from += cycles;
                }
            }
            hops += 1;
        }
        cycle = end;
    }
    assert_eq!(shown.slices, expected);
    assert!(hops > 0);
    // Each link's values, as they hold from step to step, add up to what the timeline has.
    let mut timeline = TimelineLog::new(image);
    let of_range = range.clone().take_while(|&step| step < told.len() as u64);
    of_range.clone().for_each(|step| timeline.step(&told[step as usize]));
    let mut begins: Vec<u64> = vec![0];
    told.iter().for_each(|step| begins.push(begins.last().unwrap_or(&0) + step.cycles + step.barrier_cycles));
    for link in timeline.timeline().links {
        let values = &shown.counters[&link.name];
        assert!(values.is_sorted_by_key(|(time, _)| *time));
        let at =
            |time: u64| values.iter().rev().find(|(begin, _)| *begin <= time).map_or(0, |(_, value)| *value as u64);
        let carried: u64 = of_range.clone().map(|step| at(begins[step as usize])).sum();
        assert_eq!(carried, link.flits.iter().sum::<u64>(), "{}", link.name);
    }
    bytes.len()
}

#[test]
fn a_trace_for_perfetto_shows_each_step_as_it_was() {
    let image = image();
    let (log, _) = followed(&image, 1, Kept::default(), 4);
    let told = steps(&log);
    check_trace(&image, &told, 0..=u64::MAX);
    check_trace(&image, &told, 7..=40);
}

/// The block that a block of the ring sends to: a permutation of all 256 in one circle.
fn next(block: usize) -> usize {
    (5 * block + 37) % 256
}

/// A system of 16 x 16 blocks in a circle. Once woken, a block computes in every step, some longer than others, and sends four packets
/// to the next one. The host can wake every sixteenth.
fn ring() -> Image {
    let mut text = String::new();
    for at in 0..256 {
        text += &format!("        .block  b{at}, {}, {}, start{}, 8, layer ring\n", at % 16, at / 16, at % 3);
    }
    for at in 0..256 {
        text += &format!("        .route  b{at}, 0, 4, b{}\n", next(at));
    }
    let mut block = 0;
    for input in 0..16 {
        text += &format!("        .input  s{input}, 4, b{block}, 4\n");
        block = (0..16).fold(block, |block, _| next(block));
    }
    text += "        .steps 1\n";
    for kind in 0..3 {
        let computes = "        vadd v1, v1, v0\n".repeat(8 * kind + 3);
        text += &format!(
            "start{kind}:\n        setvl r0, 4\n{computes}        vcges p0, v1, r0\n        spike p0, 0\n        stay\n"
        );
    }
    let mut chip = Chip::builtin("middle").expect("a chip");
    (chip.mesh.width, chip.mesh.height) = (16, 16);
    let mut none = |_: &str, _: &str| Err("nothing is included".to_owned());
    let system = assemble_system(&Source::new("ring.s", text), &chip, &mut none);
    system.unwrap_or_else(|errors| panic!("{:?}", errors.diagnostics)).image
}

#[test]
fn a_trace_of_a_thousand_steps_of_256_cores_is_small() {
    let image = ring();
    let mut machine = Machine::new(&image, Running { seed: 1, timing: true, threads: 2 }).expect("a machine");
    let log = Arc::new(Mutex::new(Kept::default()));
    machine.log_steps(Box::new(log.clone()));
    let wake = |input| HostPacket { step: 0, input, index: 0, payload: 1 };
    machine.run_packets(1000, &(0..16).map(wake).collect::<Vec<_>>()).expect("it runs");
    drop(machine.take_step_log());
    let told = steps(&log);
    assert_eq!(told.len(), 1000);
    assert_eq!(told[500].senders.len(), 257, "all cores are at work, and the host is there");
    let bytes = check_trace(&image, &told, 0..=999);
    assert!((10_000_000..100_000_000).contains(&bytes), "{bytes} bytes");
}
