//! The builder: registers and labels by scope, its text, and that what it writes assembles to what it says.

use onward_diagnostic::Source;
use onward_isa::builder::{
    A16, A32, Assembly, Constant, E32, Elements, Listing, N16, N32, Register, S8, S16, Scalar, Start, ZERO,
};
use onward_isa::{
    Class, ClassedOp, ControlOp, INSTRUCTIONS, Instruction, Op, RegisterKind, ScalarOp, Space, Special, Use, Width,
    assemble,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn words(listing: &Listing) -> Vec<u32> {
    let source = Source::new("builder", listing.text.clone());
    assemble(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors))).words
}

fn text(listing: &Listing) -> Vec<String> {
    words(listing).iter().map(|&word| Instruction::decode(word).expect("an instruction").to_string()).collect()
}

/// The message of a panic.
fn refusal(act: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(act)).expect_err("a panic");
    payload.downcast_ref::<String>().cloned().unwrap_or_else(|| (*payload.downcast_ref::<&str>().unwrap()).to_owned())
}

#[test]
fn every_operand_shape_assembles_to_what_it_says() {
    let mut a = Assembly::new();
    let base: &Register<Scalar> = &a.named_number("base", 3);
    let (v, w) = (&a.named_vector("v_first"), &a.named_vector("w_first"));
    let p = &a.named_predicate("set");
    let membrane = &a.array("MEMBRANE", N32, 70, 1, 10);
    a.ld(base, N32.at(base, 0));
    a.ld(base, N32.at(base, 4));
    a.ld(base, N32.at(base, -1));
    a.ld(base, N32.at(ZERO, 0));
    a.ld(base, N32.at(ZERO, membrane));
    a.ld(base, N32.at(base, membrane - 1));
    a.vldr(v, S16.row(base, -1));
    a.vldr(v, S8.row(ZERO, 2));
    a.vlds(v, N32.strided(base, 2, base));
    a.vlds(v, N16.strided(ZERO, membrane, base));
    a.vlut(v, w, N16.table(base), base);
    a.spike(p, 3, ZERO);
    a.spike(p, 3, base);
    a.vsend(v, p, "MEMBRANE", base);
    a.special(base, Special::Slot);
    a.vaddn16(base, A16.at(base, 5));
    a.vacc(v, E32.at(base, 1));
    a.st(base, Elements::new(Space::Axon, Width::W32).at(base, 0));
    assert_eq!(
        text(&a.finish()),
        [
            "ld r3, n32[r3]",
            "ld r3, n32[r3+4]",
            "ld r3, n32[r3-1]",
            "ld r3, n32[r0]",
            "ld r3, n32[r0+70]",
            "ld r3, n32[r3+69]",
            "vldr v0, s16[row r3-1]",
            "vldr v0, s8[row r0+2]",
            "vlds v0, n32[r3+2 : r3]",
            "vlds v0, n16[r0+70 : r3]",
            "vlut v0, v1, n16[r3], r3",
            "spike p0, 3",
            "spike p0, 3, r3",
            "vsend v0, p0, 70, r3",
            "special r3, slot",
            "vaddn16 r3, a16[r3+5]",
            "vacc v0, e32[r3+1]",
            "st r3, a32[r3]",
        ]
    );
}

#[test]
fn registers_come_back_at_the_end_of_their_scope() {
    let mut a = Assembly::new();
    let first = {
        let scratch = a.scratch();
        scratch.number()
    };
    let again = a.scratch();
    let other = a.scratch();
    assert_eq!((first, again.number(), other.number()), (15, 15, 14));
    drop(again);
    assert_eq!(a.scratch().number(), 15);
    let (low, next) = (a.named("low"), a.named("next"));
    assert_eq!((low.number(), next.number()), (1, 2));
    drop(low);
    assert_eq!(a.named("third").number(), 1);
}

#[test]
fn all_kinds_run_out_with_a_message_that_names_the_holders() {
    let mut a = Assembly::new();
    let held: Vec<_> = (1..16).map(|at| if at == 7 { a.named("rival") } else { a.scratch() }).collect();
    let message = refusal(|| drop(a.scratch()));
    assert!(message.contains("a scalar register is asked for, but none is free"), "{message}");
    assert!(message.contains("r1: rival, since ") || message.contains(": rival, since "), "{message}");
    assert!(message.contains("tests/builder.rs:"), "{message}");
    assert_eq!(message.lines().count(), 16, "{message}");
    drop(held);
    a.scratch();
    let vectors: Vec<_> = (0..8).map(|_| a.scratch_vector()).collect();
    assert!(refusal(|| drop(a.named_vector("sums"))).contains("a vector register is asked for (`sums`)"));
    let predicates: Vec<_> = (0..4).map(|_| a.scratch_predicate()).collect();
    assert!(refusal(|| drop(a.scratch_predicate())).contains("a predicate register"));
    drop((vectors, predicates));
}

#[test]
fn a_register_that_was_given_back_is_refused() {
    let mut a = Assembly::new();
    let copy = a.scratch().operand();
    assert!(refusal(|| a.addi(copy, ZERO, 1).note("")).contains("r15 is used after it was given back"));
    // Also when somebody else has it by now.
    let holder = a.named_number::<Scalar>("holder", 15);
    assert!(refusal(|| a.addi(copy, ZERO, 1).note("")).contains("holder"));
    a.addi(&holder, ZERO, 1);
}

#[test]
fn a_number_that_is_held_is_refused() {
    let mut a = Assembly::new();
    let axon = a.named_number::<Scalar>("axon", 1);
    assert!(refusal(|| drop(a.named_number::<Scalar>("payload", 1))).contains("r1 is asked for (`payload`)"));
    assert!(refusal(|| drop(a.named_number::<Scalar>("zero", 0))).contains("r0 is asked for"));
    drop(axon);
    a.named_number::<Scalar>("payload", 1);
}

#[test]
fn a_cleared_predicate_is_not_written_while_it_is_held() {
    let mut a = Assembly::new();
    let (v, p) = (&a.scratch_vector(), &a.scratch_predicate());
    a.vcge(p, v, v);
    let none = a.cleared_predicate("none");
    assert!(refusal(|| a.pnot(&none, p).note("")).contains("p2 is written"));
    a.pnot(p, &none);
    drop(none);
    // Given back unwritten, it is as good as before; once written it is not.
    let other = a.cleared_predicate("other");
    assert_eq!(other.number(), 2);
    drop(other);
    let scratch = a.scratch_predicate();
    a.pnot(&scratch, p);
    drop(scratch);
    assert_eq!(a.cleared_predicate("third").number(), 1);
    let listing = a.finish();
    assert!(listing.text.contains(".reg none, p2\n"), "{}", listing.text);
    let kept = listing.held.iter().find(|held| held.name.as_deref() == Some("none")).expect("it has a name");
    assert!(kept.start == Start::AlwaysZero && kept.kind == RegisterKind::Predicate && kept.writes.is_empty());
    assert_eq!(kept.words, 1..2);
}

#[test]
fn a_zeroed_register_was_never_written() {
    let mut a = Assembly::new();
    let scratch = a.scratch().operand();
    let best = a.zeroed("best");
    assert_eq!(best.number(), 15); // the scratch register was given back unwritten
    a.addi(&best, &best, 1);
    drop(best);
    assert_eq!(a.zeroed("worst").number(), 14);
    assert_eq!(a.scratch().number(), 15);
    assert!(refusal(|| a.addi(scratch, ZERO, 0).note("")).contains("given back"));
}

#[test]
fn names_are_unique_whatever_they_name() {
    let mut a = Assembly::new();
    a.constant("done", 3);
    let done = a.here("done");
    let label = a.here("done");
    assert_eq!((done.name(), label.name()), ("done_2", "done_3"));
    let register = a.named("done");
    a.addi(&register, ZERO, "done");
    drop(register);
    // The same name for the same register is the same line of text; for another one it is another name.
    let register = a.named("done_4");
    a.addi(&register, ZERO, 1);
    let other = a.named("done_4");
    a.addi(&other, ZERO, 2);
    a.jmp(&label);
    let listing = a.finish();
    assert_eq!(listing.text.matches(".reg").count(), 2, "{}", listing.text);
    assert_eq!(text(&listing), ["addi r1, r0, 3", "addi r1, r0, 1", "addi r2, r0, 2", "jmp -3"]);
    let mut a = Assembly::new();
    a.constant("N", 1);
    assert!(refusal(|| drop(a.constant("N", 2))).contains("`N` is to be"));
    assert!(refusal(|| drop(a.constant("r3", 2))).contains("cannot be a name"));
    assert!(refusal(|| a.addi(ZERO, ZERO, "M - 1").note("")).contains("`M` in `M - 1` is no constant"));
}

#[test]
fn labels_are_bound_once() {
    let mut a = Assembly::new();
    let label = a.here("step");
    assert!(refusal(|| a.bind(&label)).contains("`step` is bound twice"));
    let never = a.label("never");
    a.jmp(&never);
    assert!(refusal(|| drop(a.finish())).contains("never bound: never"));
}

#[test]
fn loops_nest_and_end_behind_their_bodies() {
    let mut a = Assembly::new();
    let (axon, payload, i) = (&a.named("axon"), &a.named("payload"), &a.scratch());
    let p = &a.scratch_predicate();
    a.for_each(axon, payload, "done", |a| {
        let count = &a.scratch();
        a.addi(count, ZERO, 3);
        a.repeat(count, "done", |a| a.addi(i, i, 1).note("a pass"));
        a.for_set(i, p, "done", |a| a.addm(i, A32.at(axon, 0)).note(""));
    });
    a.sleep();
    assert_eq!(
        text(&a.finish()),
        [
            "foreach r1, r2, 6",
            "addi r14, r0, 3",
            "loop r14, 2",
            "addi r15, r15, 1",
            "forset r15, p3, 2",
            "addm r15, a32[r1]",
            "sleep"
        ]
    );
}

#[test]
fn large_numbers_take_more_instructions() {
    let mut a = Assembly::new();
    let r = &a.named("r_first");
    let big: &Constant = &a.constant("BIG", 0x12345);
    let small = &a.constant("SMALL", -7);
    a.load_number(r, -32768).note("least");
    a.load_number(r, 0x7fff_ffff).note("greatest");
    a.load_number(r, 0x10000);
    a.load_constant(r, big).note("big");
    a.load_constant(r, small);
    a.advance(r, 0).note("nothing");
    a.advance(r, -3);
    a.advance(r, 100_000).note("far");
    a.indexed(N32, r, -2048, |a, memory| a.ld(r, memory));
    a.indexed(N32, r, 2048, |a, memory| a.ld(r, memory)).note("through a scratch register");
    a.indexed(N32, r, 100_000, |a, memory| a.ld(r, memory));
    assert_eq!(a.scratch().number(), 15);
    let listing = a.finish();
    assert!(listing.text.contains("    lui r_first, 32767                    ; greatest\n"), "{}", listing.text);
    assert!(listing.text.contains("    add r_first, r_first, r15             ; far\n"), "{}", listing.text);
    assert!(listing.text.contains("    ld r_first, n32[r15]                  ; through a scratch register\n"));
    assert_eq!(
        text(&listing),
        [
            "addi r1, r0, -32768",
            "lui r1, 32767",
            "ori r1, r1, 65535",
            "lui r1, 1",
            "lui r1, 1",
            "ori r1, r1, 9029",
            "addi r1, r0, -7",
            "addi r1, r1, -3",
            "lui r15, 1",
            "ori r15, r15, 34464",
            "add r1, r1, r15",
            "ld r1, n32[r1-2048]",
            "addi r15, r1, 2048",
            "ld r1, n32[r15]",
            "lui r15, 1",
            "ori r15, r15, 34464",
            "add r15, r15, r1",
            "ld r1, n32[r15]",
        ]
    );
}

#[test]
fn the_listing_says_who_held_what() {
    let mut a = Assembly::new();
    let counts = a.named("counts");
    a.addi(&counts, ZERO, 1);
    {
        let rival = &a.named("rival");
        a.add(rival, &counts, &counts);
        a.addi(&counts, rival, 1);
    }
    a.sleep();
    let held = a.finish().held;
    let rows: Vec<_> =
        held.iter().map(|h| (h.to_string(), h.words.clone(), h.reads.clone(), h.writes.clone())).collect();
    assert_eq!(
        rows,
        [("`rival` (r2)".to_owned(), 1..3, vec![2], vec![1]), ("`counts` (r1)".to_owned(), 0..4, vec![1], vec![0, 2])]
    );
}

#[test]
fn the_table_sorts_instructions_and_knows_what_they_write() {
    for row in INSTRUCTIONS {
        assert_eq!(row.class, row.op.class(), "{}", row.mnemonic);
        assert_eq!(row.op.is_scalar(), row.class == Class::Scalar);
        assert_eq!(ScalarOp::try_from(row.op).map(Op::from).unwrap_or_else(|op| op), row.op);
        let back = match row.op.classed() {
            ClassedOp::Control(op) => Op::from(op),
            ClassedOp::Scalar(op) => Op::from(op),
            ClassedOp::Vector(op) => Op::from(op),
            ClassedOp::Send(op) => Op::from(op),
        };
        assert_eq!(back, row.op);
    }
    assert_eq!(ControlOp::try_from(Op::Add), Err(Op::Add));
    // A wrong reading of a row would have an instruction write several registers, or one that is not its first operand.
    for row in INSTRUCTIONS.iter().filter(|row| row.op != Op::Foreach) {
        assert!(row.operand_uses.iter().skip(1).all(|used| *used == Use::Read), "{}", row.mnemonic);
    }
    let uses = |op: Op| op.description().operand_uses;
    use Use::{Read, Update, Write};
    assert_eq!(uses(Op::Add), [Write, Read, Read]);
    assert_eq!(uses(Op::Shr), [Write, Read, Read]);
    assert_eq!(uses(Op::Beq), [Read, Read, Read]);
    assert_eq!(uses(Op::Loop), [Read, Read]);
    assert_eq!(uses(Op::Foreach), [Write, Write, Read]);
    assert_eq!(uses(Op::Forset), [Write, Read, Read]);
    assert_eq!(uses(Op::St), [Read, Read]);
    assert_eq!(uses(Op::Addm), [Read, Read]);
    assert_eq!(uses(Op::Vld), [Write, Read]);
    assert_eq!(uses(Op::Vacc), [Update, Read]);
    assert_eq!(uses(Op::Vst), [Read, Read]);
    assert_eq!(uses(Op::Vmac), [Update, Read, Read]);
    assert_eq!(uses(Op::Vins), [Update, Read, Read]);
    assert_eq!(uses(Op::Vext), [Write, Read, Read]);
    assert_eq!(uses(Op::Vaddn16), [Read, Read]);
    assert_eq!(uses(Op::Vlut), [Write, Read, Read, Read]);
    assert_eq!(uses(Op::Vaddp), [Write, Read, Read, Read]);
    assert_eq!(uses(Op::Vshrs), [Write, Read, Read]);
    assert_eq!(uses(Op::Spike), [Read, Read, Read]);
    assert_eq!(uses(Op::Setvl), [Read, Read]);
    for (number, special) in (0..).zip(Special::ALL) {
        assert_eq!(Special::from_number(number), Some(special));
    }
    assert_eq!((Special::Slot.name(), Special::from_number(8)), ("slot", None));
}

#[test]
fn purposes_are_written_where_they_change() {
    let mut a = Assembly::new();
    a.nop();
    let made = a.serve("weights", |a| {
        a.serve("input's path", |a| a.nop().note("x"));
        a.serve("input's path", |a| {
            a.nop();
        });
        a.nop();
        a.serve("nothing is written for this", |_| ());
        a.nop();
        a.serve_from_here("bias");
        a.nop();
        7
    });
    assert_eq!(made, 7);
    a.nop();
    a.serve_from_here("control");
    a.sleep();
    let text = a.finish().text;
    let expected = [
        "    nop",
        ".purpose \"input's path\"",
        "    nop                                   ; x",
        "    nop",
        ".purpose \"weights\"",
        "    nop",
        "    nop",
        ".purpose \"bias\"",
        "    nop",
        ".purpose",
        "    nop",
        ".purpose \"control\"",
        "    sleep",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    let program = onward_isa::assemble(&Source::new("text", text)).expect("it is right");
    let named = |names: &[(&str, u32)]| names.iter().map(|&(name, at)| (name.to_owned(), at)).collect::<Vec<_>>();
    let expected = [("input's path", 1), ("weights", 3), ("bias", 5), ("", 6), ("control", 7)];
    assert_eq!(program.purposes, named(&expected));
}
