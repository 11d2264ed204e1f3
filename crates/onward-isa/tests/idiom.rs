//! What is written as an idiom is known again, with the same operands; what differs from it is not.

use onward_diagnostic::Source;
use onward_isa::builder::{Assembly, Elements, Register, Scalar, Vector};
use onward_isa::idiom::{EventLoop, EventRows, EventTraces, KernelRows, RowLoop, RowStep, Trace, WeightStep};
use onward_isa::{Instruction, Space, Width, assemble};
use proptest::prelude::*;

type Code = Vec<Option<Instruction>>;

fn code(a: Assembly) -> Code {
    let words = assemble(&Source::new("idiom", a.finish().text)).expect("it assembles").words;
    words.iter().map(|&word| Instruction::decode(word).ok()).collect()
}

/// Five different scalar registers of the builder, by numbers.
fn scalars(a: &mut Assembly, numbers: &[u8]) -> Vec<Register<Scalar>> {
    numbers.iter().map(|&number| a.named_number(&format!("s_{number}"), number)).collect()
}

fn numbers() -> impl Strategy<Value = Vec<u8>> {
    Just((1_u8..16).collect::<Vec<u8>>()).prop_shuffle().prop_map(|numbers| numbers[..5].to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 32 } else { 256 }))]

    #[test]
    fn event_loops(
        numbers in numbers(),
        vector in 0_u8..8,
        width in 0_usize..3,
        first in 0_i64..100,
        trace in prop::option::of((any::<bool>(), 0_i64..100)),
        swapped in (0_usize..4, 0_usize..4),
    ) {
        let mut a = Assembly::new();
        let registers = scalars(&mut a, &numbers);
        let sums: Register<Vector> = a.named_number("sums", vector);
        let trace_given = trace.map(|(with_base, offset)| EventTraces {
            increment: (&registers[2]).into(),
            base: with_base.then(|| (&registers[3]).into()),
            offset,
        });
        let rows = EventRows {
            axon: (&registers[0]).into(),
            payload: (&registers[1]).into(),
            sums: (&sums).into(),
            weights: Elements::new(Space::Synapse, Width::ALL[width]),
            first,
            trace: trace_given,
        };
        let end = a.label("end");
        rows.write(&mut a, &end);
        a.sleep();
        let code = code(a);
        let scratch = (1..16).rev().find(|number| !numbers.contains(number)).unwrap_or(0);
        let trace = trace.map(|(with_base, offset)| Trace {
            sum: if with_base { scratch } else { 0 },
            base: if with_base { numbers[3] } else { 0 },
            increment: numbers[2],
            offset: offset - first,
        });
        let end = code.len() - 1;
        let expected = EventLoop {
            end, axon: numbers[0], payload: numbers[1], vector, width: Width::ALL[width], offset: -first, table: None,
            trace,
        };
        prop_assert_eq!(EventLoop::find(&code, 0), Some(expected));
        prop_assert_eq!(RowLoop::find(&code, 0), None);
        // Two instructions of the body exchanged: no such loop.
        let (x, y) = swapped;
        let mut other = code.clone();
        if x != y && x < end - 1 && y < end - 1 {
            other.swap(1 + x, 1 + y);
            prop_assert_eq!(EventLoop::find(&other, 0), None);
        }
    }

    #[test]
    fn row_loops(
        numbers in numbers(),
        wide in any::<bool>(),
        width in 1_usize..3,
        in_axons in any::<bool>(),
        number in prop::option::of(-500_i64..500),
        sum_step in -500_i64..500,
        swapped in (0_usize..3, 0_usize..3),
    ) {
        let mut a = Assembly::new();
        let registers = scalars(&mut a, &numbers);
        let operand = |at: usize| Scalar::from(&registers[at]);
        let space = if in_axons { Space::Axon } else { Space::Synapse };
        let sum_width = if wide { Width::W32 } else { Width::W16 };
        let rows = KernelRows {
            rows: operand(0),
            sums: operand(1),
            sum_width,
            weights: operand(2),
            elements: Elements::new(space, Width::ALL[width]),
            weight_step: number.map_or(WeightStep::Register(operand(3)), |number| WeightStep::Number(number.into())),
            sum_step: sum_step.into(),
        };
        let end = a.label("end");
        rows.write(&mut a, &end);
        a.sleep();
        let code = code(a);
        let expected = RowLoop {
            end: 4,
            sums: numbers[1],
            weights: numbers[2],
            weight_step: number.map_or(RowStep::Register(numbers[3]), RowStep::Number),
            sum_width,
            space,
            width: Width::ALL[width],
            offset: 0,
            sum_step,
        };
        prop_assert_eq!(RowLoop::find(&code, 0), Some(expected));
        prop_assert_eq!(EventLoop::find(&code, 0), None);
        let (x, y) = swapped;
        if x != y {
            let mut other = code.clone();
            other.swap(1 + x, 1 + y);
            prop_assert_eq!(RowLoop::find(&other, 0), None);
        }
    }
}

#[test]
fn what_the_loop_itself_changes_is_no_idiom() {
    let find = |text: &str| {
        let words = assemble(&Source::new("idiom", text)).expect("it assembles").words;
        let code: Code = words.iter().map(|&word| Instruction::decode(word).ok()).collect();
        (EventLoop::find(&code, 0).is_some(), RowLoop::find(&code, 0).is_some())
    };
    let events = |body: &str| find(&format!("foreach r1, r2, e\n {body}\ne: sleep")).0;
    assert!(events("vaccr v0, s16[row r1]"));
    assert!(!events("vaccr v0, s16[row r3]") && !events("vaccr v0, s32[row r1]") && !events("vaccr v0, a16[row r1]"));
    assert!(events("ld r3, a32[r1+4]\n vaccr v0, s16[row r3-1]"));
    assert!(!events("ld r3, a32[r1]\n vaccr v0, s16[row r1]") && !events("ld r3, a16[r1]\n vaccr v0, s16[row r3]"));
    assert!(!events("ld r2, a32[r1]\n vaccr v0, s16[row r2]") && !events("ld r3, n32[r1]\n vaccr v0, s16[row r3]"));
    assert!(!events("ld r3, a32[r1]\n vaccr v0, s16[row r3]\n addm r4, a16[r1]"));
    assert!(events("vaccr v0, s16[row r1]\n addm r3, a16[r1]"));
    assert!(!events("vaccr v0, s16[row r1]\n addm r1, a16[r1]"));
    assert!(!events("vaccr v0, s16[row r1]\n addm r2, a16[r1]"));
    assert!(!events("vaccr v0, s16[row r1]\n addm r3, a32[r1]"));
    assert!(!events("vaccr v0, s16[row r1]\n add r4, r1, r4\n addm r3, a16[r4]"));
    assert!(!events("vaccr v0, s16[row r1]\n add r4, r1, r2\n addm r3, a16[r4]"));
    assert!(!events("vaccr v0, s16[row r1]\n add r4, r1, r1\n addm r3, a16[r4]"));
    let rows = |body: &str| find(&format!("loop r1, e\n {body}\ne: sleep")).1;
    assert!(rows("vaddn16 r2, s8[r3]\n add r3, r3, r4\n addi r2, r2, 5"));
    assert!(!rows("vaddn16 r2, s8[r3]\n add r3, r3, r2\n addi r2, r2, 5"));
    assert!(!rows("vaddn16 r2, s8[r3]\n add r3, r3, r3\n addi r2, r2, 5"));
    assert!(!rows("vaddn16 r2, s8[r2]\n add r2, r2, r4\n addi r2, r2, 5"));
    assert!(!rows("vaddn16 r2, s4[r3]\n add r3, r3, r4\n addi r2, r2, 5"));
}
