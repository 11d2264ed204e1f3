//! Running networks: data, encodings, training and inference on the emulated chip.
//!
//! The host's part and no more: it shows samples and targets at the chip's edge, writes learning rates over the
//! configuration port, and counts right answers. Everything that is computed of a network is computed by its handlers.

mod bandit;
mod comparisons;
pub mod data;
mod pace;
mod session;
mod train;
mod weights;

pub use bandit::{Bandit, bandit};
pub use onward_profile::{Answers, BanditReport, Comparisons, EpochReport, Phase, Spike, TrainReport};
pub use pace::Pace;
pub use session::{SILENCE_SAMPLES, Session, SessionError, Silence, silence, silent_neurons, spikes_to_npy};
pub use train::{Epochs, Progress, learned, nrmse, test, train, weights_hash};
pub use weights::{Given, LearnedArray, WeightsError, give_weights, learned_arrays, to_npz};
