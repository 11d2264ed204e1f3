//! The commands, a module each: `Arguments` and `run`.

pub mod asm;
pub mod bandit;
pub mod calibrate;
pub mod chip;
pub mod compare;
pub mod compile;
pub mod debug;
pub mod disasm;
pub mod explore;
pub mod export;
pub mod import;
pub mod inspect;
pub mod isa;
pub mod profile;
pub mod retime;
pub mod run;
mod run_assembly;
mod stream;
mod trace;
pub mod trace_diff;
pub mod train;
pub mod verify;
pub mod why;
