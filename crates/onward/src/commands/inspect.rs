//! `onward inspect`: what an image holds.

use crate::documents::{self, Document};
use crate::files::{Output, read_image};
use crate::ledger::Ledger;
use crate::report;
use crate::terminal::{BOLD, styled};
use crate::text::{bytes, count, plural, table};
use crate::{Outcome, terminal};
use onward_image::{
    Block, BlockIndex, Core, Delivery, Destination, Endpoint, HostInputKind, Image, Population, PopulationKind, Route,
    Symbol,
};
use onward_profile::RouteCost;
use std::fmt::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Example:
  onward inspect digits.onw";

/// Arrays that are listed in a line.
const ARRAYS_A_LINE: usize = 4;

/// Show what an image holds: network, blocks and where they lie, memories, routes, programs
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The image
    #[arg(value_name = "IMAGE.onw")]
    image: PathBuf,
    /// Write for machines what it holds; - for standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome {
    let ledger = Ledger::default();
    let json = arguments.json.as_deref().map(|path| Output::prepare_json(path, &ledger)).transpose()?;
    let image = read_image(&arguments.image, &ledger)?;
    let mut text = String::new();
    let mut section = |title: &str, body: String| {
        let gap = if text.is_empty() { "" } else { "\n" };
        write!(text, "{gap}{}\n{body}", styled(BOLD, title)).expect("writing to memory");
    };
    section("Image", head(&image));
    section("Network", populations(&image));
    section("Blocks", blocks(&image));
    section("Arrays", arrays(&image));
    section("Cores", cores(&image));
    section("Routes", routes(&image));
    section("Programs", programs(&image));
    terminal::print(&text)?;
    if let Some(json) = &json {
        json.write_json(&Document::new("inspect", documents::inspected(&image)))?;
    }
    terminal::print(&report::written([json.as_ref()]))
}

fn head(image: &Image) -> String {
    let (chip, network) = (&image.chip, &image.network);
    let row = |what: &str, value: String| vec![what.to_owned(), value];
    let chip_text = format!(
        "{}: {}, {} lanes, {} MHz, technology {}",
        chip.name,
        report::mesh(&chip.mesh),
        chip.core.lanes,
        count(chip.clock_hz / 1_000_000),
        chip.technology
    );
    let rows = vec![
        row("network", format!("{} ({})", network.name, network.source.0)),
        row("chip", chip_text),
        row("data", network.data.clone().unwrap_or_else(|| "none named".into())),
        row("window", format!("{} steps", network.window_steps)),
        row("epochs", network.epochs.to_string()),
        row("seed", network.seed.to_string()),
        row("checksum", image.checksum()),
    ];
    table(&[], rows, &[])
}

fn kind(population: &Population) -> String {
    let shape = |shape: &[u32]| shape.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ");
    match &population.kind {
        PopulationKind::RateInput { shape: extents } => format!("input, {}", shape(extents)),
        PopulationKind::EncodedInput { shape: extents, encoding } => {
            format!("input, {}, {}", shape(extents), format!("{encoding:?}").to_lowercase())
        }
        PopulationKind::SpikeReadout => "readout, spikes".into(),
        PopulationKind::Relay => "relay".into(),
        PopulationKind::Folded => "folded into weights".into(),
        PopulationKind::Target => "target".into(),
        PopulationKind::Layer { schedule: Some(_), .. } => "layer, learns".into(),
        PopulationKind::Layer { schedule: None, .. } => "layer".into(),
        PopulationKind::Readout => "readout".into(),
        PopulationKind::ValueTarget => "target, values".into(),
        PopulationKind::ValueReadout { .. } => "readout of values, learns".into(),
        PopulationKind::LearningReadout { .. } => "readout, learns".into(),
    }
}

fn populations(image: &Image) -> String {
    let network = &image.network;
    let rows = network.numbered().map(|(number, population)| {
        let from = network.edges.iter().filter(|(_, to)| *to == number);
        let from: Vec<&str> = from.map(|(from, _)| network.populations[*from].name.as_str()).collect();
        let line = format!("{}:{}", network.source.0, population.source_line);
        let count = count(population.neurons.into());
        vec![population.name.clone(), kind(population), count, from.join(", "), population.lag.to_string(), line]
    });
    table(&["name", "kind", "size", "from", "lag", "declared at"], rows.collect(), &[2, 4])
}

/// What lies in the memories of each layer, by name, as `--probe` and `--show` take it.
fn arrays(image: &Image) -> String {
    let mut rows = Vec::new();
    for (number, population) in image.network.numbered() {
        let Some((_, block)) = image.blocks_of(number).next() else { continue };
        let array = |symbol: &Symbol| match symbol.rows {
            1 => format!("{}[{}]", symbol.name, symbol.columns),
            rows => format!("{}[{rows} x {}]", symbol.name, symbol.columns),
        };
        let names: Vec<String> = block.symbols.iter().map(array).collect();
        for (at, names) in names.chunks(ARRAYS_A_LINE).enumerate() {
            let name = if at == 0 { population.name.clone() } else { String::new() };
            rows.push(vec![name, names.join(", ")]);
        }
    }
    table(&["in a block of", "arrays"], rows, &[])
}

/// `3 at (3, 0)`: a core and the tile it is on.
pub fn place(image: &Image, core: Core) -> String {
    let mesh = &image.chip.mesh;
    let (x, y) = mesh.coordinates(core.tile(mesh).0);
    format!("{} at ({x}, {y})", core.0)
}

/// `hidden1[64..128]`.
fn neurons(image: &Image, block: &Block) -> String {
    let population = image.population(block);
    if block.first_neuron == 0 && block.neurons == population.neurons {
        return population.name.clone();
    }
    let end = block.first_neuron.saturating_add(block.neurons);
    format!("{}[{}..{end}]", population.name, block.first_neuron)
}

fn blocks(image: &Image) -> String {
    let rows = image.blocks.iter().enumerate().map(|(number, block)| {
        let [neuron, axon, synapse] = block.memory_bytes.map(|size| bytes(size.into()));
        let program = image.programs[block.program].name.clone();
        let axons = count(block.axons.into());
        vec![number.to_string(), neurons(image, block), place(image, block.core), program, axons, synapse, neuron, axon]
    });
    let header = ["block", "neurons", "core", "program", "axons", "synapse", "neuron", "axon memory"];
    table(&header, rows.collect(), &[0, 4, 5, 6, 7])
}

fn cores(image: &Image) -> String {
    let rows = image.core_usage().into_iter().map(|core| {
        let blocks: Vec<String> = core.blocks.iter().map(BlockIndex::to_string).collect();
        let full = core.limits(&image.chip).map(|limit| {
            let percent = 100.0 * limit.needed as f64 / limit.available as f64;
            if percent > 0.0 && percent < 1.0 { "< 1 %".to_owned() } else { format!("{percent:.0} %") }
        });
        [place(image, core.core), blocks.join(" ")].into_iter().chain(full).collect()
    });
    let header =
        ["core", "blocks", "synapse", "neuron", "axon memory", "instructions", "axons", "routes", "block table"];
    table(&header, rows.collect(), &[2, 3, 4, 5, 6, 7, 8])
}

fn routes(image: &Image) -> String {
    let host = Endpoint::Host(image.host_port);
    let inputs = image.host_inputs.iter().map(|input| {
        let what = match input.kind {
            HostInputKind::Tag => "tags",
            HostInputKind::Target | HostInputKind::TargetValues => "target",
            HostInputKind::Input | HostInputKind::Values => "input",
            HostInputKind::Packets => "packets",
        };
        ("host".to_owned(), host, what, &input.route)
    });
    let blocks = image.blocks.iter().enumerate().flat_map(|(number, block)| {
        let from = Endpoint::Core(block.core);
        block.routes.iter().map(move |route| (format!("block {number}"), from, route.name.as_str(), route))
    });
    let rows = inputs.chain(blocks).filter(|(.., route)| !route.flits.is_empty()).map(|(name, from, what, route)| {
        let cost = RouteCost::of(image, from, route);
        let [flits, hops] = [cost.flits, cost.hops].map(count);
        vec![name, what.to_owned(), takers(image, route), way(route), flits, hops]
    });
    let header = ["from", "what", "to", "by", "flits", "hops a packet"];
    let trees = format!("  {} in the routers' tables\n", plural(image.trees.len() as u64, "multicast tree"));
    table(&header, rows.collect(), &[4, 5]) + &trees
}

/// `hidden1 (blocks 0 1), host`.
fn takers(image: &Image, route: &Route) -> String {
    let mut populations: Vec<(&str, Vec<BlockIndex>)> = Vec::new();
    for delivery in route.flits.iter().flat_map(|flit| &flit.deliveries) {
        let (name, number) = match *delivery {
            Delivery::Host => ("host", None),
            Delivery::Block { block, .. } => (image.population(&image.blocks[block]).name.as_str(), Some(block)),
        };
        match populations.iter_mut().find(|(known, _)| *known == name) {
            Some((_, blocks)) => blocks.extend(number),
            None => populations.push((name, number.into_iter().collect())),
        }
    }
    let texts = populations.into_iter().map(|(name, mut blocks)| {
        blocks.sort_unstable();
        match blocks[..] {
            [] => name.to_owned(),
            [block] => format!("{name} (block {block})"),
            [first, .., last] => format!("{name} ({} blocks, {first} to {last})", blocks.len()),
        }
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// `tree 3`, `unicast`.
fn way(route: &Route) -> String {
    let ways = route.flits.iter().map(|flit| match flit.destination {
        Destination::Unicast(_) => "unicast".to_owned(),
        Destination::Multicast(tree) => format!("tree {}", tree.0),
    });
    let mut ways: Vec<String> = ways.collect();
    ways.dedup();
    if ways.len() > 3 { format!("{} ways", ways.len()) } else { ways.join(", ") }
}

fn programs(image: &Image) -> String {
    let rows = image.programs.iter_enumerated().map(|(number, program)| {
        let blocks = image.blocks.iter().filter(|block| block.program == number).count();
        let population = program.population.map(|population| &image.network.populations[population]);
        let name = population.map_or("", |population| population.name.as_str());
        let words = program.words.len() as u64;
        vec![program.name.clone(), name.to_owned(), blocks.to_string(), count(words), bytes(4 * words)]
    });
    table(&["program", "handlers of", "blocks", "instructions", "size"], rows.collect(), &[2, 3, 4])
}
