//! Edges: what a layer and a readout may be fed by, and what a network as a whole must have.

use super::{Checker, Declared};
use crate::network::Node;
use crate::syntax::{Constructor, Item, Span, ValueKind, Word};
use crate::vocabulary::Family;
use onward_diagnostic::{Diagnostic, nearest};
use petgraph::Direction;
use petgraph::graph::NodeIndex;

/// Why an edge cannot lead from a later layer to an earlier one.
const FORWARD_ONLY: &str =
    "the network is forward only: no path leads from a later layer to an earlier one or to itself";

/// A source that exists and stands before the item that it feeds.
struct Feed {
    index: NodeIndex,
    family: Family,
    span: Span,
    name: String,
}

impl Checker<'_> {
    /// What feeds a layer: the input or another layer, and at the front the target.
    pub(super) fn layer_sources(&mut self, item: &Item) -> Vec<NodeIndex> {
        let Some(feeds) = self.feeds(item, "add `from` and the name of the input or of a layer above") else {
            return Vec::new();
        };
        let layer = &item.name.text;
        let signals: Vec<_> = feeds.iter().filter(|feed| feed.family != Family::Target).collect();
        let target = feeds.iter().find(|feed| feed.family == Family::Target);
        match (signals.as_slice(), target) {
            ([], Some(target)) => {
                let error = Diagnostic::new(target.span.clone(), format!("layer `{layer}` is fed by the target alone"));
                self.report(error.help(format!("name the input too: `from INPUT, {}`", target.name)));
            }
            ([_, second, ..], _) => {
                let message = format!("layer `{layer}` has {} sources besides the target", signals.len());
                let error = Diagnostic::new(second.span.clone(), message).label("one too many");
                self.report(error.help("a dense layer takes exactly one source that is not the target"));
            }
            ([signal], Some(target)) if signal.family == Family::Layer => {
                let message = format!("the target cannot feed `{layer}`, which the input does not feed");
                let error = Diagnostic::new(target.span.clone(), message);
                let error =
                    error.note("the target enters at the front, beside the input, and goes the same way from there");
                self.report(error.help(format!("leave `{}` away here", target.name)));
            }
            _ => {}
        }
        feeds.into_iter().map(|feed| feed.index).collect()
    }

    /// What feeds a readout: one layer.
    pub(super) fn readout_sources(&mut self, item: &Item) -> Vec<NodeIndex> {
        let help = "add `from` and the name of a layer";
        let Some(feeds) = self.feeds(item, help) else { return Vec::new() };
        if let Some(other) = feeds.iter().find(|feed| feed.family != Family::Layer) {
            let message = format!("`{}` is no layer, and a readout reads a layer", other.name);
            self.report(Diagnostic::new(other.span.clone(), message).help("name a layer"));
        } else if let [_, second, ..] = feeds.as_slice() {
            let message = format!("readout `{}` has {} sources", item.name.text, feeds.len());
            let error = Diagnostic::new(second.span.clone(), message).label("one too many");
            self.report(error.help("a readout reads exactly one layer"));
        }
        feeds.into_iter().map(|feed| feed.index).collect()
    }

    /// The sources of an item, or nothing if any of them is wrong or unreadable.
    fn feeds(&mut self, item: &Item, help: &str) -> Option<Vec<Feed>> {
        let feeds = self.try_feeds(item, help);
        self.sources_are_known &= feeds.is_some();
        feeds
    }

    fn try_feeds(&mut self, item: &Item, help: &str) -> Option<Vec<Feed>> {
        let ValueKind::Constructor(Constructor { word, sources, is_partial, .. }) = &item.value.kind else {
            return None;
        };
        if *is_partial {
            return None;
        }
        if sources.is_empty() {
            let message = format!("the {} `{}` has no source", item.kind.text, item.name.text);
            let span = item.kind.span.start..word.span.end.max(item.name.span.end);
            self.report(Diagnostic::new(span, message).help(help));
            return None;
        }
        let mut feeds = Vec::new();
        let mut is_good = true;
        for (at, source) in sources.iter().enumerate() {
            if sources[..at].iter().any(|earlier| earlier.text == source.text) {
                let message = format!("`{}` is named twice", source.text);
                self.report(Diagnostic::new(source.span.clone(), message).help("name each source once"));
                continue;
            }
            match self.feed(item, source) {
                Some(feed) => feeds.push(feed),
                None => is_good = false,
            }
        }
        is_good.then_some(feeds)
    }

    fn feed(&mut self, item: &Item, source: &Word) -> Option<Feed> {
        let name = &source.text;
        if *name == item.name.text {
            let error = Diagnostic::new(source.span.clone(), format!("`{name}` cannot feed itself"));
            self.report(error.note(FORWARD_ONLY).help("name something that stands above it"));
            return None;
        }
        let Some(&Declared { name: ref declared, family, index }) = self.names.get(name) else {
            if self.names_are_known {
                self.unknown_source(item, source);
            }
            return None;
        };
        // Its kind is unknown, which has been reported.
        let family = family?;
        if family == Family::Readout {
            let error = Diagnostic::new(source.span.clone(), format!("`{name}` is a readout, which feeds nothing"));
            self.report(error.help("name the layer that it reads"));
            return None;
        }
        let Some(index) = index else {
            let line = self.line(declared);
            let error = Diagnostic::new(source.span.clone(), format!("`{name}` stands below, in line {line}"));
            let user = &item.name.text;
            self.report(if family == Family::Layer {
                let help = format!("name a source above; or, if `{user}` does not lead to `{name}`, move `{name}` up");
                error.note(FORWARD_ONLY).help(help)
            } else {
                error.help(format!("move `{name}` above `{user}`"))
            });
            return None;
        };
        Some(Feed { index, family, span: source.span.clone(), name: name.clone() })
    }

    fn unknown_source(&mut self, item: &Item, source: &Word) {
        // What stands above, in the order of the text; a readout feeds nothing.
        let possible: Vec<String> = (self.network.graph.node_weights())
            .filter(|node| !matches!(node, Node::Readout(_)) && node.name() != item.name.text)
            .map(|node| node.name().to_string())
            .collect();
        let error = Diagnostic::new(source.span.clone(), format!("nothing is called `{}`", source.text));
        let error = if possible.is_empty() {
            error.note("nothing above it can be a source")
        } else {
            error.note(format!("sources above it: `{}`", possible.join("`, `")))
        };
        self.report(match nearest(&source.text, possible.iter().map(String::as_str)) {
            Some(guess) => error.help(format!("did you mean `{guess}`?")),
            None => error,
        });
    }

    /// Reports what is missing, what is there too often and what leads nowhere.
    pub(super) fn check_whole(&mut self, network: &Word) {
        const EXAMPLES: [(Family, &str, &str); 3] = [
            (Family::Input, "input", "input pixels = rate(8, 8)"),
            (Family::Target, "target", "target digit = classes(10)"),
            (Family::Readout, "readout", "readout answer = nearest_target from LAYER"),
        ];
        for (family, noun, example) in EXAMPLES {
            let found: Vec<_> = self.of(family).collect();
            if found.is_empty() {
                self.missing(network, noun, example);
            }
            for &extra in found.iter().skip(1) {
                let first = &self.network.graph[found[0]];
                let line = self.line(&first.span());
                let note = format!("`{}`, in line {line}, is the first", first.name());
                let error = Diagnostic::new(self.network.graph[extra].span(), format!("a second {noun}")).note(note);
                self.report(error.help(format!("a network has exactly one {noun}")));
            }
        }
        if self.of(Family::Layer).next().is_none() {
            self.missing(network, "layer", "layer hidden = dense(64) from pixels, digit");
        } else if self.sources_are_known {
            self.check_uses();
        }
    }

    fn missing(&mut self, network: &Word, noun: &str, example: &str) {
        if self.kinds_are_known {
            let message = format!("network `{}` has no {noun}", network.text);
            self.report(Diagnostic::new(network.span.clone(), message).help(format!("add `{example}`")));
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
        let has_readout = self.of(Family::Readout).next().is_some();
        for index in self.network.layers().filter(|index| has_readout && !leads_to_readout[index.index()]) {
            let layer = self.network.layer(index);
            let error =
                Diagnostic::new(layer.span.clone(), format!("layer `{}` does not lead to the readout", layer.name));
            errors.push(error.help("name it as a source of what comes after it, or remove it"));
        }
        // A second target is an error already.
        for index in self.of(Family::Target).take(1).filter(|&index| graph.neighbors(index).next().is_none()) {
            let node = &graph[index];
            let error = Diagnostic::new(node.span(), format!("the target `{}` feeds no layer", node.name()));
            let error = error.note("layers learn from the target, which enters at the front, beside the input");
            errors.push(error.help(format!("name it as a source of the first layer: `from INPUT, {}`", node.name())));
        }
        self.errors.extend(errors);
    }

    fn of(&self, family: Family) -> impl Iterator<Item = NodeIndex> + '_ {
        self.network.graph.node_indices().filter(move |&index| match self.network.graph[index] {
            Node::Input(_) => family == Family::Input,
            Node::Target(_) => family == Family::Target,
            Node::Layer(_) | Node::Pool(_) | Node::Flatten(_) | Node::Add(_) | Node::Delay(_) => {
                family == Family::Layer
            }
            Node::Readout(_) => family == Family::Readout,
        })
    }
}
