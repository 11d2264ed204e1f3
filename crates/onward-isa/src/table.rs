//! The instruction table, made at build time from `isa/instructions.toml`.

/// A 4-bit field of an instruction word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Bits 23..20.
    D,
    /// Bits 19..16.
    A,
    /// Bits 15..12.
    B,
    /// Bits 11..8.
    C,
}

/// What an operand is and where it sits in the word; see the head of `isa/instructions.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A scalar register, r0 to r15.
    Scalar(Field),
    /// A vector register, v0 to v7.
    Vector(Field),
    /// A predicate register, p0 to p3.
    Predicate(Field),
    /// A number from -32,768 to 32,767.
    Signed,
    /// A number from 0 to 65,535.
    Unsigned,
    /// A distance in instructions from this one, -32,768 to 32,767.
    Label,
    /// A special register.
    Special,
    /// A route of the block, 0 to 4,095.
    Route,
    /// An element of a memory: space, width, base register and an offset of -2,048 to 2,047 elements.
    Memory,
    /// As `Memory`, the address multiplied by the row length.
    Row,
    /// As `Memory`, with a stride register and an offset of -128 to 127 elements.
    Strided,
    /// A table in a memory: space, width and base register.
    Table,
    /// A scalar register in field d that may be left out: then it is r0.
    Base,
}

/// How long an instruction takes; the words of the table's `cycles` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cycles {
    /// 1.
    One,
    /// 2.
    Jump,
    /// 1, and 2 when taken.
    Branch,
    /// 2.
    Load,
    /// 2.
    Update,
    /// `max(1, beats)`, beats being `ceil(VL / lanes)`.
    Vector,
    /// `max(1, beats) * ceil(element width / port width a lane)`.
    VectorMemory,
    /// `max(1, VL)`.
    Element,
    /// `max(1, beats) + log2(lanes)`.
    Reduce,
    /// 1, and what the packets take.
    Send,
}

/// The figure of the technology file that an execution is charged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Energy {
    /// Only the fetch.
    None,
    /// A scalar operation.
    Scalar,
    /// A scalar multiplication.
    ScalarMultiply,
    /// An addition, comparison or shift an element.
    VectorAdd,
    /// A multiplication an element.
    VectorMultiply,
    /// A shift with a random draw an element.
    VectorRandom,
}

/// What an instruction does to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    None,
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Reads and writes.
    Update,
}

/// Which part of the core executes an instruction; the words of the table's `class` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The sequencer: the step's end, jumps, loops.
    Control,
    /// Scalar registers and at most one element of a memory; the next instruction follows.
    Scalar,
    /// Vector and predicate registers, and what goes between them and scalar ones.
    Vector,
    /// The send unit.
    Send,
}

/// What an instruction does with the register that an operand names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Reads it. All that is no register, or is a register within a memory operand, is read.
    Read,
    /// Writes it; of a vector the elements below VL.
    Write,
    /// Reads and writes it; or writes one element and keeps the others.
    Update,
}

/// A row of the instruction table.
#[derive(Debug)]
pub struct Description {
    /// The operation.
    pub op: Op,
    /// Bits 31..24 of its words.
    pub opcode: u8,
    /// What the assembler calls it.
    pub mnemonic: &'static str,
    /// Its operands in the assembler's order.
    pub operands: &'static [Operand],
    /// Their names in the table.
    pub operand_names: &'static [&'static str],
    /// What is done with each operand.
    pub operand_uses: &'static [Use],
    /// The bits of a word that operands use; all others below bit 24 are zero.
    pub operand_bits: u32,
    /// What executes it.
    pub class: Class,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What it does, in one line of notation.
    pub semantics: &'static str,
    /// How long it takes.
    pub cycles: Cycles,
    /// What it costs beside its fetch.
    pub energy: Energy,
    /// What it does to memory.
    pub access: Access,
    /// Width, in bits, of the elements of neuron memory that it reads and writes besides.
    pub updates: Option<u8>,
    /// A line of assembly.
    pub example: &'static str,
    /// The version of the instruction set it came with.
    pub since: u32,
}

/// A memory space.
#[derive(Debug)]
pub struct SpaceDescription {
    /// Its letter in assembly.
    pub letter: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The element widths it can be read with, in bits.
    pub widths: &'static [u8],
    /// Whether handlers may write to it.
    pub writable: bool,
}

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// For each opcode the index of its row, 0xff where there is none.
static ROW_OF_OPCODE: [u8; 256] = {
    let mut rows = [0xff; 256];
    let mut row = 0;
    while row < INSTRUCTIONS.len() {
        rows[INSTRUCTIONS[row].opcode as usize] = row as u8;
        row += 1;
    }
    rows
};

impl Description {
    /// Operands that must be written: all but a base register.
    pub fn least_operands(&self) -> usize {
        self.operands.len() - usize::from(self.operands.last() == Some(&Operand::Base))
    }

    /// Whether it is a loop: its label is no place to go to but the end of what it repeats.
    pub fn is_loop(&self) -> bool {
        self.operands.contains(&Operand::Label) && self.cycles == Cycles::One
    }
}

impl Op {
    /// The operation's row of the table.
    pub fn description(self) -> &'static Description {
        &INSTRUCTIONS[usize::from(ROW_OF_OPCODE[self as usize])]
    }

    /// Which part of the core executes it.
    #[inline]
    pub const fn class(self) -> Class {
        match self.classed() {
            ClassedOp::Control(_) => Class::Control,
            ClassedOp::Scalar(_) => Class::Scalar,
            ClassedOp::Vector(_) => Class::Vector,
            ClassedOp::Send(_) => Class::Send,
        }
    }

    /// Whether it works on scalar registers alone, or on an element of memory, and goes on to the next instruction.
    #[inline]
    pub const fn is_scalar(self) -> bool {
        matches!(self.classed(), ClassedOp::Scalar(_))
    }

    /// The operation with this opcode.
    pub fn from_opcode(opcode: u8) -> Option<Op> {
        INSTRUCTIONS.get(usize::from(ROW_OF_OPCODE[usize::from(opcode)])).map(|row| row.op)
    }

    /// The operation with this mnemonic.
    pub fn from_mnemonic(mnemonic: &str) -> Option<Op> {
        INSTRUCTIONS.iter().find(|row| row.mnemonic == mnemonic).map(|row| row.op)
    }
}

impl Special {
    /// Its name in assembly.
    pub fn name(self) -> &'static str {
        SPECIALS[self as usize].0
    }

    /// The special register of a number.
    pub fn from_number(number: i32) -> Option<Special> {
        Special::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// The kinds of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegisterKind {
    /// 32 bits, signed; r0 reads as 0.
    Scalar,
    /// VL elements of 32 bits, signed.
    Vector,
    /// A bit an element.
    Predicate,
}

impl RegisterKind {
    /// All kinds.
    pub const ALL: [RegisterKind; 3] = [RegisterKind::Scalar, RegisterKind::Vector, RegisterKind::Predicate];

    /// How many there are.
    pub const fn count(self) -> u8 {
        match self {
            RegisterKind::Scalar => 16,
            RegisterKind::Vector => 8,
            RegisterKind::Predicate => 4,
        }
    }

    /// The letter before the number.
    pub const fn letter(self) -> char {
        match self {
            RegisterKind::Scalar => 'r',
            RegisterKind::Vector => 'v',
            RegisterKind::Predicate => 'p',
        }
    }

    /// `scalar register` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            RegisterKind::Scalar => "scalar register",
            RegisterKind::Vector => "vector register",
            RegisterKind::Predicate => "predicate register",
        }
    }

    /// `r0 to r15` and so on.
    pub fn range(self) -> String {
        format!("{0}0 to {0}{1}", self.letter(), self.count() - 1)
    }

    /// The kind and number of a name that is a register's, even where there is no such number.
    pub fn parse(name: &str) -> Option<(RegisterKind, u32)> {
        let kind = RegisterKind::ALL.into_iter().find(|kind| name.starts_with(kind.letter()))?;
        let digits = &name[1..];
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| (kind, digits.parse().unwrap_or(u32::MAX)))
    }
}

impl Operand {
    /// The register an operand is, and its field.
    pub fn register(self) -> Option<(RegisterKind, Field)> {
        match self {
            Operand::Scalar(field) => Some((RegisterKind::Scalar, field)),
            Operand::Vector(field) => Some((RegisterKind::Vector, field)),
            Operand::Predicate(field) => Some((RegisterKind::Predicate, field)),
            Operand::Base => Some((RegisterKind::Scalar, Field::D)),
            _ => None,
        }
    }

    /// The least and the greatest number in an operand: of a memory operand, its offset.
    pub fn range(self) -> Option<(i32, i32)> {
        match self {
            Operand::Signed | Operand::Label => Some((-0x8000, 0x7fff)),
            Operand::Unsigned => Some((0, 0xffff)),
            Operand::Special => Some((0, SPECIALS.len() as i32 - 1)),
            Operand::Route => Some((0, 0xfff)),
            Operand::Memory | Operand::Row => Some((-0x800, 0x7ff)),
            Operand::Strided => Some((-0x80, 0x7f)),
            Operand::Table => Some((0, 0)),
            Operand::Scalar(_) | Operand::Vector(_) | Operand::Predicate(_) | Operand::Base => None,
        }
    }
}
