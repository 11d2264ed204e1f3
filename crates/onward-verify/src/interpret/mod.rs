//! All steps of a class at once: registers hold ranges instead of numbers, and every way through the program is followed.
//!
//! What is found holds for each single step of the class, whatever memories, active sets and random bits are: what a
//! register can hold, which elements are reached, how many cycles it takes at most. Loops with a known number of passes are
//! gone through pass by pass; those over axons and over the bits of a predicate by ranges of them, which are cut in two where
//! a range as a whole shows too little.

mod access;
mod branch;
mod cases;
mod compute;
mod loops;
mod send;

use crate::block::Context;
use crate::breach::Reason;
use crate::class::Class;
use crate::cycles;
use crate::memory::{Held, Load, Memories, Write, Writes};
use crate::range::Range;
use crate::state::State;
use crate::value::{Form, Sources, Value};
use onward_isa::{ClassedOp, ControlOp, Instruction, ScalarOp, Space};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Instructions that are gone through in a class of steps at most, each pass of a loop counted.
const MOST_INSTRUCTIONS: u64 = 1 << 23;
/// Times that an address may be come to again by branches, in a state that adds nothing.
const MOST_ROUNDS: u32 = 4096;
/// Loops that may be under way (L4).
const MOST_LOOPS: u32 = 4;

/// Something that a handler must not do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// Address of the instruction.
    pub address: u32,
    pub reason: Reason,
}

/// Why nothing can be said of a class as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A branch depends on the position: steps at these positions and beyond are to be looked at by themselves.
    Split(Vec<i64>),
    /// It takes too long, at this address.
    TooLong(u32),
}

/// What a route carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    pub range: Range,
    pub form: Form,
    pub from: Sources,
}

/// What all steps of a class do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    pub problems: BTreeSet<Problem>,
    pub writes: Writes,
    /// By route.
    pub payloads: BTreeMap<u32, Payload>,
    /// At most so many cycles, flits and waiting left out.
    pub cycles: u64,
    /// At most so many packets by route.
    pub packets: Vec<u64>,
    /// Whether the block can stay awake.
    pub stays: bool,
    /// Instructions that are reached.
    pub reached: BTreeSet<u32>,
    /// What was looked at of the memories' first contents, by instruction: memory, first and last bit.
    pub looked_at: BTreeMap<u32, (Space, i64, i64)>,
    /// Loads of single elements outside of loops, by address, that can give one of some numbers.
    pub cases: BTreeMap<u32, Range>,
    /// What loads gave: all that the steps depend on of what memories can hold.
    pub loads: HashMap<Load, Held>,
}

/// Where the ways through a part of a program lead.
#[derive(Default)]
struct Flow {
    /// To its end.
    passed: Option<State>,
    /// Out of it, by address.
    left: BTreeMap<u32, State>,
}

impl Flow {
    fn pass(&mut self, state: State) {
        match &mut self.passed {
            Some(passed) => passed.join(&state),
            None => self.passed = Some(state),
        }
    }

    fn leave(&mut self, address: u32, state: State) {
        join_at(&mut self.left, address, state);
    }
}

fn join_at(at: &mut BTreeMap<u32, State>, address: u32, state: State) {
    match at.get_mut(&address) {
        Some(there) => there.join(&state),
        None => {
            at.insert(address, state);
        }
    }
}

/// Where an instruction goes on.
enum Next {
    Following,
    /// Here, in these states.
    At(Vec<(u32, State)>),
    /// Nowhere.
    Nowhere,
}

/// Follows all ways through the steps of a class.
pub(crate) struct Interpreter<'a> {
    of: &'a Context<'a>,
    class: &'a Class,
    memories: &'a Memories,
    found: Steps,
    /// Whether a range is only tried: then nothing is noted but whether something was wrong.
    trying: u32,
    failed: bool,
    /// How many loops are under way that are looked at for many passes at once.
    blurred: u32,
    instructions: u64,
    /// What a load is taken to give, by its address, and how often it was come to.
    case: Option<(u32, i64)>,
    case_loads: u32,
}

impl Steps {
    /// Whether the steps are the same with these memories: all that was loaded still is what they can hold.
    pub fn hold_with(&self, of: &Context, memories: &Memories) -> bool {
        self.loads.iter().all(|(load, held)| memories.load(of, *load) == *held)
    }
}

/// All that the steps of a class can do.
///
/// # Errors
/// The class must be looked at in parts, or takes too long.
pub(crate) fn steps(of: &Context, class: &Class, memories: &Memories) -> Result<Steps, Stop> {
    let steps = follow(of, class, memories, None)?.0;
    if steps.problems.is_empty() {
        return Ok(steps);
    }
    Ok(cases::by_cases(of, class, memories, &steps).unwrap_or(steps))
}

/// All that the steps of a class can do in which a load, by its address, gives a number; and how often it is come to.
fn follow(of: &Context, class: &Class, memories: &Memories, case: Option<(u32, i64)>) -> Result<(Steps, u32), Stop> {
    let found = Steps { packets: vec![0; of.block.routes.len()], ..Steps::default() };
    let mut interpreter = Interpreter {
        of,
        class,
        memories,
        found,
        trying: 0,
        failed: false,
        blurred: 0,
        instructions: 0,
        case,
        case_loads: 0,
    };
    let state = State::at_dispatch(u64::from(of.chip.core.dispatch_cycles), of.block.routes.len());
    let end = of.code.len() as u32;
    // Behind the last instruction is no place to go to; `word` says so when it is fetched.
    interpreter.part(vec![(of.block.entry, state)], 0..end + 1, 0)?;
    Ok((interpreter.found, interpreter.case_loads))
}

impl Interpreter<'_> {
    /// Follows a part of the program, the body of a loop or all of it, until its end is reached or it is left.
    fn part(&mut self, from: Vec<(u32, State)>, part: std::ops::Range<u32>, depth: u32) -> Result<Flow, Stop> {
        let mut flow = Flow::default();
        let mut waiting: BTreeMap<u32, State> = BTreeMap::new();
        let go = |flow: &mut Flow, waiting: &mut BTreeMap<u32, State>, at: u32, state: State| {
            if at == part.end {
                flow.pass(state);
            } else if part.contains(&at) {
                join_at(waiting, at, state);
            } else {
                flow.leave(at, state);
            }
        };
        for (at, state) in from {
            go(&mut flow, &mut waiting, at, state);
        }
        // What is come to again from behind it, and how often without anything new.
        let mut again: BTreeMap<u32, (State, u32)> = BTreeMap::new();
        let mut furthest = 0;
        while let Some((mut at, mut state)) = waiting.pop_first() {
            if at <= furthest && self.goes_round(&mut again, at, &state) {
                self.problem(at, Reason::Endless);
                continue;
            }
            loop {
                furthest = furthest.max(at);
                match self.instruction(at, &mut state, depth)? {
                    Next::Following => at += 1,
                    Next::Nowhere => break,
                    Next::At(places) => {
                        for (at, state) in places {
                            go(&mut flow, &mut waiting, at, state);
                        }
                        break;
                    }
                }
                // Ways meet before they go on together.
                let meets = waiting.first_key_value().is_some_and(|(&first, _)| first <= at);
                if meets || !part.contains(&at) {
                    go(&mut flow, &mut waiting, at, state);
                    break;
                }
            }
        }
        Ok(flow)
    }

    /// Whether an address has been come to so often, in a state that adds nothing, that this does not end.
    fn goes_round(&self, again: &mut BTreeMap<u32, (State, u32)>, at: u32, state: &State) -> bool {
        let Some((known, times)) = again.get_mut(&at) else {
            again.insert(at, (state.clone(), 0));
            return false;
        };
        if known.covers(state) {
            *times += 1;
        } else {
            known.join(state);
        }
        *times > MOST_ROUNDS
    }

    /// One instruction, or a loop with all its passes.
    fn instruction(&mut self, at: u32, state: &mut State, depth: u32) -> Result<Next, Stop> {
        self.instructions += 1;
        if self.instructions > MOST_INSTRUCTIONS {
            return Err(Stop::TooLong(at));
        }
        if self.trying == 0 {
            self.found.reached.insert(at);
        }
        let Some(&Some(instruction)) = self.of.code.get(at as usize) else {
            self.problem(at, Reason::NoInstruction);
            return Ok(Next::Nowhere);
        };
        state.cycles += cycles::of(&instruction, state.length.high, self.of.chip.core.lanes);
        match instruction.op.classed() {
            ClassedOp::Control(ControlOp::Nop) => Ok(Next::Following),
            ClassedOp::Control(ControlOp::Sleep) => Ok(self.end(state, false)),
            ClassedOp::Control(ControlOp::Stay) => Ok(self.end(state, true)),
            ClassedOp::Control(ControlOp::Loop | ControlOp::Foreach | ControlOp::Forset) => {
                self.a_loop(at, &instruction, state, depth)
            }
            ClassedOp::Control(op) => self.branch(at, op, &instruction, state),
            ClassedOp::Scalar(op) => {
                let next = self.following(at, |this| this.scalar(at, op, &instruction, state));
                if op == ScalarOp::Ld {
                    self.split_by_case(at, &instruction, state, depth);
                }
                Ok(next)
            }
            ClassedOp::Vector(op) => Ok(self.following(at, |this| this.vector(at, op, &instruction, state))),
            ClassedOp::Send(op) => Ok(self.following(at, |this| this.send(at, op, &instruction, state))),
        }
    }

    /// Goes on behind an instruction, unless it stops the chip for sure.
    fn following(&mut self, at: u32, execute: impl FnOnce(&mut Self) -> Result<(), Reason>) -> Next {
        match execute(self) {
            Ok(()) => Next::Following,
            Err(reason) => {
                self.problem(at, reason);
                Next::Nowhere
            }
        }
    }

    /// The step ends.
    fn end(&mut self, state: &State, stays: bool) -> Next {
        if self.trying == 0 {
            self.found.cycles = self.found.cycles.max(state.cycles);
            for (most, packets) in self.found.packets.iter_mut().zip(&state.packets) {
                *most = (*most).max(*packets);
            }
            self.found.stays |= stays;
        }
        Next::Nowhere
    }

    /// Notes something that must not be.
    fn problem(&mut self, address: u32, reason: Reason) {
        self.failed = true;
        if self.trying == 0 {
            self.found.problems.insert(Problem { address, reason });
        }
    }

    /// Notes what an instruction writes.
    fn writes(&mut self, address: u32, write: Write) {
        if self.trying == 0 {
            self.found.writes.add(0, address, write);
        }
    }

    /// Sets a scalar register; r0 stays 0.
    fn set(&self, state: &mut State, register: u8, value: Value) {
        if register != 0 {
            state.scalars[usize::from(register)] = Value { range: value.range.in_register(), ..value };
        }
    }

    /// A scalar register.
    fn scalar_of(&self, state: &State, register: u8) -> Value {
        state.scalars.get(usize::from(register)).copied().unwrap_or(Value::of(0))
    }
}

/// The address a label of an instruction stands for.
fn target(at: u32, instruction: &Instruction) -> i64 {
    i64::from(at) + i64::from(instruction.imm)
}
