//! Energy by category.

use crate::program::{Executed, executed};
use crate::routes::{RouteCost, sent};
use onward_chip::{Costs, Event, IdleCores, Range, ratio_of_sums};
use onward_emulate::Counters;
use onward_image::{Endpoint, Image};
use onward_isa::{Access, Cycles, Description, Energy as Class, Field, Operand, Space};
use std::collections::BTreeSet;
use std::ops::AddAssign;

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

/// Yoctojoules in a joule. Energies are whole numbers of them, so that parts add up to the whole exactly, in whatever order: a
/// femtojoule is 10^9 of them, and 2^128 of them are 3 * 10^14 J.
const YOCTOJOULES: f64 = 1e24;
/// The same in a picojoule, in which costs are given.
const YOCTOJOULES_IN_PICOJOULE: f64 = 1e12;

/// Energy by category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Energy {
    yoctojoules: [u128; Category::ALL.len()],
}

impl AddAssign for Energy {
    fn add_assign(&mut self, other: Energy) {
        self.yoctojoules.iter_mut().zip(other.yoctojoules).for_each(|(to, from)| *to += from);
    }
}

/// Charges events to categories.
pub(crate) struct Bill<'a> {
    costs: &'a Costs,
    pub energy: Energy,
}

impl<'a> Bill<'a> {
    /// Nothing yet.
    pub fn new(costs: &'a Costs) -> Bill<'a> {
        Bill { costs, energy: Energy::default() }
    }

    fn charge(&mut self, category: Category, event: Event, times: u64) {
        self.charge_picojoules(category, self.costs[event], times);
    }

    /// Each of `times` is rounded to yoctojoules, and not their sum, so that it does not matter how they are counted together.
    fn charge_picojoules(&mut self, category: Category, picojoules: f64, times: u64) {
        let each = (picojoules * YOCTOJOULES_IN_PICOJOULE).round() as u128;
        self.energy.yoctojoules[category as usize] += each * u128::from(times);
    }
}

impl Category {
    /// Whether it is known only where time was kept.
    pub const fn needs_time(self) -> bool {
        matches!(self, Category::Clock | Category::Leakage | Category::IdleCores)
    }
}

impl Energy {
    /// The energy of what the counters counted.
    ///
    /// # Panics
    /// If the counters are of another image.
    pub fn of(image: &Image, counters: &Counters, costs: &Costs) -> Energy {
        let mut bill = Bill::new(costs);
        let timed = counters.timing.is_some();
        for block in &counters.blocks {
            bill.dispatch(block.steps);
            executed(image, block).for_each(|executed| bill.executed(&executed, timed));
        }
        for (from, packets, route) in sent(image, counters) {
            bill.packets(from, packets, &route, timed);
        }
        let used = cores_used(image);
        if let Some(timing) = &counters.timing {
            let computing: u64 = counters.blocks.iter().map(|block| block.cycles).sum();
            bill.running(computing + timing.stalls);
            bill.cores(used, timing.cycles, image.chip.clock_hz);
            bill.idle_cores((image.chip.mesh.cores() as u64).saturating_sub(used), timing.cycles, image.chip.clock_hz);
        }
        bill.chip(image, counters.steps, counters.timing.map(|timing| timing.cycles));
        bill.configuration(counters.configuration_bits);
        bill.energy
    }

    /// Energy of one category, in joules.
    pub fn joules(&self, category: Category) -> f64 {
        self.yoctojoules[category as usize] as f64 / YOCTOJOULES
    }

    /// All of it, in joules.
    pub fn total(&self) -> f64 {
        self.yoctojoules.iter().sum::<u128>() as f64 / YOCTOJOULES
    }

    /// How many times the energy of another run of the same technology this is, when each category may be off by the
    /// technology's factor either way, in both runs alike.
    pub fn times(&self, other: &Energy, uncertainty: f64) -> Range {
        let [one, other] =
            [self, other].map(|energy| energy.categories().map(|(_, joules)| joules).collect::<Vec<_>>());
        ratio_of_sums(&one, &other, uncertainty)
    }

    /// Categories with their joules, in the order of [`Category::ALL`].
    pub fn categories(&self) -> impl Iterator<Item = (Category, f64)> + use<> {
        let energy = *self;
        Category::ALL.iter().map(move |&category| (category, energy.joules(category)))
    }
}

/// Cores that hold a block.
pub(crate) fn cores_used(image: &Image) -> u64 {
    image.blocks.iter().map(|block| block.core).collect::<BTreeSet<_>>().len() as u64
}

/// What is charged for what was counted. Each is linear in what it is given.
impl Bill<'_> {
    /// Dispatches of blocks.
    pub fn dispatch(&mut self, times: u64) {
        self.charge(Category::Instructions, Event::Dispatch, times);
    }

    /// Cycles in which cores run, whatever they do in them; a cycle for each flit is in [`Bill::packets`].
    pub fn running(&mut self, cycles: u64) {
        self.charge(Category::Clock, Event::RunningCycle, cycles);
    }

    /// Clock and leakage of so many cores that hold a block, over so many cycles each.
    pub fn cores(&mut self, cores: u64, cycles: u64, clock_hz: u64) {
        self.charge(Category::Clock, Event::CoreCycle, cores * cycles);
        let leakage = picojoules_in_cycle(self.costs.leakage.core_w, clock_hz);
        self.charge_picojoules(Category::Leakage, leakage, cores * cycles);
    }

    /// The same of cores without a block.
    pub fn idle_cores(&mut self, cores: u64, cycles: u64, clock_hz: u64) {
        if self.costs.idle_cores == IdleCores::Clocked {
            self.charge(Category::IdleCores, Event::CoreCycle, cores * cycles);
        }
        let leakage = picojoules_in_cycle(self.costs.leakage.idle_core_w, clock_hz);
        self.charge_picojoules(Category::IdleCores, leakage, cores * cycles);
    }

    /// What is no core's: barriers of so many steps, and where time was kept the tiles' clock and all other leakage over so many
    /// cycles.
    pub fn chip(&mut self, image: &Image, steps: u64, cycles: Option<u64>) {
        let tiles = image.chip.mesh.tiles() as u64;
        self.charge(Category::Barrier, Event::BarrierPerTile, steps * tiles);
        if let Some(cycles) = cycles {
            self.charge(Category::Clock, Event::TileCycle, cycles * tiles);
            let leakage = picojoules_in_cycle(self.costs.leakage.rest_w, image.chip.clock_hz);
            self.charge_picojoules(Category::Leakage, leakage, cycles);
        }
    }

    /// Bits over the configuration port.
    pub fn configuration(&mut self, bits: u64) {
        self.charge(Category::Host, Event::HostConfigurationPerBit, bits);
    }
}

/// What a leakage comes to in a cycle. A watt-second is 1e12 pJ.
fn picojoules_in_cycle(watts: f64, clock_hz: u64) -> f64 {
    watts / clock_hz as f64 * 1e12
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

impl Bill<'_> {
    /// An instruction with what it computes and the memory it touches; its lanes are clocked where time was kept.
    pub fn executed(&mut self, executed: &Executed, timed: bool) {
        let (executions, elements) = (executed.executions, executed.elements);
        self.charge(Category::Instructions, Event::InstructionFetch, executions);
        self.charge(Category::ActiveSet, Event::EventPop, executed.events);
        if timed {
            self.charge(Category::Clock, Event::LaneCycle, elements * lane_cycles(executed));
        }
        let description = executed.instruction.op.description();
        match description.energy {
            Class::None => {}
            Class::Scalar => self.charge(Category::ScalarUnit, Event::ScalarOperation, executions),
            Class::ScalarMultiply => self.charge(Category::ScalarUnit, Event::ScalarMultiply, executions),
            Class::VectorAdd => self.charge(Category::VectorUnit, Event::VectorAdd, elements),
            Class::VectorMultiply => self.charge(Category::VectorUnit, Event::VectorMultiply, elements),
            Class::VectorRandom => self.charge(Category::VectorUnit, Event::RandomDraw, elements),
        }
        let (reads, writes) = register_uses(description);
        self.charge(Category::VectorUnit, Event::RegisterRead, reads * elements);
        self.charge(Category::VectorUnit, Event::RegisterWrite, writes * elements);
        if description.cycles == Cycles::Reduce {
            self.charge(Category::VectorUnit, Event::Reduction, elements);
        }
        if let Some(width) = description.updates {
            let bits = executed.accesses() * u64::from(width);
            self.charge(Category::NeuronMemory, Event::NeuronReadPerBit, bits);
            self.charge(Category::NeuronMemory, Event::NeuronWritePerBit, bits);
        }
        let (category, read, write) = match executed.instruction.space {
            Space::Synapse => (Category::SynapseMemory, Event::SynapseReadPerBit, Event::SynapseWritePerBit),
            Space::Neuron => (Category::NeuronMemory, Event::NeuronReadPerBit, Event::NeuronWritePerBit),
            Space::Axon => (Category::AxonMemory, Event::AxonReadPerBit, Event::AxonWritePerBit),
            Space::Event => {
                // Payloads are not read by the bit.
                if description.access == Access::Read {
                    self.charge(Category::ActiveSet, Event::EventPop, executed.accesses());
                }
                return;
            }
        };
        let bits = executed.accesses() * u64::from(executed.instruction.width.bits());
        if matches!(description.access, Access::Read | Access::Update) {
            self.charge(category, read, bits);
        }
        if matches!(description.access, Access::Write | Access::Update) {
            self.charge(category, write, bits);
        }
    }

    /// Packets on their way through mesh and host ports; a core that sends them runs for a cycle a flit.
    pub fn packets(&mut self, from: Endpoint, packets: u64, route: &RouteCost, timed: bool) {
        let flits = packets * route.flits;
        match from {
            Endpoint::Core(_) => {
                self.charge(Category::Network, Event::FlitInjection, flits);
                self.running(if timed { flits } else { 0 });
            }
            Endpoint::Host(_) => self.charge(Category::Host, Event::HostFlit, flits),
        }
        self.charge(Category::Network, Event::FlitHop, packets * route.hops);
        self.charge(Category::Network, Event::TreeLookup, packets * route.lookups);
        self.charge(Category::Network, Event::ChipCrossing, packets * route.crossings);
        self.charge(Category::Network, Event::FlitEjection, packets * route.to_cores);
        self.charge(Category::ActiveSet, Event::EventWrite, packets * route.to_cores);
        self.charge(Category::Host, Event::HostFlit, packets * route.to_host);
    }
}
