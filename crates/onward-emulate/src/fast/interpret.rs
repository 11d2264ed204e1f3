//! The interpreter: fetch, count, execute.

use super::block::{Block, Limits, Scratch};
use super::decode::{Code, Decoded};
use super::execution::{Execution, Flow};
use super::outlet::Outlet;
use super::vector as element;
use crate::fault::{Fault, FaultKind};
use onward_isa::{Instruction, Op};

/// Cycles without a packet after which a step is endless (rule F10).
pub(super) const ENDLESS: u32 = 1 << 30;

impl Block {
    /// Runs from the entry to the end of the step. Returns the cycles since the last send.
    #[inline(always)]
    pub(super) fn interpret(
        &mut self,
        program: &Decoded,
        (step, slot): (u64, usize),
        own: &mut [Outlet],
        limits: Limits,
        scratch: &mut Scratch,
    ) -> Result<u32, Fault> {
        let mut execution = Execution::new(self, program, step, slot, own, limits, scratch);
        match execution.run() {
            Ok(()) => Ok(execution.finish()),
            Err(kind) => {
                let address = execution.pc.min(program.code.len() - 1);
                let instruction = program.code[address].instruction;
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

impl Execution<'_> {
    /// Executes instructions until one ends the step.
    #[inline(always)]
    fn run(&mut self) -> Result<(), FaultKind> {
        loop {
            let Some(code) = self.program.code.get(self.pc) else { return Err(FaultKind::NoInstruction) };
            if code.ends_loop && self.loops_back() {
                // Fetch from the start of the body.
                continue;
            }
            let Some(instruction) = code.instruction else { return Err(FaultKind::NoInstruction) };
            if self.cycles > ENDLESS {
                return Err(FaultKind::Endless);
            }
            if code.scalars > 0 {
                self.run_scalars(code)?;
                continue;
            }
            let cost = code.cost;
            self.cycles += cost.fixed + cost.beats * self.beats + cost.elements * (self.v.length as u32).max(1);
            self.block.counts[self.pc].executed += 1;
            match self.execute(instruction)? {
                Flow::Next => self.pc += 1,
                Flow::Jump => {}
                Flow::End => return Ok(()),
            }
        }
    }

    /// Executes the scalar instructions that follow each other here, up to the next of another kind, at once.
    #[inline(always)]
    fn run_scalars(&mut self, code: &Code) -> Result<(), FaultKind> {
        // A step that becomes endless does so at an instruction, not at a run of them.
        let whole = self.cycles + code.scalar_cycles <= ENDLESS;
        let (count, cycles) = if whole { (code.scalars, code.scalar_cycles) } else { (1, code.cost.fixed) };
        self.cycles += cycles;
        let program = self.program;
        for code in &program.code[self.pc..self.pc + usize::from(count)] {
            self.block.counts[self.pc].executed += 1;
            if let Some(instruction) = code.instruction {
                self.execute_scalar(instruction)?;
            }
            self.pc += 1;
        }
        Ok(())
    }

    /// Executes one of the instructions that [`Op::is_scalar`] names.
    #[inline(always)]
    fn execute_scalar(&mut self, instruction: Instruction) -> Result<(), FaultKind> {
        let Instruction { op, d, a, b, imm, .. } = instruction;
        let (ra, rb) = (self.r[usize::from(a & 15)], self.r[usize::from(b & 15)]);
        let rd = self.r[usize::from(d & 15)];
        match op {
            Op::Special => self.set(d, self.special(imm)),
            Op::Setvl => self.set_length(i64::from(ra) + i64::from(imm))?,
            Op::Setrow => self.set_row(i64::from(ra) + i64::from(imm))?,
            Op::Add => self.set_saturated(d, element::add(ra, rb)),
            Op::Sub => self.set_saturated(d, element::sub(ra, rb)),
            Op::Mul => self.set_saturated(d, element::mul(ra, rb)),
            Op::And => self.set(d, ra & rb),
            Op::Or => self.set(d, ra | rb),
            Op::Xor => self.set(d, ra ^ rb),
            Op::Shr => self.set_saturated(d, element::shift(ra, rb)),
            Op::Min => self.set(d, ra.min(rb)),
            Op::Max => self.set(d, ra.max(rb)),
            Op::Addi => self.set_saturated(d, element::add(ra, imm)),
            Op::Shri => self.set_saturated(d, element::shift(ra, imm)),
            Op::Andi => self.set(d, ra & imm),
            Op::Ori => self.set(d, ra | imm),
            Op::Lui => self.set(d, ((imm as u32) << 16) as i32),
            Op::Ld => {
                let value = self.load_one(&instruction, i64::from(ra) + i64::from(imm))?;
                self.set(d, value);
            }
            Op::St => self.store_one(&instruction, i64::from(ra) + i64::from(imm), rd)?,
            Op::Addm => self.add_to_memory(&instruction, i64::from(ra) + i64::from(imm), rd)?,
            _ => debug_assert!(false, "{op:?} is no scalar instruction"),
        }
        Ok(())
    }

    /// Executes one instruction that is none of those.
    #[inline(always)]
    fn execute(&mut self, instruction: Instruction) -> Result<Flow, FaultKind> {
        let Instruction { op, d, a, b, c, imm, .. } = instruction;
        let (ra, rb) = (self.r[usize::from(a & 15)], self.r[usize::from(b & 15)]);
        let rd = self.r[usize::from(d & 15)];
        match op {
            Op::Nop => {}
            Op::Sleep | Op::Stay => {
                self.block.awake = op == Op::Stay;
                return Ok(Flow::End);
            }
            Op::Jmp => return self.branch(imm),
            Op::Beq if rd == ra => return self.branch_taken(imm),
            Op::Bne if rd != ra => return self.branch_taken(imm),
            Op::Blt if rd < ra => return self.branch_taken(imm),
            Op::Bge if rd >= ra => return self.branch_taken(imm),
            Op::Beq | Op::Bne | Op::Blt | Op::Bge => {}
            Op::Loop | Op::Foreach | Op::Forset => return self.begin_loop(instruction),
            Op::Vld => self.load(&instruction, i64::from(ra) + i64::from(imm), |_, value| (value, 0))?,
            Op::Vldr => self.load(&instruction, self.row_address(ra, imm), |_, value| (value, 0))?,
            Op::Vacc => self.load(&instruction, i64::from(ra) + i64::from(imm), element::add)?,
            Op::Vaccr => self.load(&instruction, self.row_address(ra, imm), element::add)?,
            Op::Vst => self.store(&instruction, i64::from(ra) + i64::from(imm))?,
            Op::Vstr => self.store(&instruction, self.row_address(ra, imm))?,
            Op::Vaddn16 | Op::Vaddn32 => self.add_to_neurons(&instruction, rd, i64::from(ra) + i64::from(imm))?,
            Op::Vlds => self.load_strided(&instruction, ra)?,
            Op::Vsts => self.store_strided(&instruction, ra)?,
            Op::Vlut => self.look_up(&instruction, rb)?,
            Op::Vadd => self.binary(d, a, b, element::add),
            Op::Vsub => self.binary(d, a, b, element::sub),
            Op::Vmul => self.binary(d, a, b, element::mul),
            Op::Vmin => self.binary(d, a, b, |a, b| (a.min(b), 0)),
            Op::Vmax => self.binary(d, a, b, |a, b| (a.max(b), 0)),
            Op::Vmac => {
                let saturated = self.v.ternary(d, a, b, element::mac);
                self.count(saturated);
            }
            Op::Vscale => self.binary(d, a, b, element::scale),
            Op::Vscales => self.unary(d, a, |a| element::scale(a, rb)),
            Op::Vadds => self.unary(d, a, |a| element::add(a, rb)),
            Op::Vsubs => self.unary(d, a, |a| element::sub(a, rb)),
            Op::Vmuls => self.unary(d, a, |a| element::mul(a, rb)),
            Op::Vmins => self.unary(d, a, |a| (a.min(rb), 0)),
            Op::Vmaxs => self.unary(d, a, |a| (a.max(rb), 0)),
            // What adds nothing leaves the vector as it is.
            Op::Vmacs if rb == 0 => self.count(0),
            Op::Vmacs => {
                let saturated = self.v.accumulate(d, a, |d, a| element::mac(d, a, rb));
                self.count(saturated);
            }
            Op::Vshr | Op::Vshrn | Op::Vshrs => self.shift(op, d, a, rb.clamp(-31, 31)),
            Op::Vmv => {
                self.count(0);
                self.v.write(d).fill(ra);
            }
            Op::Vidx => {
                self.count(0);
                for (i, out) in self.v.write(d).iter_mut().enumerate() {
                    *out = i as i32;
                }
            }
            Op::Vext => {
                let at = self.element(rb)?;
                let value = self.v.read(a)[at];
                self.set(d, value);
            }
            Op::Vins => {
                let at = self.element(rb)?;
                self.v.write(d)[at] = ra;
            }
            Op::Vcge => self.compare(d, a, b, |a, b| a >= b),
            Op::Vclt => self.compare(d, a, b, |a, b| a < b),
            Op::Vceq => self.compare(d, a, b, |a, b| a == b),
            Op::Vcges => self.compare(d, a, a, |a, _| a >= rb),
            Op::Vclts => self.compare(d, a, a, |a, _| a < rb),
            Op::Vceqs => self.compare(d, a, a, |a, _| a == rb),
            Op::Pand => self.v.combine(d, a, b, |a, b| a & b),
            Op::Por => self.v.combine(d, a, b, |a, b| a | b),
            Op::Pnot => self.v.invert(d, a),
            Op::Pcount => {
                let count = self.v.masked(a).map(u64::count_ones).sum::<u32>();
                self.set(d, count as i32);
            }
            Op::Vsel => self.select(d, a, b, c, |p, a, b| (if p { a } else { b }, 0)),
            Op::Vsels => self.select(d, a, a, c, |p, a, _| (if p { a } else { rb }, 0)),
            Op::Vaddp => self.select(d, a, a, c, |p, a, _| element::add(a, if p { rb } else { 0 })),
            Op::Vsum => {
                self.count(0);
                let sum = self.v.read(a).iter().map(|&a| i64::from(a)).sum();
                self.set_saturated(d, element::clamp(sum));
            }
            Op::Vrmax => {
                self.count(0);
                let max = self.v.read(a).iter().copied().max();
                self.set(d, max.unwrap_or(i32::MIN));
            }
            Op::Vrmin => {
                self.count(0);
                let min = self.v.read(a).iter().copied().min();
                self.set(d, min.unwrap_or(i32::MAX));
            }
            Op::Vimax => {
                self.count(0);
                let a = self.v.read(a);
                let max = a.iter().copied().max();
                let at = max.and_then(|max| a.iter().position(|&a| a == max));
                self.set(d, at.map_or(-1, |at| at as i32));
            }
            Op::Vdot => {
                self.count(0);
                let dot = self.v.dot(a, b);
                self.set_saturated(d, element::clamp(dot));
            }
            Op::Spike => self.send_spikes(a, rd, imm)?,
            Op::Send => self.send(ra, rb, imm)?,
            Op::Vsend => self.send_graded(a, b, rd, imm)?,
            _ => debug_assert!(false, "{op:?} is a scalar instruction"),
        }
        Ok(Flow::Next)
    }

    /// The element address of a row operand.
    #[inline(always)]
    fn row_address(&self, ra: i32, offset: i32) -> i64 {
        (i64::from(ra) + i64::from(offset)).saturating_mul(self.row)
    }
}
