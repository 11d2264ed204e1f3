//! Networks as drawings.

use crate::network::{Network, Node};
use petgraph::dot::{Config, Dot};

impl Network {
    /// The network in the language of Graphviz: `dot -Tsvg` draws it.
    pub fn to_dot(&self) -> String {
        let no_attributes = |_, _| String::new();
        let node_attributes = |_, (_, node): (_, &Node)| {
            let details = match node {
                Node::Layer(layer) if layer.blocks() > 1 => format!("\\n{} blocks of {}", layer.blocks(), layer.block),
                _ => String::new(),
            };
            // Names are identifiers, so nothing needs escaping.
            format!("shape = box, label = \"{} {}\\n{node}{details}\"", node.item().word(), node.name())
        };
        let config = [Config::EdgeNoLabel, Config::NodeNoLabel];
        let dot = Dot::with_attr_getters(&self.graph, &config, &no_attributes, &node_attributes);
        format!("{dot:?}")
    }
}
