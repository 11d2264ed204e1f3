//! `balance`: paths of unequal length that meet are brought in step by delays on the shorter ones.

use crate::pass::{Compilation, Pass, Product};
use onward_diagnostic::Diagnostic;
use onward_net::{Delay, Network, Node, WindowShift};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Whether what several sources send meets in a node.
fn meets(node: &Node) -> bool {
    matches!(node, Node::Add(_) | Node::Concat(_))
}

/// The sources of additions and concatenations that come too early, with the steps they must wait: by node and place.
fn waits(network: &Network) -> BTreeMap<(NodeIndex, usize), u32> {
    let mut waits = BTreeMap::new();
    for node in network.graph.node_indices().filter(|&node| meets(&network.graph[node])) {
        let lag = network.lag(node);
        for (at, source) in network.sources(node).into_iter().enumerate() {
            let early = lag - network.lag(source);
            if early > 0 {
                waits.insert((node, at), early);
            }
        }
    }
    waits
}

/// The network with the delays in it. Who waits as long for the same source waits once.
fn balanced(network: &Network, waits: &BTreeMap<(NodeIndex, usize), u32>) -> Network {
    let mut made = Network { graph: Default::default(), ..network.clone() };
    let mut places: Vec<NodeIndex> = Vec::new();
    let mut delays: BTreeMap<(NodeIndex, u32), NodeIndex> = BTreeMap::new();
    for node in network.graph.node_indices() {
        let mut sources = Vec::new();
        for (at, source) in network.sources(node).into_iter().enumerate() {
            let mut place = places[source.index()];
            if let Some(&steps) = waits.get(&(node, at)) {
                let (of, adds) = (&network.graph[source], network.graph[node].span());
                place = *delays.entry((source, steps)).or_insert_with(|| {
                    // No identifier, so nobody's name.
                    let name = format!("{}+{steps}", of.name());
                    let delay =
                        Delay { name, shape: of.shape().to_vec(), steps, window: WindowShift::Moves, span: adds };
                    made.add(Node::Delay(delay), &[place])
                });
            }
            sources.push(place);
        }
        places.push(made.add(network.graph[node].clone(), &sources));
    }
    made
}

pub(super) const PASS: Pass = Pass {
    name: "balance",
    description: "bring paths that meet in step, by delays on the shorter ones",
    needs: &[Product::Arrays, Product::FanIn],
    makes: Product::Balance,
    run,
    verify: None,
    amounts,
    emit,
    drawing: Some(|compilation| compilation.network().to_dot()),
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let network = compilation.network();
    let mut made = in_step(network);
    number(&mut made, network);
    compilation.network = Some(made);
    Ok(())
}

/// The network with the delays that it needs.
fn in_step(network: &Network) -> Network {
    let waits = waits(network);
    if waits.is_empty() { network.clone() } else { balanced(network, &waits) }
}

/// Numbers layers for what is drawn as on a chip that adds none of them up in parts: which paths are longer by that, and so
/// where delays lie, depends on the chip, and weights must not.
fn number(made: &mut Network, network: &Network) {
    let mut whole = network.clone();
    for of_node in whole.graph.node_weights_mut() {
        if let Node::Layer(layer) = of_node {
            layer.in_parts = false;
        }
    }
    let whole = in_step(&whole);
    let layers: Vec<NodeIndex> = made.layers().collect();
    for (node, elsewhere) in layers.into_iter().zip(whole.layers()) {
        if let (Node::Layer(layer), true) = (&mut made.graph[node], node != elsewhere) {
            layer.stream = Some(elsewhere.index() as u32);
        }
    }
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    let network = compilation.network();
    let is_delay = |node: &&Node| matches!(node, Node::Delay(_));
    vec![(network.graph.node_weights().filter(is_delay).count() as u64, "delay")]
}

fn emit(compilation: &Compilation) -> String {
    let network = compilation.network();
    let mut text = String::new();
    for node in network.graph.node_indices() {
        let of = &network.graph[node];
        let sources: Vec<&str> = network.sources(node).iter().map(|&source| network.graph[source].name()).collect();
        let from = if sources.is_empty() { String::new() } else { format!(" from {}", sources.join(", ")) };
        let waits = if let Node::Delay(delay) = of {
            format!(", waits {} {}", delay.steps, if delay.steps == 1 { "step" } else { "steps" })
        } else {
            String::new()
        };
        writeln!(text, "{}{from}: lag {}{waits}", of.name(), network.lag(node)).expect("writing to memory");
    }
    text
}
