//! An engine that records beside running another.

use super::recording::Recording;
use super::selection::{Array, Arrivals, Cadence, Kind, Packets, Probe, ProbeError, ProbeText};
use onward_diagnostic::system_cause;
use onward_emulate::{Counters, Engine, Fault, Feed, HostPacket, Output, RunPhase, StepLog};
use onward_image::{BlockIndex, HostInputKind, Image};
use onward_isa::Space;
use std::collections::BTreeMap;
use std::io;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

/// Puts an engine that has an image loaded into one that records what probes ask for, in steps from the first to the last of
/// a range; the steps of windows and epochs, too, are recorded in this range alone. `folder` takes temporary files.
///
/// # Errors
/// See [`ProbeError`].
pub fn attach(
    engine: Box<dyn Engine>,
    image: &Image,
    probes: &[ProbeText],
    steps: RangeInclusive<u64>,
    folder: &Path,
) -> Result<(Box<dyn Engine>, Recording), ProbeError> {
    let probes = probes.iter().map(|probe| probe.resolve(image)).collect::<Result<_, _>>()?;
    attach_resolved(engine, image, probes, steps, folder)
}

/// The same with probes of the image.
pub(crate) fn attach_resolved(
    engine: Box<dyn Engine>,
    image: &Image,
    probes: Vec<Probe>,
    steps: RangeInclusive<u64>,
    folder: &Path,
) -> Result<(Box<dyn Engine>, Recording), ProbeError> {
    let tag = image.host_input(HostInputKind::Tag);
    let recording = Recording::new(folder, &probes, tag.is_some())
        .map_err(|error| ProbeError::Files { folder: folder.display().to_string(), cause: system_cause(&error) })?;
    let window = u64::from(image.network.window_steps);
    let due = BTreeMap::new();
    let firsts = image.host_inputs.iter().map(|input| input.first).collect();
    let probing = Probing { engine, probes, steps, tag, firsts, window, due, recording: recording.clone() };
    Ok((Box::new(probing), recording))
}

struct Probing {
    engine: Box<dyn Engine>,
    probes: Vec<Probe>,
    steps: RangeInclusive<u64>,
    /// The host input that takes tags.
    tag: Option<usize>,
    /// For each part of a host input, the input's index that its index 0 stands for.
    firsts: Vec<u32>,
    /// Steps of a window.
    window: u64,
    /// Probes of arrays that are looked at when windows end, by the step behind which that is.
    due: BTreeMap<u64, Vec<usize>>,
    recording: Recording,
}

/// Hands on what the host sends, and notes its tags: step of the chunk and payload.
struct Tagged<'a> {
    feed: &'a mut dyn Feed,
    tag: Option<usize>,
    tags: &'a mut Vec<(usize, i32)>,
}

impl Feed for Tagged<'_> {
    fn send(&mut self, input: usize, step: usize, index: u32, payload: i32) {
        if Some(input) == self.tag {
            self.tags.push((step, payload));
        }
        self.feed.send(input, step, index, payload);
    }

    fn spikes(&mut self, input: usize, step: usize, bits: &[u64]) {
        self.feed.spikes(input, step, bits);
    }
}

impl Probing {
    fn arrays(&self, cadence: Cadence) -> impl Iterator<Item = (usize, &Array)> {
        self.probes.iter().enumerate().filter_map(move |(number, probe)| match &probe.kind {
            Kind::Values(array) if array.cadence == cadence => Some((number, array)),
            _ => None,
        })
    }

    /// Whether the engine must stop within chunks.
    fn stops(&self, steps: u64) -> bool {
        let first = self.engine.step();
        let overlaps = first <= *self.steps.end() && first + steps > *self.steps.start();
        let any = |cadence| self.arrays(cadence).next().is_some();
        let arrives = self.probes.iter().any(|probe| matches!(probe.kind, Kind::Arrivals(_)));
        overlaps && (any(Cadence::Step) || arrives) || any(Cadence::Window)
    }

    /// Windows begin: in the range they are recorded, and arrays of windows will be looked at.
    fn open(&mut self, first: u64, tags: Vec<(usize, i32)>) {
        let of_windows: Vec<usize> = self.arrays(Cadence::Window).map(|(number, _)| number).collect();
        for (step, payload) in tags {
            let step = first + step as u64;
            for &number in &of_windows {
                let last = step + u64::from(self.probes[number].lag) + self.window - 1;
                self.due.entry(last).or_default().push(number);
            }
            if self.steps.contains(&step) {
                self.recording.window(step, payload);
            }
        }
    }

    /// Records what was sent in the chunk that just ran.
    fn packets(&self) {
        for (number, probe) in self.probes.iter().enumerate() {
            let Kind::Packets(Packets { senders, .. }) = &probe.kind else { continue };
            let mut sent: Vec<(u64, u32, i32)> = Vec::new();
            for (block, route, neurons) in senders {
                self.engine.sent(*block, *route, &mut |step, index, payload| {
                    let neuron = neurons.get(index as usize).copied().flatten();
                    sent.extend(neuron.filter(|_| self.steps.contains(&step)).map(|neuron| (step, neuron, payload)));
                });
            }
            // Blocks one after the other, but the recording by step.
            if senders.len() > 1 || !sent.is_sorted() {
                sent.sort_unstable();
            }
            sent.into_iter().for_each(|(step, neuron, payload)| self.recording.packet(number, step, neuron, payload));
        }
    }

    /// Records what the host and blocks sent in some steps to the blocks whose axons are listened at: by step and axon.
    fn arrivals(&self, packets: &[HostPacket], first: u64, steps: Range<u64>) {
        for (number, probe) in self.probes.iter().enumerate() {
            let Kind::Arrivals(Arrivals { blocks, inputs }) = &probe.kind else { continue };
            let mut arrived: Vec<(u64, u32, i32)> = Vec::new();
            for &(block, route, axon) in blocks {
                self.engine.sent(block, route, &mut |step, index, payload| arrived.push((step, axon + index, payload)));
            }
            for packet in packets {
                let step = first + packet.step as u64;
                for &(part, axon) in inputs.iter().filter(|_| steps.contains(&step)) {
                    // The input is named by its first part.
                    let later = self.firsts[packet.input + 1..].iter().take_while(|&&first| first > 0);
                    let parts = packet.input..packet.input + 1 + later.count();
                    let end = self.firsts.get(part + 1).filter(|&&first| first > 0);
                    let is_in = packet.index >= self.firsts[part] && end.is_none_or(|&end| packet.index < end);
                    if parts.contains(&part) && is_in {
                        arrived.push((step, axon + packet.index - self.firsts[part], packet.payload));
                    }
                }
            }
            arrived.sort_unstable();
            let asked = arrived.into_iter().filter(|(step, ..)| self.steps.contains(step));
            asked.for_each(|(step, axon, payload)| self.recording.packet(number, step, axon, payload));
        }
    }

    /// Looks at an array.
    fn look(&self, number: usize, step: u64) {
        let Kind::Values(array) = &self.probes[number].kind else { return };
        let mut values = vec![0; array.shape.iter().product::<u64>() as usize];
        for (block, places) in &array.places {
            let found = self.engine.peek(*block, &array.symbol).unwrap_or_default();
            for &(from, to) in places {
                values[to as usize] = found[from as usize];
            }
        }
        self.recording.values(number, step, &values);
    }

    /// Looks at what is to be looked at behind a step.
    fn look_behind(&mut self, step: u64) {
        let due = self.due.remove(&step).unwrap_or_default();
        if !self.steps.contains(&step) {
            return;
        }
        let each_step: Vec<usize> = self.arrays(Cadence::Step).map(|(number, _)| number).collect();
        each_step.into_iter().chain(due).for_each(|number| self.look(number, step));
    }

    /// The last step up to which the engine may run at once from `step` on, of a chunk that ends with `last`.
    fn next_stop(&self, step: u64, last: u64) -> u64 {
        let due = self.due.range(step..).next().map_or(last, |(&due, _)| due);
        let (first, end) = (*self.steps.start(), *self.steps.end());
        let stepwise = match self.arrays(Cadence::Step).next() {
            Some(_) if step <= end => step.max(first),
            _ => last,
        };
        last.min(due).min(stepwise)
    }

    /// Runs a chunk in pieces, with a look behind each.
    fn run_pieces(&mut self, steps: u64, mut packets: Vec<HostPacket>) -> Result<Vec<Output>, Fault> {
        packets.sort_by_key(|packet| packet.step);
        let first = self.engine.step();
        let (mut outputs, mut step) = (Vec::new(), first);
        while step < first + steps {
            let stop = self.next_stop(step, first + steps - 1);
            let begin = (step - first) as usize;
            let piece = packets.partition_point(|packet| packet.step < begin)
                ..packets.partition_point(|packet| packet.step <= (stop - first) as usize);
            let of_piece = packets[piece].iter().map(|packet| HostPacket { step: packet.step - begin, ..*packet });
            let ran = self.engine.run_packets((stop + 1 - step) as usize, &of_piece.collect::<Vec<_>>());
            match ran {
                Ok(reached) => outputs.extend(reached),
                Err(fault) => {
                    outputs.extend(fault.reached);
                    return Err(Fault { reached: outputs, ..fault });
                }
            }
            self.packets();
            self.arrivals(&packets, first, step..stop + 1);
            self.look_behind(stop);
            step = stop + 1;
        }
        Ok(outputs)
    }
}

impl Engine for Probing {
    fn run_fed(&mut self, steps: usize, feed: &mut dyn FnMut(&mut dyn Feed)) -> Result<Vec<Output>, Fault> {
        let (first, tag) = (self.engine.step(), self.tag);
        let mut tags = Vec::new();
        if self.stops(steps as u64) {
            let mut packets: Vec<HostPacket> = Vec::new();
            feed(&mut Tagged { feed: &mut packets, tag, tags: &mut tags });
            self.open(first, tags);
            return self.run_pieces(steps as u64, packets);
        }
        let outputs =
            self.engine.run_fed(steps, &mut |inner| feed(&mut Tagged { feed: inner, tag, tags: &mut tags }))?;
        self.open(first, tags);
        self.packets();
        Ok(outputs)
    }

    fn step(&self) -> u64 {
        self.engine.step()
    }

    fn cycles(&self) -> Option<u64> {
        self.engine.cycles()
    }

    fn is_busy(&self) -> bool {
        self.engine.is_busy()
    }

    fn counters(&self) -> Counters {
        self.engine.counters()
    }

    fn count_in_detail(&mut self) {
        self.engine.count_in_detail();
    }

    fn log_steps(&mut self, log: Box<dyn StepLog>) {
        self.engine.log_steps(log);
    }

    fn take_step_log(&mut self) -> Option<Box<dyn StepLog>> {
        self.engine.take_step_log()
    }

    fn draws(&self) -> Vec<u32> {
        self.engine.draws()
    }

    fn memory(&self, block: BlockIndex, space: Space) -> &[u8] {
        self.engine.memory(block, space)
    }

    fn peek(&self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>> {
        self.engine.peek(block, symbol)
    }

    fn read(&mut self, block: BlockIndex, symbol: &str) -> Option<Vec<i32>> {
        self.engine.read(block, symbol)
    }

    fn write(&mut self, block: BlockIndex, symbol: &str, values: &[i32]) -> bool {
        self.engine.write(block, symbol, values)
    }

    fn sent(&self, block: BlockIndex, route: usize, tell: &mut dyn FnMut(u64, u32, i32)) {
        self.engine.sent(block, route, tell);
    }

    fn begin_phase(&mut self, phase: RunPhase) {
        self.engine.begin_phase(phase);
    }

    fn begin_record(&mut self, image: &Image, to: Box<dyn io::Write + Send>) -> io::Result<bool> {
        self.engine.begin_record(image, to)
    }

    fn end_record(&mut self, about: &[u8]) -> io::Result<()> {
        self.engine.end_record(about)
    }

    fn end_epoch(&mut self) {
        self.engine.end_epoch();
        let step = self.engine.step().saturating_sub(1);
        if self.steps.contains(&step) {
            let each: Vec<usize> = self.arrays(Cadence::Epoch).map(|(number, _)| number).collect();
            each.into_iter().for_each(|number| self.look(number, step));
        }
    }
}
