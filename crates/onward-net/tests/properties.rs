//! What holds for all texts and all networks.

use onward_diagnostic::Source;
use onward_net::{
    Encoding, Gate, Hinge, Initial, Input, Layer, LayerKind, Learning, Network, Neuron, Node, Readout, ReadoutKind,
    Target, Values, Weights,
};
use proptest::prelude::*;

const DIGITS: &str = include_str!("../../../programs/digits.sp");

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
            Node::Layer(layer) => layer.span = 0..0,
            Node::Pool(pool) => pool.span = 0..0,
            Node::Flatten(plain) | Node::Add(plain) => plain.span = 0..0,
            Node::Delay(delay) => delay.span = 0..0,
            Node::Readout(readout) => readout.span = 0..0,
        }
    }
    let sources: Vec<_> = network.graph.node_indices().map(|node| network.sources(node)).collect();
    let nodes: Vec<_> = network.graph.node_weights().collect();
    let Network { name, data, epochs, window_steps, .. } = &network;
    format!("{name} {data:?} {epochs} {window_steps} {nodes:#?} {sources:?}")
}

fn learning() -> impl Strategy<Value = Learning> {
    let gate = prop_oneof![Just(Gate::Surrogate), Just(Gate::None)];
    let hinge = (0..=20_u32, 0.0..=100.0, 0..=16_u32, gate)
        .prop_map(|(rate, margin, anneal, gate)| Learning::Hinge(Hinge { rate, margin, anneal, gate }));
    prop_oneof![1 => Just(Learning::None), 3 => hinge]
}

/// A layer; its name is given later.
fn layer() -> impl Strategy<Value = Layer> {
    let bits = prop_oneof![Just(4), Just(8), Just(16)];
    let size = (1..=1_u32 << 20).prop_flat_map(|neurons| (Just(neurons), 1..=neurons));
    (size, 0.001..=1000.0, bits, 0.001..=1000.0, learning()).prop_map(
        |((neurons, block), threshold, bits, gain, learning)| Layer {
            name: String::new(),
            kind: LayerKind::Dense,
            shape: vec![neurons],
            recurrent: None,
            block_rows: None,
            block,
            neuron: Neuron { threshold: Values::Constant(threshold), ..Neuron::default() },
            weights: Weights { bits, initial: Initial::Drawn { gain } },
            learning,
            span: 0..0,
        },
    )
}

fn network() -> impl Strategy<Value = Network> {
    let shape = prop_oneof![
        prop::collection::vec(1..=65_536_u32, 1),
        prop::collection::vec(1..=4096_u32, 2),
        prop::collection::vec(1..=256_u32, 3),
    ];
    let data = prop::option::of("[^\n]{0,20}");
    let settings = (data, 1..=100_000_u32, 0..=8_u32, any::<[bool; 2]>());
    (settings, shape, 2..=1024_u32, prop::collection::vec(layer(), 1..6)).prop_map(
        |((data, epochs, window, [target_first, target_is_first_source]), shape, classes, layers)| {
            let mut network =
                Network { name: "random".into(), data, epochs, window_steps: 1 << window, graph: Default::default() };
            let input = Node::Input(Input { name: "in_put".into(), shape, encoding: Encoding::Rate, span: 0..0 });
            let target = Node::Target(Target { name: "Target2".into(), classes, span: 0..0 });
            let (input, target) = if target_first {
                let target = network.add(target, &[]);
                (network.add(input, &[]), target)
            } else {
                (network.add(input, &[]), network.add(target, &[]))
            };
            let mut sources = if target_is_first_source { vec![target, input] } else { vec![input, target] };
            for (at, mut layer) in layers.into_iter().enumerate() {
                layer.name = format!("layer{at}");
                sources = vec![network.add(Node::Layer(layer), &sources)];
            }
            let readout = Readout { name: "_".into(), kind: ReadoutKind::NearestTarget, span: 0..0 };
            network.add(Node::Readout(readout), &sources);
            network
        },
    )
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
        for (at, length, word) in edits {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                text.replace_range(at..end, word);
            }
        }
        exercise(&text);
    }

    #[test]
    fn canonical_text_is_the_same_network(network in network()) {
        prop_assert_eq!(contents(&reparsed(&network)), contents(&network));
        prop_assert!(network.to_dot().starts_with("digraph"));
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for opening in ["(", "a(", "a {", "a = a {\n", "a = b(c {"] {
        exercise(&format!("network a {{\n x = {}", opening.repeat(100_000)));
    }
}
