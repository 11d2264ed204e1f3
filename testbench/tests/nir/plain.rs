//! The plainest format: weights times the greatest power of two with which they fit, each rounded to the nearest, and
//! membranes that count in the same unit.

use onward_net::{Initial, LayerKind, Network, Values};
use onward_quantize::{LayerParameters, Scale};
use std::collections::BTreeMap;

/// The plainest integers of layers, of which `chosen` are others.
pub fn plain(network: &Network, chosen: &BTreeMap<String, LayerParameters>) -> BTreeMap<String, LayerParameters> {
    let of_layer = |node| {
        let text = network.layer(node);
        let mut plain = chosen[&text.name].clone();
        let ratio = plain.divisors[0] as f64 * f64::from(plain.payload);
        let given = match (&text.kind, &text.weights.initial) {
            (LayerKind::Sparse(sparse), _) => {
                let Values::Array(rows) = &sparse.connections else { panic!("they are given") };
                rows.values.chunks(3).map(|row| row[2]).collect()
            }
            (LayerKind::Dense, initial) => {
                let (inputs, neurons) = (network.inputs(node) as usize, text.neurons() as usize);
                let weights = numbers(initial, inputs * neurons);
                (0..weights.len()).map(|at| weights[at % neurons * inputs + at / neurons]).collect()
            }
            (_, initial) => numbers(initial, plain.weights[0].len()),
        };
        let own = text.recurrent.as_ref().map(|own| numbers(&own.initial, (text.neurons() * text.neurons()) as usize));
        let most = f64::from((1 << (text.weights.bits - 1)) - 1);
        let largest = |weights: &[f64]| weights.iter().map(|weight| weight.abs()).fold(0.0, f64::max);
        let greatest = largest(&given).max(own.as_ref().map_or(0.0, |own| ratio * largest(own)));
        let fits = |bits: &i32| greatest == 0.0 || (greatest * f64::from(*bits).exp2()).round() <= most;
        let scale = f64::from((-24..=24).rev().find(fits).unwrap_or(0)).exp2();
        let integers =
            |weights: &[f64], scale: f64| weights.iter().map(|weight| (weight * scale).round() as i16).collect();
        let first = plain.divisors[0] as f64;
        plain.weights = plain.divisors.iter().map(|&of| integers(&given, scale * first / of as f64)).collect();
        plain.recurrent =
            plain.recurrent.map(|(bits, _)| (bits, integers(own.as_deref().unwrap_or(&[]), scale * ratio)));
        (plain.scale, plain.unit, plain.finer) = (Scale::Same(scale), Scale::Same(scale * ratio), 0);
        (text.name.clone(), plain)
    };
    network.layers().map(of_layer).collect()
}

fn numbers(initial: &Initial, count: usize) -> Vec<f64> {
    match initial {
        Initial::Given(Values::Constant(value)) => vec![*value; count],
        Initial::Given(Values::Array(array)) => array.values.clone(),
        _ => panic!("weights are given"),
    }
}
