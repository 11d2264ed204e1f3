//! Jumps and branches: which way, and what is known behind it.

use super::{Interpreter, Next, Stop, target};
use crate::breach::Reason;
use crate::range::{LEAST, MOST, Range};
use crate::state::State;
use crate::value::{Form, Value};
use onward_isa::{ControlOp, Instruction};

/// What a comparison of two registers asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Equal,
    Less,
}

impl Interpreter<'_> {
    pub(super) fn branch(
        &mut self,
        at: u32,
        op: ControlOp,
        instruction: &Instruction,
        state: &mut State,
    ) -> Result<Next, Stop> {
        let (asks, taken_if) = match op {
            ControlOp::Beq => (Asks::Equal, true),
            ControlOp::Bne => (Asks::Equal, false),
            ControlOp::Blt => (Asks::Less, true),
            ControlOp::Bge => (Asks::Less, false),
            _ => return Ok(Next::At(self.jump(at, instruction, state.clone()).into_iter().collect())),
        };
        let (first, second) = (instruction.d, instruction.a);
        let mut places = Vec::new();
        for answer in [true, false] {
            let Some(mut state) = self.supposed(state, asks, first, second, answer) else { continue };
            if answer == taken_if {
                state.cycles += 1; // I3
                places.extend(self.jump(at, instruction, state));
            } else {
                places.push((at + 1, state));
            }
        }
        if places.len() > 1 {
            self.split(state, first, second)?;
        }
        Ok(Next::At(places))
    }

    fn jump(&mut self, at: u32, instruction: &Instruction, state: State) -> Option<(u32, State)> {
        let target = target(at, instruction);
        match u32::try_from(target).ok().filter(|&target| target as usize <= self.of.code.len()) {
            Some(target) => Some((target, state)),
            None => {
                self.problem(at, Reason::TargetOutside { target });
                None
            }
        }
    }

    /// A branch on the position that goes both ways parts the class.
    fn split(&self, state: &State, first: u8, second: u8) -> Result<(), Stop> {
        let (first, second) = (self.scalar_of(state, first), self.scalar_of(state, second));
        let number = match (first.form, second.form) {
            (Form::Position, _) => second.range.single(),
            (_, Form::Position) => first.range.single(),
            _ => None,
        };
        match number {
            Some(number) => Err(Stop::Split(vec![number, number + 1])),
            None => Ok(()),
        }
    }

    /// What is known where a comparison has this answer; `None` if it cannot have it.
    fn supposed(&self, state: &State, asks: Asks, first: u8, second: u8, answer: bool) -> Option<State> {
        let (a, b) = (self.scalar_of(state, first), self.scalar_of(state, second));
        if first == second {
            let holds = asks == Asks::Equal;
            return (holds == answer).then(|| state.clone());
        }
        let (a, b) = match (asks, answer) {
            (Asks::Less, true) => (limited(a, LEAST, b.range.high - 1)?, limited(b, a.range.low + 1, MOST)?),
            (Asks::Less, false) => (limited(a, b.range.low, MOST)?, limited(b, LEAST, a.range.high)?),
            (Asks::Equal, true) => {
                let (low, high) = (a.range.low.max(b.range.low), a.range.high.min(b.range.high));
                if low > high || b.range.single().is_some_and(|b| !a.range.contains(b)) {
                    return None;
                }
                (limited(a, low, high)?, limited(b, low, high)?)
            }
            (Asks::Equal, false) => (without(a, b.range)?, without(b, a.range)?),
        };
        let mut state = state.clone();
        self.set(&mut state, first, a);
        self.set(&mut state, second, b);
        Some(state)
    }
}

fn limited(value: Value, low: i64, high: i64) -> Option<Value> {
    let range = value.range.limited(low, high)?;
    // The tag plus something, or 0: what is not 0 is the tag.
    let form = match value.form {
        Form::Tag { add, or_zero: true } if !range.contains(0) => Form::Tag { add, or_zero: false },
        form => form,
    };
    Some(Value { range, form, ..value })
}

/// A value that is not equal to another.
fn without(value: Value, other: Range) -> Option<Value> {
    let Some(other) = other.single() else { return Some(value) };
    let form = match value.form {
        Form::Tag { add, or_zero: true } if other == 0 => Form::Tag { add, or_zero: false },
        form => form,
    };
    let value = Value { form, ..value };
    match value.range {
        Range { low, high, .. } if low == other && high == other => None,
        Range { low, high, .. } if low == other => limited(value, low + 1, high),
        Range { low, high, .. } if high == other => limited(value, low, high - 1),
        _ => Some(value),
    }
}
