//! What is measured of a run or a part of it: whole numbers and energy, which add up exactly.

use crate::energy::{Category, Energy};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::ops::{AddAssign, Index, IndexMut};

macro_rules! measures {
    ($($(#[$doc:meta])* $measure:ident $key:literal $title:literal,)*) => {
        /// A number that is counted of each part of a run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Measure {
            $($(#[$doc])* $measure,)*
        }

        impl Measure {
            /// Every measure, in the order of their declaration.
            pub const ALL: &[Measure] = &[$(Measure::$measure,)*];

            /// Its key in reports for machines, and its name on the command line.
            pub const fn key(self) -> &'static str {
                match self { $(Measure::$measure => $key,)* }
            }

            /// Its name in reports for people.
            pub const fn title(self) -> &'static str {
                match self { $(Measure::$measure => $title,)* }
            }
        }
    };
}

measures! {
    /// Cycles in which a core executed instructions or dispatched a block: those of the five units below together.
    ComputingCycles "computing_cycles" "computing",
    /// Cycles in which a core sent a flit.
    SendingCycles "sending_cycles" "sending",
    /// Cycles in which a core had a flit that the network did not accept.
    StalledCycles "stalled_cycles" "stalled",
    /// Cycles in which a core was done with its step, and others or flits were not.
    WaitingCycles "waiting_cycles" "waiting",
    /// Cycles of barriers, for each core.
    BarrierCycles "barrier_cycles" "barrier",
    /// Cycles of steps in which a core had nothing to do, barriers left out.
    IdleCycles "idle_cycles" "idle",
    /// Computing cycles of scalar instructions, branches, loops, sends without their flits, and dispatches.
    SequencerCycles "sequencer_cycles" "sequencer",
    /// Computing cycles of vector instructions that touch no memory.
    VectorCycles "vector_cycles" "vector unit",
    /// Computing cycles of vector instructions that read or write synapse memory.
    SynapsePortCycles "synapse_port_cycles" "synapse memory port",
    /// Computing cycles of vector instructions that read or write neuron memory.
    NeuronPortCycles "neuron_port_cycles" "neuron memory port",
    /// Computing cycles of vector instructions that read or write axon memory, or read payloads.
    AxonPortCycles "axon_port_cycles" "axon memory port",
    /// Instructions executed.
    Instructions "instructions" "instructions",
    /// Elements that vector instructions computed or moved.
    Elements "elements" "elements",
    /// Elements of synapse memory read.
    SynapseReads "synapse_reads" "synapse reads",
    /// Elements of synapse memory written.
    SynapseWrites "synapse_writes" "synapse writes",
    /// Elements of neuron memory read.
    NeuronReads "neuron_reads" "neuron reads",
    /// Elements of neuron memory written.
    NeuronWrites "neuron_writes" "neuron writes",
    /// Elements of axon memory read.
    AxonReads "axon_reads" "axon reads",
    /// Elements of axon memory written.
    AxonWrites "axon_writes" "axon writes",
    /// Synapses that spikes reached: spikes times fan-out. NeuroBench calls them effective synaptic operations; weights that
    /// are 0 are among them here.
    SynapticEvents "synaptic_events" "synaptic events",
    /// Synapses that would have been reached if every axon had been active in each step of a window: NeuroBench's dense
    /// operations. 0 of systems in assembly, whose synapses are not known.
    DenseEvents "dense_synaptic_events" "dense events",
    /// Elements of synapse memory that were read with synapses and are none.
    HaloReads "halo_reads" "halo reads",
    /// Weights written by learning: elements written to synapse memory.
    SynapticUpdates "synaptic_updates" "synaptic updates",
    /// Times a neuron was brought forward a step.
    NeuronUpdates "neuron_updates" "neuron updates",
    /// Spikes that neurons fired.
    Spikes "spikes" "spikes",
    /// Packets sent to someone.
    Packets "packets" "packets",
    /// Flits that carried them into the mesh.
    Flits "flits" "flits",
    /// Links between routers that they crossed.
    Hops "hops" "hops",
    /// Those of them that led to another chip.
    Crossings "crossings" "crossings",
    /// Results that were saturated.
    Saturations "saturations" "saturations",
}

/// All measures of a part, and its energy. Index it with a [`Measure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measures {
    counts: [u64; Measure::ALL.len()],
    /// Its energy.
    pub energy: Energy,
}

impl Default for Measures {
    fn default() -> Measures {
        Measures { counts: [0; Measure::ALL.len()], energy: Energy::default() }
    }
}

impl Index<Measure> for Measures {
    type Output = u64;

    fn index(&self, measure: Measure) -> &u64 {
        &self.counts[measure as usize]
    }
}

impl IndexMut<Measure> for Measures {
    fn index_mut(&mut self, measure: Measure) -> &mut u64 {
        &mut self.counts[measure as usize]
    }
}

impl AddAssign<&Measures> for Measures {
    fn add_assign(&mut self, other: &Measures) {
        self.counts.iter_mut().zip(other.counts).for_each(|(to, from)| *to += from);
        self.energy += other.energy;
    }
}

/// Energy, and nothing else that was measured.
impl From<Energy> for Measures {
    fn from(energy: Energy) -> Measures {
        Measures { energy, ..Measures::default() }
    }
}

impl Measures {
    /// Cycles in which a core computed, sent or waited for the network.
    pub fn busy(&self) -> u64 {
        self[Measure::ComputingCycles] + self[Measure::SendingCycles] + self[Measure::StalledCycles]
    }

    /// Share of neurons that did not fire, over all neurons and steps: NeuroBench's activation sparsity. `None` where no neuron
    /// was brought forward.
    pub fn activation_sparsity(&self) -> Option<f64> {
        let updates = self[Measure::NeuronUpdates];
        (updates > 0).then(|| 1.0 - self[Measure::Spikes] as f64 / updates as f64)
    }
}

/// The measures that are not 0, by their keys, and `energy_j`, `energy_by_category_j`.
impl Serialize for Measures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for &measure in Measure::ALL.iter().filter(|&&measure| self[measure] > 0) {
            map.serialize_entry(measure.key(), &self[measure])?;
        }
        map.serialize_entry("energy_j", &self.energy.total())?;
        map.serialize_entry("energy_by_category_j", &ByCategory(&self.energy))?;
        map.end()
    }
}

/// The categories that are not 0, by their keys.
struct ByCategory<'a>(&'a Energy);

impl Serialize for ByCategory<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let categories = self.0.categories().filter(|(_, joules)| *joules > 0.0);
        serializer.collect_map(categories.map(|(category, joules): (Category, f64)| (category.key(), joules)))
    }
}

/// Parts of `whole` in proportion to `weights`, which add up to it: each is rounded down, and what is left goes to those that
/// lost most, the first of equal ones. Where all weights are 0, the first takes all.
pub(crate) fn apportion(whole: u64, weights: &[u64]) -> Vec<u64> {
    let sum = weights.iter().map(|&weight| u128::from(weight)).sum::<u128>();
    let mut parts = vec![0; weights.len()];
    if sum == 0 {
        if let Some(first) = parts.first_mut() {
            *first = whole;
        }
        return parts;
    }
    let exact = |weight: u64| (u128::from(whole) * u128::from(weight), sum);
    let mut lost: Vec<(std::cmp::Reverse<u128>, usize)> = Vec::new();
    for (at, (part, &weight)) in parts.iter_mut().zip(weights).enumerate() {
        let (numerator, sum) = exact(weight);
        *part = (numerator / sum) as u64;
        lost.push((std::cmp::Reverse(numerator % sum), at));
    }
    lost.sort_unstable();
    let left = whole - parts.iter().sum::<u64>();
    for &(_, at) in lost.iter().take(left as usize) {
        parts[at] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_proportion_add_up() {
        assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(apportion(7, &[0, 5, 2]), [0, 5, 2]);
        assert_eq!(apportion(5, &[0, 0]), [5, 0]);
        assert_eq!(apportion(u64::MAX, &[u64::MAX, 1]).iter().sum::<u64>(), u64::MAX);
        assert_eq!(apportion(3, &[]), Vec::<u64>::new());
    }
}
