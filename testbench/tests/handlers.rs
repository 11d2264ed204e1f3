//! Programs, those of the compiler and those written by hand: the lint finds nothing in them but what is listed here and
//! true, and loops over events and rows are those that the fast engine runs at once.

use onward_assembly::assemble_system;
use onward_chip::Chip;
use onward_compile::{Options, compile, compile_with};
use onward_diagnostic::Source;
use onward_image::Image;
use onward_isa::idiom::{EventLoop, RowLoop};
use onward_isa::lint::{Given, Problem, Reason, check};
use onward_isa::{Instruction, Op, Program, read_relative};
use std::path::{Path, PathBuf};
use testbench::conformance::Vector;

/// The files below a folder with this ending, in order.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().expect("a file").to_string_lossy().into_owned()
}

/// What is found in an image's programs that is no warning, each as `file: address: what`.
fn errors(name: &str, image: &Image) -> Vec<(String, Problem)> {
    let mut found = Vec::new();
    for (number, program) in image.programs.iter_enumerated() {
        let blocks = image.blocks.iter().filter(|block| block.program == number);
        let entries: Vec<u32> = blocks.clone().map(|block| block.entry).collect();
        let routes = blocks.map(|block| block.routes.len() as u32).max();
        let given = Given { entries: &entries, routes, ..Given::default() };
        let words = Program { words: program.words.clone(), ..Program::default() };
        let problems = check(&words, &given).into_iter().filter(|problem| !problem.is_warning());
        found.extend(problems.map(|problem| (format!("{name}: {}: {}", problem.word, problem.reason), problem)));
    }
    found
}

/// A committed network; `None` of a file that is only included.
fn network(path: &Path) -> Option<Source> {
    if path.parent().is_some_and(|folder| folder.ends_with("common")) {
        return None;
    }
    let source = Source::new(path.display().to_string(), std::fs::read_to_string(path).expect("a text"));
    let source = onward_net::with_includes(source, &mut |path| std::fs::read_to_string(path));
    Some(source.unwrap_or_else(|(source, errors)| panic!("{}", source.render(&errors))))
}

/// Its image, on the first built-in chip that it fits.
fn image(path: &Path) -> Option<Image> {
    let source = network(path)?;
    let mut refusals = String::new();
    for chip in ["small", "middle", "large", "convolution"] {
        let chip = Chip::builtin(chip).unwrap_or_else(|_| {
            let file = format!("{}/../programs/chips/{chip}.toml", env!("CARGO_MANIFEST_DIR"));
            Chip::load(&file).expect("a chip file")
        });
        match compile(&source, &Options::new(chip, 1)) {
            Ok(image) => return Some(image),
            Err(errors) => refusals += &source.render(&errors),
        }
    }
    panic!("{} fits no chip:\n{refusals}", path.display());
}

/// The neuron's current is in v0, which `foreach` adds to: without events it is the 0 of dispatch.
const SYSTEMS: [&str; 2] = [
    "lif.s: 3: v0 is read, but on some way here nothing has written it",
    "lif.s: 8: v0 is read, but on some way here nothing has written it",
];

#[test]
fn systems_are_clean() {
    let mut found = Vec::new();
    for path in files("programs", "s") {
        let source = Source::new(path.display().to_string(), std::fs::read_to_string(&path).expect("a text"));
        let chip = Chip::builtin("middle").expect("a built-in chip");
        let system =
            assemble_system(&source, &chip, &mut read_relative).unwrap_or_else(|errors| panic!("{}", errors.render()));
        found.extend(errors(&name(&path), &system.image).into_iter().map(|(text, _)| text));
    }
    assert_eq!(found, SYSTEMS);
}

/// What vectors are about.
const VECTORS: [&str; 13] = [
    "fault_branch.s: 0: the target, -5, is outside the program",
    "fault_branch.s: 1: the target, -1, is outside the program",
    "fault_branch_beyond.s: 0: the target, 3, is outside the program",
    "fault_endless.s: 0: no way from here ends in `sleep` or `stay`",
    "fault_loop_backwards.s: 1: the loop's end, 1, is not behind it or outside the program",
    "fault_loop_beyond.s: 0: the loop's end, 3, is not behind it or outside the program",
    "fault_loop_depth.s: 5: the loop is the fifth under way",
    "fault_route.s: 1: route 1 of a block with 1",
    "fault_running_off.s: 1: the program runs on behind its last instruction",
    "fault_word.s: 2: this is no instruction",
    "loop_at_the_end.s: 2: the program runs on behind its last instruction",
    "loop_end_inside.s: 3: the loop ends behind the one around it, which begins at 1",
    "loops_left.s: 35: the loop ends behind the one around it, which begins at 33",
];

/// Vectors go where no program should: each finding is what the vector is about, or registers whose 0 it shows.
#[test]
fn vectors_are_clean_but_for_what_they_show() {
    let mut found = Vec::new();
    for path in files("isa/conformance", "s") {
        let vector = Vector::parse(&name(&path), &std::fs::read_to_string(&path).expect("a text")).expect("a vector");
        let problems = errors(&name(&path), &vector.image(16)).into_iter();
        let on_zero = |reason: &Reason| matches!(reason, Reason::Unwritten { .. });
        found.extend(problems.filter(|(_, problem)| !on_zero(&problem.reason)).map(|(text, _)| text));
    }
    assert_eq!(found, VECTORS);
}

#[test]
fn networks_are_clean() {
    let mut found = Vec::new();
    for path in files("programs", "sp") {
        let Some(image) = image(&path) else { continue };
        // Which registers count on the 0 of dispatch only the compiler knows, which checks it where it writes them.
        let on_zero = |reason: &Reason| matches!(reason, Reason::Unwritten { .. });
        let problems = errors(&name(&path), &image).into_iter();
        found.extend(problems.filter(|(_, problem)| !on_zero(&problem.reason)).map(|(text, _)| text));
    }
    assert_eq!(found, Vec::<String>::new());
}

/// Loops over events that the fast engine interprets, as it does not know their shapes: two sources come in, each with weights of
/// its own.
const INTERPRETED: [&str; 3] = [
    "recurrent.sp, reservoir: foreach bge vaccr jmp vaccr",
    "generate.sp, pixels: foreach bge st jmp vaccr addm",
    "mackey-glass.sp, prediction: foreach bge st jmp vaccr addm",
];

/// Loops that add rows to a vector for each event, or rows to sums in memory, and are not run at once: the mnemonics of
/// each.
fn slow_loops(words: &[u32]) -> Vec<String> {
    let code: Vec<Option<Instruction>> = words.iter().map(|&word| Instruction::decode(word).ok()).collect();
    let mut slow = Vec::new();
    for (at, head) in code.iter().enumerate() {
        let Some(head) = head.filter(|head| head.op.description().is_loop()) else { continue };
        let body: Vec<Op> = code[at + 1..at + head.imm as usize].iter().flatten().map(|body| body.op).collect();
        let has = |ops: &[Op]| body.iter().any(|op| ops.contains(op));
        // A run of weights that is longer than a vector is added in pieces, each of its own length.
        let is_inner = !has(&[Op::Loop, Op::Setvl]);
        let is_slow = match head.op {
            Op::Foreach => has(&[Op::Vaccr]) && EventLoop::find(&code, at).is_none(),
            Op::Loop => is_inner && has(&[Op::Vaddn16, Op::Vaddn32]) && RowLoop::find(&code, at).is_none(),
            _ => false,
        };
        if is_slow {
            let all = std::iter::once(&head.op).chain(&body);
            slow.push(all.map(|op| op.description().mnemonic).collect::<Vec<_>>().join(" "));
        }
    }
    slow
}

#[test]
fn loops_over_events_and_rows_are_run_at_once() {
    let (mut slow, mut events, mut rows) = (Vec::new(), 0, 0);
    for path in files("programs", "sp") {
        let Some(image) = image(&path) else { continue };
        for program in &image.programs {
            let code: Vec<Option<Instruction>> =
                program.words.iter().map(|&word| Instruction::decode(word).ok()).collect();
            events += (0..code.len()).filter(|&at| EventLoop::find(&code, at).is_some()).count();
            rows += (0..code.len()).filter(|&at| RowLoop::find(&code, at).is_some()).count();
            let of_program = slow_loops(&program.words).into_iter();
            slow.extend(of_program.map(|what| format!("{}, {}: {what}", name(&path), program.name)));
        }
    }
    assert_eq!(slow, INTERPRETED, "the fast engine interprets, event by event");
    assert!(events >= 20 && rows >= 3, "{events} loops over events, {rows} over rows");
}

/// The test above notices two instructions that are swapped.
#[test]
fn swapped_instructions_are_noticed() {
    let path = files("programs", "sp").into_iter().find(|path| path.ends_with("digits.sp")).expect("a network");
    let image = image(&path).expect("an image");
    let mut swapped = 0;
    for program in &image.programs {
        let code: Vec<Option<Instruction>> = program.words.iter().map(|&word| Instruction::decode(word).ok()).collect();
        for at in (0..code.len()).filter(|&at| EventLoop::find(&code, at).is_some_and(|found| found.trace.is_some())) {
            let mut words = program.words.clone();
            words.swap(at + 1, at + 2);
            assert_eq!(slow_loops(&words).len(), 1, "{}", program.name);
            swapped += 1;
        }
    }
    assert!(swapped > 0);
}

/// What debug builds ask after each pass, of all networks there are; the lint of programs is among it.
#[test]
fn passes_hold_what_they_promise_on_all_networks() {
    let (mut checked, mut found) = (0, Vec::new());
    let paths = ["programs", "crates/onward-compile/tests/emits"].into_iter().flat_map(|folder| files(folder, "sp"));
    for path in paths {
        let Some(source) = network(&path) else { continue };
        // Whether they fit is another question.
        for chip in ["small", "large"] {
            let options = Options::new(Chip::builtin(chip).expect("a built-in chip"), 1);
            drop(compile_with(&source, &options, |pass, compilation| {
                let mistakes = pass.verify.and_then(|verify| verify(compilation).err());
                found.extend(mistakes.map(|mistake| format!("{}, {}: {mistake}", name(&path), pass.name)));
                checked += usize::from(pass.name == "assemble");
            }));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(checked > 40, "{checked}");
}

#[test]
fn committed_networks_are_not_warned_of() {
    let mut seen = 0;
    for source in files("programs", "sp").iter().filter_map(|path| network(path)) {
        let options = Options::new(Chip::builtin("large").expect("a built-in chip"), 1);
        let compilation = onward_compile::lowered(None, &source, &options);
        let compilation = compilation.unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
        let warnings = onward_lint::check(&compilation);
        assert!(warnings.is_empty(), "{}", source.render(&warnings));
        seen += 1;
    }
    assert!(seen > 15, "only {seen} networks");
}
