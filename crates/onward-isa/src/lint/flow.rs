//! All ways through a program, with the loops that are under way.

use super::leases::Leases;
use super::registers::{Registers, Slot, reads, writes};
use super::{Given, Reason, loop_end};
use crate::{ControlOp, Instruction, Op};
use std::collections::HashMap;

/// So many loops may be under way (`microarchitecture.md`, L4).
const MOST_LOOPS: usize = 4;
/// So many states are followed.
const MOST_STATES: usize = 1 << 18;

/// The addresses of the loops under way, the innermost last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Loops {
    heads: [u32; MOST_LOOPS],
    depth: u8,
}

impl Loops {
    fn innermost(&self) -> Option<u32> {
        self.heads[..usize::from(self.depth)].last().copied()
    }

    fn contains(&self, head: u32) -> bool {
        self.heads[..usize::from(self.depth)].contains(&head)
    }

    fn without_innermost(mut self) -> Loops {
        self.depth -= 1;
        self.heads[usize::from(self.depth)] = 0; // equal stacks have equal bits
        self
    }

    /// With one more; `None` if there are four.
    fn with(mut self, head: u32) -> Option<Loops> {
        *self.heads.get_mut(usize::from(self.depth))? = head;
        self.depth += 1;
        Some(self)
    }
}

/// An address and the loops under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    address: u32,
    loops: Loops,
}

/// A place that a program may be at, and what is known of registers there.
pub(super) struct State {
    place: Place,
    /// What is known before the instruction.
    pub registers: Registers,
    successors: Vec<usize>,
    /// Whether a way ends here, as it should or not.
    is_end: bool,
}

impl State {
    pub fn address(&self) -> u32 {
        self.place.address
    }
}

/// Where an instruction may go on, and the loop whose next pass that begins.
struct Step {
    place: Place,
    next_pass: Option<u32>,
}

/// All states that can be reached.
pub(super) struct Flow<'a> {
    code: &'a [Option<Instruction>],
    /// For each address its loop's end, if it is one.
    ends: Vec<Option<u32>>,
    states: Vec<State>,
    by_place: HashMap<Place, usize>,
}

impl<'a> Flow<'a> {
    /// Follows all ways from the entries.
    pub fn new(
        code: &'a [Option<Instruction>],
        given: &Given,
        leases: &Leases,
        found: &mut Vec<(u32, Reason)>,
    ) -> Flow<'a> {
        let ends = (0..code.len()).map(|at| loop_end(code, at as u32)).collect();
        let mut flow = Flow { code, ends, states: Vec::new(), by_place: HashMap::new() };
        let mut waiting = Vec::new();
        for &entry in given.entries {
            let place = Place { address: entry, loops: Loops::default() };
            flow.report_entry(entry, None, place, found);
            waiting.extend(flow.reach(place, &Registers::at_dispatch()).1);
        }
        while let Some(at) = waiting.pop() {
            if flow.states.len() > MOST_STATES {
                found.push((0, Reason::TooManyWays));
                break;
            }
            let place = flow.states[at].place;
            let Some(instruction) = code.get(place.address as usize).copied().flatten() else {
                flow.states[at].is_end = true;
                if (place.address as usize) < code.len() {
                    found.push((place.address, Reason::NoInstruction));
                }
                continue;
            };
            let before = flow.states[at].registers.clone();
            let steps = flow.steps(place, &instruction, &before, found);
            flow.states[at].is_end = matches!(instruction.op, Op::Sleep | Op::Stay);
            let mut successors = Vec::new();
            for step in steps {
                let registers = flow.after(place, &instruction, &before, &step, leases);
                flow.report_entry(place.address, Some(place.address), step.place, found);
                if step.place.address as usize == code.len() {
                    found.push((place.address, Reason::RunsOff));
                }
                let (next, again) = flow.reach(step.place, &registers);
                waiting.extend(again);
                successors.push(next);
            }
            flow.states[at].successors = successors;
        }
        flow
    }

    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// Notes that a place is reached, with what is known of registers. Returns its state, and it again if its
    /// successors must be looked at (again).
    fn reach(&mut self, place: Place, registers: &Registers) -> (usize, Option<usize>) {
        if let Some(&at) = self.by_place.get(&place) {
            let changed = self.states[at].registers.join(registers);
            return (at, changed.then_some(at));
        }
        let at = self.states.len();
        self.states.push(State { place, registers: registers.clone(), successors: Vec::new(), is_end: false });
        self.by_place.insert(place, at);
        (at, Some(at))
    }

    fn end(&self, head: u32) -> u32 {
        self.ends[head as usize].unwrap_or(head)
    }

    /// Where the sequencer goes on at an address: next passes begin and loops end (L5, L6).
    fn settle(&self, mut place: Place) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(head) = place.loops.innermost().filter(|&head| self.end(head) == place.address) {
            let start = Place { address: head + 1, loops: place.loops };
            steps.push(Step { place: start, next_pass: Some(head) });
            place.loops = place.loops.without_innermost();
        }
        steps.push(Step { place, next_pass: None });
        steps
    }

    /// A taken branch or a skipped loop: loops that the target lies outside of end (L8).
    fn leave(&self, target: i64, mut loops: Loops) -> Vec<Step> {
        let Some(address) = u32::try_from(target).ok().filter(|&target| target as usize <= self.code.len()) else {
            return Vec::new(); // the machine stops there
        };
        while let Some(head) = loops.innermost().filter(|&head| !(head + 1..=self.end(head)).contains(&address)) {
            debug_assert!(loops.contains(head));
            loops = loops.without_innermost();
        }
        self.settle(Place { address, loops })
    }

    fn steps(
        &self,
        place: Place,
        instruction: &Instruction,
        before: &Registers,
        found: &mut Vec<(u32, Reason)>,
    ) -> Vec<Step> {
        let Place { address, loops } = place;
        let target = i64::from(address) + i64::from(instruction.imm);
        let go_on = || self.settle(Place { address: address + 1, loops });
        let branch = |is_taken: fn(i32, i32) -> bool| {
            let known = before.known(instruction.d).zip(before.known(instruction.a));
            // A register is what it is, known or not.
            let same = (instruction.d == instruction.a).then_some((0, 0));
            match known.or(same).map(|(d, a)| is_taken(d, a)) {
                Some(true) => self.leave(target, loops),
                Some(false) => go_on(),
                None => go_on().into_iter().chain(self.leave(target, loops)).collect(),
            }
        };
        let Ok(op) = ControlOp::try_from(instruction.op) else { return go_on() };
        match op {
            ControlOp::Nop => go_on(),
            ControlOp::Sleep | ControlOp::Stay => Vec::new(),
            ControlOp::Jmp => self.leave(target, loops),
            ControlOp::Beq => branch(|d, a| d == a),
            ControlOp::Bne => branch(|d, a| d != a),
            ControlOp::Blt => branch(|d, a| d < a),
            ControlOp::Bge => branch(|d, a| d >= a),
            ControlOp::Loop | ControlOp::Foreach | ControlOp::Forset => {
                let Some(end) = self.ends[address as usize] else { return Vec::new() };
                let passes = if op == ControlOp::Loop { before.known(instruction.d) } else { None };
                let mut steps = Vec::new();
                if passes.is_none_or(|passes| passes < 1) || end == address + 1 {
                    steps = self.leave(target, loops);
                }
                if passes.is_none_or(|passes| passes > 0) && end > address + 1 {
                    match loops.with(address) {
                        Some(loops) => {
                            let place = Place { address: address + 1, loops };
                            steps.push(Step { place, next_pass: Some(address) });
                        }
                        None => found.push((address, Reason::LoopDepth)),
                    }
                }
                steps
            }
        }
    }

    /// What is known of registers after a step.
    fn after(
        &self,
        place: Place,
        instruction: &Instruction,
        before: &Registers,
        step: &Step,
        leases: &Leases,
    ) -> Registers {
        let mut after = before.clone();
        // A loop writes its registers with each pass, and none where it is skipped.
        if !instruction.op.description().is_loop() {
            for slot in writes(instruction) {
                after.write(slot, leases.writer(place.address, slot));
            }
            after.learn(instruction, before);
        }
        if let Some((head, instruction)) =
            step.next_pass.and_then(|head| Some((head, self.code.get(head as usize).copied().flatten()?)))
        {
            for slot in writes(&instruction) {
                after.write(slot, leases.writer(head, slot));
            }
        }
        after
    }

    /// Reports a step from outside a loop's body into it, the loop not being under way.
    fn report_entry(&self, word: u32, from: Option<u32>, to: Place, found: &mut Vec<(u32, Reason)>) {
        for (head, end) in (0..).zip(&self.ends) {
            let Some(end) = *end else { continue };
            let body = head + 1..end;
            let is_inside = body.contains(&to.address) && !to.loops.contains(head);
            if is_inside && !from.is_some_and(|from| body.contains(&from)) {
                found.push((word, Reason::IntoLoop(head)));
            }
        }
    }

    /// Addresses that nothing leads to.
    pub fn unreached(&self) -> Vec<u32> {
        let mut reached = vec![false; self.code.len() + 1];
        for state in &self.states {
            if let Some(reached) = reached.get_mut(state.address() as usize) {
                *reached = true;
            }
        }
        (0..self.code.len() as u32).filter(|&at| !reached[at as usize]).collect()
    }

    /// Reports the lowest address from which no way ends, if there is one.
    pub fn never_ends(&self, found: &mut Vec<(u32, Reason)>) {
        let mut predecessors = vec![Vec::new(); self.states.len()];
        for (at, state) in self.states.iter().enumerate() {
            for &next in &state.successors {
                predecessors[next].push(at);
            }
        }
        // A way that the machine stops is reported elsewhere.
        let is_end = |state: &State| state.is_end || state.successors.is_empty();
        let mut waiting: Vec<usize> = (0..self.states.len()).filter(|&at| is_end(&self.states[at])).collect();
        let mut ends = vec![false; self.states.len()];
        while let Some(at) = waiting.pop() {
            if !std::mem::replace(&mut ends[at], true) {
                waiting.extend(&predecessors[at]);
            }
        }
        let endless = self.states.iter().zip(&ends).filter(|(_, ends)| !**ends).map(|(state, _)| state.address());
        found.extend(endless.min().map(|address| (address, Reason::NeverEnds)));
    }

    /// Reports what is written and never read: in no state of its address.
    pub fn never_read(&self, leases: &Leases, found: &mut Vec<(u32, Reason)>) {
        let mask = |slots: Vec<Slot>| slots.into_iter().fold(0_u32, |mask, slot| mask | slot.bit());
        let masks: Vec<(u32, u32)> = self
            .code
            .iter()
            .map(|code| code.as_ref().map_or((0, 0), |code| (mask(reads(code)), mask(writes(code)))))
            .collect();
        let masks_at = |state: &State| masks.get(state.address() as usize).copied().unwrap_or((0, 0));
        let mut live = vec![0_u32; self.states.len()];
        let mut live_behind = vec![0_u32; self.states.len()];
        let mut changed = true;
        while changed {
            changed = false;
            for (at, state) in self.states.iter().enumerate().rev() {
                let (reads, writes) = masks_at(state);
                let behind = state.successors.iter().fold(0, |mask, &next| mask | live[next]);
                // A loop may be skipped: then it writes nothing.
                let is_loop = self.ends.get(state.address() as usize).is_some_and(Option::is_some);
                let before = if is_loop { behind | reads } else { behind & !writes | reads };
                changed |= (live[at], live_behind[at]) != (before, behind);
                (live[at], live_behind[at]) = (before, behind);
            }
        }
        let mut read = vec![0_u32; self.code.len() + 1];
        for (state, behind) in self.states.iter().zip(&live_behind) {
            if let Some(read) = read.get_mut(state.address() as usize) {
                *read |= behind;
            }
        }
        for state in &self.states {
            let Some(instruction) = self.code.get(state.address() as usize).copied().flatten() else { continue };
            // What a loop writes comes with it, asked for or not.
            if instruction.op.description().is_loop() {
                continue;
            }
            for slot in writes(&instruction) {
                if read[state.address() as usize] & slot.bit() == 0 {
                    let lease = leases.writer(state.address(), slot);
                    found.push((state.address(), Reason::NeverRead { register: leases.name(Some(lease), slot) }));
                }
            }
        }
    }
}
