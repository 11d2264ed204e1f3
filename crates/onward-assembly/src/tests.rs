use super::*;
use onward_image::{BlockIndex, Core, Delivery, Destination, HostInputKind, PopulationIndex, ProgramIndex};

fn small() -> Chip {
    Chip::builtin("small").expect("a built-in chip")
}

fn none(_: &str, path: &str) -> Result<Source, String> {
    Err(format!("{path}: not here"))
}

fn assembled(text: &str) -> System {
    assemble_system(&Source::new("dir/test.s", text), &small(), &mut none).unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors_of(text: &str) -> String {
    match assemble_system(&Source::new("test.s", text), &small(), &mut none) {
        Ok(_) => panic!("nothing is wrong with {text}"),
        Err(errors) => errors.render(),
    }
}

/// A system with a line more.
fn with(line: &str) -> String {
    format!(
        ".equ N, 4\n.block a, 0, 0, start, 2 * N\n.block b, 1, 1, start, N\n.route a, 0, N, b\n\
         .input knock, N, a\n.steps 10\n{line}\nstart: sleep\n"
    )
}

#[test]
fn a_system_becomes_an_image() {
    let system = assembled(
        "
        .equ OUT, 1
        .block first, 0, 0, start, 8
        .block second, 1, 0, here, 4, tagged
        .block third, 0, 1, here, 4
        .route first, 0, 4, second
        .route first, 0, 4, third            ; two takers: a tree
        .route first, OUT, 2, host
        .route second, 0, 3                  ; leads nowhere
        .input knock, 4, first, OUT + 1
        .packet 2..8 by 3, knock, 1..2, -5
        .steps 20
        .array table, n16[1], 2, 3
        .contents second, n8[1], 0xff, 3
start:  nop
here:   sleep
        .section n
        .byte 1, 2
        ",
    );
    let image = &system.image;
    assert_eq!(image.network.name, "test");
    let [first, second, third] = &image.blocks.raw[..] else { panic!("three blocks") };
    assert_eq!((first.core, first.entry, first.axons, first.tagged), (Core(0), 0, 8, false));
    assert_eq!((second.core, second.entry, second.axons, second.tagged), (Core(1), 1, 4, true));
    assert_eq!((&first.contents[0][..], &second.contents[0][..]), (&[1, 2][..], &[1, 0xff, 3][..]));
    assert_eq!(third.memory_bytes, [256; 3]);
    assert_eq!(first.routes[0].flits.len(), 1);
    assert!(matches!(first.routes[0].flits[0].destination, Destination::Multicast(_)));
    assert_eq!(
        (first.routes[1].name.as_str(), &first.routes[1].flits[0].deliveries[..]),
        ("out", &[Delivery::Host][..])
    );
    assert_eq!((second.routes[0].indices, second.routes[0].flits.len()), (3, 0));
    let input = &image.host_inputs[0];
    assert_eq!((input.kind, input.route.name.as_str()), (HostInputKind::Packets, "knock"));
    assert_eq!(input.route.flits[0].deliveries, [Delivery::Block { block: BlockIndex(0), first_axon: 2 }]);
    let packet = |step, index| Stimulus { step, input: 0, index, payload: -5 };
    assert_eq!(system.stimuli, [packet(2, 1), packet(2, 2), packet(5, 1), packet(5, 2), packet(8, 1), packet(8, 2)]);
    assert_eq!(system.stimuli_in(3..8), [packet(5, 1), packet(5, 2)]);
    let lags: Vec<_> = image.network.populations.iter().map(|p| (p.name.as_str(), p.lag, p.source_line)).collect();
    assert_eq!(lags, [("first", 1, 3), ("second", 2, 4), ("third", 2, 5)]);
    assert_eq!(image.network.edges, [(0, 1), (0, 2)].map(|(from, to)| (PopulationIndex(from), PopulationIndex(to))));
    assert_eq!(Image::from_bytes(&image.to_bytes()).expect("an image"), *image);
}

#[test]
fn elements_of_four_bits_keep_their_neighbours() {
    let system = assembled(
        ".block a, 0, 0, start, 1\n.steps 1\n.contents a, s4[1], -1, 7\nstart: sleep\n.section s\n.byte 0x21, 0x43",
    );
    assert_eq!(system.image.blocks[BlockIndex(0)].contents[2], [0xf1, 0x47]);
}

#[test]
fn lines_lead_back_to_the_text_and_to_what_it_includes() {
    let text = ".block a, 0, 0, start, 1\n.steps 1\n.include \"more.s\"\n    sleep\n";
    let mut read = |_: &str, path: &str| Ok(Source::new(path, "; more\nstart:\n    nop\n"));
    let system = assemble_system(&Source::new("test.s", text), &small(), &mut read).expect("a system");
    let program = &system.image.programs[ProgramIndex(0)];
    let lines: Vec<&str> = program.text.lines().collect();
    let of_words: Vec<&str> = program.lines.iter().map(|&line| lines[line as usize - 1].trim()).collect();
    assert_eq!(of_words, ["nop", "sleep"]);
}

#[test]
fn code_can_be_assembled_by_itself() {
    let source = Source::new("test.s", with(".packet 0, nobody, 99"));
    let program = assemble_code(&source, &mut none).expect("its code is right");
    assert_eq!(program.words.len(), 1);
    assert_eq!(program.constants, [("N".to_owned(), 4)], "no constants but those of the text");
}

#[test]
fn all_mistakes_are_shown_at_once_where_they_are() {
    let text = "\
.equ COUNT, 4
.blok first, 0, 0, start, COUNT
.block second, 0, COUNT, strat, COUNT
.block third, 1, 0, start, 1 + COUNTS     ; a comment
.route second, 0, COUNT, thrid
start:  addi r1, r0
";
    let expected = "\
error: unknown directive `.blok`
 --> test.s:2:1
  |
2 | .blok first, 0, 0, start, COUNT
  | ^^^^^
  |
  = help: did you mean `.block`?

error: unknown name `COUNTS`
 --> test.s:4:32
  |
4 | .block third, 1, 0, start, 1 + COUNTS     ; a comment
  |                                ^^^^^^ no label, constant or register has this name
  |
  = help: did you mean `COUNT`?

error: there is no block `thrid`
 --> test.s:5:26
  |
5 | .route second, 0, COUNT, thrid
  |                          ^^^^^
  |
  = help: did you mean `third`?

error: `addi` takes 3 operands, found 2
";
    let found = errors_of(text);
    assert!(found.starts_with(expected), "{found}");
    // Values are looked at once everything has one.
    let right = [(".blok", ".block"), ("COUNTS", "COUNT"), ("thrid", "third"), ("r1, r0", "r1, r0, 1")];
    let text = right.into_iter().fold(text.to_owned(), |text, (wrong, right)| text.replace(wrong, right));
    let expected = "\
error: the row is 4
 --> test.s:3:19
  |
3 | .block second, 0, COUNT, strat, COUNT
  |                   ^^^^^ allowed is 0 to 1

error: there is no label `strat` in the code
 --> test.s:3:26
  |
3 | .block second, 0, COUNT, strat, COUNT
  |                          ^^^^^
  |
  = help: did you mean `start`?

error: nothing says how long this system runs
";
    let found = errors_of(&text);
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn what_is_wrong_is_said() {
    assembled(&with("")); // nothing is
    for (line, messages) in [
        (".route a, 0, N", &[][..]),
        (".route a, 0, 3, host", &["route 0 of `a` has 4 indices, not 3", "line 4 says so"][..]),
        (".route a, 2, N, host", &["`a` has a route 2, but no route 1"]),
        (".route a, 1, N, b", &["axon 0 of `b` has two sources", "line 4 sends to axons 0 to 3"]),
        (".route b, 0, N, a, N + 1", &["block `a` has no axon 8", "packets arrive on axons 5 to 8", "`a` has 8 axons"]),
        (".route a, 1, N, host, 3", &["the host has no axons"]),
        (".route a, 1, N, host\n.route a, 1, N, host", &["the host takes route 1 of `a` already"]),
        (".route a, N * 1024, N, host", &["the route's number is 4096", "allowed is 0 to 4095"]),
        (".input knock, 3, b", &["input `knock` has 4 indices, not 3"]),
        (".route a, 1, 1 << 17, host", &["the number of indices is 131072", "allowed is 1 to 65536"]),
        (".input more, N, host", &["the host sends nothing to itself"]),
        (".packet 10, knock, 0", &["the step is 10", "allowed is 0 to 9"]),
        (".packet 0, knock, N", &["the index of a packet of `knock` is 4", "allowed is 0 to 3"]),
        (".packet 0, knok, 0", &["there is no input `knok`", "did you mean `knock`?"]),
        (".packet 0, knock, 0, 1 << 31", &["the payload is 2147483648"]),
        (".packet 4..2, knock, 0", &["this range is empty: it begins at 4 and ends at 2"]),
        (".packet 4.., knock, 0", &["this range is not complete"]),
        (".packet 0..9 by 0, knock, 0", &["the distance in a range is 0"]),
        (".packet 0..5, knock, 0\n.packet 5, knock, 0..1", &["a second packet of `knock` with index 0 in step 5"]),
        (".packet r1, knock, 0", &["the step is not a number", "found a register or a label of the code"]),
        (".packet start, knock, 0", &["the step is not a number"]),
        (".packet 0, knock, 1 +", &["expected a number, a register or a name"]),
        (".packet 0, knock", &["`.packet` has 2 operands", ".packet STEP, INPUT, INDEX [, PAYLOAD]"]),
        (".packet 0,, 1", &["an operand is missing between commas"]),
        (".block a, 0, 0, start, 1", &["there is another block `a`"]),
        (".block host, 0, 0, start, 1", &["no block can be called `host`"]),
        (".block 3, 0, 0, start, 1", &["`3` is not a name for a block"]),
        (".block c, 0, 0, start, 1, tag", &["expected `tagged`, `core K` or `layer NAME`, found `tag`"]),
        (".block c, 0, 0, start, 1, tagged, tagged", &["expected `tagged`, `core K` or `layer NAME`, found `tagged`"]),
        (".block c, 0, 0, start, 1, core 0, tagged", &[]),
        (".block c, 0, 0, start, 1, core 1", &["the core of the tile is 1", "allowed is 0 to 0"]),
        (".block c, 0, 0, start, 1, core", &["expected `tagged`, `core K` or `layer NAME`, found `core`"]),
        (
            ".block c, 0, 0, start, 4096",
            &["core of tile (0, 0) is too full: axons needs 4104", "a core of chip `small` has 4096"],
        ),
        (".steps 5", &["`.steps` stands here a second time"]),
        (".size e, 100", &["there is no memory `e`"]),
        (".size n, 1 << 30", &["the size of the neuron memory is 1073741824"]),
        (".size n, 4\n.array x, n32[1], 1", &["4 bytes of neuron memory are too few", "takes 8 bytes"]),
        (".array x, n12[1], 1", &["there is no memory `n12`", "n8, n16, n32"]),
        (".array x, 4, 1", &["`4` are no elements of a memory", "as in `n32[8]`"]),
        (".array x, n32[-1], 1", &["the first element is -1"]),
        (".array x, n32[0], 1 << 20", &["the neuron memory of this chip is too small"]),
        (".contents a, n8[0], 256", &["this value is 256", "allowed is -128 to 255"]),
        (".contents c, n8[0], 25", &["there is no block `c`"]),
        (".macro m\n.steps 3\n.endm", &["`.steps` inside a macro"]),
    ] {
        if messages.is_empty() {
            assembled(&with(line));
            continue;
        }
        let found = errors_of(&with(line));
        for message in messages {
            assert!(found.contains(message), "{line}\nexpected: {message}\n{found}");
        }
        assert_eq!(found.matches("error: ").count(), 1, "{line}\n{found}");
    }
    assert!(errors_of("start: sleep").contains("this text describes no system"));
    assert!(
        errors_of(".block a, 0, 0, start, 1\n.steps 1\nsleep\nstart:")
            .contains("no instruction follows the label `start`")
    );
}

#[test]
fn system_directives_of_included_texts_are_refused() {
    let mut read = |_: &str, path: &str| Ok(Source::new(path, ".steps 3\n"));
    let source = Source::new("test.s", ".include \"more.s\"\n");
    let errors = assemble_system(&source, &small(), &mut read).expect_err("steps are in the wrong text").render();
    assert!(errors.contains("not in what it includes"), "{errors}");
}

#[test]
fn any_text_gets_an_answer() {
    for text in [
        "",
        ":",
        ".",
        ".block",
        ".block ,",
        ".block\u{e9}, 1",
        "a: b: .steps",
        ".steps \u{1f600}",
        ".steps )(",
        ".packet ..,..,..",
        "\r\n.steps 1 ; \u{e9}\r\n",
    ] {
        errors_of(text);
    }
}

#[test]
fn a_block_is_put_on_the_core_it_names() {
    let mut chip = small();
    (chip.mesh.cores_per_tile, chip.mesh.topology) = (3, onward_chip::Topology::Torus);
    let text = ".block a, 1, 0, start, 4\n.block b, 1, 0, start, 4, core 2, tagged\n.block c, 0, 1, start, 4, tagged, core 1\n\
                .route a, 0, 2, b\n.route a, 0, 2, c\n.steps 3\nstart: sleep\n";
    let assemble = |text: &str| assemble_system(&Source::new("test.s", text), &chip, &mut none);
    let system = assemble(text).unwrap_or_else(|errors| panic!("{errors}"));
    let cores: Vec<u32> = system.image.blocks.iter().map(|block| block.core.0).collect();
    assert_eq!(cores, [3, 5, 7]);
    assert!(matches!(system.image.blocks[BlockIndex(0)].routes[0].flits[0].destination, Destination::Multicast(_)));
    let errors = assemble(&text.replace("core 2", "core 3")).err().map(|errors| errors.render()).unwrap_or_default();
    assert!(errors.contains("the core of the tile is 3") && errors.contains("allowed is 0 to 2"), "{errors}");
    let full = text.replace("4, core 2", "4097, core 2").replace("axons", "");
    let errors = assemble(&full).err().map(|errors| errors.render()).unwrap_or_default();
    assert!(errors.contains("the number of axons is 4097"), "{errors}");
}
