//! Random programs: valid instructions that mostly stay inside their memories and always end.

use onward_isa::{Cycles, Field, INSTRUCTIONS, Instruction, Op, Operand, RegisterKind, Space, Width};
use proptest::prelude::*;

/// Random numbers that become an instruction, or a few.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    pub row: u16,
    pub registers: [u8; 4],
    pub number: i32,
    pub memory: (u8, u8),
}

/// What a program may count on.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub vector_length: u16,
    pub routes: u32,
    /// Bytes of each memory, the least of all blocks.
    pub bytes: u32,
}

/// Registers with a meaning: never overwritten, so that loops are short and most addresses lie in their memory.
mod fixed {
    /// Entries of tables, 1 to 5.
    pub const ENTRIES: u8 = 11;
    /// 0 to 3, strides and indices.
    pub const SMALL: u8 = 12;
    /// 0 to 20, addresses.
    pub const BASE: u8 = 13;
    /// Counts of loops, -1 to 3.
    pub const COUNTS: [u8; 2] = [14, 15];
    /// Registers below are free.
    pub const FREE: u8 = 11;
}

pub fn raw() -> impl Strategy<Value = Raw> {
    let number = prop_oneof![4 => 0..64i32, 2 => any::<i32>(), 1 => -40..40i32];
    (any::<u16>(), any::<[u8; 4]>(), number, any::<(u8, u8)>()).prop_map(|(row, registers, number, memory)| Raw {
        row,
        registers,
        number,
        memory,
    })
}

/// `addi rd, r0, number`.
fn load(d: u8, number: i32) -> Instruction {
    Instruction { d, imm: number, ..Instruction::new(Op::Addi) }
}

/// Values for the fixed registers, lengths, and something in the vectors.
fn prologue(seed: &[Raw; 3], frame: Frame) -> Vec<Instruction> {
    let [x, y, z] = seed;
    let length = y.number.rem_euclid(i32::from(frame.vector_length).min(70) + 1);
    let mut code = vec![
        load(fixed::ENTRIES, 1 + i32::from(x.registers[0] % 5)),
        load(fixed::SMALL, i32::from(x.registers[1] % 4)),
        load(fixed::BASE, i32::from(x.registers[2] % 21)),
        load(fixed::COUNTS[0], i32::from(x.registers[3] % 5) - 1),
        load(fixed::COUNTS[1], i32::from(y.registers[3] % 5) - 1),
        Instruction { imm: length, ..Instruction::new(Op::Setvl) },
        Instruction { imm: i32::from(y.registers[0] % 16), ..Instruction::new(Op::Setrow) },
    ];
    for d in 0..4 {
        let width = if z.registers[usize::from(d)].is_multiple_of(2) { Width::W32 } else { Width::W8 };
        let imm = i32::from(z.registers[usize::from(d)]) / 8;
        code.push(Instruction { d, imm, width, space: Space::Neuron, ..Instruction::new(Op::Vld) });
    }
    for (d, compare) in [(0, Op::Vcge), (1, Op::Vclt)] {
        code.push(Instruction { d, a: y.registers[1] % 4, b: y.registers[2] % 4, ..Instruction::new(compare) });
    }
    code
}

/// The loops that the compiler writes, with parts that are sometimes not quite so.
fn event_loop(raw: &Raw) -> Vec<Instruction> {
    let Raw { registers, number, .. } = *raw;
    let width = [Width::W4, Width::W8, Width::W16, Width::W16, Width::W32][usize::from(raw.memory.0 % 5)];
    let traced = number % 2 == 0;
    // The trace at the axon's own number, without a sum.
    let direct = traced && (raw.memory.1 / 8).is_multiple_of(3);
    let (axon, payload) = (registers[0] % 6, registers[1] % 5);
    let vector = registers[3] % 8;
    let row_register = if raw.memory.1.is_multiple_of(8) { payload } else { axon };
    let offset = number.rem_euclid(3) - i32::from(registers[2].is_multiple_of(16));
    let mut code = Vec::new();
    if raw.row.is_multiple_of(3) {
        // Sums near one of their ends: some will saturate.
        let end = if number % 4 < 2 { 0x7fff } else { 0x8000 };
        code.push(Instruction { d: 9, imm: end, ..Instruction::new(Op::Lui) });
        code.push(Instruction {
            d: 9,
            a: 9,
            imm: if end == 0x8000 { 0x0100 } else { 0xff00 },
            ..Instruction::new(Op::Ori)
        });
        code.push(Instruction { d: vector, a: 9, ..Instruction::new(Op::Vmv) });
    }
    code.push(match registers[2] / 32 {
        0 => Instruction { d: 9, imm: 40_000, ..Instruction::new(Op::Ori) }, // more than a trace can count
        _ => load(9, i32::from(registers[2] % 4) - i32::from(registers[2] == 255)),
    });
    let imm = 2 + 2 * i32::from(traced) - i32::from(direct);
    code.push(Instruction { d: axon, a: payload, imm, ..Instruction::new(Op::Foreach) });
    code.push(Instruction {
        d: vector,
        a: row_register,
        imm: offset,
        space: Space::Synapse,
        width,
        ..Instruction::new(Op::Vaccr)
    });
    if traced {
        let sum = 6 + registers[0] / 8 % 3;
        let base = [fixed::BASE, 0, 7, payload][usize::from(registers[1] / 8 % 4)];
        let (a, b) = if (registers[2] / 16).is_multiple_of(2) { (axon, base) } else { (base, axon) };
        let increment = if (registers[3] / 8).is_multiple_of(8) { registers[3] / 64 } else { 9 };
        if !direct {
            code.push(Instruction { d: sum, a, b, ..Instruction::new(Op::Add) });
        }
        let width = if (registers[3] / 16).is_multiple_of(8) { Width::W8 } else { Width::W16 };
        code.push(Instruction {
            d: increment,
            a: if direct { axon } else { sum },
            imm: offset,
            space: Space::Axon,
            width,
            ..Instruction::new(Op::Addm)
        });
    }
    code
}

/// The loop over rows of a kernel that the compiler writes, with parts that are sometimes not quite so.
fn row_loop(raw: &Raw) -> Vec<Instruction> {
    let Raw { registers, number, memory, .. } = *raw;
    let (sums, weights, step) = (9, 8, [7, fixed::SMALL, 9][usize::from(registers[0] % 8 / 3)]);
    let space = [Space::Axon, Space::Synapse][usize::from(memory.0 % 2)];
    let width = [Width::W8, Width::W16, Width::W8, Width::W16, Width::W32][usize::from(memory.0 / 2 % 5)];
    let op = [Op::Vaddn16, Op::Vaddn32][usize::from(memory.1 % 2)];
    let next = match registers[1] % 3 {
        0 => Instruction { d: weights, a: weights, imm: number % 8, ..Instruction::new(Op::Addi) },
        1 => Instruction { d: weights, a: weights, b: step, ..Instruction::new(Op::Add) },
        _ => Instruction { d: weights, a: weights, b: weights, ..Instruction::new(Op::Add) },
    };
    let down = if registers[2].is_multiple_of(8) { weights } else { sums };
    vec![
        load(sums, i32::from(registers[3] % 32) - i32::from(registers[3] == 255)),
        load(weights, i32::from(registers[0] / 8)),
        load(7, i32::from(registers[1] / 8)),
        Instruction { d: fixed::COUNTS[usize::from(registers[2] / 8 % 2)], imm: 4, ..Instruction::new(Op::Loop) },
        Instruction { d: sums, a: weights, imm: number.rem_euclid(3), space, width, ..Instruction::new(op) },
        next,
        Instruction { d: down, a: down, imm: number % 16, ..Instruction::new(Op::Addi) },
    ]
}

/// A valid instruction with at most `left` instructions behind it; branches and loops go forward, so that all ends.
fn instruction(raw: &Raw, left: usize, frame: Frame) -> Instruction {
    let mut description = &INSTRUCTIONS[usize::from(raw.row) % INSTRUCTIONS.len()];
    if description.op == Op::Sleep || description.op == Op::Stay {
        description = if raw.memory.0 < 40 { description } else { Op::Vmacs.description() };
    }
    let op = description.op;
    let mut made = Instruction::new(op);
    let is_branch = matches!(description.cycles, Cycles::Branch | Cycles::Jump);
    let reads_first = is_branch || matches!(op, Op::St | Op::Addm | Op::Send) || description.updates.is_some();
    for (at, &operand) in description.operands.iter().enumerate() {
        let Some((kind, field)) = operand.register() else { continue };
        let random = raw.registers[field as usize];
        let number = match kind {
            RegisterKind::Scalar if op == Op::Loop => fixed::COUNTS[usize::from(random % 2)],
            RegisterKind::Scalar if op == Op::Foreach || (at == 0 && !reads_first) => random % fixed::FREE,
            RegisterKind::Scalar if op == Op::Vlut => fixed::ENTRIES,
            RegisterKind::Scalar if matches!(op, Op::Setvl | Op::Setrow) => [0, fixed::SMALL][usize::from(random % 2)],
            RegisterKind::Scalar if matches!(op, Op::Vext | Op::Vins) && field == Field::B && random < 240 => {
                fixed::SMALL
            }
            RegisterKind::Scalar if op == Op::Send && field == Field::A && random < 240 => {
                [fixed::SMALL, fixed::BASE, 0, 1][usize::from(random % 4)]
            }
            // Mostly no base, or a small one.
            RegisterKind::Scalar if operand == Operand::Base && random < 240 => {
                [0, fixed::SMALL][usize::from(random % 2)]
            }
            RegisterKind::Scalar if description.updates.is_some() && random < 240 => {
                [0, fixed::SMALL, fixed::BASE][usize::from(random % 3)]
            }
            kind => random % kind.count(),
        };
        made.set_register(field, number);
    }
    let far = |range: i32| raw.number.rem_euclid(range);
    for &operand in description.operands {
        match operand {
            Operand::Label => made.imm = 1 + far(left.clamp(1, 10) as i32),
            Operand::Route => made.imm = far(frame.routes as i32 + i32::from(raw.memory.0 < 6)),
            Operand::Signed if op == Op::Setvl => made.imm = far(i32::from(frame.vector_length) - 3),
            Operand::Signed if op == Op::Setrow => made.imm = far(12),
            Operand::Signed | Operand::Unsigned | Operand::Special => {
                let (min, max) = operand.range().unwrap_or((0, 0));
                made.imm = min + (raw.number.wrapping_sub(min)).rem_euclid(max - min + 1);
            }
            Operand::Memory | Operand::Row | Operand::Strided | Operand::Table => {
                memory_operand(raw, operand, frame, &mut made)
            }
            Operand::Scalar(_) | Operand::Vector(_) | Operand::Predicate(_) | Operand::Base => {}
        }
    }
    if made.encode().is_ok() { made } else { Instruction::new(Op::Nop) } // a store to what is read-only
}

/// Fills in a memory operand that mostly lies in its memory.
fn memory_operand(raw: &Raw, operand: Operand, frame: Frame, made: &mut Instruction) {
    let spaces = [Space::Neuron, Space::Axon, Space::Synapse, Space::Event];
    let event = usize::from(raw.memory.0.is_multiple_of(16) || (raw.memory.0.is_multiple_of(4) && made.op == Op::Ld));
    made.space = spaces[if event == 1 { 3 } else { usize::from(raw.memory.0 % 3) }];
    if made.op.description().updates.is_some() {
        made.space = spaces[1 + usize::from(raw.memory.0 % 2)];
    }
    let widths: Vec<Width> = Width::ALL.into_iter().filter(|&width| made.space.has(width)).collect();
    made.width = widths[usize::from(raw.memory.1) % widths.len()];
    let odd = raw.memory.1 > 250;
    let base =
        if odd { raw.registers[1] % 16 } else { [0, fixed::SMALL, fixed::BASE][usize::from(raw.registers[1] % 3)] };
    let elements = if made.space == Space::Event { 8 } else { frame.bytes * 8 / made.width.bits() };
    let room = (elements as i32 - i32::from(frame.vector_length) - 20).max(1);
    match operand {
        Operand::Table => made.b = base,
        Operand::Strided => {
            (made.a, made.c) = (base, [fixed::SMALL, 0][usize::from(raw.registers[3] % 2)]);
            made.imm = raw.number.rem_euclid(100) - i32::from(odd);
        }
        Operand::Row => {
            made.a = [0, fixed::SMALL][usize::from(raw.registers[1] % 2)];
            made.imm = raw.number.rem_euclid(6) - i32::from(odd);
        }
        _ => {
            made.a = base;
            made.imm = raw.number.rem_euclid(room.min(2000)) - i32::from(odd);
        }
    }
}

/// The words of a program.
pub fn program(prologue_seed: &[Raw; 3], body: &[Raw], frame: Frame) -> Vec<u32> {
    let mut code = prologue(prologue_seed, frame);
    for (at, raw) in body.iter().enumerate() {
        if raw.row.is_multiple_of(13) {
            code.extend(event_loop(raw));
        } else if raw.row.is_multiple_of(17) {
            code.extend(row_loop(raw));
        } else {
            code.push(instruction(raw, body.len() - at, frame));
        }
    }
    code.push(Instruction::new(if prologue_seed[0].number % 3 == 0 { Op::Stay } else { Op::Sleep }));
    let mut words: Vec<u32> =
        code.iter().map(|instruction| instruction.encode().expect("a valid instruction")).collect();
    if prologue_seed[1].memory.0 < 8 {
        let at = usize::from(prologue_seed[1].memory.1) % words.len();
        words[at] = prologue_seed[1].number as u32; // perhaps no instruction
        if Instruction::decode(words[at]).is_ok() {
            words[at] = u32::MAX;
        }
    }
    words
}
