//! The composed model against numbers found by hand: neurons, connections, pools, sums.

use onward_diagnostic::Source;
use std::collections::BTreeMap;
use testbench::model::{Afterwards, Arrival, Connection, Format, Model, Neurons, Window, value};

/// What is shown in the steps of a window: places and values.
type Shown<'a> = [&'a [(usize, i64)]];

/// A network of an input and other nodes, of which layers have no neurons' or weights' numbers yet.
fn network(shape: &str, nodes: &str, last: &str) -> Model<i64> {
    let text = format!(
        "network n {{\n window = 4\n learning = none\n input x = current({shape})\n {nodes}\n readout z = spikes from {last}\n}}\n"
    );
    let source = Source::new("n.sp", text);
    let network = onward_net::Network::parse(&source).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let mut model = Model::new(&network, 1);
    for layer in &mut model.layers {
        layer.format = Format { weights: 0, targets: 0, membrane: 0 };
    }
    model
}

/// A layer `a` over the input with these weights and neurons.
fn layer(shape: &str, layer: &str, weights: &[i64], neurons: Neurons<i64>) -> Model<i64> {
    let mut model = network(shape, &format!("layer a = {layer}"), "a");
    model.layers[0].weights = BTreeMap::from([(1, weights.to_vec())]);
    model.layers[0].neurons = neurons;
    model
}

fn integrate_and_fire(threshold: &[i64]) -> Neurons<i64> {
    Neurons::integrate_and_fire(threshold.to_vec())
}

fn show(model: &mut Model<i64>, steps: &Shown) {
    let sent = |step: &&[(usize, i64)]| step.iter().map(|&(place, sent)| value(place, sent)).collect();
    let shown: Vec<Vec<Arrival<i64>>> = steps.iter().map(sent).collect();
    model.show(Window::Input { learn: None, continues: false }, &shown);
}

/// Spikes of layer `a`, and its membranes, after each step.
fn run(model: &mut Model<i64>, steps: &Shown) -> Vec<(Vec<usize>, Vec<i64>)> {
    show(model, steps);
    let membranes = model.layers[0].blocks[0].steps.iter().map(|step| step.membrane.clone());
    model.spikes("a").into_iter().zip(membranes).collect()
}

fn membranes(model: &mut Model<i64>, steps: &Shown) -> Vec<Vec<i64>> {
    run(model, steps).into_iter().map(|(_, membranes)| membranes).collect()
}

fn one_neuron(weight: i64, neurons: Neurons<i64>, steps: &[i64]) -> Vec<(bool, i64)> {
    let steps: Vec<Vec<(usize, i64)>> =
        steps.iter().map(|&sent| if sent == 0 { Vec::new() } else { vec![(0, sent)] }).collect();
    let steps: Vec<&[(usize, i64)]> = steps.iter().map(Vec::as_slice).collect();
    let found = run(&mut layer("1", "dense(1) from x", &[weight], neurons), &steps);
    found.into_iter().map(|(spikes, membrane)| (!spikes.is_empty(), membrane[0])).collect()
}

#[test]
fn neurons_fire_and_keep_what_is_above_the_threshold() {
    let mut model = layer("2", "dense(1) from x", &[3, -1], integrate_and_fire(&[5]));
    let found = run(&mut model, &[&[(0, 1)], &[(0, 1)], &[(1, 1)]]);
    // 6 fires, 5 is subtracted.
    assert_eq!(found, [(vec![], vec![3]), (vec![0], vec![1]), (vec![], vec![0])]);
    assert_eq!(model.lag("a"), 1);
}

#[test]
fn a_leak_rounds_towards_zero() {
    // 7 loses a quarter: 5.25 is 5, 3.75 is 3, 2.25 is 2, 1.5 is 1, 0.75 is 0. And so do negative membranes.
    for sign in [1, -1] {
        let neurons = Neurons { leak: Some(vec![49152]), ..integrate_and_fire(&[100]) };
        let found = one_neuron(7 * sign, neurons, &[1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(found, [7, 5, 3, 2, 1, 0, 0].map(|membrane| (false, membrane * sign)));
    }
}

#[test]
fn decays_of_a_text() {
    let leaks = |leak: &str| {
        let text = format!("layer a = dense(3) from x {{ block = 2, neurons = leaky {{ leak = {leak} }} }}");
        network("1", &text, "a").layers[0].neurons.leak.clone()
    };
    assert_eq!(leaks("none"), None);
    assert_eq!(leaks("shift(2)"), Some(vec![49152; 3]));
    assert_eq!(leaks("factor(0.5)"), Some(vec![32768; 3]));
    // In each block from the first to the second; what is lost is a geometric series.
    assert_eq!(leaks("spread(0.5, 0.75)"), Some(vec![32768, 49152, 32768]));
}

#[test]
fn a_current_decays_before_it_takes_the_input_in_and_in_refractory_steps_too() {
    let neurons = Neurons {
        current: Some(vec![32768]),
        refractory: 2,
        reset: Afterwards::Becomes(vec![-1]),
        bias: vec![1],
        ..integrate_and_fire(&[10])
    };
    // Current: 8, 4, 2 + 8 = 10, 5, 2, 1, 0. Membrane: 9, 14 fires and is -1 for two steps, then 2 + 1 more, and so on.
    let found = one_neuron(8, neurons, &[1, 0, 1, 0, 0, 0, 0]);
    assert_eq!(found, [(false, 9), (true, -1), (false, -1), (false, -1), (false, 2), (false, 4), (false, 5)]);
}

#[test]
fn the_current_is_taken_whole() {
    let neurons = Neurons { current: Some(vec![32768]), ..integrate_and_fire(&[1000]) };
    let found = one_neuron(-7, neurons, &[1, 1, 0, 0]);
    // -7; -3 - 7 = -10; -5; -2.
    assert_eq!(found, [(false, -7), (false, -17), (false, -22), (false, -24)]);
}

#[test]
fn resets() {
    let subtract = integrate_and_fire(&[4]);
    assert_eq!(one_neuron(7, subtract.clone(), &[1, 0, 0]), [(true, 3), (false, 3), (false, 3)]);
    // What is left may be enough to fire again without any input.
    assert_eq!(one_neuron(9, subtract.clone(), &[1, 0, 0]), [(true, 5), (true, 1), (false, 1)]);
    let set = Neurons { reset: Afterwards::Becomes(vec![-2]), ..subtract.clone() };
    assert_eq!(one_neuron(7, set, &[1, 1]), [(true, -2), (true, -2)]);
    let lowered = Neurons { reset: Afterwards::Lowered(vec![6]), ..subtract.clone() };
    assert_eq!(one_neuron(7, lowered, &[1, 0, 1]), [(true, 1), (false, 1), (true, 2)]);
    // A step late, from what is left: 7; 7 / 2 - 4 = -1; -1 / 2 + 7 = 7; 7 / 2 - 4 + 7 = 6.
    let late = Neurons { reset: Afterwards::LoweredLater(vec![4]), leak: Some(vec![32768]), ..subtract.clone() };
    assert_eq!(one_neuron(7, late, &[1, 0, 1, 1]), [(true, 7), (false, -1), (true, 7), (true, 6)]);
    let stays = Neurons { reset: Afterwards::Stays, ..subtract };
    assert_eq!(one_neuron(7, stays, &[1, 0]), [(true, 7), (true, 7)]);
}

#[test]
fn sums_saturate_one_by_one() {
    let neurons = Neurons { reset: Afterwards::Becomes(vec![0]), ..integrate_and_fire(&[i32::MAX.into()]) };
    let mut model = layer("3", "dense(1) from x", &[32767, 32767, -32768], neurons);
    // 2^16 * 32767 does not fit; the axon behind it is subtracted from what did.
    let large = 1 << 17;
    let found = run(&mut model, &[&[(0, large), (1, large), (2, 1)]]);
    assert_eq!(found, [(vec![], vec![i64::from(i32::MAX) - 32768])]);
}

#[test]
fn values_multiply_weights() {
    assert_eq!(one_neuron(-3, integrate_and_fire(&[1000]), &[255, 2]), [(false, -765), (false, -771)]);
}

#[test]
fn a_convolution_with_padding_and_stride() {
    // A row of four, kernel 1, 2, 3 along x, one zero on each side, every second place: places 0 and 2 of four.
    let text = "conv(1, 1, 3) from x { stride = (1, 2), padding = (0, 1) }";
    let mut model = layer("1, 1, 4", text, &[1, 2, 3], integrate_and_fire(&[100; 2]));
    let found = membranes(&mut model, &[&[(0, 1)], &[(1, 1)], &[(2, 1)], &[(3, 1)]]);
    // out[0] = 2 in[0] + 3 in[1]; out[1] = in[1] + 2 in[2] + 3 in[3].
    assert_eq!(found, [vec![2, 0], vec![5, 1], vec![5, 3], vec![5, 6]]);
}

#[test]
fn a_convolution_with_dilation_and_groups() {
    // Two channels of 3 x 3, a group each; a kernel of 2 x 2 whose taps are 2 apart: one place, the four corners.
    let text = "conv(2, 2, 2) from x { dilation = 2, groups = 2, block = 2 }";
    // By tap, the channels side by side.
    let mut model = layer("2, 3, 3", text, &[1, 10, 2, 20, 3, 30, 4, 40], integrate_and_fire(&[1000; 2]));
    // The first channel's corner below left; the second's corner above right, and its middle, which no tap meets.
    let found = run(&mut model, &[&[(6, 1)], &[(9 + 2, 1), (9 + 4, 1)]]);
    assert_eq!(found, [(vec![], vec![3, 0]), (vec![], vec![3, 20])]);
}

#[test]
fn spikes_of_a_convolution_leave_by_channel() {
    // A kernel of one tap for each of two channels: neurons are held place by place, and sent channel by channel.
    let mut model = layer("1, 1, 2", "conv(2, 1, 1) from x { block = 2 }", &[1, 2], integrate_and_fire(&[2; 4]));
    let found = run(&mut model, &[&[(1, 1)], &[(0, 1), (1, 1)]]);
    // In the second step: channel 0 at place 1, channel 1 at both.
    assert_eq!(found, [(vec![3], vec![0, 0, 1, 0]), (vec![1, 2, 3], vec![1, 0, 0, 0])]);
}

#[test]
fn a_sparse_layer_has_the_weights_it_lists() {
    let mut model = layer("3", "dense(2) from x { block = 2 }", &[5, 7, -1], integrate_and_fire(&[100; 2]));
    model.layers[0].connection = Connection::pairs([(0, 1), (2, 0), (0, 0)], 3);
    let found = membranes(&mut model, &[&[(0, 1)], &[(1, 1)], &[(2, 1)]]);
    assert_eq!(found, [[-1, 5], [-1, 5], [6, 5]]);
}

#[test]
fn a_recurrent_layer_hears_itself_a_step_later() {
    let mut model = layer("1", "recurrent(2) from x { block = 2 }", &[4, 0], integrate_and_fire(&[4; 2]));
    model.layers[0].own_weights = vec![0, 4, 4, 0];
    let found: Vec<_> = run(&mut model, &[&[(0, 1)], &[], &[], &[]]).into_iter().map(|(spikes, _)| spikes).collect();
    assert_eq!(found, [[0], [1], [0], [1]]);
}

#[test]
fn pools() {
    let sends = |pool: &str| {
        let nodes = format!("layer p = {pool}(2, 2) from x {{ stride = (1, 2) }}\n layer a = dense(1) from p");
        let mut model = network("1, 3, 4", &nodes, "a");
        // Weights of whatever divisor.
        model.layers[0].weights = BTreeMap::from([(1, vec![0; 4]), (4, vec![0; 4])]);
        // The second row is in the windows of both rows.
        show(&mut model, &[&[(4, 1), (5, 1), (11, 1)]]);
        (model.spikes("p")[0].clone(), model.sent("p", 0)[0].divisor)
    };
    assert_eq!(sends("sum_pool"), (vec![0, 0, 2, 2, 3], 1));
    assert_eq!(sends("average_pool"), (vec![0, 0, 2, 2, 3], 4));
    assert_eq!(sends("max_pool"), (vec![0, 2, 3], 1));
}

#[test]
fn an_average_chooses_its_weights_and_an_addition_takes_both() {
    let nodes = "layer mean = average_pool(1, 2) from x
        layer sum = sum_pool(1, 2) from x
        layer both = add from mean, sum
        layer late = delay(3) from both
        layer row = flatten from late
        layer a = dense(1) from row";
    let mut model = network("1, 1, 2", nodes, "a");
    model.layers[0].weights = BTreeMap::from([(1, vec![10]), (2, vec![5])]);
    model.layers[0].neurons = integrate_and_fire(&[1000]);
    assert_eq!(membranes(&mut model, &[&[(0, 1), (1, 1)]]), [[30]]);
    assert_eq!(model.lag("a"), 4);
    // A window begins with all state at zero.
    assert_eq!(membranes(&mut model, &[&[(1, 1)]]), [[15]]);
}

#[test]
fn the_first_of_several_has_most() {
    assert_eq!(testbench::model::largest(&[1, 3, 3, 0], None), 1);
    assert_eq!(testbench::model::largest(&[1, 3, 3, 0], Some(1)), 2);
    assert_eq!(testbench::model::largest(&[0, 0], None), 0);
}
