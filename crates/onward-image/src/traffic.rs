//! How many packets a run sent: what a placement can be made for.

use crate::Image;
use serde::{Deserialize, Serialize};

/// Packets by sender and route, with enough of the network to know it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Name of the network.
    pub network: String,
    /// Steps that were counted.
    pub steps: u64,
    /// What the host sent.
    pub host: Vec<HostTraffic>,
    /// What blocks sent, by logical number.
    pub blocks: Vec<BlockTraffic>,
}

/// Packets of a host input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostTraffic {
    /// Its kind: `tag`, `target`, `input`, `values`.
    pub input: String,
    /// Packets.
    pub packets: u64,
}

/// Packets of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockTraffic {
    /// Name of the population it belongs to.
    pub population: String,
    /// Its first neuron.
    pub first_neuron: u32,
    /// How many neurons it has.
    pub neurons: u32,
    /// Its routes.
    pub routes: Vec<RouteTraffic>,
}

/// Packets of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteTraffic {
    /// Name of the route.
    pub route: String,
    /// Packets.
    pub packets: u64,
}

impl Traffic {
    /// Puts counts beside what they are of: packets by host input, and by block and route. What is missing is 0.
    pub fn new(image: &Image, steps: u64, host: &[u64], blocks: &[Vec<u64>]) -> Traffic {
        let packets = |counts: &[u64], at: usize| counts.get(at).copied().unwrap_or(0);
        let inputs = image.host_inputs.iter().enumerate().map(|(at, input)| HostTraffic {
            input: format!("{:?}", input.kind).to_lowercase(),
            packets: packets(host, at),
        });
        let blocks = image.blocks.iter().enumerate().map(|(number, block)| {
            let counts = blocks.get(number).map_or(&[][..], Vec::as_slice);
            let routes = block
                .routes
                .iter()
                .enumerate()
                .map(|(at, route)| RouteTraffic { route: route.name.clone(), packets: packets(counts, at) });
            BlockTraffic {
                population: image.population(block).name.clone(),
                first_neuron: block.first_neuron,
                neurons: block.neurons,
                routes: routes.collect(),
            }
        });
        Traffic { network: image.network.name.clone(), steps, host: inputs.collect(), blocks: blocks.collect() }
    }
}

impl BlockTraffic {
    /// Packets of the route of this name; `None` if there is none.
    pub fn packets(&self, route: &str) -> Option<u64> {
        self.routes.iter().find(|sent| sent.route == route).map(|sent| sent.packets)
    }
}
