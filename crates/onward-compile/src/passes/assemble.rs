//! `assemble`: assembly to words.

use crate::pass::{Compilation, Pass};
use onward_diagnostic::{Diagnostic, Source};
use onward_isa::assemble;
use std::fmt::Write;

pub(super) struct Assemble;

impl Pass for Assemble {
    fn name(&self) -> &'static str {
        "assemble"
    }

    fn description(&self) -> &'static str {
        "assemble the handlers"
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        for at in 0..compilation.handlers.len() {
            let handlers = &compilation.handlers[at];
            let source = Source::new(format!("handlers of `{}`", handlers.name), handlers.text.clone());
            let node = &compilation.network().graph[handlers.node];
            // What a layer's numbers can break: addresses beyond what an instruction can hold.
            let program = assemble(&source).map_err(|errors| {
                let error =
                    Diagnostic::new(node.span(), format!("`{}` is too large for the instruction set", node.name()))
                        .note(format!("the handlers made for it do not assemble:\n{}", source.render(&errors)))
                        .help("smaller blocks, fewer classes or fewer inputs");
                vec![error]
            })?;
            compilation.handlers[at].program = program;
        }
        Ok(())
    }

    fn amounts(&self, compilation: &Compilation) -> Vec<(u64, &'static str)> {
        vec![(compilation.handlers.iter().map(|handlers| handlers.program.words.len() as u64).sum(), "word")]
    }

    fn emit(&self, compilation: &Compilation) -> String {
        let mut text = String::new();
        for handlers in &compilation.handlers {
            writeln!(text, "{}: {} words", handlers.name, handlers.program.words.len()).expect("writing to memory");
            for (address, word) in handlers.program.words.iter().enumerate() {
                writeln!(text, "  {address:4}  {word:08x}").expect("writing to memory");
            }
        }
        text
    }
}
