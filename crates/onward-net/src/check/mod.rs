//! The syntax tree to the network: what the words mean, and whether the network they describe can be.
//!
//! This file lowers entries one by one, with [`layers`] and [`planes`]; [`Reader`] and the words' own files read what
//! stands behind an `=`, [`connections`] what stands behind a `from`; [`whole`] looks at the network when all of it is
//! there.

mod connections;
mod layers;
mod planes;
mod whole;

pub(crate) use layers::side_by_side;

use crate::augment::Augmentation;
use crate::input::{Encoding, Input};
use crate::named::Named;
use crate::network::{Network, Node};
use crate::neuron::Neuron;
use crate::parameters::place;
use crate::reader::{Given, Reader};
use crate::readout::{Readout, ReadoutKind};
use crate::rule::Learning;
use crate::settings;
use crate::syntax::{Constructor, Damage, File, Item, Setting, Span, Value, ValueKind, Word};
use crate::target::{Target, TargetKind};
use crate::vocabulary::ItemKind;
use crate::weights::Weights;
use crate::words::{ITEMS, family, home};
use onward_diagnostic::{Diagnostic, Source};
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{HashMap, HashSet};

/// Values of a sample at most, so that their number of bytes fits anywhere.
const INPUT_SIZE_MAX: u64 = 1 << 24;

/// The network that `file` describes and everything wrong with it. If anything is, the network is good for nothing.
pub(crate) fn check(file: &File, source: &Source) -> (Network, Vec<Diagnostic>) {
    let network = Network {
        name: file.name.text.clone(),
        data: None,
        epochs: 1,
        window_steps: 1,
        augment: Vec::new(),
        graph: DiGraph::new(),
    };
    let mut checker = Checker {
        reader: Reader {
            source,
            parameters: file.parameters.iter().map(|parameter| parameter.name.text.clone()).collect(),
            home,
            lists: Vec::new(),
            errors: Vec::new(),
        },
        network,
        names: HashMap::new(),
        unknown: HashSet::new(),
        window: None,
        augment: None,
        has_target: file.items().any(|item| item.kind.text == "target"),
        names_are_known: file.damage < Damage::Entries,
        sources_are_known: file.damage < Damage::Entries,
        settings_are_known: file.damage < Damage::Entries,
        kinds_are_known: file.damage < Damage::Entries,
    };
    if file.damage < Damage::Structure {
        checker.file(file);
    }
    (checker.network, checker.reader.errors)
}

struct Checker<'a> {
    reader: Reader<'a>,
    network: Network,
    /// The items by their names.
    names: HashMap<String, Declared>,
    /// Nodes whose kind or shape is not known after an error.
    unknown: HashSet<NodeIndex>,
    /// Place of the text that gives the window's length.
    window: Option<Span>,
    /// Place of the text that says what is done to pictures.
    augment: Option<Span>,
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
}

/// An item of the network.
struct Declared {
    name: Span,
    /// Kind of the item; nothing if it is unknown.
    kind: Option<ItemKind>,
    /// Node of the item; nothing until its place in the text is reached.
    index: Option<NodeIndex>,
}

/// The network's settings that hold for layers.
struct LayerDefaults {
    neuron: Neuron,
    weights: Weights,
    /// Learning of all layers; nothing if the network leaves it to them.
    learning: Option<Learning>,
}

impl Checker<'_> {
    fn file(&mut self, file: &File) {
        let given = self.settings(file);
        let reader = &mut self.reader;
        self.network.data = reader.text(&given, &settings::DATA);
        self.network.epochs = reader.integer(&given, &settings::EPOCHS);
        self.network.window_steps = reader.integer(&given, &settings::WINDOW);
        self.window = given.option(&settings::WINDOW).map(|value| value.span.clone());
        self.augment = given.option(&settings::AUGMENT).map(|value| value.span.clone());
        let augment = reader.constructors(&given, &settings::AUGMENT);
        self.network.augment = augment.iter().map(|given| Augmentation::read(reader, given)).collect();
        let learning = reader.open_if_given(&given, &settings::LEARNING);
        let mut defaults = LayerDefaults {
            neuron: Neuron::chosen(reader, &given, &settings::NEURONS),
            weights: Weights::chosen(reader, &given, &settings::WEIGHTS),
            learning: learning.map(|learning| Learning::read(reader, &learning)),
        };

        for parameter in &file.parameters {
            let declared = Declared { name: parameter.name.span.clone(), kind: Some(ItemKind::Parameter), index: None };
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

    /// The settings of the network.
    fn settings<'a>(&mut self, file: &'a File) -> Given<'a> {
        let options: Vec<&Setting> = file.settings().collect();
        for setting in self.reader.check_options(settings::NETWORK, &options) {
            self.unknown_setting(setting);
        }
        Given::of_options(settings::NETWORK, options)
    }

    fn unknown_setting(&mut self, setting: &Setting) {
        let name = setting.name.text.as_str();
        let span = setting.name.span.clone();
        if ITEMS.iter().any(|kind| kind.word() == name) {
            self.kinds_are_known = false;
            let error = Diagnostic::new(span, format!("this {name} has no name"));
            return self.report(error.help(format!("write `{name} NAME = ...`")));
        }
        self.settings_are_known = false;
        let error = Diagnostic::new(span, format!("unknown setting `{name}`"));
        let error = error.note(format!("settings are: {}", settings::NETWORK.option_list()));
        let settings = settings::NETWORK.options().map(|setting| setting.name);
        self.report(match item_kind(&setting.value).map(ItemKind::word) {
            Some(kind) => error.help(format!("write `{kind} {name} = ...` for a {kind} called `{name}`")),
            None => self.reader.with_guess(error, name, settings),
        });
    }

    fn declare(&mut self, item: &Item) {
        let kind = ITEMS.iter().copied().find(|kind| kind.word() == item.kind.text);
        if kind.is_none() {
            self.kinds_are_known = false;
            self.unknown_kind(&item.kind, &item.name);
        }
        if let Some(first) = self.names.get(&item.name.text) {
            let place = place(self.reader.source, &first.name, &item.name.span);
            let message = format!("the name `{}` is taken", item.name.text);
            let error = Diagnostic::new(item.name.span.clone(), message);
            self.report(error.note(format!("it is first used in {place}")).help("choose another name"));
        } else {
            let declared = Declared { name: item.name.span.clone(), kind, index: None };
            self.names.insert(item.name.text.clone(), declared);
        }
    }

    fn unknown_kind(&mut self, kind: &Word, name: &Word) {
        let span = kind.span.clone();
        if settings::NETWORK.options().any(|option| option.name == kind.text) {
            self.settings_are_known = false;
            let message = format!("the setting `{}` takes no name", kind.text);
            let error = Diagnostic::new(name.span.clone(), message);
            return self.report(error.help(format!("write `{} = ...`", kind.text)));
        }
        let kinds = || ITEMS.iter().map(|kind| kind.word());
        let list = kinds().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
        let error = Diagnostic::new(span, format!("unknown kind of item `{}`", kind.text));
        let error = error.note(format!("kinds of items are: {list}"));
        self.report(self.reader.with_guess(error, &kind.text, kinds()));
    }

    fn item(&mut self, item: &Item, defaults: &mut LayerDefaults) {
        let Some(declared) = self.names.get(&item.name.text) else { return };
        // The second item of a name is checked like any other, but the name stays with the first.
        let is_first = declared.name == item.name.span;
        let Some(kind) = ITEMS.iter().copied().find(|kind| kind.word() == item.kind.text) else { return };
        let name = item.name.text.clone();
        // Short enough to be shown, long enough to be understood: the options may go over many lines.
        let span = item.kind.span.start..item.name.span.end;
        let given = self.reader.open(family(kind), &format!("the {} `{name}`", item.kind.text), &item.value);
        let (node, sources, is_known) = match kind {
            // Parameters are gone; what is left of them is no item.
            ItemKind::Parameter => return,
            ItemKind::Input => self.input(name, span, &given, &item.value),
            ItemKind::Target => {
                let size = self.reader.integer_arguments(&given).map_or(2, |arguments| arguments[0]);
                let kind = TargetKind::read(&mut self.reader, &given);
                (Node::Target(Target { name, kind, size, span }), Vec::new(), true)
            }
            ItemKind::Layer => self.layer_item(name, span, &given, item, defaults),
            ItemKind::Readout => {
                let kind = ReadoutKind::read(&mut self.reader, &given);
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
        let arguments = self.reader.integer_arguments(given);
        let shape = arguments.clone().unwrap_or_else(|| vec![1]);
        // The value may have options on further lines.
        let end = value.span.end.min(self.line_end(value.span.start));
        let size = shape.iter().map(|&size| u64::from(size)).product::<u64>();
        if size > INPUT_SIZE_MAX {
            let message = format!("the input has {size} values, {INPUT_SIZE_MAX} is the most");
            self.report(Diagnostic::new(value.span.start..end, message).help("make a dimension smaller"));
        }
        let is_known = arguments.is_some() && size <= INPUT_SIZE_MAX;
        let encoding = Encoding::read(&mut self.reader, given);
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
        self.reader.report(error);
    }

    /// Offset of the end of the line that `offset` is in.
    fn line_end(&self, offset: usize) -> usize {
        let text = &self.reader.source.text;
        text[offset..].find('\n').map_or(text.len(), |length| offset + length)
    }
}

/// The kind of item whose constructor a value is.
fn item_kind(value: &Value) -> Option<ItemKind> {
    let ValueKind::Constructor(Constructor { word, .. }) = &value.kind else { return None };
    ITEMS.iter().copied().find(|&kind| family(kind).find(&word.text).is_some())
}
