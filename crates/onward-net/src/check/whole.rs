//! What a network as a whole must have.

use super::Checker;
use crate::input::Encoding;
use crate::network::Node;
use crate::parameters::place;
use crate::readout::ReadoutKind;
use crate::rule::Learning;
use crate::syntax::Word;
use crate::vocabulary::ItemKind;
use onward_diagnostic::Diagnostic;
use petgraph::Direction;
use petgraph::graph::NodeIndex;

/// The longest window in which a layer learns: what traces count is a fraction of it.
const LEARNING_WINDOW_MAX: u32 = 256;

impl Checker<'_> {
    /// Reports what is missing, what is there too often and what leads nowhere.
    pub(super) fn check_whole(&mut self, network: &Word) {
        const EXAMPLES: [(ItemKind, &str); 3] = [
            (ItemKind::Input, "input pixels = rate(8, 8)"),
            (ItemKind::Target, "target digit = classes(10)"),
            (ItemKind::Readout, "readout answer = nearest_target from LAYER"),
        ];
        for (kind, example) in EXAMPLES {
            let noun = kind.word();
            let found: Vec<_> = self.items(kind).collect();
            if found.is_empty() && kind != ItemKind::Target {
                let is_without = kind == ItemKind::Readout && !self.has_target;
                let example = if is_without { "readout answer = most_spikes from LAYER" } else { example };
                self.missing(network, noun, example);
            }
            for &extra in found.iter().skip(1) {
                let first = &self.network.graph[found[0]];
                let span = self.network.graph[extra].span();
                let place = place(self.reader.source, &first.span(), &span);
                let note = format!("`{}`, in {place}, is the first", first.name());
                let error = Diagnostic::new(span, format!("a second {noun}")).note(note);
                let number = if kind == ItemKind::Target { "at most" } else { "exactly" };
                self.report(error.help(format!("a network has {number} one {noun}")));
            }
        }
        if self.items(ItemKind::Target).next().is_none() {
            self.check_without_target(network);
        }
        self.check_window();
        self.check_augmentation();
        if self.items(ItemKind::Layer).next().is_none() {
            let example = if self.has_target { "from pixels, digit" } else { "from pixels" };
            self.missing(network, "layer", &format!("layer hidden = dense(64) {example}"));
        } else if self.sources_are_known {
            self.check_uses();
        }
    }

    /// What is done to pictures needs some.
    fn check_augmentation(&mut self) {
        let Some(span) = self.augment.clone() else { return };
        let inputs: Vec<NodeIndex> = self.items(ItemKind::Input).collect();
        for node in inputs {
            let Node::Input(input) = &self.network.graph[node] else { continue };
            let is_sequence = matches!(input.encoding, Encoding::Delta(_) | Encoding::Sequence(_));
            if self.unknown.contains(&node) || input.shape.len() >= 2 && !is_sequence {
                continue;
            }
            let (name, what) = (&input.name, if is_sequence { "takes sequences" } else { "has no height and width" });
            let error = Diagnostic::new(span.clone(), format!("`augment` is for pictures, and `{name}` {what}"));
            self.report(error.help("leave it out, or write the input with height and width, as in `rate(28, 28)`"));
        }
    }

    fn missing(&mut self, network: &Word, noun: &str, example: &str) {
        if self.kinds_are_known {
            let message = format!("network `{}` has no {noun}", network.text);
            self.report(Diagnostic::new(network.span.clone(), message).help(format!("add `{example}`")));
        }
    }

    /// Reports what cannot be without a target.
    fn check_without_target(&mut self, network: &Word) {
        if !self.kinds_are_known {
            return;
        }
        let help = "add `target digit = classes(10)` and name it as a source of the first layer: `from INPUT, digit`";
        let learns = self.learning_layer();
        let reads = self.network.graph.node_weights().find_map(|node| match node {
            Node::Readout(readout) if readout.kind.needs_target() => Some(readout.clone()),
            _ => None,
        });
        if let Some(layer) = learns {
            let name = &self.network.layer(layer).name;
            let error = Diagnostic::new(network.span.clone(), format!("network `{}` has no target", network.text));
            let error = error.note(format!("the layer `{name}` learns, and layers learn from a target"));
            self.report(error.help(help));
        } else if let Some(readout) =
            reads.filter(|_| self.items(ItemKind::Readout).all(|node| !self.unknown.contains(&node)))
        {
            let message = match readout.kind {
                ReadoutKind::Trained(_) => format!("the readout `{}` learns, and there is no target", readout.name),
                _ => format!("the readout `{}` compares with a target, and there is none", readout.name),
            };
            let error = Diagnostic::new(readout.span, message);
            self.report(error.help("add a target, or read out with `most_spikes` or `spikes`"));
        }
    }

    fn learning_layer(&self) -> Option<NodeIndex> {
        self.network
            .layers()
            .find(|&index| self.network.layer(index).learning != Learning::None && !self.unknown.contains(&index))
    }

    /// Reports a window in which layers cannot learn.
    fn check_window(&mut self) {
        let steps = self.network.window_steps;
        let readout = self.network.graph.node_weights().find_map(|node| match node {
            Node::Readout(readout) if readout.kind.learns() => Some(format!("the readout `{}` learns", readout.name)),
            _ => None,
        });
        let layer = self.learning_layer().map(|layer| format!("the layer `{}` learns", self.network.layer(layer).name));
        let Some(who) = layer.or(readout) else { return };
        if let (false, Some(span)) = (steps <= LEARNING_WINDOW_MAX, self.window.clone()) {
            let error = Diagnostic::new(span, format!("a window of {steps} steps is none to learn in"));
            let error = error.note(who);
            self.report(error.help(format!("write {LEARNING_WINDOW_MAX} at most, or `learning = none`")));
        }
    }

    /// Reports layers that lead to no readout and targets that feed no layer.
    fn check_uses(&mut self) {
        let graph = &self.network.graph;
        let mut leads_to_readout = vec![false; graph.node_count()];
        // Backward through the indices, which rise along edges.
        for index in graph.node_indices().rev() {
            let mut successors = graph.neighbors_directed(index, Direction::Outgoing);
            leads_to_readout[index.index()] =
                matches!(graph[index], Node::Readout(_)) || successors.any(|next| leads_to_readout[next.index()]);
        }
        let mut errors = Vec::new();
        let has_readout = self.items(ItemKind::Readout).next().is_some();
        for index in self.items(ItemKind::Layer).filter(|index| has_readout && !leads_to_readout[index.index()]) {
            let node = &graph[index];
            let error = Diagnostic::new(node.span(), format!("layer `{}` does not lead to the readout", node.name()));
            errors.push(error.help("name it as a source of what comes after it, or remove it"));
        }
        // A second target is an error already. One that reaches layers directly need not be named.
        let is_used = |index: NodeIndex| {
            graph.neighbors(index).next().is_some() || self.network.layers().any(|layer| self.network.is_direct(layer))
        };
        for index in self.items(ItemKind::Target).take(1).filter(|&index| !is_used(index)) {
            let node = &graph[index];
            let error = Diagnostic::new(node.span(), format!("the target `{}` feeds no layer", node.name()));
            let error = error.note("layers learn from the target, which enters at the front, beside the input");
            errors.push(error.help(format!("name it as a source of the first layer: `from INPUT, {}`", node.name())));
        }
        self.reader.errors.extend(errors);
    }

    /// The items of a kind.
    fn items(&self, kind: ItemKind) -> impl Iterator<Item = NodeIndex> + '_ {
        self.network.graph.node_indices().filter(move |&index| self.network.graph[index].item() == kind)
    }
}
