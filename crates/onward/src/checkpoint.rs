//! Runs that leave checkpoints, and go on from them.

use crate::failure::Failure;
use crate::files::Output;
use crate::ledger::Ledger;
use crate::text::{count, plural};
use clap::Args;
use onward_image::Image;
use onward_run::data::{Dataset, Samples};
use onward_run::{Checkpoints, Identity};
use std::path::{Path, PathBuf};

/// Where checkpoints go, and how often.
#[derive(Args)]
pub struct CheckpointArguments {
    /// Leave checkpoints in this file, and go on from the one that is there: a run that is killed loses little, and ends with
    /// the same weights
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Samples (of a bandit: trials) from one checkpoint to the next
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "checkpoint", value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Begin anew, whatever checkpoint there is
    #[arg(long, requires = "checkpoint")]
    fresh: bool,
}

impl CheckpointArguments {
    /// Whether there are to be any.
    pub fn is_given(&self) -> bool {
        self.checkpoint.is_some()
    }

    /// Checks that they can be written, and that nothing is asked for that a checkpoint does not keep.
    ///
    /// # Errors
    /// They cannot be written, or epochs are to be chosen among.
    pub fn prepare(&self, validates: bool, ledger: &Ledger) -> Result<(), Failure> {
        let Some(path) = &self.checkpoint else { return Ok(()) };
        if validates {
            let help = "leave one of them out: a checkpoint does not keep what earlier epochs left";
            return Err(Failure::input("--checkpoint is for runs that choose no epoch, and --validate does", help));
        }
        Output::prepare(path, ledger).map(drop)
    }

    /// Looks for the checkpoint that a run is to go on from. `more` is what its answers depend on beside image, data and seed.
    ///
    /// # Errors
    /// The file is no checkpoint of this run.
    pub fn open(
        &self,
        command: &str,
        (image, dataset, seed): (&Image, &Dataset, u64),
        weights: Option<&Path>,
        more: &str,
    ) -> Result<Option<Checkpoints>, Failure> {
        let Some(path) = &self.checkpoint else { return Ok(None) };
        let mut identity = Identity::new(command, image, seed);
        identity.add(more.as_bytes());
        if let Some(weights) = weights {
            identity.add(&std::fs::read(weights).map_err(|error| Failure::unreadable(weights, error))?);
        }
        add_samples(&mut identity, &dataset.train);
        let opened = Checkpoints::open(path, self.every, self.fresh, &identity);
        opened.map(Some).map_err(|error| Failure::refused_at(&path.display().to_string(), &error))
    }

    /// The image as its checkpoint left it, and in words where that was; the image itself where there is none.
    ///
    /// # Errors
    /// The checkpoint is of another network.
    pub fn go_on(&self, checkpoints: Option<&Checkpoints>, image: Image) -> Result<(Image, Option<String>), Failure> {
        let (Some(path), Some(from)) = (&self.checkpoint, checkpoints.and_then(|all| all.from.as_ref())) else {
            return Ok((image, None));
        };
        let path = path.display();
        let image = from.apply(&image).map_err(|error| Failure::refused_at(&path.to_string(), &error))?;
        let done = match from.rewards.len() as u64 {
            0 => format!("epoch {}, after {}", count(u64::from(from.epoch) + 1), plural(from.done, "sample")),
            trials => format!("after {}", plural(trials, "trial")),
        };
        Ok((image, Some(format!("\n  goes on from {path}: {done}\n"))))
    }
}

/// All that is shown of samples.
fn add_samples(identity: &mut Identity, samples: &Samples) {
    for index in 0..samples.len() {
        identity.add(&samples.label(index).to_le_bytes());
        identity.add(&[u8::from(samples.continues(index))]);
        identity.add(&samples.values(index).iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
        if samples.is_recorded() {
            let events = samples.events(index).iter().flat_map(|(step, axon)| [step.to_le_bytes(), axon.to_le_bytes()]);
            identity.add(&events.flatten().collect::<Vec<u8>>());
        } else {
            identity.add(samples.pixels(index));
        }
    }
}
