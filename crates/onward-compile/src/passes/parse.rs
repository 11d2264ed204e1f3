//! `parse`: text to graph, all shapes checked.

use crate::pass::{Compilation, Pass, Product};
use onward_diagnostic::Diagnostic;
use onward_net::Network;

pub(super) const PASS: Pass = Pass {
    name: "parse",
    description: "read the text into a graph and check its shapes",
    needs: &[],
    makes: Product::Network,
    run,
    verify: None,
    amounts,
    emit,
    drawing: Some(|compilation| compilation.network().to_dot()),
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    compilation.network = Some(Network::parse(&compilation.source)?);
    Ok(())
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    let graph = &compilation.network().graph;
    vec![(graph.node_count() as u64, "node"), (graph.edge_count() as u64, "edge")]
}

fn emit(compilation: &Compilation) -> String {
    compilation.network().to_string()
}
