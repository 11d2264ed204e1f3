//! What is known of registers at a place in a program.

use super::leases::Lease;
use crate::{Class, Cycles, Instruction, Op, Operand, RegisterKind, Use};

/// Registers of all kinds, VL and ROW.
const SLOTS: usize = 30;

/// A register, or VL, or ROW.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Slot(u8);

impl Slot {
    pub const LENGTH: Slot = Slot(28);
    pub const ROW: Slot = Slot(29);

    /// The slot of a register; r0 is none.
    pub fn new(kind: RegisterKind, number: u8) -> Option<Slot> {
        match kind {
            RegisterKind::Scalar => (number > 0).then_some(Slot(number)),
            RegisterKind::Vector => Some(Slot(16 + number)),
            RegisterKind::Predicate => Some(Slot(24 + number)),
        }
    }

    pub fn register(self) -> Option<(RegisterKind, u8)> {
        match self.0 {
            number @ 0..16 => Some((RegisterKind::Scalar, number)),
            number @ 16..24 => Some((RegisterKind::Vector, number - 16)),
            number @ 24..28 => Some((RegisterKind::Predicate, number - 24)),
            _ => None,
        }
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    pub fn bit(self) -> u32 {
        1 << self.0
    }
}

/// Whether what an instruction does depends on VL.
fn reads_length(instruction: &Instruction) -> bool {
    let description = instruction.op.description();
    match description.class {
        Class::Send => instruction.op != Op::Send,
        Class::Vector => description.cycles != Cycles::One || !matches!(instruction.op, Op::Pand | Op::Por),
        Class::Control | Class::Scalar => false,
    }
}

/// What an instruction reads.
pub(super) fn reads(instruction: &Instruction) -> Vec<Slot> {
    let used = instruction.registers().filter(|&(.., used)| used != Use::Write);
    let mut slots: Vec<Slot> = used.filter_map(|(kind, number, _)| Slot::new(kind, number)).collect();
    slots.extend(reads_length(instruction).then_some(Slot::LENGTH));
    slots.extend(instruction.op.description().operands.contains(&Operand::Row).then_some(Slot::ROW));
    slots
}

/// What an instruction writes.
pub(super) fn writes(instruction: &Instruction) -> Vec<Slot> {
    let used = instruction.registers().filter(|&(.., used)| used != Use::Read);
    let mut slots: Vec<Slot> = used.filter_map(|(kind, number, _)| Slot::new(kind, number)).collect();
    slots.extend((instruction.op == Op::Setvl).then_some(Slot::LENGTH));
    slots.extend((instruction.op == Op::Setrow).then_some(Slot::ROW));
    slots
}

/// Who may have written a register, on the ways to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// On some way, nobody.
    pub unwritten: bool,
    /// Somebody who has, and somebody else; of three and more, two are told.
    writers: [Option<Lease>; 2],
}

impl Who {
    const NOBODY: Who = Who { unwritten: true, writers: [None; 2] };

    /// Whether nobody has, on any way.
    pub fn is_nobody(&self) -> bool {
        self.writers == [None; 2]
    }

    /// Somebody who may have written it and is not this one.
    pub fn other_than(&self, lease: Lease) -> Option<Lease> {
        self.writers.into_iter().flatten().find(|&other| other != lease)
    }

    fn join(&mut self, other: Who) {
        self.unwritten |= other.unwritten;
        for writer in other.writers.into_iter().flatten() {
            if !self.writers.contains(&Some(writer))
                && let Some(free) = self.writers.iter_mut().find(|writer| writer.is_none())
            {
                *free = Some(writer);
            }
        }
    }
}

/// What is known of all registers at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registers {
    who: [Who; SLOTS],
    /// The values of scalar registers that are the same whenever the place is reached.
    known: [Option<i32>; 16],
}

impl Registers {
    /// As dispatch leaves them.
    pub fn at_dispatch() -> Registers {
        let mut known = [None; 16];
        known[0] = Some(0);
        Registers { who: [Who::NOBODY; SLOTS], known }
    }

    pub fn who(&self, slot: Slot) -> Who {
        self.who[slot.index()]
    }

    /// A scalar register's value.
    pub fn known(&self, number: u8) -> Option<i32> {
        self.known[usize::from(number)]
    }

    /// Adds what is known by another way to the same place. Returns whether it changed anything.
    pub fn join(&mut self, other: &Registers) -> bool {
        let before = self.clone();
        for (who, other) in self.who.iter_mut().zip(other.who) {
            who.join(other);
        }
        for (known, other) in self.known.iter_mut().zip(other.known) {
            *known = known.filter(|_| *known == other);
        }
        *self != before
    }

    /// Somebody writes a register.
    pub fn write(&mut self, slot: Slot, writer: Lease) {
        self.who[slot.index()] = Who { unwritten: false, writers: [Some(writer), None] };
        if let Some((RegisterKind::Scalar, number)) = slot.register() {
            self.known[usize::from(number)] = None;
        }
    }

    /// Takes a value over that an instruction gives its register, where it is known before the program runs.
    pub fn learn(&mut self, instruction: &Instruction, before: &Registers) {
        let a = before.known(instruction.a);
        let value = match instruction.op {
            Op::Addi => a.map(|a| a.saturating_add(instruction.imm)),
            Op::Ori => a.map(|a| a | instruction.imm),
            Op::Lui => Some(((instruction.imm as u32) << 16) as i32),
            _ => return,
        };
        if instruction.d != 0 {
            self.known[usize::from(instruction.d)] = value;
        }
    }
}
