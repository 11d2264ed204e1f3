//! Networks that were NIR files: imported, they do what NIR's equations say, spike for spike.
//!
//! The model of the equations ([`testbench::nir_model`]) runs the file's graph node by node; the model of the network
//! graph (`network_model`) runs what the importer made of it. Both are in double precision, so that what they agree on
//! is the importer alone: composition of nodes, time constants, cycles, names. What fixed-point numbers and the chip make
//! of it is tested apart (`on_chip`).

mod errors;
mod export;
#[path = "../common/frozen.rs"]
mod frozen;
mod kinds;
mod network_model;
#[path = "../spiking_model/networks.rs"]
#[expect(dead_code, reason = "random networks are drawn elsewhere")]
mod networks;
mod on_chip;
mod plain;
mod random;
mod rates;
#[path = "../spiking_model/sides.rs"]
mod sides;
mod tools;

use network_model::NetworkModel;
use onward_net::Fires;
use onward_net::nir::{Imported, Options, ResetRule, read};
use testbench::nir_file::NirGraph;
use testbench::nir_model::{Convention, NirModel};

/// Numbers from 0 to 1, the same for the same seed.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Numbers from -1 to 1.
    pub(crate) fn weights(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| 2.0 * self.next() - 1.0).collect()
    }

    /// Numbers of a range.
    pub(crate) fn between(&mut self, count: usize, least: f64, greatest: f64) -> Vec<f64> {
        (0..count).map(|_| least + (greatest - least) * self.next()).collect()
    }
}

/// Time steps of one; all else as it comes.
pub(crate) fn options() -> Options {
    Options { time_step: 1.0, ..Options::default() }
}

pub(crate) fn import(graph: &NirGraph, options: &Options) -> Imported {
    read(&graph.to_bytes(), options).unwrap_or_else(|error| panic!("{error}\n{graph:#?}"))
}

/// What the model of the equations is told of options.
pub(crate) fn convention(options: &Options) -> Convention {
    Convention {
        fires_at: options.fires == Fires::At,
        subtracts: options.reset != ResetRule::AsGiven,
        is_late: options.reset == ResetRule::SubtractLate,
    }
}

/// Imports a graph, runs both models with random spikes and compares those of `last`; gives how many there were.
pub(crate) fn agree(graph: &NirGraph, last: &str, options: &Options) -> usize {
    const STEPS: usize = 40;
    let imported = import(graph, options);
    let mut expected = NirModel::new(graph, options.time_step, convention(options));
    let mut network = NetworkModel::new(&imported.network);
    let mut noise = Noise(7);
    let mut spikes = 0;
    for step in 0..STEPS {
        let size = imported.network.input().size() as usize;
        let input: Vec<f64> = (0..size).map(|_| if noise.next() < 0.4 { 1.0 } else { 0.0 }).collect();
        expected.step(&input);
        let found = network.step(&input);
        // Neurons that only copy are not late in this model, and neither is anything else.
        assert_eq!(found, expected.output(last), "step {step} of {graph:#?}\n{imported:#?}");
        spikes += found.iter().filter(|&&spike| spike > 0.0).count();
    }
    spikes
}
