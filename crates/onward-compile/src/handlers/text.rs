//! Writing assembly.

use crate::layout::Layout;
use onward_image::Tag;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Assembly under construction: instructions indented, comments aligned.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    text: String,
    constants: BTreeMap<String, i64>,
}

fn sign(number: i64) -> char {
    if number < 0 { '-' } else { '+' }
}

impl Assembly {
    /// A line of comment.
    pub fn comment(&mut self, comment: &str) {
        writeln!(self.text, "; {comment}").expect("writing to memory");
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A label on a line of its own.
    pub fn label(&mut self, name: &str) {
        writeln!(self.text, "{name}:").expect("writing to memory");
    }

    /// An instruction with a comment; either may be empty.
    pub fn code(&mut self, instruction: &str, comment: &str) {
        let line =
            if comment.is_empty() { format!("    {instruction}") } else { format!("    {instruction:<38}; {comment}") };
        writeln!(self.text, "{line}").expect("writing to memory");
    }

    /// Names a number.
    pub fn constant(&mut self, name: &str, value: i64) {
        writeln!(self.text, ".equ {name}, {value}").expect("writing to memory");
        self.constants.insert(name.to_owned(), value);
    }

    /// Names a register.
    pub fn register(&mut self, name: &str, register: &str) {
        writeln!(self.text, ".reg {name}, {register}").expect("writing to memory");
    }

    /// Names the first element of each array in upper case.
    pub fn layout(&mut self, layout: &Layout) {
        for symbol in &layout.symbols {
            let space = symbol.space().map_or("?", |space| space.letter());
            let line = format!(".equ {}, {}", symbol.name.to_uppercase(), symbol.offset);
            let shape = if symbol.rows == 1 {
                format!("{}", symbol.columns)
            } else {
                format!("{} x {}", symbol.rows, symbol.columns)
            };
            writeln!(self.text, "{line:<42}; {space}{}, {shape}", symbol.width_bits).expect("writing to memory");
            self.constants.insert(symbol.name.to_uppercase(), symbol.offset.into());
        }
    }

    /// Loads a number of up to 32 bits: one instruction if it fits 16, else two.
    pub fn load_number(&mut self, register: &str, value: i32, comment: &str) {
        if i16::try_from(value).is_ok() {
            self.code(&format!("addi {register}, r0, {value}"), comment);
        } else {
            self.code(&format!("lui {register}, {}", value as u32 >> 16), comment);
            if value & 0xffff != 0 {
                self.code(&format!("ori {register}, {register}, {}", value & 0xffff), "");
            }
        }
    }

    /// Loads a number by the name it was given here: one instruction if it fits 16 bits, else two.
    pub fn load_symbol(&mut self, register: &str, name: &str) {
        if self.constants.get(name).is_some_and(|&value| i16::try_from(value).is_ok()) {
            return self.code(&format!("addi {register}, r0, {name}"), "");
        }
        self.code(&format!("lui {register}, {name} >> 16"), "");
        self.code(&format!("ori {register}, {register}, {name} & 0xffff"), "");
    }

    /// An instruction on the element `base + offset` of a memory: what is beyond an offset's reach is added in r15.
    pub fn indexed(&mut self, instruction: &str, memory: &str, base: &str, offset: i64, comment: &str) {
        if (-0x800..0x800).contains(&offset) {
            let offset = if offset == 0 { String::new() } else { format!(" {} {}", sign(offset), offset.abs()) };
            return self.code(&format!("{instruction}, {memory}[{base}{offset}]"), comment);
        }
        if i16::try_from(offset).is_ok() {
            self.code(&format!("addi r15, {base}, {offset}"), "");
        } else {
            self.load_number("r15", offset as i32, "");
            self.code(&format!("add r15, r15, {base}"), "");
        }
        self.code(&format!("{instruction}, {memory}[r15]"), comment);
    }

    /// Adds a number to a register; r15 is used where it is a large one.
    pub fn advance(&mut self, register: &str, by: i64, comment: &str) {
        if by == 0 {
            return;
        }
        if i16::try_from(by).is_ok() {
            return self.code(&format!("addi {register}, {register}, {by}"), comment);
        }
        self.load_number("r15", by as i32, "");
        self.code(&format!("add {register}, {register}, r15"), comment);
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Goes on only where the host wants an answer: while learning, where the tag asks for one.
pub(super) fn unless_answered(a: &mut Assembly, label: &str) {
    a.code("beq learn, r0, answer", "");
    a.code("special r10, tag", "");
    a.code(&format!("andi r10, r10, {}", Tag::ANSWER), "learning, the host asks for an answer or not");
    a.code(&format!("beq r10, r0, {label}"), "");
    a.label("answer");
}

/// The rival: what `instruction` finds, unless the tag names one. r12 is used.
pub(super) fn rival(a: &mut Assembly, instruction: &str) {
    a.code("special r12, tag", "");
    a.code("shri rival, r12, 24", "");
    a.code("andi rival, rival, 255", "");
    a.code(&format!("andi r12, r12, {}", Tag::RIVAL), "does the host name it?");
    a.code("bne r12, r0, rival_found", "");
    a.code(instruction, "");
    a.label("rival_found");
}
