//! The reference engine: written to be obviously right, not to be fast.
//!
//! It follows `isa/microarchitecture.md` rule by rule: one instruction at a time, one element at a time, exact
//! arithmetic in 128 bits that is clamped afterwards, the whole chip step by step, each packet put by itself into the
//! active set of its taker. It shares no code with the fast engine, only what both are given (images, decoded
//! instructions) and what both give (counters, faults), and the [`mesh`](crate::mesh), which has an independent model of its own
//! in the testbench. Where the two differ, one of them is wrong.
//!
//! It can be stopped between any two instructions: [`Machine::begin_step`], [`Machine::advance`], and what is to be seen there,
//! [`Machine::current`].
//!
//! ```
//! use onward_emulate::{Engine, HostPacket, Machine, Options, reference};
//! # fn image() -> onward_image::Image {
//! #     let text = include_str!("../../../../programs/chips/small.toml");
//! #     onward_image::Image {
//! #         chip: onward_chip::Chip::parse("small", text).unwrap(),
//! #         network: onward_image::NetworkSummary {
//! #             name: String::new(), source: Default::default(), seed: 0, data: None, window_steps: 1, augment: vec![], epochs: 1,
//! #             populations: vec![].into(), edges: vec![],
//! #         },
//! #         programs: vec![].into(), blocks: vec![].into(), trees: vec![].into(), host_inputs: vec![], host_port: 0, learned: Default::default(), proof: None,
//! #     }
//! # }
//! let image = image();
//! let options = Options { seed: 1, timing: true, threads: 1 };
//! let mut reference = reference::Machine::new(&image, options)?;
//! let mut fast = Machine::new(&image, options)?;
//! let packets: &[HostPacket] = &[];
//! assert_eq!(reference.run_packets(10, packets), fast.run_packets(10, packets));
//! assert_eq!(reference.counters(), fast.counters());
//! # Ok::<(), onward_emulate::MachineError>(())
//! ```

mod arithmetic;
mod core;
mod execute;
mod machine;
mod memory;
mod network;
mod step;
mod trace;
mod view;
mod watch;

pub use core::Tracer;
pub use machine::{Machine, TraceSelection};
pub use trace::TraceLine;
pub use view::{Current, LoopUnderWay, PassesLeft, Sent};
pub use watch::{WatchedCore, WatchedFlit, WatchedInstruction, WatchedStep, Watcher};
