//! The syntax tree to the network: what the words mean, and whether the network they describe can be.
//!
//! This file lowers entries one by one, with [`layers`], [`planes`], [`neurons`] and [`learning`]; [`values`] reads what stands behind an
//! `=`, [`connections`] what stands behind a `from`; [`whole`] looks at the network when all of it is there.

mod connections;
mod layers;
mod learning;
mod lists;
mod neurons;
mod planes;
mod readouts;
mod values;
mod whole;

use crate::network::{Array, Encoding, Input, Network, Neuron, Node, Target, TargetKind, Weights};
use crate::parameters::place;
use crate::readout::Readout;
use crate::rule::Learning;
use crate::syntax::{Damage, File, Item, Span, Value, Word};
use crate::vocabulary::{Family, ITEMS};
use onward_diagnostic::{Diagnostic, Source};
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use values::{Given, with_guess};

/// Values of a sample at most, so that their number of bytes fits anywhere.
const INPUT_SIZE_MAX: u64 = 1 << 24;

/// The network that `file` describes and everything wrong with it. If anything is, the network is good for nothing.
pub(crate) fn check(file: &File, source: &Source) -> (Network, Vec<Diagnostic>) {
    let network =
        Network { name: file.name.text.clone(), data: None, epochs: 1, window_steps: 1, graph: DiGraph::new() };
    let mut checker = Checker {
        source,
        network,
        names: HashMap::new(),
        parameters: file.parameters.iter().map(|parameter| parameter.name.text.clone()).collect(),
        unknown: HashSet::new(),
        lists: Vec::new(),
        window: None,
        has_target: file.items().any(|item| item.kind.text == "target"),
        names_are_known: file.damage < Damage::Entries,
        sources_are_known: file.damage < Damage::Entries,
        settings_are_known: file.damage < Damage::Entries,
        kinds_are_known: file.damage < Damage::Entries,
        errors: Vec::new(),
    };
    if file.damage < Damage::Structure {
        checker.file(file);
    }
    (checker.network, checker.errors)
}

struct Checker<'a> {
    source: &'a Source,
    network: Network,
    /// What each name stands for.
    names: HashMap<String, Declared>,
    /// What parameters are called, for those who mistype one.
    parameters: Vec<String>,
    /// Nodes whose kind or shape is not known after an error.
    unknown: HashSet<NodeIndex>,
    /// The lists that became arrays, with their places.
    lists: Vec<(Arc<Array>, Span)>,
    /// Where the window's length is given.
    window: Option<Span>,
    /// Whether the text declares a target.
    has_target: bool,
    /// Whether all names that the text declares are in `names`, so that another one is an error.
    names_are_known: bool,
    /// Whether all edges of the network have been understood, so that a missing one is an error.
    sources_are_known: bool,
    /// Whether all settings of the network have been understood, so that a missing one is an error.
    settings_are_known: bool,
    /// Whether the kinds of all items have been understood, so that a missing one is an error.
    kinds_are_known: bool,
    errors: Vec<Diagnostic>,
}

/// An item of the network.
struct Declared {
    name: Span,
    /// Nothing if the kind is unknown.
    family: Option<Family>,
    /// Nothing until its place in the text is reached.
    index: Option<NodeIndex>,
}

/// The network's settings that hold for layers.
struct LayerDefaults {
    neuron: Neuron,
    weights: Weights,
    /// Nothing if the network leaves it to the layers.
    learning: Option<Learning>,
}

impl Checker<'_> {
    fn file(&mut self, file: &File) {
        let settings = self.settings(file);
        self.network.data = self.text(&settings, "data");
        self.network.epochs = self.integer(&settings, "epochs");
        self.network.window_steps = self.integer(&settings, "window");
        self.window = settings.option("window").map(|value| value.span.clone());
        let neurons = self.open_option(&settings, "neurons");
        let weights = self.open_option(&settings, "weights");
        let learning = self.open_if_given(&settings, "learning");
        let mut defaults = LayerDefaults {
            neuron: self.neuron(&neurons),
            weights: self.weights(&weights),
            learning: learning.map(|learning| self.learning(&learning)),
        };

        for parameter in &file.parameters {
            let declared = Declared { name: parameter.name.span.clone(), family: Some(Family::Parameter), index: None };
            self.names.insert(parameter.name.text.clone(), declared);
        }
        // Names first, so that one used too early is told from one that does not exist.
        for item in file.items() {
            self.declare(item);
        }
        for item in file.items() {
            self.item(item, &mut defaults);
        }
        self.check_whole(&file.name);
    }

    fn declare(&mut self, item: &Item) {
        let family = ITEMS.iter().find(|&&(kind, _)| kind == item.kind.text).map(|&(_, family)| family);
        if family.is_none() {
            self.kinds_are_known = false;
            self.unknown_kind(&item.kind, &item.name);
        }
        if let Some(first) = self.names.get(&item.name.text) {
            let place = place(self.source, &first.name, &item.name.span);
            let message = format!("the name `{}` is taken", item.name.text);
            let error = Diagnostic::new(item.name.span.clone(), message);
            self.report(error.note(format!("it is first used in {place}")).help("choose another name"));
        } else {
            let declared = Declared { name: item.name.span.clone(), family, index: None };
            self.names.insert(item.name.text.clone(), declared);
        }
    }

    fn unknown_kind(&mut self, kind: &Word, name: &Word) {
        let span = kind.span.clone();
        let is_setting =
            Family::Network.members().any(|form| form.options.iter().any(|option| option.name == kind.text));
        if is_setting {
            self.settings_are_known = false;
            let message = format!("the setting `{}` takes no name", kind.text);
            let error = Diagnostic::new(name.span.clone(), message);
            return self.report(error.help(format!("write `{} = ...`", kind.text)));
        }
        let kinds = || ITEMS.iter().map(|&(kind, _)| kind);
        let list = kinds().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
        let error = Diagnostic::new(span, format!("unknown kind of item `{}`", kind.text));
        self.report(with_guess(error.note(format!("kinds of items are: {list}")), &kind.text, kinds()));
    }

    fn item(&mut self, item: &Item, defaults: &mut LayerDefaults) {
        let Some(declared) = self.names.get(&item.name.text) else { return };
        // The second item of a name is checked like any other, but the name stays with the first.
        let is_first = declared.name == item.name.span;
        let Some(&(_, family)) = ITEMS.iter().find(|&&(kind, _)| kind == item.kind.text) else { return };
        let name = item.name.text.clone();
        // Short enough to be shown, long enough to be understood: the options may go over many lines.
        let span = item.kind.span.start..item.name.span.end;
        let given = self.open(family, &format!("the {} `{name}`", item.kind.text), &item.value);
        let (node, sources, is_known) = match family {
            Family::Input => self.input(name, span, &given, &item.value),
            Family::Target => {
                let size = self.integer_arguments(&given).map_or(2, |arguments| arguments[0]);
                let kind = if given.form.name == "vector" { TargetKind::Vector } else { TargetKind::Classes };
                (Node::Target(Target { name, kind, size, span }), Vec::new(), true)
            }
            Family::Layer => self.layer_item(name, span, &given, item, defaults),
            _ => {
                let kind = self.readout_kind(&given);
                (Node::Readout(Readout { name, kind, span }), self.readout_sources(item, kind), given.is_known)
            }
        };
        let index = self.network.add(node, &sources);
        if !is_known {
            self.unknown.insert(index);
        }
        if let (true, Some(declared)) = (is_first, self.names.get_mut(&item.name.text)) {
            declared.index = Some(index);
        }
    }

    fn input(&mut self, name: String, span: Span, given: &Given, value: &Value) -> (Node, Vec<NodeIndex>, bool) {
        let arguments = self.integer_arguments(given);
        let shape = arguments.clone().unwrap_or_else(|| vec![1]);
        // The value may have options on further lines.
        let end = value.span.end.min(self.line_end(value.span.start));
        let size = shape.iter().map(|&size| u64::from(size)).product::<u64>();
        if size > INPUT_SIZE_MAX {
            let message = format!("the input has {size} values, {INPUT_SIZE_MAX} is the most");
            self.report(Diagnostic::new(value.span.start..end, message).help("make a dimension smaller"));
        }
        let is_known = arguments.is_some() && size <= INPUT_SIZE_MAX;
        let encoding = match given.form.name {
            "rate" => Encoding::Rate,
            "poisson" => Encoding::Poisson,
            "latency" => Encoding::Latency,
            "current" => Encoding::Current,
            "delta" => Encoding::Delta(self.decimal(given, "change")),
            "sequence" => Encoding::Sequence(self.decimal(given, "change")),
            "events" => Encoding::Events,
            other => unreachable!("encoding `{other}` is in the vocabulary only"),
        };
        if matches!(encoding, Encoding::Delta(_)) && is_known && shape[0] % 2 == 1 {
            let message = format!("the first size of `delta` is even, not {}", shape[0]);
            let error = Diagnostic::new(value.span.start..end, message);
            let error = error.note("its first half is for values that rise, the second for values that fall");
            self.report(error.help(format!("for {} values write {}", shape[0], 2 * shape[0])));
        }
        if matches!(encoding, Encoding::Sequence(_)) && is_known && !shape[0].is_multiple_of(3) {
            let message = format!("the first size of `sequence` is a multiple of three, not {}", shape[0]);
            let error = Diagnostic::new(value.span.start..end, message);
            let error = error.note("its thirds are for the values, for those that rise, and for those that fall");
            self.report(error.help(format!("for {} values write {}", shape[0], 3 * shape[0])));
        }
        (Node::Input(Input { name, shape, encoding, span }), Vec::new(), is_known)
    }

    fn report(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// Offset of the end of the line that `offset` is in.
    fn line_end(&self, offset: usize) -> usize {
        self.source.text[offset..].find('\n').map_or(self.source.text.len(), |length| offset + length)
    }
}
