//! Technology files: what each event on the chip costs, each figure with its source.

use crate::files::{self, FileError, Limits};
use crate::{Chip, Memory};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Index;

/// The technologies that every copy of the program knows: name and text of the file.
pub const BUILTIN_TECHNOLOGIES: &[(&str, &str)] = &[
    ("45nm", include_str!("../../../programs/tech/45nm.toml")),
    ("22nm-seneca", include_str!("../../../programs/tech/22nm-seneca.toml")),
];

/// What events cost in one process, at one supply voltage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technology {
    /// What the technology is called.
    pub name: String,
    /// Process, voltage, temperature, and what the figures are good for.
    pub description: String,
    /// A figure for every [`Event`].
    pub figures: BTreeMap<Event, Figure>,
}

/// What one event costs, and who says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The cost, in `unit`: 0 or more.
    pub value: f64,
    /// `pJ` for an event, `mW` for leakage: always [`Event::unit`].
    pub unit: String,
    /// Size of the memory that the figure holds for, bytes. A chip's memory of another size costs the square root of
    /// the ratio of sizes as much: so grow the bit and word lines. The published caches do (Horowitz, ISSCC 2014:
    /// 8 KB 10 pJ, 32 KB 20 pJ, 1 MB 100 pJ). Without it the figure holds for every chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u32>,
    /// Publication and derivation.
    pub source: String,
}

macro_rules! events {
    ($($(#[$doc:meta])* $event:ident $name:literal $unit:literal,)*) => {
        /// What happens on the chip and costs energy (or, for leakage, power).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $name)] $event,)*
        }

        impl Event {
            /// Every event, in the order of their declaration.
            pub const ALL: &[Event] = &[$(Event::$event,)*];

            /// The event's key in a technology file.
            pub const fn name(self) -> &'static str {
                match self { $(Event::$event => $name,)* }
            }

            /// Unit of the event's figure.
            pub const fn unit(self) -> &'static str {
                match self { $(Event::$event => $unit,)* }
            }
        }
    };
}

events! {
    /// An instruction: fetch, decode, control.
    InstructionFetch "instruction_fetch" "pJ",
    /// A scalar addition, comparison, shift or the like, beside the instruction.
    ScalarOperation "scalar_operation" "pJ",
    /// A scalar 32-bit multiplication, beside the instruction.
    ScalarMultiply "scalar_multiply" "pJ",
    /// An element of a vector addition, subtraction, comparison, minimum, maximum, selection, shift, with its registers.
    VectorAdd "vector_add" "pJ",
    /// An element of a vector 32-bit multiplication, with its registers.
    VectorMultiply "vector_multiply" "pJ",
    /// An element of a vector operation that draws random bits, with its registers.
    RandomDraw "random_draw" "pJ",
    /// A bit read from synapse memory.
    SynapseReadPerBit "synapse_read_per_bit" "pJ",
    /// A bit written to synapse memory.
    SynapseWritePerBit "synapse_write_per_bit" "pJ",
    /// A bit read from neuron memory.
    NeuronReadPerBit "neuron_read_per_bit" "pJ",
    /// A bit written to neuron memory.
    NeuronWritePerBit "neuron_write_per_bit" "pJ",
    /// A bit read from axon memory.
    AxonReadPerBit "axon_read_per_bit" "pJ",
    /// A bit written to axon memory.
    AxonWritePerBit "axon_write_per_bit" "pJ",
    /// An active axon, with its payload, read from the active set.
    EventPop "event_pop" "pJ",
    /// A packet's arrival written into the active set.
    EventWrite "event_write" "pJ",
    /// A flit through one router and the link behind it.
    FlitHop "flit_hop" "pJ",
    /// A flit over a link to another chip, on top of its hop.
    ChipCrossing "chip_crossing" "pJ",
    /// A flit from a core into its router, with the read of its route.
    FlitInjection "flit_injection" "pJ",
    /// A flit from a router to its core.
    FlitEjection "flit_ejection" "pJ",
    /// A flit through a host port, in or out of the chip.
    HostFlit "host_flit" "pJ",
    /// A core's part of the barrier that ends a step.
    BarrierPerCore "barrier_per_core" "pJ",
    /// A bit that the host writes or reads over the configuration port while the chip stands.
    HostConfigurationPerBit "host_configuration_per_bit" "pJ",
    /// Leakage of what a core has one of: sequencer, scalar unit, router. See [`Costs::leakage_per_core_mw`].
    LeakagePerCore "leakage_per_core_mw" "mW",
    /// Leakage of a lane of the vector unit.
    LeakagePerLane "leakage_per_lane_mw" "mW",
    /// Leakage of 1,024 bytes of memory, whatever it holds.
    LeakagePerMemoryKib "leakage_per_memory_kib_mw" "mW",
}

impl Event {
    /// The memory whose size the event's cost grows with, in bytes on the chip.
    fn memory_bytes(self, memory: &Memory) -> Option<u64> {
        match self {
            Event::SynapseReadPerBit | Event::SynapseWritePerBit => Some(memory.synapse_bytes.into()),
            Event::NeuronReadPerBit | Event::NeuronWritePerBit => Some(memory.neuron_bytes.into()),
            Event::AxonReadPerBit | Event::AxonWritePerBit => Some(memory.axon_bytes.into()),
            Event::EventPop | Event::EventWrite => Some(u64::from(memory.axons) * 4),
            _ => None,
        }
    }
}

impl Technology {
    /// The built-in technology `name`.
    ///
    /// # Errors
    /// [`FileError::Unknown`], with the names there are.
    pub fn builtin(name: &str) -> Result<Technology, FileError> {
        match BUILTIN_TECHNOLOGIES.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Technology::parse(&format!("built-in technology `{name}`"), text),
            None => Err(files::unknown("technology", BUILTIN_TECHNOLOGIES, name)),
        }
    }

    /// The built-in technology of that name, or else the technology file at that path.
    ///
    /// # Errors
    /// When there is neither, or the file is not a complete technology.
    pub fn load(name_or_path: &str) -> Result<Technology, FileError> {
        let (place, text) = files::read("technology", BUILTIN_TECHNOLOGIES, name_or_path)?;
        Technology::parse(&place, &text)
    }

    /// The technology that the text of a technology file describes; `place` is what messages call the file.
    ///
    /// # Errors
    /// When the text is not TOML, has an unknown key, or breaks a rule of [`Technology::validate`].
    pub fn parse(place: &str, text: &str) -> Result<Technology, FileError> {
        let remedy = "a technology file needs `name`, `description` and, for each event, a table `[figures.EVENT]` with \
                      `value`, `unit` and `source`; programs/tech/45nm.toml shows them all";
        let technology: Technology = files::parse(place, text, remedy)?;
        technology.check(place)?;
        Ok(technology)
    }

    /// Checks that every event has a figure, and every figure a finite value that is not negative, its event's unit and
    /// a source.
    ///
    /// # Errors
    /// [`FileError::Limits`] with all that is wrong.
    pub fn validate(&self) -> Result<(), FileError> {
        self.check(&format!("technology `{}`", self.name))
    }

    fn check(&self, place: &str) -> Result<(), FileError> {
        let mut limits = Limits::default();
        if self.name.trim().is_empty() {
            limits.broken("name", "empty", "a name");
        }
        for &event in Event::ALL {
            let key = |part: &str| format!("figures.{}{part}", event.name());
            let Some(figure) = self.figures.get(&event) else {
                limits.broken(key(""), "missing", "a table with `value`, `unit` and `source`");
                continue;
            };
            if !(figure.value.is_finite() && figure.value >= 0.0) {
                limits.broken(key(".value"), figure.value, "a number that is not negative");
            }
            if figure.unit != event.unit() {
                limits.broken(key(".unit"), format!("\"{}\"", figure.unit), format!("\"{}\"", event.unit()));
            }
            if figure.source.trim().is_empty() {
                limits.broken(key(".source"), "empty", "the publication and the derivation");
            }
            if figure.memory_bytes == Some(0) {
                limits.broken(key(".memory_bytes"), 0, "the size of a memory, or left out");
            }
        }
        limits.finish(place)
    }

    /// The figures as they apply to a chip: those of memories scaled to its sizes, leakage summed up. This is the form
    /// to count with.
    ///
    /// # Errors
    /// When the technology is not complete: see [`Technology::validate`]. One that was loaded always is.
    pub fn costs(&self, chip: &Chip) -> Result<Costs, FileError> {
        self.validate()?;
        let mut values = [0.0; Event::ALL.len()];
        for (value, (&event, figure)) in values.iter_mut().zip(&self.figures) {
            let scale = match (figure.memory_bytes, event.memory_bytes(&chip.memory)) {
                (Some(reference), Some(bytes)) => (bytes as f64 / f64::from(reference)).sqrt(),
                _ => 1.0,
            };
            *value = figure.value * scale;
        }
        Ok(Costs { values, memory_kib: memory_bytes(&chip.memory) as f64 / 1024.0, lanes: chip.core.lanes.into() })
    }
}

/// What each event costs on one chip, pJ (leakage: mW). Index it with an [`Event`].
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// In the order of [`Event::ALL`].
    values: [f64; Event::ALL.len()],
    memory_kib: f64,
    lanes: f64,
}

impl Costs {
    /// What one core of the chip leaks with its router, all its lanes and all its memories, mW.
    pub fn leakage_per_core_mw(&self) -> f64 {
        self[Event::LeakagePerCore]
            + self.lanes * self[Event::LeakagePerLane]
            + self.memory_kib * self[Event::LeakagePerMemoryKib]
    }
}

impl Index<Event> for Costs {
    type Output = f64;

    fn index(&self, event: Event) -> &f64 {
        &self.values[event as usize]
    }
}

/// Bytes of every memory of a core: data, instructions, two banks of the active set (a bit and 32 bits an axon), routes
/// (counted as 32 bits each).
fn memory_bytes(memory: &Memory) -> u64 {
    let data = [memory.synapse_bytes, memory.neuron_bytes, memory.axon_bytes].map(u64::from).iter().sum::<u64>();
    data + 4 * u64::from(memory.instruction_words)
        + (2 * 33 * u64::from(memory.axons)).div_ceil(8)
        + 4 * u64::from(memory.routes)
}
