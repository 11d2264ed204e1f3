//! Areas and clocks of published chips, as the bill has them from published parameters (`testbench/chips/published`): memories,
//! lanes, cores, node, supply. The book's page on published chips has the table and the reasons of each distance.

use onward_chip::{Bill, Chip, Technology};

/// A published chip beside the bill's.
struct Published {
    name: &'static str,
    technology: &'static str,
    /// Area without pads, mm^2: published, and by the bill as the book states it.
    area_mm2: (f64, f64),
    /// Highest clock, MHz: published, and by the bill as the book states it.
    clock_mhz: Option<(f64, f64)>,
}

/// How far the book's figures, which have two or three digits, may be from the bill's.
const ROUNDING: f64 = 1.03;

const CHIPS: [Published; 5] = [
    Published { name: "odin", technology: "28nm", area_mm2: (0.086, 0.161), clock_mhz: Some((75.0, 115.0)) },
    Published { name: "reckon", technology: "28nm", area_mm2: (0.45, 0.556), clock_mhz: Some((115.0, 509.0)) },
    Published { name: "morphic", technology: "65nm", area_mm2: (2.86, 4.35), clock_mhz: Some((210.0, 379.0)) },
    Published { name: "seneca", technology: "22nm-seneca", area_mm2: (0.47, 0.513), clock_mhz: None },
    Published { name: "loihi", technology: "14nm", area_mm2: (60.0, 42.4), clock_mhz: None },
];

/// ReckOn's clock is the one figure farther off than twice; the book says why.
const FARTHER: &[&str] = &["reckon"];

fn bill(name: &str, technology: &str) -> Bill {
    let read = |path: String| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let testbench = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testbench");
    let chip = Chip::parse(name, &read(format!("{testbench}/chips/published/{name}.toml"))).expect(name);
    let technology = match Technology::builtin(technology) {
        Ok(builtin) => builtin,
        Err(_) => Technology::load(&format!("{testbench}/tech/{technology}.toml")).expect(technology),
    };
    Bill::of(&chip, &technology).expect(name)
}

/// All but the pads, mm^2.
fn core_area_mm2(bill: &Bill) -> f64 {
    let pads = bill.root.find("host port").map_or(0.0, |ports| ports.count as f64 * ports.area_um2());
    bill.area_mm2() - pads / 1e6
}

/// How far one is from the other, as a factor of 1 or more.
fn distance(one: f64, other: f64) -> f64 {
    (one / other).max(other / one)
}

#[test]
fn areas_and_clocks_of_published_chips_are_met_within_twice() {
    for chip in &CHIPS {
        let bill = bill(chip.name, chip.technology);
        let area = core_area_mm2(&bill);
        let (published, stated) = chip.area_mm2;
        assert!(distance(area, stated) < ROUNDING, "{}: the book states {stated} mm2, the bill {area}", chip.name);
        assert!(distance(area, published) < 2.0, "{}: {area} mm2, published {published}", chip.name);
        if let Some((published, stated)) = chip.clock_mhz {
            let clock = bill.highest_clock_hz as f64 / 1e6;
            assert!(
                distance(clock, stated) < ROUNDING,
                "{}: the book states {stated} MHz, the bill {clock}",
                chip.name
            );
            let within = distance(clock, published) < 2.0;
            assert_eq!(within, !FARTHER.contains(&chip.name), "{}: {clock} MHz, published {published}", chip.name);
        }
    }
}

/// MorphIC's second operating point, 0.8 V, and THOR's clock (28 nm, 0.9 V, after layout): clocks alone.
#[test]
fn clocks_at_other_supplies_are_met_within_twice() {
    for (name, technology, millivolts, published) in [("morphic", "65nm", 800, 55.0), ("odin", "28nm", 900, 400.0)] {
        let testbench = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testbench");
        let text = std::fs::read_to_string(format!("{testbench}/chips/published/{name}.toml")).expect(name);
        let mut chip = Chip::parse(name, &text).expect(name);
        chip.voltage_mv = Some(millivolts);
        let technology = Technology::load(&format!("{testbench}/tech/{technology}.toml")).expect(technology);
        let clock = Bill::of(&chip, &technology).expect(name).highest_clock_hz as f64 / 1e6;
        assert!(distance(clock, published) < 2.0, "{name} at {millivolts} mV: {clock} MHz, published {published}");
    }
}
