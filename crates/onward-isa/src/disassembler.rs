//! The disassembler: from words to a text that assembles to the same words.

use crate::{
    Instruction,
    assembler::is_name,
    table::{Operand, RegisterKind},
};
use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

/// The words as assembly: labels, an instruction a line, its number and word as a comment. Words that are no instructions
/// appear as `.word`.
///
/// `labels` are names for words, as in [`Program::labels`](crate::Program::labels); targets without one are called after
/// their number (`L12`). Names that the assembler would not take, repeat, or point behind the end are left out. Targets outside
/// of the text, and loops that end before they begin, keep the distance in instructions.
///
/// ```
/// let text = onward_isa::disassemble(&[0x0910_0002, 0x1911_0001, 0x0200_0000], &[("done".into(), 2)]);
/// assert_eq!(text.lines().collect::<Vec<_>>(), [
///     "    loop r1, done                   ; 0: 09100002",
///     "    addi r1, r1, 1                  ; 1: 19110001",
///     "done:",
///     "    sleep                           ; 2: 02000000",
/// ]);
/// ```
pub fn disassemble(words: &[u32], labels: &[(String, u32)]) -> String {
    let instructions: Vec<Option<Instruction>> = words.iter().map(|&word| Instruction::decode(word).ok()).collect();
    let names = names(&instructions, labels);
    let mut text = String::new();
    let labels_at =
        |at: usize| names.get(&at).into_iter().flatten().map(|name| format!("{name}:\n")).collect::<String>();
    for (at, (&word, instruction)) in words.iter().zip(&instructions).enumerate() {
        let line = match instruction {
            Some(instruction) => Line { instruction, at, names: &names, words: words.len() }.to_string(),
            None => format!(".word {word:#010x}"),
        };
        text += &format!("{}    {line:<31} ; {at}: {word:08x}\n", labels_at(at));
    }
    text += &labels_at(words.len());
    text
}

/// The names of each word, of which the first is used by instructions: those given, else `L` and the number for targets.
fn names(instructions: &[Option<Instruction>], labels: &[(String, u32)]) -> BTreeMap<usize, Vec<String>> {
    let mut names: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut taken = HashSet::new();
    for (name, at) in labels {
        let usable = is_name(name) && name != "row" && RegisterKind::parse(name).is_none();
        let at = *at as usize;
        if usable && at <= instructions.len() && taken.insert(name.as_str()) {
            names.entry(at).or_default().push(name.clone());
        }
    }
    for (at, instruction) in instructions.iter().enumerate() {
        let Some(target) = instruction.as_ref().and_then(|instruction| target(instruction, at, instructions.len()))
        else {
            continue;
        };
        names.entry(target).or_insert_with(|| {
            let mut name = format!("L{target}");
            while taken.contains(name.as_str()) {
                name.push('_');
            }
            vec![name]
        });
    }
    names
}

/// The word that an instruction's label names, if a label can stand there.
fn target(instruction: &Instruction, at: usize, words: usize) -> Option<usize> {
    let description = instruction.op.description();
    if !description.operands.contains(&Operand::Label) {
        return None;
    }
    if description.is_loop() && instruction.imm < 1 {
        return None; // the assembler takes no label before the loop
    }
    at.checked_add_signed(instruction.imm as isize).filter(|&target| target <= words)
}

/// An instruction with its label by name.
struct Line<'a> {
    instruction: &'a Instruction,
    at: usize,
    names: &'a BTreeMap<usize, Vec<String>>,
    words: usize,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instruction.write(f, &|f, distance| {
            let target = target(self.instruction, self.at, self.words);
            match target.and_then(|target| self.names.get(&target)?.first()) {
                Some(name) => f.write_str(name),
                None => write!(f, "{distance}"),
            }
        })
    }
}
