//! The reference manual of the instruction set, written from the table.

use crate::{
    Instruction,
    assembler::DIRECTIVES,
    table::{Access, Cycles, Description, Energy, INSTRUCTIONS, Op, Operand, RegisterKind, SPACES, SPECIALS},
};
use std::fmt::Write;

/// The whole manual as Markdown; `docs/src/instructions.md` is this text.
pub fn manual() -> String {
    let mut text = String::from(
        "<!-- Written by onward_isa::manual from isa/instructions.toml: change the table, then run\n     \
         SNAPSHOTS=overwrite cargo test -p onward-isa --test manual -->\n\n# Instructions\n\n",
    );
    text += "A core executes instructions of 32 bits, one a cycle unless said otherwise. ";
    let _ = writeln!(text, "There are {} of them.\n", INSTRUCTIONS.len());
    text += &overview();
    text += &registers();
    text += &spaces();
    text += "## The random generator\n\n";
    text += &generator();
    text += "\n## Cycles and energy\n\n";
    text += "B is `ceil(VL / lanes)`, the beats of a vector; at least one is taken.\n\n| word | cycles |\n|---|---|\n";
    for cycles in Cycles::ALL {
        let _ = writeln!(text, "| {} | {} |", cycles.name(), cycles.rule());
    }
    text += "\nAn execution costs its fetch, its memory accesses by their bits, and the figure that its energy class names in the \
             technology file:\n\n| class | charged |\n|---|---|\n";
    for energy in Energy::ALL {
        let _ = writeln!(text, "| {} | {} |", energy.name(), energy.rule());
    }
    text += "\n## Assembly\n\n";
    text += include_str!("assembler/assembly.md");
    text += "\n| directive | it |\n|---|---|\n";
    for (form, summary) in DIRECTIVES {
        let _ = writeln!(text, "| `{form}` | {summary} |");
    }
    text += "\n## Each instruction\n\nIn the order of their opcodes. Bits that no operand uses are zero.\n";
    for row in INSTRUCTIONS {
        let _ = write!(text, "\n### {}\n\n{}\n", row.mnemonic, row.summary);
        let _ = write!(text, "\n```text\n{}\n", form(row));
        if !row.semantics.is_empty() {
            let _ = write!(text, "\n    {}\n", row.semantics);
        }
        let _ = write!(text, "\n{}```\n\n", diagram(row));
        for (name, meaning) in operands(row) {
            let _ = writeln!(text, "- `{name}`: {meaning}");
        }
        for (what, value) in facts(row) {
            let _ = writeln!(text, "- {what}: {value}");
        }
    }
    text
}

/// What the manual says about one instruction, for the terminal; `None` if there is no such mnemonic.
///
/// ```
/// assert!(onward_isa::manual_entry("vaccr").unwrap().starts_with("vaccr vd, row\n"));
/// assert_eq!(onward_isa::manual_entry("mov"), None);
/// ```
pub fn manual_entry(mnemonic: &str) -> Option<String> {
    let row = Op::from_mnemonic(mnemonic)?.description();
    let mut text = format!("{}\n\n", form(row));
    for line in wrap(row.summary, 92) {
        let _ = writeln!(text, "    {line}");
    }
    if !row.semantics.is_empty() {
        let _ = write!(text, "\n    {}\n", row.semantics);
    }
    text.push('\n');
    for line in diagram(row).lines() {
        let _ = writeln!(text, "    {line}");
    }
    text.push('\n');
    let operands = operands(row);
    let facts = facts(row).into_iter().map(|(what, value)| (what, value.replace('`', "")));
    let lines: Vec<(&str, String)> = operands.into_iter().chain(facts).collect();
    let width = lines.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
    for (what, value) in lines {
        let _ = writeln!(text, "    {what:width$}  {value}");
    }
    Some(text)
}

/// `add rd, ra, rb`.
pub(crate) fn form(row: &Description) -> String {
    format!("{} {}", row.mnemonic, row.operand_names.join(", ")).trim_end().to_owned()
}

fn overview() -> String {
    let mut text = String::from("| instruction | does | cycles |\n|---|---|---|\n");
    for row in INSTRUCTIONS {
        let semantics =
            if row.semantics.is_empty() { String::new() } else { format!("`{}`", row.semantics.replace('|', "\\|")) };
        let _ = writeln!(text, "| [`{}`](#{}) | {semantics} | {} |", form(row), row.mnemonic, row.cycles.name());
    }
    text + "\n"
}

fn registers() -> String {
    let mut text = String::from("## Registers\n\n| registers | hold |\n|---|---|\n");
    for kind in RegisterKind::ALL {
        let holds = match kind {
            RegisterKind::Scalar => "32 bits, signed; r0 reads as 0, writes to it are lost",
            RegisterKind::Vector => "elements of 32 bits, signed, as many as the chip's longest vector",
            RegisterKind::Predicate => "a bit for each element",
        };
        let _ = writeln!(text, "| {} | {holds} |", kind.range());
    }
    text += "\nBeside them a core has the vector length VL (`setvl`), the row length ROW (`setrow`), and special registers that \
             are only read (`special`):\n\n| number | name | meaning |\n|---|---|---|\n";
    for (number, (name, meaning)) in SPECIALS.iter().enumerate() {
        let _ = writeln!(text, "| {number} | {name} | {meaning} |");
    }
    text + "\n"
}

fn spaces() -> String {
    let mut text = String::from(
        "## Memory spaces\n\nEach block sees its own part of a memory, from address 0. Addresses count elements of the width in the text. \
         Elements are signed and little-endian, 4-bit ones low nibble first. In a word, bits 15..14 hold the space and 13..12 \
         the width (0 to 3 for 4, 8, 16, 32 bits); in `vlut`, bits 7..6 and 5..4.\n\n\
         | number | letter | memory | element widths | access |\n|---|---|---|---|---|\n",
    );
    for (number, space) in SPACES.iter().enumerate() {
        let widths: Vec<String> = space.widths.iter().map(u8::to_string).collect();
        let access = if space.writable { "read and write" } else { "read" };
        let _ = writeln!(text, "| {number} | {} | {} | {} | {access} |", space.letter, space.name, widths.join(", "));
    }
    text + "\n"
}

/// The description at the head of `random.rs`, where the generator is programmed.
fn generator() -> String {
    let head = include_str!("random.rs").lines().map_while(|line| line.strip_prefix("//!"));
    head.flat_map(|line| [line.strip_prefix(' ').unwrap_or(line), "\n"]).collect()
}

impl Cycles {
    const ALL: [Cycles; 10] = [
        Cycles::One,
        Cycles::Jump,
        Cycles::Branch,
        Cycles::Load,
        Cycles::Update,
        Cycles::Vector,
        Cycles::VectorMemory,
        Cycles::Element,
        Cycles::Reduce,
        Cycles::Send,
    ];

    /// The table's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Cycles::One => "one",
            Cycles::Jump => "jump",
            Cycles::Branch => "branch",
            Cycles::Load => "load",
            Cycles::Update => "update",
            Cycles::Vector => "vector",
            Cycles::VectorMemory => "vector-memory",
            Cycles::Element => "element",
            Cycles::Reduce => "reduce",
            Cycles::Send => "send",
        }
    }

    /// How many there are, as Markdown.
    fn rule(self) -> &'static str {
        match self {
            Cycles::One => "1",
            Cycles::Jump | Cycles::Load | Cycles::Update => "2",
            Cycles::Branch => "1, and 2 when taken",
            Cycles::Vector => "`max(1, B)`",
            Cycles::VectorMemory => "`max(1, B) * ceil(element width / port width a lane)`",
            Cycles::Element => "`max(1, VL)`",
            Cycles::Reduce => "`max(1, B) + log2(lanes)`",
            Cycles::Send => "1 + packets offered * destinations of the route, and what the network makes it wait",
        }
    }
}

impl Energy {
    const ALL: [Energy; 6] = [
        Energy::None,
        Energy::Scalar,
        Energy::ScalarMultiply,
        Energy::VectorAdd,
        Energy::VectorMultiply,
        Energy::VectorRandom,
    ];

    /// The table's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Energy::None => "none",
            Energy::Scalar => "scalar",
            Energy::ScalarMultiply => "scalar-multiply",
            Energy::VectorAdd => "vector-add",
            Energy::VectorMultiply => "vector-multiply",
            Energy::VectorRandom => "vector-random",
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Energy::None => "nothing more",
            Energy::Scalar | Energy::ScalarMultiply => "once",
            Energy::VectorAdd | Energy::VectorMultiply | Energy::VectorRandom => "for each of the VL elements",
        }
    }
}

/// What each operand can be and where it sits, by its name.
fn operands(row: &Description) -> Vec<(&'static str, String)> {
    let meaning = |operand: Operand| {
        let range = operand.range().map_or(String::new(), |(min, max)| format!("{min} to {max}"));
        match operand {
            Operand::Scalar(_) | Operand::Vector(_) | Operand::Predicate(_) => {
                operand.register().map_or(String::new(), |(kind, _)| format!("{}, {}", kind.name(), kind.range()))
            }
            Operand::Signed | Operand::Unsigned => format!("number, {range}"),
            Operand::Label => format!("distance in instructions from this one, {range}"),
            Operand::Special => "special register, by its number".into(),
            Operand::Route => format!("route of the block, {range}"),
            Operand::Memory => format!("space and width, base register, offset in elements {range}"),
            Operand::Row => format!("space and width, base register, offset in rows {range}"),
            Operand::Strided => format!("space and width, base register, stride register, offset in elements {range}"),
            Operand::Table => "space and width, base register".into(),
            Operand::Base => "scalar register, r0 to r15; r0 where it is left out".into(),
        }
    };
    row.operand_names.iter().copied().zip(row.operands.iter().map(|&operand| meaning(operand))).collect()
}

/// Time, memory, cost, example.
fn facts(row: &Description) -> Vec<(&'static str, String)> {
    let access = match row.access {
        Access::None => "none",
        Access::Read => "read",
        Access::Write => "write",
        Access::Update => "read and write",
    };
    let besides = row.updates.map_or(String::new(), |bits| format!("; n{bits} read and write"));
    let word = row.example_word().map_or(String::new(), |word| format!(" is `{word:#010x}`"));
    let rule = row.cycles.rule();
    let beats = if rule.contains('B') { ", B being `ceil(VL / lanes)`" } else { "" };
    vec![
        ("cycles", format!("{rule}{beats}")),
        ("memory", format!("{access}{besides}")),
        ("energy", row.energy.name().to_owned()),
        ("since", format!("version {}", row.since)),
        ("example", format!("`{}`{word}", row.example)),
    ]
}

impl Description {
    /// The word of the example.
    fn example_word(&self) -> Option<u32> {
        let source = onward_diagnostic::Source::new(self.mnemonic, self.example);
        let word = *crate::assemble(&source).ok()?.words.first()?;
        Instruction::decode(word).is_ok().then_some(word)
    }
}

/// The fields of a word from bit 31 on: highest bit, lowest bit, content.
fn fields(row: &Description) -> Vec<(u32, u32, String)> {
    let mut fields = vec![(31, 24, format!("{:#04x}", row.opcode))];
    for (&operand, name) in row.operands.iter().zip(row.operand_names) {
        if let Some((_, field)) = operand.register() {
            fields.push((field.shift() + 3, field.shift(), (*name).to_owned()));
            continue;
        }
        let more: &[(u32, u32, &str)] = match operand {
            Operand::Memory | Operand::Row => {
                &[(19, 16, "ra"), (15, 14, "space"), (13, 12, "width"), (11, 0, "offset")]
            }
            Operand::Strided => {
                &[(19, 16, "ra"), (15, 14, "space"), (13, 12, "width"), (11, 8, "rc"), (7, 0, "offset")]
            }
            Operand::Table => &[(15, 12, "rb"), (7, 6, "space"), (5, 4, "width")],
            Operand::Route => &[(11, 0, "route")],
            _ => &[(15, 0, name)],
        };
        fields.extend(more.iter().map(|&(high, low, name)| (high, low, name.to_owned())));
    }
    fields.sort_by_key(|field| std::cmp::Reverse(field.0));
    let mut all = Vec::new();
    let mut next = 32; // one above the highest bit not yet shown
    for field in fields {
        if field.0 + 1 < next {
            all.push((next - 1, field.0 + 1, "0".to_owned()));
        }
        next = field.1;
        all.push(field);
    }
    if next > 0 {
        all.push((next - 1, 0, "0".to_owned()));
    }
    all
}

/// The word as boxes, with the bits above them.
fn diagram(row: &Description) -> String {
    let (mut bits, mut line, mut boxes) = (String::from(" "), String::from("+"), String::from("|"));
    for (high, low, name) in fields(row) {
        let (high, low) = (high.to_string(), low.to_string());
        let width = (high.len() + low.len() + 1).max(name.len() + 2);
        let _ = write!(bits, "{high}{low:>rest$} ", rest = width - high.len());
        line += &format!("{}+", "-".repeat(width));
        let _ = write!(boxes, "{name:^width$}|");
    }
    format!("{}\n{line}\n{boxes}\n{line}\n", bits.trim_end())
}

/// The text in lines of at most so many characters, where its words allow.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() < width => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
