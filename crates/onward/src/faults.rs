//! `--faults`: chips of which something is broken, and what that costs.

use crate::failure::Failure;
use crate::ledger::Ledger;
use crate::text::{count, plural};
use clap::Args;
use onward_chip::{Chip, Faults};
use onward_emulate::{Engine, Machine, MachineError, Options, UpsetCounts, UpsetRecord};
use onward_image::Image;
use onward_profile::{MemoryFaultCosts, Results};
use std::path::PathBuf;

/// What is broken of the chip.
#[derive(Args)]
pub struct FaultArgument {
    /// What of the chip is broken: dead cores and links are gone round, bits of memories flip or stick as it runs
    #[arg(long, value_name = "FILE.toml")]
    faults: Option<PathBuf>,
}

/// A fault file that was read.
pub struct GivenFaults {
    /// What is in it.
    pub faults: Faults,
    place: String,
}

impl FaultArgument {
    /// Whether a file was named.
    pub fn is_given(&self) -> bool {
        self.faults.is_some()
    }

    /// Reads the file, if one was named.
    ///
    /// # Errors
    /// It cannot be read, or is no fault file.
    pub fn load(&self, ledger: &Ledger) -> Result<Option<GivenFaults>, Failure> {
        let Some(path) = &self.faults else { return Ok(None) };
        ledger.reads(path)?;
        let place = path.display().to_string();
        Ok(Some(GivenFaults { faults: Faults::load(&place)?, place }))
    }

    /// Refuses faults of memories, for commands in which no bit flips.
    ///
    /// # Errors
    /// As [`FaultArgument::load`]; and that there are such.
    pub fn only_dead(&self, ledger: &Ledger) -> Result<(), Failure> {
        match self.load(ledger)? {
            Some(given) if given.is_of_memories() => Err(Failure::input(
                format!("{}: bits of memories are wrong in `train` and `run` only", given.place),
                "leave `[memory]` out, and what is dead is gone round",
            )),
            _ => Ok(()),
        }
    }

    /// The chip with its dead parts; the chip as it is where no file was named.
    ///
    /// # Errors
    /// As [`FaultArgument::load`]; and that the chip has no such parts.
    pub fn on(&self, chip: Chip, ledger: &Ledger) -> Result<Chip, Failure> {
        match self.load(ledger)? {
            Some(given) => Ok(given.faults.on(&chip, &given.place)?),
            None => Ok(chip),
        }
    }
}

impl GivenFaults {
    /// Whether bits of memories are wrong.
    pub fn is_of_memories(&self) -> bool {
        !self.faults.memory.is_empty()
    }

    /// Whether an image goes round what is dead.
    ///
    /// # Errors
    /// It has blocks on dead cores, or ways over dead links.
    pub fn check(&self, image: &Image) -> Result<(), Failure> {
        let mut broken = image.clone();
        broken.chip = self.faults.on(&image.chip, &self.place)?;
        broken.check().map_err(|what| {
            let help =
                "compile the network for the broken chip: `onward compile NET.sp --faults FILE.toml -o IMAGE.onw`";
            Failure::input(format!("{}: the image needs what is dead: {what}", self.place), help)
        })
    }
}

/// An engine on which nothing is wrong, and of which nothing is told.
///
/// # Errors
/// No machine can be made of the image.
pub fn sound_engine(image: &Image, options: Options) -> Result<Box<dyn Engine>, MachineError> {
    Ok(Box::new(Machine::new(image, options)?))
}

/// What is known of wrong bits beside their run.
pub struct FaultRecord {
    /// What became of the bits of memories.
    pub record: UpsetRecord,
    /// The same run on a chip whose memories are sound.
    pub sound: Results,
}

impl FaultRecord {
    /// What the wrong bits cost the run that came to these results.
    pub fn costs(&self, results: &Results) -> MemoryFaultCosts {
        let UpsetCounts { bits, stuck, flipped, corrected, detected, silent } = self.record.counts();
        let sound_accuracy_percent = self.sound.accuracy_percent();
        let cost_points = sound_accuracy_percent.zip(results.accuracy_percent()).map(|(sound, faulty)| sound - faulty);
        let sound_nrmse = self.sound.nrmse();
        MemoryFaultCosts {
            bits,
            stuck,
            flipped,
            corrected,
            detected,
            silent,
            sound_accuracy_percent,
            cost_points,
            sound_nrmse,
        }
    }
}

/// The lines on wrong bits behind a run's report; none where there were none.
pub fn report(results: &Results) -> String {
    let Some(faults) = &results.faults else { return String::new() };
    let mut lines = vec![format!(
        "Faults of memories: {} of {} stick, {} flipped",
        plural(faults.stuck, "bit"),
        count(faults.bits),
        count(faults.flipped)
    )];
    if faults.corrected + faults.detected > 0 {
        lines.push(format!(
            "of the words they are in, {} put right, {} noticed to be wrong, {} wrong in silence",
            count(faults.corrected),
            count(faults.detected),
            count(faults.silent)
        ));
    }
    if let (Some(sound), Some(cost), Some(faulty)) =
        (faults.sound_accuracy_percent, faults.cost_points, results.accuracy_percent())
    {
        lines.push(format!("right {faulty:.2} %, on sound memories {sound:.2} %: the faults cost {cost:.2} points"));
    }
    if let (Some(sound), Some(faulty)) = (faults.sound_nrmse, results.nrmse()) {
        lines.push(format!("error (NRMSE) {faulty:.4}, on sound memories {sound:.4}"));
    }
    format!("\n{}\n", lines.join("\n  "))
}
