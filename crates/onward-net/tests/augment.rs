//! What is done to pictures before they are learned from: its words, and the inputs it is for.

use onward_diagnostic::Source;
use onward_net::{Augmentation, Network};

fn parse(augment: &str, input: &str) -> Result<Network, String> {
    let text = format!(
        "network pictures {{
    augment = {augment}
    input x = {input}
    target t = classes(10)
    layer h = dense(32) from x, t {{ learning = hinge {{ rate = 7 }} }}
    readout a = nearest_target from h
}}
"
    );
    let source = Source::new("pictures.sp", text);
    Network::parse(&source).map_err(|errors| source.render(&errors))
}

#[test]
fn one_or_a_list_of_them() {
    use Augmentation::{Flip, Shift};
    for (text, expected) in [
        ("shift(1)", vec![Shift(1)]),
        ("flip", vec![Flip]),
        ("(shift(2), flip)", vec![Shift(2), Flip]),
        ("(flip, shift(3), shift(1))", vec![Flip, Shift(3), Shift(1)]),
    ] {
        for input in ["rate(8, 8)", "poisson(3, 8, 8)", "events(2, 8, 8)", "current(8, 8)"] {
            let network = parse(text, input).unwrap_or_else(|errors| panic!("{errors}"));
            assert_eq!(network.augment, expected, "{text}");
            // Canonical text means the same.
            let again = Network::parse(&Source::new("again.sp", network.to_string())).expect("it is a text");
            assert_eq!(again.augment, expected, "{network}");
        }
    }
}

#[test]
fn what_is_no_picture_is_refused() {
    for (augment, input, says) in [
        ("shift(1)", "rate(64)", "`augment` is for pictures, and `x` has no height and width"),
        ("flip", "sequence(24, 8)", "`augment` is for pictures, and `x` takes sequences"),
        ("shift(0)", "rate(8, 8)", "from 1 to 1024"),
        ("shift", "rate(8, 8)", "shift"),
        ("turn(3)", "rate(8, 8)", "turn"),
        ("3", "rate(8, 8)", "`augment`"),
    ] {
        let errors = parse(augment, input).expect_err(says);
        assert!(errors.contains(says) && errors.contains("augment = "), "{errors}");
    }
}
