//! The syntax tree to the network: what the words mean, and whether the network they describe can be.
//!
//! This file lowers entries one by one; [`values`] reads what stands behind an `=`, [`connections`] what stands behind
//! a `from`.

mod connections;
mod values;

use crate::network::{
    Encoding, Gate, Hinge, Initial, Input, Layer, LayerKind, Learning, Network, Neuron, Node, Readout, ReadoutKind,
    Reset, Target, Values, Weights,
};
use crate::syntax::{Damage, File, Item, Span, Value, Word};
use crate::vocabulary::{Family, ITEMS};
use onward_diagnostic::{Diagnostic, Source};
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::HashMap;
use values::{Given, with_guess};

/// Neurons of a block, if the layer has as many and the text does not say.
const BLOCK_DEFAULT: u32 = 128;

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
        let neurons = self.open_option(&settings, "neurons");
        let weights = self.open_option(&settings, "weights");
        let learning = self.open_if_given(&settings, "learning");
        let mut defaults = LayerDefaults {
            neuron: self.neuron(&neurons),
            weights: self.weights(&weights),
            learning: learning.map(|learning| self.learning(&learning)),
        };

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
            let line = self.line(&first.name);
            let message = format!("the name `{}` is taken", item.name.text);
            let error = Diagnostic::new(item.name.span.clone(), message);
            self.report(error.note(format!("it is first used in line {line}")).help("choose another name"));
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
        let (node, sources) = match family {
            Family::Input => (self.input(name, span, &given, &item.value), Vec::new()),
            Family::Target => {
                let classes = self.integer_arguments(&given).map_or(2, |arguments| arguments[0]);
                (Node::Target(Target { name, classes, span }), Vec::new())
            }
            Family::Layer => {
                let layer = self.layer(name, span, &given, defaults);
                (Node::Layer(layer), self.layer_sources(item))
            }
            _ => {
                let readout = Readout { name, kind: ReadoutKind::NearestTarget, span };
                (Node::Readout(readout), self.readout_sources(item))
            }
        };
        let index = self.network.add(node, &sources);
        if let (true, Some(declared)) = (is_first, self.names.get_mut(&item.name.text)) {
            declared.index = Some(index);
        }
    }

    fn input(&mut self, name: String, span: Span, given: &Given, value: &Value) -> Node {
        let shape = self.integer_arguments(given).unwrap_or_else(|| vec![1]);
        let size = shape.iter().map(|&size| u64::from(size)).product::<u64>();
        if size > INPUT_SIZE_MAX {
            let message = format!("the input has {size} values, {INPUT_SIZE_MAX} is the most");
            // The value may have options on further lines.
            let end = value.span.end.min(self.line_end(value.span.start));
            self.report(Diagnostic::new(value.span.start..end, message).help("make a dimension smaller"));
        }
        Node::Input(Input { name, shape, encoding: Encoding::Rate, span })
    }

    fn layer(&mut self, name: String, span: Span, given: &Given, defaults: &mut LayerDefaults) -> Layer {
        let neurons = self.integer_arguments(given).map(|arguments| arguments[0]);
        let block = self.block(given, neurons);
        let neurons = neurons.unwrap_or(block);
        let neuron = self
            .open_if_given(given, "neurons")
            .map_or_else(|| defaults.neuron.clone(), |neurons| self.neuron(&neurons));
        let weights = self
            .open_if_given(given, "weights")
            .map_or_else(|| defaults.weights.clone(), |weights| self.weights(&weights));
        let learning = match self.open_if_given(given, "learning") {
            Some(learning) => self.learning(&learning),
            // Reported once: the other layers get the same remedy.
            None => *defaults.learning.get_or_insert_with(|| {
                if self.settings_are_known {
                    let error = Diagnostic::new(span.clone(), format!("nothing says how layer `{name}` learns"));
                    let error = error.note("`learning` is a setting of the network; an option of a layer overrides it");
                    let help = "add `learning = hinge` to the network, or `learning = none` for fixed weights";
                    self.report(error.help(help));
                }
                Learning::None
            }),
        };
        Layer {
            name,
            kind: LayerKind::Dense,
            shape: vec![neurons],
            recurrent: None,
            block,
            block_rows: None,
            neuron,
            weights,
            learning,
            span,
        }
    }

    fn block(&mut self, given: &Given, neurons: Option<u32>) -> u32 {
        let block = self.integer_if_given(given, "block");
        if let (Some(block), Some(neurons), Some(value)) = (block, neurons, given.option("block"))
            && block > neurons
        {
            let message = format!("`block` must be from 1 to the layer's {neurons} neurons, not `{block}`");
            let note = "block: neurons of the layer that live on one core and share a loss";
            self.report(Diagnostic::new(value.span.clone(), message).note(note));
        }
        block.or(neurons.map(|neurons| neurons.min(BLOCK_DEFAULT))).unwrap_or(1)
    }

    fn neuron(&mut self, given: &Given) -> Neuron {
        let Given { form, .. } = self.open_option(given, "reset");
        let reset = match form.name {
            "subtract" => Reset::Subtract,
            other => unreachable!("reset `{other}` is in the vocabulary only"),
        };
        Neuron { threshold: Values::Constant(self.decimal(given, "threshold")), reset, ..Neuron::default() }
    }

    fn weights(&mut self, given: &Given) -> Weights {
        Weights { bits: self.integer(given, "bits"), initial: Initial::Drawn { gain: self.decimal(given, "gain") } }
    }

    fn learning(&mut self, given: &Given) -> Learning {
        match given.form.name {
            "none" => Learning::None,
            "hinge" => Learning::Hinge(self.hinge(given)),
            other => unreachable!("learning rule `{other}` is in the vocabulary only"),
        }
    }

    fn hinge(&mut self, given: &Given) -> Hinge {
        let Given { form, .. } = self.open_option(given, "gate");
        let gate = match form.name {
            "surrogate" => Gate::Surrogate,
            "none" => Gate::None,
            other => unreachable!("gate `{other}` is in the vocabulary only"),
        };
        Hinge {
            rate: self.integer(given, "rate"),
            margin: self.decimal(given, "margin"),
            anneal: self.integer(given, "anneal"),
            gate,
        }
    }

    fn report(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// Number of the line where `span` starts.
    fn line(&self, span: &Span) -> usize {
        self.source.position(span.start).0
    }

    /// Offset of the end of the line that `offset` is in.
    fn line_end(&self, offset: usize) -> usize {
        self.source.text[offset..].find('\n').map_or(self.source.text.len(), |length| offset + length)
    }
}
