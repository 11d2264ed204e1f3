//! What instructions read and write of memories: every element lies in its memory, or it is said which may not.

use super::Interpreter;
use crate::breach::Reason;
use crate::memory::{Held, Load, Write};
use crate::range::Range;
use crate::sources::Names;
use crate::state::State;
use crate::value::{Form, Sources, Value};
use onward_isa::{Instruction, ScalarOp, Space, VectorOp, Width};

/// Elements that an access may reach, all of them within the memory.
#[derive(Clone, Copy)]
struct Reach {
    space: Space,
    width: Width,
    first: i64,
    last: i64,
}

impl Interpreter<'_> {
    /// Checks an access of `length` elements from some first one on (M6); gives what it may reach.
    fn reach(&mut self, at: u32, space: Space, width: Width, first: Range, length: Range) -> Result<Reach, Reason> {
        let available = self.of.elements(space, width);
        let last = first.high.saturating_add(length.high);
        let problem = Reason::Address { space, low: first.low, high: last - 1, available };
        if first.low < 0 || last > available {
            if first.high < 0 || first.low.saturating_add(length.low) > available {
                return Err(problem);
            }
            self.note(at, problem);
        }
        let (first, last) = (first.low.max(0), (last - 1).min(available - 1));
        Ok(Reach { space, width, first, last })
    }

    /// What elements stem from.
    fn stems_from(&self, reach: Reach) -> Sources {
        if reach.space != Space::Event {
            return self.of.names.elements(reach.space, reach.width, reach.first, reach.last);
        }
        let reached = self.of.fed.iter().filter(|fed| fed.first <= reach.last && reach.first <= fed.last);
        reached.fold(Sources::of(Names::ACTIVITY), |all, fed| all.and(fed.from))
    }

    /// What elements can hold; what the image fills them with is noted as looked at.
    fn held(&mut self, at: u32, reach: Reach) -> Held {
        let Reach { space, width, first, last } = reach;
        let bits = i64::from(width.bits());
        let (first_bit, last_bit) = (first * bits, (last + 1) * bits - 1);
        let looked_at = self.found.looked_at.entry(at).or_insert((space, first_bit, last_bit));
        (looked_at.1, looked_at.2) = (looked_at.1.min(first_bit), looked_at.2.max(last_bit));
        let load = Load { space, width, first, last };
        *self.found.loads.entry(load).or_insert_with(|| self.memories.load(self.of, load))
    }

    fn store(&mut self, at: u32, reach: Reach, value: Value) {
        if reach.last < reach.first {
            return;
        }
        let Reach { space, width, first, last } = reach;
        // What is written over the edge of an array may spoil what is known of another one. That mostly comes of looking at too
        // much at once, and shows only where the other one is read.
        if self.trying > 0 && self.of.names.are_several(space, width, first, last) {
            self.failed = true;
        }
        let range = value.range.saturated(width);
        let form = if range == value.range { value.form } else { Form::Plain };
        self.writes(at, Write { space, width, first, last, range, form, from: value.from });
    }

    /// `ld`, `st`, `addm`.
    pub(super) fn element(
        &mut self,
        at: u32,
        op: ScalarOp,
        instruction: &Instruction,
        state: &mut State,
    ) -> Result<(), Reason> {
        let &Instruction { d, a, imm, space, width, .. } = instruction;
        let base = self.scalar_of(state, a);
        let address = base.range.plus(Range::of(imm.into()));
        let reach = self.reach(at, space, width, address, Range::of(1))?;
        let value = self.scalar_of(state, d);
        if op == ScalarOp::St {
            self.store(at, reach, Value { from: value.from.and(base.from), ..value });
            return Ok(());
        }
        let held = self.held(at, reach);
        // What is found depends on where it is looked for.
        let from = self.stems_from(reach).and(base.from);
        if op == ScalarOp::Ld {
            self.set(state, d, Value { range: held.range, form: held.form, from });
        } else {
            // What is added to again and again comes to the end of its width.
            let (least, most) = width.range();
            let sums = held.range.plus(value.range);
            let low = if value.range.low < 0 { least.into() } else { sums.low };
            let high = if value.range.high > 0 { most.into() } else { sums.high };
            self.store(at, reach, Value::new(Range::between(low.min(high), high), from.and(value.from)));
        }
        Ok(())
    }

    /// Loads and stores of vectors.
    pub(super) fn elements(
        &mut self,
        at: u32,
        op: VectorOp,
        instruction: &Instruction,
        state: &mut State,
    ) -> Result<(), Reason> {
        let &Instruction { d, a, b, c, imm, space, width, .. } = instruction;
        let length = state.length;
        let offset = Range::of(imm.into());
        let base = self.scalar_of(state, a);
        let step = self.scalar_of(state, c);
        let (first, count) = match op {
            VectorOp::Vldr | VectorOp::Vstr | VectorOp::Vaccr => (base.range.plus(offset).times(state.row), length),
            VectorOp::Vlds | VectorOp::Vsts => {
                if length.high == 0 {
                    return Ok(());
                }
                let steps = Range::between(0, length.high - 1).times(step.range);
                (base.range.plus(offset).plus(steps), Range::of(1))
            }
            VectorOp::Vlut => {
                if step.range.low < 1 {
                    let problem = Reason::EmptyTable { least: step.range.low };
                    if step.range.high < 1 {
                        return Err(problem);
                    }
                    self.note(at, problem);
                }
                if length.high == 0 {
                    return Ok(());
                }
                let vector = state.vectors[usize::from(a)];
                let index = vector.read(length).clamped(0, (step.range.high - 1).max(0));
                (self.scalar_of(state, b).range.plus(index), Range::of(1))
            }
            _ => (base.range.plus(offset), length),
        };
        let reach = self.reach(at, space, width, first, count)?;
        let held =
            state.vectors.get(usize::from(d)).copied().filter(|_| !matches!(op, VectorOp::Vaddn16 | VectorOp::Vaddn32));
        let elements = Range::of_width(width);
        let from = self.stems_from(reach).and(base.from).and(step.from);
        match op {
            VectorOp::Vst | VectorOp::Vstr | VectorOp::Vsts => {
                let vector = state.vectors[usize::from(d)];
                self.store(at, reach, Value::new(vector.read(length), vector.from.and(base.from)));
            }
            VectorOp::Vaddn16 | VectorOp::Vaddn32 => {
                let sums = if op == VectorOp::Vaddn16 { Width::W16 } else { Width::W32 };
                let to = self.scalar_of(state, d);
                let from = from.and(to.from);
                let to = self.reach(at, Space::Neuron, sums, to.range, length)?;
                let all = from.and(self.stems_from(to));
                self.store(at, to, Value::new(Range::of_width(sums), all));
            }
            VectorOp::Vacc | VectorOp::Vaccr => {
                let Some(held) = held else { return Ok(()) };
                let range = held.read(length).plus(elements).in_register();
                let range = Range { stride: i64::from(range.stride > 0), ..range };
                state.vectors[usize::from(d)] = held.written(length, range, held.from.and(from));
            }
            VectorOp::Vlut => {
                let Some(held) = held else { return Ok(()) };
                let index = state.vectors[usize::from(a)].from;
                let range = self.held(at, reach).range;
                state.vectors[usize::from(d)] = held.written(length, range, from.and(index));
            }
            _ => {
                let Some(held) = held else { return Ok(()) };
                state.vectors[usize::from(d)] = held.written(length, elements, from);
            }
        }
        Ok(())
    }
}
