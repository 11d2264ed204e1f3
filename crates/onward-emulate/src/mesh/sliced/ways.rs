//! Where a flit may go, on any mesh: from an input of a router, by its route, to inputs of others.

use super::super::flit::{LINKS, PORTS, Route, SECOND};
use super::super::tables::Tables;
use onward_chip::Topology;
use onward_image::{Endpoint, Tile};

/// An input of a router, as [`RouterUsage`](super::super::RouterUsage) counts them. Sorted by tile, then input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub tile: Tile,
    pub input: usize,
}

/// What a flit does at a place: a port it leaves by, and the place and the route behind that, unless an endpoint is.
pub(super) type Branch = (usize, Option<(Place, Route)>);

/// A link between two routers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    /// Cycles from a grant to the flit being visible behind it, and from a flit leaving to its credit being usable.
    pub flight: usize,
    /// Cycles from a grant to the next.
    pub spacing: usize,
}

impl Tables {
    /// The input an endpoint sends into.
    pub(super) fn place_of(&self, endpoint: Endpoint) -> Place {
        let Some((tile, port)) = self.attachment(endpoint) else {
            panic!("a sender {endpoint:?}, which the chip does not have")
        };
        Place { tile, input: port.trailing_zeros() as usize }
    }

    /// The route to a destination as a router sees it.
    pub(super) fn route_at(&self, tile: Tile, destination: u32) -> Route {
        self.steered(self.targets[destination as usize].route, tile)
    }

    /// What a flit does at a place.
    pub(super) fn branches(&self, place: Place, route: Route) -> Vec<Branch> {
        let outputs = (0..PORTS).filter(|port| route.wanted() >> port & 1 == 1);
        let behind = |port: usize| {
            if port >= LINKS {
                return None;
            }
            let tile = self.neighbour(place.tile, port)?;
            let onward = if route.goal().is_some() { route } else { route.child(port, &self.nodes) };
            let input = (port ^ 2) + if self.takes_second(place, port) { SECOND } else { 0 };
            Some((Place { tile, input }, self.steered(onward, tile)))
        };
        outputs.map(|port| (port, behind(port))).collect()
    }

    /// Whether what leaves a place by a link goes into the second channel.
    fn takes_second(&self, from: Place, direction: usize) -> bool {
        // What goes on in the same direction stays in its channel; what turns, or comes in, begins in the first.
        let in_second = from.input == SECOND + (direction ^ 2);
        self.mesh.topology == Topology::Torus && (in_second || self.mesh.crosses_dateline(from.tile.0, direction))
    }

    /// The link from a router in a direction.
    pub(super) fn link(&self, tile: Tile, direction: usize) -> Link {
        let (link_cycles, cycles_per_flit) = self.mesh.link(tile.0, direction);
        Link { flight: 1 + usize::from(link_cycles), spacing: usize::from(cycles_per_flit) }
    }

    /// Whether what leaves by a port goes to another chip.
    pub(super) fn leaves_chip(&self, tile: Tile, port: usize) -> bool {
        port < LINKS && self.mesh.leaves_chip(tile.0, port)
    }
}
