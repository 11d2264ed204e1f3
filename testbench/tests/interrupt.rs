//! A run that is broken off has run so many steps and no more: its counters, cycles and memories are those of a machine that
//! was asked for that many steps.

use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::{Engine, HostPacket, Machine, Options as Emulation, reference};
use onward_image::{HostInputKind, Image, Tag};
use onward_isa::Space;
use onward_run::data::{Dataset, Samples, encode_rate};
use onward_run::{Session, learned, train};
use std::ops::ControlFlow;

const EMULATION: Emulation = Emulation { seed: 5, timing: true, threads: 2 };

fn image() -> Image {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/digits.sp");
    let source = Source::new("digits.sp", std::fs::read_to_string(path).expect("a program"));
    let options = Options::new(Chip::builtin("small").expect("a chip"), 3);
    compile(&source, &options).map_err(|errors| source.render(&errors)).expect("a network")
}

/// What the host sends while samples `0..count` are shown, written down apart from how a session does it.
fn packets(image: &Image, samples: &Samples, count: usize, learn: bool) -> Vec<HostPacket> {
    let input = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input");
    let (tags, targets, pixels) =
        (input(HostInputKind::Tag), input(HostInputKind::Target), input(HostInputKind::Input));
    let window = image.network.window_steps as usize;
    let mut packets = Vec::new();
    let mut first = 0;
    for sample in 0..count {
        let class = samples.label(sample);
        let slot = if learn { class } else { 0 };
        let tag = |target| Tag { target, learn, slot, ..Tag::default() }.payload();
        packets.push(HostPacket { step: first, input: tags, index: 0, payload: tag(false) });
        let mut bits = vec![0; window];
        encode_rate(samples.pixels(sample), window as u32, &mut bits, 1);
        for (step, bits) in bits.iter().enumerate() {
            for index in (0..64).filter(|index| bits >> index & 1 == 1) {
                packets.push(HostPacket { step: first + step, input: pixels, index, payload: 1 });
            }
        }
        first += window;
        if learn {
            packets.push(HostPacket { step: first, input: tags, index: 0, payload: tag(true) });
            for step in first..first + window {
                packets.push(HostPacket { step, input: targets, index: u32::from(class), payload: 1 });
            }
            first += window;
        }
    }
    packets
}

/// Asserts that the engine has done what one does that is asked for so many steps.
fn assert_ran(engine: &dyn Engine, image: &Image, steps: usize, packets: &[HostPacket]) {
    let packets: Vec<HostPacket> = packets.iter().copied().filter(|packet| packet.step < steps).collect();
    let mut fast = Machine::new(image, EMULATION).expect("a machine");
    let mut plain = reference::Machine::new(image, EMULATION).expect("a machine");
    let asked: [&mut dyn Engine; 2] = [&mut fast, &mut plain];
    for asked in asked {
        asked.run_packets(steps, &packets).expect("no fault");
        assert_eq!(engine.counters(), asked.counters());
        for block in image.blocks.keys() {
            for space in [Space::Neuron, Space::Axon, Space::Synapse] {
                assert!(engine.memory(block, space) == asked.memory(block, space), "block {block}, {space:?}");
            }
        }
    }
}

/// Breaks off when asked for the nth time.
fn after(mut times: usize) -> impl FnMut(usize) -> ControlFlow<()> {
    move |_| {
        times -= 1;
        if times == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn learning_ends_with_the_step_it_is_broken_off_at() {
    let (image, data) = (image(), Dataset::load("digits").expect("built-in data"));
    let order: Vec<u32> = (0..60).collect();
    let packets = packets(&image, &data.train, order.len(), true);
    let period = 2 * image.network.window_steps as usize;
    let mut stops = Vec::new();
    for times in 1..6 {
        let mut session = Session::new(&image, EMULATION).expect("a session");
        let shown = session.learn(&data.train, &order, after(times)).expect("no fault");
        let steps = session.machine().step() as usize;
        assert_eq!(shown, (steps / period).min(order.len()));
        assert_ran(session.machine(), &image, steps, &packets);
        stops.push(steps);
        // What is saved of it is at rest.
        session.rest().expect("windows close");
        assert!(!session.machine().is_busy());
        let saved = learned(session.machine(), &image, 0);
        let mut again = Session::new(&saved, EMULATION).expect("a session");
        assert_eq!(again.infer(&data.test, 5, |_| ControlFlow::Continue(())).expect("answers").len(), 5);
    }
    // Nothing, and then in the midst of a window.
    assert_eq!(stops[..2], [0, 4]);
    assert!(stops.is_sorted());
}

#[test]
fn a_test_ends_with_the_step_it_is_broken_off_at() {
    let (image, data) = (image(), Dataset::load("digits").expect("built-in data"));
    let packets = packets(&image, &data.test, 50, false);
    let mut session = Session::new(&image, EMULATION).expect("a session");
    let all = session.infer(&data.test, 50, |_| ControlFlow::Continue(())).expect("answers");
    for times in 1..6 {
        let mut session = Session::new(&image, EMULATION).expect("a session");
        let answers = session.infer(&data.test, 50, after(times)).expect("no fault");
        assert!(all.starts_with(&answers));
        assert_ran(session.machine(), &image, session.machine().step() as usize, &packets);
    }
}

#[test]
fn a_training_run_that_is_broken_off_runs_nothing_for_its_report() {
    let (image, data) = (image(), Dataset::load("digits").expect("built-in data"));
    let mut session = Session::new(&image, EMULATION).expect("a session");
    let (mut asked, mut steps) = (0, 0);
    let progress = |_| {
        asked += 1;
        if asked < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let report = train(&mut session, &image, &data, 3, 1, progress, |_| steps += 1).expect("no fault");
    assert!(report.interrupted);
    assert_eq!((report.epochs.len(), steps, report.epochs[0].tested()), (1, 1, 0));
    assert_eq!(report.epochs[0].accuracy_percent(), None);
    assert_eq!(report.counters.steps, report.learning.steps);
}
