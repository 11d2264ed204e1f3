//! What a packet to a route makes of traffic. It follows from the route alone, so it is known without timing.

use onward_emulate::Counters;
use onward_image::{Delivery, Destination, Endpoint, Image, Route, attachment, port};

/// What each packet sent to a route makes of traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteCost {
    /// Flits into the mesh.
    pub flits: u64,
    /// Links between routers that they cross.
    pub hops: u64,
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
            to_cores: deliveries().count() as u64 - to_host,
            to_host,
        }
    }
}

/// Links between routers that a flit crosses on its way, copies of a multicast flit counted apart. Links to cores and
/// host ports are none of them. 0 for what is not on the mesh.
pub fn hops(image: &Image, source: Endpoint, destination: Destination) -> u64 {
    let (width, height) = (u32::from(image.chip.mesh.width), u32::from(image.chip.mesh.height));
    let router = |endpoint| {
        let (tile, _) = attachment(endpoint, &image.chip.mesh, &image.chip.host.ports)?;
        Some((tile.0 % width, tile.0 / width))
    };
    match destination {
        Destination::Unicast(to) => match (router(source), router(to)) {
            (Some(from), Some(to)) => u64::from(from.0.abs_diff(to.0) + from.1.abs_diff(to.1)),
            _ => 0,
        },
        Destination::Multicast(tree) => {
            let branches = image.trees.get(usize::from(tree.0)).into_iter().flat_map(|tree| &tree.branches);
            let links = branches.map(|&(tile, ports)| {
                let (x, y) = (tile.0 % width, tile.0 / width);
                let inward = [
                    (port::NORTH, y > 0),
                    (port::EAST, x + 1 < width),
                    (port::SOUTH, y + 1 < height),
                    (port::WEST, x > 0),
                ];
                inward.iter().filter(|&&(port, leads_on)| leads_on && ports & port != 0).count() as u64
            });
            links.sum()
        }
    }
}

/// Every source of packets with how many it sent to a route: host inputs first, then blocks.
pub(crate) fn sent(image: &Image, counters: &Counters) -> Vec<(Endpoint, u64, RouteCost)> {
    let host = Endpoint::Host(image.host_port);
    let inputs =
        image.host_inputs.iter().zip(&counters.host_packets).map(|(input, &packets)| (host, packets, &input.route));
    let blocks = counters.blocks.iter().flat_map(|counted| {
        let block = &image.blocks[counted.block as usize];
        block.routes.iter().zip(&counted.packets).map(|(route, &packets)| (Endpoint::Core(block.tile), packets, route))
    });
    inputs.chain(blocks).map(|(from, packets, route)| (from, packets, RouteCost::of(image, from, route))).collect()
}
