//! Layers: with neurons, or only a way that spikes take.

use super::connections::sizes_in_words;
use super::{Checker, LayerDefaults};
use crate::arrays;
use crate::layer::{
    BLOCK, CONNECTIONS, LAYER_LEARNING, LAYER_NEURONS, LAYER_WEIGHTS, LayerWord, OWN_WEIGHTS, RECURRENT_WEIGHTS, ROWS,
    WINDOW_SHIFT,
};
use crate::named::Named;
use crate::network::{Delay, Layer, LayerKind, Node, Plain, Sparse, WindowShift};
use crate::reader::Given;
use crate::rule::Learning;
use crate::syntax::{Item, Span};
use crate::values::Values;
use crate::vocabulary::Parameter;
use crate::weights::{Initial, Weights};
use onward_diagnostic::Diagnostic;
use petgraph::graph::NodeIndex;
use std::sync::Arc;

/// Neurons of a layer, at most.
const NEURONS_MAX: u64 = 1 << 20;

/// Connection of a layer, and what follows from it.
pub(super) struct Connected {
    pub kind: LayerKind,
    /// Shape of the layer; nothing if it cannot be known after an error.
    pub shape: Option<Vec<u32>>,
    pub block: u32,
    pub block_rows: Option<u32>,
    /// Weights of a neuron of a convolution.
    pub fan_in: u32,
}

impl Checker<'_> {
    /// The node of a `layer`, its sources and whether its shape is known.
    pub(super) fn layer_item(
        &mut self,
        name: String,
        span: Span,
        given: &Given,
        item: &Item,
        defaults: &mut LayerDefaults,
    ) -> (Node, Vec<NodeIndex>, bool) {
        let word = LayerWord::read(&mut self.reader, given);
        let sources = match word {
            _ if !given.is_known => self.any_sources(item),
            LayerWord::Dense | LayerWord::Recurrent | LayerWord::Convolution | LayerWord::Sparse => {
                self.layer_sources(item)
            }
            LayerWord::Add => self.addends(item),
            LayerWord::Concat => self.brought_together(item),
            LayerWord::Pool(_) | LayerWord::Flatten | LayerWord::Delay => self.single_source(item),
        };
        let signal = if given.is_known { self.signal_shape(&sources) } else { None };
        let plain = |shape: Option<Vec<u32>>| {
            let is_known = shape.is_some();
            (Plain { name: name.clone(), shape: shape.unwrap_or_else(|| vec![1]), span: span.clone() }, is_known)
        };
        let (node, is_known) = match word {
            LayerWord::Pool(kind) => self.pool(kind, name, span, given, signal.as_deref()),
            LayerWord::Flatten => {
                let (plain, is_known) = plain(signal.map(|shape| vec![shape.iter().product()]));
                (Node::Flatten(plain), is_known)
            }
            LayerWord::Add => {
                let (plain, is_known) = plain(signal);
                (Node::Add(plain), is_known)
            }
            LayerWord::Concat => {
                let (plain, is_known) = plain(self.shapes(&sources).map(|shapes| side_by_side(&shapes)));
                (Node::Concat(plain), is_known)
            }
            LayerWord::Delay => {
                let steps = self.reader.integer_arguments(given).map_or(1, |arguments| arguments[0]);
                let (Plain { name, shape, span }, is_known) = plain(signal);
                let window = WindowShift::chosen(&mut self.reader, given, &WINDOW_SHIFT);
                (Node::Delay(Delay { name, shape, steps, window, span }), is_known)
            }
            LayerWord::Dense | LayerWord::Recurrent | LayerWord::Convolution | LayerWord::Sparse => {
                let joined = sources.iter().find(|&&source| matches!(self.network.graph[source], Node::Concat(_)));
                let joined = joined.and_then(|&concat| self.shapes(&self.network.sources(concat)));
                let (layer, is_known) =
                    self.layer(name, span, word, given, (signal.as_deref(), joined.as_deref()), defaults);
                (Node::Layer(layer), is_known && given.is_known)
            }
        };
        (node, sources, is_known)
    }

    /// The shape of the source that is no target, if it is known.
    fn signal_shape(&self, sources: &[NodeIndex]) -> Option<Vec<u32>> {
        let graph = &self.network.graph;
        let source = sources.iter().find(|&&source| !matches!(graph[source], Node::Target(_)))?;
        (!self.unknown.contains(source)).then(|| graph[*source].shape().to_vec())
    }

    /// The shapes of nodes, if all are known.
    fn shapes(&self, nodes: &[NodeIndex]) -> Option<Vec<Vec<u32>>> {
        let shape =
            |node: &NodeIndex| (!self.unknown.contains(node)).then(|| self.network.graph[*node].shape().to_vec());
        (!nodes.is_empty()).then(|| nodes.iter().map(shape).collect()).flatten()
    }

    fn layer(
        &mut self,
        name: String,
        span: Span,
        word: LayerWord,
        given: &Given,
        (signal, joined): (Option<&[u32]>, Option<&[Vec<u32>]>),
        defaults: &mut LayerDefaults,
    ) -> (Layer, bool) {
        let connected = match word {
            LayerWord::Convolution => self.convolution(given, signal, joined, &span),
            LayerWord::Sparse => {
                let kind = LayerKind::Sparse(Sparse { connections: self.connections(given) });
                self.neuron_by_neuron(kind, given, &span)
            }
            _ => self.neuron_by_neuron(LayerKind::Dense, given, &span),
        };
        let is_known = connected.shape.is_some();
        let recurrent = match word {
            LayerWord::Recurrent => Some(Weights::chosen(&mut self.reader, given, &OWN_WEIGHTS)),
            LayerWord::Convolution | LayerWord::Sparse => self.own(given, &RECURRENT_WEIGHTS),
            _ => None,
        };
        let neuron = self.own(given, &LAYER_NEURONS).unwrap_or_else(|| defaults.neuron.clone());
        let weights = self.own(given, &LAYER_WEIGHTS).unwrap_or_else(|| defaults.weights.clone());
        let learning = self.layer_learning(&name, &span, given, defaults);
        let fan_in = connected.fan_in;
        let mut layer = Layer {
            name,
            shape: connected.shape.unwrap_or_else(|| vec![1]),
            kind: connected.kind,
            recurrent,
            block: connected.block,
            block_rows: connected.block_rows,
            cut_said: given.option(&BLOCK).is_some() || given.option(&ROWS).is_some(),
            in_parts: false,
            stream: None,
            neuron,
            weights,
            learning,
            span,
        };
        self.check_sparse_weights(&layer);
        if let (true, Some(signal)) = (is_known, signal) {
            self.settle_lists(&mut layer, signal, fan_in);
        }
        if let (true, LayerKind::Convolution(of)) = (layer.learning != Learning::None, &layer.kind)
            && !of.joined.is_empty()
        {
            let error =
                Diagnostic::new(layer.span.clone(), "a convolution with kernels over several sources does not learn");
            let error = error.note("what changes a kernel must see all that came in by it, and only by it");
            self.report(error.help("add `learning = none`; or one kernel over a `concat` of planes of one size"));
        }
        if let (true, Some(value)) = (layer.learning != Learning::None, given.option(&ROWS))
            && layer.block_rows.is_some_and(|rows| is_known && rows < layer.shape[1])
        {
            let error = Diagnostic::new(value.span.clone(), "a convolution that learns has all rows on one core");
            let error = error.note("its kernels are shared by all rows, and what changes them must see them all");
            self.report(error.help("leave `rows` away, and make `block` smaller if it does not fit"));
        }
        (layer, is_known)
    }

    /// Dense, recurrent and sparse layers.
    fn neuron_by_neuron(&mut self, kind: LayerKind, given: &Given, span: &Span) -> Connected {
        let shape = self.reader.integer_arguments(given).map(|sizes| match sizes[..] {
            [height, width] => vec![1, height, width],
            _ => sizes,
        });
        let shape = shape.filter(|shape| self.is_not_too_large(shape, span));
        let neurons = shape.as_ref().map(|shape| shape.iter().product());
        let block = self.block(given, neurons);
        Connected { kind, shape, block, block_rows: None, fan_in: 0 }
    }

    fn connections(&mut self, given: &Given) -> Values {
        match given.option(&CONNECTIONS) {
            Some(_) => self.reader.numbers(given, &CONNECTIONS),
            // An error already.
            None => Values::Constant(0.0),
        }
    }

    pub(super) fn is_not_too_large(&mut self, shape: &[u32], span: &Span) -> bool {
        let neurons = shape.iter().map(|&size| u64::from(size)).product::<u64>();
        if neurons > NEURONS_MAX {
            let message = format!("the layer has {neurons} neurons, {NEURONS_MAX} is the most");
            let error = Diagnostic::new(span.clone(), message).note(format!("its shape is {}", sizes_in_words(shape)));
            self.report(error.help("make it smaller, or several layers of it"));
        }
        neurons <= NEURONS_MAX
    }

    fn block(&mut self, given: &Given, neurons: Option<u32>) -> u32 {
        let block = self.reader.integer_if_given(given, &BLOCK);
        if let (Some(block), Some(neurons), Some(value)) = (block, neurons, given.option(&BLOCK))
            && block > neurons
        {
            let message = format!("`block` must be from 1 to the layer's {neurons} neurons, not `{block}`");
            let note = "block: neurons of the layer that live on one core and share a loss";
            self.report(Diagnostic::new(value.span.clone(), message).note(note));
        }
        block.or(neurons.map(|neurons| LayerKind::Dense.default_block(&[neurons]))).unwrap_or(1)
    }

    /// The option of a layer itself, of what the network says for all layers.
    fn own<T: Named>(&mut self, given: &Given, option: &Parameter) -> Option<T> {
        given.option(option).map(|_| T::chosen(&mut self.reader, given, option))
    }

    fn layer_learning(&mut self, name: &str, span: &Span, given: &Given, defaults: &mut LayerDefaults) -> Learning {
        if let Some(learning) = self.reader.open_if_given(given, &LAYER_LEARNING) {
            return Learning::read(&mut self.reader, &learning);
        }
        // Reported once: the other layers get the same remedy.
        let learning = defaults.learning.get_or_insert_with(|| {
            if self.settings_are_known && self.has_target {
                let error = Diagnostic::new(span.clone(), format!("nothing says how layer `{name}` learns"));
                let error = error.note("`learning` is a setting of the network; an option of a layer overrides it");
                let help = "add `learning = hinge` to the network, or `learning = none` for fixed weights";
                self.reader.report(error.help(help));
            }
            Learning::None
        });
        learning.clone()
    }

    /// Weights of a sparse layer are part of its table.
    fn check_sparse_weights(&mut self, layer: &Layer) {
        if let (LayerKind::Sparse(_), Initial::Given(_)) = (&layer.kind, &layer.weights.initial) {
            let message = format!("the weights of `{}` are given twice", layer.name);
            let error = Diagnostic::new(layer.span.clone(), message);
            let error = error.note("the rows of `connections` hold the weights of a sparse layer");
            self.report(error.help("write its `weights` without `values`"));
        }
    }

    /// Brings lists into the shape that the layer expects.
    fn settle_lists(&mut self, layer: &mut Layer, signal: &[u32], fan_in: u32) {
        let mut errors = Vec::new();
        let name = layer.name.clone();
        for slot in arrays::slots(layer, signal, fan_in) {
            let Values::Array(array) = &*slot.place.values else { continue };
            // A list of the network's is checked for each layer, whose names tell the messages apart.
            let place =
                self.reader.lists.iter().find(|(list, _)| Arc::ptr_eq(list, array)).map(|(_, span)| span.clone());
            match slot.settle(array) {
                Ok(settled) => *slot.place.values = Values::Array(Arc::new(settled)),
                Err(misfit) => {
                    let error = Diagnostic::new(place.unwrap_or_default(), misfit.message);
                    errors.push(error.note(format!("it is for the layer `{name}`")).help(misfit.help));
                }
            }
        }
        self.reader.errors.extend(errors);
    }
}

/// The shape of sources side by side: channels of all where they are planes of one height and width, else one dimension.
pub(crate) fn side_by_side(shapes: &[Vec<u32>]) -> Vec<u32> {
    let planes: Option<Vec<[u32; 3]>> = shapes.iter().map(|shape| shape[..].try_into().ok()).collect();
    match planes.as_deref() {
        Some([first, rest @ ..]) if rest.iter().all(|plane| plane[1..] == first[1..]) => {
            vec![first[0] + rest.iter().map(|plane| plane[0]).sum::<u32>(), first[1], first[2]]
        }
        _ => vec![shapes.iter().flat_map(|shape| shape.iter().copied().reduce(u32::saturating_mul)).sum()],
    }
}
