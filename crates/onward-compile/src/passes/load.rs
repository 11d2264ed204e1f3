//! `load`: arrays from the files that the text names.

use crate::pass::{Compilation, Pass, Product};
use onward_diagnostic::Diagnostic;
use std::path::Path;

pub(super) const PASS: Pass = Pass {
    name: "load",
    description: "read the arrays that are in files and check their shapes",
    needs: &[Product::Network],
    makes: Product::Arrays,
    run,
    verify: None,
    amounts,
    emit,
    drawing: Some(|compilation| compilation.network().to_dot()),
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    let folder = Path::new(&compilation.source.name).parent().unwrap_or(Path::new("")).to_owned();
    match &mut compilation.network {
        Some(network) => network.load(&folder),
        None => Ok(()),
    }
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    // Arrays are shared: the copy is one of their names.
    let arrays = compilation.network().clone().store("");
    let numbers = arrays.iter().map(|(_, array)| array.values.len() as u64).sum();
    vec![(arrays.len() as u64, "array"), (numbers, "number")]
}

fn emit(compilation: &Compilation) -> String {
    compilation.network().to_string()
}
