//! Words, instructions and text say the same, whichever way one goes.

mod support;

use onward_diagnostic::Source;
use onward_isa::{INSTRUCTIONS, Instruction, RegisterKind, assemble, disassemble};
use proptest::prelude::*;
use rayon::prelude::*;
use support::{cases, instruction, program};

/// The words of a text, or its errors as a person sees them.
fn words(text: &str) -> Result<Vec<u32>, String> {
    let source = Source::new("test.s", text);
    assemble(&source).map(|program| program.words).map_err(|errors| source.render(&errors))
}

#[test]
fn examples_of_the_table() {
    for row in INSTRUCTIONS {
        let words = words(row.example).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(words.len(), 1, "{}", row.example);
        let instruction = Instruction::decode(words[0]).expect(row.example);
        assert_eq!(instruction.op, row.op);
        assert_eq!(instruction.to_string(), row.example);
    }
}

/// The examples' words as a Python program, written from the head of `isa/instructions.toml` alone, computed them: a mistake
/// that decoder and encoder share would not show in the round trips. New instructions are added with words found by hand.
#[test]
fn words_computed_independently() {
    for line in include_str!("words.txt").lines() {
        let (word, example) = line.split_once(' ').expect("a word and its text");
        let word = u32::from_str_radix(word, 16).expect("a word");
        assert_eq!(words(example), Ok(vec![word]), "{example}");
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn instructions_decode_as_they_were(instruction in instruction()) {
        let word = instruction.encode().expect("a valid instruction");
        prop_assert_eq!(Instruction::decode(word), Ok(instruction));
        prop_assert_eq!(words(&instruction.to_string()), Ok(vec![word]));
    }

    #[test]
    fn words_encode_as_they_were(word: u32) {
        if let Ok(instruction) = Instruction::decode(word) {
            prop_assert_eq!(instruction.encode(), Ok(word));
        }
    }

    /// Whatever the fields hold, encoding gives an error or a word that means the same.
    #[test]
    fn fields_out_of_range_are_errors(mut instruction in instruction(), at in 0..5, value: u8, imm: i32) {
        match at {
            0 => instruction.d = value,
            1 => instruction.a = value,
            2 => instruction.b = value,
            3 => instruction.c = value,
            _ => instruction.imm = imm,
        }
        if let Ok(word) = instruction.encode() {
            prop_assert_eq!(Instruction::decode(word), Ok(instruction));
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn programs_assemble_as_they_were(program in program()) {
        prop_assert_eq!(words(&disassemble(&program, &[])), Ok(program));
    }

    /// With names for words, among them names that cannot be labels, and words that are no instructions.
    #[test]
    fn programs_with_labels_and_data_assemble_as_they_were(
        mut program in program(),
        labels in prop::collection::vec(("[a-zA-Z_rvpL][a-z0-9_. ]{0,3}|row|L[0-9]|loop|step", 0..70_u32), 0..12),
        data in prop::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 0..4),
    ) {
        for (at, word) in data {
            if !program.is_empty() {
                *at.get_mut(&mut program) = word;
            }
        }
        let text = disassemble(&program, &labels);
        let source = Source::new("test.s", text.as_str());
        let again = assemble(&source).map_err(|errors| TestCaseError::fail(source.render(&errors)))?;
        prop_assert_eq!(&again.words, &program);
        // Usable names are kept.
        for (name, at) in &labels {
            let usable = name.bytes().all(|b| b != b' ') && name != "row" && RegisterKind::parse(name).is_none();
            let first = labels.iter().find(|(other, at)| other == name && *at as usize <= program.len());
            if usable && first == Some(&(name.clone(), *at)) {
                prop_assert!(again.labels.contains(&(name.clone(), *at)), "{} {}\n{}", name, at, text);
            }
        }
        // Once disassembled, a program keeps its text.
        prop_assert_eq!(disassemble(&again.words, &again.labels), text);
    }
}

/// Some ten seconds on two cores in release mode; left out in debug mode.
#[test]
#[cfg_attr(debug_assertions, ignore = "goes through all 2^32 words: in release mode")]
fn every_word_decodes_to_itself_or_not_at_all() {
    let valid: u64 = (0..=u16::MAX)
        .into_par_iter()
        .map(|high| {
            let mut valid = 0;
            for low in 0..=u16::MAX {
                let word = u32::from(high) << 16 | u32::from(low);
                if let Ok(instruction) = Instruction::decode(word) {
                    assert_eq!(instruction.encode(), Ok(word), "{instruction}");
                    valid += 1;
                }
            }
            valid
        })
        .sum();
    // All that the operands of the table allow: nothing valid is rejected.
    let expected: u64 = INSTRUCTIONS.iter().map(combinations).sum();
    assert_eq!(valid, expected);
}

/// How many words an instruction has.
fn combinations(row: &onward_isa::Description) -> u64 {
    use onward_isa::{Access, Operand, SPACES};
    let writes = matches!(row.access, Access::Write | Access::Update);
    let memories: usize = SPACES.iter().filter(|space| space.writable || !writes).map(|space| space.widths.len()).sum();
    let scalars = u64::from(RegisterKind::Scalar.count());
    row.operands
        .iter()
        .map(|operand| {
            let numbers = operand.range().map_or(1, |(min, max)| u64::from(max.abs_diff(min)) + 1);
            match operand {
                // What adds to neuron memory reads axon or synapse memory.
                Operand::Memory if row.updates.is_some() => 7 * scalars * numbers,
                Operand::Memory | Operand::Row | Operand::Table => memories as u64 * scalars * numbers,
                Operand::Strided => memories as u64 * scalars * scalars * numbers,
                _ => operand.register().map_or(numbers, |(kind, _)| u64::from(kind.count())),
            }
        })
        .product()
}

/// Some seconds on two cores in release mode; `ONWARD_WORD_STEP=1` takes every word, and some minutes.
#[test]
#[cfg_attr(debug_assertions, ignore = "assembles millions of instructions: in release mode")]
fn valid_words_assemble_to_themselves() {
    // Odd steps through each opcode's words reach all values of all fields.
    let step = std::env::var("ONWARD_WORD_STEP").map_or(101, |step| step.parse().expect("a step of 1 or more"));
    INSTRUCTIONS.par_iter().for_each(|row| {
        let all = (0..1 << 24_u32).step_by(step).map(|low| u32::from(row.opcode) << 24 | low & row.operand_bits);
        let mut valid: Vec<u32> = all.filter(|&word| Instruction::decode(word).is_ok()).collect();
        valid.sort_unstable();
        valid.dedup();
        for chunk in valid.chunks(10_000) {
            assert_eq!(words(&disassemble(chunk, &[])).as_deref(), Ok(chunk), "{}", row.mnemonic);
        }
    });
}
