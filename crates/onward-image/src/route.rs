//! Where packets go: endpoints on the mesh, multicast trees, routes.

use onward_chip::Mesh;
use serde::{Deserialize, Serialize};

/// A router of the mesh: `y * width + x`, row 0 northernmost, column 0 westernmost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tile(pub u32);

/// A core: its tile times the cores a tile has, and its number there. Where a tile has one core, both have one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Core(pub u32);

impl Core {
    /// The tile it is on.
    pub fn tile(self, mesh: &Mesh) -> Tile {
        Tile(self.0 / u32::from(mesh.cores_per_tile).max(1))
    }

    /// Its number on its tile, from 0.
    pub fn number_on_tile(self, mesh: &Mesh) -> u32 {
        self.0 % u32::from(mesh.cores_per_tile).max(1)
    }

    /// The core of that number on a tile.
    pub fn on(tile: Tile, number: u32, mesh: &Mesh) -> Core {
        Core(tile.0 * u32::from(mesh.cores_per_tile) + number)
    }
}

/// Something that sends or takes packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Endpoint {
    /// A core, at a local port of its tile's router.
    Core(Core),
    /// A host port: index into the chip's list of host ports. On a mesh it sits on the outward side of its edge router, on
    /// a torus at a local port that no core has.
    Host(u16),
}

/// Index of a [`Tree`] in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TreeIndex(pub u16);

impl From<usize> for TreeIndex {
    fn from(index: usize) -> Self {
        debug_assert!(u16::try_from(index).is_ok());
        TreeIndex(index as u16)
    }
}

impl From<TreeIndex> for usize {
    fn from(index: TreeIndex) -> usize {
        index.0.into()
    }
}

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
    /// To the first core of the tile. Three more local ports follow, for further cores and, on a torus, host ports.
    pub const LOCAL: u8 = 1 << 4;

    /// Local ports a router can have.
    pub const LOCALS: usize = 4;

    /// The port of the core of this number on its tile.
    pub const fn local(number: u32) -> u8 {
        LOCAL << number
    }
}

/// A multicast tree: for each router it passes, the outputs a packet is copied to. A direction that leads off the mesh
/// leads to the host port there. Uses only the turns of dimension-ordered (x, then y) routing, or, on a chip with dead links,
/// those of [`Detours`](crate::Detours).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// Who sends into the tree.
    pub source: Endpoint,
    /// `(router, mask of output ports)`, sorted by router, each router at most once, no empty mask.
    pub branches: Vec<(Tile, u8)>,
}
