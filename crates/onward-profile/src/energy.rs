//! Energy by category.

use crate::program::{Executed, executed};
use crate::routes::{RouteCost, sent};
use onward_chip::{Costs, Event, IdleCores, Range, ratio_of_sums};
use onward_emulate::Counters;
use onward_image::{Endpoint, Image};
use onward_isa::{Access, Cycles, Description, Energy as Class, Field, Operand, Space};
use std::collections::BTreeSet;
use std::ops::{Index, IndexMut};

macro_rules! categories {
    ($($(#[$doc:meta])* $category:ident $key:literal $title:literal,)*) => {
        /// What energy goes into.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Category {
            $($(#[$doc])* $category,)*
        }

        impl Category {
            /// Every category, in the order of their declaration.
            pub const ALL: &[Category] = &[$(Category::$category,)*];

            /// Its key in reports for machines.
            pub const fn key(self) -> &'static str {
                match self { $(Category::$category => $key,)* }
            }

            /// Its name in reports for people.
            pub const fn title(self) -> &'static str {
                match self { $(Category::$category => $title,)* }
            }
        }
    };
}

categories! {
    /// Fetch, decode and control of every instruction.
    Instructions "instructions" "instructions",
    /// Scalar operations beside their instructions.
    ScalarUnit "scalar_unit" "scalar unit",
    /// Elements of vector operations with their registers, random draws included.
    VectorUnit "vector_unit" "vector unit",
    /// Bits read from and written to synapse memories.
    SynapseMemory "synapse_memory" "synapse memory",
    /// Bits read from and written to neuron memories.
    NeuronMemory "neuron_memory" "neuron memory",
    /// Bits read from and written to axon memories.
    AxonMemory "axon_memory" "axon memory",
    /// Arrivals written into the active sets; active axons and payloads read from them.
    ActiveSet "active_set" "active set",
    /// Flits into the mesh, from router to router, and out of it, at cores.
    Network "network" "network",
    /// Flits through host ports, and bits over the configuration port since the image was loaded.
    Host "host" "host and configuration",
    /// The barriers that end steps, for each tile.
    Barrier "barrier" "barrier",
    /// The clock: its trunk and the routers in every cycle, cores that hold a block by what is clocked in them; 0 where no
    /// time was kept.
    Clock "clock" "clock",
    /// Leakage of routers, links and pads, and of each core that holds a block, over the emulated time; 0 where no time was
    /// kept.
    Leakage "leakage" "leakage",
    /// Leakage of cores without a block, and their clock where they are not switched off; 0 where no time was kept.
    IdleCores "idle_cores" "idle cores",
}

/// Joules by category. Index it with a [`Category`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Energy {
    joules: [f64; Category::ALL.len()],
}

impl Index<Category> for Energy {
    type Output = f64;

    fn index(&self, category: Category) -> &f64 {
        &self.joules[category as usize]
    }
}

impl IndexMut<Category> for Energy {
    fn index_mut(&mut self, category: Category) -> &mut f64 {
        &mut self.joules[category as usize]
    }
}

/// Adds up costs in picojoules.
struct Bill<'a> {
    costs: &'a Costs,
    picojoules: Energy,
}

impl Bill<'_> {
    fn charge(&mut self, category: Category, event: Event, times: u64) {
        self.picojoules[category] += self.costs[event] * times as f64;
    }
}

impl Category {
    /// Whether it is known only where time was kept.
    pub const fn needs_time(self) -> bool {
        matches!(self, Category::Clock | Category::Leakage | Category::IdleCores)
    }
}

impl Energy {
    /// The energy of what the counters counted, in joules.
    ///
    /// # Panics
    /// If the counters are of another image.
    pub fn of(image: &Image, counters: &Counters, costs: &Costs) -> Energy {
        let mut bill = Bill { costs, picojoules: Energy::default() };
        charge_instructions(&mut bill, image, counters);
        charge_network(&mut bill, image, counters);
        bill.charge(Category::Barrier, Event::BarrierPerTile, counters.steps * image.chip.mesh.tiles() as u64);
        bill.charge(Category::Host, Event::HostConfigurationPerBit, counters.configuration_bits);
        charge_time(&mut bill, image, counters);
        Energy { joules: bill.picojoules.joules.map(|picojoules| picojoules * 1e-12) }
    }

    /// All of it, in joules.
    pub fn total(&self) -> f64 {
        self.joules.iter().sum()
    }

    /// How many times the energy of another run of the same technology this is, when each category may be off by the
    /// technology's factor either way, in both runs alike.
    pub fn times(&self, other: &Energy, uncertainty: f64) -> Range {
        ratio_of_sums(&self.joules, &other.joules, uncertainty)
    }

    /// Categories with their joules, in the order of [`Category::ALL`].
    pub fn categories(&self) -> impl Iterator<Item = (Category, f64)> {
        Category::ALL.iter().copied().zip(self.joules)
    }
}

/// The clock and leakage, which take time.
fn charge_time(bill: &mut Bill, image: &Image, counters: &Counters) {
    let Some(timing) = &counters.timing else { return };
    let mesh = &image.chip.mesh;
    let used = image.blocks.iter().map(|block| block.core).collect::<BTreeSet<_>>().len() as u64;
    let idle = (mesh.cores() as u64).saturating_sub(used);
    bill.charge(Category::Clock, Event::TileCycle, timing.cycles * mesh.tiles() as u64);
    bill.charge(Category::Clock, Event::CoreCycle, timing.cycles * used);
    let computing: u64 = counters.blocks.iter().map(|block| block.cycles).sum();
    let flits = |(from, packets, route): (Endpoint, u64, RouteCost)| match from {
        Endpoint::Core(_) => packets * route.flits,
        Endpoint::Host(_) => 0,
    };
    let sending: u64 = sent(image, counters).into_iter().map(flits).sum();
    bill.charge(Category::Clock, Event::RunningCycle, computing + sending + timing.stalls);
    for executed in counters.blocks.iter().flat_map(|block| executed(image, block)) {
        bill.charge(Category::Clock, Event::LaneCycle, executed.elements * lane_cycles(&executed));
    }
    if bill.costs.idle_cores == IdleCores::Clocked {
        bill.charge(Category::IdleCores, Event::CoreCycle, timing.cycles * idle);
    }
    let seconds = timing.cycles as f64 / image.chip.clock_hz as f64;
    let leakage = &bill.costs.leakage;
    // A watt-second is 1e12 pJ.
    let leaking = leakage.rest_w + used as f64 * leakage.core_w;
    bill.picojoules[Category::Leakage] += leaking * seconds * 1e12;
    bill.picojoules[Category::IdleCores] += idle as f64 * leakage.idle_core_w * seconds * 1e12;
}

/// Cycles that an element of an instruction keeps its lane busy (I6 to I9); 0 of what does not go through lanes.
fn lane_cycles(executed: &Executed) -> u64 {
    match executed.instruction.op.description().cycles {
        Cycles::Vector | Cycles::Reduce | Cycles::Element => 1,
        Cycles::VectorMemory => {
            let port = match executed.instruction.space {
                Space::Neuron | Space::Event => 32,
                Space::Axon | Space::Synapse => 16,
            };
            u64::from(executed.instruction.width.bits()).div_ceil(port)
        }
        _ => 0,
    }
}

/// Vector registers an instruction reads and writes for each element. A store reads what it stores; what adds to its
/// destination says so on the right of its notation.
fn register_uses(description: &Description) -> (u64, u64) {
    let is_store = matches!(description.access, Access::Write);
    let added_to = description.semantics.split_once('=').is_some_and(|(_, right)| right.contains("vd"));
    let (mut reads, mut writes) = (0, 0);
    for operand in description.operands {
        match operand {
            Operand::Vector(Field::D) if is_store => reads += 1,
            Operand::Vector(Field::D) => {
                writes += 1;
                reads += u64::from(added_to);
            }
            Operand::Vector(_) => reads += 1,
            _ => {}
        }
    }
    (reads, writes)
}

/// Instructions with what they compute and the memory they touch.
fn charge_instructions(bill: &mut Bill, image: &Image, counters: &Counters) {
    let dispatches = counters.blocks.iter().map(|block| block.steps).sum();
    bill.charge(Category::Instructions, Event::Dispatch, dispatches);
    for executed in counters.blocks.iter().flat_map(|block| executed(image, block)) {
        let (executions, elements) = (executed.executions, executed.elements);
        bill.charge(Category::Instructions, Event::InstructionFetch, executions);
        bill.charge(Category::ActiveSet, Event::EventPop, executed.events);
        let description = executed.instruction.op.description();
        match description.energy {
            Class::None => {}
            Class::Scalar => bill.charge(Category::ScalarUnit, Event::ScalarOperation, executions),
            Class::ScalarMultiply => bill.charge(Category::ScalarUnit, Event::ScalarMultiply, executions),
            Class::VectorAdd => bill.charge(Category::VectorUnit, Event::VectorAdd, elements),
            Class::VectorMultiply => bill.charge(Category::VectorUnit, Event::VectorMultiply, elements),
            Class::VectorRandom => bill.charge(Category::VectorUnit, Event::RandomDraw, elements),
        }
        let (reads, writes) = register_uses(description);
        bill.charge(Category::VectorUnit, Event::RegisterRead, reads * elements);
        bill.charge(Category::VectorUnit, Event::RegisterWrite, writes * elements);
        if description.cycles == Cycles::Reduce {
            bill.charge(Category::VectorUnit, Event::Reduction, elements);
        }
        if let Some(width) = description.updates {
            let bits = executed.accesses() * u64::from(width);
            bill.charge(Category::NeuronMemory, Event::NeuronReadPerBit, bits);
            bill.charge(Category::NeuronMemory, Event::NeuronWritePerBit, bits);
        }
        let (category, read, write) = match executed.instruction.space {
            Space::Synapse => (Category::SynapseMemory, Event::SynapseReadPerBit, Event::SynapseWritePerBit),
            Space::Neuron => (Category::NeuronMemory, Event::NeuronReadPerBit, Event::NeuronWritePerBit),
            Space::Axon => (Category::AxonMemory, Event::AxonReadPerBit, Event::AxonWritePerBit),
            Space::Event => {
                // Payloads are not read by the bit.
                if description.access == Access::Read {
                    bill.charge(Category::ActiveSet, Event::EventPop, executed.accesses());
                }
                continue;
            }
        };
        let bits = executed.accesses() * u64::from(executed.instruction.width.bits());
        if matches!(description.access, Access::Read | Access::Update) {
            bill.charge(category, read, bits);
        }
        if matches!(description.access, Access::Write | Access::Update) {
            bill.charge(category, write, bits);
        }
    }
}

/// Packets on their way through mesh and host ports.
fn charge_network(bill: &mut Bill, image: &Image, counters: &Counters) {
    for (from, packets, route) in sent(image, counters) {
        let flits = packets * route.flits;
        match from {
            Endpoint::Core(_) => bill.charge(Category::Network, Event::FlitInjection, flits),
            Endpoint::Host(_) => bill.charge(Category::Host, Event::HostFlit, flits),
        }
        bill.charge(Category::Network, Event::FlitHop, packets * route.hops);
        bill.charge(Category::Network, Event::TreeLookup, packets * route.lookups);
        bill.charge(Category::Network, Event::ChipCrossing, packets * route.crossings);
        bill.charge(Category::Network, Event::FlitEjection, packets * route.to_cores);
        bill.charge(Category::ActiveSet, Event::EventWrite, packets * route.to_cores);
        bill.charge(Category::Host, Event::HostFlit, packets * route.to_host);
    }
}
