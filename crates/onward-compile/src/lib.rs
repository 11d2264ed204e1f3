//! The compiler: from a network's text to an image, in passes.
//!
//! Each pass does one thing to the [`Compilation`], has a name and a one-line description, and can print what it made
//! ([`Pass::emit`], and as a graph [`Pass::drawing`]). [`PASSES`] lists them in the order they run. Where blocks lie is found by `onward-place`; systems
//! written by hand in assembly become images without passes, in `onward-assembly`.
//!
//! ```
//! use onward_chip::Chip;
//! use onward_compile::{Options, compile};
//! use onward_diagnostic::Source;
//!
//! let source = Source::new("tiny.sp", "
//!     network tiny {
//!         window = 4
//!         learning = hinge
//!         input  pixels = rate(3, 3)
//!         target class  = classes(2)
//!         layer hidden  = dense(8) from pixels, class { block = 4 }
//!         readout answer = nearest_target from hidden
//!     }
//! ");
//! let options = Options::new(Chip::builtin("small").unwrap(), 1);
//! let image = compile(&source, &options).map_err(|errors| source.render(&errors)).unwrap();
//! assert_eq!(image.blocks.len(), 3); // two of `hidden`, one that reads out
//! ```

mod choice;
mod connect;
mod contents;
mod cutter;
mod demand;
mod drawing;
mod driver;
mod fitting;
mod handlers;
mod layout;
mod lowering;
mod pass;
mod passes;
mod places;
mod plan;
mod probes;
mod purposes;
mod readouts;
mod relink;

pub use choice::{SmallerBlock, first_fitting, with_change, with_smaller_blocks};
pub use driver::{compile, compile_network, compile_with, lowered};
pub use lowering::{LoweredLayer, RuleFormat, Steps};
pub use pass::{Compilation, Options, Pass, Placing, Product, Verification};
pub use passes::PASSES;
pub use relink::{RelinkError, on_cores, relink};
