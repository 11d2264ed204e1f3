//! From samples to packets, by the encoding that the network's input names.

use super::{RateEncoder, Samples};
use onward_image::{Encoding, NetworkSummary, PopulationKind};
use onward_isa::random::block_seed;

/// Turns samples into the packets of a window. Integers only: the same packets everywhere.
#[derive(Clone, Debug)]
pub struct Encoder {
    kind: Kind,
    window: u32,
    axons: u32,
    seed: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    Rate(RateEncoder),
    Other(Encoding),
}

/// A packet of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packet {
    /// Step of the window.
    pub step: u32,
    /// The input's axon.
    pub axon: u32,
    /// 1 for a spike.
    pub payload: i32,
}

impl Encoder {
    /// The encoder of a network's input, for windows of so many steps as it has, that draws from its seed; `None` for a
    /// system in assembly.
    pub fn of(network: &NetworkSummary) -> Option<Encoder> {
        let input = network.input()?;
        Encoder::new(&input.population.kind, input.population.neurons, network.window_steps, network.seed)
    }

    /// The encoder of an input of so many axons, for windows of `window` steps; `None` for a population that is no input.
    /// The seed is that of spikes that are drawn.
    pub fn new(kind: &PopulationKind, axons: u32, window: u32, seed: u64) -> Option<Encoder> {
        let kind = match kind {
            PopulationKind::RateInput { .. } => Kind::Rate(RateEncoder::new(window)),
            PopulationKind::EncodedInput { encoding, .. } => Kind::Other(*encoding),
            _ => return None,
        };
        Some(Encoder { kind, window, axons, seed })
    }

    /// Axons of the input.
    pub fn axons(&self) -> u32 {
        self.axons
    }

    /// Draws from another seed.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// The encoder of evenly spread spikes, if it is one: it fills whole windows at once.
    pub fn as_rate(&self) -> Option<&RateEncoder> {
        if let Kind::Rate(encoder) = &self.kind { Some(encoder) } else { None }
    }

    /// The packets of a sample, axon and payload, step by step.
    pub fn window(&self, samples: &Samples, sample: usize) -> Vec<Vec<(u32, i32)>> {
        let mut steps = vec![Vec::new(); self.window as usize];
        self.encode(samples, sample, |packet| steps[packet.step as usize].push((packet.axon, packet.payload)));
        steps
    }

    /// Calls `send` with each packet of a sample.
    pub fn encode(&self, samples: &Samples, sample: usize, mut send: impl FnMut(Packet)) {
        let values = samples.pixels(sample);
        let mut spike = |step: u32, axon: usize| send(Packet { step, axon: axon as u32, payload: 1 });
        let steps = self.window;
        match &self.kind {
            Kind::Rate(encoder) => {
                let words = values.len().div_ceil(64);
                let mut bits = vec![0; words * steps as usize];
                encoder.encode(values, &mut bits, words);
                for step in 0..steps {
                    let of_step = &bits[step as usize * words..][..words];
                    (0..values.len())
                        .filter(|at| of_step[at / 64] >> (at % 64) & 1 == 1)
                        .for_each(|at| spike(step, at));
                }
            }
            Kind::Other(Encoding::Poisson) => {
                let of_sample = block_seed(self.seed, sample as u32);
                for step in 0..steps {
                    let of_step = block_seed(of_sample, step);
                    for (axon, &value) in values.iter().enumerate().filter(|(_, value)| **value > 0) {
                        // 24 bits of the draw are a number below 1; with the value 255 all are.
                        let draw = block_seed(of_step, axon as u32) >> 40;
                        if draw * 255 < u64::from(value) << 24 {
                            spike(step, axon);
                        }
                    }
                }
            }
            Kind::Other(Encoding::Latency) => {
                for (axon, &value) in values.iter().enumerate().filter(|(_, value)| **value > 0) {
                    spike(latency(value, steps), axon);
                }
            }
            Kind::Other(Encoding::Current) => {
                for step in 0..steps {
                    for (axon, &value) in (0..).zip(values).filter(|(_, value)| **value > 0) {
                        send(Packet { step, axon, payload: value.into() });
                    }
                }
            }
            Kind::Other(Encoding::Delta { change }) => {
                let mut changes = Changes::new(samples, sample, (self.axons / 2) as usize, *change);
                for (step, row) in (0..steps).zip(values.chunks_exact(changes.width())) {
                    changes.pass(row, |axon| spike(step, axon));
                }
            }
            Kind::Other(Encoding::Sequence { change }) => self.sequence(samples, sample, *change, spike),
            Kind::Other(Encoding::Events) => {
                for &(step, axon) in samples.events(sample) {
                    spike(step, axon as usize);
                }
            }
        }
    }

    /// Spikes as many as values are large, then rises, then falls. A sequence of fewer rows than the window has steps shows each
    /// for as many steps as go into it, evenly spread.
    fn sequence(&self, samples: &Samples, sample: usize, change: u32, mut spike: impl FnMut(u32, usize)) {
        let width = (self.axons / 3) as usize;
        let mut changes = Changes::new(samples, sample, width, change);
        let (mut sums, window) = (vec![u32::from(u8::MAX / 2); width], self.window as usize);
        for shown in samples.up_to(sample) {
            let values = samples.pixels(shown);
            let rows = (values.len() / width.max(1)).min(window);
            for step in (0..window).filter(|_| rows > 0) {
                let row = &values[step * rows / window * width..][..width];
                for (axon, (&value, sum)) in row.iter().zip(&mut sums).enumerate() {
                    *sum += u32::from(value);
                    if *sum >= u32::from(u8::MAX) {
                        *sum -= u32::from(u8::MAX);
                        // What was shown before this sample only leaves sums behind.
                        if shown == sample {
                            spike(step as u32, axon);
                        }
                    }
                }
                if shown == sample {
                    changes.pass(row, |axon| spike(step as u32, width + axon));
                }
            }
        }
    }
}

/// Where values have changed since the last spike.
struct Changes {
    last: Vec<u8>,
    change: i64,
}

impl Changes {
    /// Before the first row of a sample: after all that its sequence showed before it. `change` has 16 fraction bits.
    fn new(samples: &Samples, sample: usize, width: usize, change: u32) -> Changes {
        let first = *samples.up_to(sample).start();
        let last = samples.pixels(first).get(..width).unwrap_or_default().to_vec();
        let mut changes = Changes { last, change: i64::from(change) * 255 };
        for before in first..sample {
            for row in samples.pixels(before).chunks_exact(changes.width()) {
                changes.pass(row, |_| {});
            }
        }
        changes
    }

    /// Values of a row; at least 1, so that it can be a length.
    fn width(&self) -> usize {
        self.last.len().max(1)
    }

    /// Tells the axons of the values that have changed: rises, then falls.
    fn pass(&mut self, row: &[u8], mut spike: impl FnMut(usize)) {
        let width = self.last.len();
        for (at, (&value, last)) in row.iter().zip(&mut self.last).enumerate() {
            let difference = i64::from(value) - i64::from(*last);
            if difference.abs() << 16 >= self.change && difference != 0 {
                spike(if difference > 0 { at } else { width + at });
                *last = value;
            }
        }
    }
}

/// The step of a value's one spike: 255 in the first of `steps`, 1 in the last, those between evenly spread, to the nearest.
pub const fn latency(value: u8, steps: u32) -> u32 {
    let (late, last) = (255 - value as u64, steps as u64 - 1);
    ((2 * late * last + 254) / 508) as u32
}
