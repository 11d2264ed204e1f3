//! A network of another framework on the emulated chip: the convolutional network of the NIR paper, in integers.
//!
//! Spikes and membranes on the chip are those of the independent integer model, to the bit. Against NIR's equations in
//! double precision there is a difference, as weights have 8 bits: how large it should be is estimated from what the
//! compiler reports of their rounding, and held against what is measured.

use crate::networks::Case;
use crate::sides::Pair;
use crate::{Noise, import};
use onward_chip::Chip;
use onward_compile::compile_network;
use onward_diagnostic::Source;
use onward_net::nir::{Options, read};
use onward_net::{Initial, LayerKind, Network, ReadoutKind, Values};
use onward_quantize::LayerParameters;
use std::collections::BTreeMap;
use testbench::model::Layer;
use testbench::nir_file::NirGraph;
use testbench::nir_model::{Convention, NirModel};

const STEPS: usize = 100;

/// Events of `STEPS` steps, each place with this probability.
fn events(places: usize, probability: f64) -> Vec<Vec<(usize, i64)>> {
    let mut noise = Noise(99);
    let mut step = |_| (0..places).filter(|_| noise.next() < probability).map(|place| (place, 1)).collect();
    (0..STEPS).map(&mut step).collect()
}

fn case(network: &Network, last: &str, steps: Vec<Vec<(usize, i64)>>) -> Case {
    Case {
        text: network.to_string(),
        last: last.to_owned(),
        readout: ReadoutKind::Spikes,
        chip: Chip::builtin("middle").unwrap(),
        seed: 1,
        threads: 2,
        is_graded: false,
        windows: vec![(0, steps)],
    }
}

/// Runs a network on chip and in the integer model, and gives the spikes a step of each neuron of the model by layer.
fn run(case: &Case) -> BTreeMap<String, Vec<f64>> {
    let mut pair = Pair::new(case).unwrap().expect("the compiler has all it asks for");
    pair.run(case).unwrap();
    pair.compare_state().unwrap();
    // What each layer does in between is the model's, whose last layer and all membranes are the chip's.
    let counts = |layer: &Layer<i64>| {
        let counts = layer.counts(None).into_iter().map(|count| count as f64 / STEPS as f64).collect();
        (layer.name.clone(), counts)
    };
    pair.model.layers.iter().map(counts).collect()
}

/// Of a layer: the compiler's report, weights a neuron, and the mean square of a weight.
struct Report {
    rounding: f64,
    fan_in: f64,
    mean_square: f64,
}

fn reports(network: &Network) -> BTreeMap<String, Report> {
    let source = Source::new("model.nir", network.to_string());
    let options = onward_compile::Options::new(Chip::builtin("middle").unwrap(), 1);
    let mut parameters: BTreeMap<String, LayerParameters> = BTreeMap::new();
    let names: Vec<String> = network.layers().map(|index| network.layer(index).name.clone()).collect();
    compile_network(network.clone(), &source, &options, |_, compilation| {
        for name in &names {
            parameters.extend(compilation.parameters(name).map(|found| (name.clone(), found.clone())));
        }
    })
    .unwrap();
    let layers = network.layers().map(|index| network.layer(index));
    layers
        .map(|layer| {
            let Initial::Given(Values::Array(weights)) = &layer.weights.initial else { panic!("weights are given") };
            let fan_in = match layer.kind {
                LayerKind::Convolution(_) => weights.values.len() as f64 / f64::from(layer.shape[0]),
                _ => weights.values.len() as f64 / f64::from(layer.neurons()),
            };
            let mean_square = mean_square(&weights.values);
            let rounding = parameters[&layer.name].rounding.root_mean_square;
            (layer.name.clone(), Report { rounding, fan_in, mean_square })
        })
        .collect()
}

fn mean_square(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64
}

#[test]
fn the_network_of_the_nir_paper_on_chip() {
    let folder =
        std::env::var("ONWARD_DATA").unwrap_or_else(|_| format!("{}/../../shared/data", env!("CARGO_MANIFEST_DIR")));
    let path = format!("{folder}/nir/cnn_nmnist.nir");
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: {path} is not there");
        return;
    };
    let imported = read(&bytes, &Options::default()).unwrap();
    assert!(imported.notes.is_empty());
    let network = &imported.network;
    let steps = events(network.input().size() as usize, 0.1);
    let found = run(&case(network, "if_12", steps.clone()));

    let graph = NirGraph::from_bytes(&bytes);
    let mut model = NirModel::new(&graph, Options::default().time_step, Convention::default());
    let mut expected: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for step in &steps {
        let mut input = vec![0.0; network.input().size() as usize];
        step.iter().for_each(|&(place, _)| input[place] = 1.0);
        model.step(&input);
        for node in graph.nodes.keys() {
            let output = model.output(node);
            let means = expected.entry(node).or_insert_with(|| vec![0.0; output.len()]);
            means.iter_mut().zip(output).for_each(|(mean, sent)| *mean += sent / STEPS as f64);
        }
    }

    // Each layer, the node of its neurons, the node that its weights take in, and how many places of the layer before are
    // added up in each of those.
    let layers = [
        ("if_1", "1", "input", 1.0),
        ("if_3", "3", "1", 1.0),
        ("if_6", "6", "4", 4.0),
        ("if_10", "10", "8", 4.0),
        ("if_12", "12", "10", 1.0),
    ];
    let reports = reports(network);
    let mut before = 0.0;
    println!("layer      rate on chip   in the equations   difference (root mean square): predicted   measured");
    for (name, node, feed, window) in layers {
        let (rates, exact, report) = (&found[name], &expected[node], &reports[name]);
        let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
        // A neuron's input differs by what its weights are rounded by, for each spike that comes in, and by its weights, for
        // each spike that comes in or not because layers before it differ; errors are independent. A threshold's worth
        // of it, which is 1, is a spike. Neurons that are silent stay so.
        let rounded = report.fan_in * report.rounding * report.rounding * mean_square(&expected[feed]);
        let passed_on = report.fan_in * report.mean_square * window * before * before;
        let active = exact.iter().filter(|&&rate| rate > 0.0).count() as f64 / exact.len() as f64;
        let predicted = ((rounded + passed_on) * active).sqrt();
        let differences: Vec<f64> = rates.iter().zip(exact).map(|(one, other)| one - other).collect();
        let measured = mean_square(&differences).sqrt();
        println!("{name:8} {:14.4} {:18.4} {predicted:41.4} {measured:10.4}", mean(rates), mean(exact));
        assert!(mean(exact) > 0.001, "{name} is silent: the test shows little");
        // Half a spike more or less in the run is nothing that could be predicted.
        let granularity = 0.5 / STEPS as f64;
        assert!(measured <= 2.0 * predicted + granularity, "{name}: {measured} where {predicted} was predicted");
        before = predicted;
    }
}

/// A residual network fires on chip as in the integer model, cut for a chip as it must be, and a join needs no blocks beside
/// those of its convolution.
#[test]
fn residual_networks_on_chip() {
    let graph = crate::kinds::residual(&mut Noise(71), [3, 12, 12], &[4, 8], 2, 5);
    let network = import(&graph, &crate::options()).network;
    let mut case = case(&network, "last", events(3 * 12 * 12, 0.3));
    let blocks = |chip: &Chip| {
        let source = Source::new("model.nir", network.to_string());
        let options = onward_compile::Options::new(chip.clone(), 1);
        let image = compile_network(network.clone(), &source, &options, |_, _| {}).unwrap();
        let of = |name: &str| {
            image.blocks.iter().filter(|block| image.network.populations[block.population].name == name).count()
        };
        ["s0_b0_inner", "s0_b0", "s1_b0_inner", "s1_b0"].map(of)
    };
    assert_eq!(blocks(&case.chip), [1; 4]);
    assert!(run(&case)["last"].iter().sum::<f64>() > 0.1, "silent");
    case.chip.memory.axons = 500;
    case.chip.memory.neuron_bytes = 2000;
    case.chip.memory.synapse_bytes = 4000;
    (case.chip.mesh.width, case.chip.mesh.height) = (12, 12);
    let cut = blocks(&case.chip);
    assert!(cut.iter().all(|&blocks| blocks > 1), "{cut:?}");
    assert!(run(&case)["last"].iter().sum::<f64>() > 0.1, "silent");
}

/// Small networks of each kind: on chip as in the integer model.
#[test]
fn small_networks_on_chip() {
    let mut noise = Noise(70);
    use crate::kinds::*;
    let recurrent = row(&[6], vec![("fc", affine(&mut noise, 8, 6)), ("lif", lif(&mut noise, &[8]))], &[8])
        .node("back", linear(&mut noise, 8, 8))
        .chain(&["lif", "back", "lif"]);
    let currents = row(&[6], vec![("fc", strong(&mut noise, 8, 6)), ("lif", cuba_lif(&mut noise, &[8]))], &[8]);
    let skip = row(
        &[6],
        vec![
            ("fc1", affine(&mut noise, 8, 6)),
            ("one", lif(&mut noise, &[8])),
            ("fc2", affine(&mut noise, 5, 8)),
            ("lif", lif(&mut noise, &[5])),
        ],
        &[5],
    )
    .node("skip", affine(&mut noise, 5, 6))
    .chain(&["input", "skip", "lif"]);
    let last = testbench::nir_file::NirNode::new("LI").with_all("tau", &[4], 4.0).with_all("r", &[4], 1.0).with_all(
        "v_leak",
        &[4],
        0.0,
    );
    let integrator = row(&[6], vec![("fc", strong(&mut noise, 4, 6)), ("lif", last)], &[4]);
    for graph in [recurrent, currents, skip, integrator] {
        let network = import(&graph, &crate::options()).network;
        let rates = run(&case(&network, "lif", events(6, 0.3)));
        assert!(rates["lif"].iter().sum::<f64>() > 0.1, "silent: {graph:#?}");
    }
}
