//! The instruction set: table, encoding, assembler, disassembler
