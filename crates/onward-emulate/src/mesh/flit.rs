//! What a flit carries through the emulated mesh: its route, in one word.
//!
//! On the chip a packet holds its destination, and each router derives from it the outputs it wants. Here the word
//! already holds the outputs wanted at the router the flit is in (or is on its way to); it is brought up to date when
//! the flit is granted an output. Two forms:
//!
//! ```text
//! unicast    1 | - (4 bits) | final port (3) | y (8) | x (8) | wanted outputs (8)
//! multicast  0 | index of the node's first child (23)        | wanted outputs (8)
//! ```
//!
//! A node is a router that a tree passes; it has a child for each of its outputs N, E, S, W that is in use, in this
//! order, next to each other in one table for all trees. (The child of an output that leads to a host port is never
//! looked at; it only keeps the index arithmetic uniform.)

/// Ports of a router, in the order in which round robin goes: north, east, south, west, then those of cores, and of host
/// ports where no edge is.
pub(super) const PORTS: usize = 8;

/// Ports that links lead from.
pub(super) const LINKS: usize = 4;

/// From an input of a link to that of its second virtual channel.
pub(super) const SECOND: usize = 8;

/// Multicast nodes that a word can tell apart.
pub(super) const MOST_NODES: usize = 1 << 23;

const WANTED: u32 = 0xFF;
const UNICAST: u32 = 1 << 31;

/// The route of a flit, see above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Route(u32);

impl Route {
    /// A route to the port `last_port` (an index) of the router at column `x`, row `y`; must be steered before use.
    pub(super) fn unicast(x: u8, y: u8, last_port: u8) -> Route {
        Route(UNICAST | u32::from(last_port) << 24 | u32::from(y) << 16 | u32::from(x) << 8)
    }

    /// A router that a tree passes: the outputs it copies to (a mask), and where its children start.
    pub(super) fn multicast(outputs: u8, first_child: usize) -> Route {
        debug_assert!(first_child < MOST_NODES);
        Route((first_child as u32) << 8 | u32::from(outputs))
    }

    /// The word itself: equal words go the same way.
    pub(super) fn word(self) -> u32 {
        self.0
    }

    /// The outputs wanted at the present router, a mask.
    #[inline]
    pub(super) fn wanted(self) -> u32 {
        self.0 & WANTED
    }

    /// The route of a multicast after the output `direction`.
    #[inline]
    pub(super) fn child(self, direction: usize, nodes: &[Route]) -> Route {
        let before = self.0 & ((1 << direction) - 1) & 0xF;
        // How many bits are set in a number below 16, from a table in a word.
        let rank = 0x4332_3221_3221_2110_u64 >> (4 * before) & 0xF;
        nodes[(self.0 >> 8) as usize + rank as usize]
    }

    /// Column, row and port where a unicast ends.
    #[inline]
    pub(super) fn goal(self) -> Option<(u8, u8, u32)> {
        (self.0 & UNICAST != 0).then_some(((self.0 >> 8) as u8, (self.0 >> 16) as u8, self.0 >> 24 & 7))
    }

    /// The same route where it wants one output.
    #[inline]
    pub(super) fn wanting(self, output: u32) -> Route {
        Route(self.0 & !WANTED | 1 << output)
    }
}
