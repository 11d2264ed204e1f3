//! The conformance vectors of `isa/conformance`, on both engines, and whether they show everything.

use onward_emulate::{Engine, Machine, Options, reference};
use onward_isa::{INSTRUCTIONS, Instruction, Op};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use testbench::conformance::Vector;

fn isa() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../isa")
}

/// All vectors, by name.
fn vectors() -> Vec<Vector> {
    let folder = std::fs::read_dir(isa().join("conformance")).expect("the folder is there");
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "s"));
    paths.sort();
    let vectors = paths.iter().map(|path| {
        let text = std::fs::read_to_string(path).expect("a text");
        Vector::parse(&path.file_name().expect("a name").to_string_lossy(), &text)
            .unwrap_or_else(|error| panic!("{error}"))
    });
    vectors.collect()
}

/// Runs a vector on each engine with each lane count; the fast one with whole chunks and step by step.
fn problems(vector: &Vector) -> Vec<String> {
    let mut problems = Vec::new();
    for &lanes in &vector.lanes {
        let image = vector.image(lanes);
        let options = Options { seed: vector.seed, timing: true, threads: 1 };
        let mut run = |name: &str, engine: &mut dyn Engine, chunk| {
            let found = vector.check(engine, lanes, chunk);
            problems.extend(found.into_iter().map(|what| format!("{}, {lanes} lanes, {name}: {what}", vector.name)));
        };
        run("reference", &mut reference::Machine::new(&image, options).expect("a valid image"), vector.steps);
        run("fast", &mut Machine::new(&image, options).expect("a valid image"), vector.steps);
        run("fast, step by step", &mut Machine::new(&image, options).expect("a valid image"), 1);
    }
    problems
}

#[test]
fn both_engines_conform() {
    let vectors = vectors();
    assert!(!vectors.is_empty());
    let problems: Vec<String> = vectors.iter().filter(|vector| !vector.slow).flat_map(problems).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "2^30 cycles, several times: in release mode")]
fn both_engines_conform_slowly() {
    let problems: Vec<String> = vectors().iter().filter(|vector| vector.slow).flat_map(problems).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Not only written somewhere: executed, to the end of its step.
#[test]
fn every_instruction_is_executed_by_some_vector() {
    let mut executed = BTreeSet::new();
    for vector in vectors().iter().filter(|vector| !vector.slow) {
        let options = Options { seed: vector.seed, timing: false, threads: 1 };
        let mut engine = reference::Machine::new(&vector.image(16), options).expect("a valid image");
        if engine.run(vector.steps, &vector.packets).is_err() {
            continue;
        }
        for block in engine.counters().blocks {
            for (&word, counts) in vector.words().iter().zip(&block.addresses) {
                if counts.executed > 0 {
                    executed.insert(Instruction::decode(word).expect("an instruction").op as u8);
                }
            }
        }
    }
    let missing: Vec<Op> =
        INSTRUCTIONS.iter().map(|row| row.op).filter(|op| !executed.contains(&(*op as u8))).collect();
    assert!(missing.is_empty(), "no vector executes {missing:?}");
}

#[test]
fn every_rule_is_shown_by_some_vector() {
    let page = std::fs::read_to_string(isa().join("microarchitecture.md")).expect("the page is there");
    let rules: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("**")?.split_once(".**").map(|(rule, _)| rule))
        .filter(|rule| rule.len() <= 3)
        .collect();
    assert!(rules.len() > 50, "{rules:?}");
    let vectors = vectors();
    let shown: BTreeSet<&str> = vectors.iter().flat_map(|vector| &vector.rules).map(String::as_str).collect();
    let missing: Vec<_> = rules.difference(&shown).collect();
    assert!(missing.is_empty(), "no vector shows {missing:?}");
    let unknown: Vec<_> = shown.difference(&rules).collect();
    assert!(unknown.is_empty(), "vectors show rules that the page does not have: {unknown:?}");
}

/// A runner that finds nothing wrong with wrong expectations would prove nothing.
#[test]
fn wrong_expectations_are_found() {
    let program = "addi r1, r0, 7\nst r1, n32[0]\nrt: setvl r0, 1\nsleep\n;! rules I1\n";
    let wrong = [
        "n32[0] = 8",
        "n32[0] = 7 1",
        "cycles = 1",
        "stalls = 1",
        "computed = 1",
        "saturated = 1",
        "executed rt = 2",
        "elements rt = 1",
        "packet index 1",
        "fault at rt = endless",
    ];
    for wrong in wrong {
        let vector = Vector::parse("wrong.s", &format!("{program};! expect {wrong}\n")).expect(wrong);
        // Each lane count, three runs each.
        assert_eq!(problems(&vector).len(), 15, "{wrong}");
    }
    let right = Vector::parse("right.s", &format!("{program};! expect n32[0] = 7\n;! expect computed = 4 + 4\n"));
    assert_eq!(problems(&right.expect("a vector")), Vec::<String>::new());
}
