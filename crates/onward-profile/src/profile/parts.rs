//! The parts of a run: what they are called, where they are, and how pieces are put together to them.

use super::build::Pieces;
use super::measures::{Measure, Measures};
use onward_emulate::{Detail, SenderTiming, Window};
use onward_image::{Block, Core, Image, PopulationIndex, ProgramIndex};
use serde::Serialize;
use std::collections::BTreeMap;

/// A part of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Part<Place> {
    /// What it is called.
    pub name: String,
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// What was measured of it.
    #[serde(flatten)]
    pub measures: Measures,
}

/// What the network was shown while something was done.
///
/// What a block does counts to the window that it is in itself: later layers lag behind the first. What takes time and belongs
/// to no block's window, as waiting, clock and leakage, and what the host sends, counts to the window that the host shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhaseKind {
    /// A sample that is learned from is shown.
    InputWindow,
    /// Its target is shown.
    TargetWindow,
    /// What was learned is written: all code of which its program says what it is for.
    Update,
    /// The host sets what the network learns by, over the configuration port.
    LearningConfiguration,
    /// A sample is shown to be tested with.
    Testing,
    /// The host reads or writes over the configuration port while the network does not learn.
    TestingConfiguration,
    /// What blocks do before a first window is opened; of systems in assembly, all that blocks do.
    NoWindow,
    /// The host, waiting, barriers, clock and leakage before a first window is opened; of systems in assembly, all of it.
    Rest,
}

impl PhaseKind {
    /// What the network is shown while the host shows a window.
    pub(super) const fn of_host(window: Window) -> PhaseKind {
        match window {
            Window::None => PhaseKind::Rest,
            Window::Test => PhaseKind::Testing,
            Window::Input => PhaseKind::InputWindow,
            Window::Target => PhaseKind::TargetWindow,
        }
    }

    /// Its name in reports for people, and for machines.
    pub const fn name(self) -> &'static str {
        match self {
            PhaseKind::InputWindow => "learning, input window",
            PhaseKind::TargetWindow => "learning, target window",
            PhaseKind::Update => "learning, update",
            PhaseKind::LearningConfiguration => "learning, configuration",
            PhaseKind::Testing => "testing",
            PhaseKind::TestingConfiguration => "testing, configuration",
            PhaseKind::NoWindow => "handlers",
            PhaseKind::Rest => "host and waiting",
        }
    }

    /// `learning`, `testing` or `running`.
    pub const fn stage(self) -> &'static str {
        match self {
            PhaseKind::InputWindow | PhaseKind::TargetWindow | PhaseKind::Update | PhaseKind::LearningConfiguration => {
                "learning"
            }
            PhaseKind::Testing | PhaseKind::TestingConfiguration => "testing",
            PhaseKind::NoWindow | PhaseKind::Rest => "running",
        }
    }
}

/// Where a phase is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PhasePlace {
    /// `learning`, `testing` or `running`.
    pub stage: &'static str,
}

/// Where a phase is, or what is done in it for one purpose.
#[derive(Clone, Debug, Serialize)]
pub struct PurposePlace {
    /// `learning`, `testing` or `running`.
    pub stage: &'static str,
    /// The name of the phase.
    pub phase: &'static str,
    /// What the instructions are for, as their program says; of an update alone.
    pub purpose: Option<String>,
}

/// Where a layer is: what is no layer's has neither line nor blocks.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LayerPlace {
    /// Line of the network's text that declares it.
    pub source_line: Option<u32>,
    /// Blocks it is cut into.
    pub blocks: usize,
}

/// Where a core is: what is no core's has none.
#[derive(Clone, Debug, Serialize)]
pub struct CorePlace {
    /// Number.
    pub core: Option<u32>,
    /// Column and row of its tile.
    pub tile: Option<(u16, u16)>,
    /// Steps in which it did something.
    pub steps: u64,
    /// Steps in which it was done last of all.
    pub critical_steps: u64,
    /// The blocks on it, as layers with their neurons.
    pub holds: Vec<String>,
}

/// Where a block is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BlockPlace {
    /// Logical number.
    pub block: Option<u32>,
    /// Its core.
    pub core: Option<u32>,
}

/// Where a handler is: a part of a program from one label to the next.
#[derive(Clone, Debug, Serialize)]
pub struct HandlerPlace {
    /// The layer whose program it is of.
    pub layer: Option<String>,
    /// Number of the program.
    pub program: Option<u32>,
    /// Its first address.
    pub address: Option<u32>,
}

/// Where an instruction is.
#[derive(Clone, Debug, Serialize)]
pub struct LinePlace {
    /// The layer whose program it is of.
    pub layer: Option<String>,
    /// The handler it is in.
    pub handler: Option<String>,
    /// Number of the program.
    pub program: Option<u32>,
    /// Its address.
    pub address: Option<u32>,
    /// What it is for, if its program says so.
    pub purpose: Option<String>,
    /// Line of the program's text.
    pub line: Option<u32>,
    /// That line, without its comment.
    pub text: Option<String>,
}

/// How often each neuron of a layer fired.
#[derive(Clone, Debug, Serialize)]
pub struct LayerNeurons {
    /// The layer.
    pub layer: String,
    /// Spikes by neuron.
    pub spikes: Vec<u64>,
}

/// Memory that a network takes on a chip: NeuroBench's footprint, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Weights.
    pub synapse_bytes: u64,
    /// What neurons hold.
    pub neuron_bytes: u64,
    /// What axons hold.
    pub axon_bytes: u64,
    /// Programs, once on each core that holds a block which runs it.
    pub instruction_bytes: u64,
    /// All of it.
    pub footprint_bytes: u64,
}

/// A place in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    /// The dispatch of a block.
    Dispatch,
    /// An instruction.
    Address(usize),
    /// None: its core waits, for others, for the barrier, or for something to do.
    Waiting,
}

/// What belongs to no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Elsewhere {
    /// Packets of the host on their way, and through its port.
    Host,
    /// Routers, links, barriers, the clock's trunk, configuration.
    Chip,
    /// Cores without a block.
    IdleCores,
}

impl Elsewhere {
    const fn name(self) -> &'static str {
        match self {
            Elsewhere::Host => "host",
            Elsewhere::Chip => "chip, without cores",
            Elsewhere::IdleCores => "idle cores",
        }
    }
}

impl Pieces {
    /// The parts that belong to no block.
    fn elsewhere<Place>(&self, place: impl Fn() -> Place) -> impl Iterator<Item = Part<Place>> {
        let all = self.elsewhere.iter().filter(|(_, measures)| **measures != Measures::default());
        all.map(move |(what, measures)| Part { name: what.name().to_owned(), place: place(), measures: *measures })
    }

    pub(super) fn phases(&self) -> Vec<Part<PhasePlace>> {
        let all = self.by_phase.iter().filter(|(_, measures)| **measures != Measures::default());
        all.map(|(phase, measures)| Part {
            name: phase.name().to_owned(),
            place: PhasePlace { stage: phase.stage() },
            measures: *measures,
        })
        .collect()
    }

    pub(super) fn purposes(&self) -> Vec<Part<PurposePlace>> {
        let all = self.by_purpose.iter().filter(|(_, measures)| **measures != Measures::default());
        all.map(|(&(phase, number), measures)| {
            let purpose = number.map(|number| self.purposes[number].clone());
            let name = purpose.as_ref().map_or_else(|| phase.name().to_owned(), |purpose| format!("update: {purpose}"));
            let place = PurposePlace { stage: phase.stage(), phase: phase.name(), purpose };
            Part { name, place, measures: *measures }
        })
        .collect()
    }

    pub(super) fn layers(&self, image: &Image) -> Vec<Part<LayerPlace>> {
        let mut layers: BTreeMap<PopulationIndex, (usize, Measures)> = BTreeMap::new();
        for (&number, measures) in &self.by_block {
            let (blocks, sum) = layers.entry(image.blocks[number].population).or_default();
            *blocks += 1;
            *sum += measures;
        }
        let layers = layers.into_iter().map(|(number, (blocks, measures))| {
            let population = &image.network.populations[number];
            let place = LayerPlace { source_line: Some(population.source_line), blocks };
            Part { name: population.name.clone(), place, measures }
        });
        layers.chain(self.elsewhere(|| LayerPlace { source_line: None, blocks: 0 })).collect()
    }

    pub(super) fn cores(&self, image: &Image, detail: &Detail) -> Vec<Part<CorePlace>> {
        let mut cores: BTreeMap<Core, (Vec<String>, Measures)> = BTreeMap::new();
        for (&number, measures) in &self.by_block {
            let block = &image.blocks[number];
            let (holds, sum) = cores.entry(block.core).or_default();
            holds.push(neurons_of(image, block));
            *sum += measures;
        }
        let mesh = &image.chip.mesh;
        let cores = cores.into_iter().map(|(core, (holds, measures))| {
            let SenderTiming { steps, critical_steps, .. } = detail.cores[core.0 as usize];
            let tile = Some(mesh.coordinates(core.tile(mesh).0));
            let place = CorePlace { core: Some(core.0), tile, steps, critical_steps, holds };
            Part { name: format!("core {}", core.0), place, measures }
        });
        let none = || CorePlace { core: None, tile: None, steps: 0, critical_steps: 0, holds: Vec::new() };
        cores.chain(self.elsewhere(none)).collect()
    }

    pub(super) fn blocks(&self, image: &Image) -> Vec<Part<BlockPlace>> {
        let blocks = self.by_block.iter().map(|(&number, &measures)| {
            let block = &image.blocks[number];
            let place = BlockPlace { block: Some(number.into()), core: Some(block.core.0) };
            Part { name: format!("block {number}, {}", neurons_of(image, block)), place, measures }
        });
        blocks.chain(self.elsewhere(|| BlockPlace { block: None, core: None })).collect()
    }

    pub(super) fn lines(&self, image: &Image) -> Vec<Part<LinePlace>> {
        let programs = Programs::new(image);
        let lines = self.by_spot.iter().map(|(&(program, spot), &measures)| {
            let layer = Some(programs.layer(program));
            let handler = Some(programs.handler(program, spot));
            let (address, line, text) = match spot {
                Spot::Address(at) => {
                    let (line, text) = programs.line(program, at);
                    (Some(at as u32), line, text)
                }
                Spot::Dispatch | Spot::Waiting => (None, None, None),
            };
            let purpose = address.and_then(|at| image.programs[program].purpose(at as usize)).map(str::to_owned);
            let name = match (&text, spot) {
                (Some(text), _) => text.clone(),
                (None, Spot::Address(at)) => format!("@{at}"),
                (None, Spot::Dispatch) => "dispatch".to_owned(),
                (None, Spot::Waiting) => "waiting".to_owned(),
            };
            let place = LinePlace { layer, handler, program: Some(program.into()), address, purpose, line, text };
            Part { name, place, measures }
        });
        let none = || LinePlace {
            layer: None,
            handler: None,
            program: None,
            address: None,
            purpose: None,
            line: None,
            text: None,
        };
        lines.chain(self.elsewhere(none)).collect()
    }

    pub(super) fn handlers(&self, image: &Image) -> Vec<Part<HandlerPlace>> {
        let programs = Programs::new(image);
        // By program, and in it by the place of the handler.
        let mut handlers: BTreeMap<(ProgramIndex, Spot), Measures> = BTreeMap::new();
        for (&(program, spot), measures) in &self.by_spot {
            let spot = match spot {
                Spot::Address(at) => Spot::Address(programs.handler_start(program, at)),
                other => other,
            };
            *handlers.entry((program, spot)).or_default() += measures;
        }
        let handlers = handlers.into_iter().map(|((program, spot), measures)| {
            let layer = programs.layer(program);
            let address = if let Spot::Address(at) = spot { Some(at as u32) } else { None };
            let name = format!("{layer}: {}", programs.handler(program, spot));
            Part { name, place: HandlerPlace { layer: Some(layer), program: Some(program.into()), address }, measures }
        });
        handlers.chain(self.elsewhere(|| HandlerPlace { layer: None, program: None, address: None })).collect()
    }
}

/// What is known of programs.
struct Programs<'a> {
    image: &'a Image,
    /// By program, the first address of each handler, ascending.
    starts: Vec<Vec<usize>>,
}

impl Programs<'_> {
    fn new(image: &Image) -> Programs<'_> {
        let starts = image.programs.iter().map(|program| {
            let mut starts: Vec<usize> = program.labels.iter().map(|(_, at)| *at as usize).chain([0]).collect();
            starts.sort_unstable();
            starts.dedup();
            starts
        });
        Programs { image, starts: starts.collect() }
    }

    /// The layer whose program it is; of a system in assembly, the program's name.
    fn layer(&self, program: ProgramIndex) -> String {
        let image = self.image;
        let of_block = || image.blocks.iter().find(|block| block.program == program).map(|block| block.population);
        let population = image.programs[program].population.or_else(of_block);
        population.map_or_else(
            || image.programs[program].name.clone(),
            |population| image.network.populations[population].name.clone(),
        )
    }

    fn handler_start(&self, program: ProgramIndex, address: usize) -> usize {
        let starts = &self.starts[usize::from(program)];
        starts[starts.partition_point(|&start| start <= address) - 1]
    }

    /// The labels a handler begins with; what lies before the first label is `start`.
    fn handler(&self, program: ProgramIndex, spot: Spot) -> String {
        let at = match spot {
            Spot::Dispatch => return "dispatch".to_owned(),
            Spot::Waiting => return "waiting".to_owned(),
            Spot::Address(at) => self.handler_start(program, at),
        };
        let labels = self.image.programs[program].labels.iter().filter(|(_, label)| *label as usize == at);
        let names: Vec<&str> = labels.map(|(name, _)| name.as_str()).collect();
        if names.is_empty() { "start".to_owned() } else { names.join(" = ") }
    }

    /// The line of an address, and its text without comment.
    fn line(&self, program: ProgramIndex, at: usize) -> (Option<u32>, Option<String>) {
        let program = &self.image.programs[program];
        let line = program.lines.get(at).copied();
        let text = line.and_then(|line| program.text.lines().nth((line as usize).checked_sub(1)?));
        let text = text.map(|text| {
            let code = text.split(';').next().unwrap_or_default();
            code.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        (line, text)
    }
}

/// `hidden1[64..128]`, or the layer's name where the block is all of it.
fn neurons_of(image: &Image, block: &Block) -> String {
    let population = image.population(block);
    if block.first_neuron == 0 && block.neurons == population.neurons {
        return population.name.clone();
    }
    format!("{}[{}..{}]", population.name, block.first_neuron, block.first_neuron.saturating_add(block.neurons))
}

/// How often each neuron of each layer fired, as far as its blocks send spikes.
pub(super) fn neurons(image: &Image, detail: &Detail) -> Vec<LayerNeurons> {
    let layers = image.network.numbered().filter(|(_, population)| population.is_layer());
    let of_layer = |(number, population): (PopulationIndex, &onward_image::Population)| {
        let mut spikes = vec![0; population.neurons as usize];
        for (block, of) in image.blocks.iter_enumerated().filter(|(_, block)| block.population == number) {
            let route = of.routes.iter().position(|route| route.name == "spikes")?;
            for (index, &count) in (0..).zip(detail.blocks[block].indices.get(route)?) {
                if let Some(spikes) = spikes.get_mut(of.neuron(index) as usize) {
                    *spikes += count;
                }
            }
        }
        Some(LayerNeurons { layer: population.name.clone(), spikes })
    };
    layers.filter_map(of_layer).collect()
}

impl Footprint {
    /// Of an image.
    pub fn of(image: &Image) -> Footprint {
        let usage = image.core_usage();
        let bytes = |memory: usize| usage.iter().map(|core| core.memory_bytes[memory]).sum::<u64>();
        let [neuron_bytes, axon_bytes, synapse_bytes] = [bytes(0), bytes(1), bytes(2)];
        let instruction_bytes = 4 * usage.iter().map(|core| core.instruction_words).sum::<u64>();
        let footprint_bytes = neuron_bytes + axon_bytes + synapse_bytes + instruction_bytes;
        Footprint { synapse_bytes, neuron_bytes, axon_bytes, instruction_bytes, footprint_bytes }
    }
}

impl<Place> Part<Place> {
    /// A number of it.
    pub fn measure(&self, measure: Measure) -> u64 {
        self.measures[measure]
    }
}
