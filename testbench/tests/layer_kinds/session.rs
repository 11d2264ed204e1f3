//! Networks without learning in a session: every encoding, answers and spikes.

use crate::build::*;
use crate::frozen::frozen;
use onward_emulate::Machine;
use onward_image::PopulationIndex;
use onward_net::{Encoding, ReadoutKind};
use onward_run::data::{Encoder, Samples};
use onward_run::{Session, Spike};
use std::ops::ControlFlow;

/// Samples of random bytes.
fn samples(count: usize, size: usize) -> Samples {
    let mut random = Random(11);
    let bytes = (0..count * size).map(|_| (random.next() % 256) as u8).collect();
    Samples::new(bytes, vec![0; count], size)
}

const ENCODINGS: [Encoding; 5] =
    [Encoding::Rate, Encoding::Poisson, Encoding::Latency, Encoding::Current, Encoding::Delta(0.2)];

#[test]
fn answers_and_spikes_are_those_of_the_model() {
    for encoding in ENCODINGS {
        for kind in [ReadoutKind::MostSpikes, ReadoutKind::Spikes] {
            println!("{encoding:?}, {kind:?}");
            // Sequences of 6 steps and 12 values have 24 axons.
            let (axons, size) = if matches!(encoding, Encoding::Delta(_)) { (24, 72) } else { (24, 24) };
            let mut net = Net::new(&[1, 4, axons / 4], encoding, 6);
            let conv = net.conv("c", net.input, conv(3, [3, 3]).padded(1), |layer| layer.block = 2);
            let last = net.conv("d", conv, super::build::conv(2, [4, 4]), |layer| layer.block = 1);
            let (image, parameters) = net.compile(last, kind);
            let samples = samples(9, size);
            let options = onward_emulate::Options { seed: 1, timing: false, threads: 1 };
            let machine = Box::new(Machine::new(&image, options).expect("an image"));
            let mut session = Session::with(&image, machine).expect("an input");
            session.set_seed(5);
            let input = &image.network.populations[PopulationIndex(0)];
            let encoder = Encoder::new(&input.kind, axons, 6, 5).expect("an input");
            let mut expected: Vec<Spike> = Vec::new();
            let mut answers = Vec::new();
            let mut model = frozen(&net.network, &parameters);
            for sample in 0..samples.len() {
                let mut shown = vec![vec![0; axons as usize]; 6];
                encoder.encode(&samples, sample, |packet| {
                    shown[packet.step as usize][packet.axon as usize] = packet.payload.into();
                });
                let mut counts = vec![0; net.network.layer(last).neurons() as usize];
                for (step, neurons) in (0..).zip(spikes(&mut model, "d", &shown)) {
                    for neuron in neurons {
                        counts[neuron as usize] += 1;
                        expected.push(Spike { sample: sample as u32, step, neuron });
                    }
                }
                let most = counts.iter().max();
                answers.push(counts.iter().position(|count| Some(count) == most).expect("a neuron") as u16);
            }
            assert!(expected.len() > 10, "{} spikes show little", expected.len());
            let go_on = |_| ControlFlow::Continue(());
            if kind == ReadoutKind::Spikes {
                assert!(session.reads_spikes());
                assert_eq!(session.observe(&samples, 9, go_on).expect("no fault"), (expected, 9));
            } else {
                assert_eq!(session.infer(&samples, 9, go_on).expect("no fault"), answers);
            }
        }
    }
}
