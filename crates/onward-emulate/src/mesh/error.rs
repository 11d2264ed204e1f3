//! What can be wrong with the tables a mesh is made from.

use onward_image::{Endpoint, Tile, TreeIndex};

/// Why a mesh cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeshError {
    /// A parameter of the mesh is out of its range.
    #[error("{name} is {value}, must be {least} to {most}")]
    Parameter {
        /// The parameter's name in the chip file.
        name: &'static str,
        /// Its value.
        value: u16,
        /// The least it may be.
        least: u16,
        /// The most it may be.
        most: u16,
    },
    /// A host port lies beyond the end of its edge.
    #[error("host port {port} is at position {position} of an edge of {length} routers")]
    HostPortBeyondEdge {
        /// Index of the host port.
        port: usize,
        /// Where it should be.
        position: u16,
        /// Routers on that edge.
        length: u16,
    },
    /// A torus's router has too few ports for its cores and host ports.
    #[error("host port {port} finds no port left at its router, which has {cores_per_tile} cores")]
    NoPortLeft {
        /// Index of the host port.
        port: usize,
        /// Cores at the router.
        cores_per_tile: u16,
    },
    /// Two host ports are in the same place.
    #[error("host ports {first} and {second} are in the same place")]
    HostPortsCollide {
        /// Index of the one.
        first: usize,
        /// Index of the other.
        second: usize,
    },
    /// An entry of the destination table names an endpoint that does not exist.
    #[error("destination {destination} is {endpoint:?}, which the chip does not have")]
    UnknownEndpoint {
        /// Index into the destination table.
        destination: usize,
        /// What it names.
        endpoint: Endpoint,
    },
    /// An entry of the destination table names a tree that does not exist.
    #[error("destination {destination} is multicast tree {}, but there are {trees} trees", tree.0)]
    UnknownTree {
        /// Index into the destination table.
        destination: usize,
        /// What it names.
        tree: TreeIndex,
        /// Number of trees.
        trees: usize,
    },
    /// A multicast tree is malformed.
    #[error("multicast tree {tree}: {error}")]
    Tree {
        /// Index of the tree.
        tree: usize,
        /// What is wrong with it.
        error: TreeError,
    },
    /// All trees together are larger than the emulator's tables.
    #[error("the multicast trees have more than {most} branches in all")]
    TooManyBranches {
        /// The most branches there may be.
        most: usize,
    },
}

/// What is wrong with a multicast tree.
///
/// On a mesh a cycle, and two branches that meet again, are reported as the turn they need: with the turns of the
/// dimension order alone there is one path from a router to another. On a torus there is one either way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The chip does not have the endpoint that sends into the tree.
    #[error("its source {0:?} does not exist")]
    UnknownSource(Endpoint),
    /// A branch is at a router that the mesh does not have.
    #[error("router {} is not on the mesh", .0.0)]
    UnknownRouter(Tile),
    /// The branches are not sorted by router, or name a router twice.
    #[error("the branch at router {} is out of order, or there twice", .0.0)]
    OutOfOrder(Tile),
    /// A branch has no output, or one that routers do not have.
    #[error("the branch at router {} has the output mask {mask:#b}", tile.0)]
    Mask {
        /// The router.
        tile: Tile,
        /// Its outputs.
        mask: u8,
    },
    /// A packet comes to a router for which the tree has no branch.
    #[error("it leads to router {}, which has no branch of it", .0.0)]
    NoBranch(Tile),
    /// An output leads off the mesh where no host port is.
    #[error("at router {} it leads {direction} off the mesh, where no host port is", tile.0)]
    LeadsOff {
        /// The router.
        tile: Tile,
        /// North, east, south or west.
        direction: &'static str,
    },
    /// A turn that dimension-ordered routing does not have.
    #[error("at router {} a packet that came going {came} leaves going {leaves}: not x, then y", tile.0)]
    Turn {
        /// The router.
        tile: Tile,
        /// North, east, south or west.
        came: &'static str,
        /// North, east, south or west.
        leaves: &'static str,
    },
    /// It goes over a dead link.
    #[error("at router {} it goes {direction}, where the link is dead", tile.0)]
    Dead {
        /// The router.
        tile: Tile,
        /// North, east, south or west.
        direction: &'static str,
    },
    /// On a mesh with dead links a packet goes up, then down.
    #[error("at router {} a packet that went down leaves going {leaves}, which is up again", tile.0)]
    UpAgain {
        /// The router.
        tile: Tile,
        /// North, east, south or west.
        leaves: &'static str,
    },
    /// It comes to a router twice: round a ring of a torus, or both ways.
    #[error("it comes to router {} twice", .0.0)]
    Twice(Tile),
    /// No packet from the source comes to a branch.
    #[error("the branch at router {} is not reached from the source", .0.0)]
    Unreached(Tile),
}
