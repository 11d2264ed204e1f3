//! What a mesh looks up and never changes: its size, host ports, trees and destinations, checked.

use std::collections::{HashMap, VecDeque};

use onward_chip::{HostPort, Side};
use onward_image::{Core, Destination, Detours, Endpoint, Tile, Tree, WrongWay, attachment};

use super::error::{MeshError, TreeError};
use super::flit::{MOST_NODES, Route};
use super::traffic::{Burst, Timeline};

const DIRECTIONS: [&str; 4] = ["north", "east", "south", "west"];

/// A destination as a sender uses it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// Its route; a unicast has still to be steered.
    pub(super) route: Route,
    /// Who may use it; `None`: everyone.
    pub(super) source: Option<Endpoint>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) mesh: onward_chip::Mesh,
    /// The nodes of all trees, see [`Route`].
    pub(super) nodes: Vec<Route>,
    /// The destination table.
    pub(super) targets: Vec<Target>,
    host_ports: Vec<HostPort>,
    /// Host ports by their router and its outward port (a mask).
    host_at: HashMap<(Tile, u8), u16>,
    /// The order that ways keep to on a mesh with dead links (RT25), in place of that of the dimensions.
    detours: Option<Detours>,
}

impl Tables {
    /// Checks and makes the tables.
    pub(super) fn new(
        mesh: &onward_chip::Mesh,
        host_ports: &[HostPort],
        trees: &[Tree],
        destinations: &[Destination],
    ) -> Result<Tables, MeshError> {
        check_parameters(mesh)?;
        let mut tables = Tables {
            mesh: mesh.clone(),
            nodes: Vec::new(),
            targets: Vec::with_capacity(destinations.len()),
            host_ports: host_ports.to_vec(),
            host_at: HashMap::new(),
            detours: Detours::of(mesh, host_ports),
        };
        tables.place_host_ports()?;
        let mut roots = Vec::with_capacity(trees.len());
        for (index, tree) in trees.iter().enumerate() {
            roots.push(tables.add_tree(tree).map_err(|error| MeshError::Tree { tree: index, error })?);
            if tables.nodes.len() >= MOST_NODES {
                return Err(MeshError::TooManyBranches { most: MOST_NODES });
            }
        }
        for (index, &destination) in destinations.iter().enumerate() {
            let target = match destination {
                Destination::Unicast(endpoint) => {
                    let (tile, last_port) = tables
                        .attachment(endpoint)
                        .ok_or(MeshError::UnknownEndpoint { destination: index, endpoint })?;
                    let (x, y) = tables.coordinates(tile);
                    Target { route: Route::unicast(x, y, last_port.trailing_zeros() as u8), source: None }
                }
                Destination::Multicast(tree) => match roots.get(usize::from(tree.0)) {
                    Some(&root) => Target { route: root, source: Some(trees[usize::from(tree.0)].source) },
                    None => {
                        return Err(MeshError::UnknownTree { destination: index, tree, trees: trees.len() });
                    }
                },
            };
            tables.targets.push(target);
        }
        Ok(tables)
    }

    /// Router and port (a mask) of an endpoint.
    pub(super) fn attachment(&self, endpoint: Endpoint) -> Option<(Tile, u8)> {
        attachment(endpoint, &self.mesh, &self.host_ports)
    }

    /// The endpoint at a port (a mask) of a router that does not lead to another router.
    pub(super) fn endpoint(&self, tile: Tile, port_mask: u8) -> Endpoint {
        match self.host_at.get(&(tile, port_mask)) {
            Some(&host) => Endpoint::Host(host),
            None => Endpoint::Core(Core::on(tile, port_mask.trailing_zeros().saturating_sub(4), &self.mesh)),
        }
    }

    /// Column and row.
    pub(super) fn coordinates(&self, tile: Tile) -> (u8, u8) {
        let (x, y) = self.mesh.coordinates(tile.0);
        (x as u8, y as u8)
    }

    /// The router in a direction (0 to 3), if the mesh does not end there.
    pub(super) fn neighbour(&self, tile: Tile, direction: usize) -> Option<Tile> {
        self.mesh.neighbour(tile.0, direction).map(Tile)
    }

    /// The route as the router of a tile sees it: a unicast wants its next output, a multicast is as it was.
    pub(super) fn steered(&self, route: Route, tile: Tile) -> Route {
        let Some((x, y, port)) = route.goal() else { return route };
        let direction = self.mesh.direction_between(self.mesh.coordinates(tile.0), (x.into(), y.into()));
        route.wanting(direction.map_or(port, |direction| direction as u32))
    }

    /// Checks that a timeline uses destinations of the table, and no tree of another sender.
    pub(super) fn check_bursts(&self, timeline: &Timeline, bursts: &[Burst]) {
        for burst in bursts {
            let range = burst.first_destination as usize..(burst.first_destination + burst.destinations) as usize;
            for target in &self.targets[range] {
                let allowed = target.source.is_none_or(|source| source == timeline.endpoint);
                assert!(allowed, "{:?} sends into the tree of {:?}", timeline.endpoint, target.source);
            }
        }
    }

    fn place_host_ports(&mut self) -> Result<(), MeshError> {
        for (index, host) in self.host_ports.iter().enumerate() {
            let endpoint = Endpoint::Host(index as u16);
            let Some(place) = attachment(endpoint, &self.mesh, &self.host_ports) else {
                if host.router(self.mesh.width.into(), self.mesh.height.into()).is_some() {
                    return Err(MeshError::NoPortLeft { port: index, cores_per_tile: self.mesh.cores_per_tile });
                }
                let length = match host.side {
                    Side::North | Side::South => self.mesh.width,
                    Side::East | Side::West => self.mesh.height,
                };
                return Err(MeshError::HostPortBeyondEdge { port: index, position: host.position, length });
            };
            if let Some(first) = self.host_at.insert(place, index as u16) {
                return Err(MeshError::HostPortsCollide { first: usize::from(first), second: index });
            }
        }
        Ok(())
    }

    /// Checks a tree, adds its nodes but the first, and returns that.
    fn add_tree(&mut self, tree: &Tree) -> Result<Route, TreeError> {
        let (source, _) = self.attachment(tree.source).ok_or(TreeError::UnknownSource(tree.source))?;
        self.check_branches(tree)?;
        if let Some(detours) = &self.detours {
            detours.check_tree(source, tree).map_err(|wrong| match wrong {
                WrongWay::Dead { tile, direction } => TreeError::Dead { tile, direction: DIRECTIONS[direction] },
                WrongWay::UpAgain { tile, direction } => TreeError::UpAgain { tile, leaves: DIRECTIONS[direction] },
            })?;
        }
        let mut reached = vec![false; tree.branches.len()];
        let mut root = Route::default();
        // Routers to visit: the direction a packet goes when it comes there, and the place of the node.
        let mut queue = VecDeque::from([(source, None, None)]);
        while let Some((tile, came, place)) = queue.pop_front() {
            let branch =
                tree.branches.binary_search_by_key(&tile, |&(tile, _)| tile).map_err(|_| TreeError::NoBranch(tile))?;
            if std::mem::replace(&mut reached[branch], true) {
                return Err(TreeError::Twice(tile));
            }
            let (_, mask) = tree.branches[branch];
            let node = Route::multicast(mask, self.nodes.len());
            match place {
                None => root = node,
                Some(place) => self.nodes[place] = node,
            }
            for direction in (0..4).filter(|direction| mask >> direction & 1 == 1) {
                let next = self.neighbour(tile, direction);
                if next.is_none() && !self.host_at.contains_key(&(tile, 1 << direction)) {
                    return Err(TreeError::LeadsOff { tile, direction: DIRECTIONS[direction] });
                }
                let ordered = self.detours.is_some();
                if let Some(came) = came.filter(|&came| !ordered && !turn_allowed(came, direction, next.is_none())) {
                    return Err(TreeError::Turn { tile, came: DIRECTIONS[came], leaves: DIRECTIONS[direction] });
                }
                if let Some(next) = next {
                    queue.push_back((next, Some(direction), Some(self.nodes.len())));
                }
                self.nodes.push(Route::default());
            }
        }
        match reached.iter().position(|&reached| !reached) {
            Some(branch) => Err(TreeError::Unreached(tree.branches[branch].0)),
            None => Ok(root),
        }
    }

    /// Checks each branch of a tree for itself, and their order.
    fn check_branches(&self, tree: &Tree) -> Result<(), TreeError> {
        for (index, &(tile, mask)) in tree.branches.iter().enumerate() {
            if index > 0 && tree.branches[index - 1].0 >= tile {
                return Err(TreeError::OutOfOrder(tile));
            }
            if tile.0 as usize >= self.mesh.tiles() {
                return Err(TreeError::UnknownRouter(tile));
            }
            let known = |port: u32| {
                port < 4 + u32::from(self.mesh.cores_per_tile) || self.host_at.contains_key(&(tile, 1 << port))
            };
            if mask == 0 || (4..8).any(|port| mask >> port & 1 == 1 && !known(port)) {
                return Err(TreeError::Mask { tile, mask });
            }
        }
        Ok(())
    }
}

fn check_parameters(mesh: &onward_chip::Mesh) -> Result<(), MeshError> {
    let mut ranges = vec![
        ("width", mesh.width, 1, 256),
        ("height", mesh.height, 1, 256),
        ("cores_per_tile", mesh.cores_per_tile, 1, 4),
        ("buffer_flits", mesh.buffer_flits, 1, 64),
        ("link_cycles", mesh.link_cycles, 0, 64),
    ];
    if let Some(array) = &mesh.array {
        ranges.extend([
            ("array.width", array.width, 1, mesh.width),
            ("array.height", array.height, 1, mesh.height),
            ("array.link_cycles", array.link_cycles, 0, 1024),
            ("array.cycles_per_flit", array.cycles_per_flit, 1, 256),
        ]);
    }
    match ranges.into_iter().find(|&(_, value, least, most)| value < least || value > most) {
        Some((name, value, least, most)) => Err(MeshError::Parameter { name, value, least, most }),
        None => Ok(()),
    }
}

/// Whether a packet that came to a router going in one direction may leave in another. Going along a column it does not
/// turn, unless that takes it off the mesh: there it enters no buffer, so that nothing can wait for it.
fn turn_allowed(came: usize, leaves: usize, off_the_mesh: bool) -> bool {
    let along_row = came % 2 == 1;
    if along_row { leaves != (came ^ 2) } else { leaves == came || (leaves % 2 == 1 && off_the_mesh) }
}
