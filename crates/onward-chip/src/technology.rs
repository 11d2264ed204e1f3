//! Technology files: the figures of cells, wires and memories of one process, each with its source.
//!
//! What a chip costs is worked out from these by counting its circuit ([`crate::Bill`]). Units are in the names: square
//! micrometres, femtojoules, nanowatts, picoseconds.

use crate::files::{self, FileError, Limits};
use serde::{Deserialize, Serialize};

/// The technologies that every copy of the program knows: name and text of the file.
pub const BUILTIN_TECHNOLOGIES: &[(&str, &str)] = &[
    ("45nm", include_str!("../../../programs/tech/45nm.toml")),
    ("22nm-seneca", include_str!("../../../programs/tech/22nm-seneca.toml")),
    ("130nm-sg13g2", include_str!("../../../programs/tech/130nm-sg13g2.toml")),
];

/// The figures of one process, at one supply voltage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technology {
    /// What the technology is called.
    pub name: String,
    /// Process, voltage, temperature, and what the figures are good for.
    pub description: String,
    /// What the process is named after, nm.
    pub feature_nm: f64,
    /// The factor, either way, that a figure of this technology may be wrong by: 1 or more.
    pub uncertainty: f64,
    /// The supply that the figures hold for, and the rule for others.
    pub voltage: Voltage,
    /// The gates that logic is counted in.
    pub cells: Cells,
    /// Signal wires with their repeaters.
    pub wires: Wires,
    /// What a layout takes beside its cells.
    pub layout: Layout,
    /// Memories.
    pub memories: Memories,
    /// Pads: host ports and links between chips.
    pub pads: Pads,
}

/// The supply voltage. Delays go with `V / (V - threshold_v)^alpha` (T. Sakurai, A. R. Newton, IEEE Journal of Solid-State
/// Circuits 25(2), 1990), energies with `V^2`, leakage with `V * exp(leakage_per_v * V)` (its current grows as the barrier
/// is lowered by the drain).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voltage {
    /// Where all figures hold, V.
    pub nominal_v: f64,
    /// The lowest supply the rule may be used at, V; above the threshold.
    pub lowest_v: f64,
    /// The highest, V.
    pub highest_v: f64,
    /// Threshold of the transistors, V.
    pub threshold_v: f64,
    /// Exponent of the law: 2 for long channels, toward 1 where velocity saturates.
    pub alpha: f64,
    /// Growth of the leakage current, 1/V.
    pub leakage_per_v: f64,
    /// Publication and derivation.
    pub source: String,
}

/// The gates that logic is counted in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cells {
    /// A NAND of two inputs: what control and decoders are counted in.
    pub nand2: Cell,
    /// Two to one.
    pub multiplexer: Cell,
    /// One bit of an addition; its delay is a carry-save level.
    pub full_adder: Cell,
    /// A flip-flop with reset.
    pub flip_flop: FlipFlop,
    /// A clock gate, one for every 32 flip-flops.
    pub clock_gate: ClockGate,
}

/// A gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Area of the cell, um^2.
    pub area_um2: f64,
    /// Mean energy of an operation on random data, with its local wiring, fJ.
    pub energy_fj: f64,
    /// Leakage, nW.
    pub leakage_nw: f64,
    /// Delay with a typical load, ps.
    pub delay_ps: f64,
    /// Publication and derivation.
    pub source: String,
}

/// A flip-flop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlipFlop {
    /// Area of the cell, um^2.
    pub area_um2: f64,
    /// Mean energy of taking in a random bit, without the clock's, fJ.
    pub energy_fj: f64,
    /// Energy of each cycle in which it is clocked, whatever the data, fJ.
    pub clock_fj: f64,
    /// Leakage, nW.
    pub leakage_nw: f64,
    /// Clock to output, ps.
    pub delay_ps: f64,
    /// Data before the clock, ps.
    pub setup_ps: f64,
    /// Publication and derivation.
    pub source: String,
}

/// A clock gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockGate {
    /// Area of the cell, um^2.
    pub area_um2: f64,
    /// Energy of a cycle in which it lets the clock through, fJ.
    pub energy_fj: f64,
    /// Energy of a cycle in which it does not, fJ.
    pub clock_fj: f64,
    /// Leakage, nW.
    pub leakage_nw: f64,
    /// Clock to clock, ps.
    pub delay_ps: f64,
    /// Publication and derivation.
    pub source: String,
}

/// A signal wire with its repeaters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wires {
    /// `C V^2` of a millimetre, fJ. Random data take a quarter of it a bit, a clock all of it a cycle.
    pub energy_fj_per_mm: f64,
    /// Delay, ps a mm.
    pub delay_ps_per_mm: f64,
    /// Area of the repeaters, um^2 a mm.
    pub repeater_area_um2_per_mm: f64,
    /// Leakage of the repeaters, nW a mm.
    pub repeater_leakage_nw_per_mm: f64,
    /// Publication and derivation.
    pub source: String,
}

/// What a layout takes beside its cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Area of the cells over the area they are placed in.
    pub density: f64,
    /// Share of the clock's period that is kept for skew and jitter.
    pub clock_margin: f64,
    /// Share by which a part is larger that can be switched off.
    pub power_switch_area: f64,
    /// Share of its leakage that such a part keeps when it is off.
    pub power_switch_leakage: f64,
    /// Publication and derivation.
    pub source: String,
}

/// Memories by their ports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memories {
    /// A read or a write a cycle.
    pub one_port: MemoryFigures,
    /// A read and a write a cycle.
    pub two_port: MemoryFigures,
}

/// What a memory macro of any size takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryFigures {
    /// Words of the smallest macro; a smaller memory is one of that size, or flip-flops.
    #[serde(default = "smallest_words")]
    pub smallest_words: u64,
    /// Words of the largest macro; a larger memory is several of equal size.
    pub largest_words: u64,
    /// Bits a word of the widest macro.
    pub largest_bits: u64,
    /// Area, um^2.
    pub area_um2: Fit,
    /// Energy of reading a word of random data, fJ.
    pub read_fj: Fit,
    /// Energy of writing a word of random data, fJ.
    pub write_fj: Fit,
    /// Leakage, nW.
    pub leakage_nw: Fit,
    /// Clock to output, ps.
    pub access_ps: AccessFit,
    /// Address and data before the clock, ps.
    pub setup_ps: f64,
    /// Mean error of the fits over all memories they were made from, as a share.
    pub mean_error: f64,
    /// The worst one.
    pub worst_error: f64,
    /// Publication and derivation.
    pub source: String,
}

/// What memory compilers and the fits begin at.
fn smallest_words() -> u64 {
    64
}

/// `base + per_bit * bits + per_word * words + per_cell * words * bits`: the control, what goes with the columns, with the
/// rows, and with the cells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// Of any memory.
    #[serde(default)]
    pub base: f64,
    /// For each bit of a word.
    #[serde(default)]
    pub per_bit: f64,
    /// For each word.
    #[serde(default)]
    pub per_word: f64,
    /// For each cell.
    #[serde(default)]
    pub per_cell: f64,
}

impl Fit {
    /// The value for a memory of so many words of so many bits.
    pub fn at(&self, words: f64, bits: f64) -> f64 {
        self.base + self.per_bit * bits + self.per_word * words + self.per_cell * words * bits
    }

    fn scaled(&self, by: f64) -> Fit {
        let Fit { base, per_bit, per_word, per_cell } = *self;
        Fit { base: base * by, per_bit: per_bit * by, per_word: per_word * by, per_cell: per_cell * by }
    }
}

/// `base + per_root_word * sqrt(words) + per_bit * bits`: bit lines are as long as the root of the words, word lines as the bits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessFit {
    /// Of any memory.
    #[serde(default)]
    pub base: f64,
    /// For the root of the words.
    #[serde(default)]
    pub per_root_word: f64,
    /// For each bit of a word.
    #[serde(default)]
    pub per_bit: f64,
}

impl AccessFit {
    /// The value for a memory of so many words of so many bits.
    pub fn at(&self, words: f64, bits: f64) -> f64 {
        self.base + self.per_root_word * words.sqrt() + self.per_bit * bits
    }

    fn scaled(&self, by: f64) -> AccessFit {
        let AccessFit { base, per_root_word, per_bit } = *self;
        AccessFit { base: base * by, per_root_word: per_root_word * by, per_bit: per_bit * by }
    }
}

/// Pads with their drivers. They have a supply of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pads {
    /// Area of the pad of one signal, um^2.
    pub area_um2: f64,
    /// Its leakage, nW.
    pub leakage_nw: f64,
    /// A bit through a host port, fJ.
    pub host_fj_per_bit: f64,
    /// A bit from a chip to the next, both ends, fJ.
    pub crossing_fj_per_bit: f64,
    /// The time that takes, from flip-flop to flip-flop, ps.
    pub crossing_ps: f64,
    /// Publication and derivation.
    pub source: String,
}

impl Technology {
    /// The built-in technology `name`.
    ///
    /// # Errors
    /// [`FileError::Unknown`], with the names there are.
    pub fn builtin(name: &str) -> Result<Technology, FileError> {
        match BUILTIN_TECHNOLOGIES.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Technology::parse(&format!("built-in technology `{name}`"), text),
            None => Err(files::unknown("technology", BUILTIN_TECHNOLOGIES, name)),
        }
    }

    /// The built-in technology of that name, or else the technology file at that path.
    ///
    /// # Errors
    /// When there is neither, or the file is not a complete technology.
    pub fn load(name_or_path: &str) -> Result<Technology, FileError> {
        let (place, text) = files::read("technology", BUILTIN_TECHNOLOGIES, name_or_path)?;
        Technology::parse(&place, &text)
    }

    /// The technology that the text of a technology file describes; `place` is what messages call the file.
    ///
    /// # Errors
    /// When the text is not TOML, has an unknown or lacks a required key, or breaks a rule of [`Technology::validate`].
    pub fn parse(place: &str, text: &str) -> Result<Technology, FileError> {
        let remedy = "a technology file needs every key of programs/tech/45nm.toml, which explains them";
        let technology: Technology = files::parse(place, text, remedy)?;
        technology.check(place)?;
        Ok(technology)
    }

    /// Checks that every figure is finite and not negative, every table names its source, and voltages, shares and limits
    /// make sense.
    ///
    /// # Errors
    /// [`FileError::Limits`] with all that is wrong.
    pub fn validate(&self) -> Result<(), FileError> {
        self.check(&format!("technology `{}`", self.name))
    }

    fn check(&self, place: &str) -> Result<(), FileError> {
        let mut limits = Limits::default();
        if let Ok(value) = toml::Value::try_from(self) {
            check_values("", &value, &mut limits);
        }
        if self.uncertainty < 1.0 {
            limits.broken("uncertainty", self.uncertainty, "a factor of 1 or more");
        }
        let voltage = &self.voltage;
        let ascending = [voltage.threshold_v, voltage.lowest_v, voltage.nominal_v, voltage.highest_v];
        if !(ascending[0] < ascending[1] && ascending[1..].is_sorted()) {
            let expected = "threshold_v < lowest_v <= nominal_v <= highest_v";
            limits.broken("voltage", format!("{ascending:?}"), expected);
        }
        limits.range("voltage.alpha", voltage.alpha, 1.0, 2.0);
        limits.range("layout.density", self.layout.density, 0.05, 1.0);
        limits.range("layout.clock_margin", self.layout.clock_margin, 0.0, 0.9);
        limits.range("layout.power_switch_leakage", self.layout.power_switch_leakage, 0.0, 1.0);
        for (key, memory) in [("one_port", &self.memories.one_port), ("two_port", &self.memories.two_port)] {
            limits.range(&format!("memories.{key}.largest_words"), memory.largest_words, 1, u64::MAX);
            limits.range(&format!("memories.{key}.largest_bits"), memory.largest_bits, 1, u64::MAX);
        }
        limits.finish(place)
    }

    /// The figures at another supply voltage, by the rule of [`Voltage`].
    ///
    /// # Errors
    /// When the rule does not reach to it.
    pub fn at_voltage(&self, volts: f64) -> Result<Technology, FileError> {
        let rule = &self.voltage;
        if !(rule.lowest_v..=rule.highest_v).contains(&volts) {
            let mut limits = Limits::default();
            let expected = format!(
                "{:.0} to {:.0}, what technology `{}` is known for",
                1000.0 * rule.lowest_v,
                1000.0 * rule.highest_v,
                self.name
            );
            limits.broken("voltage_mv", (1000.0 * volts).round(), expected);
            limits.finish(&format!("technology `{}`", self.name))?;
        }
        let law = |volts: f64| volts / (volts - rule.threshold_v).powf(rule.alpha);
        let delay = law(volts) / law(rule.nominal_v);
        let ratio = volts / rule.nominal_v;
        let leakage = ratio * (rule.leakage_per_v * (volts - rule.nominal_v)).exp();
        Ok(self.scaled(delay, ratio * ratio, leakage))
    }

    /// Everything that hangs on the supply, multiplied.
    fn scaled(&self, delay: f64, energy: f64, leakage: f64) -> Technology {
        let mut scaled = self.clone();
        let cells = &mut scaled.cells;
        for cell in [&mut cells.nand2, &mut cells.multiplexer, &mut cells.full_adder] {
            cell.energy_fj *= energy;
            cell.leakage_nw *= leakage;
            cell.delay_ps *= delay;
        }
        let (flip_flop, gate) = (&mut cells.flip_flop, &mut cells.clock_gate);
        for figure in [&mut flip_flop.energy_fj, &mut flip_flop.clock_fj, &mut gate.energy_fj, &mut gate.clock_fj] {
            *figure *= energy;
        }
        for figure in [&mut flip_flop.delay_ps, &mut flip_flop.setup_ps, &mut gate.delay_ps] {
            *figure *= delay;
        }
        flip_flop.leakage_nw *= leakage;
        gate.leakage_nw *= leakage;
        scaled.wires.energy_fj_per_mm *= energy;
        scaled.wires.delay_ps_per_mm *= delay;
        scaled.wires.repeater_leakage_nw_per_mm *= leakage;
        for memory in [&mut scaled.memories.one_port, &mut scaled.memories.two_port] {
            memory.read_fj = memory.read_fj.scaled(energy);
            memory.write_fj = memory.write_fj.scaled(energy);
            memory.leakage_nw = memory.leakage_nw.scaled(leakage);
            memory.access_ps = memory.access_ps.scaled(delay);
            memory.setup_ps *= delay;
        }
        scaled
    }
}

/// Every number of a technology is finite and not negative, every source is said.
fn check_values(key: &str, value: &toml::Value, limits: &mut Limits) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                check_values(&key, value, limits);
            }
        }
        toml::Value::Float(number) if !(number.is_finite() && *number >= 0.0) => {
            limits.broken(key, number, "a number that is not negative");
        }
        toml::Value::String(text) if text.trim().is_empty() => {
            limits.broken(key, "empty", "the publication and the derivation, or a name");
        }
        _ => {}
    }
}
