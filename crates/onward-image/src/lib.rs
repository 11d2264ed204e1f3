//! The image: what the compiler makes and the emulator runs, and its file format (`.onw`).
//!
//! An [`Image`] is self-describing: the chip it was linked for, the network it came from with its text, programs,
//! blocks with the contents of their memories, routes and multicast trees. A file of it carries magic, version and
//! checksum; whatever the bytes of a file, reading it gives an image whose parts fit each other, or one clear error.
//!
//! ```
//! use onward_image::{Image, ImageError};
//! assert!(matches!(Image::from_bytes(b"something else"), Err(ImageError::Foreign)));
//! ```

mod check;
mod detour;
mod file;
mod image;
mod index;
mod multicast;
mod route;
mod summary;
mod traffic;
mod tree;
mod usage;

pub use detour::{Detours, WrongWay};
pub use file::{ImageError, VERSION};
pub use image::{
    Augmentation, Block, Delivery, Encoding, FITTED, Flit, FractionBits, Growth, HostInput, HostInputKind, Image,
    Kernel, Learned, NetworkSummary, Order, Plane, Population, PopulationKind, Program, Proof, Route, Schedule, Symbol,
    Tag,
};
pub use index::{BlockIndex, PopulationIndex, ProgramIndex, indices};
pub use multicast::{MulticastTrees, Takers};
pub use route::{Core, Destination, Endpoint, Tile, Tree, TreeIndex, port};
pub use summary::Input;
pub use traffic::{BlockTraffic, HostTraffic, RouteTraffic, Traffic};
pub use tree::{attachment, dimension_order_tree};
pub use usage::{CoreUsage, Limit};
