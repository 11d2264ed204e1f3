//! The ways of packets over the mesh, by the rules of `isa/router.md`: RT8, RT9, RT18 to RT20; and whether the channels on
//! them depend on each other in a circle.
//!
//! A channel is the buffer behind a link, of one virtual channel. A packet in one waits for room in the next on its way. Where
//! no chain of such waits leads back to its beginning, some packet can always move on: nothing deadlocks.

use crate::breach::{Breach, Rule};
use onward_chip::{Mesh, Side, Topology};
use onward_image::{Destination, Endpoint, Image, Tree, TreeIndex, attachment};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Directions in the order of a router's ports: north, east, south, west.
const DIRECTIONS: u32 = 4;
const NORTH: u32 = 0;
const EAST: u32 = 1;
const SOUTH: u32 = 2;
const WEST: u32 = 3;

/// The buffer behind a link, by where the link begins, its direction and its virtual channel. Outputs that lead off the mesh
/// are counted among them, with their port in place of the direction: what is taken there waits for nothing.
pub(crate) type Channel = (u32, u32, u32);

/// The way of a packet: the channels it comes through, and where it is taken; each a grant of an output.
pub(crate) type Way = Vec<Channel>;

/// The ways of all routes.
#[derive(Default)]
pub(crate) struct Ways {
    /// By sender and destination.
    ways: HashMap<(Endpoint, Destination), Way>,
    /// What a channel leads to, the outputs where packets are taken among them.
    next: BTreeMap<Channel, BTreeSet<Channel>>,
}

impl Ways {
    /// The way from a sender to a destination; nothing where there is none.
    pub fn way(&self, from: Endpoint, to: Destination) -> &[Channel] {
        self.ways.get(&(from, to)).map_or(&[], Vec::as_slice)
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.next.len()
    }

    /// All channels that what is in one of these may have to wait for.
    pub fn behind(&self, channels: impl Iterator<Item = Channel>) -> BTreeSet<Channel> {
        let mut waiting: Vec<Channel> = channels.collect();
        let mut found: BTreeSet<Channel> = BTreeSet::new();
        while let Some(channel) = waiting.pop() {
            if found.insert(channel) {
                waiting.extend(self.next.get(&channel).into_iter().flatten());
            }
        }
        found
    }
}

/// A mesh with its host ports.
struct Grid<'a> {
    image: &'a Image,
    mesh: &'a Mesh,
}

impl Grid<'_> {
    fn place(&self, tile: u32) -> (u32, u32) {
        let width = u32::from(self.mesh.width);
        (tile % width, tile / width)
    }

    /// The router behind a link; `None` where there is none.
    fn behind(&self, tile: u32, direction: u32) -> Option<u32> {
        let (width, height) = (u32::from(self.mesh.width), u32::from(self.mesh.height));
        let (x, y) = self.place(tile);
        let round = self.mesh.topology == Topology::Torus;
        let step = |at: u32, length: u32, up: bool| match (up, at) {
            (true, at) if at + 1 < length => Some(at + 1),
            (true, _) => (round && length > 1).then_some(0),
            (false, 0) => (round && length > 1).then(|| length - 1),
            (false, at) => Some(at - 1),
        };
        let (x, y) = match direction {
            EAST | WEST => (step(x, width, direction == EAST)?, y),
            _ => (x, step(y, height, direction == SOUTH)?),
        };
        Some(y * width + x)
    }

    /// Whether a link leads from the last router of a ring to the first, or back.
    fn crosses_dateline(&self, tile: u32, direction: u32) -> bool {
        let (x, y) = self.place(tile);
        let (width, height) = (u32::from(self.mesh.width), u32::from(self.mesh.height));
        self.mesh.topology == Topology::Torus
            && match direction {
                EAST => x + 1 == width,
                WEST => x == 0,
                SOUTH => y + 1 == height,
                _ => y == 0,
            }
    }

    /// Whether a link carries nothing (RT25).
    fn is_dead(&self, tile: u32, direction: u32) -> bool {
        let side = |direction: u32| [Side::North, Side::East, Side::South, Side::West][direction as usize];
        let named = |tile: u32, direction: u32| {
            self.mesh.defects.links.iter().any(|link| link.tile == tile && link.side == side(direction))
        };
        named(tile, direction)
            || self.behind(tile, direction).is_some_and(|other| named(other, (direction + 2) % DIRECTIONS))
    }

    /// The channel of a link for what came by another channel (RT19).
    fn channel(&self, tile: u32, direction: u32, before: Option<Channel>) -> Channel {
        let goes_on = before.is_some_and(|(_, came, channel)| came == direction && channel == 1);
        (tile, direction, u32::from(self.crosses_dateline(tile, direction) || goes_on))
    }

    /// Which way along a row or column, up or down (RT8, RT18); `None` where it is the place.
    fn goes_up(&self, at: u32, to: u32, length: u32) -> Option<bool> {
        if at == to {
            return None;
        }
        if self.mesh.topology == Topology::Mesh {
            return Some(to > at);
        }
        let up = (to + length - at) % length;
        Some(match (2 * up).cmp(&length) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => at.is_multiple_of(2),
        })
    }

    /// The direction of the next link toward a router.
    fn toward(&self, at: u32, to: u32) -> Option<u32> {
        let ((x, y), (to_x, to_y)) = (self.place(at), self.place(to));
        let along = self.goes_up(x, to_x, u32::from(self.mesh.width)).map(|up| if up { EAST } else { WEST });
        along.or_else(|| self.goes_up(y, to_y, u32::from(self.mesh.height)).map(|up| if up { SOUTH } else { NORTH }))
    }

    /// The router of an endpoint, and its port there.
    fn attached(&self, endpoint: Endpoint) -> Option<(u32, u32)> {
        let at = attachment(endpoint, self.mesh, &self.image.chip.host.ports);
        at.map(|(tile, port)| (tile.0, port.trailing_zeros()))
    }

    /// Whether a host port sits on that side of a router.
    fn has_port(&self, tile: u32, direction: u32) -> bool {
        let side = [Side::North, Side::East, Side::South, Side::West][direction as usize];
        let (width, height) = (u32::from(self.mesh.width), u32::from(self.mesh.height));
        self.image.chip.host.ports.iter().any(|port| port.side == side && port.router(width, height) == Some(tile))
    }
}

/// The ways of all routes of an image, and what is wrong with them.
pub(crate) fn ways(image: &Image, breaches: &mut Vec<Breach>) -> Ways {
    let grid = Grid { image, mesh: &image.chip.mesh };
    let mut ways = Ways::default();
    let host = image.host_inputs.iter().map(|input| (Endpoint::Host(image.host_port), &input.route));
    let blocks =
        image.blocks.iter().flat_map(|block| block.routes.iter().map(move |route| (Endpoint::Core(block.core), route)));
    for (from, route) in host.chain(blocks) {
        for flit in &route.flits {
            let key = (from, flit.destination);
            if ways.ways.contains_key(&key) {
                continue;
            }
            let way = match flit.destination {
                Destination::Unicast(to) => unicast(&grid, &mut ways, from, to),
                Destination::Multicast(tree) => multicast(&grid, &mut ways, from, tree),
            };
            match way {
                Ok(way) => {
                    ways.ways.insert(key, way);
                }
                Err(what) => {
                    let core = if let Endpoint::Core(core) = from { Some(core.0) } else { None };
                    let what = format!("route `{}`: {what}", route.name);
                    breaches.push(Breach { core, ..Breach::of(Rule::Deadlock, what) });
                    ways.ways.insert(key, Way::new());
                }
            }
        }
    }
    if let Some((tile, direction, _)) = circle(&ways.next) {
        let (x, y) = grid.place(tile);
        let side = ["north", "east", "south", "west"][direction as usize];
        let what = format!(
            "packets may wait for each other in a circle, by way of the link from tile ({x}, {y}) to the {side}"
        );
        breaches.push(Breach::of(Rule::Deadlock, what));
    }
    ways
}

fn unicast(grid: &Grid, ways: &mut Ways, from: Endpoint, to: Endpoint) -> Result<Way, String> {
    let outside = || "it begins or ends outside the mesh".to_owned();
    let (mut at, (to, port)) = (grid.attached(from).ok_or_else(outside)?.0, grid.attached(to).ok_or_else(outside)?);
    let mut before: Option<Channel> = None;
    let mut way = Way::new();
    while let Some(direction) = grid.toward(at, to) {
        if grid.is_dead(at, direction) {
            return Err(dead(grid, at));
        }
        let channel = grid.channel(at, direction, before);
        follow(ways, before, channel);
        before = Some(channel);
        way.push(channel);
        at = grid.behind(at, direction).ok_or("it leads off the mesh")?;
    }
    let taken = (at, port, 0);
    follow(ways, before, taken);
    way.push(taken);
    Ok(way)
}

fn multicast(grid: &Grid, ways: &mut Ways, from: Endpoint, tree: TreeIndex) -> Result<Way, String> {
    let number = tree.0;
    let tree: &Tree = grid.image.trees.get(tree).ok_or_else(|| format!("there is no tree {number}"))?;
    let outputs: BTreeMap<u32, u8> = tree.branches.iter().map(|(tile, mask)| (tile.0, *mask)).collect();
    let (start, _) = grid.attached(from).ok_or("it begins outside the mesh")?;
    let mut waiting: Vec<(u32, Option<Channel>)> = vec![(start, None)];
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let mut way = Way::new();
    while let Some((at, before)) = waiting.pop() {
        let (x, y) = grid.place(at);
        if !seen.insert(at) {
            return Err(format!("tree {number} comes to tile ({x}, {y}) twice"));
        }
        let mask = outputs.get(&at).ok_or_else(|| format!("tree {number} ends nowhere at tile ({x}, {y})"))?;
        for port in (0..u8::BITS).filter(|port| mask >> port & 1 == 1) {
            let behind = if port < DIRECTIONS { grid.behind(at, port) } else { None };
            let channel = match behind {
                Some(_) if grid.is_dead(at, port) => return Err(dead(grid, at)),
                Some(_) => grid.channel(at, port, before),
                None if port >= DIRECTIONS || grid.has_port(at, port) => (at, port, 0),
                None => return Err(format!("tree {number} leads off the mesh at tile ({x}, {y})")),
            };
            follow(ways, before, channel);
            way.push(channel);
            waiting.extend(behind.map(|behind| (behind, Some(channel))));
        }
    }
    match outputs.keys().find(|tile| !seen.contains(tile)) {
        Some(&tile) => {
            let (x, y) = grid.place(tile);
            Err(format!("tree {number} has an entry at tile ({x}, {y}), to which it does not lead"))
        }
        None => Ok(way),
    }
}

fn dead(grid: &Grid, tile: u32) -> String {
    let (x, y) = grid.place(tile);
    format!("it goes over a dead link of tile ({x}, {y})")
}

fn follow(ways: &mut Ways, before: Option<Channel>, channel: Channel) {
    ways.next.entry(channel).or_default();
    if let Some(before) = before {
        ways.next.entry(before).or_default().insert(channel);
    }
}

/// A channel that can be reached from itself.
fn circle(next: &BTreeMap<Channel, BTreeSet<Channel>>) -> Option<Channel> {
    // Channels to which nothing leads are taken away until none is left, or only those of circles and what lies behind.
    let mut leading: BTreeMap<Channel, usize> = next.keys().map(|&channel| (channel, 0)).collect();
    for channel in next.values().flatten() {
        *leading.entry(*channel).or_default() += 1;
    }
    let mut free: Vec<Channel> =
        leading.iter().filter(|(_, count)| **count == 0).map(|(&channel, _)| channel).collect();
    while let Some(channel) = free.pop() {
        leading.remove(&channel);
        for after in next.get(&channel).into_iter().flatten() {
            if let Some(count) = leading.get_mut(after) {
                *count -= 1;
                if *count == 0 {
                    free.push(*after);
                }
            }
        }
    }
    // From what is left a way that is followed long enough comes to a circle.
    let mut at = *leading.keys().next()?;
    let before = |channel: Channel| leading.keys().copied().find(|other| next[other].contains(&channel));
    for _ in 0..leading.len() {
        at = before(at)?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_found_and_a_tree_has_none() {
        let channel = |at: u32| (at, 0, 0);
        let graph = |edges: &[(u32, u32)]| {
            let mut next: BTreeMap<Channel, BTreeSet<Channel>> = BTreeMap::new();
            for &(from, to) in edges {
                next.entry(channel(to)).or_default();
                next.entry(channel(from)).or_default().insert(channel(to));
            }
            next
        };
        assert_eq!(circle(&graph(&[(0, 1), (1, 2), (0, 2), (2, 3)])), None);
        let found = circle(&graph(&[(0, 1), (1, 2), (2, 3), (3, 1), (3, 4), (4, 5)]));
        assert!(found.is_some_and(|(at, ..)| (1..4).contains(&at)), "{found:?}");
    }
}
