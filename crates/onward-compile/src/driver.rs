//! The driver: runs the passes, one after the other.

use crate::pass::{Compilation, Options, Pass, Product};
use crate::passes::PASSES;
use crate::probes::Probes;
use onward_diagnostic::{Diagnostic, Source};
use onward_image::Image;
use onward_net::Network;

/// Compiles a text to an image.
///
/// # Errors
/// All that is wrong with the text, or with it on this chip.
pub fn compile(source: &Source, options: &Options) -> Result<Image, Vec<Diagnostic>> {
    compile_with(source, options, |_, _| {})
}

/// Compiles a text to an image; `after` sees the compilation after each pass.
///
/// # Errors
/// All that is wrong with the text, or with it on this chip.
pub fn compile_with(
    source: &Source,
    options: &Options,
    mut after: impl FnMut(&Pass, &Compilation),
) -> Result<Image, Vec<Diagnostic>> {
    let made = run(Compilation::new(source, options), PASSES, &mut Probes::default(), &mut after);
    made.map_err(|failed| failed.errors)
}

/// Compiles a network that was built by hand; `source` is what its spans point into. `after` sees the compilation after
/// each pass.
///
/// # Errors
/// All that is wrong with the network on this chip.
pub fn compile_network(
    network: Network,
    source: &Source,
    options: &Options,
    mut after: impl FnMut(&Pass, &Compilation),
) -> Result<Image, Vec<Diagnostic>> {
    let made = tried(Some(network), source, options, &mut Probes::default(), &mut after);
    made.map_err(|failed| failed.errors)
}

/// Runs the passes up to `fixed-point` on a network that has been read, or else on the text: its layers in integers, whatever fits.
///
/// # Errors
/// All that is wrong with the network.
pub fn lowered(network: Option<Network>, source: &Source, options: &Options) -> Result<Compilation, Vec<Diagnostic>> {
    let mut compilation = Compilation::new(source, options);
    compilation.network = network;
    let is_read = compilation.network.is_some();
    let passes = PASSES.iter().filter(|pass| !(is_read && pass.name == "parse"));
    for pass in passes {
        (pass.run)(&mut compilation)?;
        if pass.makes == Product::Layers {
            break;
        }
    }
    Ok(compilation)
}

/// What a pass found wrong.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The pass.
    pub pass: &'static str,
    /// All that is wrong.
    pub errors: Vec<Diagnostic>,
}

/// Compiles a network that has been read, or else the text; `known` is what was found out of it on other chips, to
/// which comes what is found out here.
pub(crate) fn tried(
    network: Option<Network>,
    source: &Source,
    options: &Options,
    known: &mut Probes,
    after: &mut dyn FnMut(&Pass, &Compilation),
) -> Result<Image, Failed> {
    let mut compilation = Compilation::new(source, options);
    compilation.network = network;
    let is_read = compilation.network.is_some();
    let parse = PASSES.iter().position(|pass| pass.name == "parse").filter(|_| is_read).map_or(0, |at| at + 1);
    run(compilation, &PASSES[parse..], known, after)
}

fn run(
    mut compilation: Compilation,
    passes: &[Pass],
    known: &mut Probes,
    after: &mut dyn FnMut(&Pass, &Compilation),
) -> Result<Image, Failed> {
    compilation.probes = std::mem::take(known);
    let mut made: Vec<Product> = compilation.network.iter().map(|_| Product::Network).collect();
    for pass in passes {
        let Pass { name, needs, .. } = pass;
        assert!(needs.iter().all(|product| made.contains(product)), "`{name}` needs {needs:?}: {made:?}");
        if let Err(errors) = (pass.run)(&mut compilation) {
            *known = found_out(compilation, made.contains(&Product::Layers));
            return Err(Failed { pass: name, errors });
        }
        made.push(pass.makes);
        if let Some(verify) = pass.verify.filter(|_| cfg!(debug_assertions))
            && let Err(what) = verify(&compilation)
        {
            panic!("the pass `{name}` broke something: {what}");
        }
        after(pass, &compilation);
    }
    let image = compilation.image.take().expect("the last pass makes the image");
    *known = found_out(compilation, true);
    Ok(image)
}

/// What was found out of the network, its layers in integers among it where these are right.
fn found_out(compilation: Compilation, has_layers: bool) -> Probes {
    let mut probes = compilation.probes;
    if has_layers {
        probes.layers = compilation.layers.into_values().collect();
    }
    probes
}
