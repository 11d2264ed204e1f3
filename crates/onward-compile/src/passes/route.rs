//! `route`: who sends to whom becomes routes, and routes with several takers become multicast trees.

use crate::pass::{Compilation, Pass};
use crate::plan::{Channel, PlannedSource, Routing};
use crate::trees::{Takers, Trees};
use onward_diagnostic::Diagnostic;
use onward_image::{Delivery, Destination, Endpoint, Flit, HostInput, HostInputKind, Route};
use onward_net::Node;
use petgraph::graph::NodeIndex;
use std::fmt::Write;

pub(super) struct RoutePackets;

/// The route of a source's channel.
fn route(
    compilation: &Compilation,
    trees: &mut Trees,
    from: PlannedSource,
    what: Channel,
    indices: u32,
    source: Endpoint,
) -> Route {
    let mut takers = Takers::new();
    for (number, block) in compilation.blocks.iter().enumerate() {
        for inlet in block.inlets.iter().filter(|inlet| inlet.from == from && inlet.what == what) {
            let delivery = Delivery::Block { block: number as u32, first_axon: inlet.first_axon };
            takers.entry(compilation.cores[number]).or_default().push(delivery);
        }
    }
    Route { name: what.name().into(), indices, flits: trees.flits(source, &takers) }
}

impl Pass for RoutePackets {
    fn name(&self) -> &'static str {
        "route"
    }

    fn description(&self) -> &'static str {
        "turn edges into routes and multicast trees"
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        let network = compilation.network();
        let classes = network.classes();
        let mut trees = Trees::new(&compilation.options.chip);
        let host = Endpoint::Host(0);
        let node_of = |wanted: fn(&Node) -> bool| -> NodeIndex {
            let found = network.graph.node_indices().find(|&node| wanted(&network.graph[node]));
            found.expect("a network has an input and a target")
        };
        let input = node_of(|node| matches!(node, Node::Input(_)));
        let target = node_of(|node| matches!(node, Node::Target(_)));
        let size = network.input().size();
        let mut host_inputs = Vec::new();
        for (kind, node, channel, indices) in [
            (HostInputKind::Tag, input, Channel::Tags, 1),
            (HostInputKind::Target, target, Channel::Spikes, classes),
            (HostInputKind::Input, input, Channel::Spikes, size),
        ] {
            let route = route(compilation, &mut trees, PlannedSource::Host(node), channel, indices, host);
            host_inputs.push(HostInput { kind, route });
        }
        let mut routes = Vec::new();
        for (number, block) in compilation.blocks.iter().enumerate() {
            let source = Endpoint::Core(compilation.cores[number]);
            let is_readout = matches!(network.graph[block.node], Node::Readout(_));
            let of_block = Channel::ALL.map(|channel| {
                let indices = match channel {
                    Channel::Spikes => block.neurons,
                    Channel::Tags => 1,
                    Channel::Scores if is_readout => 1,
                    Channel::Scores => classes,
                };
                let from = PlannedSource::Block(number as u32);
                let mut route = route(compilation, &mut trees, from, channel, indices, source);
                if is_readout && channel == Channel::Scores {
                    route.name = "answer".into();
                    let destination = Destination::Unicast(host);
                    route.flits.push(Flit { destination, deliveries: vec![Delivery::Host] });
                }
                route
            });
            routes.push(of_block.to_vec());
        }
        let trees = trees.into_trees();
        compilation.routing = Routing { routes, trees, host_inputs };
        Ok(())
    }

    fn emit(&self, compilation: &Compilation) -> String {
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
        for (number, routes) in compilation.routing.routes.iter().enumerate() {
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
}

fn port_letters(mask: u8) -> String {
    let ports = ["N", "E", "S", "W", "L", "L1", "L2", "L3"];
    ports.into_iter().enumerate().filter(|(at, _)| mask >> at & 1 != 0).map(|(_, letter)| letter).collect()
}
