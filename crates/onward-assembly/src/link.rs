//! From the description and the program to an image.

use crate::describe::{Array, Description, Elements, Name, Range, Taker, plural, unknown};
use crate::number::{Number, Values};
use crate::text::{Operand, Span};
use crate::{Stimulus, System};
use onward_chip::Chip;
use onward_diagnostic::{Diagnostic, Source, nearest};
use onward_image::{
    Block, BlockIndex, Core, Delivery, Endpoint, FractionBits, HostInput, HostInputKind, Image, MulticastTrees,
    NetworkSummary, Population, PopulationIndex, PopulationKind, Program, ProgramIndex, Route, Symbol, Takers, Tile,
};
use onward_isa::Space;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// Bytes a block has of each memory if nothing asks for more.
const LEAST_BYTES: i64 = 256;
/// So many packets a file may describe: far more than anyone writes, and they fit in memory.
const MOST_PACKETS: u64 = 1 << 22;
/// So many indices a route or an input may have: far more than a core has axons, and a packet of each fits in memory.
const MOST_INDICES: i64 = 1 << 16;
/// Route numbers have twelve bits.
const MOST_ROUTES: i64 = 1 << 12;

/// All that is known when the image is put together.
pub(crate) struct Parts<'a> {
    pub source: &'a Source,
    pub chip: &'a Chip,
    pub description: &'a Description,
    pub values: &'a Values,
    pub program: &'a onward_isa::Program,
    /// Text and lines of the program.
    pub listing: (String, Vec<u32>),
}

/// Puts the system together.
pub(crate) fn link(parts: Parts) -> Result<System, Vec<Diagnostic>> {
    let mut linker = Linker { parts, diagnostics: Vec::new(), taken: BTreeMap::new() };
    let description = linker.parts.description;
    let end = linker.parts.source.text.trim_end().len();
    let Some(first_block) = description.blocks.first() else {
        let problem = Diagnostic::new(end..end, "this text describes no system: it has no block")
            .help("`.block main, 0, 0, start, 16` puts a block with 16 axons on a tile, whose code begins at `start`");
        return Err(vec![problem]);
    };
    let steps = match &description.steps {
        Some(steps) => linker.get(steps, "the number of steps", 1..=i64::MAX),
        None => {
            linker.problem(Diagnostic::new(end..end, "nothing says how long this system runs").help("add `.steps 100`"))
        }
    };
    let mut blocks = linker.blocks();
    linker.memories(&mut blocks);
    let chip = linker.parts.chip;
    let mut trees = MulticastTrees::new(chip);
    linker.routes(&mut blocks, &mut trees);
    linker.layers(&mut blocks);
    let host_inputs = linker.inputs(&blocks, &mut trees);
    let edges = linker.edges(&blocks);
    let stimuli = linker.packets(&host_inputs, steps.unwrap_or(i64::MAX));
    if !linker.diagnostics.is_empty() {
        return Err(linker.diagnostics);
    }
    let image = Image {
        chip: chip.clone(),
        network: linker.summary(&blocks, &host_inputs, edges),
        programs: [linker.program()].into_iter().collect(),
        blocks: blocks.into(),
        trees: trees.into_trees().into(),
        host_inputs,
        host_port: 0,
        learned: onward_image::Learned::default(),
        proof: None,
    };
    linker.check_cores(&image);
    if linker.diagnostics.is_empty()
        && let Err(what) = image.check()
    {
        let message = format!("the system does not fit together: {what}");
        linker.diagnostics.push(Diagnostic::new(first_block.span.clone(), message));
    }
    if !linker.diagnostics.is_empty() {
        return Err(linker.diagnostics);
    }
    Ok(System { image, stimuli, steps: steps.unwrap_or(0) as u64 })
}

/// A route or an input on its way into the image.
struct Sending {
    name: String,
    indices: i64,
    takers: Takers,
    to_host: bool,
    /// The first line that speaks of it.
    span: Span,
}

impl Sending {
    fn new(name: &str, indices: i64, span: Span) -> Self {
        Sending { name: name.to_owned(), indices, takers: Takers::new(), to_host: false, span }
    }

    fn into_route(self, source: Endpoint, trees: &mut MulticastTrees) -> Route {
        let mut flits = trees.flits(source, &self.takers);
        if self.to_host {
            flits.push(trees.flit_to_host(source, 0));
        }
        Route { name: self.name, indices: self.indices as u32, flits }
    }
}

struct Linker<'a> {
    parts: Parts<'a>,
    diagnostics: Vec<Diagnostic>,
    /// For each block, the axons that have a source: first, last, and where it says so.
    taken: BTreeMap<usize, Vec<(i64, i64, Span)>>,
}

impl Linker<'_> {
    fn problem<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    fn get(&mut self, number: &Number, what: &str, allowed: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.parts.values.get(number, what, allowed, &mut self.diagnostics)
    }

    fn line(&self, span: &Span) -> usize {
        self.parts.source.position(span.start).0
    }

    /// The blocks, as far as their own lines say; all of them, whatever is wrong.
    fn blocks(&mut self) -> Vec<Block> {
        let (description, chip) = (self.parts.description, self.parts.chip);
        let mut blocks = Vec::new();
        for (number, block) in description.blocks.iter().enumerate() {
            let x = self.get(&block.tile.0, "the column", 0..=i64::from(chip.mesh.width) - 1);
            let y = self.get(&block.tile.1, "the row", 0..=i64::from(chip.mesh.height) - 1);
            let axons = self.get(&block.axons, "the number of axons", 1..=i64::from(chip.memory.axons));
            let last = i64::from(chip.mesh.cores_per_tile) - 1;
            let on_tile = block.core.as_ref().map_or(Some(0), |core| self.get(core, "the core of the tile", 0..=last));
            let tile = x.zip(y).map_or(0, |(x, y)| y * i64::from(chip.mesh.width) + x);
            let labels = &self.parts.program.labels;
            let entry = labels.iter().find(|(label, _)| *label == block.entry.text).map(|(_, address)| *address);
            let problem = match entry {
                None => {
                    let problem = format!("there is no label `{}` in the code", block.entry.text);
                    let near = nearest(&block.entry.text, labels.iter().map(|(label, _)| label.as_str()));
                    let help = near.map_or("a block begins at a label of the code".into(), |near| {
                        format!("did you mean `{near}`?")
                    });
                    Some((problem, help))
                }
                Some(address) if address as usize >= self.parts.program.words.len() => Some((
                    format!("no instruction follows the label `{}`", block.entry.text),
                    "a block needs code to run".into(),
                )),
                Some(_) => None,
            };
            if let Some((problem, help)) = problem {
                self.diagnostics.push(Diagnostic::new(block.entry.span.clone(), problem).help(help));
            }
            blocks.push(Block {
                population: number.into(),
                first_neuron: 0,
                neurons: 0,
                core: Core::on(Tile(tile as u32), on_tile.unwrap_or(0) as u32, &chip.mesh),
                program: ProgramIndex::default(),
                entry: entry.unwrap_or(0),
                generator: number as u32,
                tagged: block.tagged,
                axons: axons.unwrap_or(i64::from(u32::MAX)) as u32,
                memory_bytes: [0; 3],
                contents: Default::default(),
                routes: Vec::new(),
                symbols: Vec::new(),
                order: onward_image::Order::Straight,
                fan_outs: Vec::new(),
            });
        }
        blocks
    }

    /// Sizes, contents and arrays.
    fn memories(&mut self, blocks: &mut [Block]) {
        let description = self.parts.description;
        let mut contents: [Vec<u8>; 3] = Default::default();
        for data in &self.parts.program.data {
            let end = data.offset as usize + data.bytes.len();
            // Before anything is made of that size, and made again for every block.
            if !self.data_fits(end as i64, data.space) {
                return;
            }
            let memory = &mut contents[data.space as usize];
            memory.resize(memory.len().max(end), 0);
            memory[data.offset as usize..end].copy_from_slice(&data.bytes);
        }
        let mut needed = contents.each_ref().map(|bytes| bytes.len() as i64);
        let symbols: Vec<Symbol> =
            description.arrays.iter().filter_map(|array| self.array(array, &mut needed)).collect();
        for block in blocks.iter_mut() {
            block.contents = contents.clone();
            block.symbols = symbols.clone();
        }
        for of_block in &description.contents {
            let Some(first) = self.first_element(&of_block.elements) else { continue };
            let (width, space) = (of_block.elements.width, of_block.elements.space);
            let bits = i64::from(width.bits());
            // As the assembler has it: elements of 4 bits are weights, always signed; wider ones are masks as well.
            let allowed = -(1_i64 << (bits - 1))..=if bits == 4 { 7 } else { (1_i64 << bits) - 1 };
            let end = ((first + of_block.values.len() as i64) * bits + 7) / 8;
            if !self.fits(end, space, &of_block.span) {
                continue;
            }
            let memory = &mut blocks[of_block.block].contents[space as usize];
            memory.resize(memory.len().max(end as usize), 0);
            needed[space as usize] = needed[space as usize].max(end);
            for (at, value) in (first as usize..).zip(&of_block.values) {
                if let Some(value) = self.get(value, "this value", allowed.clone()) {
                    width.put(&mut blocks[of_block.block].contents[space as usize], at, value);
                }
            }
        }
        let mut bytes = needed.map(|needed| (needed.max(LEAST_BYTES) + 3) / 4 * 4);
        for (space, size) in &description.sizes {
            let most = self.available(*space);
            let what = format!("the size of the {}", space.name());
            let Some(size_bytes) = self.get(size, &what, 0..=most) else { continue };
            let least = needed[*space as usize];
            if size_bytes < least {
                let problem =
                    Diagnostic::new(size.span.clone(), format!("{size_bytes} bytes of {} are too few", space.name()))
                        .label(format!("what lies in it takes {least} bytes"));
                self.diagnostics.push(problem);
            }
            bytes[*space as usize] = size_bytes;
        }
        for block in blocks.iter_mut() {
            block.memory_bytes = bytes.map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX));
        }
    }

    fn available(&self, space: Space) -> i64 {
        let memory = &self.parts.chip.memory;
        i64::from(match space {
            Space::Neuron => memory.neuron_bytes,
            Space::Axon => memory.axon_bytes,
            Space::Synapse | Space::Event => memory.synapse_bytes,
        })
    }

    /// Whether a memory of the chip has so many bytes; else says it does not.
    fn fits(&mut self, bytes: i64, space: Space, span: &Span) -> bool {
        let most = self.available(space);
        if bytes > most {
            let message = format!("the {} of this chip is too small", space.name());
            let label = format!("this ends at byte {bytes}; a core has {most}");
            self.diagnostics.push(Diagnostic::new(span.clone(), message).label(label));
        }
        bytes <= most
    }

    /// The same for the data sections; the first block stands for them, since all blocks begin with them.
    fn data_fits(&mut self, bytes: i64, space: Space) -> bool {
        let first = self.parts.description.blocks.first();
        let span = first.map_or(Span::default(), |block| block.name.span.clone());
        self.fits(bytes, space, &span)
    }

    fn first_element(&mut self, elements: &Elements) -> Option<i64> {
        self.get(&elements.first, "the first element", 0..=i64::from(u32::MAX))
    }

    fn array(&mut self, array: &Array, needed: &mut [i64; 3]) -> Option<Symbol> {
        let first = self.first_element(&array.elements);
        let most = i64::from(u32::MAX);
        let columns = self.get(&array.columns, "the number of columns", 1..=most);
        let rows = array.rows.as_ref().map_or(Some(1), |rows| self.get(rows, "the number of rows", 1..=most));
        let (first, columns, rows) = (first?, columns?, rows?);
        let (space, width) = (array.elements.space, array.elements.width);
        let bits = (i128::from(columns) * i128::from(rows) + i128::from(first)) * i128::from(width.bits());
        let end = i64::try_from((bits + 7) / 8).unwrap_or(i64::MAX);
        if !self.fits(end, space, &array.span) {
            return None;
        }
        needed[space as usize] = needed[space as usize].max(end);
        Some(Symbol {
            name: array.name.text.clone(),
            space: space as u8,
            width_bits: width.bits() as u8,
            offset: first as u32,
            rows: rows as u32,
            columns: columns as u32,
        })
    }

    /// Takes axons of a block for a source.
    fn take_axons(
        &mut self,
        block: usize,
        axons: u32,
        first: Option<&Number>,
        indices: i64,
        span: &Span,
    ) -> Option<u32> {
        let name = &self.parts.description.blocks[block].name.text;
        let first_axon = match first {
            Some(number) => self.get(number, "the first axon", 0..=i64::from(u32::MAX))?,
            None => 0,
        };
        let last = first_axon + indices - 1;
        if last >= i64::from(axons) {
            let message = format!("block `{name}` has no axon {last}");
            let label = format!("these packets arrive on {}", axons_from(first_axon, last));
            let note = format!("`{name}` has {axons} {}", plural(axons as usize, "axon"));
            return self.problem(Diagnostic::new(span.clone(), message).label(label).note(note));
        }
        let taken = self.taken.entry(block).or_default();
        let other = taken.iter().find(|(from, to, _)| *from <= last && first_axon <= *to).cloned();
        taken.push((first_axon, last, span.clone()));
        if let Some((from, to, other)) = other {
            let shared = from.max(first_axon);
            let message = format!("axon {shared} of `{name}` has two sources");
            let note = format!("line {} sends to {}", self.line(&other), axons_from(from, to));
            let help = "an axon takes the packets of one source: give each source axons of its own";
            let label = format!("this sends to {}", axons_from(first_axon, last));
            return self.problem(Diagnostic::new(span.clone(), message).label(label).note(note).help(help));
        }
        Some(first_axon as u32)
    }

    fn routes(&mut self, blocks: &mut [Block], trees: &mut MulticastTrees) {
        let description = self.parts.description;
        let mut routes: BTreeMap<(usize, i64), Sending> = BTreeMap::new();
        for line in &description.routes {
            let number = self.get(&line.number, "the route's number", 0..=MOST_ROUTES - 1);
            let indices = self.get(&line.indices, "the number of indices", 1..=MOST_INDICES);
            let (Some(number), Some(indices)) = (number, indices) else { continue };
            let what = format!("route {number} of `{}`", description.blocks[line.block].name.text);
            let sending = routes
                .entry((line.block, number))
                .or_insert_with(|| Sending::new(&line.name, indices, line.span.clone()));
            if !self.has_indices(sending, indices, &line.indices, &what) {
                continue;
            }
            match line.taker {
                None => {}
                Some(Taker::Host) if sending.to_host => {
                    let message = format!("the host takes {what} already");
                    self.diagnostics.push(Diagnostic::new(line.span.clone(), message));
                }
                Some(Taker::Host) => sending.to_host = true,
                Some(Taker::Block(taker)) => {
                    self.deliver(sending, taker, &blocks[taker], line.first_axon.as_ref(), &line.span);
                }
            }
        }
        for ((block, number), sending) in routes {
            let name = &description.blocks[block].name.text;
            let expected = blocks[block].routes.len() as i64;
            if number != expected {
                let message = format!("`{name}` has a route {number}, but no route {expected}");
                let help = "routes are numbered from 0 without gaps; without a taker a route leads nowhere";
                self.diagnostics.push(Diagnostic::new(sending.span, message).help(help));
                return;
            }
            blocks[block].neurons = blocks[block].neurons.max(sending.indices as u32);
            let route = sending.into_route(Endpoint::Core(blocks[block].core), trees);
            blocks[block].routes.push(route);
        }
    }

    fn inputs(&mut self, blocks: &[Block], trees: &mut MulticastTrees) -> Vec<HostInput> {
        let mut inputs: Vec<Sending> = Vec::new();
        for line in &self.parts.description.inputs {
            let Some(indices) = self.get(&line.indices, "the number of indices", 1..=MOST_INDICES) else {
                continue;
            };
            let name = &line.name.text;
            let at = inputs.iter().position(|input| input.name == *name).unwrap_or_else(|| {
                inputs.push(Sending::new(name, indices, line.span.clone()));
                inputs.len() - 1
            });
            if self.has_indices(&inputs[at], indices, &line.indices, &format!("input `{name}`")) {
                self.deliver(&mut inputs[at], line.taker, &blocks[line.taker], line.first_axon.as_ref(), &line.span);
            }
        }
        let input = |input: Sending| HostInput {
            // The kind whose packets carry what the host likes.
            kind: HostInputKind::Packets,
            first: 0,
            route: input.into_route(Endpoint::Host(0), trees),
        };
        inputs.into_iter().map(input).collect()
    }

    /// Whether a further line of a route or an input says the same number of indices; else says it does not.
    fn has_indices(&mut self, sending: &Sending, indices: i64, number: &Number, what: &str) -> bool {
        if sending.indices != indices {
            let message = format!("{what} has {} indices, not {indices}", sending.indices);
            let note = format!("line {} says so", self.line(&sending.span));
            self.diagnostics.push(Diagnostic::new(number.span.clone(), message).note(note));
        }
        sending.indices == indices
    }

    /// Adds a block to those who take the packets.
    fn deliver(&mut self, sending: &mut Sending, number: usize, block: &Block, first: Option<&Number>, span: &Span) {
        if let Some(first_axon) = self.take_axons(number, block.axons, first, sending.indices, span) {
            let delivery = Delivery::Block { block: number.into(), first_axon };
            sending.takers.entry(block.core).or_default().push(delivery);
        }
    }

    fn range(&mut self, range: &Range, what: &str, last: i64) -> Option<impl Iterator<Item = i64> + Clone + use<>> {
        let first = self.get(&range.first, what, 0..=last);
        let to = match &range.last {
            Some(number) => self.get(number, what, 0..=last),
            None => first,
        };
        let every =
            range.every.as_ref().map_or(Some(1), |every| self.get(every, "the distance in a range", 1..=i64::MAX));
        let (first, to, every) = (first?, to?, every?);
        if let Some(number) = range.last.as_ref().filter(|_| to < first) {
            let message = format!("this range is empty: it begins at {first} and ends at {to}");
            return self
                .problem(Diagnostic::new(number.span.clone(), message).help("the first number is the lower one"));
        }
        Some((first..=to).step_by(usize::try_from(every).unwrap_or(usize::MAX)))
    }

    fn packets(&mut self, inputs: &[HostInput], steps: i64) -> Vec<Stimulus> {
        let mut stimuli: Vec<Stimulus> = Vec::new();
        let mut known = HashSet::new();
        for line in &self.parts.description.packets {
            // An input may be missing because of what is wrong with it.
            let Some(input) = inputs.iter().position(|input| input.route.name == line.input) else { continue };
            let last = i64::from(inputs[input].route.indices) - 1;
            let step = self.range(&line.step, "the step", steps - 1);
            let index = self.range(&line.index, &format!("the index of a packet of `{}`", line.input), last);
            let payload = match &line.payload {
                Some(number) => self.get(number, "the payload", i64::from(i32::MIN)..=i64::from(i32::MAX)),
                None => Some(1),
            };
            let (Some(step), Some(index), Some(payload)) = (step, index, payload) else { continue };
            for (step, index) in step.flat_map(|step| index.clone().map(move |index| (step, index))) {
                if stimuli.len() as u64 >= MOST_PACKETS {
                    let message = format!("these are more than {MOST_PACKETS} packets");
                    self.diagnostics.push(Diagnostic::new(line.span.clone(), message));
                    return stimuli;
                }
                if !known.insert((step, input, index)) {
                    let message = format!("a second packet of `{}` with index {index} in step {step}", line.input);
                    let help = "an axon takes one packet a step";
                    self.diagnostics.push(Diagnostic::new(line.span.clone(), message).help(help));
                    break;
                }
                stimuli.push(Stimulus { step: step as u64, input, index: index as u32, payload: payload as i32 });
            }
        }
        stimuli.sort_unstable_by_key(|stimulus| (stimulus.step, stimulus.input, stimulus.index));
        stimuli
    }

    fn program(&mut self) -> Program {
        let (text, lines) = std::mem::take(&mut self.parts.listing);
        let program = self.parts.program;
        Program {
            name: self.name(),
            words: program.words.clone(),
            labels: program.labels.clone(),
            purposes: program.purposes.clone(),
            lines,
            text,
            population: None,
        }
    }

    fn name(&self) -> String {
        let path = Path::new(&self.parts.source.name);
        path.file_stem().map_or_else(|| "assembly".into(), |stem| stem.to_string_lossy().into_owned())
    }

    /// Puts each block into its layer: one of its own, but where the text makes several parts of one.
    fn layers(&self, blocks: &mut [Block]) {
        let mut layers: Vec<(Option<&str>, u32)> = Vec::new();
        for (line, block) in self.parts.description.blocks.iter().zip(blocks) {
            let name = line.layer.as_ref().map(|layer| layer.text.as_str());
            let known = layers.iter().position(|(known, _)| name.is_some() && *known == name);
            let number = known.unwrap_or_else(|| {
                layers.push((name, 0));
                layers.len() - 1
            });
            block.population = number.into();
            block.first_neuron = layers[number].1;
            layers[number].1 += block.neurons;
        }
    }

    /// The edges that the text declares, each once; nothing where it declares none.
    fn edges(&mut self, blocks: &[Block]) -> Option<Vec<(PopulationIndex, PopulationIndex)>> {
        let description = self.parts.description;
        let lines = description.blocks.iter().map(|line| line.layer.as_ref().unwrap_or(&line.name).text.as_str());
        let layers: BTreeMap<&str, PopulationIndex> = lines.zip(blocks.iter().map(|block| block.population)).collect();
        let mut found = Vec::new();
        for edge in &description.edges {
            let mut layer = |name: &Name| {
                let found = layers.get(name.text.as_str()).copied();
                if found.is_none() {
                    let operand = Operand { text: &name.text, span: name.span.clone() };
                    let help = "a layer is named by `layer NAME` of its blocks, or is a block of no layer";
                    self.diagnostics.push(unknown("layer", &operand, layers.keys().copied(), help));
                }
                found
            };
            let (from, to) = (layer(&edge.from), layer(&edge.to));
            found.extend(from.zip(to));
        }
        found.sort_unstable();
        found.dedup();
        (!description.edges.is_empty()).then_some(found)
    }

    /// The layers as populations. A layer's lag is the fewest steps in which a packet of the host's can reach it.
    /// Its edges are those that the text declares, or else those that the routes make.
    fn summary(
        &self,
        blocks: &[Block],
        inputs: &[HostInput],
        declared: Option<Vec<(PopulationIndex, PopulationIndex)>>,
    ) -> NetworkSummary {
        let population_of = |block: BlockIndex| blocks[usize::from(block)].population;
        let takers = |route: &Route| -> Vec<PopulationIndex> {
            let deliveries = route.flits.iter().flat_map(|flit| &flit.deliveries);
            deliveries
                .filter_map(
                    |to| if let Delivery::Block { block, .. } = to { Some(population_of(*block)) } else { None },
                )
                .collect()
        };
        let routes = || blocks.iter().flat_map(|block| block.routes.iter().map(move |route| (block.population, route)));
        let mut ways: Vec<(PopulationIndex, PopulationIndex)> =
            routes().flat_map(|(from, route)| takers(route).into_iter().map(move |to| (from, to))).collect();
        ways.sort_unstable();
        ways.dedup();
        let mut lags: HashMap<PopulationIndex, u32> = HashMap::new();
        let mut next: Vec<PopulationIndex> = inputs.iter().flat_map(|input| takers(&input.route)).collect();
        for lag in 1.. {
            next.retain(|block| !lags.contains_key(block));
            lags.extend(next.iter().map(|&block| (block, lag)));
            next = ways.iter().filter(|(from, _)| next.contains(from)).map(|&(_, to)| to).collect();
            if next.is_empty() {
                break;
            }
        }
        let mut populations: Vec<Population> = Vec::new();
        for (line, block) in self.parts.description.blocks.iter().zip(blocks) {
            if let Some(layer) = populations.get_mut(usize::from(block.population)) {
                layer.neurons += block.neurons;
                continue;
            }
            populations.push(Population {
                name: line.layer.as_ref().unwrap_or(&line.name).text.clone(),
                kind: PopulationKind::Layer { schedule: None, fraction_bits: FractionBits::default(), kernel: None },
                neurons: block.neurons,
                lag: lags.get(&block.population).copied().unwrap_or(1),
                source_line: self.line(&line.span) as u32,
            });
        }
        NetworkSummary {
            name: self.name(),
            source: (self.parts.source.name.clone(), self.parts.source.text.clone()),
            seed: 0,
            data: None,
            window_steps: 1,
            augment: Vec::new(),
            epochs: 1,
            populations: populations.into(),
            edges: declared.unwrap_or(ways),
        }
    }

    /// Whether the blocks of each core fit it.
    fn check_cores(&mut self, image: &Image) {
        for usage in image.core_usage() {
            let Some(&last) = usage.blocks.last() else { continue };
            for limit in usage.limits(&image.chip).into_iter().filter(|limit| limit.needed > limit.available) {
                let mesh = &image.chip.mesh;
                let (x, y) = mesh.coordinates(usage.core.tile(mesh).0);
                let number = match mesh.cores_per_tile {
                    1 => String::new(),
                    _ => format!(" {}", usage.core.number_on_tile(mesh)),
                };
                let span = self.parts.description.blocks[usize::from(last)].span.clone();
                let message =
                    format!("core{number} of tile ({x}, {y}) is too full: {} needs {}", limit.what, limit.needed);
                let problem = Diagnostic::new(span, message)
                    .label(format!("the last of its {} {}", usage.blocks.len(), plural(usage.blocks.len(), "block")))
                    .note(format!("a core of chip `{}` has {}", image.chip.name, limit.available))
                    .help("put blocks on other cores, or take a chip with larger cores");
                self.diagnostics.push(problem);
            }
        }
    }
}

fn axons_from(first: i64, last: i64) -> String {
    if first == last { format!("axon {first}") } else { format!("axons {first} to {last}") }
}
