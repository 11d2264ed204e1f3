//! Random chips with blocks, routes, trees and packets of the host.

use crate::programs::{Frame, Raw, program, raw};
use onward_chip::{Array, Chip, Host, HostPort, Memory, Mesh, Side, Topology};
use onward_emulate::HostPacket;
use onward_image::{
    Block, Core, Delivery, Destination, Endpoint, Flit, HostInput, HostInputKind, Image, NetworkSummary, Population,
    PopulationIndex, PopulationKind, Program, Route, Symbol, Tree, TreeIndex, dimension_order_tree,
};
use onward_isa::Instruction;
use proptest::prelude::*;
use std::fmt;

/// A block before its routes are known.
#[derive(Clone, Debug)]
pub struct RawBlock {
    pub tile: u32,
    pub program: usize,
    pub host_axons: u32,
    pub tagged: bool,
    pub spikes_only: bool,
    pub memory_bytes: [u32; 3],
    pub contents: Vec<u8>,
    pub routes: Vec<RawRoute>,
}

/// A route before its takers have axons.
#[derive(Clone, Debug)]
pub struct RawRoute {
    pub indices: u32,
    /// A bit a block.
    pub takers: u8,
    pub to_host: bool,
    pub by_tree: bool,
}

#[derive(Clone)]
pub struct Case {
    pub image: Image,
    pub seed: u64,
    pub steps: usize,
    pub packets: Vec<HostPacket>,
    pub threads: usize,
}

/// As a person wants to see it.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Image { chip, programs, blocks, .. } = &self.image;
        writeln!(
            f,
            "{} steps, seed {}, {} threads, {:?} {:?}",
            self.steps, self.seed, self.threads, chip.core, chip.mesh
        )?;
        for (number, program) in
            programs.iter_enumerated().filter(|(number, _)| blocks.iter().any(|b| b.program == *number))
        {
            writeln!(f, "program {number}")?;
            for (address, &word) in program.words.iter().enumerate() {
                let text = Instruction::decode(word).map_or_else(|_| format!(".word {word:#x}"), |i| i.to_string());
                writeln!(f, "{address:5}  {text}")?;
            }
        }
        for (number, block) in blocks.iter().enumerate() {
            let Block { core, program, axons, tagged, memory_bytes, .. } = block;
            writeln!(
                f,
                "block {number}: {core:?}, program {program}, {axons} axons, tagged {tagged}, {memory_bytes:?} bytes"
            )?;
            for route in &block.routes {
                writeln!(f, "    route, {} indices: {:?}", route.indices, route.flits)?;
            }
        }
        self.packets.iter().try_for_each(|packet| writeln!(f, "{packet:?}"))
    }
}

fn chip() -> impl Strategy<Value = Chip> {
    let core = (prop::sample::select(vec![4u16, 8, 16, 32, 64]), 1u16..4, 1u16..7);
    let mesh = (1u16..4, 1u16..3, 1u16..5, 0u16..3);
    let array = (prop::bool::weighted(0.3), 0u16..9, 1u16..4);
    let shape = (1u16..4, any::<bool>(), array).prop_map(|(cores_per_tile, torus, (cut, link, cycles))| {
        let array = Array { width: 1, height: 1, link_cycles: link.max(cycles), cycles_per_flit: cycles };
        let topology = if torus { Topology::Torus } else { Topology::Mesh };
        (cores_per_tile, topology, cut.then_some(array))
    });
    (core, mesh, shape, 1u32..9, 0u16..2).prop_map(
        |((lanes, length, dispatch), (width, height, buffer, link), (cores, topology, array), barrier, port)| Chip {
            name: "random".into(),
            clock_hz: 1,
            voltage_mv: None,
            idle_cores: Default::default(),
            barrier_cycles: barrier.max(16),
            technology: "45nm".into(),
            mesh: Mesh {
                cores_per_tile: cores,
                topology,
                buffer_flits: buffer,
                link_cycles: link,
                // Each column on a chip of its own.
                array: array.map(|array| Array { width, ..array }),
                ..Mesh::of(width, height)
            },
            core: onward_chip::Core { lanes, vector_length: 64 * length, blocks: 64, dispatch_cycles: dispatch },
            memory: Memory {
                instruction_words: 1 << 20,
                synapse_bytes: 1 << 20,
                neuron_bytes: 1 << 20,
                axon_bytes: 1 << 20,
                axons: 1 << 20,
                routes: 1 << 20,
                protection: Default::default(),
            },
            host: Host {
                ports: vec![HostPort { side: if port == 0 { Side::West } else { Side::North }, position: 0 }],
            },
        },
    )
}

const ROUTES: usize = 3;
const BYTES: u32 = 1600;

fn raw_block() -> impl Strategy<Value = RawBlock> {
    let route = (prop_oneof![1 => 1u32..20, 3 => 60u32..200], any::<u8>(), any::<bool>(), any::<bool>())
        .prop_map(|(indices, takers, to_host, by_tree)| RawRoute { indices, takers, to_host, by_tree });
    let memory =
        ([BYTES..BYTES + 40, BYTES..BYTES + 40, BYTES..BYTES + 40], prop::collection::vec(any::<u8>(), 0..200));
    (0u32..6, 0usize..2, 0u32..30, any::<bool>(), any::<bool>(), memory, prop::collection::vec(route, ROUTES)).prop_map(
        |(tile, program, host_axons, tagged, spikes_only, (memory_bytes, contents), routes)| RawBlock {
            tile,
            program,
            host_axons,
            tagged,
            spikes_only,
            memory_bytes,
            contents,
            routes,
        },
    )
}

/// A route for packets from `source`, and its trees; takers get new axons.
fn route(chip: &Chip, source: Endpoint, raw: &RawRoute, blocks: &mut [Block], trees: &mut Vec<Tree>) -> Route {
    let mut deliveries: Vec<(Endpoint, Delivery)> = Vec::new();
    let takers = (0_u32..).zip(blocks).filter(|(number, _)| raw.takers >> number & 1 == 1).take(3);
    for (taker, block) in takers {
        deliveries.push((Endpoint::Core(block.core), Delivery::Block { block: taker.into(), first_axon: block.axons }));
        block.axons += raw.indices;
    }
    if raw.to_host {
        deliveries.push((Endpoint::Host(0), Delivery::Host));
    }
    // A tree takes one block a core; the others get flits of their own.
    let mut tree: Vec<(Endpoint, Delivery)> = Vec::new();
    let mut flits = Vec::new();
    for (endpoint, delivery) in deliveries {
        if raw.by_tree && tree.iter().all(|(other, _)| *other != endpoint) {
            tree.push((endpoint, delivery));
        } else {
            flits.push(Flit { destination: Destination::Unicast(endpoint), deliveries: vec![delivery] });
        }
    }
    if !tree.is_empty() {
        let ends: Vec<Endpoint> = tree.iter().map(|(endpoint, _)| *endpoint).collect();
        let destination = Destination::Multicast(TreeIndex(trees.len() as u16));
        trees.push(dimension_order_tree(&chip.mesh, &chip.host.ports, source, &ends));
        flits.insert(0, Flit { destination, deliveries: tree.into_iter().map(|(_, delivery)| delivery).collect() });
    }
    Route { name: "random".into(), indices: raw.indices, flits }
}

pub fn image(chip: Chip, programs: Vec<Vec<u32>>, raw: &[RawBlock]) -> Image {
    let cores = chip.mesh.cores() as u32;
    let mut trees = Vec::new();
    let mut blocks: Vec<Block> = raw
        .iter()
        .zip(0..)
        .map(|(raw, number)| Block {
            population: PopulationIndex(0),
            first_neuron: 0,
            neurons: 1,
            core: Core(raw.tile % cores),
            program: (raw.program % programs.len()).into(),
            entry: 0,
            generator: number,
            tagged: raw.tagged,
            axons: raw.host_axons.max(1),
            memory_bytes: raw.memory_bytes,
            contents: [0, 1, 2].map(|space| raw.contents.iter().map(|byte| byte.wrapping_mul(2 * space + 1)).collect()),
            routes: Vec::new(),
            symbols: vec![Symbol { name: "array".into(), space: 0, width_bits: 16, offset: 3, rows: 2, columns: 3 }],
            order: onward_image::Order::Straight,
            fan_outs: Vec::new(),
        })
        .collect();
    let mut host_inputs = Vec::new();
    for (number, raw) in (0u32..).zip(raw) {
        let kind = if raw.spikes_only && !raw.tagged { HostInputKind::Input } else { HostInputKind::Tag };
        let indices = raw.host_axons.max(1);
        let destination = Destination::Unicast(Endpoint::Core(blocks[number as usize].core));
        // Some are sent in two parts, which need not begin at a whole word of bits.
        let cut = if number % 2 == 0 { indices / 3 } else { 0 };
        for (first, end) in [(0, cut), (cut, indices)].into_iter().filter(|(first, end)| first < end) {
            let deliveries = vec![Delivery::Block { block: number.into(), first_axon: first }];
            let flits = vec![Flit { destination, deliveries }];
            host_inputs.push(HostInput {
                kind,
                first,
                route: Route { name: "host".into(), indices: end - first, flits },
            });
        }
    }
    for (number, raw) in raw.iter().enumerate() {
        for raw in &raw.routes {
            let source = Endpoint::Core(blocks[number].core);
            let route = route(&chip, source, raw, &mut blocks, &mut trees);
            blocks[number].routes.push(route);
        }
    }
    let population =
        Population { name: "all".into(), kind: PopulationKind::Readout, neurons: 1, lag: 1, source_line: 1 };
    Image {
        chip,
        network: NetworkSummary {
            name: "random".into(),
            source: Default::default(),
            seed: 0,
            data: None,
            window_steps: 1,
            augment: Vec::new(),
            epochs: 1,
            populations: vec![population].into(),
            edges: Vec::new(),
        },
        programs: programs
            .into_iter()
            .map(|words| Program {
                name: "random".into(),
                lines: vec![1; words.len()],
                words,
                labels: Vec::new(),
                purposes: Vec::new(),
                text: String::new(),
                population: None,
            })
            .collect(),
        blocks: blocks.into(),
        trees: trees.into(),
        host_inputs,
        host_port: 0,
        learned: onward_image::Learned::default(),
        proof: None,
    }
}

/// Packets of the host: step, block, axon, payload, all brought into range.
fn packets(image: &Image, steps: usize, raw: &[(u8, u8, u8, i32)]) -> Vec<HostPacket> {
    let mut packets: Vec<HostPacket> = Vec::new();
    let inputs: Vec<usize> = (0..image.host_inputs.len()).filter(|&at| image.host_inputs[at].first == 0).collect();
    for &(step, input, index, payload) in raw {
        let input = inputs[usize::from(input) % inputs.len()];
        let host_input = &image.host_inputs[input];
        let packet = HostPacket {
            step: usize::from(step) % steps,
            input,
            index: u32::from(index) % image.input_indices(input),
            payload: if host_input.kind == HostInputKind::Tag { payload } else { 1 },
        };
        if packets.iter().all(|other| (other.step, other.input, other.index) != (packet.step, input, packet.index)) {
            packets.push(packet);
        }
    }
    packets
}

pub fn case() -> impl Strategy<Value = Case> {
    let code = (any_raws(), prop::collection::vec(raw(), 0..40));
    let blocks = prop::collection::vec(raw_block(), 1..6);
    let payload = prop_oneof![0..9i32, any::<i32>()];
    let host = prop::collection::vec((any::<u8>(), any::<u8>(), any::<u8>(), payload), 1..40);
    (chip(), prop::collection::vec(code, 2), blocks, host, 2usize..7, any::<u64>(), 1usize..4).prop_map(
        |(chip, code, blocks, host, steps, seed, threads)| {
            let frame = Frame { vector_length: chip.core.vector_length, routes: ROUTES as u32, bytes: BYTES };
            let programs = code.iter().map(|(seed, body)| program(seed, body, frame)).collect();
            let image = image(chip, programs, &blocks);
            let packets = packets(&image, steps, &host);
            Case { image, seed, steps, packets, threads }
        },
    )
}

/// A case, and the image of the same programs and blocks on another chip: lanes, mesh, places, buffers, links, barrier are others.
pub fn pair() -> impl Strategy<Value = (Case, Image)> {
    let code = (any_raws(), prop::collection::vec(raw(), 0..40));
    let blocks = prop::collection::vec((raw_block(), 0u32..6), 1..6);
    let payload = prop_oneof![0..9i32, any::<i32>()];
    let host = prop::collection::vec((any::<u8>(), any::<u8>(), any::<u8>(), payload), 1..40);
    let chips = (chip(), chip());
    (chips, prop::collection::vec(code, 2), blocks, host, 2usize..7, any::<u64>(), 1usize..4).prop_map(
        |((chip, mut other), code, blocks, host, steps, seed, threads)| {
            other.core.vector_length = chip.core.vector_length;
            let frame = Frame { vector_length: chip.core.vector_length, routes: ROUTES as u32, bytes: BYTES };
            let programs: Vec<_> = code.iter().map(|(seed, body)| program(seed, body, frame)).collect();
            let (mut here, mut there): (Vec<RawBlock>, Vec<RawBlock>) = (Vec::new(), Vec::new());
            for (block, tile) in blocks {
                there.push(RawBlock { tile, ..block.clone() });
                here.push(block);
            }
            // Trees are others there.
            for route in there.iter_mut().flat_map(|block| &mut block.routes) {
                route.by_tree = !route.by_tree;
            }
            let image_there = image(other, programs.clone(), &there);
            let image = image(chip, programs, &here);
            let packets = packets(&image, steps, &host);
            (Case { image, seed, steps, packets, threads }, image_there)
        },
    )
}

fn any_raws() -> impl Strategy<Value = [Raw; 3]> {
    [raw(), raw(), raw()]
}
