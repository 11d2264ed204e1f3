//! Edges: what a layer and a readout may be fed by.

use super::{Checker, Declared};
use crate::network::Node;
use crate::parameters::place;
use crate::readout::{ReadoutKind, ReadoutLoss};
use crate::syntax::{Constructor, Item, Span, ValueKind, Word};
use crate::target::TargetKind;
use crate::vocabulary::ItemKind;
use onward_diagnostic::{Diagnostic, nearest};
use petgraph::graph::NodeIndex;

/// Reason why an edge cannot lead from a later layer to an earlier one.
const FORWARD_ONLY: &str = "the network is forward only: no path leads from a later layer to an earlier one; only a `recurrent` layer hears itself";

/// A source that exists and stands before the item that it feeds.
struct Feed {
    index: NodeIndex,
    kind: ItemKind,
    span: Span,
    name: String,
}

impl Checker<'_> {
    /// The sources of a layer: the input or another layer, and at the front the target.
    pub(super) fn layer_sources(&mut self, item: &Item) -> Vec<NodeIndex> {
        let Some(feeds) = self.feeds(item, "add `from` and the name of the input or of a layer above") else {
            return Vec::new();
        };
        let layer = &item.name.text;
        let signals: Vec<_> = feeds.iter().filter(|feed| feed.kind != ItemKind::Target).collect();
        let target = feeds.iter().find(|feed| feed.kind == ItemKind::Target);
        match (signals.as_slice(), target) {
            ([], Some(target)) => {
                let error = Diagnostic::new(target.span.clone(), format!("layer `{layer}` is fed by the target alone"));
                self.report(error.help(format!("name the input too: `from INPUT, {}`", target.name)));
            }
            ([_, second, ..], _) => {
                let message = format!("layer `{layer}` has {} sources besides the target", signals.len());
                let error = Diagnostic::new(second.span.clone(), message).label("one too many");
                let help = "a layer with weights takes exactly one source that is not the target; `concat` brings several together side by side, `add` place by place";
                self.report(error.help(help));
            }
            ([signal], Some(target)) if self.comes_late(signal) => {
                let message = format!("the target cannot feed `{layer}`, which the input does not feed");
                let error = Diagnostic::new(target.span.clone(), message);
                let error =
                    error.note("the target enters at the front, beside the input, and goes the same way from there");
                self.report(error.help(format!(
                    "leave `{}` away here, or let the target reach the layer directly: `target = direct` in its `learning`",
                    target.name
                )));
            }
            _ => {}
        }
        feeds.into_iter().map(|feed| feed.index).collect()
    }

    /// Whether what a source sends left the input in a step before: it went through neurons, a maximum or a delay.
    fn comes_late(&self, feed: &Feed) -> bool {
        feed.kind == ItemKind::Layer && (self.unknown.contains(&feed.index) || self.network.lag(feed.index) > 0)
    }

    /// The sources of a pool, a flattening or a delay: one source that is not the target.
    pub(super) fn single_source(&mut self, item: &Item) -> Vec<NodeIndex> {
        let Some(feeds) = self.feeds(item, "add `from` and the name of the input or of a layer above") else {
            return Vec::new();
        };
        if !self.is_fed_by_target(item, &feeds)
            && let [_, second, ..] = feeds.as_slice()
        {
            let message = format!("layer `{}` has {} sources", item.name.text, feeds.len());
            let error = Diagnostic::new(second.span.clone(), message).label("one too many");
            self.report(error.help("name one; `add` brings several together"));
        }
        feeds.into_iter().map(|feed| feed.index).collect()
    }

    /// The sources of an addition: two sources or more of one shape.
    pub(super) fn addends(&mut self, item: &Item) -> Vec<NodeIndex> {
        let Some(feeds) = self.feeds(item, "add `from` and the names of what is to be added") else {
            return Vec::new();
        };
        if self.is_fed_by_target(item, &feeds) {
            return Vec::new();
        }
        self.is_alone(item, &feeds);
        let known: Vec<&Feed> = feeds.iter().filter(|feed| !self.unknown.contains(&feed.index)).collect();
        let shape_of = |feed: &Feed| self.network.graph[feed.index].shape().to_vec();
        let other = known.iter().find(|feed| shape_of(feed) != shape_of(known[0]));
        if let Some(other) = other {
            let (first, shape) = (known[0], sizes_in_words(&shape_of(known[0])));
            let message = format!(
                "`{}` has the shape {}, `{}` has {shape}",
                other.name,
                sizes_in_words(&shape_of(other)),
                first.name
            );
            let error = Diagnostic::new(other.span.clone(), message);
            self.report(error.note("spikes are added place by place").help("make the shapes the same"));
        }
        feeds.into_iter().map(|feed| feed.index).collect()
    }

    /// The sources of a concatenation: two sources or more of any shape.
    pub(super) fn brought_together(&mut self, item: &Item) -> Vec<NodeIndex> {
        let Some(feeds) = self.feeds(item, "add `from` and the names of what is to stand side by side") else {
            return Vec::new();
        };
        if self.is_fed_by_target(item, &feeds) {
            return Vec::new();
        }
        self.is_alone(item, &feeds);
        feeds.into_iter().map(|feed| feed.index).collect()
    }

    /// Reports that what brings several sources together has one.
    fn is_alone(&mut self, item: &Item, feeds: &[Feed]) {
        if let [only] = feeds {
            let error =
                Diagnostic::new(only.span.clone(), format!("`{}` adds nothing to `{}`", item.name.text, only.name));
            self.report(error.help("name a second source, separated by a comma"));
        }
    }

    /// Reports the target among the sources of what has no weights for it.
    fn is_fed_by_target(&mut self, item: &Item, feeds: &[Feed]) -> bool {
        let Some(target) = feeds.iter().find(|feed| feed.kind == ItemKind::Target) else { return false };
        let message = format!("the target cannot feed `{}`, which has no weights for it", item.name.text);
        let error = Diagnostic::new(target.span.clone(), message);
        let error = error.note("the target enters at the front, beside the input, and goes the same way from there");
        self.report(error.help(format!("leave `{}` away here", target.name)));
        true
    }

    /// The sources of an item of a kind that is not known.
    pub(super) fn any_sources(&mut self, item: &Item) -> Vec<NodeIndex> {
        let feeds = self.feeds(item, "add `from` and the name of the input or of a layer above");
        feeds.unwrap_or_default().into_iter().map(|feed| feed.index).collect()
    }

    /// The sources of a readout: one layer, where scores are added several; one that is trained may hear a target of values too.
    pub(super) fn readout_sources(&mut self, item: &Item, kind: ReadoutKind) -> Vec<NodeIndex> {
        let help = "add `from` and the name of a layer";
        let Some(mut feeds) = self.feeds(item, help) else { return Vec::new() };
        let target = feeds.iter().position(|feed| feed.kind == ItemKind::Target).map(|position| feeds.remove(position));
        let values = target.and_then(|target| self.readout_target(&target, kind));
        let has_no_neurons = |feed: &&Feed| {
            !matches!(self.network.graph[feed.index], Node::Layer(_)) && !self.unknown.contains(&feed.index)
        };
        if let Some(other) = feeds.iter().find(|feed| feed.kind != ItemKind::Layer) {
            let message = format!("`{}` is no layer, and a readout reads a layer", other.name);
            self.report(Diagnostic::new(other.span.clone(), message).help("name a layer"));
        } else if let Some(other) = feeds.iter().find(has_no_neurons) {
            let message = format!("`{}` has no neurons, and a readout reads neurons", other.name);
            let error = Diagnostic::new(other.span.clone(), message);
            self.report(error.help("name a layer that has: `dense`, `conv`, `sparse` or `recurrent`"));
        } else if let [_, second, ..] = feeds.as_slice()
            && kind != ReadoutKind::NearestTarget
        {
            let message = format!("readout `{}` has {} sources", item.name.text, feeds.len());
            let error = Diagnostic::new(second.span.clone(), message).label("one too many");
            self.report(
                error.help("`nearest_target` adds the scores of several layers, other readouts read exactly one"),
            );
        } else if feeds.is_empty() {
            let error = Diagnostic::new(item.name.span.clone(), format!("readout `{}` reads no layer", item.name.text));
            self.report(error.help("name a layer before the target: `from LAYER, TARGET`"));
        }
        feeds.into_iter().map(|feed| feed.index).chain(values).collect()
    }

    /// The target that a readout is trained with, if it may be.
    fn readout_target(&mut self, target: &Feed, kind: ReadoutKind) -> Option<NodeIndex> {
        let is_vector =
            matches!(&self.network.graph[target.index], Node::Target(target) if target.kind == TargetKind::Vector);
        let message = match kind {
            ReadoutKind::Trained(readout) if is_vector && readout.loss == ReadoutLoss::SquaredError => {
                return Some(target.index);
            }
            ReadoutKind::Trained(_) if is_vector => {
                "values are learned by the squared error: give the readout the option `loss = squared_error`"
            }
            ReadoutKind::Trained(_) => "the class of a sample comes with its tag",
            _ => "this readout hears a layer alone",
        };
        let error = Diagnostic::new(target.span.clone(), format!("`{}` cannot feed the readout", target.name));
        self.report(
            error.note(message).help(format!("leave `{}` away here, or train with `vector` values", target.name)),
        );
        None
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
        for (position, source) in sources.iter().enumerate() {
            let may_repeat = word.text == "concat";
            if !may_repeat && sources[..position].iter().any(|earlier| earlier.text == source.text) {
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
        let Some(&Declared { name: ref declared, kind, index }) = self.names.get(name) else {
            if self.names_are_known {
                self.unknown_source(item, source);
            }
            return None;
        };
        // Its kind is unknown, which has been reported.
        let kind = kind?;
        if kind == ItemKind::Parameter {
            let error = Diagnostic::new(source.span.clone(), format!("`{name}` is a parameter, which feeds nothing"));
            self.report(error.help("name the input or a layer"));
            return None;
        }
        if kind == ItemKind::Readout {
            let error = Diagnostic::new(source.span.clone(), format!("`{name}` is a readout, which feeds nothing"));
            self.report(error.help("name the layer that it reads"));
            return None;
        }
        let Some(index) = index else {
            let line = place(self.reader.source, declared, &source.span);
            let error = Diagnostic::new(source.span.clone(), format!("`{name}` stands below, in {line}"));
            let user = &item.name.text;
            self.report(if kind == ItemKind::Layer {
                let help = format!("name a source above; or, if `{user}` does not lead to `{name}`, move `{name}` up");
                error.note(FORWARD_ONLY).help(help)
            } else {
                error.help(format!("move `{name}` above `{user}`"))
            });
            return None;
        };
        Some(Feed { index, kind, span: source.span.clone(), name: name.clone() })
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
}

/// `16 x 8 x 8`.
pub(super) fn sizes_in_words(shape: &[u32]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ")
}
