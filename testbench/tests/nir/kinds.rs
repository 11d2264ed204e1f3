//! Each kind of node, alone and composed.

use crate::{Noise, agree, import, options};
use onward_net::nir::{Integration, Options, ResetRule};
use onward_net::{Fires, Initial, Layer, LayerKind, Network, Node, PoolKind, Reset, Values};
use testbench::nir_file::{NirGraph, NirNode};
use testbench::nir_model::{Convention, NirModel};

pub(crate) fn port(kind: &str, shape: &[usize]) -> NirNode {
    let sizes: Vec<f64> = shape.iter().map(|&size| size as f64).collect();
    NirNode::new(kind).with("shape", &[shape.len()], &sizes)
}

pub(crate) fn linear(noise: &mut Noise, outputs: usize, inputs: usize) -> NirNode {
    NirNode::new("Linear").with("weight", &[outputs, inputs], &noise.weights(outputs * inputs))
}

pub(crate) fn affine(noise: &mut Noise, outputs: usize, inputs: usize) -> NirNode {
    let weight = noise.weights(outputs * inputs);
    NirNode::new("Affine").with("weight", &[outputs, inputs], &weight).with(
        "bias",
        &[outputs],
        &noise.between(outputs, -0.1, 0.2),
    )
}

pub(crate) fn integrate_and_fire(shape: &[usize]) -> NirNode {
    NirNode::new("IF").with_all("r", shape, 1.0).with_all("v_threshold", shape, 1.0)
}

/// Weights that excite more than they inhibit.
pub(crate) fn strong(noise: &mut Noise, outputs: usize, inputs: usize) -> NirNode {
    NirNode::new("Linear").with("weight", &[outputs, inputs], &noise.between(outputs * inputs, -0.3, 1.0))
}

/// Leaky neurons whose parameters differ from each other.
pub(crate) fn lif(noise: &mut Noise, shape: &[usize]) -> NirNode {
    let count = shape.iter().product();
    NirNode::new("LIF")
        .with("tau", shape, &noise.between(count, 1.5, 9.0))
        .with("r", shape, &noise.between(count, 0.5, 6.0))
        .with("v_leak", shape, &noise.between(count, -0.3, 0.3))
        .with("v_threshold", shape, &noise.between(count, 0.4, 1.2))
        .with("v_reset", shape, &noise.between(count, -0.2, 0.2))
}

pub(crate) fn cuba_lif(noise: &mut Noise, shape: &[usize]) -> NirNode {
    let count = shape.iter().product();
    NirNode::new("CubaLIF")
        .with("tau_syn", shape, &noise.between(count, 1.0, 5.0))
        .with("tau_mem", shape, &noise.between(count, 1.5, 9.0))
        .with("r", shape, &noise.between(count, 1.0, 6.0))
        .with("v_leak", shape, &noise.between(count, -0.3, 0.3))
        .with("v_threshold", shape, &noise.between(count, 0.4, 1.2))
        .with("v_reset", shape, &noise.between(count, -0.2, 0.2))
        .with("w_in", shape, &noise.between(count, 0.5, 2.0))
}

/// A square convolution.
pub(crate) fn conv2d(
    noise: &mut Noise,
    sizes: [usize; 4],
    stride: f64,
    padding: f64,
    dilation: f64,
    groups: f64,
) -> NirNode {
    NirNode::new("Conv2d")
        .with("weight", &sizes, &noise.weights(sizes.iter().product()))
        .with("bias", &[sizes[0]], &noise.between(sizes[0], -0.1, 0.2))
        .with("stride", &[2], &[stride; 2])
        .with("padding", &[2], &[padding; 2])
        .with("dilation", &[2], &[dilation; 2])
        .with("groups", &[], &[groups])
}

pub(crate) fn pool(kind: &str, window: f64, stride: f64, padding: f64) -> NirNode {
    NirNode::new(kind).with("kernel_size", &[2], &[window; 2]).with("stride", &[2], &[stride; 2]).with(
        "padding",
        &[2],
        &[padding; 2],
    )
}

pub(crate) fn flatten(start: f64, end: f64) -> NirNode {
    NirNode::new("Flatten").with("start_dim", &[], &[start]).with("end_dim", &[], &[end])
}

/// Nodes in a row between input and output.
pub(crate) fn row(input: &[usize], nodes: Vec<(&str, NirNode)>, output: &[usize]) -> NirGraph {
    let mut graph = NirGraph::default().node("input", port("Input", input));
    let mut names = vec!["input"];
    for (name, node) in nodes {
        graph = graph.node(name, node);
        names.push(name);
    }
    names.push("output");
    graph.node("output", port("Output", output)).chain(&names)
}

fn layer<'a>(network: &'a Network, name: &str) -> &'a Layer {
    let found = network.layers().map(|index| network.layer(index)).find(|layer| layer.name == name);
    found.unwrap_or_else(|| panic!("no layer {name} in {network:#?}"))
}

fn nodes(network: &Network) -> Vec<&str> {
    network.graph.node_weights().map(Node::name).collect()
}

#[test]
fn integrate_and_fire_behind_weights() {
    let mut noise = Noise(1);
    let graph = row(&[6], vec![("fc", linear(&mut noise, 5, 6)), ("if", integrate_and_fire(&[5]))], &[5]);
    assert!(agree(&graph, "if", &options()) > 10);
    let imported = import(&graph, &options());
    assert_eq!(nodes(&imported.network), ["input", "if", "output"]);
    assert_eq!(layer(&imported.network, "if").neuron.threshold, Values::Constant(1.0));
    assert!(imported.notes.is_empty());
}

#[test]
fn leaky_neurons_with_parameters_of_their_own() {
    let mut noise = Noise(2);
    let graph = row(&[6], vec![("fc", affine(&mut noise, 8, 6)), ("lif", lif(&mut noise, &[8]))], &[8]);
    assert!(agree(&graph, "lif", &options()) > 10);
}

#[test]
fn a_network_as_snntorch_writes_it_has_its_weights_and_thresholds() {
    // beta = 0.9: tau = dt / (1 - beta), r = tau / dt, one number for all neurons.
    let mut noise = Noise(3);
    let lif = NirNode::new("LIF")
        .with("tau", &[], &[1e-4 / (1.0 - 0.9)])
        .with("r", &[], &[1.0 / (1.0 - 0.9)])
        .with("v_leak", &[], &[0.0])
        .with("v_threshold", &[], &[1.0]);
    let weights = linear(&mut noise, 8, 6);
    let graph = row(&[6], vec![("fc", weights.clone()), ("lif", lif)], &[8]);
    let options = Options::default();
    agree(&graph, "lif", &options);
    let imported = import(&graph, &options);
    let neuron = &layer(&imported.network, "lif").neuron;
    assert_eq!(neuron.threshold, Values::Constant(1.0));
    let onward_net::Decay::Factor(Values::Constant(beta)) = neuron.leak else { panic!("{neuron:?}") };
    assert!((beta - 0.9).abs() < 1e-12);
}

#[test]
fn current_based_neurons() {
    let mut noise = Noise(4);
    let graph = row(&[6], vec![("fc", linear(&mut noise, 8, 6)), ("lif", cuba_lif(&mut noise, &[8]))], &[8]);
    assert!(agree(&graph, "lif", &options()) > 10);
}

#[test]
fn a_bias_into_currents_grows_as_they_do() {
    let mut noise = Noise(4);
    let graph = row(&[6], vec![("fc", affine(&mut noise, 8, 6)), ("lif", cuba_lif(&mut noise, &[8]))], &[8]);
    assert!(agree(&graph, "lif", &options()) > 10);
    let imported = import(&graph, &options());
    assert!(imported.notes.is_empty(), "{:?}", imported.notes);
    assert!(matches!(layer(&imported.network, "lif").neuron.current_start, Values::Array(_)));
}

#[test]
fn a_voltage_that_equals_the_threshold_fires_if_asked_for() {
    // Weights of 1, thresholds of 1: every second spike, or each.
    let graph = || {
        let weight = NirNode::new("Linear").with("weight", &[3, 3], &[1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.25]);
        row(&[3], vec![("fc", weight), ("if", integrate_and_fire(&[3]))], &[3])
    };
    let at = Options { fires: Fires::At, ..options() };
    assert!(agree(&graph(), "if", &at) > agree(&graph(), "if", &options()));
    assert_eq!(layer(&import(&graph(), &options()).network, "if").neuron.fires, Fires::Above);
}

#[test]
fn a_constant_of_a_sixteenth_fires_first_in_the_seventeenth_step() {
    let fc = NirNode::new("Affine").with("weight", &[1, 1], &[0.0]).with("bias", &[1], &[0.0625]);
    let graph = row(&[1], vec![("fc", fc), ("if", integrate_and_fire(&[1]))], &[1]);
    for (options, first) in [(options(), 17), (Options { fires: Fires::At, ..options() }, 16)] {
        let mut network = crate::network_model::NetworkModel::new(&import(&graph, &options).network);
        let spikes: Vec<usize> = (1..=40).filter(|_| network.step(&[0.0]) == [1.0]).collect();
        assert_eq!(spikes[0], first);
    }
}

#[test]
fn resistance_of_one_by_dt_is_meant_in_time() {
    let mut noise = Noise(7);
    let weights = linear(&mut noise, 5, 6);
    let neurons = |r: f64| NirNode::new("IF").with_all("r", &[5], r).with_all("v_threshold", &[5], 1.0);
    let graph = |r: f64| row(&[6], vec![("fc", weights.clone()), ("if", neurons(r))], &[5]);
    let plain = import(&graph(1.0), &Options::default());
    for (r, options) in [
        (1e4, Options::default()),
        (1e3, Options { time_step: 1e-3, ..Options::default() }),
        (2e3, Options { time_step: 5e-4, integration: Integration::Time, ..Options::default() }),
    ] {
        let imported = import(&graph(r), &options);
        let (found, expected) = (layer(&imported.network, "if"), layer(&plain.network, "if"));
        assert_eq!(found.neuron, expected.neuron);
        let (Initial::Given(Values::Array(found)), Initial::Given(Values::Array(expected))) =
            (&found.weights.initial, &expected.weights.initial)
        else {
            panic!("weights are given")
        };
        for (found, expected) in found.values.iter().zip(&expected.values) {
            assert!((found - expected).abs() < 1e-9);
        }
    }
    let kept = import(&graph(1e4), &Options { integration: Integration::Steps, ..Options::default() });
    assert_eq!(layer(&kept.network, "if").neuron, layer(&plain.network, "if").neuron);
    assert!(import(&graph(1e4), &Options::default()).notes[0].starts_with("`if` (IF): its r is 1 / dt"));
    assert!(import(&graph(3e4), &Options::default()).notes[0].contains("`--integrate time`"));
}

#[test]
fn neurons_above_their_threshold_at_rest_fire_by_themselves() {
    let lif = NirNode::new("LIF")
        .with_all("tau", &[2], 9.0)
        .with("r", &[2], &[1.0, 1.0])
        .with("v_leak", &[2], &[1.2, 0.0])
        .with_all("v_threshold", &[2], 1.0)
        .with_all("v_reset", &[2], 0.0);
    let silent = NirNode::new("Linear").with("weight", &[2, 1], &[0.0, 0.0]);
    let graph = row(&[1], vec![("fc", silent), ("lif", lif)], &[2]);
    assert!(agree(&graph, "lif", &options()) >= 2);
    for reset in [ResetRule::Subtract, ResetRule::AsGiven] {
        agree(&graph, "lif", &Options { reset, ..options() });
    }
}

#[test]
fn a_threshold_makes_spikes_of_a_voltage() {
    let mut noise = Noise(8);
    let threshold = |noise: &mut Noise| NirNode::new("Threshold").with("threshold", &[8], &noise.between(8, 0.3, 0.9));
    let li = NirNode::new("LI")
        .with("tau", &[8], &noise.between(8, 1.5, 6.0))
        .with("r", &[8], &noise.between(8, 1.0, 3.0))
        .with("v_leak", &[8], &noise.between(8, -0.2, 0.2));
    let cuba = NirNode::new("CubaLI")
        .with("tau_syn", &[8], &noise.between(8, 1.5, 4.0))
        .with("tau_mem", &[8], &noise.between(8, 1.5, 4.0))
        .with("r", &[8], &noise.between(8, 1.0, 3.0))
        .with("v_leak", &[8], &noise.between(8, -0.2, 0.2));
    let integrator = NirNode::new("I").with("r", &[8], &noise.between(8, 0.1, 0.3));
    for voltage in [li, cuba, integrator] {
        let nodes = vec![
            ("fc", affine(&mut noise, 8, 6)),
            ("voltage", voltage),
            ("spikes", threshold(&mut noise)),
            ("fc2", linear(&mut noise, 5, 8)),
            ("last", integrate_and_fire(&[5])),
        ];
        let graph = row(&[6], nodes, &[5]);
        assert!(agree(&graph, "last", &options()) > 5);
        let imported = import(&graph, &options());
        assert!(imported.notes.is_empty(), "{:?}", imported.notes);
        assert_eq!(self::nodes(&imported.network), ["input", "spikes", "last", "output"]);
        assert_eq!(layer(&imported.network, "spikes").neuron.reset, Reset::None);
    }
}

#[test]
fn thresholds_without_memory() {
    let mut noise = Noise(5);
    let threshold = NirNode::new("Threshold").with("threshold", &[8], &noise.between(8, 0.1, 0.9));
    let graph = row(&[6], vec![("fc", affine(&mut noise, 8, 6)), ("step", threshold)], &[8]);
    assert!(agree(&graph, "step", &options()) > 10);
}

#[test]
fn reset_by_subtraction_if_asked_for() {
    let mut noise = Noise(6);
    let graph = row(&[6], vec![("fc", linear(&mut noise, 8, 6)), ("if", integrate_and_fire(&[8]))], &[8]);
    let subtract = Options { reset: ResetRule::Subtract, ..options() };
    assert_ne!(agree(&graph, "if", &subtract), agree(&graph, "if", &options()));
}

#[test]
fn a_reset_that_comes_a_step_late_does_not_leak() {
    let mut noise = Noise(6);
    for neurons in [lif(&mut noise, &[8]), cuba_lif(&mut noise, &[8]), integrate_and_fire(&[8])] {
        let graph = row(&[6], vec![("fc", strong(&mut noise, 8, 6)), ("n", neurons)], &[8]);
        let [at_once, late] =
            [ResetRule::Subtract, ResetRule::SubtractLate].map(|reset| Options { reset, ..options() });
        let (at_once, late) = (agree(&graph, "n", &at_once), agree(&graph, "n", &late));
        assert!(late > 10 && at_once > 10);
    }
}

#[test]
fn snntorch_s_order_of_leak_and_reset() {
    // beta = 0.8, a constant input of 0.21: U' = beta U + I - S, as snnTorch's Leaky has it by default, fires less often
    // than U' = beta (U - S) + I.
    let fc = NirNode::new("Affine").with("weight", &[1, 1], &[0.0]).with("bias", &[1], &[0.21]);
    let lif = NirNode::new("LIF")
        .with_all("tau", &[1], 5.0)
        .with_all("r", &[1], 5.0)
        .with_all("v_leak", &[1], 0.0)
        .with_all("v_threshold", &[1], 1.0);
    let graph = row(&[1], vec![("fc", fc), ("lif", lif)], &[1]);
    let mut counts = [0.0; 2];
    for (count, reset) in counts.iter_mut().zip([ResetRule::Subtract, ResetRule::SubtractLate]) {
        let imported = import(&graph, &Options { reset, ..options() });
        let mut network = crate::network_model::NetworkModel::new(&imported.network);
        let (mut voltage, mut fired) = (0.0, false);
        for _ in 0..200 {
            voltage = if reset == ResetRule::SubtractLate {
                0.8 * voltage + 0.21 - f64::from(u8::from(fired))
            } else {
                0.8 * (voltage - f64::from(u8::from(fired))) + 0.21
            };
            fired = voltage > 1.0;
            assert_eq!(network.step(&[0.0]), [f64::from(u8::from(fired))]);
            *count += f64::from(u8::from(fired));
        }
    }
    assert!(counts[0] > counts[1], "{counts:?}");
}

#[test]
fn convolutions_of_all_geometries() {
    for (at, (stride, padding, dilation, groups)) in
        [(1.0, 0.0, 1.0, 1.0), (2.0, 1.0, 1.0, 1.0), (1.0, 2.0, 2.0, 2.0), (3.0, 1.0, 2.0, 1.0)].into_iter().enumerate()
    {
        let mut noise = Noise(10 + at as u64);
        let conv = conv2d(&mut noise, [4, 2 / groups as usize, 3, 3], stride, padding, dilation, groups);
        let size = (9.0 + 2.0 * padding - dilation * 2.0 - 1.0) as usize / stride as usize + 1;
        let shape = [4, size, size];
        let graph = row(&[2, 9, 9], vec![("conv", conv), ("lif", lif(&mut noise, &shape))], &shape);
        assert!(agree(&graph, "lif", &options()) > 10);
        let imported = import(&graph, &options());
        assert!(matches!(layer(&imported.network, "lif").kind, LayerKind::Convolution(_)));
    }
}

#[test]
fn padding_in_words() {
    let mut noise = Noise(20);
    for (word, size) in [("same", 9), ("valid", 8)] {
        let mut conv = conv2d(&mut noise, [3, 2, 2, 2], 1.0, 0.0, 1.0, 1.0);
        conv.fields.remove("padding");
        let conv = conv.with_text("padding", word);
        let shape = [3, size, size];
        let graph = row(&[2, 9, 9], vec![("conv", conv), ("if", integrate_and_fire(&shape))], &shape);
        assert!(agree(&graph, "if", &options()) > 10);
    }
}

#[test]
fn convolutions_in_one_dimension() {
    let mut noise = Noise(21);
    let conv = NirNode::new("Conv1d")
        .with("weight", &[4, 2, 3], &noise.weights(24))
        .with("bias", &[4], &noise.between(4, -0.1, 0.2))
        .with("stride", &[], &[2.0])
        .with("padding", &[], &[1.0])
        .with("dilation", &[], &[2.0])
        .with("groups", &[], &[1.0]);
    let graph = row(&[2, 20], vec![("conv", conv), ("lif", lif(&mut noise, &[4, 9]))], &[4, 9]);
    assert!(agree(&graph, "lif", &options()) > 10);
    let imported = import(&graph, &options());
    assert!(matches!(layer(&imported.network, "lif").kind, LayerKind::Convolution(_)));
    assert_eq!(imported.network.input().shape, [2, 1, 20]);
}

#[test]
fn pools_and_flattenings_cost_nothing() {
    let mut noise = Noise(22);
    let nodes = vec![
        ("pool", pool("SumPool2d", 2.0, 2.0, 0.0)),
        ("average", pool("AvgPool2d", 2.0, 1.0, 0.0)),
        ("flat", flatten(0.0, -1.0)),
        ("fc", affine(&mut noise, 10, 18)),
        ("if", integrate_and_fire(&[10])),
    ];
    let graph = row(&[2, 8, 8], nodes, &[10]);
    assert!(agree(&graph, "if", &options()) > 10);
    let imported = import(&graph, &options());
    assert_eq!(self::nodes(&imported.network), ["input", "pool", "average", "flat", "if", "output"]);
    let kinds: Vec<PoolKind> = imported
        .network
        .graph
        .node_weights()
        .filter_map(|node| if let Node::Pool(pool) = node { Some(pool.kind) } else { None })
        .collect();
    assert_eq!(kinds, [PoolKind::Sum, PoolKind::Average]);
}

#[test]
fn a_pool_behind_a_convolution_is_a_larger_kernel() {
    for (at, (stride, window, dilation)) in
        [(1.0, 2.0, 1.0), (2.0, 2.0, 1.0), (1.0, 3.0, 2.0), (2.0, 2.0, 2.0)].into_iter().enumerate()
    {
        let mut noise = Noise(30 + at as u64);
        let conv = conv2d(&mut noise, [3, 2, 3, 3], stride, 1.0, dilation, 1.0);
        let middle = (12.0 + 2.0 - dilation * 2.0 - 1.0) as usize / stride as usize + 1;
        let size = (middle - window as usize) / 2 + 1;
        let shape = [3, size, size];
        let nodes =
            vec![("conv", conv), ("pool", pool("AvgPool2d", window, 2.0, 0.0)), ("if", integrate_and_fire(&shape))];
        let graph = row(&[2, 12, 12], nodes, &shape);
        assert!(agree(&graph, "if", &options()) > 5);
        let imported = import(&graph, &options());
        assert_eq!(self::nodes(&imported.network), ["input", "if", "output"]);
        assert!(matches!(layer(&imported.network, "if").kind, LayerKind::Convolution(_)));
    }
}

#[test]
fn what_has_no_simple_form_is_a_matrix() {
    let mut noise = Noise(40);
    let first = conv2d(&mut noise, [3, 2, 3, 3], 1.0, 1.0, 1.0, 1.0);
    let second = conv2d(&mut noise, [2, 3, 3, 3], 2.0, 1.0, 1.0, 1.0);
    let nodes = vec![
        ("padded", pool("SumPool2d", 3.0, 1.0, 1.0)),
        ("first", first),
        ("second", second),
        ("if", integrate_and_fire(&[2, 6, 6])),
        ("third", conv2d(&mut noise, [2, 2, 3, 3], 1.0, 0.0, 1.0, 1.0)),
        ("last", integrate_and_fire(&[2, 4, 4])),
    ];
    let graph = row(&[2, 12, 12], nodes, &[2, 4, 4]);
    assert!(agree(&graph, "last", &options()) > 5);
    let imported = import(&graph, &options());
    // What is behind it is a convolution again.
    assert_eq!(layer(&imported.network, "if").shape, [2, 6, 6]);
    assert!(matches!(layer(&imported.network, "last").kind, LayerKind::Convolution(_)));
}

#[test]
fn scales_and_full_connections_compose() {
    let mut noise = Noise(41);
    let scale = |noise: &mut Noise, shape: &[usize]| {
        NirNode::new("Scale").with("scale", shape, &noise.between(shape.iter().product(), 0.5, 2.0))
    };
    let nodes = vec![
        ("scale1", scale(&mut noise, &[2, 3, 3])),
        ("flat", flatten(0.0, -1.0)),
        ("fc1", affine(&mut noise, 10, 18)),
        ("scale2", scale(&mut noise, &[10])),
        ("fc2", affine(&mut noise, 7, 10)),
        ("scale3", scale(&mut noise, &[7])),
        ("lif", lif(&mut noise, &[7])),
    ];
    let graph = row(&[2, 3, 3], nodes, &[7]);
    assert!(agree(&graph, "lif", &options()) > 10);
    assert_eq!(self::nodes(&import(&graph, &options()).network), ["input", "flat", "lif", "output"]);
}

#[test]
fn scales_of_channels_go_into_kernels() {
    let mut noise = Noise(42);
    let by_channel = NirNode::new("Scale").with("scale", &[2, 1, 1], &[0.5, 2.0]);
    let all = NirNode::new("Scale").with("scale", &[1], &[3.0]);
    let nodes = vec![
        ("scale", by_channel),
        ("conv", conv2d(&mut noise, [3, 2, 3, 3], 1.0, 1.0, 1.0, 1.0)),
        ("all", all),
        ("flat", flatten(0.0, 2.0)),
        ("if", integrate_and_fire(&[75])),
        ("fc", linear(&mut noise, 5, 75)),
        ("last", integrate_and_fire(&[5])),
    ];
    let graph = row(&[2, 5, 5], nodes, &[5]);
    assert!(agree(&graph, "last", &options()) > 10);
    assert_eq!(self::nodes(&import(&graph, &options()).network), ["input", "if", "if_flat", "last", "output"]);
}

#[test]
fn neurons_right_behind_the_input() {
    let mut noise = Noise(43);
    let nodes = vec![("lif", lif(&mut noise, &[70]))];
    agree(&row(&[70], nodes, &[70]), "lif", &options());
    let nodes = vec![("if", integrate_and_fire(&[2, 3, 3])), ("again", integrate_and_fire(&[2, 3, 3]))];
    assert!(agree(&row(&[2, 3, 3], nodes, &[2, 3, 3]), "again", &options()) > 10);
}

#[test]
fn delays_are_steps() {
    let mut noise = Noise(44);
    let delay = NirNode::new("Delay").with_all("delay", &[5], 3.0);
    let nodes = vec![
        ("fc", linear(&mut noise, 5, 6)),
        ("if", integrate_and_fire(&[5])),
        ("delay", delay),
        ("fc2", linear(&mut noise, 4, 5)),
        ("last", integrate_and_fire(&[4])),
    ];
    let graph = row(&[6], nodes, &[4]);
    assert!(agree(&graph, "last", &options()) > 5);
    assert_eq!(self::nodes(&import(&graph, &options()).network), ["input", "if", "if_delay3", "last", "output"]);
}

#[test]
fn delays_of_branches_that_meet() {
    let mut noise = Noise(45);
    let delay = |steps: f64| NirNode::new("Delay").with_all("delay", &[5], steps);
    let nodes = vec![
        ("fc", strong(&mut noise, 5, 6)),
        ("if", integrate_and_fire(&[5])),
        ("fc2", strong(&mut noise, 4, 5)),
        ("last", integrate_and_fire(&[4])),
    ];
    // With weights of its own, and added spike by spike.
    let weighted = row(&[6], nodes.clone(), &[4])
        .node("wait", delay(2.0))
        .node("skip", strong(&mut noise, 4, 5))
        .chain(&["if", "wait", "skip", "last"]);
    let plain = row(&[6], nodes, &[4])
        .node("wait", delay(3.0))
        .node("more", delay(5.0))
        .chain(&["if", "wait", "fc2"])
        .chain(&["wait", "more", "fc2"]);
    for graph in [weighted, plain] {
        assert!(agree(&graph, "last", &options()) > 5);
    }
}

#[test]
fn sizes_of_one_make_no_difference() {
    let mut noise = Noise(46);
    let nodes = vec![("fc", strong(&mut noise, 5, 6)), ("if", integrate_and_fire(&[5]))];
    let expected = agree(&row(&[6], nodes.clone(), &[5]), "if", &options());
    assert_eq!(agree(&row(&[1, 6], nodes.clone(), &[1, 1, 5]), "if", &options()), expected);
    assert_eq!(agree(&row(&[1, 1, 1, 6], nodes, &[1, 5]), "if", &options()), expected);
    let conv = conv2d(&mut noise, [3, 2, 3, 3], 1.0, 1.0, 1.0, 1.0);
    let nodes = vec![("conv", conv), ("if", integrate_and_fire(&[3, 5, 5]))];
    assert!(agree(&row(&[1, 2, 5, 5], nodes, &[1, 3, 5, 5]), "if", &options()) > 10);
}

#[test]
fn parameters_of_channels_and_of_sizes_that_broadcast() {
    let mut noise = Noise(47);
    let conv = conv2d(&mut noise, [3, 2, 3, 3], 1.0, 1.0, 1.0, 1.0);
    let lif = |tau: &[usize], threshold: &[usize], noise: &mut Noise| {
        let mut between = |shape: &[usize], least, most| noise.between(shape.iter().product(), least, most);
        let (tau_values, thresholds) = (between(tau, 1.5, 9.0), between(threshold, 0.4, 1.2));
        NirNode::new("LIF")
            .with("tau", tau, &tau_values)
            .with("r", &[], &[2.0])
            .with("v_leak", &[1, 1, 1], &[0.0])
            .with("v_threshold", threshold, &thresholds)
    };
    for (tau, threshold) in [(vec![3], vec![3, 1, 1]), (vec![3, 5, 6], vec![]), (vec![1], vec![3])] {
        let nodes = vec![("conv", conv.clone()), ("lif", lif(&tau, &threshold, &mut noise))];
        assert!(agree(&row(&[2, 5, 6], nodes, &[3, 5, 6]), "lif", &options()) > 10);
    }
}

#[test]
fn padding_that_keeps_the_size_by_strides() {
    let mut noise = Noise(48);
    for (size, kernel, stride, dilation) in [(9, 3, 2, 1), (8, 4, 3, 1), (7, 2, 2, 2), (5, 1, 4, 1), (10, 5, 3, 2)] {
        let mut conv = conv2d(&mut noise, [3, 2, kernel, kernel], stride as f64, 0.0, dilation as f64, 1.0);
        conv.fields.remove("padding");
        let shape = [3, usize::div_ceil(size, stride), usize::div_ceil(size, stride)];
        let nodes = vec![("conv", conv.with_text("padding", "same")), ("if", integrate_and_fire(&shape))];
        assert!(agree(&row(&[2, size, size], nodes, &shape), "if", &options()) > 2);
    }
}

#[test]
fn a_cycle_of_one_node_is_a_recurrent_layer() {
    let mut noise = Noise(50);
    for neurons in [lif(&mut Noise(51), &[6]), cuba_lif(&mut Noise(52), &[6]), integrate_and_fire(&[6])] {
        let graph = row(&[5], vec![("fc", affine(&mut noise, 6, 5)), ("lif", neurons)], &[6])
            .node("back", linear(&mut noise, 6, 6))
            .chain(&["lif", "back", "lif"]);
        assert!(agree(&graph, "lif", &options()) > 10);
        assert!(layer(&import(&graph, &options()).network, "lif").recurrent.is_some());
    }
}

#[test]
fn a_cycle_through_several_weights_and_a_delay_of_one_step() {
    let mut noise = Noise(53);
    let graph = row(&[5], vec![("fc", affine(&mut noise, 6, 5)), ("lif", lif(&mut noise, &[6]))], &[6])
        .node("down", linear(&mut noise, 3, 6))
        .node("wait", NirNode::new("Delay").with_all("delay", &[3], 1.0))
        .node("up", linear(&mut noise, 6, 3))
        .chain(&["lif", "down", "wait", "up", "lif"]);
    assert!(agree(&graph, "lif", &options()) > 10);
}

#[test]
fn a_cycle_of_several_nodes_is_one_layer() {
    let mut noise = Noise(54);
    let graph = row(
        &[5],
        vec![
            ("fc1", affine(&mut noise, 6, 5)),
            ("one", lif(&mut noise, &[6])),
            ("fc2", strong(&mut noise, 4, 6)),
            ("two", cuba_lif(&mut noise, &[4])),
            ("fc3", strong(&mut noise, 7, 4)),
            ("last", integrate_and_fire(&[7])),
        ],
        &[7],
    )
    .node("back", linear(&mut noise, 6, 4))
    .chain(&["two", "back", "one"]);
    assert!(agree(&graph, "last", &options()) > 5);
    let imported = import(&graph, &options());
    assert_eq!(self::nodes(&imported.network), ["input", "one_two", "last", "output"]);
    assert_eq!(layer(&imported.network, "one_two").shape, [10]);
}

#[test]
fn part_of_a_joined_layer_can_be_the_output() {
    let mut noise = Noise(55);
    let graph = row(
        &[5],
        vec![
            ("fc1", affine(&mut noise, 6, 5)),
            ("one", lif(&mut noise, &[6])),
            ("fc2", linear(&mut noise, 4, 6)),
            ("two", lif(&mut noise, &[4])),
        ],
        &[4],
    )
    .node("back", linear(&mut noise, 6, 4))
    .chain(&["two", "back", "one"]);
    assert!(agree(&graph, "two", &options()) > 5);
}

#[test]
fn spikes_that_meet_before_weights_are_added() {
    let mut noise = Noise(56);
    let graph = row(
        &[2, 6, 6],
        vec![
            ("conv1", conv2d(&mut noise, [2, 2, 3, 3], 1.0, 1.0, 1.0, 1.0)),
            ("one", integrate_and_fire(&[2, 6, 6])),
            ("conv2", conv2d(&mut noise, [2, 2, 3, 3], 1.0, 1.0, 1.0, 1.0)),
            ("two", integrate_and_fire(&[2, 6, 6])),
            ("conv3", conv2d(&mut noise, [3, 2, 3, 3], 1.0, 0.0, 1.0, 1.0)),
            ("last", integrate_and_fire(&[3, 4, 4])),
        ],
        &[3, 4, 4],
    )
    .chain(&["one", "conv3"]);
    assert!(agree(&graph, "last", &options()) > 5);
    let imported = import(&graph, &options());
    assert_eq!(self::nodes(&imported.network), ["input", "one", "two", "last_sum", "last", "output"]);
    assert!(matches!(layer(&imported.network, "last").kind, LayerKind::Convolution(_)));
}

#[test]
fn paths_with_weights_of_their_own_meet() {
    let mut noise = Noise(57);
    let graph = row(
        &[6],
        vec![
            ("fc1", affine(&mut noise, 8, 6)),
            ("one", lif(&mut noise, &[8])),
            ("fc2", affine(&mut noise, 5, 8)),
            ("two", lif(&mut noise, &[5])),
        ],
        &[5],
    )
    .node("skip", affine(&mut noise, 5, 6))
    .chain(&["input", "skip", "two"]);
    assert!(agree(&graph, "two", &options()) > 5);
    let imported = import(&graph, &options());
    let expected = ["input", "one", "two_sources", "two", "output"];
    assert_eq!(self::nodes(&imported.network), expected);
    // From one source, weights are just added.
    let graph = row(&[6], vec![("fc1", affine(&mut noise, 8, 6)), ("one", lif(&mut noise, &[8]))], &[8])
        .node("fc2", affine(&mut noise, 8, 6))
        .chain(&["input", "fc2", "one"]);
    assert!(agree(&graph, "one", &options()) > 5);
    assert_eq!(self::nodes(&import(&graph, &options()).network), ["input", "one", "output"]);
}

/// A residual network as frameworks write it: stages of blocks of two convolutions whose input comes in beside them, as it is
/// where its shape is the same, else by a convolution of 1 x 1 with the stride. Names of neurons are `STAGE_BLOCK` and
/// `STAGE_BLOCK_inner`.
pub(crate) fn residual(
    noise: &mut Noise,
    input: [usize; 3],
    stages: &[usize],
    blocks: usize,
    classes: usize,
) -> NirGraph {
    let [mut channels, height, _] = input;
    let mut size = height;
    let kernel = |noise: &mut Noise, out: usize, inputs: usize, taps: usize, stride: f64| {
        let weights = [out, inputs, taps, taps];
        let scale = 2.0 / ((inputs * taps * taps) as f64).sqrt();
        let mut node = conv2d(noise, weights, stride, (taps / 2) as f64, 1.0, 1.0);
        node.fields
            .entry("weight".to_owned())
            .and_modify(|(_, values)| values.iter_mut().for_each(|value| *value *= scale));
        node
    };
    let mut graph = NirGraph::default()
        .node("input", port("Input", &input))
        .node("stem", kernel(noise, stages[0], channels, 3, 1.0));
    let mut last = "first".to_owned();
    channels = stages[0];
    graph = graph.node(&last, integrate_and_fire(&[channels, size, size])).chain(&["input", "stem", "first"]);
    for (stage, &out) in stages.iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let name = format!("s{stage}_b{block}");
            let [one, inner, two, beside] = ["one", "inner", "two", "beside"].map(|part| format!("{name}_{part}"));
            size /= stride;
            let neurons = || integrate_and_fire(&[out, size, size]);
            graph = graph.node(&one, kernel(noise, out, channels, 3, stride as f64)).node(&inner, neurons());
            graph = graph.node(&two, kernel(noise, out, out, 3, 1.0)).node(&name, neurons());
            graph = graph.chain(&[last.as_str(), one.as_str(), inner.as_str(), two.as_str(), name.as_str()]);
            graph = match stride == 1 && channels == out {
                true => graph.chain(&[last.as_str(), name.as_str()]),
                false => graph.node(&beside, kernel(noise, out, channels, 1, stride as f64)).chain(&[
                    last.as_str(),
                    beside.as_str(),
                    name.as_str(),
                ]),
            };
            (last, channels) = (name, out);
        }
    }
    graph
        .node("pool", pool("SumPool2d", size as f64, size as f64, 0.0))
        .node("flat", flatten(0.0, -1.0))
        .node("fc", strong(noise, classes, channels))
        .node("last", integrate_and_fire(&[classes]))
        .node("output", port("Output", &[classes]))
        .chain(&[last.as_str(), "pool", "flat", "fc", "last", "output"])
}

#[test]
fn residual_blocks_are_convolutions_with_a_kernel_beside() {
    let mut noise = Noise(61);
    let graph = residual(&mut noise, [2, 8, 8], &[3, 5], 2, 4);
    assert!(agree(&graph, "last", &options()) > 5);
    let network = import(&graph, &options()).network;
    let kernels = |name: &str| {
        let LayerKind::Convolution(of) = &layer(&network, name).kind else { panic!("{name} is no convolution") };
        let mut kernels: Vec<_> =
            of.kernels().map(|kernel| (kernel.kernel[0], kernel.stride[0], kernel.groups)).collect();
        kernels.sort_unstable();
        kernels
    };
    assert_eq!(kernels("s0_b0"), [(1, 1, 3), (3, 1, 1)], "an identity is a kernel of 1 for each channel");
    assert_eq!(kernels("s1_b0"), [(1, 2, 1), (3, 1, 1)]);
    assert_eq!(network.layers().count(), 1 + 2 * 4 + 1, "no neurons but those of the file");
    // From one source with one geometry, weights are just added.
    let graph = row(
        &[2, 6, 6],
        vec![("conv", conv2d(&mut noise, [2, 2, 3, 3], 1.0, 1.0, 1.0, 1.0)), ("one", integrate_and_fire(&[2, 6, 6]))],
        &[2, 6, 6],
    )
    .node("again", conv2d(&mut noise, [2, 2, 3, 3], 1.0, 1.0, 1.0, 1.0))
    .chain(&["input", "again", "one"]);
    assert!(agree(&graph, "one", &options()) > 5);
    let network = import(&graph, &options()).network;
    assert_eq!(self::nodes(&network), ["input", "one", "output"]);
    // And as it is, beside a convolution of itself.
    let graph = row(
        &[2, 6, 6],
        vec![("conv", conv2d(&mut noise, [2, 2, 3, 3], 1.0, 1.0, 1.0, 1.0)), ("one", integrate_and_fire(&[2, 6, 6]))],
        &[2, 6, 6],
    )
    .chain(&["input", "one"]);
    assert!(agree(&graph, "one", &options()) > 5);
    let network = import(&graph, &options()).network;
    assert_eq!(self::nodes(&network), ["input", "one_sources", "one", "output"]);
}

#[test]
fn graphs_in_graphs_are_inlined() {
    let mut noise = Noise(58);
    let inner = row(&[6], vec![("fc", strong(&mut noise, 8, 6)), ("lif", lif(&mut noise, &[8]))], &[8]);
    let middle = row(&[6], vec![("inner", NirNode { graph: Some(inner), ..NirNode::new("NIRGraph") })], &[8]);
    let outer = row(
        &[6],
        vec![
            ("encoder", NirNode { graph: Some(middle), ..NirNode::new("NIRGraph") }),
            ("fc", strong(&mut noise, 5, 8)),
            ("if", integrate_and_fire(&[5])),
        ],
        &[5],
    );
    assert!(agree(&outer, "if", &options()) > 5);
    assert_eq!(nodes(&import(&outer, &options()).network), ["input", "encoder_inner_lif", "if", "output"]);
}

#[test]
fn what_integrates_last_is_counted_out_in_spikes() {
    let mut noise = Noise(60);
    let li = NirNode::new("LI")
        .with("tau", &[4], &noise.between(4, 2.0, 9.0))
        .with("r", &[4], &noise.between(4, 0.5, 2.0))
        .with("v_leak", &[4], &noise.between(4, 0.0, 0.1));
    let i = NirNode::new("I").with("r", &[4], &noise.between(4, 0.1, 0.2));
    for (node, sums) in [(li, true), (i, false)] {
        let weights = NirNode::new("Linear").with("weight", &[4, 6], &noise.between(24, 0.0, 0.3));
        let graph = row(&[6], vec![("fc", weights), ("out", node)], &[4]);
        let imported = import(&graph, &options());
        let mut network = crate::network_model::NetworkModel::new(&imported.network);
        let mut model = NirModel::new(&graph, 1.0, Convention::default());
        let (mut sum, mut counts, mut total) = (vec![0.0; 4], vec![0.0; 4], 0.0);
        for step in 0..60 {
            let input: Vec<f64> = (0..6).map(|_| if noise.next() < 0.4 { 1.0 } else { 0.0 }).collect();
            model.step(&input);
            for (at, spike) in network.step(&input).into_iter().enumerate() {
                let voltage = model.output("out")[at];
                sum[at] = if sums { sum[at] + voltage } else { voltage };
                counts[at] += spike;
                total += spike;
                let is_whole: f64 = sum[at];
                assert!((is_whole.floor() - counts[at]).abs() < 1e-9, "step {step}: {sum:?} {counts:?}");
            }
        }
        assert!(total > 10.0);
    }
}

#[test]
fn names_become_identifiers() {
    let mut noise = Noise(61);
    let nodes = vec![
        ("lif1.w", linear(&mut noise, 8, 6)),
        ("lif1.lif", integrate_and_fire(&[8])),
        ("0", linear(&mut noise, 5, 8)),
        ("1", integrate_and_fire(&[5])),
        ("2", linear(&mut noise, 5, 5)),
        ("lif1_lif", integrate_and_fire(&[5])),
    ];
    let graph = row(&[6], nodes, &[5]);
    assert_eq!(self::nodes(&import(&graph, &options()).network), ["input", "lif1_lif", "if_1", "lif1_lif_2", "output"]);
}

#[test]
fn what_does_not_lead_to_the_output_is_left_out_and_noted() {
    let mut noise = Noise(62);
    let graph = row(&[6], vec![("fc", linear(&mut noise, 8, 6)), ("if", integrate_and_fire(&[8]))], &[8])
        .node("probe", linear(&mut noise, 2, 8))
        .chain(&["if", "probe"]);
    let imported = import(&graph, &options());
    assert_eq!(imported.notes, ["`probe` (Linear) does not lead to the Output; it is left out"]);
    agree(&graph, "if", &options());
}
