//! The `.sp` language and the network graph.
//!
//! In goes a text that describes a network; out comes a [`Network`], a graph of input, target, layers and readout in
//! which all is checked that can be checked without a chip, or all that is wrong with the text, each error with its
//! place and its remedy. The compiler takes it from there.
//!
//! ```
//! use onward_diagnostic::Source;
//! use onward_net::Network;
//!
//! let source = Source::new("digits.sp", r#"
//!     network digits {
//!         input  pixels = rate(8, 8)
//!         target digit  = classes(10)
//!         learning = hinge { rate = 7 }
//!         layer hidden1 = dense(128) from pixels, digit { block = 64 }
//!         layer hidden2 = dense(128) from hidden1       { block = 64 }
//!         readout answer = nearest_target from hidden2
//!     }
//! "#);
//! let network = Network::parse(&source).map_err(|errors| source.render(&errors)).unwrap();
//! assert_eq!(network.input().shape, [8, 8]);
//! let layers: Vec<_> = network.layers().collect();
//! assert_eq!(network.layer(layers[1]).blocks(), 2);
//! assert!(network.is_fed_by_target(layers[0]) && !network.is_fed_by_target(layers[1]));
//! assert_eq!(network.lag(layers[1]), 2);
//! ```
//!
//! # The language
//!
//! ```text
//! # A comment goes to the end of its line.
//! network NAME {
//!     include "PATH"
//!     parameter NAME = value
//!     setting = value
//!     kind NAME = constructor(arguments) from SOURCE, SOURCE { option = value, option = value }
//! }
//! ```
//!
//! An entry ends with its line; options may also be separated by commas. A value is an integer, a decimal, a string, a
//! list in parentheses, a parameter, a calculation with these, or a constructor, which has arguments and options of its
//! own if it takes any. Sources stand above what they feed. [`reference()`] lists every word with its ranges and
//! defaults; `programs/*.sp` and `programs/examples/*.sp` are examples.
//!
//! # The way through
//!
//! Files that a text includes are put behind it ([`with_includes`]), and values for its parameters behind these
//! ([`with_settings`]). Text becomes tokens (`lexer`), a syntax tree (`parser`, `syntax`), one without parameters and
//! arithmetic (`parameters`), and a network (`check`), which is written as canonical text (`text`) or drawn (`dot`).
//! [`Network::load`] reads the arrays that are in files. Each stage goes on after errors, so that all of them are
//! reported at once.
//!
//! A word of the language is declared once, in the file of the type it names a value of: a row with its arguments,
//! options, ranges and meaning (`vocabulary`), how it is read and how it is written (`named`). So a loss is a row of
//! `rule/loss.rs`, a kind of neurons one of `neuron.rs`; checks, messages, canonical text and the reference follow from
//! it.
//!
//! A network also comes from a file of another tool ([`nir`]). [`Network::store`] takes its arrays out, for a text
//! beside which they lie in an `.npz` file ([`npz`]).

mod arrays;
mod augment;
mod check;
mod dot;
mod include;
mod input;
mod layer;
mod lexer;
mod load;
mod named;
mod network;
mod neuron;
pub mod nir;
mod parameters;
mod parser;
mod reader;
mod readout;
mod rule;
mod settings;
mod store;
mod syntax;
mod target;
mod text;
mod values;
mod vocabulary;
mod weights;
mod words;

// What these files declare is the network graph; whatever one of them adds is part of it.
pub use {augment::*, input::*, network::*, neuron::*, readout::*, rule::*, target::*, values::*, weights::*};

pub use include::{with_includes, with_settings};
pub use load::read_npz;
pub use parameters::parameters_of;
pub use petgraph::graph::NodeIndex;
pub use store::{Member, npz};
pub use words::reference;

use onward_diagnostic::{Diagnostic, Source};

impl Network {
    /// The network that `source` describes, or everything that is wrong with it, in the order of the text.
    ///
    /// # Errors
    /// At least one diagnostic, its span in `source`.
    pub fn parse(source: &Source) -> Result<Network, Vec<Diagnostic>> {
        let (file, mut errors) = parser::parse(source);
        let network = file.map(|mut file| {
            errors.extend(parameters::resolve(&mut file, source));
            let (network, more) = check::check(&file, source);
            errors.extend(more);
            network
        });
        match network {
            Some(network) if errors.is_empty() => Ok(network),
            _ => {
                errors.sort_by_key(|error| error.span.start);
                // A parameter's value is checked wherever its name stands.
                errors.dedup();
                Err(errors)
            }
        }
    }
}
