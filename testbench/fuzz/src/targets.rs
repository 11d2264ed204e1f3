//! The readers.

use onward_assembly::assemble_system;
use onward_chip::{Bill, Chip, Faults, Technology};
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::{RECORD_VERSION, Record, reference};
use onward_explore::{KnownMeasure, KnownParameter, Value, Vocabulary, space};
use onward_image::{Core, Detours, Endpoint, Image};
use onward_net::nir;
use onward_run::Checkpoint;
use onward_run::data::{Dataset, EventStream};
use onward_verify::{Contract, verify};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// A reader by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("network", network),
    ("compiler", compiler),
    ("assembly", assembly),
    ("chip", chip),
    ("technology", technology),
    ("image", image),
    ("nir", nir_file),
    ("npz", npz),
    ("npy", npy),
    ("table", table),
    ("idx", idx),
    ("recordings", recordings),
    ("checkpoint", checkpoint),
    ("events", events),
    ("faults", faults),
    ("space", designs),
    ("record", record),
];

/// What stands between the files of one input.
pub const SEPARATOR: &[u8] = b"\n%%%%\n";

/// The files that an input holds.
fn files(bytes: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        files.push(&rest[..at]);
        rest = &rest[at + SEPARATOR.len()..];
    }
    files.push(rest);
    files
}

/// The texts that an input holds, by the names `0`, `1`, ...; nothing where one of them is no text.
fn texts(bytes: &[u8]) -> Option<Vec<&str>> {
    files(bytes).into_iter().map(|file| std::str::from_utf8(file).ok()).collect()
}

fn included<'a>(texts: &[&'a str], path: &str) -> Option<&'a str> {
    path.rsplit('/').next()?.split('.').next()?.parse::<usize>().ok().and_then(|at| texts.get(at).copied())
}

/// A text of the language with what it includes, and the text that its network is written as.
fn network(bytes: &[u8]) {
    let Some(source) = network_source(bytes) else { return };
    match onward_net::Network::parse(&source) {
        Ok(network) => {
            let written = network.to_string();
            let again = Source::new("written.sp", written);
            if let Err(errors) = onward_net::Network::parse(&again) {
                panic!("what is written is not read:\n{}", again.render(&errors));
            }
        }
        Err(errors) => drop(source.render(&errors)),
    }
}

fn network_source(bytes: &[u8]) -> Option<Source> {
    let texts = texts(bytes)?;
    let mut read = |path: &Path| {
        let text = included(&texts, &path.to_string_lossy()).map(str::to_owned);
        text.ok_or_else(|| std::io::ErrorKind::NotFound.into())
    };
    match onward_net::with_includes(Source::new("main.sp", texts[0]), &mut read) {
        Ok(source) => Some(source),
        Err((source, errors)) => {
            source.render(&errors);
            None
        }
    }
}

/// The same, compiled for a small chip.
fn compiler(bytes: &[u8]) {
    let Some(source) = network_source(bytes) else { return };
    // Arrays in files are for the targets that read arrays.
    if source.text.contains("file") {
        return;
    }
    if let Err(errors) = compile(&source, &Options::new(SMALL.clone(), 1)) {
        source.render(&errors);
    }
}

static SMALL: LazyLock<Chip> = LazyLock::new(|| Chip::builtin("small").expect("it is built in"));

/// A system in assembly with what it includes.
fn assembly(bytes: &[u8]) {
    let Some(texts) = texts(bytes) else { return };
    let mut read = |_: &str, path: &str| {
        let text = included(&texts, path).ok_or_else(|| "there is no such text".to_owned())?;
        Ok(Source::new(path, text))
    };
    match assemble_system(&Source::new("main.s", texts[0]), &SMALL, &mut read) {
        Ok(system) => go_on(&system.image),
        Err(errors) => drop(errors.render()),
    }
}

/// What commands do with an image.
fn go_on(image: &Image) {
    for program in &image.programs {
        onward_isa::disassemble(&program.words, &program.labels);
    }
    let options = onward_emulate::Options { seed: 1, timing: true, threads: 1 };
    drop(reference::Machine::new(image, options));
    drop(onward_emulate::Machine::new(image, options));
    verify(image, &Contract::of_network());
}

fn chip(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // The file of a technology is another target's.
    let Ok(chip) = Chip::parse("chip.toml", text) else { return };
    if let Ok(technology) = Technology::builtin(&chip.technology)
        && let Ok(bill) = Bill::of(&chip, &technology)
    {
        drop(bill.check(&chip, "chip.toml"));
        bill.costs(&chip);
    }
}

fn technology(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(technology) = Technology::parse("technology.toml", text) else { return };
    if let Ok(bill) = Bill::of(&SMALL, &technology) {
        drop(bill.check(&SMALL, "chip.toml"));
        bill.costs(&SMALL);
    }
}

/// The contents of an image file, with the right header before them; and the bytes as a file themselves.
fn image(bytes: &[u8]) {
    drop(Image::from_bytes(bytes));
    if let Ok(image) = Image::from_bytes(&sealed(b"\x89ONW\r\n\x1a\n", onward_image::VERSION, bytes)) {
        go_on(&image);
    }
}

/// A file of magic, version, length, checksum and contents.
fn sealed(magic: &[u8; 8], version: u32, contents: &[u8]) -> Vec<u8> {
    let mut file = magic.to_vec();
    file.extend(version.to_le_bytes());
    file.extend((contents.len() as u64).to_le_bytes());
    file.extend(blake3::hash(contents).as_bytes());
    file.extend(contents);
    file
}

fn nir_file(bytes: &[u8]) {
    if let Ok(imported) = nir::read(bytes, &nir::Options::default()) {
        drop(imported.network.to_string());
    }
}

/// A folder that data are put into, one for each thread, and taken out of again.
fn in_folder(files: &[(&str, &[u8])], read: impl FnOnce(&Path)) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder can be made");
    }
    FOLDER.with(|folder| {
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).expect("a file can be written");
        }
        read(folder.path());
        for (name, _) in files {
            fs::remove_file(folder.path().join(name)).expect("it was just written");
        }
    });
}

fn data(path: &Path) {
    if let Ok(data) = Dataset::load(&path.to_string_lossy()) {
        drop(data.check(&[8, 8], 10));
        drop(data.check_events(64, 16, 10));
    }
}

fn npz(bytes: &[u8]) {
    in_folder(&[("a.npz", bytes)], |folder| {
        drop(onward_net::read_npz(&folder.join("a.npz")));
        data(&folder.join("a.npz"));
    });
}

/// Arrays by themselves: a sample's and, behind it, what is to be learned; and as weights of a network.
fn npy(bytes: &[u8]) {
    let files = files(bytes);
    let labels = files.get(1).copied().unwrap_or(files[0]);
    in_folder(&[("samples.npy", files[0]), ("labels.npy", labels)], |folder| {
        data(folder);
        let text = "network n {\n input x = rate(8)\n layer y = dense(8) from x { weights = fixed { values = \
                    file(\"samples.npy\") } }\n readout s = spikes from y\n}\n";
        if let Ok(mut network) = onward_net::Network::parse(&Source::new("net.sp", text)) {
            drop(network.load(folder));
        }
    });
}

fn table(bytes: &[u8]) {
    in_folder(&[("table.csv", bytes)], |folder| data(&folder.join("table.csv")));
}

/// Images and labels, of both parts.
fn idx(bytes: &[u8]) {
    let files = files(bytes);
    let labels = files.get(1).copied().unwrap_or(b"");
    let names =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
    let contents = [files[0], labels, files[0], labels];
    let all: Vec<(&str, &[u8])> = names.into_iter().zip(contents).collect();
    in_folder(&all, data);
}

/// An archive, as it is and compressed; and a single recording.
fn recordings(bytes: &[u8]) {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, bytes).expect("memory can be written");
    let packed = packed.finish().expect("memory can be written");
    in_folder(&[("recordings.tar", bytes)], |folder| data(&folder.join("recordings.tar")));
    in_folder(&[("recordings.tar.gz", &packed)], |folder| data(&folder.join("recordings.tar.gz")));
    in_folder(&[("3_a_0.wav", bytes), ("3_a_9.wav", bytes)], data);
}

/// The contents of a checkpoint, with the right header before them, for a small network; and the bytes as they are.
fn checkpoint(bytes: &[u8]) {
    drop(Checkpoint::from_bytes(bytes));
    let file = sealed(b"\x89ONC\r\n\x1a\n", onward_run::CHECKPOINT_VERSION, bytes);
    if let Ok(checkpoint) = Checkpoint::from_bytes(&file) {
        assert_eq!(Checkpoint::from_bytes(&checkpoint.to_bytes()).expect("it was just written"), checkpoint);
        if let Ok(image) = checkpoint.apply(&super::seeds::SMALL_IMAGE) {
            image.check().expect("what was learned fits the image");
        }
    }
}

fn events(bytes: &[u8]) {
    let mut stream = EventStream::new(bytes, "events", 16, 64);
    while let Ok(Some(window)) = stream.next_window() {
        assert_eq!(window.len(), 1);
    }
}

/// A fault file, on a chip that is large enough for ways round what is dead.
fn faults(bytes: &[u8]) {
    static MIDDLE: LazyLock<Chip> = LazyLock::new(|| Chip::builtin("middle").expect("it is built in"));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(chip) = Faults::parse("faults.toml", text).and_then(|faults| faults.on(&MIDDLE, "faults.toml")) else {
        return;
    };
    chip.validate().expect("what a fault file makes of a chip is one");
    if let Some(detours) = Detours::of(&chip.mesh, &chip.host.ports) {
        let cores = 0..chip.mesh.cores() as u32;
        let ends: Vec<Endpoint> =
            cores.filter(|core| !chip.mesh.is_dead(*core)).map(|core| Endpoint::Core(Core(core))).collect();
        detours.tree(Endpoint::Host(0), &ends);
    }
}

/// A space of designs: of the parameters that the committed ones have, whatever values these may take.
fn designs(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let source = Source::new("space.toml", text);
    match space::read(&source, &VOCABULARY) {
        Ok(space) => {
            for design in space.enumerate(100).into_iter().flatten() {
                space.settings(&design);
                space.words(&design);
            }
        }
        Err(errors) => drop(source.render(&errors)),
    }
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let number = |name: &str, moves_answers| KnownParameter {
        name: name.to_owned(),
        allowed: "a number from 0 to 1,000,000".to_owned(),
        allows: Box::new(|value| value.number().is_some_and(|number| (0.0..=1e6).contains(&number))),
        meaning: String::new(),
        cost: String::new(),
        moves_answers,
    };
    let word = |name: &str| KnownParameter {
        allows: Box::new(|value| matches!(value, Value::Word(_) | Value::Integer(_))),
        ..number(name, false)
    };
    let answers = ["network.bits", "network.hidden", "network.block", "network.rate", "learning.epochs"];
    let chip = ["core.lanes", "memory.synapse_bytes", "memory.axons", "mesh.width", "mesh.height", "voltage_mv"];
    let words = ["chip", "chip.clock_hz", "chip.mesh.topology", "technology"];
    let mut parameters: Vec<KnownParameter> = answers.iter().map(|name| number(name, true)).collect();
    parameters.extend(chip.iter().map(|name| number(&format!("chip.{name}"), false)));
    parameters.extend(words.iter().map(|name| word(name)));
    let measures = ["accuracy_percent", "training_energy_j", "training_s", "energy_delay_js", "area_mm2"];
    let measures =
        measures.map(|name| KnownMeasure { name, meaning: "", lowest: 0.0, highest: f64::INFINITY }).to_vec();
    Vocabulary { parameters, measures }
});

/// The sections of a record behind its image, each what it is and what it holds; timed for the chip that it is of, and for one of
/// fewer lanes. And the bytes as they are.
fn record(bytes: &[u8]) {
    drop(Record::from_bytes(bytes));
    let image = &*super::seeds::RECORDED_IMAGE;
    let mut other = image.clone();
    other.chip.core.lanes = 4;
    if let Ok(record) = Record::from_bytes(&recorded(image, &files(bytes))) {
        for image in [image, &other] {
            drop(onward_run::retime(&record, image, 1));
        }
    }
}

/// A record's file: its head, the image, and then sections.
fn recorded(image: &Image, sections: &[&[u8]]) -> Vec<u8> {
    let mut file = b"\x89ONR\r\n\x1a\n".to_vec();
    file.extend(RECORD_VERSION.to_le_bytes());
    let image = [&[1][..], &image.to_bytes()].concat();
    let all = std::iter::once(&image[..]).chain(sections.iter().copied()).filter_map(<[u8]>::split_first);
    for (number, (kind, contents)) in (0u64..).zip(all) {
        let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, contents).expect("memory can be written");
        let packed = packed.finish().expect("memory can be written");
        let mut head = vec![*kind];
        head.extend((contents.len() as u64).to_le_bytes());
        head.extend((packed.len() as u64).to_le_bytes());
        let hash = blake3::hash(&[&head[..], &number.to_le_bytes(), &packed].concat());
        file.extend([&head[..], hash.as_bytes(), &packed].concat());
    }
    file
}
