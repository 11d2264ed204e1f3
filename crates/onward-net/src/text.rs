//! Networks as canonical text: every value is written out, and parsing it gives the same network.

use crate::network::{Gate, Hinge, Initial, Layer, Learning, Network, Neuron, Node, Values, Weights};
use std::fmt::{self, Display, Formatter};

/// Canonical text in the `.sp` language; parsing it gives the same network with other spans.
impl Display for Network {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        writeln!(formatter, "network {} {{", self.name)?;
        if let Some(data) = &self.data {
            writeln!(formatter, "    data = {}", quoted(data))?;
        }
        writeln!(formatter, "    epochs = {}", self.epochs)?;
        writeln!(formatter, "    window = {}", self.window_steps)?;
        // The first layer's values become the network's; layers that differ say so.
        let common = self.layers().next().map(|index| self.layer(index));
        if let Some(common) = common {
            writeln!(formatter, "    neurons = {}", common.neuron)?;
            writeln!(formatter, "    weights = {}", common.weights)?;
            writeln!(formatter, "    learning = {}", common.learning)?;
        }
        writeln!(formatter)?;
        for index in self.graph.node_indices() {
            let node = &self.graph[index];
            write!(formatter, "    {} {} = {node}", kind(node), node.name())?;
            let sources: Vec<_> = self.sources(index).iter().map(|&source| self.graph[source].name()).collect();
            if !sources.is_empty() {
                write!(formatter, " from {}", sources.join(", "))?;
            }
            if let (Node::Layer(layer), Some(common)) = (node, common) {
                write!(formatter, " {{ {} }}", options(layer, common))?;
            }
            writeln!(formatter)?;
        }
        writeln!(formatter, "}}")
    }
}

/// The word that begins an item.
pub(crate) fn kind(node: &Node) -> &'static str {
    match node {
        Node::Input(_) => "input",
        Node::Target(_) => "target",
        Node::Layer(_) | Node::Pool(_) | Node::Flatten(_) | Node::Add(_) | Node::Delay(_) => "layer",
        Node::Readout(_) => "readout",
    }
}

fn options(layer: &Layer, common: &Layer) -> String {
    let mut options = vec![format!("block = {}", layer.block)];
    if layer.neuron != common.neuron {
        options.push(format!("neurons = {}", layer.neuron));
    }
    if layer.weights != common.weights {
        options.push(format!("weights = {}", layer.weights));
    }
    if layer.learning != common.learning {
        options.push(format!("learning = {}", layer.learning));
    }
    options.join(", ")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The constructor with its arguments, as in `dense(128)`.
impl Display for Node {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        match self {
            Node::Input(input) => {
                let shape: Vec<_> = input.shape.iter().map(ToString::to_string).collect();
                write!(formatter, "rate({})", shape.join(", "))
            }
            Node::Target(target) => write!(formatter, "classes({})", target.classes),
            Node::Layer(layer) => write!(formatter, "dense({})", layer.neurons()),
            Node::Pool(_) | Node::Flatten(_) | Node::Add(_) | Node::Delay(_) => unreachable!("no text makes it"),
            Node::Readout(_) => write!(formatter, "nearest_target"),
        }
    }
}

/// `integrate_and_fire { ... }`.
impl Display for Neuron {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let Values::Constant(threshold) = self.threshold else { unreachable!("no text makes it") };
        // `{:?}` writes the shortest decimal that reads back as the same number, and a point in it.
        write!(formatter, "integrate_and_fire {{ threshold = {threshold:?}, reset = subtract }}")
    }
}

/// `fixed { ... }`.
impl Display for Weights {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let Initial::Drawn { gain } = self.initial else { unreachable!("no text makes it") };
        write!(formatter, "fixed {{ bits = {}, gain = {gain:?} }}", self.bits)
    }
}

/// `hinge { ... }` or `none`.
impl Display for Learning {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        match self {
            Learning::None => write!(formatter, "none"),
            Learning::Hinge(Hinge { rate, margin, anneal, gate }) => {
                let gate = match gate {
                    Gate::Surrogate => "surrogate",
                    Gate::None => "none",
                };
                write!(formatter, "hinge {{ rate = {rate}, margin = {margin:?}, anneal = {anneal}, gate = {gate} }}")
            }
        }
    }
}
