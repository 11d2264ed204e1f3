//! What went through each router, over the whole run.

use onward_image::Tile;

/// Totals of one router. Inputs are in the order north, east, south, west, local; an input on the edge of the mesh is a
/// host port's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouterUsage {
    /// Which router.
    pub tile: Tile,
    /// Flits that entered each input: traversals of the link that ends there, or flits the core or host port sent.
    pub entered: [u64; 5],
    /// The most flits each input's buffer held.
    pub highest_occupancy: [u16; 5],
    /// Flits given to the core, or to a host port at this router.
    pub ejected: u64,
}

impl RouterUsage {
    /// Nothing yet.
    pub(super) fn new(tile: Tile) -> RouterUsage {
        RouterUsage { tile, entered: [0; 5], highest_occupancy: [0; 5], ejected: 0 }
    }

    /// Adds what another mesh counted at the same router (another thread's share of the steps).
    pub fn add(&mut self, other: &RouterUsage) {
        debug_assert_eq!(self.tile, other.tile);
        self.ejected += other.ejected;
        for input in 0..5 {
            self.entered[input] += other.entered[input];
            self.highest_occupancy[input] = self.highest_occupancy[input].max(other.highest_occupancy[input]);
        }
    }
}
