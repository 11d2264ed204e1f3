//! What integers do to rates: networks with the default options, in integers as the compiler chooses them, beside the same in real
//! numbers, beside the plainest integers (`plain`), and beside what the compiler says is to be expected.

use crate::frozen::frozen;
use crate::kinds::{affine, cuba_lif, integrate_and_fire, lif, row};
use crate::plain::plain;
use crate::random::graph;
use crate::{Noise, import};
use onward_chip::Chip;
use onward_compile::compile_network;
use onward_diagnostic::Source;
use onward_net::Network;
use onward_net::nir::Options;
use onward_quantize::{ExpectedRate, LayerParameters};
use std::collections::BTreeMap;
use testbench::model::{Model, Number, Step, Window, value};
use testbench::nir_file::{NirGraph, NirNode};

const STEPS: usize = 100;
const WINDOWS: usize = 12;

/// The integers that the compiler chooses.
fn compiled(network: &Network) -> (BTreeMap<String, LayerParameters>, Vec<ExpectedRate>) {
    let source = Source::new("model.nir", network.to_string());
    let options = onward_compile::Options::new(Chip::builtin("large").unwrap(), 1);
    let (mut parameters, mut expected) = (BTreeMap::new(), Vec::new());
    compile_network(network.clone(), &source, &options, |pass, compilation| {
        if pass.name == "fixed-point" {
            parameters = compilation.all_parameters();
            expected = compilation.expected_rates().unwrap();
        }
    })
    .unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    (parameters, expected)
}

/// Spikes of each layer in each window: `[layer][window][neuron]`.
fn counts<N: Number>(model: &mut Model<N>, layers: &[String], windows: &[Vec<Vec<usize>>]) -> Vec<Vec<Vec<f64>>> {
    let mut all = vec![Vec::new(); layers.len()];
    for window in windows {
        let shown: Vec<Step<N>> =
            window.iter().map(|step| step.iter().map(|&place| value(place, N::nearest(1.0, 0))).collect()).collect();
        model.show(Window::Input { learn: None, continues: false }, &shown);
        for (layer, all) in layers.iter().zip(&mut all) {
            let neurons = model.layer(layer).unwrap().size();
            let mut counts = vec![0.0; neurons];
            model.spikes(layer).into_iter().flatten().for_each(|neuron| counts[neuron] += 1.0);
            all.push(counts);
        }
    }
    all
}

/// Root of the mean square of what rates differ by, spikes a step, over neurons and windows.
fn difference(one: &[Vec<f64>], other: &[Vec<f64>]) -> f64 {
    let pairs = one.iter().flatten().zip(other.iter().flatten());
    let (squares, count) =
        pairs.fold((0.0, 0), |(squares, count), (a, b)| (squares + ((a - b) / STEPS as f64).powi(2), count + 1));
    (squares / f64::from(count)).sqrt()
}

/// Networks of all kinds of neurons and connections.
fn networks() -> Vec<(String, NirGraph)> {
    type Kind = fn(&mut Noise, &[usize]) -> NirNode;
    let mut noise = Noise(20);
    let kinds: [(&str, Kind); 3] =
        [("dense IF", |_, shape| integrate_and_fire(shape)), ("dense LIF", lif), ("dense CubaLIF", cuba_lif)];
    let dense = |(name, neurons): (&str, Kind)| {
        let nodes = vec![
            ("a", affine(&mut noise, 30, 40)),
            ("b", neurons(&mut noise, &[30])),
            ("c", affine(&mut noise, 10, 30)),
            ("d", neurons(&mut noise, &[10])),
        ];
        (name.to_owned(), row(&[40], nodes, &[10]))
    };
    let mut all: Vec<_> = kinds.into_iter().map(dense).collect();
    for seed in 0..17u64 {
        let kinds: Vec<u8> = (0..6).map(|at| (seed * 31 + at * 17 + seed * at * 7) as u8 % 54).collect();
        all.push((format!("random {seed}"), graph(seed, &kinds, seed % 2 == 0, seed % 3 == 0)));
    }
    all
}

/// What the rates of all layers of a network differ by: root of the mean square over all neurons.
fn of_all(layers: impl Iterator<Item = (f64, usize)>) -> f64 {
    let (squares, neurons) =
        layers.fold((0.0, 0), |(squares, all), (of, neurons)| (squares + of * of * neurons as f64, all + neurons));
    (squares / neurons as f64).sqrt()
}

#[test]
fn rates_differ_by_what_was_predicted_and_half_as_much_as_in_the_plainest_format() {
    let networks = networks();
    assert_eq!(networks.len(), 20);
    let (mut all, mut all_before) = (0.0f64, 0.0);
    println!("network          rate   plainest format   chosen   predicted");
    for (name, graph) in networks {
        let network = import(&graph, &Options { time_step: 1.0, ..Options::default() }).network;
        let (parameters, expected) = compiled(&network);
        let layers: Vec<String> = network.layers().map(|node| network.layer(node).name.clone()).collect();
        let mut noise = Noise(9);
        let size = network.input().size() as usize;
        let mut step = || (0..size).filter(|_| noise.next() < 0.25).collect::<Vec<usize>>();
        let windows: Vec<Vec<Vec<usize>>> = (0..WINDOWS).map(|_| (0..STEPS).map(|_| step()).collect()).collect();
        let real = counts(&mut Model::<f64>::drawn(&network, 1), &layers, &windows);
        let chip = counts(&mut frozen(&network, &parameters), &layers, &windows);
        let plainest = counts(&mut frozen(&network, &plain(&network, &parameters)), &layers, &windows);
        let sizes: Vec<usize> = real.iter().map(|layer| layer[0].len()).collect();
        let beside = |other: &[Vec<Vec<f64>>]| {
            of_all((0..layers.len()).map(|at| (difference(&real[at], &other[at]), sizes[at])))
        };
        let (measured, before) = (beside(&chip), beside(&plainest));
        let of_layer = |name: &String| {
            let found = expected.iter().find(|expected| expected.layer == *name);
            found.expect("something is expected of each layer").difference
        };
        let predicted = of_all(layers.iter().map(of_layer).zip(sizes.iter().copied()));
        let spikes: f64 = real.iter().flatten().flatten().sum();
        let rate = spikes / (sizes.iter().sum::<usize>() * STEPS * WINDOWS) as f64;
        println!("{name:14} {rate:.4} {before:17.5} {measured:8.5} {predicted:11.5}");
        assert!(rate > 0.002, "{name} is silent: it shows little");
        assert!(measured <= 1.2 * predicted, "{name}: {measured} where {predicted} was predicted");
        assert!(measured <= 0.6 * before, "{name}: {measured}, in the plainest format {before}");
        (all, all_before) = (all + measured * measured, all_before + before * before);
        // A layer by itself differs by a few spikes, which chance makes twice as many.
        for (at, layer) in layers.iter().enumerate() {
            let (measured, predicted) = (difference(&real[at], &chip[at]), of_layer(layer));
            assert!(measured <= 2.0 * predicted, "{layer} of {name}: {measured} where {predicted} was predicted");
        }
    }
    let part = (all / all_before).sqrt();
    println!("in all {part:.3} of what the plainest format loses");
    assert!(part <= 0.5, "{part}");
}

/// Spikes of each neuron of the only layer, in real numbers, in real numbers with the compiler's weights, and on the chip.
fn spikes_of_layer(graph: &NirGraph, weight_bits: u32, share: f64) -> [Vec<f64>; 3] {
    let network = import(graph, &Options { time_step: 1.0, weight_bits, ..Options::default() }).network;
    let (parameters, _) = compiled(&network);
    let layer = network.layer(network.layers().next().unwrap()).name.clone();
    let (mut noise, size) = (Noise(5), network.input().size() as usize);
    let mut step = || (0..size).filter(|_| noise.next() < share).collect::<Vec<usize>>();
    let windows: Vec<Vec<Vec<usize>>> = (0..WINDOWS).map(|_| (0..STEPS).map(|_| step()).collect()).collect();
    let of = &parameters[&layer];
    let mut rounded = Model::<f64>::drawn(&network, 1);
    let neurons = rounded.layers[0].size();
    let weights = of.weights[0].iter().enumerate().map(|(at, &weight)| f64::from(weight) / of.scale.of(at % neurons));
    rounded.layers[0].weights = [(1, weights.collect())].into();
    let all =
        |counts: Vec<Vec<Vec<f64>>>| (0..neurons).map(|at| counts[0].iter().map(|window| window[at]).sum()).collect();
    let layers = [layer];
    [
        all(counts(&mut Model::<f64>::drawn(&network, 1), &layers, &windows)),
        all(counts(&mut rounded, &layers, &windows)),
        all(counts(&mut frozen(&network, &parameters), &layers, &windows)),
    ]
}

/// A leaky layer behind weights `[neuron][input]`, whose membranes forget in so many steps and are lifted by `gain` times what comes.
fn leaky(weights: &[f64], neurons: usize, steps: f64, gain: f64) -> NirGraph {
    let inputs = weights.len() / neurons;
    let layer = NirNode::new("LIF")
        .with_all("tau", &[neurons], steps)
        .with_all("r", &[neurons], gain * steps)
        .with_all("v_leak", &[neurons], 0.0)
        .with_all("v_threshold", &[neurons], 1.0);
    let feed = NirNode::new("Linear").with("weight", &[neurons, inputs], weights);
    row(&[inputs], vec![("feed", feed), ("fires", layer)], &[neurons])
}

fn sum(spikes: &[f64]) -> f64 {
    spikes.iter().sum()
}

#[test]
fn one_large_weight_silences_nobody() {
    let (inputs, neurons) = (48, 12);
    for (large, gain) in [(-6.0, 1.0), (20.0, 1.0), (-100.0, 0.5)] {
        let mut weights = Noise(3).between(inputs * neurons, 0.02, 0.08);
        weights[5 * inputs + 7] = large;
        let [real, _, chip] = spikes_of_layer(&leaky(&weights, neurons, 10.0, gain), 8, 0.3);
        for neuron in (0..neurons).filter(|&neuron| neuron != 5) {
            let (real, chip) = (real[neuron], chip[neuron]);
            assert!(
                real > 50.0 && (chip - real).abs() <= 3.0 + 0.02 * real,
                "{large}, neuron {neuron}: {chip} for {real}"
            );
        }
        // The weights beside the large one keep their sum, if not each its place.
        let (real, chip) = (real[5], chip[5]);
        assert!((chip - real).abs() <= 5.0 + 0.25 * real, "{large}: {chip} for {real}");
    }
}

#[test]
fn membranes_lose_nothing_that_weights_do_not() {
    for (bits, steps) in [(4, 5.0), (4, 20.0), (8, 20.0), (8, 300.0), (8, 1000.0), (16, 1000.0)] {
        let mut noise = Noise(8);
        let weights: Vec<f64> = noise.weights(80 * 20).iter().map(|weight| 0.25 * weight + 0.03).collect();
        let gain = if steps > 100.0 { 0.5 } else { 1.0 };
        let [real, rounded, chip] = spikes_of_layer(&leaky(&weights, 20, steps, gain), bits, 0.1);
        let [real, rounded, chip] = [sum(&real), sum(&rounded), sum(&chip)];
        println!("{bits} bits, {steps} steps: {real} spikes, {rounded} with rounded weights, {chip} on the chip");
        assert!(real > 1000.0, "{bits} bits, {steps} steps: {real} spikes show little");
        assert!((chip - rounded).abs() <= 0.01 * rounded, "{bits} bits, {steps} steps: {chip} for {rounded}");
        assert!((chip - real).abs() <= if bits == 4 { 0.1 } else { 0.03 } * real, "{bits}, {steps}: {chip} for {real}");
    }
}
