//! A run, one instruction at a time, and once more from the start.

use crate::Host;
use onward_emulate::reference::{Current, Machine, TraceLine};
use onward_emulate::{Engine, Fault, HostPacket, MachineError, Options, Output};
use onward_image::{BlockIndex, Image};

/// A run at a place: before an instruction, at the beginning of a step in which no block runs, or at its end.
pub(crate) struct Execution<'a> {
    pub image: &'a Image,
    options: Options,
    host: Host<'a>,
    machine: Machine,
    /// Instructions that were executed so far.
    executed: u64,
    /// What the host sends in the step under way.
    host_packets: Vec<HostPacket>,
    /// What has reached the host.
    outputs: Vec<Output>,
    end: Option<End>,
}

/// Why a run does not go on.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// It is over.
    Over,
    /// A handler did what the machine does not allow. The run is at the instruction.
    Fault(Fault),
}

/// What came of going on by one instruction, or over a step in which no block runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Advance {
    /// The block that executed an instruction.
    pub executed: Option<BlockIndex>,
    /// Whether another step has begun.
    pub is_new_step: bool,
    /// Whether a block is at the first instruction of its step.
    pub is_dispatched: bool,
}

impl<'a> Execution<'a> {
    pub fn new(image: &'a Image, options: Options, host: Host<'a>) -> Result<Execution<'a>, MachineError> {
        let machine = Machine::new(image, options)?;
        let (host_packets, outputs) = (Vec::new(), Vec::new());
        let mut execution = Execution { image, options, host, machine, executed: 0, host_packets, outputs, end: None };
        execution.begin_step();
        Ok(execution)
    }

    /// Begins anew.
    pub fn restart(&mut self) {
        // What could be made once can be made again.
        if let Ok(machine) = Machine::new(self.image, self.options) {
            self.machine = machine;
            self.executed = 0;
            self.outputs.clear();
            self.end = None;
            self.begin_step();
        }
    }

    /// Goes on by one instruction, or over a step in which no block runs; at the end nothing happens. `tracer` is told of the
    /// instruction.
    pub fn advance(&mut self, tracer: Option<&mut dyn FnMut(TraceLine)>) -> Advance {
        let at = self.current().map(|current| current.block());
        if self.end.is_some() {
            return Advance { executed: None, is_new_step: false, is_dispatched: false };
        }
        let mut ended = match self.machine.advance(tracer) {
            Ok(ended) => ended,
            Err(fault) => {
                self.end = Some(End::Fault(fault));
                return Advance { executed: None, is_new_step: false, is_dispatched: false };
            }
        };
        self.executed += u64::from(at.is_some());
        if at.is_some() && self.machine.current().is_none() {
            // The last block of the step: nothing but its end is left, which executes nothing and so cannot fail.
            ended = self.machine.advance(None).ok().flatten();
        }
        let is_new_step = ended.is_some();
        if let Some(outputs) = ended {
            self.outputs.extend(outputs);
            self.begin_step();
        }
        let now = self.current().map(|current| current.block());
        Advance { executed: at, is_new_step, is_dispatched: now.is_some() && (is_new_step || now != at) }
    }

    fn begin_step(&mut self) {
        let step = self.machine.step();
        self.host_packets.clear();
        if self.host.is_over(step, self.machine.is_busy()) {
            self.end = Some(End::Over);
            return;
        }
        self.host_packets = self.host.packets(step);
        self.machine.begin_step(&self.host_packets);
    }

    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    pub fn current(&self) -> Option<Current<'_>> {
        self.machine.current()
    }

    /// The step under way, or at the end the number of steps that ran.
    pub fn step(&self) -> u64 {
        self.machine.step()
    }

    pub fn executed(&self) -> u64 {
        self.executed
    }

    pub fn host_packets(&self) -> &[HostPacket] {
        &self.host_packets
    }

    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }
}
