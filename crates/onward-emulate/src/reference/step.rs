//! A step, one instruction at a time.

use super::Machine;
use super::core::{Block, Registers, Running, Trace, Tracer};
use super::network::deliver;
use crate::{Fault, HostPacket, Output, Window};
use onward_image::{BlockIndex, HostInputKind, indices};

/// The names of an output's place in its step: sender (the host's inputs, then blocks), route, index (rule R3).
type Place = (usize, usize, u32);

/// A step under way.
pub(super) struct Step {
    /// What has reached the host.
    outputs: Vec<(Place, Output)>,
    /// Packets of each host input.
    host_counts: Vec<usize>,
    /// The blocks that have run, and what the network sees of them.
    pub traces: Vec<(BlockIndex, Trace)>,
    /// The block that runs.
    pub running: Option<(BlockIndex, Registers)>,
}

impl Step {
    fn reach_host(&mut self, place: Place, copies: usize, payload: i32, step: u64) {
        let sender = place.0.checked_sub(1).map(BlockIndex::from);
        let output = Output { step, sender, index: place.2, payload };
        self.outputs.extend(std::iter::repeat_n((place, output), copies));
    }
}

impl Machine {
    /// Begins a step with these packets from the host, in any order; the step that they name is not looked at. The first block
    /// that runs in it, if one does, is at its first instruction from here on. [`Machine::advance`] goes on.
    ///
    /// # Panics
    /// If a step is under way; if a packet's input or index does not exist, it comes twice, or it has a payload that its input
    /// cannot carry (1, unless it takes tags).
    pub fn begin_step(&mut self, host_packets: &[HostPacket]) {
        assert!(self.under_way.is_none(), "a step ends before the next begins");
        let mut packets = host_packets.to_vec();
        packets.sort_by_key(|packet| (packet.input, packet.index));
        let host_counts = vec![0; self.image.host_inputs.len()];
        let mut step = Step { outputs: Vec::new(), host_counts, traces: Vec::new(), running: None };
        self.blocks.iter_mut().for_each(Block::barrier);
        let mut before = None;
        for packet in packets {
            let HostPacket { input: first, index: of_input, payload, .. } = packet;
            // An input that is sent in parts is named by the first of them.
            let mut parts = self.image.input_parts(first);
            let input = parts.rfind(|&part| self.image.host_inputs[part].first <= of_input).unwrap_or(first);
            let host_input = &self.image.host_inputs[input];
            let index = of_input - host_input.first;
            assert!(
                index < host_input.route.indices && before != Some((input, index)),
                "an index of the input, once a step"
            );
            assert!(payload == 1 || host_input.kind.is_graded(), "this input carries spikes");
            before = Some((input, index));
            if host_input.kind == HostInputKind::Tag {
                self.window = Window::of_tag(payload);
            }
            let copies = deliver(&host_input.route, index, payload, &mut self.blocks);
            step.reach_host((0, input, index), copies, payload, self.step);
            step.host_counts[input] += 1;
            self.host_packets[input] += 1;
        }
        let counts = &mut self.shown[self.window as usize];
        counts.steps += 1;
        counts.host_packets.iter_mut().zip(&step.host_counts).for_each(|(sum, &sent)| *sum += sent as u64);
        step.running = self.dispatch(BlockIndex::default());
        self.under_way = Some(step);
    }

    /// Executes the next instruction of the step under way; `tracer` is told of it. When none is left, ends the step, and
    /// returns what has reached the host in it, by sender (the host itself, then blocks by number), route and index.
    ///
    /// # Errors
    /// A handler did what the machine does not allow. The machine cannot run any more, but be looked at.
    ///
    /// # Panics
    /// If no step is under way.
    pub fn advance(&mut self, tracer: Option<&mut Tracer<'_>>) -> Result<Option<Vec<Output>>, Fault> {
        let step = self.under_way.as_mut().expect("a step is under way");
        let Some((number, registers)) = &mut step.running else {
            return Ok(Some(self.end_step()));
        };
        let number = *number;
        let mut running = Running { block: &mut self.blocks[number], chip: &self.image.chip, registers };
        if running.advance(tracer)? {
            let ended = step.running.take();
            step.traces.extend(ended.map(|(number, registers)| (number, registers.into_trace())));
            let next = self.dispatch(BlockIndex(number.0 + 1));
            if let Some(step) = &mut self.under_way {
                step.running = next;
            }
        }
        Ok(None)
    }

    /// Whether a step has begun that has not ended.
    pub fn is_in_step(&self) -> bool {
        self.under_way.is_some()
    }

    /// Dispatches the first block from this number on that runs in this step.
    fn dispatch(&mut self, from: BlockIndex) -> Option<(BlockIndex, Registers)> {
        let number = indices(from..self.blocks.next_key()).find(|&number| self.blocks[number].runs())?;
        Some((number, self.blocks[number].dispatch(&self.image.chip, self.step)))
    }

    /// All blocks have run: their packets go out.
    fn end_step(&mut self) -> Vec<Output> {
        let Some(mut step) = self.under_way.take() else { return Vec::new() };
        let traces = std::mem::take(&mut step.traces);
        for (number, trace) in &traces {
            for send in &trace.sends {
                let route = &self.image.blocks[*number].routes[send.route];
                for &(index, payload) in &send.packets {
                    let copies = deliver(route, index, payload, &mut self.blocks);
                    step.reach_host((1 + usize::from(*number), send.route, index), copies, payload, self.step);
                }
            }
        }
        if let Some(timing) = &mut self.timing {
            timing.add_step((&step.host_counts, self.window), &self.blocks, &traces);
        }
        self.step += 1;
        step.outputs.sort_by_key(|(place, _)| *place);
        step.outputs.into_iter().map(|(_, output)| output).collect()
    }
}
