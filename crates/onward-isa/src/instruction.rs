//! Instructions, their 32-bit words and their text.

use crate::table::{Access, Description, Field, Op, Operand, RegisterKind, SPACES, SPECIALS, Use};
use std::fmt;

/// A memory a handler can address; numbers as in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// Neuron memory: membranes, biases, counts, targets, parameters.
    #[default]
    Neuron = 0,
    /// Axon memory: traces.
    Axon = 1,
    /// Synapse memory: rows of weights.
    Synapse = 2,
    /// Payloads of the active set, read-only; an inactive axon reads as 0.
    Event = 3,
}

/// The width of an element in memory. Elements are signed and stored little-endian, 4-bit ones low nibble first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Width {
    /// 4 bits.
    #[default]
    W4 = 0,
    /// 8 bits.
    W8 = 1,
    /// 16 bits.
    W16 = 2,
    /// 32 bits.
    W32 = 3,
}

/// One instruction. Fields that its operation does not use are zero (or the enum's default).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// The operation.
    pub op: Op,
    /// Register in field d.
    pub d: u8,
    /// Register in field a.
    pub a: u8,
    /// Register in field b.
    pub b: u8,
    /// Register in field c.
    pub c: u8,
    /// Number, distance, route, special register or element offset.
    pub imm: i32,
    /// Memory space of a memory operand.
    pub space: Space,
    /// Element width of a memory operand.
    pub width: Width,
}

/// Why a word is not an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No instruction has this opcode.
    #[error("word {0:#010x}: no instruction has the opcode {1:#04x}")]
    Opcode(u32, u8),
    /// Bits are set that no operand uses.
    #[error("word {0:#010x}: `{1}` leaves bits unused that are set here")]
    UnusedBits(u32, &'static str),
    /// A field holds what its operand cannot be.
    #[error("word {0:#010x}: {2} is no operand of `{1}`")]
    Operand(u32, &'static str, &'static str),
}

/// Why an instruction has no word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{mnemonic}`: {what} is {found}, allowed is {allowed}")]
pub struct EncodeError {
    /// The instruction.
    pub mnemonic: &'static str,
    /// The operand.
    pub what: &'static str,
    /// Its value.
    pub found: String,
    /// The values it may have.
    pub allowed: String,
}

impl Space {
    /// All spaces by number.
    pub const ALL: [Space; 4] = [Space::Neuron, Space::Axon, Space::Synapse, Space::Event];

    /// The letter that stands for the space in assembly.
    pub fn letter(self) -> &'static str {
        SPACES[self as usize].letter
    }

    /// The space's name.
    pub fn name(self) -> &'static str {
        SPACES[self as usize].name
    }

    /// Whether its elements can have this width.
    pub fn has(self, width: Width) -> bool {
        SPACES[self as usize].widths.contains(&(width.bits() as u8))
    }

    /// Whether handlers may write to it.
    pub fn is_writable(self) -> bool {
        SPACES[self as usize].writable
    }
}

impl Width {
    /// All widths by number.
    pub const ALL: [Width; 4] = [Width::W4, Width::W8, Width::W16, Width::W32];

    /// Bits of an element.
    pub fn bits(self) -> u32 {
        4 << self as u32
    }

    /// The width of so many bits.
    pub fn from_bits(bits: u32) -> Option<Width> {
        Width::ALL.into_iter().find(|width| width.bits() == bits)
    }

    /// The least and the greatest value of an element.
    pub fn range(self) -> (i32, i32) {
        let max = i32::MAX >> (32 - self.bits());
        (-max - 1, max)
    }

    /// Writes an element of this width as it lies in memory: little-endian, the low nibble of a byte first. `at` counts
    /// elements from the beginning of `memory`; of `value` the low bits count, and the rest is dropped.
    ///
    /// # Panics
    /// If the element lies beyond the end of `memory`.
    pub fn put(self, memory: &mut [u8], at: usize, value: i64) {
        match self {
            Width::W4 => {
                let shift = 4 * (at % 2);
                memory[at / 2] = memory[at / 2] & !(15 << shift) | (value as u8 & 15) << shift;
            }
            _ => {
                let size = self.bits() as usize / 8;
                memory[at * size..][..size].copy_from_slice(&value.to_le_bytes()[..size]);
            }
        }
    }
}

impl Description {
    /// Whether its memory operand may be elements of this width in this memory.
    pub fn takes(&self, space: Space, width: Width) -> bool {
        let writes = matches!(self.access, Access::Write | Access::Update);
        // Neuron memory is read and written already, and gives a word a cycle.
        let is_free = self.updates.is_none() || matches!(space, Space::Axon | Space::Synapse);
        space.has(width) && (!writes || space.is_writable()) && is_free
    }
}

impl Field {
    /// The field's lowest bit.
    pub(crate) fn shift(self) -> u32 {
        match self {
            Field::D => 20,
            Field::A => 16,
            Field::B => 12,
            Field::C => 8,
        }
    }
}

fn sign_extend(word: u32, bits: u32) -> i32 {
    (word << (32 - bits)) as i32 >> (32 - bits)
}

impl Instruction {
    /// An instruction with all operands zero.
    pub fn new(op: Op) -> Self {
        Instruction { op, d: 0, a: 0, b: 0, c: 0, imm: 0, space: Space::default(), width: Width::default() }
    }

    /// The register in a field.
    pub fn register(&self, field: Field) -> u8 {
        match field {
            Field::D => self.d,
            Field::A => self.a,
            Field::B => self.b,
            Field::C => self.c,
        }
    }

    /// Sets the register in a field.
    pub fn set_register(&mut self, field: Field, number: u8) {
        match field {
            Field::D => self.d = number,
            Field::A => self.a = number,
            Field::B => self.b = number,
            Field::C => self.c = number,
        }
    }

    /// The registers it names, with what it does with each, in the order of its operands. r0 is among them.
    pub fn registers(&self) -> impl Iterator<Item = (RegisterKind, u8, Use)> + use<> {
        let this = *self;
        let description = self.op.description();
        description.operands.iter().zip(description.operand_uses).flat_map(move |(operand, &used)| {
            let address = |field| Some((RegisterKind::Scalar, this.register(field), Use::Read));
            let registers = match *operand {
                Operand::Memory | Operand::Row => [address(Field::A), None],
                Operand::Strided => [address(Field::A), address(Field::C)],
                Operand::Table => [address(Field::B), None],
                other => [other.register().map(|(kind, field)| (kind, this.register(field), used)), None],
            };
            registers.into_iter().flatten()
        })
    }

    /// The instruction's word.
    ///
    /// # Errors
    /// An operand is outside its range, or is set though the operation has no such operand.
    pub fn encode(&self) -> Result<u32, EncodeError> {
        let description = self.op.description();
        let error = |what, found: &dyn fmt::Display, allowed: &str| EncodeError {
            mnemonic: description.mnemonic,
            what,
            found: found.to_string(),
            allowed: allowed.to_owned(),
        };
        let number = |operand: Operand, what, bits: u32| {
            let (min, max) = operand.range().unwrap_or((0, 0));
            if self.imm < min || self.imm > max {
                return Err(error(what, &self.imm, &format!("{min} to {max}")));
            }
            Ok(self.imm as u32 & ((1 << bits) - 1))
        };
        let mut word = u32::from(description.opcode) << 24;
        for operand in description.operands {
            let (kind, field) = match *operand {
                Operand::Scalar(field) => (RegisterKind::Scalar, field),
                Operand::Vector(field) => (RegisterKind::Vector, field),
                Operand::Predicate(field) => (RegisterKind::Predicate, field),
                Operand::Base => (RegisterKind::Scalar, Field::D),
                Operand::Signed | Operand::Unsigned => {
                    word |= number(*operand, "the number", 16)?;
                    continue;
                }
                Operand::Label => {
                    word |= number(*operand, "the distance to the label", 16)?;
                    continue;
                }
                Operand::Special => {
                    word |= number(*operand, "the special register's number", 16)?;
                    continue;
                }
                Operand::Route => {
                    word |= number(*operand, "the route", 12)?;
                    continue;
                }
                Operand::Memory | Operand::Row => {
                    word |= self.memory_bits(&error)? << 12;
                    word |= number(*operand, "the offset", 12)?;
                    (RegisterKind::Scalar, Field::A)
                }
                Operand::Strided => {
                    word |= self.memory_bits(&error)? << 12;
                    word |= number(*operand, "the offset", 8)?;
                    if self.c >= RegisterKind::Scalar.count() {
                        return Err(error("the stride register", &self.c, &RegisterKind::Scalar.range()));
                    }
                    word |= u32::from(self.c) << Field::C.shift();
                    (RegisterKind::Scalar, Field::A)
                }
                Operand::Table => {
                    word |= self.memory_bits(&error)? << 4;
                    (RegisterKind::Scalar, Field::B)
                }
            };
            let register = self.register(field);
            if register >= kind.count() {
                return Err(error("a register's number", &register, &format!("0 to {}", kind.count() - 1)));
            }
            word |= u32::from(register) << field.shift();
        }
        match Instruction::decode(word) {
            Ok(same) if same == *self => Ok(word),
            _ => Err(error("an operand it does not have", &"set", "unset")),
        }
    }

    fn memory_bits(
        &self,
        error: &dyn Fn(&'static str, &dyn fmt::Display, &str) -> EncodeError,
    ) -> Result<u32, EncodeError> {
        if !self.has_valid_memory() {
            let what = format!("{}{}", self.space.letter(), self.width.bits());
            return Err(error(
                "the memory operand",
                &what,
                "n8 n16 n32 a8 a16 a32 s4 s8 s16 s32, and e32 to read; of `vaddn16` and `vaddn32` a and s alone",
            ));
        }
        Ok((self.space as u32) << 2 | self.width as u32)
    }

    fn has_valid_memory(&self) -> bool {
        self.op.description().takes(self.space, self.width)
    }

    /// The instruction a word stands for. Every word decodes or is rejected; what decodes encodes to the same word.
    ///
    /// # Errors
    /// The word is no instruction.
    pub fn decode(word: u32) -> Result<Self, DecodeError> {
        let opcode = (word >> 24) as u8;
        let op = Op::from_opcode(opcode).ok_or(DecodeError::Opcode(word, opcode))?;
        let description = op.description();
        if word & 0xff_ffff & !description.operand_bits != 0 {
            return Err(DecodeError::UnusedBits(word, description.mnemonic));
        }
        let mut instruction = Instruction::new(op);
        let field = |field: Field| (word >> field.shift()) as u8 & 15;
        for operand in description.operands {
            let register = |at: Field, kind: RegisterKind| {
                let number = field(at);
                if number < kind.count() {
                    Ok(number)
                } else {
                    Err(DecodeError::Operand(word, description.mnemonic, "a register"))
                }
            };
            let memory = |instruction: &mut Instruction, bits: u32| {
                instruction.space = Space::ALL[(bits >> 2 & 3) as usize];
                instruction.width = Width::ALL[(bits & 3) as usize];
                if instruction.has_valid_memory() {
                    Ok(())
                } else {
                    Err(DecodeError::Operand(word, description.mnemonic, "a memory"))
                }
            };
            match *operand {
                Operand::Scalar(at) => instruction.set_register(at, register(at, RegisterKind::Scalar)?),
                Operand::Vector(at) => instruction.set_register(at, register(at, RegisterKind::Vector)?),
                Operand::Predicate(at) => instruction.set_register(at, register(at, RegisterKind::Predicate)?),
                Operand::Base => instruction.d = field(Field::D),
                Operand::Signed | Operand::Label => instruction.imm = sign_extend(word, 16),
                Operand::Unsigned => instruction.imm = (word & 0xffff) as i32,
                Operand::Special => {
                    instruction.imm = (word & 0xffff) as i32;
                    if instruction.imm as usize >= SPECIALS.len() {
                        return Err(DecodeError::Operand(word, description.mnemonic, "a special register"));
                    }
                }
                Operand::Route => instruction.imm = (word & 0xfff) as i32,
                Operand::Memory | Operand::Row => {
                    instruction.a = field(Field::A);
                    memory(&mut instruction, word >> 12)?;
                    instruction.imm = sign_extend(word, 12);
                }
                Operand::Strided => {
                    instruction.a = field(Field::A);
                    instruction.c = field(Field::C);
                    memory(&mut instruction, word >> 12)?;
                    instruction.imm = sign_extend(word, 8);
                }
                Operand::Table => {
                    instruction.b = field(Field::B);
                    memory(&mut instruction, word >> 4)?;
                }
            }
        }
        Ok(instruction)
    }
}

/// The instruction as the assembler reads it; a label is the signed distance in instructions.
impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &|f, distance| write!(f, "{distance}"))
    }
}

impl Instruction {
    /// Writes the instruction, its label by `label`.
    pub(crate) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        label: &dyn Fn(&mut fmt::Formatter<'_>, i32) -> fmt::Result,
    ) -> fmt::Result {
        let description = self.op.description();
        f.write_str(description.mnemonic)?;
        let memory = format!("{}{}", self.space.letter(), self.width.bits());
        let offset = if self.imm == 0 { String::new() } else { format!("{:+}", self.imm) };
        for (at, operand) in description.operands.iter().enumerate() {
            if *operand == Operand::Base && self.d == 0 {
                continue;
            }
            f.write_str(if at == 0 { " " } else { ", " })?;
            match *operand {
                Operand::Scalar(at) => write!(f, "r{}", self.register(at))?,
                Operand::Base => write!(f, "r{}", self.d)?,
                Operand::Vector(at) => write!(f, "v{}", self.register(at))?,
                Operand::Predicate(at) => write!(f, "p{}", self.register(at))?,
                Operand::Signed | Operand::Unsigned | Operand::Route => write!(f, "{}", self.imm)?,
                Operand::Label => label(f, self.imm)?,
                Operand::Special => f.write_str(SPECIALS.get(self.imm as usize).map_or("?", |(name, _)| name))?,
                Operand::Memory => write!(f, "{memory}[r{}{offset}]", self.a)?,
                Operand::Row => write!(f, "{memory}[row r{}{offset}]", self.a)?,
                Operand::Strided => write!(f, "{memory}[r{}{offset} : r{}]", self.a, self.c)?,
                Operand::Table => write!(f, "{memory}[r{}]", self.b)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_put_little_endian_and_the_low_nibble_first() {
        let mut memory = [0xff; 8];
        Width::W4.put(&mut memory, 1, 0x123);
        Width::W4.put(&mut memory, 2, -8);
        assert_eq!(memory[..2], [0x3f, 0xf8]);
        Width::W8.put(&mut memory, 1, -2);
        Width::W16.put(&mut memory, 1, 0x1234);
        Width::W32.put(&mut memory, 1, -3);
        assert_eq!(memory, [0x3f, 0xfe, 0x34, 0x12, 0xfd, 0xff, 0xff, 0xff]);
    }
}
