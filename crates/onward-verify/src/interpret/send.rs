//! Sends: routes, indices, and that no index is sent twice in a step.

use super::{Interpreter, Payload};
use crate::breach::Reason;
use crate::range::Range;
use crate::state::{Sent, State};
use crate::value::{Form, Value};
use onward_isa::{Instruction, SendOp};

impl Interpreter<'_> {
    pub(super) fn send(
        &mut self,
        at: u32,
        op: SendOp,
        instruction: &Instruction,
        state: &mut State,
    ) -> Result<(), Reason> {
        let &Instruction { d, a, b, imm, .. } = instruction;
        let number = imm as u32;
        let of = self.of;
        let Some(route) = of.block.routes.get(number as usize) else {
            return Err(Reason::Route { route: number, routes: of.block.routes.len() as u32 });
        };
        let (indices, packets, payload) = match op {
            SendOp::Send => (self.scalar_of(state, a).range, Range::of(1), self.scalar_of(state, b)),
            SendOp::Spike | SendOp::Vsend => {
                let predicate = state.predicates[usize::from(if op == SendOp::Spike { a } else { b })];
                let count = state.length.high.min(predicate.extent).max(0);
                let base = self.scalar_of(state, d).range;
                let payload = match op {
                    SendOp::Spike => Value::new(Range::of(1), predicate.from),
                    _ => {
                        let vector = state.vectors[usize::from(a)];
                        Value::new(vector.read(state.length), vector.from.and(predicate.from))
                    }
                };
                let last = base.high + (count - 1).max(0);
                (Range::between(base.low, last), Range::between(0, count), payload)
            }
        };
        if packets.high == 0 {
            return Ok(());
        }
        let available = i64::from(route.indices);
        if !indices.is_within(0, available - 1) {
            let problem = Reason::PacketIndex { low: indices.low, high: indices.high, available };
            if packets.low > 0 && (indices.high < 0 || indices.low >= available) {
                return Err(problem);
            }
            self.note(at, problem);
        }
        // Where many passes are looked at as one, each of them may send the same.
        let sent = Sent { route: number, low: indices.low, high: indices.high };
        if !state.send(sent) || self.blurred > 0 {
            self.note(at, Reason::SecondPacket { low: indices.low, high: indices.high });
        }
        if let Some(packets_of_route) = state.packets.get_mut(number as usize) {
            *packets_of_route += packets.high as u64;
        }
        if self.trying == 0 {
            let new = Payload { range: payload.range, form: payload.form, from: payload.from };
            let entry = self.found.payloads.entry(number);
            entry.and_modify(|old| *old = old.join(new)).or_insert(new);
        }
        Ok(())
    }
}

impl Payload {
    /// What is carried if either is.
    pub fn join(self, other: Payload) -> Payload {
        Payload {
            range: self.range.join(other.range),
            form: self.form.join(self.range, other.form, other.range),
            from: self.from.and(other.from),
        }
    }

    /// Whether it is the block's own tag, and nothing else.
    pub fn is_tag(self) -> bool {
        self.form == Form::Tag { add: 0, or_zero: false }
    }
}
