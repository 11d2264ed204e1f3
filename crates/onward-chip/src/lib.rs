//! Chip and technology files: the parameters of a chip, their limits, what an event costs.
//!
//! A chip file (`programs/chips/*.toml`) says how large the mesh is, what a core holds and how fast things are. A
//! technology file (`programs/tech/*.toml`) says what each event costs in energy, each figure with its source. Both are
//! data: nothing in the emulator knows a particular chip.
//!
//! ```
//! let chip = onward_chip::Chip::builtin("small").unwrap();
//! assert_eq!((chip.mesh.width, chip.mesh.height), (2, 2));
//! ```

mod bill;
mod chip;
mod defects;
mod event;
mod family;
mod faults;
mod files;
mod floorplan;
mod geometry;
mod keys;
mod load;
mod ranges;
mod report;
mod technology;

pub use bill::{Bill, Costs, Leakage, Part, Path};
pub use chip::{
    Array, Chip, Core, Host, HostPort, IdleCores, Memory, Mesh, NEURON_WORD, Protection, SYNAPSE_WORD, Side, Topology,
};
pub use defects::{DeadLink, Defects};
pub use event::{Event, EventCosts};
pub use family::{Double, ROOM, family};
pub use faults::{CorePlace, Dead, Faults, FaultyMemory, LinkPlace, MemoryFaults, RouterPlace};
pub use files::{BUILTIN_CHIPS, FileError, Problem};
pub use floorplan::floor_plan;
pub use geometry::Direction;
pub use keys::{KEYS, Key, Toward, Values, key_tables, spare_table};
pub use load::Design;
pub use ranges::{Range, ratio_of_sums, ratio_range};
pub use report::{BillReport, ChipSummary, PartReport};
pub use technology::{BUILTIN_TECHNOLOGIES, Technology};
