//! Every kind of layer and neuron, compiled and run, against the composed model.

mod build;
#[path = "../common/frozen.rs"]
mod frozen;
mod session;

use build::*;
use onward_net::{Decay, Encoding, PoolKind, Reset, Values};

#[test]
fn a_convolution() {
    let mut net = Net::new(&[2, 6, 7], Encoding::Rate, 6);
    let last = net.conv("c", net.input, conv(4, [3, 3]).padded(1), |_| {});
    net.agrees(last, 0.3);
}

#[test]
fn convolutions_of_all_shapes() {
    for (at, (channels, kernel, stride, padding, dilation, groups)) in [
        (4, [3, 3], [2, 2], 1, [1, 1], 1),
        (6, [5, 2], [1, 3], 1, [1, 1], 2),
        (4, [3, 3], [1, 1], 2, [2, 3], 1),
        (4, [3, 3], [2, 3], 2, [3, 2], 4),
        (8, [1, 1], [2, 2], 0, [1, 1], 4),
        (4, [1, 4], [1, 2], 0, [1, 1], 1),
        (300, [3, 3], [1, 1], 1, [1, 1], 1),
        (300, [3, 3], [2, 2], 1, [1, 1], 1),
    ]
    .into_iter()
    .enumerate()
    {
        println!("convolution {at}");
        let mut net = Net::new(&[4, 9, 11], Encoding::Rate, 5);
        let shape = conv(channels, kernel).strides(stride).padded(padding).dilated(dilation).groups(groups);
        let last = net.conv("c", net.input, shape, |_| {});
        net.agrees(last, 0.3);
    }
}

#[test]
fn convolutions_in_blocks() {
    for (block, rows, groups) in [(3, 4, 1), (4, 2, 2), (1, 9, 2), (8, 1, 4), (3, 3, 2)] {
        println!("blocks of {block} channels and {rows} rows, {groups} groups");
        let mut net = Net::new(&[4, 9, 8], Encoding::Rate, 5);
        let first = net.conv("a", net.input, conv(8, [3, 3]).padded(1), |layer| {
            (layer.block, layer.block_rows) = (3, Some(4));
        });
        let last = net.conv("b", first, conv(8, [3, 3]).padded(1).groups(groups), |layer| {
            (layer.block, layer.block_rows) = (block, Some(rows));
        });
        net.agrees(last, 0.4);
    }
}

#[test]
fn pools_and_flattenings() {
    for kind in [PoolKind::Sum, PoolKind::Average, PoolKind::Maximum] {
        for (window, stride) in [(2, 2), (3, 1), (1, 2)] {
            for dense in [false, true] {
                println!("{kind:?} {window} by {stride}, dense: {dense}");
                let mut net = Net::new(&[3, 8, 9], Encoding::Rate, 6);
                let first = net.conv("a", net.input, conv(6, [3, 3]).padded(1), |layer| layer.block = 4);
                let pool = net.pool("p", first, kind, window, stride);
                let last = if dense {
                    let flat = net.flatten("f", pool);
                    net.dense("d", flat, 20, |layer| layer.block = 7)
                } else {
                    net.conv("b", pool, conv(5, [2, 2]), |layer| layer.block = 2)
                };
                net.agrees(last, 0.4);
            }
        }
    }
}

#[test]
fn large_dense_blocks() {
    for (neurons, block, shape) in [(700, 700, [5, 4, 4]), (600, 300, [1, 1, 40]), (1024, 1024, [2, 3, 9])] {
        let mut net = Net::new(&shape, Encoding::Rate, 6);
        let first = net.dense("a", net.input, 40, |_| {});
        let last = net.dense("d", first, neurons, |layer| layer.block = block);
        net.agrees(last, 0.4);
    }
}

#[test]
fn additions_meet_in_step() {
    let mut net = Net::new(&[3, 6, 6], Encoding::Rate, 6);
    let a = net.conv("a", net.input, conv(4, [3, 3]).padded(1), |layer| layer.block = 3);
    let b = net.conv("b", a, conv(4, [3, 3]).padded(1), |_| {});
    let c = net.conv("c", b, conv(4, [1, 1]), |_| {});
    let sum = net.add("s", &[a, c, c, b]);
    let average = net.pool("p", sum, PoolKind::Average, 2, 2);
    let largest = net.pool("m", b, PoolKind::Maximum, 2, 2);
    let both = net.add("t", &[average, largest]);
    let flat = net.flatten("f", both);
    let last = net.dense("d", flat, 30, |_| {});
    net.agrees(last, 0.4);
}

#[test]
fn delays() {
    for steps in [1, 2, 5, 9] {
        let mut net = Net::new(&[2, 5, 5], Encoding::Rate, 4);
        let a = net.conv("a", net.input, conv(4, [3, 3]).padded(1), |layer| layer.block = 1);
        let d = net.delay("d", a, steps);
        let last = net.dense("b", d, 12, |_| {});
        net.agrees(last, 0.4);
    }
}

#[test]
fn recurrent_layers() {
    for (neurons, block, bits) in [(30, 30, 8), (30, 7, 8), (30, 30, 16), (300, 300, 8), (300, 120, 8), (20, 20, 4)] {
        println!("{neurons} neurons in blocks of {block}, {bits} bits");
        let mut net = Net::new(&[12], Encoding::Rate, 7);
        let own = net.own_weights(neurons, bits);
        let last = net.dense("r", net.input, neurons, |layer| {
            (layer.block, layer.recurrent) = (block, Some(own));
        });
        net.agrees(last, 0.4);
    }
}

#[test]
fn a_recurrent_convolution() {
    let mut net = Net::new(&[2, 4, 5], Encoding::Rate, 7);
    let own = net.own_weights(3 * 4 * 5, 8);
    let last = net.conv("r", net.input, conv(3, [3, 3]).padded(1), |layer| {
        (layer.block, layer.block_rows, layer.recurrent) = (2, Some(3), Some(own));
    });
    net.agrees(last, 0.4);
}

#[test]
fn sparse_layers() {
    for (density, neurons, block) in [(0.01, 600, 600), (0.05, 200, 90), (0.5, 40, 40), (0.02, 2000, 1500)] {
        println!("density {density}, {neurons} neurons");
        let mut net = Net::new(&[3, 4, 5], Encoding::Rate, 6);
        let last = net.sparse("s", net.input, neurons, density, |layer| layer.block = block);
        net.agrees(last, 0.5);
    }
    let mut net = Net::new(&[3, 4, 6], Encoding::Rate, 6);
    let pool = net.pool("p", net.input, PoolKind::Average, 2, 1);
    let last = net.sparse("s", pool, 400, 0.03, |layer| layer.block = 400);
    net.agrees(last, 0.5);
}

#[test]
fn values_as_payloads() {
    for dense in [false, true] {
        let mut net = Net::new(&[2, 5, 5], Encoding::Current, 6);
        let delayed = net.delay("d", net.input, 3);
        let pool = net.pool("p", delayed, PoolKind::Sum, 2, 1);
        let last = if dense {
            let flat = net.flatten("f", pool);
            net.dense("a", flat, 30, |_| {})
        } else {
            net.conv("a", pool, conv(4, [2, 2]), |_| {})
        };
        net.agrees(last, 0.5);
    }
    let mut net = Net::new(&[25], Encoding::Current, 6);
    let last = net.sparse("s", net.input, 400, 0.02, |_| {});
    net.agrees(last, 0.5);
}

/// All that neurons can be, with constants and with arrays, in registers and in memory.
#[test]
fn neurons_of_all_kinds() {
    for neurons in [30usize, 400] {
        for kind in 0..9 {
            println!("kind {kind}, {neurons} neurons");
            let mut net = Net::new(&[20], Encoding::Rate, 12);
            let mut random = Random(5);
            let mut each = |low, high| array(&[neurons], &mut random, low, high);
            let (thresholds, resets, factors, biases) =
                (each(0.5, 1.5), each(-0.5, 0.3), each(0.5, 1.0), each(-0.1, 0.2));
            let last = net.dense("n", net.input, neurons as u32, |layer| {
                layer.block = neurons as u32;
                let neuron = &mut layer.neuron;
                match kind {
                    0 => neuron.leak = Decay::Shift(3),
                    1 => neuron.leak = Decay::Factor(Values::Constant(0.83)),
                    2 => neuron.leak = Decay::Factor(factors),
                    3 => (neuron.current, neuron.reset) = (Some(Decay::Shift(2)), Reset::To(Values::Constant(0.0))),
                    4 => (neuron.current, neuron.reset) = (Some(Decay::Factor(factors)), Reset::To(resets)),
                    5 => (neuron.threshold, neuron.bias) = (thresholds, biases),
                    6 => (neuron.refractory, neuron.bias) = (2, Values::Constant(0.1)),
                    7 => {
                        neuron.refractory = 1;
                        neuron.threshold = thresholds;
                        neuron.reset = Reset::To(Values::Constant(-0.25));
                        neuron.leak = Decay::Shift(4);
                        neuron.current = Some(Decay::None);
                    }
                    _ => {
                        neuron.refractory = 5;
                        neuron.threshold = thresholds;
                        neuron.reset = Reset::To(resets);
                        neuron.leak = Decay::Factor(factors);
                        neuron.current = Some(Decay::Shift(1));
                        neuron.bias = biases;
                    }
                }
            });
            net.agrees(last, 0.4);
        }
    }
}

/// A convolution whose neurons differ: arrays are in the order of the block's planes.
#[test]
fn neurons_of_a_convolution() {
    let mut net = Net::new(&[2, 6, 5], Encoding::Rate, 8);
    let thresholds = array(&[6 * 6 * 5], &mut Random(3), 0.5, 1.5);
    let last = net.conv("c", net.input, conv(6, [3, 3]).padded(1).groups(2), |layer| {
        (layer.block, layer.block_rows) = (3, Some(4));
        layer.neuron.threshold = thresholds;
        layer.neuron.leak = Decay::Shift(4);
        layer.neuron.refractory = 1;
    });
    net.agrees(last, 0.4);
}
