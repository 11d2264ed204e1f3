//! What a network did, in the field's words.

use crate::program::{Executed, executed};
use crate::routes::sent;
use crate::traffic::traffic;
use onward_emulate::Counters;
use onward_image::{Block, BlockIndex, Image, PopulationKind};
use onward_isa::{Access, Op, Space};
use serde::Serialize;

/// Sums over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// Synapses that spikes reached: spikes times fan-out, however the network lies on the chip. Of programs whose image does
    /// not know fan-outs it is the elements of synapse memory read in the body of a `foreach`.
    pub synaptic_events: u64,
    /// Elements of synapse memory that were read with them and are no synapse: what kernels add beyond the edge of a block's
    /// plane, or between dilated taps, and rows of lists that have no pair.
    pub halo_reads: u64,
    /// Weights written by learning: elements written to synapse memory.
    pub synaptic_updates: u64,
    /// Times a neuron was brought forward a step: elements of the comparison that a `spike` sends the outcome of.
    pub neuron_updates: u64,
    /// Spikes that neurons fired, whether anyone takes them or not. Input spikes are not among them.
    pub spikes: u64,
    /// Packets that cores and host sent to someone.
    pub packets: u64,
    /// Flits that carried them into the mesh: one a packet and multicast tree, or taker.
    pub flits: u64,
    /// Links between routers that they crossed.
    pub hops: u64,
    /// Those of them that led to another chip of an array.
    pub crossings: u64,
    /// Results that were saturated.
    pub saturations: u64,
}

impl Activity {
    /// What the counters say.
    ///
    /// # Panics
    /// If the counters are of another image.
    pub fn of(image: &Image, counters: &Counters) -> Activity {
        let mut sum = Activity::default();
        for block in &counters.blocks {
            sum.saturations += block.saturated;
            let relays = image.population(&image.blocks[block.block]).kind == PopulationKind::Relay;
            // By predicate, the elements of the last comparison that set it.
            let mut compared = [0; 4];
            let (mut reads, of_block) = (0, &image.blocks[block.block]);
            for executed in executed(image, block) {
                let (op, space) = (executed.instruction.op, executed.instruction.space);
                match op.description().access {
                    Access::Read if space == Space::Synapse && executed.in_foreach => {
                        reads += executed.accesses();
                    }
                    Access::Write | Access::Update if space == Space::Synapse => {
                        sum.synaptic_updates += executed.accesses();
                    }
                    _ => {}
                }
                if matches!(op, Op::Vcge | Op::Vcges) {
                    compared[usize::from(executed.instruction.d & 3)] = executed.elements;
                }
                // What a pool or a delay passes on was fired before, and what goes back to the layer itself is a spike already.
                if op == Op::Spike && !relays && !is_own(of_block, &executed) {
                    sum.neuron_updates += compared[usize::from(executed.instruction.a & 3)];
                    sum.spikes += executed.elements;
                }
            }
            if of_block.fan_outs.is_empty() {
                sum.synaptic_events += reads;
            } else {
                sum.synaptic_events += block.synapses;
                sum.halo_reads += reads.saturating_sub(block.synapses);
            }
        }
        for (_, packets, route) in sent(image, counters) {
            sum.packets += if route.flits > 0 { packets } else { 0 };
            sum.flits += packets * route.flits;
            sum.hops += packets * route.hops;
            sum.crossings += packets * route.crossings;
        }
        sum
    }
}

/// Whether an instruction sends spikes of a layer to the layer itself, which another has sent to all who take them.
pub(crate) fn is_own(block: &Block, executed: &Executed) -> bool {
    let route = block.routes.get(executed.instruction.imm as usize);
    route.is_some_and(|route| route.name == "own") && block.routes.iter().any(|route| route.name == "spikes")
}

/// What the blocks of one population did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PopulationActivity {
    /// Spikes that its neurons fired.
    pub spikes: u64,
    /// Results that were saturated.
    pub saturations: u64,
}

impl PopulationActivity {
    /// What the counters say of the population of this name.
    ///
    /// # Panics
    /// If the counters are of another image.
    pub fn of(image: &Image, counters: &Counters, name: &str) -> PopulationActivity {
        let traffic = traffic(image, counters);
        let sent = traffic.blocks.iter().filter(|block| block.population == name);
        let is_its = |block: BlockIndex| image.population(&image.blocks[block]).name == name;
        let counted = counters.blocks.iter().filter(|counted| is_its(counted.block));
        PopulationActivity {
            spikes: sent.filter_map(|block| block.packets("spikes")).sum(),
            saturations: counted.map(|counted| counted.saturated).sum(),
        }
    }
}
