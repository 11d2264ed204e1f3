//! Running networks: data, encodings, training and inference on the emulated chip.
//!
//! The host's part and no more: it shows samples and targets at the chip's edge, writes learning rates over the
//! configuration port, and counts right answers. Everything that is computed of a network is computed by its handlers.

mod bandit;
mod comparisons;
pub mod data;
mod session;
mod train;

pub use bandit::{Bandit, BanditReport, LAST_TRIALS, bandit};
pub use comparisons::Comparisons;
pub use session::{Session, SessionError, Spike, spikes_to_npy};
pub use train::{EpochReport, Phase, Progress, TrainReport, learned, nrmse, test, train, weights_hash};
