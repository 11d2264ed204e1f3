//! The directives.

/// A word with a dot: it places data, names things or steers the assembler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    Equ,
    Reg,
    Section,
    Origin,
    Align,
    Nibble,
    Byte,
    Half,
    Word,
    Fill,
    Zero,
    Include,
    Purpose,
    Macro,
    EndMacro,
}

/// How each directive is written, and what it does: for the manual.
pub(crate) static DIRECTIVES: [(&str, &str); Directive::ALL.len()] = {
    let mut rows = [("", ""); Directive::ALL.len()];
    let mut at = 0;
    while at < rows.len() {
        rows[at] = (Directive::ALL[at].2, Directive::ALL[at].3);
        at += 1;
    }
    rows
};

impl Directive {
    /// All directives: name, form, what each does.
    pub const ALL: [(Directive, &str, &str, &str); 15] = [
        (Directive::Equ, ".equ", ".equ NAME, expression", "names a number"),
        (Directive::Reg, ".reg", ".reg NAME, r5", "names a register"),
        (Directive::Section, ".section", ".section n", "continues with `code` or with a memory, by its letter"),
        (Directive::Origin, ".org", ".org offset", "continues at this byte offset of the memory"),
        (Directive::Align, ".align", ".align bytes", "fills with zeros up to a multiple of so many bytes"),
        (Directive::Nibble, ".nibble", ".nibble value, ...", "places 4-bit numbers, low nibble first"),
        (Directive::Byte, ".byte", ".byte value, ...", "places 8-bit numbers"),
        (Directive::Half, ".half", ".half value, ...", "places 16-bit numbers"),
        (Directive::Word, ".word", ".word value, ...", "places 32-bit numbers, also between instructions"),
        (
            Directive::Fill,
            ".fill",
            ".fill count, value",
            "places a number count times; a third operand is its width in bits, else 8",
        ),
        (Directive::Zero, ".zero", ".zero bytes", "places so many zero bytes"),
        (Directive::Include, ".include", ".include \"file\"", "reads another file here"),
        (
            Directive::Purpose,
            ".purpose",
            ".purpose \"text\"",
            "says what the instructions from here on are for, until the next one; without a text, nothing in particular",
        ),
        (Directive::Macro, ".macro", ".macro NAME parameter, ...", "begins a macro"),
        (Directive::EndMacro, ".endm", ".endm", "ends a macro"),
    ];

    /// The directive with this name.
    pub fn from_name(name: &str) -> Option<Directive> {
        Directive::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    fn row(self) -> &'static (Directive, &'static str, &'static str, &'static str) {
        // The table is in the order of the enum; a test checks it.
        &Directive::ALL[self as usize]
    }

    /// Its name, with the dot.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// How it is written.
    pub fn form(self) -> &'static str {
        self.row().2
    }

    /// What it does, after `it`.
    pub fn summary(self) -> &'static str {
        self.row().3
    }

    /// The bits of the numbers it places.
    pub fn bits(self) -> Option<u32> {
        match self {
            Directive::Nibble => Some(4),
            Directive::Byte => Some(8),
            Directive::Half => Some(16),
            Directive::Word => Some(32),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (at, row) in Directive::ALL.iter().enumerate() {
            assert_eq!(row.0 as usize, at);
            assert!(row.2.starts_with(row.1));
        }
    }
}
