//! Whatever becomes of what a command writes to, it ends with a message, and no half of a file has the name that was asked for.
#![cfg(unix)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const NETWORK: &str = "network small {\n data = \"digits\"\n window = 4\n input x = rate(8, 8)\n target t = classes(10)\n \
    learning = hinge { rate = 7, margin = 0.3 }\n layer h = dense(16) from x, t\n readout a = nearest_target from h\n}\n";
const SYSTEM: &str =
    ".block first, 0, 0, quiet, 2\n.input in, 1, first\n.packet 0, in, 0, 1\n.steps 2\nquiet:\n    sleep\n";

/// Commands that write, `FILE` in the place of the file. Of each the file is larger than a disk block.
const WRITERS: [&str; 16] = [
    "compile net.sp -o FILE",
    "compile net.sp --json FILE",
    "train net.sp --epochs 1 -o FILE",
    "train net.sp --epochs 1 --json FILE",
    "train net.sp --epochs 1 --export FILE",
    "train net.sp --epochs 1 --answers FILE.csv",
    "train net.sp --epochs 1 --checkpoint FILE --every 100",
    "train net.sp --epochs 1 --report FILE",
    "run net.onw --json FILE",
    "verify net.onw --json FILE",
    "export net.onw -o FILE",
    "inspect net.onw --json FILE",
    "import model.nir -o FILE.sp",
    "asm long.s -o FILE",
    "chip show middle --json FILE",
    "chip show middle --floorplan FILE",
];

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(TempDir::new().expect("a folder can be made"));
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onward-net/tests/nir/gzip.nir");
        let long = format!("start:\n{}    sleep\n", "    addi r1, r1, 1\n".repeat(4000));
        for (name, text) in [("net.sp", NETWORK), ("system.s", SYSTEM), ("long.s", &long)] {
            fs::write(desk.path(name), text).expect("a file can be written");
        }
        fs::copy(model, desk.path("model.nir")).expect("a file can be copied");
        let output = desk.command("compile net.sp -o net.onw").output().expect("the program runs");
        assert!(output.status.success());
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

    /// The same, where no file can grow beyond some hundred bytes: as on a disk that is full.
    fn on_a_full_disk(&self, arguments: &str) -> Output {
        let mut shell = Command::new("sh");
        let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
        shell.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_onward")).args(arguments.split_whitespace());
        shell.current_dir(self.0.path()).env("NO_COLOR", "1").output().expect("a shell")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("the folder is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
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
    // What was there stays what it was.
    fs::write(desk.path("result"), "an older one").expect("a file can be written");
    told(&desk.on_a_full_disk("compile net.sp -o result"), "compile");
    assert_eq!(fs::read_to_string(desk.path("result")).expect("it is still there"), "an older one");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_told_of() {
    let desk = Desk::new();
    for command in WRITERS.iter().filter(|command| !command.contains("FILE.") && !command.contains("--checkpoint")) {
        let command = command.replace("FILE", "/dev/full");
        let output = desk.command(&command).output().expect("the program runs");
        told(&output, &command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("/dev/full: cannot be written"), "onward {command}\n{stderr}");
    }
}

#[test]
fn a_folder_that_is_not_there_or_may_not_be_written_to_is_told_of_before_the_work() {
    let desk = Desk::new();
    fs::create_dir(desk.path("locked")).expect("a folder can be made");
    let locked = std::os::unix::fs::PermissionsExt::from_mode(0o555);
    fs::set_permissions(desk.path("locked"), locked).expect("it is ours");
    // Whoever may do everything may write there too.
    let is_locked = fs::write(desk.path("locked/tried"), "").is_err();
    for command in WRITERS {
        for (folder, holds) in [("nowhere", true), ("locked", is_locked)] {
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
