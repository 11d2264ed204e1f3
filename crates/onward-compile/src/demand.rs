//! From planned blocks to a placement problem: who sends how many packets to whom.
//!
//! Without a measurement the packets are estimated for [`WINDOWS`] windows, half of them of targets: a fifth of the inputs
//! spikes in a step (as in MNIST), a quarter of the neurons (as in `digits.sp`); a tag opens each window, a target's line spikes in each step
//! of its window, scores and answers follow each window of an input.

use crate::pass::Compilation;
use crate::plan::{Channel, PlannedBlock, PlannedSource, name_of_sums};
use onward_chip::{Chip, Costs, Event, FileError, Technology};
use onward_diagnostic::Diagnostic;
use onward_image::{BlockIndex, Endpoint, Traffic, attachment};
use onward_net::{Encoding, Node, ReadoutKind};
use std::collections::BTreeMap;
use std::ops::Range;
use typed_index_collections::TiSlice;

use onward_place::{BlockNeeds, CoreRoom, Objective, Party, Prices, Problem, Sender};

/// Windows that the estimate counts.
pub(crate) const WINDOWS: u64 = 40;
/// One input in so many spikes in a step.
pub(crate) const INPUTS_A_SPIKE: u64 = 5;
/// One neuron in so many.
pub(crate) const NEURONS_A_SPIKE: u64 = 4;
/// What a block may send: to other layers and, in a recurrent layer, to its own.
const CHANNELS: [Channel; 4] = [Channel::Spikes, Channel::Tags, Channel::Scores, Channel::Own];
/// Packets in all are scaled down to this many, so that costs stay within 64 bits.
const MOST_PACKETS: u64 = 1 << 32;

/// What blocks use up of a core, in the order of the amounts of [`CoreRoom`]; the last is the program memory.
pub(crate) const LIMITS: [&str; 7] = [
    "bytes of synapse memory",
    "bytes of neuron memory",
    "bytes of axon memory",
    "axons",
    "route table entries",
    "blocks",
    "instruction words",
];

/// The problem of placing a compilation's blocks on its chip.
///
/// # Errors
/// A measurement that is of another network; figures of energy that are asked for and cannot be read.
pub(crate) fn problem(compilation: &Compilation) -> Result<Problem, Diagnostic> {
    let chip = &compilation.options.chip;
    let traffic = compilation.options.placing.traffic.as_ref();
    if let Some(traffic) = traffic {
        check(compilation, traffic)?;
    }
    let prices = prices(chip, compilation.options.placing.objective).map_err(|error| {
        let (readout, message) = (compilation.network().readout(), error.to_string());
        Diagnostic::new(readout.span.clone(), format!("no figures to place for energy with: {message}"))
            .help("place for hops: fewer links crossed cost less energy in any technology")
    })?;
    let takers = Takers::of(&compilation.blocks);
    let senders = senders(compilation, &takers, traffic, host(chip));
    let blocks = compilation.blocks.keys().map(|number| needs(compilation, number, &takers)).collect();
    Ok(on_chip(chip, prices, blocks, senders))
}

/// The tile of the host's router.
pub(crate) fn host(chip: &Chip) -> u32 {
    let (host, _) = attachment(Endpoint::Host(0), &chip.mesh, &chip.host.ports).expect("a chip has a host port");
    host.0
}

/// The problem of placing blocks on a chip.
pub(crate) fn on_chip(chip: &Chip, prices: Prices, blocks: Vec<BlockNeeds>, mut senders: Vec<Sender>) -> Problem {
    let all = senders.iter().map(|sender| u128::from(sender.packets)).sum::<u128>();
    let scale = all.div_ceil(u128::from(MOST_PACKETS)).max(1);
    for sender in &mut senders {
        sender.packets = (u128::from(sender.packets) / scale) as u64;
    }
    Problem { mesh: chip.mesh.clone(), host: host(chip), prices, core: room(chip), blocks, senders }
}

fn room(chip: &Chip) -> CoreRoom {
    let memory = &chip.memory;
    CoreRoom {
        amounts: vec![
            memory.synapse_bytes.into(),
            memory.neuron_bytes.into(),
            memory.axon_bytes.into(),
            memory.axons.into(),
            memory.routes.into(),
            chip.core.blocks.into(),
        ],
        program_words: memory.instruction_words.into(),
    }
}

fn needs(compilation: &Compilation, number: BlockIndex, takers: &Takers) -> BlockNeeds {
    let block = &compilation.blocks[number];
    let handlers = &compilation.handlers[block.program];
    let [neuron, axon, synapse] = handlers.layout.bytes();
    // At most a flit for each taker, and one for the host.
    let from = PlannedSource::Block(number);
    let routes = CHANNELS.iter().map(|&channel| takers.get(from, channel).len() as u64).sum::<u64>() + 1;
    BlockNeeds {
        amounts: vec![synapse, neuron, axon, block.axons.into(), routes, 1],
        program: block.program.into(),
        program_words: handlers.program.words.len() as u64,
        work: u64::from(block.axons) * u64::from(block.neurons),
    }
}

/// What a chip's links and flits are counted with: where blocks are placed for energy, prices in femtojoules.
pub(crate) fn prices(chip: &Chip, objective: Objective) -> Result<Prices, FileError> {
    if objective != Objective::Energy {
        return Ok(Prices { link: 1, flit: 0 });
    }
    let costs: Costs = Technology::load(&chip.technology).and_then(|technology| technology.costs(chip))?;
    let femtojoules = |event| (costs[event] * 1000.0).clamp(0.0, f64::from(1 << 20)) as u32;
    Ok(Prices { link: femtojoules(Event::FlitHop).max(1), flit: femtojoules(Event::FlitInjection) })
}

/// Takers by sender and channel.
struct Takers(BTreeMap<(PlannedSource, Channel), Vec<Party>>);

impl Takers {
    fn of(blocks: &TiSlice<BlockIndex, PlannedBlock>) -> Takers {
        let mut takers: BTreeMap<_, Vec<Party>> = BTreeMap::new();
        for (number, block) in blocks.iter_enumerated() {
            for inlet in block.inlets.iter() {
                takers.entry((inlet.from, inlet.what)).or_default().push(Party::Block(number.into()));
            }
        }
        Takers(takers)
    }

    fn get(&self, from: PlannedSource, what: Channel) -> &[Party] {
        self.0.get(&(from, what)).map_or(&[], Vec::as_slice)
    }
}

fn senders(compilation: &Compilation, takers: &Takers, traffic: Option<&Traffic>, host: u32) -> Vec<Sender> {
    let network = compilation.network();
    let steps = u64::from(network.window_steps);
    let mut senders = Vec::new();
    for node in network.graph.node_indices() {
        let (parts, kind) = match &network.graph[node] {
            Node::Input(input) => {
                let kind = if input.encoding == Encoding::Current { "values" } else { "input" };
                let spikes =
                    |part: Range<u32>| (u64::from(part.len() as u32) * steps * WINDOWS).div_ceil(INPUTS_A_SPIKE);
                (compilation.cuts.parts(input.size()).into_iter().map(spikes).collect(), kind)
            }
            Node::Target(_) => (vec![steps * WINDOWS / 2], "target"),
            _ => continue,
        };
        let spikes = parts.into_iter().map(|packets| (Channel::Spikes, packets, kind)).zip(0..);
        for ((channel, estimate, kind), part) in spikes.chain([((Channel::Tags, WINDOWS, "tag"), 0)]) {
            let takers = takers.get(PlannedSource::Host(node, part), channel).to_vec();
            let counted = traffic.map(|traffic| {
                let of_kind = traffic.host.iter().filter(|host| host.input == kind);
                of_kind.map(|host| host.packets).nth(part as usize).unwrap_or(0)
            });
            senders.push(Sender { from: Party::Fixed(host), takers, packets: counted.unwrap_or(estimate) });
        }
    }
    let is_shown = network.readout().kind == ReadoutKind::Spikes;
    let readout = network.graph.node_indices().find(|&node| matches!(network.graph[node], Node::Readout(_)));
    let shown = readout.filter(|_| is_shown).map(|node| network.signal(node));
    for (number, block) in compilation.blocks.iter_enumerated() {
        let is_readout = matches!(network.graph[block.node], Node::Readout(_));
        for channel in CHANNELS {
            let estimate = match channel {
                Channel::Spikes if block.part.is_some() => u64::from(block.neurons) * steps * WINDOWS,
                Channel::Spikes | Channel::Own => {
                    (u64::from(block.neurons) * steps * WINDOWS).div_ceil(NEURONS_A_SPIKE)
                }
                Channel::Tags => WINDOWS,
                Channel::Scores if is_readout => WINDOWS / 2,
                Channel::Scores => u64::from(network.classes()) * WINDOWS / 2,
            };
            let from = PlannedSource::Block(number);
            let mut takers = takers.get(from, channel).to_vec();
            let is_shown = Some(block.node) == shown && channel == Channel::Spikes && block.part.is_none();
            if is_readout && channel == Channel::Scores || is_shown {
                takers.push(Party::Fixed(host));
            }
            let counted = traffic
                .and_then(|traffic| traffic.blocks[usize::from(number)].packets(route_name(is_readout, channel)));
            let packets = if traffic.is_some() { counted.unwrap_or(0) } else { estimate };
            senders.push(Sender { from: Party::Block(number.into()), takers, packets });
        }
    }
    senders.retain(|sender| !sender.takers.is_empty());
    senders
}

/// What the image calls a channel's route.
fn route_name(is_readout: bool, channel: Channel) -> &'static str {
    if is_readout && channel == Channel::Scores { "answer" } else { channel.name() }
}

/// Refuses a measurement of another network, or of other blocks.
fn check(compilation: &Compilation, traffic: &Traffic) -> Result<(), Diagnostic> {
    let network = compilation.network();
    let help = "measure this network: `onward train NET.sp --save-traffic FILE`, or leave --traffic out";
    let refuse = |span: std::ops::Range<usize>, message: String| Err(Diagnostic::new(span, message).help(help));
    let whole = network.readout().span.clone();
    if traffic.network != network.name {
        let message =
            format!("the traffic was measured on network `{}`, this one is `{}`", traffic.network, network.name);
        return refuse(whole, message);
    }
    let (counted, planned) = (traffic.blocks.len(), compilation.blocks.len());
    if counted != planned {
        return refuse(whole, format!("the traffic was measured on {counted} blocks, the network has {planned}"));
    }
    for (number, (counted, planned)) in traffic.blocks.iter().zip(&compilation.blocks).enumerate() {
        let node = &network.graph[planned.node];
        let range = |first: u32, neurons: u32| format!("{first}..{}", u64::from(first) + u64::from(neurons));
        let found = (counted.population.as_str(), counted.first_neuron, counted.neurons);
        let name = planned.part.map_or_else(|| node.name().to_owned(), |_| name_of_sums(node.name()));
        if found != (name.as_str(), planned.first_neuron, planned.neurons) {
            let message = format!(
                "the traffic was measured with other blocks: block {number} was `{}` {}, it is `{}` {}",
                counted.population,
                range(counted.first_neuron, counted.neurons),
                name,
                range(planned.first_neuron, planned.neurons),
            );
            return refuse(node.span(), message);
        }
    }
    Ok(())
}
