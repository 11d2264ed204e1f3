//! `fit`: how layers are cut into blocks where the text does not say it.

use crate::fitting::fitted;
use crate::pass::{Compilation, Pass, Product};
use onward_diagnostic::Diagnostic;
use std::fmt::Write;

pub(super) const PASS: Pass = Pass {
    name: "fit",
    description: "choose the blocks that layers are cut into, where the text does not",
    needs: &[Product::Layers],
    makes: Product::Cuts,
    run,
    verify: None,
    amounts,
    emit,
    drawing: None,
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let known = std::mem::take(&mut compilation.probes);
    (compilation.cuts, compilation.probes) = fitted(compilation, known);
    Ok(())
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    vec![(compilation.cuts.blocks.len() as u64, "cut")]
}

fn emit(compilation: &Compilation) -> String {
    let network = compilation.network();
    let mut text = String::new();
    for (&node, cut) in &compilation.cuts.blocks {
        write!(text, "{}: blocks of {}", network.graph[node].name(), cut.block).expect("writing to memory");
        let rows = cut.rows.map_or(String::new(), |rows| format!(", {rows} rows"));
        text += &(rows + "\n");
    }
    text
}
