//! What a pass is, and what passes hand on.

use crate::connect::{Connection, Source as Sender};
use crate::handlers::Handlers;
use crate::lowering::LoweredLayer;
use crate::plan::{Cuts, PlannedBlock, Routing};
use crate::probes::Probes;
use onward_chip::Chip;
use onward_diagnostic::{Diagnostic, Source};
use onward_image::{BlockIndex, Core, Image, ProgramIndex, Traffic};
use onward_net::Network;
use onward_place::{Objective, Strategy};
use onward_quantize::{Calibrated, ExpectedRate, FloatModel, LayerParameters, expected};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use std::sync::Arc;
use typed_index_collections::TiVec;

/// What a compilation needs beside the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The chip to link for.
    pub chip: Chip,
    /// The seed that weights are drawn with.
    pub seed: u64,
    /// How blocks find their cores.
    pub placing: Placing,
    /// What the network met in samples; without it, formats follow from bounds.
    pub calibration: Option<Calibrated>,
}

/// How blocks find their cores. Nothing here changes an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placing {
    /// By which way.
    pub strategy: Strategy,
    /// What for.
    pub objective: Objective,
    /// What a run of the network sent; without it, it is estimated.
    pub traffic: Option<Traffic>,
}

impl Options {
    /// A chip and a seed, and else what is usual.
    pub fn new(chip: Chip, seed: u64) -> Options {
        Options { chip, seed, placing: Placing::default(), calibration: None }
    }
}

/// A network on its way to an image: each pass fills in what it makes, from what passes before it made.
#[derive(Debug)]
pub struct Compilation {
    pub(crate) source: Source,
    pub(crate) options: Options,
    /// Made by `parse`.
    pub(crate) network: Option<Network>,
    /// Made by `fixed-point`.
    pub(crate) layers: BTreeMap<NodeIndex, LoweredLayer>,
    /// Made by `fit`: how nodes are cut.
    pub(crate) cuts: Cuts,
    /// What `fit` found out on the way.
    pub(crate) probes: Probes,
    /// Made by `partition`: blocks by logical number.
    pub(crate) blocks: TiVec<BlockIndex, PlannedBlock>,
    /// Made by `partition`: who sends to nodes that do not learn.
    pub(crate) sources: BTreeMap<NodeIndex, Arc<Vec<Sender>>>,
    /// Made by `generate`: how the axons of such blocks reach their neurons, by logical number.
    pub(crate) connections: TiVec<BlockIndex, Option<Connection>>,
    /// Made by `generate`, completed by `assemble`: programs, which blocks share.
    pub(crate) handlers: TiVec<ProgramIndex, Handlers>,
    /// Made by `place`: the core of each block.
    pub(crate) cores: TiVec<BlockIndex, Core>,
    /// Made by `route`.
    pub(crate) routing: Routing,
    /// Made by `link`.
    pub(crate) image: Option<Image>,
}

/// What passes hand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// The graph of the text.
    Network,
    /// The graph with all arrays that are in files.
    Arrays,
    /// Which layers are added up in parts.
    FanIn,
    /// The graph with all paths in step.
    Balance,
    /// Layers in integers.
    Layers,
    /// How nodes are cut into blocks.
    Cuts,
    /// Blocks and their axons.
    Blocks,
    /// Programs as text, and what lies where.
    Programs,
    /// Programs as words.
    Words,
    /// The core of each block.
    Cores,
    /// Routes and trees.
    Routes,
    /// The image.
    Image,
}

/// Tells what a pass should not have made, in words.
pub type Verification = fn(&Compilation) -> Result<(), String>;

/// One step of the compiler.
pub struct Pass {
    /// Its name, as `--emit` takes it.
    pub name: &'static str,
    /// What it does, in a line.
    pub description: &'static str,
    /// What passes before it must have made.
    pub needs: &'static [Product],
    /// What it makes.
    pub makes: Product,
    /// Does it; what is wrong is told with its place in the text.
    pub run: fn(&mut Compilation) -> Result<(), Vec<Diagnostic>>,
    /// Looks for what it should not have made, a mistake of the compiler; debug builds ask after each pass.
    pub verify: Option<Verification>,
    /// How much it made: how many of what, in the singular.
    pub amounts: fn(&Compilation) -> Vec<(u64, &'static str)>,
    /// What it made, as text.
    pub emit: fn(&Compilation) -> String,
    /// If what it made is a graph: that, in the language of Graphviz.
    pub drawing: Option<fn(&Compilation) -> String>,
}

impl Compilation {
    /// A network of which nothing is known yet but its text.
    pub(crate) fn new(source: &Source, options: &Options) -> Self {
        Compilation {
            source: source.clone(),
            options: options.clone(),
            network: None,
            layers: BTreeMap::new(),
            cuts: Cuts::default(),
            probes: Probes::default(),
            blocks: TiVec::new(),
            sources: BTreeMap::new(),
            connections: TiVec::new(),
            handlers: TiVec::new(),
            cores: TiVec::new(),
            routing: Routing::default(),
            image: None,
        }
    }

    /// The network, once parsed.
    ///
    /// # Panics
    /// Before the first pass.
    pub(crate) fn network(&self) -> &Network {
        self.network.as_ref().expect("the network is parsed first")
    }

    /// The network, once parsed.
    pub fn read_network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// The layers in integers, by their nodes, once `fixed-point` has run.
    pub fn layers(&self) -> impl Iterator<Item = (NodeIndex, &LoweredLayer)> {
        self.layers.iter().map(|(&node, layer)| (node, layer))
    }

    /// A layer in integers, by its name.
    pub fn layer(&self, name: &str) -> Option<&LoweredLayer> {
        let network = self.network.as_ref()?;
        self.layers.iter().find(|(node, _)| network.graph[**node].name() == name).map(|(_, layer)| layer)
    }

    /// The integers of a layer, by its name.
    pub fn parameters(&self, layer: &str) -> Option<&LayerParameters> {
        self.layer(layer).map(|layer| &layer.parameters)
    }

    /// The integers of all layers, by name.
    pub fn all_parameters(&self) -> BTreeMap<String, LayerParameters> {
        let named = |(&node, layer): (&NodeIndex, &LoweredLayer)| {
            (self.network().layer(node).name.clone(), layer.parameters.clone())
        };
        self.layers.iter().map(named).collect()
    }

    /// The network in real numbers, once `fixed-point` has run.
    ///
    /// # Errors
    /// Arrays that do not fit the network.
    pub fn float_model(&self) -> Result<FloatModel, Diagnostic> {
        FloatModel::exact(self.network(), self.options.seed)
    }

    /// The same with what `fixed-point` has rounded, but no other effect of integers; `None` for a network that is shown
    /// targets.
    pub fn rounded_model(&self) -> Option<FloatModel> {
        let shown_targets = self.layers.values().any(|layer| layer.record.is_some());
        let parameters = self.layers.iter().map(|(&node, layer)| (node, &layer.parameters));
        let model = || FloatModel::rounded(self.network(), self.options.seed, parameters);
        (!self.layers.is_empty() && !shown_targets).then(model)
    }

    /// What rounding is expected to do to the rates of each layer, found with random spikes; nothing for a network that is shown
    /// targets. This takes a second or so.
    ///
    /// # Errors
    /// Arrays that do not fit the network.
    pub fn expected_rates(&self) -> Result<Vec<ExpectedRate>, Diagnostic> {
        let Some(integers) = self.rounded_model() else { return Ok(Vec::new()) };
        Ok(expected(&self.float_model()?, &integers, self.network().window_steps))
    }

    /// The image, once linked.
    pub fn image(&self) -> Option<&Image> {
        self.image.as_ref()
    }
}
