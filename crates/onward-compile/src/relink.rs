//! The same blocks on another chip: places and routes anew, programs as they are.
//!
//! What a block computes does not depend on where it lies, nor on how many lanes its core has. So an image can be linked for
//! another chip without its text: blocks find cores as in the pass `place`, for the same demand ([`demand`]), and their routes
//! become trees as in the pass `route`. Compiling the text for that chip gives the same image wherever it gives the same blocks;
//! layers that do not learn might be cut otherwise there, which changes no answer.

use crate::demand::{INPUTS_A_SPIKE, LIMITS, NEURONS_A_SPIKE, WINDOWS, host, on_chip, prices};
use crate::pass::Placing;
use crate::passes::PLACING_SEED;
use onward_chip::{Chip, FileError};
use onward_diagnostic::Remedy;
use onward_image::{
    Block, BlockIndex, Core, Delivery, Destination, Endpoint, Flit, HostInputKind, Image, MulticastTrees,
    PopulationKind, Route, Takers, Traffic,
};
use onward_place::{BlockNeeds, NoRoom, Party, Problem, Sender, solve};
use std::borrow::Cow;

/// Why an image cannot be linked for a chip.
#[derive(Debug, thiserror::Error)]
pub enum RelinkError {
    /// A block has no room.
    #[error("the blocks do not fit chip `{chip}`: no core has room for block {block} of `{layer}`{why}")]
    NoRoom {
        /// Name of the chip.
        chip: String,
        /// Logical number of the block.
        block: BlockIndex,
        /// The layer it is of.
        layer: String,
        /// What it needs more of than a core has, if that is why; else nothing.
        why: String,
    },
    /// The vectors of a core are shorter than programs count on.
    #[error("chip `{chip}` has vectors of {available} elements, the programs are for {needed}")]
    Vectors {
        /// Name of the chip.
        chip: String,
        /// Elements of its vectors.
        available: u16,
        /// What the programs were made for.
        needed: u16,
    },
    /// A measurement of another network, or of other blocks.
    #[error("the traffic was measured on another network, or on other blocks")]
    Traffic,
    /// The figures that blocks are placed for cannot be read.
    #[error("no figures to place for energy with: {0}")]
    Prices(#[from] FileError),
    /// The image contradicts itself, or does not fit the chip.
    #[error("the image does not fit chip `{chip}`: {what}")]
    Image {
        /// Name of the chip.
        chip: String,
        /// What does not fit.
        what: String,
    },
}

impl Remedy for RelinkError {
    fn remedy(&self) -> Option<Cow<'_, str>> {
        let remedy = match self {
            RelinkError::NoRoom { .. } | RelinkError::Image { .. } => {
                "a chip with more or larger cores; or run the network on that chip: layers that do not learn are cut for it then"
            }
            RelinkError::Vectors { .. } => "leave `core.vector_length` as it was, or run the network on that chip",
            RelinkError::Traffic => "measure this network, or leave the measurement out",
            RelinkError::Prices(_) => "place for hops: fewer links crossed cost less energy in any technology",
        };
        Some(remedy.into())
    }
}

/// Links the blocks of an image for another chip.
///
/// # Errors
/// They find no room there, or the programs are for other vectors.
pub fn relink(image: &Image, chip: &Chip, placing: &Placing) -> Result<Image, RelinkError> {
    let (available, needed) = (chip.core.vector_length, image.chip.core.vector_length);
    if available < needed {
        return Err(RelinkError::Vectors { chip: chip.name.clone(), available, needed });
    }
    let problem = problem(image, chip, placing)?;
    let cores = solve(&problem, placing.strategy, placing.objective, PLACING_SEED)
        .map_err(|NoRoom { block }| no_room(image, chip, &problem, block.into()))?;
    on_cores(image, chip, &cores.into_iter().map(Core).collect::<Vec<_>>())
}

/// Links the blocks of an image for another chip, each on a core that is said, by logical numbers.
///
/// # Errors
/// There is no such core, or they do not fit together there.
pub fn on_cores(image: &Image, chip: &Chip, cores: &[Core]) -> Result<Image, RelinkError> {
    let refused = |what: String| RelinkError::Image { chip: chip.name.clone(), what };
    if cores.len() != image.blocks.len() || cores.iter().any(|core| core.0 as usize >= chip.mesh.cores()) {
        return Err(refused("a block has no core, or one that the chip does not have".to_owned()));
    }
    let core = |block: BlockIndex| cores[usize::from(block)];
    let mut trees = MulticastTrees::new(chip);
    let mut linked = Image { chip: chip.clone(), host_port: 0, proof: None, ..image.clone() };
    for input in &mut linked.host_inputs {
        input.route = rerouted(&input.route, Endpoint::Host(0), &core, &mut trees);
    }
    for (number, block) in linked.blocks.iter_mut_enumerated() {
        block.core = core(number);
        for route in &mut block.routes {
            *route = rerouted(route, Endpoint::Core(core(number)), &core, &mut trees);
        }
    }
    linked.trees = trees.into_trees().into();
    linked.check().map_err(refused)?;
    Ok(linked)
}

/// Blocks that take packets of a route, with their first axons, ascending; and whether the host does.
fn takers(route: &Route) -> (Vec<(BlockIndex, u32)>, bool) {
    let (mut blocks, mut host) = (Vec::new(), false);
    for delivery in route.flits.iter().flat_map(|flit| &flit.deliveries) {
        match *delivery {
            Delivery::Block { block, first_axon } => blocks.push((block, first_axon)),
            Delivery::Host => host = true,
        }
    }
    blocks.sort_unstable();
    (blocks, host)
}

fn rerouted(route: &Route, source: Endpoint, core: &impl Fn(BlockIndex) -> Core, trees: &mut MulticastTrees) -> Route {
    let (blocks, host) = takers(route);
    let mut takers = Takers::new();
    for (block, first_axon) in blocks {
        takers.entry(core(block)).or_default().push(Delivery::Block { block, first_axon });
    }
    let mut flits = trees.flits(source, &takers);
    if host {
        let destination = Destination::Unicast(Endpoint::Host(0));
        flits.push(Flit { destination, deliveries: vec![Delivery::Host] });
    }
    Route { flits, ..route.clone() }
}

/// The problem of placing an image's blocks on a chip, as [`demand`](crate::demand) makes it of a compilation.
fn problem(image: &Image, chip: &Chip, placing: &Placing) -> Result<Problem, RelinkError> {
    let traffic = placing.traffic.as_ref();
    let is_of = |traffic: &Traffic| {
        traffic.network == image.network.name && {
            let counted = traffic.blocks.iter().map(|of| (of.population.as_str(), of.first_neuron, of.neurons));
            counted.eq(image
                .blocks
                .iter()
                .map(|block| (image.population(block).name.as_str(), block.first_neuron, block.neurons)))
        }
    };
    if !traffic.is_none_or(is_of) {
        return Err(RelinkError::Traffic);
    }
    let blocks = image.blocks.iter().map(|block| needs(image, block)).collect();
    Ok(on_chip(chip, prices(chip, placing.objective)?, blocks, senders(image, traffic, host(chip))))
}

fn needs(image: &Image, block: &Block) -> BlockNeeds {
    let [neuron, axon, synapse] = block.memory_bytes.map(u64::from);
    let routes = block.routes.iter().map(|route| takers(route).0.len() as u64).sum::<u64>() + 1;
    BlockNeeds {
        amounts: vec![synapse, neuron, axon, block.axons.into(), routes, 1],
        program: block.program.into(),
        program_words: image.programs[block.program].words.len() as u64,
        work: u64::from(block.axons) * u64::from(block.neurons),
    }
}

fn parties(route: &Route) -> Vec<Party> {
    takers(route).0.into_iter().map(|(block, _)| Party::Block(block.into())).collect()
}

fn senders(image: &Image, traffic: Option<&Traffic>, host: u32) -> Vec<Sender> {
    let steps = u64::from(image.network.window_steps);
    let mut senders = Vec::new();
    for population in &image.network.populations {
        use HostInputKind::{Input, Tag, Target, TargetValues, Values};
        let of_input =
            matches!(population.kind, PopulationKind::RateInput { .. } | PopulationKind::EncodedInput { .. });
        let of_target = matches!(population.kind, PopulationKind::Target | PopulationKind::ValueTarget);
        let kinds: &[&[HostInputKind]] = match (of_input, of_target) {
            (true, _) => &[&[Input, Values], &[Tag]],
            (_, true) => &[&[Target, TargetValues]],
            _ => &[],
        };
        for kinds in kinds {
            let parts = image.host_inputs.iter().filter(|input| kinds.contains(&input.kind));
            for (part, input) in parts.enumerate() {
                let (name, estimate) = match input.kind {
                    Tag => ("tag", WINDOWS),
                    Target | TargetValues => ("target", steps * WINDOWS / 2),
                    kind => {
                        let spikes = u64::from(input.route.indices) * steps * WINDOWS;
                        (if kind == Values { "values" } else { "input" }, spikes.div_ceil(INPUTS_A_SPIKE))
                    }
                };
                let counted = traffic.map(|traffic| {
                    let of_kind = traffic.host.iter().filter(|host| host.input == name);
                    of_kind.map(|host| host.packets).nth(part).unwrap_or(0)
                });
                let packets = counted.unwrap_or(estimate);
                senders.push(Sender { from: Party::Fixed(host), takers: parties(&input.route), packets });
            }
        }
    }
    for (number, block) in image.blocks.iter_enumerated() {
        let population = image.population(block);
        // Blocks that add up parts of a layer's inputs are of a population that no text can name.
        let adds = population.name.contains('+');
        let neurons = u64::from(block.neurons);
        for channel in ["spikes", "tags", "scores", "answer", "own"] {
            for route in block.routes.iter().filter(|route| route.name == channel) {
                let estimate = match channel {
                    "spikes" if adds => neurons * steps * WINDOWS,
                    "spikes" | "own" => (neurons * steps * WINDOWS).div_ceil(NEURONS_A_SPIKE),
                    "tags" => WINDOWS,
                    "answer" => WINDOWS / 2,
                    _ => u64::from(route.indices) * WINDOWS / 2,
                };
                let mut takers = parties(route);
                if self::takers(route).1 {
                    takers.push(Party::Fixed(host));
                }
                let counted = traffic.map(|traffic| traffic.blocks[usize::from(number)].packets(channel).unwrap_or(0));
                senders.push(Sender {
                    from: Party::Block(number.into()),
                    takers,
                    packets: counted.unwrap_or(estimate),
                });
            }
        }
    }
    senders.retain(|sender| !sender.takers.is_empty());
    senders
}

fn no_room(image: &Image, chip: &Chip, problem: &Problem, block: BlockIndex) -> RelinkError {
    let needs = &problem.blocks[usize::from(block)];
    let limits = needs.amounts.iter().zip(&problem.core.amounts).zip(LIMITS);
    let program = [((&needs.program_words, &problem.core.program_words), LIMITS[LIMITS.len() - 1])];
    let over = limits.chain(program).find(|((needed, available), _)| needed > available);
    let why = match over {
        Some(((needed, available), what)) => format!(": it needs {needed} {what}, a core has {available}"),
        None => {
            format!(": {} blocks find no place on {} cores", image.blocks.len(), chip.mesh.cores())
        }
    };
    let layer = image.population(&image.blocks[block]).name.clone();
    RelinkError::NoRoom { chip: chip.name.clone(), block, layer, why }
}
