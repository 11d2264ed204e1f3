//! `load`: arrays from the files that the text names.

use crate::pass::{Compilation, Pass, Product};
use onward_diagnostic::Diagnostic;
use std::path::Path;

pub(super) struct Load;

impl Pass for Load {
    fn name(&self) -> &'static str {
        "load"
    }

    fn description(&self) -> &'static str {
        "read the arrays that are in files and check their shapes"
    }

    fn products(&self) -> (&'static [Product], Product) {
        (&[Product::Network], Product::Arrays)
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        let folder = Path::new(&compilation.source.name).parent().unwrap_or(Path::new("")).to_owned();
        match &mut compilation.network {
            Some(network) => network.load(&folder),
            None => Ok(()),
        }
    }

    fn amounts(&self, compilation: &Compilation) -> Vec<(u64, &'static str)> {
        // Arrays are shared: the copy is one of their names.
        let arrays = compilation.network().clone().store("");
        let numbers = arrays.iter().map(|(_, array)| array.values.len() as u64).sum();
        vec![(arrays.len() as u64, "array"), (numbers, "number")]
    }

    fn emit(&self, compilation: &Compilation) -> String {
        compilation.network().to_string()
    }

    fn drawing(&self) -> Option<fn(&Compilation) -> String> {
        Some(|compilation| compilation.network().to_dot())
    }
}
