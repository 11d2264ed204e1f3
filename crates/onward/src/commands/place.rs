//! How a network's blocks find their cores: options that `compile` and `train` share.

use crate::failure::Failure;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use onward_chip::Chip;
use onward_compile::placement::{Objective, Strategy};
use onward_compile::{Options, Placing};
use onward_image::Traffic;
use std::path::{Path, PathBuf};

/// How blocks find their cores. Nothing here changes an answer.
#[derive(Args)]
pub struct HowToPlace {
    /// How blocks find their cores
    #[arg(long, value_name = "STRATEGY", default_value = "annealed", value_parser = strategy())]
    place: Strategy,
    /// What their places are chosen for
    #[arg(long, value_name = "OBJECTIVE", default_value = "hops", value_parser = objective())]
    objective: Objective,
    /// Place for what a run sent (`--save-traffic`), not for an estimate
    #[arg(long, value_name = "FILE.json")]
    pub traffic: Option<PathBuf>,
}

fn strategy() -> impl TypedValueParser<Value = Strategy> {
    PossibleValuesParser::new(Strategy::ALL.map(Strategy::name)).map(|name| {
        let found = Strategy::ALL.into_iter().find(|strategy| strategy.name() == name);
        found.expect("one of the possible values")
    })
}

fn objective() -> impl TypedValueParser<Value = Objective> {
    PossibleValuesParser::new(Objective::ALL.map(Objective::name)).map(|name| {
        let found = Objective::ALL.into_iter().find(|objective| objective.name() == name);
        found.expect("one of the possible values")
    })
}

impl HowToPlace {
    /// The compiler's options.
    pub fn options(&self, chip: Chip, seed: u64) -> Result<Options, Failure> {
        let traffic = self.traffic.as_deref().map(read_traffic).transpose()?;
        let placing = Placing { strategy: self.place, objective: self.objective, traffic };
        Ok(Options { placing, ..Options::new(chip, seed) })
    }
}

fn read_traffic(path: &Path) -> Result<Traffic, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let message = format!("{}: is not a measurement of traffic: {error}", path.display());
        Failure::input_with_help(message, "`onward train NET.sp --save-traffic FILE.json` writes one")
    })
}
