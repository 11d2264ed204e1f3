//! Fronts, expressions, spaces and searches against plainer models that share no code with them.

#![allow(
    clippy::float_cmp,
    reason = "sums of whole numbers, and what is computed in the same way, are equal to the bit"
)]

mod support;

use onward_explore::expression::Expression;
use onward_explore::front::{Scale, crowding, dominates, exclusive, front, hypervolume, knee, ranks};
use onward_explore::search::{Limits, Process, Score, search};
use onward_explore::space::{Design, Method, Space};
use onward_explore::{Value, space::Search};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Points with whole coordinates below `end`.
fn points(end: u8) -> impl Strategy<Value = Vec<Vec<f64>>> {
    (1usize..5).prop_flat_map(move |objectives| {
        let number = (0..end).prop_map(f64::from);
        prop::collection::vec(prop::collection::vec(number, objectives), 1..9)
    })
}

/// How many unit cubes below `end` some point dominates: the volume of points with whole coordinates.
fn cubes(points: &[Vec<f64>], end: u8) -> usize {
    let objectives = points[0].len() as u32;
    let cube = |at: usize| (0..objectives).map(move |axis| (at / usize::from(end).pow(axis) % usize::from(end)) as f64);
    let is_dominated =
        |at: &usize| points.iter().any(|point| cube(*at).zip(point).all(|(corner, number)| *number <= corner));
    (0..usize::from(end).pow(objectives)).filter(is_dominated).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hypervolume_is_the_number_of_cubes(points in points(6)) {
        let reference = vec![6.0; points[0].len()];
        prop_assert_eq!(hypervolume(&points, &reference), cubes(&points, 6) as f64);
        let (last, others) = points.split_last().unwrap();
        let without = if others.is_empty() { 0 } else { cubes(others, 6) };
        prop_assert_eq!(exclusive(last, others, &reference), (cubes(&points, 6) - without) as f64);
    }

    #[test]
    fn fronts_are_peeled_one_by_one(points in points(4)) {
        let better = |a: &[f64], b: &[f64]| {
            let worse = a.iter().zip(b).filter(|(a, b)| a > b).count();
            worse == 0 && a != b
        };
        for a in &points {
            for b in &points {
                prop_assert_eq!(dominates(a, b), better(a, b));
            }
        }
        // The rank of a point is the length of the longest chain of points, each of which dominates the next, that ends before it.
        fn chain(points: &[Vec<f64>], at: usize, better: &dyn Fn(&[f64], &[f64]) -> bool) -> usize {
            let above = (0..points.len()).filter(|&other| better(&points[other], &points[at]));
            above.map(|other| 1 + chain(points, other, better)).max().unwrap_or(0)
        }
        let found = ranks(&points);
        for (at, &rank) in found.iter().enumerate() {
            prop_assert_eq!(rank, chain(&points, at, &better));
        }
        let first: Vec<usize> = (0..points.len()).filter(|&at| found[at] == 0).collect();
        prop_assert_eq!(front(&points), first);
        prop_assert_eq!(crowding(&points).len(), points.len());
        let share = Scale::of(&points).share(&points);
        prop_assert!((0.0..=1.0 + 1e-9).contains(&share), "{}", share);
    }

    #[test]
    fn expressions_follow_their_tree(tree in tree()) {
        let (text, value) = tree;
        let found = Expression::parse(&text).unwrap().number(&|name| (name == "x.y").then_some(Value::Integer(3)));
        match value {
            Some(value) if value.is_finite() => prop_assert_eq!(found.unwrap(), value, "{}", text),
            _ => prop_assert!(found.is_err(), "{}", text),
        }
    }

    #[test]
    fn no_text_breaks_the_parser(text in "[-+*/^()<>=!,'\"a-c.0-9e ]{0,24}") {
        let _ = Expression::parse(&text).map(|expression| expression.number(&|_| Some(Value::Integer(1))));
    }

    #[test]
    fn searches_propose_what_is_there_and_nothing_twice(seed in 0u64..1000, which in 0usize..5, batch in 1usize..20) {
        let space = small(Method::ALL[which].1, seed);
        let all: BTreeSet<Design> = space.enumerate(1000).unwrap().into_iter().collect();
        let run = || {
            let (mut found, mut search) = (Vec::new(), search(&space));
            while found.len() < all.len() {
                let asked = search.ask(batch, &mut Limits::of(None));
                if asked.is_empty() {
                    break;
                }
                let results: Vec<(Design, Score)> = asked.iter().map(|design| (design.clone(), score(&space, design))).collect();
                search.tell(&results);
                found.extend(asked);
            }
            found
        };
        let found = run();
        prop_assert_eq!(&found, &run());
        prop_assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
        prop_assert!(found.iter().all(|design| all.contains(design)));
        prop_assert_eq!(found.len(), all.len());
    }
}

/// The text of a random expression, fully in parentheses, and its value; none where it divides by 0.
fn tree() -> impl Strategy<Value = (String, Option<f64>)> {
    let leaf = prop_oneof![
        (0u8..5).prop_map(|number| (number.to_string(), Some(f64::from(number)))),
        Just(("x.y".to_owned(), Some(3.0))),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        (inner.clone(), inner, 0usize..5).prop_map(|((left, a), (right, b), which)| {
            let value = a.zip(b).and_then(|(a, b)| match which {
                0 => Some(a + b),
                1 => Some(a - b),
                2 => Some(a * b),
                3 => (b != 0.0).then(|| a / b),
                _ => Some(a.max(b)),
            });
            let text = match which {
                4 => format!("max({left}, {right})"),
                _ => format!("({left} {} {right})", ["+", "-", "*", "/"][which]),
            };
            (text, value)
        })
    })
}

fn small(method: Method, seed: u64) -> Space {
    let space = support::read(
        r#"
        [parameters]
        "chip.core.lanes" = { from = 4, to = 64, times = 2 }
        "chip.mesh.width" = [1, 2, 4]
        "chip.mesh.topology" = { values = ["mesh", "torus"], when = "chip.mesh.width > 1" }
        "network.bits" = [4, 8, 16]

        [objectives]
        accuracy = { maximize = "accuracy_percent" }
        area = { minimize = "area_mm2" }

        [constraints]
        small = "chip.core.lanes * chip.mesh.width <= 128"
        "#,
    );
    let search = Search { method, seed, ..space.search.clone() };
    Space { search, ..space }
}

fn score(space: &Space, design: &Design) -> Score {
    let number = |name: &str| space.find(design, name).and_then(|value| value.number()).unwrap_or(0.0);
    let (lanes, width, bits) = (number("chip.core.lanes"), number("chip.mesh.width"), number("network.bits"));
    let objectives = Some(vec![bits * lanes, width / bits + 1.0 / lanes]);
    Score { objectives, violation: 0.0, is_full: true }
}

#[test]
fn precedence_is_that_of_arithmetic() {
    let number = |text: &str| Expression::parse(text).unwrap().number(&|_| None).unwrap();
    assert_eq!(number("1 + 2 * 3 ^ 2 - 4 / 2"), 17.0);
    assert_eq!(number("-2 ^ 2 + 1e-1 * 10"), -3.0);
    assert_eq!(number("2 ^ 3 ^ 2"), 512.0);
    let holds = |text: &str| Expression::parse(text).unwrap().holds(&|_| Some(Value::Word("mesh".into()))).unwrap();
    assert!(holds("not 1 > 2 and (3 <= 3 or 1 / 0 > 1)"));
    assert!(holds("topology == 'mesh' and topology != 'torus'"));
}

#[test]
fn a_space_lists_what_conditions_and_constraints_leave() {
    let space = small(Method::Grid, 1);
    // By hand: width 1: 5 lanes; width 2: 5 lanes, two topologies; width 4: 4 lanes (to 32), two topologies; three widths of weights.
    assert_eq!(space.enumerate(1000).unwrap().len(), (5 + 10 + 8) * 3);
    assert_eq!(space.enumerate(68), None);
}

#[test]
fn a_process_goes_through_what_it_saw_and_doubts_what_it_did_not() {
    let points: Vec<Vec<f64>> = (0..12).map(|at| vec![f64::from(at) / 11.0, 0.5]).collect();
    let numbers: Vec<f64> = points.iter().map(|point| (5.0 * point[0]).sin()).collect();
    let process = Process::of(&points, &numbers).unwrap();
    for (point, number) in points.iter().zip(&numbers) {
        assert!((process.at(point).0 - number).abs() < 0.02);
    }
    assert!((process.at(&[0.5, 0.5]).0 - 2.5f64.sin()).abs() < 0.02);
    assert!(process.at(&[4.0, 0.5]).1 > 5.0 * process.at(&[0.5, 0.5]).1);
}

#[test]
fn the_knee_is_where_the_front_bends() {
    let bent = [vec![0.0, 10.0], vec![1.0, 2.0], vec![5.0, 1.0], vec![10.0, 0.0]];
    assert_eq!(knee(&bent), Some(1));
    assert_eq!(knee(&bent[..2]), None);
}
