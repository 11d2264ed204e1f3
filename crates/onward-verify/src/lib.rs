//! Proofs on images: that a chip which runs one learns forward only, and cannot be stopped by it.
//!
//! [`verify`] reads an image alone, and knows nothing of the compiler that made it. It shows, or names what breaks it
//! ([`Rule`]): every route is an edge of the declared network, and no path leads from a later layer to an earlier one; the
//! routes cannot deadlock; every weight changes by what lies on its own core; every address that a handler can form lies in
//! its memory; every loop ends. It also says how long handlers, steps and windows take at most.
//!
//! Programs are decoded once and followed on all ways with ranges in place of numbers (abstract interpretation, P. and R.
//! Cousot, POPL 1977); steps fall into classes by the window they lie in. What the host must keep to for that is a
//! [`Contract`].
//!
//! ```
//! # let text = include_str!("../../../programs/chips/small.toml");
//! # let image = onward_image::Image {
//! #     chip: onward_chip::Chip::parse("small", text).unwrap(),
//! #     network: onward_image::NetworkSummary {
//! #         name: String::new(), source: Default::default(), seed: 0, data: None, window_steps: 1, augment: vec![], epochs: 1,
//! #         populations: vec![].into(), edges: vec![],
//! #     },
//! #     programs: vec![].into(), blocks: vec![].into(), trees: vec![].into(), host_inputs: vec![], host_port: 0,
//! #     learned: Default::default(), proof: None,
//! # };
//! use onward_verify::{Contract, verify};
//! let verdict = verify(&image, &Contract::of_network());
//! assert!(verdict.holds());
//! ```

mod block;
mod bounds;
mod breach;
mod channels;
mod class;
mod contract;
mod cycles;
mod flows;
mod interpret;
mod memory;
mod network;
mod range;
mod reuse;
mod sources;
mod state;
mod structure;
mod surroundings;
mod value;
mod verdict;

pub use bounds::Bounds;
pub use breach::{Breach, Rule};
pub use contract::Contract;
pub use verdict::{Handler, Learned, VERSION, Verdict, verify};
