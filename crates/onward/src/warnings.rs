//! What is likely a mistake in a network, shown on stderr.

use crate::Outcome;
use crate::failure::Failure;
use crate::text::plural;
use anstream::eprint;
use clap::Args;
use onward_compile::{Options, lowered};
use onward_diagnostic::{Diagnostic, Source};
use onward_image::Image;
use onward_net::Network;

/// What becomes of warnings.
#[derive(Args)]
pub struct Warnings {
    /// Make an error of any warning: nothing is written, and the exit code is 2
    #[arg(long, value_name = "warnings", value_parser = ["warnings"])]
    deny: Option<String>,
}

impl Warnings {
    /// Shows warnings of a text.
    ///
    /// # Errors
    /// There are some, and they are denied.
    pub fn show(&self, source: &Source, warnings: &[Diagnostic]) -> Outcome {
        eprint!("{}", source.render_colored(warnings));
        match warnings.len() {
            1.. if self.deny.is_some() => {
                let message = format!("{}: {}, denied", source.name, plural(warnings.len() as u64, "warning"));
                Err(Failure::input(message, "mend the network, or leave out --deny warnings"))
            }
            _ => Ok(()),
        }
    }

    /// Shows what there is to warn of in a network that was read, or else in the text. What is wrong with it is not said.
    ///
    /// # Errors
    /// There are warnings, and they are denied.
    pub fn show_of(&self, network: Option<Network>, source: &Source, options: &Options) -> Outcome {
        let warnings = lowered(network, source, options).map(|compilation| onward_lint::check(&compilation));
        self.show(source, &warnings.unwrap_or_default())
    }

    /// Shows what there is to warn of in the network whose text an image holds; nothing where that does not stand alone.
    ///
    /// # Errors
    /// There are warnings, and they are denied.
    pub fn show_of_image(&self, image: &Image) -> Outcome {
        let (file, text) = &image.network.source;
        let options = Options::new(image.chip.clone(), image.network.seed);
        self.show_of(None, &Source::new(file.clone(), text.clone()), &options)
    }
}
