//! What a packet to a route makes of traffic. It follows from the route alone, so it is known without timing.

use onward_chip::Direction;
use onward_emulate::Counters;
use onward_image::{Delivery, Destination, Endpoint, Image, Route, attachment};

/// What each packet sent to a route makes of traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteCost {
    /// Flits into the mesh.
    pub flits: u64,
    /// Links between routers that they cross.
    pub hops: u64,
    /// Those of them that lead to another chip of an array.
    pub crossings: u64,
    /// Times they find their tree in the table of a router.
    pub lookups: u64,
    /// Flits given to cores.
    pub to_cores: u64,
    /// Flits given to the host.
    pub to_host: u64,
}

impl RouteCost {
    /// What a packet from `source` to `route` makes of traffic.
    pub fn of(image: &Image, source: Endpoint, route: &Route) -> RouteCost {
        let deliveries = || route.flits.iter().flat_map(|flit| &flit.deliveries);
        let to_host = deliveries().filter(|delivery| matches!(delivery, Delivery::Host)).count() as u64;
        RouteCost {
            flits: route.flits.len() as u64,
            hops: route.flits.iter().map(|flit| hops(image, source, flit.destination)).sum(),
            crossings: route.flits.iter().map(|flit| crossings(image, source, flit.destination)).sum(),
            lookups: route.flits.iter().map(|flit| lookups(image, flit.destination)).sum(),
            to_cores: deliveries().count() as u64 - to_host,
            to_host,
        }
    }
}

/// Links between routers that a flit crosses on its way, copies of a multicast flit counted apart. Links to cores and
/// host ports are none of them. 0 for what is not on the mesh.
pub fn hops(image: &Image, source: Endpoint, destination: Destination) -> u64 {
    links_of(image, source, destination).len() as u64
}

/// Routers that a multicast flit passes; 0 of a unicast.
fn lookups(image: &Image, destination: Destination) -> u64 {
    match destination {
        Destination::Unicast(_) => 0,
        Destination::Multicast(tree) => image.trees.get(tree).map_or(0, |tree| tree.branches.len() as u64),
    }
}

/// Those of the [`hops`] that lead from one chip of an array to another.
pub fn crossings(image: &Image, source: Endpoint, destination: Destination) -> u64 {
    let mesh = &image.chip.mesh;
    let links = links_of(image, source, destination);
    links.iter().filter(|&&(tile, direction)| mesh.leaves_chip(tile, direction)).count() as u64
}

/// The links that a flit crosses: tile, and direction it is left in.
pub(crate) fn links_of(image: &Image, source: Endpoint, destination: Destination) -> Vec<(u32, Direction)> {
    let mesh = &image.chip.mesh;
    let router = |endpoint| Some(attachment(endpoint, mesh, &image.chip.host.ports)?.0.0);
    let mut links = Vec::new();
    match destination {
        Destination::Unicast(to) => {
            let (Some(mut at), Some(to)) = (router(source), router(to)) else { return links };
            while let Some(direction) = mesh.direction(at, to) {
                links.push((at, direction));
                at = mesh.neighbour(at, direction).unwrap_or(to);
            }
        }
        Destination::Multicast(tree) => {
            let branches = image.trees.get(tree).into_iter().flat_map(|tree| &tree.branches);
            for &(tile, ports) in branches {
                let leads_on =
                    |&direction: &Direction| ports >> direction & 1 == 1 && mesh.neighbour(tile.0, direction).is_some();
                links.extend((0..4).filter(leads_on).map(|direction| (tile.0, direction)));
            }
        }
    }
    links
}

/// Every source of packets with how many it sent to a route: host inputs first, then blocks.
pub(crate) fn sent(image: &Image, counters: &Counters) -> Vec<(Endpoint, u64, RouteCost)> {
    sent_routes(image, counters)
        .map(|(from, packets, route)| (from, packets, RouteCost::of(image, from, route)))
        .collect()
}

/// The same with the routes themselves.
pub(crate) fn sent_routes<'a>(
    image: &'a Image,
    counters: &'a Counters,
) -> impl Iterator<Item = (Endpoint, u64, &'a Route)> {
    let host = Endpoint::Host(image.host_port);
    let inputs = image.host_inputs.iter().zip(&counters.host_packets);
    let inputs = inputs.map(move |(input, &packets)| (host, packets, &input.route));
    let blocks = counters.blocks.iter().flat_map(|counted| {
        let block = &image.blocks[counted.block];
        block.routes.iter().zip(&counted.packets).map(|(route, &packets)| (Endpoint::Core(block.core), packets, route))
    });
    inputs.chain(blocks)
}
