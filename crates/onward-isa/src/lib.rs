//! The instruction set: the table, words, text.
//!
//! `isa/instructions.toml` is the contract between compiler, emulator and hardware. At build time this crate makes its
//! tables from it ([`Op`], [`INSTRUCTIONS`]); from these come decoder and encoder ([`Instruction`]), assembler and
//! disassembler. Programs that write programs do so through
//! [`builder`], and [`lint`] looks for what no program should do; [`idiom`]
//! holds the loops that engines may run as one operation.
//!
//! ```
//! use onward_isa::{Instruction, Op, Space, Width};
//! let instruction = Instruction::decode(0x3501_afff).unwrap();
//! assert_eq!(instruction.to_string(), "vaccr v0, s16[row r1-1]");
//! assert_eq!((instruction.op, instruction.space, instruction.width), (Op::Vaccr, Space::Synapse, Width::W16));
//! assert_eq!(instruction.encode(), Ok(0x3501_afff));
//! ```

mod assembler;
pub mod builder;
mod disassembler;
pub mod idiom;
mod instruction;
pub mod lint;
mod manual;
pub mod random;
mod table;

pub use assembler::{AssemblyErrors, Data, Program, assemble, assemble_with, read_below, read_relative};
pub use disassembler::disassemble;
pub use instruction::{DecodeError, EncodeError, Instruction, Space, Width};
pub use manual::{manual, manual_entry};
pub use table::{
    Access, Class, ClassedOp, ControlOp, Cycles, Description, Energy, Field, INSTRUCTIONS, Op, Operand, RegisterKind,
    SPACES, SPECIALS, ScalarOp, SendOp, SpaceDescription, Special, Use, VectorOp,
};
