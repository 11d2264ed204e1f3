//! Running networks: data, encodings, training and inference on the emulated chip.
//!
//! The host's part and no more: it shows samples and targets at the chip's edge, writes learning rates over the
//! configuration port, and counts right answers. Everything that is computed of a network is computed by its handlers.
//!
//! In go an image and a [`Dataset`](data::Dataset); a [`Run`] learns or tests and tells the
//! [`Results`](onward_profile::Results): answers, time, energy, activity.
//!
//! ```
//! use onward_chip::Chip;
//! use onward_compile::{Options, compile};
//! use onward_diagnostic::Source;
//! use onward_run::{Run, data::Dataset};
//!
//! let text = "network small {
//!     data = \"digits\"
//!     window = 8
//!     input pixels = rate(8, 8)
//!     target digit = classes(10)
//!     layer hidden = dense(64) from pixels, digit { learning = hinge { rate = 7, margin = 0.3 } }
//!     readout answer = nearest_target from hidden
//! }";
//! let source = Source::new("small.sp", text);
//! let image = compile(&source, &Options::new(Chip::builtin("small")?, 1)).map_err(|errors| source.render(&errors))?;
//!
//! let digits = Dataset::for_image(&image, None, source.name.as_ref())?; // the data that the text names
//! let mut run = Run::new(&image, &digits, onward_emulate::Options { seed: 1, timing: true, threads: 1 })?;
//! let results = run.learn(1, &mut ())?;
//!
//! assert!(results.accuracy_percent().unwrap() > 75.0);
//! let sample = results.per_training_sample.unwrap();
//! assert!(sample.energy_j > 1e-9 && sample.energy_j < 1e-5 && sample.cycles.is_some());
//! let learned = run.learned()?; // an image that goes on from here
//! assert_eq!(learned.learned.epochs, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What follows a run ([`Watch`]) may break it off; what ran by then is reported in full. [`Session`] speaks to a machine in
//! samples, for runs that are made another way.

mod answers;
mod bandit;
mod checkpoint;
mod comparisons;
pub mod data;
mod error;
mod pace;
mod packets;
pub mod probe;
mod retime;
mod run;
mod session;
mod train;
mod weights;
pub mod why;

pub use answers::AnswerTable;
pub use bandit::{Bandit, bandit};
pub use checkpoint::{CHECKPOINT_VERSION, Checkpoint, CheckpointError, Checkpoints, Identity};
pub use error::{RunError, SessionError};
pub use onward_profile::{Answers, BanditReport, Comparisons, EpochReport, Phase, Spike, TestedOn, TrainReport};
pub use packets::{Stopped, run_packets};
pub use retime::{RetimedError, retime, retime_all, retime_with};
pub use run::{Learners, Run, Watch, costs};
pub use session::{SILENCE_SAMPLES, Session, Silence, counters_of, silence, silent_neurons};
pub use train::{Epochs, Progress, learned, nrmse, rmse, test, train, weights_hash};
pub use weights::{Given, LearnedArray, WeightsError, give_weights, learned_arrays, spikes_to_npy, to_npz};
