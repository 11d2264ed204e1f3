//! What commands that run nothing write for machines: an image, what of a chip it takes, the instruction set.

use onward_image::{Block, Core, Delivery, Destination, Endpoint, HostInput, Image, Route};
use onward_isa::{Description, INSTRUCTIONS, Instruction};
use onward_profile::{Footprint, RouteCost, SCHEMA_VERSION, chip_parameters, usage};
use serde::Serialize;
use serde_json::{Value, json};

/// A document: what made it, of which version, and what it says.
#[derive(Serialize)]
pub struct Document<T> {
    schema_version: u32,
    onward_version: &'static str,
    command: &'static str,
    arguments: Vec<String>,
    #[serde(flatten)]
    body: T,
}

impl<T> Document<T> {
    /// A document that a command makes.
    pub fn new(command: &'static str, body: T) -> Document<T> {
        let (schema_version, onward_version) = (SCHEMA_VERSION, env!("CARGO_PKG_VERSION"));
        Document { schema_version, onward_version, command, arguments: arguments(), body }
    }
}

/// What the program was called with, its own name left out.
pub fn arguments() -> Vec<String> {
    std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// Which image a document is of, with what the document says beside it.
pub fn of_image(image: &Image, body: Value) -> Value {
    let network = &image.network;
    let mut document = json!({
        "network": network.name,
        "source": network.source.0,
        "network_hash": image.network_hash(),
        "checksum": image.checksum(),
        "chip": image.chip.name,
        "technology": image.chip.technology,
        "chip_parameters": chip_parameters(&image.chip),
        "seed": network.seed,
    });
    if let (Some(document), Value::Object(body)) = (document.as_object_mut(), body) {
        document.extend(body);
    }
    document
}

/// How much of its chip an image takes.
pub fn compiled(image: &Image) -> Value {
    let words: usize = image.programs.iter().map(|program| program.words.len()).sum();
    of_image(
        image,
        json!({
            "blocks": image.blocks.len(),
            "cores_used": image.core_usage().len(),
            "cores": image.chip.mesh.cores(),
            "programs": image.programs.len(),
            "instructions": words,
            "multicast_trees": image.trees.len(),
            "core_usage_percent": usage(image),
            "footprint": Footprint::of(image),
        }),
    )
}

/// All that an image holds, but the contents of its memories.
pub fn inspected(image: &Image) -> Value {
    let network = &image.network;
    let populations: Vec<Value> = network
        .numbered()
        .map(|(number, population)| {
            let from = network.edges.iter().filter(|(_, to)| *to == number);
            let from: Vec<&str> = from.map(|(from, _)| network.populations[*from].name.as_str()).collect();
            json!({
                "name": population.name,
                "neurons": population.neurons,
                "from": from,
                "lag": population.lag,
                "source_line": population.source_line,
                "kind": population.kind,
            })
        })
        .collect();
    let cores: Vec<Value> = image
        .core_usage()
        .into_iter()
        .map(|core| {
            let limits = core.limits(&image.chip);
            let limits =
                limits.map(|limit| json!({"what": limit.what, "needed": limit.needed, "available": limit.available}));
            let blocks: Vec<u32> = core.blocks.iter().map(|&block| block.into()).collect();
            json!({"core": core.core.0, "tile": tile(image, core.core), "blocks": blocks, "limits": limits})
        })
        .collect();
    let programs: Vec<Value> = image
        .programs
        .iter_enumerated()
        .map(|(number, program)| {
            let labels = program.labels.iter().map(|(name, at)| json!({"name": name, "address": at}));
            json!({
                "program": u32::from(number),
                "name": program.name,
                "instructions": program.words.len(),
                "labels": labels.collect::<Vec<Value>>(),
                "purposes": purposes(&program.purposes),
            })
        })
        .collect();
    let host = Endpoint::Host(image.host_port);
    let inputs = image.host_inputs.iter().map(
        |HostInput { kind, first, route }| json!({"kind": kind, "first": first, "route": of_route(image, host, route)}),
    );
    let mut document = compiled(image);
    document["data"] = json!(network.data);
    document["window_steps"] = json!(network.window_steps);
    document["epochs"] = json!(network.epochs);
    document["learned_epochs"] = json!(image.learned.epochs);
    document["populations"] = populations.into();
    document["blocks"] =
        image.blocks.iter().enumerate().map(|(number, block)| of_block(image, number, block)).collect();
    document["cores"] = cores.into();
    document["host_inputs"] = inputs.collect();
    document["programs"] = programs.into();
    document
}

fn tile(image: &Image, core: Core) -> (u16, u16) {
    image.chip.mesh.coordinates(core.tile(&image.chip.mesh).0)
}

fn of_block(image: &Image, number: usize, block: &Block) -> Value {
    let arrays: Vec<Value> = block
        .symbols
        .iter()
        .map(|symbol| {
            let space = symbol.space().map(|space| space.letter());
            json!({
                "name": symbol.name,
                "memory": space,
                "width_bits": symbol.width_bits,
                "offset": symbol.offset,
                "rows": symbol.rows,
                "columns": symbol.columns,
            })
        })
        .collect();
    let from = Endpoint::Core(block.core);
    let routes: Vec<Value> = block.routes.iter().map(|route| of_route(image, from, route)).collect();
    let [neuron, axon, synapse] = block.memory_bytes;
    json!({
        "block": number,
        "layer": image.population(block).name,
        "first_neuron": block.first_neuron,
        "neurons": block.neurons,
        "core": block.core.0,
        "tile": tile(image, block.core),
        "program": u32::from(block.program),
        "axons": block.axons,
        "synapse_bytes": synapse,
        "neuron_bytes": neuron,
        "axon_bytes": axon,
        "arrays": arrays,
        "routes": routes,
    })
}

fn of_route(image: &Image, from: Endpoint, route: &Route) -> Value {
    let cost = RouteCost::of(image, from, route);
    let flits: Vec<Value> = route
        .flits
        .iter()
        .map(|flit| {
            let takers: Vec<Value> = flit
                .deliveries
                .iter()
                .map(|delivery| match *delivery {
                    Delivery::Host => json!("host"),
                    Delivery::Block { block, first_axon } => {
                        json!({"block": u32::from(block), "first_axon": first_axon})
                    }
                })
                .collect();
            let tree = if let Destination::Multicast(tree) = flit.destination { Some(tree.0) } else { None };
            json!({"multicast_tree": tree, "takers": takers})
        })
        .collect();
    json!({"name": route.name, "indices": route.indices, "hops_a_packet": cost.hops, "flits": flits})
}

/// What the instructions of a program are for, by the address from which on they are; `null` for nothing in particular.
pub fn purposes(purposes: &[(String, u32)]) -> Value {
    let purpose =
        |(purpose, at): &(String, u32)| json!({"purpose": (!purpose.is_empty()).then_some(purpose), "address": at});
    purposes.iter().map(purpose).collect()
}

/// A program: its instructions, and its labels by name and address.
pub fn program(words: &[u32], labels: &[(String, u32)]) -> Value {
    let of_word = |(address, &word): (usize, &u32)| {
        let text = Instruction::decode(word).map(|instruction| instruction.to_string()).ok();
        json!({"address": address, "word": format!("{word:08x}"), "instruction": text})
    };
    let labels = labels.iter().map(|(name, at)| json!({"name": name, "address": at}));
    json!({
        "instructions": words.iter().enumerate().map(of_word).collect::<Vec<Value>>(),
        "labels": labels.collect::<Vec<Value>>(),
    })
}

/// The instruction set, or those of its instructions that are wanted.
pub fn instructions(wanted: impl Fn(&Description) -> bool) -> Value {
    let of = |row: &Description| {
        json!({
            "mnemonic": row.mnemonic,
            "operands": row.operand_names,
            "opcode": row.opcode,
            "class": snake(&format!("{:?}", row.class)),
            "cycles": snake(&format!("{:?}", row.cycles)),
            "access": snake(&format!("{:?}", row.access)),
            "energy": snake(&format!("{:?}", row.energy)),
            "summary": row.summary,
            "semantics": row.semantics,
            "example": row.example,
            "since": row.since,
        })
    };
    let instructions: Vec<Value> = INSTRUCTIONS.iter().filter(|row| wanted(row)).map(of).collect();
    json!({ "instructions": instructions })
}

/// `VectorMemory` as `vector_memory`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}
