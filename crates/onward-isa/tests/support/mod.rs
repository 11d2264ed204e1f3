//! Random instructions, for the property tests.

use onward_isa::{INSTRUCTIONS, Instruction, Operand, RegisterKind, Space, Width};
use proptest::prelude::*;

/// Any instruction, each operation equally often.
pub fn instruction() -> impl Strategy<Value = Instruction> {
    let registers = [any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>()];
    let memory = (0..Space::ALL.len(), 0..Width::ALL.len());
    (0..INSTRUCTIONS.len(), registers, number(), memory).prop_filter_map(
        "writes to what is read-only",
        |(row, registers, number, memory)| {
            let description = &INSTRUCTIONS[row];
            let mut instruction = Instruction::new(description.op);
            for &operand in description.operands {
                if let Some((kind, field)) = operand.register() {
                    instruction.set_register(field, registers[field as usize] % kind.count());
                    continue;
                }
                if let Some((min, max)) = operand.range() {
                    instruction.imm = min + number.rem_euclid(max - min + 1);
                }
                let scalar = |at: usize| registers[at] % RegisterKind::Scalar.count();
                match operand {
                    Operand::Memory | Operand::Row => instruction.a = scalar(1),
                    Operand::Strided => (instruction.a, instruction.c) = (scalar(1), scalar(3)),
                    Operand::Table => instruction.b = scalar(2),
                    _ => continue,
                }
                (instruction.space, instruction.width) = (Space::ALL[memory.0], Width::ALL[memory.1]);
            }
            instruction.encode().is_ok().then_some(instruction)
        },
    )
}

/// A number, often a small one: distances inside a program, the ends of ranges.
fn number() -> impl Strategy<Value = i32> {
    prop_oneof![-40..40, any::<i32>(), Just(-1), Just(0x7fff), Just(0x8000)]
}

/// A list of instructions.
pub fn program() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(instruction().prop_map(|i| i.encode().expect("a valid instruction")), 0..60)
}

/// So many cases; a failure prints its input, no file keeps it.
pub fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
