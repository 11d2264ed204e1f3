//! The keys of a chip file: what they may be, what they mean, what moving one is paid with. Limits are checked against this
//! table, the book's tables are made from it, and a test moves every key of it.

use crate::Chip;
use std::fmt::Write;

/// What the value of a key may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Any text.
    Text,
    /// A number from the first to the second.
    Range(u64, u64),
    /// A multiple of the first, from the second to the third.
    Multiple(u64, u64, u64),
    /// One of these numbers.
    Numbers(&'static [u64]),
    /// One of these words.
    Words(&'static [&'static str]),
    /// A list of ports.
    Ports,
}

/// Which way a key can be moved without anything becoming worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// Lower values.
    Less,
    /// Higher values.
    More,
    /// Another word.
    Other,
}

/// A key of a chip file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name with its sections: `core.lanes`.
    pub name: &'static str,
    /// What it may be.
    pub values: Values,
    /// What it says.
    pub meaning: &'static str,
    /// What a circuit has more of, or has to wait for, when it grows.
    pub costs: &'static str,
    /// Why moving it that way may improve time, energy and area together: what is then paid with is none of the three.
    pub spare: Option<(Toward, &'static str)>,
}

/// What a smaller memory is paid with.
const CAPACITY: Option<(Toward, &str)> =
    Some((Toward::Less, "what it holds: networks that need more no longer fit; what this one leaves empty is waste"));

/// The largest number of entries of a core's tables.
const TABLE: u64 = 1 << 20;
/// The largest size of a byte-addressed memory: 1 GiB, far above any real core, so that a slip of the finger in a chip file
/// is an error and not an emulator out of memory.
const BYTES: u64 = 1 << 30;

macro_rules! keys {
    ($($name:literal $values:expr, $spare:expr, $meaning:literal, $costs:literal;)*) => {
        /// Every key of a chip file, section by section.
        pub const KEYS: &[Key] = &[$(Key {
            name: $name, values: $values, meaning: $meaning, costs: $costs, spare: $spare,
        },)*];
    };
}

keys! {
    "name" Values::Text, None, "what the chip is called", "nothing";
    "clock_hz" Values::Range(1, 1_000_000_000_000),
        Some((Toward::More, "nothing: a clock below the highest only leaks longer; what ends it is the longest path, and a lower \
            supply is what makes slower worth while")),
        "clock of all parts, Hz, or `\"highest\"`", "nothing by itself; the longest path ends it";
    "voltage_mv" Values::Range(1, 10_000),
        Some((Toward::Less, "the highest clock, which falls with it: as long as it stays above the chip's clock that is slack")),
        "supply, mV; left out, the technology's own", "energy with its square, leakage; a higher clock becomes possible";
    "barrier_cycles" Values::Range(1, u32::MAX as u64),
        Some((Toward::Less, "nothing: a barrier longer than its tree needs is waste; what ends it is the tree")),
        "cycles from the last core done and the mesh empty to the first cycle of the next step",
        "time; no fewer than the tree needs at this clock, nor than the longest link adds";
    "idle_cores" Values::Words(&["gated", "clocked"]),
        Some((Toward::Other, "the power switches' area, which only idle cores give back: where all cores work, they are waste")),
        "whether cores without a block are switched off, or wait like the others", "power switches, or leakage and clock";
    "technology" Values::Text,
        Some((Toward::Other, "money: a newer process costs more to have made")),
        "name of a built-in technology or path of a file, seen from the chip file", "everything";
    "mesh.width" Values::Range(1, 256),
        Some((Toward::Less, "cores: networks that need more no longer fit")),
        "tiles from west to east", "tiles with their leakage and clock, longer ways, a longer barrier";
    "mesh.height" Values::Range(1, 256),
        Some((Toward::Less, "cores: networks that need more no longer fit")),
        "tiles from north to south", "as width";
    "mesh.cores_per_tile" Values::Range(1, 4),
        Some((Toward::Less, "cores: networks that need more no longer fit")),
        "cores at each router", "cores, ports of the router, longer links";
    "mesh.topology" Values::Words(&["mesh", "torus"]),
        Some((Toward::Other, "the shorter ways of a ring: where traffic is light or stays near, they are waste")),
        "whether rows and columns are lines or rings", "a torus: twice the buffers at links, links twice as long";
    "mesh.buffer_flits" Values::Range(1, 64),
        Some((Toward::Less, "time where traffic is heavy: what this network never fills is waste")),
        "flits that an input buffer of a router holds", "flip-flops, their reading and clock gates, a longer path";
    "mesh.link_cycles" Values::Range(0, 64),
        Some((Toward::Less, "the highest clock, which a link within the router's cycle may lower")),
        "cycles a link adds to the router's one", "registers on each link, time";
    "mesh.multicast_trees" Values::Range(0, 65_535), CAPACITY,
        "trees that a router's table holds, and entries of a core's inlet table", "both tables, their reads and their time";
    "mesh.array.width" Values::Range(1, 256),
        Some((Toward::Less, "the size of a die: one large chip for several small ones")),
        "chips from west to east that the mesh is cut into", "pads, and energy and time between chips";
    "mesh.array.height" Values::Range(1, 256),
        Some((Toward::Less, "the size of a die: one large chip for several small ones")),
        "chips from north to south", "as width";
    "mesh.array.link_cycles" Values::Range(0, 1024),
        Some((Toward::Less, "nothing: more cycles than the way between chips takes are waste; what ends it is that way")),
        "cycles a link between chips adds", "time";
    "mesh.array.cycles_per_flit" Values::Range(1, 256),
        None, "cycles from one flit on it to the next", "time; fewer: pads";
    "core.lanes" Values::Numbers(&[4, 8, 16, 32, 64]), None,
        "elements the vector unit computes in a cycle", "lanes, banks, rotators, reduction tree";
    "core.vector_length" Values::Multiple(64, 64, 4096),
        Some((Toward::Less, "instructions for long vectors: what is longer than this network's vectors is waste")),
        "elements of a vector register", "registers and predicates, their reads and their time";
    "core.blocks" Values::Range(1, 65_535), CAPACITY,
        "blocks a core can hold", "the block table";
    "core.dispatch_cycles" Values::Range(1, 65_535), None,
        "cycles to start a block", "time; fewer: a wider block table";
    "memory.instruction_words" Values::Range(1, TABLE), CAPACITY,
        "32-bit words of instruction memory", "the memory, each fetch, its time";
    "memory.synapse_bytes" Values::Multiple(4, 4, BYTES), CAPACITY,
        "bytes of synapse memory: rows of weights", "the memory, each access, its time";
    "memory.neuron_bytes" Values::Multiple(4, 4, BYTES), CAPACITY,
        "bytes of neuron memory: membranes, biases, counts, targets, parameters", "as synapses";
    "memory.axon_bytes" Values::Multiple(4, 4, BYTES), CAPACITY,
        "bytes of axon memory: traces", "as synapses";
    "memory.axons" Values::Range(1, TABLE), CAPACITY,
        "input lines: entries of the active set", "two payload banks, three bits an axon, wider flits";
    "memory.routes" Values::Range(1, TABLE), CAPACITY,
        "entries of the output route table, one destination each", "the table, each flit sent, its time";
    "memory.protection" Values::Words(&["none", "parity", "ecc"]),
        Some((Toward::Other, "what becomes of bits that flip or stick: a memory that nothing protects says nothing of them")),
        "whether each word of synapse, neuron and axon memory has a parity bit, or a code that corrects a bit",
        "bits of each word, trees of gates on both sides of a bank, time";
    "host.ports" Values::Ports,
        Some((Toward::Less, "a second way in and out, which the host of this network does not use")),
        "ports of the host: `{ side = \"west\", position = 0 }` is west of row 0; the first one takes the inputs", "pads";
}

impl Key {
    /// The key of that name.
    pub fn named(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// What it is in a chip, as a chip file writes it; `None` where it is left out.
    pub fn value(&self, chip: &Chip) -> Option<String> {
        let mut value = &toml::Value::try_from(chip).ok()?;
        for part in self.name.split('.') {
            value = value.get(part)?;
        }
        Some(value.to_string())
    }

    /// What it may be, in words.
    pub fn allowed(&self) -> String {
        match self.values {
            Values::Text => "a text".to_owned(),
            Values::Range(lowest, highest) => format!("{lowest} to {highest}"),
            Values::Multiple(of, lowest, highest) => format!("a multiple of {of} from {lowest} to {highest}"),
            Values::Numbers(numbers) => either(numbers.iter().map(u64::to_string).collect()),
            Values::Words(words) => either(words.iter().map(|word| format!("`\"{word}\"`")).collect()),
            Values::Ports => "at least one port".to_owned(),
        }
    }

    /// Whether a number is allowed.
    pub fn allows(&self, number: u64) -> bool {
        match self.values {
            Values::Range(lowest, highest) => (lowest..=highest).contains(&number),
            Values::Multiple(of, lowest, highest) => number.is_multiple_of(of) && (lowest..=highest).contains(&number),
            Values::Numbers(numbers) => numbers.contains(&number),
            Values::Text | Values::Words(_) | Values::Ports => true,
        }
    }
}

/// `4, 8 or 16`.
fn either(mut words: Vec<String>) -> String {
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
        None => String::new(),
    }
}

/// The tables of the book: every key, section by section, with what is assumed where it is left out.
pub fn key_tables() -> String {
    let least = "name = \"least\"\n[mesh]\nwidth = 1\nheight = 1\n";
    let least = Chip::parse("least", least).ok();
    let mut text = String::new();
    let mut section = None;
    for key in KEYS {
        let (of, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        if section != Some(of) {
            section = Some(of);
            let title = if of.is_empty() { "At the top".to_owned() } else { format!("`[{of}]`") };
            let _ = write!(
                text,
                "\n{title}\n\n| key | values | if left out | what it says | what more of it costs |\n|---|---|---|---|---|\n"
            );
        }
        let must =
            ["name", "mesh.width", "mesh.height"].contains(&key.name) || of == "mesh.array" && key.name != "mesh.array";
        let default = match least.as_ref().and_then(|chip| key.value(chip)) {
            _ if must => "must be said".to_owned(),
            Some(value) => format!("`{value}`"),
            None => "the technology's".to_owned(),
        };
        let _ = writeln!(text, "| `{name}` | {} | {default} | {} | {} |", key.allowed(), key.meaning, key.costs);
    }
    text
}

/// The table of the book of what may be moved without a price in time, energy or area, and why.
pub fn spare_table() -> String {
    let mut text = String::from("| key | toward | what it is paid with |\n|---|---|---|\n");
    for key in KEYS {
        let Some((toward, why)) = key.spare else { continue };
        let toward = match toward {
            Toward::Less => "less",
            Toward::More => "more",
            Toward::Other => "another",
        };
        let _ = writeln!(text, "| `{}` | {toward} | {why} |", key.name);
    }
    text
}
