//! Whatever becomes of what a command writes to, it ends with a message, and no half of a file has the name that was asked for.
#![cfg(unix)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;
use tempfile::TempDir;

const NETWORK: &str = "network small {\n data = \"digits\"\n window = 4\n input x = rate(8, 8)\n target t = classes(10)\n \
    learning = hinge { rate = 7, margin = 0.3 }\n layer h = dense(16) from x, t\n readout a = nearest_target from h\n}\n";
const SYSTEM: &str =
    ".block first, 0, 0, quiet, 2\n.input in, 1, first\n.packet 0, in, 0, 1\n.steps 2\nquiet:\n    sleep\n";

const STILL: &str = "network still {\n data = \"digits\"\n window = 4\n input x = rate(8, 8)\n layer y = dense(8) from x { \
    weights = fixed { bits = 8 } }\n readout s = spikes from y\n}\n";
const BANDIT: &str = "network arms {\n data = \"digits\"\n window = 8\n input x = rate(8, 8)\n target t = classes(10)\n \
    learning = hinge { rate = 7 }\n layer h = dense(16) from x, t\n readout a = nearest_target from h\n}\n";
const SPACE: &str = "[fixed]\n\"learning.epochs\" = 1\n\n[parameters]\n\"chip.core.lanes\" = [4, 8]\n\n[objectives]\n\
    area = { minimize = \"area_mm2\" }\n";

/// Commands that write, `FILE` in the place of the file: each command with each of its options that name one.
const WRITERS: [&str; 53] = [
    "compile net.sp -o FILE",
    "compile net.sp --json FILE",
    "train net.sp --epochs 1 -o FILE",
    "train net.sp --epochs 1 --json FILE",
    "train net.sp --seeds 2 --epochs 1 --json FILE",
    "train net.sp --epochs 1 --export FILE",
    "train net.sp --epochs 1 --answers FILE.csv",
    "train net.sp --epochs 1 --answers FILE.npz",
    "train net.sp --epochs 1 --checkpoint FILE --every 100",
    "train net.sp --epochs 1 --report FILE",
    "train net.sp --epochs 1 --record FILE",
    "train net.sp --epochs 1 --save-traffic FILE",
    "train net.sp --epochs 1 --profile-output FILE.csv",
    "train net.sp --epochs 1 --probe h.spikes --to 500 --probe-output FILE.npz",
    "train net.sp --epochs 1 --probe h.spikes --to 500 --probe-output FILE.parquet",
    "bandit arms.sp --trials 20 -o FILE",
    "bandit arms.sp --trials 20 --json FILE",
    "bandit arms.sp --trials 20 --checkpoint FILE --every 10",
    "bandit arms.sp --trials 20 --report FILE",
    "run net.onw --json FILE",
    "run net.onw --answers FILE.csv",
    "run net.onw --report FILE",
    "run net.onw --learn --epochs 1 -o FILE",
    "run net.onw --learn --epochs 1 --checkpoint FILE --every 100",
    "run net.onw --record FILE",
    "run net.onw --waveform FILE.vcd --to 5",
    "run still.onw --spikes FILE",
    "run system.s --json FILE",
    "run system.s --waveform FILE.vcd --to 1",
    "profile net.onw --json FILE",
    "profile net.onw --profile-output FILE.csv",
    "profile net.onw --report FILE",
    "retime net.rec --json FILE",
    "calibrate still.sp --samples 5 -o FILE",
    "calibrate still.sp --samples 5 --json FILE",
    "explore net.sp --space space.toml --resume --json FILE",
    "explore net.sp --space space.toml --resume --csv FILE",
    "explore net.sp --space space.toml --resume --parquet FILE",
    "explore net.sp --space space.toml --resume --report FILE",
    "verify net.onw --json FILE",
    "export net.onw -o FILE",
    "export net.onw -o made.npz --json FILE",
    "inspect net.onw --json FILE",
    "why h[3] net.onw --json FILE",
    "import model.nir -o FILE.sp",
    "import model.nir -o made.sp --json FILE",
    "asm long.s -o FILE",
    "asm long.s --json FILE",
    "disasm net.onw --json FILE",
    "isa --json FILE",
    "compare before.json after.json --json FILE",
    "chip show middle --json FILE",
    "chip show middle --floorplan FILE",
];

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(TempDir::new().expect("a folder can be made"));
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onward-net/tests/nir/gzip.nir");
        let long = format!("start:\n{}    sleep\n", "    addi r1, r1, 1\n".repeat(4000));
        for (name, text) in [
            ("net.sp", NETWORK),
            ("still.sp", STILL),
            ("arms.sp", BANDIT),
            ("system.s", SYSTEM),
            ("long.s", &long),
            ("space.toml", SPACE),
        ] {
            fs::write(desk.path(name), text).expect("a file can be written");
        }
        fs::copy(model, desk.path("model.nir")).expect("a file can be copied");
        for command in [
            "compile net.sp -o net.onw --json before.json",
            "compile still.sp -o still.onw --json after.json",
            "train net.sp --epochs 1 --record net.rec",
        ] {
            let output = desk.command(command).output().expect("the program runs");
            assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_onward"));
        program.args(arguments.split_whitespace()).current_dir(self.0.path()).env("NO_COLOR", "1");
        program
    }

    /// The same, where no file can hold a byte: as on a disk that is full.
    fn on_a_full_disk(&self, arguments: &str) -> Output {
        let mut shell = Command::new("sh");
        let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
        shell.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_onward")).args(arguments.split_whitespace());
        shell.current_dir(self.0.path()).env("NO_COLOR", "1").output().expect("a shell")
    }

    /// The same with so many KiB of memory, counted as addresses.
    #[cfg(target_os = "linux")]
    fn with_memory(&self, arguments: &str, kib: u64) -> Output {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -v {kib}; exec \"$0\" \"$@\"");
        shell.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_onward")).args(arguments.split_whitespace());
        // One heap for all threads: how many there are, and which of them asks first, makes no difference.
        shell.env("MALLOC_ARENA_MAX", "1");
        shell.current_dir(self.0.path()).env("NO_COLOR", "1").output().expect("a shell")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("the folder is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        // A study's database grows as designs are evaluated, and is whole at any time.
        names.retain(|name| !name.starts_with("space.db"));
        names.sort();
        names
    }
}

fn told(output: &Output, command: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "onward {command}\n{stderr}");
    assert!(stderr.contains("error") && !stderr.contains("panicked"), "onward {command}\n{stderr}");
}

#[test]
fn nothing_half_written_is_left_on_a_full_disk() {
    let desk = Desk::new();
    let before = desk.names();
    for command in WRITERS {
        let command = command.replace("FILE", "result");
        told(&desk.on_a_full_disk(&command), &command);
        assert_eq!(desk.names(), before, "onward {command}");
    }
    // A database that could not grow is one that a study goes on with.
    let study = "explore net.sp --space space.toml --resume --database kept.db";
    told(&desk.on_a_full_disk(study), study);
    assert!(desk.command(study).output().expect("the program runs").status.success());
    // What was there stays what it was.
    fs::write(desk.path("result"), "an older one").expect("a file can be written");
    told(&desk.on_a_full_disk("compile net.sp -o result"), "compile");
    assert_eq!(fs::read_to_string(desk.path("result")).expect("it is still there"), "an older one");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_told_of() {
    let desk = Desk::new();
    for command in WRITERS.iter().filter(|command| !["FILE.", "--checkpoint"].iter().any(|not| command.contains(not))) {
        let command = command.replace("FILE", "/dev/full");
        let output = desk.command(&command).output().expect("the program runs");
        told(&output, &command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let says = ["/dev/full: cannot be written", "the record of the run cannot be written"];
        assert!(says.iter().any(|says| stderr.contains(says)), "onward {command}\n{stderr}");
    }
}

#[test]
fn a_folder_that_is_not_there_or_may_not_be_written_to_is_told_of_before_the_work() {
    let desk = Desk::new();
    fs::create_dir(desk.path("locked")).expect("a folder can be made");
    let locked = std::os::unix::fs::PermissionsExt::from_mode(0o555);
    fs::set_permissions(desk.path("locked"), locked).expect("it is ours");
    // Whoever may do everything may write there too; but no file can be made where the kernel shows its devices.
    let is_locked = fs::write(desk.path("locked/tried"), "").is_err();
    for command in WRITERS {
        for (folder, holds) in [("nowhere", true), ("locked", is_locked), ("/sys", cfg!(target_os = "linux"))] {
            if holds {
                let command = command.replace("FILE", &format!("{folder}/result"));
                let output = desk.command(&command).output().expect("the program runs");
                told(&output, &command);
                // Nothing was learned first.
                assert!(!String::from_utf8_lossy(&output.stdout).contains("epoch"), "onward {command}");
            }
        }
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let desk = Desk::new();
    for command in [
        "train net.sp --epochs 1",
        "run net.onw",
        "run system.s",
        "compile net.sp --emit generate",
        "disasm net.onw",
        "asm long.s",
        "inspect net.onw",
        "verify net.onw",
        "chip list",
        "chip show",
        "isa",
        "train net.sp --epochs 1 --json -",
        "--help",
    ] {
        let mut child = desk.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().expect("it is piped").read_to_string(&mut stderr).expect("text");
        let status = child.wait().expect("it ends");
        assert!(status.code() != Some(101) && !stderr.contains("panicked"), "onward {command}: {status}\n{stderr}");
    }
}

/// Commands that write nothing unless they are asked to, and one of each kind that does.
const COMMANDS: [&str; 22] = [
    "compile net.sp -o result",
    "train net.sp --epochs 1 -o result",
    "train net.sp --epochs 1 --checkpoint result --every 100",
    "train net.sp --epochs 1 --record result",
    "train net.sp --epochs 1 --report result",
    "bandit arms.sp --trials 200 -o result",
    "run net.onw --json result",
    "run net.onw --engine reference --json result",
    "run system.s --json result",
    "profile net.onw --json result",
    "retime net.rec --json result",
    "calibrate still.sp -o result",
    "explore net.sp --space space.toml --resume --json result",
    "verify net.onw --json result",
    "export net.onw -o result",
    "inspect net.onw --json result",
    "why h[3] net.onw --json result",
    "import model.nir -o made.sp --json result",
    "asm long.s -o result",
    "disasm net.onw --json result",
    "compare before.json after.json --json result",
    "chip show middle --json result",
];

/// Memory in MiB beside the program itself: from where threads cannot be started to where each command ends well.
#[cfg(target_os = "linux")]
const BESIDE_MIB: [u64; 9] = [4, 6, 8, 9, 10, 12, 16, 24, 4096];

/// Has a command run with so many MiB, and sees that it either did what it should or said why not; what it said.
#[cfg(target_os = "linux")]
fn with_limit(desk: &Desk, command: &str, mib: u64) -> (Option<i32>, String) {
    let output = desk.with_memory(command, mib << 10);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = match output.status.code() {
        Some(0) => true,
        Some(1 | 2) => stderr.contains("error") && !stderr.contains("internal error"),
        // The system did not get so far as to start it.
        Some(127) => stderr.contains("shared librar"),
        _ => false,
    };
    assert!(told, "onward {command}, with {mib} MiB: {}\n{stderr}", output.status);
    let result = desk.path("result");
    assert!(!result.exists() || output.status.success() || command.contains("--checkpoint"), "{command}: {mib} MiB");
    let _ = fs::remove_file(result);
    (output.status.code(), stderr)
}

#[test]
#[cfg(target_os = "linux")]
fn without_memory_a_command_says_so_and_leaves_nothing_half_written() {
    let desk = Desk::new();
    let program = fs::metadata(env!("CARGO_BIN_EXE_onward")).expect("the program is there").len().div_ceil(1 << 20);
    for command in COMMANDS {
        for mib in BESIDE_MIB {
            let (code, stderr) = with_limit(&desk, command, program + mib);
            // With less it depends on the system's libraries and threads how far it comes.
            assert!(mib < 4096 || code == Some(0), "onward {command}, with {mib} MiB\n{stderr}");
        }
    }
}

/// What holds samples of 416 MiB needs at least as much: with less it runs out of memory, wherever it is and whatever else runs.
#[test]
#[cfg(target_os = "linux")]
fn samples_that_are_larger_than_memory_are_told_of() {
    let desk = Desk::new();
    fs::create_dir(desk.path("much")).expect("a folder can be made");
    let part = |part: &str, samples: u32| {
        let file = |kind: &str, header: &[u8], length: u64| {
            let path = desk.path(&format!("much/{part}-{kind}-ubyte"));
            fs::write(&path, header).expect("a file can be written");
            // Zeros that take no place on the disk.
            let file = fs::OpenOptions::new().append(true).open(path).expect("it is there");
            file.set_len(length).expect("it can grow");
        };
        let count = samples.to_be_bytes();
        let samples = u64::from(samples);
        file("images-idx3", &[&[0, 0, 8, 3], &count[..], &[0, 0, 0, 8, 0, 0, 0, 8]].concat(), 16 + 64 * samples);
        file("labels-idx1", &[&[0, 0, 8, 1], &count[..], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]].concat(), 8 + samples);
    };
    part("train", 6_815_744);
    part("t10k", 10);
    for command in
        ["run net.onw --data much --timing none --json result", "train net.sp --data much --epochs 1 -o result"]
    {
        for mib in [200, 280, 400] {
            let (code, stderr) = with_limit(&desk, command, mib);
            let is_told = code == Some(1) && stderr.contains("error: out of memory: ");
            assert!(is_told, "onward {command}, with {mib} MiB: {code:?}\n{stderr}");
        }
    }
    let (code, stderr) = with_limit(&desk, "run net.onw --data much --timing none --json result", 4096);
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn a_command_that_is_broken_off_at_any_time_leaves_nothing_half_written() {
    use std::os::unix::process::ExitStatusExt;
    let desk = Desk::new();
    let mut broken_off = 0;
    for command in COMMANDS {
        let begin = Instant::now();
        let sound = desk.command(command).output().expect("the program runs");
        let took = begin.elapsed();
        assert!(sound.status.success(), "onward {command}\n{}", String::from_utf8_lossy(&sound.stderr));
        fs::remove_file(desk.path("result")).expect("it was written");
        for percent in [0, 10, 25, 50, 75, 95] {
            let mut child = desk.command(command);
            let child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
            std::thread::sleep(took * percent / 100);
            let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("there is `kill`");
            let output = child.wait_with_output().expect("it ends");
            let (status, stderr) = (output.status, String::from_utf8_lossy(&output.stderr));
            // Before it listens the signal ends it.
            let is_signal = status.signal() == Some(2);
            assert!(
                is_signal || matches!(status.code(), Some(0 | 130)),
                "onward {command}, after {percent} %: {status}\n{stderr}"
            );
            broken_off += usize::from(told.success() && !status.success());
            let result = fs::read(desk.path("result"));
            // What was written is whole.
            if let Ok(contents) = result {
                let is_whole =
                    !command.contains("--json") || serde_json::from_slice::<serde_json::Value>(&contents).is_ok();
                assert!(is_whole, "onward {command}, after {percent} %");
                fs::remove_file(desk.path("result")).expect("it is there");
            }
        }
    }
    assert!(broken_off > COMMANDS.len() / 4, "{broken_off}");
}
