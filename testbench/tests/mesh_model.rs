//! The emulator's mesh against the plain model of `isa/router.md`: the cycle of every delivery, the stalls of every
//! sender, the length of the step, and all counters, on random chips under random traffic.

use std::collections::BTreeMap;

use onward_chip::{Array, HostPort, Side, Topology};
use onward_emulate::mesh::{Delivery, Mesh, Sliced, SlicedTotals, StepTiming, Traffic};
use onward_image::{Core, Destination, Endpoint, Tile, Tree, TreeIndex, attachment, dimension_order_tree};
use proptest::prelude::*;
use testbench::flit_model;

/// A burst: gap, packets, and its destinations as indices into the case's tables.
#[derive(Clone, Debug)]
struct Burst {
    gap: u32,
    packets: u32,
    /// An endpoint (by its number), or one of the sender's trees.
    destinations: Vec<(bool, usize)>,
}

/// The bursts of an endpoint (by its number), the destinations of its trees, and its tail.
type Sender = (Vec<Burst>, Vec<Vec<usize>>, u32);

#[derive(Clone, Debug)]
struct Case {
    mesh: onward_chip::Mesh,
    ports: Vec<HostPort>,
    /// One step after the other, each by endpoint; `None`: no timeline.
    steps: Vec<Vec<Option<Sender>>>,
}

impl Case {
    fn endpoints(&self) -> Vec<Endpoint> {
        let cores = (0..self.mesh.cores() as u32).map(|core| Endpoint::Core(Core(core)));
        cores.chain((0..self.ports.len() as u16).map(Endpoint::Host)).collect()
    }

    fn place(&self, endpoint: Endpoint) -> flit_model::Place {
        let (tile, port) = attachment(endpoint, &self.mesh, &self.ports).expect("endpoints of the case exist");
        let (x, y) = (tile.0 as usize % usize::from(self.mesh.width), tile.0 as usize / usize::from(self.mesh.width));
        flit_model::Place { x, y, port: port.trailing_zeros() as usize }
    }
}

/// A case in the terms of both sides.
struct Prepared {
    trees: Vec<Tree>,
    destinations: Vec<Destination>,
    traffic: Vec<Traffic>,
    /// Who uses which destinations.
    uses: Vec<(Endpoint, std::ops::Range<u32>)>,
    model_network: flit_model::Network,
    model_senders: Vec<Vec<flit_model::Sender>>,
}

fn prepare(case: &Case) -> Prepared {
    let endpoints = case.endpoints();
    let mut trees = Vec::new();
    let mut destinations = Vec::new();
    let mut traffic = Vec::new();
    let mut uses = Vec::new();
    let mut model_senders = Vec::new();
    for step in &case.steps {
        let mut step_traffic = Traffic::default();
        let mut step_senders = Vec::new();
        for (number, sender) in step.iter().enumerate() {
            let Some((bursts, sender_trees, tail)) = sender else { continue };
            let first_tree = trees.len();
            for ends in sender_trees {
                let ends: Vec<_> = ends.iter().map(|&end| endpoints[end % endpoints.len()]).collect();
                trees.push(dimension_order_tree(&case.mesh, &case.ports, endpoints[number], &ends));
            }
            let mut model_bursts = Vec::new();
            for burst in bursts {
                let start = destinations.len() as u32;
                let mut targets = Vec::new();
                for &(multicast, index) in &burst.destinations {
                    if multicast && !sender_trees.is_empty() {
                        let tree = first_tree + index % sender_trees.len();
                        destinations.push(Destination::Multicast(TreeIndex(tree as u16)));
                        targets.push(flit_model::Target::Tree(tree));
                    } else {
                        let endpoint = endpoints[index % endpoints.len()];
                        destinations.push(Destination::Unicast(endpoint));
                        targets.push(flit_model::Target::One(case.place(endpoint)));
                    }
                }
                uses.push((endpoints[number], start..destinations.len() as u32));
                step_traffic.burst(burst.gap.into(), burst.packets, start..destinations.len() as u32);
                model_bursts.push(flit_model::Burst {
                    gap: burst.gap.into(),
                    packets: burst.packets as usize,
                    targets,
                });
            }
            step_traffic.finish(endpoints[number], (*tail).into());
            let place = case.place(endpoints[number]);
            step_senders.push(flit_model::Sender { place, bursts: model_bursts, tail: (*tail).into() });
        }
        traffic.push(step_traffic);
        model_senders.push(step_senders);
    }
    let model_network = flit_model::Network {
        width: case.mesh.width.into(),
        height: case.mesh.height.into(),
        buffer_flits: case.mesh.buffer_flits.into(),
        link_cycles: case.mesh.link_cycles.into(),
        torus: case.mesh.topology == Topology::Torus,
        chips: case.mesh.array.as_ref().map(|array| flit_model::Chips {
            columns: usize::from(case.mesh.width / array.width),
            rows: usize::from(case.mesh.height / array.height),
            link_cycles: array.link_cycles.into(),
            cycles_per_flit: array.cycles_per_flit.into(),
        }),
        trees: trees.iter().map(|tree| model_tree(case, tree)).collect(),
    };
    Prepared { trees, destinations, traffic, uses, model_network, model_senders }
}

fn model_tree(case: &Case, tree: &Tree) -> flit_model::Tree {
    let width = usize::from(case.mesh.width);
    let outputs = |mask: u8| std::array::from_fn(|port| mask >> port & 1 == 1);
    tree.branches
        .iter()
        .map(|&(Tile(tile), mask)| ((tile as usize % width, tile as usize / width), outputs(mask)))
        .collect()
}

/// Runs all steps of a case on one mesh and each in the model, and compares everything that can be seen.
fn compare(case: &Case) -> Result<(), TestCaseError> {
    let prepared = prepare(case);
    let mut mesh = match Mesh::new(&case.mesh, &case.ports, &prepared.trees, &prepared.destinations) {
        Ok(mesh) => mesh,
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    let mut occupancy = BTreeMap::new();
    for (traffic, senders) in prepared.traffic.iter().zip(&prepared.model_senders) {
        let expected = flit_model::run(&prepared.model_network, senders);
        let mut deliveries = Vec::new();
        let timing = mesh.step_observed(traffic, &mut deliveries);
        prop_assert_eq!(in_model_terms(case, &deliveries), expected.deliveries.clone());
        let ejected = expected.deliveries.len() as u64;
        let flit_model::Outcome { cycles, hops, crossings, injected, .. } = expected;
        prop_assert_eq!(timing, StepTiming { cycles, hops, crossings, ejected, injected });
        prop_assert_eq!(mesh.stalls(), &expected.stalls[..]);
        // Watching changes nothing, nor does the step before.
        prop_assert_eq!(mesh.clone().step(traffic), timing);
        for (place, highest) in expected.highest_occupancy {
            let entry = occupancy.entry(place).or_insert(0);
            *entry = highest.max(*entry);
        }
    }
    compare_sliced(case, &prepared, &mesh)?;
    let measured: BTreeMap<_, _> = mesh
        .usage()
        .iter()
        .flat_map(|router| {
            let width = u32::from(case.mesh.width);
            let (x, y) = ((router.tile.0 % width) as usize, (router.tile.0 / width) as usize);
            (0..flit_model::INPUTS).map(move |input| ((x, y, input), usize::from(router.highest_occupancy[input])))
        })
        .filter(|&(_, highest)| highest > 0)
        .collect();
    prop_assert_eq!(measured, occupancy);
    Ok(())
}

/// The steps of a case, many times over and all at once, take the cycles each takes alone.
fn compare_sliced(case: &Case, prepared: &Prepared, stepped: &Mesh) -> Result<(), TestCaseError> {
    let mut uses: BTreeMap<Endpoint, Vec<std::ops::Range<u32>>> = BTreeMap::new();
    for (endpoint, destinations) in &prepared.uses {
        uses.entry(*endpoint).or_default().push(destinations.clone());
    }
    let uses: Vec<_> = uses.into_iter().collect();
    // A fresh mesh: which routers have been used before must not matter.
    let fresh = Mesh::new(&case.mesh, &case.ports, &prepared.trees, &prepared.destinations);
    let mut fresh = fresh.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let Some(mut sliced) = Sliced::new(&fresh, &uses) else {
        // Only where a buffer may see many kinds of flits: a kind is a goal or a tree at most.
        prop_assert!(case.endpoints().len() + prepared.trees.len() > 64, "the shape does not matter");
        return Ok(());
    };
    sliced.keep_account();
    fresh.keep_account();
    let steps = 3 * prepared.traffic.len();
    let mut cycles = vec![None; steps];
    let of_step = |step: usize| &prepared.traffic[step % prepared.traffic.len()];
    sliced.time(steps, &mut |step, traffic| traffic.clone_from(of_step(step)), &mut |step, over| {
        assert_eq!(cycles[step].replace(over), None, "a step is timed once");
    });
    let mut totals = SlicedTotals::default();
    for (step, cycles) in cycles.into_iter().enumerate() {
        let timing = fresh.step(of_step(step));
        prop_assert_eq!(cycles, Some(timing.cycles), "step {}", step);
        totals.traffic.hops += timing.hops;
        totals.traffic.crossings += timing.crossings;
        totals.traffic.injected += timing.injected;
        totals.traffic.ejected += timing.ejected;
        totals.stalls += fresh.stalls().iter().sum::<u64>();
    }
    prop_assert_eq!(sliced.totals(), totals);
    prop_assert_eq!(sliced.usage(), fresh.usage());
    let accounts = sliced.accounts().cloned().unwrap_or_default();
    prop_assert_eq!(Some(&accounts), fresh.accounts());
    let account = accounts.total();
    let senders = || account.cores.iter().chain(&account.hosts);
    prop_assert_eq!(senders().map(|sender| sender.stalls).sum::<u64>(), totals.stalls);
    prop_assert_eq!(account.stalls.iter().sum::<u64>(), totals.stalls);
    // As often as the mesh it came from saw them.
    sliced.clear();
    sliced.time(prepared.traffic.len(), &mut |step, traffic| traffic.clone_from(of_step(step)), &mut |_, _| ());
    prop_assert_eq!(sliced.usage(), stepped.usage());
    Ok(())
}

fn in_model_terms(case: &Case, deliveries: &[Delivery]) -> Vec<flit_model::Delivery> {
    let mut list: Vec<_> = deliveries
        .iter()
        .map(|delivery| flit_model::Delivery {
            cycle: delivery.cycle,
            sender: delivery.timeline as usize,
            flit: delivery.flit as usize,
            place: case.place(delivery.endpoint),
        })
        .collect();
    list.sort();
    list
}

fn meshes(most: u16) -> impl Strategy<Value = onward_chip::Mesh> {
    (1..=most, 1..=most, 1..=5_u16, prop_oneof![3 => 0..=3_u16, 1 => 4..=64_u16]).prop_map(
        |(width, height, buffer_flits, link_cycles)| onward_chip::Mesh {
            buffer_flits,
            link_cycles,
            ..onward_chip::Mesh::of(width, height)
        },
    )
}

/// Some of the places on the edge of a mesh.
fn ports(mesh: &onward_chip::Mesh) -> impl Strategy<Value = Vec<HostPort>> + use<> {
    let side = |side, length| (0..length).map(move |position| HostPort { side, position });
    let edge: Vec<_> = side(Side::North, mesh.width)
        .chain(side(Side::East, mesh.height))
        .chain(side(Side::South, mesh.width))
        .chain(side(Side::West, mesh.height))
        .collect();
    let most = edge.len().min(4);
    prop::sample::subsequence(edge, 0..=most).prop_shuffle()
}

fn bursts(gaps: u32, packets: u32) -> impl Strategy<Value = Vec<Burst>> {
    let destinations = prop::collection::vec((any::<bool>(), 0..1_000_usize), 0..4);
    let burst = (0..=gaps, 0..=packets, destinations).prop_map(|(gap, packets, destinations)| Burst {
        gap,
        packets,
        destinations,
    });
    prop::collection::vec(burst, 0..5)
}

/// Meshes with all that a plain one has not: rings, several cores a tile, cuts between chips.
fn all_meshes(most: u16) -> impl Strategy<Value = onward_chip::Mesh> {
    let array = (1..=3_u16, 1..=3_u16, 0..=12_u16, 1..=5_u16).prop_map(|(width, height, link, cycles)| Array {
        width,
        height,
        link_cycles: link.max(cycles - 1),
        cycles_per_flit: cycles,
    });
    (meshes(most), 1..=3_u16, any::<bool>(), prop::option::of(array)).prop_map(|(mesh, cores, torus, array)| {
        let (mut width, mut height) = (mesh.width, mesh.height);
        if let Some(array) = &array {
            // Chips of one size.
            (width, height) = (width.next_multiple_of(array.width), height.next_multiple_of(array.height));
        }
        let topology = if torus { Topology::Torus } else { Topology::Mesh };
        onward_chip::Mesh { width, height, cores_per_tile: cores, topology, array, ..mesh }
    })
}

/// Of the host ports those for which a torus's routers have room.
fn with_room(mesh: &onward_chip::Mesh, ports: Vec<HostPort>) -> Vec<HostPort> {
    let mut kept = Vec::new();
    for port in ports {
        kept.push(port);
        if attachment(Endpoint::Host(kept.len() as u16 - 1), mesh, &kept).is_none() {
            kept.pop();
        }
    }
    kept
}

fn cases(meshes: impl Strategy<Value = onward_chip::Mesh>, gaps: u32, packets: u32) -> impl Strategy<Value = Case> {
    meshes
        .prop_flat_map(move |mesh| {
            let of = mesh.clone();
            let ports = ports(&mesh).prop_map(move |ports| with_room(&of, ports));
            (Just(mesh), ports)
        })
        .prop_flat_map(move |(mesh, ports)| {
            let endpoints = mesh.cores() + ports.len();
            let trees = prop::collection::vec(prop::collection::vec(0..1_000_usize, 1..8), 0..3);
            let sender = prop::option::of((bursts(gaps, packets), trees, 0..=gaps));
            let steps = prop::collection::vec(prop::collection::vec(sender, endpoints), 1..3);
            (Just(mesh), Just(ports), steps).prop_map(|(mesh, ports, steps)| Case { mesh, ports, steps })
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn light_traffic_takes_the_cycles_of_the_model(case in cases(meshes(5), 90, 3)) {
        compare(&case)?;
    }

    #[test]
    fn heavy_traffic_takes_the_cycles_of_the_model(case in cases(meshes(4), 2, 12)) {
        compare(&case)?;
    }

    #[test]
    fn light_traffic_on_all_meshes_takes_the_cycles_of_the_model(case in cases(all_meshes(4), 90, 3)) {
        compare(&case)?;
    }

    #[test]
    fn heavy_traffic_on_all_meshes_takes_the_cycles_of_the_model(case in cases(all_meshes(3), 2, 12)) {
        compare(&case)?;
    }
}

/// One endpoint everybody sends to, and multicast from everybody to everybody: buffers full all the time.
fn saturated(mesh: onward_chip::Mesh) -> Case {
    let tiles = mesh.cores();
    let ports = vec![HostPort { side: Side::West, position: 0 }, HostPort { side: Side::South, position: 1 }];
    let everybody: Vec<_> = (0..tiles + 2).collect();
    let burst = |packets, destinations| Burst { gap: 0, packets, destinations };
    let sender = |number: usize| {
        let bursts = vec![
            burst(20, vec![(false, 0)]),
            burst(6, vec![(true, 0)]),
            burst(10, vec![(false, tiles - 1 - number % tiles), (true, 0)]),
        ];
        Some((bursts, vec![everybody.clone()], 3))
    };
    Case { mesh, ports, steps: vec![(0..tiles + 2).map(sender).collect()] }
}

#[test]
fn saturation_takes_the_cycles_of_the_model() -> Result<(), TestCaseError> {
    for (buffer_flits, link_cycles) in [(1, 0), (1, 3), (2, 0), (4, 1), (8, 2)] {
        let mesh = onward_chip::Mesh { buffer_flits, link_cycles, ..onward_chip::Mesh::of(5, 4) };
        compare(&saturated(mesh))?;
    }
    Ok(())
}

/// Where each core of a mesh of `k` times `k` routers sends its packets: core and packet to core.
type Pattern = (&'static str, fn(usize, usize, usize) -> usize);

/// The patterns that networks are usually measured with. Routers, packets and goals are numbers; `k` routers a row.
const PATTERNS: [Pattern; 6] = [
    ("uniform", |_, from, packet| {
        (from * 7_919 + packet * 104_729 + from * packet * 31).wrapping_mul(2_654_435_761) >> 7
    }),
    ("transpose", |k, from, _| from % k * k + from / k),
    ("bit complement", |k, from, _| k * k - 1 - from),
    ("hot spot", |k, from, packet| if packet % 4 == 0 { k * k / 2 + 1 } else { from * 29 + packet * 11 }),
    ("all to one", |k, _, _| k + 2),
    ("tornado", |k, from, _| from / k * k + (from % k + k.div_ceil(2) - 1) % k),
];

/// Every core sends as fast as it can, to the goals of a pattern.
fn patterned(mesh: onward_chip::Mesh, pattern: Pattern, packets: usize) -> Case {
    let (k, routers) = (usize::from(mesh.width), mesh.tiles());
    let per_tile = usize::from(mesh.cores_per_tile);
    let sender = |core: usize| {
        let bursts = (0..packets).map(|packet| {
            let goal = (pattern.1)(k, core / per_tile, packet) % routers * per_tile + (core + packet) % per_tile;
            Burst { gap: 0, packets: 1, destinations: vec![(false, goal)] }
        });
        Some((bursts.collect(), Vec::new(), 0))
    };
    let steps = vec![(0..mesh.cores()).map(sender).collect()];
    Case { mesh, ports: Vec::new(), steps }
}

/// A mesh, a torus, both of them on four chips, and tiles of four cores.
fn shapes(k: u16) -> Vec<(&'static str, onward_chip::Mesh)> {
    let mesh = onward_chip::Mesh::of(k, k);
    let array = Some(Array { width: 2, height: 2, link_cycles: 5, cycles_per_flit: 3 });
    let torus = onward_chip::Mesh { topology: Topology::Torus, ..mesh.clone() };
    vec![
        ("array", onward_chip::Mesh { array: array.clone(), ..mesh.clone() }),
        ("array of a torus", onward_chip::Mesh { array, ..torus.clone() }),
        ("four cores", onward_chip::Mesh { cores_per_tile: 4, ..mesh.clone() }),
        ("four cores on a torus", onward_chip::Mesh { cores_per_tile: 4, ..torus.clone() }),
        ("mesh", mesh),
        ("torus", torus),
    ]
}

/// Saturated with every pattern at every depth of buffers, no network stands still, and each takes the model's cycles.
#[test]
fn every_pattern_saturates_every_shape_in_the_cycles_of_the_model() -> Result<(), TestCaseError> {
    for (shape, mesh) in shapes(6) {
        for pattern in PATTERNS {
            for buffer_flits in 1..=4 {
                let mesh = onward_chip::Mesh { buffer_flits, ..mesh.clone() };
                compare(&patterned(mesh, pattern, 8))
                    .map_err(|error| TestCaseError::fail(format!("{shape}, {}, {buffer_flits}: {error}", pattern.0)))?;
            }
        }
    }
    Ok(())
}

/// Multicast from everybody to everybody, on rings too.
#[test]
fn saturation_on_all_shapes_takes_the_cycles_of_the_model() -> Result<(), TestCaseError> {
    for (_, mesh) in shapes(4) {
        for buffer_flits in [1, 2, 4] {
            let cores_per_tile = mesh.cores_per_tile.min(2);
            compare(&saturated(onward_chip::Mesh { buffer_flits, cores_per_tile, ..mesh.clone() }))?;
        }
    }
    Ok(())
}
