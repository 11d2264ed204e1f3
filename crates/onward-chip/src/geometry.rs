//! Where the links of a mesh lead, and which way packets take: what tables, checks and trees share.

use crate::{HostPort, Mesh, Side, Topology};

/// A direction of a link: the number of its port, in the order of round robin.
pub type Direction = usize;

/// Toward row `y - 1`.
const NORTH: Direction = 0;
/// Toward column `x + 1`.
const EAST: Direction = 1;
/// Toward row `y + 1`.
const SOUTH: Direction = 2;
/// Toward column `x - 1`.
const WEST: Direction = 3;

impl Mesh {
    /// A mesh of so many tiles with a core each, buffers of 4 flits and all else as where a chip file says nothing.
    pub fn of(width: u16, height: u16) -> Mesh {
        use crate::files::default;
        Mesh {
            width,
            height,
            cores_per_tile: default::cores_per_tile(),
            topology: Topology::default(),
            buffer_flits: default::buffer_flits(),
            link_cycles: default::link_cycles(),
            multicast_trees: default::multicast_trees(),
            array: None,
            defects: crate::Defects::default(),
        }
    }

    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }

    /// Number of cores.
    pub fn cores(&self) -> usize {
        self.tiles() * usize::from(self.cores_per_tile)
    }

    /// Column and row of a tile.
    pub fn coordinates(&self, tile: u32) -> (u16, u16) {
        let width = u32::from(self.width);
        ((tile % width) as u16, (tile / width) as u16)
    }

    /// The tile whose router the output in a direction (0 to 3: north, east, south, west) leads to; `None` where the
    /// mesh ends. On a torus it ends nowhere, but a ring of a single router has no links.
    pub fn neighbour(&self, tile: u32, direction: Direction) -> Option<u32> {
        let (x, y) = self.coordinates(tile);
        let wraps = self.topology == Topology::Torus;
        let step = |at: u16, length: u16, up: bool| match (up, at) {
            _ if length == 1 => None,
            (true, at) if at + 1 < length => Some(at + 1),
            (true, _) => wraps.then_some(0),
            (false, 0) => wraps.then_some(length - 1),
            (false, at) => Some(at - 1),
        };
        let (x, y) = match direction {
            NORTH => (x, step(y, self.height, false)?),
            EAST => (step(x, self.width, true)?, y),
            SOUTH => (x, step(y, self.height, true)?),
            _ => (step(x, self.width, false)?, y),
        };
        Some(u32::from(y) * u32::from(self.width) + u32::from(x))
    }

    /// Whether the output in a direction leads over the dateline of its ring: from the last router of a row or column
    /// to the first, or back.
    pub fn crosses_dateline(&self, tile: u32, direction: Direction) -> bool {
        let (x, y) = self.coordinates(tile);
        self.topology == Topology::Torus
            && match direction {
                NORTH => y == 0,
                EAST => x + 1 == self.width,
                SOUTH => y + 1 == self.height,
                _ => x == 0,
            }
    }

    /// The chip of the array that a tile is on, numbered from the north-west, row by row; 0 where there is one chip.
    pub fn chip_of(&self, tile: u32) -> u32 {
        let Some(array) = &self.array else { return 0 };
        let (x, y) = self.coordinates(tile);
        let part = |at: u16, chips: u16, tiles: u16| u32::from(at) * u32::from(chips) / u32::from(tiles);
        part(y, array.height, self.height) * u32::from(array.width) + part(x, array.width, self.width)
    }

    /// Whether the output in a direction leads to a router of another chip.
    pub fn leaves_chip(&self, tile: u32, direction: Direction) -> bool {
        self.neighbour(tile, direction).is_some_and(|to| self.chip_of(tile) != self.chip_of(to))
    }

    /// Cycles that the link behind the output in a direction adds, and cycles from one flit on it to the next.
    pub fn link(&self, tile: u32, direction: Direction) -> (u16, u16) {
        match &self.array {
            Some(array) if self.leaves_chip(tile, direction) => (array.link_cycles, array.cycles_per_flit),
            _ => (self.link_cycles, 1),
        }
    }

    /// Cycles that the longest link adds.
    pub fn longest_link(&self) -> u16 {
        self.array.as_ref().map_or(self.link_cycles, |array| self.link_cycles.max(array.link_cycles))
    }

    /// Which way a packet goes from the router of one tile to that of another: first along the row, then along the
    /// column; on a torus the shorter way round, and where both are of one length, east or south from an even column or
    /// row, west or north from an odd one. `None` at the goal.
    pub fn direction(&self, from: u32, to: u32) -> Option<Direction> {
        self.direction_between(self.coordinates(from), self.coordinates(to))
    }

    /// The same of columns and rows.
    #[inline]
    pub fn direction_between(&self, (x, y): (u16, u16), (to_x, to_y): (u16, u16)) -> Option<Direction> {
        if let Some(up) = self.goes_up(x, to_x, self.width) {
            return Some(if up { EAST } else { WEST });
        }
        self.goes_up(y, to_y, self.height).map(|up| if up { SOUTH } else { NORTH })
    }

    /// Whether the way from one place in a row or column to another leads to higher numbers; `None` if it is there.
    pub fn goes_up(&self, at: u16, to: u16, length: u16) -> Option<bool> {
        if at == to {
            return None;
        }
        if self.topology == Topology::Mesh {
            return Some(to > at);
        }
        let up = u32::from(to) + if to > at { 0 } else { u32::from(length) } - u32::from(at);
        let down = u32::from(length) - up;
        Some(up < down || (up == down && at.is_multiple_of(2)))
    }
}

impl HostPort {
    /// The tile whose router the port sits at, on a mesh of so many columns and rows; `None` beyond its edge.
    pub fn router(&self, width: u32, height: u32) -> Option<u32> {
        let position = u32::from(self.position);
        let length = if matches!(self.side, Side::North | Side::South) { width } else { height };
        (position < length).then_some(match self.side {
            Side::North => position,
            Side::East => position * width + width.saturating_sub(1),
            Side::South => height.saturating_sub(1) * width + position,
            Side::West => position * width,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Array;

    #[test]
    fn a_torus_goes_the_shorter_way_round_and_parts_ties_by_the_column() {
        let torus = Mesh { topology: Topology::Torus, ..Mesh::of(6, 1) };
        let directions: Vec<_> = (0..6).map(|to| torus.direction(0, to)).collect();
        assert_eq!(directions, [None, Some(EAST), Some(EAST), Some(EAST), Some(WEST), Some(WEST)]);
        assert_eq!(torus.direction(1, 4), Some(WEST), "three links either way, from an odd column");
        assert_eq!((torus.neighbour(5, EAST), torus.neighbour(0, WEST)), (Some(0), Some(5)));
        assert_eq!((torus.neighbour(0, NORTH), torus.neighbour(0, SOUTH)), (None, None), "a ring of one router");
        assert!(torus.crosses_dateline(5, EAST) && torus.crosses_dateline(0, WEST) && !torus.crosses_dateline(0, EAST));
    }

    #[test]
    fn links_between_chips_are_those_between_routers_of_different_chips() {
        let array = Array { width: 2, height: 1, link_cycles: 9, cycles_per_flit: 4 };
        let mesh = Mesh { array: Some(array), ..Mesh::of(4, 2) };
        let crossings: Vec<_> = (0..8).filter(|&tile| mesh.leaves_chip(tile, EAST)).collect();
        assert_eq!(crossings, [1, 5]);
        assert!((0..8).all(|tile| !mesh.leaves_chip(tile, SOUTH)));
        assert_eq!((mesh.link(1, EAST), mesh.link(0, EAST), mesh.longest_link()), ((9, 4), (0, 1), 9));
        let torus = Mesh { topology: Topology::Torus, ..mesh };
        assert!(torus.leaves_chip(3, EAST) && torus.leaves_chip(0, WEST), "the way round leads to the first chip");
    }
}
