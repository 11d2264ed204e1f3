//! Handlers: the programs of readouts, pools and delays; those of layers are composed in [`crate::lowering`].

mod adder;
mod axons;
mod readout;
mod relay;
mod target_tree;
mod trained;

use crate::layout::Layout;
use onward_isa::Program;
use onward_isa::builder::HeldRegister;
use petgraph::graph::NodeIndex;

pub(crate) use adder::adder;
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
