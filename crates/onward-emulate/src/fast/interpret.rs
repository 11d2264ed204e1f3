//! The interpreter: fetch, count, execute.

use super::block::{Block, Limits, Scratch};
use super::control::Flow;
use super::decode::{Code, Decoded};
use super::execution::{Execution, Rounding};
use super::outlet::Outlet;
use super::vector as element;
use crate::fault::{Fault, FaultKind};
use onward_isa::{ClassedOp, ControlOp, Instruction, ScalarOp, SendOp, Special, VectorOp, Width};
use std::ops::Range;

/// Cycles without a packet after which a step is endless (rule F10).
pub(super) const ENDLESS: u32 = 1 << 30;

impl Block {
    /// Runs from the entry to the end of the step. Returns the cycles since the last send.
    #[inline(always)]
    pub(super) fn interpret<const RECORDS: bool>(
        &mut self,
        program: &Decoded,
        (step, slot): (u64, usize),
        own: &mut [Outlet],
        limits: Limits,
        scratch: &mut Scratch,
    ) -> Result<u32, Fault> {
        let mut execution = Execution::<RECORDS>::new(self, program, step, slot, own, limits, scratch);
        match execution.run() {
            Ok(()) => Ok(execution.finish()),
            Err(kind) => {
                let address = execution.pc.min(program.code.len() - 1);
                let instruction = program.code[address].instruction();
                Err(Fault {
                    step,
                    block: self.number,
                    core: self.core,
                    address: address as u32,
                    instruction: instruction.map_or("?".into(), |instruction| instruction.to_string()),
                    kind,
                    reached: Vec::new(),
                })
            }
        }
    }
}

impl<const RECORDS: bool> Execution<'_, RECORDS> {
    /// Executes instructions until one ends the step.
    #[inline(always)]
    fn run(&mut self) -> Result<(), FaultKind> {
        loop {
            let Some(code) = self.program.code.get(self.pc) else { return Err(FaultKind::NoInstruction) };
            if code.ends_loop && self.loops_back() {
                // Fetch from the start of the body.
                continue;
            }
            let Some((class, instruction)) = code.operation else { return Err(FaultKind::NoInstruction) };
            if self.cycles > ENDLESS {
                return Err(FaultKind::Endless);
            }
            match class {
                ClassedOp::Scalar(_) => {
                    self.run_scalars(code)?;
                    continue;
                }
                ClassedOp::Vector(op) => {
                    self.issue(code);
                    self.execute_vector(op, instruction)?;
                }
                ClassedOp::Send(op) => {
                    self.issue(code);
                    self.execute_send(op, instruction)?;
                }
                ClassedOp::Control(op) => {
                    self.issue(code);
                    match self.execute_control(op, instruction)? {
                        Flow::Next => {}
                        Flow::Jump => continue,
                        Flow::End => return Ok(()),
                    }
                }
            }
            self.pc += 1;
        }
    }

    /// Counts an instruction and its cycles.
    #[inline(always)]
    fn issue(&mut self, code: &Code) {
        let cost = code.cost;
        let cycles = cost.fixed + cost.beats * self.beats + cost.elements * (self.v.length as u32).max(1);
        self.cycles += cycles;
        let counts = self.counts();
        counts.executed += 1;
        counts.cycles += u64::from(cycles);
        let (program, at, length) = (self.program, self.pc, self.v.length);
        self.note(|lanes| lanes.issue(program, at, length));
    }

    /// Executes the scalar instructions that follow each other here, up to the next of another kind, at once. A run that is
    /// executed as a whole is counted once ([`Decoded::with_scalars`]).
    #[inline(always)]
    fn run_scalars(&mut self, code: &Code) -> Result<(), FaultKind> {
        // A step that becomes endless does so at an instruction, not at a run of them.
        let whole = self.cycles + code.scalar_cycles <= ENDLESS;
        let (count, cycles) = if whole { (code.scalars, code.scalar_cycles) } else { (1, code.cost.fixed) };
        self.cycles += cycles;
        self.note(|lanes| lanes.scalars(cycles));
        let (program, first) = (self.program, self.pc);
        for code in &program.code[first..first + usize::from(count)] {
            if let Some((ClassedOp::Scalar(op), instruction)) = code.operation
                && let Err(fault) = self.execute_scalar(op, instruction)
            {
                self.count_scalars(first..self.pc + 1);
                return Err(fault);
            }
            self.pc += 1;
        }
        match whole {
            true => self.block.tally.now.addresses[first].cycles += 1,
            false => self.count_scalars(first..self.pc),
        }
        Ok(())
    }

    /// Counts scalar instructions that are no whole run.
    #[cold]
    fn count_scalars(&mut self, instructions: Range<usize>) {
        self.block.tally.now.addresses[instructions].iter_mut().for_each(|counts| counts.executed += 1);
    }

    /// Executes an instruction on scalar registers, or on an element of memory.
    #[inline(always)]
    fn execute_scalar(&mut self, op: ScalarOp, instruction: Instruction) -> Result<(), FaultKind> {
        let Instruction { d, a, b, imm, .. } = instruction;
        let (ra, rb) = (self.r[usize::from(a & 15)], self.r[usize::from(b & 15)]);
        let rd = self.r[usize::from(d & 15)];
        match op {
            ScalarOp::Special => {
                // Decoding knows of no others.
                let register = Special::from_number(imm).ok_or(FaultKind::NoInstruction)?;
                self.set(d, self.special(register));
            }
            ScalarOp::Setvl => self.set_length(i64::from(ra) + i64::from(imm))?,
            ScalarOp::Setrow => self.set_row(i64::from(ra) + i64::from(imm))?,
            ScalarOp::Add => self.set_saturated(d, element::add(ra, rb)),
            ScalarOp::Sub => self.set_saturated(d, element::sub(ra, rb)),
            ScalarOp::Mul => self.set_saturated(d, element::mul(ra, rb)),
            ScalarOp::And => self.set(d, ra & rb),
            ScalarOp::Or => self.set(d, ra | rb),
            ScalarOp::Xor => self.set(d, ra ^ rb),
            ScalarOp::Shr => self.set_saturated(d, element::shift(ra, rb)),
            ScalarOp::Min => self.set(d, ra.min(rb)),
            ScalarOp::Max => self.set(d, ra.max(rb)),
            ScalarOp::Addi => self.set_saturated(d, element::add(ra, imm)),
            ScalarOp::Shri => self.set_saturated(d, element::shift(ra, imm)),
            ScalarOp::Andi => self.set(d, ra & imm),
            ScalarOp::Ori => self.set(d, ra | imm),
            ScalarOp::Lui => self.set(d, ((imm as u32) << 16) as i32),
            ScalarOp::Ld => {
                let value = self.load_one(&instruction, i64::from(ra) + i64::from(imm))?;
                self.set(d, value);
            }
            ScalarOp::St => self.store_one(&instruction, i64::from(ra) + i64::from(imm), rd)?,
            ScalarOp::Addm => self.add_to_memory(&instruction, i64::from(ra) + i64::from(imm), rd)?,
        }
        Ok(())
    }

    /// Executes an instruction of the sequencer.
    #[inline(always)]
    fn execute_control(&mut self, op: ControlOp, instruction: Instruction) -> Result<Flow, FaultKind> {
        let Instruction { d, a, imm, .. } = instruction;
        let (ra, rd) = (self.r[usize::from(a & 15)], self.r[usize::from(d & 15)]);
        match op {
            ControlOp::Nop => Ok(Flow::Next),
            ControlOp::Sleep => Ok(self.end(false)),
            ControlOp::Stay => Ok(self.end(true)),
            ControlOp::Jmp => self.branch(imm),
            ControlOp::Beq => self.branch_if(rd == ra, imm),
            ControlOp::Bne => self.branch_if(rd != ra, imm),
            ControlOp::Blt => self.branch_if(rd < ra, imm),
            ControlOp::Bge => self.branch_if(rd >= ra, imm),
            ControlOp::Loop => self.begin_loop(rd, imm),
            ControlOp::Foreach => self.begin_foreach(d, a, imm),
            ControlOp::Forset => self.begin_forset(d, a, imm),
        }
    }

    /// Executes an instruction on vectors or predicates.
    #[inline(always)]
    fn execute_vector(&mut self, op: VectorOp, instruction: Instruction) -> Result<(), FaultKind> {
        let Instruction { d, a, b, c, imm, .. } = instruction;
        let (ra, rb) = (self.r[usize::from(a & 15)], self.r[usize::from(b & 15)]);
        let rd = self.r[usize::from(d & 15)];
        match op {
            VectorOp::Vld => self.load(&instruction, i64::from(ra) + i64::from(imm), |_, value| (value, 0))?,
            VectorOp::Vldr => self.load(&instruction, self.row_address(ra, imm), |_, value| (value, 0))?,
            VectorOp::Vacc => self.load(&instruction, i64::from(ra) + i64::from(imm), element::add)?,
            VectorOp::Vaccr => self.load(&instruction, self.row_address(ra, imm), element::add)?,
            VectorOp::Vst => self.store(&instruction, i64::from(ra) + i64::from(imm))?,
            VectorOp::Vstr => self.store(&instruction, self.row_address(ra, imm))?,
            VectorOp::Vaddn16 => self.add_to_neurons(&instruction, Width::W16, rd, i64::from(ra) + i64::from(imm))?,
            VectorOp::Vaddn32 => self.add_to_neurons(&instruction, Width::W32, rd, i64::from(ra) + i64::from(imm))?,
            VectorOp::Vlds => self.load_strided(&instruction, ra)?,
            VectorOp::Vsts => self.store_strided(&instruction, ra)?,
            VectorOp::Vlut => self.look_up(&instruction, rb)?,
            VectorOp::Vadd => self.binary(d, a, b, element::add),
            VectorOp::Vsub => self.binary(d, a, b, element::sub),
            VectorOp::Vmul => self.binary(d, a, b, element::mul),
            VectorOp::Vmin => self.binary(d, a, b, |a, b| (a.min(b), 0)),
            VectorOp::Vmax => self.binary(d, a, b, |a, b| (a.max(b), 0)),
            VectorOp::Vmac => {
                let saturated = self.v.ternary(d, a, b, element::mac);
                self.count(saturated);
            }
            VectorOp::Vscale => self.binary(d, a, b, element::scale),
            VectorOp::Vscales => self.unary(d, a, |a| element::scale(a, rb)),
            VectorOp::Vadds => self.unary(d, a, |a| element::add(a, rb)),
            VectorOp::Vsubs => self.unary(d, a, |a| element::sub(a, rb)),
            VectorOp::Vmuls => self.unary(d, a, |a| element::mul(a, rb)),
            VectorOp::Vmins => self.unary(d, a, |a| (a.min(rb), 0)),
            VectorOp::Vmaxs => self.unary(d, a, |a| (a.max(rb), 0)),
            // What adds nothing leaves the vector as it is.
            VectorOp::Vmacs if rb == 0 => self.count(0),
            VectorOp::Vmacs => {
                let saturated = self.v.accumulate(d, a, |d, a| element::mac(d, a, rb));
                self.count(saturated);
            }
            VectorOp::Vshr => self.shift(Rounding::Down, d, a, rb),
            VectorOp::Vshrn => self.shift(Rounding::Nearest, d, a, rb),
            VectorOp::Vshrs => self.shift(Rounding::Stochastic, d, a, rb),
            VectorOp::Vmv => {
                self.count(0);
                self.v.write(d).fill(ra);
            }
            VectorOp::Vidx => {
                self.count(0);
                for (i, out) in self.v.write(d).iter_mut().enumerate() {
                    *out = i as i32;
                }
            }
            VectorOp::Vext => {
                let at = self.element(rb)?;
                let value = self.v.read(a)[at];
                self.set(d, value);
            }
            VectorOp::Vins => {
                let at = self.element(rb)?;
                self.v.write(d)[at] = ra;
            }
            VectorOp::Vcge => self.compare(d, a, b, |a, b| a >= b),
            VectorOp::Vclt => self.compare(d, a, b, |a, b| a < b),
            VectorOp::Vceq => self.compare(d, a, b, |a, b| a == b),
            VectorOp::Vcges => self.compare(d, a, a, |a, _| a >= rb),
            VectorOp::Vclts => self.compare(d, a, a, |a, _| a < rb),
            VectorOp::Vceqs => self.compare(d, a, a, |a, _| a == rb),
            VectorOp::Pand => self.v.combine(d, a, b, |a, b| a & b),
            VectorOp::Por => self.v.combine(d, a, b, |a, b| a | b),
            VectorOp::Pnot => self.v.invert(d, a),
            VectorOp::Pcount => {
                let count = self.v.masked(a).map(u64::count_ones).sum::<u32>();
                self.set(d, count as i32);
            }
            VectorOp::Vsel => self.select(d, a, b, c, |p, a, b| (if p { a } else { b }, 0)),
            VectorOp::Vsels => self.select(d, a, a, c, |p, a, _| (if p { a } else { rb }, 0)),
            VectorOp::Vaddp => self.select(d, a, a, c, |p, a, _| element::add(a, if p { rb } else { 0 })),
            VectorOp::Vsum => {
                self.count(0);
                let sum = self.v.read(a).iter().map(|&a| i64::from(a)).sum();
                self.set_saturated(d, element::clamp(sum));
            }
            VectorOp::Vrmax => {
                self.count(0);
                let max = self.v.read(a).iter().copied().max();
                self.set(d, max.unwrap_or(i32::MIN));
            }
            VectorOp::Vrmin => {
                self.count(0);
                let min = self.v.read(a).iter().copied().min();
                self.set(d, min.unwrap_or(i32::MAX));
            }
            VectorOp::Vimax => {
                self.count(0);
                let a = self.v.read(a);
                let max = a.iter().copied().max();
                let at = max.and_then(|max| a.iter().position(|&a| a == max));
                self.set(d, at.map_or(-1, |at| at as i32));
            }
            VectorOp::Vdot => {
                self.count(0);
                let dot = self.v.dot(a, b);
                self.set_saturated(d, element::clamp(dot));
            }
        }
        Ok(())
    }

    /// Executes an instruction that sends packets.
    #[inline(always)]
    fn execute_send(&mut self, op: SendOp, instruction: Instruction) -> Result<(), FaultKind> {
        let Instruction { d, a, b, imm, .. } = instruction;
        let (ra, rb) = (self.r[usize::from(a & 15)], self.r[usize::from(b & 15)]);
        let rd = self.r[usize::from(d & 15)];
        match op {
            SendOp::Spike => self.send_spikes(a, rd, imm),
            SendOp::Send => self.send(ra, rb, imm),
            SendOp::Vsend => self.send_graded(a, b, rd, imm),
        }
    }

    /// The element address of a row operand.
    #[inline(always)]
    fn row_address(&self, ra: i32, offset: i32) -> i64 {
        (i64::from(ra) + i64::from(offset)).saturating_mul(self.row)
    }
}
