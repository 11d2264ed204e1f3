//! Loops: over a number of passes, over active axons, over the bits of a predicate (L1 to L10).

use super::{Flow, Interpreter, MOST_LOOPS, Next, Stop, join_at, target};
use crate::breach::Reason;
use crate::range::Range;
use crate::sources::Names;
use crate::state::State;
use crate::value::{Sources, Value};
use onward_isa::{Instruction, Op};
use std::collections::BTreeMap;

/// Passes that are gone through one by one; of more it is looked at what holds in each of them.
const MOST_PASSES: i64 = 1 << 12;
/// Rounds in which what holds in each pass is found, before it is widened.
const ROUNDS: usize = 3;

/// A loop that is entered.
struct Loop {
    at: u32,
    body: std::ops::Range<u32>,
    depth: u32,
    instruction: Instruction,
}

impl Interpreter<'_> {
    pub(super) fn a_loop(
        &mut self,
        at: u32,
        instruction: &Instruction,
        state: &mut State,
        depth: u32,
    ) -> Result<Next, Stop> {
        let length = self.of.code.len() as i64;
        let end = target(at, instruction);
        if end <= i64::from(at) || end > length {
            self.problem(at, Reason::LoopEnd { end });
            return Ok(Next::Nowhere);
        }
        let end = end as u32;
        let body = at + 1..end;
        if body.is_empty() {
            return Ok(Next::At(vec![(end, state.clone())]));
        }
        if depth == MOST_LOOPS {
            self.problem(at, Reason::LoopDepth);
            return Ok(Next::Nowhere);
        }
        if self.overlaps(at, end, depth) {
            self.problem(at, Reason::LoopsOverlap);
            return Ok(Next::Nowhere);
        }
        let this = Loop { at, body, depth: depth + 1, instruction: *instruction };
        let flow = match instruction.op {
            Op::Loop => self.counted(&this, state)?,
            Op::Foreach => self.over_axons(&this, state)?,
            _ => self.over_bits(&this, state)?,
        };
        let mut places: Vec<(u32, State)> = flow.left.into_iter().collect();
        places.extend(flow.passed.map(|state| (end, state)));
        Ok(Next::At(places))
    }

    /// Whether a loop ends behind one around it, where the sequencer would no longer look at that one (L5).
    fn overlaps(&self, at: u32, end: u32, depth: u32) -> bool {
        depth > 0
            && self.of.code[..at as usize].iter().enumerate().any(|(head, instruction)| {
                let Some(instruction) = instruction.filter(|instruction| instruction.op.description().is_loop()) else {
                    return false;
                };
                let outer = target(head as u32, &instruction);
                i64::from(at) < outer && outer < i64::from(end)
            })
    }

    /// One pass, in one state.
    fn pass(&mut self, this: &Loop, state: State) -> Result<Flow, Stop> {
        self.part(vec![(this.body.start, state)], this.body.clone(), this.depth)
    }

    /// `loop`: so many passes as a register says.
    fn counted(&mut self, this: &Loop, state: &State) -> Result<Flow, Stop> {
        let passes = self.scalar_of(state, this.instruction.d).range;
        let mut flow = Flow::default();
        if passes.low < 1 {
            flow.pass(state.clone());
        }
        if passes.high < 1 {
            return Ok(flow);
        }
        if passes.high > MOST_PASSES {
            let (state, left) = self.any_pass(this, state, passes.high, &|_, _| {})?;
            left.into_iter().for_each(|(at, state)| flow.leave(at, state));
            flow.pass(state);
            return Ok(flow);
        }
        let mut state = state.clone();
        for pass in 1..=passes.high {
            let before = state.clone();
            let Flow { passed, left } = self.pass(this, state)?;
            left.into_iter().for_each(|(at, state)| flow.leave(at, state));
            let Some(passed) = passed else { return Ok(flow) };
            if pass >= passes.low {
                flow.pass(passed.clone());
            }
            state = passed;
            // A pass that changes nothing is like all that follow; but each takes its time, and may leave by another way.
            if flow.left.is_empty() && same_but_time(&before, &state) {
                let rest = (passes.high - pass) as u64;
                add_time(&mut state, &before, rest);
                flow.pass(state);
                return Ok(flow);
            }
        }
        Ok(flow)
    }

    /// `foreach`: a pass for each active axon, from the lowest on.
    fn over_axons(&mut self, this: &Loop, state: &State) -> Result<Flow, Stop> {
        let mut flow = Flow::default();
        let mut state = state.clone();
        let Instruction { d, a, .. } = this.instruction;
        for fed in self.class.active(self.of) {
            let payload = match fed.is_spike {
                true => Range::of(1),
                false => Range::ANY,
            };
            let from = fed.from.and(Sources::of(Names::ACTIVITY));
            let set = move |state: &mut State, axons: Range| {
                // Which axons are active is what their senders sent.
                if d != 0 {
                    state.scalars[usize::from(d)] = Value::new(axons, from);
                }
                if a != 0 {
                    state.scalars[usize::from(a)] = Value::new(payload, from);
                }
            };
            state = self.range(this, state, Range::between(fed.first, fed.last), &set, &mut flow.left)?;
        }
        flow.pass(state);
        Ok(flow)
    }

    /// `forset`: a pass for each set bit, from the lowest on.
    fn over_bits(&mut self, this: &Loop, state: &State) -> Result<Flow, Stop> {
        let mut flow = Flow::default();
        let Instruction { d, a, .. } = this.instruction;
        let predicate = usize::from(a);
        let mut state = state.clone();
        let mut next = 0;
        // The body may set bits above the one it is run for.
        while next < state.predicates[predicate].extent {
            let last = state.predicates[predicate].extent - 1;
            let from = state.predicates[predicate].from;
            let set = move |state: &mut State, bits: Range| {
                if d != 0 {
                    state.scalars[usize::from(d)] = Value::new(bits, from);
                }
            };
            state = self.range(this, state, Range::between(next, last), &set, &mut flow.left)?;
            next = last + 1;
        }
        flow.pass(state);
        Ok(flow)
    }

    /// Passes for some of a range of numbers, in ascending order, each at most once: what is known behind them.
    ///
    /// All are looked at as one first. Where that shows something wrong, or something written over the edge of an array, which may
    /// come of not knowing how what depends on the number hangs together, the range is cut in two, down to single numbers.
    fn range(
        &mut self,
        this: &Loop,
        state: State,
        numbers: Range,
        set: &dyn Fn(&mut State, Range),
        left: &mut BTreeMap<u32, State>,
    ) -> Result<State, Stop> {
        let count = numbers.high - numbers.low + 1;
        if count == 1 {
            let mut entered = state.clone();
            set(&mut entered, numbers);
            let flow = self.pass(this, entered)?;
            flow.left.into_iter().for_each(|(at, state)| join_at(left, at, state));
            let mut state = state;
            if let Some(passed) = flow.passed {
                state.join(&passed);
            }
            return Ok(state);
        }
        self.trying += 1;
        let failed = std::mem::replace(&mut self.failed, false);
        let tried = self.any_pass(this, &state, count, &|state, _| set(state, numbers));
        self.trying -= 1;
        let shows_too_little = std::mem::replace(&mut self.failed, failed);
        let tried = tried?;
        if !shows_too_little {
            let (state, more) = match self.trying {
                0 => self.any_pass(this, &state, count, &|state, _| set(state, numbers))?,
                _ => tried,
            };
            more.into_iter().for_each(|(at, state)| join_at(left, at, state));
            return Ok(state);
        }
        let middle = numbers.low + count / 2;
        let state = self.range(this, state, Range::between(numbers.low, middle - 1), set, left)?;
        // While it is only tried, one thing that is wrong is as good as all.
        if self.trying > 0 && self.failed {
            return Ok(state);
        }
        self.range(this, state, Range::between(middle, numbers.high), set, left)
    }

    /// What holds in each of up to `count` passes, found by going through one until nothing new comes; behind them, and where
    /// they lead out. `set` puts into registers what a pass begins with.
    fn any_pass(
        &mut self,
        this: &Loop,
        state: &State,
        count: i64,
        set: &dyn Fn(&mut State, i64),
    ) -> Result<(State, BTreeMap<u32, State>), Stop> {
        self.blurred += 1;
        let mut known = state.clone();
        let result = 'found: {
            for round in 0.. {
                let mut entered = known.clone();
                set(&mut entered, 0);
                let before = known.clone();
                let flow = match self.pass(this, entered) {
                    Ok(flow) => flow,
                    Err(stop) => break 'found Err(stop),
                };
                let Some(passed) = flow.passed else { break 'found Ok((known, flow.left)) };
                if known.covers(&passed) {
                    // The time of one pass, as often as there can be one.
                    let passes = count as u64;
                    let mut behind = known;
                    let time = passed.cycles.saturating_sub(before.cycles);
                    behind.cycles = before.cycles.saturating_add(time.saturating_mul(passes));
                    for ((packets, passed), before) in
                        behind.packets.iter_mut().zip(&passed.packets).zip(&before.packets)
                    {
                        *packets = before.saturating_add(passed.saturating_sub(*before).saturating_mul(passes));
                    }
                    let mut left = flow.left;
                    for state in left.values_mut() {
                        state.cycles = state.cycles.saturating_add(time.saturating_mul(passes - 1));
                        state.packets.clone_from(&behind.packets);
                    }
                    break 'found Ok((behind, left));
                }
                let (cycles, packets) = (known.cycles, known.packets.clone());
                known.join(&passed);
                if round >= ROUNDS {
                    known.widen(&before, &self.of.thresholds, self.of.vector_length());
                }
                (known.cycles, known.packets) = (cycles, packets);
            }
            Err(Stop::TooLong(this.at))
        };
        self.blurred -= 1;
        result
    }
}

/// Whether two states differ in nothing but the time that was taken and the packets that were counted.
fn same_but_time(before: &State, after: &State) -> bool {
    let mut same = after.clone();
    same.cycles = before.cycles;
    same.packets.clone_from(&before.packets);
    same == *before
}

/// Adds what came between two states so many times again.
fn add_time(state: &mut State, before: &State, times: u64) {
    state.cycles += (state.cycles - before.cycles).saturating_mul(times);
    for (packets, before) in state.packets.iter_mut().zip(&before.packets) {
        *packets += (*packets - before).saturating_mul(times);
    }
}
