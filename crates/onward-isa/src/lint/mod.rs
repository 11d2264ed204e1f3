//! What no program should do, found without running it.
//!
//! [`check`] follows all ways through a program from its entries, with the loops that are under way as the machine keeps
//! them (`microarchitecture.md`, L1 to L10), and reports
//! - registers, VL and ROW that are read where nothing has written them. Dispatch sets them to 0 (E3), but a program that
//!   counts on that must say so: by [`zeroed`](crate::builder::Assembly::zeroed) and its like, or by [`Given::zero`];
//! - of a program from the builder, registers that hold another's value where they are read, and instructions that read
//!   or write other registers than they were written with;
//! - jumps and loops that lead out of the program, loops that overlap, that nest too deep, or that are jumped into;
//! - ways that do not end in `sleep` or `stay`;
//! - routes that the block does not have;
//! - as warnings, what is never reached and what is written but never read.
//!
//! ```
//! use onward_isa::builder::{Assembly, N32, ZERO};
//! use onward_isa::lint::{Given, check};
//!
//! let mut a = Assembly::new();
//! let (sum, ready) = (&a.named("sum"), &a.label("ready"));
//! a.beq(ZERO, sum, ready); // nothing has written it
//! a.addi(sum, ZERO, 1);
//! a.bind(ready);
//! a.st(sum, N32.at(ZERO, 0));
//! let listing = a.finish(); // and no end
//! let program = onward_isa::assemble(&onward_diagnostic::Source::new("example", listing.text.clone())).unwrap();
//! let problems = check(&program, &Given { entries: &[0], held: &listing.held, ..Given::default() });
//! let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
//! assert_eq!(text, [
//!     "line 2, word 0, `beq r0, r1, 2`: `sum` (r1) is read, but nothing has written it",
//!     "line 5, word 2, `st r1, n32[r0]`: the program runs on behind its last instruction",
//!     "line 5, word 2, `st r1, n32[r0]`: `sum` (r1) is read, but on some way here nothing has written it",
//! ]);
//! ```

mod flow;
mod leases;
mod registers;

use crate::builder::HeldRegister;
use crate::{Instruction, Op, Operand, Program, RegisterKind};
use flow::Flow;
use leases::Leases;
use registers::{Slot, Who};
use std::fmt;

/// What is known of a program beside its words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// Addresses at which blocks begin.
    pub entries: &'a [u32],
    /// Routes of the block (the least of all blocks), if that is known.
    pub routes: Option<u32>,
    /// What the builder says of registers; empty for a program that was written as text.
    pub held: &'a [HeldRegister],
    /// Registers whose 0 at dispatch is counted on, beside those that the builder says it of.
    pub zero: &'a [(RegisterKind, u8)],
}

/// Something that no program should do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The word.
    pub word: u32,
    /// Its line in the text, from 1, if that is known.
    pub line: Option<u32>,
    /// The instruction; `None` where the word is none.
    pub instruction: Option<String>,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with an instruction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    /// A word that is reached does not decode.
    #[error("this is no instruction")]
    NoInstruction,
    /// The next word is the one behind the last.
    #[error("the program runs on behind its last instruction")]
    RunsOff,
    /// A branch to an address that the program does not have.
    #[error("the target, {0}, is outside the program")]
    TargetOutside(i64),
    /// A loop that ends before its body, or outside the program.
    #[error("the loop's end, {0}, is not behind it or outside the program")]
    LoopEnd(i64),
    /// A loop that begins inside another one and ends behind it.
    #[error("the loop ends behind the one around it, which begins at {0}")]
    LoopsOverlap(u32),
    /// A fifth loop.
    #[error("the loop is the fifth under way")]
    LoopDepth,
    /// A loop's body is reached without its loop.
    #[error("this leads into the body of the loop at {0}, which is not under way")]
    IntoLoop(u32),
    /// No way from here ends.
    #[error("no way from here ends in `sleep` or `stay`")]
    NeverEnds,
    /// More ways through the program than are followed.
    #[error("there are too many ways through the program to follow them all")]
    TooManyWays,
    /// A register is read that nothing has written: on all ways, or on some.
    #[error("{register} is read, but {}nothing has written it", if *.always { "" } else { "on some way here " })]
    Unwritten {
        /// The register, by name if it has one.
        register: String,
        /// Whether on all ways.
        always: bool,
    },
    /// A register is read that another holder wrote.
    #[error("{register} is read, but on some way here holds what {holder} left in it")]
    Overwritten {
        /// The register, by name if it has one.
        register: String,
        /// Who wrote it.
        holder: String,
    },
    /// An instruction does with a register what the builder did not say.
    #[error("{register} is {}, but the builder did not write it so", if *.writes { "written" } else { "read" })]
    NotHeld {
        /// The register.
        register: String,
        /// Whether it is written.
        writes: bool,
    },
    /// The instruction does not do with a register what the builder said.
    #[error("{register} is not {}, but the builder wrote it so", if *.writes { "written" } else { "read" })]
    NotUsed {
        /// The register, by name if it has one.
        register: String,
        /// Whether it should be written.
        writes: bool,
    },
    /// A route that the block does not have.
    #[error("route {route} of a block with {routes}")]
    Route {
        /// The route.
        route: i32,
        /// How many there are.
        routes: u32,
    },
    /// Nothing leads here. A warning.
    #[error("nothing leads here")]
    Unreachable,
    /// A value is written that nothing reads. A warning.
    #[error("{register} is written, but nothing reads it")]
    NeverRead {
        /// The register, by name if it has one.
        register: String,
    },
}

impl Problem {
    /// Whether the program does what it should all the same.
    pub fn is_warning(&self) -> bool {
        matches!(self.reason, Reason::Unreachable | Reason::NeverRead { .. })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        write!(f, "word {}, ", self.word)?;
        if let Some(instruction) = &self.instruction {
            write!(f, "`{instruction}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// All that is found, by word; see the module's head.
pub fn check(program: &Program, given: &Given) -> Vec<Problem> {
    let code: Vec<Option<Instruction>> = program.words.iter().map(|&word| Instruction::decode(word).ok()).collect();
    let mut found: Vec<(u32, Reason)> = Vec::new();
    let leases = Leases::new(&code, given, &mut found);
    static_problems(&code, given, &mut found);
    let flow = Flow::new(&code, given, &leases, &mut found);
    read_problems(&code, &flow, &leases, &mut found);
    flow.never_ends(&mut found);
    flow.never_read(&leases, &mut found);
    for word in flow.unreached() {
        found.push((word, Reason::Unreachable));
    }
    let mut problems: Vec<Problem> = found
        .into_iter()
        .map(|(word, reason)| Problem {
            word,
            line: program.lines.get(word as usize).copied(),
            instruction: code.get(word as usize).copied().flatten().map(|instruction| instruction.to_string()),
            reason,
        })
        .collect();
    problems.sort();
    problems.dedup();
    problems
}

/// Where a loop ends, if that is behind it and in the program.
fn loop_end(code: &[Option<Instruction>], head: u32) -> Option<u32> {
    let instruction = code[head as usize].filter(|instruction| instruction.op.description().is_loop())?;
    let end = i64::from(head) + i64::from(instruction.imm);
    u32::try_from(end).ok().filter(|&end| end > head && end as usize <= code.len())
}

/// What an instruction shows by itself, or beside those around it.
fn static_problems(code: &[Option<Instruction>], given: &Given, found: &mut Vec<(u32, Reason)>) {
    let mut around: Vec<(u32, u32)> = Vec::new();
    for (at, instruction) in (0..).zip(code) {
        let Some(instruction) = instruction else { continue };
        let description = instruction.op.description();
        let target = i64::from(at) + i64::from(instruction.imm);
        if description.is_loop() {
            let Some(end) = loop_end(code, at) else {
                found.push((at, Reason::LoopEnd(target)));
                continue;
            };
            around.retain(|&(_, outer)| outer > at);
            if let Some(&(head, _)) = around.iter().find(|&&(_, outer)| end > outer) {
                found.push((at, Reason::LoopsOverlap(head)));
            }
            around.push((at, end));
        } else if description.operands.contains(&Operand::Label) && !(0..=code.len() as i64).contains(&target) {
            found.push((at, Reason::TargetOutside(target)));
        }
        if let Some(routes) = given.routes
            && matches!(instruction.op, Op::Spike | Op::Send | Op::Vsend)
            && instruction.imm as u32 >= routes
        {
            found.push((at, Reason::Route { route: instruction.imm, routes }));
        }
    }
}

/// Registers that are read, on some way, before they are written, or after another holder wrote them.
fn read_problems(code: &[Option<Instruction>], flow: &Flow, leases: &Leases, found: &mut Vec<(u32, Reason)>) {
    for state in flow.states() {
        let Some(instruction) = code.get(state.address() as usize).copied().flatten() else { continue };
        for slot in registers::reads(&instruction) {
            let lease = leases.reader(state.address(), slot);
            let who: Who = state.registers.who(slot);
            let register = || leases.name(lease, slot);
            if who.unwritten && !leases.begins_with_zero(lease, slot) {
                found.push((state.address(), Reason::Unwritten { register: register(), always: who.is_nobody() }));
            }
            if let Some(other) = lease.and_then(|lease| who.other_than(lease)) {
                let holder = leases.holder(other);
                found.push((state.address(), Reason::Overwritten { register: register(), holder }));
            }
        }
    }
}

impl Slot {
    /// The name of a register that nobody holds.
    fn plain(self) -> String {
        match self.register() {
            Some((kind, number)) => format!("{}{number}", kind.letter()),
            None if self == Slot::LENGTH => "VL".to_owned(),
            None => "ROW".to_owned(),
        }
    }
}
