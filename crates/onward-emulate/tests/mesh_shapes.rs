//! Tori, arrays of chips and tiles of several cores by their rules (`isa/router.md`).

use onward_chip::{Array, HostPort, Mesh as Shape, Side, Topology};
use onward_emulate::mesh::{Delivery, Mesh, MeshError, StepTiming, Traffic, TreeError};
use onward_image::{Core, Destination, Endpoint, Tile, Tree, TreeIndex, attachment, dimension_order_tree, port};

fn core(core: u32) -> Endpoint {
    Endpoint::Core(Core(core))
}

fn torus(width: u16, height: u16) -> Shape {
    Shape { topology: Topology::Torus, ..Shape::of(width, height) }
}

/// Packets from core to core, all from cycle 0 on.
fn run(shape: &Shape, packets: &[(u32, u32, u32)]) -> (Mesh, StepTiming, Vec<Delivery>) {
    let destinations: Vec<_> = packets.iter().map(|&(_, to, _)| Destination::Unicast(core(to))).collect();
    let mut mesh = Mesh::new(shape, &[], &[], &destinations).expect("the tables are sound");
    let mut traffic = Traffic::default();
    for (index, &(from, _, count)) in (0..).zip(packets) {
        traffic.burst(0, count, index..index + 1);
        traffic.finish(core(from), 0);
    }
    let mut deliveries = Vec::new();
    let timing = mesh.step_observed(&traffic, &mut deliveries);
    deliveries.sort();
    (mesh, timing, deliveries)
}

fn cycles_of(deliveries: &[Delivery], timeline: u32) -> Vec<u64> {
    deliveries.iter().filter(|delivery| delivery.timeline == timeline).map(|delivery| delivery.cycle).collect()
}

#[test]
fn the_dateline_example_of_the_router_page() {
    // A ring of four: from column 2 to column 0 both ways are of two links; from an even column it goes east, over the
    // dateline between 3 and 0, behind which it is in the second channel.
    let (mesh, timing, deliveries) = run(&torus(4, 1), &[(2, 0, 3), (3, 1, 3)]);
    assert_eq!(cycles_of(&deliveries, 0), [4, 5, 6]);
    let usage = mesh.usage();
    let entered: Vec<_> = usage.iter().map(|router| (router.tile.0, router.entered[3], router.entered[11])).collect();
    assert_eq!(entered, [(0, 0, 3), (1, 0, 0), (2, 0, 0), (3, 3, 0)]);
    // From column 3 to column 1 it goes west, by column 2, and crosses no dateline.
    assert_eq!(cycles_of(&deliveries, 1), [4, 5, 6]);
    assert_eq!(usage[1].entered[1], 3);
    assert_eq!((timing.hops, timing.crossings), (12, 0));
}

#[test]
fn a_turn_goes_back_to_the_first_channel() {
    // From (3, 3) to (0, 0): over the dateline of the row, then over that of the column.
    let (mesh, ..) = run(&torus(4, 4), &[(15, 0, 1), (13, 8, 1)]);
    let second: Vec<_> =
        mesh.usage().iter().filter(|router| router.entered[8..] != [0; 4]).map(|router| router.tile.0).collect();
    assert_eq!(second, [0, 12], "behind each dateline, and not in the column before it");
    // From (1, 3) west to (0, 3), north to (0, 2): no dateline at all.
    assert_eq!(mesh.usage().iter().find(|router| router.tile.0 == 8).map(|router| router.entered[2]), Some(1));
}

#[test]
fn the_example_of_two_chips_of_the_router_page() {
    let array = Array { width: 2, height: 1, link_cycles: 2, cycles_per_flit: 2 };
    let (mesh, timing, deliveries) = run(&Shape { array: Some(array), ..Shape::of(2, 1) }, &[(0, 1, 4)]);
    assert_eq!(cycles_of(&deliveries, 0), [5, 7, 9, 11]);
    assert_eq!(timing, StepTiming { cycles: 11, hops: 4, crossings: 4, ejected: 4, injected: 4 });
    assert_eq!(mesh.usage().iter().map(|router| router.crossings).collect::<Vec<_>>(), [4, 0]);
}

#[test]
fn cores_of_a_tile_reach_each_other_in_two_cycles_and_share_the_links() {
    let shape = Shape { cores_per_tile: 4, ..Shape::of(2, 1) };
    let (_, timing, deliveries) = run(&shape, &[(0, 3, 1), (1, 2, 1), (2, 1, 1), (3, 0, 1)]);
    assert!(deliveries.iter().all(|delivery| delivery.cycle == 2), "each output is its own: {deliveries:?}");
    assert_eq!((timing.hops, timing.ejected), (0, 4));
    // Four to the other tile over one link: one flit a cycle, by turns.
    let (_, timing, deliveries) = run(&shape, &[(0, 4, 5), (1, 5, 5), (2, 6, 5), (3, 7, 5)]);
    assert_eq!((timing.hops, timing.cycles), (20, 22));
    assert_eq!(cycles_of(&deliveries, 2), [5, 9, 13, 17, 21]);
}

/// The sum over the links of the way of one plus what each adds.
fn flight(shape: &Shape, from: u32, to: u32) -> (u64, u64) {
    let (mut at, mut cycles, mut links) = (from, 0, 0);
    while let Some(direction) = shape.direction(at, to) {
        cycles += 1 + u64::from(shape.link(at, direction).0);
        links += 1;
        at = shape.neighbour(at, direction).expect("a way leads along links");
    }
    (cycles, links)
}

#[test]
fn zero_load_latency_is_two_cycles_and_what_the_links_take() {
    let ports =
        [(Side::North, 0), (Side::East, 3), (Side::West, 0)].map(|(side, position)| HostPort { side, position });
    let array = Some(Array { width: 3, height: 2, link_cycles: 7, cycles_per_flit: 4 });
    let shapes = [
        torus(6, 4),
        Shape { link_cycles: 2, array: array.clone(), ..torus(6, 4) },
        Shape { cores_per_tile: 2, array, ..Shape::of(6, 4) },
        Shape { cores_per_tile: 2, ..torus(5, 4) },
    ];
    for shape in shapes {
        let hosts = (0..ports.len() as u16).map(Endpoint::Host);
        let endpoints: Vec<_> = (0..shape.cores() as u32).map(core).chain(hosts).collect();
        let destinations: Vec<_> = endpoints.iter().map(|&endpoint| Destination::Unicast(endpoint)).collect();
        let mut mesh = Mesh::new(&shape, &ports, &[], &destinations).expect("the tables are sound");
        for &from in &endpoints {
            for (index, &to) in (0..).zip(&endpoints) {
                let tile = |endpoint| attachment(endpoint, &shape, &ports).expect("it is on the mesh").0.0;
                let (links, hops) = flight(&shape, tile(from), tile(to));
                let mut traffic = Traffic::default();
                traffic.burst(3, 1, index..index + 1);
                traffic.finish(from, 0);
                let mut deliveries = Vec::new();
                let timing = mesh.step_observed(&traffic, &mut deliveries);
                let cycle = 3 + 2 + links;
                assert_eq!(deliveries, [Delivery { cycle, timeline: 0, flit: 0, endpoint: to }], "{from:?} to {to:?}");
                assert_eq!((timing.hops, timing.cycles), (hops, cycle));
                // A tree of one end takes the same way.
                let tree = dimension_order_tree(&shape, &ports, from, &[to]);
                let links: u64 = tree.branches.iter().map(|(_, mask)| u64::from((mask & 0xF).count_ones())).sum();
                let off_the_mesh = u64::from(shape.topology == Topology::Mesh && matches!(to, Endpoint::Host(_)));
                assert_eq!(links, hops + off_the_mesh);
            }
        }
    }
}

/// The channels of all ways of packets and of all trees: which one waits for which. There is no circle.
#[test]
fn channels_depend_on_each_other_in_no_circle() {
    for (width, height) in [(1, 1), (2, 2), (3, 1), (4, 3), (5, 5), (6, 4), (8, 8)] {
        for shape in [Shape::of(width, height), torus(width, height)] {
            let tiles = shape.tiles() as u32;
            let number =
                |tile: u32, direction: usize, second: bool| tile as usize * 8 + direction + 4 * usize::from(second);
            let mut follows = vec![std::collections::BTreeSet::new(); tiles as usize * 8];
            for (from, to) in (0..tiles).flat_map(|from| (0..tiles).map(move |to| (from, to))) {
                let (mut at, mut before) = (from, None);
                while let Some(direction) = shape.direction(at, to) {
                    let stays = matches!(before, Some((way, true, _)) if way == direction);
                    let second = shape.crosses_dateline(at, direction) || stays;
                    let channel = number(at, direction, second);
                    if let Some((_, _, before)) = before {
                        let before: usize = before;
                        follows[before].insert(channel);
                    }
                    before = Some((direction, second, channel));
                    at = shape.neighbour(at, direction).expect("a way leads along links");
                }
            }
            // Takes away channels that nothing follows, until none is left.
            let mut left: Vec<usize> = (0..follows.len()).collect();
            loop {
                let (free, bound): (Vec<_>, Vec<_>) =
                    left.iter().partition(|&&channel| follows[channel].iter().all(|next| !left.contains(next)));
                left = bound;
                if free.is_empty() {
                    break;
                }
            }
            assert_eq!(left, [], "{width} x {height}, {:?}: channels wait in a circle", shape.topology);
        }
    }
}

/// A ring whose flits all go over the same links, with buffers of one: without a second channel it stands still.
#[test]
fn full_rings_move_on() {
    for (width, height) in [(8, 1), (1, 8), (8, 8)] {
        for buffer_flits in 1..=2 {
            let shape = Shape { buffer_flits, ..torus(width, height) };
            let (width, height) = (u32::from(width), u32::from(height));
            let ahead = |tile: u32| {
                let (x, y) = (tile % width, tile / width);
                (y + height.div_ceil(2).saturating_sub(1)) % height * width
                    + (x + width.div_ceil(2).saturating_sub(1)) % width
            };
            let packets: Vec<_> = (0..width * height).map(|tile| (tile, ahead(tile), 60)).collect();
            let (_, timing, deliveries) = run(&shape, &packets);
            assert_eq!(timing.ejected, u64::from(width * height * 60));
            assert_eq!(deliveries.len() as u64, timing.ejected);
        }
    }
}

#[test]
fn a_full_channel_does_not_hold_up_the_other() {
    // In a ring of eight with buffers of one, the cores of columns 6 and 7 send over the dateline to column 1, on channel
    // 1, more than the core there can take; column 0 sends to column 2 over the same link, on channel 0.
    let shape = Shape { buffer_flits: 1, cores_per_tile: 2, ..torus(8, 1) };
    let alone = run(&shape, &[(1, 4, 40)]).1.cycles;
    let packets = [(12, 2, 40), (13, 2, 40), (14, 2, 40), (15, 2, 40), (2, 2, 40), (1, 4, 40)];
    let (_, timing, deliveries) = run(&shape, &packets);
    let last = cycles_of(&deliveries, 5).into_iter().max().expect("all are delivered");
    assert!(timing.cycles > 200, "the core of column 1 takes 200 flits, one a cycle");
    assert!(last < 2 * alone, "{last} cycles, and {alone} alone: it shares the link and waits for nothing else");
}

#[test]
fn bad_trees_on_a_torus_are_refused() {
    use port::{EAST, LOCAL, NORTH, WEST};
    let error = |shape: &Shape, branches: &[(u32, u8)]| {
        let branches = branches.iter().map(|&(tile, mask)| (Tile(tile), mask)).collect();
        match Mesh::new(shape, &[], &[Tree { source: core(0), branches }], &[]) {
            Err(MeshError::Tree { tree: 0, error }) => error,
            other => panic!("expected an error of the tree, got {other:?}"),
        }
    };
    // Round the ring, and both ways to one router.
    assert_eq!(error(&torus(3, 1), &[(0, EAST), (1, EAST), (2, EAST)]), TreeError::Twice(Tile(0)));
    assert_eq!(error(&torus(3, 1), &[(0, EAST | WEST), (1, EAST), (2, LOCAL)]), TreeError::Twice(Tile(2)));
    assert_eq!(
        error(&torus(3, 3), &[(0, NORTH), (6, EAST), (7, LOCAL)]),
        TreeError::Turn { tile: Tile(6), came: "north", leaves: "east" }
    );
    let leads_off = TreeError::LeadsOff { tile: Tile(0), direction: "north" };
    assert_eq!(error(&torus(3, 1), &[(0, NORTH)]), leads_off, "a ring of one router has no link");
    // Only ports at which something sits.
    let two_cores = Shape { cores_per_tile: 2, ..torus(3, 1) };
    let third = port::local(2);
    assert_eq!(error(&two_cores, &[(0, third)]), TreeError::Mask { tile: Tile(0), mask: third });
    let tree = Tree { source: core(0), branches: vec![(Tile(0), third | LOCAL)] };
    let ports = [HostPort { side: Side::North, position: 0 }];
    Mesh::new(&two_cores, &ports, &[tree], &[]).expect("the host port has the third");
}

#[test]
fn ports_and_arrays_that_do_not_fit_are_refused() {
    let corner = |side| HostPort { side, position: 0 };
    let shape = Shape { cores_per_tile: 3, ..torus(2, 2) };
    let error = Mesh::new(&shape, &[corner(Side::West), corner(Side::North)], &[], &[]).expect_err("one port is left");
    assert_eq!(error, MeshError::NoPortLeft { port: 1, cores_per_tile: 3 });
    let parameter = |shape: Shape| match Mesh::new(&shape, &[], &[], &[]) {
        Err(MeshError::Parameter { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(parameter(Shape { cores_per_tile: 5, ..Shape::of(2, 2) }), "cores_per_tile");
    let array = |width, link_cycles, cycles_per_flit| Array { width, height: 1, link_cycles, cycles_per_flit };
    for (array, name) in [
        (array(3, 0, 1), "array.width"),
        (array(2, 1025, 1), "array.link_cycles"),
        (array(2, 9, 0), "array.cycles_per_flit"),
    ] {
        assert_eq!(parameter(Shape { array: Some(array), ..Shape::of(2, 2) }), name);
    }
}

#[test]
fn what_a_tree_ends_at_is_told_by_core() {
    let shape = Shape { cores_per_tile: 3, ..torus(3, 3) };
    let ends = [core(1), core(2), core(13), core(26)];
    let tree = dimension_order_tree(&shape, &[], core(0), &ends);
    let mut mesh = Mesh::new(&shape, &[], &[tree], &[Destination::Multicast(TreeIndex(0))]).expect("sound");
    let mut traffic = Traffic::default();
    traffic.burst(0, 1, 0..1);
    traffic.finish(core(0), 0);
    let mut deliveries: Vec<Delivery> = Vec::new();
    mesh.step_observed(&traffic, &mut deliveries);
    let mut reached: Vec<_> = deliveries.iter().map(|delivery| delivery.endpoint).collect();
    reached.sort_unstable();
    assert_eq!(reached, ends);
}
