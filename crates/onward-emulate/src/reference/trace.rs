//! The instruction trace: a line an instruction, stable enough to compare two runs by their text.
//!
//! ```text
//! step 3 core 0 block 0 cycle 17 @0024 vaccr v0, s16[row r1-1] | v0=[0 0 0 0 ..]#1b44 -> [5 -3 12 0 ..]#9ac1 r1=4 s16[192]=[5 -3 12 0 ..]#9ac1
//! ```
//!
//! Step, core, block, cycle of the block's own time (from its dispatch, what the network makes it wait left out), address,
//! instruction; then each operand with its value, and `->` with the new one if it changed. Of long vectors the first
//! elements are shown, and a hash of all.

use super::core::Running;
use onward_image::BlockIndex;
use onward_isa::{Field, Instruction, Op, Operand, RegisterKind, Space, Width};
use std::fmt::{self, Write};

/// Elements of a vector that are shown.
const SHOWN: usize = 4;

/// One executed instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// Step.
    pub step: u64,
    /// Core of the block.
    pub core: u32,
    /// Logical number of the block.
    pub block: BlockIndex,
    /// Cycles of the block's step before the instruction, its dispatch included, stalls left out.
    pub cycle: u64,
    /// Address.
    pub address: usize,
    /// The instruction.
    pub instruction: Instruction,
    /// Operands and results.
    pub values: String,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TraceLine { step, core, block, cycle, address, instruction, values } = self;
        write!(f, "step {step} core {core} block {block} cycle {cycle} @{address:04} {instruction}")?;
        if values.is_empty() { Ok(()) } else { write!(f, " | {values}") }
    }
}

/// An operand: its name, and where its value is.
struct Value {
    name: String,
    place: Place,
    before: String,
}

/// Where a value is.
enum Place {
    Scalar(u8),
    Vector(u8),
    Predicate(u8),
    /// Elements of a memory.
    Memory(Space, Width, Vec<usize>),
}

/// What an instruction is about to work on.
pub(super) struct Before {
    values: Vec<Value>,
    /// Sends of the step so far.
    sends: usize,
}

impl Running<'_> {
    /// The operands as they are before the instruction.
    pub(super) fn before(&self, instruction: &Instruction) -> Before {
        let mut places: Vec<(String, Place)> = Vec::new();
        for operand in instruction.op.description().operands {
            if let Some((kind, field)) = operand.register() {
                let number = instruction.register(field);
                let place = match kind {
                    RegisterKind::Scalar => Place::Scalar(number),
                    RegisterKind::Vector => Place::Vector(number),
                    RegisterKind::Predicate => Place::Predicate(number),
                };
                places.push((format!("{}{number}", kind.letter()), place));
            }
            let base = match operand {
                Operand::Memory | Operand::Row | Operand::Strided => Field::A,
                Operand::Table => Field::B,
                _ => continue,
            };
            let number = instruction.register(base);
            places.push((format!("r{number}"), Place::Scalar(number)));
            if *operand == Operand::Strided {
                places.push((format!("r{}", instruction.c), Place::Scalar(instruction.c)));
            }
            let elements = self.elements_of(instruction, *operand);
            if let Some(first) = elements.first() {
                let name = format!("{}{}[{first}]", instruction.space.letter(), instruction.width.bits());
                places.push((name, Place::Memory(instruction.space, instruction.width, elements)));
            }
        }
        let values = places.into_iter().map(|(name, place)| Value { name, before: self.show(&place), place });
        Before { values: values.collect(), sends: self.sends.len() }
    }

    /// The elements of a memory operand, if all lie in their memory; else none.
    fn elements_of(&self, instruction: &Instruction, operand: Operand) -> Vec<usize> {
        let scalar = |register: u8| i128::from(self.r[usize::from(register)]);
        let base = scalar(instruction.a) + i128::from(instruction.imm);
        let count = if matches!(instruction.op, Op::Ld | Op::St | Op::Addm) { 1 } else { self.length };
        let address = |i: usize| match operand {
            Operand::Row => base * i128::from(self.row) + i as i128,
            Operand::Strided => base + i as i128 * scalar(instruction.c),
            Operand::Table => {
                let last = scalar(instruction.c).max(1) - 1;
                scalar(instruction.b) + i128::from(self.v[usize::from(instruction.a)][i]).clamp(0, last)
            }
            _ => base + i as i128,
        };
        let elements: Result<Vec<usize>, _> = (0..count).map(|i| self.bounds(instruction, address(i), 1)).collect();
        elements.unwrap_or_default()
    }

    /// Operands and results after the instruction.
    pub(super) fn after(&self, before: Before) -> String {
        let mut text = String::new();
        for Value { name, place, before } in before.values {
            let after = self.show(&place);
            let space = if text.is_empty() { "" } else { " " };
            write!(text, "{space}{name}={before}").expect("writing to memory");
            if after != before {
                write!(text, " -> {after}").expect("writing to memory");
            }
        }
        for send in self.sends.iter().skip(before.sends) {
            write!(text, " -> {} packets", send.packets.len()).expect("writing to memory");
        }
        text
    }

    fn show(&self, place: &Place) -> String {
        let shown = if self.block.shows_whole { usize::MAX } else { SHOWN };
        match *place {
            Place::Scalar(number) => self.r[usize::from(number)].to_string(),
            Place::Vector(number) => show_elements(self.v[usize::from(number)][..self.length].iter().copied(), shown),
            Place::Predicate(number) => {
                let bits = &self.p[usize::from(number)];
                let set = bits.iter().enumerate().filter(|(_, bit)| **bit).map(|(at, _)| at as i32);
                show_elements(set, shown)
            }
            Place::Memory(space, width, ref elements) => {
                show_elements(elements.iter().map(|&at| self.read(space, width, at)), shown)
            }
        }
    }
}

/// The first elements, so many, and a hash of all if there are more.
fn show_elements(elements: impl Iterator<Item = i32>, shown: usize) -> String {
    let mut text = String::from("[");
    let mut count = 0;
    // FNV-1a (Fowler, Noll, Vo), word by word.
    let mut hash = 0x811c_9dc5_u32;
    for element in elements {
        if count < shown {
            let space = if count == 0 { "" } else { " " };
            write!(text, "{space}{element}").expect("writing to memory");
        }
        hash = (hash ^ element as u32).wrapping_mul(0x0100_0193);
        hash ^= hash >> 16;
        count += 1;
    }
    if count > shown {
        write!(text, " ..]#{:04x}", hash & 0xffff).expect("writing to memory");
    } else {
        text.push(']');
    }
    text
}
