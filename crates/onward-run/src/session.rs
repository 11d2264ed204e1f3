//! A machine with a network on it, spoken to in samples instead of packets.

mod host;
mod scores;
mod silence;
mod stimuli;
mod trial;
mod values;

pub use silence::{SILENCE_SAMPLES, Silence, silence, silent_neurons};
pub(crate) use trial::Lesson;

use crate::data::{Encoder, Samples};
use crate::error::SessionError;
use crate::pace::Pace;
use host::{Host, Shown, Teaching};
use onward_emulate::{Counters, Engine, Machine, Options, Output};
use onward_image::{Block, BlockIndex, HostInputKind, Image, PopulationIndex, PopulationKind, Schedule};
use onward_profile::Spike;
use scores::Scores;
use std::ops::ControlFlow;
use typed_index_collections::TiVec;

/// Steps that are run at once at most: enough that each block's weights stay near for a while.
const CHUNK_STEPS: usize = 1024;
/// Fewer in large networks: what all blocks send in a chunk, a bit a neuron and step, takes at most so many bits.
const CHUNK_BITS: u64 = 1 << 27;
/// But not fewer than these.
const CHUNK_STEPS_LEAST: u64 = 64;
/// The greatest shift of an instruction.
const MOST_SHIFT: i32 = 31;

/// What of what was to be shown ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ran {
    steps: usize,
    /// Whether it was all, and nothing is under way any more.
    whole: bool,
}

/// A machine and what the host must know to show it samples.
pub struct Session {
    machine: Box<dyn Engine>,
    /// How many steps are run at once.
    pace: Pace,
    window: usize,
    /// Host inputs, by number.
    tag: usize,
    target: Option<usize>,
    /// A target of values.
    values: Option<usize>,
    learns_by_tags: bool,
    /// Where values come out: how many, what 1.0 is, and the first of each block that sends some.
    outputs: Option<values::Outputs>,
    input: usize,
    words: usize,
    encoder: Encoder,
    /// From the first step that shows a sample to the one that brings the answer.
    latency: u64,
    schedules: Vec<(BlockIndex, Schedule)>,
    /// What is added to their shifts.
    rate_shift: i32,
    buffer: Vec<u64>,
    /// For each block whose packets stand for neurons, which ones; empty unless spikes are read.
    neurons: TiVec<BlockIndex, Vec<u32>>,
    /// Steps by which the readout lags behind the input.
    lag: u64,
    /// What answers come of, where blocks send scores.
    scores: Option<Scores>,
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
        let network = &image.network;
        let host_input = |kind| image.host_input(kind);
        let tag = host_input(HostInputKind::Tag).ok_or(SessionError::Input("tags"))?;
        let target = host_input(HostInputKind::Target);
        let input = host_input(HostInputKind::Input).or_else(|| host_input(HostInputKind::Values));
        let input = input.ok_or(SessionError::Input("input"))?;
        let indices = |input: usize| image.input_indices(input);
        if target.is_some_and(|target| network.classes() != Some(indices(target))) || indices(tag) == 0 {
            return Err(SessionError::Input("targets of the network's classes"));
        }
        let encoder = Encoder::of(network).filter(|encoder| encoder.axons() == indices(input));
        let encoder = encoder.ok_or(SessionError::Input("input of the network's shape"))?;
        let window = network.window_steps as usize;
        let words = (indices(input) as usize).div_ceil(64);
        let readout = network.readout().map(|(_, readout)| readout);
        let lag = readout.map_or(0, |readout| u64::from(readout.lag));
        let reads_spikes = readout.is_some_and(|readout| readout.kind == PopulationKind::SpikeReadout);
        Ok(Session {
            machine,
            pace: Pace::new(chunk_steps(image)),
            window,
            tag,
            target,
            values: host_input(HostInputKind::TargetValues),
            learns_by_tags: image.learns_by_tags(),
            outputs: values::Outputs::of(image),
            input,
            words,
            encoder,
            latency: window as u64 + lag - 1,
            lag,
            neurons: if reads_spikes { neurons(image) } else { TiVec::new() },
            schedules: schedules(image),
            scores: Scores::new(image),
            rate_shift: 0,
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
            let shift = schedule.shift_in(epoch, epochs).saturating_add(self.rate_shift);
            self.machine.write(*block, "shift", &[shift.clamp(-MOST_SHIFT, MOST_SHIFT)]);
        }
    }

    /// From the next epoch on, all layers learn by `2^-shift` of what their schedules say; beyond what an instruction can
    /// shift by, as slowly or fast as it can.
    pub fn set_rate_shift(&mut self, shift: i32) {
        self.rate_shift = shift;
    }

    /// Lets only some layers learn, over the configuration port: those for whose number (of a population) the rule holds.
    /// The others keep their weights; they go on to carry input and target, and to note what each evokes.
    ///
    /// # Errors
    /// A layer that learns cannot be told not to.
    pub fn let_learn(&mut self, image: &Image, learns: impl Fn(PopulationIndex) -> bool) -> Result<(), SessionError> {
        for (block, _) in &self.schedules {
            let population = image.blocks[*block].population;
            let frozen = i32::from(!learns(population));
            // Written only where it is another: a run that freezes nothing writes nothing.
            let now = self.machine.peek(*block, "frozen");
            if now.as_deref() == Some(&[frozen]) || now.is_none() && frozen == 0 {
                continue;
            }
            if !self.machine.write(*block, "frozen", &[frozen]) {
                let name = image.network.populations[population].name.clone();
                return Err(SessionError::Frozen(name));
            }
        }
        Ok(())
    }

    /// Shows samples and their targets; the network learns from each. Those of a sequence follow each other in `order`.
    /// `progress` is told how many have been shown, at first and after each chunk of steps.
    ///
    /// Returns how many were shown in full: all, unless `progress` broke off; then the run has ended with the chunk's last
    /// step, wherever it was. Otherwise everything shown has been learned on return.
    ///
    /// # Errors
    /// A handler did what the machine does not allow.
    pub fn learn(
        &mut self,
        samples: &Samples,
        order: &[u32],
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<usize, SessionError> {
        let teaching = self.teaching(true)?;
        if let Teaching::Values(values) = teaching {
            return self.learn_values(values, samples, order, progress);
        }
        let ran = self.play(&Shown { samples, order, teaching }, &mut progress, &mut |_| {})?;
        Ok((ran.steps / teaching.period(self.window)).min(order.len()))
    }

    /// Shows samples `0..count` and returns the class the network answers for each; nothing is learned.
    ///
    /// If `progress` broke off, returns the answers that came by then.
    ///
    /// # Errors
    /// A handler did what the machine does not allow, or an answer is missing.
    pub fn infer(
        &mut self,
        samples: &Samples,
        count: usize,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<u16>, SessionError> {
        if let Some(scores) = &mut self.scores {
            scores.begin();
        }
        let first_step = self.machine.step();
        let (latency, window) = (self.latency, self.window as u64);
        let (mut answers, mut found) = (vec![None; count], 0);
        let ran = self.show_all(samples, count, progress, &mut |output| {
            found += 1;
            // An answer tells by its step which sample it is for.
            let since = output.step.checked_sub(first_step + latency);
            let sample = since.filter(|since| since % window == 0).map(|since| since / window);
            if let Some(answer) = sample.and_then(|sample| answers.get_mut(sample as usize)) {
                *answer = u16::try_from(output.payload).ok();
            }
        })?;
        // Where the run was broken off, answers are still under way.
        let expected = if ran.whole { count } else { found.min(count) };
        answers.truncate(expected);
        let answers: Option<Vec<u16>> = answers.into_iter().collect();
        answers.filter(|_| found == expected).ok_or(SessionError::Answers { expected, found })
    }

    /// The scores of classes that the answers to so many samples came of, sample by sample, from the last call of
    /// [`Session::infer`]; empty where the readout is sent none, or when they have been taken.
    pub fn take_scores(&mut self, samples: usize) -> Vec<i32> {
        self.scores.as_mut().map_or_else(Vec::new, |scores| scores.end(samples))
    }

    /// Shows samples `0..count` and returns the spikes that reach the host, in their order, and for how many samples they are
    /// all: fewer than were shown if `progress` broke off.
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
                let neuron = *neurons.get(output.sender?)?.get(output.index as usize)?;
                Some(Spike { sample: (since / window) as u32, step: (since % window) as u32, neuron })
            }));
        });
        self.neurons = neurons;
        let ran = shown?;
        let done = if ran.whole { count } else { ran.steps.saturating_sub(lag as usize) / self.window };
        spikes.sort_unstable();
        Ok((spikes, done))
    }

    /// Shows samples `0..count` and lets what reaches the host go; nothing is learned.
    ///
    /// # Errors
    /// A handler did what the machine does not allow.
    pub fn show(&mut self, samples: &Samples, count: usize) -> Result<(), SessionError> {
        self.show_all(samples, count, |_| ControlFlow::Continue(()), &mut |_| {}).map(drop)
    }

    /// Shows samples `0..count`; nothing is learned. Tells what reaches the host.
    fn show_all(
        &mut self,
        samples: &Samples,
        count: usize,
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
        tell: &mut dyn FnMut(&Output),
    ) -> Result<Ran, SessionError> {
        let order: Vec<u32> = (0..count as u32).collect();
        self.play(&Shown { samples, order: &order, teaching: Teaching::None }, &mut progress, tell)
    }

    /// Shows samples, chunk by chunk, and runs until nothing is under way. `progress` is told how many have been shown in
    /// full, and may end it after any chunk. Tells what reaches the host.
    fn play(
        &mut self,
        shown: &Shown,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
        tell: &mut dyn FnMut(&Output),
    ) -> Result<Ran, SessionError> {
        let period = shown.teaching.period(self.window);
        let all = period * shown.order.len();
        let mut steps = 0;
        while progress((steps / period).min(shown.order.len())).is_continue() {
            let left = all.saturating_sub(steps);
            if left == 0 && !self.machine.is_busy() {
                return Ok(Ran { steps, whole: true });
            }
            // Windows that are open close, and what they send comes through; a network needs no longer.
            if steps >= all + self.longest_rest() {
                return Err(SessionError::Restless);
            }
            let chunk = steps..steps + self.pace.steps(left);
            let mut host = Host {
                shown,
                encoder: &self.encoder,
                buffer: &mut self.buffer,
                words: self.words,
                window: self.window,
                tag: self.tag,
                input: self.input,
            };
            let machine = &mut self.machine;
            let reached = self
                .pace
                .run(chunk.len(), || machine.run_fed(chunk.len(), &mut |inputs| host.feed(inputs, chunk.clone())))?;
            if let Some(scores) = &mut self.scores {
                scores.keep(&*self.machine);
            }
            reached.iter().for_each(&mut *tell);
            steps = chunk.end;
        }
        Ok(Ran { steps, whole: false })
    }

    /// Runs on until nothing is under way: the windows that are open close. What reaches the host is not told.
    ///
    /// # Errors
    /// A handler did what the machine does not allow.
    pub fn rest(&mut self) -> Result<(), SessionError> {
        for _ in 0..self.longest_rest() {
            if !self.machine.is_busy() {
                return Ok(());
            }
            self.machine.run_fed(1, &mut |_| {})?;
        }
        Err(SessionError::Restless)
    }

    /// Steps after which nothing is under way any more, whatever was.
    fn longest_rest(&self) -> usize {
        2 * (self.window + self.latency as usize) + 1
    }
}

/// Shows the first samples to a machine of its own, without timing; nothing is learned. Returns what it counted.
///
/// # Errors
/// See [`SessionError`].
pub fn counters_of(image: &Image, samples: &Samples, count: usize, seed: u64) -> Result<Counters, SessionError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut session = Session::new(image, Options { seed, timing: false, threads })?;
    session.show_all(samples, count, |_| ControlFlow::Continue(()), &mut |_| {})?;
    Ok(session.machine.counters())
}

/// Steps that are run at once at most.
fn chunk_steps(image: &Image) -> usize {
    let of_blocks = image.blocks.iter().flat_map(|block| &block.routes);
    let routes = of_blocks.chain(image.host_inputs.iter().map(|input| &input.route));
    let bits = routes.map(|route| u64::from(route.indices)).sum::<u64>().max(1);
    (CHUNK_BITS / bits).clamp(CHUNK_STEPS_LEAST, CHUNK_STEPS as u64) as usize
}

/// For each block whose packets stand for neurons of a layer, which ones.
fn neurons(image: &Image) -> TiVec<BlockIndex, Vec<u32>> {
    let of_block = |block: &Block| match image.population(block).is_layer() {
        true => (0..block.neurons).map(|index| block.neuron(index)).collect(),
        false => Vec::new(),
    };
    image.blocks.iter().map(of_block).collect()
}

/// The schedules of the blocks that learn and whose rate can be set.
fn schedules(image: &Image) -> Vec<(BlockIndex, Schedule)> {
    let of_block = |(number, block): (BlockIndex, &Block)| {
        let schedule = image.population(block).schedule()?.clone();
        block.symbol("shift").map(|_| (number, schedule))
    };
    image.blocks.iter_enumerated().filter_map(of_block).collect()
}
