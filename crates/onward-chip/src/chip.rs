//! The parameters of a chip.

use crate::defects::Defects;
use crate::files::default;
use serde::{Deserialize, Serialize};

/// A chip, or an array of chips: a mesh of tiles with their cores, host ports on its edge.
///
/// A chip file must say `name` and `width` and `height` of the `[mesh]`; all else has the defaults of `default`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// What the chip is called.
    pub name: String,
    /// Clock frequency, Hz, or `"highest"`: what the longest path of the circuit allows. All parts of the chip share it.
    #[serde(default = "default::clock_hz", deserialize_with = "clock_hz")]
    pub clock_hz: u64,
    /// Supply voltage, mV; left out, the one that the technology's figures hold for.
    #[serde(default)]
    pub voltage_mv: Option<u32>,
    /// What becomes of cores that hold no block.
    #[serde(default)]
    pub idle_cores: IdleCores,
    /// Cycles from the last core done and the mesh empty to the first cycle of the next step: at least 1, in which the last
    /// packet is written, and at least the cycles of the longest link, in which the last credits come back.
    #[serde(default = "default::barrier_cycles")]
    pub barrier_cycles: u32,
    /// Name of a built-in technology, or path of a technology file: in a chip file a path is seen from that file.
    #[serde(default = "default::technology")]
    pub technology: String,
    /// The network of routers.
    pub mesh: Mesh,
    /// What a core computes with.
    #[serde(default)]
    pub core: Core,
    /// What a core holds.
    #[serde(default)]
    pub memory: Memory,
    /// Where the host is attached.
    #[serde(default)]
    pub host: Host,
}

/// What becomes of cores that hold no block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdleCores {
    /// They are switched off: each core has power switches, and leaks little where it has no block.
    #[default]
    Gated,
    /// They wait like all others: clocked and leaking.
    Clocked,
}

impl Chip {
    /// A clock of 0 Hz stands for the highest one, until it is known.
    pub(crate) const HIGHEST_CLOCK: u64 = 0;
}

/// A clock in a text may be `"highest"`; in an image it is a number.
fn clock_hz<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Clock;
    impl serde::de::Visitor<'_> for Clock {
        type Value = u64;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a clock in Hz, or \"highest\"")
        }

        fn visit_u64<E: serde::de::Error>(self, hertz: u64) -> Result<u64, E> {
            Ok(hertz)
        }

        fn visit_i64<E: serde::de::Error>(self, hertz: i64) -> Result<u64, E> {
            u64::try_from(hertz)
                .ok()
                .filter(|&hertz| hertz > 0)
                .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Signed(hertz), &self))
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u64, E> {
            match text {
                "highest" => Ok(Chip::HIGHEST_CLOCK),
                _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
            }
        }
    }
    if deserializer.is_human_readable() { deserializer.deserialize_any(Clock) } else { u64::deserialize(deserializer) }
}

/// The network of routers, one a tile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mesh {
    /// Tiles from west to east, 1 to 256.
    pub width: u16,
    /// Tiles from north to south, 1 to 256.
    pub height: u16,
    /// Cores at each router, 1 to 4.
    #[serde(default = "default::cores_per_tile")]
    pub cores_per_tile: u16,
    /// Whether rows and columns are lines or rings.
    #[serde(default)]
    pub topology: Topology,
    /// Flits an input buffer of a router holds, 1 to 64.
    #[serde(default = "default::buffer_flits")]
    pub buffer_flits: u16,
    /// Cycles a link adds to the one cycle of the router before it, 0 to 64.
    #[serde(default = "default::link_cycles")]
    pub link_cycles: u16,
    /// Multicast trees a router's table holds.
    #[serde(default = "default::multicast_trees")]
    pub multicast_trees: u16,
    /// The chips that the mesh is cut into; one chip, if left out.
    #[serde(default)]
    pub array: Option<Array>,
    /// What of it is dead; a fault file says so, no chip file.
    #[serde(default)]
    pub defects: Defects,
}

/// How routers are linked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// Rows and columns end at the edges.
    #[default]
    Mesh,
    /// The last router of a row or column is linked to the first. Each link has two virtual channels.
    Torus,
}

/// Chips side by side, cut out of one mesh: `width` times `height` chips, all of the same number of tiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Array {
    /// Chips from west to east: a divisor of the mesh's width.
    pub width: u16,
    /// Chips from north to south: a divisor of the mesh's height.
    pub height: u16,
    /// Cycles a link to another chip adds to the one cycle of the router before it, 0 to 1,024.
    pub link_cycles: u16,
    /// Cycles from one flit on a link to another chip to the next, 1 to 256; at most `link_cycles` + 1, as a flit is
    /// there when the last part of it is.
    pub cycles_per_flit: u16,
}

/// The core's sequencer and vector unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Core {
    /// Elements the vector unit computes in a cycle: 4, 8, 16, 32 or 64. Never changes an answer, only the time.
    #[serde(default = "default::lanes")]
    pub lanes: u16,
    /// Elements a vector register holds: a multiple of 64, up to 4,096.
    #[serde(default = "default::vector_length")]
    pub vector_length: u16,
    /// Blocks a core can hold (entries of its block table).
    #[serde(default = "default::blocks")]
    pub blocks: u16,
    /// Cycles to start a block, at least 1: its table entry is read, its registers are cleared.
    #[serde(default = "default::dispatch_cycles")]
    pub dispatch_cycles: u16,
}

/// Sizes of a core's memories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Instruction memory, in 32-bit words.
    #[serde(default = "default::instruction_words")]
    pub instruction_words: u32,
    /// Synapse memory: rows of weights.
    #[serde(default = "default::synapse_bytes")]
    pub synapse_bytes: u32,
    /// Neuron memory: membranes, biases, counts, targets, parameters.
    #[serde(default = "default::neuron_bytes")]
    pub neuron_bytes: u32,
    /// Axon memory: traces.
    #[serde(default = "default::axon_bytes")]
    pub axon_bytes: u32,
    /// Input lines: entries of the active set, a bit and a 32-bit payload each, in two banks.
    #[serde(default = "default::axons")]
    pub axons: u32,
    /// Output route table, in entries (one destination each).
    #[serde(default = "default::routes")]
    pub routes: u32,
    /// What the words of synapse, neuron and axon memory are protected by.
    #[serde(default)]
    pub protection: Protection,
}

/// Protection of the words of a memory against bits that are not what was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protection {
    /// None.
    #[default]
    None,
    /// A bit a word, that makes the number of ones even: one wrong bit is noticed.
    Parity,
    /// A code that corrects one wrong bit of a word and notices two (R. Hamming, Bell System Technical Journal 29(2), 1950, with a
    /// bit for all).
    Ecc,
}

impl Protection {
    /// Bits that it adds to a word of so many.
    pub fn bits_a_word(self, word: u32) -> u32 {
        match self {
            Protection::None => 0,
            Protection::Parity => 1,
            // The least number of positions that tell every bit of the word and of the code apart, and one bit for all.
            Protection::Ecc => {
                (1..word).find(|&bits| 1u64 << bits.min(63) > u64::from(word + bits)).unwrap_or(word) + 1
            }
        }
    }
}

/// Bits of a word of synapse and axon memory, the part of an access that is protected by itself.
pub const SYNAPSE_WORD: u32 = 16;
/// The same of neuron memory.
pub const NEURON_WORD: u32 = 32;

/// Host ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// The ports; the first one takes the inputs and gives the results.
    #[serde(default = "default::ports")]
    pub ports: Vec<HostPort>,
}

/// A port on the outward side of an edge router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostPort {
    /// Edge of the mesh.
    pub side: Side,
    /// Row (west, east) or column (north, south) of the router.
    pub position: u16,
}

/// An edge of the mesh; row 0 is the northernmost, column 0 the westernmost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Row 0.
    North,
    /// The last column.
    East,
    /// The last row.
    South,
    /// Column 0.
    West,
}
