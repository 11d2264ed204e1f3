//! Chips that a network may be tried on: the cores of the built-in chips, on meshes of several sizes; and which changes of a chip
//! would make a network fit.

use crate::driver::tried;
use crate::pass::Options;
use onward_chip::{BUILTIN_CHIPS, Chip, Technology};
use onward_diagnostic::{Diagnostic, Source};
use onward_image::Image;
use onward_net::{Learning, Network, Node};

/// Sides of the square meshes of the family, in tiles.
const SIDES: [u16; 4] = [2, 4, 8, 16];
/// How often a key is doubled at most when a change is looked for.
const MOST_DOUBLINGS: u32 = 8;
/// Passes that find out whether a network fits. What passes before them find is wrong with the text on any chip.
const FITTING: [&str; 6] = ["fit", "partition", "generate", "assemble", "place", "route"];

/// Doubles a key of a chip; the value it then has, unless that is too large.
type Double = fn(&mut Chip) -> Option<String>;

/// The keys that a network may lack of a chip, and what doubles each.
const KEYS: [(&str, Double); 6] = [
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

/// The first chip of a list that a network fits on. `network` is it if it has been read, else `source` is parsed; the chip of
/// `options` does not matter.
///
/// # Errors
/// What is wrong with the text on any chip; or what does not fit on the last of the list, with the smallest change that would
/// make it fit.
pub fn first_fitting(
    network: Option<&Network>,
    source: &Source,
    options: &Options,
    chips: &[Chip],
) -> Result<Chip, Vec<Diagnostic>> {
    let mut last = None;
    // A block that fits no core fits no core of a larger mesh.
    let mut too_small: Vec<&Chip> = Vec::new();
    for chip in chips {
        if too_small.iter().any(|other| other.memory == chip.memory && other.core == chip.core) {
            continue;
        }
        let tried = tried(network.cloned(), source, &Options { chip: chip.clone(), ..options.clone() }, &mut |_, _| {});
        match tried {
            Ok(_) => return Ok(chip.clone()),
            Err(failed) if !FITTING.contains(&failed.pass) => return Err(failed.errors),
            Err(failed) => {
                if failed.pass == "generate" {
                    too_small.push(chip);
                }
                last = Some((chip, failed.errors));
            }
        }
    }
    let (chip, errors) = last.expect("there are chips to try");
    Err(with_change(network, source, &Options { chip: chip.clone(), ..options.clone() }, errors))
}

/// Adds to the errors of a network that does not fit its chip what would make it fit, if it is one of these, tried before it is
/// said: the text without sizes of blocks; or the smallest change of the chip's keys.
pub fn with_change(
    network: Option<&Network>,
    source: &Source,
    options: &Options,
    mut errors: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let failed = tried(network.cloned(), source, options, &mut |_, _| {}).err();
    if !failed.is_some_and(|failed| FITTING.contains(&failed.pass)) {
        return errors;
    }
    let help = without_sizes(network, source, options).or_else(|| {
        let settings = change(network, source, options)?;
        let settings: Vec<String> = settings.iter().map(|(key, value)| format!("--chip-set {key}={value}")).collect();
        Some(format!("it fits with `--chip {} {}`", options.chip.name, settings.join(" ")))
    });
    if let (Some(help), Some(first)) = (help, errors.first_mut()) {
        // What else would help, in general, stays said.
        let general = first.help.iter().map(|general| format!("; else {general}"));
        *first = first.clone().help(help + &general.collect::<String>());
    }
    errors
}

/// Which sizes of blocks must be left out of the text so that the network fits, if that does it: those of layers that do not
/// learn, as no answer changes with them.
fn without_sizes(network: Option<&Network>, source: &Source, options: &Options) -> Option<String> {
    let mut network = network.cloned().or_else(|| Network::parse(source).ok())?;
    let mut names = Vec::new();
    for node in network.graph.node_weights_mut() {
        match node {
            Node::Layer(layer) if layer.cut_said && layer.learning == Learning::None => {
                (layer.cut_said, layer.block_rows) = (false, None);
                layer.block = layer.kind.default_block(&layer.shape);
                names.push(format!("`{}`", layer.name));
            }
            Node::Pool(pool) if pool.cut_said => {
                pool.cut_said = false;
                names.push(format!("`{}`", pool.name));
            }
            _ => {}
        }
    }
    let fits = !names.is_empty() && tried(Some(network), source, options, &mut |_, _| {}).is_ok();
    fits.then(|| {
        format!("it fits if `block` and `rows` of {} are left out: the compiler then chooses them", names.join(", "))
    })
}

/// The keys with the values that make a network fit, each as small as can be, by doubling.
fn change(network: Option<&Network>, source: &Source, options: &Options) -> Option<Vec<(&'static str, String)>> {
    let with = |doublings: &[u32; KEYS.len()]| -> Option<(Chip, Vec<(&'static str, String)>)> {
        let mut chip = options.chip.clone();
        let mut change = Vec::new();
        for ((key, double), &times) in KEYS.iter().zip(doublings).filter(|(_, times)| **times > 0) {
            let mut value = None;
            for _ in 0..times {
                value = Some(double(&mut chip)?);
            }
            change.push((*key, value?));
        }
        chip.validate().is_ok().then_some((chip, change))
    };
    let fits = |doublings: &[u32; KEYS.len()]| {
        with(doublings).is_some_and(|(chip, _)| {
            let made: Result<Image, _> =
                tried(network.cloned(), source, &Options { chip, ..options.clone() }, &mut |_, _| {});
            made.is_ok()
        })
    };
    let all = (1..=MOST_DOUBLINGS).map(|times| [times; KEYS.len()]);
    // A mesh is not doubled as often as memories are.
    let all = all.map(|mut doublings| {
        doublings[KEYS.len() - 1] = doublings[KEYS.len() - 1].min(3);
        doublings
    });
    let mut doublings = all.into_iter().find(fits)?;
    for key in 0..KEYS.len() {
        for fewer in 0..doublings[key] {
            let mut smaller = doublings;
            smaller[key] = fewer;
            if fits(&smaller) {
                doublings = smaller;
                break;
            }
        }
    }
    with(&doublings).map(|(_, change)| change)
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

    fn network(text: &str) -> Source {
        Source::new(
            "net.sp",
            format!(
                "network net {{\n  window = 4\n  input x = events(3, 16, 16)\n{text}\n  readout r = spikes from y\n}}\n"
            ),
        )
    }

    /// What is said to help has been tried: done as said, the network fits.
    #[test]
    fn changes_that_are_named_help() {
        let source = network("  layer f = flatten from x\n  layer y = dense(700) from f");
        let mut chip = Chip::builtin("small").expect("a chip");
        (chip.memory.axons, chip.memory.synapse_bytes) = (64, 8192);
        let options = Options::new(chip, 1);
        let settings = change(None, &source, &options).expect("something helps");
        assert!(!settings.is_empty());
        let mut changed = options.clone();
        for (key, value) in &settings {
            let value = value.parse().expect("a number");
            match *key {
                "memory.axons" => changed.chip.memory.axons = value,
                "memory.axon_bytes" => changed.chip.memory.axon_bytes = value,
                "memory.neuron_bytes" => changed.chip.memory.neuron_bytes = value,
                "memory.synapse_bytes" => changed.chip.memory.synapse_bytes = value,
                "memory.instruction_words" => changed.chip.memory.instruction_words = value,
                _ => changed.chip.mesh.width = value as u16,
            }
        }
        let done = |options: &Options| tried(None, &source, options, &mut |_, _| {}).is_ok();
        assert_eq!((done(&options), done(&changed)), (false, true), "{settings:?}");
    }

    #[test]
    fn sizes_of_blocks_that_do_not_fit_are_named() {
        let source = network("  layer y = conv(16, 3) from x { padding = 1, block = 16, rows = 16 }");
        let mut chip = Chip::builtin("middle").expect("a chip");
        chip.memory.neuron_bytes = 8192;
        let options = Options::new(chip, 1);
        let errors = tried(None, &source, &options, &mut |_, _| {}).expect_err("it does not fit").errors;
        let help = with_change(None, &source, &options, errors)[0].help.clone().expect("a help");
        assert!(help.starts_with("it fits if `block` and `rows` of `y` are left out"), "{help}");
    }

    #[test]
    fn the_smallest_chip_that_has_room_is_chosen() {
        let chips = family().expect("built-in chips have bills");
        let options = Options::new(Chip::builtin("small").expect("a chip"), 1);
        let chosen = |text: &str| first_fitting(None, &network(text), &options, &chips).map(|chip| chip.name);
        assert_eq!(chosen("  layer f = flatten from x\n  layer y = dense(10) from f").as_ref(), Ok(&chips[0].name));
        let wrong = chosen("  layer y = dense(10) from nobody").expect_err("the text is wrong");
        assert!(wrong[0].message.contains("nobody"), "{wrong:?}");
    }
}
