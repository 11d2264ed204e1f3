//! The emulator's mesh against the plain model of `isa/router.md`: the cycle of every delivery, the stalls of every
//! sender, the length of the step, and all counters, on random chips under random traffic.

use std::collections::BTreeMap;

use onward_chip::{HostPort, Side};
use onward_emulate::mesh::{Delivery, Mesh, Sliced, SlicedTotals, StepTiming, Traffic};
use onward_image::{Destination, Endpoint, Tile, Tree, TreeIndex, attachment, dimension_order_tree};
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
        let cores = (0..self.mesh.tiles() as u32).map(|tile| Endpoint::Core(Tile(tile)));
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
        let (cycles, hops, injected) = (expected.cycles, expected.hops, expected.injected);
        prop_assert_eq!(timing, StepTiming { cycles, hops, ejected, injected });
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
            (0..5).map(move |input| ((x, y, input), usize::from(router.highest_occupancy[input])))
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
    let Some(mut sliced) = Sliced::new(&fresh, &uses) else { return Ok(()) };
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
        totals.traffic.injected += timing.injected;
        totals.traffic.ejected += timing.ejected;
        totals.stalls += fresh.stalls().iter().sum::<u64>();
    }
    prop_assert_eq!(sliced.totals(), totals);
    prop_assert_eq!(sliced.usage(), fresh.usage());
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
            width,
            height,
            buffer_flits,
            link_cycles,
            multicast_trees: 1_000,
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

fn cases(most: u16, gaps: u32, packets: u32) -> impl Strategy<Value = Case> {
    meshes(most)
        .prop_flat_map(move |mesh| {
            let ports = ports(&mesh);
            (Just(mesh), ports)
        })
        .prop_flat_map(move |(mesh, ports)| {
            let endpoints = mesh.tiles() + ports.len();
            let trees = prop::collection::vec(prop::collection::vec(0..1_000_usize, 1..8), 0..3);
            let sender = prop::option::of((bursts(gaps, packets), trees, 0..=gaps));
            let steps = prop::collection::vec(prop::collection::vec(sender, endpoints), 1..3);
            (Just(mesh), Just(ports), steps).prop_map(|(mesh, ports, steps)| Case { mesh, ports, steps })
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn light_traffic_takes_the_cycles_of_the_model(case in cases(5, 90, 3)) {
        compare(&case)?;
    }

    #[test]
    fn heavy_traffic_takes_the_cycles_of_the_model(case in cases(4, 2, 12)) {
        compare(&case)?;
    }
}

/// One endpoint everybody sends to, and multicast from everybody to everybody: buffers full all the time.
fn saturated(mesh: onward_chip::Mesh) -> Case {
    let tiles = mesh.tiles();
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
        let mesh = onward_chip::Mesh { width: 5, height: 4, buffer_flits, link_cycles, multicast_trees: 1_000 };
        compare(&saturated(mesh))?;
    }
    Ok(())
}
