//! Trees from the dimension order: the union of the x-then-y paths from a source to its destinations.

use std::collections::BTreeMap;

use onward_chip::{HostPort, Mesh, Side, Topology};

use crate::route::{Endpoint, Tile, Tree, port};

/// Where an endpoint meets the mesh: its router, and the port of that router it is attached to (a bit of [`port`]).
///
/// On a torus, all of whose sides are linked, the host ports of a router have the local ports after its cores, in the
/// order of the chip's list. `None` if there is no such core or host port, if the host port lies beyond the edge of the
/// mesh, or if its router has no port left.
pub fn attachment(endpoint: Endpoint, mesh: &Mesh, host_ports: &[HostPort]) -> Option<(Tile, u8)> {
    let (width, height) = (u32::from(mesh.width), u32::from(mesh.height));
    let index = match endpoint {
        Endpoint::Core(core) => {
            let place = (core.tile(mesh), port::local(core.number_on_tile(mesh)));
            return ((core.0 as usize) < mesh.cores()).then_some(place);
        }
        Endpoint::Host(index) => usize::from(index),
    };
    let host = host_ports.get(index)?;
    let router = host.router(width, height)?;
    let port = match mesh.topology {
        Topology::Mesh => match host.side {
            Side::North => port::NORTH,
            Side::East => port::EAST,
            Side::South => port::SOUTH,
            Side::West => port::WEST,
        },
        Topology::Torus => {
            let before = host_ports[..index].iter().filter(|other| other.router(width, height) == Some(router));
            let local = usize::from(mesh.cores_per_tile) + before.count();
            (local < port::LOCALS).then(|| port::local(local as u32))?
        }
    };
    Some((Tile(router), port))
}

/// The multicast tree made of the dimension-ordered path (first x, then y; on a torus the shorter way round, see
/// [`Mesh::direction`]) from `source` to each of `destinations`.
///
/// Paths share every router they have in common, so a packet crosses a link once however many destinations lie behind
/// it. A destination may be the source itself, and may be named twice (it still gets one packet). Without destinations
/// the tree has no branches.
///
/// # Panics
/// If an endpoint is not on the mesh ([`attachment`] says so beforehand).
pub fn dimension_order_tree(mesh: &Mesh, host_ports: &[HostPort], source: Endpoint, destinations: &[Endpoint]) -> Tree {
    let locate = |endpoint| match attachment(endpoint, mesh, host_ports) {
        Some(place) => place,
        None => panic!("{endpoint:?} is not on a mesh of {} x {} tiles", mesh.width, mesh.height),
    };
    let (Tile(start), _) = locate(source);
    let mut branches = BTreeMap::<Tile, u8>::new();
    for &destination in destinations {
        let (Tile(end), last_port) = locate(destination);
        let mut at = start;
        while let Some(direction) = mesh.direction(at, end) {
            *branches.entry(Tile(at)).or_default() |= 1 << direction;
            at = mesh.neighbour(at, direction).unwrap_or(end);
        }
        *branches.entry(Tile(end)).or_default() |= last_port;
    }
    Tree { source, branches: branches.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Core;

    fn mesh(width: u16, height: u16) -> Mesh {
        Mesh::of(width, height)
    }

    #[test]
    fn paths_go_along_the_row_first_and_share_what_they_have_in_common() {
        // Tile 0 to tiles 5 (x 2, y 1) and 8 (x 2, y 2) of a 3 x 3 mesh: both by way of 1, 2 and 5.
        let destinations = [Endpoint::Core(Core(5)), Endpoint::Core(Core(8))];
        let tree = dimension_order_tree(&mesh(3, 3), &[], Endpoint::Core(Core(0)), &destinations);
        let expected = vec![
            (Tile(0), port::EAST),
            (Tile(1), port::EAST),
            (Tile(2), port::SOUTH),
            (Tile(5), port::SOUTH | port::LOCAL),
            (Tile(8), port::LOCAL),
        ];
        assert_eq!(tree.branches, expected);
    }

    #[test]
    fn a_host_port_is_left_by_the_outward_side_of_its_router() {
        let ports = [HostPort { side: Side::West, position: 0 }, HostPort { side: Side::East, position: 1 }];
        let tree = dimension_order_tree(&mesh(2, 2), &ports, Endpoint::Host(0), &[Endpoint::Host(1)]);
        assert_eq!(tree.branches, vec![(Tile(0), port::EAST), (Tile(1), port::SOUTH), (Tile(3), port::EAST)]);
    }

    #[test]
    fn an_endpoint_beyond_the_mesh_has_no_attachment() {
        let ports = [HostPort { side: Side::North, position: 2 }];
        let mesh = mesh(2, 2);
        assert_eq!(attachment(Endpoint::Core(Core(4)), &mesh, &ports), None);
        assert_eq!(attachment(Endpoint::Host(0), &mesh, &ports), None);
        assert_eq!(attachment(Endpoint::Host(1), &mesh, &ports), None);
        assert_eq!(attachment(Endpoint::Core(Core(3)), &mesh, &ports), Some((Tile(3), port::LOCAL)));
    }

    #[test]
    fn each_core_of_a_tile_has_a_port_of_its_own() {
        let mesh = Mesh { cores_per_tile: 3, ..mesh(2, 1) };
        let ends = [Endpoint::Core(Core(0)), Endpoint::Core(Core(3)), Endpoint::Core(Core(5))];
        let tree = dimension_order_tree(&mesh, &[], Endpoint::Core(Core(2)), &ends);
        let expected = vec![(Tile(0), port::EAST | port::LOCAL), (Tile(1), port::local(0) | port::local(2))];
        assert_eq!(tree.branches, expected);
        assert_eq!(attachment(Endpoint::Core(Core(6)), &mesh, &[]), None);
    }

    #[test]
    fn on_a_torus_host_ports_have_the_ports_after_the_cores() {
        let mesh = Mesh { topology: Topology::Torus, cores_per_tile: 2, ..mesh(4, 4) };
        let corner = |side| HostPort { side, position: 0 };
        let ports = [corner(Side::West), corner(Side::North), corner(Side::East), corner(Side::West)];
        let place = |port| attachment(Endpoint::Host(port), &mesh, &ports);
        assert_eq!(place(0), Some((Tile(0), port::local(2))));
        assert_eq!(place(1), Some((Tile(0), port::local(3))));
        assert_eq!(place(2), Some((Tile(3), port::local(2))));
        assert_eq!(place(3), None, "its router has no port left");
        // From the corner one link west and one north, both round the edge.
        let tree = dimension_order_tree(&mesh, &ports, Endpoint::Host(0), &[Endpoint::Core(Core(30))]);
        assert_eq!(tree.branches, [(Tile(0), port::WEST), (Tile(3), port::NORTH), (Tile(15), port::LOCAL)]);
    }
}
