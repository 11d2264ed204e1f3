//! `fit`: how layers are cut into blocks where the text does not say it.

use crate::pass::{Compilation, Pass, Product};
use crate::plan::{Cut, Cuts};
use onward_diagnostic::Diagnostic;
use onward_net::{Network, Node, PoolKind};
use std::fmt::Write;

pub(super) struct Fit;

/// As the network has them, whatever the chip.
fn cuts_of(network: &Network) -> Cuts {
    let mut cuts = Cuts::default();
    for node in network.graph.node_indices() {
        let cut = match &network.graph[node] {
            Node::Layer(layer) => Cut { block: layer.block, rows: layer.block_rows },
            Node::Pool(pool) if pool.kind == PoolKind::Maximum => Cut { block: pool.block, rows: None },
            _ => continue,
        };
        cuts.blocks.insert(node, cut);
    }
    cuts
}

impl Pass for Fit {
    fn name(&self) -> &'static str {
        "fit"
    }

    fn description(&self) -> &'static str {
        "choose the blocks that layers are cut into, where the text does not"
    }

    fn products(&self) -> (&'static [Product], Product) {
        (&[Product::Layers], Product::Cuts)
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        compilation.cuts = cuts_of(compilation.network());
        Ok(())
    }

    fn amounts(&self, compilation: &Compilation) -> Vec<(u64, &'static str)> {
        vec![(compilation.cuts.blocks.len() as u64, "cut")]
    }

    fn emit(&self, compilation: &Compilation) -> String {
        let network = compilation.network();
        let mut text = String::new();
        for (&node, cut) in &compilation.cuts.blocks {
            write!(text, "{}: blocks of {}", network.graph[node].name(), cut.block).expect("writing to memory");
            let rows = cut.rows.map_or(String::new(), |rows| format!(", {rows} rows"));
            text += &(rows + "\n");
        }
        text
    }
}
