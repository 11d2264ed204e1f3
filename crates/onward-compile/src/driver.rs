//! The driver: runs the passes, one after the other.

use crate::pass::{Compilation, Options, Pass};
use crate::passes::PASSES;
use onward_diagnostic::{Diagnostic, Source};
use onward_image::Image;

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
    mut after: impl FnMut(&dyn Pass, &Compilation),
) -> Result<Image, Vec<Diagnostic>> {
    let mut compilation = Compilation::new(source, options);
    for pass in PASSES {
        pass.run(&mut compilation)?;
        after(*pass, &compilation);
    }
    Ok(compilation.image.expect("the last pass makes the image"))
}
