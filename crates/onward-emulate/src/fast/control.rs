//! The sequencer: branches, loops, the end of a step.

use super::decode::AtOnce;
use super::execution::Execution;
use super::interpret::ENDLESS;
use crate::fault::FaultKind;
use std::ops::Range;

/// Loops nest so deep.
pub(super) const DEPTH: usize = 4;

/// Where the sequencer goes on.
pub(super) enum Flow {
    /// At the next instruction.
    Next,
    /// Where the program counter points.
    Jump,
    /// Nowhere: the step is over.
    End,
}

/// A loop that is running: body `start..end`.
#[derive(Clone, Copy, Default)]
pub(super) struct Loop {
    start: usize,
    end: usize,
    /// What is left to do; see [`Over`].
    left: u32,
    over: Over,
}

/// What a loop runs over.
#[derive(Clone, Copy, Default)]
enum Over {
    /// A count: `left` iterations after this one.
    #[default]
    Count,
    /// The active set: `left` is the next event. Registers of axon and payload.
    Events(u8, u8),
    /// A predicate: `left` is the first bit to look at. Registers of index and predicate.
    Set(u8, u8),
}

impl<const RECORDS: bool> Execution<'_, RECORDS> {
    /// Goes to a target; a loop that it leaves is over.
    #[inline(always)]
    pub fn branch(&mut self, distance: i32) -> Result<Flow, FaultKind> {
        let target = self.pc as i64 + i64::from(distance);
        if target < 0 || target >= self.program.code.len() as i64 {
            return Err(FaultKind::NoInstruction);
        }
        self.go_to(target as usize);
        Ok(Flow::Jump)
    }

    /// A conditional branch; one that is taken costs one cycle more.
    #[inline(always)]
    pub fn branch_if(&mut self, condition: bool, distance: i32) -> Result<Flow, FaultKind> {
        if !condition {
            return Ok(Flow::Next);
        }
        self.cycles += 1;
        self.counts().cycles += 1;
        let at = self.pc;
        self.note(|lanes| lanes.taken(at));
        self.branch(distance)
    }

    /// Ends the step.
    #[inline(always)]
    pub fn end(&mut self, awake: bool) -> Flow {
        self.block.awake = awake;
        Flow::End
    }

    #[inline(always)]
    fn go_to(&mut self, target: usize) {
        self.pc = target;
        while self.depth > 0 {
            let inner = &self.loops[self.depth - 1];
            if (inner.start..=inner.end).contains(&target) {
                break;
            }
            self.depth -= 1;
        }
    }

    #[inline(always)]
    fn set_event(&mut self, axon: u8, payload: u8, event: u32) {
        self.set(axon, event as i32);
        self.set(payload, self.block.payload_of(event));
    }

    /// At an address where a loop ends: goes back to its start if there is more to do. Loops that are done are left.
    #[inline(always)]
    pub fn loops_back(&mut self) -> bool {
        while self.depth > 0 && self.loops[self.depth - 1].end == self.pc {
            let inner = self.loops[self.depth - 1];
            let again = match inner.over {
                Over::Count => {
                    self.loops[self.depth - 1].left = inner.left.wrapping_sub(1);
                    inner.left > 0
                }
                Over::Events(axon, payload) => match self.events.get(inner.left as usize) {
                    Some(&event) => {
                        self.set_event(axon, payload, event);
                        self.loops[self.depth - 1].left += 1;
                        true
                    }
                    None => false,
                },
                Over::Set(index, predicate) => match self.v.next_set(predicate, inner.left) {
                    Some(bit) => {
                        self.set(index, bit as i32);
                        self.loops[self.depth - 1].left = bit + 1;
                        true
                    }
                    None => false,
                },
            };
            if again {
                self.pc = inner.start;
                return true;
            }
            self.depth -= 1;
        }
        false
    }

    /// `loop`: runs a body `count` times.
    #[inline(always)]
    pub fn begin_loop(&mut self, count: i32, distance: i32) -> Result<Flow, FaultKind> {
        let end = self.loop_end(distance)?;
        if count <= 0 || end == self.pc + 1 {
            return Ok(self.skip_to(end));
        }
        self.check_depth()?;
        if self.run_row_loop(count as u32) {
            return Ok(Flow::Jump);
        }
        Ok(self.enter(end, count as u32 - 1, Over::Count))
    }

    /// `foreach`: runs a body for each event, its axon and payload in registers.
    #[inline(always)]
    pub fn begin_foreach(&mut self, axon: u8, payload: u8, distance: i32) -> Result<Flow, FaultKind> {
        let end = self.loop_end(distance)?;
        let Some(&first) = self.events.first().filter(|_| end != self.pc + 1) else { return Ok(self.skip_to(end)) };
        self.check_depth()?;
        if self.run_event_loop() {
            return Ok(Flow::Jump);
        }
        self.set_event(axon, payload, first);
        Ok(self.enter(end, 1, Over::Events(axon, payload)))
    }

    /// `forset`: runs a body for each bit of a predicate that is set, its number in a register.
    #[inline(always)]
    pub fn begin_forset(&mut self, index: u8, predicate: u8, distance: i32) -> Result<Flow, FaultKind> {
        let end = self.loop_end(distance)?;
        let first = self.v.next_set(predicate, 0).filter(|_| end != self.pc + 1);
        let Some(bit) = first else { return Ok(self.skip_to(end)) };
        self.check_depth()?;
        self.set(index, bit as i32);
        Ok(self.enter(end, bit + 1, Over::Set(index, predicate)))
    }

    /// The address behind the body of a loop that begins here.
    #[inline(always)]
    fn loop_end(&self, distance: i32) -> Result<usize, FaultKind> {
        let end = self.pc as i64 + i64::from(distance);
        if end <= self.pc as i64 || end >= self.program.code.len() as i64 {
            return Err(FaultKind::NoInstruction);
        }
        Ok(end as usize)
    }

    /// Skipping a body (an empty one always) is a jump to its end: it may leave loops as any does.
    #[inline(always)]
    fn skip_to(&mut self, end: usize) -> Flow {
        self.go_to(end);
        Flow::Jump
    }

    #[inline(always)]
    fn check_depth(&self) -> Result<(), FaultKind> {
        if self.depth == DEPTH { Err(FaultKind::LoopDepth) } else { Ok(()) }
    }

    /// Begins the first pass of a loop.
    #[inline(always)]
    fn enter(&mut self, end: usize, left: u32, over: Over) -> Flow {
        self.loops[self.depth] = Loop { start: self.pc + 1, end, left, over };
        self.depth += 1;
        Flow::Next
    }

    /// Runs a `foreach` at once, if it is one that can be.
    #[inline(always)]
    fn run_event_loop(&mut self) -> bool {
        let Some(AtOnce::Events(at)) = self.program.code[self.pc].at_once else { return false };
        let event_loop = &self.program.event_loops[at];
        let body = self.pc + 1..event_loop.end;
        let count = self.events.len() as u64;
        let cost = self.program.code[body.clone()]
            .iter()
            .map(|code| u64::from(code.cost.fixed + code.cost.beats * self.beats));
        let Ok(cycles) = u32::try_from(count * cost.sum::<u64>()) else { return false };
        if self.cycles.saturating_add(cycles) > ENDLESS {
            return false;
        }
        let payload = self.events.last().map_or(0, |&event| self.block.payload_of(event));
        if !event_loop.run(self.events, payload, &mut self.block.memory, self.v, &mut self.r, self.row) {
            return false;
        }
        self.count_passes(body, count);
        self.cycles += cycles;
        let adds_at = self.pc + event_loop.adds_at();
        self.block.tally.now.addresses[adds_at].elements += count * self.v.length as u64;
        self.pc = event_loop.end;
        true
    }

    /// Runs a `loop` over the rows of a kernel at once, if it is one that can be.
    #[inline(always)]
    fn run_row_loop(&mut self, count: u32) -> bool {
        let Some(AtOnce::Rows(at)) = self.program.code[self.pc].at_once else { return false };
        let row_loop = &self.program.row_loops[at];
        let body = self.pc + 1..row_loop.end;
        let cost =
            |at: usize| u64::from(self.program.code[at].cost.fixed + self.program.code[at].cost.beats * self.beats);
        let Ok(cycles) = u32::try_from(u64::from(count) * body.clone().map(cost).sum::<u64>()) else { return false };
        if self.cycles.saturating_add(cycles) > ENDLESS {
            return false;
        }
        let Some(saturated) = row_loop.run(count, self.v.length, &mut self.block.memory, &mut self.r) else {
            return false;
        };
        self.count_passes(body, count.into());
        self.cycles += cycles;
        let adds = &mut self.block.tally.now.addresses[self.pc + 1];
        adds.elements += u64::from(count) * self.v.length as u64;
        adds.saturated += u64::from(saturated);
        self.pc = row_loop.end;
        true
    }

    /// Counts the instructions of a body that ran so often, and the cycles of those that are not scalar.
    #[inline(always)]
    fn count_passes(&mut self, body: Range<usize>, passes: u64) {
        let program = self.program;
        self.note(|lanes| lanes.passes(program, body.clone(), passes));
        let counts = &mut self.block.tally.now.addresses[body.clone()];
        for (counts, code) in counts.iter_mut().zip(&self.program.code[body]) {
            counts.executed += passes;
            if code.scalars == 0 {
                counts.cycles += passes * u64::from(code.cost.fixed + code.cost.beats * self.beats);
            }
        }
    }
}
