//! Networks that leave as NIR files and come back: the same neurons, weights and spikes.

use crate::network_model::NetworkModel;
use crate::networks::Case;
use crate::sides::Pair;
use crate::{Noise, convention};
use hdf5_pure::{DType, File};
use onward_chip::Chip;
use onward_compile::compile_with;
use onward_diagnostic::Source;
use onward_net::nir::{Exported, Options, ResetRule, read, write};
use onward_net::{Network, ReadoutKind};
use onward_quantize::LayerParameters;
use std::collections::BTreeMap;
use testbench::nir_file::NirGraph;
use testbench::nir_model::NirModel;

const STEPS: usize = 40;

/// Numbers in 64ths as lists in lists of the language: they are the same in single precision and on a grid of 8 bits.
fn list(noise: &mut Noise, shape: &[usize], least: f64, greatest: f64) -> String {
    let [size, inner @ ..] = shape else {
        return ((noise.between(1, least, greatest)[0] * 64.0).round() / 64.0).to_string();
    };
    let members: Vec<String> = (0..*size).map(|_| list(noise, inner, least, greatest)).collect();
    // A list of one has a comma.
    format!("({}{})", members.join(", "), if *size == 1 { "," } else { "" })
}

/// A convolution, a pool and full connections of neurons that leak and that do not, all of which fire `reset`. What is left
/// of the membrane of one layer is `leak`.
fn text(reset: &str, leak: f64) -> String {
    let mut noise = Noise(5);
    let kernels = list(&mut noise, &[3, 2, 3, 3], -0.4, 0.6);
    let hidden = list(&mut noise, &[12, 48], -0.4, 0.5);
    let last = list(&mut noise, &[5, 12], -0.6, 0.75);
    let bias = list(&mut noise, &[12], -0.1, 0.1);
    format!(
        "network small {{
             window = {STEPS}
             input pixels = events(2, 8, 8)
             layer edges = conv(3, 3) from pixels {{
                 padding = 1
                 weights = fixed {{ bits = 8, values = {kernels} }}
                 neurons = integrate_and_fire {{ threshold = 1.5, reset = {reset} }}
             }}
             layer places = sum_pool(2) from edges
             layer hidden = dense(12) from places {{
                 weights = fixed {{ bits = 8, values = {hidden} }}
                 neurons = leaky {{ leak = factor({leak}), threshold = 2.0, bias = {bias}, reset = {reset} }}
             }}
             layer last = dense(5) from hidden {{
                 weights = fixed {{ bits = 8, values = {last} }}
                 neurons = integrate_and_fire {{ threshold = 1.0, reset = {reset} }}
             }}
             readout answer = spikes from last
         }}"
    )
}

/// The same with an input of two sizes, which NIR does not have before a convolution.
fn on_one_plane(text: &str) -> String {
    let mut noise = Noise(6);
    let kernels = list(&mut noise, &[3, 1, 3, 3], -0.4, 0.6);
    let (before, rest) = text.split_once("values = ").unwrap();
    let (_, rest) = rest.split_once(" }").unwrap();
    format!("{before}values = {kernels} }}{rest}").replace("events(2, 8, 8)", "events(8, 8)")
}

fn network(text: &str) -> Network {
    let source = Source::new("small.sp", text);
    Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// A network's file, read again as the notes say that it is to be.
fn there_and_back(network: &Network, time_step: f64, reset: ResetRule) -> (Exported, Network) {
    let exported = write(network, &BTreeMap::new(), time_step).unwrap();
    let says = match reset {
        ResetRule::AsGiven => None,
        ResetRule::Subtract => Some("(`--reset subtract` here)"),
        ResetRule::SubtractLate => Some("(`--reset subtract-late` here)"),
    };
    let of_resets: Vec<&String> = exported.notes.iter().filter(|note| note.contains("--reset")).collect();
    assert_eq!(of_resets.len(), if says.is_some() { 3 } else { 0 }, "{:?}", exported.notes);
    assert!(of_resets.iter().all(|note| note.contains(says.unwrap())), "{of_resets:?}");
    let options = Options { time_step, reset, window_steps: network.window_steps, ..Options::default() };
    let imported = read(&exported.bytes, &options).unwrap();
    (exported, imported.network)
}

/// Places of the input that are active in each step.
fn shown(size: usize) -> Vec<Vec<(usize, i64)>> {
    let mut noise = Noise(21);
    let mut step = |_| (0..size).filter(|_| noise.next() < 0.2).map(|place| (place, 1)).collect();
    (0..STEPS).map(&mut step).collect()
}

/// In real numbers: the network, its file by NIR's equations, and what is imported of the file fire the same spikes. Decays
/// are such that their time constants are exact.
#[test]
fn a_network_its_file_and_what_is_imported_fire_alike() {
    for (word, reset) in
        [("zero", ResetRule::AsGiven), ("to(-0.25)", ResetRule::AsGiven), ("subtract", ResetRule::Subtract)]
    {
        for text in [text(word, 0.75), on_one_plane(&text(word, 0.75))] {
            let network = network(&text);
            let (exported, imported) = there_and_back(&network, 1.0, reset);
            let graph = NirGraph::from_bytes(&exported.bytes);
            let options = Options { time_step: 1.0, reset, ..Options::default() };
            let mut file = NirModel::new(&graph, 1.0, convention(&options));
            let (mut before, mut after) = (NetworkModel::new(&network), NetworkModel::new(&imported));
            let mut spikes = 0;
            for (number, step) in shown(network.input().size() as usize).iter().enumerate() {
                let mut input = vec![0.0; network.input().size() as usize];
                step.iter().for_each(|&(place, _)| input[place] = 1.0);
                file.step(&input);
                let expected = before.step(&input);
                assert_eq!(after.step(&input), expected, "imported, reset {word}, step {number}");
                assert_eq!(file.output("last"), expected, "the file, reset {word}, step {number}");
                spikes += expected.iter().filter(|&&spike| spike > 0.0).count();
            }
            println!("{spikes} spikes with reset {word}");
            assert!((STEPS / 2..STEPS * 4).contains(&spikes), "{spikes} spikes with reset {word} show little");
        }
    }
}

fn parameters(text: &str, names: &[String]) -> BTreeMap<String, LayerParameters> {
    let mut found = BTreeMap::new();
    let options = onward_compile::Options::new(Chip::builtin("middle").unwrap(), 1);
    let source = Source::new("small.sp", text);
    compile_with(&source, &options, |_, compilation| {
        for name in names {
            found.extend(compilation.parameters(name).map(|of| (name.clone(), of.clone())));
        }
    })
    .unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    found
}

/// On chip: integers of what is imported are those of the network, and so are spikes and membranes, though time constants
/// in the file are in single precision.
#[test]
fn on_chip_a_network_that_left_and_came_back_is_the_same() {
    let network = network(&text("subtract", 0.9));
    let (_, imported) = there_and_back(&network, 1e-4, ResetRule::Subtract);
    let names: Vec<String> = network.layers().map(|node| network.layer(node).name.clone()).collect();
    let texts = [network.to_string(), imported.to_string()];
    let [before, after] = texts.each_ref().map(|text| parameters(text, &names));
    for name in &names {
        let (before, after) = (&before[name], &after[name]);
        assert_eq!(after.weights, before.weights, "weights of {name}");
        assert_eq!(after.scale, before.scale, "{name}");
        assert_eq!(after.neuron, before.neuron, "neurons of {name}");
    }
    let steps = shown(network.input().size() as usize);
    let case = |text: &String| Case {
        text: text.clone(),
        last: "last".to_owned(),
        readout: ReadoutKind::Spikes,
        chip: Chip::builtin("middle").unwrap(),
        seed: 1,
        threads: 1,
        is_graded: false,
        windows: vec![(0, steps.clone())],
    };
    // Each is held against the integer model, whose spikes are then those of the chip.
    let [before, after] = texts.each_ref().map(|text| {
        let case = case(text);
        let mut pair = Pair::new(&case).unwrap().expect("the compiler has all it asks for");
        pair.run(&case).unwrap();
        pair.compare_state().unwrap();
        assert!(pair.spikes > STEPS / 2, "{} spikes show little", pair.spikes);
        names.iter().map(|name| pair.model.spikes(name)).collect::<Vec<_>>()
    });
    assert_eq!(after, before);
}

/// Fields of a node and their shapes.
type Fields = &'static [(&'static str, &'static [u64])];

/// The layout of the file is that of NIR 1.0, of which `nir.read` (version 1.0.8, `serialization.py`) asks these groups,
/// types and fields.
#[test]
fn the_file_has_what_nir_asks_for() {
    let network = network(&text("zero", 0.75));
    let (exported, _) = there_and_back(&network, 1e-4, ResetRule::AsGiven);
    let file = File::from_bytes(exported.bytes).unwrap();
    let root = file.root();
    assert!(root.dataset("version").unwrap().read_string().unwrap()[0].starts_with("1.0"));
    let graph = root.group("node").unwrap();
    assert_eq!(graph.dataset("type").unwrap().read_string().unwrap(), ["NIRGraph"]);

    let nodes = graph.group("nodes").unwrap();
    // Numbers of these fields are integers in NIR.
    let integers = [
        "shape",
        "input_shape",
        "stride",
        "padding",
        "dilation",
        "groups",
        "kernel_size",
        "start_dim",
        "end_dim",
        "input_type",
    ];
    let expected: [(&str, &str, Fields); 10] = [
        ("pixels", "Input", &[("shape", &[3])]),
        (
            "edges_weights",
            "Conv2d",
            &[
                ("bias", &[3]),
                ("dilation", &[2]),
                ("groups", &[]),
                ("input_shape", &[2]),
                ("padding", &[2]),
                ("stride", &[2]),
                ("weight", &[3, 2, 3, 3]),
            ],
        ),
        ("edges", "IF", &[("r", &[3, 8, 8]), ("v_reset", &[3, 8, 8]), ("v_threshold", &[3, 8, 8])]),
        ("places", "SumPool2d", &[("kernel_size", &[2]), ("padding", &[2]), ("stride", &[2])]),
        ("hidden_flat", "Flatten", &[("end_dim", &[]), ("input_type", &[3]), ("start_dim", &[])]),
        ("hidden_weights", "Affine", &[("bias", &[12]), ("weight", &[12, 48])]),
        (
            "hidden",
            "LIF",
            &[("r", &[12]), ("tau", &[12]), ("v_leak", &[12]), ("v_reset", &[12]), ("v_threshold", &[12])],
        ),
        ("last_weights", "Linear", &[("weight", &[5, 12])]),
        ("last", "IF", &[("r", &[5]), ("v_reset", &[5]), ("v_threshold", &[5])]),
        ("answer", "Output", &[("shape", &[1])]),
    ];
    let mut names = nodes.groups().unwrap();
    names.sort();
    let mut known: Vec<&str> = expected.iter().map(|(name, ..)| *name).collect();
    known.sort_unstable();
    assert_eq!(names, known);
    for (name, kind, fields) in expected {
        let node = nodes.group(name).unwrap();
        assert_eq!(node.dataset("type").unwrap().read_string().unwrap(), [kind], "{name}");
        let mut found = node.datasets().unwrap();
        found.retain(|field| field != "type");
        found.sort();
        assert_eq!(found, fields.iter().map(|(field, _)| *field).collect::<Vec<_>>(), "fields of {name}");
        for (field, shape) in fields {
            let dataset = node.dataset(field).unwrap();
            assert_eq!(dataset.shape().unwrap(), *shape, "{field} of {name}");
            let kind = if integers.contains(field) { DType::I64 } else { DType::F32 };
            assert_eq!(dataset.dtype().unwrap(), kind, "{field} of {name}");
        }
    }

    let edges = graph.dataset("edges").unwrap();
    assert_eq!(edges.shape().unwrap(), [9, 2]);
    let order = known_order();
    let mut found: Vec<(String, String)> =
        edges.read_string().unwrap().chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    let mut pairs: Vec<(String, String)> =
        order.windows(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect();
    found.sort();
    pairs.sort();
    assert_eq!(found, pairs);
}

/// Nodes of the file in the order in which spikes pass them.
fn known_order() -> [&'static str; 10] {
    [
        "pixels",
        "edges_weights",
        "edges",
        "places",
        "hidden_flat",
        "hidden_weights",
        "hidden",
        "last_weights",
        "last",
        "answer",
    ]
}
