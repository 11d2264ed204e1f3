//! Which chip is asked for: a built-in one or a file's, some of its keys set to other values, in a technology; checked to
//! exist.

use crate::files::{self, BUILTIN_CHIPS, FileError, Limits};
use crate::technology::BUILTIN_TECHNOLOGIES;
use crate::{Bill, Chip, Costs, Technology};
use std::path::Path;

/// What a chip file is told where it cannot be read.
pub(crate) const CHIP_REMEDY: &str =
    "a chip file needs `name` and, under `[mesh]`, `width` and `height`; all else has defaults";

/// A chip together with what it costs in its technology.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// The chip; its clock is a number.
    pub chip: Chip,
    /// Its technology.
    pub technology: Technology,
    /// Its bill.
    pub bill: Bill,
}

impl Design {
    /// The built-in chip of that name, or else the chip file at that path, with some of its keys set to other values
    /// (`core.lanes` to `8`; what is no TOML value is taken as a text), in its own technology or in another.
    ///
    /// A relative path of a technology file is seen from the chip file that names it; one that is given here, from the
    /// working directory.
    ///
    /// # Errors
    /// When there is no such chip or technology, a value is outside its limits, or clock, barrier or supply voltage cannot exist.
    pub fn load(
        name_or_path: &str,
        settings: &[(String, String)],
        technology: Option<&str>,
    ) -> Result<Design, FileError> {
        let (place, text) = files::read("chip", BUILTIN_CHIPS, name_or_path)?;
        let mut chip: Chip = files::parse(&place, &text, CHIP_REMEDY)?;
        let mut place = place;
        if !settings.is_empty() {
            let said: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
            place = format!("{place} with {}", said.join(" "));
            chip = with_settings(&place, &text, settings)?;
        }
        let sets_technology = settings.iter().any(|(key, _)| key == "technology");
        chip.technology = match technology {
            Some(other) => seen_from("", other),
            None if sets_technology => seen_from("", &chip.technology),
            None => seen_from(name_or_path, &chip.technology),
        };
        chip.check_limits(&place)?;
        let technology = Technology::load(&chip.technology)?;
        Design::of(chip, technology, &place)
    }

    /// A chip with some of its keys set to other values, in its own technology or in another, as [`Design::load`].
    ///
    /// # Errors
    /// A value is outside its limits, or clock, barrier or supply voltage cannot exist.
    pub fn of_chip(chip: &Chip, settings: &[(String, String)], technology: Option<&str>) -> Result<Design, FileError> {
        let said: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let place = if said.is_empty() { chip.name.clone() } else { format!("{} with {}", chip.name, said.join(" ")) };
        let text = toml::to_string(chip).map_err(|error| FileError::Syntax {
            place: place.clone(),
            message: error.to_string(),
            remedy: CHIP_REMEDY,
        })?;
        let mut chip = with_settings(&place, &text, settings)?;
        if let Some(technology) = technology {
            chip.technology = seen_from("", technology);
        }
        chip.check_limits(&place)?;
        let technology = Technology::load(&chip.technology)?;
        Design::of(chip, technology, &place)
    }

    /// A chip whose limits are kept, in a technology; `place` is what messages call it.
    pub(crate) fn of(mut chip: Chip, technology: Technology, place: &str) -> Result<Design, FileError> {
        let bill = Bill::of(&chip, &technology)?;
        bill.check(&chip, place)?;
        chip.clock_hz = bill.clock_hz;
        Ok(Design { chip, technology, bill })
    }

    /// What to count with.
    pub fn costs(&self) -> Costs {
        self.bill.clone().costs(&self.chip)
    }
}

/// The text's chip with some keys set.
fn with_settings(place: &str, text: &str, settings: &[(String, String)]) -> Result<Chip, FileError> {
    let mut table: toml::Table = files::parse(place, text, CHIP_REMEDY)?;
    let mut limits = Limits::default();
    for (key, value) in settings {
        let value = match toml::from_str::<toml::Table>(&format!("value = {value}")) {
            Ok(mut parsed) => parsed.remove("value").unwrap_or_else(|| value.clone().into()),
            Err(_) => value.clone().into(),
        };
        if !set(&mut table, key, value) {
            limits.broken(key.as_str(), "not a key", "one of the keys of a chip file, such as core.lanes");
        }
    }
    limits.finish(place)?;
    // A mistake has no line in the file, as it stands in the setting.
    table.try_into().map_err(|error: toml::de::Error| FileError::Syntax {
        place: place.to_owned(),
        message: error.message().to_owned(),
        remedy: "`onward chip show` lists the keys with their values; see the book's page on the chip",
    })
}

/// Sets `core.lanes` in a table of tables; `false` where something on the way is no table.
fn set(table: &mut toml::Table, key: &str, value: toml::Value) -> bool {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
            true
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| toml::Table::new().into());
            inner.as_table_mut().is_some_and(|inner| set(inner, rest, value))
        }
    }
}

/// A technology as the file at `from` names it, seen from the working directory.
fn seen_from(from: &str, technology: &str) -> String {
    let is_builtin = |known: &[(&str, &str)], name| known.iter().any(|(known, _)| *known == name);
    if is_builtin(BUILTIN_CHIPS, from) || is_builtin(BUILTIN_TECHNOLOGIES, technology) {
        return technology.to_owned();
    }
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    let path = folder.join(technology);
    // An image remembers the path, and may be run from elsewhere.
    path.canonicalize().unwrap_or(path).display().to_string()
}
