//! What an image holds.

use crate::index::{BlockIndex, PopulationIndex, ProgramIndex};
use crate::route::{Core, Destination, Tree, TreeIndex};
use onward_chip::Chip;
use onward_isa::{Space, Width};
use serde::{Deserialize, Serialize};
use typed_index_collections::TiVec;

/// A linked network: everything an emulator, or a chip's loader, needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The chip it was linked for.
    pub chip: Chip,
    /// The network it came from.
    pub network: NetworkSummary,
    /// Programs; blocks of a layer share one.
    pub programs: TiVec<ProgramIndex, Program>,
    /// Blocks by logical number.
    pub blocks: TiVec<BlockIndex, Block>,
    /// Multicast trees by index.
    pub trees: TiVec<TreeIndex, Tree>,
    /// What the host sends, and through which port (index into the chip's ports).
    pub host_inputs: Vec<HostInput>,
    /// The port inputs enter and results leave by.
    pub host_port: u16,
    /// What runs have made of it.
    pub learned: Learned,
    /// What a verifier showed of all the rest; nothing if none did. It is no part of what it is about.
    #[serde(skip)]
    pub proof: Option<Proof>,
}

/// The summary of a proof: which verifier showed it, of which image, and the most cycles it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The verifier's version.
    pub version: u32,
    /// The image it is about: [`Image::digest`].
    pub of: [u8; 32],
    /// The most cycles of any step, the barrier included.
    pub step_cycles: u64,
    /// Those of the steps in which a sample is shown that is not learned from.
    pub test_window_cycles: u64,
    /// Those of the steps in which one is shown that is.
    pub training_sample_cycles: u64,
}

/// How far an image has learned: what a run that goes on from it must know beside the memories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// Epochs it has learned in full.
    pub epochs: u32,
    /// How often the generator of each block has drawn, by logical number; nothing if none has.
    pub draws: Vec<u32>,
}

/// What the first line of a text begins with whose blocks were made smaller so that it fits, before what was changed.
pub const FITTED: &str = "# --fit: ";

/// The network as far as loaders, readers and verifiers need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSummary {
    /// Its name.
    pub name: String,
    /// Name and text of the source it was compiled from.
    pub source: (String, String),
    /// The seed that drew the initial weights.
    pub seed: u64,
    /// Built-in data set or path the text names.
    pub data: Option<String>,
    /// Steps a window lasts.
    pub window_steps: u32,
    /// What is done to pictures before they are learned from, in this order.
    pub augment: Vec<Augmentation>,
    /// Epochs to train for.
    pub epochs: u32,
    /// Populations in topological order, by index.
    pub populations: TiVec<PopulationIndex, Population>,
    /// Edges between populations, from and to.
    pub edges: Vec<(PopulationIndex, PopulationIndex)>,
}

impl NetworkSummary {
    /// Which layers have smaller blocks than was asked for, in words, if some do: they learn otherwise.
    pub fn fitted(&self) -> Option<&str> {
        self.source.1.strip_prefix(FITTED)?.lines().next()
    }
}

/// A change of a picture, drawn for each sample anew in each epoch, before it is learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Augmentation {
    /// It is moved by up to so many pixels up or down, and left or right, each way equally likely; what comes in is 0.
    Shift {
        /// The most.
        pixels: u32,
    },
    /// It is mirrored, left for right, half of the times.
    Flip,
}

/// As the language writes it: `shift(1)`, `flip`.
impl std::fmt::Display for Augmentation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Augmentation::Shift { pixels } => write!(f, "shift({pixels})"),
            Augmentation::Flip => f.write_str("flip"),
        }
    }
}

/// A node of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// Its name in the text.
    pub name: String,
    /// What it is.
    pub kind: PopulationKind,
    /// Neurons (inputs, classes) in it.
    pub neurons: u32,
    /// Steps it lags behind the input: 0 for inputs, 1 for the first layer.
    pub lag: u32,
    /// Line of the text that declares it, from 1.
    pub source_line: u32,
}

/// Bits below the binary point of a layer's integers: one stands for itself times 2 to the power of minus so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FractionBits {
    /// Of its weights.
    pub weights: i32,
    /// Of the target's projection.
    pub target_weights: i32,
    /// Of membranes and biases.
    pub membrane: i32,
}

/// How the kernels that neurons share lie in the array `weights` of a layer's blocks: its columns are the channels that the
/// block holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// Channels that come in, height, width.
    pub shape: [u32; 3],
    /// Of each row of the array the weight it holds, by its place in the shape.
    pub taps: Vec<u32>,
}

/// Kinds of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PopulationKind {
    /// Evenly spread spikes; the shape of a sample.
    RateInput {
        /// Extents, outermost first.
        shape: Vec<u32>,
    },
    /// Class targets, a line each.
    Target,
    /// Neurons on cores.
    Layer {
        /// Learning schedule, if it learns.
        schedule: Option<Schedule>,
        /// Where its binary points are.
        fraction_bits: FractionBits,
        /// Of a convolution that learns.
        kernel: Option<Kernel>,
    },
    /// Answers with a class, or with a neuron's number: one packet a window.
    Readout,
    /// The spikes of its source go to the host.
    SpikeReadout,
    /// An input whose spikes are not evenly spread; the shape of a step.
    EncodedInput {
        /// Extents, outermost first.
        shape: Vec<u32>,
        /// How values become packets.
        encoding: Encoding,
    },
    /// Passes packets on: a pool by maximum, a delay.
    Relay,
    /// Is part of the weights behind it, and on no core.
    Folded,
    /// A target of values, a line each.
    ValueTarget,
    /// A readout that learns too, and answers with values, a packet each.
    ValueReadout {
        /// Its learning schedule.
        schedule: Schedule,
        /// The payload that means 1.0.
        one: u32,
        /// Where the binary point of its weights is.
        fraction_bits: i32,
    },
    /// A readout that learns too, and answers with a class.
    LearningReadout {
        /// Its learning schedule.
        schedule: Schedule,
        /// Where the binary point of its weights is; `None` for a tree of targets.
        fraction_bits: Option<i32>,
    },
}

/// How the values of a sample become packets, where it is not by their rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// A spike with the probability that is the value.
    Poisson,
    /// One spike, the earlier the greater the value.
    Latency,
    /// The value as payload, in each step.
    Current,
    /// A spike where the value has changed by `change / 2^16`.
    Delta {
        /// In 16 fraction bits, 1.0 being the greatest value.
        change: u32,
    },
    /// Recorded spikes.
    Events,
    /// Spikes as many as values are large, and where they have changed by `change / 2^16`.
    Sequence {
        /// In 16 fraction bits, 1.0 being the greatest value.
        change: u32,
    },
}

/// How the shift of a layer's updates grows over the epochs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Shift in the first epoch: updates are divided by 2^shift.
    pub shift: i32,
    /// When it grows.
    pub growth: Growth,
}

/// When a shift grows by 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Growth {
    /// So often, after equal parts of the run.
    Evenly(u32),
    /// At the beginning of each of these epochs, counted from 1.
    At(Vec<u32>),
}

impl Growth {
    /// How often it grows by the end of a run that is long enough.
    pub fn most(&self) -> u32 {
        match self {
            Growth::Evenly(times) => *times,
            Growth::At(epochs) => epochs.len() as u32,
        }
    }
}

impl Schedule {
    /// The shift in an epoch (from 0) of so many.
    pub fn shift_in(&self, epoch: u32, epochs: u32) -> i32 {
        self.shift
            + match &self.growth {
                Growth::Evenly(times) => ((u64::from(*times) + 1) * u64::from(epoch) / u64::from(epochs.max(1))) as i32,
                Growth::At(listed) => listed.iter().filter(|&&at| at <= epoch + 1).count() as i32,
            }
    }
}

/// A program of the instruction set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// What it is called.
    pub name: String,
    /// Instruction words.
    pub words: Vec<u32>,
    /// Labels by address.
    pub labels: Vec<(String, u32)>,
    /// What instructions are for, with the address from which on they are, ascending; an empty text for nothing in particular,
    /// as those before the first. Of a network they say which part of an update an instruction belongs to.
    pub purposes: Vec<(String, u32)>,
    /// Line of the assembly text each word came from, from 1.
    pub lines: Vec<u32>,
    /// The assembly text.
    pub text: String,
    /// Population whose handlers these are.
    pub population: Option<PopulationIndex>,
}

impl Program {
    /// What the instruction at an address is for, if the program says so.
    pub fn purpose(&self, address: usize) -> Option<&str> {
        let before = self.purposes.partition_point(|(_, first)| *first as usize <= address);
        let (purpose, _) = self.purposes.get(before.checked_sub(1)?)?;
        (!purpose.is_empty() && address < self.words.len()).then_some(purpose)
    }
}

/// A block: neurons of one layer on one core, and what the core's block table says of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Population it belongs to.
    pub population: PopulationIndex,
    /// First neuron of the population in the block.
    pub first_neuron: u32,
    /// Neurons in the block.
    pub neurons: u32,
    /// Where it lives.
    pub core: Core,
    /// Its program.
    pub program: ProgramIndex,
    /// Address the sequencer starts at in each step the block runs.
    pub entry: u32,
    /// Number that its generator of random bits is seeded with, beside the run's seed: what the block's logical number would be
    /// if all layers were cut as the network alone says, so that no other cut changes what is drawn.
    pub generator: u32,
    /// Whether axon 0 takes tags: their payload goes to the tag register and not to the active set.
    pub tagged: bool,
    /// Input lines, the tag's included.
    pub axons: u32,
    /// Bytes of neuron, axon and synapse memory (by [`Space`] number).
    pub memory_bytes: [u32; 3],
    /// What the memories hold at first, by [`Space`] number; missing bytes are 0.
    pub contents: [Vec<u8>; 3],
    /// Routes by number.
    pub routes: Vec<Route>,
    /// What lies where.
    pub symbols: Vec<Symbol>,
    /// Which neurons the indices of its packets stand for.
    pub order: Order,
    /// How many synapses a spike on an axon reaches, in runs: so many axons, and the synapses of each. Nothing where each
    /// element that the body of a `foreach` reads of synapse memory is a synapse.
    pub fan_outs: Vec<(u32, u32)>,
}

/// Which neurons of its population the indices of a block's packets stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Index i for neuron `first_neuron + i`.
    #[default]
    Straight,
    /// Neurons of planes, numbered channel by channel and row by row, lie band by band (a band is so many channels), in it
    /// row by row, place by place, channel by channel: what lies side by side in a plane does so in memory.
    Plane(Plane),
}

/// The part of a layer's planes that a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plane {
    /// First channel.
    pub first_channel: u32,
    /// Channels of a band.
    pub channels: u32,
    /// First row.
    pub first_row: u32,
    /// Rows.
    pub rows: u32,
    /// Height of the layer's planes.
    pub height: u32,
    /// Width of the planes, and of the part.
    pub width: u32,
}

impl Order {
    /// The neuron an index stands for.
    pub fn neuron(&self, first_neuron: u32, index: u32) -> u32 {
        match self {
            Order::Straight => first_neuron + index,
            Order::Plane(plane) => plane.neuron(index),
        }
    }
}

impl Plane {
    /// The neuron an index stands for.
    pub fn neuron(&self, index: u32) -> u32 {
        let (rest, channel) = (index / self.channels, index % self.channels);
        let (rest, x) = (rest / self.width, rest % self.width);
        let (band, y) = (rest / self.rows, rest % self.rows);
        let channel = self.first_channel + band * self.channels + channel;
        (channel * self.height + self.first_row + y) * self.width + x
    }
}

/// Where the packets of a send go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// What it is for.
    pub name: String,
    /// Packets' indices are below this.
    pub indices: u32,
    /// For each packet, one flit to each of these.
    pub flits: Vec<Flit>,
}

/// A flit of a route and who takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flit {
    /// Its header.
    pub destination: Destination,
    /// Who takes it; at most one block a core.
    pub deliveries: Vec<Delivery>,
}

/// A taker of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// A block; the packet's index is added to `first_axon`.
    Block {
        /// Logical number.
        block: BlockIndex,
        /// The block's axon that index 0 arrives on.
        first_axon: u32,
    },
    /// The host.
    Host,
}

/// A named array in a block's memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    /// What it holds.
    pub name: String,
    /// Memory, by [`Space`] number.
    pub space: u8,
    /// Element width in bits.
    pub width_bits: u8,
    /// First element, counted in elements.
    pub offset: u32,
    /// Rows and elements in a row.
    pub rows: u32,
    /// Elements in a row.
    pub columns: u32,
}

impl Symbol {
    /// The memory it lies in; `None` if the number is none.
    pub fn space(&self) -> Option<Space> {
        Space::ALL.get(usize::from(self.space)).copied()
    }

    /// Its elements' width; `None` if there is no such width.
    pub fn width(&self) -> Option<Width> {
        Width::from_bits(u32::from(self.width_bits))
    }

    /// Elements in all.
    pub fn elements(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns)
    }
}

/// Something the host sends, or a part of it that goes another way than the rest: the parts of an input follow each other in
/// the image, and the input is named by the number of its first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostInput {
    /// What it is.
    pub kind: HostInputKind,
    /// The input's index that index 0 of the route stands for; 0 of the first part, or of an input that is sent as a whole.
    pub first: u32,
    /// Where its packets go.
    pub route: Route,
}

/// Kinds of host inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HostInputKind {
    /// Opens a window: one packet, its payload a [`Tag`].
    Tag,
    /// The target: a spike on the class's line in each step of a target window.
    Target,
    /// The input's spikes.
    Input,
    /// Whatever a program takes: packets with any payload.
    Packets,
    /// The input's values, as payloads.
    Values,
    /// A target of values, as payloads.
    TargetValues,
}

impl HostInputKind {
    /// Whether its packets may carry payloads other than 1.
    pub fn is_graded(self) -> bool {
        matches!(
            self,
            HostInputKind::Tag | HostInputKind::Packets | HostInputKind::Values | HostInputKind::TargetValues
        )
    }
}

/// What a window is: the payload of the packet that opens it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// A target window (else an input window).
    pub target: bool,
    /// The sample is learned from.
    pub learn: bool,
    /// The target's slot, a class.
    pub slot: u16,
    /// The readout answers, though the sample is learned from.
    pub answer: bool,
    /// The class that is to lose against the slot's, instead of the strongest.
    pub rival: Option<u8>,
}

impl Tag {
    /// Added to the payload of an input window that goes on where the input window before ended: with its membranes, currents
    /// and traces, in layers that learn while their input is shown. Others begin each window anew.
    pub const CONTINUES: i32 = 1 << 3;
    /// Bit of the payload: it names the rival.
    pub const RIVAL: i32 = 1 << 4;
    /// Bit of the payload: the readout answers in any case.
    pub const ANSWER: i32 = 1 << 5;

    /// The payload: bits 1..0 the kind, bit 2 learn, bit 4 whether there is a rival, bit 5 answer, bits 23..8 the slot, bits
    /// 31..24 the rival.
    pub fn payload(self) -> i32 {
        let answer = if self.answer { Tag::ANSWER } else { 0 };
        let rival = self.rival.map_or(0, |rival| Tag::RIVAL | i32::from(rival) << 24);
        i32::from(self.target) | i32::from(self.learn) << 2 | i32::from(self.slot) << 8 | answer | rival
    }

    /// What a payload says.
    pub fn from_payload(payload: i32) -> Tag {
        Tag {
            target: payload & 1 != 0,
            learn: payload & 1 << 2 != 0,
            slot: (payload >> 8) as u16,
            answer: payload & Tag::ANSWER != 0,
            rival: (payload & Tag::RIVAL != 0).then_some((payload >> 24) as u8),
        }
    }
}

impl Block {
    /// The neuron of the population that a packet's index stands for.
    pub fn neuron(&self, index: u32) -> u32 {
        self.order.neuron(self.first_neuron, index)
    }

    /// The symbol of this name.
    pub fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|symbol| symbol.name == name)
    }
}
