//! What happens on a chip and costs energy.

use serde::Serialize;
use std::ops::{AddAssign, Index};

macro_rules! events {
    ($($(#[$doc:meta])* $event:ident $name:literal,)*) => {
        /// What happens on a chip and costs energy. A clocked cycle is an event as well.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Event {
            $($(#[$doc])* $event,)*
        }

        impl Event {
            /// Every event, in the order of their declaration.
            pub const ALL: &[Event] = &[$(Event::$event,)*];

            /// The event's key in reports for machines.
            pub const fn name(self) -> &'static str {
                match self { $(Event::$event => $name,)* }
            }
        }
    };
}

events! {
    /// An instruction: its word is read, decoded, and control goes on.
    InstructionFetch "instruction_fetch",
    /// The dispatch of a block: its entry is read, its registers are cleared.
    Dispatch "dispatch",
    /// A scalar addition, comparison, shift or the like with its registers, beside the instruction.
    ScalarOperation "scalar_operation",
    /// A scalar 32-bit multiplication with its registers, beside the instruction.
    ScalarMultiply "scalar_multiply",
    /// An element read from a vector register.
    RegisterRead "register_read",
    /// An element written to a vector register.
    RegisterWrite "register_write",
    /// An element of a vector addition, subtraction, comparison, minimum, maximum, selection, shift.
    VectorAdd "vector_add",
    /// An element of a vector 32-bit multiplication.
    VectorMultiply "vector_multiply",
    /// An element of a vector operation that draws random bits.
    RandomDraw "random_draw",
    /// An element through the reduction tree.
    Reduction "reduction",
    /// A bit read from synapse memory.
    SynapseReadPerBit "synapse_read_per_bit",
    /// A bit written to synapse memory.
    SynapseWritePerBit "synapse_write_per_bit",
    /// A bit read from neuron memory.
    NeuronReadPerBit "neuron_read_per_bit",
    /// A bit written to neuron memory.
    NeuronWritePerBit "neuron_write_per_bit",
    /// A bit read from axon memory.
    AxonReadPerBit "axon_read_per_bit",
    /// A bit written to axon memory.
    AxonWritePerBit "axon_write_per_bit",
    /// An active axon, with its payload, read from the active set.
    EventPop "event_pop",
    /// A packet's arrival written into the active set.
    EventWrite "event_write",
    /// A flit from a core into its router, with the read of its route.
    FlitInjection "flit_injection",
    /// A flit out of a router's buffer, over a link, into the buffer of the next router.
    FlitHop "flit_hop",
    /// A flit from a router to its core.
    FlitEjection "flit_ejection",
    /// A multicast flit finds its tree in a router's table.
    TreeLookup "tree_lookup",
    /// A flit over a link to another chip, on top of its hop.
    ChipCrossing "chip_crossing",
    /// A flit through a host port, in or out of the chip.
    HostFlit "host_flit",
    /// A tile's part of the barrier that ends a step.
    BarrierPerTile "barrier_per_tile",
    /// A bit that the host writes or reads over the configuration port while the chip stands.
    HostConfigurationPerBit "host_configuration_per_bit",
    /// A cycle of the clock in a tile's router, its part of the clock tree, and the barrier.
    TileCycle "tile_cycle",
    /// A cycle of the clock in a core that is on, whether it runs or waits.
    CoreCycle "core_cycle",
    /// A cycle in which a core runs, on top of that.
    RunningCycle "running_cycle",
    /// A cycle in which a lane computes, on top of that.
    LaneCycle "lane_cycle",
}

/// What each event costs on one chip, pJ. Index it with an [`Event`].
#[derive(Clone, Debug, PartialEq)]
pub struct EventCosts {
    /// In the order of [`Event::ALL`].
    picojoules: [f64; Event::ALL.len()],
}

impl Default for EventCosts {
    fn default() -> Self {
        EventCosts { picojoules: [0.0; Event::ALL.len()] }
    }
}

impl EventCosts {
    /// Adds what a part spends in an event, pJ.
    pub(crate) fn add(&mut self, event: Event, picojoules: f64) {
        self.picojoules[event as usize] += picojoules;
    }

    /// Events with what they cost, pJ.
    pub fn iter(&self) -> impl Iterator<Item = (Event, f64)> {
        Event::ALL.iter().copied().zip(self.picojoules)
    }
}

impl AddAssign<&EventCosts> for EventCosts {
    fn add_assign(&mut self, other: &EventCosts) {
        for (sum, more) in self.picojoules.iter_mut().zip(other.picojoules) {
            *sum += more;
        }
    }
}

impl Index<Event> for EventCosts {
    type Output = f64;

    fn index(&self, event: Event) -> &f64 {
        &self.picojoules[event as usize]
    }
}
