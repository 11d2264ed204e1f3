//! The two engines against each other: random programs on random chips, every byte, packet, counter, cycle and fault;
//! real networks; and arithmetic against a model of its own.
//!
//! The fast engine runs with whole chunks and several threads, as it is meant to; the reference engine goes step by step.

use onward_chip::{Chip, Core, Host, HostPort, Memory, Mesh, Side};
use onward_diagnostic::Source;
use onward_emulate::{Counters, Engine, HostPacket, Machine, Options, reference};
use onward_image::{
    Block, Delivery, Destination, Endpoint, Flit, HostInput, HostInputKind, Image, NetworkSummary, Population,
    PopulationKind, Program, Route, Symbol, Tag, Tile, Tree, TreeIndex, dimension_order_tree,
};
use onward_isa::{Cycles, Field, INSTRUCTIONS, Instruction, Op, Operand, RegisterKind, Space, Width};
use onward_run::data::{Dataset, encode_rate};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt;

// -------------------------------------------------------------------------------------------------- random programs

/// Random numbers that become an instruction, or a few.
#[derive(Clone, Copy, Debug)]
struct Raw {
    row: u16,
    registers: [u8; 4],
    number: i32,
    memory: (u8, u8),
}

/// What a program may count on.
#[derive(Clone, Copy, Debug)]
struct Frame {
    vector_length: u16,
    routes: u32,
    /// Bytes of each memory, the least of all blocks.
    bytes: u32,
}

/// Registers with a meaning: never overwritten, so that loops are short and most addresses lie in their memory.
mod fixed {
    /// Entries of tables, 1 to 5.
    pub const ENTRIES: u8 = 11;
    /// 0 to 3, strides and indices.
    pub const SMALL: u8 = 12;
    /// 0 to 20, addresses.
    pub const BASE: u8 = 13;
    /// Counts of loops, -1 to 3.
    pub const COUNTS: [u8; 2] = [14, 15];
    /// Registers below are free.
    pub const FREE: u8 = 11;
}

fn raw() -> impl Strategy<Value = Raw> {
    let number = prop_oneof![4 => 0..64i32, 2 => any::<i32>(), 1 => -40..40i32];
    (any::<u16>(), any::<[u8; 4]>(), number, any::<(u8, u8)>()).prop_map(|(row, registers, number, memory)| Raw {
        row,
        registers,
        number,
        memory,
    })
}

/// `addi rd, r0, number`.
fn load(d: u8, number: i32) -> Instruction {
    Instruction { d, imm: number, ..Instruction::new(Op::Addi) }
}

/// Values for the fixed registers, lengths, and something in the vectors.
fn prologue(seed: &[Raw; 3], frame: Frame) -> Vec<Instruction> {
    let [x, y, z] = seed;
    let length = y.number.rem_euclid(i32::from(frame.vector_length).min(70) + 1);
    let mut code = vec![
        load(fixed::ENTRIES, 1 + i32::from(x.registers[0] % 5)),
        load(fixed::SMALL, i32::from(x.registers[1] % 4)),
        load(fixed::BASE, i32::from(x.registers[2] % 21)),
        load(fixed::COUNTS[0], i32::from(x.registers[3] % 5) - 1),
        load(fixed::COUNTS[1], i32::from(y.registers[3] % 5) - 1),
        Instruction { imm: length, ..Instruction::new(Op::Setvl) },
        Instruction { imm: i32::from(y.registers[0] % 16), ..Instruction::new(Op::Setrow) },
    ];
    for d in 0..4 {
        let width = if z.registers[usize::from(d)].is_multiple_of(2) { Width::W32 } else { Width::W8 };
        let imm = i32::from(z.registers[usize::from(d)]) / 8;
        code.push(Instruction { d, imm, width, space: Space::Neuron, ..Instruction::new(Op::Vld) });
    }
    for (d, compare) in [(0, Op::Vcge), (1, Op::Vclt)] {
        code.push(Instruction { d, a: y.registers[1] % 4, b: y.registers[2] % 4, ..Instruction::new(compare) });
    }
    code
}

/// The loops that the compiler writes, with parts that are sometimes not quite so.
fn event_loop(raw: &Raw) -> Vec<Instruction> {
    let Raw { registers, number, .. } = *raw;
    let width = [Width::W4, Width::W8, Width::W16, Width::W16, Width::W32][usize::from(raw.memory.0 % 5)];
    let traced = number % 2 == 0;
    let (axon, payload) = (registers[0] % 6, registers[1] % 5);
    let vector = registers[3] % 8;
    let row_register = if raw.memory.1.is_multiple_of(8) { payload } else { axon };
    let offset = number.rem_euclid(3) - i32::from(registers[2].is_multiple_of(16));
    let mut code = Vec::new();
    if raw.row.is_multiple_of(3) {
        // Sums near one of their ends: some will saturate.
        let end = if number % 4 < 2 { 0x7fff } else { 0x8000 };
        code.push(Instruction { d: 9, imm: end, ..Instruction::new(Op::Lui) });
        code.push(Instruction {
            d: 9,
            a: 9,
            imm: if end == 0x8000 { 0x0100 } else { 0xff00 },
            ..Instruction::new(Op::Ori)
        });
        code.push(Instruction { d: vector, a: 9, ..Instruction::new(Op::Vmv) });
    }
    code.push(match registers[2] / 32 {
        0 => Instruction { d: 9, imm: 40_000, ..Instruction::new(Op::Ori) }, // more than a trace can count
        _ => load(9, i32::from(registers[2] % 4) - i32::from(registers[2] == 255)),
    });
    code.push(Instruction { d: axon, a: payload, imm: if traced { 4 } else { 2 }, ..Instruction::new(Op::Foreach) });
    code.push(Instruction {
        d: vector,
        a: row_register,
        imm: offset,
        space: Space::Synapse,
        width,
        ..Instruction::new(Op::Vaccr)
    });
    if traced {
        let sum = 6 + registers[0] / 8 % 3;
        let base = [fixed::BASE, 0, 7, payload][usize::from(registers[1] / 8 % 4)];
        let (a, b) = if (registers[2] / 16).is_multiple_of(2) { (axon, base) } else { (base, axon) };
        let increment = if (registers[3] / 8).is_multiple_of(8) { registers[3] / 64 } else { 9 };
        code.push(Instruction { d: sum, a, b, ..Instruction::new(Op::Add) });
        let width = if (registers[3] / 16).is_multiple_of(8) { Width::W8 } else { Width::W16 };
        code.push(Instruction {
            d: increment,
            a: sum,
            imm: offset,
            space: Space::Axon,
            width,
            ..Instruction::new(Op::Addm)
        });
    }
    code
}

/// A valid instruction with at most `left` instructions behind it; branches and loops go forward, so that all ends.
fn instruction(raw: &Raw, left: usize, frame: Frame) -> Instruction {
    let mut description = &INSTRUCTIONS[usize::from(raw.row) % INSTRUCTIONS.len()];
    if description.op == Op::Sleep || description.op == Op::Stay {
        description = if raw.memory.0 < 40 { description } else { Op::Vmacs.description() };
    }
    let op = description.op;
    let mut made = Instruction::new(op);
    let is_branch = matches!(description.cycles, Cycles::Branch | Cycles::Jump);
    let reads_first = is_branch || matches!(op, Op::St | Op::Addm | Op::Send);
    for (at, &operand) in description.operands.iter().enumerate() {
        let Some((kind, field)) = operand.register() else { continue };
        let random = raw.registers[field as usize];
        let number = match kind {
            RegisterKind::Scalar if op == Op::Loop => fixed::COUNTS[usize::from(random % 2)],
            RegisterKind::Scalar if op == Op::Foreach || (at == 0 && !reads_first) => random % fixed::FREE,
            RegisterKind::Scalar if op == Op::Vlut => fixed::ENTRIES,
            RegisterKind::Scalar if matches!(op, Op::Setvl | Op::Setrow) => [0, fixed::SMALL][usize::from(random % 2)],
            RegisterKind::Scalar if matches!(op, Op::Vext | Op::Vins) && field == Field::B && random < 240 => {
                fixed::SMALL
            }
            RegisterKind::Scalar if op == Op::Send && field == Field::A && random < 240 => {
                [fixed::SMALL, fixed::BASE, 0, 1][usize::from(random % 4)]
            }
            kind => random % kind.count(),
        };
        made.set_register(field, number);
    }
    let far = |range: i32| raw.number.rem_euclid(range);
    for &operand in description.operands {
        match operand {
            Operand::Label => made.imm = 1 + far(left.clamp(1, 10) as i32),
            Operand::Route => made.imm = far(frame.routes as i32 + i32::from(raw.memory.0 < 6)),
            Operand::Signed if op == Op::Setvl => made.imm = far(i32::from(frame.vector_length) - 3),
            Operand::Signed if op == Op::Setrow => made.imm = far(12),
            Operand::Signed | Operand::Unsigned | Operand::Special => {
                let (min, max) = operand.range().unwrap_or((0, 0));
                made.imm = min + (raw.number.wrapping_sub(min)).rem_euclid(max - min + 1);
            }
            Operand::Memory | Operand::Row | Operand::Strided | Operand::Table => {
                memory_operand(raw, operand, frame, &mut made)
            }
            Operand::Scalar(_) | Operand::Vector(_) | Operand::Predicate(_) => {}
        }
    }
    if made.encode().is_ok() { made } else { Instruction::new(Op::Nop) } // a store to what is read-only
}

/// Fills in a memory operand that mostly lies in its memory.
fn memory_operand(raw: &Raw, operand: Operand, frame: Frame, made: &mut Instruction) {
    let spaces = [Space::Neuron, Space::Axon, Space::Synapse, Space::Event];
    let event = usize::from(raw.memory.0.is_multiple_of(16) || (raw.memory.0.is_multiple_of(4) && made.op == Op::Ld));
    made.space = spaces[if event == 1 { 3 } else { usize::from(raw.memory.0 % 3) }];
    let widths: Vec<Width> = Width::ALL.into_iter().filter(|&width| made.space.has(width)).collect();
    made.width = widths[usize::from(raw.memory.1) % widths.len()];
    let odd = raw.memory.1 > 250;
    let base =
        if odd { raw.registers[1] % 16 } else { [0, fixed::SMALL, fixed::BASE][usize::from(raw.registers[1] % 3)] };
    let elements = if made.space == Space::Event { 8 } else { frame.bytes * 8 / made.width.bits() };
    let room = (elements as i32 - i32::from(frame.vector_length) - 20).max(1);
    match operand {
        Operand::Table => made.b = base,
        Operand::Strided => {
            (made.a, made.c) = (base, [fixed::SMALL, 0][usize::from(raw.registers[3] % 2)]);
            made.imm = raw.number.rem_euclid(100) - i32::from(odd);
        }
        Operand::Row => {
            made.a = [0, fixed::SMALL][usize::from(raw.registers[1] % 2)];
            made.imm = raw.number.rem_euclid(6) - i32::from(odd);
        }
        _ => {
            made.a = base;
            made.imm = raw.number.rem_euclid(room.min(2000)) - i32::from(odd);
        }
    }
}

/// The words of a program.
fn program(prologue_seed: &[Raw; 3], body: &[Raw], frame: Frame) -> Vec<u32> {
    let mut code = prologue(prologue_seed, frame);
    for (at, raw) in body.iter().enumerate() {
        if raw.row.is_multiple_of(13) {
            code.extend(event_loop(raw));
        } else {
            code.push(instruction(raw, body.len() - at, frame));
        }
    }
    code.push(Instruction::new(if prologue_seed[0].number % 3 == 0 { Op::Stay } else { Op::Sleep }));
    let mut words: Vec<u32> =
        code.iter().map(|instruction| instruction.encode().expect("a valid instruction")).collect();
    if prologue_seed[1].memory.0 < 8 {
        let at = usize::from(prologue_seed[1].memory.1) % words.len();
        words[at] = prologue_seed[1].number as u32; // perhaps no instruction
        if Instruction::decode(words[at]).is_ok() {
            words[at] = u32::MAX;
        }
    }
    words
}

// ----------------------------------------------------------------------------------------------------- random chips

/// A block before its routes are known.
#[derive(Clone, Debug)]
struct RawBlock {
    tile: u32,
    program: usize,
    host_axons: u32,
    tagged: bool,
    spikes_only: bool,
    memory_bytes: [u32; 3],
    contents: Vec<u8>,
    routes: Vec<RawRoute>,
}

/// A route before its takers have axons.
#[derive(Clone, Debug)]
struct RawRoute {
    indices: u32,
    /// A bit a block.
    takers: u8,
    to_host: bool,
    by_tree: bool,
}

#[derive(Clone)]
struct Case {
    image: Image,
    seed: u64,
    steps: usize,
    packets: Vec<HostPacket>,
    threads: usize,
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
            programs.iter().enumerate().filter(|(number, _)| blocks.iter().any(|b| b.program == *number as u32))
        {
            writeln!(f, "program {number}")?;
            for (address, &word) in program.words.iter().enumerate() {
                let text = Instruction::decode(word).map_or_else(|_| format!(".word {word:#x}"), |i| i.to_string());
                writeln!(f, "{address:5}  {text}")?;
            }
        }
        for (number, block) in blocks.iter().enumerate() {
            let Block { tile, program, axons, tagged, memory_bytes, .. } = block;
            writeln!(
                f,
                "block {number}: {tile:?}, program {program}, {axons} axons, tagged {tagged}, {memory_bytes:?} bytes"
            )?;
            for route in &block.routes {
                writeln!(f, "    route, {} indices: {:?}", route.indices, route.flits)?;
            }
        }
        self.packets.iter().try_for_each(|packet| writeln!(f, "{packet:?}"))
    }
}

fn chip() -> impl Strategy<Value = Chip> {
    let core = (prop::sample::select(vec![4u16, 8, 16, 32, 64]), 1u16..4, 0u16..7);
    let mesh = (1u16..4, 1u16..3, 1u16..5, 0u16..3);
    (core, mesh, 0u32..9, 0u16..2).prop_map(
        |((lanes, length, dispatch), (width, height, buffer, link), barrier, port)| Chip {
            name: "random".into(),
            clock_hz: 1,
            barrier_cycles: barrier,
            technology: "45nm".into(),
            mesh: Mesh { width, height, buffer_flits: buffer, link_cycles: link, multicast_trees: 1024 },
            core: Core { lanes, vector_length: 64 * length, blocks: 64, dispatch_cycles: dispatch },
            memory: Memory {
                instruction_words: 1 << 20,
                synapse_bytes: 1 << 20,
                neuron_bytes: 1 << 20,
                axon_bytes: 1 << 20,
                axons: 1 << 20,
                routes: 1 << 20,
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
    let takers = (0..).zip(blocks).filter(|(number, _)| raw.takers >> number & 1 == 1).take(3);
    for (taker, block) in takers {
        deliveries.push((Endpoint::Core(block.tile), Delivery::Block { block: taker, first_axon: block.axons }));
        block.axons += raw.indices;
    }
    if raw.to_host {
        deliveries.push((Endpoint::Host(0), Delivery::Host));
    }
    // A tree takes one block a tile; the others get flits of their own.
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

fn image(chip: Chip, programs: Vec<Vec<u32>>, raw: &[RawBlock]) -> Image {
    let tiles = chip.mesh.tiles() as u32;
    let mut trees = Vec::new();
    let mut blocks: Vec<Block> = raw
        .iter()
        .map(|raw| Block {
            population: 0,
            first_neuron: 0,
            neurons: 1,
            tile: Tile(raw.tile % tiles),
            program: (raw.program % programs.len()) as u32,
            entry: 0,
            tagged: raw.tagged,
            axons: raw.host_axons.max(1),
            memory_bytes: raw.memory_bytes,
            contents: [0, 1, 2].map(|space| raw.contents.iter().map(|byte| byte.wrapping_mul(2 * space + 1)).collect()),
            routes: Vec::new(),
            symbols: vec![Symbol { name: "array".into(), space: 0, width_bits: 16, offset: 3, rows: 2, columns: 3 }],
        })
        .collect();
    let mut host_inputs = Vec::new();
    for (number, raw) in (0u32..).zip(raw) {
        let kind = if raw.spikes_only && !raw.tagged { HostInputKind::Input } else { HostInputKind::Tag };
        let indices = raw.host_axons.max(1);
        let destination = Destination::Unicast(Endpoint::Core(blocks[number as usize].tile));
        let deliveries = vec![Delivery::Block { block: number, first_axon: 0 }];
        host_inputs.push(HostInput {
            kind,
            route: Route { name: "host".into(), indices, flits: vec![Flit { destination, deliveries }] },
        });
    }
    for (number, raw) in raw.iter().enumerate() {
        for raw in &raw.routes {
            let source = Endpoint::Core(blocks[number].tile);
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
            epochs: 1,
            populations: vec![population],
            edges: Vec::new(),
        },
        programs: programs
            .into_iter()
            .map(|words| Program {
                name: "random".into(),
                lines: vec![1; words.len()],
                words,
                labels: Vec::new(),
                text: String::new(),
                population: None,
            })
            .collect(),
        blocks,
        trees,
        host_inputs,
        host_port: 0,
    }
}

/// Packets of the host: step, block, axon, payload, all brought into range.
fn packets(image: &Image, steps: usize, raw: &[(u8, u8, u8, i32)]) -> Vec<HostPacket> {
    let mut packets: Vec<HostPacket> = Vec::new();
    for &(step, input, index, payload) in raw {
        let input = usize::from(input) % image.host_inputs.len();
        let host_input = &image.host_inputs[input];
        let packet = HostPacket {
            step: usize::from(step) % steps,
            input,
            index: u32::from(index) % host_input.route.indices,
            payload: if host_input.kind == HostInputKind::Tag { payload } else { 1 },
        };
        if packets.iter().all(|other| (other.step, other.input, other.index) != (packet.step, input, packet.index)) {
            packets.push(packet);
        }
    }
    packets
}

fn case() -> impl Strategy<Value = Case> {
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

fn any_raws() -> impl Strategy<Value = [Raw; 3]> {
    [raw(), raw(), raw()]
}

// ------------------------------------------------------------------------------------------------------- comparison

/// Counters as both engines must give them. The fast one counts an address behind the program as well.
fn comparable(mut counters: Counters, image: &Image) -> Counters {
    for (block, of) in counters.blocks.iter_mut().zip(&image.blocks) {
        block.addresses.truncate(image.programs[of.program as usize].words.len());
    }
    counters
}

/// Whether both hold the same; a difference is named.
fn same_state(image: &Image, one: &dyn Engine, other: &dyn Engine) -> Result<(), String> {
    for block in 0..image.blocks.len() as u32 {
        for space in [Space::Neuron, Space::Axon, Space::Synapse] {
            let (one, other) = (one.memory(block, space), other.memory(block, space));
            if let Some(at) = (0..one.len()).find(|&at| one[at] != other[at]) {
                return Err(format!("block {block}, {space:?}, byte {at}: {} and {}", one[at], other[at]));
            }
        }
        if one.peek(block, "array") != other.peek(block, "array") {
            return Err(format!("block {block}: `array` differs"));
        }
    }
    let (one, other) = (comparable(one.counters(), image), comparable(other.counters(), image));
    if one != other { Err(format!("counters:\n{one:?}\n{other:?}")) } else { Ok(()) }
}

/// The packets of the steps `from..`, so many, counted from the first.
fn within(packets: &[HostPacket], from: usize, steps: usize) -> Vec<HostPacket> {
    let inside = packets.iter().filter(|packet| (from..from + steps).contains(&packet.step));
    inside.map(|packet| HostPacket { step: packet.step - from, ..*packet }).collect()
}

/// Runs a case on both engines, in chunks of so many steps. Returns whether it ended without a fault.
fn compare(case: &Case, chunk: usize, timing: bool) -> Result<bool, String> {
    let options = Options { seed: case.seed, timing, threads: case.threads };
    let mut reference = reference::Machine::new(&case.image, options).map_err(|error| error.to_string())?;
    let mut fast = Machine::new(&case.image, options).map_err(|error| error.to_string())?;
    let mut from = 0;
    while from < case.steps {
        let steps = chunk.min(case.steps - from);
        let packets = within(&case.packets, from, steps);
        let expected = reference.run_packets(steps, &packets);
        let found = fast.run_packets(steps, &packets);
        if expected != found {
            return Err(format!("the reference engine: {expected:?}\nthe fast engine: {found:?}"));
        }
        if expected.is_err() {
            return Ok(false);
        }
        same_state(&case.image, &reference, &fast)?;
        let values = [case.seed as i32, -1, 40_000, -40_000, from as i32, 1];
        for engine in [&mut reference as &mut dyn Engine, &mut fast] {
            let written = engine.write(0, "array", &values);
            let read = engine.read(0, "array");
            let low: Vec<i32> = values.iter().map(|&value| i32::from(value as i16)).collect();
            if !written || read != Some(low) || engine.write(0, "array", &[1]) || engine.write(0, "nothing", &values) {
                return Err(format!("written {values:?}, read {read:?}"));
            }
        }
        from += steps;
    }
    Ok(true)
}

/// So many cases; a failure prints its input, no file keeps it. More with `PROPTEST_CASES`.
fn cases(cases: u32) -> ProptestConfig {
    let more = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: more.unwrap_or(cases),
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn random_programs_do_the_same(case in case(), chunk in 1usize..7, timing: bool) {
        prop_assert_eq!(compare(&case, chunk, timing).err(), None);
    }
}

/// Two sources for one axon: which packet would it take?
#[test]
fn an_axon_has_one_source() {
    let mut image = plain_image(vec![Instruction::new(Op::Sleep).encode().expect("a word")], 16);
    image.host_inputs.push(image.host_inputs[0].clone());
    let options = Options { seed: 1, timing: false, threads: 1 };
    let error = reference::Machine::new(&image, options).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("the image is damaged: block 0: two routes lead to axon 0"));
}

/// If nearly all random programs stopped the chip at once, the test above would prove little.
#[test]
fn random_programs_mostly_run() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut executed: BTreeMap<&str, u64> = BTreeMap::new();
    let mut ended = 0;
    const CASES: usize = 200;
    for _ in 0..CASES {
        let case = case().new_tree(&mut runner).expect("a case").current();
        let options = Options { seed: case.seed, timing: false, threads: 1 };
        let mut engine = reference::Machine::new(&case.image, options).expect("a valid image");
        ended += usize::from(engine.run(case.steps, &case.packets).is_ok());
        for (block, of) in engine.counters().blocks.iter().zip(&case.image.blocks) {
            for (&word, counts) in case.image.programs[of.program as usize].words.iter().zip(&block.addresses) {
                if let Ok(instruction) = Instruction::decode(word) {
                    *executed.entry(instruction.op.description().mnemonic).or_default() +=
                        u64::from(counts.executed > 0);
                }
            }
        }
    }
    assert!(ended > CASES / 3, "{ended} of {CASES} runs ended without a fault");
    assert!(ended < CASES, "no run met a fault");
    let rare: Vec<_> = INSTRUCTIONS.iter().filter(|row| executed.get(row.mnemonic).copied().unwrap_or(0) < 5).collect();
    assert!(rare.is_empty(), "hardly executed: {:?}", rare.iter().map(|row| row.mnemonic).collect::<Vec<_>>());
}

// ----------------------------------------------------------------------------------------------------- real networks

/// Samples of the digits, learned and then inferred, as the host of a training run shows them.
fn digits(chip: &str, samples: usize) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/digits.sp");
    let source = Source::new("digits.sp", std::fs::read_to_string(path).expect("the network"));
    let options = onward_compile::Options { chip: Chip::builtin(chip).expect("a chip"), seed: 1 };
    let image =
        onward_compile::compile(&source, &options).unwrap_or_else(|errors| panic!("{}", source.render(&errors)));
    let data = Dataset::load("digits").expect("built in");
    let window = image.network.window_steps as usize;
    let input = |kind| image.host_inputs.iter().position(|input| input.kind == kind).expect("an input");
    let (tag, target, pixels) = (input(HostInputKind::Tag), input(HostInputKind::Target), input(HostInputKind::Input));
    let words = (image.host_inputs[pixels].route.indices as usize).div_ceil(64);
    let mut packets = Vec::new();
    let mut step = 0;
    for learn in [true, false] {
        for sample in 0..samples {
            let slot = data.train.label(sample);
            let mut bits = vec![0; window * words];
            encode_rate(data.train.pixels(sample), window as u32, &mut bits, words);
            let payload = Tag { target: false, learn, slot: if learn { slot } else { 0 } }.payload();
            packets.push(HostPacket { step, input: tag, index: 0, payload });
            for (at, word) in bits.iter().enumerate() {
                for index in (0..64).filter(|index| word >> index & 1 == 1) {
                    let index = (at % words * 64) as u32 + index;
                    packets.push(HostPacket { step: step + at / words, input: pixels, index, payload: 1 });
                }
            }
            step += window;
            if learn {
                packets.push(HostPacket {
                    step,
                    input: tag,
                    index: 0,
                    payload: Tag { target: true, learn, slot }.payload(),
                });
                for step in step..step + window {
                    packets.push(HostPacket { step, input: target, index: u32::from(slot), payload: 1 });
                }
                step += window;
            }
        }
    }
    let steps = step + 3 * window;
    let options = Options { seed: 1, timing: true, threads: 2 };
    let mut reference = reference::Machine::new(&image, options).expect("a valid image");
    let mut fast = Machine::new(&image, options).expect("a valid image");
    let expected = reference.run_packets(steps, &packets).expect("no fault");
    assert_eq!(expected.len(), samples, "an answer for each sample that was inferred");
    assert_eq!(fast.run_packets(steps, &packets).expect("no fault"), expected);
    let before: Vec<u8> = image.blocks.iter().flat_map(|block| block.contents[2].clone()).collect();
    let after: Vec<u8> =
        (0..image.blocks.len()).flat_map(|block| reference.memory(block as u32, Space::Synapse).to_vec()).collect();
    assert!(before.iter().zip(&after).any(|(before, after)| before != after), "something was learned");
    assert_eq!(same_state(&image, &reference, &fast), Ok(()));
}

#[test]
fn digits_on_the_small_chip_are_learned_alike() {
    digits("small", 20);
}

#[test]
fn digits_on_eight_lanes_are_learned_alike() {
    digits("middle-8-lanes", 5);
}

// -------------------------------------------------------------------------------------------------------- arithmetic

/// What an instruction computes of one element: the destination's, the first operand's, the second's.
type Exact = fn(i128, i128, i128) -> i128;

fn power(exponent: i128) -> i128 {
    (0..exponent).fold(1, |power, _| power * 2)
}

/// The greatest number not above `a / b`.
fn floor(a: i128, b: i128) -> i128 {
    a / b - i128::from(a % b < 0)
}

fn shift_down(_: i128, a: i128, b: i128) -> i128 {
    let amount = b.clamp(-31, 31);
    if amount < 0 { a * power(-amount) } else { floor(a, power(amount)) }
}

fn shift_nearest(d: i128, a: i128, b: i128) -> i128 {
    let amount = b.clamp(-31, 31);
    if amount < 1 { shift_down(d, a, b) } else { floor(a + power(amount - 1), power(amount)) }
}

/// Instructions of three scalar registers, and the bitwise ones, bit by bit.
const SCALAR: &[(Op, Exact)] = &[
    (Op::Add, |_, a, b| a + b),
    (Op::Sub, |_, a, b| a - b),
    (Op::Mul, |_, a, b| a * b),
    (Op::And, |_, a, b| bits(a, b, |a, b| a * b)),
    (Op::Or, |_, a, b| bits(a, b, |a, b| a + b - a * b)),
    (Op::Xor, |_, a, b| bits(a, b, |a, b| a + b - 2 * a * b)),
    (Op::Shr, shift_down),
    (Op::Min, |_, a, b| if a < b { a } else { b }),
    (Op::Max, |_, a, b| if a > b { a } else { b }),
];

/// Those with a signed number, those with an unsigned one.
const IMMEDIATE: &[(Op, bool, Exact)] = &[
    (Op::Addi, true, |_, a, b| a + b),
    (Op::Shri, true, shift_down),
    (Op::Andi, false, |_, a, b| bits(a, b, |a, b| a * b)),
    (Op::Ori, false, |_, a, b| bits(a, b, |a, b| a + b - a * b)),
    (Op::Lui, false, |_, _, b| if b < power(15) { b * power(16) } else { (b - power(16)) * power(16) }),
];

/// Those of vectors; the second operand is a vector's element or a scalar, as the table says.
const VECTOR: &[(Op, Exact)] = &[
    (Op::Vadd, |_, a, b| a + b),
    (Op::Vsub, |_, a, b| a - b),
    (Op::Vmul, |_, a, b| a * b),
    (Op::Vmac, |d, a, b| d + a * b),
    (Op::Vmin, |_, a, b| if a < b { a } else { b }),
    (Op::Vmax, |_, a, b| if a > b { a } else { b }),
    (Op::Vadds, |_, a, b| a + b),
    (Op::Vsubs, |_, a, b| a - b),
    (Op::Vmuls, |_, a, b| a * b),
    (Op::Vmacs, |d, a, b| d + a * b),
    (Op::Vmins, |_, a, b| if a < b { a } else { b }),
    (Op::Vmaxs, |_, a, b| if a > b { a } else { b }),
    (Op::Vshr, shift_down),
    (Op::Vshrn, shift_nearest),
];

/// Comparisons: what `vsels` makes of the predicate, 1 or 0. And the three that select by `va >= vd`.
const PREDICATE: &[(Op, Exact)] = &[
    (Op::Vcge, |_, a, b| i128::from(a >= b)),
    (Op::Vclt, |_, a, b| i128::from(a < b)),
    (Op::Vceq, |_, a, b| i128::from(a == b)),
    (Op::Vcges, |_, a, b| i128::from(a >= b)),
    (Op::Vclts, |_, a, b| i128::from(a < b)),
    (Op::Vceqs, |_, a, b| i128::from(a == b)),
];

const SELECT: &[(Op, Exact)] = &[
    (Op::Vsel, |d, a, b| if a >= d { a } else { b }),
    (Op::Vsels, |d, a, b| if a >= d { a } else { b }),
    (Op::Vaddp, |d, a, b| if a >= d { a + b } else { a }),
];

const REDUCE: &[(Op, fn(&[i128], &[i128]) -> i128)] = &[
    (Op::Vsum, |a, _| a.iter().sum()),
    (Op::Vrmax, |a, _| a.iter().fold(-power(31), |x, &y| if x > y { x } else { y })),
    (Op::Vrmin, |a, _| a.iter().fold(power(31) - 1, |x, &y| if x < y { x } else { y })),
    (Op::Vimax, |a, _| (0..a.len()).find(|&i| a.iter().all(|&x| x <= a[i])).map_or(-1, |i| i as i128)),
    (Op::Vdot, |a, b| {
        let sum: i128 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        floor(sum + power(63), power(64)) * -power(64) + sum
    }),
];

/// A function of single bits, on 32 of them in two's complement.
fn bits(a: i128, b: i128, f: fn(i128, i128) -> i128) -> i128 {
    let bit = |x: i128, at: i128| floor(x, power(at)) - 2 * floor(x, power(at + 1));
    (0..32).map(|at| f(bit(a, at), bit(b, at)) * if at == 31 { -power(31) } else { power(at) }).sum()
}

/// A number, often one where something could go wrong.
fn value() -> impl Strategy<Value = i32> {
    let edge = prop::sample::select(vec![
        i32::MIN,
        i32::MIN + 1,
        -65_536,
        -32,
        -31,
        -1,
        0,
        1,
        2,
        31,
        32,
        46_341,
        i32::MAX - 1,
        i32::MAX,
    ]);
    prop_oneof![any::<i32>(), edge, -40..40i32]
}

/// Elements a case has: what lanes have in common, and some more.
const LENGTH: usize = 7;

/// A program that applies all instructions to the same numbers, and what must come of it.
#[derive(Default)]
struct Sheet {
    code: Vec<Instruction>,
    results: Vec<(String, i32)>,
    saturated: u64,
}

impl Sheet {
    fn push(&mut self, op: Op, registers: [u8; 4], imm: i32) {
        let [d, a, b, c] = registers;
        self.code.push(Instruction { d, a, b, c, imm, ..Instruction::new(op) });
    }

    fn expect(&mut self, op: Op, exact: i128) {
        let value = if exact < -power(31) { i32::MIN } else { i32::try_from(exact).unwrap_or(i32::MAX) };
        self.saturated += u64::from(i128::from(value) != exact);
        self.results.push((format!("{op:?}"), value));
    }

    /// A memory access to 32-bit elements of a space.
    fn access(&mut self, op: Op, d: u8, space: Space, imm: usize) {
        self.code.push(Instruction { d, imm: imm as i32, space, width: Width::W32, ..Instruction::new(op) });
    }

    /// Stores v0, or r4, behind all results so far; each has as many places as it expects values.
    fn store(&mut self, op: Op, d: u8) {
        let at = self.results.len();
        self.access(op, d, Space::Neuron, at);
    }
}

/// Elements of d, a and b are in v1 to v3, the scalars a and b in r1 and r2; v0 and r4 take results.
fn sheet(d: &[i32], a: &[i32], b: &[i32], number: u16) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.push(Op::Setvl, [0; 4], d.len() as i32);
    for (register, at) in [(1, 0), (2, 1), (3, 2)] {
        sheet.access(Op::Vld, register, Space::Axon, at * LENGTH);
    }
    let (first, second) = (i128::from(a[0]), i128::from(b[0]));
    sheet.access(Op::Ld, 1, Space::Axon, LENGTH);
    sheet.access(Op::Ld, 2, Space::Axon, 2 * LENGTH);
    sheet.push(Op::Addi, [3, 0, 0, 0], 1);
    for &(op, exact) in SCALAR {
        sheet.push(op, [4, 1, 2, 0], 0);
        sheet.store(Op::St, 4);
        sheet.expect(op, exact(0, first, second));
    }
    for &(op, signed, exact) in IMMEDIATE {
        let number = if signed { i32::from(number as i16) } else { i32::from(number) };
        sheet.push(op, [4, if op == Op::Lui { 0 } else { 1 }, 0, 0], number);
        sheet.store(Op::St, 4);
        sheet.expect(op, exact(0, first, number.into()));
    }
    // vd = f(vd, v2, v3 or r2)
    let is_scalar = |op: Op| op.description().operands.contains(&Operand::Scalar(Field::B));
    let elements = |op: Op, exact: Exact| -> Vec<i128> {
        let of = |i: usize| if is_scalar(op) { second } else { b[i].into() };
        (0..d.len()).map(|i| exact(d[i].into(), a[i].into(), of(i))).collect()
    };
    for &(op, exact) in VECTOR {
        sheet.push(Op::Vadds, [0, 1, 0, 0], 0);
        sheet.push(op, [0, 2, if is_scalar(op) { 2 } else { 3 }, 0], 0);
        sheet.store(Op::Vst, 0);
        elements(op, exact).into_iter().for_each(|exact| sheet.expect(op, exact));
    }
    sheet.push(Op::Vmv, [4, 3, 0, 0], 0);
    for &(op, exact) in PREDICATE {
        sheet.push(op, [1, 2, if is_scalar(op) { 2 } else { 3 }, 0], 0);
        sheet.push(Op::Vsels, [0, 4, 0, 1], 0);
        sheet.store(Op::Vst, 0);
        elements(op, exact).into_iter().for_each(|exact| sheet.expect(op, exact));
    }
    sheet.push(Op::Vcge, [2, 2, 1, 0], 0);
    for &(op, exact) in SELECT {
        sheet.push(op, [0, 2, if is_scalar(op) { 2 } else { 3 }, 2], 0);
        sheet.store(Op::Vst, 0);
        elements(op, exact).into_iter().for_each(|exact| sheet.expect(op, exact));
    }
    let wide = |values: &[i32]| values.iter().map(|&value| i128::from(value)).collect::<Vec<i128>>();
    for &(op, exact) in REDUCE {
        sheet.push(op, [4, 2, if op == Op::Vdot { 3 } else { 0 }, 0], 0);
        sheet.store(Op::St, 4);
        sheet.expect(op, exact(&wide(a), &wide(b)));
    }
    sheet.push(Op::Sleep, [0; 4], 0);
    sheet
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn arithmetic_is_exact_and_saturated_once(
        d in prop::collection::vec(value(), 1..LENGTH),
        a in prop::collection::vec(value(), LENGTH),
        b in prop::collection::vec(value(), LENGTH),
        number: u16,
        lanes in prop::sample::select(vec![4u16, 64]),
    ) {
        let (a, b) = (&a[..d.len()], &b[..d.len()]);
        let sheet = sheet(&d, a, b, number);
        let words = sheet.code.iter().map(|instruction| instruction.encode().expect("a valid instruction")).collect();
        let mut image = plain_image(words, lanes);
        let mut values = vec![0; 3 * LENGTH];
        for (at, of) in [(0, &d[..]), (1, a), (2, b)] {
            values[at * LENGTH..][..of.len()].copy_from_slice(of);
        }
        image.blocks[0].contents[1] = values.iter().flat_map(|value: &i32| value.to_le_bytes()).collect();
        let packet = HostPacket { step: 0, input: 0, index: 0, payload: 1 };
        let options = Options { seed: 1, timing: false, threads: 1 };
        let mut reference = reference::Machine::new(&image, options).expect("a valid image");
        let mut fast = Machine::new(&image, options).expect("a valid image");
        for (name, engine) in [("reference", &mut reference as &mut dyn Engine), ("fast", &mut fast)] {
            prop_assert_eq!(engine.run_packets(2, &[packet]), Ok(vec![]));
            let bytes = engine.memory(0, Space::Neuron);
            for (at, (op, expected)) in sheet.results.iter().enumerate() {
                let found = i32::from_le_bytes([bytes[4 * at], bytes[4 * at + 1], bytes[4 * at + 2], bytes[4 * at + 3]]);
                prop_assert_eq!(found, *expected, "{}: {}, result {}", name, op, at);
            }
            prop_assert_eq!(engine.counters().blocks[0].saturated, sheet.saturated, "{}: saturations", name);
        }
    }
}

/// One block that runs these words.
fn plain_image(words: Vec<u32>, lanes: u16) -> Image {
    let mut chip = Chip::builtin("small").expect("a chip");
    chip.core.lanes = lanes;
    let raw = RawBlock {
        tile: 0,
        program: 0,
        host_axons: 1,
        tagged: false,
        spikes_only: false,
        memory_bytes: [4096; 3],
        contents: Vec::new(),
        routes: Vec::new(),
    };
    image(chip, vec![words], &[raw])
}

/// Whoever adds an instruction adds it to a sheet, or here.
#[test]
fn every_instruction_that_computes_is_on_a_sheet() {
    let sheets = [SCALAR, VECTOR, PREDICATE, SELECT].concat();
    let mut known: Vec<Op> = sheets.iter().map(|(op, _)| *op).collect();
    known.extend(IMMEDIATE.iter().map(|(op, ..)| *op));
    known.extend(REDUCE.iter().map(|(op, _)| *op));
    // Control, memory, sends, moves and the generator: isa/conformance.
    let elsewhere = [
        Op::Nop,
        Op::Sleep,
        Op::Stay,
        Op::Jmp,
        Op::Beq,
        Op::Bne,
        Op::Blt,
        Op::Bge,
        Op::Loop,
        Op::Foreach,
        Op::Forset,
        Op::Special,
        Op::Setvl,
        Op::Setrow,
        Op::Ld,
        Op::St,
        Op::Addm,
        Op::Vld,
        Op::Vst,
        Op::Vacc,
        Op::Vldr,
        Op::Vstr,
        Op::Vaccr,
        Op::Vlds,
        Op::Vsts,
        Op::Vlut,
        Op::Vmv,
        Op::Vidx,
        Op::Vext,
        Op::Vins,
        Op::Vshrs,
        Op::Pand,
        Op::Por,
        Op::Pnot,
        Op::Pcount,
        Op::Spike,
        Op::Send,
        Op::Vsend,
    ];
    for row in INSTRUCTIONS {
        assert!(known.contains(&row.op) != elsewhere.contains(&row.op), "`{}`", row.mnemonic);
    }
}
