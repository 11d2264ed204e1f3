//! The mesh by its rules (`isa/router.md`): latency, the worked example, delivery, deadlock, fairness, bad tables.

use std::collections::BTreeMap;

use onward_chip::{HostPort, Side};
use onward_emulate::mesh::{Delivery, Mesh, MeshError, StepTiming, Traffic, TreeError};
use onward_image::{Core, Destination, Endpoint, Tile, Tree, TreeIndex, attachment, dimension_order_tree, port};
use proptest::prelude::*;

fn shape(width: u16, height: u16, buffer_flits: u16, link_cycles: u16) -> onward_chip::Mesh {
    onward_chip::Mesh { buffer_flits, link_cycles, ..onward_chip::Mesh::of(width, height) }
}

fn core(core: u32) -> Endpoint {
    Endpoint::Core(Core(core))
}

fn run(mesh: &mut Mesh, traffic: &Traffic) -> (StepTiming, Vec<Delivery>) {
    let mut deliveries = Vec::new();
    let timing = mesh.step_observed(traffic, &mut deliveries);
    deliveries.sort();
    (timing, deliveries)
}

/// The corners and some sides of a 4 x 4 mesh.
fn some_ports() -> Vec<HostPort> {
    [(Side::North, 0), (Side::North, 2), (Side::East, 3), (Side::South, 1), (Side::West, 0), (Side::West, 2)]
        .map(|(side, position)| HostPort { side, position })
        .to_vec()
}

#[test]
fn zero_load_latency_is_two_cycles_and_one_plus_link_cycles_a_hop() {
    let ports = some_ports();
    let endpoints: Vec<_> = (0..16).map(core).chain((0..ports.len() as u16).map(Endpoint::Host)).collect();
    for link_cycles in 0..=3 {
        let shape = shape(4, 4, 1, link_cycles);
        let destinations: Vec<_> = endpoints.iter().map(|&endpoint| Destination::Unicast(endpoint)).collect();
        let mut mesh = Mesh::new(&shape, &ports, &[], &destinations).expect("the tables are sound");
        for &from in &endpoints {
            for (index, &to) in endpoints.iter().enumerate() {
                let tile = |endpoint| attachment(endpoint, &shape, &ports).expect("it is on the mesh").0.0;
                let (start, end) = (tile(from), tile(to));
                let hops = u64::from((start % 4).abs_diff(end % 4) + (start / 4).abs_diff(end / 4));
                let mut traffic = Traffic::default();
                traffic.burst(7, 1, index as u32..index as u32 + 1);
                traffic.finish(from, 0);
                let (timing, deliveries) = run(&mut mesh, &traffic);
                let cycle = 7 + 2 + hops * (1 + u64::from(link_cycles));
                assert_eq!(deliveries, [Delivery { cycle, timeline: 0, flit: 0, endpoint: to }], "{from:?} to {to:?}");
                assert_eq!(
                    timing,
                    StepTiming { cycles: cycle, hops, ejected: 1, injected: 1, ..StepTiming::default() }
                );
            }
        }
    }
}

#[test]
fn the_worked_example_of_the_router_page() {
    let shape = shape(3, 1, 2, 0);
    let tree = dimension_order_tree(&shape, &[], core(0), &[core(1), core(2)]);
    let destinations = [Destination::Multicast(TreeIndex(0)), Destination::Unicast(core(2))];
    let mut mesh = Mesh::new(&shape, &[], &[tree], &destinations).expect("the tables are sound");
    let mut traffic = Traffic::default();
    traffic.burst(0, 4, 0..1);
    traffic.finish(core(0), 0);
    traffic.burst(0, 4, 1..2);
    traffic.finish(core(1), 0);
    let (timing, deliveries) = run(&mut mesh, &traffic);
    assert_eq!(timing, StepTiming { cycles: 10, hops: 12, ejected: 12, injected: 8, ..StepTiming::default() });
    assert_eq!(mesh.stalls(), [0, 1]);
    let at = |endpoint| -> Vec<_> {
        let there = deliveries.iter().filter(|delivery| delivery.endpoint == endpoint);
        there.map(|delivery| (delivery.cycle, delivery.timeline, delivery.flit)).collect()
    };
    assert_eq!(at(core(1)), [(3, 0, 0), (4, 0, 1), (6, 0, 2), (8, 0, 3)]);
    let at_core_2 = [(3, 1, 0), (4, 0, 0), (5, 1, 1), (6, 0, 1), (7, 1, 2), (8, 0, 2), (9, 1, 3), (10, 0, 3)];
    assert_eq!(at(core(2)), at_core_2);
}

#[test]
fn gaps_and_tails_count_even_where_nothing_is_sent() {
    let mut mesh = Mesh::new(&shape(2, 2, 1, 0), &[], &[], &[Destination::Unicast(core(1))]).expect("sound");
    let mut traffic = Traffic::default();
    assert_eq!(mesh.step(&traffic), StepTiming::default());
    traffic.finish(core(0), 9);
    traffic.burst(100, 0, 0..1);
    traffic.burst(20, 1, 0..0);
    traffic.finish(core(1), 3);
    assert_eq!(mesh.step(&traffic).cycles, 123);
    // Free from cycle 0; 100 and 20 without a flit, then 5: accepted in cycle 125, done 4 cycles after 126, and
    // delivered, two hops away, in cycle 129.
    traffic.burst(100, 0, 0..1);
    traffic.burst(20, 1, 0..0);
    traffic.burst(5, 1, 0..1);
    traffic.finish(core(2), 4);
    let timing = mesh.step(&traffic);
    assert_eq!(timing, StepTiming { cycles: 130, hops: 2, ejected: 1, injected: 1, ..StepTiming::default() });
}

/// All cores of a mesh send as fast as they can, `packets` packets each to the destination `of` names. Returns the
/// deliveries after checking that there is one for each packet.
fn saturate(shape: &onward_chip::Mesh, packets: u32, of: impl Fn(u32) -> u32) -> (StepTiming, Vec<Delivery>) {
    let tiles = shape.tiles() as u32;
    let destinations: Vec<_> = (0..tiles).map(|tile| Destination::Unicast(core(of(tile)))).collect();
    let mut mesh = Mesh::new(shape, &[], &[], &destinations).expect("the tables are sound");
    let mut traffic = Traffic::default();
    for tile in 0..tiles {
        traffic.burst(0, packets, tile..tile + 1);
        traffic.finish(core(tile), 0);
    }
    let (timing, deliveries) = run(&mut mesh, &traffic);
    assert_eq!(timing.ejected, u64::from(tiles * packets));
    let mut seen: Vec<_> = deliveries.iter().map(|delivery| (delivery.timeline, delivery.flit)).collect();
    seen.sort_unstable();
    let sent: Vec<_> = (0..tiles).flat_map(|tile| (0..packets).map(move |flit| (tile, flit))).collect();
    assert_eq!(seen, sent);
    assert!(deliveries.iter().all(|delivery| delivery.endpoint == core(of(delivery.timeline))));
    (timing, deliveries)
}

#[test]
fn saturation_never_deadlocks() {
    for (buffer_flits, link_cycles) in [(1, 0), (1, 2), (2, 1), (4, 0)] {
        let shape = shape(8, 8, buffer_flits, link_cycles);
        let all_to_one = saturate(&shape, 20, |_| 27).0;
        assert!(all_to_one.cycles > 64 * 20, "one flit a cycle is all a core takes");
        saturate(&shape, 50, |tile| tile % 8 * 8 + tile / 8);
        saturate(&shape, 50, |tile| 63 - tile);
        saturate(&shape, 50, |tile| if tile % 4 == 0 { 36 } else { (tile * 29 + 11) % 64 });
    }
}

#[test]
fn multicast_from_everybody_to_everybody_never_deadlocks() {
    for (buffer_flits, link_cycles) in [(1, 0), (1, 2), (4, 0)] {
        let shape = shape(6, 5, buffer_flits, link_cycles);
        let ports = [HostPort { side: Side::North, position: 3 }, HostPort { side: Side::East, position: 2 }];
        let everybody: Vec<_> = (0..30).map(core).chain([Endpoint::Host(0), Endpoint::Host(1)]).collect();
        let tree = |&source: &Endpoint| dimension_order_tree(&shape, &ports, source, &everybody);
        let trees: Vec<_> = everybody.iter().map(tree).collect();
        let destinations: Vec<_> = (0..32).map(|tree| Destination::Multicast(TreeIndex(tree))).collect();
        let mut mesh = Mesh::new(&shape, &ports, &trees, &destinations).expect("the tables are sound");
        let mut traffic = Traffic::default();
        for (index, &source) in everybody.iter().enumerate() {
            traffic.burst(0, 10, index as u32..index as u32 + 1);
            traffic.finish(source, 0);
        }
        let timing = mesh.step(&traffic);
        assert_eq!((timing.injected, timing.ejected), (320, 32 * 320));
        assert_eq!(timing.hops, 29 * 320, "a tree over 30 routers has 29 links");
    }
}

#[test]
fn round_robin_serves_all_inputs_equally() {
    // The core in the middle of a 3 x 3 mesh, its four neighbours, and itself.
    for (buffer_flits, link_cycles) in [(1, 0), (4, 0), (8, 3)] {
        let sources = [1, 3, 4, 5, 7];
        let mut mesh = Mesh::new(&shape(3, 3, buffer_flits, link_cycles), &[], &[], &[Destination::Unicast(core(4))])
            .expect("sound");
        let mut traffic = Traffic::default();
        for source in sources {
            traffic.burst(0, 200, 0..1);
            traffic.finish(core(source), 0);
        }
        let (timing, deliveries) = run(&mut mesh, &traffic);
        // In every span of cycles between the first flits of the neighbours and the last of any.
        let from = deliveries.iter().position(|delivery| delivery.timeline == 4).expect("all are served");
        let to = deliveries.iter().position(|delivery| delivery.flit == 199).expect("all are served");
        assert!(to - from > 900);
        for start in from..to {
            let mut served = [0; 5];
            for delivery in &deliveries[start..to.min(start + 37)] {
                served[delivery.timeline as usize] += 1;
                let (least, most) = (served.iter().min(), served.iter().max());
                assert!(most <= least.map(|least| least + 1).as_ref(), "{served:?}");
            }
        }
        assert_eq!(timing.ejected, 1000);
    }
}

#[test]
fn a_large_mesh_works_to_its_corners() {
    let shape = shape(256, 256, 64, 64);
    let ports = [HostPort { side: Side::East, position: 255 }];
    let destinations = [Destination::Unicast(Endpoint::Host(0)), Destination::Unicast(core(0))];
    let mut mesh = Mesh::new(&shape, &ports, &[], &destinations).expect("the tables are sound");
    let mut traffic = Traffic::default();
    traffic.burst(0, 1, 0..1);
    traffic.finish(core(0), 0);
    traffic.burst(1_000_000, 1, 1..2);
    traffic.finish(Endpoint::Host(0), 0);
    assert_eq!(mesh.step(&traffic).cycles, 1_000_000 + 2 + 510 * 65);
    assert_eq!(mesh.usage().len(), 255 * 4, "both ways around: two rows and two columns, in all 4 x 255 routers");
}

#[test]
fn usage_counts_links_and_occupancy() {
    let shape = shape(3, 1, 4, 0);
    let mut mesh = Mesh::new(&shape, &[], &[], &[Destination::Unicast(core(2))]).expect("the tables are sound");
    let mut traffic = Traffic::default();
    for source in 0..2 {
        traffic.burst(0, 50, 0..1);
        traffic.finish(core(source), 0);
    }
    mesh.step(&traffic);
    mesh.step(&traffic);
    let usage = mesh.usage();
    assert_eq!(usage.iter().map(|router| router.tile.0).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(usage[1].entered[..5], [0, 0, 0, 100, 100]);
    assert_eq!(usage[2].entered[..5], [0, 0, 0, 200, 0]);
    assert_eq!(usage[1].highest_occupancy[..5], [0, 0, 0, 4, 4]);
    assert_eq!(usage[2].highest_occupancy[..5], [0, 0, 0, 1, 0]);
    assert_eq!((usage[0].ejected, usage[2].ejected), (0, 200));
    mesh.clear_usage();
    assert_eq!(mesh.usage(), []);
}

fn tree_error(width: u16, height: u16, source: Endpoint, branches: &[(u32, u8)]) -> TreeError {
    let ports = [HostPort { side: Side::West, position: 0 }];
    let branches = branches.iter().map(|&(tile, mask)| (Tile(tile), mask)).collect();
    match Mesh::new(&shape(width, height, 1, 0), &ports, &[Tree { source, branches }], &[]) {
        Err(MeshError::Tree { tree: 0, error }) => error,
        other => panic!("expected an error of the tree, got {other:?}"),
    }
}

#[test]
fn bad_trees_are_refused_by_what_is_wrong_with_them() {
    use port::{EAST, LOCAL, NORTH, SOUTH, WEST};
    let error = |branches: &[(u32, u8)]| tree_error(3, 3, core(0), branches);
    assert_eq!(tree_error(3, 3, core(9), &[]), TreeError::UnknownSource(core(9)));
    assert_eq!(tree_error(3, 3, Endpoint::Host(1), &[]), TreeError::UnknownSource(Endpoint::Host(1)));
    assert_eq!(error(&[]), TreeError::NoBranch(Tile(0)));
    assert_eq!(error(&[(0, EAST)]), TreeError::NoBranch(Tile(1)));
    assert_eq!(error(&[(0, LOCAL), (9, LOCAL)]), TreeError::UnknownRouter(Tile(9)));
    assert_eq!(error(&[(1, LOCAL), (0, EAST)]), TreeError::OutOfOrder(Tile(0)));
    assert_eq!(error(&[(0, EAST), (0, LOCAL)]), TreeError::OutOfOrder(Tile(0)));
    assert_eq!(error(&[(0, 0)]), TreeError::Mask { tile: Tile(0), mask: 0 });
    assert_eq!(error(&[(0, 32)]), TreeError::Mask { tile: Tile(0), mask: 32 });
    assert_eq!(error(&[(0, LOCAL), (4, LOCAL)]), TreeError::Unreached(Tile(4)));
    assert_eq!(error(&[(0, NORTH)]), TreeError::LeadsOff { tile: Tile(0), direction: "north" });
    let turn = |tile, came, leaves| TreeError::Turn { tile: Tile(tile), came, leaves };
    assert_eq!(error(&[(0, SOUTH), (3, EAST), (4, LOCAL)]), turn(3, "south", "east"));
    assert_eq!(error(&[(0, EAST), (1, WEST)]), turn(1, "east", "west"));
    // A cycle of four routers, and two ways that meet.
    assert_eq!(error(&[(0, EAST), (1, SOUTH), (3, NORTH), (4, WEST)]), turn(4, "south", "west"));
    assert_eq!(error(&[(0, EAST | SOUTH), (1, SOUTH), (3, EAST), (4, LOCAL)]), turn(3, "south", "east"));
}

#[test]
fn the_last_move_off_the_mesh_may_follow_a_move_along_y() {
    let ports = [HostPort { side: Side::East, position: 2 }, HostPort { side: Side::North, position: 0 }];
    let tree = dimension_order_tree(&shape(3, 3, 1, 0), &ports, Endpoint::Host(1), &[Endpoint::Host(0), core(2)]);
    let destinations = [Destination::Multicast(TreeIndex(0))];
    let mut mesh = Mesh::new(&shape(3, 3, 1, 0), &ports, &[tree], &destinations).expect("the tree is sound");
    let mut traffic = Traffic::default();
    traffic.burst(0, 1, 0..1);
    traffic.finish(Endpoint::Host(1), 0);
    assert_eq!(
        mesh.step(&traffic),
        StepTiming { cycles: 6, hops: 4, ejected: 2, injected: 1, ..StepTiming::default() }
    );
}

#[test]
fn bad_parameters_ports_and_destinations_are_refused() {
    let error = |shape: onward_chip::Mesh, ports: &[HostPort], destinations: &[Destination]| {
        Mesh::new(&shape, ports, &[], destinations).expect_err("it is wrong")
    };
    let parameter = |name, value, least, most| MeshError::Parameter { name, value, least, most };
    assert_eq!(error(shape(0, 1, 1, 0), &[], &[]), parameter("width", 0, 1, 256));
    assert_eq!(error(shape(1, 257, 1, 0), &[], &[]), parameter("height", 257, 1, 256));
    assert_eq!(error(shape(1, 1, 65, 0), &[], &[]), parameter("buffer_flits", 65, 1, 64));
    assert_eq!(error(shape(1, 1, 1, 65), &[], &[]), parameter("link_cycles", 65, 0, 64));
    let port = HostPort { side: Side::South, position: 2 };
    let beyond = MeshError::HostPortBeyondEdge { port: 0, position: 2, length: 2 };
    assert_eq!(error(shape(2, 3, 1, 0), &[port], &[]), beyond);
    let twice = MeshError::HostPortsCollide { first: 0, second: 1 };
    assert_eq!(error(shape(3, 3, 1, 0), &[port, port], &[]), twice);
    let unknown = MeshError::UnknownEndpoint { destination: 0, endpoint: core(4) };
    assert_eq!(error(shape(2, 2, 1, 0), &[], &[Destination::Unicast(core(4))]), unknown);
    let no_tree = MeshError::UnknownTree { destination: 0, tree: TreeIndex(3), trees: 0 };
    assert_eq!(error(shape(2, 2, 1, 0), &[], &[Destination::Multicast(TreeIndex(3))]), no_tree);
}

#[test]
#[should_panic(expected = "sends into the tree of")]
fn only_its_source_sends_into_a_tree() {
    let shape = shape(2, 1, 1, 0);
    let tree = dimension_order_tree(&shape, &[], core(0), &[core(1)]);
    let destinations = [Destination::Multicast(TreeIndex(0))];
    let mut mesh = Mesh::new(&shape, &[], &[tree], &destinations).expect("the tables are sound");
    let mut traffic = Traffic::default();
    traffic.burst(0, 1, 0..1);
    traffic.finish(core(1), 0);
    mesh.step(&traffic);
}

/// Random traffic: by endpoint, bursts of (gap, packets, destinations), a destination being a list of endpoints (by
/// number) that is one tree if it is longer than one.
type Plan = Vec<Vec<(u32, u32, Vec<Vec<usize>>)>>;

fn plans() -> impl Strategy<Value = (onward_chip::Mesh, Vec<HostPort>, Plan)> {
    let shapes = (1..=6_u16, 1..=6_u16, 1..=3_u16, 0..=2_u16).prop_map(|(w, h, b, l)| shape(w, h, b, l));
    (shapes, any::<[bool; 4]>()).prop_flat_map(|(shape, sides)| {
        let all = [Side::North, Side::East, Side::South, Side::West];
        let sides = all.into_iter().zip(sides).filter(|&(_, there)| there);
        let ports: Vec<_> = sides.map(|(side, _)| HostPort { side, position: 0 }).collect();
        let endpoints = shape.tiles() + ports.len();
        let destination = prop::collection::vec(0..endpoints, 1..6);
        let burst = (0..12_u32, 0..10_u32, prop::collection::vec(destination, 0..3));
        let plan = prop::collection::vec(prop::collection::vec(burst, 0..4), endpoints);
        (Just(shape), Just(ports), plan)
    })
}

/// The tables, the traffic, and what must be delivered: how often (timeline, flit, endpoint).
type Prepared = (Vec<Tree>, Vec<Destination>, Traffic, BTreeMap<(u32, u32, Endpoint), usize>);

fn prepare(shape: &onward_chip::Mesh, ports: &[HostPort], plan: &Plan) -> Prepared {
    let tiles = shape.tiles();
    let endpoint = |number| if number < tiles { core(number as u32) } else { Endpoint::Host((number - tiles) as u16) };
    let (mut trees, mut destinations) = (Vec::new(), Vec::new());
    let (mut traffic, mut expected) = (Traffic::default(), BTreeMap::new());
    for (sender, bursts) in plan.iter().enumerate() {
        let mut flit = 0;
        for (gap, packets, targets) in bursts {
            let start = destinations.len() as u32;
            let mut ends = Vec::new();
            for target in targets {
                let mut list: Vec<_> = target.iter().map(|&number| endpoint(number)).collect();
                list.sort();
                list.dedup();
                if list.len() > 1 {
                    destinations.push(Destination::Multicast(TreeIndex(trees.len() as u16)));
                    trees.push(dimension_order_tree(shape, ports, endpoint(sender), &list));
                } else {
                    destinations.push(Destination::Unicast(list[0]));
                }
                ends.push(list);
            }
            traffic.burst((*gap).into(), *packets, start..destinations.len() as u32);
            for list in (0..*packets).flat_map(|_| &ends) {
                for &end in list {
                    *expected.entry((sender as u32, flit, end)).or_default() += 1;
                }
                flit += 1;
            }
        }
        traffic.finish(endpoint(sender), 2);
    }
    (trees, destinations, traffic, expected)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_packet_comes_once_to_each_of_its_destinations((shape, ports, plan) in plans()) {
        let (trees, destinations, traffic, expected) = prepare(&shape, &ports, &plan);
        let mut mesh = Mesh::new(&shape, &ports, &trees, &destinations).expect("the tables are sound");
        let (timing, deliveries) = run(&mut mesh, &traffic);
        let mut delivered = BTreeMap::new();
        for delivery in &deliveries {
            *delivered.entry((delivery.timeline, delivery.flit, delivery.endpoint)).or_default() += 1;
        }
        prop_assert_eq!(&delivered, &expected);
        prop_assert_eq!(timing.ejected as usize, deliveries.len());
        // The time of each sender adds up, and the step is over when all are done.
        for (index, bursts) in plan.iter().enumerate() {
            let gaps: u64 = bursts.iter().map(|burst| u64::from(burst.0)).sum();
            let flits: u64 = bursts.iter().map(|burst| u64::from(burst.1) * burst.2.len() as u64).sum();
            prop_assert!(gaps + flits + mesh.stalls()[index] + 2 <= timing.cycles);
        }
    }

    /// Who observes must not change what happens.
    #[test]
    fn observing_changes_nothing(
        (shape, ports, mut plan) in plans(),
        stretch in prop::sample::select(vec![1_u32, 5, 40, 300]),
        silent in any::<u64>(),
        deep in any::<bool>(),
    ) {
        let mut shape = shape;
        if deep {
            shape.buffer_flits = 2 + 2 * shape.link_cycles;
        }
        for (sender, bursts) in plan.iter_mut().enumerate() {
            // Most send nothing, so that the others are alone at times.
            bursts.truncate(if silent >> (sender % 60) & 3 == 0 { 4 } else { 0 });
            bursts.iter_mut().for_each(|burst| burst.0 *= stretch);
        }
        let (trees, destinations, traffic, _) = prepare(&shape, &ports, &plan);
        let mut mesh = Mesh::new(&shape, &ports, &trees, &destinations).expect("the tables are sound");
        let mut plain = mesh.clone();
        let (timing, _) = run(&mut mesh, &traffic);
        prop_assert_eq!(plain.step(&traffic), timing);
        prop_assert_eq!(plain.stalls(), mesh.stalls());
        prop_assert_eq!(plain.usage(), mesh.usage());
    }

    #[test]
    fn a_step_does_not_depend_on_the_steps_before((shape, ports, plan) in plans(), more in 1..5_u32) {
        // Another step with the same destinations, so that both use the same tables.
        let mut other_plan = plan.clone();
        for (gap, packets, _) in other_plan.iter_mut().flatten() {
            (*gap, *packets) = (*packets, *gap * more);
        }
        let (trees, destinations, traffic, _) = prepare(&shape, &ports, &plan);
        let (_, _, other, _) = prepare(&shape, &ports, &other_plan);
        let mut mesh = Mesh::new(&shape, &ports, &trees, &destinations).expect("the tables are sound");
        let mut clone = mesh.clone();
        let first = run(&mut mesh, &traffic);
        let stalls = mesh.stalls().to_vec();
        clone.step(&other);
        mesh.step(&other);
        prop_assert_eq!(mesh.step(&traffic), first.0);
        prop_assert_eq!(mesh.stalls(), &stalls[..]);
        prop_assert_eq!(run(&mut clone, &traffic), first);
    }
}
