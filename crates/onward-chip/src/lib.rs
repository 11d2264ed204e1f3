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

mod chip;
mod files;
mod geometry;
mod technology;

pub use chip::{Array, Chip, Core, Host, HostPort, Memory, Mesh, Side, Topology};
pub use files::{BUILTIN_CHIPS, FileError, Problem};
pub use geometry::Direction;
pub use technology::{BUILTIN_TECHNOLOGIES, Costs, Event, Figure, Technology};
