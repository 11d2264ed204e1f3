//! Chip files: built in or from a path, their defaults, and the limits a chip must keep.

use crate::load::CHIP_REMEDY;
use crate::{Array, Bill, Chip, Core, Design, Host, HostPort, Key, Memory, Side, Technology, Topology};
use onward_diagnostic::Remedy;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

/// The chips that every copy of the program knows: name and text of the file.
pub const BUILTIN_CHIPS: &[(&str, &str)] = &[
    ("small", include_str!("../../../programs/chips/small.toml")),
    ("middle", include_str!("../../../programs/chips/middle.toml")),
    ("middle-8-lanes", include_str!("../../../programs/chips/middle-8-lanes.toml")),
    ("large", include_str!("../../../programs/chips/large.toml")),
    ("convolution", include_str!("../../../programs/chips/convolution.toml")),
    ("wide", include_str!("../../../programs/chips/wide.toml")),
];

/// Cycles the longest link within a chip adds.
const LONGEST_LINK: u16 = 64;
/// Cycles the longest link between chips adds.
const LONGEST_CHIP_LINK: u16 = 1024;
/// Ports of a router at which cores, and on a torus host ports, can sit.
const LOCAL_PORTS: u16 = 4;
/// The values a chip file need not say. Sizes are near published digital chips: see `programs/chips/middle.toml`.
pub(crate) mod default {
    use super::{HostPort, Side};

    macro_rules! defaults {
        ($($name:ident: $type:ty = $value:expr;)*) => {
            $(pub(crate) const fn $name() -> $type { $value })*
        };
    }

    defaults! {
        clock_hz: u64 = 500_000_000;
        barrier_cycles: u32 = 8;
        cores_per_tile: u16 = 1;
        buffer_flits: u16 = 4;
        link_cycles: u16 = 0;
        multicast_trees: u16 = 1024;
        lanes: u16 = 16;
        vector_length: u16 = 256;
        blocks: u16 = 16;
        dispatch_cycles: u16 = 4;
        instruction_words: u32 = 4096;
        synapse_bytes: u32 = 208 * 1024;
        neuron_bytes: u32 = 24 * 1024;
        axon_bytes: u32 = 24 * 1024;
        axons: u32 = 4096;
        routes: u32 = 4096;
    }

    pub(crate) fn technology() -> String {
        "45nm".to_owned()
    }

    /// One port, west of the northernmost row.
    pub(crate) fn ports() -> Vec<HostPort> {
        vec![HostPort { side: Side::West, position: 0 }]
    }
}

impl Default for Core {
    fn default() -> Self {
        Core {
            lanes: default::lanes(),
            vector_length: default::vector_length(),
            blocks: default::blocks(),
            dispatch_cycles: default::dispatch_cycles(),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            instruction_words: default::instruction_words(),
            synapse_bytes: default::synapse_bytes(),
            neuron_bytes: default::neuron_bytes(),
            axon_bytes: default::axon_bytes(),
            axons: default::axons(),
            routes: default::routes(),
            protection: Default::default(),
        }
    }
}

impl Default for Host {
    fn default() -> Self {
        Host { ports: default::ports() }
    }
}

/// What is wrong with a chip or technology file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Neither a built-in name nor a path that exists.
    #[error("no {kind} `{name}`: built in are {}", builtin.join(", "))]
    Unknown {
        /// "chip" or "technology".
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        builtin: Vec<&'static str>,
    },
    /// The file is there but could not be read as text.
    #[error("{path}: cannot read the {kind} file: {cause}")]
    Read {
        /// "chip" or "technology".
        kind: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Not TOML, a key that is missing or that nobody knows, or a value of the wrong kind.
    #[error("{place}: {message}")]
    Syntax {
        /// File, line and column.
        place: String,
        /// What the TOML reader said.
        message: String,
        /// What such a file needs.
        remedy: &'static str,
    },
    /// Values outside their limits; all of them.
    #[error("{place}: {}", problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))]
    Limits {
        /// The file, or the name of what was checked.
        place: String,
        /// At least one.
        problems: Vec<Problem>,
    },
}

impl Remedy for FileError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        match self {
            FileError::Unknown { .. } => Some("for one of your own, give the path of a .toml file that exists".into()),
            FileError::Read { .. } => Some("check that it is a readable text file".into()),
            FileError::Syntax { remedy, .. } => Some((*remedy).into()),
            FileError::Limits { .. } => None,
        }
    }
}

/// One value outside its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, as in the file: `core.lanes`.
    pub key: String,
    /// What it is.
    pub found: String,
    /// What it must be.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {} but must be {}", self.key, self.found, self.expected)
    }
}

impl Chip {
    /// The built-in chip `name`.
    ///
    /// # Errors
    /// [`FileError::Unknown`], with the names there are.
    pub fn builtin(name: &str) -> Result<Chip, FileError> {
        match BUILTIN_CHIPS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Chip::parse(&format!("built-in chip `{name}`"), text),
            None => Err(unknown("chip", BUILTIN_CHIPS, name)),
        }
    }

    /// The built-in chip of that name, or else the chip file at that path: the chip of [`Design::load`].
    ///
    /// # Errors
    /// When there is neither, the file is not a chip within the limits of [`Chip::validate`], or its clock, barrier or supply
    /// voltage cannot exist in its technology.
    pub fn load(name_or_path: &str) -> Result<Chip, FileError> {
        Ok(Design::load(name_or_path, &[], None)?.chip)
    }

    /// The chip that the text of a chip file describes; `place` is what messages call the file. Whether its clock can
    /// exist is not asked, unless it is to be the highest.
    ///
    /// # Errors
    /// When the text is not TOML, has an unknown or lacks a required key, or breaks a limit of [`Chip::validate`].
    pub fn parse(place: &str, text: &str) -> Result<Chip, FileError> {
        let mut chip: Chip = parse(place, text, CHIP_REMEDY)?;
        chip.check_limits(place)?;
        if chip.clock_hz == Chip::HIGHEST_CLOCK {
            chip.clock_hz = Bill::of(&chip, &Technology::load(&chip.technology)?)?.highest_clock_hz;
        }
        Ok(chip)
    }

    /// The limits of a chip whose clock may still be the highest, whatever that is.
    pub(crate) fn check_limits(&self, place: &str) -> Result<(), FileError> {
        if self.clock_hz != Chip::HIGHEST_CLOCK {
            return self.check(place);
        }
        Chip { clock_hz: default::clock_hz(), ..self.clone() }.check(place)
    }

    /// Checks every limit that the fields' descriptions state, and that: sizes are not 0; bytes of a memory are a
    /// multiple of 4 and at most 1 GiB; instruction words, axons and routes are at most 2^20; there is a host port, each
    /// on a row or column of the mesh, no two at the same place.
    ///
    /// # Errors
    /// [`FileError::Limits`] with all that is broken.
    pub fn validate(&self) -> Result<(), FileError> {
        self.check(&format!("chip `{}`", self.name))
    }

    fn check(&self, place: &str) -> Result<(), FileError> {
        let mut limits = Limits::default();
        if self.name.trim().is_empty() {
            limits.broken("name", "empty", "a name");
        }
        if self.technology.trim().is_empty() {
            limits.broken("technology", "empty", "the name or path of a technology file");
        }
        limits.key("clock_hz", self.clock_hz);
        if let Some(millivolts) = self.voltage_mv {
            limits.key("voltage_mv", millivolts.into());
        }
        self.check_mesh(&mut limits);
        self.check_core(&mut limits);
        self.check_host(&mut limits);
        limits.finish(place)
    }

    fn check_mesh(&self, limits: &mut Limits) {
        limits.key("mesh.width", self.mesh.width.into());
        limits.key("mesh.height", self.mesh.height.into());
        limits.key("mesh.buffer_flits", self.mesh.buffer_flits.into());
        limits.key("mesh.cores_per_tile", self.mesh.cores_per_tile.into());
        limits.key("mesh.link_cycles", self.mesh.link_cycles.into());
        limits.key("mesh.multicast_trees", self.mesh.multicast_trees.into());
        if let Some(array) = &self.mesh.array {
            self.check_array(array, limits);
        }
        // Where links lead is asked of a mesh whose size is sound.
        if limits.problems.is_empty()
            && let Some(found) = self.mesh.broken_defects()
        {
            limits.broken("mesh.defects", found, "cores and links of the chip, each once, ascending");
        }
        let link = self.mesh.longest_link();
        // A link that is too long is told of as that.
        let between_chips = link > self.mesh.link_cycles;
        let longest = if between_chips { LONGEST_CHIP_LINK } else { LONGEST_LINK };
        let least = if link > longest { 1 } else { u32::from(link).max(1) };
        if self.barrier_cycles < least {
            let key = if between_chips { "mesh.array.link_cycles" } else { "mesh.link_cycles" };
            let why = if link > 1 {
                format!(" (`{key}`), as the last credits of a step take so long")
            } else {
                String::new()
            };
            limits.broken("barrier_cycles", self.barrier_cycles, format!("{least} or more{why}"));
        }
    }

    fn check_array(&self, array: &Array, limits: &mut Limits) {
        for (key, chips, line, tiles) in [
            ("mesh.array.width", array.width, "width", self.mesh.width),
            ("mesh.array.height", array.height, "height", self.mesh.height),
        ] {
            if chips == 0 || !tiles.is_multiple_of(chips) {
                limits.broken(key, chips, format!("chips that share the mesh's {line} of {tiles} tiles equally"));
            }
        }
        limits.key("mesh.array.link_cycles", array.link_cycles.into());
        let most = array.link_cycles.saturating_add(1).min(256);
        if !(1..=most).contains(&array.cycles_per_flit) {
            let why = "no more than `mesh.array.link_cycles` + 1, as a flit is there when its last part is";
            limits.broken("mesh.array.cycles_per_flit", array.cycles_per_flit, format!("1 to {most}: {why}"));
        }
    }

    fn check_core(&self, limits: &mut Limits) {
        let (core, memory) = (&self.core, &self.memory);
        // A multiple of 64 is a multiple of every lane count; memories are also seen as rows of 32-bit elements.
        for (key, value) in [
            ("core.lanes", core.lanes.into()),
            ("core.vector_length", core.vector_length.into()),
            ("core.blocks", core.blocks.into()),
            ("core.dispatch_cycles", core.dispatch_cycles.into()),
            ("memory.instruction_words", memory.instruction_words),
            ("memory.axons", memory.axons),
            ("memory.routes", memory.routes),
            ("memory.synapse_bytes", memory.synapse_bytes),
            ("memory.neuron_bytes", memory.neuron_bytes),
            ("memory.axon_bytes", memory.axon_bytes),
        ] {
            limits.key(key, value.into());
        }
    }

    fn check_host(&self, limits: &mut Limits) {
        if self.host.ports.is_empty() {
            limits.broken("host.ports", "empty", "at least one port: { side = \"west\", position = 0 }");
        }
        let mut places = HashSet::new();
        for (index, port) in self.host.ports.iter().enumerate() {
            let (line, lines) = match port.side {
                Side::West | Side::East => ("row", self.mesh.height),
                Side::North | Side::South => ("column", self.mesh.width),
            };
            let key = format!("host.ports[{index}].position");
            if lines == 0 {
                continue; // reported with the mesh
            } else if port.position >= lines {
                limits.broken(key, port.position, format!("a {line} of the mesh, 0 to {}", lines - 1));
            } else if !places.insert((port.side, port.position)) {
                limits.broken(key, port.position, "a place that no other port has");
            }
        }
        if self.mesh.topology == Topology::Torus {
            self.check_torus_ports(limits);
        }
    }

    /// On a torus a host port takes a port of its router that no core has.
    fn check_torus_ports(&self, limits: &mut Limits) {
        let (width, height) = (u32::from(self.mesh.width), u32::from(self.mesh.height));
        let left = LOCAL_PORTS.saturating_sub(self.mesh.cores_per_tile);
        let mut taken: HashMap<u32, u16> = HashMap::new();
        for (index, port) in self.host.ports.iter().enumerate() {
            let Some(router) = port.router(width, height) else { continue };
            let here = taken.entry(router).or_default();
            *here += 1;
            if *here > left && self.mesh.cores_per_tile <= LOCAL_PORTS {
                limits.broken(
                    format!("host.ports[{index}].position"),
                    port.position,
                    format!(
                        "a router with a port left: on a torus one has 4 for cores and host ports, and \
                         `mesh.cores_per_tile` takes {}",
                        self.mesh.cores_per_tile
                    ),
                );
            }
        }
    }

    /// Bytes of data memory a core has: synapses, neurons and axons. Active sets, routes and instructions are apart.
    pub fn data_memory_bytes(&self) -> u64 {
        [self.memory.synapse_bytes, self.memory.neuron_bytes, self.memory.axon_bytes].map(u64::from).iter().sum()
    }
}

/// Collects values outside their limits, so that one run tells a person all of them.
#[derive(Default)]
pub(crate) struct Limits {
    problems: Vec<Problem>,
}

impl Limits {
    pub(crate) fn broken(&mut self, key: impl Into<String>, found: impl fmt::Display, expected: impl Into<String>) {
        self.problems.push(Problem { key: key.into(), found: found.to_string(), expected: expected.into() });
    }

    /// Checks a number against the table of keys.
    fn key(&mut self, name: &str, value: u64) {
        if let Some(key) = Key::named(name).filter(|key| !key.allows(value)) {
            self.broken(name, value, key.allowed());
        }
    }

    pub(crate) fn range<T: PartialOrd + fmt::Display>(&mut self, key: &str, value: T, lowest: T, highest: T) {
        if value < lowest || value > highest {
            self.broken(key, value, format!("{lowest} to {highest}"));
        }
    }

    pub(crate) fn finish(self, place: &str) -> Result<(), FileError> {
        match self.problems.is_empty() {
            true => Ok(()),
            false => Err(FileError::Limits { place: place.to_owned(), problems: self.problems }),
        }
    }
}

/// The error for a name that is not `builtin`.
pub(crate) fn unknown(kind: &'static str, builtin: &[(&'static str, &str)], name: &str) -> FileError {
    FileError::Unknown { kind, name: name.to_owned(), builtin: builtin.iter().map(|(known, _)| *known).collect() }
}

/// What messages call the file, and its text. A built-in name comes first: a file of the same name in the working
/// directory is reached as `./name`.
pub(crate) fn read(
    kind: &'static str,
    builtin: &[(&'static str, &'static str)],
    name_or_path: &str,
) -> Result<(String, Cow<'static, str>), FileError> {
    if let Some((name, text)) = builtin.iter().find(|(name, _)| *name == name_or_path) {
        return Ok((format!("built-in {kind} `{name}`"), Cow::Borrowed(text)));
    }
    let path = Path::new(name_or_path);
    if !path.exists() {
        return Err(unknown(kind, builtin, name_or_path));
    }
    match onward_diagnostic::read_text(path) {
        Ok(text) => Ok((name_or_path.to_owned(), Cow::Owned(text))),
        Err(cause) => Err(FileError::Read { kind, path: name_or_path.to_owned(), cause }),
    }
}

/// Reads TOML; an error names the line and column where the reader knows them.
pub(crate) fn parse<T: DeserializeOwned>(place: &str, text: &str, remedy: &'static str) -> Result<T, FileError> {
    toml::from_str(text).map_err(|error| {
        // A key missing at the top has no line of its own to point at.
        let nowhere = |start| start == 0 && error.message().starts_with("missing field");
        let place = match error.span().filter(|span| !nowhere(span.start)) {
            Some(span) => {
                let before = text.get(..span.start).unwrap_or(text);
                let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
                format!("{place}:{}:{column}", before.matches('\n').count() + 1)
            }
            None => place.to_owned(),
        };
        FileError::Syntax { place, message: error.message().to_owned(), remedy }
    })
}
