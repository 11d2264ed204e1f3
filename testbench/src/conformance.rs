//! Conformance vectors: programs that carry their expected results (`isa/conformance/README.md` says how).
//!
//! [`Vector::parse`] reads one, [`Vector::image`] links it for a chip, [`Vector::check`] runs it on an engine and says what
//! is not as expected. Results are what can be seen from outside a core: memories, packets, cycles, counters, faults.

use onward_chip::{Chip, Host, HostPort, Memory, Mesh, Side};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Fault, FaultKind, HostPacket, Output};
use onward_image::{
    Block, Core, Delivery, Destination, Endpoint, Flit, HostInput, HostInputKind, Image, NetworkSummary, Population,
    PopulationIndex, PopulationKind, Program, ProgramIndex, Route,
};
use onward_isa::{Space, Width};

/// The lane counts a chip can have.
pub const LANES: [u16; 5] = [4, 8, 16, 32, 64];

/// A conformance vector.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Its file's name.
    pub name: String,
    /// Rules of `isa/microarchitecture.md` that it shows.
    pub rules: Vec<String>,
    /// Lane counts it is run with.
    pub lanes: Vec<u16>,
    /// It takes minutes.
    pub slow: bool,
    /// The seed of its run.
    pub seed: u64,
    /// Steps it is run for.
    pub steps: usize,
    /// What the host sends.
    pub packets: Vec<HostPacket>,
    chip: Chip,
    program: onward_isa::Program,
    text: String,
    blocks: Vec<BlockSetup>,
    expected: Vec<Expected>,
}

#[derive(Clone, Debug)]
struct BlockSetup {
    tile: u32,
    entry: u32,
    axons: u32,
    /// Axons from 0 on that the host sends to.
    host_axons: u32,
    tagged: bool,
    memory_bytes: [u32; 3],
    routes: Vec<Route>,
}

/// A number for each lane count, or one for all.
#[derive(Clone, Debug)]
struct Figure(Vec<(Option<u16>, i64)>);

#[derive(Clone, Debug)]
enum Expected {
    Memory { block: u32, space: Space, width: Width, first: usize, values: Vec<i64> },
    Packet(Output),
    Cycles(Figure),
    Stalls(Figure),
    Computed(u32, Figure),
    Saturated(u32, Figure),
    Executed { block: u32, address: u32, times: Figure },
    Elements { block: u32, address: u32, elements: Figure },
    Fault { step: u64, block: u32, address: u32, kind: String },
}

impl Figure {
    fn parse(text: &str) -> Result<Figure, String> {
        if !text.contains(':') {
            return Ok(Figure(vec![(None, sum(text)?)]));
        }
        // `4: 1 + 2, 8: 3`
        let each = text.split(',').map(|part| {
            let (lanes, value) = part.split_once(':').ok_or(format!("`{part}` is not `LANES: NUMBER`"))?;
            Ok((Some(lanes.trim().parse().map_err(|_| format!("`{lanes}` is no lane count"))?), sum(value)?))
        });
        each.collect::<Result<_, String>>().map(Figure)
    }

    fn at(&self, lanes: u16) -> Option<i64> {
        self.0.iter().find(|(at, _)| at.is_none_or(|at| at == lanes)).map(|&(_, value)| value)
    }
}

/// A number, decimal or hexadecimal; `min` and `max` are those of 32 bits.
fn number(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let value = match digits {
        "min" => Ok(i64::from(i32::MIN)),
        "max" => Ok(i64::from(i32::MAX)),
        _ => match digits.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16),
            None => digits.parse(),
        },
    };
    value.map(|value| if negative { -value } else { value }).map_err(|_| format!("`{text}` is no number"))
}

/// A sum of products of numbers: `4 + 2 * 3`.
fn sum(text: &str) -> Result<i64, String> {
    text.split('+').map(|term| term.split('*').map(number).product::<Result<i64, String>>()).sum()
}

/// The words of a directive, taken one after the other.
struct Words<'a>(std::iter::Peekable<std::str::SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        Words(text.split_whitespace().peekable())
    }

    fn next(&mut self, what: &str) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| format!("{what} is missing"))
    }

    fn number<T: TryFrom<i64>>(&mut self, what: &str) -> Result<T, String> {
        let word = self.next(what)?;
        T::try_from(number(word)?).map_err(|_| format!("{what} cannot be {word}"))
    }

    /// Takes the word if it is the next one.
    fn takes(&mut self, word: &str) -> bool {
        self.0.next_if_eq(&word).is_some()
    }

    /// `WORD number`, or else the default.
    fn optional<T: TryFrom<i64>>(&mut self, word: &str, default: T) -> Result<T, String> {
        if self.takes(word) { self.number(word) } else { Ok(default) }
    }

    fn end(&mut self) -> Result<(), String> {
        self.0.next().map_or(Ok(()), |word| Err(format!("`{word}` is not understood")))
    }
}

/// A chip of one tile, or as many as asked for; blocks have little memory.
fn plain_chip() -> Chip {
    Chip {
        name: "conformance".into(),
        clock_hz: 1,
        voltage_mv: None,
        idle_cores: Default::default(),
        barrier_cycles: 8,
        technology: "45nm".into(),
        mesh: Mesh { multicast_trees: 0, ..Mesh::of(1, 1) },
        core: onward_chip::Core { lanes: 16, vector_length: 64, blocks: 16, dispatch_cycles: 4 },
        memory: Memory {
            instruction_words: 4096,
            synapse_bytes: 1 << 16,
            neuron_bytes: 1 << 16,
            axon_bytes: 1 << 16,
            axons: 4096,
            routes: 64,
            protection: Default::default(),
        },
        host: Host { ports: vec![HostPort { side: Side::West, position: 0 }] },
    }
}

impl Vector {
    /// Reads a vector.
    ///
    /// # Errors
    /// The text does not assemble, or a directive is not understood: which line, and why.
    pub fn parse(name: &str, text: &str) -> Result<Vector, String> {
        let source = Source::new(name, text);
        let program = onward_isa::assemble(&source).map_err(|errors| source.render(&errors))?;
        let mut vector = Vector {
            name: name.to_owned(),
            rules: Vec::new(),
            lanes: LANES.to_vec(),
            slow: false,
            seed: 1,
            steps: 2,
            packets: Vec::new(),
            chip: plain_chip(),
            program,
            text: text.to_owned(),
            blocks: Vec::new(),
            expected: Vec::new(),
        };
        vector.add_block(&mut Words::new("tile 0"))?;
        for (line, text) in (1..).zip(text.lines()) {
            let Some((_, directive)) = text.split_once(";!") else { continue };
            vector.directive(directive.trim()).map_err(|error| format!("{name}:{line}: {error}"))?;
        }
        if vector.packets.is_empty() {
            vector.packets.push(HostPacket { step: 0, input: 0, index: 0, payload: 1 });
        }
        if vector.rules.is_empty() {
            return Err(format!("{name}: says no rules"));
        }
        Ok(vector)
    }

    fn directive(&mut self, text: &str) -> Result<(), String> {
        let (what, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut words = Words::new(rest);
        match what {
            "rules" => {
                self.rules.extend(words.0.by_ref().map(str::to_owned));
            }
            "lanes" => {
                self.lanes =
                    words.0.by_ref().map(|word| word.parse().map_err(|_| "no lane count")).collect::<Result<_, _>>()?
            }
            "slow" => self.slow = true,
            "seed" => self.seed = words.number::<i64>("the seed")? as u64,
            "steps" => self.steps = words.number("the number of steps")?,
            "chip" => self.set_chip(&mut words)?,
            "block" => {
                let number: usize = words.number("the block's number")?;
                if number == 0 && self.blocks.len() == 1 {
                    self.blocks.clear();
                }
                if number != self.blocks.len() {
                    return Err(format!("the next block is {}", self.blocks.len()));
                }
                self.add_block(&mut words)?;
            }
            "route" => self.add_route(&mut words)?,
            "packet" => {
                let mut get = |word| words.optional(word, 0i64);
                let (step, input, index) = (get("step")?, get("block")?, get("axon")?);
                let payload = words.optional("payload", 1)?;
                self.packets.push(HostPacket {
                    step: step as usize,
                    input: input as usize,
                    index: index as u32,
                    payload,
                });
            }
            "expect" => {
                let expected = self.expected(rest)?;
                self.expected.push(expected);
                return Ok(());
            }
            _ => return Err(format!("`{what}` is no directive")),
        }
        words.end()
    }

    fn set_chip(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let chip = &mut self.chip;
        while let Some(key) = words.0.next() {
            match key {
                "vector-length" => chip.core.vector_length = words.number(key)?,
                "dispatch" => chip.core.dispatch_cycles = words.number(key)?,
                "barrier" => chip.barrier_cycles = words.number(key)?,
                "width" => chip.mesh.width = words.number(key)?,
                "height" => chip.mesh.height = words.number(key)?,
                "buffer" => chip.mesh.buffer_flits = words.number(key)?,
                "link" => chip.mesh.link_cycles = words.number(key)?,
                _ => return Err(format!("a chip has no `{key}`")),
            }
        }
        Ok(())
    }

    fn add_block(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let mut block = BlockSetup {
            tile: 0,
            entry: 0,
            axons: 8,
            host_axons: u32::MAX,
            tagged: false,
            memory_bytes: [1024; 3],
            routes: Vec::new(),
        };
        while let Some(key) = words.0.next() {
            match key {
                "tile" => block.tile = words.number(key)?,
                "entry" => block.entry = self.label(words.next("a label")?)?,
                "axons" => block.axons = words.number(key)?,
                "host-axons" => block.host_axons = words.number(key)?,
                "tagged" => block.tagged = true,
                "n" => block.memory_bytes[0] = words.number(key)?,
                "a" => block.memory_bytes[1] = words.number(key)?,
                "s" => block.memory_bytes[2] = words.number(key)?,
                _ => return Err(format!("a block has no `{key}`")),
            }
        }
        block.host_axons = block.host_axons.min(block.axons);
        self.blocks.push(block);
        Ok(())
    }

    /// `route BLOCK indices N to host to block 1 axon 0`: each `to` is a destination.
    fn add_route(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let block: usize = words.number("the block's number")?;
        let indices = words.optional("indices", 64)?;
        let mut flits = Vec::new();
        while words.takes("to") {
            flits.push(match words.next("a destination")? {
                "host" => {
                    Flit { destination: Destination::Unicast(Endpoint::Host(0)), deliveries: vec![Delivery::Host] }
                }
                "block" => {
                    let to: u32 = words.number("the block's number")?;
                    let first_axon = words.optional("axon", 0)?;
                    let tile = self.blocks.get(to as usize).ok_or("that block does not exist (yet)")?.tile;
                    Flit {
                        destination: Destination::Unicast(Endpoint::Core(Core(tile))),
                        deliveries: vec![Delivery::Block { block: to.into(), first_axon }],
                    }
                }
                other => return Err(format!("`{other}` is no destination")),
            });
        }
        let from = self.blocks.get_mut(block).ok_or("that block does not exist (yet)")?;
        from.routes.push(Route { name: format!("route {}", from.routes.len()), indices, flits });
        Ok(())
    }

    fn label(&self, name: &str) -> Result<u32, String> {
        let known = self.program.labels.iter().find(|(label, _)| label == name);
        known.map(|(_, address)| *address).ok_or_else(|| format!("no label `{name}`"))
    }

    fn expected(&self, text: &str) -> Result<Expected, String> {
        let (left, right) = text.split_once('=').map_or((text, None), |(left, right)| (left, Some(right.trim())));
        let mut words = Words::new(left);
        let block = if words.takes("block") { words.number("the block's number")? } else { 0 };
        let what = words.next("what is expected")?;
        let value = || right.ok_or("`= ...` is missing".to_owned());
        let expected = match what {
            "packet" => Expected::Packet(Output {
                step: words.optional("step", 1)?,
                sender: None,
                index: words.optional("index", 0)?,
                payload: words.optional("payload", 1)?,
            }),
            "cycles" => Expected::Cycles(Figure::parse(value()?)?),
            "stalls" => Expected::Stalls(Figure::parse(value()?)?),
            "computed" => Expected::Computed(block, Figure::parse(value()?)?),
            "saturated" => Expected::Saturated(block, Figure::parse(value()?)?),
            "executed" | "elements" => {
                let address = self.label(words.next("a label")?)?;
                let figure = Figure::parse(value()?)?;
                if what == "executed" {
                    Expected::Executed { block, address, times: figure }
                } else {
                    Expected::Elements { block, address, elements: figure }
                }
            }
            "fault" => {
                let (step, block) = (words.optional("step", 1)?, words.optional("block", 0)?);
                let address = if words.takes("at") { self.label(words.next("a label")?)? } else { 0 };
                let kind = value()?.split_whitespace().collect::<Vec<_>>().join(" ");
                Expected::Fault { step, block, address, kind }
            }
            // n32[4]
            array => {
                let parts = || {
                    let (memory, first) = array.strip_suffix(']')?.split_once('[')?;
                    let space = Space::ALL.into_iter().find(|space| memory.starts_with(space.letter()))?;
                    let width = Width::from_bits(memory[1..].parse().ok()?)?;
                    Some((space, width, first.parse().ok()?))
                };
                let (space, width, first) = parts().ok_or(format!("`{array}` is not understood"))?;
                let values = value()?.split_whitespace().map(number).collect::<Result<_, _>>()?;
                Expected::Memory { block, space, width, first, values }
            }
        };
        words.end()?;
        Ok(expected)
    }

    /// The image, for a chip with so many lanes.
    pub fn image(&self, lanes: u16) -> Image {
        let mut chip = self.chip.clone();
        chip.core.lanes = lanes;
        let mut contents: [Vec<u8>; 3] = Default::default();
        for piece in &self.program.data {
            let bytes = &mut contents[piece.space as usize];
            let end = piece.offset as usize + piece.bytes.len();
            bytes.resize(bytes.len().max(end), 0);
            bytes[piece.offset as usize..end].copy_from_slice(&piece.bytes);
        }
        let blocks = self.blocks.iter().zip(0..).map(|(block, number)| Block {
            population: PopulationIndex::default(),
            first_neuron: 0,
            neurons: 1,
            core: Core(block.tile),
            program: ProgramIndex::default(),
            entry: block.entry,
            generator: number,
            tagged: block.tagged,
            axons: block.axons,
            memory_bytes: block.memory_bytes,
            contents: contents.clone(),
            routes: block.routes.clone(),
            symbols: Vec::new(),
            order: onward_image::Order::Straight,
            fan_outs: Vec::new(),
        });
        // The host can send to each block by itself; as an input for tags, with any payload.
        let inputs = (0_u32..).zip(&self.blocks).map(|(number, block)| HostInput {
            kind: HostInputKind::Packets,
            first: 0,
            route: Route {
                name: format!("block {number}"),
                indices: block.host_axons,
                flits: vec![Flit {
                    destination: Destination::Unicast(Endpoint::Core(Core(block.tile))),
                    deliveries: vec![Delivery::Block { block: number.into(), first_axon: 0 }],
                }],
            },
        });
        Image {
            chip,
            network: NetworkSummary {
                name: self.name.clone(),
                source: Default::default(),
                seed: 0,
                data: None,
                window_steps: 1,
                augment: Vec::new(),
                epochs: 1,
                populations: vec![Population {
                    name: "all".into(),
                    kind: PopulationKind::Readout,
                    neurons: 1,
                    lag: 1,
                    source_line: 1,
                }]
                .into(),
                edges: Vec::new(),
            },
            programs: vec![Program {
                name: self.name.clone(),
                words: self.program.words.clone(),
                labels: self.program.labels.clone(),
                purposes: self.program.purposes.clone(),
                lines: self.program.lines.clone(),
                text: self.text.clone(),
                population: Some(PopulationIndex::default()),
            }]
            .into(),
            blocks: blocks.collect(),
            trees: Vec::new().into(),
            host_inputs: inputs.collect(),
            host_port: 0,
            learned: onward_image::Learned::default(),
            proof: None,
        }
    }

    /// The instruction words.
    pub fn words(&self) -> &[u32] {
        &self.program.words
    }

    /// Runs the vector on an engine that was made from [`Vector::image`], in chunks of so many steps. Returns what is not as
    /// expected.
    pub fn check(&self, engine: &mut dyn Engine, lanes: u16, chunk: usize) -> Vec<String> {
        let mut problems = Vec::new();
        let result = self.run(engine, chunk);
        let faults: Vec<_> = self.expected.iter().filter(|e| matches!(e, Expected::Fault { .. })).collect();
        let outputs = match result {
            Err(fault) if faults.is_empty() => return vec![fault.to_string()],
            Err(fault) => {
                let found = (fault.step, fault.block, fault.address, fault_kind(&fault.kind));
                for expected in faults {
                    let Expected::Fault { step, block, address, kind } = expected else { continue };
                    if found != (*step, (*block).into(), *address, kind.clone()) {
                        problems.push(format!("expected {expected:?}, found {found:?}"));
                    }
                }
                return problems;
            }
            Ok(_) if !faults.is_empty() => return vec![format!("expected {:?}, found no fault", faults[0])],
            Ok(outputs) => outputs,
        };
        let packets = self.expected.iter().filter_map(|e| if let Expected::Packet(p) = e { Some(*p) } else { None });
        let packets: Vec<Output> = packets.collect();
        // Vectors do not say who sends.
        let outputs: Vec<Output> = outputs.into_iter().map(|output| Output { sender: None, ..output }).collect();
        if outputs != packets {
            problems.push(format!("expected the packets {packets:?}, found {outputs:?}"));
        }
        for expected in &self.expected {
            problems.extend(self.difference(expected, engine, lanes));
        }
        problems
    }

    fn run(&self, engine: &mut dyn Engine, chunk: usize) -> Result<Vec<Output>, Fault> {
        let mut outputs = Vec::new();
        let mut first = 0;
        while first < self.steps {
            let steps = chunk.min(self.steps - first);
            let within = |packet: &&HostPacket| (first..first + steps).contains(&packet.step);
            let packets: Vec<HostPacket> =
                self.packets.iter().filter(within).map(|p| HostPacket { step: p.step - first, ..*p }).collect();
            outputs.extend(engine.run_packets(steps, &packets)?);
            first += steps;
        }
        Ok(outputs)
    }

    fn difference(&self, expected: &Expected, engine: &dyn Engine, lanes: u16) -> Option<String> {
        let counters = engine.counters();
        let block = |number: &u32| &counters.blocks[*number as usize];
        let figure = |what: String, expected: &Figure, found: u64| match expected.at(lanes) {
            None => Some(format!("{what}: nothing is expected for {lanes} lanes")),
            Some(value) if value == found as i64 => None,
            Some(value) => Some(format!("{what}: expected {value}, found {found}")),
        };
        match expected {
            Expected::Memory { block, space, width, first, values } => {
                let bytes = engine.memory((*block).into(), *space);
                let found: Vec<i64> = (*first..first + values.len()).map(|at| element(bytes, *width, at)).collect();
                (found != *values).then(|| {
                    format!("block {block}, {space:?} {width:?} [{first}]: expected {values:?}, found {found:?}")
                })
            }
            Expected::Packet(_) | Expected::Fault { .. } => None,
            Expected::Cycles(value) => {
                figure("cycles".into(), value, counters.timing.map_or(0, |timing| timing.cycles))
            }
            Expected::Stalls(value) => {
                figure("stalls".into(), value, counters.timing.map_or(0, |timing| timing.stalls))
            }
            Expected::Computed(at, value) => figure(format!("cycles computed by block {at}"), value, block(at).cycles),
            Expected::Saturated(at, value) => figure(format!("saturated in block {at}"), value, block(at).saturated),
            Expected::Executed { block: at, address, times } => figure(
                format!("executions of address {address}"),
                times,
                block(at).addresses[*address as usize].executed,
            ),
            Expected::Elements { block: at, address, elements } => figure(
                format!("elements of address {address}"),
                elements,
                block(at).addresses[*address as usize].elements,
            ),
        }
    }
}

/// An element of a memory.
fn element(bytes: &[u8], width: Width, at: usize) -> i64 {
    let bits = width.bits() as usize;
    let unsigned = (0..bits)
        .map(|bit| (at * bits + bit, bit))
        .fold(0i64, |sum, (at, bit)| sum | i64::from(bytes[at / 8] >> (at % 8) & 1) << bit);
    if unsigned >> (bits - 1) == 1 { unsigned - (1 << bits) } else { unsigned }
}

/// A kind of fault as vectors write it.
pub fn fault_kind(kind: &FaultKind) -> String {
    match kind {
        FaultKind::Address { space, first, count, available } => {
            format!("address {} {first} count {count} of {available}", space.letter())
        }
        FaultKind::Length { length, max } => format!("length {length} of {max}"),
        FaultKind::Element { index, length } => format!("element {index} of {length}"),
        FaultKind::EmptyTable => "empty-table".into(),
        FaultKind::NoInstruction => "no-instruction".into(),
        FaultKind::LoopDepth => "loop-depth".into(),
        FaultKind::Route { route, available } => format!("route {route} of {available}"),
        FaultKind::PacketIndex { index, available } => format!("packet-index {index} of {available}"),
        FaultKind::SecondPacket { index } => format!("second-packet {index}"),
        FaultKind::Endless => "endless".into(),
    }
}
