//! The programs of the repository: what they mean, as canonical text and as a drawing.

use onward_diagnostic::Source;
use onward_net::{Gate, Learning, Network, Rule};
use std::fs;
use std::path::{Path, PathBuf};

fn program(name: &str) -> Network {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs").join(name);
    let source = Source::new(name, fs::read_to_string(path).expect("the program is there"));
    Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[test]
fn digits() {
    let network = program("digits.sp");
    onward_golden::check(&recorded("digits.sp"), &network.to_string());
    onward_golden::check(&recorded("digits.dot"), &network.to_dot());
}

#[test]
fn mnist() {
    let network = program("mnist.sp");
    assert_eq!(network.data, None);
    assert_eq!(network.input().size(), 784);
    onward_golden::check(&recorded("mnist.sp"), &network.to_string());
}

#[test]
fn recorded_texts_are_all_expected() {
    onward_golden::are_named(&recorded(""), &[Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs.rs"))]);
}

/// The examples of the book: each parses, its arrays are there, and its canonical text is the same network.
#[test]
fn examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/examples");
    let entries =
        fs::read_dir(&folder).expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "sp")).collect();
    paths.sort();
    assert!(paths.len() >= 10);
    for path in paths {
        let source = Source::new(path.display().to_string(), fs::read_to_string(&path).expect("it is a text"));
        let mut read = |path: &Path| fs::read_to_string(path);
        let source = onward_net::with_includes(source, &mut read)
            .unwrap_or_else(|(source, errors)| panic!("{}", source.render(&errors)));
        let mut network = Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
        let canonical = Source::new("canonical.sp", network.to_string());
        let again = Network::parse(&canonical).unwrap_or_else(|errors| panic!("{}", canonical.render(&errors)));
        assert_eq!(again.to_string(), network.to_string());
        network.load(&folder).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/language.md");
        let page = fs::read_to_string(page).expect("the page is there");
        let name = path.file_name().expect("it has a name").to_string_lossy();
        assert!(page.contains(&format!("examples/{name}")), "the book does not show {name}");
    }
}

#[test]
fn parameters_are_set_and_included_files_are_part_of_the_text() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/examples/parameters.sp");
    let source = Source::new(path.display().to_string(), fs::read_to_string(&path).expect("the program is there"));
    let mut read = |path: &Path| fs::read_to_string(path);
    let source = onward_net::with_includes(source, &mut read)
        .unwrap_or_else(|(source, errors)| panic!("{}", source.render(&errors)));
    let settings = [("width", "3"), ("rule", "hinge { rate = 4, gate = none }")];
    let settings: Vec<_> = settings.map(|(name, value)| (name.to_string(), value.to_string())).into();
    let source = onward_net::with_settings(source, &settings);
    let network = Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let layer = network.layer(network.layers().next().expect("there are layers"));
    assert_eq!((layer.neurons(), layer.block), (384, 192));
    assert_eq!(layer.learning, Learning::Rule(Rule { rate: 4, gate: Gate::None, ..Rule::default() }));
    assert_eq!(network.data.as_deref(), Some("digits"));
    assert!(source.text.contains("width = 3"), "what was set is part of the text");
}

#[test]
fn reference() {
    // The book includes it.
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/language-reference.md");
    onward_golden::check(&page, &onward_net::reference());
}

#[test]
fn defaults_and_overrides() {
    let source = Source::new(
        "test.sp",
        "network test {
            input x = rate(4)
            target y = classes(2)
            learning = hinge
            layer first = dense(200)
                from x,
                     y
                { weights = fixed { bits = 8 }, learning = none }
            layer second = dense(20) from first
            readout z = nearest_target from second
        }",
    );
    let network = Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    assert_eq!((network.epochs, network.window_steps), (10, 8));
    let layers: Vec<_> = network.layers().collect();
    let (first, second) = (network.layer(layers[0]), network.layer(layers[1]));
    assert_eq!((first.block, first.blocks(), second.block, second.blocks()), (128, 2, 20, 1));
    assert_eq!((first.weights.bits, second.weights.bits), (8, 16));
    assert_eq!(first.learning, Learning::None);
    assert_eq!(second.learning, Learning::Rule(Rule::default()));
    assert_eq!(&source.text[first.span.clone()], "layer first");
    let sources: Vec<_> = network.sources(layers[0]).iter().map(|&node| network.graph[node].name()).collect();
    assert_eq!(sources, ["x", "y"]);
    assert_eq!(layers.iter().map(|&layer| network.lag(layer)).collect::<Vec<_>>(), [1, 2]);
}
