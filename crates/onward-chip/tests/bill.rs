//! The bill: that it is a sum of its parts, that clocks, barriers and supplies that cannot exist are refused, and that the
//! cases of a free lunch have their price.

use onward_chip::{BUILTIN_CHIPS, BUILTIN_TECHNOLOGIES, Bill, Chip, Design, Event, Technology};

fn design(settings: &[(&str, &str)]) -> Result<Design, String> {
    let settings: Vec<_> = settings.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    Design::load("middle", &settings, None).map_err(|error| error.to_string())
}

fn bill(settings: &[(&str, &str)]) -> Bill {
    design(settings).unwrap_or_else(|error| panic!("{settings:?}: {error}")).bill
}

#[test]
fn every_builtin_chip_exists_in_its_technology() {
    for (name, _) in BUILTIN_CHIPS {
        let design = Design::load(name, &[], None).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(design.chip.clock_hz <= design.bill.highest_clock_hz);
    }
    for (technology, _) in BUILTIN_TECHNOLOGIES {
        for (name, _) in BUILTIN_CHIPS {
            let highest =
                [("clock_hz".to_owned(), "highest".to_owned()), ("barrier_cycles".to_owned(), "64".to_owned())];
            let design =
                Design::load(name, &highest, Some(technology)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(design.chip.clock_hz, design.bill.highest_clock_hz);
        }
    }
}

#[test]
fn totals_are_sums_over_parts() {
    let bill = bill(&[]);
    let walked = bill.root.walk();
    let area: f64 = walked.iter().map(|(_, times, part)| *times as f64 * part.own_area_um2).sum();
    let leakage: f64 = walked.iter().map(|(_, times, part)| *times as f64 * part.own_leakage_nw).sum();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b, "{a} {b}");
    close(area / 1e6, bill.area_mm2());
    close(leakage / 1e9, bill.leakage_w());
    let by_kind = bill.leakage.rest_w + 16.0 * bill.leakage.core_w;
    close(by_kind, bill.leakage_w());
    for &event in Event::ALL {
        let spent = walked.iter().flat_map(|(_, _, part)| &part.energies).filter(|(of, _)| *of == event);
        close(spent.map(|(_, picojoules)| picojoules).sum::<f64>() + 1.0, bill.events[event] + 1.0);
    }
}

#[test]
fn what_cannot_exist_is_refused_with_what_would() {
    let highest = bill(&[]).highest_clock_hz;
    let error = design(&[("clock_hz", "5000000000")]).expect_err("5 GHz");
    assert!(
        error.starts_with("built-in chip `middle` with clock_hz=5000000000: `clock_hz` is 5000000000 but must be ")
            && error.contains(&highest.to_string())
            && error.contains("`clock_hz = \"highest\"`"),
        "{error}"
    );
    assert_eq!(design(&[("clock_hz", "highest")]).expect("the highest").chip.clock_hz, highest);
    let error = design(&[("barrier_cycles", "1")]).expect_err("faster than its tree");
    assert!(error.contains("`barrier_cycles` is 1 but must be ") && error.contains("4 x 4 tiles"), "{error}");
    let error = design(&[("voltage_mv", "200")]).expect_err("below the threshold");
    assert!(error.contains("`voltage_mv` is 200 but must be 600 to 1100"), "{error}");
    let error = design(&[("core.lane", "8")]).expect_err("no such key");
    assert!(error.contains("unknown field `lane`"), "{error}");
    let error = design(&[("core.lanes", "7")]).expect_err("no such lanes");
    assert!(error.contains("`core.lanes` is 7 but must be 4, 8, 16, 32 or 64"), "{error}");
    let error = design(&[("name.x", "7")]).expect_err("not a section");
    assert!(error.contains("`name.x` is not a key"), "{error}");
    let parsed = Chip::parse("my.toml", "name = \"x\"\nclock_hz = \"fast\"\n[mesh]\nwidth = 2\nheight = 2\n");
    let error = parsed.expect_err("no such clock").to_string();
    assert!(error.starts_with("my.toml:2:12: ") && error.contains("or \"highest\""), "{error}");
}

#[test]
fn a_path_is_seen_from_the_file_that_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("tech")).expect("a folder");
    let text = BUILTIN_TECHNOLOGIES[0].1.replacen("name = \"45nm\"", "name = \"ours\"", 1);
    std::fs::write(folder.path().join("tech/ours.toml"), text).expect("written");
    let chip = folder.path().join("chip.toml");
    let text = "name = \"mine\"\ntechnology = \"tech/ours.toml\"\n[mesh]\nwidth = 2\nheight = 2\n";
    std::fs::write(&chip, text).expect("written");
    let design = Design::load(&chip.display().to_string(), &[], None).expect("loads from anywhere");
    assert_eq!(design.technology.name, "ours");
    // And it can be loaded again by what the chip says now.
    assert_eq!(Technology::load(&design.chip.technology).expect("found").name, "ours");
}

#[test]
fn a_lower_supply_saves_energy_and_leakage_and_costs_time() {
    let (nominal, low) = (bill(&[]), bill(&[("voltage_mv", "800"), ("clock_hz", "highest")]));
    assert!(low.highest_clock_hz < nominal.highest_clock_hz);
    assert!(low.leakage_w() < nominal.leakage_w());
    assert_eq!(low.area_mm2().to_bits(), nominal.area_mm2().to_bits());
    let ratio = low.events[Event::VectorMultiply] / nominal.events[Event::VectorMultiply];
    assert!((ratio - (0.8f64 / 0.9).powi(2)).abs() < 1e-12, "{ratio}");
}

/// What was once for nothing.
#[test]
fn nothing_is_free() {
    let base = bill(&[]);
    let area = |settings: &[(&str, &str)]| bill(settings).area_mm2() / base.area_mm2();
    let costs = |settings: &[(&str, &str)], event: Event| bill(settings).events[event] / base.events[event];
    let slow = ("clock_hz", "50000000");
    assert!(area(&[("mesh.buffer_flits", "64"), slow]) > 1.001);
    assert!(costs(&[("mesh.buffer_flits", "64"), slow], Event::FlitHop) > 1.05);
    assert!(area(&[("mesh.topology", "torus")]) > 1.005);
    assert!(area(&[("core.vector_length", "4096"), slow]) > 1.2);
    assert!(area(&[("mesh.multicast_trees", "65535"), slow]) > 1.2);
    assert!(costs(&[("memory.instruction_words", "1048576"), slow], Event::InstructionFetch) > 1.5);
    assert!(area(&[("core.lanes", "64")]) > 1.1);
    assert!(costs(&[("mesh.link_cycles", "2")], Event::FlitHop) > 1.02);
    // A larger core makes longer links.
    assert!(bill(&[("memory.synapse_bytes", "1048576"), slow]).tile_side_mm > 1.5 * base.tile_side_mm);
}
