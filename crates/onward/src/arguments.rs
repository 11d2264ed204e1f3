//! Arguments that several commands take.

use crate::failure::Failure;
use clap::Args;
use onward_chip::{BUILTIN_CHIPS, Chip};
use std::path::Path;

/// The chip where none is named.
const DEFAULT_CHIP: &str = "middle";

/// The chip that something is compiled or assembled for.
#[derive(Args)]
pub struct ChipArgument {
    #[arg(long, value_name = "CHIP", help = chip_help())]
    chip: Option<String>,
}

fn chip_help() -> String {
    let names: Vec<&str> = BUILTIN_CHIPS.iter().map(|(name, _)| *name).collect();
    format!("Built-in chip ({}) or path of a chip file [default: {DEFAULT_CHIP}]", names.join(", "))
}

impl ChipArgument {
    /// Whether a chip was named.
    pub fn is_given(&self) -> bool {
        self.chip.is_some()
    }

    /// The path that is read, where the name is not that of a built-in chip.
    pub fn path(&self) -> &Path {
        Path::new(self.name())
    }

    /// Loads the chip.
    ///
    /// # Errors
    /// There is no such chip, or its file breaks a rule.
    pub fn load(&self) -> Result<Chip, Failure> {
        Ok(Chip::load(self.name())?)
    }

    fn name(&self) -> &str {
        self.chip.as_deref().unwrap_or(DEFAULT_CHIP)
    }
}
