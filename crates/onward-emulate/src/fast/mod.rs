//! The fast engine: whole vectors at once, blocks run over many steps at a time, threads by block.

mod block;
mod decode;
mod events;
mod execution;
mod interpret;
mod outlet;
mod rows;
mod simd;
mod sums;
mod vector;

pub use block::AddressCounts;
pub(crate) use block::{Block, Chunk, Inlet, Limits, Scratch, SendRecord};
pub(crate) use decode::Decoded;
pub(crate) use outlet::Outlet;
pub(crate) use simd::Simd;
