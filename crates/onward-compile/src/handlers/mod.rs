//! Handlers: the programs of layers and readouts, written as assembly that people can read.

mod axons;
mod convolution;
mod events;
mod layer;
mod learning;
mod neurons;
mod readout;
mod relay;
mod target_tree;
mod text;
mod trained;

use crate::layout::Layout;
use crate::lowering::{Integers, LoweredLayer};
use onward_isa::Program;
use onward_isa::builder::HeldRegister;
use petgraph::graph::NodeIndex;

pub(crate) use convolution::{MOST_ROWS, convolution};
pub(crate) use layer::layer;
pub(crate) use learning::steps;
pub(crate) use neurons::{BlockShape, arrays, neurons};
pub(crate) use readout::{most_spikes, neurons_of_axons, readout};
pub(crate) use relay::{delay, maximum};
pub(crate) use target_tree::{TreeShape, product_parts, target_tree};
pub(crate) use trained::{TrainedShape, trained};

/// A program and what it assumes of its block; blocks of the same layer and size share it.
#[derive(Clone, Debug)]
pub(crate) struct Handlers {
    /// What it is called.
    pub name: String,
    /// Layer or readout it is for.
    pub node: NodeIndex,
    /// What lies where.
    pub layout: Layout,
    /// The assembly.
    pub text: String,
    /// Which registers it holds while which words; for the lint.
    pub held: Vec<HeldRegister>,
    /// The words, once assembled.
    pub program: Program,
}

/// What the handlers of a layer are made for.
#[derive(Clone, Debug)]
pub(crate) struct LayerShape<'a> {
    /// The layer's name.
    pub name: &'a str,
    /// Neurons of the block.
    pub neurons: u32,
    /// Axons of the input's path.
    pub inputs: u32,
    /// Classes of the target.
    pub classes: u32,
    /// Steps of a window.
    pub window: u32,
    /// Whether the target has its own projection into the layer.
    pub fed_by_target: bool,
    /// Whether class scores go to a readout.
    pub scores: bool,
    /// Elements of a vector register.
    pub vector_length: u32,
    /// Axons of the layer's own spikes.
    pub own: u32,
    /// The layer's constants.
    pub layer: &'a LoweredLayer,
}

impl LayerShape<'_> {
    /// The one threshold of all neurons.
    fn threshold(&self) -> i32 {
        match self.layer.parameters.neuron.threshold {
            Integers::Same(threshold) => threshold,
            Integers::Each(_) => unreachable!("layers of this kind have one threshold"),
        }
    }

    /// How many fraction bits less a weight of the target's projection has than others.
    fn target_coarser(&self) -> u32 {
        self.layer.record.as_ref().map_or(0, |record| record.target_coarser)
    }
}
