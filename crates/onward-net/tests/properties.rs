//! What holds for all texts and all networks.

mod random;

use onward_diagnostic::Source;
use onward_net::{Decay, Initial, Layer, LayerKind, Lowering, Network, Node, Reset, Values};
use proptest::prelude::*;

const DIGITS: &str = include_str!("../../../programs/digits.sp");

/// A text with most of the language in it.
const WIDE: &str = r#"network wide {
    parameter hidden = 2 * 8 - 4
    window = 12
    weights = fixed { bits = 8, gain = 0.5 }
    input x = events(2, 12, 12)
    layer c1 = conv(4, 3) from x { stride = (1, 2), padding = 1, rows = 4, weights = fixed { values = file("w.npz", "c1") } }
    layer p1 = max_pool(2, 2) from c1 { block = 2 }
    layer d1 = delay(3) from p1
    layer s1 = add from p1, d1
    layer f1 = flatten from s1
    layer r1 = recurrent(hidden) from f1 { neurons = current_based { current = factor(0.9), leak = shift(3), reset = zero } }
    layer q1 = sparse(3) from r1 { connections = ((0, 0, 0.5), (1, 2, -1.0)), neurons = leaky { threshold = (1.0, 2.0, 0.5) } }
    readout y = most_spikes from q1
}
"#;

/// Fragments from which texts are more likely to get far than from characters.
const WORDS: &[&str] = &[
    "network",
    "a",
    "b",
    "input",
    "target",
    "layer",
    "readout",
    "rate",
    "classes",
    "dense",
    "nearest_target",
    "from",
    "learning",
    "hinge",
    "softmax",
    "shifts",
    "optimizer",
    "momentum",
    "none",
    "neurons",
    "integrate_and_fire",
    "weights",
    "fixed",
    "bits",
    "block",
    "epochs",
    "window",
    "data",
    "gate",
    "parameter",
    "include",
    "conv",
    "sum_pool",
    "add",
    "delay",
    "flatten",
    "sparse",
    "connections",
    "recurrent",
    "current",
    "delta",
    "leaky",
    "leak",
    "shift",
    "factor",
    "values",
    "file",
    "threshold",
    "stride",
    "padding",
    "+",
    "-",
    "*",
    "/",
    "=",
    "=",
    "=",
    "(",
    ")",
    "{",
    "}",
    ",",
    "\n",
    "\n",
    "8",
    "-1",
    "0.3",
    "\"x\"",
    "#",
    "\"",
    "@",
    "é",
    "1e400",
    "99999999999999999999",
    "\r\n",
    "[",
    "'",
    "\\",
];

/// Parses, and renders what is wrong. A network that parses must survive being printed.
fn exercise(text: &str) {
    let source = Source::new("test.sp", text);
    match Network::parse(&source) {
        Ok(network) => assert_eq!(contents(&reparsed(&network)), contents(&network)),
        Err(errors) => {
            assert!(!errors.is_empty());
            assert!(errors.iter().all(|error| error.span.start <= error.span.end && error.span.end <= text.len()));
            assert!(errors.is_sorted_by_key(|error| error.span.start));
            source.render(&errors);
        }
    }
}

fn reparsed(network: &Network) -> Network {
    let source = Source::new("canonical.sp", network.to_string());
    Network::parse(&source).unwrap_or_else(|errors| panic!("{}\n{}", source.text, source.render(&errors)))
}

/// All of a network but its spans, in a form that can be compared.
fn contents(network: &Network) -> String {
    let mut network = network.clone();
    for node in network.graph.node_weights_mut() {
        match node {
            Node::Input(input) => input.span = 0..0,
            Node::Target(target) => target.span = 0..0,
            Node::Layer(layer) => forget_spans(layer),
            Node::Pool(pool) => pool.span = 0..0,
            Node::Flatten(plain) | Node::Add(plain) | Node::Concat(plain) => plain.span = 0..0,
            Node::Delay(delay) => delay.span = 0..0,
            Node::Readout(readout) => readout.span = 0..0,
        }
    }
    let sources: Vec<_> = network.graph.node_indices().map(|node| network.sources(node)).collect();
    let nodes: Vec<_> = network.graph.node_weights().collect();
    let Network { name, data, epochs, window_steps, augment, .. } = &network;
    format!("{name} {data:?} {epochs} {window_steps} {augment:?} {nodes:#?} {sources:?}")
}

fn forget_spans(layer: &mut Layer) {
    layer.span = 0..0;
    let mut values = vec![&mut layer.neuron.threshold, &mut layer.neuron.current_start, &mut layer.neuron.bias];
    if let Reset::To(to) | Reset::Subtract(Lowering { amount: Some(to), .. }) = &mut layer.neuron.reset {
        values.push(to);
    }
    for decay in [Some(&mut layer.neuron.leak), layer.neuron.current.as_mut()].into_iter().flatten() {
        if let Decay::Factor(factor) = decay {
            values.push(factor);
        }
    }
    for weights in [Some(&mut layer.weights), layer.recurrent.as_mut()].into_iter().flatten() {
        if let Initial::Given(given) = &mut weights.initial {
            values.push(given);
        }
    }
    if let LayerKind::Sparse(sparse) = &mut layer.kind {
        values.push(&mut sparse.connections);
    }
    for value in values {
        if let Values::File(file) = value {
            file.span = 0..0;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged(text in any::<String>()) {
        exercise(&text);
    }

    #[test]
    fn any_words_are_judged(words in prop::collection::vec(prop::sample::select(WORDS), 0..60), inside in any::<bool>()) {
        let text = words.join(" ");
        exercise(&if inside { format!("network a {{\n{text}\n}}") } else { text });
    }

    #[test]
    fn a_mutated_program_is_judged(
        edits in prop::collection::vec((0..DIGITS.len(), 0..20_usize, prop::sample::select(WORDS)), 1..6)
    ) {
        let mut text = DIGITS.to_string();
        for (start, length, word) in edits {
            let start = start.min(text.len());
            let end = (start + length).min(text.len());
            if text.is_char_boundary(start) && text.is_char_boundary(end) {
                text.replace_range(start..end, word);
            }
        }
        exercise(&text);
    }

    #[test]
    fn a_mutated_wide_program_is_judged(
        edits in prop::collection::vec((0..WIDE.len(), 0..20_usize, prop::sample::select(WORDS)), 0..4)
    ) {
        let mut text = WIDE.to_string();
        for (start, length, word) in edits {
            let start = start.min(text.len());
            let end = (start + length).min(text.len());
            if text.is_char_boundary(start) && text.is_char_boundary(end) {
                text.replace_range(start..end, word);
            }
        }
        exercise(&text);
    }

    #[test]
    fn canonical_text_is_the_same_network(numbers in prop::collection::vec(any::<u32>(), 300)) {
        let network = random::network(&numbers);
        prop_assert_eq!(contents(&reparsed(&network)), contents(&network));
        prop_assert!(network.to_dot().starts_with("digraph"));
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for opening in ["(", "a(", "a {", "a = a {\n", "a = b(c {", "-", "-(", "1+", "1-(", "a*", "(1,"] {
        exercise(&format!("network a {{\n x = {}", opening.repeat(100_000)));
    }
}
