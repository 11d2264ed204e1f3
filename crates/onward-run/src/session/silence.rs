//! Neurons that never fire: what they would have learned is lost.

use super::host::{Shown, Teaching};
use super::{Session, SessionError};
use crate::data::Samples;
use onward_emulate::{Machine, Options};
use onward_image::{BlockIndex, Image, PopulationIndex};
use onward_profile::SilentNeurons;
use std::ops::ControlFlow;

/// Samples that a neuron must fire for, one of them at least, to count as alive.
pub const SILENCE_SAMPLES: usize = 200;

/// The silent neurons of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The layer.
    pub layer: String,
    /// Its neurons.
    pub neurons: usize,
    /// Those that fire for none of the first [`SILENCE_SAMPLES`] samples.
    pub silent: usize,
}

/// Two counts of the same layers, before and after learning.
pub fn silent_neurons(before: Vec<Silence>, after: Vec<Silence>) -> Vec<SilentNeurons> {
    let pair = |(before, after): (Silence, Silence)| SilentNeurons {
        layer: before.layer,
        neurons: before.neurons,
        before: before.silent,
        after: after.silent,
    };
    before.into_iter().zip(after).map(pair).collect()
}

/// The silent neurons of each layer that learns, with the weights that the image holds. A machine of its own is shown the
/// samples, one by one; what the run's machine has counted stays as it is.
///
/// # Errors
/// See [`SessionError`].
pub fn silence(image: &Image, samples: &Samples, seed: u64) -> Result<Vec<Silence>, SessionError> {
    let machine = Machine::new(image, Options { seed, timing: false, threads: 1 })?;
    let mut session = Session::with(image, Box::new(machine))?;
    let blocks = image.network.learners().flat_map(|(layer, _)| image.blocks_of(layer));
    let mut fired: Vec<(BlockIndex, PopulationIndex, Vec<bool>)> =
        blocks.map(|(number, block)| (number, block.population, vec![false; block.neurons as usize])).collect();
    for sample in 0..samples.len().min(SILENCE_SAMPLES) {
        session.show_one(samples, sample)?;
        for (block, _, fired) in &mut fired {
            let counts = session.machine.peek(*block, "count").unwrap_or_default();
            fired.iter_mut().zip(counts).for_each(|(fired, count)| *fired |= count > 0);
        }
    }
    let of_layer = image.network.learners().map(|(number, layer)| {
        let blocks = fired.iter().filter(|(_, population, _)| *population == number);
        let silent = blocks.map(|(.., fired)| fired.iter().filter(|&&fired| !fired).count()).sum();
        Silence { layer: layer.name.clone(), neurons: layer.neurons as usize, silent }
    });
    Ok(of_layer.collect())
}

impl Session {
    /// Shows a sample and waits until the network rests; nothing is learned.
    fn show_one(&mut self, samples: &Samples, sample: usize) -> Result<(), SessionError> {
        let shown = Shown { samples, order: &[sample as u32], teaching: Teaching::None };
        self.play(&shown, &mut |_| ControlFlow::Continue(()), &mut |_| {}).map(drop)
    }
}
