//! `assemble`: assembly to words.

use crate::handlers::Handlers;
use crate::pass::{Compilation, Pass, Product};
use crate::plan::Channel;
use onward_diagnostic::{Diagnostic, Source};
use onward_image::{ProgramIndex, indices};
use onward_isa::assemble;
use onward_isa::lint::{Given, check};
use onward_net::Network;
use std::fmt::Write;

/// What the handlers do that no program should: mistakes of the compiler.
fn mistakes(network: &Network, handlers: &Handlers) -> Vec<String> {
    let routes = Channel::of(&network.graph[handlers.node]).count() as u32;
    let given = Given { entries: &[0], held: &handlers.held, routes: Some(routes), ..Given::default() };
    let problems = check(&handlers.program, &given).into_iter().filter(|problem| !problem.is_warning());
    problems.map(|problem| format!("`{}`: {problem}", handlers.name)).collect()
}

pub(super) const PASS: Pass = Pass {
    name: "assemble",
    description: "assemble the handlers",
    needs: &[Product::Programs],
    makes: Product::Words,
    run,
    verify: Some(verify),
    amounts,
    emit,
    drawing: None,
};

fn run(compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
    for at in indices(ProgramIndex::default()..compilation.handlers.next_key()) {
        let handlers = &compilation.handlers[at];
        let source = Source::new(format!("handlers of `{}`", handlers.name), handlers.text.clone());
        let node = &compilation.network().graph[handlers.node];
        // What a layer's numbers can break: addresses beyond what an instruction can hold.
        let program = assemble(&source).map_err(|errors| {
            let error = Diagnostic::new(node.span(), format!("`{}` is too large for the instruction set", node.name()))
                .note(format!("the handlers made for it do not assemble:\n{}", source.render(&errors)))
                .help("smaller blocks, fewer classes or fewer inputs");
            vec![error]
        })?;
        compilation.handlers[at].program = program;
    }
    Ok(())
}

/// Programs do nothing that no program should.
fn verify(compilation: &Compilation) -> Result<(), String> {
    let mistakes: Vec<String> =
        compilation.handlers.iter().flat_map(|handlers| mistakes(compilation.network(), handlers)).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes.join("\n")) }
}

fn amounts(compilation: &Compilation) -> Vec<(u64, &'static str)> {
    vec![(compilation.handlers.iter().map(|handlers| handlers.program.words.len() as u64).sum(), "word")]
}

fn emit(compilation: &Compilation) -> String {
    let mut text = String::new();
    for handlers in &compilation.handlers {
        writeln!(text, "{}: {} words", handlers.name, handlers.program.words.len()).expect("writing to memory");
        for (address, word) in handlers.program.words.iter().enumerate() {
            writeln!(text, "  {address:4}  {word:08x}").expect("writing to memory");
        }
    }
    text
}
