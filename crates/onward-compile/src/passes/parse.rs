//! `parse`: text to graph, all shapes checked.

use crate::pass::{Compilation, Pass, Product};
use onward_diagnostic::Diagnostic;
use onward_net::Network;

pub(super) struct Parse;

impl Pass for Parse {
    fn name(&self) -> &'static str {
        "parse"
    }

    fn description(&self) -> &'static str {
        "read the text into a graph and check its shapes"
    }

    fn products(&self) -> (&'static [Product], Product) {
        (&[], Product::Network)
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        compilation.network = Some(Network::parse(&compilation.source)?);
        Ok(())
    }

    fn amounts(&self, compilation: &Compilation) -> Vec<(u64, &'static str)> {
        let graph = &compilation.network().graph;
        vec![(graph.node_count() as u64, "node"), (graph.edge_count() as u64, "edge")]
    }

    fn emit(&self, compilation: &Compilation) -> String {
        compilation.network().to_string()
    }

    fn drawing(&self) -> Option<fn(&Compilation) -> String> {
        Some(|compilation| compilation.network().to_dot())
    }
}
