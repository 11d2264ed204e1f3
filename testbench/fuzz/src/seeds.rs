//! What the targets begin with: sound files, small ones, and the files of `seeds/`, which once broke something.

use super::targets::SEPARATOR;
use onward_chip::Chip;
use onward_compile::{Options, compile};
use onward_diagnostic::Source;
use onward_emulate::{Engine, Machine};
use onward_image::Image;
use onward_run::Run;
use onward_run::data::{Dataset, Samples};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A network in which much of the language occurs.
const SMALL: &str = "network small {\n window = 4\n input x = rate(3, 3)\n target t = classes(3)\n learning = hinge\n\
    layer a = dense(8) from x, t { block = 4 }\n layer b = dense(6) from a\n readout r = nearest_target from b\n}\n";

/// Others, each with something of its own.
const NETWORKS: [&str; 4] = [
    SMALL,
    "network planes {\n window = 4\n input x = rate(6, 6)\n layer c = conv(2, 3) from x { padding = 1, stride = 2 }\n\
     layer d = dense(4) from c\n readout r = most_spikes from d\n}\n",
    "network again {\n window = 4\n include \"1.sp\"\n layer m = recurrent(6) from x { block = 3 }\n\
     layer o = dense(N) from m\n readout r = most_spikes from o\n}\n\n%%%%\nparameter N = 1 + 2\ninput x = rate(5)\n",
    "network tree {\n window = 4\n input x = rate(6)\n target t = classes(3)\n learning = hinge\n layer a = dense(6) from x, t\n\
     readout r = target_tree from a\n}\n",
];

/// The image of the small network, on two tiles: what checkpoints are of.
pub static SMALL_IMAGE: LazyLock<Image> = LazyLock::new(|| image_of(SMALL));

/// The image of a network of digits, its memories empty: what records are of.
pub static RECORDED_IMAGE: LazyLock<Image> = LazyLock::new(|| {
    let mut image = image_of(DIGITS);
    image.take_contents();
    image
});

const DIGITS: &str = "network small {\n window = 4\n input x = rate(8, 8)\n target t = classes(10)\n learning = hinge\n\
    layer a = dense(8) from x, t { block = 4 }\n readout r = nearest_target from a\n}\n";

fn image_of(text: &str) -> Image {
    let mut chip = Chip::builtin("small").expect("it is built in");
    (chip.mesh.width, chip.mesh.height) = (2, 1);
    let source = Source::new("small.sp", text);
    compile(&source, &Options::new(chip, 1)).unwrap_or_else(|errors| panic!("{}", source.render(&errors)))
}

/// The folder of the project, from wherever this is built.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let holds = |folder: &&Path| folder.join("programs/digits.sp").is_file();
    here.ancestors().find(holds).expect("the project lies above").to_owned()
}

/// The seeds of a target, in an order that does not change.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let root = root();
    let mut seeds = match target {
        "network" => [texts(&NETWORKS), of_folder(&root.join("programs"), "sp")].concat(),
        "compiler" => texts(&NETWORKS),
        "assembly" => of_folder(&root.join("programs"), "s"),
        "chip" => of_folder(&root.join("programs/chips"), "toml"),
        "technology" => of_folder(&root.join("programs/tech"), "toml"),
        "image" => [SMALL, NETWORKS[1]].iter().map(|text| image_of(text).to_bytes()[HEADER..].to_vec()).collect(),
        "nir" => nir(),
        "npz" => vec![archive()],
        "npy" => arrays(),
        "table" => texts(&[
            "a,b,c,d,label\n1,2,3,255,0\n255,7,6,5,1\n",
            "\u{feff}\"x, 1\",y,class,part,target1\r\n0.5,1,cat,train,0.25\r\n0,1e-3,\"d\"\"og\",test,1\r\n",
        ]),
        "idx" => idx(),
        "recordings" => recordings(),
        "checkpoint" => vec![checkpoint()],
        "events" => texts(&["# of a camera\n3,4\n0,7,1 # first\n\nwindow\nwindow\n9 , 0\n"]),
        "faults" => texts(&[
            "seed = 7\n[dead]\ncores = [{ x = 3, y = 2 }]\nrouters = [{ x = 1, y = 3 }]\nlinks = [{ x = 2, y = 2, side = \"east\" }]\n\
             core_share = 0.05\nlink_share = 0.05\n[memory]\nflipped = 0.001\nflips_a_step = 1e-9\nstuck = 1e-4\n\
             memories = [\"synapse\"]\n",
        ]),
        "space" => of_folder(&root.join("programs/spaces"), "toml"),
        "record" => vec![record()],
        other => panic!("no seeds for `{other}`"),
    };
    let mut broken = files_of(&root.join("testbench/fuzz/seeds").join(target));
    seeds.append(&mut broken);
    seeds
}

const HEADER: usize = 52;

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The files of a folder in the order of their names; none where there is no folder.
fn files_of(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter(|path| path.is_file()).map(|path| fs::read(path).expect("a seed can be read")).collect()
}

/// The files of that kind in a folder and below.
fn of_folder(folder: &Path, kind: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("it is committed").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let of_path = |path: &PathBuf| match path.is_dir() {
        true => of_folder(path, kind),
        false if path.extension().is_some_and(|found| found == kind) => vec![fs::read(path).expect("it is committed")],
        false => Vec::new(),
    };
    paths.iter().flat_map(of_path).collect()
}

/// A small network as NIR has it.
fn nir() -> Vec<Vec<u8>> {
    let text = "network n {\n window = 4\n input x = events(2, 4, 4)\n layer c = conv(2, 3) from x { weights = fixed }\n\
                layer d = dense(3) from c { weights = fixed }\n readout r = spikes from d\n}\n";
    let network = onward_net::Network::parse(&Source::new("n.sp", text)).expect("it is sound");
    let array =
        |shape: &[usize]| onward_net::Array { shape: shape.to_vec(), values: vec![0.25; shape.iter().product()] };
    let weights = [("c.weight".to_owned(), array(&[2, 2, 3, 3])), ("d.weight".to_owned(), array(&[3, 8]))].into();
    vec![onward_net::nir::write(&network, &weights, 1e-4).expect("NIR has words for it").bytes]
}

fn npy_of(shape: &str, kind: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((length as u16).to_le_bytes());
    file.extend(format!("{header:<width$}\n", width = length - 1).bytes());
    file.extend(bytes);
    file
}

fn arrays() -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = (0..64).collect();
    let labels = npy_of("(8,)", "<i8", &[0; 64]);
    let images = npy_of("(8, 8)", "|u1", &bytes);
    let reals: Vec<u8> = (0..64).flat_map(|at| (at as f64 / 64.0).to_le_bytes()).collect();
    let halves: Vec<u8> = (0..64u16).flat_map(|at| (0x3000 + at).to_be_bytes()).collect();
    let of = |array: Vec<u8>| [array, SEPARATOR.to_vec(), labels.clone()].concat();
    vec![of(images), of(npy_of("(8, 8)", "<f8", &reals)), of(npy_of("(8, 2, 4)", ">f2", &halves))]
}

/// An archive of stored members, written by hand: each file, then the list of them.
fn archive() -> Vec<u8> {
    let bytes: Vec<u8> = (0..64).collect();
    let members = [("samples.npy", npy_of("(8, 8)", "|u1", &bytes)), ("labels.npy", npy_of("(8,)", "|u1", &[1; 8]))];
    let (mut file, mut list) = (Vec::new(), Vec::new());
    for (name, contents) in &members {
        let at = file.len() as u32;
        let mut crc = flate2::Crc::new();
        crc.update(contents);
        let mut entry = vec![20, 0, 0, 0, 0, 0, 0, 0, 33, 0];
        entry.extend(crc.sum().to_le_bytes());
        entry.extend((contents.len() as u32).to_le_bytes());
        entry.extend((contents.len() as u32).to_le_bytes());
        entry.extend((name.len() as u16).to_le_bytes());
        entry.extend([0, 0]);
        file.extend(b"PK\x03\x04");
        file.extend(&entry);
        file.extend(name.bytes());
        file.extend(contents);
        list.extend(b"PK\x01\x02\x14\x00");
        list.extend(&entry);
        list.extend([0; 10]);
        list.extend(at.to_le_bytes());
        list.extend(name.bytes());
    }
    let (at, size) = (file.len() as u32, list.len() as u32);
    file.extend(list);
    file.extend(b"PK\x05\x06\x00\x00\x00\x00\x02\x00\x02\x00");
    file.extend(size.to_le_bytes());
    file.extend(at.to_le_bytes());
    file.extend([0, 0]);
    file
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory can be written");
    packed.finish().expect("memory can be written")
}

fn idx() -> Vec<Vec<u8>> {
    let images = [vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 4], vec![200; 16]].concat();
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
    let both = |images: &[u8], labels: &[u8]| [images, SEPARATOR, labels].concat();
    vec![both(&images, &labels), both(&packed(&images), &packed(&labels))]
}

fn wave() -> Vec<u8> {
    let samples: Vec<u8> = (0..400i16).flat_map(|at| (at % 37 * 500 - 9000).to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + samples.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00");
    file.extend(8000u32.to_le_bytes());
    file.extend(16000u32.to_le_bytes());
    file.extend(b"\x02\x00\x10\x00data");
    file.extend((samples.len() as u32).to_le_bytes());
    file.extend(samples);
    file
}

fn recordings() -> Vec<Vec<u8>> {
    let wave = wave();
    let mut archive = Vec::new();
    for name in ["3_a_0.wav", "3_a_9.wav"] {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", wave.len()).as_bytes());
        header[136..147].copy_from_slice(b"00000000000");
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend(header);
        archive.extend(&wave);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    vec![wave, archive]
}

/// The contents of a checkpoint of the small network, of which every array is as the image fills it.
fn checkpoint() -> Vec<u8> {
    let image = &*SMALL_IMAGE;
    let mut body = vec![0; 32];
    body.extend(1u32.to_le_bytes());
    body.extend(5u64.to_le_bytes());
    body.extend(1u64.to_le_bytes());
    body.push(1);
    body.extend((image.blocks.len() as u64).to_le_bytes());
    let text = |body: &mut Vec<u8>, text: &str| {
        body.extend((text.len() as u64).to_le_bytes());
        body.extend(text.bytes());
    };
    for block in &image.blocks {
        text(&mut body, &image.population(block).name);
        body.extend(block.first_neuron.to_le_bytes());
        body.extend(3u32.to_le_bytes());
        body.extend((block.symbols.len() as u64).to_le_bytes());
        for symbol in &block.symbols {
            text(&mut body, &symbol.name);
            body.extend(symbol.elements().to_le_bytes());
            body.extend((0..symbol.elements()).flat_map(|_| [1, 0, 0, 0]));
        }
    }
    body
}

/// The sections of a record behind its image: learning from a few digits, and a test.
fn record() -> Vec<u8> {
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let image = image_of(DIGITS);
    let options = onward_emulate::Options { seed: 1, timing: true, threads: 1 };
    let mut engine = Machine::new(&image, options).expect("the image is sound");
    let file = Shared::default();
    engine.begin_record(&image, Box::new(file.clone())).expect("memory can be written");
    let data = Dataset::load("digits").expect("it is built in");
    let few = |samples: &Samples, count: u32| samples.of_sequences(&(0..count).collect::<Vec<_>>());
    let data = Dataset { train: few(&data.train, 3), test: few(&data.test, 2), ..data };
    Run::with(&image, &data, options, Box::new(engine)).and_then(|mut run| run.learn(1, &mut ())).expect("it runs");
    let file = file.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    sections(&file).skip(1).collect::<Vec<_>>().join(SEPARATOR)
}

/// The sections of a record's file, each what it is and what it holds.
fn sections(mut file: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    file = &file[12..];
    std::iter::from_fn(move || {
        let packed_length = u64::from_le_bytes(file.get(9..17)?.try_into().ok()?) as usize;
        let mut section = vec![file[0]];
        let (packed, rest) = file[49..].split_at(packed_length);
        flate2::read::DeflateDecoder::new(packed).read_to_end(&mut section).expect("it was just written");
        file = rest;
        Some(section)
    })
}
