//! Chip and technology files: what is built in, defaults, and what each mistake is answered with.

use onward_chip::{Array, BUILTIN_CHIPS, BUILTIN_TECHNOLOGIES, Chip, FileError, HostPort, Side, Technology, Topology};
use onward_diagnostic::Remedy;

const LEAST: &str = "name = \"least\"\n[mesh]\nwidth = 3\nheight = 2\n";

fn error_of(text: &str) -> String {
    Chip::parse("my.toml", text).expect_err(text).to_string()
}

#[test]
fn every_builtin_is_valid_and_named_after_its_file() {
    for (name, _) in BUILTIN_CHIPS {
        let chip = Chip::builtin(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(chip.name, *name);
        Technology::load(&chip.technology).unwrap_or_else(|error| panic!("{error}"));
    }
    for (name, _) in BUILTIN_TECHNOLOGIES {
        assert_eq!(Technology::builtin(name).unwrap_or_else(|error| panic!("{error}")).name, *name);
    }
}

/// `middle.toml` claims to spell out the defaults.
#[test]
fn middle_says_the_defaults() {
    let middle = Chip::builtin("middle").expect("built in");
    let mut least = Chip::parse("my.toml", LEAST).expect("name and mesh are enough");
    (least.name, least.mesh.width, least.mesh.height) = ("middle".to_owned(), 4, 4);
    assert_eq!(least, middle);
    assert_eq!(middle.data_memory_bytes(), 256 * 1024);
    assert_eq!(middle.host.ports, [HostPort { side: Side::West, position: 0 }]);
}

#[test]
fn a_chip_survives_being_written_and_read() {
    for (name, _) in BUILTIN_CHIPS {
        let chip = Chip::builtin(name).expect("built in");
        assert_eq!(Chip::parse("again", &toml::to_string(&chip).expect("TOML")).expect("still valid"), chip);
    }
}

#[test]
fn loads_from_a_path_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, LEAST).expect("written");
    assert_eq!(Chip::load(&path.display().to_string()).expect("loads").mesh.tiles(), 6);
    std::fs::write(&path, [0xff, 0xfe]).expect("written");
    let error = Chip::load(&path.display().to_string()).expect_err("not text");
    assert!(matches!(error, FileError::Read { .. }), "{error}");
    assert!(error.to_string().contains("mine.toml"), "{error}");
}

#[test]
fn an_unknown_name_lists_those_that_exist() {
    let error = Chip::load("smal").expect_err("no such chip");
    assert_eq!(
        error.to_string(),
        "no chip `smal`: built in are small, middle, middle-8-lanes, large, convolution, wide"
    );
    assert!(error.remedy().is_some_and(|remedy| remedy.contains(".toml file that exists")), "{error:?}");
    let error = Technology::load("7nm").expect_err("no such technology").to_string();
    assert!(error.contains("45nm, 22nm-seneca"), "{error}");
}

#[test]
fn mistakes_in_the_text_name_line_and_column() {
    let unknown_key = error_of("name = \"x\"\n[mesh]\nwidth = 2\nheight = 2\nwidht = 3\n");
    assert!(unknown_key.starts_with("my.toml:5:1: unknown field `widht`"), "{unknown_key}");
    let too_wide = error_of("name = \"x\"\n[mesh]\nwidth = 70000\nheight = 2\n");
    assert!(too_wide.starts_with("my.toml:3:9: ") && too_wide.contains("70000"), "{too_wide}");
    let no_name = error_of("[mesh]\nwidth = 2\nheight = 2\n");
    assert!(no_name.starts_with("my.toml: missing field `name`"), "{no_name}");
    let no_height = error_of("name = \"x\"\n[mesh]\nwidth = 2\n");
    assert!(no_height.contains("missing field `height`") && no_height.contains("my.toml:2"), "{no_height}");
    let side = error_of(&format!("{LEAST}[host]\nports = [{{ side = \"up\", position = 0 }}]"));
    assert!(side.contains("my.toml:6:") && side.contains("west"), "{side}");
    let error = Chip::parse("my.toml", "name = ").expect_err("no value");
    assert!(error.remedy().is_some_and(|remedy| remedy.contains("a chip file needs")), "{error:?}");
    assert!(error_of("name = ").starts_with("my.toml:1:"));
    error_of("");
}

fn array(width: u16, height: u16, link_cycles: u16, cycles_per_flit: u16) -> Array {
    Array { width, height, link_cycles, cycles_per_flit }
}

#[test]
fn the_network_of_a_chip_is_said_in_its_file() {
    let text = "name = \"x\"\nbarrier_cycles = 12\n[mesh]\nwidth = 8\nheight = 4\ncores_per_tile = 2\n\
                topology = \"torus\"\n[mesh.array]\nwidth = 2\nheight = 1\nlink_cycles = 12\ncycles_per_flit = 4\n";
    let mesh = Chip::parse("my.toml", text).expect("a chip").mesh;
    assert_eq!((mesh.tiles(), mesh.cores(), mesh.topology), (32, 64, Topology::Torus));
    assert_eq!(mesh.array, Some(array(2, 1, 12, 4)));
    let plain = Chip::parse("my.toml", LEAST).expect("a chip").mesh;
    assert_eq!((plain.cores_per_tile, plain.topology, plain.array), (1, Topology::Mesh, None));
    let of = |from: &str, to: &str| error_of(&text.replace(from, to));
    let ring = of("\"torus\"", "\"ring\"");
    assert!(ring.starts_with("my.toml:7:12: ") && ring.contains("`mesh` or `torus`"), "{ring}");
    assert_eq!(
        of("width = 2", "width = 3"),
        "my.toml: `mesh.array.width` is 3 but must be chips that share the mesh's width of 8 tiles equally"
    );
    assert_eq!(
        of("cycles_per_flit = 4", "cycles_per_flit = 14"),
        "my.toml: `mesh.array.cycles_per_flit` is 14 but must be 1 to 13: no more than `mesh.array.link_cycles` + 1, as a \
         flit is there when its last part is"
    );
    assert_eq!(
        of("barrier_cycles = 12", "barrier_cycles = 11"),
        "my.toml: `barrier_cycles` is 11 but must be 12 or more (`mesh.array.link_cycles`), as the last credits of a step \
         take so long"
    );
    assert_eq!(
        of("cores_per_tile = 2", "cores_per_tile = 4"),
        "my.toml: `host.ports[0].position` is 0 but must be a router with a port left: on a torus one has 4 for cores and \
         host ports, and `mesh.cores_per_tile` takes 4"
    );
}

#[test]
fn every_limit_is_checked_and_all_are_told() {
    type Spoil = fn(&mut Chip);
    let cases: &[(&str, Spoil)] = &[
        ("name", |chip| chip.name.clear()),
        ("technology", |chip| chip.technology = " ".to_owned()),
        ("clock_hz", |chip| chip.clock_hz = 0),
        ("mesh.width", |chip| chip.mesh.width = 257),
        ("mesh.height", |chip| chip.mesh.height = 0),
        ("mesh.buffer_flits", |chip| chip.mesh.buffer_flits = 0),
        ("mesh.buffer_flits", |chip| chip.mesh.buffer_flits = 65),
        ("mesh.link_cycles", |chip| chip.mesh.link_cycles = 65),
        ("barrier_cycles", |chip| chip.barrier_cycles = 0),
        ("barrier_cycles", |chip| chip.mesh.link_cycles = 9),
        ("barrier_cycles", |chip| (chip.barrier_cycles, chip.mesh.link_cycles) = (63, 64)),
        ("mesh.cores_per_tile", |chip| chip.mesh.cores_per_tile = 0),
        ("mesh.cores_per_tile", |chip| chip.mesh.cores_per_tile = 5),
        ("mesh.array.width", |chip| chip.mesh.array = Some(array(0, 1, 4, 1))),
        ("mesh.array.height", |chip| chip.mesh.array = Some(array(2, 3, 4, 1))),
        ("mesh.array.link_cycles", |chip| chip.mesh.array = Some(array(1, 2, 1025, 1))),
        ("mesh.array.cycles_per_flit", |chip| chip.mesh.array = Some(array(2, 1, 4, 0))),
        ("mesh.array.cycles_per_flit", |chip| chip.mesh.array = Some(array(2, 1, 4, 6))),
        ("barrier_cycles", |chip| chip.mesh.array = Some(array(2, 1, 9, 1))),
        ("host.ports[0].position", |chip| {
            (chip.mesh.topology, chip.mesh.cores_per_tile) = (Topology::Torus, 4);
        }),
        ("host.ports[1].position", |chip| {
            (chip.mesh.topology, chip.mesh.cores_per_tile) = (Topology::Torus, 3);
            chip.host.ports.push(HostPort { side: Side::North, position: 0 });
        }),
        ("core.dispatch_cycles", |chip| chip.core.dispatch_cycles = 0),
        ("core.lanes", |chip| chip.core.lanes = 12),
        ("core.vector_length", |chip| chip.core.vector_length = 0),
        ("core.vector_length", |chip| chip.core.vector_length = 96),
        ("core.vector_length", |chip| chip.core.vector_length = 4096 + 64),
        ("core.blocks", |chip| chip.core.blocks = 0),
        ("memory.instruction_words", |chip| chip.memory.instruction_words = 0),
        ("memory.synapse_bytes", |chip| chip.memory.synapse_bytes = 0),
        ("memory.neuron_bytes", |chip| chip.memory.neuron_bytes = 1001),
        ("memory.axon_bytes", |chip| chip.memory.axon_bytes = u32::MAX - 3),
        ("memory.axons", |chip| chip.memory.axons = 0),
        ("memory.routes", |chip| chip.memory.routes = u32::MAX),
        ("host.ports", |chip| chip.host.ports.clear()),
        ("host.ports[0].position", |chip| chip.host.ports[0].position = 2),
        ("host.ports[1].position", |chip| chip.host.ports.push(chip.host.ports[0])),
    ];
    let good = Chip::builtin("small").expect("built in");
    good.validate().expect("a built-in chip is within the limits");
    for (key, spoil) in cases {
        let mut chip = good.clone();
        spoil(&mut chip);
        match chip.validate() {
            Err(FileError::Limits { problems, .. }) => {
                assert_eq!(problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(), [*key]);
            }
            other => panic!("{key}: {other:?}"),
        }
    }
    let mut chip = good.clone();
    (chip.core.lanes, chip.mesh.link_cycles) = (7, 100);
    assert_eq!(
        chip.validate().expect_err("two limits").to_string(),
        "chip `small`: `mesh.link_cycles` is 100 but must be 0 to 64; `core.lanes` is 7 but must be 4, 8, 16, 32 or 64"
    );
}

/// The last credit of a step is usable `link_cycles` after the last delivery, and must be back for the next step.
#[test]
fn a_barrier_lasts_as_long_as_a_link() {
    let text = |barrier: u32, link: u16| format!("barrier_cycles = {barrier}\n{LEAST}link_cycles = {link}\n");
    for (barrier, link) in [(1, 0), (1, 1), (3, 3), (64, 64)] {
        Chip::parse("my.toml", &text(barrier, link)).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(
        error_of(&text(2, 3)),
        "my.toml: `barrier_cycles` is 2 but must be 3 or more (`mesh.link_cycles`), as the last credits of a step take \
         so long"
    );
    assert_eq!(error_of(&text(0, 0)), "my.toml: `barrier_cycles` is 0 but must be 1 or more");
}

#[test]
fn figures_are_complete_or_the_file_is_refused() {
    let text = BUILTIN_TECHNOLOGIES[0].1;
    let technology = Technology::parse("t.toml", text).expect("built in");
    let spoilt = |spoil: fn(&mut Technology)| {
        let mut spoilt = technology.clone();
        spoil(&mut spoilt);
        spoilt.validate().expect_err("spoilt").to_string()
    };
    let of = |key: &str, error: String| assert!(error.contains(&format!("`{key}` is ")), "{key}: {error}");
    of("cells.nand2.area_um2", spoilt(|technology| technology.cells.nand2.area_um2 = -1.0));
    of(
        "memories.two_port.read_fj.per_cell",
        spoilt(|technology| technology.memories.two_port.read_fj.per_cell = f64::NAN),
    );
    of("wires.source", spoilt(|technology| technology.wires.source = " ".to_owned()));
    of("uncertainty", spoilt(|technology| technology.uncertainty = 0.5));
    of("voltage", spoilt(|technology| technology.voltage.lowest_v = technology.voltage.threshold_v));
    of("voltage.alpha", spoilt(|technology| technology.voltage.alpha = 3.0));
    of("layout.density", spoilt(|technology| technology.layout.density = 0.0));
    of("memories.one_port.largest_words", spoilt(|technology| technology.memories.one_port.largest_words = 0));
    let renamed = text.replacen("[cells.nand2]", "[cells.nand3]", 1);
    let error = Technology::parse("t.toml", &renamed).expect_err("another cell");
    assert!(error.to_string().contains("unknown field `nand3`"), "{error}");
    assert!(error.remedy().is_some_and(|remedy| remedy.contains("programs/tech/45nm.toml")), "{error:?}");
    let missing =
        Technology::parse("t.toml", "name = \"x\"\ndescription = \"\"\n").expect_err("no figures").to_string();
    assert!(missing.contains("missing field"), "{missing}");
}
