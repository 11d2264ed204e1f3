//! No command writes over what it reads: for every command, every input and every output, by whatever name.
//!
//! What a command takes is read off its own `--help`: an option whose value names a file, and that no case tries, fails it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Options that name a file that is read, or something that may be one.
const INPUTS: &[&str] = &[
    "--data",
    "--traffic",
    "--weights",
    "--chip",
    "--technology",
    "--calibration",
    "--beside",
    "--stream",
    "--commands",
    "--space",
    "--faults",
];
/// Options that name a file that is written.
const OUTPUTS: &[&str] = &[
    "--output",
    "--answers",
    "--export",
    "--json",
    "--save-traffic",
    "--spikes",
    "--floorplan",
    "--probe-output",
    "--profile-output",
    "--checkpoint",
    "--report",
    "--csv",
    "--parquet",
    "--database",
    "--waveform",
    "--record",
];
/// Words in the names of values that name files.
const FILES: &[&str] = &["FILE", "DATA", "CHIP", "TECHNOLOGY", "PATH", "FOLDER", "IMAGE", "."];

/// A command with all that it can read.
struct Case {
    command: &'static str,
    /// What it reads, named or not.
    inputs: &'static [&'static str],
    /// What it writes: an option, and where it goes where it is not asked about.
    outputs: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        command: "train net.sp --data given.npz --chip chip.toml --technology other.toml --traffic traffic.json --weights w.npz \
                  --epochs 1",
        inputs: &["net.sp", "rule.sp", "given.npz", "chip.toml", "other.toml", "traffic.json", "w.npz"],
        outputs: &["--checkpoint", "--output", "--export", "--answers", "--json", "--save-traffic", "--report"],
    },
    Case {
        command: "train net.sp --data given.npz --chip chip.toml --epochs 1 --probe h.spikes,h.weights --faults faults.toml",
        inputs: &["faults.toml", "net.sp", "rule.sp", "given.npz", "chip.toml"],
        outputs: &["--probe-output"],
    },
    Case {
        command: "run still.onw --data given.npz --probe y.membrane[0..4] --to 9",
        inputs: &["still.onw", "given.npz"],
        outputs: &["--probe-output"],
    },
    // What the texts name themselves: data and technology.
    Case {
        command: "train net.sp --chip chip.toml --epochs 1",
        inputs: &["own.npz", "tech.toml"],
        outputs: &["--output", "--export", "--answers", "--json", "--save-traffic", "--report"],
    },
    Case {
        command: "train still.sp",
        inputs: &["still.sp", "eye.npy", "own.npz"],
        outputs: &["--json", "--save-traffic", "--profile-output"],
    },
    Case {
        command: "bandit net.sp --data given.npz --chip chip.toml --technology other.toml --traffic traffic.json --trials 2 --faults faults.toml",
        inputs: &["faults.toml", "net.sp", "rule.sp", "given.npz", "chip.toml", "other.toml", "traffic.json"],
        outputs: &[
            "--checkpoint",
            "--output",
            "--export",
            "--answers",
            "--json",
            "--save-traffic",
            "--profile-output",
            "--report",
        ],
    },
    Case {
        command: "run net.onw --learn --epochs 1 --data given.npz --weights w.npz",
        inputs: &["net.onw", "given.npz", "w.npz"],
        outputs: &["--checkpoint", "--output", "--export", "--answers", "--json", "--save-traffic", "--report"],
    },
    Case {
        command: "run net.onw --learn --epochs 1",
        inputs: &["own.npz", "tech.toml"],
        outputs: &["--output", "--json"],
    },
    Case {
        command: "run still.onw --data given.npz --faults faults.toml",
        inputs: &["faults.toml", "still.onw", "given.npz"],
        outputs: &["--json", "--save-traffic", "--profile-output", "--spikes"],
    },
    Case {
        command: "profile net.onw --learn --epochs 1 --data given.npz --weights w.npz",
        inputs: &["net.onw", "given.npz", "w.npz"],
        outputs: &["--checkpoint", "--output", "--export", "--answers", "--json", "--save-traffic", "--report"],
    },
    Case {
        command: "profile still.onw --data given.npz --faults faults.toml",
        inputs: &["faults.toml", "still.onw"],
        outputs: &["--json", "--spikes", "--profile-output"],
    },
    Case {
        command: "profile still.onw --data given.npz --probe y.membrane[0..4] --to 9",
        inputs: &["still.onw", "given.npz"],
        outputs: &["--probe-output"],
    },
    Case { command: "profile camera.onw --stream events.txt", inputs: &["camera.onw", "events.txt"], outputs: &[] },
    Case {
        command: "profile system.s --chip chip.toml --technology other.toml",
        inputs: &["system.s", "part.s", "chip.toml", "other.toml"],
        outputs: &["--json"],
    },
    Case { command: "run camera.onw --stream events.txt", inputs: &["camera.onw", "events.txt"], outputs: &[] },
    Case {
        command: "run system.s --chip chip.toml --technology other.toml",
        inputs: &["system.s", "part.s", "chip.toml", "other.toml"],
        outputs: &["--json"],
    },
    Case {
        command: "compile still.sp --chip chip.toml --technology other.toml --traffic still.json --calibration ranges.json",
        inputs: &["still.sp", "eye.npy", "chip.toml", "other.toml", "still.json", "ranges.json"],
        outputs: &["--output", "--json"],
    },
    Case {
        command: "compile net.sp --chip chip.toml --faults faults.toml",
        inputs: &["faults.toml", "net.sp", "rule.sp", "tech.toml"],
        outputs: &["--output"],
    },
    Case { command: "compile model.nir", inputs: &["model.nir"], outputs: &["--output"] },
    Case {
        command: "calibrate still.sp --data given.npz --chip chip.toml --technology other.toml --traffic still.json --samples 2 --faults faults.toml",
        inputs: &["faults.toml", "still.sp", "eye.npy", "given.npz", "chip.toml", "other.toml", "still.json"],
        outputs: &["--output", "--json"],
    },
    Case { command: "import model.nir", inputs: &["model.nir"], outputs: &["--output", "--json"] },
    Case { command: "export net.onw", inputs: &["net.onw"], outputs: &["--output", "--json"] },
    Case {
        command: "export net.sp --nir --weights w.npz",
        inputs: &["net.sp", "rule.sp", "w.npz"],
        outputs: &["--output"],
    },
    Case { command: "verify net.onw", inputs: &["net.onw"], outputs: &["--json"] },
    Case {
        command: "verify system.s --chip chip.toml --technology other.toml",
        inputs: &["system.s", "part.s", "chip.toml", "other.toml"],
        outputs: &["--json"],
    },
    Case { command: "why h[3] net.onw --data given.npz", inputs: &["net.onw", "given.npz"], outputs: &["--json"] },
    Case { command: "asm system.s", inputs: &["system.s", "part.s"], outputs: &["--output", "--json"] },
    Case { command: "disasm net.onw", inputs: &["net.onw"], outputs: &["--json"] },
    Case { command: "trace-diff a.trace b.trace", inputs: &["a.trace", "b.trace"], outputs: &["--json"] },
    Case {
        command: "run still.onw --data given.npz --to 3",
        inputs: &["still.onw", "given.npz"],
        outputs: &["--waveform"],
    },
    Case {
        command: "run system.s --chip chip.toml --to 3",
        inputs: &["system.s", "part.s", "chip.toml"],
        outputs: &["--waveform"],
    },
    Case { command: "profile still.onw --data given.npz --to 3", inputs: &["still.onw"], outputs: &["--waveform"] },
    Case {
        command: "chip show chip.toml --technology other.toml --beside second.toml",
        inputs: &["chip.toml", "other.toml", "second.toml"],
        outputs: &["--json", "--floorplan"],
    },
    Case { command: "chip show chip.toml", inputs: &["chip.toml", "tech.toml"], outputs: &["--json", "--floorplan"] },
    Case { command: "inspect net.onw", inputs: &["net.onw"], outputs: &["--json"] },
    Case { command: "isa vaccr", inputs: &[], outputs: &["--json"] },
    Case { command: "compare before.json after.json", inputs: &["before.json", "after.json"], outputs: &["--json"] },
    Case { command: "chip list --technology other.toml", inputs: &["other.toml"], outputs: &["--json"] },
    Case {
        command: "debug net.sp --data given.npz --chip chip.toml --technology other.toml --traffic traffic.json --commands lines.txt --faults faults.toml",
        inputs: &[
            "faults.toml",
            "net.sp",
            "rule.sp",
            "given.npz",
            "chip.toml",
            "other.toml",
            "traffic.json",
            "lines.txt",
        ],
        outputs: &["--json"],
    },
    Case {
        command: "explore net.sp --space space.toml --data given.npz",
        inputs: &["net.sp", "rule.sp", "given.npz", "space.toml", "chip.toml", "other.toml"],
        outputs: &["--json", "--csv", "--parquet", "--report", "--database"],
    },
    Case {
        command: "train net.sp --data given.npz --chip chip.toml --epochs 1",
        inputs: &["net.sp", "given.npz", "chip.toml"],
        outputs: &["--record"],
    },
    Case {
        command: "run net.onw --learn --epochs 1 --data given.npz --weights w.npz",
        inputs: &["net.onw", "given.npz", "w.npz"],
        outputs: &["--record"],
    },
    Case { command: "profile still.onw --data given.npz", inputs: &["still.onw", "given.npz"], outputs: &["--record"] },
    Case {
        command: "retime net.rec --chip chip.toml --technology other.toml",
        inputs: &["net.rec", "chip.toml", "other.toml"],
        outputs: &["--json"],
    },
    Case { command: "retime net.rec", inputs: &["net.rec", "tech.toml"], outputs: &["--json"] },
    // Data of every kind.
    Case {
        command: "train net.sp --data table.csv --epochs 1",
        inputs: &["table.csv"],
        outputs: &["--output", "--json", "--profile-output"],
    },
    Case {
        command: "train net.sp --data x.npy,y.npy --epochs 1",
        inputs: &["x.npy", "y.npy"],
        outputs: &["--output", "--json"],
    },
    Case {
        command: "train net.sp --data arrays --epochs 1",
        inputs: &["arrays/samples.npy", "arrays/labels.npy"],
        outputs: &["--output", "--json"],
    },
    Case {
        command: "train net.sp --data idx --epochs 1",
        inputs: &[
            "idx/train-images-idx3-ubyte",
            "idx/train-labels-idx1-ubyte",
            "idx/t10k-images-idx3-ubyte",
            "idx/t10k-labels-idx1-ubyte",
        ],
        outputs: &["--output", "--json"],
    },
];

/// Commands that write nothing.
const READERS: &[&str] = &[];

struct Desk(TempDir);

impl Desk {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), contents).unwrap();
    }

    fn onward(&self, command: &str) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
        program.args(command.split_whitespace()).current_dir(self.0.path());
        program.env_remove("RUST_BACKTRACE").env("NO_COLOR", "1").output().unwrap()
    }

    fn succeed(&self, command: &str) -> String {
        let output = self.onward(command);
        assert_eq!(output.status.code(), Some(0), "onward {command}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// All files with what they hold.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![self.0.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
                }
            }
        }
        found
    }
}

/// A `.npy` file of bytes.
fn npy(shape: &str, kind: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((length as u16).to_le_bytes());
    file.extend(format!("{header:<width$}\n", width = length - 1).bytes());
    file.extend(bytes);
    file
}

fn npz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Everything that the commands read.
fn desk() -> Desk {
    let desk = Desk(TempDir::new().unwrap());
    desk.write("rule.sp", "learning = hinge { rate = 7, margin = 0.3 }\n");
    let network = "network small {\n include \"rule.sp\"\n data = \"own.npz\"\n window = 8\n input x = rate(8)\n \
                   target t = classes(2)\n layer h = dense(16) from x, t\n readout a = nearest_target from h\n}\n";
    desk.write("net.sp", network);
    let still = "network still {\n data = \"own.npz\"\n window = 8\n input x = rate(8)\n layer y = dense(8) from x { \
                 weights = fixed { bits = 8, values = file(\"eye.npy\") } }\n readout s = spikes from y\n}\n";
    desk.write("still.sp", still);
    let eye: Vec<u8> = (0..64).flat_map(|at| f32::from(u8::from(at % 9 == 0)).to_le_bytes()).collect();
    desk.write("eye.npy", npy("(8, 8)", "<f4", &eye));
    let samples: Vec<u8> = (0..64).map(|at| if at % 16 < 8 { 255 } else { at as u8 }).collect();
    let (samples, labels) = (npy("(8, 8)", "|u1", &samples), npy("(8,)", "|u1", &[0, 1, 0, 1, 0, 1, 0, 1]));
    let data = npz(&[("samples", samples.clone()), ("labels", labels.clone())]);
    for name in ["own.npz", "given.npz"] {
        desk.write(name, &data);
    }
    for (name, array) in
        [("x.npy", &samples), ("arrays/samples.npy", &samples), ("y.npy", &labels), ("arrays/labels.npy", &labels)]
    {
        desk.write(name, array);
    }
    desk.write("table.csv", "a,b,c,d,e,f,g,h,label\n1,2,3,4,5,6,7,255,0\n255,7,6,5,4,3,2,1,1\n");
    for (part, count) in [("train", 4u8), ("t10k", 2)] {
        let images: Vec<u8> =
            [[0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 4].to_vec(), vec![200; 8 * count as usize]].concat();
        desk.write(&format!("idx/{part}-images-idx3-ubyte"), images);
        let labels = [[0, 0, 8, 1, 0, 0, 0, count].to_vec(), (0..count).map(|at| at % 2).collect()].concat();
        desk.write(&format!("idx/{part}-labels-idx1-ubyte"), labels);
    }
    let technology = fs::read(root().join("programs/tech/45nm.toml")).unwrap();
    for name in ["tech.toml", "other.toml"] {
        desk.write(name, &technology);
    }
    for name in ["chip.toml", "second.toml"] {
        desk.write(name, "name = \"mine\"\ntechnology = \"tech.toml\"\n[mesh]\nwidth = 2\nheight = 2\n");
    }
    let space = "[fixed]\nchip = \"chip.toml\"\ntechnology = \"other.toml\"\n\"learning.epochs\" = 1\n\n[parameters]\n\"chip.core.lanes\" = [4, 8]\n\n\
                 [objectives]\narea = { minimize = \"area_mm2\" }\n";
    desk.write("space.toml", space);
    desk.write("model.nir", fs::read(root().join("crates/onward-net/tests/nir/gzip.nir")).unwrap());
    desk.write("part.s", "quiet:\n    sleep\n");
    desk.write(
        "system.s",
        ".block first, 0, 0, quiet, 2\n.input in, 1, first\n.packet 0, in, 0, 1\n.steps 2\n.include \"part.s\"\n",
    );
    desk.succeed("train net.sp --chip chip.toml --epochs 1 -o net.onw --export w.npz --save-traffic traffic.json --record net.rec");
    desk.succeed("train still.sp --chip chip.toml --save-traffic still.json");
    desk.succeed("calibrate still.sp --samples 2 -o ranges.json");
    desk.succeed("compile still.sp --chip chip.toml -o still.onw");
    desk.write("camera.sp", still.replace("rate(8)", "events(8)"));
    desk.succeed("compile camera.sp -o camera.onw");
    desk.succeed("compile still.sp --json before.json");
    desk.succeed("compile still.sp --chip chip.toml --json after.json");
    desk.write("events.txt", "0,1\nwindow\n3,7\n");
    desk.write("lines.txt", "step\nquit\n");
    desk.write("a.trace", "step 0 core 0\n");
    desk.write("b.trace", "step 0 core 1\n");
    desk.write("faults.toml", "seed = 1\n");
    desk
}

/// Other names of a file, and what must be made for them.
fn names(desk: &Desk, input: &str, way: usize) -> String {
    fs::create_dir_all(desk.path("sub")).unwrap();
    match way {
        0 => input.to_owned(),
        1 => format!("sub/.././{input}"),
        2 => {
            fs::hard_link(desk.path(input), desk.path("hard.npz")).unwrap();
            "hard.npz".to_owned()
        }
        #[cfg(unix)]
        3 => {
            std::os::unix::fs::symlink(input, desk.path("soft.npz")).unwrap();
            "soft.npz".to_owned()
        }
        _ => desk.path(input).display().to_string(),
    }
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let desk = desk();
    let mut tried = 0;
    for Case { command, inputs, outputs } in CASES {
        for (at, input) in inputs.iter().enumerate() {
            for (option_at, option) in outputs.iter().enumerate() {
                // By its own name, and by one other in turn.
                for way in [0, 1 + (at + option_at) % 4] {
                    // A table of answers has an ending of its own.
                    if *option == "--answers" && !input.ends_with(".npz") {
                        continue;
                    }
                    // So has a profile for other tools, which only one name of a table has.
                    if *option == "--profile-output" && !(input.ends_with(".csv") && way == 0) {
                        continue;
                    }
                    let name = names(&desk, input, way);
                    let before = desk.files();
                    // Another result first, which must not be written either.
                    let others = outputs
                        .iter()
                        .filter(|other| {
                            *other != option && !["--export", "--answers", "--profile-output"].contains(other)
                        })
                        .take(1);
                    let others: String = others.map(|other| format!(" {other} new.file")).collect();
                    let whole = format!("{command}{others} {option} {name}");
                    let output = desk.onward(&whole);
                    let stderr = String::from_utf8_lossy(&output.stderr);
                    // Arrays of `import` go beside its text, under another ending: only the text can meet the model.
                    assert_eq!(output.status.code(), Some(2), "onward {whole}\n{stderr}");
                    assert!(stderr.contains("is read by this command"), "onward {whole}\n{stderr}");
                    assert!(desk.files() == before, "onward {whole} changed files");
                    for made in ["hard.npz", "soft.npz"] {
                        let _ = fs::remove_file(desk.path(made));
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 200, "{tried}");
    // Each command as it is, with all that it reads: it does what it should, and leaves that as it was.
    for Case { command, inputs, outputs } in CASES {
        let before = desk.files();
        let ends = |option: &str| match option {
            "--answers" => ".csv",
            "--profile-output" => ".folded",
            "--output" if command.starts_with("import") => ".sp",
            _ => ".out",
        };
        let all: String =
            outputs.iter().enumerate().map(|(at, option)| format!(" {option} {at}{}", ends(option))).collect();
        desk.onward(&format!("{command}{all}"));
        let after = desk.files();
        for input in *inputs {
            assert!(before[&desk.path(input)] == after[&desk.path(input)], "{command} changed {input}");
        }
        assert!(
            outputs.iter().enumerate().all(|(at, option)| desk.path(&format!("{at}{}", ends(option))).exists()),
            "{command}"
        );
        (0..outputs.len()).for_each(|at| drop(fs::remove_file(desk.path(&format!("{at}.out")))));
    }
}

/// The options of a command that take a value, with the value's name.
fn options(desk: &Desk, command: &str) -> Vec<(String, String)> {
    let help = desk.succeed(&format!("{command} --help"));
    let of_line = |line: &str| {
        let option = line.trim_start().split(&[' ', ',']).find(|word| word.starts_with("--"))?;
        let value = line.split_once('<')?.1.split_once('>')?.0;
        line.trim_start().starts_with('-').then(|| (option.to_owned(), value.to_owned()))
    };
    help.lines().filter_map(of_line).collect()
}

#[test]
fn every_option_that_names_a_file_is_tried() {
    let desk = Desk(TempDir::new().unwrap());
    let help = desk.succeed("--help");
    let commands = help.split("Commands:").nth(1).unwrap().lines().skip(1).take_while(|line| line.starts_with("  "));
    let commands = commands.filter(|line| !line.starts_with("   "));
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let ways: &[&str] = if command == "chip" { &["chip list", "chip show"] } else { &[command] };
        for way in ways {
            let cases: Vec<&Case> = CASES.iter().filter(|case| case.command.starts_with(&format!("{way} "))).collect();
            for (option, value) in options(&desk, way) {
                let option = option.as_str();
                // Of an exploration `--export` is given the ID of a design, and `--output` goes with that: `explore.rs` tries it.
                if *way == "explore" && ["--export", "--output"].contains(&option) {
                    continue;
                }
                if OUTPUTS.contains(&option) {
                    let is_tried = cases.iter().any(|case| case.outputs.contains(&option));
                    assert!(is_tried, "`{way} {option}` writes a file: it belongs into a case");
                    assert!(!READERS.contains(&command), "{way}");
                } else if INPUTS.contains(&option) {
                    let is_tried = cases.iter().any(|case| case.command.contains(option));
                    assert!(is_tried, "`{way} {option}` reads a file: it belongs into a case");
                } else {
                    let is_file = FILES.iter().any(|word| value.contains(word));
                    assert!(
                        !is_file,
                        "`{way} {option} <{value}>` is new, and seems to name a file: it belongs into a case"
                    );
                }
            }
            assert_eq!(cases.is_empty(), READERS.contains(&command), "{way}");
        }
    }
}
