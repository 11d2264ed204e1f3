//! Chips of several sizes: the cores of the built-in chips on meshes from small to large; and what makes a chip larger.

use crate::{BUILTIN_CHIPS, Chip, Technology};

/// Sides of the square meshes of the family, in tiles.
const SIDES: [u16; 4] = [2, 4, 8, 16];
/// Doubles a key of a chip; the value it then has, or nothing if that is too large.
pub type Double = fn(&mut Chip) -> Option<String>;

/// The keys that say how much room a chip has for a network, and what doubles each.
pub const ROOM: [(&str, Double); 6] = [
    ("memory.axons", |chip| double(&mut chip.memory.axons)),
    ("memory.axon_bytes", |chip| double(&mut chip.memory.axon_bytes)),
    ("memory.neuron_bytes", |chip| double(&mut chip.memory.neuron_bytes)),
    ("memory.synapse_bytes", |chip| double(&mut chip.memory.synapse_bytes)),
    ("memory.instruction_words", |chip| double(&mut chip.memory.instruction_words)),
    ("mesh.width", |chip| {
        chip.mesh.width = chip.mesh.width.checked_mul(2).filter(|&width| width <= 64)?;
        Some(chip.mesh.width.to_string())
    }),
];

fn double(key: &mut u32) -> Option<String> {
    *key = key.checked_mul(2)?;
    Some(key.to_string())
}

/// The chips of the family, the smallest area first: the built-in chips, and their cores on square meshes of 2 to 16 tiles a
/// side.
///
/// # Errors
/// The bill of a built-in chip cannot be made.
pub fn family() -> Result<Vec<Chip>, String> {
    let mut chips: Vec<Chip> = Vec::new();
    let mut consider = |chip: Chip| {
        let is_like = |other: &Chip| {
            Chip { name: String::new(), ..other.clone() } == Chip { name: String::new(), ..chip.clone() }
        };
        if chip.validate().is_ok() && !chips.iter().any(is_like) {
            chips.push(chip);
        }
    };
    let builtin = BUILTIN_CHIPS.iter().map(|(name, _)| Chip::builtin(name).map_err(|error| error.to_string()));
    let builtin = builtin.collect::<Result<Vec<Chip>, String>>()?;
    builtin.iter().cloned().for_each(&mut consider);
    // Of chips with the same cores that in the middle lends its name.
    let is_same_core = |a: &Chip, b: &Chip| a.core == b.core && a.memory == b.memory;
    let middle = |chip: &Chip| chip.name == "middle";
    let lends = |chip: &&Chip| middle(chip) || !builtin.iter().any(|other| middle(other) && is_same_core(other, chip));
    for chip in builtin.iter().filter(lends) {
        for side in SIDES {
            let mut scaled = chip.clone();
            (scaled.mesh.width, scaled.mesh.height) = (side, side);
            // A barrier is a tree over the tiles and back; ports stay on the edge.
            scaled.barrier_cycles = scaled.barrier_cycles.max(2 * u32::from(side));
            scaled.host.ports.truncate(1);
            scaled.name = format!("{}-{side}x{side}", chip.name);
            consider(scaled);
        }
    }
    let mut by_area: Vec<(f64, Chip)> = Vec::new();
    for chip in chips {
        let costs = Technology::load(&chip.technology).and_then(|technology| technology.costs(&chip));
        let area = costs.map_err(|error| error.to_string())?.bill.area_mm2();
        by_area.push((area, chip));
    }
    by_area.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name)));
    Ok(by_area.into_iter().map(|(_, chip)| chip).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_has_the_built_in_chips_and_larger_meshes_of_their_cores() {
        let chips = family().expect("built-in chips have bills");
        let names: Vec<&str> = chips.iter().map(|chip| chip.name.as_str()).collect();
        for name in ["small", "middle", "large", "convolution", "wide", "wide-16x16", "convolution-8x8"] {
            assert!(names.contains(&name), "{names:?}");
        }
        let place = |name| names.iter().position(|other| *other == name);
        assert!(place("small") < place("middle") && place("middle") < place("large"), "by area: {names:?}");
    }
}
