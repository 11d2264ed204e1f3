//! What went through each router, over the whole run.

use onward_image::Tile;

/// Inputs a router can have.
pub const INPUTS: usize = 12;

/// Totals of one router. Inputs are in the order north, east, south, west, then those of the cores (local), then, on a
/// torus, the second virtual channels of north, east, south and west (8 to 11). An input on the edge of a mesh is a host
/// port's; on a torus host ports come after the cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouterUsage {
    /// Which router.
    pub tile: Tile,
    /// Flits that entered each input: traversals of the link that ends there, or flits the core or host port sent.
    pub entered: [u64; INPUTS],
    /// The most flits each input's buffer held.
    pub highest_occupancy: [u16; INPUTS],
    /// Flits given to the cores, or to a host port at this router.
    pub ejected: u64,
    /// Flits it sent to a router of another chip.
    pub crossings: u64,
}

impl RouterUsage {
    /// Nothing yet.
    pub(super) fn new(tile: Tile) -> RouterUsage {
        RouterUsage { tile, entered: [0; INPUTS], highest_occupancy: [0; INPUTS], crossings: 0, ejected: 0 }
    }

    /// Adds what another mesh counted at the same router (another thread's share of the steps).
    pub fn add(&mut self, other: &RouterUsage) {
        debug_assert_eq!(self.tile, other.tile);
        self.ejected += other.ejected;
        self.crossings += other.crossings;
        for input in 0..INPUTS {
            self.entered[input] += other.entered[input];
            self.highest_occupancy[input] = self.highest_occupancy[input].max(other.highest_occupancy[input]);
        }
    }
}
