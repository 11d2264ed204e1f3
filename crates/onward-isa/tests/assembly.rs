//! What the parts of the language mean.

use onward_diagnostic::Source;
use onward_isa::{Data, Instruction, Program, Space, assemble, assemble_with, read_relative};

fn program(text: &str) -> Program {
    let source = Source::new("test.s", text);
    assemble(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// The instructions of a text as the disassembler would write them.
fn instructions(text: &str) -> Vec<String> {
    let words = program(text).words;
    words
        .iter()
        .map(|&word| Instruction::decode(word).map_or_else(|_| format!("{word:#x}"), |i| i.to_string()))
        .collect()
}

/// The value of an expression.
fn value(expression: &str) -> i64 {
    program(&format!(".equ A, 12\n.equ X, {expression}\n")).constants.iter().find(|(name, _)| name == "X").expect("X").1
}

/// The message of the only thing wrong with a text.
fn message(text: &str) -> String {
    let errors = assemble(&Source::new("test.s", text)).expect_err(text);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].message.clone()
}

#[test]
fn expressions() {
    assert_eq!(value("1 + 2 * 3"), 7);
    assert_eq!(value("(1 + 2) * 3"), 9);
    assert_eq!(value("7 - 2 - 1"), 4);
    assert_eq!(value("-7 / 2"), -3);
    assert_eq!(value("-7 % 3"), -1);
    assert_eq!(value("1 << 4 + 1"), 32);
    assert_eq!(value("0xff & ~0b1010 | 0x100"), 0x1f5);
    assert_eq!(value("-256 >> 4"), -16);
    assert_eq!(value("1_000 + A"), 1012);
    assert_eq!(value("--+A"), 12);
    assert_eq!(value("-1 << 63"), i64::MIN);
    assert_eq!(value("0x7fff_ffff_ffff_ffff"), i64::MAX);
    assert_eq!(message(".equ X, 1 << 63"), "this number does not fit 64 bits");
    assert_eq!(message(".equ X, 1 << 64"), "a shift by 64");
    assert_eq!(message(".equ X, 0x7fff_ffff_ffff_ffff + 1"), "this number does not fit 64 bits");
    assert_eq!(message(".equ X, 5 % 0"), "a division by zero");
}

#[test]
fn names_and_operands() {
    let text = "
        .equ MEMBRANE, 64
        .equ BIAS, MEMBRANE + SIZE     ; defined below
        .reg axon, r3
        .reg weights, v2
        .equ SIZE, 4 * 8
        vld v0, n32[MEMBRANE]          # the base is r0
        vld weights, n32[axon + BIAS]
        ld r1, n32[MEMBRANE - 1 + axon - 2]
        vldr weights, s16[row axon - 1]
        vlds weights, n32[axon + 2 : r3]
        vlut v0, weights, n16[axon], r3
        addi axon, r0, -SIZE
        special r1, position
        spike p0, SIZE / 32
        lui r1, 0x12345678 >> 16
        ori r1, r1, 0x12345678 & 0xffff
    ";
    let expected = [
        "vld v0, n32[r0+64]",
        "vld v2, n32[r3+96]",
        "ld r1, n32[r3+61]",
        "vldr v2, s16[row r3-1]",
        "vlds v2, n32[r3+2 : r3]",
        "vlut v0, v2, n16[r3], r3",
        "addi r3, r0, -32",
        "special r1, position",
        "spike p0, 1",
        "lui r1, 4660",
        "ori r1, r1, 22136",
    ];
    assert_eq!(instructions(text), expected);
}

#[test]
fn labels_and_distances() {
    let text = "start: jmp end\nfirst: second: nop\njmp second\njmp -2\njmp first + 1\naddi r1, r0, end - start\nend:";
    let expected = ["jmp 6", "nop", "jmp -1", "jmp -2", "jmp -2", "addi r1, r0, 6"];
    assert_eq!(instructions(text), expected);
    let labels = [("start", 0), ("first", 1), ("second", 1), ("end", 6)].map(|(name, at)| (name.to_owned(), at));
    assert_eq!(program(text).labels, labels);
    assert_eq!(message("x: addi r1, r0, x"), "the third operand of `addi` is a code label");
    assert_eq!(message("x: nop\n.equ Y, x * 2"), "a code label stands where only numbers can be computed with");
    // Where a label lies cannot be guessed: both ends of the range are exact.
    let far = |nops: usize| format!("jmp end\n{}end:\n", "nop\n".repeat(nops));
    assert_eq!(Instruction::decode(program(&far(32766)).words[0]).expect("jmp").imm, 32767);
    assert_eq!(message(&far(32767)), "`jmp` cannot reach that far: 32768 instructions");
}

#[test]
fn lines_of_words() {
    let text = "\n.macro two\nnop\nnop\n.endm\nnop ; line 6\ntwo\n\n.word 1, 2\n";
    let program = program(text);
    assert_eq!(program.lines, [6, 7, 7, 9, 9]);
    assert_eq!(program.file_of_line, [0; 5]);
    assert_eq!(program.files, ["test.s"]);
}

#[test]
fn data_of_memories() {
    let text = "
        nop
        .section s
        .nibble 1, -2, 3
        .nibble -4
        .nibble 7
        .align 4
    second:
        .half 0x1234, -2
        .section n
        .byte 255, -1
        .section s
        .fill 2, 3, 16
        .section a
        .org 8
    traces:
        .zero 2
        .org 16
        .word traces / 2, -1
        .section code
        .word 0xffffffff
        addi r1, r0, second / 2
    ";
    let program = program(text);
    assert_eq!(program.words.len(), 3);
    assert_eq!(program.words[1], u32::MAX);
    assert_eq!(Instruction::decode(program.words[2]).expect("addi").imm, 2);
    let data = |space, offset, bytes: &[u8]| Data { space, offset, bytes: bytes.to_vec() };
    let expected = [
        data(Space::Neuron, 0, &[0xff, 0xff]),
        data(Space::Axon, 8, &[0, 0]),
        data(Space::Axon, 16, &[4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
        data(Space::Synapse, 0, &[0xe1, 0xc3, 0x07, 0, 0x34, 0x12, 0xfe, 0xff, 3, 0, 3, 0]),
    ];
    assert_eq!(program.data, expected);
    let labels = [("traces".to_owned(), Space::Axon, 8), ("second".to_owned(), Space::Synapse, 4)];
    assert_eq!(program.data_labels, labels);
}

#[test]
fn macros() {
    let text = "
        .equ LEAK, 3
        count r2, 5, done, s8
        count r3, 6 + LEAK, finished, s16
        jmp done
        .macro count register, number, end, memory
        .equ twice, number * 2
        addi register, r0, twice
    again:
        vaccr v0, memory[row register]
        step register
        bne register, r0, again
        jmp end
    end:
        .endm
        .macro step register
    again:
        addi register, register, -1
        beq register, r0, again
        .endm
    ";
    let expected = [
        "addi r2, r0, 10",
        "vaccr v0, s8[row r2]",
        "addi r2, r2, -1",
        "beq r2, r0, -1",
        "bne r2, r0, -3",
        "jmp 1",
        "addi r3, r0, 18",
        "vaccr v0, s16[row r3]",
        "addi r3, r3, -1",
        "beq r3, r0, -1",
        "bne r3, r0, -3",
        "jmp 1",
        "jmp -6",
    ];
    assert_eq!(instructions(text), expected);
    // Labels of the macro are its own; a label given as an argument is the caller's.
    let names: Vec<String> = program(text).labels.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["done", "finished"]);
    // An argument is a value, not a text: no parentheses are missing.
    assert_eq!(instructions(".macro m a\naddi r1, r0, a * 2\n.endm\nm 1 + 2"), ["addi r1, r0, 6"]);
    assert_eq!(instructions(".macro m a\nld r1, a\n.endm\nm n32[r2 + 4]"), ["ld r1, n32[r2+4]"]);
    // A name of the caller means the caller's, though the macro has one that is called the same.
    assert_eq!(instructions(".macro m a\n.equ N, 1\naddi r1, r0, a + N\n.endm\n.equ N, 10\nm N"), ["addi r1, r0, 11"]);
}

#[test]
fn purposes() {
    let text = "\
nop
.purpose \"gate\"
nop
.purpose \"left out at once\"
.purpose \"gate\"
nop
.purpose
nop
.macro marked text
.purpose text
nop
.endm
marked \"weights, and more\"
.purpose \"of nothing\"
";
    let named = |names: &[(&str, u32)]| names.iter().map(|&(name, at)| (name.to_owned(), at)).collect::<Vec<_>>();
    assert_eq!(program(text).purposes, named(&[("gate", 1), ("", 3), ("weights, and more", 4)]));
    assert_eq!(program(text).words.len(), 5);
    assert_eq!(program("nop\n.purpose\nnop").purposes, []);
    for wrong in [".purpose gate", ".purpose \"a\", \"b\"", ".purpose 3"] {
        assert_eq!(message(&format!("{wrong}\nnop")), "these are not the operands of `.purpose`");
    }
}

#[test]
fn includes() {
    let main = Source::new("folder/main.s", ".include \"common.s\"\n addi r1, r0, SIZE\n clear r2\n");
    let mut asked = Vec::new();
    let program = assemble_with(&main, &mut |including, path| {
        asked.push((including.to_owned(), path.to_owned()));
        Ok(Source::new(format!("folder/{path}"), ".equ SIZE, 7\n.macro clear r\naddi r, r0, 0\n.endm\n\nnop\n"))
    })
    .expect("right");
    assert_eq!(asked, [("folder/main.s".to_owned(), "common.s".to_owned())]);
    assert_eq!(program.files, ["folder/main.s", "folder/common.s"]);
    assert_eq!((program.lines, program.file_of_line), (vec![6, 2, 3], vec![1, 0, 0]));
    assert_eq!(message(".include \"a\""), "`a` cannot be included");
}

#[test]
fn a_file_that_includes_itself() {
    let folder = std::env::temp_dir().join(format!("onward-isa-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("inner")).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    write("inner/a.s", "nop\n.include \"../b.s\"\n");
    write("b.s", "stay\n.include \"inner/../inner/a.s\"\n");
    let main = Source::new(folder.join("main.s").display().to_string(), ".include \"inner/a.s\"\n");
    let errors = assemble_with(&main, &mut read_relative).expect_err("a cycle");
    std::fs::remove_dir_all(&folder).expect("the folder");
    assert_eq!(errors.diagnostics.len(), 1, "{errors}");
    assert_eq!(errors.diagnostics[0].1.message, "`inner/../inner/a.s` includes itself");
}
