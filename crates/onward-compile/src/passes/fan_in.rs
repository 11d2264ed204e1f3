//! `fan-in`: finds layers into which more comes than a core has axons for.
//!
//! Such a layer's inputs are taken in by further blocks, each a part of them, which send their sums on; so the layer is a step
//! later. What was chosen is seen by `balance`, which brings paths in step, so it is found before.

use crate::fitting::fan_in;
use crate::pass::{Compilation, Pass, Product};
use onward_diagnostic::Diagnostic;
use onward_net::{Layer, LayerKind, Learning, Node};
use std::fmt::Write;

pub(super) const PASS: Pass = Pass {
    name: "fan-in",
    description: "find layers into which more comes than a core has axons for",
    needs: &[Product::Arrays],
    makes: Product::FanIn,
    run,
    verify: None,
    amounts,
    emit,
    drawing: None,
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let Some(network) = &mut compilation.network else { return Ok(()) };
    let axons = u64::from(compilation.options.chip.memory.axons);
    for node in network.graph.node_indices() {
        let of_node = fan_in(network, node);
        // The axon of the tag comes on top. What learns needs all its inputs on one core: its loss is local.
        if let Node::Layer(Layer {
            kind: LayerKind::Dense | LayerKind::Sparse(_),
            learning: Learning::None,
            in_parts,
            ..
        }) = &mut network.graph[node]
        {
            *in_parts = of_node + 1 > axons;
        }
    }
    Ok(())
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    let network = compilation.network();
    vec![(network.layers().filter(|&node| network.layer(node).in_parts).count() as u64, "layer in parts")]
}

fn emit(compilation: &Compilation) -> String {
    let network = compilation.network();
    let mut text = String::new();
    for node in network.layers() {
        let how = if network.layer(node).in_parts { "added up in parts" } else { "on one core" };
        writeln!(text, "{}: {} axons, {how}", network.layer(node).name, fan_in(network, node))
            .expect("writing to memory");
    }
    text
}
