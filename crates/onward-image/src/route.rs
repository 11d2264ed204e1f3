//! Where packets go: endpoints on the mesh, multicast trees, routes.

use serde::{Deserialize, Serialize};

/// A router of the mesh: `y * width + x`, row 0 northernmost, column 0 westernmost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tile(pub u32);

/// Something that sends or takes packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Endpoint {
    /// The core of a tile, at its router's local port.
    Core(Tile),
    /// A host port: index into the chip's list of host ports. It sits on the outward side of its edge router.
    Host(u16),
}

/// Index of a [`Tree`] in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TreeIndex(pub u16);

/// What the header of a packet says of its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Destination {
    /// One endpoint, reached in dimension order: first along the row (x), then along the column (y).
    Unicast(Endpoint),
    /// All endpoints of a multicast tree.
    Multicast(TreeIndex),
}

/// The output ports of a router as bits of a mask.
pub mod port {
    /// Toward row `y - 1`.
    pub const NORTH: u8 = 1 << 0;
    /// Toward column `x + 1`.
    pub const EAST: u8 = 1 << 1;
    /// Toward row `y + 1`.
    pub const SOUTH: u8 = 1 << 2;
    /// Toward column `x - 1`.
    pub const WEST: u8 = 1 << 3;
    /// To the core of the tile.
    pub const LOCAL: u8 = 1 << 4;
}

/// A multicast tree: for each router it passes, the outputs a packet is copied to. A direction that leads off the mesh
/// leads to the host port there. Uses only the turns of dimension-ordered (x, then y) routing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// Who sends into the tree.
    pub source: Endpoint,
    /// `(router, mask of output ports)`, sorted by router, each router at most once, no empty mask.
    pub branches: Vec<(Tile, u8)>,
}
