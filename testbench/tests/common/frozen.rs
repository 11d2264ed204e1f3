//! Models of networks that do not learn: weights, and what 1.0 is on membranes, are what the compiler says it made of them.

use onward_net::Network;
use onward_quantize::LayerParameters;
use std::collections::BTreeMap;
use testbench::model::feed::plane;
use testbench::model::{Connection, Format, Layer, Model, Neurons};

/// The model of a network, with the integers of its layers by name.
pub fn frozen(network: &Network, parameters: &BTreeMap<String, LayerParameters>) -> Model<i64> {
    let mut model = Model::new(network, 1);
    for node in network.layers() {
        let text = network.layer(node);
        let layer = model.layer(&text.name).expect("a layer of the network");
        give(layer, text, &parameters[&text.name]);
    }
    model
}

/// Gives a layer the integers of its weights, and those that numbers of its neurons are nearest to in their unit.
fn give(layer: &mut Layer<i64>, text: &onward_net::Layer, given: &LayerParameters) {
    layer.format = Format { weights: 0, targets: 0, membrane: given.finer };
    let channels = plane(&text.shape)[0];
    let places: Vec<usize> = (0..layer.size()).map(|neuron| layer.connection.place(neuron)).collect();
    let ordered = |weights: &Vec<i16>| -> Vec<i64> {
        let weight = |at: usize| i64::from(weights[at]);
        match layer.connection {
            // From `[channel][tap]` to `[tap][channel]`.
            Connection::Kernels(_) => {
                let taps = weights.len() / channels;
                (0..weights.len()).map(|at| weight(at % channels * taps + at / channels)).collect()
            }
            _ => (0..weights.len()).map(weight).collect(),
        }
    };
    let weights = given.divisors.iter().copied().zip(given.weights.iter().map(ordered)).collect();
    if let Connection::Pairs(_) = layer.connection {
        layer.connect(given.connections.iter().map(|&(from, to)| (from as usize, to as usize)));
    }
    layer.weights = weights;
    if let Some((_, weights)) = &given.recurrent {
        let row =
            |from: &usize| places.iter().map(|to| i64::from(weights[from * places.len() + to])).collect::<Vec<_>>();
        layer.own_weights = places.iter().flat_map(row).collect();
    }
    let one = |neuron: usize| given.unit.of(neuron);
    layer.neurons = Neurons::new(&text.neuron, places.len(), text.block as usize, one).ordered(&places);
}
