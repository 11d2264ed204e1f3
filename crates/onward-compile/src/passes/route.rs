//! `route`: who sends to whom becomes routes, and routes with several takers become multicast trees.

use crate::pass::{Compilation, Pass};
use crate::plan::{Channel, PlannedSource, Routing};
use onward_diagnostic::Diagnostic;
use onward_image::{
    Delivery, Destination, Endpoint, Flit, HostInput, HostInputKind, Route, Tile, Tree, TreeIndex, dimension_order_tree,
};
use onward_net::Node;
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) struct RoutePackets;

/// Makes trees, each once, as long as the routers' tables have room.
struct Trees<'a> {
    compilation: &'a Compilation,
    trees: Vec<Tree>,
    known: BTreeMap<(Endpoint, Vec<Tile>), TreeIndex>,
    /// Entries of each router's table.
    entries: Vec<u32>,
}

impl Trees<'_> {
    /// The tree from `source` to `tiles`; `None` where a table on the way is full.
    fn tree(&mut self, source: Endpoint, tiles: &[Tile]) -> Option<TreeIndex> {
        let key = (source, tiles.to_vec());
        if let Some(&tree) = self.known.get(&key) {
            return Some(tree);
        }
        let chip = &self.compilation.options.chip;
        let takers: Vec<Endpoint> = tiles.iter().map(|&tile| Endpoint::Core(tile)).collect();
        let tree = dimension_order_tree(&chip.mesh, &chip.host.ports, source, &takers);
        let room = u32::from(chip.mesh.multicast_trees);
        if tree.branches.iter().any(|(tile, _)| self.entries[tile.0 as usize] >= room) {
            return None;
        }
        let index = TreeIndex(u16::try_from(self.trees.len()).ok()?);
        for (tile, _) in &tree.branches {
            self.entries[tile.0 as usize] += 1;
        }
        self.trees.push(tree);
        self.known.insert(key, index);
        Some(index)
    }

    /// The route of a source's channel.
    fn route(&mut self, from: PlannedSource, what: Channel, indices: u32, source: Endpoint) -> Route {
        let mut takers: BTreeMap<Tile, Vec<Delivery>> = BTreeMap::new();
        for (number, block) in self.compilation.blocks.iter().enumerate() {
            for inlet in block.inlets.iter().filter(|inlet| inlet.from == from && inlet.what == what) {
                let delivery = Delivery::Block { block: number as u32, first_axon: inlet.first_axon };
                takers.entry(self.compilation.tiles[number]).or_default().push(delivery);
            }
        }
        // A flit reaches a tile for one block; where a core holds several takers, it takes as many flits.
        let rounds = takers.values().map(Vec::len).max().unwrap_or(0);
        let mut flits = Vec::new();
        for round in 0..rounds {
            let at: Vec<(Tile, Delivery)> =
                takers.iter().filter_map(|(&tile, deliveries)| Some((tile, *deliveries.get(round)?))).collect();
            let tiles: Vec<Tile> = at.iter().map(|&(tile, _)| tile).collect();
            let tree = if tiles.len() > 1 { self.tree(source, &tiles) } else { None };
            match tree {
                Some(tree) => flits.push(Flit {
                    destination: Destination::Multicast(tree),
                    deliveries: at.into_iter().map(|(_, delivery)| delivery).collect(),
                }),
                // One taker, or tables that are full: a flit each.
                None => flits.extend(at.into_iter().map(|(tile, delivery)| Flit {
                    destination: Destination::Unicast(Endpoint::Core(tile)),
                    deliveries: vec![delivery],
                })),
            }
        }
        Route { name: what.name().into(), indices, flits }
    }
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
        let classes = network.target().classes;
        let tiles = compilation.options.chip.mesh.tiles();
        let mut trees = Trees { compilation, trees: Vec::new(), known: BTreeMap::new(), entries: vec![0; tiles] };
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
            let route = trees.route(PlannedSource::Host(node), channel, indices, host);
            host_inputs.push(HostInput { kind, route });
        }
        let mut routes = Vec::new();
        for (number, block) in compilation.blocks.iter().enumerate() {
            let source = Endpoint::Core(compilation.tiles[number]);
            let is_readout = matches!(network.graph[block.node], Node::Readout(_));
            let of_block = Channel::ALL.map(|channel| {
                let indices = match channel {
                    Channel::Spikes => block.neurons,
                    Channel::Tags => 1,
                    Channel::Scores if is_readout => 1,
                    Channel::Scores => classes,
                };
                let mut route = trees.route(PlannedSource::Block(number as u32), channel, indices, source);
                if is_readout && channel == Channel::Scores {
                    route.name = "answer".into();
                    let destination = Destination::Unicast(host);
                    route.flits.push(Flit { destination, deliveries: vec![Delivery::Host] });
                }
                route
            });
            routes.push(of_block.to_vec());
        }
        compilation.routing = Routing { routes, trees: trees.trees, host_inputs };
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
    "NESWL".chars().enumerate().filter(|(at, _)| mask >> at & 1 != 0).map(|(_, letter)| letter).collect()
}
