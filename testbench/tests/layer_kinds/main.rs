//! Every kind of layer and neuron, compiled and run, against plain loops.

mod build;
mod model;

use build::*;
use onward_net::{Decay, Encoding, PoolKind, ReadoutKind, Reset};

#[test]
fn a_convolution() {
    let mut net = Net::new(&[2, 6, 7], Encoding::Rate, 6);
    let conv = net.conv("c", net.input, conv(4, [3, 3]).padded(1), |_| {});
    net.agrees(conv, 0.3);
}
