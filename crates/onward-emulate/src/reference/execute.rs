//! What each instruction does, beside taking time.

use super::arithmetic::{Rounding, element, holds, shift};
use super::core::{Next, Running};
use crate::fault::{Fault, FaultKind};
use onward_isa::{Field, Instruction, Op, Operand, Space, Special, Width};

impl Running<'_> {
    /// Executes one instruction.
    pub(super) fn execute(&mut self, instruction: &Instruction) -> Result<Next, Fault> {
        let &Instruction { op, d, a, b, imm, .. } = instruction;
        let (rd, ra, rb) = (self.scalar(d), self.scalar(a), self.scalar(b));
        match op {
            Op::Nop => {}
            Op::Sleep => return Ok(Next::End { awake: false }),
            Op::Stay => return Ok(Next::End { awake: true }),
            Op::Jmp => return self.branch(instruction),
            Op::Beq | Op::Bne | Op::Blt | Op::Bge if holds(op, rd, ra) => return self.branch(instruction),
            Op::Beq | Op::Bne | Op::Blt | Op::Bge => {}
            Op::Loop | Op::Foreach | Op::Forset => return self.enter_loop(instruction),
            Op::Special => {
                let Some(register) = Special::from_number(imm) else {
                    return Err(self.fault(FaultKind::NoInstruction)); // decoding knows of no others
                };
                self.set_scalar(d, self.special(register));
            }
            Op::Setvl => {
                let max = i64::from(self.chip.core.vector_length);
                self.length = self.length_of(ra, imm, max)? as usize;
            }
            Op::Setrow => self.row = self.length_of(ra, imm, i64::from(i32::MAX))?,
            Op::Add | Op::Sub | Op::Mul | Op::And | Op::Or | Op::Xor | Op::Shr | Op::Min | Op::Max => {
                let value = self.saturated(element(op, 0, ra.into(), rb.into()), 32);
                self.set_scalar(d, value);
            }
            Op::Addi | Op::Shri | Op::Andi | Op::Ori => {
                let value = self.saturated(element(op, 0, ra.into(), imm.into()), 32);
                self.set_scalar(d, value);
            }
            Op::Lui => self.set_scalar(d, i32::from_le_bytes([0, 0, imm as u8, (imm >> 8) as u8])),
            Op::Ld | Op::St | Op::Addm => self.scalar_memory(instruction)?,
            Op::Vld | Op::Vst | Op::Vacc | Op::Vldr | Op::Vstr | Op::Vaccr => self.vector_memory(instruction)?,
            Op::Vaddn16 | Op::Vaddn32 => self.add_to_neurons(instruction)?,
            Op::Vlds | Op::Vsts | Op::Vlut => self.element_memory(instruction)?,
            Op::Vadd
            | Op::Vsub
            | Op::Vmul
            | Op::Vmac
            | Op::Vmin
            | Op::Vmax
            | Op::Vadds
            | Op::Vsubs
            | Op::Vmuls
            | Op::Vmacs
            | Op::Vmins
            | Op::Vmaxs
            | Op::Vshr
            | Op::Vshrn
            | Op::Vscale
            | Op::Vscales => {
                self.for_each_element(instruction, |_, d, a, b| element(op, d, a, b));
            }
            Op::Vshrs => {
                let key = self.draw();
                self.for_each_element(instruction, |i, _, a, b| {
                    shift(a, b as i32, Rounding::Stochastic { key, index: i as u32 })
                });
            }
            Op::Vmv => self.for_each_element(instruction, |_, _, _, _| ra.into()),
            Op::Vidx => self.for_each_element(instruction, |i, _, _, _| i as i128),
            Op::Vext | Op::Vins => self.one_element(instruction)?,
            Op::Vcge | Op::Vclt | Op::Vceq | Op::Vcges | Op::Vclts | Op::Vceqs => self.compare(instruction),
            Op::Pand | Op::Por | Op::Pnot | Op::Pcount => self.predicates(instruction),
            Op::Vsel | Op::Vsels | Op::Vaddp => {
                let predicate = self.p[usize::from(instruction.c)].clone();
                self.for_each_element(instruction, |i, _, a, b| match (op, predicate[i]) {
                    (Op::Vaddp, true) => a + b,
                    (Op::Vaddp, false) | (_, true) => a,
                    (_, false) => b,
                });
            }
            Op::Vsum | Op::Vrmax | Op::Vrmin | Op::Vimax | Op::Vdot => self.reduce(instruction),
            Op::Spike => return self.send(imm as usize, self.packets(a, rd, |_| 1)),
            Op::Vsend => return self.send(imm as usize, self.packets(b, rd, |i| self.v[usize::from(a)][i])),
            Op::Send => return self.send(imm as usize, vec![(i64::from(ra), rb)]),
        }
        Ok(Next::Following)
    }

    /// A scalar register; fields that name none read as 0.
    fn scalar(&self, register: u8) -> i32 {
        self.r.get(usize::from(register)).copied().unwrap_or(0)
    }

    /// `ra + imm`, from 0 to `max` (rules V1, M4, F2).
    fn length_of(&self, ra: i32, imm: i32, max: i64) -> Result<i64, Fault> {
        let length = i64::from(ra) + i64::from(imm);
        if (0..=max).contains(&length) { Ok(length) } else { Err(self.fault(FaultKind::Length { length, max })) }
    }

    /// The second operand, element by element: a vector's elements, or a scalar for all of them.
    fn second(&self, instruction: &Instruction) -> Vec<i32> {
        if instruction.op.description().operands.contains(&Operand::Vector(Field::B)) {
            self.v[usize::from(instruction.b)].clone()
        } else {
            vec![self.scalar(instruction.b); self.length]
        }
    }

    /// `vd[i] = sat(f(i, vd[i], va[i], b[i]))`; all operands are read before (rule V2).
    fn for_each_element(&mut self, instruction: &Instruction, f: impl Fn(usize, i128, i128, i128) -> i128) {
        let (d, a) = (usize::from(instruction.d), usize::from(instruction.a));
        let before = self.v[d].clone();
        let first = self.v.get(a).cloned().unwrap_or_else(|| vec![0; self.length]);
        let second = self.second(instruction);
        for i in 0..self.length {
            let exact = f(i, before[i].into(), first[i].into(), second[i].into());
            self.v[d][i] = self.saturated(exact, 32);
        }
    }

    fn scalar_memory(&mut self, instruction: &Instruction) -> Result<(), Fault> {
        let &Instruction { op, d, a, imm, space, width, .. } = instruction;
        let at = self.bounds(instruction, i128::from(self.scalar(a)) + i128::from(imm), 1)?;
        let register = i128::from(self.scalar(d));
        match op {
            Op::Ld => self.set_scalar(d, self.read(space, width, at)),
            Op::St => self.write(space, width, at, register),
            _ => self.write(space, width, at, i128::from(self.read(space, width, at)) + register),
        }
        Ok(())
    }

    fn vector_memory(&mut self, instruction: &Instruction) -> Result<(), Fault> {
        let &Instruction { op, d, a, imm, space, width, .. } = instruction;
        let by_rows = matches!(op, Op::Vldr | Op::Vstr | Op::Vaccr);
        let factor = if by_rows { self.row } else { 1 };
        let first = (i128::from(self.scalar(a)) + i128::from(imm)) * i128::from(factor);
        let at = self.bounds(instruction, first, self.length)?;
        let d = usize::from(d);
        for i in 0..self.length {
            let held = i128::from(self.v[d][i]);
            match op {
                Op::Vld | Op::Vldr => self.v[d][i] = self.read(space, width, at + i),
                Op::Vacc | Op::Vaccr => {
                    let exact = held + i128::from(self.read(space, width, at + i));
                    self.v[d][i] = self.saturated(exact, 32);
                }
                _ => self.write(space, width, at + i, held),
            }
        }
        Ok(())
    }

    /// Rule M11.
    fn add_to_neurons(&mut self, instruction: &Instruction) -> Result<(), Fault> {
        let &Instruction { op, d, a, imm, space, width, .. } = instruction;
        let sum = Instruction {
            space: Space::Neuron,
            width: if op == Op::Vaddn16 { Width::W16 } else { Width::W32 },
            ..Instruction::new(op)
        };
        let from = self.bounds(instruction, i128::from(self.scalar(a)) + i128::from(imm), self.length)?;
        let to = self.bounds(&sum, i128::from(self.scalar(d)), self.length)?;
        for i in 0..self.length {
            let exact =
                i128::from(self.read(sum.space, sum.width, to + i)) + i128::from(self.read(space, width, from + i));
            self.write(sum.space, sum.width, to + i, exact);
        }
        Ok(())
    }

    fn element_memory(&mut self, instruction: &Instruction) -> Result<(), Fault> {
        let &Instruction { op, d, a, b, c, imm, space, width } = instruction;
        let rc = i128::from(self.scalar(c));
        if op == Op::Vlut && rc < 1 {
            return Err(self.fault(FaultKind::EmptyTable));
        }
        // As they were before the first result is written; in strided accesses field a names no vector.
        let indices = self.v.get(usize::from(a)).cloned().unwrap_or_default();
        for i in 0..self.length {
            let index = indices.get(i).copied().map_or(0, i128::from);
            let address = match op {
                Op::Vlut => i128::from(self.scalar(b)) + index.clamp(0, rc - 1),
                _ => i128::from(self.scalar(a)) + i128::from(imm) + i as i128 * rc,
            };
            let at = self.bounds(instruction, address, 1)?;
            match op {
                Op::Vsts => self.write(space, width, at, self.v[usize::from(d)][i].into()),
                _ => self.v[usize::from(d)][i] = self.read(space, width, at),
            }
        }
        Ok(())
    }

    fn one_element(&mut self, instruction: &Instruction) -> Result<(), Fault> {
        let &Instruction { op, d, a, b, .. } = instruction;
        let index = self.scalar(b);
        let Some(at) = usize::try_from(index).ok().filter(|&at| at < self.length) else {
            return Err(self.fault(FaultKind::Element { index, length: self.length as u32 }));
        };
        match op {
            Op::Vext => self.set_scalar(d, self.v[usize::from(a)][at]),
            _ => self.v[usize::from(d)][at] = self.scalar(a),
        }
        Ok(())
    }

    /// Rule V5.
    fn compare(&mut self, instruction: &Instruction) {
        let second = self.second(instruction);
        let first = &self.v[usize::from(instruction.a)];
        let bits = (0..first.len()).map(|i| i < self.length && holds(instruction.op, first[i], second[i])).collect();
        self.p[usize::from(instruction.d)] = bits;
    }

    /// Rule V6.
    fn predicates(&mut self, instruction: &Instruction) {
        let &Instruction { op, d, a, b, .. } = instruction;
        let first = self.p[usize::from(a)].clone();
        let second = self.p.get(usize::from(b)).cloned().unwrap_or_default();
        if op == Op::Pcount {
            let count = first[..self.length].iter().filter(|&&bit| bit).count();
            return self.set_scalar(d, count as i32);
        }
        for i in 0..first.len() {
            self.p[usize::from(d)][i] = match op {
                Op::Pand => first[i] && second[i],
                Op::Por => first[i] || second[i],
                _ => i < self.length && !first[i],
            };
        }
    }

    /// Rule V8.
    fn reduce(&mut self, instruction: &Instruction) {
        let &Instruction { op, d, a, b, .. } = instruction;
        let elements = &self.v[usize::from(a)][..self.length];
        let greatest = elements.iter().copied().max();
        let exact = match op {
            Op::Vsum => elements.iter().map(|&element| i128::from(element)).sum(),
            Op::Vrmax => greatest.unwrap_or(i32::MIN).into(),
            Op::Vrmin => elements.iter().copied().min().unwrap_or(i32::MAX).into(),
            Op::Vimax => greatest
                .and_then(|greatest| elements.iter().position(|&element| element == greatest))
                .map_or(-1, |at| at as i128),
            _ => {
                let others = &self.v[usize::from(b)][..self.length];
                let products = elements.iter().zip(others).map(|(&a, &b)| i128::from(a) * i128::from(b));
                i128::from(products.sum::<i128>() as i64) // the low 64 bits
            }
        };
        let value = self.saturated(exact, 32);
        self.set_scalar(d, value);
    }

    /// A packet for each bit of a predicate below VL, in order (rule S2).
    fn packets(&self, predicate: u8, base: i32, payload: impl Fn(usize) -> i32) -> Vec<(i64, i32)> {
        let bits = &self.p[usize::from(predicate)];
        (0..self.length).filter(|&i| bits[i]).map(|i| (i64::from(base) + i as i64, payload(i))).collect()
    }
}
