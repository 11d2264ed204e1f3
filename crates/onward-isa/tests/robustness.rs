//! The assembler answers every text with a program or with messages, never with a panic.

mod support;

use onward_diagnostic::Source;
use onward_isa::{AssemblyErrors, assemble, assemble_with, disassemble};
use proptest::prelude::*;
use support::{cases, program};

/// Assembles a text and shows what is wrong with it; whatever the text, this returns.
fn survives(text: &str) {
    let source = Source::new("test.s", text);
    if let Err(errors) = assemble(&source) {
        assert!(!errors.is_empty());
        assert!(source.render(&errors).contains("error: "));
        for error in &errors {
            assert!(error.span.start <= error.span.end && error.span.end <= text.len(), "{error:?}");
        }
    }
}

/// Pieces of which programs are made, right and wrong.
const PIECES: &[&str] = &[
    "add",
    "vaccr",
    "loop",
    "foreach",
    "bne",
    "special",
    "vlut",
    "spike",
    " r1",
    " r16",
    " v0",
    " p3",
    " n32[",
    "s16[row ",
    "]",
    " : ",
    ":",
    ",",
    ", ",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\t",
    ";",
    "#",
    "x",
    "y",
    "x:",
    "\ny:\n",
    "(",
    ")",
    "+",
    "-",
    "*",
    "/",
    "%",
    "<<",
    ">>",
    "&",
    "|",
    "~",
    "0",
    "1",
    "12",
    "0x",
    "0xff",
    "0b10",
    "9223372036854775807",
    "99999999999999999999",
    "\n.equ ",
    "\n.reg ",
    "\n.section n\n",
    "\n.section code\n",
    "\n.byte ",
    "\n.half ",
    "\n.word ",
    "\n.nibble ",
    "\n.fill ",
    "\n.zero ",
    "\n.align ",
    "\n.org ",
    "\n.include \"a\"\n",
    "\n.macro ",
    "\n.macro m x, y\n",
    "\n.endm\n",
    "\nm x, y\n",
    "\nm ",
    "\"",
    "ä",
    "\u{2028}",
    "\0",
    ".",
    "row",
    "é:",
];

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn any_text(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        survives(&pieces.concat());
    }

    /// Programs with some bytes exchanged.
    #[test]
    fn mutated_programs(program in program(), changes in prop::collection::vec((any::<prop::sample::Index>(), 0x20..0x7f_u8), 1..8)) {
        let mut text = disassemble(&program, &[]).into_bytes();
        for (at, byte) in changes {
            if !text.is_empty() {
                *at.get_mut(&mut text) = byte;
            }
        }
        survives(&String::from_utf8(text).expect("only ASCII"));
    }

    /// Files that include each other at random: each run ends.
    #[test]
    fn any_includes(texts in prop::collection::vec(prop::collection::vec(0..5_usize, 0..4), 5)) {
        let text = |at: usize| {
            let lines: String = texts[at].iter().map(|other| format!(".include \"{other}\"\nnop\n")).collect();
            Source::new(at.to_string(), lines)
        };
        let result = assemble_with(&text(0), &mut |_, path| Ok(text(path.parse().expect("a number"))));
        if let Err(errors) = result {
            prop_assert!(errors.to_string().contains("includes itself"));
        }
    }
}

#[test]
fn deep_and_long_texts() {
    let nested = |open: &str, close: &str| format!("addi r1, r0, {}1{}", open.repeat(100_000), close.repeat(100_000));
    survives(&nested("(", ")"));
    survives(&nested("-", ""));
    survives(&nested("1+", ""));
    survives(&nested("(1+", ")"));
    survives(&"x:".repeat(10_000));
    survives(&format!("nop {}", "1,".repeat(10_000)));
    survives(".section n\n.zero 1 << 62\n.fill 1 << 25, 1, 32\n.zero 33000000\n.zero 33000000\n.zero 33000000");
    // Constants that need constants, forward and backward.
    let chain = |from: usize, to: usize| format!(".equ C{from}, C{to} + 1\n");
    survives(&(0..5_000).map(|at| chain(at, at + 1)).collect::<String>());
    let backward: String = (0..5_000).map(|at| chain(at + 1, at)).collect();
    let program = assemble(&Source::new("test.s", format!(".equ C0, 0\n.section n\n.align C0 + 1\n{backward}")));
    assert!(program.is_ok());
}

#[test]
fn macros_that_explode_are_stopped() {
    let mut text = String::from(".macro m0\nnop\n.endm\n");
    for level in 1..30 {
        text += &format!(".macro m{level}\nm{0}\nm{0}\n.endm\n", level - 1);
    }
    let errors = assemble(&Source::new("test.s", text + "m29\n")).expect_err("half a billion instructions");
    assert!(errors[0].message.contains("too long"), "{errors:?}");
}

#[test]
fn errors_name_the_included_file() {
    let main = Source::new("main.s", ".include \"macros.s\"\n    twice 40000\n.include \"missing.s\"\n");
    let macros = ".macro twice n\n    addi r1, r0, n\n    addi r2, r0, m\n.endm\n    ad r1, r2, r3\n";
    let mut read = |including: &str, path: &str| match path {
        "macros.s" => Ok(Source::new(path, macros)),
        _ => Err(format!("{including}: no such file")),
    };
    let errors: AssemblyErrors = assemble_with(&main, &mut read).expect_err("mistakes in both files");
    let expected = "\
error: unknown name `m`
 --> main.s:2:5
  |
2 |     twice 40000
  |     ^^^^^^^^^^^ no label, constant or register has this name
  |
  = note: in the macro `twice`, macros.s:3: `addi r2, r0, m`

error: the number 40000 does not fit into `addi`
 --> main.s:2:11
  |
2 |     twice 40000
  |           ^^^^^ allowed is -32768 to 32767
  |
  = note: in the macro `twice`, macros.s:2: `addi r1, r0, n`
  = help: a larger number goes through a register: `lui` loads its upper half, `ori` its lower

error: `missing.s` cannot be included
 --> main.s:3:10
  |
3 | .include \"missing.s\"
  |          ^^^^^^^^^^^ main.s: no such file

error: unknown instruction `ad`
 --> macros.s:5:5
  |
5 |     ad r1, r2, r3
  |     ^^ neither an instruction nor a macro
  |
  = note: included at main.s:1
  = help: did you mean `add`?
";
    assert_eq!(format!("{errors}\n"), expected);
}
