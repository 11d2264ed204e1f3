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
             operand_bits: {used:#x}, summary: {:?}, semantics: {:?}, cycles: Cycles::{}, energy: Energy::{}, \
             access: Access::{}, updates: {:?}, example: {:?}, since: {} }},",
            camel(&i.mnemonic),
            i.opcode,
            i.mnemonic,
            operands.join(", "),
            i.operands,
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
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("table.rs"), out)
        .expect("OUT_DIR is writable");
}
