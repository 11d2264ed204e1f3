//! Trees from the dimension order: the union of the x-then-y paths from a source to its destinations.

use std::collections::BTreeMap;

use onward_chip::{HostPort, Mesh, Side};

use crate::route::{Endpoint, Tile, Tree, port};

/// Where an endpoint meets the mesh: its router, and the port of that router it is attached to (a bit of [`port`]).
///
/// `None` if there is no such tile or host port, or if the host port lies beyond the edge of the mesh.
pub fn attachment(endpoint: Endpoint, mesh: &Mesh, host_ports: &[HostPort]) -> Option<(Tile, u8)> {
    let (width, height) = (u32::from(mesh.width), u32::from(mesh.height));
    let host = match endpoint {
        Endpoint::Core(tile) => return (tile.0 < width * height).then_some((tile, port::LOCAL)),
        Endpoint::Host(index) => host_ports.get(usize::from(index))?,
    };
    let position = u32::from(host.position);
    let length = match host.side {
        Side::North | Side::South => width,
        Side::East | Side::West => height,
    };
    if position >= length {
        return None;
    }
    Some(match host.side {
        Side::North => (Tile(position), port::NORTH),
        Side::East => (Tile(position * width + width - 1), port::EAST),
        Side::South => (Tile((height - 1) * width + position), port::SOUTH),
        Side::West => (Tile(position * width), port::WEST),
    })
}

/// The multicast tree made of the dimension-ordered path (first x, then y) from `source` to each of `destinations`.
///
/// Paths share every router they have in common, so a packet crosses a link once however many destinations lie behind
/// it. A destination may be the source itself, and may be named twice (it still gets one packet). Without destinations
/// the tree has no branches.
///
/// # Panics
/// If an endpoint is not on the mesh ([`attachment`] says so beforehand).
pub fn dimension_order_tree(mesh: &Mesh, host_ports: &[HostPort], source: Endpoint, destinations: &[Endpoint]) -> Tree {
    let width = u32::from(mesh.width);
    let locate = |endpoint| match attachment(endpoint, mesh, host_ports) {
        Some(place) => place,
        None => panic!("{endpoint:?} is not on a mesh of {} x {} tiles", mesh.width, mesh.height),
    };
    let (Tile(start), _) = locate(source);
    let mut branches = BTreeMap::<Tile, u8>::new();
    for &destination in destinations {
        let (Tile(end), last_port) = locate(destination);
        let mut at = start;
        while at != end {
            let (x, y) = (at % width, at / width);
            let (end_x, end_y) = (end % width, end / width);
            let (direction, next) = if x < end_x {
                (port::EAST, at + 1)
            } else if x > end_x {
                (port::WEST, at - 1)
            } else if y < end_y {
                (port::SOUTH, at + width)
            } else {
                (port::NORTH, at - width)
            };
            *branches.entry(Tile(at)).or_default() |= direction;
            at = next;
        }
        *branches.entry(Tile(end)).or_default() |= last_port;
    }
    Tree { source, branches: branches.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mesh(width: u16, height: u16) -> Mesh {
        Mesh { width, height, buffer_flits: 4, link_cycles: 0, multicast_trees: 16 }
    }

    #[test]
    fn paths_go_along_the_row_first_and_share_what_they_have_in_common() {
        // Tile 0 to tiles 5 (x 2, y 1) and 8 (x 2, y 2) of a 3 x 3 mesh: both by way of 1, 2 and 5.
        let destinations = [Endpoint::Core(Tile(5)), Endpoint::Core(Tile(8))];
        let tree = dimension_order_tree(&mesh(3, 3), &[], Endpoint::Core(Tile(0)), &destinations);
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
        assert_eq!(attachment(Endpoint::Core(Tile(4)), &mesh, &ports), None);
        assert_eq!(attachment(Endpoint::Host(0), &mesh, &ports), None);
        assert_eq!(attachment(Endpoint::Host(1), &mesh, &ports), None);
        assert_eq!(attachment(Endpoint::Core(Tile(3)), &mesh, &ports), Some((Tile(3), port::LOCAL)));
    }
}
