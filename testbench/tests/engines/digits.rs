//! A real network, trained by both engines.

use crate::same_state;
use onward_chip::Chip;
use onward_diagnostic::Source;
use onward_emulate::{Engine, HostPacket, Machine, Options, reference};
use onward_image::{HostInputKind, Tag};
use onward_isa::Space;
use onward_run::data::{Dataset, encode_rate};

/// Samples of the digits, learned and then inferred, as the host of a training run shows them.
fn digits(chip: &str, samples: usize) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/digits.sp");
    let source = Source::new("digits.sp", std::fs::read_to_string(path).expect("the network"));
    let options = onward_compile::Options::new(Chip::builtin(chip).expect("a chip"), 1);
    let image =
        onward_compile::compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let data = Dataset::load("digits").expect("built in");
    let window = image.network.window_steps as usize;
    let input = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input");
    let (tag, target, pixels) = (input(HostInputKind::Tag), input(HostInputKind::Target), input(HostInputKind::Input));
    let words = (image.host_inputs[pixels].route.indices as usize).div_ceil(64);
    let mut packets = Vec::new();
    let mut step = 0;
    for learn in [true, false] {
        for sample in 0..samples {
            let slot = data.train.label(sample);
            let mut bits = vec![0; window * words];
            encode_rate(data.train.pixels(sample), window as u32, &mut bits, words);
            let payload = Tag { target: false, learn, slot: if learn { slot } else { 0 }, ..Tag::default() }.payload();
            packets.push(HostPacket { step, input: tag, index: 0, payload });
            for (at, word) in bits.iter().enumerate() {
                for index in (0..64).filter(|index| word >> index & 1 == 1) {
                    let index = (at % words * 64) as u32 + index;
                    packets.push(HostPacket { step: step + at / words, input: pixels, index, payload: 1 });
                }
            }
            step += window;
            if learn {
                packets.push(HostPacket {
                    step,
                    input: tag,
                    index: 0,
                    payload: Tag { target: true, learn, slot, ..Tag::default() }.payload(),
                });
                for step in step..step + window {
                    packets.push(HostPacket { step, input: target, index: u32::from(slot), payload: 1 });
                }
                step += window;
            }
        }
    }
    let steps = step + 3 * window;
    let options = Options { seed: 1, timing: true, threads: 2 };
    let mut reference = reference::Machine::new(&image, options).expect("a valid image");
    let mut fast = Machine::new(&image, options).expect("a valid image");
    reference.count_in_detail();
    fast.count_in_detail();
    let expected = reference.run_packets(steps, &packets).expect("no fault");
    assert_eq!(expected.len(), samples, "an answer for each sample that was inferred");
    assert_eq!(fast.run_packets(steps, &packets).expect("no fault"), expected);
    let before: Vec<u8> = image.blocks.iter().flat_map(|block| block.contents[2].clone()).collect();
    let after: Vec<u8> =
        (0..image.blocks.len()).flat_map(|block| reference.memory(block.into(), Space::Synapse).to_vec()).collect();
    assert!(before.iter().zip(&after).any(|(before, after)| before != after), "something was learned");
    assert_eq!(same_state(&image, &reference, &fast), Ok(()));
}

#[test]
fn digits_on_the_small_chip_are_learned_alike() {
    digits("small", 20);
}

#[test]
fn digits_on_eight_lanes_are_learned_alike() {
    digits("middle-8-lanes", 5);
}
