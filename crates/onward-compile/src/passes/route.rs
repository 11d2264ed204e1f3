//! `route`: who sends to whom becomes routes, and routes with several takers become multicast trees.

use crate::drawing;
use crate::pass::{Compilation, Pass, Product};
use crate::plan::{Channel, Cuts, PlannedSource, Routing};
use crate::readouts::value_target;
use onward_diagnostic::Diagnostic;
use onward_image::{
    BlockIndex, Delivery, Destination, Endpoint, HostInput, HostInputKind, MulticastTrees, Route, Takers,
};
use onward_net::{Encoding, Node, ReadoutKind, Target, TargetKind};
use onward_quantize::is_shown_targets;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use typed_index_collections::TiVec;

/// Who takes what, of every sender and channel: blocks with their first axons, by logical number.
struct Takings<'a> {
    compilation: &'a Compilation,
    takers: BTreeMap<(PlannedSource, Channel), Vec<(BlockIndex, u32)>>,
}

impl Takings<'_> {
    fn new(compilation: &Compilation) -> Takings<'_> {
        let mut takers: BTreeMap<_, Vec<(BlockIndex, u32)>> = BTreeMap::new();
        for (number, block) in compilation.blocks.iter_enumerated() {
            for inlet in block.inlets.iter() {
                takers.entry((inlet.from, inlet.what)).or_default().push((number, inlet.first_axon));
            }
        }
        Takings { compilation, takers }
    }

    /// The route of a source's channel.
    fn route(
        &self,
        trees: &mut MulticastTrees,
        from: PlannedSource,
        what: Channel,
        indices: u32,
        source: Endpoint,
    ) -> Route {
        let mut takers = Takers::new();
        for &(block, first_axon) in self.takers.get(&(from, what)).into_iter().flatten() {
            let core = self.compilation.cores[block];
            takers.entry(core).or_default().push(Delivery::Block { block, first_axon });
        }
        Route { name: what.name().into(), indices, flits: trees.flits(source, &takers) }
    }
}

pub(super) const PASS: Pass = Pass {
    name: "route",
    description: "turn edges into routes and multicast trees",
    needs: &[Product::Blocks, Product::Cores],
    makes: Product::Routes,
    run,
    verify: Some(verify),
    amounts,
    emit,
    drawing: Some(drawing::by_route),
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let network = compilation.network();
    let classes = network.classes();
    let mut trees = MulticastTrees::new(&compilation.options.chip);
    let host = Endpoint::Host(0);
    let takings = Takings::new(compilation);
    let find = |wanted: fn(&Node) -> bool| network.graph.node_indices().find(|&node| wanted(&network.graph[node]));
    let input = find(|node| matches!(node, Node::Input(_)));
    // Only a network that scores classes is shown targets, and not where they reach its layers directly.
    let is_shown = is_shown_targets(network) && network.shows_target_windows();
    let target = find(|node| matches!(node, Node::Target(_))).filter(|_| is_shown);
    let values = network.input().encoding == Encoding::Current;
    let input_kind = if values { HostInputKind::Values } else { HostInputKind::Input };
    let (target_kind, target_size) = match network.target() {
        Some(Target { kind: TargetKind::Vector, size, .. }) => (HostInputKind::TargetValues, *size),
        _ => (HostInputKind::Target, classes),
    };
    let whole = Cuts::default();
    let mut host_inputs = Vec::new();
    for (kind, node, channel, indices) in [
        (HostInputKind::Tag, input, Channel::Tags, 1),
        (target_kind, target, Channel::Spikes, target_size),
        (input_kind, input, Channel::Spikes, network.input().size()),
    ] {
        let Some(node) = node else { continue };
        let cuts = if kind == input_kind { &compilation.cuts } else { &whole };
        let parts = cuts.parts(indices);
        for (part, number) in parts.into_iter().zip(0..) {
            let from = PlannedSource::Host(node, number);
            let route = takings.route(&mut trees, from, channel, part.len() as u32, host);
            host_inputs.push(HostInput { kind, first: part.start, route });
        }
    }
    let shown = network.readout().kind == ReadoutKind::Spikes;
    let shown = find(|node| matches!(node, Node::Readout(_))).filter(|_| shown).map(|node| network.signal(node));
    let mut routes = TiVec::new();
    for (number, block) in compilation.blocks.iter_enumerated() {
        let source = Endpoint::Core(compilation.cores[number]);
        let is_readout = matches!(network.graph[block.node], Node::Readout(_));
        let mut of_block = Vec::new();
        for channel in Channel::of(&network.graph[block.node]) {
            let indices = match channel {
                Channel::Spikes | Channel::Own => block.neurons,
                Channel::Tags => 1,
                Channel::Scores if is_readout && value_target(network, block.node).is_some() => block.neurons,
                Channel::Scores if is_readout => 1,
                Channel::Scores => classes,
            };
            let from = PlannedSource::Block(number);
            let mut route = takings.route(&mut trees, from, channel, indices, source);
            if is_readout && channel == Channel::Scores {
                route.name = "answer".into();
            }
            if is_readout && channel == Channel::Scores
                || Some(block.node) == shown && channel == Channel::Spikes && block.part.is_none()
            {
                route.flits.push(trees.flit_to_host(source, 0));
            }
            of_block.push(route);
        }
        routes.push(of_block);
    }
    if let Err((from, to)) = trees.check() {
        let readout = network.readout();
        let message =
            format!("no router on the way from {from:?} to {to:?}, round dead links, has room for one more tree");
        let problem = Diagnostic::new(readout.span.clone(), message);
        return Err(vec![problem.help("larger tables (--chip-set mesh.multicast_trees=4096), or fewer blocks")]);
    }
    let trees = trees.into_trees();
    compilation.routing = Routing { routes, trees, host_inputs };
    Ok(())
}

/// Every inlet of every block is reached by what it is for.
fn verify(compilation: &Compilation) -> Result<(), String> {
    let Routing { routes, host_inputs, .. } = &compilation.routing;
    let all = routes.iter().flatten().chain(host_inputs.iter().map(|input| &input.route));
    let flits = all.flat_map(|route| &route.flits).flat_map(|flit| &flit.deliveries);
    let reached: BTreeSet<(BlockIndex, u32)> = flits
        .filter_map(|delivery| match delivery {
            Delivery::Block { block, first_axon } => Some((*block, *first_axon)),
            Delivery::Host => None,
        })
        .collect();
    for (number, block) in compilation.blocks.iter_enumerated() {
        if let Some(inlet) = block.inlets.iter().find(|inlet| !reached.contains(&(number, inlet.first_axon))) {
            return Err(format!("nothing reaches axon {} of block {number}", inlet.first_axon));
        }
    }
    Ok(())
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    let routing = &compilation.routing;
    let flits = routing.routes.iter().flatten().map(|route| route.flits.len() as u64);
    vec![(flits.sum(), "flit"), (routing.trees.len() as u64, "tree")]
}

fn emit(compilation: &Compilation) -> String {
    let mut text = String::new();
    let mut line = |from: String, route: &Route| {
        for flit in &route.flits {
            let to: Vec<String> = flit
                .deliveries
                .iter()
                .map(|delivery| match delivery {
                    Delivery::Host => "host".into(),
                    Delivery::Block { block, first_axon } => format!("block {block} axon {first_axon}"),
                })
                .collect();
            let how = match flit.destination {
                Destination::Unicast(_) => "unicast".into(),
                Destination::Multicast(tree) => format!("tree {}", tree.0),
            };
            writeln!(text, "{from} {}: {how} to {}", route.name, to.join(", ")).expect("writing to memory");
        }
    };
    for input in &compilation.routing.host_inputs {
        line(format!("host {:?}", input.kind).to_lowercase(), &input.route);
    }
    for (number, routes) in compilation.routing.routes.iter_enumerated() {
        for route in routes {
            line(format!("block {number}"), route);
        }
    }
    for (number, tree) in compilation.routing.trees.iter().enumerate() {
        let branches: Vec<String> =
            tree.branches.iter().map(|(tile, ports)| format!("{}:{}", tile.0, port_letters(*ports))).collect();
        writeln!(text, "tree {number}: {}", branches.join(" ")).expect("writing to memory");
    }
    text
}

fn port_letters(mask: u8) -> String {
    let ports = ["N", "E", "S", "W", "L", "L1", "L2", "L3"];
    ports.into_iter().enumerate().filter(|(at, _)| mask >> at & 1 != 0).map(|(_, letter)| letter).collect()
}
