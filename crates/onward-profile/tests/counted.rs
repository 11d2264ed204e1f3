//! Activity and energy against a case counted by hand, and against the mesh.

use onward_chip::{Array, Chip, Event, IdleCores, Mesh, Technology, Topology};
use onward_diagnostic::Source;
use onward_emulate::{Counters, Engine, Machine, Options};
use onward_image::{
    Block, BlockIndex, Core, Delivery, Destination, Endpoint, Flit, HostInput, HostInputKind, Image, NetworkSummary,
    Population, PopulationIndex, PopulationKind, Program, ProgramIndex, Route, TreeIndex, dimension_order_tree,
};
use onward_isa::{Space, assemble};
use onward_profile::{Activity, Category, Energy, hops};
use onward_run::data::{Dataset, Samples};
use onward_run::{Session, train};
use std::ops::ControlFlow;

const HANDLER: &str = "
    setvl r0, 3
    setrow r0, 3
    foreach r1, r2, added
    vaccr v0, s16[row r1]
added:
    addi r3, r0, 5
    mul r4, r3, r3
    st r4, n32[r0]
    addm r3, a16[r0]
    vst v0, n32[r0 + 1]
    vstr v0, s16[row r0]
    vcges p0, v0, r0
    spike p0, 0
    sleep
";

/// A block of three neurons on tile 3 of a 2 x 2 mesh; its spikes go to itself and to the host, who sends to it.
fn tiny() -> Image {
    let program = assemble(&Source::new("tiny.s", HANDLER)).unwrap();
    let chip = Chip::builtin("small").unwrap();
    let core = Core(3);
    let tree = dimension_order_tree(
        &chip.mesh,
        &chip.host.ports,
        Endpoint::Core(core),
        &[Endpoint::Core(core), Endpoint::Core(Core(0))],
    );
    let to_block = Delivery::Block { block: BlockIndex(0), first_axon: 0 };
    let to_host = Flit { destination: Destination::Unicast(Endpoint::Host(0)), deliveries: vec![Delivery::Host] };
    let to_tree = Flit { destination: Destination::Multicast(TreeIndex(0)), deliveries: vec![] };
    let from_host = Flit { destination: Destination::Unicast(Endpoint::Core(core)), deliveries: vec![to_block] };
    let block = Block {
        population: PopulationIndex(0),
        first_neuron: 0,
        neurons: 3,
        core,
        program: ProgramIndex(0),
        entry: 0,
        generator: 0,
        tagged: false,
        axons: 4,
        memory_bytes: [64, 64, 64],
        contents: Default::default(),
        routes: vec![Route { name: "spikes".into(), indices: 3, flits: vec![to_host, to_tree] }],
        symbols: vec![],
        order: onward_image::Order::Straight,
        fan_outs: Vec::new(),
    };
    Image {
        chip,
        network: NetworkSummary {
            name: "tiny".into(),
            source: Default::default(),
            seed: 1,
            data: None,
            window_steps: 1,
            augment: Vec::new(),
            epochs: 1,
            populations: vec![Population {
                name: "layer".into(),
                kind: PopulationKind::Layer { schedule: None, fraction_bits: Default::default(), kernel: None },
                neurons: 3,
                lag: 1,
                source_line: 1,
            }]
            .into(),
            edges: vec![],
        },
        programs: vec![Program {
            name: "layer".into(),
            words: program.words,
            labels: vec![],
            purposes: vec![],
            lines: vec![],
            text: String::new(),
            population: Some(PopulationIndex(0)),
        }]
        .into(),
        blocks: vec![block].into(),
        trees: vec![tree].into(),
        host_inputs: vec![HostInput {
            kind: HostInputKind::Input,
            first: 0,
            route: Route { name: "input".into(), indices: 4, flits: vec![from_host] },
        }],
        host_port: 0,
        learned: onward_image::Learned::default(),
        proof: None,
    }
}

/// Two spikes of the host make the block run once, in the second of four steps.
fn run_tiny(image: &Image, timing: bool) -> Counters {
    // Nobody takes what the tree carries, which only the accounts may see.
    let mut runnable = image.clone();
    runnable.blocks[BlockIndex(0)].routes[0].flits.truncate(1);
    let mut machine = Machine::new(&runnable, Options { seed: 1, timing, threads: 1 }).unwrap();
    machine.run(4, |inputs| inputs.spikes(0, 0, &[0b1010])).unwrap();
    machine.counters()
}

#[test]
fn activity_of_a_step_counted_by_hand() {
    let image = tiny();
    let activity = Activity::of(&image, &run_tiny(&image, false));
    let expected = Activity {
        synaptic_events: 2 * 3,
        halo_reads: 0,
        synaptic_updates: 3,
        neuron_updates: 3,
        spikes: 3,
        packets: 2 + 3,
        flits: 2 + 3 * 2,
        // Tile 3 is two links from tile 0, where the host is; the tree to tile 0 takes the same two.
        hops: 2 * 2 + 3 * (2 + 2),
        crossings: 0,
        saturations: 0,
    };
    assert_eq!(activity, expected);
}

#[test]
fn energy_of_a_step_counted_by_hand() {
    let image = tiny();
    let costs = Technology::builtin("45nm").unwrap().costs(&image.chip).unwrap();
    let mut counters = run_tiny(&image, true);
    counters.configuration_bits = 100;
    let energy = Energy::of(&image, &counters, &costs);
    let timing = counters.timing.unwrap();
    let (cycles, seconds) = (timing.cycles as f64, timing.cycles as f64 / 500e6);
    let expected = [
        // The block runs once. setvl, setrow, foreach, vaccr twice, nine more
        (Category::Instructions, costs[Event::Dispatch] + 14.0 * costs[Event::InstructionFetch]),
        // addi and addm; mul (setvl and setrow cost their fetch alone)
        (Category::ScalarUnit, 2.0 * costs[Event::ScalarOperation] + costs[Event::ScalarMultiply]),
        // vaccr twice, vcges; vaccr twice, vst, vstr, vcges read registers of three elements, vaccr writes them
        (
            Category::VectorUnit,
            9.0 * costs[Event::VectorAdd] + 15.0 * costs[Event::RegisterRead] + 6.0 * costs[Event::RegisterWrite],
        ),
        (
            Category::SynapseMemory,
            16.0 * (6.0 * costs[Event::SynapseReadPerBit] + 3.0 * costs[Event::SynapseWritePerBit]),
        ),
        (Category::NeuronMemory, 32.0 * 4.0 * costs[Event::NeuronWritePerBit]),
        (Category::AxonMemory, 16.0 * (costs[Event::AxonReadPerBit] + costs[Event::AxonWritePerBit])),
        (Category::ActiveSet, 2.0 * costs[Event::EventPop] + 2.0 * costs[Event::EventWrite]),
        (
            Category::Network,
            // The tree passes the routers of tiles 3, 2 and 0.
            6.0 * costs[Event::FlitInjection]
                + 16.0 * costs[Event::FlitHop]
                + 9.0 * costs[Event::TreeLookup]
                + 2.0 * costs[Event::FlitEjection],
        ),
        (Category::Host, (2.0 + 3.0) * costs[Event::HostFlit] + 100.0 * costs[Event::HostConfigurationPerBit]),
        (Category::Barrier, 4.0 * 4.0 * costs[Event::BarrierPerTile]),
        (
            Category::Clock,
            cycles * (4.0 * costs[Event::TileCycle] + costs[Event::CoreCycle])
                // Dispatch 4, addm 2, 13 of one cycle; flits; waiting.
                + (4.0 + 2.0 + 13.0 + 6.0 + timing.stalls as f64) * costs[Event::RunningCycle]
                + 15.0 * costs[Event::LaneCycle],
        ),
        (Category::Leakage, (costs.leakage.rest_w + costs.leakage.core_w) * 1e12 * seconds),
        (Category::IdleCores, 3.0 * costs.leakage.idle_core_w * 1e12 * seconds),
    ];
    for (category, picojoules) in expected {
        let found = energy.joules(category) * 1e12;
        assert!((found - picojoules).abs() <= 1e-9 * picojoules, "{}: {found} pJ, not {picojoules}", category.key());
    }
    let total: f64 = expected.iter().map(|(_, picojoules)| picojoules * 1e-12).sum();
    assert!((energy.total() - total).abs() <= 1e-9 * total);
}

#[test]
fn idle_cores_cost_their_clock_and_leakage_where_they_are_not_switched_off() {
    let mut image = tiny();
    let counters = run_tiny(&image, true);
    let technology = Technology::builtin("45nm").unwrap();
    let gated = Energy::of(&image, &counters, &technology.costs(&image.chip).unwrap());
    image.chip.idle_cores = IdleCores::Clocked;
    let costs = technology.costs(&image.chip).unwrap();
    let clocked = Energy::of(&image, &counters, &costs);
    let cycles = counters.timing.unwrap().cycles as f64;
    // Idle cores take more; links are a little shorter where there are no power switches.
    let times = clocked.times(&gated, costs.bill.uncertainty);
    assert!(1.0 < times.said && times.lowest < times.said && times.said < times.highest, "{times:?}");
    let expected = 3.0 * cycles * (costs[Event::CoreCycle] + costs.leakage.core_w * 1e12 / 500e6);
    assert!((clocked.joules(Category::IdleCores) * 1e12 - expected).abs() < 1e-9 * expected);
    assert!(
        gated.joules(Category::IdleCores) > 0.0
            && gated.joules(Category::IdleCores) < clocked.joules(Category::IdleCores) / 10.0
    );
}

#[test]
fn clock_and_leakage_are_left_out_where_no_time_was_kept() {
    let image = tiny();
    let costs = Technology::builtin("45nm").unwrap().costs(&image.chip).unwrap();
    let energy = |timing| Energy::of(&image, &run_tiny(&image, timing), &costs);
    let (with, without) = (energy(true), energy(false));
    for &category in Category::ALL {
        let expected = if category.needs_time() { 0.0 } else { with.joules(category) };
        assert_eq!(without.joules(category).to_bits(), expected.to_bits(), "{}", category.key());
    }
}

/// The digits, a part of them: learned and tested on a chip whose blocks share cores.
fn digits(chip: Chip) -> (Image, Dataset) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../programs/digits.sp");
    let source = Source::new("digits.sp", std::fs::read_to_string(path).unwrap());
    let options = onward_compile::Options::new(chip, 3);
    let image = onward_compile::compile(&source, &options).map_err(|errors| source.render(&errors)).unwrap();
    let mut data = Dataset::load("digits").unwrap();
    let part = |samples: &Samples, count: usize| {
        let pixels = (0..count).flat_map(|at| samples.pixels(at).to_vec()).collect();
        Samples::new(pixels, (0..count).map(|at| samples.label(at)).collect(), 64)
    };
    (data.train, data.test) = (part(&data.train, 60), part(&data.test, 40));
    (image, data)
}

#[test]
fn hops_and_flits_follow_from_the_routes_as_the_mesh_counts_them() {
    let [small, middle] = ["small", "middle"].map(|name| Chip::builtin(name).unwrap());
    let with = |change: fn(&mut Mesh)| {
        let mut chip = small.clone();
        chip.mesh = Mesh::of(4, 2);
        change(&mut chip.mesh);
        chip.validate().unwrap();
        chip
    };
    let chips = [
        with(|mesh| mesh.cores_per_tile = 2),
        with(|mesh| mesh.topology = Topology::Torus),
        with(|mesh| mesh.array = Some(Array { width: 4, height: 2, link_cycles: 8, cycles_per_flit: 4 })),
        with(|mesh| {
            (mesh.topology, mesh.cores_per_tile) = (Topology::Torus, 3);
            mesh.array = Some(Array { width: 4, height: 2, link_cycles: 3, cycles_per_flit: 2 });
        }),
        small.clone(),
        middle,
    ];
    for chip in chips {
        let is_array = chip.mesh.array.is_some();
        let name = format!("{:?}", chip.mesh);
        let (image, data) = digits(chip);
        let options = Options { seed: 3, timing: true, threads: 1 };
        let mut session = Session::new(&image, options).unwrap();
        let report = train(&mut session, &image, &data, 1, 3, |_| ControlFlow::Continue(()), |_| {}).unwrap();
        let timing = report.counters.timing.unwrap();
        let activity = Activity::of(&image, &report.counters);
        assert!(activity.hops > 0);
        assert_eq!((activity.hops, activity.flits), (timing.hops, timing.injected), "{name}");
        assert_eq!((activity.crossings, timing.crossings > 0), (timing.crossings, is_array), "{name}");
    }
}

#[test]
fn the_energy_of_a_run_is_that_of_its_parts() {
    let (image, data) = digits(Chip::builtin("small").unwrap());
    let mut session = Session::new(&image, Options { seed: 3, timing: true, threads: 1 }).unwrap();
    let report = train(&mut session, &image, &data, 2, 3, |_| ControlFlow::Continue(()), |_| {}).unwrap();
    let costs = Technology::builtin("22nm-seneca").unwrap().costs(&image.chip).unwrap();
    let energy = |counters: &Counters| Energy::of(&image, counters, &costs).total();
    let (learning, testing) = (&report.learning_counters, report.counters.since(&report.learning_counters));
    assert_eq!(learning.steps, report.learning.steps);
    assert_eq!(testing.timing.unwrap().cycles, report.testing.cycles);
    let (whole, parts) = (energy(&report.counters), energy(learning) + energy(&testing));
    assert!((whole - parts).abs() < 1e-9 * whole, "{whole} J, in parts {parts} J");
    // Testing writes no weight.
    assert_eq!(Activity::of(&image, &testing).synaptic_updates, 0);
}

/// For each word of a program whether it lies in the body of a `foreach`, by the labels of its text.
fn in_bodies(program: &Program) -> Vec<bool> {
    let lines: Vec<&str> = program.text.lines().collect();
    let mut inside = vec![false; program.words.len()];
    for (at, &line) in program.lines.iter().enumerate() {
        let code = lines[line as usize - 1].split(';').next().unwrap_or_default().trim();
        if let Some(operands) = code.strip_prefix("foreach ") {
            let label = operands.rsplit(", ").next().unwrap_or_default();
            let end = program.labels.iter().find(|(name, _)| name == label).expect("the label is bound").1;
            inside[at + 1..end as usize].fill(true);
        }
    }
    inside
}

#[test]
fn synaptic_events_are_read_in_bodies_of_foreach() {
    let (mut image, _) = digits(Chip::builtin("small").unwrap());
    // As of a program by hand, of whose axons nothing is known.
    image.blocks.iter_mut().for_each(|block| block.fan_outs.clear());
    let machine = Machine::new(&image, Options { seed: 1, timing: false, threads: 1 }).unwrap();
    for (number, block) in image.blocks.iter_enumerated() {
        // Every address is executed once, with one element.
        let mut counters = machine.counters();
        for address in &mut counters.blocks[usize::from(number)].addresses {
            (address.executed, address.elements) = (1, 1);
        }
        let program = &image.programs[block.program];
        let reads = program.words.iter().zip(in_bodies(program)).filter(|&(&word, inside)| {
            let instruction = onward_isa::Instruction::decode(word).unwrap();
            let read = instruction.op.description().access == onward_isa::Access::Read;
            inside && read && instruction.space == Space::Synapse
        });
        assert_eq!(Activity::of(&image, &counters).synaptic_events, reads.count() as u64);
    }
}

#[test]
fn flits_to_where_they_come_from_cross_nothing() {
    let image = tiny();
    assert_eq!(hops(&image, Endpoint::Core(Core(2)), Destination::Unicast(Endpoint::Core(Core(2)))), 0);
    assert_eq!(hops(&image, Endpoint::Host(0), Destination::Unicast(Endpoint::Core(Core(0)))), 0);
    assert_eq!(hops(&image, Endpoint::Core(Core(1)), Destination::Unicast(Endpoint::Core(Core(2)))), 2);
}
