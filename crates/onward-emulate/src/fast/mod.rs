//! The fast engine: whole vectors at once, blocks run over many steps at a time, threads by block.

mod arrivals;
mod block;
mod control;
mod decode;
mod events;
mod execution;
mod index_counts;
mod interpret;
mod lanes;
mod outlet;
mod rows;
mod sends;
mod sums;
mod tally;
mod vector;

pub(crate) use arrivals::Inlet;
pub(crate) use block::{Block, Chunk, Limits, Scratch, SendRecord, run_chunk, run_slot};
pub(crate) use decode::Decoded;
pub(crate) use index_counts::IndexCounts;
pub(crate) use outlet::Outlet;
