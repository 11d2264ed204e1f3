//! No free lunch: every key of a chip file, moved alone, from eight chips, with three networks. Whatever makes none of time,
//! energy and area worse, and one better, must be in the table of reasons (`onward_chip::KEYS`, shown in the book); and every key
//! moves something.

use onward_chip::{BUILTIN_TECHNOLOGIES, Chip, Design, KEYS, Key, Toward, Values};
use onward_diagnostic::Source;
use onward_emulate::{Counters, Options};
use onward_image::Image;
use onward_profile::Energy;
use onward_run::data::{Dataset, Samples};
use onward_run::{Session, test, train};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

/// A torus of two cores a tile, which hold many blocks.
const TORUS: &str = "name = \"torus\"\nclock_hz = 300_000_000\nbarrier_cycles = 12\n[mesh]\nwidth = 4\nheight = 4\n\
    cores_per_tile = 2\ntopology = \"torus\"\nlink_cycles = 1\n[core]\nblocks = 64\n[memory]\nprotection = \"parity\"\n";
/// Four chips.
const ARRAY: &str = "name = \"array\"\nclock_hz = 200_000_000\nbarrier_cycles = 24\nidle_cores = \"clocked\"\n\
    [mesh]\nwidth = 4\nheight = 2\n[mesh.array]\nwidth = 2\nheight = 2\nlink_cycles = 16\ncycles_per_flit = 8\n[core]\nlanes = 8\n";
/// An open process, at its highest clock.
const OPEN: &str = "name = \"open\"\nclock_hz = \"highest\"\ntechnology = \"130nm-sg13g2\"\n[mesh]\nwidth = 3\nheight = 3\n\
    [memory]\ninstruction_words = 2048\nsynapse_bytes = 65536\n";
/// A dense layer of leaky neurons that learns otherwise.
const LEAKY: &str = "network leaky {
    data = \"digits\"
    window = 6
    input x = rate(8, 8)
    target y = classes(10)
    neurons = leaky { threshold = 1.0, leak = shift(3) }
    weights = fixed { bits = 8 }
    learning = softmax { rate = 6 }
    layer one = dense(48) from x, y { block = 16 }
    readout answer = nearest_target from one
}
";

/// Time, energy, area.
type Price = [f64; 3];

/// What a key is moved to, and which way that is.
fn moves(key: &Key, design: &Design) -> Vec<(Toward, String)> {
    let value = key.value(&design.chip);
    let number = value.as_deref().and_then(|value| value.parse::<u64>().ok());
    let mut moves = Vec::new();
    let mut add = |from: u64, to: u64| {
        if to != from {
            moves.push((if to < from { Toward::Less } else { Toward::More }, to.to_string()));
        }
    };
    match (key.values, number) {
        (Values::Range(lowest, highest), Some(number)) => {
            add(number, (number / 2).max(lowest));
            add(number, number.max(1).saturating_mul(2).min(highest));
        }
        (Values::Multiple(of, lowest, highest), Some(number)) => {
            add(number, (number / 2 / of * of).max(lowest));
            add(number, (number * 2).min(highest));
        }
        (Values::Numbers(numbers), Some(number)) => numbers.iter().for_each(|&to| add(number, to)),
        (Values::Words(words), _) => {
            let others = words.iter().filter(|word| value.as_deref() != Some(&format!("\"{word}\"")));
            moves.extend(others.map(|word| (Toward::Other, (*word).to_owned())));
        }
        (Values::Ports, _) => {
            let ports = "{ side = \"west\", position = 0 }";
            let (toward, ports) = match design.chip.host.ports.len() {
                1 => (Toward::More, format!("[{ports}, {{ side = \"east\", position = 0 }}]")),
                _ => (Toward::Less, format!("[{ports}]")),
            };
            moves.push((toward, ports));
        }
        (Values::Text, _) if key.name == "technology" => {
            let others = BUILTIN_TECHNOLOGIES.iter().filter(|(name, _)| *name != design.chip.technology);
            moves.extend(others.map(|(name, _)| (Toward::Other, (*name).to_owned())));
        }
        // The supply is left out: move it from what the technology says.
        (Values::Range(..), None) if key.name == "voltage_mv" => {
            let nominal = (1000.0 * design.technology.voltage.nominal_v).round() as u64;
            add(nominal, nominal * 19 / 20);
            add(nominal, nominal * 21 / 20);
        }
        _ => {}
    }
    moves
}

/// Keys that can change neither an image that fits nor the cycles it takes.
fn keeps_counters(key: &str) -> bool {
    matches!(key, "clock_hz" | "voltage_mv" | "idle_cores" | "technology" | "mesh.multicast_trees" | "core.blocks")
        || key.starts_with("memory.")
}

/// Whether an image made for a chip fits another of the same shape.
fn fits(image: &Image, chip: &Chip) -> bool {
    let usage = image.core_usage();
    image.trees.len() <= usize::from(chip.mesh.multicast_trees)
        && usage.iter().all(|core| core.limits(chip).iter().all(|limit| limit.needed <= limit.available))
}

struct Network {
    name: &'static str,
    text: String,
    learns: bool,
    data: Dataset,
}

fn networks() -> Vec<Network> {
    let mut data = Dataset::load("digits").unwrap();
    let part = |samples: &Samples, count: usize| {
        let pixels = (0..count).flat_map(|at| samples.pixels(at).to_vec()).collect();
        Samples::new(pixels, (0..count).map(|at| samples.label(at)).collect(), 64)
    };
    (data.train, data.test) = (part(&data.train, 2), part(&data.test, 1));
    let program = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs").join(path);
        std::fs::read_to_string(path).unwrap()
    };
    [
        ("digits", program("digits.sp"), true),
        ("convolution", program("examples/convolution.sp"), false),
        ("leaky", LEAKY.to_owned(), true),
    ]
    .map(|(name, text, learns)| Network { name, text, learns, data: data.clone() })
    .into()
}

impl Network {
    fn compile(&self, chip: &Chip) -> Option<Image> {
        onward_compile::compile(
            &Source::new(self.name, self.text.clone()),
            &onward_compile::Options::new(chip.clone(), 1),
        )
        .ok()
    }

    fn run(&self, image: &Image) -> Counters {
        let mut session = Session::new(image, Options { seed: 1, timing: true, threads: 1 }).unwrap();
        let go_on = |_| ControlFlow::Continue(());
        let report = match self.learns {
            true => train(&mut session, image, &self.data, 1, 1, go_on, |_| {}),
            false => test(&mut session, image, &self.data, go_on),
        };
        report.unwrap_or_else(|error| panic!("{}: {error}", self.name)).counters
    }
}

fn price(design: &Design, image: &Image, counters: &Counters) -> Price {
    let seconds = counters.timing.unwrap().cycles as f64 / design.chip.clock_hz as f64;
    [seconds, Energy::of(image, counters, &design.costs()).total(), design.bill.area_mm2()]
}

/// What was found of a chip.
#[derive(Default)]
struct Found {
    /// Lunches that nobody has a reason for.
    free: Vec<String>,
    /// Keys of lunches that have one.
    excused: BTreeSet<&'static str>,
    /// By key and network: whether some move could be made, and whether one moved something.
    moved: BTreeMap<(&'static str, &'static str), bool>,
}

fn try_all(chip: &Path, networks: &[Network]) -> Found {
    let load = |settings: &[(String, String)]| Design::load(&chip.display().to_string(), settings, None);
    let base = load(&[]).unwrap_or_else(|error| panic!("{error}"));
    // The highest clock follows what is moved.
    let is_highest = chip.file_stem().is_some_and(|stem| stem == "open");
    let mut found = Found::default();
    let starts: Vec<_> = networks
        .iter()
        .filter_map(|network| {
            let image = network.compile(&base.chip)?;
            let counters = network.run(&image);
            let price = price(&base, &image, &counters);
            Some((network, image, counters, price))
        })
        .collect();
    assert!(!starts.is_empty(), "{}: no network fits", chip.display());
    for key in KEYS {
        for (toward, value) in moves(key, &base) {
            // What cannot exist, or be placed, is paid with that.
            let Ok(design) = load(&[(key.name.to_owned(), value.clone())]) else { continue };
            assert!(!is_highest || design.chip.clock_hz == design.bill.highest_clock_hz || key.name == "clock_hz");
            for (network, image, counters, before) in &starts {
                let image = if keeps_counters(key.name) {
                    fits(image, &design.chip).then(|| Image { chip: design.chip.clone(), ..image.clone() })
                } else {
                    network.compile(&design.chip)
                };
                let Some(image) = image else { continue };
                let ran = (!keeps_counters(key.name)).then(|| network.run(&image));
                let after = price(&design, &image, ran.as_ref().unwrap_or(counters));
                let ratios: Vec<f64> = after.iter().zip(before).map(|(after, before)| after / before).collect();
                let is_free =
                    ratios.iter().all(|ratio| *ratio < 1.0 + 1e-9) && ratios.iter().any(|ratio| *ratio < 1.0 - 1e-9);
                let has_reason = key.spare.is_some_and(|(direction, _)| direction == toward);
                if is_free && !has_reason {
                    found.free.push(format!(
                        "{}, {}: {} = {value} ({toward:?}) makes time, energy, area {ratios:.5?} times",
                        chip.display(),
                        network.name,
                        key.name
                    ));
                }
                if is_free && has_reason {
                    found.excused.insert(key.name);
                }
                let moves = ratios.iter().any(|ratio| (ratio - 1.0).abs() > 1e-9);
                *found.moved.entry((key.name, network.name)).or_default() |= moves;
            }
        }
    }
    found
}

#[test]
fn every_key_has_its_price() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("torus", TORUS), ("array", ARRAY), ("open", OPEN)] {
        std::fs::write(folder.path().join(name).with_extension("toml"), text).unwrap();
    }
    let ours = ["torus.toml", "array.toml", "open.toml"].map(|name| folder.path().join(name));
    let builtin = ["small", "middle", "middle-8-lanes", "large", "convolution"].map(|name| Path::new(name).to_owned());
    let chips: Vec<_> = builtin.into_iter().chain(ours).collect();
    let networks = networks();
    let found: Vec<Found> = std::thread::scope(|scope| {
        let networks = &networks;
        let tries: Vec<_> = chips.iter().map(|chip| scope.spawn(move || try_all(chip, networks))).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    let free: Vec<&String> = found.iter().flat_map(|found| &found.free).collect();
    assert!(free.is_empty(), "free lunches:\n{free:#?}");
    // A reason that nothing needs is no reason.
    let excused: BTreeSet<&str> = found.iter().flat_map(|found| &found.excused).copied().collect();
    let told: BTreeSet<&str> = KEYS.iter().filter(|key| key.spare.is_some()).map(|key| key.name).collect();
    assert_eq!(told, excused, "reasons told, and reasons needed");
    let mut moved = BTreeSet::new();
    for (chip, found) in chips.iter().zip(&found) {
        for (&(key, network), &moves) in &found.moved {
            assert!(moves, "{}, {network}: moving `{key}` changes nothing", chip.display());
            moved.insert(key);
        }
    }
    let still: Vec<&str> =
        KEYS.iter().map(|key| key.name).filter(|key| *key != "name" && !moved.contains(key)).collect();
    assert!(still.is_empty(), "no chip could move {still:?}");
}
