//! NIR files that the reference implementation wrote (`write.py`): all its ways of writing a graph read the same.

use onward_net::nir::{Imported, Options, read};
use onward_net::{LayerKind, Network, Node};
use proptest::prelude::*;

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/nir/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn imported(file: &str) -> Imported {
    read(&bytes(file), &Options::default()).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text(network: &Network) -> String {
    network.to_string()
}

#[test]
fn a_graph_of_many_kinds_is_read() {
    let Imported { network, notes } = imported("gzip.nir");
    let names: Vec<&str> = network.graph.node_weights().map(Node::name).collect();
    assert_eq!(names, ["input", "if", "pool", "flat", "hidden_lif", "li", "output"]);
    let layers: Vec<_> = network.layers().map(|index| network.layer(index)).collect();
    let LayerKind::Convolution(convolution) = &layers[0].kind else { panic!("{:?}", layers[0].kind) };
    assert_eq!((convolution.padding, convolution.padding_end), ([1, 1], [1, 1]));
    assert!(layers[1].recurrent.is_some() && layers[1].neuron.current.is_some());
    assert_eq!(
        notes,
        ["`li` (LI) does not fire: it is read out as spikes, one for each 1 of the sum of its voltage over the steps"]
    );
}

#[test]
fn all_ways_of_writing_read_the_same() {
    let expected = text(&imported("plain.nir").network);
    for file in ["gzip.nir", "lzf.nir", "newer.nir"] {
        assert_eq!(text(&imported(file).network), expected, "{file}");
    }
}

#[test]
fn text_and_arrays_give_the_network_back() {
    let mut network = imported("gzip.nir").network;
    let whole = text(&network);
    let arrays = network.store("net.npz");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("net.npz"), onward_net::npz(&arrays).unwrap()).unwrap();
    let source = onward_diagnostic::Source::new("net.sp", text(&network));
    let mut again = Network::parse(&source).map_err(|errors| source.render(&errors)).unwrap();
    again.load(folder.path()).map_err(|errors| source.render(&errors)).unwrap();
    assert_eq!(text(&again), whole);
    let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
    let places = ["threshold", "leak", "weight", "recurrent_weight"].map(|place| format!("hidden_lif.{place}"));
    assert_eq!(names, [&["if.weight".to_owned()], &places[..], &["li.weight".to_owned()]].concat());
    assert_eq!(onward_net::npz(&arrays).unwrap(), onward_net::npz(&arrays).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// A damaged file, compressed or not, is an error, or a network if only numbers are damaged; never anything else.
    #[test]
    fn damage_is_an_error(
        file in prop::sample::select(vec!["gzip.nir", "lzf.nir", "newer.nir", "plain.nir"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..8),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = bytes(file);
        for (place, value, is_early) in changes {
            // Headers are at the beginning.
            let place = place.index(if is_early { 4096 } else { bytes.len() });
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read(&bytes, &Options::default());
    }
}
