//! What each lint says of a network that is made for it, and that it says nothing of the same network mended.

use onward_chip::Chip;
use onward_compile::{Options, compile_with};
use onward_diagnostic::Source;
use onward_golden::check;
use onward_lint::LINTS;
use std::path::Path;

/// What is warned of.
fn warnings(text: &str) -> (String, Vec<String>) {
    let source = Source::new("net.sp", text);
    let mut found = Vec::new();
    let options = Options::new(Chip::builtin("middle").expect("it is built in"), 1);
    let compiled = compile_with(&source, &options, |pass, compilation| {
        if pass.name == "fixed-point" {
            found = onward_lint::check(compilation);
        }
    });
    compiled.unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    (source.render(&found), found.iter().filter_map(|warning| warning.code()).collect())
}

/// A network of four inputs with these layers, of which `y` is read.
fn network(layers: &str) -> String {
    format!(
        "network net {{\n    window = 8\n    input x = events(4)\n    {layers}\n    readout answer = spikes from y\n}}\n"
    )
}

fn dense(weights: &str, neurons: &str) -> String {
    network(&format!(
        "layer y = dense(2) from x {{\n        weights = fixed {{ {weights} }}\n        neurons = {neurons}\n    }}"
    ))
}

/// A layer that learns begins with these weights; their format is that of weights to be learned.
fn learning(weights: &str) -> String {
    format!(
        "network net {{\n    window = 8\n    learning = hinge\n    input x = rate(2, 2)\n    target c = classes(2)\n    \
         layer y = dense(2) from x, c {{ weights = fixed {{ {weights} }} }}\n    \
         readout answer = nearest_target from y\n}}\n"
    )
}

const PLAIN: &str = "integrate_and_fire { threshold = 1.0 }";
const FAIR: &str = "bits = 8, values = ((0.5, 0.5, 0.25, 0.0), (0.5, -0.5, 0.25, 0.5))";

/// The code, a text with what it finds, and the same without.
fn cases() -> Vec<(&'static str, String, String)> {
    let fair = || dense(FAIR, PLAIN);
    let with_neurons = |neurons: &str| dense(FAIR, neurons);
    vec![
        (
            "W01",
            network("layer y = dense(2) from x { weights = fixed { bits = 8, gain = 0.001, fraction = 1 } }"),
            fair(),
        ),
        ("W02", dense("bits = 8, values = ((0.5, 0.5, 0.25, 0.0), (0.03, -0.5, 0.03, 0.0))", PLAIN), fair()),
        (
            "W03",
            with_neurons("integrate_and_fire { threshold = 1.0, bias = (2.0, 0.5) }"),
            with_neurons("integrate_and_fire { threshold = 1.0, bias = (0.9, 0.5) }"),
        ),
        (
            "W04",
            dense(
                "bits = 4, values = ((0.11, 0.37, 0.29, 3.1), (0.19, -0.57, 0.23, 2.9))",
                "integrate_and_fire { threshold = 0.25 }",
            ),
            fair(),
        ),
        (
            "W05",
            dense(
                "bits = 8, values = ((300.0, 2.0, 101.0, 55.0), (1.0, 177.0, 3.0, 299.0))",
                "integrate_and_fire { threshold = 500.0 }",
            ),
            dense(
                "bits = 16, values = ((300.0, 2.0, 101.0, 55.0), (1.0, 177.0, 3.0, 299.0))",
                "integrate_and_fire { threshold = 500.0 }",
            ),
        ),
        (
            "W06",
            learning("bits = 8, values = ((5.0, 0.5, 0.25, 0.0), (0.5, -0.5, -7.0, 0.5))"),
            learning("bits = 8, values = ((0.5, 0.5, 0.25, 0.0), (0.5, -0.5, -0.25, 0.5))"),
        ),
        (
            "W07",
            network(
                "layer a = dense(4) from x { weights = fixed { bits = 8, values = 0.5 } }\n    layer y = dense(2) from a { weights = fixed { bits = 8, values = 0.0 }\n        neurons = integrate_and_fire { threshold = 1.0, bias = 0.25 } }",
            ),
            fair(),
        ),
    ]
}

#[test]
fn each_lint_finds_what_it_is_for() {
    let cases = cases();
    assert_eq!(
        cases.iter().map(|(code, ..)| *code).collect::<Vec<_>>(),
        LINTS.iter().map(|lint| format!("W{:02}", lint.code)).collect::<Vec<_>>()
    );
    for (code, text, mended) in cases {
        let (rendered, codes) = warnings(&text);
        assert!(codes.iter().any(|found| found == code), "{code}: {rendered}");
        let (others, codes) = warnings(&mended);
        assert!(codes.is_empty(), "{code}, mended: {others}");
        check(&Path::new("tests/lints").join(format!("{code}.txt")), &rendered);
    }
}

#[test]
fn the_book_lists_the_codes() {
    let book = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/warnings.md"));
    let book = book.expect("the page is there");
    for lint in LINTS {
        assert!(
            book.contains(&format!("## W{:02}: {}", lint.code, lint.description)),
            "W{:02} is not in the book",
            lint.code
        );
    }
}
