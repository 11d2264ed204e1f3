//! A machine with a network on it, spoken to in samples instead of packets.

mod trial;
mod values;

pub(crate) use trial::Lesson;

use crate::data::{Encoder, Samples};
use onward_emulate::{Engine, Fault, Feed, Machine, MachineError, Options, Output};
use onward_image::{HostInputKind, Image, PopulationKind, Schedule, Tag};
use std::ops::ControlFlow;

/// Steps that are run at once: enough that each block's weights stay near for a while, few enough that progress shows.
const CHUNK_STEPS: usize = 1024;
/// Fewer in large networks: what all blocks send in a chunk, a bit a neuron and step, takes at most so many bits.
const CHUNK_BITS: u64 = 1 << 27;
/// But not fewer than these.
const CHUNK_STEPS_LEAST: u64 = 64;

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The machine cannot be made.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// A handler did what the machine does not allow.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The image has no input, target or tag that the host could send.
    #[error("the image takes no {0} from the host: it was not compiled from a network that learns classes")]
    Input(&'static str),
    /// A block does not go to sleep though nothing comes for it any more.
    #[error("the network does not come to rest after its last window: a handler stays awake")]
    Restless,
    /// The host cannot name so many classes as rivals.
    #[error("the network has {found} classes; a bandit plays with at most {most}")]
    Classes {
        /// Classes of the network.
        found: u32,
        /// As many as a tag can name.
        most: u32,
    },
    /// The network gave no answer, or more than one.
    #[error("the network gave {found} answers to {expected} samples")]
    Answers {
        /// Samples shown.
        expected: usize,
        /// Answers that came.
        found: usize,
    },
}

/// A spike that reached the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spike {
    /// The sample it was fired for.
    pub sample: u32,
    /// Step of the layer's window.
    pub step: u32,
    /// The layer's neuron.
    pub neuron: u32,
}

/// Spikes as an array for NumPy (`.npy`): a row of sample, step and neuron each.
pub fn spikes_to_npy(spikes: &[Spike]) -> Vec<u8> {
    let header = format!("{{'descr': '<u4', 'fortran_order': False, 'shape': ({}, 3), }}", spikes.len());
    // Magic, version and length are 10 bytes; the numbers begin at a multiple of 64.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = length - 1).as_bytes());
    for spike in spikes {
        for number in [spike.sample, spike.step, spike.neuron] {
            bytes.extend(number.to_le_bytes());
        }
    }
    bytes
}

/// A sample's place in its set, and what it is shown for.
type Shown = (usize, u16);

/// A machine and what the host must know to show it samples.
pub struct Session {
    machine: Box<dyn Engine>,
    /// Steps that are run at once.
    chunk_steps: usize,
    window: usize,
    /// Host inputs, by number.
    tag: usize,
    target: Option<usize>,
    /// A target of values.
    values: Option<usize>,
    /// Where values come out: how many, what 1.0 is, and the first of each block that sends some.
    outputs: Option<values::Outputs>,
    input: usize,
    words: usize,
    encoder: Encoder,
    /// From the first step that shows a sample to the one that brings the answer.
    latency: u64,
    schedules: Vec<(u32, Schedule)>,
    buffer: Vec<u64>,
    /// For each block whose packets stand for neurons, which ones; empty unless spikes are read.
    neurons: Vec<Vec<u32>>,
    /// Steps by which the readout lags behind the input.
    lag: u64,
}

impl Session {
    /// Loads an image into the fast engine.
    ///
    /// # Errors
    /// The machine cannot be made, or the image has no such inputs.
    pub fn new(image: &Image, options: Options) -> Result<Session, SessionError> {
        Session::with(image, Box::new(Machine::new(image, options)?))
    }

    /// A session with an engine that has the image loaded.
    ///
    /// # Errors
    /// The image has no such inputs.
    pub fn with(image: &Image, machine: Box<dyn Engine>) -> Result<Session, SessionError> {
        let find = |kind: HostInputKind, what| {
            image.host_inputs.iter().position(|input| input.kind == kind).ok_or(SessionError::Input(what))
        };
        let tag = find(HostInputKind::Tag, "tags")?;
        let target = find(HostInputKind::Target, "targets").ok();
        let values = find(HostInputKind::TargetValues, "").ok();
        let input =
            find(HostInputKind::Input, "input").or_else(|error| find(HostInputKind::Values, "").map_err(|_| error))?;
        let indices = |input: usize| image.host_inputs[input].route.indices;
        let neurons = |wanted: fn(&PopulationKind) -> bool| {
            image.network.populations.iter().find(|population| wanted(&population.kind)).map(|of| of.neurons)
        };
        let is_input = |kind: &PopulationKind| {
            matches!(kind, PopulationKind::RateInput { .. } | PopulationKind::EncodedInput { .. })
        };
        let encoder = image.network.populations.iter().find(|population| is_input(&population.kind)).and_then(|of| {
            Encoder::new(&of.kind, of.neurons, image.network.window_steps, image.network.seed)
                .filter(|_| of.neurons == indices(input))
        });
        let encoder = encoder.ok_or(SessionError::Input("input of the network's shape"))?;
        let classes = neurons(|kind| *kind == PopulationKind::Target);
        if target.is_some_and(|target| classes != Some(indices(target))) || indices(tag) == 0 {
            return Err(SessionError::Input("targets of the network's classes"));
        }
        let window = image.network.window_steps as usize;
        let words = (image.host_inputs[input].route.indices as usize).div_ceil(64);
        let is_readout = |kind: &PopulationKind| {
            use PopulationKind::{LearningReadout, Readout, SpikeReadout, ValueReadout};
            matches!(kind, Readout | SpikeReadout | LearningReadout { .. } | ValueReadout { .. })
        };
        let readout = image.network.populations.iter().find(|population| is_readout(&population.kind));
        let reads_spikes = readout.is_some_and(|readout| readout.kind == PopulationKind::SpikeReadout);
        let of_block = |block: &onward_image::Block| match image.network.populations[block.population as usize].kind {
            PopulationKind::Layer { .. } => (0..block.neurons).map(|index| block.neuron(index)).collect(),
            _ => Vec::new(),
        };
        let lag = readout.map_or(0, |readout| u64::from(readout.lag));
        let schedules = image.blocks.iter().enumerate().filter_map(|(number, block)| {
            match &image.network.populations[block.population as usize].kind {
                PopulationKind::Layer { schedule: Some(schedule) }
                | PopulationKind::LearningReadout { schedule }
                | PopulationKind::ValueReadout { schedule, .. }
                    if block.symbol("shift").is_some() =>
                {
                    Some((number as u32, schedule.clone()))
                }
                _ => None,
            }
        });
        let routes =
            image.blocks.iter().flat_map(|block| &block.routes).chain(image.host_inputs.iter().map(|of| &of.route));
        let bits = routes.map(|route| u64::from(route.indices)).sum::<u64>().max(1);
        Ok(Session {
            machine,
            chunk_steps: (CHUNK_BITS / bits).clamp(CHUNK_STEPS_LEAST, CHUNK_STEPS as u64) as usize,
            window,
            tag,
            target,
            values,
            outputs: values::Outputs::of(image),
            input,
            words,
            encoder,
            latency: window as u64 + lag - 1,
            lag,
            neurons: if reads_spikes { image.blocks.iter().map(of_block).collect() } else { Vec::new() },
            schedules: schedules.collect(),
            buffer: vec![0; window * words],
        })
    }

    /// Draws the spikes of inputs that are drawn from another seed than the image's.
    pub fn set_seed(&mut self, seed: u64) {
        self.encoder.set_seed(seed);
    }

    /// Whether what reaches the host is a layer's spikes, and no answer.
    pub fn reads_spikes(&self) -> bool {
        !self.neurons.is_empty()
    }

    /// The machine.
    pub fn machine(&self) -> &dyn Engine {
        &*self.machine
    }

    /// The machine.
    pub fn machine_mut(&mut self) -> &mut dyn Engine {
        &mut *self.machine
    }

    /// Sets the learning rate of an epoch (from 0) of so many, over the configuration port, unless the text schedules
    /// none.
    pub fn set_epoch(&mut self, epoch: u32, epochs: u32) {
        for (block, schedule) in &self.schedules {
            self.machine.write(*block, "shift", &[schedule.shift_in(epoch, epochs)]);
        }
    }

    /// Shows samples and their targets; the network learns from each. Those of a sequence follow each other in `order`. `progress` is told how many are done.
    ///
    /// Returns how many were shown: all, unless `progress` broke off. Everything shown has been learned on return.
    ///
    /// # Errors
    /// A handler did what the machine does not allow.
    pub fn learn(
        &mut self,
        samples: &Samples,
        order: &[u32],
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<usize, SessionError> {
        if let Some(values) = self.values {
            return self.learn_values(values, samples, order, progress);
        }
        let target = self.target.ok_or(SessionError::Input("targets"))?;
        let at_once = (self.chunk_steps / (2 * self.window)).max(1);
        let mut done = 0;
        for chunk in order.chunks(at_once) {
            let shown: Vec<Shown> = chunk.iter().map(|&at| (at as usize, samples.label(at as usize))).collect();
            let (window, tag) = (self.window, self.tag);
            let mut show = Show {
                samples,
                encoder: &self.encoder,
                buffer: &mut self.buffer,
                words: self.words,
                input: self.input,
            };
            self.machine.run_fed(2 * window * shown.len(), &mut |inputs| {
                for (at, &(sample, label)) in shown.iter().enumerate() {
                    let first = at * 2 * window;
                    let opens =
                        |is_target| Tag { target: is_target, learn: true, slot: label, ..Tag::default() }.payload();
                    inputs.send(tag, first, 0, opens(false) | continued(samples, sample));
                    show.sample(inputs, first, sample);
                    inputs.send(tag, first + window, 0, opens(true));
                    for step in first + window..first + 2 * window {
                        inputs.send(target, step, u32::from(label), 1);
                    }
                }
            })?;
            done += chunk.len();
            if progress(done).is_break() {
                break;
            }
        }
        self.drain(&mut |_| {})?;
        Ok(done)
    }

    /// Shows samples `0..count` and returns the class the network answers for each; nothing is learned.
    ///
    /// Returns fewer if `progress` broke off.
    ///
    /// # Errors
    /// A handler did what the machine does not allow, or an answer is missing.
    pub fn infer(
        &mut self,
        samples: &Samples,
        count: usize,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<u16>, SessionError> {
        let first_step = self.machine.step();
        let (latency, window) = (self.latency, self.window as u64);
        let (mut answers, mut found) = (vec![None; count], 0);
        let done = self.show_all(samples, count, progress, &mut |output| {
            found += 1;
            // An answer tells by its step which sample it is for.
            let since = output.step.checked_sub(first_step + latency);
            let sample = since.filter(|since| since % window == 0).map(|since| since / window);
            if let Some(answer) = sample.and_then(|sample| answers.get_mut(sample as usize)) {
                *answer = u16::try_from(output.payload).ok();
            }
        })?;
        answers.truncate(done);
        let answers: Option<Vec<u16>> = answers.into_iter().collect();
        answers.filter(|_| found == done).ok_or(SessionError::Answers { expected: done, found })
    }

    /// Shows samples `0..count` and returns the spikes that reach the host, in their order, and how many samples were
    /// shown: fewer if `progress` broke off.
    ///
    /// # Errors
    /// A handler did what the machine does not allow.
    pub fn observe(
        &mut self,
        samples: &Samples,
        count: usize,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(Vec<Spike>, usize), SessionError> {
        let first_step = self.machine.step();
        let (lag, window) = (self.lag, self.window as u64);
        let neurons = std::mem::take(&mut self.neurons);
        let mut spikes: Vec<Spike> = Vec::new();
        let shown = self.show_all(samples, count, progress, &mut |output| {
            spikes.extend(output.step.checked_sub(first_step + lag).and_then(|since| {
                let neuron = *neurons.get(output.sender? as usize)?.get(output.index as usize)?;
                Some(Spike { sample: (since / window) as u32, step: (since % window) as u32, neuron })
            }));
        });
        self.neurons = neurons;
        let done = shown?;
        spikes.sort_unstable();
        Ok((spikes, done))
    }

    /// Shows samples `0..count`; nothing is learned. Tells what reaches the host; returns how many were shown.
    fn show_all(
        &mut self,
        samples: &Samples,
        count: usize,
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
        tell: &mut dyn FnMut(&Output),
    ) -> Result<usize, SessionError> {
        let at_once = (self.chunk_steps / self.window).max(1);
        let mut done = 0;
        let all: Vec<usize> = (0..count).collect();
        for chunk in all.chunks(at_once) {
            let (window, tag) = (self.window, self.tag);
            let mut show = Show {
                samples,
                encoder: &self.encoder,
                buffer: &mut self.buffer,
                words: self.words,
                input: self.input,
            };
            let outputs = self.machine.run_fed(window * chunk.len(), &mut |inputs| {
                for (at, &sample) in chunk.iter().enumerate() {
                    let first = at * window;
                    inputs.send(tag, first, 0, Tag::default().payload() | continued(samples, sample));
                    show.sample(inputs, first, sample);
                }
            })?;
            outputs.iter().for_each(&mut *tell);
            done += chunk.len();
            if progress(done).is_break() {
                break;
            }
        }
        self.drain(tell)?;
        Ok(done)
    }

    /// Runs until nothing is under way. Tells what reaches the host meanwhile.
    fn drain(&mut self, tell: &mut dyn FnMut(&Output)) -> Result<(), SessionError> {
        // Windows that are open close, and what they send comes through; a network needs no longer.
        for _ in 0..2 * (self.window as u64 + self.latency) + 1 {
            if !self.machine.is_busy() {
                return Ok(());
            }
            self.machine.run_fed(1, &mut |_| {})?.iter().for_each(&mut *tell);
        }
        Err(SessionError::Restless)
    }
}

/// What the tag of an input window says where it goes on with the one before.
fn continued(samples: &Samples, sample: usize) -> i32 {
    if samples.continues(sample) { Tag::CONTINUES } else { 0 }
}

/// Puts a sample's spikes into the inputs.
struct Show<'a> {
    samples: &'a Samples,
    encoder: &'a Encoder,
    buffer: &'a mut [u64],
    words: usize,
    input: usize,
}

impl Show<'_> {
    fn sample(&mut self, inputs: &mut dyn Feed, first: usize, sample: usize) {
        let input = self.input;
        let Some(rate) = self.encoder.as_rate() else {
            return self.encoder.encode(self.samples, sample, |packet| {
                inputs.send(input, first + packet.step as usize, packet.axon, packet.payload);
            });
        };
        rate.encode(self.samples.pixels(sample), self.buffer, self.words);
        for (step, bits) in self.buffer.chunks(self.words).enumerate() {
            inputs.spikes(input, first + step, bits);
        }
    }
}
