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

pub(super) struct Assemble;

/// What the handlers do that no program should: mistakes of the compiler.
fn mistakes(network: &Network, handlers: &Handlers) -> Vec<String> {
    let routes = Channel::of(&network.graph[handlers.node]).count() as u32;
    let given = Given { entries: &[0], held: &handlers.held, routes: Some(routes), ..Given::default() };
    let problems = check(&handlers.program, &given).into_iter().filter(|problem| !problem.is_warning());
    problems.map(|problem| format!("`{}`: {problem}", handlers.name)).collect()
}

impl Pass for Assemble {
    fn name(&self) -> &'static str {
        "assemble"
    }

    fn description(&self) -> &'static str {
        "assemble the handlers"
    }

    fn products(&self) -> (&'static [Product], Product) {
        (&[Product::Programs], Product::Words)
    }

    fn run(&self, compilation: &mut Compilation) -> Result<(), Vec<Diagnostic>> {
        for at in indices(ProgramIndex::default()..compilation.handlers.next_key()) {
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

    /// Programs do nothing that no program should.
    fn verify(&self, compilation: &Compilation) -> Result<(), String> {
        let mistakes: Vec<String> =
            compilation.handlers.iter().flat_map(|handlers| mistakes(compilation.network(), handlers)).collect();
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes.join("\n")) }
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

#[cfg(test)]
mod tests {
    use crate::{Options, compile_with};
    use onward_chip::Chip;
    use onward_diagnostic::Source;
    use std::path::{Path, PathBuf};

    fn networks(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "sp")).collect();
        paths.sort();
        paths
    }

    /// What debug builds ask after each pass, of all networks there are; the lint of programs is among it.
    #[test]
    fn passes_hold_what_they_promise_on_all_networks() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = ["../../programs", "../../programs/examples", "../../programs/learning", "tests/emits"];
        let (mut checked, mut found) = (0, Vec::new());
        for path in folders.iter().flat_map(|folder| networks(&root.join(folder))) {
            let source = Source::new(path.display().to_string(), std::fs::read_to_string(&path).expect("a text"));
            let source = onward_net::with_includes(source, &mut |path| std::fs::read_to_string(path))
                .unwrap_or_else(|(source, errors)| panic!("{}", source.render(&errors)));
            // Whether they fit is another question.
            for chip in ["small", "large"] {
                let options = Options::new(Chip::builtin(chip).expect("a built-in chip"), 1);
                drop(compile_with(&source, &options, |pass, compilation| {
                    let file = path.file_name().unwrap_or_default().to_string_lossy();
                    let mistakes = pass.verify(compilation).err();
                    found.extend(mistakes.map(|mistake| format!("{file}, {}: {mistake}", pass.name())));
                    checked += usize::from(pass.name() == "assemble");
                }));
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
        assert!(checked > 40, "{checked}");
    }
}
