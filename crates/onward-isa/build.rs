//! Makes the Rust tables of the instruction set from `isa/instructions.toml` and refuses a table that contradicts itself.

use serde::Deserialize;
use std::{collections::BTreeMap, env, fmt::Write, fs, path::Path};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    spaces: BTreeMap<String, Space>,
    specials: BTreeMap<String, Special>,
    instruction: Vec<Instruction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Space {
    number: u8,
    name: String,
    widths: Vec<u8>,
    writable: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Special {
    number: u16,
    summary: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Instruction {
    mnemonic: String,
    class: String,
    opcode: u8,
    operands: Vec<String>,
    summary: String,
    semantics: String,
    cycles: String,
    energy: String,
    #[serde(default = "none")]
    access: String,
    #[serde(default)]
    updates: u8,
    example: String,
    #[serde(default = "first_version")]
    since: u32,
}

fn none() -> String {
    "none".into()
}

fn first_version() -> u32 {
    1
}

/// `vector-add` and `vadd` to `VectorAdd` and `Vadd`.
fn camel(name: &str) -> String {
    name.split('-').map(|part| part[..1].to_uppercase() + &part[1..]).collect()
}

/// The Rust expression of an operand.
fn operand(name: &str) -> String {
    let field = |at: &str| match at {
        "d" => "Field::D",
        "a" => "Field::A",
        "b" => "Field::B",
        "c" => "Field::C",
        _ => panic!("isa/instructions.toml: unknown operand `{name}`"),
    };
    match name {
        "imm16" => "Operand::Signed".into(),
        "uimm16" => "Operand::Unsigned".into(),
        "label" => "Operand::Label".into(),
        "special" => "Operand::Special".into(),
        "route" => "Operand::Route".into(),
        "memory" => "Operand::Memory".into(),
        "row" => "Operand::Row".into(),
        "strided" => "Operand::Strided".into(),
        "table" => "Operand::Table".into(),
        "base" => "Operand::Base".into(),
        _ => match name.split_at(1) {
            ("r", at) => format!("Operand::Scalar({})", field(at)),
            ("v", at) => format!("Operand::Vector({})", field(at)),
            ("p", at) => format!("Operand::Predicate({})", field(at)),
            _ => panic!("isa/instructions.toml: unknown operand `{name}`"),
        },
    }
}

/// The bits an operand occupies.
fn bits(name: &str) -> u32 {
    match name {
        "imm16" | "uimm16" | "label" | "special" => 0xffff,
        "route" => 0xfff,
        "memory" | "row" => 0xf_ffff,
        "strided" => 0xf_ffff,
        "table" => 0xf0f0,
        "base" => 0xf0_0000,
        _ => match &name[1..] {
            "d" => 0xf0_0000,
            "a" => 0xf_0000,
            "b" => 0xf000,
            _ => 0xf00,
        },
    }
}

fn main() {
    let out_dir = env::var("OUT_DIR").expect("cargo sets it");
    let path = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../isa/instructions.toml");
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read_to_string(&path).expect("isa/instructions.toml");
    let table: Table = toml::from_str(&text).expect("isa/instructions.toml");

    let mut out = String::new();
    let w = &mut out;
    let mut opcodes = BTreeMap::new();
    writeln!(w, "/// An operation of the instruction set.").expect("writing to memory");
    writeln!(w, "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n#[repr(u8)]\npub enum Op {{")
        .expect("writing to memory");
    for i in &table.instruction {
        if let Some(other) = opcodes.insert(i.opcode, &i.mnemonic) {
            panic!("isa/instructions.toml: `{}` and `{other}` share the opcode {:#04x}", i.mnemonic, i.opcode);
        }
        assert!(
            i.opcode != 0,
            "isa/instructions.toml: opcode 0 is no instruction, so that empty memory stops the chip"
        );
        writeln!(w, "    /// `{}`: {}\n    {} = {:#04x},", i.mnemonic, i.summary, camel(&i.mnemonic), i.opcode)
            .expect("writing to memory");
    }
    writeln!(w, "}}\n\n/// All instructions, by opcode.\npub static INSTRUCTIONS: &[Description] = &[")
        .expect("writing to memory");
    for opcode in opcodes.keys() {
        let i = table.instruction.iter().find(|i| i.opcode == *opcode).expect("writing to memory");
        let mut used = 0;
        for name in &i.operands {
            assert!(used & bits(name) == 0, "isa/instructions.toml: operands of `{}` overlap", i.mnemonic);
            used |= bits(name);
        }
        let operands: Vec<String> = i.operands.iter().map(|name| operand(name)).collect();
        writeln!(
            w,
            "    Description {{ op: Op::{}, opcode: {:#04x}, mnemonic: {:?}, operands: &[{}], operand_names: &{:?}, \
             operand_uses: &[{}], operand_bits: {used:#x}, class: Class::{}, summary: {:?}, semantics: {:?}, cycles: Cycles::{}, energy: Energy::{}, \
             access: Access::{}, updates: {:?}, example: {:?}, since: {} }},",
            camel(&i.mnemonic),
            i.opcode,
            i.mnemonic,
            operands.join(", "),
            i.operands,
            i.operands.iter().map(|name| format!("Use::{}", operand_use(i, name))).collect::<Vec<_>>().join(", "),
            camel(&i.class),
            i.summary,
            i.semantics,
            camel(&i.cycles),
            camel(&i.energy),
            camel(&i.access),
            (i.updates > 0).then_some(i.updates),
            i.example,
            i.since
        )
        .expect("writing to memory");
    }
    writeln!(w, "];\n\n/// The memory spaces, by number.\npub static SPACES: &[SpaceDescription] = &[")
        .expect("writing to memory");
    let mut spaces: Vec<_> = table.spaces.iter().collect();
    spaces.sort_by_key(|(_, s)| s.number);
    for (at, (letter, s)) in spaces.iter().enumerate() {
        assert_eq!(at, usize::from(s.number), "isa/instructions.toml: spaces are numbered from 0 without gaps");
        writeln!(
            w,
            "    SpaceDescription {{ letter: {letter:?}, name: {:?}, widths: &{:?}, writable: {} }},",
            s.name, s.widths, s.writable
        )
        .expect("writing to memory");
    }
    writeln!(
        w,
        "];\n\n/// The special registers, by number: name and meaning.\npub static SPECIALS: &[(&str, &str)] = &["
    )
    .expect("writing to memory");
    let mut specials: Vec<_> = table.specials.iter().collect();
    specials.sort_by_key(|(_, s)| s.number);
    for (at, (name, s)) in specials.iter().enumerate() {
        assert_eq!(at, usize::from(s.number), "isa/instructions.toml: special registers are numbered without gaps");
        writeln!(w, "    ({name:?}, {:?}),", s.summary).expect("writing to memory");
    }
    writeln!(w, "];").expect("writing to memory");
    out += &special_registers(&specials);
    out += &classes(&table.instruction);
    fs::write(Path::new(&out_dir).join("table.rs"), out).expect("OUT_DIR is writable");
    fs::write(Path::new(&out_dir).join("builder.rs"), builder(&table.instruction)).expect("OUT_DIR is writable");
}

/// Whether an instruction reads or writes an operand's register, from its line of notation: what stands left of ` = `,
/// alone or with all elements (`[i]`), is written; what one element of is written is read as well, since it keeps the
/// others.
fn operand_use(instruction: &Instruction, name: &str) -> &'static str {
    if !matches!(name.as_bytes()[0], b'r' | b'v' | b'p') || name.len() != 2 {
        return "Read";
    }
    let text = &instruction.semantics;
    let (mut reads, mut writes) = (false, false);
    for (at, _) in text.match_indices(name) {
        let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let behind = &text[at + name.len()..];
        if is_letter(text[..at].chars().next_back()) || is_letter(behind.chars().next()) {
            continue;
        }
        let is_written = |behind: &str| behind.starts_with(" = ");
        let element = behind.strip_prefix('[').and_then(|behind| behind.split_once(']'));
        match element {
            Some(("i", behind)) if is_written(behind) => writes = true,
            Some((_, behind)) if is_written(behind) => (reads, writes) = (true, true),
            _ if is_written(behind) => writes = true,
            _ => reads = true,
        }
    }
    match (reads, writes) {
        (true, false) => "Read",
        (false, true) => "Write",
        (true, true) => "Update",
        (false, false) => {
            panic!("isa/instructions.toml: the semantics of `{}` do not speak of `{name}`", instruction.mnemonic)
        }
    }
}

/// The enum of special registers.
fn special_registers(specials: &[(&String, &Special)]) -> String {
    let mut out = String::from(
        "\n/// A special register; the number is that of the table.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n#[repr(u16)]\npub enum Special {\n",
    );
    for (name, special) in specials {
        out += &format!("    /// {}.\n    {} = {},\n", special.summary, camel(name), special.number);
    }
    let all: Vec<String> = specials.iter().map(|(name, _)| format!("Special::{}", camel(name))).collect();
    out += &format!(
        "}}\n\nimpl Special {{\n    /// All special registers, by number.\n    pub const ALL: [Special; {}] = [{}];\n}}\n",
        all.len(),
        all.join(", ")
    );
    out
}

/// The classes of instructions, an enum of each class's operations, and what leads from [`Op`] to them.
fn classes(instructions: &[Instruction]) -> String {
    let mut classes: Vec<&str> = Vec::new();
    for i in instructions {
        if !classes.contains(&i.class.as_str()) {
            classes.push(&i.class);
        }
    }
    let mut out = String::new();
    let mut sorted = String::from(
        "\n/// An operation, sorted by its class: a match over this one and the enum within names every instruction.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum ClassedOp {\n",
    );
    let mut arms = String::new();
    for class in classes {
        let name = camel(class);
        sorted += &format!("    /// See [`Class::{name}`].\n    {name}({name}Op),\n");
        out += &format!(
            "\n/// The operations of [`Class::{name}`]; each number is the opcode.\n\
             #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n#[repr(u8)]\npub enum {name}Op {{\n"
        );
        let (mut to, mut from) = (String::new(), String::new());
        for i in instructions.iter().filter(|i| i.class == class) {
            let op = camel(&i.mnemonic);
            out += &format!("    /// `{}`: {}\n    {op} = {:#04x},\n", i.mnemonic, i.summary, i.opcode);
            to += &format!("            {name}Op::{op} => Op::{op},\n");
            from += &format!("            Op::{op} => Ok({name}Op::{op}),\n");
            arms += &format!("            Op::{op} => ClassedOp::{name}({name}Op::{op}),\n");
        }
        out += &format!(
            "}}\n\nimpl From<{name}Op> for Op {{\n    fn from(op: {name}Op) -> Op {{\n        match op {{\n{to}        }}\n    }}\n}}\n\n\
             impl TryFrom<Op> for {name}Op {{\n    /// The operation, which is of another class.\n    type Error = Op;\n\n    \
             fn try_from(op: Op) -> Result<{name}Op, Op> {{\n        match op {{\n{from}            other => Err(other),\n        \
             }}\n    }}\n}}\n"
        );
    }
    out + &sorted
        + &format!(
            "}}\n\nimpl Op {{\n    /// The operation within its class.\n    #[inline]\n    \
             pub const fn classed(self) -> ClassedOp {{\n        match self {{\n{arms}        }}\n    }}\n}}\n"
        )
}

/// The builder's methods, one an instruction: operands in the assembler's order, each of its own type.
fn builder(instructions: &[Instruction]) -> String {
    let mut out = String::from("impl Assembly {\n");
    for i in instructions {
        let (mut parameters, mut arguments) = (String::new(), String::new());
        for name in &i.operands {
            let (kind, argument) = match name.as_str() {
                "imm16" | "uimm16" => ("impl Into<Value>", "Number"),
                "label" => ("&Label", "Label"),
                "special" => ("Special", "Special"),
                "route" => ("impl Into<Value>", "Number"),
                "memory" => ("Memory", "Memory"),
                "row" => ("RowMemory", "Row"),
                "strided" => ("StridedMemory", "Strided"),
                "table" => ("TableMemory", "Table"),
                "base" => ("impl Into<Scalar>", "Base"),
                _ => match &name[..1] {
                    "r" => ("impl Into<Scalar>", "Scalar"),
                    "v" => ("impl Into<Vector>", "Vector"),
                    _ => ("impl Into<Predicate>", "Predicate"),
                },
            };
            let value = match kind {
                "&Label" => format!("{name}.clone()"),
                _ if kind.starts_with("impl") => format!("{name}.into()"),
                _ => name.clone(),
            };
            parameters += &format!(", {name}: {kind}");
            arguments += &format!("Argument::{argument}({value}), ");
        }
        // `loop` is a word of the language.
        let method = if i.mnemonic == "loop" { "loop_" } else { &i.mnemonic };
        out += &format!(
            "    /// `{}`: {}\n    ///\n    /// `{}`\n    #[track_caller]\n    \
             pub fn {method}(&mut self{parameters}) -> Line<'_> {{\n        \
             self.push(Op::{}, vec![{}])\n    }}\n\n",
            i.mnemonic,
            i.summary.replace('[', "\\[").replace(']', "\\]"),
            if i.semantics.is_empty() { "nothing" } else { &i.semantics },
            camel(&i.mnemonic),
            arguments.trim_end_matches(", ")
        );
    }
    out + "}\n"
}
