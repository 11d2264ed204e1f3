//! What scalar and vector instructions compute.

use super::Interpreter;
use crate::breach::Reason;
use crate::range::{Bits, LEAST, MOST, Range};
use crate::sources::Names;
use crate::state::State;
use crate::value::{Form, Sources, Value};
use onward_isa::{Field, Instruction, Operand, ScalarOp, Special, VectorOp};

impl Interpreter<'_> {
    pub(super) fn scalar(
        &mut self,
        at: u32,
        op: ScalarOp,
        instruction: &Instruction,
        state: &mut State,
    ) -> Result<(), Reason> {
        let &Instruction { d, a, b, imm, .. } = instruction;
        let (first, second) = (self.scalar_of(state, a), self.scalar_of(state, b));
        let number = Value::of(imm.into());
        let value = match op {
            ScalarOp::Special => self.special(imm),
            ScalarOp::Setvl | ScalarOp::Setrow => {
                let most = if op == ScalarOp::Setvl { self.of.vector_length() } else { MOST };
                let length = first.range.plus(Range::of(imm.into()));
                let fits = length.limited(0, most);
                if !length.is_within(0, most) {
                    self.note(at, Reason::Length { low: length.low, high: length.high, most });
                }
                let length = fits.ok_or(Reason::Length { low: length.low, high: length.high, most })?;
                match op {
                    ScalarOp::Setvl => state.length = length,
                    _ => state.row = length,
                }
                return Ok(());
            }
            ScalarOp::Ld | ScalarOp::St | ScalarOp::Addm => return self.element(at, op, instruction, state),
            ScalarOp::Add => sum(first, second),
            ScalarOp::Addi => sum(first, number),
            ScalarOp::Sub => plain(first.range.minus(second.range), first, second),
            ScalarOp::Mul => plain(first.range.times(second.range), first, second),
            ScalarOp::And => plain(first.range.bits(second.range, Bits::And), first, second),
            ScalarOp::Or => plain(first.range.bits(second.range, Bits::Or), first, second),
            ScalarOp::Xor => plain(first.range.bits(second.range, Bits::Xor), first, second),
            ScalarOp::Shr => plain(first.range.shifted(second.range, false), first, second),
            ScalarOp::Min => plain(first.range.least(second.range), first, second),
            ScalarOp::Max => plain(first.range.greatest(second.range), first, second),
            ScalarOp::Ori => plain(first.range.bits(number.range, Bits::Or), first, number),
            ScalarOp::Lui => Value::of(i64::from((imm as u32) << 16) as i32 as i64),
            ScalarOp::Shri => self.shifted(first, imm),
            ScalarOp::Andi => self.masked(first, imm),
        };
        self.set(state, d, value);
        Ok(())
    }

    /// Notes a problem with which some steps go on.
    pub(super) fn note(&mut self, at: u32, reason: Reason) {
        self.problem(at, reason);
    }

    fn special(&self, number: i32) -> Value {
        let tag = Sources::of(Names::TAG);
        let class = self.class;
        match Special::from_number(number) {
            Some(Special::Step) => Value::new(Range::between(0, MOST), Sources::of(Names::ACTIVITY)),
            Some(Special::Position) => {
                Value { range: class.positions(), form: Form::Position, from: Sources::of(Names::ACTIVITY) }
            }
            Some(Special::Block) => Value::of(u32::from(self.of.number).into()),
            Some(Special::Tag) => {
                let form = Form::Tag { add: 0, or_zero: false };
                Value { range: self.of.tags.bits(0, -1), form, from: tag }
            }
            Some(Special::Kind) => Value::new(Range::of(class.kind.into()), tag),
            Some(Special::Learn) => Value::new(Range::of(class.learn.into()), tag),
            Some(Special::Slot) => Value::new(self.of.tags.bits(8, 0xffff), tag),
            Some(Special::Events) => {
                let most: i64 = self.class.active(self.of).iter().map(|fed| fed.last - fed.first + 1).sum();
                Value::new(Range::between(0, most), Sources::of(Names::ACTIVITY))
            }
            None => Value::of(0), // decoding knows of no others
        }
    }

    fn shifted(&self, value: Value, amount: i32) -> Value {
        let range = value.range.shifted(Range::of(amount.into()), false);
        match (value.form, u32::try_from(amount)) {
            (Form::Tag { add: 0, or_zero: false }, Ok(shift)) if shift < 32 => {
                Value { range: self.of.tags.bits(shift, -1), form: Form::TagBits { shift }, from: value.from }
            }
            _ => Value::new(range, value.from),
        }
    }

    fn masked(&self, value: Value, mask: i32) -> Value {
        let range = match value.form {
            Form::Tag { add: 0, or_zero: false } => self.of.tags.bits(0, mask.into()),
            Form::TagBits { shift } => self.of.tags.bits(shift, mask.into()),
            _ => value.range.bits(Range::of(mask.into()), Bits::And),
        };
        Value::new(range, value.from)
    }

    pub(super) fn vector(
        &mut self,
        at: u32,
        op: VectorOp,
        instruction: &Instruction,
        state: &mut State,
    ) -> Result<(), Reason> {
        let &Instruction { d, a, c, .. } = instruction;
        let length = state.length;
        let vector = |register: u8| state.vectors.get(usize::from(register)).copied();
        let read =
            |register: u8| vector(register).map_or(Value::of(0), |vector| Value::new(vector.read(length), vector.from));
        let second = match instruction.op.description().operands.contains(&Operand::Vector(Field::B)) {
            true => read(instruction.b),
            false => self.scalar_of(state, instruction.b),
        };
        let (held, first) = (read(d), read(a));
        let made = |range: Range| Value::new(range.in_register(), first.from.and(second.from));
        let result = match op {
            VectorOp::Vld
            | VectorOp::Vst
            | VectorOp::Vacc
            | VectorOp::Vldr
            | VectorOp::Vstr
            | VectorOp::Vaccr
            | VectorOp::Vlds
            | VectorOp::Vsts
            | VectorOp::Vlut
            | VectorOp::Vaddn16
            | VectorOp::Vaddn32 => return self.elements(at, op, instruction, state),
            VectorOp::Vext | VectorOp::Vins => return self.one_element(at, op, instruction, state),
            VectorOp::Vcge | VectorOp::Vclt | VectorOp::Vceq | VectorOp::Vcges | VectorOp::Vclts | VectorOp::Vceqs => {
                let predicate = &mut state.predicates[usize::from(d)];
                (predicate.extent, predicate.from) = (length.high, first.from.and(second.from)); // V5
                return Ok(());
            }
            VectorOp::Pand | VectorOp::Por | VectorOp::Pnot | VectorOp::Pcount => {
                self.predicates(op, instruction, state);
                return Ok(());
            }
            VectorOp::Vsum | VectorOp::Vrmax | VectorOp::Vrmin | VectorOp::Vimax | VectorOp::Vdot => {
                let value = Value::new(reduced(op, first.range, length), first.from.and(second.from));
                self.set(state, d, value);
                return Ok(());
            }
            VectorOp::Vadd | VectorOp::Vadds => made(first.range.plus(second.range)),
            VectorOp::Vsub | VectorOp::Vsubs => made(first.range.minus(second.range)),
            VectorOp::Vmul | VectorOp::Vmuls => made(first.range.times(second.range)),
            VectorOp::Vmac | VectorOp::Vmacs => {
                let product = first.range.times(second.range);
                Value::new(held.range.plus(product).in_register(), held.from.and(first.from).and(second.from))
            }
            VectorOp::Vmin | VectorOp::Vmins => made(first.range.least(second.range)),
            VectorOp::Vmax | VectorOp::Vmaxs => made(first.range.greatest(second.range)),
            VectorOp::Vshr => made(first.range.shifted(second.range, false)),
            VectorOp::Vshrn => made(first.range.shifted(second.range, true)),
            VectorOp::Vshrs => {
                let value = made(first.range.shifted(second.range, true));
                Value { from: value.from.and(Sources::of(Names::CHANCE)), ..value }
            }
            VectorOp::Vscale | VectorOp::Vscales => made(scaled(first.range, second.range)),
            VectorOp::Vmv => {
                let value = self.scalar_of(state, a);
                Value::new(value.range, value.from)
            }
            VectorOp::Vidx => Value::of(0).join(Value::of((length.high - 1).max(0))),
            VectorOp::Vsel | VectorOp::Vsels | VectorOp::Vaddp => {
                let decides = state.predicates[usize::from(c)].from;
                let other = if op == VectorOp::Vaddp { first.range.plus(second.range) } else { second.range };
                let range = first.range.join(other.in_register());
                Value::new(range, first.from.and(second.from).and(decides))
            }
        };
        let place = &mut state.vectors[usize::from(d)];
        *place =
            place.written(length, Range { stride: i64::from(result.range.stride > 0), ..result.range }, result.from);
        Ok(())
    }

    fn predicates(&mut self, op: VectorOp, instruction: &Instruction, state: &mut State) {
        let first = state.predicates[usize::from(instruction.a)];
        let second = state.predicates.get(usize::from(instruction.b)).copied().unwrap_or(first);
        let length = state.length.high;
        let made = match op {
            VectorOp::Pand => (first.extent.min(second.extent), first.from.and(second.from)),
            VectorOp::Por => (first.extent.max(second.extent), first.from.and(second.from)),
            VectorOp::Pnot => (length, first.from), // V6
            _ => {
                let count = Range::between(0, first.extent.min(length).max(0));
                return self.set(state, instruction.d, Value::new(count, first.from));
            }
        };
        let predicate = &mut state.predicates[usize::from(instruction.d)];
        (predicate.extent, predicate.from) = made;
    }

    fn one_element(
        &mut self,
        at: u32,
        op: VectorOp,
        instruction: &Instruction,
        state: &mut State,
    ) -> Result<(), Reason> {
        let index = self.scalar_of(state, instruction.b).range;
        let length = state.length;
        let problem = Reason::Element { low: index.low, high: index.high, length: length.low };
        if !index.is_within(0, length.low - 1) {
            if index.low >= length.high || index.high < 0 {
                return Err(problem);
            }
            self.note(at, problem);
        }
        if op == VectorOp::Vext {
            let vector = state.vectors[usize::from(instruction.a)];
            self.set(state, instruction.d, Value::new(vector.read(length), vector.from));
        } else {
            let value = self.scalar_of(state, instruction.a);
            let vector = &mut state.vectors[usize::from(instruction.d)];
            *vector = vector.replaced(length, value);
        }
        Ok(())
    }
}

fn plain(range: Range, first: Value, second: Value) -> Value {
    Value::new(range, first.from.and(second.from))
}

/// A sum; of the tag and a number the tag plus that.
fn sum(first: Value, second: Value) -> Value {
    let range = first.range.plus(second.range);
    let of = |form: Form, more: Range| match (form, more.single()) {
        (_, Some(0)) => form,
        (Form::Tag { add, or_zero: false }, Some(more)) => Form::Tag { add: add + more, or_zero: false },
        _ => Form::Plain,
    };
    let form = match (first.range.single(), second.range.single()) {
        (Some(_), None) => of(second.form, first.range),
        _ => of(first.form, second.range),
    };
    // Where the sum saturates it is no longer that.
    let form = if range.is_within(LEAST, MOST) { form } else { Form::Plain };
    Value { range, form, from: first.from.and(second.from) }
}

/// What is left of a decay (V11): rounded towards 0.
fn scaled(value: Range, factor: Range) -> Range {
    let product = value.times(factor);
    Range::between(product.low / 65536, product.high / 65536)
}

fn reduced(op: VectorOp, elements: Range, length: Range) -> Range {
    let empty = length.low == 0;
    let with = |range: Range, of_none: i64| if empty { range.join(Range::of(of_none)) } else { range };
    match op {
        VectorOp::Vrmax => with(elements, LEAST),
        VectorOp::Vrmin => with(elements, MOST),
        VectorOp::Vimax => with(Range::between(0, (length.high - 1).max(0)), -1),
        VectorOp::Vsum => {
            let sum = Range::between(0, length.high).times(elements);
            Range { stride: i64::from(sum.low != sum.high), ..sum }.in_register()
        }
        _ => Range::ANY,
    }
}
