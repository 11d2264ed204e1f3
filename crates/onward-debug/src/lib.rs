//! A step debugger of what runs on the emulated chip.
//!
//! In go an image and what the host sends ([`Host`]); a [`Debugger`] takes commands as lines, in the manner of gdb, and answers
//! each with text ([`Reply`]). It runs on the [reference engine](onward_emulate::reference), one instruction at a time, and stops
//! where it is asked to: at steps, cores, labels, addresses and lines, when a neuron fires, when an array changes, when a
//! result saturates. It looks, and changes nothing: a run under the debugger ends as one without.
//!
//! Going back is running again from the start, so whatever the host does must be the same each time.
//!
//! ```
//! use onward_chip::Chip;
//! use onward_debug::{Debugger, Host, Length};
//! use onward_diagnostic::Source;
//! use onward_emulate::{HostPacket, Options};
//!
//! let source = Source::new("echo.s", "
//!     .block echo, 0, 0, start, 4
//!     .route echo, 0, 4, host
//!     .input knock, 4, echo
//!     .packet 0, knock, 2, 40
//!     .steps 3
//! start:
//!     foreach r1, r2, done
//!     addi r2, r2, 2
//!     send r1, r2, 0
//! done:
//!     sleep
//! ");
//! let chip = Chip::builtin("small").unwrap();
//! let system = onward_assembly::assemble_system(&source, &chip, &mut onward_isa::read_relative).unwrap();
//! let host = Host::new(Length::Steps(system.steps), |step| {
//!     let sent = system.stimuli_in(step..step + 1).iter();
//!     sent.map(|s| HostPacket { step: 0, input: s.input, index: s.index, payload: s.payload }).collect()
//! });
//! let options = Options { seed: 1, timing: false, threads: 1 };
//! let mut debugger = Debugger::new(&system.image, options, host)?;
//! debugger.execute("until done");
//! assert_eq!(debugger.execute("print r2").text, "r2 = 42\n");
//! debugger.execute("back 2");
//! assert_eq!(debugger.execute("print r2").text, "r2 = 40\n");
//! assert!(debugger.execute("print r99").is_error);
//! # Ok::<(), onward_emulate::MachineError>(())
//! ```

mod breakpoint;
mod commands;
mod debugger;
mod evaluation;
mod execution;
mod expression;
mod host;
mod listing;
mod memory;
mod show;

pub use debugger::{Debugger, Reply};
pub use host::{Host, Length};
