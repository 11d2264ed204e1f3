//! The lint: each finding by a small program; valid programs pass; mutations of them are caught.

use onward_diagnostic::Source;
use onward_isa::builder::{Assembly, Listing, N32, Register, S16, Scalar, Vector, ZERO};
use onward_isa::lint::{Given, Problem, Reason, check};
use onward_isa::{INSTRUCTIONS, Instruction, Op, Operand, Program, RegisterKind, Use, assemble};
use proptest::prelude::*;

fn program(text: &str) -> Program {
    let source = Source::new("lint", text);
    assemble(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// What is found in a text whose block begins at its first word and has two routes: word and message.
fn found(text: &str) -> Vec<String> {
    let problems = check(&program(text), &Given { entries: &[0], routes: Some(2), ..Given::default() });
    problems.iter().map(|problem| format!("{}: {}", problem.word, problem.reason)).collect()
}

fn found_in(listing: &Listing) -> Vec<String> {
    let given = Given { entries: &[0], routes: Some(2), held: &listing.held, ..Given::default() };
    let problems = check(&program(&listing.text), &given);
    problems.iter().map(|problem| format!("{}: {}", problem.word, problem.reason)).collect()
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn registers_are_written_before_they_are_read() {
    assert_eq!(found("addi r1, r0, 1\n st r1, n32[0]\n sleep"), nothing());
    assert_eq!(found("st r1, n32[0]\n sleep"), ["0: r1 is read, but nothing has written it"]);
    let some = "1: r2 is read, but on some way here nothing has written it";
    let text = "special r1, events\n beq r1, r0, a\n addi r2, r0, 1\na: st r2, n32[0]\n sleep";
    assert_eq!(found(text), [some.replacen('1', "3", 1)]);
    // A loop may run no pass; one that must run, does.
    let text = "special r1, events\n loop r1, a\n addi r2, r0, 1\na: st r2, n32[0]\n sleep";
    assert_eq!(found(text), [some.replacen('1', "3", 1)]);
    assert_eq!(found("addi r1, r0, 3\n loop r1, a\n addi r2, r0, 1\na: st r2, n32[0]\n sleep"), nothing());
    // A loop's own registers are there in its body, and perhaps not behind it.
    assert_eq!(found("foreach r1, r2, a\n st r2, n32[r1]\na: sleep"), nothing());
    let text = "foreach r2, r3, a\n st r2, n32[r3]\na: st r2, n32[0]\n sleep";
    assert_eq!(found(text), ["2: r2 is read, but on some way here nothing has written it"]);
    // What the second pass reads the first has written; the first has not.
    let text = "addi r1, r0, 3\n loop r1, a\n st r2, n32[0]\n addi r2, r0, 1\na: sleep";
    assert_eq!(found(text), ["2: r2 is read, but on some way here nothing has written it"]);
}

#[test]
fn vectors_need_a_length_and_rows_a_row_length() {
    assert_eq!(found("vidx v0\n vst v0, n32[0]\n sleep")[0], "0: VL is read, but nothing has written it");
    let text = "setvl r0, 4\n vldr v0, s8[row 0]\n vst v0, n32[0]\n sleep";
    assert_eq!(found(text), ["1: ROW is read, but nothing has written it"]);
    let text = "setvl r0, 4\n setrow r0, 4\n vldr v0, s8[row 0]\n vst v0, n32[0]\n sleep";
    assert_eq!(found(text), nothing());
    // What adds to a vector reads it, what fills it does not.
    assert_eq!(
        found("setvl r0, 4\n vacc v0, n32[0]\n vst v0, n32[0]\n sleep"),
        ["1: v0 is read, but nothing has written it"]
    );
    assert_eq!(found("setvl r0, 4\n pnot p0, p1\n spike p0, 1\n sleep"), ["1: p1 is read, but nothing has written it"]);
    let zero = [(RegisterKind::Predicate, 1)];
    let given = Given { entries: &[0], zero: &zero, ..Given::default() };
    assert_eq!(check(&program("setvl r0, 4\n pnot p0, p1\n spike p0, 1\n sleep"), &given), []);
}

#[test]
fn every_way_ends_within_the_program() {
    assert_eq!(found("nop"), ["0: the program runs on behind its last instruction"]);
    let text = "special r1, events\n beq r1, r0, a\n sleep\na:";
    assert_eq!(found(text), ["1: the program runs on behind its last instruction"]);
    assert_eq!(found("jmp 3\n sleep"), ["0: the target, 3, is outside the program", "1: nothing leads here"]);
    assert_eq!(found("jmp -1\n sleep")[0], "0: the target, -1, is outside the program");
    assert_eq!(found("a: jmp a"), ["0: no way from here ends in `sleep` or `stay`"]);
    let text = "special r1, events\n beq r1, r0, b\na: addi r1, r1, 1\n jmp a\nb: stay";
    assert_eq!(found(text), ["2: no way from here ends in `sleep` or `stay`"]);
    let text = "a: special r1, events\n beq r1, r0, a\n stay";
    assert_eq!(found(text), nothing());
    let mut broken = program("nop\n sleep");
    broken.words[0] = 0;
    let problems = check(&broken, &Given { entries: &[0], ..Given::default() });
    assert_eq!(problems.iter().map(|p| &p.reason).collect::<Vec<_>>(), [&Reason::NoInstruction, &Reason::Unreachable]);
    assert!(!problems[0].is_warning() && problems[1].is_warning());
}

#[test]
fn loops_nest() {
    let events = "special r1, events\n";
    assert_eq!(
        found(&format!("{events} loop r1, 0\n sleep"))[0],
        "1: the loop's end, 1, is not behind it or outside the program"
    );
    assert_eq!(
        found(&format!("{events} loop r1, 5\n sleep"))[0],
        "1: the loop's end, 6, is not behind it or outside the program"
    );
    let text = format!("{events} loop r1, a\n loop r1, b\n nop\na: nop\nb: sleep");
    // Skipped, the outer loop leads to its end, which is inside the inner one.
    assert_eq!(
        found(&text),
        [
            "1: this leads into the body of the loop at 2, which is not under way",
            "2: the loop ends behind the one around it, which begins at 1"
        ]
    );
    let text = format!("{events} loop r1, a\n loop r1, a\n loop r1, a\n loop r1, a\n nop\na: sleep");
    assert_eq!(found(&text), nothing());
    let text = format!("{events} loop r1, a\n loop r1, a\n loop r1, a\n loop r1, a\n loop r1, a\n nop\na: sleep");
    assert_eq!(found(&text), ["5: the loop is the fifth under way", "6: nothing leads here"]);
    let text = format!("{events} beq r1, r0, inside\n loop r1, a\n nop\ninside: nop\na: sleep");
    assert_eq!(found(&text), ["1: this leads into the body of the loop at 2, which is not under way"]);
    // Out of a loop is allowed, and to its end.
    let text = format!("{events} loop r1, a\n beq r1, r0, a\n beq r1, r0, out\n nop\na: nop\nout: sleep");
    assert_eq!(found(&text), nothing());
}

#[test]
fn routes_and_what_is_never_used() {
    assert_eq!(found("send r0, r0, 1\n sleep"), nothing());
    assert_eq!(found("send r0, r0, 2\n sleep"), ["0: route 2 of a block with 2"]);
    assert_eq!(found("addi r1, r0, 1\n sleep"), ["0: r1 is written, but nothing reads it"]);
    assert_eq!(found("jmp a\n nop\na: sleep"), ["1: nothing leads here"]);
    assert_eq!(found("beq r0, r0, a\n nop\na: sleep"), ["1: nothing leads here"]);
}

#[test]
fn a_holder_reads_what_it_wrote() {
    let mut a = Assembly::new();
    let again = a.here("again");
    let value = a.named("value");
    a.special(&value, onward_isa::Special::Events);
    let read = a.here("read");
    a.st(&value, N32.at(ZERO, 0));
    a.beq(&value, ZERO, &again);
    drop(value);
    let other = a.named("other"); // the same register
    a.addi(&other, ZERO, 1);
    a.beq(&other, ZERO, &read); // back to where `value` is read
    a.sleep();
    let listing = a.finish();
    // The branch is decided by a known value, so the way back does not exist.
    assert_eq!(found_in(&listing), nothing());
    let text = listing.text.replace("addi other, r0, 1", "special other, events");
    let listing = Listing { text, ..listing };
    assert_eq!(
        found_in(&listing),
        [1, 2].map(|word| format!(
            "{word}: `value` (r1) is read, but on some way here holds what `other` (words 3 to 5) left in it"
        ))
    );
}

#[test]
fn zero_is_counted_on_where_it_is_said() {
    let build = |zeroed: bool| {
        let mut a = Assembly::new();
        let best = if zeroed { a.zeroed("best") } else { a.named("best") };
        let none = if zeroed { a.cleared_predicate("none") } else { a.named_predicate("none") };
        let all = a.scratch_predicate();
        a.setvl(ZERO, 4);
        a.pnot(&all, &none);
        a.spike(&all, 1, ZERO);
        a.addi(&best, &best, 1);
        a.st(&best, N32.at(ZERO, 0));
        a.sleep();
        a.finish()
    };
    assert_eq!(found_in(&build(true)), nothing());
    assert_eq!(
        found_in(&build(false)),
        ["1: `none` (p0) is read, but nothing has written it", "3: `best` (r1) is read, but nothing has written it"]
    );
}

/// Writes random programs that are right, by the builder.
struct Author<'a> {
    choices: std::slice::Iter<'a, u8>,
    a: Assembly,
    scalars: Vec<Register<Scalar>>,
    vectors: Vec<Register<Vector>>,
    depth: usize,
}

impl Author<'_> {
    fn choice(&mut self, below: usize) -> usize {
        self.choices.next().map_or(0, |&choice| usize::from(choice) % below)
    }

    /// One that is never written after its first instruction if `is_read`.
    fn scalar(&mut self, is_read: bool) -> Scalar {
        let at = if is_read { self.choice(4) } else { 2 + self.choice(2) };
        self.scalars[at].operand()
    }

    fn vector(&mut self) -> Vector {
        let at = self.choice(3);
        self.vectors[at].operand()
    }

    fn statement(&mut self) {
        let (x, y, z) = (self.scalar(false), self.scalar(true), self.scalar(true));
        let (v, w) = (self.vector(), self.vector());
        match self.choice(9) {
            0 => self.a.add(x, y, z).note(""),
            1 => self.a.st(y, N32.at(z, 3)).note(""),
            2 => self.a.vmacs(v, w, y).note(""),
            3 => {
                let t = self.a.scratch();
                self.a.special(&t, onward_isa::Special::Events);
                self.a.sub(x, &t, y);
            }
            4 => {
                let over = self.a.label("over");
                self.a.blt(x, y, &over);
                self.block();
                self.a.bind(&over);
            }
            5 if self.depth < 4 => {
                let (count, end) = (self.a.scratch(), self.a.label("end"));
                self.a.special(&count, onward_isa::Special::Events);
                self.a.loop_(&count, &end);
                self.within();
                self.a.bind(&end);
            }
            6 if self.depth < 4 => {
                let (axon, payload, end) = (self.a.named("axon"), self.a.named("payload"), self.a.label("end"));
                self.a.foreach(&axon, &payload, &end);
                self.a.vaccr(v, S16.row(&axon, -1));
                self.a.add(x, &payload, y);
                self.within();
                self.a.bind(&end);
            }
            7 => {
                let p = self.a.scratch_predicate();
                self.a.vcge(&p, v, w);
                self.a.vaddp(v, w, y, &p);
            }
            _ => self.a.send(y, z, 1).note(""),
        }
    }

    fn within(&mut self) {
        self.depth += 1;
        self.block();
        self.depth -= 1;
    }

    fn block(&mut self) {
        for _ in 0..1 + self.choice(3) {
            if self.choices.len() > 0 {
                self.statement();
            }
        }
    }
}

fn write(choices: &[u8]) -> Listing {
    let mut a = Assembly::new();
    let scalars: Vec<Register<Scalar>> = (0..4).map(|at| a.named(&format!("s_{at}"))).collect();
    let vectors: Vec<Register<Vector>> = (0..3).map(|at| a.named_vector(&format!("t_{at}"))).collect();
    a.setvl(ZERO, 8);
    a.setrow(ZERO, 8);
    for register in &scalars {
        a.special(register, onward_isa::Special::Slot);
    }
    for register in &vectors {
        a.vmv(register, &scalars[0]);
    }
    let mut author = Author { choices: choices.iter(), a, scalars, vectors, depth: 0 };
    while author.choices.len() > 0 {
        author.statement();
    }
    let Author { mut a, scalars, vectors, .. } = author;
    for register in &scalars {
        a.st(register, N32.at(ZERO, 0));
    }
    for register in &vectors {
        a.vst(register, N32.at(ZERO, 0));
    }
    a.sleep();
    a.finish()
}

fn errors(program: &Program, listing: &Listing, with_builder: bool) -> Vec<Problem> {
    let held = if with_builder { &listing.held[..] } else { &[] };
    let mut problems = check(program, &Given { entries: &[0], routes: Some(2), held, ..Given::default() });
    problems.retain(|problem| !problem.is_warning());
    problems
}

/// Puts an instruction in the place of another; the word before it tells what it was.
fn replaced(program: &Program, word: usize, instruction: Instruction) -> Program {
    let mut words = program.words.clone();
    words[word] = instruction.encode().expect("it has a word");
    Program { words, ..program.clone() }
}

fn at(program: &Program, word: usize) -> Instruction {
    Instruction::decode(program.words[word]).expect("it is an instruction")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 32 } else { 512 }))]

    #[test]
    fn what_the_builder_writes_passes(choices in prop::collection::vec(any::<u8>(), 0..200)) {
        let listing = write(&choices);
        let program = program(&listing.text);
        prop_assert_eq!(errors(&program, &listing, true), []);
        prop_assert_eq!(errors(&program, &listing, false), []);
    }

    /// The first four scalars' definitions are words 2 to 5; s_0 and s_1 have no other.
    #[test]
    fn a_deleted_definition_is_found(choices in prop::collection::vec(any::<u8>(), 0..200), which in 0_usize..2) {
        let listing = write(&choices);
        let broken = replaced(&program(&listing.text), 2 + which, Instruction::new(Op::Nop));
        for with_builder in [false, true] {
            let is_found = errors(&broken, &listing, with_builder)
                .iter()
                .any(|problem| matches!(&problem.reason, Reason::Unwritten { always: true, .. }));
            prop_assert!(is_found, "{}", listing.text);
        }
    }

    #[test]
    fn another_register_is_found(
        choices in prop::collection::vec(any::<u8>(), 0..200),
        word in any::<prop::sample::Index>(),
        operand in any::<prop::sample::Index>(),
        number in any::<u8>(),
    ) {
        let listing = write(&choices);
        let program = program(&listing.text);
        let word = word.index(program.words.len());
        let before = at(&program, word);
        let fields: Vec<_> =
            before.op.description().operands.iter().filter_map(|operand| operand.register()).collect();
        prop_assume!(!fields.is_empty());
        let (kind, field) = fields[operand.index(fields.len())];
        let mut after = before;
        after.set_register(field, number % kind.count());
        let uses = |instruction: &Instruction| {
            let mut uses = [Vec::new(), Vec::new()];
            for (kind, number, used) in instruction.registers() {
                let is_zero = kind == RegisterKind::Scalar && number == 0;
                for (uses, other) in uses.iter_mut().zip([Use::Write, Use::Read]) {
                    if used != other && !is_zero && !uses.contains(&(kind, number)) {
                        uses.push((kind, number));
                    }
                }
            }
            uses.map(|mut uses| { uses.sort(); uses })
        };
        prop_assume!(uses(&before) != uses(&after));
        prop_assert!(!errors(&replaced(&program, word, after), &listing, true).is_empty(), "{before} -> {after}");
    }

    #[test]
    fn a_lost_end_is_found(
        choices in prop::collection::vec(any::<u8>(), 40..200),
        which in any::<prop::sample::Index>(),
        beyond in 0_i32..3,
    ) {
        let listing = write(&choices);
        let program = program(&listing.text);
        let loops: Vec<usize> =
            (0..program.words.len()).filter(|&word| at(&program, word).op.description().is_loop()).collect();
        prop_assume!(!loops.is_empty());
        let word = loops[which.index(loops.len())];
        let before = at(&program, word);
        // Behind the end of what is around it, or of the program; or before its body.
        let outer = loops.iter().map(|&head| head as i32 + at(&program, head).imm).filter(|&end| end > word as i32);
        let end = outer.chain([program.words.len() as i32]).max().unwrap_or(0) + 1;
        let imm = if beyond == 0 { 0 } else { end + beyond - word as i32 };
        let broken = replaced(&program, word, Instruction { imm, ..before });
        prop_assert!(!errors(&broken, &listing, false).is_empty(), "{}", listing.text);
    }

    #[test]
    fn a_cut_end_is_found(choices in prop::collection::vec(any::<u8>(), 0..200)) {
        let listing = write(&choices);
        let mut broken = program(&listing.text);
        broken.words.pop();
        let problems = errors(&broken, &listing, false);
        prop_assert!(problems.iter().any(|problem| problem.reason == Reason::RunsOff), "{}", listing.text);
    }

    /// Whatever the words are: it says something and returns.
    #[test]
    fn any_words_are_checked(raw in prop::collection::vec((any::<u8>(), any::<u32>(), -8_i32..24), 0..60)) {
        let words = raw.iter().map(|&(row, word, number)| {
            let row = &INSTRUCTIONS[usize::from(row) % INSTRUCTIONS.len()];
            let masked = u32::from(row.opcode) << 24 | word & row.operand_bits;
            let mut instruction = Instruction::decode(masked).ok()?;
            if row.operands.contains(&Operand::Label) {
                instruction.imm = number;
            }
            instruction.encode().ok()
        });
        let words: Vec<u32> = words.map(|word| word.unwrap_or(0)).collect();
        let entries: Vec<u32> = (0..words.len().min(1) as u32).collect();
        check(&Program { words, ..Program::default() }, &Given { entries: &entries, ..Given::default() });
    }
}
